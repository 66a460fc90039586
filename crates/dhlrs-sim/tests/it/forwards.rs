//! Forwards: each change sent on once, whoever dies when.

use dhlrs_bag::Edit;
use dhlrs_sim::{Cluster, Loss, NodeIndex};
use dhlrs_store::Forward;

use crate::world::{set, shown};

fn forward(pattern: &str, to: &str) -> Forward {
    Forward {
        pattern: pattern.parse().unwrap(),
        to: to.parse().unwrap(),
    }
}

/// `a/p/s`, forwarded to `b/p/s`, over one wire.
fn pair(seed: u64, pattern: &'static str, to: &'static str) -> (Cluster, NodeIndex, NodeIndex) {
    let mut cluster = Cluster::new(seed);
    let (a, b) = (cluster.add_node("a/p"), cluster.add_node("b/p"));
    cluster.add_store(a, "s", move |config| {
        config.logged = true;
        config.limits.window_changes_max = 12;
        config.forwards.push(forward(pattern, to));
    });
    cluster.add_store(b, "s", |config| config.logged = true);
    cluster.connect(a, b);
    cluster.run_for(500);
    (cluster, a, b)
}

fn write(cluster: &mut Cluster, node: NodeIndex, path: &str, value: i64) {
    let target = format!("{}/s", cluster.name(node));
    cluster.write(node, &target, vec![set(path, value)], 5_000);
}

/// A count that goes up by one, not to one: applied twice it would show.
fn children(cluster: &Cluster, node: NodeIndex, path: &str) -> Vec<String> {
    let tree = cluster.published(node, "s").unwrap();
    let bag = tree.node(&path.parse().unwrap());
    bag.iter()
        .flat_map(|bag| bag.children())
        .map(|child| child.label().to_string())
        .collect()
}

#[test]
fn each_change_is_sent_once_when_either_side_dies_at_every_step() {
    for at_ms in 0..40 {
        for victim in 0..2 {
            let (mut cluster, a, b) = pair(at_ms, "out.**", "b/p/s/in");
            let victim = [a, b][victim];
            for n in 1..=6 {
                write(&mut cluster, a, &format!("out.e{n}"), n);
                write(&mut cluster, a, "out.count", n);
                cluster.run_for(4);
            }
            cluster.run_for(at_ms);
            cluster.crash(victim, Loss::Torn);
            cluster.run_for(20);
            cluster.restart(victim);
            for n in 7..=20 {
                write(&mut cluster, a, &format!("out.e{n}"), n);
                write(&mut cluster, a, "out.count", n);
                cluster.run_for(4);
            }
            cluster.run_for(20_000);
            assert_eq!(children(&cluster, a, "out"), children(&cluster, b, "in"));
            assert_eq!(shown(&cluster, b, "s", "in.count"), Some(20));
            let revisions = |node| cluster.published(node, "s").unwrap().revision();
            assert_eq!(revisions(a), revisions(b), "as many changes there as here");
        }
    }
}

#[test]
fn two_stores_that_forward_to_each_other_come_to_rest() {
    let mut cluster = Cluster::new(1);
    let (a, b) = (cluster.add_node("a/p"), cluster.add_node("b/p"));
    for (node, to) in [(a, "b/p/s"), (b, "a/p/s")] {
        cluster.add_store(node, "s", move |config| {
            config.logged = true;
            config.forwards.push(forward("**", to));
        });
    }
    cluster.connect(a, b);
    cluster.run_for(500);
    write(&mut cluster, a, "x", 1);
    write(&mut cluster, b, "y", 2);
    write(&mut cluster, a, "both", 1);
    write(&mut cluster, b, "both", 2);
    cluster.run_for(5_000);
    let revision = |cluster: &Cluster, node| cluster.published(node, "s").unwrap().revision();
    let before = (revision(&cluster, a), revision(&cluster, b));
    cluster.run_for(60_000);
    assert_eq!((revision(&cluster, a), revision(&cluster, b)), before);
    for node in [a, b] {
        assert_eq!(shown(&cluster, node, "s", "x"), Some(1));
        assert_eq!(shown(&cluster, node, "s", "y"), Some(2));
    }
}

