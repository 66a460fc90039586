//! The bounded queue of frames.

use bytes::Bytes;
use dhlrs_transport::{
    FrameReceiver, QueueLimits, Queued, TransportError, TransportErrorKind, frame_queue,
};
use tokio::task::yield_now;

const SMALL: QueueLimits = QueueLimits {
    frames_max: 3,
    bytes_max: 10,
};

fn frame(bytes: usize) -> Bytes {
    Bytes::from(vec![7; bytes])
}

async fn take(receiver: &mut FrameReceiver) -> Option<Option<usize>> {
    Some(match receiver.recv().await? {
        Queued::Frame(frame, delivery) => {
            delivery.done();
            Some(frame.len())
        }
        Queued::Gap => None,
    })
}

#[tokio::test]
async fn holds_so_many_frames_and_so_many_bytes() {
    let (sender, mut receiver) = frame_queue(SMALL);
    for _ in 0..3 {
        assert!(sender.try_send(frame(1)).unwrap().is_some());
    }
    assert!(
        sender.try_send(frame(1)).unwrap().is_none(),
        "a fourth frame"
    );
    while receiver.try_recv().is_some() {}
    assert!(sender.try_send(frame(8)).unwrap().is_some());
    assert!(sender.try_send(frame(3)).unwrap().is_none(), "11 bytes");
    assert!(sender.try_send(frame(2)).unwrap().is_some());
}

#[tokio::test]
async fn a_frame_over_the_byte_limit_passes_alone() {
    let (sender, mut receiver) = frame_queue(SMALL);
    let _receipt = sender.send(frame(100)).await.unwrap();
    assert!(sender.try_send(frame(0)).unwrap().is_none());
    assert_eq!(take(&mut receiver).await, Some(Some(100)));
    assert!(sender.try_send(frame(0)).unwrap().is_some());
}

#[tokio::test]
async fn a_frame_counts_until_it_is_settled() {
    let (sender, mut receiver) = frame_queue(SMALL);
    let receipt = sender.send(frame(10)).await.unwrap();
    let Some(Queued::Frame(_, delivery)) = receiver.recv().await else {
        panic!("a frame")
    };
    assert!(sender.try_send(frame(1)).unwrap().is_none());
    delivery.done();
    receipt.await.unwrap();
    assert!(sender.try_send(frame(1)).unwrap().is_some());
}

#[tokio::test]
async fn a_send_that_was_dropped_put_nothing_in() {
    let (sender, mut receiver) = frame_queue(SMALL);
    let _first = sender.send(frame(10)).await.unwrap();
    tokio::select! {
        biased;
        _ = sender.send(frame(2)) => panic!("there is no room"),
        () = yield_now() => {}
    }
    sender.close();
    assert_eq!(take(&mut receiver).await, Some(Some(10)));
    assert_eq!(take(&mut receiver).await, None);
}

#[tokio::test]
async fn closing_delivers_what_is_inside_and_wakes_who_waits() {
    let (sender, mut receiver) = frame_queue(SMALL);
    let reader = tokio::spawn(async move {
        let mut seen = Vec::new();
        while let Some(item) = take(&mut receiver).await {
            seen.push(item);
        }
        seen
    });
    let receipt = sender.send(frame(1)).await.unwrap();
    receipt.await.unwrap();
    let _receipt = sender.send(frame(2)).await.unwrap();
    sender.close();
    assert_eq!(reader.await.unwrap(), [Some(1), Some(2)]);
    let err = sender.send(frame(1)).await.unwrap_err();
    assert_eq!(err.kind(), TransportErrorKind::Closed);
}

#[tokio::test]
async fn receipts_say_what_became_of_the_frame() {
    let (sender, mut receiver) = frame_queue(SMALL);
    let failed = sender.send(frame(1)).await.unwrap();
    let forgotten = sender.send(frame(1)).await.unwrap();
    let inside = sender.send(frame(1)).await.unwrap();
    let Some(Queued::Frame(_, delivery)) = receiver.recv().await else {
        panic!("a frame")
    };
    delivery.failed(TransportError::new(TransportErrorKind::Malformed, "x"));
    assert_eq!(
        failed.await.unwrap_err().kind(),
        TransportErrorKind::Malformed
    );
    drop(receiver.recv().await);
    assert_eq!(
        forgotten.await.unwrap_err().kind(),
        TransportErrorKind::Closed
    );
    drop(receiver);
    assert_eq!(inside.await.unwrap_err().kind(), TransportErrorKind::Closed);
    assert_eq!(
        sender.send(frame(1)).await.unwrap_err().kind(),
        TransportErrorKind::Closed
    );
}

#[tokio::test]
async fn a_gap_keeps_its_place_and_merges() {
    let (sender, mut receiver) = frame_queue(SMALL);
    let _a = sender.send(frame(1)).await.unwrap();
    sender.report_gap();
    sender.report_gap();
    let _b = sender.send(frame(2)).await.unwrap();
    sender.report_gap();
    drop(sender);
    let mut seen = Vec::new();
    while let Some(item) = take(&mut receiver).await {
        seen.push(item);
    }
    assert_eq!(seen, [Some(1), None, Some(2), None]);
}

#[tokio::test]
async fn a_gap_wakes_an_idle_receiver() {
    let (sender, mut receiver) = frame_queue(SMALL);
    let reader = tokio::spawn(async move { take(&mut receiver).await });
    yield_now().await;
    sender.report_gap();
    assert_eq!(reader.await.unwrap(), Some(None));
}
