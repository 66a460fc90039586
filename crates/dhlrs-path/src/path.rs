//! A path below the root of one tree.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use crate::error::{ParsePathError, ParsePathErrorKind as Kind};
use crate::grammar::{
    Reader, Word, check_label, check_name, escape_into, find_unescaped, is_plain,
};
use crate::limits::{DEPTH_MAX, LABEL_BYTES_MAX, PATH_BYTES_MAX};
use crate::query::Query;
use crate::step::{Step, StepTexts, Steps};

/// A path below the root of one tree, maybe with a query for attributes behind it.
///
/// Equality, order and hash are those of the canonical spelling. The order is the order of that
/// text, not of the tree.
#[derive(Clone)]
pub struct Path<'a> {
    // Invariant: valid and canonically spelled, so that steps are cut without looking back.
    text: Cow<'a, str>,
    // Where the query's `?` stands, or the length.
    steps_end: usize,
    depth: usize,
    form: Form,
}

/// What the steps of a path are; of two forms, what holds steps of both is the later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    /// Labels, spelled as they are.
    PlainLabels,
    /// Labels, some of them with escapes.
    Labels,
    Steps,
}

impl Form {
    fn of(labels_only: bool, steps: &str) -> Self {
        match labels_only {
            true if steps.as_bytes().contains(&b'\\') => Self::Labels,
            true => Self::PlainLabels,
            false => Self::Steps,
        }
    }
}

