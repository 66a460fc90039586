//! Several connections between two processes, and several processes of one name or key.

use dhlrs_link::{Config, EndingKind, LinkInput, Links, Side};

use crate::wire::{World, config, connected, links, links_with, open, pair, stream};

#[test]
fn a_peer_that_lost_its_connection_takes_over_the_one_we_still_see() {
    let mut world = connected();
    world.go_dead();
    world.send(0, "on the dead wire");
    let dead = *world.ends[0].open.first().unwrap();
    world.ends[0].open.clear();
    world.input(0, LinkInput::Closed { link: dead });
    world.faults.drop = 0;
    world.connect();
    world.settle();
    world.ended(1, EndingKind::Replaced);
    assert_eq!(world.ups(1), [false, true]);
    assert_eq!(world.ends[1].messages, ["on the dead wire"]);
    assert!(world.lost(1).is_empty());
}

#[test]
fn a_peer_that_was_restarted_takes_over_too_with_a_new_session() {
    let mut world = connected();
    world.go_dead();
    world.send(1, "to the dead");
    world.faults.drop = 0;
    world.ends[0].links = links_with(1, 1, config(1));
    world.ends[0].open.clear();
    world.connect();
    world.run_for(100);
    world.ended(1, EndingKind::Replaced);
    assert_eq!(world.ups(1), [false, false]);
    assert_eq!(world.lost(1), [(1, 0)]);
}

#[test]
fn a_restarted_peer_need_not_wait_until_its_former_life_is_given_up() {
    let mut world = connected();
    world.ends[1].links = links_with(2, 1, config(2));
    world.ends[1].open.clear();
    world.connect_as(1, &stream(), Side::connected(), open());
    world.run_for(100);
    world.ended(0, EndingKind::Replaced);
    assert_eq!(world.ups(0), [false, false]);
}

#[test]
fn of_two_connections_made_at_once_the_same_one_stays_at_both_ends() {
    for delay_ms in [1, 5, 20] {
        for head_start_ms in 0..80 {
            let mut world = pair();
            world.delay_ms = delay_ms;
            world.connect_as(0, &stream(), Side::connected(), open());
            world.run_for(head_start_ms);
            world.connect_as(1, &stream(), Side::connected(), open());
            world.run_for(1_000);
            let link = |at: usize| world.ends[at].links.link(&world.peer(at));
            assert_eq!(link(0), link(1), "{delay_ms} ms, {head_start_ms} ms later");
            assert!(link(0).is_some());
            assert_eq!(world.ends[0].open.len(), 1);
            assert_eq!(world.ends[0].open, world.ends[1].open);
            world.send(0, "there");
            world.send(1, "and back");
            world.settle();
            assert_eq!(world.ends[1].messages, ["there"]);
            assert_eq!(world.ends[0].messages, ["and back"]);
        }
    }
}

#[test]
fn a_second_connection_of_a_process_that_has_one_is_a_duplicate() {
    let mut world = connected();
    world.send(0, "before");
    world.connect_as(0, &stream(), Side::connected(), open());
    world.run_for(100);
    world.ended(0, EndingKind::Duplicate);
    world.ended(1, EndingKind::Duplicate);
    world.send(0, "after");
    world.settle();
    assert_eq!(world.ends[1].messages, ["before", "after"]);
    assert_eq!(world.ups(0), [false]);
}

/// A third process that reaches end 1 of the world.
fn visit(world: &mut World, visitor: Links) -> Links {
    let home = std::mem::replace(&mut world.ends[0].links, visitor);
    world.connect_as(0, &stream(), Side::connected(), open());
    world.run_for(100);
    std::mem::replace(&mut world.ends[0].links, home)
}

#[test]
fn a_name_is_held_while_its_link_lives() {
    let mut world = connected();
    visit(&mut world, links_with(3, 0, config(1)));
    world.ended(1, EndingKind::Denied);
    assert!(
        world
            .ending(1)
            .message
            .contains("another key is connected under the name")
    );
    world.cut();
    visit(&mut world, links_with(3, 0, config(1)));
    assert_eq!(world.ups(1), [false, false]);
    // A name has one session: that of the key before is over.
    assert_eq!(world.lost(1), [(0, 0)]);
    assert_eq!(world.ends[1].links.peers().count(), 1);
}

#[test]
fn processes_that_share_a_key_live_side_by_side() {
    let mut world = connected();
    visit(&mut world, links_with(1, 1, config(3)));
    assert_eq!(world.ends[1].links.peers().count(), 2);
    assert_eq!(world.ups(1), [false, false]);
    world.send(0, "still here");
    world.settle();
    assert_eq!(world.ends[1].messages, ["still here"]);
}

#[test]
fn sessions_are_bounded_and_the_one_longest_alone_makes_room() {
    let far = links_with(
        2,
        0,
        Config {
            sessions_max: 2,
            ..config(2)
        },
    );
    let mut world = World::new(links(1), far);
    for number in 3..5 {
        visit(&mut world, links(number));
    }
    visit(&mut world, links(5));
    world.ended(1, EndingKind::Busy);
    assert_eq!(world.ups(1).len(), 2);
    world.cut();
    visit(&mut world, links(5));
    assert_eq!(world.ups(1).len(), 3);
    let names: Vec<String> = world.ends[1]
        .links
        .peers()
        .map(|peer| peer.name.to_string())
        .collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&"m5/p".to_owned()));
}
