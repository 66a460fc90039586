//! A damaged log: what of it can still be read, and a new one in its place.
//!
//! For who gets the rest from somebody else. The damaged files are kept beside the new log under other
//! names.

use std::path::{Path, PathBuf};

use crate::checkpoint::CheckpointReader;
use crate::error::StorageError;
use crate::frame::{
    FRAME_HEADER_BYTES, FrameHeader, MAGIC, checksum, decode_header, encode_frame, frame_bytes,
    split_piece, unmask,
};
use crate::log::Repair;
use crate::segment::{
    Publisher, SEGMENT_HEADER_BYTES, Segment, likely_ids, list, seed, segment_header, segment_path,
    sync_dir,
};
use crate::vfs::{Vfs, VfsFile};

/// The new log before it has taken the place of the damaged one.
const HEALED: &str = "healed";
const DAMAGED_SUFFIX: &str = ".damaged";

/// A piece of a damaged log that is as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Salvaged<'a> {
    /// A chunk of a checkpoint, the first one first; the last ones may be missing.
    Chunk(&'a [u8]),
    /// A record, in the order in which they were written; some may be missing.
    Record {
        /// Its bytes.
        bytes: &'a [u8],
        /// A checkpoint whose chunks were handed over covers it.
        is_covered: bool,
    },
}

