//! A bound on what one piece of a document may take.

use std::io::{self, Read};

/// Lets so many bytes through, then fails; its reader sets `left` anew at each piece.
#[derive(Debug)]
pub(crate) struct Fuse<R> {
    pub(crate) input: R,
    pub(crate) left: usize,
}

impl<R: Read> Read for Fuse<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let read = self.input.read(buffer)?;
        self.left = self.left.saturating_sub(read);
        Ok(read)
    }
}
