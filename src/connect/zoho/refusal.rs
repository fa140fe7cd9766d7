//! What Zoho means when it refuses.
//!
//! Judged by status and code; where a code has two meanings, by the words of the message. Edges answer with web pages
//! or with nothing. Messages may quote values, so they are not kept.

use serde_json::Value;

use super::model::ErrorBody;
use crate::connect::http::{Answer, Verdict, retry_after, unexpected};
use crate::error::{Error, ErrorKind};

/// A refusal after which the caller can perhaps go on in another way.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Zoho's word for it.
    pub(super) code: String,
    /// The column or parameter that it is about, if it says so.
    pub(super) subject: Option<String>,
    error: Error,
}

impl Refusal {
    /// A refusal in a word of our own.
    pub(super) fn new(code: &str, error: Error) -> Refusal {
        Refusal { code: code.to_owned(), subject: None, error }
    }

    /// The error where there is no other way to go on.
    pub(super) fn into_error(self) -> Error {
        self.error
    }

    /// Whether the token may not use this interface at all.
    pub(super) fn is_scope(&self) -> bool {
        self.code == "OAUTH_SCOPE_MISMATCH"
    }

    /// Whether the user may not read this module, or it is none that can be read.
    pub(super) fn is_closed_module(&self) -> bool {
        matches!(self.code.as_str(), "INVALID_MODULE" | "NO_PERMISSION" | "NOT_SUPPORTED") || self.is_scope()
    }

    /// The column that this interface cannot give.
    pub(super) fn column(&self) -> Option<&str> {
        let is_column = matches!(self.code.as_str(), "INVALID_QUERY" | "FIELD_NOT_SUPPORTED" | "FIELD_NOT_AVAILABLE");
        self.subject.as_deref().filter(|_| is_column)
    }

    /// Whether the place in a list is no longer known.
    pub(super) fn is_place_gone(&self) -> bool {
        matches!(self.code.as_str(), "EXPIRED_VALUE" | "TOKEN_BOUND_DATA_MISMATCH")
            || (self.code == "INVALID_DATA" && self.subject.as_deref() == Some("page_token"))
    }

    /// Whether a list ends before its records do.
    pub(super) fn is_list_end(&self) -> bool {
        matches!(self.code.as_str(), "PAGINATION_LIMIT_EXCEEDED" | "DISCRETE_PAGINATION_LIMIT_EXCEEDED")
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
    let Some(body) = serde_json::from_slice::<ErrorBody>(&answer.body).ok().filter(|body| !body.code.is_empty()) else {
        return Outcome::Verdict(unexpected(answer));
    };
    let error = |kind, message: &str, help: &str| {
        Error::new(kind, message).with("status", status).with("code", &body.code).help(help)
    };
    let verdict = Outcome::Verdict;
    match (status, body.code.as_str()) {
        (401, "OAUTH_SCOPE_MISMATCH") => refused(
            &body,
            error(
                ErrorKind::Permission,
                "the token lacks a scope",
                "give the client the scopes that docs/connectors/zoho.md lists, and a new refresh token with them",
            ),
        ),
        (401, _) => verdict(Verdict::Renew(error(
            ErrorKind::Auth,
            "Zoho refused the access token, also after a new one",
            "check that `accounts_url` is that of the org's data centre, then allow the client again and put the new \
             refresh token where `auth.refresh_token` points",
        ))),
        (429, code) => verdict(throttled(answer, code, &body, &error)),
        (500..=599, _) => verdict(unexpected(answer)),
        (_, "INVALID_MODULE") => refused(
            &body,
            error(
                ErrorKind::NotFound,
                "Zoho has no such module, or does not let it be read",
                "check the name in `streams`; `nenrin discover` lists those there are",
            ),
        ),
        (403, _) => refused(
            &body,
            error(
                ErrorKind::Permission,
                "the user may not read this",
                "let the user's profile read the module, or take it out of `streams`; the others are read",
            ),
        ),
        (404, "INVALID_URL_PATTERN") => verdict(Verdict::Stop(error(
            ErrorKind::Config,
            "Zoho knows no such address",
            "check `accounts_url`; if it is right, report this",
        ))),
        _ => refused(
            &body,
            error(
                ErrorKind::Rejected,
                "Zoho does not accept the request",
                "check the names in `streams`, `allow` and `subforms`; if they are right, report this",
            ),
        ),
    }
}

fn refused(body: &ErrorBody, error: Error) -> Outcome {
    let subject = ["column_name", "api_name", "param_name"]
        .into_iter()
        .find_map(|name| body.details.get(name).and_then(Value::as_str))
        .map(str::to_owned);
    let error = match &subject {
        Some(subject) => error.with("subject", subject),
        None => error,
    };
    Outcome::Refusal(Refusal { code: body.code.clone(), subject, error })
}

/// Credits and concurrency have one status, and perhaps one code: what mentions credits lasts for hours.
fn throttled(
    answer: &Answer,
    code: &str,
    body: &ErrorBody,
    error: &dyn Fn(ErrorKind, &str, &str) -> Error,
) -> Verdict<std::convert::Infallible> {
    let has_none = answer.header("x-api-credits-remaining").is_some_and(|left| left.trim() == "0");
    if code == "LIMIT_EXCEEDED" || has_none || body.message.to_ascii_lowercase().contains("credit") {
        return Verdict::Stop(error(
            ErrorKind::Quota,
            "the API credits of the org's last 24 hours are used up",
            "what was read is kept; run the sync again later",
        ));
    }
    Verdict::Again {
        error: error(
            ErrorKind::RateLimited,
            "too many requests run in the org at the same time",
            "lower `concurrency`, or run the sync when other programs do not",
        ),
        wait: retry_after(answer),
    }
}

/// Why there will be no access token, by the word of the token endpoint.
pub(super) fn sign_in_refused(word: &str, accounts: &str) -> Error {
    let (message, help) = match word {
        "invalid_client" => (
            "Zoho does not know the client",
            "check `auth.client_id`, and that `accounts_url` is the data centre where the client was made",
        ),
        "invalid_client_secret" => {
            ("the client secret is wrong", "copy it again from the API console; each data centre has another")
        }
        "invalid_code" => (
            "the refresh token is no longer valid, or belongs to another data centre",
            "allow the client again and put the new refresh token where `auth.refresh_token` points",
        ),
        _ => ("Zoho gives no access token", "check `auth` and the client in the API console"),
    };
    Error::new(ErrorKind::Auth, message).with("answer", word).with("accounts", accounts).help(help)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;
    use serde_json::json;

    use super::*;

    fn outcome(status: u16, body: &Value) -> Outcome {
        classify(&Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from(if body.is_null() { String::new() } else { body.to_string() }),
            transferred_bytes: 0,
        })
    }

