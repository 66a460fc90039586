//! Reads the batches of one segment, and tells a write that did not finish from damage.

use std::path::{Path, PathBuf};

use crate::error::StorageError;
use crate::frame::{
    FRAME_HEADER_BYTES, FrameHeader, MAGIC, Records, check_body, decode_header, unmask,
};
use crate::memory_vfs::SECTOR_BYTES;
use crate::segment::SEGMENT_HEADER_BYTES;
use crate::vfs::{Vfs, VfsFile};

const READ_BYTES: usize = 256 * 1024;

pub(crate) struct SegmentReader<V: Vfs> {
    file: V::File,
    path: PathBuf,
    seed: u32,
    len: u64,
    offset: u64,
    expected: u64,
    // Holds the file from `buffer_at` on.
    buffer: Vec<u8>,
    buffer_at: u64,
    // The body of the last batch, unmasked.
    body: Vec<u8>,
}

/// What stands at the reader's offset.
pub(crate) enum Found {
    /// A batch; the offset has moved past it.
    Frame(FrameHeader),
    /// The segment ends here.
    End,
    /// A write that never finished: nothing in it was ever reported as durable.
    Torn,
}

impl<V: Vfs> SegmentReader<V> {
    pub(crate) fn open(
        vfs: &V,
        path: PathBuf,
        seed: u32,
        first: u64,
    ) -> Result<Self, StorageError> {
        let mut file = vfs
            .open(&path)
            .map_err(|error| StorageError::io("open", &path, error))?;
        let len = file
            .len_bytes()
            .map_err(|error| StorageError::io("read the length of", &path, error))?;
        let (offset, buffer) = (SEGMENT_HEADER_BYTES, Vec::new());
        Ok(Self {
            file,
            path,
            seed,
            len,
            offset,
            expected: first,
            buffer,
            buffer_at: 0,
            body: Vec::new(),
        })
    }

    /// Where the next batch begins.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The number that the next batch must have.
    pub(crate) fn expected(&self) -> u64 {
        self.expected
    }

    pub(crate) fn len_bytes(&self) -> u64 {
        self.len
    }

    pub(crate) fn sync(&mut self, path: &Path) -> Result<(), StorageError> {
        self.file
            .sync()
            .map_err(|error| StorageError::io("sync", path, error))
    }

    pub(crate) fn into_file(self) -> V::File {
        self.file
    }

    /// # Errors
    /// `Corrupt` for what cannot be a write that did not finish.
    pub(crate) fn next(&mut self) -> Result<Found, StorageError> {
        if self.offset >= self.len {
            return Ok(Found::End);
        }
        let at = self.offset;
        let seed = self.seed;
        let bytes = self.fill(at, FRAME_HEADER_BYTES)?;
        let Some(header) = decode_header(bytes, seed) else {
            let end = at + FRAME_HEADER_BYTES as u64;
            return self.judge(
                at,
                end,
                at + 1,
                "a batch header does not match its checksum",
            );
        };
        if header.number != self.expected {
            return Err(self.corrupt(at, "a batch has not the number that comes next"));
        }
        let body_bytes = header.body_bytes as usize;
        let end = at + (FRAME_HEADER_BYTES + body_bytes) as u64;
        if end > self.len {
            return Ok(Found::Torn);
        }
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        let bytes = self.fill(at, FRAME_HEADER_BYTES + body_bytes)?;
        body.extend_from_slice(bytes.get(FRAME_HEADER_BYTES..).unwrap_or_default());
        unmask(&mut body, &header);
        self.body = body;
        if let Err((start, stop)) = check_body(&self.body, &header) {
            let body_at = at + FRAME_HEADER_BYTES as u64;
            let (start, stop) = (body_at + start as u64, body_at + stop as u64);
            return self.judge(start, stop, end, "a record does not match its checksum");
        }
        self.offset = end;
        self.expected += 1;
        Ok(Found::Frame(header))
    }

    /// The records of the batch that `next` just returned.
    pub(crate) fn records(&self, header: &FrameHeader) -> Records<'_> {
        Records::new(&self.body, header)
    }

    /// Copies raw bytes, `from..to`.
    pub(crate) fn copy(
        &mut self,
        from: u64,
        to: u64,
        mut push: impl FnMut(&[u8]) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let mut at = from;
        while at < to {
            let want = usize::try_from(to - at)
                .unwrap_or(READ_BYTES)
                .min(READ_BYTES);
            let bytes = self.fill(at, want)?;
            if bytes.len() < want {
                return Err(self.corrupt(at, "it became shorter while it was read"));
            }
            push(bytes)?;
            at += want as u64;
        }
        Ok(())
    }

    pub(crate) fn corrupt(&self, offset: u64, detail: &'static str) -> StorageError {
        StorageError::corrupt(&self.path, offset, detail)
    }

    /// `start..stop` is bad. A write that did not finish leaves the file short or some of its
    /// sectors at zero, which no sector of a finished one is; and no later batch can name this one
    /// as durable.
    fn judge(
        &mut self,
        start: u64,
        stop: u64,
        search_from: u64,
        detail: &'static str,
    ) -> Result<Found, StorageError> {
        let unfinished = stop > self.len || self.has_zero_sector(start, stop)?;
        if !unfinished || self.vouched_for(search_from)? {
            return Err(self.corrupt(start, detail));
        }
        Ok(Found::Torn)
    }

    /// Whether a sector that holds some of `start..stop` reads as zeros, as far as this frame
    /// reaches into it.
    fn has_zero_sector(&mut self, start: u64, stop: u64) -> Result<bool, StorageError> {
        let mut sector = start - start % SECTOR_BYTES;
        while sector < stop {
            let from = sector.max(self.offset);
            let want = (sector + SECTOR_BYTES - from) as usize;
            if self.fill(from, want)?.iter().all(|byte| *byte == 0) {
                return Ok(true);
            }
            sector += SECTOR_BYTES;
        }
        Ok(false)
    }

    /// Whether a batch after `from` was written when the expected one was known to be on disk.
    fn vouched_for(&mut self, from: u64) -> Result<bool, StorageError> {
        let (seed, expected) = (self.seed, self.expected);
        let mut at = from;
        while at < self.len {
            let bytes = self.fill(at, READ_BYTES)?;
            let mut windows = bytes.windows(FRAME_HEADER_BYTES);
            let searched = windows.len();
            let vouches = |window: &[u8]| {
                window.starts_with(&MAGIC)
                    && decode_header(window, seed)
                        .is_some_and(|later| later.durable >= expected && later.number > expected)
            };
            if windows.any(vouches) {
                return Ok(true);
            }
            at += searched.max(1) as u64;
        }
        Ok(false)
    }

    /// What the file holds from `at` on, at most `want` bytes; less only at its end.
    fn fill(&mut self, at: u64, want: usize) -> Result<&[u8], StorageError> {
        let left = usize::try_from(self.len.saturating_sub(at)).unwrap_or(usize::MAX);
        let want = want.min(left);
        let held_to = self.buffer_at + self.buffer.len() as u64;
        if at < self.buffer_at || at + want as u64 > held_to {
            let size = want.max(READ_BYTES).min(left);
            // Nothing of the old window is kept: what is read twice is less than one batch.
            self.buffer.resize(size, 0);
            self.buffer_at = at;
            let read = self.file.read_at(at, &mut self.buffer);
            let read = read.map_err(|error| StorageError::io("read", &self.path, error))?;
            self.buffer.truncate(read);
        }
        let start = (at - self.buffer_at) as usize;
        let bytes = self.buffer.get(start..).unwrap_or_default();
        Ok(bytes.get(..want).unwrap_or(bytes))
    }
}
