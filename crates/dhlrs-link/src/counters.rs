//! What went wrong so far, in numbers.

/// What went wrong, and was dealt with, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Connections that were established.
    pub established: u64,
    /// Connections that ended before they were established.
    pub refused: u64,
    /// Frames that made no sense.
    pub malformed: u64,
    /// Frames that broke the rules: out of the window, acknowledging what was never sent, at the wrong time.
    pub violations: u64,
    /// Signatures that did not verify.
    pub bad_signatures: u64,
    /// Messages that came again.
    pub duplicates: u64,
    /// Messages that came too early and were dropped.
    pub out_of_turn: u64,
    /// Messages that were sent again.
    pub retransmitted: u64,
    /// Link sessions that ended with messages unaccounted for.
    pub sessions_lost: u64,
}
