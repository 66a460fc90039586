//! Edits of one replica alone do what they do in a store that one process owns: the same tree, the same refusals, and
//! the same words for whoever watches. What differs is at the end; what several do together is told elsewhere.

use dhlrs_bag::{
    Attributes, Bag, Branch, Change, Content, Edit, GuardedEdit, Label, Name, Position,
    Precondition, Row, SortField, SortKey, SortTerm, Value,
};
use dhlrs_feed::{OnConcurrentWrite, Payload, TRANSACTION_EVENTS_MAX};
use dhlrs_path::Path;
use dhlrs_reducer::{IntentError, IntentErrorKind, Reducer, TRANSACTION_BYTES_MAX};

use crate::history::{Random, Replica, author};
use crate::naive;
use crate::scene::label;

pub(crate) const SEEDS: u64 = 60;
pub(crate) const EDITS: usize = 120;

pub(crate) fn path(text: &str) -> Path<'static> {
    Path::parse(text).unwrap().into_owned()
}

fn alone() -> Replica {
    Replica::new(author(0), false, |reducer| reducer)
}

/// Tries edits as one transaction and reduces what they come to.
pub(crate) fn edit(
    replica: &mut Replica,
    edits: &[GuardedEdit],
    now_ms: u64,
) -> Result<(), IntentError> {
    let mut attempt = (replica.reducer).attempt(&replica.bag, OnConcurrentWrite::Keep);
    for edit in edits {
        attempt.edit(edit)?;
    }
    let ops = attempt.into_transaction()?;
    replica.told.clear();
    if !ops.is_empty() {
        replica.write(ops.into_iter().map(Payload::Tree).collect(), None, now_ms);
    }
    Ok(())
}

pub(crate) fn set(at: &str, value: i64) -> Edit {
    Edit::set(path(at), value)
}

pub(crate) fn remove(at: &str) -> Edit {
    Edit::Remove { path: path(at) }
}

pub(crate) struct Edits(pub(crate) Random);

impl Edits {
    fn label(&mut self) -> Label {
        label(["a", "b", "c", "d"][self.0.below(4)])
    }

    fn path(&mut self, steps_max: usize) -> Path<'static> {
        let steps = 1 + self.0.below(steps_max);
        let steps: Vec<String> = (0..steps)
            .map(|_| match self.0.below(12) {
                0 => "#0".to_owned(),
                1 => "#-1".to_owned(),
                _ => self.label().to_string(),
            })
            .collect();
        path(&steps.join("."))
    }

    fn value(&mut self) -> Value {
        match self.0.below(3) {
            0 => Value::from("text"),
            _ => Value::from(self.0.below(5) as i64),
        }
    }

    fn attributes(&mut self) -> Attributes {
        let count = self.0.below(3);
        (0..count)
            .map(|_| {
                let name = Name::new(["x", "y", "z"][self.0.below(3)]).unwrap();
                let value = match self.0.below(4) {
                    0 => Value::Null,
                    _ => self.value(),
                };
                (name, value)
            })
            .collect()
    }

    fn branch(&mut self) -> Branch {
        let mut rows: Vec<Row> = Vec::new();
        for text in ["a", "b", "c", "d"].iter().take(self.0.below(4)) {
            if self.0.below(3) > 0 {
                let mut row = Row::value(0, label(text), self.value());
                row.attributes = self
                    .attributes()
                    .into_iter()
                    .filter(|(_, v)| !v.is_null())
                    .collect();
                rows.push(row);
                continue;
            }
            rows.push(Row::bag(0, label(text)));
            for text in ["c", "b"].iter().take(self.0.below(3)) {
                rows.push(Row::value(1, label(text), self.value()));
            }
        }
        Branch::from_rows(rows).unwrap()
    }

    fn content(&mut self) -> Content {
        match self.0.below(5) {
            0 => Content::Branch(self.branch()),
            _ => Content::Value(self.value()),
        }
    }

    fn position(&mut self) -> Option<Position> {
        match self.0.below(9) {
            0 => Some(Position::First),
            1 => Some(Position::Last),
            2 => Some(Position::At(1)),
            3 => Some(Position::BeforeLabel(self.label())),
            4 => Some(Position::AfterLabel(self.label())),
            _ => None,
        }
    }

    /// No Null is written and nothing is overwritten on the way: there the stores differ.
    pub(crate) fn next(&mut self, owned: &Bag) -> GuardedEdit {
        let path = self.path(3);
        let is_there = owned.node(&path).is_some();
        let edit = match self.0.below(20) {
            0..=6 => Edit::Set {
                path,
                content: Some(self.content()),
                attributes: (self.0.below(3) == 0).then(|| self.attributes()),
                position: self.position(),
                overwrite: false,
            },
            7 | 8 if is_there => Edit::SetAttributes {
                path,
                attributes: self.attributes(),
            },
            9..=11 => Edit::Remove { path },
            12 | 13 => Edit::Move {
                path,
                to: self.path(3),
                position: self.position(),
            },
            14 => Edit::Rename {
                path,
                label: self.label(),
            },
            15 => Edit::Sort {
                path: match self.0.below(2) {
                    0 => Path::default(),
                    _ => path,
                },
                by: SortKey {
                    terms: vec![SortTerm {
                        field: [SortField::Label, SortField::Value][self.0.below(2)].clone(),
                        descending: self.0.below(2) == 0,
                        ignore_case: false,
                    }],
                },
            },
            16 => Edit::Clear { path },
            17 => Edit::Replace {
                path,
                branch: self.branch(),
            },
            18 => Edit::Merge {
                path,
                branch: self.branch(),
            },
            _ => Edit::set(path, self.value()),
        };
        let precondition = match self.0.below(12) {
            0 => Some(Precondition::Missing),
            1 => Some(Precondition::Present),
            2 => Some(Precondition::Revision(owned.revision() / 2)),
            _ => None,
        };
        GuardedEdit { edit, precondition }
    }
}

