//! Channels in memory, and lines that a test cuts.

use std::time::Duration;

use bytes::Bytes;
use dhlrs_link::Capability;
use dhlrs_transport::{
    Channel, Listener, MEMORY_BACKLOG_MAX, MemoryBus, MemoryChannel, MemoryEndpoint, MemoryOptions,
    QueueLimits, Received, Transport, TransportErrorKind,
};
use tokio::task::yield_now;

const DRAIN: Duration = Duration::from_secs(1);

fn text(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

async fn next(channel: &dyn Channel) -> Bytes {
    match channel.recv().await.unwrap() {
        Received::Frame(frame) => frame,
        other => panic!("{other:?}"),
    }
}

async fn ended(channel: &dyn Channel) {
    assert_eq!(
        channel.recv().await.unwrap_err().kind(),
        TransportErrorKind::Closed
    );
    assert_eq!(
        channel.send(text("x")).await.unwrap_err().kind(),
        TransportErrorKind::Closed
    );
}

struct Two {
    bus: MemoryBus,
    alice: MemoryEndpoint,
    listener: Box<dyn Listener>,
}

async fn two() -> Two {
    let bus = MemoryBus::new();
    let alice = bus.endpoint("alice").unwrap();
    let bob = bus.endpoint("bob").unwrap();
    let listener = bob.listen(&"memory://bob".parse().unwrap()).await.unwrap();
    Two {
        bus,
        alice,
        listener,
    }
}

impl Two {
    async fn connect(&self) -> (Box<dyn Channel>, Box<dyn Channel>) {
        let near = self.alice.connect(self.listener.url()).await.unwrap();
        (near, self.listener.accept().await.unwrap())
    }
}

#[tokio::test]
async fn capabilities_are_these() {
    let (near, _far, _link) = MemoryChannel::pair(MemoryOptions::default());
    let promised = Capability {
        frame_bytes_max: 1 << 20,
        ordered: true,
        reliable: true,
        acknowledged: false,
        replay: false,
        encrypted: false,
        point_to_point: true,
    };
    assert_eq!(near.capability(), &promised);
    let lossy = MemoryOptions {
        lossy: true,
        ..MemoryOptions::default()
    };
    let (near, _far, _link) = MemoryChannel::pair(lossy);
    assert_eq!(
        near.capability(),
        &Capability {
            reliable: false,
            ..promised
        }
    );
}

#[tokio::test]
async fn a_cut_loses_what_is_on_the_way_and_ends_both_ends() {
    let two = two().await;
    let (near, far) = two.connect().await;
    let receipt = near.send(text("lost")).await.unwrap();
    two.bus.link("bob", "alice").cut();
    assert_eq!(
        receipt.await.unwrap_err().kind(),
        TransportErrorKind::Closed
    );
    ended(&*near).await;
    ended(&*far).await;
    assert!(near.close(DRAIN).await.is_err());
}

#[tokio::test]
async fn a_cut_wakes_who_waits() {
    let (near, far, link) = MemoryChannel::pair(MemoryOptions {
        queue: QueueLimits {
            frames_max: 1,
            bytes_max: 100,
        },
        ..MemoryOptions::default()
    });
    let first = near.send(text("fills the queue")).await.unwrap();
    let sender = tokio::spawn(async move { near.send(text("waits")).await.map(drop) });
    let (near2, far2, link2) = MemoryChannel::pair(MemoryOptions::default());
    let receiver = tokio::spawn(async move { far2.recv().await });
    yield_now().await;
    link.cut();
    link2.cut();
    assert_eq!(
        sender.await.unwrap().unwrap_err().kind(),
        TransportErrorKind::Closed
    );
    assert_eq!(
        receiver.await.unwrap().unwrap_err().kind(),
        TransportErrorKind::Closed
    );
    assert_eq!(first.await.unwrap_err().kind(), TransportErrorKind::Closed);
    drop((near2, far));
}

#[tokio::test]
async fn healing_lets_new_channels_through_and_leaves_old_ones_dead() {
    let two = two().await;
    let (near, far) = two.connect().await;
    let link = two.bus.link("alice", "bob");
    link.cut();
    let err = two.alice.connect(two.listener.url()).await.err().unwrap();
    assert_eq!(err.kind(), TransportErrorKind::Unavailable);
    link.heal();
    ended(&*near).await;
    ended(&*far).await;
    let (near, far) = two.connect().await;
    let _receipt = near.send(text("again")).await.unwrap();
    assert_eq!(next(&*far).await, "again");
}

#[tokio::test]
async fn a_cut_concerns_one_line_only() {
    let two = two().await;
    let carol = two.bus.endpoint("carol").unwrap();
    let (near, far) = two.connect().await;
    two.bus.link("carol", "bob").cut();
    assert!(carol.connect(two.listener.url()).await.is_err());
    let _receipt = near.send(text("unharmed")).await.unwrap();
    assert_eq!(next(&*far).await, "unharmed");
}

#[tokio::test(start_paused = true)]
async fn a_stalled_line_holds_everything_back_and_loses_nothing() {
    let two = two().await;
    let (near, far) = two.connect().await;
    let link = two.bus.link("alice", "bob");
    link.stall();
    let receipt = near.send(text("held")).await.unwrap();
    let hour = Duration::from_secs(3_600);
    assert!(tokio::time::timeout(hour, far.recv()).await.is_err());
    assert!(
        tokio::time::timeout(hour, two.alice.connect(two.listener.url()))
            .await
            .is_err()
    );
    link.heal();
    assert_eq!(next(&*far).await, "held");
    receipt.await.unwrap();
    two.connect().await;
}

#[tokio::test]
async fn a_lossy_line_reports_its_gaps_in_place() {
    let (near, far, _link) = MemoryChannel::pair(MemoryOptions {
        queue: QueueLimits {
            frames_max: 2,
            bytes_max: 100,
        },
        lossy: true,
        ..MemoryOptions::default()
    });
    let mut receipts = Vec::new();
    for frame in ["a", "b", "c", "d"] {
        receipts.push(near.send(text(frame)).await.unwrap());
    }
    assert_eq!(next(&far).await, "a");
    receipts.push(near.send(text("e")).await.unwrap());
    assert_eq!(next(&far).await, "b");
    assert_eq!(far.recv().await.unwrap(), Received::Gap);
    assert_eq!(next(&far).await, "e");
    let mut outcomes = Vec::new();
    for receipt in receipts {
        outcomes.push(receipt.await.is_ok());
    }
    assert_eq!(outcomes, [true, true, false, false, true]);
}

#[tokio::test]
async fn an_endpoint_listens_at_its_own_name_once() {
    let two = two().await;
    let kind = |result: Result<Box<dyn Listener>, dhlrs_transport::TransportError>| {
        result.err().unwrap().kind()
    };
    let bob = two.bus.endpoint("bob").unwrap();
    let at_bob = "memory://bob".parse().unwrap();
    assert_eq!(
        kind(bob.listen(&at_bob).await),
        TransportErrorKind::AddressInUse
    );
    assert_eq!(
        kind(two.alice.listen(&at_bob).await),
        TransportErrorKind::BadUrl
    );
    assert_eq!(
        kind(bob.listen(&"ws://bob".parse().unwrap()).await),
        TransportErrorKind::BadUrl
    );
    drop(two.listener);
    bob.listen(&at_bob).await.unwrap();
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let two = two().await;
    let err = two
        .alice
        .connect(&"memory://nobody".parse().unwrap())
        .await
        .err()
        .unwrap();
    assert_eq!(err.kind(), TransportErrorKind::Unavailable);
    let url = two.listener.url().clone();
    drop(two.listener);
    let err = two.alice.connect(&url).await.err().unwrap();
    assert_eq!(err.kind(), TransportErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn connecting_waits_when_nobody_accepts() {
    let two = two().await;
    let mut waiting = Vec::new();
    for _ in 0..MEMORY_BACKLOG_MAX {
        waiting.push(two.alice.connect(two.listener.url()).await.unwrap());
    }
    let one_more = two.alice.connect(two.listener.url());
    assert!(tokio::time::timeout(DRAIN, one_more).await.is_err());
    two.listener.accept().await.unwrap();
    two.alice.connect(two.listener.url()).await.unwrap();
}

#[test]
fn an_endpoint_needs_a_bare_name() {
    let bus = MemoryBus::new();
    for name in ["", "a:1", "a/b", "a b", "[::1]"] {
        let err = bus.endpoint(name).unwrap_err();
        assert_eq!(err.kind(), TransportErrorKind::BadUrl, "{name:?}");
    }
}
