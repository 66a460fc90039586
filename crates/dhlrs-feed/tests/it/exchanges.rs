//! What two or three replicas say to one another: little, and nothing when all is whole.

use dhlrs_bag::Text;
use dhlrs_feed::{FeedInput, FeedLimits, ForkProof, LinkOptions, Payload};

use crate::authors::{Author, set};
use crate::network::{Network, Replica};

fn sets(network: &mut Network, replica: usize, count: u64) {
    for n in 0..count {
        network.write(replica, set(&format!("p{}", n % 10_000), n as i64));
    }
    network.seal(replica);
}

#[test]
fn equal_replicas_say_where_they_are_and_are_silent() {
    let mut network = Network::of(1, 2);
    let link = network.link(0, 1);
    network.up(link);
    network.settle(10_000);
    assert_eq!(
        network.links[link].messages, 4,
        "a beacon and an answer each"
    );
    sets(&mut network, 0, 100);
    network.settle(10_000);
    network.check_equal();
    assert_eq!(
        network.links[link].messages,
        4 + 2 + 1,
        "two runs and one acknowledgement"
    );
    network.down(link);
    network.up(link);
    network.settle(10_000);
    assert_eq!(network.links[link].messages, 11);
    network.pass(10_000_000);
    assert_eq!(network.links[link].messages, 11);
}

#[test]
fn ends_that_never_meet_are_equal_through_the_middle_and_each_run_goes_over_a_link_once() {
    let mut network = Network::of(2, 3);
    let links = [network.link(0, 1), network.link(1, 2)];
    sets(&mut network, 0, 10_000);
    sets(&mut network, 2, 10_000);
    links.iter().for_each(|link| network.up(*link));
    network.settle(100_000);
    network.check_equal();
    assert_eq!(network.replicas[1].seen.len(), 20_000);
    let runs = network.run_bytes(1);
    for link in links {
        let bytes: u64 = network.links[link].bytes.iter().sum();
        let ratio = bytes as f64 / runs as f64;
        assert!(ratio <= 1.1, "{ratio}");
    }
}

#[test]
fn runs_that_overtake_one_another_wait_and_none_goes_twice() {
    let mut network = Network::of(12, 2);
    let link = network.link(0, 1);
    network.links[link].options.is_ordered = false;
    network.links[link].delay_ms = 60;
    sets(&mut network, 0, 64 * 50);
    network.up(link);
    network.settle(10_000);
    network.check_equal();
    let bytes = network.links[link].bytes[0] as f64;
    let ratio = bytes / network.run_bytes(1) as f64;
    assert!(ratio < 1.15, "{ratio}");
    assert!(network.now_ms < 500, "{} ms: it had to ask", network.now_ms);
}

#[test]
fn a_courier_that_writes_nothing_carries_feeds_between_teams_that_never_meet() {
    let mut network = Network::of(3, 3);
    let (to_one, to_other) = (network.link(0, 1), network.link(1, 2));
    sets(&mut network, 0, 300);
    sets(&mut network, 2, 300);
    for link in [to_one, to_other, to_one] {
        network.up(link);
        network.settle(100_000);
        network.down(link);
    }
    network.check_equal();
    assert_eq!(network.replicas[0].seen.len(), 300);
}

#[test]
fn a_few_changed_feeds_of_many_are_known_from_the_beacons() {
    let mut network = Network::of(4, 2);
    for number in 100..600 {
        let mut author = Author::new(number, 1);
        let run = author.run(1);
        for replica in 0..2 {
            network.replicas[replica].stored.push(run.clone());
        }
    }
    let link = network.link(0, 1);
    network.up(link);
    network.restart(0);
    network.restart(1);
    network.settle(10_000);
    let before = network.messages();
    network.down(link);
    sets(&mut network, 0, 10);
    sets(&mut network, 1, 10);
    network.up(link);
    network.settle(10_000);
    network.check_equal();
    assert_eq!(
        network.messages() - before,
        4 + 2 + 2,
        "beacons, runs, acknowledgements"
    );
}

