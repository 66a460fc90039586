//! Ids are derived from where a bag node is at home, the same everywhere and for nothing else.

use dhlrs_bag::{Label, NodeId};
use dhlrs_feed::{HomePath, HomeStep};
use dhlrs_path::DEPTH_MAX;

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

#[test]
fn one_path_is_one_node_and_two_are_two() {
    let root = HomePath::root();
    assert_eq!(root.id(), NodeId::ROOT);
    let a = root.child(label("a"), 0).unwrap();
    let ids = [
        a.id(),
        root.child(label("a"), 1).unwrap().id(),
        root.child(label("b"), 0).unwrap().id(),
        a.child(label("a"), 0).unwrap().id(),
        root.anonymous_child([0; 16]).unwrap().id(),
        root.anonymous_child([1; 16]).unwrap().id(),
    ];
    let distinct: std::collections::BTreeSet<NodeId> = ids.into_iter().collect();
    assert_eq!(distinct.len(), ids.len());
    assert_eq!(HomePath::root().child(label("a"), 0).unwrap().id(), a.id());
}

#[test]
fn ids_are_what_the_documentation_says() {
    let a = HomePath::root().child(label("orders"), 0).unwrap();
    let preimage = [&[0; 16][..], &[0; 4], b"orders"].concat();
    let hash = blake3::derive_key("dhlrs 1 labelled node id", &preimage);
    assert_eq!(a.id().as_bytes()[..], hash[..16]);
}

#[test]
fn refuses_a_step_too_many_and_encodes_the_deepest() {
    let mut at = HomePath::root();
    for _ in 0..DEPTH_MAX {
        at = at.child(label("x"), 0).unwrap();
    }
    assert!(at.child(label("x"), 0).is_err());
    let bytes = dhlrs_codec::encode(&at, 4096).unwrap();
    assert_eq!(dhlrs_codec::decode::<HomePath>(&bytes, 4096).unwrap(), at);
    let mut steps: Vec<HomeStep> = dhlrs_codec::decode(&bytes, 4096).unwrap();
    steps.push(HomeStep::Anonymous([0; 16]));
    let longer = dhlrs_codec::encode(&steps, 4096).unwrap();
    assert!(dhlrs_codec::decode::<HomePath>(&longer, 4096).is_err());
}

#[test]
fn a_prefix_is_one_of_whole_labels() {
    let root = HomePath::root();
    let ab = root
        .child(label("a"), 3)
        .unwrap()
        .child(label("b"), 0)
        .unwrap();
    assert!(ab.begins_with(&[]));
    assert!(ab.begins_with(&[label("a")]));
    assert!(ab.begins_with(&[label("a"), label("b")]));
    assert!(!ab.begins_with(&[label("a"), label("b"), label("c")]));
    assert!(!ab.begins_with(&[label("b")]));
    let anonymous = root.anonymous_child([7; 16]).unwrap();
    assert!(!anonymous.begins_with(&[label("a")]));
}
