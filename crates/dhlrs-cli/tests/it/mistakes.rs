//! What a newcomer gets wrong: each mistake has one message, which says what to do, and an exit code.

use std::{
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
};

use serde_json::Value as Json;

use crate::world::{Done, Server, World, text};

/// A mistake: exit code, kind, a part of the message, a part of the hint.
pub(crate) type Mistake<'a> = (i32, &'a str, &'a str, &'a str);

#[track_caller]
pub(crate) fn tells(done: &Done, (code, kind, said, remedy): Mistake<'_>) {
    assert_eq!(done.err.lines().count(), 1, "one message: {done:?}");
    let told: Json =
        serde_json::from_str(&done.err).unwrap_or_else(|cause| panic!("{cause}: {done:?}"));
    let part = |name: &str| told["error"][name].as_str().unwrap_or_default().to_owned();
    assert_eq!((done.code, part("kind").as_str()), (code, kind), "{done:?}");
    assert!(part("message").contains(said), "{said:?} in {done:?}");
    let all = part("message") + " / " + &part("hint");
    assert!(all.contains(remedy), "{remedy:?} in {done:?}");
}

// Without a node: what can be told before one is asked.
pub(crate) fn alone(world: &World, words: &[&str], mistake: Mistake<'_>) {
    tells(&world.dhlrs(&[&["--json"], words].concat()), mistake);
}

pub(crate) fn asked(world: &World, server: &Server, words: &[&str], mistake: Mistake<'_>) {
    let words = [words, &["--json"]].concat();
    tells(&server.dhlrs(world, &words), mistake);
}

#[test]
fn words_that_cannot_be_understood() {
    let world = World::new();
    for (words, said, remedy) in [
        (&["quary", "//main/a"][..], "quary", "query"),
        (&["get"], "ADDRESS", "--help"),
        (
            &["watch", "//main", "--kind", "update"],
            "update",
            "insert, value",
        ),
        (
            &["watch", "//main", "--from", "yesterday"],
            "yesterday",
            "16 hex digits",
        ),
        (&["watch", "//main", "--for", "soon"], "soon", "500ms"),
        (&["get", "//main/a", "--timeout", "1.5s"], "1.5s", "500ms"),
        (
            &["set", "//main/a", "1", "--position", "middle"],
            "middle",
            "before:LABEL",
        ),
        (&["serve", "--allow", "friend"], "friend", "dhlrs key"),
        (
            &["serve", "--resolve", "main/a"],
            "main/a",
            "STORE/PATTERN=MACHINE",
        ),
        (
            &["serve", "--forward", "main/a.**=b"],
            "b",
            "MACHINE/PROCESS/STORE/PATH",
        ),
        (
            &["serve", "--resolve", "other/a=m/p/s/b"],
            "store other",
            "--store other",
        ),
        (
            &["serve", "--tls-cert", "cert.pem"],
            "--tls-key",
            "--tls-key",
        ),
        (
            &["serve", "--name", "base"],
            "two parts",
            "--name base/main",
        ),
        (&["get", "//main/a", "--timeout", "-1s"], "-1s", "500ms"),
        (
            &["set", "//main/a", "1", "--if-rev", "x"],
            "x",
            "INCARNATION/N",
        ),
        (&["rename", "//main/a", ""], "LABEL", "1 to 255 bytes"),
        (
            &["set", "//main/a", "1", "--in-flight", "8"],
            "--in-flight",
            "--stdin",
        ),
        (&["ls", "//main/a?b"], "a?b", "get, attrs, query"),
        (&["tree", "//main/a?b"], "a?b", "leave out"),
        (&["export", "//main/a?b"], "a?b", "leave out"),
        (&["refresh", "//main/a?b"], "a?b", "leave out"),
        (&["mv", "//main/a", "//main/b?c"], "b?c", "leave out"),
        (&["key", "--via", "ws://127.0.0.1:1"], "--via", "dhlrs key"),
        (&[], "no command", "dhlrs --help"),
    ] {
        alone(&world, words, (2, "usage", said, remedy));
    }
    let bare = world.dhlrs::<&str>(&[]);
    assert_eq!((bare.code, bare.out.as_str()), (2, ""), "{bare:?}");
    assert!(bare.err.starts_with("One reactive tree"), "{bare:?}");
    let help = world.dhlrs(&["help", "rename"]).ok();
    assert!(help.starts_with("Gives a bag node another label"), "{help}");
    for (words, said, remedy) in [
        (&["get", "main/a"][..], "main/a", "'//STORE/PATH'"),
        (&["get", "//main/a..b"], "byte 2", "\\"),
        (&["get", "//main/a.*"], "a.*", "only query and watch"),
        (&["get", "//main/a/b"], "a/b", "dots"),
        (&["query", "//main/a*"], "a*", "a step of its own"),
        (&["query", "//main/a.*b"], "a.*b", "a step of its own"),
        (
            &["get", "//main/a\tb"],
            "control character",
            "values may hold",
        ),
        (
            &["get", &format!("//main/{}", "x".repeat(300))],
            "xxx…`",
            "shorten it",
        ),
        (
            &["get", &format!("//main/{}x", "x.".repeat(70))],
            "too many steps",
            "fewer bags",
        ),
    ] {
        alone(&world, words, (2, "bad_address", said, remedy));
    }
    for (words, said, remedy) in [
        (
            &["set", "//main/a", "{\"b\":1}"][..],
            "JSON object",
            "dhlrs import",
        ),
        (&["set", "//main/a", "[[1]]"], "list", "dhlrs import"),
        (
            &["set", "//main/a", "9223372036854775808"],
            "64 bits",
            "--type decimal",
        ),
        (
            &["set", "//main/a", "ten", "--type", "int"],
            "ten",
            "whole number",
        ),
        (
            &["set", "//main/a", "noon", "--type", "timestamp"],
            "noon",
            "RFC 3339",
        ),
        (
            &["set", "//main/a", "***", "--type", "bytes"],
            "***",
            "base64",
        ),
    ] {
        alone(&world, words, (2, "bad_value", said, remedy));
    }
}

