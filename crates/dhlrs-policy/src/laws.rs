//! The laws that a policy must keep, run on histories that follow from seeds.
//!
//! A history is what some replicas wrote to one cell: each write knows what its author had seen, numbers have gaps where
//! other cells were written, stamps rise above their past and are often equal across authors.

use core::fmt::{self, Debug};
use std::error::Error;

use dhlrs_clock::{Dot, Stamp, VersionVector};

use crate::{Effect, Merge, Meta, Reading};

/// How many histories [`merge_laws!`](crate::merge_laws) runs.
pub const HISTORIES: u64 = 1_000;

const REPLICAS: u64 = 4;
/// Writes of a history before what is settled, and as many after it.
const WRITES_MAX: u64 = 8;

/// One of the laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Law {
    /// A cell that nobody has written reads as absent.
    BeginsAbsent,
    /// The same writes give the same bytes and the same reading, in whatever causal order they come.
    AnyOrder,
    /// A write that comes again changes nothing, and says so.
    Twice,
    /// Where `apply` says that nothing changed, the cell reads as before.
    Unchanged,
    /// A state joined with another one has taken the writes of both: in either order, in any grouping, with itself.
    Join,
    /// Nobody can tell whether and when a state was compacted.
    Compaction,
}

/// A policy does not keep a law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenLaw {
    law: Law,
    seed: u64,
}

impl BrokenLaw {
    /// Which one.
    #[must_use]
    pub fn law(&self) -> Law {
        self.law
    }

    /// The history that shows it.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }
}

impl fmt::Display for BrokenLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.law {
            Law::BeginsAbsent => "a cell that nobody has written does not read as absent",
            Law::AnyOrder => "the same writes in another causal order come to something else",
            Law::Twice => "a write that comes a second time makes a difference",
            Law::Unchanged => "`apply` says that nothing changed, and the cell reads otherwise",
            Law::Join => "a join does not come to what the writes of both sides come to",
            Law::Compaction => "a compacted state comes to something else",
        };
        write!(f, "{what} (history {})", self.seed)
    }
}

impl Error for BrokenLaw {}

/// Writes the test that a policy keeps the laws: a name for it, the policy, and a function that makes a write's content
/// from a number.
///
/// ```
/// use dhlrs_policy::{Siblings, merge_laws};
///
/// merge_laws!(siblings_keep_the_laws, Siblings::new(), |n| n % 3);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! merge_laws {
    ($name:ident, $policy:expr, $op:expr) => {
        #[test]
        fn $name() -> Result<(), $crate::laws::BrokenLaw> {
            let policy = $policy;
            for seed in 0..$crate::laws::HISTORIES {
                $crate::laws::check(&policy, $op, seed)?;
            }
            Ok(())
        }
    };
}

/// Runs all laws on the history of one seed.
///
/// # Errors
///
/// The first law that is broken.
pub fn check<P>(policy: &P, op: impl Fn(u64) -> P::Op, seed: u64) -> Result<(), BrokenLaw>
where
    P: Merge<u64>,
    P::Value: PartialEq + Debug,
{
    let mut random = Random(seed);
    let history = History::new(&mut random, op);
    let trial = Trial { policy, seed };
    trial.begins_absent()?;
    for _ in 0..4 {
        trial.any_order(&history, &mut random)?;
        trial.join(&history, &mut random)?;
        trial.compaction(&history, &mut random)?;
    }
    Ok(())
}

struct Write<O> {
    dot: Dot<u64>,
    stamp: Stamp,
    past: VersionVector<u64>,
    op: O,
}

/// Writes in an order in which they can have been made. Those from `settled` on have all before it in their past.
struct History<O> {
    writes: Vec<Write<O>>,
    settled: usize,
}

