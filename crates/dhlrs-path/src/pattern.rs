//! A pattern: paths with wildcards, for subscriptions and queries.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use core::fmt;
use core::iter::FusedIterator;
use core::str::FromStr;

use crate::error::{ParsePathError, ParsePathErrorKind as Kind};
use crate::grammar::{Reader, spells};
use crate::limits::PATTERN_BYTES_MAX;
use crate::path::Path;
use crate::query::Query;
use crate::relation::{self, Token, Tokens};
use crate::step::{Step, StepTexts};

/// The places of a tree whose labels fit: a label fits itself, `*` any one, `**` any number of
/// them, also none. A query behind it means attributes of the nodes there.
///
/// Kept in canonical form: in a row of wildcards every `*` stands first and one `**` last, so that
/// patterns that differ only there are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    // Invariant: valid and canonical, as of a `Path`.
    text: String,
    steps_end: usize,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// The first thing from the left that is wrong, with its byte. Patterns hold no `#` steps; a
    /// text of more than [`PATTERN_BYTES_MAX`] bytes is not looked at.
    pub fn parse(text: &str) -> Result<Self, ParsePathError> {
        let mut reader = Reader::new(text, PATTERN_BYTES_MAX, Kind::PatternTooLong)?;
        // What is printed instead of the text, so that wildcards can change places.
        let mut wildcards = Wildcards::default();
        let mut is_first = true;
        if !matches!(reader.peek(), None | Some(b'?')) {
            loop {
                if reader.peek() == Some(b'*') {
                    wildcards.read(&mut reader)?;
                } else {
                    wildcards.print(&mut reader, &mut is_first)?;
                    separate(&mut reader, &mut is_first)?;
                    read_label(&mut reader)?;
                }
                match reader.peek() {
                    Some(b'.') => reader.replace(1, "")?,
                    None | Some(b'?') => break,
                    Some(b'/') if reader.rest().starts_with("/parent") => {
                        return reader.fail(Kind::HashInPattern, reader.at());
                    }
                    Some(b'/') => return reader.fail(Kind::Slash, reader.at()),
                    Some(_) => return reader.fail(Kind::Reserved, reader.at()),
                }
            }
        }
        wildcards.print(&mut reader, &mut is_first)?;
        let steps_end = reader.printed_bytes();
        reader.query()?;
        Ok(Self {
            text: reader.finish()?.into_owned(),
            steps_end,
        })
    }

    /// The pattern of a path's node and everything below it. The path's query is left out.
    ///
    /// # Errors
    ///
    /// `HashInPattern`: the path has a `#` step.
    pub fn subtree_of(path: &Path<'_>) -> Result<Self, ParsePathError> {
        let mut text = path.without_query().as_str().to_owned();
        text.push_str(if path.is_root() { "**" } else { ".**" });
        Self::parse(&text)
    }

    /// The canonical spelling.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn steps_text(&self) -> &str {
        &self.text[..self.steps_end]
    }

    /// The steps, from the root on.
    pub fn steps(&self) -> PatternSteps<'_> {
        PatternSteps {
            texts: self.step_texts(),
        }
    }

    /// The canonical spellings of the steps, from the root on; wildcards are `*` and `**`. Never
    /// allocates.
    pub fn step_texts(&self) -> StepTexts<'_> {
        StepTexts::new(self.steps_text())
    }

    fn tokens(&self) -> Tokens<'_> {
        Tokens::new(self.step_texts())
    }

    /// Which attributes are meant, if any.
    pub fn query(&self) -> Option<Query<'_>> {
        self.text.get(self.steps_end + 1..).map(Query::of)
    }

    /// The pattern without its query.
    pub fn without_query(&self) -> Self {
        Self {
            text: self.steps_text().to_owned(),
            steps_end: self.steps_end,
        }
    }

    /// Whether the place with these labels fits. The labels are not escaped, and the query does
    /// not count. Never allocates; at worst the product of both lengths.
    pub fn matches<L: AsRef<str>>(
        &self,
        labels: impl IntoIterator<Item = L, IntoIter: Clone>,
    ) -> bool {
        relation::matches(self.tokens(), labels.into_iter(), |step, label: &L| {
            spells(step, label.as_ref())
        })
    }

    /// Whether the path's place fits; a path with `#` steps never does. Queries do not count. Never
    /// allocates.
    pub fn matches_path(&self, path: &Path<'_>) -> bool {
        has_no_hash_step(path)
            && relation::matches(self.tokens(), path.step_texts(), |step, other| {
                step == *other
            })
    }

    /// Whether every place that fits the other pattern fits this one. Queries do not count.
    pub fn includes(&self, other: &Self) -> bool {
        relation::includes(self.tokens(), other.tokens())
    }

    /// Whether some place fits both patterns. Queries do not count.
    pub fn intersects(&self, other: &Self) -> bool {
        relation::intersects(self.tokens(), other.tokens())
    }

    /// Whether the path's place or one below it fits; never for a path with `#` steps. Never
    /// allocates.
    pub fn intersects_subtree(&self, path: &Path<'_>) -> bool {
        has_no_hash_step(path) && relation::reaches(self.tokens(), path.step_texts())
    }

    /// The steps before the first wildcard, as a path.
    pub fn literal_prefix(&self) -> Path<'_> {
        let mut end = 0;
        for (token, text) in self.tokens().zip(self.step_texts()) {
            if !matches!(token, Token::Step(_)) {
                break;
            }
            end += usize::from(end > 0) + text.len();
        }
        Path::trusted(Cow::Borrowed(&self.text[..end]))
    }

    /// The pattern as a path with its query, if it has no wildcard.
    pub fn as_path(&self) -> Option<Path<'_>> {
        let is_literal = self.tokens().all(|token| matches!(token, Token::Step(_)));
        // A pattern may be a little longer than a path.
        is_literal.then(|| Path::parse(&self.text).ok()).flatten()
    }
}

