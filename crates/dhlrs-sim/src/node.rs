//! One simulated process: an engine, its disk, its clocks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use dhlrs_clock::Time;
use dhlrs_engine::{Engine, Input, REMOTE_RESOLVER};
use dhlrs_identity::{KeyedHashSigner, KeyedHashVerifier, PublicKey};
use dhlrs_path::{NodeName, StoreName};
use dhlrs_resolver::{Limits, Registry, ResolverOptions, Resolvers};
use dhlrs_storage::MemoryVfs;

use crate::cluster::Cluster;
use crate::disk::StoreDisk;

/// A node of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub usize);

/// What a crash takes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The process dies; the disk keeps all that was written.
    Process,
    /// Power is lost: what was not synced is gone.
    Unsynced,
    /// Power is lost: of what was not synced any part is left, as the seed picks.
    Torn,
}

pub(crate) const REALM: [u8; 32] = [0x51; 32];
/// 2023-11-14, the wall clock of a node without skew when a simulation begins.
const WALL_MS: u64 = 1_700_000_000_000;

pub(crate) type Setup = Box<dyn Fn(&mut dhlrs_store::Config)>;

pub(crate) struct Node {
    pub(crate) name: NodeName,
    key: PublicKey,
    pub(crate) announced: bool,
    pub(crate) engine: Option<Engine>,
    pub(crate) vfs: MemoryVfs,
    pub(crate) setups: BTreeMap<StoreName, Setup>,
    pub(crate) disks: BTreeMap<StoreName, StoreDisk>,
    /// How often it was started; an event of an earlier life means nothing to it.
    pub(crate) life: u64,
    pub(crate) paused: bool,
    /// What happens to it while it is paused.
    pub(crate) backlog: VecDeque<Input>,
    pub(crate) skew_ms: i64,
    /// What its monotonic clock shows beyond the cluster's.
    pub(crate) monotonic_ahead_ms: u64,
    /// When it is to be woken, in the cluster's time.
    pub(crate) wake_ms: Option<u64>,
}

impl Cluster {
    /// Adds a node that has the key and the disk of another one, as a machine has that was cloned. Its
    /// stores are added as those of any node.
    pub fn clone_node(&mut self, of: NodeIndex, name: &str) -> NodeIndex {
        let clone = self.add_node(name);
        let own = self
            .nodes
            .get(of.0)
            .map(|own| (own.key, own.vfs.duplicate()));
        self.crash(clone, Loss::Process);
        if let (Some((key, vfs)), Some(node)) = (own, self.nodes.get_mut(clone.0)) {
            node.key = key;
            node.vfs = vfs;
        }
        self.restart(clone);
        clone
    }

    /// Gives a node that is down another disk, as who puts a backup back does.
    pub fn replace_disk(&mut self, node: NodeIndex, disk: &MemoryVfs) {
        if let Some(own) = self.nodes.get_mut(node.0)
            && own.engine.is_none()
        {
            own.vfs = disk.duplicate();
        }
    }
}

impl Node {
    pub(crate) fn new(index: usize, name: NodeName) -> Self {
        let mut key = [0; 32];
        key[0] = 1;
        key[1..9].copy_from_slice(&(index as u64).to_le_bytes());
        Self {
            name,
            key: PublicKey::from_bytes(key),
            announced: true,
            engine: None,
            vfs: MemoryVfs::new(),
            setups: BTreeMap::new(),
            disks: BTreeMap::new(),
            life: 0,
            paused: false,
            backlog: VecDeque::new(),
            skew_ms: 0,
            monotonic_ahead_ms: 0,
            wake_ms: None,
        }
    }

    /// Makes the engine of a new life. Stores are opened one by one afterwards.
    pub(crate) fn start(&mut self, seed: u64) {
        self.life += 1;
        let mut entropy = blake3::Hasher::new();
        entropy.update(&seed.to_le_bytes());
        entropy.update(self.name.as_str().as_bytes());
        entropy.update(&self.life.to_le_bytes());
        let engine = Engine::new(dhlrs_engine::Config {
            link: dhlrs_link::Config::new(self.name.clone()),
            signer: Arc::new(KeyedHashSigner::new(REALM, self.key)),
            verifier: Arc::new(KeyedHashVerifier::new(REALM)),
            announced: self.announced,
            entropy: *entropy.finalize().as_bytes(),
        });
        self.engine = Some(engine);
        self.disks.clear();
        self.wake_ms = None;
    }

    /// Adds a store to the engine; says whether it has a log to be recovered, and why not.
    pub(crate) fn open_store(&mut self, name: &StoreName) -> Result<bool, String> {
        let (Some(engine), Some(setup)) = (&mut self.engine, self.setups.get(name)) else {
            return Ok(false);
        };
        let entropy = engine.entropy_for(name);
        let mut config = dhlrs_store::Config::new(self.name.clone(), name.clone(), entropy);
        config.replication = Some(dhlrs_store::Replication::new(engine.keys()));
        setup(&mut config);
        let logged = config.logged;
        let id = config.store_id();
        let replica = config
            .replication
            .clone()
            .map(|replication| (id, replication));
        engine
            .open_store(config, resolvers()?)
            .map_err(|error| error.to_string())?;
        if logged {
            let disk = StoreDisk::new(self.vfs.clone(), name.as_str(), replica);
            self.disks.insert(name.clone(), disk);
        }
        Ok(logged)
    }

    pub(crate) fn time(&self, now_ms: u64) -> Time {
        Time {
            wall_ms: (WALL_MS + now_ms).saturating_add_signed(self.skew_ms),
            monotonic_ms: now_ms + self.monotonic_ahead_ms,
        }
    }

    /// When the engine wants to be woken, in the cluster's time.
    pub(crate) fn wants_wake_ms(&self) -> Option<u64> {
        let wake_ms = self.engine.as_ref()?.next_wake_ms()?;
        Some(wake_ms.saturating_sub(self.monotonic_ahead_ms))
    }
}

/// What every process knows: the remote resolver, for those who bind it.
fn resolvers() -> Result<Resolvers, String> {
    let mut registry = Registry::new();
    let options = ResolverOptions {
        bindings_only: true,
        ..ResolverOptions::default()
    };
    registry
        .register(REMOTE_RESOLVER, options)
        .map_err(|error| error.to_string())?;
    Ok(Resolvers::new(registry, Limits::default()))
}
