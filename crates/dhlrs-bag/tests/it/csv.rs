//! CSV in: the header labels the cells, rows are bags of Text.

use std::io::{self, Read};

use dhlrs_bag::formats::{
    CSV_ROW_BYTES_MAX, CsvReader, FormatError, FormatErrorKind as Kind, Item, value_to_json,
};

// One row a line: two spaces a level, label, value.
fn show(items: &[Item]) -> String {
    let lines = items.iter().map(|item| match item {
        Item::Row(row) => {
            let value = row.value.as_ref();
            let value = value.map_or_else(|| "{}".to_owned(), value_to_json);
            format!("{}{} {value}", "  ".repeat(row.depth.into()), row.label)
        }
        other => format!("{other:?}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn import(text: &[u8], key: Option<&str>) -> Result<Vec<Item>, FormatError> {
    CsvReader::new(text, key.map(str::to_owned)).collect()
}

#[track_caller]
fn refuses(text: &str, key: Option<&str>, kind: Kind, line: u64) {
    let error = import(text.as_bytes(), key).unwrap_err();
    assert_eq!((error.kind(), error.line()), (kind, Some(line)), "{error}");
}

#[test]
fn rows_are_bags_of_text() {
    let items = import(
        b"code,name\r\nAD-02,\"Canillo, \"\"C\"\"\nx\"\r\n007,\r\n",
        None,
    )
    .unwrap();
    let wanted = "0 {}\n  code \"AD-02\"\n  name \"Canillo, \\\"C\\\"\\nx\"\n1 {}\n  code \"007\"\n  name \"\"";
    assert_eq!(show(&items), wanted);
}

#[test]
fn a_key_column_labels_the_rows_and_stays() {
    let items = import(b"\xef\xbb\xbfcode,name\nAD-02,Canillo\n", Some("code")).unwrap();
    assert_eq!(
        show(&items),
        "AD-02 {}\n  code \"AD-02\"\n  name \"Canillo\""
    );
}

#[test]
fn mistakes_are_named_with_their_line() {
    refuses("", None, Kind::Syntax, 1);
    refuses("a,\n", None, Kind::BadLabel, 1);
    refuses("a,a\n", None, Kind::DuplicateLabel, 1);
    refuses("a,b\n1,2\n", Some("c"), Kind::MissingKey, 1);
    refuses("a,b\n1,2\n1\n", None, Kind::Syntax, 3);
    refuses("a,b\n1,2\n1,3\n", Some("a"), Kind::DuplicateKey, 3);
    refuses("a,b\n,2\n", Some("a"), Kind::BadLabel, 2);
}

#[test]
fn a_quote_that_never_closes_does_not_take_the_file_into_memory() {
    let text = format!("a\n\"{}", "x".repeat(CSV_ROW_BYTES_MAX + 100_000));
    let error = import(text.as_bytes(), None).unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge, "{error}");
}

#[test]
fn a_quote_that_is_not_closed_is_named_where_it_opens() {
    refuses("a,b\n1,\"2\n3,4\n", None, Kind::Syntax, 2);
    refuses("a,b\n\"x\ny\",1\n1,\"2", None, Kind::Syntax, 4);
    refuses("\"a", None, Kind::Syntax, 1);
    let error = import(b"a\n\"x", None).unwrap_err();
    assert!(error.to_string().contains("not closed"), "{error}");
}

#[test]
fn nothing_stands_between_a_closing_quote_and_the_end_of_the_cell() {
    refuses("a,b\n1,\"2\"x\n", None, Kind::Syntax, 2);
    refuses("a,b\n1,\"2\" \n", None, Kind::Syntax, 2);
    refuses("a,b\n\"x\ny\"z,2\n", None, Kind::Syntax, 3);
    refuses("a,b\n1,\"2\"\"\"x\n", None, Kind::Syntax, 2);
    refuses("\u{feff}\"a\"b\n", None, Kind::Syntax, 1);
}

#[test]
fn rows_before_a_mistake_are_read() {
    let mut reader = CsvReader::new("a\n1\n\"2\"x\n".as_bytes(), None);
    let read: Vec<_> = reader.by_ref().take(2).map(Result::unwrap).collect();
    assert_eq!(show(&read), "0 {}\n  a \"1\"");
    assert_eq!(reader.next().unwrap().unwrap_err().line(), Some(3));
}

/// Gives one byte at a time.
struct Drip<'a>(&'a [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let some = buffer.len().min(1);
        self.0.read(&mut buffer[..some])
    }
}

#[test]
fn quotes_that_are_right_are_read_however_the_bytes_come() {
    for text in [
        "\"a\",b\r\n\"1\"\"\",\"x,\ny\"\r\n",
        "\u{feff}a,b\n\"1\"\"\",\"x,\ny\"",
        "a,b\r\"1\"\"\",\"x,\ny\"\r",
    ] {
        for items in [
            import(text.as_bytes(), None),
            CsvReader::new(Drip(text.as_bytes()), None).collect(),
        ] {
            let shown = show(&items.unwrap());
            assert!(
                shown.contains("\"1\\\"\"") && shown.contains("\"x,\\ny\""),
                "{shown}"
            );
        }
    }
    // Within a cell that does not begin with one, a quote is text.
    let items = import(b"size\n5\" pipe\n \"x\" y\n", None).unwrap();
    assert_eq!(
        show(&items),
        "0 {}\n  size \"5\\\" pipe\"\n1 {}\n  size \" \\\"x\\\" y\""
    );
}
