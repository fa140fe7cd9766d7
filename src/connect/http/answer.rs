//! An answer, whole or not at all.

use std::io::Read;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use flate2::read::MultiGzDecoder;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap};

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// An answer with its complete body.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, unpacked.
    pub body: Bytes,
    /// How many bytes the body took on the wire.
    pub transferred_bytes: u64,
}

impl Answer {
    /// Reads the body to its end.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when the answer breaks off, [`ErrorKind::BadData`] when it is larger than
    /// `max_bytes`.
    pub(super) async fn read(mut response: reqwest::Response, max_bytes: usize) -> Result<Self> {
        let status = response.status();
        let headers = response.headers().clone();
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let mut body = BytesMut::with_capacity(announced.min(max_bytes));
        while let Some(piece) = response.chunk().await.map_err(|error| {
            Error::new(ErrorKind::Unavailable, "the answer broke off")
                .help("check the network between here and the service, then run the sync again")
                .caused_by(error.without_url())
        })? {
            if body.len() + piece.len() > max_bytes {
                return Err(too_large(max_bytes));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer { status, headers, transferred_bytes: body.len() as u64, body: body.freeze() })
    }

    /// Unpacks a compressed body.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when it breaks off or is damaged, [`ErrorKind::BadData`] when it is larger
    /// than `max_bytes` or packed in a way that was not asked for.
    pub(super) fn unpacked(mut self, max_bytes: usize) -> Result<Self> {
        match self.header(CONTENT_ENCODING.as_str()) {
            None | Some("identity") => Ok(self),
            Some("gzip") | Some("x-gzip") => {
                let limit = max_bytes as u64 + 1;
                let mut text = Vec::with_capacity(self.body.len().saturating_mul(6).min(max_bytes));
                MultiGzDecoder::new(self.body.as_ref()).take(limit).read_to_end(&mut text).map_err(|error| {
                    Error::new(ErrorKind::Unavailable, "the compressed answer is damaged or broke off")
                        .help("check the network between here and the service, then run the sync again")
                        .caused_by(error)
                })?;
                if text.len() as u64 == limit {
                    return Err(too_large(max_bytes));
                }
                self.body = Bytes::from(text);
                Ok(self)
            }
            Some(other) => Err(Error::new(ErrorKind::BadData, "the answer is packed in a way that was not asked for")
                .with("content_encoding", other)),
        }
    }

    /// The first header of that name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// When the answer was given, on the source's clock (`Date`, whole seconds).
    pub fn date(&self) -> Option<Timestamp> {
        self.header(DATE.as_str()).and_then(parse_http_date)
    }

    /// Whether the body is a page for people: an answer of a proxy, not of the API.
    pub fn is_html(&self) -> bool {
        let declared = self.header(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("text/html"));
        declared || self.body.trim_ascii_start().first() == Some(&b'<')
    }
}

fn too_large(max_bytes: usize) -> Error {
    Error::new(ErrorKind::BadData, "the answer is larger than we accept")
        .with("max_bytes", max_bytes)
        .help("ask for smaller pages or fewer fields")
}

/// Reads the one form of HTTP dates that is still sent (`Sun, 06 Nov 1994 08:49:37 GMT`).
pub(super) fn parse_http_date(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| Timestamp::from(date.with_timezone(&Utc)))
}
