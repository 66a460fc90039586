//! A writer that knows what it was promised, and checks it.

use std::path::Path;

use dhlrs_storage::{Log, LogOptions, LogPosition, RecoverFrom, Recovered, StorageError, Vfs};

pub(crate) type Batch = Vec<Vec<u8>>;

pub(crate) const ID: [u8; 16] = [7; 16];
/// Small, so that a short history has many files.
pub(crate) const OPTIONS: LogOptions = LogOptions {
    segment_bytes_max: 4096,
};

pub(crate) fn open<V: Vfs>(vfs: &V, dir: &Path) -> Result<Log<V>, StorageError> {
    Log::open(vfs.clone(), dir, ID, OPTIONS)
}

/// The n-th batch of a history: no two alike, one to three records, some across sectors.
pub(crate) fn batch(n: u64) -> Batch {
    (0..=n % 3)
        .map(|record| {
            let mut bytes = format!("batch {n} record {record} ").into_bytes();
            let more = if n.is_multiple_of(8) {
                700
            } else {
                (n * 37 + record * 11) % 50
            };
            bytes.resize(bytes.len() + more as usize, b'a' + (n % 26) as u8);
            bytes
        })
        .collect()
}

/// All batches: those that the checkpoint stands for, then those of the log.
pub(crate) fn contents<V: Vfs>(
    log: &Log<V>,
    from: RecoverFrom,
) -> Result<Vec<Batch>, StorageError> {
    let mut recovery = log.recover(from)?;
    let (mut next, end) = (recovery.covers().get() + 1, recovery.end());
    let mut found = Vec::new();
    let mut covered = 0;
    while let Some(piece) = recovery.next_piece()? {
        match piece {
            Recovered::Chunk(chunk) => {
                found.push(unpack(chunk));
                covered += 1;
            }
            Recovered::Batch { position, records } => {
                assert_eq!(position.get(), next, "positions are contiguous");
                assert_eq!(records.len(), records.clone().count());
                found.push(records.map(<[u8]>::to_vec).collect());
                next += 1;
            }
        }
    }
    assert_eq!(covered, recovery.covers().get());
    assert_eq!(found.len() as u64, end.get());
    Ok(found)
}

/// Writes a checkpoint whose chunks are the batches that it covers.
pub(crate) fn checkpoint<V: Vfs>(log: &Log<V>, batches: &[Batch]) -> Result<(), StorageError> {
    let covers = LogPosition::new(batches.len() as u64);
    let mut writer = log.checkpoint(covers)?;
    for batch in batches {
        writer.push(&pack(batch))?;
    }
    assert_eq!(writer.finish()?, covers);
    Ok(())
}

fn pack(batch: &Batch) -> Vec<u8> {
    let mut chunk = Vec::new();
    for record in batch {
        chunk.extend_from_slice(&(record.len() as u32).to_le_bytes());
        chunk.extend_from_slice(record);
    }
    chunk
}

fn unpack(mut chunk: &[u8]) -> Batch {
    let mut batch = Vec::new();
    while let Some((len, rest)) = chunk.split_first_chunk() {
        let (record, rest) = rest.split_at(u32::from_le_bytes(*len) as usize);
        batch.push(record.to_vec());
        chunk = rest;
    }
    batch
}

/// Appends, syncs, checkpoints and prunes by a fixed plan, and remembers what it was told.
pub(crate) struct Driver<V: Vfs> {
    pub(crate) log: Log<V>,
    /// Confirmed, in order.
    pub(crate) kept: Vec<Batch>,
    /// Appended since, not confirmed.
    pub(crate) in_flight: Vec<Batch>,
    step: u64,
}

impl<V: Vfs> Driver<V> {
    pub(crate) fn new(log: Log<V>) -> Self {
        Self {
            log,
            kept: Vec::new(),
            in_flight: Vec::new(),
            step: 0,
        }
    }

    pub(crate) fn run(&mut self, steps: u64) -> Result<(), StorageError> {
        (0..steps).try_for_each(|_| self.step())
    }

    pub(crate) fn step(&mut self) -> Result<(), StorageError> {
        self.step += 1;
        let batch = batch(self.step);
        self.in_flight.push(batch);
        let position = self.log.append(self.in_flight.last().unwrap())?;
        assert_eq!(
            position.get(),
            (self.kept.len() + self.in_flight.len()) as u64
        );
        // Every fourth time two batches share a sync.
        if !self.step.is_multiple_of(4) {
            self.sync()?;
        }
        if self.step.is_multiple_of(23) {
            checkpoint(&self.log, &self.kept)?;
        }
        if self.step.is_multiple_of(46) {
            // One checkpoint back: the newest is not the only one.
            self.log
                .prune(LogPosition::new(self.kept.len() as u64 - 10))?;
        }
        Ok(())
    }

    pub(crate) fn sync(&mut self) -> Result<(), StorageError> {
        // What appending may have confirmed already, on its way into a new file.
        self.settle();
        self.log.sync()?;
        self.settle();
        assert!(self.in_flight.is_empty());
        Ok(())
    }

    fn settle(&mut self) {
        let confirmed = self.log.durable().get() as usize - self.kept.len();
        self.kept.extend(self.in_flight.drain(..confirmed));
    }

    /// Goes on with a log that was opened after a crash: all that was confirmed is there, and of
    /// what was in flight any beginning.
    #[track_caller]
    pub(crate) fn resume(&mut self, log: Log<V>) {
        self.log = log;
        let found = self.check();
        assert!(
            found.len() >= self.kept.len(),
            "{} of {}",
            found.len(),
            self.kept.len()
        );
        let all: Vec<&Batch> = self.kept.iter().chain(&self.in_flight).collect();
        assert!(found.len() <= all.len());
        assert!(
            found
                .iter()
                .zip(all)
                .all(|(found, written)| found == written),
            "not as written"
        );
        self.kept = found;
        self.in_flight.clear();
    }

    /// Makes a poisoned log writable: what was confirmed is there, nothing else is.
    #[track_caller]
    pub(crate) fn reopen(&mut self) -> Result<(), StorageError> {
        self.log.reopen()?;
        // An append may have synced what was before it, and then failed.
        self.settle();
        assert!(
            self.check() == self.kept,
            "a reopened log holds what was confirmed"
        );
        self.in_flight.clear();
        Ok(())
    }

    #[track_caller]
    fn check(&self) -> Vec<Batch> {
        let found = contents(&self.log, RecoverFrom::Newest).unwrap();
        assert!(
            contents(&self.log, RecoverFrom::Oldest).unwrap() == found,
            "one state from both"
        );
        found
    }
}
