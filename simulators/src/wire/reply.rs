//! An answer before it is put on the wire.

use serde_json::Value;

/// How the body reaches the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Delivery {
    #[default]
    Whole,
    /// Chunked, and the connection ends after that many bytes, before the last chunk.
    CutChunked(usize),
    /// With the whole length announced, and the connection ends after that many bytes.
    CutLength(usize),
    /// The connection ends without an answer.
    Reset,
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) delivery: Delivery,
    /// How many records the body holds.
    pub(crate) rows: u64,
}

impl Reply {
    pub(crate) fn text(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type", content_type.to_owned())];
        Reply { status, headers, body: body.into(), ..Reply::default() }
    }

    pub(crate) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Reply::text(status, "application/json;charset=UTF-8", body)
    }

    pub(crate) fn value(status: u16, body: &Value) -> Self {
        Reply::json(status, body.to_string())
    }

    pub(crate) fn html(status: u16, title: &str) -> Self {
        let body = format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n");
        Reply::text(status, "text/html;charset=utf-8", body)
    }

    pub(crate) fn empty(status: u16) -> Self {
        Reply { status, ..Reply::default() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
