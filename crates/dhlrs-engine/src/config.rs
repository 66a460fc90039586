//! What an engine is told when it is made.

use std::fmt;
use std::sync::Arc;

use dhlrs_identity::{Signer, Verifier};
use dhlrs_path::NodeName;

/// One process.
#[derive(Clone)]
pub struct Config {
    /// How its links behave, its name and whom it admits among that.
    pub link: dhlrs_link::Config,
    /// Signs as the process.
    pub signer: Arc<dyn Signer>,
    /// Checks the peers' signatures.
    pub verifier: Arc<dyn Verifier>,
    /// Whether neighbours are told the process's name. A client's is not: answers return to it along
    /// the way of its requests.
    pub announced: bool,
    /// 32 random bytes, other ones at each start.
    pub entropy: [u8; 32],
}

impl Config {
    /// The process's name.
    #[must_use]
    pub fn node(&self) -> &NodeName {
        &self.link.name
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("node", self.node())
            .field("key", &self.signer.public_key())
            .field("announced", &self.announced)
            .finish_non_exhaustive()
    }
}
