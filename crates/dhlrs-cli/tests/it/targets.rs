//! ADDRESS: complete, or `//STORE/PATH` for the node at `--via`.

use dhlrs_cli::{FailureKind, PathTarget, PatternTarget, StoreTarget, WatchTarget};

#[track_caller]
fn reads(text: &str, node: Option<&str>, store: &str, path: &str) {
    let target: PathTarget = text
        .parse()
        .unwrap_or_else(|failure| panic!("{text}: {failure}"));
    let read = (
        target.store.node.as_ref().map(ToString::to_string),
        target.store.store.to_string(),
        target.path.to_string(),
    );
    assert_eq!(
        read,
        (node.map(str::to_owned), store.to_owned(), path.to_owned()),
        "{text}"
    );
}

#[track_caller]
fn refuses(text: &str, words: &[&str]) {
    let failure = text.parse::<PathTarget>().unwrap_err();
    assert_eq!(failure.kind(), FailureKind::BadAddress);
    let message = failure.to_text();
    for word in words {
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn reads_complete_addresses_and_the_shorthand() {
    reads(
        "c/main/orders/o1.status",
        Some("c/main"),
        "orders",
        "o1.status",
    );
    reads("c/main/orders", Some("c/main"), "orders", "");
    reads("c/main/orders?colour", Some("c/main"), "orders", "?colour");
    reads("//main/a.#0?x&y", None, "main", "a.#0?x&y");
    reads("//main", None, "main", "");
    reads("//main/", None, "main", "");
    reads("//main?", None, "main", "?");
    reads(r"//main/a\.b.c\/d", None, "main", r"a\.b.c\/d");
}

#[test]
fn a_mistake_is_named_with_its_place_and_remedy() {
    refuses("orders.o1", &["ends before the store", "'//STORE/PATH'"]);
    refuses("c/main", &["ends before the store"]);
    refuses("//", &["in ``", "empty"]);
    refuses("//ma in/x", &["in `ma in`", "byte 2"]);
    refuses("///x", &["in ``"]);
    refuses("c/ma*n/s/x", &["in `c/ma*n`"]);
    refuses("//main/a..b", &["in `a..b`", "byte 2"]);
    refuses("//main/a/b", &["parted by dots"]);
    refuses("//main/*.x", &["only query and watch take patterns"]);
}

#[test]
fn the_node_at_via_completes_the_shorthand() {
    let via = "here/main".parse().unwrap();
    let at = |text: &str| text.parse::<StoreTarget>().unwrap().at(&via).to_string();
    assert_eq!(at("//orders"), "here/main/orders");
    assert_eq!(at("c/main/orders"), "c/main/orders");
    assert!("//orders/x".parse::<StoreTarget>().is_err());
}

#[test]
fn a_pattern_may_have_wildcards_and_no_hash_steps() {
    let target: PatternTarget = "//main/**.name".parse().unwrap();
    assert_eq!(target.pattern.to_string(), "**.name");
    let failure = "//main/#0.*".parse::<PatternTarget>().unwrap_err();
    assert!(
        failure.hint_text().unwrap().contains("by label"),
        "{failure}"
    );
}

#[test]
fn watch_takes_either() {
    assert!(matches!(
        "//main/a.#0".parse().unwrap(),
        WatchTarget::Path(_)
    ));
    assert!(matches!(
        "//main/a.*".parse().unwrap(),
        WatchTarget::Pattern(_)
    ));
    assert!("//main/a..b".parse::<WatchTarget>().is_err());
}
