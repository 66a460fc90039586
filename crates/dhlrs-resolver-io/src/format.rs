//! What bytes from outside become.

use dhlrs_bag::formats::{
    CsvReader, FormatError, FormatErrorKind, Item, PlainJsonReader, ReadLimits,
};
use dhlrs_bag::{BRANCH_NODES_MAX, Bag, Branch, BranchBuilder, Content, Row, Value};
use dhlrs_path::DEPTH_MAX;

use crate::error::{IoError, IoErrorKind};

/// The most cells of a table, its rows counted too.
pub const CSV_CELLS_MAX: usize = 1_000_000;

/// What bytes from outside are read as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// What its name ends in says: `.json`, `.xml`, `.csv`; anything else is Text. Over HTTP the
    /// content type says it.
    #[default]
    ByName,
    /// Text, in UTF-8. A byte order mark is left out.
    Text,
    /// The bytes as they are.
    Bytes,
    /// A table: the header names the columns, each row is a bag of Texts, with the labels `0`,
    /// `1`, ….
    Csv,
    /// Plain JSON, as [`Bag::from_json`] reads it; a document that is one value is that value.
    Json,
    /// XML, as [`Bag::from_xml`] reads it. Document types and entities are refused, and resolvers
    /// that a document names are left out.
    Xml,
}

impl Format {
    pub(crate) fn of_name(self, name: &str) -> Self {
        if self != Self::ByName {
            return self;
        }
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        match extension.to_ascii_lowercase().as_str() {
            "csv" => Self::Csv,
            "json" => Self::Json,
            "xml" => Self::Xml,
            _ => Self::Text,
        }
    }

    pub(crate) fn of_content_type(self, content_type: &str) -> Self {
        if self != Self::ByName {
            return self;
        }
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "text/csv" => Self::Csv,
            "application/json" => Self::Json,
            "application/xml" | "text/xml" => Self::Xml,
            other if other.ends_with("+json") => Self::Json,
            other if other.ends_with("+xml") => Self::Xml,
            "application/octet-stream" => Self::Bytes,
            _ => Self::Text,
        }
    }

    pub(crate) fn read(self, bytes: &[u8]) -> Result<Content, IoError> {
        match self {
            Self::ByName | Self::Text => {
                let text = std::str::from_utf8(bytes)
                    .map_err(|error| bad("no UTF-8 text").because(error))?;
                let text = text.strip_prefix('\u{feff}').unwrap_or(text);
                Ok(Content::from(text))
            }
            Self::Bytes => Ok(Content::from(Value::Bytes(dhlrs_bag::Bytes::new(bytes)))),
            Self::Csv => table(bytes).map(Content::Branch),
            Self::Json => json(bytes),
            Self::Xml => {
                let bag = Bag::from_xml(bytes, &limits(bytes));
                branch(&bag.map_err(|error| unreadable("no XML", error))?)
            }
        }
    }
}

fn bad(message: &str) -> IoError {
    IoError::new(IoErrorKind::BadContent, message)
}

fn limits(bytes: &[u8]) -> ReadLimits {
    ReadLimits {
        bytes_max: bytes.len() as u64,
        nodes_max: BRANCH_NODES_MAX as u64,
        depth_max: DEPTH_MAX,
    }
}

fn unreadable(what: &str, error: FormatError) -> IoError {
    let kind = match error.kind() {
        FormatErrorKind::TooLarge | FormatErrorKind::TooManyNodes | FormatErrorKind::TooDeep => {
            IoErrorKind::TooLarge
        }
        _ => IoErrorKind::BadContent,
    };
    IoError::new(kind, what).because(error)
}

fn json(bytes: &[u8]) -> Result<Content, IoError> {
    let limits = limits(bytes);
    match Bag::from_json(bytes, &limits) {
        Ok(bag) => branch(&bag),
        Err(error) if error.kind() == FormatErrorKind::NotABag => {
            match PlainJsonReader::with_limits(bytes, None, limits).next() {
                Some(Ok(Item::RootValue(value))) => Ok(Content::Value(value)),
                _ => Err(unreadable("no JSON", error)),
            }
        }
        Err(error) => Err(unreadable("no JSON", error)),
    }
}

/// What a document says, without the resolvers that it names: it may not choose what runs here.
fn branch(bag: &Bag) -> Result<Content, IoError> {
    let rows = bag.root().rows().map(|row| Row {
        resolver: None,
        ..row
    });
    Branch::from_rows(rows)
        .map(Content::Branch)
        .map_err(|error| bad("a document").because(error))
}

fn table(bytes: &[u8]) -> Result<Branch, IoError> {
    let mut builder = BranchBuilder::new();
    for (cells, item) in CsvReader::new(bytes, None).enumerate() {
        let item = item.map_err(|error| unreadable("no CSV", error))?;
        if cells == CSV_CELLS_MAX {
            let message = format!("a table of more than {CSV_CELLS_MAX} cells");
            return Err(IoError::new(IoErrorKind::TooLarge, message));
        }
        if let Item::Row(row) = item {
            let unfit = |error| bad("a row of the table").because(error);
            builder.push(row).map_err(unfit)?;
        }
    }
    Ok(builder.finish())
}
