//! Why a command failed: a kind and an exit code for scripts, a message and a hint for people.

use std::{error::Error, fmt};

use dhlrs::NodeErrorKind;
use dhlrs_wire::RefusalKind;
use serde_json::json;

use crate::refusal;

/// The exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Everything that was asked for is done.
    Done = 0,
    /// What was asked for is not there, or a check came out negative.
    Missing = 1,
    /// The command line, a file it names, or a value in it cannot be used.
    Usage = 2,
    /// Understood, and refused.
    Refused = 3,
    /// Nobody answered; nothing was changed.
    Unreachable = 4,
    /// A write was sent, and whether it was carried out is not known.
    OutcomeUnknown = 5,
    /// Ctrl-C.
    Interrupted = 130,
}

/// What a script can tell failures apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The command line cannot be understood.
    Usage,
    /// A text is no address.
    BadAddress,
    /// A VALUE or a cell of an import cannot be stored as it is.
    BadValue,
    /// An input file does not hold what it should.
    BadInput,
    /// The configuration file does not hold what it should.
    BadConfig,
    /// A file could not be read or written.
    File,
    /// The key file is broken, or others may read it.
    Identity,
    /// There is nothing at the address.
    Missing,
    /// A check that the command made came out negative.
    CheckFailed,
    /// Nobody answers at `--via`, or the link to it broke.
    Unreachable,
    /// A node understood, and refused.
    Refused(RefusalKind),
    /// A write was sent, and no answer says whether it was carried out.
    OutcomeUnknown,
    /// Ctrl-C.
    Interrupted,
    /// A node cannot start, or reaches no neighbour.
    Node(NodeErrorKind),
    /// Whoever read the standard output has closed it. Nothing is said about that.
    OutputClosed,
    /// The program itself is wrong.
    Bug,
}

/// A command that did not succeed. Prints as its message; the hint stands beside it.
#[derive(Debug)]
pub struct Failure {
    kind: FailureKind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl FailureKind {
    /// Its name in `{"error":{"kind":…}}`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::BadAddress => "bad_address",
            Self::BadValue => "bad_value",
            Self::BadInput => "bad_input",
            Self::BadConfig => "bad_config",
            Self::File => "file",
            Self::Identity => "identity",
            Self::Missing => "missing",
            Self::CheckFailed => "check_failed",
            Self::Unreachable => "unreachable",
            Self::Refused(kind) => kind.name(),
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Interrupted => "interrupted",
            Self::Node(kind) => kind.name(),
            Self::OutputClosed => "output_closed",
            Self::Bug => "bug",
        }
    }

    /// The exit code that goes with it.
    #[must_use]
    pub const fn exit(self) -> Exit {
        match self {
            Self::Usage
            | Self::BadAddress
            | Self::BadValue
            | Self::BadInput
            | Self::BadConfig
            | Self::File
            | Self::Identity => Exit::Usage,
            Self::Missing | Self::CheckFailed => Exit::Missing,
            Self::Unreachable => Exit::Unreachable,
            Self::Refused(kind) => refusal::exit(kind),
            Self::OutcomeUnknown => Exit::OutcomeUnknown,
            Self::Interrupted => Exit::Interrupted,
            Self::Node(kind) => refusal::node_exit(kind),
            Self::OutputClosed => Exit::Done,
            Self::Bug => Exit::Refused,
        }
    }
}

impl Failure {
    /// A failure without a hint.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            source: None,
        }
    }

    /// Adds what a person can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Puts `place: ` before the message.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// What a script can tell it apart by.
    #[must_use]
    pub const fn kind(&self) -> FailureKind {
        self.kind
    }

    /// What a person can do about it, if anything is known.
    #[must_use]
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// `{"error":{"kind","message","hint"}}`; without a hint it is null.
    #[must_use]
    pub fn to_json(&self) -> String {
        let error = json!({ "kind": self.kind.name(), "message": self.message, "hint": self.hint });
        json!({ "error": error }).to_string()
    }

    /// `error: MESSAGE`, and the hint on a line of its own.
    #[must_use]
    pub fn to_text(&self) -> String {
        match &self.hint {
            Some(hint) => format!("error: {}\nhint: {hint}", self.message),
            None => format!("error: {}", self.message),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
