//! Drafts: shown, written again, or forgotten, as somebody asks.

use dhlrs_bag::Meta;
use dhlrs_clock::Time;
use dhlrs_feed::{EventDot, Payload};
use dhlrs_wire::{
    DRAFT_ROWS_MAX, Draft as DraftRow, DraftCause, Drafts, DraftsApplied, DraftsRequest,
    EventVerdict, FIRST_SKIPPED_MAX, PAGE_BYTES_MAX, Refusal, RefusalKind, Reply,
};

use crate::event_row::event_row;
use crate::machine::Store;
use crate::owned::not_replicated;
use crate::port::{Caller, Output, RequestId};
use crate::record::{Leaving, Record};
use crate::replica::Replica;
use crate::replica::drafts::{Draft, DraftId};
use crate::replica::newer::Present;

/// Encoded events of drafts that one record writes again; one more draft may exceed it.
const APPLIED_BYTES_MAX: usize = 1 << 20;
/// Why a change that applies drafts was made.
const APPLY_REASON: &str = "drafts apply";

impl Store {
    pub(crate) fn drafts(
        &mut self,
        now: Time,
        id: RequestId,
        caller: &Caller,
        request: DraftsRequest,
        out: &mut Vec<Output>,
    ) {
        if !self.takes_more(id, out) {
            return;
        }
        let result = match request {
            DraftsRequest::List { after } => self.list_drafts(after),
            DraftsRequest::Apply { newer } => self.apply_drafts(now, caller, newer),
            DraftsRequest::Drop => self.drop_drafts(),
        };
        let result = result.map(|drafts| Reply::Drafts(Box::new(drafts)));
        self.tickets.answer(id, result);
    }

    fn list_drafts(&self, after: Option<EventDot>) -> Result<Drafts, Refusal> {
        let replica = self.head.replica.as_ref();
        let replica = replica.ok_or_else(|| not_replicated("drafts"))?;
        let all = replica.drafts.values().flat_map(|draft| {
            let events = draft.saying().map(|event| (draft.why, event));
            events.collect::<Vec<_>>()
        });
        let mut rest = all.filter(|(_, event)| after.is_none_or(|after| event.dot > after));
        let (mut rows, mut bytes, mut next): (Vec<DraftRow>, _, _) = (Vec::new(), 0, None);
        for (why, event) in rest.by_ref() {
            let event = event_row(&self.head.bag, event, EventVerdict::Void);
            bytes += event.encoded_bytes();
            if !rows.is_empty() && (rows.len() == DRAFT_ROWS_MAX || bytes > PAGE_BYTES_MAX) {
                next = rows.last().map(|row| row.event.dot);
                break;
            }
            let cause = cause(why);
            rows.push(DraftRow { event, cause });
        }
        Ok(Drafts::List { rows, next })
    }

    fn drop_drafts(&mut self) -> Result<Drafts, Refusal> {
        let replica = self.head.replica.as_mut();
        let replica = replica.ok_or_else(|| not_replicated("drafts"))?;
        let drafts = replica.drafts.values().map(Draft::count).sum();
        if drafts > 0 {
            self.log_and_replay(Record::DraftsDropped);
        }
        Ok(Drafts::Dropped { drafts })
    }

    /// Writes drafts again, in the order in which they were written. What was there before counts for
    /// all of them, not what the first of them have made of it.
    fn apply_drafts(&mut self, now: Time, caller: &Caller, newer: bool) -> Result<Drafts, Refusal> {
        self.leave_wrong_clock(now);
        let replica = self.head.replica.as_ref();
        let replica = replica.ok_or_else(|| not_replicated("drafts"))?;
        let mut drafts: Vec<(DraftId, Draft)> = replica
            .drafts
            .iter()
            .map(|(id, draft)| (*id, draft.clone()))
            .collect();
        drafts.sort_by_key(|(id, draft)| (draft.events.first().map(|event| event.stamp), *id));
        let present = newer.then(|| Present::new(replica, &self.head.bag));
        let mut applied = DraftsApplied {
            revision: self.revision(),
            applied: 0,
            left_out: 0,
            first_left_out: Vec::new(),
        };
        let mut chosen = Vec::new();
        for (id, draft) in drafts {
            match present
                .as_ref()
                .and_then(|present| present.overtook(&draft))
            {
                None => chosen.push((id, draft)),
                Some(why) => {
                    applied.left_out += draft.count();
                    if applied.first_left_out.len() < FIRST_SKIPPED_MAX {
                        let refusal = Refusal::new(RefusalKind::PreconditionFailed, why);
                        applied.first_left_out.push(refusal);
                    }
                }
            }
        }
        let mut chosen = chosen.into_iter().peekable();
        while chosen.peek().is_some() {
            let (mut part, mut bytes) = (Vec::new(), 0);
            while let Some((id, draft)) = chosen.next_if(|_| bytes < APPLIED_BYTES_MAX) {
                bytes += draft.bytes();
                part.push((id, draft));
            }
            let count: u64 = part.iter().map(|(_, draft)| draft.count()).sum();
            match self.write_drafts(now, caller, part) {
                Ok(()) => applied.applied += count,
                Err(refusal) if applied.applied == 0 => return Err(refusal),
                Err(refusal) => {
                    let rest: u64 = chosen.by_ref().map(|(_, draft)| draft.count()).sum();
                    applied.left_out += count + rest;
                    applied.first_left_out.truncate(FIRST_SKIPPED_MAX - 1);
                    applied.first_left_out.push(refusal);
                }
            }
        }
        applied.revision.number = self.head.revision;
        Ok(Drafts::Applied(applied))
    }

    fn write_drafts(
        &mut self,
        now: Time,
        caller: &Caller,
        drafts: Vec<(DraftId, Draft)>,
    ) -> Result<(), Refusal> {
        let ids: Vec<DraftId> = drafts.iter().map(|(id, _)| *id).collect();
        let transactions: Vec<Vec<Payload>> = drafts
            .iter()
            .map(|(_, draft)| draft.saying().map(|event| event.payload.clone()).collect())
            .collect();
        let meta = Meta {
            reason: Some(APPLY_REASON.into()),
            origin: Some(caller.source.clone()),
            stamp: Some((now.wall_ms, 0)),
            ..Meta::default()
        };
        self.write_own(now, meta, transactions, ids)
    }
}

impl Draft {
    pub(crate) fn count(&self) -> u64 {
        self.saying().count() as u64
    }

    fn bytes(&self) -> usize {
        let bytes = dhlrs_codec::encode(&self.events, APPLIED_BYTES_MAX);
        bytes.map_or(APPLIED_BYTES_MAX, |bytes| bytes.len())
    }
}

impl Replica {
    /// They were written again.
    pub(crate) fn forget_drafts(&mut self, ids: &[DraftId]) {
        for id in ids {
            self.drafts.remove(id);
        }
    }
}

fn cause(why: Leaving) -> DraftCause {
    match why {
        Leaving::Restored => DraftCause::Restored,
        Leaving::Overtaken => DraftCause::Overtaken,
        Leaving::Forked => DraftCause::Forked,
        Leaving::ClockMended => DraftCause::ClockMended,
    }
}
