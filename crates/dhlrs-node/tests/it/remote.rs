//! Stores of other processes: everything that works here works there, or says why not.

use std::time::Duration;

use dhlrs_bag::{Attributes, ChangeKind, Edit, Name, Position, Value};
use dhlrs_node::{ErrorKind, Node, StoreHandle};
use dhlrs_wire::RefusalKind;

use crate::mesh::{Mesh, join, reached, start, store, value};

async fn works_everywhere(store: &StoreHandle) {
    let written = store.set("a.x", 1).await.unwrap();
    let again = store.set("a.x", 1).await.unwrap();
    assert_eq!(
        again.revision, written.revision,
        "a write without effect takes no revision"
    );
    store
        .set("a.y", "two")
        .position(Position::First)
        .await
        .unwrap();
    let unit = Attributes::from_iter([(Name::new("unit").unwrap(), Value::from("kg"))]);
    store.set_attributes("a.x", unit.clone()).await.unwrap();
    assert_eq!(store.get("a.x").await.unwrap().unwrap().attributes(), &unit);
    assert_eq!(value(store, "a.#0").await, Some("two".into()));
    store.rename("a.y", "z").await.unwrap();
    store.set("b", 0).await.unwrap();
    store
        .move_to("b", "a.b")
        .position(Position::At(1))
        .await
        .unwrap();
    let rows = store.read("a").await.unwrap().collect().await.unwrap();
    let names: Vec<(u16, &str)> = rows
        .iter()
        .map(|row| (row.depth, row.name.as_str()))
        .collect();
    assert_eq!(names, [(0, "a"), (1, "z"), (1, "b"), (1, "x")]);
    let rows = store.query("*.x").await.unwrap().collect().await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(),
        ["a.x"]
    );
    store.remove("a.z").await.unwrap();
    assert_eq!(value(store, "a.z").await, None);

    let refused = store.set("a.x", 2).if_missing().await.unwrap_err();
    assert_eq!(
        refused.refusal(),
        Some(RefusalKind::PreconditionFailed),
        "{refused}"
    );
    let revision = store.get("a.x").await.unwrap().unwrap().revision;
    store.set("a.x", 2).if_revision(revision).await.unwrap();
    let refused = store.set("a.x", 3).if_revision(revision).await.unwrap_err();
    assert_eq!(
        refused.refusal(),
        Some(RefusalKind::PreconditionFailed),
        "{refused}"
    );

    let edits = vec![
        Edit::set("t.x".parse().unwrap(), 1).into(),
        Edit::set("t.x.deeper".parse().unwrap(), 1).into(),
    ];
    let refused = store.transaction(edits.clone()).await.unwrap_err();
    assert_eq!(
        refused.refusal(),
        Some(RefusalKind::ThroughScalar),
        "{refused}"
    );
    assert_eq!(value(store, "t.x").await, None);
    assert_eq!(store.batch(edits).await.unwrap().skipped, 1);
    assert_eq!(value(store, "t.x").await, Some(1.into()));
}

#[tokio::test]
async fn a_store_works_the_same_here_and_two_processes_away() {
    let mesh = Mesh::default();
    let far = start(mesh.owner("far")).await;
    let _middle = join(mesh.node("middle"), &["far"]).await;
    let near = join(mesh.node("near"), &["middle"]).await;
    reached(&near, "far").await;
    works_everywhere(&store(&far, "far")).await;
    store(&far, "far").clear("").await.unwrap();
    works_everywhere(&store(&near, "far")).await;
    near.shutdown().await;
    far.shutdown().await;
}

#[tokio::test]
async fn a_client_is_answered_though_nobody_announces_it() {
    let mesh = Mesh::default();
    let far = start(mesh.owner("far")).await;
    let middle = join(mesh.node("middle"), &["far"]).await;
    let client = Node::builder("laptop/cli-1".parse().unwrap())
        .transport("memory", mesh.bus.endpoint("laptop").unwrap())
        .client(true);
    let client = join(client, &["middle"]).await;
    reached(&client, "far").await;
    store(&client, "far").set("x", 1).await.unwrap();
    assert_eq!(value(&store(&far, "far"), "x").await, Some(1.into()));
    let routes = middle.status_of(None).await.unwrap().routes;
    assert!(
        routes.iter().all(|route| route.node.machine() != "laptop"),
        "{routes:?}"
    );
}

