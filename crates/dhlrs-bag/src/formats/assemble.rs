//! A bag from what a reader hands out.

use std::collections::BTreeMap;

use dhlrs_path::{PATH_BYTES_MAX, Path};

#[cfg(feature = "json")]
use super::Item;
use super::{FormatError, FormatErrorKind as Kind, ReadLimits};
use crate::{
    ATTRIBUTES_MAX, Attributes, Bag, ImageCounters, ImageErrorKind, ImageRow, Label,
    NODE_BYTES_MAX, NodeId, Restore, Row,
};

/// Collects rows in pre-order, then makes the bag at once.
#[derive(Debug)]
pub(super) struct Assembly {
    limits: ReadLimits,
    // The root first.
    rows: Vec<ImageRow>,
    // How long the paths of the bags above the next row print.
    path_bytes: Vec<usize>,
}

impl Assembly {
    pub(super) fn new(limits: ReadLimits) -> Self {
        let root = ImageRow {
            depth: 0,
            id: NodeId::ROOT,
            label: None,
            value: None,
            attributes: Attributes::new(),
            resolver: None,
            revision: 0,
        };
        Self {
            limits,
            rows: vec![root],
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
        if let Some(root) = self.rows.first_mut() {
            root.attributes = own;
        }
        Ok(())
    }

    pub(super) fn row(&mut self, row: Row) -> Result<(), FormatError> {
        let number = self.rows.len() as u64;
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
        self.rows.push(ImageRow {
            depth: row.depth + 1,
            id: NodeId::counted(number),
            label: Some(row.label),
            value: row.value,
            attributes: row.attributes.without_nulls(),
            resolver: row.resolver,
            revision: 0,
        });
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Bag, FormatError> {
        let counters = ImageCounters {
            revision: 0,
            next_id: self.rows.len() as u64,
        };
        let mut restore = Restore::new(counters, Bag::SEED);
        // The labels above the row that is restored, for the error alone.
        let mut above: BTreeMap<u16, Label> = BTreeMap::new();
        for row in self.rows {
            let depth = row.depth;
            if row.value.is_none()
                && let Some(label) = &row.label
            {
                above.insert(depth, label.clone());
            }
            let label = row.label.clone();
            if let Err(cause) = restore.push(row) {
                let labels = (1..depth).filter_map(|depth| above.get(&depth));
                let path = Path::from_labels(labels.chain(label.as_ref())).unwrap_or_default();
                let kind = match cause.kind() {
                    ImageErrorKind::DuplicateLabel => Kind::DuplicateLabel,
                    _ => Kind::BadShape,
                };
                return Err(FormatError::new(kind, format!("`{path}`: {cause}")));
            }
        }
        (restore.finish()).map_err(|cause| FormatError::new(Kind::BadShape, cause.to_string()))
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
