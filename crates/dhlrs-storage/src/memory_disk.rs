//! What a disk in memory holds, and what of it survives.

use std::collections::BTreeMap;
use std::io;

use crate::memory_vfs::{Fault, Locks, SECTOR_BYTES, Survival};
use crate::splitmix::SplitMix64;
use crate::vfs::{VfsCounts, VfsEntry};

/// The state behind a `MemoryVfs`.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    // Files opened at another boot are dead.
    pub(crate) boot: u64,
    pub(crate) counts: VfsCounts,
    pub(crate) faults: BTreeMap<u64, Fault>,
    pub(crate) capacity_bytes: Option<u64>,
    pub(crate) locks: Locks,
    next_inode: u64,
    files: BTreeMap<u64, FileState>,
    dirs: BTreeMap<u64, DirState>,
    // Set by `begin` for the operation that carries it out.
    pending_fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Open,
    Rename,
    Remove,
    List,
    CreateDir,
    SyncDir,
    Lock,
    Append(usize),
    Read,
    Truncate,
    Sync(u64),
}

/// What the disk holds of this file is `content[..saved]`, with zeros for what is `lost`, then
/// `cut`.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileState {
    pub(crate) content: Vec<u8>,
    saved: usize,
    cut: Vec<u8>,
    // Ranges that a failed sync left clean and unsaved.
    lost: Vec<(usize, usize)>,
    handles: usize,
}

#[derive(Debug, Clone, Default)]
struct DirState {
    current: BTreeMap<String, Entry>,
    saved: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    inode: u64,
    is_dir: bool,
}

const ROOT: u64 = 0;

impl Default for Disk {
    fn default() -> Self {
        Self {
            boot: 0,
            counts: VfsCounts::default(),
            faults: BTreeMap::new(),
            capacity_bytes: None,
            locks: Locks::new(),
            next_inode: 1,
            files: BTreeMap::new(),
            dirs: BTreeMap::from([(ROOT, DirState::default())]),
            pending_fault: None,
        }
    }
}

impl Disk {
    /// Counts the operation, and fails it if that was planned.
    pub(crate) fn begin(&mut self, operation: Operation) -> io::Result<()> {
        self.counts.operations += 1;
        match operation {
            Operation::Append(bytes) => {
                self.counts.appends += 1;
                self.counts.appended_bytes += bytes as u64;
            }
            Operation::Sync(_) => self.counts.syncs += 1,
            Operation::SyncDir => self.counts.dir_syncs += 1,
            _ => {}
        }
        self.pending_fault = None;
        let Some(fault) = self.faults.remove(&self.counts.operations) else {
            return Ok(());
        };
        let syncs = matches!(operation, Operation::Sync(_) | Operation::SyncDir);
        let grows = matches!(
            operation,
            Operation::Create | Operation::CreateDir | Operation::Append(_) | Operation::Rename
        );
        match (fault, operation) {
            (Fault::Full, _) if grows || syncs => {
                self.lose_unsaved(operation);
                Err(full())
            }
            (Fault::Io | Fault::ShortWrite, Operation::Append(_)) => {
                self.pending_fault = Some(fault);
                Ok(())
            }
            (Fault::Io, _) => {
                self.lose_unsaved(operation);
                Err(io::Error::other("planned fault"))
            }
            (Fault::Sync, _) if syncs => {
                self.lose_unsaved(operation);
                Err(io::Error::other("planned fault of a sync"))
            }
            _ => Ok(()),
        }
    }

    fn lose_unsaved(&mut self, operation: Operation) {
        if let Operation::Sync(inode) = operation
            && let Some(file) = self.files.get_mut(&inode)
        {
            file.lose_unsaved();
        }
    }

    pub(crate) fn append(&mut self, inode: u64, bytes: &[u8]) -> io::Result<()> {
        let fault = self.pending_fault.take();
        let room = match self.capacity_bytes {
            None => usize::MAX,
            Some(capacity) => {
                let used: u64 = self
                    .files
                    .values()
                    .map(|file| file.content.len() as u64)
                    .sum();
                usize::try_from(capacity.saturating_sub(used)).unwrap_or(usize::MAX)
            }
        };
        let wanted = if fault == Some(Fault::ShortWrite) {
            bytes.len() / 2
        } else {
            bytes.len()
        };
        let written = bytes.get(..wanted.min(room)).unwrap_or_default();
        self.file(inode)?.content.extend_from_slice(written);
        if written.len() < wanted {
            return Err(full());
        }
        match fault {
            Some(Fault::ShortWrite) => Err(io::Error::new(io::ErrorKind::WriteZero, "short write")),
            Some(_) => Err(io::Error::other("planned fault of a write")),
            None => Ok(()),
        }
    }

