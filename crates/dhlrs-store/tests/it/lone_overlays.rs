//! Resolved and derived values where nothing is stored: beside others, in others, and when the bag around them goes.

use dhlrs_bag::{Edit, Value};
use dhlrs_resolver::{Binding, Limits, Registry, ResolverOptions, Resolvers};
use dhlrs_store::Derived;
use dhlrs_wire::View;

use crate::bench::{Bench, config, local, page, path, read};
use crate::bindings::{branch, configured, got, materialise, resolve};
use crate::resolvers::flights;

/// What `p.*`, `rates.eur` and `rates.usd` are bound in, with a derived value that follows `b`.
fn bench(derived: &str) -> Bench {
    let (mut config, resolvers) = configured();
    let one = Derived::new(derived, ["b"], |inputs| {
        let values = inputs.values();
        Ok(values.filter_map(|(_, value)| value.as_int()).sum::<i64>())
    });
    config.derived.push(one.unwrap());
    let mut bench = Bench::of(config, resolvers);
    bench.set("b", 3);
    bench
}

fn value(bench: &mut Bench, at: &str, view: View) -> Option<Value> {
    let rows = bench.read(at, 0, view).unwrap().rows;
    rows.into_iter().next()?.value
}

/// Reads a node, and says whether its resolver was asked.
fn asks(bench: &mut Bench, at: &str) -> bool {
    bench.outputs.clear();
    bench.request_of(local(), read(at, 0, View::Resolve));
    !flights(bench).is_empty()
}

#[test]
fn materialising_one_leaves_its_neighbours_alone() {
    let mut bench = bench("rates.total");
    resolve(&mut bench, "rates.eur", 5);
    resolve(&mut bench, "rates.usd", 6);
    bench.write(vec![materialise("rates.eur").into()]).unwrap();
    let stored = ["rates.eur", "rates.usd", "rates.total"];
    let stored = stored.map(|at| value(&mut bench, at, View::Stored));
    assert_eq!(stored, [Some(Value::Int(5)), None, None]);
    assert_eq!(
        value(&mut bench, "rates.total", View::Cached),
        Some(3.into())
    );
    assert_eq!(got(&mut bench, "rates.usd"), Some(6.into()));
    let invalidate = Edit::Invalidate {
        path: path("rates.usd"),
    };
    bench.write(vec![invalidate.into()]).unwrap();
    assert!(asks(&mut bench, "rates.usd"), "it is still bound");
}

#[test]
fn a_derived_value_in_a_resolved_branch_is_read_and_not_stored() {
    let mut bench = bench("p.ann.total");
    bench.set("p.ann?id", 7);
    resolve(&mut bench, "p.ann", branch());
    for view in [View::Cached, View::Resolve] {
        assert_eq!(value(&mut bench, "p.ann.total", view), Some(3.into()));
    }
    bench.write(vec![materialise("p.ann").into()]).unwrap();
    assert_eq!(value(&mut bench, "p.ann.x", View::Stored), Some(1.into()));
    assert_eq!(value(&mut bench, "p.ann.total", View::Stored), None);
    bench.set("b", 4);
    assert_eq!(
        value(&mut bench, "p.ann.total", View::Cached),
        Some(4.into())
    );
}

#[test]
fn it_does_not_go_along_with_the_bag_around_it() {
    let moved = Edit::Move {
        path: path("rates"),
        to: path("old"),
        position: None,
    };
    let renamed = Edit::Rename {
        path: path("rates"),
        label: "old".parse().unwrap(),
    };
    for edit in [moved, renamed] {
        let mut bench = bench("other");
        bench.set("rates.gbp", 1);
        resolve(&mut bench, "rates.eur", 5);
        bench.write(vec![edit.into()]).unwrap();
        assert_eq!(value(&mut bench, "old.eur", View::Cached), None);
        bench.set("old.eur", 2);
        assert!(asks(&mut bench, "rates.eur"));
    }
}

#[test]
fn what_is_cached_shows() {
    let mut bench = bench("other");
    bench.set("rates.gbp", 1);
    resolve(&mut bench, "rates.eur", 5);
    let remove = Edit::Remove {
        path: path("rates"),
    };
    bench.write(vec![remove.into()]).unwrap();
    bench.set("rates.gbp", 2);
    assert!(
        asks(&mut bench, "rates.eur"),
        "nothing shows, so nothing is cached"
    );
}

#[test]
fn invalidate_resets_it_and_what_a_bag_holds_of_it() {
    for at in ["rates.eur", "rates"] {
        let mut bench = bench("other");
        resolve(&mut bench, "rates.eur", 5);
        let edit = Edit::Invalidate { path: path(at) };
        bench.write(vec![edit.into()]).unwrap();
        assert!(asks(&mut bench, "rates.eur"), "{at}");
    }
}

#[test]
fn invalidate_resets_what_is_cached_and_does_not_show() {
    let mut registry = Registry::new();
    let options = ResolverOptions {
        cache_time_ms: -1,
        read_only: true,
        ..ResolverOptions::default()
    };
    registry.register("remote", options).unwrap();
    let mut config = config(true);
    let binding = Binding::new("rates.eur".parse().unwrap(), "remote").unwrap();
    config.bindings.add(binding).unwrap();
    let mut bench = Bench::of(config, Resolvers::new(registry, Limits::default()));
    resolve(&mut bench, "rates.eur", 5);
    assert!(!asks(&mut bench, "rates.eur"));
    let invalidate = Edit::Invalidate {
        path: path("rates.eur"),
    };
    bench.write(vec![invalidate.into()]).unwrap();
    assert!(asks(&mut bench, "rates.eur"));
}

#[test]
fn a_path_may_come_back_out_of_a_bound_node() {
    let mut bench = bench("other");
    bench.set("p.ann?id", 7);
    let id = bench.request_of(local(), read("p.ann.#parent.#parent.b", 0, View::Resolve));
    let rows = page(bench.answer(id).expect("nobody is asked").unwrap()).rows;
    assert_eq!(rows[0].value, Some(3.into()));
}
