//! Whose tree is meant: the names of processes and stores, and paths in them.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use crate::error::{ParsePathError, ParsePathErrorKind as Kind};
use crate::limits::NAME_BYTES_MAX;
use crate::path::Path;
use crate::pattern::Pattern;

/// The name of one process: `machine/process`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName {
    // Invariant: two valid names around the slash.
    text: String,
    slash: usize,
}

impl NodeName {
    /// The name of this process on this machine.
    ///
    /// # Errors
    ///
    /// `EmptyName`, `NameTooLong`, `NameCharacter` or `ControlCharacter`, with the byte of the
    /// joined name.
    pub fn new(machine: &str, process: &str) -> Result<Self, ParsePathError> {
        check(machine, 0)?;
        check(process, machine.len() + 1)?;
        Ok(Self {
            text: [machine, "/", process].concat(),
            slash: machine.len(),
        })
    }

    /// The name as it is printed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The machine's name.
    pub fn machine(&self) -> &str {
        &self.text[..self.slash]
    }

    /// The process's name on its machine.
    pub fn process(&self) -> &str {
        &self.text[self.slash + 1..]
    }
}

impl FromStr for NodeName {
    type Err = ParsePathError;

    fn from_str(text: &str) -> Result<Self, ParsePathError> {
        let (machine, process) = cut(text, 0)?;
        Self::new(machine, process)
    }
}

/// The name of a store of one process.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreName(String);

impl StoreName {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// `EmptyName`, `NameTooLong`, `NameCharacter` or `ControlCharacter`.
    pub fn new(name: &str) -> Result<Self, ParsePathError> {
        check(name, 0)?;
        Ok(Self(name.to_owned()))
    }

    /// The name as it is printed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StoreName {
    type Err = ParsePathError;

    fn from_str(text: &str) -> Result<Self, ParsePathError> {
        Self::new(text)
    }
}

impl AsRef<str> for StoreName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A store and the process that has it: `machine/process/store`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreAddress {
    node: NodeName,
    store: StoreName,
}

impl StoreAddress {
    /// The store of this name at that process.
    pub const fn new(node: NodeName, store: StoreName) -> Self {
        Self { node, store }
    }

    /// The process.
    pub const fn node(&self) -> &NodeName {
        &self.node
    }

    /// The store's name.
    pub const fn store(&self) -> &StoreName {
        &self.store
    }

    /// The address of a path in this store.
    pub const fn at(self, path: Path<'static>) -> Address {
        Address { store: self, path }
    }

    /// The address of a pattern in this store.
    pub const fn at_pattern(self, pattern: Pattern) -> PatternAddress {
        PatternAddress {
            store: self,
            pattern,
        }
    }
}

impl FromStr for StoreAddress {
    type Err = ParsePathError;

    fn from_str(text: &str) -> Result<Self, ParsePathError> {
        let (machine, rest) = cut(text, 0)?;
        let rest_at = machine.len() + 1;
        let (process, store) = cut(rest, rest_at)?;
        let node = NodeName::new(machine, process)?;
        check(store, rest_at + process.len() + 1)?;
        Ok(Self {
            node,
            store: StoreName(store.to_owned()),
        })
    }
}

/// A path in a store of some process: `machine/process/store/path?query`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    store: StoreAddress,
    path: Path<'static>,
}

impl Address {
    /// This path in that store.
    pub const fn new(store: StoreAddress, path: Path<'static>) -> Self {
        Self { store, path }
    }

    /// The process.
    pub const fn node(&self) -> &NodeName {
        &self.store.node
    }

    /// The store and its process.
    pub const fn store(&self) -> &StoreAddress {
        &self.store
    }

    /// The path in the store, with its query.
    pub const fn path(&self) -> &Path<'static> {
        &self.path
    }

    /// The store and the path.
    pub fn into_parts(self) -> (StoreAddress, Path<'static>) {
        (self.store, self.path)
    }
}

impl FromStr for Address {
    type Err = ParsePathError;

    fn from_str(text: &str) -> Result<Self, ParsePathError> {
        let (store, path, at) = split(text)?;
        let path = Path::parse(path).map_err(|err| err.shifted(at))?;
        Ok(Self {
            store,
            path: path.into_owned(),
        })
    }
}

/// A pattern in a store of some process: `machine/process/store/pattern?query`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatternAddress {
    store: StoreAddress,
    pattern: Pattern,
}

impl PatternAddress {
    /// This pattern in that store.
    pub const fn new(store: StoreAddress, pattern: Pattern) -> Self {
        Self { store, pattern }
    }

    /// The process.
    pub const fn node(&self) -> &NodeName {
        &self.store.node
    }

    /// The store and its process.
    pub const fn store(&self) -> &StoreAddress {
        &self.store
    }

    /// The pattern in the store, with its query.
    pub const fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// The store and the pattern.
    pub fn into_parts(self) -> (StoreAddress, Pattern) {
        (self.store, self.pattern)
    }
}

impl FromStr for PatternAddress {
    type Err = ParsePathError;

    fn from_str(text: &str) -> Result<Self, ParsePathError> {
        let (store, pattern, at) = split(text)?;
        let pattern = Pattern::parse(pattern).map_err(|err| err.shifted(at))?;
        Ok(Self { store, pattern })
    }
}

/// Cuts an address into its store, what follows, and where that begins.
fn split(text: &str) -> Result<(StoreAddress, &str, usize), ParsePathError> {
    let (machine, rest) = cut(text, 0)?;
    let store_at = {
        let (process, _) = cut(rest, machine.len() + 1)?;
        machine.len() + 1 + process.len() + 1
    };
    let store = text.get(store_at..).unwrap_or_default();
    // A query of the root may follow the store at once.
    let end = store_at + store.find(['/', '?']).unwrap_or(store.len());
    let address = text.get(..end).unwrap_or_default().parse()?;
    let rest_at = end + usize::from(text.as_bytes().get(end) == Some(&b'/'));
    Ok((address, text.get(rest_at..).unwrap_or_default(), rest_at))
}

fn cut(text: &str, at: usize) -> Result<(&str, &str), ParsePathError> {
    text.split_once('/')
        .ok_or(ParsePathError::new(Kind::Incomplete, at + text.len()))
}

fn check(name: &str, at: usize) -> Result<(), ParsePathError> {
    if name.is_empty() {
        return Err(ParsePathError::new(Kind::EmptyName, at));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(ParsePathError::new(Kind::NameTooLong, at));
    }
    for (offset, c) in name.char_indices() {
        if c.is_control() {
            return Err(ParsePathError::new(Kind::ControlCharacter, at + offset));
        }
        if c.is_whitespace() || matches!(c, '/' | '?' | '#' | '*' | '=' | ',') {
            return Err(ParsePathError::new(Kind::NameCharacter, at + offset));
        }
    }
    Ok(())
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.node, self.store)
    }
}

/// Prints the root of a store without a slash behind the store.
fn write_below(f: &mut fmt::Formatter<'_>, store: &StoreAddress, below: &str) -> fmt::Result {
    let slash = if below.is_empty() || below.starts_with('?') {
        ""
    } else {
        "/"
    };
    write!(f, "{store}{slash}{below}")
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_below(f, &self.store, self.path.as_str())
    }
}

impl fmt::Display for PatternAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_below(f, &self.store, self.pattern.as_str())
    }
}

impl fmt::Debug for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeName({self})")
    }
}

impl fmt::Debug for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreName({self})")
    }
}

impl fmt::Debug for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreAddress({self})")
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl fmt::Debug for PatternAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PatternAddress({self})")
    }
}
