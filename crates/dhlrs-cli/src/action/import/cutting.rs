//! From what a reader hands out to pieces that a store takes.

use dhlrs_bag::{Branch, BranchError, Label, NODE_BYTES_MAX, Row};
use tokio::sync::mpsc;

use super::Piece;
use crate::interchange::{Batch, Batcher};
use dhlrs_bag::formats::{FormatError, FormatErrorKind, Item};

/// How many of those that were skipped are told one by one.
pub(super) const SKIPPED_SHOWN_MAX: usize = 8;

/// Nodes that are not imported, and why for the first of them.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    pub(super) nodes: u64,
    pub(super) first: Vec<String>,
}

impl Skipped {
    pub(super) fn note(&mut self, nodes: u64, why: impl Iterator<Item = String>) {
        self.nodes += nodes;
        let room = SKIPPED_SHOWN_MAX.saturating_sub(self.first.len());
        self.first.extend(why.take(room));
    }

    pub(super) fn add(&mut self, other: Self) {
        self.note(other.nodes, other.first.into_iter());
    }
}

/// Cuts rows into batches, and leaves out those that no node takes.
pub(super) struct Cutter<'a> {
    to_writer: &'a mpsc::Sender<Piece>,
    batcher: Batcher,
    skipped: Skipped,
    // The labels above the next row.
    above: Vec<Label>,
    // The depth of a row that was left out, while those in it come.
    leaving_out: Option<u16>,
    // Whether there was anything but attributes.
    has_content: bool,
}

/// Nobody takes the pieces any more.
struct Gone;

impl<'a> Cutter<'a> {
    pub(super) fn new(to_writer: &'a mpsc::Sender<Piece>) -> Self {
        Self {
            to_writer,
            batcher: Batcher::new(),
            skipped: Skipped::default(),
            above: Vec::new(),
            leaving_out: None,
            has_content: false,
        }
    }

    /// Sends everything, to the end or to the first error.
    pub(super) fn cut(
        mut self,
        items: impl Iterator<Item = Result<Item, FormatError>>,
    ) -> Result<(), FormatError> {
        let mut attributes = None;
        for item in items {
            let item = item?;
            self.has_content |= !matches!(item, Item::RootAttributes(_));
            let sent = match item {
                Item::Row(row) => {
                    let batch = self.row(row)?;
                    self.send(batch.map(Piece::Batch))
                }
                Item::Late { labels, row } => {
                    let batch = self.batcher.late(labels, row).map_err(in_the_way)?;
                    self.send(batch.map(Piece::Batch))
                }
                Item::RootValue(value) => self.send(Some(Piece::Value(value))),
                Item::RootAttributes(own) => {
                    attributes = Some(own).filter(|own| !own.is_empty());
                    Ok(())
                }
            };
            // Whoever took the pieces knows why it ended.
            if sent.is_err() {
                return Ok(());
            }
        }
        // An empty document is an empty bag.
        let batch = match self.batcher.finish() {
            None if !self.has_content => Some(Batch {
                branch: Branch::new(),
                rows: 0,
            }),
            batch => batch,
        };
        let skipped = (self.skipped.nodes > 0).then(|| std::mem::take(&mut self.skipped));
        // Last, because a bag that is not there yet is made by its content.
        let rest = [
            batch.map(Piece::Batch),
            attributes.map(Piece::Attributes),
            skipped.map(Piece::Skipped),
        ];
        for piece in rest {
            if self.send(piece).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<Option<Batch>, FormatError> {
        if let Some(depth) = self.leaving_out {
            if row.depth > depth {
                self.skipped.nodes += 1;
                return Ok(None);
            }
            self.leaving_out = None;
        }
        self.above.truncate(usize::from(row.depth));
        let bytes = row.encoded_bytes();
        if bytes > NODE_BYTES_MAX {
            let labels = self.above.iter().chain([&row.label]);
            let path: Vec<&str> = labels.map(Label::as_str).collect();
            let why = format!(
                "{}: {bytes} bytes of label, value and attributes, limit {NODE_BYTES_MAX}",
                path.join(" / ")
            );
            self.skipped.note(1, std::iter::once(why));
            self.leaving_out = Some(row.depth);
            return Ok(None);
        }
        self.above.push(row.label.clone());
        self.batcher.row(row).map_err(in_the_way)
    }

    fn send(&self, piece: Option<Piece>) -> Result<(), Gone> {
        match piece {
            Some(piece) => self.to_writer.blocking_send(piece).map_err(|_| Gone),
            None => Ok(()),
        }
    }
}

fn in_the_way(cause: BranchError) -> FormatError {
    FormatError::new(FormatErrorKind::BadShape, cause.to_string())
}
