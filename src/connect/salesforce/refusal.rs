//! What Salesforce means when it refuses.
//!
//! Errors come as an array of `{errorCode, message}`; the token endpoint sends an object, proxies send web
//! pages, edges send nothing. All are survived. Messages quote the query, so only their last line is kept.

use std::time::Duration;

use super::model::{RestError, TokenRefusal};
use crate::connect::http::{Answer, Verdict, unexpected};
use crate::error::{Error, ErrorKind};

/// Pause after "too many concurrent requests": long requests of others must end first.
const CONCURRENCY_PAUSE: Duration = Duration::from_secs(30);

/// A refusal after which the caller can go on in another way.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The place in a long result is no longer known (older than two days, or lost).
    LocatorGone,
    /// A field in the query does not exist or is hidden.
    FieldGone(Error),
    /// The query ran too long: ask for less at a time.
    TooSlow(Error),
    /// The address of the query is too long for a URL.
    TooLong,
    /// The rows cannot be had by a bulk job.
    NoBulk(Error),
    /// There is no log of deletions for the span.
    NoLog(Error),
    /// The bulk job or its result is no longer there.
    JobGone,
}

impl Refusal {
    /// The error where there is no other way to go on.
    pub(super) fn into_error(self) -> Error {
        match self {
            Refusal::FieldGone(error) | Refusal::TooSlow(error) | Refusal::NoBulk(error) | Refusal::NoLog(error) => {
                error
            }
            Refusal::JobGone => Error::new(ErrorKind::Unavailable, "Salesforce no longer has the bulk job")
                .help("run the sync again; what the job was to read is read anew"),
            Refusal::LocatorGone => Error::new(ErrorKind::Unavailable, "Salesforce forgot the place in a long result")
                .help("run the sync again; it goes on after the last row that was read"),
            Refusal::TooLong => Error::new(ErrorKind::Rejected, "the query is too long for Salesforce")
                .help("read fewer fields: list those you need in `allow`"),
        }
    }
}

/// What to do about a refused REST request.
#[derive(Debug)]
pub(super) enum Outcome {
    Refusal(Refusal),
    Verdict(Verdict<std::convert::Infallible>),
}

/// Reads a refusal, whatever its form.
pub(super) fn classify(answer: &Answer) -> Outcome {
    if matches!(answer.status.as_u16(), 414 | 431) {
        return Outcome::Refusal(Refusal::TooLong);
    }
    match first_error(&answer.body) {
        Some(found) => by_code(answer.status.as_u16(), &found),
        None => Outcome::Verdict(unexpected(answer)),
    }
}

