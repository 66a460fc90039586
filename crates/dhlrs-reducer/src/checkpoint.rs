//! Checkpoints: the base of a Mark as bytes, for who joins or has fallen behind.

use crate::control::Control;
use crate::world::World;
use crate::{CheckpointError, Reducer};

/// The most bytes of a checkpoint.
pub const CHECKPOINT_BYTES_MAX: usize = 1 << 32;

const HASH: &str = "dhlrs 1 checkpoint";

impl Reducer {
    /// The newest Mark's base and the control state there, the same bytes on every replica that compacts.
    ///
    /// # Errors
    ///
    /// When it is over [`CHECKPOINT_BYTES_MAX`].
    pub fn checkpoint(&self) -> Result<Vec<u8>, CheckpointError> {
        let state: (&Control, &World) = (&self.base_control, &self.base);
        dhlrs_codec::encode(&state, CHECKPOINT_BYTES_MAX).map_err(CheckpointError::encode)
    }

    /// The reducer of a store with a root that begins there.
    ///
    /// Compare the bytes with the hash that the root has signed first: what they say is taken for true.
    ///
    /// # Errors
    ///
    /// When the bytes are no checkpoint.
    pub fn from_checkpoint(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let (control, mut world): (Control, World) =
            dhlrs_codec::decode(bytes, CHECKPOINT_BYTES_MAX).map_err(CheckpointError::decode)?;
        if world.tree.restore(&world.causality).is_none() {
            return Err(CheckpointError::tree());
        }
        world.tree.forget_changes();
        Ok(Self::of(true, world, control))
    }
}

/// The hash of a checkpoint.
#[must_use]
pub fn checkpoint_hash(bytes: &[u8]) -> [u8; 32] {
    blake3::derive_key(HASH, bytes)
}
