//! What we ask of Salesforce, one function per endpoint, with the edges that bite.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::json;
use url::{Url, form_urlencoded};

use super::bulk::ResultPage;
use super::config::AuthConfig;
use super::model::{
    CompositeAnswer, DeleteLog, Describe, Objects, Organization, RestError, Rows, TokenAnswer, TokenRefusal, Usage,
};
use super::page::{self, QueryPage};
use super::plan::Plan;
use super::refusal::{Outcome, Refusal, by_code, classify, first_error, last_line, sign_in_refused};
use super::session::Session;
use crate::clock::Timestamp;
use crate::connect::http::{Ahead, Answer, Authorize, Client, Request, Sent, Target, Verdict, Way, unexpected};
use crate::connect::json;
use crate::error::{Error, ErrorKind, Result};

/// Longer addresses go through the composite resource. The limit is 16,384 bytes with all headers, and the
/// server needs room of its own.
const MAX_URI_BYTES: usize = 8_000;

/// The page size Salesforce uses when it is not told one; also its greatest.
const DEFAULT_PAGE_SIZE: u16 = 2_000;

/// How to sign in.
pub(super) enum TokenForm<'a> {
    /// As the app's own user. Only at the org's My Domain; there is no refresh token, one just asks again.
    ClientCredentials,
    /// With a refresh token. Where the org rotates them it is dead after this call; repeating a call
    /// whose answer was lost changes nothing, since the new token is lost either way.
    Refresh(&'a SecretString),
    /// With a signed statement (RFC 7523), as the user that it names. There is no refresh token either.
    Signed(&'a SecretString),
}

/// A token, or why there will be none.
pub(super) type TokenReply = std::result::Result<TokenAnswer, Error>;

/// `POST /services/oauth2/token`: takes a form only, and refuses with an object instead of an array.
pub(super) async fn token(client: &Client, login: &Url, auth: &AuthConfig, form: TokenForm<'_>) -> Result<TokenReply> {
    let url = login
        .join("/services/oauth2/token")
        .map_err(|error| Error::new(ErrorKind::Config, "not an address to sign in at").caused_by(error))?;
    let body = token_form(auth, form);
    let request = Request::post(Target::Absolute(url), "application/x-www-form-urlencoded", body);
    let sent = client
        .send(&request, None, |answer: Answer| {
            if answer.status.is_success() {
                return match serde_json::from_slice::<TokenAnswer>(&answer.body) {
                    Ok(token) => Verdict::Accept(Ok(token)),
                    Err(_) => unexpected(&answer),
                };
            }
            match serde_json::from_slice::<TokenRefusal>(&answer.body) {
                Ok(refusal) if answer.status.is_client_error() => {
                    Verdict::Accept(Err(sign_in_refused(answer.status.as_u16(), &refusal)))
                }
                _ => unexpected(&answer),
            }
        })
        .await?;
    Ok(sent.value)
}

fn token_form(auth: &AuthConfig, form: TokenForm<'_>) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    match form {
        TokenForm::ClientCredentials => body.append_pair("grant_type", "client_credentials"),
        TokenForm::Refresh(token) => {
            body.append_pair("grant_type", "refresh_token").append_pair("refresh_token", token.expose_secret())
        }
        TokenForm::Signed(assertion) => {
            body.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
                .append_pair("assertion", assertion.expose_secret());
            // The statement says which app it is.
            return body.finish();
        }
    };
    body.append_pair("client_id", &auth.client_id);
    if let Some(secret) = &auth.client_secret {
        body.append_pair("client_secret", secret.expose_secret());
    }
    body.finish()
}

/// The REST API of one org.
pub(super) struct Api {
    pub(super) client: Arc<Client>,
    pub(super) session: Arc<Session>,
    /// Such as `66.0`.
    pub(super) version: String,
    pub(super) page_size: u16,
    pub(super) meter: Arc<Meter>,
    /// Pages of queries asked for ahead, by stream.
    pub(super) pages: Ahead<Judged<QueryPage>>,
    /// Pages of the results of jobs asked for ahead, by job.
    pub(super) results: Ahead<Judged<ResultPage>>,
}

