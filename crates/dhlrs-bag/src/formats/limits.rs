//! How much a reader takes in.

use dhlrs_path::DEPTH_MAX;

use super::{FormatError, FormatErrorKind as Kind};

/// What a document may come to before its reader refuses it.
///
/// What one node may hold is limited in any case; a tree is never deeper than
/// [`DEPTH_MAX`](dhlrs_path::DEPTH_MAX).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// How many bytes the document may have.
    pub bytes_max: u64,
    /// How many nodes it may bring.
    pub nodes_max: u64,
    /// How deep the tree may be.
    pub depth_max: usize,
}

impl ReadLimits {
    /// For readers whose rows are used up as they come: no limit of bytes and nodes. Of a document
    /// only the labels of the bags that are open stay in memory.
    pub const STREAM: Self = Self {
        bytes_max: u64::MAX,
        nodes_max: u64::MAX,
        depth_max: DEPTH_MAX,
    };

    pub(super) fn check_bytes(&self, bytes: u64) -> Result<(), FormatError> {
        if bytes <= self.bytes_max {
            return Ok(());
        }
        let limit = self.bytes_max;
        Err(FormatError::new(
            Kind::TooLarge,
            format!("a document of more than {limit} bytes"),
        )
        .at_byte(limit))
    }

    pub(super) fn check_nodes(&self, nodes: u64) -> Result<(), FormatError> {
        if nodes <= self.nodes_max {
            return Ok(());
        }
        let limit = self.nodes_max;
        Err(FormatError::new(
            Kind::TooManyNodes,
            format!("more than {limit} nodes"),
        ))
    }

    /// Whether a child may stand `depth` bags below the top.
    pub(super) fn check_depth(&self, depth: usize) -> Result<(), FormatError> {
        let limit = self.depth_max.min(DEPTH_MAX);
        if depth < limit {
            return Ok(());
        }
        Err(FormatError::new(
            Kind::TooDeep,
            format!("nested deeper than a tree may be, limit {limit}"),
        ))
    }
}

impl Default for ReadLimits {
    /// 256 MiB, 4,194,304 nodes, the depth of a tree.
    fn default() -> Self {
        Self {
            bytes_max: 256 * 1024 * 1024,
            nodes_max: 1 << 22,
            depth_max: DEPTH_MAX,
        }
    }
}
