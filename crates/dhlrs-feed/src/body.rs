//! Events as they stand in a run: what the run's header or an earlier event of the run says is not said again.

use std::collections::BTreeMap;

use dhlrs_bag::{Label, Name, Text, VALUE_BYTES_MAX, Value};
use dhlrs_clock::{Dot, Stamp};
use dhlrs_identity::PublicKey;
use dhlrs_path::LABEL_BYTES_MAX;

use crate::cursor::{Cursor, put_varint};
use crate::event::{DEPS_MAX, OTHER_PAYLOAD_BYTES_MAX};
use crate::{
    Cell, Dep, Epoch, Event, EventId, FeedEnd, FeedId, HomePath, HomeStep, IdMap,
    ORDER_KEY_BYTES_MAX, OnConcurrentWrite, OrderKey, Payload, RUN_BYTES_MAX, RunError, TreeOp,
};

const SEEN: u8 = 0;
const CREATE: u8 = 1;
const WRITE_SCALAR: u8 = 2;
const WRITE_ATTRIBUTE: u8 = 3;
const MOVE: u8 = 4;
const RENAME: u8 = 5;
const REORDER: u8 = 6;
const REMOVE: u8 = 7;
const REMOVE_UNSEEN: u8 = 8;
const CLEAR: u8 = 9;
const CLEAR_UNSEEN: u8 = 10;
const OTHER: u8 = 11;
const CLOSE: u8 = 12;
const WRITE_INTEGER: u8 = 13;
const KIND: u8 = 0x0f;

const STAMP_NEXT: u8 = 0x00;
const STAMP_WALL: u8 = 0x10;
const STAMP_BITS: u8 = 0x20;
const STAMP: u8 = 0x30;

const HAS_DEPS: u8 = 0x40;
const HAS_FOLLOWING: u8 = 0x80;

const STEP_LABEL: u64 = 0;
const STEP_KNOWN_LABEL: u64 = 1;
const STEP_LABEL_INCARNATION: u64 = 2;
const STEP_OTHER: u64 = 3;

/// What the events of a run so far have named. Each run starts with an empty one.
#[derive(Clone, Debug)]
pub(crate) struct Dictionary {
    paths: Vec<HomePath>,
    texts: Vec<Text>,
    feeds: Vec<FeedId>,
    /// The last stamp; before the first event the wall of the header.
    stamp: Stamp,
    is_begun: bool,
    /// Where each stands in the lists; only a writer needs them, and catches up when it does.
    refs: References,
}

#[derive(Clone, Debug, Default)]
struct References {
    paths: IdMap<u64>,
    texts: BTreeMap<Text, u64>,
    feeds: BTreeMap<FeedId, u64>,
}

/// How far a dictionary was, to go back there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watermark {
    paths: usize,
    texts: usize,
    feeds: usize,
    stamp: Stamp,
    is_begun: bool,
}

impl Dictionary {
    pub(crate) fn new(wall: Stamp) -> Self {
        Self {
            paths: vec![HomePath::root()],
            texts: Vec::new(),
            feeds: Vec::new(),
            stamp: wall,
            is_begun: false,
            refs: References::default(),
        }
    }

    pub(crate) fn watermark(&self) -> Watermark {
        Watermark {
            paths: self.paths.len(),
            texts: self.texts.len(),
            feeds: self.feeds.len(),
            stamp: self.stamp,
            is_begun: self.is_begun,
        }
    }

    /// Forgets what was named since.
    pub(crate) fn go_back(&mut self, to: Watermark) {
        self.paths.truncate(to.paths);
        self.texts.truncate(to.texts);
        self.feeds.truncate(to.feeds);
        self.stamp = to.stamp;
        self.is_begun = to.is_begun;
        self.refs = References::default();
    }

