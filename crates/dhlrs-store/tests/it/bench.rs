//! A store with a log that is a list, a clock that is a number and a caller that is a line of code.

use dhlrs_bag::{Content, Edit, GuardedEdit, MsgId};
use dhlrs_clock::{Stamp, Time};
use dhlrs_identity::PublicKey;
use dhlrs_path::Path;
use dhlrs_resolver::{Limits, Registry, Resolvers};
use dhlrs_store::{Caller, Config, Input, Output, Recovered, RequestId, Store};
use dhlrs_wire::{
    Delivery, Intent, Page, Read, Refusal, Reply, Request, Revision, Selection, View, Written,
};

pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) now: Time,
    /// What is on disk: the records of each ticket.
    pub(crate) disk: Vec<Vec<u8>>,
    /// The checkpoint, and how many records of `disk` it covers.
    pub(crate) image: Option<(Vec<Vec<u8>>, usize)>,
    /// The ticket that is out, if the test holds it back.
    pub(crate) out: Option<(u64, Vec<Vec<u8>>)>,
    /// Tickets go to the disk as soon as they are out.
    pub(crate) at_once: bool,
    pub(crate) syncs: usize,
    /// Outputs that nobody has looked at yet.
    pub(crate) outputs: Vec<Output>,
    next_request: u64,
}

pub(crate) fn config(logged: bool) -> Config {
    let node = "base/main".parse().unwrap();
    let mut config = Config::new(node, "orders".parse().unwrap(), [7; 32]);
    config.logged = logged;
    config
}

pub(crate) fn resolvers() -> Resolvers {
    Resolvers::new(Registry::new(), Limits::default())
}

pub(crate) fn path(text: &str) -> Path<'static> {
    text.parse().unwrap()
}

pub(crate) fn set(at: &str, content: impl Into<Content>) -> GuardedEdit {
    Edit::set(path(at), content).into()
}

pub(crate) fn remote() -> Caller {
    let neighbour = Some(PublicKey::from_bytes([1; 32]));
    Caller {
        source: "laptop/cli".parse().unwrap(),
        neighbour,
    }
}

pub(crate) fn local() -> Caller {
    Caller {
        source: "base/main".parse().unwrap(),
        neighbour: None,
    }
}

impl Bench {
    /// An open store with a log.
    pub(crate) fn logged() -> Self {
        Self::of(config(true), resolvers())
    }

    /// An open store without one.
    pub(crate) fn in_memory() -> Self {
        Self::of(config(false), resolvers())
    }

    pub(crate) fn of(config: Config, resolvers: Resolvers) -> Self {
        let logged = config.logged;
        let mut bench = Self {
            store: Store::new(config, resolvers).unwrap(),
            now: Time {
                wall_ms: 1_000_000,
                monotonic_ms: 1_000,
            },
            disk: Vec::new(),
            image: None,
            out: None,
            at_once: true,
            syncs: 0,
            outputs: Vec::new(),
            next_request: 0,
        };
        if logged {
            bench.recover();
        }
        bench
    }

    /// The process dies: what is not on disk is gone. A new one opens the same log.
    pub(crate) fn restart(&mut self) {
        self.restart_as(config(true), resolvers());
    }

    pub(crate) fn restart_as(&mut self, mut config: Config, resolvers: Resolvers) {
        config.entropy = *blake3::hash(&config.entropy).as_bytes();
        config.entropy[0] ^= u8::try_from(self.syncs % 256).unwrap();
        self.store = Store::new(config, resolvers).unwrap();
        self.out = None;
        self.outputs.clear();
        self.recover();
    }

    /// Hands the log to the store, as at opening and after a fence.
    pub(crate) fn recover(&mut self) {
        let mut covered = 0;
        if let Some((chunks, covers)) = self.image.clone() {
            covered = covers;
            for chunk in chunks {
                let chunk = Recovered::Image(chunk);
                self.handle(Input::Recovered { chunk, last: false });
            }
        }
        let records = self.disk[covered..].to_vec();
        let chunk = Recovered::Records(records);
        self.handle(Input::Recovered { chunk, last: true });
    }

    pub(crate) fn handle(&mut self, input: Input) {
        let mut outputs = Vec::new();
        self.store.handle(self.now, input, &mut outputs);
        for output in outputs {
            match output {
                Output::Persist { ticket, records } => {
                    assert!(self.out.is_none(), "one ticket is out at a time");
                    self.out = Some((ticket, records));
                }
                Output::Checkpoint { image, .. } => {
                    let chunks = image.chunks().map(Result::unwrap).collect();
                    self.image = Some((chunks, self.disk.len()));
                    self.outputs.push(Output::Warning("checkpoint".to_owned()));
                }
                other => self.outputs.push(other),
            }
        }
        if self.at_once && self.out.is_some() {
            self.sync();
        }
    }

