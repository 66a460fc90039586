//! The same as `cargo xtask tidy`, for whoever runs plain tests.

use xtask::{Workspace, tidy};

#[test]
fn the_house_is_tidy() {
    let workspace = Workspace::open().unwrap();
    let problems = tidy::check(&workspace).unwrap();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}", lines.join("\n"));
}
