//! Reading changes at one's own pace.

use dhlrs_bag::{AttributeChange, Change, ChangeKind, Changes, Name, NodeId, Shown, Value};
use dhlrs_path::Pattern;
use dhlrs_trigger::{
    Cursor, Interests, Kinds, Next, Selector, Target, WINDOW_CHANGES_MAX, Window, WindowErrorKind,
    WindowLimits, change_bytes,
};

use crate::model::{Model, changes};

fn selector(text: &str) -> Selector {
    Selector::new(text.parse::<Pattern>().unwrap(), Kinds::ALL)
}

fn window(changes_max: usize) -> Window {
    Window::new(
        1,
        WindowLimits {
            changes_max,
            ..WindowLimits::default()
        },
    )
}

fn value(revision: u64, path: &str) -> Changes {
    let model = Model::of(&["a", "b", "c"]);
    changes(revision, vec![model.value(model.at(path))])
}

fn overlay(revision: u64, path: &str) -> Changes {
    let mut changes = value(revision, path);
    changes.list[0].kind = ChangeKind::Resolve;
    changes
}

/// Everything up to the end, as `revision kind` each.
fn read(window: &Window, cursor: &mut Cursor, selector: &mut Selector) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        match window.next(cursor, selector) {
            Next::Delivered { changes, matching } => {
                let kinds: Vec<_> = matching
                    .iter()
                    .map(|at| changes.list[*at].kind.as_str())
                    .collect();
                lines.push(format!("{} {}", changes.meta.revision, kinds.join(" ")));
            }
            Next::Lagged { revisions, oldest } => {
                lines.push(format!("lagged {revisions} {oldest}"))
            }
            Next::CaughtUp => return lines,
        }
    }
}

#[test]
fn a_reader_gets_what_matches_and_then_what_comes() {
    let mut window = window(100);
    let (mut cursor, mut selector) = (window.begin_now(), selector("a"));
    window.push(value(1, "a")).unwrap();
    window.push(value(2, "b")).unwrap();
    window.push(value(3, "a")).unwrap();
    assert_eq!(
        read(&window, &mut cursor, &mut selector),
        ["1 value", "3 value"]
    );
    assert_eq!(cursor.revision(), 4);
    window.push(value(4, "a")).unwrap();
    assert_eq!(read(&window, &mut cursor, &mut selector), ["4 value"]);
    assert!(read(&window, &mut cursor, &mut selector).is_empty());
}

#[test]
fn a_reader_begins_at_any_revision_that_is_kept_or_next() {
    let mut window = window(3);
    for revision in 1..=5 {
        window.push(value(revision, "a")).unwrap();
    }
    assert_eq!((window.oldest(), window.next_revision()), (3, 6));
    for (from, first) in [(3, Some("3 value")), (5, Some("5 value")), (6, None)] {
        let mut cursor = window.begin_at(from).unwrap();
        assert_eq!(cursor.revision(), from);
        let lines = read(&window, &mut cursor, &mut selector("a"));
        assert_eq!(lines.first().map(String::as_str), first);
        assert_eq!(lines.len() as u64, 6 - from);
    }
    let kind = |revision| window.begin_at(revision).unwrap_err().kind();
    assert_eq!(kind(2), WindowErrorKind::Compacted { oldest: 3 });
    assert_eq!(kind(0), WindowErrorKind::Compacted { oldest: 3 });
    assert_eq!(kind(7), WindowErrorKind::Beyond { next: 6 });
}

#[test]
fn a_reader_that_is_passed_is_told_by_how_much() {
    let mut window = window(3);
    let mut cursor = window.begin_now();
    for revision in 1..=5 {
        window.push(value(revision, "a")).unwrap();
    }
    let lines = read(&window, &mut cursor, &mut selector("a"));
    assert_eq!(lines, ["lagged 2 3", "3 value", "4 value", "5 value"]);
    // What does not match is lost too: nobody can tell.
    for revision in 6..=10 {
        window.push(value(revision, "b")).unwrap();
    }
    assert_eq!(
        read(&window, &mut cursor, &mut selector("a")),
        ["lagged 2 8"]
    );
}

