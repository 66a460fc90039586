//! Images: a whole reducer as bytes, for the process that wrote them to go on where it stopped.

use std::collections::BTreeMap;

use dhlrs_clock::{Dot, Stamp, VersionVector};
use dhlrs_feed::{ControlRecord, Event, EventDot, EventId, EventPacker, EventUnpacker, FeedId};
use serde::{Deserialize, Serialize};

use crate::causality::Step;
use crate::chain::Chain;
use crate::control::{Control, MarkPoint, Opened};
use crate::moves::LoggedMove;
use crate::node::Node;
use crate::node_map::NodeMap;
use crate::tail::{Branch, Tail};
use crate::tree::Remove;
use crate::world::{Progress, Recent, World};
use crate::{CheckpointError, Reducer};

/// The most bytes of a chunk of an image.
pub const IMAGE_CHUNK_BYTES_MAX: usize = 1024 * 1024;

const PART_BYTES_MAX: usize = 1 << 30;
/// No feed and no control log is longer; what counts on from there stays far from the end of numbers.
const NUMBER_MAX: u64 = 1 << 62;
const FORMAT: u16 = 1;
/// Events are packed until they come to this much.
const PART_BYTES_AIM: usize = 16 * 1024;

const WAITS: u8 = 0;
const COUNTS: u8 = 1;
const VOID: u8 = 2;

/// A reducer as it was at one moment. Made by [`Reducer::image`], encoded whenever and wherever there is time.
#[derive(Clone, Debug)]
pub struct ReducerImage {
    is_rooted: bool,
    retains_all: bool,
    held_until_ms: Option<u64>,
    records: BTreeMap<u64, ControlRecord>,
    controls: [Control; 2],
    worlds: [World; 2],
    tail: Tail,
    released: VersionVector<FeedId>,
}

// What is one of many is a part of its own, so that no part is long.
#[derive(Serialize, Deserialize)]
enum Part {
    Head {
        format: u16,
        is_rooted: bool,
        retains_all: bool,
        held_until_ms: Option<u64>,
    },
    Record(u64, ControlRecord),
    Released(EventDot),
    /// The control state of the world that follows.
    Control(u64),
    Opened(FeedId, Opened),
    Mark {
        number: u64,
        greatest: Stamp,
        adds: bool,
    },
    Marked(EventDot),
    /// Of these, what follows is about the last one.
    World(Stamp),
    Feed(FeedId, Progress),
    Recent(u64, Recent),
    Learnt(FeedId, FeedId),
    Step(Step),
    Node(Node),
    Move(LoggedMove, bool),
    Remove(EventDot, Remove),
    /// Stored events, and what became of each.
    Events(
        #[serde(deserialize_with = "dhlrs_codec::bounded_bytes::<_, PART_BYTES_MAX>")] Vec<u8>,
        #[serde(deserialize_with = "dhlrs_codec::bounded_bytes::<_, PART_BYTES_MAX>")] Vec<u8>,
    ),
    End,
}

impl Reducer {
    /// All of it, so that [`ReducerReader`] makes one that goes on alike.
    ///
    /// Copies neither bag nodes nor events: they are shared until either side changes a page of them. Costs O(bag nodes /
    /// 16 + stored events / 64), and a copy of what Removes, Moves and dependencies were noted; encoding is for later.
    #[must_use]
    pub fn image(&self) -> ReducerImage {
        ReducerImage {
            is_rooted: self.is_rooted,
            retains_all: self.retains_all,
            held_until_ms: self.held_until_ms,
            records: self.records.clone(),
            controls: [self.base_control.clone(), self.control.clone()],
            worlds: [self.base.clone(), self.head.clone()],
            tail: self.tail.clone(),
            released: self.released.clone(),
        }
    }
}

