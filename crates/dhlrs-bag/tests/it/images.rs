//! A tree restored from its image goes on as if nothing had happened.

use dhlrs_bag::{Bag, Edit, ImageErrorKind, ImageRow, NodeId, ResolverRef, Value};

use crate::{name, path};

fn bag() -> Bag {
    let mut bag = Bag::new();
    bag.set("a.b", 1).unwrap();
    bag.set("c", "text").unwrap();
    bag.set("?title", "root").unwrap();
    bag.edit(Edit::SetResolver {
        path: path("r"),
        resolver: Some(ResolverRef::new(name("remote"))),
        content: None,
        attributes: None,
        position: Some(crate::position("<")),
    })
    .unwrap();
    bag.remove("c").unwrap();
    bag
}

#[test]
fn an_image_restores_ids_revisions_order_and_the_counter() {
    let bag = bag();
    let mut restored = Bag::restore(bag.image_counters(), bag.image()).unwrap();
    assert!(restored.image().eq(bag.image()));
    assert_eq!(restored.image_counters(), bag.image_counters());
    assert_eq!(restored, bag);
    let mut bag = bag;
    let ops = bag.order(&Edit::set(path("a.new"), 1).into()).unwrap();
    assert_eq!(bag.apply(&ops, 9), restored.apply(&ops, 9));
    assert!(restored.image().eq(bag.image()));
}

#[test]
fn rows_that_are_no_image_are_refused() {
    let bag = bag();
    let counters = bag.image_counters();
    let rows: Vec<ImageRow> = bag.image().collect();
    let kind = |rows: &[ImageRow]| {
        let restored = Bag::restore(counters, rows.iter().cloned());
        restored
            .map(|_| ())
            .map_err(|error| (error.kind(), error.row()))
    };
    let changed = |row: usize, change: &dyn Fn(&mut ImageRow)| {
        let mut rows = rows.clone();
        change(&mut rows[row]);
        kind(&rows)
    };
    assert_eq!(kind(&rows), Ok(()));
    assert_eq!(kind(&[]), Err((ImageErrorKind::Root, 0)));
    assert_eq!(kind(&rows[1..]), Err((ImageErrorKind::Root, 0)));
    assert_eq!(
        changed(0, &|row| row.value = Some(Value::Null)),
        Err((ImageErrorKind::Root, 0))
    );
    assert_eq!(
        changed(2, &|row| row.label = None),
        Err((ImageErrorKind::Root, 2))
    );
    assert_eq!(
        changed(1, &|row| row.depth = 2),
        Err((ImageErrorKind::Depth, 1))
    );
    assert_eq!(
        changed(2, &|row| row.id = NodeId::ROOT),
        Err((ImageErrorKind::BadId, 2))
    );
    let duplicate = |row: &mut ImageRow| row.label.clone_from(&rows[1].label);
    assert_eq!(
        changed(2, &duplicate),
        Err((ImageErrorKind::DuplicateLabel, 2))
    );
    let far = NodeId::from_bytes(u128::from(counters.next_id).to_be_bytes());
    assert_eq!(
        changed(2, &|row| row.id = far),
        Err((ImageErrorKind::Counter, 2))
    );
    let overlay = NodeId::from_bytes([0xFF; 16]);
    assert_eq!(
        changed(2, &|row| row.id = overlay),
        Err((ImageErrorKind::BadId, 2))
    );
}
