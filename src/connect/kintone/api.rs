//! What we ask of kintone, one function per endpoint, with the edges that bite.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tracing::info;
use url::Url;

use super::config::{AppConfig, LoginConfig};
use super::model::{App, AppList, Form, ListedApp};
use super::page::{self, RecordPage};
use super::plan::Plan;
use super::query::Select;
use super::refusal::{Outcome, Refusal, classify};
use crate::clock::Timestamp;
use crate::connect::http::{Ahead, Answer, Authorize, Client, Request, Sent, Target, Verdict, Way, unexpected};
use crate::connect::json;
use crate::error::{Error, ErrorKind, Result};

/// Of the 100 requests that a domain runs at a time, people's own among them: from here on we wait for a moment.
const CROWDED: u64 = 80;
const CROWDED_PAUSE: Duration = Duration::from_secs(2);

/// The REST API of one domain.
pub(super) struct Api {
    pub(super) client: Arc<Client>,
    /// The domain's address, without a slash at the end.
    pub(super) base: String,
    /// What goes into `Authorization`: OAuth, or what stands in front.
    pub(super) front: Option<Arc<dyn Authorize>>,
    pub(super) login: Option<LoginConfig>,
    pub(super) meter: Arc<Meter>,
    /// Pages asked for ahead, by stream.
    pub(super) pages: Ahead<Judged<RecordPage>>,
}

/// What answers tell beside their contents.
#[derive(Debug)]
pub(super) struct Meter {
    /// Requests that the domain ran when it last told.
    running: AtomicU64,
    /// kintone's clock when it last told, in microseconds.
    clock: AtomicI64,
}

impl Default for Meter {
    fn default() -> Self {
        Meter { running: AtomicU64::new(0), clock: AtomicI64::new(i64::MIN) }
    }
}

impl Meter {
    fn note(&self, answer: &Answer) {
        if let Some(running) = answer.header("x-concurrencylimit-running").and_then(|text| text.trim().parse().ok()) {
            self.running.store(running, Ordering::Relaxed);
        }
        if let Some(date) = answer.date() {
            self.clock.fetch_max(date.micros(), Ordering::Relaxed);
        }
    }

    /// kintone's clock, not later than now; `None` when it has not told it.
    pub(super) fn clock(&self) -> Option<Timestamp> {
        let micros = self.clock.load(Ordering::Relaxed);
        (micros != i64::MIN).then(|| Timestamp::from_micros(micros))
    }
}

/// What a page is one of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pages<'a> {
    /// The stream that is being read.
    pub(super) stream: &'a str,
    /// Whether to ask for the page behind it.
    pub(super) goes_on: bool,
}

pub(super) type Judged<T> = std::result::Result<T, Refusal>;

impl Api {
    /// `GET app/form/fields.json`: the fields, as the credential may see them. Labels in the app's own language.
    pub(super) async fn form(&self, app: &AppConfig) -> Result<Sent<Form>> {
        let path = format!("app/form/fields.json?app={}&lang=default", app.app);
        self.get(app, &path, |value| Form::read(&value)).await
    }

    /// `GET app.json`: what the app is called.
    pub(super) async fn app(&self, app: &AppConfig) -> Result<App> {
        let path = format!("app.json?id={}", app.app);
        Ok(self.get(app, &path, |value| serde_json::from_value(value).ok()).await?.value)
    }

    /// `GET apps.json`: the apps that the user may see; API tokens are refused. `asked_as` names no app.
    pub(super) async fn apps(&self, asked_as: &AppConfig, offset: u32, limit: u32) -> Result<Vec<ListedApp>> {
        let path = format!("apps.json?limit={limit}&offset={offset}");
        let read = |value: Value| serde_json::from_value::<AppList>(value).ok();
        Ok(self.get(asked_as, &path, read).await?.value.apps)
    }

    /// How many records may be seen; asks for one of them.
    pub(super) async fn count(&self, app: &AppConfig) -> Result<Option<u64>> {
        let select = Select { filter: app.filter.as_deref(), range: super::query::Range::All, after: 0, limit: 1 };
        let sent = self.records(app, &select, &Arc::new(Plan::keys()), true, None).await?;
        Ok(sent.value.map_err(Refusal::into_error)?.total)
    }

    /// `records.json`, as a POST that overrides its method: a query in the address ends at 8 KB, with a web page.
    ///
    /// `fields` that do not exist, or that may not be seen, are left out without a word; the page tells which. Only
    /// what is named comes, `$id` and `$revision` too. A row of a table cannot be asked for, only its table.
    ///
    /// For a page of a `reading`, the page behind it is asked for too, as soon as it has arrived.
    pub(super) async fn records(
        &self,
        app: &AppConfig,
        select: &Select<'_>,
        plan: &Arc<Plan>,
        with_total: bool,
        reading: Option<Pages<'_>>,
    ) -> Result<Sent<Judged<RecordPage>>> {
        if self.meter.running.swap(0, Ordering::Relaxed) >= CROWDED {
            info!("many requests run in the domain, waiting for a moment");
            self.client.pause(CROWDED_PAUSE).await;
        }
        let number = app.app;
        let asked = move |query: String, plan: &Plan, with_total: bool| {
            json!({ "app": number, "query": query, "fields": plan.outer.codes, "totalCount": with_total }).to_string()
        };
        let target = self.target(app, "records.json")?;
        let request = Request::post(target, "application/json", asked(select.to_text(), plan, with_total))
            .header("x-http-method-override", "GET");
        let request = self.signed(request, app);
        let judge = {
            let (meter, plan, limit) = (Arc::clone(&self.meter), Arc::clone(plan), u64::from(select.limit));
            move |answer: Answer| {
                judge(&answer, &meter, |body| {
                    let page = page::parse(body, &plan).map_err(|error| json::unreadable(&error))?;
                    checked(page, limit)
                })
            }
        };
        let Some(Pages { stream, goes_on }) = reading else {
            return self.client.send(&request, self.front.as_deref(), judge).await;
        };
        let way = Way { client: Arc::clone(&self.client), auth: self.front.clone(), judge, peek: page::last_id };
        let follow = {
            let (meter, plan, next, conditions) =
                (Arc::clone(&self.meter), Arc::clone(plan), request.clone(), select.conditions());
            move |last: String| {
                let is_crowded = meter.running.load(Ordering::Relaxed) >= CROWDED;
                let last = last.parse().ok().filter(|_| goes_on && !is_crowded)?;
                Some(next.with_body(asked(conditions.after(Some(last)), &plan, false)))
            }
        };
        self.pages.send(stream, request, way, follow).await
    }

