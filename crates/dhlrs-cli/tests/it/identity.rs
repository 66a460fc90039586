//! The user's key file: made once, for its owner's eyes.

use std::{fs, os::unix::fs::PermissionsExt, thread};

use dhlrs_cli::{FailureKind, identity_file::load_or_make};
use tempfile::TempDir;

#[test]
fn a_key_is_made_at_first_use_and_found_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a/b/identity");
    let first = load_or_make(&path).unwrap();
    assert_eq!(first.to_bytes(), load_or_make(&path).unwrap().to_bytes());
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let others: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(others.len(), 1, "no draft is left behind");
}

#[test]
fn processes_that_make_it_at_once_get_one_key() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("identity");
    let keys: Vec<[u8; 32]> = thread::scope(|scope| {
        let makers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| load_or_make(&path).unwrap().to_bytes()))
            .collect();
        makers
            .into_iter()
            .map(|maker| maker.join().unwrap())
            .collect()
    });
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("identity");
    load_or_make(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let failure = load_or_make(&path).unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Identity);
    assert!(
        failure.hint_text().unwrap().contains("chmod 600"),
        "{}",
        failure.to_text()
    );
}

#[test]
fn another_file_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    for text in ["", "hello", &"g".repeat(64), &"a".repeat(63)] {
        let path = folder.path().join("identity");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let failure = load_or_make(&path).unwrap_err();
        assert!(failure.to_string().contains("no key file"), "{failure}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let failure = load_or_make(&file.join("identity")).unwrap_err();
    assert!(failure.to_string().contains("key file"), "{failure}");
}
