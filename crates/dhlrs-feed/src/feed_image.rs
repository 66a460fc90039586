//! A feed set as a checkpoint keeps it: so that a start reads no run.

use serde::{Deserialize, Serialize};

use crate::feed_set::{Close, Feed};
use crate::{EventError, FeedEnd, FeedId, FeedLimits, FeedSet, ForkProof, StoreId};

/// The most bytes of a feed set in a checkpoint: some 26 million runs.
pub const FEED_IMAGE_BYTES_MAX: usize = 1024 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Row {
    feed: FeedId,
    ends: Vec<FeedEnd>,
    wall_ms: u64,
    close_at: Option<u64>,
    proof: Option<ForkProof>,
}

impl FeedSet {
    /// The bytes that bring it back, about 40 a run. What waits for other runs is left out: peers send it again.
    ///
    /// # Errors
    ///
    /// Above [`FEED_IMAGE_BYTES_MAX`].
    pub fn image(&self) -> Result<Vec<u8>, EventError> {
        let rows: Vec<_> = self.rows().map(|(feed, held)| row(feed, held)).collect();
        dhlrs_codec::encode(&rows, FEED_IMAGE_BYTES_MAX).map_err(EventError::encode)
    }

    /// The set of these bytes, which this replica wrote and whose checksum was checked. [`FeedSet::restore`] adds the runs
    /// that were stored since.
    ///
    /// # Errors
    ///
    /// When they are none.
    pub fn from_image(
        store: StoreId,
        limits: FeedLimits,
        bytes: &[u8],
    ) -> Result<Self, EventError> {
        let rows: Vec<Row> =
            dhlrs_codec::decode(bytes, FEED_IMAGE_BYTES_MAX).map_err(EventError::decode)?;
        let mut set = Self::new(store, limits);
        for row in rows {
            let rises = |pair: &[FeedEnd]| matches!(pair, [a, b] if a.seq < b.seq);
            let is_of_feed = row
                .proof
                .as_ref()
                .is_none_or(|proof| *proof.feed() == row.feed);
            let is_below =
                (row.ends.last().zip(row.close_at)).is_none_or(|(end, at)| end.seq <= at);
            if !row.ends.windows(2).all(rises) || !is_of_feed || !is_below {
                return Err(EventError::order());
            }
            let held = Feed {
                ends: row.ends,
                wall_ms: row.wall_ms,
                close: row.close_at.map(|at| Close {
                    at,
                    proof: row.proof.map(Box::new),
                }),
            };
            set.hold(row.feed, held);
        }
        Ok(set)
    }
}

fn row(feed: &FeedId, held: &Feed) -> Row {
    let close = held.close.as_ref();
    Row {
        feed: *feed,
        ends: held.ends.clone(),
        wall_ms: held.wall_ms,
        close_at: close.map(|close| close.at),
        proof: close.and_then(|close| close.proof.as_deref().cloned()),
    }
}
