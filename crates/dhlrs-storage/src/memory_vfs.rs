//! The twin of the operating system: forgets and fails where it is told to.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::memory_disk::{Disk, Operation};
use crate::vfs::{LockAttempt, Vfs, VfsCounts, VfsEntry, VfsFile};

/// A disk in memory that forgets what was not synced, and fails where it is told to.
///
/// It keeps what a program sees apart from what a loss of power leaves. Clones are handles to the
/// same disk; [`duplicate`](Self::duplicate) makes another disk. Behaviour is a function of the
/// calls and of the seeds given, so a failing history repeats.
///
/// ```
/// use std::path::Path;
/// use dhlrs_storage::{MemoryVfs, Survival, Vfs, VfsFile};
///
/// let disk = MemoryVfs::new();
/// let mut file = disk.create(Path::new("a"))?;
/// file.append(b"synced")?;
/// file.sync()?;
/// disk.sync_dir(Path::new(""))?;
/// file.append(b" not synced")?;
/// disk.power_loss(Survival::SyncedOnly);
/// assert_eq!(disk.read(Path::new("a"))?, b"synced");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct MemoryVfs {
    disk: Arc<Mutex<Disk>>,
}

/// A file opened through [`MemoryVfs`]. A loss of power makes it useless: every call fails.
#[derive(Debug)]
pub struct MemoryFile {
    vfs: MemoryVfs,
    inode: u64,
    boot: u64,
}

/// A lock of a [`MemoryVfs`].
#[derive(Debug)]
pub struct MemoryLock {
    vfs: MemoryVfs,
    path: PathBuf,
    boot: u64,
}

/// How one operation is to fail. An operation that the fault does not fit succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// `StorageFull` from anything that needs room; nothing happens.
    Full,
    /// An error from any operation. An append has written all of its bytes all the same; other
    /// operations do nothing; a sync loses what it should have saved, as [`Sync`](Self::Sync).
    Io,
    /// An append writes half of its bytes and fails.
    ShortWrite,
    /// A sync fails, and what it should have saved counts as clean from then on: it is seen until
    /// power is lost, and a later sync that succeeds does not save it.
    Sync,
}

/// What is left after a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survival {
    /// What was synced, nothing else.
    SyncedOnly,
    /// What was synced, and of the rest what the seed picks: names one by one, files up to any
    /// length with any of their sectors of [`SECTOR_BYTES`] missing (they read as zeros).
    Torn {
        /// Decides everything.
        seed: u64,
    },
}

/// The unit that a disk writes whole or not at all.
pub const SECTOR_BYTES: u64 = 512;

impl MemoryVfs {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another disk that holds the same, durable or not. Planned faults and locks stay behind,
    /// and no open file belongs to it.
    pub fn duplicate(&self) -> Self {
        let mut disk = self.disk().clone();
        disk.faults.clear();
        disk.locks.clear();
        Self {
            disk: Arc::new(Mutex::new(disk)),
        }
    }

    /// Makes the operation with this number fail; see [`VfsCounts::operations`], the next one is
    /// that + 1.
    pub fn fail(&self, operation: u64, fault: Fault) {
        self.disk().faults.insert(operation, fault);
    }

    /// Takes back every planned fault that did not come yet.
    pub fn heal(&self) {
        self.disk().faults.clear();
    }

    /// Limits the bytes in all files together; `None` takes the limit away. An append that does
    /// not fit writes what does, and fails with `StorageFull`.
    pub fn set_capacity_bytes(&self, capacity_bytes: Option<u64>) {
        self.disk().capacity_bytes = capacity_bytes;
    }

    /// Cuts the power: what was not synced is gone, open files and locks are dead.
    pub fn power_loss(&self, survival: Survival) {
        self.disk().power_loss(survival);
    }

    /// All of a file, without counting as an operation.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut disk = self.disk();
        let inode = disk.file_at(&parts(path))?;
        Ok(disk.file(inode)?.content.clone())
    }

    /// Replaces all of a file, durably, without counting as an operation: what bit rot, a restored
    /// backup or a person may do.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn overwrite(&self, path: &Path, content: Vec<u8>) -> io::Result<()> {
        let mut disk = self.disk();
        let inode = disk.file_at(&parts(path))?;
        disk.file(inode)?.overwrite(content);
        Ok(())
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        // Each change of the disk is complete when a panic could come, so its state is good.
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, disk: &mut Disk, inode: u64) -> MemoryFile {
        disk.hold(inode);
        MemoryFile {
            vfs: self.clone(),
            inode,
            boot: disk.boot,
        }
    }
}