    /// The ticket that is out reaches the disk.
    pub(crate) fn sync(&mut self) {
        let (ticket, records) = self.out.take().expect("a ticket is out");
        self.disk.extend(records);
        self.syncs += 1;
        self.handle(Input::Durable { ticket });
    }

    pub(crate) fn request_of(&mut self, caller: Caller, request: Request) -> RequestId {
        self.next_request += 1;
        let id = RequestId(self.next_request);
        self.handle(Input::Request {
            id,
            caller,
            timeout_ms: 5_000,
            request,
        });
        id
    }

    /// The answer to a request, if it has come.
    pub(crate) fn answer(&mut self, request: RequestId) -> Option<Result<Reply, Refusal>> {
        let is_answer =
            |output: &Output| matches!(output, Output::Answer { id, .. } if *id == request);
        let place = self.outputs.iter().position(is_answer)?;
        match self.outputs.remove(place) {
            Output::Answer { result, .. } => Some(result),
            _ => unreachable!(),
        }
    }

    #[track_caller]
    pub(crate) fn ask(&mut self, caller: Caller, request: Request) -> Result<Reply, Refusal> {
        let id = self.request_of(caller, request);
        self.answer(id).expect("an answer at once")
    }

    #[track_caller]
    pub(crate) fn open_session(&mut self) -> [u8; 16] {
        match self.ask(remote(), Request::OpenSession) {
            Ok(Reply::Session { session }) => session,
            other => panic!("{other:?}"),
        }
    }

    /// A write of the process itself.
    #[track_caller]
    pub(crate) fn write(&mut self, edits: Vec<GuardedEdit>) -> Result<Written, Refusal> {
        let request = Request::Write(Box::new(intent([0; 16], 0, edits)));
        self.ask(local(), request).map(written)
    }

    #[track_caller]
    pub(crate) fn set(&mut self, at: &str, content: impl Into<Content>) -> u64 {
        self.write(vec![set(at, content)]).unwrap().revision.number
    }

    /// A write that nobody waits for.
    pub(crate) fn set_later(&mut self, at: &str, content: impl Into<Content>) {
        let intent = intent([0; 16], 0, vec![set(at, content)]);
        self.request_of(local(), Request::Write(Box::new(intent)));
    }

    pub(crate) fn shown(&self, at: &str) -> Option<String> {
        self.store.published().get(at).map(ToString::to_string)
    }

    #[track_caller]
    pub(crate) fn read(&mut self, at: &str, depth: u16, view: View) -> Result<Page, Refusal> {
        let request = read(at, depth, view);
        self.ask(local(), request).map(page)
    }

    pub(crate) fn deliveries(&mut self, watch: RequestId) -> Vec<Delivery> {
        let mut found = Vec::new();
        let mut rest = Vec::new();
        for output in self.outputs.drain(..) {
            match output {
                Output::Deliver { id, delivery } if id == watch => found.push(delivery),
                other => rest.push(other),
            }
        }
        self.outputs = rest;
        found
    }

    pub(crate) fn revision(&self) -> Revision {
        self.store.revision()
    }

    pub(crate) fn pass_ms(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
        self.handle(Input::Tick);
    }

    pub(crate) fn warnings(&mut self) -> Vec<String> {
        let warning = |output: &Output| match output {
            Output::Warning(text) => Some(text.clone()),
            _ => None,
        };
        self.outputs.iter().filter_map(warning).collect()
    }
}

pub(crate) fn intent(session: [u8; 16], counter: u64, edits: Vec<GuardedEdit>) -> Intent {
    Intent {
        msg_id: MsgId { session, counter },
        edits,
        atomic: true,
        incarnation: None,
        reason: None,
        stamp: Stamp::ZERO,
        cause: Vec::new(),
        emitted: Vec::new(),
    }
}

pub(crate) fn counted(session: [u8; 16], counter: u64, edits: Vec<GuardedEdit>) -> Request {
    Request::Write(Box::new(intent(session, counter, edits)))
}

pub(crate) fn read(at: &str, depth: u16, view: View) -> Request {
    Request::Read(Box::new(Read {
        selection: Selection::Path(path(at)),
        depth,
        view,
        arguments: dhlrs_bag::Attributes::new(),
        at: None,
    }))
}

#[track_caller]
pub(crate) fn written(reply: Reply) -> Written {
    match reply {
        Reply::Written(written) => written,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn page(reply: Reply) -> Page {
    match reply {
        Reply::Page(page) => *page,
        other => panic!("{other:?}"),
    }
}
