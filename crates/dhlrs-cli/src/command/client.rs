//! How a command reaches a node.

use std::{path::PathBuf, time::Duration};

use crate::duration::parse_duration;

/// Where a node listens, and where a client looks for one, if nothing else is said.
pub const DEFAULT_URL: &str = "ws://127.0.0.1:7411";

/// What every command that talks to a node can be told.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct ClientArgs {
    /// The node to talk to; it forwards to the others
    #[arg(long, value_name = "URL", default_value = DEFAULT_URL)]
    pub via: String,
    /// How long to wait for an answer: 500ms, 5s, 2m
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration, allow_hyphen_values = true)]
    pub timeout: Duration,
    /// The key file of this user, instead of $DHLRS_IDENTITY or ~/.config/dhlrs/identity
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Trusts the certificate authorities in this PEM file for wss://, and no others
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
}
