//! Each source rule sees what it is there for, and lets good code pass.

use std::path::Path;

use xtask::tidy::{clippy_config, lib_rs, names, source_file};

#[track_caller]
fn complains(file: &str, text: &str, about: &str) {
    let problems = source_file(Path::new(file), text, 3);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].message.contains(about), "{}", problems[0]);
}

#[track_caller]
fn passes(file: &str, text: &str) {
    let problems = source_file(Path::new(file), text, 3);
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn a_file_opens_with_docs() {
    complains("src/a.rs", "fn a() {}\n", "no module docs");
    passes("src/a.rs", "#![no_std]\n//! A.\nfn a() {}\n");
}

#[test]
fn a_file_has_a_limit_of_code_lines() {
    complains(
        "src/a.rs",
        "//! A.\na;\nb;\nc;\nd;\n",
        "4 lines of code, limit 3",
    );
    passes("src/a.rs", "//! A.\na;\n\n// b\nb;\nc;\n");
}

#[test]
fn names_that_name_nothing_are_refused() {
    complains("src/utils.rs", "//! A.\n", "`utils`");
    complains("src/common/a.rs", "//! A.\n", "`common`");
    passes("src/commons.rs", "//! A.\n");
}

#[test]
fn a_silenced_lint_has_a_reason() {
    complains(
        "src/a.rs",
        "//! A.\n#[allow(dead_code)]\nfn a() {}\n",
        "no `reason",
    );
    complains(
        "src/a.rs",
        "//! A.\n#![cfg_attr(test, allow(dead_code))]\n",
        "no `reason",
    );
    passes(
        "src/a.rs",
        "//! A.\n#[expect(dead_code, reason = \"b\")]\nfn a() { allow(1) }\n",
    );
}

#[test]
fn an_ignored_test_has_a_reason() {
    complains(
        "src/a.rs",
        "//! A.\n#[ignore]\nfn a() {}\n",
        "ignored without a reason",
    );
    passes(
        "src/a.rs",
        "//! A.\n#[ignore = \"needs a broker\"]\nfn a() {}\n",
    );
}

#[test]
fn a_problem_says_where() {
    let problems = source_file(Path::new("src/a.rs"), "//! A.\n\n#[ignore]\n", 3);
    assert!(
        problems[0].to_string().starts_with("src/a.rs:3: "),
        "{}",
        problems[0]
    );
}

#[test]
fn lib_rs_holds_docs_modules_and_exports_only() {
    let good = "//! A.\n#![no_std]\nextern crate alloc;\n/// B.\npub mod b;\n#[cfg(doctest)]\nmod c;\npub use b::{\n    D,\n    E,\n};\n";
    assert_eq!(lib_rs(Path::new("src/lib.rs"), good), []);
    for bad in [
        "fn a() {}",
        "pub const A: u8 = 1;",
        "use b::C;",
        "mod a { fn b() {} }",
        "mod a;\nmod b",
    ] {
        assert_eq!(lib_rs(Path::new("src/lib.rs"), bad).len(), 1, "{bad}");
    }
}

#[test]
fn a_core_crates_clippy_config_holds_the_roots_settings_too() {
    let text = clippy_config("# Why.\na = 1\n", "b = 2\n");
    assert!(text.ends_with(".toml.\na = 1\nb = 2\n"), "{text}");
}

#[test]
fn a_dependency_is_named_as_a_whole_word() {
    assert!(names("use rust_decimal::Decimal;", "rust_decimal"));
    assert!(names("toml", "toml"));
    assert!(!names("use tokio_rustls::rustls_of;", "rustls"));
    assert!(!names("mytoml tomls toml_x", "toml"));
}
