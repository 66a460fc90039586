//! Replicated stores, by the program: written offline, equal in the end, and what can be asked about them.

use std::{fs, path::Path, thread::sleep, time::Duration, time::Instant};

use serde_json::Value as Json;

use crate::world::{Running, Server, World, text};

/// How long processes may take to hear of each other.
const PATIENCE: Duration = Duration::from_secs(30);

fn field(world: &World, name: &str, dir: &Path, more: &[&str]) -> Server {
    let words = [
        "--name",
        name,
        "--data",
        text(dir),
        "--store",
        "field=replicated",
    ];
    let fast = ["--gossip-interval", "500ms"];
    world.serve(&[&words, fast.as_slice(), more].concat())
}

fn feeds(world: &World, node: &Server) -> Json {
    let out = node.dhlrs(world, &["feeds", "//field", "--json"]).ok();
    serde_json::from_str(&out).unwrap()
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(
            begin.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}"
        );
        sleep(Duration::from_millis(50));
    }
}

#[track_caller]
fn until_equal(world: &World, nodes: &[&Server]) {
    until("equal states", || {
        let all: Vec<Json> = nodes.iter().map(|node| feeds(world, node)).collect();
        all.windows(2)
            .all(|pair| pair[0]["state_hash"] == pair[1]["state_hash"])
    });
}

fn set(world: &World, node: &Server, address: &str, value: &str) {
    node.dhlrs(world, &["set", address, value]).ok();
}

#[test]
fn two_that_wrote_offline_end_equal_and_tell_what_happened() {
    let world = World::new();
    let (here, there) = (world.path("here"), world.path("there"));
    let base = field(&world, "base/main", &here, &[]);
    let team = field(&world, "team/main", &there, &[]);
    for n in 0..5 {
        set(&world, &base, &format!("//field/base.n{n}"), &n.to_string());
        set(&world, &team, &format!("//field/team.n{n}"), &n.to_string());
    }
    set(&world, &base, "//field/orders.o1.status", "\"new\"");
    set(&world, &team, "//field/orders.o1.price", "12");
    assert_ne!(
        feeds(&world, &base)["state_hash"],
        feeds(&world, &team)["state_hash"]
    );
    assert_eq!(team.terminate().code, 0);

    let team = field(&world, "team/main", &there, &["--connect", &base.url]);
    until_equal(&world, &[&base, &team]);
    for node in [&base, &team] {
        assert_eq!(
            node.dhlrs(&world, &["get", "//field/orders.o1.status"])
                .ok(),
            "new\n"
        );
        assert_eq!(
            node.dhlrs(&world, &["get", "//field/orders.o1.price"]).ok(),
            "12\n"
        );
        assert_eq!(
            node.dhlrs(&world, &["ls", "//field/base"])
                .ok()
                .lines()
                .count(),
            5
        );
    }
    let base_tree = base.dhlrs(&world, &["export", "//field", "--typed"]).ok();
    assert_eq!(
        team.dhlrs(&world, &["export", "//field", "--typed"]).ok(),
        base_tree
    );

    let told = feeds(&world, &team);
    assert_eq!(told["store"], feeds(&world, &base)["store"]);
    assert_eq!(told["own"]["author"], team.key.as_str());
    assert_eq!(
        told["feeds"].as_array().unwrap().len(),
        2,
        "one feed each, restart or not"
    );
    for feed in told["feeds"].as_array().unwrap() {
        assert_eq!(feed["held"], feed["reduced"]);
        assert_eq!(
            (&feed["lag"], &feed["standing"]),
            (&0.into(), &"open".into())
        );
    }
    let shown = team.dhlrs(&world, &["feeds", "//field"]).ok();
    assert!(shown.contains("peer     base/main"), "{shown}");

    // The log, and what there was before the last write.
    set(&world, &team, "//field/orders.o1.status", "\"paid\"");
    until_equal(&world, &[&base, &team]);
    let log = base
        .dhlrs(&world, &["log", "//field/orders.o1.status"])
        .ok();
    let rows: Vec<Vec<&str>> = log.lines().map(|line| line.split('\t').collect()).collect();
    let told: Vec<[&str; 3]> = rows
        .iter()
        .map(|row| [row[4], row[5], row.get(6).copied().unwrap_or_default()])
        .collect();
    let path = "orders.o1.status";
    assert_eq!(
        told,
        [
            ["set", path, "\"paid\""],
            ["set", path, "\"new\""],
            ["create", path, ""]
        ]
    );
    assert!(team.key.starts_with(rows[0][2]) && base.key.starts_with(rows[1][2]));
    for stamp in [rows[1][0], rows[1][1]] {
        let past = base.dhlrs(&world, &["get", "//field/orders.o1.status", "--at", stamp]);
        assert_eq!(past.ok(), "new\n", "{stamp}");
    }
    let one = base
        .dhlrs(&world, &["log", "//field/orders", "--limit", "1", "--json"])
        .ok();
    let one: Json = serde_json::from_str(&one).unwrap();
    assert_eq!(
        (&one["stamp"], &one["verdict"]),
        (&rows[0][0].into(), &"reduced".into())
    );
    assert_eq!(one["author"], team.key.as_str());
    base.dhlrs(&world, &["log", "//field/nothing"]).fails(1);
}

