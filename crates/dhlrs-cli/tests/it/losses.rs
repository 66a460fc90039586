//! Nodes that are not there, or go: who waits for them, who says so, and when.

use std::{net::TcpListener, process::Command, time::Instant};

use crate::{
    mistakes::{alone, asked},
    world::{Running, World},
};

fn free_url() -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("ws://{}", free.local_addr().unwrap())
}

#[test]
fn a_refused_connection_is_told_at_once() {
    let world = World::new();
    let (began, url) = (Instant::now(), free_url());
    alone(
        &world,
        &["get", "//main/a", "--timeout", "60s", "--via", &url],
        (4, "unreachable", "nothing listens there", "dhlrs serve"),
    );
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}

#[test]
fn a_watch_waits_for_a_node_and_tells_when_it_is_lost() {
    let world = World::new();
    let url = free_url();
    let words = ["watch", "//main", "--via", &url, "--timeout", "60s"];
    let mut watch = Running::of(world.command(&words).spawn().unwrap());
    let serve = ["--listen", url.as_str(), "--name", "m/p", "--data", "data"];
    let server = world.serve(&serve);
    assert!(watch.note().starts_with("watching from "));
    server.kill();
    assert_eq!(watch.note(), "the connection was lost; trying again");
    let server = world.serve(&serve);
    assert_eq!(
        watch.note(),
        "connected again; the watch goes on where it was"
    );
    server.dhlrs(&world, &["set", "//main/a", "1"]).ok();
    assert!(watch.line().ends_with("insert a - -> 1"));
    let done = watch.stop();
    assert!(done.fails(130).contains("--from REV"), "{done:?}");
}

#[test]
fn a_resolver_whose_source_is_down_is_unreachable() {
    let world = World::new();
    let server = world.serve(&["--resolve", "main/lazy=far/away/main/a"]);
    asked(
        &world,
        &server,
        &["get", "//main/lazy"],
        (4, "unavailable", "far/away", "dhlrs status"),
    );
}

#[test]
fn a_listener_that_lets_everybody_in_says_so_beside_an_allow() {
    let world = World::new();
    let key = world.dhlrs(&["key"]).ok();
    let notice = "lets in every program";
    let server = world.serve(&["--allow", key.trim()]);
    let done = server.terminate();
    assert!(done.err.contains(notice), "{done:?}");
    let server = world.serve(&["--allow", key.trim(), "--listen", "ws://0.0.0.0:0"]);
    let done = server.terminate();
    assert!(!done.err.contains(notice), "{done:?}");
}

#[test]
fn a_limit_on_the_size_of_files_is_a_full_disk() {
    let world = World::new();
    let program = env!("CARGO_BIN_EXE_dhlrs");
    // In blocks of 512 or 1,024 bytes, as the shell counts.
    let line = format!("ulimit -f 64; exec {program} serve --listen ws://127.0.0.1:0 --data data");
    let mut shell = Command::new("sh");
    let server = world.serve_by(shell.args(["-c", &line]));
    let text = vec![b'x'; 200 * 1_024];
    let words = server.words(&["set", "//main/large", "-"]);
    let done = world.dhlrs_with(&words, &text);
    done.fails(5);
    // What was begun of it is cut off, and there is room for less.
    let written = (0..500).any(|_| server.dhlrs(&world, &["set", "//main/small", "1"]).code == 0);
    assert!(written);
    assert_eq!(server.dhlrs(&world, &["ls", "//main"]).ok(), "small\t1\n");
    let done = server.terminate();
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.err.contains("disk full") && done.err.contains("File too large"),
        "{done:?}"
    );
}
