//! Values that are fetched when they are read, by code of this process or from another one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dhlrs_bag::{Attributes, Content, Name, ResolverRef, Value};
use dhlrs_node::{Node, StoreOptions};
use dhlrs_resolver::{ResolveError, ResolveErrorKind, ResolverOptions};
use dhlrs_wire::RefusalKind;

use crate::mesh::{Mesh, join, reached, start, store, until, value};

fn named(name: &str) -> Option<ResolverRef> {
    Some(ResolverRef::new(Name::new(name).unwrap()))
}

#[tokio::test]
async fn readers_at_once_share_one_call_and_get_its_value() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let node =
        Mesh::default()
            .owner("here")
            .resolver("slow", ResolverOptions::default(), move |call| {
                counted.fetch_add(1, Ordering::SeqCst);
                async move {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    Ok(Content::Value(call.path.to_string().into()))
                }
            });
    let node = start(node).await;
    let here = store(&node, "here");
    here.set_resolver("lazy", named("slow")).await.unwrap();
    let readers: Vec<_> = (0..10)
        .map(|_| tokio::spawn(here.get("lazy").into_future()))
        .collect();
    for reader in readers {
        let reading = reader.await.unwrap().unwrap().unwrap();
        assert_eq!(reading.value(), Some(&"lazy".into()));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    here.refresh("lazy").await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_resolver_that_fails_or_panics_is_an_error_of_the_read() {
    let node = Mesh::default()
        .owner("here")
        .resolver("fails", ResolverOptions::default(), |_| async {
            Err(ResolveError::new(ResolveErrorKind::Failed, "no luck"))
        })
        .resolver("panics", ResolverOptions::default(), |_| async {
            panic!("ouch")
        })
        .resolver("panics early", ResolverOptions::default(), |call| {
            assert!(call.path.is_root(), "ouch");
            async { Ok(Content::Value(Value::Null)) }
        });
    let node = start(node).await;
    let here = store(&node, "here");
    for (name, text) in [
        ("fails", "no luck"),
        ("panics", "ouch"),
        ("panics early", "ouch"),
        ("unknown", "unknown"),
    ] {
        here.set_resolver("lazy", named(name)).await.unwrap();
        let error = here.get("lazy").await.unwrap_err();
        assert_eq!(
            error.refusal(),
            Some(RefusalKind::Resolver),
            "{name}: {error}"
        );
        assert!(error.message().contains(text), "{name}: {error}");
    }
}

struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_read_that_nobody_waits_for_any_more_ends_its_resolver() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let counted = dropped.clone();
    let node =
        Mesh::default()
            .owner("here")
            .resolver("never", ResolverOptions::default(), move |_| {
                let guard = Dropped(counted.clone());
                async move {
                    let _guard = guard;
                    std::future::pending().await
                }
            });
    let node = start(node).await;
    let here = store(&node, "here");
    here.set_resolver("lazy", named("never")).await.unwrap();
    let brief = Duration::from_millis(100);
    assert!(tokio::time::timeout(brief, here.get("lazy")).await.is_err());
    until("the resolver to be dropped", || async {
        dropped.load(Ordering::SeqCst) == 1
    })
    .await;
    let error = here.get("lazy").timeout(brief).await.unwrap_err();
    assert!(
        matches!(
            error.refusal(),
            Some(RefusalKind::Timeout | RefusalKind::Resolver)
        ),
        "{error:?}"
    );
    until("the resolver to be dropped", || async {
        dropped.load(Ordering::SeqCst) == 2
    })
    .await;
}

async fn customers(mesh: &Mesh, cache_ms: i64) -> (Node, Node) {
    let crm = start(mesh.owner("crm")).await;
    let options =
        StoreOptions::owned("main").resolve("orders.*.who", "crm/main/main/people.{id}", cache_ms);
    let shop = join(mesh.node("shop").store(options), &["crm"]).await;
    (crm, shop)
}

