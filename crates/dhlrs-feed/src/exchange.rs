//! Finding out where a peer differs: beacons, frontiers, acknowledgements, and the search for a fork.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_clock::Time;

use crate::anti_entropy::{AntiEntropy, FeedOutput, LinkId, Refusal};
use crate::frontier::{Entry, FeedTag, first, head_prefix};
use crate::message::{
    Beacon, MESSAGE_BYTES_MIN, Message, Want, entries_max, probe_ends_max, symbols_max,
};
use crate::peer::{ACKNOWLEDGE_MS, Clash, Difference, ProofState};
use crate::sketch::{difference, sketch};
use crate::{FeedClosed, FeedId, ForkProof};

/// The most symbols that are sent at once.
const SYMBOLS_MAX: u16 = 8_192;
const SYMBOL_BYTES: usize = 27;
const ENTRY_BYTES: usize = 17;

/// How a peer stands to this replica in one feed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Relation {
    Same,
    Behind,
    Ahead,
    /// Its runs are others.
    Diverged,
}

impl AntiEntropy {
    /// A beacon of at most 256 bytes, for whoever may hear it; what comes back is received as from any peer.
    pub fn beacon_to_all(&mut self) -> Vec<u8> {
        let beacon = self.beacon_of(symbols_max(MESSAGE_BYTES_MIN), (0, 0), Want::Nothing);
        Message::Beacon(beacon).encode()
    }

