//! What the program does: its parts in this process, its commands as processes of their own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod bag_lines;
mod batches;
mod bindings;
mod certificates;
mod changes;
mod command_line;
mod commands;
mod config;
mod demo;
mod failures;
mod faults;
mod feeds;
mod identity;
mod killed;
mod line;
mod literals;
mod losses;
mod mistakes;
mod readme;
mod replicas;
mod rows;
mod serving;
mod status;
mod stream;
mod targets;
mod trees;
mod verifying;
mod watching;
mod world;
