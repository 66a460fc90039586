//! Changes reach a watch in another process.

use serde_json::Value as Json;

use crate::world::{Running, Server, World};

fn with_server() -> (World, Server) {
    let world = World::new();
    let server = world.serve(&["--name", "m/p"]);
    (world, server)
}

fn watch(world: &World, server: &Server, words: &[&str]) -> Running {
    let words = [&["watch"][..], words].concat();
    Running::of(world.command(&server.words(&words)).spawn().unwrap())
}

#[test]
fn a_watch_sees_a_set_of_another_process() {
    let (world, server) = with_server();
    server
        .dhlrs(&world, &["set", "//main/orders.o1.status", "new"])
        .ok();
    let mut watch = watch(&world, &server, &["//main/orders", "--count", "4"]);
    assert_eq!(watch.note(), "watching from 2");
    server
        .dhlrs(&world, &["set", "//main/orders.o1.status", "paid"])
        .ok();
    assert_eq!(watch.line(), "2 value orders.o1.status \"new\" -> \"paid\"");
    server
        .dhlrs(&world, &["set", "//main/orders.o1?by", "me"])
        .ok();
    assert_eq!(
        watch.line(),
        "3 attrs orders.o1 {\"$branch\":1} -> {\"$branch\":1} @by - -> \"me\""
    );
    server
        .dhlrs(&world, &["rename", "//main/orders.o1", "o 2"])
        .ok();
    assert_eq!(watch.line(), "4 rename \"orders.o 2\" o1 -> \"o 2\"");
    server.dhlrs(&world, &["set", "//main/stock", "1"]).ok();
    server.dhlrs(&world, &["rm", "//main/orders"]).ok();
    assert_eq!(watch.line(), "6 remove orders {\"$branch\":2} -> -");
    assert_eq!(watch.end().code, 0);
}

#[test]
fn a_watch_begins_where_it_is_told_and_takes_the_kinds_that_it_is_told() {
    let (world, server) = with_server();
    for value in ["1", "2", "3"] {
        server.dhlrs(&world, &["set", "//main/a", value]).ok();
    }
    let watched = server.dhlrs(
        &world,
        &[
            "watch", "//main/*", "--from", "1", "--kind", "value", "--count", "2",
        ],
    );
    assert_eq!(watched.err, "watching from 1\n");
    assert_eq!(watched.ok(), "2 value a 1 -> 2\n3 value a 2 -> 3\n");
}

#[test]
fn a_watch_in_json_tells_who_did_it_and_why() {
    let (world, server) = with_server();
    let mut watch = watch(&world, &server, &["//main", "--count", "1", "--json"]);
    assert!(watch.note().contains("\"watching\""));
    server
        .dhlrs(&world, &["set", "//main/a", "1", "--reason", "because"])
        .ok();
    let line: Json = serde_json::from_str(&watch.line()).unwrap();
    assert_eq!(
        (&line["revision"], &line["kind"], &line["reason"]),
        (&1.into(), &"insert".into(), &"because".into())
    );
    assert!(line["origin"].as_str().unwrap().contains("/cli-"), "{line}");
    assert!(line["msg_id"].as_str().unwrap().ends_with("-1"), "{line}");
    assert!(line.get("old").is_none() && line["new"] == 1, "{line}");
}

#[test]
fn time_is_a_limit() {
    let (world, server) = with_server();
    server
        .dhlrs(&world, &["watch", "//main", "--for", "50ms"])
        .ok();
    let done = server.dhlrs(
        &world,
        &["watch", "//main", "--for", "50ms", "--count", "3"],
    );
    assert!(done.fails(1).contains("3 more lines"), "{done:?}");
}

#[test]
fn ctrl_c_ends_a_watch() {
    let (world, server) = with_server();
    let mut watch = watch(&world, &server, &["//main"]);
    watch.note();
    assert_eq!(watch.stop().code, 130);
}

#[test]
fn a_watch_goes_on_after_its_node_was_killed() {
    let world = World::new();
    let words = ["--name", "m/p", "--data", "data"];
    let server = world.serve(&words);
    let mut watch = watch(&world, &server, &["//main", "--count", "3"]);
    assert_eq!(watch.note(), "watching from 1");
    server.dhlrs(&world, &["set", "//main/a", "1"]).ok();
    assert_eq!(watch.line(), "1 insert a - -> 1");
    let url = server.url.clone();
    server.kill();
    let server = world.serve(&[&words[..], &["--listen", &url]].concat());
    server.dhlrs(&world, &["set", "//main/a", "2"]).ok();
    assert_eq!(watch.line(), "2 value a 1 -> 2");
    server.dhlrs(&world, &["set", "//main/a", "3"]).ok();
    assert_eq!(watch.line(), "3 value a 2 -> 3");
}