#[tokio::test]
async fn a_large_answer_comes_in_pages_of_one_revision() {
    let mesh = Mesh::default();
    let far = start(mesh.owner("far")).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let (there, here) = (store(&near, "far"), store(&far, "far"));
    let text = "x".repeat(100_000);
    for n in 0..12 {
        here.set(format!("n{n}"), text.as_str()).await.unwrap();
    }
    let mut rows = there.read("").await.unwrap();
    let revision = rows.revision();
    here.set("n11", "later").await.unwrap();
    let mut count = 0;
    while let Some(row) = rows.next().await.unwrap() {
        assert_ne!(row.value, Some("later".into()));
        count += 1;
    }
    assert_eq!((count, rows.revision()), (13, revision));
    drop(there.read("").await.unwrap());
    assert_eq!(value(&there, "n11").await, Some("later".into()));
}

#[tokio::test]
async fn whatever_cannot_work_says_so_by_its_kind() {
    let mesh = Mesh::default();
    let far = start(mesh.owner("far")).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let kind = |result: Result<_, dhlrs_node::Error>| result.map(|_: ()| ()).unwrap_err().kind();
    let get = |handle: StoreHandle| async move { handle.get("x").await.map(drop) };
    let set = |handle: StoreHandle| async move { handle.set("x", 1).await.map(drop) };
    let nowhere = store(&near, "nowhere");
    assert_eq!(
        kind(get(nowhere.clone()).await),
        ErrorKind::Refused(RefusalKind::NoRoute)
    );
    assert_eq!(
        kind(set(nowhere).await),
        ErrorKind::Refused(RefusalKind::NoRoute)
    );
    let nothing = near.remote(&"far/main/other".parse().unwrap());
    assert_eq!(
        kind(get(nothing.clone()).await),
        ErrorKind::Refused(RefusalKind::NoStore)
    );
    let error = set(nothing).await.unwrap_err();
    assert_eq!(error.refusal(), Some(RefusalKind::NoStore));
    assert!(error.message().ends_with("it has main"), "{error}");
    assert_eq!(
        far.store("other").await.unwrap_err().refusal(),
        Some(RefusalKind::NoStore)
    );
    assert_eq!(
        kind(store(&near, "far").get("a..b").await.map(drop)),
        ErrorKind::BadPath
    );
    let remote = store(&near, "far");
    assert_eq!(kind(remote.snapshot().await.map(drop)), ErrorKind::NotLocal);
    let on = remote.on("**", |_, _| dhlrs_trigger::Flow::Continue).await;
    assert_eq!(kind(on.map(drop)), ErrorKind::NotLocal);
}

#[tokio::test]
async fn a_read_that_times_out_did_nothing_and_a_write_may_have() {
    let mesh = Mesh::default();
    let far = start(mesh.owner("far")).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let there = store(&near, "far");
    there.set("x", 0).await.unwrap();
    mesh.bus.link("near", "far").stall();
    let timeout = Duration::from_millis(200);
    let error = there.get("x").timeout(timeout).await.unwrap_err();
    assert_eq!(
        (error.refusal(), error.outcome_unknown()),
        (Some(RefusalKind::Timeout), false)
    );
    let error = there.set("x", 1).timeout(timeout).await.unwrap_err();
    assert_eq!(
        (error.refusal(), error.outcome_unknown()),
        (Some(RefusalKind::Timeout), true)
    );
    mesh.bus.link("near", "far").heal();
    // It was applied all the same, and before what follows it.
    there.set("y", 1).await.unwrap();
    assert_eq!(value(&store(&far, "far"), "x").await, Some(1.into()));
}

#[tokio::test]
async fn a_callback_sees_the_change_and_answers_with_another() {
    let mesh = Mesh::default();
    let owner = start(mesh.owner("far")).await;
    let near = join(mesh.node("near"), &["far"]).await;
    let here = store(&owner, "far");
    let subscriber = here
        .on("orders.*.status", |event, then| {
            let path = event.path().parent().unwrap().child("seen").unwrap();
            then.emit_here(Edit::set(path, event.first().change().kind.to_string()));
            dhlrs_trigger::Flow::Continue
        })
        .await
        .unwrap();
    let mut watch = here
        .watch("orders.*.seen")
        .kinds([ChangeKind::Insert])
        .await
        .unwrap();
    store(&near, "far")
        .set("orders.o1.status", "paid")
        .await
        .unwrap();
    crate::mesh::soon(watch.next()).await.unwrap();
    assert_eq!(value(&here, "orders.o1.seen").await, Some("insert".into()));
    assert!(here.off(subscriber).await.unwrap());
    assert!(!here.off(subscriber).await.unwrap());
}
