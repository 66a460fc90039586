//! Derived values follow what they are computed from, in the same changes, and are never stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dhlrs_bag::{Branch, Content, Edit, Row, Shown, SortField, SortKey, SortTerm, Value};
use dhlrs_path::Path;
use dhlrs_resolver::{Limits, Registry, ResolverOptions, Resolvers};
use dhlrs_store::{
    DefinitionErrorKind, DeriveError, Derived, Input, Output, Store, StoreErrorKind,
};
use dhlrs_trigger::{Flow, Subscription};
use dhlrs_wire::{
    Delivery, Kinds, RefusalKind, Request, RevisionFrom, Selection, View, Watch, WatchedChanges,
};

use crate::bench::{Bench, config, local, path, read, remote, resolvers, set};

/// The sum of all integers that it names.
fn sum(at: &str, from: &[&str]) -> Derived {
    Derived::new(at, from, |inputs| {
        let ints = inputs.values().filter_map(|(_, value)| value.as_int());
        Ok(ints.fold(0, i64::wrapping_add))
    })
    .unwrap()
}

pub(crate) fn bench(logged: bool, derived: Vec<Derived>) -> Bench {
    let mut config = config(logged);
    config.derived = derived;
    Bench::of(config, resolvers())
}

pub(crate) fn define(bench: &mut Bench, derived: Derived) -> Result<(), DefinitionErrorKind> {
    let defined = bench.store.define(derived);
    bench.handle(Input::Tick);
    defined.map_err(|error| error.kind())
}

pub(crate) fn shown(bench: &Bench, at: &str) -> Option<Value> {
    bench.store.published().get(at).cloned()
}

pub(crate) fn watch(
    bench: &mut Bench,
    pattern: &str,
    from: Option<u64>,
    credit: u32,
) -> dhlrs_store::RequestId {
    let watch = Watch {
        selection: Selection::Pattern(pattern.parse().unwrap()),
        from: from.map(|number| RevisionFrom {
            number,
            incarnation: None,
        }),
        kinds: Kinds::default(),
        node: None,
        credit,
    };
    let id = bench.request_of(local(), Request::Watch(Box::new(watch)));
    bench.answer(id).unwrap().unwrap();
    id
}

