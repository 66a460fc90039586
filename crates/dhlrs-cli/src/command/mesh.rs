//! The commands about replicated stores.

use dhlrs_clock::Stamp;

use super::ClientArgs;
use crate::{PathTarget, StoreTarget, moment::parse_moment};

/// What `feeds` and `checkpoint` can be told.
#[derive(Debug, clap::Args)]
pub struct StoreArgs {
    /// MACHINE/PROCESS/STORE or '//STORE'
    #[arg(value_name = "STORE")]
    pub target: StoreTarget,
    /// The connection.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// What `log` can be told.
#[derive(Debug, clap::Args)]
pub struct LogArgs {
    /// MACHINE/PROCESS/STORE/PATH or '//STORE/PATH'; the bag node may be gone
    #[arg(value_name = "ADDRESS")]
    pub target: PathTarget,
    /// The newest so many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Only events before this moment: RFC 3339, or a stamp that this command prints
    #[arg(long, value_name = "STAMP", value_parser = parse_moment)]
    pub before: Option<Stamp>,
    /// The connection.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// What `drafts` can be told.
#[derive(Debug, clap::Args)]
pub struct DraftsArgs {
    /// What to do with them
    #[arg(value_name = "ACTION", value_enum)]
    pub action: DraftsAction,
    /// MACHINE/PROCESS/STORE or '//STORE'
    #[arg(value_name = "STORE")]
    pub target: StoreTarget,
    /// With apply: only what nobody has written over since
    #[arg(long)]
    pub newer: bool,
    /// The connection.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// What is done with drafts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum DraftsAction {
    /// Shows them
    List,
    /// Writes them again
    Apply,
    /// Forgets them
    Drop,
}

/// What `emit` can be told.
#[derive(Debug, clap::Args)]
pub struct EmitArgs {
    /// MACHINE/PROCESS/STORE or '//STORE'
    #[arg(value_name = "STORE")]
    pub target: StoreTarget,
    /// The kind of the event, a name of your own: till.count
    #[arg(value_name = "KIND")]
    pub kind: String,
    /// What it says; - reads it from stdin
    #[arg(value_name = "JSON", allow_negative_numbers = true)]
    pub payload: String,
    /// The connection.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// What `record` can be told.
#[derive(Debug, clap::Args)]
pub struct RecordArgs {
    /// What to do with records
    #[arg(value_name = "ACTION", value_enum)]
    pub action: RecordAction,
    /// MACHINE/PROCESS/STORE or '//STORE'
    #[arg(value_name = "STORE")]
    pub target: StoreTarget,
    /// create: ID FORM; set: ID FIELD VALUE; note: ID TEXT; show: nothing, or ID
    #[arg(value_name = "WORD", allow_negative_numbers = true)]
    pub words: Vec<String>,
    /// The connection.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// What is done with records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum RecordAction {
    /// Begins one
    Create,
    /// Fills in a field
    Set,
    /// Adds a note
    Note,
    /// Shows one, or all
    Show,
}
