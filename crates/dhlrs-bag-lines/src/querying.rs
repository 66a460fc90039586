//! `query`, `digest` and what walks like them.
//!
//! Not `Bag::select`: a query resolves the nodes that it comes by, which writes, and a cell may be
//! read inside the value (`#v.a`, `a.b`) or past its resolver (`#__v`).

use dhlrs_bag::{NodeId, Value};
use dhlrs_path::Path;

use crate::{
    attributes,
    error::ErrorClass,
    json::Json,
    request::Request,
    resolving::Resolved,
    session::Session,
    walking::{Spot, escaped},
    writer::Writer,
};

type Answer = Result<String, ErrorClass>;

/// What a query takes, and from where.
pub(crate) struct Taking {
    pub(crate) fields: Vec<String>,
    pub(crate) deep: bool,
    pub(crate) leaf: bool,
    pub(crate) branch: bool,
    pub(crate) limit: Option<i64>,
    pub(crate) resolve: bool,
}

impl Taking {
    pub(crate) fn plain(fields: Vec<String>) -> Self {
        Self {
            fields,
            deep: false,
            leaf: true,
            branch: true,
            limit: None,
            resolve: false,
        }
    }
}

/// A node that a query came by. Its value is looked up when it is asked for, and once.
pub(crate) struct Visit {
    pub(crate) spot: Spot,
    pub(crate) path: String,
    read: Option<Resolved>,
}

/// One cell of a row.
pub(crate) enum Cell {
    Text(String),
    Value(Value),
    /// JSON.
    Json(String),
}

const DEFAULT_FIELDS: &str = "#k,#v,#a";

impl Session {
    /// The bag that a query is about and its fields: `where:fields` leads further in.
    pub(crate) fn fields(
        &mut self,
        spot: Spot,
        what: &Json,
    ) -> Result<(Spot, Vec<String>), ErrorClass> {
        let what = match what {
            what if !what.is_truthy() => DEFAULT_FIELDS,
            Json::Text(text) => text,
            Json::Array(items) => {
                let fields = items.iter().map(|item| item.text().map(str::to_owned));
                let fields = fields.collect::<Option<Vec<_>>>();
                return Ok((spot, fields.ok_or(ErrorClass::Internal)?));
            }
            _ => return Err(ErrorClass::Internal),
        };
        let split = |what: &str| {
            what.split(',')
                .map(|field| field.trim().to_owned())
                .collect()
        };
        let Some((place, what)) = what.split_once(':') else {
            return Ok((spot, split(what)));
        };
        if what.contains(':') {
            return Err(ErrorClass::Value);
        }
        let bag = self.inner(&spot, place)?;
        match bag {
            Some((spot, Resolved::Stored)) if self.is_bag(&spot) => Ok((spot, split(what))),
            Some((_, Resolved::Apart(spot))) => Ok((spot, split(what))),
            _ => Err(ErrorClass::Internal),
        }
    }

    // `bag[path]`, resolved.
    fn inner(&mut self, spot: &Spot, path: &str) -> Result<Option<(Spot, Resolved)>, ErrorClass> {
        if path.is_empty() {
            return Ok(Some((spot.clone(), Resolved::Stored)));
        }
        let path = Path::parse(path)?;
        let found = self.find_from(spot.clone(), &path, true)?;
        let Some(found) = found else { return Ok(None) };
        if let Some(query) = path.query() {
            let mut names = query.names();
            let (Some(name), None) = (names.next(), names.next()) else {
                return Err(ErrorClass::Internal);
            };
            let own = self.handle(&found.handle)?.attributes(found.node);
            let value = attributes::get(own, &name).clone();
            return Ok(Some((found, Resolved::Value(value))));
        }
        let resolved = self.resolve(&found, &[])?;
        Ok(Some((found, resolved)))
    }

    pub(crate) fn is_bag(&self, spot: &Spot) -> bool {
        let handle = self.handles.get(&spot.handle);
        let node = handle.and_then(|handle| handle.bag.node_by_id(spot.node));
        node.is_some_and(|node| node.is_bag())
    }

