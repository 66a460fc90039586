//! What readers hand out: rows, and those that were read before all is known about them.

use std::collections::{BTreeSet, VecDeque};

use super::{FormatError, assemble::Assembly};
use crate::{Attributes, Bag, Label, Row, Value};

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

/// A row that holds a value and nothing else: most rows do, and the others are three times as large.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) depth: u16,
    pub(super) label: Label,
    pub(super) value: Value,
}

/// What came of a token.
#[derive(Debug)]
pub(super) enum Step {
    /// A row that is handed out at once.
    Leaf(Leaf),
    /// Nothing, or what is in the queue.
    Queued,
    /// The document has ended.
    End,
}

impl From<Leaf> for Row {
    fn from(leaf: Leaf) -> Self {
        Self::value(leaf.depth, leaf.label, leaf.value)
    }
}

/// A reader that takes tokens one by one.
pub(super) trait Steps {
    /// What waits to be handed out.
    fn pending(&mut self) -> &mut Pending;

    /// Takes the next token.
    fn step(&mut self) -> Result<Step, FormatError>;

    /// The error, at the place that has been read.
    fn placed(&self, error: FormatError) -> FormatError;

    fn next_item(&mut self) -> Result<Option<Item>, FormatError> {
        loop {
            if let Some(item) = self.pending().pop() {
                return Ok(Some(item));
            }
            match self.step()? {
                Step::Leaf(leaf) => return Ok(Some(Item::Row(leaf.into()))),
                Step::Queued => {}
                Step::End => return Ok(None),
            }
        }
    }

    /// Makes a bag of all there is.
    fn assemble(&mut self, mut assembly: Assembly) -> Result<Bag, FormatError> {
        loop {
            let taken = match self.pending().pop() {
                Some(item) => assembly.item(item),
                None => match self.step()? {
                    Step::Leaf(leaf) => assembly.leaf(leaf),
                    Step::Queued => Ok(()),
                    Step::End => return Ok(assembly.finish()),
                },
            };
            taken.map_err(|error| self.placed(error))?;
        }
    }
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

    /// Hands a value back that need not wait; adds it otherwise.
    #[inline]
    pub(super) fn pass(&mut self, leaf: Leaf) -> Step {
        if self.items.is_empty() {
            self.first += 1;
            return Step::Leaf(leaf);
        }
        self.push(Item::Row(leaf.into()));
        Step::Queued
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