    /// Appends the event, of which the header and the run's place tell feed, number and control number.
    pub(crate) fn encode(&mut self, event: &Event, bytes: &mut Vec<u8>) -> Result<(), RunError> {
        self.catch_up();
        let expected = self.next_stamp();
        if self.is_begun && event.stamp <= self.stamp || event.stamp < self.stamp {
            return Err(RunError::stamp_not_rising());
        }
        let stamp = match event.stamp {
            stamp if Some(stamp) == expected => STAMP_NEXT,
            stamp if stamp.counter() == 0 && stamp.wall_ms() > self.stamp.wall_ms() => STAMP_WALL,
            _ => STAMP_BITS,
        };
        let mut tag = stamp | kind(&event.payload);
        if !event.deps.is_empty() {
            tag |= HAS_DEPS;
        }
        if event.following > 0 {
            tag |= HAS_FOLLOWING;
        }
        bytes.push(tag);
        match stamp {
            STAMP_WALL => put_varint(bytes, event.stamp.wall_ms() - self.stamp.wall_ms()),
            STAMP_BITS => put_varint(bytes, event.stamp.to_bits() - self.stamp.to_bits()),
            _ => {}
        }
        self.stamp = event.stamp;
        self.is_begun = true;
        if !event.deps.is_empty() {
            put_varint(bytes, event.deps.len() as u64);
            event.deps.iter().for_each(|dep| self.put_dep(dep, bytes));
        }
        if event.following > 0 {
            put_varint(bytes, u64::from(event.following));
        }
        self.put_payload(&event.payload, bytes)
    }

    /// Reads the next event of `feed`.
    pub(crate) fn decode(
        &mut self,
        from: &mut Cursor<'_>,
        dot: Dot<FeedId>,
        control: u64,
    ) -> Result<Event, RunError> {
        let tag = from.byte()?;
        let malformed = from.malformed();
        let stamp = match tag & STAMP {
            STAMP_NEXT => self.next_stamp(),
            STAMP_WALL => {
                let wall_ms = self.stamp.wall_ms().checked_add(from.varint()?);
                wall_ms.and_then(|wall_ms| Stamp::new(wall_ms, 0))
            }
            STAMP_BITS => {
                let bits = self.stamp.to_bits().checked_add(from.varint()?);
                bits.map(Stamp::from_bits)
            }
            _ => None,
        };
        let stamp = stamp.ok_or(malformed.clone())?;
        // A delta of 0 would be another spelling, and a stamp that does not rise has none.
        if self.is_begun && stamp <= self.stamp {
            return Err(malformed);
        }
        self.stamp = stamp;
        self.is_begun = true;
        let mut deps = Vec::new();
        if tag & HAS_DEPS != 0 {
            let count = from.length()?;
            if count == 0 || count > DEPS_MAX {
                return Err(from.malformed());
            }
            for _ in 0..count {
                deps.push(self.take_dep(from)?);
            }
        }
        let following = match tag & HAS_FOLLOWING {
            0 => 0,
            _ => u16::try_from(from.varint()?).map_err(|_| from.malformed())?,
        };
        let event = Event {
            dot,
            stamp,
            control,
            deps,
            following,
            payload: self.take_payload(tag & KIND, from)?,
        };
        event.check().map_err(RunError::event)?;
        Ok(event)
    }

    fn next_stamp(&self) -> Option<Stamp> {
        match self.is_begun {
            true => self.stamp.next(),
            false => Some(self.stamp),
        }
    }

    pub(crate) fn catch_up(&mut self) {
        let refs = &mut self.refs;
        if refs.paths.is_empty() {
            // Most runs have no more: it grows once.
            refs.paths.reserve(100);
        }
        for (at, path) in self.paths.iter().enumerate().skip(refs.paths.len()) {
            refs.paths.insert(path.id(), at as u64);
        }
        for (at, text) in self.texts.iter().enumerate().skip(refs.texts.len()) {
            refs.texts.insert(text.clone(), at as u64);
        }
        for (at, feed) in self.feeds.iter().enumerate().skip(refs.feeds.len()) {
            refs.feeds.insert(*feed, at as u64);
        }
    }

    pub(crate) fn put_payload(
        &mut self,
        payload: &Payload,
        bytes: &mut Vec<u8>,
    ) -> Result<(), RunError> {
        match payload {
            Payload::Seen => {}
            Payload::Tree(op) => self.put_op(op, bytes)?,
            Payload::Other {
                kind,
                bytes: payload,
            } => {
                self.put_text(kind, bytes);
                put_varint(bytes, payload.len() as u64);
                bytes.extend_from_slice(payload);
            }
            Payload::Close { epoch, end } => {
                put_epoch(*epoch, bytes);
                put_varint(bytes, end.map_or(0, |end| end.seq));
                if let Some(end) = end {
                    bytes.extend_from_slice(end.id.as_bytes());
                }
            }
        }
        Ok(())
    }

