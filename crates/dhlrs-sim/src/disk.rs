//! The log of one store, driven as `dhlrs-node` drives it, one step after the other.

use std::collections::VecDeque;
use std::path::Path;

use dhlrs_feed::StoreId;
use dhlrs_storage::{
    Log, LogOptions, LogPosition, MemoryVfs, RecoverFrom, Recovered as Piece, Salvaged,
    StorageError, Vfs as _,
};
use dhlrs_store::{Image, Recovered, Replication, Salvage};

/// A segment of a simulated log: small, so that files come and go.
const SEGMENT_BYTES_MAX: u64 = 16 << 10;
const LOG_ID: [u8; 16] = [7; 16];

/// What a log is about to do.
#[derive(Debug)]
pub(crate) enum Task {
    /// Append and sync a ticket.
    Sync { ticket: u64 },
    /// Write a checkpoint.
    Checkpoint {
        position: LogPosition,
        image: Box<Image>,
    },
}

#[derive(Debug)]
pub(crate) struct StoreDisk {
    vfs: MemoryVfs,
    dir: String,
    log: Option<Log<MemoryVfs>>,
    /// Where the newest tickets ended.
    positions: VecDeque<(u64, LogPosition)>,
    pub(crate) tasks: VecDeque<Task>,
    /// Of which store it may be a replica.
    replica: Option<(StoreId, Replication)>,
}

impl StoreDisk {
    pub(crate) fn new(vfs: MemoryVfs, dir: &str, replica: Option<(StoreId, Replication)>) -> Self {
        Self {
            vfs,
            dir: dir.to_owned(),
            log: None,
            positions: VecDeque::new(),
            tasks: VecDeque::new(),
            replica,
        }
    }

    /// Opens the log, or makes a poisoned one writable again, and reads it back. A replica's damaged
    /// one is made anew.
    pub(crate) fn open(&mut self) -> Result<Vec<Recovered>, StorageError> {
        match self.read() {
            Err(error) if error.is_damage() && self.log.is_none() => {
                self.heal(error)?;
                self.read()
            }
            read => read,
        }
    }

    fn heal(&mut self, error: StorageError) -> Result<(), StorageError> {
        let Some((id, replication)) = &self.replica else {
            return Err(error);
        };
        let (vfs, dir) = (&self.vfs, Path::new(&self.dir));
        let mut salvage = Salvage::new(*id, replication.clone());
        Log::salvage(vfs, dir, |piece| match piece {
            Salvaged::Chunk(chunk) => salvage.chunk(chunk),
            Salvaged::Record { bytes, is_covered } => salvage.record(bytes, is_covered),
        })?;
        let random = vfs.counts().operations;
        match salvage.finish(random) {
            Some((batches, _)) => Log::begin_anew(vfs, dir, &LOG_ID, batches),
            None => Err(error),
        }
    }

    fn read(&mut self) -> Result<Vec<Recovered>, StorageError> {
        let log = match &mut self.log {
            Some(log) => {
                log.reopen()?;
                log
            }
            None => {
                let options = LogOptions {
                    segment_bytes_max: SEGMENT_BYTES_MAX,
                };
                let log = Log::open(self.vfs.clone(), self.dir.as_str(), LOG_ID, options)?;
                let chunks = chunks(&log)?;
                self.log = Some(log);
                return Ok(chunks);
            }
        };
        chunks(log)
    }

    /// Whether a ticket would be written to a log that failed and was not opened again.
    pub(crate) fn is_out_of_order(&self) -> bool {
        self.log.as_ref().is_none_or(Log::is_poisoned)
    }

    pub(crate) fn append(&mut self, ticket: u64, records: &[Vec<u8>]) -> Result<(), StorageError> {
        let Some(log) = &mut self.log else {
            return Ok(());
        };
        let position = log.append(records)?;
        self.positions.push_back((ticket, position));
        if self.positions.len() > 4 {
            self.positions.pop_front();
        }
        Ok(())
    }

    pub(crate) fn sync(&mut self) -> Result<(), StorageError> {
        match &mut self.log {
            Some(log) => log.sync().map(|_| ()),
            None => Ok(()),
        }
    }

    pub(crate) fn position_of(&self, ticket: u64) -> Option<LogPosition> {
        let found = self.positions.iter().rev().find(|(own, _)| *own == ticket);
        found.map(|(_, position)| *position)
    }

    pub(crate) fn checkpoint(
        &self,
        position: LogPosition,
        image: &Image,
    ) -> Result<(), CheckpointFailed> {
        let Some(log) = &self.log else { return Ok(()) };
        let mut writer = log.checkpoint(position)?;
        for chunk in image.chunks() {
            writer.push(&chunk.map_err(|error| CheckpointFailed(error.to_string()))?)?;
        }
        writer.finish()?;
        Ok(())
    }

    pub(crate) fn prune(&mut self) -> Result<(), StorageError> {
        match &mut self.log {
            Some(log) => log.prune(log.durable()).map(|_| ()),
            None => Ok(()),
        }
    }
}

/// A checkpoint was not written; the one before it stays.
#[derive(Debug)]
pub(crate) struct CheckpointFailed(pub(crate) String);

impl From<StorageError> for CheckpointFailed {
    fn from(error: StorageError) -> Self {
        Self(error.to_string())
    }
}

fn chunks(log: &Log<MemoryVfs>) -> Result<Vec<Recovered>, StorageError> {
    let mut chunks = Vec::new();
    let mut recovery = log.recover(RecoverFrom::Oldest)?;
    while let Some(piece) = recovery.next_piece()? {
        chunks.push(match piece {
            Piece::Chunk(bytes) => Recovered::Image(bytes.to_vec()),
            Piece::Batch { records, .. } => {
                Recovered::Records(records.map(<[u8]>::to_vec).collect())
            }
        });
    }
    if chunks.is_empty() {
        chunks.push(Recovered::Records(Vec::new()));
    }
    Ok(chunks)
}
