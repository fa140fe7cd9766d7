//! Sends requests until there is a verdict.

use std::ops::AddAssign;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderValue};
use secrecy::ExposeSecret;
use tracing::{debug, warn};
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use super::answer::Answer;
use super::auth::{Authorize, Grant};
use super::hosts::{Certificate, Hosts, Limits, Settings};
use super::request::{Request, Target, shown};
use super::verdict::{Verdict, too_far};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// Bodies from this size on are unpacked and judged on a blocking thread.
const HEAVY_BODY_BYTES: usize = 64 << 10;

/// Sends the requests of one source in one run.
#[derive(Debug)]
pub struct Client {
    hosts: Arc<Hosts>,
    limits: Limits,
    run_id: String,
    sent_count: AtomicU64,
    /// Shares the budget of this name instead of the host's own.
    budget: Option<String>,
    /// The client certificate that connections are made with.
    certificate: Option<Certificate>,
}

/// What came of a request.
#[derive(Debug)]
pub struct Sent<T> {
    /// What the judge made of the answer.
    pub value: T,
    /// When the answer was given, on the source's clock.
    pub date: Option<Timestamp>,
    /// Tries it took.
    pub requests: u64,
    /// Bytes received in all tries, as transferred.
    pub bytes: u64,
}

impl<T> Sent<T> {
    /// The same answer, as something else.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Sent<U> {
        Sent { value: change(self.value), date: self.date, requests: self.requests, bytes: self.bytes }
    }
}

/// What several requests cost together.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    /// Tries they took.
    pub requests: u64,
    /// Bytes received in all of them, as transferred.
    pub bytes: u64,
}

impl Tally {
    /// Adds what a request cost.
    pub fn add<T>(&mut self, sent: &Sent<T>) {
        *self += sent.into();
    }
}

impl<T> From<&Sent<T>> for Tally {
    fn from(sent: &Sent<T>) -> Self {
        Tally { requests: sent.requests, bytes: sent.bytes }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.requests += other.requests;
        self.bytes += other.bytes;
    }
}

impl Client {
    /// A client whose request ids begin with `run_id`.
    pub fn new(hosts: Arc<Hosts>, limits: Limits, run_id: impl Into<String>) -> Self {
        Client { hosts, limits, run_id: run_id.into(), sent_count: AtomicU64::new(0), budget: None, certificate: None }
    }

    /// Counts every request to the budget `name`: for an outside system that is reached at several hosts.
    pub fn sharing_budget(mut self, name: impl Into<String>) -> Self {
        self.budget = Some(name.into());
        self
    }

    /// Shows `certificate` to every host.
    pub fn with_certificate(mut self, certificate: Certificate) -> Self {
        self.certificate = Some(certificate);
        self
    }

    /// Waits, as the client does between tries.
    pub async fn pause(&self, pause: Duration) {
        self.hosts.timer().sleep(pause).await;
    }

    /// How many requests have been sent, retries included.
    pub fn sent_count(&self) -> u64 {
        self.sent_count.load(Ordering::Relaxed)
    }

    /// Sends `request` until `judge` accepts an answer, or gives up.
    ///
    /// Connections that fail, answers that break off and what the judge wants [again](Verdict::Again) are
    /// repeated after a pause; a [refused credential](Verdict::Renew) is renewed once. The judge must be
    /// quick to decide: large answers are judged on a blocking thread, small ones in place.
    ///
    /// # Errors
    ///
    /// The judge's, or the last failure when patience ends.
    pub async fn send<T, J>(&self, request: &Request, auth: Option<&dyn Authorize>, judge: J) -> Result<Sent<T>>
    where
        T: Send + 'static,
        J: Fn(Answer) -> Verdict<T> + Clone + Send + 'static,
    {
        let mut pauses = None;
        let mut renewed = false;
        let (mut requests, mut bytes) = (0, 0);
        loop {
            let grant = match auth {
                Some(auth) => Some(auth.grant().await?),
                None => None,
            };
            let url = address(&request.target, grant.as_ref())?;
            let number = self.sent_count.fetch_add(1, Ordering::Relaxed) + 1;
            let request_id = format!("{}-{number}", self.run_id);
            requests += 1;
            let (verdict, date) = match self.attempt(request, &url, grant.as_ref(), &request_id).await {
                Ok(answer) => {
                    bytes += answer.transferred_bytes;
                    let date = answer.date();
                    (self.judge(answer, judge.clone()).await?, date)
                }
                Err(error) => (again_or_stop(error), None),
            };
            let place = |error: Error| error.with("request", format!("{} {}", request.method, shown(&url)));
            match verdict {
                Verdict::Accept(value) => return Ok(Sent { value, date, requests, bytes }),
                Verdict::Stop(error) => return Err(place(error)),
                Verdict::Renew(error) => match (auth, &grant) {
                    (Some(auth), Some(grant)) if !renewed => {
                        debug!(request_id, "credential refused, renewing it");
                        auth.renew(grant).await?;
                        renewed = true;
                    }
                    _ => return Err(place(error)),
                },
                Verdict::Again { error, wait } => {
                    let settings = self.hosts.settings();
                    if let Some(wait) = wait.filter(|wait| *wait > settings.longest_wait) {
                        return Err(place(too_far(error, wait)));
                    }
                    let pauses = pauses.get_or_insert_with(|| pauses_of(settings, &request_id));
                    let Some(pause) = pauses.next() else {
                        return Err(place(error.with("tries", requests)));
                    };
                    let pause = pause.max(wait.unwrap_or_default());
                    warn!(request_id, error = %error, pause_ms = pause.as_millis() as u64, "asking again after a pause");
                    self.hosts.timer().sleep(pause).await;
                }
            }
        }
    }

