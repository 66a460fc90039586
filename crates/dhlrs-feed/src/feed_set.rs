//! All feeds of one replica, as far as they are whole: what it has checked, holds, and can pass on.

use std::collections::BTreeMap;

use dhlrs_identity::Verifier;

use crate::feed_error::{FeedError, FeedErrorKind};
use crate::pending::Pending;
use crate::{
    Event, EventId, FeedEnd, FeedId, ForkProof, Payload, Run, RunClaim, RunErrorKind, RunHeader,
    StoreId,
};

/// What a replica keeps at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeedLimits {
    /// Feeds of all authors.
    pub authors_max: usize,
    /// Bytes of runs that came too early, of all feeds.
    pub pending_bytes_max: usize,
    /// The same, of one feed.
    pub pending_feed_bytes_max: usize,
}

impl Default for FeedLimits {
    /// 10,000 feeds; 16 MiB, 1 MiB of one feed.
    fn default() -> Self {
        Self {
            authors_max: 10_000,
            pending_bytes_max: 16 * 1024 * 1024,
            pending_feed_bytes_max: 1024 * 1024,
        }
    }
}

/// The feeds of one replica of a store without a root.
///
/// Runs come in any order, any number of times. What is in the set is checked, and whole from the first event on. The
/// runs themselves are kept by whoever drives it: 40 bytes a run stay in memory, and what waits, within
/// [`FeedLimits`]. A run costs its decoding, a signature check, and O(log of the feeds).
#[derive(Clone, Debug)]
pub struct FeedSet {
    store: StoreId,
    limits: FeedLimits,
    feeds: BTreeMap<FeedId, Feed>,
    pending: Pending,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Feed {
    // Invariant: the ends of the runs that are held, from the first run on, without a hole, and none above the close.
    pub(crate) ends: Vec<FeedEnd>,
    /// The wall of the last run.
    pub(crate) wall_ms: u64,
    pub(crate) close: Option<Close>,
}

#[derive(Clone, Debug)]
pub(crate) struct Close {
    pub(crate) at: u64,
    pub(crate) proof: Option<Box<ForkProof>>,
}

/// A run and its events, which is part of the set now: to be stored, then reduced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRun {
    /// The run.
    pub run: Run,
    /// Its events, with their ids.
    pub events: Vec<(Event, EventId)>,
}

/// A feed that ends here, for good: what stood above is void. Said again if it ends lower than was said before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeedClosed {
    /// The feed.
    pub feed: FeedId,
    /// The number of its last event.
    pub at: u64,
    /// What is left of what was held. Less than `at` while what leads there has not come.
    pub end: Option<FeedEnd>,
}

/// A checked claim that contradicts a run that is stored: [`FeedSet::prove`] wants to see that run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conflict {
    /// The feed.
    pub feed: FeedId,
    /// The claim.
    pub claim: RunClaim,
    /// The first number of the stored run.
    pub first: u64,
    /// The id before the stored run.
    pub prev: EventId,
}

/// What became of a run that came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is part of the set.
    Stored,
    /// It waits for the ones before it, while there is room.
    Pending,
    /// It was there already.
    Duplicate,
    /// Its feed ends below it.
    Closed,
    /// It contradicts what is there.
    Forked,
}

/// What a run or a proof came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// What became of it.
    pub outcome: Outcome,
    /// What is part of the set now, in order: it, and what had waited for it.
    pub runs: Vec<NewRun>,
    /// Feeds that end now.
    pub closed: Vec<FeedClosed>,
    /// Forks that want a proof.
    pub conflicts: Vec<Conflict>,
    /// A proof that is new, to be stored and passed on.
    pub proof: Option<ForkProof>,
}

impl Accepted {
    const fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            runs: Vec::new(),
            closed: Vec::new(),
            conflicts: Vec::new(),
            proof: None,
        }
    }
}

/// One feed as a replica holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeedState {
    /// How far; seq 0 if it holds nothing of it.
    pub end: FeedEnd,
    /// It takes no more than that: its author has ended it, or it was forked.
    pub is_closed: bool,
    /// The wall of its last run, in milliseconds.
    pub wall_ms: u64,
}

