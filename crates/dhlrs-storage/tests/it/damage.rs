//! What is read is what was written, or it is reported with its place.

use std::path::Path;

use dhlrs_storage::{
    DataDir, LogOptions, LogPosition, MemoryVfs, RecoverFrom, StorageError, StorageErrorKind,
    Vfs as _,
};

use crate::driver::{Batch, Driver, ID, OPTIONS, batch, checkpoint, contents, open};
use crate::inspection::inspect;

const SMALL: LogOptions = LogOptions {
    segment_bytes_max: 700,
};

pub(crate) fn data_dir() -> (MemoryVfs, Vec<Batch>) {
    let vfs = MemoryVfs::new();
    let dir = DataDir::open(vfs.clone(), "data").unwrap();
    let mut log = dir.open_log("main", ID, SMALL).unwrap();
    let mut written: Vec<Batch> = (1..=20_u8)
        .map(|n| vec![vec![n; 30], vec![n ^ 0x55; 9]])
        .collect();
    // Zeros are what a sector that was never written reads as.
    written.insert(13, vec![vec![0; 600]]);
    written.push(vec![vec![0; 1100], vec![21; 9]]);
    for (n, batch) in (1..).zip(&written) {
        log.append(batch).unwrap();
        log.sync().unwrap();
        if n % 6 == 0 {
            checkpoint(&log, &written[..n]).unwrap();
        }
    }
    log.prune(LogPosition::new(8)).unwrap();
    (vfs, written)
}

/// All that can be read, with what was reported on the way.
fn read_all(vfs: &MemoryVfs) -> Result<(Vec<Batch>, usize), StorageError> {
    let dir = DataDir::open(vfs.clone(), "data")?;
    let log = dir.open_log("main", ID, SMALL)?;
    let reports = log.repairs().len() + log.verify()?.len();
    Ok((contents(&log, RecoverFrom::Newest)?, reports))
}

#[test]
fn any_flipped_byte_is_reported_and_none_is_believed() {
    let (vfs, written) = data_dir();
    let (found, reports) = read_all(&vfs.duplicate()).unwrap();
    assert_eq!((found == written, reports), (true, 0));
    let mut flipped = 0;
    for (dir, entry) in ["data", "data/stores/main"].into_iter().flat_map(|dir| {
        vfs.list(Path::new(dir))
            .unwrap()
            .into_iter()
            .map(move |entry| (dir, entry))
    }) {
        if entry.is_dir || entry.name == "LOCK" {
            continue;
        }
        let path = Path::new(dir).join(&entry.name);
        let bytes = vfs.read(&path).unwrap();
        for at in 0..bytes.len() {
            // One bit, another bit, all bits.
            for mask in [1 << (at % 8), 1 << (at * 5 % 8), 0xff] {
                let disk = vfs.duplicate();
                let mut bytes = bytes.clone();
                bytes[at] ^= mask;
                disk.overwrite(&path, bytes).unwrap();
                flipped += 1;
                match inspect(&disk) {
                    Err(error) => assert_eq!(error.path(), path, "{at}: {error}"),
                    Ok(found) => {
                        let named = found.damaged.iter().any(|error| error.path() == path);
                        assert!(named, "{path:?} {at}: not named");
                    }
                }
                match read_all(&disk) {
                    Err(error) => {
                        let corrupt = matches!(error.kind(), StorageErrorKind::Corrupt { .. });
                        assert!(corrupt, "{path:?} {at}: {error}");
                        assert_eq!(error.path(), path, "{at}: {error}");
                    }
                    Ok((found, reports)) => {
                        assert!(reports > 0, "{path:?} {at}: unseen");
                        assert!(found == written, "{path:?} {at}: lost");
                    }
                }
            }
        }
    }
    assert!(flipped > 12_000, "{flipped}");
}

#[test]
fn damage_says_where_it_is() {
    let vfs = MemoryVfs::new();
    let mut log = open(&vfs, Path::new("s")).unwrap();
    for n in 1..=3 {
        log.append(&batch(n)).unwrap();
    }
    log.sync().unwrap();
    let path = Path::new("s/00000000000000000001.log");
    let mut bytes = vfs.read(path).unwrap();
    bytes[110] ^= 1;
    vfs.overwrite(path, bytes).unwrap();
    let error = open(&vfs, Path::new("s")).unwrap_err();
    // The header of the file has 60 bytes, that of the batch 36.
    assert_eq!(error.kind(), StorageErrorKind::Corrupt { offset: 96 });
    assert_eq!(
        error.to_string(),
        format!(
            "{} is damaged at byte 96: a record does not match its checksum",
            path.display()
        )
    );
    let damaged = log.verify().unwrap();
    assert_eq!(damaged.len(), 1);
    assert_eq!(damaged[0].kind(), error.kind());
    assert!(contents(&log, RecoverFrom::Newest).is_err());
}

