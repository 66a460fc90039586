//! What a refusal of a node means on the command line: exit code and hint.

use dhlrs::{Error, ErrorKind, NodeError, NodeErrorKind, transport::TransportError};
use dhlrs_wire::{Refusal, RefusalKind};

use crate::{Exit, Failure, FailureKind};

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let failure = if refusal.outcome_unknown() {
            Self::new(FailureKind::OutcomeUnknown, refusal.message())
                .hint("it may or may not have been carried out: read the address, then decide")
        } else {
            let failure = Self::new(FailureKind::Refused(refusal.kind()), refusal.message());
            match hint(refusal.kind()) {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        };
        failure.caused_by(refusal)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        const UNKNOWN: &str =
            "it may or may not have been carried out: read the address, then decide";
        let message = error.message().to_owned();
        let failure = match error.kind() {
            _ if error.outcome_unknown() => {
                Self::new(FailureKind::OutcomeUnknown, message).hint(UNKNOWN)
            }
            ErrorKind::Refused(kind) => {
                let failure = Self::new(FailureKind::Refused(kind), message);
                match hint(kind) {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            }
            ErrorKind::BadPath => Self::new(FailureKind::BadAddress, message).hint(
                "a dot, slash, # or other syntax inside a label is written with \\ before it",
            ),
            ErrorKind::BadEvent => Self::new(FailureKind::Usage, message)
                .hint("choose a kind of your own, such as till.count, and send less at once"),
            ErrorKind::Closed => Self::new(FailureKind::Unreachable, message).hint("try again"),
            _ => Self::new(FailureKind::Bug, message)
                .hint("is the other node of another version? `dhlrs status` shows it"),
        };
        failure.caused_by(error)
    }
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        let failure = Self::new(FailureKind::Node(error.kind()), error.message());
        let failure = match node_hint(error.kind()) {
            // It is we who denied: no key has been shown yet.
            _ if is_of_certificate(&error) => {
                failure.hint(
                    "trust its authority with --tls-ca FILE, or mend its certificate; `dhlrs serve --help` shows how \
                     one is made",
                )
            }
            Some(hint) => failure.hint(hint),
            None => failure,
        };
        failure.caused_by(error)
    }
}

fn is_of_certificate(error: &NodeError) -> bool {
    let source = std::error::Error::source(error);
    let is_of_transport = source.is_some_and(|source| source.is::<TransportError>());
    error.kind() == NodeErrorKind::Denied && is_of_transport
}

/// The exit code of a node that does not start, or reaches nobody.
pub(crate) const fn node_exit(kind: NodeErrorKind) -> Exit {
    match kind {
        NodeErrorKind::BadUrl
        | NodeErrorKind::UnknownScheme
        | NodeErrorKind::Transport
        | NodeErrorKind::Config
        | NodeErrorKind::Identity => Exit::Usage,
        NodeErrorKind::Unreachable | NodeErrorKind::WrongProtocol | NodeErrorKind::Closed => {
            Exit::Unreachable
        }
        _ => Exit::Refused,
    }
}

