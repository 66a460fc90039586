//! How the mutants that survive are judged.

use std::path::Path;

use xtask::{
    Workspace,
    mutants::{Kept, Outcomes},
};

const LIST: &str = "# Mutants

- `crates/a/src/b.rs: replace f -> bool with true`: the same in
  every case.
- `crates/a/src/c.rs: replace == with != in g`: only faster.

Words below.
";

fn names(place: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|line| format!("{place}:{line}:1: replace f -> bool with true"))
        .collect()
}

#[test]
fn a_survivor_is_known_wherever_its_line_went() {
    let kept = Kept::parse(LIST).unwrap();
    assert_eq!(kept.len(), 2);
    let mut outcomes = Outcomes {
        missed: names("crates/a/src/b.rs", 2),
        ..Outcomes::default()
    };
    assert_eq!(outcomes.unlisted(&kept).count(), 0);
    let other = "crates/a/src/c.rs:3:4: replace == with != in h".to_owned();
    outcomes.missed.push(other.clone());
    assert_eq!(
        outcomes.unlisted(&kept).collect::<Vec<_>>(),
        [other.as_str()]
    );
}

#[test]
fn a_survivor_without_a_reason_is_refused() {
    assert!(Kept::parse("\n- `crates/a/src/b.rs: replace f`:\n").is_err());
    assert!(Kept::parse("\n- `crates/a/src/b.rs: replace f`\n").is_err());
}

#[test]
fn nine_of_ten_viable_mutants_have_to_be_killed() {
    let outcomes = |caught, timeout, missed| Outcomes {
        caught: names("a", caught),
        timeout: names("a", timeout),
        missed: names("a", missed),
    };
    assert_eq!(outcomes(88, 2, 10).viable(), 100);
    assert!(outcomes(88, 2, 10).suffice());
    assert!(!outcomes(88, 1, 11).suffice());
    assert!(!outcomes(0, 0, 0).suffice());
}

#[test]
fn the_list_of_this_workspace_is_read() {
    let workspace = Workspace::open().unwrap();
    let text = workspace.read(Path::new("docs/mutants.md")).unwrap();
    assert!(!Kept::parse(&text).unwrap().is_empty());
}
