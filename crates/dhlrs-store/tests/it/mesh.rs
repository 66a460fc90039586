//! Replicas of one store in one thread, and links between them that a test cuts and heals.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dhlrs_feed::{LinkId, LinkOptions};
use dhlrs_identity::{KeyedHashSigner, KeyedHashVerifier, PublicKey};
use dhlrs_store::{Authority, Config, Gossip, Input, Keys, Neighbour, Output, Replication};

use crate::bench::{Bench, config, resolvers};

const REALM: [u8; 32] = [9; 32];
/// Messages until replicas that are told nothing new have to be silent.
const MESSAGES_MAX: usize = 100_000;

pub(crate) struct Mesh {
    pub(crate) nodes: Vec<Bench>,
    links: BTreeSet<(usize, usize)>,
    next_link: u64,
    /// Which link of whom leads to whom.
    ways: BTreeMap<(usize, LinkId), usize>,
    /// Changes between two checkpoints.
    window: Option<usize>,
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

pub(crate) fn replicated(author: u8, logged: bool) -> Config {
    let mut config = config(logged);
    config.entropy = [author; 32];
    config.authority = Some(Authority::Replicated);
    let key = PublicKey::from_bytes([author; 32]);
    config.replication = Some(Replication::new(Keys {
        signer: Arc::new(KeyedHashSigner::new(REALM, key)),
        verifier: Arc::new(KeyedHashVerifier::new(REALM)),
    }));
    config
}

fn windowed(author: u8, window: Option<usize>) -> Config {
    let mut config = replicated(author, true);
    if let Some(changes) = window {
        config.limits.window_changes_max = changes;
    }
    config
}

impl Mesh {
    /// Replicas with a log each, and no links.
    pub(crate) fn of(count: u8) -> Self {
        Self::with_window(count, None)
    }

    /// The same with a checkpoint after every so many changes.
    pub(crate) fn with_window(count: u8, window: Option<usize>) -> Self {
        let node = |author| Bench::of(windowed(author, window), resolvers());
        Self {
            window,
            nodes: (1..=count).map(node).collect(),
            links: BTreeSet::new(),
            next_link: 0,
            ways: BTreeMap::new(),
            messages: 0,
            bytes: 0,
        }
    }

    pub(crate) fn link(&mut self, a: usize, b: usize) {
        self.links.insert((a, b));
        for (from, to) in [(a, b), (b, a)] {
            self.next_link += 1;
            let link = LinkId(self.next_link);
            self.ways.insert((from, link), to);
        }
        for (from, to) in [(a, b), (b, a)] {
            let link = self.way(from, to);
            let options = LinkOptions::default();
            let neighbour = Neighbour {
                node: format!("m/{to}").parse().unwrap(),
                key: PublicKey::from_bytes([to as u8; 32]),
            };
            self.nodes[from].handle(Input::Gossip(Gossip::Opened {
                link,
                options,
                neighbour,
            }));
        }
    }

    pub(crate) fn cut(&mut self, a: usize, b: usize) {
        self.links.remove(&(a, b));
        for (from, to) in [(a, b), (b, a)] {
            let link = self.way(from, to);
            self.ways.remove(&(from, link));
            self.nodes[from].handle(Input::Gossip(Gossip::Closed { link }));
        }
    }

    fn way(&self, from: usize, to: usize) -> LinkId {
        let mut ways = self.ways.iter();
        let way = ways.find(|((at, _), other)| (*at, **other) == (from, to));
        way.unwrap().0.1
    }

    /// The process dies and starts again from its disk; its links come back.
    pub(crate) fn restart(&mut self, at: usize) {
        self.restart_as(at, false);
    }

    pub(crate) fn restart_as(&mut self, at: usize, restored: bool) {
        let peers: Vec<_> = self.links.iter().copied().collect();
        let peers = peers.into_iter().filter(|(a, b)| *a == at || *b == at);
        let peers: Vec<_> = peers.collect();
        for (a, b) in &peers {
            let other = if *a == at { *b } else { *a };
            let link = self.way(other, at);
            self.nodes[other].handle(Input::Gossip(Gossip::Closed { link }));
            self.ways.remove(&(other, link));
            let link = self.way(at, other);
            self.ways.remove(&(at, link));
        }
        let author = u8::try_from(at + 1).unwrap();
        let mut config = windowed(author, self.window);
        config.restored = restored;
        self.nodes[at].restart_as(config, resolvers());
        for (a, b) in peers {
            self.link(a, b);
        }
    }

    /// Lets everything that is on its way arrive, and time pass, until all are silent for long.
    pub(crate) fn settle(&mut self) {
        for _ in 0..40 {
            self.deliver();
            for node in &mut self.nodes {
                node.pass_ms(100);
            }
        }
        self.deliver();
    }

    pub(crate) fn deliver(&mut self) {
        let begin = self.messages;
        loop {
            let mut moved = false;
            for from in 0..self.nodes.len() {
                let outputs = std::mem::take(&mut self.nodes[from].outputs);
                for output in outputs {
                    let Output::Gossip { link, bytes } = output else {
                        self.nodes[from].outputs.push(output);
                        continue;
                    };
                    let Some(to) = self.ways.get(&(from, link)).copied() else {
                        continue;
                    };
                    moved = true;
                    self.messages += 1;
                    self.bytes += bytes.len();
                    assert!(self.messages - begin < MESSAGES_MAX, "no silence");
                    let link = self.way(to, from);
                    self.nodes[to].handle(Input::Gossip(Gossip::Received { link, bytes }));
                }
            }
            if !moved {
                return;
            }
        }
    }

    #[track_caller]
    pub(crate) fn assert_equal(&mut self) {
        let hashes = self.nodes.iter_mut().map(|node| node.store.state_hash());
        let hashes: Vec<_> = hashes.map(Option::unwrap).collect();
        assert!(
            hashes.iter().all(|hash| *hash == hashes[0]),
            "{hashes:02x?}"
        );
        let rows = |node: &Bench| -> Vec<_> {
            let mut rows: Vec<_> = node.store.published().image().collect();
            // When each replica learnt of it is its own affair.
            rows.iter_mut().for_each(|row| row.revision = 0);
            rows
        };
        let first = rows(&self.nodes[0]);
        for node in &self.nodes {
            assert_eq!(rows(node), first);
        }
    }
}
