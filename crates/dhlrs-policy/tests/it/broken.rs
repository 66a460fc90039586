//! Policies with a mistake in them: each is caught, by the law that is about it.

use std::collections::BTreeMap;

use dhlrs_clock::{Dot, Stamp, VersionVector};
use dhlrs_policy::laws::{HISTORIES, Law, check};
use dhlrs_policy::{Effect, Merge, Meta, Reading};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    /// The write that came last holds.
    ArrivalOrder,
    /// Of equal stamps the one that came first holds.
    NoTieBreak,
    /// A write that comes again counts again.
    CountsTwice,
    /// `apply` never says that something changed.
    HidesChanges,
    /// A join takes the other side whole.
    JoinReplaces,
    /// A join brings back what was overwritten.
    JoinForgetsContext,
    /// Compaction forgets a value that holds.
    CompactsValues,
    /// The bytes tell what was overwritten.
    SpellsHistory,
    /// There is a value before anybody wrote one.
    BeginsWithZero,
}

/// A register with siblings that keeps all it has ever taken, and one mistake.
struct Broken(Mistake);

#[derive(Clone, Default)]
struct Register {
    all: BTreeMap<Dot<u64>, (Stamp, u64)>,
    overwritten: Vec<Dot<u64>>,
    /// For the mistakes about order.
    last: Option<(Stamp, u64)>,
    shown: u64,
    times: u64,
}

impl Register {
    fn live(&self) -> Vec<(Stamp, Dot<u64>, u64)> {
        let live = self
            .all
            .iter()
            .filter(|(dot, _)| !self.overwritten.contains(dot));
        let mut live: Vec<_> = live
            .map(|(dot, (stamp, value))| (*stamp, *dot, *value))
            .collect();
        live.sort_unstable();
        live
    }

    fn show(&mut self, mistake: Mistake) {
        let newest = self.live().last().map_or(0, |(_, _, value)| *value);
        self.shown = match mistake {
            Mistake::ArrivalOrder | Mistake::NoTieBreak => self.last.map_or(0, |(_, value)| value),
            Mistake::CountsTwice => self.times,
            _ => newest,
        };
    }
}

impl Merge<u64> for Broken {
    type State = Register;
    type Op = u64;
    type Value = u64;

    fn apply(&self, state: &mut Register, op: &u64, meta: &Meta<'_, u64>) -> Effect {
        let before = state.shown;
        let was_there = state.all.insert(meta.dot, (meta.stamp, *op)).is_some();
        let is_seen = |dot: &Dot<u64>| {
            meta.past.contains(dot) || (dot.feed == meta.dot.feed && dot.seq < meta.dot.seq)
        };
        let seen: Vec<_> = state.all.keys().copied().filter(is_seen).collect();
        state.overwritten.extend(seen);
        state.overwritten.sort_unstable();
        state.overwritten.dedup();
        state.times += 1;
        let is_greater = state.last.is_none_or(|(stamp, _)| stamp < meta.stamp);
        if (self.0 == Mistake::ArrivalOrder && !was_there) || is_greater {
            state.last = Some((meta.stamp, *op));
        }
        state.show(self.0);
        match before == state.shown || self.0 == Mistake::HidesChanges {
            true => Effect::Unchanged,
            false => Effect::Changed,
        }
    }

    fn join(&self, state: &mut Register, other: &Register) {
        if self.0 == Mistake::JoinReplaces {
            state.clone_from(other);
            return;
        }
        state
            .all
            .extend(other.all.iter().map(|(dot, write)| (*dot, *write)));
        if self.0 != Mistake::JoinForgetsContext {
            state.overwritten.extend(&other.overwritten);
        }
        state.overwritten.sort_unstable();
        state.overwritten.dedup();
        state.show(self.0);
    }

    fn read<'s>(&self, state: &'s Register) -> Reading<'s, u64> {
        match state.all.is_empty() && self.0 != Mistake::BeginsWithZero {
            true => Reading::Absent,
            false => Reading::One(&state.shown),
        }
    }

    fn compact(&self, state: &mut Register, _: &VersionVector<u64>) {
        if self.0 == Mistake::CompactsValues {
            state.all.pop_last();
        }
    }

    fn encode_canonical(&self, state: &Register, bytes: &mut Vec<u8>) {
        let spelled = match self.0 {
            Mistake::SpellsHistory => format!("{} {:?}", state.times, state.live()),
            _ => format!("{:?}", state.live()),
        };
        bytes.extend_from_slice(spelled.as_bytes());
    }
}

#[test]
fn each_mistake_breaks_its_law() {
    for (mistake, law) in [
        (Mistake::ArrivalOrder, Law::AnyOrder),
        (Mistake::NoTieBreak, Law::AnyOrder),
        (Mistake::CountsTwice, Law::Twice),
        (Mistake::HidesChanges, Law::Unchanged),
        (Mistake::JoinReplaces, Law::Join),
        (Mistake::JoinForgetsContext, Law::Join),
        (Mistake::CompactsValues, Law::Compaction),
        (Mistake::SpellsHistory, Law::Twice),
        (Mistake::BeginsWithZero, Law::BeginsAbsent),
    ] {
        let histories = 0..HISTORIES;
        let mut broken = histories.filter_map(|seed| check(&Broken(mistake), |n| n, seed).err());
        assert!(broken.any(|broken| broken.law() == law), "{mistake:?}");
    }
}
