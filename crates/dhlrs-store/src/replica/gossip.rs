//! A replica and its neighbours: what they say goes to the anti-entropy, and what that wants is done.

use std::collections::VecDeque;

use dhlrs_bag::{Changes, Meta};
use dhlrs_clock::Time;
use dhlrs_feed::{AntiEntropy, FeedInput, FeedOutput, FeedSet, LinkId, LinkOptions, NewRun, Run};

use crate::head::Head;
use crate::machine::Store;
use crate::port::{Gossip, Output};
use crate::record::{Leaving, Left, Merged, Record};
use crate::replica::merging::Incoming;
use crate::replica::{Feeds, Replica};

/// Received runs that are logged as one record at most, in bytes; one more may exceed it.
const MERGED_BYTES_MAX: usize = 1 << 20;

impl Store {
    pub(crate) fn gossip(&mut self, now: Time, gossip: Gossip, out: &mut Vec<Output>) {
        match gossip {
            Gossip::Opened {
                link,
                options,
                neighbour,
            } => {
                self.links.insert(link, (options, neighbour));
                if self.is_open() {
                    self.feed_input(now, FeedInput::Opened { link, options }, out);
                }
            }
            Gossip::Closed { link } => {
                self.links.remove(&link);
                if self.is_open() {
                    self.feed_input(now, FeedInput::Closed { link }, out);
                }
            }
            // Peers send again what is lost.
            Gossip::Received { .. } if !self.is_open() || self.tickets.is_full() => {}
            Gossip::Received { link, bytes } => {
                self.feed_input(now, FeedInput::Received { link, bytes }, out);
            }
        }
    }

    /// The log has been read: the feeds meet their peers.
    pub(crate) fn begin_gossip(&mut self, now: Time, out: &mut Vec<Output>) {
        let Some(replica) = &mut self.head.replica else {
            return;
        };
        replica.begin_gossip();
        let links: Vec<(LinkId, LinkOptions)> = self
            .links
            .iter()
            .map(|(link, (options, _))| (*link, *options))
            .collect();
        for (link, options) in links {
            self.feed_input(now, FeedInput::Opened { link, options }, out);
        }
    }

    /// An own run is on disk: it may leave.
    pub(crate) fn own_runs_durable(&mut self, now: Time, runs: Vec<Run>, out: &mut Vec<Output>) {
        for run in runs {
            let replica = self.head.replica.as_mut();
            let own = replica.and_then(|replica| replica.own.as_mut());
            // A feed that was left meanwhile has nothing more to say.
            if let Some(own) = own.filter(|own| own.writer.feed() == run.feed()) {
                own.sent = run.claim().header.last();
                self.feed_input(now, FeedInput::Own(run), out);
            }
        }
    }

    /// What is due for a replica.
    pub(crate) fn replica_tick(&mut self, now: Time, out: &mut Vec<Output>) {
        if !self.is_open() || self.head.replica.is_none() {
            return;
        }
        self.leave_wrong_clock(now);
        self.feed_input(now, FeedInput::Tick, out);
        if self.next_beacon_ms.is_some_and(|at| at <= now.monotonic_ms) {
            self.next_beacon_ms = None;
            let Some(machine) = self.head.machine_mut() else {
                return;
            };
            let beacon = machine.beacon_to_all();
            for link in self.links.keys() {
                self.tickets.send(*link, beacon.clone());
            }
        }
        if self
            .held_until_ms(now)
            .is_some_and(|at| at <= now.monotonic_ms)
        {
            self.reduce(now, Vec::new(), Incoming::default());
        }
    }

    /// When the first of the events whose stamps lie in the future may go in, by the monotonic clock.
    pub(crate) fn held_until_ms(&self, now: Time) -> Option<u64> {
        let replica = self.head.replica.as_ref()?;
        let held_ms = replica.reducer.held_until_ms()?;
        let wait_ms = held_ms.saturating_sub(replica.present.now_ms(now));
        Some(now.monotonic_ms.saturating_add(wait_ms))
    }

