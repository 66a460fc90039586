//! Calls of the nodes' own code, and what came of them.

use std::collections::BTreeMap;

use dhlrs_engine::CallId;
use dhlrs_wire::{Delivery, Refusal, Reply};

use crate::node::NodeIndex;

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// Nothing yet.
    Open,
    /// The answer.
    Answered(Box<Result<Reply, Refusal>>),
    /// The process died before it answered.
    Lost,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who made it.
    pub node: NodeIndex,
    /// What came of it.
    pub fate: Fate,
    /// What a watch delivered, in order.
    pub deliveries: Vec<Delivery>,
}

#[derive(Debug, Default)]
pub(crate) struct Calls {
    by_id: BTreeMap<CallId, Call>,
    last: u64,
}

impl Calls {
    pub(crate) fn begin(&mut self, node: NodeIndex) -> CallId {
        self.last += 1;
        let id = CallId(self.last);
        let call = Call {
            node,
            fate: Fate::Open,
            deliveries: Vec::new(),
        };
        self.by_id.insert(id, call);
        id
    }

    pub(crate) fn get(&self, id: CallId) -> Option<&Call> {
        self.by_id.get(&id)
    }

    /// Says whether this was the one answer.
    pub(crate) fn answered(&mut self, id: CallId, result: Result<Reply, Refusal>) -> bool {
        match self.by_id.get_mut(&id) {
            Some(call) if call.fate == Fate::Open => {
                call.fate = Fate::Answered(Box::new(result));
                true
            }
            _ => false,
        }
    }

    pub(crate) fn delivered(&mut self, id: CallId, delivery: Delivery) {
        if let Some(call) = self.by_id.get_mut(&id) {
            call.deliveries.push(delivery);
        }
    }

    /// The process has died: nobody will answer.
    pub(crate) fn lose(&mut self, node: NodeIndex) {
        for call in self.by_id.values_mut() {
            if call.node == node && call.fate == Fate::Open {
                call.fate = Fate::Lost;
            }
        }
    }
}