impl ReducerImage {
    /// The bytes, in chunks of at most [`IMAGE_CHUNK_BYTES_MAX`]. Equal reducers give equal bytes.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](crate::CheckpointErrorKind::TooLarge) if a bag node alone comes to more than 1 GiB.
    pub fn chunks(&self) -> impl Iterator<Item = Result<Vec<u8>, CheckpointError>> + '_ {
        let mut parts = self.parts();
        let mut open: Vec<u8> = Vec::new();
        std::iter::from_fn(move || {
            while open.len() < IMAGE_CHUNK_BYTES_MAX {
                let Some(part) = parts.next() else { break };
                let bytes = part.and_then(|part| {
                    dhlrs_codec::encode(&part, PART_BYTES_MAX).map_err(CheckpointError::encode)
                });
                let bytes = match bytes {
                    Ok(bytes) => bytes,
                    Err(error) => return Some(Err(error)),
                };
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                open.extend_from_slice(&length.to_le_bytes());
                open.extend_from_slice(&bytes);
            }
            let rest = open.split_off(open.len().min(IMAGE_CHUNK_BYTES_MAX));
            let chunk = std::mem::replace(&mut open, rest);
            (!chunk.is_empty()).then_some(Ok(chunk))
        })
    }

    fn parts(&self) -> impl Iterator<Item = Result<Part, CheckpointError>> + '_ {
        let head = Part::Head {
            format: FORMAT,
            is_rooted: self.is_rooted,
            retains_all: self.retains_all,
            held_until_ms: self.held_until_ms,
        };
        let records = self.records.iter();
        let records = records.map(|(number, record)| Part::Record(*number, record.clone()));
        let released = self.released.iter();
        let released = released.map(|(feed, seq)| Part::Released(Dot::new(*feed, *seq)));
        let worlds = self.controls.iter().zip(&self.worlds);
        let worlds = worlds.flat_map(|(control, world)| {
            control_parts(control).chain(world_parts(world, &self.tail))
        });
        let mut packer = EventPacker::default();
        let mut stored = self.tail.iter().flat_map(|(feed, branch)| {
            let progress = self.worlds.last().and_then(|head| head.feeds.get(feed));
            branch.all().map(move |stored| (progress, stored))
        });
        let events = std::iter::from_fn(move || {
            let (mut bytes, mut verdicts) = (Vec::new(), Vec::new());
            while bytes.len() < PART_BYTES_AIM {
                let Some((progress, (seq, (event, id)))) = stored.next() else {
                    break;
                };
                let recent = progress.and_then(|progress| progress.recent.get(seq));
                verdicts.push(match recent {
                    None => WAITS,
                    Some(recent) if recent.stamp.is_some() => COUNTS,
                    Some(_) => VOID,
                });
                if let Err(error) = packer.pack(event, id, &mut bytes) {
                    return Some(Err(CheckpointError::event(error)));
                }
            }
            (!bytes.is_empty()).then_some(Ok(Part::Events(bytes, verdicts)))
        });
        std::iter::once(head)
            .chain(records)
            .chain(released)
            .chain(worlds)
            .map(Ok)
            .chain(events)
            .chain(std::iter::once(Ok(Part::End)))
    }
}

fn control_parts(control: &Control) -> impl Iterator<Item = Part> + '_ {
    let opened = control.feeds.iter();
    let opened = opened.map(|(feed, opened)| Part::Opened(*feed, opened.clone()));
    let marks = control.marks.iter().flat_map(|mark| {
        let own = Part::Mark {
            number: mark.number,
            greatest: mark.greatest,
            adds: mark.adds,
        };
        let inside = mark.frontier.iter();
        let inside = inside.map(|(feed, seq)| Part::Marked(Dot::new(*feed, *seq)));
        std::iter::once(own).chain(inside)
    });
    std::iter::once(Part::Control(control.number))
        .chain(opened)
        .chain(marks)
}

fn world_parts<'a>(world: &'a World, tail: &'a Tail) -> impl Iterator<Item = Part> + 'a {
    let feeds = world.feeds.iter().flat_map(|(feed, progress)| {
        let own = Progress {
            recent: Chain::default(),
            ..*progress
        };
        // A stored event says the rest of itself.
        let is_stored = |seq| {
            tail.get(feed)
                .is_some_and(|branch| branch.get(seq).is_some())
        };
        let recent = progress.recent.from(0);
        let recent = recent.filter(move |(seq, _)| !is_stored(*seq));
        let recent = recent.map(|(seq, recent)| Part::Recent(seq, *recent));
        std::iter::once(Part::Feed(*feed, own)).chain(recent)
    });
    let learnt = world.causality.feeds.iter().flat_map(|(feed, others)| {
        others.iter().flat_map(|(other, steps)| {
            let own = Part::Learnt(*feed, *other);
            std::iter::once(own).chain(steps.iter().copied().map(Part::Step))
        })
    });
    let tree = &world.tree;
    let nodes = tree.nodes.sorted().into_iter();
    let nodes = nodes.cloned().map(Part::Node);
    let moves = tree.moves.entries.iter().zip(0..);
    let moves = moves.map(|(entry, at)| Part::Move(entry.clone(), at < tree.moves.applied));
    let removes = tree.removes.iter();
    let removes = removes.map(|(dot, remove)| Part::Remove(*dot, remove.clone()));
    std::iter::once(Part::World(world.greatest))
        .chain(feeds)
        .chain(learnt)
        .chain(nodes)
        .chain(moves)
        .chain(removes)
}

