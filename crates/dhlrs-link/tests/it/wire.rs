//! Two processes and the wire between them, in one thread, from one seed.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use dhlrs_clock::Time;
use dhlrs_identity::{KeyedHashSigner, KeyedHashVerifier, PublicKey};
use dhlrs_link::{
    Capability, Config, Ending, EndingKind, LinkId, LinkInput, LinkOutput, Links, Peer, Side,
};

pub(crate) const REALM: [u8; 32] = [0x77; 32];

pub(crate) fn stream() -> Capability {
    Capability {
        frame_bytes_max: 1 << 20,
        ordered: true,
        reliable: true,
        acknowledged: false,
        replay: false,
        encrypted: false,
        point_to_point: true,
    }
}

pub(crate) fn datagrams() -> Capability {
    Capability {
        ordered: false,
        reliable: false,
        ..stream()
    }
}

pub(crate) fn key(number: u8) -> PublicKey {
    PublicKey::from_bytes([number; 32])
}

pub(crate) fn config(number: u8) -> Config {
    Config::new(format!("m{number}/p").parse().unwrap())
}

/// The links of process `number`, in its `run`th life.
pub(crate) fn links_with(number: u8, run: u8, config: Config) -> Links {
    let mut entropy = [number; 32];
    entropy[0] = run;
    let signer = KeyedHashSigner::new(REALM, key(number));
    Links::new(
        config,
        Arc::new(signer),
        Arc::new(KeyedHashVerifier::new(REALM)),
        entropy,
    )
}

pub(crate) fn links(number: u8) -> Links {
    links_with(number, 0, config(number))
}

pub(crate) fn open() -> Side {
    Side::Accepted { open: true }
}

/// A small generator: all that a test needs, and the same on every machine.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

/// What the wire does to frames, each a chance in 100.
#[derive(Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) drop: u64,
    pub(crate) double: u64,
    pub(crate) reorder: u64,
}

/// One end: its links, and all that they said.
pub(crate) struct End {
    pub(crate) links: Links,
    pub(crate) messages: Vec<Bytes>,
    pub(crate) events: Vec<LinkOutput>,
    pub(crate) frames_sent: Vec<Bytes>,
    pub(crate) open: BTreeSet<LinkId>,
    arriving: VecDeque<(u64, LinkId, Bytes)>,
}

pub(crate) struct World {
    pub(crate) ends: [End; 2],
    pub(crate) now: Time,
    pub(crate) dice: Dice,
    pub(crate) faults: Faults,
    pub(crate) delay_ms: u64,
    links_opened: u64,
}

impl World {
    pub(crate) fn new(near: Links, far: Links) -> Self {
        let end = |links| End {
            links,
            messages: Vec::new(),
            events: Vec::new(),
            frames_sent: Vec::new(),
            open: BTreeSet::new(),
            arriving: VecDeque::new(),
        };
        Self {
            ends: [end(near), end(far)],
            now: Time {
                wall_ms: 1_000_000,
                monotonic_ms: 0,
            },
            dice: Dice(1),
            faults: Faults::default(),
            delay_ms: 1,
            links_opened: 0,
        }
    }

    /// Opens a channel from end `from` to the other one, whoever is there.
    pub(crate) fn connect_as(
        &mut self,
        from: usize,
        capability: &Capability,
        connecting: Side,
        accepting: Side,
    ) -> LinkId {
        self.links_opened += 1;
        let link = LinkId::new(self.links_opened);
        for (at, side) in [(from, connecting), (1 - from, accepting)] {
            self.ends[at].open.insert(link);
            self.input(
                at,
                LinkInput::Opened {
                    link,
                    capability: capability.clone(),
                    side,
                },
            );
        }
        link
    }

    pub(crate) fn connect(&mut self) -> LinkId {
        let last = self.ends[0].links.peers().next().cloned();
        self.connect_as(0, &stream(), Side::Connected { key: None, last }, open())
    }

    pub(crate) fn input(&mut self, at: usize, input: LinkInput) {
        let mut outputs = Vec::new();
        self.ends[at].links.handle(self.now, input, &mut outputs);
        self.carry_out(at, outputs);
    }

    pub(crate) fn send(&mut self, at: usize, message: impl Into<Bytes>) {
        let peer = self.peer(at);
        let mut outputs = Vec::new();
        self.ends[at]
            .links
            .send(self.now, &peer, message.into(), &mut outputs)
            .unwrap();
        self.carry_out(at, outputs);
    }

    pub(crate) fn peer(&self, at: usize) -> Arc<Peer> {
        self.ends[at].links.peers().next().cloned().unwrap()
    }

    pub(crate) fn act(
        &mut self,
        at: usize,
        act: impl FnOnce(&mut Links, Time, &mut Vec<LinkOutput>),
    ) {
        let mut outputs = Vec::new();
        act(&mut self.ends[at].links, self.now, &mut outputs);
        self.carry_out(at, outputs);
    }

    fn carry_out(&mut self, at: usize, outputs: Vec<LinkOutput>) {
        let mut sent = Vec::new();
        for output in outputs {
            match output {
                LinkOutput::Send { link, frame } => {
                    self.ends[at].frames_sent.push(frame.clone());
                    self.put_on_wire(1 - at, link, frame);
                    sent.push(link);
                }
                LinkOutput::Message { message, .. } => self.ends[at].messages.push(message),
                LinkOutput::Close { link } => {
                    self.ends[at].open.remove(&link);
                    self.ends[at].events.push(LinkOutput::Close { link });
                }
                event => self.ends[at].events.push(event),
            }
        }
        for link in sent {
            self.input(at, LinkInput::Sent { link, frames: 1 });
        }
    }

