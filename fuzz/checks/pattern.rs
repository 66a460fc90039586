//! A pattern prints to itself, includes itself, and agrees with another on what they share.

use dhlrs_path::{Path, Pattern};

/// Panics if a promise is broken. The input is two patterns and a path, a line each.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.split('\n');
    let mut pattern = || lines.next()?.parse::<Pattern>().ok();
    let Some(first) = pattern() else {
        return;
    };
    let printed = first.to_string();
    assert_eq!(printed.parse().ok().as_ref(), Some(&first), "{printed}");
    assert!(
        first.includes(&first) && first.intersects(&first),
        "{first}"
    );
    let Some(second) = pattern() else {
        return;
    };
    assert_eq!(first.intersects(&second), second.intersects(&first));
    if first.includes(&second) {
        assert!(first.intersects(&second), "{first} {second}");
    }
    let Some(Ok(path)) = lines.next().map(Path::parse) else {
        return;
    };
    let matches = (first.matches_path(&path), second.matches_path(&path));
    if matches == (true, true) {
        assert!(first.intersects(&second), "{first} {second} {path}");
    }
    if matches == (false, true) {
        assert!(!first.includes(&second), "{first} {second} {path}");
    }
}
