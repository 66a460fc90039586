//! What `status` prints.

use dhlrs_wire::{Status, StoreStatus};
use serde_json::{Value as Json, json};

/// `1 node`, `2 nodes`.
pub(crate) fn counted(count: u64, one: &str) -> String {
    counted_as(count, one, &format!("{one}s"))
}

fn counted_as(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The status for people: one fact a line, lists below their heading.
#[must_use]
pub fn status_text(status: &Status) -> String {
    let mut lines = vec![
        format!("node        {}", status.node),
        format!("key         {}", status.key),
        format!("version     {}", status.version),
        format!("transports  {}", status.transports.join(" ")),
    ];
    lines.extend(status.listen.iter().map(|url| format!("listens     {url}")));
    lines.push(format!(
        "refused     {}",
        counted(status.refused_frames, "frame")
    ));
    for store in &status.stores {
        let durable = if store.durable {
            "durable"
        } else {
            "in memory"
        };
        let StoreStatus {
            name,
            authority,
            state,
            revision,
            oldest,
            nodes,
            sessions,
            watches,
            ..
        } = store;
        lines.push(format!(
            "store       {name} {authority} {state} {durable}, revision {revision}, oldest {oldest}, {}, {}, {}",
            counted(*nodes, "node"),
            counted(*sessions, "session"),
            counted_as(*watches, "watch", "watches"),
        ));
        lines.extend(store.forwards.iter().map(|forward| {
            let (pattern, to) = (&forward.pattern, &forward.store);
            format!(
                "  forward   {pattern} -> {to} {}, up to revision {}, {} refused",
                forward.state, forward.revision, forward.refused
            )
        }));
    }
    lines.extend(status.peers.iter().map(|peer| {
        format!(
            "peer        {} {} {}, {} in flight",
            peer.node, peer.key, peer.state, peer.in_flight
        )
    }));
    lines.extend(status.routes.iter().map(|route| {
        format!(
            "route       {} via {}, {}",
            route.node,
            route.via,
            counted(route.hops.into(), "hop")
        )
    }));
    lines.join("\n")
}

/// The status as one JSON object with the same facts.
#[must_use]
pub fn status_json(status: &Status) -> String {
    let stores: Vec<Json> = status.stores.iter().map(store).collect();
    let peers: Vec<Json> = status
        .peers
        .iter()
        .map(|peer| {
            json!({
                "node": peer.node.to_string(), "key": peer.key.to_string(), "state": peer.state,
                "in_flight": peer.in_flight,
            })
        })
        .collect();
    let routes: Vec<Json> = status
        .routes
        .iter()
        .map(|route| json!({ "node": route.node.to_string(), "via": route.via.to_string(), "hops": route.hops }))
        .collect();
    json!({
        "node": status.node.to_string(), "key": status.key.to_string(), "version": status.version,
        "transports": status.transports, "listen": status.listen, "refused_frames": status.refused_frames,
        "stores": stores, "peers": peers, "routes": routes,
    })
    .to_string()
}

fn store(store: &StoreStatus) -> Json {
    let forwards: Vec<Json> = store
        .forwards
        .iter()
        .map(|forward| {
            json!({
                "pattern": forward.pattern, "to": forward.store.to_string(), "revision": forward.revision,
                "refused": forward.refused, "state": forward.state,
            })
        })
        .collect();
    json!({
        "name": store.name, "authority": store.authority, "state": store.state, "durable": store.durable,
        "revision": store.revision.number, "incarnation": store.revision.incarnation.to_string(),
        "oldest": store.oldest, "nodes": store.nodes, "sessions": store.sessions, "watches": store.watches,
        "forwards": forwards,
    })
}
