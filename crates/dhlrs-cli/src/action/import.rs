//! `import`: a file as batches that are merged, one after the other.

use std::{
    fs::File,
    io::{self, Read},
    path::Path as FilePath,
};

use dhlrs::StoreHandle;
use dhlrs_bag::{
    Attributes, Content, Edit, GuardedEdit, Value,
    formats::{
        CsvReader, FormatError, FormatErrorKind, PlainJsonReader, TypedJsonReader, XmlReader,
        XmlRoot, text_to_json,
    },
};
use dhlrs_path::{Address, Path};
use dhlrs_wire::Written;
use tokio::sync::mpsc;

use crate::{
    Exit, Failure, FailureKind,
    client::Client,
    command::{ImportArgs, ImportFormat},
    interchange::Batch,
    output::Output,
    program::note,
    progress::progress_bar,
    render::counted,
};

mod cutting;

use cutting::{Cutter, SKIPPED_SHOWN_MAX, Skipped};

/// Batches that are read ahead of the one that is being written.
const BATCHES_AHEAD_MAX: usize = 2;

/// Whether the file can be read at all.
pub(super) fn check(args: &ImportArgs) -> Result<(), Failure> {
    open(&args.file).map(drop)
}

pub(super) async fn import(
    client: &Client,
    args: ImportArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let address = client.address(&args.target);
    let (input, bytes) = open(&args.file)?;
    let bar = progress_bar(bytes);
    let input = bar.wrap_read(input);
    let mut import = Import {
        store: client.store(&args.target.store),
        path: address.path().clone(),
        client,
        nodes: 0,
        skipped: Skipped::default(),
        last: None,
    };
    let (to_writer, mut pieces) = mpsc::channel(BATCHES_AHEAD_MAX);
    let file = args.file.display().to_string();
    let reader = tokio::task::spawn_blocking(move || read(&args, input, &to_writer));
    let written = async {
        while let Some(piece) = pieces.recv().await {
            import.piece(piece).await?;
        }
        Ok(())
    }
    .await;
    // The reader ends when nobody takes its pieces.
    drop(pieces);
    let read = reader.await;
    bar.finish_and_clear();
    let before = |failure: Failure, nodes: u64| match nodes {
        0 => failure,
        _ => failure.at(format_args!(
            "after {} had been imported",
            counted(nodes, "node")
        )),
    };
    written.map_err(|failure: Failure| before(failure, import.nodes))?;
    match read {
        Ok(Ok(())) => {}
        Ok(Err(cause)) => {
            return Err(before(import_failure(cause).at(file), import.nodes));
        }
        Err(cause) => {
            return Err(Failure::new(
                FailureKind::Bug,
                format!("reading {file} broke off: {cause}"),
            )
            .hint("this is a mistake in the program; please report it"));
        }
    }
    import.finish(&address, json, out)
}

/// What the reader hands to the writer.
enum Piece {
    Batch(Batch),
    Value(Value),
    Attributes(Attributes),
    /// Rows that no node takes, with what is in them.
    Skipped(Skipped),
}

struct Import<'a> {
    store: StoreHandle,
    path: Path<'static>,
    client: &'a Client,
    nodes: u64,
    skipped: Skipped,
    last: Option<Written>,
}

