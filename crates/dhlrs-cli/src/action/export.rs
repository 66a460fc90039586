//! `export`: a branch at one revision, page by page.

use std::io::Write;

use dhlrs::RowStream;
use dhlrs_bag::{
    Label, Row,
    formats::{Losses, PlainJsonWriter, TypedJsonWriter, XmlForm, XmlWriter},
};
use dhlrs_path::{DEPTH_MAX, Step};
use dhlrs_wire::{ReadRow, View};

use crate::{
    Exit, Failure, FailureKind,
    client::Client,
    command::{ExportArgs, ExportFormat},
    output::{Output, WholeFile, file_failure, stdout_failure},
    program::note,
};

pub(super) async fn export(
    client: &Client,
    args: ExportArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let address = client.address(&args.target);
    let mut rows = client
        .store(&args.target.store)
        .read(address.path().clone())
        .depth(u16::try_from(DEPTH_MAX).unwrap_or(u16::MAX))
        .view(View::Stored)
        .timeout(client.timeout())
        .await?;
    let top = rows.next().await?.ok_or_else(|| {
        Failure::new(FailureKind::Missing, format!("{address}: there is nothing"))
            .hint("`dhlrs ls ADDRESS` of the bag above shows what is there")
    })?;
    let form = match (args.format, args.typed) {
        (ExportFormat::Json, false) => Form::PlainJson,
        (ExportFormat::Json, true) => Form::TypedJson,
        (ExportFormat::Xml, typed) => Form::Xml {
            form: if typed {
                XmlForm::Typed
            } else {
                XmlForm::Plain
            },
            // The element that holds everything is called as what is exported.
            root: match address.path().steps().next_back() {
                Some(Step::Label(label)) => label.into_owned(),
                _ => address.store().store().to_string(),
            },
        },
    };
    let losses = match &args.output {
        Some(path) => {
            let mut file = WholeFile::create(path)?;
            let draft = file.draft().to_owned();
            let losses = document(&top, &mut rows, &form, file.out())
                .await
                .map_err(|broken| match broken {
                    Broken::Read(failure) => {
                        failure.at(format_args!("{} is left incomplete", draft.display()))
                    }
                    Broken::Write(cause) => file_failure(&draft, cause),
                })?;
            file.finish()?;
            losses
        }
        None => document(&top, &mut rows, &form, out)
            .await
            .map_err(|broken| match broken {
                Broken::Read(failure) => failure.at("the output is left incomplete"),
                Broken::Write(cause) => stdout_failure(cause),
            })?,
    };
    if let Some(text) = losses.and_then(|losses| loss_line(&losses, json)) {
        note(&text);
    }
    Ok(Exit::Done)
}

/// What ended a document before its end.
enum Broken {
    Read(Failure),
    Write(std::io::Error),
}

impl From<std::io::Error> for Broken {
    fn from(cause: std::io::Error) -> Self {
        Self::Write(cause)
    }
}

/// What is written.
enum Form {
    PlainJson,
    TypedJson,
    Xml { form: XmlForm, root: String },
}

async fn document<W: Write + Send>(
    top: &ReadRow,
    rows: &mut RowStream,
    form: &Form,
    mut out: W,
) -> Result<Option<Losses>, Broken> {
    let attributes = &top.attributes;
    let losses = match (&top.value, form) {
        (Some(value), Form::TypedJson) => {
            TypedJsonWriter::value(&mut out, value, attributes)?;
            None
        }
        (Some(value), Form::PlainJson) => {
            Some(PlainJsonWriter::value(&mut out, value, attributes)?)
        }
        (Some(value), Form::Xml { form, root }) => {
            Some(XmlWriter::value(&mut out, *form, root, value, attributes)?)
        }
        (None, Form::TypedJson) => {
            let mut bag = TypedJsonWriter::begin(&mut out)?;
            while let Some(row) = next(rows).await? {
                bag.row(&row)?;
            }
            bag.finish(attributes)?;
            None
        }
        (None, Form::PlainJson) => {
            let mut bag = PlainJsonWriter::begin(&mut out)?;
            while let Some(row) = next(rows).await? {
                bag.row(&row)?;
            }
            Some(bag.finish(attributes)?.1)
        }
        (None, Form::Xml { form, root }) => {
            let mut bag = XmlWriter::begin(&mut out, *form, root, attributes)?;
            while let Some(row) = next(rows).await? {
                bag.row(&row)?;
            }
            Some(bag.finish()?.1)
        }
    };
    out.flush()?;
    Ok(losses)
}

async fn next(rows: &mut RowStream) -> Result<Option<Row>, Broken> {
    match rows.next().await {
        Ok(None) => Ok(None),
        Ok(Some(row)) => branch_row(row).map(Some).map_err(Broken::Read),
        Err(cause) => Err(Broken::Read(cause.into())),
    }
}

/// Begins a bag as plain JSON.
pub(super) fn plain_bag<W: Write>(out: W) -> Result<PlainJsonWriter<W>, Failure> {
    PlainJsonWriter::begin(out).map_err(stdout_failure)
}

/// A row of a read, as one of what is inside the addressed bag.
pub(super) fn branch_row(row: ReadRow) -> Result<Row, Failure> {
    let label = Label::new(&row.name).map_err(|cause| {
        Failure::new(
            FailureKind::Bug,
            format!("the node sent `{}` as a label: {cause}", row.name),
        )
        .hint("is the other node of another version? `dhlrs status` shows it")
        .caused_by(cause)
    })?;
    Ok(Row {
        depth: row.depth.saturating_sub(1),
        label,
        value: row.value,
        attributes: row.attributes,
        resolver: row.resolver,
    })
}

// What a document has no room for.
fn loss_line(losses: &Losses, json: bool) -> Option<String> {
    if losses.is_empty() {
        return None;
    }
    let Losses {
        attributes,
        resolvers,
        values,
        characters,
        first,
    } = losses;
    if json {
        return Some(format!(
            r#"{{"left_out":{{"attributes":{attributes},"resolvers":{resolvers},"types":{values},"characters":{characters}}}}}"#
        ));
    }
    let spelled = match characters {
        0 => String::new(),
        _ => format!(", characters of {characters} texts"),
    };
    let first = first
        .first()
        .map_or_else(String::new, |loss| format!(" (first {loss})"));
    Some(format!(
        "left out: {attributes} attributes, {resolvers} resolvers, the type of {values} values{spelled}{first}; --typed keeps them"
    ))
}
