//! Parameters of a call, as text.

use dhlrs_bag::Value;
use dhlrs_resolver::Call;

use crate::error::{IoError, IoErrorKind};

/// A parameter as the text that it prints as; `None` where it is missing or Null.
pub(crate) fn text(call: &Call, name: &str) -> Result<Option<String>, IoError> {
    match call.parameters.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::List(_)) => {
            let message = format!("parameter {name:?} is a list");
            Err(IoError::new(IoErrorKind::Parameter, message))
        }
        Some(scalar) => Ok(Some(scalar.to_string())),
    }
}

pub(crate) fn needed(call: &Call, name: &str) -> Result<String, IoError> {
    text(call, name)?.ok_or_else(|| {
        let message = format!("parameter {name:?} is missing");
        IoError::new(IoErrorKind::Parameter, message)
    })
}
