//! The derived values of one store: who is computed from whom, and what follows from a change.
//!
//! Values are computed in topological order, each at most once for a batch of changes, and their
//! changes join that batch. So nobody ever sees one value of before beside one of after.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use dhlrs_bag::{Bag, Change, ChangeKind, Changes, Content, EditErrorKind, Meta, NodeId, Value};
use dhlrs_path::{Path, Pattern};
use dhlrs_trigger::{Interests, Kinds};

use crate::derived::{DERIVED_MAX, DefinitionError, DefinitionErrorKind, DeriveError};
use crate::derived::{DeriveErrorKind, Derived};

/// The derived values of one store.
#[derive(Debug, Default)]
pub(crate) struct Derivations {
    list: BTreeMap<u64, Derivation>,
    by_path: BTreeMap<String, u64>,
    // Invariant: each is computed from earlier ones only; `Derivation::rank` is its place here.
    order: Vec<u64>,
    interests: Interests,
    // Whose interest it is.
    owners: BTreeMap<u64, u64>,
    last_key: u64,
    /// What a person should know, until it is told.
    complaints: Vec<String>,
}

#[derive(Debug)]
struct Derivation {
    derived: Derived,
    rank: usize,
    /// Those that are computed from it.
    readers: BTreeSet<u64>,
    interests: Vec<u64>,
    /// The node that shows it.
    at: Option<NodeId>,
    /// Why it is Null, or not shown, since it last was something.
    complaint: Option<DeriveError>,
}

/// Values to compute, those first that others are computed from.
type Due = BTreeSet<(usize, u64)>;

