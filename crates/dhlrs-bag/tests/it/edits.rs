//! What each edit does to the tree, what it tells, and when it is refused.

use dhlrs_bag::{
    Attributes, Bag, Branch, Change, ChangeKind, Content, Edit, EditErrorKind, GuardedEdit,
    Precondition, ResolverRef, Row, Shown, SortField, SortKey, Value,
};

use crate::{label, listing, name, path, position, refuses, told};

fn bag(values: &[(&str, i64)]) -> Bag {
    let mut bag = Bag::new();
    for (path, value) in values {
        bag.set(path, *value).unwrap();
    }
    bag
}

fn set(to: &str, content: impl Into<Content>) -> Edit {
    Edit::set(path(to), content)
}

fn set_at(to: &str, value: i64, place: &str) -> Edit {
    Edit::Set {
        path: path(to),
        content: Some(value.into()),
        attributes: None,
        position: Some(position(place)),
        overwrite: false,
    }
}

fn resolver(to: &str, resolver: Option<&str>, content: Option<i64>) -> Edit {
    Edit::SetResolver {
        path: path(to),
        resolver: resolver.map(|text| ResolverRef::new(name(text))),
        content: content.map(Content::from),
        attributes: None,
        position: None,
    }
}

fn shift(from: &str, to: &str, place: Option<&str>) -> Edit {
    Edit::Move {
        path: path(from),
        to: path(to),
        position: place.map(position),
    }
}

#[track_caller]
fn one(bag: &mut Bag, edit: Edit) -> Change {
    let mut changes = bag.edit(edit).unwrap();
    assert_eq!(changes.len(), 1, "{changes:?}");
    changes.remove(0)
}

#[test]
fn a_set_makes_the_bags_on_the_way_and_says_so() {
    let mut bag = Bag::new();
    let changes = bag.edit(set("a.b.c", 1)).unwrap();
    assert_eq!(told(&changes), "+insert a, +insert a.b, insert a.b.c");
    assert_eq!(changes[2].new, Shown::Scalar(Value::Int(1)));
    assert_eq!(changes[2].ancestors.len(), 3);
    assert_eq!(changes[2].ancestors[0], changes[1].id);
    assert_eq!(changes[2].ancestors[2], bag.root().id());
    assert_eq!(listing(&bag), "a a.b a.b.c=1");
}

#[test]
fn a_set_tells_what_changed_and_nothing_when_nothing_did() {
    let mut bag = bag(&[("a", 1)]);
    let change = one(&mut bag, set("a", 2));
    assert_eq!(change.kind, ChangeKind::Value);
    assert_eq!(change.old, Shown::Scalar(Value::Int(1)));
    assert_eq!(change.new, Shown::Scalar(Value::Int(2)));
    assert_eq!(bag.edit(set("a", 2)).unwrap(), []);
    assert_eq!(bag.revision(), 2);
    // The type is part of the value.
    assert_eq!(told(&bag.edit(set("a", 2.0)).unwrap()), "value a");
    bag.set("a", f64::NAN).unwrap();
    assert_eq!(bag.edit(set("a", f64::NAN)).unwrap(), []);
}

#[test]
fn a_set_writes_through_null_and_through_a_scalar_only_when_asked() {
    let mut bag = bag(&[("a", 1)]);
    bag.set("n", Value::Null).unwrap();
    assert_eq!(
        told(&bag.edit(set("n.x", 1)).unwrap()),
        "+value n, insert n.x"
    );
    refuses(&mut bag, set("a.b.c", 1), EditErrorKind::ThroughScalar);
    let error = bag.edit(set("a.b.c", 1)).unwrap_err();
    assert_eq!(error.path().as_str(), "a");
    let changes = bag.edit(Edit::Set {
        path: path("a.b.c"),
        content: Some(1.into()),
        attributes: None,
        position: None,
        overwrite: true,
    });
    assert_eq!(
        told(&changes.unwrap()),
        "+value a, +insert a.b, insert a.b.c"
    );
}

#[test]
fn a_scalar_over_a_bag_takes_everything_in_it_away() {
    let mut bag = bag(&[("a.b", 1), ("a.c.d", 2)]);
    let change = one(&mut bag, set("a", 5));
    assert_eq!(
        (change.kind, &change.old),
        (ChangeKind::Value, &Shown::Branch { nodes: 3 })
    );
    assert_eq!((listing(&bag).as_str(), bag.len()), ("a=5", 1));
}

