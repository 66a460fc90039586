//! One process that serves a store, as anybody starts it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub(crate) const NAME: &str = "served/main";

const PROGRAM: &str = env!("CARGO_BIN_EXE_dhlrs");

const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Served {
    child: Child,
    url: String,
    dir: TempDir,
}

impl Served {
    /// Starts it, below another program if `under` names one with its arguments.
    pub(crate) fn start(under: &[&str]) -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let log = File::create(dir.path().join("log")).unwrap();
        let words: Vec<&str> = under.iter().copied().chain([PROGRAM]).collect();
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .args(["serve", "--name", NAME, "--listen", "ws://127.0.0.1:0"])
            .arg("--data")
            .arg(dir.path().join("data"))
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let mut ready = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut ready).unwrap();
        let url = ready.split_whitespace().nth(3);
        let url = url.unwrap_or_else(|| panic!("it is not ready: {ready:?}, see {dir:?}"));
        Self {
            child,
            url: url.to_owned(),
            dir,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.url.strip_prefix("ws://").unwrap().parse().unwrap()
    }

    pub(crate) fn memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let resident = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        resident.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Lines in its log that warn of something.
    pub(crate) fn warnings(&self) -> usize {
        let log = fs::read_to_string(self.dir.path().join("log")).unwrap();
        log.lines().filter(|line| line.contains("WARN")).count()
    }

    pub(crate) fn refused_frames(&self) -> u64 {
        let status = self.run(&["--json", "status"]);
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        status["refused_frames"].as_u64().unwrap()
    }

    /// The same as soon as it is so many: who attacks may be gone before it is counted.
    pub(crate) fn refused_frames_from(&self, least: u64) -> u64 {
        let begun = Instant::now();
        loop {
            let refused = self.refused_frames();
            if refused >= least || begun.elapsed() > PATIENCE {
                return refused;
            }
        }
    }

    /// Runs the program against it; what that prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.run_with(arguments, "")
    }

    /// The same with an input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> String {
        let mut child = Command::new(PROGRAM)
            .args(arguments)
            .args(["--via", &self.url, "--identity"])
            .arg(self.dir.path().join("client"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let output = thread::scope(|scope| {
            scope.spawn(move || stdin.write_all(input.as_bytes()));
            child.wait_with_output().unwrap()
        });
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {told}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Served {
    /// Stops it as a terminal would, and waits for it.
    pub(crate) fn stop(mut self) {
        assert!(self.signal("-INT"));
        self.child.wait().unwrap();
    }

    /// To whatever it runs below, too: a tracer that is killed lets go of whom it traces.
    fn signal(&self, signal: &str) -> bool {
        let group = format!("-{}", self.child.id());
        let kill = Command::new("kill")
            .args([signal, "--", &group])
            .stderr(Stdio::null())
            .status();
        kill.is_ok_and(|status| status.success())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal("-KILL");
            let _ = self.child.wait();
        }
    }
}
