//! What subscribers are told, in the words of the protocol.

use std::sync::Arc;

use dhlrs_bag::{AttributeChange, Change, ChangeKind, Changes, Meta, NodeId, Snapshot, Tree};

use crate::{
    attributes::given, handle::Phase, limits::EVENTS_MAX, session::Session, writer::Writer,
};

/// How a change came about.
#[derive(Clone, Default)]
pub(crate) struct Cause<'r> {
    pub(crate) reason: Option<&'r str>,
    pub(crate) fired: bool,
    /// Attributes alone were written, by name: the old value is not told.
    pub(crate) attributes_only: bool,
    /// Subscribers of the node are told, too.
    pub(crate) to_node: bool,
}

/// One event, but for who is told and from where.
pub(crate) struct Telling<'r> {
    pub(crate) phase: Phase,
    pub(crate) evt: &'static str,
    pub(crate) index: Option<u64>,
    pub(crate) cause: Cause<'r>,
    /// JSON.
    pub(crate) old: Option<String>,
    /// JSON.
    pub(crate) diff: Option<String>,
}

impl Session {
    /// Tells of changes that an edit came to. `before` is the tree as it was.
    pub(crate) fn tell(
        &mut self,
        handle: &str,
        before: &Snapshot,
        changes: &[Change],
        cause: &Cause<'_>,
    ) {
        for change in changes {
            let cause = match change.autocreated {
                true => Cause {
                    reason: Some("autocreate"),
                    fired: false,
                    attributes_only: false,
                    to_node: true,
                },
                false => cause.clone(),
            };
            if let Some(telling) = self.telling(before, change, cause) {
                self.emit(handle, change, &telling);
            }
        }
    }

