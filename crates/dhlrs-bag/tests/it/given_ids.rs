//! Ids that are given from outside, and the labels of those that share one.

use dhlrs_bag::{Bag, Branch, Content, Label, NodeId, Op, Row};

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn id(byte: u8) -> NodeId {
    NodeId::from_bytes([byte; 16])
}

fn insert(bag: &mut Bag, id: NodeId, text: &str, content: impl Into<Content>) {
    let op = Op::Insert {
        parent: NodeId::ROOT,
        after: None,
        id,
        label: label(text),
        content: content.into(),
        attributes: Default::default(),
        resolver: None,
        autocreated: false,
    };
    bag.apply(&[op], 1);
}

#[test]
fn a_branch_takes_ids_that_do_not_follow_one_another() {
    let mut bag = Bag::new();
    let rows = [
        Row::bag(0, label("x")),
        Row::value(1, label("y"), 1),
        Row::value(0, label("z"), 2),
    ];
    insert(&mut bag, id(1), "a", Branch::from_rows(rows).unwrap());
    bag.identify(id(1), [id(9), id(5), id(7), id(3)]);
    for (path, byte) in [("a", 1), ("a.x", 9), ("a.x.y", 5), ("a.z", 7)] {
        let node = bag.node_by_id(id(byte)).unwrap();
        assert_eq!(node.path().as_str(), path);
    }
    assert!(bag.node_by_id(id(3)).is_none());
    // Ids that are taken stay with who has them, and who is not there gets none.
    let before = bag.node_by_id(id(7)).unwrap().path();
    bag.identify(id(1), [id(7)]);
    bag.identify(id(77), [id(8)]);
    assert_eq!(bag.node_by_id(id(7)).unwrap().path(), before);
    assert_eq!(bag.node_by_id(id(9)).unwrap().path().as_str(), "a.x");
}

#[test]
fn a_displaced_node_is_found_and_printed_by_its_id() {
    let mut bag = Bag::new();
    let hex = id(0xab).to_string();
    insert(&mut bag, id(1), "a.b", 1);
    insert(
        &mut bag,
        id(0xab),
        &format!("a.b~{hex}"),
        Branch::from_rows([Row::value(0, label("x"), 2)]).unwrap(),
    );
    let path = format!(r"a\.b~{hex}.x");
    assert_eq!(bag.get(&path).and_then(|value| value.as_int()), Some(2));
    let node = bag.node_by_id(id(0xab)).unwrap();
    assert_eq!(node.path().as_str(), format!(r"a\.b~{hex}"));
    let inside = node.children().next().unwrap();
    assert_eq!(inside.path().as_str(), path);
}

#[test]
fn a_label_that_only_looks_displaced_is_an_ordinary_one() {
    let mut bag = Bag::new();
    let hex = id(0xab).to_string();
    bag.set(&format!(r"a\~{hex}"), 1).unwrap();
    assert_eq!(bag.get(&format!("a~{hex}")), None);
    let node = bag.root().child_at(0).unwrap();
    assert_eq!(node.path().as_str(), format!(r"a\~{hex}"));
}
