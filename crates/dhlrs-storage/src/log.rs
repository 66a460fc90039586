//! The log of one store.

mod opening;
mod pruning;

use std::io;
use std::path::{Path, PathBuf};

pub use opening::Repair;
pub(crate) use opening::Tail;
pub use pruning::{Prunable, PruneCheck, Pruned};

use crate::checkpoint::CheckpointWriter;
use crate::error::{StorageError, StorageErrorKind};
use crate::frame::{encode_frame, frame_bytes};
use crate::position::LogPosition;
use crate::recovery::{RecoverFrom, Recovery, verify};
use crate::segment::{
    SEGMENT_HEADER_BYTES, Segment, list, publish, remove, segment_header, segment_path, sync_dir,
};
use crate::vfs::{Vfs, VfsFile};

/// The most that one batch takes on disk: its records, 8 bytes for each, and 37.
pub const BATCH_BYTES_MAX: u64 = 64 * 1024 * 1024;

// A larger buffer is given back after the batch that needed it.
const BUFFER_KEPT_BYTES: usize = 1024 * 1024;

/// The log of one store: batches of opaque records in the files of one directory, with
/// checkpoints that let it forget its beginning.
///
/// A batch is recovered whole or not at all, and every batch that [`sync`](Self::sync) confirmed
/// is. One process at a time may have a directory ([`DataDir`](crate::DataDir) sees to that).
///
/// After any write or sync that failed the log is *poisoned*: it refuses writes until
/// [`reopen`](Self::reopen) has cut it at the last durable batch and gone on in a new file.
///
/// Every method blocks on the file system, and none does so in the background.
#[derive(Debug)]
pub struct Log<V: Vfs> {
    vfs: V,
    dir: PathBuf,
    id: [u8; 16],
    // Made of the id.
    seed: u32,
    options: LogOptions,
    // Invariant: ascending by sequence; the last one is written to. `first` never falls.
    segments: Vec<Segment>,
    file: V::File,
    len_bytes: u64,
    // Where batch `durable` ends in the last segment.
    durable_bytes: u64,
    end: u64,
    durable: u64,
    poisoned: bool,
    buffer: Vec<u8>,
    repairs: Vec<Repair>,
}

/// How a [`Log`] lays out its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogOptions {
    /// A batch that would make a segment file larger begins a new one. A batch that is larger by
    /// itself has a file of its own.
    pub segment_bytes_max: u64,
}

impl Default for LogOptions {
    /// 16 MiB a segment.
    fn default() -> Self {
        Self {
            segment_bytes_max: 16 * 1024 * 1024,
        }
    }
}

impl<V: Vfs> Log<V> {
    /// Adds one batch and returns its position. It is durable once [`sync`](Self::sync) says so.
    /// Without records nothing is written. One write call; no copy but into one buffer.
    ///
    /// # Errors
    /// `TooLarge` changes nothing. Anything else poisons the log, and the batch may or may not be
    /// found when the directory is opened again by another process; [`reopen`](Self::reopen)
    /// decides that it is not.
    pub fn append<R: AsRef<[u8]>>(&mut self, records: &[R]) -> Result<LogPosition, StorageError> {
        self.check_poison()?;
        if records.is_empty() {
            return Ok(LogPosition(self.end));
        }
        let bytes = frame_bytes(records);
        if bytes > BATCH_BYTES_MAX {
            let kind = StorageErrorKind::TooLarge {
                bytes,
                limit: BATCH_BYTES_MAX,
            };
            return Err(StorageError::new(kind, &self.dir, "a batch of records is"));
        }
        if self.len_bytes > SEGMENT_HEADER_BYTES
            && self.len_bytes + bytes > self.options.segment_bytes_max
        {
            self.rotate()?;
        }
        let number = self.end + 1;
        encode_frame(
            &mut self.buffer,
            self.seed,
            number,
            self.durable,
            records,
            bytes,
        );
        let written = self.file.append(&self.buffer);
        if self.buffer.capacity() > BUFFER_KEPT_BYTES {
            self.buffer = Vec::new();
        }
        written.map_err(|error| self.poison("append to", error))?;
        self.len_bytes += bytes;
        self.end = number;
        Ok(LogPosition(number))
    }

    /// Makes all batches durable, and returns the position of the last. Costs nothing if they are.
    ///
    /// # Errors
    /// Any error poisons the log; what was appended since the last success is in doubt.
    pub fn sync(&mut self) -> Result<LogPosition, StorageError> {
        self.check_poison()?;
        if self.durable < self.end {
            self.file
                .sync()
                .map_err(|error| self.poison("sync", error))?;
            self.durable = self.end;
            self.durable_bytes = self.len_bytes;
        }
        Ok(LogPosition(self.durable))
    }

