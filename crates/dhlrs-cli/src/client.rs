//! A node that only asks others: its name, its key, its neighbour.

use std::{error::Error, io, path::Path, time::Duration};

use dhlrs::{
    Identity, Node, NodeError, StoreHandle,
    websocket::{Pem, WebSocketTransport},
};
use dhlrs_path::{Address, NodeName};

use crate::{Failure, FailureKind, PathTarget, StoreTarget, command::ClientArgs, identity_file};

/// How long a client takes at most to say goodbye.
pub(crate) const GOODBYE_MS_MAX: u64 = 1_000;

/// How long a port at which nothing listens is tried again: as long as a node takes that was started just before.
const REFUSED_MS_MAX: u64 = 500;

/// A connected client.
#[derive(Debug)]
pub(crate) struct Client {
    node: Node,
    via: NodeName,
    timeout: Duration,
}

impl Client {
    /// Connects to the node at `--via`, within `--timeout`. Where nothing listens there, only one that `waits` tries
    /// for longer than a moment.
    pub(crate) async fn connect(
        args: &ClientArgs,
        waits: bool,
        json: bool,
    ) -> Result<Self, Failure> {
        let key = identity_file::of_user(args.identity.as_deref(), json)?;
        let mut builder = Node::builder(name()?)
            .client(true)
            .identity(Identity::from_seed(key.to_bytes()))
            .connect(&args.via);
        if let Some(file) = &args.tls_ca {
            builder = builder.web_socket(trusting(file)?);
        }
        let not_reached = |cause| not_reached(cause, &args.via);
        let node = builder.start().await.map_err(not_reached)?;
        let moment = Duration::from_millis(REFUSED_MS_MAX);
        let first = match waits {
            true => args.timeout,
            false => args.timeout.min(moment),
        };
        let via = match node.connected(first).await {
            Err(cause) if first < args.timeout && !is_refused(&cause) => {
                node.connected(args.timeout.saturating_sub(first)).await
            }
            reached => reached,
        };
        let via = via.map_err(not_reached)?;
        Ok(Self {
            node,
            via,
            timeout: args.timeout,
        })
    }

    pub(crate) const fn node(&self) -> &Node {
        &self.node
    }

    /// The name of the node at `--via`.
    pub(crate) const fn via(&self) -> &NodeName {
        &self.via
    }

    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The store, whose complete address it knows.
    pub(crate) fn store(&self, target: &StoreTarget) -> StoreHandle {
        self.node.remote(&target.at(&self.via))
    }

    /// The complete address.
    pub(crate) fn address(&self, target: &PathTarget) -> Address {
        target.store.at(&self.via).at(target.path.clone())
    }

    /// Says goodbye. What was acknowledged is safe without it.
    pub(crate) async fn close(self) {
        let limit = Duration::from_millis(GOODBYE_MS_MAX);
        let _ = tokio::time::timeout(limit, self.node.shutdown()).await;
    }
}

// Whether the machine answered that nothing listens there.
fn is_refused(cause: &NodeError) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(cause);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.kind() == io::ErrorKind::ConnectionRefused;
        }
        cause = error.source();
    }
    false
}

// Says where, if the cause does not.
fn not_reached(cause: NodeError, via: &str) -> Failure {
    let failure = Failure::from(cause);
    if failure.to_string().contains(via) {
        failure
    } else {
        failure.at(via)
    }
}

/// The transport that trusts the authorities in this file, and no others.
pub(crate) fn trusting(file: &Path) -> Result<WebSocketTransport, Failure> {
    WebSocketTransport::builder()
        .tls_ca(Pem::file(file))
        .build()
        .map_err(tls_failure)
}

/// What is wrong with certificates or keys.
pub(crate) fn tls_failure(cause: dhlrs::transport::TransportError) -> Failure {
    Failure::new(FailureKind::File, cause.to_string())
        .hint(
            "--tls-cert, --tls-key and --tls-ca want PEM files that belong together; `dhlrs serve --help` shows how \
             they are made",
        )
        .caused_by(cause)
}

/// The machine's name, as far as it can be part of a node's.
pub(crate) fn machine() -> String {
    let name: String = gethostname::gethostname()
        .to_string_lossy()
        .chars()
        .filter(|c| !c.is_control() && !c.is_whitespace() && !"/?#*=,\u{fffd}".contains(*c))
        .collect();
    if name.is_empty() {
        "localhost".to_owned()
    } else {
        name
    }
}

// Random, so that two clients of one machine never meet under one name.
fn name() -> Result<NodeName, Failure> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|cause| {
        Failure::new(
            FailureKind::Identity,
            format!("no randomness for a client's name: {cause}"),
        )
        .hint("the operating system has to provide it; is /dev/urandom there?")
    })?;
    let process = format!("cli-{:016x}", u64::from_be_bytes(bytes));
    node_name(&machine(), &process)
}

/// How a node's name is written.
pub(crate) const NODE_NAME_HINT: &str =
    "give the node a name with --name MACHINE/PROCESS: --name base/main";

/// The name of a process of this machine.
pub(crate) fn node_name(machine: &str, process: &str) -> Result<NodeName, Failure> {
    NodeName::new(machine, process).map_err(|cause| {
        Failure::new(
            FailureKind::Usage,
            format!("{machine}/{process} is no name of a node: {cause}"),
        )
        .hint(NODE_NAME_HINT)
        .caused_by(cause)
    })
}
