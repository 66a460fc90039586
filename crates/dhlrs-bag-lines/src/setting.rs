//! `set`: values, attributes, resolvers, and the bags on the way.

use dhlrs_bag::{
    Attributes, Branch, Content, Edit, Label, Name, NodeId, Position, ResolverRef, Value,
};
use dhlrs_path::{Path, Query, Step};
use dhlrs_resolver::Slot;

use crate::{
    attributes::written, counter::is_changed_by, decode::Given, error::ErrorClass, events::Cause,
    json::Json, request::Request, session::Session, walking::Spot,
};

/// What is to be set.
pub(crate) struct Setting<'r> {
    pub(crate) value: Given,
    pub(crate) attributes: Option<Vec<(Name, Value)>>,
    pub(crate) position: Option<&'r Json>,
    pub(crate) over: bool,
    pub(crate) remove_null: bool,
    pub(crate) remove_resolver: bool,
    pub(crate) overwrite: bool,
    pub(crate) fired: bool,
    pub(crate) silent: bool,
    /// That a node was made is told twice: the reference does so where one is made for attributes.
    pub(crate) told_twice: bool,
    pub(crate) reason: Option<&'r str>,
}

impl Setting<'_> {
    pub(crate) fn of(value: Given) -> Self {
        Self {
            value,
            attributes: None,
            position: None,
            over: false,
            remove_null: true,
            remove_resolver: false,
            overwrite: false,
            fired: false,
            silent: false,
            told_twice: false,
            reason: None,
        }
    }
}

/// Where a path to be written leads.
struct Aim {
    /// The last node on the way that is there.
    spot: NodeId,
    /// The labels below it that are not.
    missing: Vec<Label>,
}

impl Session {
    pub(crate) fn op_set(&mut self, request: &Request<'_>) -> Result<String, ErrorClass> {
        let handle = request.handle()?;
        self.handle(&handle)?;
        let text = request.text("path")?;
        let attributes = match request.get("attrs") {
            None => None,
            Some(attributes) => Some(self.named_values(attributes)?),
        };
        let setting = Setting {
            value: self.given(request.value("value"))?,
            attributes,
            position: request.get("pos"),
            over: request.flag("updattr", false),
            remove_null: request.flag("rmnull", true),
            remove_resolver: request.get("resolver") == Some(&Json::Bool(false)),
            overwrite: request.flag("overwrite", false),
            fired: request.flag("fired", false),
            silent: !request.flag("trigger", true),
            told_twice: false,
            reason: request.optional_text("reason"),
        };
        self.set(&handle, text, setting)?;
        Ok("null".to_owned())
    }

    pub(crate) fn set(
        &mut self,
        handle: &str,
        path: &str,
        setting: Setting<'_>,
    ) -> Result<(), ErrorClass> {
        if path.is_empty() {
            return Err(ErrorClass::EmptyPath);
        }
        let path = Path::parse(path)?;
        let aim = self.aim(handle, &path, setting.overwrite)?;
        let names = names_of(&path)?;
        match (names.as_slice(), &setting.value) {
            ([], Given::Tuple(_)) => return Err(ErrorClass::Type),
            ([], _) => {}
            ([_], Given::Value(_)) => {}
            ([_], _) => return Err(ErrorClass::Type),
            (names, Given::Tuple(values)) if names.len() == values.len() => {}
            _ => return Err(ErrorClass::AttrArity),
        }
        let before = self.handle(handle)?.bag.snapshot();
        let done = match (names.is_empty(), aim.missing.is_empty()) {
            (false, true) => self.set_named(handle, aim.spot, names, &setting),
            (true, true) => self.set_existing(handle, aim.spot, &setting),
            (_, false) => self.set_new(handle, &aim, names, &setting),
        };
        if done.is_err() {
            // A request that fails has changed nothing, though it made more than one edit.
            self.handle_mut(handle)?.bag = before.into();
        }
        done
    }

    // The last step has to be a label; those before it may be of any form where there is a node.
    fn aim(&self, handle: &str, path: &Path<'_>, overwrite: bool) -> Result<Aim, ErrorClass> {
        let mut spot = Spot {
            handle: handle.to_owned(),
            node: NodeId::ROOT,
        };
        let mut missing = Vec::new();
        let mut steps = path.steps();
        let Some(last) = steps.next_back() else {
            let spot = spot.node;
            return Ok(Aim { spot, missing });
        };
        for step in steps {
            if missing.is_empty() {
                self.check_through(&spot, &step, overwrite)?;
                if let Some(node) = self.step(&spot, &step) {
                    spot.node = node;
                    continue;
                }
            }
            let label = step.label().ok_or(ErrorClass::IndexMissing)?;
            missing.push(Label::new(label)?);
        }
        if missing.is_empty() {
            self.check_through(&spot, &last, overwrite)?;
        }
        let label = last.label().ok_or(ErrorClass::IndexCreate)?;
        match missing
            .is_empty()
            .then(|| self.step(&spot, &last))
            .flatten()
        {
            Some(node) => spot.node = node,
            None => missing.push(Label::new(label)?),
        }
        let spot = spot.node;
        Ok(Aim { spot, missing })
    }

