//! A log is looked at without being touched, and all that is wrong is said.

use std::path::{Path, PathBuf};

use dhlrs_storage::{
    DataDir, Inspection, LogPosition, MemoryVfs, Repair, StorageError, StorageErrorKind, Vfs as _,
};

use crate::damage::data_dir;

const STORE: &str = "data/stores/main";

pub(crate) fn inspect(vfs: &MemoryVfs) -> Result<Inspection, StorageError> {
    let dir = DataDir::open_existing(vfs.clone(), "data")?;
    let mut read = 0;
    let found = dir.inspect("main", |bytes| read += bytes)?;
    assert_eq!((read, found.bytes), (found.bytes, dir.bytes("main")?));
    Ok(found)
}

fn files(vfs: &MemoryVfs) -> Vec<(PathBuf, Vec<u8>)> {
    let names = vfs.list(Path::new(STORE)).unwrap().into_iter();
    let paths = names.map(|entry| Path::new(STORE).join(entry.name));
    paths
        .map(|path| (path.clone(), vfs.read(&path).unwrap()))
        .collect()
}

fn paths(damaged: &[StorageError]) -> Vec<&Path> {
    damaged.iter().map(StorageError::path).collect()
}

#[test]
fn a_log_in_order_is_counted() {
    let (vfs, written) = data_dir();
    let before = files(&vfs);
    let found = inspect(&vfs).unwrap();
    assert_eq!(files(&vfs), before);
    let count = |suffix| {
        let names = before.iter();
        names
            .filter(|(path, _)| path.extension() == Some(std::ffi::OsStr::new(suffix)))
            .count()
    };
    assert_eq!(
        (found.segments, found.checkpoints),
        (count("log"), count("checkpoint"))
    );
    assert_eq!(found.last, LogPosition::new(written.len() as u64));
    assert!(found.first > LogPosition::new(1), "it was pruned");
    assert_eq!((found.damaged.len(), found.repairs.len()), (0, 0));
}

#[test]
fn an_unfinished_write_is_told_and_left() {
    let (vfs, _) = data_dir();
    let (last, bytes) = files(&vfs).into_iter().rfind(is_segment).unwrap();
    let end = bytes.len() as u64;
    vfs.overwrite(&last, [bytes, vec![0; 900]].concat())
        .unwrap();
    let other = Path::new(STORE).join("00000000000000000099.checkpoint.tmp");
    vfs.create(&other).unwrap();
    let before = files(&vfs);
    let found = inspect(&vfs).unwrap();
    assert_eq!(found.damaged.len(), 0);
    let torn = Repair::TornTail {
        path: last,
        offset: end,
        bytes: 900,
    };
    assert_eq!(found.repairs, [Repair::Leftover { path: other }, torn]);
    assert_eq!(files(&vfs), before);
}

fn is_segment((path, _): &(PathBuf, Vec<u8>)) -> bool {
    path.extension() == Some(std::ffi::OsStr::new("log"))
}

#[test]
fn all_damaged_files_are_named_at_once() {
    let (vfs, _) = data_dir();
    let mut expected = Vec::new();
    for (path, mut bytes) in files(&vfs) {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        vfs.overwrite(&path, bytes).unwrap();
        expected.push(path);
    }
    let found = inspect(&vfs).unwrap();
    let mut named = paths(&found.damaged);
    named.sort_unstable();
    assert_eq!(named, expected);
}

#[test]
fn a_file_that_is_gone_is_missed() {
    let (vfs, _) = data_dir();
    let segments: Vec<_> = files(&vfs).into_iter().filter(is_segment).collect();
    assert!(segments.len() > 4);
    for gone in 1..segments.len() - 1 {
        let disk = vfs.duplicate();
        disk.remove(&segments[gone].0).unwrap();
        let found = inspect(&disk).unwrap();
        assert_eq!(paths(&found.damaged), [segments[gone - 1].0.as_path()]);
    }
    for (path, _) in files(&vfs).into_iter().filter(|file| !is_segment(file)) {
        vfs.remove(&path).unwrap();
    }
    let found = inspect(&vfs).unwrap();
    assert_eq!(paths(&found.damaged), [Path::new(STORE)]);
    for (path, _) in segments {
        vfs.remove(&path).unwrap();
    }
    assert_eq!(inspect(&vfs).unwrap().segments, 0);
}

#[test]
fn nothing_is_made_of_what_is_no_data_directory() {
    let vfs = MemoryVfs::new();
    for _ in 0..2 {
        let error = DataDir::open_existing(vfs.clone(), "data").unwrap_err();
        assert_eq!(error.kind(), StorageErrorKind::Missing);
        assert_eq!(error.path(), Path::new("data/FORMAT"));
        assert!(vfs.list(Path::new("data")).is_err());
        vfs.create_dir(Path::new("other")).unwrap_or_default();
    }
    let (vfs, _) = data_dir();
    let held = DataDir::open(vfs.clone(), "data").unwrap();
    let error = DataDir::open_existing(vfs, "data").unwrap_err();
    assert!(matches!(error.kind(), StorageErrorKind::Locked { .. }));
    drop(held);
}
