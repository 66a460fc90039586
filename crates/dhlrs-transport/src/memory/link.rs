//! The line under the channels, which a test can cut, stall and heal.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::watch;

use super::channel::Core;

/// The line between two endpoints of a [`MemoryBus`](super::MemoryBus), or between a pair, in the
/// hands of a test. Clones are the same line.
#[derive(Clone, Debug)]
pub struct MemoryLink {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: watch::Sender<LinkState>,
    channels: Mutex<Vec<Weak<Core>>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LinkState {
    pub(super) cut: bool,
    pub(super) stalled: bool,
    // A channel from before a cut stays dead after the line is healed.
    pub(super) cuts: u64,
}

impl MemoryLink {
    pub(super) fn new() -> Self {
        let (state, _) = watch::channel(LinkState::default());
        Self {
            inner: Arc::new(Inner {
                state,
                channels: Mutex::default(),
            }),
        }
    }

    /// Ends every channel of this line and loses what they hold: their frames, and with them the
    /// receipts. Connecting is `Unavailable` until [`heal`](Self::heal).
    pub fn cut(&self) {
        self.inner.state.send_modify(|state| {
            state.cut = true;
            state.stalled = false;
            state.cuts += 1;
        });
        let channels = std::mem::take(&mut *self.channels());
        for core in channels.iter().filter_map(Weak::upgrade) {
            core.lose_queued();
        }
    }

    /// Lets nothing through until [`heal`](Self::heal), and loses nothing: senders fill the queue
    /// and wait, receivers wait, who connects waits.
    pub fn stall(&self) {
        self.inner.state.send_modify(|state| state.stalled = true);
    }

    /// Opens a line that was cut or stalled. Channels that a cut ended stay ended.
    pub fn heal(&self) {
        self.inner.state.send_modify(|state| {
            state.cut = false;
            state.stalled = false;
        });
    }

    pub(super) fn watch(&self) -> watch::Receiver<LinkState> {
        self.inner.state.subscribe()
    }

    pub(super) fn track(&self, core: &Arc<Core>) {
        let mut channels = self.channels();
        channels.retain(|known| known.strong_count() > 0);
        channels.push(Arc::downgrade(core));
    }

    fn channels(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Core>>> {
        self.inner
            .channels
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
