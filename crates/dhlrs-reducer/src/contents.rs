//! What an edit puts on a bag node becomes tree ops: its scalar, what is in it, its attributes.

use dhlrs_bag::{Attributes, AttributesWrite, Branch, Content, Name, NodeId, Value};
use dhlrs_feed::{Cell, HomePath, OrderKey, TreeOp};

use crate::{Attempt, IntentError};

impl Attempt<'_> {
    /// Fills a bag node that holds nothing. `id` is its own in the fork, the rows have those that follow `before`.
    pub(crate) fn hold(
        &mut self,
        id: NodeId,
        node: &HomePath,
        content: &Content,
        before: NodeId,
    ) -> Result<(), IntentError> {
        match content {
            Content::Value(value) => self.write_scalar(node, value.clone()),
            Content::Branch(branch) => self.grow(id, branch, before),
        }
    }

    fn write_scalar(&mut self, node: &HomePath, value: Value) -> Result<(), IntentError> {
        self.push(TreeOp::Write {
            node: node.clone(),
            cell: Cell::Scalar,
            value,
        })
    }

    fn grow(&mut self, bag: NodeId, branch: &Branch, before: NodeId) -> Result<(), IntentError> {
        let mut open: Vec<(NodeId, Option<OrderKey>)> = vec![(bag, None)];
        let mut id = before;
        for row in branch.rows() {
            open.truncate(usize::from(row.depth) + 1);
            id = following(id);
            let Some((parent, last)) = open.last_mut() else {
                break;
            };
            let parent = *parent;
            let key = OrderKey::between(last.as_ref(), None)
                .map_err(|_| IntentError::too_large(branch.len(), 0))?;
            *last = Some(key.clone());
            if row.resolver.is_some() {
                return Err(self.no_resolvers(bag));
            }
            let node = self.make(parent, id, &row.label, &key)?;
            self.push(TreeOp::Create {
                node: node.clone(),
                order: key,
            })?;
            match &row.value {
                Some(value) => self.write_scalar(&node, value.clone())?,
                None => open.push((id, None)),
            }
            self.write_attributes(&node, &Attributes::new(), row.attributes.iter())?;
        }
        Ok(())
    }

    pub(crate) fn rewrite(
        &mut self,
        id: NodeId,
        content: &Content,
        first: NodeId,
        autocreated: bool,
    ) -> Result<(), IntentError> {
        let node = self.home(id)?;
        let (is_bag, is_empty, is_null) = match self.bag.node_by_id(id) {
            Some(own) => {
                let value = own.stored_value();
                let is_null = value.is_some_and(Value::is_null);
                (value.is_none(), own.stored_len() == 0, is_null)
            }
            None => (false, true, false),
        };
        match content {
            Content::Value(value) => {
                if is_bag && !is_empty {
                    self.clear(id)?;
                }
                self.write_scalar(&node, value.clone())
            }
            Content::Branch(branch) if autocreated && branch.is_empty() => {
                self.nulls.push(id);
                match is_null {
                    true => Ok(()),
                    false => self.write_scalar(&node, Value::Null),
                }
            }
            Content::Branch(branch) => {
                self.clear(id)?;
                self.grow(id, branch, preceding(first))
            }
        }
    }

    /// Takes away what is inside. The bag node itself must live by more than that.
    pub(crate) fn clear(&mut self, id: NodeId) -> Result<(), IntentError> {
        let node = self.home(id)?;
        let own = node.id();
        let is_asserted = node.is_root()
            || self.fresh.asserted.contains(&own)
            || self.noted.asserted.contains(&own)
            || self.reducer.is_asserted(own);
        if !is_asserted {
            let order = self.key(id);
            self.push(TreeOp::Create {
                node: node.clone(),
                order,
            })?;
            self.fresh.asserted.insert(own);
        }
        let unseen = self.unseen;
        self.push(TreeOp::Clear { node, unseen })
    }

    pub(crate) fn rewrite_attributes(
        &mut self,
        id: NodeId,
        write: &AttributesWrite,
    ) -> Result<(), IntentError> {
        let node = self.home(id)?;
        let own = self.bag.node_by_id(id);
        let before = own.map(|own| own.attributes().clone()).unwrap_or_default();
        match write {
            AttributesWrite::Merge(given) => self.write_attributes(&node, &before, given.iter()),
            AttributesWrite::Replace(given) => {
                let null = Value::Null;
                let gone = before.iter().filter(|(name, _)| given.get(name).is_none());
                let gone = gone.map(|(name, _)| (name, &null));
                self.write_attributes(&node, &before, given.iter().chain(gone))
            }
        }
    }

    pub(crate) fn write_attributes<'e>(
        &mut self,
        node: &HomePath,
        before: &Attributes,
        given: impl Iterator<Item = (&'e Name, &'e Value)>,
    ) -> Result<(), IntentError> {
        for (name, value) in given {
            if before.get(name).unwrap_or(&Value::Null) != value {
                self.push(TreeOp::Write {
                    node: node.clone(),
                    cell: Cell::Attribute(name.clone()),
                    value: value.clone(),
                })?;
            }
        }
        Ok(())
    }
}

fn following(id: NodeId) -> NodeId {
    NodeId::from_bytes((u128::from_be_bytes(*id.as_bytes()).wrapping_add(1)).to_be_bytes())
}

fn preceding(id: NodeId) -> NodeId {
    NodeId::from_bytes((u128::from_be_bytes(*id.as_bytes()).wrapping_sub(1)).to_be_bytes())
}
