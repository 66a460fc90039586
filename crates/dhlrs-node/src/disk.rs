//! The log of one store, on a thread of its own.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dhlrs_engine::Input;
use dhlrs_feed::StoreId;
use dhlrs_path::StoreName;
use dhlrs_storage::{
    CheckpointWriter, DataDir, Log, LogOptions, LogPosition, Prunable, PruneCheck, RecoverFrom,
    Recovered as Piece, Recovery, Salvaged, StorageError, Vfs,
};
use dhlrs_store::{Image, Recovered, Replication, Salvage};
use tokio::sync::{mpsc, oneshot};
use tracing::{info, warn};

/// Jobs of one store that wait for its thread. One ticket is out at a time, and one checkpoint is
/// read, so more do not come.
const JOBS_MAX: usize = 8;
/// Inputs from all disks that wait for the driver.
pub(crate) const DISK_INPUTS_MAX: usize = 8;
/// Recovered records that are handed over at once.
const RECORDS_BYTES: usize = 1 << 20;
/// The first pause before a log that failed is opened again; it doubles up to
/// [`REOPEN_MS_MAX`].
const REOPEN_MS_MIN: u64 = 50;
const REOPEN_MS_MAX: u64 = 5_000;

/// A file system that data directories can be on; hides which one.
pub(crate) trait Disks: Send + Sync {
    /// Takes a data directory. Blocks.
    fn open(&self, dir: &Path) -> Result<Box<dyn DataDirectory>, StorageError>;
    /// Whether its files are those of the operating system, so that an identity file can lie there.
    fn is_real(&self) -> bool;
}

/// A data directory that is ours until its last thread has ended.
pub(crate) trait DataDirectory: Send + Sync {
    fn stores(&self) -> Result<Vec<String>, StorageError>;
    fn identity_path(&self) -> PathBuf;
    /// Starts the thread of a store, which first recovers the log. `inputs` gets what it has to say.
    fn open_store(
        &self,
        store: &StoreName,
        id: [u8; 16],
        inputs: mpsc::Sender<Input>,
        skips_replay: bool,
        replica: Option<(StoreId, Replication)>,
    ) -> std::io::Result<Opening>;
}

/// A store's thread, and the word that its log has been read.
pub(crate) struct Opening {
    pub(crate) disk: Disk,
    pub(crate) ready: oneshot::Receiver<Result<(), StorageError>>,
}

/// The driver's end of a store's thread. Dropping it lets the thread end by itself.
#[derive(Debug)]
pub(crate) struct Disk {
    jobs: mpsc::Sender<Job>,
    ended: oneshot::Receiver<()>,
}

#[derive(Debug)]
pub(crate) enum Job {
    Persist {
        ticket: u64,
        records: Vec<Vec<u8>>,
    },
    Checkpoint {
        ticket: u64,
        image: Box<Image>,
    },
    Prune,
    /// A checkpoint was read and is good: what is older can go.
    Remove {
        prunable: Prunable,
    },
}

impl Disk {
    /// Hands over a job; gives it back if the thread has ended or is swamped.
    pub(crate) fn take(&self, job: Job) -> Result<(), Job> {
        self.jobs
            .try_send(job)
            .map_err(mpsc::error::TrySendError::into_inner)
    }

    /// Waits until all jobs are done and the log is closed.
    pub(crate) async fn close(self) {
        let Self { jobs, ended } = self;
        drop(jobs);
        // An error means the same: the thread is gone.
        let _ = ended.await;
    }
}

/// Data directories on one [`Vfs`].
pub(crate) struct VfsDisks<V> {
    pub(crate) vfs: V,
    pub(crate) is_real: bool,
}

impl<V: Vfs> Disks for VfsDisks<V> {
    fn open(&self, dir: &Path) -> Result<Box<dyn DataDirectory>, StorageError> {
        let dir = DataDir::open(self.vfs.clone(), dir)?;
        Ok(Box::new(VfsDataDirectory { dir: Arc::new(dir) }))
    }

    fn is_real(&self) -> bool {
        self.is_real
    }
}

struct VfsDataDirectory<V: Vfs> {
    dir: Arc<DataDir<V>>,
}

impl<V: Vfs> DataDirectory for VfsDataDirectory<V> {
    fn stores(&self) -> Result<Vec<String>, StorageError> {
        self.dir.stores()
    }

