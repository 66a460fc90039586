//! URLs with parameters of the call in them.

use dhlrs_resolver::Call;
use url::{Origin, Url};

use crate::error::{IoError, IoErrorKind};
use crate::parameter;

/// The longest URL, filled in.
const URL_BYTES_MAX: usize = 8_192;

#[derive(Debug)]
pub(crate) struct UrlTemplate {
    // Invariant: whatever stands for the parameters, the result is a URL of `origin`.
    pieces: Vec<Piece>,
    origin: Origin,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Parameter(String),
}

impl UrlTemplate {
    pub(crate) fn parse(text: &str) -> Result<Self, IoError> {
        let bad = |why: &str| IoError::new(IoErrorKind::Config, format!("{text:?}: {why}"));
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            literal.push_str(before);
            rest = if let Some(after) = from.strip_prefix("{{") {
                literal.push('{');
                after
            } else if let Some(after) = from.strip_prefix("}}") {
                literal.push('}');
                after
            } else if let Some((name, after)) = from
                .strip_prefix('{')
                .and_then(|inside| inside.split_once('}'))
            {
                if name.is_empty() || name.contains('{') {
                    return Err(bad("no parameter has such a name"));
                }
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
                pieces.push(Piece::Parameter(name.to_owned()));
                after
            } else {
                return Err(bad("stray brace: write {name}, {{ or }}"));
            };
        }
        literal.push_str(rest);
        pieces.push(Piece::Text(literal));
        let sample = fill(&pieces, |_| Ok("x".to_owned()))?;
        let url = Url::parse(&sample).map_err(|error| bad("no URL").because(error))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("only http and https are read"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(bad("it may have no user and no fragment"));
        }
        // A parameter may not choose the host: what comes before the first one has to say it all.
        let beginning = match pieces.first() {
            Some(Piece::Text(text)) => text.as_str(),
            _ => "",
        };
        let authority = beginning.split_once("://").map_or("", |(_, after)| after);
        if pieces.len() > 1 && !authority.contains(['/', '?']) {
            return Err(bad("a parameter stands in the path or in the query only"));
        }
        Ok(Self {
            pieces,
            origin: url.origin(),
        })
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn render(&self, call: &Call) -> Result<Url, IoError> {
        let refuse = |message: String| IoError::new(IoErrorKind::Parameter, message);
        let text = fill(&self.pieces, |name| {
            let value = parameter::needed(call, name)?;
            // As a segment these two mean a place, however they are spelled.
            if value == "." || value == ".." {
                return Err(refuse(format!("parameter {name:?} may not be {value:?}")));
            }
            Ok(escaped(&value))
        })?;
        if text.len() > URL_BYTES_MAX {
            let message = format!("a URL of {} bytes, limit {URL_BYTES_MAX}", text.len());
            return Err(refuse(message));
        }
        let url = Url::parse(&text)
            .map_err(|error| refuse(format!("{text:?} is no URL")).because(error))?;
        if url.origin() != self.origin {
            return Err(refuse(format!("{text:?} would lead to another host")));
        }
        Ok(url)
    }
}

fn fill(
    pieces: &[Piece],
    mut value: impl FnMut(&str) -> Result<String, IoError>,
) -> Result<String, IoError> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Parameter(name) => text.push_str(&value(name)?),
        }
    }
    Ok(text)
}

/// A value as it may stand in a segment or a query: everything but letters, digits and `-._~` is
/// escaped.
fn escaped(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
