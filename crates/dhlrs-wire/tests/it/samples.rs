//! A message of every kind, with every field in use somewhere.

use dhlrs_bag::{
    AttributeChange, Attributes, Branch, BranchBuilder, Bytes, ChangeKind, Content, Decimal, Edit,
    GuardedEdit, Label, List, Meta, MsgId, Name, NodeId, Position, Precondition, ResolverRef, Row,
    Shown, SortField, SortKey, SubscriberId, Timestamp, Value,
};
use dhlrs_clock::{Dot, Stamp};
use dhlrs_feed::{Epoch, EventDot, EventId, FeedId, StoreId};
use dhlrs_identity::PublicKey;
use dhlrs_path::Path;
use dhlrs_wire::{
    Delivery, Draft, DraftCause, Drafts, DraftsApplied, DraftsRequest, EventAction, EventRow,
    EventVerdict, FeedPeer, FeedRow, FeedStanding, FeedsStatus, ForwardStatus, HistoryCursor,
    HistoryPage, HistoryRequest, Incarnation, Intent, Kinds, Message, OtherEvent, Page, PageCursor,
    PeerStatus, Read, ReadRow, Refusal, RefusalKind, Reply, Request, RequestMessage, Revision,
    RevisionFrom, Route, RouteStatus, Selection, Status, StoreStatus, View, Watch, WatchedChange,
    WatchedChanges, Written,
};

const MSG_ID: MsgId = MsgId {
    session: [7; 16],
    counter: 300,
};

pub(crate) fn revision(number: u64) -> Revision {
    Revision {
        incarnation: Incarnation(0x0123_4567_89ab_cdef),
        number,
    }
}

pub(crate) fn path(text: &str) -> Path<'static> {
    Path::parse(text).unwrap().into_owned()
}

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn values() -> Vec<Value> {
    vec![
        Value::Null,
        Value::Bool(true),
        Value::Int(-300),
        Value::Float(f64::NAN),
        "a text, with ünïcode\nand lines".into(),
        Value::Bytes(Bytes::new(&[0, 255, 7])),
        Value::Timestamp(Timestamp::from_ns(-1)),
        Value::Decimal(Decimal::new(-150, 2).unwrap()),
        Value::List(List::new(vec![1.into(), Value::Null, "x".into()]).unwrap()),
    ]
}

fn attributes() -> Attributes {
    Attributes::from_iter([(name("size"), 3.into()), (name("colour"), "red".into())])
}

fn resolver() -> ResolverRef {
    ResolverRef {
        cache_time_ms: -1,
        read_only: true,
        parameters: attributes(),
        ..ResolverRef::new(name("remote"))
    }
}

fn branch() -> Branch {
    let mut branch = BranchBuilder::new();
    let mut bag = Row::bag(0, label("orders"));
    bag.resolver = Some(resolver());
    bag.attributes = Attributes::from_iter(values().into_iter().map(|v| (name(v.type_name()), v)));
    branch.push(bag).unwrap();
    for (at, value) in values().into_iter().enumerate() {
        let leaf = Row::value(1, label(&format!("o.{at}")), value);
        branch.push(leaf).unwrap();
    }
    branch.finish()
}

fn edits() -> Vec<GuardedEdit> {
    let positions = ["<", ">", "#3", "#-1", "<a", ">a.b", "<#0", ">#2"];
    let placed = positions.map(|place| Edit::Set {
        path: path("a.#2.b~00112233445566778899aabbccddeeff"),
        content: Some(Content::Value(3.into())),
        attributes: Some(attributes()),
        position: Some(place.parse::<Position>().unwrap()),
        overwrite: true,
    });
    let others = [
        Edit::set(path("orders"), branch()),
        Edit::SetAttributes {
            path: path(""),
            attributes: attributes(),
        },
        Edit::SetResolver {
            path: path("r"),
            resolver: Some(resolver()),
            content: Some(Content::Value(Value::Null)),
            attributes: None,
            position: None,
        },
        Edit::Remove {
            path: path("a?colour"),
        },
        Edit::Move {
            path: path("a.#parent"),
            to: path("b"),
            position: Some(Position::First),
        },
        Edit::Rename {
            path: path("a"),
            label: label("b"),
        },
        Edit::Sort {
            path: path("a"),
            by: SortKey::from(SortField::Attribute(name("size"))),
        },
        Edit::Clear { path: path("a") },
        Edit::Replace {
            path: path("a"),
            branch: Branch::new(),
        },
        Edit::Merge {
            path: path("a"),
            branch: Branch::new(),
        },
        Edit::Invalidate { path: path("a") },
        Edit::Materialise { path: path("a") },
    ];
    let conditions = [
        None,
        Some(Precondition::Missing),
        Some(Precondition::Present),
        Some(Precondition::Revision(u64::MAX)),
    ];
    let edits = placed.into_iter().chain(others);
    edits
        .zip(conditions.into_iter().cycle())
        .map(|(edit, precondition)| GuardedEdit { edit, precondition })
        .collect()
}

