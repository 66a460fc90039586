//! Checkpoints keep the log short, and nobody waits for them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dhlrs_node::{NodeBuilder, StoreHandle, StoreLimits, StoreOptions, WatchEvent};
use dhlrs_storage::{MemoryVfs, Vfs};
use dhlrs_wire::RefusalKind;

use crate::gate::{Gate, GatedVfs};
use crate::mesh::{Mesh, soon, start, store, until, value};
use crate::warnings::{heard, listen};

const STORE: &str = "data/stores/main";

/// A node whose store takes a checkpoint every 20 changes.
fn node(mesh: &Mesh, disk: impl Vfs) -> NodeBuilder {
    let limits = StoreLimits {
        window_changes_max: 20,
        ..StoreLimits::default()
    };
    mesh.node("far")
        .store(StoreOptions::owned("main").limits(limits))
        .vfs(disk)
        .data_dir("data")
}

fn checkpoints(disk: &MemoryVfs) -> Vec<PathBuf> {
    let entries = disk.list(Path::new(STORE)).unwrap().into_iter();
    let paths = entries.map(|entry| Path::new(STORE).join(entry.name));
    paths
        .filter(|path| path.extension().is_some_and(|is| is == "checkpoint"))
        .collect()
}

#[tokio::test]
async fn checkpoints_let_the_log_forget_its_beginning_but_not_the_window() {
    let (mesh, disk) = (Mesh::default(), MemoryVfs::new());
    let far = start(node(&mesh, disk.clone())).await;
    for n in 1..=200 {
        store(&far, "far").set("x", n).await.unwrap();
    }
    far.shutdown().await;
    let far = start(node(&mesh, disk)).await;
    let here = store(&far, "far");
    assert_eq!(value(&here, "x").await, Some(200.into()));
    let mut watch = here.watch("x").from(181).await.unwrap();
    for n in 181..=200 {
        let Some(WatchEvent::Changes(told)) = soon(watch.next()).await else {
            panic!("the watch ended");
        };
        assert_eq!(told.revision.number, n);
    }
    assert!(here.watch("x").from(1).await.is_err());
}

/// Writes until there are two checkpoints; returns the last number written.
async fn until_two(here: &StoreHandle, disk: &MemoryVfs) -> i64 {
    let mut last = 0;
    soon(async {
        while checkpoints(disk).len() < 2 {
            last += 1;
            here.set("x", last).await.unwrap();
        }
    })
    .await;
    last
}

#[tokio::test]
async fn writers_do_not_wait_while_a_checkpoint_is_read_to_let_an_older_one_go() {
    let (mesh, disk) = (Mesh::default(), MemoryVfs::new());
    let gate = Arc::new(Gate::default());
    let gated = GatedVfs {
        disk: disk.clone(),
        gate: gate.clone(),
    };
    let far = start(node(&mesh, gated)).await;
    let here = store(&far, "far");
    gate.shut(true);
    let first = until_two(&here, &disk).await;
    // The window leaves the older one at some time, and then the newer one is read.
    for n in first..first + 60 {
        soon(here.set("x", n).into_future()).await.unwrap();
    }
    until("the checkpoint to be read", || async { gate.waiting() > 0 }).await;
    let oldest = checkpoints(&disk).remove(0);
    soon(here.set("x", 0).into_future()).await.unwrap();
    assert!(checkpoints(&disk).contains(&oldest), "it was not read yet");
    gate.shut(false);
    until("the older one to go", || async {
        !checkpoints(&disk).contains(&oldest)
    })
    .await;
    far.shutdown().await;
}

#[tokio::test]
async fn a_damaged_checkpoint_costs_old_changes_and_nothing_else() {
    let (mesh, disk) = (Mesh::default(), MemoryVfs::new());
    let far = start(node(&mesh, disk.clone())).await;
    let here = store(&far, "far");
    let first_segment = Path::new(STORE).join(format!("{:020}.log", 1));
    let mut last = 0;
    let mut write = async || {
        last += 1;
        let value = vec![last as u8; 100_000];
        here.set(format!("n{}", last % 7), value).await.unwrap();
        last
    };
    // The log has lost its beginning, and a second checkpoint was just written.
    while disk.read(&first_segment).is_ok() || checkpoints(&disk).len() == 2 {
        write().await;
    }
    let mut last = write().await;
    while checkpoints(&disk).len() < 2 {
        last = write().await;
    }
    far.shutdown().await;

    let whole = start(node(&mesh, disk.duplicate())).await;
    assert!(
        store(&whole, "far")
            .watch("n1")
            .from(last - 19)
            .await
            .is_ok()
    );
    whole.shutdown().await;

    let path = checkpoints(&disk).remove(0);
    let mut bytes = disk.read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    disk.overwrite(&path, bytes).unwrap();
    listen();
    let far = start(node(&mesh, disk)).await;
    let name = path.file_name().unwrap().to_str().unwrap();
    let [warning] = &heard(name)[..] else {
        panic!("{:?}", heard(""));
    };
    for said in [
        "The tree is whole",
        "a watch that resumes there ends as compacted",
        "a forward does not send",
    ] {
        assert!(warning.contains(said), "{warning}");
    }
    let here = store(&far, "far");
    for n in last - 6..=last {
        let kept = value(&here, &format!("n{}", n % 7)).await;
        assert_eq!(kept, Some(vec![n as u8; 100_000].into()));
    }
    let error = here.watch("n1").from(last - 19).await.unwrap_err();
    assert!(
        matches!(error.refusal(), Some(RefusalKind::Compacted { .. })),
        "{error}"
    );
}
