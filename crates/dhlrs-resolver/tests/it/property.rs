//! Random reads, results, clock steps and invalidates: as the model says, and within the limits.

use std::collections::BTreeSet;

use dhlrs_resolver::{Limits, ResolverOptions, Retry};
use proptest::prelude::*;

use crate::model::Model;
use crate::world::World;

#[derive(Clone, Debug)]
enum Command {
    Wait(u64),
    Node(u8),
    Attribute(u8),
    Read { reader: u8, how: How },
    // Counted back from the newest flight.
    Ok { back: usize },
    Fail { back: usize, is_final: bool },
    Gone { reader: u8 },
    Invalidate,
    Forget,
    Revalidate,
}

#[derive(Clone, Debug)]
enum How {
    Patient,
    By(u64),
    With(u8),
}

fn command() -> impl Strategy<Value = Command> {
    let how = prop_oneof![
        4 => Just(How::Patient),
        2 => prop_oneof![Just(0), Just(1), Just(50), 0..400u64].prop_map(How::By),
        1 => (0..2u8).prop_map(How::With),
    ];
    let step = prop_oneof![Just(1), Just(50), Just(100), Just(500), 0..1500u64];
    prop_oneof![
        5 => step.prop_map(Command::Wait),
        2 => (0..3u8).prop_map(Command::Node),
        1 => (0..2u8).prop_map(Command::Attribute),
        12 => (0..6u8, how).prop_map(|(reader, how)| Command::Read { reader, how }),
        6 => (0..4usize).prop_map(|back| Command::Ok { back }),
        3 => (0..4usize, prop::bool::weighted(0.2))
            .prop_map(|(back, is_final)| Command::Fail { back, is_final }),
        2 => (0..6u8).prop_map(|reader| Command::Gone { reader }),
        2 => Just(Command::Invalidate),
        1 => Just(Command::Forget),
        2 => Just(Command::Revalidate),
    ]
}

fn options() -> impl Strategy<Value = ResolverOptions> {
    let cache = prop_oneof![Just(-1), Just(0), Just(100), Just(1000)];
    let short = || prop_oneof![Just(0), Just(50), Just(500)];
    let refresh = prop_oneof![2 => Just(0), 1 => Just(100), 1 => Just(700)];
    let retry = (1..4u32, short(), short()).prop_map(|(attempts, first, more)| Retry {
        attempts,
        backoff_first_ms: first,
        backoff_max_ms: first + more,
    });
    let timeout = prop_oneof![Just(1), Just(100), Just(1000)];
    (
        cache,
        timeout,
        retry,
        short(),
        short(),
        refresh,
        any::<bool>(),
    )
        .prop_map(
            |(
                cache_time_ms,
                timeout_ms,
                retry,
                stale,
                negative,
                refresh_interval_ms,
                read_only,
            )| {
                ResolverOptions {
                    cache_time_ms,
                    timeout_ms,
                    retry,
                    stale_while_revalidate_ms: stale,
                    negative_cache_ms: negative,
                    refresh_interval_ms,
                    read_only,
                    ..ResolverOptions::default()
                }
            },
        )
}