fn has_no_hash_step(path: &Path<'_>) -> bool {
    path.labels_only() || path.step_texts().all(|step| !step.starts_with('#'))
}

fn separate(reader: &mut Reader<'_>, is_first: &mut bool) -> Result<(), ParsePathError> {
    reader.replace(0, if *is_first { "" } else { "." })?;
    *is_first = false;
    Ok(())
}

fn read_label(reader: &mut Reader<'_>) -> Result<(), ParsePathError> {
    let start = reader.at();
    if reader.peek() == Some(b'#') || reader.rest().starts_with("../") {
        return reader.fail(Kind::HashInPattern, start);
    }
    let depth = reader.count_step();
    if !matches!(reader.peek(), None | Some(b'.' | b'?')) {
        depth?;
    }
    reader.label()?;
    Ok(())
}

/// The wildcards since the last label.
#[derive(Default)]
struct Wildcards {
    singles: usize,
    any_depth: bool,
}

impl Wildcards {
    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), ParsePathError> {
        if reader.rest().starts_with("**") {
            self.any_depth = true;
            return reader.replace(2, "");
        }
        reader.count_step()?;
        self.singles += 1;
        reader.replace(1, "")
    }

    fn print(
        &mut self,
        reader: &mut Reader<'_>,
        is_first: &mut bool,
    ) -> Result<(), ParsePathError> {
        for _ in 0..self.singles {
            separate(reader, is_first)?;
            reader.replace(0, "*")?;
        }
        if self.any_depth {
            separate(reader, is_first)?;
            reader.replace(0, "**")?;
        }
        *self = Self::default();
        Ok(())
    }
}

/// One step of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PatternStep<'a> {
    /// The child with this label.
    Label(Cow<'a, str>),
    /// The child that shows this label but lost it to another one: `label~HEX`.
    Displaced {
        /// The label that both children show.
        label: Cow<'a, str>,
        /// The id of the child that is meant: 32 lowercase hex digits.
        hex: &'a str,
    },
    /// `*`: any child.
    Any,
    /// `**`: any number of steps, also none.
    AnyDepth,
}

/// The steps of a pattern, from the root on. Allocates only for labels that are spelled with
/// escapes.
#[derive(Debug, Clone)]
pub struct PatternSteps<'a> {
    texts: StepTexts<'a>,
}

impl<'a> Iterator for PatternSteps<'a> {
    type Item = PatternStep<'a>;

    fn next(&mut self) -> Option<PatternStep<'a>> {
        let text = self.texts.next()?;
        Some(match Token::of(text) {
            Token::Any => PatternStep::Any,
            Token::AnyDepth => PatternStep::AnyDepth,
            Token::Step(text) => match Step::of(text) {
                Step::Displaced { label, hex } => PatternStep::Displaced { label, hex },
                Step::Label(label) => PatternStep::Label(label),
                // Not reached: patterns hold no `#` steps.
                _ => PatternStep::Label(Cow::Borrowed(text)),
            },
        })
    }
}

impl FusedIterator for PatternSteps<'_> {}

impl FromStr for Pattern {
    type Err = ParsePathError;

    fn from_str(text: &str) -> Result<Self, ParsePathError> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for Pattern {
    type Error = ParsePathError;

    fn try_from(text: &str) -> Result<Self, ParsePathError> {
        Self::parse(text)
    }
}

/// The pattern that only this path's place fits.
impl TryFrom<&Path<'_>> for Pattern {
    type Error = ParsePathError;

    fn try_from(path: &Path<'_>) -> Result<Self, ParsePathError> {
        Self::parse(path.as_str())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}
