//! Each count in a message at its limit, and one beyond.

use dhlrs_bag::{Bytes, Edit, GuardedEdit, SubscriberId, Value};
use dhlrs_wire::{
    CAUSE_MAX, EDITS_MAX, FIRST_SKIPPED_MAX, HOPS_MAX, Intent, Message, Page, REASON_BYTES_MAX,
    REFUSAL_BYTES_MAX, ROUTES_MAX, ReadRow, Refusal, RefusalKind, Reply, Request, Route,
    WireErrorKind, Written,
};

use crate::samples::{intent, path, refused, request, revision};

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
