//! What two replicas say to one another.

use core::fmt;

use crate::body::{put_feed, take_feed};
use crate::cursor::{Cursor, put_varint};
use crate::frontier::{Entry, FeedTag, HeadPrefix};
use crate::sketch::Symbol;
use crate::{EventId, FORK_PROOF_BYTES_MAX, FeedId, ForkProof, RUN_BYTES_MAX, RunError};

/// The most bytes of what is said at once, however many parts it takes.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Every link must take messages of this many bytes.
pub const MESSAGE_BYTES_MIN: usize = 256;

const VERSION: u8 = 1;

const BEACON: u8 = 1;
const FRONTIER: u8 = 2;
const HAVE: u8 = 3;
const RUN: u8 = 4;
const PROOF: u8 = 5;
const PROBE: u8 = 6;
const MATCH: u8 = 7;
const PART: u8 = 8;
const PART_HAVE: u8 = 9;

const FLAG_FULL: u8 = 1;
const FLAG_CLOSED: u8 = 1;
const FLAG_NAMED: u8 = 1;
const FLAG_PREV: u8 = 2;

const ENTRY_BYTES_MIN: usize = 14;
const SYMBOL_BYTES_MIN: usize = 25;

/// What a replica wants to hear in answer to a beacon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Want {
    Nothing,
    Symbols(u16),
    Frontier,
}

/// Where a replica is, in a few bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Beacon {
    pub(crate) store: [u8; 8],
    pub(crate) nonce: u64,
    /// The nonce of the beacon that this answers; 0 if none.
    pub(crate) echo: u64,
    pub(crate) want: Want,
    pub(crate) is_full: bool,
    pub(crate) feeds: u64,
    pub(crate) events: u64,
    pub(crate) digest: [u8; 16],
    pub(crate) salt: u64,
    pub(crate) symbols: Vec<Symbol>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Message {
    Beacon(Beacon),
    /// All entries, in answer to a beacon.
    Frontier {
        echo: u64,
        is_full: bool,
        salt: u64,
        entries: Vec<Entry>,
    },
    /// Entries that have changed, or that a run was about.
    Have {
        salt: u64,
        entries: Vec<Entry>,
    },
    Run {
        feed: FeedRef,
        prev: Option<EventId>,
        bytes: Vec<u8>,
    },
    Proof(Box<ForkProof>),
    /// Ends of runs of a feed of which two replicas have different ones.
    Probe {
        tag: FeedTag,
        salt: u64,
        ends: Vec<(u64, HeadPrefix)>,
    },
    /// The greatest of them that the other has too; 0 if none.
    Match {
        tag: FeedTag,
        seq: u64,
    },
    /// A piece of a message that is too long for the link.
    Part(Part),
    /// How much of it has come.
    PartHave {
        key: [u8; 8],
        upto: u64,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FeedRef {
    Named(FeedId),
    Tag(FeedTag),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    /// The beginning of the hash of the whole.
    pub(crate) key: [u8; 8],
    pub(crate) total: u64,
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
}

/// The bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageError {
    at: usize,
}

impl MessageError {
    /// The offset of the byte at which it went wrong.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed message: byte {}", self.at)
    }
}

impl core::error::Error for MessageError {}

/// How many bytes of a part's message are not the part's.
pub(crate) const PART_OVERHEAD_BYTES: usize = 24;

/// How many entries fit.
pub(crate) fn entries_max(message_bytes_max: usize) -> usize {
    // Kind and count, then tag, flag, number and head of each.
    message_bytes_max.saturating_sub(16) / 23
}

/// How many ends of runs fit into a probe.
pub(crate) fn probe_ends_max(message_bytes_max: usize) -> usize {
    message_bytes_max.saturating_sub(24) / 14
}

/// How many symbols fit into a beacon.
pub(crate) fn symbols_max(message_bytes_max: usize) -> usize {
    message_bytes_max.saturating_sub(60) / 27
}