/// Puts a reducer together again from the chunks of its image.
///
/// They are this process's own, and the storage has checked that nothing happened to them. Were they anything else,
/// the worst to come of it is an error, or a reducer that is wrong; memory is in proportion to their length.
#[derive(Debug, Default)]
pub struct ReducerReader {
    open: Vec<u8>,
    head: Option<(bool, bool, Option<u64>)>,
    records: BTreeMap<u64, ControlRecord>,
    released: VersionVector<FeedId>,
    controls: Vec<Control>,
    worlds: Vec<World>,
    tail: Tail,
    unpacker: EventUnpacker,
    feed: Option<FeedId>,
    learnt: Option<(FeedId, FeedId)>,
    is_ended: bool,
}

const UNEXPECTED: CheckpointError = CheckpointError::image("a part is out of place");

impl ReducerReader {
    /// Takes the next chunk.
    ///
    /// # Errors
    ///
    /// [`Malformed`](crate::CheckpointErrorKind::Malformed); what was read so far is good for nothing then.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), CheckpointError> {
        self.open.extend_from_slice(chunk);
        let open = std::mem::take(&mut self.open);
        let mut rest = open.as_slice();
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
            if length > PART_BYTES_MAX {
                return Err(CheckpointError::image("a part is too long"));
            }
            let Some((part, after)) = after.split_at_checked(length) else {
                break;
            };
            let part = dhlrs_codec::decode(part, PART_BYTES_MAX).map_err(CheckpointError::decode);
            self.take(part?)?;
            rest = after;
        }
        self.open = rest.to_vec();
        Ok(())
    }

    fn take(&mut self, part: Part) -> Result<(), CheckpointError> {
        if self.is_ended || self.head.is_none() != matches!(part, Part::Head { .. }) {
            return Err(UNEXPECTED);
        }
        let world = self.worlds.last_mut().ok_or(UNEXPECTED);
        let control = self.controls.last_mut().ok_or(UNEXPECTED);
        match part {
            Part::Head {
                format,
                is_rooted,
                retains_all,
                held_until_ms,
            } => {
                if format != FORMAT {
                    return Err(CheckpointError::image("written by another version"));
                }
                self.head = Some((is_rooted, retains_all, held_until_ms));
            }
            Part::Record(number, record) => {
                self.records.insert(bounded(number)?, record);
            }
            Part::Released(dot) => {
                bounded(dot.seq)?;
                self.released.advance(dot);
            }
            Part::Control(number) => self.controls.push(Control {
                number: bounded(number)?,
                ..Control::default()
            }),
            Part::Opened(feed, opened) => {
                control?.feeds.insert(feed, opened);
            }
            Part::Mark {
                number,
                greatest,
                adds,
            } => control?.marks.push(MarkPoint {
                number,
                frontier: VersionVector::new(),
                greatest,
                adds,
            }),
            Part::Marked(dot) => {
                let mark = control?.marks.last_mut();
                mark.ok_or(UNEXPECTED)?.frontier.advance(dot);
            }
            Part::World(greatest) => {
                let mut world = World::new();
                world.tree.nodes = NodeMap::default();
                world.greatest = greatest;
                self.worlds.push(world);
            }
            Part::Feed(feed, progress) => {
                bounded(progress.seq)?;
                world?.feeds.insert(feed, progress);
                self.feed = Some(feed);
            }
            Part::Recent(seq, recent) => {
                let progress = self.feed.and_then(|feed| world.ok()?.feeds.get_mut(&feed));
                let recents = &mut progress.ok_or(UNEXPECTED)?.recent;
                if !recents.push(bounded(seq)?, recent) {
                    return Err(UNEXPECTED);
                }
            }
            Part::Learnt(feed, other) => self.learnt = Some((feed, other)),
            Part::Step(step) => {
                let (feed, other) = self.learnt.ok_or(UNEXPECTED)?;
                let others = world?.causality.feeds.entry(feed).or_default();
                others.entry(other).or_default().push(step);
            }
            Part::Node(node) => {
                world?.tree.nodes.insert(node.home.id(), node);
            }
            Part::Move(entry, is_applied) => {
                let moves = &mut world?.tree.moves;
                if is_applied {
                    moves.applied = moves.entries.len() + 1;
                }
                moves.entries.push(entry);
            }
            Part::Remove(dot, remove) => {
                world?.tree.removes.insert(dot, remove);
            }
            Part::Events(bytes, verdicts) => {
                let events = self.unpacker.unpack(&bytes);
                let events = events.map_err(CheckpointError::event)?;
                if events.len() != verdicts.len() {
                    return Err(UNEXPECTED);
                }
                self.store(events, &verdicts)?;
            }
            Part::End => self.is_ended = true,
        }
        Ok(())
    }

    fn store(
        &mut self,
        events: Vec<(Event, EventId)>,
        verdicts: &[u8],
    ) -> Result<(), CheckpointError> {
        let [base, head] = self.worlds.as_mut_slice() else {
            return Err(UNEXPECTED);
        };
        let mut stored = events.into_iter().zip(verdicts).peekable();
        while let Some(((first, _), _)) = stored.peek() {
            let feed = first.dot.feed;
            let mut recents = head.feeds.get_mut(&feed).map(|own| &mut own.recent);
            let branch = self.tail.entry(feed);
            let branch = branch.or_insert_with(|| Branch::after(base.seq(&feed)));
            let is_of_feed = |((event, _), _): &((Event, EventId), &u8)| event.dot.feed == feed;
            while let Some(((event, id), verdict)) = stored.next_if(is_of_feed) {
                let seq = bounded(event.dot.seq)?;
                if *verdict != WAITS {
                    let recent = Recent {
                        id,
                        control: event.control,
                        stamp: (*verdict == COUNTS).then_some(event.stamp),
                    };
                    let recents = recents.as_mut().ok_or(UNEXPECTED)?;
                    if !recents.push(seq, recent) {
                        return Err(UNEXPECTED);
                    }
                }
                branch.insert(event, id);
            }
        }
        Ok(())
    }

    /// The reducer, when all chunks have been pushed. What waited goes on waiting until the next
    /// [`Reducer::reduce`].
    ///
    /// # Errors
    ///
    /// [`Malformed`](crate::CheckpointErrorKind::Malformed): chunks are missing, or the parts do not fit each other.
    pub fn finish(self) -> Result<Reducer, CheckpointError> {
        let (is_rooted, retains_all, held_until_ms) = self.head.ok_or(UNEXPECTED)?;
        if !self.is_ended || !self.open.is_empty() {
            return Err(CheckpointError::image("it is cut off"));
        }
        let controls = <[Control; 2]>::try_from(self.controls);
        let worlds = <[World; 2]>::try_from(self.worlds);
        let ([base_control, control], [mut base, mut head]) = controls
            .ok()
            .zip(worlds.ok())
            .ok_or(CheckpointError::image("it lacks a world"))?;
        for world in [&mut base, &mut head] {
            let restored = world.tree.restore(&world.causality);
            restored.ok_or(CheckpointError::tree())?;
            world.tree.forget_changes();
        }
        let mut reducer = Reducer::of(is_rooted, base, base_control);
        reducer.retains_all = retains_all;
        reducer.records = self.records;
        reducer.tail = self.tail;
        reducer.held_until_ms = held_until_ms;
        reducer.released = self.released;
        reducer.head = head;
        reducer.control = control;
        reducer.waiting = (reducer.tail.iter())
            .filter(|(feed, events)| events.get(reducer.head.seq(feed) + 1).is_some())
            .map(|(feed, _)| *feed)
            .collect();
        reducer.settle(true);
        Ok(reducer)
    }
}

fn bounded(number: u64) -> Result<u64, CheckpointError> {
    match number <= NUMBER_MAX {
        true => Ok(number),
        false => Err(CheckpointError::image("a number is out of bounds")),
    }
}
