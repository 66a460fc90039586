//! Which reads resolve, what is cached and what is shown.

use dhlrs_bag::{Content, Edit, ResolverRef, Value};
use dhlrs_resolver::{FlightId, Limits, Registry, ResolverOptions, Resolvers};
use dhlrs_store::{Config, Input, Output};
use dhlrs_wire::{RefusalKind, Reply, Request, View};

use crate::bench::{Bench, config, local, page, path, read};

fn bench(cache_time_ms: i64) -> Bench {
    bench_with(cache_time_ms, |_| {})
}

pub(crate) fn bench_with(cache_time_ms: i64, change: impl FnOnce(&mut Config)) -> Bench {
    let mut registry = Registry::new();
    registry
        .register("price", ResolverOptions::default())
        .unwrap();
    let mut config = config(true);
    change(&mut config);
    let mut bench = Bench::of(config, Resolvers::new(registry, Limits::default()));
    let mut resolver = ResolverRef::new("price".parse().unwrap());
    resolver.cache_time_ms = cache_time_ms;
    let edit = Edit::SetResolver {
        path: path("item.price"),
        resolver: Some(resolver),
        content: None,
        attributes: None,
        position: None,
    };
    bench.write(vec![edit.into()]).unwrap();
    bench.outputs.clear();
    bench
}

pub(crate) fn flights(bench: &Bench) -> Vec<FlightId> {
    let flight = |output: &Output| match output {
        Output::Resolve { flight, .. } => Some(*flight),
        _ => None,
    };
    bench.outputs.iter().filter_map(flight).collect()
}

pub(crate) fn resolve(bench: &mut Bench, flight: FlightId, value: i64) {
    bench.handle(Input::Resolved {
        flight,
        result: Ok(Content::Value(Value::Int(value))),
    });
}

#[test]
fn a_thousand_readers_of_one_node_make_one_call() {
    let mut bench = bench(-1);
    let ids: Vec<_> = (0..1_000)
        .map(|_| bench.request_of(local(), read("item.price", 0, View::Resolve)))
        .collect();
    let flights = flights(&bench);
    assert_eq!(flights.len(), 1);
    resolve(&mut bench, flights[0], 42);
    for id in ids {
        let page = page(bench.answer(id).unwrap().unwrap());
        assert_eq!(page.rows[0].value, Some(Value::Int(42)));
    }
    assert_eq!(bench.shown("item.price").as_deref(), Some("42"));
}

#[test]
fn a_cached_value_is_not_asked_for_again_until_it_is_invalidated() {
    let mut bench = bench(-1);
    bench.request_of(local(), read("item.price", 0, View::Resolve));
    let flight = flights(&bench)[0];
    resolve(&mut bench, flight, 1);
    bench.outputs.clear();
    let page_now = page(
        bench
            .ask(local(), read("item.price", 0, View::Resolve))
            .unwrap(),
    );
    assert_eq!(page_now.rows[0].value, Some(Value::Int(1)));
    bench
        .write(vec![
            Edit::Invalidate {
                path: path("item.price"),
            }
            .into(),
        ])
        .unwrap();
    assert_eq!(bench.shown("item.price").as_deref(), Some("null"));
    bench.request_of(local(), read("item.price", 0, View::Resolve));
    assert_eq!(flights(&bench).len(), 1);
}

#[test]
fn reads_of_the_bag_around_show_what_is_cached_and_static_ones_what_is_stored() {
    let mut bench = bench(-1);
    let shown = |bench: &mut Bench, view| {
        let page = bench.read("item", 1, view).unwrap();
        page.rows[1].value.clone().unwrap()
    };
    assert_eq!(shown(&mut bench, View::Resolve), Value::Null);
    assert!(flights(&bench).is_empty());
    bench.request_of(local(), read("item.price", 0, View::Resolve));
    let flight = flights(&bench)[0];
    resolve(&mut bench, flight, 7);
    assert_eq!(shown(&mut bench, View::Resolve), Value::Int(7));
    assert_eq!(shown(&mut bench, View::Stored), Value::Null);
}