#[test]
fn a_reader_that_missed_nothing_is_moved_on() {
    let mut window = window(3);
    let (mut cursor, mut selector) = (window.begin_now(), selector("a"));
    let mut interests = Interests::default();
    interests
        .insert(7, "a".parse::<Pattern>().unwrap(), Kinds::ALL)
        .unwrap();
    for revision in 1..=20 {
        let changes = value(revision, if revision == 20 { "a" } else { "b" });
        if !interests.matching(&changes).is_empty() {
            window.skip(&mut cursor);
        }
        window.push(changes).unwrap();
    }
    assert_eq!(read(&window, &mut cursor, &mut selector), ["20 value"]);
}

#[test]
fn overlays_are_delivered_live_and_not_replayed() {
    let mut window = window(100);
    let mut live = window.begin_now();
    window.push(value(1, "a")).unwrap();
    window.push(overlay(1, "a")).unwrap();
    window.push(value(2, "a")).unwrap();
    let mut resumed = window.begin_at(1).unwrap();
    window.push(overlay(2, "a")).unwrap();
    let mut selector = selector("a");
    let lines = read(&window, &mut live, &mut selector);
    assert_eq!(lines, ["1 value", "1 resolve", "2 value", "2 resolve"]);
    assert_eq!(
        read(&window, &mut resumed, &mut selector),
        ["1 value", "2 value", "2 resolve"]
    );
    assert_eq!((live.revision(), resumed.revision()), (3, 3));
    let mut last = window.begin_at(3).unwrap();
    assert!(read(&window, &mut last, &mut selector).is_empty());
}

#[test]
fn a_reader_that_saw_all_before_begins_with_what_came_last() {
    let mut window = window(100);
    window.push(value(1, "a")).unwrap();
    window.push(overlay(1, "a")).unwrap();
    let mut cursor = window.begin_at_last();
    assert_eq!(cursor.revision(), 2);
    let lines = read(&window, &mut cursor, &mut selector("a"));
    assert_eq!(lines, ["1 resolve"]);
    window.push(value(2, "a")).unwrap();
    let mut cursor = window.begin_at_last();
    assert_eq!(cursor.revision(), 2);
    let lines = read(&window, &mut cursor, &mut selector("a"));
    assert_eq!(lines, ["2 value"]);
}

#[test]
fn lost_overlays_are_no_silent_gap() {
    let mut window = window(2);
    window.push(value(1, "a")).unwrap();
    let mut cursor = window.begin_now();
    for _ in 0..3 {
        window.push(overlay(1, "a")).unwrap();
    }
    let lines = read(&window, &mut cursor, &mut selector("a"));
    assert_eq!(lines, ["lagged 0 2", "1 resolve", "1 resolve"]);
    // The revision that they stood on is gone from the window.
    assert_eq!(window.oldest(), 2);
}

#[test]
fn bytes_are_bounded_too_and_the_newest_is_kept() {
    let limits = WindowLimits {
        bytes_max: 1,
        ..WindowLimits::default()
    };
    let mut window = Window::new(1, limits);
    window.push(value(1, "a")).unwrap();
    window.push(value(2, "a")).unwrap();
    assert_eq!(window.oldest(), 2);
    let mut cursor = window.begin_at(2).unwrap();
    assert_eq!(read(&window, &mut cursor, &mut selector("a")), ["2 value"]);
}

#[test]
fn a_window_that_runs_for_long_keeps_as_much_as_at_first() {
    let mut window = Window::new(
        1,
        WindowLimits {
            bytes_max: 100_000,
            ..WindowLimits::default()
        },
    );
    let mut kept = 0;
    for revision in 1..=5_000 {
        window.push(value(revision, "a")).unwrap();
        if revision == 2_000 {
            kept = 2_001 - window.oldest();
            assert!((100..1_000).contains(&kept), "{kept}");
        }
    }
    assert_eq!(5_001 - window.oldest(), kept);
}

#[test]
fn what_is_older_than_the_window_is_refused() {
    let mut window = Window::new(10, WindowLimits::default());
    let err = window.push(value(9, "a")).unwrap_err();
    assert_eq!(
        err.kind(),
        WindowErrorKind::OutOfOrder { next: 10, found: 9 }
    );
    assert_eq!(
        window.begin_at(9).unwrap_err().kind(),
        WindowErrorKind::Compacted { oldest: 10 }
    );
    window.push(overlay(9, "a")).unwrap();
    window.push(value(10, "a")).unwrap();
    assert!(window.push(overlay(9, "a")).is_err());
    window.push(changes(11, vec![])).unwrap();
    assert_eq!(window.next_revision(), 12);
}

