//! Where certificates and keys come from.

use std::fmt;
use std::path::PathBuf;

use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use dhlrs_transport::{TransportError, TransportErrorKind};

/// Certificates or a private key in PEM, from a file or from memory.
#[derive(Clone)]
pub struct Pem {
    source: Source,
}

#[derive(Clone)]
enum Source {
    File(PathBuf),
    Text(Vec<u8>),
}

impl Pem {
    /// What the file at `path` holds. It is read when the transport is built, and not again.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            source: Source::File(path.into()),
        }
    }

    /// The PEM text itself.
    pub fn text(text: impl Into<Vec<u8>>) -> Self {
        Self {
            source: Source::Text(text.into()),
        }
    }

    // `option` is the option that a person has to mend.
    pub(crate) fn certificates(
        &self,
        option: &str,
    ) -> Result<Vec<CertificateDer<'static>>, TransportError> {
        let found: Result<Vec<_>, _> = match &self.source {
            Source::File(path) => CertificateDer::pem_file_iter(path).and_then(Iterator::collect),
            Source::Text(text) => CertificateDer::pem_slice_iter(text).collect(),
        };
        let found = found.map_err(|err| self.unreadable(option, err))?;
        if found.is_empty() {
            return Err(bad(format!("{option}: no certificate in {self}")));
        }
        Ok(found)
    }

    pub(crate) fn private_key(
        &self,
        option: &str,
    ) -> Result<PrivateKeyDer<'static>, TransportError> {
        let found = match &self.source {
            Source::File(path) => PrivateKeyDer::from_pem_file(path),
            Source::Text(text) => PrivateKeyDer::from_pem_slice(text),
        };
        found.map_err(|err| match err {
            pem::Error::NoItemsFound => bad(format!("{option}: no private key in {self}")),
            err => self.unreadable(option, err),
        })
    }

    fn unreadable(&self, option: &str, err: pem::Error) -> TransportError {
        let why = match &err {
            pem::Error::Io(err) => err.to_string(),
            pem::Error::MissingSectionEnd { .. } => "it ends too early: no END line".to_owned(),
            pem::Error::IllegalSectionStart { .. } | pem::Error::Base64Decode(_) => {
                "it is no PEM, or damaged".to_owned()
            }
            pem::Error::SectionTooLarge => "it is too large".to_owned(),
            err => err.to_string(),
        };
        let detail = format!("{option}: cannot read {self}: {why}");
        TransportError::caused_by(TransportErrorKind::BadOptions, detail, err)
    }
}

fn bad(detail: String) -> TransportError {
    TransportError::new(TransportErrorKind::BadOptions, detail)
}

impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::File(path) => write!(f, "{}", path.display()),
            Source::Text(_) => f.write_str("the given text"),
        }
    }
}

// The text may be a private key.
impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pem({self})")
    }
}
