//! Keys and signatures as their users see them.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod keys;
mod signatures;
