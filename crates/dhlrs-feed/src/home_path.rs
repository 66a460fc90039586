//! Where a bag node is at home: the preimages of its id, up to the root.

use core::fmt;

use dhlrs_bag::{Label, NodeId};
use dhlrs_path::DEPTH_MAX;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use triomphe::Arc;

use crate::HomePathError;
use crate::context::Context;

static LABELLED: Context = Context::new("dhlrs 1 labelled node id");
static ANONYMOUS: Context = Context::new("dhlrs 1 anonymous node id");

/// A bag node of a replicated store, by the steps from the root to where it is at home.
///
/// The id is derived from them, so replicas that make one path at once make one bag node. A move or a rename changes
/// where the bag node shows, never this. A clone is a pointer; at most [`DEPTH_MAX`] steps.
#[derive(Clone)]
pub struct HomePath(Arc<Node>);

struct Node {
    // Invariant: derived from the parent's id and the step; the root's alone is given.
    id: NodeId,
    depth: u16,
    home: Option<(HomePath, HomeStep)>,
}

/// One step of a [`HomePath`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum HomeStep {
    /// The slot of a label in its bag.
    Labelled {
        /// The label.
        label: Label,
        /// 0, or more if the bag nodes of lower numbers were moved or renamed away from the slot.
        incarnation: u32,
    },
    /// A place that no other replica will take.
    Anonymous([u8; 16]),
}

impl HomePath {
    /// The root.
    #[must_use]
    pub fn root() -> Self {
        Self(Arc::new(Node {
            id: NodeId::ROOT,
            depth: 0,
            home: None,
        }))
    }

    /// The bag node at home in this one's slot of `label`.
    ///
    /// # Errors
    ///
    /// When the path would have more than [`DEPTH_MAX`] steps.
    pub fn child(&self, label: Label, incarnation: u32) -> Result<Self, HomePathError> {
        self.step_down(HomeStep::Labelled { label, incarnation })
    }

    /// A bag node at home in this one, in no slot.
    ///
    /// # Errors
    ///
    /// When the path would have more than [`DEPTH_MAX`] steps.
    pub fn anonymous_child(&self, random: [u8; 16]) -> Result<Self, HomePathError> {
        self.step_down(HomeStep::Anonymous(random))
    }

    /// The bag node one step further down.
    ///
    /// # Errors
    ///
    /// When the path would have more than [`DEPTH_MAX`] steps.
    pub fn step_down(&self, step: HomeStep) -> Result<Self, HomePathError> {
        if self.depth() >= DEPTH_MAX {
            return Err(HomePathError::too_deep());
        }
        Ok(Self(Arc::new(Node {
            id: derive(self.id(), &step),
            depth: self.0.depth + 1,
            home: Some((self.clone(), step)),
        })))
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.0.id
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.home.is_none()
    }

    /// How many steps it is from the root.
    #[must_use]
    pub fn depth(&self) -> usize {
        usize::from(self.0.depth)
    }

    /// Where it is at home, and by which step from there; `None` for the root.
    #[must_use]
    pub fn home(&self) -> Option<(&Self, &HomeStep)> {
        self.0.home.as_ref().map(|(parent, step)| (parent, step))
    }

    /// The steps from the root. O(depth).
    #[must_use]
    pub fn steps(&self) -> Vec<&HomeStep> {
        let mut steps = Vec::with_capacity(self.depth());
        let mut at = self;
        while let Some((parent, step)) = at.home() {
            steps.push(step);
            at = parent;
        }
        steps.reverse();
        steps
    }

    /// Whether the steps begin with these labels, whatever their incarnations.
    #[must_use]
    pub fn begins_with(&self, labels: &[Label]) -> bool {
        if labels.is_empty() {
            return true;
        }
        let steps = self.steps();
        labels.len() <= steps.len()
            && steps.iter().zip(labels).all(|(step, label)| {
                matches!(step, HomeStep::Labelled { label: own, .. } if own == label)
            })
    }
}

// `derive_key` tells the two kinds apart; parent and incarnation have a fixed width, so no two preimages are one text.
fn derive(parent: NodeId, step: &HomeStep) -> NodeId {
    let hash = match step {
        HomeStep::Labelled { label, incarnation } => LABELLED
            .hasher()
            .update(parent.as_bytes())
            .update(&incarnation.to_le_bytes())
            .update(label.as_bytes())
            .finalize(),
        HomeStep::Anonymous(random) => ANONYMOUS
            .hasher()
            .update(parent.as_bytes())
            .update(random)
            .finalize(),
    };
    let mut id = [0; 16];
    id.iter_mut()
        .zip(hash.as_bytes())
        .for_each(|(to, from)| *to = *from);
    NodeId::from_bytes(id)
}

impl PartialEq for HomePath {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for HomePath {}

impl fmt::Debug for HomePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("/")?;
        for step in self.steps() {
            match step {
                HomeStep::Labelled {
                    label,
                    incarnation: 0,
                } => write!(f, "{}/", &**label)?,
                HomeStep::Labelled { label, incarnation } => {
                    write!(f, "{}^{incarnation}/", &**label)?;
                }
                HomeStep::Anonymous(random) => {
                    write!(f, "{:08x}/", u128::from_be_bytes(*random) >> 96)?;
                }
            }
        }
        Ok(())
    }
}

impl Serialize for HomePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.steps().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for HomePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let steps: Vec<HomeStep> = dhlrs_codec::bounded_vec::<_, _, DEPTH_MAX>(deserializer)?;
        steps
            .into_iter()
            .try_fold(Self::root(), |at, step| at.step_down(step))
            .map_err(serde::de::Error::custom)
    }
}
