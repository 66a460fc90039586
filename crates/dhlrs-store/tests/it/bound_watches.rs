//! A watch that is bound to a node, and whose link was down while things happened to that node, is
//! told what it would have been told.

use dhlrs_bag::{Edit, GuardedEdit, NodeId};
use dhlrs_store::{Input, RequestId};
use dhlrs_wire::{
    Incarnation, Kinds, RefusalKind, Reply, Request, Revision, RevisionFrom, Selection, Watch,
};

use crate::bench::{Bench, config, local, path, resolvers, set};
use crate::watches::lines;

fn bound(at: &str, from: Option<RevisionFrom>, node: Option<NodeId>) -> Request {
    Request::Watch(Box::new(Watch {
        selection: Selection::Path(path(at)),
        from,
        kinds: Kinds::default(),
        credit: 100,
        node,
    }))
}

fn begin(bench: &mut Bench, at: &str) -> (RequestId, Revision, Option<NodeId>) {
    let id = bench.request_of(local(), bound(at, None, None));
    match bench.answer(id) {
        Some(Ok(Reply::Watching { from, node })) => (id, from, node),
        other => panic!("{other:?}"),
    }
}

fn resume(bench: &mut Bench, at: &str, from: Revision, node: Option<NodeId>) -> RequestId {
    let from = RevisionFrom {
        incarnation: Some(from.incarnation),
        number: from.number,
    };
    let id = bench.request_of(local(), bound(at, Some(from), node));
    match bench.answer(id) {
        Some(Ok(Reply::Watching { node: again, .. })) => assert_eq!(again, node),
        other => panic!("{other:?}"),
    }
    id
}

fn remove(at: &str) -> GuardedEdit {
    Edit::Remove { path: path(at) }.into()
}

fn rename(at: &str, label: &str) -> GuardedEdit {
    let label = label.parse().unwrap();
    Edit::Rename {
        path: path(at),
        label,
    }
    .into()
}

fn shift(at: &str, to: &str) -> GuardedEdit {
    let edit = Edit::Move {
        path: path(at),
        to: path(to),
        position: None,
    };
    edit.into()
}

/// Writes with the link up, with the link down, and with a restart of the store before the watch
/// resumes: all three are told the same.
#[track_caller]
fn tells(at: &str, writes: &[Vec<GuardedEdit>], told: &[&str]) {
    for (is_down, restarts) in [(false, false), (true, false), (true, true)] {
        let mut bench = Bench::logged();
        bench.set("a.b.n", 1);
        bench.set("c.d", 1);
        let (mut id, from, node) = begin(&mut bench, at);
        if is_down {
            bench.handle(Input::Cancel(id));
        }
        for edits in writes {
            bench.write(edits.clone()).unwrap();
        }
        if restarts {
            bench.restart();
        }
        if is_down {
            id = resume(&mut bench, at, from, node);
        }
        let case = format!("down {is_down}, restarts {restarts}");
        assert_eq!(lines(bench.deliveries(id)), told, "{case}");
        // And it goes on from there like any other.
        let place = bench.store.published().get("c.n").is_some();
        if place {
            bench.write(vec![rename("c", "z")]).unwrap();
            bench.set("z.n", 9);
            assert_eq!(lines(bench.deliveries(id)).len(), 2, "{case}");
        }
    }
}

#[test]
fn that_the_node_went() {
    let writes = [vec![set("a.b.n", 2)], vec![remove("a.b.n")]];
    tells("a.b.#0", &writes, &["3 value a.b.n", "4 remove a.b.n"]);
}

#[test]
fn that_it_went_with_a_bag_around_it() {
    let writes = [vec![set("a.b.n", 2)], vec![remove("a")]];
    tells("a.b.#0", &writes, &["3 value a.b.n", "4 remove a"]);
}