impl<'a> Path<'a> {
    /// The root: no step, no query.
    pub const ROOT: Path<'static> = Path {
        text: Cow::Borrowed(""),
        steps_end: 0,
        depth: 0,
        form: Form::PlainLabels,
    };

    /// Reads a path. One pass; a text that is spelled canonically is borrowed, and nothing is
    /// allocated.
    ///
    /// # Errors
    ///
    /// The first thing from the left that is wrong, with its byte; a text of more than
    /// [`PATH_BYTES_MAX`] bytes is not looked at.
    pub fn parse(text: &'a str) -> Result<Self, ParsePathError> {
        if let Some(depth) = plain_depth(text) {
            return Ok(Self {
                text: Cow::Borrowed(text),
                steps_end: text.len(),
                depth,
                form: Form::PlainLabels,
            });
        }
        let mut reader = Reader::new(text, PATH_BYTES_MAX, Kind::PathTooLong)?;
        let mut labels_only = true;
        if !matches!(reader.peek(), None | Some(b'?')) {
            loop {
                labels_only &= read_step(&mut reader)?;
                if !reader.eat(b'.') {
                    break;
                }
            }
        }
        let steps_end = reader.printed_bytes();
        reader.query()?;
        let depth = reader.depth();
        let text = reader.finish()?;
        let form = Form::of(labels_only, &text[..steps_end]);
        Ok(Self {
            text,
            steps_end,
            depth,
            form,
        })
    }

    /// Takes a text that is known to be canonical and within the limits.
    pub(crate) fn trusted(text: Cow<'a, str>) -> Self {
        let steps_end = find_unescaped(&text, b'?').unwrap_or(text.len());
        let steps = StepTexts::new(&text[..steps_end]);
        let (mut depth, mut labels_only) = (0, true);
        for step in steps {
            depth += 1;
            labels_only &= !step.starts_with('#') && find_unescaped(step, b'~').is_none();
        }
        let form = Form::of(labels_only, &text[..steps_end]);
        Self {
            text,
            steps_end,
            depth,
            form,
        }
    }

    /// The path of these labels, from the root on. The labels are not escaped.
    ///
    /// # Errors
    ///
    /// `EmptyStep`, `LabelTooLong`, `ControlCharacter`, `TooDeep` or `PathTooLong`, with the byte
    /// of the path that was being printed.
    pub fn from_labels<L: AsRef<str>>(
        labels: impl IntoIterator<Item = L>,
    ) -> Result<Path<'static>, ParsePathError> {
        let mut path = Path::ROOT;
        for label in labels {
            path.push(label.as_ref())?;
        }
        Ok(path)
    }

    /// The canonical spelling.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same path with a text of its own.
    pub fn into_owned(self) -> Path<'static> {
        Path {
            text: Cow::Owned(self.text.into_owned()),
            ..self
        }
    }

    /// The same path, borrowing this one's text. Never allocates.
    pub fn borrowed(&self) -> Path<'_> {
        Path {
            text: Cow::Borrowed(&self.text),
            ..*self
        }
    }

    fn steps_text(&self) -> &str {
        &self.text[..self.steps_end]
    }

    /// The steps, from the root on.
    pub fn steps(&self) -> Steps<'_> {
        Steps::new(self.step_texts())
    }

    /// The canonical spellings of the steps, from the root on. Never allocates.
    pub fn step_texts(&self) -> StepTexts<'_> {
        StepTexts::new(self.steps_text())
    }

    /// The last step; none of the root.
    pub fn last(&self) -> Option<Step<'_>> {
        self.steps().next_back()
    }

    /// How many steps there are. O(1).
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Whether there is no step. The path may still have a query.
    pub fn is_root(&self) -> bool {
        self.depth == 0
    }

    /// Whether every step is a label: then the path names one place whatever the tree holds. O(1).
    pub fn labels_only(&self) -> bool {
        self.form != Form::Steps
    }

    /// The labels, from the root on, if every step is a label that is spelled as it is; none if a
    /// step is of another form or holds an escape. The fastest way through a path: never
    /// allocates.
    pub fn plain_labels(&self) -> Option<impl Iterator<Item = &str> + Clone> {
        (self.form == Form::PlainLabels).then(|| PlainLabels(self.steps_text()))
    }

    /// Which attributes are meant, if any.
    pub fn query(&self) -> Option<Query<'_>> {
        self.text.get(self.steps_end + 1..).map(Query::of)
    }

    /// The path without its query. Never allocates.
    pub fn without_query(&self) -> Path<'_> {
        Path {
            text: Cow::Borrowed(self.steps_text()),
            ..*self
        }
    }

    /// The path with a query for these attributes in place of its own; without names, for all of
    /// them. The names are not escaped.
    ///
    /// # Errors
    ///
    /// `EmptyName`, `NameTooLong`, `ControlCharacter` or `PathTooLong`.
    pub fn with_query<N: AsRef<str>>(
        &self,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Path<'static>, ParsePathError> {
        let mut text = self.steps_text().to_owned();
        let mut before = '?';
        for name in names {
            text.push(before);
            before = '&';
            check_name(name.as_ref()).map_err(|err| err.shifted(text.len()))?;
            escape_into(&mut text, name.as_ref());
            check_bytes(&text)?;
        }
        if before == '?' {
            text.push(before);
            check_bytes(&text)?;
        }
        Ok(Path {
            text: Cow::Owned(text),
            ..*self
        })
    }

    /// The path without its last step and without a query; none of the root. This is about the
    /// spelling: the parent of `a.#parent` is `a`. Never allocates.
    pub fn parent(&self) -> Option<Path<'_>> {
        let mut texts = self.step_texts();
        let last = texts.next_back()?;
        let end = self.steps_end - last.len();
        Some(Path::trusted(Cow::Borrowed(
            &self.text[..end.saturating_sub(1)],
        )))
    }

    /// The last so many steps, without a query; the whole path if it has no more. Never allocates.
    pub fn tail(&self, steps: usize) -> Path<'_> {
        let mut texts = self.step_texts();
        let mut start = self.steps_end;
        for text in texts.by_ref().rev().take(steps) {
            // The dot before the step that was taken last is not part of the tail.
            start -= text.len() + usize::from(start < self.steps_end);
        }
        Path::trusted(Cow::Borrowed(&self.text[start..self.steps_end]))
    }

    /// The path of a child, without a query. The label is not escaped.
    ///
    /// # Errors
    ///
    /// `EmptyStep`, `LabelTooLong`, `ControlCharacter`, `TooDeep` or `PathTooLong`.
    pub fn child(&self, label: &str) -> Result<Path<'static>, ParsePathError> {
        let mut path = Path {
            text: Cow::Owned(self.steps_text().to_owned()),
            ..*self
        };
        path.push(label)?;
        Ok(path)
    }

    /// This path's steps, then the other's steps and query. This path's query is left out.
    ///
    /// # Errors
    ///
    /// `TooDeep` or `PathTooLong`.
    pub fn join(&self, below: &Path<'_>) -> Result<Path<'static>, ParsePathError> {
        let depth = self.depth + below.depth;
        let dot = if self.is_root() || below.is_root() {
            ""
        } else {
            "."
        };
        let text = [self.steps_text(), dot, below.as_str()].concat();
        if depth > DEPTH_MAX {
            return Err(ParsePathError::new(Kind::TooDeep, self.steps_end));
        }
        check_bytes(&text)?;
        let steps_end = self.steps_end + dot.len() + below.steps_end;
        let form = self.form.max(below.form);
        Ok(Path {
            text: Cow::Owned(text),
            steps_end,
            depth,
            form,
        })
    }

    /// Whether this path begins with the other one's steps. Queries do not count.
    pub fn starts_with(&self, prefix: &Path<'_>) -> bool {
        self.strip_prefix(prefix).is_some()
    }

    /// What follows the other path's steps, with this path's query; none if this path does not
    /// begin with them. Never allocates.
    pub fn strip_prefix(&self, prefix: &Path<'_>) -> Option<Path<'_>> {
        let rest = self.text.strip_prefix(prefix.steps_text())?;
        let rest = match rest.as_bytes().first() {
            None | Some(b'?') => rest,
            Some(_) if prefix.is_root() => rest,
            Some(b'.') => &rest[1..],
            Some(_) => return None,
        };
        Some(Path::trusted(Cow::Borrowed(rest)))
    }

    fn push(&mut self, label: &str) -> Result<(), ParsePathError> {
        let at = self.text.len() + usize::from(self.depth > 0);
        if self.depth == DEPTH_MAX {
            return Err(ParsePathError::new(Kind::TooDeep, at));
        }
        check_label(label).map_err(|err| err.shifted(at))?;
        let text = self.text.to_mut();
        if self.depth > 0 {
            text.push('.');
        }
        escape_into(text, label);
        check_bytes(text)?;
        self.form = self.form.max(Form::of(true, &text[at..]));
        self.steps_end = text.len();
        self.depth += 1;
        Ok(())
    }
}

/// How many steps a text has that is nothing but sound labels without escapes, as most paths are:
/// one look at each byte. None is for the reader to judge.
fn plain_depth(text: &str) -> Option<usize> {
    if text.len() > PATH_BYTES_MAX {
        return None;
    }
    let is_label = |bytes: usize| bytes > 0 && bytes <= LABEL_BYTES_MAX;
    let (mut depth, mut start) = (1, 0);
    for (at, byte) in text.bytes().enumerate() {
        if is_plain(byte) {
            continue;
        }
        if byte != b'.' || !is_label(at - start) {
            return None;
        }
        depth += 1;
        start = at + 1;
    }
    if !is_label(text.len() - start) {
        return None;
    }
    (depth <= DEPTH_MAX).then_some(depth)
}

/// Reads one step with what stands before and behind it, up to the `.`, the `?` or the end, and
/// returns whether it is nothing but a label.
fn read_step(reader: &mut Reader<'_>) -> Result<bool, ParsePathError> {
    let mut label_only = true;
    while reader.rest().starts_with("../") {
        reader.count_step()?;
        reader.replace(3, "#parent.")?;
        label_only = false;
    }
    let start = reader.at();
    match reader.peek() {
        Some(b'#') => {
            reader.count_step()?;
            read_hash_step(reader)?;
            label_only = false;
        }
        Some(b'*') => return reader.fail(Kind::Wildcard, start),
        _ => {
            let depth = reader.count_step();
            // An empty step is the nearer mistake, wherever it stands.
            if !matches!(reader.peek(), None | Some(b'.' | b'?')) {
                depth?;
            }
            label_only &= !reader.label()?;
        }
    }
    while reader.peek() == Some(b'/') {
        let ends = matches!(
            reader.peek_after(PARENT.len()),
            None | Some(b'.' | b'?' | b'/')
        );
        if !ends || !reader.rest().starts_with(PARENT) {
            return reader.fail(Kind::Slash, reader.at());
        }
        reader.count_step()?;
        reader.replace(PARENT.len(), ".#parent")?;
        label_only = false;
    }
    match reader.peek() {
        None | Some(b'.' | b'?') => Ok(label_only),
        Some(b'*') => reader.fail(Kind::Wildcard, reader.at()),
        Some(_) => reader.fail(Kind::Reserved, reader.at()),
    }
}

const PARENT: &str = "/parent";

fn read_hash_step(reader: &mut Reader<'_>) -> Result<(), ParsePathError> {
    let start = reader.at();
    reader.eat(b'#');
    let rest = reader.rest();
    let taken = reader.word(Word::Name)?;
    if reader.eat(b'=') {
        reader.word(Word::Text)?;
        return Ok(());
    }
    let word = rest.get(..taken).unwrap_or_default();
    if word == "parent" {
        return Ok(());
    }
    let digits = word.strip_prefix('-').unwrap_or(word);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return reader.fail(Kind::HashStep, start);
    }
    let is_canonical = !digits.starts_with('0') || word == "0";
    match is_canonical {
        true => Ok(()),
        false => reader.fail(Kind::Index, start),
    }
}