#[test]
fn files_that_cannot_be_used() {
    let world = World::new();
    alone(
        &world,
        &["import", "//main", "no.json"],
        (2, "file", "no.json", "JSON, CSV or XML file"),
    );
    alone(
        &world,
        &["serve", "--config", "no.toml"],
        (2, "file", "no.toml", "TOML"),
    );
    world.file("bad.toml", "listenn = \"x\"\n");
    alone(
        &world,
        &["serve", "--config", "bad.toml"],
        (2, "bad_config", "listenn", "listen"),
    );
    let hidden = world.dhlrs(&["serve", "--config", "bad.toml"]);
    assert!(!hidden.err.contains("until-stdin-ends"), "{hidden:?}");
    world.file("broken.toml", "listen = [\n");
    alone(
        &world,
        &["serve", "--config", "broken.toml"],
        (2, "bad_config", "no TOML", "line 1"),
    );

    let short = world.file("short", "abc\n");
    std::fs::set_permissions(&short, std::fs::Permissions::from_mode(0o600)).unwrap();
    alone(
        &world,
        &["key", "--identity", "short"],
        (2, "identity", "64 hex digits", "--identity"),
    );
    alone(
        &world,
        &["key", "--identity", "."],
        (2, "identity", "cannot be read", "name a file"),
    );
    alone(
        &world,
        &["key", "--identity", "no/such/file"],
        (2, "identity", "no directory no/such", "typing error"),
    );
    assert!(!world.path("no").exists(), "a typing error makes nothing");
    let made = world.dhlrs(&["key", "--identity", "new"]);
    assert_eq!(made.err, "a new key was made: new\n");
    let again = world.dhlrs(&["key", "--identity", "new"]);
    assert_eq!((again.out, again.err.as_str()), (made.out, ""));
    let mut unnamed = world.command(&["key"]);
    let unnamed = unnamed.env("DHLRS_IDENTITY", "").spawn().unwrap();
    assert_eq!(
        (
            Done::of(unnamed).code,
            world.path(".config/dhlrs/identity").exists()
        ),
        (0, true)
    );

    let loose = world.file("loose", "0".repeat(64));
    alone(
        &world,
        &["key", "--identity", text(&loose)],
        (2, "identity", "others may read it", "chmod 600"),
    );
    alone(
        &world,
        &[
            "get",
            "//main/a",
            "--tls-ca",
            "no.pem",
            "--via",
            "wss://127.0.0.1:1",
        ],
        (2, "file", "no.pem", "PEM"),
    );
}