    fn check_through(
        &self,
        spot: &Spot,
        step: &Step<'_>,
        overwrite: bool,
    ) -> Result<(), ErrorClass> {
        if overwrite || *step == Step::Parent {
            return Ok(());
        }
        let bag = &self.handle(&spot.handle)?.bag;
        let value = bag.node_by_id(spot.node).and_then(|node| node.value());
        match value.is_none_or(Value::is_null) {
            true => Ok(()),
            false => Err(ErrorClass::ThroughScalar),
        }
    }

    // `path?a`: these attributes of a node that is there.
    fn set_named(
        &mut self,
        handle: &str,
        node: NodeId,
        names: Vec<Name>,
        setting: &Setting<'_>,
    ) -> Result<(), ErrorClass> {
        let new = named(names, &setting.value);
        self.write_attributes(
            handle,
            node,
            &new,
            true,
            setting.remove_null,
            setting.silent,
        )?;
        match setting.fired {
            true => self.quench(handle, node),
            false => Ok(()),
        }
    }

    /// Writes attributes alone, and tells of it.
    pub(crate) fn write_attributes(
        &mut self,
        handle: &str,
        node: NodeId,
        new: &[(Name, Value)],
        over: bool,
        remove_null: bool,
        silent: bool,
    ) -> Result<(), ErrorClass> {
        self.reset_if_changed(handle, node, new)?;
        let own = self.handle_mut(handle)?;
        let before = own.bag.snapshot();
        let edit = Edit::Set {
            path: own.path(node)?,
            content: None,
            attributes: Some(written(own.attributes(node), new, over, remove_null)),
            position: None,
            overwrite: false,
        };
        let changes = own.bag.edit(edit)?;
        if !silent {
            let cause = Cause {
                // This is what the reference says for every such write.
                reason: Some("True"),
                fired: false,
                attributes_only: true,
                to_node: true,
            };
            self.tell(handle, &before, &changes, &cause);
        }
        Ok(())
    }

    fn reset_if_changed(
        &mut self,
        handle: &str,
        node: NodeId,
        new: &[(Name, Value)],
    ) -> Result<(), ErrorClass> {
        let own = self.handle_mut(handle)?;
        let found = own.bag.node_by_id(node).ok_or(ErrorClass::Internal)?;
        let is_changed = found
            .resolver()
            .is_some_and(|resolver| is_changed_by(resolver, found.attributes(), new));
        if is_changed {
            own.resolvers.invalidate(&Slot::Node(node), &mut Vec::new());
        }
        Ok(())
    }

    fn set_existing(
        &mut self,
        handle: &str,
        node: NodeId,
        setting: &Setting<'_>,
    ) -> Result<(), ErrorClass> {
        let own = self.handle_mut(handle)?;
        let found = own.bag.node_by_id(node).ok_or(ErrorClass::Internal)?;
        let old_resolver = found
            .resolver()
            .filter(|_| !setting.remove_resolver)
            .cloned();
        let (content, resolver) = placed(&setting.value, old_resolver);
        let is_guarded = resolver.is_some() && !matches!(setting.value, Given::Resolver(_));
        if is_guarded && content != Content::Value(Value::Null) {
            return Err(ErrorClass::ResolverGuard);
        }
        if resolver.as_ref() != found.resolver() {
            own.resolvers.forget(&Slot::Node(node), &mut Vec::new());
        }
        if let (Some(new), Some(resolver)) = (&setting.attributes, &resolver)
            && is_changed_by(resolver, found.attributes(), new)
        {
            own.resolvers.invalidate(&Slot::Node(node), &mut Vec::new());
        }
        let attributes = setting.attributes.as_ref();
        let attributes = attributes
            .map(|new| written(found.attributes(), new, setting.over, setting.remove_null));
        let cause = Cause {
            reason: setting.reason,
            fired: setting.fired,
            attributes_only: false,
            to_node: true,
        };
        self.write(
            handle,
            node,
            content,
            resolver,
            attributes,
            &cause,
            setting.silent,
        )?;
        match setting.fired {
            true => self.quench(handle, node),
            false => Ok(()),
        }
    }

