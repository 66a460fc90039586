//! The files of a log, and how one comes into being.

use std::path::{Path, PathBuf};

use crate::error::{StorageError, StorageErrorKind};
use crate::frame::{Fields, checksum};
use crate::vfs::{Vfs, VfsFile};

/// The version of every file that this crate writes.
pub const FORMAT_VERSION: u32 = 1;

pub(crate) const SEGMENT_HEADER_BYTES: u64 = 60;
const SEGMENT_MAGIC: [u8; 8] = *b"dhlrslog";
const SEGMENT_SUFFIX: &str = ".log";
const CHECKPOINT_SUFFIX: &str = ".checkpoint";
pub(crate) const TEMPORARY_SUFFIX: &str = ".tmp";

/// What stands at the beginning of a segment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) sequence: u64,
    /// The number of its first batch. Batches with this number and above in earlier segments do
    /// not count: this is how a log is cut.
    pub(crate) first: u64,
    /// Batches up to this number were on disk before this file got its name.
    pub(crate) durable: u64,
}

/// What a log's directory holds, each sorted.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) segments: Vec<u64>,
    pub(crate) checkpoints: Vec<u64>,
    pub(crate) temporary: Vec<String>,
}

pub(crate) fn list<V: Vfs>(vfs: &V, dir: &Path) -> Result<Listing, StorageError> {
    let mut listing = Listing::default();
    for entry in vfs
        .list(dir)
        .map_err(|error| StorageError::io("list", dir, error))?
    {
        if let Some(sequence) = number(&entry.name, SEGMENT_SUFFIX) {
            listing.segments.push(sequence);
        } else if let Some(covers) = number(&entry.name, CHECKPOINT_SUFFIX) {
            listing.checkpoints.push(covers);
        } else if entry.name.ends_with(TEMPORARY_SUFFIX) {
            listing.temporary.push(entry.name);
        }
    }
    Ok(listing)
}

pub(crate) fn is_segment_name(name: &str) -> bool {
    number(name, SEGMENT_SUFFIX).is_some()
}

fn number(name: &str, suffix: &str) -> Option<u64> {
    let digits = name.strip_suffix(suffix)?;
    let number = digits.parse().ok()?;
    // One spelling only, so that a name leads back to its file.
    (numbered(number, suffix) == name).then_some(number)
}

fn numbered(number: u64, suffix: &str) -> String {
    format!("{number:020}{suffix}")
}

pub(crate) fn segment_path(dir: &Path, sequence: u64) -> PathBuf {
    dir.join(numbered(sequence, SEGMENT_SUFFIX))
}

pub(crate) fn checkpoint_path(dir: &Path, covers: u64) -> PathBuf {
    dir.join(numbered(covers, CHECKPOINT_SUFFIX))
}

/// Files of one log begin their checksums from its id, so that another log's never fit.
pub(crate) fn seed(id: &[u8; 16]) -> u32 {
    checksum(0, &[id])
}

/// Magic, version and their own checksum: readable whatever the version changes behind them.
pub(crate) fn preamble(magic: [u8; 8]) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    let sum = checksum(0, &[&bytes]);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

pub(crate) fn check_preamble(
    fields: &mut Fields<'_>,
    magic: [u8; 8],
    path: &Path,
) -> Result<(), StorageError> {
    let whole = fields.0.get(..12).unwrap_or_default();
    let sum = checksum(0, &[whole]);
    let parsed = (fields.take::<8>(), fields.take::<4>(), fields.take::<4>());
    let (Some(found_magic), Some(version), Some(stored)) = parsed else {
        return Err(StorageError::corrupt(path, 0, "its header is cut off"));
    };
    if found_magic != magic || u32::from_le_bytes(stored) != sum {
        return Err(StorageError::corrupt(
            path,
            0,
            "its header does not match its checksum",
        ));
    }
    let found = u32::from_le_bytes(version);
    if found > FORMAT_VERSION {
        let kind = StorageErrorKind::VersionTooNew {
            found,
            supported: FORMAT_VERSION,
        };
        return Err(StorageError::new(kind, path, ""));
    }
    Ok(())
}

