//! Stands between a connector and a PostgreSQL server: writes down what is asked and how many rows come, and disturbs
//! when told to.
//!
//! It knows of the protocol what it needs: a first message without a type, then messages of a type, a length and a body
//! (<https://www.postgresql.org/docs/current/protocol-message-formats.html>).

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use simulators::salesforce::Stall;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// Whether a statement asks for a page: as it is, or through ODBC.
pub(super) fn is_page(statement: &[u8]) -> bool {
    statement.starts_with(b"COPY (") || statement.starts_with(b"SELECT nenrin_clock.now::text")
}

/// Whether a row of an answer is one of the table; one comes also when there is none, to tell the clock.
fn is_row(kind: u8, bytes: &[u8]) -> bool {
    match kind {
        b'd' => bytes.splitn(4, |byte| *byte == b'\t').nth(2).is_some_and(|cell| !cell.starts_with(b"\\N")),
        // Type, length and the number of cells; then each with its length, which is -1 for NULL.
        b'D' => {
            let mut at = 7;
            for _ in 0..2 {
                let length = i32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
                at += 4 + usize::try_from(length).unwrap_or_default();
            }
            bytes[at..at + 4] != [0xff; 4]
        }
        _ => false,
    }
}

/// Something that was asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The statement; empty for signing in.
    pub(super) statement: String,
    /// Rows that came, without the one that only tells that there are more.
    pub(super) rows: u64,
}

/// What disturbs requests for pages.
#[derive(Debug, Clone)]
struct Armed {
    form: String,
    from: u64,
    to: u64,
    seen: u64,
    gate: Option<Stall>,
}

/// What is known of the talk so far.
#[derive(Default)]
struct Shared {
    asked: Vec<Asked>,
    armed: Vec<Armed>,
    /// The last answer to a request for a page, for one that comes twice.
    last: Vec<u8>,
}

/// A proxy on a socket of its own.
pub(super) struct Proxy {
    folder: tempfile::TempDir,
    shared: Arc<Mutex<Shared>>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Proxy {
    /// Stands before the server that listens in `server`.
    pub(super) fn start(server: &Path) -> Proxy {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let shared = Arc::new(Mutex::new(Shared::default()));
        let (listen, server) = (folder.path().join(".s.PGSQL.5432"), server.join(".s.PGSQL.5432"));
        let listener = {
            let _entered = runtime.enter();
            UnixListener::bind(listen).unwrap()
        };
        runtime.spawn({
            let shared = Arc::clone(&shared);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(talk(client, server.clone(), Arc::clone(&shared)));
                }
            }
        });
        Proxy { folder, shared, runtime: Some(runtime) }
    }

    /// The folder with its socket.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What was asked since [`Proxy::clear`].
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.shared.lock().unwrap().asked.clone()
    }

    pub(super) fn clear(&self) {
        self.shared.lock().unwrap().asked.clear();
    }

    /// Disturbs these requests for pages (`2`, `2-4`, `2+`).
    pub(super) fn arm(&self, form: &str, calls: &str) {
        let number = |text: &str| text.parse::<u64>().unwrap();
        let (from, to) = match (calls.strip_suffix('+'), calls.split_once('-')) {
            (Some(from), _) => (number(from), u64::MAX),
            (None, Some((from, to))) => (number(from), number(to)),
            (None, None) => (number(calls), number(calls)),
        };
        self.push(Armed { form: form.to_owned(), from, to, seen: 0, gate: None });
    }

    /// Makes the next request for a page wait.
    pub(super) fn stall(&self) -> Stall {
        let gate = Stall::new();
        self.push(Armed { form: "stall".to_owned(), from: 1, to: 1, seen: 0, gate: Some(gate.clone()) });
        gate
    }

    fn push(&self, armed: Armed) {
        self.shared.lock().unwrap().armed.push(armed);
    }

    pub(super) fn disarm(&self) {
        let armed = std::mem::take(&mut self.shared.lock().unwrap().armed);
        armed.iter().filter_map(|armed| armed.gate.as_ref()).for_each(Stall::open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // A test that waits for nothing may end within another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A message: its type and all of its bytes.
async fn message(stream: &mut (impl AsyncReadExt + Unpin)) -> std::io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).await?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let mut bytes = head.to_vec();
    bytes.resize(1 + length, 0);
    stream.read_exact(&mut bytes[5..]).await?;
    Ok((head[0], bytes))
}