#[test]
fn nobody_or_somebody_else_is_there() {
    let world = World::new();
    let get = |via: &str, mistake: Mistake<'_>| {
        alone(
            &world,
            &["get", "//main/a", "--timeout", "400ms", "--via", via],
            mistake,
        );
    };
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    get(
        &format!("ws://{free}"),
        (4, "unreachable", &free.to_string(), "dhlrs serve"),
    );
    get(
        "ws://no-such-host.invalid:1",
        (4, "unreachable", "no-such-host.invalid", "--via"),
    );
    get(
        "localhost:7411",
        (2, "bad_url", "localhost:7411", "ws://HOST:PORT"),
    );
    get(
        "gopher://127.0.0.1:1",
        (2, "unknown_scheme", "gopher", "ws"),
    );

    let web = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", web.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in web.incoming() {
            let mut socket = socket.unwrap();
            let _ = socket.read(&mut [0; 4_096]);
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
        }
    });
    get(&url, (4, "wrong_protocol", "", "dhlrs node"));

    // A listener that never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", silent.local_addr().unwrap());
    get(&url, (4, "unreachable", "", "dhlrs serve"));
}

#[test]
fn keys_and_certificates_that_do_not_fit() {
    let world = World::new();
    let tls = dhlrs_transport_testkit::TlsMaterial::new();
    world.file("cert.pem", &tls.cert);
    world.file("key.pem", &tls.key);
    world.file("ca.pem", &tls.ca);
    world.file("other.pem", dhlrs_transport_testkit::TlsMaterial::new().ca);
    let server = world.serve(&[
        "--listen",
        "wss://127.0.0.1:0",
        "--tls-cert",
        "cert.pem",
        "--tls-key",
        "key.pem",
    ]);
    server
        .dhlrs(&world, &["set", "//main/a", "1", "--tls-ca", "ca.pem"])
        .ok();
    asked(
        &world,
        &server,
        &["get", "//main/a", "--tls-ca", "other.pem"],
        (3, "denied", "certificate", "--tls-ca"),
    );
    let plain = server.url.replace("wss://", "ws://");
    alone(
        &world,
        &["get", "//main/a", "--via", &plain],
        (4, "wrong_protocol", "", "wss://"),
    );
    let other = format!("{}?key=friend", server.url);
    alone(
        &world,
        &["get", "//main/a", "--tls-ca", "ca.pem", "--via", &other],
        (2, "bad_url", "key", "key=KEY"),
    );
    // A key that is one, but not this node's.
    let own = world.dhlrs(&["key"]).ok();
    let other = format!("{}?key={}", server.url, own.trim());
    alone(
        &world,
        &["get", "//main/a", "--tls-ca", "ca.pem", "--via", &other],
        (3, "wrong_peer", "key", "ready"),
    );
    alone(
        &world,
        &["serve", "--listen", "wss://127.0.0.1:0"],
        (2, "transport", "wss://", "--tls-cert"),
    );

    let closed = world.serve(&["--listen", "ws://0.0.0.0:0", "--allow", &server.key]);
    let url = closed.url.replace("0.0.0.0", "127.0.0.1");
    alone(
        &world,
        &["get", "//main/a", "--via", &url],
        (3, "denied", "", "--allow KEY"),
    );
}

