//! What a replica reads again of its disk is what it was, whatever happened.

use dhlrs_clock::Stamp;
use dhlrs_store::Input;
use dhlrs_wire::{Intent, OtherEvent, Request, Selection};

use crate::adversity::drafts;
use crate::bench::{Bench, intent, local, path, resolvers};
use crate::drafts::forked;
use crate::mesh::{Mesh, replicated};

/// What is held wakes a replica that was opened from a checkpoint.
#[test]
fn what_is_held_in_a_checkpoint_shows_when_its_time_has_come() {
    let mut mesh = Mesh::with_window(2, Some(3));
    mesh.link(0, 1);
    for n in 0..6 {
        mesh.nodes[0].set("a", n);
        mesh.settle();
    }
    mesh.nodes[0].now.wall_ms += 90_000;
    mesh.nodes[0].set("ahead", 2);
    mesh.settle();
    for n in 0..40 {
        mesh.nodes[1].set("b", n);
        mesh.nodes[1].pass_ms(60);
    }
    assert!(mesh.nodes[1].image.is_some());
    assert_eq!(mesh.nodes[1].shown("ahead"), None);
    mesh.restart(1);
    assert!(mesh.nodes[1].store.next_wake_ms().is_some());
    mesh.nodes[1].pass_ms(60_000);
    assert_eq!(mesh.nodes[1].shown("ahead").as_deref(), Some("2"));
}

/// The store dies between any two tickets: head, drafts and hash are those of the live one.
#[test]
fn a_replay_gives_what_was_live_after_closes_and_drafts() {
    let mut mesh = forked();
    for at in 0..3 {
        let hash = mesh.nodes[at].store.state_hash();
        let revision = mesh.nodes[at].revision();
        let kept = drafts(&mut mesh.nodes[at]);
        let status = crate::feeds::feeds(&mut mesh.nodes[at]);
        let author = if at == 2 { 3 } else { 1 };
        mesh.nodes[at].restart_as(replicated(author, true), resolvers());
        assert!(mesh.nodes[at].store.is_open());
        assert_eq!(mesh.nodes[at].store.state_hash(), hash);
        assert_eq!(mesh.nodes[at].revision(), revision);
        assert_eq!(drafts(&mut mesh.nodes[at]), kept);
        let again = crate::feeds::feeds(&mut mesh.nodes[at]);
        let row =
            |row: &dhlrs_wire::FeedRow| (row.feed, row.held, row.reduced, row.head, row.standing);
        assert_eq!(
            again.rows.iter().map(row).collect::<Vec<_>>(),
            status.rows.iter().map(row).collect::<Vec<_>>()
        );
        assert_eq!(again.own, status.own);
    }
}

/// A checkpoint after a wrong clock: its drafts, what it closes and the next feed.
#[test]
fn a_checkpoint_between_the_end_of_a_feed_and_the_next_one() {
    for window in [None, Some(1)] {
        let mut mesh = Mesh::with_window(2, window);
        mesh.link(0, 1);
        for n in 0..20 {
            mesh.nodes[0].set("before", n);
            mesh.settle();
        }
        let right = mesh.nodes[0].now;
        mesh.nodes[0].now.wall_ms += 3_600_000;
        mesh.nodes[0].set("ahead", 2);
        mesh.settle();
        mesh.nodes[0].now.wall_ms = right.wall_ms + 10_000;
        mesh.nodes[0].pass_ms(1);
        let kept = drafts(&mut mesh.nodes[0]);
        let hash = mesh.nodes[0].store.state_hash();
        mesh.restart(0);
        assert_eq!(drafts(&mut mesh.nodes[0]), kept);
        assert_eq!(mesh.nodes[0].store.state_hash(), hash);
        for n in 0..20 {
            mesh.nodes[0].set("after", n);
            mesh.settle();
            mesh.restart(0);
            assert!(
                mesh.nodes[0].store.is_open(),
                "{:?}",
                mesh.nodes[0].warnings()
            );
            assert_eq!(drafts(&mut mesh.nodes[0]), kept);
        }
        mesh.settle();
        mesh.assert_equal();
    }
}

/// The peer that has the runs below a fork is reached after the one that told of it.
#[test]
fn a_proof_that_comes_before_the_runs_below_it_voids_none_of_them() {
    let mut mesh = forked();
    let hash = mesh.nodes[2].store.state_hash();
    mesh.nodes.push(Bench::of(replicated(9, true), resolvers()));
    mesh.link(2, 3);
    mesh.settle();
    assert_eq!(mesh.nodes[3].store.state_hash(), hash);
}

