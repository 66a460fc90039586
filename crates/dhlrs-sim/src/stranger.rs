//! A peer that is no engine: it greets as one does, and then sends what a test likes.

use std::sync::Arc;

use bytes::Bytes;
use dhlrs_engine::Input;
use dhlrs_identity::{KeyedHashSigner, KeyedHashVerifier, PublicKey};
use dhlrs_link::{Config, LinkId, LinkInput, LinkOutput, Links, Side};
use dhlrs_path::NodeName;
use dhlrs_wire::Message;

use crate::cluster::Cluster;
use crate::network::Weather;
use crate::node::{NodeIndex, REALM};

/// A peer played by a test, connected to one node. Its wire takes no time.
pub struct Stranger {
    links: Links,
    node: NodeIndex,
    link: LinkId,
    /// Every message that has come, in order.
    pub received: Vec<Message>,
    /// Whether the connection is up.
    pub is_up: bool,
}

impl Cluster {
    /// Connects a stranger of this name to a node.
    pub fn stranger(&mut self, name: &NodeName, node: NodeIndex) -> Stranger {
        let mut key = [9; 32];
        key[..16].copy_from_slice(&blake3::hash(name.as_str().as_bytes()).as_bytes()[..16]);
        let signer = KeyedHashSigner::new(REALM, PublicKey::from_bytes(key));
        self.last_link += 1;
        let link = LinkId::new(self.last_link);
        let mut entropy = [0; 32];
        entropy[..8].copy_from_slice(&self.dice.bits().to_le_bytes());
        let mut stranger = Stranger {
            links: Links::new(
                Config::new(name.clone()),
                Arc::new(signer),
                Arc::new(KeyedHashVerifier::new(REALM)),
                entropy,
            ),
            node,
            link,
            received: Vec::new(),
            is_up: false,
        };
        self.strangers.insert(link.get(), Vec::new());
        let capability = Weather::default().capability();
        let opened = |side| LinkInput::Opened {
            link,
            capability: capability.clone(),
            side,
        };
        self.handle(node, Input::Link(opened(Side::Accepted { open: true })));
        stranger.input(self, opened(Side::connected()));
        stranger.listen(self);
        stranger
    }
}

impl Stranger {
    /// Sends a message.
    pub fn send(&mut self, cluster: &mut Cluster, message: &Message) {
        if let Ok(bytes) = message.encode() {
            self.send_bytes(cluster, bytes);
        }
    }

    /// Sends the bytes of a message, whatever they are.
    pub fn send_bytes(&mut self, cluster: &mut Cluster, bytes: Vec<u8>) {
        let Some(peer) = self.links.peers().next().cloned() else {
            return;
        };
        let now = cluster.time_of(self.node);
        let mut outputs = Vec::new();
        // A full session is a test that did not listen.
        let _ = self.links.send(now, &peer, bytes.into(), &mut outputs);
        self.carry_out(cluster, outputs);
        self.listen(cluster);
    }

    /// Takes what the node has sent, and answers as a link does, until both are silent.
    pub fn listen(&mut self, cluster: &mut Cluster) {
        loop {
            let frames = cluster
                .strangers
                .get_mut(&self.link.get())
                .map(std::mem::take)
                .unwrap_or_default();
            if frames.is_empty() {
                self.input(cluster, LinkInput::Tick);
                let silent = cluster
                    .strangers
                    .get(&self.link.get())
                    .is_none_or(Vec::is_empty);
                if silent {
                    return;
                }
                continue;
            }
            for bytes in frames {
                let link = self.link;
                self.input(cluster, LinkInput::Frame { link, bytes });
            }
        }
    }

    fn input(&mut self, cluster: &mut Cluster, input: LinkInput) {
        let now = cluster.time_of(self.node);
        let mut outputs = Vec::new();
        self.links.handle(now, input, &mut outputs);
        self.carry_out(cluster, outputs);
    }

    fn carry_out(&mut self, cluster: &mut Cluster, outputs: Vec<LinkOutput>) {
        let mut sent = 0;
        for output in outputs {
            match output {
                LinkOutput::Send { link, frame } => {
                    sent += 1;
                    let input = LinkInput::Frame { link, bytes: frame };
                    cluster.handle(self.node, Input::Link(input));
                }
                LinkOutput::Message { message, .. } => self.take(&message),
                LinkOutput::Up { .. } => self.is_up = true,
                LinkOutput::Down { .. } => self.is_up = false,
                _ => {}
            }
        }
        if sent > 0 {
            let link = self.link;
            let frames = sent;
            self.input(cluster, LinkInput::Sent { link, frames });
        }
    }

    fn take(&mut self, message: &Bytes) {
        if let Ok(message) = Message::decode(message) {
            self.received.push(message);
        }
    }
}
