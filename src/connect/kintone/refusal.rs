//! What kintone means when it refuses.
//!
//! Decided by status and code, never by the message, whose language is the user's. Which status a code comes with has
//! changed over the years (520 for everything once), so a code counts wherever it is known. What stands in front of
//! kintone (gateways, Basic authentication, address checks) answers with pages or plain text.

use super::model::{ErrorBody, TokenRefusal};
use crate::connect::http::{Answer, Verdict, retry_after, unexpected};
use crate::error::{Error, ErrorKind};

/// A refusal after which the caller can go on in another way.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The answer took too long: ask for fewer records at a time.
    TooSlow(Error),
}

impl Refusal {
    /// The error where there is no other way to go on.
    pub(super) fn into_error(self) -> Error {
        let Refusal::TooSlow(error) = self;
        error
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
    match serde_json::from_slice::<ErrorBody>(&answer.body) {
        Ok(body) if !body.code.is_empty() => match by_code(status, &body) {
            // Never seen from kintone, but a proxy may ask for it.
            Outcome::Verdict(Verdict::Again { error, .. }) => {
                Outcome::Verdict(Verdict::Again { error, wait: retry_after(answer) })
            }
            decided => decided,
        },
        _ => without_code(answer, status),
    }
}

/// What does not come from kintone's API itself.
fn without_code(answer: &Answer, status: u16) -> Outcome {
    let stop = |kind, message: &str, help: &str| {
        Outcome::Verdict(Verdict::Stop(Error::new(kind, message).with("status", status).help(help)))
    };
    let again = |message: &str, help: &str| {
        let error = Error::new(ErrorKind::Unavailable, message).with("status", status).help(help);
        Outcome::Verdict(Verdict::Again { error, wait: None })
    };
    match status {
        401 => stop(
            ErrorKind::Auth,
            "what stands in front of kintone asks for a name and a password",
            "set `basic_auth` in the source's file to what the domain's Basic authentication accepts",
        ),
        403 => stop(
            ErrorKind::Permission,
            "kintone does not answer to this address",
            "let the domain's administrator allow this machine's IP address, or use a client certificate",
        ),
        414 | 431 => stop(
            ErrorKind::Rejected,
            "the request is too long for kintone",
            "shorten the `filter`; if it is short, report this",
        ),
        503 => again(
            "kintone is under maintenance",
            "what was read is kept; run the sync again later (maintenance is announced at status.cybozu.com)",
        ),
        504 => Outcome::Refusal(Refusal::TooSlow(
            Error::new(ErrorKind::Unavailable, "kintone takes too long, even for a few records")
                .with("status", status)
                .help("simplify the `filter`, or run the sync at a quieter time"),
        )),
        520 => again("kintone failed without saying why", "run the sync again later"),
        _ => Outcome::Verdict(match unexpected::<std::convert::Infallible>(answer) {
            Verdict::Renew(error) | Verdict::Stop(error) => Verdict::Stop(error),
            Verdict::Again { error, wait } => Verdict::Again { error, wait },
            Verdict::Accept(never) => match never {},
        }),
    }
}

/// Reads a refusal by its code.
pub(super) fn by_code(status: u16, body: &ErrorBody) -> Outcome {
    let error = |kind: ErrorKind, message: &str, help: &str| {
        let mut error = Error::new(kind, message).with("status", status).with("code", &body.code);
        if !body.message.is_empty() {
            error = error.with("answer", first_line(&body.message));
        }
        if !body.errors.is_empty() {
            // Names of parameters: what is wrong with them may quote values.
            error = error.with("parameters", body.errors.keys().cloned().collect::<Vec<_>>().join(", "));
        }
        if !body.id.is_empty() {
            error = error.with("answer_id", &body.id);
        }
        error.help(help)
    };
    let stop = |kind, message, help| Outcome::Verdict(Verdict::Stop(error(kind, message, help)));
    let again =
        |kind, message, help| Outcome::Verdict(Verdict::Again { error: error(kind, message, help), wait: None });
    match body.code.as_str() {
        // Who we are: the same for every app, so the run ends.
        "CB_AU01" => stop(
            ErrorKind::Auth,
            "kintone saw no credential",
            "give each app a `token`, or set `login` or `oauth` in the source's file",
        ),
        "CB_WA01" => stop(
            ErrorKind::Auth,
            "kintone refused the login name or the password",
            "mend `login` before the next run: a domain may lock a user after some failures. API tokens need no user",
        ),
        "CB_TW02" => stop(
            ErrorKind::Auth,
            "the user signs in with a second factor, which a program cannot",
            "use API tokens instead of `login`",
        ),
        "CB_OA01" if status == 403 => stop(
            ErrorKind::Permission,
            "the OAuth client lacks a scope",
            "allow the client again with the scopes k:app_record:read and k:app_settings:read",
        ),
        "CB_OA01" => Outcome::Verdict(Verdict::Renew(error(
            ErrorKind::Auth,
            "kintone refused the access token, also after a new one",
            "allow the client again and put the new refresh token where `oauth.refresh_token` points",
        ))),
        // What may be seen: another for each app, so the others are read.
        "GAIA_IA02" => stop(
            ErrorKind::Permission,
            "kintone does not know the API token",
            "copy it again from the app's settings; a new token works only after `Update App` was pressed",
        ),
        "GAIA_NO01" => stop(
            ErrorKind::Permission,
            "the API token may not do this",
            "tick `View records` for the token in the app's settings, then press `Update App`",
        ),
        "GAIA_AP15" => stop(
            ErrorKind::Permission,
            "the API token belongs to another app",
            "make a token in the settings of the app with this number, or mend `app`",
        ),
        "GAIA_DA03" => {
            stop(ErrorKind::Permission, "two API tokens of one app were given", "keep one token per app in `token`")
        }
        "CB_NO02" => stop(
            ErrorKind::Permission,
            "the credential may not see this",
            "give its user the permission to view the app and its records; if the app is in a guest space, check `guest_space`",
        ),
        "GAIA_FU01" => stop(
            ErrorKind::Permission,
            "the credential may not see a field",
            "give its user the permission to view the field",
        ),
        "GAIA_IL23" => stop(
            ErrorKind::Config,
            "the app is in a guest space",
            "set `guest_space` to the space's number: the 5 in https://<name>.cybozu.com/k/guest/5/8/",
        ),
        "GAIA_AP01" => stop(
            ErrorKind::NotFound,
            "kintone has no app with this number",
            "check `app`; a deleted app can be restored for 14 days, and is read on then. What was read before stays",
        ),
        // Ours, or in the settings.
        "GAIA_IQ11" => stop(
            ErrorKind::Config,
            "a field of the query is not in the app",
            "check the field codes in `filter`; if they are right, run the sync again: the form was changed just now",
        ),
        "GAIA_IQ03" | "GAIA_IQ07" | "GAIA_IQ10" | "GAIA_IQ23" | "GAIA_IQ25" | "GAIA_IR02" | "GAIA_IL08"
        | "GAIA_IL26" | "GAIA_IL28" | "GAIA_IL42" => stop(
            ErrorKind::Config,
            "kintone does not accept the filter",
            "mend `filter`: not every operator goes with every type of field, and options and users must be there",
        ),
        "GAIA_TO03" => {
            stop(ErrorKind::Rejected, "too many fields for one request", "read fewer: list those you need in `allow`")
        }
        "CB_VA01" | "CB_IJ01" | "CB_IL02" => stop(
            ErrorKind::Rejected,
            "kintone does not accept the request",
            "check `filter` and `app`; if they are right, report this. A proxy must pass the header X-HTTP-Method-Override on",
        ),
        // Passes by itself.
        "GAIA_TO04" => again(
            ErrorKind::RateLimited,
            "too many requests run in the domain at the same time",
            "lower `concurrency`, or run the sync when other programs do not",
        ),
        "GAIA_DA02" | "GAIA_LT01" => {
            again(ErrorKind::Unavailable, "kintone's database is busy", "run the sync again later")
        }
        _ => match status {
            429 => again(ErrorKind::RateLimited, "told to slow down", "run the sync again later"),
            502..=504 => again(ErrorKind::Unavailable, "kintone is not available", "run the sync again later"),
            500 | 520 => again(ErrorKind::Unavailable, "kintone had a problem of its own", "run the sync again later"),
            401 => stop(ErrorKind::Auth, "kintone refused the credential", "check the credential in the source's file"),
            403 => stop(ErrorKind::Permission, "the credential may not do this", "check what it may do in kintone"),
            404 => stop(ErrorKind::NotFound, "kintone does not have this", "check `app` and `guest_space`"),
            _ => stop(
                ErrorKind::Rejected,
                "kintone refused the request",
                "check the settings of the stream; if they are right, report this",
            ),
        },
    }
}

/// The error for a refused refresh token. Permanent: asking again changes nothing.
pub(super) fn sign_in_refused(status: u16, refusal: &TokenRefusal) -> Error {
    let (message, help) = match refusal.error.as_str() {
        "invalid_client" => {
            ("the OAuth client's id or secret is wrong", "copy both from the domain's administration again")
        }
        "invalid_grant" => (
            "the refresh token is no longer valid",
            "allow the client again and put the new refresh token where `oauth.refresh_token` points",
        ),
        _ => {
            ("kintone refused to renew the access token", "check `oauth` and the client in the domain's administration")
        }
    };
    Error::new(ErrorKind::Auth, message)
        .with("status", status)
        .with("error", &refusal.error)
        .with("description", first_line(&refusal.error_description))
        .help(help)
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, code: &str) -> Outcome {
        let body =
            ErrorBody {
                code: code.into(), id: "abc".into(), message: "だめです。".into(), ..ErrorBody::default()
            };
        by_code(status, &body)
    }

