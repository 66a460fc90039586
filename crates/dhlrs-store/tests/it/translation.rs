//! What a forward sends gives, at the target, what the pattern shows of the tree here: whatever the
//! transaction or the batch, and also if the store starts anew in between.

use std::collections::BTreeMap;

use dhlrs_bag::{
    Attributes, Branch, Content, Edit, GuardedEdit, Label, Name, Row, Snapshot, Value,
};
use dhlrs_path::{Path, Pattern};
use dhlrs_store::{Config, Forward, Input, Output};
use dhlrs_wire::{Intent, Reply, Request};
use proptest::prelude::*;

use crate::bench::{Bench, config, intent, local, path, resolvers, set, written};

fn forwarding(pattern: &str, to: &str) -> Config {
    let mut config = config(true);
    config.forwards.push(Forward {
        pattern: pattern.parse().unwrap(),
        to: to.parse().unwrap(),
    });
    config
}

/// A store that forwards, and its target. Messages arrive at once.
struct Pair {
    pattern: Pattern,
    to: Path<'static>,
    source: Bench,
    target: Bench,
    /// The counter that is due at the target.
    due: u64,
}

impl Pair {
    fn new(pattern: &str, to: &str) -> Self {
        let config = forwarding(pattern, to);
        let forward = config.forwards[0].clone();
        Self {
            pattern: forward.pattern,
            to: forward.to.path().clone(),
            source: Bench::of(config, resolvers()),
            target: Bench::in_memory(),
            due: 1,
        }
    }

    fn restart(&mut self, to: &str) {
        let config = forwarding(self.pattern.as_str(), to);
        self.source.restart_as(config, resolvers());
        self.deliver();
    }

    /// Carries out a transaction or a batch here, and what comes of it there.
    fn write(&mut self, edits: Vec<GuardedEdit>, atomic: bool) {
        let mut intent = intent([0; 16], 0, edits);
        intent.atomic = atomic;
        // A transaction that is refused changes nothing, which is as good as any other.
        let _ = self.source.ask(local(), Request::Write(Box::new(intent)));
        self.deliver();
    }

    fn deliver(&mut self) {
        loop {
            let is_errand = |output: &Output| matches!(output, Output::Errand { .. });
            let Some(place) = self.source.outputs.iter().position(is_errand) else {
                return;
            };
            let Output::Errand {
                errand, request, ..
            } = self.source.outputs.remove(place)
            else {
                unreachable!()
            };
            let reply = match request {
                Request::OpenSession => Reply::Session { session: [5; 16] },
                Request::Write(intent) => self.apply(*intent),
                other => panic!("{other:?}"),
            };
            let result = Ok(reply);
            self.source.handle(Input::ErrandDone { errand, result });
        }
    }

    fn apply(&mut self, intent: Intent) -> Reply {
        if intent.msg_id.counter < self.due {
            let revision = self.target.revision();
            let (skipped, first_skipped) = (0, Vec::new());
            return Reply::Written(dhlrs_wire::Written {
                revision,
                skipped,
                first_skipped,
            });
        }
        assert_eq!(intent.msg_id.counter, self.due);
        self.due += 1;
        let request = Request::Write(Box::new(intent));
        let written = self.target.ask(local(), request).map(written).unwrap();
        assert_eq!(written.skipped, 0, "{:?}", written.first_skipped);
        Reply::Written(written)
    }

    /// The law.
    #[track_caller]
    fn agrees(&self) {
        let prefix = self.pattern.literal_prefix();
        let matches = |at: &Path<'_>| self.pattern.matches_path(at);
        let there = |at: &Path<'_>| self.to.join(&at.strip_prefix(&prefix).unwrap()).unwrap();
        let expected: BTreeMap<String, Shown> = nodes(self.source.store.published())
            .into_iter()
            .filter(|(at, _)| matches(at))
            .map(|(at, shown)| (there(&at).to_string(), shown))
            .collect();
        let here = |at: &Path<'_>| {
            let rest = at.strip_prefix(&self.to)?;
            prefix.join(&rest).ok()
        };
        let mut found = BTreeMap::new();
        for (at, shown) in nodes(self.target.store.published()) {
            if here(&at).is_some_and(|here| matches(&here)) {
                found.insert(at.to_string(), shown);
            } else {
                // It is there for those below it.
                assert_eq!(shown, (None, Attributes::new()), "{at}");
            }
        }
        assert_eq!(found, expected);
    }
}

type Shown = (Option<Value>, Attributes);

fn nodes(tree: &Snapshot) -> Vec<(Path<'static>, Shown)> {
    let below = tree.root().walk().map(|visited| visited.node);
    std::iter::once(tree.root())
        .chain(below)
        .map(|node| {
            let shown = (node.stored_value().cloned(), node.attributes().clone());
            (node.path(), shown)
        })
        .collect()
}

fn some_path() -> impl Strategy<Value = Path<'static>> {
    let label = prop::sample::select(vec!["orders", "x", "y"]);
    let below = prop::collection::vec(label, 0..4);
    (prop::bool::weighted(0.8), below).prop_map(|(in_orders, mut labels)| {
        if in_orders {
            labels.insert(0, "orders");
        }
        Path::from_labels(labels).unwrap()
    })
}

