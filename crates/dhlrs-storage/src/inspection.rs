//! Reading a log without opening it: nothing is put right, nothing is changed.

use std::path::Path;

use crate::checkpoint;
use crate::error::StorageError;
use crate::log::{Repair, Tail};
use crate::position::LogPosition;
use crate::recovery::verify_segment;
use crate::segment::{Listing, Segment, list, read_segment_header, segment_path};
use crate::vfs::{Vfs, VfsFile};

/// What the files of one log hold, every byte of them read.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Inspection {
    /// Segment files.
    pub segments: usize,
    /// Checkpoint files.
    pub checkpoints: usize,
    /// Bytes of both.
    pub bytes: u64,
    /// The first batch that the log still holds; 1 in an empty one.
    pub first: LogPosition,
    /// The last batch that is whole, as far as the damage lets see.
    pub last: LogPosition,
    /// What opening will put right, and what costs nothing that was confirmed.
    pub repairs: Vec<Repair>,
    /// What is damaged, one entry a file: the first place that was found.
    pub damaged: Vec<StorageError>,
}

impl Inspection {
    /// Notes damage; passes on what the file system reports.
    fn note<T>(&mut self, checked: Result<T, StorageError>) -> Result<Option<T>, StorageError> {
        match checked {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_damage() => {
                self.damaged.push(error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Reads every file of the log in `dir`. `read` is told the bytes of each file once it is done.
pub(crate) fn inspect<V: Vfs>(
    vfs: &V,
    dir: &Path,
    mut read: impl FnMut(u64),
) -> Result<Inspection, StorageError> {
    let listing = list(vfs, dir)?;
    let leftover = |name: &String| Repair::Leftover {
        path: dir.join(name),
    };
    let mut found = Inspection {
        segments: listing.segments.len(),
        checkpoints: listing.checkpoints.len(),
        repairs: listing.temporary.iter().map(leftover).collect(),
        first: LogPosition(1),
        ..Inspection::default()
    };
    let (id, segments) = headers(vfs, dir, &listing, &mut found)?;
    let mut readable = segments.iter().peekable();
    for sequence in &listing.segments {
        let path = segment_path(dir, *sequence);
        let bytes = len_bytes(vfs, &path)?;
        let segment = readable.next_if(|segment| segment.sequence == *sequence);
        match (segment, readable.peek()) {
            (Some(segment), Some(next)) => {
                let end = next.first - 1;
                let checked = verify_segment(vfs, dir, &id, segment, end);
                if found.note(checked)?.is_some() {
                    found.last = LogPosition(end);
                }
            }
            (Some(segment), None) => {
                let tail = Tail::read(vfs, &path, &id, segment);
                if let Some(tail) = found.note(tail)? {
                    found.last = LogPosition(tail.end);
                    found.repairs.extend(tail.torn(&path));
                }
            }
            // Its header was damaged.
            (None, _) => {}
        }
        found.bytes += bytes;
        read(bytes);
    }
    found.first = LogPosition(segments.first().map_or(1, |segment| segment.first));
    let mut base = None;
    for covers in &listing.checkpoints {
        let path = checkpoint::path(dir, *covers);
        let bytes = len_bytes(vfs, &path)?;
        let is_beyond = *covers > found.last.0 && found.damaged.is_empty();
        let checked = match is_beyond {
            true => {
                let detail = "it covers more than the log holds";
                Err(StorageError::corrupt(&path, 0, detail))
            }
            false => checkpoint::verify(vfs, dir, &id, *covers),
        };
        base = found.note(checked)?.map(|()| *covers).or(base);
        found.bytes += bytes;
        read(bytes);
    }
    if found.first.0 > base.unwrap_or(0) + 1 && found.damaged.is_empty() {
        let detail = "it begins after the first batch, and there is no checkpoint";
        found.damaged.push(StorageError::corrupt(dir, 0, detail));
    }
    Ok(found)
}

/// The id of the log, and the segments whose headers can be read.
fn headers<V: Vfs>(
    vfs: &V,
    dir: &Path,
    listing: &Listing,
    found: &mut Inspection,
) -> Result<([u8; 16], Vec<Segment>), StorageError> {
    let mut log_id = None;
    let mut segments: Vec<Segment> = Vec::new();
    for sequence in &listing.segments {
        let header = read_segment_header(vfs, dir, *sequence);
        let Some((id, segment)) = found.note(header)? else {
            continue;
        };
        let is_other = *log_id.get_or_insert(id) != id;
        let falls = segments
            .last()
            .is_some_and(|last| last.first > segment.first);
        if is_other || falls {
            let path = segment_path(dir, *sequence);
            let detail = "it does not belong to this log";
            found.damaged.push(StorageError::corrupt(&path, 16, detail));
            continue;
        }
        segments.push(segment);
    }
    if listing.segments.is_empty() && !listing.checkpoints.is_empty() {
        let detail = "it has checkpoints but no log";
        found.damaged.push(StorageError::corrupt(dir, 0, detail));
    }
    Ok((log_id.unwrap_or_default(), segments))
}

fn len_bytes<V: Vfs>(vfs: &V, path: &Path) -> Result<u64, StorageError> {
    let file = vfs.open(path);
    let len = file.and_then(|mut file| file.len_bytes());
    len.map_err(|error| StorageError::io("read the length of", path, error))
}

/// The bytes of all segments and checkpoints in `dir`.
pub(crate) fn log_bytes<V: Vfs>(vfs: &V, dir: &Path) -> Result<u64, StorageError> {
    let listing = list(vfs, dir)?;
    let segments = listing.segments.iter().map(|at| segment_path(dir, *at));
    let checkpoints = listing.checkpoints.iter();
    let checkpoints = checkpoints.map(|covers| checkpoint::path(dir, *covers));
    let mut files = segments.chain(checkpoints);
    files.try_fold(0, |sum, path| Ok(sum + len_bytes(vfs, &path)?))
}
