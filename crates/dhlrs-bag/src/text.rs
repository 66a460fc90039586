//! Texts, labels and names: short ones in place, and checked once, when they are made.

use std::{borrow::Borrow, fmt, ops::Deref};

use dhlrs_path::{ParsePathError, check_label, check_name};
use smol_str::SmolStr;

/// A string that is cheap to clone; up to 23 bytes are kept in place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text(SmolStr);

/// The label of a node: 1 to [`LABEL_BYTES_MAX`](dhlrs_path::LABEL_BYTES_MAX) bytes without
/// control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(
    // Invariant: passed `check_label`.
    SmolStr,
);

/// The name of an attribute, of a parameter or of a resolver, under the rules of a [`Label`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(
    // Invariant: passed `check_name`.
    SmolStr,
);

impl Text {
    /// A copy of `text`.
    pub fn new(text: &str) -> Self {
        Self(SmolStr::new(text))
    }
}

impl Label {
    /// Checks `label` and keeps a copy.
    ///
    /// # Errors
    /// When it is empty, too long, or holds a control character.
    pub fn new(label: &str) -> Result<Self, ParsePathError> {
        check_label(label)?;
        Ok(Self(SmolStr::new(label)))
    }

    pub(crate) const fn unchecked(label: SmolStr) -> Self {
        Self(label)
    }

    /// How many bytes the label takes in a printed path.
    pub(crate) fn printed_bytes(&self) -> usize {
        let is_escaped = |byte: &&u8| {
            matches!(
                byte,
                b'.' | b'/' | b'#' | b'?' | b'*' | b'~' | b'&' | b'=' | b'\\'
            )
        };
        self.0.len() + self.0.as_bytes().iter().filter(is_escaped).count()
    }
}

impl Name {
    /// Checks `name` and keeps a copy.
    ///
    /// # Errors
    /// When it is empty, too long, or holds a control character.
    pub fn new(name: &str) -> Result<Self, ParsePathError> {
        check_name(name)?;
        Ok(Self(SmolStr::new(name)))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(SmolStr::from(text))
    }
}

impl From<&Label> for Text {
    fn from(label: &Label) -> Self {
        Self(label.0.clone())
    }
}

macro_rules! text_like {
    ($($type:ident),*) => {$(
        impl $type {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Deref for $type {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $type {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $type {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.0.as_str(), f)
            }
        }
    )*};
}

macro_rules! checked_text {
    ($($type:ident),*) => {$(
        impl std::str::FromStr for $type {
            type Err = ParsePathError;

            fn from_str(text: &str) -> Result<Self, ParsePathError> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $type {
            type Error = ParsePathError;

            fn try_from(text: &str) -> Result<Self, ParsePathError> {
                Self::new(text)
            }
        }
    )*};
}

text_like!(Text, Label, Name);
checked_text!(Label, Name);
