//! The process of an owned store is killed while others write to it, next to it and two hops away.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use dhlrs::{ErrorKind, Node, RefusalKind, Revision, StoreHandle, WatchEvent};
use tokio::{task::JoinSet, time::sleep};

use crate::world::{World, text};

const WRITERS: u64 = 16;
/// Longer than a restart takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Default)]
struct Progress {
    acknowledged: AtomicU64,
    newest: AtomicU64,
    stop: AtomicBool,
}

/// What became of a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Acknowledged(u64),
    Unknown,
}

async fn client(name: &str, url: &str) -> (Node, StoreHandle) {
    let node = Node::builder(format!("m/{name}").parse().unwrap())
        .client(true)
        .connect(url)
        .start()
        .await
        .unwrap();
    node.connected(PATIENCE).await.unwrap();
    let store = node.remote(&"m/a/main".parse().unwrap());
    while store.get("").await.is_err() {
        sleep(Duration::from_millis(10)).await;
    }
    (node, store)
}

// Only if it is missing, so that a write that is applied twice is found out.
async fn write(store: StoreHandle, name: String, progress: Arc<Progress>) -> Vec<(String, Fate)> {
    let mut fates = Vec::new();
    for number in 0.. {
        if progress.stop.load(Ordering::Relaxed) {
            break;
        }
        let label = format!("{name}-{number}");
        let path = format!("w.{label}");
        let written = store
            .set(&path, number)
            .if_missing()
            .timeout(PATIENCE)
            .await;
        let fate = match written {
            Ok(written) => {
                progress
                    .newest
                    .fetch_max(written.revision.number, Ordering::Relaxed);
                progress.acknowledged.fetch_add(1, Ordering::Relaxed);
                Fate::Acknowledged(written.revision.number)
            }
            Err(error) if error.outcome_unknown() => Fate::Unknown,
            Err(error) if error.kind() == ErrorKind::Closed => break,
            Err(error) => {
                let twice = RefusalKind::PreconditionFailed;
                assert_ne!(error.refusal(), Some(twice), "{label} was applied twice");
                panic!("{label}: {error}");
            }
        };
        fates.push((label, fate));
    }
    fates
}

fn writers(store: &StoreHandle, name: &str) -> (JoinSet<Vec<(String, Fate)>>, Arc<Progress>) {
    let progress = Arc::new(Progress::default());
    let mut set = JoinSet::new();
    for worker in 0..WRITERS {
        let name = format!("{name}-{worker}");
        set.spawn(write(store.clone(), name, progress.clone()));
    }
    (set, progress)
}

async fn until(progress: &[&Progress], acknowledged: u64) {
    let sum = || -> u64 {
        let counts = progress.iter();
        counts
            .map(|one| one.acknowledged.load(Ordering::Relaxed))
            .sum()
    };
    let all = async {
        while sum() < acknowledged {
            sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
}

// As soon as there is a way again.
async fn revision(store: &StoreHandle) -> Revision {
    loop {
        if let Ok(Some(reading)) = store.get("").await {
            return reading.revision;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_once_when_it_is_back() {
    let world = World::new();
    let data = world.path("a");
    let b = world.serve(&["--name", "m/b"]);
    let c = world.serve(&["--name", "m/c", "--connect", &b.url]);
    let start = |listen: &str| {
        let words = ["--name", "m/a", "--data", text(&data), "--connect", &b.url];
        world.serve(&[&words[..], &["--listen", listen]].concat())
    };
    let a = start("ws://127.0.0.1:0");
    let url = a.url.clone();
    let (near, at_a) = client("near", &url).await;
    let (_far, through_c) = client("far", &c.url).await;
    let (_looking, through_b) = client("looking", &b.url).await;
    let mut watch = through_b.watch("w").await.unwrap();
    let before = revision(&at_a).await;

    let (mut near_writers, near_progress) = writers(&at_a, "near");
    let (mut far_writers, far_progress) = writers(&through_c, "far");
    until(&[&near_progress, &far_progress], 400).await;
    let newest = near_progress.newest.load(Ordering::Relaxed);
    let newest = newest.max(far_progress.newest.load(Ordering::Relaxed));
    a.kill();
    near_progress.stop.store(true, Ordering::Relaxed);
    drop((near, at_a));
    let _a = start(&url);
    let again = revision(&through_b).await;
    assert_eq!(again.incarnation, before.incarnation);
    assert!(again.number >= newest, "{again} is before {newest}");

    // Those who are two hops away go on in the same session.
    let so_far = far_progress.acknowledged.load(Ordering::Relaxed);
    until(&[&far_progress], so_far + 200).await;
    far_progress.stop.store(true, Ordering::Relaxed);
    let mut fates = BTreeMap::new();
    for set in [&mut near_writers, &mut far_writers] {
        while let Some(done) = set.join_next().await {
            fates.extend(done.unwrap());
        }
    }

    let mut there = BTreeMap::new();
    let mut rows = through_b.read("w").await.unwrap();
    let end = rows.revision();
    while let Some(row) = rows.next().await.unwrap() {
        if row.depth == 1 {
            there.insert(row.name, row.value);
        }
    }
    for (label, fate) in &fates {
        let is_there = there.contains_key(label);
        assert!(is_there || *fate == Fate::Unknown, "{label} is missing");
    }
    assert!(there.keys().all(|label| fates.contains_key(label)));
    // Each write is one revision, also if it was sent a second time.
    assert_eq!(end.number - before.number, there.len() as u64);

    let mut told: BTreeMap<String, u64> = BTreeMap::new();
    while told.len() < there.len() {
        let event = tokio::time::timeout(PATIENCE, watch.next()).await.unwrap();
        let Some(WatchEvent::Changes(changes)) = event else {
            panic!("{event:?} in place of changes");
        };
        for change in changes.changes {
            if let Some(label) = change.path.as_str().strip_prefix("w.") {
                *told.entry(label.to_owned()).or_default() += 1;
            }
        }
    }
    assert!(told.values().all(|times| *times == 1), "{told:?}");
}
