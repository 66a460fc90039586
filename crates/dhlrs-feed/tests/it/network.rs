//! A network of replicas in one thread, from one seed: links that lose, repeat, reorder and break, disks that stay.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_clock::Time;
use dhlrs_feed::{
    AntiEntropy, Event, EventId, FeedClosed, FeedId, FeedInput, FeedLimits, FeedOutput, FeedSet,
    ForkProof, LinkId, LinkOptions, Payload, Refusal, Run,
};

use crate::authors::{Author, store, verifier};

/// Random numbers from a seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end.max(1)
    }

    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// One replica with its disk.
pub(crate) struct Replica {
    pub(crate) machine: AntiEntropy,
    pub(crate) author: Author,
    pub(crate) stored: Vec<Run>,
    pub(crate) proofs: Vec<ForkProof>,
    pub(crate) seen: Vec<(Event, EventId)>,
    pub(crate) closed: Vec<FeedClosed>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) own_ahead: usize,
    limits: FeedLimits,
}

impl Replica {
    pub(crate) fn new(author: Author, limits: FeedLimits) -> Self {
        let set = FeedSet::new(store(), limits);
        let own = Some(author.feed().author);
        Self {
            machine: AntiEntropy::new(set, own, Box::new(verifier())),
            author,
            stored: Vec::new(),
            proofs: Vec::new(),
            seen: Vec::new(),
            closed: Vec::new(),
            refusals: Vec::new(),
            own_ahead: 0,
            limits,
        }
    }

    fn restart(&mut self, has_checkpoint: bool) {
        let set = match has_checkpoint {
            true => {
                let image = self.machine.feeds().image().unwrap();
                FeedSet::from_image(store(), self.limits, &image).unwrap()
            }
            false => self.read_log(),
        };
        let own = Some(self.author.feed().author);
        self.machine = AntiEntropy::new(set, own, Box::new(verifier()));
    }

    fn read_log(&self) -> FeedSet {
        let mut set = FeedSet::new(store(), self.limits);
        for proof in &self.proofs {
            set.accept_proof(proof, &verifier()).unwrap();
        }
        for run in &self.stored {
            // What a close has made void is still in the log.
            let _ = set.restore(run.feed(), run.bytes());
        }
        set
    }

    fn lookup(&self, feed: &FeedId, after: EventId) -> Option<Vec<u8>> {
        let mut runs = self.stored.iter();
        let run = runs.find(|run| run.feed() == feed && run.claim().prev == after);
        run.map(|run| run.bytes().to_vec())
    }
}

/// One link between two replicas, and what went over it.
pub(crate) struct Link {
    pub(crate) ends: [usize; 2],
    pub(crate) options: LinkOptions,
    pub(crate) is_up: bool,
    /// Whether messages get through while it is up.
    pub(crate) is_deaf: bool,
    pub(crate) loss_percent: u64,
    pub(crate) repeat_percent: u64,
    pub(crate) delay_ms: u64,
    pub(crate) bytes: [u64; 2],
    pub(crate) messages: u64,
    generation: u64,
    last_at: [u64; 2],
}

struct Letter {
    link: usize,
    generation: u64,
    to: usize,
    bytes: Vec<u8>,
}

pub(crate) struct Network {
    pub(crate) random: Random,
    pub(crate) now_ms: u64,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) links: Vec<Link>,
    letters: BTreeMap<(u64, u64), Letter>,
    sent: u64,
    /// Bytes and time of everything that was sent over links.
    pub(crate) traffic: Vec<(u64, usize, usize)>,
}

