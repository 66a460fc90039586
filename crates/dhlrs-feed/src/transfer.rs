//! Messages that are too long for a link, in parts.

use std::collections::VecDeque;

use crate::message::{MESSAGE_BYTES_MAX, Message, PART_OVERHEAD_BYTES, Part};

/// Parts that may be on their way at once, in bytes.
const PARTS_BYTES_MAX: usize = 8 * 1024;
/// How much comes before it is acknowledged, in bytes.
const ACKNOWLEDGE_BYTES: u64 = 2 * 1024;
const FINISHED_MAX: usize = 8;
/// Messages that wait at once; what a peer asks for beyond that it must ask for again.
const QUEUE_MESSAGES_MAX: usize = 4;

/// What is sent in parts, one message after another; what was lost goes again from there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outgoing {
    queue: VecDeque<Vec<u8>>,
    acked: usize,
    sent: usize,
}

impl Outgoing {
    pub(crate) fn push(&mut self, message: Vec<u8>) {
        if self.queue.len() < QUEUE_MESSAGES_MAX {
            self.queue.push_back(message);
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// The next part, if it may go now.
    pub(crate) fn next(&mut self, message_bytes_max: usize) -> Option<Message> {
        let whole = self.queue.front()?;
        if self.sent >= self.acked + PARTS_BYTES_MAX.max(message_bytes_max) {
            return None;
        }
        let length = message_bytes_max.saturating_sub(PART_OVERHEAD_BYTES).max(1);
        let end = whole.len().min(self.sent + length);
        let bytes = whole
            .get(self.sent..end)
            .filter(|bytes| !bytes.is_empty())?;
        let part = Part {
            key: key(whole),
            total: whole.len() as u64,
            offset: self.sent as u64,
            bytes: bytes.to_vec(),
        };
        self.sent = end;
        Some(Message::Part(part))
    }

    /// Takes in how much has come; whether that is news.
    pub(crate) fn arrived(&mut self, about: [u8; 8], upto: u64) -> bool {
        let Some(whole) = self.queue.front().filter(|whole| key(whole) == about) else {
            return false;
        };
        let upto = usize::try_from(upto).unwrap_or(usize::MAX).min(whole.len());
        if upto == whole.len() {
            self.queue.pop_front();
            (self.acked, self.sent) = (0, 0);
            return true;
        }
        let is_news = upto > self.acked;
        // The other may have had some from before, or have lost all.
        self.acked = upto;
        self.sent = self.sent.max(upto);
        is_news
    }

    /// What was sent and not acknowledged goes again.
    pub(crate) fn rewind(&mut self) {
        self.sent = self.acked;
    }
}

/// A message that comes in parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Partial {
    key: [u8; 8],
    total: u64,
    bytes: Vec<u8>,
    acknowledged: u64,
}

/// What comes in parts over one link.
#[derive(Clone, Debug, Default)]
pub(crate) struct Incoming {
    partial: Option<Partial>,
    finished: VecDeque<[u8; 8]>,
}

/// What a part came to.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    pub(crate) acknowledge: Option<Message>,
    pub(crate) whole: Option<Vec<u8>>,
}

impl Incoming {
    /// Takes a part. `orphan` is asked for what came of the same message over a link that is gone.
    pub(crate) fn take(
        &mut self,
        part: &Part,
        orphan: impl FnOnce([u8; 8]) -> Option<Partial>,
    ) -> Arrived {
        let acknowledge = |upto| {
            Some(Message::PartHave {
                key: part.key,
                upto,
            })
        };
        if part.offset == 0 {
            // It is sent anew: what came of it before was of no use then.
            self.finished.retain(|key| *key != part.key);
        }
        if self.finished.contains(&part.key) {
            return Arrived {
                acknowledge: acknowledge(part.total),
                whole: None,
            };
        }
        if part.total > MESSAGE_BYTES_MAX as u64 || part.bytes.is_empty() {
            return Arrived::default();
        }
        let current = self.partial.take_if(|partial| partial.key == part.key);
        let is_new = current.is_none();
        let mut partial = current.or_else(|| orphan(part.key)).unwrap_or_default();
        (partial.key, partial.total) = (part.key, part.total);
        let has = partial.bytes.len() as u64;
        let end = part.offset.saturating_add(part.bytes.len() as u64);
        let is_next = part.offset == has && end <= part.total;
        if is_next {
            partial.bytes.extend_from_slice(&part.bytes);
        }
        let has = partial.bytes.len() as u64;
        if has == part.total {
            let is_right = key(&partial.bytes) == part.key;
            if !is_right {
                return Arrived {
                    acknowledge: acknowledge(0),
                    whole: None,
                };
            }
            self.finished.push_back(part.key);
            if self.finished.len() > FINISHED_MAX {
                self.finished.pop_front();
            }
            return Arrived {
                acknowledge: acknowledge(has),
                whole: Some(partial.bytes),
            };
        }
        let is_due = has >= partial.acknowledged + ACKNOWLEDGE_BYTES;
        let is_resumed = is_new && has > part.bytes.len() as u64;
        let says = !is_next || is_due || is_resumed;
        if says {
            partial.acknowledged = has;
        }
        self.partial = Some(partial);
        Arrived {
            acknowledge: says.then(|| acknowledge(has)).flatten(),
            whole: None,
        }
    }

