//! What was acknowledged is on disk, and what is not on disk was not acknowledged.

use std::time::Duration;

use dhlrs_storage::{Fault, MemoryVfs, Survival, Vfs};
use dhlrs_wire::RefusalKind;

use crate::mesh::{Mesh, join, soon, start, start_again, store, until, value};

#[tokio::test]
async fn a_restart_keeps_the_tree_the_revisions_and_the_sessions() {
    let (mesh, disk) = (Mesh::default(), MemoryVfs::new());
    let far = start(mesh.durable("far", &disk)).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let there = store(&near, "far");
    let first = there.set("a.b", "kept").await.unwrap();
    far.shutdown().await;
    let far = start(mesh.durable("far", &disk)).await;
    let second = soon(async {
        loop {
            // While there is no way yet, the session waits for one.
            match there.set("a.c", 2).await {
                Err(error) if error.refusal() == Some(RefusalKind::NoRoute) => {}
                written => return written.unwrap(),
            }
        }
    })
    .await;
    assert_eq!(second.revision.incarnation, first.revision.incarnation);
    assert_eq!(second.revision.number, first.revision.number + 1);
    assert_eq!(value(&store(&far, "far"), "a.b").await, Some("kept".into()));
    let sessions = far.status_of(None).await.unwrap().stores[0].sessions;
    assert_eq!(sessions, 1, "the session that was open goes on");
    near.shutdown().await;
    until("the session to be closed", || async {
        far.status_of(None).await.unwrap().stores[0].sessions == 0
    })
    .await;
}

#[tokio::test]
async fn a_backup_that_was_put_back_begins_a_new_incarnation() {
    let (mesh, disk) = (Mesh::default(), MemoryVfs::new());
    let far = start(mesh.durable("far", &disk)).await;
    let first = store(&far, "far").set("x", 1).await.unwrap().revision;
    far.shutdown().await;
    let far = start(mesh.durable("far", &disk).restored(true)).await;
    let second = store(&far, "far").set("x", 2).await.unwrap().revision;
    assert_ne!(second.incarnation, first.incarnation);
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_with_the_power() {
    let (mesh, disk) = (Mesh::default(), MemoryVfs::new());
    for n in 0..10_i64 {
        let far = start_again(|| mesh.durable("far", &disk)).await;
        let here = store(&far, "far");
        let last = value(&here, "x").await;
        assert_eq!(last, (n > 0).then(|| (n - 1).into()));
        here.set("x", n).await.unwrap();
        disk.power_loss(Survival::SyncedOnly);
        drop(far);
    }
}

#[tokio::test]
async fn writes_in_series_sync_each_and_writes_at_once_share_syncs() {
    let (mesh, disk) = (Mesh::default(), MemoryVfs::new());
    let far = start(mesh.durable("far", &disk)).await;
    let here = store(&far, "far");
    let before = disk.counts().syncs;
    for n in 0..1_000 {
        here.set("x", n).await.unwrap();
    }
    let series = disk.counts().syncs - before;
    assert!(series >= 1_000, "{series} syncs for 1,000 writes in series");
    let before = disk.counts().syncs;
    let writers = (0..64).map(|writer| {
        let here = here.clone();
        tokio::spawn(async move {
            for n in 0..16 {
                here.set(format!("w{writer}"), n).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let shared = disk.counts().syncs - before;
    println!("1,000 writes in series: {series} syncs; 64 writers of 16 writes: {shared} syncs");
    assert!(
        (16..=512).contains(&shared),
        "{shared} syncs for 64 writers of 16 writes each"
    );
}

#[tokio::test]
async fn a_failed_sync_fences_the_store_until_the_log_is_open_again() {
    let (mesh, disk) = (Mesh::default(), MemoryVfs::new());
    let far = start(mesh.durable("far", &disk)).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let here = store(&far, "far");
    let mut watch = store(&near, "far").watch("x").await.unwrap();
    here.set("x", 1).await.unwrap();
    // The next operations are the append and the sync of one ticket.
    disk.fail(disk.counts().operations + 2, Fault::Sync);
    let error = here.set("x", 2).await.unwrap_err();
    assert_eq!(
        (error.refusal(), error.outcome_unknown()),
        (Some(RefusalKind::Unavailable), true)
    );
    assert_eq!(
        value(&here, "x").await,
        Some(1.into()),
        "what was published stays readable"
    );
    soon(async {
        while let Err(error) = here.set("x", 3).await {
            assert_eq!(error.refusal(), Some(RefusalKind::Unavailable), "{error}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert_eq!(value(&here, "x").await, Some(3.into()));
    let mut seen = Vec::new();
    while seen.last() != Some(&3.into()) {
        let Some(dhlrs_node::WatchEvent::Changes(told)) = soon(watch.next()).await else {
            panic!("the watch ended");
        };
        for change in told.changes {
            let dhlrs_bag::Shown::Scalar(value) = change.new else {
                continue;
            };
            seen.push(value);
        }
    }
    assert_eq!(seen, [1.into(), 3.into()], "nobody saw what was taken back");
    drop(far);
    disk.power_loss(Survival::SyncedOnly);
    let far = start_again(|| mesh.durable("far", &disk)).await;
    assert_eq!(value(&store(&far, "far"), "x").await, Some(3.into()));
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_takes_them_again_when_there_is_room() {
    let (mesh, disk) = (Mesh::default(), MemoryVfs::new());
    let far = start(mesh.durable("far", &disk)).await;
    let here = store(&far, "far");
    here.set("x", 1).await.unwrap();
    disk.set_capacity_bytes(Some(0));
    assert!(here.set("x", 2).await.unwrap_err().outcome_unknown());
    let error = here.set("x", 2).await.unwrap_err();
    assert_eq!(error.refusal(), Some(RefusalKind::Unavailable));
    assert!(error.message().contains("disk full"), "{error}");
    disk.set_capacity_bytes(None);
    until("room", || async { here.set("x", 3).await.is_ok() }).await;
    assert_eq!(value(&here, "x").await, Some(3.into()));
}

#[cfg(feature = "planted-faults")]
#[tokio::test]
async fn the_planted_fault_loses_what_the_log_held() {
    let (mesh, disk) = (Mesh::default(), MemoryVfs::new());
    let far = start(mesh.durable("far", &disk)).await;
    store(&far, "far").set("x", 1).await.unwrap();
    far.shutdown().await;
    let far = start(mesh.durable("far", &disk).skip_log_replay()).await;
    assert_eq!(value(&store(&far, "far"), "x").await, None);
}
