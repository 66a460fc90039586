//! Typed JSON: `{"$bag":[[label,V,{attr:V},R?]…],"attrs":{…}}`, and `{"$value":V,"attrs":{…}}` for a leaf.

use std::{collections::HashSet, io::Read};

use dhlrs_bag::{Attributes, Decimal, Label, Name, ResolverRef, Row};
use dhlrs_path::DEPTH_MAX;

use super::{
    ImportError, ImportErrorKind as Kind, Item, JsonReader, Token,
    pending::Pending,
    value::{Typed, attributes, typed, want},
};

/// Reads typed JSON as rows.
///
/// The attributes of a bag stand behind its content, so its row waits for them. Where too many rows would wait, the
/// bag goes ahead and the rest of it follows as [`Item::Late`].
#[derive(Debug)]
pub struct TypedImport<R> {
    reader: JsonReader<R>,
    state: State,
    // The labels of each open bag, the root first.
    bags: Vec<HashSet<Label>>,
    // The entry whose content each open bag below the root is.
    entries: Vec<Entry>,
    pending: Pending,
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

impl<R: Read> TypedImport<R> {
    /// Reads `input`.
    pub fn new(input: R) -> Self {
        Self {
            reader: JsonReader::new(input),
            state: State::Start,
            bags: Vec::new(),
            entries: Vec::new(),
            pending: Pending::default(),
        }
    }

    fn next_item(&mut self) -> Result<Option<Item>, ImportError> {
        loop {
            if let Some(item) = self.pending.pop() {
                return Ok(Some(item));
            }
            if self.pending.is_full() {
                self.pending.give_up();
                continue;
            }
            match self.state {
                State::Start => self.start()?,
                State::Root => self.root()?,
                State::Bag => self.bag()?,
                State::End => return Ok(None),
            }
        }
    }

    fn start(&mut self) -> Result<(), ImportError> {
        match self.reader.next_token()? {
            Some(Token::ObjectStart) => {
                self.state = State::Root;
                Ok(())
            }
            _ => Err(self.wrong(
                "the typed form is {\"$bag\":[…],\"attrs\":{…}}; without --typed any JSON is read",
            )),
        }
    }

