//! Overlays are shown and not stored, and guard what they stand for.

use dhlrs_bag::{
    Bag, Branch, Change, ChangeKind, Content, Edit, EditErrorKind, ResolverRef, Row, Shown, Value,
};

use crate::{label, listing, name, path, refuses, told};

fn show(bag: &mut Bag, to: &str, content: impl Into<Content>) -> Vec<Change> {
    bag.set_overlay(&path(to), Some(content.into())).unwrap()
}

fn hide(bag: &mut Bag, to: &str) -> Vec<Change> {
    bag.set_overlay(&path(to), None).unwrap()
}

fn stored(bag: &Bag) -> String {
    let restored = Bag::restore(bag.image_counters(), bag.image()).unwrap();
    listing(&restored)
}

fn branch() -> Branch {
    Branch::from_rows([
        Row::value(0, label("x"), 1),
        Row::bag(0, label("y")),
        Row::value(1, label("z"), 2),
    ])
    .unwrap()
}

#[test]
fn an_overlay_shows_and_is_never_stored() {
    let mut bag = Bag::new();
    bag.set("a", 1).unwrap();
    let image: Vec<_> = bag.image().collect();
    let changes = show(&mut bag, "a", 2);
    assert_eq!(told(&changes), "resolve a");
    assert_eq!(changes[0].old, Shown::Scalar(Value::Int(1)));
    assert_eq!(show(&mut bag, "a", 2), []);
    assert_eq!(told(&show(&mut bag, "b.c", branch())), "resolve b.c");
    assert_eq!(listing(&bag), "a=2 b b.c b.c.x=1 b.c.y b.c.y.z=2");
    let node = bag.root().child("a").unwrap();
    assert_eq!(node.stored_value(), Some(&Value::Int(1)));
    assert!(node.has_overlay() && !node.is_overlay());
    assert!(bag.root().child("b").unwrap().is_overlay());
    assert_eq!((bag.len(), bag.revision()), (1, 1));
    assert!(bag.image().eq(image));
    assert_eq!(bag.root().rows().count(), 1);
    assert_eq!(told(&hide(&mut bag, "b.c")), "resolve b.c");
    assert_eq!(listing(&bag), "a=2");
    hide(&mut bag, "a");
    assert_eq!(listing(&bag), "a=1");
    assert_eq!(hide(&mut bag, "a"), []);
}

#[test]
fn an_overlay_bag_hides_what_is_stored_beneath_it() {
    let mut bag = Bag::new();
    bag.set("a.s", 1).unwrap();
    show(&mut bag, "a.derived", 5);
    show(&mut bag, "a", branch());
    assert_eq!(listing(&bag), "a a.x=1 a.y a.y.z=2");
    assert_eq!(stored(&bag), "a a.s=1");
    show(&mut bag, "a.y.more", 3);
    assert_eq!(bag.get("a.y.more"), Some(&Value::Int(3)));
    hide(&mut bag, "a");
    assert_eq!(listing(&bag), "a a.s=1");
    assert_eq!(bag.root().walk().count(), 2);
}

#[test]
fn writing_at_or_below_an_overlay_is_refused_until_it_is_materialised() {
    let mut bag = Bag::new();
    bag.set("r", Value::Null).unwrap();
    show(&mut bag, "r", branch());
    show(&mut bag, "d.e", 5);
    let refused = [
        Edit::set(path("r.x"), 9),
        Edit::set(path("r.new.node"), 9),
        Edit::set(path("r"), 9),
        Edit::set(path("d.e"), 9),
        Edit::set(path("d.e.other"), 9),
        Edit::Remove { path: path("r.x") },
        Edit::Remove { path: path("d") },
        Edit::Move {
            path: path("d"),
            to: path("f"),
            position: None,
        },
        Edit::Move {
            path: path("r"),
            to: path("d"),
            position: None,
        },
    ];
    for edit in refused {
        refuses(&mut bag, edit, EditErrorKind::UnderOverlay);
    }
    let next = bag.image_counters().next_id;
    let changes = bag
        .edit(Edit::Materialise {
            path: path("r.y.z"),
        })
        .unwrap();
    assert_eq!(told(&changes), "value r");
    let changes = bag.edit(Edit::Materialise { path: path("d.e") }).unwrap();
    assert_eq!(told(&changes), "+insert d, insert d.e");
    assert_eq!(stored(&bag), "r r.x=1 r.y r.y.z=2 d d.e=5");
    assert_eq!(listing(&bag), stored(&bag));
    assert_eq!(bag.image_counters().next_id, next + 5);
    bag.set("r.x", 9).unwrap();
    assert_eq!(bag.edit(Edit::Materialise { path: path("r") }).unwrap(), []);
}

