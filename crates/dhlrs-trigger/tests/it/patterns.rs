//! The tree of patterns.

use std::collections::BTreeSet;

use dhlrs_path::{Path, Pattern};
use dhlrs_trigger::PatternTrie;
use proptest::prelude::*;

fn pattern() -> impl Strategy<Value = Pattern> {
    let step = prop_oneof![3 => Just("a"), 2 => Just("b"), 3 => Just("*"), 4 => Just("**")];
    prop::collection::vec(step, 0..6).prop_map(|steps| steps.join(".").parse().unwrap())
}

fn path() -> impl Strategy<Value = Path<'static>> {
    prop::collection::vec("[a-c]", 0..6).prop_map(|labels| Path::from_labels(labels).unwrap())
}

proptest! {
    #[test]
    fn finds_what_a_look_at_every_pattern_finds(
        patterns in prop::collection::vec(pattern(), 0..20),
        removed in prop::collection::vec(any::<bool>(), 20),
        path in path(),
    ) {
        let mut trie = PatternTrie::default();
        for (key, pattern) in patterns.iter().enumerate() {
            trie.insert(pattern, key as u64);
        }
        let mut kept = Vec::new();
        for (key, pattern) in patterns.iter().enumerate() {
            if removed[key] {
                prop_assert!(trie.remove(pattern, key as u64));
                prop_assert!(!trie.remove(pattern, key as u64));
            } else {
                kept.push((key as u64, pattern));
            }
        }
        let (mut at, mut below) = (BTreeSet::new(), BTreeSet::new());
        trie.at(&path, &mut at);
        trie.at_or_below(&path, &mut below);
        let naive = |fits: &dyn Fn(&Pattern) -> bool| -> BTreeSet<u64> {
            kept.iter().filter(|(_, pattern)| fits(pattern)).map(|(key, _)| *key).collect()
        };
        prop_assert_eq!(at, naive(&|pattern| pattern.matches_path(&path)));
        prop_assert_eq!(below, naive(&|pattern| pattern.intersects_subtree(&path)));
    }
}

#[test]
fn ten_thousand_patterns_cost_what_matches() {
    let mut trie = PatternTrie::default();
    for key in 0..10_000 {
        trie.insert(&format!("orders.o{key}.**.status").parse().unwrap(), key);
        trie.insert(&format!("**.name{key}").parse().unwrap(), 10_000 + key);
    }
    let path: Path<'static> = "orders.o77.lines.l1.status".parse().unwrap();
    // Looking at 20,000 patterns each time would take minutes here.
    for _ in 0..20_000 {
        let mut keys = BTreeSet::new();
        trie.at(&path, &mut keys);
        assert_eq!(keys, BTreeSet::from([77]));
    }
}

#[test]
fn a_trie_is_empty_when_its_last_pattern_is_gone() {
    let mut trie = PatternTrie::default();
    assert!(trie.is_empty());
    for text in ["**", "a.*", ""] {
        let Ok(pattern) = text.parse() else { continue };
        trie.insert(&pattern, 1);
        assert!(!trie.is_empty(), "{text:?}");
        assert!(trie.remove(&pattern, 1));
        assert!(trie.is_empty(), "{text:?}");
    }
}

#[test]
fn a_label_that_no_pattern_names_finds_none_among_ten_thousand() {
    let mut trie = PatternTrie::default();
    for key in 0..10_000 {
        trie.insert(&format!("o{key}").parse().unwrap(), key);
        trie.insert(&format!("deep.o{key}.o{key}").parse().unwrap(), key);
    }
    for key in 0..1_000 {
        let mut keys = BTreeSet::new();
        for path in [
            format!("no{key}"),
            format!("o{key}.o{key}"),
            format!("deep.no{key}.o{key}"),
        ] {
            trie.at(&path.parse().unwrap(), &mut keys);
        }
        assert!(keys.is_empty(), "{keys:?}");
    }
}

#[test]
fn patterns_that_come_and_go_take_no_more_room() {
    let mut trie = PatternTrie::default();
    let mut shown = String::new();
    for round in 0..3 {
        for key in 0..10 {
            trie.insert(&format!("a.o{key}.*.**").parse().unwrap(), key);
        }
        for key in 0..10 {
            assert!(trie.remove(&format!("a.o{key}.*.**").parse().unwrap(), key));
        }
        let before = std::mem::replace(&mut shown, format!("{trie:?}"));
        assert!(round == 0 || before.len() == shown.len(), "{shown}");
    }
}
