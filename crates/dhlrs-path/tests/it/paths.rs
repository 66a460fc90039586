//! How paths are read, printed, built and cut.

use std::borrow::Cow;
use std::hash::BuildHasher;

use dhlrs_path::{Path, Query, Step};

#[track_caller]
fn reads(text: &str, canonical: &str, steps: &[Step<'_>]) {
    let path = Path::parse(text).unwrap();
    assert_eq!(path.as_str(), canonical, "{text:?}");
    assert_eq!(path.steps().collect::<Vec<_>>(), steps, "{text:?}");
    assert_eq!(path.depth(), steps.len(), "{text:?}");
    let mut back: Vec<_> = path.steps().rev().collect();
    back.reverse();
    assert_eq!(back, steps, "{text:?} from the back");
    let printed: Vec<_> = path.steps().map(|step| step.to_string()).collect();
    assert_eq!(printed.join("."), path.without_query().as_str(), "{text:?}");
    let only = steps.iter().all(|step| matches!(step, Step::Label(_)));
    assert_eq!(path.labels_only(), only, "{text:?}");
    assert_eq!(Path::parse(canonical).unwrap(), path);
}

fn label(text: &str) -> Step<'_> {
    Step::Label(text.into())
}

fn attribute<'a>(name: &'a str, text: &'a str) -> Step<'a> {
    Step::Attribute {
        name: name.into(),
        text: text.into(),
    }
}

#[test]
fn the_empty_path_is_the_root() {
    reads("", "", &[]);
    assert!(Path::default().is_root());
    assert_eq!(Path::default().parent(), None);
}

#[test]
fn labels_are_cut_at_dots() {
    reads(
        "orders.o1.status",
        "orders.o1.status",
        &[label("orders"), label("o1"), label("status")],
    );
    reads(
        "3166-2.AD-02.name",
        "3166-2.AD-02.name",
        &["3166-2", "AD-02", "name"].map(label),
    );
    reads(
        "root.parent.größe",
        "root.parent.größe",
        &["root", "parent", "größe"].map(label),
    );
    reads(" a . b", " a . b", &[label(" a "), label(" b")]);
}

#[test]
fn hash_steps_are_read() {
    reads("a.#0", "a.#0", &[label("a"), Step::Index(0)]);
    reads("#-1", "#-1", &[Step::Index(-1)]);
    reads(
        "#9223372036854775807",
        "#9223372036854775807",
        &[Step::Index(i64::MAX)],
    );
    reads(
        "#-9223372036854775808",
        "#-9223372036854775808",
        &[Step::Index(i64::MIN)],
    );
    // No child stands there, but it is an index.
    for (text, index) in [
        ("#9223372036854775808", i64::MAX),
        ("#99999999999999999999999", i64::MAX),
        ("#-9223372036854775809", i64::MIN),
        ("#-99999999999999999999999", i64::MIN),
    ] {
        let path: Path<'_> = text.parse().unwrap();
        assert_eq!(path.to_string(), text);
        assert!(path.steps().eq([Step::Index(index)]), "{text}");
    }
    reads("#a=t.b", "#a=t.b", &[attribute("a", "t"), label("b")]);
    reads("#=t", "#=t", &[Step::Value("t".into())]);
    reads("#=", "#=", &[Step::Value("".into())]);
    reads("#parent", "#parent", &[Step::Parent]);
    reads("#parent=x", "#parent=x", &[attribute("parent", "x")]);
    reads("#5=x", "#5=x", &[attribute("5", "x")]);
    reads(
        "#=two\nlines",
        "#=two\nlines",
        &[Step::Value("two\nlines".into())],
    );
    // A text may hold what a label may not, the control characters of two bytes too.
    reads(
        "#=a\u{85}b",
        "#=a\u{85}b",
        &[Step::Value("a\u{85}b".into())],
    );
}

#[test]
fn parents_have_two_short_spellings() {
    reads("../a", "#parent.a", &[Step::Parent, label("a")]);
    reads(
        "../../a",
        "#parent.#parent.a",
        &[Step::Parent, Step::Parent, label("a")],
    );
    reads(
        "b.../a",
        "b.#parent.a",
        &[label("b"), Step::Parent, label("a")],
    );
    reads("a/parent", "a.#parent", &[label("a"), Step::Parent]);
    reads(
        "a/parent/parent.b",
        "a.#parent.#parent.b",
        &[label("a"), Step::Parent, Step::Parent, label("b")],
    );
    // `../` comes first, so that what follows is a label.
    reads(
        "../parent",
        "#parent.parent",
        &[Step::Parent, label("parent")],
    );
    reads(
        "#2/parent?color",
        "#2.#parent?color",
        &[Step::Index(2), Step::Parent],
    );
}