#[test]
fn a_branch_is_placed_whole_and_replaces_what_is_there() {
    let mut bag = Bag::new();
    let rows = [
        Row::value(0, label("x"), 1),
        Row::bag(0, label("y")),
        Row::value(1, label("z"), 2),
    ];
    let branch = Branch::from_rows(rows).unwrap();
    let change = one(&mut bag, set("a", branch.clone()));
    assert_eq!(
        (change.kind, &change.new),
        (ChangeKind::Insert, &Shown::Branch { nodes: 3 })
    );
    assert_eq!(listing(&bag), "a a.x=1 a.y a.y.z=2");
    let ids: Vec<_> = bag.root().walk().map(|visited| visited.node.id()).collect();
    assert!(ids.is_sorted());
    assert_eq!(bag.edit(set("a", branch)).unwrap(), []);
    let change = one(&mut bag, set("a", Branch::new()));
    assert_eq!(
        (change.kind, &change.new),
        (ChangeKind::Replace, &Shown::Branch { nodes: 0 })
    );
    assert_eq!(bag.len(), 1);
}

#[test]
fn each_position_form_places_a_new_node() {
    let placed = |place: &str| {
        let mut bag = bag(&[("a", 0), ("b", 0), ("c", 0)]);
        bag.edit(set_at("x", 1, place)).unwrap();
        let labels = bag.root().children().map(|node| node.label().to_string());
        labels.collect::<String>()
    };
    let forms = [
        ("<", "xabc"),
        (">", "abcx"),
        ("#0", "xabc"),
        ("#2", "abxc"),
        ("#3", "abcx"),
        ("#-1", "abxc"),
        ("#-3", "xabc"),
        ("<b", "axbc"),
        (">b", "abxc"),
        ("<#0", "xabc"),
        ("<#-1", "abxc"),
        (">#0", "axbc"),
        (">#-1", "abcx"),
    ];
    for (form, labels) in forms {
        assert_eq!(placed(form), labels, "{form}");
    }
}

#[test]
fn a_position_that_is_not_there_changes_nothing() {
    let mut bag = bag(&[("a", 0), ("b", 0)]);
    for place in ["#3", "#-3", "<z", ">z", "<#2", ">#-3"] {
        refuses(&mut bag, set_at("x", 1, place), EditErrorKind::BadPosition);
        refuses(
            &mut bag,
            shift("a", "a", Some(place)),
            EditErrorKind::BadPosition,
        );
    }
    refuses(
        &mut bag,
        set_at("new.x", 1, "<a"),
        EditErrorKind::BadPosition,
    );
    // It concerns new nodes only.
    assert_eq!(told(&bag.edit(set_at("a", 1, "#9")).unwrap()), "value a");
}

#[test]
fn attributes_merge_replace_and_go_by_null() {
    let mut bag = bag(&[("a", 1)]);
    let attributes = |pairs: &[(&str, i64)]| -> Attributes {
        pairs
            .iter()
            .map(|(own, value)| (name(own), Value::Int(*value)))
            .collect()
    };
    bag.edit(Edit::SetAttributes {
        path: path("a"),
        attributes: attributes(&[("x", 1), ("y", 2)]),
    })
    .unwrap();
    let change = one(&mut bag, set("a?x", 5));
    assert_eq!(change.kind, ChangeKind::Attributes);
    assert_eq!(change.attributes.len(), 1);
    assert_eq!(change.attributes[0].old, Some(Value::Int(1)));
    let change = one(
        &mut bag,
        Edit::Set {
            path: path("a"),
            content: Some(2.into()),
            attributes: Some(attributes(&[("z", 3)])),
            position: None,
            overwrite: false,
        },
    );
    assert_eq!(
        (change.kind, change.attributes.len()),
        (ChangeKind::ValueAndAttributes, 3)
    );
    assert_eq!(
        *bag.root().child("a").unwrap().attributes(),
        attributes(&[("z", 3)])
    );
    bag.set("a?z", Value::Null).unwrap();
    assert!(bag.root().child("a").unwrap().attributes().is_empty());
    // A missing node is made; the root has attributes too.
    bag.set_attribute("new.node", "x", 1).unwrap();
    assert_eq!(bag.get("new.node"), Some(&Value::Null));
    bag.set("?title", "t").unwrap();
    assert_eq!(bag.get("?title"), Some(&Value::from("t")));
}