    fn identity_path(&self) -> PathBuf {
        self.dir.identity_path()
    }

    fn open_store(
        &self,
        store: &StoreName,
        id: [u8; 16],
        inputs: mpsc::Sender<Input>,
        skips_replay: bool,
        replica: Option<(StoreId, Replication)>,
    ) -> std::io::Result<Opening> {
        let (jobs, todo) = mpsc::channel(JOBS_MAX);
        let (is_ready, ready) = oneshot::channel();
        let (has_ended, ended) = oneshot::channel();
        let worker = Worker {
            store: store.clone(),
            jobs: todo,
            to_jobs: jobs.downgrade(),
            inputs,
            skips_replay,
            replica,
        };
        let dir = self.dir.clone();
        thread::Builder::new()
            .name(format!("dhlrs {store}"))
            .spawn(move || {
                worker.run(&dir, id, is_ready);
                // The directory's lock goes before anybody hears that we have ended.
                drop(dir);
                let _ = has_ended.send(());
            })?;
        Ok(Opening {
            disk: Disk { jobs, ended },
            ready,
        })
    }
}

struct Worker {
    store: StoreName,
    jobs: mpsc::Receiver<Job>,
    // For the threads beside this one; the driver's end of the queue is what keeps us.
    to_jobs: mpsc::WeakSender<Job>,
    inputs: mpsc::Sender<Input>,
    skips_replay: bool,
    /// Of which store it may be a replica, which gets from others what a damaged log has lost.
    replica: Option<(StoreId, Replication)>,
}

/// The driver is gone.
struct Over;

enum Failed {
    Storage(StorageError),
    Over,
}

impl From<StorageError> for Failed {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl From<Over> for Failed {
    fn from(_: Over) -> Self {
        Self::Over
    }
}

impl Worker {
    fn run<V: Vfs>(
        mut self,
        dir: &DataDir<V>,
        id: [u8; 16],
        is_ready: oneshot::Sender<Result<(), StorageError>>,
    ) {
        let opened = match self.open(dir, id) {
            Err(Failed::Storage(error)) if error.is_damage() => {
                self.heal(dir, id, error).and_then(|()| self.open(dir, id))
            }
            opened => opened,
        };
        let mut log = match opened {
            Ok(log) => log,
            Err(Failed::Storage(error)) => {
                let _ = is_ready.send(Err(error));
                return;
            }
            Err(Failed::Over) => return,
        };
        for repair in log.repairs() {
            info!(store = %self.store, ?repair, "the log was put right");
        }
        let _ = is_ready.send(Ok(()));
        let mut checkpoint: Option<JoinHandle<()>> = None;
        let mut check: Option<JoinHandle<()>> = None;
        let mut last_ticket = 0;
        while let Some(job) = self.jobs.blocking_recv() {
            let went_on = match job {
                Job::Persist { ticket, records } => {
                    self.persist(&mut log, ticket, &records, &mut last_ticket)
                }
                Job::Checkpoint { ticket, image } => {
                    join(&mut checkpoint);
                    if ticket == last_ticket {
                        checkpoint = self.checkpoint(&log, image);
                        Ok(())
                    } else {
                        self.say(Input::Checkpointed {
                            store: self.store.clone(),
                        })
                    }
                }
                Job::Prune => {
                    // If the last one is still being read, the next checkpoint lets both go.
                    if check.as_ref().is_none_or(JoinHandle::is_finished) {
                        join(&mut check);
                        check = self.check(&log);
                    }
                    Ok(())
                }
                Job::Remove { prunable } => {
                    if let Err(error) = log.remove_prunable(prunable) {
                        not_removed(&self.store, &error);
                    }
                    Ok(())
                }
            };
            if went_on.is_err() {
                break;
            }
        }
        // Nobody waits for room in a queue that is read no more.
        self.jobs.close();
        join(&mut checkpoint);
        join(&mut check);
    }

    fn open<V: Vfs>(&self, dir: &DataDir<V>, id: [u8; 16]) -> Result<Log<V>, Failed> {
        let log = dir.open_log(self.store.as_str(), id, LogOptions::default())?;
        self.recover(&log)?;
        Ok(log)
    }

