//! Nothing that comes in makes a session panic, recurse or grow without bound.

use dhlrs_bag_lines::{JSON_DEPTH_MAX, LINE_BYTES_MAX, RESOLVER_BYTES_MAX, Session, fuzz_lines};

use crate::{operations::OPERATIONS, session::answers};

fn refused(line: &[u8]) {
    let reply = Session::new().answer(line).unwrap();
    assert_eq!(reply, r#"{"id":null,"err":"bad-json"}"#);
}

#[test]
fn what_is_no_json_object_is_refused() {
    for line in [
        "{",
        "[1]",
        "1",
        "{\"a\":01}",
        "{\"a\":\"\u{1}\"}",
        "{\"a\":1}}",
        "nan",
        "{\"a\":\"\\ud800\"}",
    ] {
        refused(line.as_bytes());
    }
    refused(b"{\"a\":\"\xff\"}");
}

#[test]
fn a_deep_line_is_refused_and_a_long_one() {
    refused(&b"[".repeat(JSON_DEPTH_MAX + 1));
    refused(&b"[".repeat(1 << 20));
    let mut long = b"{\"op\":\"len\"".to_vec();
    long.resize(LINE_BYTES_MAX + 1, b' ');
    long.push(b'}');
    refused(&long);
}

#[test]
fn a_bag_deeper_than_a_tree_may_be_is_refused() {
    let deep = |levels: usize| {
        let open = r#"{"$bag":[["a","#.repeat(levels);
        let close = "]]}".repeat(levels);
        format!(r#"{{"op":"set","path":"a","value":{open}1{close}}}"#)
    };
    answers(&[&deep(63)], r#"{"id":null,"ok":null}"#);
    answers(&[&deep(64)], r#"{"id":null,"err":"value"}"#);
}

#[test]
fn a_nested_document_takes_its_own_size() {
    // With the path of each row spelled out these would be 277 MB, which no reader takes.
    const LEVELS: usize = 60;
    const LEAVES: usize = 140_000;
    let label = "\"".repeat(15);
    let open = format!("{{{}:", serde_json::json!(label)).repeat(LEVELS);
    let leaves = vec!["1"; LEAVES].join(",");
    let text = format!("{open}[{leaves}]{}::JS", "}".repeat(LEVELS));
    let untytx = serde_json::json!({"op": "untytx", "as": "h", "text": text});
    let path = vec![label; LEVELS].join(".");
    let len = serde_json::json!({"op": "len", "bag": "h", "path": path});
    answers(
        &[&untytx.to_string(), &len.to_string()],
        &format!(r#"{{"id":null,"ok":{LEAVES}}}"#),
    );
}

#[test]
fn an_object_of_many_keys_is_read() {
    // Were each key compared with those before it, this would take minutes.
    const KEYS: usize = 600_000;
    let keys: Vec<_> = (0..KEYS).map(|key| format!("\"k{key}\":1")).collect();
    answers(
        &[&format!(r#"{{"op":"len",{}}}"#, keys.join(","))],
        r#"{"id":null,"ok":0}"#,
    );
    answers(
        &[r#"{"op":"get","path":"a","default":{"b":1,"a":2,"c":3,"b":4,"a":5}}"#],
        r#"{"id":null,"ok":{"$d":{"b":4,"a":5,"c":3}}}"#,
    );
}

#[test]
fn what_is_kept_for_resolvers_is_bounded() {
    const NAME_BYTES: usize = 200_000;
    let set = r#"{"op":"set","path":"a","value":{"$res":{"name":"r"}}}"#;
    let mut session = Session::new();
    session.answer(set.as_bytes());
    let call = |session: &mut Session, number: usize| {
        let name = format!("{number}{}", "x".repeat(NAME_BYTES));
        let get = format!(r#"{{"op":"get","path":"a","kw":{{"name":"{name}"}}}}"#);
        session.answer(get.as_bytes()).unwrap()
    };
    assert!(call(&mut session, 0).starts_with(r#"{"id":null,"ok":"0xxx"#));
    for number in 1..=RESOLVER_BYTES_MAX / NAME_BYTES {
        call(&mut session, number);
    }
    assert_eq!(
        call(&mut session, usize::MAX),
        r#"{"id":null,"err":"value"}"#
    );
    // Those that were called are called on.
    assert!(call(&mut session, 0).contains(":2"));
}

#[test]
fn every_operation_survives_every_field_of_a_wrong_type() {
    let values = [
        "null",
        "true",
        "-1",
        "1e300",
        "\"\"",
        "\"#0\"",
        "\"..\"",
        "[]",
        "[[]]",
        "{}",
        "{\"$bag\":1}",
        "{\"$res\":{\"name\":[]}}",
    ];
    for op in OPERATIONS {
        for value in values {
            let line = format!(
                r#"{{"op":"{op}","path":{value},"value":{value},"as":{value},"attrs":{value},"names":{value},"what":{value},"to":{value},"name":{value},"kinds":{value},"pos":{value},"add":{value},"key":{value},"limit":{value},"text":{value},"kw":{value},"attr":{value},"a":{value},"b":{value}}}"#
            );
            let mut session = Session::new();
            session.answer(br#"{"op":"set","path":"a.b","value":1}"#);
            let reply = session.answer(line.as_bytes()).unwrap();
            assert!(reply.starts_with(r#"{"id":null,"#), "{line}: {reply}");
            fuzz_lines(line.as_bytes());
        }
    }
}
