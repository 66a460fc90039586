//! Log: what is ordered together is logged together and released together, as a ticket.
//!
//! One ticket is out at a time. What is ordered meanwhile gathers in the next one, so that many
//! writers share one sync (group commit). A ticket without records, or of a store without a log,
//! completes as soon as those before it have.

use dhlrs_bag::{Changes, Snapshot};
use dhlrs_feed::{LinkId, Run};
use dhlrs_trigger::change_bytes;
use dhlrs_wire::{Draft, Drafts, EventRow, ReadRow, Refusal, Reply};

use crate::image::Image;
use crate::lost::Lost;
use crate::port::RequestId;

/// Records of one ticket. When it has as many, nothing more joins it; the last may exceed it, by
/// one record at most.
pub const TICKET_BYTES_MAX: usize = 8 << 20;
/// What one ticket holds beside its records until it is on disk, by an estimate: answers, and
/// changes for those who watch. When it has as much, nothing more joins it.
pub const TICKET_MEMORY_BYTES_MAX: usize = 32 << 20;
/// What an answer takes at least.
const ANSWER_BYTES: usize = 256;

/// Changes of one revision on their way to the subscribers.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) changes: Changes,
    /// Held only where somebody who asked for it may be concerned.
    pub(crate) trees: Option<Trees>,
    pub(crate) lost: Lost,
}

/// The tree after a revision, for subscribers, and before it, for forwards.
#[derive(Clone, Debug)]
pub(crate) struct Trees {
    pub(crate) before: Option<Snapshot>,
    pub(crate) after: Snapshot,
}

#[derive(Debug, Default)]
pub(crate) struct Ticket {
    pub(crate) number: u64,
    pub(crate) records: Vec<Vec<u8>>,
    record_bytes: usize,
    memory_bytes: usize,
    pub(crate) answers: Vec<(RequestId, Result<Reply, Refusal>)>,
    pub(crate) batches: Vec<Batch>,
    /// What a replica says to its neighbours.
    pub(crate) sends: Vec<(LinkId, Vec<u8>)>,
    /// Own runs that were signed.
    pub(crate) signed: Vec<Run>,
}

impl Ticket {
    fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.answers.is_empty()
            && self.batches.is_empty()
            && self.sends.is_empty()
            && self.signed.is_empty()
    }
}

/// A ticket that nothing can be added to, with the tree as it leaves it.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) ticket: Ticket,
    pub(crate) tree: Snapshot,
    pub(crate) revision: u64,
    /// A checkpoint of just this state, to be written when the ticket is on disk.
    pub(crate) image: Option<Box<Image>>,
}

/// The ticket that is out and the one that gathers.
#[derive(Debug)]
pub(crate) struct Tickets {
    logged: bool,
    gathering: Ticket,
    out: Option<Sealed>,
    released: u64,
}

impl Tickets {
    pub(crate) fn new(logged: bool) -> Self {
        Self {
            logged,
            gathering: Ticket {
                number: 1,
                ..Ticket::default()
            },
            out: None,
            released: 0,
        }
    }

    /// The number of the ticket that gathers.
    pub(crate) fn number(&self) -> u64 {
        self.gathering.number
    }

    /// The last ticket that was released.
    pub(crate) fn released(&self) -> u64 {
        self.released
    }

    pub(crate) fn note_released(&mut self, number: u64) {
        self.released = number;
    }

    pub(crate) fn log(&mut self, record: Vec<u8>) {
        if self.logged {
            self.gathering.record_bytes += record.len();
            self.gathering.records.push(record);
        }
    }

    /// Whether something has gathered that could go out now.
    pub(crate) fn is_due(&self) -> bool {
        self.out.is_none() && !self.gathering.is_empty()
    }

    /// Whether the gathering ticket has taken as much as one should.
    pub(crate) fn is_full(&self) -> bool {
        self.gathering.record_bytes >= TICKET_BYTES_MAX
            || self.gathering.memory_bytes >= TICKET_MEMORY_BYTES_MAX
    }

    /// Adds an answer, to be given when all that was ordered before it is on disk.
    pub(crate) fn answer(&mut self, request: RequestId, result: Result<Reply, Refusal>) {
        self.gathering.memory_bytes += answer_bytes(&result);
        self.gathering.answers.push((request, result));
    }