    pub(crate) fn take_payload(
        &mut self,
        kind: u8,
        from: &mut Cursor<'_>,
    ) -> Result<Payload, RunError> {
        Ok(match kind {
            SEEN => Payload::Seen,
            OTHER => {
                let kind = self.take_text(from)?;
                let length = from.length()?;
                if length > OTHER_PAYLOAD_BYTES_MAX {
                    return Err(from.malformed());
                }
                Payload::Other {
                    kind,
                    bytes: from.take(length)?.to_vec(),
                }
            }
            CLOSE => {
                let epoch = take_epoch(from)?;
                let end = match from.varint()? {
                    0 => None,
                    seq => Some(FeedEnd {
                        seq,
                        id: EventId::from_bytes(from.array()?),
                    }),
                };
                Payload::Close { epoch, end }
            }
            kind => Payload::Tree(self.take_op(kind, from)?),
        })
    }

    fn put_op(&mut self, op: &TreeOp, bytes: &mut Vec<u8>) -> Result<(), RunError> {
        self.put_path(op.node(), bytes);
        match op {
            TreeOp::Create { order, .. } => put_order(order, bytes),
            TreeOp::Write { cell, value, .. } => {
                match (cell, value) {
                    (Cell::Attribute(name), _) => self.put_text(&Text::new(name), bytes),
                    (Cell::Scalar, Value::Int(value)) => {
                        put_varint(bytes, (value << 1 ^ value >> 63) as u64);
                        return Ok(());
                    }
                    (Cell::Scalar, _) => {}
                }
                let value = dhlrs_codec::encode(value, VALUE_BYTES_MAX * 2);
                bytes.extend_from_slice(&value.map_err(RunError::encode)?);
            }
            TreeOp::Move { parent, order, .. } | TreeOp::Reorder { parent, order, .. } => {
                self.put_path(parent, bytes);
                put_order(order, bytes);
            }
            TreeOp::Rename { label, .. } => self.put_text(&Text::new(label), bytes),
            TreeOp::Remove { .. } | TreeOp::Clear { .. } => {}
        }
        Ok(())
    }

    fn take_op(&mut self, kind: u8, from: &mut Cursor<'_>) -> Result<TreeOp, RunError> {
        let node = self.take_path(from)?;
        Ok(match kind {
            CREATE => TreeOp::Create {
                node,
                order: take_order(from)?,
            },
            WRITE_SCALAR => TreeOp::Write {
                node,
                cell: Cell::Scalar,
                value: take_value(from)?,
            },
            WRITE_INTEGER => {
                let bits = from.varint()?;
                TreeOp::Write {
                    node,
                    cell: Cell::Scalar,
                    value: Value::Int((bits >> 1) as i64 ^ -((bits & 1) as i64)),
                }
            }
            WRITE_ATTRIBUTE => {
                let name = self.take_text(from)?;
                TreeOp::Write {
                    node,
                    cell: Cell::Attribute(Name::new(&name).map_err(|_| from.malformed())?),
                    value: take_value(from)?,
                }
            }
            MOVE => TreeOp::Move {
                node,
                parent: self.take_path(from)?,
                order: take_order(from)?,
            },
            RENAME => {
                let label = self.take_text(from)?;
                TreeOp::Rename {
                    node,
                    label: Label::new(&label).map_err(|_| from.malformed())?,
                }
            }
            REORDER => TreeOp::Reorder {
                node,
                parent: self.take_path(from)?,
                order: take_order(from)?,
            },
            REMOVE => TreeOp::Remove {
                node,
                unseen: OnConcurrentWrite::Keep,
            },
            REMOVE_UNSEEN => TreeOp::Remove {
                node,
                unseen: OnConcurrentWrite::Remove,
            },
            CLEAR => TreeOp::Clear {
                node,
                unseen: OnConcurrentWrite::Keep,
            },
            CLEAR_UNSEEN => TreeOp::Clear {
                node,
                unseen: OnConcurrentWrite::Remove,
            },
            _ => return Err(from.malformed()),
        })
    }

    /// A known path; or a known one and steps below it.
    fn put_path(&mut self, path: &HomePath, bytes: &mut Vec<u8>) {
        if let Some(known) = self.refs.paths.get(&path.id()) {
            put_varint(bytes, known << 1);
            return;
        }
        let mut steps = vec![path];
        let mut base = 0;
        while let Some((parent, _)) = steps.last().and_then(|at| at.home()) {
            if let Some(known) = self.refs.paths.get(&parent.id()) {
                base = *known;
                break;
            }
            steps.push(parent);
        }
        put_varint(bytes, base << 1 | 1);
        while let Some(path) = steps.pop() {
            if let Some((_, step)) = path.home() {
                self.put_step(step, !steps.is_empty(), bytes);
            }
            self.refs.paths.insert(path.id(), self.paths.len() as u64);
            self.paths.push(path.clone());
        }
    }

