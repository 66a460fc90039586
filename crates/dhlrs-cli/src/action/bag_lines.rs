//! `bag --json-lines`: requests in, replies out, one a line, until the input ends.

use std::io::{self, BufRead, Read};

use dhlrs_bag_lines::{LINE_BYTES_MAX, Session};

use crate::{Exit, Failure, FailureKind, output::Output};

/// Answers standard input. Each reply is out before the next request is read.
pub(super) fn answer_lines(out: &mut Output) -> Result<Exit, Failure> {
    let mut input = io::stdin().lock();
    let mut session = Session::new();
    let mut line = Vec::new();
    while read_line(&mut input, &mut line).map_err(unreadable)? {
        if let Some(reply) = session.answer(&line) {
            out.line(&reply)?;
            out.flush()?;
        }
    }
    Ok(Exit::Done)
}

// One byte beyond the longest line is kept of a longer one, so that it is refused; the rest is
// passed over.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let limit = LINE_BYTES_MAX as u64 + 1;
    if input.by_ref().take(limit).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    let is_cut = !line.ends_with(b"\n") && line.len() as u64 == limit;
    if is_cut {
        input.skip_until(b'\n')?;
    }
    Ok(true)
}

fn unreadable(cause: io::Error) -> Failure {
    Failure::new(FailureKind::File, format!("stdin cannot be read: {cause}"))
        .hint("give it a file or a pipe")
        .caused_by(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
        let mut text = vec![b'x'; 2 * LINE_BYTES_MAX];
        text.extend_from_slice(b"\nnext\nlast");
        let mut input = text.as_slice();
        let mut line = Vec::new();
        let mut lines = Vec::new();
        while read_line(&mut input, &mut line).unwrap() {
            lines.push((line.len(), line.ends_with(b"\n")));
        }
        assert_eq!(lines, [(LINE_BYTES_MAX + 1, false), (5, true), (4, false)]);
    }
}
