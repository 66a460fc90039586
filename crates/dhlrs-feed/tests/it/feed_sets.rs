//! A replica's feeds: the same whatever came first, whole, checked and bounded.

use dhlrs_feed::{
    EventId, FeedEnd, FeedErrorKind, FeedId, FeedLimits, FeedSet, Outcome, Payload, Run,
};
use proptest::prelude::*;

use crate::authors::{Author, key, store, verifier};

fn feeds() -> FeedSet {
    FeedSet::new(store(), FeedLimits::default())
}

/// Gives a run to a replica as somebody who tells the head before it.
#[track_caller]
fn give(set: &mut FeedSet, run: &Run) -> Outcome {
    let prev = Some(run.claim().prev);
    set.accept(run.feed(), prev, run.bytes(), &verifier())
        .unwrap()
        .outcome
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_give_the_same_set(
        lengths in proptest::collection::vec(proptest::collection::vec(1..4u64, 1..6), 1..4),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 60),
    ) {
        let mut runs = Vec::new();
        for (lengths, number) in lengths.iter().zip(0..) {
            let mut author = Author::new(number, 1);
            runs.extend(lengths.iter().map(|sets| author.run(*sets)));
        }
        let mut whole = feeds();
        for run in &runs {
            prop_assert_eq!(give(&mut whole, run), Outcome::Stored);
        }
        let mut set = feeds();
        let mut seen = Vec::new();
        let shuffled = order.iter().map(|at| at.get(&runs)).chain(&runs);
        for run in shuffled {
            let prev = Some(run.claim().prev);
            let accepted = set.accept(run.feed(), prev, run.bytes(), &verifier()).unwrap();
            for new in accepted.runs {
                seen.extend(new.events.iter().map(|(event, id)| (event.dot, *id)));
            }
        }
        prop_assert!(set.frontier().eq(whole.frontier()));
        prop_assert_eq!(set.pending_bytes(), 0);
        // Each event once, and each feed in its order.
        let mut dots: Vec<_> = seen.iter().map(|(dot, _)| *dot).collect();
        dots.sort_by_key(|dot| dot.feed);
        prop_assert!(dots.windows(2).all(|pair| pair[0].feed != pair[1].feed || pair[0].seq + 1 == pair[1].seq));
        prop_assert_eq!(dots.len() as u64, set.frontier().map(|(_, state)| state.end.seq).sum::<u64>());
    }
}

#[test]
fn a_run_that_follows_nothing_known_needs_the_head_before_it() {
    let mut author = Author::new(1, 1);
    let runs = [author.run(2), author.run(2)];
    let mut set = feeds();
    let error = set
        .accept(runs[1].feed(), None, runs[1].bytes(), &verifier())
        .unwrap_err();
    assert_eq!(error.kind(), FeedErrorKind::Unconnected, "{error}");
    assert_eq!(give(&mut set, &runs[1]), Outcome::Pending);
    assert_eq!(set.frontier().count(), 0);
    let accepted = set
        .accept(runs[0].feed(), None, runs[0].bytes(), &verifier())
        .unwrap();
    assert_eq!(accepted.runs.len(), 2);
    assert_eq!(set.head(&author.feed()).seq, 4);
}

#[test]
fn strangers_cannot_write_under_another_name() {
    let mut author = Author::new(1, 1);
    let run = author.run(2);
    let mut set = feeds();
    let feed = FeedId::new(key(2), author.feed().epoch);
    let error = set
        .accept(&feed, None, run.bytes(), &verifier())
        .unwrap_err();
    assert_eq!(error.kind(), FeedErrorKind::Refused, "{error}");
    let mut bytes = run.bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let error = set
        .accept(&author.feed(), None, &bytes, &verifier())
        .unwrap_err();
    assert_eq!(error.kind(), FeedErrorKind::Refused, "{error}");
    assert_eq!((set.frontier().count(), set.pending_bytes()), (0, 0));
    assert_eq!(
        give(&mut set, &run),
        Outcome::Stored,
        "and squat no place of theirs"
    );
}

