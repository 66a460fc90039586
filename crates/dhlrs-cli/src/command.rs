//! The command line: what can be said, and how `--help` shows it.

mod client;
mod examples;
mod mesh;
mod read;
mod serve;
mod write;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use client::{ClientArgs, DEFAULT_URL};
pub use mesh::{DraftsAction, DraftsArgs, EmitArgs, LogArgs, RecordAction, RecordArgs, StoreArgs};
pub use read::{ExportArgs, ExportFormat, LookArgs, QueryArgs, ReadArgs, WatchArgs};
pub use serve::ServeArgs;
pub use write::{
    Condition, ConditionArgs, EditArgs, ImportArgs, ImportFormat, MoveArgs, RemoveArgs, RenameArgs,
    SetArgs,
};

/// Everything that `dhlrs` was told.
#[derive(Debug, Parser)]
#[command(
    name = "dhlrs",
    version,
    about = "One reactive tree that many processes share",
    long_about = "One reactive tree that many processes share: serve it, read it, write it, watch it.\n\n\
        ADDRESS is MACHINE/PROCESS/STORE/PATH, or '//STORE/PATH' for a store of the node at --via. Put it in single \
        quotes, because #, ? and * mean something to the shell too.",
    after_help = examples::TOP,
    arg_required_else_help = true
)]
pub struct Cli {
    /// Answers in JSON, errors too
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows the main job: a base and two teams that never meet, a crash, a courier, figures; ends with ok
    #[command(after_help = examples::DEMO)]
    Demo(DemoArgs),
    /// Runs a node with its stores
    #[command(after_help = examples::SERVE)]
    Serve(Box<ServeArgs>),
    /// Prints a value, a branch as JSON, or attributes
    #[command(after_help = examples::GET)]
    Get(ReadArgs),
    /// Lists one level: LABEL, tab, VALUE
    #[command(after_help = examples::LS)]
    Ls(ReadArgs),
    /// Draws a branch
    #[command(after_help = examples::TREE)]
    Tree(ReadArgs),
    /// Lists the attributes of a bag node: NAME, tab, VALUE
    #[command(after_help = examples::ATTRS)]
    Attrs(ReadArgs),
    /// Lists what a pattern matches: PATH, tab, VALUE
    #[command(after_help = examples::QUERY)]
    Query(QueryArgs),
    /// Writes a value or an attribute, and prints the revision
    #[command(after_help = examples::SET)]
    Set(SetArgs),
    /// Removes a bag node with everything in it, or attributes
    #[command(after_help = examples::RM)]
    Rm(RemoveArgs),
    /// Makes a resolver forget what it has cached
    #[command(after_help = examples::INVALIDATE)]
    Invalidate(EditArgs),
    /// Makes a resolver forget, and run again at once
    #[command(after_help = examples::REFRESH)]
    Refresh(EditArgs),
    /// Turns a resolved value into ordinary bag nodes
    #[command(after_help = examples::MATERIALISE)]
    Materialise(EditArgs),
    /// Moves a bag node to another path of its store
    #[command(after_help = examples::MV)]
    Mv(MoveArgs),
    /// Gives a bag node another label
    #[command(after_help = examples::RENAME)]
    Rename(RenameArgs),
    /// Prints changes as they happen: REV KIND PATH OLD -> NEW
    #[command(after_help = examples::WATCH)]
    Watch(WatchArgs),
    /// Reads a JSON, CSV or XML file into a branch
    #[command(after_help = examples::IMPORT)]
    Import(ImportArgs),
    /// Prints a branch as JSON
    #[command(after_help = examples::EXPORT)]
    Export(ExportArgs),
    /// Prints this user's key, and makes one at the first use
    #[command(after_help = examples::KEY)]
    Key(KeyArgs),
    /// Prints what a node is, has and sees
    #[command(after_help = examples::STATUS)]
    Status(LookArgs),
    /// Prints what a replica holds of each feed, how far its peers are, and its state hash
    #[command(after_help = examples::FEEDS)]
    Feeds(StoreArgs),
    /// Prints what happened to a bag node of a replicated store, the newest first
    #[command(after_help = examples::LOG)]
    Log(LogArgs),
    /// Own writes that were acknowledged and are void now: shows them, writes them again or forgets them
    #[command(after_help = examples::DRAFTS)]
    Drafts(DraftsArgs),
    /// Writes an event of a kind of your own into a replicated store, and prints the revision
    #[command(after_help = examples::EMIT)]
    Emit(EmitArgs),
    /// Records that many fill in, offline too, as events of a replicated store
    #[command(after_help = examples::RECORD)]
    Record(RecordArgs),
    /// Writes a checkpoint now, so that the next start of the node reads less
    #[command(after_help = examples::CHECKPOINT)]
    Checkpoint(StoreArgs),
    /// Reads every byte of a data directory and says what is wrong and where; changes nothing
    #[command(after_help = examples::VERIFY)]
    Verify(VerifyArgs),
    /// Answers requests about bags in memory, one JSON object a line
    #[command(after_help = examples::BAG)]
    Bag(BagArgs),
    /// Prints a completion script for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// Whether a node that is not there yet is waited for; else a refused connection is the answer.
    #[must_use]
    pub const fn waits_for_node(&self) -> bool {
        match self {
            Self::Watch(_) => true,
            Self::Set(args) => args.stdin,
            _ => false,
        }
    }

    /// How to reach a node, for the commands that ask one.
    #[must_use]
    pub const fn client(&self) -> Option<&ClientArgs> {
        match self {
            Self::Get(args) | Self::Ls(args) | Self::Tree(args) | Self::Attrs(args) => {
                Some(&args.client)
            }
            Self::Query(args) => Some(&args.client),
            Self::Set(args) => Some(&args.client),
            Self::Rm(args) => Some(&args.client),
            Self::Invalidate(args) | Self::Refresh(args) | Self::Materialise(args) => {
                Some(&args.client)
            }
            Self::Mv(args) => Some(&args.client),
            Self::Rename(args) => Some(&args.client),
            Self::Watch(args) => Some(&args.client),
            Self::Import(args) => Some(&args.client),
            Self::Export(args) => Some(&args.client),
            Self::Status(args) => Some(&args.client),
            Self::Feeds(args) | Self::Checkpoint(args) => Some(&args.client),
            Self::Log(args) => Some(&args.client),
            Self::Drafts(args) => Some(&args.client),
            Self::Emit(args) => Some(&args.client),
            Self::Record(args) => Some(&args.client),
            Self::Demo(_)
            | Self::Serve(_)
            | Self::Key(_)
            | Self::Verify(_)
            | Self::Bag(_)
            | Self::Completions { .. } => None,
        }
    }
}

/// What `demo` can be told.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Imports this file instead of the records that come with the program
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// The field that labels the records of --input
    #[arg(long, value_name = "FIELD", requires = "input")]
    pub key: Option<String>,
}

/// What `bag` can be told.
#[derive(Debug, clap::Args)]
pub struct BagArgs {
    /// Reads a JSON request a line from stdin, and prints a JSON reply a line
    #[arg(long, required = true)]
    pub json_lines: bool,
}

/// What `verify` can be told.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// The directory that `serve --data` writes to; no node may be running on it
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

/// What `key` can be told.
#[derive(Debug, clap::Args)]
pub struct KeyArgs {
    /// The key file, instead of $DHLRS_IDENTITY or ~/.config/dhlrs/identity
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
}
