//! Revisions as people write them.

use dhlrs_wire::{Incarnation, RevisionFrom};

use crate::samples::revision;

#[test]
fn a_revision_parses_as_it_prints() {
    let printed = revision(42).to_string();
    assert_eq!(printed, "0123456789abcdef/42");
    let parsed: RevisionFrom = printed.parse().unwrap();
    assert_eq!(parsed, RevisionFrom::from(revision(42)));
    let least: RevisionFrom = "0000000000000000/0".parse().unwrap();
    assert_eq!(least.incarnation, Some(Incarnation(0)));
}

#[test]
fn a_bare_number_is_of_whatever_incarnation_is_there() {
    for number in [0, 7, u64::MAX] {
        let parsed: RevisionFrom = number.to_string().parse().unwrap();
        assert_eq!(parsed, RevisionFrom::from(number));
    }
}

#[test]
fn what_is_no_revision_is_refused() {
    for text in [
        "",
        "/",
        "+3",
        "-1",
        " 3",
        "3 ",
        "0x3",
        "18446744073709551616",
        "/3",
        "0123456789abcdef/",
        "0123456789abcdef/+3",
        "0123456789abcdef/3/4",
        "0123456789ABCDEF/3",
        "0123456789abcde/3",
        "0123456789abcdef0/3",
        "+123456789abcdef/3",
        "0123456789abcdeg/3",
    ] {
        let error = text.parse::<RevisionFrom>().unwrap_err();
        assert!(error.to_string().starts_with("not a revision"), "{text:?}");
    }
}
