//! The same rules without any index, bound or sharing: lists that are searched from end to end.

use dhlrs_resolver::ResolverOptions;

use crate::world::PATIENCE_MS;

#[derive(Default)]
struct Node {
    parameter: Option<String>,
    kept: Option<Kept>,
    negative: Option<(u64, &'static str)>,
    due_ms: Option<u64>,
}

#[derive(Clone)]
struct Kept {
    at_ms: u64,
    value: String,
    // Neither cached nor stale results are ever served from it: it is only in the tree.
    is_served: bool,
    is_stored: bool,
}

struct Flight {
    node: usize,
    parameter: Option<String>,
    end_ms: u64,
    is_over: bool,
    is_calling: bool,
    retry_ms: Option<u64>,
    failures: u32,
    is_overtaken: bool,
    is_background: bool,
    // Reader and deadline, in the order of coming.
    readers: Vec<(u64, u64)>,
}

pub(crate) struct Model {
    options: ResolverOptions,
    now_ms: u64,
    selected: usize,
    attribute: Option<String>,
    nodes: Vec<Node>,
    flights: Vec<Flight>,
    out: Vec<String>,
}

impl Model {
    pub(crate) fn new(options: &ResolverOptions) -> Self {
        Self {
            options: options.clone(),
            now_ms: 0,
            selected: 0,
            attribute: None,
            nodes: (0..4).map(|_| Node::default()).collect(),
            flights: Vec::new(),
            out: Vec::new(),
        }
    }

    pub(crate) fn step(&mut self, command: &str) -> String {
        let words: Vec<_> = command.split(' ').collect();
        match words.as_slice() {
            [step] if step.starts_with('+') => {
                self.now_ms += step[1..].parse::<u64>().unwrap();
                self.tick();
            }
            ["node", node] => self.selected = node.parse().unwrap(),
            ["attr", attribute] => self.attribute = Some(attribute.to_string()),
            ["read", reader] => self.read(reader, PATIENCE_MS, None),
            ["read", reader, "by", ms] => self.read(reader, ms.parse().unwrap(), None),
            ["read", reader, "with", argument] => self.read(reader, PATIENCE_MS, Some(argument)),
            ["revalidate"] => {
                self.tick();
                let parameter = self.attribute.clone();
                self.enter(&parameter);
                self.start_behind(&parameter);
            }
            ["ok", flight, value] => self.resolved(flight, Ok(value)),
            ["fail", flight] => self.resolved(flight, Err("Failed")),
            ["fail", flight, "final"] => self.resolved(flight, Err("Denied")),
            ["gone", reader] => {
                let reader = reader.parse().unwrap();
                for flight in 0..self.flights.len() {
                    if !self.flights[flight].is_over && self.waits(flight, reader) {
                        self.flights[flight]
                            .readers
                            .retain(|(other, _)| *other != reader);
                        self.end_if_useless(flight);
                    }
                }
            }
            ["invalidate"] => {
                self.reset(self.selected);
                for flight in self.flights_of(self.selected) {
                    self.flights[flight].is_overtaken = true;
                    self.flights[flight].is_background = false;
                    self.end_if_useless(flight);
                }
            }
            ["forget"] => {
                self.reset(self.selected);
                self.nodes[self.selected].due_ms = None;
                for flight in self.flights_of(self.selected) {
                    self.cancel(flight);
                    self.answer(flight, "Gone");
                }
            }
            _ => panic!("no such command: {command:?}"),
        }
        std::mem::take(&mut self.out).join(", ")
    }