#[test]
fn a_flip_in_the_last_batch_is_no_unfinished_write() {
    let vfs = MemoryVfs::new();
    let mut log = open(&vfs, Path::new("s")).unwrap();
    // Whole sectors of zeros beside the damage and around it.
    log.append(&[vec![1; 40], vec![0; 1500], vec![2; 40]])
        .unwrap();
    log.sync().unwrap();
    every_flip_is_damage(&vfs);
}

#[test]
fn a_flipped_bit_beside_zeros_does_not_make_a_store_forget_its_last_batch() {
    let vfs = MemoryVfs::new();
    let dir = DataDir::open(vfs.clone(), "data").unwrap();
    let mut log = dir.open_log("main", ID, LogOptions::default()).unwrap();
    for batch in [vec![b"first".to_vec()], vec![vec![0; 4_096]]] {
        log.append(&batch).unwrap();
        log.sync().unwrap();
    }
    drop(log);
    drop(dir);
    let path = Path::new("data/stores/main/00000000000000000001.log");
    let mut bytes = vfs.read(path).unwrap();
    let at = bytes.len() - 100;
    bytes[at] ^= 1;
    vfs.overwrite(path, bytes).unwrap();
    let dir = DataDir::open(vfs, "data").unwrap();
    match dir.open_log("main", ID, LogOptions::default()) {
        Err(error) => assert!(matches!(error.kind(), StorageErrorKind::Corrupt { .. })),
        Ok(log) => panic!(
            "{:?}, {:?}",
            contents(&log, RecoverFrom::Newest),
            log.repairs()
        ),
    }
}

#[test]
fn no_records_make_a_sector_that_looks_unwritten() {
    let written = |record: Vec<u8>| {
        let vfs = MemoryVfs::new();
        let mut log = open(&vfs, Path::new("s")).unwrap();
        log.append(&[&record]).unwrap();
        log.sync().unwrap();
        let bytes = vfs.read(Path::new(ONLY_SEGMENT)).unwrap();
        // Behind the headers of the file, the batch and the record.
        let at = 60 + 36 + 8;
        (vfs, bytes[at..at + record.len()].to_vec())
    };
    // What zeros are written as is what is written as zeros.
    let (_, mask) = written(vec![0; 1500]);
    let (vfs, stored) = written(mask.clone());
    assert!(stored.chunks(64).all(|stretch| stretch != [0; 64]));
    every_flip_is_damage(&vfs);
    let log = open(&vfs, Path::new("s")).unwrap();
    let kept = contents(&log, RecoverFrom::Newest).unwrap();
    assert!(kept == [vec![mask]]);
}

const ONLY_SEGMENT: &str = "s/00000000000000000001.log";

/// Flips a bit of each byte behind the header of the only file.
#[track_caller]
fn every_flip_is_damage(vfs: &MemoryVfs) {
    let path = Path::new(ONLY_SEGMENT);
    let bytes = vfs.read(path).unwrap();
    for at in 60..bytes.len() {
        let disk = vfs.duplicate();
        let mut bytes = bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        disk.overwrite(path, bytes).unwrap();
        match open(&disk, Path::new("s")) {
            Err(error) => assert!(matches!(error.kind(), StorageErrorKind::Corrupt { .. })),
            Ok(log) => panic!("{at}: opened, {:?}", log.repairs()),
        }
    }
}

#[test]
fn a_lost_sector_that_a_later_batch_vouches_for_is_damage() {
    let vfs = MemoryVfs::new();
    let mut log = open(&vfs, Path::new("s")).unwrap();
    for _ in 0..2 {
        log.append(&[vec![3; 1500]]).unwrap();
        log.sync().unwrap();
    }
    let path = Path::new("s/00000000000000000001.log");
    let bytes = vfs.read(path).unwrap();
    for range in [60..512, 512..1024] {
        let mut bytes = bytes.clone();
        bytes[range].fill(0);
        vfs.overwrite(path, bytes).unwrap();
        let error = open(&vfs, Path::new("s")).unwrap_err();
        assert!(
            matches!(error.kind(), StorageErrorKind::Corrupt { .. }),
            "{error}"
        );
    }
}

