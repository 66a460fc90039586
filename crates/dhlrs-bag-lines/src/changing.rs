//! Bags as a whole: what is taken away, laid over, replaced, copied.

use dhlrs_bag::{
    Attributes, Branch, Change, ChangeKind, Content, Edit, Name, NodeId, Row, Shown, Value,
};
use dhlrs_path::Path;
use dhlrs_resolver::Slot;

use crate::{
    attributes::{given, written},
    decode::Given,
    error::ErrorClass,
    events::Cause,
    handle::Handle,
    json::Json,
    limits::HANDLES_MAX,
    request::Request,
    session::Session,
    setting::Setting,
    walking::Spot,
};

type Answer = Result<String, ErrorClass>;

fn done() -> Answer {
    Ok("null".to_owned())
}

impl Session {
    pub(crate) fn op_new(&mut self, request: &Request<'_>) -> Answer {
        let name = Request::handle_name(Some(request.field("as")?))?;
        let branch = match request.get("value") {
            None => Branch::new(),
            Some(nodes) => self.branch(nodes)?,
        };
        self.name_handle(name, Handle::of(branch)?)
    }

    pub(crate) fn name_handle(&mut self, name: String, handle: Handle) -> Answer {
        if self.handles.len() >= HANDLES_MAX && !self.handles.contains_key(&name) {
            return Err(ErrorClass::Value);
        }
        self.open.retain(|open| open.handle != name);
        self.handles.insert(name, handle);
        done()
    }

    pub(crate) fn op_copy(&mut self, request: &Request<'_>) -> Answer {
        let name = Request::handle_name(Some(request.field("as")?));
        let spot = self.bag_of(request)?;
        let bag = self.handle(&spot.handle)?.bag.node_by_id(spot.node);
        let branch = bag.map(|bag| bag.branch()).unwrap_or_default();
        self.name_handle(name?, Handle::of(branch)?)
    }

    /// Takes the node of a request away; gives what it was.
    fn take(&mut self, request: &Request<'_>, how: Take) -> Result<Option<String>, ErrorClass> {
        let handle = request.handle()?;
        let path = request.path()?;
        let Some(spot) = self.node_at(&handle, &path, false)? else {
            return Ok(None);
        };
        if spot.node == NodeId::ROOT {
            return Ok(None);
        }
        let read = match how {
            Take::Value => {
                let resolved = self.resolve(&spot, &[]);
                match resolved {
                    Ok(resolved) => self.resolved(&spot, &resolved),
                    Err(class) => Err(class),
                }
            }
            Take::Node => self.node_json(&spot),
        };
        let own = self.handle_mut(&spot.handle)?;
        let before = own.bag.snapshot();
        let edit = Edit::Remove {
            path: own.path(spot.node)?,
        };
        let changes = own.bag.edit(edit)?;
        own.content_replaced(spot.node);
        let cause = Cause {
            reason: request.optional_text("reason"),
            ..Cause::default()
        };
        self.tell(&spot.handle, &before, &changes, &cause);
        read.map(Some)
    }

    pub(crate) fn op_pop(&mut self, request: &Request<'_>) -> Answer {
        let taken = self.take(request, Take::Value)?;
        Ok(taken.unwrap_or_else(|| self.echo(request.value("default"))))
    }

    pub(crate) fn op_del(&mut self, request: &Request<'_>) -> Answer {
        self.take(request, Take::Value)?;
        done()
    }

    pub(crate) fn op_popnode(&mut self, request: &Request<'_>) -> Answer {
        let taken = self.take(request, Take::Node)?;
        Ok(taken.unwrap_or_else(|| "null".to_owned()))
    }

    pub(crate) fn op_clear(&mut self, request: &Request<'_>) -> Answer {
        let spot = self.bag_of(request)?;
        if self.children(&spot)?.is_empty() {
            return done();
        }
        self.replace(&spot, Branch::new(), true, !request.flag("trigger", true))?;
        done()
    }

    pub(crate) fn op_replace(&mut self, request: &Request<'_>) -> Answer {
        let spot = self.bag_of(request)?;
        let value = request.field("value")?;
        let Given::Branch(branch) = self.given(value)? else {
            return Err(ErrorClass::Type);
        };
        let is_itself = value.get("$ref").and_then(Json::text) == Some(&spot.handle)
            && spot.node == NodeId::ROOT;
        if !is_itself {
            self.replace(&spot, branch, false, false)?;
        }
        done()
    }