    /// When the replica has something to do.
    pub(crate) fn replica_wake_ms(&self) -> Option<u64> {
        let replica = self.head.replica.as_ref().filter(|_| self.is_open())?;
        let seal = replica.own.as_ref().and_then(|own| own.writer.due());
        let gossip = match &replica.feeds {
            Feeds::Gossiping(machine) => machine.wake_at(),
            Feeds::Reading(_) => None,
        };
        let times = [seal, gossip].into_iter().flatten();
        let beacon = self.next_beacon_ms.filter(|_| !self.links.is_empty());
        times
            .map(|time| time.monotonic_ms)
            .chain(beacon)
            .chain(self.held_wake_ms)
            .min()
    }

    /// Signs what waits for it. What is signed leaves when it is on disk.
    pub(crate) fn seal_due(&mut self, now: Time) {
        let sealed = self.head.replica.as_mut().and_then(|own| own.seal_due(now));
        if let Some(sealed) = sealed {
            self.log(&Record::Sealed(sealed.record));
            self.tickets.signed(sealed.run);
        }
    }

    /// Goes on in another feed if the present one has stamps from the future.
    pub(crate) fn leave_wrong_clock(&mut self, now: Time) {
        let replica = self.head.replica.as_ref();
        if let Some(end) = replica.and_then(|replica| replica.clock_was_wrong(now)) {
            self.leave_feed(now, Leaving::ClockMended, Some(end));
        }
        // The others hold what is void now until its time has come, and learn of its end by an event of the next feed
        // alone. It may be written later than here: the clock of a replica that has reduced what another one wrote
        // with a wrong clock stands still for a while.
        let replica = self.head.replica.as_ref();
        if replica.is_some_and(|replica| replica.own.is_none() && !replica.closes.is_empty()) {
            let _ = self.write_own(now, Meta::default(), Vec::new(), Vec::new());
        }
    }

    /// Writes no more to the present feed: what was not signed, or is above the end, is void.
    pub(crate) fn leave_feed(
        &mut self,
        now: Time,
        why: Leaving,
        end: Option<Option<dhlrs_feed::FeedEnd>>,
    ) {
        let own = self.head.replica.as_ref().and_then(|own| own.own.as_ref());
        let Some(own) = own else {
            return;
        };
        let unsent = own.sent + 1;
        let left = Left { why, end, unsent };
        let incoming = Incoming {
            left: Some(left),
            ..Incoming::default()
        };
        self.merge(now, vec![Merged::Left(left)], incoming);
    }

