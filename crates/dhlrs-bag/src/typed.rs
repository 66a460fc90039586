//! Typed access: values of any serde type, read from a tree and written to it.

use dhlrs_path::{Path, Query};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Bag, BagNode, Content, Tree, Value};

mod error;
mod keys;
mod reader;
mod refused;
mod scalars;
mod writer;

pub use error::{TypedError, TypedErrorKind};

impl Tree {
    /// What a path shows, as a value of a serde type; `None` where nothing is.
    ///
    /// A bag is a struct, a map, or, its labels left out of account, a sequence; a List is a
    /// sequence. Null is `None` or a unit. An enum is the Text of its variant, or a bag with one
    /// child of that label that holds what is in it. [`Value`](crate::Value),
    /// [`Timestamp`](crate::Timestamp) and [`Decimal`](crate::Decimal) are themselves; to others a
    /// Timestamp and a Decimal are what they print as. What serde buffers before it knows the type
    /// (flattened, untagged, internally tagged) takes a bag labelled `0`, `1` … for a sequence, and
    /// cannot hold a `Value`. With `path?a`, the attribute. Attributes are
    /// not looked at otherwise.
    ///
    /// # Errors
    /// When what is there is not of that type; the error names the path, and what was expected.
    pub fn get_as<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, TypedError> {
        let parsed = Path::parse(path).map_err(TypedError::of_path)?;
        let Some(node) = self.node(&parsed) else {
            return Ok(None);
        };
        match parsed.query() {
            None => node.to_type().map(Some),
            Some(Query::Names(mut names)) => {
                let (Some(name), None) = (names.next(), names.next()) else {
                    return Err(TypedError::many_attributes(&parsed));
                };
                let value = node.attribute(&name).cloned();
                value
                    .map(|value| value.to_type::<T>())
                    .transpose()
                    .map_err(|error| error.at(&parsed))
            }
            Some(Query::All) => Err(TypedError::many_attributes(&parsed)),
        }
    }
}

impl BagNode<'_> {
    /// What the node shows, as a value of a serde type; see [`Tree::get_as`].
    ///
    /// # Errors
    /// As [`Tree::get_as`].
    pub fn to_type<T: DeserializeOwned>(&self) -> Result<T, TypedError> {
        T::deserialize(reader::NodeReader::new(*self)).map_err(|error| error.at(&self.path()))
    }
}

impl Value {
    /// The scalar or list as a value of a serde type.
    ///
    /// # Errors
    /// When it is not of that type; the path of the error is the root.
    pub fn to_type<T: DeserializeOwned>(&self) -> Result<T, TypedError> {
        T::deserialize(reader::ValueReader::new(self))
    }
}

impl Content {
    /// What a node holds that says this value; [`Tree::get_as`] reads it back.
    ///
    /// A sequence of at most [`LIST_ITEMS_MAX`](crate::LIST_ITEMS_MAX) scalars is a List, any other
    /// a bag with the labels `0`, `1` …. Maps keep the order in which they are iterated.
    ///
    /// # Errors
    /// For an integer beyond 64 bits with a sign, a key that cannot be a label, and what is deeper
    /// or larger than a branch may be.
    pub fn from_type<T: Serialize + ?Sized>(value: &T) -> Result<Self, TypedError> {
        writer::content(value)
    }
}

impl Bag {
    /// Writes a value of a serde type to a path: a struct or a map as a branch, in the place of
    /// what was there. See [`Content::from_type`].
    ///
    /// # Errors
    /// Those of [`Content::from_type`], with the path of the part that cannot be written, and
    /// those of [`Bag::set`].
    pub fn set_from<T: Serialize + ?Sized>(
        &mut self,
        path: &str,
        value: &T,
    ) -> Result<(), TypedError> {
        let parsed = Path::parse(path).map_err(TypedError::of_path)?;
        let content = Content::from_type(value).map_err(|error| error.below(&parsed))?;
        self.set(path, content)
            .map_err(|cause| TypedError::refused(cause).at(&parsed))
    }
}
