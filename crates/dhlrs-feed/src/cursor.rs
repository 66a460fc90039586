//! Bytes of a run, read one after another.

use crate::RunError;

/// Reads bytes and says where they end too early.
pub(crate) struct Cursor<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0 }
    }

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.input.len()
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.input.get(self.at..).unwrap_or_default()
    }

    /// What was read since `from`.
    pub(crate) fn since(&self, from: usize) -> &'a [u8] {
        self.input.get(from..self.at).unwrap_or_default()
    }

    pub(crate) const fn malformed(&self) -> RunError {
        RunError::malformed(self.at)
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], RunError> {
        let bytes = self.rest().get(..length).ok_or(self.malformed())?;
        self.at += length;
        Ok(bytes)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, RunError> {
        match self.take(1)? {
            &[byte] => Ok(byte),
            _ => Err(self.malformed()),
        }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], RunError> {
        self.take(N)?.try_into().map_err(|_| self.malformed())
    }

    /// A number, seven bits a byte, the lowest first; one spelling only.
    pub(crate) fn varint(&mut self) -> Result<u64, RunError> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                break;
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                let is_padded = byte == 0 && shift > 0;
                return if is_padded {
                    Err(self.malformed())
                } else {
                    Ok(number)
                };
            }
        }
        Err(self.malformed())
    }

    pub(crate) fn length(&mut self) -> Result<usize, RunError> {
        usize::try_from(self.varint()?).map_err(|_| self.malformed())
    }
}

/// Writes what [`Cursor::varint`] reads.
pub(crate) fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