/// Reads a refusal by its code (section 9.2 of the API notes: errors of the first entry count).
pub(super) fn by_code(status: u16, found: &RestError) -> Outcome {
    let error = |kind: ErrorKind, message: &str, help: &str| {
        Error::new(kind, message)
            .with("status", status)
            .with("code", &found.code)
            .with("answer", last_line(&found.message))
            .help(help)
    };
    let stop = |kind, message, help| Outcome::Verdict(Verdict::Stop(error(kind, message, help)));
    let again = |error| Outcome::Verdict(Verdict::Again { error, wait: None });
    match (status, found.code.as_str()) {
        // A new token does not cure these two; renewing would go on for ever.
        (401, _) if is_incurable(&found.message) => stop(
            ErrorKind::Auth,
            "the session may not use the REST API",
            "give the app the scope `api` and its user the permission `API Enabled`, then run the sync again",
        ),
        (401, _) => Outcome::Verdict(Verdict::Renew(error(
            ErrorKind::Auth,
            "Salesforce refused the access token, also after signing in again",
            "check in Setup that the app and its user are active, then run the sync again",
        ))),
        (_, "REQUEST_LIMIT_EXCEEDED") if found.message.contains("Concurrent") => Outcome::Verdict(Verdict::Again {
            error: error(
                ErrorKind::RateLimited,
                "too many long requests run in the org at the same time",
                "lower `concurrency` in the source's file, or run the sync at a quieter time",
            ),
            wait: Some(CONCURRENCY_PAUSE),
        }),
        (_, "REQUEST_LIMIT_EXCEEDED" | "LIMIT_EXCEEDED") => stop(
            ErrorKind::Quota,
            "the org's daily API requests are used up",
            "what was read is kept; run the sync again when the allowance is free (it counts the last 24 hours)",
        ),
        (_, "API_DISABLED_FOR_ORG") => stop(
            ErrorKind::Permission,
            "the org has no API access",
            "API access needs the Enterprise, Unlimited or Developer edition, or the add-on for Professional",
        ),
        (_, "API_CURRENTLY_DISABLED") => stop(
            ErrorKind::Permission,
            "the user may not use the API",
            "give the app's user the permission `API Enabled`",
        ),
        (_, "TXN_SECURITY_METERING_ERROR") => stop(
            ErrorKind::Permission,
            "a transaction security policy of the org stops the query",
            "ask the administrator to exempt the app's user from the policy",
        ),
        (_, "OPERATION_TOO_LARGE") => stop(
            ErrorKind::Permission,
            "Salesforce cannot work out which activities the user may see",
            "give the app's user the permission `View All Data`",
        ),
        (_, "INSUFFICIENT_ACCESS" | "INSUFFICIENT_ACCESS_OR_READONLY") => stop(
            ErrorKind::Permission,
            "the user may not read this",
            "give the app's user read access to the object (a permission set is enough)",
        ),
        (410, _) | (_, "UNSUPPORTED_API_VERSION") => stop(
            ErrorKind::Config,
            "Salesforce has retired this API version",
            "raise `api_version` in the source's file",
        ),
        (_, "NOT_FOUND" | "INVALID_TYPE" | "INVALID_TYPE_FOR_OPERATION") | (404, _) => stop(
            ErrorKind::NotFound,
            "Salesforce does not offer this object",
            "check the API name in `streams`, and that the app's user may read the object",
        ),
        (_, "INVALID_QUERY_LOCATOR") => Outcome::Refusal(Refusal::LocatorGone),
        (_, "INVALID_FIELD") if !found.message.contains("duplicate field") => {
            Outcome::Refusal(Refusal::FieldGone(error(
                ErrorKind::Rejected,
                "a field of the query is not visible",
                "check the fields named in `allow` and `where`, and the field permissions of the app's user",
            )))
        }
        (_, "QUERY_TIMEOUT") => Outcome::Refusal(Refusal::TooSlow(error(
            ErrorKind::Unavailable,
            "the query takes Salesforce too long, even for the smallest part",
            "read fewer fields (`deny`), or run the sync at a quieter time",
        ))),
        (_, "QUERY_TOO_COMPLICATED") => stop(
            ErrorKind::Rejected,
            "the query is too complicated for Salesforce",
            "leave out some formula fields with `deny`",
        ),
        (_, "UNKNOWN_EXCEPTION" | "SERVER_UNAVAILABLE" | "UNABLE_TO_LOCK_ROW") | (500..=599, _) => again(error(
            ErrorKind::Unavailable,
            "Salesforce had a problem of its own",
            "run the sync again later; trust.salesforce.com tells of disturbances",
        )),
        (403, _) => {
            stop(ErrorKind::Permission, "the user may not do this", "check the permissions of the app's user in Setup")
        }
        (429, _) => again(error(ErrorKind::RateLimited, "told to slow down", "run the sync again later")),
        _ => stop(
            ErrorKind::Rejected,
            "Salesforce refused the request",
            "check `where` and `streams` in the source's file; if they are right, report this",
        ),
    }
}

/// The error for a refused sign-in. All are permanent: asking again in a loop locks users out.
pub(super) fn sign_in_refused(status: u16, refusal: &TokenRefusal) -> Error {
    let text = refusal.error_description.to_ascii_lowercase();
    let (message, help) = match refusal.error.as_str() {
        "invalid_client_id" => (
            "Salesforce does not know this client id",
            "check `auth.client_id`; a new app is known everywhere after about ten minutes",
        ),
        "invalid_client" => {
            ("the client secret is wrong", "check `auth.client_secret` (the consumer secret of the app)")
        }
        "unsupported_grant_type" => {
            ("the app does not allow this way to sign in", "enable the flow in the app's OAuth settings")
        }
        _ if text.contains("not supported on this domain") => (
            "client credentials are not accepted at this host",
            "set `login_url` to the org's My Domain, such as https://acme.my.salesforce.com",
        ),
        _ if text.contains("no client credentials user") => {
            ("the app has no user to run as", "choose a `Run As` user in the client credentials flow of the app")
        }
        _ if text.contains("expired access/refresh token") => (
            "the refresh token is no longer valid: revoked, used twice, or idle for too long",
            "approve the app again and put the new refresh token where `auth.refresh_token` points",
        ),
        _ if text.contains("hasn't approved this consumer") => (
            "the app is not approved in advance for this user",
            "in Setup, let administrators approve users in advance, and add the user's profile or permission set to the app",
        ),
        _ if text.contains("audience") => (
            "Salesforce does not take the signed statement: it is meant for another login host",
            "set `auth.audience` to https://login.salesforce.com, or https://test.salesforce.com for a sandbox",
        ),
        _ if text.contains("expired authorization code") => (
            "Salesforce takes the signed statement for expired",
            "set this machine's clock: the statement is good for three minutes",
        ),
        _ if text.contains("invalid assertion") => (
            "Salesforce does not take the signed statement",
            "check that `auth.private_key` belongs to the certificate of the app, and `auth.username` to a user of the org",
        ),
        _ if text.contains("not admin approved") => (
            "the administrator has not approved the app, or has withdrawn the approval",
            "approve the app again in Setup, for the profile or permission set of its user",
        ),
        _ if text.contains("inactive user") || text.contains("locked") || text.contains("authentication failure") => (
            "Salesforce refused the user",
            "check that the user is active and not locked, and may sign in from this address and at this hour",
        ),
        _ => ("Salesforce refused to sign us in", "check the credentials and the app's settings in Setup"),
    };
    Error::new(ErrorKind::Auth, message)
        .with("status", status)
        .with("error", &refusal.error)
        .with("description", last_line(&refusal.error_description))
        .help(help)
}

