//! What a log does, on both file systems.

use std::path::{Path, PathBuf};

use dhlrs_storage::{
    BATCH_BYTES_MAX, CHUNK_BYTES_MAX, Log, LogPosition, MemoryVfs, OsVfs, RecoverFrom, Repair,
    StorageErrorKind, Vfs, VfsFile as _,
};

use crate::driver::{Batch, Driver, ID, OPTIONS, batch, checkpoint, contents, open};

/// Each test on the twin and on real files.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod in_memory {
            $(#[test] fn $test() { super::$test(&super::MemoryVfs::new(), std::path::Path::new("s")); })+
        }
        mod on_files {
            $(#[test] fn $test() {
                let dir = tempfile::tempdir().unwrap();
                super::$test(&super::OsVfs::new(), &dir.path().join("s"));
            })+
        }
    };
}

on_both!(
    keeps_batches_in_order,
    counts_one_write_and_one_sync_a_ticket,
    does_nothing_for_an_empty_batch_or_a_second_sync,
    finds_whole_batches_or_none,
    begins_new_files,
    takes_a_batch_larger_than_a_file,
    refuses_a_batch_above_the_limit,
    recovers_from_the_newest_or_the_oldest_checkpoint,
    prunes_what_a_checkpoint_covers,
    goes_on_while_it_is_found_out_what_can_go,
    keeps_everything_without_a_checkpoint,
    refuses_a_checkpoint_of_what_is_not_on_disk,
    takes_chunks_up_to_the_limit,
    forgets_a_checkpoint_that_was_not_finished,
    goes_on_while_it_is_read,
    keeps_its_id,
    passes_its_own_verification,
);

fn files(vfs: &impl Vfs, dir: &Path, suffix: &str) -> Vec<PathBuf> {
    let entries = vfs.list(dir).unwrap().into_iter();
    entries
        .filter(|e| e.name.ends_with(suffix))
        .map(|e| dir.join(e.name))
        .collect()
}

fn keeps_batches_in_order<V: Vfs>(vfs: &V, dir: &Path) {
    let mut log = open(vfs, dir).unwrap();
    let batches: Vec<Batch> = (1..=50).map(batch).collect();
    for (n, batch) in (1..).zip(&batches) {
        assert_eq!(log.append(batch).unwrap(), LogPosition::new(n));
        assert_eq!(log.sync().unwrap(), LogPosition::new(n));
    }
    assert!(contents(&log, RecoverFrom::Newest).unwrap() == batches);
    drop(log);
    let log = open(vfs, dir).unwrap();
    assert_eq!(
        (log.end(), log.durable()),
        (LogPosition::new(50), LogPosition::new(50))
    );
    assert!(contents(&log, RecoverFrom::Newest).unwrap() == batches);
    assert_eq!(log.repairs(), []);
}

fn counts_one_write_and_one_sync_a_ticket<V: Vfs>(vfs: &V, dir: &Path) {
    let mut log = open(vfs, dir).unwrap();
    log.append(&["first"]).unwrap();
    log.sync().unwrap();
    let before = vfs.counts();
    for _ in 0..20 {
        log.append(&["a", "bc", ""]).unwrap();
        log.sync().unwrap();
    }
    let after = vfs.counts();
    assert_eq!(after.operations - before.operations, 40);
    assert_eq!(
        (after.appends - before.appends, after.syncs - before.syncs),
        (20, 20)
    );
    assert_eq!(
        after.appended_bytes - before.appended_bytes,
        20 * (37 + 3 * 8 + 3)
    );
}

fn does_nothing_for_an_empty_batch_or_a_second_sync<V: Vfs>(vfs: &V, dir: &Path) {
    let mut log = open(vfs, dir).unwrap();
    log.append(&["a"]).unwrap();
    log.sync().unwrap();
    let before = vfs.counts();
    assert_eq!(log.append::<&str>(&[]).unwrap(), LogPosition::new(1));
    assert_eq!(log.sync().unwrap(), LogPosition::new(1));
    assert_eq!(vfs.counts(), before);
}

fn finds_whole_batches_or_none<V: Vfs>(vfs: &V, dir: &Path) {
    let mut log = open(vfs, dir).unwrap();
    let records: Batch = (0..9).map(|n| vec![n + 1; 100]).collect();
    log.append(&records).unwrap();
    log.append(&records).unwrap();
    drop(log);
    let path = files(vfs, dir, ".log").remove(0);
    let mut file = vfs.open(&path).unwrap();
    let len = file.len_bytes().unwrap();
    file.truncate(len - 1).unwrap();
    let log = open(vfs, dir).unwrap();
    assert!(contents(&log, RecoverFrom::Newest).unwrap() == [records]);
    let bytes = 37 + 9 * 108 - 1;
    assert_eq!(
        log.repairs(),
        [Repair::TornTail {
            path,
            offset: len - bytes - 1,
            bytes
        }]
    );
}

