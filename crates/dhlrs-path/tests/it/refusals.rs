//! What is refused, why, and at which byte.

use dhlrs_path::ParsePathErrorKind as Kind;
use dhlrs_path::{Path, Pattern, check_label, check_name};

#[track_caller]
fn refuses(text: &str, kind: Kind, at: usize) {
    let err = text.parse::<Path<'_>>().unwrap_err();
    assert_eq!((err.kind(), err.at()), (kind, at), "{text:?}: {err}");
    assert!(err.to_string().contains(&format!("byte {at}")), "{err}");
}

#[track_caller]
fn refuses_pattern(text: &str, kind: Kind, at: usize) {
    let err = text.parse::<Pattern>().unwrap_err();
    assert_eq!((err.kind(), err.at()), (kind, at), "{text:?}: {err}");
}

#[test]
fn refuses_an_empty_step_and_says_where() {
    refuses(".", Kind::EmptyStep, 0);
    refuses(".a", Kind::EmptyStep, 0);
    refuses("a..b", Kind::EmptyStep, 2);
    refuses("a.", Kind::EmptyStep, 2);
    refuses("a.?x", Kind::EmptyStep, 2);
    refuses("..", Kind::EmptyStep, 0);
    refuses("../", Kind::EmptyStep, 3);
    refuses("a.b/parent.", Kind::EmptyStep, 11);
    refuses_pattern("*..b", Kind::EmptyStep, 2);
    refuses_pattern("**.", Kind::EmptyStep, 3);
}

#[test]
fn refuses_a_stray_slash() {
    refuses("a/b", Kind::Slash, 1);
    refuses("/a", Kind::Slash, 0);
    refuses("/parent", Kind::Slash, 0);
    refuses("a./parent", Kind::Slash, 2);
    refuses("a/parents", Kind::Slash, 1);
    refuses("a/parent/b", Kind::Slash, 8);
    refuses("a../b", Kind::EmptyStep, 2);
    refuses("#0/x", Kind::Slash, 2);
    refuses("#a=t/x", Kind::Slash, 4);
    refuses_pattern("a/b", Kind::Slash, 1);
}

#[test]
fn refuses_syntax_that_means_nothing_there() {
    refuses("a#b", Kind::Reserved, 1);
    refuses("a~b", Kind::Displaced, 1);
    refuses("~b", Kind::Reserved, 0);
    refuses("#0~b", Kind::Reserved, 2);
    refuses("#a=b=c", Kind::Reserved, 4);
    refuses("#a=b&c", Kind::Reserved, 4);
    refuses("#parent&", Kind::Reserved, 7);
    refuses("a?b=c", Kind::Reserved, 3);
    refuses("a?b.c", Kind::Reserved, 3);
    refuses("a?b?c", Kind::Reserved, 3);
    refuses("a?.", Kind::Reserved, 2);
    refuses_pattern("a*", Kind::Reserved, 1);
    refuses_pattern("*a", Kind::Reserved, 1);
    refuses_pattern("***", Kind::Reserved, 2);
}

#[test]
fn refuses_an_unknown_escape() {
    refuses(r"a\b", Kind::Escape, 1);
    refuses("a\\", Kind::Escape, 1);
    refuses(r"#a=\n", Kind::Escape, 3);
    refuses(r"a?b\ c", Kind::Escape, 3);
}

#[test]
fn refuses_a_number_that_is_no_index() {
    for text in ["#00", "#01", "#-0", "#-01"] {
        refuses(text, Kind::Index, 0);
    }
    refuses("a.#007", Kind::Index, 2);
}

#[test]
fn refuses_an_unknown_hash_step() {
    for text in [
        "#",
        "#-",
        "#+1",
        "#a",
        "#1a",
        "#parents",
        "#--1",
        r"#parent\.",
    ] {
        refuses(text, Kind::HashStep, 0);
    }
}

#[test]
fn refuses_a_displaced_label_without_an_id() {
    let hex = "00112233445566778899aabbccddeeff";
    refuses("a~", Kind::Displaced, 1);
    refuses(&format!("a~{}", hex.to_uppercase()), Kind::Displaced, 1);
    refuses(&format!("a~{}", &hex[1..]), Kind::Displaced, 1);
    refuses(&format!("a~{hex}0"), Kind::Displaced, 1);
    refuses(&format!("a~{hex}x"), Kind::Reserved, 34);
    refuses(&format!("a~{hex}~{hex}"), Kind::Reserved, 34);
}

#[test]
fn refuses_an_empty_name() {
    refuses("#=t.a?&", Kind::EmptyName, 6);
    refuses("a?b&", Kind::EmptyName, 4);
    refuses("a?&b", Kind::EmptyName, 2);
    assert_eq!(check_name("").unwrap_err().kind(), Kind::EmptyName);
    assert_eq!(check_label("").unwrap_err().kind(), Kind::EmptyStep);
}

#[test]
fn refuses_control_characters_in_labels_and_names() {
    refuses("a\n", Kind::ControlCharacter, 1);
    refuses("a.\u{7f}", Kind::ControlCharacter, 2);
    refuses("ä\u{85}", Kind::ControlCharacter, 2);
    refuses("a?b\0", Kind::ControlCharacter, 3);
    refuses("#\u{9f}=t", Kind::ControlCharacter, 1);
    refuses_pattern("*.a\u{1b}", Kind::ControlCharacter, 3);
    "a\u{a0}".parse::<Path<'_>>().unwrap();
    assert_eq!(check_label("a\u{80}b").unwrap_err().at(), 1);
}

#[test]
fn refuses_wildcards_in_paths() {
    refuses("*", Kind::Wildcard, 0);
    refuses("a.**", Kind::Wildcard, 2);
    refuses("a*", Kind::Wildcard, 1);
    r"a\*".parse::<Path<'_>>().unwrap();
}

#[test]
fn refuses_hash_steps_in_patterns() {
    refuses_pattern("a.#0", Kind::HashInPattern, 2);
    refuses_pattern("../a", Kind::HashInPattern, 0);
    refuses_pattern("a/parent", Kind::HashInPattern, 1);
    refuses_pattern("*/parent", Kind::HashInPattern, 1);
}

#[test]
fn the_first_mistake_from_the_left_is_told() {
    refuses("a..b/c", Kind::EmptyStep, 2);
    refuses("a/b..c", Kind::Slash, 1);
}

#[test]
fn a_refusal_says_in_words_what_is_wrong_and_where() {
    let says = |text: &str| text.parse::<Path<'_>>().unwrap_err().to_string();
    assert_eq!(says("a..b"), "empty step (at byte 2)");
    assert_eq!(
        says("a.*"),
        r"wildcard in a path: only patterns hold * and **; else `\*` (at byte 2)"
    );
    assert_eq!(
        says(&["a"; 65].join(".")),
        "too many steps (at byte 128, limit 64 steps)"
    );
}
