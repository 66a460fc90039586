//! What comes in one piece is what comes node by node: documents, images, branches.

use dhlrs_bag::{
    Bag, Branch, Content, Edit, EditErrorKind, ImageCounters, ImageErrorKind, ImageRow, NodeId,
    Row, Tree, Value, formats::ReadLimits,
};
use dhlrs_path::Path;
use proptest::prelude::*;

use super::trees::{bags, rows};
use crate::{documents::FORMS, label, path, position, refuses};

/// The bag of rows, one edit a row.
fn one_by_one(rows: &[Row]) -> Bag {
    let mut bag = Bag::new();
    let mut above = Vec::new();
    for row in rows {
        above.truncate(usize::from(row.depth));
        above.push(row.label.clone());
        let path = Path::from_labels(&above).unwrap();
        let content = Some(match &row.value {
            Some(value) => Content::Value(value.clone()),
            None => Content::Branch(Branch::new()),
        });
        let (attributes, position) = (Some(row.attributes.clone()), None);
        let edit = match &row.resolver {
            Some(resolver) => Edit::SetResolver {
                path,
                resolver: Some(resolver.clone()),
                content,
                attributes,
                position,
            },
            None => Edit::Set {
                path,
                content,
                attributes,
                position,
                overwrite: false,
            },
        };
        bag.edit(edit).unwrap();
    }
    bag
}

/// Each node is found by its label, by its place and by its id.
#[track_caller]
fn finds_all(tree: &Tree) {
    for visited in tree.root().walk() {
        let node = visited.node;
        let bag = node.parent().unwrap();
        assert_eq!(bag.child(node.label()), Some(node));
        assert_eq!(bag.child_at(node.index() as i64), Some(node));
        assert_eq!(tree.node_by_id(node.id()), Some(node));
    }
}

/// Equal in content, order and ids, and equal again after the same edits.
#[track_caller]
fn same(loaded: &Bag, made: &Bag) {
    let (mut loaded, mut made) = (loaded.clone(), made.clone());
    for turn in 0..2 {
        assert_eq!(loaded, made);
        let ids = |bag: &Bag| bag.image().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(ids(&loaded), ids(&made));
        assert_eq!(
            loaded.image_counters().next_id,
            made.image_counters().next_id
        );
        assert_eq!(loaded.len(), made.len());
        finds_all(&loaded);
        for bag in [&mut loaded, &mut made] {
            let places = bag.root().walk().filter(|visited| visited.node.is_bag());
            let places: Vec<_> = places.map(|visited| visited.node.path()).collect();
            for own in places.iter().chain([&Path::default()]) {
                let inside = own.child(&format!("new {turn}")).unwrap();
                bag.edit(Edit::set(inside.clone(), 1)).unwrap();
                bag.edit(Edit::Move {
                    path: inside.clone(),
                    to: inside,
                    position: Some(position("<")),
                })
                .unwrap();
            }
            bag.remove("#-1").unwrap();
        }
    }
}

/// Bags of these widths in turn, in bags of a few of them.
fn shape(widths: &[usize]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (number, width) in widths.iter().enumerate() {
        rows.push(Row::bag(0, label(&format!("b{number}"))));
        for own in 0..*width {
            rows.push(Row::value(1, label(&format!("n{own}")), own as i64));
        }
        rows.push(Row::bag(1, label("inside")));
        rows.push(Row::bag(2, label("empty")));
        rows.push(Row::value(0, label(&format!("v{number}")), Value::Null));
    }
    rows
}

#[test]
fn bags_of_all_widths_load_as_they_are_made() {
    let rows = shape(&[0, 1, 62, 63, 64, 500, 1, 447, 448, 2, 2100, 3, 129]);
    let made = one_by_one(&rows);
    for form in FORMS {
        let read = (form.read)(&(form.write)(&made), &ReadLimits::default()).unwrap();
        same(&read, &made);
    }
    let mut filled = Bag::new();
    let branch = Branch::from_rows(rows).unwrap();
    filled
        .edit(Edit::Replace {
            path: Path::default(),
            branch,
        })
        .unwrap();
    same(&filled, &made);
    same(
        &Bag::restore(made.image_counters(), made.image()).unwrap(),
        &made,
    );
}

#[test]
fn a_branch_takes_the_room_that_removed_nodes_left() {
    let (mut filled, mut made) = (Bag::new(), Bag::new());
    for bag in [&mut filled, &mut made] {
        for n in 0..300 {
            bag.set(&format!("a{}.n{n}", n % 7), n).unwrap();
        }
        for gone in ["a3", "a1", "a6.#4", "a2"] {
            bag.remove(gone).unwrap();
        }
    }
    let rows: Vec<Row> = (0..200)
        .map(|n| Row::value(0, label(&format!("x{n}")), n))
        .collect();
    filled.set("fresh", Branch::new()).unwrap();
    made.set("fresh", Branch::new()).unwrap();
    let branch = Branch::from_rows(rows).unwrap();
    filled
        .edit(Edit::Replace {
            path: path("fresh"),
            branch,
        })
        .unwrap();
    for n in 0..200 {
        made.set(&format!("fresh.x{n}"), n).unwrap();
    }
    same(&filled, &made);
}

