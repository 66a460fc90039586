//! Nothing that was acknowledged is lost: what is voided is listed, written again or dropped.

use dhlrs_bag::{Edit, GuardedEdit};
use dhlrs_wire::{Draft, DraftCause, Drafts, DraftsApplied, DraftsRequest, Reply, Request};

use crate::bench::{Bench, local, path, resolvers, set};
use crate::feeds::feeds;
use crate::mesh::{Mesh, replicated};

fn ask(bench: &mut Bench, request: DraftsRequest) -> Drafts {
    match bench.ask(local(), Request::Drafts(request)).unwrap() {
        Reply::Drafts(drafts) => *drafts,
        other => panic!("{other:?}"),
    }
}

fn list(bench: &mut Bench) -> Vec<Draft> {
    match ask(bench, DraftsRequest::List { after: None }) {
        Drafts::List { rows, next: None } => rows,
        other => panic!("{other:?}"),
    }
}

fn apply(bench: &mut Bench, newer: bool) -> DraftsApplied {
    match ask(bench, DraftsRequest::Apply { newer }) {
        Drafts::Applied(applied) => applied,
        other => panic!("{other:?}"),
    }
}

/// Two processes with one key have written `b`, and everybody knows.
pub(crate) fn forked() -> Mesh {
    let mut mesh = Mesh::of(3);
    mesh.nodes[0].set("a", 1);
    mesh.nodes[0].pass_ms(100);
    mesh.nodes[1] = Bench::of(replicated(1, true), resolvers());
    mesh.nodes[1].disk = mesh.nodes[0].disk.clone();
    mesh.nodes[1].restart_as(replicated(1, true), resolvers());
    mesh.nodes[0].set("b", 1);
    mesh.nodes[1].set("b", 2);
    for node in &mut mesh.nodes {
        node.pass_ms(100);
    }
    mesh.link(0, 2);
    mesh.link(1, 2);
    mesh.settle();
    mesh
}

/// The first of two replicas was an hour ahead when it wrote these edits, and knows better now.
fn ahead(before: &[GuardedEdit], writes: Vec<Vec<GuardedEdit>>) -> Mesh {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    for edit in before {
        mesh.nodes[0].write(vec![edit.clone()]).unwrap();
    }
    mesh.settle();
    let right = mesh.nodes[0].now.wall_ms;
    mesh.nodes[0].now.wall_ms += 3_600_000;
    for edits in writes {
        mesh.nodes[0].write(edits).unwrap();
    }
    mesh.settle();
    mesh.nodes[0].now.wall_ms = right + 10_000;
    mesh.nodes[0].pass_ms(1);
    mesh
}