    /// Makes a poisoned log writable again: cuts it at its last durable batch, for good, and goes
    /// on in a new file. Returns that batch's position. A log that is in order is only synced.
    ///
    /// Files that were being written when the log failed are removed, a checkpoint among them: its
    /// writer fails then, and the checkpoint before it stays.
    ///
    /// # Errors
    /// What the file system reports; the log stays poisoned, and this may be called again.
    pub fn reopen(&mut self) -> Result<LogPosition, StorageError> {
        if !self.poisoned {
            return self.sync();
        }
        let listing = list(&self.vfs, &self.dir)?;
        if !listing.temporary.is_empty() {
            // First of all: the room that they take may be what is missing.
            for name in &listing.temporary {
                remove(&self.vfs, &self.dir.join(name))?;
            }
            sync_dir(&self.vfs, &self.dir)?;
        }
        let last = self.last();
        let path = segment_path(&self.dir, last.sequence);
        let mut old = self
            .vfs
            .open(&path)
            .map_err(|error| StorageError::io("open", &path, error))?;
        cut_file::<V>(&mut old, &path, self.durable_bytes)?;
        let mut newest = last.sequence;
        for sequence in listing.segments {
            newest = newest.max(sequence);
            if sequence > last.sequence {
                // Begun and never used, because the directory could not be synced.
                remove(&self.vfs, &segment_path(&self.dir, sequence))?;
            }
        }
        self.begin_segment(newest + 1, self.durable)?;
        self.end = self.durable;
        self.poisoned = false;
        Ok(LogPosition(self.durable))
    }

    /// Reads the log back: the chunks of a checkpoint, then every durable batch after it. What is
    /// appended later is not in it.
    ///
    /// Cost: the checkpoint is read twice, once to know that it is good.
    ///
    /// # Errors
    /// `Corrupt` if no good checkpoint is left from which the log goes on; what the file system
    /// reports.
    pub fn recover(&self, from: RecoverFrom) -> Result<Recovery<V>, StorageError> {
        Recovery::new(
            &self.vfs,
            &self.dir,
            &self.id,
            &self.segments,
            self.durable,
            from,
        )
    }

    /// Reads every file of the log to its end, also what no recovery would need, and returns what
    /// is damaged, one entry a file.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn verify(&self) -> Result<Vec<StorageError>, StorageError> {
        verify(&self.vfs, &self.dir, &self.id, &self.segments, self.durable)
    }

    /// Begins a checkpoint of the state after `covers`. The writer is independent of the log,
    /// which may be appended to meanwhile; one at a time.
    ///
    /// # Errors
    /// `NotDurable` if `covers` was not synced; what the file system reports. The log is not
    /// poisoned.
    pub fn checkpoint(&self, covers: LogPosition) -> Result<CheckpointWriter<V>, StorageError> {
        if covers.0 > self.durable {
            let kind = StorageErrorKind::NotDurable {
                asked: covers.0,
                durable: self.durable,
            };
            return Err(StorageError::new(kind, &self.dir, ""));
        }
        CheckpointWriter::new(&self.vfs, &self.dir, &self.id, covers)
    }

    /// The last batch that is known to be on disk.
    pub fn durable(&self) -> LogPosition {
        LogPosition(self.durable)
    }

    /// The last batch that was appended.
    pub fn end(&self) -> LogPosition {
        LogPosition(self.end)
    }

    /// Whether a failed write or sync keeps the log from being written.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    /// The id that the log was begun with.
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What [`open`](Self::open) put right.
    pub fn repairs(&self) -> &[Repair] {
        &self.repairs
    }

    /// The positions that checkpoints cover, ascending. None was read.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn checkpoints(&self) -> Result<Vec<LogPosition>, StorageError> {
        Ok(list(&self.vfs, &self.dir)?
            .checkpoints
            .into_iter()
            .map(LogPosition)
            .collect())
    }

    fn rotate(&mut self) -> Result<(), StorageError> {
        // The new file's header says that everything before it is on disk.
        self.sync()?;
        let next = self.last().sequence + 1;
        let begun = self.begin_segment(next, self.end);
        self.poisoned = begun.is_err();
        begun
    }

    fn begin_segment(&mut self, sequence: u64, durable: u64) -> Result<(), StorageError> {
        let segment = Segment {
            sequence,
            first: durable + 1,
            durable,
        };
        let path = segment_path(&self.dir, sequence);
        self.file = publish(&self.vfs, &path, &segment_header(&self.id, &segment))?;
        self.segments.push(segment);
        self.len_bytes = SEGMENT_HEADER_BYTES;
        self.durable_bytes = SEGMENT_HEADER_BYTES;
        Ok(())
    }

    fn last(&self) -> Segment {
        self.segments.last().copied().unwrap_or(Segment {
            sequence: 0,
            first: 1,
            durable: 0,
        })
    }

    fn check_poison(&self) -> Result<(), StorageError> {
        if self.poisoned {
            return Err(StorageError::new(StorageErrorKind::Poisoned, &self.dir, ""));
        }
        Ok(())
    }

    fn poison(&mut self, action: &'static str, error: io::Error) -> StorageError {
        self.poisoned = true;
        StorageError::io(
            action,
            &segment_path(&self.dir, self.last().sequence),
            error,
        )
    }
}

fn cut_file<V: Vfs>(file: &mut V::File, path: &Path, len_bytes: u64) -> Result<(), StorageError> {
    file.truncate(len_bytes)
        .map_err(|error| StorageError::io("truncate", path, error))?;
    file.sync()
        .map_err(|error| StorageError::io("sync", path, error))
}

/// Makes a directory that is missing, and its name durable. That it is there proves nothing: an
/// earlier attempt may have failed before the sync.
pub(crate) fn make_dir<V: Vfs>(vfs: &V, dir: &Path) -> Result<(), StorageError> {
    match vfs.create_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(StorageError::io("create", dir, error))
        }
        _ => sync_dir(vfs, dir.parent().unwrap_or(Path::new(""))),
    }
}
