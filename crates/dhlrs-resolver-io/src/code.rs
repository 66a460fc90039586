//! What every resolver here comes to: code that a node can be given.

use std::future::Future;
use std::sync::Arc;

use dhlrs_bag::Content;
use dhlrs_resolver::{Call, ResolveError};
use futures_util::future::BoxFuture;

use crate::error::IoError;

pub(crate) fn code<T, R>(
    resolver: T,
    run: impl Fn(Arc<T>, Call) -> R + Send + Sync + 'static,
) -> impl Fn(Call) -> BoxFuture<'static, Result<Content, ResolveError>> + Send + Sync + 'static
where
    T: Send + Sync + 'static,
    R: Future<Output = Result<Content, IoError>> + Send + 'static,
{
    let resolver = Arc::new(resolver);
    move |call| {
        let running = run(Arc::clone(&resolver), call);
        Box::pin(async move { running.await.map_err(ResolveError::from) })
    }
}
