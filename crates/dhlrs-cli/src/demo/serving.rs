//! One child process that serves.

use std::{
    ffi::OsString,
    io,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use dhlrs::{NodeName, PublicKey};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
    time::{Duration, timeout},
};

use crate::{Failure, FailureKind};

/// How much of what a process writes to standard error is kept.
const TAIL_BYTES_MAX: usize = 4 * 1024;
/// How many lines of that are told.
const TAIL_LINES_MAX: usize = 6;
/// The longest line that says `ready`.
const READY_BYTES_MAX: u64 = 4 * 1024;
/// How long a process may take to stop by itself.
const GOODBYE_MS_MAX: u64 = 2_000;

/// A `serve` of this very program, which ends with this process in any case.
#[derive(Debug)]
pub(super) struct Serving {
    name: NodeName,
    child: Child,
    pid: u32,
    ready: Ready,
    // Apart from the child, because to wait for that closes it.
    stdin: ChildStdin,
    // Held open, because a process that writes to a closed one fails.
    _stdout: BufReader<ChildStdout>,
    stderr: Tail,
}

/// What the line `ready` says.
#[derive(Debug, Clone)]
struct Ready {
    key: PublicKey,
    url: String,
}

impl Serving {
    /// Starts the program with these arguments behind `serve --name NAME`, and waits until it is ready.
    pub(super) async fn start(name: &NodeName, arguments: &[OsString]) -> Result<Self, Failure> {
        let cannot = |cause: io::Error| {
            Failure::new(
                FailureKind::File,
                format!("{name} cannot be started: {cause}"),
            )
            .hint("is the limit of processes or open files reached? `ulimit -a` shows them")
            .caused_by(cause)
        };
        let program = std::env::current_exe().map_err(cannot)?;
        let mut child = Command::new(program)
            .arg("serve")
            .args(["--name", name.as_str()])
            .args(arguments)
            // It ends when this closes, and that the system sees to, whatever ends this process.
            .arg("--until-stdin-ends")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(cannot)?;
        let pid = child.id().unwrap_or_default();
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(cannot(io::ErrorKind::BrokenPipe.into()));
        };
        let mut stdout = BufReader::new(stdout);
        let stderr = Tail::follow(stderr);
        let mut line = String::new();
        let read = (&mut stdout)
            .take(READY_BYTES_MAX)
            .read_line(&mut line)
            .await;
        let said = read.map_err(cannot)? > 0;
        match Ready::parse(&line) {
            Some(ready) => Ok(Self {
                name: name.clone(),
                child,
                pid,
                ready,
                stdin,
                _stdout: stdout,
                stderr,
            }),
            None if said => Err(Failure::new(
                FailureKind::Bug,
                format!("{name} said `{}` in place of `ready`", line.trim_end()),
            )),
            None => {
                let status = child.wait().await.map_err(cannot)?;
                Err(ended(name, pid, status, &stderr.finish().await))
            }
        }
    }

    pub(super) const fn name(&self) -> &NodeName {
        &self.name
    }

    pub(super) const fn pid(&self) -> u32 {
        self.pid
    }

    /// Where it listens, with its port.
    pub(super) fn url(&self) -> &str {
        &self.ready.url
    }

    /// The same with its key, so that nobody else is taken for it.
    pub(super) fn keyed_url(&self) -> String {
        format!("{}?key={}", self.ready.url, self.ready.key)
    }

    /// Waits until the process has ended, which it should not.
    pub(super) async fn ended(&mut self) -> Failure {
        match self.child.wait().await {
            Ok(status) => ended(&self.name, self.pid, status, &self.stderr.lines()),
            Err(cause) => Failure::new(
                FailureKind::CheckFailed,
                format!("{} cannot be waited for: {cause}", self.name),
            )
            .caused_by(cause),
        }
    }

    /// What it has said last, for whoever waits for it in vain.
    pub(super) fn last_words(&self) -> String {
        self.stderr.lines()
    }

    /// Ends it at once, as SIGKILL does: nothing in it gets a turn any more.
    pub(super) fn kill(&mut self) -> Result<(), Failure> {
        self.child.start_kill().map_err(|cause| {
            Failure::new(
                FailureKind::CheckFailed,
                format!("{} cannot be killed: {cause}", self.name),
            )
            .caused_by(cause)
        })
    }

    /// Waits until nothing is left of it after [`kill`](Self::kill).
    pub(super) async fn gone(mut self) {
        // An error says that there is nothing to wait for.
        let _ = self.child.wait().await;
    }

    /// Asks it to stop, and does not ask twice.
    pub(super) async fn stop(self) {
        let Self {
            mut child, stdin, ..
        } = self;
        drop(stdin);
        let limit = Duration::from_millis(GOODBYE_MS_MAX);
        if timeout(limit, child.wait()).await.is_err() {
            // It fails only if the process has ended by now.
            let _ = child.kill().await;
        }
    }
}

impl Ready {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (ready, _name) = (words.next()?, words.next()?);
        let (key, url) = (words.next()?.parse().ok()?, words.next()?.to_owned());
        (ready == "ready").then_some(Self { key, url })
    }
}

fn ended(name: &NodeName, pid: u32, status: ExitStatus, last_words: &str) -> Failure {
    let mut what = format!("{name} (process {pid}) has ended with {status}");
    if !last_words.is_empty() {
        what.push_str("; it said last:\n");
        what.push_str(last_words);
    }
    Failure::new(FailureKind::CheckFailed, what)
}

/// The end of what a process writes to standard error.
#[derive(Debug)]
struct Tail {
    bytes: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

impl Tail {
    fn follow(mut stderr: ChildStderr) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let kept = bytes.clone();
        let task = tokio::spawn(async move {
            let mut piece = [0; 1024];
            // Also if it cannot be read, there is no more.
            while let Ok(length @ 1..) = stderr.read(&mut piece).await {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(piece.get(..length).unwrap_or_default());
                let over = kept.len().saturating_sub(TAIL_BYTES_MAX);
                kept.drain(..over);
            }
        });
        Self { bytes, task }
    }

    fn lines(&self) -> String {
        let kept = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept);
        let lines: Vec<&str> = text.lines().collect();
        let first = lines.len().saturating_sub(TAIL_LINES_MAX);
        lines.get(first..).unwrap_or_default().join("\n")
    }

    // Of a process that has ended.
    async fn finish(mut self) -> String {
        let limit = Duration::from_millis(GOODBYE_MS_MAX);
        // Somebody else may hold the pipe; then what is there must do.
        let _ = timeout(limit, &mut self.task).await;
        self.lines()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.task.abort();
    }
}
