//! Each count in a message at its limit, and one beyond.

use dhlrs_bag::{Bytes, Edit, GuardedEdit, SubscriberId, Value};
use dhlrs_feed::OTHER_PAYLOAD_BYTES_MAX;
use dhlrs_path::LABEL_BYTES_MAX;
use dhlrs_wire::{
    CAUSE_MAX, DRAFT_ROWS_MAX, Draft, DraftCause, Drafts, DraftsApplied, EDITS_MAX, EMITTED_MAX,
    EVENT_PATH_BYTES_MAX, EventAction, EventRow, FEED_PEERS_MAX, FEEDS_ROWS_MAX, FIRST_SKIPPED_MAX,
    FeedStanding, GOSSIP_BYTES_MAX, HISTORY_ROWS_MAX, HOPS_MAX, HistoryPage, HistoryRequest,
    Intent, MESSAGE_BYTES_MAX, Message, OtherEvent, OtherEventError, Page, REASON_BYTES_MAX,
    REFUSAL_BYTES_MAX, ROUTES_MAX, ReadRow, Refusal, RefusalKind, Reply, Request, Route,
    WireErrorKind, Written,
};

use crate::samples::{event_row, feed_row, feeds_status, intent, path, refused, request, revision};

pub(crate) fn set_of_bytes(bytes: usize) -> GuardedEdit {
    let content = Value::Bytes(Bytes::new(&vec![0; bytes]));
    Edit::set(path("a"), content).into()
}

/// `make(limit)` decodes, and `make(limit + 1)` is refused with an error that names the limit.
#[track_caller]
fn ends_at(limit: usize, kind: WireErrorKind, make: impl Fn(usize) -> Message) {
    let within = make(limit);
    let bytes = within.encode().unwrap();
    assert_eq!(Message::decode(&bytes).unwrap(), within);
    let bytes = make(limit + 1).encode().unwrap();
    let error = Message::decode(&bytes).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(&limit.to_string()), "{error}");
}

fn write(change: impl FnOnce(&mut Intent)) -> Message {
    let mut intent = intent(Vec::new());
    change(&mut intent);
    request(Request::Write(Box::new(intent)))
}

#[test]
fn edits_causes_and_reason() {
    ends_at(EDITS_MAX, WireErrorKind::Malformed, |count| {
        let edit = GuardedEdit::from(Edit::Remove { path: path("a") });
        write(|intent| intent.edits = vec![edit; count])
    });
    ends_at(CAUSE_MAX, WireErrorKind::Malformed, |count| {
        write(|intent| intent.cause = vec![SubscriberId([7; 16]); count])
    });
    ends_at(REASON_BYTES_MAX, WireErrorKind::OverLimit, |bytes| {
        write(|intent| intent.reason = Some("x".repeat(bytes)))
    });
}

#[test]
fn hops_and_routes() {
    ends_at(HOPS_MAX.into(), WireErrorKind::OverLimit, |hops| {
        let mut message = request(Request::Status);
        if let Message::Request(request) = &mut message {
            request.hops = hops.try_into().unwrap();
        }
        message
    });
    ends_at(ROUTES_MAX, WireErrorKind::Malformed, |count| {
        let route = Route {
            node: "base/main".parse().unwrap(),
            hops: 0,
        };
        Message::Announce(vec![route; count])
    });
}

#[test]
fn refusals_and_what_a_batch_left_out() {
    ends_at(FIRST_SKIPPED_MAX, WireErrorKind::Malformed, |count| {
        let refusal = Refusal::new(RefusalKind::Exists, "a is there already");
        Message::Reply {
            id: 1,
            result: Ok(Box::new(Reply::Written(Written {
                revision: revision(1),
                skipped: 9,
                first_skipped: vec![refusal; count],
            }))),
        }
    });

    // No constructor makes a longer one, so the bytes are made by hand: one letter more, and its count.
    let letters = "x".repeat(REFUSAL_BYTES_MAX);
    let longest = refused(Refusal::new(RefusalKind::Missing, &letters));
    let mut bytes = longest.encode().unwrap();
    assert_eq!(Message::decode(&bytes).unwrap(), longest);
    let first = bytes.iter().position(|byte| *byte == b'x').unwrap();
    assert_eq!(bytes[first - 2..first], [0x80, 0x08], "1,024 as a varint");
    bytes[first - 2] = 0x81;
    bytes.insert(first, b'x');
    let error = Message::decode(&bytes).unwrap_err();
    assert_eq!(error.kind(), WireErrorKind::Malformed);
    assert!(error.to_string().contains("1024 bytes"), "{error}");
}

#[test]
fn a_refusal_is_cut_between_characters() {
    let exact = "x".repeat(REFUSAL_BYTES_MAX);
    assert_eq!(Refusal::new(RefusalKind::Missing, &exact).message(), exact);
    let cut = Refusal::new(RefusalKind::Missing, format!("{exact}y"));
    assert_eq!(cut.message(), exact);
    let wide = Refusal::new(RefusalKind::Missing, format!("x{}", "é".repeat(600)));
    assert_eq!(wide.message().len(), REFUSAL_BYTES_MAX - 1);
}

#[test]
fn a_page_of_the_smallest_rows_is_within_the_decoders_memory() {
    let row = ReadRow {
        depth: 0,
        name: "a".to_owned(),
        value: None,
        attributes: Default::default(),
        resolver: None,
        revision: 0,
        children: 0,
    };
    let message = Message::Reply {
        id: 1,
        result: Ok(Box::new(Reply::Page(Box::new(Page {
            revision: revision(1),
            rows: vec![row; dhlrs_wire::PAGE_BYTES_MAX / 8],
            next: None,
        })))),
    };
    let bytes = message.encode().unwrap();
    assert!(bytes.len() >= dhlrs_wire::PAGE_BYTES_MAX, "{}", bytes.len());
    assert_eq!(Message::decode(&bytes).unwrap(), message);
}