#[test]
fn a_bag_that_only_holds_an_overlay_is_in_nobodys_way() {
    let mut bag = Bag::new();
    show(&mut bag, "stats.day.total", 5);
    let changes = bag.edit(Edit::set(path("stats.day.note"), "x")).unwrap();
    assert_eq!(
        told(&changes),
        "+insert stats, +insert stats.day, insert stats.day.note"
    );
    assert_eq!(
        listing(&bag),
        "stats stats.day stats.day.note=x stats.day.total=5"
    );
    assert_eq!(stored(&bag), "stats stats.day stats.day.note=x");
    refuses(
        &mut bag,
        Edit::set(path("stats.day.total"), 9),
        EditErrorKind::UnderOverlay,
    );
    hide(&mut bag, "stats.day.total");
    assert_eq!(listing(&bag), stored(&bag));
    // A branch from elsewhere may bring the bag, and even the label.
    show(&mut bag, "k.total", 5);
    let rows = [Row::bag(0, label("k")), Row::value(1, label("note"), 1)];
    let branch = Branch::from_rows(rows).unwrap();
    let path = path("");
    bag.edit(Edit::Merge { path, branch }).unwrap();
    assert_eq!(bag.get("k.total"), Some(&Value::Int(5)));
    assert_eq!(bag.get("k.note"), Some(&Value::Int(1)));
    // What a resolver gave is guarded all the same, though such a bag stood there before it.
    show(&mut bag, "r.x", 1);
    show(&mut bag, "r", self::branch());
    refuses(
        &mut bag,
        Edit::set(self::path("r.more"), 9),
        EditErrorKind::UnderOverlay,
    );
}

#[test]
fn attributes_of_a_missing_node_make_it_beneath_its_overlay() {
    let mut bag = Bag::new();
    show(&mut bag, "bound", 5);
    let changes = bag.edit(Edit::set(path("bound?site"), "s1")).unwrap();
    assert_eq!(told(&changes), "insert bound");
    let node = bag.root().child("bound").unwrap();
    assert_eq!(
        (node.value(), node.stored_value()),
        (Some(&Value::Int(5)), Some(&Value::Null))
    );
    assert!(!node.is_overlay());
    assert_eq!(stored(&bag), "bound=null");
    assert_eq!(bag.root().len(), 1);
}

#[test]
fn invalidating_forgets_the_overlay_and_takes_no_revision() {
    let mut bag = Bag::new();
    let resolver = Some(ResolverRef::new(name("r")));
    let edit = Edit::SetResolver {
        path: path("r"),
        resolver,
        content: None,
        attributes: None,
        position: None,
    };
    bag.edit(edit).unwrap();
    show(&mut bag, "r", 5);
    let changes = bag.edit(Edit::Invalidate { path: path("r") }).unwrap();
    assert_eq!(told(&changes), "resolve r");
    assert!(changes[0].invalidated);
    assert_eq!(changes[0].new, Shown::Scalar(Value::Null));
    assert_eq!((bag.get("r"), bag.revision()), (Some(&Value::Null), 1));
    // Whoever caches hears of it although nothing shows.
    assert_eq!(
        bag.edit(Edit::Invalidate { path: path("r") })
            .unwrap()
            .len(),
        1
    );
    show(&mut bag, "only.shown", 5);
    bag.edit(Edit::Invalidate {
        path: path("only.shown"),
    })
    .unwrap();
    assert_eq!(listing(&bag), "r=null");
    refuses(
        &mut bag,
        Edit::Invalidate { path: path("no") },
        EditErrorKind::Missing,
    );
}

#[test]
fn a_new_resolver_drops_the_overlay_of_the_old_one() {
    let mut bag = Bag::new();
    bag.set("r", 1).unwrap();
    show(&mut bag, "r", branch());
    let edit = Edit::SetResolver {
        path: path("r"),
        resolver: Some(ResolverRef::new(name("r"))),
        content: None,
        attributes: None,
        position: None,
    };
    assert_eq!(told(&bag.edit(edit).unwrap()), "value r");
    assert_eq!(listing(&bag), "r=1");
}

#[test]
fn overlays_stand_where_stored_nodes_come_and_go() {
    let mut bag = Bag::new();
    for own in ["a", "b", "c"] {
        bag.set(own, 1).unwrap();
        show(&mut bag, &format!("{own}_shown"), 2);
    }
    let mut plain = Bag::restore(bag.image_counters(), bag.image()).unwrap();
    let edits = [
        Edit::set(path("d"), 1),
        Edit::Set {
            path: path("e"),
            content: Some(1.into()),
            attributes: None,
            position: Some(crate::position(">b_shown")),
            overwrite: false,
        },
        Edit::Move {
            path: path("a"),
            to: path("a"),
            position: Some(crate::position(">")),
        },
        Edit::Sort {
            path: path(""),
            by: dhlrs_bag::SortField::Label.into(),
        },
        Edit::Remove { path: path("b") },
    ];
    for edit in edits {
        let ops = bag.order(&edit.into()).unwrap();
        let revision = bag.revision() + 1;
        bag.apply(&ops, revision);
        plain.apply(&ops, revision);
        assert!(bag.image().eq(plain.image()));
    }
    assert_eq!(bag.root().walk().count(), 7);
    bag.edit(Edit::Clear { path: path("") }).unwrap();
    assert_eq!(bag.root().walk().count(), 0);
}

