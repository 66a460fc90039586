//! Reading a log back.

use std::path::{Path, PathBuf};

use crate::checkpoint::{self, CheckpointReader};
use crate::error::{StorageError, StorageErrorKind};
use crate::frame::Records;
use crate::position::LogPosition;
use crate::reader::{Found, SegmentReader};
use crate::segment::{Segment, list, read_segment_header, seed, segment_path};
use crate::vfs::Vfs;

/// Which checkpoint a recovery starts at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoverFrom {
    /// The newest good one: the least to read.
    Newest,
    /// The oldest good one, or none while the log still has its first batch: the most batches, for
    /// who wants the changes as well as the state.
    Oldest,
}

/// Reads a log back in pieces of bounded size: the chunks of one checkpoint in order, then batch
/// after batch. After an error it ends.
pub struct Recovery<V: Vfs> {
    vfs: V,
    dir: PathBuf,
    seed: u32,
    covers: u64,
    checkpoint: Option<CheckpointReader<V>>,
    // Those not begun yet, the next one last.
    segments: Vec<Segment>,
    reader: Option<SegmentReader<V>>,
    // The number that the next batch must have, whether it is handed out or not.
    expected: u64,
    end: u64,
    skipped: Vec<StorageError>,
}

/// One piece of a log.
#[derive(Debug, Clone)]
pub enum Recovered<'a> {
    /// A chunk of the checkpoint.
    Chunk(&'a [u8]),
    /// A batch after it.
    Batch {
        /// Its position.
        position: LogPosition,
        /// Its records.
        records: Records<'a>,
    },
}

impl<V: Vfs> Recovery<V> {
    pub(crate) fn new(
        vfs: &V,
        dir: &Path,
        id: &[u8; 16],
        segments: &[Segment],
        end: u64,
        from: RecoverFrom,
    ) -> Result<Self, StorageError> {
        let log_first = segments.first().map_or(1, |segment| segment.first);
        let mut candidates = list(vfs, dir)?.checkpoints;
        if from == RecoverFrom::Newest {
            candidates.reverse();
        }
        let mut skipped = Vec::new();
        let mut base = None;
        for covers in candidates {
            // An older one cannot be used once its log is pruned.
            if covers + 1 < log_first {
                continue;
            }
            match checkpoint::verify(vfs, dir, id, covers) {
                Ok(()) => {
                    base = Some((covers, CheckpointReader::open(vfs, dir, id, covers)?));
                    break;
                }
                Err(error) if error.is_damage() => {
                    skipped.push(error);
                }
                Err(error) => return Err(error),
            }
        }
        if base.is_none() && log_first > 1 {
            let missing = || {
                let detail = "it begins after the first batch, and there is no checkpoint";
                StorageError::corrupt(dir, 0, detail)
            };
            return Err(skipped.into_iter().next().unwrap_or_else(missing));
        }
        let (covers, checkpoint) = match base {
            Some((covers, reader)) => (covers, Some(reader)),
            None => (0, None),
        };
        let mut recovery = Self {
            vfs: vfs.clone(),
            dir: dir.to_path_buf(),
            seed: seed(id),
            covers: 0,
            checkpoint: None,
            segments: Vec::new(),
            reader: None,
            expected: 1,
            end: covers,
            skipped,
        };
        // The state before the first batch is an older one still, if all batches since are there.
        if from == RecoverFrom::Oldest && log_first == 1 && covers > 0 {
            recovery.start_after(0, segments);
            match recovery.read_through() {
                Ok(()) => {
                    recovery.start_after(0, segments);
                    recovery.end = end;
                    return Ok(recovery);
                }
                Err(error) if matches!(error.kind(), StorageErrorKind::Corrupt { .. }) => {
                    recovery.skipped.push(error);
                }
                Err(error) => return Err(error),
            }
        }
        recovery.start_after(covers, segments);
        recovery.checkpoint = checkpoint;
        recovery.end = end;
        Ok(recovery)
    }

    /// Begins at the last segment that begins at or before the first batch wanted.
    fn start_after(&mut self, covers: u64, segments: &[Segment]) {
        let start = segments
            .iter()
            .rposition(|segment| segment.first <= covers + 1);
        let wanted = segments.get(start.unwrap_or(0)..).unwrap_or_default();
        self.covers = covers;
        self.segments = wanted.iter().rev().copied().collect();
        self.reader = None;
        self.expected = wanted.first().map_or(1, |segment| segment.first);
    }

