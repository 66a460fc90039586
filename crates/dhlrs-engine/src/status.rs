//! What the process says of itself.

use dhlrs_wire::{PeerStatus, RouteStatus, Status};

use crate::engine::Engine;

impl Engine {
    pub(crate) fn status(&self) -> Status {
        let stores = self
            .stores
            .values()
            .map(dhlrs_store::Store::status)
            .collect();
        let peers = self
            .links
            .peers()
            .map(|peer| PeerStatus {
                node: peer.name.clone(),
                key: peer.key,
                state: if self.links.link(peer).is_some() {
                    "connected"
                } else {
                    "lost"
                }
                .to_owned(),
                in_flight: self.links.unacknowledged(peer) as u64,
            })
            .collect();
        let routes = self
            .routes
            .ways()
            .map(|(node, way)| RouteStatus {
                node: node.clone(),
                via: way.via.clone(),
                hops: way.hops,
            })
            .collect();
        let counters = self.links.counters();
        let refused_frames = self.refused_messages
            + counters.malformed
            + counters.violations
            + counters.bad_signatures;
        Status {
            node: self.node().clone(),
            key: self.key,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            listen: self.listen.iter().cloned().collect(),
            transports: self.transports.iter().cloned().collect(),
            stores,
            peers,
            routes,
            refused_frames,
        }
    }
}
