//! `--position`: words that need no quotes, and the signs of the path language.

use dhlrs_bag::{Label, Position};

/// Reads `first`, `last`, `at:N`, `before:LABEL`, `after:LABEL`, or `<`, `>`, `#n`, `<label`, `>label`, `<#n`, `>#n`.
///
/// # Errors
///
/// With what is wrong and the forms that are read.
pub fn parse_position(text: &str) -> Result<Position, String> {
    let sibling =
        |label: &str| Label::new(label).map_err(|cause| format!("the sibling's label: {cause}"));
    if let Some(index) = text.strip_prefix("at:") {
        let form = format!("#{index}");
        return form.parse().map_err(|cause| format!("at:{index}: {cause}"));
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
        signs => signs.parse().map_err(|cause| {
            format!("write first, last, at:N, before:LABEL or after:LABEL; or in quotes: {cause}")
        }),
    }
}
