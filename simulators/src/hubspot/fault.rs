//! What can go wrong in a portal.

use crate::hubspot::limits::{Policy, too_many};
use crate::hubspot::options::Options;
use crate::hubspot::refusal::{Refusal, expired, missing_scope, unauthenticated};
use crate::wire::fault::{Spec, Trouble};
use crate::wire::{self, Delivery, Reply};

/// A fault, and the calls that it hits.
pub type Fault = wire::Fault<FaultKind>;

pub(crate) type Armed = wire::fault::Armed<FaultKind>;
pub(crate) type Strikes = wire::fault::Strikes<FaultKind>;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// All OAuth access tokens expire before the call.
    Expired,
    /// 401 `EXPIRED_AUTHENTICATION`, whatever the token; it is good again for the next call.
    ExpiredOnce,
    /// 401 `INVALID_AUTHENTICATION`.
    Unauthenticated,
    /// 403 `MISSING_SCOPES` for that scope.
    MissingScope(String),
    /// 429, too many calls in ten seconds; with that `Retry-After`.
    TenSecondly(Option<u64>),
    /// 429, too many searches in a second; with that `Retry-After`.
    Secondly(Option<u64>),
    /// 429, the day's allowance is used up; with that `Retry-After`.
    Daily(Option<u64>),
    /// 423, a lock after heavy writes, which lasts two seconds.
    Locked,
    /// 477, the account moves to another region and is back in so many seconds.
    Moving(u64),
    /// That status with an error in JSON (500, 503, 504, …).
    Error(u16),
    /// That status with an HTML page (502, 524; 200 for a proxy's greeting).
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
    /// The page that was sent last by that path comes again.
    Repeat,
    /// The page lacks that many of its last records, as if they did not exist; `total` still counts them.
    Lose(usize),
    /// Pages of at most that many records.
    Short(usize),
    /// A page names no next one, whatever follows it.
    NoNext,
    /// A search says that there are so many more records than there are.
    Phantoms(u64),
    /// The answer comes after that many milliseconds.
    Slow(u64),
    /// The answer waits until the gate is opened ([`Stall::open`](crate::hubspot::Stall::open) or `POST /_sim/open`).
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

/// The error that the API gives instead of its answer.
pub(crate) fn refusal(kind: &FaultKind, options: &Options, now: i64) -> Option<Refusal> {
    Some(match kind {
        FaultKind::ExpiredOnce => expired(now - 75_000, now),
        FaultKind::Unauthenticated => unauthenticated(),
        FaultKind::MissingScope(scope) => missing_scope(scope),
        FaultKind::TenSecondly(secs) => too_many(options, Policy::TenSecondly, *secs),
        FaultKind::Secondly(secs) => too_many(options, Policy::Secondly, *secs),
        FaultKind::Daily(secs) => too_many(options, Policy::Daily, *secs),
        FaultKind::Locked => Refusal::new(423, "LOCKED", "The resource is locked. Try again in 2 seconds."),
        FaultKind::Moving(secs) => Refusal {
            headers: vec![("Retry-After", secs.to_string())],
            ..Refusal::new(477, "MIGRATION_IN_PROGRESS", "This account is being moved to another data center.")
        },
        FaultKind::Error(status) => {
            Refusal { status: *status, message: title(*status).to_owned(), ..Refusal::default() }
        }
        _ => return None,
    })
}

fn title(status: u16) -> &'static str {
    match status {
        200 => "Welcome to the proxy",
        414 => "414 Request-URI Too Large",
        429 => "429 Too Many Requests",
        500 => "internal error",
        502 => "502 Bad Gateway",
        503 => "503 Service Temporarily Unavailable",
        504 => "504 Gateway Time-out",
        521 => "521: Web server is down",
        522 => "522: Connection timed out",
        523 => "523: Origin is unreachable",
        524 => "524: A timeout occurred",
        525 => "525: SSL handshake failed",
        526 => "526: Invalid SSL certificate",
        _ => "Error",
    }
}

