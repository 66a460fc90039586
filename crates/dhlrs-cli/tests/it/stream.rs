//! `set --stdin`: each line has its own fate, and an acknowledged one is kept whatever is killed.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    process::Stdio,
};

use crate::world::World;

#[test]
fn each_line_is_acknowledged_or_refused_by_itself() {
    let world = World::new();
    let server = world.serve(&["--name", "m/p"]);
    let words = server.words(&["set", "--stdin"]);
    let done = world.dhlrs_with(&words, b"//main/a\t1\n//main/b\ttwo words\n//main/a\t3");
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    let mut lines: Vec<&str> = done.out.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["1\tm/p/main/a", "2\tm/p/main/b", "3\tm/p/main/a"]);
    assert_eq!(
        server.dhlrs(&world, &["get", "//main/a"]).ok(),
        "3\n",
        "in order"
    );

    let code = |input: &str| world.dhlrs_with(&words, input.as_bytes());
    let done = code("//main/a\t{\"an\":\"object\"}\n//main/c\t1\n");
    assert!(done.fails(2).contains("line 1: "), "{done:?}");
    assert_eq!(done.out.lines().count(), 1, "it goes on");
    let done = code("no tab\n//main/c\t2\n");
    assert!(done.fails(2).contains("no tab"), "{done:?}");
    let done = code("//main/a.below\t1\n//main/c\t3\n");
    assert!(
        done.fails(3).contains("line 1: m/p/main/a.below: "),
        "{done:?}"
    );
    let done = code("nobody/there/main/a\t1\n//main/c\t4\n");
    assert!(done.fails(4).contains("nobody/there"), "{done:?}");
    assert_eq!(done.out.lines().count(), 1, "it goes on");
    // The worst outcome is that of all.
    let done = code("no tab\n//main/a.below\t1\n//main/c\t5\n");
    assert_eq!(done.code, 3, "{done:?}");
    let done = world.dhlrs_with(
        &server.words(&["set", "--stdin", "--json"]),
        b"//main/c\t5\n",
    );
    assert!(
        done.ok()
            .starts_with("{\"address\":\"m/p/main/c\",\"revision\":")
    );
}

#[test]
fn every_acknowledged_line_survives_repeated_kills() {
    const LINES: usize = 10_000;
    const KILLED_EVERY: usize = 1_250;

    let world = World::new();
    let serve = ["--name", "m/p", "--data", "data"];
    let mut server = world.serve(&serve);
    let url = server.url.clone();
    let words = server
        .words(&["set", "--stdin", "--timeout", "60s"])
        .join(" ");
    let words: Vec<&str> = words.split(' ').collect();
    let mut child = world.command(&words).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || {
        for n in 0..LINES {
            writeln!(stdin, "//main/k{}\t{n}", n % 5_000).unwrap();
        }
    });

    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged: BTreeMap<String, usize> = BTreeMap::new();
    let (mut count, mut kills) = (0, 0);
    let mut line = String::new();
    while out.read_line(&mut line).unwrap() > 0 {
        let (_, address) = line.trim_end().split_once('\t').unwrap();
        *acknowledged.entry(address.to_owned()).or_default() += 1;
        count += 1;
        if count % KILLED_EVERY == 0 && count < LINES {
            server.kill();
            kills += 1;
            server = world.serve(&[&serve[..], &["--listen", &url]].concat());
        }
        line.clear();
    }
    feeder.join().unwrap();
    let done = crate::world::Done::of(child);
    assert_eq!(
        (done.code, done.err.as_str()),
        (0, ""),
        "after {count} lines and {kills} kills"
    );
    assert_eq!((count, kills), (LINES, 7));
    // Each key was written twice, in order.
    assert!(acknowledged.values().all(|times| *times == 2));

    server.kill();
    let server = world.serve(&serve);
    let kept = server.dhlrs(&world, &["query", "//main/*"]).ok();
    assert_eq!(kept.lines().count(), 5_000);
    for line in kept.lines() {
        let (path, value) = line.split_once('\t').unwrap();
        let n: usize = path.strip_prefix('k').unwrap().parse().unwrap();
        assert_eq!(value, (n + 5_000).to_string(), "{path}");
    }
}

#[test]
fn what_no_answer_came_for_is_told_and_the_rest_is_not_sent() {
    let world = World::new();
    let server = world.serve(&["--name", "m/p"]);
    let words = server.words(&["set", "--stdin", "--timeout", "300ms", "--in-flight", "2"]);
    let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    let mut child = world.command(&words).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "//main/a\t1").unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "1\tm/p/main/a\n");
    server.kill();
    for n in 0..100 {
        // It stops reading, so the pipe may be closed.
        let _ = writeln!(stdin, "//main/b{n}\t1");
    }
    drop(stdin);
    let done = crate::world::Done::of(child);
    assert!(done.code == 4 || done.code == 5, "{done:?}");
    assert!(done.err.contains("were not sent"), "{done:?}");
}
