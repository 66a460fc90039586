//! Where a path leads: through the published tree, and on in what resolvers give.

use dhlrs_bag::{Attributes, Bag, BagNode, Content, Edit, ResolverRef, Snapshot};
use dhlrs_path::Path;
use dhlrs_resolver::Slot;
use dhlrs_wire::{ReadRow, Refusal, RefusalKind, Revision, View};

use crate::machine::Store;
use crate::reads::{Source, row, seen};

/// How far a read has followed its path.
pub(crate) struct Followed {
    /// The published tree, or what a resolver gave.
    pub(crate) tree: Snapshot,
    /// Where the root of that tree stands in the store.
    pub(crate) base: Path<'static>,
    /// What is left of the path, from that root on.
    pub(crate) steps: Vec<String>,
    /// The row of that root, if a resolver gave the tree.
    pub(crate) top: Option<ReadRow>,
}

/// A node whose value a resolver stands in for.
pub(crate) struct Standing<'t> {
    /// How many steps lead to it.
    pub(crate) taken: usize,
    pub(crate) place: Path<'static>,
    pub(crate) node: Option<BagNode<'t>>,
    pub(crate) slot: Slot,
    /// The resolver that another one's answer names; else the tree or the configuration says which.
    pub(crate) named: Option<ResolverRef>,
}

/// Where a path leads.
pub(crate) enum Located {
    Here(Box<Source>),
    Missing,
    Waits(Slot),
}

impl Store {
    /// What is there at the end of a path.
    pub(crate) fn found(&self, at: Followed, view: View) -> Result<Located, Refusal> {
        let path = join(&at.steps)?;
        let Some(node) = seen(&at.tree, &path, view) else {
            return Ok(Located::Missing);
        };
        let is_own = at.top.is_some();
        let top = match is_own && !path.is_root() {
            true => {
                let mut top = row(&node, 0, String::new(), View::Cached);
                top.name = inside(&at.base, &node)?.to_string();
                Some(top)
            }
            false => at.top,
        };
        Ok(Located::Here(Box::new(Source {
            tree: at.tree,
            revision: self.revision(),
            path,
            top,
            is_own,
        })))
    }

    /// The first node on the way, or at its end, whose value a resolver stands in for.
    pub(crate) fn next_resolver<'t>(
        &self,
        at: &'t Followed,
        has_query: bool,
    ) -> Result<Option<Standing<'t>>, Refusal> {
        let is_own = at.top.is_some();
        for taken in usize::from(is_own)..=at.steps.len() {
            let (before, rest) = at.steps.split_at(taken);
            // Reading attributes needs the node, not its value.
            let is_needed = !(comes_back(rest) || rest.is_empty() && has_query);
            if !is_needed {
                continue;
            }
            let prefix = join(before)?;
            let node = at.tree.node(&prefix);
            let (place, slot, named) = if is_own {
                let Some(node) = node else { break };
                let Some(resolver) = node.resolver() else {
                    continue;
                };
                let place = inside(&at.base, &node)?;
                if self.derivations.covers(&place) {
                    continue;
                }
                // It is answered, not shown: what lies around it shows as one whole.
                let named = ResolverRef {
                    read_only: true,
                    ..resolver.clone()
                };
                (place.clone(), Slot::Missing(place), Some(named))
            } else {
                let Some(slot) = self.slot_of(&prefix, node.as_ref()) else {
                    continue;
                };
                let place = node.as_ref().map_or(prefix, BagNode::path);
                (place, slot, None)
            };
            return Ok(Some(Standing {
                taken,
                place,
                node,
                slot,
                named,
            }));
        }
        Ok(None)
    }
}

/// Whether steps lead out of the node where they begin: then it does not matter what it holds.
fn comes_back(steps: &[String]) -> bool {
    let mut below = 0_usize;
    steps.iter().any(|step| match (step == "#parent", below) {
        (true, 0) => true,
        (true, _) => {
            below -= 1;
            false
        }
        (false, _) => {
            below += 1;
            false
        }
    })
}

fn join(steps: &[String]) -> Result<Path<'static>, Refusal> {
    steps
        .join(".")
        .parse()
        .map_err(|error| Refusal::new(RefusalKind::Invalid, error))
}

/// Where a node is that a resolver gave as a part of what stands at `base`.
fn inside(base: &Path<'_>, node: &BagNode<'_>) -> Result<Path<'static>, Refusal> {
    base.join(&node.path())
        .map_err(|error| Refusal::new(RefusalKind::Invalid, error))
}

/// What a resolver gave as a tree of its own, and the row that stands for its node.
pub(crate) fn opened(
    content: &Content,
    standing: &Standing<'_>,
    revision: Revision,
) -> Result<(Snapshot, ReadRow), Refusal> {
    let mut bag = Bag::new();
    let name = standing.place.to_string();
    let mut top = match &standing.node {
        Some(node) => row(node, 0, name, View::Stored),
        None => ReadRow {
            depth: 0,
            name,
            value: None,
            attributes: Attributes::new(),
            resolver: None,
            revision: revision.number,
            children: 0,
        },
    };
    match content {
        Content::Value(value) => {
            top.value = Some(value.clone());
            top.children = 0;
        }
        Content::Branch(branch) => {
            let edit = Edit::Replace {
                path: Path::default(),
                branch: branch.clone(),
            };
            bag.edit(edit)
                .map_err(|error| Refusal::new(RefusalKind::Resolver, error))?;
            top.value = None;
            top.children = bag.root().len();
        }
    }
    Ok((bag.snapshot(), top))
}
