//! Nothing that a watch asked for is missing without a word.

use dhlrs_bag::Edit;
use dhlrs_store::{Input, RequestId};
use dhlrs_wire::{Delivery, Kinds, RefusalKind, Reply, Request, RevisionFrom, Selection, Watch};

use crate::bench::{Bench, local, path, set};

fn watch(selection: &str, from: Option<RevisionFrom>, credit: u32) -> Watch {
    let selection = match selection.parse() {
        Ok(path) => Selection::Path(path),
        Err(_) => Selection::Pattern(selection.parse().unwrap()),
    };
    Watch {
        selection,
        from,
        kinds: Kinds::default(),
        credit,
        node: None,
    }
}

#[track_caller]
pub(crate) fn begin(bench: &mut Bench, selection: &str, from: Option<RevisionFrom>) -> RequestId {
    begin_with(bench, watch(selection, from, 1_000))
}

#[track_caller]
pub(crate) fn begin_with_credit(bench: &mut Bench, selection: &str, credit: u32) -> RequestId {
    begin_with(bench, watch(selection, None, credit))
}

#[track_caller]
fn begin_with(bench: &mut Bench, watch: Watch) -> RequestId {
    let id = bench.request_of(local(), Request::Watch(Box::new(watch)));
    match bench.answer(id) {
        Some(Ok(Reply::Watching { .. })) => id,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn lines(deliveries: Vec<Delivery>) -> Vec<String> {
    let mut lines = Vec::new();
    for delivery in deliveries {
        match delivery {
            Delivery::Changes(piece) => lines.extend(piece.changes.iter().map(|change| {
                format!("{} {} {}", piece.revision.number, change.kind, change.path)
            })),
            Delivery::Lagged { revisions, next } => {
                lines.push(format!("lagged {revisions} {next}"))
            }
            Delivery::Ended(refusal) => lines.push(format!("ended {refusal}")),
        }
    }
    lines
}

#[test]
fn a_path_takes_everything_below_it_and_need_not_exist() {
    let mut bench = Bench::logged();
    let id = begin(&mut bench, "orders", None);
    bench.set("orders.o1.status", "new");
    bench.set("other", 1);
    bench.set("orders.o1.status", "paid");
    bench
        .write(vec![
            Edit::Remove {
                path: path("orders"),
            }
            .into(),
        ])
        .unwrap();
    assert_eq!(
        lines(bench.deliveries(id)),
        [
            "1 insert orders",
            "1 insert orders.o1",
            "1 insert orders.o1.status",
            "3 value orders.o1.status",
            "4 remove orders",
        ]
    );
}

#[test]
fn a_watch_from_a_revision_begins_in_the_past() {
    let mut bench = Bench::logged();
    for n in 1..=4 {
        bench.set("a", n);
    }
    bench.restart();
    let id = begin(&mut bench, "a", Some(RevisionFrom::from(3)));
    bench.set("a", 5);
    assert_eq!(
        lines(bench.deliveries(id)),
        ["3 value a", "4 value a", "5 value a"]
    );
}

#[test]
fn without_credit_nothing_comes_and_with_it_nothing_is_missing() {
    let mut bench = Bench::logged();
    let id = begin_with(&mut bench, watch("a", None, 1));
    for n in 1..=4 {
        bench.set("a", n);
    }
    assert_eq!(lines(bench.deliveries(id)), ["1 insert a"]);
    bench.handle(Input::Credit { id, changes: 2 });
    assert_eq!(lines(bench.deliveries(id)), ["2 value a", "3 value a"]);
    bench.handle(Input::Credit { id, changes: 10 });
    bench.set("a", 5);
    assert_eq!(lines(bench.deliveries(id)), ["4 value a", "5 value a"]);
}

#[test]
fn a_watch_that_the_window_passes_is_told_how_much_it_lost() {
    let mut config = crate::bench::config(true);
    config.limits.window_changes_max = 3;
    let mut bench = Bench::of(config, crate::bench::resolvers());
    let id = begin_with(&mut bench, watch("a", None, 0));
    for n in 1..=10 {
        bench.set("a", n);
    }
    bench.handle(Input::Credit { id, changes: 100 });
    assert_eq!(
        lines(bench.deliveries(id)),
        ["lagged 7 8", "8 value a", "9 value a", "10 value a"]
    );
    let request = Request::Watch(Box::new(watch("a", Some(RevisionFrom::from(2)), 1)));
    let refused = bench.ask(local(), request).unwrap_err();
    assert!(matches!(refused.kind(), RefusalKind::Compacted { oldest } if oldest.number == 8));
}

#[test]
fn a_revision_beyond_the_next_one_or_of_another_incarnation_is_refused() {
    let mut bench = Bench::logged();
    bench.set("a", 1);
    let beyond = Request::Watch(Box::new(watch("a", Some(RevisionFrom::from(3)), 1)));
    assert_eq!(
        bench.ask(local(), beyond).unwrap_err().kind(),
        RefusalKind::Invalid
    );
    let next = Request::Watch(Box::new(watch("a", Some(RevisionFrom::from(2)), 1)));
    assert!(bench.ask(local(), next).is_ok());
    let other = RevisionFrom {
        incarnation: Some(dhlrs_wire::Incarnation(3)),
        number: 1,
    };
    let other = Request::Watch(Box::new(watch("a", Some(other), 1)));
    let refused = bench.ask(local(), other).unwrap_err();
    assert!(matches!(refused.kind(), RefusalKind::Compacted { .. }));
}

#[test]
fn a_transaction_is_delivered_whole_as_one_revision() {
    let mut bench = Bench::logged();
    let id = begin(&mut bench, "**", None);
    bench
        .write(vec![set("a", 1), set("b", 2), set("a", 3)])
        .unwrap();
    let deliveries = bench.deliveries(id);
    assert!(matches!(&deliveries[..], [Delivery::Changes(piece)] if piece.transaction));
    assert_eq!(lines(deliveries), ["1 insert a", "1 insert b", "1 value a"]);
}

#[test]
fn a_cancelled_watch_hears_nothing_more() {
    let mut bench = Bench::logged();
    let id = begin(&mut bench, "a", None);
    bench.handle(Input::Cancel(id));
    bench.set("a", 1);
    assert!(bench.deliveries(id).is_empty());
    assert_eq!(bench.store.status().watches, 0);
}

#[test]
fn a_hash_step_binds_to_the_node_that_it_names_at_the_beginning() {
    let mut bench = Bench::logged();
    bench.set("a.x", 1);
    bench.set("b.x", 1);
    let id = begin(&mut bench, "#0", None);
    bench
        .write(vec![
            Edit::Rename {
                path: path("a"),
                label: "z".parse().unwrap(),
            }
            .into(),
        ])
        .unwrap();
    bench.set("b.x", 2);
    bench.set("z.x", 2);
    assert_eq!(lines(bench.deliveries(id)), ["3 rename z", "5 value z.x"]);
    let missing = Request::Watch(Box::new(watch("#9", None, 1)));
    assert_eq!(
        bench.ask(local(), missing).unwrap_err().kind(),
        RefusalKind::Missing
    );
}

#[test]
fn a_node_that_is_followed_is_followed_within_a_transaction_too() {
    let mut bench = Bench::logged();
    bench.set("a", 1);
    bench.set("b.c", 1);
    let id = begin(&mut bench, "#0", None);
    let transaction = vec![
        Edit::Move {
            path: path("a"),
            to: path("b.a"),
            position: None,
        }
        .into(),
        Edit::Remove { path: path("b") }.into(),
    ];
    bench.write(transaction).unwrap();
    assert_eq!(lines(bench.deliveries(id)), ["3 move b.a", "3 remove b"]);
}

#[test]
fn a_path_with_attributes_takes_these_alone() {
    let mut bench = Bench::logged();
    bench.set("k.a?color", "red");
    let one = begin(&mut bench, "k.a?color", None);
    let all = begin(&mut bench, "k.a?", None);
    bench.set("k.a", 1);
    bench.set("k.a?size", 2);
    bench.set("k.a?color", "blue");
    bench.set("k.b.x", 3);
    assert_eq!(lines(bench.deliveries(one)), ["4 attrs k.a"]);
    assert_eq!(lines(bench.deliveries(all)), ["3 attrs k.a", "4 attrs k.a"]);
    let by_place = watch("k.#0?color", None, 10);
    let id = bench.request_of(local(), Request::Watch(Box::new(by_place)));
    let refused = bench.answer(id).unwrap().unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::Invalid);
}
