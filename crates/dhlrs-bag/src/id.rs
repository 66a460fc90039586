//! Node ids, in two spaces: what is logged never meets the id of a mere overlay.

use std::{cmp::Ordering, fmt};

/// The identity of one node: 16 opaque bytes that survive rename, sort and move.
///
/// In an owned store it is a counter, which [`Bag`](crate::Bag) keeps and never uses twice; in a
/// replicated store it is derived from the events. Nodes that exist only as an overlay have ids of
/// a space of their own, which no op that is logged depends on.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NodeId([u8; 16]);

impl NodeId {
    /// The root of every tree.
    pub const ROOT: Self = Self([0; 16]);

    /// The id that these bytes spell.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes of the id.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub(crate) const fn counted(counter: u64) -> Self {
        Self((counter as u128).to_be_bytes())
    }

    pub(crate) const fn overlay(counter: u64) -> Self {
        Self((OVERLAY_SPACE | counter as u128).to_be_bytes())
    }

    pub(crate) const fn is_overlay(&self) -> bool {
        u128::from_be_bytes(self.0) & OVERLAY_SPACE == OVERLAY_SPACE
    }

    /// Of an overlay where nothing is stored, and not of what is inside it.
    pub(crate) const fn lone_overlay(counter: u64) -> Self {
        Self((LONE_SPACE | counter as u128).to_be_bytes())
    }

    pub(crate) const fn is_lone_overlay(&self) -> bool {
        let bits = u128::from_be_bytes(self.0);
        bits & LONE_SPACE == LONE_SPACE && !self.is_way()
    }

    /// Of a bag that is there only because an overlay is in it.
    pub(crate) const fn way(counter: u64) -> Self {
        Self((WAY_SPACE | counter as u128).to_be_bytes())
    }

    pub(crate) const fn is_way(&self) -> bool {
        u128::from_be_bytes(self.0) & WAY_SPACE == WAY_SPACE
    }

    /// The id `n` places further on; a branch that is placed at once takes consecutive ids.
    pub(crate) const fn plus(&self, n: u64) -> Self {
        Self(
            u128::from_be_bytes(self.0)
                .wrapping_add(n as u128)
                .to_be_bytes(),
        )
    }

    /// The counter behind a counted id.
    pub(crate) const fn counter(&self) -> Option<u64> {
        let number = u128::from_be_bytes(self.0);
        if number <= u64::MAX as u128 {
            Some(number as u64)
        } else {
            None
        }
    }
}

const OVERLAY_SPACE: u128 = (u64::MAX as u128) << 64;
const WAY_SPACE: u128 = OVERLAY_SPACE | 1 << 63;
const LONE_SPACE: u128 = OVERLAY_SPACE | 1 << 62;

impl Ord for NodeId {
    /// As bytes, compared as one number: an ordered map of ids does little else.
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        u128::from_be_bytes(self.0).cmp(&u128::from_be_bytes(other.0))
    }
}

impl PartialOrd for NodeId {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}
