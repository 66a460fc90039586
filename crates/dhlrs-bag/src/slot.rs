//! What the arena holds of a node; what few nodes have is behind one pointer, to keep leaves small.

use smol_str::SmolStr;
use triomphe::Arc;

use crate::{
    Attributes, Label, NodeId, ResolverRef, Value,
    children::Children,
    pages::{Item, NONE},
};

/// One node in the arena. Other slots are named by number, so that snapshots share them.
// Thirds of half a cache line each: what a walk reads, what a search by label reads, the rest.
#[derive(Clone)]
#[repr(C, align(32))]
pub(crate) struct Slot {
    /// What is logged; an overlay may stand before it.
    pub(crate) held: Held,
    pub(crate) extra: Option<Arc<Extra>>,
    pub(crate) label: Label,
    /// Of a free slot: the next free one.
    pub(crate) parent: u32,
    /// The leaf of the parent's order that the node is in, if the parent has many children.
    pub(crate) leaf: u32,
    pub(crate) id: NodeId,
    /// The revision of the node's last change.
    pub(crate) revision: u64,
}

/// What a node holds.
#[derive(Clone)]
pub(crate) enum Held {
    Scalar(Value),
    Bag(Arc<Children>),
}

/// What few nodes have.
#[derive(Clone, Default)]
pub(crate) struct Extra {
    pub(crate) attributes: Attributes,
    pub(crate) resolver: Option<ResolverRef>,
    pub(crate) overlay: Option<Held>,
}

/// Which of the two contents of a node: what is logged, or what is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum View {
    Stored,
    Shown,
}

const _: () = assert!(size_of::<Slot>() == 96);

pub(crate) static VACANT: Slot = Slot {
    id: NodeId::ROOT,
    label: Label::ROOT,
    held: Held::Scalar(Value::Null),
    extra: None,
    revision: 0,
    parent: NONE,
    leaf: NONE,
};

pub(crate) static NO_ATTRIBUTES: Attributes = Attributes::new();

impl Label {
    // The root has none; this stands in its slot.
    pub(crate) const ROOT: Self = Self::unchecked(SmolStr::new_static(""));
}

impl Item for Slot {}

impl Default for Slot {
    fn default() -> Self {
        VACANT.clone()
    }
}

impl Held {
    pub(crate) fn empty_bag() -> Self {
        Self::Bag(Arc::new(Children::new()))
    }

    pub(crate) fn children(&self) -> Option<&Children> {
        match self {
            Self::Bag(children) => Some(children),
            Self::Scalar(_) => None,
        }
    }

    pub(crate) fn scalar(&self) -> Option<&Value> {
        match self {
            Self::Scalar(value) => Some(value),
            Self::Bag(_) => None,
        }
    }
}

impl Slot {
    pub(crate) fn overlay(&self) -> Option<&Held> {
        self.extra.as_ref()?.overlay.as_ref()
    }

    #[inline]
    pub(crate) fn held(&self, view: View) -> &Held {
        match view {
            View::Shown => self.overlay().unwrap_or(&self.held),
            View::Stored => &self.held,
        }
    }

    pub(crate) fn attributes(&self) -> &Attributes {
        match &self.extra {
            Some(extra) => &extra.attributes,
            None => &NO_ATTRIBUTES,
        }
    }

    pub(crate) fn resolver(&self) -> Option<&ResolverRef> {
        self.extra.as_ref()?.resolver.as_ref()
    }

    /// Whether the node exists only as an overlay.
    #[inline]
    pub(crate) fn is_overlay(&self) -> bool {
        self.id.is_overlay()
    }

    /// Changes what few nodes have, and keeps no empty box for it.
    pub(crate) fn edit_extra(&mut self, edit: impl FnOnce(&mut Extra)) {
        let extra = self.extra.get_or_insert_default();
        let extra = Arc::make_mut(extra);
        edit(extra);
        let is_empty = extra.attributes.is_empty();
        if is_empty && extra.resolver.is_none() && extra.overlay.is_none() {
            self.extra = None;
        }
    }
}

pub(crate) fn extra(attributes: Attributes, resolver: Option<ResolverRef>) -> Option<Arc<Extra>> {
    let is_needed = !attributes.is_empty() || resolver.is_some();
    is_needed.then(|| {
        Arc::new(Extra {
            attributes,
            resolver,
            overlay: None,
        })
    })
}
