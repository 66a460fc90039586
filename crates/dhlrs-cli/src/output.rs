//! Standard output, or a file that is complete or says that it is not.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::{Failure, FailureKind};

/// Standard output, in blocks.
#[derive(Debug)]
pub(crate) struct Output {
    out: BufWriter<io::Stdout>,
}

impl Output {
    pub(crate) fn new() -> Self {
        Self {
            out: BufWriter::new(io::stdout()),
        }
    }

    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).map_err(stdout_failure)
    }

    pub(crate) fn line(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.out, "{line}").map_err(stdout_failure)
    }

    /// Hands everything on; whoever reads it sees it now.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(stdout_failure)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// What could not be written to standard output.
pub(crate) fn stdout_failure(cause: io::Error) -> Failure {
    if cause.kind() == io::ErrorKind::BrokenPipe {
        return Failure::new(
            FailureKind::OutputClosed,
            "nobody reads the standard output any more",
        );
    }
    Failure::new(
        FailureKind::File,
        format!("standard output cannot be written: {cause}"),
    )
    .hint("is the disk full? Make room, or send the output elsewhere, then run it again")
    .caused_by(cause)
}

/// A file that is called `NAME.incomplete` until everything is in it.
#[derive(Debug)]
pub(crate) struct WholeFile {
    draft: PathBuf,
    path: PathBuf,
    out: BufWriter<File>,
}

impl WholeFile {
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let mut draft = path.as_os_str().to_owned();
        draft.push(".incomplete");
        let draft = PathBuf::from(draft);
        let file = File::create(&draft).map_err(|cause| file_failure(&draft, cause))?;
        Ok(Self {
            draft,
            path: path.to_owned(),
            out: BufWriter::new(file),
        })
    }

    /// The name that it has now.
    pub(crate) fn draft(&self) -> &Path {
        &self.draft
    }

    pub(crate) fn out(&mut self) -> &mut BufWriter<File> {
        &mut self.out
    }

    /// Gives it the name that was asked for.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let Self { draft, path, out } = self;
        let written = out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&draft, &path));
        written.map_err(|cause| file_failure(&draft, cause))
    }
}

pub(crate) fn file_failure(path: &Path, cause: io::Error) -> Failure {
    let hint = match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room on the disk, then run it again"
        }
        io::ErrorKind::FileTooLarge => {
            "the size of files is limited here: raise it (`ulimit -f`), or send the output to a pipe"
        }
        io::ErrorKind::IsADirectory => "that is a directory; name a file in it",
        _ => "is there such a directory, and may you write to it?",
    };
    Failure::new(FailureKind::File, format!("cannot be written: {cause}"))
        .at(path.display())
        .hint(hint)
        .caused_by(cause)
}
