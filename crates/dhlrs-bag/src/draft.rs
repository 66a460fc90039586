//! Transactions in process: an O(1) fork that reaches its bag whole or not at all.

use std::ops::{Deref, DerefMut};

use triomphe::Arc;

use crate::{Bag, Change, CommitError, Op};

/// A bag to try edits on: what is done to it reaches the bag it came from as a whole, by
/// [`Bag::commit`], or not at all.
///
/// Beginning one is O(1), and a draft can begin drafts of its own. Overlays that are set on a draft
/// stay with it.
#[derive(Debug)]
pub struct Draft {
    bag: Bag,
    lineage: Arc<()>,
    generation: u64,
}

/// What a draft has done so far.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    pub(crate) ops: Vec<Op>,
    pub(crate) revision: u64,
}

impl Bag {
    /// Begins a transaction: a draft of this bag as it is now.
    pub fn begin(&self) -> Draft {
        let revision = self.next_revision();
        let mut bag = Self::from(self.snapshot());
        bag.recording = Some(Recording {
            ops: Vec::new(),
            revision,
        });
        Draft {
            bag,
            lineage: self.lineage.clone(),
            generation: self.generation,
        }
    }

    /// Does what a draft has done, as one revision, and says what changed.
    ///
    /// # Errors
    /// When this bag has changed since the draft began, or is not the bag it began with. Nothing
    /// has changed then, and the draft is gone.
    pub fn commit(&mut self, draft: Draft) -> Result<Vec<Change>, CommitError> {
        let is_own = Arc::ptr_eq(&self.lineage, &draft.lineage);
        match draft.bag.recording {
            Some(recording) if is_own && self.generation == draft.generation => {
                Ok(self.apply(&recording.ops, self.next_revision()))
            }
            _ => Err(CommitError),
        }
    }
}

impl Deref for Draft {
    type Target = Bag;

    fn deref(&self) -> &Bag {
        &self.bag
    }
}

impl DerefMut for Draft {
    fn deref_mut(&mut self) -> &mut Bag {
        &mut self.bag
    }
}