#[test]
fn nodes_that_do_not_start() {
    let world = World::new();
    let serve = |words: &[&str], mistake: Mistake<'_>| {
        let words = [&["serve", "--listen", "ws://127.0.0.1:0"], words].concat();
        alone(&world, &words, mistake);
    };
    let server = world.serve(&["--data", "data"]);
    alone(
        &world,
        &["serve", "--listen", &server.url],
        (3, "port_taken", "127.0.0.1", "--listen"),
    );
    serve(&["--data", "data"], (3, "locked", "data", "--data"));
    drop(server);
    serve(
        &["--listen", "ws://0.0.0.0:0"],
        (3, "not_loopback_without_allow", "0.0.0.0", "--allow KEY"),
    );
    serve(
        &["--listen", "ws://192.0.2.1:0"],
        (
            2,
            "bad_url",
            "does not have that address",
            "address of this machine",
        ),
    );

    world.file("file", "");
    serve(
        &["--data", "file/data"],
        (3, "storage", "file/data", "--data"),
    );
    serve(
        &["--data", "file"],
        (2, "file", "not a directory", "--data wants a directory"),
    );
    // Not even root may.
    serve(
        &["--data", "/sys/kernel/data"],
        (3, "not_writable", "/sys/kernel/data", "--data"),
    );
    let format = world.path("data/FORMAT");
    let known = std::fs::read_to_string(&format).unwrap();
    std::fs::write(&format, "dhlrs-data 9 73530e20\n").unwrap();
    serve(&["--data", "data"], (3, "version_too_new", "9", "newer"));
    std::fs::remove_file(&format).unwrap();
    serve(
        &["--data", "data"],
        (
            3,
            "corrupt",
            "FORMAT: this file is missing",
            "every file of it",
        ),
    );
    std::fs::write(&format, known).unwrap();
    let mode = |bits| {
        let permissions = std::fs::Permissions::from_mode(bits);
        std::fs::set_permissions(world.path("data/identity"), permissions).unwrap();
    };
    mode(0o644);
    serve(
        &["--data", "data"],
        (2, "identity", "others may read", "chmod 600"),
    );
    mode(0o600);
    std::fs::write(world.path("data/identity"), "no key").unwrap();
    serve(
        &["--data", "data"],
        (2, "identity", "identity", "identity file"),
    );
}

