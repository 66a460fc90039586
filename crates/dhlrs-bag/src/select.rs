//! Selections of what is in a bag, and what is shown of each node: `#k #v #a #a.x #p #n`.

use std::{fmt, str::FromStr};

use dhlrs_path::{Path, Pattern};

use crate::{Attributes, BagNode, ColumnError, Decimal, Label, Name, Value, Visited, Walk};

/// Some of the nodes in a bag as they show, in pre-order; all of them unless it is said otherwise.
///
/// ```
/// # use dhlrs_bag::{Bag, Cell, Column, Value};
/// let mut bag = Bag::new();
/// bag.set("o1.price", 3)?;
/// bag.set("o2.price", 5)?;
/// let pattern = "*.price".parse()?;
/// let dear = bag.root().select().matching(&pattern).filtered(|node| node.value().and_then(Value::as_int) > Some(4));
/// let columns = [Column::Path, Column::Value];
/// let rows: Vec<_> = dear.digest(&columns).collect();
/// assert_eq!(rows, [[Cell::Path("o2.price".parse()?), Cell::Value(Some(&Value::Int(5)))]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Select<'a> {
    walk: Walk<'a>,
    depth: usize,
    kind: Option<Kind>,
    pattern: Option<&'a Pattern>,
    filters: Vec<Filter<'a>>,
    left: Option<usize>,
}

type Filter<'a> = Box<dyn Fn(&BagNode<'a>) -> bool + 'a>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Leaf,
    Branch,
}

/// What a digest shows of a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Column {
    /// `#k`: the label.
    Label,
    /// `#v`: the value.
    Value,
    /// `#a`: all attributes.
    Attributes,
    /// `#a.NAME`: one attribute.
    Attribute(Name),
    /// `#p`: the path, from the bag on in which the nodes were selected.
    Path,
    /// `#n`: the node.
    Node,
}