pub(crate) fn told(bench: &mut Bench, id: dhlrs_store::RequestId) -> Vec<WatchedChanges> {
    let deliveries = bench.deliveries(id).into_iter();
    deliveries
        .map(|delivery| match delivery {
            Delivery::Changes(changes) => changes,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn words(changes: &[WatchedChanges]) -> Vec<String> {
    let one = |changes: &WatchedChanges| {
        let each = changes.changes.iter();
        let each: Vec<String> = each
            .map(|change| match &change.new {
                Shown::Scalar(value) => format!("{} {}={value}", change.kind, change.path),
                other => format!("{} {} {other:?}", change.kind, change.path),
            })
            .collect();
        format!("{}: {}", changes.revision.number, each.join(", "))
    };
    changes.iter().map(one).collect()
}

#[test]
fn it_is_there_from_the_beginning_and_follows_in_the_same_changes() {
    let mut bench = bench(true, vec![sum("stats.total", &["orders.*.price"])]);
    assert_eq!(shown(&bench, "stats.total"), Some(Value::Int(0)));
    let all = watch(&mut bench, "**", None, 100);
    bench.set("orders.a.price", 3);
    let edits = vec![set("orders.b.price", 4), set("orders.c.price", 5)];
    bench.write(edits).unwrap();
    assert_eq!(shown(&bench, "stats.total"), Some(Value::Int(12)));
    bench
        .write(vec![
            Edit::Remove {
                path: path("orders.b"),
            }
            .into(),
        ])
        .unwrap();
    bench.set("orders.a.note", 70);
    let told = words(&told(&mut bench, all));
    assert_eq!(
        told[0].rsplit(", ").next().unwrap(),
        "resolve stats.total=3"
    );
    assert!(
        told[1].ends_with("insert orders.c.price=5, resolve stats.total=12"),
        "{told:?}"
    );
    assert!(told[2].ends_with("resolve stats.total=8"), "{told:?}");
    assert_eq!(told[3], "4: insert orders.a.note=70");
}

#[test]
fn each_is_computed_once_for_a_change_however_it_is_reached() {
    let computed = Arc::new(AtomicUsize::new(0));
    let counted = computed.clone();
    let last = Derived::new("d", ["b", "c"], move |inputs| {
        counted.fetch_add(1, Ordering::Relaxed);
        let b = inputs.get("b")?.and_then(Value::as_int);
        let c = inputs.get("c")?.and_then(Value::as_int);
        assert_eq!(b, c, "half of a change");
        Ok(b.unwrap_or(0) + c.unwrap_or(0))
    });
    // Defined in the wrong order on purpose.
    let mut bench = bench(
        true,
        vec![last.unwrap(), sum("b", &["a"]), sum("c", &["a"])],
    );
    let order: Vec<_> = bench.store.derived().map(ToString::to_string).collect();
    assert_eq!(order, ["b", "c", "d"]);
    let before = computed.load(Ordering::Relaxed);
    bench.set("a", 21);
    assert_eq!(shown(&bench, "d"), Some(Value::Int(42)));
    assert_eq!(computed.load(Ordering::Relaxed), before + 1);
    bench.set("elsewhere", 1);
    assert_eq!(computed.load(Ordering::Relaxed), before + 1);
    assert_eq!(bench.warnings(), Vec::<String>::new());
}

#[test]
fn a_trigger_sees_the_tree_with_what_was_derived_from_the_change() {
    let mut bench = bench(true, vec![sum("double", &["a", "a"])]);
    let (seen, heard) = std::sync::mpsc::channel();
    let to = Subscription::to("a".parse::<dhlrs_path::Pattern>().unwrap()).with_tree();
    bench
        .store
        .triggers_mut()
        .on(to, move |event, _| {
            let tree = event.tree().unwrap();
            let pair = (tree.get("a").cloned(), tree.get("double").cloned());
            seen.send(pair).unwrap();
            Flow::Continue
        })
        .unwrap();
    for n in 1..4 {
        bench.set("a", n);
        let pair = (Some(Value::Int(n)), Some(Value::Int(2 * n)));
        assert_eq!(heard.try_recv().unwrap(), pair);
    }
}

#[test]
fn a_cycle_is_refused_and_named() {
    let mut config = config(true);
    config.derived = vec![
        sum("a", &["b.*"]),
        sum("b.x", &["c?rate", "d"]),
        sum("d", &["a"]),
    ];
    let error = Store::new(config, resolvers()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Config);
    assert!(
        error.to_string().contains("derived from itself: "),
        "{error}"
    );
    for (from, to) in [("a", "b.x"), ("b.x", "d"), ("d", "a")] {
        let text = error.to_string();
        assert!(text.contains(&format!("{from} -> {to}")), "{text}");
    }
    let mut bench = bench(true, vec![sum("a", &["b.*"])]);
    assert_eq!(
        define(&mut bench, sum("b.x", &["a"])),
        Err(DefinitionErrorKind::Cycle)
    );
    assert_eq!(
        define(&mut bench, sum("s.t", &["s.*"])),
        Err(DefinitionErrorKind::Cycle)
    );
    // A refused definition leaves nothing behind, and its attributes are no part of a value.
    define(&mut bench, sum("b.x", &["b.x?rate"])).unwrap();
    bench.write(vec![set("b.x?rate", 5)]).unwrap();
    assert_eq!(shown(&bench, "a"), Some(Value::Int(5)));
}

#[test]
fn a_place_that_is_taken_or_no_place_is_refused() {
    let mut bench = bench(true, vec![sum("a.b", &["x"])]);
    for at in ["a.b", "a", "a.b.c"] {
        let exists = Err(DefinitionErrorKind::Exists);
        assert_eq!(define(&mut bench, sum(at, &["x"])), exists, "{at}");
    }
    let refused = |at: &str, from: &[&str]| {
        let refused = Derived::new(at, from, |_| Ok(1)).unwrap_err();
        refused.kind()
    };
    for at in ["", "#0", "a?b", "a..b"] {
        assert_eq!(refused(at, &[]), DefinitionErrorKind::BadPath, "{at}");
    }
    assert_eq!(refused("z", &["#0"]), DefinitionErrorKind::BadPattern);
    let many = vec!["y"; dhlrs_store::DEPENDENCIES_MAX + 1];
    assert_eq!(
        refused("z", &many),
        DefinitionErrorKind::TooManyDependencies
    );
    for n in 1..dhlrs_store::DERIVED_MAX {
        define(&mut bench, sum(&format!("n{n}"), &["x"])).unwrap();
    }
    assert_eq!(
        define(&mut bench, sum("z", &["x"])),
        Err(DefinitionErrorKind::TooMany)
    );
}

#[test]
fn one_that_fails_or_panics_is_null_and_reported_once() {
    let half = Derived::new("half", ["a"], |inputs| {
        let a = inputs.get("a")?.and_then(Value::as_int).unwrap_or(0);
        assert!(a != 13, "thirteen");
        if a % 2 != 0 {
            return Err(DeriveError::failed("it is odd"));
        }
        Ok(a / 2)
    });
    let spy = Derived::new("spy", ["a"], |inputs| {
        Ok(inputs.get("secret")?.cloned().unwrap_or(1.into()))
    });
    let mut bench = bench(
        true,
        vec![half.unwrap(), sum("after", &["half"]), spy.unwrap()],
    );
    bench.set("a", 8);
    assert_eq!(shown(&bench, "after"), Some(Value::Int(4)));
    let warned = |bench: &mut Bench| {
        let warnings = bench.warnings();
        bench.outputs.clear();
        warnings
    };
    let first = warned(&mut bench);
    assert_eq!(first.len(), 1, "{first:?}");
    assert!(
        first[0].contains("spy") && first[0].contains("secret"),
        "{first:?}"
    );
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for (a, report) in [
        (9, Some("odd")),
        (11, None),
        (13, Some("thirteen")),
        (15, Some("odd")),
    ] {
        bench.set("a", a);
        assert_eq!(shown(&bench, "half"), Some(Value::Null));
        assert_eq!(shown(&bench, "after"), Some(Value::Int(0)));
        let warnings = warned(&mut bench);
        assert_eq!(
            warnings.len(),
            usize::from(report.is_some()),
            "{warnings:?}"
        );
        assert!(
            warnings
                .iter()
                .all(|text| text.contains(report.unwrap_or_default()))
        );
    }
    std::panic::set_hook(hook);
    bench.set("a", 16);
    assert_eq!(shown(&bench, "half"), Some(Value::Int(8)));
}

#[test]
fn nothing_of_it_is_logged_and_a_restart_computes_it_again() {
    let derived = || vec![sum("stats.total", &["a"])];
    let mut with = bench(true, derived());
    let mut without = bench(true, Vec::new());
    for bench in [&mut with, &mut without] {
        bench.set("a", 1);
        bench.set("stats.note", 2);
    }
    assert_eq!(with.disk, without.disk);
    assert_eq!(with.revision().number, without.revision().number);
    let stored = with.read("stats", 5, View::Stored).unwrap();
    let names: Vec<_> = stored.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["stats", "note"]);
    let mut config = config(true);
    config.derived = derived();
    with.restart_as(config, resolvers());
    assert_eq!(shown(&with, "stats.total"), Some(Value::Int(1)));
    with.restart();
    assert_eq!(shown(&with, "stats.total"), None);
    assert_eq!(shown(&with, "stats.note"), Some(Value::Int(2)));
}

#[test]
fn everybody_can_read_it_and_nobody_can_write_it() {
    let mut bench = bench(true, vec![sum("total", &["a"])]);
    bench.set("a", 5);
    let page = bench
        .ask(remote(), read("total", 0, View::Resolve))
        .unwrap();
    assert_eq!(crate::bench::page(page).rows[0].value, Some(Value::Int(5)));
    let refused = bench.write(vec![set("total", 6)]).unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::UnderOverlay);
    // Attributes are its own, and there to stay.
    bench.write(vec![set("total?unit", "kg")]).unwrap();
    assert_eq!(shown(&bench, "total"), Some(Value::Int(5)));
    assert_eq!(shown(&bench, "total?unit"), Some(Value::from("kg")));
    bench
        .write(vec![
            Edit::Invalidate {
                path: path("total"),
            }
            .into(),
        ])
        .unwrap();
    assert_eq!(shown(&bench, "total"), Some(Value::Int(5)));
}

#[test]
fn it_stays_where_it_is_whatever_becomes_of_the_bags_around_it() {
    let mut bench = bench(true, vec![sum("s.day.total", &["a"])]);
    bench.set("a", 5);
    bench.set("s.day.note", 1);
    let at = |bench: &Bench| (shown(bench, "s.day.total"), shown(bench, "t.day.total"));
    let here = (Some(Value::Int(5)), None);
    let label = "t".parse().unwrap();
    bench
        .write(vec![
            Edit::Rename {
                path: path("s"),
                label,
            }
            .into(),
        ])
        .unwrap();
    assert_eq!(shown(&bench, "t.day.note"), Some(Value::Int(1)));
    assert_eq!(at(&bench), here);
    let edit = Edit::Move {
        path: path("t"),
        to: path("u"),
        position: None,
    };
    bench.write(vec![edit.into()]).unwrap();
    assert_eq!(at(&bench), here);
    let rows = [
        Row::bag(0, "day".parse().unwrap()),
        Row::value(1, "total".parse().unwrap(), 77),
    ];
    let branch = Branch::from_rows(rows).unwrap();
    bench.set("s.day.note", 1);
    bench
        .write(vec![Edit::Remove { path: path("s") }.into()])
        .unwrap();
    assert_eq!(at(&bench), here);
    bench.set("z", 1);
    let edit = Edit::Merge {
        path: path(""),
        branch: Branch::from_rows([Row::bag(0, "s".parse().unwrap())]).unwrap(),
    };
    bench.write(vec![edit.into()]).unwrap();
    bench
        .write(vec![
            Edit::Replace {
                path: path("s"),
                branch,
            }
            .into(),
        ])
        .unwrap();
    assert_eq!(at(&bench), here);
    bench
        .write(vec![Edit::Clear { path: path("s") }.into()])
        .unwrap();
    assert_eq!(at(&bench), here);
    // A value in its way hides it, and is the only thing that does.
    bench
        .write(vec![Edit::Remove { path: path("s") }.into()])
        .unwrap();
    let refused = bench
        .write(vec![Edit::Remove { path: path("s") }.into()])
        .unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::UnderOverlay);
    bench.outputs.clear();
    let edit = Edit::Set {
        path: path("s.day"),
        content: Some(3.into()),
        attributes: None,
        position: None,
        overwrite: true,
    };
    let refused = bench.write(vec![edit.into()]).unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::UnderOverlay);
    bench.set("s.day.note", 1);
    bench.set("s.day", 3);
    assert_eq!(at(&bench), (None, None));
    assert_eq!(bench.warnings().len(), 1);
    bench.set("s.day", Value::Null);
    assert_eq!(at(&bench), here);
}