    fn root(&mut self) -> Result<(), ImportError> {
        match want(&mut self.reader)? {
            Token::Key(key) => match (key.as_str(), want(&mut self.reader)?) {
                ("$bag", Token::ListStart) => {
                    self.bags.push(HashSet::new());
                    self.state = State::Bag;
                }
                ("attrs", Token::ObjectStart) => {
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

    fn bag(&mut self) -> Result<(), ImportError> {
        match want(&mut self.reader)? {
            Token::ListStart => self.entry(),
            Token::ListEnd => {
                self.bags.pop();
                let Some(entry) = self.entries.pop() else {
                    self.state = State::Root;
                    return Ok(());
                };
                if want(&mut self.reader)? != Token::ObjectEnd {
                    return Err(self.wrong("`$bag` stands alone in its object"));
                }
                self.entry_end(entry)
            }
            _ => Err(self.wrong("a bag holds entries: [label,value,{attributes}]")),
        }
    }

    fn entry(&mut self) -> Result<(), ImportError> {
        let Token::Text(label) = want(&mut self.reader)? else {
            return Err(self.wrong("an entry begins with its label, a string"));
        };
        let label = Label::new(&label).map_err(|cause| {
            self.reader
                .error(Kind::BadLabel, format!("cannot be a label: {cause}"))
        })?;
        if let Some(labels) = self.bags.last_mut()
            && !labels.insert(label.clone())
        {
            return Err(self.reader.error(
                Kind::DuplicateLabel,
                format!("its bag has `{label}` already"),
            ));
        }
        let depth = self.entries.len();
        if depth >= DEPTH_MAX {
            let message = format!("nested deeper than a tree may be, limit {DEPTH_MAX}");
            return Err(self.reader.error(Kind::TooDeep, message));
        }
        let mut row = Row::bag(u16::try_from(depth).unwrap_or(u16::MAX), label.clone());
        let token = want(&mut self.reader)?;
        match typed(&mut self.reader, token)? {
            Typed::Value(value) => {
                row.value = Some(value);
                let row = self.pending.push_open(row);
                self.entry_end(Entry { label, row })
            }
            Typed::BagStart => {
                let row = self.pending.push_open(row);
                self.entries.push(Entry { label, row });
                self.bags.push(HashSet::new());
                Ok(())
            }
        }
    }

    // Reads `,{attributes},R]` behind an entry's value.
    fn entry_end(&mut self, entry: Entry) -> Result<(), ImportError> {
        let mut own = Attributes::new();
        let mut resolver = None;
        let mut token = want(&mut self.reader)?;
        if token == Token::ObjectStart {
            own = attributes(&mut self.reader)?;
            token = want(&mut self.reader)?;
        }
        if token == Token::ObjectStart {
            resolver = Some(self.resolver()?);
            token = want(&mut self.reader)?;
        }
        if token != Token::ListEnd {
            return Err(self
                .wrong("an entry is [label,value,{attributes}], perhaps with a resolver behind"));
        }
        if let Some(row) = self.pending.complete(entry.row) {
            row.attributes = own;
            row.resolver = resolver;
        } else if !own.is_empty() || resolver.is_some() {
            let labels: Vec<Label> = self
                .entries
                .iter()
                .map(|entry| entry.label.clone())
                .collect();
            let depth = u16::try_from(labels.len()).unwrap_or(u16::MAX);
            let row = Row {
                attributes: own,
                resolver,
                ..Row::bag(depth, entry.label)
            };
            self.pending.push(Item::Late { labels, row });
        }
        Ok(())
    }

    // Reads `"$res":{…}}`, whose first `{` is read.
    fn resolver(&mut self) -> Result<ResolverRef, ImportError> {
        let is_resolver = want(&mut self.reader)? == Token::Key("$res".to_owned());
        if !is_resolver || want(&mut self.reader)? != Token::ObjectStart {
            return Err(self.wrong("a resolver is {\"$res\":{\"name\":…}}"));
        }
        let mut name = None;
        let mut resolver = (0, false, Attributes::new());
        loop {
            let key = match want(&mut self.reader)? {
                Token::ObjectEnd => break,
                Token::Key(key) => key,
                _ => return Err(self.wrong("a resolver is {\"$res\":{\"name\":…}}")),
            };
            match (key.as_str(), want(&mut self.reader)?) {
                ("name", Token::Text(text)) => {
                    let checked = Name::new(&text);
                    name = Some(checked.map_err(|cause| {
                        self.reader
                            .error(Kind::BadLabel, format!("resolver: {cause}"))
                    })?);
                }
                ("cache_time", Token::Number(text)) => {
                    resolver.0 = milliseconds(&text)
                        .ok_or_else(|| self.wrong("seconds, to the millisecond"))?;
                }
                ("read_only", Token::Bool(read_only)) => resolver.1 = read_only,
                ("kw", Token::ObjectStart) => resolver.2 = attributes(&mut self.reader)?,
                _ => {
                    return Err(self.wrong(
                        "a resolver has name, cache_time (seconds), read_only and kw (an object)",
                    ));
                }
            }
        }
        if want(&mut self.reader)? != Token::ObjectEnd {
            return Err(self.wrong("`$res` stands alone in its object"));
        }
        let name = name.ok_or_else(|| self.wrong("a resolver without a name"))?;
        let (cache_time_ms, read_only, parameters) = resolver;
        Ok(ResolverRef {
            name,
            cache_time_ms,
            read_only,
            parameters,
        })
    }

    fn wrong(&self, detail: &str) -> ImportError {
        self.reader.error(Kind::BadShape, detail)
    }
}

impl<R: Read> Iterator for TypedImport<R> {
    type Item = Result<Item, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_item().transpose()
    }
}

fn milliseconds(seconds: &str) -> Option<i64> {
    let seconds: Decimal = seconds.parse().ok()?;
    let digits = 3_u32.checked_sub(u32::from(seconds.scale()))?;
    i64::try_from(seconds.mantissa().checked_mul(10_i128.pow(digits))?).ok()
}
