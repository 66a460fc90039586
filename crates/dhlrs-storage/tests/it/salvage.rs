//! A damaged log gives back what is whole in it, and a new one takes its place.

use std::path::Path;

use dhlrs_storage::{
    Fault, Log, LogOptions, MemoryVfs, RecoverFrom, Recovered, Repair, Salvaged, Survival, Vfs,
};

const DIR: &str = "log";

fn record(n: u64) -> Vec<u8> {
    format!("record {n} {}", "x".repeat((n % 5) as usize * 7)).into_bytes()
}

/// Twelve batches of three records in small segments, with a checkpoint over the first six.
fn written() -> MemoryVfs {
    let vfs = MemoryVfs::new();
    let options = LogOptions {
        segment_bytes_max: 600,
    };
    let mut log = Log::open(vfs.clone(), DIR, [3; 16], options).unwrap();
    for batch in 0..12 {
        let records: Vec<_> = (0..3).map(|n| record(batch * 3 + n)).collect();
        let position = log.append(&records).unwrap();
        log.sync().unwrap();
        if batch == 5 {
            let mut writer = log.checkpoint(position).unwrap();
            writer.push(b"the first six").unwrap();
            writer.finish().unwrap();
        }
    }
    vfs
}

fn salvaged(vfs: &MemoryVfs) -> (Vec<Vec<u8>>, Vec<Vec<u8>>, usize) {
    let (mut chunks, mut records, mut covered) = (Vec::new(), Vec::new(), 0);
    Log::salvage(vfs, Path::new(DIR), |piece| match piece {
        Salvaged::Chunk(chunk) => chunks.push(chunk.to_vec()),
        Salvaged::Record { bytes, is_covered } => {
            covered += usize::from(is_covered);
            records.push(bytes.to_vec());
        }
    })
    .unwrap();
    (chunks, records, covered)
}

fn files(vfs: &MemoryVfs) -> Vec<String> {
    let entries = vfs.list(Path::new(DIR)).unwrap();
    entries.into_iter().map(|entry| entry.name).collect()
}

fn flip(vfs: &MemoryVfs, name: &str, at: usize) {
    let path = Path::new(DIR).join(name);
    let mut bytes = vfs.read(&path).unwrap();
    bytes[at] ^= 0x10;
    vfs.overwrite(&path, bytes).unwrap();
}

#[test]
fn a_whole_log_gives_back_everything() {
    let (chunks, records, covered) = salvaged(&written());
    assert_eq!(chunks, [b"the first six"]);
    assert_eq!(records, (0..36).map(record).collect::<Vec<_>>());
    assert_eq!(covered, 18);
}

#[test]
fn one_flipped_byte_costs_a_batch_at_most_and_nothing_is_made_up() {
    let whole = written();
    let names: Vec<_> = files(&whole).into_iter().collect();
    let mut flips = 0;
    for name in names.iter().filter(|name| name.ends_with(".log")) {
        let length = whole.read(&Path::new(DIR).join(name)).unwrap().len();
        for at in 0..length {
            let vfs = whole.duplicate();
            flip(&vfs, name, at);
            let (chunks, records, _) = salvaged(&vfs);
            assert_eq!(chunks.len(), 1, "{name} {at}");
            assert!(
                records
                    .iter()
                    .all(|bytes| (0..36).any(|n| record(n) == *bytes))
            );
            assert!(records.len() >= 33, "{name} {at}: {}", records.len());
            flips += 1;
        }
    }
    assert!(flips > 1_000);
}

#[test]
fn a_log_of_one_segment_is_read_whatever_byte_of_its_header_is_wrong() {
    let vfs = MemoryVfs::new();
    let mut log = Log::open(vfs.clone(), DIR, [3; 16], LogOptions::default()).unwrap();
    log.append(&[record(1), record(2)]).unwrap();
    log.sync().unwrap();
    for at in 0..60 {
        let flipped = vfs.duplicate();
        flip(&flipped, "00000000000000000001.log", at);
        assert_eq!(salvaged(&flipped).1, [record(1), record(2)], "byte {at}");
    }
}

#[test]
fn a_new_log_takes_the_place_of_the_damaged_one_whatever_happens() {
    let batches = || vec![vec![b"a".to_vec(), b"b".to_vec()], vec![b"c".to_vec()]];
    let read = |vfs: &MemoryVfs| -> Option<Vec<Vec<u8>>> {
        let log = Log::open(vfs.clone(), DIR, [4; 16], LogOptions::default()).ok()?;
        let mut recovery = log.recover(RecoverFrom::Newest).ok()?;
        let mut found = Vec::new();
        while let Some(piece) = recovery.next_piece().ok()? {
            if let Recovered::Batch { records, .. } = piece {
                found.extend(records.map(<[u8]>::to_vec));
            }
        }
        Some(found)
    };
    let healed = Some(vec![b"a".to_vec(), b"b".to_vec(), b"c".to_vec()]);
    let damaged = written();
    let last = files(&damaged)
        .into_iter()
        .rfind(|name| name.ends_with(".log"));
    flip(&damaged, &last.unwrap(), 100);
    let begin = damaged.counts().operations;
    let mut last = 0;
    for survival in [Survival::SyncedOnly, Survival::Torn { seed: 7 }] {
        for failed in 1.. {
            let vfs = damaged.duplicate();
            vfs.fail(begin + failed, Fault::Io);
            let begun = Log::begin_anew(&vfs, Path::new(DIR), &[4; 16], batches());
            let opened = begun.is_ok().then(|| read(&vfs)).flatten();
            let is_past = vfs.counts().operations < begin + failed;
            vfs.heal();
            vfs.power_loss(survival);
            match read(&vfs) {
                // The damaged one is still there, and says so.
                None => {
                    assert_eq!(opened, None);
                    assert!(salvaged(&vfs).1.len() >= 33, "{failed}");
                }
                found => assert_eq!(found, healed, "{failed}"),
            }
            if is_past {
                assert_eq!(opened, healed);
                let kept = files(&vfs).into_iter();
                assert!(kept.filter(|name| name.contains(".damaged")).count() > 1);
                last = failed;
                break;
            }
        }
    }
    assert!(last > 10, "{last}");
}

#[test]
fn opening_says_what_was_put_aside() {
    let vfs = written();
    Log::begin_anew(&vfs, Path::new(DIR), &[4; 16], [vec![b"a".to_vec()]]).unwrap();
    let log = Log::open(vfs, DIR, [5; 16], LogOptions::default()).unwrap();
    let replaced = |repair: &&Repair| matches!(repair, Repair::Replaced { .. });
    assert!(log.repairs().iter().filter(replaced).count() > 1);
}
