//! Wires that open, break and come back.

use dhlrs_engine::Input;
use dhlrs_link::{LinkId, LinkInput, Side};

use crate::cluster::Cluster;
use crate::event::Event;
use crate::network::{Connection, Traffic, Weather, WireId};
use crate::node::NodeIndex;

/// The longest pause before a lost connection is tried again, in milliseconds.
const RECONNECT_MS_MAX: u64 = 200;

impl Cluster {
    /// Changes what a wire does to frames. Whether frames may be lost counts from the next
    /// connection on, so the present one is closed if that changes.
    pub fn set_weather(&mut self, wire: WireId, weather: Weather) {
        let Some(own) = self.wires.get_mut(wire.0) else {
            return;
        };
        let changes = own.weather.is_calm() != weather.is_calm();
        own.weather = weather;
        if changes {
            self.break_connection(wire);
        }
    }

    /// Breaks a wire: what is on it is gone, both ends notice, and nobody connects until it is
    /// healed.
    pub fn cut(&mut self, wire: WireId) {
        if let Some(own) = self.wires.get_mut(wire.0) {
            own.cut = true;
            self.note(wire.0, "cut", b"");
            self.break_connection(wire);
        }
    }

    /// Lets nothing pass from the connecting end (`0`) or the listening one (`1`), unnoticed.
    pub fn go_dead(&mut self, wire: WireId, from: usize) {
        if let Some(own) = self.wires.get_mut(wire.0)
            && let Some(dead) = own.dead_from.get_mut(from)
        {
            *dead = true;
            self.note(wire.0, "dead", &[u8::from(from > 0)]);
        }
    }

    /// Mends whatever [`cut`](Self::cut) and [`go_dead`](Self::go_dead) did. A connection that lived
    /// through a dead time has lost frames, which no stream does, so it is broken.
    pub fn heal(&mut self, wire: WireId) {
        let Some(own) = self.wires.get_mut(wire.0) else {
            return;
        };
        let was_dead = own.dead_from != [false; 2];
        own.cut = false;
        own.dead_from = [false; 2];
        self.note(wire.0, "heal", b"");
        if was_dead {
            self.break_connection(wire);
        }
        self.connect_soon(wire, 0);
    }

    /// What has gone over a wire from the connecting end and from the listening one.
    #[must_use]
    pub fn traffic(&self, wire: WireId) -> [Traffic; 2] {
        let wire = self.wires.get(wire.0);
        wire.map_or_else(Default::default, |wire| wire.traffic)
    }

    /// Breaks the connection of a wire; it comes back by itself.
    pub fn flap(&mut self, wire: WireId) {
        self.break_connection(wire);
    }

    fn break_connection(&mut self, wire: WireId) {
        let Some(link) = self.wires.get(wire.0).and_then(|own| own.connection) else {
            return;
        };
        let Some(connection) = self.connections.get(&link) else {
            return;
        };
        let ends = connection.ends;
        for node in ends {
            self.lose_end(LinkId::new(link), node);
        }
    }

    /// The process at one end is gone: the other end notices.
    pub(crate) fn hang_up(&mut self, node: NodeIndex) {
        let own = |connection: &&Connection| connection.ends.contains(&node);
        let links: Vec<(u64, [NodeIndex; 2])> = self
            .connections
            .iter()
            .filter(|(_, connection)| own(connection))
            .map(|(link, connection)| (*link, connection.ends))
            .collect();
        for wire in &mut self.wires {
            if wire.ends[0] == node {
                wire.last = None;
            }
        }
        for (link, ends) in links {
            for end in ends {
                self.lose_end(LinkId::new(link), end);
            }
        }
    }

    /// One end of a connection finds it lost, a moment later.
    fn lose_end(&mut self, link: LinkId, node: NodeIndex) {
        if self.shut(link, node) {
            let at_ms = self.now_ms + self.dice.roll(3);
            self.input_at(at_ms, node, Input::Link(LinkInput::Closed { link }));
        }
    }

    /// An engine closes its end. The other one hears of it after the frames on the way.
    pub(crate) fn close(&mut self, node: NodeIndex, link: LinkId) {
        let Some(connection) = self.connections.get(&link.get()) else {
            return;
        };
        let side = connection.side_of(node);
        let other = connection.ends[1 - side];
        let after_ms = connection.arrives_ms[1 - side].max(self.now_ms) + 6;
        if self.shut(link, node) && self.shut(link, other) {
            self.input_at(after_ms, other, Input::Link(LinkInput::Closed { link }));
        }
    }

    /// Closes one end; says whether it was open.
    fn shut(&mut self, link: LinkId, node: NodeIndex) -> bool {
        let Some(connection) = self.connections.get_mut(&link.get()) else {
            return false;
        };
        let side = connection.side_of(node);
        let was_open = std::mem::replace(&mut connection.open[side], false);
        let wire = connection.wire;
        if connection.open == [false; 2] {
            self.connections.remove(&link.get());
            if let Some(own) = self.wires.get_mut(wire.0)
                && own.connection == Some(link.get())
            {
                own.connection = None;
            }
            self.connect_soon(wire, RECONNECT_MS_MAX);
        }
        was_open
    }

    pub(crate) fn connect_soon(&mut self, wire: WireId, within_ms: u64) {
        let delay_ms = 1 + self.dice.roll(within_ms);
        let Some(own) = self.wires.get_mut(wire.0) else {
            return;
        };
        if !std::mem::replace(&mut own.is_connecting, true) {
            self.schedule(self.now_ms + delay_ms, Event::Connect(wire));
        }
    }

    pub(crate) fn try_to_connect(&mut self, id: WireId) {
        let Some(wire) = self.wires.get_mut(id.0) else {
            return;
        };
        wire.is_connecting = false;
        if wire.connection.is_some() || wire.cut {
            return;
        }
        let (ends, is_dead) = (wire.ends, wire.dead_from != [false; 2]);
        let runs = |node: NodeIndex| {
            let own = self.nodes.get(node.0);
            own.is_some_and(|own| own.engine.is_some() && !own.paused)
        };
        if is_dead || !runs(ends[0]) || !runs(ends[1]) {
            return self.connect_soon(id, RECONNECT_MS_MAX);
        }
        self.last_link += 1;
        let (link, last) = (self.last_link, wire.last.clone());
        let capability = wire.weather.capability();
        wire.connection = Some(link);
        self.connections.insert(
            link,
            Connection {
                wire: id,
                ends,
                open: [true; 2],
                arrives_ms: [0; 2],
                calm: wire.weather.is_calm(),
            },
        );
        let link = LinkId::new(link);
        let sides = [
            Side::Connected { key: None, last },
            Side::Accepted { open: true },
        ];
        for (node, side) in ends.into_iter().zip(sides) {
            let capability = capability.clone();
            let input = LinkInput::Opened {
                link,
                capability,
                side,
            };
            self.handle(node, Input::Link(input));
        }
    }
}

impl Weather {
    /// A wire that loses, doubles and reorders frames.
    #[must_use]
    pub fn rough() -> Self {
        Self {
            drop_percent: 5,
            double_percent: 5,
            reorder: true,
            delay_ms_max: 20,
            ..Self::default()
        }
    }
}
