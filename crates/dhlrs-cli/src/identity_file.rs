//! The file that holds a user's key: made at the first use, readable by its owner alone.

use std::{
    env, fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use dhlrs_identity::SecretKey;

use crate::{Failure, FailureKind, program::note};

const SECRET_HEX_DIGITS: usize = 64;

/// What names a user's key file where `--identity` does not.
pub const IDENTITY_VARIABLE: &str = "DHLRS_IDENTITY";

/// The key of this user: in the file that `--identity` or `$DHLRS_IDENTITY` names, else in
/// `~/.config/dhlrs/identity`. What is not there is made; the directories above it only at the last place, because at
/// the others they may be a typing error.
///
/// # Errors
///
/// Those of [`load_or_make`]; `Identity` when the directory of a named file is not there, or `$HOME` is not set.
pub fn of_user(named: Option<&Path>, json: bool) -> Result<SecretKey, Failure> {
    let variable = env::var_os(IDENTITY_VARIABLE).filter(|path| !path.is_empty());
    let named = named.map(Path::to_owned).or(variable.map(PathBuf::from));
    let Some(path) = named else {
        return load_or_make(&default_path()?);
    };
    let folder = folder_of(&path);
    if !folder.exists() {
        return Err(failure(&path, format!("there is no directory {}", folder.display()))
            .hint("look for a typing error, or make the directory first; the key in it is made at first use"));
    }
    let is_new = !path.exists();
    let key = load_or_make(&path)?;
    if is_new && !json {
        note(&format!("a new key was made: {}", path.display()));
    }
    Ok(key)
}

/// `~/.config/dhlrs/identity`.
///
/// # Errors
///
/// When `$HOME` is not set.
pub fn default_path() -> Result<PathBuf, Failure> {
    match env::var_os("HOME").filter(|home| !home.is_empty()) {
        Some(home) => Ok(Path::new(&home).join(".config/dhlrs/identity")),
        None => Err(Failure::new(
            FailureKind::Identity,
            "$HOME is not set, so there is no place for this user's key",
        )
        .hint("name a file with --identity or $DHLRS_IDENTITY")),
    }
}

/// The key in `path`; if there is no such file, a new one is made and written.
///
/// Two processes that make the same file at once end with the same key.
///
/// # Errors
///
/// `Identity` when the file is no key file, others may read it, or it cannot be written.
pub fn load_or_make(path: &Path) -> Result<SecretKey, Failure> {
    match load(path) {
        Ok(Some(key)) => Ok(key),
        Ok(None) => {
            make(path)?;
            load(path)?.ok_or_else(|| failure(path, "it was removed while it was made"))
        }
        Err(failure) => Err(failure),
    }
}

fn load(path: &Path) -> Result<Option<SecretKey>, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) if cause.kind() == io::ErrorKind::InvalidData => return Err(no_key_file(path)),
        Err(cause) => {
            let hint = if path.is_dir() {
                "that is a directory; name a file, which may be a new one in it"
            } else {
                "may this user read it? Another one is named with --identity FILE"
            };
            let failure = failure(path, format!("cannot be read: {cause}")).hint(hint);
            return Err(failure.caused_by(cause));
        }
    };
    check_mode(path)?;
    parse_hex(text.trim_end())
        .map(|bytes| Some(SecretKey::from_bytes(bytes)))
        .ok_or_else(|| no_key_file(path))
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;

    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(failure(
        path,
        format!("others may read it (mode {:o})", mode & 0o777),
    )
    .hint(format!(
        "chmod 600 {}; if somebody may have read it, remove it for a new key",
        path.display()
    )))
}

#[cfg(not(unix))]
fn check_mode(_: &Path) -> Result<(), Failure> {
    Ok(())
}

// Written beside its place and linked there, so that nobody ever reads half a key.
fn make(path: &Path) -> Result<(), Failure> {
    let cannot = |cause: io::Error| {
        failure(path, format!("cannot be written: {cause}"))
            .hint("may this user write there? Another place is named with --identity FILE")
            .caused_by(cause)
    };
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|cause| failure(path, format!("no randomness for a new key: {cause}")))?;
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(cannot)?;
    let mut nonce = [0; 8];
    getrandom::fill(&mut nonce)
        .map_err(|cause| failure(path, format!("no randomness for a new key: {cause}")))?;
    let draft = folder.join(format!(".identity-{:016x}", u64::from_be_bytes(nonce)));
    let result = write_new(&draft, &bytes).and_then(|()| match fs::hard_link(&draft, path) {
        // Another process was first; its key is as good.
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    });
    let removed = fs::remove_file(&draft);
    result.and(removed).map_err(cannot)
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn write_new(path: &Path, bytes: &[u8; 32]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(file, "{hex}")?;
    file.sync_all()
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != SECRET_HEX_DIGITS || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

fn no_key_file(path: &Path) -> Failure {
    failure(
        path,
        format!("it is no key file: {SECRET_HEX_DIGITS} hex digits are expected"),
    )
    .hint("name another file with --identity, or remove this one for a new key")
}

fn failure(path: &Path, why: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Identity, why).at(format_args!("key file {}", path.display()))
}
