//! Whatever is derived from whatever, it is what a naive computation gives, for readers and watchers.

use std::collections::BTreeMap;

use dhlrs_bag::{ChangeKind, Edit, Shown, Value};
use dhlrs_store::{DefinitionErrorKind, Derived};
use proptest::prelude::*;

use crate::bench::{path, set};
use crate::derived::{bench, define, shown, told, watch};

#[derive(Clone, Debug)]
enum Step {
    Set(u8, i64),
    Remove(u8),
    Move(u8, u8),
    Both(u8, u8, i64),
    Define(u8, Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let leaf = 0_u8..6;
    prop_oneof![
        4 => (leaf.clone(), -9_i64..9).prop_map(|(at, to)| Step::Set(at, to)),
        1 => leaf.clone().prop_map(Step::Remove),
        1 => (leaf.clone(), leaf.clone()).prop_map(|(from, to)| Step::Move(from, to)),
        2 => (leaf.clone(), leaf, -9_i64..9).prop_map(|(one, two, to)| Step::Both(one, two, to)),
        2 => (0_u8..8, prop::collection::vec(0_u8..14, 0..4)).prop_map(|(at, from)| Step::Define(at, from)),
    ]
}

fn name(n: u8) -> String {
    match n {
        0..6 => format!("in.x{n}"),
        _ => format!("d{}", n - 6),
    }
}

/// The value of one that is computed from `from`, on leaves alone.
fn naive(n: u8, leaves: &BTreeMap<String, i64>, graph: &BTreeMap<u8, Vec<u8>>) -> Option<i64> {
    match graph.get(&n) {
        Some(from) => {
            let values = from.iter().filter_map(|m| naive(*m, leaves, graph));
            Some(values.fold(1, |sum, value| sum.wrapping_mul(3).wrapping_add(value)))
        }
        None => leaves.get(&name(n)).copied(),
    }
}

fn mixed(n: u8, from: &[u8]) -> Derived {
    let from: Vec<String> = from.iter().map(|m| name(*m)).collect();
    Derived::new(&name(n), &from, |inputs| {
        let values = inputs.values().filter_map(|(_, value)| value.as_int());
        Ok(values.fold(1_i64, |sum, value| sum.wrapping_mul(3).wrapping_add(value)))
    })
    .unwrap()
}

fn reaches(graph: &BTreeMap<u8, Vec<u8>>, from: u8, to: u8) -> bool {
    from == to
        || graph
            .get(&from)
            .is_some_and(|next| next.iter().any(|n| reaches(graph, *n, to)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever the graph and the writes: after each write, every published tree, and every batch
    /// that a watch is told of, is what a naive computation from the leaves gives.
    #[test]
    fn any_graph_is_what_a_naive_computation_gives(steps in prop::collection::vec(step(), 1..40)) {
        let mut bench = bench(true, Vec::new());
        let mut leaves = BTreeMap::new();
        let mut graph: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        let all = watch(&mut bench, "**", None, u32::MAX);
        let mut mirror: BTreeMap<String, i64> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Set(at, to) => {
                    bench.set(&name(at), to);
                    leaves.insert(name(at), to);
                }
                Step::Both(one, two, to) => {
                    bench.write(vec![set(&name(one), to), set(&name(two), to + 1)]).unwrap();
                    leaves.insert(name(one), to);
                    leaves.insert(name(two), to + 1);
                }
                Step::Remove(at) => {
                    bench.write(vec![Edit::Remove { path: path(&name(at)) }.into()]).unwrap();
                    leaves.remove(&name(at));
                }
                Step::Move(from, to) => {
                    let edit = Edit::Move { path: path(&name(from)), to: path(&name(to)), position: None };
                    if from != to && bench.write(vec![edit.into()]).is_ok() {
                        let value = leaves.remove(&name(from)).unwrap();
                        leaves.insert(name(to), value);
                    }
                }
                Step::Define(at, from) => {
                    let n = at + 6;
                    let is_cycle = from.iter().any(|m| reaches(&graph, *m, n));
                    let defined = define(&mut bench, mixed(n, &from));
                    match (graph.contains_key(&n), is_cycle) {
                        (true, _) => prop_assert_eq!(defined, Err(DefinitionErrorKind::Exists)),
                        (false, true) => prop_assert_eq!(defined, Err(DefinitionErrorKind::Cycle)),
                        (false, false) => {
                            prop_assert_eq!(defined, Ok(()));
                            graph.insert(n, from);
                        }
                    }
                }
            }
            let expected: BTreeMap<String, i64> = (0..14)
                .filter_map(|n| Some((name(n), naive(n, &leaves, &graph)?)))
                .collect();
            for n in 0..14 {
                let is = shown(&bench, &name(n)).and_then(|value| value.as_int());
                prop_assert_eq!(is, expected.get(&name(n)).copied(), "{}", name(n));
            }
            // A watcher that does as it is told holds the same after every batch.
            for changes in told(&mut bench, all) {
                for change in &changes.changes {
                    if let Some(old) = &change.old_path {
                        let value = mirror.remove(old.as_str());
                        mirror.extend(value.map(|value| (change.path.as_str().to_owned(), value)));
                    }
                    match &change.new {
                        Shown::Scalar(Value::Int(value)) => {
                            mirror.insert(change.path.as_str().to_owned(), *value);
                        }
                        _ if change.kind == ChangeKind::Remove => {
                            mirror.remove(change.path.as_str());
                        }
                        _ => {}
                    }
                }
                prop_assert_eq!(&mirror, &expected);
            }
        }
    }
}
