//! Typed JSON: `{"$bag":[[label,V,{attr:V},R?]…],"attrs":{…}}`, and `{"$value":V,"attrs":{…}}` for a leaf.

use std::{collections::BTreeSet, io::Read};

use super::{
    JsonToken, JsonTokens,
    tokens::TokenKind,
    value::{Typed, attributes, resolver, typed, want, want_kind},
};
use crate::{
    Attributes, Label, ResolverRef, Row,
    formats::{
        FormatError, FormatErrorKind as Kind, Item, PENDING_ROWS_MAX, ReadLimits,
        item::{Leaf, Pending, Step, Steps},
    },
};

/// Reads typed JSON as rows.
///
/// The attributes of a bag stand behind its content, so its row waits for them. Where too many rows would wait, the
/// bag goes ahead and the rest of it follows as [`Item::Late`].
#[derive(Debug)]
pub struct TypedJsonReader<R> {
    reader: JsonTokens<R>,
    state: State,
    // The labels of each open bag, the root first.
    bags: Vec<Option<BTreeSet<Label>>>,
    // The entry whose content each open bag below the root is.
    entries: Vec<Entry>,
    pending: Pending,
    limits: ReadLimits,
    nodes: u64,
    // Whether doubles are left to whoever takes the rows.
    is_trusting: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Root,
    Bag,
    End,
}

#[derive(Debug)]
struct Entry {
    label: Label,
    row: u64,
}

impl<R: Read> TypedJsonReader<R> {
    /// Reads `input`.
    pub fn new(input: R) -> Self {
        Self::with_limits(input, ReadLimits::STREAM)
    }

    /// Reads `input` within limits.
    pub fn with_limits(input: R, limits: ReadLimits) -> Self {
        Self::waiting(input, limits, PENDING_ROWS_MAX)
    }

    // Hands out each bag before what is in it, and does not look for doubles: a tree takes what is
    // late, and has an index of labels.
    pub(crate) fn whole(input: R, limits: ReadLimits) -> Self {
        Self {
            is_trusting: true,
            ..Self::waiting(input, limits, 1)
        }
    }

    // The index of labels that finds doubles; a tree has one anyway.
    fn labels(&self) -> Option<BTreeSet<Label>> {
        (!self.is_trusting).then(BTreeSet::new)
    }

    fn waiting(input: R, limits: ReadLimits, rows_max: usize) -> Self {
        Self {
            reader: JsonTokens::with_limit(input, limits.bytes_max),
            state: State::Start,
            bags: Vec::new(),
            entries: Vec::new(),
            pending: Pending::new(rows_max),
            limits,
            nodes: 0,
            is_trusting: false,
        }
    }

    fn start(&mut self) -> Result<(), FormatError> {
        match self.reader.next_kind()? {
            Some(TokenKind::ObjectStart) => {
                self.state = State::Root;
                Ok(())
            }
            _ => Err(self.wrong(
                "the typed form is {\"$bag\":[…],\"attrs\":{…}}; without --typed any JSON is read",
            )),
        }
    }

    fn root(&mut self) -> Result<(), FormatError> {
        match want(&mut self.reader)? {
            JsonToken::Key(key) => match (key.as_str(), want_kind(&mut self.reader)?) {
                ("$bag", TokenKind::ListStart) => {
                    self.bags.push(self.labels());
                    self.state = State::Bag;
                }
                ("attrs", TokenKind::ObjectStart) => {
                    let attributes = attributes(&mut self.reader)?;
                    self.pending.push(Item::RootAttributes(attributes));
                }
                ("$value", token) => match typed(&mut self.reader, token)? {
                    Typed::Value(value) => {
                        self.pending.push(Item::RootValue(value));
                    }
                    Typed::BagStart => return Err(self.wrong("`$value` is a scalar or a list")),
                },
                _ => {
                    return Err(
                        self.wrong("known are `$bag` (a list), `$value` and `attrs` (an object)")
                    );
                }
            },
            _ => {
                // The object has ended; what follows it is an error.
                self.reader.next_token()?;
                self.state = State::End;
            }
        }
        Ok(())
    }

    fn bag(&mut self) -> Result<Step, FormatError> {
        match want_kind(&mut self.reader)? {
            TokenKind::ListStart => self.entry(),
            TokenKind::ListEnd => {
                self.bags.pop();
                let Some(entry) = self.entries.pop() else {
                    self.state = State::Root;
                    return Ok(Step::Queued);
                };
                if want_kind(&mut self.reader)? != TokenKind::ObjectEnd {
                    return Err(self.wrong("`$bag` stands alone in its object"));
                }
                self.bag_end(entry).map(|()| Step::Queued)
            }
            _ => Err(self.wrong("a bag holds entries: [label,value,{attributes}]")),
        }
    }

