//! Faults on order: which call fails, and how.

use std::sync::Arc;

use tokio::sync::watch;

use crate::salesforce::reply::{Delivery, Reply};

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
    /// The answer waits until the gate is opened ([`Stall::open`] or `POST /_sim/open`).
    Stall,
}

/// A fault, and the calls that it hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// A text that the call's `METHOD path?decoded query` must contain; `*` stands for any text, empty matches all.
    pub pattern: String,
    /// How many matching calls pass before it strikes.
    pub after: u64,
    /// How many matching calls it hits.
    pub times: u64,
}

impl Fault {
    /// A fault that hits the next call that matches.
    pub fn once(kind: FaultKind, pattern: &str) -> Self {
        Fault { kind, pattern: pattern.to_owned(), after: 0, times: 1 }
    }

    /// A fault that hits every call that matches.
    pub fn always(kind: FaultKind, pattern: &str) -> Self {
        Fault { times: u64::MAX, ..Fault::once(kind, pattern) }
    }

    /// The same, but only from the `nth` (first: 1) matching call on.
    pub fn from_call(self, nth: u64) -> Self {
        Fault { after: nth.saturating_sub(1), ..self }
    }

    /// The same, for that many matching calls.
    pub fn times(self, times: u64) -> Self {
        Fault { times, ..self }
    }
}

/// The gate of a [`FaultKind::Stall`].
#[derive(Debug, Clone)]
pub struct Stall {
    arrived: Arc<watch::Sender<u64>>,
    opened: Arc<watch::Sender<bool>>,
}

impl Stall {
    fn new() -> Self {
        Stall { arrived: Arc::new(watch::Sender::new(0)), opened: Arc::new(watch::Sender::new(false)) }
    }

    /// Waits until a call stands at the gate.
    pub async fn reached(&self) {
        let _ = self.arrived.subscribe().wait_for(|&arrived| arrived > 0).await;
    }

    /// Lets all calls through, those that wait and those to come.
    pub fn open(&self) {
        self.opened.send_replace(true);
    }

    pub(crate) async fn pass(&self) {
        self.arrived.send_modify(|arrived| *arrived += 1);
        let _ = self.opened.subscribe().wait_for(|&opened| opened).await;
    }
}

/// A fault that waits for its calls.
#[derive(Debug)]
pub(crate) struct Armed {
    fault: Fault,
    seen: u64,
    pub(crate) stall: Option<Stall>,
}

impl Armed {
    pub(crate) fn new(fault: Fault) -> Self {
        let stall = (fault.kind == FaultKind::Stall).then(Stall::new);
        Armed { fault, seen: 0, stall }
    }

    /// Whether it is through with all its calls.
    pub(crate) fn is_spent(&self) -> bool {
        self.seen >= self.fault.after.saturating_add(self.fault.times)
    }
}

/// What strikes a call: at most one fault of each sort.
#[derive(Debug, Default)]
pub(crate) struct Strikes {
    pub(crate) kinds: Vec<FaultKind>,
    pub(crate) stall: Option<Stall>,
}

/// Counts the call at every armed fault and returns those that strike it.
pub(crate) fn strike(faults: &mut Vec<Armed>, call: &str) -> Strikes {
    let mut strikes = Strikes::default();
    for armed in faults.iter_mut().filter(|armed| matches(call, &armed.fault.pattern)) {
        armed.seen += 1;
        if armed.seen > armed.fault.after && armed.seen <= armed.fault.after.saturating_add(armed.fault.times) {
            strikes.kinds.push(armed.fault.kind.clone());
            strikes.stall = armed.stall.clone().or(strikes.stall);
        }
    }
    faults.retain(|armed| !armed.is_spent() || armed.stall.is_some());
    strikes
}

fn matches(call: &str, pattern: &str) -> bool {
    let mut rest = call;
    pattern.split('*').all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    })
}