/// Damage, then the process's own feed: what was signed and stands whole in the log comes back as it was.
#[test]
fn a_restart_after_an_in_flight_write_was_left_by_a_mended_clock() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.nodes[0].set("before", 1);
    mesh.settle();
    let right = mesh.nodes[0].now;
    mesh.nodes[0].now.wall_ms += 3_600_000;
    mesh.nodes[0].at_once = false;
    mesh.nodes[0].set_later("ahead", 2);
    mesh.nodes[0].now.wall_ms = right.wall_ms + 10_000;
    mesh.nodes[0].set_later("after", 2);
    mesh.nodes[0].at_once = true;
    mesh.nodes[0].sync();
    mesh.settle();
    mesh.assert_equal();
    let kept = drafts(&mut mesh.nodes[0]);
    assert!(kept > 0);
    let hash = mesh.nodes[0].store.state_hash();
    mesh.restart(0);
    assert_eq!(mesh.nodes[0].store.state_hash(), hash);
    assert_eq!(drafts(&mut mesh.nodes[0]), kept);
    mesh.settle();
    mesh.assert_equal();
}

/// A backup with an unsigned end is put back as restored: what peers have of it comes back, drafts go.
#[test]
fn drafts_of_a_restored_backup_go_when_their_events_come_back() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.nodes[0].set("a", 1);
    mesh.settle();
    mesh.nodes[0].pass_ms(1_000);
    mesh.nodes[0].set("b", 1);
    mesh.nodes[0].set("c", 2);
    mesh.nodes[0].set("d", 3);
    let backup = mesh.nodes[0].disk.clone();
    mesh.settle();
    mesh.nodes[0].set("e", 4);
    mesh.settle();
    mesh.cut(0, 1);
    mesh.nodes[0].disk = backup;
    mesh.restart_as(0, true);
    let before = drafts(&mut mesh.nodes[0]);
    assert!(before > 0);
    mesh.restart(0);
    assert_eq!(drafts(&mut mesh.nodes[0]), before);
    mesh.nodes[0].set("f", 5);
    mesh.link(0, 1);
    mesh.settle();
    assert_eq!(drafts(&mut mesh.nodes[0]), 0);
    mesh.assert_equal();
    let hash = mesh.nodes[0].store.state_hash();
    mesh.restart(0);
    assert_eq!(mesh.nodes[0].store.state_hash(), hash);
    assert_eq!(drafts(&mut mesh.nodes[0]), 0);
}

/// A failed sync at every ticket: what is read again is what goes on.
#[test]
fn a_sync_that_fails_now_and_then_leaves_replicas_that_agree() {
    let mut mesh = Mesh::of(3);
    mesh.link(0, 1);
    mesh.link(1, 2);
    for n in 0..60_usize {
        let at = n % 3;
        mesh.nodes[at].at_once = false;
        mesh.nodes[at].set_later(&format!("n{}", n % 7), n as i64);
        mesh.deliver();
        mesh.nodes[at].at_once = true;
        if mesh.nodes[at].out.is_some() {
            if n % 4 == 1 {
                let out = mesh.nodes[at].out.take();
                if n % 8 == 1 {
                    mesh.nodes[at].disk.extend(out.unwrap().1);
                }
                let message = "the disk is full".to_owned();
                mesh.nodes[at].handle(Input::PersistFailed { message });
                mesh.nodes[at].recover();
            } else {
                mesh.nodes[at].sync();
            }
        }
        if n % 9 == 0 {
            mesh.settle();
        }
        if n % 13 == 0 {
            let hash = mesh.nodes[at].store.state_hash();
            mesh.restart(at);
            assert_eq!(mesh.nodes[at].store.state_hash(), hash);
        }
    }
    mesh.settle();
    mesh.assert_equal();
}

/// A backup from before a fork: the proof comes before what stands below it.
#[test]
fn a_forked_feed_ends_where_the_proof_says_also_where_its_author_has_forgotten_more() {
    let mut mesh = Mesh::of(3);
    mesh.link(0, 2);
    mesh.nodes[0].set("a", 1);
    mesh.settle();
    let backup = mesh.nodes[0].disk.clone();
    mesh.nodes[0].set("b", 1);
    mesh.settle();
    mesh.nodes[0].set("c", 1);
    mesh.settle();
    mesh.nodes[1] = Bench::of(replicated(1, true), resolvers());
    mesh.nodes[1].disk = mesh.nodes[0].disk.clone();
    mesh.nodes[1].restart_as(replicated(1, true), resolvers());
    mesh.nodes[1].set("d", 2);
    mesh.nodes[0].set("d", 1);
    mesh.settle();
    mesh.link(1, 2);
    mesh.settle();
    assert_eq!(mesh.nodes[2].shown("c").as_deref(), Some("1"));
    mesh.cut(1, 2);
    mesh.nodes[0].disk = backup;
    mesh.restart(0);
    mesh.settle();
    assert_eq!(mesh.nodes[2].shown("c").as_deref(), Some("1"));
    mesh.nodes[0].set("e", 1);
    mesh.settle();
    for label in ["a", "b", "c", "e"] {
        assert_eq!(mesh.nodes[2].shown(label).as_deref(), Some("1"), "{label}");
    }
}

