//! CSV: the header names the columns, each row is a bag of Text.

use std::{
    borrow::Cow,
    collections::HashSet,
    io::{self, Read},
};

use ::csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};
use dhlrs_bag::{
    Label, Row,
    formats::{FormatError, FormatErrorKind as Kind, Item},
};

/// The most bytes of one CSV row; a quote that is never closed would else take the whole file into memory.
pub const CSV_ROW_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Reads CSV (RFC 4180) with a header as rows.
///
/// Rows are labelled `0`, `1` … or, with a key, by the cell of that column; the column stays.
#[derive(Debug)]
pub struct CsvImport<R> {
    reader: Reader<Fuse<R>>,
    key: Option<String>,
    columns: Vec<Label>,
    key_column: Option<usize>,
    labels: HashSet<Label>,
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

impl<R: Read> CsvImport<R> {
    /// Reads `input`; `key` is the column that labels the rows.
    pub fn new(input: R, key: Option<String>) -> Self {
        let input = Fuse {
            input,
            left: CSV_ROW_BYTES_MAX,
        };
        Self {
            reader: ReaderBuilder::new().has_headers(false).from_reader(input),
            key,
            columns: Vec::new(),
            key_column: None,
            labels: HashSet::new(),
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
        let mut seen = HashSet::new();
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
        if self.labels.insert(label.clone()) {
            Ok(label)
        } else {
            Err(self.error(
                Kind::DuplicateKey,
                format!("another row has the key `{label}` too"),
            ))
        }
    }

    fn read(&mut self) -> Result<bool, FormatError> {
        self.reader.get_mut().left = CSV_ROW_BYTES_MAX;
        self.reader.read_record(&mut self.record).map_err(|cause| {
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

impl<R: Read> Iterator for CsvImport<R> {
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

// Lets so many bytes through, then fails.
#[derive(Debug)]
struct Fuse<R> {
    input: R,
    left: usize,
}

impl<R: Read> Read for Fuse<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let read = self.input.read(buffer)?;
        self.left = self.left.saturating_sub(read);
        Ok(read)
    }
}
