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
        at: None,
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

/// A store whose unfinished reads may pin so much.
fn pinning(bytes_max: u64) -> Bench {
    let mut config = crate::bench::config(true);
    config.limits.snapshot_bytes_max = bytes_max;
    Bench::of(config, crate::bench::resolvers())
}

fn is_held(bench: &mut Bench, cursor: dhlrs_wire::PageCursor) -> bool {
    bench.ask(local(), Request::NextPage(cursor)).is_ok()
}

#[test]
fn the_values_that_only_unfinished_reads_keep_are_within_the_limit() {
    const LIMIT: u64 = 4 << 20;
    const GENERATION: u64 = 8 * (200 << 10);
    let mut bench = pinning(LIMIT);
    let mut cursors = Vec::new();
    for letter in "abcdefghijklmno".chars() {
        for n in 0..8 {
            let value = letter.to_string().repeat(200 << 10);
            bench.set(&format!("big.n{n}"), value);
        }
        let first = bench.read("big", 64, View::Stored).unwrap();
        cursors.push(first.next.unwrap());
    }
    let held = cursors
        .into_iter()
        .filter(|cursor| is_held(&mut bench, *cursor))
        .count() as u64;
    // The newest shares all of its tree with the published one.
    assert!((2..=LIMIT / GENERATION + 1).contains(&held), "{held}");
}

#[test]
fn what_went_with_a_bag_counts_as_much_as_what_was_overwritten() {
    let clear = dhlrs_bag::Edit::Replace {
        path: crate::bench::path("big"),
        branch: dhlrs_bag::Branch::default(),
    };
    let remove = dhlrs_bag::Edit::Remove {
        path: crate::bench::path("big"),
    };
    for edit in [clear, remove] {
        for (limit, stays) in [(1 << 20, false), (4 << 20, true)] {
            let mut bench = pinning(limit);
            fill(&mut bench, 400);
            let cursor = bench.read("big", 64, View::Stored).unwrap().next.unwrap();
            bench.write(vec![edit.clone().into()]).unwrap();
            assert_eq!(is_held(&mut bench, cursor), stays, "{limit} {edit:?}");
        }
    }
}

#[test]
fn a_value_that_is_written_again_and_again_does_not_end_the_reads_of_a_small_tree() {
    let mut bench = pinning(1 << 20);
    fill(&mut bench, 100);
    let cursor = bench.read("big", 64, View::Stored).unwrap().next.unwrap();
    for n in 0..2_000 {
        bench.set("counter", n);
    }
    assert!(is_held(&mut bench, cursor));
}

#[test]
fn a_tree_that_was_read_from_the_log_again_shares_nothing_with_that_of_a_read() {
    for (limit, stays) in [(256 << 10, false), (4 << 20, true)] {
        let mut bench = pinning(limit);
        fill(&mut bench, 200);
        let cursor = bench.read("big", 64, View::Stored).unwrap().next.unwrap();
        bench.at_once = false;
        bench.set_later("other", 1);
        bench.out = None;
        bench.handle(dhlrs_store::Input::PersistFailed {
            message: "no space left on device".to_owned(),
        });
        bench.at_once = true;
        bench.recover();
        bench.set("other", 2);
        assert_eq!(is_held(&mut bench, cursor), stays, "{limit}");
    }
}

#[test]
fn what_a_resolver_gave_counts_whole_while_it_is_read() {
    let mut bench = crate::resolvers::bench_with(0, |config| {
        config.limits.snapshot_bytes_max = 2 << 20;
    });
    let mut cursors = Vec::new();
    for _ in 0..8 {
        bench.outputs.clear();
        let id = bench.request_of(local(), read("item.price", 64, View::Resolve));
        let flight = crate::resolvers::flights(&bench)[0];
        let rows = (0..5).map(|n| {
            let label = format!("n{n}").parse().unwrap();
            dhlrs_bag::Row::value(0, label, "x".repeat(200 << 10))
        });
        let branch = dhlrs_bag::Branch::from_rows(rows).unwrap();
        bench.handle(dhlrs_store::Input::Resolved {
            flight,
            result: Ok(dhlrs_bag::Content::Branch(branch)),
        });
        cursors.push(page(bench.answer(id).unwrap().unwrap()).next.unwrap());
    }
    let held = cursors
        .into_iter()
        .filter(|cursor| is_held(&mut bench, *cursor))
        .count();
    assert_eq!(held, 2);
}
