//! A checkpoint file.
//!
//! ```text
//! header   preamble · log id · covers u64 · checksum u32
//! chunk    bytes u32 · checksum u32 · bytes …
//! trailer  0xFFFFFFFF · checksum u32 · chunks u64
//! ```
//!
//! Each checksum starts from the one before it.

use std::path::{Path, PathBuf};

use crate::error::{StorageError, StorageErrorKind};
use crate::frame::{Fields, checksum, push_piece};
use crate::position::LogPosition;
use crate::segment::{Publisher, check_preamble, checkpoint_path, preamble};
use crate::vfs::{Vfs, VfsFile};

/// The most that one chunk of a checkpoint holds.
pub const CHUNK_BYTES_MAX: u64 = 16 * 1024 * 1024;

const MAGIC: [u8; 8] = *b"dhlrschk";
const HEADER_BYTES: usize = 44;
const TRAILER_MARK: u32 = u32::MAX;
const WRITE_BYTES: usize = 256 * 1024;

/// Writes one checkpoint, chunk by chunk. Dropped before [`finish`](Self::finish), or once that has
/// failed, it leaves nothing and takes no room.
pub struct CheckpointWriter<V: Vfs> {
    publisher: Publisher<V>,
    dir: PathBuf,
    covers: LogPosition,
    buffer: Vec<u8>,
    checksum: u32,
    chunks: u64,
}

impl<V: Vfs> CheckpointWriter<V> {
    pub(crate) fn new(
        vfs: &V,
        dir: &Path,
        id: &[u8; 16],
        covers: LogPosition,
    ) -> Result<Self, StorageError> {
        let publisher = Publisher::create(vfs, &path(dir, covers.0))?;
        let mut buffer = preamble(MAGIC);
        let fields = [&id[..], &covers.0.to_le_bytes()].concat();
        let checksum = checksum(0, &[&fields]);
        buffer.extend_from_slice(&fields);
        buffer.extend_from_slice(&checksum.to_le_bytes());
        Ok(Self {
            publisher,
            dir: dir.to_path_buf(),
            covers,
            buffer,
            checksum,
            chunks: 0,
        })
    }

    /// Adds a chunk. Small ones are gathered into larger writes.
    ///
    /// # Errors
    /// `TooLarge` above [`CHUNK_BYTES_MAX`]; what the file system reports. Drop it then, and begin again.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), StorageError> {
        let bytes = chunk.len() as u64;
        if bytes > CHUNK_BYTES_MAX {
            let kind = StorageErrorKind::TooLarge {
                bytes,
                limit: CHUNK_BYTES_MAX,
            };
            return Err(StorageError::new(
                kind,
                &self.dir,
                "a chunk of a checkpoint is",
            ));
        }
        self.checksum = push_piece(&mut self.buffer, self.checksum, chunk);
        self.chunks += 1;
        if self.buffer.len() >= WRITE_BYTES {
            self.publisher.append(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Makes the checkpoint count. Until this returns, and after an error, a recovery uses the
    /// one before it or this one, and both give the same state.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn finish(mut self) -> Result<LogPosition, StorageError> {
        let (mark, chunks) = (TRAILER_MARK.to_le_bytes(), self.chunks.to_le_bytes());
        let checksum = checksum(self.checksum, &[&mark, &chunks]);
        self.buffer.extend_from_slice(&mark);
        self.buffer.extend_from_slice(&checksum.to_le_bytes());
        self.buffer.extend_from_slice(&chunks);
        self.publisher.append(&self.buffer)?;
        self.publisher.finish()?;
        Ok(self.covers)
    }
}

impl<V: Vfs> std::fmt::Debug for CheckpointWriter<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckpointWriter")
            .field("covers", &self.covers)
            .field("chunks", &self.chunks)
            .finish_non_exhaustive()
    }
}

pub(crate) fn path(dir: &Path, covers: u64) -> PathBuf {
    checkpoint_path(dir, covers)
}

/// Reads a checkpoint to its end.
pub(crate) fn verify<V: Vfs>(
    vfs: &V,
    dir: &Path,
    id: &[u8; 16],
    covers: u64,
) -> Result<(), StorageError> {
    let mut reader = CheckpointReader::open(vfs, dir, id, covers)?;
    while reader.advance()? {}
    Ok(())
}

