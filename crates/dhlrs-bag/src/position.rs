//! Where a node is to stand, as people write it.

use std::{fmt, str::FromStr};

use crate::{Label, PositionError};

/// Where a new or a moved node goes among the children of its bag.
///
/// Spelled `<` (first), `>` (last), `#n` (becomes child n), `<label`, `>label`, `<#n`, `>#n`
/// (before and after a sibling). An index below 0 counts from the end: `<#-1` is before the last
/// child, and so is `#-1`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Position {
    /// Before all children.
    First,
    /// After all children.
    Last,
    /// Such that it becomes the child with this index.
    At(i64),
    /// Before the sibling with this label.
    BeforeLabel(Label),
    /// After the sibling with this label.
    AfterLabel(Label),
    /// Before the sibling with this index.
    BeforeIndex(i64),
    /// After the sibling with this index.
    AfterIndex(i64),
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        if let Some(index) = text.strip_prefix('#') {
            return parse_index(index).map(Self::At);
        }
        let (before, sibling) = match (text.strip_prefix('<'), text.strip_prefix('>')) {
            (Some(sibling), _) => (true, sibling),
            (_, Some(sibling)) => (false, sibling),
            _ => return Err(PositionError::Form),
        };
        if sibling.is_empty() {
            return Ok(if before { Self::First } else { Self::Last });
        }
        if let Some(index) = sibling.strip_prefix('#') {
            let index = parse_index(index)?;
            return Ok(if before {
                Self::BeforeIndex(index)
            } else {
                Self::AfterIndex(index)
            });
        }
        // A label that begins with `#` is written `\#`, as in a path.
        let label = sibling.strip_prefix('\\').unwrap_or(sibling);
        let label = Label::new(label).map_err(PositionError::Label)?;
        Ok(if before {
            Self::BeforeLabel(label)
        } else {
            Self::AfterLabel(label)
        })
    }
}

// As in a path: no plus sign, no leading zero, no `-0`.
fn parse_index(text: &str) -> Result<i64, PositionError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || text == "-0" || (digits.len() > 1 && digits.starts_with('0')) {
        return Err(PositionError::Index);
    }
    text.parse().map_err(|_| PositionError::Index)
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escape = |label: &Label| {
            if label.starts_with(['#', '\\']) {
                "\\"
            } else {
                ""
            }
        };
        match self {
            Self::First => f.write_str("<"),
            Self::Last => f.write_str(">"),
            Self::At(index) => write!(f, "#{index}"),
            Self::BeforeLabel(label) => write!(f, "<{}{label}", escape(label)),
            Self::AfterLabel(label) => write!(f, ">{}{label}", escape(label)),
            Self::BeforeIndex(index) => write!(f, "<#{index}"),
            Self::AfterIndex(index) => write!(f, ">#{index}"),
        }
    }
}
