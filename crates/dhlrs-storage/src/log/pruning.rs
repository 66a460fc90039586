//! Forgetting what a checkpoint covers.

use std::io;
use std::path::PathBuf;

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

/// Finds out what a log can do without; see [`Log::check_prune`].
#[derive(Debug)]
pub struct PruneCheck<V: Vfs> {
    vfs: V,
    dir: PathBuf,
    id: [u8; 16],
    // Those that would let something go, the newest first.
    candidates: Vec<u64>,
}

/// A checkpoint of a log that was read and is good, so that what is older can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prunable {
    id: [u8; 16],
    covers: u64,
}

impl<V: Vfs> PruneCheck<V> {
    /// Reads the checkpoint that is to stay, or one before it if that is damaged. `None` if there is
    /// nothing to remove.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn run(self) -> Result<Option<Prunable>, StorageError> {
        for covers in self.candidates {
            match checkpoint::verify(&self.vfs, &self.dir, &self.id, covers) {
                Ok(()) => {
                    let id = self.id;
                    return Ok(Some(Prunable { id, covers }));
                }
                Err(error) if error.is_damage() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

impl<V: Vfs> Log<V> {
    /// Removes what is not needed to recover the state at `keep` and every batch after it: the
    /// newest good checkpoint at or before `keep` stays, older ones and the segments wholly
    /// before it go. Without one nothing is removed. May stop anywhere and be called again.
    ///
    /// Cost: reads the checkpoint that stays, if there is anything to remove. Who must not wait for
    /// that takes the steps one by one: [`check_prune`](Self::check_prune), [`PruneCheck::run`],
    /// [`remove_prunable`](Self::remove_prunable).
    ///
    /// # Errors
    /// What the file system reports. The log is not poisoned.
    pub fn prune(&mut self, keep: LogPosition) -> Result<Pruned, StorageError> {
        match self.check_prune(keep)?.run()? {
            Some(prunable) => self.remove_prunable(prunable),
            None => Ok(Pruned::default()),
        }
    }

    /// The first step of [`prune`](Self::prune), and a cheap one. The check reads a checkpoint and
    /// is independent of the log, which may be appended to meanwhile.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn check_prune(&self, keep: LogPosition) -> Result<PruneCheck<V>, StorageError> {
        let checkpoints = list(&self.vfs, &self.dir)?.checkpoints;
        let lets_go = |covers: &u64| {
            let frees_segments = self
                .segments
                .get(1)
                .is_some_and(|second| second.first <= covers + 1);
            frees_segments || checkpoints.first().is_some_and(|oldest| oldest < covers)
        };
        let candidates = checkpoints.iter().rev().filter(|covers| **covers <= keep.0);
        Ok(PruneCheck {
            vfs: self.vfs.clone(),
            dir: self.dir.clone(),
            id: self.id,
            candidates: candidates.copied().take_while(lets_go).collect(),
        })
    }

    /// The last step of [`prune`](Self::prune): removes files, and syncs the directory.
    ///
    /// # Errors
    /// What the file system reports. The log is not poisoned.
    pub fn remove_prunable(&mut self, prunable: Prunable) -> Result<Pruned, StorageError> {
        let mut pruned = Pruned::default();
        let checkpoints = list(&self.vfs, &self.dir)?.checkpoints;
        let base = prunable.covers;
        if prunable.id != self.id || !checkpoints.contains(&base) {
            return Ok(pruned);
        }
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
