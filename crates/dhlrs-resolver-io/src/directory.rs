//! What is in a directory.

use std::io::{Error, ErrorKind};
use std::path::PathBuf;
use std::time::SystemTime;

use cap_std::fs::Dir;
use dhlrs_bag::{Attributes, Branch, Content, Label, Name, Row, Timestamp, Value};
use dhlrs_resolver::{Call, ResolveError};
use futures_util::future::BoxFuture;

use crate::code::code;
use crate::error::{IoError, IoErrorKind};
use crate::parameter;
use crate::rooted::Rooted;

/// Default of [`DirectoryConfig::entries_max`].
pub const DIRECTORY_ENTRIES_MAX: usize = 10_000;

/// Which directories may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryConfig {
    /// The directory that nothing leads out of.
    pub root: PathBuf,
    /// Whether names that begin with a dot are listed.
    pub hidden: bool,
    /// The most entries of one directory.
    pub entries_max: usize,
}

impl DirectoryConfig {
    /// Directories at and below `root`, without hidden names, up to [`DIRECTORY_ENTRIES_MAX`]
    /// entries each.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            hidden: false,
            entries_max: DIRECTORY_ENTRIES_MAX,
        }
    }
}

/// Lists a directory: the root, or the one below it that the parameter `directory` names.
///
/// Gives a branch with a Null for each entry, by name, in the order of the names. Its attributes are
/// `kind` (`file`, `directory`, `link`, `other`), and of a file `bytes` and `modified`. Links are
/// listed and not followed. It lists one directory and not those in it.
#[derive(Clone, Debug)]
pub struct DirectoryResolver {
    root: Rooted,
    config: DirectoryConfig,
}

impl DirectoryResolver {
    /// Opens the root.
    ///
    /// # Errors
    ///
    /// [`Config`](IoErrorKind::Config) if the root is no directory that can be opened.
    pub fn new(config: DirectoryConfig) -> Result<Self, IoError> {
        Ok(Self {
            root: Rooted::open(&config.root)?,
            config,
        })
    }

    /// Lists a directory. The work is done on a thread of the runtime where blocking is allowed.
    ///
    /// # Errors
    ///
    /// [`NotAllowed`](IoErrorKind::NotAllowed) for a path that leads out of the root,
    /// [`BadContent`](IoErrorKind::BadContent) for a name that cannot be a label: not UTF-8, above
    /// 255 bytes, with a control character.
    pub async fn resolve(&self, call: &Call) -> Result<Content, IoError> {
        let directory = parameter::text(call, "directory")?;
        let directory = directory.as_deref().filter(|path| !path.is_empty());
        let (hidden, entries_max) = (self.config.hidden, self.config.entries_max);
        let listed = self.root.run(directory.unwrap_or("."), move |root, path| {
            list(&root.open_dir(path)?, hidden, entries_max)
        });
        let mut entries = listed.await?;
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        let rows = entries.into_iter().map(row);
        let rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
        let branch = Branch::from_rows(rows)
            .map_err(|error| IoError::new(IoErrorKind::TooLarge, "a directory").because(error))?;
        Ok(Content::Branch(branch))
    }

    /// The code, for a node.
    pub fn into_code(
        self,
    ) -> impl Fn(Call) -> BoxFuture<'static, Result<Content, ResolveError>> + Send + Sync + 'static
    {
        code(self, |own, call| async move { own.resolve(&call).await })
    }
}

struct Entry {
    name: String,
    kind: &'static str,
    of_file: Option<(u64, Option<SystemTime>)>,
}

fn list(dir: &Dir, hidden: bool, entries_max: usize) -> std::io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in dir.entries()? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|name| {
            let message = format!("the name {name:?} is no UTF-8");
            Error::new(ErrorKind::InvalidData, message)
        })?;
        if name.starts_with('.') && !hidden {
            continue;
        }
        if entries.len() >= entries_max {
            let message = format!("more than {entries_max} entries");
            return Err(Error::new(ErrorKind::FileTooLarge, message));
        }
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            // It went while the others were listed.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let kind = match metadata.file_type() {
            kind if kind.is_file() => "file",
            kind if kind.is_dir() => "directory",
            kind if kind.is_symlink() => "link",
            _ => "other",
        };
        let modified = metadata
            .modified()
            .ok()
            .map(cap_std::time::SystemTime::into_std);
        let of_file = metadata.is_file().then_some((metadata.len(), modified));
        entries.push(Entry {
            name,
            kind,
            of_file,
        });
    }
    Ok(entries)
}

fn row(entry: Entry) -> Result<Row, IoError> {
    let unfit = |error: Box<dyn std::error::Error + Send + Sync>| {
        let message = format!("the name {:?} is no label", entry.name);
        IoError::new(IoErrorKind::BadContent, message).because(error)
    };
    let label = Label::new(&entry.name).map_err(|error| unfit(error.into()))?;
    let mut attributes = Attributes::new();
    let mut set = |name: &str, value: Value| {
        // These names are valid.
        if let Ok(name) = Name::new(name) {
            attributes.insert(name, value);
        }
    };
    set("kind", entry.kind.into());
    if let Some((bytes, modified)) = entry.of_file {
        set("bytes", i64::try_from(bytes).unwrap_or(i64::MAX).into());
        let since = modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        let ns = since.and_then(|since| i64::try_from(since.as_nanos()).ok());
        if let Some(ns) = ns {
            set("modified", Value::Timestamp(Timestamp::from_ns(ns)));
        }
    }
    let mut row = Row::value(0, label, Value::Null);
    row.attributes = attributes;
    Ok(row)
}