/// A change without the ids, which each store chooses for itself, and attributes in one order.
fn said(change: &Change) -> String {
    let mut attributes = change.attributes.clone();
    attributes.sort_by(|a, b| a.name.cmp(&b.name));
    format!(
        "{} {} from {:?}, {:?} -> {:?}, {:?}, at {:?} from {:?}, {} above, on the way: {}",
        change.kind,
        change.path,
        change.old_path.as_ref().map(Path::as_str),
        change.old,
        change.new,
        attributes,
        change.index,
        change.old_index,
        change.ancestors.len(),
        change.autocreated,
    )
}

#[test]
fn alone_it_is_like_a_store_of_its_own() {
    for seed in 0..SEEDS {
        let mut edits = Edits(Random(seed));
        let mut owned = Bag::new();
        let mut replica = alone();
        for step in 0..EDITS {
            let next = edits.next(&owned);
            let what = format!("seed {seed}, step {step}: {next:?}");
            let is_merge = matches!(next.edit, Edit::Merge { .. });
            let expected = owned.edit(next.clone());
            let done = edit(&mut replica, &[next], 1_000 + step as u64);
            match (expected, done) {
                (Ok(changes), Ok(())) => {
                    let mut expected: Vec<String> = changes.iter().map(said).collect();
                    let mut told: Vec<String> = replica.told.iter().map(said).collect();
                    // Of one batch, what goes is told before what comes; only a merge does both.
                    if is_merge {
                        expected.sort();
                        told.sort();
                    }
                    assert_eq!(told, expected, "{what}");
                }
                (Err(expected), Err(refused)) => {
                    assert_eq!(
                        refused.kind(),
                        IntentErrorKind::Edit(expected.kind()),
                        "{what}"
                    );
                    assert_eq!(refused.to_string(), expected.to_string(), "{what}");
                }
                (expected, done) => panic!("{what}: {expected:?}, {done:?}"),
            }
            assert!(
                *replica.bag == *owned,
                "{what}: {:?} {owned:?}",
                replica.bag
            );
            assert_eq!(replica.bag.revision(), owned.revision(), "{what}");
        }
        let mut again = Reducer::without_root();
        let events = replica.chains.values().flatten().cloned();
        again.reduce(events, [], 1_000_000);
        assert_eq!(
            again.state_hash(),
            replica.reducer.state_hash(),
            "seed {seed}"
        );
        assert_eq!(naive::shown_by(&again), naive::shown_by(&replica.reducer));
    }
}

#[test]
fn a_transaction_comes_out_whole_or_not_at_all() {
    for seed in 0..SEEDS {
        let mut edits = Edits(Random(seed ^ 0x7475));
        let mut owned = Bag::new();
        let mut replica = alone();
        for step in 0..EDITS / 4 {
            let mut tried = owned.clone();
            let mut all = Vec::new();
            for _ in 0..1 + edits.0.below(5) {
                let next = edits.next(&tried);
                let _ = tried.edit(next.clone());
                all.push(next);
            }
            let what = format!("seed {seed}, step {step}: {all:?}");
            let expected = owned.edit_all(&all).map_err(|error| error.error.kind());
            let done = edit(&mut replica, &all, 1_000 + step as u64).map_err(|error| error.kind());
            assert_eq!(
                done,
                expected.map(|_| ()).map_err(IntentErrorKind::Edit),
                "{what}"
            );
            assert!(
                *replica.bag == *owned,
                "{what}: {:?} {owned:?}",
                replica.bag
            );
        }
    }
}

