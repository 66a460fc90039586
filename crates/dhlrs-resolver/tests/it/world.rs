//! Resolvers driven by words, so that a test is a table of what is done and what comes of it.

use dhlrs_bag::{Attributes, Content, Name, NodeId, ResolverRef, Value};
use dhlrs_clock::Time;
use dhlrs_path::Path;
use dhlrs_resolver::{
    Limits, Output, Read, Registry, Request, Resolution, ResolveError, ResolveErrorKind,
    ResolverOptions, Resolvers, Slot, Source,
};

/// Long enough that no test reaches it by accident.
pub(crate) const PATIENCE_MS: u64 = 1_000_000_000;

/// One store with the resolver `r` on every node.
pub(crate) struct World {
    pub(crate) resolvers: Resolvers,
    now: Time,
    flights: Vec<dhlrs_resolver::FlightId>,
    node: u8,
    attributes: Attributes,
    reference: ResolverRef,
}

impl World {
    pub(crate) fn new(options: &ResolverOptions) -> Self {
        Self::limited(options, Limits::default())
    }

    pub(crate) fn limited(options: &ResolverOptions, limits: Limits) -> Self {
        let mut registry = Registry::new();
        registry.register("r", options.clone()).unwrap();
        let mut reference = ResolverRef::new(Name::new("r").unwrap());
        reference.cache_time_ms = options.cache_time_ms;
        Self {
            resolvers: Resolvers::new(registry, limits),
            now: Time {
                wall_ms: 0,
                monotonic_ms: 0,
            },
            flights: Vec::new(),
            node: 0,
            attributes: Attributes::new(),
            reference,
        }
    }

    /// Carries out one command. Returns its outputs in order, and what a read gets last.
    ///
    /// `+MS`, `node N`, `read READER [by MS | with NAME=VALUE]`, `ok FLIGHT VALUE`,
    /// `fail FLIGHT [final]`, `gone READER`, `invalidate`, `forget`, `revalidate`,
    /// `attr NAME=VALUE`. Flights count from 1; `by` is the time left.
    pub(crate) fn step(&mut self, command: &str) -> String {
        let mut outputs = Vec::new();
        let words: Vec<_> = command.split(' ').collect();
        let read = match words.as_slice() {
            [step] if step.starts_with('+') => {
                self.now = self.now.plus_ms(step[1..].parse().unwrap());
                self.resolvers.tick(self.now, &mut outputs);
                None
            }
            ["node", node] => {
                self.node = node.parse().unwrap();
                None
            }
            ["attr", attribute] => {
                let (name, value) = named(attribute);
                self.attributes.insert(name, value);
                None
            }
            ["read", reader, more @ ..] => Some(self.read(reader, more, &mut outputs)),
            ["revalidate"] => {
                self.ask(&Attributes::new(), |resolvers, now, request| {
                    resolvers.revalidate(now, request, &mut outputs);
                });
                None
            }
            ["ok", flight, value] => {
                self.resolved(flight, Ok(Content::Value((*value).into())), &mut outputs)
            }
            ["fail", flight] => {
                let error = ResolveError::new(ResolveErrorKind::Failed, "broken");
                self.resolved(flight, Err(error), &mut outputs)
            }
            ["fail", flight, "final"] => {
                let error = ResolveError::new(ResolveErrorKind::Denied, "not for you");
                self.resolved(flight, Err(error), &mut outputs)
            }
            ["gone", reader] => {
                self.resolvers
                    .reader_gone(reader.parse().unwrap(), &mut outputs);
                None
            }
            ["invalidate"] => {
                self.resolvers.invalidate(&slot(self.node), &mut outputs);
                None
            }
            ["forget"] => {
                self.resolvers.forget(&slot(self.node), &mut outputs);
                None
            }
            _ => panic!("no such command: {command:?}"),
        };
        let mut shown: Vec<_> = outputs.iter().map(|output| self.show(output)).collect();
        shown.extend(read.map(|read| match read {
            Read::Pending => "pending".to_owned(),
            Read::Ready(result) => format!("ready {}", value(&result)),
        }));
        shown.join(", ")
    }

