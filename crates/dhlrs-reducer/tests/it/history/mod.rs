//! Histories of a few replicas: who wrote what, having seen what, and who told whom.

mod random;
mod replica;

pub(crate) use random::{Random, Sim};
pub(crate) use replica::{Replica, author};
