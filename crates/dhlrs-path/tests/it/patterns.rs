//! How patterns are read, printed and matched.

use dhlrs_path::{Path, Pattern, PatternStep};

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

#[track_caller]
fn prints(text: &str, canonical: &str) {
    assert_eq!(pattern(text).as_str(), canonical, "{text:?}");
    assert_eq!(pattern(canonical).as_str(), canonical);
}

#[test]
fn wildcards_have_one_canonical_order() {
    prints("", "");
    prints("**.**", "**");
    prints("**.*", "*.**");
    prints("a.**.*.**.*.b", "a.*.*.**.b");
    prints("*.**.a.**.*", "*.**.a.*.**");
    prints("**.a=b?x", r"**.a\=b?x");
    prints("?x", "?x");
    prints("**.*?", "*.**?");
    assert_eq!(pattern("**.*"), pattern("*.**"));
}

#[test]
fn a_pattern_tells_its_steps() {
    let hex = "00112233445566778899aabbccddeeff";
    let steps = pattern(&format!(r"a\.b.*.**.c~{hex}"));
    assert_eq!(
        steps.steps().collect::<Vec<_>>(),
        [
            PatternStep::Label("a.b".into()),
            PatternStep::Any,
            PatternStep::AnyDepth,
            PatternStep::Displaced {
                label: "c".into(),
                hex
            },
        ]
    );
}

#[track_caller]
fn matches(text: &str, yes: &[&[&str]], no: &[&[&str]]) {
    let pattern = pattern(text);
    for labels in yes {
        assert!(pattern.matches(*labels), "{text:?} {labels:?}");
        assert!(
            pattern.matches_path(&Path::from_labels(*labels).unwrap()),
            "{text:?} {labels:?}"
        );
    }
    for labels in no {
        assert!(!pattern.matches(*labels), "{text:?} {labels:?}");
        assert!(
            !pattern.matches_path(&Path::from_labels(*labels).unwrap()),
            "{text:?} {labels:?}"
        );
    }
}