#[test]
fn a_resolved_value_is_told_later_to_a_watch_without_credit_and_repeats_no_revision() {
    let mut bench = bench(-1);
    let id = crate::watches::begin_with_credit(&mut bench, "item", 1);
    bench.set("item.other", 1);
    let told = crate::watches::lines(bench.deliveries(id));
    assert_eq!(told, ["2 insert item.other"]);
    bench.request_of(local(), read("item.price", 0, View::Resolve));
    let flight = flights(&bench)[0];
    resolve(&mut bench, flight, 7);
    bench.handle(Input::Credit { id, changes: 10 });
    bench.set("item.other", 2);
    let told = crate::watches::lines(bench.deliveries(id));
    assert_eq!(told, ["2 resolve item.price", "3 value item.other"]);
}

#[test]
fn a_resolved_value_is_gone_after_a_restart_and_takes_no_revision() {
    let mut bench = bench(-1);
    let revision = bench.revision();
    bench.request_of(local(), read("item.price", 0, View::Resolve));
    let flight = flights(&bench)[0];
    resolve(&mut bench, flight, 7);
    assert_eq!(bench.revision(), revision);
    bench.restart();
    assert_eq!(bench.shown("item.price").as_deref(), Some("null"));
}

#[test]
fn a_reader_waits_no_longer_than_its_deadline_and_the_call_is_cancelled() {
    let mut bench = bench(-1);
    let id = bench.request_of(local(), read("item.price", 0, View::Resolve));
    bench.pass_ms(5_000);
    let refused = bench.answer(id).unwrap().unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::Timeout);
    assert!(
        bench
            .outputs
            .iter()
            .any(|output| matches!(output, Output::CancelResolve(_)))
    );
}

#[test]
fn refresh_resolves_again_and_answers_when_that_is_done() {
    let mut bench = bench(-1);
    bench.request_of(local(), read("item.price", 0, View::Resolve));
    let flight = flights(&bench)[0];
    resolve(&mut bench, flight, 1);
    bench.outputs.clear();
    let id = bench.request_of(
        local(),
        Request::Refresh {
            path: path("item.price"),
        },
    );
    let flight = flights(&bench)[0];
    resolve(&mut bench, flight, 2);
    assert_eq!(bench.answer(id).unwrap().unwrap(), Reply::Done);
    assert_eq!(bench.shown("item.price").as_deref(), Some("2"));
    let none = bench
        .ask(local(), Request::Refresh { path: path("item") })
        .unwrap_err();
    assert_eq!(none.kind(), RefusalKind::Invalid);
}

#[test]
fn a_path_goes_on_inside_what_a_resolver_gave() {
    let mut bench = bench(0);
    let id = bench.request_of(local(), read("item.price.net", 0, View::Resolve));
    let flight = flights(&bench)[0];
    let row = dhlrs_bag::Row::value(0, "net".parse().unwrap(), Value::Int(5));
    let branch = dhlrs_bag::Branch::from_rows([row]).unwrap();
    bench.handle(Input::Resolved {
        flight,
        result: Ok(Content::Branch(branch)),
    });
    let page = page(bench.answer(id).unwrap().unwrap());
    assert_eq!(
        (page.rows[0].name.as_str(), &page.rows[0].value),
        ("item.price.net", &Some(Value::Int(5)))
    );
}

#[test]
fn writing_to_or_below_a_resolver_node_is_refused() {
    let mut bench = bench(-1);
    let refused = bench
        .write(vec![crate::bench::set("item.price", 3)])
        .unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::ResolverGuard);
}

#[test]
fn a_binding_without_wildcards_covers_a_missing_node() {
    let mut registry = Registry::new();
    registry
        .register(
            "remote",
            ResolverOptions {
                bindings_only: true,
                ..ResolverOptions::default()
            },
        )
        .unwrap();
    let mut config = config(true);
    let binding = dhlrs_resolver::Binding::new("rates.eur".parse().unwrap(), "remote").unwrap();
    config.bindings.add(binding).unwrap();
    let mut bench = Bench::of(config, Resolvers::new(registry, Limits::default()));
    let id = bench.request_of(local(), read("rates.eur", 0, View::Resolve));
    let flight = flights(&bench)[0];
    resolve(&mut bench, flight, 3);
    let page = page(bench.answer(id).unwrap().unwrap());
    assert_eq!(
        (page.rows[0].name.as_str(), &page.rows[0].value),
        ("rates.eur", &Some(Value::Int(3)))
    );
    let id = bench.request_of(local(), read("rates.eur", 0, View::Stored));
    assert!(
        crate::bench::page(bench.answer(id).unwrap().unwrap())
            .rows
            .is_empty()
    );
}