/// Reads a fault from a command line: `KIND[=ARGUMENT][@PATTERN][#CALLS]`.
///
/// - KIND: `expired`, `expired-once`, `unauthenticated`, `scope=NAME` (403), `ten-secondly[=RETRY_AFTER]`,
///   `secondly[=RETRY_AFTER]`, `daily[=RETRY_AFTER]` (429), `locked` (423), `moving=RETRY_AFTER` (477), `error=STATUS`
///   (JSON), `html=STATUS`, `empty=STATUS`, `cut-chunked=BYTES`, `cut-length=BYTES`, `cut-json=BYTES`, `reset`, `drop`,
///   `repeat`, `lose=RECORDS`, `short=RECORDS`, `no-next`, `phantoms=RECORDS`, `slow=MILLISECONDS`, `stall`; or a
///   status alone (`423`, `429`; `500`, `503`, `504`: JSON; `414`, `502`, `521` to `526`: HTML).
/// - PATTERN: text that `METHOD path?parameters` must contain, with `*` for any text; without one, `/crm/`.
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
        "expired-once" => FaultKind::ExpiredOnce,
        "unauthenticated" => FaultKind::Unauthenticated,
        "scope" => FaultKind::MissingScope(spec.text()?.to_owned()),
        "ten-secondly" | "429" => FaultKind::TenSecondly(spec.number()?),
        "secondly" => FaultKind::Secondly(spec.number()?),
        "daily" => FaultKind::Daily(spec.number()?),
        "locked" | "423" => FaultKind::Locked,
        "moving" => FaultKind::Moving(spec.needed()?),
        "error" => FaultKind::Error(spec.status()?),
        "html" => FaultKind::Html(spec.status()?),
        "empty" => FaultKind::Empty(spec.status()?),
        "500" => FaultKind::Error(500),
        "503" => FaultKind::Error(503),
        "504" => FaultKind::Error(504),
        "414" => FaultKind::Html(414),
        "502" => FaultKind::Html(502),
        "521" => FaultKind::Html(521),
        "522" => FaultKind::Html(522),
        "523" => FaultKind::Html(523),
        "524" => FaultKind::Html(524),
        "525" => FaultKind::Html(525),
        "526" => FaultKind::Html(526),
        "cut-chunked" => FaultKind::CutChunked(spec.size()?),
        "cut-length" => FaultKind::CutLength(spec.size()?),
        "cut-json" => FaultKind::CutJson(spec.size()?),
        "reset" => FaultKind::Reset,
        "drop" => FaultKind::Drop,
        "repeat" => FaultKind::Repeat,
        "lose" => FaultKind::Lose(spec.size()?),
        "short" => FaultKind::Short(spec.size()?.max(1)),
        "no-next" => FaultKind::NoNext,
        "phantoms" => FaultKind::Phantoms(spec.needed()?),
        "slow" => FaultKind::Slow(spec.needed()?),
        "stall" => FaultKind::Stall,
        name => return Err(format!("there is no fault `{name}`")),
    };
    Ok(spec.fault(kind, "/crm/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_from_a_command_line() {
        let fault = parse_fault("ten-secondly=7@POST*/search*hs_lastmodifieddate#2+").unwrap();
        assert_eq!(fault.kind, FaultKind::TenSecondly(Some(7)));
        assert_eq!(
            (fault.pattern.as_str(), fault.after, fault.times),
            ("POST*/search*hs_lastmodifieddate", 1, u64::MAX)
        );
        assert_eq!(parse_fault("429").unwrap(), Fault::once(FaultKind::TenSecondly(None), "/crm/"));
        assert_eq!(parse_fault("explode"), Err("there is no fault `explode`".to_owned()));
        assert_eq!(parse_fault("moving"), Err("fault `moving` needs a number, like `moving=200`".to_owned()));
    }
}