#[test]
fn what_waits_is_bounded_and_the_nearest_stay() {
    let limits = FeedLimits {
        pending_bytes_max: 20_000,
        pending_feed_bytes_max: 8_000,
        ..FeedLimits::default()
    };
    let mut set = FeedSet::new(store(), limits);
    let mut authors: Vec<_> = (0..5).map(|number| Author::new(number, 1)).collect();
    let firsts: Vec<_> = authors.iter_mut().map(|author| author.run(1)).collect();
    let mut runs = Vec::new();
    for author in &mut authors {
        runs.extend((0..100).map(|_| author.run(3)));
    }
    for run in runs.iter().rev().chain(&runs) {
        assert_eq!(give(&mut set, run), Outcome::Pending);
        assert!(set.pending_bytes() <= 20_000);
    }
    for (author, first) in authors.iter().zip(&firsts) {
        give(&mut set, first);
        assert!(
            set.head(&author.feed()).seq > 3,
            "the runs next in turn were kept"
        );
    }
}

#[test]
fn a_flood_of_one_author_displaces_nobody_else() {
    let limits = FeedLimits {
        pending_bytes_max: 20_000,
        pending_feed_bytes_max: 20_000,
        ..FeedLimits::default()
    };
    let mut set = FeedSet::new(store(), limits);
    let (mut honest, mut flood) = (Author::new(1, 1), Author::new(2, 1));
    let (first, second) = (honest.run(1), honest.run(1));
    give(&mut set, &second);
    flood.run(1);
    for _ in 0..200 {
        give(&mut set, &flood.run(3));
    }
    let accepted = set
        .accept(first.feed(), None, first.bytes(), &verifier())
        .unwrap();
    assert_eq!(accepted.runs.len(), 2);
}

#[test]
fn a_full_replica_keeps_what_it_has_and_takes_no_new_feed() {
    let limits = FeedLimits {
        authors_max: 3,
        ..FeedLimits::default()
    };
    let mut set = FeedSet::new(store(), limits);
    let mut authors: Vec<_> = (0..3).map(|number| Author::new(number, 1)).collect();
    for author in &mut authors {
        let run = author.run(1);
        assert_eq!(give(&mut set, &run), Outcome::Stored);
    }
    assert!(set.is_full());
    for number in 100..20_100 {
        let run = Author::new(number, 1).run(1);
        let error = set
            .accept(run.feed(), None, run.bytes(), &verifier())
            .unwrap_err();
        assert_eq!(error.kind(), FeedErrorKind::Full);
    }
    assert_eq!((set.frontier().count(), set.pending_bytes()), (3, 0));
    assert_eq!(
        give(&mut set, &authors[0].run(1)),
        Outcome::Stored,
        "known feeds go on"
    );
    // Who began to write while there was room is not stopped by others that were quicker.
    let mut own = Author::new(9, 1);
    assert!(set.accept_own(&own.run(1)).is_ok());
}

#[test]
fn feeds_that_only_wait_count_too() {
    let limits = FeedLimits {
        authors_max: 3,
        ..FeedLimits::default()
    };
    let mut set = FeedSet::new(store(), limits);
    let second = |number| {
        let mut author = Author::new(number, 1);
        author.run(1);
        author.run(1)
    };
    for number in 0..3 {
        assert_eq!(give(&mut set, &second(number)), Outcome::Pending);
    }
    let run = second(3);
    let prev = Some(run.claim().prev);
    let error = set
        .accept(run.feed(), prev, run.bytes(), &verifier())
        .unwrap_err();
    assert_eq!(error.kind(), FeedErrorKind::Full);
}

