//! Sets of kinds and their spelling.

use dhlrs_bag::ChangeKind;
use dhlrs_trigger::Kinds;

#[test]
fn kinds_are_read_as_they_are_printed() {
    for kind in ChangeKind::ALL {
        assert_eq!(kind.as_str().parse::<Kinds>().unwrap(), Kinds::of(kind));
        assert!(Kinds::ALL.contains(kind));
        assert!(!Kinds::NONE.contains(kind));
    }
    let text = "insert,value+attrs,transaction";
    assert_eq!(text.parse::<Kinds>().unwrap().to_string(), text);
    assert_eq!(Kinds::ALL.to_string().parse::<Kinds>().unwrap(), Kinds::ALL);
}

#[test]
fn an_unknown_kind_is_refused_with_the_known_ones() {
    for (text, at) in [("", 0), ("value,", 6), ("value,attr", 6), (" value", 0)] {
        let err = text.parse::<Kinds>().unwrap_err();
        assert_eq!(err.at(), at, "{text:?}");
        assert!(err.to_string().contains("value+attrs"), "{err}");
    }
}

#[test]
fn transaction_takes_every_change_of_one() {
    assert!(Kinds::TRANSACTION.wants(ChangeKind::Value, true));
    assert!(!Kinds::TRANSACTION.wants(ChangeKind::Value, false));
    assert!(!Kinds::of(ChangeKind::Insert).wants(ChangeKind::Value, true));
}

#[test]
fn all_kinds_are_named_and_a_kind_named_twice_is_named_once() {
    assert!(Kinds::ALL.to_string().ends_with(",transaction"));
    let twice: Kinds = "value,attrs,value".parse().unwrap();
    assert_eq!(
        twice,
        Kinds::from_iter([ChangeKind::Value, ChangeKind::Attributes])
    );
    assert!(twice.contains(ChangeKind::Value) && twice.contains(ChangeKind::Attributes));
}
