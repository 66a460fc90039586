//! Bags as text of other programs.

use crate::session::answers;

#[test]
fn xml_prints_values_as_python_does() {
    answers(
        &[
            r#"{"op":"set","path":"c","value":[{"$dt":"1999-12-31T23:59:00"},{"$dt":"2024-05-01T10:00:00-05:30"},{"$dt":"2024-05-01T10:00:00.5Z"},{"$b64":"AAEC"}]}"#,
            r#"{"op":"xml"}"#,
        ],
        r#"{"id":null,"ok":"<c>[datetime.datetime(1999, 12, 31, 23, 59, tzinfo=datetime.timezone.utc), datetime.datetime(2024, 5, 1, 15, 30, tzinfo=datetime.timezone.utc), datetime.datetime(2024, 5, 1, 10, 0, 0, 500000, tzinfo=datetime.timezone.utc), b'\\x00\\x01\\x02']</c>"}"#,
    );
}

#[test]
fn a_resolver_of_the_protocol_cannot_travel() {
    let set = r#"{"op":"set","path":"a.r","value":{"$res":{"name":"r"}}}"#;
    for op in ["tytx", "xml", "json"] {
        answers(
            &[set, &format!(r#"{{"op":"{op}"}}"#)],
            r#"{"id":null,"err":"serialize"}"#,
        );
    }
}

#[test]
fn tytx_is_read_to_an_equal_bag() {
    answers(
        &[
            r#"{"op":"new","as":"0","value":[["a",{"$dec":"1.50"},{"n":null}],["b",{"$bag":[["c","x::y"],["d",{"$b64":"AAEC"}]]}]]}"#,
            r#"{"op":"untytx","as":"h","text":"{\"rows\":[[[],\"a\",null,\"1.50::N\",{}],[[],\"b\",null,\"::X\",{}],[[\"b\"],\"c\",null,\"x::y::T\",{}],[[\"b\"],\"d\",null,\"AAEC::RAW\",{}]]}::JS::X"}"#,
            r#"{"op":"delattr","path":"a","names":["n"]}"#,
            r#"{"op":"eq","a":"0","b":"h"}"#,
        ],
        r#"{"id":null,"ok":true}"#,
    );
}

#[test]
fn the_text_of_the_bag_itself_is_a_node() {
    answers(
        &[
            r#"{"op":"unxml","as":"h","text":"<GenRoBag>hello</GenRoBag>"}"#,
            r#"{"op":"dump","bag":"h"}"#,
        ],
        r#"{"id":null,"ok":{"$bag":[["_","hello",{}]]}}"#,
    );
}

#[test]
fn what_is_no_document_is_refused() {
    for (op, text, class) in [
        ("unxml", "<a", "value"),
        ("unxml", "<a/><b/>", "value"),
        ("untytx", "nothing", "type"),
        ("untytx", "{}::X", "serialize"),
        ("untytx", "{bad}::X", "serialize"),
        ("unxml", "<r>]]></r>", "value"),
        ("unxml", "<r a='fe80::B'/>", "value"),
    ] {
        answers(
            &[&format!(r#"{{"op":"{op}","as":"h","text":"{text}"}}"#)],
            &format!(r#"{{"id":null,"err":"{class}"}}"#),
        );
    }
}

#[test]
fn a_document_with_a_bad_value_is_told_from_one_with_a_bad_shape() {
    let refused = |value: &str, class: &str| {
        let text = format!(r#"{{"rows":[[[],"x",null,{value},{{}}]]}}::X"#);
        let request = serde_json::json!({"op": "untytx", "as": "h", "text": text});
        let answer = format!(r#"{{"id":null,"err":"{class}"}}"#);
        answers(&[&request.to_string()], &answer);
    };
    for bad in [
        "!!!::RAW",
        "YWJ::RAW",
        "x::L",
        "x::N",
        "x::R",
        "x::B",
        "x::DHZ",
        "x::D",
        "x::H",
        "2026-13-01T00:00:00.000Z::DHZ",
    ] {
        refused(&format!("\"{bad}\""), "value");
    }
    for typeless in [r#""2026-01-31::D""#, r#""12:00::H""#, r#"{"k":1}"#, "[[1]]"] {
        refused(typeless, "type");
    }
    for shapeless in [
        r#"null,{},{}],[["p"],"y",null,1"#,
        r#"1,{}],[[""],"y",null,1"#,
    ] {
        refused(shapeless, "serialize");
    }
    // A label has at least one byte.
    refused(r#"1,{}],[[],"",null,1"#, "value");
    let plain = r#"{"op":"untytx","as":"h","text":"{\"\":1}"}"#;
    answers(&[plain], r#"{"id":null,"err":"value"}"#);
}

#[test]
fn an_index_of_any_size_is_one_that_finds_nothing() {
    const MANY: &str = "#99999999999999999999999";
    for (request, answer) in [
        (r#"{"op":"get","path":"NN"}"#, r#""ok":null"#),
        (r#"{"op":"get","path":"a.#-9NN"}"#, r#""ok":null"#),
        (r#"{"op":"has","path":"NN"}"#, r#""ok":false"#),
        (r#"{"op":"pop","path":"NN"}"#, r#""ok":null"#),
        (
            r#"{"op":"set","path":"NN","value":1}"#,
            r#""err":"index-create""#,
        ),
        (
            r#"{"op":"set","path":"NN.x","value":1}"#,
            r#""err":"index-missing""#,
        ),
        (
            r#"{"op":"setattr","path":"NN","attrs":{"x":1}}"#,
            r#""err":"index-create""#,
        ),
        (r#"{"op":"keys","path":"NN"}"#, r#""err":"missing""#),
    ] {
        let request = request
            .replace("#-9NN", &format!("#-{}", &MANY[1..]))
            .replace("NN", MANY);
        let answer = format!(r#"{{"id":null,{answer}}}"#);
        answers(
            &[r#"{"op":"set","path":"a.b","value":1}"#, &request],
            &answer,
        );
    }
}
