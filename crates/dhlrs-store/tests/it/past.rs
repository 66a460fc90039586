//! What happened to a node, and what the tree was.

use dhlrs_clock::Stamp;
use dhlrs_wire::{
    EventRow, HISTORY_ROWS_MAX, HistoryCursor, HistoryPage, HistoryRequest, Read, Reply, Request,
    Selection, View,
};

use crate::bench::{Bench, local, page, path};
use crate::mesh::Mesh;

fn history(bench: &mut Bench, at: &str, before: Option<HistoryCursor>, limit: u16) -> HistoryPage {
    let request = HistoryRequest {
        path: path(at),
        before,
        limit,
    };
    match bench
        .ask(local(), Request::History(Box::new(request)))
        .unwrap()
    {
        Reply::History(page) => *page,
        other => panic!("{other:?}"),
    }
}

fn all(bench: &mut Bench, at: &str) -> Vec<EventRow> {
    let limit = HISTORY_ROWS_MAX.try_into().unwrap();
    history(bench, at, None, limit).rows
}

fn told(rows: &[EventRow]) -> Vec<String> {
    rows.iter()
        .map(|row| {
            let value = row.value.as_ref().map(ToString::to_string);
            format!(
                "{} {} {}",
                row.action.name(),
                row.path,
                value.unwrap_or_default()
            )
        })
        .collect()
}

fn shown_at(bench: &mut Bench, at: &str, stamp: Stamp) -> Option<String> {
    let read = Read {
        selection: Selection::Path(path(at)),
        depth: 0,
        view: View::Resolve,
        arguments: dhlrs_bag::Attributes::new(),
        at: Some(stamp),
    };
    let page = page(bench.ask(local(), Request::Read(Box::new(read))).unwrap());
    let row = page.rows.into_iter().next()?;
    row.value.map(|value| value.to_string())
}

#[test]
fn the_history_of_a_node_is_told_newest_first_alike_on_all_replicas() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.nodes[0].set("a.b", 1);
    mesh.settle();
    mesh.nodes[1].set("a.b", 2);
    mesh.nodes[1].set("q", 7);
    mesh.settle();
    mesh.nodes[0].set("a.b?unit", "kg");
    mesh.settle();
    let rows = all(&mut mesh.nodes[0], "a.b");
    assert_eq!(
        told(&rows),
        ["attr a.b kg", "set a.b 2", "set a.b 1", "create a.b "]
    );
    assert_ne!(rows[0].dot.feed, rows[1].dot.feed);
    assert!(rows.windows(2).all(|pair| pair[0].stamp > pair[1].stamp));
    assert_eq!(all(&mut mesh.nodes[1], "a.b"), rows);
    assert_eq!(
        all(&mut mesh.nodes[1], "a").len(),
        rows.len() + 1,
        "its own Create"
    );
}

#[test]
fn pages_of_a_history_follow_one_another() {
    let mut mesh = Mesh::of(1);
    for n in 0..10 {
        mesh.nodes[0].set("a", n);
    }
    let whole = all(&mut mesh.nodes[0], "a");
    assert_eq!(whole.len(), 11);
    let (mut rows, mut before) = (Vec::new(), None);
    loop {
        let page = history(&mut mesh.nodes[0], "a", before, 4);
        assert!(page.rows.len() <= 4);
        rows.extend(page.rows);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(rows, whole);
}

#[test]
fn a_node_that_is_gone_has_a_history_and_one_that_never_was_has_none() {
    let mut mesh = Mesh::of(1);
    mesh.nodes[0].set("a.b", 1);
    let remove = dhlrs_bag::Edit::Remove { path: path("a") };
    mesh.nodes[0].write(vec![remove.into()]).unwrap();
    let rows = all(&mut mesh.nodes[0], "a.b");
    assert_eq!(told(&rows), ["set a.b 1", "create a.b "]);
    let rows = all(&mut mesh.nodes[0], "a");
    assert_eq!(told(&rows)[0], "remove a ");
    assert_eq!(all(&mut mesh.nodes[0], "c"), []);
}

#[test]
fn a_stamp_inside_a_transaction_means_all_of_it() {
    let mut mesh = Mesh::of(1);
    mesh.nodes[0].set("a.b.c", 1);
    mesh.nodes[0].set("q", 1);
    let rows = all(&mut mesh.nodes[0], "");
    let transaction = rows.iter().skip(2);
    assert_eq!(transaction.len(), 4, "three Creates and a Write");
    for row in transaction {
        let bench = &mut mesh.nodes[0];
        assert_eq!(shown_at(bench, "a.b.c", row.stamp).as_deref(), Some("1"));
        assert_eq!(shown_at(bench, "q", row.stamp), None);
    }
}

#[test]
fn a_read_shows_the_tree_as_it_was() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    let mut stamps = Vec::new();
    for n in 0..3 {
        mesh.nodes[0].set("a", n);
        mesh.settle();
        stamps.push(all(&mut mesh.nodes[0], "a")[0].stamp);
        for node in &mut mesh.nodes {
            node.pass_ms(1_000);
        }
    }
    let remove = dhlrs_bag::Edit::Remove { path: path("a") };
    mesh.nodes[1].write(vec![remove.into()]).unwrap();
    mesh.settle();
    for bench in &mut mesh.nodes {
        assert_eq!(bench.shown("a"), None);
        for (n, stamp) in stamps.iter().enumerate() {
            assert_eq!(shown_at(bench, "a", *stamp), Some(n.to_string()));
        }
        assert_eq!(shown_at(bench, "a", Stamp::ZERO), None);
    }
}
