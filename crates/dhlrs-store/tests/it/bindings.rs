//! A bound node takes no content, read or not, until it is materialised; then it is its own.

use dhlrs_bag::{Attributes, Branch, Content, Edit, GuardedEdit, Label, Row, Value};
use dhlrs_resolver::{Binding, Limits, Registry, ResolverOptions, Resolvers};
use dhlrs_store::{Config, Input};
use dhlrs_wire::{Refusal, RefusalKind, Request, View};

use crate::bench::{Bench, config, intent, local, page, path, read, set, written};
use crate::resolvers::flights;

const BOUND: [&str; 3] = ["p.*", "rates.eur", "rates.usd"];

pub(crate) fn configured() -> (Config, Resolvers) {
    let mut registry = Registry::new();
    let options = ResolverOptions {
        cache_time_ms: -1,
        ..ResolverOptions::default()
    };
    registry.register("remote", options).unwrap();
    let mut config = config(true);
    config.limits.window_changes_max = 20;
    for pattern in BOUND {
        let binding = Binding::new(pattern.parse().unwrap(), "remote").unwrap();
        config.bindings.add(binding).unwrap();
    }
    (config, Resolvers::new(registry, Limits::default()))
}

fn bench() -> Bench {
    let (config, resolvers) = configured();
    Bench::of(config, resolvers)
}

pub(crate) fn restart(bench: &mut Bench) {
    let (config, resolvers) = configured();
    bench.restart_as(config, resolvers);
}

fn label(text: &str) -> Label {
    text.parse().unwrap()
}

/// `x` = 1 and a bag `y` that holds `z` = 2.
pub(crate) fn branch() -> Branch {
    Branch::from_rows([
        Row::value(0, label("x"), 1),
        Row::bag(0, label("y")),
        Row::value(1, label("z"), 2),
    ])
    .unwrap()
}

/// Reads a node that is not cached, whose resolver gives this.
pub(crate) fn resolve(bench: &mut Bench, at: &str, content: impl Into<Content>) {
    bench.outputs.clear();
    let id = bench.request_of(local(), read(at, 0, View::Resolve));
    let flight = flights(bench)[0];
    bench.handle(Input::Resolved {
        flight,
        result: Ok(content.into()),
    });
    bench.answer(id).unwrap().unwrap();
}

/// What `get` answers without anybody being asked.
pub(crate) fn got(bench: &mut Bench, at: &str) -> Option<Value> {
    let id = bench.request_of(local(), read(at, 0, View::Resolve));
    let rows = page(bench.answer(id).expect("an answer at once").unwrap()).rows;
    rows.into_iter().next()?.value
}

fn edits_into(node: &str) -> Vec<(&'static str, Edit)> {
    let at = |below: &str| path(&format!("{node}{below}"));
    let attributes: Attributes = [("unit".parse().unwrap(), Value::from("kg"))]
        .into_iter()
        .collect();
    let moved = |to: &str| Edit::Move {
        path: path("own"),
        to: at(to),
        position: None,
    };
    vec![
        ("value", Edit::set(at(""), 5)),
        ("branch", Edit::set(at(""), branch())),
        ("below", Edit::set(at(".a"), 5)),
        ("far below", Edit::set(at(".a.b.c"), 5)),
        (
            "attribute below",
            Edit::SetAttributes {
                path: at(".a"),
                attributes,
            },
        ),
        ("remove below", Edit::Remove { path: at(".a") }),
        (
            "merge",
            Edit::Merge {
                path: at(""),
                branch: branch(),
            },
        ),
        (
            "replace",
            Edit::Replace {
                path: at(""),
                branch: branch(),
            },
        ),
        ("clear", Edit::Clear { path: at("") }),
        ("move below", moved(".a")),
        (
            "resolver and value",
            Edit::SetResolver {
                path: at(""),
                resolver: None,
                content: Some(5.into()),
                attributes: None,
                position: None,
            },
        ),
    ]
}

