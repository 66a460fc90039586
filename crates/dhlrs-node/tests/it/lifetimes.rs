//! What a node starts ends with it.

use std::time::Duration;

use dhlrs_node::{ErrorKind, WatchEvent};
use dhlrs_storage::MemoryVfs;
use dhlrs_transport::{MemoryBus, MemoryOptions};

use crate::mesh::{Mesh, join, soon, start, store, until, value};

fn tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

#[tokio::test]
async fn a_shutdown_leaves_no_task_and_frees_the_directory() {
    let (mesh, disk) = (Mesh::default(), MemoryVfs::new());
    assert_eq!(tasks(), 0);
    for _ in 0..3 {
        let far = start(mesh.durable("far", &disk)).await;
        let near = join(mesh.node("near"), &["far"]).await;
        let there = store(&near, "far");
        let _watch = there.watch("x").await.unwrap();
        there.set("x", 1).await.unwrap();
        soon(near.shutdown()).await;
        soon(far.shutdown()).await;
        assert_eq!(tasks(), 0);
    }
}

#[tokio::test]
async fn a_dropped_node_leaves_no_task_and_its_handles_say_so() {
    let mesh = Mesh::default();
    let far = start(mesh.owner("far")).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let (here, there) = (store(&far, "far"), store(&near, "far"));
    let mut watch = there.watch("x").await.unwrap();
    drop(near);
    assert!(matches!(
        soon(watch.next()).await,
        Some(WatchEvent::Ended(_))
    ));
    assert_eq!(watch.next().await, None);
    let error = there.get("x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    let error = there.set("x", 1).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome_unknown()),
        (ErrorKind::Closed, false)
    );
    here.set("x", 1).await.unwrap();
    drop(far);
    until("no task", || async { tasks() == 0 }).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_ends_though_its_peer_takes_nothing() {
    let mut options = MemoryOptions::default();
    options.queue.frames_max = 1;
    let bus = MemoryBus::with_options(options);
    let mesh = Mesh { bus };
    let far = start(mesh.owner("far")).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let _watch = store(&near, "far").watch("x").await.unwrap();
    let connected = tasks();
    mesh.bus.link("near", "far").stall();
    for n in 0..8 {
        store(&far, "far").set("x", n).await.unwrap();
    }
    // Both ends have frames that do not leave, and hear nothing.
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert_eq!(tasks(), connected - 2, "a task for each end");
}

#[tokio::test]
async fn last_words_are_let_out_before_a_shutdown_ends() {
    let mesh = Mesh::default();
    let far = start(mesh.owner("far")).await;
    for n in 0..20_i64 {
        let near = join(mesh.node("near"), &["far"]).await;
        let there = store(&near, "far");
        there.set("x", n).await.unwrap();
        near.shutdown().await;
        let status = far.status_of(None).await.unwrap();
        assert_eq!(status.stores[0].sessions, 0, "its session was closed");
        assert!(status.peers.is_empty(), "{:?}", status.peers);
    }
    assert_eq!(value(&store(&far, "far"), "x").await, Some(19.into()));
}

#[tokio::test]
async fn a_dropped_read_leaves_nothing_waiting() {
    let mesh = Mesh::default();
    let far = start(mesh.owner("far")).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let there = store(&near, "far");
    mesh.bus.link("near", "far").stall();
    for _ in 0..100 {
        let brief = Duration::from_millis(1);
        assert!(tokio::time::timeout(brief, there.get("x")).await.is_err());
    }
    mesh.bus.link("near", "far").heal();
    assert_eq!(value(&there, "x").await, None);
    drop(far);
}