#[tokio::test]
async fn a_node_of_another_process_stands_in_for_one_here() {
    let mesh = Mesh::default();
    let (crm, shop) = customers(&mesh, -1).await;
    let (people, orders) = (store(&crm, "crm"), store(&shop, "shop"));
    people.set("people.p7.name", "Ada").await.unwrap();
    let id = Attributes::from_iter([(Name::new("id").unwrap(), Value::from("p7"))]);
    orders.set_attributes("orders.o1.who", id).await.unwrap();
    // From a third process, and below the node that is resolved.
    let desk = join(mesh.node("desk"), &["shop"]).await;
    reached(&desk, "shop").await;
    let there = store(&desk, "shop");
    assert_eq!(
        value(&there, "orders.o1.who.name").await,
        Some("Ada".into())
    );
    people.set("people.p7.name", "Bob").await.unwrap();
    assert_eq!(
        value(&there, "orders.o1.who.name").await,
        Some("Ada".into()),
        "it is cached"
    );
    there.invalidate("orders.o1.who").await.unwrap();
    assert_eq!(
        value(&there, "orders.o1.who.name").await,
        Some("Bob".into())
    );
    people.set("people.p7.name", "Cy").await.unwrap();
    there.refresh("orders.o1.who").await.unwrap();
    assert_eq!(value(&there, "orders.o1.who.name").await, Some("Cy".into()));
}

#[tokio::test]
async fn a_remote_value_that_cannot_be_read_says_why() {
    let mesh = Mesh::default();
    let (crm, shop) = customers(&mesh, 0).await;
    let orders = store(&shop, "shop");
    let id = Attributes::from_iter([(Name::new("id").unwrap(), Value::from("nobody"))]);
    orders.set_attributes("orders.o1.who", id).await.unwrap();
    let error = orders.get("orders.o1.who").await.unwrap_err();
    assert_eq!(error.refusal(), Some(RefusalKind::Resolver), "{error}");
    assert!(error.message().contains("people.nobody"), "{error}");
    drop(crm);
    until("the link to be gone", || async {
        let error = orders.get("orders.o1.who").await.unwrap_err();
        error.message().contains("no route")
    })
    .await;
}

#[tokio::test]
async fn a_derived_value_is_read_and_watched_from_elsewhere_and_never_stored() {
    let dir = tempfile::tempdir().unwrap();
    let options = || {
        let double = |inputs: &dhlrs_node::Inputs<'_>| {
            let a = inputs.get("a")?.and_then(Value::as_int);
            Ok(a.unwrap_or(0) * 2)
        };
        StoreOptions::owned("here").derived("double", ["a"], double)
    };
    let begin = || async {
        let node = Node::builder("owner/main".parse().unwrap());
        let node = node.data_dir(dir.path()).store(options());
        node.start().await.unwrap()
    };
    let node = begin().await;
    let here = node.store("here").await.unwrap();
    here.set("a", 4).await.unwrap();
    here.derive("more", ["double"], |inputs| {
        Ok(inputs.get("double")?.and_then(Value::as_int).unwrap_or(0) + 1)
    })
    .await
    .unwrap();
    assert_eq!(value(&here, "more").await, Some(Value::from(9)));
    assert!(here.underive("more").await.unwrap());
    assert_eq!(value(&here, "more").await, None);
    let circle = here.derive("a", ["double"], |_| Ok(1)).await.unwrap_err();
    assert_eq!(circle.kind(), dhlrs_node::ErrorKind::Define);
    assert!(circle.to_string().contains("a -> double -> a"), "{circle}");
    node.shutdown().await;
    let node = begin().await;
    let here = node.store("here").await.unwrap();
    assert_eq!(value(&here, "double").await, Some(Value::from(8)));
    node.shutdown().await;
    // What is on disk knows nothing of it.
    let node = Node::builder("owner/main".parse().unwrap());
    let node = node.data_dir(dir.path()).start().await.unwrap();
    let here = node.store("here").await.unwrap();
    assert_eq!(value(&here, "double").await, None);
    node.shutdown().await;
}