#[test]
fn thousands_of_changed_feeds_are_found_too() {
    let mut network = Network::of(5, 2);
    for number in 100..1_100 {
        let mut author = Author::new(number, 1);
        let run = author.run(1);
        let replicas = match number % 5 {
            0 => vec![0],
            1 => vec![1],
            _ => vec![0, 1],
        };
        for replica in replicas {
            network.replicas[replica].stored.push(run.clone());
        }
    }
    let link = network.link(0, 1);
    network.links[link].options.message_bytes_max = 256;
    network.links[link].is_up = true;
    network.restart(0);
    network.restart(1);
    network.settle(100_000);
    network.check_equal();
    assert_eq!(
        network.replicas[0].machine.feeds().frontier().count(),
        1_000
    );
}

#[test]
fn a_long_event_passes_a_link_of_256_bytes_and_goes_on_after_a_break() {
    let mut network = Network::of(6, 2);
    let link = network.link(0, 1);
    network.links[link].options.message_bytes_max = 256;
    network.links[link].delay_ms = 2;
    let bytes: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    network.write(
        0,
        Payload::Other {
            kind: Text::new("note"),
            bytes,
        },
    );
    network.seal(0);
    network.up(link);
    while network.links[link].bytes[0] < 60_000 {
        network.pass(10);
    }
    network.down(link);
    network.up(link);
    network.settle(1_000_000);
    network.check_equal();
    assert!(
        network.links[link].bytes[0] < 130_000,
        "{}",
        network.links[link].bytes[0]
    );
}

#[test]
fn a_link_gets_no_more_bytes_than_its_budget() {
    // In parts, and run by run.
    for message_bytes_max in [256, 2_000] {
        let mut network = Network::of(7, 2);
        let link = network.link(0, 1);
        network.links[link].options = LinkOptions {
            message_bytes_max,
            bytes_per_s: Some(1_000),
            ..LinkOptions::default()
        };
        sets(&mut network, 0, 1_000);
        network.up(link);
        network.settle(10_000_000);
        network.check_equal();
        // A bucket of a message or a quarter of a second, and the message that empties it.
        let most = 1_000 + 2 * message_bytes_max;
        for (from, _, _) in &network.traffic {
            let second = *from..from + 1_000;
            let sent = network.traffic.iter();
            let sent = sent.filter(|(at, side, _)| *side == 0 && second.contains(at));
            let bytes: usize = sent.map(|(_, _, bytes)| bytes).sum();
            assert!(bytes <= most, "{bytes} bytes in a second");
        }
    }
}

#[test]
fn no_more_is_on_its_way_than_the_window_holds() {
    let mut network = Network::of(13, 2);
    let link = network.link(0, 1);
    network.links[link].delay_ms = 500;
    network.links[link].options.window_bytes_max = 3_000;
    sets(&mut network, 0, 2_000);
    network.up(link);
    network.settle(100_000);
    network.check_equal();
    // Nothing is acknowledged within the least time that a message takes.
    for (from, _, _) in &network.traffic {
        let sent = network.traffic.iter();
        let sent = sent.filter(|(at, side, _)| *side == 0 && (*from..from + 250).contains(at));
        let bytes: usize = sent.map(|(_, _, bytes)| bytes).sum();
        assert!(bytes <= 3_000 + 1_000 + 512, "{bytes} bytes");
    }
}

#[test]
fn who_has_nothing_of_a_fork_hears_of_it_too() {
    let mut network = Network::of(14, 2);
    let mut author = Author::new(7, 1);
    let shared = author.run(3);
    let mut twin = author.clone();
    let (one, other) = (author.run(1), twin.run(2));
    for replica in &mut network.replicas {
        replica.stored.push(shared.clone());
    }
    let proof = ForkProof::new(author.feed(), *one.claim(), *other.claim()).unwrap();
    network.replicas[0].proofs.push(proof);
    network.restart(0);
    network.restart(1);
    let link = network.link(0, 1);
    network.up(link);
    network.settle(10_000);
    network.check_equal();
    let feeds = network.replicas[1].machine.feeds();
    assert!(feeds.is_closed(&author.feed()));
    assert_eq!(feeds.head(&author.feed()).seq, 3);
}