pub(crate) fn intent(edits: Vec<GuardedEdit>) -> Intent {
    Intent {
        msg_id: MSG_ID,
        edits,
        atomic: true,
        incarnation: Some(Incarnation(1)),
        reason: Some("moved house".to_owned()),
        stamp: Stamp::new(1_700_000_000_000, 5).unwrap(),
        cause: vec![SubscriberId([1; 16]), SubscriberId([2; 16])],
        emitted: Vec::new(),
    }
}

pub(crate) fn stamp() -> Stamp {
    Stamp::new(1_700_000_000_123, 7).unwrap()
}

pub(crate) fn feed() -> FeedId {
    let epoch = Epoch::stamped(stamp(), 0x0102_0304_0506_0708);
    FeedId::new(PublicKey::from_bytes([4; 32]), epoch)
}

pub(crate) fn dot() -> EventDot {
    Dot::new(feed(), 300)
}

fn cursor() -> HistoryCursor {
    HistoryCursor {
        stamp: stamp(),
        dot: dot(),
    }
}

pub(crate) fn event_row(action: EventAction) -> EventRow {
    EventRow {
        dot: dot(),
        stamp: stamp(),
        following: 3,
        action,
        path: "orders.o1".to_owned(),
        value: Some("paid".into()),
        verdict: EventVerdict::Void,
    }
}

fn event_rows() -> Vec<EventRow> {
    let actions = [
        EventAction::Create,
        EventAction::Set,
        EventAction::SetAttribute {
            name: name("colour"),
        },
        EventAction::Move {
            to: "drafts".to_owned(),
        },
        EventAction::Rename { label: label("o2") },
        EventAction::Reorder,
        EventAction::Remove,
        EventAction::Clear,
        EventAction::Emit {
            kind: "till.count".into(),
        },
        EventAction::Close,
        EventAction::Seen,
    ];
    let verdicts = [
        EventVerdict::Reduced,
        EventVerdict::Void,
        EventVerdict::Waiting,
    ];
    let rows = actions.into_iter().zip(verdicts.into_iter().cycle());
    rows.map(|(action, verdict)| EventRow {
        verdict,
        value: matches!(action, EventAction::Set).then(|| 3.into()),
        ..event_row(action)
    })
    .collect()
}

pub(crate) fn feed_row(standing: FeedStanding) -> FeedRow {
    FeedRow {
        feed: feed(),
        held: 300,
        reduced: 290,
        head: EventId::from_bytes([6; 32]),
        stamp: stamp(),
        lag: 12,
        standing,
        future: 4,
        void: 5,
        wall_ms: 1_700_000_000_000,
    }
}

pub(crate) fn feeds_status() -> FeedsStatus {
    let standings = [
        FeedStanding::Open,
        FeedStanding::Closed,
        FeedStanding::Forked,
    ];
    FeedsStatus {
        store: StoreId::new("field", None),
        own: Some(feed()),
        state_hash: [8; 32],
        feeds: 3,
        events: 900,
        drafts: 2,
        pending_bytes: 1 << 20,
        is_full: true,
        clock_ahead_ms: Some(-90_000),
        refused: 11,
        rows: standings.map(feed_row).into(),
        next: Some(feed()),
        peers: vec![FeedPeer {
            node: "b/main".parse().unwrap(),
            key: PublicKey::from_bytes([5; 32]),
            is_known: true,
            ahead: 12,
            behind: 2,
        }],
    }
}

