//! The data directory of a node: format, lock, and a log for each store.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{StorageError, StorageErrorKind};
use crate::frame::checksum;
use crate::inspection::{Inspection, inspect, log_bytes};
use crate::log::{Log, LogOptions, make_dir};
use crate::salvage::Salvaged;
use crate::segment::{
    FORMAT_VERSION, TEMPORARY_SUFFIX, is_segment_name, publish, remove, sync_dir,
};
use crate::store_name::{GOES_ON, STORE_NAME_BYTES_MAX, escape, unescape};
use crate::vfs::{LockAttempt, Vfs, VfsEntry, VfsFile};

const FORMAT: &str = "FORMAT";
const LOCK: &str = "LOCK";
const IDENTITY: &str = "identity";
const STORES: &str = "stores";
const FORMAT_BYTES_MAX: usize = 64;

/// The data directory of one node, held by this process alone.
///
/// ```text
/// DIR/FORMAT                 the format version
/// DIR/LOCK                   locked while a process has the directory; holds its process id
/// DIR/identity               the node's key; this crate neither reads nor writes it
/// DIR/stores/NAME/…          one log each; NAME is escaped, so that any store name will do
/// ```
#[derive(Debug)]
pub struct DataDir<V: Vfs> {
    vfs: V,
    dir: PathBuf,
    _lock: V::Lock,
}

impl<V: Vfs> DataDir<V> {
    /// Takes the directory, making it if it is missing, the directories above it included.
    ///
    /// # Errors
    /// `Locked` if another process has it, `VersionTooNew`, `Missing` if it holds stores but no
    /// format, `Corrupt` if that cannot be read, or what the file system reports.
    pub fn open(vfs: V, dir: impl Into<PathBuf>) -> Result<Self, StorageError> {
        let dir = dir.into();
        make_dirs(&vfs, &dir)?;
        let lock = lock(&vfs, &dir)?;
        check_format(&vfs, &dir)?;
        make_dir(&vfs, &dir.join(STORES))?;
        Ok(Self {
            vfs,
            dir,
            _lock: lock,
        })
    }

    /// Takes a directory that is there already, and changes nothing in it.
    ///
    /// # Errors
    /// `Missing` if it is no data directory, `Locked`, `VersionTooNew`, `Corrupt`, or what the file
    /// system reports.
    pub fn open_existing(vfs: V, dir: impl Into<PathBuf>) -> Result<Self, StorageError> {
        let dir = dir.into();
        if !has_format(&vfs, &dir)? {
            let missing = io::Error::from(io::ErrorKind::NotFound);
            return Err(StorageError::io("open", &dir.join(FORMAT), missing));
        }
        let lock = lock(&vfs, &dir)?;
        Ok(Self {
            vfs,
            dir,
            _lock: lock,
        })
    }

