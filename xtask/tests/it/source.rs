//! Comments and literals are no code.

use xtask::source::Code;

#[track_caller]
fn blanks(source: &str, wanted: &str) {
    assert_eq!(Code::of(source).text(), wanted, "{source:?}");
}

#[test]
fn blanks_comments_and_what_literals_hold() {
    blanks("a // b", "a     ");
    blanks("a /* /* b */ */ c", "a               c");
    blanks(r#"f("a // b")"#, r#"f("       )"#);
    blanks(r##"f(r#"a"b"#)"##, "f(r       )");
    blanks(r"'\'' 'a 'b'", r"'    'a '  ");
    blanks("\"a\nb\"", "\" \n  ");
    blanks("for\"x\"", "for\"  ");
}

#[test]
fn counts_lines_that_hold_code() {
    let source = "//! Docs.\n\nfn a() {}\n/* one\n two */\n// b\nfn c() {} // d\n";
    assert_eq!(Code::of(source).lines(), 2);
}

#[test]
fn finds_attributes_over_several_lines() {
    let source = "#![a]\n#[expect(\n  b,\n  reason = \"]\"\n)]\nlet x = y[0]; // #[no]\n";
    let code = Code::of(source);
    let found: Vec<_> = code
        .attributes()
        .iter()
        .map(|a| (a.line, a.text.contains("reason")))
        .collect();
    assert_eq!(found, [(1, false), (2, true)]);
}
