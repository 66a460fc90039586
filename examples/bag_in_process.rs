//! A tree in your own process: no node, no tasks, no IO.
//!
//! `cargo run -p dhlrs --example bag_in_process`
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use dhlrs::{Bag, Edit, Pattern, Value};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A path makes the bags that are missing on its way. `?priority` is an attribute.
    let mut bag = Bag::new();
    bag.set("orders.o1.status", "new")?;
    bag.set("orders.o1?priority", 3)?;
    bag.set("orders.o2.status", "paid")?;

    // Children keep their order; `#0` is the first one, `#-1` the last one.
    assert_eq!(bag.get("orders.#-1.status"), Some(&Value::from("paid")));
    let order = bag.node(&"orders.o1".parse()?).ok_or("missing")?;
    assert_eq!(
        (order.index(), order.attribute("priority")),
        (0, Some(&Value::from(3)))
    );

    // A snapshot costs nothing and never changes, whatever is written later.
    let before = bag.snapshot();
    let changes = bag.edit(Edit::set("orders.o1.status".parse()?, "paid"))?;
    assert_eq!(changes.len(), 1);
    assert_eq!(before.get("orders.o1.status"), Some(&Value::from("new")));
    assert_eq!(bag.get("orders.o1.status"), Some(&Value::from("paid")));

    // A draft is a copy to try things on. What is not committed has never happened.
    let mut draft = bag.begin();
    draft.set("orders.o3.status", "new")?;
    assert!(
        draft.set("orders.o3.status.code", 7).is_err(),
        "a text is no bag"
    );
    drop(draft);
    assert_eq!(bag.get("orders.o3.status"), None);

    // A pattern finds nodes anywhere: `*` is one step, `**` any number.
    let pattern: Pattern = "**.status".parse()?;
    let found: Vec<String> = bag
        .query(&pattern)
        .map(|node| node.path().to_string())
        .collect();
    assert_eq!(found, ["orders.o1.status", "orders.o2.status"]);

    println!("found {found:?}");
    Ok(())
}
