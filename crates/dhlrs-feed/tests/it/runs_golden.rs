//! Golden runs, which another implementation can read and write too: `docs/replication.md` says how.

use dhlrs_bag::{Label, Name, Text, Value};
use dhlrs_clock::{Dot, Stamp, Time};
use dhlrs_feed::{
    Cell, Dep, Epoch, EventId, FeedEnd, FeedId, HomePath, NewEvent, OnConcurrentWrite, OrderKey,
    Payload, Run, RunLimits, RunWriter, StoreId, TreeOp,
};
use dhlrs_identity::{Ed25519Signer, Ed25519Verifier, PublicKey, SecretKey, Signer};

const GOLDEN: &str = include_str!("runs_golden.txt");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

/// One event of each kind, with each form of stamp, path, label and dependency.
fn events() -> Vec<Vec<NewEvent>> {
    let root = HomePath::root();
    let orders = root.child(label("orders"), 0).unwrap();
    let status = orders
        .child(label("o1"), 0)
        .unwrap()
        .child(label("status"), 0)
        .unwrap();
    let again = orders.child(label("o1"), 2).unwrap();
    let anonymous = orders.anonymous_child([0xaa; 16]).unwrap();
    let order = OrderKey::from_bytes(&[0x80]).unwrap();
    let (keep, remove) = (OnConcurrentWrite::Keep, OnConcurrentWrite::Remove);
    let write = |node: &HomePath, cell, value| TreeOp::Write {
        node: node.clone(),
        cell,
        value,
    };
    let ops = vec![
        TreeOp::Create {
            node: orders.clone(),
            order: order.clone(),
        },
        write(&status, Cell::Scalar, Value::from("paid")),
        write(
            &status,
            Cell::Attribute(Name::new("by").unwrap()),
            Value::from(7),
        ),
        write(
            &orders,
            Cell::Attribute(Name::new("by").unwrap()),
            Value::Null,
        ),
        write(&again, Cell::Scalar, Value::from(true)),
        write(&again, Cell::Scalar, Value::from(-70)),
        TreeOp::Move {
            node: again.clone(),
            parent: root.clone(),
            order: order.clone(),
        },
        TreeOp::Rename {
            node: again.clone(),
            label: label("old"),
        },
        TreeOp::Reorder {
            node: again,
            parent: root,
            order,
        },
        TreeOp::Remove {
            node: anonymous.clone(),
            unseen: keep,
        },
        TreeOp::Remove {
            node: anonymous.clone(),
            unseen: remove,
        },
        TreeOp::Clear {
            node: anonymous.clone(),
            unseen: keep,
        },
        TreeOp::Clear {
            node: anonymous,
            unseen: remove,
        },
    ];
    let wall = 1_700_000_000_000;
    let stamps = [(0, 3), (0, 4), (5, 0), (5, 9)].map(|(ms, n)| Stamp::new(wall + ms, n).unwrap());
    let next = |n: u64| Stamp::from_bits(stamps[3].to_bits() + n);
    let other = |author: u8| FeedId::new(PublicKey::from_bytes([author; 32]), Epoch::numbered(3));
    let dep = |author, seq| Dep {
        dot: Dot::new(other(author), seq),
        id: EventId::from_bytes([author; 32]),
    };
    let mut ops = ops.into_iter().map(Payload::Tree).collect::<Vec<_>>();
    ops.push(Payload::Other {
        kind: Text::new("record.note"),
        bytes: vec![1, 2, 3],
    });
    ops.push(Payload::Close {
        epoch: Epoch::stamped(stamps[0], 77),
        end: Some(FeedEnd {
            seq: 9,
            id: EventId::from_bytes([9; 32]),
        }),
    });
    let mut transactions = vec![
        vec![NewEvent {
            stamp: stamps[0],
            deps: vec![dep(1, 5), dep(2, 6)],
            payload: Payload::Seen,
        }],
        vec![
            NewEvent {
                stamp: stamps[1],
                deps: vec![],
                payload: ops.remove(0),
            },
            NewEvent {
                stamp: stamps[2],
                deps: vec![],
                payload: ops.remove(0),
            },
        ],
        vec![NewEvent {
            stamp: stamps[3],
            deps: vec![dep(2, 300)],
            payload: ops.remove(0),
        }],
    ];
    for (payload, n) in ops.into_iter().zip(1..) {
        transactions.push(vec![NewEvent {
            stamp: next(n),
            deps: vec![],
            payload,
        }]);
    }
    transactions
}

#[test]
fn the_golden_runs_are_written_and_read() {
    let signer = Ed25519Signer::new(SecretKey::from_bytes([7; 32]));
    let store = StoreId::new("golden", None);
    let opening = Stamp::new(1_699_999_999_999, 0).unwrap();
    let feed = FeedId::new(
        signer.public_key(),
        Epoch::stamped(opening, 0x0123_4567_89ab_cdef),
    );
    let limits = RunLimits {
        events_max: 9,
        ..RunLimits::default()
    };
    let mut writer = RunWriter::new(store, feed, limits);
    let mut lines = vec![
        format!("store {}", hex(store.as_bytes())),
        format!("author {}", feed.author),
        format!("epoch {} {}", feed.epoch.number(), feed.epoch.random()),
    ];
    let (now, control) = (Time::default(), (0, EventId::NONE));
    let mut runs = Vec::new();
    for transaction in events() {
        let written = writer.append(now, control, transaction, &signer).unwrap();
        runs.extend(written.sealed.map(|sealed| sealed.run));
    }
    runs.extend(writer.seal(now, &signer).map(|sealed| sealed.run));
    let mut prev = EventId::NONE;
    for run in &runs {
        let read = Run::read(
            &store,
            &feed,
            &prev,
            &EventId::NONE,
            run.bytes(),
            &Ed25519Verifier,
        );
        let (_, events) = read.unwrap();
        lines.push(format!("run {}", hex(run.bytes())));
        lines.extend(
            events
                .iter()
                .map(|(_, id)| format!("id {}", hex(id.as_bytes()))),
        );
        prev = run.claim().last;
    }
    let text = lines
        .iter()
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    assert_eq!(
        text, GOLDEN,
        "another language would no longer understand:\n{text}"
    );
}
