//! The end of a channel.

use std::sync::Arc;
use std::time::Duration;

use dhlrs_transport::{Channel, TransportErrorKind};

use crate::Pair;
use crate::frames::{next_number, numbered, numbers_to_the_end};
use crate::run::is_lossless;

const DRAIN: Duration = Duration::from_secs(60);

pub async fn a_clean_close_delivers_what_was_accepted(pair: Pair) {
    const FRAMES: u64 = 400;
    let site = pair.listen().await;
    for near_closes in [true, false] {
        let (near, far) = site.connect().await;
        if !is_lossless("a_clean_close_delivers_what_was_accepted", &*near) {
            return;
        }
        let (from, to) = if near_closes {
            (near, far)
        } else {
            (far, near)
        };
        let receiver = tokio::spawn(async move { numbers_to_the_end(&*to).await });
        let mut receipts = Vec::new();
        for number in 0..FRAMES {
            receipts.push(from.send(numbered(number, 16 << 10)).await.unwrap());
        }
        from.close(DRAIN).await.unwrap();
        drop(from);
        assert_eq!(receiver.await.unwrap(), (0..FRAMES).collect::<Vec<_>>());
        for receipt in receipts {
            receipt.await.unwrap();
        }
    }
}

/// A socket that is closed with bytes unread resets the connection, and the reset destroys what
/// the peer has not read yet.
pub async fn a_clean_close_delivers_while_the_peer_talks(pair: Pair) {
    const FRAMES: u64 = 100;
    let site = pair.listen().await;
    for near_closes in [true, false] {
        let (near, far) = site.connect().await;
        if !is_lossless("a_clean_close_delivers_while_the_peer_talks", &*near) {
            return;
        }
        let (from, to) = if near_closes {
            (near, far)
        } else {
            (far, near)
        };
        let to: Arc<dyn Channel> = Arc::from(to);
        let talker = Arc::clone(&to);
        let talker = tokio::spawn(async move {
            for number in 0.. {
                if talker.send(numbered(number, 16 << 10)).await.is_err() {
                    return;
                }
            }
        });
        for number in 0..FRAMES {
            let _receipt = from.send(numbered(number, 16 << 10)).await.unwrap();
        }
        let receiver = tokio::spawn(async move { numbers_to_the_end(&*to).await });
        from.close(DRAIN).await.unwrap();
        drop(from);
        assert_eq!(receiver.await.unwrap(), (0..FRAMES).collect::<Vec<_>>());
        talker.await.unwrap();
    }
}

pub async fn both_ends_may_close_at_once(pair: Pair) {
    let site = pair.listen().await;
    for _ in 0..20 {
        let (near, far) = site.connect().await;
        let mut receipts = Vec::new();
        for number in 0..10 {
            receipts.push(near.send(numbered(number, 1_000)).await.unwrap());
            receipts.push(far.send(numbered(number, 1_000)).await.unwrap());
        }
        let outcomes = tokio::join!(near.close(DRAIN), far.close(DRAIN));
        // Who closes drops what arrives, so neither need succeed; neither may run out of time.
        for outcome in [outcomes.0, outcomes.1] {
            if let Err(err) = outcome {
                assert_eq!(err.kind(), TransportErrorKind::Closed, "{err}");
            }
        }
        for receipt in receipts {
            let _ = receipt.await;
        }
    }
}

pub async fn a_closed_channel_is_closed(pair: Pair) {
    let (_site, (near, far)) = pair.connected().await;
    let far = tokio::spawn(async move {
        let ended = far.recv().await.map(drop);
        (far, ended)
    });
    near.close(DRAIN).await.unwrap();
    let (far, ended) = far.await.unwrap();
    assert_eq!(ended.unwrap_err().kind(), TransportErrorKind::Closed);
    for channel in [near, far] {
        let kind = channel.send(numbered(0, 8)).await.unwrap_err().kind();
        assert_eq!(kind, TransportErrorKind::Closed);
        let kind = channel.recv().await.unwrap_err().kind();
        assert_eq!(kind, TransportErrorKind::Closed);
        // What it answers is its own affair; it must answer.
        let _ = channel.close(DRAIN).await;
    }
}

pub async fn closing_gives_up_on_a_peer_that_takes_nothing(pair: Pair) {
    let (_site, (near, far)) = pair.connected().await;
    if !is_lossless("closing_gives_up_on_a_peer_that_takes_nothing", &*near) {
        return;
    }
    let mut accepted = 0;
    let until = tokio::time::sleep(Duration::from_millis(300));
    tokio::pin!(until);
    loop {
        tokio::select! {
            biased;
            () = &mut until => break,
            receipt = near.send(numbered(accepted, 64 << 10)) => drop(receipt.unwrap()),
        }
        accepted += 1;
    }
    match near.close(Duration::from_millis(100)).await {
        // It is all in the other end's hands.
        Ok(()) => {
            for number in 0..accepted {
                assert_eq!(next_number(&*far).await, number);
            }
        }
        Err(err) => assert_eq!(err.kind(), TransportErrorKind::Unavailable, "{err}"),
    }
    let kind = near.recv().await.unwrap_err().kind();
    assert_eq!(kind, TransportErrorKind::Closed);
}

pub async fn closing_after_the_peer_is_lost_is_no_success(pair: Pair) {
    let site = pair.listen().await;
    for near_goes in [true, false] {
        let (near, far) = site.connect().await;
        if !is_lossless("closing_after_the_peer_is_lost_is_no_success", &*near) {
            return;
        }
        let (gone, left) = if near_goes { (near, far) } else { (far, near) };
        let _receipt = left.send(numbered(0, 1_000)).await.unwrap();
        drop(gone);
        let err = left.close(DRAIN).await.unwrap_err();
        assert_eq!(err.kind(), TransportErrorKind::Closed, "{err}");
    }
}

pub async fn the_loss_of_the_peer_is_reported(pair: Pair) {
    let site = pair.listen().await;
    for near_goes in [true, false] {
        let (near, far) = site.connect().await;
        let (gone, left) = if near_goes { (near, far) } else { (far, near) };
        let left: Arc<dyn Channel> = Arc::from(left);
        let waiting = Arc::clone(&left);
        let waiting = tokio::spawn(async move { waiting.recv().await });
        drop(gone);
        let kind = waiting.await.unwrap().unwrap_err().kind();
        assert_eq!(kind, TransportErrorKind::Closed);
        let kind = left.recv().await.unwrap_err().kind();
        assert_eq!(kind, TransportErrorKind::Closed);
        let kind = left.send(numbered(0, 8)).await.unwrap_err().kind();
        assert_eq!(kind, TransportErrorKind::Closed);
    }
}

pub async fn a_loss_settles_every_receipt(pair: Pair) {
    let (_site, (near, far)) = pair.connected().await;
    let mut receipts = Vec::new();
    for number in 0..200 {
        tokio::select! {
            biased;
            receipt = near.send(numbered(number, 64 << 10)) => receipts.push(receipt.unwrap()),
            () = tokio::time::sleep(Duration::from_millis(100)) => break,
        }
    }
    drop(far);
    while near.recv().await.is_ok() {}
    for receipt in receipts {
        // Either is right; to wait for ever is not.
        let _ = receipt.await;
    }
}