impl Derivations {
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path<'static>> {
        self.order
            .iter()
            .filter_map(|key| self.list.get(key))
            .map(|derivation| derivation.derived.path())
    }

    /// Whether a derived value shows at this path or above it.
    pub(crate) fn covers(&self, path: &Path<'_>) -> bool {
        if self.by_path.is_empty() {
            return false;
        }
        let mut at = Some(path.without_query());
        while let Some(path) = at {
            if self.by_path.contains_key(path.as_str()) {
                return true;
            }
            at = path.parent().map(Path::into_owned);
        }
        false
    }

    pub(crate) fn take_complaints(&mut self) -> Vec<String> {
        std::mem::take(&mut self.complaints)
    }

    /// Adds a definition. It is computed by the next [`follow`](Self::follow) that it is due in.
    pub(crate) fn define(&mut self, derived: Derived) -> Result<u64, DefinitionError> {
        let path = derived.path().clone();
        let is_below = |other: &Derivation| other.derived.path().starts_with(&path);
        if self.covers(&path) || self.list.values().any(is_below) {
            let kind = DefinitionErrorKind::Exists;
            return Err(DefinitionError::new(kind, path.as_str()));
        }
        if self.list.len() >= DERIVED_MAX {
            let kind = DefinitionErrorKind::TooMany;
            return Err(DefinitionError::new(kind, path.as_str()));
        }
        self.last_key += 1;
        let key = self.last_key;
        let others = self.list.iter();
        let readers = others.filter(|(_, other)| other.derived.reads(&path));
        let mut readers: BTreeSet<u64> = readers.map(|(other, _)| *other).collect();
        if derived.reads(&path) {
            readers.insert(key);
        }
        for other in self.list.values_mut() {
            if derived.reads(other.derived.path()) {
                other.readers.insert(key);
            }
        }
        let mut own = Derivation {
            derived,
            rank: 0,
            readers,
            interests: Vec::new(),
            at: None,
            complaint: None,
        };
        let patterns = own.derived.from().iter().cloned();
        for pattern in patterns.chain(Pattern::parse(path.as_str()).ok()) {
            self.last_key += 1;
            let interest = self.last_key;
            // Far fewer than an index takes.
            let _ = self.interests.insert(interest, pattern, Kinds::ALL);
            self.owners.insert(interest, key);
            own.interests.push(interest);
        }
        self.list.insert(key, own);
        self.by_path.insert(path.as_str().to_owned(), key);
        if let Some(cycle) = self.cycle_through(key) {
            self.forget(key);
            return Err(DefinitionError::of_cycle(cycle));
        }
        self.arrange();
        Ok(key)
    }

    /// Takes a definition out, and what it shows.
    pub(crate) fn undefine(&mut self, path: &Path<'_>, bag: &mut Bag) -> Option<Vec<Change>> {
        let key = *self.by_path.get(path.as_str())?;
        let derivation = self.forget(key)?;
        self.arrange();
        let node = derivation.at.and_then(|id| bag.node_by_id(id));
        let shown_at = node.map(|node| node.path());
        Some(shown_at.map_or_else(Vec::new, |path| hide(bag, &path)))
    }

    fn forget(&mut self, key: u64) -> Option<Derivation> {
        let derivation = self.list.remove(&key)?;
        self.by_path.remove(derivation.derived.path().as_str());
        for interest in &derivation.interests {
            self.interests.remove(*interest);
            self.owners.remove(interest);
        }
        for other in self.list.values_mut() {
            other.readers.remove(&key);
        }
        Some(derivation)
    }

    /// A way from a definition through its readers back to itself, each path computed from the next.
    fn cycle_through(&self, key: u64) -> Option<Vec<Path<'static>>> {
        let mut came_from = BTreeMap::new();
        let mut open = vec![key];
        while let Some(at) = open.pop() {
            for reader in &self.list.get(&at)?.readers {
                if *reader == key {
                    let mut keys = vec![key];
                    let mut back = at;
                    while back != key {
                        keys.push(back);
                        back = came_from.get(&back).copied()?;
                    }
                    keys.push(key);
                    let path = |key| self.list.get(key).map(|one| one.derived.path().clone());
                    return Some(keys.iter().filter_map(path).collect());
                }
                if !came_from.contains_key(reader) {
                    came_from.insert(*reader, at);
                    open.push(*reader);
                }
            }
        }
        None
    }

    fn arrange(&mut self) {
        let mut waits_for = BTreeMap::<u64, usize>::new();
        for reader in self.list.values().flat_map(|one| &one.readers) {
            *waits_for.entry(*reader).or_default() += 1;
        }
        let free = |key: &&u64| !waits_for.contains_key(key);
        let mut ready: BTreeSet<u64> = self.list.keys().filter(free).copied().collect();
        self.order.clear();
        while let Some(key) = ready.pop_first() {
            let rank = self.order.len();
            self.order.push(key);
            let Some(derivation) = self.list.get_mut(&key) else {
                continue;
            };
            derivation.rank = rank;
            for reader in &derivation.readers {
                if let Some(left) = waits_for.get_mut(reader) {
                    *left -= 1;
                    if *left == 0 {
                        ready.insert(*reader);
                    }
                }
            }
        }
    }

    /// Shows everything in a tree that shows none of it yet.
    pub(crate) fn show_all(&mut self, bag: &mut Bag) -> Vec<Change> {
        for derivation in self.list.values_mut() {
            derivation.at = None;
        }
        let due = self.list.iter().map(|(key, one)| (one.rank, *key));
        let due = due.collect();
        self.compute(bag, due)
    }

    /// Computes one that has just been defined, and those that are computed from it.
    pub(crate) fn show(&mut self, bag: &mut Bag, key: u64) -> Vec<Change> {
        let rank = self.list.get(&key).map_or(0, |one| one.rank);
        self.compute(bag, Due::from([(rank, key)]))
    }

    /// Computes what follows from these changes, which the tree has already. What changes by that
    /// belongs to the same revision, behind them.
    pub(crate) fn follow(&mut self, bag: &mut Bag, changes: &Changes) -> Vec<Change> {
        if self.list.is_empty() {
            return Vec::new();
        }
        let mut due = Due::new();
        self.mark(changes, &mut due);
        // One that had no place may have one now.
        let homeless = self.list.iter().filter(|(_, one)| one.at.is_none());
        due.extend(homeless.map(|(key, one)| (one.rank, *key)));
        // What shows one may have been moved elsewhere, where it is nobody's.
        let mut list = Vec::new();
        for (_, key) in &due {
            let Some(one) = self.list.get(key) else {
                continue;
            };
            let moved = one.at.and_then(|id| bag.node_by_id(id));
            let moved = moved.map(|node| node.path());
            if let Some(path) = moved.filter(|path| path != one.derived.path()) {
                list.extend(hide(bag, &path));
            }
        }
        if !list.is_empty() {
            self.mark(&overlays(list.clone()), &mut due);
        }
        list.extend(self.compute(bag, due));
        list
    }

    /// Adds the definitions that the changes concern: in what they are computed from, or in where
    /// they show.
    fn mark(&mut self, changes: &Changes, due: &mut Due) {
        for interest in self.interests.matching(changes) {
            self.mark_owner(interest.key, due);
        }
        // A sort is told of the bag, but what is computed from its children may follow their order.
        for change in &changes.list {
            if change.kind == ChangeKind::Sort
                && let Ok(inside) = Pattern::parse(&format!("{}.*.**", change.path))
            {
                for (key, one) in &self.list {
                    let mut from = one.derived.from().iter();
                    if from.any(|pattern| pattern.without_query().intersects(&inside)) {
                        due.insert((one.rank, *key));
                    }
                }
            }
        }
    }

    fn mark_owner(&self, interest: u64, due: &mut Due) {
        let owner = self.owners.get(&interest);
        if let Some((key, one)) = owner.and_then(|key| Some((key, self.list.get(key)?))) {
            due.insert((one.rank, *key));
        }
    }

    fn compute(&mut self, bag: &mut Bag, mut due: Due) -> Vec<Change> {
        let mut list = Vec::new();
        while let Some((rank, key)) = due.pop_first() {
            let Some(one) = self.list.get_mut(&key) else {
                continue;
            };
            let changes = one.put(bag, &mut self.complaints);
            if changes.is_empty() {
                continue;
            }
            let mut after = Due::new();
            self.mark(&overlays(changes.clone()), &mut after);
            due.extend(after.into_iter().filter(|(other, _)| *other > rank));
            list.extend(changes);
        }
        list
    }
}