#[test]
fn a_remove_takes_nodes_and_attributes_by_any_step_form() {
    let mut bag = bag(&[("a", 1), ("b", 2), ("c", 3), ("d.e", 4)]);
    for (own, value) in [("x", 1), ("y", 2), ("z", 3)] {
        bag.set_attribute("a", own, value).unwrap();
    }
    assert!(bag.remove("a?x").unwrap());
    assert!(!bag.remove("a?x").unwrap());
    assert!(bag.remove("a?").unwrap());
    assert_eq!(bag.pop("#1").unwrap(), Some(Content::Value(Value::Int(2))));
    assert!(bag.remove("#=3").unwrap());
    assert_eq!(bag.pop("nowhere.at.all").unwrap(), None);
    assert_eq!(bag.pop("#9").unwrap(), None);
    let change = one(&mut bag, Edit::Remove { path: path("d") });
    assert_eq!((change.kind, change.index), (ChangeKind::Remove, Some(1)));
    assert_eq!(
        (&change.old, &change.new),
        (&Shown::Branch { nodes: 1 }, &Shown::Absent)
    );
    assert_eq!(listing(&bag), "a=1");
    refuses(
        &mut bag,
        Edit::Remove { path: path("") },
        EditErrorKind::BadPath,
    );
}

#[test]
fn a_move_is_one_event_and_keeps_ids() {
    let mut bag = bag(&[("a.x", 1), ("b.y", 2), ("c", 3)]);
    let id = bag.root().child("a").unwrap().id();
    let change = one(&mut bag, shift("a", "b.z", Some("<")));
    assert_eq!((change.kind, change.id), (ChangeKind::Move, id));
    assert_eq!(change.old_path, Some(path("a")));
    assert_eq!((change.old_index, change.index), (Some(0), Some(0)));
    assert_eq!((change.ancestors.len(), change.old_ancestors.len()), (2, 1));
    assert_eq!(listing(&bag), "b b.z b.z.x=1 b.y=2 c=3");
    assert_eq!(bag.node_by_id(id).unwrap().path(), path("b.z"));
    assert_eq!(told(&bag.edit(shift("c", "d", None)).unwrap()), "rename d");
    assert_eq!(
        told(&bag.edit(shift("d", "d", Some("<"))).unwrap()),
        "move d"
    );
    assert_eq!(bag.edit(shift("d", "d", Some("#0"))).unwrap(), []);
    assert_eq!(
        told(&bag.edit(shift("d", "d", Some(">"))).unwrap()),
        "move d"
    );
    refuses(&mut bag, shift("b", "b.z.b", None), EditErrorKind::Cycle);
    refuses(&mut bag, shift("b", "d", None), EditErrorKind::Exists);
    refuses(&mut bag, shift("b", "d.b", None), EditErrorKind::NotABag);
    refuses(&mut bag, shift("b", "no.b", None), EditErrorKind::Missing);
    refuses(&mut bag, shift("no", "x", None), EditErrorKind::Missing);
}

#[test]
fn a_move_goes_through_null_as_a_write_does() {
    let mut bag = bag(&[("a", 1), ("c.x", 2)]);
    bag.edit(set("n", Value::Null)).unwrap();
    let refused = EditErrorKind::BadPosition;
    refuses(&mut bag, shift("a", "n.a", Some("<x")), refused);
    let changes = bag.edit(shift("a", "n.b", Some("<"))).unwrap();
    assert_eq!(told(&changes), "+value n, move n.b");
    assert_eq!(listing(&bag), "c c.x=2 n n.b=1");
    bag.edit(set("m", Value::Null)).unwrap();
    refuses(&mut bag, shift("m", "m.m", None), EditErrorKind::Cycle);
}

#[test]
fn a_refused_move_names_the_path_that_is_in_the_way() {
    let bag = bag(&[("a", 1), ("c.x", 2)]);
    let says = |from: &str, to: &str| {
        let edit = GuardedEdit::from(shift(from, to, None));
        bag.order(&edit).unwrap_err().to_string()
    };
    assert_eq!(says("a", "no.such.x"), "no.such: missing");
    assert_eq!(says("a", "#9.x"), "#9: missing");
    assert_eq!(says("no", "x"), "no: missing");
    assert!(says("c.x", "a.x").starts_with("a: holds a value and is no bag"));
    assert!(says("a", "").starts_with("the root: takes no value"));
    assert!(says("", "a.b").starts_with("the root: takes no value"));
    assert!(says("a", "c.#0").starts_with("c.#0: its last step must be a label"));
    assert!(says("a", "c?x").starts_with("c?x: this names attributes"));
}