    fn entry(&mut self) -> Result<Step, FormatError> {
        let TokenKind::Text = want_kind(&mut self.reader)? else {
            return Err(self.wrong("an entry begins with its label, a string"));
        };
        let label = Label::new(self.reader.word()).map_err(|cause| {
            self.reader
                .error(Kind::BadLabel, format!("cannot be a label: {cause}"))
        })?;
        if let Some(Some(labels)) = self.bags.last_mut()
            && !labels.insert(label.clone())
        {
            return Err(self.reader.error(
                Kind::DuplicateLabel,
                format!("its bag has `{label}` already"),
            ));
        }
        let depth = self.entries.len();
        self.nodes += 1;
        (self.limits.check_depth(depth))
            .and_then(|()| self.limits.check_nodes(self.nodes))
            .map_err(|error| self.reader.place(error))?;
        let depth = u16::try_from(depth).unwrap_or(u16::MAX);
        let token = want_kind(&mut self.reader)?;
        match typed(&mut self.reader, token)? {
            Typed::Value(value) => {
                let (attributes, resolver) = self.rest()?;
                if attributes.is_empty() && resolver.is_none() {
                    return Ok(self.pending.pass(Leaf {
                        depth,
                        label,
                        value,
                    }));
                }
                self.pending.push(Item::Row(Row {
                    depth,
                    label,
                    value: Some(value),
                    attributes,
                    resolver,
                }));
                Ok(Step::Queued)
            }
            Typed::BagStart => {
                let row = self.pending.push_open(Row::bag(depth, label.clone()));
                self.entries.push(Entry { label, row });
                self.bags.push(self.labels());
                Ok(Step::Queued)
            }
        }
    }

    // Reads `,{attributes},R]` behind an entry's value.
    fn rest(&mut self) -> Result<(Attributes, Option<ResolverRef>), FormatError> {
        let mut own = Attributes::new();
        let mut own_resolver = None;
        let mut token = want_kind(&mut self.reader)?;
        if token == TokenKind::ObjectStart {
            own = attributes(&mut self.reader)?;
            token = want_kind(&mut self.reader)?;
        }
        if token == TokenKind::ObjectStart {
            own_resolver = Some(resolver(&mut self.reader)?);
            token = want_kind(&mut self.reader)?;
        }
        if token != TokenKind::ListEnd {
            return Err(self
                .wrong("an entry is [label,value,{attributes}], perhaps with a resolver behind"));
        }
        Ok((own, own_resolver))
    }

    fn bag_end(&mut self, entry: Entry) -> Result<(), FormatError> {
        let (own, own_resolver) = self.rest()?;
        if let Some(row) = self.pending.complete(entry.row) {
            row.attributes = own;
            row.resolver = own_resolver;
        } else if !own.is_empty() || own_resolver.is_some() {
            let labels: Vec<Label> = self
                .entries
                .iter()
                .map(|entry| entry.label.clone())
                .collect();
            let depth = u16::try_from(labels.len()).unwrap_or(u16::MAX);
            let row = Row {
                attributes: own,
                resolver: own_resolver,
                ..Row::bag(depth, entry.label)
            };
            self.pending.push(Item::Late { labels, row });
        }
        Ok(())
    }

    fn wrong(&self, detail: &'static str) -> FormatError {
        self.reader.error(Kind::BadShape, detail)
    }
}

impl<R: Read> Steps for TypedJsonReader<R> {
    fn pending(&mut self) -> &mut Pending {
        &mut self.pending
    }

    fn step(&mut self) -> Result<Step, FormatError> {
        if self.pending.is_full() {
            self.pending.give_up();
            return Ok(Step::Queued);
        }
        match self.state {
            State::Start => self.start().map(|()| Step::Queued),
            State::Root => self.root().map(|()| Step::Queued),
            State::Bag => self.bag(),
            State::End => Ok(Step::End),
        }
    }

    fn placed(&self, error: FormatError) -> FormatError {
        self.reader.place(error)
    }
}

impl<R: Read> Iterator for TypedJsonReader<R> {
    type Item = Result<Item, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_item().transpose()
    }
}