    fn read(&mut self, reader: &str, left_ms: u64, argument: Option<&str>) {
        self.tick();
        let parameter = argument
            .map(str::to_owned)
            .or_else(|| self.attribute.clone());
        self.enter(&parameter);
        let node = &self.nodes[self.selected];
        let is_negative = node
            .negative
            .filter(|(until_ms, _)| self.now_ms < *until_ms);
        if let Some(kept) = node.kept.clone().filter(|kept| kept.is_served) {
            let age_ms = self.now_ms - kept.at_ms;
            let cache_ms = self.options.cache_time_ms;
            let is_fresh = cache_ms < 0 || age_ms < cache_ms as u64;
            if !is_fresh && age_ms < cache_ms as u64 + self.options.stale_while_revalidate_ms {
                if is_negative.is_none() {
                    self.start_behind(&parameter);
                }
                return self.out.push(format!("ready {}", kept.value));
            }
            if is_fresh {
                return self.out.push(format!("ready {}", kept.value));
            }
        }
        if let Some((_, kind)) = is_negative {
            return self.out.push(format!("ready {kind}"));
        }
        if left_ms == 0 {
            return self.out.push("ready Timeout".to_owned());
        }
        let flight = match self.joinable(&parameter) {
            Some(flight) => flight,
            None => self.start(&parameter, false),
        };
        let reader = (reader.parse().unwrap(), self.now_ms + left_ms);
        let readers = &mut self.flights[flight].readers;
        match readers.iter_mut().find(|(other, _)| *other == reader.0) {
            Some(there) => *there = reader,
            None => readers.push(reader),
        }
        self.out.push("pending".to_owned());
    }

    fn enter(&mut self, parameter: &Option<String>) {
        if self.nodes[self.selected].parameter == *parameter {
            return;
        }
        self.reset(self.selected);
        self.nodes[self.selected].parameter = parameter.clone();
        for flight in self.flights_of(self.selected) {
            if self.flights[flight].parameter != *parameter {
                self.flights[flight].is_background = false;
                self.end_if_useless(flight);
            }
        }
    }

    fn start_behind(&mut self, parameter: &Option<String>) {
        match self.joinable(parameter) {
            Some(flight) => self.flights[flight].is_background = true,
            None => {
                self.start(parameter, true);
            }
        }
    }

    fn start(&mut self, parameter: &Option<String>, is_background: bool) -> usize {
        self.flights.push(Flight {
            node: self.selected,
            parameter: parameter.clone(),
            end_ms: self.now_ms + self.options.timeout_ms,
            is_over: false,
            is_calling: true,
            retry_ms: None,
            failures: 0,
            is_overtaken: false,
            is_background,
            readers: Vec::new(),
        });
        self.call(self.flights.len() - 1);
        self.flights.len() - 1
    }

    fn call(&mut self, flight: usize) {
        let shown = self.flights[flight]
            .parameter
            .as_ref()
            .map(|parameter| format!(" {parameter}"));
        self.out
            .push(format!("start {}{}", flight + 1, shown.unwrap_or_default()));
    }

    fn resolved(&mut self, flight: &str, result: Result<&str, &'static str>) {
        self.tick();
        let id = flight.parse::<usize>().unwrap() - 1;
        let flight = &mut self.flights[id];
        if flight.is_over || !flight.is_calling {
            return;
        }
        if let Err(kind) = result {
            flight.failures += 1;
            let retry = &self.options.retry;
            let at_ms = self.now_ms + retry.backoff_ms(flight.failures);
            if kind == "Failed" && flight.failures < retry.attempts && at_ms < flight.end_ms {
                flight.is_calling = false;
                flight.retry_ms = Some(at_ms);
                return;
            }
        }
        self.finish(id, result);
    }

    fn finish(&mut self, id: usize, result: Result<&str, &'static str>) {
        self.answer(id, result.unwrap_or_else(|kind| kind));
        let Self {
            options,
            now_ms,
            flights,
            nodes,
            out,
            selected,
            ..
        } = self;
        let flight = &flights[id];
        let node = &mut nodes[flight.node];
        let of = of(flight.node, *selected);
        let is_wanted = !flight.is_overtaken && flight.parameter == node.parameter;
        if is_wanted && options.refresh_interval_ms > 0 {
            node.due_ms = Some(*now_ms + options.refresh_interval_ms);
        }
        match result {
            Ok(value) if is_wanted => {
                node.negative = None;
                node.kept = Some(Kept {
                    at_ms: *now_ms,
                    value: value.to_owned(),
                    is_served: options.cache_time_ms != 0 || options.stale_while_revalidate_ms > 0,
                    is_stored: !options.read_only,
                });
                if !options.read_only {
                    out.push(format!("store {value}{of}"));
                }
            }
            Ok(_) => {}
            Err(kind) => {
                if is_wanted && options.negative_cache_ms > 0 {
                    node.negative = Some((*now_ms + options.negative_cache_ms, kind));
                }
                out.push(format!("failed {kind}{of}"));
            }
        }
    }

