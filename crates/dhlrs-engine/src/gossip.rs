//! Replicas of this process and of its neighbours: what they say to one another.
//!
//! The replica decides what is said. Here stand only the ways: one for each neighbour that has announced
//! itself, for as long as the link to it lives.

use std::collections::BTreeMap;
use std::sync::Arc;

use dhlrs_clock::Time;
use dhlrs_feed::{LinkId, LinkOptions};
use dhlrs_link::Peer;
use dhlrs_path::{NodeName, StoreName};
use dhlrs_store::{Gossip, Input as StoreInput, Neighbour};
use dhlrs_wire::Message;

use crate::engine::Engine;
use crate::port::Output;

/// The ways to neighbours that may hold replicas.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    peers: BTreeMap<LinkId, Arc<Peer>>,
    links: BTreeMap<NodeName, LinkId>,
    next: u64,
    /// The stores of this process by the id that all replicas share.
    pub(crate) stores: BTreeMap<[u8; 32], StoreName>,
    /// Stores that were added since the last input: they are told of the neighbours that are there.
    pub(crate) added: Vec<StoreName>,
}

impl Engine {
    /// Tells stores that are new of the neighbours that were there before them.
    pub(crate) fn gossip_begins(&mut self, now: Time) {
        for name in std::mem::take(&mut self.ways.added) {
            let ways: Vec<(LinkId, Arc<Peer>)> = self
                .ways
                .peers
                .iter()
                .map(|(link, peer)| (*link, peer.clone()))
                .collect();
            for (link, peer) in ways {
                let gossip = opened(link, &peer);
                self.store_input(now, &name, StoreInput::Gossip(gossip));
            }
        }
    }

    /// A neighbour has said that it can be reached by its name: it may have replicas.
    pub(crate) fn gossip_opened(&mut self, now: Time, peer: &Arc<Peer>) {
        self.gossip_closed(now, &peer.name);
        self.ways.next += 1;
        let link = LinkId(self.ways.next);
        self.ways.peers.insert(link, peer.clone());
        self.ways.links.insert(peer.name.clone(), link);
        self.gossip_to_stores(now, || opened(link, peer));
    }

    /// The neighbour's link is gone.
    pub(crate) fn gossip_closed(&mut self, now: Time, peer: &NodeName) {
        if let Some(link) = self.ways.links.remove(peer) {
            self.ways.peers.remove(&link);
            self.gossip_to_stores(now, || Gossip::Closed { link });
        }
    }

    fn gossip_to_stores(&mut self, now: Time, gossip: impl Fn() -> Gossip) {
        let names: Vec<StoreName> = self.stores.keys().cloned().collect();
        for name in names {
            self.store_input(now, &name, StoreInput::Gossip(gossip()));
        }
    }

    /// A neighbour's replica says something. What is about a store that is not here is passed over: it
    /// has told the same to all its neighbours.
    pub(crate) fn gossip_received(
        &mut self,
        now: Time,
        peer: &Arc<Peer>,
        store: &[u8; 32],
        bytes: Vec<u8>,
    ) {
        let name = self.ways.stores.get(store).cloned();
        let link = self.ways.links.get(&peer.name).copied();
        if let (Some(name), Some(link)) = (name, link) {
            let gossip = Gossip::Received { link, bytes };
            self.store_input(now, &name, StoreInput::Gossip(gossip));
        }
    }

    /// A replica of this process says something. It says it again if it is lost, so what finds no room
    /// in the link's session is dropped.
    pub(crate) fn gossip_out(
        &mut self,
        now: Time,
        store: &StoreName,
        link: LinkId,
        bytes: Vec<u8>,
        out: &mut Vec<Output>,
    ) {
        let id = self.stores.get(store).map(|store| *store.id().as_bytes());
        let peer = self.ways.peers.get(&link).cloned();
        if let (Some(store), Some(peer)) = (id, peer) {
            self.try_send(now, &peer, Message::Gossip { store, bytes }, out);
        }
    }
}

fn opened(link: LinkId, peer: &Peer) -> Gossip {
    Gossip::Opened {
        link,
        options: LinkOptions::default(),
        neighbour: Neighbour {
            node: peer.name.clone(),
            key: peer.key,
        },
    }
}
