//! Opening a log: what is on disk for certain, what is not, and what never was.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::{Log, LogOptions, cut_file, make_dir};
use crate::checkpoint;
use crate::error::StorageError;
use crate::reader::{Found, SegmentReader};
use crate::salvage::{self, Salvaged, finish_healing};
use crate::segment::{
    Listing, Publisher, SEGMENT_HEADER_BYTES, Segment, list, publish, read_segment_header, remove,
    seed, segment_header, segment_path, sync_dir,
};
use crate::vfs::Vfs;

/// What opening found and put right.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repair {
    /// The last write did not finish, and had not been confirmed. It was cut off.
    TornTail {
        /// The file.
        path: PathBuf,
        /// Where it ends now.
        offset: u64,
        /// How much was cut off.
        bytes: u64,
    },
    /// A file that was being written, and never got its name, was removed.
    Leftover {
        /// The file.
        path: PathBuf,
    },
    /// A damaged file has given way to a new log of what could be read of it, and is kept.
    Replaced {
        /// What it was called.
        path: PathBuf,
        /// What it is called now.
        kept: PathBuf,
    },
}

impl<V: Vfs> Log<V> {
    /// Opens the log in `dir`, or begins one there if the directory holds none; `id` names a new
    /// log and is ignored for one that exists. It should be random: files of logs with different
    /// ids do not mix.
    ///
    /// Files and directory are synced before this returns, and what may not have reached the disk
    /// is written again to a new file, so that everything in the log is durable then. A write
    /// that did not finish is cut off and listed in [`repairs`](Self::repairs).
    ///
    /// Cost: reads the header of each segment file and all of the last one.
    ///
    /// # Errors
    /// `Corrupt` if what is there was damaged, `VersionTooNew`, or what the file system reports.
    /// A second attempt begins afresh.
    pub fn open(
        vfs: V,
        dir: impl Into<PathBuf>,
        id: [u8; 16],
        options: LogOptions,
    ) -> Result<Self, StorageError> {
        let dir = dir.into();
        make_dir(&vfs, &dir)?;
        let mut repairs = finish_healing(&vfs, &dir)?;
        let listing = list(&vfs, &dir)?;
        for name in &listing.temporary {
            let path = dir.join(name);
            remove(&vfs, &path)?;
            repairs.push(Repair::Leftover { path });
        }
        if listing.segments.is_empty() {
            return Self::begin(vfs, dir, id, options, &listing, repairs);
        }
        Self::resume(vfs, dir, options, &listing, repairs)
    }

    /// Hands over all that can be read of a damaged log: the newest checkpoint of which something can
    /// be read, then the records of all segments. Changes nothing; reads each file into memory.
    ///
    /// # Errors
    /// What the file system reports. Damage is none.
    pub fn salvage(
        vfs: &V,
        dir: &Path,
        take: impl FnMut(Salvaged<'_>),
    ) -> Result<(), StorageError> {
        salvage::salvage(vfs, dir, take)
    }

    /// Writes a log of these batches which takes the place of the damaged one when that is opened
    /// next; the damaged files are kept under other names. Whatever happens on the way, there is one
    /// or the other.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn begin_anew(
        vfs: &V,
        dir: &Path,
        id: &[u8; 16],
        batches: impl IntoIterator<Item = Vec<Vec<u8>>>,
    ) -> Result<(), StorageError> {
        salvage::begin_anew(vfs, dir, id, batches)
    }

    fn begin(
        vfs: V,
        dir: PathBuf,
        id: [u8; 16],
        options: LogOptions,
        listing: &Listing,
        repairs: Vec<Repair>,
    ) -> Result<Self, StorageError> {
        if !listing.checkpoints.is_empty() {
            return Err(StorageError::corrupt(
                &dir,
                0,
                "it has checkpoints but no log",
            ));
        }
        let segment = Segment {
            sequence: 1,
            first: 1,
            durable: 0,
        };
        let file = publish(&vfs, &segment_path(&dir, 1), &segment_header(&id, &segment))?;
        Ok(Self {
            vfs,
            dir,
            id,
            seed: seed(&id),
            options,
            segments: vec![segment],
            file,
            len_bytes: SEGMENT_HEADER_BYTES,
            durable_bytes: SEGMENT_HEADER_BYTES,
            end: 0,
            durable: 0,
            poisoned: false,
            buffer: Vec::new(),
            repairs,
        })
    }

