//! Why a signature does not count, and what is no key.

use core::fmt;

use crate::PublicKey;

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyErrorKind {
    /// The key is none that anybody can hold the secret of, or a weak one.
    BadKey,
    /// The signature is not this key's, or not for this message and purpose.
    BadSignature,
}

/// A signature does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyError {
    kind: VerifyErrorKind,
    key: PublicKey,
}

impl VerifyError {
    pub(crate) const fn new(kind: VerifyErrorKind, key: PublicKey) -> Self {
        Self { kind, key }
    }

    /// What was wrong.
    #[must_use]
    pub const fn kind(&self) -> VerifyErrorKind {
        self.kind
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            VerifyErrorKind::BadKey => write!(f, "not a usable key: {}", self.key),
            VerifyErrorKind::BadSignature => {
                write!(f, "signature does not verify under key {}", self.key)
            }
        }
    }
}

impl core::error::Error for VerifyError {}

/// The text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseKeyError {
    at: Option<usize>,
    length: usize,
}

impl ParseKeyError {
    pub(crate) const fn length(length: usize) -> Self {
        Self { at: None, length }
    }

    pub(crate) const fn digit(at: usize) -> Self {
        Self {
            at: Some(at),
            length: 64,
        }
    }

    /// The offset of the first byte that is no lowercase hex digit; `None` if the length is wrong.
    #[must_use]
    pub const fn at(&self) -> Option<usize> {
        self.at
    }
}

impl fmt::Display for ParseKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            None => write!(
                f,
                "not a key: expected 64 lowercase hex digits, got {} bytes",
                self.length
            ),
            Some(at) => write!(f, "not a key: byte {at} is no lowercase hex digit"),
        }
    }
}

impl core::error::Error for ParseKeyError {}
