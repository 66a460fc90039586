//! Resolvers that the answers of other resolvers name.

use dhlrs_bag::{Branch, Content, Edit, ResolverRef, Row, Value};
use dhlrs_path::Path;
use dhlrs_resolver::{Limits, Registry, ResolverOptions, Resolvers};
use dhlrs_store::{Input, NESTED_RESOLVERS_MAX, Output, RequestId};
use dhlrs_wire::{RefusalKind, Request, View};

use crate::bench::{Bench, config, local, page, path, read, set};

const FOREVER_MS: i64 = -1;

fn resolver(name: &str, cache_time_ms: i64) -> ResolverRef {
    let mut resolver = ResolverRef::new(name.parse().unwrap());
    resolver.cache_time_ms = cache_time_ms;
    resolver
}

/// A bag with one node that a resolver stands in for, with the attribute `unit`.
fn naming(label: &str, resolver: ResolverRef) -> Content {
    let unit = ("unit".parse().unwrap(), Value::from("kg"));
    let row = Row {
        depth: 0,
        label: label.parse().unwrap(),
        value: Some(Value::Null),
        attributes: [unit].into_iter().collect(),
        resolver: Some(resolver),
    };
    Content::Branch(Branch::from_rows([row]).unwrap())
}

/// A store in which the resolver `shop` stands in for `shop`, among others that are registered.
fn shop(cache_time_ms: i64) -> Bench {
    let mut registry = Registry::new();
    let local_only = ResolverOptions {
        bindings_only: true,
        ..ResolverOptions::default()
    };
    let often = ResolverOptions {
        refresh_interval_ms: 1_000,
        ..ResolverOptions::default()
    };
    for (name, options) in [
        ("shop", ResolverOptions::default()),
        ("price", ResolverOptions::default()),
        ("secret", local_only),
        ("often", often),
    ] {
        registry.register(name, options).unwrap();
    }
    let mut bench = Bench::of(config(true), Resolvers::new(registry, Limits::default()));
    let edit = Edit::SetResolver {
        path: path("shop"),
        resolver: Some(resolver("shop", cache_time_ms)),
        content: None,
        attributes: None,
        position: None,
    };
    bench.write(vec![edit.into()]).unwrap();
    bench.outputs.clear();
    bench
}

fn ask(bench: &mut Bench, at: &str) -> RequestId {
    bench.request_of(local(), read(at, 0, View::Resolve))
}

/// Answers the one call that is out, and says what was called where, with which unit.
#[track_caller]
fn answer(
    bench: &mut Bench,
    content: impl Into<Content>,
) -> (String, Path<'static>, Option<Value>) {
    let place = bench
        .outputs
        .iter()
        .position(|output| matches!(output, Output::Resolve { .. }))
        .expect("a call");
    let Output::Resolve { flight, call } = bench.outputs.remove(place) else {
        unreachable!()
    };
    let result = Ok(content.into());
    bench.handle(Input::Resolved { flight, result });
    let unit = call.parameters.get("unit").cloned();
    (call.resolver, call.path, unit)
}

fn calls(bench: &Bench) -> usize {
    let is_call = |output: &&Output| matches!(output, Output::Resolve { .. });
    bench.outputs.iter().filter(is_call).count()
}

/// The first row of an answer, as `name value`.
#[track_caller]
fn told(bench: &mut Bench, id: RequestId) -> String {
    let page = page(bench.answer(id).expect("an answer").unwrap());
    let row = &page.rows[0];
    let value = row.value.as_ref().map(ToString::to_string);
    format!("{} {}", row.name, value.as_deref().unwrap_or("branch"))
}

#[test]
fn a_path_goes_on_through_a_resolver_that_an_answer_names() {
    let mut bench = shop(0);
    let id = ask(&mut bench, "shop.#0.net");
    let first = answer(&mut bench, naming("tea", resolver("price", 0)));
    assert_eq!(first.1, path("shop"));
    let (name, place, unit) = answer(&mut bench, naming("net", resolver("price", 0)));
    assert_eq!((name.as_str(), place), ("price", path("shop.tea")));
    assert_eq!(unit, Some("kg".into()), "its attributes are parameters");
    let (_, place, _) = answer(&mut bench, Value::Int(5));
    assert_eq!(place, path("shop.tea.net"));
    assert_eq!(told(&mut bench, id), "shop.tea.net 5");
    assert_eq!(calls(&bench), 0, "nobody is asked twice for one read");
}

