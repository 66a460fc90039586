//! Subscribers that write down how they were called.

use std::sync::{Arc, Mutex};

use dhlrs_bag::SubscriberId;
use dhlrs_trigger::{Event, EventKind, Flow, Level, Subscription, Triggers};

#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    /// Subscribes one that writes down its name and what it is told.
    pub(crate) fn on(
        &self,
        triggers: &mut Triggers,
        name: &str,
        subscription: impl Into<Subscription>,
    ) -> SubscriberId {
        self.stopping(triggers, name, subscription, Flow::Continue)
    }

    pub(crate) fn stopping(
        &self,
        triggers: &mut Triggers,
        name: &str,
        subscription: impl Into<Subscription>,
        flow: Flow,
    ) -> SubscriberId {
        let (calls, name) = (self.clone(), name.to_owned());
        let callback = move |event: &Event<'_>, _: &mut _| {
            calls.write(format!("{name} {}", said(event)));
            flow
        };
        triggers.on(subscription, callback).unwrap()
    }

    pub(crate) fn write(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// `kind level path`, with `above` where it is, joined for a transaction.
fn said(event: &Event<'_>) -> String {
    let changes: Vec<_> = event
        .changes()
        .iter()
        .map(|change| {
            let level = match change.level() {
                Level::Node => "node".to_owned(),
                Level::Bag(level) => level.to_string(),
                Level::Pattern => "pattern".to_owned(),
            };
            let path = match change.relative_path() {
                Some(path) => format!("{:?}", path.as_str()),
                None => "above".to_owned(),
            };
            format!("{} {level} {path}", change.kind)
        })
        .collect();
    match event.kind() {
        EventKind::Transaction => format!("[{}]", changes.join(", ")),
        EventKind::Change(_) => changes.join(", "),
    }
}