/// How much of the org's daily requests was used when it last told.
#[derive(Debug, Default)]
pub(super) struct Meter {
    used: AtomicU64,
    max: AtomicU64,
}

impl Meter {
    pub(super) fn note(&self, answer: &Answer) {
        if let Some(usage) = answer.header("sforce-limit-info").and_then(Usage::parse) {
            self.used.store(usage.used, Ordering::Relaxed);
            self.max.store(usage.max, Ordering::Relaxed);
        }
    }

    /// The last that was told.
    pub(super) fn usage(&self) -> Option<Usage> {
        let usage = Usage { used: self.used.load(Ordering::Relaxed), max: self.max.load(Ordering::Relaxed) };
        (usage.max > 0).then_some(usage)
    }
}

pub(super) type Judged<T> = std::result::Result<T, Refusal>;

impl Api {
    /// `GET /services/data`: the versions there are; asked for its `Date`, since it is not counted.
    pub(super) async fn server_time(&self) -> Result<Sent<()>> {
        let request = Request::get(Target::Relative("/services/data".into()));
        self.client
            .send(&request, Some(self.session.as_ref()), |answer: Answer| {
                if answer.status.is_success() && !answer.is_html() {
                    Verdict::Accept(())
                } else {
                    only_verdict(classify(&answer))
                }
            })
            .await
    }

    /// `GET …/sobjects/X/describe`: fields that the user may not see are absent, without a mark.
    pub(super) async fn describe(&self, object: &str) -> Result<Sent<Describe>> {
        self.read(format!("/services/data/v{}/sobjects/{object}/describe", self.version)).await
    }

    /// `GET …/sobjects`: the objects that the user may see, without their fields.
    pub(super) async fn objects(&self) -> Result<Sent<Objects>> {
        self.read(format!("/services/data/v{}/sobjects", self.version)).await
    }

    /// `GET …/limits`: the allowances; asked to see that the API is open to us.
    pub(super) async fn limits(&self) -> Result<Sent<serde_json::Value>> {
        self.read(format!("/services/data/v{}/limits", self.version)).await
    }

