//! What HubSpot means when it refuses.
//!
//! Judged by status, then by category or policy; where both are missing, by the words of the message. Edges answer
//! with web pages or with nothing. Messages may quote values, so they are not kept.

use std::time::Duration;

use super::model::ErrorBody;
use crate::connect::http::{Answer, Verdict, retry_after, unexpected};
use crate::error::{Error, ErrorKind};

/// After heavy writes a record is locked for two seconds.
const LOCK_PAUSE: Duration = Duration::from_secs(2);
const SECONDLY_PAUSE: Duration = Duration::from_secs(1);
const TEN_SECONDLY_PAUSE: Duration = Duration::from_secs(10);

/// A refusal after which the caller can go on in another way.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The address is longer than HubSpot takes: ask for ids, then for the records by id.
    TooLong,
    /// The answer took longer than the edge waits: ask for fewer at a time.
    TooSlow(Error),
}

impl Refusal {
    /// The error where there is no other way to go on.
    pub(super) fn into_error(self) -> Error {
        match self {
            Refusal::TooLong => Error::new(ErrorKind::Rejected, "the request is too long for HubSpot")
                .help("read fewer properties: list those you need in `allow`"),
            Refusal::TooSlow(error) => error,
        }
    }
}

/// What to do about a refused request.
#[derive(Debug)]
pub(super) enum Outcome {
    Refusal(Refusal),
    Verdict(Verdict<std::convert::Infallible>),
}

/// Reads a refusal, whatever its form.
pub(super) fn classify(answer: &Answer) -> Outcome {
    let status = answer.status.as_u16();
    let body: ErrorBody = serde_json::from_slice(&answer.body).unwrap_or_default();
    let error = |kind, message: &str, help: &str| {
        let mut error = Error::new(kind, message).with("status", status);
        if !body.category.is_empty() {
            error = error.with("category", &body.category);
        }
        if !body.correlation_id.is_empty() {
            error = error.with("correlation_id", &body.correlation_id);
        }
        error.help(help)
    };
    let verdict = Outcome::Verdict;
    match status {
        401 => verdict(Verdict::Renew(if body.category == "EXPIRED_AUTHENTICATION" && is_age(&body.message) {
            error(ErrorKind::Auth, "the token is malformed", "copy it again from the account, whole")
        } else {
            error(
                ErrorKind::Auth,
                "HubSpot refused the token, also after a new one where there is one",
                "put a valid service key where `token` points, or allow the app again",
            )
        })),
        403 => {
            let scopes: Vec<&str> = body
                .errors
                .iter()
                .flat_map(|detail| &detail.context.required_granular_scopes)
                .map(String::as_str)
                .collect();
            let missing = error(
                ErrorKind::Permission,
                "the token may not read this",
                "add the scope to the service key or app in the account's settings; the other streams are read",
            );
            verdict(Verdict::Stop(if scopes.is_empty() { missing } else { missing.with("scopes", scopes.join(", ")) }))
        }
        404 => verdict(Verdict::Stop(error(
            ErrorKind::NotFound,
            "HubSpot has no such object",
            "check the name in `streams`; `nenrin discover` lists those there are",
        ))),
        414 | 431 => Outcome::Refusal(Refusal::TooLong),
        423 => verdict(Verdict::Again {
            error: error(ErrorKind::Unavailable, "the records are locked by heavy writes", "run the sync again later"),
            wait: Some(retry_after(answer).unwrap_or(LOCK_PAUSE)),
        }),
        429 => verdict(throttled(answer, &body, &error)),
        477 => verdict(Verdict::Again {
            error: error(
                ErrorKind::Unavailable,
                "the account is moving to another region",
                "run the sync again when it has moved: up to a day later. What was read is kept",
            ),
            // Hours, as a rule: too far to wait for.
            wait: Some(retry_after(answer).unwrap_or(Duration::from_secs(3_600))),
        }),
        524 => Outcome::Refusal(Refusal::TooSlow(error(
            ErrorKind::Unavailable,
            "HubSpot needs too long for an answer",
            "run the sync again later, or lower `page_size`",
        ))),
        400 => verdict(Verdict::Stop(error(
            ErrorKind::Rejected,
            "HubSpot does not accept the request",
            "check the names in `streams`, `allow` and `history`; if they are right, report this",
        ))),
        _ => verdict(unexpected(answer)),
    }
}

