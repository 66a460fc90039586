//! Three processes in a line: a - b - c.

use std::{
    ffi::OsString,
    future::{self, Future},
    time::Instant,
};

use dhlrs::NodeName;
use tokio::time::{Duration, timeout};

use super::{check_failed, scratch::Scratch, serving::Serving};
use crate::{Failure, FailureKind};

/// How long a step may take.
const STEP_MS_MAX: u64 = 15_000;

/// Holds the records.
pub(super) const A: Role = Role {
    process: "a",
    store: "field",
    options: &[],
};
/// In the middle; nobody gets from one end to the other but through it.
pub(super) const B: Role = Role {
    process: "b",
    store: "radio",
    options: &["--forward", "radio/calls.**=demo/c/desk/calls"],
};
/// Reads records of `a` when it is asked for its own visits.
pub(super) const C: Role = Role {
    process: "c",
    store: "desk",
    options: &[
        "--resolve",
        "desk/visits.*=demo/a/field/records.{record},cache=60",
    ],
};

/// What one of the three is for.
#[derive(Debug)]
pub(super) struct Role {
    process: &'static str,
    pub(super) store: &'static str,
    options: &'static [&'static str],
}

/// The processes, and the directory that they keep their stores in.
#[derive(Debug)]
pub(super) struct Line {
    a: Option<Serving>,
    b: Option<Serving>,
    c: Option<Serving>,
    // Dropped last, when nobody writes to it any more.
    scratch: Scratch,
}

impl Line {
    /// Nobody yet.
    pub(super) fn new() -> Result<Self, Failure> {
        Ok(Self {
            a: None,
            b: None,
            c: None,
            scratch: Scratch::new()?,
        })
    }

    /// Starts all three; the ends connect to the middle.
    pub(super) async fn start(&mut self) -> Result<(), Failure> {
        let b = self.serve(&B, "ws://127.0.0.1:0", None).await?;
        let middle = b.keyed_url();
        self.b = Some(b);
        let a = self.serve(&A, "ws://127.0.0.1:0", Some(&middle)).await?;
        self.a = Some(a);
        let c = self.serve(&C, "ws://127.0.0.1:0", Some(&middle)).await?;
        self.c = Some(c);
        Ok(())
    }

    pub(super) fn a(&self) -> Result<&Serving, Failure> {
        running(&self.a, &A)
    }

    pub(super) fn b(&self) -> Result<&Serving, Failure> {
        running(&self.b, &B)
    }

    pub(super) fn c(&self) -> Result<&Serving, Failure> {
        running(&self.c, &C)
    }

    /// Kills `a` with SIGKILL.
    pub(super) async fn kill_a(&mut self) -> Result<Killed, Failure> {
        running(&self.a, &A)?;
        let Some(mut a) = self.a.take() else {
            return Err(not_running(&A));
        };
        let killed = Killed {
            pid: a.pid(),
            url: a.url().to_owned(),
        };
        a.kill()?;
        a.gone().await;
        Ok(killed)
    }

    /// Starts `a` again on its port and its data, and says how long that took.
    pub(super) async fn restart_a(&mut self, killed: &Killed) -> Result<Duration, Failure> {
        let began = Instant::now();
        let middle = self.b()?.keyed_url();
        self.a = Some(self.serve(&A, &killed.url, Some(&middle)).await?);
        Ok(began.elapsed())
    }

    /// Does a step of the story, unless a process ends meanwhile or it takes too long.
    pub(super) async fn during<T>(
        &mut self,
        what: &str,
        step: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let ended = async {
            tokio::select! {
                failure = end_of(&mut self.a) => failure,
                failure = end_of(&mut self.b) => failure,
                failure = end_of(&mut self.c) => failure,
            }
        };
        let limit = Duration::from_millis(STEP_MS_MAX);
        let outcome = tokio::select! {
            biased;
            failure = ended => Some(Err(failure)),
            result = timeout(limit, step) => result.ok(),
        };
        match outcome {
            Some(result) => result.map_err(|failure| negative(failure).at(what)),
            None => Err(self.too_slow(what)),
        }
    }

    /// Stops whoever still runs, and removes what they kept.
    pub(super) async fn stop(self) {
        let Self { a, b, c, scratch } = self;
        for serving in [a, c, b].into_iter().flatten() {
            serving.stop().await;
        }
        drop(scratch);
    }

    /// What is said when a step was not done in time.
    pub(super) fn too_slow(&self, what: &str) -> Failure {
        let mut text = format!("{what}: not done after {} s", STEP_MS_MAX / 1_000);
        for serving in [&self.a, &self.b, &self.c].into_iter().flatten() {
            let last_words = serving.last_words();
            if !last_words.is_empty() {
                text.push_str(&format!("\n{} said last:\n{last_words}", serving.name()));
            }
        }
        check_failed(text)
            .hint("is the machine busy? Run it again; RUST_LOG=info makes the processes say more")
    }

    async fn serve(
        &self,
        role: &Role,
        listen: &str,
        connect: Option<&str>,
    ) -> Result<Serving, Failure> {
        let data = self.scratch.path().join(role.process);
        let mut arguments: Vec<OsString> = vec!["--data".into(), data.into()];
        arguments.extend(["--listen", listen, "--store", role.store].map(OsString::from));
        if let Some(url) = connect {
            arguments.extend(["--connect", url].map(OsString::from));
        }
        arguments.extend(role.options.iter().map(OsString::from));
        let name = role.name()?;
        let start = Serving::start(&name, &arguments);
        match timeout(Duration::from_millis(STEP_MS_MAX), start).await {
            Ok(started) => started,
            Err(_) => Err(self.too_slow(&format!("starting {name}"))),
        }
    }
}

/// What is left of a process that was killed.
#[derive(Debug)]
pub(super) struct Killed {
    pub(super) pid: u32,
    url: String,
}

impl Role {
    pub(super) fn name(&self) -> Result<NodeName, Failure> {
        NodeName::new("demo", self.process)
            .map_err(|cause| Failure::new(FailureKind::Bug, cause.to_string()).caused_by(cause))
    }
}

// Whatever a step runs into, the outcome of the demo is that it failed; unless the person can mend it.
fn negative(failure: Failure) -> Failure {
    match failure.kind() {
        FailureKind::BadInput
        | FailureKind::File
        | FailureKind::OutputClosed
        | FailureKind::CheckFailed => failure,
        _ => check_failed(failure.to_string()).caused_by(failure),
    }
}

fn running<'a>(serving: &'a Option<Serving>, role: &Role) -> Result<&'a Serving, Failure> {
    serving.as_ref().ok_or_else(|| not_running(role))
}

fn not_running(role: &Role) -> Failure {
    Failure::new(
        FailureKind::Bug,
        format!("demo/{} does not run", role.process),
    )
}

async fn end_of(serving: &mut Option<Serving>) -> Failure {
    match serving {
        Some(serving) => serving.ended().await,
        None => future::pending().await,
    }
}
