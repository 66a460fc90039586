//! Forks: two signed runs of one feed that cannot both be are a proof, and all replicas end the feed at one place.

use dhlrs_feed::{FeedErrorKind, FeedLimits, FeedSet, ForkProof, Outcome, Run, RunErrorKind};
use dhlrs_identity::Signature;
use proptest::prelude::*;

use crate::authors::{Author, store, verifier};

/// A replica that keeps its runs, as a storage would.
struct Replica {
    set: FeedSet,
    stored: Vec<Run>,
    proofs: Vec<ForkProof>,
}

impl Replica {
    fn new() -> Self {
        Self {
            set: FeedSet::new(store(), FeedLimits::default()),
            stored: Vec::new(),
            proofs: Vec::new(),
        }
    }

    fn give(&mut self, run: &Run) -> Outcome {
        let prev = Some(run.claim().prev);
        let accepted = self
            .set
            .accept(run.feed(), prev, run.bytes(), &verifier())
            .unwrap();
        let outcome = accepted.outcome;
        self.follow(accepted);
        outcome
    }

    fn give_proof(&mut self, proof: &ForkProof) -> Outcome {
        let accepted = self.set.accept_proof(proof, &verifier()).unwrap();
        let outcome = accepted.outcome;
        self.follow(accepted);
        outcome
    }

    fn follow(&mut self, accepted: dhlrs_feed::Accepted) {
        self.stored
            .extend(accepted.runs.into_iter().map(|new| new.run));
        self.proofs.extend(accepted.proof);
        for conflict in accepted.conflicts {
            let stored = self.stored.iter().find(|run| {
                run.claim().header.first == conflict.first && run.claim().prev == conflict.prev
            });
            let bytes = stored.unwrap().bytes().to_vec();
            let accepted = self.set.prove(&conflict, &bytes).unwrap();
            self.follow(accepted);
        }
    }
}

/// An author, and its twin that was restored from a backup after so many runs.
fn twins(shared: usize, one: usize, other: usize) -> (Author, Vec<Run>, Vec<Run>, Vec<Run>) {
    let mut author = Author::new(1, 1);
    let shared: Vec<_> = (0..shared).map(|n| author.run(n as u64 % 3 + 1)).collect();
    let mut twin = author.clone();
    // The twin writes other things.
    let one = (0..one).map(|_| author.run(2)).collect();
    let other = (0..other).map(|_| twin.run(3)).collect();
    (author, shared, one, other)
}

#[test]
fn both_orders_end_the_feed_at_the_last_run_that_both_have() {
    let (author, shared, one, other) = twins(2, 3, 2);
    let end = shared[1].claim().end();
    for branches in [[&one, &other], [&other, &one]] {
        let mut replica = Replica::new();
        shared.iter().chain(branches[0]).for_each(|run| {
            replica.give(run);
        });
        assert!(!replica.set.is_closed(&author.feed()));
        assert_eq!(replica.give(&branches[1][0]), Outcome::Forked);
        assert_eq!(replica.set.head(&author.feed()), end);
        assert!(replica.set.is_closed(&author.feed()));
        assert_eq!(replica.give(&branches[0][0]), Outcome::Closed);
    }
}

#[test]
fn a_proof_convinces_who_has_one_branch_or_nothing() {
    let (author, shared, one, other) = twins(2, 3, 2);
    let mut first = Replica::new();
    shared.iter().chain(&one).chain(&other).for_each(|run| {
        first.give(run);
    });
    let bytes = first.proofs[0].encode().unwrap();
    let proof = ForkProof::decode(&bytes).unwrap();
    let mut one_branch = Replica::new();
    shared.iter().chain(&one).for_each(|run| {
        one_branch.give(run);
    });
    let mut nothing = Replica::new();
    for replica in [&mut one_branch, &mut nothing] {
        assert_eq!(replica.give_proof(&proof), Outcome::Stored);
        assert_eq!(replica.give_proof(&proof), Outcome::Duplicate);
    }
    shared.iter().chain(&other).for_each(|run| {
        nothing.give(run);
    });
    for replica in [one_branch, nothing] {
        assert!(replica.set.frontier().eq(first.set.frontier()));
        assert_eq!(replica.set.proof(&author.feed()), Some(&proof));
    }
}

#[test]
fn a_proof_that_comes_first_says_where_the_feed_will_end() {
    let (_, shared, one, other) = twins(2, 1, 1);
    let [early, late] = [0, 1].map(|place: usize| *shared[place].claim());
    let proof = ForkProof::new(*one[0].feed(), *one[0].claim(), *other[0].claim()).unwrap();
    let mut replica = Replica::new();
    replica.give(&shared[0]);
    let accepted = replica.set.accept_proof(&proof, &verifier()).unwrap();
    let closed = accepted.closed[0];
    assert_eq!(closed.end, Some(early.end()));
    assert_eq!(closed.at, late.end().seq);
    assert_eq!(replica.give(&shared[1]), Outcome::Stored);
    let ended: Vec<_> = replica.set.closed().collect();
    assert_eq!(ended, [(*one[0].feed(), late.end().seq)]);
}