const NOTHING: FeedEnd = FeedEnd {
    seq: 0,
    id: EventId::NONE,
};

impl FeedSet {
    /// No feeds yet.
    #[must_use]
    pub fn new(store: StoreId, limits: FeedLimits) -> Self {
        Self {
            store,
            limits,
            feeds: BTreeMap::new(),
            pending: Pending::default(),
        }
    }

    /// Takes a run of this feed from somebody. `prev` is the id before it, if it was told.
    ///
    /// # Errors
    ///
    /// [`FeedError`]; then nothing has changed.
    pub fn accept(
        &mut self,
        feed: &FeedId,
        prev: Option<EventId>,
        bytes: &[u8],
        verifier: &dyn Verifier,
    ) -> Result<Accepted, FeedError> {
        let header = RunHeader::peek(bytes).map_err(|source| FeedError::refused(feed, source))?;
        if header.control != 0 {
            return Err(FeedError::new(FeedErrorKind::NoControl, feed));
        }
        self.check_room(feed)?;
        let own = self
            .end(feed, header.first.saturating_sub(1))
            .map(|end| end.id);
        let told = match header.first {
            1 => Some(EventId::NONE),
            _ => prev.or(own),
        };
        let unconnected = FeedError::new(FeedErrorKind::Unconnected, feed);
        let told = told.ok_or(unconnected.clone())?;
        // What is held already needs no second look at the signature.
        if own == Some(told)
            && self.end(feed, header.last()).is_some()
            && let Ok((run, _)) = Run::read_own(&self.store, feed, &told, bytes)
            && self.end(feed, header.last()) == Some(run.claim().end())
            && self.next_end(feed, header.first.saturating_sub(1)) == Some(run.claim().end())
        {
            return Ok(Accepted::new(Outcome::Duplicate));
        }
        let none = EventId::NONE;
        let (run, events) =
            Run::read(&self.store, feed, &told, &none, bytes, verifier).map_err(|source| {
                match source.kind() {
                    // It may follow another head than the one that is held.
                    RunErrorKind::BadSignature if prev.is_none() && header.first > 1 => unconnected,
                    _ => FeedError::refused(feed, source),
                }
            })?;
        let mut accepted = Accepted::new(Outcome::Stored);
        accepted.outcome = self.place(NewRun { run, events }, &mut accepted);
        self.drain(*feed, &mut accepted);
        Ok(accepted)
    }

    /// Takes a run of the own feed, when its record is logged.
    ///
    /// # Errors
    ///
    /// [`OutOfPlace`](FeedErrorKind::OutOfPlace): the replica may not write it. That there is room for a feed
    /// is seen to before its first event is written ([`FeedSet::is_full`]).
    pub fn accept_own(&mut self, run: &Run) -> Result<Vec<FeedClosed>, FeedError> {
        let feed = *run.feed();
        let (head, header) = (self.head(&feed), &run.claim().header);
        let is_next = head.seq + 1 == header.first && head.id == run.claim().prev;
        if !is_next || self.is_closed(&feed) {
            return Err(FeedError::new(FeedErrorKind::OutOfPlace, &feed));
        }
        let events = match header.first {
            1 => Run::read_own(&self.store, &feed, &head.id, run.bytes()).map(|(_, events)| events),
            _ => Ok(Vec::new()),
        };
        let events = events.map_err(|source| FeedError::refused(&feed, source))?;
        let mut accepted = Accepted::new(Outcome::Stored);
        let run = run.clone();
        self.place(NewRun { run, events }, &mut accepted);
        Ok(accepted.closed)
    }

