//! `bag --json-lines`: a line in, a line out, at once.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

#[test]
fn each_request_is_answered_before_the_next_is_sent() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_dhlrs"))
        .args(["bag", "--json-lines"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut requests = process.stdin.take().unwrap();
    let mut replies = BufReader::new(process.stdout.take().unwrap());
    for (request, reply) in [
        (
            r#"{"id":1,"op":"set","path":"a.b","value":1}"#,
            r#"{"id":1,"ok":null}"#,
        ),
        (
            r#"{"id":2,"op":"get","path":"a"}"#,
            r#"{"id":2,"ok":{"$bag":[["b",1,{}]]}}"#,
        ),
        ("no json", r#"{"id":null,"err":"bad-json"}"#),
    ] {
        writeln!(requests, "{request}").unwrap();
        let mut line = String::new();
        replies.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), reply);
    }
    drop(requests);
    assert!(process.wait().unwrap().success());
}
