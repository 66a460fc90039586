//! Addresses with attributes of a node in them.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use dhlrs_bag::{Attributes, Value};
use dhlrs_path::{Address, ParsePathError, Path, check_name};

use crate::error::{ResolveError, ResolveErrorKind};

/// The longest text of a [`Template`].
pub const TEMPLATE_BYTES_MAX: usize = 4096;

/// An address with attributes in it: `c/main/profiles/users.{user_id}.name`.
///
/// `{name}` stands for a whole step of the path and is filled in with an attribute of the node, as
/// one label: dots and slashes in its value are escaped, so a value cannot point anywhere else.
/// `{{` and `}}` are braces.
///
/// ```
/// use dhlrs_resolver::Template;
///
/// let template: Template = "c/main/profiles/users.{user_id}.name".parse()?;
/// assert_eq!(template.attributes().collect::<Vec<_>>(), ["user_id"]);
/// assert_eq!(template.to_string(), "c/main/profiles/users.{user_id}.name");
/// assert!("c/main/profiles/users.u-{user_id}".parse::<Template>().is_err());
/// # Ok::<(), dhlrs_resolver::ParseTemplateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    // Invariant: with any valid label for each attribute the pieces make an address, unless a limit
    // is passed.
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Attribute(String),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// What is wrong and at which byte: a brace in the wrong place, or a text that is no address.
    pub fn parse(text: &str) -> Result<Self, ParseTemplateError> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(ParseTemplateError::new(
                ParseTemplateErrorKind::TooLong,
                TEMPLATE_BYTES_MAX,
            ));
        }
        Scanner::new(text).scan()
    }

    /// The attributes that it needs, in their order.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Attribute(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The address for a node with these attributes.
    ///
    /// # Errors
    ///
    /// [`MissingAttribute`](ResolveErrorKind::MissingAttribute), or
    /// [`BadAttribute`](ResolveErrorKind::BadAttribute) for a list and for what is no label: empty,
    /// above 255 bytes, with a control character, or too long for a path.
    pub fn render(&self, attributes: &Attributes) -> Result<Address, ResolveError> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Attribute(name) => text.push_str(&label(name, attributes)?),
            }
        }
        text.parse().map_err(|source: ParsePathError| {
            let message = format!("address of the resolver, filled in as {text:?}: {source}");
            ResolveError::new(ResolveErrorKind::BadAttribute, &message).with_source(source)
        })
    }
}

fn label(name: &str, attributes: &Attributes) -> Result<String, ResolveError> {
    let value = match attributes.get(name) {
        None | Some(Value::Null) => {
            let message = format!(
                "the address of the resolver needs attribute {name:?}, which the node does not have"
            );
            return Err(ResolveError::new(
                ResolveErrorKind::MissingAttribute,
                &message,
            ));
        }
        Some(Value::List(_)) => {
            let message =
                format!("attribute {name:?} is a list, which cannot be a label of an address");
            return Err(ResolveError::new(ResolveErrorKind::BadAttribute, &message));
        }
        Some(scalar) => scalar.to_string(),
    };
    match Path::from_labels([&value]) {
        Ok(path) => Ok(path.as_str().to_owned()),
        Err(source) => {
            let message = format!("attribute {name:?} cannot be a label of an address: {source}");
            Err(ResolveError::new(ResolveErrorKind::BadAttribute, &message).with_source(source))
        }
    }
}

impl FromStr for Template {
    type Err = ParseTemplateError;

    fn from_str(text: &str) -> Result<Self, ParseTemplateError> {
        Self::parse(text)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                Piece::Attribute(name) => write!(f, "{{{name}}}")?,
            }
        }
        Ok(())
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    slashes: u8,
    // Whether a step begins here, so that an attribute may stand for it.
    step_begins: bool,
    pieces: Vec<Piece>,
    literal: String,
    // The address with `SAMPLE` for each attribute, and by how much the template is longer up to a
    // byte of it.
    sample: String,
    shifts: Vec<(usize, usize)>,
}

