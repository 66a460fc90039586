//! The tree that is looked at: its root, its packages, its files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use cargo_metadata::{Metadata, MetadataCommand, Package};

use crate::XtaskError;

/// This workspace as Cargo and Git see it.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    metadata: Metadata,
    files: Vec<PathBuf>,
}

/// A crate below `crates/`, with its layer.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// What Cargo knows of it.
    pub package: &'a Package,
    /// `package.metadata.dhlrs.layer`, if it says one.
    pub layer: Option<u64>,
}

impl Workspace {
    /// Reads the workspace that this program was compiled in.
    ///
    /// # Errors
    ///
    /// When Cargo or Git cannot describe it.
    pub fn open() -> Result<Self, XtaskError> {
        let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = xtask.parent().unwrap_or(xtask).to_path_buf();
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .other_options(["--locked".to_owned()])
            .exec()
            .map_err(|error| XtaskError::new(format!("cargo metadata: {error}")))?;
        let files = tracked_files(&root)?;
        Ok(Self {
            root,
            metadata,
            files,
        })
    }

    /// The folder of the top `Cargo.toml`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What `cargo metadata` answers, resolved.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Every file that Git tracks or would track, relative to the root, sorted.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The crates below `crates/`.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        let crates = self.root.join("crates");
        self.metadata
            .workspace_packages()
            .into_iter()
            .filter(move |package| package.manifest_path.as_std_path().starts_with(&crates))
            .map(|package| Member {
                package,
                layer: package
                    .metadata
                    .get("dhlrs")
                    .and_then(|own| own.get("layer")?.as_u64()),
            })
    }

    /// A file's text.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not UTF-8.
    pub fn read(&self, file: &Path) -> Result<String, XtaskError> {
        let path = self.root.join(file);
        fs::read_to_string(&path).map_err(|error| XtaskError::io("cannot read", &path, error))
    }

    /// Writes a file, and its folder if that is missing.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn write(&self, file: &Path, text: &str) -> Result<(), XtaskError> {
        let path = self.root.join(file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .map_err(|error| XtaskError::io("cannot make", folder, error))?;
        }
        fs::write(&path, text).map_err(|error| XtaskError::io("cannot write", &path, error))
    }

    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        command.current_dir(&self.root);
        command
    }
}

fn tracked_files(root: &Path) -> Result<Vec<PathBuf>, XtaskError> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .map_err(|error| XtaskError::io("cannot list the files with git in", root, error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(XtaskError::new(format!("git ls-files: {}", said.trim())));
    }
    let mut files: Vec<PathBuf> = String::from_utf8_lossy(&output.stdout)
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(PathBuf::from)
        // A file that was deleted but not yet committed is still listed.
        .filter(|file| root.join(file).exists())
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}
