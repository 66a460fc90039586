//! A write that did not finish is cut off, and the rest is whole.

use std::path::{Path, PathBuf};

use dhlrs_storage::{Log, LogOptions, MemoryVfs, RecoverFrom, Repair, SECTOR_BYTES, Vfs as _};

use crate::driver::{Batch, ID, batch, contents};

fn whole() -> (MemoryVfs, PathBuf, Vec<Batch>, usize) {
    let vfs = MemoryVfs::new();
    let mut log = Log::open(vfs.clone(), "s", ID, LogOptions::default()).unwrap();
    let batches: Vec<Batch> = (1..=4).map(batch).collect();
    for batch in &batches {
        log.append(batch).unwrap();
        log.sync().unwrap();
    }
    let path = Path::new("s").join(&vfs.list(Path::new("s")).unwrap()[0].name);
    let confirmed = vfs.read(&path).unwrap().len();
    // Large enough for several sectors, and zeros are not what makes them missing.
    log.append(&[vec![0; 1500], vec![0xdd; 300]]).unwrap();
    (vfs, path, batches, confirmed)
}

#[track_caller]
fn is_cut(vfs: &MemoryVfs, batches: &[Batch], torn_bytes: u64) {
    let log = Log::open(vfs.clone(), "s", ID, LogOptions::default()).unwrap();
    assert_eq!(contents(&log, RecoverFrom::Newest).unwrap(), batches);
    let [Repair::TornTail { bytes, .. }] = log.repairs() else {
        panic!("{:?}", log.repairs());
    };
    assert_eq!(*bytes, torn_bytes);
    assert_eq!(log.verify().unwrap().len(), 0);
    // Once is enough.
    let log = Log::open(vfs.clone(), "s", ID, LogOptions::default()).unwrap();
    assert_eq!(
        (log.repairs(), contents(&log, RecoverFrom::Newest).unwrap()),
        (&[][..], batches.to_vec())
    );
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_off() {
    let (vfs, path, batches, confirmed) = whole();
    let bytes = vfs.read(&path).unwrap();
    for len in confirmed + 1..bytes.len() {
        let vfs = vfs.duplicate();
        vfs.overwrite(&path, bytes[..len].to_vec()).unwrap();
        is_cut(&vfs, &batches, (len - confirmed) as u64);
    }
}

#[test]
fn a_tail_with_any_of_its_sectors_missing_is_cut_off() {
    let (vfs, path, batches, confirmed) = whole();
    let bytes = vfs.read(&path).unwrap();
    let first = confirmed / SECTOR_BYTES as usize;
    let sectors = bytes.len().div_ceil(SECTOR_BYTES as usize) - first;
    assert!((4..8).contains(&sectors));
    for missing in 1_u32..1 << sectors {
        let vfs = vfs.duplicate();
        let mut torn = bytes.clone();
        for (at, byte) in torn.iter_mut().enumerate().skip(confirmed) {
            if missing >> (at / SECTOR_BYTES as usize - first) & 1 == 1 {
                *byte = 0;
            }
        }
        vfs.overwrite(&path, torn).unwrap();
        is_cut(&vfs, &batches, (bytes.len() - confirmed) as u64);
    }
}

#[test]
fn zeros_behind_the_end_are_cut_off() {
    let (vfs, path, batches, confirmed) = whole();
    let bytes = vfs.read(&path).unwrap();
    for zeros in [1, 35, 36, 37, 511, 4096] {
        let vfs = vfs.duplicate();
        let mut longer = bytes[..confirmed].to_vec();
        longer.resize(confirmed + zeros, 0);
        vfs.overwrite(&path, longer).unwrap();
        is_cut(&vfs, &batches, zeros as u64);
    }
}
