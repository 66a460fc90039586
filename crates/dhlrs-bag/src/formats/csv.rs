//! CSV: the header names the columns, each row is a bag of Text.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    io::{self, Read},
};

use ::csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};

use super::{FormatError, FormatErrorKind as Kind, Item, fuse::Fuse};
use crate::{Label, Row};

/// The most bytes of one CSV row; a quote that is never closed would else take the whole file into
/// memory.
pub const CSV_ROW_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Reads CSV (RFC 4180) with a header as rows.
///
/// Rows are labelled `0`, `1` … or, with a key, by the cell of that column; the column stays. A row
/// with more or fewer cells than the header, a quote that is not closed, and anything between a
/// closing quote and the end of its cell are errors. With a key, the labels of all rows are kept
/// until the end, to tell doubles; else no more than a row is.
#[derive(Debug)]
pub struct CsvReader<R> {
    reader: Reader<Quoted<R>>,
    key: Option<String>,
    columns: Vec<Label>,
    key_column: Option<usize>,
    labels: BTreeSet<Label>,
    record: StringRecord,
    next_label: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Record,
    // The next cell of the current record.
    Cell(usize),
    End,
}

impl<R: Read> CsvReader<R> {
    /// Reads `input`; `key` is the column that labels the rows.
    pub fn new(input: R, key: Option<String>) -> Self {
        let input = Quoted::new(input);
        Self {
            reader: ReaderBuilder::new().has_headers(false).from_reader(input),
            key,
            columns: Vec::new(),
            key_column: None,
            labels: BTreeSet::new(),
            record: StringRecord::new(),
            next_label: 0,
            state: State::Header,
        }
    }

    fn next_item(&mut self) -> Result<Option<Item>, FormatError> {
        loop {
            match self.state {
                State::Header => self.header()?,
                State::Record => {
                    if !self.read()? {
                        self.state = State::End;
                        continue;
                    }
                    self.state = State::Cell(0);
                    return Ok(Some(Item::Row(Row::bag(0, self.row_label()?))));
                }
                State::Cell(at) => {
                    if let (Some(column), Some(cell)) = (self.columns.get(at), self.record.get(at))
                    {
                        self.state = State::Cell(at + 1);
                        return Ok(Some(Item::Row(Row::value(1, column.clone(), cell))));
                    }
                    self.state = State::Record;
                }
                State::End => return Ok(None),
            }
        }
    }

    fn header(&mut self) -> Result<(), FormatError> {
        if !self.read()? {
            return Err(self.error(Kind::Syntax, "has no header line"));
        }
        let mut seen = BTreeSet::new();
        for name in &self.record {
            let label = label(name).map_err(|why| {
                self.error(Kind::BadLabel, format!("column {}: {why}", seen.len() + 1))
            })?;
            if !seen.insert(label.clone()) {
                return Err(self.error(
                    Kind::DuplicateLabel,
                    format!("two columns are called `{label}`"),
                ));
            }
            self.columns.push(label);
        }
        if let Some(key) = &self.key {
            self.key_column = self
                .columns
                .iter()
                .position(|column| column.as_str() == key);
            if self.key_column.is_none() {
                let columns: Vec<&str> = self.columns.iter().map(Label::as_str).collect();
                let message = format!(
                    "no column is called `{key}`; there are {}",
                    columns.join(", ")
                );
                return Err(self.error(Kind::MissingKey, message));
            }
        }
        self.state = State::Record;
        Ok(())
    }

    fn row_label(&mut self) -> Result<Label, FormatError> {
        let text = match self.key_column.and_then(|column| self.record.get(column)) {
            Some(cell) => cell.to_owned(),
            None => self.next_label.to_string(),
        };
        self.next_label += 1;
        let label =
            label(&text).map_err(|why| self.error(Kind::BadLabel, format!("the key: {why}")))?;
        if self.key_column.is_none() || self.labels.insert(label.clone()) {
            Ok(label)
        } else {
            Err(self.error(
                Kind::DuplicateKey,
                format!("another row has the key `{label}` too"),
            ))
        }
    }