    /// Takes back a run that this replica had stored, in the order in which it was; its signature is not checked again.
    ///
    /// # Errors
    ///
    /// When it does not follow what was restored before: the storage has lost something. The runs of other feeds, and
    /// what peers send again, may still come.
    pub fn restore(&mut self, feed: &FeedId, bytes: &[u8]) -> Result<Accepted, FeedError> {
        let header = RunHeader::peek(bytes).map_err(|source| FeedError::refused(feed, source))?;
        let head = self.head(feed);
        if head.seq + 1 != header.first {
            return Err(FeedError::new(FeedErrorKind::OutOfPlace, feed));
        }
        let (run, events) = Run::read_own(&self.store, feed, &head.id, bytes)
            .map_err(|source| FeedError::refused(feed, source))?;
        let mut accepted = Accepted::new(Outcome::Stored);
        accepted.outcome = self.place(NewRun { run, events }, &mut accepted);
        Ok(accepted)
    }

    /// Takes a proof that a feed was forked: the feed ends below it, on every replica that knows it.
    ///
    /// # Errors
    ///
    /// [`FeedError`]; then nothing has changed.
    pub fn accept_proof(
        &mut self,
        proof: &ForkProof,
        verifier: &dyn Verifier,
    ) -> Result<Accepted, FeedError> {
        let feed = proof.feed();
        let close = self.feeds.get(feed).and_then(|feed| feed.close.as_ref());
        let is_known =
            close.is_some_and(|close| close.proof.is_some() && close.at <= proof.close_at());
        if is_known {
            return Ok(Accepted::new(Outcome::Duplicate));
        }
        self.check_room(feed)?;
        proof
            .verify(&self.store, verifier)
            .map_err(|source| FeedError::refused(feed, source))?;
        let mut accepted = Accepted::new(Outcome::Stored);
        self.close_by(proof.clone(), &mut accepted);
        Ok(accepted)
    }

    /// Makes the proof of a conflict, of the stored run that [`Conflict::first`] names, and closes the feed.
    ///
    /// # Errors
    ///
    /// [`OutOfPlace`](FeedErrorKind::OutOfPlace) if it is another run, or none: the storage has lost something.
    pub fn prove(&mut self, conflict: &Conflict, stored: &[u8]) -> Result<Accepted, FeedError> {
        let feed = &conflict.feed;
        let (run, _) = Run::read_own(&self.store, feed, &conflict.prev, stored)
            .map_err(|source| FeedError::refused(feed, source))?;
        let proof = ForkProof::new(*feed, *run.claim(), conflict.claim);
        let proof = proof.ok_or(FeedError::new(FeedErrorKind::OutOfPlace, feed))?;
        let mut accepted = Accepted::new(Outcome::Stored);
        let close = self.feeds.get(feed).and_then(|feed| feed.close.as_ref());
        let is_lower =
            close.is_none_or(|close| close.proof.is_none() || proof.close_at() < close.at);
        if is_lower {
            self.close_by(proof, &mut accepted);
        }
        Ok(accepted)
    }

    /// Forgets what is held of a feed above `seq`: the storage has lost it. Peers send it again.
    pub fn forget(&mut self, feed: &FeedId, seq: u64) {
        if let Some(held) = self.feeds.get_mut(feed) {
            held.ends.retain(|end| end.seq <= seq);
        }
    }

    fn check_room(&self, feed: &FeedId) -> Result<(), FeedError> {
        if self.feeds.contains_key(feed) || self.pending.holds(feed) {
            return Ok(());
        }
        let waiting = || {
            let feeds = self.pending.feeds();
            feeds.filter(|feed| !self.feeds.contains_key(feed)).count()
        };
        let (held, most) = (self.feeds.len(), self.limits.authors_max);
        match held + self.pending.len() < most || held + waiting() < most {
            true => Ok(()),
            false => Err(FeedError::new(FeedErrorKind::Full, feed)),
        }
    }

