//! The power goes, again and again, at the worst moments.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use dhlrs_bag::{Shown, Value};
use dhlrs_node::{StoreHandle, WatchEvent};
use dhlrs_storage::{MemoryVfs, Survival};

use crate::mesh::{Mesh, soon, start_again, store, value};

const CUTS: i64 = 250;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_acknowledgement_may_be_the_last_thing_that_happens() {
    let (mesh, disk) = (Mesh::default(), MemoryVfs::new());
    for n in 0..CUTS {
        let far = start_again(|| mesh.durable("far", &disk)).await;
        let here = store(&far, "far");
        if n > 0 {
            let before = n - 1;
            assert_eq!(
                value(&here, &format!("x{before}")).await,
                Some(before.into())
            );
        }
        here.set(format!("x{n}"), n).await.unwrap();
        disk.power_loss(Survival::SyncedOnly);
    }
    let far = start_again(|| mesh.durable("far", &disk)).await;
    let tree = store(&far, "far").snapshot().await.unwrap();
    let found = (0..CUTS).filter(|n| tree.get(&format!("x{n}")) == Some(&Value::from(*n)));
    assert_eq!(found.count() as i64, CUTS);
    println!(
        "{CUTS} power cuts, each right after an acknowledgement: {CUTS} of {CUTS} sets are there"
    );
}

/// What readers of all sorts have seen of a number that only grows.
#[derive(Default)]
struct Seen {
    acknowledged: AtomicI64,
    read: AtomicI64,
    watched: AtomicI64,
    reads: AtomicI64,
    over: AtomicBool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_sees_what_a_crash_takes_back() {
    const CRASHES: u64 = 60;
    let (mesh, disk) = (Mesh::default(), MemoryVfs::new());
    let seen = Arc::new(Seen::default());
    let mut next = 1;
    for crash in 0..CRASHES {
        let far = start_again(|| mesh.durable("far", &disk)).await;
        let here = store(&far, "far");
        let kept = number(value(&here, "x").await);
        for who in [&seen.acknowledged, &seen.read, &seen.watched] {
            let shown = who.load(Ordering::SeqCst);
            assert!(
                kept >= shown,
                "{shown} was shown, {kept} is left after crash {crash}"
            );
        }
        seen.over.store(false, Ordering::SeqCst);
        let watch = here.watch("x").await.unwrap();
        let tasks = [
            tokio::spawn(write(here.clone(), seen.clone(), next.max(kept + 1))),
            tokio::spawn(read(here.clone(), seen.clone())),
            tokio::spawn(look(here, seen.clone())),
            tokio::spawn(follow(watch, seen.clone())),
        ];
        // At another moment each time.
        tokio::time::sleep(Duration::from_micros(300 + crash * 97 % 3_000)).await;
        disk.power_loss(Survival::SyncedOnly);
        // Whoever still reads what was published may do so for a while.
        tokio::time::sleep(Duration::from_millis(2)).await;
        seen.over.store(true, Ordering::SeqCst);
        drop(far);
        for task in tasks {
            next = next.max(soon(task).await.unwrap() + 1);
        }
    }
    let (acknowledged, reads) = (&seen.acknowledged, &seen.reads);
    let (acknowledged, reads) = (
        acknowledged.load(Ordering::SeqCst),
        reads.load(Ordering::SeqCst),
    );
    assert!(acknowledged > CRASHES as i64 && reads > CRASHES as i64);
    println!("{CRASHES} crashes, {reads} reads beside the writer: none saw what was taken back");
}

fn number(value: Option<Value>) -> i64 {
    value.map_or(0, |value| value.as_int().unwrap())
}

/// Writes greater and greater numbers; returns the last one that was tried.
async fn write(store: StoreHandle, seen: Arc<Seen>, from: i64) -> i64 {
    let mut n = from;
    while !seen.over.load(Ordering::SeqCst) {
        if store.set("x", n).await.is_err() {
            return n;
        }
        seen.acknowledged.fetch_max(n, Ordering::SeqCst);
        n += 1;
    }
    n
}

async fn read(store: StoreHandle, seen: Arc<Seen>) -> i64 {
    while !seen.over.load(Ordering::SeqCst) {
        let Ok(reading) = store.get("x").await else {
            break;
        };
        let shown = number(reading.and_then(|reading| reading.row.value));
        seen.read.fetch_max(shown, Ordering::SeqCst);
        seen.reads.fetch_add(1, Ordering::SeqCst);
    }
    0
}

async fn look(store: StoreHandle, seen: Arc<Seen>) -> i64 {
    while !seen.over.load(Ordering::SeqCst) {
        let tree = store.snapshot().await.unwrap();
        seen.read
            .fetch_max(number(tree.get("x").cloned()), Ordering::SeqCst);
        seen.reads.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
    0
}

async fn follow(mut watch: dhlrs_node::Watch, seen: Arc<Seen>) -> i64 {
    while let Some(WatchEvent::Changes(told)) = watch.next().await {
        for change in told.changes {
            if let Shown::Scalar(value) = change.new {
                seen.watched
                    .fetch_max(number(Some(value)), Ordering::SeqCst);
            }
        }
    }
    0
}