#[test]
fn what_is_written_at_the_ends_of_a_line_passes_through_the_middle() {
    let world = World::new();
    let middle_dir = world.path("b");
    let b = field(
        &world,
        "b/main",
        &middle_dir,
        &["--listen", "ws://127.0.0.1:0"],
    );
    let url = b.url.clone();
    let a = field(&world, "a/main", &world.path("a"), &["--connect", &url]);
    let c = field(&world, "c/main", &world.path("c"), &["--connect", &url]);
    set(&world, &a, "//field/first", "1");
    until_equal(&world, &[&a, &b, &c]);
    b.kill();
    for n in 0..10 {
        set(&world, &a, &format!("//field/a.n{n}"), &n.to_string());
        set(&world, &c, &format!("//field/c.n{n}"), &n.to_string());
    }
    let mut watch = Running::of(
        world
            .command(&c.words(&["watch", "//field/a", "--count", "10", "--for", "60s"]))
            .spawn()
            .unwrap(),
    );
    assert!(watch.note().starts_with("watching from"));
    let b = field(&world, "b/main", &middle_dir, &["--listen", &url]);
    until_equal(&world, &[&a, &b, &c]);
    // A remote change is told like a local one.
    let lines: Vec<String> = (0..10).map(|_| watch.line()).collect();
    assert!(
        lines.iter().all(|line| line.contains(" insert a")),
        "{lines:?}"
    );
    assert_eq!(
        c.dhlrs(&world, &["ls", "//field/a"]).ok().lines().count(),
        10
    );
    assert_eq!(feeds(&world, &b)["feeds"].as_array().unwrap().len(), 2);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn what_a_copied_key_wrote_is_a_draft_and_comes_back_when_it_is_applied() {
    let world = World::new();
    let (one, two) = (world.path("one"), world.path("two"));
    let node = field(&world, "a/main", &one, &[]);
    set(&world, &node, "//field/a", "1");
    assert_eq!(node.terminate().code, 0);
    copy(&one, &two);
    for (dir, value) in [(&one, "1"), (&two, "2")] {
        let node = field(&world, "a/main", dir, &[]);
        set(&world, &node, "//field/b", value);
        let signed = || feeds(&world, &node)["feeds"][0]["wall_ms"] != 0;
        until("signed", signed);
        sleep(Duration::from_millis(200));
        assert_eq!(node.terminate().code, 0);
    }
    let peer = field(&world, "c/main", &world.path("c"), &[]);
    let node = field(&world, "a/main", &one, &["--connect", &peer.url]);
    until_equal(&world, &[&node, &peer]);
    assert_eq!(node.terminate().code, 0);
    assert_eq!(peer.dhlrs(&world, &["get", "//field/b"]).ok(), "1\n");

    let node = field(&world, "a/main", &two, &["--connect", &peer.url]);
    until("drafts", || feeds(&world, &node)["drafts"] == 2);
    until_equal(&world, &[&node, &peer]);
    let list = node.dhlrs(&world, &["drafts", "list", "//field"]).ok();
    let told: Vec<&str> = list
        .lines()
        .map(|line| line.rsplit('\t').next().unwrap())
        .collect();
    assert_eq!(told.len(), 2, "{list}");
    assert!(told[0].starts_with("# its feed was forked"), "{list}");
    let row = node
        .dhlrs(&world, &["drafts", "list", "//field", "--json"])
        .ok();
    let row: Json = serde_json::from_str(row.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&row["path"], &row["cause"]),
        (&"b".into(), &"forked".into())
    );

    let applied = node
        .dhlrs(&world, &["drafts", "apply", "//field", "--newer"])
        .ok();
    assert!(applied.ends_with("\t2 applied, 0 left out\n"), "{applied}");
    assert_eq!(node.dhlrs(&world, &["drafts", "list", "//field"]).ok(), "");
    assert_eq!(
        node.dhlrs(&world, &["drafts", "drop", "//field"]).ok(),
        "0\n"
    );
    until_equal(&world, &[&node, &peer]);
    assert_eq!(peer.dhlrs(&world, &["get", "//field/b"]).ok(), "2\n");
}