    fn take_path(&mut self, from: &mut Cursor<'_>) -> Result<HomePath, RunError> {
        let code = from.varint()?;
        let known = usize::try_from(code >> 1).ok();
        let known = known.and_then(|at| self.paths.get(at));
        let mut path = known.cloned().ok_or(from.malformed())?;
        let mut goes_on = code & 1 == 1;
        while goes_on {
            let (step, more) = self.take_step(from)?;
            path = path.step_down(step).map_err(|_| from.malformed())?;
            self.paths.push(path.clone());
            goes_on = more;
        }
        Ok(path)
    }

    fn put_step(&mut self, step: &HomeStep, more: bool, bytes: &mut Vec<u8>) {
        let put_code = |bytes: &mut Vec<u8>, number: u64, form: u64| {
            put_varint(bytes, number << 3 | form << 1 | u64::from(more));
        };
        let (label, incarnation) = match step {
            HomeStep::Labelled { label, incarnation } => (label, *incarnation),
            HomeStep::Anonymous(random) => {
                put_code(bytes, 0, STEP_OTHER);
                bytes.extend_from_slice(random);
                return;
            }
        };
        let known = self.refs.texts.get(label.as_str()).copied();
        match (known, incarnation) {
            (Some(known), 0) => put_code(bytes, known, STEP_KNOWN_LABEL),
            (Some(known), _) => put_code(bytes, known + 1, STEP_OTHER),
            (None, 0) => put_code(bytes, label.len() as u64, STEP_LABEL),
            (None, _) => put_code(bytes, label.len() as u64, STEP_LABEL_INCARNATION),
        }
        if incarnation > 0 {
            put_varint(bytes, u64::from(incarnation));
        }
        if known.is_none() {
            bytes.extend_from_slice(label.as_bytes());
            self.learn(Text::new(label));
        }
    }

    /// A step, and whether another one follows.
    fn take_step(&mut self, from: &mut Cursor<'_>) -> Result<(HomeStep, bool), RunError> {
        let code = from.varint()?;
        let (more, form, number) = (code & 1 == 1, code >> 1 & 3, code >> 3);
        if form == STEP_OTHER && number == 0 {
            return Ok((HomeStep::Anonymous(from.array()?), more));
        }
        let incarnation = match form {
            STEP_LABEL_INCARNATION | STEP_OTHER => {
                u32::try_from(from.varint()?).map_err(|_| from.malformed())?
            }
            _ => 0,
        };
        let text = match form {
            STEP_LABEL | STEP_LABEL_INCARNATION => self.take_new_text(number, from)?,
            STEP_KNOWN_LABEL => self.known_text(number, from)?,
            _ => self.known_text(number - 1, from)?,
        };
        let label = Label::new(&text).map_err(|_| from.malformed())?;
        Ok((HomeStep::Labelled { label, incarnation }, more))
    }

    fn put_text(&mut self, text: &Text, bytes: &mut Vec<u8>) {
        match self.refs.texts.get(text) {
            Some(known) => put_varint(bytes, known << 1 | 1),
            None => {
                put_varint(bytes, (text.len() as u64) << 1);
                bytes.extend_from_slice(text.as_bytes());
                self.learn(text.clone());
            }
        }
    }

    fn take_text(&mut self, from: &mut Cursor<'_>) -> Result<Text, RunError> {
        match from.varint()? {
            known if known & 1 == 1 => self.known_text(known >> 1, from),
            new => self.take_new_text(new >> 1, from),
        }
    }

    fn take_new_text(&mut self, length: u64, from: &mut Cursor<'_>) -> Result<Text, RunError> {
        if length > LABEL_BYTES_MAX as u64 {
            return Err(from.malformed());
        }
        let bytes = from.take(length as usize)?;
        let text = core::str::from_utf8(bytes).map_err(|_| from.malformed())?;
        let text = Text::new(text);
        self.texts.push(text.clone());
        Ok(text)
    }

    fn known_text(&self, at: u64, from: &Cursor<'_>) -> Result<Text, RunError> {
        let at = usize::try_from(at).map_err(|_| from.malformed())?;
        self.texts.get(at).cloned().ok_or(from.malformed())
    }

