//! Replicated stores of whole processes: over links that fail, disks that forget and clocks that differ.

use dhlrs_bag::{Edit, GuardedEdit};
use dhlrs_sim::{Cluster, Loss, NodeIndex, WireId};
use dhlrs_store::Authority;

use crate::world::set;

pub(crate) const FIELD: &str = "field";

pub(crate) struct Field {
    pub(crate) cluster: Cluster,
    pub(crate) nodes: Vec<NodeIndex>,
    pub(crate) wires: Vec<WireId>,
}

impl Field {
    /// Nodes in a line, each with a replica of one store.
    pub(crate) fn line(seed: u64, count: usize) -> Self {
        Self::line_with(seed, count, |_| {})
    }

    pub(crate) fn line_with(
        seed: u64,
        count: usize,
        setup: impl Fn(&mut dhlrs_store::Config) + Copy + 'static,
    ) -> Self {
        let mut cluster = Cluster::new(seed);
        let nodes: Vec<_> = (0..count)
            .map(|n| cluster.add_node(&format!("n{n}/p")))
            .collect();
        let wires = nodes
            .windows(2)
            .map(|pair| cluster.connect(pair[0], pair[1]))
            .collect();
        for node in &nodes {
            cluster.add_store(*node, FIELD, move |config| {
                config.logged = true;
                config.authority = Some(Authority::Replicated);
                setup(config);
            });
        }
        cluster.run_for(500);
        Self {
            cluster,
            nodes,
            wires,
        }
    }

    pub(crate) fn write(&mut self, at: usize, edit: GuardedEdit) {
        let target = format!("n{at}/p/{FIELD}");
        self.cluster
            .write(self.nodes[at], &target, vec![edit], 10_000);
    }

    fn hashes(&mut self) -> Vec<[u8; 32]> {
        let mut hashes = Vec::new();
        for node in self.nodes.clone() {
            let engine = self.cluster.engine_mut(node).unwrap();
            let store = engine.store_mut(&FIELD.parse().unwrap()).unwrap();
            hashes.push(store.state_hash().unwrap());
        }
        hashes
    }

    #[track_caller]
    pub(crate) fn assert_equal(&mut self) {
        let hashes = self.hashes();
        assert!(
            hashes.iter().all(|hash| *hash == hashes[0]),
            "{hashes:02x?}"
        );
    }
}

#[test]
fn a_line_of_processes_ends_equal_over_rough_links() {
    let mut field = Field::line(1, 4);
    for n in 0..400 {
        field.write(n % 4, set(&format!("n{}.v{n}", n % 4), n as i64));
        field.cluster.run_for(20);
        if n % 50 == 17 {
            let wire = field.wires[n % 3];
            field.cluster.cut(wire);
        }
        if n % 50 == 42 {
            let wire = field.wires[(n - 25) % 3];
            field.cluster.heal(wire);
        }
    }
    for wire in field.wires.clone() {
        field.cluster.heal(wire);
    }
    field.cluster.run_for(30_000);
    field.assert_equal();
    let tree = field.cluster.published(field.nodes[0], FIELD).unwrap();
    assert_eq!(tree.len(), 404);
}

#[test]
fn a_process_that_dies_loses_nothing_that_was_acknowledged() {
    for (seed, loss) in [(2, Loss::Process), (3, Loss::Unsynced), (4, Loss::Torn)] {
        let mut field = Field::line(seed, 3);
        let mut acknowledged = Vec::new();
        for round in 0..12_usize {
            let at = round % 3;
            let mut calls = Vec::new();
            for n in 0..10 {
                let path = format!("r{round}.n{n}");
                let target = format!("n{at}/p/{FIELD}");
                let edit = set(&path, n);
                let node = field.nodes[at];
                calls.push((path, field.cluster.write(node, &target, vec![edit], 10_000)));
            }
            let while_writing = field.cluster.dice().roll(40);
            field.cluster.run_for(while_writing);
            let is_answered = |call| matches!(field.cluster.answer(call), Some(Ok(_)));
            acknowledged.extend(calls.into_iter().filter(|(_, call)| is_answered(*call)));
            field.cluster.crash(field.nodes[at], loss);
            field.cluster.run_for(200);
            field.cluster.restart(field.nodes[at]);
            field.cluster.run_for(2_000);
        }
        field.cluster.run_for(60_000);
        field.assert_equal();
        assert!(acknowledged.len() > 20, "{}", acknowledged.len());
        let tree = field.cluster.published(field.nodes[1], FIELD).unwrap();
        for (path, _) in &acknowledged {
            assert!(tree.get(path).is_some(), "seed {seed}: {path} is gone");
        }
    }
}

#[test]
fn clocks_an_hour_apart_hold_back_and_lose_nothing() {
    let mut field = Field::line(5, 3);
    let ahead = field.nodes[2];
    field.cluster.skew(ahead, 50_000);
    let behind = field.nodes[0];
    field.cluster.skew(behind, -50_000);
    for n in 0..60_usize {
        field.write(n % 3, set("shared", n as i64));
        let gone = Edit::Remove {
            path: format!("p{}", n % 5).parse().unwrap(),
        };
        field.write((n + 1) % 3, set(&format!("p{}.x", n % 5), 1));
        if n % 7 == 0 {
            field.write((n + 2) % 3, gone.into());
        }
        field.cluster.run_for(300);
    }
    field.cluster.run_for(200_000);
    field.assert_equal();
}