    fn told(status: u16, code: &str) -> (&'static str, ErrorKind) {
        match outcome(status, code) {
            Outcome::Verdict(Verdict::Stop(error)) => ("stop", error.kind()),
            Outcome::Verdict(Verdict::Again { error, .. }) => ("again", error.kind()),
            Outcome::Verdict(Verdict::Renew(error)) => ("renew", error.kind()),
            Outcome::Verdict(Verdict::Accept(never)) => match never {},
            Outcome::Refusal(refusal) => ("other", refusal.into_error().kind()),
        }
    }

    #[test]
    fn lesson_15_only_what_passes_by_itself_is_asked_again() {
        for (status, code, expected) in [
            (429, "GAIA_TO04", ("again", ErrorKind::RateLimited)),
            (400, "GAIA_DA02", ("again", ErrorKind::Unavailable)),
            (520, "GAIA_LT01", ("again", ErrorKind::Unavailable)),
            (500, "SOMETHING", ("again", ErrorKind::Unavailable)),
            (401, "CB_WA01", ("stop", ErrorKind::Auth)),
            (401, "CB_AU01", ("stop", ErrorKind::Auth)),
            (403, "CB_TW02", ("stop", ErrorKind::Auth)),
            (401, "CB_OA01", ("renew", ErrorKind::Auth)),
            (403, "CB_OA01", ("stop", ErrorKind::Permission)),
            (403, "CB_NO02", ("stop", ErrorKind::Permission)),
            (404, "GAIA_AP01", ("stop", ErrorKind::NotFound)),
            (400, "GAIA_IL23", ("stop", ErrorKind::Config)),
            (400, "GAIA_IQ11", ("stop", ErrorKind::Config)),
            (400, "GAIA_IQ03", ("stop", ErrorKind::Config)),
            (400, "CB_VA01", ("stop", ErrorKind::Rejected)),
            (400, "CB_IL02", ("stop", ErrorKind::Rejected)),
            (404, "GAIA_XX99", ("stop", ErrorKind::NotFound)),
        ] {
            assert_eq!(told(status, code), expected, "{status} {code}");
        }
    }

