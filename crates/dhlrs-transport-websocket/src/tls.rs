//! The two sides of TLS, both on rustls with ring.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::sync::OnceCell;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::Pem;
use crate::error::defect;
use dhlrs_transport::{TransportError, TransportErrorKind};

/// How this transport proves itself and whom it trusts.
pub(crate) struct Tls {
    acceptor: Option<TlsAcceptor>,
    roots: Option<Arc<RootCertStore>>,
    // The system's certificates take milliseconds to read, and only some `wss://` clients need
    // them.
    connector: OnceCell<TlsConnector>,
}

impl Tls {
    pub(crate) fn none() -> Self {
        Self {
            acceptor: None,
            roots: None,
            connector: OnceCell::new(),
        }
    }

    pub(crate) fn new(
        cert: Option<&Pem>,
        key: Option<&Pem>,
        ca: Option<&Pem>,
    ) -> Result<Self, TransportError> {
        let acceptor = match (cert, key) {
            (Some(cert), Some(key)) => Some(acceptor(cert, key)?),
            (None, None) => None,
            (Some(_), None) => return Err(bad("--tls-cert needs --tls-key beside it")),
            (None, Some(_)) => return Err(bad("--tls-key needs --tls-cert beside it")),
        };
        let roots = ca.map(custom_roots).transpose()?.map(Arc::new);
        Ok(Self {
            acceptor,
            roots,
            connector: OnceCell::new(),
        })
    }

    pub(crate) fn acceptor(&self) -> Result<TlsAcceptor, TransportError> {
        self.acceptor
            .clone()
            .ok_or_else(|| bad("to listen at wss:// takes --tls-cert and --tls-key"))
    }

    pub(crate) async fn connector(&self) -> Result<TlsConnector, TransportError> {
        let connector = self.connector.get_or_try_init(|| async {
            let roots = match &self.roots {
                Some(roots) => Arc::clone(roots),
                None => Arc::new(native_roots().await?),
            };
            let config = ClientConfig::builder_with_provider(provider())
                .with_safe_default_protocol_versions()
                .map_err(|err| bad_because("TLS versions", err))?
                .with_root_certificates(roots)
                .with_no_client_auth();
            Ok(TlsConnector::from(Arc::new(config)))
        });
        connector.await.cloned()
    }
}

fn acceptor(cert: &Pem, key: &Pem) -> Result<TlsAcceptor, TransportError> {
    let chain = cert.certificates("--tls-cert")?;
    let key_source = key;
    let key = key.private_key("--tls-key")?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|err| bad_because("TLS versions", err))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|err| {
            let why = match &err {
                rustls::Error::InconsistentKeys(_) => {
                    format!("the key in {key_source} is not that of the certificate in {cert}")
                }
                rustls::Error::InvalidCertificate(why) => {
                    format!("the certificate in {cert}: {}", defect(why))
                }
                other => format!("{cert} and {key_source} do not serve: {other}"),
            };
            bad_as("--tls-cert and --tls-key", why, err)
        })?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn custom_roots(ca: &Pem) -> Result<RootCertStore, TransportError> {
    let mut roots = RootCertStore::empty();
    for cert in ca.certificates("--tls-ca")? {
        roots.add(cert).map_err(|err| {
            let why = match &err {
                rustls::Error::InvalidCertificate(why) => {
                    format!("a certificate in {ca}: {}", defect(why))
                }
                other => format!("a certificate in {ca} cannot be trusted: {other}"),
            };
            bad_as("--tls-ca", why, err)
        })?;
    }
    Ok(roots)
}

async fn native_roots() -> Result<RootCertStore, TransportError> {
    let found = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs)
        .await
        .map_err(|err| bad_because("the system's certificates", err))?;
    let mut roots = RootCertStore::empty();
    // Systems carry some that rustls cannot read; the others serve.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.into_iter().next();
        let detail = "this system has no CA certificates; give one with --tls-ca";
        return Err(match why {
            Some(err) => bad_because(detail, err),
            None => bad(detail),
        });
    }
    Ok(roots)
}

// Given by hand: a process-wide default may be another one, or none.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn bad(detail: &'static str) -> TransportError {
    TransportError::new(TransportErrorKind::BadOptions, detail)
}

fn bad_because(what: &str, err: impl std::error::Error + Send + Sync + 'static) -> TransportError {
    let why = err.to_string();
    bad_as(what, why, err)
}

fn bad_as(
    what: &str,
    why: String,
    err: impl std::error::Error + Send + Sync + 'static,
) -> TransportError {
    let detail = format!("{what}: {why}");
    TransportError::caused_by(TransportErrorKind::BadOptions, detail, err)
}