    // Puts other content into a bag; the bag itself stays, and whoever listens to it.
    fn replace(
        &mut self,
        spot: &Spot,
        branch: Branch,
        is_clear: bool,
        silent: bool,
    ) -> Result<(), ErrorClass> {
        let own = self.handle_mut(&spot.handle)?;
        let before = own.bag.snapshot();
        let path = own.path(spot.node)?;
        let found = own.bag.node_by_id(spot.node).ok_or(ErrorClass::Internal)?;
        let edit = match found.resolver() {
            None => Edit::Replace { path, branch },
            Some(resolver) => Edit::SetResolver {
                path,
                resolver: Some(resolver.clone()),
                content: Some(Content::Branch(branch)),
                attributes: None,
                position: None,
            },
        };
        let is_told = own
            .bag
            .node_by_id(spot.node)
            .and_then(|bag| bag.parent())
            .is_some_and(|around| own.is_linked(around.id()));
        if own.is_linked(spot.node) && (!is_clear || (is_told && !silent)) {
            own.mute_moves(spot.node);
        }
        let mut changes = own.bag.edit(edit)?;
        own.content_gone();
        if changes.is_empty() && !is_clear {
            // The reference tells of the same content again, but for the root.
            changes.extend(own.replaced_by_the_same(spot.node));
        }
        if !silent {
            self.tell(&spot.handle, &before, &changes, &Cause::default());
        }
        Ok(())
    }

    pub(crate) fn op_updatemap(&mut self, request: &Request<'_>) -> Answer {
        let spot = self.bag_of(request)?;
        let Json::Object(entries) = request.field("value")? else {
            return Err(ErrorClass::Internal);
        };
        let ignore_null = request.flag("ignore_none", false);
        let base = self.handle(&spot.handle)?.path(spot.node)?;
        let mut values = Vec::with_capacity(entries.len());
        for (path, value) in entries {
            values.push((path, self.given(value)?));
        }
        for (path, value) in values {
            if ignore_null && matches!(value, Given::Value(Value::Null)) {
                continue;
            }
            if path.is_empty() {
                return Err(ErrorClass::EmptyPath);
            }
            let path = base.join(&Path::parse(path)?)?;
            self.set(&spot.handle, path.as_str(), Setting::of(value))?;
        }
        done()
    }

    pub(crate) fn op_update(&mut self, request: &Request<'_>) -> Answer {
        let spot = self.bag_of(request)?;
        let Given::Branch(branch) = self.given(request.field("value")?)? else {
            return Err(ErrorClass::Type);
        };
        let ignore_null = request.flag("ignore_none", false);
        // The bags that are merged into, from outside.
        let mut open = vec![spot.node];
        let rows = branch.rows();
        let mut next = 0;
        while let Some(row) = rows.get(next) {
            open.truncate(usize::from(row.depth) + 1);
            let Some(bag) = open.last().copied() else {
                break;
            };
            let rest = rows.get(next + 1..).unwrap_or_default();
            let inside = rest.iter().take_while(|own| own.depth > row.depth).count();
            let inside = rest.get(..inside).unwrap_or_default();
            match self.update_row(&spot.handle, bag, row, inside, ignore_null)? {
                Some(bag) => {
                    open.push(bag);
                    next += 1;
                }
                None => next += 1 + inside.len(),
            }
        }
        done()
    }