fn begins_new_files<V: Vfs>(vfs: &V, dir: &Path) {
    let mut driver = Driver::new(open(vfs, dir).unwrap());
    driver.run(20).unwrap();
    driver.sync().unwrap();
    let paths = files(vfs, dir, ".log");
    assert!(paths.len() > 1);
    for path in &paths {
        assert!(vfs.open(path).unwrap().len_bytes().unwrap() <= OPTIONS.segment_bytes_max);
    }
    driver.resume(open(vfs, dir).unwrap());
    assert_eq!(driver.kept.len(), 20);
}

fn takes_a_batch_larger_than_a_file<V: Vfs>(vfs: &V, dir: &Path) {
    let mut log = open(vfs, dir).unwrap();
    let batches = [
        vec![vec![1; 10]],
        vec![vec![2; 1_000_000]],
        vec![vec![3; 10]],
    ];
    for batch in &batches {
        log.append(batch).unwrap();
        log.sync().unwrap();
    }
    assert_eq!(files(vfs, dir, ".log").len(), 3);
    assert!(contents(&open(vfs, dir).unwrap(), RecoverFrom::Newest).unwrap() == batches);
}

fn refuses_a_batch_above_the_limit<V: Vfs>(vfs: &V, dir: &Path) {
    let mut log = open(vfs, dir).unwrap();
    let record = vec![1; BATCH_BYTES_MAX as usize - 45];
    let error = log.append(&[&record[..], &[]]).unwrap_err();
    let (bytes, limit) = (BATCH_BYTES_MAX + 8, BATCH_BYTES_MAX);
    assert_eq!(error.kind(), StorageErrorKind::TooLarge { bytes, limit });
    assert_eq!(log.append(&[&record]).unwrap(), LogPosition::new(1));
    log.sync().unwrap();
    assert!(contents(&open(vfs, dir).unwrap(), RecoverFrom::Newest).unwrap() == [vec![record]]);
}

fn recovers_from_the_newest_or_the_oldest_checkpoint<V: Vfs>(vfs: &V, dir: &Path) {
    let mut driver = Driver::new(open(vfs, dir).unwrap());
    driver.run(22).unwrap();
    driver.sync().unwrap();
    checkpoint(&driver.log, &driver.kept[..7]).unwrap();
    let log = driver.log.recover(RecoverFrom::Oldest).unwrap();
    assert_eq!(log.covers().get(), 0, "the first batch is still there");
    for covers in [0, 15] {
        checkpoint(&driver.log, &driver.kept[..covers]).unwrap();
    }
    let covers = |from| driver.log.recover(from).unwrap().covers().get();
    assert_eq!(
        (covers(RecoverFrom::Newest), covers(RecoverFrom::Oldest)),
        (15, 0)
    );
    driver.resume(open(vfs, dir).unwrap());
}

fn prunes_what_a_checkpoint_covers<V: Vfs>(vfs: &V, dir: &Path) {
    let mut driver = Driver::new(open(vfs, dir).unwrap());
    driver.run(22).unwrap();
    driver.sync().unwrap();
    checkpoint(&driver.log, &driver.kept[..5]).unwrap();
    checkpoint(&driver.log, &driver.kept[..21]).unwrap();
    let before = files(vfs, dir, ".log");

    // The older checkpoint is still needed for what follows 20.
    let pruned = driver.log.prune(LogPosition::new(20)).unwrap();
    assert_eq!(pruned.checkpoints, 0);
    let pruned = driver.log.prune(LogPosition::new(21)).unwrap();
    assert_eq!(pruned.checkpoints, 1);
    let after = files(vfs, dir, ".log");
    assert!(after.len() < before.len());
    assert_eq!(after[..], before[before.len() - after.len()..]);
    assert_eq!(
        driver.log.prune(LogPosition::new(22)).unwrap(),
        Default::default()
    );
    driver.resume(open(vfs, dir).unwrap());
    assert_eq!(driver.kept.len(), 22);
    driver.run(20).unwrap();
}

fn goes_on_while_it_is_found_out_what_can_go<V: Vfs>(vfs: &V, dir: &Path) {
    let mut driver = Driver::new(open(vfs, dir).unwrap());
    driver.run(22).unwrap();
    driver.sync().unwrap();
    checkpoint(&driver.log, &driver.kept[..5]).unwrap();
    checkpoint(&driver.log, &driver.kept[..21]).unwrap();
    let check = driver.log.check_prune(driver.log.durable()).unwrap();
    driver.run(10).unwrap();
    driver.sync().unwrap();
    let prunable = check.run().unwrap().unwrap();

    let mut other = Log::open(vfs.clone(), dir.with_extension("other"), [9; 16], OPTIONS).unwrap();
    let nothing = other.remove_prunable(prunable).unwrap();
    assert_eq!(nothing, Default::default(), "it is another log's");
    let pruned = driver.log.remove_prunable(prunable).unwrap();
    assert_eq!(pruned.checkpoints, 1);
    assert!(pruned.segments > 0);
    assert_eq!(
        driver.log.remove_prunable(prunable).unwrap(),
        Default::default()
    );
    driver.resume(open(vfs, dir).unwrap());
    assert_eq!(driver.kept.len(), 32);
}

