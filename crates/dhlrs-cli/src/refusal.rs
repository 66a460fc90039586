//! What a refusal of a node means on the command line: exit code and hint.

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
            "try again in a moment; the node's log says why"
        }
        RefusalKind::SnapshotExpired => "read again",
        RefusalKind::Compacted { .. } => {
            "begin at the oldest revision that is kept, or without --from"
        }
        RefusalKind::HopLimit | RefusalKind::Loop => {
            "look at --connect and --forward of the nodes on the way: they lead in a circle"
        }
        RefusalKind::Unsupported => "the other node is older: bring both to one version",
        _ => return None,
    })
}
