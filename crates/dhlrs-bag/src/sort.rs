//! Sorting is judged to a permutation, so that applying it compares nothing.

use std::cmp::Ordering;

use crate::{
    SortField, SortKey, SortTerm, Tree, Value,
    slot::{Slot, View},
};

static NULL: Value = Value::Null;

impl Tree {
    /// The stored children of a bag in the order that `by` asks for, each as its present place
    /// among them; `None` if that is the order they are in.
    pub(crate) fn sorted(&self, at: u32, by: &SortKey) -> Option<Vec<u32>> {
        let children: Vec<u32> = self.stored_list(at);
        let mut order: Vec<u32> = (0..children.len() as u32).collect();
        let slot = |place: &u32| self.slot(children.get(*place as usize).copied().unwrap_or(0));
        order.sort_by(|a, b| {
            let (a, b) = (slot(a), slot(b));
            let mut terms = by.terms.iter().map(|term| compare(term, a, b));
            terms.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        (!order.is_sorted()).then_some(order)
    }

    pub(crate) fn stored_list(&self, at: u32) -> Vec<u32> {
        let children = self.list(at, View::Stored);
        children
            .filter(|child| !self.slot(*child).is_overlay())
            .collect()
    }
}

fn compare(term: &SortTerm, a: &Slot, b: &Slot) -> Ordering {
    let order = match &term.field {
        SortField::Label => compare_text(term, &a.label, &b.label),
        SortField::Value => match (a.held.scalar(), b.held.scalar()) {
            (Some(a), Some(b)) => compare_value(term, a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        },
        SortField::Attribute(name) => {
            let value = |slot: &Slot| slot.attributes().get(name).unwrap_or(&NULL).clone();
            compare_value(term, &value(a), &value(b))
        }
    };
    match term.descending {
        true => order.reverse(),
        false => order,
    }
}

fn compare_value(term: &SortTerm, a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => compare_text(term, a, b),
        _ => a.sort_cmp(b),
    }
}

fn compare_text(term: &SortTerm, a: &str, b: &str) -> Ordering {
    match term.ignore_case {
        true => {
            let lower = |text: &str| {
                text.chars()
                    .flat_map(char::to_lowercase)
                    .collect::<String>()
            };
            lower(a).cmp(&lower(b))
        }
        false => a.cmp(b),
    }
}
