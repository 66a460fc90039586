//! Variables of the process's environment.

use std::collections::BTreeSet;
use std::env::VarError;

use dhlrs_bag::{Content, Value};
use dhlrs_resolver::{Call, ResolveError};
use futures_util::future::BoxFuture;

use crate::code::code;
use crate::error::{IoError, IoErrorKind};
use crate::parameter;

/// Which variables may be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvironmentConfig {
    /// The names. Environments hold secrets, so there is no way to allow all.
    pub variables: BTreeSet<String>,
}

impl EnvironmentConfig {
    /// These variables.
    pub fn new(variables: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            variables: variables.into_iter().map(Into::into).collect(),
        }
    }
}

/// Reads the variable that the parameter `variable` names, as Text; without that parameter the only
/// one that is allowed. Null if it is not set.
#[derive(Clone, Debug)]
pub struct EnvironmentResolver {
    config: EnvironmentConfig,
}

impl EnvironmentResolver {
    /// A resolver of these variables.
    #[must_use]
    pub fn new(config: EnvironmentConfig) -> Self {
        Self { config }
    }

    /// Reads a variable.
    ///
    /// # Errors
    ///
    /// [`NotAllowed`](IoErrorKind::NotAllowed) for one that is not listed,
    /// [`Parameter`](IoErrorKind::Parameter) if none is named, [`BadContent`](IoErrorKind::BadContent)
    /// if it is no UTF-8.
    pub fn resolve(&self, call: &Call) -> Result<Content, IoError> {
        let allowed = &self.config.variables;
        let variable = match parameter::text(call, "variable")? {
            Some(variable) => variable,
            None if allowed.len() == 1 => allowed.first().cloned().unwrap_or_default(),
            None => parameter::needed(call, "variable")?,
        };
        if !allowed.contains(&variable) {
            let message = format!("variable {variable:?} may not be read");
            return Err(IoError::new(IoErrorKind::NotAllowed, message));
        }
        match std::env::var(&variable) {
            Ok(value) => Ok(Content::from(value)),
            Err(VarError::NotPresent) => Ok(Content::from(Value::Null)),
            Err(error @ VarError::NotUnicode(_)) => {
                let message = format!("variable {variable:?}");
                Err(IoError::new(IoErrorKind::BadContent, message).because(error))
            }
        }
    }

    /// The code, for a node.
    pub fn into_code(
        self,
    ) -> impl Fn(Call) -> BoxFuture<'static, Result<Content, ResolveError>> + Send + Sync + 'static
    {
        code(self, |own, call| async move { own.resolve(&call) })
    }
}
