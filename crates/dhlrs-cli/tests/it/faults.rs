//! What happens to a node or to this machine, told like a mistake: one message, what to do, an exit code.

use std::{
    io::{Read, Write},
    process::Stdio,
    time::Duration,
};

use dhlrs::{Node, StoreOptions};
use dhlrs_cli::Failure;
use dhlrs_storage::MemoryVfs;

use crate::{
    mistakes::{alone, asked, tells},
    world::{Done, Running, World, text},
};

#[test]
fn answers_that_do_not_come() {
    let world = World::new();
    let far = world.serve(&["--name", "far/main"]);
    let near = world.serve(&["--name", "near/main", "--connect", &far.url]);
    let known = (0..500).any(|_| near.dhlrs(&world, &["set", "far/main/main/a", "1"]).code == 0);
    assert!(known);
    far.pause();
    let soon = ["--timeout", "300ms"];
    asked(
        &world,
        &near,
        &[&["get", "far/main/main/a"][..], &soon].concat(),
        (4, "timeout", "through near/main", "--timeout"),
    );
    // A client opens a session first, and that is all that is sent here.
    asked(
        &world,
        &near,
        &[&["set", "far/main/main/a", "2"][..], &soon].concat(),
        (4, "timeout", "far/main", "--timeout"),
    );
}

#[test]
fn a_write_that_was_sent_may_have_been_done() {
    let world = World::new();
    let far = world.serve(&["--name", "far/main"]);
    let near = world.serve(&["--name", "near/main", "--connect", &far.url]);
    let known = (0..500).any(|_| near.dhlrs(&world, &["set", "far/main/main/a", "1"]).code == 0);
    assert!(known);
    let words = near.words(&["set", "--stdin", "--timeout", "500ms", "--json"]);
    let mut child = world.command(&words).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "far/main/main/a\t2").unwrap();
    let mut first = [0; 1];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    far.pause();
    writeln!(stdin, "far/main/main/a\t3").unwrap();
    drop(stdin);
    tells(
        &Done::of(child),
        (5, "outcome_unknown", "line 2", "read the address"),
    );
}

#[test]
fn changes_that_are_no_longer_kept() {
    let world = World::new();
    let server = world.serve::<&str>(&[]);
    let rows: Vec<String> = (0..100_100).map(|n| format!("\"n{n}\":0")).collect();
    world.file("many.json", format!("{{{}}}", rows.join(",")));
    server
        .dhlrs(
            &world,
            &["import", "//main", "many.json", "--timeout", "60s"],
        )
        .ok();
    asked(
        &world,
        &server,
        &["watch", "//main", "--from", "1", "--count", "1"],
        (3, "compacted", "oldest", "oldest revision"),
    );
}

#[test]
fn outputs_that_are_full() {
    let world = World::new();
    let server = world.serve::<&str>(&[]);
    server.dhlrs(&world, &["set", "//main/a", "1"]).ok();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let words = server.words(&["get", "//main/a", "--json"]);
    let child = world.command(&words).stdout(full).spawn().unwrap();
    tells(
        &Done::of(child),
        (2, "file", "standard output", "disk full"),
    );
}

/// A file system of this size, where this user may mount one.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn new(world: &World) -> Option<Self> {
        let dir = world.path("disk");
        std::fs::create_dir(&dir).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
            .arg(&dir)
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Self(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(&self.0)
            .status();
    }
}

#[track_caller]
fn means(failure: impl Into<Failure>, codes: &[i32], kind: &str, remedy: &str) {
    let failure = failure.into();
    let code = failure.kind().exit() as i32;
    assert!(codes.contains(&code), "{code}: {failure:?}");
    assert_eq!(failure.kind().name(), kind, "{failure:?}");
    let hint = failure.hint_text().unwrap_or_default();
    assert!(hint.contains(remedy), "{failure:?}");
}

/// In this process and on the disk's twin in memory, which every user has.
#[tokio::test]
async fn a_disk_that_is_full_in_memory() {
    let disk = MemoryVfs::new();
    let node = || {
        Node::builder("a/main".parse().unwrap())
            .store(StoreOptions::owned("main"))
            .vfs(disk.clone())
            .data_dir("data")
    };
    disk.set_capacity_bytes(Some(0));
    let refused = node().start().await.unwrap_err();
    means(refused, &[3], "disk_full", "make room");
    disk.set_capacity_bytes(None);
    let node = node().start().await.unwrap();
    let main = node.store("main").await.unwrap();
    main.set("a", 1).await.unwrap();
    disk.set_capacity_bytes(Some(0));
    // It was on its way to the disk, so nobody can be sure.
    let unsure = main.set("b", 1).await.unwrap_err();
    means(unsure, &[5], "outcome_unknown", "read the address");
    let refused = main.set("b", 2).await.unwrap_err();
    assert!(refused.message().contains("disk full"), "{refused}");
    means(refused, &[4], "unavailable", "");
    assert!(
        main.get("a").await.unwrap().is_some(),
        "what is there stays readable"
    );
    disk.set_capacity_bytes(None);
    let again = async { while main.set("c", 1).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(30), again)
        .await
        .expect("once there is room, the store opens again by itself");
}

