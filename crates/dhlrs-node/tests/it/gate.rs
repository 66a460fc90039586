//! A disk in memory on which reading a checkpoint takes as long as a test wants.

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use dhlrs_storage::{
    LockAttempt, MemoryFile, MemoryLock, MemoryVfs, Vfs, VfsCounts, VfsEntry, VfsFile,
};

/// Reads of checkpoints wait while it is shut.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_shut: bool,
    waiting: usize,
}

impl Gate {
    pub(crate) fn shut(&self, is_shut: bool) {
        self.state.lock().unwrap().is_shut = is_shut;
        self.changed.notify_all();
    }

    /// How many reads wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state.lock().unwrap().waiting
    }

    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.waiting += 1;
        let mut state = self
            .changed
            .wait_while(state, |state| state.is_shut)
            .unwrap();
        state.waiting -= 1;
    }
}

#[derive(Debug, Clone)]
pub(crate) struct GatedVfs {
    pub(crate) disk: MemoryVfs,
    pub(crate) gate: Arc<Gate>,
}

#[derive(Debug)]
pub(crate) struct GatedFile {
    file: MemoryFile,
    gate: Option<Arc<Gate>>,
}

impl Vfs for GatedVfs {
    type File = GatedFile;
    type Lock = MemoryLock;

    fn create(&self, path: &Path) -> io::Result<GatedFile> {
        let file = self.disk.create(path)?;
        Ok(GatedFile { file, gate: None })
    }

    fn open(&self, path: &Path) -> io::Result<GatedFile> {
        let file = self.disk.open(path)?;
        let is_checkpoint = path.extension().is_some_and(|is| is == "checkpoint");
        let gate = is_checkpoint.then(|| self.gate.clone());
        Ok(GatedFile { file, gate })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<VfsEntry>> {
        self.disk.list(dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<LockAttempt<MemoryLock>> {
        self.disk.lock(path)
    }

    fn counts(&self) -> VfsCounts {
        self.disk.counts()
    }
}

impl VfsFile for GatedFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.append(bytes)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(gate) = &self.gate {
            gate.pass();
        }
        self.file.read_at(offset, buffer)
    }

    fn truncate(&mut self, len_bytes: u64) -> io::Result<()> {
        self.file.truncate(len_bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }

    fn len_bytes(&mut self) -> io::Result<u64> {
        self.file.len_bytes()
    }
}
