//! Writes of a node's content, attributes and resolver are judged, whether it is there or not.

use dhlrs_path::{Path, Query};

use crate::{
    Attributes, AttributesWrite, Branch, Content, EditErrorKind as Kind, Name, Op, Placed,
    Position, ResolverWrite, Value,
    fit::{Fit, check_node},
    order::{Judge, Refusal, Target},
    slot::{Held, View},
    tree::ROOT_SLOT,
};

/// What is to be put on a node.
#[derive(Default)]
pub(crate) struct Put<'e> {
    pub(crate) content: Option<&'e Content>,
    pub(crate) attributes: Option<AttributesWrite>,
    pub(crate) resolver: Option<ResolverWrite>,
    pub(crate) position: Option<&'e Position>,
    pub(crate) overwrite: bool,
}

impl Judge<'_> {
    pub(crate) fn put(&mut self, path: &Path<'_>, put: Put<'_>) -> Result<(), Refusal> {
        let target = self.target(path)?;
        match target.existing() {
            Some(at) => self.write(at, put),
            None => self.create(&target, put),
        }
    }

    /// Writes a node that is there.
    pub(crate) fn write(&mut self, at: u32, put: Put<'_>) -> Result<(), Refusal> {
        let slot = self.tree.slot(at);
        let is_root_value =
            matches!(put.content, Some(Content::Value(_))) || put.resolver.is_some();
        if at == ROOT_SLOT && is_root_value {
            return Err(Kind::BadPath.into());
        }
        if put.content.is_some() && put.resolver.is_none() {
            self.writable(at)?;
        }
        let attributes = match &put.attributes {
            Some(write) => write.over(slot.attributes()),
            None => slot.attributes().clone(),
        };
        let resolver = match &put.resolver {
            Some(ResolverWrite::Put(resolver)) => Some(resolver),
            Some(ResolverWrite::Remove) => None,
            None => slot.resolver(),
        };
        let value = match put.content {
            Some(Content::Value(value)) => Some(value),
            Some(Content::Branch(_)) => None,
            None => slot.held.scalar(),
        };
        check_node(&slot.label, value, &attributes, resolver)?;
        if let Some(content) = put.content {
            Fit::of(self.tree, at).check_content(content)?;
        }
        let content = put.content.filter(|content| match content {
            Content::Value(value) => slot.held.scalar() != Some(value),
            Content::Branch(branch) => !self.tree.holds_branch(at, View::Stored, branch),
        });
        let resolver_changes = resolver != slot.resolver();
        let attributes_change = attributes != *slot.attributes();
        if content.is_none() && !resolver_changes && !attributes_change {
            return Ok(());
        }
        let content = content.map(|content| self.placed(content));
        self.ops.push(Op::Write {
            id: slot.id,
            content,
            attributes: put.attributes.filter(|_| attributes_change),
            resolver: put.resolver.filter(|_| resolver_changes),
            autocreated: false,
        });
        Ok(())
    }

    pub(crate) fn placed(&mut self, content: &Content) -> Placed {
        let count = match content {
            Content::Value(_) => 0,
            Content::Branch(branch) => branch.len(),
        };
        Placed {
            content: content.clone(),
            first: self.ids(count),
        }
    }

    /// Whether the content of a node may be written.
    pub(crate) fn writable(&self, at: u32) -> Result<(), Refusal> {
        let slot = self.tree.slot(at);
        if slot.resolver().is_some() {
            return Err(Kind::ResolverGuard.at(at));
        }
        if slot.overlay().is_some() {
            return Err(Kind::UnderOverlay.at(at));
        }
        Ok(())
    }

    /// Makes an empty bag of a node on the way.
    pub(crate) fn make_bag(&mut self, at: u32) {
        let content = Some(self.placed(&Content::Branch(Branch::new())));
        self.ops.push(Op::Write {
            id: self.tree.slot(at).id,
            content,
            attributes: None,
            resolver: None,
            autocreated: true,
        });
    }

    /// Makes a node, and the bags on the way.
    fn create(&mut self, target: &Target, put: Put<'_>) -> Result<(), Refusal> {
        let at = target.at;
        let slot = self.tree.slot(at);
        let Some((label, above)) = target.missing.split_last() else {
            return Ok(());
        };
        if target.is_shown && put.content.is_some() && put.resolver.is_none() {
            return Err(Kind::UnderOverlay.into());
        }
        let attributes = match &put.attributes {
            Some(write) => write.over(&Attributes::new()),
            None => Attributes::new(),
        };
        let is_nothing = put.content.is_none()
            && attributes.is_empty()
            && matches!(&put.attributes, Some(AttributesWrite::Merge(_)));
        if is_nothing {
            return Ok(());
        }
        let becomes_bag = match &slot.held {
            Held::Bag(_) => false,
            Held::Scalar(Value::Null) => true,
            Held::Scalar(_) if put.overwrite => true,
            Held::Scalar(_) => return Err(Kind::ThroughScalar.at(at)),
        };
        if becomes_bag {
            self.writable(at)?;
        }
        let in_new_bag = becomes_bag || !above.is_empty();
        let after = match (put.position, in_new_bag) {
            (position, false) => self.after(position.unwrap_or(&Position::Last), at, None)?,
            (None | Some(Position::First | Position::Last | Position::At(0)), true) => None,
            (Some(_), true) => return Err(Kind::BadPosition.into()),
        };
        let content = put.content.cloned().unwrap_or(Content::Value(Value::Null));
        let fit = Fit::of(self.tree, at).below(&target.missing);
        fit.check_content(&content)?;
        let value = match &content {
            Content::Value(value) => Some(value),
            Content::Branch(_) => None,
        };
        let resolver = match put.resolver {
            Some(ResolverWrite::Put(resolver)) => Some(resolver),
            _ => None,
        };
        check_node(label, value, &attributes, resolver.as_ref())?;
        if becomes_bag {
            self.make_bag(at);
        }
        let mut parent = slot.id;
        let mut place = match above.is_empty() {
            true => after,
            false if becomes_bag => None,
            false => self.after(&Position::Last, at, None)?,
        };
        for label in above {
            let id = self.ids(1);
            self.ops.push(Op::Insert {
                parent,
                after: place,
                id,
                label: label.clone(),
                content: Content::Branch(Branch::new()),
                attributes: Attributes::new(),
                resolver: None,
                autocreated: true,
            });
            (parent, place) = (id, None);
        }
        let rows = match &content {
            Content::Value(_) => 0,
            Content::Branch(branch) => branch.len(),
        };
        let id = self.ids(1 + rows);
        self.ops.push(Op::Insert {
            parent,
            after: place,
            id,
            label: label.clone(),
            content,
            attributes,
            resolver,
            autocreated: false,
        });
        Ok(())
    }
}

// `set(path?a, v)` is the write of one attribute.
pub(crate) fn attribute_put<'e>(query: &Query<'_>, put: Put<'e>) -> Result<Put<'e>, Refusal> {
    let mut names = query.names();
    let (Some(name), None) = (names.next(), names.next()) else {
        return Err(Kind::BadPath.into());
    };
    let (Some(Content::Value(value)), None) = (put.content, &put.attributes) else {
        return Err(Kind::BadPath.into());
    };
    let name = Name::new(&name).map_err(|_| Kind::BadPath)?;
    Ok(Put {
        content: None,
        attributes: Some(AttributesWrite::Merge(Attributes::from_iter([(
            name,
            value.clone(),
        )]))),
        ..put
    })
}