#[test]
fn a_disk_that_is_full() {
    let world = World::new();
    let Some(disk) = SmallDisk::new(&world) else {
        eprintln!("skipped: this user may not mount a small disk; only its twin was full");
        return;
    };
    let fill = disk.0.join("fill");
    let _ = std::fs::write(&fill, vec![0; 1 << 20]);
    let data = disk.0.join("data");
    alone(
        &world,
        &[
            "serve",
            "--listen",
            "ws://127.0.0.1:0",
            "--data",
            text(&data),
        ],
        (3, "disk_full", text(&data), "make room"),
    );
    std::fs::remove_file(&fill).unwrap();
    let server = world.serve(&["--data", text(&data)]);
    server.dhlrs(&world, &["set", "//main/a", "1"]).ok();
    let _ = std::fs::write(&fill, vec![0; 1 << 20]);
    let large = "x".repeat(100_000);
    let words = server.words(&["set", "//main/b", "-", "--json"]);
    let done = world.dhlrs_with(&words, large.as_bytes());
    // It was on its way to the disk, so nobody can be sure.
    assert!(matches!(done.code, 4 | 5), "{done:?}");
    assert_eq!(
        server.dhlrs(&world, &["get", "//main/a"]).ok(),
        "1\n",
        "what is there stays readable"
    );
    // Once there is room, the store opens again by itself.
    std::fs::remove_file(&fill).unwrap();
    server
        .dhlrs(&world, &["set", "//main/c", "1", "--timeout", "30s"])
        .ok();
}

#[test]
fn an_export_that_breaks_off_is_called_incomplete() {
    let world = World::new();
    let server = world.serve::<&str>(&[]);
    let rows: Vec<String> = (0..300)
        .map(|n| format!("\"n{n}\":\"{}\"", "x".repeat(10_000)))
        .collect();
    world.file("large.json", format!("{{{}}}", rows.join(",")));
    server
        .dhlrs(&world, &["import", "//main", "large.json"])
        .ok();

    // A pipe in the place of the file lets the export wait in its middle.
    let draft = world.path("out.json.incomplete");
    let made = std::process::Command::new("mkfifo")
        .arg(&draft)
        .status()
        .unwrap();
    assert!(made.success());
    let words = server.words(&[
        "export",
        "//main",
        "--output",
        "out.json",
        "--timeout",
        "300ms",
        "--json",
    ]);
    let export = world.command(&words).spawn().unwrap();
    let mut pipe = std::fs::File::open(&draft).unwrap();
    pipe.read_exact(&mut [0; 1]).unwrap();
    server.kill();
    pipe.read_to_end(&mut Vec::new()).unwrap();
    let done = Done::of(export);
    assert_eq!(done.code, 4, "{done:?}");
    assert!(
        done.err.contains("out.json.incomplete is left incomplete"),
        "{done:?}"
    );
    assert!(!world.path("out.json").exists());
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    let world = World::new();
    let server = world.serve::<&str>(&[]);
    let mut watch = Running::of(
        world
            .command(&server.words(&["watch", "//main"]))
            .spawn()
            .unwrap(),
    );
    watch.note();
    let done = watch.stop();
    assert_eq!(done.code, 130, "{done:?}");
    let status = server.dhlrs(&world, &["status"]).ok();
    assert!(
        status.contains("0 watches") && !status.contains("lost"),
        "{status}"
    );
}

#[test]
fn writes_go_on_when_nobody_reads_the_acknowledgements() {
    let world = World::new();
    let server = world.serve::<&str>(&[]);
    let words = server.words(&["set", "--stdin"]);
    let mut child = world.command(&words).stdin(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    for n in 0..100 {
        writeln!(stdin, "//main/n{n}\t{n}").unwrap();
    }
    drop(stdin);
    let done = Done::of(child);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert_eq!(
        server.dhlrs(&world, &["ls", "//main"]).ok().lines().count(),
        100
    );
}
