//! Images: all of a tree that a checkpoint keeps, so that later ops find the same ids in it.

use dhlrs_path::DEPTH_MAX;

use crate::{
    Attributes, Bag, ImageError, ImageErrorKind, Label, NodeId, ResolverRef, Tree, Value,
    WalkPosition,
    load::{Loaded, Loader},
    slot::{View, extra},
    tree::ROOT_SLOT,
    walk::Cursor,
};

/// One node of an image: all of it that is logged.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ImageRow {
    /// 0 for the root, one more for each bag around.
    pub depth: u16,
    /// The node's id.
    pub id: NodeId,
    /// Its label; the root has none.
    pub label: Option<Label>,
    /// `None` is a bag, whose children are the deeper rows that follow.
    pub value: Option<Value>,
    /// Its attributes.
    pub attributes: Attributes,
    /// Its resolver.
    pub resolver: Option<ResolverRef>,
    /// The revision of its last change.
    pub revision: u64,
}

/// What an image has beside its rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ImageCounters {
    /// The revision of the last change.
    pub revision: u64,
    /// The counter that the next node's id comes from.
    pub next_id: u64,
}

/// A tree as rows in pre-order, the root first, overlays left out; [`Bag::restore`] makes an equal
/// tree of them, with equal ids, revisions and counters.
#[derive(Clone)]
pub struct Image<'a> {
    tree: &'a Tree,
    root_is_due: bool,
    cursor: Cursor<'a>,
}

/// Where an [`Image`] stands, kept while nothing is borrowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImagePosition {
    root_is_due: bool,
    walk: WalkPosition,
}

impl Tree {
    /// The image of this tree.
    pub fn image(&self) -> Image<'_> {
        Image {
            tree: self,
            root_is_due: true,
            cursor: Cursor::new(self, ROOT_SLOT, View::Stored),
        }
    }

    /// What goes with the rows of [`Tree::image`].
    pub fn image_counters(&self) -> ImageCounters {
        ImageCounters {
            revision: self.revision,
            next_id: self.next_id,
        }
    }
}

impl Image<'_> {
    /// Where the image stands.
    pub fn pause(&self) -> ImagePosition {
        ImagePosition {
            root_is_due: self.root_is_due,
            walk: self.cursor.pause(),
        }
    }

    /// The image from there on, of the same snapshot.
    pub fn resume(mut self, position: &ImagePosition) -> Self {
        self.root_is_due = position.root_is_due;
        self.cursor.resume(&position.walk);
        self
    }
}

impl Iterator for Image<'_> {
    type Item = ImageRow;

    fn next(&mut self) -> Option<ImageRow> {
        let root_is_due = std::mem::take(&mut self.root_is_due);
        let (depth, at) = match root_is_due {
            true => (0, ROOT_SLOT),
            false => {
                let (depth, at) = self.cursor.next()?;
                (depth + 1, at)
            }
        };
        let slot = self.tree.slot(at);
        Some(ImageRow {
            depth,
            id: slot.id,
            label: (at != ROOT_SLOT).then(|| slot.label.clone()),
            value: slot.held.scalar().cloned(),
            attributes: slot.attributes().clone(),
            resolver: slot.resolver().cloned(),
            revision: slot.revision,
        })
    }
}

/// Takes in the rows of an image one by one.
#[derive(Debug)]
pub struct Restore {
    tree: Tree,
    loader: Loader,
    counters: ImageCounters,
    rows: usize,
}

impl Restore {
    /// Begins with nothing; `seed` is that of [`Bag::with_seed`].
    pub fn new(counters: ImageCounters, seed: u64) -> Self {
        let mut tree = Tree::new(seed);
        Self {
            loader: Loader::new(&mut tree, ROOT_SLOT, View::Stored),
            tree,
            counters,
            rows: 0,
        }
    }

    /// Takes in the next row.
    ///
    /// # Errors
    /// When the row cannot stand there; see [`ImageErrorKind`].
    pub fn push(&mut self, row: ImageRow) -> Result<(), ImageError> {
        let refuse = |kind| Err(ImageError::new(kind, self.rows));
        let depth = usize::from(row.depth);
        let Some(label) = row.label else {
            if depth > 0 || self.rows > 0 || row.value.is_some() || row.id != NodeId::ROOT {
                return refuse(ImageErrorKind::Root);
            }
            self.tree.edit(ROOT_SLOT, |slot| {
                slot.extra = extra(row.attributes, row.resolver);
                slot.revision = row.revision;
            });
            self.rows += 1;
            return Ok(());
        };
        if self.rows == 0 || depth == 0 {
            return refuse(ImageErrorKind::Root);
        }
        if depth > DEPTH_MAX || depth > self.loader.depth() {
            return refuse(ImageErrorKind::Depth);
        }
        if row.id.is_overlay() || self.loader.has(&self.tree, row.id) {
            return refuse(ImageErrorKind::BadId);
        }
        if (row.id.counter()).is_some_and(|counter| counter >= self.counters.next_id) {
            return refuse(ImageErrorKind::Counter);
        }
        let node = Loaded {
            id: row.id,
            label,
            value: row.value,
            extra: extra(row.attributes, row.resolver),
            revision: row.revision,
        };
        if !self.loader.push(&mut self.tree, depth - 1, node) {
            return refuse(ImageErrorKind::DuplicateLabel);
        }
        self.rows += 1;
        Ok(())
    }

    /// The bag.
    ///
    /// # Errors
    /// When there was no row.
    pub fn finish(mut self) -> Result<Bag, ImageError> {
        if self.rows == 0 {
            return Err(ImageError::new(ImageErrorKind::Root, 0));
        }
        self.loader.finish(&mut self.tree);
        self.tree.revision = self.counters.revision;
        self.tree.next_id = self.counters.next_id;
        Ok(Bag::of(self.tree))
    }
}

impl Bag {
    /// The bag that this is an image of: equal in content, ids, revisions and counters.
    ///
    /// # Errors
    /// When the rows are no image; see [`ImageErrorKind`].
    pub fn restore(
        counters: ImageCounters,
        rows: impl IntoIterator<Item = ImageRow>,
    ) -> Result<Self, ImageError> {
        let mut restore = Restore::new(counters, Self::SEED);
        rows.into_iter().try_for_each(|row| restore.push(row))?;
        restore.finish()
    }
}
