//! From the words of the command line to an exit code.

use std::{
    borrow::Cow,
    ffi::OsString,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use tokio::{
    runtime::Runtime,
    signal::ctrl_c,
    task::JoinError,
    time::{Duration, timeout},
};
use tracing_subscriber::EnvFilter;

use crate::{
    Exit, Failure, FailureKind, Parsed, action,
    client::GOODBYE_MS_MAX,
    command::{Cli, Command, DraftsAction, RecordAction},
    output::Output,
    parse,
};

/// Does what the words say, the program's name first, and tells what came of it.
///
/// Data goes to standard output; errors, one each, go to standard error.
#[must_use]
pub fn run(words: Vec<OsString>) -> ExitCode {
    // Asked here too, because words that cannot be parsed need an answer in the same form.
    let json = words.iter().any(|word| word == "--json");
    let result = match parse(words) {
        Ok(Parsed::Cli(cli)) => carry_out(*cli),
        Ok(Parsed::Text(text)) => show(&text),
        Ok(Parsed::Help(text)) => {
            note(text.trim_end());
            Ok(Exit::Usage)
        }
        Err(failure) => Err(failure),
    };
    let exit = result.unwrap_or_else(|failure| {
        tell(&failure, json);
        failure.kind().exit()
    });
    ExitCode::from(exit as u8)
}

/// Says on standard error why something did not work.
pub(crate) fn tell(failure: &Failure, json: bool) {
    // Whoever closed our output has heard enough.
    if failure.kind() == FailureKind::OutputClosed {
        return;
    }
    let text = if json {
        failure.to_json()
    } else {
        failure.to_text()
    };
    note(&text);
}

/// Lines on standard error, for people. Control characters, which a file or another node may have sent along, are
/// shown and not obeyed.
pub(crate) fn note(text: &str) {
    // Nobody is left to be told if this fails.
    let _ = writeln!(io::stderr(), "{}", visible(text));
}

// As JSON spells them, so that JSON stays JSON.
fn visible(text: &str) -> Cow<'_, str> {
    let is_obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let spelled = text.chars().map(|c| match is_obeyed(c) {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    });
    Cow::Owned(spelled.collect())
}

fn show(text: &str) -> Result<Exit, Failure> {
    let mut output = Output::new();
    output.text(text)?;
    output.flush()?;
    Ok(Exit::Done)
}

fn carry_out(cli: Cli) -> Result<Exit, Failure> {
    log_to_stderr(&cli.command)?;
    let runtime = Runtime::new().map_err(|cause| {
        Failure::new(
            FailureKind::File,
            format!("the runtime cannot start: {cause}"),
        )
        .hint("is the limit of threads or open files reached? `ulimit -a` shows them")
        .caused_by(cause)
    })?;
    let result = runtime.block_on(with_ctrl_c(cli));
    // A thread may still wait for standard input or output.
    runtime.shutdown_background();
    result
}

async fn with_ctrl_c(cli: Cli) -> Result<Exit, Failure> {
    // They stop cleanly by themselves.
    let by_itself = matches!(cli.command, Command::Serve(_) | Command::Demo(_));
    let stopped = interrupted(&cli.command);
    outlive_file_limits();
    // A task of its own, because it may block on a standard output that nobody reads.
    let mut task = tokio::spawn(action::act(cli));
    tokio::select! {
        result = &mut task => return ended(result),
        Ok(()) = ctrl_c(), if !by_itself => {}
    }
    // It says goodbye, unless it is blocked.
    let goodbye = Duration::from_millis(GOODBYE_MS_MAX);
    match timeout(goodbye, &mut task).await {
        Ok(result) => ended(result),
        Err(_) => Err(stopped),
    }
}

fn ended(result: Result<Result<Exit, Failure>, JoinError>) -> Result<Exit, Failure> {
    result.unwrap_or_else(|cause| {
        Err(
            Failure::new(FailureKind::Bug, format!("the command broke off: {cause}"))
                .hint("this is a mistake in the program; please report it"),
        )
    })
}

/// What Ctrl-C means for a command.
pub(crate) fn interrupted(command: &Command) -> Failure {
    let failure = Failure::new(FailureKind::Interrupted, "interrupted");
    match command {
        Command::Watch(_) => {
            failure.hint("`--from REV` goes on with revision REV, one after the last line")
        }
        Command::Set(args) if args.stdin => {
            failure.hint("what was acknowledged is stored; send the rest again")
        }
        Command::Import(_) => {
            failure.hint("run it again: what is imported already is merged, not doubled")
        }
        Command::Record(args) if args.action == RecordAction::Show => failure,
        Command::Drafts(args) if args.action != DraftsAction::List => failure.hint(
            "it may or may not have been carried out: `dhlrs drafts list` shows what is left",
        ),
        Command::Set(_)
        | Command::Rm(_)
        | Command::Mv(_)
        | Command::Rename(_)
        | Command::Emit(_)
        | Command::Record(_)
        | Command::Materialise(_) => {
            failure.hint("it may or may not have been carried out: read the address, then decide")
        }
        _ => failure,
    }
}

// Where the size of files is limited (`ulimit -f`), the signal would end the process without a word. With anybody
// listening to it, the write fails instead, and that has a message.
fn outlive_file_limits() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};

        // The handler stays when this is dropped. Without it all is as it was.
        let _ = signal(SignalKind::from_raw(libc::SIGXFSZ));
    }
}

fn log_to_stderr(command: &Command) -> Result<(), Failure> {
    // A client tells what went wrong once, as its error.
    let level = match command {
        Command::Serve(_) => "warn",
        _ => "off",
    };
    let filter = match std::env::var("RUST_LOG") {
        Ok(text) if !text.is_empty() => EnvFilter::try_new(&text).map_err(|cause| {
            Failure::new(
                FailureKind::Usage,
                format!("RUST_LOG=`{text}` is no filter: {cause}"),
            )
            .hint("write RUST_LOG=info, or RUST_LOG=dhlrs_node=debug")
        })?,
        _ => EnvFilter::new(level),
    };
    // It fails only where there is a subscriber already, which is as good.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .try_init();
    Ok(())
}
