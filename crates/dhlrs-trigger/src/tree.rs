//! Holds the place of `dhlrs_bag::Snapshot` until that is there.

/// The tree of one revision.
#[derive(Debug)]
pub enum Snapshot {}
