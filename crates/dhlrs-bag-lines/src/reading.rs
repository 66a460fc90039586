//! What is read: values, attributes, nodes, and where they are.

use dhlrs_bag::{Attributes, Bag, Name, NodeId, Value};
use dhlrs_path::{Path, Query};
use sha2::{Digest, Sha256};

use crate::{
    attributes,
    decode::Given,
    equality,
    error::ErrorClass,
    json::Json,
    request::Request,
    resolving::Resolved,
    session::Session,
    setting::Setting,
    walking::{Spot, escaped},
    writer::Writer,
};

type Answer = Result<String, ErrorClass>;

impl Session {
    pub(crate) fn op_get(&mut self, request: &Request<'_>) -> Answer {
        let handle = request.handle()?;
        self.handle(&handle)?;
        let text = request.text("path")?;
        let is_static = request.flag("static", false);
        let mut arguments = self.arguments(request)?;
        if text.is_empty() {
            return Ok(self.held(&self.handle(&handle)?.bag, NodeId::ROOT));
        }
        let (text, given) = split_arguments(text)?;
        arguments.extend(given.iter().cloned());
        let path = Path::parse(text)?;
        let Some(spot) = self.find(&handle, &path, !is_static)? else {
            return Ok(self.echo(request.value("default")));
        };
        if path.query().is_some() {
            return self.queried(&spot, &path, request.value("default"));
        }
        let node = self.handle(&spot.handle)?.bag.node_by_id(spot.node);
        if !given.is_empty() && node.is_some_and(|node| node.resolver().is_none()) {
            return Err(ErrorClass::ResolverGuard);
        }
        self.read(&spot, is_static, &arguments)
    }

    pub(crate) fn op_get1(&mut self, request: &Request<'_>) -> Answer {
        let handle = request.handle()?;
        self.handle(&handle)?;
        let text = request.text("path")?;
        if text.is_empty() {
            return Ok(self.held(&self.handle(&handle)?.bag, NodeId::ROOT));
        }
        let path = Path::parse(text)?;
        let default = request.value("default");
        // A path of more steps is the label of no child.
        let spot = match path.depth() {
            1 => self.find(&handle, &path, false)?,
            _ => None,
        };
        match spot {
            Some(spot) if path.query().is_some() => self.queried(&spot, &path, default),
            Some(spot) => self.read(&spot, request.flag("static", true), &[]),
            None => Ok(self.echo(default)),
        }
    }

    // The attributes that a path asks for.
    fn queried(&self, spot: &Spot, path: &Path<'_>, default: &Json) -> Answer {
        let own = self.handle(&spot.handle)?.attributes(spot.node);
        let mut writer = Writer::new();
        let names: Vec<_> = match path.query() {
            _ if path.is_root() && own.is_empty() => return Ok(self.echo(default)),
            None | Some(Query::All) => {
                writer.attribute_map(own);
                return Ok(writer.finish());
            }
            Some(Query::Names(names)) => names.collect(),
        };
        if let [name] = names.as_slice() {
            writer.value(attributes::get(own, name));
            return Ok(writer.finish());
        }
        writer.begin_object();
        writer.key("$t");
        writer.raw("[");
        for name in names {
            writer.comma();
            writer.value(attributes::get(own, &name));
        }
        writer.raw("]");
        writer.end_object();
        Ok(writer.finish())
    }

    fn read(&mut self, spot: &Spot, is_static: bool, arguments: &[(Name, Value)]) -> Answer {
        if is_static {
            return Ok(self.held(&self.handle(&spot.handle)?.bag, spot.node));
        }
        let resolved = self.resolve(spot, arguments)?;
        self.resolved(spot, &resolved)
    }

    /// What a read came to, as JSON.
    pub(crate) fn resolved(&self, spot: &Spot, resolved: &Resolved) -> Answer {
        let mut writer = Writer::new();
        self.write_resolved(&mut writer, spot, resolved)?;
        Ok(writer.finish())
    }

    pub(crate) fn write_resolved(
        &self,
        writer: &mut Writer,
        spot: &Spot,
        resolved: &Resolved,
    ) -> Result<(), ErrorClass> {
        let spot = match resolved {
            Resolved::Value(value) => {
                writer.value(value);
                return Ok(());
            }
            Resolved::Apart(bag) => bag,
            Resolved::Stored => spot,
        };
        match self.handle(&spot.handle)?.bag.node_by_id(spot.node) {
            Some(node) => writer.held(node),
            None => writer.null(),
        }
        Ok(())
    }

