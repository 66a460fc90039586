//! What the program's ADDRESS names: a path or a pattern in a store, here or elsewhere.

use std::str::FromStr;

use dhlrs_path::{
    NodeName, ParsePathError, ParsePathErrorKind, Path, Pattern, StoreAddress, StoreName,
};

use crate::{Failure, FailureKind};

/// A store of a named node, or of the node at `--via` (`//STORE`, a shorthand of this program only).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreTarget {
    /// `None` is the node at `--via`.
    pub node: Option<NodeName>,
    /// The store's name.
    pub store: StoreName,
}

/// `machine/process/store/path` or `//STORE/PATH`; may end in a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTarget {
    /// Where.
    pub store: StoreTarget,
    /// What, with its query.
    pub path: Path<'static>,
}

/// Like [`PathTarget`], with a pattern as the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternTarget {
    /// Where.
    pub store: StoreTarget,
    /// What, with its query.
    pub pattern: Pattern,
}

/// What `watch` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchTarget {
    /// A bag node and everything below it; may have `#` steps and a query.
    Path(PathTarget),
    /// What the pattern matches.
    Pattern(PatternTarget),
}

impl StoreTarget {
    /// The complete address, given the name of the node at `--via`.
    #[must_use]
    pub fn at(&self, via: &NodeName) -> StoreAddress {
        StoreAddress::new(
            self.node.as_ref().unwrap_or(via).clone(),
            self.store.clone(),
        )
    }
}

impl WatchTarget {
    /// The store of either.
    #[must_use]
    pub const fn store(&self) -> &StoreTarget {
        match self {
            Self::Path(target) => &target.store,
            Self::Pattern(target) => &target.store,
        }
    }
}

impl FromStr for StoreTarget {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        match split(text)? {
            (store, "") => Ok(store),
            (_, path) => Err(wrong(
                text,
                format!("a store is wanted here, without the path `{path}`"),
            )),
        }
    }
}

impl FromStr for PathTarget {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let (store, path) = split(text)?;
        let path = Path::parse(path)
            .map_err(|cause| in_path(text, path, cause))?
            .into_owned();
        Ok(Self { store, path })
    }
}

impl FromStr for PatternTarget {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let (store, pattern) = split(text)?;
        let pattern = Pattern::parse(pattern).map_err(|cause| in_path(text, pattern, cause))?;
        Ok(Self { store, pattern })
    }
}

impl FromStr for WatchTarget {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let (store, path) = split(text)?;
        match Path::parse(path) {
            Ok(path) => Ok(Self::Path(PathTarget {
                store,
                path: path.into_owned(),
            })),
            Err(cause) if cause.kind() == ParsePathErrorKind::Wildcard => {
                text.parse().map(Self::Pattern)
            }
            Err(cause) => Err(in_path(text, path, cause)),
        }
    }
}

// Cuts a text into its store and the path behind it.
fn split(text: &str) -> Result<(StoreTarget, &str), Failure> {
    let (node, rest) = match text.strip_prefix("//") {
        Some(rest) => (None, rest),
        None => {
            let Some((end, _)) = text.match_indices('/').nth(1) else {
                return Err(wrong(text, "it ends before the store".to_owned()));
            };
            let (node, rest) = (&text[..end], &text[end + 1..]);
            let node = node.parse().map_err(|cause| in_name(text, node, cause))?;
            (Some(node), rest)
        }
    };
    // A query of the root may follow the store at once.
    let (store, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let store = store.parse().map_err(|cause| in_name(text, store, cause))?;
    Ok((
        StoreTarget { node, store },
        path.strip_prefix('/').unwrap_or(path),
    ))
}

/// The most characters of an address that are shown when something is wrong with it.
const SHOWN_CHARS_MAX: usize = 60;

// The beginning of a long text.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn in_name(text: &str, name: &str, cause: ParsePathError) -> Failure {
    wrong(text, format!("in `{}`: {cause}", shown(name))).caused_by(cause)
}

fn in_path(text: &str, path: &str, cause: ParsePathError) -> Failure {
    let (whole, part) = (shown(text), shown(path));
    let failure = Failure::new(
        FailureKind::BadAddress,
        format!("`{whole}` is no address: in `{part}`: {cause}"),
    );
    let is_beside_a_star = || {
        let at = cause.at().saturating_sub(1);
        let beside = path.as_bytes().get(at..).unwrap_or_default();
        beside.iter().take(2).any(|byte| *byte == b'*')
    };
    match cause.kind() {
        ParsePathErrorKind::Wildcard => {
            failure.hint("only query and watch take patterns; a label's own star is written \\*")
        }
        ParsePathErrorKind::Reserved if is_beside_a_star() => failure.hint(
            "a star is a step of its own: * is one step, ** any number of them; no part of a label can be left open, \
             and a label's own star is written \\*",
        ),
        ParsePathErrorKind::HashInPattern => {
            failure.hint("name the bag nodes by label, or use a path without * for # steps")
        }
        ParsePathErrorKind::Slash => {
            failure.hint("steps of a path are parted by dots: '//main/orders.o1'")
        }
        ParsePathErrorKind::LabelTooLong | ParsePathErrorKind::NameTooLong => {
            failure.hint("shorten it, and keep the long text as a value")
        }
        ParsePathErrorKind::PathTooLong
        | ParsePathErrorKind::PatternTooLong
        | ParsePathErrorKind::TooDeep => {
            failure.hint("shorten the labels, or put fewer bags into each other")
        }
        ParsePathErrorKind::ControlCharacter => failure.hint(
            "labels and names hold no tab, line end or other control character; values may hold them",
        ),
        _ => failure
            .hint("a dot, slash, # or other syntax inside a label is written with \\ before it"),
    }
    .caused_by(cause)
}

fn wrong(text: &str, why: String) -> Failure {
    Failure::new(
        FailureKind::BadAddress,
        format!("`{}` is no address: {why}", shown(text)),
    )
    .hint("write MACHINE/PROCESS/STORE/PATH, or '//STORE/PATH' for a store of the node at --via")
}
