//! What must come out of certain histories, on every replica, in every order.

use dhlrs_bag::{Name, Value};
use dhlrs_feed::{Cell, OnConcurrentWrite, TreeOp};
use dhlrs_reducer::Reducer;

use crate::scene::{Scene, create, order, scalar};

fn two() -> Scene {
    Scene::without_root(2)
}

#[test]
fn one_path_made_twice_keeps_both_children() {
    let mut scene = two();
    scene.set(0, "orders.o1.status", 1);
    scene.set(1, "orders.o1.price", 2);
    scene.comes_out_as("orders{o1{status=1 price=2}}");
}

#[test]
fn a_write_below_what_is_removed_leaves_a_shell_around_it() {
    let mut scene = two();
    scene.set(0, "a.y", 1);
    scene.tell_all();
    scene.remove(0, "a");
    scene.set(1, "a.x", 2);
    scene.comes_out_as("a{x=2}");
}

#[test]
fn a_remove_that_wants_all_takes_what_it_has_not_seen() {
    let mut scene = two();
    scene.set(0, "a.y", 1);
    scene.tell_all();
    let node = scene.at(0, "a");
    let unseen = OnConcurrentWrite::Remove;
    scene.write(0, vec![TreeOp::Remove { node, unseen }]);
    scene.set(1, "a.x", 2);
    scene.comes_out_as("");
    scene.set(1, "a.z", 3);
    scene.comes_out_as("a{z=3}");
}

#[test]
fn two_clears_of_a_node_that_was_moved_leave_its_attributes() {
    let mut scene = two();
    scene.set(0, "a.x", 1);
    scene.set(0, "q.z", 2);
    let node = scene.at(0, "a");
    let attribute = TreeOp::Write {
        node: node.clone(),
        cell: Cell::Attribute(Name::new("color").unwrap()),
        value: Value::from(7),
    };
    scene.write(0, vec![create(&node), attribute]);
    scene.tell_all();
    scene.move_to(0, "a", "q");
    scene.tell_all();
    scene.clear(0, "q.a");
    scene.clear(1, "q.a");
    scene.comes_out_as("q{z=2 a?color=7{}}");
}

#[test]
fn a_stale_write_finds_what_was_removed_and_made_again() {
    let mut scene = two();
    scene.set(0, "a.y", 1);
    scene.tell_all();
    scene.remove(0, "a");
    scene.set(0, "a.z", 2);
    scene.set(1, "a.x", 3);
    scene.comes_out_as("a{z=2 x=3}");
}

#[test]
fn a_rename_takes_along_what_is_made_below_the_old_label() {
    let mut scene = two();
    scene.set(0, "a.y", 1);
    scene.tell_all();
    scene.rename(0, "a", "b");
    scene.set(1, "a.x", 2);
    scene.comes_out_as("b{y=1 x=2}");
}

#[test]
fn a_place_in_the_bag_that_was_left_counts_no_more() {
    let mut scene = two();
    scene.set(0, "q.z", 1);
    scene.set(0, "a", 2);
    scene.tell_all();
    let (node, parent) = (scene.at(0, "a"), scene.at(0, ""));
    let order = order(9);
    scene.write(
        0,
        vec![TreeOp::Reorder {
            node,
            parent,
            order,
        }],
    );
    scene.move_to(1, "a", "q");
    scene.comes_out_as("q{z=1 a=2}");
}

#[test]
fn what_moves_into_what_is_removed_is_whole() {
    let mut scene = two();
    scene.set(0, "p.old", 1);
    scene.set(0, "n.x", 2);
    scene.tell_all();
    scene.remove(0, "p");
    scene.move_to(1, "n", "p");
    scene.comes_out_as("p{n{x=2}}");
}

#[test]
fn what_moves_out_of_what_is_removed_is_whole() {
    let mut scene = two();
    scene.set(0, "p.n.x", 1);
    scene.set(0, "q.z", 2);
    scene.tell_all();
    scene.remove(0, "p");
    scene.move_to(1, "p.n", "q");
    scene.comes_out_as("q{z=2 n{x=1}}");
}

#[test]
fn a_node_that_moves_at_the_time_of_its_removal_is_whole() {
    let mut scene = two();
    scene.set(0, "n.x", 1);
    scene.set(0, "q.z", 2);
    scene.tell_all();
    scene.remove(0, "n");
    scene.move_to(1, "n", "q");
    scene.comes_out_as("q{z=2 n{x=1}}");
}

