//! The story on standard output, line by line, and the progress beside it.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget};
use tokio::time::Duration;

use super::figures::Figures;
use crate::{Failure, output::Output};

const TICK_MS: u64 = 100;

/// Tells people line by line, programs at the end.
#[derive(Debug)]
pub(super) struct Story<'a> {
    json: bool,
    out: &'a mut Output,
    spinner: ProgressBar,
}

impl<'a> Story<'a> {
    pub(super) fn new(json: bool, out: &'a mut Output) -> Self {
        let spinner = if io::stderr().is_terminal() {
            let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            spinner.enable_steady_tick(Duration::from_millis(TICK_MS));
            spinner
        } else {
            ProgressBar::hidden()
        };
        Self { json, out, spinner }
    }

    /// What happens now, for whoever waits.
    pub(super) fn begins(&self, what: &'static str) {
        self.spinner.set_message(what);
    }

    /// What has happened.
    pub(super) fn tells(&mut self, what: &str, facts: &str) -> Result<(), Failure> {
        if self.json {
            return Ok(());
        }
        self.say(&format!("{what:<10} {facts}"))
    }

    /// The last word.
    pub(super) fn ends(mut self, figures: &Figures) -> Result<(), Failure> {
        self.spinner.finish_and_clear();
        if self.json {
            return self.say(&figures.to_json().to_string());
        }
        self.say("ok")
    }

    fn say(&mut self, line: &str) -> Result<(), Failure> {
        let Self { out, spinner, .. } = self;
        spinner.suspend(|| {
            out.line(line)?;
            out.flush()
        })
    }
}

impl Drop for Story<'_> {
    fn drop(&mut self) {
        self.spinner.finish_and_clear();
    }
}

/// Milliseconds, for figures.
pub(super) fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 1e2
}
