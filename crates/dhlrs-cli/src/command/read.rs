//! The commands that change nothing.

use std::{path::PathBuf, str::FromStr, time::Duration};

use dhlrs_bag::ChangeKind;
use dhlrs_clock::Stamp;
use dhlrs_wire::RevisionFrom;

use super::ClientArgs;
use crate::{
    Failure, FailureKind, PathTarget, PatternTarget, WatchTarget, duration::parse_duration,
    moment::parse_moment,
};

/// What `status` can be told.
#[derive(Debug, clap::Args)]
pub struct LookArgs {
    /// The connection.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// What `get`, `ls`, `tree` and `attrs` can be told.
#[derive(Debug, clap::Args)]
pub struct ReadArgs {
    /// MACHINE/PROCESS/STORE/PATH or '//STORE/PATH'
    #[arg(value_name = "ADDRESS")]
    pub target: PathTarget,
    /// Runs no resolver, and shows what is stored
    #[arg(long = "static")]
    pub stored: bool,
    /// Of a replicated store, as it was at this moment: RFC 3339, or a stamp that `dhlrs log` prints
    #[arg(long, value_name = "STAMP", value_parser = parse_moment)]
    pub at: Option<Stamp>,
    /// The connection.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// What `query` can be told.
#[derive(Debug, clap::Args)]
pub struct QueryArgs {
    /// An address whose path is a pattern: * is one step, ** any number of them
    #[arg(value_name = "ADDRESS-PATTERN")]
    pub target: PatternTarget,
    /// The connection.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// What `watch` can be told.
#[derive(Debug, clap::Args)]
pub struct WatchArgs {
    /// A bag node with everything below it, or a pattern
    #[arg(value_name = "ADDRESS-OR-PATTERN")]
    pub target: WatchTarget,
    /// Begins with this revision: N or INCARNATION/N; without it, from now on
    #[arg(long, value_name = "REV", value_parser = parse_revision)]
    pub from: Option<RevisionFrom>,
    /// Only changes of these kinds
    #[arg(long = "kind", value_name = "KIND,KIND", value_delimiter = ',', value_parser = parse_kind)]
    pub kinds: Vec<ChangeKind>,
    /// Ends after so many lines
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Ends after this time; 1 is the exit code if --count lines have not come by then
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration, allow_hyphen_values = true)]
    pub limit: Option<Duration>,
    /// The connection.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// What `export` can be told.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// MACHINE/PROCESS/STORE/PATH or '//STORE/PATH'
    #[arg(value_name = "ADDRESS")]
    pub target: PathTarget,
    /// The form of the output
    #[arg(long, value_enum, default_value_t = ExportFormat::Json)]
    pub format: ExportFormat,
    /// Keeps types, attributes and resolvers, so that it imports to an equal tree
    #[arg(long)]
    pub typed: bool,
    /// Writes this file instead of standard output; until it is complete it is called FILE.incomplete
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The connection.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// The forms that `export` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    /// JSON
    Json,
    /// XML, below a root element
    Xml,
}

fn parse_kind(text: &str) -> Result<ChangeKind, Failure> {
    ChangeKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| {
            let known: Vec<&str> = ChangeKind::ALL.iter().map(|kind| kind.as_str()).collect();
            Failure::new(FailureKind::Usage, "no change is of this kind")
                .hint(format!("the kinds are {}", known.join(", ")))
        })
}

/// Reads `N` or `INCARNATION/N`.
pub(super) fn parse_revision(text: &str) -> Result<RevisionFrom, Failure> {
    text.parse().map_err(|cause: <RevisionFrom as FromStr>::Err| {
        Failure::new(FailureKind::Usage, cause.to_string())
            .hint("write N, or INCARNATION/N with its 16 hex digits; `dhlrs status` shows both for now")
            .caused_by(cause)
    })
}
