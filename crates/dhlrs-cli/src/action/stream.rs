//! `set --stdin`: many writes on their way at once, in order, each acknowledged by a line.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

use dhlrs::Error;
use dhlrs_bag::VALUE_BYTES_MAX;
use dhlrs_path::PATH_BYTES_MAX;
use dhlrs_wire::Written;
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Stdin};

use super::written;
use crate::{
    Exit, Failure, FailureKind, PathTarget, client::Client, command::SetArgs, literal,
    output::Output, program::tell,
};

/// Lines that may wait for their acknowledgement, unless something else is asked for.
const IN_FLIGHT_DEFAULT: u16 = 64;

/// The most bytes of a line: an address, and the longest spelling of the largest value.
const LINE_BYTES_MAX: usize = 8 * VALUE_BYTES_MAX + 2 * PATH_BYTES_MAX;

/// What became of a line.
struct Outcome {
    line: u64,
    address: String,
    result: Result<Written, Error>,
}

type Write = Pin<Box<dyn Future<Output = Outcome> + Send>>;

pub(super) async fn set_lines(
    client: &Client,
    args: &SetArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let mut lines = Lines::new();
    let mut on_the_way: FuturesUnordered<Write> = FuturesUnordered::new();
    let mut report = Report {
        json,
        worst: Exit::Done,
        was_cut_off: false,
        is_read: true,
    };
    let mut at_end = false;
    loop {
        let has_room = on_the_way.len() < usize::from(args.in_flight.unwrap_or(IN_FLIGHT_DEFAULT));
        if at_end && on_the_way.is_empty() {
            return Ok(report.worst);
        }
        tokio::select! {
            // What was acknowledged is told before more is sent.
            biased;
            Some(outcome) = on_the_way.next() => {
                report.outcome(outcome, out)?;
            }
            line = lines.next(), if !at_end && has_room && !report.was_cut_off => {
                let Some(line) = line? else {
                    at_end = true;
                    continue;
                };
                match write(client, args, lines.number, &line) {
                    Ok(mut write) => {
                        // Its place in the order is that of its first poll.
                        match poll_fn(|context| Poll::Ready(write.as_mut().poll(context))).await {
                            Poll::Ready(outcome) => report.outcome(outcome, out)?,
                            Poll::Pending => on_the_way.push(write),
                        }
                    }
                    Err(failure) => report.refused(failure.at(format_args!("line {}", lines.number))),
                }
            }
            else => {
                // No answer came in time. Go on only if there is still somebody to ask.
                if let Err(cause) = client.node().connected(client.timeout()).await {
                    let failure = Failure::from(cause)
                        .at(format_args!("the lines after {} were not sent", lines.number))
                        .hint("send the rest again when the node is back");
                    report.refused(failure);
                    at_end = true;
                }
                report.was_cut_off = false;
            }
        }
    }
}

fn write(client: &Client, args: &SetArgs, line: u64, text: &str) -> Result<Write, Failure> {
    let (address, value) = text.split_once('\t').ok_or_else(|| {
        Failure::new(
            FailureKind::BadInput,
            "there is no tab between address and value",
        )
        .hint("write ADDRESS, a tab, VALUE: printf '%s\\t%s\\n' ADDRESS VALUE")
    })?;
    let target: PathTarget = address.parse()?;
    let value = literal::parse(value, args.value_type)?;
    let address = client.address(&target).to_string();
    let mut set = client
        .store(&target.store)
        .set(target.path, value)
        .timeout(client.timeout());
    if let Some(reason) = &args.reason {
        set = set.reason(reason.as_str());
    }
    let set = set.into_future();
    Ok(Box::pin(async move {
        Outcome {
            line,
            address,
            result: set.await,
        }
    }))
}

struct Report {
    json: bool,
    worst: Exit,
    // A line was not answered in time: nothing more is sent until the node is there.
    was_cut_off: bool,
    // Somebody reads the acknowledgements.
    is_read: bool,
}

impl Report {
    fn outcome(&mut self, outcome: Outcome, out: &mut Output) -> Result<(), Failure> {
        let Outcome {
            line,
            address,
            result,
        } = outcome;
        match result {
            Ok(done) => {
                let line = if self.json {
                    written(&address, done.revision, true)
                } else {
                    format!("{}\t{address}", done.revision.number)
                };
                self.acknowledge(&line, out)?;
            }
            Err(cause) => {
                let failure = Failure::from(cause).at(format_args!("line {line}: {address}"));
                self.was_cut_off |= failure.kind().exit() >= Exit::Unreachable;
                self.refused(failure);
            }
        }
        Ok(())
    }

    // Whoever wants to see only the first lines wants all of them written.
    fn acknowledge(&mut self, line: &str, out: &mut Output) -> Result<(), Failure> {
        if !self.is_read {
            return Ok(());
        }
        match out.line(line).and_then(|()| out.flush()) {
            Err(failure) if failure.kind() == FailureKind::OutputClosed => {
                self.is_read = false;
                Ok(())
            }
            result => result,
        }
    }

    fn refused(&mut self, failure: Failure) {
        self.worst = self.worst.max(failure.kind().exit());
        tell(&failure, self.json);
    }
}

struct Lines {
    input: BufReader<Stdin>,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    fn new() -> Self {
        Self {
            input: BufReader::new(tokio::io::stdin()),
            line: Vec::new(),
            number: 0,
        }
    }

    // Dropping the future loses nothing: what was read of a line stays.
    async fn next(&mut self) -> Result<Option<String>, Failure> {
        let room = (LINE_BYTES_MAX + 1).saturating_sub(self.line.len());
        (&mut self.input)
            .take(room as u64)
            .read_until(b'\n', &mut self.line)
            .await
            .map_err(|cause| {
                Failure::new(
                    FailureKind::File,
                    format!("standard input cannot be read: {cause}"),
                )
                .hint("send the lines after the last acknowledged one again")
                .caused_by(cause)
            })?;
        if self.line.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() > LINE_BYTES_MAX {
            return Err(Failure::new(
                FailureKind::BadInput,
                format!("line {} is over {LINE_BYTES_MAX} bytes", self.number),
            )
            .hint("put a large document below a bag with `dhlrs import ADDRESS FILE`"));
        }
        String::from_utf8(line).map(Some).map_err(|cause| {
            Failure::new(
                FailureKind::BadInput,
                format!("line {} is not UTF-8", self.number),
            )
            .hint("write bytes as base64, with --type bytes")
            .caused_by(cause)
        })
    }
}
