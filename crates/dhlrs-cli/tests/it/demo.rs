//! The whole program: a base, two teams, a courier, a crash, and what it says about it.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A person waits for some seconds; this is not their build, and the machine may be busy with other tests.
const STORY_MAX: Duration = Duration::from_secs(300);

struct Told {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

// Every temporary file of the demo goes to `scratch`, so that what it leaves there is seen.
fn demo(scratch: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_dhlrs"))
        .arg("demo")
        .args(arguments)
        .env("TMPDIR", scratch)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn tell(arguments: &[&str]) -> Told {
    let scratch = TempDir::new().unwrap();
    let began = Instant::now();
    let told = demo(scratch.path(), arguments).wait_with_output().unwrap();
    assert!(began.elapsed() < STORY_MAX, "it took {:?}", began.elapsed());
    assert_eq!(left_in(scratch.path()), Vec::<String>::new());
    Told {
        code: told.status.code(),
        stdout: String::from_utf8(told.stdout).unwrap(),
        stderr: String::from_utf8(told.stderr).unwrap(),
    }
}

fn left_in(scratch: &Path) -> Vec<String> {
    let entries = fs::read_dir(scratch).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

fn input(text: &str) -> (TempDir, String) {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("records.json");
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (dir, file)
}

#[test]
fn tells_its_story_and_ends_with_ok() {
    let Told {
        code,
        stdout,
        stderr,
    } = tell(&[]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.last(), Some(&"ok"), "{stdout}");
    for what in [
        "imported   500 records",
        "killed     demo/north",
        " acknowledged writes 0 missing",
        " 0 applied twice",
        "carried    to south",
        "of 20 fields that both wrote the later word holds",
        " 0 missing at any of the three; 500 records there",
    ] {
        assert!(stdout.contains(what), "{what:?} is not in\n{stdout}");
    }
}

#[test]
fn reports_the_records_of_the_file_it_is_given() {
    let records: Vec<Value> = (0..37)
        .map(|n| json!({ "code": format!("r.{n}/x"), "name": format!("record {n}"), "more": { "n": n } }))
        .collect();
    let (_dir, file) = input(&Value::from(records).to_string());
    let Told {
        code,
        stdout,
        stderr,
    } = tell(&["--input", &file, "--key", "code", "--json"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    let figures: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(figures["records"], 37);
    assert_eq!(figures["nodes"], 37 * 5);
    assert_eq!(figures["contested"], 20);
    assert_eq!(figures["courier"]["visits"], 4);
    assert_eq!(figures["feeds"], 3);
    assert_eq!(figures["state"].as_str().unwrap().len(), 64);
    let writes = &figures["writes"];
    let written = writes["north"].as_u64().unwrap() + writes["south"].as_u64().unwrap();
    // A note is a Create and a Write.
    assert!(
        figures["events"].as_u64().unwrap() >= 2 * written,
        "{figures}"
    );
    assert_eq!(figures["missing"], 0);
    assert_eq!(figures["crash"]["missing"], 0);
    assert!(
        figures["crash"]["in_flight"].as_u64().unwrap() > 0,
        "{figures}"
    );
    assert!(
        figures["crash"]["resumed"].as_u64().unwrap() > 0,
        "{figures}"
    );
    assert_ne!(
        figures["crash"]["killed_pid"],
        figures["crash"]["restarted_pid"]
    );
}

#[test]
fn says_what_is_wrong_with_a_file_before_it_begins() {
    #[track_caller]
    fn refuses(text: &str, arguments: &[&str], says: &[&str]) {
        let (_dir, file) = input(text);
        let mut all = vec!["--input", &file];
        all.extend(arguments);
        let Told {
            code,
            stdout,
            stderr,
        } = tell(&all);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
        for part in says.iter().chain(&["records.json", "hint: "]) {
            assert!(stderr.contains(part), "{part:?} is not in\n{stderr}");
        }
    }
    refuses(r#"[{"id":1}, oops]"#, &[], &["/1"]);
    refuses(
        r#"[{"id":1},{"name":"x"}]"#,
        &["--key", "id"],
        &["/1", "without the key `id`", "--key"],
    );
    refuses(
        r#"[{"id":1},{"id":1}]"#,
        &["--key", "id"],
        &["/1", "another record has the key `1`"],
    );
    refuses("[]", &[], &["no records"]);
    refuses("[1,2]", &[], &["no records"]);
    refuses(r#"{"a":{"b":1},"c":2}"#, &[], &["no records", "`c`"]);

    let Told { code, stderr, .. } = tell(&["--input", "/no/such/file"]);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("/no/such/file") && stderr.contains("hint: "),
        "{stderr}"
    );
}

#[cfg(unix)]
#[test]
fn takes_its_processes_with_it_when_it_is_interrupted() {
    ends_with_all("-INT", Some(130));
}

#[cfg(unix)]
#[test]
fn takes_its_processes_with_it_when_it_is_killed() {
    ends_with_all("-KILL", None);
}

#[cfg(unix)]
#[test]
fn says_which_of_its_processes_has_ended() {
    let scratch = TempDir::new().unwrap();
    let mut demo = demo(scratch.path(), &[]);
    let mut stdout = BufReader::new(demo.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let middle = pids(&line).swap_remove(1);
    let killed = Command::new("kill").args(["-KILL", &middle]).status();
    assert!(killed.unwrap().success());
    let told = demo.wait_with_output().unwrap();
    let stderr = String::from_utf8(told.stderr).unwrap();
    assert_eq!(told.status.code(), Some(1), "{stderr}");
    let what = format!("demo/north (process {middle}) has ended with signal: 9");
    assert!(stderr.contains(&what), "{what:?} is not in\n{stderr}");
    assert_eq!(left_in(scratch.path()), Vec::<String>::new());
}

#[cfg(unix)]
fn ends_with_all(signal: &str, code: Option<i32>) {
    let scratch = TempDir::new().unwrap();
    let mut demo = demo(scratch.path(), &[]);
    let mut stdout = BufReader::new(demo.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let pids = pids(&line);
    assert_eq!(pids.len(), 3, "{line}");
    assert!(pids.iter().all(|pid| is_alive(pid)));

    let pid = demo.id().to_string();
    assert!(
        Command::new("kill")
            .args([signal, &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(demo.wait().unwrap().code(), code);
    let mut stderr = String::new();
    demo.stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    let began = Instant::now();
    while pids.iter().any(|pid| is_alive(pid)) {
        assert!(began.elapsed() < STORY_MAX, "{pids:?} live on");
        thread::sleep(Duration::from_millis(20));
    }
    // Nobody is left to remove it after SIGKILL.
    if code.is_some() {
        assert_eq!(stderr, "error: interrupted\n");
        assert_eq!(left_in(scratch.path()), Vec::<String>::new());
    }
}

// Of `started    demo/base (process 1), demo/north (2), demo/south (3); …`.
#[cfg(unix)]
fn pids(line: &str) -> Vec<String> {
    line.split('(')
        .skip(1)
        .filter_map(|text| text.split(')').next()?.split(' ').next_back())
        .map(str::to_owned)
        .collect()
}

#[cfg(unix)]
fn is_alive(pid: &str) -> bool {
    let signalled = Command::new("kill")
        .args(["-0", pid])
        .stderr(Stdio::null())
        .status();
    signalled.unwrap().success()
}

/// Run by `cargo xtask test`, which builds the program with the fault in it.
#[cfg(feature = "planted-faults")]
#[test]
fn misses_what_a_process_that_skips_its_log_has_lost() {
    let scratch = TempDir::new().unwrap();
    let told = Command::new(env!("CARGO_BIN_EXE_dhlrs"))
        .arg("demo")
        .env("TMPDIR", scratch.path())
        .env("DHLRS_PLANTED_FAULT", "skip-log-replay")
        .output()
        .unwrap();
    let (stdout, stderr) = (
        String::from_utf8(told.stdout).unwrap(),
        String::from_utf8(told.stderr).unwrap(),
    );
    assert_eq!(told.status.code(), Some(1), "{stdout}{stderr}");
    assert!(!stdout.contains("\nok\n"), "{stdout}");
    for what in [
        "acknowledged writes are missing",
        " of 500 records are there",
    ] {
        assert!(stderr.contains(what), "{what:?} is not in\n{stderr}");
    }
}