    /// `GET …/sobjects/X/deleted`: the ids of rows deleted in `[from, until)`, also of those that left no trace. Seconds
    /// are ignored.
    pub(super) async fn delete_log(
        &self,
        object: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Sent<Judged<DeleteLog>>> {
        // At least two minutes, on whole ones: a shorter span is refused.
        let minute = |at: Timestamp| at.to_datetime().format("%Y-%m-%dT%H:%M:00%:z").to_string();
        let from = minute(from.min(until.plus_secs(-120)));
        let query: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("start", &from)
            .append_pair("end", &minute(until))
            .finish();
        let path = format!("/services/data/v{}/sobjects/{object}/deleted/?{query}", self.version);
        let meter = Arc::clone(&self.meter);
        let judge = move |answer: Answer| match refused_log(&answer) {
            Some(error) => Verdict::Accept(Err(Refusal::NoLog(error))),
            None => judge(&answer, &meter, |body| serde_json::from_slice(body)),
        };
        self.client.send(&Request::get(Target::Relative(path)), Some(self.session.as_ref()), judge).await
    }

    /// The org's name and kind.
    pub(super) async fn organization(&self) -> Result<Option<Organization>> {
        let soql = "SELECT Name,OrganizationType,IsSandbox FROM Organization";
        let rows: Sent<Rows<Organization>> = self.read(self.query_path("query", soql)).await?;
        Ok(rows.value.records.into_iter().next())
    }

    /// Asks for the id of one row, to see that rows can be read.
    pub(super) async fn probe(&self, object: &str) -> Result<()> {
        let soql = format!("SELECT Id FROM {object} LIMIT 1");
        self.read::<serde_json::Value>(self.query_path("queryAll", &soql)).await.map(|_| ())
    }

    /// `GET …/queryAll?q=`, or the same inside `POST …/composite` where the address would be too long.
    ///
    /// `queryAll` also gives deleted and merged rows that are still in the bin, and archived activities.
    /// The result is fixed when the query is asked; rows that change later do not move in it.
    ///
    /// With `ahead`, the name of a stream, the next page is asked for too, as soon as this one has arrived.
    pub(super) async fn query(
        &self,
        soql: &str,
        plan: &Arc<Plan>,
        ahead: Option<&str>,
    ) -> Result<Sent<Judged<QueryPage>>> {
        let path = self.query_path("queryAll", soql);
        if path.len() > MAX_URI_BYTES {
            return self.composite(&path, plan).await;
        }
        let sent = self.page(path.clone(), plan, ahead).await?;
        match sent.value {
            Err(Refusal::TooLong) => {
                let mut again = self.composite(&path, plan).await?;
                again.requests += sent.requests;
                again.bytes += sent.bytes;
                Ok(again)
            }
            _ => Ok(sent),
        }
    }

    /// Follows `nextRecordsUrl`, as it is: the place is known for two days.
    pub(super) async fn more(
        &self,
        next: &str,
        plan: &Arc<Plan>,
        ahead: Option<&str>,
    ) -> Result<Sent<Judged<QueryPage>>> {
        self.page(next.to_owned(), plan, ahead).await
    }

    fn query_path(&self, resource: &str, soql: &str) -> String {
        let query: String = form_urlencoded::byte_serialize(soql.as_bytes()).collect();
        format!("/services/data/v{}/{resource}?q={query}", self.version)
    }

    fn page_size_option(&self) -> Option<String> {
        (self.page_size != DEFAULT_PAGE_SIZE).then(|| format!("batchSize={}", self.page_size))
    }

    async fn page(&self, path: String, plan: &Arc<Plan>, ahead: Option<&str>) -> Result<Sent<Judged<QueryPage>>> {
        let option = self.page_size_option();
        let asked = move |path: String| {
            let request = Request::get(Target::Relative(path));
            match &option {
                Some(option) => request.header("sforce-query-options", option),
                None => request,
            }
        };
        let request = asked(path);
        let (meter, plan) = (Arc::clone(&self.meter), Arc::clone(plan));
        let judge = move |answer: Answer| judge(&answer, &meter, |body| page::parse(body, &plan));
        let Some(lane) = ahead else {
            return self.client.send(&request, Some(self.session.as_ref()), judge).await;
        };
        self.pages.send(lane, request, self.way(judge, page::next_url), move |next| Some(asked(next))).await
    }

    /// How pages are asked for ahead.
    pub(super) fn way<J>(&self, judge: J, peek: fn(&Answer) -> Option<String>) -> Way<J> {
        let auth: Arc<dyn Authorize> = Arc::clone(&self.session) as Arc<dyn Authorize>;
        Way { client: Arc::clone(&self.client), auth: Some(auth), judge, peek }
    }

    /// Always answers 200; the status that counts is inside.
    async fn composite(&self, path: &str, plan: &Arc<Plan>) -> Result<Sent<Judged<QueryPage>>> {
        let mut part = json!({ "method": "GET", "referenceId": "page", "url": path });
        if let Some(option) = self.page_size_option() {
            part["httpHeaders"] = json!({ "Sforce-Query-Options": option });
        }
        let body = json!({ "compositeRequest": [part] }).to_string();
        let target = Target::Relative(format!("/services/data/v{}/composite", self.version));
        let request = Request::post(target, "application/json", body);
        let (meter, plan) = (Arc::clone(&self.meter), Arc::clone(plan));
        let judge = move |answer: Answer| judge_composite(&answer, &meter, &plan);
        self.client.send(&request, Some(self.session.as_ref()), judge).await
    }

    async fn read<T: DeserializeOwned + Send + 'static>(&self, path: String) -> Result<Sent<T>> {
        let meter = Arc::clone(&self.meter);
        let judge = move |answer: Answer| match judge(&answer, &meter, |body| serde_json::from_slice::<T>(body)) {
            Verdict::Accept(Ok(value)) => Verdict::Accept(value),
            Verdict::Accept(Err(refusal)) => only_verdict(Outcome::Refusal(refusal)),
            Verdict::Again { error, wait } => Verdict::Again { error, wait },
            Verdict::Renew(error) => Verdict::Renew(error),
            Verdict::Stop(error) => Verdict::Stop(error),
        };
        self.client.send(&Request::get(Target::Relative(path)), Some(self.session.as_ref()), judge).await
    }
}

