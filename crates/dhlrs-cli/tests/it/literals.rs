//! VALUE: strict JSON, else text; errors that name the remedy.

use dhlrs_bag::formats::value_to_json;
use dhlrs_cli::{
    FailureKind,
    literal::{ValueType, parse},
};

#[track_caller]
fn reads(text: &str, wanted: Option<ValueType>, json: &str, type_name: &str) {
    let value = parse(text, wanted).unwrap_or_else(|failure| panic!("{text:?}: {failure}"));
    assert_eq!(
        (value_to_json(&value).as_str(), value.type_name()),
        (json, type_name),
        "{text:?}"
    );
}

#[track_caller]
fn refuses(text: &str, wanted: Option<ValueType>, remedy: &str) {
    let failure = parse(text, wanted).unwrap_err();
    assert_eq!(failure.kind(), FailureKind::BadValue);
    let hint = failure.hint_text().unwrap_or_default();
    assert!(hint.contains(remedy), "{text:?}: {failure} ({hint})");
}

#[test]
fn json_is_what_it_says() {
    reads("null", None, "null", "null");
    reads("true", None, "true", "bool");
    reads("-5", None, "-5", "int");
    reads("9223372036854775807", None, "9223372036854775807", "int");
    reads("1.0", None, "1.0", "float");
    reads("1e3", None, "1000.0", "float");
    reads("1e300", None, "1e300", "float");
    reads("\"a\\nb\"", None, "\"a\\nb\"", "text");
    reads("\"1\"", None, "\"1\"", "text");
    reads("[]", None, "[]", "list");
    reads("[1, \"a\", null, 2.5]", None, "[1,\"a\",null,2.5]", "list");
    reads(" 5 ", None, "5", "int");
}

#[test]
fn what_is_no_json_is_text_as_typed() {
    for text in [
        "abc", "007", "", "a b", "NaN", "True", "[1,", "{", "1_000", "0x10", "'a'", "-",
        "5 apples", ".5",
    ] {
        reads(text, None, &serde_json::to_string(text).unwrap(), "text");
    }
}

#[test]
fn json_that_is_no_value_names_the_remedy() {
    refuses("9223372036854775808", None, "--type decimal");
    refuses("99999999999999999999999", None, "--type text");
    refuses("1e999", None, "--type text");
    refuses("[1,99999999999999999999]", None, "--type decimal");
    refuses("{\"a\":1}", None, "dhlrs import");
    refuses("{}", None, "dhlrs import");
    refuses("[[1]]", None, "dhlrs import");
    refuses("[{}]", None, "dhlrs import");
    refuses(&format!("[{}1]", "1,".repeat(4096)), None, "dhlrs import");
}

#[test]
fn a_list_of_the_limit_is_a_value() {
    let text = format!("[{}1]", "1,".repeat(4095));
    assert_eq!(parse(&text, None).unwrap().as_list().unwrap().len(), 4096);
}

#[test]
fn a_type_is_obeyed() {
    reads("5", Some(ValueType::Text), "\"5\"", "text");
    reads("null", Some(ValueType::Null), "null", "null");
    reads("false", Some(ValueType::Bool), "false", "bool");
    reads("-5", Some(ValueType::Int), "-5", "int");
    reads("5", Some(ValueType::Float), "5.0", "float");
    reads("-inf", Some(ValueType::Float), "{\"$f\":\"-inf\"}", "float");
    reads("nan", Some(ValueType::Float), "{\"$f\":\"nan\"}", "float");
    reads(
        "AAEC",
        Some(ValueType::Bytes),
        "{\"$b64\":\"AAEC\"}",
        "bytes",
    );
    reads(
        "1.50",
        Some(ValueType::Decimal),
        "{\"$dec\":\"1.50\"}",
        "decimal",
    );
    reads(
        "2026-01-31T13:00:00.500+01:00",
        Some(ValueType::Timestamp),
        "{\"$dt\":\"2026-01-31T12:00:00.5Z\"}",
        "timestamp",
    );
    reads("[1]", Some(ValueType::List), "[1]", "list");
}

#[test]
fn a_text_that_is_not_of_its_type_names_the_form() {
    refuses("x", Some(ValueType::Null), "null");
    refuses("yes", Some(ValueType::Bool), "true or false");
    refuses("1.5", Some(ValueType::Int), "--type decimal");
    refuses("1e999", Some(ValueType::Float), "inf");
    refuses("AA", Some(ValueType::Bytes), "base64");
    refuses("yesterday", Some(ValueType::Timestamp), "RFC 3339");
    refuses("1e5", Some(ValueType::Decimal), "without an exponent");
    refuses("5", Some(ValueType::List), "JSON list");
}

#[test]
fn a_long_text_is_cut_in_the_message() {
    let failure = parse(&"x".repeat(10_000), Some(ValueType::Int)).unwrap_err();
    assert!(failure.to_string().len() < 100, "{failure}");
}
