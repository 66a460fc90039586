//! Forks: that an author's key was used twice at one place, as something that travels.

use dhlrs_identity::Verifier;
use serde::{Deserialize, Serialize};

use crate::{EventError, EventId, FeedId, RunClaim, RunError, StoreId};

/// The most bytes of an encoded [`ForkProof`].
pub const FORK_PROOF_BYTES_MAX: usize = 512;

/// Two claims of one author about one feed that cannot both be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ForkProof {
    feed: FeedId,
    // Invariant: they contradict each other, and the one with the lower beginning is the first.
    claims: [RunClaim; 2],
}

impl ForkProof {
    /// The proof that these two claims are; `None` if there can be a feed with both.
    #[must_use]
    pub fn new(feed: FeedId, one: RunClaim, other: RunClaim) -> Option<Self> {
        let order = |claim: &RunClaim| (claim.header, claim.prev, claim.last);
        let claims = match order(&one) <= order(&other) {
            true => [one, other],
            false => [other, one],
        };
        one.contradicts(&other).then_some(Self { feed, claims })
    }

    /// The feed that was forked.
    #[must_use]
    pub const fn feed(&self) -> &FeedId {
        &self.feed
    }

    /// The two claims, the one with the lower beginning first.
    #[must_use]
    pub const fn claims(&self) -> &[RunClaim; 2] {
        &self.claims
    }

    /// Where the feed ends in a store without a root: below both.
    #[must_use]
    pub fn close_at(&self) -> u64 {
        let [low, _] = &self.claims;
        low.header.first.saturating_sub(1)
    }

    /// Checks both signatures.
    ///
    /// # Errors
    ///
    /// [`BadSignature`](crate::RunErrorKind::BadSignature): it is no proof.
    pub fn verify(&self, store: &StoreId, verifier: &dyn Verifier) -> Result<(), RunError> {
        (self.claims.iter())
            .try_for_each(|claim| claim.verify(store, &self.feed, &EventId::NONE, verifier))
    }

    /// The bytes of it.
    ///
    /// # Errors
    ///
    /// Never for a proof that exists: it has a fixed form.
    pub fn encode(&self) -> Result<Vec<u8>, EventError> {
        dhlrs_codec::encode(self, FORK_PROOF_BYTES_MAX).map_err(EventError::encode)
    }

    /// The proof of these bytes; its signatures are still to be checked.
    ///
    /// # Errors
    ///
    /// When they are none, or two claims that do not contradict each other.
    pub fn decode(bytes: &[u8]) -> Result<Self, EventError> {
        let proof: Self =
            dhlrs_codec::decode(bytes, FORK_PROOF_BYTES_MAX).map_err(EventError::decode)?;
        let [one, other] = proof.claims;
        let has_places = |claim: &RunClaim| claim.header.first > 0 && claim.header.count > 0;
        if !has_places(&one) || !has_places(&other) {
            return Err(EventError::order());
        }
        Self::new(proof.feed, one, other).ok_or(EventError::order())
    }
}