#[test]
fn escapes_stand_for_themselves() {
    reads(r"v1\.5", r"v1\.5", &[label("v1.5")]);
    reads(
        r"\.\/\#\?\*\~\&\=\\",
        r"\.\/\#\?\*\~\&\=\\",
        &[label(r"./#?*~&=\")],
    );
    reads(r"#a=1\.5", r"#a=1\.5", &[attribute("a", "1.5")]);
    reads(r"#a\=b=c\&d", r"#a\=b=c\&d", &[attribute("a=b", "c&d")]);
    reads(r"a\\.b", r"a\\.b", &[label(r"a\"), label("b")]);
    reads(r"\\.b", r"\\.b", &[label(r"\"), label("b")]);
    reads(r"a\/parent", r"a\/parent", &[label("a/parent")]);
}

#[test]
fn what_is_syntax_elsewhere_is_printed_with_an_escape() {
    reads("a&b=c", r"a\&b\=c", &[label("a&b=c")]);
    reads("a=b.c", r"a\=b.c", &[label("a=b"), label("c")]);
}

#[test]
fn a_displaced_label_names_the_node() {
    let hex = "00112233445566778899aabbccddeeff";
    let text = format!("a.b~{hex}.c");
    reads(
        &text,
        &text,
        &[
            label("a"),
            Step::Displaced {
                label: "b".into(),
                hex,
            },
            label("c"),
        ],
    );
    reads(
        &format!(r"a\~b=~{hex}"),
        &format!(r"a\~b\=~{hex}"),
        &[Step::Displaced {
            label: "a~b=".into(),
            hex,
        }],
    );
}

#[test]
fn a_query_names_attributes() {
    let names = |text: &'static str| -> Option<Vec<String>> {
        let path = Path::parse(text).unwrap();
        assert_eq!(path.as_str(), text);
        path.query()
            .map(|query| query.names().map(Cow::into_owned).collect())
    };
    assert_eq!(names("a"), None);
    assert_eq!(names("a?"), Some(vec![]));
    assert!(matches!(
        Path::parse("a?").unwrap().query(),
        Some(Query::All)
    ));
    assert_eq!(names("a?b"), Some(vec!["b".into()]));
    assert_eq!(
        names(r"a.b?c&d\.e\&f"),
        Some(vec!["c".into(), "d.e&f".into()])
    );
    assert_eq!(names("?b"), Some(vec!["b".into()]));
    let path = Path::parse("?b").unwrap();
    assert!(path.is_root());
    assert_eq!(path.without_query(), Path::ROOT);
}

#[test]
fn a_canonical_text_is_borrowed() {
    for text in ["", "a.b.c", r"a\.b.#3.#a=t?x&y", "größe.#parent"] {
        let path = Path::parse(text).unwrap();
        assert_eq!(path.as_str().as_ptr(), text.as_ptr(), "{text:?}");
        for step in path.steps().filter(|_| !text.contains('\\')) {
            if let Step::Label(label) = step {
                assert!(matches!(label, Cow::Borrowed(_)), "{text:?}");
            }
        }
    }
}

#[test]
fn a_path_is_built_from_labels() {
    let path = Path::from_labels(["a.b", "c#=", "d"]).unwrap();
    assert_eq!(path.as_str(), r"a\.b.c\#\=.d");
    assert!(path.labels_only());
    assert_eq!(path.parent(), Some(Path::parse(r"a\.b.c\#\=").unwrap()));
    assert_eq!(path.last(), Some(label("d")));
    assert_eq!(path.child("#0").unwrap().as_str(), r"a\.b.c\#\=.d.\#0");
    assert_eq!(Path::ROOT.child("").unwrap_err().at(), 0);
    assert_eq!(
        path.child("x\ty").unwrap_err().at(),
        path.as_str().len() + 2
    );
}

#[test]
fn paths_are_joined_and_cut() {
    let path = |text: &str| text.parse::<Path<'static>>().unwrap();
    assert_eq!(
        path("a.b?x").join(&path("c.#0?y")).unwrap(),
        path("a.b.c.#0?y")
    );
    assert_eq!(path("a").join(&path("?y")).unwrap(), path("a?y"));
    assert_eq!(path("?x").join(&path("a")).unwrap(), path("a"));
    assert_eq!(
        path("a.b.c?x").strip_prefix(&path("a.b")),
        Some(path("c?x"))
    );
    assert_eq!(path("a.b?x").strip_prefix(&path("a.b?y")), Some(path("?x")));
    assert_eq!(path("a.bc").strip_prefix(&path("a.b")), None);
    assert_eq!(path("a").strip_prefix(&path("a.b")), None);
    assert_eq!(path("a.b").strip_prefix(&path("")), Some(path("a.b")));
    assert!(!path(r"a\.b").starts_with(&path("a")));
    assert_eq!(path("a.b?x").parent(), Some(path("a")));
    assert_eq!(path(r"a\.b.c\.d").parent(), Some(path(r"a\.b")));
    assert_eq!(path("a").parent(), Some(Path::ROOT));
    for (steps, tail) in [
        (0, ""),
        (1, r"c\.d"),
        (2, r"#0.c\.d"),
        (3, r"a.#0.c\.d"),
        (9, r"a.#0.c\.d"),
    ] {
        assert_eq!(path(r"a.#0.c\.d?x").tail(steps), path(tail));
    }
}

#[test]
fn a_query_is_put_behind_a_path() {
    let path = Path::parse("a.b?x").unwrap();
    assert_eq!(
        path.with_query(["c", "d=e"]).unwrap().as_str(),
        r"a.b?c&d\=e"
    );
    assert_eq!(path.with_query([""; 0]).unwrap().as_str(), "a.b?");
    assert_eq!(path.with_query(["c", ""]).unwrap_err().at(), 6);
}

#[test]
fn what_is_cut_off_a_path_knows_its_steps() {
    let path = |text: &str| text.parse::<Path<'static>>().unwrap();
    let hex = "00112233445566778899aabbccddeeff";
    for (text, labels_only) in [
        ("a.b.c", true),
        (r"a.b\#.c", true),
        ("#0.b.c", false),
        ("a.#x=1.c", false),
        ("a.#0", true),
        (&format!("a~{hex}.b"), false),
    ] {
        let path = path(text);
        let parent = path.parent().unwrap();
        assert_eq!(parent.labels_only(), labels_only, "{text:?}");
        assert_eq!(parent.depth(), path.depth() - 1, "{text:?}");
    }
}

#[test]
fn a_borrowed_path_is_the_path() {
    for text in ["a.b?x", "", "#0"] {
        let path = text.parse::<Path<'static>>().unwrap();
        assert_eq!(path.borrowed(), path);
        assert_eq!(path.borrowed().depth(), path.depth());
    }
}

#[test]
fn plain_labels_are_there_where_every_step_is_one() {
    let plain = |text: &str| -> Option<Vec<String>> {
        let path = text.parse::<Path<'static>>().unwrap();
        path.plain_labels()
            .map(|labels| labels.map(str::to_owned).collect())
    };
    let labels = |list: &[&str]| Some(list.iter().map(|&label| label.to_owned()).collect());
    assert_eq!(
        plain("orders.o1.status?x"),
        labels(&["orders", "o1", "status"])
    );
    assert_eq!(plain("a"), labels(&["a"]));
    assert_eq!(plain(""), labels(&[]));
    assert_eq!(plain(r"a.b\.c"), None);
    assert_eq!(plain("a.#0"), None);
}

#[test]
fn a_joined_path_knows_where_its_steps_end() {
    let path = |text: &str| text.parse::<Path<'static>>().unwrap();
    for (above, below, steps, names) in [
        ("a.b?x", "c.#0?y", "a.b.c.#0", Some("y")),
        ("a.b", "c.d", "a.b.c.d", None),
        ("", "c.d?y", "c.d", Some("y")),
        ("a.b", "?y", "a.b", Some("y")),
    ] {
        let joined = path(above).join(&path(below)).unwrap();
        assert_eq!(joined.without_query().as_str(), steps);
        let query = joined
            .query()
            .map(|query| query.names().collect::<String>());
        assert_eq!(query.as_deref(), names, "{joined}");
        assert_eq!(joined.depth(), path(steps).depth());
    }
}

#[test]
fn paths_are_compared_by_their_spelling() {
    let path = |text: &str| text.parse::<Path<'static>>().unwrap();
    assert!(path("a.b").starts_with(&path("a")) && !path("a.b").starts_with(&path("b")));
    assert_ne!(path("a"), path("b"));
    assert!(path("a") < path("b") && path("b") > path("a.b"));
    let state = std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default();
    let hash = |text: &str| state.hash_one(path(text));
    assert_eq!(hash("a=b"), hash(r"a\=b"));
    assert_ne!(hash("a"), hash("b"));
    assert_eq!(format!("{:?}", path("a.#0")), r#"Path("a.#0")"#);
}

#[test]
fn a_path_is_made_of_texts_of_both_kinds() {
    for text in ["a.b?x", "a=b", "#0"] {
        let path = Path::parse(text).unwrap();
        assert_eq!(Path::try_from(text), Ok(path.clone()));
        assert_eq!(Path::try_from(text.to_owned()), Ok(path));
    }
    assert!(Path::try_from("a..b").is_err());
    assert!(Path::try_from("a..b".to_owned()).is_err());
}

#[test]
fn a_query_includes_the_attributes_that_it_names() {
    let includes = |text: &str, name: &str| {
        let path = Path::parse(text).unwrap();
        path.query().unwrap().includes(name)
    };
    for (text, name, is) in [
        ("a?b&c", "b", true),
        ("a?b&c", "c", true),
        ("a?b&c", "d", false),
        (r"a?d\.e", "d.e", true),
        ("a?", "anything", true),
    ] {
        assert_eq!(includes(text, name), is, "{text} {name}");
    }
}

#[test]
fn a_step_tells_its_label() {
    assert_eq!(
        Path::parse(r"a\.b").unwrap().last().unwrap().label(),
        Some("a.b")
    );
    assert_eq!(Path::parse("#0").unwrap().last().unwrap().label(), None);
}