#[test]
fn one_defined_later_shows_at_once_without_a_record() {
    let mut bench = bench(true, vec![sum("b", &["a"])]);
    bench.set("a", 2);
    let all = watch(&mut bench, "**", None, 100);
    let (records, revision) = (bench.disk.len(), bench.revision());
    bench.store.define(sum("c", &["b"])).unwrap();
    assert_eq!(bench.store.next_wake_ms(), Some(0));
    bench.handle(Input::Tick);
    assert_eq!(bench.store.next_wake_ms(), None);
    assert_eq!(shown(&bench, "c"), Some(Value::Int(2)));
    assert_eq!((bench.disk.len(), bench.revision()), (records, revision));
    assert_eq!(words(&told(&mut bench, all)), ["1: resolve c=2"]);
    // One that others read already comes before them from now on.
    define(&mut bench, sum("e", &["f"])).unwrap();
    define(&mut bench, sum("f", &["a"])).unwrap();
    assert_eq!(shown(&bench, "e"), Some(Value::Int(2)));
    bench.set("a", 3);
    assert_eq!(shown(&bench, "e"), Some(Value::Int(3)));
    assert!(bench.store.undefine(&path("b")));
    assert!(!bench.store.undefine(&path("b")));
    bench.handle(Input::Tick);
    assert_eq!(shown(&bench, "b"), None);
    assert_eq!(shown(&bench, "c"), Some(Value::Int(0)));
    bench.set("b", 9);
    assert_eq!(shown(&bench, "c"), Some(Value::Int(9)));
}