impl Import<'_> {
    async fn piece(&mut self, piece: Piece) -> Result<(), Failure> {
        let path = self.path.clone();
        match piece {
            Piece::Batch(Batch { branch, rows }) => {
                let refused = self.write(Edit::Merge { path, branch }).await?;
                self.nodes += rows.saturating_sub(refused);
            }
            Piece::Value(value) => {
                let refused = self.write(Edit::set(path, Content::Value(value))).await?;
                self.nodes += 1_u64.saturating_sub(refused);
            }
            Piece::Attributes(attributes) => {
                self.write(Edit::SetAttributes { path, attributes }).await?;
            }
            Piece::Skipped(skipped) => self.skipped.add(skipped),
        }
        Ok(())
    }

    // How many nodes were refused.
    async fn write(&mut self, edit: Edit) -> Result<u64, Failure> {
        let written = self
            .store
            .batch(vec![GuardedEdit::from(edit)])
            .timeout(self.client.timeout())
            .await
            .map_err(|cause| match Failure::from(cause) {
                failure if failure.kind().exit() >= Exit::Unreachable => failure.hint(
                    "run the import again when the node is there: what is imported already is merged, not doubled",
                ),
                failure => failure,
            })?;
        let refused = written.skipped;
        let shown = written
            .first_skipped
            .iter()
            .map(|refusal| refusal.message().to_owned());
        self.skipped.note(refused, shown);
        self.last = Some(written);
        Ok(refused)
    }

    fn finish(self, address: &Address, json: bool, out: &mut Output) -> Result<Exit, Failure> {
        let (nodes, skipped) = (self.nodes, self.skipped.nodes);
        // A file in which nothing could be sent made no revision.
        let revision = self.last.as_ref().map(|written| written.revision);
        if json {
            let address = text_to_json(&address.to_string());
            let first: Vec<String> = self
                .skipped
                .first
                .iter()
                .map(|why| text_to_json(why))
                .collect();
            let at = revision.map_or_else(String::new, |at| {
                format!(
                    r#","revision":{},"incarnation":"{}""#,
                    at.number, at.incarnation
                )
            });
            out.line(&format!(
                r#"{{"address":{address},"nodes":{nodes},"skipped":{skipped},"first_skipped":[{}]{at}}}"#,
                first.join(","),
            ))?;
        } else {
            let at = revision.map_or_else(String::new, |at| format!(", revision {}", at.number));
            out.line(&format!("{} imported{at}", counted(nodes, "node")))?;
        }
        if skipped == 0 {
            return Ok(Exit::Done);
        }
        if !json {
            for why in &self.skipped.first {
                note(&format!("skipped: {why}"));
            }
            let more = skipped.saturating_sub(SKIPPED_SHOWN_MAX as u64);
            if more > 0 && self.skipped.first.len() >= SKIPPED_SHOWN_MAX {
                note(&format!("skipped: and {more} more"));
            }
        }
        out.flush()?;
        Err(Failure::new(
            FailureKind::CheckFailed,
            match skipped {
                1 => "1 node was skipped".to_owned(),
                many => format!("{many} nodes were skipped"),
            },
        )
        .hint("mend them in the file, then import it again: what is there already is merged"))
    }
}

type Input = Box<dyn Read + Send>;

fn read(
    args: &ImportArgs,
    input: impl Read,
    to_writer: &mpsc::Sender<Piece>,
) -> Result<(), FormatError> {
    let key = args.key.clone();
    let cutter = Cutter::new(to_writer);
    match format(args) {
        ImportFormat::Json if args.typed => cutter.cut(TypedJsonReader::new(input)),
        ImportFormat::Json => cutter.cut(PlainJsonReader::new(input, key)),
        ImportFormat::Xml => cutter.cut(XmlReader::new(input, XmlRoot::Bag, key)),
        ImportFormat::Csv => cutter.cut(CsvReader::new(input, key)),
    }
}

fn format(args: &ImportArgs) -> ImportFormat {
    let ending = args.file.extension().unwrap_or_default();
    match args.format {
        Some(format) => format,
        None if ending.eq_ignore_ascii_case("csv") => ImportFormat::Csv,
        None if ending.eq_ignore_ascii_case("xml") => ImportFormat::Xml,
        None => ImportFormat::Json,
    }
}

// The input, and how long it is if that is known.
fn open(path: &FilePath) -> Result<(Input, Option<u64>), Failure> {
    if path == FilePath::new("-") {
        return Ok((Box::new(io::stdin()), None));
    }
    let cannot = |cause: io::Error| {
        Failure::new(FailureKind::File, format!("cannot be read: {cause}"))
            .at(path.display())
            .hint("name a JSON, CSV or XML file that you may read, or - for standard input")
            .caused_by(cause)
    };
    let file = File::open(path).map_err(cannot)?;
    let facts = file.metadata().map_err(cannot)?;
    if facts.is_dir() {
        return Err(cannot(io::ErrorKind::IsADirectory.into()));
    }
    Ok((Box::new(file), facts.is_file().then_some(facts.len())))
}

/// What is wrong with a file, and what to do about it.
pub(crate) fn import_failure(cause: FormatError) -> Failure {
    let hint = match cause.kind() {
        FormatErrorKind::Io => "can the file be read to its end?",
        FormatErrorKind::Syntax => {
            "mend the file there; if it is of another form, --format json, csv or xml says so"
        }
        FormatErrorKind::MissingKey | FormatErrorKind::DuplicateKey => {
            "choose a --key that each record of a list has, each with another value; without --key they are 0, 1, 2, …"
        }
        FormatErrorKind::DuplicateLabel => {
            "a label stands once in its bag: rename one of the two, or take it out of the file"
        }
        FormatErrorKind::BadNumber => {
            "write the number as a string, or {\"$dec\":\"…\"} with --typed"
        }
        FormatErrorKind::BadShape => {
            "--typed reads what `dhlrs export --typed` wrote; without it any JSON is read"
        }
        _ => "mend the file there",
    };
    Failure::new(FailureKind::BadInput, cause.to_string())
        .hint(format!(
            "{hint}; then import it again: what is there already is merged"
        ))
        .caused_by(cause)
}
