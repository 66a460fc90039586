//! Reading and writing a store in another process.

use serde_json::{Value as Json, json};

use crate::world::{Server, World};

fn with_server() -> (World, Server) {
    let world = World::new();
    let server = world.serve(&["--name", "m/p"]);
    (world, server)
}

#[track_caller]
fn ok(world: &World, server: &Server, words: &[&str]) -> String {
    server.dhlrs(world, words).ok()
}

#[test]
fn what_is_set_is_got() {
    let (world, server) = with_server();
    assert_eq!(
        ok(&world, &server, &["set", "//main/orders.o1.status", "paid"]),
        "1\n"
    );
    assert_eq!(
        ok(&world, &server, &["get", "//main/orders.o1.status"]),
        "paid\n"
    );
    assert_eq!(
        ok(&world, &server, &["get", "m/p/main/orders.#0.#-1"]),
        "paid\n"
    );
    assert_eq!(
        ok(&world, &server, &["set", "//main/orders.o1.total", "-5"]),
        "2\n"
    );
    assert_eq!(
        ok(&world, &server, &["set", "//main/orders.o1.total", "-5"]),
        "2\n",
        "no effect, no revision"
    );
    assert_eq!(
        ok(&world, &server, &["set", "//main/orders.o1?colour", "red"]),
        "3\n"
    );
    assert_eq!(
        ok(&world, &server, &["get", "//main/orders.o1?colour"]),
        "red\n"
    );
    assert_eq!(
        ok(&world, &server, &["get", "//main/orders.o1?"]),
        "{\"colour\":\"red\"}\n"
    );
    assert_eq!(
        ok(&world, &server, &["get", "//main/orders"]),
        "{\n\"o1\":{\"status\":\"paid\",\"total\":-5}\n}\n"
    );
}

#[test]
fn json_tells_address_type_and_revision() {
    let (world, server) = with_server();
    let set: Json = serde_json::from_str(&ok(
        &world,
        &server,
        &["set", "//main/a.b", "12.50", "--type", "decimal", "--json"],
    ))
    .unwrap();
    let incarnation = set["incarnation"].as_str().unwrap().to_owned();
    assert_eq!(
        set,
        json!({"address": "m/p/main/a.b", "revision": 1, "incarnation": incarnation})
    );
    let got: Json =
        serde_json::from_str(&ok(&world, &server, &["get", "//main/a.b", "--json"])).unwrap();
    let wanted = json!({
        "address": "m/p/main/a.b", "type": "decimal", "value": {"$dec": "12.50"}, "attrs": {}, "changed": 1, "revision": 1,
        "incarnation": incarnation,
    });
    assert_eq!(got, wanted);
    let text = ok(&world, &server, &["get", "//main", "--json"]);
    let bag: Json = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&bag["type"], &bag["value"]),
        (&json!("bag"), &json!({"a": {"b": "12.50"}}))
    );
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn a_level_a_drawing_and_matches_are_listed() {
    let (world, server) = with_server();
    for (address, value) in [
        ("a.x", "1"),
        ("a.y z", "two"),
        ("b", "null"),
        ("a?n", "[1,2]"),
    ] {
        ok(
            &world,
            &server,
            &["set", &format!("//main/{address}"), value],
        );
    }
    assert_eq!(
        ok(&world, &server, &["ls", "//main"]),
        "a\t{\"$branch\":2}\nb\tnull\n"
    );
    assert_eq!(ok(&world, &server, &["ls", "//main/a.x"]), "");
    assert_eq!(
        ok(&world, &server, &["tree", "//main"]),
        "m/p/main\n├── a @n=[1,2]\n│   ├── x: 1\n│   └── y z: \"two\"\n└── b: null\n"
    );
    assert_eq!(ok(&world, &server, &["attrs", "//main/a"]), "n\t[1,2]\n");
    assert_eq!(
        ok(&world, &server, &["query", "//main/a.*"]),
        "a.x\t1\n\"a.y z\"\t\"two\"\n"
    );
    assert_eq!(ok(&world, &server, &["query", "//main/**?n"]), "a\t[1,2]\n");
    let lines = ok(&world, &server, &["query", "//main/a.*", "--json"]);
    let first: Json = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["path"], &first["value"]),
        (&json!("a.x"), &json!(1))
    );
}

#[test]
fn nodes_are_placed_moved_renamed_and_removed() {
    let (world, server) = with_server();
    let labels = |bag: &str| -> Vec<String> {
        let list = ok(&world, &server, &["ls", bag]);
        list.lines()
            .map(|line| line.split('\t').next().unwrap().to_owned())
            .collect()
    };
    ok(&world, &server, &["set", "//main/a", "1"]);
    ok(
        &world,
        &server,
        &["set", "//main/b", "2", "--position", "first"],
    );
    ok(
        &world,
        &server,
        &["set", "//main/c", "3", "--position", "before:a"],
    );
    assert_eq!(labels("//main"), ["b", "c", "a"]);
    assert_eq!(
        ok(
            &world,
            &server,
            &["mv", "//main/a", "//main/a", "--position", "at:0"]
        ),
        "4\n"
    );
    assert_eq!(ok(&world, &server, &["rename", "//main/c", "d.e"]), "5\n");
    assert_eq!(labels("//main"), ["a", "b", "d.e"]);
    let moved = ok(&world, &server, &["rename", "//main/b", "f", "--json"]);
    assert!(moved.contains("\"m/p/main/f\""), "{moved}");
    assert_eq!(ok(&world, &server, &["rm", "//main/d\\.e"]), "7\n");
    assert_eq!(
        ok(&world, &server, &["rm", "//main/d\\.e"]),
        "7\n",
        "no effect"
    );
    assert_eq!(labels("//main"), ["a", "f"]);
}

