//! `cargo xtask test`: everything that CI runs, one step after the other.

mod genro;
mod steps;

use std::{
    fmt,
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

pub use steps::STEPS;

use crate::{Workspace, XtaskError, report};

/// What `cargo xtask test` can be told.
#[derive(Debug, Default, clap::Args)]
pub struct Options {
    /// Shows the whole output of every step, not only of failing ones
    #[arg(long, short)]
    verbose: bool,
    /// Runs the steps of this name only (repeatable)
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Stops at the first step that fails
    #[arg(long)]
    fail_fast: bool,
    /// Adds the steps that are left out by default because they repeat work
    #[arg(long)]
    full: bool,
    /// Lists the steps and runs nothing
    #[arg(long)]
    list: bool,
}

/// One line of the table in `steps.rs`.
#[derive(Debug)]
pub struct Step {
    /// What `--only` and the progress call it.
    pub name: &'static str,
    /// What it proves.
    pub about: &'static str,
    /// Only with `--full`.
    pub extra: bool,
    /// What it does.
    pub action: Action,
}

/// What a step does.
#[derive(Debug)]
pub enum Action {
    /// Cargo with these arguments, and these environment variables.
    Cargo(
        &'static [&'static str],
        &'static [(&'static str, &'static str)],
    ),
    /// Cargo with these arguments; the last line of its output must be this one.
    CargoEndsWith(&'static [&'static str], &'static str),
    /// Cargo with these arguments; this line must be in its output.
    CargoShows(&'static [&'static str], &'static str),
    /// The comparison with genro-bag, in a Python that is made for it.
    Genro,
    /// Every example of this package, built as the tests are, must exit with 0.
    Examples(&'static str),
    /// A check of this program.
    Check(fn(&Workspace) -> Result<bool, XtaskError>),
}

// What one command left behind.
struct Outcome {
    good: bool,
    output: String,
}

impl Outcome {
    // A command that was content fails all the same if it did not print what shows that it did its work.
    fn expecting(mut self, is_there: bool, what: fmt::Arguments<'_>) -> Self {
        if self.good && !is_there {
            self.good = false;
            self.output.push_str(&format!("\nexpected {what}"));
        }
        self
    }
}

/// Runs the steps and says how each went. `true` when none failed.
///
/// # Errors
///
/// When a command cannot be started.
pub fn run(workspace: &Workspace, options: &Options) -> Result<bool, XtaskError> {
    let chosen = choose(options)?;
    if options.list {
        for step in chosen {
            report(&format!("{:<10} {}", step.name, step.about));
        }
        return Ok(true);
    }
    let start = Instant::now();
    let mut failed = Vec::new();
    for (at, step) in chosen.iter().enumerate() {
        let place = format!("[{}/{}] {}", at + 1, chosen.len(), step.name);
        report(&format!("{place}: {}", step.about));
        let step_start = Instant::now();
        let outcome = step.run(workspace, options.verbose)?;
        if !outcome.good && !options.verbose {
            report(outcome.output.trim_end());
        }
        let verdict = if outcome.good { "ok" } else { "FAILED" };
        report(&format!(
            "{place} {verdict} {}",
            seconds(step_start.elapsed())
        ));
        if !outcome.good {
            failed.push(step.name);
            if options.fail_fast {
                break;
            }
        }
    }
    let took = seconds(start.elapsed());
    if failed.is_empty() {
        report(&format!("{} steps ok, {took}", chosen.len()));
    } else {
        report(&format!("FAILED after {took}: {}", failed.join(", ")));
    }
    Ok(failed.is_empty())
}

fn choose(options: &Options) -> Result<Vec<&'static Step>, XtaskError> {
    if let Some(unknown) = options
        .only
        .iter()
        .find(|only| !STEPS.iter().any(|step| step.name == **only))
    {
        let names = STEPS.iter().map(|step| match step.extra {
            true => format!("{} (else only with --full)", step.name),
            false => step.name.to_owned(),
        });
        return Err(XtaskError::new(format!(
            "no step `{unknown}`; there are {}",
            names.collect::<Vec<_>>().join(", ")
        )));
    }
    Ok(STEPS
        .iter()
        .filter(|step| match options.only.as_slice() {
            [] => options.full || !step.extra,
            only => only.iter().any(|name| name == step.name),
        })
        .collect())
}

impl Step {
    fn run(&self, workspace: &Workspace, verbose: bool) -> Result<Outcome, XtaskError> {
        match self.action {
            Action::Cargo(arguments, environment) => {
                let mut command = workspace.cargo();
                command.args(arguments).envs(environment.iter().copied());
                watch(&mut command, verbose)
            }
            Action::CargoEndsWith(arguments, last) => {
                let outcome = watch(workspace.cargo().args(arguments), verbose)?;
                let is_there = outcome.output.lines().last() == Some(last);
                Ok(outcome.expecting(is_there, format_args!("`{last}` as the last line")))
            }
            Action::CargoShows(arguments, line) => {
                let outcome = watch(workspace.cargo().args(arguments), verbose)?;
                let is_there = outcome.output.lines().any(|shown| shown == line);
                Ok(outcome.expecting(is_there, format_args!("the line `{line}`")))
            }
            Action::Genro => genro::compare(workspace),
            Action::Examples(package) => examples(workspace, package, verbose),
            Action::Check(check) => Ok(Outcome {
                good: check(workspace)?,
                output: String::new(),
            }),
        }
    }
}

// Built with the whole workspace, so that features are united as for the tests and nothing is compiled twice.
fn examples(workspace: &Workspace, package: &str, verbose: bool) -> Result<Outcome, XtaskError> {
    let examples = || {
        workspace
            .members()
            .filter(|member| member.package.name.as_str() == package)
            .flat_map(|member| &member.package.targets)
            .filter(|target| target.is_example())
    };
    let mut build = workspace.cargo();
    build.args(["build", "--locked", "--workspace", "--examples"]);
    for feature in examples().flat_map(|target| &target.required_features) {
        build.arg("--features").arg(format!("{package}/{feature}"));
    }
    let mut all = watch(&mut build, verbose)?;
    let names = examples().map(|target| target.name.as_str());
    for name in names {
        if !all.good {
            break;
        }
        let path = workspace
            .metadata()
            .target_directory
            .join("debug/examples")
            .join(name);
        let start = Instant::now();
        let one = watch(Command::new(path).current_dir(workspace.root()), verbose)?;
        let verdict = if one.good { "ok" } else { "FAILED" };
        report(&format!(
            "      {name} {verdict} {}",
            seconds(start.elapsed())
        ));
        all = one;
    }
    Ok(all)
}

// Runs a command to its end; lines that sum up tests are shown while it runs, everything with `verbose`.
fn watch(command: &mut Command, verbose: bool) -> Result<Outcome, XtaskError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let broken = |error| XtaskError::new(format!("cannot run {program}: {error}"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(broken)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (mut output, told) = thread::scope(|scope| {
        let told = scope.spawn(|| {
            stderr
                .map(|pipe| collect(pipe, verbose))
                .unwrap_or_default()
        });
        let output = stdout
            .map(|pipe| collect(pipe, verbose))
            .unwrap_or_default();
        (output, told.join().unwrap_or_default())
    });
    let status = child.wait().map_err(broken)?;
    // Programs end with what they print on stdout; what Cargo says on stderr goes before it.
    output.insert_str(0, &told);
    Ok(Outcome {
        good: status.success(),
        output,
    })
}

fn collect(pipe: impl Read, verbose: bool) -> String {
    let mut text = String::new();
    for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if verbose || line.starts_with("test result:") {
            report(&line);
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