fn refused(bench: &mut Bench, edit: Edit) -> Option<RefusalKind> {
    let state = bench.store.published().clone();
    let outcome = bench.write(vec![edit.into()]);
    let refused = outcome.err().map(|refusal: Refusal| refusal.kind());
    assert_eq!(bench.store.published(), &state);
    refused
}

#[test]
fn whether_somebody_has_read_a_bound_node_does_not_decide_what_may_be_written() {
    for node in ["p.ann", "rates.eur"] {
        let mut bench = bench();
        bench.set("own", 1);
        // The node that a wildcard covers has to be there.
        bench.set("p.ann?id", 7);
        for (what, edit) in edits_into(node) {
            let unread = refused(&mut bench, edit);
            assert_eq!(unread, Some(RefusalKind::UnderOverlay), "{node}: {what}");
        }
        resolve(&mut bench, node, branch());
        for (what, edit) in edits_into(node) {
            let read = refused(&mut bench, edit);
            assert_eq!(read, Some(RefusalKind::UnderOverlay), "{node}: {what}");
        }
    }
}

#[test]
fn content_that_a_binding_would_hide_is_not_taken_where_no_node_is_yet() {
    let mut bench = bench();
    bench.set("q.ann", 1);
    bench.set("q.bob", Value::Null);
    for edit in [
        Edit::set(path("p.new"), 1),
        Edit::set(path("p.new.below"), 1),
        Edit::set(path("p"), branch()),
        Edit::Move {
            path: path("q"),
            to: path("p"),
            position: None,
        },
        Edit::Rename {
            path: path("q"),
            label: label("p"),
        },
    ] {
        let kind = refused(&mut bench, edit.clone());
        assert_eq!(kind, Some(RefusalKind::UnderOverlay), "{edit:?}");
    }
    // What is no content: the node itself, its attributes, and that it goes.
    bench.set("p.new", Value::Null);
    bench.set("p.new?id", 1);
    bench.set("rates.eur?id", 1);
    let write = |edit: Edit| vec![GuardedEdit::from(edit)];
    let to = path("p.bob");
    let (from, position) = (path("q.bob"), None);
    let edit = Edit::Move {
        path: from,
        to,
        position,
    };
    bench.write(write(edit)).unwrap();
    let label = label("other");
    let path = path("p.new");
    bench.write(write(Edit::Rename { path, label })).unwrap();
    let path = crate::bench::path("p.other");
    bench.write(write(Edit::Remove { path })).unwrap();
    assert_eq!(bench.shown("p.bob").as_deref(), Some("null"));
}

#[test]
fn an_import_leaves_out_the_rows_that_a_binding_covers() {
    let mut bench = bench();
    let rows = [
        Row::value(0, label("ann"), Value::Null),
        Row::bag(0, label("bob")),
        Row::value(1, label("name"), "Bob"),
        Row::value(0, label("eve"), 3),
    ];
    let edit = Edit::Merge {
        path: path("p"),
        branch: Branch::from_rows(rows).unwrap(),
    };
    assert_eq!(
        refused(&mut bench, edit.clone()),
        Some(RefusalKind::UnderOverlay)
    );
    let mut loose = intent([0; 16], 0, vec![edit.into()]);
    loose.atomic = false;
    let reply = bench.ask(local(), Request::Write(Box::new(loose)));
    let done = written(reply.unwrap());
    assert_eq!(done.skipped, 3);
    let about: Vec<_> = done.first_skipped.iter().map(Refusal::message).collect();
    assert!(about[0].starts_with("p.bob ") && about[1].starts_with("p.eve "));
    let labels = bench.store.published().node(&path("p")).unwrap();
    let labels: Vec<_> = labels
        .children()
        .map(|node| node.label().to_string())
        .collect();
    assert_eq!(labels, ["ann"]);
}

