//! One process has a data directory, and finds its stores in it.

use std::error::Error as _;
use std::path::Path;

use dhlrs_storage::{DataDir, Fault, MemoryVfs, OsVfs, StorageErrorKind, Survival, Vfs};

use crate::driver::{ID, OPTIONS};

fn keeps_stores_under_their_names<V: Vfs>(vfs: &V, dir: &Path) {
    let long = "ß".repeat(127);
    let longer = format!("{long}x");
    let names = [
        "main",
        "Main",
        "..",
        "con",
        "a.b",
        "größe",
        "%2e",
        long.as_str(),
        longer.as_str(),
    ];
    let data = DataDir::open(vfs.clone(), dir).unwrap();
    assert_eq!(data.stores().unwrap().len(), 0);
    assert!(!data.has_store("main").unwrap());
    for name in names {
        let mut log = data.open_log(name, ID, OPTIONS).unwrap();
        log.append(&[name]).unwrap();
        log.sync().unwrap();
    }
    drop(data);
    let data = DataDir::open(vfs.clone(), dir).unwrap();
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    assert_eq!(data.stores().unwrap(), sorted);
    for name in names {
        assert!(data.has_store(name).unwrap());
        assert_eq!(data.open_log(name, ID, OPTIONS).unwrap().durable().get(), 1);
        assert!(
            data.store_dir(name)
                .unwrap()
                .starts_with(dir.join("stores"))
        );
    }
    assert_eq!(data.identity_path(), dir.join("identity"));
    for name in ["", &"x".repeat(256)] {
        assert_eq!(
            data.has_store(name).unwrap_err().kind(),
            StorageErrorKind::BadName
        );
    }
}

fn is_taken_once<V: Vfs>(vfs: &V, dir: &Path) {
    let first = DataDir::open(vfs.clone(), dir).unwrap();
    let error = DataDir::open(vfs.clone(), dir).unwrap_err();
    let pid = std::process::id();
    assert_eq!(error.kind(), StorageErrorKind::Locked { holder: Some(pid) });
    assert_eq!(
        error.to_string(),
        format!("{} is in use by process {pid}", dir.display())
    );
    drop(first);
    DataDir::open(vfs.clone(), dir).unwrap();
}

fn refuses_a_newer_format<V: Vfs>(vfs: &V, dir: &Path) {
    use dhlrs_storage::VfsFile as _;
    drop(DataDir::open(vfs.clone(), dir).unwrap());
    let path = dir.join("FORMAT");
    let text = "dhlrs-data 2";
    let sum = crc32fast::hash(text.as_bytes());
    vfs.create(&path)
        .unwrap()
        .append(format!("{text} {sum:08x}\n").as_bytes())
        .unwrap();
    let error = DataDir::open(vfs.clone(), dir).unwrap_err();
    assert_eq!(
        error.kind(),
        StorageErrorKind::VersionTooNew {
            found: 2,
            supported: 1
        }
    );
    let path = path.display();
    assert_eq!(
        error.to_string(),
        format!("{path} has format version 2, this program reads up to 1")
    );
}

#[test]
fn keeps_stores_under_their_names_in_memory() {
    keeps_stores_under_their_names(&MemoryVfs::new(), Path::new("a/b/data"));
}

#[test]
fn keeps_stores_under_their_names_on_files() {
    let dir = tempfile::tempdir().unwrap();
    keeps_stores_under_their_names(&OsVfs::new(), &dir.path().join("a/b/data"));
}

#[test]
fn is_taken_once_in_memory() {
    is_taken_once(&MemoryVfs::new(), Path::new("data"));
}

#[test]
fn is_taken_once_on_files() {
    let dir = tempfile::tempdir().unwrap();
    is_taken_once(&OsVfs::new(), &dir.path().join("data"));
}

#[test]
fn refuses_a_newer_format_in_memory() {
    refuses_a_newer_format(&MemoryVfs::new(), Path::new("data"));
}

#[test]
fn refuses_a_newer_format_on_files() {
    let dir = tempfile::tempdir().unwrap();
    refuses_a_newer_format(&OsVfs::new(), &dir.path().join("data"));
}

#[test]
fn says_what_the_system_said() {
    let dir = tempfile::tempdir().unwrap();
    drop(OsVfs::new().create(&dir.path().join("file")).unwrap());
    let error = DataDir::open(OsVfs::new(), dir.path().join("file")).unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Io);
    assert!(
        error
            .source()
            .is_some_and(|source| source.is::<std::io::Error>()),
        "{error:?}"
    );
}

#[cfg(unix)]
#[test]
fn is_nobody_elses_business() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    drop(DataDir::open(OsVfs::new(), &path).unwrap());
    assert_eq!(
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777,
        0o700
    );
}

#[test]
fn any_operation_may_fail_while_it_is_made() {
    // A long name has directories of its own.
    for (name, n) in ["main", &"x".repeat(250)]
        .into_iter()
        .flat_map(|name| (1..60).map(move |n| (name.to_owned(), n)))
    {
        let dir = Path::new("a/b");
        for fault in [Fault::Full, Fault::Io, Fault::ShortWrite, Fault::Sync] {
            for survival in [
                None,
                Some(Survival::SyncedOnly),
                Some(Survival::Torn { seed: n }),
            ] {
                let vfs = MemoryVfs::new();
                vfs.fail(n, fault);
                let open = |vfs: &MemoryVfs| {
                    let data = DataDir::open(vfs.clone(), dir)?;
                    let mut log = data.open_log(&name, ID, OPTIONS)?;
                    if log.end().get() == 0 {
                        log.append(&["a"])?;
                    }
                    log.sync()
                };
                let first = open(&vfs);
                vfs.heal();
                if let Some(survival) = survival {
                    vfs.power_loss(survival);
                }
                // All that the second attempt says is there without what the first one left.
                let second = open(&vfs).unwrap_or_else(|error| panic!("{n} {fault:?}: {error}"));
                assert_eq!(second.get(), 1, "{first:?}");
                vfs.power_loss(Survival::SyncedOnly);
                let data = DataDir::open(vfs.clone(), dir).unwrap();
                assert_eq!(
                    data.stores().unwrap(),
                    [name.as_str()],
                    "{n} {fault:?} {survival:?}"
                );
                let log = data.open_log(&name, ID, OPTIONS).unwrap();
                assert_eq!(log.durable().get(), 1, "{n} {fault:?} {survival:?}");
            }
        }
    }
}

#[test]
fn stores_without_a_format_are_refused() {
    let vfs = MemoryVfs::new();
    drop(DataDir::open(vfs.clone(), "data").unwrap());
    vfs.remove(Path::new("data/FORMAT")).unwrap();
    let error = DataDir::open(vfs, "data").unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Missing);
    let said = "data/FORMAT: this file is missing";
    assert!(error.to_string().starts_with(said), "{error}");
}
