//! What can go wrong in an org.

use crate::salesforce::reply;
use crate::wire::fault::{Spec, Trouble};
use crate::wire::{self, Delivery, Reply};

/// A fault, and the calls that it hits.
pub type Fault = wire::Fault<FaultKind>;

pub(crate) type Armed = wire::fault::Armed<FaultKind>;
pub(crate) type Strikes = wire::fault::Strikes<FaultKind>;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The session ends before the call: 401 `INVALID_SESSION_ID`; a new token helps.
    Expired,
    /// 401 that a new token does not cure.
    Forbidden,
    /// The administrator withdraws the app: sessions end, and no new token is given.
    Revoked,
    /// 403 `REQUEST_LIMIT_EXCEEDED`, the day's allowance.
    DailyLimit,
    /// 403 `REQUEST_LIMIT_EXCEEDED`, too many at once.
    ConcurrentLimit,
    /// That status with an empty body (406, 420, 429, …).
    Empty(u16),
    /// That status with an HTML page (502, 503, 504; 200 for a proxy's greeting).
    Html(u16),
    /// 500 `UNKNOWN_EXCEPTION`.
    Unknown,
    /// 503 `SERVER_UNAVAILABLE`.
    Unavailable,
    /// 400 `QUERY_TIMEOUT`; only for queries with more rows than that.
    Timeout(u64),
    /// The body ends after that many bytes: chunked, without the last chunk.
    CutChunked(usize),
    /// The body ends after that many bytes, and its length was announced as whole.
    CutLength(usize),
    /// The body ends after that many bytes, and the transfer is complete: cut JSON.
    CutJson(usize),
    /// The connection ends without an answer.
    Reset,
    /// A page comes twice: it names itself as the next page, once.
    Repeat,
    /// Pages of at most that many records.
    Short(usize),
    /// A page lacks that many of its records, as if they did not exist; `totalSize` still counts them.
    Lose(usize),
    /// All is done, but the connection ends without an answer.
    Drop,
    /// A locator is refused: 400 `INVALID_QUERY_LOCATOR`.
    StaleLocator,
    /// A page of a bulk result comes without `Sforce-Locator`.
    NoLocator,
    /// A bulk job, or a page of its result, announces that many records more than there are.
    Phantoms(u64),
    /// A bulk job fails with that message; one that is struck while it is made fails when it would be done. An empty
    /// message is not sent.
    JobFails(String),
    /// A bulk job never gets on from where it is; it can be aborted.
    JobSticks,
    /// The answer waits until the gate is opened ([`Stall::open`](crate::salesforce::Stall::open) or `POST /_sim/open`).
    Stall,
}

impl Trouble for FaultKind {
    fn stalls(&self) -> bool {
        *self == FaultKind::Stall
    }
}

/// Why bulk jobs fail when nothing else is said.
const FAILURE: &str =
    "InvalidBatch : Failed to process query: QUERY_TIMEOUT: Your query request was running for too long.";

