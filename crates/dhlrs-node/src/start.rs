//! Starting a node: each step may fail, and then nothing of the ones before is left.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use dhlrs_engine::{Config, Engine, Input, REMOTE_RESOLVER};
use dhlrs_identity::Ed25519Verifier;
use dhlrs_path::StoreName;
use dhlrs_resolver::{Limits, Registry as Resolvable, ResolverOptions, Resolvers};
use dhlrs_storage::StorageError;
use dhlrs_store::{Authority, Replication};
use dhlrs_transport::{Registry, TransportUrl};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::builder::NodeBuilder;
use crate::clock::Clock;
use crate::command::COMMANDS_MAX;
use crate::dialer::Dialer;
use crate::disk::{DISK_INPUTS_MAX, DataDirectory, Disks};
use crate::driver::{Driver, State};
use crate::entropy::random_bytes;
use crate::error::{NodeError, NodeErrorKind};
use crate::identity::Identity;
use crate::listening::Bound;
use crate::neighbours::Neighbours;
use crate::node::{Node, Running};
use crate::resolver_tasks::ResolverTasks;
use crate::shared::{Published, Shared};
use crate::signals::Signals;
use crate::store_options::StoreOptions;

pub(crate) async fn start(builder: NodeBuilder) -> Result<Node, NodeError> {
    let registry = Arc::new(transports(&builder)?);
    let connects = urls(&registry, &builder.connects)?;
    let listens = urls(&registry, &builder.listens)?;
    let resolvable = resolvable(&builder)?;
    let data = match &builder.data_dir {
        Some(dir) => Some(open_dir(builder.disks.clone(), dir).await?),
        None => None,
    };
    let identity = identity(&builder, data.as_deref())?;
    let mut engine = engine(&builder, &identity)?;
    let somebody_is_allowed = !builder.allowed.is_empty();
    let mut bound = Vec::new();
    for url in &listens {
        bound.push(Bound::bind(&registry, url, somebody_is_allowed).await?);
    }
    let listen_urls: Vec<String> = bound.iter().map(|bound| bound.url().to_string()).collect();
    engine.describe(
        listen_urls.iter().cloned(),
        &registry.schemes().collect::<Vec<_>>(),
    );

    let stores = stores(builder.stores, data.as_deref())?;
    let (to_commands, commands) = mpsc::channel(COMMANDS_MAX);
    let (to_driver, from_disks) = mpsc::channel(DISK_INPUTS_MAX);
    let (neighbours, seen) = watch::channel(Neighbours::new(connects.len()));
    let mut open = Opened::default();
    for options in stores {
        let restored = builder.restored;
        let durable = data.as_deref().filter(|_| !options.in_memory);
        open.open(
            &mut engine,
            options,
            &resolvable,
            restored,
            durable,
            &to_driver,
            builder.skips_replay,
        )?;
    }
    // From here on only the stores' threads have one, so that its end is theirs.
    drop(to_driver);

    let neighbours = Arc::new(neighbours);
    let signals = Arc::new(Signals::default());
    let calls = Arc::new(AtomicU64::new(0));
    let (here, is_there) = watch::channel(());
    let shared = Shared {
        node: builder.name,
        key: identity.key(),
        listen_urls,
        commands: to_commands.clone(),
        signals: signals.clone(),
        calls: calls.clone(),
        published: open.readers,
        neighbours: seen,
        driver: is_there,
    };
    let driver = Driver {
        engine,
        clock: Clock::new(),
        commands,
        to_commands: to_commands.clone(),
        from_disks,
        signals,
        calls,
        disks: open.disks,
        opening: open.opening,
        published: open.published,
        neighbours: neighbours.clone(),
        resolvers: ResolverTasks::new(builder.code),
        state: State::new(),
        _here: here,
    };
    let mut outside = JoinSet::new();
    let running = Running::new(tokio::spawn(driver.run()));
    open.opened.all().await?;

    for bound in bound {
        outside.spawn(bound.run(to_commands.clone()));
    }
    for (place, url) in connects.into_iter().enumerate() {
        let seed = random_bytes()?;
        let dialer = Dialer {
            place,
            url,
            registry: registry.clone(),
            commands: to_commands.clone(),
            neighbours: neighbours.clone(),
            seed: u64::from_le_bytes(*seed.first_chunk().unwrap_or(&[0; 8])),
        };
        outside.spawn(dialer.run());
    }
    Ok(Node::new(Arc::new(shared), running, outside))
}

