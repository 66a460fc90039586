//! Resolvers that local configuration puts on the nodes of a pattern.

use dhlrs_path::{Path, Pattern};

use crate::error::{ConfigError, ConfigErrorKind};
use crate::options::ResolverOptions;
use crate::registry::check_name;
use crate::template::Template;

/// The most bindings of one store. Finding one costs a pass over them.
pub const BINDINGS_MAX: usize = 256;

/// A resolver put on the nodes of a pattern by local configuration. It is not part of the tree: it
/// is never logged, sent or exported.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    // Invariant: `pattern` has no query, `resolver` is a valid name, `options` are within their
    // limits.
    pattern: Pattern,
    resolver: String,
    options: Option<ResolverOptions>,
    address: Option<Template>,
}

impl Binding {
    /// Binds the registered resolver of that name to the nodes that match.
    ///
    /// # Errors
    ///
    /// A bad name, or a pattern that asks for attributes. Whether the name is registered shows when
    /// it is read.
    pub fn new(pattern: Pattern, resolver: &str) -> Result<Self, ConfigError> {
        check_name(resolver)?;
        if pattern.query().is_some() {
            return Err(ConfigError::new(
                ConfigErrorKind::AttributeQuery,
                &pattern.to_string(),
                0,
                0,
            ));
        }
        Ok(Self {
            pattern,
            resolver: resolver.to_owned(),
            options: None,
            address: None,
        })
    }

    /// Uses these options instead of the registered ones. Parameters are merged; those given here
    /// win.
    ///
    /// # Errors
    ///
    /// An option is outside its limits.
    pub fn with_options(mut self, options: ResolverOptions) -> Result<Self, ConfigError> {
        options.check()?;
        self.options = Some(options);
        Ok(self)
    }

    /// The address that the resolver asks, filled in from the attributes of the node at each read.
    #[must_use]
    pub fn with_address(mut self, address: Template) -> Self {
        self.address = Some(address);
        self
    }

    /// Which nodes it covers.
    #[must_use]
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// The name of the resolver.
    #[must_use]
    pub fn resolver(&self) -> &str {
        &self.resolver
    }

    /// The options that replace the registered ones.
    #[must_use]
    pub fn options(&self) -> Option<&ResolverOptions> {
        self.options.as_ref()
    }

    /// The address that the resolver asks.
    #[must_use]
    pub fn address(&self) -> Option<&Template> {
        self.address.as_ref()
    }

    /// Whether it covers its node even while that is missing: it has no wildcard.
    #[must_use]
    pub fn covers_missing(&self) -> bool {
        self.pattern.as_path().is_some()
    }
}

/// The bindings of one store, in the order of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    list: Vec<Binding>,
}

impl Bindings {
    /// No bindings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a binding after those that are there.
    ///
    /// # Errors
    ///
    /// [`BINDINGS_MAX`] is reached.
    pub fn add(&mut self, binding: Binding) -> Result<(), ConfigError> {
        if self.list.len() >= BINDINGS_MAX {
            let count = self.list.len() as u64 + 1;
            return Err(ConfigError::new(
                ConfigErrorKind::TooMany,
                "bindings",
                count,
                BINDINGS_MAX as u64,
            ));
        }
        self.list.push(binding);
        Ok(())
    }

    /// The binding of the node at that path, given as labels: the first that matches. One without
    /// wildcards covers a node that does not exist, too.
    #[must_use]
    pub fn of(&self, path: &Path<'_>, exists: bool) -> Option<&Binding> {
        let mut list = self.list.iter();
        list.find(|binding| {
            (exists || binding.covers_missing()) && binding.pattern.matches_path(path)
        })
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Binding> {
        self.list.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}