impl Message {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Beacon(beacon) => beacon.put(&mut bytes),
            Self::Frontier {
                echo,
                is_full,
                salt,
                entries,
            } => {
                bytes.extend([FRONTIER, if *is_full { FLAG_FULL } else { 0 }]);
                put_varint(&mut bytes, *echo);
                put_varint(&mut bytes, *salt);
                put_entries(entries, &mut bytes);
            }
            Self::Have { salt, entries } => {
                bytes.push(HAVE);
                put_varint(&mut bytes, *salt);
                put_entries(entries, &mut bytes);
            }
            Self::Run {
                feed,
                prev,
                bytes: run,
            } => {
                let named = matches!(feed, FeedRef::Named(_));
                let flags =
                    if named { FLAG_NAMED } else { 0 } | if prev.is_some() { FLAG_PREV } else { 0 };
                bytes.extend([RUN, flags]);
                match feed {
                    FeedRef::Named(feed) => put_feed(feed, &mut bytes),
                    FeedRef::Tag(tag) => bytes.extend(tag.0),
                }
                if let Some(prev) = prev {
                    bytes.extend(prev.as_bytes());
                }
                bytes.extend_from_slice(run);
            }
            Self::Proof(proof) => {
                bytes.push(PROOF);
                bytes.extend(proof.encode().unwrap_or_default());
            }
            Self::Probe { tag, salt, ends } => {
                bytes.push(PROBE);
                bytes.extend(tag.0);
                put_varint(&mut bytes, *salt);
                put_varint(&mut bytes, ends.len() as u64);
                for (seq, head) in ends {
                    put_varint(&mut bytes, *seq);
                    bytes.extend(head);
                }
            }
            Self::Match { tag, seq } => {
                bytes.push(MATCH);
                bytes.extend(tag.0);
                put_varint(&mut bytes, *seq);
            }
            Self::Part(part) => {
                bytes.push(PART);
                bytes.extend(part.key);
                put_varint(&mut bytes, part.total);
                put_varint(&mut bytes, part.offset);
                bytes.extend_from_slice(&part.bytes);
            }
            Self::PartHave { key, upto } => {
                bytes.push(PART_HAVE);
                bytes.extend(key);
                put_varint(&mut bytes, *upto);
            }
        }
        bytes
    }

    /// Whether these bytes begin like a part.
    pub(crate) fn is_part(bytes: &[u8]) -> bool {
        bytes.first() == Some(&PART)
    }

    /// Never panics; memory is in proportion to the input.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let mut from = Cursor::new(bytes);
        let message = match bytes.len() > MESSAGE_BYTES_MAX {
            true => Err(from.malformed()),
            false => Self::take(&mut from),
        };
        match message {
            Ok(message) if from.is_at_end() => Ok(message),
            _ => Err(MessageError { at: from.at() }),
        }
    }

    fn take(from: &mut Cursor<'_>) -> Result<Self, RunError> {
        Ok(match from.byte()? {
            BEACON => Self::Beacon(Beacon::take(from)?),
            FRONTIER => Self::Frontier {
                is_full: from.byte()? & FLAG_FULL != 0,
                echo: from.varint()?,
                salt: from.varint()?,
                entries: take_entries(from)?,
            },
            HAVE => Self::Have {
                salt: from.varint()?,
                entries: take_entries(from)?,
            },
            RUN => {
                let flags = from.byte()?;
                let feed = match flags & FLAG_NAMED {
                    0 => FeedRef::Tag(FeedTag(from.array()?)),
                    _ => FeedRef::Named(take_feed(from)?),
                };
                let prev = match flags & FLAG_PREV {
                    0 => None,
                    _ => Some(EventId::from_bytes(from.array()?)),
                };
                let bytes = from.take(from.rest().len())?.to_vec();
                if bytes.len() > RUN_BYTES_MAX {
                    return Err(from.malformed());
                }
                Self::Run { feed, prev, bytes }
            }
            PROOF => {
                let bytes = from.take(from.rest().len().min(FORK_PROOF_BYTES_MAX))?;
                let proof = ForkProof::decode(bytes).map_err(|_| from.malformed())?;
                Self::Proof(Box::new(proof))
            }
            PROBE => {
                let (tag, salt) = (FeedTag(from.array()?), from.varint()?);
                let count = from.length()?;
                if count > from.rest().len() / 5 {
                    return Err(from.malformed());
                }
                let ends = (0..count).map(|_| Ok((from.varint()?, from.array()?)));
                Self::Probe {
                    tag,
                    salt,
                    ends: ends.collect::<Result<_, RunError>>()?,
                }
            }
            MATCH => Self::Match {
                tag: FeedTag(from.array()?),
                seq: from.varint()?,
            },
            PART => Self::Part(Part {
                key: from.array()?,
                total: from.varint()?,
                offset: from.varint()?,
                bytes: from.take(from.rest().len())?.to_vec(),
            }),
            PART_HAVE => Self::PartHave {
                key: from.array()?,
                upto: from.varint()?,
            },
            _ => return Err(from.malformed()),
        })
    }
}