#[test]
fn an_author_ends_its_own_feed_by_the_first_event_of_the_next() {
    let mut old = Author::new(1, 1);
    let runs = [old.run(2), old.run(3)];
    let mut new = Author::new(1, 2);
    let end = FeedEnd {
        seq: 2,
        id: runs[0].claim().last,
    };
    let close = Payload::Close {
        epoch: old.feed().epoch,
        end: Some(end),
    };
    let closing = new.run_of(vec![close.clone()]);
    let mut first = feeds();
    runs.iter().chain([&closing]).for_each(|run| {
        give(&mut first, run);
    });
    let mut last = feeds();
    assert_eq!(give(&mut last, &closing), Outcome::Stored);
    assert_eq!(give(&mut last, &runs[0]), Outcome::Stored);
    assert_eq!(give(&mut last, &runs[1]), Outcome::Closed);
    assert_eq!(first.head(&old.feed()), end);
    assert!(first.is_closed(&old.feed()) && first.frontier().eq(last.frontier()));
    assert_eq!(
        first.accept_own(&old.run(1)).unwrap_err().kind(),
        FeedErrorKind::OutOfPlace
    );
}

#[test]
fn nobody_ends_another_feed_and_nothing_but_a_first_event_ends_one() {
    let mut victim = Author::new(1, 1);
    let runs = [victim.run(2), victim.run(3)];
    let close = |epoch| Payload::Close { epoch, end: None };
    // Another author; a second event; and the feed itself.
    let (mut other, mut late) = (Author::new(2, 7), Author::new(1, 2));
    let mut own = Author::new(3, 1);
    let ends = [
        other.run_of(vec![close(victim.feed().epoch)]),
        late.run(1),
        late.run_of(vec![close(victim.feed().epoch)]),
        own.run_of(vec![close(own.feed().epoch)]),
    ];
    let mut set = feeds();
    for run in runs.iter().chain(&ends) {
        assert_eq!(give(&mut set, run), Outcome::Stored);
    }
    assert_eq!(set.head(&victim.feed()).seq, 5);
    for feed in [victim.feed(), other.feed(), late.feed(), own.feed()] {
        assert!(set.head(&feed).seq > 0 && !set.is_closed(&feed), "{feed}");
    }
}

#[test]
fn of_two_ends_of_a_feed_the_lower_counts() {
    let mut old = Author::new(1, 1);
    let runs = [old.run(2), old.run(3)];
    let epoch = old.feed().epoch;
    let close = |number, run: &Run| {
        let end = Some(run.claim().end());
        Author::new(1, number).run_of(vec![Payload::Close { epoch, end }])
    };
    let ends = [close(2, &runs[0]), close(3, &runs[1])];
    for order in [[0, 1], [1, 0]] {
        let mut set = feeds();
        let [one, other] = order.map(|at| &ends[at]);
        for run in [&runs[0], &runs[1], one, other] {
            give(&mut set, run);
        }
        assert_eq!(set.head(&old.feed()).seq, 2);
        assert_eq!(give(&mut set, &runs[1]), Outcome::Closed);
    }
}

#[test]
fn a_restart_restores_the_set_and_says_what_is_missing() {
    let mut author = Author::new(1, 1);
    let runs = [author.run(2), author.run(3), author.run(1)];
    let mut set = feeds();
    assert_eq!(
        set.restore(&author.feed(), runs[0].bytes())
            .unwrap()
            .runs
            .len(),
        1
    );
    let error = set.restore(&author.feed(), runs[2].bytes()).unwrap_err();
    assert_eq!(error.kind(), FeedErrorKind::OutOfPlace, "{error}");
    set.restore(&author.feed(), runs[1].bytes()).unwrap();
    set.restore(&author.feed(), runs[2].bytes()).unwrap();
    assert_eq!(set.ends(&author.feed()).len(), 3);
    set.forget(&author.feed(), 4);
    assert_eq!(set.head(&author.feed()).seq, 2, "half a run is none");
    assert_eq!(give(&mut set, &runs[1]), Outcome::Stored);
}

#[test]
fn without_a_root_no_run_names_a_control_record() {
    let mut author = Author::new(1, 1);
    author.write(dhlrs_clock::Time::default(), Payload::Seen);
    let mut bytes = author.run(1).into_bytes();
    // first, six bytes of wall, count, control
    assert_eq!(bytes[9], 0);
    bytes[9] = 1;
    let error = feeds().accept(&author.feed(), Some(EventId::NONE), &bytes, &verifier());
    assert_eq!(error.unwrap_err().kind(), FeedErrorKind::NoControl);
}
