//! After a failed sync nobody is told anything that the disk may not hold.

use dhlrs_bag::{Content, Edit, ResolverRef, Value};
use dhlrs_resolver::{Binding, Limits, Registry, ResolverOptions, Resolvers};
use dhlrs_store::{Derived, Input, RequestId};
use dhlrs_wire::{Delivery, RefusalKind, View};

use crate::bench::{Bench, config, counted, local, path, read, remote, resolvers, set};
use crate::resolvers::{flights, resolve};
use crate::watches::begin;

fn fail(bench: &mut Bench) {
    bench.out = None;
    bench.handle(Input::PersistFailed {
        message: "no space left on device".to_owned(),
    });
}

#[test]
fn a_failed_sync_leaves_the_outcome_unknown_and_the_published_tree_readable() {
    let mut bench = Bench::logged();
    bench.set("a", 1);
    let session = bench.open_session();
    bench.at_once = false;
    let out = bench.request_of(remote(), counted(session, 1, vec![set("a", 2)]));
    let next = bench.request_of(remote(), counted(session, 2, vec![set("a", 3)]));
    fail(&mut bench);
    let unknown = bench.answer(out).unwrap().unwrap_err();
    assert_eq!(
        (unknown.kind(), unknown.outcome_unknown()),
        (RefusalKind::Unavailable, true)
    );
    let undone = bench.answer(next).unwrap().unwrap_err();
    assert_eq!(
        (undone.kind(), undone.outcome_unknown()),
        (RefusalKind::Unavailable, false)
    );
    assert_eq!(bench.shown("a").as_deref(), Some("1"));
    assert!(bench.read("a", 0, View::Resolve).is_ok());
    let refused = bench
        .ask(remote(), counted(session, 1, vec![set("a", 2)]))
        .unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::Unavailable);
}

#[test]
fn after_the_log_is_open_again_the_same_write_is_applied_once() {
    let mut bench = Bench::logged();
    let session = bench.open_session();
    bench.at_once = false;
    bench.request_of(remote(), counted(session, 1, vec![set("a", 1)]));
    fail(&mut bench);
    bench.at_once = true;
    bench.recover();
    assert!(
        bench
            .ask(remote(), counted(session, 1, vec![set("a", 1)]))
            .is_ok()
    );
    assert_eq!(
        (bench.shown("a").as_deref(), bench.revision().number),
        (Some("1"), 1)
    );
}

#[test]
fn what_the_log_holds_after_all_is_told_to_the_watches() {
    let mut bench = Bench::logged();
    let watch = crate::watches::begin(&mut bench, "**", None);
    bench.at_once = false;
    let session_write = crate::bench::intent([0; 16], 0, vec![set("a", 1)]);
    bench.request_of(
        crate::bench::local(),
        dhlrs_wire::Request::Write(Box::new(session_write)),
    );
    // The records reached the disk, but the sync was reported as failed.
    let (_, records) = bench.out.clone().unwrap();
    bench.disk.extend(records);
    fail(&mut bench);
    assert!(bench.deliveries(watch).is_empty());
    bench.at_once = true;
    bench.recover();
    assert_eq!(
        crate::watches::lines(bench.deliveries(watch)),
        ["1 insert a"]
    );
    assert_eq!(bench.shown("a").as_deref(), Some("1"));
}

#[test]
fn a_log_that_makes_no_sense_in_the_middle_opens_nothing() {
    let mut bench = Bench::logged();
    for n in 1..=4 {
        bench.set("a", n);
    }
    let good = bench.disk.clone();
    bench.store = dhlrs_store::Store::new(config(true), resolvers()).unwrap();
    let part = |records: &[Vec<u8>], last| Input::Recovered {
        chunk: dhlrs_store::Recovered::Records(records.to_vec()),
        last,
    };
    bench.handle(part(&good[..2], false));
    bench.handle(part(&[vec![0xff; 9]], false));
    bench.handle(part(&good[3..4], false));
    bench.handle(part(&good[4..], true));
    assert!(!bench.store.is_open());
    assert_eq!(bench.revision().number, 0);
    // Once it can be read, it is what it was.
    bench.handle(part(&good, true));
    assert!(bench.store.is_open());
    assert_eq!(bench.shown("a").as_deref(), Some("4"));
    assert_eq!(bench.revision().number, 4);
}