    /// Walks a bag as `taking` says and makes a row of each node that counts.
    pub(crate) fn query(
        &mut self,
        bag: Spot,
        taking: &Taking,
    ) -> Result<Vec<Vec<Cell>>, ErrorClass> {
        let mut rows = Vec::new();
        if taking.limit == Some(0) {
            return Ok(rows);
        }
        let mut open = vec![(bag, String::new(), 0)];
        while let Some((bag, prefix, next)) = open.last_mut() {
            let handle = self.handle(&bag.handle)?;
            let child = handle
                .bag
                .node_by_id(bag.node)
                .and_then(|bag| bag.child_at(*next));
            let Some(child) = child else {
                open.pop();
                continue;
            };
            *next += 1;
            let label = escaped(child.label());
            let path = match prefix.is_empty() {
                true => label,
                false => format!("{prefix}.{label}"),
            };
            let spot = Spot {
                handle: bag.handle.clone(),
                node: child.id(),
            };
            let mut visit = Visit {
                spot,
                path,
                read: None,
            };
            let counts = match (taking.leaf, taking.branch) {
                (true, true) => true,
                (leaf, branch) => match self.bag_in(&mut visit, taking)? {
                    Some(_) => branch,
                    None => leaf,
                },
            };
            if counts {
                let mut row = Vec::with_capacity(taking.fields.len());
                for field in &taking.fields {
                    row.push(self.cell(&mut visit, field, taking)?);
                }
                rows.push(row);
                let is_full = taking
                    .limit
                    .is_some_and(|limit| i64::try_from(rows.len()).unwrap_or(i64::MAX) >= limit);
                if is_full {
                    return Ok(rows);
                }
            }
            if taking.deep
                && let Some(bag) = self.bag_in(&mut visit, taking)?
            {
                open.push((bag, visit.path, 0));
            }
        }
        Ok(rows)
    }

