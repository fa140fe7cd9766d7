//! What an answer means for the request.

use std::time::Duration;

use super::answer::{Answer, parse_http_date};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};

/// What to do after an answer.
#[derive(Debug)]
pub enum Verdict<T> {
    /// It is what was asked for.
    Accept(T),
    /// Ask again after a pause of our own, but not before `wait`. The error is told when patience ends.
    Again {
        /// What went wrong this time.
        error: Error,
        /// What the source asked for.
        wait: Option<Duration>,
    },
    /// The credential was refused: renew it and ask once more.
    Renew(Error),
    /// Asking again would not help.
    Stop(Error),
}

/// The verdict on an answer whose status the connector knows nothing special about.
pub fn unexpected<T>(answer: &Answer) -> Verdict<T> {
    let status = answer.status;
    let wait = retry_after(answer);
    let form = if answer.is_html() {
        "a web page"
    } else if answer.body.is_empty() {
        "nothing"
    } else {
        "data"
    };
    let error = |kind, message: &str| Error::new(kind, message).with("status", status.as_u16()).with("body", form);
    match status.as_u16() {
        401 => Verdict::Renew(
            error(ErrorKind::Auth, "the credential was refused").help("check the credentials in the source's file"),
        ),
        403 => Verdict::Stop(
            error(ErrorKind::Permission, "the credential may not do this")
                .help("check in the service what its user or app may do"),
        ),
        404 | 410 => Verdict::Stop(
            error(ErrorKind::NotFound, "there is nothing at this address")
                .help("check the address in the source's file"),
        ),
        429 => Verdict::Again {
            error: error(ErrorKind::RateLimited, "told to slow down")
                .help("run the sync again later; what was read is kept"),
            wait,
        },
        // 406 and 420 come empty from edges that have no route yet.
        406 | 408 | 420 | 425 | 500..=599 => {
            let help = "run the sync again later; what was read is kept";
            Verdict::Again { error: error(ErrorKind::Unavailable, "the service is not available").help(help), wait }
        }
        300..=399 => Verdict::Stop(
            error(ErrorKind::Config, "the service has moved to another address")
                .help("check the address in the source's file"),
        ),
        _ if status.is_success() => {
            let error = error(ErrorKind::Unavailable, "the answer is not what was asked for").help(
                "something between here and the service answers in its place: check the proxy and the address, then run the sync again",
            );
            Verdict::Again { error, wait: None }
        }
        _ => Verdict::Stop(
            error(ErrorKind::Rejected, "the request was refused")
                .help("check the settings in the source's file; if they are right, report this"),
        ),
    }
}

/// How long the source asks us to wait (`Retry-After`): seconds, or a date read on the source's own clock.
pub fn retry_after(answer: &Answer) -> Option<Duration> {
    wait_from(answer.header("retry-after")?.trim(), answer.date())
}

fn wait_from(text: &str, date: Option<Timestamp>) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let micros = parse_http_date(text)?.micros().saturating_sub(date?.micros());
    Some(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
}

/// The error for a wait that is longer than we stay: another run may go on.
pub(super) fn too_far(error: Error, wait: Duration) -> Error {
    let kind = if error.kind() == ErrorKind::RateLimited { ErrorKind::Quota } else { error.kind() };
    Error::new(kind, "the service asks to wait longer than this run stays")
        .with("wait_secs", wait.as_secs())
        .help("run the sync again after that time; what was read is kept")
        .caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date_on_the_sources_clock() {
        let date = "2026-11-22T03:00:00Z".parse().ok();
        assert_eq!(wait_from("120", date), Some(Duration::from_secs(120)));
        assert_eq!(wait_from("Sun, 22 Nov 2026 03:00:30 GMT", date), Some(Duration::from_secs(30)));
        assert_eq!(wait_from("Sun, 22 Nov 2026 02:00:00 GMT", date), Some(Duration::ZERO));
        assert_eq!(wait_from("Sun, 22 Nov 2026 03:00:30 GMT", None), None);
        assert_eq!(wait_from("soon", date), None);
    }
}