fn requests() -> Vec<Request> {
    let read = |selection, view| {
        Request::Read(Box::new(Read {
            selection,
            depth: 64,
            view,
            arguments: attributes(),
            at: (view == View::Stored).then(stamp),
        }))
    };
    let watch = |selection, from, node| {
        Request::Watch(Box::new(Watch {
            selection,
            from,
            kinds: Kinds(ChangeKind::ALL.into_iter().collect()),
            credit: 1_000,
            node,
        }))
    };
    let orders = || Selection::Path(path("orders.#-1"));
    let names = || Selection::Pattern("**.name".parse().unwrap());
    // An edit each: the tests that go over every bit cost the square of a message.
    let writes = edits().into_iter().map(|edit| intent(vec![edit]));
    let mut requests: Vec<_> = writes
        .map(|intent| Request::Write(Box::new(intent)))
        .collect();
    requests.extend([
        Request::OpenSession,
        Request::CloseSession { session: [9; 16] },
        Request::Write(Box::new(intent(Vec::new()))),
        read(orders(), View::Resolve),
        read(orders(), View::Cached),
        read(names(), View::Stored),
        Request::NextPage(PageCursor {
            read: u64::MAX,
            page: 7,
        }),
        Request::EndRead { read: 1 },
        Request::Refresh { path: path("a.b") },
        watch(orders(), None, Some(NodeId::from_bytes([3; 16]))),
        watch(names(), Some(RevisionFrom::from(revision(4))), None),
        watch(names(), Some(RevisionFrom::from(4)), None),
        Request::Status,
        Request::Feeds { after: None },
        Request::Feeds {
            after: Some(feed()),
        },
        Request::Drafts(DraftsRequest::List { after: Some(dot()) }),
        Request::Drafts(DraftsRequest::Apply { newer: true }),
        Request::Drafts(DraftsRequest::Drop),
        Request::History(Box::new(HistoryRequest {
            path: path("orders.o1"),
            before: Some(cursor()),
            limit: 300,
        })),
        Request::Checkpoint,
    ]);
    let till = OtherEvent::new("till.count", b"{\"coins\":3}".to_vec()).unwrap();
    requests.push(Request::Write(Box::new(Intent {
        emitted: vec![till],
        ..intent(Vec::new())
    })));
    requests
}

pub(crate) fn refusal_kinds() -> Vec<RefusalKind> {
    vec![
        RefusalKind::NoRoute,
        RefusalKind::NoStore,
        RefusalKind::Timeout,
        RefusalKind::Denied,
        RefusalKind::TooLarge,
        RefusalKind::PreconditionFailed,
        RefusalKind::Missing,
        RefusalKind::Exists,
        RefusalKind::Cycle,
        RefusalKind::ThroughScalar,
        RefusalKind::BadPosition,
        RefusalKind::Invalid,
        RefusalKind::ResolverGuard,
        RefusalKind::UnderOverlay,
        RefusalKind::Resolver,
        RefusalKind::Unavailable,
        RefusalKind::UnknownSession,
        RefusalKind::OutOfOrder { expected: 9 },
        RefusalKind::AlreadyApplied {
            revision: revision(8),
        },
        RefusalKind::SnapshotExpired,
        RefusalKind::Compacted {
            oldest: revision(2),
        },
        RefusalKind::HopLimit,
        RefusalKind::Loop,
        RefusalKind::Overloaded,
        RefusalKind::Unsupported,
        RefusalKind::StoreFull,
        RefusalKind::ClockAhead { until_ms: 1 },
    ]
}

fn status() -> Status {
    let key = PublicKey::from_bytes([4; 32]);
    Status {
        node: "base/main".parse().unwrap(),
        key,
        version: "0.1.0".to_owned(),
        listen: vec!["ws://127.0.0.1:7001".to_owned()],
        transports: vec!["ws".to_owned(), "wss".to_owned()],
        stores: vec![StoreStatus {
            name: "orders".to_owned(),
            authority: "owned".to_owned(),
            state: "open".to_owned(),
            revision: revision(70),
            oldest: 3,
            nodes: 5_000,
            durable: true,
            sessions: 2,
            watches: 1,
            forwards: vec![ForwardStatus {
                pattern: "orders.**".to_owned(),
                store: "c/main/in".parse().unwrap(),
                revision: 69,
                refused: 1,
                state: "running".to_owned(),
            }],
        }],
        peers: vec![PeerStatus {
            node: "b/main".parse().unwrap(),
            key,
            state: "connected".to_owned(),
            in_flight: 3,
        }],
        routes: vec![RouteStatus {
            node: "c/main".parse().unwrap(),
            via: "b/main".parse().unwrap(),
            hops: 2,
        }],
        refused_frames: 12,
    }
}

