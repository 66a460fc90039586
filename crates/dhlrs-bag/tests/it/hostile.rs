//! Input that means harm: readers answer with an error or a bag, soon, and never panic.

use dhlrs_bag::{
    Bag, Branch, Decimal, Edit, List, ResolverRef, Row, Timestamp, Value,
    formats::{FormatErrorKind as Kind, ReadLimits},
};

use dhlrs_path::Path;
use proptest::prelude::*;

use super::{documents::FORMS, trees::bag_of};

// A small bag with a bit of everything.
fn sample() -> Bag {
    let mut bag = Bag::new();
    let list = List::new(vec![1.into(), "x".into(), Value::Null]).unwrap();
    bag.set("a b.list", list).unwrap();
    bag.set("a b.decimal", "1.50".parse::<Decimal>().unwrap())
        .unwrap();
    bag.set("time", Timestamp::from_ns(1)).unwrap();
    bag.set("bytes", vec![0_u8, 255]).unwrap();
    bag.set("text", "x::L\u{1}\u{e9}").unwrap();
    bag.set("empty", Branch::new()).unwrap();
    bag.set_attribute("", "of root", 1.5).unwrap();
    bag.set_attribute("text", "q", true).unwrap();
    let resolver = ResolverRef::new("r".parse().unwrap());
    let row = Row {
        resolver: Some(resolver),
        ..Row::value(0, "resolved".parse().unwrap(), Value::Null)
    };
    let branch = Branch::from_rows([row]).unwrap();
    let path = Path::default();
    bag.edit(Edit::Merge { path, branch }).unwrap();
    bag
}

#[test]
fn every_truncation_is_an_error() {
    let bag = sample();
    for form in FORMS {
        let bytes = (form.write)(&bag);
        // White space and a marker at the end may be missing.
        let needed = bytes.trim_ascii_end().len();
        for len in 0..needed {
            let read = (form.read)(&bytes[..len], &ReadLimits::default());
            if let Ok(read) = read {
                assert!(
                    form.name.contains("TYTX") && read == bag,
                    "{}: {len} of {needed} bytes are read",
                    form.name
                );
            }
        }
    }
}

#[test]
fn flipped_bytes_never_panic() {
    let bag = sample();
    for form in FORMS {
        let bytes = (form.write)(&bag);
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut broken = bytes.clone();
                broken[at] ^= flip;
                if let Ok(read) = (form.read)(&broken, &ReadLimits::default()) {
                    // What is accepted is a whole tree, which can be written again.
                    let again = (form.write)(&read);
                    let again = (form.read)(&again, &ReadLimits::default());
                    assert_eq!(again.unwrap(), read, "{} at {at} by {flip}", form.name);
                }
            }
        }
    }
}

#[test]
fn announced_lengths_are_not_believed() {
    for bytes in [
        // [1, {}, an array of 2^32 - 1
        &[0x93, 1, 0x80, 0xdd, 0xff, 0xff, 0xff, 0xff][..],
        // [1, a map of 2^32 - 1
        &[0x93, 1, 0xdf, 0xff, 0xff, 0xff, 0xff],
        // … a row whose label has 2^32 - 1 bytes
        &[0x93, 1, 0x80, 0x91, 0x94, 0, 0xdb, 0xff, 0xff, 0xff, 0xff],
        // … a list of 4,096 items, of which there is none
        &[0x93, 1, 0x80, 0x91, 0x94, 0, 0xa1, b'a', 0xdc, 0x10, 0x00],
        // … bytes of 2^32 - 1
        &[
            0x93, 1, 0x80, 0x91, 0x94, 0, 0xa1, b'a', 0xc6, 0xff, 0xff, 0xff, 0xff,
        ],
    ] {
        let error = Bag::from_messagepack(bytes, &ReadLimits::default()).unwrap_err();
        let kinds = [Kind::Syntax, Kind::TooLarge];
        assert!(kinds.contains(&error.kind()), "{error}");
        assert!(error.byte().is_some());
    }
    let varint = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    for prefix in [
        &[1][..],
        &[1, 0],
        &[1, 0, 1, 0],
        &[1, 0, 1, 0, 1, b'a', 1, 4],
        &[1, 0, 1, 0, 1, b'a', 1, 8],
    ] {
        let bytes = [prefix, &varint].concat();
        let error = Bag::from_postcard(&bytes, &ReadLimits::default()).unwrap_err();
        let kinds = [Kind::Syntax, Kind::TooManyNodes];
        assert!(kinds.contains(&error.kind()), "{prefix:?}: {error}");
        assert!(error.byte().is_some());
    }
}