#[test]
fn rename_sort_clear_and_replace_are_one_event_each() {
    let mut bag = bag(&[("a.c", 1), ("a.b", 2), ("a.d", 0)]);
    let to = label("z");
    let change = one(
        &mut bag,
        Edit::Rename {
            path: path("a.c"),
            label: to,
        },
    );
    assert_eq!(
        (change.kind, change.old_path),
        (ChangeKind::Rename, Some(path("a.c")))
    );
    let taken = Edit::Rename {
        path: path("a.b"),
        label: label("d"),
    };
    refuses(&mut bag, taken, EditErrorKind::Exists);
    let by_value = Edit::Sort {
        path: path("a"),
        by: SortKey::from(SortField::Value),
    };
    assert_eq!(one(&mut bag, by_value.clone()).kind, ChangeKind::Sort);
    assert_eq!(listing(&bag), "a a.d=0 a.z=1 a.b=2");
    assert_eq!(bag.edit(by_value).unwrap(), []);
    let branch = Branch::from_rows([Row::value(0, label("n"), 1)]).unwrap();
    let change = one(
        &mut bag,
        Edit::Replace {
            path: path("a"),
            branch,
        },
    );
    assert_eq!(
        (change.kind, &change.old),
        (ChangeKind::Replace, &Shown::Branch { nodes: 3 })
    );
    let clear = Edit::Clear { path: path("") };
    let change = one(&mut bag, clear.clone());
    assert_eq!(
        (change.kind, change.path.as_str()),
        (ChangeKind::Replace, "")
    );
    assert_eq!(bag.edit(clear).unwrap(), []);
    bag.set("s", 1).unwrap();
    refuses(
        &mut bag,
        Edit::Clear { path: path("s") },
        EditErrorKind::NotABag,
    );
    refuses(
        &mut bag,
        Edit::Clear { path: path("no") },
        EditErrorKind::Missing,
    );
}

#[test]
fn a_merge_goes_into_what_is_there_and_tells_each_change() {
    let mut bag = bag(&[("a.x", 1), ("a.y.z", 2)]);
    let mut attributed = Row::value(1, label("x"), 1);
    attributed.attributes.insert(name("unit"), "m".into());
    let rows = [
        Row::bag(0, label("a")),
        attributed,
        Row::bag(1, label("y")),
        Row::value(2, label("z"), 3),
        Row::bag(1, label("w")),
        Row::value(2, label("v"), 4),
        Row::value(1, label("u"), 5),
    ];
    let branch = Branch::from_rows(rows).unwrap();
    let merge = Edit::Merge {
        path: path(""),
        branch,
    };
    let changes = bag.edit(merge.clone()).unwrap();
    assert_eq!(
        told(&changes),
        "attrs a.x, value a.y.z, insert a.w, insert a.u"
    );
    assert_eq!(listing(&bag), "a a.x=1 a.y a.y.z=3 a.w a.w.v=4 a.u=5");
    assert_eq!(bag.edit(merge).unwrap(), []);
}

#[test]
fn a_merge_can_leave_out_what_is_refused() {
    let mut bag = bag(&[("s", 1), ("b.x", 1)]);
    let rows = [
        Row::bag(0, label("s")),
        Row::value(1, label("below"), 1),
        Row::value(0, label("b2"), 2),
        Row::value(0, label("big"), "x".repeat(300_000).as_str()),
    ];
    let branch = Branch::from_rows(rows).unwrap();
    let strict = Edit::Merge {
        path: path(""),
        branch: branch.clone(),
    };
    refuses(&mut bag, strict, EditErrorKind::ThroughScalar);
    let merged = bag.order_merge(&path(""), &branch).unwrap();
    assert_eq!(merged.skipped, 3);
    let kinds: Vec<_> = merged
        .first_skipped
        .iter()
        .map(|error| error.kind())
        .collect();
    assert_eq!(
        kinds,
        [EditErrorKind::ThroughScalar, EditErrorKind::TooLarge]
    );
    assert_eq!(merged.first_skipped[1].path().as_str(), "big");
    bag.apply(&merged.ops, 9);
    assert_eq!(listing(&bag), "s=1 b b.x=1 b2=2");
    let merged = bag.order_merge(&path("new"), &branch).unwrap();
    assert_eq!(merged.skipped, 1);
    bag.apply(&merged.ops, 10);
    assert_eq!(bag.get("new.s.below"), Some(&Value::Int(1)));
}

#[test]
fn preconditions_are_judged_for_the_node() {
    let mut bag = bag(&[("a.x", 1)]);
    let mut guarded = |to: &str, precondition| {
        let edit = GuardedEdit {
            edit: set(to, 7),
            precondition: Some(precondition),
        };
        bag.edit(edit)
            .map(|changes| changes.len())
            .map_err(|error| error.kind())
    };
    let failed = Err(EditErrorKind::PreconditionFailed);
    assert_eq!(guarded("a.x", Precondition::Missing), failed);
    assert_eq!(guarded("a.y", Precondition::Present), failed);
    assert_eq!(guarded("a.#7", Precondition::Present), failed);
    assert_eq!(guarded("a.y", Precondition::Missing), Ok(1));
    assert_eq!(guarded("a.x", Precondition::Present), Ok(1));
    assert_eq!(guarded("a.x", Precondition::Revision(2)), failed);
    assert_eq!(guarded("a.x", Precondition::Revision(3)), Ok(0));
    assert_eq!(guarded("no", Precondition::Revision(99)), failed);
}

