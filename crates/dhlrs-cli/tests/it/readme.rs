//! The commands of the README, on other ports than those it names, because others use them too.

use std::{
    collections::BTreeMap,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::world::{Server, World};

const README: &str = include_str!("../../../../README.md");
/// Where a node is, and where a command looks for it, if they are not told.
const DEFAULT_URL: &str = "ws://127.0.0.1:7411";
const PATIENCE: Duration = Duration::from_secs(60);

fn commands(heading: &str) -> Vec<Vec<String>> {
    let section = README.split_once(heading).unwrap().1;
    let (block, _) = section
        .split_once("```sh\n")
        .unwrap()
        .1
        .split_once("```")
        .unwrap();
    block.lines().map(words).collect()
}

// As a shell reads them: quotes, and a comment behind two spaces.
fn words(line: &str) -> Vec<String> {
    let line = line.split("  #").next().unwrap();
    let mut words = Vec::new();
    for (n, part) in line.split('\'').enumerate() {
        match n % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    assert_eq!(words.remove(0), "dhlrs");
    words
}

#[test]
fn two_copies_that_meet() {
    let world = World::new();
    // Where the nodes really are, by where the README has them.
    let mut servers: BTreeMap<String, Server> = BTreeMap::new();
    let mut reads = 0;
    for mut words in commands("## Two copies that meet") {
        for word in &mut words {
            if let Some(server) = servers.get(word) {
                *word = server.url.clone();
            }
        }
        if words.last().is_some_and(|word| word == "&") {
            words.pop();
            let at = words.iter().position(|word| word == "--listen");
            let url = at.map_or(DEFAULT_URL.to_owned(), |at| words.remove(at + 1));
            match at {
                Some(at) => words.insert(at + 1, "ws://127.0.0.1:0".to_owned()),
                None => words.extend(["--listen", "ws://127.0.0.1:0"].map(str::to_owned)),
            }
            servers.insert(url, world.serve(&words[1..]));
            continue;
        }
        if !words.iter().any(|word| word == "--via") {
            words.extend(["--via".to_owned(), servers[DEFAULT_URL].url.clone()]);
        }
        if words[0] != "get" {
            world.dhlrs(&words).ok();
            continue;
        }
        let begun = Instant::now();
        let expected = "{\"place\":\"upper valley\",\"depth\":31}";
        assert!(README.contains(&format!("# {expected}")));
        for server in [DEFAULT_URL, "ws://127.0.0.1:7412"] {
            *words.last_mut().unwrap() = servers[server].url.clone();
            while world.dhlrs(&words).out.replace('\n', "") != expected {
                assert!(begun.elapsed() < PATIENCE, "{:?}", world.dhlrs(&words));
                sleep(Duration::from_millis(50));
            }
        }
        reads += 1;
    }
    assert_eq!((servers.len(), reads), (3, 1));
}
