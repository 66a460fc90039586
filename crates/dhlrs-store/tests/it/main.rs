//! What a store promises, behaviour by behaviour, over a log that the test holds in its hands.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod adversity;
mod bench;
mod bindings;
mod bound_watches;
mod checkpoints;
mod damage;
mod derived;
mod derived_graphs;
mod drafts;
mod emitted;
mod feeds;
mod fence;
mod forward_cursors;
mod forwards;
mod lone_overlays;
mod mesh;
mod nested_resolvers;
mod owned;
mod past;
mod pipeline;
mod read_again;
mod reads;
mod replicas;
mod resolvers;
mod sessions;
mod stalls;
mod stranger;
mod translation;
mod watches;
