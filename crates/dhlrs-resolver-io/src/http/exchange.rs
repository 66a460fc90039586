//! One request and its response, within limits.

use std::pin::pin;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use url::{Position, Url};

use super::HTTP_HEADER_BYTES_MAX;
use super::connect::Connection;
use crate::error::{IoError, IoErrorKind};

/// What a server answered.
pub(crate) enum Exchange {
    Received(Received),
    Redirect(String),
}

pub(crate) struct Received {
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
}

pub(crate) async fn get(
    connection: Connection,
    url: &Url,
    headers: &[(HeaderName, HeaderValue)],
    body_bytes_max: usize,
) -> Result<Exchange, IoError> {
    let broken = |error: hyper::Error| {
        let message = format!("{} broke off", url.origin().ascii_serialization());
        IoError::new(IoErrorKind::Unavailable, message).because(error)
    };
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HTTP_HEADER_BYTES_MAX);
    let (mut sender, driver) = builder
        .handshake(TokioIo::new(connection))
        .await
        .map_err(broken)?;
    let request = request(url, headers)?;
    let mut work = pin!(async {
        let response = sender.send_request(request).await.map_err(broken)?;
        take(url, response, body_bytes_max).await
    });
    let mut driver = pin!(driver);
    tokio::select! {
        done = &mut work => done,
        // The server has closed: what came before that is still to be read, and no more will come.
        _ = &mut driver => work.await,
    }
}

fn request(
    url: &Url,
    headers: &[(HeaderName, HeaderValue)],
) -> Result<Request<Empty<Bytes>>, IoError> {
    // With the port if it is not the scheme's own.
    let host = &url[Position::BeforeHost..Position::AfterPort];
    let target = &url[Position::BeforePath..Position::AfterQuery];
    let mut request = Request::get(target)
        .header(header::HOST, host)
        .header(header::ACCEPT_ENCODING, "identity")
        .header(
            header::USER_AGENT,
            concat!("dhlrs/", env!("CARGO_PKG_VERSION")),
        )
        .header(header::CONNECTION, "close");
    if let Some(own) = request.headers_mut() {
        own.extend(headers.iter().cloned());
    }
    request.body(Empty::new()).map_err(|error| {
        IoError::new(IoErrorKind::Parameter, format!("{url} cannot be asked")).because(error)
    })
}

async fn take(
    url: &Url,
    response: Response<Incoming>,
    body_bytes_max: usize,
) -> Result<Exchange, IoError> {
    let (head, mut body) = response.into_parts();
    let bad = |message: String| IoError::new(IoErrorKind::BadContent, message);
    if is_redirect(head.status) {
        let location = text(&head.headers, header::LOCATION);
        let location = location.ok_or_else(|| bad(format!("{url} redirects to nowhere")))?;
        return Ok(Exchange::Redirect(location));
    }
    if head.status != StatusCode::OK {
        let message = format!("{url} answered {}", head.status);
        return Err(IoError::new(IoErrorKind::Status, message));
    }
    if let Some(encoding) = text(&head.headers, header::CONTENT_ENCODING)
        && !encoding.eq_ignore_ascii_case("identity")
    {
        let message = format!("{url} answered in {encoding:?}, which was not asked for");
        return Err(bad(message));
    }
    let too_large = || {
        let message = format!("{url} answers with more than {body_bytes_max} bytes");
        IoError::new(IoErrorKind::TooLarge, message)
    };
    if body.size_hint().lower() > body_bytes_max as u64 {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let message = format!("the answer of {url} broke off");
            IoError::new(IoErrorKind::Unavailable, message).because(error)
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > body_bytes_max {
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Exchange::Received(Received {
        content_type: text(&head.headers, header::CONTENT_TYPE),
        body: bytes,
    }))
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}
