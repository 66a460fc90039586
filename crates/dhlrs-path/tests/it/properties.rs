//! The laws of paths and patterns, on random texts.

use dhlrs_path::{Address, Path, Pattern};
use proptest::prelude::*;

/// Texts that are near the grammar.
fn near_path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[.#?*~&=/\\\\]",
        "[a-c0-9-]{1,3}",
        Just("../".to_owned()),
        Just("/parent".to_owned()),
        Just("#parent".to_owned()),
        Just("~00112233445566778899aabbccddeeff".to_owned()),
        Just("**".to_owned()),
        "\\\\[.#?*~&=/\\\\]",
        "\\PC",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

fn label() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c.#?*~&=/\\\\]{1,4}", "\\PC{1,6}"]
}

/// Patterns over two labels.
fn small_pattern() -> impl Strategy<Value = Pattern> {
    let step = prop_oneof![3 => Just("a"), 2 => Just("b"), 3 => Just("*"), 4 => Just("**")];
    prop::collection::vec(step, 0..7).prop_map(|steps| steps.join(".").parse().unwrap())
}

/// All words of at most seven labels out of the two known ones and one that no pattern knows.
/// Whatever two patterns of six steps disagree on, they disagree on a word of twelve; those that
/// matter here were all found shorter.
fn words() -> Vec<Vec<&'static str>> {
    let mut words = vec![vec![]];
    let mut begin = 0;
    for _ in 0..7 {
        let end = words.len();
        for at in begin..end {
            for label in ["a", "b", "c"] {
                let mut word = words[at].clone();
                word.push(label);
                words.push(word);
            }
        }
        begin = end;
    }
    words
}