#[test]
fn what_a_wrong_clock_wrote_is_listed_and_written_again() {
    let mut mesh = ahead(&[], vec![vec![set("a.b", 2)]]);
    let drafts = list(&mut mesh.nodes[0]);
    let told: Vec<_> = drafts
        .iter()
        .map(|draft| {
            assert_eq!(draft.cause, DraftCause::ClockMended);
            let event = &draft.event;
            (
                event.action.name(),
                event.path.as_str(),
                event.value.clone(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("create", "a.b", None),
            ("set", "a.b", Some(2.into())),
            ("create", "a", None)
        ]
    );
    assert_eq!(mesh.nodes[0].shown("a.b"), None);

    let applied = apply(&mut mesh.nodes[0], false);
    assert_eq!((applied.applied, applied.left_out), (3, 0));
    assert_eq!(applied.revision, mesh.nodes[0].revision());
    assert_eq!(mesh.nodes[0].shown("a.b").as_deref(), Some("2"));
    assert_eq!(list(&mut mesh.nodes[0]), []);
    mesh.settle();
    mesh.assert_equal();
    assert_eq!(mesh.nodes[1].shown("a.b").as_deref(), Some("2"));
}

#[test]
fn drafts_outlive_a_restart_until_they_are_dropped() {
    let mut mesh = ahead(&[], vec![vec![set("a", 2)], vec![set("c", 3)]]);
    let drafts = list(&mut mesh.nodes[0]);
    assert_eq!(drafts.len(), 4);
    mesh.restart(0);
    assert_eq!(list(&mut mesh.nodes[0]), drafts);
    let dropped = ask(&mut mesh.nodes[0], DraftsRequest::Drop);
    assert_eq!(dropped, Drafts::Dropped { drafts: 4 });
    mesh.restart(0);
    assert_eq!(list(&mut mesh.nodes[0]), []);
    assert_eq!(mesh.nodes[0].shown("a"), None);
    let again = ask(&mut mesh.nodes[0], DraftsRequest::Drop);
    assert_eq!(again, Drafts::Dropped { drafts: 0 });
}

#[test]
fn a_restart_gives_back_what_was_written_again() {
    let mut mesh = ahead(&[], vec![vec![set("a", 2)]]);
    apply(&mut mesh.nodes[0], false);
    let (revision, hash) = (
        mesh.nodes[0].revision(),
        feeds(&mut mesh.nodes[0]).state_hash,
    );
    mesh.restart(0);
    assert_eq!(mesh.nodes[0].revision(), revision);
    assert_eq!(feeds(&mut mesh.nodes[0]).state_hash, hash);
    assert_eq!(list(&mut mesh.nodes[0]), []);
    assert_eq!(mesh.nodes[0].shown("a").as_deref(), Some("2"));
}

#[test]
fn both_sides_of_a_fork_keep_what_they_wrote() {
    let mut mesh = forked();
    for (node, value) in [(0, 1), (1, 2)] {
        let drafts = list(&mut mesh.nodes[node]);
        let told: Vec<_> = drafts
            .iter()
            .filter_map(|draft| draft.event.value.clone())
            .collect();
        assert_eq!(told, [value.into()], "{drafts:?}");
        assert!(drafts.iter().all(|draft| draft.cause == DraftCause::Forked));
    }
    apply(&mut mesh.nodes[0], false);
    mesh.settle();
    mesh.assert_equal();
    assert_eq!(mesh.nodes[2].shown("b").as_deref(), Some("1"));
}

/// What `--newer` does about a draft, when the second replica has written `meanwhile` at `wall_ms` past the draft.
#[track_caller]
fn newer(draft: GuardedEdit, meanwhile: Option<GuardedEdit>, later: bool, is_applied: bool) {
    let before = [set("a.x", 1), set("a.y", 1), set("q", 1)];
    let mut mesh = ahead(&before, vec![vec![draft.clone()]]);
    if let Some(edit) = &meanwhile {
        if later {
            for node in &mut mesh.nodes {
                node.now.wall_ms += 7_200_000;
            }
        }
        mesh.nodes[1].write(vec![edit.clone()]).unwrap();
        mesh.settle();
    }
    let count = list(&mut mesh.nodes[0]).len() as u64;
    assert!(count > 0);
    let applied = apply(&mut mesh.nodes[0], true);
    let expected = if is_applied { (count, 0) } else { (0, count) };
    assert_eq!(
        (applied.applied, applied.left_out),
        expected,
        "{draft:?} beside {meanwhile:?}: {applied:?}"
    );
    assert_eq!(applied.first_left_out.is_empty(), is_applied);
    let left = list(&mut mesh.nodes[0]).len() as u64;
    assert_eq!(left, expected.1, "what is left out stays a draft");
    mesh.settle();
    mesh.assert_equal();
}

#[test]
fn newer_sets_only_what_nobody_has_written_since() {
    newer(set("a.x", 9), None, false, true);
    newer(set("a.x", 9), Some(set("a.x", 5)), false, true);
    newer(set("a.x", 9), Some(set("a.x", 5)), true, false);
    newer(set("a.x", 9), Some(set("a.y", 5)), true, true);
    newer(set("a.x?c", 9), Some(set("a.x", 5)), true, true);
    newer(set("a.x?c", 9), Some(set("a.x?c", 5)), true, false);
}

#[test]
fn newer_does_not_bring_back_what_was_taken_away_since() {
    let remove = |at: &str| GuardedEdit::from(Edit::Remove { path: path(at) });
    let clear = |at: &str| GuardedEdit::from(Edit::Clear { path: path(at) });
    newer(set("a.x", 9), Some(remove("a.x")), true, false);
    newer(set("a.x", 9), Some(remove("a")), true, false);
    newer(set("a.z", 9), Some(clear("a")), true, false);
    newer(set("a.x", 9), Some(remove("a")), false, true);
    newer(set("a.x", 9), Some(remove("q")), true, true);
}

#[test]
fn newer_moves_and_renames_only_what_nobody_has_moved_or_renamed_since() {
    let rename = |at: &str, label: &str| {
        GuardedEdit::from(Edit::Rename {
            path: path(at),
            label: label.parse().unwrap(),
        })
    };
    let shift = |at: &str, to: &str| {
        GuardedEdit::from(Edit::Move {
            path: path(at),
            to: path(to),
            position: None,
        })
    };
    newer(rename("a", "b"), Some(rename("a", "c")), true, false);
    newer(rename("a", "b"), Some(set("a.x", 5)), true, true);
    newer(shift("a.x", "x"), Some(shift("a.x", "z")), true, false);
    newer(shift("a.x", "x"), Some(set("a.x", 5)), true, true);
}

#[test]
fn newer_removes_only_what_its_author_had_seen() {
    let remove = |at: &str| GuardedEdit::from(Edit::Remove { path: path(at) });
    let clear = |at: &str| GuardedEdit::from(Edit::Clear { path: path(at) });
    newer(remove("a"), None, false, true);
    newer(remove("a"), Some(set("q", 5)), true, true);
    // However old a write is that its author had not seen.
    newer(remove("a"), Some(set("a.z", 5)), false, false);
    newer(remove("a.x"), Some(set("a.z", 5)), true, true);
    newer(clear("a"), Some(set("a.x", 5)), false, false);
    newer(clear("a"), Some(set("a?c", 5)), false, true);
}

#[test]
fn newer_takes_a_transaction_whole_or_not_at_all() {
    let mut mesh = ahead(&[set("a", 1)], vec![vec![set("a", 2), set("b", 2)]]);
    for node in &mut mesh.nodes {
        node.now.wall_ms += 7_200_000;
    }
    mesh.nodes[1].set("a", 5);
    mesh.settle();
    let applied = apply(&mut mesh.nodes[0], true);
    assert_eq!((applied.applied, applied.left_out), (0, 3));
    assert_eq!(mesh.nodes[0].shown("b"), None);
    assert!(
        applied.first_left_out[0]
            .message()
            .starts_with("a was changed since")
    );
}