/// What a node shows in a [`Column`].
#[derive(Clone, PartialEq, Debug)]
pub enum Cell<'a> {
    /// Its label.
    Label(&'a Label),
    /// Its value; none of a bag.
    Value(Option<&'a Value>),
    /// Its attributes.
    Attributes(&'a Attributes),
    /// One attribute, if it has that.
    Attribute(Option<&'a Value>),
    /// Its path.
    Path(Path<'static>),
    /// The node.
    Node(BagNode<'a>),
}

impl<'a> BagNode<'a> {
    /// Everything in it, to be narrowed down.
    pub fn select(&self) -> Select<'a> {
        Select {
            walk: self.walk(),
            depth: usize::MAX,
            kind: None,
            pattern: None,
            filters: Vec::new(),
            left: None,
        }
    }
}

impl<'a> Select<'a> {
    /// Only nodes that are so many steps away at most: 1 is the children, 0 nothing.
    #[must_use]
    pub fn depth(self, depth: usize) -> Self {
        Self { depth, ..self }
    }

    /// Only nodes that show no bag.
    #[must_use]
    pub fn leaves(self) -> Self {
        let kind = Some(Kind::Leaf);
        Self { kind, ..self }
    }

    /// Only bags.
    #[must_use]
    pub fn branches(self) -> Self {
        let kind = Some(Kind::Branch);
        Self { kind, ..self }
    }

    /// Only nodes whose path, from the bag on in which is selected, fits a pattern. To search a
    /// whole tree, [`Tree::query`](crate::Tree::query) is faster: it passes over what cannot fit.
    #[must_use]
    pub fn matching(self, pattern: &'a Pattern) -> Self {
        let pattern = Some(pattern);
        Self { pattern, ..self }
    }

    /// Only nodes of which this is true; of several filters, all.
    #[must_use]
    pub fn filtered(mut self, filter: impl Fn(&BagNode<'a>) -> bool + 'a) -> Self {
        self.filters.push(Box::new(filter));
        self
    }

    /// Only the first of those that are left; 0 is nothing.
    #[must_use]
    pub fn limit(self, nodes: usize) -> Self {
        let left = Some(nodes);
        Self { left, ..self }
    }

    /// What the nodes show in these columns, a row each.
    pub fn digest<'c>(
        self,
        columns: &'c [Column],
    ) -> impl Iterator<Item = Vec<Cell<'a>>> + use<'a, 'c> {
        let mut select = self;
        std::iter::from_fn(move || {
            let visited = select.advance()?;
            Some(columns.iter().map(|own| own.cell(&visited)).collect())
        })
    }

    /// The sum of what the nodes show in one column; what is no number counts for nothing, and of
    /// the Bools `true` is 1.
    ///
    /// An Int, or with a Decimal among the numbers a Decimal, or with a Float a Float; also a Float
    /// where another sum does not fit its type.
    pub fn sum(mut self, column: &Column) -> Value {
        let mut total = Value::Int(0);
        while let Some(visited) = self.advance() {
            if let Cell::Value(Some(value)) | Cell::Attribute(Some(value)) = column.cell(&visited) {
                total = added(total, value);
            }
        }
        total
    }

    fn advance(&mut self) -> Option<Visited<'a>> {
        if self.left == Some(0) {
            return None;
        }
        loop {
            let visited = self.walk.next()?;
            let steps = usize::from(visited.depth) + 1;
            if steps >= self.depth {
                self.walk.skip_inside();
            }
            if steps <= self.depth && self.takes(&visited) {
                self.left = self.left.map(|left| left - 1);
                return Some(visited);
            }
        }
    }

    fn takes(&self, visited: &Visited<'a>) -> bool {
        let node = &visited.node;
        let is_kind = match self.kind {
            None => true,
            Some(kind) => (kind == Kind::Branch) == node.is_bag(),
        };
        is_kind
            && (self.pattern).is_none_or(|pattern| pattern.matches_path(&relative_path(visited)))
            && self.filters.iter().all(|filter| filter(node))
    }
}

impl<'a> Iterator for Select<'a> {
    type Item = BagNode<'a>;

    fn next(&mut self) -> Option<BagNode<'a>> {
        self.advance().map(|visited| visited.node)
    }
}

impl fmt::Debug for Select<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Select")
            .field("depth", &self.depth)
            .field("pattern", &self.pattern)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

fn relative_path(visited: &Visited<'_>) -> Path<'static> {
    let path = visited.node.path();
    path.tail(usize::from(visited.depth) + 1).into_owned()
}

impl Column {
    fn cell<'a>(&self, visited: &Visited<'a>) -> Cell<'a> {
        let node = visited.node;
        match self {
            Self::Label => Cell::Label(node.label()),
            Self::Value => Cell::Value(node.value()),
            Self::Attributes => Cell::Attributes(node.attributes()),
            Self::Attribute(name) => Cell::Attribute(node.attribute(name)),
            Self::Path => Cell::Path(relative_path(visited)),
            Self::Node => Cell::Node(node),
        }
    }
}

impl FromStr for Column {
    type Err = ColumnError;

    fn from_str(text: &str) -> Result<Self, ColumnError> {
        Ok(match text {
            "#k" => Self::Label,
            "#v" => Self::Value,
            "#a" => Self::Attributes,
            "#p" => Self::Path,
            "#n" => Self::Node,
            _ => {
                let name = text.strip_prefix("#a.").ok_or(ColumnError::Form)?;
                Self::Attribute(Name::new(name).map_err(ColumnError::Name)?)
            }
        })
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Label => "#k",
            Self::Value => "#v",
            Self::Attributes => "#a",
            Self::Path => "#p",
            Self::Node => "#n",
            Self::Attribute(name) => return write!(f, "#a.{name}"),
        })
    }
}

fn added(total: Value, value: &Value) -> Value {
    let value = match value {
        Value::Bool(own) => Value::from(i64::from(*own)),
        own => own.clone(),
    };
    let (Some(a), Some(b)) = (total.to_f64(), value.to_f64()) else {
        return total;
    };
    let decimal = |value: &Value| match value {
        Value::Int(own) => Some(Decimal::from(*own)),
        Value::Decimal(own) => Some(*own),
        _ => None,
    };
    let exact = match (&total, &value) {
        (Value::Int(a), Value::Int(b)) => a.checked_add(*b).map(Value::Int),
        (a, b) => match (decimal(a), decimal(b)) {
            (Some(a), Some(b)) => a.checked_add(b).map(Value::Decimal),
            _ => None,
        },
    };
    exact.unwrap_or(Value::Float(a + b))
}
