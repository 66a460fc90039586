//! Subscribers, transactions, the clock, and the resets of resolvers.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use dhlrs_bag::{Content, NodeId};

use crate::{
    error::ErrorClass,
    handle::Phase,
    json::Json,
    limits::{SUBSCRIPTIONS_MAX, TRANSACTIONS_OPEN_MAX},
    request::Request,
    session::{OpenTransaction, Session},
};

type Answer = Result<String, ErrorClass>;

fn done() -> Answer {
    Ok("null".to_owned())
}

impl Session {
    pub(crate) fn op_backref(&mut self, request: &Request<'_>) -> Answer {
        let handle = request.handle()?;
        self.handle_mut(&handle)?.link(NodeId::ROOT);
        done()
    }

    pub(crate) fn op_sub(&mut self, request: &Request<'_>) -> Answer {
        let name: Arc<str> = request.text("name")?.into();
        let veto = self.veto(&name)?;
        // One name has one will, wherever it subscribes.
        veto.store(request.flag("veto", false), Ordering::Relaxed);
        let phases = match request.get("kinds") {
            None => vec![Phase::Update, Phase::Insert, Phase::Delete],
            Some(Json::Array(kinds)) => {
                let kinds = kinds.iter().map(|kind| match kind.text() {
                    Some("upd") => Ok(Phase::Update),
                    Some("ins") => Ok(Phase::Insert),
                    Some("del") => Ok(Phase::Delete),
                    _ => Err(ErrorClass::Missing),
                });
                let spot = self.bag_of(request);
                let kinds = kinds.collect::<Result<Vec<_>, _>>();
                spot.and(kinds)?
            }
            Some(_) => return Err(ErrorClass::Type),
        };
        let spot = self.bag_of(request)?;
        let own = self.handle_mut(&spot.handle)?;
        own.link(spot.node);
        for phase in phases {
            own.subscribe(spot.node, phase, &name, &veto)?;
        }
        done()
    }

    fn veto(&mut self, name: &Arc<str>) -> Result<Arc<AtomicBool>, ErrorClass> {
        if self.vetoes.len() >= SUBSCRIPTIONS_MAX && !self.vetoes.contains_key(name) {
            return Err(ErrorClass::Value);
        }
        Ok(self.vetoes.entry(name.clone()).or_default().clone())
    }

    pub(crate) fn op_unsub(&mut self, request: &Request<'_>) -> Answer {
        let spot = self.bag_of(request)?;
        let name: Arc<str> = request.text("name")?.into();
        self.handle_mut(&spot.handle)?.unsubscribe(spot.node, &name);
        done()
    }

    pub(crate) fn op_nsub(&mut self, request: &Request<'_>) -> Answer {
        let name: Arc<str> = request.text("name")?.into();
        let spot = self.node_of(request)?.ok_or(ErrorClass::Missing)?;
        self.handle_mut(&spot.handle)?
            .subscribe_node(spot.node, &name)?;
        done()
    }

    pub(crate) fn op_tsub(&mut self, request: &Request<'_>) -> Answer {
        let name: Arc<str> = request.text("name")?.into();
        let spot = self.bag_of(request)?;
        let own = self.handle_mut(&spot.handle)?;
        own.link(spot.node);
        own.subscribe_transactions(spot.node, &name)?;
        done()
    }

    pub(crate) fn op_begin(&mut self, request: &Request<'_>) -> Answer {
        let spot = self.bag_of(request)?;
        if self.open.len() >= TRANSACTIONS_OPEN_MAX {
            return Err(ErrorClass::Value);
        }
        let before = self.handle(&spot.handle)?.bag.snapshot();
        self.open.push(OpenTransaction {
            handle: spot.handle,
            bag: spot.node,
            before,
            changes: Vec::new(),
        });
        done()
    }

    pub(crate) fn op_end(&mut self, request: &Request<'_>) -> Answer {
        let ended = self.open.pop().ok_or(ErrorClass::Missing)?;
        if request.flag("abort", false) {
            self.undo(&ended)?;
            return done();
        }
        if ended.changes.is_empty() {
            return done();
        }
        let own = self.handles.get(&ended.handle);
        let names = own.and_then(|own| own.transactions.get(&ended.bag));
        let names = names.cloned().unwrap_or_default();
        self.tell_transaction(&names, &ended.changes);
        done()
    }

    // All or nothing: what was done in the bag is undone. What was done around it stays.
    fn undo(&mut self, ended: &OpenTransaction) -> Result<(), ErrorClass> {
        let Ok(own) = self.handle_mut(&ended.handle) else {
            return Ok(());
        };
        if ended.bag == NodeId::ROOT {
            own.bag = ended.before.clone().into();
            own.content_gone();
            return Ok(());
        }
        let was = ended.before.node_by_id(ended.bag);
        let is_there = own.bag.node_by_id(ended.bag).is_some();
        if let (Some(was), true) = (was, is_there) {
            let content = Content::Branch(was.branch());
            own.write_quietly(ended.bag, Some(content), None)?;
            own.content_gone();
        }
        Ok(())
    }

    pub(crate) fn op_clock(&mut self, request: &Request<'_>) -> Answer {
        const MS_PER_S: f64 = 1000.0;
        let seconds = match request.field("add")? {
            Json::Int(seconds) => *seconds as f64,
            Json::Float(seconds) => *seconds,
            Json::Bool(seconds) => f64::from(u8::from(*seconds)),
            _ => return Err(ErrorClass::Type),
        };
        let ms = (seconds * MS_PER_S).round() as i64;
        self.clock_ms = self.clock_ms.saturating_add_signed(ms);
        done()
    }

    pub(crate) fn op_calls(&mut self, request: &Request<'_>) -> Answer {
        Ok(self.counters.calls(request.text("name")?).to_string())
    }

    pub(crate) fn op_resetres(&mut self, request: &Request<'_>) -> Answer {
        let spot = self.node_of(request)?.ok_or(ErrorClass::Missing)?;
        let own = self.handle(&spot.handle)?;
        let node = own.bag.node_by_id(spot.node);
        if node.is_none_or(|node| node.resolver().is_none()) {
            return Err(ErrorClass::Missing);
        }
        self.reset_resolver(&spot)?;
        done()
    }

    pub(crate) fn op_reset(&mut self) -> Answer {
        let events = std::mem::take(&mut self.events);
        *self = Self::new();
        self.events = events;
        done()
    }
}