impl<O> History<O> {
    fn new(random: &mut Random, op: impl Fn(u64) -> O) -> Self {
        let mut history = Self {
            writes: Vec::new(),
            settled: 0,
        };
        let mut known: Vec<(VersionVector<u64>, u64)> = Vec::new();
        known.resize_with(REPLICAS as usize, Default::default);
        let mut seqs = [0; REPLICAS as usize];
        for is_late in [false, true] {
            for _ in 0..=random.below(WRITES_MAX) {
                let at = random.below(REPLICAS) as usize;
                if random.below(3) == 0 {
                    let from = known[random.below(REPLICAS) as usize].clone();
                    known[at].0.join(&from.0);
                    known[at].1 = known[at].1.max(from.1);
                    continue;
                }
                seqs[at] += 1 + random.below(2);
                let dot = Dot::new(at as u64, seqs[at]);
                let (past, clock) = &mut known[at];
                *clock += 1 + random.below(2);
                history.writes.push(Write {
                    dot,
                    stamp: Stamp::new(*clock, 0).unwrap_or_default(),
                    past: past.clone(),
                    op: op(random.next()),
                });
                past.advance(dot);
            }
            if !is_late {
                history.settled = history.writes.len();
                let mut all = known.iter().flat_map(|(seen, _)| seen.iter());
                let all: VersionVector<u64> =
                    all.by_ref().map(|(at, seq)| Dot::new(*at, *seq)).collect();
                let clock = known.iter().map(|(_, clock)| *clock).max().unwrap_or(0);
                known.fill((all, clock));
            }
        }
        history
    }

    /// Some of the writes from `from` on, each after those of its past that are among them.
    fn some(&self, random: &mut Random, from: usize, take: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut waiting: Vec<usize> = (from..self.writes.len()).filter(|at| take(*at)).collect();
        let mut order = Vec::new();
        while !waiting.is_empty() {
            let is_next = |at: &usize| !waiting.iter().any(|other| self.precedes(*other, *at));
            let next: Vec<usize> = waiting.iter().copied().filter(is_next).collect();
            let next = next[random.below(next.len() as u64) as usize];
            waiting.retain(|at| *at != next);
            order.push(next);
        }
        order
    }

    fn all(&self, random: &mut Random) -> Vec<usize> {
        self.some(random, 0, |_| true)
    }

    /// A part of the history that a replica can have: with each write those of its past.
    fn part(&self, random: &mut Random, from: usize) -> Vec<usize> {
        let whole = self.some(random, from, |_| true);
        let count = random.below(whole.len() as u64 + 1) as usize;
        whole[..count].to_vec()
    }

    fn precedes(&self, before: usize, after: usize) -> bool {
        let (before, after) = (&self.writes[before], &self.writes[after]);
        let is_own = before.dot.feed == after.dot.feed && before.dot.seq < after.dot.seq;
        is_own || after.past.contains(&before.dot)
    }

    fn stable(&self) -> VersionVector<u64> {
        self.writes[..self.settled]
            .iter()
            .map(|write| write.dot)
            .collect()
    }
}

struct Trial<'p, P> {
    policy: &'p P,
    seed: u64,
}

