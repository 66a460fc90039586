//! Whether something fits where it is to go: depth, printed path, size of a node.

use dhlrs_path::{DEPTH_MAX, LABEL_BYTES_MAX, PATH_BYTES_MAX};

use crate::{
    ATTRIBUTES_MAX, Attributes, Branch, Content, EditErrorKind, Label, NODE_BYTES_MAX, ResolverRef,
    Row, Tree, VALUE_BYTES_MAX, Value, branch::node_bytes, slot::View, tree::ROOT_SLOT,
    walk::Cursor,
};

/// A value of no more bytes fits in a node beside any label.
pub(crate) const FITTING_BYTES_MAX: usize = NODE_BYTES_MAX - LABEL_BYTES_MAX - 64;

/// A place in a tree: how deep it is, and how long its path prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit {
    depth: usize,
    path_bytes: usize,
}

impl Fit {
    /// The place of a node.
    pub(crate) fn of(tree: &Tree, at: u32) -> Self {
        let mut fit = Self {
            depth: 0,
            path_bytes: 0,
        };
        let nodes = std::iter::once(at).chain(tree.around(at));
        for at in nodes.filter(|at| *at != ROOT_SLOT) {
            fit = fit.child(&tree.slot(at).label);
        }
        fit
    }

    /// The place of a child.
    pub(crate) fn child(self, label: &Label) -> Self {
        let dot = usize::from(self.depth > 0);
        Self {
            depth: self.depth + 1,
            path_bytes: self.path_bytes + dot + label.printed_bytes(),
        }
    }

    /// The place of a node under these labels.
    pub(crate) fn below(self, labels: &[Label]) -> Self {
        labels.iter().fold(self, Self::child)
    }

    pub(crate) fn check(self) -> Result<(), EditErrorKind> {
        if self.depth > DEPTH_MAX {
            return Err(EditErrorKind::TooDeep);
        }
        if self.path_bytes > PATH_BYTES_MAX {
            return Err(EditErrorKind::PathTooLong);
        }
        Ok(())
    }

    /// Whether a node with this content fits here.
    pub(crate) fn check_content(self, content: &Content) -> Result<(), EditErrorKind> {
        self.check()?;
        match content {
            Content::Value(value) => check_value(value),
            Content::Branch(branch) => self.check_branch(branch),
        }
    }

    pub(crate) fn check_branch(self, branch: &Branch) -> Result<(), EditErrorKind> {
        let mut open = vec![self];
        for row in branch.rows() {
            open.truncate(usize::from(row.depth) + 1);
            let fit = open.last().copied().unwrap_or(self).child(&row.label);
            fit.check()?;
            check_node(
                &row.label,
                row.value.as_ref(),
                &row.attributes,
                row.resolver.as_ref(),
            )?;
            open.push(fit);
        }
        Ok(())
    }

    /// Whether a node and everything in it fits here, coming from its present place.
    pub(crate) fn check_moved(self, tree: &Tree, at: u32) -> Result<(), EditErrorKind> {
        self.check()?;
        let from = Self::of(tree, at);
        if self.depth <= from.depth && self.path_bytes <= from.path_bytes {
            return Ok(());
        }
        let mut open = vec![self];
        for (depth, at) in Cursor::new(tree, at, View::Stored) {
            open.truncate(usize::from(depth) + 1);
            let fit = open.last().copied().unwrap_or(self);
            let fit = fit.child(&tree.slot(at).label);
            fit.check()?;
            open.push(fit);
        }
        Ok(())
    }
}

pub(crate) fn check_value(value: &Value) -> Result<(), EditErrorKind> {
    match value.encoded_bytes() > VALUE_BYTES_MAX {
        true => Err(EditErrorKind::TooLarge),
        false => Ok(()),
    }
}

pub(crate) fn check_attributes(attributes: Option<&Attributes>) -> Result<(), EditErrorKind> {
    match attributes {
        Some(own) if own.len() > ATTRIBUTES_MAX => Err(EditErrorKind::TooManyAttributes),
        Some(own) if own.encoded_bytes() > NODE_BYTES_MAX => Err(EditErrorKind::TooLarge),
        _ => Ok(()),
    }
}

pub(crate) fn check_rows(branch: &Branch) -> Result<(), EditErrorKind> {
    branch.rows().iter().try_for_each(|row| {
        let Row {
            label,
            value,
            attributes,
            resolver,
            ..
        } = row;
        check_node(label, value.as_ref(), attributes, resolver.as_ref())
    })
}

pub(crate) fn check_node(
    label: &Label,
    value: Option<&Value>,
    attributes: &Attributes,
    resolver: Option<&ResolverRef>,
) -> Result<(), EditErrorKind> {
    let parameters = resolver.map_or(0, |resolver| resolver.parameters.len());
    if attributes.len() > ATTRIBUTES_MAX || parameters > ATTRIBUTES_MAX {
        return Err(EditErrorKind::TooManyAttributes);
    }
    if node_bytes(label, value, attributes, resolver) > NODE_BYTES_MAX {
        return Err(EditErrorKind::TooLarge);
    }
    Ok(())
}
