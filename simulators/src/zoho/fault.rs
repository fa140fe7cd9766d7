//! What can go wrong in an org.

use crate::wire::fault::{Spec, Trouble};
use crate::wire::{self, Delivery, Reply};
use crate::zoho::refusal::{
    Refusal, internal, invalid_module, invalid_token, no_permission, scope_mismatch, too_many, used_up,
};

/// A fault, and the calls that it hits.
pub type Fault = wire::Fault<FaultKind>;

pub(crate) type Armed = wire::fault::Armed<FaultKind>;
pub(crate) type Strikes = wire::fault::Strikes<FaultKind>;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// That status with an HTML page.
    Html(u16),
    /// That status with an empty body.
    Empty(u16),
    /// 500 `INTERNAL_ERROR`.
    Internal,
    /// 429 `TOO_MANY_REQUESTS`.
    Busy,
    /// 429: the credits of the day are used up, whatever was counted.
    UsedUp,
    /// The error of that code.
    Code(String),
    /// The token endpoint answers with that error, and status 200.
    Token(String),
    /// All access tokens expire before the call; a refresh helps.
    Expired,
    /// All access tokens expire before the call, and the grant is withdrawn.
    Revoked,
    /// The body ends after that many bytes: chunked, without the last chunk.
    CutChunked(usize),
    /// The body ends after that many bytes, and its length was announced as whole.
    CutLength(usize),
    /// The body ends after that many bytes, and the transfer is complete: cut JSON, or a cut ZIP file.
    CutShort(usize),
    /// The connection ends without an answer, before anything was done.
    Reset,
    /// The connection ends without an answer, after everything was done.
    Drop,
    /// The page of records that was sent last from that path comes again.
    Repeat,
    /// The page lacks that many of its last records, as if they did not exist.
    Lose(usize),
    /// Pages hold no more records than that.
    Short(u64),
    /// A bulk read job that is made or polled ends in `FAILURE`.
    JobFails,
    /// A bulk read job that is made or polled never gets on.
    JobSticks,
    /// The last row of a job's file lacks its last cell; the archive around it is sound.
    Ragged,
    /// The answer comes after that many milliseconds.
    Slow(u64),
    /// The answer waits until the gate is opened ([`Stall::open`](crate::zoho::Stall::open) or `POST /_sim/open`).
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
pub(crate) fn refusal(kind: &FaultKind) -> Option<Refusal> {
    match kind {
        FaultKind::Internal => Some(internal()),
        FaultKind::Busy => Some(too_many()),
        FaultKind::UsedUp => Some(used_up("TOO_MANY_REQUESTS")),
        FaultKind::Code(code) => Some(of_code(code)),
        _ => None,
    }
}

fn of_code(code: &str) -> Refusal {
    let known = [internal(), too_many(), invalid_token(), scope_mismatch(), no_permission(), invalid_module()];
    known
        .into_iter()
        .find(|refusal| refusal.code == code)
        .unwrap_or_else(|| Refusal::new(400, code, "the request could not be answered"))
}

fn title(status: u16) -> &'static str {
    match status {
        200 => "Welcome to the proxy",
        502 => "502 Bad Gateway",
        503 => "503 Service Unavailable",
        504 => "504 Gateway Time-out",
        _ => "Error",
    }
}

/// Reads a fault from a command line: `KIND[=ARGUMENT][@PATTERN][#CALLS]`.
///
/// - KIND: `html=STATUS`, `empty=STATUS`, `internal` (500), `busy` (429), `used-up` (429), `code=CODE`,
///   `token=ERROR` (200, at the token endpoint), `expired`, `revoked`, `cut-chunked=BYTES`, `cut-length=BYTES`,
///   `cut-json=BYTES`, `reset`, `drop`, `repeat`, `lose=RECORDS`, `short=RECORDS`, `job-fails`, `job-sticks`,
///   `ragged`, `slow=MILLISECONDS`, `stall`, or a status alone (`429`: busy; `500`: internal; `502`, `503`, `504`: HTML).
/// - PATTERN: text that `METHOD path?parameters` must contain, with `*` for any text; without one, `/crm/`, for `token`
///   `/oauth/v2/token`.
/// - CALLS: `3` the third matching call, `3-5` the third to the fifth, `3+` all from the third on; without it,
///   the first.
///
/// # Errors
///
/// A sentence that says what was not understood.
pub fn parse_fault(text: &str) -> Result<Fault, String> {
    let spec = Spec::parse(text)?;
    let kind = match spec.name {
        "html" => FaultKind::Html(spec.status()?),
        "502" => FaultKind::Html(502),
        "503" => FaultKind::Html(503),
        "504" => FaultKind::Html(504),
        "empty" => FaultKind::Empty(spec.status()?),
        "internal" | "500" => FaultKind::Internal,
        "busy" | "429" => FaultKind::Busy,
        "used-up" => FaultKind::UsedUp,
        "code" => FaultKind::Code(spec.text()?.to_owned()),
        "token" => return Ok(spec.fault(FaultKind::Token(spec.text()?.to_owned()), "/oauth/v2/token")),
        "expired" => FaultKind::Expired,
        "revoked" => FaultKind::Revoked,
        "cut-chunked" => FaultKind::CutChunked(spec.size()?),
        "cut-length" => FaultKind::CutLength(spec.size()?),
        "cut-json" => FaultKind::CutShort(spec.size()?),
        "reset" => FaultKind::Reset,
        "drop" => FaultKind::Drop,
        "repeat" => FaultKind::Repeat,
        "lose" => FaultKind::Lose(spec.size()?),
        "short" => FaultKind::Short(spec.needed()?.max(1)),
        "job-fails" => FaultKind::JobFails,
        "job-sticks" => FaultKind::JobSticks,
        "ragged" => FaultKind::Ragged,
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
        let fault = parse_fault("token=Access Denied#2+").unwrap();
        assert_eq!(fault.kind, FaultKind::Token("Access Denied".to_owned()));
        assert_eq!((fault.pattern.as_str(), fault.after, fault.times), ("/oauth/v2/token", 1, u64::MAX));
        assert_eq!(parse_fault("503").unwrap(), Fault::once(FaultKind::Html(503), "/crm/"));
        assert_eq!(parse_fault("explode"), Err("there is no fault `explode`".to_owned()));
    }
}
