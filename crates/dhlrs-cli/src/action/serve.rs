//! `serve`: a node with its stores, until it is told to stop.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use dhlrs::{
    Identity, Node, NodeBuilder, StoreOptions,
    transport::TransportUrl,
    websocket::{Pem, WebSocketTransport},
};
use dhlrs_bag::formats::text_to_json;
use dhlrs_path::StoreName;

use crate::{
    Exit, Failure, FailureKind, StoreKind, StoreOption,
    client::{machine, node_name, tls_failure},
    command::{DEFAULT_URL, ServeArgs},
    output::Output,
    program::note,
};

const DEFAULT_STORE: &str = "main";
const DEFAULT_PROCESS: &str = "main";

pub(super) async fn serve(args: ServeArgs, json: bool, out: &mut Output) -> Result<Exit, Failure> {
    // Asked for first, so that a signal that comes early is not lost.
    let stop = Stop::new()?;
    if let Some(dir) = args.data.as_deref().filter(|dir| dir.is_file()) {
        return Err(
            Failure::new(FailureKind::File, "that is a file, not a directory")
                .at(dir.display())
                .hint("--data wants a directory, which is made if it is not there"),
        );
    }
    let node = builder(&args)?.start().await?;
    if args.data.is_none() {
        note("everything is kept in memory and ends with this process; --data DIR keeps it");
    }
    for store in node.status_of(None).await?.stores {
        if store.authority == "replicated" {
            note(&format!(
                "store {} has no root: whoever is linked with one of its processes may write, and nothing of its \
                 history is compacted",
                store.name
            ));
        }
    }
    let urls = node.listen_urls();
    if let Some(url) = open_listener(&urls, !args.allow.is_empty()) {
        note(&format!(
            "{url} can be reached from this machine alone, and lets in every program of it; --allow counts for the \
             other listeners"
        ));
    }
    for url in urls {
        let (name, key) = (node.name(), node.key());
        out.line(&if json {
            let (name, url) = (text_to_json(name.as_str()), text_to_json(&url));
            format!(r#"{{"ready":{{"node":{name},"key":"{key}","url":{url}}}}}"#)
        } else {
            format!("ready {name} {key} {url}")
        })?;
    }
    out.flush()?;
    tokio::select! {
        () = stop.asked() => {}
        () = stdin_ends(), if args.until_stdin_ends => {}
    }
    node.shutdown().await;
    Ok(Exit::Done)
}

// The first listener at which `--allow` keeps nobody out, if there is an `--allow`.
fn open_listener(urls: &[String], allows: bool) -> Option<&str> {
    let is_local = |url: &&String| {
        let url: Result<TransportUrl, _> = url.parse();
        url.is_ok_and(|url| {
            let address: Result<IpAddr, _> = url.host().parse();
            url.host() == "localhost" || address.is_ok_and(|address| address.is_loopback())
        })
    };
    urls.iter()
        .filter(|_| allows)
        .find(is_local)
        .map(String::as_str)
}

fn builder(args: &ServeArgs) -> Result<NodeBuilder, Failure> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => node_name(&machine(), DEFAULT_PROCESS)?,
    };
    let mut builder = Node::builder(name).restored(args.restored);
    builder = match &args.data {
        Some(dir) => builder.data_dir(dir),
        None => builder.identity(Identity::ephemeral()?),
    };
    let default = [DEFAULT_URL.to_owned()];
    let listen = if args.listen.is_empty() {
        default.as_slice()
    } else {
        args.listen.as_slice()
    };
    for url in listen {
        builder = builder.listen(url);
    }
    for url in &args.connect {
        builder = builder.connect(url);
    }
    for allow in &args.allow {
        builder = builder.allow(allow.key, allow.name.clone());
    }
    for options in stores(args)? {
        builder = builder.store(options);
    }
    #[cfg(feature = "planted-faults")]
    if std::env::var_os("DHLRS_PLANTED_FAULT").is_some_and(|fault| fault == "skip-log-replay") {
        builder = builder.skip_log_replay();
    }
    if args.tls_cert.is_some() || args.tls_ca.is_some() {
        builder = builder.web_socket(web_socket(args)?);
    }
    Ok(builder)
}

fn stores(args: &ServeArgs) -> Result<Vec<StoreOptions>, Failure> {
    let mut kinds: BTreeMap<StoreName, StoreKind> = BTreeMap::new();
    for StoreOption { name, kind } in &args.store {
        let known = *kinds.entry(name.clone()).or_insert(*kind);
        if known != *kind {
            let why = format!("store {name} is said to be owned and replicated");
            return Err(Failure::new(FailureKind::Usage, why).hint("name it once with --store"));
        }
    }
    if kinds.is_empty() {
        let default = DEFAULT_STORE.parse().ok();
        kinds.extend(default.map(|name| (name, StoreKind::Owned)));
    }
    let names: BTreeSet<&StoreName> = kinds.keys().collect();
    let resolves = args
        .resolve
        .iter()
        .map(|resolve| ("--resolve", &resolve.store));
    let forwards = args
        .forward
        .iter()
        .map(|forward| ("--forward", &forward.store));
    if let Some((flag, store)) = resolves
        .chain(forwards)
        .find(|(_, store)| !names.contains(store))
    {
        let known: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        return Err(Failure::new(
            FailureKind::Usage,
            format!(
                "{flag} is about store {store}, which is not among {}",
                known.join(", ")
            ),
        )
        .hint(format!("add --store {store}")));
    }
    Ok(kinds
        .iter()
        .map(|(name, kind)| store(args, name, *kind))
        .collect())
}

fn store(args: &ServeArgs, name: &StoreName, kind: StoreKind) -> StoreOptions {
    let mut options = match kind {
        StoreKind::Owned => StoreOptions::owned(name.as_str()),
        StoreKind::Replicated => {
            let interval_ms = args.gossip_interval.as_millis();
            StoreOptions::replicated(name.as_str())
                .gossip_interval_ms(u64::try_from(interval_ms).unwrap_or(u64::MAX))
        }
    };
    for resolve in args.resolve.iter().filter(|resolve| resolve.store == *name) {
        let cache_ms = i64::try_from(resolve.cache.as_millis()).unwrap_or(i64::MAX);
        options = options.resolve(resolve.pattern.as_str(), &resolve.address, cache_ms);
    }
    for forward in args.forward.iter().filter(|forward| forward.store == *name) {
        options = options.forward(forward.pattern.as_str(), &forward.address.to_string());
    }
    options
}

fn web_socket(args: &ServeArgs) -> Result<WebSocketTransport, Failure> {
    let mut transport = WebSocketTransport::builder();
    if let (Some(cert), Some(key)) = (&args.tls_cert, &args.tls_key) {
        transport = transport.tls_cert(Pem::file(cert)).tls_key(Pem::file(key));
    }
    if let Some(ca) = &args.tls_ca {
        transport = transport.tls_ca(Pem::file(ca));
    }
    transport.build().map_err(tls_failure)
}

// Whoever started the process has gone, or lets it go.
async fn stdin_ends() {
    // What comes means nothing, and an error is an end too.
    let _ = tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await;
}

/// The signals that ask a process to stop.
pub(crate) struct Stop {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    #[cfg(unix)]
    pub(crate) fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};

        let listen = |kind| {
            signal(kind).map_err(|cause| {
                Failure::new(
                    FailureKind::File,
                    format!("signals cannot be listened to: {cause}"),
                )
                .hint("is the limit of open files reached? `ulimit -n` shows it")
                .caused_by(cause)
            })
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    #[cfg(unix)]
    pub(crate) async fn asked(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    pub(crate) async fn asked(self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