#[test]
fn a_run_across_the_end_of_a_proof_makes_a_lower_proof() {
    let mut author = Author::new(1, 1);
    let mut twin = author.clone();
    let long = author.run(2);
    let short = twin.run(1);
    let mut third = twin.clone();
    let (one, other) = (twin.run(2), third.run(3));
    let proof = ForkProof::new(author.feed(), *one.claim(), *other.claim()).unwrap();
    assert_eq!(proof.close_at(), 1);
    let mut across = Replica::new();
    across.give(&long);
    across.give_proof(&proof);
    let mut after = Replica::new();
    after.give_proof(&proof);
    assert_eq!(after.give(&long), Outcome::Closed);
    let mut without = Replica::new();
    without.give_proof(&proof);
    without.give(&short);
    assert_eq!(without.set.head(&author.feed()).seq, 1);
    without.give_proof(across.proofs.last().unwrap());
    for replica in [across, after, without] {
        let lower = replica.set.proof(&author.feed()).unwrap();
        assert_eq!(
            (lower.close_at(), replica.set.head(&author.feed()).seq),
            (0, 0)
        );
    }
}

#[test]
fn proofs_of_unknown_feeds_do_not_fill_a_full_replica() {
    let limits = FeedLimits {
        authors_max: 2,
        ..FeedLimits::default()
    };
    let mut set = FeedSet::new(store(), limits);
    let outcomes = (1..=3).map(|number| {
        let mut author = Author::new(number, 1);
        let mut twin = author.clone();
        let (one, other) = (author.run(1), twin.run(2));
        let proof = ForkProof::new(author.feed(), *one.claim(), *other.claim()).unwrap();
        set.accept_proof(&proof, &verifier())
            .map_err(|error| error.kind())
    });
    let outcomes: Vec<_> = outcomes
        .map(|outcome| outcome.map(|accepted| accepted.outcome))
        .collect();
    let stored = Ok(Outcome::Stored);
    assert_eq!(outcomes, [stored, stored, Err(FeedErrorKind::Full)]);
}

#[test]
fn a_checkpoint_brings_back_what_was_held_and_closed() {
    let (author, shared, one, other) = twins(2, 3, 2);
    let mut replica = Replica::new();
    for run in shared.iter().chain(&one) {
        replica.give(run);
    }
    let mut whole = Author::new(2, 1);
    let (first, second) = (whole.run(3), whole.run(2));
    replica.give(&first);
    let image = |set: &FeedSet| {
        let bytes = set.image().unwrap();
        FeedSet::from_image(store(), FeedLimits::default(), &bytes).unwrap()
    };
    let mut open = image(&replica.set);
    assert!(open.frontier().eq(replica.set.frontier()));
    assert_eq!(open.ends(&author.feed()), replica.set.ends(&author.feed()));
    assert_eq!(
        open.restore(&whole.feed(), second.bytes())
            .unwrap()
            .runs
            .len(),
        1
    );
    replica.give(&other[0]);
    let closed = image(&replica.set);
    assert!(closed.frontier().eq(replica.set.frontier()));
    assert_eq!(
        closed.proof(&author.feed()),
        replica.set.proof(&author.feed())
    );
    assert!(closed.is_closed(&author.feed()));
    let bytes = closed.image().unwrap();
    for end in 0..bytes.len() {
        let cut = FeedSet::from_image(store(), FeedLimits::default(), &bytes[..end]);
        assert!(cut.is_err());
    }
}

#[test]
fn nobody_proves_a_fork_that_is_none() {
    let (author, shared, one, other) = twins(2, 2, 1);
    let claims = |a: &Run, b: &Run| ForkProof::new(author.feed(), *a.claim(), *b.claim());
    assert!(claims(&one[0], &one[0]).is_none());
    assert!(claims(&one[0], &one[1]).is_none(), "one follows the other");
    assert!(claims(&shared[0], &other[0]).is_none(), "nothing in common");
    let proof = claims(&one[1], &other[0]).unwrap();
    let mut forged = *other[0].claim();
    forged.signature = Signature::from_bytes([1; 64]);
    let forged = ForkProof::new(author.feed(), *one[0].claim(), forged).unwrap();
    let mut replica = Replica::new();
    shared.iter().chain(&one).for_each(|run| {
        replica.give(run);
    });
    let error = replica.set.accept_proof(&forged, &verifier()).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("not signed"), "{source}");
    assert_eq!(
        forged.verify(&store(), &verifier()).unwrap_err().kind(),
        RunErrorKind::BadSignature
    );
    assert!(!replica.set.is_closed(&author.feed()));
    replica.give_proof(&proof);
    assert!(replica.set.is_closed(&author.feed()));
}

proptest! {
    /// Whoever has seen what: once all runs and proofs have gone round, all end every feed at one place.
    #[test]
    fn replicas_agree_where_a_forked_feed_ends(
        forks in proptest::collection::vec((0..6usize, 1..4u64), 1..4),
        deliveries in proptest::collection::vec((0..3usize, any::<prop::sample::Index>()), 0..40),
    ) {
        // A tree of branches: each copy goes on from somewhere.
        let mut author = Author::new(1, 1);
        let mut copies = vec![author.clone()];
        let mut runs = Vec::new();
        for n in 0..6 {
            runs.push(author.run(n % 2 + 1));
            copies.push(author.clone());
        }
        for (from, sets) in forks {
            let mut copy = copies[from].clone();
            for n in 0..3 {
                runs.push(copy.run(sets + n));
                copies.push(copy.clone());
            }
        }
        let mut replicas = [Replica::new(), Replica::new(), Replica::new()];
        for (replica, run) in deliveries {
            replicas[replica].give(run.get(&runs));
        }
        for _ in 0..4 {
            let proofs: Vec<_> = replicas.iter().flat_map(|replica| replica.proofs.clone()).collect();
            for replica in &mut replicas {
                runs.iter().for_each(|run| { replica.give(run); });
                proofs.iter().for_each(|proof| { replica.give_proof(proof); });
            }
        }
        let [a, b, c] = &replicas;
        prop_assert!(a.set.frontier().eq(b.set.frontier()) && b.set.frontier().eq(c.set.frontier()));
    }
}
