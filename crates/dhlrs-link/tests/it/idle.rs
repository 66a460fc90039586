//! What travels when nothing happens, and how a dead wire is noticed.

use dhlrs_link::{ACK_DELAY_MS_MAX, EndingKind, Side};

use crate::wire::{connected, datagrams, open, pair, stream};

#[test]
fn an_idle_link_is_silent_but_for_a_question_now_and_then() {
    let mut world = connected();
    world.send(0, "hello");
    world.settle();
    world.run_for(20);
    let before = [
        world.ends[0].frames_sent.len(),
        world.ends[1].frames_sent.len(),
    ];
    world.run_for(9_000);
    let after = [
        world.ends[0].frames_sent.len(),
        world.ends[1].frames_sent.len(),
    ];
    assert_eq!(before, after);
    world.run_for(60_000);
    let questions_and_answers: usize = world.ends.iter().map(|end| end.frames_sent.len()).sum();
    assert!(questions_and_answers - after[0] - after[1] <= 4 * 7);
    assert_eq!(world.ups(0).len(), 1);
    assert!(
        !world.ends[0].open.is_empty(),
        "a silent peer that answers is not given up"
    );
}

#[test]
fn an_acknowledgement_waits_for_others_and_for_messages_to_travel_with() {
    let mut world = connected();
    let before = world.ends[1].frames_sent.len();
    for n in 0..20 {
        world.send(0, n.to_string());
    }
    world.run_for(world.delay_ms + ACK_DELAY_MS_MAX);
    assert_eq!(
        world.ends[1].frames_sent.len() - before,
        1,
        "one for all twenty"
    );

    world.send(0, "question");
    world.run_for(world.delay_ms);
    let before = world.ends[1].frames_sent.len();
    world.send(1, "answer");
    world.run_for(ACK_DELAY_MS_MAX + 1);
    assert_eq!(
        world.ends[1].frames_sent.len() - before,
        1,
        "the answer carries it"
    );
    world.settle();
}

#[test]
fn a_dead_wire_is_given_up_and_the_session_goes_on() {
    let mut world = connected();
    world.go_dead();
    world.send(0, "into the void");
    world.run_for(29_000);
    assert!(!world.ends[0].open.is_empty());
    world.run_for(2_000);
    world.ended(0, EndingKind::Silent);
    world.ended(1, EndingKind::Silent);
    world.faults.drop = 0;
    world.connect();
    world.settle();
    assert_eq!(world.ends[1].messages, ["into the void"]);
}

#[test]
fn whoever_does_not_greet_is_sent_away() {
    let mut world = pair();
    world.go_dead();
    world.connect_as(0, &stream(), Side::connected(), open());
    world.run_for(4_999);
    assert!(world.ends[0].events.is_empty() && world.ends[1].events.is_empty());
    world.run_for(2);
    world.ended(0, EndingKind::Silent);
    world.ended(1, EndingKind::Silent);
}

#[test]
fn repetitions_wait_twice_as_long_each_time() {
    let mut world = pair();
    world.connect_as(0, &datagrams(), Side::connected(), open());
    world.run_for(100);
    world.go_dead();
    let before = world.ends[0].frames_sent.len();
    world.send(0, "again");
    let sent_by = |world: &mut crate::wire::World, at_ms| {
        world.run_for(at_ms);
        world.ends[0].frames_sent.len() - before
    };
    assert_eq!(sent_by(&mut world, 199), 1);
    assert_eq!(sent_by(&mut world, 2), 2);
    assert_eq!(sent_by(&mut world, 398), 2);
    assert_eq!(sent_by(&mut world, 2), 3);
    assert_eq!(sent_by(&mut world, 798), 3);
    assert_eq!(sent_by(&mut world, 2), 4);
}