#[test]
fn that_a_bag_around_it_was_filled_anew() {
    let empty = Edit::Replace {
        path: path("a"),
        branch: dhlrs_bag::Branch::default(),
    };
    tells("a.b.#0", &[vec![empty.into()]], &["3 replace a"]);
    tells("a.b.#0", &[vec![set("a.b", 5)]], &["3 value a.b"]);
}

#[test]
fn that_the_bags_around_it_were_renamed_before_it_left_them() {
    let writes = [vec![rename("a.b", "x")], vec![shift("a.x.n", "c.n")]];
    tells("a.b.#0", &writes, &["3 rename a.x", "4 move c.n"]);
}

#[test]
fn that_a_bag_around_it_went_after_it_had_moved() {
    let writes = [
        vec![shift("a.b", "c.b")],
        vec![rename("a", "x")],
        vec![set("c.b.n", 2), rename("c", "y"), remove("y.b")],
    ];
    let told = ["3 move c.b", "5 value c.b.n", "5 rename y", "5 remove y.b"];
    tells("a.b.#0", &writes, &told);
}

#[test]
fn nothing_of_the_bags_that_it_was_not_in_then() {
    let writes = [
        vec![rename("c", "x")],
        vec![shift("a.b.n", "x.n")],
        vec![rename("x", "c")],
    ];
    tells("a.b.#0", &writes, &["4 move x.n", "5 rename c"]);
}

#[test]
fn two_watches_of_one_node_are_told_the_same_wherever_one_of_them_began() {
    let mut bench = Bench::logged();
    bench.set("a.b.n", 1);
    bench.set("c.d", 1);
    let (old, from, node) = begin(&mut bench, "a.b.#0");
    bench.handle(Input::Cancel(old));
    bench.write(vec![shift("a.b.n", "c.n")]).unwrap();
    let resumed = resume(&mut bench, "a.b.#0", from, node);
    let (fresh, ..) = begin(&mut bench, "c.#1");
    bench.deliveries(resumed);
    bench.write(vec![rename("c", "x")]).unwrap();
    bench.write(vec![rename("a", "y")]).unwrap();
    for id in [resumed, fresh] {
        assert_eq!(lines(bench.deliveries(id)), ["4 rename x"]);
    }
}

#[test]
fn a_watch_that_was_passed_follows_its_node_from_where_the_window_begins() {
    let mut config = config(true);
    config.limits.window_changes_max = 3;
    let mut bench = Bench::of(config, resolvers());
    bench.set("a.b.n", 1);
    bench.set("c.d", 1);
    let request = match bound("a.b.#0", None, None) {
        Request::Watch(watch) => Request::Watch(Box::new(Watch {
            credit: 0,
            ..*watch
        })),
        other => other,
    };
    let id = bench.request_of(local(), request);
    bench.write(vec![shift("a.b.n", "c.n")]).unwrap();
    bench.set("e", 1);
    bench.set("e", 2);
    bench.write(vec![rename("c", "x")]).unwrap();
    bench.handle(Input::Credit { id, changes: 10 });
    assert_eq!(lines(bench.deliveries(id)), ["lagged 1 4", "6 rename x"]);
}

#[test]
fn a_node_that_never_was_or_went_too_long_ago_is_refused() {
    let mut bench = Bench::logged();
    bench.set("a", 1);
    let other = Some(NodeId::from_bytes([7; 16]));
    let refused = bench.ask(local(), bound("#0", None, other)).unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::Missing);
    let (id, from, node) = begin(&mut bench, "#0");
    bench.handle(Input::Cancel(id));
    bench.write(vec![remove("a")]).unwrap();
    let from = RevisionFrom::from(from.number + 1);
    let refused = bench
        .ask(local(), bound("#0", Some(from), node))
        .unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::Missing);
    // The incarnation is judged first: in another one the node's name says nothing.
    let from = RevisionFrom {
        incarnation: Some(Incarnation(3)),
        number: from.number,
    };
    let refused = bench
        .ask(local(), bound("#0", Some(from), node))
        .unwrap_err();
    assert!(matches!(refused.kind(), RefusalKind::Compacted { .. }));
}
