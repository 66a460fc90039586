//! Plain JSON: an object is a bag, a scalar a value, a flat list a List, any other list a bag.

use std::{collections::BTreeSet, io::Read};

use super::{JsonTokens, tokens::TokenKind, value::scalar};
use crate::{
    LIST_ITEMS_MAX, Label, List, NODE_BYTES_MAX, Row, Value,
    formats::{
        FormatError, FormatErrorKind as Kind, Item, PENDING_ROWS_MAX, ReadLimits,
        item::{Leaf, Pending, Step, Steps},
    },
};

/// Reads plain JSON as rows.
///
/// A list of at most 4,096 scalars is a List. The children of other lists are labelled `0`, `1` … or, with a key, by
/// that field of theirs; the field stays. A record is held back until its key has been read.
#[derive(Debug)]
pub struct PlainJsonReader<R> {
    reader: JsonTokens<R>,
    key: Option<String>,
    open: Vec<Open>,
    pending: Pending,
    limits: ReadLimits,
    nodes: u64,
    // Whether doubles are left to whoever takes the rows.
    is_trusting: bool,
}

#[derive(Debug)]
enum Open {
    Object {
        depth: u16,
        labels: Option<BTreeSet<Label>>,
        // The label of the value that comes next.
        next: Option<Label>,
        // The row that waits for the key field of this object.
        unnamed: Option<u64>,
    },
    // A list of which only scalars have been seen.
    Flat {
        slot: Slot,
        items: Vec<Value>,
        bytes: usize,
    },
    List {
        depth: u16,
        labels: Option<BTreeSet<Label>>,
        next: u64,
    },
}

// Where a value goes.
#[derive(Debug)]
enum Slot {
    Root,
    Child(u16, Label),
    // A child whose label is one of its own fields.
    Unnamed(u16),
}

impl<R: Read> PlainJsonReader<R> {
    /// Reads `input`; `key` is the field that labels the records of lists.
    pub fn new(input: R, key: Option<String>) -> Self {
        Self::with_limits(input, key, ReadLimits::STREAM)
    }

    /// Reads `input` within limits.
    pub fn with_limits(input: R, key: Option<String>, limits: ReadLimits) -> Self {
        Self {
            reader: JsonTokens::with_limit(input, limits.bytes_max),
            key,
            open: Vec::new(),
            pending: Pending::new(PENDING_ROWS_MAX),
            limits,
            nodes: 0,
            is_trusting: false,
        }
    }

    // Does not look for doubles, which cost an index of all labels: a tree has one anyway.
    pub(crate) fn whole(input: R, limits: ReadLimits) -> Self {
        Self {
            is_trusting: true,
            ..Self::with_limits(input, None, limits)
        }
    }

    fn labels(&self) -> Option<BTreeSet<Label>> {
        (!self.is_trusting).then(BTreeSet::new)
    }

    fn token(&mut self, token: TokenKind) -> Result<Step, FormatError> {
        match token {
            TokenKind::Key => self.key().map(|()| Step::Queued),
            TokenKind::ObjectStart => {
                let slot = self.slot(true)?;
                let (depth, unnamed) = self.open_bag(slot)?;
                self.open.push(Open::Object {
                    depth,
                    labels: self.labels(),
                    next: None,
                    unnamed,
                });
                Ok(Step::Queued)
            }
            TokenKind::ListStart => {
                let slot = self.slot(false)?;
                self.open.push(Open::Flat {
                    slot,
                    items: Vec::new(),
                    bytes: 0,
                });
                Ok(Step::Queued)
            }
            TokenKind::ObjectEnd | TokenKind::ListEnd => self.close(),
            token => {
                let value = scalar(&self.reader, token)?;
                self.value(value)
            }
        }
    }

    fn key(&mut self) -> Result<(), FormatError> {
        let label = self.label(self.reader.key())?;
        if let Some(Open::Object { labels, next, .. }) = self.open.last_mut() {
            if (labels.as_mut()).is_some_and(|labels| !labels.insert(label.clone())) {
                return Err(self
                    .reader
                    .error(Kind::DuplicateLabel, "this key stands there twice"));
            }
            *next = Some(label);
        }
        Ok(())
    }

    fn value(&mut self, value: Value) -> Result<Step, FormatError> {
        if let Some(Open::Flat { items, bytes, .. }) = self.open.last_mut() {
            *bytes += value.encoded_bytes();
            if *bytes > NODE_BYTES_MAX {
                let message =
                    format!("a list of more than {NODE_BYTES_MAX} bytes; a bag node holds no more");
                return Err(self.reader.error(Kind::TooLarge, message));
            }
            items.push(value);
            if items.len() > LIST_ITEMS_MAX {
                self.unfold()?;
            }
            return Ok(Step::Queued);
        }
        let slot = self.slot(false)?;
        self.place(slot, value)
    }

    fn close(&mut self) -> Result<Step, FormatError> {
        match self.open.pop() {
            Some(Open::Flat { slot, items, .. }) => {
                let list = List::new(items)
                    .map_err(|cause| self.reader.error(Kind::TooLarge, cause.to_string()))?;
                self.place(slot, Value::List(list))
            }
            Some(Open::Object {
                unnamed: Some(row), ..
            }) if self.pending.is_open(row) => Err(self.no_key()),
            _ => Ok(Step::Queued),
        }
    }

