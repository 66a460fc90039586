//! When two bags are equal: by content and order; of resolvers, by what they are.

use dhlrs_bag::{BagNode, Value};

/// Compares what is in two bags. A node of the first that has a resolver is compared by that, any
/// other one by what it holds.
pub(crate) fn is_equal(a: BagNode<'_>, b: BagNode<'_>) -> bool {
    let mut todo = vec![(a, b)];
    while let Some((a, b)) = todo.pop() {
        if a.len() != b.len() {
            return false;
        }
        for (a, b) in a.children().zip(b.children()) {
            if a.label() != b.label() || a.attributes() != b.attributes() {
                return false;
            }
            if a.resolver().is_some() {
                if a.resolver() != b.resolver() {
                    return false;
                }
                continue;
            }
            match (a.value(), b.value()) {
                (None, None) => todo.push((a, b)),
                (a, b) if a == b => {}
                _ => return false,
            }
        }
    }
    true
}

/// Whether a value counts as zero; False does.
pub(crate) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Bool(value) => !value,
        Value::Int(number) => *number == 0,
        Value::Float(number) => *number == 0.0,
        Value::Decimal(number) => number.mantissa() == 0,
        _ => false,
    }
}
