//! Who may depend on whom.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cargo_metadata::{DependencyKind, Node, PackageId};

use super::{EDGE_LAYER, Problem};
use crate::{Workspace, XtaskError};

/// What a core crate must not reach, not even through others.
const IO_CRATES: &[&str] = &[
    "async-io",
    "async-std",
    "fs4",
    "gethostname",
    "getrandom",
    "hyper",
    "mio",
    "native-tls",
    "openssl",
    "polling",
    "rand",
    "reqwest",
    "rustix",
    "rustls",
    "smol",
    "socket2",
    "tempfile",
    "tokio",
    "tracing-subscriber",
    "tungstenite",
];

/// A crate, and how many packages `cargo tree -e normal` may show for it, itself included.
const PACKAGES_MAX: &[(&str, usize)] = &[("dhlrs-path", 1), ("dhlrs-bag", 15)];

pub(super) fn layers(workspace: &Workspace) -> Result<Vec<Problem>, XtaskError> {
    let layer_of: BTreeMap<&str, Option<u64>> = workspace
        .members()
        .map(|member| (member.package.name.as_str(), member.layer))
        .collect();
    let mut problems = Vec::new();
    for member in workspace.members() {
        let name = member.package.name.as_str();
        let Some(layer) = member.layer else {
            let message = "has no layer; add `[package.metadata.dhlrs] layer = N` (ARCHITECTURE.md says which)";
            problems.push(Problem::new(name, message));
            continue;
        };
        let folder = member
            .package
            .manifest_path
            .parent()
            .and_then(|folder| folder.file_name());
        if folder != Some(name) {
            let folder = folder.unwrap_or_default();
            problems.push(Problem::new(
                name,
                format!("lies in `{folder}`; a folder is named like its crate"),
            ));
        }
        for dependency in &member.package.dependencies {
            let below = layer_of.get(dependency.name.as_str()).copied().flatten();
            if dependency.kind != DependencyKind::Development
                && let Some(below) = below
                && below >= layer
            {
                let other = &dependency.name;
                problems.push(Problem::new(
                    name,
                    format!("is layer {layer} and depends on {other} of layer {below}; only lower numbers are allowed"),
                ));
            }
        }
    }
    Ok(problems)
}

pub(super) fn core_is_pure(workspace: &Workspace) -> Result<Vec<Problem>, XtaskError> {
    let resolve = workspace
        .metadata()
        .resolve
        .as_ref()
        .ok_or_else(|| XtaskError::new("cargo metadata has no resolve"))?;
    let nodes: BTreeMap<&PackageId, &Node> =
        resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut problems = Vec::new();
    for member in workspace
        .members()
        .filter(|member| member.layer.is_some_and(|layer| layer < EDGE_LAYER))
    {
        for chain in io_chains(workspace, &nodes, &member.package.id) {
            problems.push(Problem::new(
                member.package.name.as_str(),
                format!(
                    "is a core crate and reaches IO: {chain}; let it come in as a value or a trait"
                ),
            ));
        }
    }
    Ok(problems)
}

// Breadth first, so that the chain shown is a shortest one.
fn io_chains(
    workspace: &Workspace,
    nodes: &BTreeMap<&PackageId, &Node>,
    from: &PackageId,
) -> Vec<String> {
    let mut chains = Vec::new();
    let mut seen = BTreeSet::from([from]);
    let mut queue = VecDeque::from([(from, String::new())]);
    while let Some((id, above)) = queue.pop_front() {
        let name = workspace.metadata()[id].name.as_str();
        let chain = if above.is_empty() {
            name.to_owned()
        } else {
            format!("{above} -> {name}")
        };
        if IO_CRATES.contains(&name) {
            chains.push(chain);
            continue;
        }
        let Some(node) = nodes.get(id) else { continue };
        for dependency in &node.deps {
            let counts = dependency
                .dep_kinds
                .iter()
                .any(|info| info.kind == DependencyKind::Normal);
            if counts && seen.insert(&dependency.pkg) {
                queue.push_back((&dependency.pkg, chain.clone()));
            }
        }
    }
    chains
}

pub(super) fn package_counts(workspace: &Workspace) -> Result<Vec<Problem>, XtaskError> {
    let mut problems = Vec::new();
    for &(name, packages_max) in PACKAGES_MAX {
        let packages = packages_of(workspace, name)?;
        if packages.len() > packages_max {
            let list = packages.into_iter().collect::<Vec<_>>();
            problems.push(Problem::new(
                name,
                format!(
                    "`cargo tree -e normal` shows {} packages, limit {packages_max}: {}",
                    list.len(),
                    list.join(", ")
                ),
            ));
        }
    }
    Ok(problems)
}

// By `cargo tree`, because the resolve of `cargo metadata` unites the features of the whole workspace.
fn packages_of(workspace: &Workspace, name: &str) -> Result<BTreeSet<String>, XtaskError> {
    let output = workspace
        .cargo()
        .args([
            "tree",
            "--locked",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--package",
            name,
        ])
        .output()
        .map_err(|error| XtaskError::new(format!("cargo tree: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(XtaskError::new(format!(
            "cargo tree --package {name}: {}",
            said.trim()
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.split(" (").next())
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}
