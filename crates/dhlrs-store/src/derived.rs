//! Derived values: what they are computed from, how, and why one cannot be.

use std::error::Error;
use std::fmt;

use dhlrs_bag::{Content, Tree, Value};
use dhlrs_path::{ParsePathError, Path, Pattern};

/// Derived values of one store.
pub const DERIVED_MAX: usize = 1_024;
/// Patterns that one derived value is computed from.
pub const DEPENDENCIES_MAX: usize = 64;

type Compute = Box<dyn Fn(&Inputs<'_>) -> Result<Content, DeriveError> + Send>;

/// A value that is computed from other paths of its store, and again when they change.
///
/// It shows at its path as an overlay: in this process only, never logged, exported or sent on as
/// data, and readable from anywhere like any other value. What it is computed from is said when it
/// is defined, as paths and patterns, and it can read nothing else: so a cycle is found before the
/// first value is computed. A pattern means the nodes that it fits, with their attributes; one with
/// a query (`orders.*?price`) those attributes alone; what is below a node needs `orders.**`.
///
/// The function has to give the same for the same inputs. It runs inside the store, as often as
/// something that it depends on changes, and must not block. If it fails or panics the value is
/// Null, and that is reported once.
///
/// ```
/// use dhlrs_bag::Value;
/// use dhlrs_store::Derived;
///
/// let total = Derived::new("total", ["orders.*.price"], |inputs| {
///     Ok(inputs.values().filter_map(|(_, price)| price.as_int()).sum::<i64>())
/// })?;
/// assert_eq!(total.path().as_str(), "total");
/// # Ok::<(), dhlrs_store::DefinitionError>(())
/// ```
pub struct Derived {
    // Invariant: labels only, not the root, no query.
    path: Path<'static>,
    from: Vec<Pattern>,
    compute: Compute,
}

impl Derived {
    /// Defines the value at `path`, computed from the nodes that fit `from`.
    ///
    /// # Errors
    ///
    /// A path that is the root or has anything but labels, a text that is no pattern, or more
    /// patterns than [`DEPENDENCIES_MAX`].
    pub fn new<C: Into<Content>>(
        path: &str,
        from: impl IntoIterator<Item = impl AsRef<str>>,
        compute: impl Fn(&Inputs<'_>) -> Result<C, DeriveError> + Send + 'static,
    ) -> Result<Self, DefinitionError> {
        let refuse = |kind, what: &str| DefinitionError::new(kind, what);
        let parsed: Path<'static> = path
            .parse()
            .map_err(|error| refuse(DefinitionErrorKind::BadPath, path).because(error))?;
        if parsed.is_root() || !parsed.labels_only() || parsed.query().is_some() {
            return Err(refuse(DefinitionErrorKind::BadPath, path));
        }
        let mut patterns = Vec::new();
        for text in from {
            let text = text.as_ref();
            if patterns.len() >= DEPENDENCIES_MAX {
                return Err(refuse(DefinitionErrorKind::TooManyDependencies, path));
            }
            let pattern = Pattern::parse(text)
                .map_err(|error| refuse(DefinitionErrorKind::BadPattern, text).because(error))?;
            patterns.push(pattern);
        }
        Ok(Self {
            path: parsed,
            from: patterns,
            compute: Box::new(move |inputs| compute(inputs).map(Into::into)),
        })
    }

    /// Where it shows.
    #[must_use]
    pub fn path(&self) -> &Path<'static> {
        &self.path
    }

    /// What it is computed from.
    #[must_use]
    pub fn from(&self) -> &[Pattern] {
        &self.from
    }

    pub(crate) fn compute(&self, tree: &Tree) -> Result<Content, DeriveError> {
        (self.compute)(&Inputs {
            tree,
            from: &self.from,
        })
    }

    /// Whether it is computed from what another one shows at that path. Derived nodes have no
    /// attributes, those inside a derived branch may.
    pub(crate) fn reads(&self, path: &Path<'_>) -> bool {
        let inside = Pattern::parse(&format!("{path}.*.**"));
        self.from.iter().any(|pattern| match pattern.query() {
            None => pattern.intersects_subtree(path),
            Some(_) => inside
                .as_ref()
                .is_ok_and(|inside| pattern.without_query().intersects(inside)),
        })
    }
}

impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Derived")
            .field("path", &self.path)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// What a derived value may read: the tree as it shows, where the definition said so.
#[derive(Debug)]
pub struct Inputs<'a> {
    tree: &'a Tree,
    from: &'a [Pattern],
}

