//! The end of a mesh storm: all are equal, nothing is missing, and nobody says anything any more.

use std::collections::BTreeMap;

use dhlrs_bag::{ImageRow, NodeId};
use dhlrs_reducer::Reducer;
use dhlrs_store::Store;
use dhlrs_wire::RefusalKind;

use super::judge::Drafts;
use super::{Clocks, HEAL_MS_MAX, History, SKEW_MS_MAX, STORE, Storm, edits};
use crate::node::NodeIndex;

/// How long nobody writes while it is counted what is said all the same, in milliseconds.
const SILENCE_MS: u64 = 60_000;
/// Frames over one wire in that time beside the beacons that are due, both ways: signs of life and
/// acknowledgements.
const SILENT_FRAMES_MAX: u64 = 40;
/// Times that the history is reduced again in an order of its own.
const ORDERS: u64 = 2;

impl Storm {
    fn store(&mut self, node: NodeIndex) -> Option<&mut Store> {
        let name = STORE.parse().ok()?;
        self.cluster.engine_mut(node)?.store_mut(&name)
    }

    /// At any time: replicas that have reduced the same events show the same.
    pub(super) fn equal_frontiers_are_equal_states(&mut self) -> Result<(), String> {
        let mut states = BTreeMap::new();
        for node in self.nodes.clone() {
            let Some(store) = self.store(node).filter(|store| store.is_open()) else {
                continue;
            };
            let frontier: Vec<_> = store.reduced().into_iter().collect();
            let hash = store.state_hash();
            let (first, known) = states.entry(frontier).or_insert((node, hash));
            if *known != hash {
                let (one, other) = (first.0, node.0);
                return Err(format!(
                    "n{one} and n{other} have reduced the same events to different states"
                ));
            }
        }
        Ok(())
    }

    pub(super) fn wait_until_whole(&mut self) -> Result<(), String> {
        let held_ms = match self.options.clocks {
            Clocks::Far => SKEW_MS_MAX,
            Clocks::Near | Clocks::Right => 0,
        };
        let deadline_ms = self.cluster.now_ms() + HEAL_MS_MAX + held_ms;
        while let Some(why) = self.why_not_whole() {
            let now_ms = self.cluster.now_ms();
            if now_ms >= deadline_ms {
                return Err(format!("not whole in time: {why}"));
            }
            self.go(match deadline_ms - now_ms > HEAL_MS_MAX + 300_000 {
                true => 10_000,
                false => 500,
            })?;
        }
        Ok(())
    }

    fn why_not_whole(&mut self) -> Option<String> {
        if !self.writes.is_empty() {
            return Some(format!("{} writes without an answer", self.writes.len()));
        }
        let mut first = None;
        for node in self.nodes.clone() {
            let number = node.0;
            let Some(store) = self.store(node).filter(|store| store.is_open()) else {
                return Some(format!("n{number} is not open"));
            };
            let reduced = store.reduced();
            let behind = store
                .feeds_held()
                .find(|(feed, state)| reduced.get(feed).map_or(0, |end| end.seq) != state.end.seq);
            if let Some((feed, state)) = behind {
                let done = reduced.get(&feed).map_or(0, |end| end.seq);
                let mut next = store
                    .events_of(&feed)
                    .skip_while(|own| own.event.dot.seq <= done);
                let next = next.next().map(|next| (next.event.stamp, &next.event.deps));
                return Some(format!(
                    "n{number} has reduced {done} of the {} events of {feed:?}; the next is {next:?}",
                    state.end.seq
                ));
            }
            let feeds: Vec<_> = (store.feeds_held())
                .map(|(feed, state)| (feed, state.end, state.is_closed))
                .collect();
            let known = first.get_or_insert_with(|| feeds.clone());
            if *known != feeds {
                let differs = feeds.iter().find(|feed| !known.contains(feed));
                return Some(format!("n{number} has other feeds: {differs:?}"));
            }
        }
        match self.judge.watches_behind() {
            0 => None,
            behind => Some(format!("{behind} watches were not told of everything")),
        }
    }

    pub(super) fn write_last(&mut self, node: NodeIndex) -> Result<(), String> {
        loop {
            let number = self.next_number(node);
            let edits = edits::set_mark(node.0, number).into_iter().collect();
            let call = self.send(node, number, edits, true);
            self.go(5_000)?;
            let refusal = match call.and_then(|call| self.cluster.answer(call)) {
                Some(Ok(_)) => return Ok(()),
                Some(Err(refusal)) => refusal.clone(),
                None => return Err(format!("n{} has no answer in the end", node.0)),
            };
            let now_ms = self.cluster.time_of(node).wall_ms;
            // It has reduced what others wrote with clocks as wrong as its own: its time will come.
            match refusal.kind() {
                RefusalKind::ClockAhead { until_ms }
                    if self.options.clocks == Clocks::Far
                        && (now_ms..=now_ms + SKEW_MS_MAX).contains(&until_ms) =>
                {
                    self.go(until_ms - now_ms)?;
                }
                _ => return Err(format!("n{} cannot write in the end: {refusal}", node.0)),
            }
        }
    }