/// What is not on disk yet is shown to nobody, in the past neither.
#[test]
fn a_read_of_the_past_shows_nothing_that_is_not_on_disk() {
    let mut mesh = Mesh::of(1);
    mesh.nodes[0].set("a", 1);
    mesh.nodes[0].at_once = false;
    mesh.nodes[0].set_later("a", 2);
    let stamp = Stamp::new(2_000_000, 0).unwrap();
    let request = Request::Read(Box::new(dhlrs_wire::Read {
        selection: Selection::Path(path("")),
        depth: 5,
        view: dhlrs_wire::View::Stored,
        arguments: dhlrs_bag::Attributes::new(),
        at: Some(stamp),
    }));
    let id = mesh.nodes[0].request_of(local(), request);
    let answer = mesh.nodes[0].answer(id);
    assert!(answer.is_none(), "{answer:?}");
}

/// Any ticket, any order, clocks that jump: what is on disk is what was live.
#[test]
fn what_is_read_again_is_what_was_live() {
    for seed in 5..12_u64 {
        let mut state = seed * 7_919 + 1;
        let mut pick = move |most: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % most
        };
        let window = [None, Some(2), Some(9)][pick(3) as usize];
        let mut mesh = Mesh::with_window(3, window);
        mesh.link(0, 1);
        mesh.link(1, 2);
        for step in 0..120_u64 {
            let at = pick(3) as usize;
            match pick(12) {
                0 => mesh.settle(),
                1 => mesh.restart(at),
                2 => mesh.nodes[at].now.wall_ms += 3_000_000,
                3 | 4 => {
                    mesh.nodes[at].now.wall_ms -=
                        mesh.nodes[at].now.wall_ms.saturating_sub(1_000_000) / 2
                }
                5 => {
                    mesh.nodes[at].pass_ms(40_000);
                }
                6 => {
                    let edit = dhlrs_bag::Edit::Remove {
                        path: path(&format!("n{}", pick(4))),
                    };
                    let _ = mesh.nodes[at].write(vec![edit.into()]);
                }
                7 => {
                    mesh.nodes[at].at_once = false;
                    let edits = vec![crate::bench::set(&format!("n{}.v", pick(4)), step as i64)];
                    mesh.nodes[at]
                        .request_of(local(), Request::Write(Box::new(intent([0; 16], 0, edits))));
                    mesh.deliver();
                    mesh.nodes[at].at_once = true;
                    if mesh.nodes[at].out.is_some() {
                        mesh.nodes[at].sync();
                    }
                }
                8 => {
                    let event = OtherEvent::new("k", Vec::new()).unwrap();
                    let intent = Intent {
                        emitted: vec![event],
                        ..intent([0; 16], 0, Vec::new())
                    };
                    let _ = mesh.nodes[at].ask(local(), Request::Write(Box::new(intent)));
                }
                _ => {
                    let edits = vec![crate::bench::set(
                        &format!("n{}.v{}", pick(4), pick(3)),
                        step as i64,
                    )];
                    let _ = mesh.nodes[at].write(edits);
                }
            }
            assert!(mesh.nodes[at].store.is_open(), "seed {seed} step {step}");
            let author = u8::try_from(at + 1).unwrap();
            let mut shadow = Bench::of(replicated(author, true), resolvers());
            shadow.disk = mesh.nodes[at].disk.clone();
            shadow.image = mesh.nodes[at].image.clone();
            shadow.now = mesh.nodes[at].now;
            shadow.restart_as(replicated(author, true), resolvers());
            let rows = |bench: &Bench| bench.store.published().image().collect::<Vec<_>>();
            assert_eq!(
                rows(&shadow),
                rows(&mesh.nodes[at]),
                "seed {seed} step {step}"
            );
            assert_eq!(
                shadow.revision(),
                mesh.nodes[at].revision(),
                "seed {seed} step {step}"
            );
            assert_eq!(
                shadow.store.state_hash(),
                mesh.nodes[at].store.state_hash(),
                "hash, seed {seed} step {step}"
            );
            assert_eq!(
                drafts(&mut shadow),
                drafts(&mut mesh.nodes[at]),
                "drafts, seed {seed} step {step}"
            );
        }
    }
}
