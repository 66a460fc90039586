//! What is tried, and the answer that each try deserves.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::LazyLock;

use bytes::Bytes;
use dhlrs_link::{Ending, EndingKind, Party};
use dhlrs_wire::{Message, Read as ReadRequest, Request, RequestMessage, Selection, View};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::peer::{Attacker, Attempt};

const AUTH: u8 = 2;
const DOTS: usize = 10_000;
const HUGE_BYTES: u64 = 2 << 20;
/// What the path of a request is before it is spoiled.
const PLACEHOLDER: &str = "placeholder";

#[derive(Clone, Copy)]
pub(crate) enum Attack {
    /// Bytes that are not even HTTP.
    RandomBytes,
    /// A frame of random bytes where a greeting is due.
    RandomFrame,
    /// The same on a link that is up.
    RandomFrameLater,
    HugeFrame,
    BadSignature,
    PathOfDots,
    UnknownOp,
    TruncatedFrame,
}

impl Attack {
    pub(crate) const ALL: &[Self] = &[
        Self::RandomBytes,
        Self::RandomFrame,
        Self::RandomFrameLater,
        Self::HugeFrame,
        Self::BadSignature,
        Self::PathOfDots,
        Self::UnknownOp,
        Self::TruncatedFrame,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::RandomBytes => "random bytes",
            Self::RandomFrame => "random frame, ungreeted",
            Self::RandomFrameLater => "random frame, greeted",
            Self::HugeFrame => "2 MiB frame",
            Self::BadSignature => "bad signature",
            Self::PathOfDots => "path of 10,000 dots",
            Self::UnknownOp => "unknown op",
            Self::TruncatedFrame => "truncated frame",
        }
    }

    /// Makes the attack once, checks the answer and returns it.
    pub(crate) fn make(self, by: &Attacker, round: u64) -> String {
        let mut dice = Dice(round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        match self {
            Self::RandomBytes => {
                let mut tcp = by.tcp();
                let mut bytes = dice.bytes();
                // With a `G` it could be a very slow HTTP request.
                bytes[0] |= 0x80;
                tcp.write_all(&bytes).unwrap();
                tcp.shutdown(Shutdown::Write).unwrap();
                let mut answer = String::new();
                tcp.read_to_string(&mut answer).unwrap();
                assert!(answer.starts_with("HTTP/1.1 400"), "{answer:?}");
                answer.lines().next().unwrap_or_default().to_owned()
            }
            Self::RandomFrame => {
                let mut attempt = by.knock();
                attempt.send_frame(dice.bytes());
                told(attempt, &[EndingKind::Malformed, EndingKind::Violation])
            }
            Self::RandomFrameLater => {
                let mut attempt = by.greet(|frame| frame);
                attempt.send_frame(dice.bytes());
                told(attempt, &[EndingKind::Malformed, EndingKind::Violation])
            }
            Self::HugeFrame => {
                let mut attempt = by.greet(|frame| frame);
                attempt.raw().write_all(&HUGE).unwrap();
                let reason = attempt.closed();
                assert_eq!(reason.code, CloseCode::Size);
                assert!(reason.reason.contains("limit 1048576"), "{}", reason.reason);
                reason.to_string()
            }
            Self::BadSignature => {
                let bit = dice.next() as usize % 512;
                let attempt = by.greet(|frame| match frame[0] {
                    AUTH => spoiled(&frame, |bytes| bytes[1 + bit / 8] ^= 1 << (bit % 8)),
                    _ => frame,
                });
                told(attempt, &[EndingKind::BadSignature])
            }
            Self::PathOfDots => {
                let mut attempt = by.greet(|frame| frame);
                attempt.send(path_of_dots(by.name()), |frame| frame);
                told(attempt, &[EndingKind::Violation])
            }
            Self::UnknownOp => {
                let mut attempt = by.greet(|frame| frame);
                let mut message = request(by.name(), Request::Status);
                // The op is the last byte, and this one says that another follows.
                let last = message.len() - 1;
                message[last] = 0xff;
                message.push(1);
                attempt.send(message, |frame| frame);
                told(attempt, &[EndingKind::Violation])
            }
            Self::TruncatedFrame => {
                let mut attempt = by.greet(|frame| frame);
                let message = request(by.name(), read(PLACEHOLDER));
                let throw = dice.next() as usize;
                attempt.send(message, |frame| {
                    frame.slice(..1 + throw % (frame.len() - 1))
                });
                told(attempt, &[EndingKind::Malformed, EndingKind::Violation])
            }
        }
    }
}

/// The other side says why it ends the link, and it is one of these reasons.
fn told(attempt: Attempt, expected: &[EndingKind]) -> String {
    let Ending { by, kind, message } = attempt.ending();
    assert_eq!(by, Party::Peer, "{message}");
    assert!(expected.contains(&kind), "{kind:?}: {message}");
    assert!(!message.is_empty());
    message.into()
}

fn read(path: &str) -> Request {
    Request::Read(Box::new(ReadRequest {
        selection: Selection::Path(path.parse().unwrap()),
        depth: 1,
        view: View::Stored,
        arguments: dhlrs_bag::Attributes::default(),
        at: None,
    }))
}

fn request(source: &str, request: Request) -> Vec<u8> {
    let message = RequestMessage {
        id: 1,
        source: source.parse().unwrap(),
        target: crate::served::NAME.parse().unwrap(),
        store: Some("main".parse().unwrap()),
        hops: 16,
        timeout_ms: 5_000,
        request,
    };
    Message::Request(Box::new(message)).encode().unwrap()
}

/// A request that no program of ours could make: the path is put into its encoding.
fn path_of_dots(source: &str) -> Vec<u8> {
    let valid = request(source, read(PLACEHOLDER));
    let at = valid
        .windows(PLACEHOLDER.len())
        .position(|bytes| bytes == PLACEHOLDER.as_bytes())
        .unwrap();
    // The byte before is its length, a number in groups of seven bits.
    let mut message = valid[..at - 1].to_vec();
    message.extend([DOTS as u8 & 0x7f | 0x80, (DOTS >> 7) as u8]);
    message.extend([b'.'; DOTS]);
    message.extend(&valid[at + PLACEHOLDER.len()..]);
    message
}

/// One masked WebSocket frame; its mask changes nothing.
static HUGE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut frame = vec![0x82, 0x80 | 127];
    frame.extend(HUGE_BYTES.to_be_bytes());
    frame.extend([0; 4]);
    frame.resize(frame.len() + HUGE_BYTES as usize, 0x5a);
    frame
});

fn spoiled(frame: &Bytes, spoil: impl Fn(&mut Vec<u8>)) -> Bytes {
    let mut bytes = frame.to_vec();
    spoil(&mut bytes);
    bytes.into()
}

/// The same throws for the same round.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// 64 to 1,023 of them: so many make no frame of ours by chance.
    fn bytes(&mut self) -> Vec<u8> {
        let length = 64 + self.next() % 960;
        (0..length).map(|_| (self.next() >> 32) as u8).collect()
    }
}
