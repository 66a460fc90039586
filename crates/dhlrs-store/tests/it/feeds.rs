//! A replica says what it holds, what it lacks and with whom it speaks.

use dhlrs_feed::FeedId;
use dhlrs_wire::{FeedStanding, FeedsStatus, Reply, Request};

use crate::bench::{Bench, local};
use crate::mesh::Mesh;

pub(crate) fn feeds(bench: &mut Bench) -> FeedsStatus {
    page(bench, None)
}

fn page(bench: &mut Bench, after: Option<FeedId>) -> FeedsStatus {
    match bench.ask(local(), Request::Feeds { after }).unwrap() {
        Reply::Feeds(status) => *status,
        other => panic!("{other:?}"),
    }
}

#[test]
fn equal_replicas_say_the_same_of_their_feeds() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.nodes[0].set("a", 1);
    mesh.nodes[1].set("b", 2);
    mesh.settle();
    let here = feeds(&mut mesh.nodes[0]);
    let there = feeds(&mut mesh.nodes[1]);
    assert_eq!(here.store, there.store);
    assert_eq!(here.state_hash, there.state_hash);
    assert_eq!(here.rows, there.rows);
    assert_ne!(here.own, there.own);
    assert_eq!(
        (here.feeds, here.events),
        (2, 4),
        "a Create and a Write each"
    );
    for row in &here.rows {
        assert_eq!((row.held, row.reduced, row.lag), (2, 2, 0));
        assert_eq!(row.standing, FeedStanding::Open);
        assert!(row.wall_ms > 0);
    }
    let peer = &here.peers[0];
    assert_eq!(peer.node.as_str(), "m/1");
    assert!(peer.is_known);
    assert_eq!((peer.ahead, peer.behind), (0, 0));
}

#[test]
fn own_events_count_before_they_are_signed() {
    let mut mesh = Mesh::of(1);
    mesh.nodes[0].set("a", 1);
    mesh.nodes[0].set("b", 1);
    let status = feeds(&mut mesh.nodes[0]);
    assert_eq!(status.rows.len(), 1);
    assert_eq!(status.rows[0].feed, status.own.unwrap());
    assert_eq!((status.rows[0].held, status.rows[0].reduced), (4, 4));
}

#[test]
fn what_lies_in_the_future_is_counted_apart() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.nodes[0].now.wall_ms += 3_600_000;
    mesh.nodes[0].set("ahead", 2);
    mesh.settle();
    let there = feeds(&mut mesh.nodes[1]);
    let row = there.rows[0];
    assert_eq!((row.held, row.reduced, row.future, row.void), (2, 0, 2, 0));
    let here = feeds(&mut mesh.nodes[0]);
    assert_ne!(here.state_hash, there.state_hash);
}

#[test]
fn a_forked_feed_and_its_void_events_are_told() {
    let mut mesh = crate::drafts::forked();
    let status = feeds(&mut mesh.nodes[2]);
    let forked = status
        .rows
        .iter()
        .find(|row| row.standing == FeedStanding::Forked);
    assert!(forked.is_some(), "{status:?}");
    let own = feeds(&mut mesh.nodes[0]);
    assert_eq!(own.drafts, 2, "what it wrote above the fork");
}

#[test]
fn what_a_neighbour_has_and_we_lack_is_its_lead() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    mesh.settle();
    mesh.nodes[1].at_once = false;
    for n in 0..100 {
        mesh.nodes[0].set(&format!("n{n}"), n);
    }
    for _ in 0..10 {
        mesh.deliver();
        mesh.nodes[0].pass_ms(100);
    }
    let behind = feeds(&mut mesh.nodes[0]).peers[0].behind;
    assert_eq!(behind, 200, "nothing of it is on the other's disk");
    mesh.nodes[1].at_once = true;
    mesh.nodes[1].sync();
    mesh.settle();
    assert_eq!(feeds(&mut mesh.nodes[0]).peers[0].behind, 0);
    mesh.assert_equal();
}