    /// Puts a checked run where it belongs.
    fn place(&mut self, new: NewRun, accepted: &mut Accepted) -> Outcome {
        let (feed, claim) = (*new.run.feed(), *new.run.claim());
        let (first, last) = (claim.header.first, claim.header.last());
        let head = self.head(&feed);
        if let Some(close) = self.feeds.get(&feed).and_then(|feed| feed.close.as_ref())
            && last > close.at
        {
            // One that reaches across the end shows that the fork began lower.
            let lower = match &close.proof {
                Some(proof) if first <= close.at => {
                    let [low, _] = proof.claims();
                    ForkProof::new(feed, *low, claim)
                }
                _ => None,
            };
            if let Some(proof) = lower {
                self.close_by(proof, accepted);
            }
            return Outcome::Closed;
        }
        if first > head.seq + 1 {
            let limits = self.limits;
            self.pending.keep(
                new.run,
                limits.pending_feed_bytes_max,
                limits.pending_bytes_max,
            );
            return Outcome::Pending;
        }
        if first == head.seq + 1 && claim.prev == head.id {
            let held = self.feeds.entry(feed).or_default();
            held.ends.push(claim.end());
            held.wall_ms = claim.header.wall_ms;
            // Only a feed's first events can end others.
            let said = if first == 1 {
                new.events.as_slice()
            } else {
                &[]
            };
            let ends = said.iter().map_while(|(event, _)| match &event.payload {
                Payload::Close { epoch, end } => Some((*epoch, *end)),
                _ => None,
            });
            for (epoch, end) in ends.filter(|(epoch, _)| *epoch != feed.epoch) {
                let ended = FeedId::new(feed.author, epoch);
                self.close(ended, end.map_or(0, |end| end.seq), None, accepted);
            }
            accepted.runs.push(new);
            return Outcome::Stored;
        }
        let stored = self.run_at(&feed, first.saturating_sub(1).max(1));
        let stored = match first <= head.seq {
            true => self.run_at(&feed, first),
            false => stored,
        };
        let Some((prev, end)) = stored else {
            return Outcome::Duplicate;
        };
        if prev.seq + 1 == first && end == claim.end() && prev.id == claim.prev {
            return Outcome::Duplicate;
        }
        accepted.conflicts.push(Conflict {
            feed,
            claim,
            first: prev.seq + 1,
            prev: prev.id,
        });
        Outcome::Forked
    }

    /// Takes in what waited for the head.
    fn drain(&mut self, feed: FeedId, accepted: &mut Accepted) {
        loop {
            let head = self.head(&feed);
            let ready = self.pending.take(&feed, head.seq + 1);
            if ready.is_empty() {
                return;
            }
            for run in ready {
                let prev = run.claim().prev;
                let read = Run::read_own(&self.store, &feed, &prev, run.bytes());
                if let Ok((run, events)) = read {
                    self.place(NewRun { run, events }, accepted);
                }
            }
        }
    }

    fn close_by(&mut self, proof: ForkProof, accepted: &mut Accepted) {
        let (feed, at) = (*proof.feed(), proof.close_at());
        let [low, _] = *proof.claims();
        // A stored run across the end contradicts the proof's claims: the fork began lower still.
        if let Some((prev, end)) = self.run_at(&feed, at + 1)
            && prev.seq < at
            && end.seq > at
        {
            accepted.conflicts.push(Conflict {
                feed,
                claim: low,
                first: prev.seq + 1,
                prev: prev.id,
            });
        }
        accepted.proof = Some(proof.clone());
        self.close(feed, at, Some(Box::new(proof)), accepted);
    }

