//! Three processes in a line: the client reaches only the one in the middle.

use crate::world::{Running, World};

#[test]
fn the_middle_one_carries_what_the_far_ones_are_asked() {
    let world = World::new();
    let left = world.serve(&["--name", "left/main"]);
    let right = world.serve(&["--name", "right/main"]);
    let middle = world.serve(&[
        "--name",
        "middle/main",
        "--connect",
        &left.url,
        "--connect",
        &right.url,
    ]);
    // The middle one has connected to both once it knows a way to them.
    for far in ["left/main", "right/main"] {
        let known = (0..500).any(|_| {
            middle
                .dhlrs(&world, &["status"])
                .ok()
                .contains(&format!("route       {far}"))
        });
        assert!(known, "{far}");
    }

    let mut watch = Running::of(
        world
            .command(&middle.words(&["watch", "left/main/main/orders", "--count", "2"]))
            .spawn()
            .unwrap(),
    );
    assert_eq!(watch.note(), "watching from 1");
    assert_eq!(
        middle
            .dhlrs(&world, &["set", "left/main/main/orders.o1", "new"])
            .ok(),
        "1\n"
    );
    assert_eq!(
        middle
            .dhlrs(&world, &["set", "right/main/main/stock", "7"])
            .ok(),
        "1\n"
    );
    // Past the middle one, directly.
    assert_eq!(
        left.dhlrs(&world, &["get", "//main/orders.o1"]).ok(),
        "new\n"
    );
    assert_eq!(
        middle.dhlrs(&world, &["get", "right/main/main/stock"]).ok(),
        "7\n"
    );
    // From one end to the other.
    assert_eq!(
        right
            .dhlrs(&world, &["get", "left/main/main/orders.o1"])
            .ok(),
        "new\n"
    );
    assert_eq!(watch.line(), "1 insert orders - -> {\"$branch\":0}");
    assert_eq!(watch.line(), "1 insert orders.o1 - -> \"new\"");
    assert_eq!(watch.end().code, 0);
}
