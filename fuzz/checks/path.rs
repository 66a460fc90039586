//! A path that parses prints to one that parses to the same.

use dhlrs_path::Path;

/// Panics if a promise is broken.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(path) = Path::parse(text) else {
        return;
    };
    let printed = path.to_string();
    assert!(printed.len() <= dhlrs_path::PATH_BYTES_MAX);
    assert!(path.steps().count() <= dhlrs_path::DEPTH_MAX);
    assert_eq!(
        Path::parse(&printed).ok().as_ref(),
        Some(&path),
        "{printed}"
    );
}
