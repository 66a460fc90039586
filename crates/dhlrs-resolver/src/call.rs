//! What the tree says about a node that is read, and the call that comes of it.

use dhlrs_bag::{ATTRIBUTES_MAX, Attributes, NodeId, ResolverRef};
use dhlrs_path::{Address, Path};

use crate::binding::Binding;
use crate::error::{ResolveError, ResolveErrorKind};
use crate::options::{ResolverOptions, Retry};
use crate::registry::Registry;

/// Whose value is resolved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// A node of the tree.
    Node(NodeId),
    /// A node that does not exist, at the path of a binding without wildcards. See
    /// [`Resolvers::adopt`](crate::Resolvers::adopt).
    Missing(Path<'static>),
}

impl From<NodeId> for Slot {
    fn from(node: NodeId) -> Self {
        Self::Node(node)
    }
}

/// What says that there is a resolver.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// The node itself names it. Cache time and read_only of the reference are used.
    Node(&'a ResolverRef),
    /// The local configuration does.
    Binding(&'a Binding),
}

/// All that the tree says about a node when it is read.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Whose value.
    pub slot: &'a Slot,
    /// Where the node is now. A resolver sees it; a cached result does not depend on it.
    pub path: &'a Path<'a>,
    /// The resolver.
    pub source: Source<'a>,
    /// The attributes of the node.
    pub attributes: &'a Attributes,
    /// The arguments of this read. They are used for the call and kept nowhere else.
    pub arguments: &'a Attributes,
}

/// One call of a resolver, for the driver to carry out.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The registered name.
    pub resolver: String,
    /// Where the node was when the flight began.
    pub path: Path<'static>,
    /// Defaults, attributes of the node and arguments, merged.
    pub parameters: Attributes,
    /// Whom to ask, if the binding says so.
    pub address: Option<Address>,
    /// When the flight ends, on the monotonic clock. A result that comes later is ignored.
    pub deadline_ms: u64,
}

/// What a result depends on. Results of equal keys are interchangeable.
#[derive(Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) resolver: String,
    pub(crate) parameters: Attributes,
    pub(crate) address: Option<Address>,
}

impl Key {
    pub(crate) fn call(&self, path: Path<'static>, deadline_ms: u64) -> Call {
        Call {
            resolver: self.resolver.clone(),
            path,
            parameters: self.parameters.clone(),
            address: self.address.clone(),
            deadline_ms,
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        let address = self
            .address
            .as_ref()
            .map_or(0, |address| address.path().as_str().len());
        (self.resolver.len() + address) as u64 + self.parameters.encoded_bytes() as u64
    }
}

/// The options of one read, without the parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) cache_time_ms: i64,
    pub(crate) timeout_ms: u64,
    pub(crate) retry: Retry,
    pub(crate) stale_while_revalidate_ms: u64,
    pub(crate) negative_cache_ms: u64,
    pub(crate) refresh_interval_ms: u64,
    pub(crate) read_only: bool,
}

impl Rules {
    pub(crate) fn of(registry: &Registry, source: Source<'_>) -> Result<Self, ResolveError> {
        match source {
            Source::Node(reference) => {
                let options = registry.options(reference.name.as_str())?;
                if options.bindings_only {
                    let message = format!(
                        "resolver {:?} runs for bindings only, and a node of the tree named it",
                        reference.name.as_str()
                    );
                    return Err(ResolveError::new(ResolveErrorKind::Denied, &message));
                }
                let read_only = options.read_only || reference.read_only;
                Ok(Self {
                    cache_time_ms: reference.cache_time_ms,
                    read_only,
                    ..Self::from(options)
                })
            }
            Source::Binding(binding) => {
                let registered = registry.options(binding.resolver())?;
                Ok(Self::from(binding.options().unwrap_or(registered)))
            }
        }
    }

    /// Whether a result is needed after the moment it arrives.
    pub(crate) fn keeps_content(&self) -> bool {
        self.cache_time_ms != 0 || self.stale_while_revalidate_ms > 0
    }

    pub(crate) fn is_fresh(&self, resolved_ms: u64, now_ms: u64) -> bool {
        match u64::try_from(self.cache_time_ms) {
            Ok(cache_ms) => now_ms < resolved_ms.saturating_add(cache_ms),
            Err(_) => true,
        }
    }

    pub(crate) fn is_servable(&self, resolved_ms: u64, now_ms: u64) -> bool {
        // Below 0 it is fresh, and this is not asked.
        let cache_ms = u64::try_from(self.cache_time_ms).unwrap_or(0);
        let end_ms = resolved_ms
            .saturating_add(cache_ms)
            .saturating_add(self.stale_while_revalidate_ms);
        now_ms < end_ms
    }
}

impl From<&ResolverOptions> for Rules {
    fn from(options: &ResolverOptions) -> Self {
        Self {
            cache_time_ms: options.cache_time_ms,
            timeout_ms: options.timeout_ms,
            retry: options.retry,
            stale_while_revalidate_ms: options.stale_while_revalidate_ms,
            negative_cache_ms: options.negative_cache_ms,
            refresh_interval_ms: options.refresh_interval_ms,
            read_only: options.read_only,
        }
    }
}

impl Request<'_> {
    pub(crate) fn key(&self, registry: &Registry) -> Result<Key, ResolveError> {
        let (name, own, address) = match self.source {
            Source::Node(reference) => (reference.name.as_str(), Some(&reference.parameters), None),
            Source::Binding(binding) => {
                let address = binding
                    .address()
                    .map(|template| template.render(self.attributes))
                    .transpose()?;
                (
                    binding.resolver(),
                    binding.options().map(|options| &options.parameters),
                    address,
                )
            }
        };
        let mut parameters = registry.options(name)?.parameters.clone();
        let over = own.into_iter().chain([self.attributes, self.arguments]);
        for (name, value) in over.flat_map(Attributes::iter) {
            parameters.insert(name.clone(), value.clone());
        }
        if parameters.len() > ATTRIBUTES_MAX {
            let message = format!(
                "too many parameters for the resolver of {:?}: {}, limit {ATTRIBUTES_MAX}",
                self.path.as_str(),
                parameters.len()
            );
            return Err(ResolveError::new(ResolveErrorKind::TooLarge, &message));
        }
        Ok(Key {
            resolver: name.to_owned(),
            parameters,
            address,
        })
    }
}