    fn telling<'r>(&self, before: &Tree, change: &Change, cause: Cause<'r>) -> Option<Telling<'r>> {
        let (phase, evt) = match change.kind {
            ChangeKind::Insert => (Phase::Insert, "ins"),
            ChangeKind::Remove => (Phase::Delete, "del"),
            _ => (Phase::Update, "upd_value"),
        };
        let mut telling = Telling {
            phase,
            evt,
            index: change.index,
            cause,
            old: None,
            diff: None,
        };
        if phase != Phase::Update {
            return Some(telling);
        }
        telling.index = None;
        let is_written = change.kind == ChangeKind::Replace || change.old != change.new;
        telling.diff = self.diff(&change.attributes);
        telling.evt = match (is_written, telling.diff.is_some()) {
            (true, false) => "upd_value",
            (true, true) => "upd_value_attr",
            (false, true) => "upd_attrs",
            (false, false) => return None,
        };
        telling.old = Some(match telling.cause.attributes_only {
            true => "null".to_owned(),
            false => self.held(before, change.id),
        });
        Some(telling)
    }

    /// What a node holds, as JSON.
    pub(crate) fn held(&self, tree: &Tree, id: NodeId) -> String {
        let mut writer = Writer::new();
        match tree.node_by_id(id) {
            Some(node) => writer.held(node),
            None => writer.null(),
        }
        writer.finish()
    }

    fn diff(&self, changes: &[AttributeChange]) -> Option<String> {
        let mut sorted: Vec<_> = changes.iter().collect();
        sorted.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut writer = Writer::new();
        writer.begin_object();
        let mut is_empty = true;
        for change in sorted {
            let old = change.old.as_ref().map(given).filter(|old| !old.is_null());
            let new = change.new.as_ref().map(given).filter(|new| !new.is_null());
            if old == new {
                continue;
            }
            is_empty = false;
            writer.key(&change.name);
            writer.raw("[");
            match old {
                Some(old) => writer.value(old),
                None => writer.null(),
            }
            writer.raw(",");
            match new {
                Some(new) => writer.value(new),
                None => writer.null(),
            }
            writer.raw("]");
        }
        writer.end_object();
        (!is_empty).then(|| writer.finish())
    }

    /// Tells one event to those whom the change reaches, or notes it for an open transaction.
    pub(crate) fn emit(&mut self, handle: &str, change: &Change, telling: &Telling<'_>) {
        let label = last_label(change);
        let is_held_back = self.note_in_transaction(handle, change, telling, &label);
        let Some(own) = self.handles.get_mut(handle) else {
            return;
        };
        if own.triggers.is_empty() {
            return;
        }
        own.begin_phase(telling.phase);
        let changes = Changes {
            meta: Meta::default(),
            list: vec![change.clone()],
            transaction: false,
        };
        // Its subscribers emit nothing and cannot fail.
        own.triggers.dispatch(&changes, None);
        for heard in own.heard() {
            if self.events.len() >= EVENTS_MAX {
                return;
            }
            let event = match &heard.labels {
                None if telling.cause.to_node => self.node_event(&heard.name, &label, telling),
                Some(labels) if !is_held_back => {
                    self.bag_event(&heard.name, &label, labels, telling)
                }
                _ => continue,
            };
            self.events.push(event);
        }
    }

    fn bag_event(
        &self,
        name: &str,
        label: &str,
        labels: &[String],
        telling: &Telling<'_>,
    ) -> String {
        let mut writer = self.begin_event(name, label, telling);
        writer.key("path");
        writer.raw("[");
        let labels = match (telling.phase, labels.split_last()) {
            (Phase::Update, _) | (_, None) => labels,
            (_, Some((_, above))) => above,
        };
        for label in labels {
            writer.comma();
            writer.string(label);
        }
        writer.raw("]");
        if let Some(index) = telling.index {
            writer.key("ind");
            writer.int(index);
        }
        if let Some(reason) = telling.cause.reason {
            writer.key("reason");
            writer.string(reason);
        }
        if telling.cause.fired {
            writer.key("fired");
            writer.bool(true);
        }
        self.end_event(writer, telling.old.as_deref(), telling)
    }

    fn node_event(&self, name: &str, label: &str, telling: &Telling<'_>) -> String {
        let writer = self.begin_event(name, label, telling);
        let old = telling.old.as_deref();
        self.end_event(
            writer,
            old.filter(|_| !telling.cause.attributes_only),
            telling,
        )
    }

    fn begin_event(&self, name: &str, label: &str, telling: &Telling<'_>) -> Writer {
        let mut writer = Writer::new();
        writer.begin_object();
        writer.key("s");
        writer.string(name);
        writer.key("evt");
        writer.string(telling.evt);
        writer.key("node");
        writer.string(label);
        writer
    }

    fn end_event(&self, mut writer: Writer, old: Option<&str>, telling: &Telling<'_>) -> String {
        if let Some(old) = old {
            writer.key("old");
            writer.raw(old);
        }
        if let Some(diff) = &telling.diff {
            writer.key("diff");
            writer.raw(diff);
        }
        writer.end_object();
        writer.finish()
    }

    fn note_in_transaction(
        &mut self,
        handle: &str,
        change: &Change,
        telling: &Telling<'_>,
        label: &str,
    ) -> bool {
        let is_of_content = matches!(change.kind, ChangeKind::Replace | ChangeKind::Sort);
        let is_inside =
            |bag: NodeId| change.ancestors.contains(&bag) || (change.id == bag && is_of_content);
        // What no bag above could be told of is not noted either; of a sort the bag itself is told.
        let above = change.ancestors.first().copied();
        let around = match change.kind {
            ChangeKind::Sort => change.id,
            _ => above.unwrap_or(change.id),
        };
        if !(self.handles.get(handle)).is_some_and(|own| own.is_linked(around)) {
            return false;
        }
        let mut open = self.open.iter_mut().rev();
        let Some(open) = open.find(|open| open.handle == handle && is_inside(open.bag)) else {
            return false;
        };
        let mut writer = Writer::new();
        let word = match telling.phase {
            Phase::Update => "upd",
            Phase::Insert => "ins",
            Phase::Delete => "del",
        };
        writer.raw("[");
        writer.string(word);
        writer.raw(",");
        writer.string(label);
        writer.raw(",[");
        match telling.phase {
            Phase::Update => {
                // The bag itself is at the empty path.
                let is_itself =
                    above.is_none() || (change.kind == ChangeKind::Sort && change.id == open.bag);
                if !is_itself {
                    writer.string(label);
                }
                writer.raw("],");
                writer.string(telling.evt);
            }
            Phase::Insert | Phase::Delete => {
                writer.raw("],");
                writer.int(telling.index.unwrap_or_default());
            }
        }
        writer.raw("]");
        if open.changes.len() < EVENTS_MAX {
            open.changes.push(writer.finish());
        }
        true
    }

    /// Tells the subscribers of transactions what was done in one.
    pub(crate) fn tell_transaction(&mut self, names: &[Arc<str>], changes: &[String]) {
        for name in names {
            let mut writer = Writer::new();
            writer.begin_object();
            writer.key("s");
            writer.string(name);
            writer.raw(r#","evt":"txn","muts":["#);
            writer.raw(&changes.join(","));
            writer.raw("]");
            writer.end_object();
            self.events.push(writer.finish());
        }
    }
}

fn last_label(change: &Change) -> String {
    let last = change.path.last();
    last.and_then(|step| step.label().map(str::to_owned))
        .unwrap_or_default()
}
