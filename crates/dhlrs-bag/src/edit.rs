//! Edits name paths and positions, so whoever asks need not know the tree they meet.

use dhlrs_path::Path;

use crate::{
    Attributes, Branch, Content, EditError, EditErrorKind, Label, Name, Position, ResolverRef,
    fit::{check_attributes, check_rows, check_value},
};

/// What somebody wants done, in paths and positions; it may be refused.
///
/// [`Bag::order`](crate::Bag::order) judges it and turns it into [`Op`](crate::Op)s. A `Path` here
/// may have steps of any form; where a node is made, the missing steps must be labels.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Edit {
    /// Writes a node, and makes it and the bags on the way where they are missing.
    ///
    /// With `path?a` and a value it writes the attribute `a` instead.
    Set {
        /// The node.
        #[cfg_attr(feature = "serde", serde(with = "crate::coding::path"))]
        path: Path<'static>,
        /// What it is to hold. `None` keeps what is there; a node made so holds Null.
        content: Option<Content>,
        /// All its attributes from now on. `None` keeps those that are there.
        attributes: Option<Attributes>,
        /// Where a new node goes; a node that exists stays where it is.
        position: Option<Position>,
        /// Write through scalars on the way: they become bags.
        overwrite: bool,
    },
    /// Writes some attributes of a node; Null removes one. A missing node is made and holds Null.
    SetAttributes {
        /// The node.
        #[cfg_attr(feature = "serde", serde(with = "crate::coding::path"))]
        path: Path<'static>,
        /// The attributes to write.
        attributes: Attributes,
    },
    /// Puts a resolver on a node, or takes it away; the only way to write content to such a node.
    SetResolver {
        /// The node; made where it is missing.
        #[cfg_attr(feature = "serde", serde(with = "crate::coding::path"))]
        path: Path<'static>,
        /// The resolver from now on.
        resolver: Option<ResolverRef>,
        /// What the node is to hold beneath it.
        content: Option<Content>,
        /// All its attributes from now on.
        attributes: Option<Attributes>,
        /// Where a new node goes.
        position: Option<Position>,
    },
    /// Takes a node away with everything in it; with `path?a`, an attribute; with `path?`, all.
    ///
    /// A missing node is no error: nothing changes.
    Remove {
        /// The node.
        #[cfg_attr(feature = "serde", serde(with = "crate::coding::path"))]
        path: Path<'static>,
    },
    /// Moves a node with everything in it.
    Move {
        /// The node.
        #[cfg_attr(feature = "serde", serde(with = "crate::coding::path"))]
        path: Path<'static>,
        /// Its full new path; the bag that it names must exist.
        #[cfg_attr(feature = "serde", serde(with = "crate::coding::path"))]
        to: Path<'static>,
        /// Where it goes; by default it stays where it is, or goes last in another bag.
        position: Option<Position>,
    },
    /// Gives a node another label.
    Rename {
        /// The node.
        #[cfg_attr(feature = "serde", serde(with = "crate::coding::path"))]
        path: Path<'static>,
        /// The new label.
        label: Label,
    },
    /// Sorts the children of a bag; equal ones keep their order.
    Sort {
        /// The bag.
        #[cfg_attr(feature = "serde", serde(with = "crate::coding::path"))]
        path: Path<'static>,
        /// What to sort by.
        by: SortKey,
    },
    /// Takes away everything in a bag.
    Clear {
        /// The bag.
        #[cfg_attr(feature = "serde", serde(with = "crate::coding::path"))]
        path: Path<'static>,
    },
    /// Puts other content in the place of everything in a bag.
    Replace {
        /// The bag.
        #[cfg_attr(feature = "serde", serde(with = "crate::coding::path"))]
        path: Path<'static>,
        /// What it is to hold.
        branch: Branch,
    },
    /// Lays content over a bag: what exists is written, what is missing is made.
    Merge {
        /// The bag; made where it is missing.
        #[cfg_attr(feature = "serde", serde(with = "crate::coding::path"))]
        path: Path<'static>,
        /// What is laid over it.
        branch: Branch,
    },
    /// Forgets what a resolver gave. Writes nothing, takes no revision.
    Invalidate {
        /// The node.
        #[cfg_attr(feature = "serde", serde(with = "crate::coding::path"))]
        path: Path<'static>,
    },
    /// Turns a node's overlay into ordinary nodes; its resolver goes.
    Materialise {
        /// The node.
        #[cfg_attr(feature = "serde", serde(with = "crate::coding::path"))]
        path: Path<'static>,
    },
}