#[test]
fn an_attribute_or_a_bag_around_is_read_without_asking() {
    let mut bench = shop(FOREVER_MS);
    let id = ask(&mut bench, "shop");
    answer(&mut bench, naming("tea", resolver("price", 0)));
    assert_eq!(told(&mut bench, id), "shop branch");
    for (at, seen) in [
        ("shop.tea?unit", "shop.tea null"),
        ("shop.tea.#parent", "shop branch"),
    ] {
        let id = ask(&mut bench, at);
        assert_eq!(told(&mut bench, id), seen);
    }
    assert_eq!(calls(&bench), 0);
}

#[test]
fn what_it_gives_is_cached_and_answered_and_the_branch_around_stays_whole() {
    let mut bench = shop(FOREVER_MS);
    ask(&mut bench, "shop.tea");
    answer(&mut bench, naming("tea", resolver("price", FOREVER_MS)));
    answer(&mut bench, Value::Int(5));
    let again = ask(&mut bench, "shop.tea");
    assert_eq!(told(&mut bench, again), "shop.tea 5");
    assert_eq!(calls(&bench), 0);
    let around = bench.read("shop", 1, View::Resolve).unwrap();
    assert_eq!(around.rows[1].value, Some(Value::Null));
    // What the bag around is reset with, it is reset with too.
    let path = path("shop");
    bench.write(vec![Edit::Invalidate { path }.into()]).unwrap();
    ask(&mut bench, "shop.tea");
    answer(&mut bench, naming("tea", resolver("price", FOREVER_MS)));
    assert_eq!(calls(&bench), 1, "the price is asked for again");
}

#[test]
fn many_readers_of_it_make_one_call() {
    let mut bench = shop(FOREVER_MS);
    let ids: Vec<_> = (0..100).map(|_| ask(&mut bench, "shop.tea")).collect();
    answer(&mut bench, naming("tea", resolver("price", 0)));
    assert_eq!(calls(&bench), 1);
    answer(&mut bench, Value::Int(5));
    for id in ids {
        assert_eq!(told(&mut bench, id), "shop.tea 5");
    }
}

#[test]
fn an_answer_cannot_name_what_is_for_bindings_only() {
    let mut bench = shop(FOREVER_MS);
    let id = ask(&mut bench, "shop.tea");
    answer(&mut bench, naming("tea", resolver("secret", 0)));
    assert_eq!(calls(&bench), 0);
    let refused = bench.answer(id).unwrap().unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::Denied);
}

#[test]
fn one_read_asks_so_many_and_no_more() {
    for (deep, is_refused) in [
        (NESTED_RESOLVERS_MAX, false),
        (NESTED_RESOLVERS_MAX + 1, true),
    ] {
        let mut bench = shop(0);
        let at = format!("shop{}", ".in".repeat(deep - 1));
        let id = ask(&mut bench, &at);
        for _ in 0..NESTED_RESOLVERS_MAX {
            answer(&mut bench, naming("in", resolver("price", 0)));
        }
        assert_eq!(calls(&bench), 0);
        if !is_refused {
            assert_eq!(told(&mut bench, id), format!("{at} branch"));
            continue;
        }
        let refused = bench.answer(id).unwrap().unwrap_err();
        assert_eq!(refused.kind(), RefusalKind::Resolver);
        assert!(refused.message().contains(&at), "{refused}");
        assert!(refused.message().contains("16 resolvers"), "{refused}");
    }
}

#[test]
fn it_is_asked_when_it_is_read_and_not_by_the_clock() {
    let mut bench = shop(FOREVER_MS);
    ask(&mut bench, "shop.tea");
    answer(&mut bench, naming("tea", resolver("often", FOREVER_MS)));
    answer(&mut bench, Value::Int(5));
    bench.pass_ms(10_000);
    assert_eq!(calls(&bench), 0);
    assert_eq!(bench.shown("shop.tea").as_deref(), Some("null"));
}

#[test]
fn nothing_is_written_and_no_revision_taken() {
    let mut bench = shop(FOREVER_MS);
    let before = (bench.disk.len(), bench.revision());
    ask(&mut bench, "shop.tea");
    answer(&mut bench, naming("tea", resolver("price", FOREVER_MS)));
    answer(&mut bench, Value::Int(5));
    assert_eq!((bench.disk.len(), bench.revision()), before);
    let refused = bench.write(vec![set("shop.tea", 1)]).unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::UnderOverlay);
    let refused = bench.ask(
        local(),
        Request::Refresh {
            path: path("shop.tea"),
        },
    );
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::Invalid);
    assert!(refused.message().contains("refresh shop"), "{refused}");
}
