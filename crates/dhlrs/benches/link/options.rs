//! What the command line says.

use std::fmt::Display;
use std::num::{ParseFloatError, ParseIntError};
use std::path::PathBuf;
use std::time::Duration;

pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// Of each contestant in each round.
    pub(crate) time: Duration,
    /// Where the logs are. Memory file systems sync for nothing, so not the temporary directory.
    pub(crate) dir: PathBuf,
    pub(crate) json: bool,
}

impl Options {
    pub(crate) fn from_arguments(
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Self, String> {
        let mut options = Self {
            rounds: 7,
            time: Duration::from_millis(400),
            dir: PathBuf::from(env!("CARGO_TARGET_TMPDIR")),
            json: false,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} takes a value"));
            let wrong = |what: &dyn Display| format!("{argument}: {what}");
            match argument.as_str() {
                "--json" => options.json = true,
                "--rounds" => {
                    options.rounds = value()?.parse().map_err(|e: ParseIntError| wrong(&e))?
                }
                "--seconds" => {
                    let seconds = value()?.parse().map_err(|e: ParseFloatError| wrong(&e))?;
                    options.time = Duration::try_from_secs_f64(seconds).map_err(|e| wrong(&e))?;
                }
                "--dir" => options.dir = value()?.into(),
                _ => return Err(wrong(&"there are --rounds, --seconds, --dir and --json")),
            }
        }
        options.rounds = options.rounds.max(1);
        Ok(options)
    }
}