    fn close(
        &mut self,
        feed: FeedId,
        at: u64,
        proof: Option<Box<ForkProof>>,
        accepted: &mut Accepted,
    ) {
        let held = self.feeds.entry(feed).or_default();
        match &mut held.close {
            Some(close) => {
                close.at = close.at.min(at);
                if proof.is_some() {
                    close.proof = proof;
                }
            }
            None => held.close = Some(Close { at, proof }),
        }
        let at = held.close.as_ref().map_or(at, |close| close.at);
        held.ends.retain(|end| end.seq <= at);
        let end = held.ends.last().copied();
        self.pending.cut(&feed, at);
        accepted
            .runs
            .retain(|new| *new.run.feed() != feed || new.run.claim().header.last() <= at);
        accepted.closed.push(FeedClosed { feed, at, end });
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = (&FeedId, &Feed)> {
        self.feeds.iter()
    }

    pub(crate) fn hold(&mut self, feed: FeedId, held: Feed) {
        self.feeds.insert(feed, held);
    }

    /// The run that holds this event: the end before it, and its own.
    fn run_at(&self, feed: &FeedId, seq: u64) -> Option<(FeedEnd, FeedEnd)> {
        let ends = &self.feeds.get(feed)?.ends;
        let at = ends.partition_point(|end| end.seq < seq);
        let before = at.checked_sub(1).and_then(|before| ends.get(before));
        Some((before.copied().unwrap_or(NOTHING), *ends.get(at)?))
    }

    /// The end of a run at exactly this number; the beginning of the feed is one.
    #[must_use]
    pub fn end(&self, feed: &FeedId, seq: u64) -> Option<FeedEnd> {
        if seq == 0 {
            return Some(NOTHING);
        }
        let ends = &self.feeds.get(feed)?.ends;
        let at = ends.binary_search_by_key(&seq, |end| end.seq).ok()?;
        ends.get(at).copied()
    }

    /// The end of the first run that ends above this number.
    #[must_use]
    pub fn next_end(&self, feed: &FeedId, seq: u64) -> Option<FeedEnd> {
        let ends = &self.feeds.get(feed)?.ends;
        ends.get(ends.partition_point(|end| end.seq <= seq))
            .copied()
    }

    /// The ends of the runs that are held of a feed.
    #[must_use]
    pub fn ends(&self, feed: &FeedId) -> &[FeedEnd] {
        self.feeds.get(feed).map_or(&[], |feed| &feed.ends)
    }

    /// How far a feed is held; seq 0 if not at all.
    #[must_use]
    pub fn head(&self, feed: &FeedId) -> FeedEnd {
        self.ends(feed).last().copied().unwrap_or(NOTHING)
    }

    /// Whether the feed takes no more.
    #[must_use]
    pub fn is_closed(&self, feed: &FeedId) -> bool {
        self.feeds
            .get(feed)
            .is_some_and(|feed| feed.close.is_some())
    }

    /// Why the feed was closed, if it was forked.
    #[must_use]
    pub fn proof(&self, feed: &FeedId) -> Option<&ForkProof> {
        let close = self.feeds.get(feed)?.close.as_ref()?;
        close.proof.as_deref()
    }

    /// Why feeds were closed that were forked, in the order of feeds.
    pub fn proofs(&self) -> impl Iterator<Item = &ForkProof> + '_ {
        let closes = self.feeds.values().filter_map(|feed| feed.close.as_ref());
        closes.filter_map(|close| close.proof.as_deref())
    }

    /// One feed; `None` if nothing is held of it and no proof.
    #[must_use]
    pub fn state(&self, feed: &FeedId) -> Option<FeedState> {
        self.feeds.get(feed).and_then(Feed::state)
    }

    /// Each feed of which something is held, or which was forked; in their order.
    pub fn frontier(&self) -> impl Iterator<Item = (FeedId, FeedState)> + '_ {
        (self.feeds.iter()).filter_map(|(feed, held)| Some((*feed, held.state()?)))
    }

    /// Each feed that has ended, with the number of its last event, whether or not that is held; in their order.
    pub fn closed(&self) -> impl Iterator<Item = (FeedId, u64)> + '_ {
        (self.feeds.iter()).filter_map(|(feed, held)| Some((*feed, held.close.as_ref()?.at)))
    }

    /// Whether no new feed can come, not even an own one.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.feeds.len() >= self.limits.authors_max
    }

    /// Bytes of runs that wait for others.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.pending.bytes()
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &StoreId {
        &self.store
    }
}

impl Feed {
    fn state(&self) -> Option<FeedState> {
        let end = self.ends.last().copied();
        let is_forked = self
            .close
            .as_ref()
            .is_some_and(|close| close.proof.is_some());
        (end.is_some() || is_forked).then(|| FeedState {
            end: end.unwrap_or(NOTHING),
            is_closed: self.close.is_some(),
            wall_ms: self.wall_ms,
        })
    }
}
