//! `serve --config`: a TOML file with the long names of the flags, read as if they stood on the command line.

use std::{ffi::OsString, fs, path::Path};

use clap::{Arg, ArgAction, ArgMatches, Command, parser::ValueSource};
use toml::Value;

use crate::{Failure, FailureKind};

/// The most bytes a configuration file may have.
pub const CONFIG_BYTES_MAX: u64 = 1024 * 1024;

/// The arguments that the file adds to those of `given`; what is given there already is left out.
///
/// # Errors
///
/// `BadConfig` with the key that is unknown or has a value of the wrong form, `File` when there is no such file.
pub(crate) fn arguments(
    path: &Path,
    command: &Command,
    given: &ArgMatches,
) -> Result<Vec<OsString>, Failure> {
    let bad = |why: String| Failure::new(FailureKind::BadConfig, why).at(path.display());
    let mut added = Vec::new();
    for (key, value) in read(path)? {
        let Some(arg) = flags(command).find(|arg| arg.get_long() == Some(key.as_str())) else {
            let shown = flags(command).filter(|arg| !arg.is_hide_set());
            let known: Vec<&str> = shown.filter_map(Arg::get_long).collect();
            return Err(bad(format!("`{key}` is no option"))
                .hint(format!("there are {}", known.join(", "))));
        };
        let texts = texts(arg, &value).ok_or_else(|| {
            bad(format!("`{key}` has a value of another form"))
                .hint(format!("`{key}` wants {}", form(arg)))
        })?;
        let is_given = given.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
        if !is_given {
            added.extend(texts.into_iter().map(|text| match text {
                Some(text) => OsString::from(format!("--{key}={text}")),
                None => OsString::from(format!("--{key}")),
            }));
        }
    }
    Ok(added)
}

fn read(path: &Path) -> Result<toml::Table, Failure> {
    let cannot = |why: String| {
        Failure::new(FailureKind::File, why)
            .at(path.display())
            .hint("--config wants a TOML file with the long names of the flags: listen = [\"ws://127.0.0.1:7411\"]")
    };
    let size = fs::metadata(path)
        .map_err(|cause| cannot(format!("cannot be read: {cause}")))?
        .len();
    if size > CONFIG_BYTES_MAX {
        return Err(cannot(format!(
            "{size} bytes are no configuration, limit {CONFIG_BYTES_MAX}"
        )));
    }
    let text =
        fs::read_to_string(path).map_err(|cause| cannot(format!("cannot be read: {cause}")))?;
    text.parse().map_err(|cause: toml::de::Error| {
        let before = cause.span().and_then(|span| text.get(..span.start));
        let line = before.unwrap_or_default().matches('\n').count() + 1;
        let why = format!("line {line}: no TOML: {}", cause.message());
        Failure::new(FailureKind::BadConfig, why)
            .at(path.display())
            .hint("mend it there; each line is OPTION = VALUE, texts in double quotes")
            .caused_by(cause)
    })
}

// A file cannot name another file like itself, nor ask for help.
fn flags(command: &Command) -> impl Iterator<Item = &Arg> {
    command
        .get_arguments()
        .filter(|arg| !matches!(arg.get_long(), None | Some("config" | "help" | "json")))
}

// One text for each time that the flag is given, `None` for a flag without a value.
fn texts(arg: &Arg, value: &Value) -> Option<Vec<Option<String>>> {
    match (arg.get_action(), value) {
        (ArgAction::SetTrue, Value::Boolean(on)) => Some(if *on { vec![None] } else { Vec::new() }),
        (ArgAction::Append, Value::Array(items)) => {
            items.iter().map(|item| text(item).map(Some)).collect()
        }
        (ArgAction::Append | ArgAction::Set, single) => Some(vec![Some(text(single)?)]),
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

fn form(arg: &Arg) -> &'static str {
    match arg.get_action() {
        ArgAction::SetTrue => "true or false",
        ArgAction::Append => "a text, or a list of texts",
        _ => "a text",
    }
}