#[test]
fn what_was_stored_before_the_binding_is_covered_and_not_lost() {
    let (_, resolvers) = configured();
    let mut bench = Bench::of(config(true), resolvers);
    bench.set("p.ann", 1);
    bench.set("p.bob.name", "Bob");
    restart(&mut bench);
    resolve(&mut bench, "p.ann", 2);
    assert_eq!(got(&mut bench, "p.ann"), Some(Value::Int(2)));
    let stored = bench.read("p.ann", 0, View::Stored).unwrap();
    assert_eq!(stored.rows[0].value, Some(Value::Int(1)));
    let stored = bench.read("p.bob.name", 0, View::Stored).unwrap();
    assert_eq!(stored.rows[0].value, Some("Bob".into()));
}

pub(crate) fn materialise(at: &str) -> Edit {
    Edit::Materialise { path: path(at) }
}

#[test]
fn a_materialised_node_is_its_own_for_good() {
    for node in ["p.ann", "rates.eur"] {
        let mut bench = bench();
        bench.set("p.ann?id", 7);
        bench.set("p.bob?id", 8);
        let early = bench.write(vec![materialise(node).into()]).unwrap_err();
        assert_eq!(early.kind(), RefusalKind::PreconditionFailed, "{early}");
        resolve(&mut bench, node, branch());
        let inside = format!("{node}.y.z");
        // One intent may materialise and write.
        let edits = vec![materialise(node).into(), set(&inside, 5)];
        bench.write(edits).unwrap();
        bench.set(&format!("{node}.new"), 6);
        for by_image in [false, true] {
            if by_image {
                for n in 0..30 {
                    bench.set("filler", n);
                }
                assert!(bench.image.is_some());
            }
            restart(&mut bench);
            assert_eq!(got(&mut bench, &inside), Some(Value::Int(5)), "{node}");
            let at = format!("{node}.new");
            assert_eq!(got(&mut bench, &at), Some(Value::Int(6)), "{node}");
            bench.set(&at, 6);
        }
        // Others are bound as before, and so is a new node in its place.
        resolve(&mut bench, "p.bob", 1);
        let remove = Edit::Remove { path: path(node) };
        bench.write(vec![remove.into()]).unwrap();
        bench.set(&format!("{node}?id"), 9);
        assert_eq!(
            refused(&mut bench, Edit::set(path(node), 1)),
            Some(RefusalKind::UnderOverlay)
        );
        resolve(&mut bench, node, 3);
    }
}

#[test]
fn a_refused_intent_does_not_end_a_binding() {
    let mut bench = bench();
    bench.set("p.ann?id", 7);
    resolve(&mut bench, "p.ann", 1);
    let impossible = Edit::Rename {
        path: path("missing"),
        label: label("a"),
    };
    let edits = vec![materialise("p.ann").into(), impossible.into()];
    bench.write(edits).unwrap_err();
    assert_eq!(
        refused(&mut bench, Edit::set(path("p.ann"), 1)),
        Some(RefusalKind::UnderOverlay)
    );
}

#[test]
fn what_a_node_showed_for_its_old_path_goes_when_it_moves() {
    let mut bench = bench();
    bench.set("p.ann?id", 7);
    bench.set("q.other", 1);
    resolve(&mut bench, "p.ann", 2);
    let edit = Edit::Move {
        path: path("p.ann"),
        to: path("q.ann"),
        position: None,
    };
    bench.write(vec![edit.into()]).unwrap();
    assert_eq!(got(&mut bench, "q.ann"), Some(Value::Null));
    bench.set("q.ann", 5);
    assert_eq!(got(&mut bench, "q.ann"), Some(Value::Int(5)));
}

#[test]
fn a_node_whose_resolver_gave_what_was_stored_is_its_own_after_a_restart_too() {
    let (_, resolvers) = configured();
    let mut bench = Bench::of(config(true), resolvers);
    bench.set("p.ann", 1);
    restart(&mut bench);
    resolve(&mut bench, "p.ann", 1);
    bench.write(vec![materialise("p.ann").into()]).unwrap();
    bench.set("p.ann", 7);
    restart(&mut bench);
    assert_eq!(got(&mut bench, "p.ann"), Some(Value::Int(7)));
}