    fn kind(outcome: Outcome) -> (&'static str, ErrorKind) {
        match outcome {
            Outcome::Refusal(refusal) => ("refusal", refusal.into_error().kind()),
            Outcome::Verdict(Verdict::Again { error, .. }) => ("again", error.kind()),
            Outcome::Verdict(Verdict::Renew(error)) => ("renew", error.kind()),
            Outcome::Verdict(Verdict::Stop(error)) => ("stop", error.kind()),
            Outcome::Verdict(Verdict::Accept(never)) => match never {},
        }
    }

    fn said(code: &str, message: &str, details: &Value) -> Value {
        json!({ "code": code, "details": details, "message": message, "status": "error" })
    }

    #[test]
    fn a_moment_of_too_many_requests_is_told_from_credits_that_are_used_up() {
        let busy = said("TOO_MANY_REQUESTS", "You have made too many requests. Please try again.", &json!({}));
        assert_eq!(kind(outcome(429, &busy)), ("again", ErrorKind::RateLimited));
        let used = said("TOO_MANY_REQUESTS", "Your API credits are used up.", &json!({}));
        assert_eq!(kind(outcome(429, &used)), ("stop", ErrorKind::Quota));
        assert_eq!(kind(outcome(429, &said("LIMIT_EXCEEDED", "", &json!({})))), ("stop", ErrorKind::Quota));
        assert_eq!(kind(outcome(429, &Value::Null)), ("again", ErrorKind::RateLimited));
    }

    #[test]
    fn a_refused_token_is_renewed_and_a_missing_scope_is_not() {
        assert_eq!(kind(outcome(401, &said("INVALID_TOKEN", "", &json!({})))), ("renew", ErrorKind::Auth));
        let scope = said("OAUTH_SCOPE_MISMATCH", "", &json!({}));
        assert_eq!(kind(outcome(401, &scope)), ("refusal", ErrorKind::Permission));
        assert_eq!(kind(outcome(502, &Value::Null)), ("again", ErrorKind::Unavailable));
        assert_eq!(kind(outcome(500, &said("INTERNAL_ERROR", "", &json!({})))), ("again", ErrorKind::Unavailable));
    }

    #[test]
    fn a_refusal_names_the_column_or_the_place() {
        let Outcome::Refusal(refusal) =
            outcome(400, &said("INVALID_QUERY", "data type not supported", &json!({ "column_name": "What_Id" })))
        else {
            panic!()
        };
        assert_eq!((refusal.column(), refusal.is_place_gone()), (Some("What_Id"), false));
        let Outcome::Refusal(refusal) =
            outcome(400, &said("EXPIRED_VALUE", "", &json!({ "param_name": "page_token" })))
        else {
            panic!()
        };
        assert_eq!((refusal.column(), refusal.is_place_gone()), (None, true));
    }
}