fn some_branch() -> impl Strategy<Value = Branch> {
    prop::collection::vec(
        (
            0..3_u16,
            prop::sample::select(vec!["x", "y", "z"]),
            0..3_i64,
        ),
        0..5,
    )
    .prop_map(|rows| {
        let mut builder = dhlrs_bag::BranchBuilder::new();
        for (depth, label, value) in rows {
            let label = Label::new(label).unwrap();
            let row = match value {
                0 => Row::bag(depth, label),
                _ => Row::value(depth, label, value),
            };
            // A row that cannot stand there is left out.
            let _ = builder.push(row);
        }
        builder.finish()
    })
}

fn some_attributes() -> impl Strategy<Value = Attributes> {
    prop::collection::vec((prop::sample::select(vec!["a", "b"]), 0..3_i64), 0..3).prop_map(|list| {
        let value = |value| match value {
            0 => Value::Null,
            other => Value::Int(other),
        };
        list.into_iter()
            .map(|(name, own)| (Name::new(name).unwrap(), value(own)))
            .collect()
    })
}

fn some_edit() -> impl Strategy<Value = GuardedEdit> {
    let content = prop_oneof![
        4 => (0..4_i64).prop_map(|value| Content::Value(Value::Int(value))),
        1 => Just(Content::Value(Value::Null)),
        1 => some_branch().prop_map(Content::Branch),
    ];
    let attributes = prop::option::weighted(0.3, some_attributes());
    let label = prop::sample::select(vec!["orders", "x", "y"]);
    let edit = prop_oneof![
        6 => (some_path(), prop::option::weighted(0.9, content), attributes, any::<bool>()).prop_map(
            |(path, content, attributes, overwrite)| Edit::Set {
                path,
                content,
                attributes,
                position: None,
                overwrite,
            }
        ),
        2 => (some_path(), some_attributes())
            .prop_map(|(path, attributes)| Edit::SetAttributes { path, attributes }),
        3 => some_path().prop_map(|path| Edit::Remove { path }),
        3 => (some_path(), some_path()).prop_map(|(path, to)| Edit::Move {
            path,
            to,
            position: None
        }),
        2 => (some_path(), label).prop_map(|(path, label)| Edit::Rename {
            path,
            label: Label::new(label).unwrap()
        }),
        1 => some_path().prop_map(|path| Edit::Clear { path }),
        1 => (some_path(), some_branch()).prop_map(|(path, branch)| Edit::Replace { path, branch }),
        1 => (some_path(), some_branch()).prop_map(|(path, branch)| Edit::Merge { path, branch }),
        1 => some_path().prop_map(|path| Edit::Sort {
            path,
            by: dhlrs_bag::SortField::Label.into()
        }),
    ];
    edit.prop_map(GuardedEdit::from)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_target_shows_what_the_pattern_shows_here(
        which in 0..PATTERNS.len(),
        writes in prop::collection::vec(
            (prop::collection::vec(some_edit(), 1..6), any::<bool>(), prop::bool::weighted(0.05)),
            1..12,
        ),
    ) {
        let (pattern, to) = PATTERNS[which];
        let mut pair = Pair::new(pattern, to);
        for (edits, atomic, restart) in writes {
            pair.write(edits, atomic);
            if restart {
                pair.restart(to);
            }
            pair.agrees();
        }
    }
}

const PATTERNS: [(&str, &str); 7] = [
    ("orders.**", "b/main/in/box"),
    ("orders.*.x", "b/main/in/box"),
    ("orders.*.x.**", "b/main/in"),
    ("orders.*", "b/main/in/deep.box"),
    ("**", "b/main/in"),
    ("**.x", "b/main/in"),
    ("orders.x", "b/main/in/one"),
];

#[track_caller]
fn shows(pattern: &str, transactions: &[&[Edit]], at: &str, expected: Option<&str>) {
    let mut pair = Pair::new(pattern, "b/main/in/box");
    for edits in transactions {
        let edits = edits.iter().cloned().map(GuardedEdit::from).collect();
        pair.write(edits, true);
        pair.agrees();
    }
    assert_eq!(pair.target.shown(at).as_deref(), expected);
}

fn put(at: &str, value: i64) -> Edit {
    set(at, value).edit
}

fn remove(at: &str) -> Edit {
    Edit::Remove { path: path(at) }
}

#[test]
fn what_comes_and_goes_in_one_transaction_is_not_left_at_the_target() {
    let edits: [&[Edit]; 2] = [
        &[put("orders.o0.x", 1)],
        &[put("orders.o1.x", 1), remove("orders.o1")],
    ];
    shows("orders.*.x", &edits, "box.o1.x", None);
    shows("orders.*.x", &edits, "box.o0.x", Some("1"));
}

#[test]
fn what_is_set_and_then_moved_in_one_transaction_arrives_where_it_went() {
    let shift = Edit::Move {
        path: path("drafts.o1"),
        to: path("orders.o1"),
        position: None,
    };
    let edits: [&[Edit]; 2] = [
        &[put("orders.o0.x", 1)],
        &[put("drafts.o1.x", 1), shift, put("orders.o1.x", 2)],
    ];
    shows("orders.*.x", &edits, "box.o1.x", Some("2"));
}

#[test]
fn a_value_that_is_written_through_becomes_a_bag_there_too() {
    let through = Edit::Set {
        path: path("orders.o1.x"),
        content: Some(2.into()),
        attributes: None,
        position: None,
        overwrite: true,
    };
    let edits: [&[Edit]; 2] = [&[put("orders.o1", 1)], &[through]];
    shows("orders.**", &edits, "box.o1.x", Some("2"));
}
