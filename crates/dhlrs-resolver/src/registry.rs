//! The resolvers that can run here, by name.

use std::collections::BTreeMap;

use crate::error::{ConfigError, ConfigErrorKind, ResolveError, ResolveErrorKind};
use crate::options::ResolverOptions;

/// The longest name of a resolver. The shortest has one byte.
pub const RESOLVER_NAME_BYTES_MAX: usize = 255;
/// The most resolvers of one registry.
pub const RESOLVERS_MAX: usize = 1024;

/// The resolvers of this process, by name: what they promise, not what they do. The code is the
/// driver's.
///
/// Nodes and bindings carry a name; only what is registered here can run.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    // Invariant: every name and every option is within its limits.
    resolvers: BTreeMap<String, ResolverOptions>,
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a resolver.
    ///
    /// # Errors
    ///
    /// A bad name, an option outside its limits, a name that is taken, or [`RESOLVERS_MAX`]
    /// reached.
    pub fn register(&mut self, name: &str, options: ResolverOptions) -> Result<(), ConfigError> {
        check_name(name)?;
        options.check()?;
        if self.resolvers.contains_key(name) {
            return Err(ConfigError::new(ConfigErrorKind::Exists, name, 0, 0));
        }
        if self.resolvers.len() >= RESOLVERS_MAX {
            let count = self.resolvers.len() as u64 + 1;
            return Err(ConfigError::new(
                ConfigErrorKind::TooMany,
                "resolvers",
                count,
                RESOLVERS_MAX as u64,
            ));
        }
        self.resolvers.insert(name.to_owned(), options);
        Ok(())
    }

    /// The options of a resolver.
    ///
    /// # Errors
    ///
    /// [`NotRegistered`](ResolveErrorKind::NotRegistered), naming those that are.
    pub fn options(&self, name: &str) -> Result<&ResolverOptions, ResolveError> {
        self.resolvers
            .get(name)
            .ok_or_else(|| self.not_registered(name))
    }

    /// The registered names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.resolvers.keys().map(String::as_str)
    }

    fn not_registered(&self, name: &str) -> ResolveError {
        // A message is bounded; more names than this only push out the one that was asked for.
        const NAMES_SHOWN_MAX: usize = 16;
        let mut message = format!("resolver {name:?} is not registered here");
        for (at, known) in self.names().take(NAMES_SHOWN_MAX).enumerate() {
            message.push_str(if at == 0 { "; there are: " } else { ", " });
            message.push_str(known);
        }
        match self.resolvers.len() {
            0 => message.push_str("; there is none"),
            all if all > NAMES_SHOWN_MAX => message.push_str(", …"),
            _ => {}
        }
        ResolveError::new(ResolveErrorKind::NotRegistered, &message)
    }
}

pub(crate) fn check_name(name: &str) -> Result<(), ConfigError> {
    let sized = (1..=RESOLVER_NAME_BYTES_MAX).contains(&name.len());
    if sized && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(ConfigError::new(
        ConfigErrorKind::BadName,
        name,
        name.len() as u64,
        RESOLVER_NAME_BYTES_MAX as u64,
    ))
}