/// A node with a resolver, a binding where nothing is stored, and a value derived from the first;
/// all of them show.
fn resolved() -> Bench {
    let mut registry = Registry::new();
    for name in ["price", "rates"] {
        let options = ResolverOptions {
            bindings_only: name == "rates",
            ..ResolverOptions::default()
        };
        registry.register(name, options).unwrap();
    }
    let mut config = config(true);
    let binding = Binding::new("rates.eur".parse().unwrap(), "rates").unwrap();
    config.bindings.add(binding).unwrap();
    let twice = Derived::new("twice", ["item.price"], |inputs| {
        let price = inputs.values().next().and_then(|(_, value)| value.as_int());
        Ok(price.unwrap_or_default() * 2)
    });
    config.derived.push(twice.unwrap());
    let mut bench = Bench::of(config, Resolvers::new(registry, Limits::default()));
    let mut resolver = ResolverRef::new("price".parse().unwrap());
    resolver.cache_time_ms = -1;
    let edit = Edit::SetResolver {
        path: path("item.price"),
        resolver: Some(resolver),
        content: None,
        attributes: None,
        position: None,
    };
    bench.write(vec![edit.into()]).unwrap();
    for (at, value) in [("item.price", 7), ("rates.eur", 3)] {
        bench.outputs.clear();
        bench.request_of(local(), read(at, 0, View::Resolve));
        let flight = flights(&bench)[0];
        resolve(&mut bench, flight, value);
    }
    bench.outputs.clear();
    bench
}

fn told(bench: &mut Bench, watch: RequestId) -> Vec<String> {
    let mut told = Vec::new();
    for delivery in bench.deliveries(watch) {
        let Delivery::Changes(piece) = delivery else {
            panic!("{delivery:?}");
        };
        let number = piece.revision.number;
        told.extend(piece.changes.iter().map(|change| {
            let (kind, path) = (change.kind, &change.path);
            format!(
                "{number} {kind} {path} {:?} -> {:?}",
                change.old, change.new
            )
        }));
    }
    told
}

#[test]
fn a_watch_is_told_which_resolved_values_show_no_longer() {
    let mut bench = resolved();
    let watch = begin(&mut bench, "**", None);
    bench.at_once = false;
    bench.set_later("lost", 1);
    fail(&mut bench);
    // What was being shown when the disk failed had not been told either.
    assert!(told(&mut bench, watch).is_empty());
    assert_eq!(bench.shown("item.price").as_deref(), Some("7"));
    bench.at_once = true;
    bench.recover();
    assert_eq!(bench.shown("item.price").as_deref(), Some("null"));
    assert_eq!(bench.shown("rates.eur"), None);
    assert_eq!(
        told(&mut bench, watch),
        [
            "1 resolve item.price Scalar(Int(7)) -> Scalar(Null)",
            "1 resolve rates Branch { nodes: 1 } -> Absent",
            "1 resolve twice Scalar(Int(14)) -> Scalar(Int(0))",
        ]
    );
    // And it is resolved again, not taken for cached.
    bench.request_of(local(), read("item.price", 0, View::Resolve));
    let flight = flights(&bench)[0];
    bench.handle(Input::Resolved {
        flight,
        result: Ok(Content::Value(Value::Int(8))),
    });
    assert_eq!(
        told(&mut bench, watch),
        [
            "1 resolve item.price Scalar(Null) -> Scalar(Int(8))",
            "1 resolve twice Scalar(Int(0)) -> Scalar(Int(16))",
        ]
    );
}

#[test]
fn that_they_show_no_longer_is_told_before_what_the_disk_had_after_all() {
    let mut bench = resolved();
    let watch = begin(&mut bench, "**", None);
    bench.at_once = false;
    bench.set_later("kept", 1);
    let (_, records) = bench.out.clone().unwrap();
    fail(&mut bench);
    bench.disk.extend(records);
    bench.at_once = true;
    bench.recover();
    let told = told(&mut bench, watch);
    let heads: Vec<&str> = told.iter().map(|line| &line[..14]).collect();
    let expected = [
        "1 resolve item",
        "1 resolve rate",
        "1 resolve twic",
        "2 insert kept ",
    ];
    assert_eq!(heads, expected);
}