fn transports(builder: &NodeBuilder) -> Result<Registry, NodeError> {
    let mut registry = Registry::new();
    for (scheme, transport) in &builder.transports {
        registry
            .register(scheme, transport.clone())
            .map_err(|error| {
                NodeError::caused_by(NodeErrorKind::Transport, error.to_string(), error)
            })?;
    }
    #[cfg(feature = "websocket")]
    {
        let default: Arc<dyn dhlrs_transport::Transport> =
            Arc::new(dhlrs_transport_websocket::WebSocketTransport::new());
        for scheme in ["ws", "wss"] {
            if !builder.transports.iter().any(|(given, _)| given == scheme) {
                // It is free, and a good scheme.
                let _ = registry.register(scheme, default.clone());
            }
        }
    }
    Ok(registry)
}

fn urls(registry: &Registry, texts: &[String]) -> Result<Vec<TransportUrl>, NodeError> {
    texts
        .iter()
        .map(|text| {
            let url: TransportUrl = text.parse()?;
            registry.transport(&url)?;
            Ok(url)
        })
        .collect::<Result<_, _>>()
        .map_err(NodeError::connecting)
}

/// The resolvers that every store knows.
fn resolvable(builder: &NodeBuilder) -> Result<Resolvable, NodeError> {
    let mut registry = Resolvable::new();
    // What others write must not make this process ask anybody.
    let remote = ResolverOptions {
        bindings_only: true,
        ..ResolverOptions::default()
    };
    let remote = (REMOTE_RESOLVER.to_owned(), remote);
    for (name, options) in builder.resolvers.iter().chain([&remote]) {
        registry.register(name, options.clone()).map_err(|error| {
            NodeError::caused_by(NodeErrorKind::Config, error.to_string(), error)
        })?;
    }
    Ok(registry)
}

async fn open_dir(disks: Arc<dyn Disks>, dir: &Path) -> Result<Box<dyn DataDirectory>, NodeError> {
    let path = dir.to_path_buf();
    let opened = tokio::task::spawn_blocking(move || disks.open(&path)).await;
    match opened {
        Ok(opened) => Ok(opened?),
        Err(error) => {
            let what = format!("opening {} was cut short", dir.display());
            Err(NodeError::caused_by(NodeErrorKind::Storage, what, error))
        }
    }
}

fn identity(
    builder: &NodeBuilder,
    data: Option<&dyn DataDirectory>,
) -> Result<Identity, NodeError> {
    match (&builder.identity, data) {
        (Some(identity), _) => Ok(identity.clone()),
        (None, Some(data)) if builder.disks.is_real() => {
            Identity::load_or_create(data.identity_path())
        }
        _ => Identity::ephemeral(),
    }
}

fn engine(builder: &NodeBuilder, identity: &Identity) -> Result<Engine, NodeError> {
    let mut link = dhlrs_link::Config::new(builder.name.clone());
    for (key, name) in &builder.allowed {
        link.admission.allow(*key, name.clone());
    }
    Ok(Engine::new(Config {
        link,
        signer: Arc::new(identity.signer()),
        verifier: Arc::new(Ed25519Verifier),
        announced: !builder.client,
        entropy: random_bytes()?,
    }))
}

/// The stores that were asked for, and those that the directory holds.
fn stores(
    asked: Vec<StoreOptions>,
    data: Option<&dyn DataDirectory>,
) -> Result<Vec<StoreOptions>, NodeError> {
    let mut names = BTreeSet::new();
    let mut stores = Vec::new();
    let found = data
        .map(DataDirectory::stores)
        .transpose()?
        .unwrap_or_default();
    for options in asked {
        if let Some(mistake) = options.mistake {
            return Err(mistake);
        }
        let name = options.name.clone()?;
        if !names.insert(name.as_str().to_owned()) {
            let message = format!("store {name} is there twice");
            return Err(NodeError::new(NodeErrorKind::Config, message));
        }
        stores.push(options);
    }
    let others = found.into_iter().filter(|name| !names.contains(name));
    stores.extend(others.map(|name| StoreOptions::found(&name)));
    Ok(stores)
}

