//! URLs of hosts that the configuration allows.

mod address;
mod connect;
mod exchange;
mod template;

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use dhlrs_bag::Content;
use dhlrs_resolver::{Call, ResolveError};
use futures_util::future::BoxFuture;
use hyper::header::{HeaderName, HeaderValue};
use rustls_pki_types::CertificateDer;
use tokio::time::timeout;
use url::{Origin, Url};

use crate::code::code;
use crate::error::{IoError, IoErrorKind};
use crate::format::Format;

pub use address::is_public;
use connect::Connector;
use exchange::{Exchange, Received};
use template::UrlTemplate;

/// Default of [`HttpConfig::body_bytes_max`]: 4 MiB.
pub const HTTP_BODY_BYTES_MAX: usize = 4 << 20;
/// The most bytes of a response's head.
pub const HTTP_HEADER_BYTES_MAX: usize = 64 << 10;
/// Default of [`HttpConfig::redirects_max`].
pub const HTTP_REDIRECTS_MAX: usize = 5;
/// Default of [`HttpConfig::timeout`].
pub const HTTP_TIMEOUT: Duration = Duration::from_secs(10);

/// Asks for the addresses of a host and port.
pub type Lookup =
    Arc<dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// Which URL is read, and how far that may go.
#[derive(Clone)]
pub struct HttpConfig {
    /// The URL. `{name}` in its path or query is a parameter of the call, put in as one segment or
    /// value, whatever it holds; `{{` and `}}` are braces.
    pub url: String,
    /// Hosts that a redirect may lead to, besides the URL's own: `cdn.example.com`, for another port
    /// than the scheme's `cdn.example.com:8443`. To the same host behind TLS it always may, between
    /// the schemes' own ports; from `https` nothing leads to `http`.
    pub hosts: BTreeSet<String>,
    /// Addresses that may be reached though they are not public.
    pub addresses: BTreeSet<IpAddr>,
    /// What is in the response.
    pub format: Format,
    /// The most bytes of a response.
    pub body_bytes_max: usize,
    /// How long all of it may take: names, connections, redirects, the last byte.
    pub timeout: Duration,
    /// The most redirects.
    pub redirects_max: usize,
    /// Headers that are sent to the URL's own host, and to no other that a redirect leads to.
    pub headers: Vec<(String, String)>,
    /// Whose certificates are trusted; the system's if there are none.
    pub roots: Vec<CertificateDer<'static>>,
    /// Where addresses come from; the system if there is none.
    pub lookup: Option<Lookup>,
}

impl HttpConfig {
    /// This URL, with the limits above, no redirects to other hosts and no private addresses.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            hosts: BTreeSet::new(),
            addresses: BTreeSet::new(),
            format: Format::ByName,
            body_bytes_max: HTTP_BODY_BYTES_MAX,
            timeout: HTTP_TIMEOUT,
            redirects_max: HTTP_REDIRECTS_MAX,
            headers: Vec::new(),
            roots: Vec::new(),
            lookup: None,
        }
    }
}

impl fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers may hold secrets.
        f.debug_struct("HttpConfig")
            .field("url", &self.url)
            .field("hosts", &self.hosts)
            .field("addresses", &self.addresses)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

/// Reads a URL with GET, over HTTP/1.1.
///
/// - Only the URL's own host and those of the configuration are asked, also when a redirect says
///   otherwise.
/// - A name is looked up once for each request; if any of its addresses is not public and not
///   allowed, none is used, and the connection goes to one of those that were looked at.
/// - No proxy, no cookies, no authentication of its own, no decompression: a compressed response is
///   refused.
/// - Anything but 200 is an error, which tells the status and not the body.
///
/// Each call makes its own connection. Dropping the future ends it.
#[derive(Debug)]
pub struct HttpResolver {
    config: HttpConfig,
    template: UrlTemplate,
    headers: Vec<(HeaderName, HeaderValue)>,
    connector: Connector,
}

impl HttpResolver {
    /// Checks the configuration; asks nobody.
    ///
    /// # Errors
    ///
    /// [`Config`](IoErrorKind::Config): no `http` or `https` URL, one with a user or a fragment,
    /// braces in the wrong place, a bad host, header or certificate.
    pub fn new(config: HttpConfig) -> Result<Self, IoError> {
        let template = UrlTemplate::parse(&config.url)?;
        for host in &config.hosts {
            let url = Url::parse(&format!("http://{host}/")).ok();
            if url.is_none_or(|url| url.path() != "/" || !url.username().is_empty()) {
                let message = format!("{host:?} is no host");
                return Err(IoError::new(IoErrorKind::Config, message));
            }
        }
        let header = |(name, value): &(String, String)| {
            let bad = || IoError::new(IoErrorKind::Config, format!("bad header {name:?}"));
            let own_name = name.parse::<HeaderName>().map_err(|e| bad().because(e))?;
            let mut value = HeaderValue::from_str(value).map_err(|e| bad().because(e))?;
            value.set_sensitive(true);
            Ok((own_name, value))
        };
        let headers = config.headers.iter().map(header);
        let headers = headers.collect::<Result<_, IoError>>()?;
        let connector = Connector::new(&config)?;
        Ok(Self {
            config,
            template,
            headers,
            connector,
        })
    }