#[test]
fn what_a_resolver_gives_counts_and_a_sort_too() {
    let mut registry = Registry::new();
    let options = ResolverOptions {
        cache_time_ms: -1,
        ..ResolverOptions::default()
    };
    registry.register("price", options).unwrap();
    let mut config = config(true);
    let binding = dhlrs_resolver::Binding::new("item.price".parse().unwrap(), "price").unwrap();
    config.bindings.add(binding).unwrap();
    let first = Derived::new("first", ["list.*"], |inputs| {
        let first = inputs.values().next();
        Ok(first.map_or(Value::Null, |(_, value)| value.clone()))
    });
    config.derived = vec![sum("double", &["item.price", "item.price"]), first.unwrap()];
    let mut bench = Bench::of(config, Resolvers::new(registry, Limits::default()));
    bench.request_of(local(), read("item.price", 0, View::Resolve));
    let flight = bench.outputs.iter().find_map(|output| match output {
        Output::Resolve { flight, .. } => Some(*flight),
        _ => None,
    });
    let result = Ok(Content::Value(Value::Int(4)));
    bench.handle(Input::Resolved {
        flight: flight.unwrap(),
        result,
    });
    assert_eq!(shown(&bench, "double"), Some(Value::Int(8)));
    bench
        .write(vec![set("list.b", 2), set("list.a", 1)])
        .unwrap();
    assert_eq!(shown(&bench, "first"), Some(Value::Int(2)));
    let term = SortTerm {
        field: SortField::Label,
        descending: false,
        ignore_case: false,
    };
    let by = SortKey { terms: vec![term] };
    bench
        .write(vec![
            Edit::Sort {
                path: path("list"),
                by,
            }
            .into(),
        ])
        .unwrap();
    assert_eq!(shown(&bench, "first"), Some(Value::Int(1)));
}