    fn learn(&mut self, text: Text) {
        (self.refs.texts).insert(text.clone(), self.texts.len() as u64);
        self.texts.push(text);
    }

    /// One that was named before, or a new one.
    pub(crate) fn put_feed(&mut self, feed: &FeedId, bytes: &mut Vec<u8>) {
        match self.refs.feeds.get(feed) {
            Some(known) => put_varint(bytes, known + 1),
            None => {
                put_varint(bytes, 0);
                put_feed(feed, bytes);
                self.refs.feeds.insert(*feed, self.feeds.len() as u64);
                self.feeds.push(*feed);
            }
        }
    }

    pub(crate) fn take_feed(&mut self, from: &mut Cursor<'_>) -> Result<FeedId, RunError> {
        match from.length()? {
            0 => {
                let feed = take_feed(from)?;
                self.feeds.push(feed);
                Ok(feed)
            }
            known => self.feeds.get(known - 1).copied().ok_or(from.malformed()),
        }
    }

    pub(crate) fn put_dep(&mut self, dep: &Dep, bytes: &mut Vec<u8>) {
        self.put_feed(&dep.dot.feed, bytes);
        put_varint(bytes, dep.dot.seq);
        bytes.extend_from_slice(dep.id.as_bytes());
    }

    pub(crate) fn take_dep(&mut self, from: &mut Cursor<'_>) -> Result<Dep, RunError> {
        let feed = self.take_feed(from)?;
        Ok(Dep {
            dot: Dot::new(feed, from.varint()?),
            id: EventId::from_bytes(from.array()?),
        })
    }
}

pub(crate) fn kind(payload: &Payload) -> u8 {
    use OnConcurrentWrite::{Keep, Remove};
    match payload {
        Payload::Seen => SEEN,
        Payload::Other { .. } => OTHER,
        Payload::Close { .. } => CLOSE,
        Payload::Tree(op) => match op {
            TreeOp::Create { .. } => CREATE,
            TreeOp::Write { cell, value, .. } => match (cell, value) {
                (Cell::Scalar, Value::Int(_)) => WRITE_INTEGER,
                (Cell::Scalar, _) => WRITE_SCALAR,
                (Cell::Attribute(_), _) => WRITE_ATTRIBUTE,
            },
            TreeOp::Move { .. } => MOVE,
            TreeOp::Rename { .. } => RENAME,
            TreeOp::Reorder { .. } => REORDER,
            TreeOp::Remove { unseen: Keep, .. } => REMOVE,
            TreeOp::Remove { unseen: Remove, .. } => REMOVE_UNSEEN,
            TreeOp::Clear { unseen: Keep, .. } => CLEAR,
            TreeOp::Clear { unseen: Remove, .. } => CLEAR_UNSEEN,
        },
    }
}

fn take_value(from: &mut Cursor<'_>) -> Result<Value, RunError> {
    let (value, used) = dhlrs_codec::decode_head(from.rest(), RUN_BYTES_MAX)
        .map_err(|source| RunError::value(from.at(), source))?;
    from.take(used)?;
    Ok(value)
}

fn put_order(order: &OrderKey, bytes: &mut Vec<u8>) {
    put_varint(bytes, order.as_bytes().len() as u64);
    bytes.extend_from_slice(order.as_bytes());
}

fn take_order(from: &mut Cursor<'_>) -> Result<OrderKey, RunError> {
    let length = from.length()?;
    if length > ORDER_KEY_BYTES_MAX {
        return Err(from.malformed());
    }
    OrderKey::from_bytes(from.take(length)?).map_err(|_| from.malformed())
}

/// The author's key, then the epoch.
pub(crate) fn put_feed(feed: &FeedId, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(feed.author.as_bytes());
    put_epoch(feed.epoch, bytes);
}

pub(crate) fn take_feed(from: &mut Cursor<'_>) -> Result<FeedId, RunError> {
    let author = PublicKey::from_bytes(from.array()?);
    Ok(FeedId::new(author, take_epoch(from)?))
}

fn put_epoch(epoch: Epoch, bytes: &mut Vec<u8>) {
    put_varint(bytes, epoch.number());
    put_varint(bytes, epoch.random());
}

fn take_epoch(from: &mut Cursor<'_>) -> Result<Epoch, RunError> {
    Ok(Epoch::from_parts(from.varint()?, from.varint()?))
}