pub(super) fn judge<T>(
    answer: &Answer,
    meter: &Meter,
    read: impl FnOnce(&[u8]) -> serde_json::Result<T>,
) -> Verdict<Judged<T>> {
    meter.note(answer);
    if !answer.status.is_success() {
        return decided(classify(answer));
    }
    if answer.is_html() {
        return unexpected(answer);
    }
    match read(&answer.body) {
        Ok(value) => Verdict::Accept(Ok(value)),
        Err(error) => Verdict::Again { error: json::unreadable(&error), wait: None },
    }
}

/// The refusals that concern this log alone: it was trimmed, has too many entries, or is not kept for the object.
fn refused_log(answer: &Answer) -> Option<Error> {
    let found = first_error(&answer.body).filter(|_| matches!(answer.status.as_u16(), 400 | 404))?;
    (found.code != "LIMIT_EXCEEDED").then(|| {
        Error::new(ErrorKind::Rejected, "Salesforce has no log of deletions for this span")
            .with("code", &found.code)
            .with("answer", last_line(&found.message))
    })
}

fn judge_composite(answer: &Answer, meter: &Meter, plan: &Plan) -> Verdict<Judged<QueryPage>> {
    meter.note(answer);
    if !answer.status.is_success() {
        return decided(classify(answer));
    }
    let outer = match serde_json::from_slice::<CompositeAnswer<'_>>(&answer.body) {
        Ok(outer) => outer,
        Err(error) if !answer.is_html() => return Verdict::Again { error: json::unreadable(&error), wait: None },
        Err(_) => return unexpected(answer),
    };
    let Some(part) = outer.composite_response.first() else { return unexpected(answer) };
    let body = part.body.get().as_bytes();
    if (200..300).contains(&part.http_status_code) {
        return match page::parse(body, plan) {
            Ok(page) => Verdict::Accept(Ok(page)),
            Err(error) => Verdict::Again { error: json::unreadable(&error), wait: None },
        };
    }
    match serde_json::from_slice::<Vec<RestError>>(body).ok().and_then(|errors| errors.into_iter().next()) {
        Some(found) => decided(by_code(part.http_status_code, &found)),
        None => unexpected(answer),
    }
}

fn decided<T>(outcome: Outcome) -> Verdict<Judged<T>> {
    match outcome {
        Outcome::Refusal(refusal) => Verdict::Accept(Err(refusal)),
        Outcome::Verdict(Verdict::Accept(never)) => match never {},
        Outcome::Verdict(Verdict::Again { error, wait }) => Verdict::Again { error, wait },
        Outcome::Verdict(Verdict::Renew(error)) => Verdict::Renew(error),
        Outcome::Verdict(Verdict::Stop(error)) => Verdict::Stop(error),
    }
}

/// For requests whose caller has no other way to go on.
fn only_verdict<T>(outcome: Outcome) -> Verdict<T> {
    match decided::<T>(outcome) {
        Verdict::Accept(Ok(value)) => Verdict::Accept(value),
        Verdict::Accept(Err(refusal)) => Verdict::Stop(refusal.into_error()),
        Verdict::Again { error, wait } => Verdict::Again { error, wait },
        Verdict::Renew(error) => Verdict::Renew(error),
        Verdict::Stop(error) => Verdict::Stop(error),
    }
}