#[test]
fn a_pattern_matches_labels() {
    matches("", &[&[]], &[&["a"]]);
    matches("**", &[&[], &["a"], &["a", "b"]], &[]);
    matches("*", &[&["a"], &["*"]], &[&[], &["a", "b"]]);
    matches(
        "orders.**",
        &[&["orders"], &["orders", "o1", "x"]],
        &[&[], &["order"]],
    );
    matches(
        "**.name",
        &[&["name"], &["a", "name"], &["name", "name"]],
        &[&["name", "x"]],
    );
    matches(
        "**.a.*",
        &[&["a", "a", "b"], &["a", "x"]],
        &[&["a"], &["a", "b", "c"]],
    );
    matches(
        r"a\.b.c\=\\",
        &[&["a.b", r"c=\"]],
        &[&["a", "b", r"c=\"], &[r"a\.b", r"c=\"]],
    );
}

#[test]
fn hash_steps_and_displaced_labels_are_no_labels() {
    let hex = "00112233445566778899aabbccddeeff";
    let path = |text: &str| text.parse::<Path<'static>>().unwrap();
    assert!(!pattern("*").matches_path(&path("#0")));
    assert!(!pattern("**").intersects_subtree(&path("a.#parent")));
    let displaced = format!("b~{hex}");
    assert!(pattern("*").matches_path(&path(&displaced)));
    assert!(pattern(&displaced).matches_path(&path(&displaced)));
    assert!(!pattern("b").matches_path(&path(&displaced)));
    assert!(!pattern(&displaced).matches([displaced.as_str()]));
}

#[test]
fn a_pattern_is_made_of_a_path() {
    let path = |text: &str| text.parse::<Path<'static>>().unwrap();
    assert_eq!(
        Pattern::try_from(&path(r"a\*.b?c")).unwrap().as_str(),
        r"a\*.b?c"
    );
    assert!(Pattern::try_from(&path("a.#0")).is_err());
    assert_eq!(
        Pattern::subtree_of(&path("a.b?c")).unwrap(),
        pattern("a.b.**")
    );
    assert_eq!(Pattern::subtree_of(&path("")).unwrap(), pattern("**"));
    assert_eq!(pattern("a.b?c").as_path(), Some(path("a.b?c")));
    assert_eq!(pattern("a.*").as_path(), None);
}

#[test]
fn the_literal_prefix_ends_at_the_first_wildcard() {
    for (text, prefix) in [
        ("", ""),
        ("**", ""),
        ("orders.**", "orders"),
        (r"a\.b.c.*.d", r"a\.b.c"),
        ("a.b?x", "a.b"),
        (r"\*.a", r"\*.a"),
    ] {
        assert_eq!(pattern(text).literal_prefix().as_str(), prefix, "{text:?}");
    }
    assert_eq!(pattern("a.b.*").literal_prefix().depth(), 2);
}

#[test]
fn a_pattern_of_many_wildcards_is_matched_quickly() {
    let hard = pattern(&["**.a.*"; 32].join("."));
    let labels = vec!["a"; 63];
    assert!(!hard.matches(&labels));
    assert!(hard.includes(&hard));
    assert!(hard.intersects(&pattern(&["**.*.a.b"; 21].join("."))));
}

#[test]
fn a_pattern_may_ask_for_attributes() {
    let names = |text: &str| -> Option<Vec<String>> {
        let pattern = pattern(text);
        let query = pattern.query()?;
        Some(query.names().map(|name| name.into_owned()).collect())
    };
    assert_eq!(names("a.*"), None);
    assert_eq!(names("a.*?"), Some(vec![]));
    assert_eq!(names("**.a=b?xy&z"), Some(vec!["xy".into(), "z".into()]));
    assert_eq!(names("?x"), Some(vec!["x".into()]));
    let asked = pattern("a.*?x");
    assert_eq!(asked.without_query(), pattern("a.*"));
    assert!(asked.matches(["a", "b"]));
}

#[test]
fn a_pattern_includes_what_it_cannot_miss() {
    for (wide, narrow, is) in [
        ("**", "a.*", true),
        ("**", "", true),
        ("a.*", "a.b", true),
        ("a.b", "a.*", false),
        ("*", "**", false),
        ("*", "*.*", false),
        ("*.**", "a.b", true),
        ("*.**", "**", false),
        ("*.**", "*.**", true),
        ("*.*.**", "*.**", false),
        ("a.**.b", "a.x.y.b", true),
        ("a.**.b", "a.**.b", true),
        ("a.**.b", "a.**", false),
        ("a.*.**.b", "a.b", false),
        ("a.*.**.b", "a.*.b", true),
        ("**.a.b.**", "x.a.b.y", true),
        ("**.a.b.**", "x.a.**.b.y", false),
        ("**.a.*.b", "a.*.b", true),
        ("a.*.**", "a", false),
        ("a.b.*.**", "a.b.**", false),
    ] {
        assert_eq!(
            pattern(wide).includes(&pattern(narrow)),
            is,
            "{wide} {narrow}"
        );
    }
}

#[test]
fn patterns_meet_where_some_place_fits_both() {
    for (left, right, is) in [
        ("a.*", "*.b", true),
        ("a.b", "a.c", false),
        ("a.b", "a.b", true),
        ("a.**", "**.b", true),
        ("a.*", "a", false),
        ("*", "*.*", false),
        ("**", "", true),
        ("", "a", false),
        ("**.a.b", "b.**", true),
        ("a.**.b", "a.**.c", false),
        ("a.**.b.*", "a.*.*", true),
        ("x.**", "a.**", false),
    ] {
        let (left, right) = (pattern(left), pattern(right));
        assert_eq!(left.intersects(&right), is, "{left} {right}");
        assert_eq!(right.intersects(&left), is, "{right} {left}");
    }
}

#[test]
fn a_pattern_reaches_below_a_path() {
    for (text, path, is) in [
        ("a.b.c", "a", true),
        ("a.b", "a.b", true),
        ("a.b", "a.b.c", false),
        ("a.**", "a.b.c", true),
        ("*.b", "a", true),
        ("*.b", "a.c", false),
        ("x.*", "a", false),
        ("", "", true),
        ("", "a", false),
    ] {
        let path: Path<'_> = path.parse().unwrap();
        assert_eq!(pattern(text).intersects_subtree(&path), is, "{text} {path}");
    }
}