/// Stores that are open, or whose logs are being read.
#[derive(Default)]
struct Opened {
    disks: BTreeMap<StoreName, crate::disk::Disk>,
    opening: BTreeMap<StoreName, oneshot::Sender<Result<(), NodeError>>>,
    published: BTreeMap<StoreName, watch::Sender<Published>>,
    readers: BTreeMap<StoreName, watch::Receiver<Published>>,
    opened: Waits,
}

#[derive(Default)]
struct Waits {
    waits: Vec<Wait>,
}

/// For a log to be read, and for its store to open.
struct Wait {
    store: StoreName,
    ready: oneshot::Receiver<Result<(), StorageError>>,
    opened: oneshot::Receiver<Result<(), NodeError>>,
}

impl Opened {
    #[expect(clippy::too_many_arguments, reason = "all that a store is made of")]
    fn open(
        &mut self,
        engine: &mut Engine,
        options: StoreOptions,
        resolvable: &Resolvable,
        restored: bool,
        durable: Option<&dyn DataDirectory>,
        inputs: &mpsc::Sender<Input>,
        skips_replay: bool,
    ) -> Result<(), NodeError> {
        let name = options.name?;
        let entropy = engine.entropy_for(&name);
        let mut config = dhlrs_store::Config::new(engine.node().clone(), name.clone(), entropy);
        config.authority = options.authority;
        let mut replication = Replication::new(engine.keys());
        replication.gossip_interval_ms = options.gossip_interval_ms;
        let authority = config.authority;
        config.replication = Some(replication.clone());
        let store_id = config.store_id();
        config.logged = durable.is_some();
        config.restored = restored;
        config.bindings = options.bindings;
        config.forwards = options.forwards;
        config.derived = options.derived;
        config.limits = options.limits;
        let resolvers = Resolvers::new(resolvable.clone(), Limits::default());
        engine.open_store(config, resolvers).map_err(|error| {
            let what = format!("store {name}: {error}");
            NodeError::caused_by(NodeErrorKind::Config, what, error)
        })?;
        let Some(store) = engine.store(&name) else {
            return Ok(());
        };
        let first = Published {
            tree: store.published().clone(),
            revision: store.revision(),
        };
        let (published, reader) = watch::channel(first);
        self.published.insert(name.clone(), published);
        self.readers.insert(name.clone(), reader);
        let Some(data) = durable else { return Ok(()) };
        let may_be_replica = authority != Some(Authority::Owned);
        let replica = may_be_replica.then_some((store_id, replication));
        let id = random_bytes()?;
        let id = *id.first_chunk().unwrap_or(&[0; 16]);
        let opening = data
            .open_store(&name, id, inputs.clone(), skips_replay, replica)
            .map_err(|error| {
                let what = format!("no thread for store {name}: {error}");
                NodeError::caused_by(NodeErrorKind::Storage, what, error)
            })?;
        let (is_open, opened) = oneshot::channel();
        self.disks.insert(name.clone(), opening.disk);
        self.opening.insert(name.clone(), is_open);
        let ready = opening.ready;
        self.opened.waits.push(Wait {
            store: name,
            ready,
            opened,
        });
        Ok(())
    }
}

impl Waits {
    async fn all(self) -> Result<(), NodeError> {
        for Wait {
            store,
            ready,
            opened,
        } in self.waits
        {
            match ready.await {
                Ok(read) => read?,
                Err(_) => {
                    let message = format!("the thread of store {store} has ended");
                    return Err(NodeError::new(NodeErrorKind::Storage, message));
                }
            }
            if let Ok(opened) = opened.await {
                opened?;
            }
        }
        Ok(())
    }
}
