//! Every lossless form: what is written reads as an equal bag, whatever is in it.

use dhlrs_bag::{
    Attributes, Bag, Content, Edit, ResolverRef, Value,
    formats::{FormatError, FormatErrorKind as Kind, ReadLimits, XmlForm},
};
use dhlrs_path::Path;
use proptest::prelude::*;

use super::trees::bags;

/// A form that keeps everything.
pub(crate) struct Form {
    pub(crate) name: &'static str,
    pub(crate) write: fn(&Bag) -> Vec<u8>,
    pub(crate) read: fn(&[u8], &ReadLimits) -> Result<Bag, FormatError>,
}

pub(crate) const FORMS: [Form; 6] = [
    Form {
        name: "typed JSON",
        write: |bag| bag.root().to_typed_json().into_bytes(),
        read: Bag::from_typed_json,
    },
    Form {
        name: "typed XML",
        write: |bag| bag.root().to_xml(XmlForm::Typed, "").0.into_bytes(),
        read: Bag::from_xml,
    },
    Form {
        name: "MessagePack",
        write: |bag| bag.root().to_messagepack(),
        read: Bag::from_messagepack,
    },
    Form {
        name: "postcard",
        write: |bag| bag.root().to_postcard(),
        read: Bag::from_postcard,
    },
    Form {
        name: "TYTX",
        write: |bag| bag.root().to_tytx(false).into_bytes(),
        read: Bag::from_tytx,
    },
    Form {
        name: "compact TYTX",
        write: |bag| bag.root().to_tytx(true).into_bytes(),
        read: Bag::from_tytx,
    },
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_reads_as_an_equal_bag(bag in bags()) {
        for form in FORMS {
            let bytes = (form.write)(&bag);
            let read = (form.read)(&bytes, &ReadLimits::default());
            let read = read.map_err(|error| {
                TestCaseError::fail(format!("{}: {error}\n{}", form.name, String::from_utf8_lossy(&bytes)))
            })?;
            prop_assert_eq!(&read, &bag, "{}\n{}", form.name, String::from_utf8_lossy(&bytes));
            prop_assert_eq!((form.write)(&read), bytes, "{}", form.name);
        }
    }
}

#[test]
fn a_bag_that_was_read_can_be_written_to() {
    let mut bag = Bag::new();
    bag.set("a.b", 1).unwrap();
    for form in FORMS {
        let mut read = (form.read)(&(form.write)(&bag), &ReadLimits::default()).unwrap();
        read.set("a.c", 2).unwrap();
        let ids: Vec<_> = read
            .root()
            .walk()
            .map(|visited| visited.node.id())
            .collect();
        let mut unique = ids.clone();
        unique.sort();
        unique.dedup();
        assert_eq!((ids.len(), unique.len()), (3, 3), "{}", form.name);
    }
}

#[test]
fn overlays_are_in_no_document() {
    let mut bag = Bag::new();
    bag.set("a", 1).unwrap();
    let plain = bag.clone();
    for path in ["a", "only.overlay"] {
        let path = Path::parse(path).unwrap();
        bag.set_overlay(&path, Some(Content::Value(Value::from("shown"))))
            .unwrap();
    }
    for form in FORMS {
        assert_eq!((form.write)(&bag), (form.write)(&plain), "{}", form.name);
    }
    assert_eq!(bag.root().to_json(), plain.root().to_json());
}

#[test]
fn limits_of_bytes_nodes_and_depth_hold_for_each_form() {
    let mut bag = Bag::new();
    for n in 0..20 {
        bag.set(&format!("a.b.n{n}"), n).unwrap();
    }
    for form in FORMS {
        let bytes = (form.write)(&bag);
        let refused = |limits: ReadLimits| (form.read)(&bytes, &limits).unwrap_err().kind();
        let limits = ReadLimits {
            bytes_max: bytes.len() as u64,
            nodes_max: 22,
            depth_max: 3,
        };
        assert_eq!((form.read)(&bytes, &limits).unwrap(), bag, "{}", form.name);
        let kind = refused(ReadLimits {
            bytes_max: bytes.len() as u64 - 1,
            ..limits
        });
        assert_eq!(kind, Kind::TooLarge, "{}", form.name);
        let kind = refused(ReadLimits {
            nodes_max: 21,
            ..limits
        });
        assert_eq!(kind, Kind::TooManyNodes, "{}", form.name);
        let kind = refused(ReadLimits {
            depth_max: 2,
            ..limits
        });
        assert_eq!(kind, Kind::TooDeep, "{}", form.name);
    }
}

