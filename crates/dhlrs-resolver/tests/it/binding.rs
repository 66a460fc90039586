//! Resolvers that configuration puts on nodes.

use dhlrs_bag::{Attributes, Content, Name, NodeId, ResolverRef};
use dhlrs_clock::Time;
use dhlrs_path::{Path, Pattern};
use dhlrs_resolver::{
    BINDINGS_MAX, Binding, Bindings, ConfigErrorKind, Limits, Output, Read, Registry, Request,
    ResolveErrorKind, ResolverOptions, Resolvers, Slot, Source,
};

const NOW: Time = Time {
    wall_ms: 0,
    monotonic_ms: 0,
};

fn binding(pattern: &str) -> Binding {
    Binding::new(pattern.parse::<Pattern>().unwrap(), "r").unwrap()
}

fn attributes<const N: usize>(list: [(&str, &str); N]) -> Attributes {
    list.into_iter()
        .map(|(name, value)| (Name::new(name).unwrap(), value.into()))
        .collect()
}

fn resolvers(options: ResolverOptions) -> Resolvers {
    let mut registry = Registry::new();
    registry.register("r", options).unwrap();
    Resolvers::new(registry, Limits::default())
}

fn read(
    resolvers: &mut Resolvers,
    source: Source<'_>,
    attributes: &Attributes,
    outputs: &mut Vec<Output>,
) -> Read {
    let request = Request {
        slot: &Slot::Node(NodeId::from_bytes([1; 16])),
        path: &Path::parse("a").unwrap(),
        source,
        attributes,
        arguments: &Attributes::new(),
    };
    resolvers.read(NOW, &request, 1, 1000, outputs)
}

#[test]
fn the_first_that_matches_covers_the_node() {
    let mut bindings = Bindings::new();
    for pattern in ["a.*", "a.b", "a.**", "c"] {
        bindings.add(binding(pattern)).unwrap();
    }
    for (path, exists, expected) in [
        ("a.b", true, Some("a.*")),
        ("a.b", false, Some("a.b")),
        ("a.x", true, Some("a.*")),
        ("a.x", false, None),
        ("a", true, Some("a.**")),
        ("a", false, None),
        ("c", true, Some("c")),
        ("c", false, Some("c")),
        ("", true, None),
        ("d", true, None),
    ] {
        let found = bindings.of(&Path::parse(path).unwrap(), exists);
        let found = found.map(|binding| binding.pattern().to_string());
        assert_eq!(found.as_deref(), expected, "{path:?}, exists: {exists}");
    }
}

#[test]
fn bindings_are_counted_and_checked() {
    let mut bindings = Bindings::new();
    for n in 0..BINDINGS_MAX {
        bindings.add(binding(&format!("n{n}"))).unwrap();
    }
    assert_eq!(
        bindings.add(binding("x")).unwrap_err().kind(),
        ConfigErrorKind::TooMany
    );
    assert_eq!(bindings.iter().count(), BINDINGS_MAX);

    let query = Binding::new("a?b".parse().unwrap(), "r").unwrap_err();
    assert_eq!(query.kind(), ConfigErrorKind::AttributeQuery);
    let name = Binding::new("a".parse().unwrap(), "").unwrap_err();
    assert_eq!(name.kind(), ConfigErrorKind::BadName);
    let options = ResolverOptions {
        timeout_ms: 0,
        ..ResolverOptions::default()
    };
    let options = binding("a").with_options(options).unwrap_err();
    assert_eq!(options.kind(), ConfigErrorKind::TooSmall);
}

#[test]
fn its_options_replace_the_registered_ones_and_its_parameters_override() {
    let registered = ResolverOptions {
        cache_time_ms: 0,
        parameters: attributes([("x", "registered"), ("y", "registered")]),
        ..ResolverOptions::default()
    };
    let own = ResolverOptions {
        cache_time_ms: -1,
        timeout_ms: 77,
        parameters: attributes([("y", "bound"), ("z", "bound")]),
        ..ResolverOptions::default()
    };
    let binding = binding("a").with_options(own).unwrap();
    let mut resolvers = resolvers(registered);
    let mut outputs = Vec::new();
    let node = attributes([("z", "node")]);
    assert_eq!(
        read(
            &mut resolvers,
            Source::Binding(&binding),
            &node,
            &mut outputs
        ),
        Read::Pending
    );
    let [Output::Start { flight, call }] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    assert_eq!(
        call.parameters,
        attributes([("x", "registered"), ("y", "bound"), ("z", "node")])
    );
    assert_eq!(
        (call.deadline_ms, call.path.as_str(), &call.address),
        (77, "a", &None)
    );

    resolvers.resolved(NOW, *flight, Ok(Content::Value(1.into())), &mut Vec::new());
    let read = read(
        &mut resolvers,
        Source::Binding(&binding),
        &node,
        &mut Vec::new(),
    );
    assert!(matches!(read, Read::Ready(Ok(_))), "{read:?}");
}

