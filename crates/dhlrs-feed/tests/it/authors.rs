//! Authors that write sets, sign them cheaply, and can be copied, as a restored backup is.

use dhlrs_bag::{Label, Value};
use dhlrs_clock::{Stamp, Time};
use dhlrs_feed::{
    Cell, Epoch, EventId, FeedId, HomePath, NewEvent, Payload, Run, RunLimits, RunWriter, StoreId,
    TreeOp,
};
use dhlrs_identity::{KeyedHashSigner, KeyedHashVerifier, PublicKey};

const REALM: [u8; 32] = [1; 32];

pub(crate) fn store() -> StoreId {
    StoreId::new("orders", None)
}

pub(crate) fn verifier() -> KeyedHashVerifier {
    KeyedHashVerifier::new(REALM)
}

pub(crate) fn key(number: u32) -> PublicKey {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    PublicKey::from_bytes(bytes)
}

pub(crate) fn set(label: &str, value: i64) -> Payload {
    Payload::Tree(TreeOp::Write {
        node: HomePath::root()
            .child(Label::new(label).unwrap(), 0)
            .unwrap(),
        cell: Cell::Scalar,
        value: Value::from(value),
    })
}

/// One author with one open feed.
#[derive(Clone)]
pub(crate) struct Author {
    pub(crate) signer: KeyedHashSigner,
    pub(crate) writer: RunWriter,
    stamp: u64,
}

impl Author {
    pub(crate) fn new(number: u32, epoch: u64) -> Self {
        let limits = RunLimits {
            events_max: 64,
            ..RunLimits::default()
        };
        Self::with_limits(number, epoch, limits)
    }

    pub(crate) fn with_limits(number: u32, epoch: u64, limits: RunLimits) -> Self {
        let feed = FeedId::new(key(number), Epoch::stamped(Stamp::ZERO, epoch));
        Self {
            signer: KeyedHashSigner::new(REALM, key(number)),
            writer: RunWriter::new(store(), feed, limits),
            stamp: 1_700_000_000_000 << 16,
        }
    }

    pub(crate) fn feed(&self) -> FeedId {
        *self.writer.feed()
    }

    /// Logs one event.
    pub(crate) fn write(&mut self, now: Time, payload: Payload) -> Option<Run> {
        self.stamp = (self.stamp + 1).max(now.wall_ms << 16);
        let event = NewEvent {
            stamp: Stamp::from_bits(self.stamp),
            deps: Vec::new(),
            payload,
        };
        let control = (0, EventId::NONE);
        let written = self.writer.append(now, control, vec![event], &self.signer);
        written.unwrap().sealed.map(|sealed| sealed.run)
    }

    /// A run of this many sets.
    pub(crate) fn run(&mut self, sets: u64) -> Run {
        self.run_of((0..sets).map(|n| set(&format!("p{n}"), n as i64)).collect())
    }

    pub(crate) fn run_of(&mut self, payloads: Vec<Payload>) -> Run {
        for payload in payloads {
            assert_eq!(self.write(Time::default(), payload), None);
        }
        self.writer.seal(Time::default(), &self.signer).unwrap().run
    }
}
