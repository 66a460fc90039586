//! Watches: every change, once and in order, or a word that some are missing.

use std::time::Duration;

use dhlrs_bag::Value;
use dhlrs_node::{StoreLimits, StoreOptions, Watch, WatchEvent};
use dhlrs_storage::MemoryVfs;
use dhlrs_wire::RefusalKind;

use crate::mesh::{Mesh, join, reached, soon, start, start_again, store, until};

/// The next changes: revision, path, new value.
async fn told(watch: &mut Watch) -> Vec<(u64, String, Option<Value>)> {
    match soon(watch.next()).await {
        Some(WatchEvent::Changes(told)) => {
            let number = told.revision.number;
            let changes = told.changes.into_iter().map(|change| {
                let new = match change.new {
                    dhlrs_bag::Shown::Scalar(value) => Some(value),
                    _ => None,
                };
                (number, change.path.to_string(), new)
            });
            changes.collect()
        }
        other => panic!("expected changes, got {other:?}"),
    }
}

fn one(revision: u64, path: &str, value: i64) -> Vec<(u64, String, Option<Value>)> {
    vec![(revision, path.to_owned(), Some(value.into()))]
}

#[tokio::test]
async fn a_watch_goes_on_after_a_cut_without_a_gap_and_without_a_double() {
    let mesh = Mesh::default();
    let far = start(mesh.owner("far")).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let (here, there) = (store(&far, "far"), store(&near, "far"));
    let mut watch = there.watch("x").await.unwrap();
    assert_eq!(watch.from().unwrap().number, 1);
    for n in 1..=20_i64 {
        if n % 7 == 3 {
            mesh.bus.link("near", "far").cut();
        }
        here.set("x", n).await.unwrap();
        if n % 7 == 5 {
            mesh.bus.link("near", "far").heal();
        }
    }
    mesh.bus.link("near", "far").heal();
    for n in 1..=20 {
        assert_eq!(told(&mut watch).await, one(n, "x", n as i64));
    }
}

#[tokio::test]
async fn a_watch_goes_on_after_the_process_in_the_middle_was_killed() {
    let mesh = Mesh::default();
    let far = start(mesh.owner("far")).await;
    let middle = join(mesh.node("middle"), &["far"]).await;
    let near = join(mesh.node("near"), &["middle"]).await;
    reached(&near, "far").await;
    let here = store(&far, "far");
    let mut watch = store(&near, "far").watch("**").await.unwrap();
    here.set("x", 1).await.unwrap();
    assert_eq!(told(&mut watch).await, one(1, "x", 1));
    drop(middle);
    here.set("x", 2).await.unwrap();
    let middle = || mesh.node("middle").connect("memory://far");
    let _middle = start_again(middle).await;
    here.set("x", 3).await.unwrap();
    assert_eq!(told(&mut watch).await, one(2, "x", 2));
    assert_eq!(told(&mut watch).await, one(3, "x", 3));
}

#[tokio::test]
async fn a_watch_goes_on_after_the_store_itself_was_killed_and_restarted() {
    let (mesh, disk) = (Mesh::default(), MemoryVfs::new());
    let far = start(mesh.durable("far", &disk)).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let there = store(&near, "far");
    let mut watch = there.watch("x").await.unwrap();
    there.set("x", 1).await.unwrap();
    assert_eq!(told(&mut watch).await, one(1, "x", 1));
    far.shutdown().await;
    let far = start(mesh.durable("far", &disk)).await;
    store(&far, "far").set("x", 2).await.unwrap();
    assert_eq!(told(&mut watch).await, one(2, "x", 2));
    // And from the beginning, for whoever asks: the window was filled again.
    let mut again = there.watch("x").from(1).await.unwrap();
    assert_eq!(told(&mut again).await, one(1, "x", 1));
    assert_eq!(told(&mut again).await, one(2, "x", 2));
}

fn small_window() -> StoreOptions {
    let limits = StoreLimits {
        window_changes_max: 10,
        ..StoreLimits::default()
    };
    StoreOptions::owned("main").limits(limits)
}

#[tokio::test]
async fn a_slow_watch_is_told_how_much_it_missed() {
    let mesh = Mesh::default();
    let far = start(mesh.node("far").store(small_window())).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let mut watch = store(&near, "far").watch("x").credit(1).await.unwrap();
    for n in 1..=50 {
        store(&far, "far").set("x", n).await.unwrap();
    }
    let mut expected = 1;
    let mut lagged = 0;
    while expected <= 50 {
        match soon(watch.next()).await.unwrap() {
            WatchEvent::Changes(told) => {
                assert_eq!(told.revision.number, expected);
                expected += 1;
            }
            WatchEvent::Lagged { revisions, next } => {
                assert_eq!(next, expected + revisions);
                (expected, lagged) = (next, lagged + revisions);
            }
            WatchEvent::Ended(refusal) => panic!("{refusal}"),
        }
    }
    assert!((1..50).contains(&lagged), "{lagged}");
}

#[tokio::test]
async fn a_watch_from_a_forgotten_or_a_future_revision_is_refused() {
    let mesh = Mesh::default();
    let far = start(mesh.node("far").store(small_window())).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let there = store(&near, "far");
    for n in 1..=50 {
        there.set("x", n).await.unwrap();
    }
    let error = there.watch("x").from(1).await.unwrap_err();
    let Some(RefusalKind::Compacted { oldest }) = error.refusal() else {
        panic!("{error:?}")
    };
    assert_eq!(oldest.number, 41);
    there.watch("x").from(oldest).await.unwrap();
    let error = there.watch("x").from(52).await.unwrap_err();
    assert_eq!(error.refusal(), Some(RefusalKind::Invalid), "{error}");
    drop(far);
}

#[tokio::test]
async fn a_watch_ends_with_a_word_when_the_store_begins_anew() {
    let mesh = Mesh::default();
    let far = start(mesh.owner("far")).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let mut watch = store(&near, "far").watch("x").await.unwrap();
    store(&far, "far").set("x", 1).await.unwrap();
    told(&mut watch).await;
    far.shutdown().await;
    let _far = start(mesh.owner("far")).await;
    let Some(WatchEvent::Ended(refusal)) = soon(watch.next()).await else {
        panic!("no end")
    };
    assert!(
        matches!(refusal.kind(), RefusalKind::Compacted { .. }),
        "{refusal}"
    );
    assert_eq!(soon(watch.next()).await, None);
}

#[tokio::test]
async fn a_dropped_watch_is_ended_at_its_source() {
    let mesh = Mesh::default();
    let far = start(mesh.owner("far")).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let watch = store(&near, "far").watch("x").await.unwrap();
    let watches = || async { far.status_of(None).await.unwrap().stores[0].watches };
    assert_eq!(watches().await, 1);
    drop(watch);
    until("no watch", || async { watches().await == 0 }).await;
    // One that never began leaves nothing either.
    mesh.bus.link("near", "far").stall();
    let timeout = Duration::from_millis(50);
    assert!(
        tokio::time::timeout(timeout, store(&near, "far").watch("x"))
            .await
            .is_err()
    );
    mesh.bus.link("near", "far").heal();
    until("no watch", || async { watches().await == 0 }).await;
}
