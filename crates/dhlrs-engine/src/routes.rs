//! Names and the ways to them: a distance vector over what the neighbours announce.
//!
//! A node is told nothing of the names that it announced itself (split horizon), a way is at most
//! [`HOPS_MAX`] processes long, and an announcement replaces the one before, so a lost name dies out
//! after at most that many rounds.

use std::collections::BTreeMap;

use dhlrs_path::NodeName;
use dhlrs_wire::{HOPS_MAX, ROUTES_MAX, Route};

/// The way to a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) via: NodeName,
    /// Processes on the way, the neighbour included.
    pub(crate) hops: u8,
}

#[derive(Debug, Default)]
pub(crate) struct Routes {
    /// What each neighbour announced, by name.
    announced: BTreeMap<NodeName, BTreeMap<NodeName, u8>>,
    /// The best way to each name, kept current.
    best: BTreeMap<NodeName, Way>,
}

impl Routes {
    /// The neighbour that reaches `target`. `O(log n)`.
    pub(crate) fn way(&self, target: &NodeName) -> Option<&Way> {
        self.best.get(target)
    }

    pub(crate) fn ways(&self) -> impl Iterator<Item = (&NodeName, &Way)> {
        self.best.iter()
    }

    /// Takes a neighbour's announcement in the place of its last one; says whether a way changed.
    /// Names beyond [`ROUTES_MAX`], our own, and those that it says to be though it has another are left out.
    pub(crate) fn announced(&mut self, own: &NodeName, by: &NodeName, routes: &[Route]) -> bool {
        let mut names: BTreeMap<NodeName, u8> = BTreeMap::new();
        for route in routes.iter().take(ROUTES_MAX) {
            let hops = route.hops.saturating_add(1);
            // No hops at all is what a process says of itself alone.
            let is_false = route.hops == 0 && route.node != *by;
            if hops > HOPS_MAX || route.node == *own || is_false {
                continue;
            }
            let known = names.entry(route.node.clone()).or_insert(hops);
            *known = hops.min(*known);
        }
        let before = self.announced.insert(by.clone(), names).unwrap_or_default();
        self.choose_again(by, before)
    }

    /// Forgets a neighbour; says whether a way changed.
    pub(crate) fn lost(&mut self, neighbour: &NodeName) -> bool {
        let before = self.announced.remove(neighbour).unwrap_or_default();
        self.choose_again(neighbour, before)
    }

    fn choose_again(&mut self, neighbour: &NodeName, before: BTreeMap<NodeName, u8>) -> bool {
        let now = self.announced.get(neighbour);
        let named = before
            .into_keys()
            .chain(now.into_iter().flat_map(|now| now.keys().cloned()));
        let mut changed = false;
        for name in named.collect::<std::collections::BTreeSet<_>>() {
            let best = self
                .announced
                .iter()
                .filter_map(|(via, names)| Some((*names.get(&name)?, via)))
                .min()
                .map(|(hops, via)| Way {
                    via: via.clone(),
                    hops,
                });
            if self.best.get(&name) == best.as_ref() {
                continue;
            }
            changed = true;
            match best {
                Some(way) => self.best.insert(name, way),
                None => self.best.remove(&name),
            };
        }
        changed
    }

    /// What to announce to `neighbour`: our own name, unless we are a client, and all that we reach
    /// by another way.
    pub(crate) fn announcement(&self, own: Option<&NodeName>, neighbour: &NodeName) -> Vec<Route> {
        let own = own.map(|node| Route {
            node: node.clone(),
            hops: 0,
        });
        let others = self
            .best
            .iter()
            .filter(|(name, way)| way.via != *neighbour && *name != neighbour)
            .filter(|(_, way)| way.hops < HOPS_MAX)
            .map(|(name, way)| Route {
                node: name.clone(),
                hops: way.hops,
            });
        own.into_iter().chain(others).take(ROUTES_MAX).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> NodeName {
        text.parse().unwrap()
    }

    fn route(text: &str, hops: u8) -> Route {
        Route {
            node: name(text),
            hops,
        }
    }

    #[test]
    fn takes_the_shortest_way_and_falls_back_to_the_other() {
        let mut routes = Routes::default();
        let own = name("a/a");
        assert!(routes.announced(&own, &name("b/b"), &[route("b/b", 0), route("d/d", 2)]));
        assert!(routes.announced(&own, &name("c/c"), &[route("c/c", 0), route("d/d", 1)]));
        assert_eq!(
            routes.way(&name("d/d")),
            Some(&Way {
                via: name("c/c"),
                hops: 2
            })
        );
        assert!(routes.lost(&name("c/c")));
        assert_eq!(
            routes.way(&name("d/d")),
            Some(&Way {
                via: name("b/b"),
                hops: 3
            })
        );
        assert!(routes.way(&name("c/c")).is_none());
    }

    #[test]
    fn tells_a_neighbour_nothing_that_it_told_us() {
        let mut routes = Routes::default();
        let own = name("a/a");
        routes.announced(&own, &name("b/b"), &[route("b/b", 0), route("d/d", 2)]);
        assert_eq!(
            routes.announcement(Some(&own), &name("b/b")),
            [route("a/a", 0)]
        );
        assert_eq!(
            routes.announcement(Some(&own), &name("c/c")),
            [route("a/a", 0), route("b/b", 1), route("d/d", 3)]
        );
        assert_eq!(routes.announcement(None, &name("b/b")), []);
    }

    #[test]
    fn a_way_longer_than_the_hop_limit_is_none() {
        let mut routes = Routes::default();
        assert!(!routes.announced(&name("a/a"), &name("b/b"), &[route("z/z", HOPS_MAX)]));
        assert!(routes.way(&name("z/z")).is_none());
        routes.announced(&name("a/a"), &name("b/b"), &[route("z/z", HOPS_MAX - 1)]);
        assert!(routes.way(&name("z/z")).is_some());
        assert_eq!(routes.announcement(None, &name("c/c")), []);
    }

    #[test]
    fn our_own_name_is_never_somebody_elses() {
        let mut routes = Routes::default();
        assert!(!routes.announced(&name("a/a"), &name("b/b"), &[route("a/a", 1)]));
    }

    #[test]
    fn a_neighbour_is_reached_directly_whoever_else_announces_its_name() {
        let mut routes = Routes::default();
        let own = name("b/main");
        routes.announced(&own, &name("c/main"), &[route("c/main", 0)]);
        routes.announced(
            &own,
            &name("a/evil"),
            &[route("a/evil", 0), route("c/main", 0)],
        );
        assert_eq!(routes.way(&name("c/main")).unwrap().via, name("c/main"));
    }
}
