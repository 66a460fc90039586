//! TYTX as Genro Bag 0.28 writes it, and what it reads of ours.
#![expect(clippy::panic, reason = "a helper that fails is a test that fails")]

use dhlrs_bag::{
    Bag, Bytes, Decimal, List, Timestamp, Value,
    formats::{FormatErrorKind as Kind, ReadLimits},
};

fn read(text: &str) -> Bag {
    Bag::from_tytx(text.as_bytes(), &ReadLimits::default())
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn sample() -> Bag {
    let mut bag = Bag::new();
    let decimal: Decimal = "1.50".parse().unwrap();
    bag.set("a", 1).unwrap();
    bag.set("b.c", "x & <y>").unwrap();
    bag.set_attribute("b.c", "k", 1).unwrap();
    bag.set_attribute("b.c", "d", decimal).unwrap();
    bag.set("n", Value::Null).unwrap();
    bag.set("dt", Timestamp::from_ns(1_769_860_800_123_000_000))
        .unwrap();
    bag.set("s1", "::L").unwrap();
    let list = List::new(vec![
        1.into(),
        "a".into(),
        Value::Null,
        Bytes::new(b"x").into(),
    ]);
    bag.set("l", list.unwrap()).unwrap();
    bag.set("e", dhlrs_bag::Branch::new()).unwrap();
    bag
}

// Both texts are what Genro Bag 0.28 prints for the same tree.
const ROWS: &str = r#"{"rows":[[[],"a",null,1,{}],[[],"b",null,"::X",{}],[["b"],"c",null,"x & <y>",{"k":1,"d":"1.50::N"}],[[],"n",null,"::NN",{}],[[],"dt",null,"2026-01-31T12:00:00.123Z::DHZ",{}],[[],"s1",null,"::L::T",{}],[[],"l",null,[1,"a",null,"eA==::RAW"],{}],[[],"e",null,"::X",{}]]}::JS::X"#;
const COMPACT: &str = r#"{"rows":[[null,"a",null,1,{}],[null,"b",null,"::X",{}],[0,"c",null,"x & <y>",{"k":1,"d":"1.50::N"}],[null,"n",null,"::NN",{}],[null,"dt",null,"2026-01-31T12:00:00.123Z::DHZ",{}],[null,"s1",null,"::L::T",{}],[null,"l",null,[1,"a",null,"eA==::RAW"],{}],[null,"e",null,"::X",{}]],"paths":{"0":["b"],"1":["e"]}}::JS::X"#;

#[test]
fn it_is_spelled_as_genro_spells_it() {
    assert_eq!(sample().root().to_tytx(false), ROWS);
    assert_eq!(sample().root().to_tytx(true), COMPACT);
    assert_eq!(read(ROWS), sample());
    assert_eq!(read(COMPACT), sample());
}

#[test]
fn the_marker_js_is_there_only_for_types_that_json_lacks() {
    let mut bag = Bag::new();
    assert_eq!(bag.root().to_tytx(false), r#"{"rows":[]}::X"#);
    bag.set("a", "x::y").unwrap();
    assert_eq!(
        bag.root().to_tytx(false),
        r#"{"rows":[[[],"a",null,"x::y::T",{}]]}::X"#
    );
}

#[test]
fn genros_json_of_nodes_is_written() {
    let wanted = r#"[{"label":"a","value":1,"attr":{}},{"label":"b","value":[{"label":"c","value":"x & <y>","attr":{"k":1,"d":"1.50::N"}}],"attr":{}},{"label":"n","value":null,"attr":{}},{"label":"dt","value":"2026-01-31T12:00:00.123Z::DHZ","attr":{}},{"label":"s1","value":"::L","attr":{}},{"label":"l","value":[1,"a",null,"eA==::RAW"],"attr":{}},{"label":"e","value":[],"attr":{}}]::JS"#;
    assert_eq!(sample().root().to_tytx_json(), wanted);
}

#[test]
fn constants_that_python_writes_are_read() {
    let bag = read(
        r#"{"rows":[[[],"i",null,Infinity,{}],[[],"j",null,-Infinity,{}],[[],"n",null,NaN,{}]]}::X"#,
    );
    assert_eq!(bag.get("i"), Some(&Value::Float(f64::INFINITY)));
    assert_eq!(bag.get("j"), Some(&Value::Float(f64::NEG_INFINITY)));
    assert_eq!(bag.get("n"), Some(&Value::Float(f64::NAN)));
    assert_eq!(read(&bag.root().to_tytx(false)), bag);
}

#[test]
fn rows_may_come_in_any_order_below_their_bag() {
    let text = r#"{"rows":[[[],"a",null,"::X",{}],[[],"b",null,"::X",{}],[["a"],"c",null,1,{}],[["b"],"d",null,2,{}],[["a"],"e",null,3,{}]]}::X"#;
    let bag = read(text);
    let paths: Vec<String> = bag
        .root()
        .walk()
        .map(|visited| visited.node.path().to_string())
        .collect();
    assert_eq!(paths, ["a", "a.c", "a.e", "b", "b.d"]);
}

#[test]
fn what_is_no_bag_is_refused() {
    for (text, kind) in [
        ("", Kind::BadShape),
        ("5::L", Kind::BadShape),
        ("{\"a\":1}::JS", Kind::BadShape),
        ("{\"a\":1}::X", Kind::BadShape),
        ("[]::X", Kind::BadShape),
        (r#"{"rows":[[["a"],"b",null,1,{}]]}::X"#, Kind::BadShape),
        (r#"{"rows":[[0,"b",null,1,{}]]}::X"#, Kind::BadShape),
        (
            r#"{"rows":[[[],"a",null,1,{}],[["a"],"b",null,1,{}]]}::X"#,
            Kind::BadShape,
        ),
        (
            r#"{"rows":[[[],"a",null,1,{}],[[],"a",null,1,{}]]}::X"#,
            Kind::DuplicateLabel,
        ),
        (r#"{"rows":[[[],"a",null,"5::D",{}]]}::X"#, Kind::BadValue),
        (
            r#"{"rows":[[[],"a",null,"2026-01-31::D",{}]]}::X"#,
            Kind::NoType,
        ),
        (
            r#"{"rows":[[[],"a",null,"25:00::H",{}]]}::X"#,
            Kind::BadValue,
        ),
        (r#"{"rows":[[[],"a",null,"12:00::H",{}]]}::X"#, Kind::NoType),
        (
            r#"{"rows":[[[],"a",null,"12:00:30.5::H",{}]]}::X"#,
            Kind::NoType,
        ),
        (r#"{"rows":[[[],"a",null,"x::L",{}]]}::X"#, Kind::BadValue),
        (
            r#"{"rows":[[[],"a",null,"!!!::RAW",{}]]}::X"#,
            Kind::BadValue,
        ),
        (
            r#"{"rows":[[[],"a",null,"2026-13-01T00:00:00Z::DHZ",{}]]}::X"#,
            Kind::BadValue,
        ),
        (
            r#"{"rows":[[[],"a",null,1,{"k":"x::L"}]]}::X"#,
            Kind::BadValue,
        ),
        (r#"{"rows":[[[],"a",null,{"k":1},{}]]}::X"#, Kind::NoType),
        (r#"{"rows":[[[],"a",null,[[1]],{}]]}::X"#, Kind::NoType),
        (r#"{"rows":[[[],"",null,1,{}]]}::X"#, Kind::BadLabel),
        (
            r#"{"rows":[[[],"a",null,99999999999999999999,{}]]}::X"#,
            Kind::BadNumber,
        ),
        (
            r#"{"rows":[[[],"a",null,"::RSLV:{\"resolver_module\":\"os\"}",{}]]}::X"#,
            Kind::BadShape,
        ),
    ] {
        let error = Bag::from_tytx(text.as_bytes(), &ReadLimits::default()).expect_err(text);
        assert_eq!(error.kind(), kind, "{text}: {error}");
    }
}