/// A store whose one resolver has these options, bound to `item.price`.
fn bound(options: ResolverOptions) -> Bench {
    let mut registry = Registry::new();
    registry.register("price", options).unwrap();
    let mut config = config(true);
    let binding = dhlrs_resolver::Binding::new("item.price".parse().unwrap(), "price").unwrap();
    config.bindings.add(binding).unwrap();
    Bench::of(config, Resolvers::new(registry, Limits::default()))
}

/// The parameter `unit` of each call that was made, taken out.
fn called_with(bench: &mut Bench) -> Vec<(FlightId, Option<Value>)> {
    let calls = bench.outputs.iter().filter_map(|output| match output {
        Output::Resolve { flight, call } => Some((*flight, call.parameters.get("unit").cloned())),
        _ => None,
    });
    let calls = calls.collect();
    bench.outputs.clear();
    calls
}

#[test]
fn arguments_of_a_read_go_before_attributes_and_are_written_nowhere() {
    let mut bench = bound(ResolverOptions {
        cache_time_ms: -1,
        ..ResolverOptions::default()
    });
    bench
        .write(vec![crate::bench::set("item.price?unit", "kg")])
        .unwrap();
    let (records, revision) = (bench.disk.len(), bench.revision());
    let read_with = |unit: Option<&str>| {
        let unit = unit.map(|unit| ("unit".parse().unwrap(), Value::from(unit)));
        Request::Read(Box::new(dhlrs_wire::Read {
            selection: dhlrs_wire::Selection::Path(path("item.price")),
            depth: 0,
            view: View::Resolve,
            arguments: unit.into_iter().collect(),
            at: None,
        }))
    };
    for (unit, expected, price) in [(None, "kg", 1), (Some("lb"), "lb", 2), (None, "kg", 3)] {
        let id = bench.request_of(local(), read_with(unit));
        let calls = called_with(&mut bench);
        // Each change of a parameter resets what is cached.
        assert_eq!(calls.len(), 1, "{unit:?}");
        assert_eq!(calls[0].1, Some(Value::from(expected)));
        resolve(&mut bench, calls[0].0, price);
        let row = &page(bench.answer(id).unwrap().unwrap()).rows[0];
        assert_eq!(row.value, Some(Value::Int(price)));
        assert_eq!(row.attributes.get("unit"), Some(&Value::from("kg")));
    }
    assert_eq!((bench.disk.len(), bench.revision()), (records, revision));
}

#[test]
fn a_value_is_fetched_again_when_its_interval_is_over_and_nobody_asks() {
    let mut bench = bound(ResolverOptions {
        cache_time_ms: 60_000,
        refresh_interval_ms: 1_000,
        ..ResolverOptions::default()
    });
    bench.set("item.price?unit", "kg");
    bench.request_of(local(), read("item.price", 0, View::Resolve));
    let first = called_with(&mut bench);
    resolve(&mut bench, first[0].0, 1);
    bench.pass_ms(999);
    assert_eq!(called_with(&mut bench), []);
    assert_eq!(bench.store.next_wake_ms(), Some(bench.now.monotonic_ms + 1));
    bench.pass_ms(1);
    let again = called_with(&mut bench);
    assert_eq!(again.len(), 1);
    // The old value shows until the new one is there.
    assert_eq!(bench.shown("item.price").as_deref(), Some("1"));
    resolve(&mut bench, again[0].0, 2);
    assert_eq!(bench.shown("item.price").as_deref(), Some("2"));
}

