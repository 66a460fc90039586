//! Why an input or a value was refused.

use core::fmt;

/// Why an input was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The input is longer than the caller allows; nothing was read.
    TooLarge,
    /// The input ends within the value.
    Truncated,
    /// The value ends before the input does.
    TrailingBytes,
    /// Bytes that no encoder writes: an overlong number, a flag above 1, text that is no UTF-8, an unknown variant.
    Malformed,
    /// A sequence announces more elements than the rest of the input can hold, or their memory is over the budget.
    TooManyElements,
    /// Containers stand in one another more than [`DEPTH_MAX`](crate::DEPTH_MAX) levels deep.
    TooDeep,
    /// The type itself refused what it was given; the message is its own.
    Refused,
}

/// An input is no valid encoding of the wanted type.
#[derive(Clone, PartialEq, Eq)]
pub struct DecodeError {
    kind: DecodeErrorKind,
    at: usize,
    // The limit that was passed, where there is one; for trailing bytes their number.
    limit: usize,
    message: Option<Box<str>>,
}

impl DecodeError {
    pub(crate) const fn new(kind: DecodeErrorKind, at: usize, limit: usize) -> Self {
        Self {
            kind,
            at,
            limit,
            message: None,
        }
    }

    // serde makes custom errors without knowing where; the decoder adds the place on the way out.
    pub(crate) fn placed(mut self, at: usize) -> Self {
        if self.kind == DecodeErrorKind::Refused {
            self.at = at;
        }
        self
    }

    /// What was wrong.
    #[must_use]
    pub const fn kind(&self) -> DecodeErrorKind {
        self.kind
    }

    /// The offset of the byte where it was noticed; for `TooLarge` the length of the input.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, limit) = (self.at, self.limit);
        match self.kind {
            DecodeErrorKind::TooLarge => write!(f, "input too large: {at} bytes, limit {limit}"),
            DecodeErrorKind::Truncated => write!(f, "input ends too early at byte {at}"),
            DecodeErrorKind::TrailingBytes => write!(f, "{limit} bytes too many at byte {at}"),
            DecodeErrorKind::Malformed => write!(f, "malformed input at byte {at}"),
            DecodeErrorKind::TooManyElements => {
                write!(
                    f,
                    "too many elements at byte {at}: the limit here is {limit}"
                )
            }
            DecodeErrorKind::TooDeep => {
                write!(f, "nested too deep at byte {at}: limit {limit} levels")
            }
            DecodeErrorKind::Refused => {
                let message = self.message.as_deref().unwrap_or("refused");
                write!(f, "{message} (before byte {at})")
            }
        }
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecodeError({:?}: {self})", self.kind)
    }
}

impl core::error::Error for DecodeError {}

impl serde::de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let mut text = message.to_string();
        truncate(&mut text);
        Self {
            kind: DecodeErrorKind::Refused,
            at: 0,
            limit: 0,
            message: Some(text.into()),
        }
    }
}

// Types quote what they refuse, and what they refuse may be a whole frame.
fn truncate(text: &mut String) {
    const MESSAGE_BYTES_MAX: usize = 256;
    if text.len() > MESSAGE_BYTES_MAX {
        text.truncate(text.floor_char_boundary(MESSAGE_BYTES_MAX));
        text.push('…');
    }
}

/// Why a value was not encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// The encoding is longer than the caller allows.
    TooLarge,
    /// The type cannot be encoded, such as a sequence of unknown length.
    Unsupported,
}

/// A value was not encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeError {
    kind: EncodeErrorKind,
    bytes_max: usize,
    source: postcard::Error,
}

impl EncodeError {
    pub(crate) fn new(source: postcard::Error, bytes_max: usize) -> Self {
        let kind = match source {
            postcard::Error::SerializeBufferFull => EncodeErrorKind::TooLarge,
            _ => EncodeErrorKind::Unsupported,
        };
        Self {
            kind,
            bytes_max,
            source,
        }
    }

    /// What was wrong.
    #[must_use]
    pub const fn kind(&self) -> EncodeErrorKind {
        self.kind
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            EncodeErrorKind::TooLarge => {
                write!(f, "encoding too large: limit {} bytes", self.bytes_max)
            }
            EncodeErrorKind::Unsupported => f.write_str("this value cannot be encoded"),
        }
    }
}

impl core::error::Error for EncodeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self.kind {
            EncodeErrorKind::TooLarge => None,
            EncodeErrorKind::Unsupported => Some(&self.source),
        }
    }
}