const SAMPLE: &str = "x";

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            slashes: 0,
            step_begins: false,
            pieces: Vec::new(),
            literal: String::new(),
            sample: String::new(),
            shifts: Vec::new(),
        }
    }

    fn scan(mut self) -> Result<Template, ParseTemplateError> {
        while let Some(char) = self.rest().chars().next() {
            match char {
                '{' | '}' if self.rest().chars().nth(1) == Some(char) => {
                    self.shifts.push((self.sample.len(), 1));
                    self.at += 1;
                    self.literal(char, false);
                }
                '{' => self.attribute()?,
                '}' => return Err(self.fail(ParseTemplateErrorKind::StrayBrace)),
                '\\' => {
                    self.literal(char, false);
                    if let Some(escaped) = self
                        .rest()
                        .chars()
                        .next()
                        .filter(|next| !matches!(next, '{' | '}'))
                    {
                        self.literal(escaped, false);
                    }
                }
                '.' => self.literal(char, self.slashes >= 3),
                '/' if self.slashes < 3 => {
                    self.slashes += 1;
                    self.literal(char, self.slashes == 3);
                }
                // The end of `../`; what else a slash may be is for the address to judge.
                '/' => self.literal(char, self.literal.ends_with("..")),
                _ => self.literal(char, false),
            }
        }
        self.finish()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn fail(&self, kind: ParseTemplateErrorKind) -> ParseTemplateError {
        ParseTemplateError::new(kind, self.at)
    }

    fn literal(&mut self, char: char, step_begins: bool) {
        self.literal.push(char);
        self.sample.push(char);
        self.at += char.len_utf8();
        self.step_begins = step_begins;
    }

    fn attribute(&mut self) -> Result<(), ParseTemplateError> {
        let inside = self.rest().get(1..).unwrap_or_default();
        let Some((name, after)) = inside.split_once('}') else {
            return Err(self.fail(ParseTemplateErrorKind::StrayBrace));
        };
        if check_name(name).is_err() || name.contains('{') {
            return Err(self.fail(ParseTemplateErrorKind::BadName));
        }
        if !self.step_begins || !(after.is_empty() || after.starts_with(['.', '?', '/'])) {
            return Err(self.fail(ParseTemplateErrorKind::NotAStep));
        }
        self.flush();
        self.pieces.push(Piece::Attribute(name.to_owned()));
        self.sample.push_str(SAMPLE);
        self.at += name.len() + 2;
        self.shifts
            .push((self.sample.len(), name.len() + 2 - SAMPLE.len()));
        self.step_begins = false;
        Ok(())
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.pieces
                .push(Piece::Text(std::mem::take(&mut self.literal)));
        }
    }

    fn finish(mut self) -> Result<Template, ParseTemplateError> {
        self.flush();
        if let Err(source) = self.sample.parse::<Address>() {
            let shift: usize = self
                .shifts
                .iter()
                .filter(|(at, _)| *at <= source.at())
                .map(|(_, by)| by)
                .sum();
            let at = source.at() + shift;
            return Err(ParseTemplateError {
                kind: ParseTemplateErrorKind::NotAnAddress,
                at,
                source: Some(source),
            });
        }
        Ok(Template {
            pieces: self.pieces,
        })
    }
}

/// Why a text is no [`Template`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseTemplateError {
    kind: ParseTemplateErrorKind,
    at: usize,
    source: Option<ParsePathError>,
}

/// What is wrong with the text of a [`Template`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseTemplateErrorKind {
    /// The address around the attributes is none; the source says why.
    NotAnAddress,
    /// A brace that opens or closes nothing. As a character it is doubled.
    StrayBrace,
    /// No attribute has such a name.
    BadName,
    /// An attribute that is not a whole step of the path.
    NotAStep,
    /// The text is above [`TEMPLATE_BYTES_MAX`].
    TooLong,
}

impl ParseTemplateError {
    fn new(kind: ParseTemplateErrorKind, at: usize) -> Self {
        Self {
            kind,
            at,
            source: None,
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> ParseTemplateErrorKind {
        self.kind
    }

    /// The byte where it is wrong.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }
}

impl fmt::Display for ParseTemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ParseTemplateErrorKind::NotAnAddress => {
                f.write_str("not an address: needs machine/process/store/path")?;
            }
            ParseTemplateErrorKind::StrayBrace => {
                f.write_str("stray brace: write {name} for an attribute, {{ or }} for a brace")?;
            }
            ParseTemplateErrorKind::BadName => {
                f.write_str("bad name of an attribute between braces")?
            }
            ParseTemplateErrorKind::NotAStep => {
                f.write_str("{name} must be a whole step of the path")?
            }
            ParseTemplateErrorKind::TooLong => {
                write!(f, "too long: limit {TEMPLATE_BYTES_MAX} bytes")?
            }
        }
        write!(f, " (at byte {})", self.at)
    }
}

impl Error for ParseTemplateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
