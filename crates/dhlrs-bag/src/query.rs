//! Patterns over the tree: a set of pattern states goes down the walk, so no branch is seen twice.

use dhlrs_path::{PATTERN_BYTES_MAX, Pattern, PatternStep};

use crate::{BagNode, Tree, WalkPosition, slot::View, tree::ROOT_SLOT, walk::Open};

/// The nodes whose path fits a pattern, in pre-order; never the root.
///
/// Below a bag where nothing but one label can go on, that child is looked up; elsewhere the
/// children are looked at one by one.
pub struct Matches<'a> {
    tree: &'a Tree,
    view: View,
    steps: Vec<PatternStep<'a>>,
    open: Vec<Level<'a>>,
}

// A bag in the midst of those of its children that may fit.
struct Level<'a> {
    states: States,
    candidates: Candidates<'a>,
}

enum Candidates<'a> {
    All(Open<'a>),
    One(Option<u32>),
}

// A pattern of n bytes has at most (n + 1) / 2 steps; one bit a step that is to come, one for the end.
const STATE_WORDS: usize = (PATTERN_BYTES_MAX / 2 + 2).div_ceil(64);

/// How many steps of the pattern may be behind, as a set.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct States([u64; STATE_WORDS]);

impl Tree {
    /// The nodes whose path fits the pattern, as the tree shows, overlays too. A query at the end of the
    /// pattern is not looked at.
    pub fn query<'a>(&'a self, pattern: &'a Pattern) -> Matches<'a> {
        self.matches(pattern, View::Shown)
    }

    /// As [`query`](Self::query), but what is stored, whatever overlays stand before it or around it.
    pub fn stored_query<'a>(&'a self, pattern: &'a Pattern) -> Matches<'a> {
        self.matches(pattern, View::Stored)
    }

    fn matches<'a>(&'a self, pattern: &'a Pattern, view: View) -> Matches<'a> {
        let mut matches = Matches {
            tree: self,
            view,
            steps: pattern.steps().collect(),
            open: Vec::new(),
        };
        let mut states = States::default();
        matches.reach(&mut states, 0);
        matches.enter(ROOT_SLOT, states);
        matches
    }
}

impl<'a> Matches<'a> {
    /// Where the query stands.
    pub fn pause(&self) -> WalkPosition {
        let next = self.open.iter().map(|level| match &level.candidates {
            Candidates::All(open) => open.next_index(self.tree),
            Candidates::One(left) => u64::from(left.is_none()),
        });
        WalkPosition {
            next: next.collect(),
        }
    }

    /// The query from there on; the pattern must be the same.
    pub fn resume(mut self, position: &WalkPosition) -> Self {
        let mut bag = ROOT_SLOT;
        let mut open: Vec<Level<'a>> = Vec::new();
        std::mem::swap(&mut open, &mut self.open);
        let Some(mut level) = open.pop() else {
            return self;
        };
        for (number, next) in position.next.iter().enumerate() {
            let inside = match &mut level.candidates {
                Candidates::One(left) if *next > 0 => left.take(),
                Candidates::One(_) => None,
                Candidates::All(open) => {
                    *open = Open::at(self.tree, bag, self.view, *next);
                    let last = next
                        .checked_sub(1)
                        .and_then(|last| i64::try_from(last).ok());
                    last.and_then(|last| self.tree.child_at(bag, self.view, last))
                }
            };
            let states = level.states;
            self.open.push(level);
            let (Some(inside), true) = (inside, number + 1 < position.next.len()) else {
                return self;
            };
            bag = inside;
            level = self.level(bag, self.after(&states, bag));
        }
        self
    }

    fn enter(&mut self, bag: u32, states: States) {
        let level = self.level(bag, states);
        self.open.push(level);
    }

    fn level(&self, bag: u32, states: States) -> Level<'a> {
        let candidates = match self.only_label(&states) {
            Some(label) => Candidates::One(self.tree.child(bag, self.view, label)),
            None => Candidates::All(Open::new(self.tree, self.tree.children(bag, self.view))),
        };
        Level { states, candidates }
    }

    fn only_label(&self, states: &States) -> Option<&str> {
        let mut steps = states.iter().filter_map(|state| self.steps.get(state));
        match (steps.next(), steps.next()) {
            (Some(PatternStep::Label(label)), None) => Some(label),
            _ => None,
        }
    }

    // A node that `states` leads to: what may be behind after its label.
    fn after(&self, states: &States, at: u32) -> States {
        let label = &self.tree.slot(at).label;
        let mut after = States::default();
        for state in states.iter() {
            match self.steps.get(state) {
                Some(PatternStep::AnyDepth) => self.reach(&mut after, state),
                Some(PatternStep::Any) => self.reach(&mut after, state + 1),
                Some(PatternStep::Label(own)) if own.as_ref() == label.as_str() => {
                    self.reach(&mut after, state + 1);
                }
                _ => {}
            }
        }
        after
    }

    // `**` stands for no step, too.
    fn reach(&self, states: &mut States, state: usize) {
        let mut state = state;
        states.add(state);
        while let Some(PatternStep::AnyDepth) = self.steps.get(state) {
            state += 1;
            states.add(state);
        }
    }
}

impl<'a> Iterator for Matches<'a> {
    type Item = BagNode<'a>;

    fn next(&mut self) -> Option<BagNode<'a>> {
        loop {
            let level = self.open.last_mut()?;
            let candidate = match &mut level.candidates {
                Candidates::All(open) => open.next(self.tree),
                Candidates::One(left) => left.take(),
            };
            let states = level.states;
            let Some(at) = candidate else {
                self.open.pop();
                continue;
            };
            if self.view == View::Stored && self.tree.slot(at).is_overlay() {
                continue;
            }
            let after = self.after(&states, at);
            let goes_on = after.iter().any(|state| state < self.steps.len());
            if goes_on && self.tree.children(at, self.view).is_some() {
                self.enter(at, after);
            }
            if after.has(self.steps.len()) {
                return Some(self.tree.seen(at));
            }
        }
    }
}

impl States {
    fn add(&mut self, state: usize) {
        if let Some(word) = self.0.get_mut(state / 64) {
            *word |= 1 << (state % 64);
        }
    }

    fn has(&self, state: usize) -> bool {
        (self.0.get(state / 64)).is_some_and(|word| word & 1 << (state % 64) != 0)
    }

    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let words = self.0.iter().enumerate();
        words.flat_map(|(index, word)| {
            let next = |rest: &u64| Some(rest & (rest - 1)).filter(|rest| *rest != 0);
            let rests = std::iter::successors(Some(*word).filter(|word| *word != 0), next);
            rests.map(move |rest| index * 64 + rest.trailing_zeros() as usize)
        })
    }
}
