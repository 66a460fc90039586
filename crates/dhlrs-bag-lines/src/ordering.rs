//! The order in which the reference sorts, and what it refuses to compare.

use std::cmp::Ordering;

use dhlrs_bag::{Decimal, Value};

use crate::error::ErrorClass;

/// What a child is sorted by. Null comes first.
pub(crate) enum Key {
    Value(Value),
    /// A bag, which no other is less than.
    Bag,
}

impl Key {
    pub(crate) fn new(value: Value, ignore_case: bool) -> Self {
        Self::Value(match value {
            Value::Text(text) if ignore_case => Value::from(text.as_str().to_lowercase()),
            value => value,
        })
    }
}

/// Compares two keys.
///
/// # Errors
/// `type` where one of two types comes before the other only by convention.
pub(crate) fn compare(a: &Key, b: &Key) -> Result<Ordering, ErrorClass> {
    match (a, b) {
        (Key::Value(Value::Null), Key::Value(Value::Null)) => Ok(Ordering::Equal),
        (Key::Value(Value::Null), _) => Ok(Ordering::Less),
        (_, Key::Value(Value::Null)) => Ok(Ordering::Greater),
        (Key::Value(a), Key::Value(b)) => compare_values(a, b),
        _ => Err(ErrorClass::Type),
    }
}

fn compare_values(a: &Value, b: &Value) -> Result<Ordering, ErrorClass> {
    let (Value::List(a), Value::List(b)) = (a, b) else {
        return compare_scalars(a, b);
    };
    for (a, b) in a.items().iter().zip(b.items()) {
        if a != b {
            let order = compare_scalars(a, b)?;
            if order.is_ne() {
                return Ok(order);
            }
        }
    }
    Ok(a.items().len().cmp(&b.items().len()))
}

fn compare_scalars(a: &Value, b: &Value) -> Result<Ordering, ErrorClass> {
    Ok(match (a, b) {
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
        _ => {
            let (a, b) = (number(a)?, number(b)?);
            match (a, b) {
                (Number::Float(a), Number::Float(b)) => compare_floats(a, b),
                (Number::Float(a), Number::Exact(b)) => compare_floats(a, float_of(&b)),
                (Number::Exact(a), Number::Float(b)) => compare_floats(float_of(&a), b),
                (Number::Exact(a), Number::Exact(b)) => compare_exact(&a, &b),
            }
        }
    })
}

enum Number {
    Exact(Decimal),
    Float(f64),
}

fn number(value: &Value) -> Result<Number, ErrorClass> {
    Ok(match value {
        Value::Bool(value) => Number::Exact(Decimal::from(i64::from(*value))),
        Value::Int(number) => Number::Exact(Decimal::from(*number)),
        Value::Float(number) => Number::Float(*number),
        Value::Decimal(number) => Number::Exact(*number),
        _ => return Err(ErrorClass::Type),
    })
}

fn float_of(number: &Decimal) -> f64 {
    number.to_string().parse().unwrap_or(f64::NAN)
}

fn compare_floats(a: f64, b: f64) -> Ordering {
    // Signed zeros are the same number; only a NaN has no place, and gets one.
    a.partial_cmp(&b).unwrap_or_else(|| a.total_cmp(&b))
}

fn compare_exact(a: &Decimal, b: &Decimal) -> Ordering {
    let scaled = |number: &Decimal, to: u8| {
        let places = u32::from(to - number.scale());
        10_i128
            .checked_pow(places)
            .and_then(|factor| number.mantissa().checked_mul(factor))
    };
    let to = a.scale().max(b.scale());
    match (scaled(a, to), scaled(b, to)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => compare_floats(float_of(a), float_of(b)),
    }
}

/// Sorts places by their keys, stable, as Python sorts a list: what cannot be compared ends it, and
/// leaves what was sorted until then.
///
/// # Errors
/// Those of [`compare`].
pub(crate) fn sort(
    places: &mut Vec<usize>,
    keys: &[Key],
    descending: bool,
) -> Result<(), ErrorClass> {
    let is_less = |a: &usize, b: &usize| match (keys.get(*a), keys.get(*b)) {
        (Some(a), Some(b)) => compare(a, b).map(Ordering::is_lt),
        _ => Ok(false),
    };
    // Stable in both directions.
    if descending {
        places.reverse();
    }
    let sorted = match places.len() < RUN_MIN {
        true => sort_short(places, is_less),
        false => sort_long(places, is_less),
    };
    if descending {
        places.reverse();
    }
    sorted
}

// Shorter lists are sorted by insertion.
const RUN_MIN: usize = 64;

fn sort_short(
    places: &mut [usize],
    is_less: impl Fn(&usize, &usize) -> Result<bool, ErrorClass>,
) -> Result<(), ErrorClass> {
    let mut run = 1;
    let mut descends = false;
    for (at, pair) in places.windows(2).enumerate() {
        let [before, next] = pair else { break };
        let is_less = is_less(next, before)?;
        if at == 0 {
            descends = is_less;
        }
        if is_less != descends {
            break;
        }
        run = at + 2;
    }
    if let (true, Some(run)) = (descends, places.get_mut(..run)) {
        run.reverse();
    }
    for start in run..places.len() {
        let Some(pivot) = places.get(start).copied() else {
            break;
        };
        let (mut left, mut right) = (0, start);
        while left < right {
            let middle = left + (right - left) / 2;
            let Some(other) = places.get(middle) else {
                break;
            };
            match is_less(&pivot, other)? {
                true => right = middle,
                false => left = middle + 1,
            }
        }
        if let Some(moved) = places.get_mut(left..=start) {
            moved.rotate_right(1);
        }
    }
    Ok(())
}

fn sort_long(
    places: &mut Vec<usize>,
    is_less: impl Fn(&usize, &usize) -> Result<bool, ErrorClass>,
) -> Result<(), ErrorClass> {
    let mut width = 1;
    let mut current = places.clone();
    let mut sorted = Vec::with_capacity(current.len());
    while width < current.len() {
        sorted.clear();
        for run in current.chunks(2 * width) {
            let (left, right) = run.split_at(width.min(run.len()));
            let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
            while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
                let next = match is_less(b, a)? {
                    true => right.next(),
                    false => left.next(),
                };
                sorted.extend(next);
            }
            sorted.extend(left.chain(right));
        }
        std::mem::swap(&mut current, &mut sorted);
        width *= 2;
    }
    *places = current;
    Ok(())
}
