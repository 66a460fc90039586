//! A node that only a binding knows, until there is one; and many nodes at once.

use dhlrs_bag::{Attributes, Content, NodeId};
use dhlrs_clock::Time;
use dhlrs_path::Path;
use dhlrs_resolver::{
    Binding, Limits, Output, Read, Registry, Request, ResolverOptions, Resolvers, Slot, Source,
};

const NOW: Time = Time {
    wall_ms: 0,
    monotonic_ms: 0,
};

struct Missing {
    resolvers: Resolvers,
    binding: Binding,
}

impl Missing {
    fn new() -> Self {
        let options = ResolverOptions {
            cache_time_ms: -1,
            refresh_interval_ms: 500,
            ..ResolverOptions::default()
        };
        let mut registry = Registry::new();
        registry.register("r", options).unwrap();
        Self {
            resolvers: Resolvers::new(registry, Limits::default()),
            binding: Binding::new("a.b".parse().unwrap(), "r").unwrap(),
        }
    }

    fn read(&mut self, slot: &Slot, reader: u64, outputs: &mut Vec<Output>) -> Read {
        let request = Request {
            slot,
            path: &Path::parse("a.b").unwrap(),
            source: Source::Binding(&self.binding),
            attributes: &Attributes::new(),
            arguments: &Attributes::new(),
        };
        self.resolvers.read(NOW, &request, reader, 1000, outputs)
    }
}

fn node(n: u8) -> Slot {
    Slot::Node(NodeId::from_bytes([n; 16]))
}

fn path() -> Path<'static> {
    "a.b".parse().unwrap()
}

#[test]
fn a_node_that_comes_to_be_takes_over_the_cache_and_the_refresh() {
    let mut missing = Missing::new();
    let mut outputs = Vec::new();
    assert_eq!(
        missing.read(&Slot::Missing(path()), 1, &mut outputs),
        Read::Pending
    );
    let Some(Output::Start { flight, .. }) = outputs.pop() else {
        panic!("no call")
    };
    missing
        .resolvers
        .resolved(NOW, flight, Ok(Content::Value(1.into())), &mut outputs);
    assert!(
        matches!(
            &outputs[1],
            Output::Store {
                slot: Slot::Missing(_),
                ..
            }
        ),
        "{outputs:?}"
    );

    missing
        .resolvers
        .adopt(&path(), NodeId::from_bytes([7; 16]), &mut outputs);
    assert!(matches!(
        missing.read(&node(7), 2, &mut outputs),
        Read::Ready(Ok(_))
    ));
    outputs.clear();
    missing.resolvers.tick(NOW.plus_ms(500), &mut outputs);
    assert_eq!(outputs, [Output::Due { slot: node(7) }]);
    missing.resolvers.forget(&node(7), &mut outputs);
    assert_eq!(missing.resolvers.cached_bytes(), 0);
}

#[test]
fn a_node_that_comes_to_be_takes_over_who_waits() {
    let mut missing = Missing::new();
    let mut outputs = Vec::new();
    assert_eq!(
        missing.read(&Slot::Missing(path()), 1, &mut outputs),
        Read::Pending
    );
    let Some(Output::Start { flight, .. }) = outputs.pop() else {
        panic!("no call")
    };
    missing
        .resolvers
        .adopt(&path(), NodeId::from_bytes([7; 16]), &mut outputs);
    assert_eq!(missing.read(&node(7), 2, &mut outputs), Read::Pending);
    assert_eq!(outputs, []);
    missing
        .resolvers
        .resolved(NOW, flight, Ok(Content::Value(1.into())), &mut outputs);
    assert!(
        matches!(
            outputs.as_slice(),
            [
                Output::Answer { reader: 1, .. },
                Output::Answer { reader: 2, .. },
                Output::Store { slot, .. }
            ] if *slot == node(7)
        ),
        "{outputs:?}"
    );
    // Nothing to take over is no mistake.
    outputs.clear();
    missing
        .resolvers
        .adopt(&path(), NodeId::from_bytes([8; 16]), &mut outputs);
    assert_eq!(outputs, []);
}

#[test]
fn many_nodes_are_invalidated_or_forgotten_at_once() {
    let mut missing = Missing::new();
    let mut outputs = Vec::new();
    for n in 0..6 {
        missing.read(&node(n), 1, &mut outputs);
        let Some(Output::Start { flight, .. }) = outputs.pop() else {
            panic!("no call")
        };
        missing
            .resolvers
            .resolved(NOW, flight, Ok(Content::Value(1.into())), &mut outputs);
    }
    outputs.clear();
    missing
        .resolvers
        .invalidate_where(|slot| *slot < node(2), &mut outputs);
    let unstored = [0, 1].map(|n| Output::Unstore { slot: node(n) });
    assert_eq!(outputs, unstored);
    outputs.clear();
    missing
        .resolvers
        .forget_where(|slot| *slot >= node(4), &mut outputs);
    let unstored = [4, 5].map(|n| Output::Unstore { slot: node(n) });
    assert_eq!(outputs, unstored);
    for (n, is_cached) in [(0, false), (1, false), (2, true), (3, true), (4, false)] {
        let read = missing.read(&node(n), 1, &mut outputs);
        assert_eq!(matches!(read, Read::Ready(Ok(_))), is_cached, "node {n}");
    }
}
