//! Own events that no intent asked for.

use dhlrs_bag::{Changes, Meta};
use dhlrs_clock::Time;
use dhlrs_feed::Payload;
use dhlrs_wire::Refusal;

use crate::machine::Store;
use crate::owned::not_replicated;
use crate::record::OwnChange;
use crate::replica::drafts::DraftId;

impl Store {
    /// Writes transactions to the own feed, with what has to stand before them, logs them and tells
    /// what they change. They apply these drafts. The revision of `meta` is given here.
    ///
    /// # Errors
    ///
    /// When the replica may not write; then nothing has changed.
    pub(crate) fn write_own(
        &mut self,
        now: Time,
        meta: Meta,
        transactions: Vec<Vec<Payload>>,
        applies: Vec<DraftId>,
    ) -> Result<(), Refusal> {
        let random = self.random();
        let before = (!self.forwards.is_empty()).then(|| self.head.bag.snapshot());
        let revision = self.head.next_revision();
        let bag = &mut self.head.bag;
        let Some(replica) = &mut self.head.replica else {
            return Err(not_replicated("feeds"));
        };
        let stamps = replica.stamps(now, transactions.iter().map(Vec::len).sum())?;
        let now_ms = replica.present.now_ms(now);
        let wrote = match replica.write(now, stamps, transactions, random) {
            Ok(wrote) => wrote,
            Err(error) => {
                self.defect = Some(format!("own events cannot be written: {error}"));
                return Err(self.unavailable());
            }
        };
        let (list, lost) = replica.reduce_own(wrote.events, now_ms, bag, revision);
        replica.forget_drafts(&applies);
        let meta = Meta {
            revision: match list.is_empty() {
                true => self.head.revision,
                false => revision,
            },
            ..meta
        };
        self.head.revision = meta.revision;
        let change = OwnChange {
            meta: meta.clone(),
            transaction: false,
            now_ms,
            begins: wrote.begins,
            written: wrote.written,
            materialised: Vec::new(),
            answer: None,
            applies,
        };
        self.log_own(change, wrote.runs);
        let changes = Changes {
            meta,
            list,
            transaction: false,
        };
        self.tell_of(changes, lost, before);
        Ok(())
    }
}
