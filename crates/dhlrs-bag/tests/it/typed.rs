//! Values of serde types: what is written reads as it was, and what does not fit says where.

use std::collections::BTreeMap;

use dhlrs_bag::{Bag, Content, Decimal, Timestamp, TypedErrorKind as Kind, Value};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Order {
    id: u32,
    note: Option<String>,
    paid: bool,
    total: Decimal,
    at: Timestamp,
    raw: Value,
    lines: Vec<Line>,
    tags: Vec<String>,
    by_size: BTreeMap<u8, f64>,
    state: State,
    states: (State, State),
    unit: (),
    wrapped: Wrapped,
    letter: char,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Line {
    sku: String,
    count: i64,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Wrapped(i8);

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
enum State {
    Open,
    Held(String),
    Moved(i32, i32),
    Sent { by: String, days: u8 },
}

fn order() -> Order {
    let line = |sku: &str, count| Line {
        sku: sku.to_owned(),
        count,
    };
    Order {
        id: 7,
        note: None,
        paid: true,
        total: "12.50".parse().unwrap(),
        at: Timestamp::from_ns(5),
        raw: Value::from(vec![1_u8, 2]),
        lines: vec![line("a", 1), line("b", -2)],
        tags: vec!["x".to_owned(), "y".to_owned()],
        by_size: BTreeMap::from([(1, 0.5), (200, 1.0)]),
        state: State::Sent {
            by: "post".to_owned(),
            days: 3,
        },
        states: (State::Held("dock".to_owned()), State::Moved(1, -1)),
        unit: (),
        wrapped: Wrapped(-5),
        letter: 'é',
    }
}

#[track_caller]
fn survives<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: T) {
    let mut bag = Bag::new();
    bag.set_from("x.y", &value).unwrap();
    assert_eq!(bag.get_as::<T>("x.y").unwrap(), Some(value));
}

#[test]
fn a_struct_is_a_branch() {
    let mut bag = Bag::new();
    bag.set_from("orders.o1", &order()).unwrap();
    for (path, type_name) in [
        ("orders.o1.id", "int"),
        ("orders.o1.note", "null"),
        ("orders.o1.total", "decimal"),
        ("orders.o1.at", "timestamp"),
        ("orders.o1.raw", "bytes"),
        ("orders.o1.lines.1.count", "int"),
        ("orders.o1.tags", "list"),
        ("orders.o1.by_size.200", "float"),
        ("orders.o1.state.Sent.by", "text"),
        ("orders.o1.states.0.Held", "text"),
        ("orders.o1.states.1.Moved", "list"),
    ] {
        assert_eq!(
            bag.get(path).map(Value::type_name),
            Some(type_name),
            "{path}"
        );
    }
    assert_eq!(bag.get_as("orders.o1").unwrap(), Some(order()));
    let snapshot = bag.snapshot();
    let all: BTreeMap<String, Order> = snapshot.get_as("orders").unwrap().unwrap();
    assert_eq!(all.get("o1"), Some(&order()));
    assert_eq!(snapshot.get_as::<String>("orders.o2").unwrap(), None);
    assert_eq!(
        bag.node(&"orders.o1.id".parse().unwrap())
            .unwrap()
            .to_type::<u8>()
            .unwrap(),
        7
    );
}

#[test]
fn every_shape_survives() {
    survives(order());
    survives(State::Open);
    survives(State::Moved(1, 2));
    survives(Vec::<i64>::new());
    survives(vec![vec![1, 2], vec![]]);
    survives((0..5_000).collect::<Vec<i64>>());
    survives(vec![Some(1), None]);
    survives(BTreeMap::from([("a b.c".to_owned(), State::Open)]));
    survives((1_u8, "x".to_owned(), 2.5_f32));
    survives(Value::from("x"));
    survives(vec![
        Value::Null,
        Value::from(1),
        Value::from(Timestamp::from_ns(1)),
    ]);
    survives(i128::from(i64::MIN));
    survives(u64::from(u32::MAX));
    survives(f64::INFINITY);
}

#[test]
fn a_write_replaces_what_was_there() {
    let mut bag = Bag::new();
    bag.set_from("a", &BTreeMap::from([("x", 1), ("y", 2)]))
        .unwrap();
    bag.set_from("a", &BTreeMap::from([("x", 3)])).unwrap();
    assert_eq!((bag.len(), bag.get("a.x")), (2, Some(&Value::Int(3))));
    bag.set_from("", &BTreeMap::from([("b", 1)])).unwrap();
    assert_eq!((bag.len(), bag.get("b")), (1, Some(&Value::Int(1))));
    bag.set_from("b?n", &5).unwrap();
    assert_eq!(bag.get_as::<u8>("b?n").unwrap(), Some(5));
}

#[track_caller]
fn fails<T: DeserializeOwned + std::fmt::Debug>(
    bag: &Bag,
    path: &str,
    kind: Kind,
    at: &str,
    says: &str,
) {
    let error = bag.get_as::<T>(path).unwrap_err();
    assert_eq!((error.kind(), error.path().as_str()), (kind, at), "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

#[test]
fn a_misfit_says_where_and_what_was_expected() {
    let mut bag = Bag::new();
    bag.set_from("orders.o1", &order()).unwrap();
    bag.set("orders.o1.lines.1.count", "many").unwrap();
    bag.set("big", 300).unwrap();
    bag.set(
        "list",
        dhlrs_bag::List::new(vec![1.into(), "x".into()]).unwrap(),
    )
    .unwrap();
    fails::<Order>(
        &bag,
        "orders.o1",
        Kind::WrongType,
        "orders.o1.lines.1.count",
        "expected i64",
    );
    fails::<u8>(&bag, "big", Kind::OutOfRange, "big", "expected u8");
    fails::<Vec<u8>>(&bag, "list", Kind::WrongType, "list", "expected u8");
    fails::<(u8, u8)>(
        &bag,
        "big",
        Kind::WrongType,
        "big",
        "expected a tuple of size 2",
    );
    fails::<Timestamp>(&bag, "big", Kind::WrongType, "big", "int 300");
    fails::<State>(
        &bag,
        "orders.o1.note",
        Kind::WrongType,
        "orders.o1.note",
        "",
    );
    fails::<Line>(
        &bag,
        "orders.o1.lines",
        Kind::MissingField,
        "orders.o1.lines",
        "`sku`",
    );
    fails::<State>(
        &bag,
        "orders.o1.lines.1.sku",
        Kind::UnknownVariant,
        "orders.o1.lines.1.sku",
        "one of Open",
    );
    fails::<BTreeMap<u8, Value>>(
        &bag,
        "orders",
        Kind::OutOfRange,
        "orders.o1",
        "an integer as key",
    );
    fails::<u8>(&bag, "a..b", Kind::BadPath, "", "path");
    fails::<u8>(&bag, "big?a&b", Kind::BadPath, "big?a&b", "one attribute");
}

#[test]
fn what_no_tree_holds_is_refused_with_its_path() {
    let mut bag = Bag::new();
    let mut refused = |path: &str, value: &dyn erased::Write, kind: Kind, at: &str| {
        let error = value.write(&mut bag, path).unwrap_err();
        assert_eq!((error.kind(), error.path().as_str()), (kind, at), "{error}");
        assert!(bag.is_empty());
    };
    refused("a", &u64::MAX, Kind::OutOfRange, "a");
    refused("a", &(i128::MAX), Kind::OutOfRange, "a");
    refused(
        "a",
        &BTreeMap::from([("b", vec![Some(1), None, Some(u64::MAX)])]),
        Kind::OutOfRange,
        "a.b.2",
    );
    refused("a", &BTreeMap::from([("", 1)]), Kind::BadLabel, "a");
    refused("a", &BTreeMap::from([(vec![1], 1)]), Kind::BadLabel, "a");
    refused("", &5, Kind::Refused, "");
    refused("a", &"x".repeat(300_000), Kind::Refused, "a");
}

// So that one closure takes values of any type.
mod erased {
    use dhlrs_bag::{Bag, TypedError};

    pub(super) trait Write {
        fn write(&self, bag: &mut Bag, path: &str) -> Result<(), TypedError>;
    }

    impl<T: serde::Serialize> Write for T {
        fn write(&self, bag: &mut Bag, path: &str) -> Result<(), TypedError> {
            bag.set_from(path, self)
        }
    }
}

#[test]
fn a_value_deeper_than_a_tree_is_refused() {
    #[derive(Serialize)]
    struct Nest(BTreeMap<String, Nest>);

    let nest = |depth: usize| {
        (0..depth).fold(Nest(BTreeMap::new()), |inner, _| {
            Nest(BTreeMap::from([("a".to_owned(), inner)]))
        })
    };
    assert!(Content::from_type(&nest(64)).is_ok());
    let error = Content::from_type(&nest(65)).unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge, "{error}");
    let error = Content::from_type(&nest(1_000)).unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge, "{error}");
}

/// Types that serde reads through a buffer of its own.
mod buffered {
    use std::fmt::Debug;

    use dhlrs_bag::{Bag, Decimal, Timestamp};
    use serde::{Deserialize, Serialize, de::DeserializeOwned};

    #[track_caller]
    fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
        let mut bag = Bag::new();
        bag.set_from("at", &value).unwrap();
        assert_eq!(bag.get_as::<T>("at").unwrap(), Some(value));
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    struct Line {
        sku: String,
        count: i64,
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(tag = "kind")]
    enum Order {
        Placed { lines: Vec<Line> },
        Paid { at: Timestamp },
        Priced { price: Decimal },
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(untagged)]
    enum Either {
        Many(Vec<Line>),
        At(Timestamp),
        One { line: Line },
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Flat {
        a: i64,
        #[serde(flatten)]
        common: Common,
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Common {
        at: Timestamp,
        lines: Vec<Line>,
    }

    #[test]
    fn come_back() {
        let line = Line {
            sku: "a".into(),
            count: 1,
        };
        let at = Timestamp::from_ns(5);
        comes_back(Order::Placed {
            lines: vec![line.clone(), line.clone()],
        });
        comes_back(Order::Paid { at });
        comes_back(Order::Priced {
            price: "1.50".parse().unwrap(),
        });
        comes_back(Either::Many(vec![line.clone()]));
        comes_back(Either::At(at));
        comes_back(Either::One { line: line.clone() });
        let lines = vec![line];
        comes_back(Flat {
            a: 1,
            common: Common { at, lines },
        });
    }
}
