//! What users of maps expect of a bag, each in one call.

use dhlrs_path::Path;

use crate::{
    Bag, Branch, BranchBuilder, Content, Edit, EditError, EditErrorKind, GuardedEdit, Precondition,
    Row,
};

impl Bag {
    /// Writes a path only where nothing is, and says whether it did.
    ///
    /// # Errors
    /// `BadPath` for a text that is no path, and those of [`order`](Self::order).
    pub fn set_default(
        &mut self,
        path: &str,
        content: impl Into<Content>,
    ) -> Result<bool, EditError> {
        let path = Path::parse(path).map_err(EditError::from_path)?;
        if let Some(query) = path.query() {
            let mut names = query.names();
            let node = self.node(&path);
            let has = |name: &str| node.is_some_and(|node| node.attribute(name).is_some());
            if names.next().is_some_and(|name| has(&name)) && names.next().is_none() {
                return Ok(false);
            }
            return self
                .edit(Edit::set(path.into_owned(), content))
                .map(|_| true);
        }
        let edit = GuardedEdit {
            edit: Edit::set(path.into_owned(), content),
            precondition: Some(Precondition::Missing),
        };
        match self.edit(edit) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == EditErrorKind::PreconditionFailed => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes a node away and hands it back with everything in it, as a branch of one; a missing one
    /// is `None`.
    ///
    /// # Errors
    /// `BadPath` for a text that is no path, has a query or is the root, and those of
    /// [`order`](Self::order).
    pub fn pop_node(&mut self, path: &str) -> Result<Option<Branch>, EditError> {
        let path = Path::parse(path).map_err(EditError::from_path)?;
        if path.query().is_some() {
            let path = path.into_owned();
            return Err(EditError::new(EditErrorKind::BadPath, path));
        }
        let popped = self.node(&path).map(|node| {
            let mut builder = BranchBuilder::new();
            let inside = node.rows().map(|mut row| {
                row.depth += 1;
                row
            });
            let own = Row {
                depth: 0,
                label: node.label().clone(),
                value: node.stored_value().cloned(),
                attributes: node.attributes().clone(),
                resolver: node.resolver().cloned(),
            };
            // What stood in a tree keeps the rules of a branch; only a branch can be too long.
            let pushed = std::iter::once(own)
                .chain(inside)
                .try_for_each(|row| builder.push(row));
            (pushed.is_ok(), builder.finish())
        });
        let path = path.into_owned();
        if let Some((false, _)) = popped {
            return Err(EditError::new(EditErrorKind::Limit, path));
        }
        self.edit(Edit::Remove { path })?;
        Ok(popped.map(|(_, branch)| branch))
    }

    /// Takes away everything in a bag; of an empty path, in the root.
    ///
    /// # Errors
    /// `BadPath` for a text that is no path, and those of [`order`](Self::order).
    pub fn clear(&mut self, path: &str) -> Result<(), EditError> {
        let path = Path::parse(path)
            .map_err(EditError::from_path)?
            .into_owned();
        self.edit(Edit::Clear { path }).map(drop)
    }

    /// Lays a branch over a bag: what exists is written, what is missing is made.
    ///
    /// # Errors
    /// `BadPath` for a text that is no path, and those of [`order`](Self::order); nothing has
    /// changed then.
    pub fn merge(&mut self, path: &str, branch: Branch) -> Result<(), EditError> {
        let path = Path::parse(path)
            .map_err(EditError::from_path)?
            .into_owned();
        self.edit(Edit::Merge { path, branch }).map(drop)
    }
}
