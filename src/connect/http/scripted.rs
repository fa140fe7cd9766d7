//! A fake host for tests: gives prepared answers, byte by byte, and keeps what it was asked.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// `GET /path?query`.
    pub(crate) line: String,
    /// Header lines, as sent.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

type Script = dyn Fn(usize, &Asked) -> Vec<u8> + Send + Sync;

/// A listening host; ends with the test's runtime.
pub(crate) struct ScriptedHost {
    pub(crate) base: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl ScriptedHost {
    /// Answers the n-th request (from 0) with `script(n, request)`; each connection carries one request.
    pub(crate) async fn start(script: impl Fn(usize, &Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Script> = Arc::new(script);
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let Ok((mut stream, _)) = listener.accept().await else { break };
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                tokio::spawn(async move {
                    let mut bytes = Vec::new();
                    let end = loop {
                        if let Some(at) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
                            break at + 4;
                        }
                        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                            return;
                        }
                    };
                    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                    let mut lines = head.lines();
                    let line = lines.next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
                    let headers: Vec<String> = lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
                    let mut asked = Asked { line, headers, body: String::new() };
                    let length = asked.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0usize);
                    while bytes.len() < end + length {
                        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    asked.body = String::from_utf8_lossy(&bytes[end..]).into_owned();
                    let number = {
                        let mut log = log.lock().unwrap();
                        log.push(asked.clone());
                        log.len() - 1
                    };
                    let answer = script(number, &asked);
                    let _ = stream.write_all(&answer).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        ScriptedHost { base, asked }
    }

    /// What has been asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// A complete answer with these extra header lines.
pub(crate) fn answer(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n", body.len()).into_bytes();
    for line in headers {
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}
