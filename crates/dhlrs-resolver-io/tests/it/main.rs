//! What each resolver reads, and what nobody can make it read.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod addresses;
mod environment;
mod files;
mod hostile;
mod http;
mod server;
mod uuid;

use dhlrs_bag::{Attributes, Content, Name, Value};
use dhlrs_path::Path;
use dhlrs_resolver::Call;

fn call(parameters: &[(&str, &str)]) -> Call {
    let parameters = parameters
        .iter()
        .map(|(name, value)| (Name::new(name).unwrap(), Value::from(*value)));
    Call {
        resolver: "any".to_owned(),
        path: Path::parse("a.b").unwrap(),
        parameters: parameters.collect::<Attributes>(),
        address: None,
        deadline_ms: 1_000,
    }
}

#[track_caller]
fn text(content: Content) -> String {
    match content {
        Content::Value(Value::Text(text)) => text.to_string(),
        other => panic!("{other:?}"),
    }
}