#[test]
fn a_revision_is_that_of_the_last_change_of_the_node_or_its_children() {
    let mut bag = bag(&[("a.x", 1), ("a.y", 1), ("b", 1)]);
    let mut after = |edit: Edit, of: &str| {
        bag.edit(edit).unwrap();
        let own = bag.node(&path(of)).unwrap().revision();
        own == bag.revision()
    };
    assert!(
        !after(set("a.x", 2), "a"),
        "a child's value is not the bag's change"
    );
    assert!(after(set("a.z", 2), "a"));
    assert!(after(
        Edit::Rename {
            path: path("a.z"),
            label: label("w")
        },
        "a"
    ));
    assert!(after(shift("a.w", "a.w", Some("<")), "a"));
    assert!(!after(shift("a.w", "a.w", Some(">")), "a.x"));
    assert!(after(shift("a.w", "w", None), "a"));
    assert!(after(set("a?q", 1), "a"));
    assert!(!after(set("a?q", 2), "a.x"));
    assert!(after(Edit::Remove { path: path("a.x") }, "a"));
    assert!(after(resolver("b", Some("r"), None), "b"));
    let descending = Edit::Sort {
        path: path(""),
        by: SortKey::from(SortField::Label),
    };
    assert!(!after(descending, "a"), "it kept its place");
}

#[test]
fn a_resolver_guards_its_node() {
    let mut bag = bag(&[("a", 1)]);
    assert_eq!(
        told(&bag.edit(resolver("a", Some("r"), None)).unwrap()),
        "value a"
    );
    assert_eq!(bag.edit(resolver("a", Some("r"), None)).unwrap(), []);
    refuses(&mut bag, set("a", 2), EditErrorKind::ResolverGuard);
    assert_eq!(told(&bag.edit(set("a?x", 2)).unwrap()), "attrs a");
    assert_eq!(
        told(&bag.edit(resolver("a", Some("s"), Some(3))).unwrap()),
        "value a"
    );
    assert_eq!(
        told(&bag.edit(resolver("a", None, Some(4))).unwrap()),
        "value a"
    );
    assert_eq!(bag.get("a"), Some(&Value::Int(4)));
    bag.edit(resolver("n", Some("r"), None)).unwrap();
    refuses(&mut bag, set("n.below", 1), EditErrorKind::ResolverGuard);
    refuses(
        &mut bag,
        resolver("", Some("r"), None),
        EditErrorKind::BadPath,
    );
}

#[test]
fn what_makes_no_node_is_refused() {
    let mut bag = bag(&[("a.b", 1)]);
    refuses(&mut bag, set("#7", 1), EditErrorKind::Missing);
    refuses(&mut bag, set("#x=1", 1), EditErrorKind::Missing);
    refuses(&mut bag, set("", 1), EditErrorKind::BadPath);
    refuses(&mut bag, set("a?x&y", 1), EditErrorKind::BadPath);
    refuses(&mut bag, set("a?", 1), EditErrorKind::BadPath);
    refuses(&mut bag, shift("a", "#0", None), EditErrorKind::BadPath);
    assert_eq!(
        told(&bag.edit(set("new.#parent.a.c", 1)).unwrap()),
        "insert a.c"
    );
    bag.set("a.b.#parent.#0", 5).unwrap();
    assert_eq!(bag.get("a.b"), Some(&Value::Int(5)));
}

#[test]
fn what_a_merge_leaves_out_is_named_where_it_stands() {
    let bag = Bag::new();
    let mut rows = vec![Row::value(0, label("ok"), 1)];
    rows.extend((0..63).map(|depth| Row::bag(depth, label("d"))));
    rows.push(Row::value(63, label("deep"), 1));
    rows.push(Row::value(0, label("after"), 1));
    let branch = Branch::from_rows(rows).unwrap();
    let merged = bag.order_merge(&path("s"), &branch).unwrap();
    assert_eq!(merged.skipped, 1);
    let skipped = &merged.first_skipped[0];
    assert_eq!(skipped.kind(), EditErrorKind::TooDeep);
    // The node itself is too deep for a path: the bag that it is in is named.
    let bag = format!("s{}", ".d".repeat(63));
    assert_eq!(skipped.path().as_str(), bag);
}
