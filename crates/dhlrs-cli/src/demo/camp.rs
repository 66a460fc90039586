//! Base camp, two teams and a courier: a process each, all with a copy of one store.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    future::{self, Future},
    time::Instant,
};

use dhlrs::{NodeName, StoreAddress};
use futures_util::future::select_all;
use tokio::time::{Duration, timeout};

use super::{check_failed, scratch::Scratch, serving::Serving};
use crate::{Failure, FailureKind};

/// How long a step may take.
const STEP_MS_MAX: u64 = 60_000;
/// The store that all of them have.
const STORE: &str = "field";
const ANY_PORT: &str = "ws://127.0.0.1:0";

/// What a process is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// Where the records are imported, and where the teams set out from.
    Base,
    /// A team; the one that is killed.
    North,
    /// Another team. It is never connected to the first.
    South,
    /// Goes from one to the other, and is switched off on the way.
    Courier,
}

/// The processes, and the directory that they keep their copies in.
#[derive(Debug)]
pub(super) struct Camp {
    running: BTreeMap<Role, Serving>,
    // Dropped last, when nobody writes to it any more.
    scratch: Scratch,
}

impl Camp {
    /// Nobody yet.
    pub(super) fn new() -> Result<Self, Failure> {
        Ok(Self {
            running: BTreeMap::new(),
            scratch: Scratch::new()?,
        })
    }

    /// Starts a process, with what it has kept if it was there before; it connects to another one, or to nobody.
    pub(super) async fn start(&mut self, role: Role, meets: Option<Role>) -> Result<(), Failure> {
        self.start_at(role, ANY_PORT, meets).await
    }

    pub(super) fn serving(&self, role: Role) -> Result<&Serving, Failure> {
        self.running.get(&role).ok_or_else(|| not_running(role))
    }

    /// Stops a process; what it keeps stays.
    pub(super) async fn leave(&mut self, role: Role) -> Result<(), Failure> {
        let serving = self.running.remove(&role);
        serving.ok_or_else(|| not_running(role))?.stop().await;
        Ok(())
    }

    /// Kills a process with SIGKILL.
    pub(super) async fn kill(&mut self, role: Role) -> Result<Killed, Failure> {
        let serving = self.running.remove(&role);
        let mut serving = serving.ok_or_else(|| not_running(role))?;
        let killed = Killed {
            role,
            pid: serving.pid(),
            url: serving.url().to_owned(),
        };
        serving.kill()?;
        serving.gone().await;
        Ok(killed)
    }

    /// Starts a process again that was killed, on its port and its data, and says how long that took.
    pub(super) async fn restart(&mut self, killed: &Killed) -> Result<Duration, Failure> {
        let began = Instant::now();
        self.start_at(killed.role, &killed.url, None).await?;
        Ok(began.elapsed())
    }

    /// What the copy of a process takes on disk.
    pub(super) fn disk_bytes(&self, role: Role) -> u64 {
        let mut bytes = 0;
        let mut dirs = vec![self.scratch.path().join(role.process())];
        while let Some(dir) = dirs.pop() {
            // What is tidied up meanwhile takes no place.
            for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
                match entry.metadata() {
                    Ok(found) if found.is_dir() => dirs.push(entry.path()),
                    Ok(found) => bytes += found.len(),
                    Err(_) => {}
                }
            }
        }
        bytes
    }

    /// Does a step of the story, unless a process ends meanwhile or it takes too long.
    pub(super) async fn during<T>(
        &mut self,
        what: &str,
        step: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let limit = Duration::from_millis(STEP_MS_MAX);
        let outcome = tokio::select! {
            biased;
            failure = self.ended() => Some(Err(failure)),
            result = timeout(limit, step) => result.ok(),
        };
        match outcome {
            Some(result) => result.map_err(|failure| negative(failure).at(what)),
            None => Err(self.too_slow(what)),
        }
    }

    /// Stops whoever still runs, and removes what they kept.
    pub(super) async fn stop(self) {
        let Self { running, scratch } = self;
        for serving in running.into_values() {
            serving.stop().await;
        }
        drop(scratch);
    }

    // The first process that ends, which none should.
    async fn ended(&mut self) -> Failure {
        if self.running.is_empty() {
            return future::pending().await;
        }
        let all = self.running.values_mut();
        select_all(all.map(|serving| Box::pin(serving.ended())))
            .await
            .0
    }

    fn too_slow(&self, what: &str) -> Failure {
        let mut text = format!("{what}: not done after {} s", STEP_MS_MAX / 1_000);
        for serving in self.running.values() {
            let last_words = serving.last_words();
            if !last_words.is_empty() {
                text.push_str(&format!("\n{} said last:\n{last_words}", serving.name()));
            }
        }
        check_failed(text)
            .hint("is the machine busy? Run it again; RUST_LOG=info makes the processes say more")
    }

    async fn start_at(
        &mut self,
        role: Role,
        listen: &str,
        meets: Option<Role>,
    ) -> Result<(), Failure> {
        let data = self.scratch.path().join(role.process());
        let store = format!("{STORE}=replicated");
        let mut arguments: Vec<OsString> = vec!["--data".into(), data.into()];
        arguments.extend(["--listen", listen, "--store", &store].map(OsString::from));
        if let Some(other) = meets {
            let url = self.serving(other)?.keyed_url();
            arguments.extend(["--connect".to_owned(), url].map(OsString::from));
        }
        let name = role.name()?;
        let start = Serving::start(&name, &arguments);
        match timeout(Duration::from_millis(STEP_MS_MAX), start).await {
            Ok(started) => {
                self.running.insert(role, started?);
                Ok(())
            }
            Err(_) => Err(self.too_slow(&format!("starting {name}"))),
        }
    }
}

/// What is left of a process that was killed.
#[derive(Debug)]
pub(super) struct Killed {
    role: Role,
    pub(super) pid: u32,
    url: String,
}

impl Role {
    /// All that work on the records.
    pub(super) const ALL: [Self; 3] = [Self::Base, Self::North, Self::South];

    /// The last part of its name.
    pub(super) const fn process(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::North => "north",
            Self::South => "south",
            Self::Courier => "courier",
        }
    }

    pub(super) fn name(self) -> Result<NodeName, Failure> {
        NodeName::new("demo", self.process()).map_err(bug)
    }

    /// Its copy.
    pub(super) fn store(self) -> Result<StoreAddress, Failure> {
        Ok(StoreAddress::new(self.name()?, STORE.parse().map_err(bug)?))
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

fn not_running(role: Role) -> Failure {
    Failure::new(
        FailureKind::Bug,
        format!("demo/{} does not run", role.process()),
    )
}

fn bug(cause: dhlrs_path::ParsePathError) -> Failure {
    Failure::new(FailureKind::Bug, cause.to_string()).caused_by(cause)
}