#[test]
fn what_a_node_refuses() {
    let world = World::new();
    let server = world.serve(&["--name", "m/p", "--store", "main", "--store", "copy"]);
    server.dhlrs(&world, &["set", "//main/a", "1"]).ok();
    server.dhlrs(&world, &["set", "//main/b.c", "2"]).ok();
    let refused = |words: &[&str], mistake: Mistake<'_>| asked(&world, &server, words, mistake);
    refused(
        &["get", "//mian/a"],
        (3, "no_store", "copy, main", "--store"),
    );
    refused(
        &["get", "far/away/main/a"],
        (4, "no_route", "far/away", "dhlrs status"),
    );
    refused(
        &["set", "far/away/main/a", "1"],
        (4, "no_route", "far/away", "dhlrs status"),
    );
    refused(
        &["get", "//main/z"],
        (1, "missing", "m/p/main/z", "dhlrs ls"),
    );
    refused(
        &["set", "//main/a.x", "1"],
        (3, "through_scalar", "a", "--overwrite"),
    );
    refused(
        &["set", "//main/a", "2", "--if-missing"],
        (3, "precondition_failed", "a", "read it again"),
    );
    refused(
        &["set", "//main/z", "1", "--position", "before:y"],
        (3, "bad_position", "sibling", "dhlrs ls"),
    );
    refused(
        &["mv", "//main/b", "//main/b.c.d"],
        (3, "cycle", "b", "into itself"),
    );
    refused(
        &["mv", "//main/b", "//main/a"],
        (3, "exists", "a", "another path"),
    );
    refused(
        &["mv", "//main/b", "//copy/b"],
        (2, "usage", "another store", "export"),
    );
    refused(
        &["mv", "//main/b.c", "//main/no.such.c"],
        (1, "missing", "no.such: missing", "dhlrs ls"),
    );
    refused(
        &["mv", "//main/b.c", "//main/a.c"],
        (3, "invalid", "a: holds a value", "choose a bag"),
    );
    for words in [
        &["set", "//main", "1"][..],
        &["rm", "//main"],
        &["rename", "//main", "x"],
        &["mv", "//main", "//main/b.x"],
    ] {
        refused(words, (3, "invalid", "the root: takes no value", "--help"));
    }
    refused(
        &["rename", "//main/z", "y"],
        (1, "missing", "z", "dhlrs ls"),
    );
    refused(
        &["watch", "//main", "--from", "4"],
        (3, "invalid", "4", "without --from"),
    );
    refused(
        &["export", "//main", "--output", "no/such.json"],
        (2, "file", "no/such.json", "directory"),
    );

    let long = "x".repeat(300);
    refused(
        &["set", "//main/a", "1", "--reason", &long],
        (3, "too_large", "reason of 300 bytes", "send less"),
    );
    let large = vec![b'x'; 300 * 1_024];
    let words = server.words(&["set", "//main/large", "-", "--json"]);
    tells(
        &world.dhlrs_with(&words, &large),
        (3, "too_large", "262144", "256 KiB"),
    );

    for (file, content, key, kind_said, remedy) in [
        ("a.json", "{\"a\":1,}", None, "line 1", "mend"),
        (
            "b.json",
            "[{\"id\":1},{\"id\":1}]",
            Some("id"),
            "/1/id",
            "--key",
        ),
        (
            "c.json",
            "[{\"id\":1},{\"no\":1}]",
            Some("id"),
            "/1",
            "--key",
        ),
        ("d.json", "{\"\":1}", None, "empty", "mend"),
        ("e.csv", "a,b\n1\n", None, "line 2", "mend"),
        ("f.json", "{\"a\":1,\"a\":2}", None, "/a", "once in its bag"),
        (
            "g.csv",
            "a,a\n1,2\n",
            None,
            "two columns",
            "once in its bag",
        ),
        (
            "h.xml",
            "<r><a n=\"1\"/></r>",
            Some("id"),
            "attribute `id`",
            "--key",
        ),
    ] {
        world.file(file, content);
        let mut words = vec!["import", "//main/in", file];
        words.extend(key.into_iter().flat_map(|key| ["--key", key]));
        refused(&words, (2, "bad_input", kind_said, remedy));
    }
}

#[test]
fn what_a_file_or_a_node_says_is_shown_and_not_obeyed() {
    let world = World::new();
    let server = world.serve::<&str>(&[]);
    world.file("red.json", "{\"\\u001b[31mred\":1}");
    let done = server.dhlrs(&world, &["import", "//main", "red.json"]);
    assert!(done.fails(2).contains("\\u001b[31mred"), "{done:?}");
    assert!(!done.err.contains('\u{1b}'), "{done:?}");
}

#[test]
fn what_is_about_feeds_is_checked_before_a_node_is_asked() {
    let world = World::new();
    let done = world.dhlrs(&["drafts", "list", "--newer", "//field"]);
    assert!(done.fails(2).contains("--newer"), "{done:?}");
    let done = world.dhlrs(&["emit", "//field", "till.count", "{"]);
    assert!(done.fails(2).contains("no JSON"), "{done:?}");
    let done = world.dhlrs(&["log", "//field/a?colour"]);
    assert!(done.fails(2).contains("names an attribute"), "{done:?}");
    let twice = ["serve", "--store", "a", "--store", "a=replicated"];
    let done = world.dhlrs(&twice);
    assert!(done.fails(2).contains("owned and replicated"), "{done:?}");
}