    pub(crate) fn echo(&self, json: &Json) -> String {
        let mut writer = Writer::new();
        writer.json(json, false);
        writer.finish()
    }

    pub(crate) fn op_has(&mut self, request: &Request<'_>) -> Answer {
        let handle = request.handle()?;
        let path = request.path()?;
        let spot = self.find(&handle, &path, false)?;
        let Some(spot) = spot.filter(|_| !path.is_root()) else {
            return Ok("false".to_owned());
        };
        let own = self.handle(&spot.handle)?.attributes(spot.node);
        let is_there = match path.query() {
            None => true,
            Some(Query::All) => !own.is_empty(),
            Some(Query::Names(mut names)) => names.all(|name| own.get(&name).is_some()),
        };
        Ok(is_there.to_string())
    }

    pub(crate) fn op_attrs(&mut self, request: &Request<'_>) -> Answer {
        let Some(spot) = self.node_of(request)? else {
            return Ok("null".to_owned());
        };
        let mut writer = Writer::new();
        writer.attribute_map(self.handle(&spot.handle)?.attributes(spot.node));
        Ok(writer.finish())
    }

    pub(crate) fn op_inherited(&mut self, request: &Request<'_>) -> Answer {
        let Some(spot) = self.node_of(request)? else {
            return Ok("null".to_owned());
        };
        let own = self.handle(&spot.handle)?;
        let mut inherited = Attributes::new();
        for node in self.chain(&spot)?.into_iter().rev() {
            for (name, value) in own.attributes(node).iter() {
                inherited.insert(name.clone(), value.clone());
            }
        }
        let mut writer = Writer::new();
        writer.attribute_map(&inherited);
        Ok(writer.finish())
    }

    // The node and those around it that it knows of; not the root.
    fn chain(&self, spot: &Spot) -> Result<Vec<NodeId>, ErrorClass> {
        let own = self.handle(&spot.handle)?;
        let node = own.bag.node_by_id(spot.node).ok_or(ErrorClass::Internal)?;
        let mut chain = vec![spot.node];
        for bag in node.ancestors() {
            // A bag knows its node only if what is around it is linked.
            if bag
                .parent()
                .is_none_or(|around| !own.is_linked(around.id()))
            {
                break;
            }
            chain.push(bag.id());
        }
        Ok(chain)
    }

    pub(crate) fn op_owner(&mut self, request: &Request<'_>) -> Answer {
        let name = request.field("attr");
        let Some(spot) = self.node_of(request)? else {
            return Ok("null".to_owned());
        };
        let name = name?.text().ok_or(ErrorClass::Type)?;
        let wanted = match request.value("value") {
            Json::Null => None,
            value => Some(crate::decode::plain(value)),
        };
        let own = self.handle(&spot.handle)?;
        let owner = self.chain(&spot)?.into_iter().find(|node| {
            let found = own.attributes(*node).get(name).map(attributes::given);
            match &wanted {
                None => found.is_some(),
                Some(wanted) => wanted.as_ref().is_ok_and(|wanted| found == Some(wanted)),
            }
        });
        let owner = owner.and_then(|node| own.bag.node_by_id(node));
        let mut writer = Writer::new();
        match owner {
            Some(node) => writer.string(node.label()),
            None => writer.null(),
        }
        Ok(writer.finish())
    }

    pub(crate) fn op_node(&mut self, request: &Request<'_>) -> Answer {
        let Some(spot) = self.node_of(request)? else {
            return Ok("null".to_owned());
        };
        self.node_json(&spot)
    }

    pub(crate) fn node_json(&self, spot: &Spot) -> Answer {
        let node = self.handle(&spot.handle)?.bag.node_by_id(spot.node);
        let mut writer = Writer::new();
        match node {
            Some(node) if node.parent().is_some() => writer.node(node),
            _ => writer.null(),
        }
        Ok(writer.finish())
    }

    pub(crate) fn op_fullpath(&mut self, request: &Request<'_>) -> Answer {
        let Some(spot) = self.node_of(request)? else {
            return Ok("null".to_owned());
        };
        let own = self.handle(&spot.handle)?;
        let mut labels: Vec<String> = Vec::new();
        for node in self.chain(&spot)? {
            if let Some(node) = own.bag.node_by_id(node) {
                labels.push(escaped(node.label()));
            }
        }
        labels.reverse();
        let path = labels.join(".");
        let mut writer = Writer::new();
        match path.is_empty() {
            true => writer.null(),
            false => writer.string(&path),
        }
        Ok(writer.finish())
    }