impl Network {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            now_ms: 0,
            replicas: Vec::new(),
            links: Vec::new(),
            letters: BTreeMap::new(),
            sent: 0,
            traffic: Vec::new(),
        }
    }

    /// A network of this many replicas, each with an author of its own.
    pub(crate) fn of(seed: u64, replicas: u32) -> Self {
        let mut network = Self::new(seed);
        for number in 0..replicas {
            network.add(Author::new(number, 1));
        }
        network
    }

    pub(crate) fn add(&mut self, author: Author) -> usize {
        self.replicas
            .push(Replica::new(author, FeedLimits::default()));
        self.replicas.len() - 1
    }

    pub(crate) fn time(&self) -> Time {
        Time {
            wall_ms: 1_700_000_000_000 + self.now_ms,
            monotonic_ms: self.now_ms,
        }
    }

    /// A link that loses nothing; it is down.
    pub(crate) fn link(&mut self, one: usize, other: usize) -> usize {
        self.links.push(Link {
            ends: [one, other],
            options: LinkOptions::default(),
            is_up: false,
            is_deaf: false,
            loss_percent: 0,
            repeat_percent: 0,
            delay_ms: 5,
            bytes: [0; 2],
            messages: 0,
            generation: 0,
            last_at: [0; 2],
        });
        self.links.len() - 1
    }

    pub(crate) fn up(&mut self, link: usize) {
        self.links[link].is_up = true;
        let options = self.links[link].options;
        for end in self.links[link].ends {
            let input = FeedInput::Opened {
                link: LinkId(link as u64),
                options,
            };
            self.give(end, input);
        }
    }

    /// What was on its way is lost.
    pub(crate) fn down(&mut self, link: usize) {
        self.links[link].is_up = false;
        self.links[link].generation += 1;
        for end in self.links[link].ends {
            self.give(
                end,
                FeedInput::Closed {
                    link: LinkId(link as u64),
                },
            );
        }
    }

    /// The replica forgets all but its log; its links break and come back.
    pub(crate) fn restart(&mut self, replica: usize) {
        self.restart_from(replica, false);
    }

    /// The same, with or without a checkpoint of what it had.
    pub(crate) fn restart_from(&mut self, replica: usize, has_checkpoint: bool) {
        let links = self.links_of(replica);
        links.iter().for_each(|link| self.down(*link));
        self.replicas[replica].restart(has_checkpoint);
        links.iter().for_each(|link| self.up(*link));
    }

    fn links_of(&self, replica: usize) -> Vec<usize> {
        let is_of = |link: &&usize| {
            let link = &self.links[**link];
            link.is_up && link.ends.contains(&replica)
        };
        (0..self.links.len())
            .collect::<Vec<_>>()
            .iter()
            .filter(is_of)
            .copied()
            .collect()
    }

    /// The replica's author logs an event, and cuts a run when it is full.
    pub(crate) fn write(&mut self, replica: usize, payload: Payload) {
        let now = self.time();
        if let Some(run) = self.replicas[replica].author.write(now, payload) {
            self.own(replica, run);
        }
    }

    pub(crate) fn seal(&mut self, replica: usize) {
        let now = self.time();
        let Author { writer, signer, .. } = &mut self.replicas[replica].author;
        if let Some(sealed) = writer.seal(now, signer) {
            self.own(replica, sealed.run);
        }
    }

    fn own(&mut self, replica: usize, run: Run) {
        self.replicas[replica].stored.push(run.clone());
        self.give(replica, FeedInput::Own(run));
    }

    pub(crate) fn give(&mut self, replica: usize, input: FeedInput) {
        let now = self.time();
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let mut outputs = Vec::new();
            let of = &mut self.replicas[replica];
            of.machine.handle(now, input, &mut outputs);
            for output in outputs {
                let of = &mut self.replicas[replica];
                match output {
                    FeedOutput::Send { link, bytes } => self.post(link.0 as usize, replica, bytes),
                    FeedOutput::Store(new) => {
                        of.stored.push(new.run);
                        of.seen.extend(new.events);
                    }
                    FeedOutput::StoreProof(proof) => of.proofs.push(proof),
                    FeedOutput::Closed(closed) => of.closed.push(closed),
                    FeedOutput::Read {
                        ticket,
                        feed,
                        after,
                    } => {
                        let run = of.lookup(&feed, after.id);
                        inputs.push(FeedInput::Read { ticket, run });
                    }
                    FeedOutput::OwnAhead { .. } => of.own_ahead += 1,
                    FeedOutput::Refused { reason, .. } => of.refusals.push(reason),
                    FeedOutput::OwnRefused(_) => drop(of.stored.pop()),
                }
            }
        }
    }

    /// Sends bytes over a link as if a replica had said them.
    pub(crate) fn post(&mut self, link: usize, from: usize, bytes: Vec<u8>) {
        let now_ms = self.now_ms;
        let Some(of) = self.links.get_mut(link).filter(|link| link.is_up) else {
            return;
        };
        assert!(
            bytes.len() <= of.options.message_bytes_max,
            "{} bytes",
            bytes.len()
        );
        let side = usize::from(of.ends[1] == from);
        of.bytes[side] += bytes.len() as u64;
        of.messages += 1;
        self.traffic.push((now_ms, link * 2 + side, bytes.len()));
        if of.is_deaf || self.random.percent(of.loss_percent) {
            return;
        }
        let copies = 1 + u64::from(self.random.percent(of.repeat_percent));
        for _ in 0..copies {
            let of = &mut self.links[link];
            let mut at = now_ms + 1 + of.delay_ms / 2 + self.random.below(of.delay_ms.max(1));
            if of.options.is_ordered {
                at = at.max(of.last_at[side]);
                of.last_at[side] = at;
            }
            self.sent += 1;
            let letter = Letter {
                link,
                generation: of.generation,
                to: of.ends[1 - side],
                bytes: bytes.clone(),
            };
            self.letters.insert((at, self.sent), letter);
        }
    }

    /// When something happens next by itself.
    fn next_at(&self) -> Option<u64> {
        let letter = self.letters.keys().next().map(|(at, _)| *at);
        let wakes = self
            .replicas
            .iter()
            .filter_map(|replica| replica.machine.wake_at());
        wakes.map(|at| at.monotonic_ms).chain(letter).min()
    }

    /// Lets this much time pass.
    pub(crate) fn pass(&mut self, ms: u64) {
        let until = self.now_ms + ms;
        while let Some(at) = self.next_at().filter(|at| *at <= until) {
            self.step(at);
        }
        self.now_ms = until;
    }

    /// Lets time pass until nothing happens any more.
    #[track_caller]
    pub(crate) fn settle(&mut self, within_ms: u64) {
        let until = self.now_ms + within_ms;
        while let Some(at) = self.next_at() {
            assert!(
                at <= until,
                "not silent after {within_ms} ms: {:#?}",
                self.unsettled()
            );
            self.step(at);
        }
    }

    fn unsettled(&self) -> Vec<&AntiEntropy> {
        let machines = self.replicas.iter().map(|replica| &replica.machine);
        machines.filter(|machine| !machine.is_whole()).collect()
    }

    fn step(&mut self, at: u64) {
        self.now_ms = self.now_ms.max(at);
        while let Some(entry) = self.letters.first_entry() {
            if entry.key().0 > self.now_ms {
                break;
            }
            let letter = entry.remove();
            let link = &self.links[letter.link];
            if link.is_up && link.generation == letter.generation {
                let link = LinkId(letter.link as u64);
                self.give(
                    letter.to,
                    FeedInput::Received {
                        link,
                        bytes: letter.bytes,
                    },
                );
            }
        }
        for replica in 0..self.replicas.len() {
            let wake_at = self.replicas[replica].machine.wake_at();
            if wake_at.is_some_and(|at| at.monotonic_ms <= self.now_ms) {
                self.give(replica, FeedInput::Tick);
            }
        }
    }

    pub(crate) fn messages(&self) -> u64 {
        self.links.iter().map(|link| link.messages).sum()
    }

    /// All replicas have the same feeds, whole, and each has seen each event of the others once and in order.
    #[track_caller]
    pub(crate) fn check_equal(&self) {
        let first = self.replicas[0].machine.feeds();
        for (number, replica) in self.replicas.iter().enumerate() {
            let feeds = replica.machine.feeds();
            let ends = |feeds: &FeedSet| {
                let ends = feeds
                    .frontier()
                    .map(|(feed, state)| (feed, state.end, state.is_closed));
                ends.collect::<Vec<_>>()
            };
            assert_eq!(ends(feeds), ends(first), "replica {number}");
            assert_eq!(feeds.digest(), first.digest());
            assert!(replica.machine.is_whole(), "{:?}", replica.machine);
            let mut dots = BTreeSet::new();
            for (event, _) in &replica.seen {
                assert!(dots.insert(event.dot), "{} twice at {number}", event.dot);
            }
        }
    }

    /// A backup of one replica's author goes on at another replica, if that has all that the author has signed.
    pub(crate) fn restore_at(&mut self, replica: usize, from: usize) {
        let author = self.replicas[from].author.clone();
        let head = self.replicas[replica].machine.feeds().head(&author.feed());
        if head == author.writer.head() && !author.writer.is_open() {
            self.replicas[replica].author = author;
        }
    }

    /// Bytes of all runs that a replica holds.
    pub(crate) fn run_bytes(&self, replica: usize) -> u64 {
        self.replicas[replica]
            .stored
            .iter()
            .map(|run| run.bytes().len() as u64)
            .sum()
    }
}
