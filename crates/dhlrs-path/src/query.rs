//! The query after the last step: which attributes are meant.

use alloc::borrow::Cow;
use core::iter::FusedIterator;

use crate::grammar::{find_unescaped, unescape};

/// Which attributes a path or pattern means.
#[derive(Debug, Clone)]
pub enum Query<'a> {
    /// `?`: all of them.
    All,
    /// `?a&b`: these, at least one.
    Names(Names<'a>),
}

impl<'a> Query<'a> {
    /// Reads what stands behind the `?` in canonical spelling.
    pub(crate) fn of(text: &'a str) -> Self {
        match text {
            "" => Self::All,
            text => Self::Names(Names { rest: Some(text) }),
        }
    }

    /// The names in the order in which they were written; none if all attributes are meant.
    pub fn names(&self) -> Names<'a> {
        match self {
            Self::All => Names { rest: None },
            Self::Names(names) => names.clone(),
        }
    }

    /// Whether the attribute is meant.
    pub fn includes(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Names(names) => names.clone().any(|n| n == name),
        }
    }
}

/// The attribute names of a query. Allocates only for names that are spelled with escapes.
#[derive(Debug, Clone)]
pub struct Names<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for Names<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let rest = self.rest?;
        let name = match find_unescaped(rest, b'&') {
            Some(at) => {
                self.rest = Some(&rest[at + 1..]);
                &rest[..at]
            }
            None => {
                self.rest = None;
                rest
            }
        };
        Some(unescape(name))
    }
}

impl FusedIterator for Names<'_> {}
