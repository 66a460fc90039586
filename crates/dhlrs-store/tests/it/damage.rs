//! A replica whose log was damaged: what is whole is kept, the rest comes back from a peer.

use std::path::Path;

use dhlrs_storage::{
    Log, LogOptions, MemoryVfs, RecoverFrom, Recovered as Piece, Salvaged, StorageError,
};
use dhlrs_store::{Salvage, Store};

use crate::bench::resolvers;
use crate::mesh::{Mesh, replicated};

const DIR: &str = "log";
const FLIPPED_BYTES_MIN: usize = 64 << 10;
/// Every so many bytes one is flipped; `DHLRS_FLIP_EVERY=1` flips all.
const FLIP_EVERY: usize = 499;

/// One batch a record, in one segment.
fn disk_of(records: &[Vec<u8>]) -> MemoryVfs {
    let vfs = MemoryVfs::new();
    let options = LogOptions {
        segment_bytes_max: u64::MAX,
    };
    let mut log = Log::open(vfs.clone(), DIR, [1; 16], options).unwrap();
    for record in records {
        log.append(&[record]).unwrap();
        log.sync().unwrap();
    }
    vfs
}

fn read(vfs: &MemoryVfs) -> Result<Vec<Vec<u8>>, StorageError> {
    let log = Log::open(vfs.clone(), DIR, [1; 16], LogOptions::default())?;
    let mut recovery = log.recover(RecoverFrom::Oldest)?;
    let mut records = Vec::new();
    while let Some(piece) = recovery.next_piece()? {
        if let Piece::Batch { records: batch, .. } = piece {
            records.extend(batch.map(<[u8]>::to_vec));
        }
    }
    Ok(records)
}

/// What the driver of a store does when its log is damaged.
fn heal(vfs: &MemoryVfs, of: &Store, author: u8) -> Vec<Vec<u8>> {
    let replication = replicated(author, true).replication.unwrap();
    let mut salvage = Salvage::new(of.id(), replication);
    Log::salvage(vfs, Path::new(DIR), |piece| match piece {
        Salvaged::Chunk(chunk) => salvage.chunk(chunk),
        Salvaged::Record { bytes, is_covered } => salvage.record(bytes, is_covered),
    })
    .unwrap();
    let (batches, _) = salvage.finish(77).unwrap();
    Log::begin_anew(vfs, Path::new(DIR), &[2; 16], batches).unwrap();
    read(vfs).unwrap()
}

/// Two replicas that have written and met, and the log of the first.
fn met(min_bytes: usize) -> (Mesh, Vec<Vec<u8>>) {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    let mut n = 0;
    while mesh.nodes[0].disk.iter().map(Vec::len).sum::<usize>() < min_bytes {
        for _ in 0..20 {
            n += 1;
            mesh.nodes[0].set(&format!("a.n{}.v", n % 40), n);
            mesh.nodes[1].set(&format!("b.n{}.v", n % 40), n);
        }
        mesh.settle();
    }
    mesh.assert_equal();
    let disk = mesh.nodes[0].disk.clone();
    (mesh, disk)
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "`cargo xtask damage` asks the same test for all bytes"
)]
fn each_flipped_byte_is_reported_and_its_events_come_back_from_a_peer() {
    let every = std::env::var("DHLRS_FLIP_EVERY").ok();
    let every = every.map_or(FLIP_EVERY, |every| every.parse().unwrap());
    let (mut mesh, disk) = met(FLIPPED_BYTES_MIN);
    let whole = disk_of(&disk);
    let incarnation = mesh.nodes[0].revision().incarnation;
    let hash = mesh.nodes[1].store.state_hash();
    let segment = Path::new(DIR).join("00000000000000000001.log");
    let content = whole.read(&segment).unwrap();
    assert!(content.len() >= FLIPPED_BYTES_MIN);
    let (mut flips, mut kept_least) = (0, usize::MAX);
    for at in (0..content.len()).step_by(every) {
        let vfs = whole.duplicate();
        let mut flipped = content.clone();
        flipped[at] ^= 1 << (at % 8);
        vfs.overwrite(&segment, flipped).unwrap();
        let error = read(&vfs).unwrap_err();
        assert!(error.is_damage(), "byte {at}: {error}");
        mesh.nodes[0].disk = heal(&vfs, &mesh.nodes[0].store, 1);
        mesh.restart(0);
        kept_least = kept_least.min(mesh.nodes[0].store.published().len() as usize);
        assert_ne!(mesh.nodes[0].revision().incarnation, incarnation);
        mesh.settle();
        assert_eq!(mesh.nodes[0].store.state_hash(), hash, "byte {at}");
        flips += 1;
    }
    println!(
        "{flips} of {} bytes flipped, one at a time: all reported, all healed",
        content.len()
    );
    mesh.assert_equal();
    // It writes on, in a feed of its own.
    mesh.nodes[0].set("after", 1);
    mesh.settle();
    mesh.assert_equal();
    assert_eq!(mesh.nodes[1].shown("after").as_deref(), Some("1"));
}

#[test]
fn what_no_peer_has_yet_is_kept_as_drafts_or_as_events() {
    let (mut mesh, _) = met(4_000);
    mesh.cut(0, 1);
    for n in 0..10 {
        mesh.nodes[0].set(&format!("alone.n{n}"), n);
        mesh.nodes[0].now = mesh.nodes[0].now.plus_ms(7);
    }
    let vfs = disk_of(&mesh.nodes[0].disk);
    let path = Path::new(DIR).join("00000000000000000001.log");
    let mut content = vfs.read(&path).unwrap();
    // Early in the log: the own chain cannot be followed from there on.
    content[2_000] ^= 1;
    vfs.overwrite(&path, content).unwrap();
    mesh.nodes[0].disk = heal(&vfs, &mesh.nodes[0].store, 1);
    let mut config = replicated(1, true);
    config.entropy = [5; 32];
    mesh.nodes[0].restart_as(config, resolvers());
    mesh.link(0, 1);
    mesh.settle();
    mesh.assert_equal();
    mesh.nodes[0].set("after", 1);
    mesh.settle();
    mesh.assert_equal();
}
