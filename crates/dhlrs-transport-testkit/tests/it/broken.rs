//! A transport that declares everything and keeps none of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dhlrs_link::Capability;
use dhlrs_transport::{
    Channel, Listener, MemoryOptions, Receipt, Received, Transport, TransportError, TransportUrl,
};
use dhlrs_transport_testkit::{Pair, cases, run};

/// Loses every hundredth frame without a word, and cuts long ones short.
struct Broken(Arc<dyn Transport>);

struct BrokenChannel {
    sound: Box<dyn Channel>,
    sent: AtomicU64,
}

#[async_trait]
impl Transport for Broken {
    async fn connect(&self, url: &TransportUrl) -> Result<Box<dyn Channel>, TransportError> {
        let sound = self.0.connect(url).await?;
        let sent = AtomicU64::new(1);
        Ok(Box::new(BrokenChannel { sound, sent }))
    }

    async fn listen(&self, url: &TransportUrl) -> Result<Box<dyn Listener>, TransportError> {
        self.0.listen(url).await
    }
}

#[async_trait]
impl Channel for BrokenChannel {
    fn capability(&self) -> &Capability {
        self.sound.capability()
    }

    fn peer(&self) -> &str {
        self.sound.peer()
    }

    async fn send(&self, mut frame: Bytes) -> Result<Receipt, TransportError> {
        if self
            .sent
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(100)
        {
            return Ok(Receipt::known(Ok(())));
        }
        frame.truncate(60_000);
        self.sound.send(frame).await
    }

    async fn recv(&self) -> Result<Received, TransportError> {
        self.sound.recv().await
    }

    async fn close(&self, drain: Duration) -> Result<(), TransportError> {
        self.sound.close(drain).await
    }
}

fn pair() -> Pair {
    let pair = super::memory::pair_with(MemoryOptions::default());
    Pair {
        near: Arc::new(Broken(pair.near)),
        ..pair
    }
}

#[test]
#[should_panic(expected = "assertion")]
fn a_silent_loss_is_seen() {
    run("order", cases::order_is_kept_for_each_of_four_tasks, pair);
}

#[test]
#[should_panic(expected = "65535 bytes there")]
fn a_frame_cut_short_is_seen() {
    run("frames", cases::frames_arrive_as_they_were_sent, pair);
}

#[test]
#[should_panic(expected = "assertion")]
fn a_close_that_lost_something_is_seen() {
    run(
        "close",
        cases::a_clean_close_delivers_what_was_accepted,
        pair,
    );
}
