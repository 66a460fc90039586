//! What dropped futures and watches leave for the driver: words that may not wait for room in a
//! queue.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use dhlrs_engine::CallId;
use dhlrs_path::StoreAddress;
use tokio::sync::Notify;

/// Each live call leaves at most one entry in each list, so the lists are as bounded as the calls.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    raised: Mutex<Raised>,
    notify: Notify,
}

#[derive(Debug, Default)]
pub(crate) struct Raised {
    pub(crate) cancelled: Vec<CallId>,
    pub(crate) credit: BTreeMap<CallId, u32>,
    pub(crate) ended_reads: Vec<(StoreAddress, u64)>,
}

impl Signals {
    pub(crate) fn cancel(&self, call: CallId) {
        self.raise(|raised| raised.cancelled.push(call));
    }

    pub(crate) fn credit(&self, call: CallId, changes: u32) {
        self.raise(|raised| {
            let credit = raised.credit.entry(call).or_default();
            *credit = credit.saturating_add(changes);
        });
    }

    pub(crate) fn end_read(&self, store: StoreAddress, read: u64) {
        self.raise(|raised| raised.ended_reads.push((store, read)));
    }

    pub(crate) async fn raised(&self) -> Raised {
        loop {
            let notified = self.notify.notified();
            let raised = self.take();
            if !raised.is_empty() {
                return raised;
            }
            notified.await;
        }
    }

    fn raise(&self, raise: impl FnOnce(&mut Raised)) {
        // Each change is complete when a panic could come.
        raise(&mut self.raised.lock().unwrap_or_else(PoisonError::into_inner));
        self.notify.notify_one();
    }

    fn take(&self) -> Raised {
        std::mem::take(&mut *self.raised.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Raised {
    fn is_empty(&self) -> bool {
        self.cancelled.is_empty() && self.credit.is_empty() && self.ended_reads.is_empty()
    }
}