    pub(crate) fn op_position(&mut self, request: &Request<'_>) -> Answer {
        let Some(spot) = self.node_of(request)? else {
            return Ok("null".to_owned());
        };
        let node = self.handle(&spot.handle)?.bag.node_by_id(spot.node);
        let node = node.filter(|node| node.parent().is_some());
        Ok(node.map_or_else(|| "null".to_owned(), |node| node.index().to_string()))
    }

    pub(crate) fn op_keys(&mut self, request: &Request<'_>) -> Answer {
        let spot = self.bag_of(request)?;
        let bag = self.handle(&spot.handle)?.bag.node_by_id(spot.node);
        let mut writer = Writer::new();
        writer.raw("[");
        for child in bag.iter().flat_map(|bag| bag.children()) {
            writer.comma();
            writer.string(child.label());
        }
        writer.raw("]");
        Ok(writer.finish())
    }

    pub(crate) fn op_len(&mut self, request: &Request<'_>) -> Answer {
        let spot = self.bag_of(request)?;
        let bag = self.handle(&spot.handle)?.bag.node_by_id(spot.node);
        Ok(bag.map_or(0, |bag| bag.len()).to_string())
    }

    pub(crate) fn op_dump(&mut self, request: &Request<'_>) -> Answer {
        let spot = self.bag_of(request)?;
        Ok(self.held(&self.handle(&spot.handle)?.bag, spot.node))
    }

    pub(crate) fn op_hash(&mut self, request: &Request<'_>) -> Answer {
        const SHOWN_HEX_DIGITS: usize = 32;
        let dump = self.op_dump(request)?;
        let digest = Sha256::digest(dump.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(format!(
            "\"{}\"",
            hex.get(..SHOWN_HEX_DIGITS).unwrap_or(&hex)
        ))
    }

    pub(crate) fn op_eq(&mut self, request: &Request<'_>) -> Answer {
        let bag = |key| -> Result<&Bag, ErrorClass> {
            let name = Request::handle_name(Some(request.field(key)?))?;
            Ok(&self.handle(&name)?.bag)
        };
        let (a, b) = (bag("a")?, bag("b")?);
        Ok(equality::is_equal(a.root(), b.root()).to_string())
    }

    pub(crate) fn op_isempty(&mut self, request: &Request<'_>) -> Answer {
        let spot = self.bag_of(request)?;
        let (zero, blank) = (request.flag("zero", false), request.flag("blank", false));
        let bag = self.handle(&spot.handle)?.bag.node_by_id(spot.node);
        let mut children = bag.iter().flat_map(|bag| bag.children());
        let is_empty = children.all(|child| {
            child.resolver().is_none()
                && child.value().is_some_and(|value| match value {
                    Value::Null => true,
                    Value::Text(text) => blank && text.as_str().is_empty(),
                    value => zero && equality::is_zero(value),
                })
        });
        Ok(is_empty.to_string())
    }

    pub(crate) fn op_setdefault(&mut self, request: &Request<'_>) -> Answer {
        let handle = request.handle()?;
        self.handle(&handle)?;
        let text = request.text("path")?;
        let given = self.given(request.value("value"))?;
        let path = Path::parse(text)?;
        if let Some(spot) = self.node_at(&handle, &path, true)? {
            return self.read(&spot, false, &[]);
        }
        let echo = match &given {
            Given::Value(value) => {
                let mut writer = Writer::new();
                writer.value(value);
                writer.finish()
            }
            Given::Branch(branch) => {
                let bag = crate::handle::Handle::of(branch.clone())?.bag;
                self.held(&bag, NodeId::ROOT)
            }
            Given::Resolver(resolver) => {
                let mut writer = Writer::new();
                writer.begin_object();
                writer.key("$res");
                writer.value(crate::counter::name(resolver));
                writer.end_object();
                writer.finish()
            }
            Given::Tuple(_) => return Err(ErrorClass::Type),
        };
        self.set(&handle, text, Setting::of(given))?;
        Ok(echo)
    }
}

type Arguments = Vec<(Name, Value)>;

// `path?a=1&b=2` gives arguments to a resolver. All of a query has this form or none of it.
fn split_arguments(text: &str) -> Result<(&str, Arguments), ErrorClass> {
    let whole = || Ok((text, Vec::new()));
    let Some((path, query)) = text.rsplit_once('?') else {
        return whole();
    };
    if !query.contains('=') || path.ends_with('\\') {
        return whole();
    }
    let arguments = query.split('&').map(|argument| {
        let (name, value) = argument.split_once('=').ok_or(ErrorClass::Value)?;
        Ok((Name::new(name)?, Value::from(value)))
    });
    Ok((path, arguments.collect::<Result<_, ErrorClass>>()?))
}