    /// Lets a minute pass in which nobody writes; the most frames over one wire.
    pub(super) fn listen_to_silence(&mut self) -> Result<u64, String> {
        let frames = |storm: &Self| -> Vec<u64> {
            let both = |wire| storm.cluster.traffic(wire).map(|way| way.frames);
            let wires = storm.wires.iter();
            wires.map(|wire| both(*wire).into_iter().sum()).collect()
        };
        let before = frames(self);
        self.go(SILENCE_MS)?;
        let counts = frames(self);
        let said = before.iter().zip(&counts).map(|(from, to)| to - from);
        let most = said.max().unwrap_or(0);
        let beacons = 2 * (SILENCE_MS / self.options.gossip_interval_ms + 1);
        // Over wires that lose frames each message is acknowledged, and some are sent again.
        let times = if self.options.rough_weather { 4 } else { 2 };
        if most > times * beacons + SILENT_FRAMES_MAX {
            return Err(format!(
                "{most} frames over one wire in a minute of silence, {beacons} beacons were due"
            ));
        }
        Ok(most)
    }

    pub(super) fn conclude(&mut self) -> Result<History, String> {
        self.equal_frontiers_are_equal_states()?;
        let mut drafts = BTreeMap::new();
        let mut images = Vec::new();
        let mut history = History::default();
        for node in self.nodes.clone() {
            let own_drafts = self
                .store(node)
                .map(|store| Drafts::of(store.draft_events()));
            drafts.insert(node, own_drafts.unwrap_or_default());
            let Some(store) = self.store(node) else {
                return Err("a store is not there at the end".to_owned());
            };
            let rows = comparable(store.published().image());
            is_a_tree(&rows)?;
            images.push((node, rows));
            history.hash = store.state_hash().unwrap_or_default();
            history.feeds.clear();
            for (feed, state) in store.feeds_held() {
                let events = store
                    .events_of(&feed)
                    .take_while(|stored| stored.event.dot.seq <= state.end.seq);
                let events = events.map(|stored| (stored.event.clone(), stored.id));
                history.feeds.insert(feed, events.collect());
            }
            history.closed = store.feeds_closed().collect();
        }
        history.now_ms = self.cluster.time_of(NodeIndex(0)).wall_ms;
        for (node, rows) in &images {
            if images.first().is_some_and(|(_, first)| first != rows) {
                return Err(format!("n{} shows another tree", node.0));
            }
        }
        for _ in 0..ORDERS {
            self.another_order(&history)?;
        }
        let Some(tree) = self
            .nodes
            .first()
            .and_then(|node| self.cluster.published(*node, STORE).cloned())
        else {
            return Err("nothing is shown at the end".to_owned());
        };
        self.judge.conclude(&tree, &drafts)?;
        Ok(history)
    }

    /// The same events in another order and other batches, some of them twice, come to the same.
    fn another_order(&mut self, history: &History) -> Result<(), String> {
        let mut events: Vec<_> = history.feeds.values().flatten().cloned().collect();
        for place in (1..events.len()).rev() {
            let other = usize::try_from(self.dice.roll(place as u64 + 1)).unwrap_or(0);
            events.swap(place, other);
        }
        let mut reducer = Reducer::without_root();
        let batch = usize::try_from(self.dice.between(1, 40)).unwrap_or(1);
        for (feed, seq) in &history.closed {
            reducer.close(*feed, *seq, history.now_ms);
        }
        for events in events.chunks(batch) {
            let again = self.dice.chance(30).then(|| events.to_vec());
            reducer.reduce(events.to_vec(), [], history.now_ms);
            reducer.reduce(again.into_iter().flatten(), [], history.now_ms);
        }
        // What came in while it lay in the future was released then.
        reducer.reduce([], [], u64::MAX >> 17);
        match *reducer.state_hash().as_bytes() == history.hash {
            true => Ok(()),
            false => Err("the same events in another order come to another state".to_owned()),
        }
    }
}

/// Without what is each replica's own affair: when it learnt of what.
fn comparable(rows: impl Iterator<Item = ImageRow>) -> Vec<ImageRow> {
    let rows = rows.map(|mut row| {
        row.revision = 0;
        row
    });
    rows.collect()
}

/// Each bag node is there once, one deeper than its bag at most.
fn is_a_tree(rows: &[ImageRow]) -> Result<(), String> {
    let mut ids: Vec<NodeId> = rows.iter().map(|row| row.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let is_below = |pair: &[ImageRow]| pair[1].depth <= pair[0].depth + 1;
    match ids.len() == rows.len() && rows.windows(2).all(is_below) {
        true => Ok(()),
        false => Err("a bag node shows twice, or below none".to_owned()),
    }
}