pub(crate) struct CheckpointReader<V: Vfs> {
    file: V::File,
    path: PathBuf,
    len: u64,
    // Where `buffer[taken..]` begins in the file.
    offset: u64,
    buffer: Vec<u8>,
    taken: usize,
    checksum: u32,
    chunks: u64,
    chunk_bytes: usize,
}

impl<V: Vfs> CheckpointReader<V> {
    pub(crate) fn open(
        vfs: &V,
        dir: &Path,
        id: &[u8; 16],
        covers: u64,
    ) -> Result<Self, StorageError> {
        let path = path(dir, covers);
        let mut file = vfs
            .open(&path)
            .map_err(|error| StorageError::io("open", &path, error))?;
        let len = file
            .len_bytes()
            .map_err(|error| StorageError::io("read the length of", &path, error))?;
        let mut reader = Self {
            file,
            path,
            len,
            offset: 0,
            buffer: Vec::new(),
            taken: 0,
            checksum: 0,
            chunks: 0,
            chunk_bytes: 0,
        };
        let path = reader.path.clone();
        let mut fields = Fields(reader.take(HEADER_BYTES)?);
        check_preamble(&mut fields, MAGIC, &path)?;
        let sum = checksum(0, &[fields.0.get(..24).unwrap_or_default()]);
        let header = (
            fields.take::<16>(),
            fields.take().map(u64::from_le_bytes),
            fields.take(),
        );
        let stored = header.2.map(u32::from_le_bytes);
        if header.0 != Some(*id) || header.1 != Some(covers) || stored != Some(sum) {
            let detail = "its header does not match its checksum, its name or this log";
            return Err(StorageError::corrupt(&path, 16, detail));
        }
        reader.checksum = sum;
        Ok(reader)
    }

    /// Goes to the next chunk; `false` once the trailer has been checked.
    pub(crate) fn advance(&mut self) -> Result<bool, StorageError> {
        let at = self.offset;
        let mut fields = Fields(self.take(8)?);
        let len: [u8; 4] = fields.take().unwrap_or_default();
        let stored = u32::from_le_bytes(fields.take().unwrap_or_default());
        let seed = self.checksum;
        let damaged = StorageError::corrupt(&self.path, at, "a chunk does not match its checksum");
        if len == TRAILER_MARK.to_le_bytes() {
            let expected = self.chunks.to_le_bytes();
            let chunks = self.take(8)?;
            if chunks != expected || checksum(seed, &[&len, chunks]) != stored {
                return Err(damaged);
            }
            if self.offset != self.len {
                let detail = "something follows its end";
                return Err(StorageError::corrupt(&self.path, self.offset, detail));
            }
            return Ok(false);
        }
        let bytes = u64::from(u32::from_le_bytes(len));
        if bytes > CHUNK_BYTES_MAX {
            return Err(damaged);
        }
        let chunk = self.take(bytes as usize)?;
        if checksum(seed, &[&len, chunk]) != stored {
            return Err(damaged);
        }
        self.checksum = stored;
        self.chunks += 1;
        self.chunk_bytes = bytes as usize;
        Ok(true)
    }

    /// The chunk that `advance` went to.
    pub(crate) fn chunk(&self) -> &[u8] {
        let start = self.taken.saturating_sub(self.chunk_bytes);
        self.buffer.get(start..self.taken).unwrap_or_default()
    }

    fn take(&mut self, count: usize) -> Result<&[u8], StorageError> {
        if self.buffer.len() - self.taken < count {
            self.buffer.drain(..self.taken);
            self.taken = 0;
            let held = self.buffer.len();
            let unread = self.len.saturating_sub(self.offset + held as u64);
            let unread = usize::try_from(unread).unwrap_or(usize::MAX);
            if held.saturating_add(unread) < count {
                return Err(StorageError::corrupt(
                    &self.path,
                    self.offset,
                    "it ends too early",
                ));
            }
            let size = count.max(WRITE_BYTES).min(held + unread);
            self.buffer.resize(size, 0);
            let fresh = self.buffer.get_mut(held..).unwrap_or_default();
            let read = self
                .file
                .read_at(self.offset + held as u64, fresh)
                .map_err(|error| StorageError::io("read", &self.path, error))?;
            self.buffer.truncate(held + read);
        }
        let start = self.taken;
        let Some(bytes) = self.buffer.get(start..start + count) else {
            return Err(StorageError::corrupt(
                &self.path,
                self.offset,
                "it ends too early",
            ));
        };
        self.taken += count;
        self.offset += count as u64;
        Ok(bytes)
    }
}
