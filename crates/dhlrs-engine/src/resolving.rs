//! The resolver that reads a node of another process: a read whose pages become a value or a branch.

use std::collections::BTreeMap;

use dhlrs_bag::{Branch, Content, Label, Row};
use dhlrs_clock::Time;
use dhlrs_path::{Address, DEPTH_MAX, StoreName};
use dhlrs_resolver::{Call, FlightId, ResolveError, ResolveErrorKind};
use dhlrs_store::Input as StoreInput;
use dhlrs_wire::{Page, Read, ReadRow, Refusal, RefusalKind, Reply, Request, Selection, View};

use crate::engine::Engine;
use crate::pending::Origin;
use crate::port::Output;

/// Nodes that a resolved branch may have.
const RESOLVED_NODES_MAX: usize = 100_000;
/// Bytes that a resolved branch may have on its way here. What may enter the tree is the resolver's limit.
const RESOLVED_BYTES_MAX: usize = 16 << 20;

#[derive(Debug, Default)]
pub(crate) struct Resolving {
    reads: BTreeMap<(StoreName, FlightId), Reading>,
}

#[derive(Debug)]
struct Reading {
    address: Address,
    deadline_ms: u64,
    rows: Vec<ReadRow>,
    /// What the rows take, as an estimate.
    bytes: usize,
}

impl Reading {
    fn is_too_large(&self) -> bool {
        self.rows.len() > RESOLVED_NODES_MAX || self.bytes > RESOLVED_BYTES_MAX
    }
}

impl Engine {
    pub(crate) fn resolve_remotely(
        &mut self,
        now: Time,
        store: StoreName,
        flight: FlightId,
        call: Call,
        out: &mut Vec<Output>,
    ) {
        let Some(address) = call.address else {
            let message = "the remote resolver was given no address";
            let result = Err(ResolveError::new(ResolveErrorKind::Failed, message));
            return self.store_input(now, &store, StoreInput::Resolved { flight, result });
        };
        let read = Read {
            selection: Selection::Path(address.path().clone()),
            depth: u16::try_from(DEPTH_MAX).unwrap_or(u16::MAX),
            view: View::Resolve,
            arguments: dhlrs_bag::Attributes::new(),
            at: None,
        };
        let reading = Reading {
            address,
            deadline_ms: call.deadline_ms,
            rows: Vec::new(),
            bytes: 0,
        };
        let target = reading.address.store().clone();
        self.resolving
            .reads
            .insert((store.clone(), flight), reading);
        let timeout_ms = call.deadline_ms.saturating_sub(now.monotonic_ms).max(1);
        let origin = Origin::Resolver { store, flight };
        let request = Request::Read(Box::new(read));
        let ask = self.ask(origin, &target, request, timeout_ms);
        self.start(now, ask, out);
    }

    /// Whether the flight was one of ours.
    pub(crate) fn cancel_remote(
        &mut self,
        _now: Time,
        store: &StoreName,
        flight: FlightId,
        _out: &mut Vec<Output>,
    ) -> bool {
        // The read's answer finds nobody; a read of a few pages ends by itself.
        self.resolving
            .reads
            .remove(&(store.clone(), flight))
            .is_some()
    }

    pub(crate) fn resolver_answered(
        &mut self,
        now: Time,
        store: &StoreName,
        flight: FlightId,
        result: Result<Reply, Refusal>,
        out: &mut Vec<Output>,
    ) {
        let key = (store.clone(), flight);
        let Some(mut reading) = self.resolving.reads.remove(&key) else {
            return;
        };
        let next = match result {
            Ok(Reply::Page(page)) => {
                let Page { rows, next, .. } = *page;
                if rows.is_empty() && next.is_some() {
                    // Pages without end that bring nothing would keep us busy until the deadline.
                    let message = format!("{} sent a page without rows", reading.address);
                    let result = Err(ResolveError::new(ResolveErrorKind::Failed, &message));
                    return self.store_input(now, store, StoreInput::Resolved { flight, result });
                }
                reading.bytes += rows.iter().map(ReadRow::encoded_bytes).sum::<usize>();
                reading.rows.extend(rows);
                next
            }
            Ok(_) => None,
            Err(refusal) => {
                let result = Err(resolve_error(&reading.address, &refusal));
                return self.store_input(now, store, StoreInput::Resolved { flight, result });
            }
        };
        match next {
            Some(cursor) if !reading.is_too_large() => {
                let timeout_ms = reading.deadline_ms.saturating_sub(now.monotonic_ms).max(1);
                let target = reading.address.store().clone();
                self.resolving.reads.insert(key, reading);
                let origin = Origin::Resolver {
                    store: store.clone(),
                    flight,
                };
                let request = Request::NextPage(cursor);
                let ask = self.ask(origin, &target, request, timeout_ms);
                self.start(now, ask, out);
            }
            Some(_) => {
                let message = format!(
                    "{} has more than {RESOLVED_NODES_MAX} nodes or {RESOLVED_BYTES_MAX} bytes",
                    reading.address
                );
                let result = Err(ResolveError::new(ResolveErrorKind::TooLarge, &message));
                self.store_input(now, store, StoreInput::Resolved { flight, result });
            }
            None => {
                let result = content(reading);
                self.store_input(now, store, StoreInput::Resolved { flight, result });
            }
        }
    }
}

fn content(reading: Reading) -> Result<Content, ResolveError> {
    let Reading { address, rows, .. } = reading;
    let mut rows = rows.into_iter();
    let Some(top) = rows.next() else {
        let message = format!("there is no node {address}");
        return Err(ResolveError::new(ResolveErrorKind::Failed, &message));
    };
    if let Some(value) = top.value {
        return Ok(Content::Value(value));
    }
    let malformed = |error: &dyn std::fmt::Display| {
        let message = format!("{address} is no branch: {error}");
        ResolveError::new(ResolveErrorKind::Failed, &message)
    };
    let mut branch = Vec::new();
    for row in rows {
        let label = Label::new(&row.name).map_err(|error| malformed(&error))?;
        let ReadRow {
            depth,
            value,
            attributes,
            ..
        } = row;
        // The resolvers of the other process are its own business; their values came along.
        let depth = depth.saturating_sub(1);
        branch.push(Row {
            depth,
            label,
            value,
            attributes,
            resolver: None,
        });
    }
    Branch::from_rows(branch)
        .map(Content::Branch)
        .map_err(|error| malformed(&error))
}

fn resolve_error(address: &Address, refusal: &Refusal) -> ResolveError {
    let kind = match refusal.kind() {
        RefusalKind::Timeout => ResolveErrorKind::Timeout,
        RefusalKind::Denied => ResolveErrorKind::Denied,
        RefusalKind::NoRoute | RefusalKind::Unavailable | RefusalKind::Overloaded => {
            ResolveErrorKind::Unavailable
        }
        _ => ResolveErrorKind::Failed,
    };
    ResolveError::new(kind, &format!("reading {address}: {refusal}"))
}
