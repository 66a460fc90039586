//! A node that cannot start, or reaches nobody, says what to do about it.

use std::time::Duration;

use dhlrs_node::{Identity, Node, NodeBuilder, NodeErrorKind, StoreOptions};
use dhlrs_storage::MemoryVfs;
use dhlrs_transport_websocket::WebSocketTransport;

use crate::mesh::{Mesh, PATIENCE, join, start, start_again, store, value};

fn node(name: &str) -> NodeBuilder {
    Node::builder(name.parse().unwrap()).transport("ws", WebSocketTransport::new())
}

#[track_caller]
fn refused(result: Result<Node, dhlrs_node::NodeError>, kind: NodeErrorKind, says: &str) {
    let error = result.map(drop).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

#[tokio::test]
async fn a_listener_that_cannot_be_is_refused() {
    let taken = start(node("a/main").listen("ws://127.0.0.1:0")).await;
    let url = taken.listen_urls().remove(0);
    refused(
        node("b/main").listen(url).start().await,
        NodeErrorKind::PortTaken,
        "127.0.0.1",
    );
    let beyond = || node("b/main").listen("ws://0.0.0.0:0");
    let kind = NodeErrorKind::NotLoopbackWithoutAllow;
    refused(beyond().start().await, kind, "--allow");
    beyond().allow(taken.key(), None).start().await.unwrap();
    let unknown = node("b/main").listen("nats://127.0.0.1:1").start().await;
    refused(unknown, NodeErrorKind::UnknownScheme, "ws://");
    let misspelled = node("b/main").connect("127.0.0.1:7411").start().await;
    refused(misspelled, NodeErrorKind::BadUrl, "SCHEME://HOST:PORT");
}

#[tokio::test]
async fn a_directory_that_cannot_be_had_is_refused() {
    let disk = MemoryVfs::new();
    let with_data = || node("a/main").vfs(disk.clone()).data_dir("data");
    let first = start(with_data().store(StoreOptions::owned("main"))).await;
    refused(
        with_data().start().await,
        NodeErrorKind::Locked,
        "in use by process",
    );
    first.shutdown().await;
    let found = start(with_data()).await;
    found.store("main").await.unwrap();
    found.shutdown().await;
    disk.overwrite("data/FORMAT".as_ref(), b"dhlrs-data 99 00000000\n".to_vec())
        .unwrap();
    assert!(with_data().start().await.is_err());
}

#[tokio::test]
async fn an_identity_is_made_once_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/identity");
    let made = Identity::load_or_create(&path).unwrap();
    assert_eq!(Identity::load_or_create(&path).unwrap().key(), made.key());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let mode = |bits| std::fs::set_permissions(&path, PermissionsExt::from_mode(bits)).unwrap();
        mode(0o644);
        let error = Identity::load_or_create(&path).unwrap_err();
        assert_eq!(error.kind(), NodeErrorKind::Identity);
        assert!(error.to_string().contains("chmod 600"), "{error}");
        mode(0o600);
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.len() == 65 && text.ends_with('\n'),
        "64 digits and a newline"
    );
    std::fs::write(&path, "no key").unwrap();
    let error = Identity::load_or_create(&path).unwrap_err();
    assert_eq!(error.kind(), NodeErrorKind::Identity);
    assert!(
        error.to_string().contains("64 lowercase hex digits"),
        "{error}"
    );

    let data = dir.path().join("data");
    let first = start(node("a/main").data_dir(&data)).await;
    let key = first.key();
    first.shutdown().await;
    let second = start(node("a/main").data_dir(&data)).await;
    assert_eq!(second.key(), key);
}

#[tokio::test]
async fn options_that_cannot_work_are_refused() {
    let with = |options| node("a/main").store(options).start();
    let owned = || StoreOptions::owned("main");
    let kind = NodeErrorKind::Config;
    refused(
        with(StoreOptions::owned("a/b")).await,
        kind,
        "no store name",
    );
    refused(
        with(owned().forward("a..b", "m/p/s")).await,
        kind,
        "no pattern to forward",
    );
    refused(
        with(owned().forward("a", "m/p")).await,
        kind,
        "no address to forward to",
    );
    refused(
        with(owned().resolve("a", "m/p/s/{", 0)).await,
        kind,
        "no address to resolve from",
    );
    let twice = node("a/main").store(owned()).store(owned()).start().await;
    refused(twice, kind, "twice");
}

#[tokio::test]
async fn a_neighbour_that_refuses_is_reported_at_once_and_one_that_is_away_in_the_end() {
    let far = start(node("far/main").listen("ws://127.0.0.1:0")).await;
    let url = far.listen_urls().remove(0);
    let connected = |url: String| async move {
        let near = start(node("near/main").connect(url)).await;
        near.connected(PATIENCE).await
    };
    assert_eq!(
        connected(format!("{url}?key={}", far.key())).await.unwrap(),
        *far.name()
    );
    let other = Identity::ephemeral().unwrap().key();
    let error = connected(format!("{url}?key={other}")).await.unwrap_err();
    assert_eq!(error.kind(), NodeErrorKind::WrongPeer, "{error}");

    let reserved = node("far/b").listen("ws://127.0.0.1:0");
    let reserved = start(reserved.allow(other, Some("near/main".parse().unwrap()))).await;
    let error = connected(reserved.listen_urls().remove(0))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), NodeErrorKind::Denied, "{error}");
    assert!(
        error.to_string().contains("reserved for another key"),
        "{error}"
    );

    reserved.shutdown().await;
    far.shutdown().await;
    let near = start(node("near/main").connect(url)).await;
    let error = near
        .connected(Duration::from_millis(500))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), NodeErrorKind::Unreachable, "{error}");
}

#[tokio::test]
async fn connecting_never_gives_up() {
    let mesh = Mesh::default();
    let near = start(mesh.node("near").connect("memory://far")).await;
    assert!(near.connected(Duration::from_millis(300)).await.is_err());
    let far = start(mesh.owner("far")).await;
    near.connected(PATIENCE).await.unwrap();
    store(&near, "far").set("x", 1).await.unwrap();
    drop(far);
    let far = start_again(|| mesh.owner("far")).await;
    crate::mesh::reached(&near, "far").await;
    assert_eq!(value(&store(&near, "far"), "x").await, None);
    drop(far);
    // Two that connect to each other have one link.
    let a = start(mesh.node("a").connect("memory://b")).await;
    let b = join(mesh.node("b"), &["a"]).await;
    a.connected(PATIENCE).await.unwrap();
    let peers = b.status_of(None).await.unwrap().peers;
    assert_eq!(peers.len(), 1, "{peers:?}");
}