#[test]
fn a_full_replica_says_so_and_is_sent_what_it_names() {
    let mut network = Network::of(8, 1);
    let limits = FeedLimits {
        authors_max: 2,
        ..FeedLimits::default()
    };
    network
        .replicas
        .push(Replica::new(Author::new(1, 1), limits));
    let link = network.link(0, 1);
    network.up(link);
    sets(&mut network, 0, 10);
    sets(&mut network, 1, 10);
    network.settle(10_000);
    let mut other = Author::new(50, 1);
    for _ in 0..2 {
        let run = other.run(3);
        network.replicas[0].stored.push(run.clone());
    }
    network.restart(0);
    sets(&mut network, 0, 10);
    network.settle(200_000);
    let full = network.replicas[1].machine.feeds();
    assert!(full.is_full());
    assert_eq!(full.frontier().count(), 2, "no new feed");
    assert_eq!(
        full.head(&network.replicas[0].author.feed()).seq,
        20,
        "known feeds go on"
    );
    assert!(network.replicas[0].machine.is_whole() && network.replicas[1].machine.is_whole());
}

#[test]
fn what_a_disk_has_lost_comes_back() {
    let mut network = Network::of(9, 2);
    let link = network.link(0, 1);
    network.up(link);
    for _ in 0..5 {
        sets(&mut network, 0, 10);
    }
    network.settle(10_000);
    let feed = network.replicas[0].author.feed();
    network.replicas[1].stored.truncate(2);
    network.replicas[1].seen.truncate(20);
    network.give(1, FeedInput::Lost { feed, seq: 20 });
    network.settle(10_000);
    network.check_equal();
    assert_eq!(network.replicas[1].stored.len(), 5);
}

#[test]
fn a_restored_replica_learns_that_it_is_behind_itself() {
    let mut network = Network::of(10, 2);
    let link = network.link(0, 1);
    network.up(link);
    sets(&mut network, 0, 10);
    let backup = (
        network.replicas[0].stored.clone(),
        network.replicas[0].author.clone(),
    );
    sets(&mut network, 0, 10);
    network.settle(10_000);
    assert_eq!(network.replicas[0].own_ahead, 0);
    (network.replicas[0].stored, network.replicas[0].author) = backup;
    network.restart(0);
    network.settle(10_000);
    assert_eq!(network.replicas[0].own_ahead, 1);
    assert_eq!(
        network.replicas[0]
            .machine
            .feeds()
            .head(&network.replicas[1].author.feed())
            .seq,
        0
    );
    network.check_equal();
}

#[test]
fn replicas_on_two_branches_find_the_fork_and_end_the_feed_alike() {
    for (shared, one, other) in [
        (0, 1, 1),
        (0, 3, 1),
        (1, 2, 40),
        (300, 40, 200),
        (300, 1, 0),
    ] {
        let mut network = Network::new(11);
        let author = Author::new(1, 1);
        network.add(author);
        for _ in 0..shared {
            sets(&mut network, 0, 2);
        }
        let twin = network.replicas[0].author.clone();
        let stored = network.replicas[0].stored.clone();
        network.add(twin);
        network.replicas[1].stored = stored;
        network.add(Author::new(2, 1));
        network.restart(1);
        (0..one).for_each(|_| sets(&mut network, 0, 3));
        (0..other).for_each(|_| sets(&mut network, 1, 4));
        let links = [network.link(0, 2), network.link(1, 2), network.link(0, 1)];
        network.up(links[0]);
        network.settle(100_000);
        network.up(links[1]);
        network.settle(100_000);
        network.up(links[2]);
        network.settle(100_000);
        let feed = network.replicas[0].author.feed();
        let is_forked = other > 0;
        for replica in &network.replicas {
            let feeds = replica.machine.feeds();
            assert_eq!(feeds.is_closed(&feed), is_forked, "{shared} {one} {other}");
            let left = if is_forked {
                shared * 2
            } else {
                shared * 2 + one * 3
            };
            assert_eq!(feeds.head(&feed).seq, left);
            assert_eq!(replica.closed.len(), usize::from(is_forked));
        }
        let digests = network
            .replicas
            .iter()
            .map(|replica| replica.machine.feeds().digest());
        let digests: std::collections::BTreeSet<_> = digests.collect();
        assert_eq!(digests.len(), 1);
    }
}
