//! Peers that lie, forge and flood: refused, bounded, and of no consequence for the honest.

use dhlrs_clock::Time;
use dhlrs_feed::{FeedErrorKind, FeedInput, FeedLimits, FeedOutput, LinkId, LinkOptions, Refusal};

use crate::authors::{Author, set};
use crate::network::{Network, Random, Replica};

#[test]
fn bytes_of_any_kind_do_no_harm() {
    let mut network = Network::of(1, 2);
    let link = network.link(0, 1);
    network.up(link);
    network.settle(10_000);
    let mut kept = Vec::new();
    for n in 0..200 {
        network.write(0, set("p", n));
        network.seal(0);
    }
    // Whatever honest replicas say, with a few bytes changed.
    let mut outputs = Vec::new();
    let machine = &mut network.replicas[1].machine;
    let opened = FeedInput::Opened {
        link: LinkId(77),
        options: LinkOptions::default(),
    };
    machine.handle(Time::default(), opened, &mut outputs);
    kept.extend(outputs.into_iter().filter_map(|output| match output {
        FeedOutput::Send { bytes, .. } => Some(bytes),
        _ => None,
    }));
    kept.push(machine.beacon_to_all());
    network.pass(10_000);
    let mut random = Random::new(5);
    for n in 0..20_000_u64 {
        let mut bytes = kept[(n % kept.len() as u64) as usize].clone();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len() as u64) as usize;
            bytes[at] = random.below(256) as u8;
        }
        bytes[0] = (n % 12) as u8;
        let mut outputs = Vec::new();
        let input = FeedInput::Received {
            link: LinkId(77),
            bytes,
        };
        network.replicas[1]
            .machine
            .handle(Time::default(), input, &mut outputs);
    }
    network.replicas[1].machine.handle(
        Time::default(),
        FeedInput::Closed { link: LinkId(77) },
        &mut Vec::new(),
    );
    network.settle(100_000);
    network.check_equal();
}

/// A hostile peer of an honest pair, by the bytes that it sends over a link of its own.
struct Attack {
    network: Network,
    link: usize,
    hostile: usize,
}

impl Attack {
    fn new(limits: FeedLimits) -> Self {
        let mut network = Network::new(1);
        for number in 0..2 {
            network
                .replicas
                .push(Replica::new(Author::new(number, 1), limits));
        }
        let hostile = network.add(Author::new(666, 1));
        let honest = network.link(0, 1);
        let link = network.link(hostile, 0);
        network.links[link].options.message_bytes_max = 1 << 20;
        network.up(honest);
        network.links[link].is_up = true;
        let options = network.links[link].options;
        let input = FeedInput::Opened {
            link: LinkId(link as u64),
            options,
        };
        network.give(0, input);
        network.settle_honest();
        Self {
            network,
            link,
            hostile,
        }
    }

    fn says(&mut self, bytes: Vec<u8>) {
        self.network.post(self.link, self.hostile, bytes);
        self.network.pass(20);
    }

    /// A run as the wire has it, with the name of its feed and the head before it.
    fn run(run: &dhlrs_feed::Run) -> Vec<u8> {
        let mut bytes = vec![4, 3];
        bytes.extend(run.feed().author.as_bytes());
        for mut number in [run.feed().epoch.number(), run.feed().epoch.random()] {
            while number >= 0x80 {
                bytes.push(number as u8 | 0x80);
                number >>= 7;
            }
            bytes.push(number as u8);
        }
        bytes.extend(run.claim().prev.as_bytes());
        bytes.extend(run.bytes());
        bytes
    }

    /// The honest go on.
    fn check(mut self) {
        for n in 0..100 {
            self.network.write(0, set("a", n));
            self.network.write(1, set("b", n));
        }
        self.network.seal(0);
        self.network.seal(1);
        self.network.pass(10_000);
        let feeds = |replica: usize| self.network.replicas[replica].machine.feeds();
        let (one, other) = (feeds(0), feeds(1));
        assert_eq!(one.digest(), other.digest());
        for replica in &self.network.replicas[..2] {
            assert_eq!(one.head(&replica.author.feed()).seq, 100);
        }
    }
}

impl Network {
    fn settle_honest(&mut self) {
        self.pass(5_000);
    }
}