    fn read_through(&mut self) -> Result<(), StorageError> {
        while self.next_piece()?.is_some() {}
        Ok(())
    }

    /// The position that the checkpoint covers; 0 without one.
    pub fn covers(&self) -> LogPosition {
        LogPosition(self.covers)
    }

    /// The position after the last batch that this will return.
    pub fn end(&self) -> LogPosition {
        LogPosition(self.end)
    }

    /// What is damaged and was passed over: checkpoints, or the log before the oldest one.
    pub fn skipped(&self) -> &[StorageError] {
        &self.skipped
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// `Corrupt` with file and offset for what was damaged; `Missing` if the log was pruned
    /// meanwhile; what the file system reports.
    pub fn next_piece(&mut self) -> Result<Option<Recovered<'_>>, StorageError> {
        if let Some(checkpoint) = self.checkpoint.as_mut() {
            if checkpoint.advance()? {
                let chunk = self.checkpoint.as_ref().map(CheckpointReader::chunk);
                return Ok(chunk.map(Recovered::Chunk));
            }
            self.checkpoint = None;
        }
        loop {
            if self.expected > self.end {
                return Ok(None);
            }
            let Some(reader) = self.reader.as_mut() else {
                self.begin_segment()?;
                continue;
            };
            // A later segment replaces what it has the numbers of.
            if self
                .segments
                .last()
                .is_some_and(|next| next.first <= self.expected)
            {
                self.reader = None;
                continue;
            }
            let Found::Frame(header) = reader.next()? else {
                return Err(
                    reader.corrupt(reader.offset(), "batches that were on disk are missing")
                );
            };
            self.expected += 1;
            if header.number > self.covers {
                let position = LogPosition(header.number);
                let records = self.reader.as_ref().map(|reader| reader.records(&header));
                return Ok(records.map(|records| Recovered::Batch { position, records }));
            }
        }
    }

    fn begin_segment(&mut self) -> Result<(), StorageError> {
        let Some(segment) = self.segments.pop() else {
            let detail = "batches that were on disk are missing";
            return Err(StorageError::corrupt(&self.dir, 0, detail));
        };
        let path = segment_path(&self.dir, segment.sequence);
        if segment.first != self.expected {
            return Err(StorageError::corrupt(
                &path,
                0,
                "the batches before it are missing",
            ));
        }
        self.reader = Some(SegmentReader::open(
            &self.vfs,
            path,
            self.seed,
            segment.first,
        )?);
        Ok(())
    }
}

/// Every damaged file of a log.
pub(crate) fn verify<V: Vfs>(
    vfs: &V,
    dir: &Path,
    id: &[u8; 16],
    segments: &[Segment],
    end: u64,
) -> Result<Vec<StorageError>, StorageError> {
    let mut damaged = Vec::new();
    let mut note = |checked: Result<(), StorageError>| match checked {
        Err(error) if error.is_damage() => {
            damaged.push(error);
            Ok(())
        }
        checked => checked,
    };
    for covers in list(vfs, dir)?.checkpoints {
        note(checkpoint::verify(vfs, dir, id, covers))?;
    }
    let ends = segments
        .iter()
        .skip(1)
        .map(|next| next.first - 1)
        .chain([end]);
    for (segment, end) in segments.iter().zip(ends) {
        note(verify_segment(vfs, dir, id, segment, end))?;
    }
    Ok(damaged)
}

/// Reads a segment up to the batch that the next one begins after.
pub(crate) fn verify_segment<V: Vfs>(
    vfs: &V,
    dir: &Path,
    id: &[u8; 16],
    segment: &Segment,
    end: u64,
) -> Result<(), StorageError> {
    let (found_id, found) = read_segment_header(vfs, dir, segment.sequence)?;
    let path = segment_path(dir, segment.sequence);
    if (found_id, found) != (*id, *segment) {
        return Err(StorageError::corrupt(
            &path,
            16,
            "it does not belong to this log",
        ));
    }
    let mut reader = SegmentReader::open(vfs, path, seed(id), segment.first)?;
    while reader.expected() <= end {
        let Found::Frame(_) = reader.next()? else {
            return Err(reader.corrupt(reader.offset(), "batches that were on disk are missing"));
        };
    }
    Ok(())
}

impl<V: Vfs> std::fmt::Debug for Recovery<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recovery")
            .field("dir", &self.dir)
            .field("covers", &self.covers)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
