//! The commands that change something.

use std::path::PathBuf;

use dhlrs_bag::{Label, Position};
use dhlrs_wire::RevisionFrom;

use super::{ClientArgs, read::parse_revision};
use crate::{Failure, FailureKind, PathTarget, literal::ValueType, position::parse_position};

/// What `set` can be told.
#[derive(Debug, clap::Args)]
pub struct SetArgs {
    /// MACHINE/PROCESS/STORE/PATH or '//STORE/PATH'; may end in ?attribute
    #[arg(value_name = "ADDRESS", required_unless_present = "stdin")]
    pub target: Option<PathTarget>,
    /// JSON null, true, false, a number, a string or a flat list; anything else is text; - reads it from stdin
    #[arg(
        value_name = "VALUE",
        required_unless_present = "stdin",
        allow_negative_numbers = true
    )]
    pub value: Option<String>,
    /// Reads ADDRESS, tab, VALUE from stdin; prints REV, tab, ADDRESS for each acknowledged line
    #[arg(long, conflicts_with_all = ["target", "value", "position", "overwrite", "if_rev", "if_missing", "if_present"])]
    pub stdin: bool,
    /// With --stdin: how many lines may wait for their acknowledgement; 64 if nothing is said
    #[arg(long, value_name = "N", requires = "stdin", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub in_flight: Option<u16>,
    /// Takes the value as this type
    #[arg(long = "type", value_name = "TYPE", value_enum)]
    pub value_type: Option<ValueType>,
    /// Where a new bag node goes: first, last, at:N, before:LABEL, after:LABEL
    #[arg(long, value_name = "P", value_parser = parse_position)]
    pub position: Option<Position>,
    /// Makes bags of the values on the way
    #[arg(long)]
    pub overwrite: bool,
    /// What must hold.
    #[command(flatten)]
    pub condition: ConditionArgs,
    /// A note that travels with the change
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The connection.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// What must hold for a `set`.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub struct ConditionArgs {
    /// Only if nothing there has changed after this revision: N or INCARNATION/N
    #[arg(long, value_name = "REV", value_parser = parse_revision)]
    pub if_rev: Option<RevisionFrom>,
    /// Only if there is nothing yet
    #[arg(long)]
    pub if_missing: bool,
    /// Only if there is something
    #[arg(long)]
    pub if_present: bool,
}

/// What must hold, said once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The bag node is not there.
    Missing,
    /// The bag node is there.
    Present,
    /// It has not changed after this revision.
    Revision(RevisionFrom),
}

impl ConditionArgs {
    /// The one that was given.
    #[must_use]
    pub fn condition(&self) -> Option<Condition> {
        match (self.if_rev, self.if_missing, self.if_present) {
            (Some(revision), ..) => Some(Condition::Revision(revision)),
            (None, true, _) => Some(Condition::Missing),
            (None, false, true) => Some(Condition::Present),
            (None, false, false) => None,
        }
    }
}

/// What `rm` can be told.
#[derive(Debug, clap::Args)]
pub struct RemoveArgs {
    /// MACHINE/PROCESS/STORE/PATH or '//STORE/PATH'; may end in ?attribute
    #[arg(value_name = "ADDRESS")]
    pub target: PathTarget,
    /// Only if nothing there has changed after this revision: N or INCARNATION/N
    #[arg(long, value_name = "REV", value_parser = parse_revision)]
    pub if_rev: Option<RevisionFrom>,
    /// The connection.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// What `invalidate`, `refresh` and `materialise` can be told.
#[derive(Debug, clap::Args)]
pub struct EditArgs {
    /// MACHINE/PROCESS/STORE/PATH or '//STORE/PATH'
    #[arg(value_name = "ADDRESS")]
    pub target: PathTarget,
    /// The connection.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// What `mv` can be told.
#[derive(Debug, clap::Args)]
pub struct MoveArgs {
    /// What is moved
    #[arg(value_name = "ADDRESS")]
    pub target: PathTarget,
    /// Its full new path, in the same store
    #[arg(value_name = "NEW-ADDRESS")]
    pub to: PathTarget,
    /// Where it goes: first, last, at:N, before:LABEL, after:LABEL
    #[arg(long, value_name = "P", value_parser = parse_position)]
    pub position: Option<Position>,
    /// Only if nothing there has changed after this revision: N or INCARNATION/N
    #[arg(long, value_name = "REV", value_parser = parse_revision)]
    pub if_rev: Option<RevisionFrom>,
    /// The connection.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// What `rename` can be told.
#[derive(Debug, clap::Args)]
pub struct RenameArgs {
    /// What is renamed
    #[arg(value_name = "ADDRESS")]
    pub target: PathTarget,
    /// Its new label, as it stands: nothing in it is syntax
    #[arg(value_name = "LABEL", value_parser = parse_label)]
    pub label: Label,
    /// Only if nothing there has changed after this revision: N or INCARNATION/N
    #[arg(long, value_name = "REV", value_parser = parse_revision)]
    pub if_rev: Option<RevisionFrom>,
    /// The connection.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// What `import` can be told.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// The bag that takes it; what exists is merged
    #[arg(value_name = "ADDRESS")]
    pub target: PathTarget,
    /// The file; - reads stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The form of the file; by default what its name ends in, else json
    #[arg(long, value_enum)]
    pub format: Option<ImportFormat>,
    /// The field or column that labels records, else they are 0, 1, 2, …; in XML the attribute that labels elements
    #[arg(long, value_name = "FIELD")]
    pub key: Option<String>,
    /// Reads what `export --typed` wrote
    #[arg(long, conflicts_with = "key")]
    pub typed: bool,
    /// The connection.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// The forms that `import` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ImportFormat {
    /// JSON
    Json,
    /// CSV with a header
    Csv,
    /// XML; the root element is the bag
    Xml,
}

fn parse_label(text: &str) -> Result<Label, Failure> {
    Label::new(text).map_err(|cause| {
        Failure::new(FailureKind::Usage, cause.to_string())
            .hint("a label has 1 to 255 bytes and no control characters; longer text is a value")
            .caused_by(cause)
    })
}
