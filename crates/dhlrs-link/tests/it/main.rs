//! Links as their users see them, over a simulated wire.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod credit;
mod exactly_once;
mod greeting;
mod hostile;
mod idle;
mod requirements;
mod rivals;
mod wire;
