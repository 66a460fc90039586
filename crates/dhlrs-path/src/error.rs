//! Why a text is no path, pattern, name or address.

use core::error::Error;
use core::fmt;

use crate::limits::{
    DEPTH_MAX, LABEL_BYTES_MAX, NAME_BYTES_MAX, PATH_BYTES_MAX, PATTERN_BYTES_MAX,
};

/// A text that is no path, pattern, name or address: what is wrong, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsePathError {
    kind: ParsePathErrorKind,
    at: usize,
}

/// What is wrong with the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParsePathErrorKind {
    /// A step holds nothing: two dots in a row, or a dot at either end.
    EmptyStep,
    /// The name of an attribute, a machine, a process or a store is empty.
    EmptyName,
    /// An unescaped `/` that is neither `../` at the start of a step nor `/parent` at its end.
    Slash,
    /// An unescaped `#`, `?`, `*`, `~`, `&`, `=` or `.` in a place where it means nothing.
    Reserved,
    /// A `\` before something other than `. / # ? * ~ & = \`.
    Escape,
    /// A number after `#` that is no index: leading zeros, or `-0`.
    Index,
    /// A step that begins with `#` and is none of `#INDEX`, `#ATTR=TEXT`, `#=TEXT`, `#parent`.
    HashStep,
    /// The `~` of a displaced label is not followed by 32 lowercase hex digits.
    Displaced,
    /// `*` or `**` in a path; only patterns hold them.
    Wildcard,
    /// A `#` step, `../` or `/parent` in a pattern.
    HashInPattern,
    /// A control character in a label or a name.
    ControlCharacter,
    /// The path is longer than [`PATH_BYTES_MAX`] when it is printed.
    PathTooLong,
    /// The pattern is longer than [`PATTERN_BYTES_MAX`].
    PatternTooLong,
    /// More than [`DEPTH_MAX`] steps.
    TooDeep,
    /// A label longer than [`LABEL_BYTES_MAX`].
    LabelTooLong,
    /// A name longer than [`NAME_BYTES_MAX`].
    NameTooLong,
    /// An address ends before its store: it needs `machine/process/store`.
    Incomplete,
    /// A character that the name of a machine, a process or a store must not hold: `/`, `?`, `#`,
    /// `*`, `=`, `,` or white space.
    NameCharacter,
}

impl ParsePathErrorKind {
    /// The limit that was passed, in bytes or steps, if a limit is what was wrong.
    pub const fn limit(self) -> Option<usize> {
        match self {
            Self::PathTooLong => Some(PATH_BYTES_MAX),
            Self::PatternTooLong => Some(PATTERN_BYTES_MAX),
            Self::TooDeep => Some(DEPTH_MAX),
            Self::LabelTooLong => Some(LABEL_BYTES_MAX),
            Self::NameTooLong => Some(NAME_BYTES_MAX),
            _ => None,
        }
    }

    const fn what(self) -> &'static str {
        match self {
            Self::EmptyStep => "empty step",
            Self::EmptyName => "empty name",
            Self::Slash => {
                "stray `/`: only `../` before a step and `/parent` after one are read; else `\\/`"
            }
            Self::Reserved => "unescaped syntax character: write `\\` before it",
            Self::Escape => "`\\` must be followed by one of . / # ? * ~ & = \\",
            Self::Index => "not an index: no leading zero, no -0",
            Self::HashStep => "unknown # step: known are #N, #attr=text, #=text and #parent",
            Self::Displaced => "`~` must be followed by 32 lowercase hex digits",
            Self::Wildcard => "wildcard in a path: only patterns hold * and **; else `\\*`",
            Self::HashInPattern => "# step, ../ or /parent in a pattern",
            Self::ControlCharacter => "control character",
            Self::PathTooLong => "path too long",
            Self::PatternTooLong => "pattern too long",
            Self::TooDeep => "too many steps",
            Self::LabelTooLong => "label too long",
            Self::NameTooLong => "name too long",
            Self::Incomplete => "incomplete address: it needs machine/process/store",
            Self::NameCharacter => {
                "names of machines, processes and stores hold none of / ? # * = , and no space"
            }
        }
    }
}

impl ParsePathError {
    pub(crate) const fn new(kind: ParsePathErrorKind, at: usize) -> Self {
        Self { kind, at }
    }

    pub(crate) const fn shifted(self, bytes: usize) -> Self {
        Self {
            kind: self.kind,
            at: self.at + bytes,
        }
    }

    /// What is wrong.
    pub const fn kind(&self) -> ParsePathErrorKind {
        self.kind
    }

    /// The byte of the text at which it is wrong: of an item that is too long its first byte, of a
    /// path that is too long the first byte past the limit.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The limit that was passed, in bytes or steps, if a limit is what was wrong.
    pub const fn limit(&self) -> Option<usize> {
        self.kind.limit()
    }
}

impl fmt::Display for ParsePathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {}", self.kind.what(), self.at)?;
        match self.limit() {
            Some(limit) if self.kind == ParsePathErrorKind::TooDeep => {
                write!(f, ", limit {limit} steps)")
            }
            Some(limit) => write!(f, ", limit {limit} bytes)"),
            None => f.write_str(")"),
        }
    }
}

impl Error for ParsePathError {}
