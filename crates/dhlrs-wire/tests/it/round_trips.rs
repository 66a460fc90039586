//! What is encoded decodes to the same, and to nothing else.

use std::error::Error;

use dhlrs_wire::{Delivery, MESSAGE_BYTES_MAX, Message, Reply, Request, WireErrorKind};

use crate::limits::set_of_bytes;
use crate::samples::{intent, messages, request};

// A new kind of message does not compile here until it has a place, and then wants a sample.
fn place(message: &Message) -> usize {
    match message {
        Message::Announce(_) => 0,
        Message::Credit { .. } => 1,
        Message::Cancel { .. } => 2,
        Message::Request(request) => match &request.request {
            Request::OpenSession => 3,
            Request::CloseSession { .. } => 4,
            Request::Write(_) => 5,
            Request::Read(_) => 6,
            Request::NextPage(_) => 7,
            Request::EndRead { .. } => 8,
            Request::Refresh { .. } => 9,
            Request::Watch(_) => 10,
            Request::Status => 11,
            Request::Feeds { .. } => 22,
            Request::Drafts(_) => 23,
            Request::History(_) => 24,
            Request::Checkpoint => 25,
        },
        Message::Reply { result: Err(_), .. } => 12,
        Message::Reply {
            result: Ok(reply), ..
        } => match **reply {
            Reply::Session { .. } => 13,
            Reply::Written(_) => 14,
            Reply::Page(_) => 15,
            Reply::Watching { .. } => 16,
            Reply::Status(_) => 17,
            Reply::Done => 18,
            Reply::Feeds(_) => 26,
            Reply::Drafts(_) => 27,
            Reply::History(_) => 28,
        },
        Message::Deliver { delivery, .. } => match **delivery {
            Delivery::Changes(_) => 19,
            Delivery::Lagged { .. } => 20,
            Delivery::Ended(_) => 21,
        },
        Message::Gossip { .. } => 29,
    }
}

#[test]
fn every_kind_of_message_survives() {
    let mut seen = [false; 30];
    for message in messages() {
        let bytes = message.encode().unwrap();
        assert_eq!(Message::decode(&bytes).unwrap(), message);
        seen[place(&message)] = true;
    }
    assert_eq!(seen, [true; 30]);
}

#[test]
fn no_two_messages_share_an_encoding() {
    let mut all: Vec<_> = messages().iter().map(|m| m.encode().unwrap()).collect();
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn a_message_beyond_its_bytes_is_neither_sent_nor_read() {
    let mut message = request(Request::Status);
    let bytes = message.encode().unwrap();
    if let Message::Request(request) = &mut message {
        let intent = intent(vec![set_of_bytes(MESSAGE_BYTES_MAX)]);
        request.request = Request::Write(Box::new(intent));
    }
    let error = message.encode().unwrap_err();
    assert_eq!(error.kind(), WireErrorKind::TooLarge);
    assert_eq!(
        error.to_string(),
        format!(
            "message too large: limit {MESSAGE_BYTES_MAX} bytes: {}",
            error.source().unwrap()
        )
    );

    let mut long = bytes;
    long.resize(MESSAGE_BYTES_MAX + 1, 0);
    let error = Message::decode(&long).unwrap_err();
    assert_eq!(error.kind(), WireErrorKind::TooLarge, "{error}");
    // The same bytes within the limit are judged by what they hold: a message with a tail.
    long.pop();
    let error = Message::decode(&long).unwrap_err();
    assert_eq!(error.kind(), WireErrorKind::Malformed, "{error}");
}