impl Vfs for MemoryVfs {
    type File = MemoryFile;
    type Lock = MemoryLock;

    fn create(&self, path: &Path) -> io::Result<MemoryFile> {
        let mut disk = self.disk();
        disk.begin(Operation::Create)?;
        let inode = disk.create(&parts(path))?;
        Ok(self.handle(&mut disk, inode))
    }

    fn open(&self, path: &Path) -> io::Result<MemoryFile> {
        let mut disk = self.disk();
        disk.begin(Operation::Open)?;
        let inode = disk.file_at(&parts(path))?;
        Ok(self.handle(&mut disk, inode))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.begin(Operation::Rename)?;
        disk.rename(&parts(from), &parts(to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.begin(Operation::Remove)?;
        disk.remove(&parts(path))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<VfsEntry>> {
        let mut disk = self.disk();
        disk.begin(Operation::List)?;
        disk.list(&parts(dir))
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.begin(Operation::CreateDir)?;
        disk.create_dir(&parts(dir))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.begin(Operation::SyncDir)?;
        disk.sync_dir(&parts(dir))
    }

    fn lock(&self, path: &Path) -> io::Result<LockAttempt<MemoryLock>> {
        let mut disk = self.disk();
        disk.begin(Operation::Lock)?;
        let steps = parts(path);
        if disk.file_at(&steps).is_err() {
            disk.create(&steps)?;
        }
        let holder = std::process::id();
        if let Some(holder) = disk.locks.get(path) {
            return Ok(LockAttempt::Busy {
                holder: Some(*holder),
            });
        }
        disk.locks.insert(path.to_path_buf(), holder);
        let boot = disk.boot;
        Ok(LockAttempt::Held(MemoryLock {
            vfs: self.clone(),
            path: path.to_path_buf(),
            boot,
        }))
    }

    fn counts(&self) -> VfsCounts {
        self.disk().counts
    }
}

impl fmt::Debug for MemoryVfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not what is on it: nobody wants to read that.
        f.debug_struct("MemoryVfs")
            .field("counts", &self.disk().counts)
            .finish_non_exhaustive()
    }
}

impl MemoryFile {
    fn disk(&self, operation: Operation) -> io::Result<MutexGuard<'_, Disk>> {
        let mut disk = self.vfs.disk();
        if disk.boot != self.boot {
            return Err(io::Error::other(
                "the file was opened before the power was lost",
            ));
        }
        disk.begin(operation)?;
        Ok(disk)
    }
}

impl VfsFile for MemoryFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.disk(Operation::Append(bytes.len()))?;
        disk.append(self.inode, bytes)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut disk = self.disk(Operation::Read)?;
        let content = &disk.file(self.inode)?.content;
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(content.len());
        let rest = content.get(start..).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..read), rest.get(..read)) {
            to.copy_from_slice(from);
        }
        Ok(read)
    }

    fn truncate(&mut self, len_bytes: u64) -> io::Result<()> {
        let mut disk = self.disk(Operation::Truncate)?;
        disk.file(self.inode)?
            .truncate(usize::try_from(len_bytes).unwrap_or(usize::MAX));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.disk(Operation::Sync(self.inode))?;
        disk.file(self.inode)?.sync();
        Ok(())
    }

    fn len_bytes(&mut self) -> io::Result<u64> {
        let mut disk = self.disk(Operation::Read)?;
        Ok(disk.file(self.inode)?.content.len() as u64)
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        let mut disk = self.vfs.disk();
        if disk.boot == self.boot {
            disk.let_go(self.inode);
        }
    }
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        let mut disk = self.vfs.disk();
        if disk.boot == self.boot {
            disk.locks.remove(&self.path);
        }
    }
}

fn parts(path: &Path) -> Vec<String> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect()
}

pub(crate) type Locks = BTreeMap<PathBuf, u32>;
