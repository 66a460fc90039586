//! Forgetting what a checkpoint covers.

use std::io;

use super::Log;
use crate::checkpoint;
use crate::error::StorageError;
use crate::position::LogPosition;
use crate::segment::{list, remove, segment_path, sync_dir};
use crate::vfs::Vfs;

/// What [`Log::prune`] removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Segment files.
    pub segments: u64,
    /// Checkpoint files.
    pub checkpoints: u64,
}

impl<V: Vfs> Log<V> {
    /// Removes what is not needed to recover the state at `keep` and every batch after it: the
    /// newest good checkpoint at or before `keep` stays, older ones and the segments wholly
    /// before it go. Without one nothing is removed. May stop anywhere and be called again.
    ///
    /// Cost: reads the checkpoint that stays, if there is anything to remove.
    ///
    /// # Errors
    /// What the file system reports. The log is not poisoned.
    pub fn prune(&mut self, keep: LogPosition) -> Result<Pruned, StorageError> {
        let mut pruned = Pruned::default();
        let checkpoints = list(&self.vfs, &self.dir)?.checkpoints;
        let candidates = checkpoints.iter().rev().filter(|covers| **covers <= keep.0);
        let mut base = None;
        for covers in candidates {
            let removable = checkpoints.iter().any(|older| older < covers)
                || self
                    .segments
                    .get(1)
                    .is_some_and(|second| second.first <= covers + 1);
            if !removable {
                return Ok(pruned);
            }
            match checkpoint::verify(&self.vfs, &self.dir, &self.id, *covers) {
                Ok(()) => {
                    base = Some(*covers);
                    break;
                }
                Err(error) if error.is_damage() => {}
                Err(error) => return Err(error),
            }
        }
        let Some(base) = base else {
            return Ok(pruned);
        };
        // The checkpoints first, and durably: one of them must not be left without its log.
        for covers in checkpoints.iter().filter(|covers| **covers < base) {
            remove(&self.vfs, &checkpoint::path(&self.dir, *covers))?;
            pruned.checkpoints += 1;
        }
        if pruned.checkpoints > 0 {
            sync_dir(&self.vfs, &self.dir)?;
        }
        while self
            .segments
            .get(1)
            .is_some_and(|second| second.first <= base + 1)
        {
            let sequence = self.segments.first().map_or(0, |segment| segment.sequence);
            let removed = self.vfs.remove(&segment_path(&self.dir, sequence));
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    let path = segment_path(&self.dir, sequence);
                    return Err(StorageError::io("remove", &path, error));
                }
                _ => self.segments.remove(0),
            };
            pruned.segments += 1;
        }
        if pruned.segments > 0 {
            sync_dir(&self.vfs, &self.dir)?;
        }
        Ok(pruned)
    }
}
