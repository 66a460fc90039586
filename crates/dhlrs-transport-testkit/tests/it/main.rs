//! The suite judges the transports in memory, and catches those that break a promise.

mod lossy;
mod memory;
