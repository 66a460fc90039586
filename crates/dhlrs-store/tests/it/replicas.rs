//! Replicated stores: each writes alone, and all end equal.

use dhlrs_bag::{Edit, Label, SortKey};
use dhlrs_store::Output;
use dhlrs_trigger::{Flow, Reactions};
use dhlrs_wire::{Delivery, Kinds, RefusalKind, Request, Selection, Watch};

use crate::bench::{Bench, local, path, resolvers, set};
use crate::mesh::{Mesh, replicated};

#[test]
fn what_one_writes_shows_at_the_other() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.nodes[0].set("orders.o1.status", "new");
    mesh.settle();
    assert_eq!(
        mesh.nodes[1].shown("orders.o1.status").as_deref(),
        Some("new")
    );
    mesh.assert_equal();
}

#[test]
fn writes_of_both_while_apart_are_all_there_in_the_end() {
    let mut mesh = Mesh::of(2);
    for n in 0..200 {
        mesh.nodes[0].set(&format!("a.n{n}"), n);
        mesh.nodes[1].set(&format!("b.n{n}"), n);
        mesh.nodes[0].now = mesh.nodes[0].now.plus_ms(3);
    }
    mesh.nodes[0].set("both.left", 1);
    mesh.nodes[1].set("both.right", 2);
    mesh.link(0, 1);
    mesh.settle();
    mesh.assert_equal();
    let tree = mesh.nodes[0].store.published();
    assert_eq!(tree.node(&path("a")).unwrap().len(), 200);
    assert_eq!(tree.node(&path("both")).unwrap().len(), 2);
}

#[test]
fn what_is_written_at_the_ends_of_a_line_goes_through_the_middle() {
    let mut mesh = Mesh::of(3);
    mesh.nodes[0].set("left", 1);
    mesh.nodes[2].set("right", 2);
    mesh.link(0, 1);
    mesh.settle();
    mesh.cut(0, 1);
    mesh.link(1, 2);
    mesh.settle();
    mesh.cut(1, 2);
    mesh.link(0, 1);
    mesh.settle();
    mesh.assert_equal();
}

#[test]
fn all_edits_travel() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.nodes[0].set("list.b", 1);
    mesh.nodes[0].set("list.a", 2);
    mesh.nodes[0].set("other.z", 0);
    mesh.settle();
    let edits = [
        Edit::Rename {
            path: path("list.b"),
            label: Label::new("c").unwrap(),
        },
        Edit::Sort {
            path: path("list"),
            by: SortKey::default(),
        },
        Edit::Move {
            path: path("list.a"),
            to: path("other.a"),
            position: None,
        },
        Edit::set(path("list.c?colour"), "red"),
        Edit::Remove {
            path: path("other"),
        },
    ];
    for edit in edits {
        mesh.nodes[1].write(vec![edit.into()]).unwrap();
        mesh.settle();
        mesh.assert_equal();
    }
    assert_eq!(mesh.nodes[0].shown("list.c?colour").as_deref(), Some("red"));
    assert_eq!(mesh.nodes[0].shown("other.a"), None);
}

#[test]
fn nothing_leaves_before_it_is_on_disk() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.settle();
    mesh.nodes[0].at_once = false;
    mesh.nodes[0].set_later("a", 1);
    mesh.nodes[0].outputs.clear();
    mesh.nodes[0].pass_ms(1_000);
    mesh.deliver();
    assert_eq!(mesh.nodes[1].shown("a"), None);
    mesh.nodes[0].sync();
    mesh.nodes[0].at_once = true;
    if mesh.nodes[0].out.is_some() {
        mesh.nodes[0].sync();
    }
    mesh.settle();
    assert_eq!(mesh.nodes[1].shown("a").as_deref(), Some("1"));
}

#[test]
fn a_replica_says_nothing_of_what_it_has_received_before_that_is_on_disk() {
    let mut mesh = Mesh::of(3);
    mesh.link(0, 1);
    mesh.link(1, 2);
    mesh.settle();
    mesh.nodes[1].at_once = false;
    mesh.nodes[0].set("a", 1);
    for _ in 0..20 {
        mesh.deliver();
        for node in &mut mesh.nodes {
            node.pass_ms(100);
        }
    }
    assert_eq!(mesh.nodes[2].shown("a"), None);
    // It dies, and what it had not on disk comes again.
    mesh.nodes[1].at_once = true;
    mesh.restart(1);
    mesh.settle();
    assert_eq!(mesh.nodes[2].shown("a").as_deref(), Some("1"));
    mesh.assert_equal();
}