    async fn get<T: Send + 'static>(
        &self,
        app: &AppConfig,
        path: &str,
        read: impl Fn(Value) -> Option<T> + Clone + Send + 'static,
    ) -> Result<Sent<T>> {
        let meter = Arc::clone(&self.meter);
        let judge = move |answer: Answer| {
            let judged = judge(&answer, &meter, |body| {
                let value = serde_json::from_slice(body).map_err(|error| json::unreadable(&error))?;
                read(value).ok_or_else(|| {
                    Error::new(ErrorKind::Unavailable, "the answer is not the JSON we expect")
                        .help("run the sync again; if it stays so, report it")
                })
            });
            match judged {
                Verdict::Accept(Ok(value)) => Verdict::Accept(value),
                Verdict::Accept(Err(refusal)) => Verdict::Again { error: refusal.into_error(), wait: None },
                Verdict::Again { error, wait } => Verdict::Again { error, wait },
                Verdict::Renew(error) => Verdict::Renew(error),
                Verdict::Stop(error) => Verdict::Stop(error),
            }
        };
        let request = self.signed(Request::get(self.target(app, path)?), app);
        self.client.send(&request, self.front.as_deref(), judge).await
    }

    /// Where the app is asked: apps in guest spaces have a path of their own.
    fn target(&self, app: &AppConfig, path: &str) -> Result<Target> {
        let space = app.guest_space.map(|space| format!("guest/{space}/")).unwrap_or_default();
        let address = format!("{}/k/{space}v1/{path}", self.base);
        Url::parse(&address)
            .map(Target::Absolute)
            .map_err(|error| Error::new(ErrorKind::Config, "not an address to ask at").caused_by(error))
    }

    /// Exactly one kind of credential: of several, kintone would look at the password and forget the rest.
    fn signed(&self, request: Request, app: &AppConfig) -> Request {
        // For stable messages; codes do not change with it.
        let request = request.header("accept-language", "ja");
        let tokens = app.tokens();
        match &self.login {
            _ if !tokens.is_empty() => request.header("x-cybozu-api-token", tokens.join(",")),
            Some(login) => request.header("x-cybozu-authorization", password(login).expose_secret()),
            None => request,
        }
    }
}

fn password(login: &LoginConfig) -> SecretString {
    SecretString::from(STANDARD.encode(format!("{}:{}", login.user, login.password.expose_secret())))
}

fn judge<T>(answer: &Answer, meter: &Meter, read: impl FnOnce(&[u8]) -> Result<T>) -> Verdict<Judged<T>> {
    meter.note(answer);
    if !answer.status.is_success() {
        return match classify(answer) {
            Outcome::Refusal(refusal) => Verdict::Accept(Err(refusal)),
            Outcome::Verdict(Verdict::Accept(never)) => match never {},
            Outcome::Verdict(Verdict::Again { error, wait }) => Verdict::Again { error, wait },
            Outcome::Verdict(Verdict::Renew(error)) => Verdict::Renew(error),
            Outcome::Verdict(Verdict::Stop(error)) => Verdict::Stop(error),
        };
    }
    if let Some(warning) = answer.headers.get("x-cybozu-warning") {
        // A success that lacks records: what it does not show would be taken for deleted.
        return Verdict::Stop(
            Error::new(ErrorKind::BadData, "kintone left records out of its answer")
                .with("warning", String::from_utf8_lossy(warning.as_bytes()))
                .help("simplify the `filter` of the stream: it finds more records than kintone looks at"),
        );
    }
    if answer.is_html() {
        return unexpected(answer);
    }
    match read(&answer.body) {
        Ok(value) => Verdict::Accept(Ok(value)),
        Err(error) if error.kind() == ErrorKind::Unavailable => Verdict::Again { error, wait: None },
        Err(error) => Verdict::Stop(error),
    }
}

/// What a page must be, beside readable.
fn checked(page: RecordPage, limit: u64) -> Result<RecordPage> {
    let report = "report this with the number of records in the app";
    if !page.rising {
        // Going on behind the last one would lose records, or never end.
        return Err(Error::new(ErrorKind::BadData, "the records do not come in the order of their ids").help(report));
    }
    if page.count > limit {
        return Err(Error::new(ErrorKind::BadData, "the page has more records than were asked for")
            .with("records", page.count)
            .with("asked_for", limit)
            .help(report));
    }
    if let Some(total) = page.total
        && page.count < total.min(limit)
    {
        return Err(Error::new(ErrorKind::Unavailable, "the page has fewer records than kintone says there are")
            .with("records", page.count)
            .with("total", total)
            .help("run the sync again; if it stays so, ask kintone's support: records are missing without a word"));
    }
    Ok(page)
}