#[test]
fn an_overlay_keeps_to_the_limits_and_off_the_root() {
    let mut bag = Bag::new();
    bag.set("s", 1).unwrap();
    let kind = |bag: &mut Bag, to: &str, content: Content| {
        bag.set_overlay(&path(to), Some(content))
            .unwrap_err()
            .kind()
    };
    let long = Content::from("x".repeat(300_000));
    assert_eq!(kind(&mut bag, "b", long), EditErrorKind::TooLarge);
    assert_eq!(kind(&mut bag, "", 1.into()), EditErrorKind::BadPath);
    assert_eq!(kind(&mut bag, "#9", 1.into()), EditErrorKind::BadPath);
    assert_eq!(
        kind(&mut bag, "s.below", 1.into()),
        EditErrorKind::ThroughScalar
    );
    let deep = vec!["d"; 63].join(".");
    assert_eq!(
        kind(&mut bag, &deep, branch().into()),
        EditErrorKind::TooDeep
    );
    let change = show(&mut bag, "s", branch()).remove(0);
    assert_eq!(
        (change.kind, change.new),
        (ChangeKind::Resolve, Shown::Branch { nodes: 3 })
    );
}

#[test]
fn what_is_inside_an_overlay_comes_and_goes_by_itself() {
    let mut bag = Bag::new();
    bag.set("r.stored", 1).unwrap();
    show(&mut bag, "r", branch());
    assert_eq!(told(&hide(&mut bag, "r.x")), "resolve r.x");
    show(&mut bag, "r.w", 3);
    assert_eq!(listing(&bag), "r r.y r.y.z=2 r.w=3");
    let root = bag.root().child("r").unwrap();
    assert_eq!((root.child("x"), root.child_at(1)), (None, root.child("w")));
    assert_eq!((root.len(), root.child_at(-1)), (2, root.child("w")));
    hide(&mut bag, "r");
    assert_eq!(listing(&bag), "r r.stored=1");
    assert_eq!(bag.get("r.stored"), Some(&Value::Int(1)));
    assert_eq!(bag.root().child("r").unwrap().len(), 1);
}

#[test]
fn a_plain_set_is_refused_on_and_below_an_overlay_of_a_stored_node() {
    let mut bag = Bag::new();
    bag.set("a.b", 1).unwrap();
    bag.set_overlay(&path("a"), Some(Content::Value(7.into())))
        .unwrap();
    for to in ["a", "a.b", "a.new"] {
        let error = bag.set(to, 2).unwrap_err();
        assert_eq!(error.kind(), EditErrorKind::UnderOverlay, "{to}");
    }
    bag.set_overlay(&path("a"), None).unwrap();
    bag.set("a.b", 2).unwrap();
    assert_eq!(bag.get("a.b"), Some(&2.into()));
}

#[test]
fn what_is_stored_is_found_beneath_and_behind_overlays() {
    let mut bag = Bag::new();
    bag.set("a.b", 1).unwrap();
    show(&mut bag, "a", 2);
    show(&mut bag, "c.d", 3);
    let found = |at: &str| {
        bag.stored_node(&path(at))
            .map(|node| node.path().to_string())
    };
    assert_eq!(found(""), Some(String::new()));
    assert_eq!(found("a.b").as_deref(), Some("a.b"));
    assert!(bag.node(&path("a.b")).is_none(), "a shows 2");
    assert_eq!((found("c"), found("c.d")), (None, None));
}

#[test]
fn materialising_stores_one_overlay_and_leaves_those_beside_it_and_in_it() {
    let materialise = |at: &str| Edit::Materialise { path: path(at) };
    let mut bag = Bag::new();
    show(&mut bag, "rates.eur", 1);
    show(&mut bag, "rates.usd", 2);
    bag.edit(materialise("rates.eur")).unwrap();
    assert_eq!(stored(&bag), "rates rates.eur=1");
    assert_eq!(listing(&bag), "rates rates.eur=1 rates.usd=2");
    hide(&mut bag, "rates.usd");
    assert_eq!(listing(&bag), "rates rates.eur=1");

    bag.set("r", Value::Null).unwrap();
    show(&mut bag, "r", branch());
    show(&mut bag, "r.sum.total", 3);
    bag.edit(materialise("r.x")).unwrap();
    assert_eq!(stored(&bag), "rates rates.eur=1 r r.x=1 r.y r.y.z=2");
    // What holds overlays and is none itself is stored with all of them.
    show(&mut bag, "w.a", 1);
    show(&mut bag, "w.b.c", 2);
    bag.edit(materialise("w")).unwrap();
    assert!(
        stored(&bag).ends_with("w w.a=1 w.b w.b.c=2"),
        "{}",
        stored(&bag)
    );
}

#[test]
fn what_is_taken_out_is_what_was_stored() {
    let mut bag = Bag::new();
    bag.set("a.b", 1).unwrap();
    show(&mut bag, "a.o", 9);
    let Some(Content::Branch(branch)) = bag.pop("a").unwrap() else {
        panic!("a bag")
    };
    assert_eq!(branch.rows(), [Row::value(0, label("b"), 1)]);
}