#[test]
fn a_nesting_of_100_000_is_refused() {
    const LEVELS: usize = 100_000;
    let refused = |kind: Kind, read: Result<Bag, dhlrs_bag::formats::FormatError>| {
        let error = read.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    };
    let limits = ReadLimits::default();
    refused(
        Kind::TooDeep,
        Bag::from_json("[".repeat(LEVELS).as_bytes(), &limits),
    );
    refused(
        Kind::TooDeep,
        Bag::from_json("{\"a\":".repeat(LEVELS).as_bytes(), &limits),
    );
    let typed = "{\"$bag\":[[\"a\",".repeat(LEVELS);
    refused(
        Kind::TooDeep,
        Bag::from_typed_json(typed.as_bytes(), &limits),
    );
    refused(
        Kind::TooDeep,
        Bag::from_xml("<a>".repeat(LEVELS).as_bytes(), &limits),
    );
    let closed = "<a>".repeat(LEVELS) + &"</a>".repeat(LEVELS);
    refused(Kind::TooDeep, Bag::from_xml(closed.as_bytes(), &limits));
    refused(
        Kind::BadShape,
        Bag::from_messagepack(&vec![0x91; LEVELS], &limits),
    );
    let tytx = format!("{{\"rows\":{}", "[".repeat(LEVELS));
    let error = Bag::from_tytx(tytx.as_bytes(), &limits).unwrap_err();
    assert!(
        [Kind::TooDeep, Kind::BadShape].contains(&error.kind()),
        "{error}"
    );
}

#[test]
fn depth_64_is_read_and_65_is_not() {
    let rows = |depth: u16| -> Vec<Row> {
        let label: dhlrs_bag::Label = "a".parse().unwrap();
        (0..depth)
            .map(|depth| Row::bag(depth, label.clone()))
            .collect()
    };
    let bag = bag_of(rows(64), Default::default());
    for form in FORMS {
        let read = (form.read)(&(form.write)(&bag), &ReadLimits::default());
        assert_eq!(read.unwrap(), bag, "{}", form.name);
    }
    let xml = |depth: usize| format!("<r>{}{}</r>", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(Bag::from_xml(xml(64).as_bytes(), &ReadLimits::default()).is_ok());
    let error = Bag::from_xml(xml(65).as_bytes(), &ReadLimits::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::TooDeep);
}

#[test]
fn bombs_of_entities_are_refused_before_they_go_off() {
    let laughs: String = (1..10)
        .map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10)))
        .collect();
    let bomb = format!("<!DOCTYPE r [<!ENTITY l0 \"lol\">{laughs}]><r>&l9;</r>");
    for (text, kind) in [
        (bomb.as_str(), Kind::Refused),
        (
            "<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><r/>",
            Kind::Refused,
        ),
        ("<r>&unknown;</r>", Kind::Refused),
        ("<r a=\"&unknown;\"/>", Kind::Refused),
        (
            "<?xml version=\"1.0\" encoding=\"UTF-16\"?><r/>",
            Kind::Refused,
        ),
        ("<r>&#1;</r>", Kind::Syntax),
        ("<r>\u{1}</r>", Kind::Syntax),
        ("<r a=\"&#0;\"/>", Kind::Refused),
    ] {
        let error = Bag::from_xml(text.as_bytes(), &ReadLimits::default()).unwrap_err();
        assert_eq!(error.kind(), kind, "{text}: {error}");
        assert!(error.byte().is_some());
    }
}

#[test]
fn endless_tags_and_texts_are_refused_before_they_fill_memory() {
    let long = "x".repeat(5 << 20);
    for text in [
        format!("<r>{long}"),
        format!("<r a=\"{long}"),
        format!("<{long}"),
        format!("<r><!-- {long}"),
        format!("<r>{}", "<![CDATA[aaaaaaaaaaaaaaaa]]>".repeat(200_000)),
    ] {
        let error = Bag::from_xml(text.as_bytes(), &ReadLimits::default()).unwrap_err();
        assert_eq!(error.kind(), Kind::TooLarge, "{error}");
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for form in FORMS {
            let _ = (form.read)(&bytes, &ReadLimits::default());
        }
        let _ = Bag::from_json(&bytes, &ReadLimits::default());
    }
}
