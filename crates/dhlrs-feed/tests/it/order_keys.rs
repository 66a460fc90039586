//! Between two order keys there is another one, however often one asks.

use dhlrs_feed::{ORDER_KEY_BYTES_MAX, OrderKey, OrderKeyError};
use proptest::prelude::*;

proptest! {
    #[test]
    fn keys_of_random_inserts_keep_their_order(places in proptest::collection::vec(0..1000usize, 1..200)) {
        let mut keys: Vec<OrderKey> = Vec::new();
        for place in places {
            let at = place % (keys.len() + 1);
            let below = at.checked_sub(1).map(|below| &keys[below]);
            let key = OrderKey::between(below, keys.get(at)).unwrap();
            keys.insert(at, key);
        }
        prop_assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "{keys:?}");
    }

    #[test]
    fn there_is_a_key_between_any_two(a in proptest::collection::vec(any::<u8>(), 0..5), b in proptest::collection::vec(any::<u8>(), 0..5)) {
        let (Ok(a), Ok(b)) = (OrderKey::from_bytes(&a), OrderKey::from_bytes(&b)) else {
            return Ok(());
        };
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        let between = OrderKey::between(Some(&low), Some(&high));
        if low == high {
            prop_assert_eq!(between, Err(OrderKeyError::NotBetween));
        } else {
            let between = between.unwrap();
            prop_assert!(low < between && between < high);
            prop_assert_eq!(OrderKey::from_bytes(between.as_bytes()), Ok(between));
        }
    }
}

#[test]
fn appending_a_thousand_children_takes_few_bytes() {
    let mut last = OrderKey::default();
    for _ in 0..1000 {
        last = OrderKey::between(Some(&last), None).unwrap();
    }
    assert!(last.as_bytes().len() <= 5, "{last:?}");
}

#[test]
fn says_when_a_place_is_used_up() {
    let (low, mut high) = (OrderKey::default(), OrderKey::from_bytes(&[1]).unwrap());
    let err = loop {
        match OrderKey::between(Some(&low), Some(&high)) {
            Ok(key) => high = key,
            Err(err) => break err,
        }
    };
    assert_eq!(err, OrderKeyError::TooLong);
    assert_eq!(high.as_bytes().len(), ORDER_KEY_BYTES_MAX);
}

#[test]
fn no_key_has_two_spellings() {
    assert_eq!(OrderKey::from_bytes(&[1, 0]), Err(OrderKeyError::LastDigit));
    assert!(OrderKey::from_bytes(&[0, 1]).is_ok());
    let long = [1; ORDER_KEY_BYTES_MAX + 1];
    assert_eq!(OrderKey::from_bytes(&long), Err(OrderKeyError::TooLong));
}
