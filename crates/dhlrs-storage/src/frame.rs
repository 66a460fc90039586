//! One batch on disk: all of its records, or none.
//!
//! ```text
//! header   magic u32 · checksum u32 of the rest · body bytes u32 · records u32 · number u64 ·
//!          durable u64 · salt u32
//! record   bytes u32 · checksum u32 · bytes …
//! end      0xA5
//! ```
//!
//! All integers are little-endian. Each checksum starts from the one before it (the header's from
//! the log's id), so that nothing can be reordered or taken from another log.
//!
//! The records are masked: a key that follows from the header's checksum is added to them, over and
//! over. So no sector of a frame is written as zeros, whatever the records hold, and one that reads
//! as zeros was never written. For records that happen to be the key the salt makes another.

use crc32fast::Hasher;

use crate::splitmix::SplitMix64;

pub(crate) const FRAME_HEADER_BYTES: usize = 36;
pub(crate) const RECORD_HEADER_BYTES: usize = 8;
// Not zero, and not masked, so that a last sector that reads as zeros was never written.
const END: u8 = 0xa5;
// Its first byte is not zero, for the same reason.
pub(crate) const MAGIC: [u8; 4] = *b"\xb1dLw";
// Small enough that every sector inside a frame holds a whole stretch of the body.
const STRETCH_BYTES: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) checksum: u32,
    pub(crate) body_bytes: u32,
    pub(crate) records: u32,
    pub(crate) number: u64,
    /// The last batch that was known to be on disk when this one was written.
    pub(crate) durable: u64,
}

/// How many bytes a frame of these records takes.
pub(crate) fn frame_bytes<R: AsRef<[u8]>>(records: &[R]) -> u64 {
    let body: u64 = records
        .iter()
        .map(|record| (RECORD_HEADER_BYTES + record.as_ref().len()) as u64)
        .sum();
    (FRAME_HEADER_BYTES + 1) as u64 + body
}

/// Replaces `buffer` by one frame. The caller has checked that its size fits a u32.
pub(crate) fn encode_frame<R: AsRef<[u8]>>(
    buffer: &mut Vec<u8>,
    seed: u32,
    number: u64,
    durable: u64,
    records: &[R],
    frame_bytes: u64,
) {
    // Each salt gives another key, and no body has as many stretches as there are salts.
    for salt in 0..=u32::MAX {
        buffer.clear();
        buffer.reserve(frame_bytes as usize);
        buffer.extend_from_slice(&MAGIC);
        buffer.extend_from_slice(&[0; 4]);
        buffer.extend_from_slice(&(frame_bytes as u32 - FRAME_HEADER_BYTES as u32).to_le_bytes());
        buffer.extend_from_slice(&(records.len() as u32).to_le_bytes());
        buffer.extend_from_slice(&number.to_le_bytes());
        buffer.extend_from_slice(&durable.to_le_bytes());
        buffer.extend_from_slice(&salt.to_le_bytes());
        let first = checksum(seed, &[buffer.get(8..).unwrap_or_default()]);
        if let Some(field) = buffer.get_mut(4..8) {
            field.copy_from_slice(&first.to_le_bytes());
        }
        let mut checksum = first;
        for record in records {
            checksum = push_piece(buffer, checksum, record.as_ref());
        }
        let masked = buffer.get_mut(FRAME_HEADER_BYTES..).unwrap_or_default();
        mask(masked, first);
        let shows = masked.as_chunks().0.iter().all(is_written);
        buffer.push(END);
        if shows {
            return;
        }
    }
}

/// Whether a stretch shows that it was written, and would do so with any one of its bytes gone bad.
fn is_written(stretch: &[u8; STRETCH_BYTES]) -> bool {
    let (words, _) = stretch.as_chunks();
    let halves = words.chunks(words.len() / 2);
    let mut seen = halves.map(|half| {
        half.iter()
            .fold(0, |all, word| all | u64::from_ne_bytes(*word))
    });
    seen.all(|bits| bits != 0)
}