impl<P> Trial<'_, P>
where
    P: Merge<u64>,
    P::Value: PartialEq + Debug,
{
    fn broken(&self, law: Law) -> BrokenLaw {
        BrokenLaw {
            law,
            seed: self.seed,
        }
    }

    fn apply(&self, state: &mut P::State, write: &Write<P::Op>) -> Effect {
        let meta = Meta {
            dot: write.dot,
            stamp: write.stamp,
            past: &write.past,
        };
        self.policy.apply(state, &write.op, &meta)
    }

    fn apply_all(&self, state: &mut P::State, history: &History<P::Op>, order: &[usize]) {
        for at in order {
            self.apply(state, &history.writes[*at]);
        }
    }

    fn state_of(&self, history: &History<P::Op>, order: &[usize]) -> P::State {
        let mut state = P::State::default();
        self.apply_all(&mut state, history, order);
        state
    }

    fn are_equal(&self, a: &P::State, b: &P::State) -> bool {
        self.bytes(a) == self.bytes(b) && self.policy.read(a) == self.policy.read(b)
    }

    fn bytes(&self, state: &P::State) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.policy.encode_canonical(state, &mut bytes);
        bytes
    }

    fn begins_absent(&self) -> Result<(), BrokenLaw> {
        match self.policy.read(&P::State::default()) {
            Reading::Absent => Ok(()),
            _ => Err(self.broken(Law::BeginsAbsent)),
        }
    }

    fn any_order(&self, history: &History<P::Op>, random: &mut Random) -> Result<(), BrokenLaw> {
        let whole = self.state_of(history, &history.all(random));
        let mut state = P::State::default();
        let order = history.all(random);
        for (place, at) in order.iter().enumerate() {
            let before = state.clone();
            let effect = self.apply(&mut state, &history.writes[*at]);
            let is_same = self.policy.read(&before) == self.policy.read(&state);
            if effect == Effect::Unchanged && !is_same {
                return Err(self.broken(Law::Unchanged));
            }
            let again = order[random.below(place as u64 + 1) as usize];
            let before = state.clone();
            let effect = self.apply(&mut state, &history.writes[again]);
            if effect != Effect::Unchanged || !self.are_equal(&before, &state) {
                return Err(self.broken(Law::Twice));
            }
        }
        match self.are_equal(&whole, &state) {
            true => Ok(()),
            false => Err(self.broken(Law::AnyOrder)),
        }
    }

    fn join(&self, history: &History<P::Op>, random: &mut Random) -> Result<(), BrokenLaw> {
        let orders = [0; 3].map(|_| history.part(random, 0));
        let [a, b, c] = orders.each_ref().map(|order| self.state_of(history, order));
        let joined = |one: &P::State, other: &P::State| {
            let mut state = one.clone();
            self.policy.join(&mut state, other);
            state
        };
        let both = joined(&a, &b);
        let of = |at: usize| orders[..2].iter().any(|order| order.contains(&at));
        let expected = self.state_of(history, &history.some(random, 0, of));
        let mut all = joined(&both, &c);
        let is_semilattice = self.are_equal(&both, &expected)
            && self.are_equal(&both, &joined(&b, &a))
            && self.are_equal(&all, &joined(&a, &joined(&b, &c)))
            && self.are_equal(&a, &joined(&a, &a))
            && self.are_equal(&both, &joined(&both, &a));
        // What was joined takes the writes that are left, and those again that it has.
        self.apply_all(&mut all, history, &history.all(random));
        let whole = self.state_of(history, &history.all(random));
        match is_semilattice && self.are_equal(&all, &whole) {
            true => Ok(()),
            false => Err(self.broken(Law::Join)),
        }
    }

    fn compaction(&self, history: &History<P::Op>, random: &mut Random) -> Result<(), BrokenLaw> {
        let settled = history.settled;
        let stable = history.stable();
        let base = history.some(random, 0, |at| at < settled);
        let mut base = self.state_of(history, &base);
        let plain = base.clone();
        self.policy.compact(&mut base, &stable);
        let mut is_same = self.are_equal(&base, &plain);
        let tails = [history.part(random, settled), history.part(random, settled)];
        let on = |base: &P::State, tail: &[usize]| {
            let mut state = base.clone();
            self.apply_all(&mut state, history, tail);
            state
        };
        let [mut state, other] = tails.each_ref().map(|tail| on(&base, tail));
        let [mut expected, plain_other] = tails.each_ref().map(|tail| on(&plain, tail));
        is_same &= self.are_equal(&state, &expected);
        self.policy.join(&mut state, &other);
        self.policy.join(&mut expected, &plain_other);
        is_same &= self.are_equal(&state, &expected);
        let rest = history.some(random, settled, |_| true);
        self.apply_all(&mut state, history, &rest);
        is_same &= self.are_equal(&state, &on(&plain, &rest));
        match is_same {
            true => Ok(()),
            false => Err(self.broken(Law::Compaction)),
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): enough to choose with, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