#[test]
fn a_watch_that_resumes_first_gets_the_present_values() {
    let derived = || vec![sum("total", &["a"]), sum("other.total", &["a", "a"])];
    let mut bench = bench(true, derived());
    for n in 1..=3 {
        bench.set("a", n);
    }
    let mut config = config(true);
    config.derived = derived();
    bench.restart_as(config, resolvers());
    let id = watch(&mut bench, "**", Some(2), 100);
    let all = words(&told(&mut bench, id));
    assert_eq!(
        all,
        [
            "1: resolve total=3, resolve other.total=6",
            "2: value a=2",
            "3: value a=3"
        ]
    );
    let id = watch(&mut bench, "total", Some(4), 100);
    assert_eq!(words(&told(&mut bench, id)), ["3: resolve total=3"]);
    bench.set("a", 4);
    assert_eq!(words(&told(&mut bench, id)), ["4: resolve total=4"]);
    // Without credit it waits, and is not forgotten.
    let id = watch(&mut bench, "total", Some(5), 0);
    assert!(told(&mut bench, id).is_empty());
    bench.handle(Input::Credit { id, changes: 5 });
    assert_eq!(words(&told(&mut bench, id)), ["4: resolve total=4"]);
    // A watch that begins now has missed nothing.
    let id = watch(&mut bench, "total", None, 100);
    assert!(told(&mut bench, id).is_empty());
}

#[test]
fn after_a_fence_no_change_is_told_without_what_follows_from_it() {
    let mut bench = bench(true, vec![sum("total", &["a"])]);
    bench.set("a", 1);
    let all = watch(&mut bench, "**", None, 100);
    bench.at_once = false;
    bench.set_later("a", 2);
    let (_, records) = bench.out.take().unwrap();
    bench.handle(Input::PersistFailed {
        message: "no space".to_owned(),
    });
    assert_eq!(shown(&bench, "total"), Some(Value::Int(1)));
    // It had reached the disk after all.
    bench.disk.extend(records);
    bench.at_once = true;
    bench.recover();
    assert_eq!(shown(&bench, "total"), Some(Value::Int(2)));
    assert_eq!(
        words(&told(&mut bench, all)),
        ["2: value a=2, resolve total=2"]
    );
    bench.set("a", 3);
    assert_eq!(
        words(&told(&mut bench, all)),
        ["3: value a=3, resolve total=3"]
    );
}

#[test]
fn a_derived_branch_is_part_of_the_tree() {
    let split = Derived::new("parts", ["text"], |inputs| {
        let text = inputs
            .get("text")?
            .and_then(Value::as_text)
            .unwrap_or_default();
        let rows = text
            .split(' ')
            .enumerate()
            .map(|(n, word)| Row::value(0, format!("w{n}").parse().unwrap(), word));
        Branch::from_rows(rows).map_err(|error| DeriveError::failed(error.to_string()))
    });
    let first = Derived::new("first", ["parts.w0"], |inputs| {
        Ok(inputs.get("parts.w0")?.cloned().unwrap_or(Value::Null))
    });
    let mut bench = bench(true, vec![first.unwrap(), split.unwrap()]);
    bench.set("text", "to be");
    assert_eq!(shown(&bench, "parts.w1"), Some(Value::from("be")));
    assert_eq!(shown(&bench, "first"), Some(Value::from("to")));
    let page = bench.read("parts", 5, View::Resolve).unwrap();
    assert_eq!(page.rows.len(), 3);
    let place: Path<'_> = path("parts");
    assert!(bench.store.published().node(&place).unwrap().is_overlay());
}
