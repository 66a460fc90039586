//! Durable triggers: each change is sent on once, whoever is killed meanwhile.

use dhlrs_node::{NodeBuilder, StoreOptions};
use dhlrs_storage::{MemoryVfs, Survival};

use crate::mesh::{Mesh, join, start, start_again, store, until, value};

fn from(mesh: &Mesh, disk: &MemoryVfs) -> NodeBuilder {
    let options = StoreOptions::owned("main").forward("out.**", "to/main/main/in");
    mesh.node("from")
        .store(options)
        .vfs(disk.clone())
        .data_dir("data")
        .connect("memory://to")
}

#[tokio::test]
async fn a_change_below_the_pattern_arrives_below_the_address_and_no_other_does() {
    let mesh = Mesh::default();
    let to = start(mesh.owner("to")).await;
    let options = StoreOptions::owned("main").forward("out.**", "to/main/main/in");
    let from = join(mesh.node("from").store(options), &["to"]).await;
    let (source, target) = (store(&from, "from"), store(&to, "to"));
    source.set("secret", 1).await.unwrap();
    source.set("out.a.b", 2).await.unwrap();
    until("it to arrive", || async {
        value(&target, "in.a.b").await == Some(2.into())
    })
    .await;
    source.rename("out.a", "c").await.unwrap();
    until("it to move", || async {
        value(&target, "in.c.b").await == Some(2.into())
    })
    .await;
    source.remove("out.c").await.unwrap();
    until("it to go", || async {
        value(&target, "in.c.b").await.is_none()
    })
    .await;
    assert_eq!(value(&target, "secret").await, None);
}

#[tokio::test]
async fn each_change_is_sent_on_once_through_kills_of_either_side() {
    let mesh = Mesh::default();
    let (disk_from, disk_to) = (MemoryVfs::new(), MemoryVfs::new());
    let mut to = start(mesh.durable("to", &disk_to)).await;
    let mut sender = start(from(&mesh, &disk_from)).await;
    sender.connected(crate::mesh::PATIENCE).await.unwrap();
    let mut n = 0;
    for round in 0..4 {
        for _ in 0..15 {
            n += 1;
            store(&sender, "from").set("out.x", n).await.unwrap();
        }
        if round % 2 == 0 {
            drop(sender);
            disk_from.power_loss(Survival::SyncedOnly);
            sender = start_again(|| from(&mesh, &disk_from)).await;
        } else {
            drop(to);
            disk_to.power_loss(Survival::SyncedOnly);
            to = start_again(|| mesh.durable("to", &disk_to)).await;
        }
    }
    let target = store(&to, "to");
    until("the last one", || async {
        value(&target, "in.x").await == Some(n.into())
    })
    .await;
    let revision = to.status_of(None).await.unwrap().stores[0].revision.number;
    assert_eq!(
        revision,
        u64::try_from(n).unwrap(),
        "a change was lost or sent twice"
    );
    let forwards = sender.status_of(None).await.unwrap().stores[0]
        .forwards
        .clone();
    assert_eq!(
        (forwards.len(), forwards[0].refused),
        (1, 0),
        "{forwards:?}"
    );
}

#[tokio::test]
async fn two_stores_that_forward_to_each_other_come_to_rest() {
    let mesh = Mesh::default();
    let options = |to: &str| {
        StoreOptions::owned("main").forward("shared.**", &format!("{to}/main/main/shared"))
    };
    let a = start(mesh.node("a").store(options("b"))).await;
    let b = join(mesh.node("b").store(options("a")), &["a"]).await;
    let (at_a, at_b) = (store(&a, "a"), store(&b, "b"));
    at_a.set("shared.x", 1).await.unwrap();
    at_b.set("shared.y", 2).await.unwrap();
    until("both", || async {
        value(&at_b, "shared.x").await == Some(1.into())
            && value(&at_a, "shared.y").await == Some(2.into())
    })
    .await;
    let revisions = || async {
        (
            at_a.published().unwrap().1.number,
            at_b.published().unwrap().1.number,
        )
    };
    let mut before = revisions().await;
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let now = revisions().await;
        if now == before {
            break;
        }
        assert!(
            now.0 < 20 && now.1 < 20,
            "they do not come to rest: {now:?}"
        );
        before = now;
    }
}
