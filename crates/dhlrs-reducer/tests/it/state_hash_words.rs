//! The state hash, computed once more from the words of `docs/replication.md`, as another language would.

use dhlrs_bag::{Name, Value};
use dhlrs_feed::{Cell, Event, FeedId, Payload, TreeOp};

use crate::scene::{Scene, create, scalar};

/// Bytes as the page puts them together.
#[derive(Clone, Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn number(mut self, mut number: u64) -> Self {
        while number > 127 {
            self.0.push(number as u8 | 128);
            number >>= 7;
        }
        self.0.push(number as u8);
        self
    }

    fn bytes(self, bytes: &[u8]) -> Self {
        self.number(bytes.len() as u64).raw(bytes)
    }

    // All feeds here are of the epoch 0, without random bits.
    fn rank(self, event: &Event) -> Self {
        self.number(event.stamp.wall_ms())
            .number(u64::from(event.stamp.counter()))
            .raw(event.dot.feed.author.as_bytes())
            .number(0)
            .number(0)
            .number(event.dot.seq)
    }

    fn place(self, bag: &[u8; 16], event: &Event) -> Self {
        self.raw(bag).rank(event).bytes(&[1])
    }
}

const ROOT: [u8; 16] = [0; 16];

fn id(bag: &[u8; 16], label: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_derive_key("dhlrs 1 labelled node id");
    hasher.update(bag).update(&[0; 4]).update(label.as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    id
}

fn hash(leaves: &[Bytes], ends: &[(FeedId, u64, [u8; 32])]) -> [u8; 32] {
    let mut sum = [0_u16; 1024];
    for leaf in leaves {
        let mut long = [0; 2048];
        blake3::Hasher::new_derive_key("dhlrs 1 state hash: bag node")
            .update(blake3::hash(&leaf.0).as_bytes())
            .finalize_xof()
            .fill(&mut long);
        for (number, pair) in sum.iter_mut().zip(long.chunks(2)) {
            *number = number.wrapping_add(u16::from_le_bytes([pair[0], pair[1]]));
        }
    }
    let mut hasher = blake3::Hasher::new_derive_key("dhlrs 1 state hash");
    for number in sum {
        hasher.update(&number.to_le_bytes());
    }
    for (feed, seq, id) in ends {
        hasher
            .update(feed.author.as_bytes())
            .update(&[0, 0])
            .update(&seq.to_le_bytes())
            .update(id);
    }
    *hasher.finalize().as_bytes()
}

/// The one op of this author that fits.
fn event(scene: &Scene, author: usize, is_it: impl Fn(&TreeOp) -> bool) -> Event {
    let chains = scene.replicas[author].chains.values().flatten();
    let own = scene.replicas[author].author;
    let mut fitting = chains
        .map(|(event, _)| event)
        .filter(|event| event.dot.feed.author == own)
        .filter(|event| matches!(&event.payload, Payload::Tree(op) if is_it(op)));
    let event = fitting.next().unwrap().clone();
    assert!(fitting.next().is_none());
    event
}

#[test]
fn is_what_the_page_says() {
    let mut scene = Scene::without_root(2);
    let bag = scene.at(0, "q");
    let name = Name::new("n").unwrap();
    let attribute = TreeOp::Write {
        node: bag.clone(),
        cell: Cell::Attribute(name),
        value: Value::from(true),
    };
    scene.write(0, vec![create(&bag), attribute]);
    // One node made by two at once, renamed by one, moved by the other when it had seen all of that.
    scene.set(0, "a", 5);
    let node = scene.at(1, "a");
    scene.write(1, vec![create(&node), scalar(&node, Value::from("später"))]);
    scene.rename(1, "a", "b");
    scene.tell_all();
    scene.move_to(0, "b", "q");
    // What was removed has no part in it.
    scene.set(0, "gone", -1);
    scene.remove(0, "gone");
    scene.comes_out_as("q?n=true{b=später}");

    let of = |author, kind: fn(&TreeOp) -> bool, node: [u8; 16]| {
        event(&scene, author, |op| {
            kind(op) && *op.node().id().as_bytes() == node
        })
    };
    let is_create = |op: &TreeOp| matches!(op, TreeOp::Create { .. });
    let is_write = |op: &TreeOp| matches!(op, TreeOp::Write { .. });
    let is_rename = |op: &TreeOp| matches!(op, TreeOp::Rename { .. });
    let is_move = |op: &TreeOp| matches!(op, TreeOp::Move { .. });
    let (q, a) = (id(&ROOT, "q"), id(&ROOT, "a"));
    let moved = of(0, is_move, a);
    let renamed = of(1, is_rename, a);
    let leaves = [
        Bytes::default()
            .raw(&q)
            .raw(&[0, 0])
            .number(1)
            .rank(&of(0, is_create, q))
            .number(0)
            .number(1)
            .place(&ROOT, &of(0, is_create, q))
            .number(1)
            .raw(&[1])
            .bytes(b"n")
            .rank(&of(0, is_write, q))
            .raw(&[1, 1]),
        Bytes::default()
            .raw(&a)
            .raw(&[1])
            .raw(&q)
            .rank(&moved)
            .raw(&[1])
            .rank(&renamed)
            .bytes(b"b")
            .number(1)
            .rank(&moved)
            .number(1)
            .rank(&renamed)
            .number(3)
            .place(&ROOT, &of(0, is_create, a))
            .place(&ROOT, &of(1, is_create, a))
            .place(&q, &moved)
            .number(1)
            .raw(&[0])
            .rank(&of(1, is_write, a))
            .raw(&[4])
            .bytes("später".as_bytes()),
    ];
    let ends: Vec<_> = scene.replicas[0].reducer.frontier().into_iter().collect();
    let ends: Vec<_> = ends
        .iter()
        .map(|(feed, end)| (*feed, end.seq, *end.id.as_bytes()))
        .collect();
    let computed = hash(&leaves, &ends);
    let state = scene.replicas[0].reducer.state_hash();
    assert_eq!(*state.as_bytes(), computed);
}
