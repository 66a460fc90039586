//! A branch is flat rows, so that a deep one can neither be built wrongly nor overflow a stack.

use std::collections::BTreeSet;

use dhlrs_path::DEPTH_MAX;

use crate::{
    Attributes, BranchError, BranchErrorKind, Label, ResolverRef, Value,
    value::{prefixed_bytes, varint_bytes},
};

/// The most nodes a [`Branch`] may have.
pub const BRANCH_NODES_MAX: usize = 1 << 20;

/// The most bytes a node's label, value, attributes and resolver may encode to together.
pub const NODE_BYTES_MAX: usize = 256 * 1024;

/// A whole subtree as flat rows in pre-order, so that nothing recurses over it.
///
/// The rows are what is *inside* a bag; the bag's own label, attributes and resolver are said where
/// the branch is used.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Branch {
    // Invariant: as `BranchBuilder::push` checks it.
    rows: Vec<Row>,
}

/// One node of a [`Branch`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Row {
    /// 0 for a direct child of the branch, one more for each bag between.
    pub depth: u16,
    /// Unique in its bag.
    pub label: Label,
    /// `None` is a bag, whose children are the deeper rows that follow.
    pub value: Option<Value>,
    /// The node's attributes.
    pub attributes: Attributes,
    /// The resolver that stands in for the node's value.
    pub resolver: Option<ResolverRef>,
}

/// A row whose fields are still where they are kept.
#[derive(Clone, Copy)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(crate) struct RowRef<'a> {
    pub(crate) depth: u16,
    pub(crate) label: &'a Label,
    pub(crate) value: Option<&'a Value>,
    pub(crate) attributes: &'a Attributes,
    pub(crate) resolver: Option<&'a ResolverRef>,
}

/// What a node is to hold: a scalar, or a bag with everything in it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Content {
    /// A scalar or a list.
    Value(Value),
    /// A bag; an empty branch is an empty bag.
    Branch(Branch),
}

impl Row {
    /// A row that holds a value and nothing else.
    pub fn value(depth: u16, label: Label, value: impl Into<Value>) -> Self {
        Self {
            depth,
            label,
            value: Some(value.into()),
            attributes: Attributes::new(),
            resolver: None,
        }
    }

    /// A row that opens a bag.
    pub fn bag(depth: u16, label: Label) -> Self {
        Self {
            depth,
            label,
            value: None,
            attributes: Attributes::new(),
            resolver: None,
        }
    }

    /// How many bytes label, value, attributes and resolver take in the postcard encoding of this
    /// crate; this is what [`NODE_BYTES_MAX`](crate::NODE_BYTES_MAX) bounds.
    pub fn encoded_bytes(&self) -> usize {
        node_bytes(
            &self.label,
            self.value.as_ref(),
            &self.attributes,
            self.resolver.as_ref(),
        )
    }
}

pub(crate) fn node_bytes(
    label: &Label,
    value: Option<&Value>,
    attributes: &Attributes,
    resolver: Option<&ResolverRef>,
) -> usize {
    prefixed_bytes(label.as_str().len())
        + 1
        + value.map_or(0, Value::encoded_bytes)
        + attributes.encoded_bytes()
        + 1
        + resolver.map_or(0, ResolverRef::encoded_bytes)
}

impl RowRef<'_> {
    pub(crate) fn to_row(self) -> Row {
        Row {
            depth: self.depth,
            label: self.label.clone(),
            value: self.value.cloned(),
            attributes: self.attributes.clone(),
            resolver: self.resolver.cloned(),
        }
    }
}

impl<'a> From<&'a Row> for RowRef<'a> {
    fn from(row: &'a Row) -> Self {
        Self {
            depth: row.depth,
            label: &row.label,
            value: row.value.as_ref(),
            attributes: &row.attributes,
            resolver: row.resolver.as_ref(),
        }
    }
}

impl Branch {
    /// No rows: the inside of an empty bag.
    pub const fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Checks `rows` and keeps them.
    ///
    /// # Errors
    /// See [`BranchErrorKind`]; the error names the first row that cannot stand where it is.
    pub fn from_rows(rows: impl IntoIterator<Item = Row>) -> Result<Self, BranchError> {
        let mut builder = BranchBuilder::new();
        rows.into_iter().try_for_each(|row| builder.push(row))?;
        Ok(builder.finish())
    }

    /// The rows, in pre-order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows, given away.
    pub fn into_rows(self) -> Vec<Row> {
        self.rows
    }

    /// How many bytes the branch takes in the postcard encoding of this crate.
    pub fn encoded_bytes(&self) -> usize {
        let rows = self.rows.iter();
        let bytes = |row: &Row| varint_bytes(u128::from(row.depth)) + row.encoded_bytes();
        varint_bytes(self.len() as u128) + rows.map(bytes).sum::<usize>()
    }
}

/// Builds a [`Branch`] row by row, and refuses a row that cannot stand where it is.
#[derive(Debug, Default)]
pub struct BranchBuilder {
    rows: Vec<Row>,
    // The labels of each bag that the last row is in, outermost first.
    open: Vec<BTreeSet<Label>>,
}

impl BranchBuilder {
    /// An empty branch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next row. O(log n) in the width of its bag.
    ///
    /// # Errors
    /// See [`BranchErrorKind`]; the branch is as it was before.
    pub fn push(&mut self, row: Row) -> Result<(), BranchError> {
        let depth = usize::from(row.depth);
        let refuse = |kind| Err(BranchError::new(kind, self.rows.len(), row.label.clone()));
        if depth >= DEPTH_MAX {
            return refuse(BranchErrorKind::TooDeep);
        }
        if self.rows.len() >= BRANCH_NODES_MAX {
            return refuse(BranchErrorKind::TooManyNodes);
        }
        let deepest = match self.rows.last() {
            None => 0,
            Some(last) => usize::from(last.depth) + usize::from(last.value.is_none()),
        };
        if depth > deepest {
            return refuse(match self.rows.last() {
                Some(last) if depth == usize::from(last.depth) + 1 => BranchErrorKind::BelowValue,
                _ => BranchErrorKind::DepthSkipped,
            });
        }
        if self
            .open
            .get(depth)
            .is_some_and(|labels| labels.contains(row.label.as_str()))
        {
            return refuse(BranchErrorKind::DuplicateLabel);
        }
        self.open.truncate(depth + 1);
        self.open.resize_with(depth + 1, BTreeSet::new);
        if let Some(labels) = self.open.last_mut() {
            labels.insert(row.label.clone());
        }
        self.rows.push(row);
        Ok(())
    }

    /// The branch.
    pub fn finish(self) -> Branch {
        Branch { rows: self.rows }
    }
}

impl<V: Into<Value>> From<V> for Content {
    fn from(value: V) -> Self {
        Self::Value(value.into())
    }
}

impl From<Branch> for Content {
    fn from(branch: Branch) -> Self {
        Self::Branch(branch)
    }
}
