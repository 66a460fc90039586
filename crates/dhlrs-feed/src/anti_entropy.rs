//! The machine that brings replicas to equal feeds, whatever links lose.

use std::collections::{BTreeMap, VecDeque};

use dhlrs_clock::Time;
use dhlrs_identity::{PublicKey, Verifier};

use crate::frontier::FeedTag;
use crate::message::{FeedRef, Message, MessageError};
use crate::peer::{LinkOptions, Peer};
use crate::transfer::Partial;
use crate::{
    Accepted, Conflict, EventId, FeedClosed, FeedEnd, FeedError, FeedErrorKind, FeedId, FeedSet,
    ForkProof, NewRun, Outcome, Run,
};

/// Bytes of runs that have just come and are kept to be passed on without reading them back.
const RECENT_BYTES_MAX: usize = 256 * 1024;
/// Messages in parts that are kept when their link goes, to go on with another peer.
const ORPHANS_MAX: usize = 4;

/// One link to one peer, as whoever drives the machine numbers it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkId(pub u64);

/// Names a read that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReadTicket(u64);

/// What happens to the machine.
#[derive(Clone, Debug)]
pub enum FeedInput {
    /// A peer can be reached.
    Opened {
        /// Over this link.
        link: LinkId,
        /// Which can do this.
        options: LinkOptions,
    },
    /// A link is gone, and what was on its way.
    Closed {
        /// The link.
        link: LinkId,
    },
    /// A peer has said something.
    Received {
        /// Over this link.
        link: LinkId,
        /// The message.
        bytes: Vec<u8>,
    },
    /// An own run was cut, and its record is durable.
    Own(Run),
    /// The answer to [`FeedOutput::Read`].
    Read {
        /// Which.
        ticket: ReadTicket,
        /// The run's bytes; `None` if the storage has lost it.
        run: Option<Vec<u8>>,
    },
    /// The storage has lost what stood above this number of a feed; it is asked for again.
    Lost {
        /// The feed.
        feed: FeedId,
        /// The last number that is left.
        seq: u64,
    },
    /// The time of [`AntiEntropy::wake_at`] has come.
    Tick,
}

/// What is to be done, in this order: what stands after a `Store` or `StoreProof` waits until that is durable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FeedOutput {
    /// Send a message; at most [`LinkOptions::message_bytes_max`] bytes.
    Send {
        /// Over this link.
        link: LinkId,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Store the run whole, then reduce its events.
    Store(NewRun),
    /// Store the proof: a restart gives it to [`FeedSet::accept_proof`] again.
    StoreProof(ForkProof),
    /// A feed ends: the reducer closes it, and what the storage has above is of no use.
    Closed(FeedClosed),
    /// Read the run of this feed that follows this end, and answer with [`FeedInput::Read`].
    Read {
        /// Names the read.
        ticket: ReadTicket,
        /// The feed.
        feed: FeedId,
        /// The end before the run.
        after: FeedEnd,
    },
    /// A peer has signed runs of the own author that this replica does not know: a backup was put back, or the key is
    /// used twice. Go on in a new epoch.
    OwnAhead {
        /// The feed.
        feed: FeedId,
        /// How far it is held now.
        end: FeedEnd,
    },
    /// An own run was not taken: the replica is full, or the feed was closed.
    OwnRefused(FeedError),
    /// A peer sent something that is wrong in itself.
    Refused {
        /// Over this link.
        link: LinkId,
        /// Why.
        reason: Refusal,
    },
}

/// Why something that a peer sent was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It was no message.
    Message(MessageError),
    /// It was about another store.
    OtherStore,
    /// It was a run or a proof that does not hold.
    Feed(FeedError),
}