#[test]
fn a_restart_gives_back_the_same_tree_and_goes_on_in_its_feed() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    for n in 0..300 {
        mesh.nodes[n % 2].set(&format!("n{}.v", n % 7), n as i64);
        if n % 40 == 0 {
            mesh.settle();
        }
        if n % 90 == 89 {
            let before = mesh.nodes[0].revision();
            let shown = mesh.nodes[0].shown("n3.v");
            mesh.restart(0);
            assert_eq!(mesh.nodes[0].revision(), before);
            assert_eq!(mesh.nodes[0].shown("n3.v"), shown);
        }
    }
    mesh.settle();
    mesh.assert_equal();
}

#[test]
fn a_replica_opened_from_a_checkpoint_is_the_same_replica() {
    let mut mesh = Mesh::with_window(3, Some(20));
    mesh.link(0, 1);
    mesh.link(1, 2);
    for n in 0..240_usize {
        let at = n % 3;
        match n % 11 {
            3 => {
                let path = path(&format!("n{}", n % 5));
                let _ = mesh.nodes[at].write(vec![Edit::Remove { path }.into()]);
            }
            _ => {
                mesh.nodes[at].set(&format!("n{}.v{}", n % 5, n % 3), n as i64);
            }
        }
        if n % 13 == 0 {
            mesh.settle();
        }
        if n % 20 == 19 {
            let at = (n / 20) % 3;
            let before = mesh.nodes[at].store.published().clone();
            let revision = mesh.nodes[at].revision();
            let hash = mesh.nodes[at].store.state_hash();
            mesh.restart(at);
            assert_eq!(mesh.nodes[at].store.published(), &before);
            assert_eq!(mesh.nodes[at].revision(), revision);
            assert_eq!(mesh.nodes[at].store.state_hash(), hash);
        }
    }
    let images = mesh
        .nodes
        .iter()
        .filter(|node| node.image.is_some())
        .count();
    assert_eq!(images, 3);
    mesh.settle();
    mesh.assert_equal();
}

#[test]
fn a_watch_is_told_of_remote_changes_like_of_local_ones() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.settle();
    let watch = Request::Watch(Box::new(Watch {
        selection: Selection::Path(path("")),
        from: None,
        kinds: Kinds::default(),
        credit: 100,
        node: None,
    }));
    let here = mesh.nodes[0].request_of(local(), watch.clone());
    let there = mesh.nodes[1].request_of(local(), watch);
    mesh.nodes[0].set("a.b", 1);
    mesh.settle();
    let changes = |bench: &mut Bench, id| -> Vec<String> {
        let deliveries = bench.deliveries(id).into_iter();
        let lists = deliveries.filter_map(|delivery| match delivery {
            Delivery::Changes(changes) => Some(changes),
            _ => None,
        });
        lists
            .flat_map(|changes| changes.changes)
            .map(|change| format!("{} {} {:?}", change.kind, change.path, change.new))
            .collect()
    };
    let told_here = changes(&mut mesh.nodes[0], here);
    let told_there = changes(&mut mesh.nodes[1], there);
    assert!(!told_here.is_empty());
    assert_eq!(told_here, told_there);
}

#[test]
fn a_restored_backup_goes_on_in_a_new_feed_and_loses_nothing() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.nodes[0].set("a", 1);
    mesh.settle();
    let backup = mesh.nodes[0].disk.clone();
    mesh.nodes[0].set("b", 2);
    mesh.settle();
    mesh.nodes[0].disk = backup;
    mesh.restart_as(0, true);
    mesh.nodes[0].set("c", 3);
    mesh.settle();
    mesh.assert_equal();
    for (label, value) in [("a", "1"), ("b", "2"), ("c", "3")] {
        assert_eq!(mesh.nodes[0].shown(label).as_deref(), Some(value));
    }
}