    fn read_once<'v>(
        &mut self,
        visit: &'v mut Visit,
        resolve: bool,
    ) -> Result<&'v Resolved, ErrorClass> {
        if visit.read.is_none() {
            visit.read = Some(match resolve {
                true => self.resolve(&visit.spot, &[])?,
                false => Resolved::Stored,
            });
        }
        visit.read.as_ref().ok_or(ErrorClass::Internal)
    }

    // The bag that a node holds, if it does.
    fn bag_in(&mut self, visit: &mut Visit, taking: &Taking) -> Result<Option<Spot>, ErrorClass> {
        let spot = match self.read_once(visit, taking.resolve)? {
            Resolved::Value(_) => return Ok(None),
            Resolved::Apart(bag) => return Ok(Some(bag.clone())),
            Resolved::Stored => visit.spot.clone(),
        };
        Ok(Some(spot).filter(|spot| self.is_bag(spot)))
    }

    fn cell(
        &mut self,
        visit: &mut Visit,
        field: &str,
        taking: &Taking,
    ) -> Result<Cell, ErrorClass> {
        let null = Cell::Value(Value::Null);
        let own = self.handle(&visit.spot.handle)?;
        let node = own
            .bag
            .node_by_id(visit.spot.node)
            .ok_or(ErrorClass::Internal)?;
        match field {
            "#k" => return Ok(Cell::Text(node.label().to_string())),
            "#p" => return Ok(Cell::Text(visit.path.clone())),
            "#n" => {
                let mut writer = Writer::new();
                writer.node(node);
                return Ok(Cell::Json(writer.finish()));
            }
            "#v" => {
                if let Some(bag) = self.bag_in(visit, taking)? {
                    return Ok(match taking.deep {
                        true => null,
                        false => Cell::Json(self.held(&self.handle(&bag.handle)?.bag, bag.node)),
                    });
                }
                return self.value_cell(visit, taking);
            }
            "#__v" => {
                return Ok(match node.value() {
                    Some(value) => Cell::Value(value.clone()),
                    None => Cell::Json(self.held(&own.bag, visit.spot.node)),
                });
            }
            _ => {}
        }
        if let Some(inner) = field.strip_prefix("#v.") {
            return match self.bag_in(visit, taking)? {
                Some(bag) => self.inner_cell(&bag, inner),
                None => Ok(null),
            };
        }
        if field.starts_with("#a") {
            let name = field.split_once('.').map_or("", |(_, name)| name);
            if !name.is_empty() && name != "#" {
                return Ok(Cell::Value(
                    attributes::get(node.attributes(), name).clone(),
                ));
            }
            let mut writer = Writer::new();
            writer.attribute_map(node.attributes());
            return Ok(Cell::Json(writer.finish()));
        }
        if let Some(bag) = self.bag_in(visit, taking)? {
            return self.inner_cell(&bag, field);
        }
        // What has items cannot be asked for a name, what has none gives nothing.
        match self.value_cell(visit, taking)? {
            Cell::Value(Value::Text(_) | Value::Bytes(_) | Value::List(_)) => Err(ErrorClass::Type),
            _ => Ok(null),
        }
    }

    fn value_cell(&mut self, visit: &mut Visit, taking: &Taking) -> Result<Cell, ErrorClass> {
        if let Resolved::Value(value) = self.read_once(visit, taking.resolve)? {
            return Ok(Cell::Value(value.clone()));
        }
        let own = self.handle(&visit.spot.handle)?;
        let node = own.bag.node_by_id(visit.spot.node);
        let value = node.and_then(|node| node.value()).cloned();
        Ok(Cell::Value(value.unwrap_or_default()))
    }

    fn inner_cell(&mut self, bag: &Spot, path: &str) -> Result<Cell, ErrorClass> {
        let found = self.inner(bag, path)?;
        Ok(match found {
            None => Cell::Value(Value::Null),
            Some((_, Resolved::Value(value))) => Cell::Value(value),
            Some((spot, resolved)) => {
                let value = match resolved {
                    Resolved::Stored => {
                        let own = self.handle(&spot.handle)?;
                        own.bag
                            .node_by_id(spot.node)
                            .and_then(|node| node.value())
                            .cloned()
                    }
                    _ => None,
                };
                match value {
                    Some(value) => Cell::Value(value),
                    None => Cell::Json(self.resolved(&spot, &resolved)?),
                }
            }
        })
    }

    // Rows go out encoded twice: see `Writer::twice`.
    fn write_cell(&self, writer: &mut Writer, cell: &Cell) {
        match cell {
            Cell::Text(text) => writer.string(text),
            Cell::Value(value) => writer.value(value),
            Cell::Json(json) => writer.encode_again(json),
        }
    }

    fn write_rows(&self, rows: &[Vec<Cell>]) -> String {
        let mut writer = Writer::twice();
        writer.raw("[");
        for row in rows {
            writer.comma();
            if let [cell] = row.as_slice() {
                self.write_cell(&mut writer, cell);
                continue;
            }
            writer.raw("[");
            for cell in row {
                writer.comma();
                self.write_cell(&mut writer, cell);
            }
            writer.raw("]");
        }
        writer.raw("]");
        writer.finish()
    }

    pub(crate) fn op_query(&mut self, request: &Request<'_>) -> Answer {
        let spot = self.bag_of(request)?;
        let (spot, fields) = self.fields(spot, request.value("what"))?;
        let limit = match request.value("limit") {
            Json::Null => None,
            Json::Int(limit) => Some(*limit),
            _ => return Err(ErrorClass::Type),
        };
        let taking = Taking {
            fields,
            deep: request.flag("deep", false),
            leaf: request.flag("leaf", true),
            branch: request.flag("branch", true),
            limit,
            resolve: !request.flag("static", true),
        };
        let rows = self.query(spot, &taking)?;
        Ok(self.write_rows(&rows))
    }

    pub(crate) fn op_digest(&mut self, request: &Request<'_>) -> Answer {
        let spot = self.bag_of(request)?;
        let what = request.value("what");
        let (spot, fields) = self.fields(spot, what)?;
        let width = match what {
            Json::Text(what) => what.split(',').count(),
            _ => DEFAULT_FIELDS.split(',').count(),
        };
        let is_single = fields.len() == 1;
        let rows = self.query(spot, &Taking::plain(fields))?;
        if !request.flag("cols", false) {
            return Ok(self.write_rows(&rows));
        }
        let mut writer = Writer::twice();
        writer.raw("[");
        let columns = match rows.first() {
            None => width,
            Some(_) if is_single => 1,
            Some(row) => row.len(),
        };
        for column in 0..columns {
            writer.comma();
            writer.raw("[");
            for cell in rows.iter().filter_map(|row| row.get(column)) {
                writer.comma();
                self.write_cell(&mut writer, cell);
            }
            writer.raw("]");
        }
        writer.raw("]");
        Ok(writer.finish())
    }

    pub(crate) fn op_walk(&mut self, request: &Request<'_>) -> Answer {
        let spot = self.bag_of(request)?;
        let mut taking = Taking::plain(vec!["#p".to_owned()]);
        taking.deep = true;
        let rows = self.query(spot, &taking)?;
        Ok(self.write_rows(&rows))
    }

    pub(crate) fn op_leaves(&mut self, request: &Request<'_>) -> Answer {
        let spot = self.bag_of(request)?;
        let mut taking = Taking::plain(vec!["#p".to_owned(), "#v".to_owned()]);
        taking.deep = true;
        taking.branch = false;
        taking.resolve = true;
        let rows = self.query(spot, &taking)?;
        Ok(self.write_rows(&rows))
    }

    pub(crate) fn op_findattr(&mut self, request: &Request<'_>) -> Answer {
        let spot = self.bag_of(request)?;
        let name = request.text("attr")?;
        let wanted = self.value(request.value("value"))?;
        let deep_first = request.flag("deep_first", false);
        let found = self.find_by_attribute(spot, name, &wanted, deep_first)?;
        let mut writer = Writer::new();
        match found {
            Some(label) => writer.string(&label),
            None => writer.null(),
        }
        Ok(writer.finish())
    }

    fn find_by_attribute(
        &mut self,
        bag: Spot,
        name: &str,
        wanted: &Value,
        deep_first: bool,
    ) -> Result<Option<String>, ErrorClass> {
        // Of the bags that are open, the last one goes on; the bags in it wait until it ends, or
        // are opened at once.
        let mut open: Vec<(Spot, i64, Vec<Spot>)> = vec![(bag, 0, Vec::new())];
        while let Some((bag, next, inside)) = open.last_mut() {
            let own = self.handles.get(&bag.handle).ok_or(ErrorClass::Missing)?;
            let child = own
                .bag
                .node_by_id(bag.node)
                .and_then(|bag| bag.child_at(*next));
            let Some(child) = child else {
                let inside = std::mem::take(inside);
                open.pop();
                open.extend(inside.into_iter().rev().map(|bag| (bag, 0, Vec::new())));
                continue;
            };
            *next += 1;
            let found = child.attribute(name).map(attributes::given);
            if found.is_some_and(|found| wanted.is_null() || found == wanted) {
                return Ok(Some(child.label().to_string()));
            }
            let spot = Spot {
                handle: bag.handle.clone(),
                node: child.id(),
            };
            let resolved = self.resolve(&spot, &[])?;
            let bag = match resolved {
                Resolved::Apart(bag) => Some(bag),
                Resolved::Stored => Some(spot).filter(|spot| self.is_bag(spot)),
                Resolved::Value(_) => None,
            };
            let Some(bag) = bag else { continue };
            match open.last_mut() {
                Some((_, _, inside)) if !deep_first => inside.push(bag),
                _ => open.push((bag, 0, Vec::new())),
            }
        }
        Ok(None)
    }

    /// The value of a node for sorting, resolved; `None` for a bag.
    pub(crate) fn resolved_value(&mut self, spot: &Spot) -> Result<Option<Value>, ErrorClass> {
        Ok(match self.resolve(spot, &[])? {
            Resolved::Value(value) => Some(value),
            Resolved::Apart(_) => None,
            Resolved::Stored => {
                let own = self.handle(&spot.handle)?;
                own.bag
                    .node_by_id(spot.node)
                    .and_then(|node| node.value())
                    .cloned()
            }
        })
    }

    /// A value in a bag, resolved; a bag counts as none.
    pub(crate) fn inner_value(&mut self, bag: &Spot, path: &str) -> Result<Cell, ErrorClass> {
        self.inner_cell(bag, path)
    }

    pub(crate) fn children(&self, bag: &Spot) -> Result<Vec<NodeId>, ErrorClass> {
        let bag = self.handle(&bag.handle)?.bag.node_by_id(bag.node);
        Ok(bag
            .iter()
            .flat_map(|bag| bag.children())
            .map(|child| child.id())
            .collect())
    }
}
