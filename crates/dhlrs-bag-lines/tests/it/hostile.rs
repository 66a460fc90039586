//! Nothing that comes in makes a session panic, recurse or grow without bound.

use dhlrs_bag_lines::{JSON_DEPTH_MAX, LINE_BYTES_MAX, Session, fuzz_lines};

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
