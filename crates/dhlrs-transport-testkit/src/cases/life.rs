//! Beginning, ending, beginning again.

use std::sync::Arc;
use std::time::Duration;

use dhlrs_transport::TransportErrorKind;
use tokio::runtime::{Builder, Handle};
use tokio::time::sleep;

use crate::Pair;
use crate::frames::{next_number, numbered};
use crate::pair::Site;

pub async fn dropping_everything_leaves_no_task(pair: Pair) {
    let before = Handle::current().metrics().num_alive_tasks();
    let site = pair.listen().await;
    let mut channels = Vec::new();
    for _ in 0..5 {
        let (near, far) = site.connect().await;
        // One is full and waits, one was closed, one had its peer go.
        let send = async {
            for number in 0..2_000 {
                let _receipt = near.send(numbered(number, 64 << 10)).await.unwrap();
            }
        };
        let _ = tokio::time::timeout(Duration::from_millis(20), send).await;
        channels.push((near, far));
    }
    if let Some((near, far)) = channels.pop() {
        let _ = near.close(Duration::from_millis(10)).await;
        drop(far);
    }
    if let Some((near, far)) = channels.pop() {
        drop(far);
        while near.recv().await.is_ok() {}
    }
    let attempt = site.pair.near.connect(site.listener.url());
    let _ = tokio::time::timeout(Duration::ZERO, attempt).await;
    drop(channels);
    drop(site);
    no_task_is_left(before).await;
}

/// The peer lives on and takes nothing, so that whatever still writes to it would never end. This
/// side has a runtime of its own, which shows what is left.
pub async fn dropping_a_blocked_channel_leaves_no_task(pair: Pair) {
    let site = pair.listen().await;
    let near = Arc::clone(&site.pair.near);
    let url = site.listener.url().clone();
    let this_side = tokio::task::spawn_blocking(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let near = near.connect(&url).await.unwrap();
            let send = async {
                for number in 0..2_000 {
                    let _receipt = near.send(numbered(number, 64 << 10)).await.unwrap();
                }
            };
            let _ = tokio::time::timeout(Duration::from_millis(100), send).await;
            drop(near);
            no_task_is_left(0).await;
        });
    });
    let far = site.listener.accept().await.unwrap();
    this_side.await.unwrap();
    drop(far);
}

// A task that was aborted ends at its next turn.
async fn no_task_is_left(before: usize) {
    let alive = || Handle::current().metrics().num_alive_tasks();
    for _ in 0..1_000 {
        if alive() <= before {
            return;
        }
        sleep(Duration::from_millis(5)).await;
    }
    panic!("{} tasks are left", alive() - before);
}

pub async fn a_lost_peer_can_be_reached_again(pair: Pair) {
    let site = pair.listen().await;
    for round in 0..20 {
        let (near, far) = site.connect().await;
        let _receipt = near.send(numbered(round, 100)).await.unwrap();
        assert_eq!(next_number(&*far).await, round);
        if round % 2 == 0 {
            drop(far)
        } else {
            drop(near)
        }
    }
}

pub async fn an_address_is_taken_once_and_then_free_again(pair: Pair) {
    let (site, (near, far)) = pair.connected().await;
    let url = site.listener.url().clone();
    let err = site
        .pair
        .far
        .listen(&url)
        .await
        .err()
        .expect("the address is taken");
    assert_eq!(err.kind(), TransportErrorKind::AddressInUse);

    let pair = site.pair;
    drop((site.listener, near, far));
    // The listener's task has a turn left before the address is free.
    for _ in 0..1_000 {
        if let Ok(listener) = pair.far.listen(&url).await {
            Site { pair, listener }.connect().await;
            return;
        }
        sleep(Duration::from_millis(5)).await;
    }
    panic!("the address is not free again");
}

pub async fn nobody_there_is_unavailable(pair: Pair) {
    let site = pair.listen().await;
    let url = site.listener.url().clone();
    let near = site.pair.near;
    drop(site.listener);
    for _ in 0..1_000 {
        match near.connect(&url).await {
            Err(err) if err.kind() == TransportErrorKind::Unavailable => {
                assert!(err.to_string().contains(&url.to_string()), "{err}");
                assert!(err.kind().is_transient());
                return;
            }
            Err(err) => panic!("Unavailable was due, not {err}"),
            // The listener's task has a turn left before the address is free.
            Ok(_) => sleep(Duration::from_millis(5)).await,
        }
    }
    panic!("somebody still answers");
}

pub async fn a_foreign_url_is_refused(pair: Pair) {
    let foreign = "no-such-scheme://there:1".parse().unwrap();
    let err = pair
        .near
        .connect(&foreign)
        .await
        .err()
        .expect("connecting is refused");
    assert_eq!(err.kind(), TransportErrorKind::BadUrl);
    let err = pair
        .far
        .listen(&foreign)
        .await
        .err()
        .expect("listening is refused");
    assert_eq!(err.kind(), TransportErrorKind::BadUrl);
}