    // Merges one row; gives the bag into which the rows in it are to be merged.
    fn update_row(
        &mut self,
        handle: &str,
        bag: NodeId,
        row: &Row,
        inside: &[Row],
        ignore_null: bool,
    ) -> Result<Option<NodeId>, ErrorClass> {
        let content = content_of(row, inside)?;
        let own = self.handle_mut(handle)?;
        let found = own.bag.node_by_id(bag).ok_or(ErrorClass::Internal)?;
        let Some(there) = found.child(&row.label) else {
            self.add(handle, bag, row, content)?;
            return Ok(None);
        };
        let node = there.id();
        let new: Vec<(Name, Value)> = row
            .attributes
            .iter()
            .map(|(name, value)| (name.clone(), given(value).clone()))
            .collect();
        let attributes = written(there.attributes(), &new, true, false);
        let is_null = content == Content::Value(Value::Null);
        let is_merged = matches!(content, Content::Branch(_)) && there.is_bag();
        let cause = Cause {
            to_node: true,
            ..Cause::default()
        };
        if row.resolver.is_none() && is_merged || ignore_null && is_null {
            // The content stays; the attributes are told, and the resolver follows the row's.
            let resolver = match (&row.resolver, is_merged) {
                (Some(resolver), _) => Some(resolver.clone()),
                (None, true) => None,
                (None, false) => there.resolver().cloned(),
            };
            self.write_beside(handle, node, attributes, resolver, &cause)?;
            return Ok(Some(node).filter(|_| row.resolver.is_none() && is_merged));
        }
        if there.resolver() != row.resolver.as_ref() {
            own.resolvers.forget(&Slot::Node(node), &mut Vec::new());
        }
        let resolver = row.resolver.clone();
        self.write(
            handle,
            node,
            content,
            resolver,
            Some(attributes),
            &cause,
            false,
        )?;
        Ok(None)
    }

    fn write_beside(
        &mut self,
        handle: &str,
        node: NodeId,
        attributes: Attributes,
        resolver: Option<dhlrs_bag::ResolverRef>,
        cause: &Cause<'_>,
    ) -> Result<(), ErrorClass> {
        let own = self.handle_mut(handle)?;
        let before = own.bag.snapshot();
        let found = own.bag.node_by_id(node).ok_or(ErrorClass::Internal)?;
        if found.resolver() != resolver.as_ref() {
            own.resolvers.forget(&Slot::Node(node), &mut Vec::new());
        }
        let edit = Edit::SetResolver {
            path: found.path(),
            resolver,
            content: None,
            attributes: Some(attributes),
            position: None,
        };
        let changes = own.bag.edit(edit)?;
        self.tell(handle, &before, &changes, cause);
        Ok(())
    }

    // A row that is not there yet.
    fn add(
        &mut self,
        handle: &str,
        bag: NodeId,
        row: &Row,
        content: Content,
    ) -> Result<(), ErrorClass> {
        let own = self.handle_mut(handle)?;
        let before = own.bag.snapshot();
        let path = own.path(bag)?.child(&row.label)?;
        let attributes = Some(row.attributes.clone());
        let edit = match row.resolver.clone() {
            None => Edit::Set {
                path,
                content: Some(content),
                attributes,
                position: None,
                overwrite: false,
            },
            Some(resolver) => Edit::SetResolver {
                path,
                resolver: Some(resolver),
                content: Some(content),
                attributes,
                position: None,
            },
        };
        let changes = own.bag.edit(edit)?;
        self.tell(handle, &before, &changes, &Cause::default());
        Ok(())
    }
}

impl Handle {
    fn replaced_by_the_same(&self, bag: NodeId) -> Option<Change> {
        self.bag.node_by_id(bag)?.parent()?;
        self.change_in_place(ChangeKind::Replace, bag)
    }

    /// A change of a bag that holds as much as before, as the triggers are told of it.
    pub(crate) fn change_in_place(&self, kind: ChangeKind, bag: NodeId) -> Option<Change> {
        let found = self.bag.node_by_id(bag)?;
        let shown = Shown::Branch {
            nodes: found.nodes(),
        };
        Some(Change {
            kind,
            id: bag,
            path: found.path(),
            old_path: None,
            ancestors: found.ancestors().map(|bag| bag.id()).collect(),
            old_ancestors: Vec::new(),
            old: shown.clone(),
            new: shown,
            attributes: Vec::new(),
            index: None,
            old_index: None,
            autocreated: false,
            invalidated: false,
        })
    }
}

#[derive(Clone, Copy)]
enum Take {
    Value,
    Node,
}

fn content_of(row: &Row, inside: &[Row]) -> Result<Content, ErrorClass> {
    if let Some(value) = &row.value {
        return Ok(Content::Value(value.clone()));
    }
    let rows = inside.iter().map(|own| Row {
        depth: own.depth - row.depth - 1,
        ..own.clone()
    });
    Ok(Content::Branch(Branch::from_rows(rows)?))
}