impl Beacon {
    fn put(&self, bytes: &mut Vec<u8>) {
        let flags = if self.is_full { FLAG_FULL } else { 0 };
        bytes.extend([BEACON, VERSION, flags]);
        bytes.extend(self.store);
        put_varint(bytes, self.nonce);
        put_varint(bytes, self.echo);
        put_varint(
            bytes,
            match self.want {
                Want::Nothing => 0,
                Want::Symbols(count) => u64::from(count),
                Want::Frontier => u64::from(u16::MAX),
            },
        );
        put_varint(bytes, self.feeds);
        put_varint(bytes, self.events);
        bytes.extend(self.digest);
        put_varint(bytes, self.salt);
        put_varint(bytes, self.symbols.len() as u64);
        for symbol in &self.symbols {
            bytes.extend(symbol.sum);
            bytes.extend(symbol.check.to_le_bytes());
            put_varint(bytes, (symbol.count << 1 ^ symbol.count >> 63) as u64);
        }
    }

    fn take(from: &mut Cursor<'_>) -> Result<Self, RunError> {
        let (version, flags) = (from.byte()?, from.byte()?);
        if version != VERSION {
            return Err(from.malformed());
        }
        let beacon = Self {
            is_full: flags & FLAG_FULL != 0,
            store: from.array()?,
            nonce: from.varint()?,
            echo: from.varint()?,
            want: match u16::try_from(from.varint()?).map_err(|_| from.malformed())? {
                0 => Want::Nothing,
                u16::MAX => Want::Frontier,
                count => Want::Symbols(count),
            },
            feeds: from.varint()?,
            events: from.varint()?,
            digest: from.array()?,
            salt: from.varint()?,
            symbols: Vec::new(),
        };
        let count = from.length()?;
        if count > from.rest().len() / SYMBOL_BYTES_MIN {
            return Err(from.malformed());
        }
        let symbols = (0..count).map(|_| {
            let (sum, check) = (from.array()?, u32::from_le_bytes(from.array()?));
            let count = from.varint()?;
            let count = (count >> 1) as i64 ^ -((count & 1) as i64);
            Ok(Symbol { sum, check, count })
        });
        Ok(Self {
            symbols: symbols.collect::<Result<_, RunError>>()?,
            ..beacon
        })
    }
}

fn put_entries(entries: &[Entry], bytes: &mut Vec<u8>) {
    put_varint(bytes, entries.len() as u64);
    for entry in entries {
        bytes.extend(entry.tag.0);
        bytes.push(if entry.is_closed { FLAG_CLOSED } else { 0 });
        put_varint(bytes, entry.seq);
        bytes.extend(entry.head);
    }
}

fn take_entries(from: &mut Cursor<'_>) -> Result<Vec<Entry>, RunError> {
    let count = from.length()?;
    if count > from.rest().len() / ENTRY_BYTES_MIN {
        return Err(from.malformed());
    }
    let entries = (0..count).map(|_| {
        Ok(Entry {
            tag: FeedTag(from.array()?),
            is_closed: from.byte()? & FLAG_CLOSED != 0,
            seq: from.varint()?,
            head: from.array()?,
        })
    });
    entries.collect()
}
