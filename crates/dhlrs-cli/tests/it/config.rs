//! `serve --config`: the flags' long names in a file; the command line wins.

use std::fs;

use dhlrs_cli::{
    Failure, FailureKind, Parsed,
    command::{Command, ServeArgs},
    parse,
};
use tempfile::TempDir;

fn serve(toml: &str, words: &[&str]) -> Result<ServeArgs, Failure> {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("node.toml");
    fs::write(&file, toml).unwrap();
    let mut all: Vec<std::ffi::OsString> = vec![
        "dhlrs".into(),
        "serve".into(),
        "--config".into(),
        file.into(),
    ];
    all.extend(words.iter().map(Into::into));
    match parse(all)? {
        Parsed::Cli(cli) => match cli.command {
            Command::Serve(args) => Ok(*args),
            other => panic!("{other:?}"),
        },
        Parsed::Text(text) | Parsed::Help(text) => panic!("{text}"),
    }
}

#[track_caller]
fn refuses(toml: &str, said: &str) {
    let failure = serve(toml, &[]).unwrap_err();
    let text = failure.to_text();
    assert!(
        text.contains(said) && text.contains("node.toml"),
        "{toml}: {text}"
    );
}

#[test]
fn the_file_says_what_flags_say() {
    let toml = "name = \"base/main\"\ndata = \"d\"\nlisten = [\"ws://[::1]:1\", \"ws://[::1]:2\"]\nconnect = \"ws://x:1\"\n\
                store = [\"a\", \"b=owned\", \"c=replicated\"]\ngossip-interval = \"2s\"\nrestored = true\nforward = [\"a/x.**=m/p/s/y\"]\n";
    let args = serve(toml, &[]).unwrap();
    assert_eq!(args.name.unwrap().to_string(), "base/main");
    assert_eq!(args.listen, ["ws://[::1]:1", "ws://[::1]:2"]);
    assert_eq!(args.connect, ["ws://x:1"]);
    assert_eq!(args.store.len(), 3);
    assert_eq!(args.store[2].kind, dhlrs_cli::StoreKind::Replicated);
    assert_eq!(args.gossip_interval, std::time::Duration::from_secs(2));
    assert!(args.restored);
    assert_eq!(args.forward.len(), 1);
}

#[test]
fn an_empty_file_changes_nothing() {
    assert!(serve("", &[]).unwrap().name.is_none());
    assert!(!serve("restored = false", &[]).unwrap().restored);
}

#[test]
fn the_command_line_wins() {
    let args = serve(
        "name = \"a/a\"\nlisten = [\"ws://x:1\"]\ndata = \"d\"\n",
        &["--name", "b/b", "--listen", "ws://y:1"],
    )
    .unwrap();
    assert_eq!(args.name.unwrap().to_string(), "b/b");
    assert_eq!(args.listen, ["ws://y:1"]);
    assert_eq!(args.data.unwrap().to_str(), Some("d"));
}

#[test]
fn what_a_flag_needs_may_stand_in_the_file() {
    assert!(serve("data = \"d\"\n", &["--restored"]).unwrap().restored);
}

#[test]
fn mistakes_name_the_file_and_the_key() {
    refuses("lisen = \"x\"", "`lisen` is no option");
    refuses("lisen = \"x\"", "listen");
    refuses("config = \"x\"", "`config` is no option");
    refuses("restored = \"yes\"", "`restored` wants true or false");
    refuses("name = [\"a/b\"]", "`name` wants a text");
    refuses(
        "listen = [1.5]",
        "`listen` wants a text, or a list of texts",
    );
    refuses("name = \"nobody\"", "--name");
    refuses("name = ", "no TOML");
    let words = ["dhlrs", "serve", "--config", "/does/not/exist"]
        .map(Into::into)
        .to_vec();
    let failure = parse(words).unwrap_err();
    assert_eq!(failure.kind(), FailureKind::File, "{failure}");
}