impl Edit {
    /// A plain `Set` of content.
    pub fn set(path: Path<'static>, content: impl Into<Content>) -> Self {
        Self::Set {
            path,
            content: Some(content.into()),
            attributes: None,
            position: None,
            overwrite: false,
        }
    }

    /// Whether its values, attributes and rows keep their limits, whatever tree it meets. What does
    /// not cannot even be sent: whoever decodes it refuses it. `O(size)`.
    ///
    /// # Errors
    /// `TooLarge`, `TooManyAttributes` or `Limit`, with the edit's path.
    pub fn check(&self) -> Result<(), EditError> {
        let content_fits = |content: &Option<Content>| match content {
            None => Ok(()),
            Some(Content::Value(value)) => check_value(value),
            Some(Content::Branch(branch)) => check_rows(branch),
        };
        let fits = match self {
            Self::Set {
                content,
                attributes,
                ..
            } => content_fits(content).and_then(|()| check_attributes(attributes.as_ref())),
            Self::SetResolver {
                resolver,
                content,
                attributes,
                ..
            } => content_fits(content)
                .and_then(|()| check_attributes(attributes.as_ref()))
                .and_then(|()| check_attributes(resolver.as_ref().map(|own| &own.parameters))),
            Self::SetAttributes { attributes, .. } => check_attributes(Some(attributes)),
            Self::Replace { branch, .. } | Self::Merge { branch, .. } => check_rows(branch),
            Self::Sort { by, .. } if by.terms.len() > SORT_TERMS_MAX => Err(EditErrorKind::Limit),
            _ => Ok(()),
        };
        fits.map_err(|kind| EditError::new(kind, self.path().clone()))
    }

    /// The node it is about.
    pub fn path(&self) -> &Path<'static> {
        match self {
            Self::Set { path, .. }
            | Self::SetAttributes { path, .. }
            | Self::SetResolver { path, .. }
            | Self::Remove { path }
            | Self::Move { path, .. }
            | Self::Rename { path, .. }
            | Self::Sort { path, .. }
            | Self::Clear { path }
            | Self::Replace { path, .. }
            | Self::Merge { path, .. }
            | Self::Invalidate { path }
            | Self::Materialise { path } => path,
        }
    }
}

/// What must hold for an edit to be done, judged where it is ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Precondition {
    /// The node is missing.
    Missing,
    /// The node exists.
    Present,
    /// The node exists and its last change (value, attributes, resolver, label, place; a child
    /// added, removed, moved, renamed) is not after this revision.
    Revision(u64),
}

/// An edit and what must hold for it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GuardedEdit {
    /// What is wanted.
    pub edit: Edit,
    /// Judged for the node that the edit's path names.
    pub precondition: Option<Precondition>,
}

impl From<Edit> for GuardedEdit {
    fn from(edit: Edit) -> Self {
        Self {
            edit,
            precondition: None,
        }
    }
}

/// The most terms a [`SortKey`] may have.
pub const SORT_TERMS_MAX: usize = 16;

/// What a bag is sorted by: the first term that tells two children apart decides.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SortKey {
    /// The terms, the weightiest first; those beyond [`SORT_TERMS_MAX`] are refused.
    #[cfg_attr(
        feature = "serde",
        serde(deserialize_with = "crate::coding::bounded::<_, _, SORT_TERMS_MAX>")
    )]
    pub terms: Vec<SortTerm>,
}

/// One term of a [`SortKey`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SortTerm {
    /// What is compared.
    pub field: SortField,
    /// Greatest first.
    pub descending: bool,
    /// Texts and labels are compared in lower case.
    pub ignore_case: bool,
}

/// What a [`SortTerm`] compares, in the order of [`Value::sort_cmp`](crate::Value::sort_cmp).
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum SortField {
    /// The label.
    Label,
    /// The value; bags sort last.
    Value,
    /// An attribute; a missing one sorts as Null.
    Attribute(Name),
}

impl From<SortField> for SortKey {
    fn from(field: SortField) -> Self {
        Self {
            terms: vec![SortTerm {
                field,
                descending: false,
                ignore_case: false,
            }],
        }
    }
}
