//! The one error that crosses processes: its names are for programs, its text for people.

use std::collections::BTreeSet;

use dhlrs_wire::{Message, Refusal, RefusalKind};

use crate::samples::{refusal_kinds, refused};

#[test]
fn each_kind_has_a_name_of_its_own_in_snake_case() {
    let kinds = refusal_kinds();
    let names: BTreeSet<_> = kinds.iter().map(|kind| kind.name()).collect();
    assert_eq!(names.len(), kinds.len());
    for (kind, debug) in kinds.iter().map(|kind| (kind, format!("{kind:?}"))) {
        let plain = debug.split(' ').next().unwrap();
        let camel: String = kind
            .name()
            .split('_')
            .flat_map(|word| [word[..1].to_uppercase(), word[1..].to_owned()])
            .collect();
        assert_eq!(camel, plain);
    }
}

#[test]
fn every_kind_has_a_sample() {
    // Encoded, the kinds are counted from 0; the first number that is none ends them.
    let mut bytes = refused(Refusal::new(RefusalKind::NoRoute, ""))
        .encode()
        .unwrap();
    let at = bytes.len() - 3;
    assert_eq!(bytes[at..], [0, 0, 0], "kind, length of the message, flag");
    bytes[at] = refusal_kinds().len().try_into().unwrap();
    let error = Message::decode(&bytes).unwrap_err();
    assert!(error.to_string().contains("variant"), "{error}");
}

#[test]
fn a_refusal_shows_its_message_and_keeps_whether_the_outcome_is_known() {
    let refusal = Refusal::new(RefusalKind::Timeout, "no answer within 5000 ms");
    assert_eq!(refusal.to_string(), "no answer within 5000 ms");
    assert!(!refusal.outcome_unknown());
    let unknown = refusal.with_unknown_outcome();
    let bytes = refused(unknown.clone()).encode().unwrap();
    assert_eq!(Message::decode(&bytes).unwrap(), refused(unknown));
}
