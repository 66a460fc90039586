//! Futures that are dropped half-way.

use std::sync::Arc;
use std::time::Duration;

use dhlrs_transport::{Channel, Received};
use tokio::task::{JoinSet, yield_now};

use crate::Pair;
use crate::frames::{next_number, number, numbered, numbers_to_the_end};
use crate::run::is_lossless;

const DRAIN: Duration = Duration::from_secs(60);

pub async fn dropped_sends_lose_nothing_and_send_nothing(pair: Pair) {
    const FRAMES: u64 = 1_000;
    let (_site, (near, far)) = pair.connected().await;
    if !is_lossless("dropped_sends_lose_nothing_and_send_nothing", &*near) {
        return;
    }
    let mut accepted = Vec::new();
    let mut dropped = 0;
    // With nobody receiving, the channel fills up and most are dropped while they wait.
    for number in 0..FRAMES {
        tokio::select! {
            biased;
            receipt = near.send(numbered(number, 32 << 10)) => accepted.push((number, receipt.unwrap())),
            () = yield_now() => dropped += 1,
        }
    }
    let receiver = tokio::spawn(async move { numbers_to_the_end(&*far).await });
    for number in FRAMES..2 * FRAMES {
        tokio::select! {
            biased;
            receipt = near.send(numbered(number, 32 << 10)) => accepted.push((number, receipt.unwrap())),
            () = yield_now() => dropped += 1,
        }
    }
    near.close(DRAIN).await.unwrap();
    assert!(dropped > 0, "nothing ever waited");
    let mut sent = Vec::new();
    for (number, receipt) in accepted {
        receipt.await.unwrap();
        sent.push(number);
    }
    assert_eq!(receiver.await.unwrap(), sent);
}

pub async fn dropped_receives_lose_nothing(pair: Pair) {
    const FRAMES: u64 = 1_000;
    let (_site, (near, far)) = pair.connected().await;
    if !is_lossless("dropped_receives_lose_nothing", &*near) {
        return;
    }
    let sender = tokio::spawn(async move {
        for number in 0..FRAMES {
            // Of sizes that arrive in pieces.
            let bytes = if number % 50 == 0 { 200 << 10 } else { 700 };
            let _receipt = near.send(numbered(number, bytes)).await.unwrap();
            if number % 7 == 0 {
                yield_now().await;
            }
        }
        near
    });
    let mut due = 0;
    while due < FRAMES {
        tokio::select! {
            biased;
            received = far.recv() => {
                let Received::Frame(frame) = received.unwrap() else { panic!("a gap") };
                assert_eq!(number(&frame), due);
                due += 1;
            }
            () = yield_now() => {}
        }
    }
    sender.await.unwrap();
}

pub async fn dropped_accepts_lose_nothing(pair: Pair) {
    const CHANNELS: u64 = 20;
    let site = pair.listen().await;
    let near = Arc::clone(&site.pair.near);
    let url = site.listener.url().clone();
    let connecting = tokio::spawn(async move {
        let mut channels = Vec::new();
        for number in 0..CHANNELS {
            let channel = near.connect(&url).await.unwrap();
            let _receipt = channel.send(numbered(number, 8)).await.unwrap();
            channels.push(channel);
        }
        channels
    });
    let mut accepted = Vec::new();
    while (accepted.len() as u64) < CHANNELS {
        tokio::select! {
            biased;
            channel = site.listener.accept() => accepted.push(channel.unwrap()),
            () = yield_now() => {}
        }
    }
    let mut numbers = Vec::new();
    for channel in &accepted {
        numbers.push(next_number(&**channel).await);
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..CHANNELS).collect::<Vec<_>>());
    connecting.await.unwrap();
}

pub async fn two_receivers_get_each_frame_once(pair: Pair) {
    const FRAMES: u64 = 1_000;
    let (_site, (near, far)) = pair.connected().await;
    if !is_lossless("two_receivers_get_each_frame_once", &*near) {
        return;
    }
    let far: Arc<dyn Channel> = Arc::from(far);
    let mut receivers = JoinSet::new();
    for _ in 0..2 {
        let far = Arc::clone(&far);
        receivers.spawn(async move { numbers_to_the_end(&*far).await });
    }
    for number in 0..FRAMES {
        let _receipt = near.send(numbered(number, 50)).await.unwrap();
    }
    near.close(DRAIN).await.unwrap();
    let mut numbers = receivers.join_all().await.concat();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..FRAMES).collect::<Vec<_>>());
}
