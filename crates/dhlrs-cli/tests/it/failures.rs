//! Kinds, exit codes and hints.

use dhlrs_cli::{Exit, Failure, FailureKind};
use dhlrs_wire::{Incarnation, Refusal, RefusalKind, Revision};

const REVISION: Revision = Revision {
    incarnation: Incarnation(1),
    number: 1,
};

#[track_caller]
fn means(kind: RefusalKind, exit: Exit) {
    let failure = Failure::from(Refusal::new(kind, "what and where"));
    assert_eq!(
        (failure.kind(), failure.kind().exit()),
        (FailureKind::Refused(kind), exit)
    );
    assert_eq!(failure.to_string(), "what and where");
}

#[test]
fn a_refusal_has_an_exit_code() {
    means(RefusalKind::Missing, Exit::Missing);
    means(RefusalKind::NoRoute, Exit::Unreachable);
    means(RefusalKind::Timeout, Exit::Unreachable);
    means(RefusalKind::Unavailable, Exit::Unreachable);
    means(RefusalKind::SnapshotExpired, Exit::Unreachable);
    means(RefusalKind::NoStore, Exit::Refused);
    means(RefusalKind::Denied, Exit::Refused);
    means(RefusalKind::PreconditionFailed, Exit::Refused);
    means(RefusalKind::Compacted { oldest: REVISION }, Exit::Refused);
    means(RefusalKind::TooLarge, Exit::Refused);
}

#[test]
fn an_unknown_outcome_is_told_apart_whatever_the_kind() {
    for kind in [RefusalKind::Timeout, RefusalKind::Unavailable] {
        let failure = Failure::from(Refusal::new(kind, "m").with_unknown_outcome());
        assert_eq!(
            (failure.kind().exit(), failure.kind().name()),
            (Exit::OutcomeUnknown, "outcome_unknown")
        );
        assert!(failure.hint_text().unwrap().contains("read the address"));
    }
}

#[test]
fn what_a_person_can_mend_has_a_hint() {
    for (kind, remedy) in [
        (RefusalKind::NoRoute, "dhlrs status"),
        (RefusalKind::NoStore, "--store"),
        (RefusalKind::Denied, "--allow"),
        (RefusalKind::ThroughScalar, "--overwrite"),
        (RefusalKind::UnderOverlay, "materialise"),
        (RefusalKind::Timeout, "--timeout"),
    ] {
        let failure = Failure::from(Refusal::new(kind, "m"));
        assert!(
            failure
                .hint_text()
                .is_some_and(|hint| hint.contains(remedy)),
            "{kind:?}"
        );
    }
}

#[test]
fn json_has_kind_message_and_hint() {
    let failure = Failure::new(FailureKind::BadValue, "a \"b\"\nc")
        .hint("d")
        .at("e");
    assert_eq!(
        failure.to_json(),
        r#"{"error":{"kind":"bad_value","message":"e: a \"b\"\nc","hint":"d"}}"#
    );
    assert_eq!(failure.to_text(), "error: e: a \"b\"\nc\nhint: d");
    let bare = Failure::new(FailureKind::Missing, "m");
    assert_eq!(
        bare.to_json(),
        r#"{"error":{"kind":"missing","message":"m","hint":null}}"#
    );
    assert_eq!(bare.to_text(), "error: m");
}