/// Keeps the feeds of one replica and exchanges them with its peers.
///
/// It does nothing by itself: it is told what happens and says what to do. From any two states, over links that lose,
/// repeat and reorder, with messages of 256 bytes, peers end with equal feeds; then they are silent. Each run goes over
/// a link once unless the link loses something.
///
/// Memory: the [`FeedSet`]; for each link about 120 bytes for each feed in which the peer differs and 2 MiB at most for
/// messages in parts, and 256 KiB of runs that have just come.
pub struct AntiEntropy {
    pub(crate) set: FeedSet,
    pub(crate) own: Option<PublicKey>,
    verifier: Box<dyn Verifier>,
    pub(crate) peers: BTreeMap<LinkId, Peer>,
    pub(crate) feeds: BTreeMap<FeedTag, FeedId>,
    pub(crate) tags: BTreeMap<FeedId, FeedTag>,
    pub(crate) reads: BTreeMap<ReadTicket, Reading>,
    next_ticket: u64,
    recent: VecDeque<(FeedId, u64, Vec<u8>)>,
    recent_bytes: usize,
    orphans: VecDeque<Partial>,
    /// Of the last message that had one.
    pub(crate) salt: u64,
}

impl core::fmt::Debug for AntiEntropy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let waits = self.peers.iter().filter(|(_, peer)| !peer.is_whole());
        f.debug_map().entries(waits).finish()
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Reading {
    /// To send it.
    Serve {
        link: LinkId,
        feed: FeedId,
        after: FeedEnd,
    },
    /// To prove a fork.
    Prove(Box<Conflict>),
}

impl AntiEntropy {
    /// A machine over what a replica has. `own` is the key that it writes under.
    #[must_use]
    pub fn new(set: FeedSet, own: Option<PublicKey>, verifier: Box<dyn Verifier>) -> Self {
        let mut machine = Self {
            set,
            own,
            verifier,
            peers: BTreeMap::new(),
            feeds: BTreeMap::new(),
            tags: BTreeMap::new(),
            reads: BTreeMap::new(),
            next_ticket: 0,
            recent: VecDeque::new(),
            recent_bytes: 0,
            orphans: VecDeque::new(),
            salt: 0,
        };
        let feeds: Vec<_> = machine.set.frontier().map(|(feed, _)| feed).collect();
        feeds.iter().for_each(|feed| machine.learn_feed(feed));
        machine
    }

    /// The feeds.
    #[must_use]
    pub const fn feeds(&self) -> &FeedSet {
        &self.set
    }

