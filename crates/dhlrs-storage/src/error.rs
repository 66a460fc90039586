//! What storage says when it cannot.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a storage operation failed, and at which file.
///
/// [`kind`](Self::kind) tells code what it can do; the message names the file and the limit; the
/// operating system's own error is the [`source`](std::error::Error::source).
#[derive(Debug)]
pub struct StorageError {
    kind: StorageErrorKind,
    path: PathBuf,
    detail: &'static str,
    source: Option<io::Error>,
}

/// What went wrong, as far as a program can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageErrorKind {
    /// The disk or the quota is full. Make room, then [`Log::reopen`](crate::Log::reopen).
    Full,
    /// The operating system refuses access. Nothing changes until permissions do.
    Denied,
    /// A file that must be there is not.
    Missing,
    /// Any other failure of the file system.
    Io,
    /// What was read is not what was written. Retrying cannot help.
    Corrupt {
        /// First damaged byte that was found, counted from the start of the file.
        offset: u64,
    },
    /// Another process has the data directory.
    Locked {
        /// Its process id, where it could be read.
        holder: Option<u32>,
    },
    /// A newer program wrote this. Use that one.
    VersionTooNew {
        /// The version in the file.
        found: u32,
        /// The newest version that this program reads.
        supported: u32,
    },
    /// An earlier write or sync failed. [`Log::reopen`](crate::Log::reopen) first.
    Poisoned,
    /// One batch, record or chunk is over its limit. Retrying cannot help.
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The most that is taken.
        limit: u64,
    },
    /// A store name that is empty or over [`STORE_NAME_BYTES_MAX`](crate::STORE_NAME_BYTES_MAX).
    BadName,
    /// A checkpoint was asked for at a position that is not on disk yet. Sync first.
    NotDurable {
        /// The position asked for.
        asked: u64,
        /// The last position on disk.
        durable: u64,
    },
}

impl StorageError {
    /// What went wrong, as far as a program can act on it.
    pub fn kind(&self) -> StorageErrorKind {
        self.kind
    }

    /// The file or directory concerned.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether what was written is not what is there now.
    pub fn is_damage(&self) -> bool {
        matches!(self.kind, StorageErrorKind::Corrupt { .. })
    }

    pub(crate) fn new(kind: StorageErrorKind, path: &Path, detail: &'static str) -> Self {
        Self {
            kind,
            path: path.to_path_buf(),
            detail,
            source: None,
        }
    }

    pub(crate) fn corrupt(path: &Path, offset: u64, detail: &'static str) -> Self {
        Self::new(StorageErrorKind::Corrupt { offset }, path, detail)
    }

    /// `action` reads after "cannot".
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let kind = match source.kind() {
            // A limit on the size of files (`ulimit -f`) is as little room as a full disk.
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => StorageErrorKind::Full,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                StorageErrorKind::Denied
            }
            io::ErrorKind::NotFound => StorageErrorKind::Missing,
            _ => StorageErrorKind::Io,
        };
        Self {
            kind,
            path: path.to_path_buf(),
            detail: action,
            source: Some(source),
        }
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, detail) = (self.path.display(), self.detail);
        match self.kind {
            StorageErrorKind::Full => write!(f, "disk full: cannot {detail} {path}"),
            StorageErrorKind::Denied => write!(f, "access denied: cannot {detail} {path}"),
            StorageErrorKind::Missing if self.source.is_some() => {
                write!(f, "not found: cannot {detail} {path}")
            }
            StorageErrorKind::Missing => write!(f, "{path}: {detail}"),
            StorageErrorKind::Io => write!(f, "cannot {detail} {path}"),
            StorageErrorKind::Corrupt { offset } => {
                write!(f, "{path} is damaged at byte {offset}: {detail}")
            }
            StorageErrorKind::Locked { holder: Some(pid) } => {
                write!(f, "{path} is in use by process {pid}")
            }
            StorageErrorKind::Locked { holder: None } => {
                write!(f, "{path} is in use by another process")
            }
            StorageErrorKind::VersionTooNew { found, supported } => {
                write!(
                    f,
                    "{path} has format version {found}, this program reads up to {supported}"
                )
            }
            StorageErrorKind::Poisoned => {
                write!(
                    f,
                    "{path} takes no writes after a failed one until it is reopened"
                )
            }
            StorageErrorKind::TooLarge { bytes, limit } => {
                write!(
                    f,
                    "{detail} too large for {path}: {bytes} bytes, limit {limit}"
                )
            }
            StorageErrorKind::BadName => write!(f, "bad store name under {path}: {detail}"),
            StorageErrorKind::NotDurable { asked, durable } => {
                write!(
                    f,
                    "{path}: no checkpoint at {asked}, the log is on disk up to {durable}"
                )
            }
        }
    }
}

impl std::error::Error for StorageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