#[test]
fn a_store_of_the_same_process_gets_each_change_once_too() {
    let mut cluster = Cluster::new(2);
    let a = cluster.add_node("a/p");
    cluster.add_store(a, "s", |config| {
        config.logged = true;
        config.forwards.push(forward("**", "a/p/t/in"));
    });
    cluster.add_store(a, "t", |config| config.logged = true);
    cluster.run_for(100);
    for n in 1..=30 {
        write(&mut cluster, a, "count", n);
        cluster.run_for(6);
        if n % 7 == 0 {
            cluster.crash(a, Loss::Unsynced);
            cluster.restart(a);
            cluster.run_for(100);
        }
    }
    cluster.run_for(5_000);
    assert_eq!(shown(&cluster, a, "t", "in.count"), Some(30));
    assert_eq!(cluster.published(a, "t").unwrap().revision(), 30);
}

#[test]
fn crossing_the_border_of_the_pattern_is_an_insert_or_a_remove() {
    let (mut cluster, a, b) = pair(3, "out.**", "b/p/s/in");
    let edit = |cluster: &mut Cluster, edit: Edit| {
        cluster.write(a, "a/p/s", vec![edit.into()], 5_000);
        cluster.run_for(500);
    };
    let path = |text: &str| text.parse().unwrap();
    write(&mut cluster, a, "out.first", 0);
    write(&mut cluster, a, "hidden.x.y", 1);
    edit(
        &mut cluster,
        Edit::Move {
            path: path("hidden.x"),
            to: path("out.x"),
            position: None,
        },
    );
    assert_eq!(shown(&cluster, b, "s", "in.x.y"), Some(1));
    edit(
        &mut cluster,
        Edit::Rename {
            path: path("out.x"),
            label: dhlrs_bag::Label::new("z").unwrap(),
        },
    );
    assert_eq!(children(&cluster, b, "in"), ["first", "z"]);
    edit(
        &mut cluster,
        Edit::Move {
            path: path("out.z"),
            to: path("hidden.z"),
            position: None,
        },
    );
    assert_eq!(children(&cluster, b, "in"), ["first"]);
    edit(&mut cluster, Edit::Remove { path: path("out") });
    assert!(children(&cluster, b, "in").is_empty());
}

#[test]
fn a_target_that_is_away_too_long_stops_the_forward_and_says_so() {
    let mut cluster = Cluster::new(4);
    let (a, b) = (cluster.add_node("a/p"), cluster.add_node("b/p"));
    cluster.add_store(a, "s", |config| {
        config.logged = true;
        config.limits.forward_log_bytes_max = 100_000;
        config.forwards.push(forward("**", "b/p/s/in"));
    });
    cluster.add_store(b, "s", |config| config.logged = true);
    let wire = cluster.connect(a, b);
    cluster.run_for(500);
    write(&mut cluster, a, "count", 0);
    cluster.run_for(1_000);
    cluster.cut(wire);
    for n in 1..=400 {
        write(&mut cluster, a, "count", n);
        cluster.run_for(5);
    }
    let state = |cluster: &Cluster| cluster.status(a, "s").unwrap().forwards[0].state.clone();
    assert!(
        state(&cluster).starts_with("stopped"),
        "{}",
        state(&cluster)
    );
    cluster.heal(wire);
    cluster.crash(a, Loss::Unsynced);
    cluster.restart(a);
    write(&mut cluster, a, "count", 1_000);
    cluster.run_for(5_000);
    assert!(
        state(&cluster).starts_with("stopped"),
        "{}",
        state(&cluster)
    );
    assert_eq!(shown(&cluster, b, "s", "in.count"), Some(0));
}