#[test]
fn an_event_of_an_own_kind_reaches_the_other_node() {
    let world = World::new();
    let base = field(&world, "base/main", &world.path("a"), &[]);
    let team = field(
        &world,
        "team/main",
        &world.path("b"),
        &["--connect", &base.url],
    );
    let emit = ["emit", "//field", "till.count", "{\"coins\":3}"];
    team.dhlrs(&world, &emit).ok();
    let piped = team.words(&["emit", "//field", "till.count", "-"]);
    world.dhlrs_with(&piped, b"4\n").ok();
    until_equal(&world, &[&base, &team]);
    let log = base.dhlrs(&world, &["log", "//field"]).ok();
    let told: Vec<&str> = log
        .lines()
        .map(|line| line.rsplit('\t').next().unwrap())
        .collect();
    assert_eq!(
        told,
        ["till.count \"4\"", "till.count \"{\\\"coins\\\":3}\""]
    );
    let reserved = team.dhlrs(&world, &["emit", "//field", "bag.set", "1"]);
    assert!(reserved.fails(2).contains("kind"), "{reserved:?}");
    let no_json = team.dhlrs(&world, &["emit", "//field", "till.count", "{coins"]);
    assert!(no_json.fails(2).contains("no JSON"), "{no_json:?}");
}

#[test]
fn records_that_two_fill_in_are_the_same_on_both() {
    let world = World::new();
    let base = field(&world, "base/main", &world.path("a"), &[]);
    let team = field(
        &world,
        "team/main",
        &world.path("b"),
        &["--connect", &base.url],
    );
    let record = |node: &Server, words: &[&str]| node.dhlrs(&world, &[&["record"], words].concat());
    record(&base, &["create", "//field", "r1", "damage"]).ok();
    record(&base, &["set", "//field", "r1", "storeys", "-2"]).ok();
    until_equal(&world, &[&base, &team]);
    record(&team, &["set", "//field", "r1", "storeys", "3"]).ok();
    record(&team, &["note", "//field", "r1", "roof is gone"]).ok();
    record(&team, &["note", "//field", "r2", "seen from afar"]).ok();
    until_equal(&world, &[&base, &team]);
    let all = record(&base, &["show", "//field"]).ok();
    assert_eq!(
        all,
        "r1\tdamage\n  field\tstoreys\t3\n  note\t\"roof is gone\"\n\
         r2\t(not created yet)\n  note\t\"seen from afar\"\n"
    );
    assert_eq!(record(&team, &["show", "//field"]).ok(), all);
    let one: Json =
        serde_json::from_str(&record(&team, &["show", "//field", "r1", "--json"]).ok()).unwrap();
    assert_eq!(
        (&one["fields"]["storeys"], &one["form"]),
        (&3.into(), &"damage".into())
    );
    assert_eq!(one["created_by"], base.key.as_str());
    record(&team, &["show", "//field", "r9"]).fails(1);
    let few = record(&team, &["set", "//field", "r1", "storeys"]);
    assert!(few.fails(2).contains("ID FIELD VALUE"), "{few:?}");
}

#[test]
fn an_owned_store_says_how_it_would_have_feeds() {
    let world = World::new();
    let node = world.serve(&["--store", "main"]);
    for words in [
        &["feeds", "//main"][..],
        &["log", "//main/a"],
        &["drafts", "list", "//main"],
        &["get", "//main/a", "--at", "2026-01-31T12:00:00Z"],
    ] {
        let done = node.dhlrs(&world, words);
        assert!(
            done.fails(3).contains("--store NAME=replicated"),
            "{done:?}"
        );
    }
    let emit = node.dhlrs(&world, &["emit", "//main", "till.count", "1"]);
    assert!(
        emit.fails(3).contains("--store NAME=replicated"),
        "{emit:?}"
    );
    assert_eq!(node.terminate().code, 0);
}

#[test]
fn a_store_without_a_root_is_announced_as_one_also_when_it_is_found_on_disk() {
    let world = World::new();
    let dir = world.path("data");
    for more in [&["--store", "field=replicated"][..], &["--store", "other"]] {
        let node = world.serve(&[&["--data", text(&dir)], more].concat());
        let done = node.terminate();
        assert!(done.err.contains("store field has no root"), "{done:?}");
        assert!(!done.err.contains("store other"), "{done:?}");
    }
    let owned = world.dhlrs(&["serve", "--data", text(&dir), "--store", "field"]);
    assert!(owned.fails(2).contains("replicated"), "{owned:?}");
}
