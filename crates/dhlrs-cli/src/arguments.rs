//! From the words of the command line to a [`Cli`], the configuration file included.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, CommandFactory, FromArgMatches, error::ErrorKind};

use crate::{
    Failure, FailureKind,
    command::{Cli, ClientArgs},
    config,
};

/// What the words mean.
#[derive(Debug)]
pub enum Parsed {
    /// A command.
    Cli(Box<Cli>),
    /// `--help` or `--version`: this text.
    Text(String),
    /// No command: this help, and it is a mistake all the same.
    Help(String),
}

/// Reads the words, the program's name first.
///
/// # Errors
///
/// `Usage` with the mistake and, as the hint, its remedy; or what is wrong with the file of `--config`.
pub fn parse(words: Vec<OsString>) -> Result<Parsed, Failure> {
    let command = Cli::command();
    let mut words = behind_the_command(words, &command);
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
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Ok(Parsed::Help(error.render().to_string()))
            }
            ErrorKind::MissingSubcommand => Err(no_command()),
            _ => Err(usage(&error, config_file)),
        },
    }
}

fn no_command() -> Failure {
    Failure::new(FailureKind::Usage, "no command is given")
        .hint("`dhlrs --help` lists the commands")
}

// The options of the connection may stand before the command, as its own options may; they are its own, so that a
// command that asks no node refuses them.
fn behind_the_command(words: Vec<OsString>, command: &clap::Command) -> Vec<OsString> {
    let options = ClientArgs::augment_args(clap::Command::new("client"));
    let is_option = |word: &str| {
        let name = word.strip_prefix("--").unwrap_or_default();
        let name = name.split_once('=').map_or(name, |(name, _)| name);
        options
            .get_arguments()
            .any(|arg| arg.get_long() == Some(name))
    };
    let mut words = words.into_iter();
    let mut front: Vec<OsString> = words.next().into_iter().collect();
    let mut moved = Vec::new();
    while let Some(word) = words.next() {
        match word.to_str() {
            Some(text) if is_option(text) => {
                let has_value = text.contains('=');
                moved.push(word);
                if !has_value {
                    moved.extend(words.next());
                }
            }
            // Not `help`, which takes no options.
            Some(text) if command.find_subcommand(text).is_some() => {
                front.push(word);
                front.append(&mut moved);
                break;
            }
            _ => {
                front.push(word);
                if front.last().is_some_and(|word| word != "--json") {
                    break;
                }
            }
        }
    }
    front.append(&mut moved);
    front.extend(words);
    front
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
    let mut failure = match own {
        // It shows the address already, as far as it fits.
        Some(own) if kind == FailureKind::BadAddress => Failure::new(kind, own.to_string()),
        _ => Failure::new(kind, message),
    };
    if let Some(file) = config_file {
        failure = failure.at(format_args!("with {}", file.display()));
    }
    match own.and_then(Failure::hint_text) {
        Some(hint) => failure.hint(hint),
        None if rest.is_empty() => failure,
        None => failure.hint(rest.trim_start().trim_start_matches("tip: ")),
    }
}
