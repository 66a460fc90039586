//! The key that a node goes by, and the file that keeps it.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use dhlrs_identity::{Ed25519Signer, PublicKey, SecretKey, Signer};

use crate::entropy::random_bytes;
use crate::error::{NodeError, NodeErrorKind};

/// The key that a node proves to its neighbours.
///
/// A file of it holds the secret as 64 lowercase hex digits and a newline, readable by its owner
/// alone.
#[derive(Clone, Debug)]
pub struct Identity {
    secret: SecretKey,
}

impl Identity {
    /// The identity of these 32 secret bytes, which must come from a good random source.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self {
            secret: SecretKey::from_bytes(seed),
        }
    }

    /// A new one that is kept nowhere.
    ///
    /// # Errors
    ///
    /// [`Entropy`](NodeErrorKind::Entropy).
    pub fn ephemeral() -> Result<Self, NodeError> {
        Ok(Self::from_seed(random_bytes()?))
    }

    /// Reads an identity file, or makes one, with the directories above it, where there is none.
    /// Of several processes that make it at once, all get the same.
    ///
    /// # Errors
    ///
    /// [`Identity`](NodeErrorKind::Identity), naming the file: it holds no key, or others may read it.
    pub fn load_or_create(path: impl AsRef<Path>) -> Result<Self, NodeError> {
        let path = path.as_ref();
        match fs::read_to_string(path) {
            Ok(text) => {
                check_mode(path)?;
                parse(path, &text)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(path).map_err(|error| {
                    let what = format!("cannot write identity file {}: {error}", path.display());
                    NodeError::caused_by(NodeErrorKind::Identity, what, error)
                })?;
                let text = fs::read_to_string(path).map_err(|error| unreadable(path, error))?;
                parse(path, &text)
            }
            Err(error) => Err(unreadable(path, error)),
        }
    }

    /// The key that others know the node by.
    #[must_use]
    pub fn key(&self) -> PublicKey {
        self.signer().public_key()
    }

    pub(crate) fn signer(&self) -> Ed25519Signer {
        Ed25519Signer::new(self.secret.clone())
    }
}

fn unreadable(path: &Path, error: io::Error) -> NodeError {
    let what = format!("cannot read identity file {}: {error}", path.display());
    NodeError::caused_by(NodeErrorKind::Identity, what, error)
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), NodeError> {
    use std::os::unix::fs::PermissionsExt;

    let facts = fs::metadata(path).map_err(|error| unreadable(path, error))?;
    let mode = facts.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let file = path.display();
    let what = format!(
        "others may read the identity file {file} (mode {mode:o}): chmod 600 {file}, and if somebody has read it, \
         remove it for a new key"
    );
    Err(NodeError::new(NodeErrorKind::Identity, what))
}

#[cfg(not(unix))]
fn check_mode(_: &Path) -> Result<(), NodeError> {
    Ok(())
}

fn create(path: &Path) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new(""));
    if !dir.as_os_str().is_empty() {
        fs::create_dir_all(dir)?;
    }
    let seed = random_bytes().map_err(io::Error::other)?;
    let name: u64 = u64::from_le_bytes(
        *random_bytes()
            .map_err(io::Error::other)?
            .first_chunk()
            .unwrap_or(&[0; 8]),
    );
    let temporary = dir.join(format!(".identity-{name:016x}"));
    let mut text: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    text.push('\n');
    let written = write_new(&temporary, text.as_bytes()).and_then(|()| {
        // A link, not a rename: whoever was first stays.
        match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    });
    let _ = fs::remove_file(&temporary);
    written?;
    sync_dir(dir)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let dir = if dir.as_os_str().is_empty() {
            Path::new(".")
        } else {
            dir
        };
        fs::File::open(dir)?.sync_all()?;
    }
    Ok(())
}

fn parse(path: &Path, text: &str) -> Result<Identity, NodeError> {
    // A public key has the same spelling as a secret one.
    let bytes = text
        .trim_end_matches(['\r', '\n'])
        .parse::<PublicKey>()
        .map_err(|error| {
            let what = format!(
                "{} is no identity file: expected 64 lowercase hex digits",
                path.display()
            );
            NodeError::caused_by(NodeErrorKind::Identity, what, error)
        })?;
    Ok(Identity::from_seed(*bytes.as_bytes()))
}
