//! What happened to a node, and what the tree was.

use dhlrs_bag::Bag;
use dhlrs_clock::{Stamp, Time};
use dhlrs_feed::HomePath;
use dhlrs_path::{Path, Step};
use dhlrs_reducer::Logged;
use dhlrs_wire::{
    EventVerdict, HISTORY_ROWS_MAX, HistoryCursor, HistoryPage, HistoryRequest, PAGE_BYTES_MAX,
    Read, Refusal, RefusalKind, Reply, Selection, View,
};

use crate::event_row::event_row;
use crate::machine::Store;
use crate::owned::not_replicated;
use crate::port::{Caller, Output, RequestId};
use crate::reads::Source;
use crate::replica::Replica;

impl Store {
    /// The answer waits for the disk, as what it tells of may not be there yet.
    pub(crate) fn history(
        &mut self,
        id: RequestId,
        request: &HistoryRequest,
        out: &mut Vec<Output>,
    ) {
        if self.takes_more(id, out) {
            let result = self.history_page(request);
            self.tickets.answer(id, result);
        }
    }

    fn history_page(&self, request: &HistoryRequest) -> Result<Reply, Refusal> {
        let Some(replica) = &self.head.replica else {
            return Err(not_replicated("history"));
        };
        let bag = &self.head.bag;
        let Some(node) = home_of(replica, bag, &request.path.without_query()) else {
            return Ok(Reply::History(Box::new(HistoryPage {
                rows: Vec::new(),
                next: None,
            })));
        };
        let before = request
            .before
            .map(|HistoryCursor { stamp, dot }| Logged { stamp, dot });
        let limit = usize::from(request.limit).clamp(1, HISTORY_ROWS_MAX);
        let mut rows = Vec::new();
        let mut bytes = 0;
        let mut next = None;
        for stored in replica.reducer.log_of(&node, before) {
            let row = event_row(bag, stored.event, EventVerdict::Reduced);
            bytes += row.encoded_bytes();
            let is_full = rows.len() == limit || bytes > PAGE_BYTES_MAX;
            if is_full && !rows.is_empty() {
                next = rows.last().map(|row: &dhlrs_wire::EventRow| HistoryCursor {
                    stamp: row.stamp,
                    dot: row.dot,
                });
                break;
            }
            rows.push(row);
        }
        Ok(Reply::History(Box::new(HistoryPage { rows, next })))
    }

    /// The tree as the events up to this stamp left it.
    pub(crate) fn read_past(
        &mut self,
        now: Time,
        caller: &Caller,
        read: Read,
        stamp: Stamp,
    ) -> Result<Reply, Refusal> {
        let Some(replica) = &self.head.replica else {
            return Err(not_replicated("history"));
        };
        let whole = replica.end_of_transaction(stamp);
        let Some(past) = replica.reducer.at(whole) else {
            let oldest = self.revision();
            return Err(Refusal::new(
                RefusalKind::Compacted { oldest },
                format!("what was there at {stamp} is no longer kept"),
            ));
        };
        let revision = self.revision();
        let mut bag = Bag::new();
        past.show(&past.whole_view(), &mut bag, revision.number);
        let path = match &read.selection {
            Selection::Path(path) => path.clone(),
            Selection::Pattern(_) => Path::ROOT,
        };
        let source = Source {
            tree: bag.snapshot(),
            revision,
            path,
            top: None,
            is_own: true,
        };
        // Nothing is resolved in what was.
        let read = Read {
            view: View::Stored,
            ..read
        };
        Ok(self.first_page(now, caller, read, source))
    }
}

/// Where the node of a path is at home: the one that shows there, else the slot of its labels.
fn home_of(replica: &Replica, bag: &Bag, path: &Path<'_>) -> Option<HomePath> {
    if let Some(node) = bag.node(path) {
        return replica.home(node.id());
    }
    let mut home = HomePath::root();
    for step in path.steps() {
        let Step::Label(label) = step else {
            return None;
        };
        let label = dhlrs_bag::Label::new(&label).ok()?;
        home = replica.reducer.resolve(&home, &label).ok()?;
    }
    Some(home)
}

impl Replica {
    /// A transaction counts whole. So a stamp inside one means its end.
    fn end_of_transaction(&self, stamp: Stamp) -> Stamp {
        let mut end = stamp;
        for feed in self.reducer.frontier().keys() {
            let mut last = 0;
            for stored in self.reducer.events_of(feed, 0) {
                let event = stored.event;
                if event.stamp <= stamp {
                    last = event.dot.seq + u64::from(event.following);
                } else if event.dot.seq <= last {
                    end = end.max(event.stamp);
                } else {
                    break;
                }
            }
        }
        end
    }

    /// Where a bag node is at home.
    pub(crate) fn home(&self, id: dhlrs_bag::NodeId) -> Option<HomePath> {
        match id == dhlrs_bag::NodeId::ROOT {
            true => Some(HomePath::root()),
            false => self.reducer.home(id).cloned(),
        }
    }
}
