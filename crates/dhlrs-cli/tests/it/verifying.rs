//! `verify` says what is wrong in a data directory and where, and touches nothing.

use std::{fs, path::PathBuf};

use crate::world::World;

/// A directory in which a node has written, and its one segment.
fn written(world: &World) -> (String, PathBuf) {
    let dir = world.path("data");
    let dir = dir.to_str().unwrap().to_owned();
    let server = world.serve(&["--name", "m/p", "--data", &dir]);
    for n in ["1", "2", "3"] {
        server.dhlrs(world, &["set", "//main/a", n]).ok();
    }
    let busy = world.dhlrs(&["verify", &dir]);
    assert!(busy.fails(3).contains("stop that process"));
    server.terminate();
    let store = world.path("data/stores/main");
    let mut names: Vec<PathBuf> = fs::read_dir(store)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort_unstable();
    (dir, names.pop().unwrap())
}

#[test]
fn a_directory_in_order_is_said_to_be() {
    let world = World::new();
    let (dir, segment) = written(&world);
    let before = fs::read(&segment).unwrap();
    let told = world.dhlrs(&["verify", &dir]).ok();
    assert!(told.starts_with("main\tin order\t"), "{told}");
    let told = world.dhlrs(&["verify", &dir, "--json"]).ok();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&told["store"], &told["ok"]),
        (&"main".into(), &true.into())
    );
    assert_eq!(told["damaged"].as_array().map(Vec::len), Some(0));
    assert_eq!(fs::read(&segment).unwrap(), before);
}

#[test]
fn damage_is_named_with_its_file_and_place() {
    let world = World::new();
    let (dir, segment) = written(&world);
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let done = world.dhlrs(&["verify", &dir]);
    assert!(done.fails(1).contains("damaged: 1 of 1 stores"));
    let file = segment.to_str().unwrap();
    let told = &done.out;
    assert!(
        told.contains("main\tDAMAGED\t") && told.contains(file),
        "{told}"
    );
    let done = world.dhlrs(&["verify", &dir, "--json"]);
    let told: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    let damaged = &told["damaged"][0];
    assert_eq!(
        (&told["ok"], &damaged["file"]),
        (&false.into(), &file.into())
    );
    let offset = usize::try_from(damaged["offset"].as_u64().unwrap()).unwrap();
    assert!(offset <= middle, "{damaged}");
}

#[test]
fn what_is_no_data_directory_stays_as_it_is() {
    let world = World::new();
    let dir = world.path("elsewhere");
    fs::create_dir(&dir).unwrap();
    let done = world.dhlrs(&["verify", dir.to_str().unwrap()]);
    assert!(done.fails(1).contains("--data"));
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
    let missing = world.path("missing");
    world.dhlrs(&["verify", missing.to_str().unwrap()]).fails(1);
    assert!(!missing.exists());
}
