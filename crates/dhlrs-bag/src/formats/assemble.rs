//! A bag from what a reader hands out.

use dhlrs_path::PATH_BYTES_MAX;

#[cfg(feature = "json")]
use super::Item;
use super::{FormatError, FormatErrorKind as Kind, ReadLimits};
use crate::{
    ATTRIBUTES_MAX, Attributes, Bag, ImageCounters, ImageError, ImageErrorKind, ImageRow,
    NODE_BYTES_MAX, NodeId, Restore, Row,
};

/// Makes a bag of rows in pre-order, as they come.
#[derive(Debug)]
pub(super) struct Assembly {
    limits: ReadLimits,
    restore: Restore,
    rows: u64,
    // The root's, which some formats write last.
    attributes: Attributes,
    // How long the paths of the bags above the next row print.
    path_bytes: Vec<usize>,
}

impl Assembly {
    pub(super) fn new(limits: ReadLimits) -> Self {
        let counters = ImageCounters {
            revision: 0,
            next_id: u64::MAX,
        };
        let mut restore = Restore::new(counters, Bag::SEED);
        // The first row of an image can always stand there.
        let _: Result<(), ImageError> = restore.push(root_row());
        Self {
            limits,
            restore,
            rows: 0,
            attributes: Attributes::new(),
            path_bytes: Vec::new(),
        }
    }

    #[cfg(feature = "json")]
    pub(super) fn item(&mut self, item: Item) -> Result<(), FormatError> {
        match item {
            Item::Row(row) => self.row(row),
            // Readers that a bag is made of never give up waiting.
            Item::Late { row, .. } => Err(FormatError::new(
                Kind::BadShape,
                format!("`{}` came too late", row.label),
            )),
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
        self.attributes = own;
        Ok(())
    }

    pub(super) fn row(&mut self, row: Row) -> Result<(), FormatError> {
        let number = self.rows + 1;
        self.limits.check_nodes(number)?;
        let depth = usize::from(row.depth);
        self.limits.check_depth(depth)?;
        check_node(&row)?;
        self.path_bytes.truncate(depth);
        let around = self.path_bytes.last().map_or(0, |bytes| bytes + 1);
        let bytes = around + row.label.printed_bytes();
        if bytes > PATH_BYTES_MAX {
            return Err(FormatError::new(
                Kind::TooLarge,
                format!("a path of {bytes} bytes, limit {PATH_BYTES_MAX}"),
            ));
        }
        self.path_bytes.push(bytes);
        self.rows = number;
        let attributes = match row.attributes.is_empty() {
            true => row.attributes,
            false => row.attributes.without_nulls(),
        };
        let row = ImageRow {
            depth: row.depth + 1,
            id: NodeId::counted(number),
            label: Some(row.label),
            value: row.value,
            attributes,
            resolver: row.resolver,
            revision: 0,
        };
        self.restore.push(row).map_err(|cause| match cause.kind() {
            ImageErrorKind::DuplicateLabel => FormatError::new(
                Kind::DuplicateLabel,
                format!("node {number}: its bag has that label already"),
            ),
            _ => FormatError::new(Kind::BadShape, format!("node {number} has no place")),
        })
    }

    pub(super) fn finish(self) -> Result<Bag, FormatError> {
        (self.restore.finish_counted(self.rows + 1, self.attributes))
            .map_err(|cause| FormatError::new(Kind::BadShape, cause.to_string()))
    }
}

fn root_row() -> ImageRow {
    ImageRow {
        depth: 0,
        id: NodeId::ROOT,
        label: None,
        value: None,
        attributes: Attributes::new(),
        resolver: None,
        revision: 0,
    }
}

/// What no node holds, whatever the format.
pub(super) fn check_node(row: &Row) -> Result<(), FormatError> {
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
