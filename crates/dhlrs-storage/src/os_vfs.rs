//! The operating system behind [`Vfs`].
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the one place of this crate that does IO, beside its twin so that one suite tests both"
)]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::vfs::{LockAttempt, Vfs, VfsCounts, VfsEntry, VfsFile};

/// The operating system's files. Every call blocks; a caller on an async runtime gives it a
/// thread of its own.
#[derive(Debug, Clone, Default)]
pub struct OsVfs {
    counters: Arc<Counters>,
}

/// A file opened through [`OsVfs`].
#[derive(Debug)]
pub struct OsFile {
    file: File,
    // Whether the cursor stands at the end, so that an append needs no seek before it.
    at_end: bool,
    counters: Arc<Counters>,
}

/// The lock file of an [`OsVfs`]; the system releases it with the process.
#[derive(Debug)]
pub struct OsLock {
    _file: File,
}

#[derive(Debug, Default)]
struct Counters {
    operations: AtomicU64,
    appends: AtomicU64,
    appended_bytes: AtomicU64,
    syncs: AtomicU64,
    dir_syncs: AtomicU64,
}

impl OsVfs {
    /// A handle with counters of its own.
    pub fn new() -> Self {
        Self::default()
    }

    fn count(&self) {
        self.counters.operations.fetch_add(1, Relaxed);
    }

    fn file(&self, file: File) -> OsFile {
        OsFile {
            file,
            at_end: false,
            counters: Arc::clone(&self.counters),
        }
    }
}

impl Vfs for OsVfs {
    type File = OsFile;
    type Lock = OsLock;

    fn create(&self, path: &Path) -> io::Result<OsFile> {
        self.count();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)?;
        Ok(self.file(file))
    }

    fn open(&self, path: &Path) -> io::Result<OsFile> {
        self.count();
        Ok(self.file(OpenOptions::new().read(true).write(true).open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.count();
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.count();
        fs::remove_file(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<VfsEntry>> {
        self.count();
        let mut entries = Vec::new();
        for entry in fs::read_dir(here(dir))? {
            let entry = entry?;
            let is_dir = entry.file_type()?.is_dir();
            if let Ok(name) = entry.file_name().into_string() {
                entries.push(VfsEntry { name, is_dir });
            }
        }
        entries.sort_unstable();
        Ok(entries)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.count();
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt as _;
            fs::DirBuilder::new().mode(0o700).create(here(dir))
        }
        #[cfg(not(unix))]
        fs::create_dir(here(dir))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.count();
        self.counters.dir_syncs.fetch_add(1, Relaxed);
        // Only Unix opens a directory as a file; elsewhere names are durable with the file.
        if cfg!(unix) {
            File::open(here(dir))?.sync_all()
        } else {
            Ok(())
        }
    }

    fn lock(&self, path: &Path) -> io::Result<LockAttempt<OsLock>> {
        self.count();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => {
                // The number is for people only. A full disk must not keep us from the lock.
                let _ = file
                    .set_len(0)
                    .and_then(|()| writeln!(file, "{}", std::process::id()));
                Ok(LockAttempt::Held(OsLock { _file: file }))
            }
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Where locks are mandatory the file cannot be read either.
                let holder = (&mut file).take(16).read_to_string(&mut text).ok();
                Ok(LockAttempt::Busy {
                    holder: holder.and_then(|_| text.trim().parse().ok()),
                })
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn counts(&self) -> VfsCounts {
        VfsCounts {
            operations: self.counters.operations.load(Relaxed),
            appends: self.counters.appends.load(Relaxed),
            appended_bytes: self.counters.appended_bytes.load(Relaxed),
            syncs: self.counters.syncs.load(Relaxed),
            dir_syncs: self.counters.dir_syncs.load(Relaxed),
        }
    }
}

impl VfsFile for OsFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.counters.operations.fetch_add(1, Relaxed);
        self.counters.appends.fetch_add(1, Relaxed);
        self.counters
            .appended_bytes
            .fetch_add(bytes.len() as u64, Relaxed);
        if !self.at_end {
            self.file.seek(SeekFrom::End(0))?;
        }
        self.at_end = false;
        self.file.write_all(bytes)?;
        self.at_end = true;
        Ok(())
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.counters.operations.fetch_add(1, Relaxed);
        self.at_end = false;
        self.file.seek(SeekFrom::Start(offset))?;
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read(rest) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn truncate(&mut self, len_bytes: u64) -> io::Result<()> {
        self.counters.operations.fetch_add(1, Relaxed);
        self.at_end = false;
        self.file.set_len(len_bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.counters.operations.fetch_add(1, Relaxed);
        self.counters.syncs.fetch_add(1, Relaxed);
        self.file.sync_data()
    }

    fn len_bytes(&mut self) -> io::Result<u64> {
        self.counters.operations.fetch_add(1, Relaxed);
        Ok(self.file.metadata()?.len())
    }
}

/// The parent of a relative name is an empty path, which the system does not know.
fn here(dir: &Path) -> &Path {
    if dir.as_os_str().is_empty() {
        Path::new(".")
    } else {
        dir
    }
}