    /// Puts a new log in the place of a replica's damaged one, of what is whole in it. Of an owned
    /// store nobody else has the rest: a person has to decide, and `error` stays.
    fn heal<V: Vfs>(
        &self,
        dir: &DataDir<V>,
        id: [u8; 16],
        error: StorageError,
    ) -> Result<(), Failed> {
        let Some((store_id, replication)) = &self.replica else {
            return Err(error.into());
        };
        let mut salvage = Salvage::new(*store_id, replication.clone());
        dir.salvage(self.store.as_str(), |piece| match piece {
            Salvaged::Chunk(chunk) => salvage.chunk(chunk),
            Salvaged::Record { bytes, is_covered } => salvage.record(bytes, is_covered),
        })?;
        let [a, b, c, d, e, f, g, h, ..] = id;
        let Some((batches, events)) = salvage.finish(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
        else {
            return Err(error.into());
        };
        let store = &self.store;
        for damaged in dir.inspect(store.as_str(), |_| {})?.damaged {
            warn!(%store, error = %Cause(&damaged), "damaged");
        }
        dir.begin_anew(store.as_str(), id, batches)?;
        warn!(
            %store,
            events,
            "the log was damaged. What is whole of its events is kept, the rest comes from other replicas; sessions, revisions \
             and forwards begin anew. The damaged files are kept beside the log"
        );
        // What was handed over of the damaged log is void.
        let message = Cause(&error).to_string();
        self.say(Input::PersistFailed {
            store: store.clone(),
            message,
        })?;
        Ok(())
    }

    fn say(&self, input: Input) -> Result<(), Over> {
        self.inputs.blocking_send(input).map_err(|_| Over)
    }

    fn persist<V: Vfs>(
        &mut self,
        log: &mut Log<V>,
        ticket: u64,
        records: &[Vec<u8>],
        last_ticket: &mut u64,
    ) -> Result<(), Over> {
        let mut error = match log.append(records).and_then(|_| log.sync()) {
            Ok(_) => {
                *last_ticket = ticket;
                return self.say(Input::Durable {
                    store: self.store.clone(),
                    ticket,
                });
            }
            Err(error) => error,
        };
        // What was out has an unknown outcome; the log goes on from what is known to be on disk.
        let mut pause_ms = REOPEN_MS_MIN;
        loop {
            warn!(store = %self.store, error = %Cause(&error), "the log failed");
            self.say(Input::PersistFailed {
                store: self.store.clone(),
                message: Cause(&error).to_string(),
            })?;
            let again = log
                .reopen()
                .map_err(Failed::from)
                .and_then(|_| self.recover(log));
            error = match again {
                Ok(()) => {
                    info!(store = %self.store, "the log is open again");
                    return Ok(());
                }
                Err(Failed::Storage(error)) => error,
                Err(Failed::Over) => return Err(Over),
            };
            self.pause(pause_ms)?;
            pause_ms = (pause_ms * 2).min(REOPEN_MS_MAX);
        }
    }

    /// Sleeps, but not when nobody is left to work for.
    fn pause(&self, pause_ms: u64) -> Result<(), Over> {
        let mut left_ms = pause_ms;
        while left_ms > 0 {
            if self.jobs.is_closed() || self.inputs.is_closed() {
                return Err(Over);
            }
            let step_ms = left_ms.min(REOPEN_MS_MIN);
            thread::sleep(Duration::from_millis(step_ms));
            left_ms -= step_ms;
        }
        Ok(())
    }

    /// Hands over the whole log, from the oldest checkpoint that is kept: the changes since then
    /// fill the window of watches that resume.
    fn recover<V: Vfs>(&self, log: &Log<V>) -> Result<(), Failed> {
        let mut recovery = log.recover(RecoverFrom::Oldest)?;
        let mut records = Vec::new();
        let mut bytes = 0;
        while let Some(piece) = recovery.next_piece()? {
            match piece {
                Piece::Chunk(chunk) => {
                    self.recovered(Recovered::Image(chunk.to_vec()), false)?;
                }
                Piece::Batch { .. } if self.skips_replay => {}
                Piece::Batch { records: batch, .. } => {
                    for record in batch {
                        bytes += record.len();
                        records.push(record.to_vec());
                        if bytes >= RECORDS_BYTES {
                            bytes = 0;
                            self.recovered(
                                Recovered::Records(std::mem::take(&mut records)),
                                false,
                            )?;
                        }
                    }
                }
            }
        }
        self.tell_what_is_lost(&recovery);
        self.recovered(Recovered::Records(records), true)?;
        Ok(())
    }

    fn tell_what_is_lost<V: Vfs>(&self, recovery: &Recovery<V>) {
        let (store, covers) = (&self.store, recovery.covers());
        for damaged in recovery.skipped() {
            let error = Cause(damaged);
            if covers == LogPosition::START {
                warn!(%store, %error, "a damaged checkpoint was passed over; the log has all that it stood for");
                continue;
            }
            warn!(
                %store,
                %error,
                "a part of the log is damaged and was passed over. The tree is whole, but the changes of the log's first \
                 {covers} batches are lost to those who still wanted them: a watch that resumes there ends as \
                 compacted, and a forward does not send what it had not sent. Compare the targets of forwards"
            );
        }
    }

    fn recovered(&self, chunk: Recovered, last: bool) -> Result<(), Over> {
        self.say(Input::Recovered {
            store: self.store.clone(),
            chunk,
            last,
        })
    }

    /// Writes a checkpoint beside the log, on a thread of its own, so that no ticket waits for it.
    fn checkpoint<V: Vfs>(&self, log: &Log<V>, image: Box<Image>) -> Option<JoinHandle<()>> {
        let covers: LogPosition = log.durable();
        let (store, inputs) = (self.store.clone(), self.inputs.clone());
        let writer = log.checkpoint(covers);
        let write = move || {
            match writer
                .map_err(|error| Cause(&error).to_string())
                .and_then(|w| write(w, &image))
            {
                Ok(()) => info!(%store, %covers, "checkpoint written"),
                // The log is kept from the last good checkpoint on, so nothing is lost by it.
                Err(error) => warn!(%store, %error, "a checkpoint was not written"),
            }
            let _ = inputs.blocking_send(Input::Checkpointed { store });
        };
        let thread = thread::Builder::new().name(format!("dhlrs {} checkpoint", self.store));
        match thread.spawn(write) {
            Ok(thread) => Some(thread),
            Err(error) => {
                warn!(store = %self.store, %error, "a checkpoint was not written");
                let _ = self.say(Input::Checkpointed {
                    store: self.store.clone(),
                });
                None
            }
        }
    }

    /// Reads the newest checkpoint beside the log, on a thread of its own, so that no ticket waits
    /// for it. What is older goes only if that one is good.
    fn check<V: Vfs>(&self, log: &Log<V>) -> Option<JoinHandle<()>> {
        let check = log.checkpoints().and_then(|all| match all.last() {
            Some(newest) => log.check_prune(*newest).map(Some),
            None => Ok(None),
        });
        let (store, jobs) = (self.store.clone(), self.to_jobs.clone());
        let read = move |check: PruneCheck<V>| match check.run() {
            Ok(Some(prunable)) => {
                // A store that is being closed finds it again some day.
                if let Some(jobs) = jobs.upgrade() {
                    let _ = jobs.blocking_send(Job::Remove { prunable });
                }
            }
            Ok(None) => {}
            Err(error) => not_removed(&store, &error),
        };
        let thread = thread::Builder::new().name(format!("dhlrs {} prune", self.store));
        match check {
            Ok(Some(check)) => match thread.spawn(move || read(check)) {
                Ok(thread) => return Some(thread),
                Err(error) => {
                    warn!(store = %self.store, %error, "old parts of the log were not removed");
                }
            },
            Ok(None) => {}
            Err(error) => not_removed(&self.store, &error),
        }
        None
    }
}

fn not_removed(store: &StoreName, error: &StorageError) {
    warn!(%store, error = %Cause(error), "old parts of the log were not removed");
}

fn join(thread: &mut Option<JoinHandle<()>>) {
    if let Some(thread) = thread.take()
        && thread.join().is_err()
    {
        warn!("a thread that writes or reads checkpoints panicked");
    }
}

fn write<V: Vfs>(mut writer: CheckpointWriter<V>, image: &Image) -> Result<(), String> {
    for chunk in image.chunks() {
        let chunk = chunk.map_err(|error| error.to_string())?;
        writer
            .push(&chunk)
            .map_err(|error| Cause(&error).to_string())?;
    }
    writer
        .finish()
        .map(drop)
        .map_err(|error| Cause(&error).to_string())
}

/// A storage error with what the operating system said.
struct Cause<'a>(&'a StorageError);

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
        match std::error::Error::source(self.0) {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}