    /// Writes what a node holds, whatever resolver is there, and tells of it.
    #[expect(clippy::too_many_arguments, reason = "one write has that many sides")]
    pub(crate) fn write(
        &mut self,
        handle: &str,
        node: NodeId,
        content: Content,
        resolver: Option<ResolverRef>,
        attributes: Option<Attributes>,
        cause: &Cause<'_>,
        silent: bool,
    ) -> Result<(), ErrorClass> {
        let own = self.handle_mut(handle)?;
        let before = own.bag.snapshot();
        let path = own.path(node)?;
        let found = own.bag.node_by_id(node).ok_or(ErrorClass::Internal)?;
        let is_branch = found.is_bag() || matches!(content, Content::Branch(_));
        let edit = match found.resolver() == resolver.as_ref() && resolver.is_none() {
            true => Edit::Set {
                path,
                content: Some(content),
                attributes,
                position: None,
                overwrite: false,
            },
            false => Edit::SetResolver {
                path,
                resolver,
                content: Some(content),
                attributes,
                position: None,
            },
        };
        let changes = own.bag.edit(edit)?;
        if is_branch {
            own.content_replaced(node);
        }
        if !silent {
            self.tell(handle, &before, &changes, cause);
        }
        Ok(())
    }

    // A fired value is gone as soon as it was told.
    fn quench(&mut self, handle: &str, node: NodeId) -> Result<(), ErrorClass> {
        let own = self.handle_mut(handle)?;
        own.write_quietly(node, Some(Content::Value(Value::Null)), None)?;
        own.content_replaced(node);
        Ok(())
    }

    fn set_new(
        &mut self,
        handle: &str,
        aim: &Aim,
        names: Vec<Name>,
        setting: &Setting<'_>,
    ) -> Result<(), ErrorClass> {
        let new = match names.is_empty() {
            true => setting.attributes.clone().unwrap_or_default(),
            false => named(names.clone(), &setting.value),
        };
        let attributes = written(&Attributes::new(), &new, false, setting.remove_null);
        let (content, resolver) = match names.is_empty() {
            true => placed(&setting.value, None),
            false => (Content::Value(Value::Null), None),
        };
        let own = self.handle_mut(handle)?;
        let before = own.bag.snapshot();
        let found = own.bag.node_by_id(aim.spot).ok_or(ErrorClass::Internal)?;
        let siblings = match aim.missing.len() {
            1 => found.len(),
            _ => 0,
        };
        let position = position(setting.position, siblings, |label| {
            aim.missing.len() == 1 && found.child(label).is_some()
        })?;
        let mut path = found.path();
        for label in &aim.missing {
            path = path.child(label)?;
        }
        let mut changes = Vec::new();
        // To have children it first has to become a bag.
        if !found.is_bag() && (found.resolver().is_some() || resolver.is_some()) {
            let edit = Edit::SetResolver {
                path: found.path(),
                resolver: found.resolver().cloned(),
                content: Some(Content::Branch(Branch::new())),
                attributes: None,
                position: None,
            };
            changes = own.bag.edit(edit)?;
            changes
                .iter_mut()
                .for_each(|change| change.autocreated = true);
        }
        let edit = match resolver {
            None => Edit::Set {
                path: path.clone(),
                content: Some(content),
                attributes: Some(attributes),
                position,
                overwrite: setting.overwrite,
            },
            Some(resolver) => Edit::SetResolver {
                path: path.clone(),
                resolver: Some(resolver),
                content: Some(content),
                attributes: Some(attributes),
                position,
            },
        };
        changes.extend(own.bag.edit(edit)?);
        if setting.silent {
            changes.retain(|change| change.autocreated);
        }
        let cause = Cause {
            reason: setting.reason,
            fired: setting.fired,
            ..Cause::default()
        };
        let made = own.bag.node(&path).map(|node| node.id());
        self.tell(handle, &before, &changes, &cause);
        if setting.told_twice {
            self.tell(
                handle,
                &before,
                changes.last_chunk::<1>().map_or(&[], |last| last),
                &cause,
            );
        }
        match made {
            Some(node) if setting.fired => self.quench(handle, node),
            _ => Ok(()),
        }
    }

    pub(crate) fn op_setattr(&mut self, request: &Request<'_>) -> Result<String, ErrorClass> {
        let handle = request.handle()?;
        self.handle(&handle)?;
        let text = request.text("path")?;
        let new = self.named_values(request.field("attrs")?)?;
        let remove_null = request.flag("rmnull", true);
        if text.is_empty() {
            return Err(ErrorClass::Internal);
        }
        let path = Path::parse(text)?;
        if path.query().is_some() {
            return Err(ErrorClass::Value);
        }
        let node = self.find(&handle, &path, false)?;
        let node = match node {
            Some(spot) => spot.node,
            None => {
                let mut setting = Setting::of(Given::Value(Value::Null));
                setting.told_twice = true;
                self.set(&handle, text, setting)?;
                let made = self.find(&handle, &path, false)?;
                made.ok_or(ErrorClass::Internal)?.node
            }
        };
        self.write_attributes(&handle, node, &new, true, remove_null, false)?;
        Ok("null".to_owned())
    }