#[test]
fn a_branch_goes_behind_what_is_only_shown_in_its_bag() {
    let mut bag = Bag::new();
    for n in 0..70 {
        let shown = Some(Content::from(n));
        bag.set_overlay(&path(&format!("w.shown{n}")), shown)
            .unwrap();
    }
    let rows = (0..70).map(|n| Row::value(0, label(&format!("x{n}")), n));
    // Ordered before anything was shown there.
    let edit = Edit::set(path("w"), Branch::from_rows(rows).unwrap());
    let mut plain = Bag::new();
    let ops = plain.order(&edit.into()).unwrap();
    plain.apply(&ops, 1);
    bag.apply(&ops, 1);
    let labels = (0..70).map(|n| format!("shown{n}"));
    let labels = labels.chain((0..70).map(|n| format!("x{n}")));
    let children = bag.root().child("w").unwrap();
    let children = children.children().map(|node| node.label().to_string());
    assert!(labels.eq(children));
    finds_all(&bag);
    for n in 0..70 {
        bag.set_overlay(&path(&format!("w.shown{n}")), None)
            .unwrap();
    }
    same(&bag, &plain);
}

#[test]
fn a_refused_branch_leaves_all_as_it_was() {
    let mut bag = one_by_one(&shape(&[3, 70]));
    let before: Vec<ImageRow> = bag.image().collect();
    let bytes = bag.root().to_postcard();
    // The last of its paths is too long.
    let long = label(&"x".repeat(255));
    let mut rows: Vec<Row> = (0..500)
        .map(|n| Row::value(0, label(&format!("n{n}")), n))
        .collect();
    rows.extend((0..20).map(|depth| Row::bag(depth, long.clone())));
    let branch = Branch::from_rows(rows).unwrap();
    for edit in [
        Edit::set(path("b0"), branch.clone()),
        Edit::Replace {
            path: path("b1"),
            branch: branch.clone(),
        },
        Edit::Merge {
            path: Path::default(),
            branch,
        },
    ] {
        refuses(&mut bag, edit, EditErrorKind::PathTooLong);
        assert!(bag.image().eq(before.iter().cloned()));
        assert_eq!(bag.root().to_postcard(), bytes);
    }
}

fn image(ids: &[u128]) -> Vec<ImageRow> {
    let root = Bag::new().image().next().unwrap();
    let mut rows = vec![root.clone()];
    rows.extend(ids.iter().enumerate().map(|(number, id)| ImageRow {
        depth: 1,
        id: NodeId::from_bytes(id.to_be_bytes()),
        label: Some(label(&format!("n{number}"))),
        value: Some(Value::Null),
        ..root.clone()
    }));
    rows
}

const ALL_IDS: ImageCounters = ImageCounters {
    revision: 0,
    next_id: u64::MAX,
};

#[test]
fn ids_load_in_any_order_near_or_far() {
    let mut ids: Vec<u128> = (1..40).collect();
    ids.extend((100..170).rev());
    ids.extend((1..100).map(|n| n << 40));
    ids.extend((1..50).map(|n| (1 << 100) | n));
    ids.extend(40..90);
    let rows = image(&ids);
    let bag = Bag::restore(ALL_IDS, rows.clone()).unwrap();
    assert!(bag.image().eq(rows));
    finds_all(&bag);
    for missing in [90, 171, 99, 1 << 50, (1 << 100) | 50] {
        let id = NodeId::from_bytes(u128::to_be_bytes(missing));
        assert_eq!(bag.node_by_id(id).map(|node| node.path()), None);
    }
}

#[test]
fn an_id_that_comes_twice_is_refused_wherever_the_first_one_is() {
    for first in [1, 2, 30, 31, 32, 33, 65, 1 << 40, (1 << 100) | 1] {
        for between in [&[][..], &[500], &[500, 501, 502], &[1 << 41]] {
            let mut ids: Vec<u128> = (1..=33).collect();
            ids.extend([65, 1 << 40, (1 << 100) | 1]);
            ids.extend(between);
            assert!(Bag::restore(ALL_IDS, image(&ids)).is_ok());
            ids.push(first);
            let error = Bag::restore(ALL_IDS, image(&ids)).unwrap_err();
            let refused = (error.kind(), error.row());
            assert_eq!(refused, (ImageErrorKind::BadId, ids.len()), "{first}");
        }
    }
}

#[test]
fn doubles_are_refused_at_all_widths() {
    for width in [1, 2, 63, 64, 65, 447, 448, 449, 1000] {
        for double in [0, width / 2, width - 1] {
            let members = (0..width).chain([double]).map(|n| format!("\"n{n}\":{n}"));
            let json = format!("{{\"a\":{{{}}}}}", members.collect::<Vec<_>>().join(","));
            let error = Bag::from_json(json.as_bytes(), &ReadLimits::default()).unwrap_err();
            assert_eq!(
                error.pointer(),
                Some(format!("/a/n{double}").as_str()),
                "{error}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_loaded_is_what_single_edits_make(rows in rows()) {
        let made = one_by_one(&rows);
        for form in FORMS {
            let read = (form.read)(&(form.write)(&made), &ReadLimits::default()).unwrap();
            same(&read, &made);
        }
        let mut filled = Bag::new();
        let branch = Branch::from_rows(rows).unwrap();
        filled.edit(Edit::Replace { path: Path::default(), branch }).unwrap();
        same(&filled, &made);
    }

    #[test]
    fn an_image_loads_whatever_order_its_ids_have(bag in bags(), picks in prop::collection::vec(0_usize..40, 0..12)) {
        let mut bag = bag;
        for pick in picks {
            let places: Vec<_> = bag.root().walk().map(|visited| visited.node.path()).collect();
            let Some(own) = places.get(pick) else { continue };
            let position = Some(position("<"));
            bag.edit(Edit::Move { path: own.clone(), to: own.clone(), position }).unwrap();
        }
        let restored = Bag::restore(bag.image_counters(), bag.image()).unwrap();
        prop_assert!(restored.image().eq(bag.image()));
        same(&restored, &bag);
    }
}
