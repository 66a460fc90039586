//! Where to connect and where to listen.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use dhlrs_identity::PublicKey;

use crate::{TransportError, TransportErrorKind};

/// Bytes of a URL at most.
pub const URL_BYTES_MAX: usize = 2_048;

const SCHEME_BYTES_MAX: usize = 32;

/// Where a transport connects or listens: `scheme://HOST[:PORT][/PATH][?key=KEY]`.
///
/// ```
/// let url: dhlrs_transport::TransportUrl = "ws://[::1]:7411".parse()?;
/// assert_eq!((url.scheme(), url.host(), url.port()), ("ws", "::1", Some(7411)));
/// # Ok::<(), dhlrs_transport::TransportError>(())
/// ```
///
/// The host is a name or an address of ASCII letters, digits, `-`, `.` and `_`, or an IPv6 address
/// in brackets. `key` is the public key that the peer must prove, 64 lowercase hex digits; it is
/// for the link, a transport passes over it. Nothing else may stand in the query, no user name or
/// password before the host (they would reach logs; credentials are options of a transport), so no
/// `@` anywhere, and no fragment. At most [`URL_BYTES_MAX`] bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransportUrl {
    scheme: Box<str>,
    // Without brackets.
    host: Box<str>,
    port: Option<u16>,
    // Empty, or begins with a slash.
    path: Box<str>,
    key: Option<PublicKey>,
}

impl TransportUrl {
    /// What stands before `://`: lowercase letters, digits, `+`, `-`, `.`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, if one is given. To listen at 0 is to take any free one.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The path with its leading slash, or nothing.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The public key that the peer must prove.
    pub fn key(&self) -> Option<PublicKey> {
        self.key
    }

    /// The same URL with another port, as a listener reports it.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// The same URL without a key: what both ends of a channel have in common.
    #[must_use]
    pub fn without_key(mut self) -> Self {
        self.key = None;
        self
    }

    /// The host and the port as the authority of a URL spells them.
    pub fn authority(&self) -> impl fmt::Display + '_ {
        Authority(self)
    }
}

impl FromStr for TransportUrl {
    type Err = TransportError;

    /// # Errors
    ///
    /// `BadUrl`, with what is wrong and how it should read.
    fn from_str(text: &str) -> Result<Self, TransportError> {
        if text.len() > URL_BYTES_MAX {
            return Err(bad(format!("{} bytes, limit {URL_BYTES_MAX}", text.len())));
        }
        if text.contains('@') {
            // The text is not repeated: it may hold a password.
            return Err(bad(
                "user names and passwords are options of the transport, not its URL",
            ));
        }
        if let Some(wrong) = text.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(bad(format!("{text:?}: {wrong:?} may not stand in a URL")));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(bad(format!(
                "{text:?}: write SCHEME://HOST:PORT, as ws://127.0.0.1:7411"
            )));
        };
        check_scheme(scheme)?;
        if rest.contains('#') {
            return Err(bad(format!("{text:?}: a fragment (#) means nothing here")));
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) =
            parse_authority(authority).map_err(|why| bad(format!("{text}: {why}")))?;
        let key = query.map(parse_key).transpose()?;
        Ok(Self {
            scheme: scheme.into(),
            host: host.into(),
            port,
            path: path.into(),
            key,
        })
    }
}

pub(crate) fn check_scheme(scheme: &str) -> Result<(), TransportError> {
    let starts_well = scheme.starts_with(|c: char| c.is_ascii_lowercase());
    let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b);
    if !starts_well || !scheme.bytes().all(rest) || scheme.len() > SCHEME_BYTES_MAX {
        return Err(bad(format!(
            "scheme {scheme:?}: lowercase letters, digits, + - . only, a letter first, at most \
             {SCHEME_BYTES_MAX} bytes"
        )));
    }
    Ok(())
}

fn parse_authority(authority: &str) -> Result<(&str, Option<u16>), String> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let Some((host, after)) = rest.split_once(']') else {
            return Err("the bracket of the IPv6 address is not closed".to_owned());
        };
        if host.parse::<Ipv6Addr>().is_err() {
            return Err(format!("[{host}] is no IPv6 address"));
        }
        match after.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if after.is_empty() => (host, None),
            None => return Err(format!("{after:?} after the IPv6 address is no port")),
        }
    } else {
        match authority.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return Err("an IPv6 address needs brackets, as ws://[::1]:7411".to_owned());
            }
            Some((host, port)) => (check_name(host)?, Some(port)),
            None => (check_name(authority)?, None),
        }
    };
    let port = port
        .map(|digits| {
            // `u16::from_str` takes "+3" and "007"; a port must have one spelling only.
            digits
                .parse::<u16>()
                .ok()
                .filter(|port| port.to_string() == digits)
                .ok_or_else(|| format!("{digits:?} is no port; ports are 0 to 65535"))
        })
        .transpose()?;
    Ok((host, port))
}

fn check_name(host: &str) -> Result<&str, String> {
    if host.is_empty() {
        return Err("the host is missing".to_owned());
    }
    match host
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !"-._".contains(*c))
    {
        Some(wrong) => Err(format!("{wrong:?} may not stand in the host {host:?}")),
        None => Ok(host),
    }
}

fn parse_key(query: &str) -> Result<PublicKey, TransportError> {
    let Some(key) = query.strip_prefix("key=") else {
        return Err(bad(format!("?{query} is not known here; only ?key=KEY is")));
    };
    key.parse().map_err(|err| {
        let detail = format!("?{query}: write the 64 lowercase hex digits that `dhlrs key` prints");
        TransportError::caused_by(TransportErrorKind::BadUrl, detail, err)
    })
}

fn bad(detail: impl Into<std::borrow::Cow<'static, str>>) -> TransportError {
    TransportError::new(TransportErrorKind::BadUrl, detail)
}

struct Authority<'a>(&'a TransportUrl);

impl fmt::Display for Authority<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.host {
            host if host.contains(':') => write!(f, "[{host}]")?,
            host => f.write_str(host)?,
        }
        match self.0.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for TransportUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority(), self.path)?;
        match &self.key {
            Some(key) => write!(f, "?key={key}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for TransportUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransportUrl({self})")
    }
}