/// Hands over all that can be read of the log in `dir`: the newest checkpoint of which something can be
/// read, then the records of all segments. Changes nothing. Reads all files, each into memory.
///
/// # Errors
/// What the file system reports. Damage is none.
pub(crate) fn salvage<V: Vfs>(
    vfs: &V,
    dir: &Path,
    mut take: impl FnMut(Salvaged<'_>),
) -> Result<(), StorageError> {
    let listing = list(vfs, dir)?;
    let mut files = Vec::new();
    for sequence in &listing.segments {
        files.push(read_file(vfs, &segment_path(dir, *sequence))?);
    }
    let ids: Vec<[u8; 16]> = files.iter().flat_map(|bytes| likely_ids(bytes)).collect();
    let mut covered = 0;
    for covers in listing.checkpoints.iter().rev() {
        let mut chunks = 0;
        for id in &ids {
            chunks = salvage_checkpoint(vfs, dir, id, *covers, &mut take)?;
            if chunks > 0 {
                break;
            }
        }
        if chunks > 0 {
            covered = *covers;
            break;
        }
    }
    for bytes in &files {
        salvage_segment(bytes, &ids, covered, &mut take);
    }
    Ok(())
}

fn salvage_checkpoint<V: Vfs>(
    vfs: &V,
    dir: &Path,
    id: &[u8; 16],
    covers: u64,
    take: &mut impl FnMut(Salvaged<'_>),
) -> Result<u64, StorageError> {
    let mut chunks = 0;
    let opened = CheckpointReader::open(vfs, dir, id, covers);
    let mut reader = match opened {
        Ok(reader) => reader,
        Err(error) if error.is_damage() => return Ok(0),
        Err(error) => return Err(error),
    };
    loop {
        match reader.advance() {
            Ok(true) => {
                chunks += 1;
                take(Salvaged::Chunk(reader.chunk()));
            }
            Ok(false) => return Ok(chunks),
            Err(error) if error.is_damage() => return Ok(chunks),
            Err(error) => return Err(error),
        }
    }
}

/// The records of one segment. After damage the next batch is looked for.
fn salvage_segment(
    bytes: &[u8],
    ids: &[[u8; 16]],
    covered: u64,
    take: &mut impl FnMut(Salvaged<'_>),
) {
    let mut at = usize::try_from(SEGMENT_HEADER_BYTES).unwrap_or(usize::MAX);
    while let Some(rest) = bytes.get(at..) {
        if rest.len() < FRAME_HEADER_BYTES {
            return;
        }
        let starts = rest.starts_with(&MAGIC);
        let mut headers = ids.iter().filter_map(|id| decode_header(rest, seed(id)));
        let Some(header) = starts.then(|| headers.next()).flatten() else {
            at += 1;
            continue;
        };
        let body = rest.get(FRAME_HEADER_BYTES..).unwrap_or_default();
        let body = body.get(..header.body_bytes as usize).unwrap_or(body);
        let is_covered = header.number <= covered;
        salvage_body(body, &header, is_covered, take);
        // What its length says may be wrong only if the header were, which has a checksum.
        at += FRAME_HEADER_BYTES + body.len();
    }
}

fn salvage_body(
    body: &[u8],
    header: &FrameHeader,
    is_covered: bool,
    take: &mut impl FnMut(Salvaged<'_>),
) {
    let mut plain = body.to_vec();
    unmask(&mut plain, header);
    let mut rest = plain.as_slice();
    let mut before = header.checksum;
    for _ in 0..header.records {
        let Some((stored, bytes, after)) = split_piece(rest) else {
            return;
        };
        let length = (bytes.len() as u32).to_le_bytes();
        if checksum(before, &[&length, bytes]) == stored {
            take(Salvaged::Record { bytes, is_covered });
        }
        // One that is damaged has left its own checksum, with which the next one begins.
        before = stored;
        rest = after;
    }
}

fn read_file<V: Vfs>(vfs: &V, path: &Path) -> Result<Vec<u8>, StorageError> {
    let io = |error| StorageError::io("read", path, error);
    let mut file = vfs.open(path).map_err(io)?;
    let length = file.len_bytes().map_err(io)?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    let read = file.read_at(0, &mut bytes).map_err(io)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Writes a log of these batches that takes the place of the damaged one when it is opened next.
/// Whatever happens on the way, there is one or the other.
///
/// # Errors
/// What the file system reports.
pub(crate) fn begin_anew<V: Vfs>(
    vfs: &V,
    dir: &Path,
    id: &[u8; 16],
    batches: impl IntoIterator<Item = Vec<Vec<u8>>>,
) -> Result<(), StorageError> {
    let mut publisher = Publisher::create(vfs, &dir.join(HEALED))?;
    let first = Segment {
        sequence: 1,
        first: 1,
        durable: 0,
    };
    publisher.append(&segment_header(id, &first))?;
    let mut buffer = Vec::new();
    let batches = batches.into_iter().filter(|records| !records.is_empty());
    for (records, number) in batches.zip(1..) {
        let bytes = frame_bytes(&records);
        encode_frame(&mut buffer, seed(id), number, number - 1, &records, bytes);
        publisher.append(&buffer)?;
    }
    publisher.finish()?;
    Ok(())
}

/// Puts a log that [`begin_anew`] has written in its place. Says which files had to go elsewhere.
pub(crate) fn finish_healing<V: Vfs>(vfs: &V, dir: &Path) -> Result<Vec<Repair>, StorageError> {
    let entries = vfs.list(dir);
    let entries = entries.map_err(|error| StorageError::io("list", dir, error))?;
    if !entries.iter().any(|entry| entry.name == HEALED) {
        return Ok(Vec::new());
    }
    let rename = |from: &Path, to: &Path| {
        vfs.rename(from, to)
            .map_err(|error| StorageError::io("rename a file to", to, error))
    };
    let listing = list(vfs, dir)?;
    let segments = listing.segments.iter().map(|at| segment_path(dir, *at));
    let checkpoints = listing.checkpoints.iter();
    let checkpoints = checkpoints.map(|covers| crate::checkpoint::path(dir, *covers));
    let mut repairs = Vec::new();
    for path in segments.chain(checkpoints) {
        let kept = aside(&path, |name| entries.iter().any(|entry| entry.name == name));
        rename(&path, &kept)?;
        repairs.push(Repair::Replaced { path, kept });
    }
    sync_dir(vfs, dir)?;
    rename(&dir.join(HEALED), &segment_path(dir, 1))?;
    sync_dir(vfs, dir)?;
    Ok(repairs)
}

/// A free name for a damaged file.
fn aside(path: &Path, is_taken: impl Fn(&str) -> bool) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let names = (1_u64..).map(|count| match count {
        1 => format!("{name}{DAMAGED_SUFFIX}"),
        count => format!("{name}{DAMAGED_SUFFIX}-{count}"),
    });
    let mut free = names.filter(|name| !is_taken(name));
    path.with_file_name(free.next().unwrap_or_default())
}