    pub(crate) fn file(&mut self, inode: u64) -> io::Result<&mut FileState> {
        self.files.get_mut(&inode).ok_or_else(missing)
    }

    pub(crate) fn hold(&mut self, inode: u64) {
        if let Some(file) = self.files.get_mut(&inode) {
            file.handles += 1;
        }
    }

    pub(crate) fn let_go(&mut self, inode: u64) {
        if let Some(file) = self.files.get_mut(&inode) {
            file.handles = file.handles.saturating_sub(1);
            self.collect(inode);
        }
    }

    pub(crate) fn file_at(&self, path: &[String]) -> io::Result<u64> {
        let (name, dir) = path.split_last().ok_or_else(missing)?;
        let dir = self.dirs.get(&self.dir_at(dir)?).ok_or_else(missing)?;
        match dir.current.get(name) {
            Some(entry) if !entry.is_dir => Ok(entry.inode),
            Some(_) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(missing()),
        }
    }

    pub(crate) fn create(&mut self, path: &[String]) -> io::Result<u64> {
        let (name, dir) = path.split_last().ok_or_else(missing)?;
        let dir = self.dir_at(dir)?;
        match self.dir(dir)?.current.get(name) {
            Some(entry) if entry.is_dir => return Err(io::ErrorKind::IsADirectory.into()),
            Some(entry) => {
                let inode = entry.inode;
                self.file(inode)?.truncate(0);
                return Ok(inode);
            }
            None => {}
        }
        let inode = self.new_inode();
        self.files.insert(inode, FileState::default());
        self.dir(dir)?.current.insert(
            name.clone(),
            Entry {
                inode,
                is_dir: false,
            },
        );
        Ok(inode)
    }

    pub(crate) fn create_dir(&mut self, path: &[String]) -> io::Result<()> {
        let Some((name, dir)) = path.split_last() else {
            return Err(io::ErrorKind::AlreadyExists.into());
        };
        let dir = self.dir_at(dir)?;
        if self.dir(dir)?.current.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = self.new_inode();
        self.dirs.insert(inode, DirState::default());
        self.dir(dir)?.current.insert(
            name.clone(),
            Entry {
                inode,
                is_dir: true,
            },
        );
        Ok(())
    }