    pub(crate) fn op_delattr(&mut self, request: &Request<'_>) -> Result<String, ErrorClass> {
        let handle = request.handle()?;
        self.handle(&handle)?;
        let path = request.path()?;
        let Json::Array(names) = request.field("names")? else {
            return Err(ErrorClass::Type);
        };
        let Some(spot) = self.node_at(&handle, &path, true)? else {
            return Ok("null".to_owned());
        };
        let own = self.handle_mut(&spot.handle)?;
        let mut attributes = own.attributes(spot.node).clone();
        for name in names {
            let name = name.text().ok_or(ErrorClass::Type)?;
            match name.contains(',') {
                true => name.split(',').for_each(|name| {
                    attributes.remove(name.trim());
                }),
                false => {
                    attributes.remove(name);
                }
            }
        }
        // Nobody is told, as in the reference.
        own.bag.edit(Edit::Set {
            path: own.path(spot.node)?,
            content: None,
            attributes: Some(attributes),
            position: None,
            overwrite: false,
        })?;
        Ok("null".to_owned())
    }
}

impl crate::handle::Handle {
    pub(crate) fn path(&self, node: NodeId) -> Result<Path<'static>, ErrorClass> {
        let node = self.bag.node_by_id(node).ok_or(ErrorClass::Internal)?;
        Ok(node.path())
    }
}

fn names_of(path: &Path<'_>) -> Result<Vec<Name>, ErrorClass> {
    match path.query() {
        Some(query @ Query::Names(_)) => {
            let names = query.names().map(|name| Name::new(&name));
            Ok(names.collect::<Result<_, _>>()?)
        }
        _ => Ok(Vec::new()),
    }
}

fn named(names: Vec<Name>, value: &Given) -> Vec<(Name, Value)> {
    match value {
        Given::Tuple(values) => names.into_iter().zip(values.iter().cloned()).collect(),
        Given::Value(value) => names
            .into_iter()
            .map(|name| (name, value.clone()))
            .collect(),
        Given::Branch(_) | Given::Resolver(_) => Vec::new(),
    }
}

fn placed(value: &Given, resolver: Option<ResolverRef>) -> (Content, Option<ResolverRef>) {
    match value {
        Given::Value(value) => (Content::Value(value.clone()), resolver),
        Given::Branch(branch) => (Content::Branch(branch.clone()), resolver),
        Given::Resolver(new) => (Content::Value(Value::Null), Some(new.clone())),
        Given::Tuple(_) => (Content::Value(Value::Null), resolver),
    }
}

// As the reference reads positions: indexes beyond the end are the end, and only a plain number
// counts from it.
fn position(
    position: Option<&Json>,
    siblings: u64,
    is_sibling: impl Fn(&str) -> bool,
) -> Result<Option<Position>, ErrorClass> {
    let at = |index: u64| match index {
        index if index >= siblings => Position::Last,
        index => Position::At(i64::try_from(index).unwrap_or(i64::MAX)),
    };
    let text = match position {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::Int(index)) => {
            let from_end = i64::try_from(siblings).unwrap_or(i64::MAX);
            let index = if *index < 0 {
                index.saturating_add(from_end)
            } else {
                *index
            };
            return Ok(Some(at(u64::try_from(index).unwrap_or_default())));
        }
        Some(Json::Text(text)) => text.as_str(),
        Some(_) => return Err(ErrorClass::Internal),
    };
    let number = |digits: &str| -> Result<u64, ErrorClass> {
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        match plain {
            true => Ok(digits.parse().unwrap_or(u64::MAX)),
            false => Err(ErrorClass::BadPosition),
        }
    };
    if let Some(index) = text.strip_prefix('#') {
        return Ok(Some(at(number(index)?)));
    }
    let (before, sibling) = match (text.strip_prefix('<'), text.strip_prefix('>')) {
        (Some(sibling), _) => (true, sibling),
        (_, Some(sibling)) => (false, sibling),
        _ => return Err(ErrorClass::BadPosition),
    };
    if let Some(index) = sibling.strip_prefix('#') {
        let index = number(index)?.saturating_add(u64::from(!before));
        return Ok(Some(at(index)));
    }
    if sibling.is_empty() {
        return Ok(Some(if before {
            Position::First
        } else {
            Position::Last
        }));
    }
    if !is_sibling(sibling) {
        return Err(ErrorClass::BadPosition);
    }
    let label = Label::new(sibling)?;
    Ok(Some(match before {
        true => Position::BeforeLabel(label),
        false => Position::AfterLabel(label),
    }))
}