    fn read(&mut self) -> Result<bool, FormatError> {
        self.reader.get_mut().input.left = CSV_ROW_BYTES_MAX;
        self.reader.read_record(&mut self.record).map_err(|cause| {
            if let Some((line, what)) = self.reader.get_ref().mistake {
                return FormatError::new(Kind::Syntax, what).on_line(line);
            }
            let line = cause
                .position()
                .map_or_else(|| self.reader.position().line(), ::csv::Position::line);
            match cause.into_kind() {
                ErrorKind::Io(cause) if cause.kind() == io::ErrorKind::FileTooLarge => {
                    FormatError::new(
                        Kind::TooLarge,
                        format!(
                            "a row of more than {CSV_ROW_BYTES_MAX} bytes; is a quote not closed?"
                        ),
                    )
                }
                ErrorKind::Io(cause) => FormatError::io(cause),
                ErrorKind::UnequalLengths {
                    expected_len, len, ..
                } => FormatError::new(
                    Kind::Syntax,
                    format!("{len} cells, but the header has {expected_len}"),
                ),
                ErrorKind::Utf8 { .. } => FormatError::new(Kind::Syntax, "a cell is not UTF-8"),
                _ => FormatError::new(Kind::Syntax, "cannot be read as CSV"),
            }
            .on_line(line)
        })
    }

    fn error(&self, kind: Kind, detail: impl Into<Cow<'static, str>>) -> FormatError {
        FormatError::new(kind, detail)
            .on_line(self.record.position().map_or(1, ::csv::Position::line))
    }
}

impl<R: Read> Iterator for CsvReader<R> {
    type Item = Result<Item, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_item().transpose()
    }
}

fn label(text: &str) -> Result<Label, String> {
    Label::new(text).map_err(|cause| match text {
        "" => "it is empty; a label has at least one byte".to_owned(),
        _ => format!("`{text}` cannot be a label: {cause}"),
    })
}

/// Follows the quotes of what goes through: the reader behind it would take for text what RFC 4180
/// does not allow.
#[derive(Debug)]
struct Quoted<R> {
    input: Fuse<R>,
    /// What is left of a byte order mark, which stands before the first cell and not in it.
    mark: &'static [u8],
    at: At,
    line: u64,
    /// The line of the last quote that opened a cell.
    opened_on: u64,
    /// The line, and what is wrong on it. Nothing behind that goes through.
    mistake: Option<(u64, &'static str)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    CellBegin,
    Bare,
    InQuotes,
    // The next byte says whether that closed the cell or stands for a quote.
    BehindQuote,
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl<R> Quoted<R> {
    fn new(input: R) -> Self {
        Self {
            input: Fuse {
                input,
                left: CSV_ROW_BYTES_MAX,
            },
            mark: BYTE_ORDER_MARK,
            at: At::CellBegin,
            line: 1,
            opened_on: 1,
            mistake: None,
        }
    }

    fn pass(&mut self, byte: u8) -> Result<(), (u64, &'static str)> {
        if let Some((first, rest)) = self.mark.split_first() {
            let is_begun = self.mark.len() < BYTE_ORDER_MARK.len();
            if *first == byte {
                self.mark = rest;
                return Ok(());
            }
            self.mark = &[];
            if is_begun {
                self.at = At::Bare;
            }
        }
        self.at = match (self.at, byte) {
            (At::InQuotes, b'"') => At::BehindQuote,
            (At::InQuotes, _) => At::InQuotes,
            (At::BehindQuote, b'"') => At::InQuotes,
            (_, b',' | b'\r' | b'\n') => At::CellBegin,
            (At::CellBegin, b'"') => {
                self.opened_on = self.line;
                At::InQuotes
            }
            (At::BehindQuote, _) => {
                let what = "only a comma or the end of the line may follow a closing quote; a \
                            quote within quotes is written twice";
                return Err((self.line, what));
            }
            (At::CellBegin | At::Bare, _) => At::Bare,
        };
        self.line += u64::from(byte == b'\n');
        Ok(())
    }
}

impl<R: Read> Read for Quoted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.mistake.is_some() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let read = self.input.read(buffer)?;
        for (passed, byte) in buffer.iter().take(read).enumerate() {
            self.mistake = self.pass(*byte).err();
            match (&self.mistake, passed) {
                (None, _) => {}
                (Some(_), 0) => return Err(io::ErrorKind::InvalidData.into()),
                // The rows before it can be read.
                (Some(_), passed) => return Ok(passed),
            }
        }
        if read == 0 && !buffer.is_empty() && self.at == At::InQuotes {
            self.mistake = Some((self.opened_on, "a quote that opens here is not closed"));
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(read)
    }
}