    pub(crate) fn rename(&mut self, from: &[String], to: &[String]) -> io::Result<()> {
        let inode = self.file_at(from)?;
        let (to_name, to_dir) = to.split_last().ok_or_else(missing)?;
        let to_dir = self.dir_at(to_dir)?;
        if self
            .dir(to_dir)?
            .current
            .get(to_name)
            .is_some_and(|entry| entry.is_dir)
        {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let (from_name, from_dir) = from.split_last().ok_or_else(missing)?;
        let from_dir = self.dir_at(from_dir)?;
        self.dir(from_dir)?.current.remove(from_name);
        let entry = Entry {
            inode,
            is_dir: false,
        };
        if let Some(old) = self.dir(to_dir)?.current.insert(to_name.clone(), entry) {
            self.collect(old.inode);
        }
        Ok(())
    }

    pub(crate) fn remove(&mut self, path: &[String]) -> io::Result<()> {
        let inode = self.file_at(path)?;
        let (name, dir) = path.split_last().ok_or_else(missing)?;
        let dir = self.dir_at(dir)?;
        self.dir(dir)?.current.remove(name);
        self.collect(inode);
        Ok(())
    }

    pub(crate) fn list(&mut self, path: &[String]) -> io::Result<Vec<VfsEntry>> {
        let dir = self.dir_at(path)?;
        let entries = self.dir(dir)?.current.iter();
        Ok(entries
            .map(|(name, entry)| VfsEntry {
                name: name.clone(),
                is_dir: entry.is_dir,
            })
            .collect())
    }

    pub(crate) fn sync_dir(&mut self, path: &[String]) -> io::Result<()> {
        let dir = self.dir_at(path)?;
        let state = self.dir(dir)?;
        let old = std::mem::replace(&mut state.saved, state.current.clone());
        let gone = old
            .iter()
            .filter(|(name, entry)| state.saved.get(*name) != Some(entry));
        let gone: Vec<u64> = gone.map(|(_, entry)| entry.inode).collect();
        for inode in gone {
            self.collect(inode);
        }
        Ok(())
    }

    pub(crate) fn power_loss(&mut self, survival: Survival) {
        self.boot += 1;
        self.faults.clear();
        self.locks.clear();
        let mut random = match survival {
            Survival::SyncedOnly => None,
            Survival::Torn { seed } => Some(SplitMix64::new(seed)),
        };
        for dir in self.dirs.values_mut() {
            if let Some(random) = &mut random {
                dir.keep_some(random);
            }
            dir.current.clone_from(&dir.saved);
        }
        for file in self.files.values_mut() {
            file.handles = 0;
            file.power_loss(random.as_mut());
        }
        let inodes: Vec<u64> = self.files.keys().copied().collect();
        for inode in inodes {
            self.collect(inode);
        }
    }

    /// Frees a file that has neither a name nor a handle left.
    fn collect(&mut self, inode: u64) {
        if self.files.get(&inode).is_none_or(|file| file.handles > 0) {
            return;
        }
        let named = self.dirs.values().any(|dir| {
            dir.current
                .values()
                .chain(dir.saved.values())
                .any(|entry| entry.inode == inode)
        });
        if !named {
            self.files.remove(&inode);
        }
    }

    fn new_inode(&mut self) -> u64 {
        let inode = self.next_inode;
        self.next_inode += 1;
        inode
    }

    fn dir(&mut self, inode: u64) -> io::Result<&mut DirState> {
        self.dirs.get_mut(&inode).ok_or_else(missing)
    }

    fn dir_at(&self, path: &[String]) -> io::Result<u64> {
        let mut inode = ROOT;
        for name in path {
            let dir = self.dirs.get(&inode).ok_or_else(missing)?;
            match dir.current.get(name) {
                Some(entry) if entry.is_dir => inode = entry.inode,
                Some(_) => return Err(io::ErrorKind::NotADirectory.into()),
                None => return Err(missing()),
            }
        }
        Ok(inode)
    }
}

impl FileState {
    pub(crate) fn truncate(&mut self, len: usize) {
        if len < self.saved {
            // Cut bytes come back unless a sync confirms the cut.
            let mut cut = self.durable_part(len);
            cut.append(&mut self.cut);
            self.cut = cut;
            self.saved = len;
        }
        self.content.truncate(len);
        self.lost.retain_mut(|(start, end)| {
            *end = len.min(*end);
            *start < *end
        });
    }

    pub(crate) fn sync(&mut self) {
        self.saved = self.content.len();
        self.cut.clear();
    }

    pub(crate) fn overwrite(&mut self, content: Vec<u8>) {
        *self = Self {
            saved: content.len(),
            content,
            handles: self.handles,
            ..Self::default()
        };
    }

    fn lose_unsaved(&mut self) {
        if self.saved < self.content.len() {
            self.lost.push((self.saved, self.content.len()));
        }
    }

    fn power_loss(&mut self, random: Option<&mut SplitMix64>) {
        let mut left = self.durable_part(0);
        let pending = self.content.get(self.saved..).unwrap_or_default();
        match random {
            None => left.extend_from_slice(&self.cut),
            // Either the cut did not reach the disk, or something after it did.
            Some(random) => {
                if random.below(2) == 0 {
                    left.extend_from_slice(&self.cut);
                    return self.overwrite(left);
                }
                let kept = random.below(pending.len() as u64 + 1);
                for (at, byte) in pending.iter().enumerate().take(kept as usize) {
                    let sector = (self.saved + at) as u64 / SECTOR_BYTES;
                    let written = random.fork(sector).below(4) != 0;
                    left.push(if written { *byte } else { 0 });
                }
            }
        }
        self.overwrite(left);
    }

    /// What the disk holds of `content[from..saved]`.
    fn durable_part(&self, from: usize) -> Vec<u8> {
        let mut part = self
            .content
            .get(from..self.saved)
            .unwrap_or_default()
            .to_vec();
        for (start, end) in &self.lost {
            let (start, end) = (start.max(&from) - from, end.saturating_sub(from));
            let end = end.min(part.len());
            if let Some(range) = part.get_mut(start..end) {
                range.fill(0);
            }
        }
        part
    }
}

impl DirState {
    fn keep_some(&mut self, random: &mut SplitMix64) {
        let names: Vec<String> = self
            .current
            .keys()
            .chain(self.saved.keys())
            .cloned()
            .collect();
        for name in names {
            if random.below(2) == 0 {
                continue;
            }
            match self.current.get(&name) {
                Some(entry) => drop(self.saved.insert(name, *entry)),
                None => drop(self.saved.remove(&name)),
            }
        }
    }
}

fn full() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "no space left on the disk")
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}