    #[test]
    fn a_code_counts_whatever_status_it_comes_with() {
        for status in [400, 403, 520] {
            assert_eq!(told(status, "GAIA_AP15"), ("stop", ErrorKind::Permission));
            assert_eq!(told(status, "GAIA_IA02"), ("stop", ErrorKind::Permission), "one app's token ends no run");
        }
    }

    #[test]
    fn an_error_tells_their_support_which_answer_it_was_and_quotes_no_value() {
        let mut body = ErrorBody { code: "CB_VA01".into(), id: "1505999166-8".into(), ..ErrorBody::default() };
        body.errors.insert("query".into(), serde_json::json!({ "messages": ["\"秘密\" が間違っています。"] }));
        let Outcome::Verdict(Verdict::Stop(error)) = by_code(400, &body) else { panic!() };
        let text = error.render();
        assert!(text.contains("answer_id: 1505999166-8") && text.contains("parameters: query"), "{text}");
        assert!(!text.contains("秘密"), "{text}");
    }

    #[test]
    fn lesson_19_a_domain_without_passwords_is_told_to_use_tokens() {
        for code in ["CB_WA01", "CB_TW02"] {
            let Outcome::Verdict(Verdict::Stop(error)) = outcome(401, code) else { panic!() };
            assert!(error.help_text().unwrap().contains("API tokens"), "{}", error.render());
        }
    }
}
