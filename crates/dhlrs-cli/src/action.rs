//! The commands, carried out.

mod bag_lines;
mod change;
mod export;
pub(crate) mod import;
mod look;
mod mesh;
mod record;
pub(crate) mod serve;
mod stream;
mod verify;
mod watch;

use clap::CommandFactory;
use dhlrs_bag::formats::text_to_json;
use dhlrs_identity::{Ed25519Signer, Signer};
use dhlrs_wire::{RefusalKind, Revision};
use tokio::{signal::ctrl_c, time::timeout};

use crate::{
    Exit, Failure, FailureKind,
    client::Client,
    command::{Cli, Command, KeyArgs},
    demo, identity_file,
    output::Output,
    program::interrupted,
    render,
};

/// Carries out a command.
pub(crate) async fn act(cli: Cli) -> Result<Exit, Failure> {
    let Cli { json, command } = cli;
    let mut out = Output::new();
    let exit = match command {
        Command::Demo(args) => demo::demo(args, json, &mut out).await?,
        Command::Serve(args) => serve::serve(*args, json, &mut out).await?,
        Command::Bag(_) => bag_lines::answer_lines(&mut out)?,
        Command::Verify(args) => verify::verify(&args, json, &mut out)?,
        Command::Key(args) => key(&args, json, &mut out)?,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "dhlrs", &mut script);
            out.text(&String::from_utf8_lossy(&script))?;
            Exit::Done
        }
        command => ask(command, json, &mut out).await?,
    };
    match out.flush() {
        // What went wrong before weighs more.
        Err(failure) if exit == Exit::Done => Err(failure),
        _ => Ok(exit),
    }
}

// The commands that talk to a node. What can be refused without one is refused before it is asked.
async fn ask(command: Command, json: bool, out: &mut Output) -> Result<Exit, Failure> {
    let Some(args) = command.client() else {
        return Err(Failure::new(
            FailureKind::Bug,
            "this build has no such command",
        ));
    };
    check_queries(&command)?;
    match &command {
        Command::Set(args) => change::check(args)?,
        Command::Import(args) => import::check(args)?,
        Command::Drafts(args) => mesh::check_drafts(args)?,
        Command::Emit(args) => mesh::check_emit(args)?,
        Command::Record(args) => record::check(args)?,
        _ => {}
    }
    let client = tokio::select! {
        client = Client::connect(args, command.waits_for_node(), json) => client?,
        Ok(()) = ctrl_c() => return Err(interrupted(&command)),
    };
    let stopped = interrupted(&command);
    let result = tokio::select! {
        result = ask_client(&client, command, json, out) => result,
        Ok(()) = ctrl_c() => Err(stopped),
    };
    // After Ctrl-C too: the node need not keep anything for a client that does not come back.
    client.close().await;
    result
}

// An attribute has nothing below it, no place and no resolver.
fn check_queries(command: &Command) -> Result<(), Failure> {
    let targets = match command {
        Command::Ls(args) | Command::Tree(args) => [Some(&args.target), None],
        Command::Export(args) => [Some(&args.target), None],
        Command::Import(args) => [Some(&args.target), None],
        Command::Invalidate(args) | Command::Refresh(args) | Command::Materialise(args) => {
            [Some(&args.target), None]
        }
        Command::Mv(args) => [Some(&args.target), Some(&args.to)],
        Command::Rename(args) => [Some(&args.target), None],
        Command::Log(args) => [Some(&args.target), None],
        _ => [None, None],
    };
    let mut targets = targets.into_iter().flatten();
    let Some(target) = targets.find(|target| target.path.query().is_some()) else {
        return Ok(());
    };
    Err(Failure::new(
        FailureKind::Usage,
        format!("`{}` names an attribute, and this command is about bag nodes", target.path),
    )
    .hint("leave out what begins with ?; get, attrs, query, set and rm take attributes: dhlrs get 'ADDRESS?attribute'"))
}

async fn ask_client(
    client: &Client,
    command: Command,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    match command {
        Command::Get(args) => look::get(client, &args, json, out).await,
        Command::Ls(args) => look::ls(client, &args, json, out).await,
        Command::Tree(args) => look::tree(client, &args, json, out).await,
        Command::Attrs(args) => look::attrs(client, &args, json, out).await,
        Command::Query(args) => look::query(client, &args, json, out).await,
        Command::Status(_) => status(client, json, out).await,
        Command::Set(args) if args.stdin => stream::set_lines(client, &args, json, out).await,
        Command::Set(args) => change::set(client, args, json, out).await,
        Command::Rm(args) => change::rm(client, args, json, out).await,
        Command::Mv(args) => change::mv(client, args, json, out).await,
        Command::Rename(args) => change::rename(client, args, json, out).await,
        Command::Invalidate(args) => change::invalidate(client, args, json, out).await,
        Command::Refresh(args) => change::refresh(client, args, json, out).await,
        Command::Materialise(args) => change::materialise(client, args, json, out).await,
        Command::Watch(args) => watch::watch(client, args, json, out).await,
        Command::Import(args) => import::import(client, args, json, out).await,
        Command::Export(args) => export::export(client, args, json, out).await,
        Command::Feeds(args) => mesh::feeds(client, &args, json, out).await,
        Command::Log(args) => mesh::log(client, &args, json, out).await,
        Command::Drafts(args) => mesh::drafts(client, &args, json, out).await,
        Command::Emit(args) => mesh::emit(client, args, json, out).await,
        Command::Record(args) => record::record(client, args, json, out).await,
        Command::Checkpoint(args) => mesh::checkpoint(client, &args, json, out).await,
        Command::Demo(_)
        | Command::Serve(_)
        | Command::Key(_)
        | Command::Verify(_)
        | Command::Bag(_)
        | Command::Completions { .. } => Ok(Exit::Done),
    }
}

fn key(args: &KeyArgs, json: bool, out: &mut Output) -> Result<Exit, Failure> {
    let secret = identity_file::of_user(args.identity.as_deref(), json)?;
    let key = Ed25519Signer::new(secret).public_key();
    if json {
        out.line(&format!(r#"{{"key":"{key}"}}"#))?;
    } else {
        out.line(&key.to_string())?;
    }
    Ok(Exit::Done)
}

async fn status(client: &Client, json: bool, out: &mut Output) -> Result<Exit, Failure> {
    let status = client.node().status_of(Some(client.via()));
    let Ok(status) = timeout(client.timeout(), status).await else {
        return Err(Failure::new(
            FailureKind::Refused(RefusalKind::Timeout),
            format!("{} says nothing of itself", client.via()),
        )
        .hint("try again, or wait longer with --timeout"));
    };
    let status = status?;
    if json {
        out.line(&render::status_json(&status))?;
    } else {
        out.line(&render::status_text(&status))?;
    }
    Ok(Exit::Done)
}

/// What a write prints: the revision, or `{address,revision,incarnation}`.
fn written(address: &str, revision: Revision, json: bool) -> String {
    let Revision {
        incarnation,
        number,
    } = revision;
    if json {
        let address = text_to_json(address);
        format!(r#"{{"address":{address},"revision":{number},"incarnation":"{incarnation}"}}"#)
    } else {
        number.to_string()
    }
}