fn keeps_everything_without_a_checkpoint<V: Vfs>(vfs: &V, dir: &Path) {
    let mut driver = Driver::new(open(vfs, dir).unwrap());
    driver.run(22).unwrap();
    driver.sync().unwrap();
    assert_eq!(
        driver.log.prune(driver.log.durable()).unwrap(),
        Default::default()
    );
    driver.resume(open(vfs, dir).unwrap());
    assert_eq!(driver.kept.len(), 22);
}

fn refuses_a_checkpoint_of_what_is_not_on_disk<V: Vfs>(vfs: &V, dir: &Path) {
    let mut log = open(vfs, dir).unwrap();
    log.append(&["a"]).unwrap();
    let error = log.checkpoint(LogPosition::new(1)).unwrap_err();
    assert_eq!(
        error.kind(),
        StorageErrorKind::NotDurable {
            asked: 1,
            durable: 0
        }
    );
    log.sync().unwrap();
    checkpoint(&log, &[vec![b"a".to_vec()]]).unwrap();
}

fn takes_chunks_up_to_the_limit<V: Vfs>(vfs: &V, dir: &Path) {
    let mut log = open(vfs, dir).unwrap();
    log.append(&["a"]).unwrap();
    log.sync().unwrap();
    let mut writer = log.checkpoint(LogPosition::new(1)).unwrap();
    let chunk = vec![5; CHUNK_BYTES_MAX as usize + 1];
    let error = writer.push(&chunk).unwrap_err();
    let (bytes, limit) = (CHUNK_BYTES_MAX + 1, CHUNK_BYTES_MAX);
    assert_eq!(error.kind(), StorageErrorKind::TooLarge { bytes, limit });
    writer.push(&chunk[1..]).unwrap();
    writer.push(&[]).unwrap();
    writer.finish().unwrap();
    let mut recovery = log.recover(RecoverFrom::Newest).unwrap();
    let mut lengths = Vec::new();
    while let Some(dhlrs_storage::Recovered::Chunk(chunk)) = recovery.next_piece().unwrap() {
        lengths.push(chunk.len() as u64);
    }
    assert_eq!(lengths, [CHUNK_BYTES_MAX, 0]);
}

fn forgets_a_checkpoint_that_was_not_finished<V: Vfs>(vfs: &V, dir: &Path) {
    let mut driver = Driver::new(open(vfs, dir).unwrap());
    driver.run(3).unwrap();
    let half = |log: &Log<V>| {
        let mut writer = log.checkpoint(LogPosition::new(2)).unwrap();
        writer.push(b"half").unwrap();
        assert_eq!(files(vfs, dir, ".tmp").len(), 1);
        writer
    };
    drop(half(&driver.log));
    assert_eq!(files(vfs, dir, ".tmp").len(), 0);
    // A process that is killed drops nothing.
    std::mem::forget(half(&driver.log));
    assert_eq!(
        driver.log.recover(RecoverFrom::Newest).unwrap().covers(),
        LogPosition::START
    );
    driver.resume(open(vfs, dir).unwrap());
    assert!(
        matches!(driver.log.repairs(), [Repair::Leftover { .. }]),
        "{:?}",
        driver.log.repairs()
    );
    assert_eq!(files(vfs, dir, ".tmp").len(), 0);
}

fn goes_on_while_it_is_read<V: Vfs>(vfs: &V, dir: &Path) {
    let mut log = open(vfs, dir).unwrap();
    log.append(&["a"]).unwrap();
    log.sync().unwrap();
    log.append(&["not on disk yet"]).unwrap();
    let mut recovery = log.recover(RecoverFrom::Newest).unwrap();
    log.sync().unwrap();
    assert_eq!(recovery.end(), LogPosition::new(1));
    assert!(recovery.next_piece().unwrap().is_some());
    assert!(recovery.next_piece().unwrap().is_none());
    assert!(recovery.next_piece().unwrap().is_none());
}

fn keeps_its_id<V: Vfs>(vfs: &V, dir: &Path) {
    drop(open(vfs, dir).unwrap());
    let log = dhlrs_storage::Log::open(vfs.clone(), dir, [9; 16], OPTIONS).unwrap();
    assert_eq!(log.id(), ID);
}

fn passes_its_own_verification<V: Vfs>(vfs: &V, dir: &Path) {
    let mut driver = Driver::new(open(vfs, dir).unwrap());
    driver.run(100).unwrap();
    assert_eq!(driver.log.verify().unwrap().len(), 0);
}