/// What `**` means, said by recursion.
fn fits(pattern: &[&str], word: &[&str]) -> bool {
    match (pattern, word) {
        ([], word) => word.is_empty(),
        (["**", rest @ ..], word) => (0..=word.len()).any(|taken| fits(rest, &word[taken..])),
        (["*", rest @ ..], [_, word @ ..]) => fits(rest, word),
        ([step, rest @ ..], [label, word @ ..]) => step == label && fits(rest, word),
        (_, []) => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_path_parses_to_itself(text in near_path()) {
        if let Ok(path) = Path::parse(&text) {
            let printed = path.to_string();
            let again = Path::parse(&printed).unwrap();
            prop_assert_eq!(again.as_str().as_ptr(), printed.as_ptr(), "borrowed");
            prop_assert_eq!(&again, &path);
            prop_assert_eq!(again.depth(), path.depth());
            prop_assert_eq!(again.labels_only(), path.labels_only());
            prop_assert_eq!(again.steps().collect::<Vec<_>>(), path.steps().collect::<Vec<_>>());
            prop_assert_eq!(path.steps().count(), path.depth());
            let mut back: Vec<_> = path.step_texts().rev().collect();
            back.reverse();
            prop_assert_eq!(back, path.step_texts().collect::<Vec<_>>());
            // What comes from a path that was cut is like what is parsed.
            if let Some(parent) = path.parent() {
                let parsed = Path::parse(parent.as_str()).unwrap();
                prop_assert_eq!(parsed.depth(), parent.depth());
                prop_assert_eq!(parsed.labels_only(), parent.labels_only());
            }
        }
    }

    #[test]
    fn a_printed_pattern_parses_to_itself(text in near_path()) {
        if let Ok(pattern) = Pattern::parse(&text) {
            prop_assert_eq!(&Pattern::parse(pattern.as_str()).unwrap(), &pattern);
        }
    }

    #[test]
    fn an_error_points_into_the_text(text in near_path()) {
        for err in [Path::parse(&text).err(), Pattern::parse(&text).err()].into_iter().flatten() {
            prop_assert!(err.at() <= text.len());
        }
        let address = format!("m/p/{text}");
        match address.parse::<Address>() {
            Ok(it) => prop_assert_eq!(it.to_string().parse::<Address>().unwrap(), it),
            Err(err) => prop_assert!(err.at() <= address.len()),
        }
    }

    #[test]
    fn labels_come_back_as_they_went_in(labels in prop::collection::vec(label(), 0..8)) {
        let path = Path::from_labels(&labels).unwrap();
        prop_assert!(path.labels_only());
        // The short way through a path is a way through the same labels.
        let escaped = path.as_str().contains('\\');
        prop_assert_eq!(path.plain_labels().is_none(), escaped);
        if let Some(plain) = path.plain_labels() {
            prop_assert!(plain.eq(labels.iter().map(String::as_str)));
        }
        let parsed = Path::parse(path.as_str()).unwrap();
        let back: Vec<_> = parsed.steps().map(|step| step.label().unwrap().to_owned()).collect();
        prop_assert_eq!(&back, &labels);
        let pattern = Pattern::try_from(&path).unwrap();
        prop_assert!(pattern.matches(&labels));
        prop_assert!(pattern.matches_path(&path));
    }

    #[test]
    fn a_path_that_was_made_of_others_is_as_one_that_was_read(
        labels in prop::collection::vec(label(), 1..6),
        at in 0_usize..6,
    ) {
        let at = at.min(labels.len());
        let (above, below) = labels.split_at(at);
        let (above, below) = (Path::from_labels(above).unwrap(), Path::from_labels(below).unwrap());
        let whole = above.join(&below).unwrap();
        let indexed = Path::parse("#0").unwrap().child(&labels[0]).unwrap();
        let made = [
            whole.parent().unwrap().into_owned(),
            whole.tail(1).into_owned(),
            whole.child(&labels[0]).unwrap(),
            whole.with_query(["a"]).unwrap(),
            whole.strip_prefix(&above).unwrap().into_owned(),
            indexed.join(&whole).unwrap(),
            whole.join(&indexed).unwrap(),
            whole.to_string().try_into().unwrap(),
            whole.clone(),
            indexed,
        ];
        for path in made {
            let read = Path::parse(path.as_str()).unwrap();
            prop_assert_eq!(path.labels_only(), read.labels_only(), "{}", &path);
            let labels = |path: &Path<'_>| -> Option<Vec<String>> {
                Some(path.plain_labels()?.map(str::to_owned).collect())
            };
            prop_assert_eq!(labels(&path), labels(&read), "{}", &path);
            prop_assert_eq!(path.depth(), read.depth(), "{}", &path);
        }
    }

    #[test]
    fn a_name_comes_back_as_it_went_in(names in prop::collection::vec(label(), 1..4)) {
        let path = Path::ROOT.with_query(&names).unwrap();
        let parsed = Path::parse(path.as_str()).unwrap();
        prop_assert_eq!(parsed.query().unwrap().names().collect::<Vec<_>>(), names);
    }

    #[test]
    fn joining_undoes_cutting(text in near_path(), prefix in "[a-c]{1,2}") {
        if let Ok(path) = Path::parse(&text) {
            let prefix = Path::parse(&prefix).unwrap();
            let joined = prefix.join(&path).unwrap();
            prop_assert_eq!(&Path::parse(joined.as_str()).unwrap(), &joined);
            prop_assert_eq!(joined.depth(), path.depth() + 1);
            prop_assert_eq!(joined.strip_prefix(&prefix), Some(path));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn patterns_relate_as_the_words_that_fit_them(left in small_pattern(), right in small_pattern()) {
        let (l, r): (Vec<_>, Vec<_>) = (left.step_texts().collect(), right.step_texts().collect());
        let (mut includes, mut intersects) = (true, false);
        for word in words() {
            let (in_left, in_right) = (fits(&l, &word), fits(&r, &word));
            prop_assert_eq!(left.matches(&word), in_left, "{} {:?}", left, word);
            includes &= in_left || !in_right;
            intersects |= in_left && in_right;
        }
        // Only words of at most seven labels were tried: what is found there is certain, what is
        // not found there is not, unless the patterns are short.
        prop_assert!(!left.includes(&right) || includes, "{} includes {}", left, right);
        prop_assert!(left.intersects(&right) || !intersects, "{} meets {}", left, right);
        if l.len() + r.len() <= 7 {
            prop_assert_eq!(left.includes(&right), includes, "{} includes {}", left, right);
            prop_assert_eq!(left.intersects(&right), intersects, "{} meets {}", left, right);
        }
        prop_assert_eq!(left.intersects(&right), right.intersects(&left));
        prop_assert!(!left.includes(&right) || left.intersects(&right));
    }

    #[test]
    fn a_pattern_reaches_into_what_it_meets(
        pattern in small_pattern(),
        labels in prop::collection::vec("[ab]", 0..5),
    ) {
        let path = Path::from_labels(&labels).unwrap();
        let below = Pattern::subtree_of(&path).unwrap();
        prop_assert_eq!(pattern.intersects_subtree(&path), pattern.intersects(&below));
    }
}