/// The command in words, if it can be done; `turn` makes values differ.
fn words(command: &Command, flights: usize, turn: usize) -> Option<String> {
    let flight = |back: usize| (back < flights).then(|| flights - back);
    Some(match command {
        Command::Wait(ms) => format!("+{ms}"),
        Command::Node(node) => format!("node {node}"),
        Command::Attribute(value) => format!("attr x={value}"),
        Command::Read {
            reader,
            how: How::Patient,
        } => format!("read {reader}"),
        Command::Read {
            reader,
            how: How::By(ms),
        } => format!("read {reader} by {ms}"),
        Command::Read {
            reader,
            how: How::With(value),
        } => format!("read {reader} with x={value}"),
        Command::Ok { back } => format!("ok {} v{turn}", flight(*back)?),
        Command::Fail {
            back,
            is_final: false,
        } => format!("fail {}", flight(*back)?),
        Command::Fail {
            back,
            is_final: true,
        } => format!("fail {} final", flight(*back)?),
        Command::Gone { reader } => format!("gone {reader}"),
        Command::Invalidate => "invalidate".to_owned(),
        Command::Forget => "forget".to_owned(),
        Command::Revalidate => "revalidate".to_owned(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn does_what_the_model_does(options in options(), commands in prop::collection::vec(command(), 1..80)) {
        let limits = Limits { flights_per_node_max: 1000, ..Limits::default() };
        let mut world = World::limited(&options, limits);
        let mut model = Model::new(&options);
        let mut done = Vec::new();
        for (turn, command) in commands.iter().enumerate() {
            let Some(words) = words(command, model.flights(), turn) else { continue };
            let (is, expected) = (world.step(&words), model.step(&words));
            done.push(format!("{words}: {is}"));
            prop_assert_eq!(is, expected, "{}\n{:#?}", words, done);
        }
    }

    #[test]
    fn keeps_its_limits_and_its_promises(
        options in options(),
        commands in prop::collection::vec(command(), 1..120),
    ) {
        let limits = Limits {
            flights_max: 3,
            flights_per_node_max: 2,
            readers_per_node_max: 4,
            readers_max: 6,
            cached_bytes_max: 700,
            result_bytes_max: 4,
        };
        let mut world = World::limited(&options, limits);
        let mut laws = Laws { node: "0".to_owned(), ..Laws::default() };
        for (turn, command) in commands.iter().enumerate() {
            let command = match command.clone() {
                // Each read its own reader, so that every answer has one question.
                Command::Read { how, .. } => {
                    let reader = format!("read {turn}");
                    match how {
                        How::Patient => reader,
                        How::By(ms) => format!("{reader} by {ms}"),
                        How::With(value) => format!("{reader} with x={value}"),
                    }
                }
                Command::Gone { reader } => {
                    let Some(reader) = laws.waiting.iter().nth(reader.into()).cloned() else { continue };
                    format!("gone {reader}")
                }
                command => match words(&command, laws.flights, turn) {
                    Some(words) => words,
                    None => continue,
                },
            };
            laws.step(&mut world, &command);
            let resolvers = &world.resolvers;
            prop_assert!(resolvers.cached_bytes() <= limits.cached_bytes_max);
            prop_assert!(resolvers.flights() <= limits.flights_max);
            prop_assert!(resolvers.readers() <= limits.readers_max);
            prop_assert_eq!(resolvers.readers(), laws.waiting.len());
        }
        laws.step(&mut world, "+1000000000");
        prop_assert!(laws.waiting.is_empty(), "unanswered: {:?}", laws.waiting);
        prop_assert!(laws.calling.is_empty(), "still out: {:?}", laws.calling);
        for node in 0..3 {
            laws.step(&mut world, &format!("node {node}"));
            laws.step(&mut world, "forget");
        }
        prop_assert!(laws.stored.is_empty(), "still in the tree: {:?}", laws.stored);
        prop_assert_eq!(world.resolvers.cached_bytes(), 0);
        prop_assert_eq!(world.resolvers.next_wake(), None);
    }
}

/// What can be told from the outside, whatever is cached.
#[derive(Default)]
struct Laws {
    node: String,
    flights: usize,
    waiting: BTreeSet<String>,
    calling: BTreeSet<String>,
    stored: BTreeSet<String>,
}

impl Laws {
    fn step(&mut self, world: &mut World, command: &str) {
        let all = world.step(command);
        let mut words = command.split(' ');
        let (verb, object) = (words.next().unwrap(), words.next().unwrap_or_default());
        match verb {
            "node" => self.node = object.to_owned(),
            "gone" => drop(self.waiting.remove(object)),
            _ => {}
        }
        for output in all.split(", ").filter(|output| !output.is_empty()) {
            let of = output
                .split_once(" of ")
                .map_or(self.node.clone(), |(_, node)| node.to_owned());
            let mut words = output.split(' ');
            let (what, which) = (
                words.next().unwrap(),
                words.next().unwrap_or_default().to_owned(),
            );
            let context = || format!("{output:?} of {command:?}");
            match what {
                "start" => {
                    self.flights = self.flights.max(which.parse().unwrap());
                    assert!(self.calling.insert(which), "called twice: {}", context());
                }
                "cancel" => assert!(self.calling.remove(&which), "not called: {}", context()),
                "answer" => assert!(self.waiting.remove(&which), "did not ask: {}", context()),
                "pending" => {
                    assert!(self.waiting.insert(object.to_owned()), "{}", context());
                }
                "store" => drop(self.stored.insert(of)),
                "unstore" => assert!(self.stored.remove(&of), "not stored: {}", context()),
                "due" | "failed" | "ready" => {}
                _ => panic!("{}", context()),
            }
        }
        // Last, because a retry that is due begins before the result is looked at.
        if matches!(verb, "ok" | "fail") {
            self.calling.remove(object);
        }
    }
}
