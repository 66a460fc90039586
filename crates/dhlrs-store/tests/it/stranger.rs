//! Somebody who speaks the protocol of replicas, and loses what a test wants lost.

use std::collections::{BTreeMap, VecDeque};

use dhlrs_clock::{Stamp, Time};
use dhlrs_feed::{
    AntiEntropy, Epoch, EventId, FeedId, FeedInput, FeedLimits, FeedOutput, FeedSet, LinkId,
    LinkOptions, NewEvent, Payload, RunLimits, RunWriter,
};
use dhlrs_identity::{KeyedHashSigner, KeyedHashVerifier, PublicKey};
use dhlrs_store::{Gossip, Input, Neighbour, Output};

use crate::bench::Bench;

/// Somebody who speaks the protocol, and loses what the test wants lost.
pub(crate) struct Stranger {
    machine: AntiEntropy,
    runs: BTreeMap<(FeedId, u64), Vec<u8>>,
    pub(crate) loses_first_runs: bool,
    /// Of this feed everything is lost.
    pub(crate) loses: Option<FeedId>,
}

const REALM: [u8; 32] = [9; 32];
pub(crate) const LINK: LinkId = LinkId(1_000);

impl Stranger {
    /// It holds so many feeds of so many runs with an event each.
    pub(crate) fn of(bench: &Bench, feeds: u64, runs: u64) -> Self {
        let store = bench.store.id();
        let verifier = KeyedHashVerifier::new(REALM);
        let mut set = FeedSet::new(store, FeedLimits::default());
        let mut stored = BTreeMap::new();
        for n in 0..feeds {
            let mut key = [200; 32];
            key[..8].copy_from_slice(&n.to_le_bytes());
            let key = PublicKey::from_bytes(key);
            let signer = KeyedHashSigner::new(REALM, key);
            let opening = Stamp::new(1_000, 0).unwrap();
            let feed = FeedId::new(key, Epoch::stamped(opening, n));
            let mut writer = RunWriter::new(store, feed, RunLimits::default());
            for run in 0..runs {
                let event = NewEvent {
                    stamp: Stamp::new(2_000 + run, 0).unwrap(),
                    deps: Vec::new(),
                    payload: Payload::Seen,
                };
                let none = (0, EventId::NONE);
                let now = Time::default();
                writer.append(now, none, vec![event], &signer).unwrap();
                let sealed = writer.seal(now, &signer).unwrap();
                set.accept(&feed, None, sealed.run.bytes(), &verifier)
                    .unwrap();
                stored.insert((feed, run), sealed.run.bytes().to_vec());
            }
        }
        Self {
            machine: AntiEntropy::new(set, None, Box::new(verifier)),
            runs: stored,
            loses_first_runs: false,
            loses: None,
        }
    }

    /// It holds a feed of three runs, and the next feed of the same author, which closes it there.
    pub(crate) fn with_a_close(bench: &Bench) -> (Self, FeedId) {
        let store = bench.store.id();
        let verifier = KeyedHashVerifier::new(REALM);
        let key = PublicKey::from_bytes([77; 32]);
        let signer = KeyedHashSigner::new(REALM, key);
        let mut set = FeedSet::new(store, FeedLimits::default());
        let mut stored = BTreeMap::new();
        let feed_at = |ms| FeedId::new(key, Epoch::stamped(Stamp::new(ms, 0).unwrap(), 1));
        let (old, new) = (feed_at(1_000), feed_at(5_000));
        let mut end = None;
        for (feed, runs) in [(old, 3), (new, 1)] {
            let mut writer = RunWriter::new(store, feed, RunLimits::default());
            for run in 0..runs {
                let payload = match end {
                    Some(end) => Payload::Close {
                        epoch: old.epoch,
                        end: Some(end),
                    },
                    None => Payload::Seen,
                };
                let event = NewEvent {
                    stamp: Stamp::new(6_000 + run, 0).unwrap(),
                    deps: Vec::new(),
                    payload,
                };
                let (now, none) = (Time::default(), (0, EventId::NONE));
                writer.append(now, none, vec![event], &signer).unwrap();
                let sealed = writer.seal(now, &signer).unwrap();
                set.accept(&feed, None, sealed.run.bytes(), &verifier)
                    .unwrap();
                stored.insert((feed, run), sealed.run.bytes().to_vec());
            }
            end = Some(writer.head());
        }
        let machine = AntiEntropy::new(set, None, Box::new(verifier));
        let stranger = Self {
            machine,
            runs: stored,
            loses_first_runs: false,
            loses: Some(old),
        };
        (stranger, old)
    }

    pub(crate) fn handle(&mut self, bench: &mut Bench, input: FeedInput) {
        let mut inputs = VecDeque::from([(input, false)]);
        while let Some((input, is_lost)) = inputs.pop_front() {
            let mut outputs = Vec::new();
            self.machine.handle(bench.now, input, &mut outputs);
            for output in outputs {
                match output {
                    FeedOutput::Send { bytes, .. } if !is_lost => {
                        bench.handle(Input::Gossip(Gossip::Received { link: LINK, bytes }));
                    }
                    FeedOutput::Read {
                        ticket,
                        feed,
                        after,
                    } => {
                        let run = self.runs.get(&(feed, after.seq)).cloned();
                        let is_lost =
                            self.loses_first_runs && after.seq == 0 || self.loses == Some(feed);
                        inputs.push_back((FeedInput::Read { ticket, run }, is_lost));
                    }
                    _ => {}
                }
            }
        }
    }

    pub(crate) fn meet(&mut self, bench: &mut Bench) {
        let options = LinkOptions::default();
        bench.handle(Input::Gossip(Gossip::Opened {
            link: LINK,
            options,
            neighbour: Neighbour {
                node: "m/stranger".parse().unwrap(),
                key: PublicKey::from_bytes([200; 32]),
            },
        }));
        let options = LinkOptions {
            is_ordered: false,
            ..options
        };
        self.handle(
            bench,
            FeedInput::Opened {
                link: LINK,
                options,
            },
        );
        let mut silences = 0;
        loop {
            let outputs = std::mem::take(&mut bench.outputs);
            let mut moved = false;
            for output in outputs {
                match output {
                    Output::Gossip { link: LINK, bytes } => {
                        moved = true;
                        self.handle(bench, FeedInput::Received { link: LINK, bytes });
                    }
                    other => bench.outputs.push(other),
                }
            }
            silences = if moved { 0 } else { silences + 1 };
            if silences == 30 {
                return;
            }
            bench.pass_ms(100);
            self.handle(bench, FeedInput::Tick);
        }
    }
}
