//! Files below a root.

use std::io::{Error, ErrorKind, Read};
use std::path::PathBuf;

use dhlrs_bag::Content;
use dhlrs_resolver::{Call, ResolveError};
use futures_util::future::BoxFuture;

use crate::code::code;
use crate::error::IoError;
use crate::format::Format;
use crate::parameter;
use crate::rooted::Rooted;

/// Default of [`FileConfig::bytes_max`]: 4 MiB.
pub const FILE_BYTES_MAX: u64 = 4 << 20;

/// Which files may be read, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileConfig {
    /// The directory that nothing leads out of.
    pub root: PathBuf,
    /// The file, below the root. Without it the parameter `file` names one.
    pub file: Option<String>,
    /// What is in it.
    pub format: Format,
    /// The largest file.
    pub bytes_max: u64,
}

impl FileConfig {
    /// Files below `root`, each as what its name says it is, up to [`FILE_BYTES_MAX`].
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            file: None,
            format: Format::ByName,
            bytes_max: FILE_BYTES_MAX,
        }
    }
}

/// Reads a file: the one of its configuration, or the one that the parameter `file` names, a path
/// below the root. Links are followed as long as they stay below the root. What is no ordinary file
/// is refused.
#[derive(Clone, Debug)]
pub struct FileResolver {
    root: Rooted,
    config: FileConfig,
}

impl FileResolver {
    /// Opens the root.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::IoErrorKind::Config) if the root is no directory that can be opened.
    pub fn new(config: FileConfig) -> Result<Self, IoError> {
        Ok(Self {
            root: Rooted::open(&config.root)?,
            config,
        })
    }

    /// Reads a file. The work is done on a thread of the runtime where blocking is allowed.
    ///
    /// # Errors
    ///
    /// [`NotAllowed`](crate::IoErrorKind::NotAllowed) for a path that leads out of the root, and
    /// [`IoErrorKind`](crate::IoErrorKind) for the rest.
    pub async fn resolve(&self, call: &Call) -> Result<Content, IoError> {
        let file = match &self.config.file {
            Some(file) => file.clone(),
            None => parameter::needed(call, "file")?,
        };
        let bytes_max = self.config.bytes_max;
        let read = self.root.run(&file, move |dir, file| {
            let too_large = |bytes: u64| {
                let message = format!("{bytes} bytes or more, limit {bytes_max}");
                Error::new(ErrorKind::FileTooLarge, message)
            };
            // Looked at before it is opened: opening a pipe would wait for somebody to write to it.
            let metadata = dir.metadata(file)?;
            if !metadata.is_file() {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    "this is no ordinary file",
                ));
            }
            if metadata.len() > bytes_max {
                return Err(too_large(metadata.len()));
            }
            let mut bytes = Vec::new();
            // It may grow while it is read.
            let opened = dir.open(file)?;
            opened
                .take(bytes_max.saturating_add(1))
                .read_to_end(&mut bytes)?;
            match bytes.len() as u64 {
                len if len > bytes_max => Err(too_large(len)),
                _ => Ok(bytes),
            }
        });
        let bytes = read.await?;
        self.config.format.of_name(&file).read(&bytes)
    }

    /// The code, for a node.
    pub fn into_code(
        self,
    ) -> impl Fn(Call) -> BoxFuture<'static, Result<Content, ResolveError>> + Send + Sync + 'static
    {
        code(self, |own, call| async move { own.resolve(&call).await })
    }
}
