//! A bag from what a reader hands out.

use dhlrs_path::PATH_BYTES_MAX;
use triomphe::Arc;

use super::{FormatError, FormatErrorKind as Kind, ReadLimits};
#[cfg(feature = "json")]
use super::{Item, item::Leaf};
use crate::{
    ATTRIBUTES_MAX, Attributes, Bag, Label, NODE_BYTES_MAX, NodeId, ResolverRef, Row, Tree, Value,
    fit::FITTING_BYTES_MAX,
    load::{Loaded, Loader},
    slot::{Extra, View, extra},
    tree::ROOT_SLOT,
};

/// Makes a bag of rows in pre-order, as they come.
#[derive(Debug)]
pub(super) struct Assembly {
    limits: ReadLimits,
    tree: Tree,
    loader: Loader,
    rows: u64,
    // How long the paths of the bags above the next row print.
    path_bytes: Vec<usize>,
}

impl Assembly {
    pub(super) fn new(limits: ReadLimits) -> Self {
        let mut tree = Tree::new(Bag::SEED);
        Self {
            limits,
            loader: Loader::new(&mut tree, ROOT_SLOT, View::Stored),
            tree,
            rows: 0,
            path_bytes: Vec::new(),
        }
    }

    #[cfg(feature = "json")]
    #[inline]
    pub(super) fn item(&mut self, item: Item) -> Result<(), FormatError> {
        match item {
            Item::Row(row) => self.row(row),
            Item::Late { row, .. } => self.late(row),
            Item::RootAttributes(own) => self.root_attributes(own),
            Item::RootValue(value) => Err(FormatError::new(
                Kind::NotABag,
                format!("the document is {}, no bag", value.type_name()),
            )),
        }
    }

    pub(super) fn root_attributes(&mut self, own: Attributes) -> Result<(), FormatError> {
        let own = own.without_nulls();
        if own.len() > ATTRIBUTES_MAX || own.encoded_bytes() > NODE_BYTES_MAX {
            return Err(FormatError::new(
                Kind::TooLarge,
                "more attributes than a node may have",
            ));
        }
        self.dress(ROOT_SLOT, own, None);
        Ok(())
    }

    pub(super) fn row(&mut self, row: Row) -> Result<(), FormatError> {
        check_node(&row)?;
        let extra = stored(row.attributes, row.resolver);
        self.put(row.depth, row.label, row.value, extra)
    }

    #[cfg(feature = "json")]
    pub(super) fn leaf(&mut self, leaf: Leaf) -> Result<(), FormatError> {
        if leaf.value.encoded_bytes() > FITTING_BYTES_MAX {
            return self.row(leaf.into());
        }
        self.put(leaf.depth, leaf.label, Some(leaf.value), None)
    }

    fn put(
        &mut self,
        depth: u16,
        label: Label,
        value: Option<Value>,
        extra: Option<Arc<Extra>>,
    ) -> Result<(), FormatError> {
        let number = self.rows + 1;
        self.limits.check_nodes(number)?;
        let depth = usize::from(depth);
        self.limits.check_depth(depth)?;
        if depth >= self.loader.depth() {
            let detail = format!("node {number} has no place");
            return Err(FormatError::new(Kind::BadShape, detail));
        }
        self.path_bytes.truncate(depth);
        let around = self.path_bytes.last().map_or(0, |bytes| bytes + 1);
        let is_bag = value.is_none();
        // Printed, no byte of a label takes more than two.
        if is_bag || around + 2 * label.len() > PATH_BYTES_MAX {
            let bytes = around + label.printed_bytes();
            if bytes > PATH_BYTES_MAX {
                let detail = format!("a path of {bytes} bytes, limit {PATH_BYTES_MAX}");
                return Err(FormatError::new(Kind::TooLarge, detail));
            }
            if is_bag {
                self.path_bytes.push(bytes);
            }
        }
        self.rows = number;
        let node = Loaded {
            id: NodeId::counted(number),
            label,
            value,
            extra,
            revision: 0,
        };
        match self.loader.push(&mut self.tree, depth, node) {
            true => Ok(()),
            false => Err(FormatError::new(
                Kind::DuplicateLabel,
                format!("node {number}: its bag has that label already"),
            )),
        }
    }

    // The last bag of its depth, whose attributes and resolver stood behind what is in it.
    #[cfg(feature = "json")]
    fn late(&mut self, row: Row) -> Result<(), FormatError> {
        check_node(&row)?;
        let Some(bag) = self.loader.bag(usize::from(row.depth) + 1) else {
            let detail = format!("`{}` came too late", row.label);
            return Err(FormatError::new(Kind::BadShape, detail));
        };
        self.dress(bag, row.attributes, row.resolver);
        Ok(())
    }

    fn dress(&mut self, at: u32, attributes: Attributes, resolver: Option<ResolverRef>) {
        let extra = stored(attributes, resolver);
        self.tree.edit(at, |slot| slot.extra = extra);
    }

    pub(super) fn finish(mut self) -> Bag {
        self.loader.finish(&mut self.tree);
        self.tree.next_id = self.rows + 1;
        Bag::of(self.tree)
    }
}

// A Null stands for an attribute that is not there.
fn stored(attributes: Attributes, resolver: Option<ResolverRef>) -> Option<Arc<Extra>> {
    match attributes.is_empty() {
        true => extra(attributes, resolver),
        false => extra(attributes.without_nulls(), resolver),
    }
}

/// What no node holds, whatever the format.
fn check_node(row: &Row) -> Result<(), FormatError> {
    let has_more = !row.attributes.is_empty() || row.resolver.is_some();
    let value_bytes = row.value.as_ref().map_or(0, Value::encoded_bytes);
    if !has_more && value_bytes <= FITTING_BYTES_MAX {
        return Ok(());
    }
    let parameters = row.resolver.as_ref().map_or(0, |own| own.parameters.len());
    if row.attributes.len() > ATTRIBUTES_MAX || parameters > ATTRIBUTES_MAX {
        return Err(FormatError::new(
            Kind::TooLarge,
            format!("`{}`: more than {ATTRIBUTES_MAX} attributes", row.label),
        ));
    }
    let bytes = row.encoded_bytes();
    if bytes > NODE_BYTES_MAX {
        return Err(FormatError::new(
            Kind::TooLarge,
            format!(
                "`{}`: a node of {bytes} bytes, limit {NODE_BYTES_MAX}",
                row.label
            ),
        ));
    }
    Ok(())
}
