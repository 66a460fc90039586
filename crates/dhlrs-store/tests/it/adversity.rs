//! Executions that once broke a promise of replicas.

use dhlrs_feed::FeedInput;
use dhlrs_store::{Gossip, Input, Salvage};
use dhlrs_wire::{
    Delivery, Drafts, DraftsRequest, Intent, Kinds, OtherEvent, Reply, Request, Selection, Watch,
};

use crate::bench::{Bench, intent, local, path, resolvers};
use crate::mesh::{Mesh, replicated};
use crate::stranger::{LINK, Stranger};

pub(crate) fn drafts(bench: &mut Bench) -> usize {
    let request = Request::Drafts(DraftsRequest::List { after: None });
    match bench.ask(local(), request).unwrap() {
        Reply::Drafts(drafts) => match *drafts {
            Drafts::List { rows, .. } => rows.len(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// A backup put back in silence; a write is signed and on its way to the disk when a peer sends what
/// the backup lacks.
fn overtaken_while_signed() -> Mesh {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.nodes[0].set("a", 1);
    mesh.settle();
    let backup = mesh.nodes[0].disk.clone();
    mesh.nodes[0].set("b", 2);
    mesh.settle();
    mesh.nodes[0].disk = backup;
    mesh.restart(0);
    mesh.nodes[0].at_once = false;
    mesh.nodes[0].set_later("c", 3);
    mesh.deliver();
    mesh.nodes[0].at_once = true;
    mesh.nodes[0].sync();
    mesh.settle();
    mesh
}

#[test]
fn a_run_signed_when_the_feed_is_overtaken_is_not_lost() {
    let mut mesh = overtaken_while_signed();
    let is_visible = mesh.nodes[1].shown("c").is_some();
    let is_draft = drafts(&mut mesh.nodes[0]) > 0;
    mesh.assert_equal();
    assert!(is_visible || is_draft);
}

#[test]
fn a_log_with_a_run_signed_when_the_feed_was_overtaken_can_be_read() {
    let mut mesh = overtaken_while_signed();
    mesh.restart(0);
    assert!(
        mesh.nodes[0].store.is_open(),
        "{:?}",
        mesh.nodes[0].warnings()
    );
}

#[test]
fn one_who_joins_after_a_fork_shows_the_same() {
    let mut mesh = Mesh::of(4);
    mesh.nodes[0].set("a", 1);
    mesh.nodes[0].pass_ms(100);
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
    mesh.link(2, 3);
    mesh.settle();
    assert_eq!(mesh.nodes[3].shown("a").as_deref(), Some("1"));
    mesh.assert_equal();
}

#[test]
fn one_who_joins_after_a_clock_was_mended_shows_the_same() {
    let mut mesh = Mesh::of(3);
    mesh.link(0, 1);
    for n in 0..5 {
        mesh.nodes[0].set("before", n);
        mesh.settle();
    }
    let right = mesh.nodes[0].now;
    mesh.nodes[0].now.wall_ms += 3_600_000;
    mesh.nodes[0].set("ahead", 2);
    mesh.settle();
    mesh.nodes[0].now.wall_ms = right.wall_ms + 10_000;
    mesh.nodes[0].set("after", 3);
    mesh.settle();
    mesh.link(1, 2);
    mesh.settle();
    assert_eq!(mesh.nodes[2].shown("before").as_deref(), Some("4"));
    mesh.assert_equal();
}

#[test]
fn a_closed_feed_whose_runs_come_after_its_close_is_whole() {
    // Links that lose: the first runs of the old feed, not that of the new one.
    let mut mesh = Mesh::of(2);
    for n in 0..3 {
        mesh.nodes[0].set("before", n);
        mesh.nodes[0].pass_ms(200);
    }
    let right = mesh.nodes[0].now;
    mesh.nodes[0].now.wall_ms += 3_600_000;
    mesh.nodes[0].set("ahead", 2);
    mesh.nodes[0].pass_ms(200);
    mesh.nodes[0].now.wall_ms = right.wall_ms + 10_000;
    mesh.nodes[0].set("after", 3);
    mesh.nodes[0].pass_ms(200);
    mesh.link(0, 1);
    mesh.settle();
    assert_eq!(mesh.nodes[1].shown("before").as_deref(), Some("2"));
    mesh.assert_equal();
}

fn watch(bench: &mut Bench) -> dhlrs_store::RequestId {
    bench.request_of(
        local(),
        Request::Watch(Box::new(Watch {
            selection: Selection::Path(path("")),
            from: None,
            kinds: Kinds::default(),
            credit: 1_000,
            node: None,
        })),
    )
}

fn changes(bench: &mut Bench, id: dhlrs_store::RequestId) -> Vec<(u64, Vec<String>)> {
    let deliveries = bench.deliveries(id).into_iter();
    deliveries
        .filter_map(|delivery| match delivery {
            Delivery::Changes(changes) => Some((
                changes.revision.number,
                changes
                    .changes
                    .iter()
                    .map(|change| format!("{} {}", change.kind, change.path))
                    .collect(),
            )),
            _ => None,
        })
        .collect()
}

#[test]
fn a_write_that_mends_the_clock_has_a_revision_of_its_own() {
    let mut mesh = Mesh::of(1);
    mesh.nodes[0].set("before", 1);
    let right = mesh.nodes[0].now;
    mesh.nodes[0].now.wall_ms += 3_600_000;
    let ahead = mesh.nodes[0].set("ahead", 2);
    mesh.nodes[0].pass_ms(100);
    let id = watch(&mut mesh.nodes[0]);
    mesh.nodes[0].now.wall_ms = right.wall_ms + 10_000;
    let after = mesh.nodes[0].set("after", 3);
    let told = changes(&mut mesh.nodes[0], id);
    // That the clock was mended took "ahead" away: a change of its own.
    assert_eq!(after, ahead + 2);
    let revisions: Vec<u64> = told.iter().map(|(revision, _)| *revision).collect();
    assert!(revisions.is_sorted_by(|a, b| a < b), "{told:?}");
}

#[test]
fn one_request_with_many_events_does_not_close_the_store() {
    let mut mesh = Mesh::of(1);
    let emitted = (0..dhlrs_wire::EMITTED_MAX)
        .map(|_| OtherEvent::new("k", Vec::new()).unwrap())
        .collect();
    let intent = Intent {
        emitted,
        atomic: false,
        ..intent([0; 16], 0, Vec::new())
    };
    let written = mesh.nodes[0].ask(local(), Request::Write(Box::new(intent)));
    assert!(written.is_ok(), "{written:?}");
    assert!(
        mesh.nodes[0].store.is_open(),
        "{:?}",
        mesh.nodes[0].warnings()
    );
}

#[test]
fn a_limit_that_was_lowered_does_not_close_the_store() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.nodes[0].set("a", 1);
    mesh.settle();
    mesh.nodes[1].set("b", 1);
    mesh.settle();
    let mut config = replicated(2, true);
    if let Some(replication) = &mut config.replication {
        replication.limits.authors_max = 1;
    }
    mesh.nodes[1].restart_as(config, resolvers());
    assert!(
        mesh.nodes[1].store.is_open(),
        "{:?}",
        mesh.nodes[1].warnings()
    );
}

#[test]
fn what_was_reduced_once_is_not_held_again_after_a_restart() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.nodes[0].set("a", 1);
    mesh.settle();
    mesh.nodes[0].now.wall_ms += 90_000;
    let intent = Intent {
        emitted: vec![OtherEvent::new("k", Vec::new()).unwrap()],
        ..intent([0; 16], 0, Vec::new())
    };
    mesh.nodes[0]
        .ask(local(), Request::Write(Box::new(intent)))
        .unwrap();
    mesh.settle();
    mesh.nodes[1].pass_ms(60_000);
    mesh.nodes[1].pass_ms(60_000);
    let hash = mesh.nodes[1].store.state_hash();
    assert_eq!(hash, mesh.nodes[0].store.state_hash());
    mesh.nodes[1].now.wall_ms -= 100_000;
    mesh.restart(1);
    mesh.nodes[1].pass_ms(100);
    assert_eq!(mesh.nodes[1].store.state_hash(), hash);
}

#[test]
fn a_close_that_comes_before_what_it_keeps_voids_none_of_it() {
    let mut mesh = Mesh::of(1);
    let (mut stranger, old) = Stranger::with_a_close(&mesh.nodes[0]);
    stranger.meet(&mut mesh.nodes[0]);
    stranger.loses = None;
    mesh.nodes[0].handle(Input::Gossip(Gossip::Closed { link: LINK }));
    stranger.handle(&mut mesh.nodes[0], FeedInput::Closed { link: LINK });
    stranger.meet(&mut mesh.nodes[0]);
    let rows = crate::feeds::feeds(&mut mesh.nodes[0]).rows;
    let row = rows.iter().find(|row| row.feed == old).unwrap();
    assert_eq!((row.held, row.reduced), (3, 3));
}

#[test]
fn what_waits_for_others_does_not_keep_own_events_back() {
    let mut mesh = Mesh::of(2);
    let mut config = replicated(1, true);
    if let Some(replication) = &mut config.replication {
        replication.limits.authors_max = 2;
    }
    mesh.nodes[0] = Bench::of(config, resolvers());
    let mut stranger = Stranger::of(&mesh.nodes[0], 2, 2);
    stranger.loses_first_runs = true;
    stranger.meet(&mut mesh.nodes[0]);
    let written = mesh.nodes[0].write(vec![crate::bench::set("a", 1)]);
    mesh.nodes[0].handle(Input::Gossip(Gossip::Closed { link: LINK }));
    if written.is_ok() {
        mesh.link(0, 1);
        mesh.settle();
        assert_eq!(mesh.nodes[1].shown("a").as_deref(), Some("1"));
    }
}

#[test]
fn a_store_of_many_feeds_can_be_written() {
    let mut mesh = Mesh::of(1);
    let mut stranger = Stranger::of(&mesh.nodes[0], 9_500, 1);
    stranger.meet(&mut mesh.nodes[0]);
    assert_eq!(crate::feeds::feeds(&mut mesh.nodes[0]).feeds, 9_500);
    let written = mesh.nodes[0].write(vec![crate::bench::set("a", 1)]);
    assert!(
        mesh.nodes[0].store.is_open(),
        "{:?}",
        mesh.nodes[0].warnings()
    );
    written.unwrap();
}

#[test]
fn drafts_of_a_wrong_clock_outlive_a_damaged_log() {
    let mut mesh = Mesh::of(2);
    let right = mesh.nodes[0].now;
    // The first thing that it ever writes.
    mesh.nodes[0].now.wall_ms += 3_600_000;
    mesh.nodes[0].set("ahead", 2);
    mesh.nodes[0].pass_ms(100);
    mesh.nodes[0].now.wall_ms = right.wall_ms + 10_000;
    mesh.nodes[0].set("after", 3);
    mesh.nodes[0].pass_ms(100);
    let before = drafts(&mut mesh.nodes[0]);
    assert!(before > 0);
    // The last record is damaged.
    let mut salvage = Salvage::new(
        mesh.nodes[0].store.id(),
        replicated(1, true).replication.unwrap(),
    );
    for record in &mesh.nodes[0].disk {
        salvage.record(record, false);
    }
    let (batches, _) = salvage.finish(77).unwrap();
    mesh.nodes[0].disk = batches.concat();
    mesh.restart(0);
    assert_eq!(mesh.nodes[0].shown("ahead"), None);
    assert_eq!(mesh.nodes[0].shown("after").as_deref(), Some("3"));
    assert_eq!(drafts(&mut mesh.nodes[0]), before);
}

/// A copy of the key writes at the same place while the own run is on its way to the disk.
#[test]
fn a_fork_noticed_while_the_own_run_is_on_its_way_loses_nothing() {
    let mut mesh = Mesh::of(3);
    mesh.nodes[0].set("a", 1);
    mesh.nodes[0].pass_ms(100);
    mesh.nodes[1] = Bench::of(replicated(1, true), resolvers());
    mesh.nodes[1].disk = mesh.nodes[0].disk.clone();
    mesh.nodes[1].restart_as(replicated(1, true), resolvers());
    mesh.nodes[1].set("b", 2);
    mesh.nodes[1].pass_ms(100);
    mesh.link(1, 2);
    mesh.settle();
    mesh.nodes[0].pass_ms(1_000);
    mesh.link(0, 2);
    mesh.nodes[0].at_once = false;
    mesh.nodes[0].set_later("c", 1);
    mesh.deliver();
    mesh.nodes[0].at_once = true;
    if mesh.nodes[0].out.is_some() {
        mesh.nodes[0].sync();
    }
    mesh.settle();
    assert!(mesh.nodes[2].shown("c").is_some() || drafts(&mut mesh.nodes[0]) > 0);
    mesh.assert_equal();
}

/// A full replica of the process's own feed: the limit counts it before it was written.
#[test]
fn an_own_feed_begun_while_the_last_place_is_taken_travels() {
    let mut mesh = Mesh::of(3);
    let mut config = replicated(1, true);
    if let Some(replication) = &mut config.replication {
        replication.limits.authors_max = 2;
    }
    mesh.nodes[0] = Bench::of(config, resolvers());
    mesh.nodes[1].set("b", 1);
    mesh.nodes[2].set("c", 1);
    mesh.link(0, 1);
    mesh.settle();
    mesh.link(0, 2);
    mesh.nodes[0].at_once = false;
    mesh.nodes[0].set_later("a", 1);
    mesh.deliver();
    mesh.nodes[0].at_once = true;
    if mesh.nodes[0].out.is_some() {
        mesh.nodes[0].sync();
    }
    mesh.settle();
    assert_eq!(mesh.nodes[0].shown("a").as_deref(), Some("1"));
    assert_eq!(mesh.nodes[1].shown("a").as_deref(), Some("1"));
}