    // Where the next value goes. What was a flat list so far becomes a bag, since its next item is no scalar.
    fn slot(&mut self, has_fields: bool) -> Result<Slot, FormatError> {
        if matches!(self.open.last(), Some(Open::Flat { .. })) {
            self.unfold()?;
        }
        let keyed = self.key.is_some();
        Ok(match self.open.last_mut() {
            Some(Open::Object { depth, next, .. }) => match next.take() {
                Some(label) => Slot::Child(*depth, label),
                None => Slot::Root,
            },
            Some(Open::List { depth, .. }) if keyed && has_fields => Slot::Unnamed(*depth),
            Some(Open::List { .. }) if keyed => return Err(self.no_key()),
            Some(Open::List { depth, next, .. }) => {
                let (depth, index) = (*depth, *next);
                *next += 1;
                Slot::Child(depth, self.label(&index.to_string())?)
            }
            Some(Open::Flat { .. }) | None => Slot::Root,
        })
    }

    fn unfold(&mut self) -> Result<(), FormatError> {
        let Some(Open::Flat { slot, items, .. }) = self.open.pop() else {
            return Ok(());
        };
        if self.key.is_some() && !items.is_empty() {
            return Err(self.no_key());
        }
        let (depth, _) = self.open_bag(slot)?;
        self.open.push(Open::List {
            depth,
            labels: self.labels(),
            next: 0,
        });
        for item in items {
            let slot = self.slot(false)?;
            if let Step::Leaf(leaf) = self.place(slot, item)? {
                self.pending.push(Item::Row(leaf.into()));
            }
        }
        Ok(())
    }

    fn place(&mut self, slot: Slot, value: Value) -> Result<Step, FormatError> {
        match slot {
            Slot::Root => {
                self.pending.push(Item::RootValue(value));
                Ok(Step::Queued)
            }
            Slot::Child(depth, label) => {
                self.check(depth)?;
                self.name_record(&label, &value)?;
                Ok(self.pending.pass(Leaf {
                    depth,
                    label,
                    value,
                }))
            }
            Slot::Unnamed(_) => Err(self.no_key()),
        }
    }

    // The depth of the bag's children, and the row if it has no label yet.
    fn open_bag(&mut self, slot: Slot) -> Result<(u16, Option<u64>), FormatError> {
        match slot {
            Slot::Root => Ok((0, None)),
            Slot::Child(depth, label) => {
                self.check(depth)?;
                self.pending.push(Item::Row(Row::bag(depth, label)));
                Ok((depth + 1, None))
            }
            Slot::Unnamed(depth) => {
                self.check(depth)?;
                let placeholder = self.label("0")?;
                Ok((
                    depth + 1,
                    Some(self.pending.push_open(Row::bag(depth, placeholder))),
                ))
            }
        }
    }

    // If the value is the key field of the record around it, that has its label now.
    fn name_record(&mut self, field: &Label, value: &Value) -> Result<(), FormatError> {
        let Some(Open::Object {
            unnamed: Some(row), ..
        }) = self.open.last()
        else {
            return Ok(());
        };
        let row = *row;
        if self.key.as_deref() != Some(field.as_str()) {
            return Ok(());
        }
        let text = match value {
            Value::Text(_) | Value::Int(_) => value.to_string(),
            other => {
                let message = format!(
                    "the key `{field}` is {}; a label is made of text or an integer",
                    other.type_name()
                );
                return Err(self.reader.error(Kind::MissingKey, message));
            }
        };
        let label = self.label(&text)?;
        let around = self
            .open
            .len()
            .checked_sub(2)
            .and_then(|at| self.open.get_mut(at));
        if let Some(Open::List { labels, .. }) = around
            && labels
                .as_mut()
                .is_some_and(|labels| !labels.insert(label.clone()))
        {
            let message = format!("another record has the key `{label}` too");
            return Err(self.reader.error(Kind::DuplicateKey, message));
        }
        if let Some(row) = self.pending.complete(row) {
            row.label = label;
        }
        Ok(())
    }

    // Whether one more node may come, and there.
    fn check(&mut self, depth: u16) -> Result<(), FormatError> {
        self.nodes += 1;
        (self.limits.check_depth(usize::from(depth)))
            .and_then(|()| self.limits.check_nodes(self.nodes))
            .map_err(|error| self.reader.place(error))
    }

    fn label(&self, text: &str) -> Result<Label, FormatError> {
        if text.is_empty() {
            let detail = "an empty key; a label has at least one byte";
            return Err(self.reader.error(Kind::BadLabel, detail));
        }
        Label::new(text).map_err(|cause| {
            let detail = format!("cannot be a label: {cause}");
            self.reader.error(Kind::BadLabel, detail)
        })
    }

    fn no_key(&self) -> FormatError {
        let key = self.key.as_deref().unwrap_or_default();
        self.reader.error(
            Kind::MissingKey,
            format!("a record without the key `{key}`"),
        )
    }
}

impl<R: Read> Steps for PlainJsonReader<R> {
    fn pending(&mut self) -> &mut Pending {
        &mut self.pending
    }

    fn step(&mut self) -> Result<Step, FormatError> {
        if self.pending.is_full() {
            let message = format!(
                "a record of more than {PENDING_ROWS_MAX} nodes before its key; put the key first"
            );
            return Err(self.reader.error(Kind::TooLarge, message));
        }
        match self.reader.next_kind()? {
            Some(token) => self.token(token),
            None => Ok(Step::End),
        }
    }

    fn placed(&self, error: FormatError) -> FormatError {
        self.reader.place(error)
    }
}

impl<R: Read> Iterator for PlainJsonReader<R> {
    type Item = Result<Item, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_item().transpose()
    }
}