pub(crate) fn segment_header(id: &[u8; 16], segment: &Segment) -> Vec<u8> {
    let mut bytes = preamble(SEGMENT_MAGIC);
    let start = bytes.len();
    bytes.extend_from_slice(id);
    bytes.extend_from_slice(&segment.sequence.to_le_bytes());
    bytes.extend_from_slice(&segment.first.to_le_bytes());
    bytes.extend_from_slice(&segment.durable.to_le_bytes());
    let sum = checksum(0, &[bytes.get(start..).unwrap_or_default()]);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

pub(crate) fn read_segment_header<V: Vfs>(
    vfs: &V,
    dir: &Path,
    sequence: u64,
) -> Result<([u8; 16], Segment), StorageError> {
    let path = segment_path(dir, sequence);
    let mut buffer = [0; SEGMENT_HEADER_BYTES as usize];
    let mut file = vfs
        .open(&path)
        .map_err(|error| StorageError::io("open", &path, error))?;
    let read = file
        .read_at(0, &mut buffer)
        .map_err(|error| StorageError::io("read", &path, error))?;
    let mut fields = Fields(buffer.get(..read).unwrap_or_default());
    check_preamble(&mut fields, SEGMENT_MAGIC, &path)?;
    let sum = checksum(0, &[fields.0.get(..40).unwrap_or_default()]);
    let damaged = || StorageError::corrupt(&path, 16, "its header does not match its checksum");
    let id = fields.take::<16>().ok_or_else(damaged)?;
    let mut field = || fields.take().map(u64::from_le_bytes).ok_or_else(damaged);
    let segment = Segment {
        sequence: field()?,
        first: field()?,
        durable: field()?,
    };
    let stored = fields.take().map(u32::from_le_bytes).ok_or_else(damaged)?;
    if stored != sum || segment.sequence != sequence {
        return Err(damaged());
    }
    Ok((id, segment))
}

/// The ids that a log may have by the header of one of its segments: what stands there, and where that does not
/// match its checksum, what would with one byte changed.
pub(crate) fn likely_ids(bytes: &[u8]) -> Vec<[u8; 16]> {
    let fields = bytes.get(16..56).and_then(<[u8]>::first_chunk::<40>);
    let stored = bytes.get(56..60).and_then(<[u8]>::first_chunk::<4>);
    let (Some(fields), Some(stored)) = (fields, stored) else {
        return Vec::new();
    };
    let stored = u32::from_le_bytes(*stored);
    let id = |fields: &[u8; 40]| *fields.first_chunk().unwrap_or(&[0; 16]);
    let mut ids = vec![id(fields)];
    if checksum(0, &[fields]) != stored {
        let changes = (0..16).flat_map(|at| (1..=u8::MAX).map(move |bits| (at, bits)));
        ids.extend(changes.filter_map(|(at, bits)| {
            let mut changed = *fields;
            *changed.get_mut(at)? ^= bits;
            (checksum(0, &[&changed]) == stored).then(|| id(&changed))
        }));
    }
    ids
}

/// Writes a file under another name, syncs it, and gives it its name: it is there whole or not.
/// What was written does not outlive a failure, or the publisher: it would keep room that the log
/// may need.
pub(crate) struct Publisher<V: Vfs> {
    dir: PathBuf,
    path: PathBuf,
    // Before the name, so that it is closed when that goes.
    file: V::File,
    temporary: Temporary<V>,
}

/// The name of a file that nobody needs once this is dropped.
struct Temporary<V: Vfs> {
    vfs: V,
    path: PathBuf,
    is_published: bool,
}

impl<V: Vfs> Publisher<V> {
    pub(crate) fn create(vfs: &V, path: &Path) -> Result<Self, StorageError> {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(TEMPORARY_SUFFIX);
        let temporary = path.with_file_name(name);
        let file = vfs
            .create(&temporary)
            .map_err(|error| StorageError::io("create", &temporary, error))?;
        Ok(Self {
            dir: path.parent().unwrap_or(Path::new("")).to_path_buf(),
            path: path.to_path_buf(),
            file,
            temporary: Temporary {
                vfs: vfs.clone(),
                path: temporary,
                is_published: false,
            },
        })
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.file
            .append(bytes)
            .map_err(|error| StorageError::io("write to", &self.temporary.path, error))
    }

    pub(crate) fn finish(mut self) -> Result<V::File, StorageError> {
        let temporary = &mut self.temporary;
        self.file
            .sync()
            .map_err(|error| StorageError::io("sync", &temporary.path, error))?;
        temporary
            .vfs
            .rename(&temporary.path, &self.path)
            .map_err(|error| StorageError::io("rename a file to", &self.path, error))?;
        temporary.is_published = true;
        sync_dir(&temporary.vfs, &self.dir)?;
        Ok(self.file)
    }
}

impl<V: Vfs> Drop for Temporary<V> {
    fn drop(&mut self) {
        if !self.is_published {
            // If it stays, opening the log or reopening it removes it.
            let _ = self.vfs.remove(&self.path);
        }
    }
}

pub(crate) fn publish<V: Vfs>(vfs: &V, path: &Path, bytes: &[u8]) -> Result<V::File, StorageError> {
    let mut publisher = Publisher::create(vfs, path)?;
    publisher.append(bytes)?;
    publisher.finish()
}

pub(crate) fn sync_dir<V: Vfs>(vfs: &V, dir: &Path) -> Result<(), StorageError> {
    vfs.sync_dir(dir)
        .map_err(|error| StorageError::io("sync", dir, error))
}

pub(crate) fn remove<V: Vfs>(vfs: &V, path: &Path) -> Result<(), StorageError> {
    vfs.remove(path)
        .map_err(|error| StorageError::io("remove", path, error))
}
