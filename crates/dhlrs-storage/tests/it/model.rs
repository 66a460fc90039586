//! Any history, against a list.

use std::path::Path;

use dhlrs_storage::{Fault, LogPosition, MemoryVfs, Survival, Vfs as _};
use proptest::prelude::*;

use crate::driver::{Batch, Driver, checkpoint, open};

#[derive(Debug, Clone)]
enum Step {
    Append(Batch),
    Sync,
    Checkpoint(usize),
    Prune(usize),
    Fail(u64, Fault),
    Kill,
    PowerLoss(Survival),
}

fn step() -> impl Strategy<Value = Step> {
    let record = prop::collection::vec(any::<u8>(), 0..1500);
    let zeros = (0..3000_usize).prop_map(|len| vec![0; len]);
    let record = prop_oneof![4 => record, 1 => zeros];
    let fault = prop_oneof![
        Just(Fault::Full),
        Just(Fault::Io),
        Just(Fault::ShortWrite),
        Just(Fault::Sync)
    ];
    let survival = prop_oneof![
        Just(Survival::SyncedOnly),
        any::<u64>().prop_map(|seed| Survival::Torn { seed })
    ];
    prop_oneof![
        12 => prop::collection::vec(record, 1..4).prop_map(Step::Append),
        6 => Just(Step::Sync),
        2 => any::<usize>().prop_map(Step::Checkpoint),
        2 => any::<usize>().prop_map(Step::Prune),
        2 => (1..12_u64, fault).prop_map(|(after, fault)| Step::Fail(after, fault)),
        1 => Just(Step::Kill),
        1 => survival.prop_map(Step::PowerLoss),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_keeps_what_was_confirmed(steps in prop::collection::vec(step(), 1..60)) {
        let (vfs, dir) = (MemoryVfs::new(), Path::new("s"));
        let mut driver = Driver::new(open(&vfs, dir).unwrap());
        for step in steps {
            let done = match step {
                Step::Append(batch) => {
                    driver.in_flight.push(batch);
                    driver.log.append(driver.in_flight.last().unwrap()).map(drop)
                }
                Step::Sync => driver.sync(),
                Step::Checkpoint(at) => {
                    checkpoint(&driver.log, &driver.kept[..at % (driver.kept.len() + 1)])
                }
                Step::Prune(at) => {
                    let keep = at % (driver.kept.len() + 1);
                    driver.log.prune(LogPosition::new(keep as u64)).map(drop)
                }
                Step::Fail(after, fault) => {
                    vfs.fail(vfs.counts().operations + after, fault);
                    Ok(())
                }
                Step::Kill => {
                    vfs.heal();
                    driver.resume(open(&vfs, dir).unwrap());
                    Ok(())
                }
                Step::PowerLoss(survival) => {
                    vfs.power_loss(survival);
                    driver.resume(open(&vfs, dir).unwrap());
                    Ok(())
                }
            };
            if done.is_err() {
                vfs.heal();
                if driver.log.is_poisoned() {
                    driver.reopen().unwrap();
                }
            }
        }
        vfs.heal();
        driver.resume(open(&vfs, dir).unwrap());
        prop_assert_eq!(driver.log.verify().unwrap().len(), 0);
    }
}
