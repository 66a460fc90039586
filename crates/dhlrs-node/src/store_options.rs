//! What a store is told when its node is built.

use dhlrs_bag::Content;
use dhlrs_path::{Address, Pattern, StoreName};
use dhlrs_resolver::{Binding, Bindings, ResolverOptions, Template};
use dhlrs_store::{Authority, DeriveError, Derived, Forward, GOSSIP_INTERVAL_MS, Inputs, Limits};

use crate::error::{NodeError, NodeErrorKind};

/// How a store of a node is made. Mistakes are told when the node starts.
///
/// ```
/// use dhlrs_node::StoreOptions;
///
/// let orders = StoreOptions::owned("orders")
///     .resolve("customers.*", "crm/main/people/{id}", 60_000)
///     .forward("done.**", "archive/main/orders/2026");
/// ```
#[derive(Debug)]
pub struct StoreOptions {
    pub(crate) name: Result<StoreName, NodeError>,
    /// `None`: what the data directory says.
    pub(crate) authority: Option<Authority>,
    pub(crate) gossip_interval_ms: u64,
    pub(crate) in_memory: bool,
    pub(crate) bindings: Bindings,
    pub(crate) forwards: Vec<Forward>,
    pub(crate) derived: Vec<Derived>,
    pub(crate) limits: Limits,
    /// The first mistake.
    pub(crate) mistake: Option<NodeError>,
}

impl StoreOptions {
    /// A store that this process alone has, and that others reach by messages. It is durable if the
    /// node has a data directory.
    #[must_use]
    pub fn owned(name: &str) -> Self {
        Self::of(name, Some(Authority::Owned))
    }

    /// A store of which every process that opens it under this name holds a copy. Each writes whether or
    /// not it reaches others, what one has written travels on through whomever it meets, and all end
    /// equal. Durable if the node has a data directory.
    ///
    /// It has no root: whoever is linked with one of its processes may write, nobody can be shut out, and
    /// its history is kept whole.
    #[must_use]
    pub fn replicated(name: &str) -> Self {
        Self::of(name, Some(Authority::Replicated))
    }

    /// A store that the data directory holds, as what it is there.
    pub(crate) fn found(name: &str) -> Self {
        Self::of(name, None)
    }

    fn of(name: &str, authority: Option<Authority>) -> Self {
        let name = name.parse().map_err(|error| {
            let what = format!("{name:?} is no store name: {error}");
            NodeError::caused_by(NodeErrorKind::Config, what, error)
        });
        Self {
            name,
            authority,
            gossip_interval_ms: GOSSIP_INTERVAL_MS,
            in_memory: false,
            bindings: Bindings::new(),
            forwards: Vec::new(),
            derived: Vec::new(),
            limits: Limits::default(),
            mistake: None,
        }
    }

    /// Keeps the store in memory, though the node has a data directory.
    #[must_use]
    pub fn in_memory(mut self) -> Self {
        self.in_memory = true;
        self
    }

    /// How often a replicated store says to its neighbours how far it is, besides what it tells them as it
    /// happens: 10,000 ms unless it is told otherwise.
    #[must_use]
    pub fn gossip_interval_ms(mut self, interval_ms: u64) -> Self {
        self.gossip_interval_ms = interval_ms.max(1);
        self
    }

    /// Reads the values of the nodes that match `pattern` from the node at `address`, which is in
    /// another store; `{attribute}` there is an attribute of the node. What was read is kept for
    /// `cache_ms`: 0 reads it every time, below 0 keeps it until it is invalidated.
    #[must_use]
    pub fn resolve(self, pattern: &str, address: &str, cache_ms: i64) -> Self {
        let options = ResolverOptions {
            cache_time_ms: cache_ms,
            ..ResolverOptions::default()
        };
        match Template::parse(address) {
            Ok(template) => self.bound(
                pattern,
                dhlrs_engine::REMOTE_RESOLVER,
                Some(options),
                Some(template),
            ),
            Err(error) => {
                let what = format!("{address:?} is no address to resolve from: {error}");
                self.with_mistake(NodeError::caused_by(NodeErrorKind::Config, what, error))
            }
        }
    }

    /// Resolves the nodes that match `pattern` by the resolver that the node's builder registered
    /// under that name. `options` replace the registered ones.
    #[must_use]
    pub fn bind(self, pattern: &str, resolver: &str, options: Option<ResolverOptions>) -> Self {
        self.bound(pattern, resolver, options, None)
    }

    /// Sends each change below `pattern` on to `address`, once, whatever is killed meanwhile. What
    /// follows the pattern's literal leading steps is added to the address.
    #[must_use]
    pub fn forward(mut self, pattern: &str, address: &str) -> Self {
        let pattern: Pattern = match pattern.parse() {
            Ok(pattern) => pattern,
            Err(error) => {
                let what = format!("{pattern:?} is no pattern to forward: {error}");
                let mistake = NodeError::caused_by(NodeErrorKind::Config, what, error);
                return self.with_mistake(mistake);
            }
        };
        let to: Address = match address.parse() {
            Ok(to) => to,
            Err(error) => {
                let what = format!("{address:?} is no address to forward to: {error}");
                let mistake = NodeError::caused_by(NodeErrorKind::Config, what, error);
                return self.with_mistake(mistake);
            }
        };
        self.forwards.push(Forward { pattern, to });
        self
    }

    /// Shows at `path` what `compute` makes of the nodes that fit the patterns `from`, and computes
    /// it again in the same revision in which one of them changes. It is this process's own: never
    /// logged, sent or exported, and read like any other value. See [`Derived`].
    #[must_use]
    pub fn derived<C: Into<Content>>(
        mut self,
        path: &str,
        from: impl IntoIterator<Item = impl AsRef<str>>,
        compute: impl Fn(&Inputs<'_>) -> Result<C, DeriveError> + Send + 'static,
    ) -> Self {
        match Derived::new(path, from, compute) {
            Ok(derived) => {
                self.derived.push(derived);
                self
            }
            Err(error) => {
                let what = format!("cannot derive a value: {error}");
                self.with_mistake(NodeError::caused_by(NodeErrorKind::Config, what, error))
            }
        }
    }

    /// Replaces the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    fn bound(
        mut self,
        pattern: &str,
        resolver: &str,
        options: Option<ResolverOptions>,
        address: Option<Template>,
    ) -> Self {
        let pattern: Pattern = match pattern.parse() {
            Ok(pattern) => pattern,
            Err(error) => {
                let what = format!("{pattern:?} is no pattern to resolve: {error}");
                let mistake = NodeError::caused_by(NodeErrorKind::Config, what, error);
                return self.with_mistake(mistake);
            }
        };
        let binding = Binding::new(pattern, resolver).and_then(|binding| match options {
            Some(options) => binding.with_options(options),
            None => Ok(binding),
        });
        let added = binding.and_then(|binding| {
            self.bindings.add(match address {
                Some(address) => binding.with_address(address),
                None => binding,
            })
        });
        match added {
            Ok(()) => self,
            Err(error) => {
                let what = format!("cannot bind resolver {resolver:?}: {error}");
                self.with_mistake(NodeError::caused_by(NodeErrorKind::Config, what, error))
            }
        }
    }

    fn with_mistake(mut self, mistake: NodeError) -> Self {
        self.mistake.get_or_insert(mistake);
        self
    }
}