/// The first error of a body, if it is JSON of a known form.
pub(super) fn first_error(body: &[u8]) -> Option<RestError> {
    if let Ok(errors) = serde_json::from_slice::<Vec<RestError>>(body) {
        return errors.into_iter().next();
    }
    serde_json::from_slice::<RestError>(body).ok().filter(|error| !error.code.is_empty())
}

fn is_incurable(message: &str) -> bool {
    message.contains("not valid for use with the REST API") || message.contains("not attached to Agent")
}

/// The last line of a message, cut to what a terminal shows: the lines before it quote the query.
pub(super) fn last_line(message: &str) -> String {
    let line = message.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let sentence = line.split_once(". ").map_or(line, |(first, _)| first);
    sentence.chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, code: &str, message: &str) -> Outcome {
        by_code(status, &RestError { code: code.into(), message: message.into() })
    }

    fn stopped(status: u16, code: &str, message: &str) -> ErrorKind {
        match outcome(status, code, message) {
            Outcome::Verdict(Verdict::Stop(error)) => error.kind(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn refusals_are_told_apart_by_what_can_be_done() {
        assert_eq!(stopped(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), ErrorKind::Quota);
        assert_eq!(
            stopped(401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API"),
            ErrorKind::Auth
        );
        assert_eq!(stopped(401, "INVALID_SESSION_ID", "Connected app is not attached to Agent"), ErrorKind::Auth);
        assert_eq!(stopped(403, "API_CURRENTLY_DISABLED", "API is disabled for this User"), ErrorKind::Permission);
        assert_eq!(stopped(404, "NOT_FOUND", "The requested resource does not exist"), ErrorKind::NotFound);
        assert_eq!(stopped(400, "MALFORMED_QUERY", "unexpected token: 'FRM'"), ErrorKind::Rejected);
        assert_eq!(stopped(400, "INVALID_FIELD", "duplicate field selected: Id"), ErrorKind::Rejected);
        assert!(matches!(
            outcome(401, "INVALID_SESSION_ID", "Session expired or invalid"),
            Outcome::Verdict(Verdict::Renew(_))
        ));
        assert!(matches!(
            outcome(400, "INVALID_QUERY_LOCATOR", "invalid query locator"),
            Outcome::Refusal(Refusal::LocatorGone)
        ));
        assert!(matches!(outcome(400, "QUERY_TIMEOUT", "too long"), Outcome::Refusal(Refusal::TooSlow(_))));
        match outcome(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.") {
            Outcome::Verdict(Verdict::Again { error, wait }) => {
                assert_eq!((error.kind(), wait), (ErrorKind::RateLimited, Some(CONCURRENCY_PAUSE)));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lesson_29_activities_that_are_too_many_to_look_through_name_the_permission_that_helps() {
        let Outcome::Verdict(Verdict::Stop(error)) =
            outcome(400, "OPERATION_TOO_LARGE", "exceeded 100000 distinct who/what's")
        else {
            panic!()
        };
        assert_eq!(error.kind(), ErrorKind::Permission);
        assert!(error.help_text().is_some_and(|help| help.contains("View All Data")));
    }

    #[test]
    fn the_message_of_a_hidden_field_names_the_field_and_not_the_query() {
        let message = "\nSELECT Id, BadField FROM Account WHERE Name = 'secret'\n           ^\nERROR at Row:1:Column:12\n\
                       No such column 'BadField' on entity 'Account'. If you are attempting to use a custom field, …";
        let Outcome::Refusal(Refusal::FieldGone(error)) = outcome(400, "INVALID_FIELD", message) else { panic!() };
        let text = error.render();
        assert!(text.contains("answer: No such column 'BadField' on entity 'Account'\n"), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn lesson_12_every_form_of_error_body_is_survived() {
        assert_eq!(first_error(br#"[{"message":"m","errorCode":"C"}]"#).unwrap().code, "C");
        assert_eq!(first_error(br#"{"errorCode":"C","message":"m"}"#).unwrap().code, "C");
        for body in [&b""[..], b"<h1>Bad Message 431</h1>", b"[]", b"{}", b"[1]", b"null", br#"{"a":"#] {
            assert!(first_error(body).is_none());
        }
    }
}
