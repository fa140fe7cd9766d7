//! What can go wrong in a domain.

use crate::kintone::refusal::{
    Refusal, illegal_request, locked, no_privilege, oauth, too_many_at_once, too_many_cursors, unknown_token,
    wrong_password,
};
use crate::wire::fault::{Spec, Trouble};
use crate::wire::{self, Delivery, Reply};

/// A fault, and the calls that it hits.
pub type Fault = wire::Fault<FaultKind>;

pub(crate) type Armed = wire::fault::Armed<FaultKind>;
pub(crate) type Strikes = wire::fault::Strikes<FaultKind>;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// 503, `text/plain`: the domain is in maintenance.
    Maintenance,
    /// That status with an HTML page (502, 504; 200 for a proxy's greeting).
    Html(u16),
    /// That status with an empty body.
    Empty(u16),
    /// 429 `GAIA_TO04`, too many requests at once.
    Busy,
    /// The error of that code, with the status that belongs to it.
    Code(String),
    /// The error of that code under the status 520, as it was years ago.
    Legacy(String),
    /// All OAuth access tokens expire before the call.
    Expired,
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
    /// The page of records that was sent last comes again.
    Repeat,
    /// The page lacks that many of its last records, as if they did not exist.
    Lose(usize),
    /// As [`Lose`](Self::Lose), and the answer says so in `X-Cybozu-Warning`.
    Warning(usize),
    /// The answer comes after that many milliseconds.
    Slow(u64),
    /// The answer waits until the gate is opened ([`Stall::open`](crate::kintone::Stall::open) or `POST /_sim/open`).
    Stall,
}

impl Trouble for FaultKind {
    fn stalls(&self) -> bool {
        *self == FaultKind::Stall
    }
}

/// What the warning header says.
pub(crate) const WARNING: &str = "Filter aborted because of too many search results";

/// The answer that something in front of the API gives instead of it.
pub(crate) fn edge(kind: &FaultKind) -> Option<Reply> {
    Some(match kind {
        FaultKind::Maintenance => Reply::text(503, "text/plain", "Service Unavailable"),
        FaultKind::Html(status) => Reply::html(*status, title(*status)),
        FaultKind::Empty(status) => Reply::empty(*status),
        FaultKind::Reset => Reply { delivery: Delivery::Reset, ..Reply::default() },
        _ => return None,
    })
}

/// The error that the API gives instead of its answer.
pub(crate) fn refusal(kind: &FaultKind) -> Option<Refusal> {
    match kind {
        FaultKind::Busy => Some(too_many_at_once()),
        FaultKind::Code(code) => Some(of_code(code)),
        FaultKind::Legacy(code) => Some(Refusal { status: 520, ..of_code(code) }),
        _ => None,
    }
}

fn of_code(code: &str) -> Refusal {
    let known = [
        locked(),
        no_privilege(),
        too_many_at_once(),
        too_many_cursors(),
        unknown_token(),
        wrong_password(),
        illegal_request(),
        oauth(401),
    ];
    known.into_iter().find(|refusal| refusal.code == code).unwrap_or_else(|| {
        let status = if code == "GAIA_LT01" || code.starts_with("GAIA_") { 400 } else { 500 };
        Refusal::new(status, code, "エラーが発生しました。", "An error occurred.")
    })
}

fn title(status: u16) -> &'static str {
    match status {
        200 => "Welcome to the proxy",
        502 => "502 Bad Gateway",
        504 => "504 Gateway Time-out",
        _ => "Error",
    }
}

/// Reads a fault from a command line: `KIND[=ARGUMENT][@PATTERN][#CALLS]`.
///
/// - KIND: `maintenance` (503 in plain text), `html=STATUS`, `empty=STATUS`, `busy` (429), `code=CODE`,
///   `legacy=CODE` (520), `expired`, `cut-chunked=BYTES`, `cut-length=BYTES`, `cut-json=BYTES`, `reset`, `drop`,
///   `repeat`, `lose=RECORDS`, `warning[=RECORDS]`, `slow=MILLISECONDS`, `stall`, or a status alone (`429`: busy;
///   `500`, `502`, `504`: HTML; `503`: maintenance).
/// - PATTERN: text that `METHOD path?parameters` must contain, with `*` for any text; without one, `/k/`.
/// - CALLS: `3` the third matching call, `3-5` the third to the fifth, `3+` all from the third on; without it,
///   the first.
///
/// # Errors
///
/// A sentence that says what was not understood.
pub fn parse_fault(text: &str) -> Result<Fault, String> {
    let spec = Spec::parse(text)?;
    let kind = match spec.name {
        "maintenance" | "503" => FaultKind::Maintenance,
        "html" => FaultKind::Html(spec.status()?),
        "500" => FaultKind::Html(500),
        "502" => FaultKind::Html(502),
        "504" => FaultKind::Html(504),
        "empty" => FaultKind::Empty(spec.status()?),
        "busy" | "429" => FaultKind::Busy,
        "code" => FaultKind::Code(spec.text()?.to_owned()),
        "legacy" => FaultKind::Legacy(spec.text()?.to_owned()),
        "expired" => FaultKind::Expired,
        "cut-chunked" => FaultKind::CutChunked(spec.size()?),
        "cut-length" => FaultKind::CutLength(spec.size()?),
        "cut-json" => FaultKind::CutJson(spec.size()?),
        "reset" => FaultKind::Reset,
        "drop" => FaultKind::Drop,
        "repeat" => FaultKind::Repeat,
        "lose" => FaultKind::Lose(spec.size()?),
        "warning" => FaultKind::Warning(usize::try_from(spec.number()?.unwrap_or(1)).unwrap_or(usize::MAX)),
        "slow" => FaultKind::Slow(spec.needed()?),
        "stall" => FaultKind::Stall,
        name => return Err(format!("there is no fault `{name}`")),
    };
    Ok(spec.fault(kind, "/k/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_from_a_command_line() {
        let fault = parse_fault("legacy=GAIA_DA02@/records.json*\"app\":1#2+").unwrap();
        assert_eq!(fault.kind, FaultKind::Legacy("GAIA_DA02".to_owned()));
        assert_eq!((fault.pattern.as_str(), fault.after, fault.times), ("/records.json*\"app\":1", 1, u64::MAX));
        assert_eq!(parse_fault("503").unwrap(), Fault::once(FaultKind::Maintenance, "/k/"));
        assert_eq!(parse_fault("explode"), Err("there is no fault `explode`".to_owned()));
        assert_eq!(parse_fault("slow"), Err("fault `slow` needs a number, like `slow=200`".to_owned()));
    }
}
