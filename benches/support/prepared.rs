//! Serves answers that lie ready as bytes, so that what is measured is the client.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// An outside system whose answers were rendered before the clock starts.
pub(crate) trait Prepared: Send + Sync + 'static {
    /// The answer to a request: header lines of its own, each ended by `\r\n`, and the body.
    fn answer(&self, path: &str, body: &[u8]) -> (String, Cow<'_, [u8]>);

    /// The mean size of a record on the wire, in bytes.
    fn record_bytes(&self) -> usize;
}

/// Answers every connection of `listener`, each on a thread of its own, until the process ends.
pub(crate) fn serve(system: Box<dyn Prepared>, listener: &TcpListener) {
    let system: Arc<dyn Prepared> = Arc::from(system);
    for connection in listener.incoming().flatten() {
        let system = Arc::clone(&system);
        // A connection that ends is the client's business.
        std::thread::spawn(move || answer_all(system.as_ref(), connection));
    }
}

fn answer_all(system: &dyn Prepared, connection: TcpStream) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut requests = BufReader::new(connection.try_clone()?);
    let mut answers = connection;
    let mut line = String::new();
    loop {
        line.clear();
        if requests.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut body_bytes = 0;
        loop {
            line.clear();
            requests.read_line(&mut line)?;
            let header = line.trim_end();
            if header.is_empty() {
                break;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                body_bytes = value.trim().parse().unwrap_or(0);
            }
        }
        let mut asked = Vec::new();
        requests.by_ref().take(body_bytes).read_to_end(&mut asked)?;
        let (headers, body) = system.answer(&path, &asked);
        let head = format!(
            "HTTP/1.1 200 OK\r\nDate: Sat, 31 Oct 2026 15:00:00 GMT\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        answers.write_all(head.as_bytes())?;
        answers.write_all(&body)?;
    }
}

/// Numbers that look random and are always the same.
pub(crate) fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
