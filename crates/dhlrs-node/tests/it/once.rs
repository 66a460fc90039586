//! A write is applied once, and in order, whatever is cut or killed on its way.

use dhlrs_storage::MemoryVfs;

use crate::mesh::{Mesh, PATIENCE, join, reached, start, start_again, store, value};

#[tokio::test]
async fn writes_under_way_through_cuts_are_applied_once_and_in_order() {
    let mesh = Mesh::default();
    let far = start(mesh.owner("far")).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let mut watch = store(&far, "far").watch("x").credit(1_000).await.unwrap();
    let link = mesh.bus.link("near", "far");
    let there = store(&near, "far");
    let writes = (0..100_i64).map(|n| {
        let write = there.set("x", n).timeout(PATIENCE).into_future();
        tokio::spawn(write)
    });
    let writes: Vec<_> = writes.collect();
    for _ in 0..5 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        link.cut();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        link.heal();
    }
    for write in writes {
        write.await.unwrap().unwrap();
    }
    for n in 1..=100 {
        let Some(dhlrs_node::WatchEvent::Changes(told)) = watch.next().await else {
            panic!()
        };
        assert_eq!(told.revision.number, n);
        assert_eq!(
            told.changes[0].new,
            dhlrs_bag::Shown::Scalar((n as i64 - 1).into())
        );
    }
    assert_eq!(
        far.status_of(None).await.unwrap().stores[0].revision.number,
        100
    );
}

#[tokio::test]
async fn writes_under_way_through_restarts_of_the_store_are_applied_once() {
    let (mesh, disk) = (Mesh::default(), MemoryVfs::new());
    let mut far = start(mesh.durable("far", &disk)).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let there = store(&near, "far");
    there.set("count", -1).await.unwrap();
    let mut applied = 1;
    for round in 0..3_i64 {
        let writes = (0..20_i64).map(|n| {
            let write = there
                .set("count", round * 100 + n)
                .timeout(PATIENCE)
                .into_future();
            tokio::spawn(write)
        });
        let writes: Vec<_> = writes.collect();
        tokio::time::sleep(std::time::Duration::from_millis(
            u64::try_from(round).unwrap(),
        ))
        .await;
        // Killed: nobody is told, and what the disk has begun it may finish.
        drop(far);
        disk.power_loss(dhlrs_storage::Survival::SyncedOnly);
        far = start_again(|| mesh.durable("far", &disk)).await;
        for write in writes {
            write.await.unwrap().unwrap();
        }
        applied += 20;
        let revision = far.status_of(None).await.unwrap().stores[0].revision.number;
        assert_eq!(revision, applied);
        reached(&near, "far").await;
        assert_eq!(
            value(&there, "count").await,
            Some((round * 100 + 19).into())
        );
    }
}

#[tokio::test]
async fn an_abandoned_write_is_made_all_the_same_and_keeps_its_turn() {
    let mesh = Mesh::default();
    let far = start(mesh.owner("far")).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let there = store(&near, "far");
    there.set("x", 0).await.unwrap();
    mesh.bus.link("near", "far").stall();
    let abandoned = there.set("x", 1).into_future();
    let brief = std::time::Duration::from_millis(50);
    assert!(tokio::time::timeout(brief, abandoned).await.is_err());
    mesh.bus.link("near", "far").heal();
    there.set("y", 2).await.unwrap();
    assert_eq!(value(&store(&far, "far"), "x").await, Some(1.into()));
    // One that was never polled was never made.
    drop(there.set("x", 9).into_future());
    there.set("y", 3).await.unwrap();
    assert_eq!(value(&there, "x").await, Some(1.into()));
}