#[test]
fn what_moves_into_what_was_made_again_is_whole() {
    let mut scene = two();
    scene.set(0, "p.old", 1);
    scene.set(0, "n.x", 2);
    scene.remove(0, "p");
    let p = scene.at(0, "p");
    scene.write(0, vec![create(&p)]);
    scene.move_to(0, "n", "p");
    scene.comes_out_as("p{n{x=2}}");
}

#[test]
fn of_two_moves_that_make_a_cycle_the_later_has_no_effect() {
    let mut scene = two();
    scene.set(0, "a.x", 1);
    scene.set(0, "b.y", 2);
    scene.tell_all();
    scene.move_to(0, "a", "b");
    scene.move_to(1, "b", "a");
    scene.comes_out_as("b{y=2 a{x=1}}");
}

#[test]
fn a_scalar_hides_behind_children_and_shows_when_they_go() {
    let mut scene = two();
    scene.set(0, "a", 5);
    scene.set(1, "a.x", 1);
    scene.comes_out_as("a=5{x=1}");
    let a = scene.at(0, "a").id();
    let view = scene.replicas[0].reducer.node(a).unwrap().clone();
    assert!(view.is_in_conflict());
    assert_eq!((view.value, view.hidden), (None, Some(Value::from(5))));
    scene.remove(0, "a.x");
    scene.comes_out_as("a=5");
}

#[test]
fn of_two_nodes_of_one_label_the_later_claim_keeps_it() {
    let mut scene = two();
    scene.set(0, "a", 1);
    scene.tell_all();
    scene.rename(0, "a", "c");
    scene.set(1, "c", 2);
    scene.comes_out_as("c~=1 c=2");
}

#[test]
fn a_removed_node_stays_away_when_a_late_peer_tells_of_it() {
    let mut scene = Scene::without_root(3);
    scene.set(0, "a.x", 1);
    scene.tell(0, 1);
    scene.tell(0, 2);
    scene.remove(1, "a");
    scene.tell(1, 0);
    scene.comes_out_as("");
}

#[test]
fn what_was_dead_before_a_move_stays_dead_behind_it() {
    let mut scene = two();
    scene.set(0, "p.n.old", 1);
    scene.set(0, "q.z", 2);
    scene.tell_all();
    scene.remove(0, "p");
    scene.set(1, "p.n.new", 3);
    scene.tell_all();
    scene.move_to(0, "p.n", "q");
    scene.comes_out_as("q{z=2 n{new=3}}");
}

#[test]
fn replace_is_one_transaction_of_which_nobody_sees_half() {
    let mut scene = two();
    scene.set(0, "a.x", 1);
    scene.tell_all();
    let node = scene.at(0, "a");
    let clear = TreeOp::Clear {
        node: node.clone(),
        unseen: OnConcurrentWrite::Keep,
    };
    scene.write(0, vec![clear, create(&node), scalar(&node, Value::from(9))]);
    let all: Vec<_> = scene.replicas[0]
        .chains
        .values()
        .flatten()
        .cloned()
        .collect();
    let mut half = scene.replicas[1].clone();
    let before = half.reducer.state_hash();
    half.receive(&all[..all.len() - 1], &[], scene.now_ms);
    assert_eq!(half.reducer.state_hash(), before);
    scene.comes_out_as("a=9");
}

/// The same events and the same frontier; what was written counts in one store and is void in the other.
pub(crate) fn different_states_have_different_hashes_for(plant: fn(Reducer) -> Reducer) {
    let hash = |prefix: &[&str]| {
        let mut scene = Scene::with_root(&[&[], prefix], plant);
        scene.set(1, "a", 1);
        (
            scene.replicas[1].reducer.frontier(),
            scene.replicas[1].reducer.state_hash(),
        )
    };
    assert_eq!(hash(&[]), hash(&["a"]));
    assert_eq!(hash(&[]).0, hash(&["b"]).0);
    assert_ne!(hash(&[]).1, hash(&["b"]).1);
}

#[test]
fn different_states_have_different_hashes() {
    different_states_have_different_hashes_for(|reducer| reducer);
}
