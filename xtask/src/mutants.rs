//! `cargo xtask mutants`: breaks the code in every small way, and counts what no test noticed.

use std::{collections::BTreeMap, io, path::Path, process::Command};

use crate::{Workspace, XtaskError, report};

/// The crates whose every line a test has to miss.
const PACKAGES: &[&str] = &["dhlrs-path", "dhlrs-trigger"];

/// Mutants that survive, each with its reason.
const KEPT: &str = "docs/mutants.md";

/// How many of a hundred viable mutants of a crate the tests have to kill.
const KILLED_PERCENT_MIN: usize = 90;

/// The tests of one crate take seconds; a mutant that takes longer never ends.
const TESTS_SECONDS_MAX: &str = "60";

/// What `cargo xtask mutants` can be told.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only this crate
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(PACKAGES))]
    package: Option<String>,
    /// Only every N-th mutant, from the K-th on: a full run takes an hour
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
}

/// What became of the mutants of one crate, by their names.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    /// A test failed.
    pub caught: Vec<String>,
    /// No test failed.
    pub missed: Vec<String>,
    /// The tests did not end.
    pub timeout: Vec<String>,
}

impl Outcomes {
    /// How many mutants could be built.
    #[must_use]
    pub fn viable(&self) -> usize {
        self.caught.len() + self.missed.len() + self.timeout.len()
    }

    /// How many of them the tests noticed, those among them that never end.
    #[must_use]
    pub fn killed(&self) -> usize {
        self.caught.len() + self.timeout.len()
    }

    /// Whether enough were killed. Of none, not enough were.
    #[must_use]
    pub fn suffice(&self) -> bool {
        self.killed() > 0 && self.killed() * 100 >= self.viable() * KILLED_PERCENT_MIN
    }

    /// The survivors that the list does not know.
    pub fn unlisted<'a>(&'a self, kept: &Kept) -> impl Iterator<Item = &'a str> {
        let unlisted = self
            .missed
            .iter()
            .filter(|name| !kept.reasons.contains_key(&place_free(name)));
        unlisted.map(String::as_str)
    }

    fn read(folder: &Path) -> Result<Self, XtaskError> {
        let names = |file: &str| {
            let path = folder.join(file);
            match std::fs::read_to_string(&path) {
                Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
                Err(error) => Err(XtaskError::io("cannot read", &path, error)),
            }
        };
        Ok(Self {
            caught: names("caught.txt")?,
            missed: names("missed.txt")?,
            timeout: names("timeout.txt")?,
        })
    }
}

/// The survivors that are known, each with the reason why no test kills it.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    reasons: BTreeMap<String, String>,
}

impl Kept {
    /// Reads the list: an item is the mutant between backticks, a colon and the reason; the lines
    /// that follow an item and are indented belong to it.
    ///
    /// # Errors
    ///
    /// An item without a reason.
    pub fn parse(text: &str) -> Result<Self, XtaskError> {
        let mut reasons = BTreeMap::new();
        for item in text.split("\n- `").skip(1) {
            let (name, reason) = item.split_once("`:").unwrap_or((item, ""));
            let reason = reason.split("\n\n").next().unwrap_or_default().trim();
            if reason.is_empty() {
                return Err(XtaskError::new(format!("{KEPT}: no reason for {name}")));
            }
            reasons.insert(name.to_owned(), reason.to_owned());
        }
        Ok(Self { reasons })
    }

    /// How many mutants are listed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.reasons.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// A mutant's name without line and column, which change with every line above them.
fn place_free(name: &str) -> String {
    let mut parts = name.splitn(4, ':');
    match (parts.next(), parts.nth(2)) {
        (Some(file), Some(mutation)) => format!("{file}:{mutation}"),
        _ => name.to_owned(),
    }
}

/// Runs the tests of each crate on its mutants, and prints the figures. `true` when enough are
/// killed and every survivor is listed with a reason.
///
/// # Errors
///
/// When cargo-mutants is missing or cannot do its work, or the list cannot be read.
pub fn run(workspace: &Workspace, options: &Options) -> Result<bool, XtaskError> {
    check_installed(workspace)?;
    let kept = Kept::parse(&workspace.read(Path::new(KEPT))?)?;
    let mut all_hold = true;
    for package in PACKAGES {
        if options
            .package
            .as_deref()
            .is_some_and(|only| only != *package)
        {
            continue;
        }
        let outcomes = mutate(workspace, package, options.shard.as_deref())?;
        all_hold &= judge(package, &outcomes, &kept);
    }
    report(if all_hold { "the tests hold" } else { "FAILED" });
    Ok(all_hold)
}

fn check_installed(workspace: &Workspace) -> Result<(), XtaskError> {
    let answer = workspace.cargo().args(["mutants", "--version"]).output();
    match answer {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err(XtaskError::new(
            "cargo-mutants is missing: cargo install cargo-mutants --locked",
        )),
    }
}

fn mutate(
    workspace: &Workspace,
    package: &str,
    shard: Option<&str>,
) -> Result<Outcomes, XtaskError> {
    let target = workspace.metadata().target_directory.as_std_path();
    let output = target.join("mutants").join(package);
    std::fs::create_dir_all(&output)
        .map_err(|error| XtaskError::io("cannot make", &output, error))?;
    let mut command = workspace.cargo();
    command
        .args(["mutants", "--package", package, "--jobs", "1"])
        .args(["--test-tool", "cargo", "--timeout", TESTS_SECONDS_MAX])
        .args(["--cargo-arg=--test=it", "--colors", "never", "--output"])
        .arg(&output);
    if let Some(shard) = shard {
        command.args(["--shard", shard]);
    }
    // Below the copy that is mutated: in a target folder that others use, Cargo would take what was
    // built of a mutant for what is built of them.
    command.env("CARGO_TARGET_DIR", "target");
    // The same random tests for every mutant and in every run; nothing is learnt from one mutant
    // for the next.
    command
        .env("PROPTEST_RNG_SEED", "7")
        .env("PROPTEST_MAX_SHRINK_ITERS", "0")
        .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1");
    if !finished(&mut command)? {
        return Err(XtaskError::new(format!("cargo mutants failed: {package}")));
    }
    Outcomes::read(&output.join("mutants.out"))
}

/// Whether all mutants were tried, whatever became of them.
fn finished(command: &mut Command) -> Result<bool, XtaskError> {
    let status = command
        .status()
        .map_err(|error| XtaskError::new(format!("cannot run cargo mutants: {error}")))?;
    // 0: all caught; 2: some missed; 3: some timed out. All else is about the run itself.
    Ok(matches!(status.code(), Some(0 | 2 | 3)))
}

fn judge(package: &str, outcomes: &Outcomes, kept: &Kept) -> bool {
    let percent = outcomes.killed() * 100 / outcomes.viable().max(1);
    report(&format!(
        "{package}: {} viable, {} killed ({} never ended), {} survived: {percent} %",
        outcomes.viable(),
        outcomes.killed(),
        outcomes.timeout.len(),
        outcomes.missed.len(),
    ));
    for name in &outcomes.missed {
        if let Some(reason) = kept.reasons.get(&place_free(name)) {
            report(&format!("survives: {name}: {reason}"));
        }
    }
    let mut all_listed = true;
    for name in outcomes.unlisted(kept) {
        report(&format!("NOT LISTED in {KEPT}: {name}"));
        all_listed = false;
    }
    if !outcomes.suffice() {
        report(&format!("below {KILLED_PERCENT_MIN} %"));
    }
    outcomes.suffice() && all_listed
}
