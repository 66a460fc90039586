//! One hop to a peer: handshake, link session, acknowledgement, resume

mod capability;

pub use capability::Capability;
