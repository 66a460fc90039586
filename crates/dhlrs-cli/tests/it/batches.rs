//! Batches fit a message, bring every row once, and can be merged one after the other or again.

use dhlrs_bag::{Label, Row};
use dhlrs_cli::interchange::{BATCH_BYTES_MAX, Batch, Batcher};

fn label(text: &str) -> Label {
    text.parse().unwrap()
}

fn cut(rows: impl IntoIterator<Item = Row>) -> Vec<Batch> {
    let mut batcher = Batcher::new();
    let mut batches: Vec<Batch> = rows
        .into_iter()
        .filter_map(|row| batcher.row(row).unwrap())
        .collect();
    batches.extend(batcher.finish());
    batches
}

#[test]
fn nothing_is_no_batch() {
    assert_eq!(cut([]), []);
}

#[test]
fn a_small_tree_is_one_batch() {
    let rows = vec![
        Row::bag(0, label("a")),
        Row::value(1, label("b"), 1_i64),
        Row::value(0, label("c"), 2_i64),
    ];
    let batches = cut(rows.clone());
    assert_eq!(batches.len(), 1);
    assert_eq!(
        (batches[0].branch.rows(), batches[0].rows),
        (rows.as_slice(), 3)
    );
}

#[test]
fn a_large_tree_is_cut_and_each_piece_says_where_it_hangs() {
    let text = "x".repeat(10_000);
    let mut rows = vec![Row::bag(0, label("a")), Row::bag(1, label("b"))];
    rows.extend((0..100).map(|n| Row::value(2, label(&n.to_string()), text.as_str())));
    rows.push(Row::value(1, label("c"), 1_i64));
    let batches = cut(rows.clone());
    assert!(batches.len() > 3, "{}", batches.len());
    for batch in &batches {
        assert!(batch.branch.encoded_bytes() <= BATCH_BYTES_MAX + 4096);
        assert_eq!(batch.branch.rows()[0], rows[0]);
    }
    let new: u64 = batches.iter().map(|batch| batch.rows).sum();
    assert_eq!(new, rows.len() as u64);
    let leaves: Vec<&Row> = batches
        .iter()
        .flat_map(|batch| batch.branch.rows())
        .filter(|row| row.value.is_some())
        .collect();
    assert_eq!(
        leaves,
        rows.iter()
            .filter(|row| row.value.is_some())
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_repeated_bag_has_no_attributes() {
    let mut top = Row::bag(0, label("a"));
    top.attributes.insert("n".parse().unwrap(), 1_i64.into());
    let text = "x".repeat(200_000);
    let batches = cut([
        top.clone(),
        Row::value(1, label("b"), text.as_str()),
        Row::value(1, label("c"), text.as_str()),
    ]);
    assert_eq!(batches[0].branch.rows()[0], top);
    assert_eq!(batches[1].branch.rows()[0], Row::bag(0, label("a")));
}

#[test]
fn what_comes_late_has_a_batch_of_its_own() {
    let mut batcher = Batcher::new();
    batcher.row(Row::bag(0, label("a"))).unwrap();
    batcher.row(Row::bag(1, label("b"))).unwrap();
    let mut late = Row::bag(1, label("b"));
    late.attributes.insert("n".parse().unwrap(), 1_i64.into());
    let first = batcher
        .late(vec![label("a")], late.clone())
        .unwrap()
        .unwrap();
    assert_eq!(first.branch.len(), 2);
    let second = batcher
        .row(Row::value(1, label("c"), 1_i64))
        .unwrap()
        .unwrap();
    assert_eq!(second.branch.rows(), [Row::bag(0, label("a")), late]);
    let third = batcher.finish().unwrap();
    assert_eq!(
        third.branch.rows(),
        [Row::bag(0, label("a")), Row::value(1, label("c"), 1_i64)]
    );
}