/// Masks the records of a frame, or takes the mask off.
fn mask(records: &mut [u8], first_checksum: u32) {
    let mut stream = SplitMix64::new(u64::from(first_checksum));
    let mut key = [0; STRETCH_BYTES];
    for word in key.as_chunks_mut().0 {
        *word = stream.next().to_le_bytes();
    }
    let (stretches, rest) = records.as_chunks_mut::<STRETCH_BYTES>();
    for stretch in stretches {
        for (byte, key) in stretch.iter_mut().zip(key) {
            *byte ^= key;
        }
    }
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
    }
}

/// Takes the mask off the body of a frame.
pub(crate) fn unmask(body: &mut [u8], header: &FrameHeader) {
    if let Some((_end, records)) = body.split_last_mut() {
        mask(records, header.checksum);
    }
}

/// Appends length, checksum and bytes; returns the checksum.
pub(crate) fn push_piece(buffer: &mut Vec<u8>, seed: u32, bytes: &[u8]) -> u32 {
    let len = (bytes.len() as u32).to_le_bytes();
    let checksum = checksum(seed, &[&len, bytes]);
    buffer.extend_from_slice(&len);
    buffer.extend_from_slice(&checksum.to_le_bytes());
    buffer.extend_from_slice(bytes);
    checksum
}

/// `None` unless `bytes` begin with a header that was written so.
pub(crate) fn decode_header(bytes: &[u8], seed: u32) -> Option<FrameHeader> {
    let mut fields = Fields(bytes.get(..FRAME_HEADER_BYTES)?);
    let magic: [u8; 4] = fields.take()?;
    let stored = u32::from_le_bytes(fields.take()?);
    if magic != MAGIC || stored != checksum(seed, &[fields.0]) {
        return None;
    }
    Some(FrameHeader {
        checksum: stored,
        body_bytes: u32::from_le_bytes(fields.take()?),
        records: u32::from_le_bytes(fields.take()?),
        number: u64::from_le_bytes(fields.take()?),
        durable: u64::from_le_bytes(fields.take()?),
    })
}

/// Checks the unmasked body of a frame. `Err` holds where the damaged part begins and ends in it.
pub(crate) fn check_body(body: &[u8], header: &FrameHeader) -> Result<(), (usize, usize)> {
    let mut rest = body;
    let mut seed = header.checksum;
    for _ in 0..header.records {
        let at = body.len() - rest.len();
        // With a length that cannot be right, all that follows is in doubt.
        let (stored, bytes, after) = split_piece(rest).ok_or((at, body.len()))?;
        let len = (bytes.len() as u32).to_le_bytes();
        if checksum(seed, &[&len, bytes]) != stored {
            // What follows vouches for the length; else that may be what is damaged.
            let vouched = after == [END]
                || split_piece(after).is_some_and(|(next, bytes, _)| {
                    checksum(stored, &[&(bytes.len() as u32).to_le_bytes(), bytes]) == next
                });
            let end = if vouched {
                body.len() - after.len()
            } else {
                body.len()
            };
            return Err((at, end));
        }
        seed = stored;
        rest = after;
    }
    if rest == [END] {
        Ok(())
    } else {
        Err((body.len() - rest.len(), body.len()))
    }
}

/// Stored checksum, bytes, and what follows.
pub(crate) fn split_piece(rest: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let mut fields = Fields(rest);
    let len = u32::from_le_bytes(fields.take()?);
    let stored = u32::from_le_bytes(fields.take()?);
    let (bytes, after) = fields.0.split_at_checked(len as usize)?;
    Some((stored, bytes, after))
}

pub(crate) fn checksum(seed: u32, parts: &[&[u8]]) -> u32 {
    let mut hasher = Hasher::new_with_initial(seed);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

/// Fixed-size fields, cut off the front.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl Fields<'_> {
    pub(crate) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
}

/// The records of one batch, in the order in which they were appended.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    // Invariant: a body that `check_body` took.
    rest: &'a [u8],
    left: u32,
}

impl<'a> Records<'a> {
    pub(crate) fn new(body: &'a [u8], header: &FrameHeader) -> Self {
        Self {
            rest: body,
            left: header.records,
        }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let (_, bytes, after) = split_piece(self.rest)?;
        self.rest = after;
        Some(bytes)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Records<'_> {}
