//! What callers may give where a path, a pattern or a subscription is wanted.

use dhlrs_path::{ParsePathError, ParsePathErrorKind, Path, Pattern};
use dhlrs_trigger::{Subscription, Target};
use dhlrs_wire::Selection;

/// A path, or a text that should be one.
pub trait IntoPath {
    /// The path.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and where.
    fn into_path(self) -> Result<Path<'static>, ParsePathError>;
}

impl IntoPath for Path<'_> {
    fn into_path(self) -> Result<Path<'static>, ParsePathError> {
        Ok(self.into_owned())
    }
}

impl IntoPath for &Path<'_> {
    fn into_path(self) -> Result<Path<'static>, ParsePathError> {
        Ok(self.clone().into_owned())
    }
}

impl IntoPath for &str {
    fn into_path(self) -> Result<Path<'static>, ParsePathError> {
        self.parse()
    }
}

impl IntoPath for String {
    fn into_path(self) -> Result<Path<'static>, ParsePathError> {
        self.parse()
    }
}

impl IntoPath for &String {
    fn into_path(self) -> Result<Path<'static>, ParsePathError> {
        self.parse()
    }
}

/// A path or a pattern, or a text that should be one: it is a pattern if it has a wildcard.
pub trait IntoSelection {
    /// The selection.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and where.
    fn into_selection(self) -> Result<Selection, ParsePathError>;
}

impl IntoSelection for Selection {
    fn into_selection(self) -> Result<Selection, ParsePathError> {
        Ok(self)
    }
}

impl IntoSelection for Path<'_> {
    fn into_selection(self) -> Result<Selection, ParsePathError> {
        Ok(Selection::Path(self.into_owned()))
    }
}

impl IntoSelection for &Path<'_> {
    fn into_selection(self) -> Result<Selection, ParsePathError> {
        self.clone().into_selection()
    }
}

impl IntoSelection for Pattern {
    fn into_selection(self) -> Result<Selection, ParsePathError> {
        Ok(Selection::Pattern(self))
    }
}

impl IntoSelection for &Pattern {
    fn into_selection(self) -> Result<Selection, ParsePathError> {
        self.clone().into_selection()
    }
}

impl IntoSelection for &str {
    fn into_selection(self) -> Result<Selection, ParsePathError> {
        match self.parse::<Path<'static>>() {
            Err(error) if error.kind() == ParsePathErrorKind::Wildcard => {
                Ok(Selection::Pattern(self.parse()?))
            }
            path => path.map(Selection::Path),
        }
    }
}

impl IntoSelection for String {
    fn into_selection(self) -> Result<Selection, ParsePathError> {
        self.as_str().into_selection()
    }
}

impl IntoSelection for &String {
    fn into_selection(self) -> Result<Selection, ParsePathError> {
        self.as_str().into_selection()
    }
}

/// What a callback listens to; a text is a pattern over the whole tree.
pub trait IntoSubscription {
    /// The subscription.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and where.
    fn into_subscription(self) -> Result<Subscription, ParsePathError>;
}

impl IntoSubscription for Subscription {
    fn into_subscription(self) -> Result<Subscription, ParsePathError> {
        Ok(self)
    }
}

impl IntoSubscription for Target {
    fn into_subscription(self) -> Result<Subscription, ParsePathError> {
        Ok(self.into())
    }
}

impl IntoSubscription for Pattern {
    fn into_subscription(self) -> Result<Subscription, ParsePathError> {
        Ok(self.into())
    }
}

impl IntoSubscription for &str {
    fn into_subscription(self) -> Result<Subscription, ParsePathError> {
        Ok(self.parse::<Pattern>()?.into())
    }
}

impl IntoSubscription for String {
    fn into_subscription(self) -> Result<Subscription, ParsePathError> {
        self.as_str().into_subscription()
    }
}
