//! Places in a bag become order keys.

use dhlrs_bag::NodeId;
use dhlrs_feed::OrderKey;

use crate::{Attempt, IntentError};

impl Attempt<'_> {
    /// The stored children in the fork.
    pub(crate) fn children(&self, bag: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let bag = self.bag.node_by_id(bag).into_iter();
        let children = bag.flat_map(|bag| bag.children());
        children
            .filter(|child| !child.is_overlay())
            .map(|child| child.id())
    }

    /// The order key of a child in the fork.
    pub(crate) fn key(&self, id: NodeId) -> OrderKey {
        let noted = self.fresh.keys.get(&id).or(self.noted.keys.get(&id));
        let key = noted.or_else(|| self.reducer.node(id).map(|view| view.order()));
        key.cloned().unwrap_or_default()
    }

    /// A key behind the sibling `after`, before the next; `moving` is to take that place and does not count.
    ///
    /// Siblings that stand there by the same key, which only their ids or stamps tell apart, get new ones.
    pub(crate) fn place(
        &mut self,
        parent: NodeId,
        after: Option<NodeId>,
        moving: Option<NodeId>,
    ) -> Result<OrderKey, IntentError> {
        let low = after.map(|sibling| self.key(sibling));
        let floor = low.clone().unwrap_or_default();
        let mut tied = Vec::new();
        let mut high = None;
        let bag = self.bag.node_by_id(parent);
        let behind = after.and_then(|sibling| self.bag.node_by_id(sibling));
        let mut index = behind.map_or(0, |sibling| sibling.index() + 1);
        while let Some(child) = bag.and_then(|bag| bag.child_at(i64::try_from(index).ok()?)) {
            index += 1;
            if child.is_overlay() || moving == Some(child.id()) {
                continue;
            }
            let key = self.key(child.id());
            if key > floor {
                high = Some(key);
                break;
            }
            tied.push(child.id());
        }
        if tied.is_empty()
            && let Ok(key) = OrderKey::between(low.as_ref(), high.as_ref())
        {
            return Ok(key);
        }
        let bag = self.home(parent)?;
        let keys = self.spread(tied.len() + 1, Some(&floor), high.as_ref());
        if let Ok(keys) = keys {
            let mut keys = keys.into_iter();
            let key = keys.next().unwrap_or_default();
            for (child, key) in tied.into_iter().zip(keys) {
                self.reorder(child, &bag, key)?;
            }
            return Ok(key);
        }
        // Nothing fits between any more: all siblings get short keys again.
        let others: Vec<NodeId> = self
            .children(parent)
            .filter(|child| moving != Some(*child))
            .collect();
        let at = after.and_then(|after| others.iter().position(|other| *other == after));
        let at = at.map_or(0, |at| at + 1);
        let mut keys = self.spread(others.len() + 1, None, None)?;
        let key = keys.remove(at);
        for (child, key) in others.into_iter().zip(keys) {
            self.reorder(child, &bag, key)?;
        }
        Ok(key)
    }

    /// So many keys that rise, all between these.
    pub(crate) fn spread(
        &self,
        count: usize,
        low: Option<&OrderKey>,
        high: Option<&OrderKey>,
    ) -> Result<Vec<OrderKey>, IntentError> {
        let too_long = |_| IntentError::too_large(count, 0);
        let mut keys: Vec<Option<OrderKey>> = vec![None; count];
        if high.is_none() {
            let mut last = low.cloned();
            for key in &mut keys {
                last = Some(OrderKey::between(last.as_ref(), None).map_err(too_long)?);
                key.clone_from(&last);
            }
        }
        // The middle first, then the middles of the halves: keys stay short.
        let mut open = vec![(0, count)];
        while let Some((from, to)) = open.pop().filter(|_| high.is_some()) {
            let middle = from + (to - from) / 2;
            if from == to {
                continue;
            }
            let below = from.checked_sub(1).and_then(|at| keys.get(at));
            let below = below.map_or(low, Option::as_ref);
            let above = keys.get(to).map_or(high, Option::as_ref);
            let key = OrderKey::between(below, above).map_err(too_long)?;
            if let Some(place) = keys.get_mut(middle) {
                *place = Some(key);
            }
            open.push((from, middle));
            open.push((middle + 1, to));
        }
        Ok(keys.into_iter().flatten().collect())
    }
}
