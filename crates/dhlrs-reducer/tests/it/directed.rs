//! Histories that random ones hardly ever come upon, each the way in which one mistake shows.

use dhlrs_reducer::Reducer;

use crate::scene::{Scene, create};

fn sound(reducer: Reducer) -> Reducer {
    reducer
}

/// A Remove that a Move in the log had not seen waits, and so does what it killed: an earlier Move that is still to
/// come can take it all back.
pub(crate) fn a_remove_waits_for_moves_that_had_not_seen_it(plant: fn(Reducer) -> Reducer) {
    let mut scene = Scene::with_root(&[&[], &[], &[]], plant);
    scene.set(0, "p.x", 1);
    scene.set(0, "p.x.z", 2);
    scene.set(0, "q.y", 3);
    scene.set(0, "s.y", 4);
    scene.tell_all();
    scene.remove(0, "p");
    scene.mark();
    scene.tell(0, 2);
    scene.see(2);
    // 1 has not seen the Remove; its second Move would make a cycle, so x stays where it is, and dead.
    scene.now_ms += 10_000;
    scene.move_to(1, "q", "p.x.z");
    let (x, q) = (scene.at(1, "p.x"), scene.at(1, "p.x.z.q"));
    scene.now_ms += 10_000;
    let order = crate::scene::order(1);
    let cycle = dhlrs_feed::TreeOp::Move {
        node: x.clone(),
        parent: q,
        order: order.clone(),
    };
    scene.write(1, vec![cycle]);
    // 2 takes z out of x, before either by its clock.
    let z = x.child(crate::scene::label("z"), 0).unwrap();
    let parent = scene.at(2, "s");
    let late = scene.now_ms;
    scene.now_ms -= 20_500;
    scene.write(
        2,
        vec![dhlrs_feed::TreeOp::Move {
            node: z,
            parent,
            order,
        }],
    );
    let apart = scene.replicas[2].clone();
    scene.replicas[2] = scene.replicas[0].clone();
    scene.now_ms = late;
    // All but that Move come together and acknowledge the Mark, and the next one is reached.
    let chains = apart.chains.clone();
    let seen = chains
        .iter()
        .find(|(feed, _)| feed.author == apart.author)
        .unwrap();
    let acknowledgement = &seen.1[..1];
    scene.replicas[0].receive(acknowledgement, &[], late);
    scene.replicas[0]
        .chains
        .insert(*seen.0, acknowledgement.to_vec());
    scene.tell(0, 1);
    scene.see(1);
    scene.tell(1, 0);
    scene.see(0);
    scene.mark();
    scene.replicas[2] = apart;
    scene.comes_out_as("s{y=4 z{q{y=3 x=1}}}");
}

/// What the author of a Remove may not write is still on the way of what it may.
pub(crate) fn a_move_carries_removes_that_kill_only_below_it(plant: fn(Reducer) -> Reducer) {
    let mut scene = Scene::with_root(&[&[], &["a"]], plant);
    scene.set(0, "a.y.v", 1);
    scene.set(0, "c.w", 2);
    scene.set(0, "q.u", 3);
    scene.move_to(0, "c", "a");
    scene.move_to(0, "a.y", "a.c");
    scene.tell_all();
    scene.remove(1, "a");
    scene.tell_all();
    scene.move_to(0, "a.c", "q");
    scene.comes_out_as("q{u=3 c{w=2}}");
}

/// A dependency on the lost branch of a fork counts to the fork, and not to what stands in its place.
pub(crate) fn a_lost_branch_is_no_past(plant: fn(Reducer) -> Reducer) {
    let mut scene = Scene::with_root(&[&[], &[], &[]], plant);
    scene.set(1, "a.x", 1);
    scene.tell_all();
    let backup = scene.replicas[1].clone();
    scene.set(1, "b", 2);
    scene.tell(1, 2);
    let lost = std::mem::replace(&mut scene.replicas[1], backup);
    scene.set(1, "a.x", 3);
    scene.tell(1, 0);
    // 2 has seen the lost branch only.
    scene.remove(2, "a");
    let fork = 2;
    scene.close(1, 2, Some(fork));
    drop(lost);
    scene.comes_out_as("a{x=3}");
}

/// What stands above the Close of a forked feed may be on either branch, and a replica that never had it cannot tell:
/// it counts to the fork, though its author saw more.
#[test]
fn a_dependency_above_the_close_of_a_fork_counts_to_the_fork() {
    let mut scene = Scene::with_root(&[&[], &[], &[]], sound);
    scene.set(1, "a.x", 1);
    scene.tell_all();
    let backup = scene.replicas[1].clone();
    scene.set(1, "a.x", 2);
    scene.tell(1, 0);
    scene.set(1, "b", 3);
    scene.tell(1, 2);
    scene.remove(2, "a");
    scene.replicas[1] = backup;
    scene.close(1, 2, Some(2));
    // Only now does anybody else hear of the Remove, and nobody of what it names.
    scene.comes_out_as("a{x=2}");
}

#[test]
fn a_remove_waits_for_moves() {
    a_remove_waits_for_moves_that_had_not_seen_it(sound);
}

#[test]
fn a_move_carries_removes() {
    a_move_carries_removes_that_kill_only_below_it(sound);
}

#[test]
fn a_lost_branch_is_not_seen() {
    a_lost_branch_is_no_past(sound);
}

#[test]
fn what_a_close_takes_away_never_was() {
    let mut scene = Scene::with_root(&[&[], &[], &[]], sound);
    scene.set(1, "a", 1);
    scene.tell_all();
    // What 1 does now never reaches the root before its feed is closed; 2 has seen it.
    scene.remove(1, "a");
    scene.tell(1, 2);
    let b = scene.at(2, "b");
    scene.write(2, vec![create(&b)]);
    scene.close(1, 2, None);
    scene.comes_out_as("a=1 b{}");
}