    /// Adds an answer to the ticket of that number; to the gathering one if it has gone already.
    pub(crate) fn answer_with(
        &mut self,
        number: u64,
        request: RequestId,
        result: Result<Reply, Refusal>,
    ) {
        match &mut self.out {
            Some(out) if out.ticket.number == number => {
                // It waits as long as what gathers does, and is bounded with that.
                self.gathering.memory_bytes += answer_bytes(&result);
                out.ticket.answers.push((request, result));
            }
            _ => self.answer(request, result),
        }
    }

    /// Adds changes, to be told when they are on disk.
    pub(crate) fn tell(&mut self, batch: Batch) {
        let changes = batch.changes.list.iter().map(change_bytes);
        self.gathering.memory_bytes += size_of::<Batch>() + changes.sum::<usize>();
        self.gathering.batches.push(batch);
    }

    /// Adds what a neighbour is told when all that was logged before is on disk.
    pub(crate) fn send(&mut self, link: LinkId, bytes: Vec<u8>) {
        self.gathering.memory_bytes += size_of::<(LinkId, Vec<u8>)>() + bytes.len();
        self.gathering.sends.push((link, bytes));
    }

    /// Adds an own run, to be passed on when it is on disk.
    pub(crate) fn signed(&mut self, run: Run) {
        self.gathering.memory_bytes += size_of::<Run>() + run.bytes().len();
        self.gathering.signed.push(run);
    }

    /// Seals the gathering ticket if there is something in it and none is out.
    /// `image` is asked only where there is something to log, and given what nobody was told yet.
    pub(crate) fn seal(
        &mut self,
        tree: impl FnOnce() -> (Snapshot, u64),
        image: impl FnOnce(&[Batch]) -> Option<Box<Image>>,
    ) -> Option<Step> {
        if self.out.is_some() || self.gathering.is_empty() {
            return None;
        }
        let next = Ticket {
            number: self.gathering.number + 1,
            ..Ticket::default()
        };
        let mut ticket = std::mem::replace(&mut self.gathering, next);
        let (tree, revision) = tree();
        let records = std::mem::take(&mut ticket.records);
        let mut sealed = Sealed {
            ticket,
            tree,
            revision,
            image: None,
        };
        if records.is_empty() {
            return Some(Step::Release(Box::new(sealed)));
        }
        sealed.image = image(&sealed.ticket.batches);
        let number = sealed.ticket.number;
        self.out = Some(sealed);
        Some(Step::Persist {
            ticket: number,
            records,
        })
    }

    /// The ticket is on disk.
    pub(crate) fn durable(&mut self, number: u64) -> Option<Sealed> {
        self.out.take_if(|sealed| sealed.ticket.number == number)
    }

    /// Gives up what is out and what gathers: first the one of which nobody knows, then the one that
    /// was never tried.
    pub(crate) fn fail(&mut self) -> (Option<Ticket>, Ticket) {
        let out = self.out.take().map(|sealed| sealed.ticket);
        let next = Ticket {
            number: self.gathering.number + 1,
            ..Ticket::default()
        };
        (out, std::mem::replace(&mut self.gathering, next))
    }
}

fn answer_bytes(result: &Result<Reply, Refusal>) -> usize {
    let refusal = |refusal: &Refusal| ANSWER_BYTES + refusal.message().len();
    match result {
        Ok(Reply::Written(written)) => {
            ANSWER_BYTES + written.first_skipped.iter().map(refusal).sum::<usize>()
        }
        Ok(Reply::History(page)) => {
            let rows = page.rows.iter().map(EventRow::encoded_bytes);
            ANSWER_BYTES + rows.sum::<usize>()
        }
        Ok(Reply::Drafts(drafts)) => {
            let rows: &[Draft] = match &**drafts {
                Drafts::List { rows, .. } => rows,
                _ => &[],
            };
            let rows = rows.iter().map(|row| row.event.encoded_bytes());
            ANSWER_BYTES + rows.sum::<usize>()
        }
        Ok(Reply::Feeds(feeds)) => {
            ANSWER_BYTES + size_of_val(feeds.rows.as_slice()) + size_of_val(feeds.peers.as_slice())
        }
        Ok(Reply::Page(page)) => {
            let rows = page.rows.iter().map(ReadRow::encoded_bytes);
            ANSWER_BYTES + rows.sum::<usize>()
        }
        Ok(_) => ANSWER_BYTES,
        Err(own) => refusal(own),
    }
}

/// What to do with a ticket that was just sealed.
#[derive(Debug)]
pub(crate) enum Step {
    Persist { ticket: u64, records: Vec<Vec<u8>> },
    Release(Box<Sealed>),
}
