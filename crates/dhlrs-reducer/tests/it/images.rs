//! Images: what is restored from one goes on as the original does.
//!
//! The random histories restore now and then, too, and go on with both.

use dhlrs_feed::{FeedId, HomePath, OnConcurrentWrite, TreeOp};
use dhlrs_reducer::{CheckpointErrorKind, IMAGE_CHUNK_BYTES_MAX, Reducer, ReducerReader};

use crate::history::{Random, Sim};
use crate::naive;
use crate::scene::Scene;

pub(crate) fn chunks(reducer: &Reducer) -> Vec<Vec<u8>> {
    reducer.image().chunks().map(Result::unwrap).collect()
}

pub(crate) fn restored(reducer: &Reducer) -> Reducer {
    let mut reader = ReducerReader::default();
    chunks(reducer)
        .iter()
        .for_each(|chunk| reader.push(chunk).unwrap());
    reader.finish().unwrap()
}

#[track_caller]
pub(crate) fn are_equal(a: &mut Reducer, b: &mut Reducer, what: &str) {
    assert_eq!(a.frontier(), b.frontier(), "{what}: restored, the frontier");
    assert_eq!(a.state_hash(), b.state_hash(), "{what}: restored, the hash");
    assert_eq!(naive::shown_by(a), naive::shown_by(b), "{what}: restored");
    assert_eq!(a.held_until_ms(), b.held_until_ms(), "{what}: restored");
    assert_eq!(a.checkpoint().unwrap(), b.checkpoint().unwrap(), "{what}");
    assert!(chunks(a) == chunks(b), "{what}: restored, the images");
}

fn history(seed: u64, is_rooted: bool) -> Sim {
    let mut sim = Sim::new(seed, is_rooted, |reducer| reducer);
    (0..60).for_each(|_| sim.step());
    sim
}

#[test]
fn a_feed_can_be_closed_and_taken_back_after_a_restart() {
    for seed in 0..60 {
        let sim = history(seed, false);
        let mut random = Random(seed);
        for replica in &sim.replicas {
            let mut original = replica.reducer.clone();
            let mut again = restored(&original);
            are_equal(&mut original, &mut again, "just restored");
            let feeds: Vec<FeedId> = original.frontier().into_keys().collect();
            for feed in feeds {
                let held = original.frontier().get(&feed).map_or(0, |end| end.seq);
                let seq = random.below(held as usize + 1) as u64;
                let (now_ms, is_close) = (sim.now_ms, random.one_in(2));
                let cut = |reducer: &mut Reducer| match is_close {
                    true => reducer.close(feed, seq, now_ms),
                    false => reducer.retract(&feed, seq, now_ms),
                };
                assert_eq!(cut(&mut original), cut(&mut again));
                are_equal(&mut original, &mut again, "closed or taken back");
                let events = replica.chains.get(&feed).cloned().unwrap_or_default();
                assert_eq!(
                    original.reduce(events.clone(), [], now_ms),
                    again.reduce(events, [], now_ms)
                );
                are_equal(&mut original, &mut again, "and written on");
            }
        }
    }
}

#[test]
fn an_image_is_of_the_moment_at_which_it_was_taken() {
    let mut scene = Scene::without_root(1);
    scene.set(0, "a.x", 1);
    let image = scene.replicas[0].reducer.image();
    let before = chunks(&scene.replicas[0].reducer);
    scene.set(0, "a.x", 2);
    let unseen = OnConcurrentWrite::Keep;
    let node = scene.at(0, "a");
    scene.write(0, vec![TreeOp::Remove { node, unseen }]);
    assert_ne!(chunks(&scene.replicas[0].reducer), before);
    let later: Vec<_> = image.chunks().map(Result::unwrap).collect();
    assert_eq!(later, before);
}

#[test]
fn chunks_have_a_limit_whatever_is_in_them() {
    let mut scene = Scene::without_root(1);
    let node = scene.at(0, "a");
    let write = crate::scene::scalar(&node, "x".repeat(200 * 1024).into());
    for _ in 0..9 {
        scene.write(0, vec![write.clone()]);
    }
    let chunks = chunks(&scene.replicas[0].reducer);
    let (last, others) = chunks.split_last().unwrap();
    assert!(last.len() <= IMAGE_CHUNK_BYTES_MAX && !others.is_empty());
    assert!(
        (others.iter()).all(|chunk| chunk.len() <= IMAGE_CHUNK_BYTES_MAX && chunk.len() > 1 << 19)
    );
    let mut again = restored(&scene.replicas[0].reducer);
    are_equal(&mut scene.replicas[0].reducer, &mut again, "large values");
}

#[test]
fn it_does_not_matter_where_chunks_are_cut() {
    let reducer = &history(3, true).replicas[0].reducer;
    let bytes = chunks(reducer).concat();
    let mut reader = ReducerReader::default();
    for piece in bytes.chunks(3) {
        reader.push(piece).unwrap();
    }
    let mut again = reader.finish().unwrap();
    are_equal(&mut reducer.clone(), &mut again, "in pieces of 3 bytes");
}

#[test]
fn an_image_that_is_cut_off_is_refused() {
    let bytes = chunks(&history(5, true).replicas[0].reducer).concat();
    for length in (0..bytes.len()).step_by(37) {
        let mut reader = ReducerReader::default();
        let pushed = reader.push(&bytes[..length]);
        let error = pushed.and_then(|()| reader.finish()).unwrap_err();
        assert_eq!(error.kind(), CheckpointErrorKind::Malformed, "{error}");
    }
}

/// Whatever bytes come: an error, or a reducer that can be used.
#[test]
fn bytes_that_are_no_image_do_no_harm() {
    let mut refused = 0;
    for seed in 0..4 {
        let sim = history(seed, seed % 2 == 0);
        let replica = &sim.replicas[0];
        let bytes = chunks(&replica.reducer).concat();
        let mut random = Random(seed);
        for _ in 0..400 {
            let mut bytes = bytes.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len());
                bytes[at] = match random.one_in(2) {
                    true => random.next() as u8,
                    false => bytes[at] ^ 1 << random.below(8),
                };
            }
            let mut reader = ReducerReader::default();
            let restored = reader.push(&bytes).and_then(|()| reader.finish());
            let Ok(mut reducer) = restored else {
                refused += 1;
                continue;
            };
            let events: Vec<_> = replica.chains.values().flatten().cloned().collect();
            reducer.reduce(events, [], sim.now_ms);
            let feeds: Vec<FeedId> = reducer.frontier().into_keys().collect();
            for feed in feeds {
                reducer.close(feed, 3, sim.now_ms);
                reducer.events_of(&feed, 0).count();
            }
            let root = HomePath::root();
            reducer.log_of(&root, None).count();
            _ = (reducer.state_hash(), reducer.checkpoint(), reducer.image());
        }
    }
    assert!(refused > 400, "{refused}");
}
