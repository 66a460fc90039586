//! What an error says.

use std::error::Error;

use dhlrs_resolver::{MESSAGE_BYTES_MAX, ResolveError, ResolveErrorKind};

#[test]
fn a_long_message_is_cut_between_characters() {
    let whole = ResolveError::new(ResolveErrorKind::Failed, &"x".repeat(MESSAGE_BYTES_MAX));
    assert_eq!(whole.message().len(), MESSAGE_BYTES_MAX);
    for long in ["é".repeat(400), format!("x{}", "é".repeat(400))] {
        let error = ResolveError::new(ResolveErrorKind::Failed, &long);
        assert!(error.message().len() <= MESSAGE_BYTES_MAX);
        assert!(error.message().len() > MESSAGE_BYTES_MAX - 4);
        assert!(error.message().ends_with("é…"));
    }
}

#[test]
fn the_cause_is_kept() {
    let cause = "x".parse::<u8>().unwrap_err();
    let error = ResolveError::new(ResolveErrorKind::Unavailable, "no").with_source(cause.clone());
    assert_eq!(error.source().unwrap().to_string(), cause.to_string());
    assert_eq!(error.clone(), error);
}

#[test]
fn only_what_may_pass_is_retried() {
    use ResolveErrorKind as Kind;
    for kind in [Kind::Failed, Kind::Unavailable, Kind::Timeout] {
        assert!(kind.is_retryable());
    }
    for kind in [
        Kind::NotRegistered,
        Kind::Denied,
        Kind::MissingAttribute,
        Kind::BadAttribute,
        Kind::Overloaded,
        Kind::TooLarge,
        Kind::Gone,
    ] {
        assert!(!kind.is_retryable());
    }
}
