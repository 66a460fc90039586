//! Append log and checkpoints over a replaceable file system.
//!
//! A [`Log`] keeps batches of opaque records. What [`Log::sync`] confirmed is there after a crash
//! or a loss of power; a batch is there whole or not at all; damage is reported, never read.
//!
//! ```
//! use dhlrs_storage::{Log, LogOptions, MemoryVfs, RecoverFrom, Recovered, Survival};
//!
//! let disk = MemoryVfs::new();
//! let mut log = Log::open(disk.clone(), "orders", [7; 16], LogOptions::default())?;
//! log.append(&["set a 1", "set b 2"])?;
//! log.sync()?;
//! log.append(&["never confirmed"])?;
//! disk.power_loss(Survival::SyncedOnly);
//!
//! let log = Log::open(disk, "orders", [7; 16], LogOptions::default())?;
//! let mut recovery = log.recover(RecoverFrom::Newest)?;
//! let mut found = Vec::new();
//! while let Some(piece) = recovery.next_piece()? {
//!     if let Recovered::Batch { records, .. } = piece {
//!         found.extend(records.map(<[u8]>::to_vec));
//!     }
//! }
//! assert_eq!(found, [b"set a 1", b"set b 2"]);
//! # Ok::<(), dhlrs_storage::StorageError>(())
//! ```
//!
//! Synchronous: no tasks, no threads, no clock. All access to files goes through [`Vfs`]:
//! [`OsVfs`] is the operating system, [`MemoryVfs`] a twin that forgets what was not synced and
//! fails where it is told to. What the records mean is the affair of `dhlrs-store`.

mod checkpoint;
mod data_dir;
mod error;
mod frame;
mod inspection;
mod log;
mod memory_disk;
mod memory_vfs;
mod os_vfs;
mod position;
mod reader;
mod recovery;
mod salvage;
mod segment;
mod splitmix;
mod store_name;
mod vfs;

pub use checkpoint::{CHUNK_BYTES_MAX, CheckpointWriter};
pub use data_dir::DataDir;
pub use error::{StorageError, StorageErrorKind};
pub use frame::Records;
pub use inspection::Inspection;
pub use log::{BATCH_BYTES_MAX, Log, LogOptions, Prunable, PruneCheck, Pruned, Repair};
pub use memory_vfs::{Fault, MemoryFile, MemoryLock, MemoryVfs, SECTOR_BYTES, Survival};
pub use os_vfs::{OsFile, OsLock, OsVfs};
pub use position::LogPosition;
pub use recovery::{RecoverFrom, Recovered, Recovery};
pub use salvage::Salvaged;
pub use segment::FORMAT_VERSION;
pub use store_name::STORE_NAME_BYTES_MAX;
pub use vfs::{LockAttempt, Vfs, VfsCounts, VfsEntry, VfsFile};
