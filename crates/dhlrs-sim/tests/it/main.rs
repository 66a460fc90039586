//! Clusters from one seed, and what must hold in them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod bound_watches;
mod determinism;
mod durability;
mod forwards;
mod hostile;
mod mesh_proofs;
mod mesh_storms;
#[expect(
    dead_code,
    reason = "the model of dhlrs-reducer's own tests, of which not all is of use here"
)]
#[path = "../../../dhlrs-reducer/tests/it/naive/mod.rs"]
mod naive;
mod replicas;
mod routes;
mod storms;
mod watches;
mod world;
