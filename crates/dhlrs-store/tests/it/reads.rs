//! Reads show one revision, in pages, and do not last for ever.

use dhlrs_wire::{PAGE_BYTES_MAX, Read, RefusalKind, Request, Selection, View};

use crate::bench::{Bench, local, page, read};

fn fill(bench: &mut Bench, count: usize) {
    for n in 0..count {
        bench.set(&format!("big.n{n:04}"), "x".repeat(4_096));
    }
}

#[test]
fn a_missing_path_is_an_empty_page() {
    let mut bench = Bench::logged();
    let page = bench.read("nothing.here", 64, View::Resolve).unwrap();
    assert!(page.rows.is_empty() && page.next.is_none());
}

#[test]
fn the_depth_says_how_far_down_the_rows_go() {
    let mut bench = Bench::logged();
    bench.set("a.b.c", 1);
    bench.set("a.d", 2);
    let names = |bench: &mut Bench, depth| {
        let page = bench.read("a", depth, View::Resolve).unwrap();
        let row =
            |row: &dhlrs_wire::ReadRow| format!("{}{}", "-".repeat(row.depth.into()), row.name);
        page.rows.iter().map(row).collect::<Vec<_>>()
    };
    assert_eq!(names(&mut bench, 0), ["a"]);
    assert_eq!(names(&mut bench, 1), ["a", "-b", "-d"]);
    assert_eq!(names(&mut bench, 64), ["a", "-b", "--c", "-d"]);
}

#[test]
fn a_large_read_comes_in_pages_of_one_revision_while_others_write() {
    let mut bench = Bench::logged();
    fill(&mut bench, 200);
    let revision = bench.revision();
    let mut seen = 0;
    let mut page_now = bench.read("big", 64, View::Stored).unwrap();
    loop {
        assert_eq!(page_now.revision, revision);
        let bytes: usize = page_now
            .rows
            .iter()
            .map(|row| {
                row.value
                    .as_ref()
                    .map_or(0, dhlrs_bag::Value::encoded_bytes)
            })
            .sum();
        assert!(bytes <= PAGE_BYTES_MAX);
        seen += page_now.rows.len();
        let Some(cursor) = page_now.next else { break };
        bench.set(&format!("big.later{seen}"), 1);
        let again = page(bench.ask(local(), Request::NextPage(cursor)).unwrap());
        if again.next.is_some() {
            // The page that was sent last may be asked for again.
            let repeated = page(bench.ask(local(), Request::NextPage(cursor)).unwrap());
            assert_eq!(repeated, again);
        }
        page_now = again;
    }
    assert_eq!(seen, 201);
}

#[test]
fn a_pattern_reads_whole_paths_in_pages_too() {
    let mut bench = Bench::logged();
    fill(&mut bench, 100);
    let request = Request::Read(Box::new(Read {
        selection: Selection::Pattern("big.*".parse().unwrap()),
        depth: 0,
        view: View::Cached,
        arguments: dhlrs_bag::Attributes::new(),
    }));
    let first = page(bench.ask(local(), request).unwrap());
    assert_eq!(first.rows[0].name, "big.n0000");
    let rest = page(
        bench
            .ask(local(), Request::NextPage(first.next.unwrap()))
            .unwrap(),
    );
    assert_eq!(first.rows.len() + rest.rows.len(), 100);
    assert_eq!(rest.rows.last().unwrap().name, "big.n0099");
}

#[test]
fn a_read_that_is_idle_or_one_too_many_is_given_up() {
    let mut bench = Bench::logged();
    fill(&mut bench, 100);
    let first = bench.read("big", 64, View::Stored).unwrap().next.unwrap();
    for _ in 0..dhlrs_store::SOURCE_READS_MAX {
        bench.read("big", 64, View::Stored).unwrap();
    }
    let refused = bench.ask(local(), Request::NextPage(first)).unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::SnapshotExpired);
    let idle = bench.read("big", 64, View::Stored).unwrap().next.unwrap();
    bench.pass_ms(dhlrs_store::READ_IDLE_MS);
    let refused = bench.ask(local(), Request::NextPage(idle)).unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::SnapshotExpired);
}

#[test]
fn a_read_is_its_own_sources_alone() {
    let mut bench = Bench::logged();
    fill(&mut bench, 100);
    let cursor = bench.read("big", 64, View::Stored).unwrap().next.unwrap();
    let refused = bench
        .ask(crate::bench::remote(), Request::NextPage(cursor))
        .unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::SnapshotExpired);
    assert!(bench.ask(local(), Request::NextPage(cursor)).is_ok());
}

#[test]
fn snapshots_that_pin_too_much_end_the_oldest_read() {
    let mut config = crate::bench::config(true);
    config.limits.snapshot_bytes_max = 64 << 10;
    let mut bench = Bench::of(config, crate::bench::resolvers());
    fill(&mut bench, 300);
    let cursor = bench.read("big", 64, View::Stored).unwrap().next.unwrap();
    for n in 0..100 {
        bench.set("other", n);
    }
    let refused = bench.ask(local(), Request::NextPage(cursor)).unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::SnapshotExpired);
    assert!(bench.ask(local(), read("other", 0, View::Stored)).is_ok());
}
