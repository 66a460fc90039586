//! Recovery: head is rebuilt from the newest checkpoint that the window needs and the log since.

use dhlrs_bag::{Changes, Meta};
use dhlrs_clock::Time;

use crate::error::{StoreError, StoreErrorKind};
use crate::head::Head;
use crate::image::ImageReader;
use crate::log::{Batch, Trees};
use crate::lost::Lost;
use crate::machine::{State, Store};
use crate::port::{Output, Recovered};
use crate::record::{Leaving, Record};

impl Store {
    pub(crate) fn recovered(
        &mut self,
        now: Time,
        chunk: Recovered,
        last: bool,
        out: &mut Vec<Output>,
    ) {
        let first_time = !self.was_open;
        let (State::Opening(reader) | State::Fenced { reader, .. }) = &mut self.state else {
            return;
        };
        let mut reader = std::mem::take(reader);
        if reader.is_broken {
            // What follows a part that made no sense makes none either. The end of it is the
            // beginning of the next attempt.
            reader.is_broken = !last;
            self.read_on(reader);
            return;
        }
        match self.take_chunk(&mut reader, chunk, first_time) {
            Ok(batches) => {
                for batch in batches {
                    self.tickets.tell(batch);
                }
            }
            Err(error) => return self.give_up_reading(&error, last, out),
        }
        if !last {
            self.read_on(reader);
            return;
        }
        let no_record = reader.restored.is_none();
        match reader.head() {
            Ok(head) => {
                if first_time && no_record {
                    self.watches.begin_history(head.revision);
                }
                std::mem::swap(&mut self.head, head);
            }
            Err(error) => return self.give_up_reading(&error, last, out),
        }
        self.open(now, first_time, out);
    }

    fn read_on(&mut self, reader: Box<ImageReader>) {
        if let State::Opening(own) | State::Fenced { reader: own, .. } = &mut self.state {
            *own = reader;
        }
    }

    fn give_up_reading(&mut self, error: &StoreError, last: bool, out: &mut Vec<Output>) {
        let mut reader = ImageReader::new(self.config.replication.clone());
        reader.is_broken = !last;
        self.state = State::Fenced {
            why: error.to_string(),
            reader,
        };
        self.tickets.fail();
        self.derives = false;
        if !self.was_open {
            self.forwards.forget_queues();
        }
        out.push(Output::Warning(self.why_unavailable()));
    }

    /// Replays a part of the log. At the first opening the changes fill the window and wake nobody;
    /// after a fence those that are not published yet are told like any others.
    fn take_chunk(
        &mut self,
        reader: &mut ImageReader,
        chunk: Recovered,
        first_time: bool,
    ) -> Result<Vec<Batch>, StoreError> {
        let records = match chunk {
            Recovered::Image(chunk) => {
                reader.push(&chunk)?;
                return Ok(Vec::new());
            }
            Recovered::Records(records) => records,
        };
        let is_first_record = reader.restored.is_none();
        let head = reader.head()?;
        if first_time && is_first_record {
            self.watches.begin_history(head.revision);
        }
        let mut untold = Vec::new();
        for bytes in records {
            let record = Record::decode(&bytes)?;
            let revision = record.changes_to();
            let is_change = revision.is_some();
            if let Some(revision) = revision
                && !first_time
                && revision > self.published.revision
            {
                untold.extend(self.derive_again(head));
            }
            let before = (is_change && !self.forwards.is_empty()).then(|| head.bag.snapshot());
            let Some((mut changes, lost)) = head.replay(record)? else {
                continue;
            };
            if self.derives {
                let followed = self.derivations.follow(&mut head.bag, &changes);
                changes.list.extend(followed);
            }
            let trees = before.map(|before| Trees {
                before: Some(before),
                after: head.bag.snapshot(),
            });
            if first_time {
                self.checkpoint.bytes_since += bytes.len();
                self.checkpoint.changes_since += changes.list.len();
                self.forwards.take(&head.forwards, &changes, trees.as_ref());
                self.watches.refill(changes, lost.departed);
            } else if changes.meta.revision > self.published.revision {
                // A subscriber may want the tree of this revision.
                let trees = trees.or_else(|| {
                    let wanted = self.triggers.wants_tree(&changes);
                    wanted.then(|| Trees {
                        before: None,
                        after: head.bag.snapshot(),
                    })
                });
                untold.push(Batch {
                    changes,
                    trees,
                    lost,
                });
            }
        }
        Ok(untold)
    }