    fn tick(&mut self) {
        while let Some((rank, id, reader)) = self.next_wake() {
            match rank {
                0 => {
                    self.cancel(id);
                    self.finish(id, Err("Timeout"));
                }
                1 => {
                    self.flights[id].retry_ms = None;
                    if self.now_ms < self.flights[id].end_ms {
                        self.flights[id].is_calling = true;
                        self.call(id);
                    }
                }
                _ => {
                    let (reader, _) = self.flights[id].readers.remove(reader);
                    self.out.push(format!("answer {reader} Timeout"));
                    self.end_if_useless(id);
                }
            }
        }
        let mut dues: Vec<_> = (0..self.nodes.len())
            .filter_map(|node| self.nodes[node].due_ms.map(|due_ms| (due_ms, node)))
            .filter(|(due_ms, _)| *due_ms <= self.now_ms)
            .collect();
        dues.sort_unstable();
        for (_, node) in dues {
            self.nodes[node].due_ms = None;
            self.out.push(format!("due{}", of(node, self.selected)));
        }
    }

    /// The first of all that is due: an end, a retry, or a reader's deadline.
    fn next_wake(&self) -> Option<(u8, usize, usize)> {
        let mut all = Vec::new();
        for (id, flight) in self
            .flights
            .iter()
            .enumerate()
            .filter(|(_, flight)| !flight.is_over)
        {
            all.push((flight.end_ms, (0, id, 0)));
            all.extend(flight.retry_ms.map(|at_ms| (at_ms, (1, id, 0))));
            for (place, (_, deadline_ms)) in flight.readers.iter().enumerate() {
                all.push((*deadline_ms, (2, id, place)));
            }
        }
        let first = all
            .into_iter()
            .filter(|(at_ms, _)| *at_ms <= self.now_ms)
            .min()?;
        Some(first.1)
    }

    fn reset(&mut self, id: usize) {
        let node = &mut self.nodes[id];
        node.negative = None;
        if node.kept.take().is_some_and(|kept| kept.is_stored) {
            self.out.push(format!("unstore{}", of(id, self.selected)));
        }
    }

    fn end_if_useless(&mut self, id: usize) {
        if self.flights[id].readers.is_empty() && !self.flights[id].is_background {
            self.cancel(id);
            self.flights[id].is_over = true;
        }
    }

    fn cancel(&mut self, id: usize) {
        if self.flights[id].is_calling {
            self.out.push(format!("cancel {}", id + 1));
        }
    }

    fn answer(&mut self, id: usize, what: &str) {
        self.flights[id].is_over = true;
        for (reader, _) in self.flights[id].readers.drain(..) {
            self.out.push(format!("answer {reader} {what}"));
        }
    }

    fn joinable(&self, parameter: &Option<String>) -> Option<usize> {
        let mut flights = self.flights_of(self.selected).into_iter();
        flights
            .find(|id| !self.flights[*id].is_overtaken && self.flights[*id].parameter == *parameter)
    }

    fn flights_of(&self, node: usize) -> Vec<usize> {
        let flights = self.flights.iter().enumerate();
        flights
            .filter(|(_, flight)| !flight.is_over && flight.node == node)
            .map(|(id, _)| id)
            .collect()
    }

    fn waits(&self, flight: usize, reader: u64) -> bool {
        self.flights[flight]
            .readers
            .iter()
            .any(|(other, _)| *other == reader)
    }

    /// How many flights there were.
    pub(crate) fn flights(&self) -> usize {
        self.flights.len()
    }
}

fn of(node: usize, selected: usize) -> String {
    if node == selected {
        String::new()
    } else {
        format!(" of {node}")
    }
}