const fn node_hint(kind: NodeErrorKind) -> Option<&'static str> {
    Some(match kind {
        NodeErrorKind::PortTaken => {
            "listen elsewhere with --listen ws://127.0.0.1:PORT; port 0 takes a free one"
        }
        NodeErrorKind::Listen => "choose an address of this machine with --listen URL",
        NodeErrorKind::BadUrl => {
            "write ws://HOST:PORT, or wss://HOST:PORT?key=KEY; --listen wants an address of this machine"
        }
        NodeErrorKind::UnknownScheme => "this program was built for ws:// and wss://",
        NodeErrorKind::NotLoopbackWithoutAllow => {
            "add --allow KEY for each node and user that may connect; `dhlrs key` prints a user's"
        }
        NodeErrorKind::Transport => "look at --tls-cert, --tls-key and --tls-ca",
        NodeErrorKind::Locked => "stop that process, or use another directory with --data",
        NodeErrorKind::NotWritable => {
            "give this user the right to write there, or use another directory with --data"
        }
        NodeErrorKind::DiskFull => "make room on that disk, then start again",
        NodeErrorKind::VersionTooNew => "start it with the newer program that wrote it",
        NodeErrorKind::Corrupt => {
            "put the whole directory back from a backup, every file of it, and start with --restored"
        }
        NodeErrorKind::Storage => {
            "look at the disk and at that path, or use another directory with --data"
        }
        NodeErrorKind::Identity => {
            "the identity file is in the --data directory; without it the node gets a new key, which others have to allow"
        }
        NodeErrorKind::Config => "look at --store, --resolve and --forward",
        NodeErrorKind::Unreachable => {
            "is a node running there? Start one with `dhlrs serve`, or name another with --via URL"
        }
        NodeErrorKind::Denied => {
            "let this key in with `dhlrs serve --allow KEY`; `dhlrs key` prints it"
        }
        NodeErrorKind::WrongPeer => {
            "compare the key in the URL with the one that `dhlrs serve` prints as `ready`"
        }
        NodeErrorKind::WrongProtocol => {
            "is that the port of a dhlrs node? `dhlrs serve` prints its URL as `ready`"
        }
        _ => return None,
    })
}

/// The exit code of a refusal whose outcome is known.
pub(crate) const fn exit(kind: RefusalKind) -> Exit {
    match kind {
        RefusalKind::Missing => Exit::Missing,
        RefusalKind::NoRoute
        | RefusalKind::Timeout
        | RefusalKind::Unavailable
        | RefusalKind::Overloaded
        | RefusalKind::SnapshotExpired => Exit::Unreachable,
        _ => Exit::Refused,
    }
}

const fn hint(kind: RefusalKind) -> Option<&'static str> {
    Some(match kind {
        RefusalKind::NoRoute => {
            "`dhlrs status` lists the nodes that are reached; is that node running and connected?"
        }
        RefusalKind::NoStore => "a store is made by `dhlrs serve --store NAME`",
        RefusalKind::Timeout => "try again, or wait longer with --timeout",
        RefusalKind::Denied => {
            "let this key in with `dhlrs serve --allow KEY`; `dhlrs key` prints it"
        }
        RefusalKind::TooLarge => "send less at once; a value takes 256 KiB at most",
        RefusalKind::PreconditionFailed => "read it again, then decide",
        RefusalKind::Missing => "`dhlrs ls` shows what is there",
        RefusalKind::Exists => "remove what is there, or choose another path",
        RefusalKind::Cycle => "a bag cannot be moved into itself",
        RefusalKind::ThroughScalar => "--overwrite makes a bag of the value on the way",
        RefusalKind::BadPosition => "`dhlrs ls` shows the labels that are there",
        RefusalKind::ResolverGuard => {
            "its value comes from a resolver: write where that reads from, or remove the resolver"
        }
        RefusalKind::UnderOverlay => {
            "`dhlrs materialise ADDRESS` turns the resolved value into ordinary bag nodes"
        }
        RefusalKind::Resolver => {
            "is the node that it reads from running? `dhlrs get --static` shows what is stored"
        }
        RefusalKind::Unavailable | RefusalKind::Overloaded => {
            "try again in a moment; the node's log says why, `dhlrs status` whom it reaches"
        }
        RefusalKind::SnapshotExpired => "read again",
        RefusalKind::Compacted { .. } => {
            "begin at the oldest revision that is kept, or without --from"
        }
        RefusalKind::Invalid => {
            "correct what was asked for; `dhlrs COMMAND --help` shows how it is written"
        }
        RefusalKind::HopLimit | RefusalKind::Loop => {
            "look at --connect and --forward of the nodes on the way: they lead in a circle"
        }
        RefusalKind::StoreFull => {
            "start the node with room for more feeds, or write at one that has written before"
        }
        RefusalKind::ClockAhead { .. } => "set this machine's clock right, or wait",
        RefusalKind::Unsupported => {
            "start the store with --store NAME=replicated; if it is, the other node is older: bring both to one version"
        }
        _ => return None,
    })
}