async fn talk(mut client: UnixStream, server: PathBuf, shared: Arc<Mutex<Shared>>) -> std::io::Result<()> {
    let mut server = UnixStream::connect(server).await?;
    let mut head = [0; 4];
    client.read_exact(&mut head).await?;
    let mut first = vec![0; u32::from_be_bytes(head) as usize - 4];
    client.read_exact(&mut first).await?;
    shared.lock().unwrap().asked.push(Asked { statement: String::new(), rows: 0 });
    server.write_all(&head).await?;
    server.write_all(&first).await?;
    loop {
        tokio::select! {
            from_client = message(&mut client) => {
                let (kind, bytes) = from_client?;
                let body = &bytes[5..];
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap()).into_owned();
                match kind {
                    b'Q' if is_page(body) => {
                        if !page(&mut client, &mut server, &shared, &bytes, text(body)).await? {
                            return Ok(());
                        }
                        continue;
                    }
                    // The catalogue through ODBC; what else a driver asks is its own affair.
                    b'Q' if text(body).contains("FROM unnest(") => {
                        shared.lock().unwrap().asked.push(Asked { statement: text(body), rows: 0 });
                    }
                    // The name of a statement comes before its text.
                    b'P' => {
                        let name = body.iter().position(|byte| *byte == 0).unwrap();
                        shared.lock().unwrap().asked.push(Asked { statement: text(&body[name + 1..]), rows: 0 });
                    }
                    _ => {}
                }
                server.write_all(&bytes).await?;
            }
            from_server = message(&mut server) => client.write_all(&from_server?.1).await?,
        }
    }
}

/// Passes a request for a page on, and its answer back, or disturbs it; whether the connection goes on.
async fn page(
    client: &mut UnixStream,
    server: &mut UnixStream,
    shared: &Mutex<Shared>,
    request: &[u8],
    statement: String,
) -> std::io::Result<bool> {
    let (form, gate) = {
        let mut shared = shared.lock().unwrap();
        let mut strikes = (String::new(), None);
        for armed in &mut shared.armed {
            armed.seen += 1;
            if (armed.from..=armed.to).contains(&armed.seen) {
                strikes = (armed.form.clone(), armed.gate.clone());
            }
        }
        shared.armed.retain(|armed| armed.seen < armed.to);
        strikes
    };
    if let Some(gate) = gate {
        gate.pass().await;
    }
    let limit = statement.rsplit("LIMIT ").next().and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    let told = |rows: u64| {
        let rows = limit.map_or(rows, |limit| rows.min(limit - 1));
        shared.lock().unwrap().asked.push(Asked { statement: statement.clone(), rows });
    };
    if let Some(code) = form.strip_prefix("fatal=") {
        told(0);
        client.write_all(&refusal("FATAL", code)).await?;
        return Ok(false);
    }
    if form == "reset" {
        told(0);
        return Ok(false);
    }
    if form == "html" {
        told(0);
        client.write_all(b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>").await?;
        return Ok(false);
    }
    server.write_all(request).await?;
    let (mut answer, mut rows) = (Vec::new(), 0);
    loop {
        let (kind, bytes) = message(server).await?;
        if is_row(kind, &bytes) {
            rows += 1;
            if form == "crash" && rows == 4 {
                answer.extend(refusal("FATAL", "57P01"));
                told(0);
                client.write_all(&answer).await?;
                return Ok(false);
            }
        }
        answer.extend(&bytes);
        if kind == b'Z' {
            break;
        }
    }
    let before = std::mem::replace(&mut shared.lock().unwrap().last, answer.clone());
    if form == "repeat" && !before.is_empty() {
        told(0);
        client.write_all(&before).await?;
        return Ok(true);
    }
    if let Some(length) = form.strip_prefix("cut=") {
        told(0);
        client.write_all(&answer[..length.parse::<usize>().unwrap().min(answer.len())]).await?;
        return Ok(false);
    }
    told(rows);
    client.write_all(&answer).await?;
    Ok(true)
}

/// What a server says that refuses.
fn refusal(severity: &str, code: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for (field, text) in [(b'S', severity), (b'V', severity), (b'C', code), (b'M', "refused by the test")] {
        body.push(field);
        body.extend(text.as_bytes());
        body.push(0);
    }
    body.push(0);
    let mut message = vec![b'E'];
    message.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    message.extend(body);
    message
}
