//! `--position`: words that need no quotes, and the signs of the path language.

use std::error::Error;

use dhlrs_bag::{Label, Position};

use crate::{Failure, FailureKind};

/// Reads `first`, `last`, `at:N`, `before:LABEL`, `after:LABEL`, or `<`, `>`, `#n`, `<label`, `>label`, `<#n`, `>#n`.
///
/// # Errors
///
/// `Usage` with what is wrong; the hint has the forms that are read.
pub fn parse_position(text: &str) -> Result<Position, Failure> {
    let sibling =
        |label: &str| Label::new(label).map_err(|cause| wrong("the sibling's label", cause));
    if let Some(index) = text.strip_prefix("at:") {
        let form = format!("#{index}");
        return form.parse().map_err(|cause| wrong("behind at:", cause));
    }
    if let Some(label) = text.strip_prefix("before:") {
        return sibling(label).map(Position::BeforeLabel);
    }
    if let Some(label) = text.strip_prefix("after:") {
        return sibling(label).map(Position::AfterLabel);
    }
    match text {
        "first" => Ok(Position::First),
        "last" => Ok(Position::Last),
        signs => signs
            .parse()
            .map_err(|cause| wrong("it is no position", cause)),
    }
}

fn wrong(what: &str, cause: impl Error + Send + Sync + 'static) -> Failure {
    Failure::new(FailureKind::Usage, format!("{what}: {cause}"))
        .hint("write first, last, at:N, before:LABEL or after:LABEL; the signs of paths stand in quotes")
        .caused_by(cause)
}
