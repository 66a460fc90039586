//! What ops take away: the content of bags that go or are filled anew, which no change tells of.

use dhlrs_bag::{Attributes, Bag, BagNode, Change, NodeId, Op, Value};
use dhlrs_trigger::Departed;

/// What one node takes beside its value and its attributes.
pub(crate) const NODE_BYTES: u64 = 256;

/// What the ops of one revision took away inside of bags.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    /// The nodes, for watches that follow one of them and resume.
    pub(crate) departed: Departed,
    /// What they took in memory, by an estimate.
    pub(crate) bytes: u64,
}

impl Lost {
    /// Carries ops out like [`Bag::apply`], and notes what is lost by them. A bag that goes is
    /// walked once more than it is by that.
    pub(crate) fn apply(&mut self, bag: &mut Bag, ops: &[Op], revision: u64) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut from = 0;
        for (at, op) in ops.iter().enumerate() {
            let Some(id) = taken_from(op) else { continue };
            // What the ops before did to the bag decides what is in it.
            if from < at {
                changes.extend(bag.apply(ops.get(from..at).unwrap_or_default(), revision));
                from = at;
            }
            if let Some(node) = bag.node_by_id(id) {
                self.note(&node);
            }
        }
        changes.extend(bag.apply(ops.get(from..).unwrap_or_default(), revision));
        changes
    }

    fn note(&mut self, node: &BagNode<'_>) {
        for visited in node.walk() {
            let node = visited.node;
            if let Some(bag) = node.parent() {
                self.departed.push(node.id(), bag.id());
            }
            self.bytes += node_bytes(&node);
        }
    }
}

/// The node whose content goes by this op.
fn taken_from(op: &Op) -> Option<NodeId> {
    match op {
        Op::Remove { id }
        | Op::Write {
            id,
            content: Some(_),
            ..
        } => Some(*id),
        _ => None,
    }
}

/// About how much memory a node takes, without what is in it.
pub(crate) fn node_bytes(node: &BagNode<'_>) -> u64 {
    let value = |value: Option<&Value>| value.map_or(0, Value::encoded_bytes) as u64;
    let stored = match node.has_overlay() && !node.is_overlay() {
        true => value(node.stored_value()),
        false => 0,
    };
    let attributes: &Attributes = node.attributes();
    NODE_BYTES + value(node.value()) + stored + attributes.encoded_bytes() as u64
}
