//! Random bytes of the operating system.

use crate::error::{NodeError, NodeErrorKind};

pub(crate) fn random_bytes() -> Result<[u8; 32], NodeError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        let what = "the operating system gives no random bytes";
        NodeError::caused_by(NodeErrorKind::Entropy, what, error)
    })?;
    Ok(bytes)
}
