//! What can go wrong in the core systems.

use crate::core::refusal::Refusal;
use crate::wire::fault::{Spec, Trouble};
use crate::wire::{self, Delivery, Reply};

/// A fault, and the calls that it hits.
pub type Fault = wire::Fault<FaultKind>;

pub(crate) type Armed = wire::fault::Armed<FaultKind>;
pub(crate) type Strikes = wire::fault::Strikes<FaultKind>;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// All access tokens of the accounting API end before the call; other APIs refuse the call with 401.
    Expired,
    /// The API lets nobody in any more, until [`Core::consent`](crate::core::Core::consent).
    Revoked,
    /// That status with the API's error in JSON.
    Status(u16),
    /// The API's error in JSON, with status 200.
    SilentError,
    /// 429, with that `Retry-After`.
    Busy(Option<u64>),
    /// That status with an HTML page (502, 504; 200 for a proxy's greeting).
    Html(u16),
    /// That status with an empty body.
    Empty(u16),
    /// The body ends after that many bytes: chunked, without the last chunk.
    CutChunked(usize),
    /// The body ends after that many bytes, and its length was announced as whole.
    CutLength(usize),
    /// The body ends after that many bytes, and the transfer is complete: cut JSON.
    CutJson(usize),
    /// The connection ends without an answer, before anything was done.
    Reset,
    /// The connection ends without an answer, after everything was done.
    Drop,
    /// The page that was sent last from that path comes again.
    Repeat,
    /// The page lacks that many of its last records, as if they did not exist; totals count them.
    Lose(usize),
    /// The next page that a page names is one that was sent: 1 the page itself, 2 the one before it.
    Loop(u64),
    /// The parameter (or member of a search's body) of that name is not looked at.
    Ignore(String),
    /// The list of the page is under another name.
    Reshape,
    /// The answer comes after that many milliseconds.
    Slow(u64),
    /// The answer waits until the gate is opened ([`Stall::open`](crate::core::Stall::open) or `POST /_sim/open`).
    Stall,
}

impl Trouble for FaultKind {
    fn stalls(&self) -> bool {
        *self == FaultKind::Stall
    }
}

/// The answer that something in front of the API gives instead of it.
pub(crate) fn edge(kind: &FaultKind) -> Option<Reply> {
    Some(match kind {
        FaultKind::Html(status) => Reply::html(*status, title(*status)),
        FaultKind::Empty(status) => Reply::empty(*status),
        FaultKind::Reset => Reply { delivery: Delivery::Reset, ..Reply::default() },
        _ => return None,
    })
}

/// The error that the API gives instead of its answer, and whether with status 200.
pub(crate) fn refusal(kind: &FaultKind) -> Option<(Refusal, bool)> {
    Some(match kind {
        FaultKind::Status(status) => (Refusal::of_status(*status), false),
        FaultKind::SilentError => (Refusal::of_status(500), true),
        FaultKind::Busy(secs) => (Refusal::too_many(*secs), false),
        _ => return None,
    })
}

fn title(status: u16) -> &'static str {
    match status {
        200 => "Welcome to the proxy",
        500 => "500 Internal Server Error",
        502 => "502 Bad Gateway",
        503 => "503 Service Temporarily Unavailable",
        504 => "504 Gateway Time-out",
        _ => "Error",
    }
}

/// Reads a fault from a command line: `KIND[=ARGUMENT][@PATTERN][#CALLS]`.
///
/// - KIND: `expired`, `revoked`, `error-200`, `busy[=RETRY_AFTER]` (429), `html=STATUS`, `empty=STATUS`,
///   `cut-chunked=BYTES`, `cut-length=BYTES`, `cut-json=BYTES`, `reset`, `drop`, `repeat`, `lose=RECORDS`,
///   `loop[=1|2]`, `ignore=PARAMETER`, `reshape`, `slow=MILLISECONDS`, `stall`, or a status alone (`502`, `503`, `504`:
///   HTML; others from 400 on: the API's error).
/// - PATTERN: text that `METHOD path?parameters` must contain, with `*` for any text; without one, any call.
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
        "revoked" => FaultKind::Revoked,
        "error-200" => FaultKind::SilentError,
        "busy" | "429" => FaultKind::Busy(spec.number()?),
        "html" => FaultKind::Html(spec.status()?),
        "empty" => FaultKind::Empty(spec.status()?),
        "502" => FaultKind::Html(502),
        "503" => FaultKind::Html(503),
        "504" => FaultKind::Html(504),
        "cut-chunked" => FaultKind::CutChunked(spec.size()?),
        "cut-length" => FaultKind::CutLength(spec.size()?),
        "cut-json" => FaultKind::CutJson(spec.size()?),
        "reset" => FaultKind::Reset,
        "drop" => FaultKind::Drop,
        "repeat" => FaultKind::Repeat,
        "lose" => FaultKind::Lose(spec.size()?),
        "loop" => FaultKind::Loop(spec.number()?.unwrap_or(1)),
        "ignore" => FaultKind::Ignore(spec.text()?.to_owned()),
        "reshape" => FaultKind::Reshape,
        "slow" => FaultKind::Slow(spec.needed()?),
        "stall" => FaultKind::Stall,
        name => match name.parse() {
            Ok(status @ 400..=599) => FaultKind::Status(status),
            _ => return Err(format!("there is no fault `{name}`")),
        },
    };
    if let FaultKind::Loop(far @ (0 | 3..)) = kind {
        return Err(format!("`loop={far}` is neither `loop=1` nor `loop=2`"));
    }
    Ok(spec.fault(kind, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_from_a_command_line() {
        let fault = parse_fault("ignore=offset@/invoices?*limit=50#2+").unwrap();
        assert_eq!(fault.kind, FaultKind::Ignore("offset".to_owned()));
        assert_eq!((fault.pattern.as_str(), fault.after, fault.times), ("/invoices?*limit=50", 1, u64::MAX));
        assert_eq!(parse_fault("403").unwrap(), Fault::once(FaultKind::Status(403), ""));
        assert_eq!(parse_fault("503@/plans").unwrap(), Fault::once(FaultKind::Html(503), "/plans"));
        assert_eq!(parse_fault("busy=7").unwrap().kind, FaultKind::Busy(Some(7)));
        assert_eq!(parse_fault("explode"), Err("there is no fault `explode`".to_owned()));
        assert_eq!(parse_fault("302"), Err("there is no fault `302`".to_owned()));
        assert_eq!(parse_fault("loop=3"), Err("`loop=3` is neither `loop=1` nor `loop=2`".to_owned()));
    }
}