#[test]
fn conditions_are_judged_where_the_store_is() {
    let (world, server) = with_server();
    ok(&world, &server, &["set", "//main/a", "1", "--if-missing"]);
    let done = server.dhlrs(&world, &["set", "//main/a", "2", "--if-missing"]);
    done.fails(3);
    let done = server.dhlrs(&world, &["set", "//main/b", "2", "--if-present"]);
    done.fails(3);
    ok(&world, &server, &["set", "//main/a", "3", "--if-rev", "1"]);
    for words in [
        &["set", "//main/a", "4", "--if-rev", "1"][..],
        &["rm", "//main/a", "--if-rev", "1"],
        &["mv", "//main/a", "//main/z", "--if-rev", "1"],
        &["rename", "//main/a", "z", "--if-rev", "1"],
        &["set", "//main/a", "4", "--if-rev", "00000000000000ff/2"],
    ] {
        let done = server.dhlrs(&world, words);
        assert!(done.fails(3).contains("revision"), "{words:?}: {done:?}");
    }
    let got: Json =
        serde_json::from_str(&ok(&world, &server, &["get", "//main/a", "--json"])).unwrap();
    let revision = format!(
        "{}/{}",
        got["incarnation"].as_str().unwrap(),
        got["revision"]
    );
    ok(
        &world,
        &server,
        &["set", "//main/a", "4", "--if-rev", &revision],
    );
}

#[test]
fn a_value_can_come_from_standard_input() {
    let (world, server) = with_server();
    world
        .dhlrs_with(&server.words(&["set", "//main/a", "-"]), b"two\nlines\n")
        .ok();
    assert_eq!(ok(&world, &server, &["get", "//main/a"]), "two\nlines\n");
    let long = "x".repeat(200_000);
    world
        .dhlrs_with(&server.words(&["set", "//main/b", "-"]), long.as_bytes())
        .ok();
    assert_eq!(ok(&world, &server, &["get", "//main/b"]).len(), 200_001);
}

#[test]
fn nothing_is_exit_code_one() {
    let (world, server) = with_server();
    ok(&world, &server, &["set", "//main/a", "1"]);
    for words in [
        &["get", "//main/b"][..],
        &["get", "//main/a?colour"],
        &["ls", "//main/b"],
        &["tree", "//main/b"],
        &["attrs", "//main/b"],
        &["export", "//main/b"],
    ] {
        server.dhlrs(&world, words).fails(1);
    }
    assert_eq!(ok(&world, &server, &["query", "//main/b.**"]), "");
}

#[test]
fn status_and_key_tell_who_is_there() {
    let (world, server) = with_server();
    let status: Json = serde_json::from_str(&ok(&world, &server, &["status", "--json"])).unwrap();
    assert_eq!(status["node"], "m/p");
    assert_eq!(status["key"], server.key.as_str());
    assert_eq!(status["stores"][0]["name"], "main");
    assert!(ok(&world, &server, &["status"]).contains(&server.url));
    // Clients that have gone leave nothing behind.
    for value in ["1", "2", "3", "4", "5"] {
        ok(&world, &server, &["set", "//main/a", value]);
    }
    let status: Json = serde_json::from_str(&ok(&world, &server, &["status", "--json"])).unwrap();
    assert_eq!(status["peers"].as_array().unwrap().len(), 1, "{status}");
    assert_eq!(status["stores"][0]["sessions"], 0, "{status}");
    let key = world.dhlrs(&["key"]).ok();
    assert_eq!(key.trim().len(), 64);
    assert_eq!(
        world.dhlrs(&["key", "--json"]).ok().trim(),
        format!("{{\"key\":\"{}\"}}", key.trim())
    );
}

#[test]
fn completions_and_help_are_printed() {
    let world = World::new();
    assert!(world.dhlrs(&["completions", "bash"]).ok().contains("dhlrs"));
    assert!(world.dhlrs(&["set", "--help"]).ok().contains("Examples:"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let (world, server) = with_server();
    let lines: String = (0..2_000).map(|n| format!("//main/n{n}\t{n}\n")).collect();
    world
        .dhlrs_with(&server.words(&["set", "--stdin"]), lines.as_bytes())
        .ok();
    let mut child = world
        .command(&server.words(&["ls", "//main"]))
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = crate::world::Done::of(child);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
}