#[test]
fn a_node_over_its_limit_is_refused_and_named() {
    let large = "x".repeat(300_000);
    for (json, kind) in [
        (format!("{{\"a\":\"{large}\"}}"), Kind::TooLarge),
        (format!("{{\"{}\":{{}}}}", "y".repeat(256)), Kind::BadLabel),
    ] {
        let error = Bag::from_json(json.as_bytes(), &ReadLimits::default()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    // What stands behind the content of a bag counts as well.
    let typed = format!(r#"{{"$bag":[["b",{{"$bag":[["n",1,{{}}]]}},{{"a":"{large}"}}]]}}"#);
    let error = Bag::from_typed_json(typed.as_bytes(), &ReadLimits::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge, "{error}");
    // 64 labels of 255 bytes are no path.
    let label = "z".repeat(255);
    let json = format!(
        "{}1{}",
        format!("{{\"{label}\":").repeat(10),
        "}".repeat(10)
    );
    let error = Bag::from_json(json.as_bytes(), &ReadLimits::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge, "{error}");
}

#[test]
fn doubles_are_refused_with_their_path() {
    let error = Bag::from_tytx(
        br#"{"rows":[[[],"a",null,"::X",{}],[["a"],"b",null,1,{}],[["a"],"b",null,2,{}]]}::X"#,
        &ReadLimits::default(),
    )
    .unwrap_err();
    assert_eq!(error.kind(), Kind::DuplicateLabel);
    assert!(error.to_string().contains("a.b"), "{error}");
}

#[test]
fn doubles_in_json_are_refused_with_a_pointer() {
    let plain = br#"{"a":{"b":1,"b":2}}"#;
    let error = Bag::from_json(plain, &ReadLimits::default()).unwrap_err();
    assert_eq!(
        (error.kind(), error.pointer()),
        (Kind::DuplicateLabel, Some("/a/b"))
    );
    let typed = br#"{"$bag":[["a",1,{}],["a",2,{}]]}"#;
    let error = Bag::from_typed_json(typed, &ReadLimits::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::DuplicateLabel);
    assert!(
        error.pointer().is_some_and(|at| at.starts_with("/$bag/1")),
        "{error}"
    );
}

#[test]
fn a_document_that_is_one_value_is_no_bag() {
    for text in ["1", "[1,2]", "\"x\""] {
        let error = Bag::from_json(text.as_bytes(), &ReadLimits::default()).unwrap_err();
        assert_eq!(error.kind(), Kind::NotABag, "{text}: {error}");
    }
}

#[test]
fn later_versions_are_told_from_broken_bytes() {
    let error = Bag::from_postcard(&[9, 0, 0], &ReadLimits::default()).unwrap_err();
    assert_eq!(
        (error.kind(), error.byte()),
        (Kind::UnknownVersion, Some(0))
    );
    let error = Bag::from_messagepack(&[0x93, 9, 0x80, 0x90], &ReadLimits::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::UnknownVersion);
}

#[test]
fn every_form_takes_the_longest_texts_with_every_byte_escaped() {
    let escaped = "\u{1}".repeat(200_000);
    let mut bag = Bag::new();
    bag.set("a", escaped.as_str()).unwrap();
    let mut resolver = ResolverRef::new("r".parse().unwrap());
    let parameter = ("p".parse().unwrap(), Value::from(escaped));
    resolver.parameters = Attributes::from_iter([parameter]);
    let edit = Edit::SetResolver {
        path: Path::parse("b").unwrap(),
        resolver: Some(resolver),
        content: None,
        attributes: None,
        position: None,
    };
    bag.edit(edit).unwrap();
    for form in FORMS {
        let document = (form.write)(&bag);
        let read = (form.read)(&document, &ReadLimits::default());
        assert_eq!(
            read.map_err(|error| error.to_string()),
            Ok(bag.clone()),
            "{}",
            form.name
        );
    }
}
