//! Lines in, lines out.

use dhlrs_bag_lines::Session;
use serde_json::Value;

/// Asks line by line; the last reply counts.
#[track_caller]
pub(crate) fn last(lines: &[&str]) -> Value {
    let mut session = Session::new();
    let mut last = Value::Null;
    for line in lines {
        let reply = session.answer(line.as_bytes()).unwrap();
        last = serde_json::from_str(&reply).unwrap();
    }
    last
}

/// The last reply is this one.
#[track_caller]
pub(crate) fn answers(lines: &[&str], reply: &str) {
    let expected: Value = serde_json::from_str(reply).unwrap();
    assert_eq!(last(lines), expected, "{lines:#?}");
}

#[test]
fn a_reply_repeats_the_id_as_it_was() {
    answers(
        &[r#"{"id":{"a":[1,null]},"op":"len"}"#],
        r#"{"id":{"a":[1,null]},"ok":0}"#,
    );
    answers(&[r#"{"op":"len"}"#], r#"{"id":null,"ok":0}"#);
}

#[test]
fn a_line_of_spaces_is_not_answered() {
    assert_eq!(Session::new().answer(b" \t\r"), None);
}

#[test]
fn handles_are_bags_of_their_own() {
    answers(
        &[
            r#"{"op":"new","as":"b","value":[["a",1,{"x":null}]]}"#,
            r#"{"op":"copy","as":"c","bag":"b"}"#,
            r#"{"op":"set","bag":"b","path":"a","value":2}"#,
            r#"{"op":"eq","a":"b","b":"c"}"#,
        ],
        r#"{"id":null,"ok":false}"#,
    );
}

#[test]
fn an_instant_is_given_back_in_utc() {
    for (time, utc) in [
        ("2024-05-01T10:00:00", "2024-05-01T10:00:00+00:00"),
        ("2024-05-01T10:00:00+02:00", "2024-05-01T08:00:00+00:00"),
        (
            "2024-05-01T10:00:00.25-05:30",
            "2024-05-01T15:30:00.250000+00:00",
        ),
    ] {
        answers(
            &[
                &format!(r#"{{"op":"set","path":"a","value":{{"$dt":"{time}"}}}}"#),
                r#"{"op":"get","path":"a"}"#,
            ],
            &format!(r#"{{"id":null,"ok":{{"$dt":"{utc}"}}}}"#),
        );
    }
}

#[test]
fn a_digest_is_that_of_the_dump_as_python_writes_it() {
    // The floats are those that other writers spell differently.
    answers(
        &[
            r#"{"op":"set","path":"ä","value":[1e16,1.5e-9,100.0,-0.0]}"#,
            r#"{"op":"hash"}"#,
        ],
        r#"{"id":null,"ok":"5b2c0858fdeab53832c05a79b89a94ab"}"#,
    );
}
