//! Checkpoints: the state that replaying the log up to a ticket would give.
//!
//! An image is taken in `O(1)` of the tree and `O(sessions)`, and encoded in chunks by whoever
//! writes it. Overlays are a process's own and are left out.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_bag::{Bag, ImageCounters, ImageRow, NodeId, Restore, Snapshot};
use dhlrs_codec as codec;
use dhlrs_wire::Incarnation;
use serde::{Deserialize, Serialize};

use crate::config::Replication;
use crate::error::{StoreError, StoreErrorKind};
use crate::forward::{ForwardCursor, ForwardId};
use crate::head::Head;
use crate::replica::image::{ReplicaImage, ReplicaPart, ReplicaReader};
use crate::session::{SessionImage, Sessions};

/// Chunks are cut when they reach this size; one part may exceed it.
const CHUNK_BYTES: usize = 256 << 10;
/// The largest chunk: one more part, a session with all its answers.
const CHUNK_BYTES_MAX: usize = 4 << 20;

/// A store's state at the end of one ticket.
#[derive(Debug)]
pub struct Image {
    revision: u64,
    incarnation: Incarnation,
    sessions: Vec<SessionImage>,
    forwards: BTreeMap<ForwardId, ForwardCursor>,
    materialised: Vec<NodeId>,
    tree: Snapshot,
    replica: Option<ReplicaImage>,
}

#[derive(Serialize, Deserialize)]
enum Part {
    Head {
        revision: u64,
        incarnation: Incarnation,
        counters: ImageCounters,
    },
    Session(SessionImage),
    Forward(ForwardId, ForwardCursor),
    Materialised(NodeId),
    Node(ImageRow),
    Replica(Box<ReplicaPart>),
}

impl Image {
    pub(crate) fn new(head: &Head, forwards: BTreeMap<ForwardId, ForwardCursor>) -> Self {
        Self {
            revision: head.revision,
            incarnation: head.incarnation(),
            sessions: head.sessions.images().collect(),
            forwards,
            materialised: (head.materialised.iter().copied())
                .filter(|id| head.bag.node_by_id(*id).is_some())
                .collect(),
            tree: head.bag.snapshot(),
            replica: head.replica.as_ref().map(|replica| replica.image()),
        }
    }

    /// The encoded image, chunk by chunk, each at most 4 MiB.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](StoreErrorKind::TooLarge) if a part does not fit a chunk, which no limit lets
    /// happen.
    pub fn chunks(&self) -> impl Iterator<Item = Result<Vec<u8>, StoreError>> + '_ {
        let head = Part::Head {
            revision: self.revision,
            incarnation: self.incarnation,
            counters: self.tree.image_counters(),
        };
        let sessions = self.sessions.iter().cloned().map(Part::Session);
        let forwards = self
            .forwards
            .iter()
            .map(|(id, cursor)| Part::Forward(*id, *cursor));
        let materialised = self.materialised.iter().copied().map(Part::Materialised);
        let nodes = self.tree.image().map(Part::Node);
        let replica = self.replica.iter().flat_map(ReplicaImage::parts);
        let replica = replica.map(|part| part.map(|part| Part::Replica(Box::new(part))));
        let mut parts = std::iter::once(head)
            .chain(sessions)
            .chain(forwards)
            .chain(materialised)
            .chain(nodes)
            .map(Ok)
            .chain(replica);
        std::iter::from_fn(move || {
            let mut chunk = Vec::new();
            for part in parts.by_ref() {
                let encoded = part.and_then(|part| {
                    codec::encode(&part, CHUNK_BYTES_MAX / 2).map_err(|error| {
                        let kind = StoreErrorKind::TooLarge;
                        StoreError::with_source(kind, "checkpoint part", error)
                    })
                });
                let bytes = match encoded {
                    Ok(bytes) => bytes,
                    Err(error) => return Some(Err(error)),
                };
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                chunk.extend_from_slice(&length.to_le_bytes());
                chunk.extend_from_slice(&bytes);
                if chunk.len() >= CHUNK_BYTES {
                    break;
                }
            }
            (!chunk.is_empty()).then_some(Ok(chunk))
        })
    }
}

