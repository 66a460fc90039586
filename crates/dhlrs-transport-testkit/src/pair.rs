//! What a case works with.

use std::sync::Arc;

use dhlrs_transport::{Channel, Listener, Transport, TransportUrl};

/// Two transports that can reach each other, in the hands of one case.
#[derive(Clone)]
pub struct Pair {
    /// Connects.
    pub near: Arc<dyn Transport>,
    /// Listens.
    pub far: Arc<dyn Transport>,
    /// Where `far` listens: a place of this pair's own, or port 0.
    pub url: TransportUrl,
}

/// A pair whose far side listens.
pub(crate) struct Site {
    pub(crate) pair: Pair,
    pub(crate) listener: Box<dyn Listener>,
}

pub(crate) type Ends = (Box<dyn Channel>, Box<dyn Channel>);

impl Pair {
    pub(crate) async fn listen(self) -> Site {
        let listener = self
            .far
            .listen(&self.url)
            .await
            .expect("the far side listens");
        Site {
            pair: self,
            listener,
        }
    }

    pub(crate) async fn connected(self) -> (Site, Ends) {
        let site = self.listen().await;
        let ends = site.connect().await;
        (site, ends)
    }
}

impl Site {
    pub(crate) async fn connect(&self) -> Ends {
        let connect = self.pair.near.connect(self.listener.url());
        let (near, far) = tokio::join!(connect, self.listener.accept());
        (
            near.expect("the near side connects"),
            far.expect("the far side accepts"),
        )
    }
}