#[test]
fn a_backup_put_back_in_silence_is_noticed_by_what_a_peer_has() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.nodes[0].set("a", 1);
    mesh.settle();
    let backup = mesh.nodes[0].disk.clone();
    mesh.nodes[0].set("b", 2);
    mesh.settle();
    mesh.nodes[0].disk = backup;
    mesh.restart(0);
    mesh.settle();
    mesh.nodes[0].set("c", 3);
    mesh.settle();
    mesh.assert_equal();
    for (label, value) in [("a", "1"), ("b", "2"), ("c", "3")] {
        assert_eq!(mesh.nodes[1].shown(label).as_deref(), Some(value));
    }
}

#[test]
fn one_key_used_twice_ends_the_feed_and_both_go_on() {
    let mut mesh = Mesh::of(3);
    mesh.nodes[0].set("a", 1);
    mesh.nodes[0].pass_ms(100);
    // The second one is a copy of the first.
    mesh.nodes[1] = Bench::of(replicated(1, true), resolvers());
    mesh.nodes[1].disk = mesh.nodes[0].disk.clone();
    mesh.nodes[1].restart_as(replicated(1, true), resolvers());
    mesh.nodes[0].set("b", 1);
    mesh.nodes[1].set("b", 2);
    for node in &mut mesh.nodes {
        node.pass_ms(100);
    }
    mesh.link(0, 2);
    mesh.link(1, 2);
    mesh.settle();
    mesh.assert_equal();
    assert_eq!(mesh.nodes[2].shown("a").as_deref(), Some("1"));
    assert_eq!(mesh.nodes[2].shown("b"), None);
    mesh.nodes[0].set("c", 3);
    mesh.settle();
    mesh.assert_equal();
    assert_eq!(mesh.nodes[2].shown("c").as_deref(), Some("3"));
}

#[test]
fn a_clock_that_was_wrong_costs_drafts_and_no_more() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.nodes[0].set("before", 1);
    mesh.settle();
    let right = mesh.nodes[0].now;
    mesh.nodes[0].now.wall_ms += 3_600_000;
    mesh.nodes[0].set("ahead", 2);
    mesh.settle();
    // Held there, and shown here.
    assert_eq!(mesh.nodes[1].shown("ahead"), None);
    mesh.nodes[0].now.wall_ms = right.wall_ms + 10_000;
    mesh.nodes[0].set("after", 3);
    mesh.settle();
    mesh.assert_equal();
    assert_eq!(mesh.nodes[1].shown("before").as_deref(), Some("1"));
    assert_eq!(mesh.nodes[1].shown("after").as_deref(), Some("3"));
    assert_eq!(mesh.nodes[0].shown("ahead"), None);
}

#[test]
fn a_clock_that_is_mended_in_steps_ends_every_feed_that_it_spoilt() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    let right = mesh.nodes[0].now;
    mesh.nodes[0].now.wall_ms += 3_600_000;
    mesh.nodes[0].set("ahead", 2);
    mesh.settle();
    mesh.cut(0, 1);
    // The feed that says where the first one ends is itself left, and nobody has seen it.
    for ahead_ms in [1_800_000, 0] {
        mesh.nodes[0].now.wall_ms = right.wall_ms + 10_000 + ahead_ms;
        mesh.nodes[0].pass_ms(100);
        mesh.nodes[0].pass_ms(100);
        mesh.nodes[0].restart_as(replicated(1, true), resolvers());
    }
    mesh.link(0, 1);
    mesh.settle();
    for node in &mut mesh.nodes {
        node.pass_ms(3_600_000);
    }
    mesh.settle();
    mesh.assert_equal();
    assert_eq!(mesh.nodes[1].shown("ahead"), None);
}

#[test]
fn a_clock_that_stands_still_delays_the_end_of_a_feed_and_no_more() {
    let mut mesh = Mesh::of(3);
    mesh.link(0, 1);
    mesh.link(1, 2);
    mesh.settle();
    // Two whose clocks are wrong have reduced what the other one wrote; both are mended.
    let right = mesh.nodes[0].now;
    for node in &mut mesh.nodes[..2] {
        node.now.wall_ms += 3_600_000;
    }
    mesh.nodes[0].set("a", 1);
    mesh.settle();
    mesh.nodes[1].set("b", 2);
    mesh.settle();
    for node in &mut mesh.nodes[..2] {
        node.now.wall_ms = right.wall_ms + 20_000;
    }
    mesh.settle();
    // Nobody writes any more.
    for _ in 0..8 {
        for node in &mut mesh.nodes {
            node.pass_ms(600_000);
        }
        mesh.settle();
    }
    mesh.assert_equal();
}