#[test]
fn a_selector_follows_its_node() {
    let mut model = Model::of(&["a.n", "z.q"]);
    let n = model.at("a.n");
    let mut selector = Selector::new(Target::Node(model.place(n)), Kinds::of(ChangeKind::Remove));
    let (a, z) = (model.at("a"), model.at("z"));
    let moved = model.moved(n, z).unwrap();
    assert!(!selector.selects(&moved, false));
    assert!(!selector.selects(&model.remove(a), false));
    assert!(selector.selects(&model.remove(z), false));
}

#[test]
fn a_window_of_just_so_many_bytes_keeps_them() {
    let one = change_bytes(&value(1, "a").list[0]);
    let limits = WindowLimits {
        bytes_max: 2 * one,
        ..WindowLimits::default()
    };
    let mut window = Window::new(1, limits);
    for revision in 1..=3 {
        window.push(value(revision, "a")).unwrap();
    }
    assert_eq!(window.oldest(), 2);
}

#[test]
fn a_window_that_is_told_nothing_keeps_a_hundred_thousand_changes() {
    let mut window = Window::new(1, WindowLimits::default());
    let mut next = value(1, "a");
    for _ in 0..=WINDOW_CHANGES_MAX {
        window.push(next.clone()).unwrap();
        next.meta.revision += 1;
    }
    assert_eq!(window.oldest(), 2);
}

#[test]
fn a_reader_knows_after_each_revision_which_is_due() {
    let mut window = window(100);
    let (mut cursor, mut selector) = (window.begin_now(), selector("a"));
    window.push(value(1, "a")).unwrap();
    window.push(value(2, "a")).unwrap();
    window.push(overlay(2, "a")).unwrap();
    let mut due = Vec::new();
    while let Next::Delivered { .. } = window.next(&mut cursor, &mut selector) {
        due.push(cursor.revision());
    }
    assert_eq!(due, [2, 3, 3]);
}

#[test]
fn what_a_change_takes_grows_with_what_it_holds() {
    let text = |bytes: usize| Value::from("x".repeat(bytes).as_str());
    let attribute = |name: usize, old: usize, new: usize| AttributeChange {
        name: Name::new(&"n".repeat(name)).unwrap(),
        old: Some(text(old)),
        new: Some(text(new)),
    };
    let plain = || {
        let mut change = value(1, "a").list.remove(0);
        change.old_path = Some("bbb".parse().unwrap());
        change.old_ancestors = vec![NodeId::ROOT; 3];
        change.old = Shown::Scalar(text(3));
        change.new = Shown::Scalar(text(5));
        change.attributes = vec![attribute(2, 3, 5)];
        change
    };
    let long = |bytes: usize| -> dhlrs_path::Path<'static> { "p".repeat(bytes).parse().unwrap() };
    let grow: [&dyn Fn(&mut Change); 9] = [
        &|change| change.path = long(201),
        &|change| change.old_path = Some(long(203)),
        &|change| change.ancestors.extend([NodeId::ROOT; 13]),
        &|change| change.old_ancestors.extend([NodeId::ROOT; 13]),
        &|change| change.old = Shown::Scalar(text(203)),
        &|change| change.new = Shown::Scalar(text(205)),
        &|change| change.attributes = vec![attribute(202, 3, 5)],
        &|change| change.attributes = vec![attribute(2, 203, 5)],
        &|change| change.attributes = vec![attribute(2, 3, 205)],
    ];
    let before = change_bytes(&plain());
    assert!(before > size_of::<Change>() + size_of::<AttributeChange>());
    for (at, grow) in grow.iter().enumerate() {
        let mut change = plain();
        grow(&mut change);
        let grown = change_bytes(&change) - before;
        assert!((200..=210).contains(&grown), "{at}: {grown}");
    }
    // Of a branch only its number of nodes travels.
    let mut change = plain();
    change.new = Shown::Branch { nodes: 1_000_000 };
    assert!(change_bytes(&change) <= before);
}
