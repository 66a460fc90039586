//! How values compare, hash, sort and print, and that what is printed parses back.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
};

use dhlrs_bag::{Attributes, Bytes, Decimal, List, MsgId, Position, Timestamp, Value};

use crate::name;

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn a_value_is_small_and_its_type_is_part_of_it() {
    assert_eq!(size_of::<Value>(), 24);
    let values = [
        Value::Null,
        Value::Bool(true),
        Value::Int(1),
        Value::Float(1.0),
        Value::from("1"),
        Value::Timestamp(Timestamp::from_ns(1)),
        Value::Decimal(decimal("1")),
        Value::Decimal(decimal("1.0")),
        Value::Float(0.0),
        Value::Float(-0.0),
    ];
    for (i, a) in values.iter().enumerate() {
        for (j, b) in values.iter().enumerate() {
            assert_eq!(a == b, i == j, "{a:?} {b:?}");
        }
    }
    let negative_nan = Value::Float(-f64::NAN);
    assert_eq!(negative_nan, Value::Float(f64::NAN));
    assert_eq!(hash(&negative_nan), hash(&Value::Float(f64::NAN)));
}

#[test]
fn values_print_as_paths_compare_them() {
    let list = List::new(vec![Value::Int(1), "a\"b\n".into(), Value::Null]).unwrap();
    let printed = [
        (Value::Null, "null"),
        (true.into(), "true"),
        ((-7_i64).into(), "-7"),
        (1.0.into(), "1.0"),
        ("text".into(), "text"),
        (Value::Bytes(Bytes::new(b"abcd")), "YWJjZA=="),
        (Value::Bytes(Bytes::new(&[0xFB, 0xFF])), "+/8="),
        (Value::Bytes(Bytes::new(&[1, 2, 3])), "AQID"),
        (Value::Decimal(decimal("-1.50")), "-1.50"),
        (list.into(), r#"[1,"a\"b\n",null]"#),
    ];
    for (value, text) in printed {
        assert_eq!(value.to_string(), text);
    }
}

#[test]
fn decimals_keep_their_scale_and_have_one_spelling() {
    for text in ["0", "1.50", "-0.001", "79228162514264337593543950335"] {
        assert_eq!(decimal(text).to_string(), text);
    }
    assert_eq!(decimal("-0.00").to_string(), "0.00");
    assert_eq!(Decimal::new(150, 2).unwrap(), decimal("1.50"));
    let bad = [
        "",
        "+1",
        "1_0",
        ".5",
        "5.",
        "1e3",
        "--1",
        "79228162514264337593543950336",
        "x",
    ];
    for text in bad {
        assert!(text.parse::<Decimal>().is_err(), "{text}");
    }
    assert!(format!("0.{}1", "0".repeat(28)).parse::<Decimal>().is_err());
    assert!(Decimal::new(1, 29).is_err() && Decimal::new(1 << 96, 0).is_err());
}

#[test]
fn timestamps_print_the_shortest_and_parse_any_offset() {
    let parse = |text: &str| text.parse::<Timestamp>();
    let same = [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
        ("2000-02-29T12:00:00Z", 951_825_600_000_000_000),
        ("2262-04-11T23:47:16.854775807Z", i64::MAX),
        ("1677-09-21T00:12:43.145224192Z", i64::MIN),
    ];
    for (text, ns) in same {
        assert_eq!(parse(text).unwrap().as_ns(), ns, "{text}");
        assert_eq!(Timestamp::from_ns(ns).to_string(), text);
    }
    let offset = parse("2026-01-01T01:30:00.250+01:30").unwrap();
    assert_eq!(offset.to_string(), "2026-01-01T00:00:00.25Z");
    let bad = [
        "",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.0000000001Z",
        "2263-01-01T00:00:00Z",
        "2026-01-01T00:00:00+24:00",
        "+026-01-01T00:00:00Z",
        "2026-01-01T00:00:00Zé",
    ];
    for text in bad {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn values_of_all_types_sort_in_one_order() {
    let sorted = [
        Value::Null,
        false.into(),
        true.into(),
        Value::Int(-5),
        Value::Decimal(decimal("-4.5")),
        Value::Int(i64::MAX - 1),
        Value::Int(i64::MAX),
        Value::Float(f64::INFINITY),
        Value::Float(f64::NAN),
        Value::Timestamp(Timestamp::from_ns(0)),
        "a".into(),
        "b".into(),
        Value::Bytes(Bytes::new(b"a")),
        List::new(vec![]).unwrap().into(),
        List::new(vec![Value::Int(1)]).unwrap().into(),
    ];
    for (i, a) in sorted.iter().enumerate() {
        for (j, b) in sorted.iter().enumerate() {
            assert_eq!(a.sort_cmp(b), i.cmp(&j), "{a:?} {b:?}");
        }
    }
}

#[test]
fn attributes_keep_their_order_and_are_equal_in_any() {
    let of = |names: &[&str]| -> Attributes {
        names
            .iter()
            .map(|own| (name(own), Value::Int(own.len() as i64)))
            .collect()
    };
    let (a, b) = (of(&["z", "yy", "x"]), of(&["x", "z", "yy"]));
    assert_eq!(a, b);
    assert_eq!(hash(&a), hash(&b));
    let order: Vec<_> = a.iter().map(|(own, _)| own.as_str()).collect();
    assert_eq!(order, ["z", "yy", "x"]);
    assert_ne!(a, of(&["x", "z"]));
}

#[test]
fn positions_and_message_ids_print_as_they_parse() {
    for text in [
        "<", ">", "#0", "#-12", "<a", ">b c", "<#3", ">#-1", "<\\#3", ">\\\\x",
    ] {
        assert_eq!(text.parse::<Position>().unwrap().to_string(), text);
    }
    for text in ["", "a", "#", "#+1", "#01", "#-0", "<#x", "##"] {
        assert!(text.parse::<Position>().is_err(), "{text}");
    }
    let id = "000102030405060708090a0b0c0d0e0f-42";
    assert_eq!(id.parse::<MsgId>().unwrap().to_string(), id);
    for text in [
        "",
        "00-1",
        &id.replace('a', "A"),
        &id.replace("-42", "-042"),
        &id.replace("42", "+4"),
    ] {
        assert!(text.parse::<MsgId>().is_err(), "{text}");
    }
}
