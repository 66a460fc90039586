//! What the tests here have in common: short names for the usual.

use dhlrs_bag::{Edit, GuardedEdit};
use dhlrs_engine::CallId;
use dhlrs_sim::{Cluster, Fate, Happening, NodeIndex, WireId};
use dhlrs_wire::{Delivery, Kinds, Refusal, Reply, RevisionFrom, Selection, Watch, Written};

pub(crate) const ORDERS: &str = "orders";

/// `count` nodes `n0/p`, `n1/p` … in a line; the last one has the store `orders` with a log.
pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) nodes: Vec<NodeIndex>,
    pub(crate) wires: Vec<WireId>,
}

impl World {
    pub(crate) fn line(seed: u64, count: usize) -> Self {
        Self::line_with(seed, count, |_| {})
    }

    pub(crate) fn line_with(
        seed: u64,
        count: usize,
        setup: impl Fn(&mut dhlrs_store::Config) + 'static,
    ) -> Self {
        let mut cluster = Cluster::new(seed);
        let nodes: Vec<_> = (0..count)
            .map(|n| cluster.add_node(&format!("n{n}/p")))
            .collect();
        let wires = nodes
            .windows(2)
            .map(|pair| cluster.connect(pair[0], pair[1]))
            .collect();
        cluster.add_store(nodes[count - 1], ORDERS, move |config| {
            config.logged = true;
            setup(config);
        });
        cluster.run_for(500);
        Self {
            cluster,
            nodes,
            wires,
        }
    }

    pub(crate) fn first(&self) -> NodeIndex {
        self.nodes[0]
    }

    pub(crate) fn last(&self) -> NodeIndex {
        *self.nodes.last().unwrap()
    }

    pub(crate) fn target(&self) -> String {
        format!("{}/{ORDERS}", self.cluster.name(self.last()))
    }

    pub(crate) fn write(&mut self, node: NodeIndex, edits: Vec<GuardedEdit>) -> CallId {
        let target = self.target();
        self.cluster.write(node, &target, edits, 10_000)
    }

    pub(crate) fn set(&mut self, node: NodeIndex, path: &str, value: i64) -> CallId {
        self.write(node, vec![set(path, value)])
    }

    /// Lets time pass until the call is answered.
    #[track_caller]
    pub(crate) fn wait(&mut self, call: CallId) -> Result<Reply, Refusal> {
        let open = |cluster: &Cluster| cluster.call(call).unwrap().fate == Fate::Open;
        assert!(
            self.cluster.run_until(60_000, |cluster| !open(cluster)),
            "no answer in a minute"
        );
        self.cluster.answer(call).unwrap().clone()
    }

    #[track_caller]
    pub(crate) fn written(&mut self, call: CallId) -> Written {
        match self.wait(call) {
            Ok(Reply::Written(written)) => written,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn shown(&self, path: &str) -> Option<i64> {
        shown(&self.cluster, self.last(), ORDERS, path)
    }

    #[track_caller]
    pub(crate) fn watch(&mut self, node: NodeIndex, from: Option<u64>, credit: u32) -> CallId {
        let target = self.target();
        let call = self.cluster.watch(node, &target, watch(from, credit));
        match self.wait(call) {
            Ok(Reply::Watching { .. }) => call,
            other => panic!("{other:?}"),
        }
    }

    /// The revisions that a watch was told of, and `L` where it lagged, `E` where it ended.
    pub(crate) fn told(&self, call: CallId) -> Vec<String> {
        let deliveries = &self.cluster.call(call).unwrap().deliveries;
        let line = |delivery: &Delivery| match delivery {
            Delivery::Changes(piece) => piece.revision.number.to_string(),
            Delivery::Lagged { revisions, next } => format!("L{revisions}>{next}"),
            Delivery::Ended(refusal) => format!("E{:?}", refusal.kind()),
        };
        deliveries.iter().map(line).collect()
    }

    /// Fails if a node broke a rule between engine and driver.
    #[track_caller]
    pub(crate) fn nothing_is_broken(&mut self) {
        for happening in self.cluster.take_happenings() {
            assert!(!matches!(happening, Happening::Broken(..)), "{happening:?}");
        }
    }
}

pub(crate) fn set(path: &str, value: i64) -> GuardedEdit {
    Edit::set(path.parse().unwrap(), value).into()
}

pub(crate) fn watch(from: Option<u64>, credit: u32) -> Watch {
    Watch {
        selection: Selection::Pattern("**".parse().unwrap()),
        from: from.map(RevisionFrom::from),
        kinds: Kinds::default(),
        credit,
        node: None,
    }
}

pub(crate) fn shown(cluster: &Cluster, node: NodeIndex, store: &str, path: &str) -> Option<i64> {
    cluster.published(node, store)?.get(path)?.as_int()
}

pub(crate) fn numbers(range: std::ops::RangeInclusive<u64>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}