fn reply(reply: Reply) -> Message {
    Message::Reply {
        id: 1,
        result: Ok(Box::new(reply)),
    }
}

#[test]
fn events_of_other_kinds() {
    ends_at(EMITTED_MAX, WireErrorKind::Malformed, |count| {
        let event = OtherEvent::new("k", vec![7]).unwrap();
        write(|intent| intent.emitted = vec![event; count])
    });

    let longest = "k".repeat(LABEL_BYTES_MAX);
    assert!(OtherEvent::new(&longest, vec![0; OTHER_PAYLOAD_BYTES_MAX]).is_ok());
    for kind in ["", "bag.", "bag.set", "a\nb", &format!("{longest}k")] {
        assert_eq!(
            OtherEvent::new(kind, Vec::new()),
            Err(OtherEventError::Kind),
            "{kind:?}"
        );
    }
    let found = OTHER_PAYLOAD_BYTES_MAX + 1;
    assert_eq!(
        OtherEvent::new("k", vec![0; found]),
        Err(OtherEventError::TooLarge { found })
    );
}

#[test]
fn an_event_of_another_kind_is_checked_when_it_is_read() {
    let event = OtherEvent::new("baz.", vec![7]).unwrap();
    let mut bytes = write(|intent| intent.emitted = vec![event])
        .encode()
        .unwrap();
    let at = bytes.windows(4).position(|part| part == b"baz.").unwrap();
    bytes[at + 2] = b'g';
    let error = Message::decode(&bytes).unwrap_err();
    assert_eq!(error.kind(), WireErrorKind::Malformed);
    assert!(error.to_string().contains("begin with `bag.`"), "{error}");
}

#[test]
fn gossip_fills_a_message() {
    ends_at(GOSSIP_BYTES_MAX, WireErrorKind::Malformed, |count| {
        Message::Gossip {
            store: [3; 32],
            bytes: vec![7; count],
        }
    });
    let longest = Message::Gossip {
        store: [3; 32],
        bytes: vec![7; GOSSIP_BYTES_MAX],
    };
    let spare = MESSAGE_BYTES_MAX - longest.encode().unwrap().len();
    assert!(spare < 64, "{spare}");
}

#[test]
fn feeds_and_peers_of_a_replica() {
    ends_at(FEEDS_ROWS_MAX, WireErrorKind::Malformed, |count| {
        let mut status = feeds_status();
        status.rows = vec![feed_row(FeedStanding::Open); count];
        reply(Reply::Feeds(Box::new(status)))
    });
    ends_at(FEED_PEERS_MAX, WireErrorKind::Malformed, |count| {
        let mut status = feeds_status();
        status.peers = vec![status.peers[0].clone(); count];
        reply(Reply::Feeds(Box::new(status)))
    });
}

#[test]
fn drafts_and_what_was_left_out() {
    ends_at(DRAFT_ROWS_MAX, WireErrorKind::Malformed, |count| {
        let draft = Draft {
            event: event_row(EventAction::Remove),
            cause: DraftCause::Forked,
        };
        reply(Reply::Drafts(Box::new(Drafts::List {
            rows: vec![draft; count],
            next: None,
        })))
    });
    ends_at(FIRST_SKIPPED_MAX, WireErrorKind::Malformed, |count| {
        let refusal = Refusal::new(RefusalKind::Exists, "a is there already");
        reply(Reply::Drafts(Box::new(Drafts::Applied(DraftsApplied {
            revision: revision(1),
            applied: 0,
            left_out: 9,
            first_left_out: vec![refusal; count],
        }))))
    });
}

#[test]
fn a_history_and_its_rows() {
    ends_at(HISTORY_ROWS_MAX, WireErrorKind::OverLimit, |limit| {
        request(Request::History(Box::new(HistoryRequest {
            path: path("a"),
            before: None,
            limit: limit.try_into().unwrap(),
        })))
    });
    let history = |rows| reply(Reply::History(Box::new(HistoryPage { rows, next: None })));
    ends_at(HISTORY_ROWS_MAX, WireErrorKind::Malformed, |count| {
        history(vec![event_row(EventAction::Set); count])
    });
    ends_at(EVENT_PATH_BYTES_MAX, WireErrorKind::Malformed, |bytes| {
        let path = "x".repeat(bytes);
        let row = event_row(EventAction::Set);
        history(vec![EventRow { path, ..row }])
    });
    ends_at(EVENT_PATH_BYTES_MAX, WireErrorKind::Malformed, |bytes| {
        let to = "x".repeat(bytes);
        history(vec![event_row(EventAction::Move { to })])
    });
}

#[test]
fn rows_take_no_more_bytes_than_they_are_counted_for() {
    let actions = [
        EventAction::Set,
        EventAction::Move {
            to: "y".repeat(300),
        },
        EventAction::Emit {
            kind: "k".repeat(200).as_str().into(),
        },
    ];
    for action in actions {
        let row = event_row(action);
        let of = |rows| {
            let page = HistoryPage { rows, next: None };
            reply(Reply::History(Box::new(page)))
                .encode()
                .unwrap()
                .len()
        };
        let bytes = of(vec![row.clone(); 2]) - of(vec![row.clone()]);
        let counted = row.encoded_bytes();
        assert!(
            bytes <= counted && counted < bytes + 64,
            "{bytes} {counted}"
        );
    }
}
