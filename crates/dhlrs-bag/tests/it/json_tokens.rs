//! The JSON reader takes what RFC 8259 allows and nothing else.
#![expect(
    clippy::expect_used,
    reason = "a helper that fails is a test that fails"
)]

use std::io::{self, Read};

use dhlrs_bag::formats::{
    FormatError, FormatErrorKind as Kind, JSON_DEPTH_MAX, JSON_STRING_BYTES_MAX, JsonToken,
    JsonTokens,
};

fn tokens(text: &[u8]) -> Result<Vec<JsonToken>, FormatError> {
    let mut reader = JsonTokens::new(text);
    std::iter::from_fn(|| reader.next_token().transpose()).collect()
}

#[track_caller]
fn refuses(text: impl AsRef<[u8]>, kind: Kind) -> FormatError {
    let text = text.as_ref();
    let error = tokens(text).expect_err(&String::from_utf8_lossy(text));
    assert_eq!(error.kind(), kind, "{error}");
    error
}

#[test]
fn reads_every_kind_of_token() {
    let text = br#" {"a":[1,-2.5e+3,"x",true,false,null,{},[]],"b":{}} "#;
    use JsonToken::{Bool, Key, ListEnd, ListStart, Null, Number, ObjectEnd, ObjectStart, Text};
    let wanted = vec![
        ObjectStart,
        Key("a".into()),
        ListStart,
        Number("1".into()),
        Number("-2.5e+3".into()),
        Text("x".into()),
        Bool(true),
        Bool(false),
        Null,
        ObjectStart,
        ObjectEnd,
        ListStart,
        ListEnd,
        ListEnd,
        Key("b".into()),
        ObjectStart,
        ObjectEnd,
        ObjectEnd,
    ];
    assert_eq!(tokens(text).unwrap(), wanted);
}

#[test]
fn undoes_escapes() {
    let text = br#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000""#;
    assert_eq!(
        tokens(text).unwrap(),
        [JsonToken::Text("\"\\/\u{8}\u{c}\n\r\té😀\0".into())]
    );
}

#[test]
fn skips_a_byte_order_mark() {
    assert_eq!(
        tokens(b"\xef\xbb\xbf1").unwrap(),
        [JsonToken::Number("1".into())]
    );
}

#[test]
fn refuses_what_is_no_json() {
    for text in [
        "",
        " ",
        "{",
        "[",
        "[1",
        "[1,",
        "[,1]",
        "[1,]",
        "[1 2]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "]",
        "}",
        "[}",
        "{]",
        "1 2",
        "01",
        "-",
        "+1",
        ".5",
        "1.",
        "1e",
        "1e+",
        "0x1",
        "1-2",
        "NaN",
        "Infinity",
        "nul",
        "True",
        "\"",
        "\"a",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "// a\n1",
        "1\u{a0}",
    ] {
        refuses(text, Kind::Syntax);
    }
    refuses(b"\"\xff\"", Kind::Syntax);
    refuses(b"\x00", Kind::Syntax);
}

#[test]
fn says_where() {
    let error = refuses("{\"a\":\n[1,\n{\"b/~\":x}]}", Kind::Syntax);
    assert_eq!(
        (error.line(), error.pointer()),
        (Some(3), Some("/a/1/b~1~0"))
    );
}

/// Hands out so many bytes at a time.
struct Drops<'a>(&'a [u8], usize);

impl Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (own, room) = (self.0.len().min(self.1), buffer.len());
        let (out, rest) = self.0.split_at(own.min(room));
        buffer[..out.len()].copy_from_slice(out);
        self.0 = rest;
        Ok(out.len())
    }
}

#[test]
fn what_a_block_cuts_is_read_whole() {
    for ahead in 0..9 {
        for blanks in [0, 1017, 5113] {
            let text = format!(
                "{}{}{{\"é€😀\":[\"😀\\u00e9é\",-12.5e3,\"{}\"]}}",
                " ".repeat(blanks),
                " ".repeat(ahead),
                "€".repeat(1400),
            );
            let whole = tokens(text.as_bytes()).unwrap();
            assert_eq!(whole.len(), 8);
            assert_eq!(whole[1], JsonToken::Key("é€😀".into()));
            assert_eq!(whole[3], JsonToken::Text("😀éé".into()));
            for step in [1, 2, 3, 1000, 4096] {
                let mut reader = JsonTokens::new(Drops(text.as_bytes(), step));
                let read = std::iter::from_fn(|| reader.next_token().transpose());
                assert!(read.map(Result::unwrap).eq(whole.iter().cloned()), "{step}");
            }
        }
    }
}

#[test]
fn what_is_not_utf_8_is_refused_where_it_stands() {
    for before in [0, 1, 1020, 1024, 70_000] {
        for broken in [&b"\xff"[..], b"\xe2\x82", b"\xf0\x9f\x98", b"\xc0\x80"] {
            for behind in [&b""[..], b"x\"]"] {
                let text = [b"[\"", "x".repeat(before).as_bytes(), broken, behind].concat();
                for step in [1, 7, 100_000] {
                    let mut reader = JsonTokens::new(Drops(&text, step));
                    assert_eq!(reader.next_token().unwrap(), Some(JsonToken::ListStart));
                    let error = reader.next_token().unwrap_err();
                    let place = Some(before as u64 + 2);
                    assert_eq!(
                        (error.kind(), error.byte()),
                        (Kind::Syntax, place),
                        "{error}"
                    );
                }
            }
        }
    }
}

#[test]
fn depth_has_a_limit_and_no_stack() {
    let nest = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(
        tokens(nest(JSON_DEPTH_MAX).as_bytes()).unwrap().len(),
        2 * JSON_DEPTH_MAX
    );
    refuses(nest(JSON_DEPTH_MAX + 1), Kind::TooDeep);
    refuses("[".repeat(1_000_000), Kind::TooDeep);
}

#[test]
fn strings_and_numbers_have_limits() {
    let text = |bytes: usize| format!("\"{}\"", "a".repeat(bytes));
    assert_eq!(
        tokens(text(JSON_STRING_BYTES_MAX).as_bytes())
            .unwrap()
            .len(),
        1
    );
    refuses(text(JSON_STRING_BYTES_MAX + 1), Kind::TooLarge);
    refuses("1".repeat(2000), Kind::TooLarge);
}

proptest::proptest! {
    // An independent reader agrees on what JSON is.
    #[test]
    fn agrees_with_serde_json(text in r#"[\[\]{},:"a0-9.eE+\\u \-]{0,12}"#) {
        let ours = tokens(text.as_bytes()).is_ok();
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        // It also judges the size of floats, which is not the reader's business.
        let theirs = theirs.is_ok() || theirs.is_err_and(|error| error.to_string().contains("out of range"));
        proptest::prop_assert_eq!(ours, theirs, "{:?}", text);
    }

    #[test]
    fn never_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
        let _ = tokens(&bytes);
    }
}
