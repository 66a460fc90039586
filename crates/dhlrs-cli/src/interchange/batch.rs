//! Rows cut into branches that fit a message.

use dhlrs_bag::{Branch, BranchBuilder, BranchError, Label, Row};

/// The most bytes the rows of one batch encode to, those that only say where it hangs left out.
pub const BATCH_BYTES_MAX: usize = 256 * 1024;

// A row's depth, and the share of the branch's length.
const ROW_OVERHEAD_BYTES: usize = 4;

/// Cuts rows in pre-order into branches, each of which can be merged at the same place.
///
/// A batch that begins in the middle of a bag repeats the bags above it, without attributes: merging those changes
/// nothing. So a batch can be merged again, and the next one needs only that those before it were.
#[derive(Debug, Default)]
pub struct Batcher {
    builder: BranchBuilder,
    // The bags above the next row, outermost first.
    above: Vec<Label>,
    bytes: usize,
    rows: u64,
}

/// A branch, and how many rows of it are new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// What is to be merged.
    pub branch: Branch,
    /// How many bag nodes it brings.
    pub rows: u64,
}

impl Batcher {
    /// No rows yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next row. `Some` is the batch before it, which had no room left.
    ///
    /// # Errors
    ///
    /// When the row cannot stand there.
    pub fn row(&mut self, row: Row) -> Result<Option<Batch>, BranchError> {
        let bytes = row.encoded_bytes() + ROW_OVERHEAD_BYTES;
        let full = if self.bytes + bytes > BATCH_BYTES_MAX {
            self.finish()
        } else {
            None
        };
        self.add(row, bytes)?;
        Ok(full)
    }

    /// Adds what was missing of a bag that came earlier. `Some` is the batch before it.
    ///
    /// # Errors
    ///
    /// When the row cannot stand there.
    pub fn late(&mut self, labels: Vec<Label>, row: Row) -> Result<Option<Batch>, BranchError> {
        let full = self.finish();
        self.above = labels;
        let bytes = row.encoded_bytes() + ROW_OVERHEAD_BYTES;
        self.add(row, bytes)?;
        // Nothing may follow in this batch: the next row can be of the same bag, whose label is taken here.
        self.bytes = BATCH_BYTES_MAX;
        Ok(full)
    }

    /// The last batch, if there is one.
    pub fn finish(&mut self) -> Option<Batch> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let branch = std::mem::take(&mut self.builder).finish();
        (rows > 0).then_some(Batch { branch, rows })
    }

    fn add(&mut self, row: Row, bytes: usize) -> Result<(), BranchError> {
        self.above.truncate(usize::from(row.depth));
        if self.rows == 0 {
            for (depth, label) in (0_u16..).zip(&self.above) {
                self.builder.push(Row::bag(depth, label.clone()))?;
            }
        }
        let label = row.label.clone();
        self.builder.push(row)?;
        self.above.push(label);
        self.bytes += bytes;
        self.rows += 1;
        Ok(())
    }
}
