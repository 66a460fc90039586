//! Slow receivers, receipts, memory.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use dhlrs_transport::{Channel, Receipt, Received};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::Pair;
use crate::frames::{next_number, number, numbered, numbers_to_the_end};
use crate::run::{is_lossless, messages};

const FRAME_BYTES: usize = 64 << 10;

/// More bytes than any bounded queue and the operating system hold for one channel.
const FRAMES: u64 = (128 << 20) / FRAME_BYTES as u64;

/// How far the memory of the process may move meanwhile, other tests' work included.
const GROWTH_BYTES_MAX: u64 = 64 << 20;

pub async fn a_slow_receiver_holds_back_or_loss_is_reported(pair: Pair) {
    let (_site, (near, far)) = pair.connected().await;
    let is_reliable = near.capability().reliable;
    let accepted = Arc::new(AtomicU64::new(0));
    let enough = Arc::new(AtomicBool::new(false));
    let sender = send_many(near, Arc::clone(&accepted), Arc::clone(&enough));
    settled(&accepted).await;
    if is_reliable {
        let held = accepted.load(Ordering::Relaxed);
        assert!(
            held < FRAMES,
            "{held} frames of {FRAME_BYTES} bytes were taken with no receiver"
        );
        for number in 0..held {
            assert_eq!(next_number(&*far).await, number);
        }
        // Those that waited come now.
        enough.store(true, Ordering::Relaxed);
        let receiver = tokio::spawn(async move { numbers_to_the_end(&*far).await });
        let (near, receipts) = sender.await.unwrap();
        near.close(Duration::from_secs(60)).await.unwrap();
        let rest = held..receipts.len() as u64;
        assert_eq!(receiver.await.unwrap(), rest.collect::<Vec<_>>());
        for receipt in receipts {
            receipt.await.unwrap();
        }
        return;
    }
    let (near, receipts) = sender.await.unwrap();
    let receive = tokio::spawn(with_gaps(far));
    near.close(Duration::from_secs(60)).await.unwrap();
    let (received, gaps) = receive.await.unwrap();
    let mut safe = BTreeSet::new();
    for (number, receipt) in (0..).zip(receipts) {
        if receipt.await.is_ok() {
            safe.insert(number);
        }
    }
    assert!(
        safe.is_subset(&received),
        "a receipt promised what did not arrive"
    );
    // Each run of missing frames needs a gap at its place.
    let missing: BTreeSet<u64> = (0..FRAMES)
        .filter(|number| !received.contains(number))
        .collect();
    for number in missing {
        let before = received.range(..number).next_back().copied();
        assert!(
            gaps.contains(&before),
            "the loss of frame {number} was not reported"
        );
    }
}

fn send_many(
    near: Box<dyn Channel>,
    accepted: Arc<AtomicU64>,
    enough: Arc<AtomicBool>,
) -> JoinHandle<(Box<dyn Channel>, Vec<Receipt>)> {
    tokio::spawn(async move {
        let mut receipts = Vec::new();
        for number in 0..FRAMES {
            receipts.push(near.send(numbered(number, FRAME_BYTES)).await.unwrap());
            accepted.fetch_add(1, Ordering::Relaxed);
            if enough.load(Ordering::Relaxed) {
                break;
            }
        }
        (near, receipts)
    })
}

// Waits until nothing more is taken. If a slow machine makes it look so too early, the case sees
// less, and is still right.
async fn settled(accepted: &AtomicU64) {
    let (mut last, mut quiet) = (u64::MAX, 0);
    while quiet < 5 {
        sleep(Duration::from_millis(40)).await;
        let now = accepted.load(Ordering::Relaxed);
        quiet = if now == last { quiet + 1 } else { 0 };
        last = now;
    }
}

// What arrived, and after which frame each gap stood.
async fn with_gaps(far: Box<dyn Channel>) -> (BTreeSet<u64>, BTreeSet<Option<u64>>) {
    let (mut received, mut gaps) = (BTreeSet::new(), BTreeSet::new());
    while let Ok(next) = far.recv().await {
        match next {
            Received::Frame(frame) => {
                let number = number(&frame);
                assert!(
                    received.last() < Some(&number),
                    "out of order or twice: {number}"
                );
                received.insert(number);
            }
            _ => {
                gaps.insert(received.last().copied());
            }
        }
    }
    (received, gaps)
}

pub async fn receipts_resolve_once_the_frames_are_through(pair: Pair) {
    let (_site, (near, far)) = pair.connected().await;
    if !is_lossless("receipts_resolve_once_the_frames_are_through", &*near) {
        return;
    }
    let mut receipts = Vec::new();
    for round in 0..100 {
        for number in 0..50 {
            receipts.push(near.send(numbered(round * 50 + number, 64)).await.unwrap());
        }
        for number in 0..50 {
            assert_eq!(next_number(&*far).await, round * 50 + number);
        }
    }
    for receipt in receipts {
        receipt.await.unwrap();
    }
}

pub async fn many_messages_take_flat_memory(pair: Pair) {
    let (_site, (near, far)) = pair.connected().await;
    if !is_lossless("many_messages_take_flat_memory", &*near) {
        return;
    }
    let all = messages();
    let warm = all / 10;
    let sender = tokio::spawn(async move {
        for number in 0..all {
            let _receipt = near.send(numbered(number, 500)).await.unwrap();
        }
        near
    });
    let mut before = None;
    for due in 0..all {
        assert_eq!(next_number(&*far).await, due);
        if due == warm {
            before = resident_bytes();
        }
    }
    sender.await.unwrap();
    match (before, resident_bytes()) {
        (Some(before), Some(after)) => {
            let growth = after.saturating_sub(before);
            assert!(
                growth < GROWTH_BYTES_MAX,
                "{growth} bytes more for {all} messages"
            );
        }
        _ => eprintln!("not checked: memory: no /proc/self/status here"),
    }
}

fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes << 10)
}