/// The answer that comes instead of the org's own; `None` for faults that do not replace it.
pub(crate) fn instead(kind: &FaultKind) -> Option<Reply> {
    Some(match kind {
        FaultKind::Forbidden => {
            Reply::error(401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API")
        }
        FaultKind::DailyLimit => Reply::error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
        FaultKind::ConcurrentLimit => {
            Reply::error(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
        }
        FaultKind::Empty(status) => Reply::empty(*status),
        FaultKind::Html(status) => Reply::html(*status, html_title(*status)),
        FaultKind::Unknown => Reply::error(
            500,
            "UNKNOWN_EXCEPTION",
            "An unexpected error occurred. Please include this ErrorId if you contact support: 1234567890-12345 (-1234567890)",
        ),
        FaultKind::Unavailable => {
            Reply::error(503, "SERVER_UNAVAILABLE", "The server is currently unable to handle the request.")
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
///   `cut-json=BYTES`, `reset`, `repeat`, `short=RECORDS`, `lose=RECORDS`, `stall`, or a status alone
///   (`406`, `420`, `429`: empty; `500`: unknown; `502`, `503`, `504`: HTML).
/// - PATTERN: text that `METHOD path?query` must contain, with `*` for any text; without one, `/services/data`.
/// - CALLS: `3` the third matching call, `3-5` the third to the fifth, `3+` all from the third on; without it,
///   the first.
///
/// # Errors
///
/// A sentence that says what was not understood.
pub fn parse_fault(spec: &str) -> Result<Fault, String> {
    let (rest, calls) = match spec.rsplit_once('#') {
        Some((rest, calls)) => (rest, calls),
        None => (spec, "1"),
    };
    let (kind, pattern) = rest.split_once('@').unwrap_or((rest, "/services/data"));
    let (name, number) = match kind.split_once('=') {
        Some((name, number)) => {
            (name, Some(number.parse::<u64>().map_err(|_| format!("`{number}` in fault `{spec}` is no number"))?))
        }
        None => (kind, None),
    };
    let (after, times) =
        parse_calls(calls).ok_or_else(|| format!("`{calls}` in fault `{spec}` is not like 3, 3-5 or 3+"))?;
    let needed = || number.ok_or_else(|| format!("fault `{name}` needs a number, like `{name}=200`"));
    let size = || needed().map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    let status = || needed().and_then(|number| parse_status(number, spec));
    let kind = match name {
        "expired" => FaultKind::Expired,
        "forbidden" => FaultKind::Forbidden,
        "revoked" => FaultKind::Revoked,
        "daily-limit" => FaultKind::DailyLimit,
        "concurrent-limit" => FaultKind::ConcurrentLimit,
        "empty" => FaultKind::Empty(status()?),
        "html" => FaultKind::Html(status()?),
        "unknown" | "500" => FaultKind::Unknown,
        "unavailable" => FaultKind::Unavailable,
        "timeout" => FaultKind::Timeout(number.unwrap_or(0)),
        "cut-chunked" => FaultKind::CutChunked(size()?),
        "cut-length" => FaultKind::CutLength(size()?),
        "cut-json" => FaultKind::CutJson(size()?),
        "reset" => FaultKind::Reset,
        "repeat" => FaultKind::Repeat,
        "short" => FaultKind::Short(size()?.max(1)),
        "lose" => FaultKind::Lose(size()?),
        "stall" => FaultKind::Stall,
        "406" => FaultKind::Empty(406),
        "420" => FaultKind::Empty(420),
        "429" => FaultKind::Empty(429),
        "502" => FaultKind::Html(502),
        "503" => FaultKind::Html(503),
        "504" => FaultKind::Html(504),
        _ => return Err(format!("there is no fault `{name}`")),
    };
    Ok(Fault { kind, pattern: pattern.to_owned(), after, times })
}

fn parse_status(number: u64, spec: &str) -> Result<u16, String> {
    u16::try_from(number)
        .ok()
        .filter(|status| (200..=599).contains(status))
        .ok_or_else(|| format!("`{number}` in fault `{spec}` is no HTTP status"))
}

fn parse_calls(calls: &str) -> Option<(u64, u64)> {
    let nth = |text: &str| text.parse::<u64>().ok().filter(|&nth| nth > 0);
    if let Some(first) = calls.strip_suffix('+') {
        return Some((nth(first)? - 1, u64::MAX));
    }
    match calls.split_once('-') {
        Some((first, last)) => {
            let (first, last) = (nth(first)?, nth(last)?);
            Some((first - 1, last.checked_sub(first)? + 1))
        }
        None => Some((nth(calls)? - 1, 1)),
    }
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

    #[test]
    fn patterns_match_pieces_in_order() {
        assert!(matches("GET /a/query?q=SELECT Id FROM Account", "/query*FROM Account"));
        assert!(!matches("GET /a/query?q=SELECT Id FROM Account", "FROM Account*/query"));
        assert!(matches("GET /a", ""));
    }

    #[test]
    fn a_fault_strikes_only_its_calls() {
        let mut faults = vec![Armed::new(Fault::once(FaultKind::Reset, "/q").from_call(2).times(2))];
        let struck: Vec<bool> = (0..5).map(|_| !strike(&mut faults, "GET /q").kinds.is_empty()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
    }
}