    fn put_on_wire(&mut self, to: usize, link: LinkId, frame: Bytes) {
        if self.dice.roll(100) < self.faults.drop {
            return;
        }
        let copies = 1 + u64::from(self.dice.roll(100) < self.faults.double);
        for _ in 0..copies {
            let late = self.dice.roll(100) < self.faults.reorder;
            let due_ms =
                self.now.monotonic_ms + self.delay_ms + if late { self.dice.roll(40) } else { 0 };
            let arriving = &mut self.ends[to].arriving;
            let place = arriving
                .iter()
                .rposition(|(other_ms, ..)| *other_ms <= due_ms)
                .map_or(0, |at| at + 1);
            arriving.insert(place, (due_ms, link, frame.clone()));
        }
    }

    /// The wire breaks: what is on it is gone, and both ends notice.
    pub(crate) fn cut(&mut self) {
        for at in 0..2 {
            self.ends[at].arriving.clear();
            for link in std::mem::take(&mut self.ends[at].open) {
                self.input(at, LinkInput::Closed { link });
            }
        }
    }

    /// The wire goes dead: what is on it is gone, and nobody notices.
    pub(crate) fn go_dead(&mut self) {
        self.faults.drop = 100;
        for end in &mut self.ends {
            end.arriving.clear();
        }
    }

    /// Lets the time pass up to the next thing that happens; `false` when nothing does before `until_ms`.
    pub(crate) fn step(&mut self, until_ms: u64) -> bool {
        let arrival = (0..2)
            .filter_map(|at| Some((self.ends[at].arriving.front()?.0, at)))
            .min();
        let timer = (0..2)
            .filter_map(|at| Some((self.ends[at].links.deadline()?, at)))
            .min();
        let next_ms = arrival
            .into_iter()
            .chain(timer)
            .map(|(at_ms, _)| at_ms)
            .min();
        let Some(next_ms) = next_ms.filter(|next_ms| *next_ms <= until_ms) else {
            let passed_ms = until_ms.saturating_sub(self.now.monotonic_ms);
            self.now = self.now.plus_ms(passed_ms);
            return false;
        };
        self.now = self
            .now
            .plus_ms(next_ms.saturating_sub(self.now.monotonic_ms));
        if let Some((due_ms, at)) = arrival
            && due_ms == next_ms
        {
            let (_, link, bytes) = self.ends[at].arriving.pop_front().unwrap();
            // A channel that this end has closed delivers nothing any more.
            if self.ends[at].open.contains(&link) {
                self.input(at, LinkInput::Frame { link, bytes });
            }
        } else if let Some((_, at)) = timer {
            self.input(at, LinkInput::Tick);
        }
        true
    }

    pub(crate) fn run_for(&mut self, duration_ms: u64) {
        let until_ms = self.now.monotonic_ms + duration_ms;
        while self.step(until_ms) {}
    }

    /// Runs until both ends have acknowledged everything; fails after a simulated hour.
    #[track_caller]
    pub(crate) fn settle(&mut self) {
        let until_ms = self.now.monotonic_ms + 3_600_000;
        let unsettled = |world: &Self| {
            world.ends.iter().any(|end| {
                end.links
                    .peers()
                    .any(|peer| end.links.unacknowledged(peer) > 0)
            })
        };
        while unsettled(self) {
            assert!(self.step(until_ms), "messages stay unacknowledged");
        }
    }

    /// How the last connection of an end ended.
    #[track_caller]
    pub(crate) fn ending(&self, at: usize) -> Ending {
        let ending = self.ends[at]
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                LinkOutput::Down { ending, .. } => Some(ending.clone()),
                _ => None,
            });
        ending.unwrap()
    }

    #[track_caller]
    pub(crate) fn ended(&self, at: usize, kind: EndingKind) {
        assert_eq!(self.ending(at).kind, kind, "{:?}", self.ends[at].events);
    }

    pub(crate) fn ups(&self, at: usize) -> Vec<bool> {
        let resumed = |event: &LinkOutput| match event {
            LinkOutput::Up { resumed, .. } => Some(*resumed),
            _ => None,
        };
        self.ends[at].events.iter().filter_map(resumed).collect()
    }

    /// Unknown and unsent messages of each session that an end lost.
    pub(crate) fn lost(&self, at: usize) -> Vec<(u64, u64)> {
        let lost = |event: &LinkOutput| match event {
            LinkOutput::SessionLost {
                unknown_messages,
                unsent_messages,
                ..
            } => Some((*unknown_messages, *unsent_messages)),
            _ => None,
        };
        self.ends[at].events.iter().filter_map(lost).collect()
    }
}

pub(crate) fn pair() -> World {
    World::new(links(1), links(2))
}

/// Two ends that are connected over a stream.
pub(crate) fn connected() -> World {
    let mut world = pair();
    world.connect();
    world.run_for(10);
    assert_eq!((world.ups(0), world.ups(1)), (vec![false], vec![false]));
    world
}
