//! Any operation may fail, and power may go at any time: nothing confirmed is lost.

use std::path::Path;

use dhlrs_storage::{
    Fault, Log, LogOptions, MemoryVfs, StorageError, StorageErrorKind, Survival, Vfs as _,
};

use crate::driver::{Driver, ID};

const DIR: &str = "store";
const STEPS: u64 = 270;
const OPTIONS: LogOptions = LogOptions {
    segment_bytes_max: 1024,
};

fn open(vfs: &MemoryVfs) -> Result<Log<MemoryVfs>, StorageError> {
    Log::open(vfs.clone(), DIR, ID, OPTIONS)
}

fn start(vfs: &MemoryVfs) -> Driver<MemoryVfs> {
    Driver::new(open(vfs).unwrap())
}

fn operations_of_the_workload() -> u64 {
    let vfs = MemoryVfs::new();
    start(&vfs).run(STEPS).unwrap();
    let operations = vfs.counts().operations;
    assert!(operations >= 1000, "{operations}");
    operations
}

/// What is done after the failure.
#[derive(Debug, Clone, Copy)]
enum After {
    /// The process lives and reopens the log.
    Reopen,
    /// The process dies, another one opens the directory.
    Kill,
    /// The power goes.
    PowerLoss(Survival),
}

/// One history in which operation `n` fails. Whether it did: not every fault fits any operation.
fn fails_at(n: u64, fault: Fault, after: After) -> bool {
    let vfs = MemoryVfs::new();
    vfs.fail(n, fault);
    let Ok(log) = open(&vfs) else {
        // Beginning failed; trying again must do.
        assert_eq!(start(&vfs).log.end().get(), 0);
        return true;
    };
    let mut driver = Driver::new(log);
    let error = loop {
        match driver.step() {
            Err(error) => break error,
            Ok(()) if vfs.counts().operations >= n => return false,
            Ok(()) => {}
        }
    };
    match after {
        After::Reopen => driver.reopen().unwrap(),
        After::Kill => driver.resume(open(&vfs).unwrap()),
        After::PowerLoss(survival) => {
            vfs.power_loss(survival);
            driver.resume(open(&vfs).unwrap());
        }
    }
    // It goes on, and what it says then holds too.
    let went_on = driver.run(30).and_then(|()| driver.sync());
    went_on.unwrap_or_else(|later| panic!("{n} {fault:?} {after:?}: {error}, then {later}"));
    vfs.power_loss(Survival::SyncedOnly);
    driver.resume(open(&vfs).unwrap());
    true
}

const FAULTS: [Fault; 4] = [Fault::Full, Fault::Io, Fault::ShortWrite, Fault::Sync];

fn after(kind: u64, seed: u64) -> After {
    match kind % 4 {
        0 => After::Reopen,
        1 => After::Kill,
        2 => After::PowerLoss(Survival::SyncedOnly),
        _ => After::PowerLoss(Survival::Torn { seed }),
    }
}

#[test]
fn any_operation_may_fail_in_any_way() {
    let mut failed = 0;
    for n in 1..=operations_of_the_workload() {
        for (kind, fault) in (n..).zip(FAULTS) {
            failed += u64::from(fails_at(n, fault, after(kind, n)));
        }
    }
    assert!(failed > 2000, "{failed}");
}

#[test]
#[ignore = "every fault with every end takes minutes; the test above takes them in turn"]
fn any_operation_may_fail_in_any_way_with_any_end() {
    for n in 1..=operations_of_the_workload() {
        for fault in FAULTS {
            for kind in 0..12 {
                fails_at(n, fault, after(kind, n * 12 + kind));
            }
        }
    }
}

#[test]
fn opening_may_fail_anywhere_and_be_tried_again() {
    let vfs = MemoryVfs::new();
    let mut driver = start(&vfs);
    driver.run(40).unwrap();
    for (n, survival) in (1..40).flat_map(|n| {
        let torn = Survival::Torn { seed: n };
        [(n, None), (n, Some(Survival::SyncedOnly)), (n, Some(torn))]
    }) {
        for fault in [Fault::Full, Fault::Io, Fault::ShortWrite, Fault::Sync] {
            let vfs = vfs.duplicate();
            vfs.fail(vfs.counts().operations + n, fault);
            let first = open(&vfs);
            vfs.heal();
            if let Some(survival) = survival {
                vfs.power_loss(survival);
            }
            let mut second = Driver::new(open(&vfs).unwrap());
            second.kept.clone_from(&driver.kept);
            second.in_flight.clone_from(&driver.in_flight);
            drop(first);
            vfs.power_loss(Survival::SyncedOnly);
            second.resume(open(&vfs).unwrap());
        }
    }
}

#[test]
fn power_may_go_after_each_acknowledgement() {
    let vfs = MemoryVfs::new();
    let mut driver = start(&vfs);
    for step in 0..STEPS {
        driver.step().unwrap();
        for survival in [Survival::SyncedOnly, Survival::Torn { seed: step }] {
            let disk = vfs.duplicate();
            disk.power_loss(survival);
            let mut other = Driver::new(open(&disk).unwrap());
            other.kept.clone_from(&driver.kept);
            other.in_flight.clone_from(&driver.in_flight);
            other.resume(open(&disk).unwrap());
        }
    }
}