#[test]
fn a_label_that_looks_displaced_is_refused_and_takes_nobodys_place() {
    let mut replica = alone();
    let reserved = format!(r"a\~{}", "0".repeat(32));
    let refused = edit(&mut replica, &[set(&reserved, 1).into()], 1_000).unwrap_err();
    assert_eq!(refused.kind(), IntentErrorKind::Reserved, "{refused}");
    edit(&mut replica, &[set("a", 1).into()], 1_001).unwrap();
    // Who writes events by hand can give it: it shows under a mark of its own.
    let id = replica.bag.node(&path("a")).unwrap().id();
    let home = dhlrs_feed::HomePath::root();
    let home = home.child(label(&format!("a~{id}")), 0).unwrap();
    let ops = vec![
        crate::scene::create(&home),
        crate::scene::scalar(&home, Value::from(2)),
    ];
    replica.write(ops.into_iter().map(Payload::Tree).collect(), None, 2_000);
    assert_eq!(replica.bag.get("a"), Some(&Value::from(1)));
    assert_eq!(replica.bag.len(), 2);
    let shown = replica.bag.node_by_id(home.id()).unwrap();
    assert_eq!(shown.value(), Some(&Value::from(2)));
    assert_eq!(shown.label().as_str(), format!("a~{id}~{}", home.id()));
}

#[test]
fn what_is_too_much_for_a_transaction_is_refused_whole() {
    let mut replica = alone();
    let wide = |rows: usize| {
        let rows = (0..rows).map(|n| Row::value(0, label(&format!("r{n}")), n as i64));
        Edit::set(path("wide"), Branch::from_rows(rows).unwrap())
    };
    // One event for the bag, two for each row.
    let most = (TRANSACTION_EVENTS_MAX - 1) / 2;
    let refused = edit(&mut replica, &[wide(most + 1).into()], 1_000).unwrap_err();
    assert_eq!(refused.kind(), IntentErrorKind::TooLarge, "{refused}");
    assert!(replica.bag.is_empty());
    edit(&mut replica, &[wide(most).into()], 1_000).unwrap();
    assert_eq!(replica.bag.len(), most as u64 + 1);
    assert_eq!(replica.told.len(), 1);

    let text = "t".repeat(TRANSACTION_BYTES_MAX / 2);
    let long = |at: &str| GuardedEdit::from(Edit::set(path(at), text.as_str()));
    let refused = edit(&mut replica, &[long("x"), long("y")], 2_000).unwrap_err();
    assert_eq!(refused.kind(), IntentErrorKind::TooLarge, "{refused}");
    let mut attempt = (replica.reducer).attempt(&replica.bag, OnConcurrentWrite::Keep);
    attempt.edit(&long("x")).unwrap();
    attempt.edit(&long("y")).unwrap();
    assert_eq!(attempt.into_transactions().len(), 2);
}

/// A refused edit of a batch leaves nothing of itself behind for those that follow.
#[test]
fn a_refused_edit_leaves_no_trace() {
    let mut replica = alone();
    edit(
        &mut replica,
        &[set("a", 1).into(), set("b", 2).into()],
        1_000,
    )
    .unwrap();
    let mut attempt = (replica.reducer).attempt(&replica.bag, OnConcurrentWrite::Keep);
    let rows = [
        Row::value(0, label("ok"), 1),
        Row::value(0, label(&format!("no~{}", "a".repeat(32))), 2),
    ];
    let branch = Edit::set(path("c"), Branch::from_rows(rows).unwrap());
    assert!(attempt.edit(&branch.into()).is_err());
    attempt.edit(&set("c", 3).into()).unwrap();
    let ops = attempt.into_transaction().unwrap();
    assert_eq!(ops.len(), 2, "{ops:?}");
    replica.write(ops.into_iter().map(Payload::Tree).collect(), None, 2_000);
    assert_eq!(replica.bag.get("c"), Some(&Value::from(3)));
}

/// Where the two kinds of store differ: a scalar that something was set in is hidden by it, not gone.
#[test]
fn what_was_passed_shows_as_null_again() {
    for overwrite in [false, true] {
        let mut owned = Bag::new();
        let mut replica = alone();
        let through = Edit::Set {
            path: path("a.b"),
            content: Some(Content::from(1)),
            attributes: None,
            position: None,
            overwrite,
        };
        let start = match overwrite {
            true => Value::from(7),
            false => Value::Null,
        };
        for own in [Edit::set(path("a"), start), through, remove("a.b")] {
            owned.edit(own.clone()).unwrap();
            edit(&mut replica, &[own.into()], 1_000).unwrap();
        }
        assert!(owned.node(&path("a")).unwrap().is_bag());
        assert_eq!(replica.bag.get("a"), Some(&Value::Null));
    }
}

/// And a transaction is told as what it came to, not step by step.
#[test]
fn what_a_transaction_did_twice_is_told_once() {
    let mut replica = alone();
    edit(
        &mut replica,
        &[set("a", 1).into(), set("a", 2).into()],
        1_000,
    )
    .unwrap();
    let told: Vec<_> = replica.told.iter().map(said).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    edit(
        &mut replica,
        &[set("b", 1).into(), remove("b").into()],
        2_000,
    )
    .unwrap();
    assert!(replica.told.is_empty());
    assert_eq!(replica.bag.revision(), 1);
}