#[test]
fn forged_and_foreign_runs_are_refused() {
    let mut attack = Attack::new(FeedLimits::default());
    let victim = attack.network.replicas[1].author.feed();
    let mut stranger = Author::new(7, 1);
    let run = stranger.run(3);
    // Under the victim's name, at its first place.
    let mut forged = vec![4, 1];
    forged.extend(victim.author.as_bytes());
    forged.extend([0, victim.epoch.random() as u8]);
    forged.extend(run.bytes());
    attack.says(forged);
    let mut changed = Attack::run(&run);
    *changed.last_mut().unwrap() ^= 1;
    attack.says(changed);
    attack.says(vec![200, 1, 2, 3]);
    let refusals = &attack.network.replicas[0].refusals;
    assert_eq!(refusals.len(), 3, "{refusals:?}");
    let of_feed = |refusal: &&Refusal| matches!(refusal, Refusal::Feed(error) if error.kind() == FeedErrorKind::Refused);
    assert_eq!(refusals.iter().filter(of_feed).count(), 2);
    assert_eq!(
        attack.network.replicas[0]
            .machine
            .feeds()
            .frontier()
            .count(),
        0
    );
    attack.check();
}

#[test]
fn a_flood_of_runs_that_come_too_early_is_bounded() {
    let limits = FeedLimits {
        pending_bytes_max: 100_000,
        ..FeedLimits::default()
    };
    let mut attack = Attack::new(limits);
    for number in 0..20 {
        let mut author = Author::new(1_000 + number, 1);
        author.run(1);
        for _ in 0..30 {
            let run = author.run(20);
            attack.says(Attack::run(&run));
        }
    }
    let held = attack.network.replicas[0].machine.feeds().pending_bytes();
    assert!((50_000..=100_000).contains(&held), "{held}");
    attack.check();
}

#[test]
fn bogus_authors_are_counted_and_no_more_than_may_be_are_kept() {
    let limits = FeedLimits {
        authors_max: 1_000,
        ..FeedLimits::default()
    };
    let mut attack = Attack::new(limits);
    for replica in 0..2 {
        attack.network.write(replica, set("a", 0));
        attack.network.seal(replica);
    }
    attack.network.pass(1_000);
    for number in 0..20_000 {
        let run = Author::new(1_000 + number, 1).run(1);
        attack.network.give(
            0,
            FeedInput::Received {
                link: LinkId(attack.link as u64),
                bytes: Attack::run(&run),
            },
        );
        if number % 1_000 == 0 {
            attack.network.pass(100);
        }
    }
    attack.network.pass(200_000);
    assert_eq!(
        attack.network.replicas[0]
            .machine
            .feeds()
            .frontier()
            .count(),
        1_000
    );
    assert_eq!(
        attack.network.replicas[1]
            .machine
            .feeds()
            .frontier()
            .count(),
        1_000
    );
    for n in 0..99 {
        attack.network.write(0, set("a", n));
        attack.network.write(1, set("b", n));
    }
    attack.network.seal(0);
    attack.network.seal(1);
    attack.network.pass(10_000);
    for replica in 0..2 {
        let feed = attack.network.replicas[replica].author.feed();
        assert_eq!(
            attack.network.replicas[1 - replica]
                .machine
                .feeds()
                .head(&feed)
                .seq,
            100
        );
    }
}

#[test]
fn a_stamp_from_the_far_future_is_relayed_and_a_fork_ends_the_liar_only() {
    let mut attack = Attack::new(FeedLimits::default());
    let mut liar = Author::new(9, 1);
    let far = Time {
        wall_ms: 1 << 47,
        monotonic_ms: 0,
    };
    liar.write(far, set("a", 1));
    let run = liar.run(1);
    attack.says(Attack::run(&run));
    let mut twin = liar.clone();
    let (one, other) = (liar.run(2), twin.run(3));
    attack.says(Attack::run(&one));
    assert_eq!(
        attack.network.replicas[1]
            .machine
            .feeds()
            .head(&liar.feed())
            .seq,
        4
    );
    attack.says(Attack::run(&other));
    attack.network.pass(1_000);
    for replica in &attack.network.replicas[..2] {
        let feeds = replica.machine.feeds();
        assert!(feeds.is_closed(&liar.feed()));
        assert_eq!(feeds.head(&liar.feed()).seq, 2);
    }
    attack.check();
}

#[test]
fn lies_about_a_frontier_cost_a_few_messages_a_minute() {
    let mut attack = Attack::new(FeedLimits::default());
    attack.network.write(0, set("a", 1));
    attack.network.seal(0);
    attack.network.pass(1_000);
    // It has more of everything, and never sends it.
    let mut have = vec![3, 1, 1];
    have.extend([9; 8]);
    have.extend([0, 50, 1, 2, 3, 4]);
    attack.says(have);
    let before = attack.network.links[attack.link].messages;
    attack.network.pass(60 * 60_000);
    let messages = attack.network.links[attack.link].messages - before;
    assert!(
        (1..=80).contains(&messages),
        "{messages} messages in an hour"
    );
    attack.network.replicas[0].author = Author::new(0, 2);
    attack.network.replicas[1].author = Author::new(1, 2);
    attack.check();
}
