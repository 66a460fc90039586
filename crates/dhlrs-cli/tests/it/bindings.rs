//! `--store`, `--allow`, `--resolve` and `--forward` split where they should.

use std::time::Duration;

use dhlrs_cli::{Allow, Failure, Forward, Resolve, StoreKind, StoreOption};

#[track_caller]
fn resolve(text: &str, store: &str, pattern: &str, address: &str, cache_ms: u64) {
    let read: Resolve = text
        .parse()
        .unwrap_or_else(|failure: Failure| panic!("{}", failure.to_text()));
    assert_eq!(
        (
            read.store.as_str(),
            read.pattern.as_str(),
            read.address.as_str(),
            read.cache
        ),
        (store, pattern, address, Duration::from_millis(cache_ms)),
        "{text}"
    );
}

#[test]
fn resolve_splits_at_the_first_equals_and_reads_cache_from_the_right() {
    resolve("main/a.*=m/p/s/b", "main", "a.*", "m/p/s/b", 0);
    resolve(
        "main/a=m/p/s/b.{x},cache=30",
        "main",
        "a",
        "m/p/s/b.{x}",
        30_000,
    );
    resolve("main/a=m/p/s/b,cache=0.5", "main", "a", "m/p/s/b", 500);
    resolve("main/a=m/p/s/#k=v", "main", "a", "m/p/s/#k=v", 0);
    resolve(r"main/a\=b=m/p/s/c", "main", r"a\=b", "m/p/s/c", 0);
    resolve(
        "main/a=m/p/s/b,cache=1,cache=2",
        "main",
        "a",
        "m/p/s/b,cache=1",
        2_000,
    );
}

#[test]
fn forward_wants_an_address() {
    let read: Forward = "main/orders.**=base/main/in/new".parse().unwrap();
    assert_eq!(read.address.to_string(), "base/main/in/new");
    assert_eq!(
        (read.store.as_str(), read.pattern.as_str()),
        ("main", "orders.**")
    );
}

#[test]
fn stores_and_keys_may_say_more() {
    assert_eq!(
        "main".parse::<StoreOption>().unwrap(),
        "main=owned".parse().unwrap()
    );
    let key = "ab".repeat(32);
    let plain: Allow = key.parse().unwrap();
    assert_eq!((plain.key.to_string(), plain.name), (key.clone(), None));
    let named: Allow = format!("{key}=base/main").parse().unwrap();
    assert_eq!(named.name.unwrap().to_string(), "base/main");
}

#[test]
fn mistakes_show_the_form() {
    fn hint<T: std::str::FromStr<Err = Failure> + std::fmt::Debug>(text: &str) -> String {
        text.parse::<T>()
            .unwrap_err()
            .hint_text()
            .unwrap()
            .to_owned()
    }
    for text in [
        "main/a",
        "main/a=b",
        "ma in/a=m/p/s",
        "main/a..b=m/p/s",
        "main/a=m/p/s,cache=x",
        "main/a=m/p/s,cache=-1",
    ] {
        assert!(hint::<Resolve>(text).contains("cache=SECONDS"), "{text}");
    }
    for text in ["main/a", "main/a=m/p", "main/a=m/p/s/b..c", "=m/p/s"] {
        assert!(hint::<Forward>(text).contains("STORE/PATTERN="), "{text}");
    }
    for text in ["", "a/b", "main=shared", "main="] {
        assert!(hint::<StoreOption>(text).contains("NAME=owned"), "{text}");
    }
    for text in ["", "xyz", &format!("{}=x", "ab".repeat(32))] {
        assert!(hint::<Allow>(text).contains("dhlrs key"), "{text}");
    }
}

#[test]
fn a_store_is_owned_or_replicated() {
    let kind = |text: &str| {
        text.parse::<StoreOption>()
            .map(|store| (store.name.to_string(), store.kind))
    };
    for (text, expected) in [
        ("a", StoreKind::Owned),
        ("a=owned", StoreKind::Owned),
        ("a=replicated", StoreKind::Replicated),
        ("a=replicated,retain=all", StoreKind::Replicated),
    ] {
        let (name, found) = kind(text).unwrap();
        assert_eq!((name.as_str(), found), ("a", expected), "{text}");
    }
    for (text, said) in [
        ("a=", "no kind of store"),
        ("a=Replicated", "no kind of store"),
        ("a=strong", "no kind of store"),
        ("a=owned,retain=all", "no option of such a store"),
        ("a=replicated,", "no option of such a store"),
        ("a=replicated,retain=some", "no option of such a store"),
        ("=replicated", "in ``"),
    ] {
        let failure = kind(text).unwrap_err();
        assert!(failure.to_string().contains(said), "{text}: {failure}");
        assert!(
            failure.hint_text().unwrap().contains("NAME=replicated"),
            "{text}"
        );
    }
}

#[test]
fn a_root_is_refused_with_the_way_to_go_on() {
    let root = format!("field=replicated,root={}", "ab".repeat(32));
    let failure = root.parse::<StoreOption>().unwrap_err();
    assert!(failure.to_string().contains("control log"), "{failure}");
    let hint = failure.hint_text().unwrap();
    assert!(
        hint.contains("leave root= out") && hint.contains("--allow"),
        "{hint}"
    );
}