    async fn attempt(&self, request: &Request, url: &Url, grant: Option<&Grant>, request_id: &str) -> Result<Answer> {
        let host = url.host_str().unwrap_or_default();
        let _turn = self.hosts.turn(self.budget.as_deref().unwrap_or(host), self.limits).await?;
        let started = self.hosts.timer().elapsed();
        let mut builder = self.hosts.http(self.certificate.as_ref())?.request(request.method.clone(), url.clone());
        for (name, value) in &request.headers {
            builder = builder.header(name.as_ref(), value);
        }
        builder = builder.header(ACCEPT_ENCODING, "gzip");
        if let Some(grant) = grant {
            let mut value = HeaderValue::from_str(grant.header.expose_secret())
                .map_err(|_| Error::new(ErrorKind::Auth, "the credential holds characters no header can carry"))?;
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let response = builder.send().await.map_err(no_answer)?;
        let answer = Answer::read(response, self.hosts.settings().max_body_bytes).await?;
        debug!(
            request_id,
            method = %request.method,
            url = shown(url),
            status = answer.status.as_u16(),
            bytes = answer.transferred_bytes,
            duration_ms = (self.hosts.timer().elapsed().saturating_sub(started)).as_millis() as u64,
            "answered"
        );
        Ok(answer)
    }

    async fn judge<T, J>(&self, answer: Answer, judge: J) -> Result<Verdict<T>>
    where
        T: Send + 'static,
        J: Fn(Answer) -> Verdict<T> + Send + 'static,
    {
        let max_bytes = self.hosts.settings().max_body_bytes;
        let heavy = answer.body.len() >= HEAVY_BODY_BYTES;
        let decide = move || match answer.unpacked(max_bytes) {
            Ok(answer) => judge(answer),
            Err(error) => again_or_stop(error),
        };
        if !heavy {
            return Ok(decide());
        }
        tokio::task::spawn_blocking(decide)
            .await
            .map_err(|error| Error::new(ErrorKind::Internal, "reading an answer failed").caused_by(error))
    }
}

fn again_or_stop<T>(error: Error) -> Verdict<T> {
    match error.kind() {
        ErrorKind::Unavailable => Verdict::Again { error, wait: None },
        _ => Verdict::Stop(error),
    }
}

fn address(target: &Target, grant: Option<&Grant>) -> Result<Url> {
    match target {
        Target::Absolute(url) => Ok(url.clone()),
        Target::Relative(path) => {
            let base = grant
                .and_then(|grant| grant.base.as_ref())
                .ok_or_else(|| Error::new(ErrorKind::Internal, "a relative request has no base address"))?;
            let url = base
                .join(path)
                .map_err(|error| Error::new(ErrorKind::BadData, "not a path to ask for").caused_by(error))?;
            // Paths come out of answers: one that leads to another host would carry the credential there.
            if url.origin() != base.origin() {
                return Err(Error::new(ErrorKind::BadData, "an answer points to another host")
                    .with("host", url.host_str().unwrap_or_default()));
            }
            Ok(url)
        }
    }
}

fn no_answer(error: reqwest::Error) -> Error {
    let message = if error.is_connect() {
        "could not connect"
    } else if error.is_timeout() {
        "no answer in time"
    } else {
        "the connection broke before the answer"
    };
    Error::new(ErrorKind::Unavailable, message)
        .help("check the address in the source's file and the network, then run the sync again")
        .caused_by(error.without_url())
}

/// Our own pauses. The random part is derived from the request id: equal runs pause equally, requests of
/// one run do not pause in step.
pub(super) fn pauses_of(settings: &Settings, request_id: &str) -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(settings.first_pause)
        .with_max_delay(settings.longest_pause.max(Duration::from_millis(1)))
        .with_factor(2.0)
        .with_max_times(settings.retries)
        .with_jitter()
        .with_jitter_seed(xxh3_64(request_id.as_bytes()))
        .build()
}
