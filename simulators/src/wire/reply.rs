//! An answer before it is put on the wire.

use serde_json::Value;

/// What follows the body of a long answer, piece by piece, made when the connection has room for it.
pub(crate) struct Rest(Box<dyn Iterator<Item = Vec<u8>> + Send>);

impl Rest {
    pub(crate) fn new(pieces: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Self {
        Rest(Box::new(pieces))
    }

    /// The next piece; `None` when all is sent.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        self.0.next()
    }
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rest")
    }
}

/// How the body reaches the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Delivery {
    #[default]
    Whole,
    /// Chunked, and the connection ends after that many bytes, before the last chunk.
    CutChunked(usize),
    /// As if it ended after that many bytes.
    CutShort(usize),
    /// With the whole length announced, and the connection ends after that many bytes.
    CutLength(usize),
    /// The connection ends without an answer.
    Reset,
}

/// An answer.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// What follows the body.
    pub(crate) rest: Option<Rest>,
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

    /// Makes the body longer than `bytes`, where there is as much, and forgets what follows. What follows may need
    /// the system itself, so nobody else should hold it now.
    pub(crate) fn settle(&mut self, bytes: usize) {
        let Some(mut rest) = self.rest.take() else { return };
        while self.body.len() <= bytes
            && let Some(piece) = rest.next()
        {
            self.body.extend(piece);
        }
    }
}
