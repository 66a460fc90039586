//! What the command line takes, and that `--help` shows only what it takes.

use std::time::Duration;

use clap::CommandFactory;
use dhlrs_bag::Position;
use dhlrs_cli::{
    Exit, Failure, FailureKind, Parsed,
    command::{Cli, Command, Condition, DraftsAction},
    parse, parse_duration, parse_position,
};

fn cli(words: &[&str]) -> Result<Cli, Failure> {
    let words = std::iter::once("dhlrs")
        .chain(words.iter().copied())
        .map(Into::into)
        .collect();
    match parse(words)? {
        Parsed::Cli(cli) => Ok(*cli),
        Parsed::Text(text) | Parsed::Help(text) => panic!("{words:?}: {text}", words = text),
    }
}

#[track_caller]
fn refuses(words: &[&str], kind: FailureKind, said: &str) {
    let failure = cli(words).map(|_| ()).unwrap_err();
    let text = failure.to_text();
    assert_eq!(
        (failure.kind(), failure.kind().exit()),
        (kind, Exit::Usage),
        "{text}"
    );
    assert!(text.contains(said), "{words:?}: {text}");
}

// Words of a shell line, and whether each was quoted. Enough shell for the examples.
fn split(line: &str) -> Vec<(String, bool)> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (word, quoted, left) = match rest.strip_prefix('\'') {
            Some(inside) => {
                let (word, left) = inside.split_once('\'').unwrap();
                (word, true, left)
            }
            None => {
                let (word, left) = rest.split_once(' ').unwrap_or((rest, ""));
                (word, false, left)
            }
        };
        words.push((word.to_owned(), quoted));
        rest = left.trim_start();
    }
    words
}

#[test]
fn the_command_tree_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_example_of_the_help_is_taken_and_quotes_its_addresses() {
    let top = Cli::command();
    let mut lines = Vec::new();
    for command in std::iter::once(&top).chain(top.get_subcommands()) {
        let help = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let own: Vec<String> = help
            .lines()
            .filter_map(|line| line.strip_prefix("  dhlrs "))
            .map(str::to_owned)
            .collect();
        assert!(!own.is_empty(), "`{}` shows no example", command.get_name());
        lines.extend(own);
    }
    for line in lines {
        let words = split(&line);
        for (word, quoted) in &words {
            let is_special = word.contains(['#', '?', '*', '{', ' ']) || word.starts_with("//");
            assert!(!is_special || *quoted, "`{line}`: quote {word}");
        }
        let words: Vec<&str> = words
            .iter()
            .map(|(word, _)| word.as_str())
            .filter(|word| *word != "node.toml")
            .collect();
        // Its file does not exist here.
        if words.last() != Some(&"--config") {
            cli(&words).unwrap_or_else(|failure| panic!("`{line}`: {}", failure.to_text()));
        }
    }
}

#[test]
fn help_and_version_are_text() {
    for words in [["dhlrs", "--help"], ["dhlrs", "--version"]] {
        assert!(
            matches!(parse(words.map(Into::into).to_vec()), Ok(Parsed::Text(text)) if text.contains("dhlrs"))
        );
    }
}

