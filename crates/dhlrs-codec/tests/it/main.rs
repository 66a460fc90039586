//! The codec as its users see it.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod bounded;
mod format;
mod hostile;