fn throttled(
    answer: &Answer,
    body: &ErrorBody,
    error: &dyn Fn(ErrorKind, &str, &str) -> Error,
) -> Verdict<std::convert::Infallible> {
    let policy = body.policy_name.to_ascii_uppercase();
    let says = |word: &str| policy == word || (policy.is_empty() && body.message.to_ascii_uppercase().contains(word));
    if says("DAILY") {
        return Verdict::Stop(error(
            ErrorKind::Quota,
            "the requests that the account may make a day are used up",
            "what was read is kept; run the sync again after midnight in the account's time zone",
        ));
    }
    let own = if says("TEN_SECONDLY_ROLLING") || says("TEN_SECONDLY") { TEN_SECONDLY_PAUSE } else { SECONDLY_PAUSE };
    Verdict::Again {
        error: error(
            ErrorKind::RateLimited,
            "too many requests at a time",
            "lower `requests_per_second`, or run the sync when other programs do not",
        ),
        wait: Some(retry_after(answer).unwrap_or(own)),
    }
}

/// Whether a token is said to have expired tens of thousands of days ago: it was cut or made up.
fn is_age(message: &str) -> bool {
    message.split_whitespace().filter_map(|word| word.parse::<u64>().ok()).any(|days| days > 10_000)
        && message.contains("day(s) ago")
}

/// Why there will be no access token.
pub(super) fn sign_in_refused(status: u16, body: &ErrorBody) -> Error {
    let (message, help) = match (body.error.as_str(), body.status.as_str()) {
        (_, "BAD_CLIENT_ID" | "BAD_CLIENT_SECRET") | ("invalid_client", _) => {
            ("the app's client id or secret is wrong", "copy both from the app's settings again")
        }
        ("invalid_grant", _) | (_, "BAD_REFRESH_TOKEN") => (
            "the refresh token is no longer valid",
            "allow the app again and put the new refresh token where `oauth.refresh_token` points",
        ),
        _ => ("HubSpot refused to renew the access token", "check `oauth` and the app's settings"),
    };
    let mut error = Error::new(ErrorKind::Auth, message).with("status", status);
    for (name, value) in [("error", &body.error), ("answer", &body.status)] {
        if !value.is_empty() {
            error = error.with(name, value);
        }
    }
    error.help(help)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;
    use serde_json::{Value, json};

    use super::*;

    fn outcome(status: u16, body: Value) -> Outcome {
        classify(&Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from(if body.is_null() { String::new() } else { body.to_string() }),
            transferred_bytes: 0,
        })
    }

    fn wait(outcome: Outcome) -> (ErrorKind, u64) {
        match outcome {
            Outcome::Verdict(Verdict::Again { error, wait }) => (error.kind(), wait.unwrap().as_secs()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_form_of_429_is_understood() {
        let ten = json!({ "message": "You have reached your ten_secondly_rolling limit.", "errorType": "RATE_LIMIT",
                          "policyName": "TEN_SECONDLY_ROLLING" });
        assert_eq!(wait(outcome(429, ten)), (ErrorKind::RateLimited, 10));
        let ten = json!({ "message": "You have reached your ten_secondly_rolling limit." });
        assert_eq!(wait(outcome(429, ten)), (ErrorKind::RateLimited, 10));
        let search = json!({ "message": "You have reached your secondly limit.", "category": "RATE_LIMITS" });
        assert_eq!(wait(outcome(429, search)), (ErrorKind::RateLimited, 1));
        assert_eq!(wait(outcome(429, Value::Null)), (ErrorKind::RateLimited, 1));
        for daily in [json!({ "policyName": "DAILY" }), json!({ "message": "You have reached your daily limit." })] {
            match outcome(429, daily) {
                Outcome::Verdict(Verdict::Stop(error)) => assert_eq!(error.kind(), ErrorKind::Quota),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn locks_moves_and_edges_are_told_apart() {
        assert_eq!(wait(outcome(423, Value::Null)), (ErrorKind::Unavailable, 2));
        assert_eq!(wait(outcome(477, Value::Null)), (ErrorKind::Unavailable, 3_600));
        assert!(matches!(outcome(414, Value::Null), Outcome::Refusal(Refusal::TooLong)));
        assert!(matches!(outcome(524, Value::Null), Outcome::Refusal(Refusal::TooSlow(_))));
        assert!(matches!(outcome(502, Value::Null), Outcome::Verdict(Verdict::Again { .. })));
    }

    #[test]
    fn a_missing_scope_is_named_and_a_made_up_token_is_not_called_expired() {
        let body = json!({ "category": "MISSING_SCOPES", "message": "…",
                           "errors": [{ "context": { "requiredGranularScopes": ["crm.objects.deals.read"] } }] });
        match outcome(403, body) {
            Outcome::Verdict(Verdict::Stop(error)) => assert!(error.to_string().contains("crm.objects.deals.read")),
            other => panic!("{other:?}"),
        }
        let old = json!({ "category": "EXPIRED_AUTHENTICATION",
                          "message": "The OAuth token used to make this call expired 20401 day(s) ago." });
        match outcome(401, old) {
            Outcome::Verdict(Verdict::Renew(error)) => assert!(error.to_string().contains("malformed")),
            other => panic!("{other:?}"),
        }
    }
}
