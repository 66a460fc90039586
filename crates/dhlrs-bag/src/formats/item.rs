//! What readers hand out: rows, and those that were read before all is known about them.

use std::collections::{BTreeSet, VecDeque};

use crate::{Attributes, Label, Row, Value};

/// How many rows wait for one that is not complete.
pub const PENDING_ROWS_MAX: usize = 65_536;

/// What a reader hands out, in the order in which it can be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// The next bag node, in pre-order.
    Row(Row),
    /// A bag that was handed out earlier, `labels` being the bags above it; this row has the attributes and the
    /// resolver that stood behind its content.
    Late {
        /// From the top down to the bag's own.
        labels: Vec<Label>,
        /// The bag, with what was missing.
        row: Row,
    },
    /// The attributes of the root.
    RootAttributes(Attributes),
    /// The whole document is this value.
    RootValue(Value),
}

/// A queue whose head waits until it is complete. Numbers name rows for as long as they are in it.
#[derive(Debug)]
pub(super) struct Pending {
    items: VecDeque<Item>,
    rows_max: usize,
    // The number of the first item.
    first: u64,
    open: BTreeSet<u64>,
}

impl Pending {
    pub(super) fn new(rows_max: usize) -> Self {
        Self {
            items: VecDeque::new(),
            rows_max,
            first: 0,
            open: BTreeSet::new(),
        }
    }

    pub(super) fn push(&mut self, item: Item) -> u64 {
        self.items.push_back(item);
        self.first + self.items.len() as u64 - 1
    }

    /// Adds a row that is not handed out before [`Pending::complete`].
    pub(super) fn push_open(&mut self, row: Row) -> u64 {
        let number = self.push(Item::Row(row));
        self.open.insert(number);
        number
    }

    /// The open row, unless it has been handed out by [`Pending::give_up`].
    pub(super) fn complete(&mut self, number: u64) -> Option<&mut Row> {
        if !self.open.remove(&number) {
            return None;
        }
        match self
            .items
            .get_mut(usize::try_from(number - self.first).ok()?)?
        {
            Item::Row(row) => Some(row),
            _ => None,
        }
    }

    pub(super) fn is_open(&self, number: u64) -> bool {
        self.open.contains(&number)
    }

    pub(super) fn is_full(&self) -> bool {
        self.items.len() >= self.rows_max
    }

    /// Stops waiting for the first open row.
    pub(super) fn give_up(&mut self) {
        self.open.pop_first();
    }

    pub(super) fn pop(&mut self) -> Option<Item> {
        if self.open.first() == Some(&self.first) {
            return None;
        }
        let item = self.items.pop_front()?;
        self.first += 1;
        Some(item)
    }
}
