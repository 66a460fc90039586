//! What storage asks of a file system.

use std::fmt;
use std::io;
use std::path::Path;

/// A file system, as far as a log needs one: the operating system's
/// ([`OsVfs`](crate::OsVfs)) or a faulty twin in memory ([`MemoryVfs`](crate::MemoryVfs)).
///
/// Clones are handles to the same files. Nothing is durable before it was synced: the bytes of a
/// file by [`VfsFile::sync`], its name (made, changed or gone) by [`sync_dir`](Self::sync_dir) of
/// the directory that holds it.
pub trait Vfs: Clone + fmt::Debug + Send + Sync + 'static {
    /// An open file.
    type File: VfsFile;
    /// Holds a lock until it is dropped.
    type Lock: fmt::Debug + Send + Sync + 'static;

    /// Makes an empty file, in place of one that has the name already.
    ///
    /// # Errors
    /// `NotFound` if the directory is missing; whatever the file system reports.
    fn create(&self, path: &Path) -> io::Result<Self::File>;

    /// Opens a file that exists, for reading and appending.
    ///
    /// # Errors
    /// `NotFound`; whatever the file system reports.
    fn open(&self, path: &Path) -> io::Result<Self::File>;

    /// Gives a file another name in one step, in place of one that has it already. A handle to
    /// the file stays good.
    ///
    /// # Errors
    /// `NotFound`; whatever the file system reports.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Takes a file's name away.
    ///
    /// # Errors
    /// `NotFound`; whatever the file system reports.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// What a directory holds, sorted by name. Names that are no UTF-8 are left out.
    ///
    /// # Errors
    /// `NotFound`; whatever the file system reports.
    fn list(&self, dir: &Path) -> io::Result<Vec<VfsEntry>>;

    /// Makes one directory, readable by its owner alone where the system knows owners.
    ///
    /// # Errors
    /// `NotFound` if its parent is missing, `AlreadyExists`; whatever the file system reports.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// Whatever the file system reports; then nothing is known about the names.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Tries to take the exclusive lock at `path`, making the file if it is missing. Does not
    /// wait. The lock ends with its holder, however that ends.
    ///
    /// # Errors
    /// Whatever the file system reports. That somebody else has it is no error.
    fn lock(&self, path: &Path) -> io::Result<LockAttempt<Self::Lock>>;

    /// What was done so far through this handle and its clones.
    fn counts(&self) -> VfsCounts;
}

/// An open file of a [`Vfs`]: it grows at its end and shrinks from its end, nothing else.
pub trait VfsFile: fmt::Debug + Send + 'static {
    /// Writes all of `bytes` at the end of the file.
    ///
    /// # Errors
    /// Whatever the file system reports. Any part of `bytes` may have been written then.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Reads from `offset` on until `buffer` is full or the file ends; returns how many bytes.
    ///
    /// # Errors
    /// Whatever the file system reports.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Cuts the file down to `len_bytes`.
    ///
    /// # Errors
    /// Whatever the file system reports.
    fn truncate(&mut self, len_bytes: u64) -> io::Result<()>;

    /// Makes the bytes of the file durable, and its length.
    ///
    /// # Errors
    /// Whatever the file system reports. A second call that succeeds proves nothing about the
    /// bytes of the first: the system may have marked them clean.
    fn sync(&mut self) -> io::Result<()>;

    /// The length of the file in bytes.
    ///
    /// # Errors
    /// Whatever the file system reports.
    fn len_bytes(&mut self) -> io::Result<u64>;
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VfsEntry {
    /// The last part of its path.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
}

/// How [`Vfs::lock`] ended.
#[derive(Debug)]
pub enum LockAttempt<L> {
    /// The lock is ours until this is dropped.
    Held(L),
    /// Somebody else has it.
    Busy {
        /// The process that has it, where that could be read.
        holder: Option<u32>,
    },
}

/// What was done through a [`Vfs`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VfsCounts {
    /// Calls of any kind.
    pub operations: u64,
    /// Calls of [`VfsFile::append`].
    pub appends: u64,
    /// Bytes given to them.
    pub appended_bytes: u64,
    /// Calls of [`VfsFile::sync`].
    pub syncs: u64,
    /// Calls of [`Vfs::sync_dir`].
    pub dir_syncs: u64,
}