/// The answer that comes instead of the org's own; `None` for faults that do not replace it.
pub(crate) fn instead(kind: &FaultKind) -> Option<Reply> {
    Some(match kind {
        FaultKind::Forbidden => {
            reply::error(401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API")
        }
        FaultKind::DailyLimit => reply::error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
        FaultKind::ConcurrentLimit => {
            reply::error(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
        }
        FaultKind::Empty(status) => Reply::empty(*status),
        FaultKind::Html(status) => Reply::html(*status, html_title(*status)),
        FaultKind::Unknown => reply::error(
            500,
            "UNKNOWN_EXCEPTION",
            "An unexpected error occurred. Please include this ErrorId if you contact support: 1234567890-12345 (-1234567890)",
        ),
        FaultKind::Unavailable => {
            reply::error(503, "SERVER_UNAVAILABLE", "The server is currently unable to handle the request.")
        }
        FaultKind::Reset => Reply { delivery: Delivery::Reset, ..Reply::default() },
        _ => return None,
    })
}

fn html_title(status: u16) -> &'static str {
    match status {
        200 => "Welcome to the proxy",
        502 => "502 Bad Gateway",
        503 => "Down for Maintenance",
        504 => "504 Gateway Time-out",
        _ => "Error",
    }
}

/// Reads a fault from a command line: `KIND[=NUMBER][@PATTERN][#CALLS]`.
///
/// - KIND: `expired`, `forbidden`, `revoked`, `daily-limit`, `concurrent-limit`, `empty=STATUS`, `html=STATUS`,
///   `unknown` (500), `unavailable` (503), `timeout[=ROWS]`, `cut-chunked=BYTES`, `cut-length=BYTES`,
///   `cut-json=BYTES`, `reset`, `drop`, `repeat`, `short=RECORDS`, `lose=RECORDS`, `stale-locator`, `no-locator`,
///   `phantoms=RECORDS`, `job-fails[=MESSAGE]` (`job-fails=` without a message), `job-sticks`, `stall`, or a status alone
///   (`406`, `420`, `429`: empty; `500`: unknown; `502`, `503`, `504`: HTML).
/// - PATTERN: text that `METHOD path?query` must contain, with `*` for any text; without one, `/services/data`.
/// - CALLS: `3` the third matching call, `3-5` the third to the fifth, `3+` all from the third on; without it,
///   the first.
///
/// # Errors
///
/// A sentence that says what was not understood.
pub fn parse_fault(text: &str) -> Result<Fault, String> {
    let spec = Spec::parse(text)?;
    let kind = match spec.name {
        "expired" => FaultKind::Expired,
        "forbidden" => FaultKind::Forbidden,
        "revoked" => FaultKind::Revoked,
        "daily-limit" => FaultKind::DailyLimit,
        "concurrent-limit" => FaultKind::ConcurrentLimit,
        "empty" => FaultKind::Empty(spec.status()?),
        "html" => FaultKind::Html(spec.status()?),
        "unknown" | "500" => FaultKind::Unknown,
        "unavailable" => FaultKind::Unavailable,
        "timeout" => FaultKind::Timeout(spec.number()?.unwrap_or(0)),
        "cut-chunked" => FaultKind::CutChunked(spec.size()?),
        "cut-length" => FaultKind::CutLength(spec.size()?),
        "cut-json" => FaultKind::CutJson(spec.size()?),
        "reset" => FaultKind::Reset,
        "repeat" => FaultKind::Repeat,
        "short" => FaultKind::Short(spec.size()?.max(1)),
        "lose" => FaultKind::Lose(spec.size()?),
        "drop" => FaultKind::Drop,
        "stale-locator" => FaultKind::StaleLocator,
        "no-locator" => FaultKind::NoLocator,
        "phantoms" => FaultKind::Phantoms(spec.needed()?),
        "job-fails" => FaultKind::JobFails(spec.text().unwrap_or(FAILURE).to_owned()),
        "job-sticks" => FaultKind::JobSticks,
        "stall" => FaultKind::Stall,
        "406" => FaultKind::Empty(406),
        "420" => FaultKind::Empty(420),
        "429" => FaultKind::Empty(429),
        "502" => FaultKind::Html(502),
        "503" => FaultKind::Html(503),
        "504" => FaultKind::Html(504),
        name => return Err(format!("there is no fault `{name}`")),
    };
    Ok(spec.fault(kind, "/services/data"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_from_a_command_line() {
        let fault = parse_fault("cut-length=1000@/query*FROM Account#2-3").unwrap();
        assert_eq!(fault.kind, FaultKind::CutLength(1_000));
        assert_eq!(fault.pattern, "/query*FROM Account");
        assert_eq!((fault.after, fault.times), (1, 2));
        assert_eq!(parse_fault("503#2+").unwrap().times, u64::MAX);
        assert_eq!(parse_fault("expired").unwrap(), Fault::once(FaultKind::Expired, "/services/data"));
    }

    #[test]
    fn a_bad_fault_says_what_is_bad() {
        assert_eq!(parse_fault("explode"), Err("there is no fault `explode`".to_owned()));
        assert_eq!(parse_fault("html=abc"), Err("`abc` in fault `html=abc` is no number".to_owned()));
        assert_eq!(parse_fault("short"), Err("fault `short` needs a number, like `short=200`".to_owned()));
        assert_eq!(parse_fault("html=9"), Err("`9` in fault `html=9` is no HTTP status".to_owned()));
        assert!(parse_fault("reset#0").is_err());
        assert!(parse_fault("reset#3-2").is_err());
    }
}
