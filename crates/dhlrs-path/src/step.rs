//! One step of a path, and the iterators over them.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;
use core::iter::FusedIterator;
use core::num::IntErrorKind;

use crate::grammar::{escape_into, find_unescaped, rfind_dot, unescape};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step<'a> {
    /// The child with this label.
    Label(Cow<'a, str>),
    /// The child that shows this label but lost it to another one: `label~HEX`.
    Displaced {
        /// The label that both children show.
        label: Cow<'a, str>,
        /// The id of the child that is meant: 32 lowercase hex digits.
        hex: &'a str,
    },
    /// The child at a place: 0 is the first, -1 the last. A number beyond 64 bits, which is the place
    /// of no child, is the largest or the smallest one.
    Index(i64),
    /// The first child with an attribute that is this Text, or another scalar that prints so.
    Attribute {
        /// The attribute.
        name: Cow<'a, str>,
        /// What it prints as.
        text: Cow<'a, str>,
    },
    /// The first child whose value is this Text, or another scalar that prints so.
    Value(Cow<'a, str>),
    /// The bag around.
    Parent,
}

impl<'a> Step<'a> {
    /// The step that a canonical spelling stands for.
    pub(crate) fn of(text: &'a str) -> Self {
        let Some(rest) = text.strip_prefix('#') else {
            if !text.bytes().any(|byte| byte == b'~' || byte == b'\\') {
                return Self::Label(Cow::Borrowed(text));
            }
            return match find_unescaped(text, b'~') {
                Some(at) => Self::Displaced {
                    label: unescape(&text[..at]),
                    hex: &text[at + 1..],
                },
                None => Self::Label(unescape(text)),
            };
        };
        match find_unescaped(rest, b'=') {
            Some(0) => Self::Value(unescape(&rest[1..])),
            Some(at) => Self::Attribute {
                name: unescape(&rest[..at]),
                text: unescape(&rest[at + 1..]),
            },
            None => match rest.parse() {
                Ok(index) => Self::Index(index),
                Err(error) => match error.kind() {
                    // No bag has so many children.
                    IntErrorKind::PosOverflow => Self::Index(i64::MAX),
                    IntErrorKind::NegOverflow => Self::Index(i64::MIN),
                    // What is no index was checked to be `#parent`.
                    _ => Self::Parent,
                },
            },
        }
    }

    /// The label, if the step is nothing but one.
    pub fn label(&self) -> Option<&str> {
        match self {
            Self::Label(label) => Some(label),
            _ => None,
        }
    }
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        match self {
            Self::Label(label) => escape_into(&mut text, label),
            Self::Displaced { label, hex } => {
                escape_into(&mut text, label);
                text.push('~');
                text.push_str(hex);
            }
            Self::Index(index) => return write!(f, "#{index}"),
            Self::Attribute { name, text: value } => {
                text.push('#');
                escape_into(&mut text, name);
                text.push('=');
                escape_into(&mut text, value);
            }
            Self::Value(value) => {
                text.push_str("#=");
                escape_into(&mut text, value);
            }
            Self::Parent => text.push_str("#parent"),
        }
        f.write_str(&text)
    }
}

/// The steps of a path, from the root on. Allocates only for words that are spelled with escapes.
#[derive(Debug, Clone)]
pub struct Steps<'a> {
    texts: StepTexts<'a>,
}

impl<'a> Steps<'a> {
    pub(crate) const fn new(texts: StepTexts<'a>) -> Self {
        Self { texts }
    }
}

impl<'a> Iterator for Steps<'a> {
    type Item = Step<'a>;

    #[inline]
    fn next(&mut self) -> Option<Step<'a>> {
        self.texts.next().map(Step::of)
    }
}

impl DoubleEndedIterator for Steps<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.texts.next_back().map(Step::of)
    }
}

impl FusedIterator for Steps<'_> {}

/// The canonical spellings of the steps of a path or pattern, from the root on. Two steps are the
/// same if and only if their spellings are equal. Never allocates.
#[derive(Debug, Clone)]
pub struct StepTexts<'a> {
    rest: Option<&'a str>,
}

impl<'a> StepTexts<'a> {
    /// Cuts a canonical spelling without its query.
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            rest: (!text.is_empty()).then_some(text),
        }
    }
}

impl<'a> Iterator for StepTexts<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        match find_unescaped(rest, b'.') {
            Some(at) => {
                self.rest = Some(&rest[at + 1..]);
                Some(&rest[..at])
            }
            None => self.rest.take(),
        }
    }
}

impl DoubleEndedIterator for StepTexts<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let rest = self.rest?;
        match rfind_dot(rest) {
            Some(at) => {
                self.rest = Some(&rest[..at]);
                Some(&rest[at + 1..])
            }
            None => self.rest.take(),
        }
    }
}

impl FusedIterator for StepTexts<'_> {}