    fn resume(
        vfs: V,
        dir: PathBuf,
        options: LogOptions,
        listing: &Listing,
        mut repairs: Vec<Repair>,
    ) -> Result<Self, StorageError> {
        let (id, mut segments) = read_headers(&vfs, &dir, &listing.segments)?;
        let last = segments.last().copied().unwrap_or(Segment {
            sequence: 0,
            first: 1,
            durable: 0,
        });
        let path = segment_path(&dir, last.sequence);
        let mut tail = Tail::read(&vfs, &path, &id, &last)?;
        if let Some(covers) = listing
            .checkpoints
            .last()
            .filter(|covers| **covers > tail.end)
        {
            let path = checkpoint::path(&dir, *covers);
            return Err(StorageError::corrupt(
                &path,
                0,
                "it covers more than the log holds",
            ));
        }
        tail.reader.sync(&path)?;
        sync_dir(&vfs, &dir)?;
        let len_bytes = tail.reader.len_bytes();
        let (file, len_bytes) = if tail.unsure.is_empty() && tail.end_bytes == len_bytes {
            (tail.reader.into_file(), len_bytes)
        } else {
            // A page that a failed sync left behind reads well and is not on disk; a sync does
            // not write it. So what no later batch vouches for goes into a new file.
            let (cut, first) = match tail.unsure.front() {
                Some(unsure) => (unsure.offset, unsure.number),
                None => (tail.end_bytes, tail.end + 1),
            };
            let next = Segment {
                sequence: last.sequence + 1,
                first,
                durable: tail.end,
            };
            let mut publisher = Publisher::create(&vfs, &segment_path(&dir, next.sequence))?;
            publisher.append(&segment_header(&id, &next))?;
            tail.reader
                .copy(cut, tail.end_bytes, |bytes| publisher.append(bytes))?;
            let file = publisher.finish()?;
            repairs.extend(tail.torn(&path));
            // The new file's `first` has cut the old one already; this only frees the room.
            let mut old = tail.reader.into_file();
            if cut == SEGMENT_HEADER_BYTES {
                drop(old);
                remove(&vfs, &path)?;
                segments.pop();
            } else {
                cut_file::<V>(&mut old, &path, cut)?;
            }
            segments.push(next);
            (file, SEGMENT_HEADER_BYTES + (tail.end_bytes - cut))
        };
        Ok(Self {
            vfs,
            dir,
            id,
            seed: seed(&id),
            options,
            segments,
            file,
            len_bytes,
            durable_bytes: len_bytes,
            end: tail.end,
            durable: tail.end,
            poisoned: false,
            buffer: Vec::new(),
            repairs,
        })
    }
}

/// The last segment as it was found.
pub(crate) struct Tail<V: Vfs> {
    reader: SegmentReader<V>,
    /// The last batch that is whole.
    pub(crate) end: u64,
    end_bytes: u64,
    // Batches that nothing proves to be on disk.
    unsure: VecDeque<Unsure>,
}

struct Unsure {
    number: u64,
    offset: u64,
}

impl<V: Vfs> Tail<V> {
    /// What of it is a write that did not finish.
    pub(crate) fn torn(&self, path: &Path) -> Option<Repair> {
        let bytes = self.reader.len_bytes() - self.end_bytes;
        (bytes > 0).then(|| Repair::TornTail {
            path: path.to_path_buf(),
            offset: self.end_bytes,
            bytes,
        })
    }

    pub(crate) fn read(
        vfs: &V,
        path: &Path,
        id: &[u8; 16],
        segment: &Segment,
    ) -> Result<Self, StorageError> {
        let mut reader = SegmentReader::open(vfs, path.to_path_buf(), seed(id), segment.first)?;
        let mut unsure = VecDeque::new();
        let mut durable = segment.durable;
        loop {
            let offset = reader.offset();
            let Found::Frame(header) = reader.next()? else {
                break;
            };
            durable = durable.max(header.durable);
            unsure.push_back(Unsure {
                number: header.number,
                offset,
            });
            while unsure
                .front()
                .is_some_and(|unsure| unsure.number <= durable)
            {
                unsure.pop_front();
            }
        }
        let (end, end_bytes) = (reader.expected() - 1, reader.offset());
        if end < durable {
            return Err(reader.corrupt(end_bytes, "batches that were on disk are missing"));
        }
        Ok(Self {
            reader,
            end,
            end_bytes,
            unsure,
        })
    }
}

fn read_headers<V: Vfs>(
    vfs: &V,
    dir: &Path,
    sequences: &[u64],
) -> Result<([u8; 16], Vec<Segment>), StorageError> {
    let mut log_id = None;
    let mut segments: Vec<Segment> = Vec::with_capacity(sequences.len());
    for sequence in sequences {
        let (id, segment) = read_segment_header(vfs, dir, *sequence)?;
        let mixed = *log_id.get_or_insert(id) != id;
        if mixed
            || segments
                .last()
                .is_some_and(|last| last.first > segment.first)
        {
            let path = segment_path(dir, *sequence);
            return Err(StorageError::corrupt(
                &path,
                16,
                "it does not belong to this log",
            ));
        }
        segments.push(segment);
    }
    Ok((log_id.unwrap_or_default(), segments))
}
