//! Clusters from one seed, and what must hold in them.

mod determinism;
mod storms;
