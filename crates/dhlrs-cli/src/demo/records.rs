//! The records that the story is about.

use std::{
    fs::File,
    io::{BufReader, Cursor, Read},
    path::PathBuf,
};

use dhlrs::{GuardedEdit, Path, Revision, StoreHandle};
use dhlrs_bag::formats::{FormatError, FormatErrorKind, Item, PlainJsonReader};
use dhlrs_bag::{Branch, Edit, Label};
use tokio::time::Duration;

use super::check_failed;
use crate::{
    Failure, FailureKind,
    action::import::import_failure,
    command::DemoArgs,
    interchange::{Batch, Batcher},
};

/// 500 field assessments, made by `cargo xtask data`.
const FIELD_ASSESSMENTS: &[u8] = include_bytes!("../../data/field-assessments.json");
const FIELD_ASSESSMENTS_KEY: &str = "id";

/// The bag that takes them.
pub(super) const RECORDS: &str = "records";

/// Records that the teams write notes into.
const NOTED_MAX: usize = 100;
/// Records of which both teams write a field.
const CONTESTED_MAX: u64 = 20;
const WRITE_MS_MAX: u64 = 10_000;

/// A file of records that was found to be good.
#[derive(Debug)]
pub(super) struct Records {
    file: Option<PathBuf>,
    key: Option<String>,
    /// How many there are.
    pub(super) count: u64,
    /// How many bag nodes they are made of.
    pub(super) nodes: u64,
    /// The first ones, which the teams write their notes into.
    pub(super) labels: Vec<Label>,
    /// Fields of the first ones that both teams write.
    pub(super) fields: Vec<Field>,
}

/// A field of a record that has a single value.
#[derive(Debug)]
pub(super) struct Field {
    record: Label,
    field: Label,
}

impl Field {
    pub(super) fn path(&self) -> Result<Path<'static>, Failure> {
        let labels = [RECORDS, self.record.as_str(), self.field.as_str()];
        Path::from_labels(labels).map_err(|cause| bug(&cause))
    }
}

type Input = Box<dyn Read + Send>;

impl Records {
    /// Reads the file once, so that nothing is begun with one that cannot be used.
    pub(super) fn survey(args: DemoArgs) -> Result<Self, Failure> {
        let key = match &args.input {
            Some(_) => args.key,
            None => Some(FIELD_ASSESSMENTS_KEY.to_owned()),
        };
        let mut records = Self {
            file: args.input,
            key,
            count: 0,
            nodes: 0,
            labels: Vec::new(),
            fields: Vec::new(),
        };
        for item in records.items()? {
            match item.map_err(|cause| records.unreadable(cause))? {
                Item::Row(row) => records.take(row)?,
                _ => return Err(records.no_records("it is a single value")),
            }
        }
        match records.count {
            0 => Err(records.no_records("it is empty")),
            _ => Ok(records),
        }
    }

    fn take(&mut self, row: dhlrs_bag::Row) -> Result<(), Failure> {
        self.nodes += 1;
        match (row.depth, row.value) {
            (0, None) => {
                self.count += 1;
                if self.labels.len() < NOTED_MAX {
                    self.labels.push(row.label);
                }
            }
            (0, Some(value)) => {
                let what = format!(
                    "`{}` in it is no record but {}",
                    row.label,
                    value.type_name()
                );
                return Err(self.no_records(&what));
            }
            // What it is called by stays.
            (1, Some(_)) if self.key.as_deref() != Some(row.label.as_str()) => {
                let before = self.fields.last().map(|field| &field.record);
                let record = self.labels.last().filter(|record| Some(*record) != before);
                if let Some(record) = record.cloned()
                    && self.count <= CONTESTED_MAX
                {
                    let field = row.label;
                    self.fields.push(Field { record, field });
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes them all, and gives the last revision.
    pub(super) async fn import(&self, store: &StoreHandle) -> Result<Revision, Failure> {
        let path: Path<'static> = RECORDS.parse().map_err(|cause| bug(&cause))?;
        // The bag first, so that every record is a change of its own to whoever watches.
        let mut last = write(store, &path, Branch::new()).await?;
        let mut batcher = Batcher::new();
        for item in self.items()? {
            let batch = match item.map_err(|cause| self.unreadable(cause))? {
                Item::Row(row) => batcher.row(row),
                Item::Late { labels, row } => batcher.late(labels, row),
                _ => continue,
            };
            if let Some(Batch { branch, .. }) = batch.map_err(|cause| bug(&cause))? {
                last = write(store, &path, branch).await?;
            }
        }
        if let Some(Batch { branch, .. }) = batcher.finish() {
            last = write(store, &path, branch).await?;
        }
        Ok(last)
    }

    fn items(&self) -> Result<PlainJsonReader<Input>, Failure> {
        let input: Input = match &self.file {
            None => Box::new(Cursor::new(FIELD_ASSESSMENTS)),
            Some(path) => {
                let file = File::open(path).map_err(|cause| {
                    Failure::new(FailureKind::File, format!("cannot be read: {cause}"))
                        .at(path.display())
                        .hint("--input wants a JSON file that you may read")
                        .caused_by(cause)
                })?;
                Box::new(BufReader::new(file))
            }
        };
        Ok(PlainJsonReader::new(input, self.key.clone()))
    }

    fn unreadable(&self, cause: FormatError) -> Failure {
        let kind = cause.kind();
        let failure = match &self.file {
            Some(path) => import_failure(cause).at(path.display()),
            None => import_failure(cause),
        };
        match kind {
            FormatErrorKind::MissingKey | FormatErrorKind::DuplicateKey => failure.hint(
                "choose a --key that each record has, each with another value; without --key they are 0, 1, 2, …",
            ),
            _ => failure.hint("--input wants a JSON list of objects, or an object of objects"),
        }
    }

    fn no_records(&self, why: &str) -> Failure {
        let failure = Failure::new(FailureKind::BadInput, format!("no records: {why}"))
            .hint("--input wants a JSON list of objects, or an object of objects");
        match &self.file {
            Some(path) => failure.at(path.display()),
            None => failure,
        }
    }
}

async fn write(
    store: &StoreHandle,
    path: &Path<'static>,
    branch: Branch,
) -> Result<Revision, Failure> {
    let edit = Edit::Merge {
        path: path.clone(),
        branch,
    };
    let written = store
        .batch(vec![GuardedEdit::from(edit)])
        .timeout(Duration::from_millis(WRITE_MS_MAX))
        .await?;
    match written.first_skipped.first() {
        None => Ok(written.revision),
        Some(refusal) => Err(check_failed(format!(
            "{} refused {} nodes, the first because: {}",
            store.address(),
            written.skipped,
            refusal.message()
        ))),
    }
}

fn bug(cause: &dyn std::error::Error) -> Failure {
    Failure::new(FailureKind::Bug, cause.to_string())
}