impl Derivation {
    /// Computes the value and shows it.
    fn put(&mut self, bag: &mut Bag, complaints: &mut Vec<String>) -> Vec<Change> {
        let computed = catch_unwind(AssertUnwindSafe(|| self.derived.compute(bag)));
        let computed = computed.unwrap_or_else(|payload| {
            let message = format!("it panicked: {}", panic_message(&*payload));
            Err(DeriveError::new(DeriveErrorKind::Panicked, message))
        });
        let path = self.derived.path();
        let null = || Some(Content::Value(Value::Null));
        let (content, mut error) = match computed {
            Ok(content) => (Some(content), None),
            Err(error) => (null(), Some(error)),
        };
        let mut shown = bag.set_overlay(path, content);
        if let Err(refused) = &shown {
            error = Some(DeriveError::new(
                DeriveErrorKind::NoPlace,
                refused.to_string(),
            ));
            if refused.kind() != EditErrorKind::ThroughScalar {
                shown = bag.set_overlay(path, null());
            }
        }
        self.at = match &shown {
            Ok(_) => bag.node(path).map(|node| node.id()),
            Err(_) => None,
        };
        if self.complaint != error {
            if let Some(error) = &error {
                let state = if self.at.is_some() {
                    "Null"
                } else {
                    "not shown"
                };
                complaints.push(format!("derived value {path} is {state}: {error}"));
            }
            self.complaint = error;
        }
        shown.unwrap_or_default()
    }
}

fn hide(bag: &mut Bag, path: &Path<'_>) -> Vec<Change> {
    // The path is a node's, so there is nothing to refuse.
    bag.set_overlay(path, None).unwrap_or_default()
}

fn overlays(list: Vec<Change>) -> Changes {
    Changes {
        meta: Meta::default(),
        list,
        transaction: false,
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message")
}