#[test]
fn a_stale_value_answers_while_the_next_one_is_fetched() {
    let mut bench = bound(ResolverOptions {
        cache_time_ms: 1_000,
        stale_while_revalidate_ms: 1_000,
        ..ResolverOptions::default()
    });
    bench.set("item.price?unit", "kg");
    let read_now = |bench: &mut Bench| {
        let id = bench.request_of(local(), read("item.price", 0, View::Resolve));
        let answer = bench.answer(id).map(|answer| page(answer.unwrap()));
        answer.map(|page| page.rows[0].value.clone().unwrap())
    };
    assert_eq!(read_now(&mut bench), None);
    let first = called_with(&mut bench);
    resolve(&mut bench, first[0].0, 1);
    bench.pass_ms(1_500);
    assert_eq!(read_now(&mut bench), Some(Value::Int(1)));
    let behind = called_with(&mut bench);
    assert_eq!(behind.len(), 1);
    assert_eq!(read_now(&mut bench), Some(Value::Int(1)));
    assert_eq!(called_with(&mut bench), []);
    resolve(&mut bench, behind[0].0, 2);
    assert_eq!(read_now(&mut bench), Some(Value::Int(2)));
    bench.pass_ms(2_000);
    assert_eq!(read_now(&mut bench), None);
}

#[test]
fn a_read_only_result_is_answered_and_does_not_show() {
    let mut bench = bound(ResolverOptions {
        cache_time_ms: -1,
        read_only: true,
        ..ResolverOptions::default()
    });
    bench.set("item.price?unit", "kg");
    let id = bench.request_of(local(), read("item.price", 0, View::Resolve));
    let calls = called_with(&mut bench);
    resolve(&mut bench, calls[0].0, 7);
    let row = &page(bench.answer(id).unwrap().unwrap()).rows[0];
    assert_eq!(row.value, Some(Value::Int(7)));
    assert_eq!(bench.shown("item.price").as_deref(), Some("null"));
    // It is cached all the same.
    let page_now = bench.read("item.price", 0, View::Resolve).unwrap();
    assert_eq!(page_now.rows[0].value, Some(Value::Int(7)));
}

#[test]
fn what_is_stored_behind_a_resolved_branch_is_still_read_as_stored() {
    let mut registry = Registry::new();
    registry
        .register("remote", ResolverOptions::default())
        .unwrap();
    let mut bench = Bench::of(
        config(true),
        Resolvers::new(Registry::new(), Limits::default()),
    );
    bench.set("people.ann.mine", 1);
    let mut config = config(true);
    let binding = dhlrs_resolver::Binding::new("people.*".parse().unwrap(), "remote").unwrap();
    config.bindings.add(binding).unwrap();
    bench.restart_as(config, Resolvers::new(registry, Limits::default()));
    let id = bench.request_of(local(), read("people.ann", 1, View::Resolve));
    let flight = flights(&bench)[0];
    let row = dhlrs_bag::Row {
        depth: 0,
        label: "name".parse().unwrap(),
        value: Some("Ann".into()),
        attributes: dhlrs_bag::Attributes::new(),
        resolver: None,
    };
    let branch = dhlrs_bag::Branch::from_rows(vec![row]).unwrap();
    bench.handle(Input::Resolved {
        flight,
        result: Ok(Content::Branch(branch)),
    });
    let names = |bench: &mut Bench, request| {
        let id = bench.request_of(local(), request);
        let rows = page(bench.answer(id).unwrap().unwrap()).rows;
        rows.into_iter()
            .map(|row| (row.name, row.children))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        page(bench.answer(id).unwrap().unwrap()).rows[1].name,
        "name"
    );
    let stored = names(&mut bench, read("people", 3, View::Stored));
    let own = |name: &str, children| (name.to_owned(), children);
    assert_eq!(stored, [own("people", 1), own("ann", 1), own("mine", 0)]);
    let inside = names(&mut bench, read("people.ann.mine", 0, View::Stored));
    assert_eq!(inside, [own("people.ann.mine", 0)]);
    let mut matching = read("", 9, View::Stored);
    if let Request::Read(read) = &mut matching {
        read.selection = dhlrs_wire::Selection::Pattern("people.**".parse().unwrap());
    }
    let matching = names(&mut bench, matching);
    assert!(
        matching.contains(&own("people.ann.mine", 0)),
        "{matching:?}"
    );
    assert!(
        !matching.contains(&own("people.ann.name", 0)),
        "{matching:?}"
    );
}
