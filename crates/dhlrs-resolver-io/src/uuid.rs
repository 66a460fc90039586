//! A new name each time.

use dhlrs_bag::Content;
use dhlrs_resolver::{Call, ResolveError};
use futures_util::future::BoxFuture;

use crate::code::code;

/// Gives a new random UUID (version 4) at each call, as Text: `cache_time_ms` below 0 keeps it until
/// it is invalidated or the process ends; [materialise] it to keep it for good.
///
/// [materialise]: dhlrs_bag::Edit::Materialise
#[derive(Clone, Copy, Debug, Default)]
pub struct UuidResolver;

impl UuidResolver {
    /// A new UUID, in lower case with hyphens.
    #[must_use]
    pub fn resolve(self) -> Content {
        Content::from(::uuid::Uuid::new_v4().to_string())
    }

    /// The code, for a node.
    pub fn into_code(
        self,
    ) -> impl Fn(Call) -> BoxFuture<'static, Result<Content, ResolveError>> + Send + Sync + 'static
    {
        code(self, |own, _| async move { Ok(own.resolve()) })
    }
}