#[test]
fn what_a_failed_sync_left_in_memory_is_not_believed() {
    let vfs = MemoryVfs::new();
    let mut driver = start(&vfs);
    driver.run(3).unwrap();
    driver.log.append(&["seen, not saved"]).unwrap();
    vfs.fail(vfs.counts().operations + 1, Fault::Sync);
    assert_eq!(driver.log.sync().unwrap_err().kind(), StorageErrorKind::Io);
    assert_eq!(
        driver.log.append(&["x"]).unwrap_err().kind(),
        StorageErrorKind::Poisoned
    );
    assert_eq!(
        driver.log.sync().unwrap_err().kind(),
        StorageErrorKind::Poisoned
    );

    // Another process still reads it. If it says so, it must have written it again.
    let log = open(&vfs).unwrap();
    assert_eq!(log.durable().get(), 4);
    vfs.power_loss(Survival::SyncedOnly);
    assert_eq!(open(&vfs).unwrap().durable().get(), 4);
}

#[test]
fn a_full_disk_refuses_until_there_is_room() {
    let vfs = MemoryVfs::new();
    let mut driver = start(&vfs);
    driver.run(10).unwrap();
    vfs.set_capacity_bytes(Some(0));
    let error = driver.step().unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Full);
    assert!(
        error
            .to_string()
            .starts_with("disk full: cannot append to store"),
        "{error}"
    );
    assert_eq!(
        driver.log.reopen().unwrap_err().kind(),
        StorageErrorKind::Full
    );
    assert_eq!(
        driver.log.reopen().unwrap_err().kind(),
        StorageErrorKind::Full
    );
    assert!(driver.log.is_poisoned());
    vfs.set_capacity_bytes(None);
    driver.reopen().unwrap();
    driver.run(10).unwrap();
    vfs.power_loss(Survival::SyncedOnly);
    driver.resume(open(&vfs).unwrap());
}

#[test]
fn a_checkpoint_that_does_not_fit_gives_its_room_back() {
    let vfs = MemoryVfs::new();
    let mut driver = start(&vfs);
    driver.run(3).unwrap();
    driver.sync().unwrap();
    // Room for hundreds of batches, not for the checkpoint.
    vfs.set_capacity_bytes(Some(200_000));
    let mut writer = driver.log.checkpoint(driver.log.durable()).unwrap();
    let too_much = loop {
        if let Err(error) = writer.push(&[2; 100_000]) {
            break error;
        }
    };
    assert_eq!(too_much.kind(), StorageErrorKind::Full);
    drop(writer);
    driver.run(15).unwrap();
}

#[test]
fn reopening_takes_room_from_what_was_left_behind() {
    let vfs = MemoryVfs::new();
    let mut driver = start(&vfs);
    driver.run(3).unwrap();
    driver.sync().unwrap();
    vfs.set_capacity_bytes(Some(100_000));
    let mut writer = driver.log.checkpoint(driver.log.durable()).unwrap();
    writer.push(&[2; 500_000]).unwrap_err();
    // Its name is on disk, and does not go at the first attempt.
    vfs.sync_dir(Path::new(DIR)).unwrap();
    vfs.fail(vfs.counts().operations + 1, Fault::Io);
    drop(writer);
    let names = |suffix| {
        let entries = vfs.list(Path::new(DIR)).unwrap().into_iter();
        entries.filter(|entry| entry.name.ends_with(suffix)).count()
    };
    assert_eq!(names(".tmp"), 1);
    assert_eq!(driver.step().unwrap_err().kind(), StorageErrorKind::Full);
    driver.reopen().unwrap();
    assert_eq!(names(".tmp"), 0);
    driver.run(15).unwrap();
    vfs.power_loss(Survival::SyncedOnly);
    driver.resume(open(&vfs).unwrap());
}

#[test]
fn restarts_without_writes_make_no_files() {
    let vfs = MemoryVfs::new();
    let mut driver = start(&vfs);
    driver.run(5).unwrap();
    for _ in 0..100 {
        driver.resume(open(&vfs).unwrap());
    }
    assert!(vfs.list(Path::new(DIR)).unwrap().len() <= 3);
}

#[test]
fn reopening_cuts_the_old_file_and_goes_on_in_a_new_one() {
    let vfs = MemoryVfs::new();
    let mut driver = start(&vfs);
    driver.log.append(&["confirmed"]).unwrap();
    driver.log.sync().unwrap();
    let path = Path::new(DIR).join("00000000000000000001.log");
    let before = vfs.read(&path).unwrap();
    vfs.fail(vfs.counts().operations + 1, Fault::Io);
    driver
        .log
        .append(&["written, and reported as failed"])
        .unwrap_err();
    assert_ne!(vfs.read(&path).unwrap(), before);
    driver.log.reopen().unwrap();
    assert_eq!(vfs.read(&path).unwrap(), before);
    driver.log.append(&["in the new file"]).unwrap();
    assert_eq!(vfs.read(&path).unwrap(), before);
    assert_eq!(vfs.list(Path::new(DIR)).unwrap().len(), 2);
}
