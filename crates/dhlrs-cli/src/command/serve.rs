//! What a node is told when it starts.

use std::{path::PathBuf, time::Duration};

use dhlrs_path::{NodeName, ParsePathErrorKind};

use crate::{
    Allow, Failure, FailureKind, Forward, Resolve, StoreOption, client::NODE_NAME_HINT,
    duration::parse_duration,
};

/// What `serve` can be told.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// The name of this node; by default HOSTNAME/main
    #[arg(long, value_name = "MACHINE/PROCESS", value_parser = parse_node_name)]
    pub name: Option<NodeName>,
    /// Keeps the stores and the node's key in this directory; without it everything is in memory
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Listens there (repeatable); by default ws://127.0.0.1:7411; port 0 takes a free one
    #[arg(long, value_name = "URL")]
    pub listen: Vec<String>,
    /// Connects to another node there (repeatable)
    #[arg(long, value_name = "URL")]
    pub connect: Vec<String>,
    /// Opens a store, and makes it if it is new (repeatable); by default main
    /// `=replicated` opens a copy: every process that opens it under this name writes, online or not, and all end equal
    #[arg(long, value_name = "NAME[=owned|=replicated]")]
    pub store: Vec<StoreOption>,
    /// How often replicated stores say to their neighbours how far they are, besides what they tell as it happens
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration, allow_hyphen_values = true)]
    pub gossip_interval: Duration,
    /// Reads these options from a TOML file, under the same long names; the command line wins
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data directory was put back from a backup: revisions begin a new incarnation
    #[arg(long, requires = "data")]
    pub restored: bool,
    /// Lets this key connect (repeatable); with a name, holds that name for it
    #[arg(long, value_name = "KEY[=MACHINE/PROCESS]")]
    pub allow: Vec<Allow>,
    /// Values below the pattern come from that address when they are read (repeatable)
    #[arg(long, value_name = "STORE/PATTERN=ADDRESS[,cache=SECONDS]")]
    pub resolve: Vec<Resolve>,
    /// Sends changes below the pattern on to that address (repeatable)
    #[arg(long, value_name = "STORE/PATTERN=ADDRESS")]
    pub forward: Vec<Forward>,
    /// The certificate chain for wss:// listeners, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The private key for wss:// listeners, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Trusts the certificate authorities in this PEM file for wss:// connections, and no others
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// Stops when standard input ends, as it does with the process that has started this one
    #[arg(long, hide = true)]
    pub until_stdin_ends: bool,
}

fn parse_node_name(text: &str) -> Result<NodeName, Failure> {
    text.parse().map_err(|cause: dhlrs_path::ParsePathError| {
        let why = match cause.kind() {
            ParsePathErrorKind::Incomplete => {
                "a node's name has two parts, that of its machine and its own".to_owned()
            }
            _ => cause.to_string(),
        };
        Failure::new(FailureKind::Usage, why)
            .hint(NODE_NAME_HINT)
            .caused_by(cause)
    })
}
