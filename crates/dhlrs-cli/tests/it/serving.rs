//! A node starts, says where it is, keeps what it was given, and stops.

use crate::world::{World, text};

#[test]
fn it_says_when_it_is_ready_and_stops_when_it_is_asked() {
    let world = World::new();
    let server = world.serve(&["--name", "m/p"]);
    assert_eq!(server.name, "m/p");
    assert_eq!(server.key.len(), 64);
    assert!(
        server.url.starts_with("ws://127.0.0.1:") && !server.url.ends_with(":0"),
        "{}",
        server.url
    );
    let done = server.terminate();
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("in memory"), "{done:?}");
}

#[test]
fn a_directory_keeps_stores_key_and_incarnation() {
    let world = World::new();
    let words = ["--data", "data"];
    let server = world.serve(&[&words[..], &["--store", "orders"]].concat());
    let (key, name) = (server.key.clone(), server.name.clone());
    let set = server
        .dhlrs(&world, &["set", "//orders/a", "1", "--json"])
        .ok();
    let done = server.terminate();
    assert_eq!((done.code, done.err.as_str()), (0, ""));

    // The store is found, though nobody names it now.
    let server = world.serve(&words);
    assert_eq!((&server.key, &server.name), (&key, &name));
    let again = server
        .dhlrs(&world, &["set", "//orders/a", "1", "--json"])
        .ok();
    assert_eq!(again, set, "the same revision of the same incarnation");
    drop(server);

    let server = world.serve(&[&words[..], &["--restored"]].concat());
    let restored = server
        .dhlrs(&world, &["set", "//orders/a", "1", "--json"])
        .ok();
    assert_ne!(restored, set);
    assert_eq!(server.dhlrs(&world, &["get", "//orders/a"]).ok(), "1\n");
}

#[test]
fn options_come_from_a_file_too() {
    let world = World::new();
    let config =
        "name = \"m/p\"\nlisten = [\"ws://127.0.0.1:0\"]\nstore = [\"orders\", \"stock\"]\n";
    let file = world.file("node.toml", config);
    let server = world.serve(&["--config", text(&file)]);
    assert_eq!(server.name, "m/p");
    server.dhlrs(&world, &["set", "//stock/a", "1"]).ok();
}

#[test]
fn a_resolver_reads_another_store() {
    let world = World::new();
    let server = world.serve(&[
        "--name",
        "m/p",
        "--store",
        "main",
        "--store",
        "people",
        "--resolve",
        "main/profiles.*=m/p/people/{id}.name,cache=60",
    ]);
    server
        .dhlrs(&world, &["set", "//people/u1.name", "Ada"])
        .ok();
    server
        .dhlrs(&world, &["set", "//main/profiles.a?id", "u1"])
        .ok();
    assert_eq!(
        server
            .dhlrs(&world, &["get", "//main/profiles.a", "--static"])
            .ok(),
        "null\n"
    );
    assert_eq!(
        server.dhlrs(&world, &["get", "//main/profiles.a"]).ok(),
        "Ada\n"
    );
    server
        .dhlrs(&world, &["set", "//people/u1.name", "Grace"])
        .ok();
    assert_eq!(
        server.dhlrs(&world, &["get", "//main/profiles.a"]).ok(),
        "Ada\n",
        "it is cached"
    );
    server
        .dhlrs(&world, &["invalidate", "//main/profiles.a"])
        .ok();
    assert_eq!(
        server.dhlrs(&world, &["get", "//main/profiles.a"]).ok(),
        "Grace\n"
    );
    server
        .dhlrs(&world, &["set", "//people/u1.name", "Edsger"])
        .ok();
    server.dhlrs(&world, &["refresh", "//main/profiles.a"]).ok();
    assert_eq!(
        server.dhlrs(&world, &["get", "//main/profiles.a"]).ok(),
        "Edsger\n"
    );
    let exported = server.dhlrs(&world, &["export", "//main"]).ok();
    assert!(!exported.contains("Edsger"), "{exported}");
    server
        .dhlrs(&world, &["materialise", "//main/profiles.a"])
        .ok();
    assert_eq!(
        server
            .dhlrs(&world, &["get", "//main/profiles.a", "--static"])
            .ok(),
        "Edsger\n"
    );
    // From here on it is an ordinary node; another one takes no value, read or not.
    server
        .dhlrs(&world, &["set", "//main/profiles.a", "Barbara"])
        .ok();
    assert_eq!(
        server.dhlrs(&world, &["get", "//main/profiles.a"]).ok(),
        "Barbara\n"
    );
    server
        .dhlrs(&world, &["set", "//main/profiles.b?id", "u1"])
        .ok();
    for command in [
        ["set", "//main/profiles.b", "mine"].as_slice(),
        &["materialise", "//main/profiles.b"],
    ] {
        let refused = server.dhlrs(&world, command);
        let said = refused.fails(3);
        assert!(said.contains("materialise"), "{said}");
    }
}

#[test]
fn changes_are_forwarded() {
    let world = World::new();
    let server = world.serve(&[
        "--name",
        "m/p",
        "--store",
        "main",
        "--store",
        "copy",
        "--forward",
        "main/orders.**=m/p/copy/in",
    ]);
    let mut watch = crate::world::Running::of(
        world
            .command(&server.words(&["watch", "//copy/in.o1.status", "--count", "3"]))
            .spawn()
            .unwrap(),
    );
    assert_eq!(watch.note(), "watching from 1");
    server
        .dhlrs(&world, &["set", "//main/orders.o1.status", "paid"])
        .ok();
    assert_eq!(watch.line(), "1 insert in - -> {\"$branch\":0}");
    assert_eq!(watch.line(), "1 insert in.o1 - -> {\"$branch\":0}");
    assert_eq!(watch.line(), "1 insert in.o1.status - -> \"paid\"");
}