    /// Whether nothing is to be sent to any peer, and nothing is expected of one.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.peers.values().all(Peer::is_whole)
    }

    /// When to give it a [`FeedInput::Tick`]; `None`: not before something else happens.
    #[must_use]
    pub fn wake_at(&self) -> Option<Time> {
        let of_peer = |peer: &Peer| {
            let waits = peer.has_queue() || !peer.outgoing.is_idle();
            let sends_at = peer.sends_at().filter(|_| waits);
            [peer.retry_at, peer.owed_at, sends_at]
                .into_iter()
                .flatten()
                .min()
        };
        self.peers.values().filter_map(of_peer).min()
    }

    /// Takes one input and says what to do.
    pub fn handle(&mut self, now: Time, input: FeedInput, outputs: &mut Vec<FeedOutput>) {
        match input {
            FeedInput::Opened { link, options } => {
                self.peers.insert(link, Peer::new(options, now));
                self.ask(now, link, outputs);
            }
            FeedInput::Closed { link } => self.close(link),
            FeedInput::Received { link, bytes } => self.received(now, link, &bytes, outputs),
            FeedInput::Own(run) => self.own_run(&run, outputs),
            FeedInput::Read { ticket, run } => self.has_read(now, ticket, run, outputs),
            FeedInput::Lost { feed, seq } => {
                self.set.forget(&feed, seq);
                self.recent.retain(|(other, ..)| *other != feed);
                self.recent_bytes = self.recent.iter().map(|(_, _, bytes)| bytes.len()).sum();
                let links: Vec<_> = self.peers.keys().copied().collect();
                links
                    .into_iter()
                    .for_each(|link| self.ask(now, link, outputs));
            }
            FeedInput::Tick => {}
        }
        self.run(now, outputs);
    }

    fn close(&mut self, link: LinkId) {
        let Some(peer) = self.peers.remove(&link) else {
            return;
        };
        self.orphans.extend(peer.incoming.into_partial());
        if self.orphans.len() > ORPHANS_MAX {
            self.orphans.pop_front();
        }
        self.reads.retain(
            |_, reading| !matches!(reading, Reading::Serve { link: of, .. } if *of == link),
        );
    }

    fn received(&mut self, now: Time, link: LinkId, bytes: &[u8], outputs: &mut Vec<FeedOutput>) {
        if !self.peers.contains_key(&link) {
            return;
        }
        let message = match Message::decode(bytes) {
            Ok(message) => message,
            Err(error) => {
                let reason = Refusal::Message(error);
                outputs.push(FeedOutput::Refused { link, reason });
                return;
            }
        };
        match message {
            Message::Beacon(beacon) => self.beacon(now, link, beacon, outputs),
            Message::Frontier {
                echo,
                is_full,
                salt,
                entries,
            } => self.frontier(now, link, (echo, is_full), (salt, entries), outputs),
            Message::Have { salt, entries } => {
                self.have(now, link, (salt, &entries), outputs);
            }
            Message::Run { feed, prev, bytes } => {
                let feed = match feed {
                    FeedRef::Named(feed) => Some(feed),
                    FeedRef::Tag(tag) => self.feeds.get(&tag).copied(),
                };
                // Not known: the one that names it was lost, and will come again.
                if let Some(feed) = feed {
                    let result = self.set.accept(&feed, prev, &bytes, &*self.verifier);
                    self.took(now, link, feed, result, outputs);
                }
            }
            Message::Proof(proof) => {
                let result = self.set.accept_proof(&proof, &*self.verifier);
                self.took(now, link, *proof.feed(), result, outputs);
                self.has_proof(link, &proof);
            }
            Message::Probe { tag, salt, ends } => {
                self.probed(now, link, tag, (salt, &ends), outputs);
            }
            Message::Match { tag, seq } => self.matched(now, link, tag, seq, outputs),
            Message::Part(part) => {
                let orphans = &mut self.orphans;
                let Some(peer) = self.peers.get_mut(&link) else {
                    return;
                };
                let arrived = peer.incoming.take(&part, |key| {
                    let at = orphans.iter().position(|orphan| orphan.key() == key)?;
                    orphans.remove(at)
                });
                if let Some(message) = arrived.acknowledge {
                    self.send(now, link, &message, outputs);
                }
                // A message in parts holds no parts.
                let is_plain = |whole: &Vec<u8>| !Message::is_part(whole);
                if let Some(whole) = arrived.whole.filter(is_plain) {
                    self.received(now, link, &whole, outputs);
                }
            }
            Message::PartHave { key, upto } => {
                if let Some(peer) = self.peers.get_mut(&link)
                    && peer.outgoing.arrived(key, upto)
                {
                    peer.progress();
                }
            }
        }
    }

    fn own_run(&mut self, run: &Run, outputs: &mut Vec<FeedOutput>) {
        let before = self.set.head(run.feed()).seq;
        match self.set.accept_own(run) {
            Ok(closed) => {
                self.remember(run);
                self.advanced(run.feed(), before, None);
                for closed in closed {
                    self.closed(&closed, outputs);
                }
            }
            Err(error) => outputs.push(FeedOutput::OwnRefused(error)),
        }
    }

    /// Follows up on a run or a proof that a peer sent.
    fn took(
        &mut self,
        now: Time,
        link: LinkId,
        feed: FeedId,
        result: Result<Accepted, FeedError>,
        outputs: &mut Vec<FeedOutput>,
    ) {
        let accepted = match result {
            Ok(accepted) => accepted,
            Err(error) => {
                match error.kind() {
                    FeedErrorKind::Unconnected => self.owe(now, link, feed),
                    FeedErrorKind::Full => {}
                    _ => {
                        let reason = Refusal::Feed(error);
                        outputs.push(FeedOutput::Refused { link, reason });
                    }
                }
                return;
            }
        };
        self.follow(accepted, Some(link), outputs);
        self.owe(now, link, feed);
    }

    pub(crate) fn follow(
        &mut self,
        accepted: Accepted,
        link: Option<LinkId>,
        outputs: &mut Vec<FeedOutput>,
    ) {
        if let Some(peer) = link.and_then(|link| self.peers.get_mut(&link))
            && accepted.outcome != Outcome::Duplicate
        {
            peer.progress();
        }
        let mut first = None;
        for new in accepted.runs {
            let (feed, end) = (*new.run.feed(), new.run.claim().end());
            self.remember(&new.run);
            // What follows the first had waited here, and may have come from somebody else.
            first.get_or_insert((feed, new.run.claim().header.first - 1, end.seq));
            outputs.push(FeedOutput::Store(new));
            if self.own == Some(feed.author) {
                outputs.push(FeedOutput::OwnAhead { feed, end });
            }
        }
        if let Some((feed, before, end)) = first {
            self.advanced(&feed, before, link.map(|link| (link, end)));
        }
        if let Some(proof) = accepted.proof {
            self.learn_feed(proof.feed());
            outputs.push(FeedOutput::StoreProof(proof));
        }
        for closed in &accepted.closed {
            self.closed(closed, outputs);
        }
        for conflict in accepted.conflicts {
            let after = FeedEnd {
                seq: conflict.first - 1,
                id: conflict.prev,
            };
            let feed = conflict.feed;
            let is_known =
                |reading: &Reading| matches!(reading, Reading::Prove(other) if other.feed == feed);
            // One proof a feed is enough to go on.
            if !self.reads.values().any(is_known) {
                let reading = Reading::Prove(Box::new(conflict));
                self.read(reading, feed, after, outputs);
            }
        }
    }

    pub(crate) fn read(
        &mut self,
        reading: Reading,
        feed: FeedId,
        after: FeedEnd,
        outputs: &mut Vec<FeedOutput>,
    ) {
        self.next_ticket += 1;
        let ticket = ReadTicket(self.next_ticket);
        self.reads.insert(ticket, reading);
        outputs.push(FeedOutput::Read {
            ticket,
            feed,
            after,
        });
    }

    pub(crate) fn learn_feed(&mut self, feed: &FeedId) {
        if !self.tags.contains_key(feed) {
            let tag = FeedTag::new(self.set.store(), feed);
            self.tags.insert(*feed, tag);
            self.feeds.entry(tag).or_insert(*feed);
        }
    }

    fn remember(&mut self, run: &Run) {
        self.learn_feed(run.feed());
        let bytes = run.bytes().to_vec();
        self.recent_bytes += bytes.len();
        let after = run.claim().header.first - 1;
        self.recent.push_back((*run.feed(), after, bytes));
        while self.recent_bytes > RECENT_BYTES_MAX {
            let dropped = self.recent.pop_front();
            self.recent_bytes -= dropped.map_or(self.recent_bytes, |(_, _, bytes)| bytes.len());
        }
    }

    pub(crate) fn recent(&self, feed: &FeedId, after: u64) -> Option<&[u8]> {
        let recent = self.recent.iter().rev();
        let mut same = recent.filter(|(of, at, _)| (of, *at) == (feed, after));
        same.next().map(|(_, _, bytes)| bytes.as_slice())
    }

    pub(crate) fn prev(&self, feed: &FeedId, seq: u64) -> Option<EventId> {
        self.set.end(feed, seq).map(|end| end.id)
    }
}