    /// The names of all stores that have a log, sorted.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn stores(&self) -> Result<Vec<String>, StorageError> {
        let mut names = Vec::new();
        let mut open: Vec<Vec<String>> = vec![Vec::new()];
        while let Some(parts) = open.pop() {
            let dir = self.parts_dir(&parts);
            for entry in self.list(&dir)?.into_iter().filter(|entry| entry.is_dir) {
                let goes_on = entry.name.ends_with(GOES_ON);
                let mut parts = parts.clone();
                parts.push(entry.name);
                if goes_on && parts.len() < STORE_NAME_BYTES_MAX {
                    open.push(parts);
                } else if let Some(name) = unescape(&parts)
                    && self.holds_log(&self.parts_dir(&parts))?
                {
                    names.push(name);
                }
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Whether there is a log for this store.
    ///
    /// # Errors
    /// `BadName`; what the file system reports.
    pub fn has_store(&self, name: &str) -> Result<bool, StorageError> {
        let dir = self.store_dir(name)?;
        match self.holds_log(&dir) {
            Err(error) if error.kind() == StorageErrorKind::Missing => Ok(false),
            holds => holds,
        }
    }

    /// Opens the log of a store, or begins one; see [`Log::open`].
    ///
    /// # Errors
    /// `BadName`; as [`Log::open`].
    pub fn open_log(
        &self,
        name: &str,
        id: [u8; 16],
        options: LogOptions,
    ) -> Result<Log<V>, StorageError> {
        let dir = self.store_dir(name)?;
        make_dirs(&self.vfs, &dir)?;
        sync_names(&self.vfs, &dir, &self.dir.join(STORES))?;
        Log::open(self.vfs.clone(), dir, id, options)
    }

    /// Hands over what can be read of a damaged log; see [`Log::salvage`].
    ///
    /// # Errors
    /// `BadName`; as [`Log::salvage`].
    pub fn salvage(&self, name: &str, take: impl FnMut(Salvaged<'_>)) -> Result<(), StorageError> {
        Log::salvage(&self.vfs, &self.store_dir(name)?, take)
    }

    /// Puts a new log in the place of a damaged one; see [`Log::begin_anew`].
    ///
    /// # Errors
    /// `BadName`; as [`Log::begin_anew`].
    pub fn begin_anew(
        &self,
        name: &str,
        id: [u8; 16],
        batches: impl IntoIterator<Item = Vec<Vec<u8>>>,
    ) -> Result<(), StorageError> {
        Log::begin_anew(&self.vfs, &self.store_dir(name)?, &id, batches)
    }

    /// Reads every file of a store's log, puts nothing right and changes nothing. `read` is told
    /// the bytes of each file once it is done; [`bytes`](Self::bytes) says how many there are.
    ///
    /// # Errors
    /// `BadName`, `VersionTooNew`; what the file system reports. Damage is in the answer.
    pub fn inspect(&self, name: &str, read: impl FnMut(u64)) -> Result<Inspection, StorageError> {
        inspect(&self.vfs, &self.store_dir(name)?, read)
    }

    /// The bytes of the segments and checkpoints of a store.
    ///
    /// # Errors
    /// `BadName`; what the file system reports.
    pub fn bytes(&self, name: &str) -> Result<u64, StorageError> {
        log_bytes(&self.vfs, &self.store_dir(name)?)
    }

    /// Where a store's files are, or would be.
    ///
    /// # Errors
    /// `BadName`.
    pub fn store_dir(&self, name: &str) -> Result<PathBuf, StorageError> {
        let bad_name = || {
            let detail = if name.is_empty() {
                "it is empty"
            } else {
                "it is over 255 bytes"
            };
            StorageError::new(StorageErrorKind::BadName, &self.dir, detail)
        };
        Ok(self.parts_dir(&escape(name).ok_or_else(bad_name)?))
    }

    /// Where the node's key is kept.
    pub fn identity_path(&self) -> PathBuf {
        self.dir.join(IDENTITY)
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn parts_dir(&self, parts: &[String]) -> PathBuf {
        parts
            .iter()
            .fold(self.dir.join(STORES), |dir, part| dir.join(part))
    }

    fn holds_log(&self, dir: &Path) -> Result<bool, StorageError> {
        Ok(self
            .list(dir)?
            .iter()
            .any(|entry| is_segment_name(&entry.name)))
    }

    fn list(&self, dir: &Path) -> Result<Vec<VfsEntry>, StorageError> {
        self.vfs
            .list(dir)
            .map_err(|error| StorageError::io("list", dir, error))
    }
}

fn lock<V: Vfs>(vfs: &V, dir: &Path) -> Result<V::Lock, StorageError> {
    let path = dir.join(LOCK);
    let attempt = vfs.lock(&path);
    match attempt.map_err(|error| StorageError::io("lock", &path, error))? {
        LockAttempt::Held(lock) => Ok(lock),
        LockAttempt::Busy { holder } => {
            let kind = StorageErrorKind::Locked { holder };
            Err(StorageError::new(kind, dir, ""))
        }
    }
}

fn check_format<V: Vfs>(vfs: &V, dir: &Path) -> Result<(), StorageError> {
    let path = dir.join(FORMAT);
    let names = vfs
        .list(dir)
        .map_err(|error| StorageError::io("list", dir, error))?;
    let leftover = format!("{FORMAT}{TEMPORARY_SUFFIX}");
    if names.iter().any(|entry| entry.name == leftover) {
        remove(vfs, &dir.join(leftover))?;
    }
    if has_format(vfs, dir)? {
        return Ok(());
    }
    // It is made before anything else.
    if names.iter().any(|entry| entry.name == STORES) {
        let detail = "this file is missing, which says of which format the stores beside it are";
        return Err(StorageError::new(StorageErrorKind::Missing, &path, detail));
    }
    // With the first file in it the directory itself must be there for good.
    sync_names(vfs, dir, Path::new(""))?;
    publish(vfs, &path, format_text(FORMAT_VERSION).as_bytes())?;
    Ok(())
}

/// Whether the format is said, and one that can be read.
fn has_format<V: Vfs>(vfs: &V, dir: &Path) -> Result<bool, StorageError> {
    let path = dir.join(FORMAT);
    let mut file = match vfs.open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(StorageError::io("open", &path, error)),
    };
    let mut buffer = [0; FORMAT_BYTES_MAX];
    let read = file
        .read_at(0, &mut buffer)
        .map_err(|error| StorageError::io("read", &path, error))?;
    let text = std::str::from_utf8(buffer.get(..read).unwrap_or_default()).unwrap_or_default();
    let version = text
        .split(' ')
        .nth(1)
        .and_then(|version| version.parse::<u32>().ok());
    match version {
        Some(found) if format_text(found) != text => Err(StorageError::corrupt(
            &path,
            0,
            "it does not match its checksum",
        )),
        Some(found) if found > FORMAT_VERSION => {
            let kind = StorageErrorKind::VersionTooNew {
                found,
                supported: FORMAT_VERSION,
            };
            Err(StorageError::new(kind, &path, ""))
        }
        Some(_) => Ok(true),
        None => Err(StorageError::corrupt(
            &path,
            0,
            "it names no format version",
        )),
    }
}

fn format_text(version: u32) -> String {
    let text = format!("dhlrs-data {version}");
    format!("{text} {:08x}\n", checksum(0, &[text.as_bytes()]))
}

/// Makes a directory and those above it that are missing. Their names are not durable yet.
fn make_dirs<V: Vfs>(vfs: &V, dir: &Path) -> Result<(), StorageError> {
    let mut missing = Vec::new();
    for dir in dir.ancestors().filter(|dir| !dir.as_os_str().is_empty()) {
        match vfs.create_dir(dir) {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => break,
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(dir),
            Err(error) => return Err(StorageError::io("create", dir, error)),
        }
    }
    missing.iter().rev().try_for_each(|dir| {
        vfs.create_dir(dir)
            .map_err(|error| StorageError::io("create", dir, error))
    })
}

/// Makes the name of `dir` durable, and those of the directories above it up to `top`.
fn sync_names<V: Vfs>(vfs: &V, dir: &Path, top: &Path) -> Result<(), StorageError> {
    let parents = dir
        .ancestors()
        .skip(1)
        .take_while(|parent| parent.starts_with(top));
    for parent in parents {
        match sync_dir(vfs, parent) {
            // Whoever made it for us need not let us read what is above it.
            Err(error) if error.kind() == StorageErrorKind::Denied => {}
            synced => synced?,
        }
    }
    Ok(())
}
