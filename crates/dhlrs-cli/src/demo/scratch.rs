//! A directory of this run alone, which goes with it.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{Failure, FailureKind};

/// A new directory below the one for temporary files. Dropping it removes everything in it.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub(super) fn new() -> Result<Self, Failure> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|cause| {
            Failure::new(
                FailureKind::File,
                format!("no randomness for the name of a directory: {cause}"),
            )
            .hint("the operating system has to provide it; is /dev/urandom there?")
        })?;
        let name = format!("dhlrs-demo-{:016x}", u64::from_le_bytes(random));
        let path = env::temp_dir().join(name);
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|cause| {
            Failure::new(FailureKind::File, format!("cannot be made: {cause}"))
                .at(path.display())
                .hint("TMPDIR names the directory that temporary ones are made in")
                .caused_by(cause)
        })?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is the business of whoever cleans that directory.
        let _ = fs::remove_dir_all(&self.path);
    }
}
