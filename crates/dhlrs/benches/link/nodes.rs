//! Two nodes: one has the store, its log on the real file system; the other writes to it.

use std::path::Path;
use std::time::{Duration, Instant};

use dhlrs::bag::{Edit, MsgId};
use dhlrs::wire::{
    Incarnation, Intent, Message, Reply, Request, RequestMessage, Revision, Written,
};
use dhlrs::{Identity, Node, StoreHandle, StoreOptions};
use dhlrs_clock::Stamp;
use dhlrs_storage::{OsVfs, Vfs};
use dhlrs_transport::MemoryBus;

use crate::VALUE;
use crate::meter::{Meter, Run};

#[derive(Clone, Copy)]
pub(crate) enum Wire {
    Memory,
    WebSocket,
}

pub(crate) struct Pair {
    far: Node,
    near: Node,
    store: StoreHandle,
    vfs: OsVfs,
}

impl Pair {
    pub(crate) async fn start(wire: Wire, dir: &Path) -> Self {
        let vfs = OsVfs::new();
        let bus = MemoryBus::new();
        let mut far = Node::builder("far/main".parse().unwrap())
            .identity(Identity::from_seed([1; 32]))
            .data_dir(dir)
            .vfs(vfs.clone())
            .store(StoreOptions::owned("main"));
        let mut near = Node::builder("near/main".parse().unwrap());
        far = match wire {
            Wire::Memory => {
                let transport = bus.endpoint("far").unwrap();
                far.transport("memory", transport).listen("memory://far")
            }
            Wire::WebSocket => far.listen("ws://127.0.0.1:0"),
        };
        let far = far.start().await.unwrap();
        if let Wire::Memory = wire {
            near = near.transport("memory", bus.endpoint("near").unwrap());
        }
        let near = near.connect(&far.listen_urls()[0]).start().await.unwrap();
        near.connected(Duration::from_secs(10)).await.unwrap();
        let store = near.remote(&"far/main/main".parse().unwrap());
        store.set("w0", VALUE).await.unwrap();
        Self {
            far,
            near,
            store,
            vfs,
        }
    }

    /// What the log grows by for one set.
    pub(crate) async fn record_bytes(&self) -> usize {
        const SETS: u64 = 100;
        let before = self.vfs.counts().appended_bytes;
        for n in 0..SETS {
            self.store.set("w0", value(0, n)).await.unwrap();
        }
        ((self.vfs.counts().appended_bytes - before) / SETS) as usize
    }

    pub(crate) async fn run(&self, writers: usize, time: Duration) -> Run {
        let syncs = self.vfs.counts().syncs;
        let began = Instant::now();
        let tasks: Vec<_> = (0..writers)
            .map(|writer| tokio::spawn(write(self.store.clone(), writer, began + time)))
            .collect();
        let mut latencies = Vec::new();
        for task in tasks {
            latencies.extend(task.await.unwrap());
        }
        Run {
            took: began.elapsed(),
            latencies,
            syncs: Some(self.vfs.counts().syncs - syncs),
        }
    }

    pub(crate) async fn stop(self) {
        self.near.shutdown().await;
        self.far.shutdown().await;
    }
}

async fn write(store: StoreHandle, writer: usize, end: Instant) -> Vec<Duration> {
    let path = format!("w{writer}");
    let mut meter = Meter::new(end);
    for n in 0.. {
        store.set(path.as_str(), value(writer, n)).await.unwrap();
        if !meter.done() {
            break;
        }
    }
    meter.latencies()
}

/// Another one each time: a set that changes nothing is no revision.
fn value(writer: usize, n: u64) -> String {
    format!("{writer:08x}{n:08x}{}", &VALUE[16..])
}

/// The messages of one set and its answer, as they travel.
pub(crate) fn message_bytes() -> (usize, usize) {
    let path = "w0".parse().unwrap();
    let intent = Intent {
        msg_id: MsgId {
            session: [0x5a; 16],
            counter: 10_000,
        },
        edits: vec![Edit::set(path, VALUE).into()],
        atomic: true,
        incarnation: None,
        reason: None,
        stamp: Stamp::ZERO,
        cause: Vec::new(),
        emitted: Vec::new(),
    };
    let request = Message::Request(Box::new(RequestMessage {
        id: 10_000,
        source: "near/main".parse().unwrap(),
        target: "far/main".parse().unwrap(),
        store: Some("main".parse().unwrap()),
        hops: 16,
        timeout_ms: 5_000,
        request: Request::Write(Box::new(intent)),
    }));
    let written = Written {
        revision: Revision {
            incarnation: Incarnation(u64::MAX),
            number: 10_000,
        },
        skipped: 0,
        first_skipped: Vec::new(),
    };
    let reply = Message::Reply {
        id: 10_000,
        result: Ok(Box::new(Reply::Written(written))),
    };
    // The stamp and the head of a frame: what they take is about the same each time.
    const HEADS_BYTES: usize = 12;
    (
        request.encode().unwrap().len() + HEADS_BYTES,
        reply.encode().unwrap().len() + HEADS_BYTES,
    )
}
