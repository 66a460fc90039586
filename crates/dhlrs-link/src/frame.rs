//! What travels on a connection: a byte that says what, a header in postcard, for a message the message itself.

use bytes::{BufMut, Bytes, BytesMut};
use dhlrs_codec::{DecodeError, bounded_string, decode, decode_head, encode};
use dhlrs_identity::{PublicKey, Signature};
use serde::{Deserialize, Serialize};

use crate::{EndingKind, FRAME_BYTES_MAX, VERSION};

/// Bytes that the header of a message takes at most: kind, sequence number, acknowledgement.
pub(crate) const DATA_HEAD_BYTES_MAX: usize = 32;

const GREETING_BYTES_MAX: usize = 1024;
const BYE_BYTES_MAX: usize = 1024;
const BYE_MESSAGE_BYTES_MAX: usize = 512;
const NODE_NAME_BYTES_MAX: usize = 511;

// Tells a peer of this protocol from whatever else connects by mistake.
const MAGIC: &[u8; 4] = b"dhlr";

const HELLO: u8 = 1;
const AUTH: u8 = 2;
const DATA: u8 = 3;
const ACK: u8 = 4;
const PING: u8 = 5;
const BYE: u8 = 6;

#[derive(Debug)]
pub(crate) enum Frame {
    Hello(Box<Hello>),
    Auth(Signature),
    Data { seq: u64, ack: u64, message: Bytes },
    Ack { received: u64, credit: Credit },
    Ping,
    Bye { kind: EndingKind, message: Box<str> },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    #[serde(deserialize_with = "bounded_string::<_, NODE_NAME_BYTES_MAX>")]
    pub(crate) name: String,
    pub(crate) key: PublicKey,
    pub(crate) nonce: [u8; 32],
    pub(crate) clock_ms: u64,
    pub(crate) incarnation: [u8; 16],
    pub(crate) resume: Option<Resume>,
    pub(crate) credit: Credit,
}

/// A session to go on with, and the last message that the sender of this has received in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resume {
    pub(crate) session: [u8; 16],
    pub(crate) received: u64,
}

/// What the sender of this takes beyond the last message that it says it received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Credit {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
}

#[derive(Debug)]
pub(crate) enum FrameError {
    Empty,
    TooLarge { bytes: usize },
    UnknownKind(u8),
    NoMagic,
    Version { theirs: u32 },
    Malformed(DecodeError),
}

impl From<DecodeError> for FrameError {
    fn from(err: DecodeError) -> Self {
        Self::Malformed(err)
    }
}

impl core::fmt::Display for FrameError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Empty => f.write_str("empty frame"),
            Self::TooLarge { bytes } => {
                write!(f, "frame too large: {bytes} bytes, limit {FRAME_BYTES_MAX}")
            }
            Self::UnknownKind(kind) => write!(f, "unknown kind of frame: {kind}"),
            Self::NoMagic => f.write_str("not a greeting of this protocol"),
            Self::Version { theirs } if *theirs > VERSION => {
                write!(
                    f,
                    "one side speaks link version {theirs}, the other {VERSION}: upgrade the older one"
                )
            }
            Self::Version { theirs } => {
                write!(
                    f,
                    "one side speaks link version {VERSION}, the other {theirs}: upgrade the older one"
                )
            }
            Self::Malformed(err) => write!(f, "malformed frame: {err}"),
        }
    }
}

impl Frame {
    pub(crate) fn decode(bytes: &Bytes) -> Result<Self, FrameError> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(FrameError::TooLarge { bytes: bytes.len() });
        }
        let Some((&kind, rest)) = bytes.split_first() else {
            return Err(FrameError::Empty);
        };
        Ok(match kind {
            HELLO => Self::Hello(Box::new(decode_hello(rest)?)),
            AUTH => Self::Auth(decode(rest, size_of::<Signature>())?),
            DATA => {
                let ((seq, ack), used) = decode_head(rest, FRAME_BYTES_MAX)?;
                Self::Data {
                    seq,
                    ack,
                    message: bytes.slice(1 + used..),
                }
            }
            ACK => {
                let (received, credit) = decode(rest, DATA_HEAD_BYTES_MAX)?;
                Self::Ack { received, credit }
            }
            PING => {
                decode::<()>(rest, 0)?;
                Self::Ping
            }
            BYE => {
                let Bye {
                    version,
                    code,
                    message,
                } = decode(rest, BYE_BYTES_MAX)?;
                Self::Bye {
                    kind: EndingKind::from_code(code, version),
                    message: message.into(),
                }
            }
            other => return Err(FrameError::UnknownKind(other)),
        })
    }
}

fn decode_hello(rest: &[u8]) -> Result<Hello, FrameError> {
    let rest = rest.strip_prefix(MAGIC).ok_or(FrameError::NoMagic)?;
    // The version is read alone: what follows it is another version's own.
    let (version, used) = decode_head::<u32>(rest, FRAME_BYTES_MAX)?;
    if version != VERSION {
        return Err(FrameError::Version { theirs: version });
    }
    Ok(decode(
        rest.get(used..).unwrap_or_default(),
        GREETING_BYTES_MAX,
    )?)
}

pub(crate) fn hello(hello: &Hello) -> Bytes {
    let mut frame = vec![HELLO];
    frame.extend_from_slice(MAGIC);
    // Cannot fail: the name is the only field without a fixed size, and a name fits.
    frame.extend(encode(&(VERSION, hello), GREETING_BYTES_MAX).unwrap_or_default());
    frame.into()
}

pub(crate) fn auth(signature: &Signature) -> Bytes {
    let mut frame = vec![AUTH];
    frame.extend_from_slice(signature.as_bytes());
    frame.into()
}

pub(crate) fn data(seq: u64, ack: u64, message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(DATA_HEAD_BYTES_MAX + message.len());
    frame.put_u8(DATA);
    put_number(&mut frame, seq);
    put_number(&mut frame, ack);
    frame.put_slice(message);
    frame.freeze()
}

pub(crate) fn ack(received: u64, credit: Credit) -> Bytes {
    let mut frame = BytesMut::with_capacity(DATA_HEAD_BYTES_MAX);
    frame.put_u8(ACK);
    put_number(&mut frame, received);
    put_number(&mut frame, credit.frames);
    put_number(&mut frame, credit.bytes);
    frame.freeze()
}

pub(crate) fn ping() -> Bytes {
    Bytes::from_static(&[PING])
}

pub(crate) fn bye(kind: EndingKind, message: &str) -> Bytes {
    let message = &message[..message.floor_char_boundary(BYE_MESSAGE_BYTES_MAX)];
    let mut frame = vec![BYE];
    let bye = Bye {
        version: VERSION,
        code: kind.to_code(),
        message: message.to_owned(),
    };
    // Cannot fail: the message was cut to fit.
    frame.extend(encode(&bye, BYE_BYTES_MAX).unwrap_or_default());
    frame.into()
}

// Whatever the version, this layout stays: it is how versions tell each other that they differ.
#[derive(Serialize, Deserialize)]
struct Bye {
    version: u32,
    code: u16,
    #[serde(deserialize_with = "bounded_string::<_, BYE_MESSAGE_BYTES_MAX>")]
    message: String,
}

/// A number in postcard's form.
fn put_number(frame: &mut BytesMut, mut number: u64) {
    while number >= 0x80 {
        frame.put_u8((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    frame.put_u8(number as u8);
}
