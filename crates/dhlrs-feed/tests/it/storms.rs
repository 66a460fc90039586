//! Random networks under loss, repetition, reordering, breaks, restarts and restored backups: equal in the end, and
//! silent.

use dhlrs_feed::LinkOptions;

use crate::authors::set;
use crate::network::Network;

fn storm(seed: u64, forks: bool) {
    let mut network = Network::of(seed, 2);
    let replicas = 3 + network.random.below(4);
    for number in 2..replicas {
        network.add(crate::authors::Author::new(number as u32, 1));
    }
    // A tree, and some links more.
    for replica in 1..replicas as usize {
        let other = network.random.below(replica as u64) as usize;
        network.link(replica, other);
    }
    for _ in 0..network.random.below(3) {
        let (one, other) = (
            network.random.below(replicas),
            network.random.below(replicas),
        );
        if one != other {
            network.link(one as usize, other as usize);
        }
    }
    for link in 0..network.links.len() {
        let random = &mut network.random;
        let options = LinkOptions {
            message_bytes_max: [256, 500, 4_096, 65_536][random.below(4) as usize],
            bytes_per_s: [None, None, Some(5_000)][random.below(3) as usize],
            window_bytes_max: [2_000, 65_536][random.below(2) as usize],
            is_ordered: random.percent(50),
        };
        let (loss, repeat, delay) = (random.below(25), random.below(20), 1 + random.below(200));
        let link = &mut network.links[link];
        (
            link.options,
            link.loss_percent,
            link.repeat_percent,
            link.delay_ms,
        ) = (options, loss, repeat, delay);
    }
    for step in 0..150 {
        let replica = network.random.below(replicas) as usize;
        let link = network.random.below(network.links.len() as u64) as usize;
        match network.random.below(10) {
            0..5 => {
                for n in 0..network.random.below(20) {
                    network.write(replica, set(&format!("p{n}"), step));
                }
                if network.random.percent(70) {
                    network.seal(replica);
                }
            }
            5 if step % 3 == 0 && forks => {
                let from = network.random.below(replicas) as usize;
                network.restore_at(replica, from);
            }
            5 => network.restart_from(replica, step % 2 == 0),
            6 if network.links[link].is_up => network.down(link),
            6 => network.up(link),
            7 => network.links[link].is_deaf ^= true,
            _ => {
                let ms = network.random.below(2_000);
                network.pass(ms);
            }
        }
    }
    for replica in 0..replicas as usize {
        network.seal(replica);
    }
    for link in 0..network.links.len() {
        network.links[link].is_deaf = false;
        if !network.links[link].is_up {
            network.up(link);
        }
    }
    // While links lose, replicas ask again now and then; they are equal long before.
    network.pass(600_000);
    for link in &mut network.links {
        link.loss_percent = 0;
    }
    network.settle(600_000);
    network.check_equal();
    let events: u64 = network.replicas[0]
        .machine
        .feeds()
        .frontier()
        .map(|(_, state)| state.end.seq)
        .sum();
    assert!(events > 0);
}

#[test]
fn replicas_are_equal_after_every_storm() {
    for seed in 0..60 {
        storm(seed, seed % 2 == 1);
    }
}
