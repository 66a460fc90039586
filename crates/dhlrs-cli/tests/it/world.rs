//! The real program in real processes, each test with a key and a directory of its own.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    thread::{self, JoinHandle},
};

use tempfile::TempDir;

/// A directory and a user's key.
pub(crate) struct World {
    dir: TempDir,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A node that serves. Killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    // Kept open, because a closed one would be news to the node.
    _out: BufReader<ChildStdout>,
    err: Option<JoinHandle<String>>,
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) url: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        // There from the beginning, so that no command has the news of a new one.
        dhlrs_cli::identity_file::load_or_make(&dir.path().join("identity")).unwrap();
        Self { dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, words: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dhlrs"));
        command
            .args(words)
            .env("DHLRS_IDENTITY", self.path("identity"))
            .env("HOME", self.dir.path())
            .env_remove("RUST_LOG")
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn dhlrs<S: AsRef<OsStr>>(&self, words: &[S]) -> Done {
        Done::of(self.command(words).spawn().unwrap())
    }

    /// Runs a command to its end, with this as standard input.
    pub(crate) fn dhlrs_with<S: AsRef<OsStr>>(&self, words: &[S], input: &[u8]) -> Done {
        let mut child = self.command(words).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = thread::spawn(move || drop(stdin.write_all(&input)));
        let done = Done::of(child);
        writer.join().unwrap();
        done
    }

    /// A node that listens on a free port, or where the words say.
    pub(crate) fn serve<S: AsRef<OsStr>>(&self, words: &[S]) -> Server {
        let mut all: Vec<&OsStr> = vec!["serve".as_ref()];
        let listens = words.iter().any(|word| word.as_ref() == "--listen");
        if !listens {
            all.extend(["--listen", "ws://127.0.0.1:0"].map(OsStr::new));
        }
        all.extend(words.iter().map(AsRef::as_ref));
        Server::of(self.command(&all).spawn().unwrap())
    }

    /// A node that this command starts.
    pub(crate) fn serve_by(&self, command: &mut Command) -> Server {
        command
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Server::of(command.spawn().unwrap())
    }
}

impl Server {
    fn of(mut child: Child) -> Self {
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let err = thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            text
        });
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let &["ready", name, key, url] = words.as_slice() else {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it is not ready: {line:?}, {}", err.join().unwrap());
        };
        let [name, key, url] = [name, key, url].map(str::to_owned);
        Self {
            child,
            _out: out,
            err: Some(err),
            name,
            key,
            url,
        }
    }

    /// Runs a command against this node.
    pub(crate) fn dhlrs(&self, world: &World, words: &[&str]) -> Done {
        world.dhlrs(&self.words(words))
    }

    pub(crate) fn words<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        let (command, rest) = words.split_first().unwrap();
        let mut all = vec![*command, "--via", &self.url];
        all.extend(rest);
        all
    }

    /// SIGSTOP: it is there, and says nothing any more.
    pub(crate) fn pause(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-STOP", &pid]).status().unwrap();
        assert!(sent.success());
        // The signal has been sent, not received: other threads run until the one that is chosen for it stops them.
        while running_threads(&pid) > 0 {
            thread::yield_now();
        }
    }

    /// SIGKILL: it gets no chance to tidy up.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and what it left behind.
    pub(crate) fn terminate(mut self) -> Done {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").arg(pid).status().unwrap();
        assert!(sent.success());
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let err = self.err.take().unwrap().join().unwrap();
        Done {
            code,
            out: String::new(),
            err,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Done {
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Standard output of a command that did what it should.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// What went wrong: its exit code and its one message.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32) -> &str {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.err.matches("error: ").count(), 1, "{self:?}");
        &self.err
    }
}

/// A command that goes on, and whose lines are read one by one.
pub(crate) struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    err: BufReader<std::process::ChildStderr>,
}

impl Running {
    pub(crate) fn of(mut child: Child) -> Self {
        let out = BufReader::new(child.stdout.take().unwrap());
        let err = BufReader::new(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    pub(crate) fn note(&mut self) -> String {
        let mut line = String::new();
        self.err.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    pub(crate) fn stop(self) -> Done {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
        assert!(sent.success());
        self.end()
    }

    /// Waits for its end; what was not read yet is in what it left behind.
    pub(crate) fn end(mut self) -> Done {
        let (mut out, mut err) = (String::new(), String::new());
        self.out.read_to_string(&mut out).unwrap();
        self.err.read_to_string(&mut err).unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Done { code, out, err }
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

// As Linux tells; elsewhere none.
fn running_threads(pid: &str) -> usize {
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    let threads = threads.into_iter().flatten().flatten();
    threads
        .filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok())
        .filter(|stat| {
            !stat
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .starts_with(" T")
        })
        .count()
}
