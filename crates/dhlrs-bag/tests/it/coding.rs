//! What travels comes back equal, is as large as it said, and is checked when it arrives.

use dhlrs_bag::{
    Attributes, AttributesWrite, Branch, Bytes, Change, Content, Decimal, Edit, GuardedEdit, Label,
    List, Meta, Op, Placed, Precondition, ResolverRef, ResolverWrite, Row, SortField, Timestamp,
    Value,
};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

use crate::{label, name, path, position};

#[track_caller]
fn survives<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(noun: &T) -> usize {
    let bytes = postcard::to_stdvec(noun).unwrap();
    assert_eq!(&postcard::from_bytes::<T>(&bytes).unwrap(), noun);
    for end in 0..bytes.len() {
        assert!(postcard::from_bytes::<T>(&bytes[..end]).is_err());
    }
    bytes.len()
}

fn values() -> Vec<Value> {
    vec![
        Value::Null,
        true.into(),
        Value::Int(i64::MIN),
        Value::Int(-1),
        Value::Int(300),
        1.5.into(),
        "some text".into(),
        Value::Bytes(Bytes::new(&[0, 255, 7])),
        Timestamp::from_ns(-5).into(),
        "-1.50".parse::<Decimal>().unwrap().into(),
        "79228162514264337593543950335"
            .parse::<Decimal>()
            .unwrap()
            .into(),
        List::new(vec![1.into(), "x".into(), Value::Null])
            .unwrap()
            .into(),
    ]
}

fn row(depth: u16, text: &str, value: Option<Value>) -> Row {
    Row {
        depth,
        label: label(text),
        value,
        attributes: Attributes::from_iter([(name("a"), 1.into()), (name("b"), "x".into())]),
        resolver: Some(ResolverRef {
            cache_time_ms: -1,
            ..ResolverRef::new(name("remote"))
        }),
    }
}

#[test]
fn nouns_survive_and_sizes_are_what_they_are_said_to_be() {
    for value in values() {
        assert_eq!(survives(&value), value.encoded_bytes(), "{value:?}");
    }
    let branch = Branch::from_rows([row(0, "x", None), row(1, "y", Some(5.into()))]).unwrap();
    assert_eq!(survives(&branch), branch.encoded_bytes());
    let row = row(3, "label", Some("text".into()));
    assert_eq!(survives(&row), 1 + row.encoded_bytes());
    let edits = [
        Edit::Set {
            path: path("a.#0.#x=1?b"),
            content: Some(branch.clone().into()),
            attributes: Some(row.attributes.clone()),
            position: Some(position(">#-1")),
            overwrite: true,
        },
        Edit::Sort {
            path: path(""),
            by: SortField::Attribute(name("k")).into(),
        },
        Edit::Move {
            path: path("a"),
            to: path("b.c"),
            position: None,
        },
    ];
    for edit in edits {
        let precondition = Some(Precondition::Revision(7));
        survives(&GuardedEdit { edit, precondition });
    }
    let id = dhlrs_bag::NodeId::from_bytes([7; 16]);
    survives(&Op::Write {
        id,
        content: Some(Placed {
            content: Content::Branch(branch),
            first: id,
        }),
        attributes: Some(AttributesWrite::Merge(row.attributes.clone())),
        resolver: Some(ResolverWrite::Remove),
        autocreated: false,
    });
    survives(&Op::Sort {
        id,
        order: vec![2, 0, 1],
    });
    survives(&Meta {
        revision: 5,
        reason: Some("why".into()),
        origin: Some("machine/process".parse().unwrap()),
        stamp: Some((1 << 40, 3)),
        ..Meta::default()
    });
    let mut bag = dhlrs_bag::Bag::new();
    let changes: Vec<Change> = bag.edit(Edit::set(path("a.b"), 1)).unwrap();
    survives(&changes);
    survives(&bag.image().collect::<Vec<_>>());
}

#[test]
fn what_a_constructor_refuses_is_not_decoded() {
    #[track_caller]
    fn refused<T: DeserializeOwned>(noun: &impl Serialize) {
        let bytes = postcard::to_stdvec(noun).unwrap();
        assert!(postcard::from_bytes::<T>(&bytes).is_err());
    }
    refused::<Label>(&"");
    refused::<Label>(&"x".repeat(256));
    refused::<Label>(&"a\u{7}b");
    refused::<Attributes>(&vec![("a", Value::Null), ("a", Value::Null)]);
    let many: Vec<_> = (0..257).map(|n| (format!("a{n}"), Value::Null)).collect();
    refused::<Attributes>(&many);
    refused::<Branch>(&vec![row(1, "x", None)]);
    refused::<Branch>(&vec![row(0, "x", None), row(0, "x", None)]);
    refused::<Branch>(&vec![row(0, "x", Some(1.into())), row(1, "y", None)]);
    refused::<Decimal>(&(1_i128 << 96, 0_u8));
    refused::<Decimal>(&(1_i128, 29_u8));
    // Variant 8 is a list: one in a list, and one that is too long.
    assert!(postcard::from_bytes::<Value>(&[8, 1, 8, 0]).is_err());
    assert!(postcard::from_bytes::<Value>(&[8, 0]).is_ok());
    let mut long = vec![8, 0x81, 0x20];
    long.extend([0; 4097]);
    assert!(postcard::from_bytes::<Value>(&long).is_err());
    // A path of an edit is checked as one.
    let bytes = postcard::to_stdvec(&Edit::Remove { path: path("a.b") }).unwrap();
    let bad: Vec<u8> = bytes
        .iter()
        .map(|byte| if *byte == b'a' { b'.' } else { *byte })
        .collect();
    assert!(postcard::from_bytes::<Edit>(&bytes).is_ok());
    assert!(postcard::from_bytes::<Edit>(&bad).is_err());
}

proptest! {
    #[test]
    fn random_bytes_decode_to_nothing_that_is_not_itself(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(branch) = postcard::from_bytes::<Branch>(&bytes) {
            survives(&branch);
        }
        if let Ok(edit) = postcard::from_bytes::<GuardedEdit>(&bytes) {
            survives(&edit);
            let _ = dhlrs_bag::Bag::new().edit(edit);
        }
        if let Ok(op) = postcard::from_bytes::<Op>(&bytes) {
            dhlrs_bag::Bag::new().apply(&[op], 1);
        }
    }
}