#[test]
fn its_address_is_filled_in_from_the_node_and_belongs_to_the_cache() {
    let own = ResolverOptions {
        cache_time_ms: -1,
        ..ResolverOptions::default()
    };
    let binding = binding("a")
        .with_options(own)
        .unwrap()
        .with_address("c/main/users/{id}.name".parse().unwrap());
    let source = Source::Binding(&binding);
    // A default of the resolver is not an attribute of the node.
    let mut resolvers = resolvers(ResolverOptions {
        parameters: attributes([("id", "default")]),
        ..ResolverOptions::default()
    });
    let mut outputs = Vec::new();
    let Read::Ready(Err(error)) = read(&mut resolvers, source, &Attributes::new(), &mut outputs)
    else {
        panic!("an answer was expected")
    };
    assert_eq!(error.kind(), ResolveErrorKind::MissingAttribute);
    assert_eq!(outputs, []);

    for (id, address) in [
        ("u.1", r"c/main/users/u\.1.name"),
        ("u2", "c/main/users/u2.name"),
    ] {
        outputs.clear();
        let node = attributes([("id", id)]);
        assert_eq!(
            read(&mut resolvers, source, &node, &mut outputs),
            Read::Pending
        );
        let Some(Output::Start { flight, call }) = outputs.last() else {
            panic!("{outputs:?}")
        };
        assert_eq!(call.address, Some(address.parse().unwrap()));
        resolvers.resolved(NOW, *flight, Ok(Content::Value(id.into())), &mut Vec::new());
        let again = read(&mut resolvers, source, &node, &mut Vec::new());
        assert!(matches!(again, Read::Ready(Ok(_))), "{again:?}");
    }
}

#[test]
fn what_others_write_runs_only_what_is_registered_for_it() {
    let mut bindings_only = resolvers(ResolverOptions {
        bindings_only: true,
        ..ResolverOptions::default()
    });
    let mut outputs = Vec::new();
    for (name, kind) in [
        ("r", ResolveErrorKind::Denied),
        ("q", ResolveErrorKind::NotRegistered),
    ] {
        let reference = ResolverRef::new(Name::new(name).unwrap());
        let source = Source::Node(&reference);
        let read = read(&mut bindings_only, source, &Attributes::new(), &mut outputs);
        let Read::Ready(Err(error)) = read else {
            panic!("{read:?}")
        };
        assert_eq!(error.kind(), kind);
    }
    assert_eq!(outputs, []);
    let binding = binding("a");
    let source = Source::Binding(&binding);
    let read = read(&mut bindings_only, source, &Attributes::new(), &mut outputs);
    assert_eq!(read, Read::Pending);
}

#[test]
fn a_node_may_make_it_read_only_but_not_undo_that() {
    for (registered, named) in [(false, true), (true, false), (true, true)] {
        let mut resolvers = resolvers(ResolverOptions {
            read_only: registered,
            ..ResolverOptions::default()
        });
        let mut reference = ResolverRef::new(Name::new("r").unwrap());
        reference.read_only = named;
        let mut outputs = Vec::new();
        read(
            &mut resolvers,
            Source::Node(&reference),
            &Attributes::new(),
            &mut outputs,
        );
        let Some(Output::Start { flight, .. }) = outputs.pop() else {
            panic!("no call")
        };
        resolvers.resolved(NOW, flight, Ok(Content::Value(1.into())), &mut outputs);
        assert!(
            !outputs
                .iter()
                .any(|output| matches!(output, Output::Store { .. }))
        );
    }
}

#[test]
fn more_parameters_than_a_node_may_have_are_refused() {
    let numbered = |from: usize, to: usize| -> Attributes {
        (from..to)
            .map(|n| (Name::new(&format!("p{n}")).unwrap(), 1.into()))
            .collect()
    };
    let options = ResolverOptions {
        parameters: numbered(0, 100),
        ..ResolverOptions::default()
    };
    let mut resolvers = resolvers(options);
    let reference = ResolverRef::new(Name::new("r").unwrap());
    let source = Source::Node(&reference);
    let many = read(&mut resolvers, source, &numbered(100, 257), &mut Vec::new());
    let Read::Ready(Err(error)) = many else {
        panic!("{many:?}")
    };
    assert_eq!(error.kind(), ResolveErrorKind::TooLarge);
    let most = read(&mut resolvers, source, &numbered(100, 256), &mut Vec::new());
    assert_eq!(most, Read::Pending);
}