    /// What has come, when the link is gone.
    pub(crate) fn into_partial(self) -> Option<Partial> {
        self.partial
    }
}

impl Partial {
    pub(crate) const fn key(&self) -> [u8; 8] {
        self.key
    }
}

fn key(whole: &[u8]) -> [u8; 8] {
    crate::frontier::first(blake3::hash(whole).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(message: Option<Message>) -> Part {
        match message {
            Some(Message::Part(part)) => part,
            other => panic!("{other:?}"),
        }
    }

    /// Gives all that may go now, leaving out some parts, and brings back what is answered.
    fn pass(
        from: &mut Outgoing,
        to: &mut Incoming,
        lost: &mut dyn FnMut() -> bool,
    ) -> Option<Vec<u8>> {
        let mut whole = None;
        while let Some(message) = from.next(256) {
            if lost() {
                continue;
            }
            let arrived = to.take(&part(Some(message)), |_| None);
            whole = arrived.whole.or(whole);
            if let Some(Message::PartHave { key, upto }) = arrived.acknowledge {
                from.arrived(key, upto);
            }
        }
        whole
    }

    #[test]
    fn a_message_comes_whole_whatever_is_lost() {
        let message: Vec<u8> = (0..20_000_u32).map(|n| (n % 253) as u8).collect();
        let (mut from, mut to) = (Outgoing::default(), Incoming::default());
        from.push(message.clone());
        let mut n = 0;
        let mut whole = None;
        while whole.is_none() {
            whole = pass(&mut from, &mut to, &mut || {
                n += 1;
                n % 7 == 3
            });
            from.rewind();
            assert!(n < 1_000, "{n} parts");
        }
        assert_eq!(whole, Some(message));
    }

    #[test]
    fn what_does_not_match_its_hash_begins_anew() {
        let message = vec![7; 600];
        let (mut from, mut to) = (Outgoing::default(), Incoming::default());
        from.push(message.clone());
        let mut lie = part(from.next(256));
        lie.bytes[5] ^= 1;
        to.take(&lie, |_| None);
        let (second, third) = (part(from.next(256)), part(from.next(256)));
        to.take(&second, |_| None);
        let arrived = to.take(&third, |_| None);
        assert_eq!(arrived.whole, None);
        assert_eq!(
            arrived.acknowledge,
            Some(Message::PartHave {
                key: lie.key,
                upto: 0
            })
        );
        from.arrived(lie.key, 0);
        from.rewind();
        assert_eq!(pass(&mut from, &mut to, &mut || false), Some(message));
    }

    #[test]
    fn no_more_waits_than_may_and_no_message_is_longer_than_may_be() {
        let mut from = Outgoing::default();
        for n in 0..100 {
            from.push(vec![n; 1_000]);
        }
        assert_eq!(from.queue.len(), QUEUE_MESSAGES_MAX);
        let huge = Part {
            key: [1; 8],
            total: MESSAGE_BYTES_MAX as u64 + 1,
            offset: 0,
            bytes: vec![1; 100],
        };
        let mut to = Incoming::default();
        assert!(to.take(&huge, |_| None).acknowledge.is_none());
        assert!(to.into_partial().is_none());
    }
}
