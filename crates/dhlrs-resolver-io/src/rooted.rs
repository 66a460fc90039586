//! A directory that nothing below it leads out of.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::error::{IoError, IoErrorKind};

/// The longest path below a root.
const FILE_PATH_BYTES_MAX: usize = 4_096;

/// A directory as a capability: `..`, absolute paths and links that lead out of it are refused by
/// the operating system while it follows the path, so nobody can change a link in between.
#[derive(Clone, Debug)]
pub(crate) struct Rooted {
    dir: Arc<Dir>,
}

impl Rooted {
    pub(crate) fn open(root: &Path) -> Result<Self, IoError> {
        let dir = Dir::open_ambient_dir(root, ambient_authority()).map_err(|error| {
            let message = format!("root {}", root.display());
            IoError::new(IoErrorKind::Config, message).because(error)
        })?;
        Ok(Self { dir: Arc::new(dir) })
    }

    /// Runs something on the directory, where blocking is allowed.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        path: &str,
        read: impl FnOnce(&Dir, &str) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, IoError> {
        if path.len() > FILE_PATH_BYTES_MAX || path.contains('\0') {
            let message = format!(
                "a path of {} bytes, limit {FILE_PATH_BYTES_MAX}",
                path.len()
            );
            return Err(IoError::new(IoErrorKind::Parameter, message));
        }
        let (dir, own) = (Arc::clone(&self.dir), path.to_owned());
        let done = tokio::task::spawn_blocking(move || read(&dir, &own)).await;
        let done = done.map_err(|error| {
            IoError::new(IoErrorKind::Io, "reading was given up").because(error)
        })?;
        done.map_err(|error| {
            let kind = match error.kind() {
                ErrorKind::NotFound => IoErrorKind::NotFound,
                ErrorKind::PermissionDenied => IoErrorKind::NotAllowed,
                ErrorKind::FileTooLarge => IoErrorKind::TooLarge,
                _ => IoErrorKind::Io,
            };
            IoError::new(kind, format!("{path:?}")).because(error)
        })
    }
}
