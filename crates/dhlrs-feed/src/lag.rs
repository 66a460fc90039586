//! How far a replica and its peers are apart.

use crate::{AntiEntropy, FeedId, LinkId};

/// What is known of a peer beside what is held here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerLag {
    /// Whether it has said what it holds; until then the rest is 0.
    pub is_known: bool,
    /// Events that it says it has and are not held here.
    pub ahead: u64,
    /// Events that are held here and that it has not said it has.
    pub behind: u64,
}

impl AntiEntropy {
    /// How far the peer over this link is apart; `None` if the link is not open. O(feeds in which it differs).
    #[must_use]
    pub fn lag_of(&self, link: LinkId) -> Option<PeerLag> {
        let peer = self.peers.get(&link)?;
        let mut lag = PeerLag {
            is_known: peer.is_known,
            ..PeerLag::default()
        };
        if !peer.is_known {
            return Some(lag);
        }
        for (feed, differs) in &peer.differences {
            let held = self.set.head(feed).seq;
            lag.ahead += differs.ahead.unwrap_or(0).saturating_sub(held);
            lag.behind += held.saturating_sub(differs.acked);
        }
        Some(lag)
    }

    /// How many events of a feed some peer says it has and are not held here. O(links · log feeds).
    #[must_use]
    pub fn lag_behind_peers(&self, feed: &FeedId) -> u64 {
        let held = self.set.head(feed).seq;
        let peers = self.peers.values().filter(|peer| peer.is_known);
        let said = peers.filter_map(|peer| peer.differences.get(feed)?.ahead);
        said.max().unwrap_or(0).saturating_sub(held)
    }
}
