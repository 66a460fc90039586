//! What the layers below report, in the words of a transport.

use std::fmt::Display;
use std::io;

use dhlrs_transport::{TransportError, TransportErrorKind, TransportUrl};
use rustls::{AlertDescription, CertificateError, InvalidMessage};
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use TransportErrorKind::{Closed, Denied, Malformed, Unavailable, WrongProtocol};

/// What the protocol leaves for words when it closes.
const CLOSE_REASON_BYTES_MAX: usize = 123;

/// Why TLS with the server did not come about.
pub(crate) fn tls_connect_failed(url: &TransportUrl, err: io::Error) -> TransportError {
    let (kind, why) = match rustls_error(&err) {
        Some(rustls::Error::InvalidCertificate(why)) => (Denied, distrust(url.host(), why)),
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => (
            WrongProtocol,
            "it answers without TLS; if that is meant, write ws://".to_owned(),
        ),
        Some(why) => (WrongProtocol, no_tls(why)),
        None => (
            Unavailable,
            format!("{err}; if no TLS is meant, write ws://"),
        ),
    };
    TransportError::caused_by(kind, format!("{url}: {why}"), err)
}

fn distrust(host: &str, why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => {
            "its certificate comes from a CA that is not trusted here; if the CA is yours, name \
             it with --tls-ca"
                .to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired: renew it there, or set the clock here".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet: wait, or set the clock here".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("its certificate is not for {host:?}: use a name that it lists")
        }
        other => format!("its certificate does not hold: {}", defect(other)),
    }
}

/// What is wrong with a certificate, in plain words.
pub(crate) fn defect(why: &CertificateError) -> String {
    let text = match why {
        CertificateError::BadEncoding => "it is damaged, or no certificate at all",
        CertificateError::BadSignature => "its signature is not that of the CA it names",
        CertificateError::Revoked => "its CA has revoked it",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not made for servers"
        }
        CertificateError::UnhandledCriticalExtension => {
            "it demands something that is not understood here"
        }
        CertificateError::Other(other) => match other.0.downcast_ref() {
            Some(webpki::Error::CaUsedAsEndEntity) => {
                "it is that of a CA; a server's own says CA:FALSE (`dhlrs serve --help` shows how one is made)"
            }
            Some(webpki::Error::EndEntityUsedAsCa) => {
                "it was signed by a certificate that is none of a CA"
            }
            Some(webpki::Error::UnsupportedCertVersion) => {
                "it is of another version than 3, which one without extensions is"
            }
            _ => return other.to_string(),
        },
        other => return other.to_string(),
    };
    text.to_owned()
}

fn no_tls(why: &rustls::Error) -> String {
    let text = match why {
        rustls::Error::AlertReceived(
            AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion,
        )
        | rustls::Error::PeerIncompatible(_) => {
            "the two sides have no version or cipher of TLS in common"
        }
        rustls::Error::AlertReceived(AlertDescription::InternalError) => {
            "the other side has a fault of its own; its log may say more"
        }
        rustls::Error::InvalidMessage(_) | rustls::Error::PeerMisbehaved(_) => {
            "what comes is no proper TLS"
        }
        other => return format!("no TLS: {other}"),
    };
    format!("no TLS: {text}")
}

/// Why the server did not become a WebSocket.
pub(crate) fn upgrade_failed(url: &TransportUrl, encrypted: bool, err: Error) -> TransportError {
    let hint = if encrypted {
        ""
    } else {
        "; if it expects TLS, write wss://"
    };
    let (kind, why) = match &err {
        Error::Http(response) => match response.status() {
            StatusCode::SERVICE_UNAVAILABLE => (Unavailable, "it is full; later".to_owned()),
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                (Denied, format!("it answers {status}"))
            }
            status => (
                WrongProtocol,
                format!("it answers {status}, as a web server does: is the port right?{hint}"),
            ),
        },
        Error::Protocol(ProtocolError::HandshakeIncomplete) | Error::Io(_) => (
            Unavailable,
            format!("it hung up during the handshake{hint}"),
        ),
        other => (
            WrongProtocol,
            format!("no WebSocket answers: {other}{hint}"),
        ),
    };
    TransportError::caused_by(kind, format!("{url}: {why}"), err)
}

