//! CSV in: the header labels the cells, rows are bags of Text.

use dhlrs_bag::formats::{FormatError, FormatErrorKind as Kind, Item, value_to_json};
use dhlrs_cli::interchange::{CSV_ROW_BYTES_MAX, CsvImport};

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
    CsvImport::new(text, key.map(str::to_owned)).collect()
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
