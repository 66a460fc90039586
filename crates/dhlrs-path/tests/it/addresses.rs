//! How addresses and names are read and printed.

use dhlrs_path::ParsePathErrorKind as Kind;
use dhlrs_path::{Address, NodeName, ParsePathError, PatternAddress, StoreAddress, StoreName};

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

#[track_caller]
fn refuses(text: &str, kind: Kind, at: usize) {
    let err = text.parse::<Address>().unwrap_err();
    assert_eq!((err.kind(), err.at()), (kind, at), "{text:?}: {err}");
    let err = text.parse::<PatternAddress>().unwrap_err();
    assert_eq!((err.kind(), err.at()), (kind, at), "{text:?}: {err}");
}

#[test]
fn an_address_splits_at_its_first_three_slashes() {
    let it = address("c/main/orders/o1/parent.status?x");
    assert_eq!(it.node().machine(), "c");
    assert_eq!(it.node().process(), "main");
    assert_eq!(it.store().store().as_str(), "orders");
    assert_eq!(it.path().as_str(), "o1.#parent.status?x");
    assert_eq!(it.to_string(), "c/main/orders/o1.#parent.status?x");
    assert_eq!(it.store().to_string(), "c/main/orders");
}

#[test]
fn the_root_of_a_store_may_have_a_query() {
    for (text, printed) in [
        ("m/p/s", "m/p/s"),
        ("m/p/s/", "m/p/s"),
        ("m/p/s?attr", "m/p/s?attr"),
        ("m/p/s/?attr", "m/p/s?attr"),
        ("m/p/s?", "m/p/s?"),
    ] {
        assert_eq!(address(text).to_string(), printed);
        assert!(address(text).path().is_root());
        assert_eq!(address(printed), address(text));
        assert_eq!(text.parse::<PatternAddress>().unwrap().to_string(), printed);
    }
}

#[test]
fn a_pattern_address_holds_wildcards() {
    let it: PatternAddress = "m/p/s/**.*.name?x".parse().unwrap();
    assert_eq!(it.to_string(), "m/p/s/*.**.name?x");
    assert!("m/p/s/*".parse::<Address>().is_err());
}

#[test]
fn refuses_an_incomplete_address() {
    refuses("", Kind::Incomplete, 0);
    refuses("m", Kind::Incomplete, 1);
    refuses("m/p", Kind::Incomplete, 3);
    refuses("m/p/", Kind::EmptyName, 4);
    refuses("//s/a", Kind::EmptyName, 0);
    refuses("m//s/a", Kind::EmptyName, 2);
    refuses("m/p//a", Kind::EmptyName, 4);
    refuses("m/p/?a", Kind::EmptyName, 4);
}

#[test]
fn refuses_a_bad_name_and_says_where() {
    refuses("m m/p/s", Kind::NameCharacter, 1);
    refuses("m/p*/s", Kind::NameCharacter, 3);
    refuses("m/p/s#0", Kind::NameCharacter, 5);
    refuses("m/p/s=x/a", Kind::NameCharacter, 5);
    refuses("m,/p/s", Kind::NameCharacter, 1);
    refuses("m?/p/s", Kind::NameCharacter, 1);
    refuses("m/p\u{1b}/s", Kind::ControlCharacter, 3);
    refuses("m/p/s/a..b", Kind::EmptyStep, 8);
    refuses(&format!("m/p/{}/a", "s".repeat(256)), Kind::NameTooLong, 4);
}

#[test]
fn names_stand_alone_too() -> Result<(), ParsePathError> {
    let node: NodeName = "m.local/cli-00".parse()?;
    assert_eq!(node.as_str(), "m.local/cli-00");
    assert_eq!((node.machine(), node.process()), ("m.local", "cli-00"));
    assert_eq!(
        "m/p/q".parse::<NodeName>().unwrap_err().kind(),
        Kind::NameCharacter
    );
    assert_eq!(
        "m".parse::<NodeName>().unwrap_err().kind(),
        Kind::Incomplete
    );
    assert_eq!("a/b".parse::<StoreName>().unwrap_err().at(), 1);
    assert_eq!("m/p/s/t".parse::<StoreAddress>().unwrap_err().at(), 5);
    let store = StoreAddress::new(node, StoreName::new("größe")?);
    assert_eq!(
        store.clone().at("a".parse()?).to_string(),
        "m.local/cli-00/größe/a"
    );
    assert_eq!(
        store.at_pattern("*".parse()?).to_string(),
        "m.local/cli-00/größe/*"
    );
    Ok(())
}

#[test]
fn a_stores_name_is_a_text() -> Result<(), ParsePathError> {
    let name = StoreName::new("orders")?;
    let text: &str = name.as_ref();
    assert_eq!(text, "orders");
    Ok(())
}

#[test]
fn what_is_logged_names_the_type_and_what_it_holds() -> Result<(), ParsePathError> {
    let at: Address = "m/p/s/a?x".parse()?;
    assert_eq!(format!("{at:?}"), "Address(m/p/s/a?x)");
    assert_eq!(format!("{:?}", at.store()), "StoreAddress(m/p/s)");
    assert_eq!(format!("{:?}", at.node()), "NodeName(m/p)");
    assert_eq!(format!("{:?}", at.store().store()), "StoreName(s)");
    let pattern: PatternAddress = "m/p/s/*".parse()?;
    assert_eq!(format!("{pattern:?}"), "PatternAddress(m/p/s/*)");
    Ok(())
}

#[test]
fn an_address_is_taken_apart_as_it_was_put_together() -> Result<(), ParsePathError> {
    let store: StoreAddress = "m/p/s".parse()?;
    let at = Address::new(store.clone(), "a.b".parse()?);
    assert_eq!(at, address("m/p/s/a.b"));
    assert_eq!(at.into_parts(), (store.clone(), "a.b".parse()?));
    let pattern = PatternAddress::new(store.clone(), "a.*".parse()?);
    assert_eq!(pattern.node().as_str(), "m/p");
    assert_eq!(pattern.store(), &store);
    assert_eq!(pattern.pattern().as_str(), "a.*");
    assert_eq!(pattern.into_parts(), (store, "a.*".parse()?));
    Ok(())
}