/// Why a client's TLS did not come about.
pub(crate) fn tls_accept_failed(peer: &dyn Display, err: io::Error) -> TransportError {
    let (kind, why) = match rustls_error(&err) {
        Some(rustls::Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown,
        )) => (
            Denied,
            "it does not trust the certificate shown here".to_owned(),
        ),
        Some(rustls::Error::InvalidMessage(_)) => (
            WrongProtocol,
            "it speaks no TLS; it should connect to wss://".to_owned(),
        ),
        Some(why) => (WrongProtocol, no_tls(why)),
        None => (Closed, format!("it hung up during the handshake: {err}")),
    };
    TransportError::caused_by(kind, format!("{peer}: {why}"), err)
}

/// Why a client did not become a WebSocket.
pub(crate) fn accept_failed(peer: &dyn Display, err: Error) -> TransportError {
    let (kind, why) = match &err {
        // In TLS 1.3 the server is done before the client has judged its certificate.
        Error::Io(io) if rustls_error(io).is_some_and(is_distrust) => (
            Denied,
            "it does not trust the certificate shown here".to_owned(),
        ),
        Error::Http(response) if response.status() == StatusCode::FORBIDDEN => {
            (Denied, "a web page asks, by its Origin header".to_owned())
        }
        Error::Http(_) => (Unavailable, "too many connections are open".to_owned()),
        Error::Protocol(ProtocolError::HandshakeIncomplete) | Error::Io(_) => {
            (Closed, "it hung up during the handshake".to_owned())
        }
        other => (WrongProtocol, format!("no WebSocket asks: {other}")),
    };
    TransportError::caused_by(kind, format!("{peer}: {why}"), err)
}

/// Why an open channel ended.
pub(crate) fn channel_failed(peer: &str, err: Error) -> TransportError {
    let (kind, why) = match &err {
        Error::ConnectionClosed | Error::AlreadyClosed => (Closed, "it closed the channel".into()),
        Error::Protocol(
            ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing,
        ) => (Closed, "the connection was lost".into()),
        Error::Io(err) => (Closed, format!("the connection was lost: {err}")),
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => (
            Malformed,
            format!("it sent a frame of {size} bytes, limit {max_size}"),
        ),
        other => (Malformed, other.to_string()),
    };
    TransportError::caused_by(kind, format!("{peer}: {why}"), err)
}

/// What to tell the peer, if it is to blame for this error.
pub(crate) fn fault(err: &Error) -> Option<CloseFrame> {
    match err {
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            let reason = format!("frame too large: {size} bytes, limit {max_size}");
            Some(close_frame(CloseCode::Size, &reason))
        }
        Error::Protocol(
            ProtocolError::ResetWithoutClosingHandshake
            | ProtocolError::SendAfterClosing
            | ProtocolError::ReceivedAfterClosing,
        ) => None,
        Error::Capacity(_) | Error::Protocol(_) | Error::Utf8(_) => {
            Some(close_frame(CloseCode::Protocol, &err.to_string()))
        }
        _ => None,
    }
}

pub(crate) fn close_frame(code: CloseCode, reason: &str) -> CloseFrame {
    let end = reason.floor_char_boundary(CLOSE_REASON_BYTES_MAX);
    let reason = reason.get(..end).unwrap_or_default().into();
    CloseFrame { code, reason }
}

fn rustls_error(err: &io::Error) -> Option<&rustls::Error> {
    err.get_ref()?.downcast_ref()
}

fn is_distrust(err: &rustls::Error) -> bool {
    use AlertDescription::{BadCertificate, CertificateExpired, CertificateUnknown, UnknownCA};
    matches!(
        err,
        rustls::Error::AlertReceived(
            UnknownCA | BadCertificate | CertificateExpired | CertificateUnknown
        )
    )
}