    /// Reads the URL for these parameters.
    ///
    /// # Errors
    ///
    /// [`NotAllowed`](IoErrorKind::NotAllowed) for a host or an address that may not be reached;
    /// [`IoErrorKind`] for the rest.
    pub async fn resolve(&self, call: &Call) -> Result<Content, IoError> {
        let url = self.template.render(call)?;
        let limit = self.config.timeout;
        let received = timeout(limit, self.follow(url)).await.map_err(|_| {
            let message = format!("{} took longer than {limit:?}", self.config.url);
            IoError::new(IoErrorKind::Timeout, message)
        })??;
        let format = match &received.content_type {
            Some(content_type) => self.config.format.of_content_type(content_type),
            None => self.config.format,
        };
        format.read(&received.body)
    }

    async fn follow(&self, mut url: Url) -> Result<Received, IoError> {
        let origin = url.origin();
        let began_secure = url.scheme() == "https";
        for _ in 0..=self.config.redirects_max {
            self.check_host(&url, began_secure)?;
            let own = url.origin() == origin;
            let headers: &[_] = if own { &self.headers } else { &[] };
            let body_bytes_max = self.config.body_bytes_max;
            let connection = self.connector.connect(&url).await?;
            match exchange::get(connection, &url, headers, body_bytes_max).await? {
                Exchange::Received(received) => return Ok(received),
                Exchange::Redirect(location) => {
                    url = url.join(&location).map_err(|error| {
                        let message = format!("{url} redirects to no URL");
                        IoError::new(IoErrorKind::BadContent, message).because(error)
                    })?;
                }
            }
        }
        let message = format!("more than {} redirects", self.config.redirects_max);
        Err(IoError::new(IoErrorKind::TooLarge, message))
    }

    fn check_host(&self, url: &Url, needs_tls: bool) -> Result<(), IoError> {
        let refuse = |why: &str| {
            let message = format!("{why}: {}", url.origin().ascii_serialization());
            Err(IoError::new(IoErrorKind::NotAllowed, message))
        };
        match url.scheme() {
            "https" => {}
            "http" if !needs_tls => {}
            "http" => return refuse("it leads from https to http"),
            _ => return refuse("neither http nor https"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("a URL with a user");
        }
        if url.origin() == *self.template.origin() || is_upgrade(self.template.origin(), url) {
            return Ok(());
        }
        if self.config.hosts.iter().any(|entry| is_host(entry, url)) {
            return Ok(());
        }
        refuse("this host is not allowed")
    }

    /// The code, for a node.
    pub fn into_code(
        self,
    ) -> impl Fn(Call) -> BoxFuture<'static, Result<Content, ResolveError>> + Send + Sync + 'static
    {
        code(self, |own, call| async move { own.resolve(&call).await })
    }
}

/// Whether this is the same host behind TLS, each at its scheme's own port.
fn is_upgrade(from: &Origin, to: &Url) -> bool {
    let Origin::Tuple(scheme, host, 80) = from else {
        return false;
    };
    let is_same_host = to.host().is_some_and(|to| to.to_owned() == *host);
    scheme == "http" && to.scheme() == "https" && to.port().is_none() && is_same_host
}

/// Whether an entry of the configuration means this host at this port.
fn is_host(entry: &str, url: &Url) -> bool {
    // URLs spell hosts in one way, and leave out the scheme's own port: it is looked for under two.
    let plain = Url::parse(&format!("http://{entry}/"));
    let secure = Url::parse(&format!("https://{entry}/"));
    let (Ok(plain), Ok(secure)) = (plain, secure) else {
        return false;
    };
    let port = plain.port().or(secure.port());
    let is_port = match port {
        Some(port) => url.port_or_known_default() == Some(port),
        None => url.port().is_none(),
    };
    is_port && plain.host() == url.host()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_may_lead_to_itself_behind_tls() {
        let url = |text: &str| Url::parse(text).unwrap();
        let leads = |from: &str, to: &str| is_upgrade(&url(from).origin(), &url(to));
        assert!(leads("http://example.com/a", "https://example.com/b"));
        for (from, to) in [
            ("http://example.com/", "https://other.example.com/"),
            ("http://example.com/", "https://example.com:8443/"),
            ("http://example.com:8080/", "https://example.com/"),
            ("https://example.com/", "http://example.com/"),
            ("https://example.com/", "https://example.com/"),
        ] {
            assert!(!leads(from, to), "{from} to {to}");
        }
    }
}