    /// Shows the derived values on a head that was read again after a fence, before the first
    /// revision that nobody has been told of, and tells what shows no longer.
    fn derive_again(&mut self, head: &mut Head) -> Option<Batch> {
        if std::mem::replace(&mut self.derives, true) {
            return None;
        }
        let derived = self.derivations.show_all(&mut head.bag);
        let mut list = self.overlays_gone(&head.bag);
        list.extend(self.differences(derived));
        let meta = Meta {
            revision: head.revision,
            ..Meta::default()
        };
        let changes = Changes {
            meta,
            list,
            transaction: false,
        };
        let trees = self.triggers.wants_tree(&changes).then(|| Trees {
            before: None,
            after: head.bag.snapshot(),
        });
        (!changes.list.is_empty()).then(|| Batch {
            changes,
            trees,
            lost: Lost::default(),
        })
    }

    fn open(&mut self, now: Time, first_time: bool, out: &mut Vec<Output>) {
        if let Err(error) = self.check_authority() {
            return self.give_up_reading(&error, true, out);
        }
        self.state = State::Open;
        self.was_open = true;
        self.emitted.take_back(self.head.revision);
        self.forget_resolved(now, out);
        if self.head.incarnation.is_none() {
            self.opened_for_the_first_time();
        } else if self.config.restored {
            let incarnation = self.new_incarnation();
            // The backup has another one until this one is on disk.
            if self.head.incarnation != Some(incarnation) {
                self.log_and_replay(Record::Incarnation(incarnation));
                self.watches.begin_history(self.head.revision);
                // Others may have events of the feed that the backup lacks.
                self.leave_feed(now, Leaving::Restored, None);
            }
        }
        if first_time {
            self.derivations.show_all(&mut self.head.bag);
            self.derives = true;
            // What was read has been synced before it was handed over, so it is published as it is.
            self.published.tree = self.head.bag.snapshot();
            self.published.revision = self.head.revision;
            let (tree, revision) = (self.published.tree.clone(), self.revision());
            out.push(Output::Published { tree, revision });
        }
        if !first_time {
            self.reads.note_new_tree(&self.published.tree);
        }
        let mut head = std::mem::replace(&mut self.head, Head::new(None));
        let again = self.derive_again(&mut head);
        self.head = head;
        if let Some(again) = again {
            self.tickets.tell(again);
        }
        self.begin_gossip(now, out);
        self.begin_forwards(now, first_time, out);
    }

    /// Whether the log is that of the store that was asked for; it does not open otherwise.
    #[must_use]
    pub fn is_as_asked(&self) -> bool {
        self.check_authority().is_ok()
    }

    fn check_authority(&self) -> Result<(), StoreError> {
        if self.head.incarnation.is_none() {
            return Ok(());
        }
        let (found, asked) = (self.authority(), self.config.authority);
        if let Some(asked) = asked.filter(|asked| *asked != found) {
            let what = format!("the store is {found}, and was to be opened as {asked}");
            return Err(StoreError::new(StoreErrorKind::Config, what));
        }
        let id = self.head.replica.as_ref().map(|replica| replica.id);
        if id.is_some_and(|id| id != self.config.store_id()) {
            let what = "the store was replicated under another name";
            return Err(StoreError::new(StoreErrorKind::Config, what));
        }
        Ok(())
    }
}