#[test]
fn what_came_too_early_shows_when_its_time_has_come() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.nodes[0].now.wall_ms += 90_000;
    mesh.nodes[0].set("ahead", 2);
    mesh.settle();
    assert_eq!(mesh.nodes[1].shown("ahead"), None);
    mesh.nodes[1].pass_ms(60_000);
    assert_eq!(mesh.nodes[1].shown("ahead").as_deref(), Some("2"));
    mesh.restart(1);
    assert_eq!(mesh.nodes[1].shown("ahead").as_deref(), Some("2"));
}

#[test]
fn a_failed_sync_leaves_replicas_that_agree() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.nodes[0].set("a", 1);
    mesh.settle();
    mesh.nodes[0].at_once = false;
    mesh.nodes[0].set_later("b", 2);
    let message = "the disk is full".to_owned();
    mesh.nodes[0].out = None;
    mesh.nodes[0].handle(dhlrs_store::Input::PersistFailed { message });
    mesh.nodes[0].at_once = true;
    mesh.nodes[0].recover();
    assert_eq!(mesh.nodes[0].shown("b"), None);
    mesh.nodes[0].set("c", 3);
    mesh.settle();
    mesh.assert_equal();
    assert_eq!(mesh.nodes[1].shown("c").as_deref(), Some("3"));
}

#[test]
fn an_intent_that_is_refused_leaves_nothing() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.nodes[0].set("a", 1);
    let edits = vec![set("b", 2), set("a.x", 3)];
    let refused = mesh.nodes[0].write(edits).unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::ThroughScalar);
    mesh.settle();
    mesh.assert_equal();
    assert_eq!(mesh.nodes[1].shown("b"), None);
    assert!(
        !mesh.nodes[0]
            .outputs
            .iter()
            .any(|out| matches!(out, Output::Warning(_)))
    );
}

#[test]
fn a_replicated_store_is_not_opened_as_another() {
    let mut mesh = Mesh::of(1);
    mesh.nodes[0].set("a", 1);
    let mut config = replicated(1, true);
    config.authority = None;
    mesh.nodes[0].restart_as(config, resolvers());
    assert_eq!(mesh.nodes[0].shown("a").as_deref(), Some("1"));
    let mut config = replicated(1, true);
    config.authority = Some(dhlrs_store::Authority::Owned);
    mesh.nodes[0].restart_as(config, resolvers());
    assert!(!mesh.nodes[0].store.is_open());
    let warnings = mesh.nodes[0].warnings().join("\n");
    assert!(
        warnings.contains("is replicated, and was to be opened as owned"),
        "{warnings}"
    );
}

#[test]
fn of_replicas_with_the_same_trigger_the_one_that_wrote_answers() {
    for for_all in [false, true] {
        let mut mesh = Mesh::of(3);
        mesh.link(0, 1);
        mesh.link(1, 2);
        for (at, node) in mesh.nodes.iter_mut().enumerate() {
            let pattern: dhlrs_path::Pattern = "orders.*".parse().unwrap();
            let label = format!("answers.by{at}");
            let answer = move |_: &dhlrs_trigger::Event<'_>, then: &mut Reactions| {
                let edit = Edit::set(path(&label), 1);
                match for_all {
                    true => then.emit_here_for_all(edit),
                    false => then.emit_here(edit),
                }
                Flow::Continue
            };
            node.store.triggers_mut().on(pattern, answer).unwrap();
        }
        mesh.nodes[1].set("orders.o1", 1);
        mesh.settle();
        mesh.assert_equal();
        let answers = mesh.nodes[0]
            .store
            .published()
            .node(&path("answers"))
            .unwrap();
        assert_eq!(answers.len(), if for_all { 3 } else { 1 });
        assert_eq!(mesh.nodes[0].shown("answers.by1").as_deref(), Some("1"));
    }
}