impl<'a> Inputs<'a> {
    /// The value at a path, or of an attribute (`path?name`). `None` for what is missing and for a
    /// bag.
    ///
    /// # Errors
    ///
    /// [`Undeclared`](DeriveErrorKind::Undeclared) for a path that the definition does not name:
    /// a change there would go unnoticed. [`BadPath`](DeriveErrorKind::BadPath).
    pub fn get(&self, path: &str) -> Result<Option<&'a Value>, DeriveError> {
        let parsed = Path::parse(path).map_err(|error| {
            let message = format!("{path:?} is no path: {error}");
            DeriveError::new(DeriveErrorKind::BadPath, message)
        })?;
        let place = parsed.without_query();
        let covers = |pattern: &Pattern| {
            let names_it = match (pattern.query(), parsed.query()) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(declared), Some(read)) => read.names().all(|name| declared.includes(&name)),
            };
            names_it && pattern.matches_path(&place)
        };
        if !self.from.iter().any(covers) {
            let message = format!("it reads {path:?}, which its definition does not name");
            return Err(DeriveError::new(DeriveErrorKind::Undeclared, message));
        }
        Ok(self.tree.get(path))
    }

    /// All values that the definition names, with their paths: pattern by pattern, in the order of
    /// the tree. Bags have none. Of a pattern with a query, the attributes.
    pub fn values(&self) -> impl Iterator<Item = (Path<'static>, &'a Value)> {
        let tree = self.tree;
        self.from
            .iter()
            .flat_map(move |pattern| values(tree, pattern))
    }

    /// The values of the `n`-th pattern alone, the first being 0.
    pub fn values_of(&self, n: usize) -> impl Iterator<Item = (Path<'static>, &'a Value)> {
        let tree = self.tree;
        let pattern = self.from.get(n).into_iter();
        pattern.flat_map(move |pattern| values(tree, pattern))
    }
}

fn values<'a>(
    tree: &'a Tree,
    pattern: &'a Pattern,
) -> impl Iterator<Item = (Path<'static>, &'a Value)> {
    tree.query(pattern).flat_map(move |node| {
        let path = node.path();
        let Some(query) = pattern.query() else {
            return node
                .value()
                .map(|value| (path, value))
                .into_iter()
                .collect();
        };
        let named = node.attributes().iter();
        let named = named.filter(|(name, _)| query.includes(name));
        let with_query = |name: &str| path.with_query([name]).ok();
        named
            .filter_map(|(name, value)| Some((with_query(name)?, value)))
            .collect::<Vec<_>>()
    })
}

/// Why a derived value could not be computed. It is Null then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeriveError {
    kind: DeriveErrorKind,
    message: String,
}

/// What is to be mended about a [`DeriveError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeriveErrorKind {
    /// The function says so.
    Failed,
    /// It read what its definition does not name.
    Undeclared,
    /// It read what is no path.
    BadPath,
    /// It panicked.
    Panicked,
    /// The result cannot stand there: it is over a limit, or lies below a value.
    NoPlace,
}

impl DeriveError {
    pub(crate) fn new(kind: DeriveErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message }
    }

    /// The inputs do not allow a result; the message tells a person why.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(DeriveErrorKind::Failed, message)
    }

    /// What is to be mended.
    #[must_use]
    pub fn kind(&self) -> DeriveErrorKind {
        self.kind
    }
}

impl fmt::Display for DeriveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for DeriveError {}

/// Why a derived value cannot be defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionError {
    kind: DefinitionErrorKind,
    what: String,
    cycle: Vec<Path<'static>>,
    source: Option<ParsePathError>,
}

/// What is wrong with a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DefinitionErrorKind {
    /// A derived value needs a path of labels, and not the root.
    BadPath,
    /// What it is computed from is no pattern.
    BadPattern,
    /// There are [`DERIVED_MAX`] in the store already.
    TooMany,
    /// It is computed from more than [`DEPENDENCIES_MAX`] patterns.
    TooManyDependencies,
    /// There is one at that path, above it or below it already.
    Exists,
    /// It would be computed from itself, see [`DefinitionError::cycle`].
    Cycle,
}

impl DefinitionError {
    pub(crate) fn new(kind: DefinitionErrorKind, what: &str) -> Self {
        Self {
            kind,
            what: what.to_owned(),
            cycle: Vec::new(),
            source: None,
        }
    }

    pub(crate) fn of_cycle(cycle: Vec<Path<'static>>) -> Self {
        let what = cycle.iter().map(ToString::to_string);
        let what = what.collect::<Vec<_>>().join(" -> ");
        Self {
            cycle,
            ..Self::new(DefinitionErrorKind::Cycle, &what)
        }
    }

    fn because(mut self, source: ParsePathError) -> Self {
        self.source = Some(source);
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> DefinitionErrorKind {
        self.kind
    }

    /// The paths of a cycle, each computed from the one after it; the first is the last as well.
    /// Empty for other kinds.
    #[must_use]
    pub fn cycle(&self) -> &[Path<'static>] {
        &self.cycle
    }
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = &self.what;
        match self.kind {
            DefinitionErrorKind::BadPath => {
                write!(f, "{what:?} is no place for a derived value: labels only")?;
            }
            DefinitionErrorKind::BadPattern => write!(f, "{what:?} is no pattern to derive from")?,
            DefinitionErrorKind::TooMany => {
                write!(
                    f,
                    "too many derived values for {what:?}, limit {DERIVED_MAX}"
                )?;
            }
            DefinitionErrorKind::TooManyDependencies => write!(
                f,
                "{what:?} is derived from too many patterns, limit {DEPENDENCIES_MAX}"
            )?,
            DefinitionErrorKind::Exists => {
                write!(f, "there is a derived value at {what:?}, or around it")?;
            }
            DefinitionErrorKind::Cycle => write!(f, "derived from itself: {what}")?,
        }
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl Error for DefinitionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
