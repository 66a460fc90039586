//! From the words of the command line to a [`Cli`], the configuration file included.

use std::{ffi::OsString, path::PathBuf};

use clap::{CommandFactory, FromArgMatches, error::ErrorKind};

use crate::{Failure, FailureKind, command::Cli, config};

/// What the words mean.
#[derive(Debug)]
pub enum Parsed {
    /// A command.
    Cli(Box<Cli>),
    /// `--help` or `--version`: this text.
    Text(String),
}

/// Reads the words, the program's name first.
///
/// # Errors
///
/// `Usage` with the mistake and, as the hint, its remedy; or what is wrong with the file of `--config`.
pub fn parse(words: Vec<OsString>) -> Result<Parsed, Failure> {
    let command = Cli::command();
    let mut words = words;
    let mut config_file = None;
    // With errors ignored, since something that is required may stand in the file.
    let lenient = command
        .clone()
        .ignore_errors(true)
        .try_get_matches_from(&words);
    if let Ok(matches) = lenient
        && let Some(serve) = matches.subcommand_matches("serve")
        && let Ok(Some(file)) = serve.try_get_one::<PathBuf>("config")
        && let Some(known) = command.find_subcommand("serve")
    {
        words.extend(config::arguments(file, known, serve)?);
        config_file = Some(file.clone());
    }
    let cli = command
        .try_get_matches_from(words)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    match cli {
        Ok(cli) => Ok(Parsed::Cli(Box::new(cli))),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                Ok(Parsed::Text(error.render().to_string()))
            }
            _ => Err(usage(&error, config_file)),
        },
    }
}

// Clap says the mistake in its first paragraph, tips and usage below. What a value's own parser said is the source.
fn usage(error: &clap::Error, config_file: Option<PathBuf>) -> Failure {
    use std::error::Error;

    let own = error
        .source()
        .and_then(|source| source.downcast_ref::<Failure>());
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
    let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let kind = own.map_or(FailureKind::Usage, Failure::kind);
    let mut failure = Failure::new(kind, message);
    if let Some(file) = config_file {
        failure = failure.at(format_args!("with {}", file.display()));
    }
    match own.and_then(Failure::hint_text) {
        Some(hint) => failure.hint(hint),
        None if rest.is_empty() => failure,
        None => failure.hint(rest.trim_start().trim_start_matches("tip: ")),
    }
}