    fn read(&mut self, reader: &str, more: &[&str], outputs: &mut Vec<Output>) -> Read {
        let mut left_ms = PATIENCE_MS;
        let mut arguments = Attributes::new();
        match more {
            [] => {}
            ["by", ms] => left_ms = ms.parse().unwrap(),
            ["with", argument] => {
                let (name, value) = named(argument);
                arguments.insert(name, value);
            }
            _ => panic!("no such read: {more:?}"),
        }
        let deadline_ms = self.now.monotonic_ms + left_ms;
        let reader = reader.parse().unwrap();
        self.ask(&arguments, |resolvers, now, request| {
            resolvers.read(now, request, reader, deadline_ms, outputs)
        })
    }

    fn ask<T>(
        &mut self,
        arguments: &Attributes,
        then: impl FnOnce(&mut Resolvers, Time, &Request<'_>) -> T,
    ) -> T {
        let request = Request {
            slot: &slot(self.node),
            path: &Path::parse("a.b").unwrap(),
            source: Source::Node(&self.reference),
            attributes: &self.attributes,
            arguments,
        };
        then(&mut self.resolvers, self.now, &request)
    }

    fn resolved(
        &mut self,
        flight: &str,
        result: Result<Content, ResolveError>,
        outputs: &mut Vec<Output>,
    ) -> Option<Read> {
        let flight = self.flights[flight.parse::<usize>().unwrap() - 1];
        self.resolvers.resolved(self.now, flight, result, outputs);
        None
    }

    fn show(&mut self, output: &Output) -> String {
        match output {
            Output::Start { flight, call } => {
                if !self.flights.contains(flight) {
                    self.flights.push(*flight);
                }
                let parameters: String = call
                    .parameters
                    .iter()
                    .map(|(name, value)| format!(" {name}={value}"))
                    .collect();
                format!("start {}{parameters}", self.number(*flight))
            }
            Output::Cancel { flight } => format!("cancel {}", self.number(*flight)),
            Output::Answer { reader, result } => format!("answer {reader} {}", value(result)),
            Output::Store { slot, content } => {
                format!("store {}{}", value(&Ok(content.clone())), self.other(slot))
            }
            Output::Unstore { slot } => format!("unstore{}", self.other(slot)),
            Output::Due { slot } => format!("due{}", self.other(slot)),
            Output::Failed { slot, error } => {
                format!("failed {:?}{}", error.kind(), self.other(slot))
            }
        }
    }

    fn number(&self, flight: dhlrs_resolver::FlightId) -> usize {
        1 + self
            .flights
            .iter()
            .position(|known| *known == flight)
            .unwrap()
    }

    /// Says which slot it is, if not the selected one.
    fn other(&self, other: &Slot) -> String {
        let node = (0..=u8::MAX).find(|node| slot(*node) == *other).unwrap();
        if node == self.node {
            String::new()
        } else {
            format!(" of {node}")
        }
    }
}

fn slot(node: u8) -> Slot {
    Slot::Node(NodeId::from_bytes([node; 16]))
}

fn named(text: &str) -> (Name, Value) {
    let (name, value) = text.split_once('=').unwrap();
    (Name::new(name).unwrap(), value.into())
}

fn value(result: &Resolution) -> String {
    match result.as_deref() {
        Ok(Content::Value(value)) => value.to_string(),
        Ok(Content::Branch(branch)) => format!("branch of {}", branch.len()),
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// Does each command, and compares what comes of it.
#[track_caller]
pub(crate) fn goes(world: &mut World, steps: &[(&str, &str)]) {
    for (at, (command, expected)) in steps.iter().enumerate() {
        assert_eq!(world.step(command), *expected, "step {at}: {command}");
    }
}
