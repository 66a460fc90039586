//! What `--store`, `--allow`, `--resolve` and `--forward` bind to each other.

use std::{str::FromStr, time::Duration};

use dhlrs_identity::PublicKey;
use dhlrs_path::{NodeName, Pattern, StoreName};

use crate::{Failure, FailureKind};

/// `NAME[=owned]` or `NAME=replicated[,retain=all]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOption {
    /// The store's name.
    pub name: StoreName,
    /// Who has it.
    pub kind: StoreKind,
}

/// Who has a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// This process alone.
    Owned,
    /// Every process that opens it under its name.
    Replicated,
}

/// `KEY[=MACHINE/PROCESS]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// Who may connect.
    pub key: PublicKey,
    /// The name that is held for this key.
    pub name: Option<NodeName>,
}

/// `STORE/PATTERN=ADDRESS[,cache=SECONDS]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// The store of this node.
    pub store: StoreName,
    /// The bag nodes whose values are fetched.
    pub pattern: Pattern,
    /// Where from; `{name}` in it is an attribute of the bag node.
    pub address: String,
    /// How long a value is kept; zero fetches at every read.
    pub cache: Duration,
}

/// `STORE/PATTERN=ADDRESS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// The store of this node.
    pub store: StoreName,
    /// The changes that are sent on.
    pub pattern: Pattern,
    /// Where to.
    pub address: dhlrs_path::Address,
}

impl FromStr for StoreOption {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        const HINT: &str = "write NAME, NAME=owned or NAME=replicated";
        let (name, kind) = text.split_once('=').unwrap_or((text, "owned"));
        let name = name
            .parse()
            .map_err(|cause| usage(text, format!("in `{name}`: {cause}"), HINT))?;
        let (kind, options) = match kind.split_once(',') {
            Some((kind, options)) => (kind, Some(options)),
            None => (kind, None),
        };
        let kind = match kind {
            "owned" => StoreKind::Owned,
            "replicated" => StoreKind::Replicated,
            _ => return Err(usage(text, format!("`{kind}` is no kind of store"), HINT)),
        };
        for option in options.into_iter().flat_map(|options| options.split(',')) {
            match (kind, option.split_once('=')) {
                // Without a root nothing is compacted: all is retained as it is.
                (StoreKind::Replicated, Some(("retain", "all"))) => {}
                (StoreKind::Replicated, Some(("root", _))) => {
                    let why = "this program cannot follow a store's control log, so it opens no store with a root";
                    let hint = "leave root= out: whoever is linked with one of the store's processes may write then, \
                                --allow says who that is, and history is kept whole";
                    return Err(usage(text, why.to_owned(), hint));
                }
                _ => {
                    let why = format!("`{option}` is no option of such a store");
                    let hint =
                        "write NAME, NAME=owned, NAME=replicated or NAME=replicated,retain=all";
                    return Err(usage(text, why, hint));
                }
            }
        }
        Ok(Self { name, kind })
    }
}

impl FromStr for Allow {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        const HINT: &str = "write KEY or KEY=MACHINE/PROCESS; `dhlrs key` prints a user's key, `dhlrs status` a node's";
        let (key, name) = match text.split_once('=') {
            Some((key, name)) => (key, Some(name)),
            None => (text, None),
        };
        let key = key
            .parse()
            .map_err(|cause| usage(text, format!("{cause}"), HINT))?;
        let name = name
            .map(|name| {
                name.parse()
                    .map_err(|cause| usage(text, format!("in `{name}`: {cause}"), HINT))
            })
            .transpose()?;
        Ok(Self { key, name })
    }
}

impl FromStr for Resolve {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        const HINT: &str = "write 'STORE/PATTERN=MACHINE/PROCESS/STORE/PATH,cache=SECONDS'; without cache= every read asks again";
        let (store, pattern, address) = sides(text, HINT)?;
        // From the right, because a path may hold commas.
        let (address, cache) = match address.rsplit_once(",cache=") {
            Some((address, seconds)) => {
                let seconds = seconds
                    .parse()
                    .ok()
                    .and_then(|seconds: f64| Duration::try_from_secs_f64(seconds).ok())
                    .ok_or_else(|| usage(text, format!("`{seconds}` are no seconds"), HINT))?;
                (address, seconds)
            }
            None => (address, Duration::ZERO),
        };
        if address.split('/').count() < 3 {
            return Err(usage(
                text,
                format!("`{address}` is no complete address"),
                HINT,
            ));
        }
        Ok(Self {
            store,
            pattern,
            address: address.to_owned(),
            cache,
        })
    }
}

impl FromStr for Forward {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        const HINT: &str = "write 'STORE/PATTERN=MACHINE/PROCESS/STORE/PATH'";
        let (store, pattern, address) = sides(text, HINT)?;
        let address = address
            .parse()
            .map_err(|cause| usage(text, format!("in `{address}`: {cause}"), HINT))?;
        Ok(Self {
            store,
            pattern,
            address,
        })
    }
}

// Cuts `STORE/PATTERN=ADDRESS`.
fn sides<'a>(text: &'a str, hint: &str) -> Result<(StoreName, Pattern, &'a str), Failure> {
    let end = first_equals(text).ok_or_else(|| {
        usage(
            text,
            "there is no = with an address behind".to_owned(),
            hint,
        )
    })?;
    let (left, address) = (&text[..end], &text[end + 1..]);
    let (store, pattern) = left.split_once('/').unwrap_or((left, ""));
    let store = store
        .parse()
        .map_err(|cause| usage(text, format!("in `{store}`: {cause}"), hint))?;
    let pattern = Pattern::parse(pattern)
        .map_err(|cause| usage(text, format!("in `{pattern}`: {cause}"), hint))?;
    Ok((store, pattern, address))
}

// The first `=` that is neither escaped nor part of a step `#a=t`.
fn first_equals(text: &str) -> Option<usize> {
    let mut escaped = false;
    let mut in_hash_step = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'#' => in_hash_step = true,
            b'.' | b'/' => in_hash_step = false,
            b'=' if in_hash_step => in_hash_step = false,
            b'=' => return Some(at),
            _ => {}
        }
    }
    None
}

fn usage(text: &str, why: String, hint: &str) -> Failure {
    Failure::new(FailureKind::Usage, format!("`{text}`: {why}")).hint(hint)
}
