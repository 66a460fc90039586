//! The events of a run that is read can be written again, and read as the same.

use dhlrs_clock::{Stamp, Time};
use dhlrs_feed::{
    Epoch, Event, EventId, FeedEnd, FeedId, NewEvent, RUN_BYTES_MAX, RUN_EVENTS_MAX, Run,
    RunLimits, RunWriter, StoreId,
};
use dhlrs_identity::{KeyedHashSigner, PublicKey};

/// Panics if a promise is broken.
pub(crate) fn check(data: &[u8]) {
    let store = StoreId::new("fuzz", None);
    let author = PublicKey::from_bytes([7; 32]);
    let feed = FeedId::new(author, Epoch::stamped(Stamp::ZERO, 1));
    let Ok((run, events)) = Run::read_own(&store, &feed, &EventId::NONE, data) else {
        return;
    };
    assert_eq!(run.bytes(), data);
    let head = FeedEnd {
        seq: run.claim().header.first - 1,
        id: EventId::NONE,
    };
    let limits = RunLimits {
        events_max: RUN_EVENTS_MAX,
        bytes_max: RUN_BYTES_MAX,
        flush_ms: 0,
    };
    let mut writer = RunWriter::resume(store, feed, limits, head, None);
    let signer = KeyedHashSigner::new([1; 32], author);
    let control = (run.claim().header.control, EventId::NONE);
    let mut runs = Vec::new();
    let mut events_left = events.iter().map(|(event, _)| event).peekable();
    while let Some(first) = events_left.next() {
        let mut transaction = vec![new(first)];
        for _ in 0..first.following {
            transaction.extend(events_left.next().map(new));
        }
        let written = writer.append(Time::default(), control, transaction, &signer);
        // What was written with a dictionary may be too long without one.
        let Ok(written) = written else { return };
        runs.extend(written.sealed);
    }
    runs.extend(writer.seal(Time::default(), &signer));
    let mut prev = EventId::NONE;
    let mut again = Vec::new();
    for sealed in &runs {
        let (run, events) = Run::read_own(&store, &feed, &prev, sealed.run.bytes()).unwrap();
        prev = run.claim().last;
        again.extend(events);
    }
    // A transaction that the run told otherwise than by its first event is told by all of them now.
    let is_same =
        |(a, b): (&Event, &Event)| a.payload == b.payload && a.deps == b.deps && a.stamp == b.stamp;
    assert_eq!(again.len(), events.len());
    assert!(
        again
            .iter()
            .map(|(event, _)| event)
            .zip(events.iter().map(|(event, _)| event))
            .all(is_same)
    );
}

fn new(event: &Event) -> NewEvent {
    NewEvent {
        stamp: event.stamp,
        deps: event.deps.clone(),
        payload: event.payload.clone(),
    }
}