/// Puts an image's chunks together again.
#[derive(Debug, Default)]
pub(crate) struct ImageReader {
    head: Option<(u64, Incarnation)>,
    sessions: Sessions,
    forwards: BTreeMap<ForwardId, ForwardCursor>,
    materialised: BTreeSet<NodeId>,
    nodes: Option<Restore>,
    replica: ReplicaReader,
    /// The state that came of it, as soon as the first record or the end was there.
    pub(crate) restored: Option<Head>,
    /// A part made no sense: the rest is passed over.
    pub(crate) is_broken: bool,
    /// What a replica is made with.
    replication: Option<Replication>,
}

impl ImageReader {
    pub(crate) fn new(replication: Option<Replication>) -> Box<Self> {
        Box::new(Self {
            replication,
            ..Self::default()
        })
    }

    pub(crate) fn push(&mut self, chunk: &[u8]) -> Result<(), StoreError> {
        let mut rest = chunk;
        while !rest.is_empty() {
            let Some((length, after)) = rest.split_first_chunk::<4>() else {
                return Err(StoreError::new(
                    StoreErrorKind::Corrupt,
                    "a checkpoint part is cut off",
                ));
            };
            let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
            let Some((part, after)) = after.split_at_checked(length) else {
                return Err(StoreError::new(
                    StoreErrorKind::Corrupt,
                    "a checkpoint part is cut off",
                ));
            };
            rest = after;
            let part: Part = codec::decode(part, CHUNK_BYTES_MAX).map_err(|error| {
                StoreError::with_source(StoreErrorKind::Corrupt, "checkpoint part", error)
            })?;
            match part {
                Part::Head {
                    revision,
                    incarnation,
                    counters,
                } => {
                    self.head = Some((revision, incarnation));
                    self.nodes = Some(Restore::new(counters, Bag::SEED));
                }
                Part::Session(session) => self.sessions.restore(session),
                Part::Forward(id, cursor) => {
                    self.forwards.insert(id, cursor);
                }
                Part::Materialised(id) => {
                    self.materialised.insert(id);
                }
                Part::Replica(part) => self.replica.push(*part)?,
                Part::Node(row) => {
                    let Some(nodes) = &mut self.nodes else {
                        let what = "a checkpoint without a head";
                        return Err(StoreError::new(StoreErrorKind::Corrupt, what));
                    };
                    nodes.push(row).map_err(|error| {
                        StoreError::with_source(StoreErrorKind::Corrupt, "checkpoint", error)
                    })?;
                }
            }
        }
        Ok(())
    }

    /// The state to replay records on: the image's, or an empty one where there was none.
    pub(crate) fn head(&mut self) -> Result<&mut Head, StoreError> {
        if self.restored.is_none() {
            let mut head = Head::new(self.replication.clone());
            if let (Some((revision, incarnation)), Some(nodes)) = (self.head, self.nodes.take()) {
                head.bag = nodes.finish().map_err(|error| {
                    StoreError::with_source(StoreErrorKind::Corrupt, "checkpoint", error)
                })?;
                head.revision = revision;
                head.incarnation = Some(incarnation);
                head.sessions = std::mem::take(&mut self.sessions);
                head.forwards = std::mem::take(&mut self.forwards);
                head.materialised = std::mem::take(&mut self.materialised);
                let replica = std::mem::take(&mut self.replica);
                let replica = replica.finish(self.replication.as_ref())?;
                head.replica = replica.map(Box::new);
            }
            self.restored = Some(head);
        }
        match &mut self.restored {
            Some(head) => Ok(head),
            None => Err(StoreError::new(StoreErrorKind::Corrupt, "checkpoint")),
        }
    }
}

/// What is whole in a chunk of a replica's image, as far as it belongs to the replica.
pub(crate) fn parts(chunk: &[u8]) -> impl Iterator<Item = ReplicaPart> + '_ {
    let mut rest = chunk;
    let parts = std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (part, after) = after.split_at_checked(length)?;
        rest = after;
        Some(part)
    });
    parts.filter_map(|part| match codec::decode(part, CHUNK_BYTES_MAX) {
        Ok(Part::Replica(part)) => Some(*part),
        _ => None,
    })
}
