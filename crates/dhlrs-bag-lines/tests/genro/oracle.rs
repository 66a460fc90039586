//! The reference as a process that answers line by line.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::Value;

pub(crate) struct Oracle {
    process: Child,
    requests: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
}

impl Oracle {
    /// The Python that has genro-bag, if the test command has made it.
    pub(crate) fn python() -> Option<PathBuf> {
        std::env::var_os("DHLRS_GENRO_PYTHON").map(PathBuf::from)
    }

    pub(crate) fn start(python: &Path) -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/bag_oracle.py");
        let mut process = Command::new(python)
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the Python of DHLRS_GENRO_PYTHON starts");
        let requests = process.stdin.take();
        let replies = BufReader::new(process.stdout.take().expect("it is piped"));
        Self {
            process,
            requests,
            replies,
        }
    }

    pub(crate) fn ask(&mut self, line: &str) -> Value {
        let requests = self.requests.as_mut().expect("it is open");
        writeln!(requests, "{line}").expect("the oracle reads");
        requests.flush().expect("the oracle reads");
        let mut reply = String::new();
        self.replies
            .read_line(&mut reply)
            .expect("the oracle answers");
        serde_json::from_str(&reply).unwrap_or_else(|error| panic!("{line}\n{reply}\n{error}"))
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // Its input ends, and so does it.
        self.requests.take();
        let _ = self.process.wait();
    }
}