#[test]
fn values_may_begin_with_a_hyphen() {
    let value = |words: &[&str]| match cli(words).unwrap().command {
        Command::Set(set) => set.value.unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(value(&["set", "//main/a", "-5"]), "-5");
    assert_eq!(
        value(&["set", "//main/a", "-1.5e3", "--type", "float"]),
        "-1.5e3"
    );
    assert_eq!(value(&["set", "--type", "text", "//main/a", "-"]), "-");
    assert_eq!(value(&["set", "//main/a", "--", "-abc"]), "-abc");
    assert_eq!(value(&["set", "//main/a", ""]), "");
}

#[test]
fn a_condition_is_given_once() {
    let condition = |words: &[&str]| match cli(&[&["set", "//main/a", "1"], words].concat())
        .unwrap()
        .command
    {
        Command::Set(set) => set.condition.condition(),
        other => panic!("{other:?}"),
    };
    assert_eq!(condition(&[]), None);
    assert_eq!(condition(&["--if-missing"]), Some(Condition::Missing));
    assert_eq!(condition(&["--if-present"]), Some(Condition::Present));
    assert_eq!(
        condition(&["--if-rev", "7"]),
        Some(Condition::Revision(7.into()))
    );
    let full = condition(&["--if-rev", "00000000000000ff/7"]);
    assert_eq!(
        full,
        Some(Condition::Revision("00000000000000ff/7".parse().unwrap()))
    );
    refuses(
        &["set", "//main/a", "1", "--if-missing", "--if-present"],
        FailureKind::Usage,
        "cannot be used with",
    );
    refuses(
        &["set", "//main/a", "1", "--if-rev", "x"],
        FailureKind::Usage,
        "not a revision",
    );
}

#[test]
fn json_may_stand_anywhere() {
    assert!(cli(&["--json", "key"]).unwrap().json);
    assert!(cli(&["key", "--json"]).unwrap().json);
    assert!(!cli(&["key"]).unwrap().json);
}

#[test]
fn the_connection_may_stand_before_the_command() {
    let via = |words: &[&str]| {
        let cli = cli(words).unwrap();
        (cli.json, cli.command.client().unwrap().via.clone())
    };
    let wanted = || (true, "ws://a:1".to_owned());
    assert_eq!(
        via(&["--via", "ws://a:1", "--json", "get", "//main"]),
        wanted()
    );
    assert_eq!(
        via(&["--json", "--via=ws://a:1", "get", "//main"]),
        wanted()
    );
    assert_eq!(
        via(&["get", "--json", "--via", "ws://a:1", "//main"]),
        wanted()
    );
    // The name of a command is a value here.
    assert_eq!(
        via(&[
            "--identity",
            "get",
            "--json",
            "--via",
            "ws://a:1",
            "ls",
            "//main"
        ]),
        wanted()
    );
    refuses(&["--via", "ws://a:1", "key"], FailureKind::Usage, "--via");
    refuses(&["--via", "ws://a:1"], FailureKind::Usage, "--via");
    refuses(
        &["--vai", "ws://a:1", "ls", "//main"],
        FailureKind::Usage,
        "--vai",
    );
}

#[test]
fn mistakes_are_told_with_a_remedy() {
    refuses(&["get"], FailureKind::Usage, "ADDRESS");
    refuses(&["quary", "//main/a"], FailureKind::Usage, "query");
    refuses(
        &["get", "main/a"],
        FailureKind::BadAddress,
        "'//STORE/PATH'",
    );
    refuses(
        &["get", "//main/a.*"],
        FailureKind::BadAddress,
        "only query and watch take patterns",
    );
    refuses(&["set", "//main/a"], FailureKind::Usage, "VALUE");
    refuses(
        &["set", "--stdin", "//main/a", "1"],
        FailureKind::Usage,
        "cannot be used with",
    );
    refuses(
        &["set", "//main/a", "1", "--type", "number"],
        FailureKind::Usage,
        "decimal",
    );
    refuses(
        &["set", "//main/a", "1", "--position", "middle"],
        FailureKind::Usage,
        "before:LABEL",
    );
    refuses(
        &["set", "--stdin", "--in-flight", "0"],
        FailureKind::Usage,
        "1..=1024",
    );
    refuses(
        &["watch", "//main", "--kind", "update"],
        FailureKind::Usage,
        "the kinds are insert, value",
    );
    refuses(
        &["watch", "//main", "--count", "0"],
        FailureKind::Usage,
        "--count",
    );
    refuses(
        &["get", "//main/a", "--timeout", "0"],
        FailureKind::Usage,
        "500ms",
    );
    refuses(
        &["serve", "--allow", "abc"],
        FailureKind::Usage,
        "dhlrs key",
    );
    refuses(&["serve", "--restored"], FailureKind::Usage, "--data");
    refuses(&["serve", "--name", "here"], FailureKind::Usage, "--name");
    refuses(
        &["import", "//main", "f", "--typed", "--key", "id"],
        FailureKind::Usage,
        "cannot be used with",
    );
    refuses(
        &["import", "//main", "f", "--format", "yaml"],
        FailureKind::Usage,
        "csv",
    );
    refuses(&["completions", "sh"], FailureKind::Usage, "bash");
}

#[test]
fn positions_are_words_or_signs() {
    let label = |text: &str| text.parse().unwrap();
    for (text, wanted) in [
        ("first", Position::First),
        ("last", Position::Last),
        ("at:3", Position::At(3)),
        ("at:-1", Position::At(-1)),
        ("before:a.b", Position::BeforeLabel(label("a.b"))),
        ("after:#0", Position::AfterLabel(label("#0"))),
        ("<", Position::First),
        (">", Position::Last),
        ("#3", Position::At(3)),
        ("<a", Position::BeforeLabel(label("a"))),
        (">#-2", Position::AfterIndex(-2)),
    ] {
        assert_eq!(parse_position(text).unwrap(), wanted, "{text}");
    }
    for text in [
        "", "middle", "at:", "at:03", "at:x", "before:", "after:\n", "3",
    ] {
        assert!(parse_position(text).is_err(), "{text}");
    }
}

#[test]
fn durations_have_units() {
    assert_eq!(parse_duration("500ms").unwrap(), Duration::from_millis(500));
    assert_eq!(parse_duration("5").unwrap(), Duration::from_secs(5));
    assert_eq!(parse_duration("5s").unwrap(), Duration::from_secs(5));
    assert_eq!(parse_duration("2m").unwrap(), Duration::from_secs(120));
    assert_eq!(parse_duration("1h").unwrap(), Duration::from_secs(3600));
    for text in [
        "",
        "0",
        "-1s",
        "1.5s",
        "5 s",
        "s",
        "99999999999999999999s",
        "8761h",
    ] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
}

#[test]
fn newer_is_for_applying_drafts_and_a_store_has_one_kind() {
    let drafts = |words: &[&str]| match cli(words).unwrap().command {
        Command::Drafts(args) => (args.action, args.newer),
        other => panic!("{other:?}"),
    };
    let apply = ["drafts", "apply", "--newer", "//field"];
    assert_eq!(drafts(&apply), (DraftsAction::Apply, true));
    assert_eq!(
        drafts(&["drafts", "list", "//field"]),
        (DraftsAction::List, false)
    );
    refuses(
        &["drafts", "show", "//field"],
        FailureKind::Usage,
        "list, apply, drop",
    );
    refuses(
        &["feeds", "//field/a"],
        FailureKind::BadAddress,
        "a store is wanted here",
    );
    refuses(
        &["log", "//field", "--before", "soon"],
        FailureKind::Usage,
        "RFC 3339",
    );
    refuses(
        &["serve", "--gossip-interval", "0s"],
        FailureKind::Usage,
        "500ms",
    );
}