/// What is left of a path without escapes.
#[derive(Clone)]
struct PlainLabels<'a>(&'a str);

impl<'a> Iterator for PlainLabels<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        let dot = self.0.bytes().position(|byte| byte == b'.');
        let (label, rest) = match dot {
            Some(at) => (&self.0[..at], &self.0[at + 1..]),
            None => (self.0, ""),
        };
        self.0 = rest;
        Some(label)
    }
}

fn check_bytes(text: &str) -> Result<(), ParsePathError> {
    match text.len() > PATH_BYTES_MAX {
        true => Err(ParsePathError::new(Kind::PathTooLong, PATH_BYTES_MAX)),
        false => Ok(()),
    }
}

impl FromStr for Path<'static> {
    type Err = ParsePathError;

    fn from_str(text: &str) -> Result<Self, ParsePathError> {
        Ok(Path::parse(text)?.into_owned())
    }
}

impl<'a> TryFrom<&'a str> for Path<'a> {
    type Error = ParsePathError;

    fn try_from(text: &'a str) -> Result<Self, ParsePathError> {
        Path::parse(text)
    }
}

impl TryFrom<String> for Path<'static> {
    type Error = ParsePathError;

    fn try_from(text: String) -> Result<Self, ParsePathError> {
        let path = Path::parse(&text)?;
        let Path {
            steps_end,
            depth,
            form,
            ..
        } = path;
        let text = match path.text {
            Cow::Borrowed(_) => None,
            Cow::Owned(canonical) => Some(canonical),
        }
        .unwrap_or(text);
        Ok(Path {
            text: Cow::Owned(text),
            steps_end,
            depth,
            form,
        })
    }
}

impl Default for Path<'_> {
    fn default() -> Self {
        Path::ROOT
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({:?})", self.text)
    }
}

impl<'b> PartialEq<Path<'b>> for Path<'_> {
    fn eq(&self, other: &Path<'b>) -> bool {
        self.text == other.text
    }
}

impl Eq for Path<'_> {}

impl<'b> PartialOrd<Path<'b>> for Path<'_> {
    fn partial_cmp(&self, other: &Path<'b>) -> Option<Ordering> {
        Some(self.text.cmp(&other.text))
    }
}

impl Ord for Path<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for Path<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