    fn feed_input(&mut self, now: Time, input: FeedInput, out: &mut Vec<Output>) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let Some(machine) = self.head.machine_mut() else {
                return;
            };
            let mut outputs = Vec::new();
            machine.handle(now, input, &mut outputs);
            self.feed_outputs(now, outputs, &mut inputs, out);
        }
        if self.next_beacon_ms.is_none()
            && let Some(replica) = &self.head.replica
        {
            let interval_ms = replica.replication.gossip_interval_ms;
            self.next_beacon_ms = Some(now.monotonic_ms.saturating_add(interval_ms));
        }
    }

    fn feed_outputs(
        &mut self,
        now: Time,
        outputs: Vec<FeedOutput>,
        inputs: &mut VecDeque<FeedInput>,
        out: &mut Vec<Output>,
    ) {
        let (mut parts, mut incoming, mut bytes) = (Vec::new(), Incoming::default(), 0);
        for output in outputs {
            match output {
                // It joins the ticket, so what it tells of is on disk before it leaves.
                FeedOutput::Send { link, bytes } => self.tickets.send(link, bytes),
                FeedOutput::Store(new) => {
                    self.leave_if_overtaken(now, &new);
                    bytes += new.run.bytes().len();
                    parts.push(Merged::Run {
                        feed: *new.run.feed(),
                        bytes: new.run.bytes().to_vec(),
                    });
                    incoming.runs.push(new);
                    if bytes > MERGED_BYTES_MAX {
                        bytes = 0;
                        self.merge(
                            now,
                            std::mem::take(&mut parts),
                            std::mem::take(&mut incoming),
                        );
                    }
                }
                FeedOutput::StoreProof(proof) => parts.push(Merged::Proof(Box::new(proof))),
                FeedOutput::Closed(closed) => {
                    incoming.closed.push(closed);
                    let own = self.head.replica.as_ref().and_then(|own| own.own.as_ref());
                    if let Some(own) = own.filter(|own| *own.writer.feed() == closed.feed) {
                        let (why, unsent) = (Leaving::Forked, own.sent + 1);
                        // Who has forgotten some of what counts must not say that it ends before.
                        let end = closed.end.filter(|end| end.seq == closed.at).map(Some);
                        let left = Left { why, end, unsent };
                        parts.push(Merged::Left(left));
                        incoming.left = Some(left);
                    }
                }
                FeedOutput::Read {
                    ticket,
                    feed,
                    after,
                } => {
                    // What has just come may be what is asked for.
                    self.merge(
                        now,
                        std::mem::take(&mut parts),
                        std::mem::take(&mut incoming),
                    );
                    let replica = self.head.replica.as_ref();
                    let run = replica.and_then(|replica| replica.run_after(&feed, &after));
                    inputs.push_back(FeedInput::Read { ticket, run });
                }
                FeedOutput::OwnAhead { .. } => {}
                FeedOutput::OwnRefused(error) => {
                    out.push(Output::Warning(format!(
                        "an own run is not passed on: {error}"
                    )));
                }
                FeedOutput::Refused { link, reason } => {
                    self.refused_gossip += 1;
                    out.push(Output::Warning(format!(
                        "refused what a neighbour (link {}) sent: {reason:?}",
                        link.0
                    )));
                }
            }
        }
        self.merge(now, parts, incoming);
    }

    /// Somebody has events of the own feed that are not known here: they were written before a backup
    /// was put back, or with a copy of the key. What waits for its signature would fork the feed.
    fn leave_if_overtaken(&mut self, now: Time, new: &NewRun) {
        let own = self.head.replica.as_ref().and_then(|own| own.own.as_ref());
        if own.is_some_and(|own| own.writer.feed() == new.run.feed()) {
            self.leave_feed(now, Leaving::Overtaken, None);
        }
    }

    fn merge(&mut self, now: Time, parts: Vec<Merged>, incoming: Incoming) {
        // What an own run closes was closed when its first event was written.
        if !parts.is_empty() {
            self.reduce(now, parts, incoming);
        }
    }

    /// Logs what came, reduces it and tells what it changed.
    fn reduce(&mut self, now: Time, parts: Vec<Merged>, incoming: Incoming) {
        let released = parts.is_empty();
        let held = |head: &Head| {
            let replica = head.replica.as_ref();
            replica.and_then(|replica| replica.reducer.held_until_ms())
        };
        let held_before = held(&self.head);
        let before = (!self.forwards.is_empty()).then(|| self.head.bag.snapshot());
        let next = self.head.next_revision();
        let Some(replica) = &mut self.head.replica else {
            return;
        };
        let now_ms = replica.present.now_ms(now);
        for new in &incoming.runs {
            let claim = new.run.claim();
            replica
                .present
                .show(new.run.feed().author, claim.header.wall_ms, now);
        }
        let (list, lost) = replica.take_in(incoming, now_ms, &mut self.head.bag, next);
        // What came in without showing is logged too: it is not held again.
        if released && list.is_empty() && held(&self.head) == held_before {
            return;
        }
        let revision = match list.is_empty() {
            true => self.head.revision,
            false => next,
        };
        self.head.revision = revision;
        self.log(&Record::Merged {
            revision,
            now_ms,
            parts,
        });
        let meta = Meta {
            revision,
            ..Meta::default()
        };
        let changes = Changes {
            meta,
            list,
            transaction: false,
        };
        self.tell_of(changes, lost, before);
    }
}

impl Head {
    /// What exchanges the feeds, once the log has been read.
    fn machine_mut(&mut self) -> Option<&mut AntiEntropy> {
        match &mut self.replica.as_mut()?.feeds {
            Feeds::Gossiping(machine) => Some(machine),
            Feeds::Reading(_) => None,
        }
    }
}

impl Replica {
    fn begin_gossip(&mut self) {
        let none = FeedSet::new(self.id, self.replication.limits);
        match std::mem::replace(&mut self.feeds, Feeds::Reading(Box::new(none))) {
            Feeds::Reading(set) => {
                if let Some(own) = &mut self.own {
                    own.sent = set.head(own.writer.feed()).seq;
                }
                let verifier = Box::new(self.replication.keys.verifier.clone());
                let machine = AntiEntropy::new(*set, Some(self.key()), verifier);
                self.feeds = Feeds::Gossiping(Box::new(machine));
            }
            running => self.feeds = running,
        }
    }
}