fn replies() -> Vec<Reply> {
    let rows = values().into_iter().map(Some).chain([None]);
    let rows = rows.map(|value| ReadRow {
        depth: 1,
        name: "o1".to_owned(),
        resolver: value.is_none().then(resolver),
        value,
        attributes: attributes(),
        revision: 6,
        children: 2,
    });
    let pages = rows.map(|row| {
        Reply::Page(Box::new(Page {
            revision: revision(12),
            rows: vec![row],
            next: Some(PageCursor { read: 5, page: 1 }),
        }))
    });
    let mut replies: Vec<_> = pages.collect();
    replies.extend([
        Reply::Session { session: [5; 16] },
        Reply::Written(Written {
            revision: revision(11),
            skipped: 4,
            first_skipped: vec![Refusal::new(RefusalKind::Exists, "a.b is there already")],
        }),
        Reply::Page(Box::new(Page {
            revision: revision(0),
            rows: Vec::new(),
            next: None,
        })),
        Reply::Watching {
            from: revision(13),
            node: Some(NodeId::ROOT),
        },
        Reply::Status(Box::new(status())),
        Reply::Done,
        Reply::Feeds(Box::new(feeds_status())),
        Reply::Drafts(Box::new(Drafts::Applied(DraftsApplied {
            revision: revision(12),
            applied: 5,
            left_out: 3,
            first_left_out: vec![Refusal::new(
                RefusalKind::PreconditionFailed,
                "orders.o1 was written since",
            )],
        }))),
        Reply::Drafts(Box::new(Drafts::Dropped { drafts: 8 })),
    ]);
    let causes = [
        DraftCause::Restored,
        DraftCause::Overtaken,
        DraftCause::Forked,
        DraftCause::ClockMended,
    ];
    // A row each, as with the edits.
    replies.extend(causes.map(|cause| {
        Reply::Drafts(Box::new(Drafts::List {
            rows: vec![Draft {
                event: event_row(EventAction::Set),
                cause,
            }],
            next: Some(dot()),
        }))
    }));
    replies.extend(event_rows().into_iter().map(|row| {
        Reply::History(Box::new(HistoryPage {
            rows: vec![row],
            next: Some(cursor()),
        }))
    }));
    replies
}

fn deliveries() -> Vec<Delivery> {
    let changes = ChangeKind::ALL.map(|kind| WatchedChange {
        kind,
        path: path("orders.o1"),
        old_path: Some(path("drafts.o1")),
        old: Shown::Absent,
        new: Shown::Branch { nodes: 1 << 20 },
        attributes: vec![AttributeChange {
            name: name("colour"),
            old: None,
            new: Some("red".into()),
        }],
        index: Some(3),
        autocreated: true,
    });
    let mut changes = Vec::from(changes);
    changes.extend(values().into_iter().map(|value| WatchedChange {
        kind: ChangeKind::Value,
        path: path(""),
        old_path: None,
        old: Shown::Scalar(Value::Null),
        new: Shown::Scalar(value),
        attributes: Vec::new(),
        index: None,
        autocreated: false,
    }));
    let mut deliveries: Vec<_> = changes.into_iter().map(delivery).collect();
    deliveries.extend([
        Delivery::Lagged {
            revisions: 5,
            next: 26,
        },
        Delivery::Ended(Box::new(Refusal::new(
            RefusalKind::Unavailable,
            "orders was closed",
        ))),
    ]);
    deliveries
}

fn delivery(change: WatchedChange) -> Delivery {
    Delivery::Changes(WatchedChanges {
        revision: revision(20),
        meta: Meta {
            revision: 20,
            reason: Some("moved house".into()),
            origin: Some("laptop/cli".parse().unwrap()),
            msg_id: Some(MSG_ID),
            cause: vec![SubscriberId([1; 16])],
            stamp: Some((1_700_000_000_000, 5)),
        },
        transaction: true,
        changes: vec![change],
        more: true,
    })
}

pub(crate) fn request(request: Request) -> Message {
    Message::Request(Box::new(RequestMessage {
        id: 77,
        source: "laptop/cli".parse().unwrap(),
        target: "base/main".parse().unwrap(),
        store: Some("orders".parse().unwrap()),
        hops: 16,
        timeout_ms: 5_000,
        request,
    }))
}

pub(crate) fn refused(refusal: Refusal) -> Message {
    Message::Reply {
        id: 77,
        result: Err(Box::new(refusal)),
    }
}

/// At least one message of every kind.
pub(crate) fn messages() -> Vec<Message> {
    let mut messages = vec![
        Message::Announce(vec![Route {
            node: "base/main".parse().unwrap(),
            hops: 15,
        }]),
        Message::Credit {
            id: 1,
            changes: 4_000_000_000,
        },
        Message::Cancel { id: u64::MAX },
        Message::Gossip {
            store: [3; 32],
            bytes: vec![1, 2, 255],
        },
    ];
    messages.extend(requests().into_iter().map(request));
    messages.extend(replies().into_iter().map(|reply| Message::Reply {
        id: 78,
        result: Ok(Box::new(reply)),
    }));
    let refusals = refusal_kinds().into_iter();
    let refusals = refusals.map(|kind| Refusal::new(kind, "no, because").with_unknown_outcome());
    messages.extend(refusals.map(refused));
    messages.extend(deliveries().into_iter().map(|delivery| Message::Deliver {
        id: 79,
        delivery: Box::new(delivery),
    }));
    messages
}
