//! Whole clusters in one thread, from one seed: engines over networks, disks and clocks that fail.
//!
//! A [`Cluster`] drives the engines and logs of its nodes as `dhlrs-node` drives those of one
//! process. Time passes only from event to event, and every choice comes from the seed, so the same
//! seed gives the same history, and a history that went wrong can be looked at again.
//!
//! ```
//! use dhlrs_bag::Edit;
//! use dhlrs_sim::{Cluster, Loss};
//!
//! let mut cluster = Cluster::new(7);
//! let (laptop, base) = (cluster.add_node("laptop/cli"), cluster.add_node("base/main"));
//! cluster.add_store(base, "orders", |config| config.logged = true);
//! cluster.connect(laptop, base);
//! cluster.run_for(1_000);
//!
//! let edit = Edit::set("o1.status".parse()?, "paid");
//! let call = cluster.write(laptop, "base/main/orders", vec![edit.into()], 5_000);
//! cluster.run_for(1_000);
//! assert!(matches!(cluster.answer(call), Some(Ok(_))));
//!
//! cluster.crash(base, Loss::Unsynced);
//! cluster.restart(base);
//! cluster.run_for(1_000);
//! let tree = cluster.published(base, "orders").ok_or("no store")?;
//! assert_eq!(tree.get("o1.status").and_then(|value| value.as_text()), Some("paid"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`storm`] is a history of faults made from a seed, with what must hold all the time and at its
//! end; [`mesh`] is the same for replicated stores. No tokio, no sockets, no files, no threads.

mod calls;
mod cluster;
mod dice;
mod disk;
mod driving;
mod event;
pub mod mesh;
mod network;
mod node;
pub mod storm;
mod stranger;
mod trace;
mod wiring;

pub use calls::{Call, Fate};
pub use cluster::{Cluster, Happening};
pub use dice::Dice;
pub use network::{Traffic, Weather, WireId};
pub use node::{Loss, NodeIndex};
pub use stranger::Stranger;