#[test]
fn a_bad_checkpoint_gives_way_to_the_one_before_it() {
    let vfs = MemoryVfs::new();
    let mut driver = Driver::new(open(&vfs, Path::new("s")).unwrap());
    driver.run(30).unwrap();
    driver.sync().unwrap();
    checkpoint(&driver.log, &driver.kept[..10]).unwrap();
    checkpoint(&driver.log, &driver.kept[..20]).unwrap();
    driver.log.prune(LogPosition::new(10)).unwrap();
    let newest = driver.log.checkpoints().unwrap().pop().unwrap();
    let path = format!("s/{:020}.checkpoint", newest.get());
    let mut bytes = vfs.read(Path::new(&path)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    vfs.overwrite(Path::new(&path), bytes).unwrap();

    let recovery = driver.log.recover(RecoverFrom::Newest).unwrap();
    assert!(recovery.covers() < newest);
    assert_eq!(recovery.skipped().len(), 1);
    assert_eq!(recovery.skipped()[0].path(), Path::new(&path));
    assert!(contents(&driver.log, RecoverFrom::Newest).unwrap() == driver.kept);

    // And is never what the others are removed for.
    driver.log.prune(driver.log.durable()).unwrap();
    assert!(contents(&driver.log, RecoverFrom::Newest).unwrap() == driver.kept);
}

#[test]
fn missing_files_are_reported() {
    let vfs = MemoryVfs::new();
    let mut log = open(&vfs, Path::new("s")).unwrap();
    for n in 1..=60 {
        log.append(&batch(n)).unwrap();
    }
    log.sync().unwrap();
    let names: Vec<String> = vfs
        .list(Path::new("s"))
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    assert!(names.len() >= 3, "{names:?}");
    for name in &names[..names.len() - 1] {
        let disk = vfs.duplicate();
        disk.remove(&Path::new("s").join(name)).unwrap();
        let log = open(&disk, Path::new("s")).unwrap();
        let error = contents(&log, RecoverFrom::Newest).unwrap_err();
        assert!(
            matches!(error.kind(), StorageErrorKind::Corrupt { .. }),
            "{name}: {error}"
        );
    }
}

#[test]
fn a_checkpoint_beyond_the_end_of_the_log_is_reported() {
    let vfs = MemoryVfs::new();
    let mut log = open(&vfs, Path::new("s")).unwrap();
    log.append(&["a"]).unwrap();
    log.sync().unwrap();
    let before = vfs.read(Path::new("s/00000000000000000001.log")).unwrap();
    log.append(&["b"]).unwrap();
    log.sync().unwrap();
    checkpoint(&log, &[vec![b"a".to_vec()], vec![b"b".to_vec()]]).unwrap();
    vfs.overwrite(Path::new("s/00000000000000000001.log"), before)
        .unwrap();
    let error = open(&vfs, Path::new("s")).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("it covers more than the log holds"),
        "{error}"
    );
}

#[test]
fn files_of_two_logs_do_not_mix() {
    let (a, b) = (MemoryVfs::new(), MemoryVfs::new());
    let mut log = open(&a, Path::new("s")).unwrap();
    for n in 1..=30 {
        log.append(&batch(n)).unwrap();
    }
    log.sync().unwrap();
    let mut other = dhlrs_storage::Log::open(b.clone(), "s", [8; 16], OPTIONS).unwrap();
    for n in 1..=30 {
        other.append(&batch(n)).unwrap();
    }
    other.sync().unwrap();
    let name = Path::new("s/00000000000000000002.log");
    a.overwrite(name, b.read(name).unwrap()).unwrap();
    let error = open(&a, Path::new("s")).unwrap_err();
    assert_eq!(error.path(), name);
    assert!(matches!(error.kind(), StorageErrorKind::Corrupt { .. }));
}

#[test]
fn a_last_file_that_lost_confirmed_batches_is_reported() {
    let vfs = MemoryVfs::new();
    let mut log = open(&vfs, Path::new("s")).unwrap();
    log.append(&["a"]).unwrap();
    log.sync().unwrap();
    // Opening writes what it cannot prove again, and notes that it is on disk then.
    drop(open(&vfs, Path::new("s")).unwrap());
    let path = Path::new("s/00000000000000000002.log");
    let header = vfs.read(path).unwrap()[..60].to_vec();
    vfs.overwrite(path, header).unwrap();
    let error = open(&vfs, Path::new("s")).unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Corrupt { offset: 60 });
    assert_eq!(error.path(), path);
}