    fn entries(&self, salt: u64) -> impl Iterator<Item = Entry> + '_ {
        self.set.frontier().filter_map(move |(feed, state)| {
            let tag = self.tags.get(&feed)?;
            Some(Entry::new(*tag, &state, salt))
        })
    }

    fn next_salt(&mut self) -> u64 {
        self.salt += 1;
        self.salt
    }

    fn beacon_of(&mut self, symbols: usize, (nonce, echo): (u64, u64), want: Want) -> Beacon {
        let salt = self.next_salt();
        Beacon {
            store: first(self.set.store().as_bytes()),
            nonce,
            echo,
            want,
            is_full: self.set.is_full(),
            feeds: self.set.frontier().count() as u64,
            events: self.set.frontier().map(|(_, state)| state.end.seq).sum(),
            digest: first(&self.set.digest()),
            salt,
            symbols: sketch(self.entries(salt), symbols),
        }
    }

    /// Asks a peer where it is. Nothing else is sent until it has answered, so that the answer is exact.
    pub(crate) fn ask(&mut self, now: Time, link: LinkId, outputs: &mut Vec<FeedOutput>) {
        let want = Want::Symbols(symbols_max(MESSAGE_BYTES_MIN) as u16);
        self.ask_for(now, link, want, 0, outputs);
    }

    fn ask_for(
        &mut self,
        now: Time,
        link: LinkId,
        want: Want,
        echo: u64,
        outputs: &mut Vec<FeedOutput>,
    ) {
        let Some(peer) = self.peers.get_mut(&link) else {
            return;
        };
        peer.nonce += 1;
        peer.is_asking = true;
        peer.retry_at = None;
        let nonce = peer.nonce;
        let beacon = self.beacon_of(symbols_max(MESSAGE_BYTES_MIN), (nonce, echo), want);
        self.send(now, link, &Message::Beacon(beacon), outputs);
    }

    pub(crate) fn beacon(
        &mut self,
        now: Time,
        link: LinkId,
        beacon: Beacon,
        outputs: &mut Vec<FeedOutput>,
    ) {
        if beacon.store != first::<8>(self.set.store().as_bytes()) {
            let reason = Refusal::OtherStore;
            outputs.push(FeedOutput::Refused { link, reason });
            return;
        }
        let count = beacon.symbols.len();
        let found = match beacon.digest == first::<16>(&self.set.digest()) {
            true => Some(crate::sketch::Difference::default()),
            // None at all would mean two heads that look alike under this salt.
            false => difference(&sketch(self.entries(beacon.salt), count), &beacon.symbols)
                .filter(|found| !found.ours.is_empty() || !found.theirs.is_empty()),
        };
        let own_feeds = self.set.frontier().count() as u64;
        let is_known = found.is_some();
        if let Some(found) = found {
            let theirs = found
                .theirs
                .iter()
                .map(|entry| (entry.tag, *entry))
                .collect();
            let ours: Vec<_> = found.ours.iter().map(|entry| entry.tag).collect();
            let about = (beacon.echo, beacon.is_full);
            let theirs = (beacon.salt, theirs);
            self.learn(now, link, about, &ours, theirs, outputs);
        }
        let wanted = match beacon.want {
            Want::Nothing => None,
            Want::Symbols(count) => Some(usize::from(count.min(SYMBOLS_MAX))),
            Want::Frontier => {
                let salt = self.next_salt();
                let message = Message::Frontier {
                    echo: beacon.nonce,
                    is_full: self.set.is_full(),
                    salt,
                    entries: self.entries(salt).collect(),
                };
                self.send(now, link, &message, outputs);
                None
            }
        };
        if let Some(count) = wanted {
            let answer = self.beacon_of(count, (0, beacon.nonce), Want::Nothing);
            self.send(now, link, &Message::Beacon(answer), outputs);
        }
        // One question at a time: two peers that cannot tell would ask each other ever more often.
        let peer = self.peers.get(&link);
        let may_ask = peer.is_some_and(|peer| !peer.is_asking || peer.nonce == beacon.echo);
        if !is_known && may_ask {
            // More symbols, as long as they are fewer bytes than the whole frontier.
            let more = count.saturating_mul(4).max(32);
            let feeds = usize::try_from(beacon.feeds.max(own_feeds)).unwrap_or(usize::MAX);
            let is_short = more * SYMBOL_BYTES < feeds.saturating_mul(ENTRY_BYTES);
            let want = match u16::try_from(more) {
                Ok(more) if is_short && more <= SYMBOLS_MAX => Want::Symbols(more),
                _ => Want::Frontier,
            };
            self.ask_for(now, link, want, 0, outputs);
        }
    }

    pub(crate) fn frontier(
        &mut self,
        now: Time,
        link: LinkId,
        about: (u64, bool),
        (salt, entries): (u64, Vec<Entry>),
        outputs: &mut Vec<FeedOutput>,
    ) {
        let mut theirs: BTreeMap<FeedTag, Entry> = entries
            .into_iter()
            .map(|entry| (entry.tag, entry))
            .collect();
        let mut ours = Vec::new();
        for entry in self.entries(salt) {
            match theirs.get(&entry.tag) {
                Some(other) if *other == entry => drop(theirs.remove(&entry.tag)),
                _ => ours.push(entry.tag),
            }
        }
        self.learn(now, link, about, &ours, (salt, theirs), outputs);
    }

    /// Takes in all in which a peer differs: entries that only we have, and those that only it has.
    fn learn(
        &mut self,
        now: Time,
        link: LinkId,
        (echo, is_full): (u64, bool),
        ours: &[FeedTag],
        (salt, theirs): (u64, BTreeMap<FeedTag, Entry>),
        outputs: &mut Vec<FeedOutput>,
    ) {
        let Some(peer) = self.peers.get_mut(&link) else {
            return;
        };
        // Exact: nothing that was sent before the question is still on its way.
        let is_answer = echo != 0 && echo == peer.nonce && peer.is_asking;
        let is_quiet = peer.flight_bytes == 0 && peer.outgoing.is_idle();
        let is_exact = is_answer || is_quiet;
        if is_answer || !peer.is_known {
            peer.is_asking = false;
            peer.retry_at = None;
        }
        peer.is_known = true;
        peer.is_full = is_full;
        let mut statements: BTreeMap<FeedId, Entry> = BTreeMap::new();
        let mut expected = BTreeSet::new();
        for (tag, entry) in &theirs {
            match self.feeds.get(tag) {
                Some(feed) => drop(statements.insert(*feed, *entry)),
                None if !self.set.is_full() => drop(expected.insert(*tag)),
                None => {}
            }
        }
        let mut refused = BTreeSet::new();
        for tag in ours.iter().filter(|tag| !theirs.contains_key(tag)) {
            let Some(feed) = self.feeds.get(tag).copied() else {
                continue;
            };
            // A full peer is sent only what it names.
            if is_full {
                refused.insert(feed);
                continue;
            }
            statements.insert(
                feed,
                Entry {
                    tag: *tag,
                    seq: 0,
                    head: [0; 4],
                    is_closed: false,
                },
            );
        }
        let was: Vec<_> = peer.differences.keys().copied().collect();
        for feed in was.iter().filter(|feed| !statements.contains_key(feed)) {
            if let Some(mut over) = peer.remove(feed) {
                peer.flight_bytes = peer.flight_bytes.saturating_sub(over.rewind(0));
            }
        }
        peer.expected = expected;
        peer.refused = refused;
        for (feed, entry) in statements {
            self.state(now, link, feed, (salt, &entry), is_exact, outputs);
        }
    }

    /// Takes in entries that a peer says have changed, or that it answers a run with.
    pub(crate) fn have(
        &mut self,
        now: Time,
        link: LinkId,
        (salt, entries): (u64, &[Entry]),
        outputs: &mut Vec<FeedOutput>,
    ) {
        for entry in entries {
            match self.feeds.get(&entry.tag).copied() {
                Some(feed) => self.state(now, link, feed, (salt, entry), false, outputs),
                None if self.set.is_full() => {}
                None => {
                    let most = 2 * usize::from(SYMBOLS_MAX);
                    if let Some(peer) = self.peers.get_mut(&link)
                        && peer.expected.len() < most
                    {
                        peer.expected.insert(entry.tag);
                    }
                }
            }
        }
    }

    /// Takes in how far a peer is in one feed.
    fn state(
        &mut self,
        now: Time,
        link: LinkId,
        feed: FeedId,
        (salt, entry): (u64, &Entry),
        is_exact: bool,
        outputs: &mut Vec<FeedOutput>,
    ) {
        let (relation, head) = (self.relate(&feed, entry, salt), self.set.head(&feed).seq);
        let is_closed = self.set.is_closed(&feed);
        let is_apart = matches!(relation, Relation::Ahead | Relation::Diverged);
        let wants_proof = self.set.proof(&feed).is_some() && (!entry.is_closed || is_apart);
        let Some(peer) = self.peers.get_mut(&link) else {
            return;
        };
        let known = peer.differences.get(&feed);
        let was = known.map(|known| known.acked);
        let is_first = known.is_none();
        let mut differs = peer.remove(&feed).unwrap_or_default();
        differs.ahead = None;
        let landed = match relation {
            Relation::Same | Relation::Behind if is_exact || is_first => {
                (differs.probe, differs.clash) = (None, Clash::None);
                differs.rewind(entry.seq)
            }
            Relation::Same | Relation::Behind
                if differs.flight.is_empty() && differs.probe.is_none() =>
            {
                if differs.clash != Clash::Sent {
                    differs.rewind(entry.seq);
                }
                0
            }
            Relation::Same | Relation::Behind => differs.acknowledge(entry.seq),
            Relation::Ahead | Relation::Diverged => {
                differs.ahead = Some(entry.seq.max(head + 1));
                match relation {
                    Relation::Ahead => differs.rewind(head),
                    _ => 0,
                }
            }
        };
        peer.flight_bytes = peer.flight_bytes.saturating_sub(landed);
        if was.is_some_and(|was| differs.acked > was) {
            peer.progress();
        }
        differs.proof = match (wants_proof, differs.proof) {
            (false, _) => ProofState::None,
            (true, ProofState::Sent) if !is_exact => ProofState::Sent,
            (true, _) => ProofState::Due,
        };
        let is_lost = relation == Relation::Diverged && !is_closed;
        if is_lost
            && (is_exact || is_first || differs.probe.is_none() && differs.clash == Clash::None)
        {
            differs.probe = Some((0, entry.seq.min(head) + 1));
            differs.clash = Clash::None;
            peer.differences.insert(feed, differs);
            self.probe(now, link, feed, outputs);
            return;
        }
        if !differs.is_over(head) {
            peer.differences.insert(feed, differs);
            self.enqueue(link, feed);
        }
    }

    fn relate(&self, feed: &FeedId, entry: &Entry, salt: u64) -> Relation {
        let head = self.set.head(feed);
        if entry.seq > head.seq {
            return Relation::Ahead;
        }
        match self.set.end(feed, entry.seq) {
            Some(end) if entry.seq == 0 || head_prefix(&end.id, salt) == entry.head => {
                match end.seq == head.seq {
                    true => Relation::Same,
                    false => Relation::Behind,
                }
            }
            _ => Relation::Diverged,
        }
    }

    /// Tells some ends of runs between what both have and what they have not.
    fn probe(&mut self, now: Time, link: LinkId, feed: FeedId, outputs: &mut Vec<FeedOutput>) {
        let Some(peer) = self.peers.get_mut(&link) else {
            return;
        };
        let most = probe_ends_max(peer.options.message_bytes_max).clamp(2, 16);
        let Some(differs) = peer.differences.get_mut(&feed) else {
            return;
        };
        let Some((low, high)) = differs.probe else {
            return;
        };
        let ends = self.set.ends(&feed);
        let between: Vec<_> = ends
            .iter()
            .filter(|end| end.seq > low && end.seq < high)
            .collect();
        if between.is_empty() {
            // The run after what both have is the one that the other has not: it is the proof.
            differs.probe = None;
            differs.clash = Clash::Due;
            let landed = differs.rewind(low);
            peer.flight_bytes = peer.flight_bytes.saturating_sub(landed);
            self.enqueue(link, feed);
            return;
        }
        let step = between.len().div_ceil(most);
        let ends = between.iter().rev().step_by(step).rev();
        self.salt += 1;
        let salt = self.salt;
        let ends = ends
            .map(|end| (end.seq, head_prefix(&end.id, salt)))
            .collect();
        let tag = FeedTag::new(self.set.store(), &feed);
        self.send(now, link, &Message::Probe { tag, salt, ends }, outputs);
    }

    /// Answers with the greatest end that is here too.
    pub(crate) fn probed(
        &mut self,
        now: Time,
        link: LinkId,
        tag: FeedTag,
        (salt, ends): (u64, &[(u64, [u8; 4])]),
        outputs: &mut Vec<FeedOutput>,
    ) {
        let Some(feed) = self.feeds.get(&tag) else {
            return;
        };
        let is_here = |(seq, head): &&(u64, [u8; 4])| {
            let end = self.set.end(feed, *seq);
            end.is_some_and(|end| head_prefix(&end.id, salt) == *head)
        };
        let seq = ends
            .iter()
            .filter(is_here)
            .map(|(seq, _)| *seq)
            .max()
            .unwrap_or(0);
        self.send(now, link, &Message::Match { tag, seq }, outputs);
    }

    pub(crate) fn matched(
        &mut self,
        now: Time,
        link: LinkId,
        tag: FeedTag,
        seq: u64,
        outputs: &mut Vec<FeedOutput>,
    ) {
        let Some(feed) = self.feeds.get(&tag).copied() else {
            return;
        };
        let Some(peer) = self.peers.get_mut(&link) else {
            return;
        };
        let most = probe_ends_max(peer.options.message_bytes_max).clamp(2, 16);
        let probe = peer
            .differences
            .get_mut(&feed)
            .and_then(|differs| differs.probe.as_mut());
        let Some((low, high)) = probe else {
            return;
        };
        // What was asked about, once more: the answer lies among it, or below all of it.
        let ends = self.set.ends(&feed);
        let between: Vec<_> = ends
            .iter()
            .map(|end| end.seq)
            .filter(|end| *end > *low && *end < *high)
            .collect();
        let step = between.len().div_ceil(most).max(1);
        let asked: Vec<_> = between.iter().rev().step_by(step).rev().copied().collect();
        let above = asked.iter().copied().find(|end| *end > seq);
        if asked.contains(&seq) {
            *low = seq;
        }
        *high = above.unwrap_or(*high);
        self.probe(now, link, feed, outputs);
    }

    /// Notes that something was said about a feed, and is to be answered.
    pub(crate) fn owe(&mut self, now: Time, link: LinkId, feed: FeedId) {
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.owed.insert(feed);
            peer.owed_at.get_or_insert(now.plus_ms(ACKNOWLEDGE_MS));
        }
    }

    /// Answers what is owed.
    pub(crate) fn acknowledge(&mut self, now: Time, link: LinkId, outputs: &mut Vec<FeedOutput>) {
        let Some(peer) = self.peers.get_mut(&link) else {
            return;
        };
        let owed = core::mem::take(&mut peer.owed);
        peer.owed_at = None;
        let most = entries_max(peer.options.message_bytes_max);
        self.salt += 1;
        let salt = self.salt;
        let entry = |feed: &FeedId| {
            let tag = FeedTag::new(self.set.store(), feed);
            let none = Entry {
                tag,
                seq: 0,
                head: [0; 4],
                is_closed: false,
            };
            self.set
                .state(feed)
                .map_or(none, |state| Entry::new(tag, &state, salt))
        };
        let entries: Vec<_> = owed.iter().map(entry).collect();
        for entries in entries.chunks(most) {
            let message = Message::Have {
                salt,
                entries: entries.to_vec(),
            };
            self.send(now, link, &message, outputs);
        }
    }

    /// A feed has advanced from `before`; the peer of a link that brought it has all up to some end.
    pub(crate) fn advanced(&mut self, feed: &FeedId, before: u64, from: Option<(LinkId, u64)>) {
        let head = self.set.head(feed).seq;
        let tag = self.tags.get(feed).copied();
        let links: Vec<_> = self.peers.keys().copied().collect();
        for link in links {
            let Some(peer) = self.peers.get_mut(&link) else {
                continue;
            };
            if let Some(tag) = &tag {
                peer.expected.remove(tag);
            }
            if !peer.is_known || peer.refused.contains(feed) {
                continue;
            }
            if !peer.differences.contains_key(feed)
                && before == 0
                && peer.is_full
                && from.is_none_or(|(from, _)| from != link)
            {
                peer.refused.insert(*feed);
                continue;
            }
            let differs = (peer.differences.entry(*feed)).or_insert_with(|| Difference::at(before));
            if let Some((_, end)) = from.filter(|(from, _)| *from == link) {
                let landed = differs.acknowledge(end);
                peer.flight_bytes = peer.flight_bytes.saturating_sub(landed);
            }
            if differs.is_over(head) {
                peer.remove(feed);
            } else {
                self.enqueue(link, *feed);
            }
        }
    }

    /// The peer that has sent a proof needs none.
    pub(crate) fn has_proof(&mut self, link: LinkId, proof: &ForkProof) {
        let (feed, head) = (*proof.feed(), self.set.head(proof.feed()).seq);
        let is_same = self.set.proof(&feed) == Some(proof);
        if let Some(peer) = self.peers.get_mut(&link).filter(|_| is_same)
            && let Some(differs) = peer.differences.get_mut(&feed)
        {
            differs.proof = ProofState::None;
            if differs.is_over(head) {
                peer.remove(&feed);
            }
        }
    }

    /// A feed has ended.
    pub(crate) fn closed(&mut self, closed: &FeedClosed, outputs: &mut Vec<FeedOutput>) {
        let (feed, head) = (closed.feed, closed.end.map_or(0, |end| end.seq));
        outputs.push(FeedOutput::Closed(*closed));
        let has_proof = self.set.proof(&feed).is_some();
        let links: Vec<_> = self.peers.keys().copied().collect();
        for link in links {
            let Some(peer) = self.peers.get_mut(&link) else {
                continue;
            };
            if !peer.is_known || peer.refused.contains(&feed) {
                continue;
            }
            let differs = (peer.differences.entry(feed)).or_insert_with(|| Difference::at(head));
            (differs.probe, differs.clash) = (None, Clash::None);
            differs.ahead = None;
            let landed = differs.rewind(differs.acked.min(head));
            peer.flight_bytes = peer.flight_bytes.saturating_sub(landed);
            if has_proof {
                differs.proof = ProofState::Due;
            }
            if differs.is_over(head) {
                peer.remove(&feed);
            } else {
                self.enqueue(link, feed);
            }
        }
    }

    /// Puts a feed among those that have something for this peer.
    pub(crate) fn enqueue(&mut self, link: LinkId, feed: FeedId) {
        let head = self.set.head(&feed).seq;
        let wall_ms = self.set.state(&feed).map_or(0, |state| state.wall_ms);
        let Some(peer) = self.peers.get_mut(&link) else {
            return;
        };
        let Some(differs) = peer.differences.get(&feed) else {
            return;
        };
        if differs.proof == ProofState::Due || differs.wants_run(head) {
            peer.enqueue(&feed, wall_ms);
        }
    }
}
