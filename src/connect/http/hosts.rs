//! What is shared by everything that talks to one host: connections, rate limit, concurrency budget.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use xxhash_rust::xxh3::xxh3_128;

use super::client::pauses_of;
use super::pace::{SharedPace, Turns};
use super::timer::Timer;
use crate::error::{Error, ErrorKind, Result};

/// How many requests a host gets at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests under way at the same time; default 4.
    pub concurrency: usize,
    /// Requests begun per second; default no limit.
    pub per_second: Option<NonZeroU32>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { concurrency: 4, per_second: None }
    }
}

/// How patient the client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// To open a connection; default 20 s.
    pub connect_timeout: Duration,
    /// Between two pieces of an answer, and before its first one; default 150 s.
    pub read_timeout: Duration,
    /// For a whole request with its answer; default 660 s.
    pub total_timeout: Duration,
    /// The largest body accepted, compressed or not; default 256 MiB.
    pub max_body_bytes: usize,
    /// Repetitions after the first try; default 5.
    pub retries: usize,
    /// The first pause, doubled each time, with up to as much again at random; default 1 s.
    pub first_pause: Duration,
    /// The longest pause of our own; default 60 s.
    pub longest_pause: Duration,
    /// The longest `Retry-After` that is waited for; beyond it the run ends; default 60 s.
    pub longest_wait: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            connect_timeout: Duration::from_secs(20),
            read_timeout: Duration::from_secs(150),
            total_timeout: Duration::from_secs(660),
            max_body_bytes: 256 << 20,
            retries: 5,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            longest_wait: Duration::from_secs(60),
        }
    }
}

/// A client certificate with its key, as a host asks for before anything is sent (mutual TLS).
#[derive(Clone)]
pub struct Certificate {
    identity: reqwest::Identity,
    fingerprint: u128,
}

impl Certificate {
    /// Reads a certificate and its private key from PEM text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when either is missing.
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        let identity = reqwest::Identity::from_pem(pem).map_err(|error| {
            Error::new(ErrorKind::Config, "not a client certificate with its key")
                .help("the file must be PEM text with both; of a .pfx file it is made by `openssl pkcs12 -in client.pfx -out client.pem -nodes`")
                .caused_by(error)
        })?;
        Ok(Certificate { identity, fingerprint: xxh3_128(pem) })
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The hosts this process talks to. Make one and share it: two sources on one host then share its budget.
#[derive(Debug)]
pub struct Hosts {
    http: OnceLock<reqwest::Client>,
    /// Connections that show a client certificate, by its fingerprint.
    with_certificate: Mutex<HashMap<u128, reqwest::Client>>,
    settings: Settings,
    timer: Arc<dyn Timer>,
    /// Where other processes keep the same pace; `None`: nobody else is known of.
    shared: Option<Arc<dyn SharedPace>>,
    budgets: Mutex<HashMap<String, Arc<Budget>>>,
}

impl Hosts {
    /// No host yet; waits on `timer`.
    ///
    /// # Errors
    ///
    /// None today; what can fail, setting up TLS, is left to the first request.
    pub fn new(settings: Settings, timer: Arc<dyn Timer>) -> Result<Self> {
        Ok(Hosts {
            http: OnceLock::new(),
            with_certificate: Mutex::default(),
            settings,
            timer,
            shared: None,
            budgets: Mutex::default(),
        })
    }

    /// Keeps the pace of every budget with all other processes that share `pace`.
    pub fn sharing(self, pace: Arc<dyn SharedPace>) -> Self {
        Hosts { shared: Some(pace), ..self }
    }

    /// The connections. Made when first asked for: reading the machine's root certificates takes longer than many
    /// a command that talks to nobody.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] when TLS cannot be set up.
    pub(super) fn http(&self, certificate: Option<&Certificate>) -> Result<reqwest::Client> {
        let Some(certificate) = certificate else {
            if let Some(http) = self.http.get() {
                return Ok(http.clone());
            }
            let http = self.connections(reqwest::Client::builder())?;
            return Ok(self.http.get_or_init(|| http).clone());
        };
        let mut known = self.with_certificate.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(http) = known.get(&certificate.fingerprint) {
            return Ok(http.clone());
        }
        let http = self.connections(reqwest::Client::builder().identity(certificate.identity.clone()))?;
        known.insert(certificate.fingerprint, http.clone());
        Ok(http)
    }

    fn connections(&self, builder: reqwest::ClientBuilder) -> Result<reqwest::Client> {
        let settings = &self.settings;
        builder
            .user_agent(concat!("nenrin/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.connect_timeout)
            .read_timeout(settings.read_timeout)
            .timeout(settings.total_timeout)
            // Bodies are unpacked by us: only so can the bytes transferred be counted.
            .gzip(false)
            // An API that redirects has moved; following it would carry the credential along.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::new(ErrorKind::Internal, "could not set up the HTTP client").caused_by(error))
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(in crate::connect) fn timer(&self) -> &Arc<dyn Timer> {
        &self.timer
    }

    /// The growing pauses between tries of the question `name`.
    pub(in crate::connect) fn pauses(&self, name: &str) -> impl Iterator<Item = Duration> + Send + use<> {
        pauses_of(&self.settings, name)
    }

    /// Waits for the host's turn; the place is free again when the permit is dropped. The first caller's
    /// `limits` hold for the host.
    pub(super) async fn turn(&self, host: &str, limits: Limits) -> Result<OwnedSemaphorePermit> {
        let budget = {
            let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(
                budgets
                    .entry(host.to_owned())
                    .or_insert_with(|| Arc::new(Budget::new(limits, Arc::clone(&self.timer)))),
            )
        };
        budget.turn(host, self.shared.as_deref(), self.timer.as_ref()).await
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, TimerClock, NoOpMiddleware<Duration>>;

struct Budget {
    places: Arc<Semaphore>,
    pace: Option<Own>,
}

/// The pace of a budget: kept alone, or turn by turn with others.
struct Own {
    per_second: NonZeroU32,
    limiter: Limiter,
    clock: TimerClock,
    turns: Turns,
}

impl Budget {
    fn new(limits: Limits, timer: Arc<dyn Timer>) -> Self {
        let clock = TimerClock(timer);
        let pace = limits.per_second.map(|per_second| Own {
            per_second,
            limiter: RateLimiter::direct_with_clock(Quota::per_second(per_second), clock.clone()),
            clock,
            turns: Turns::default(),
        });
        Budget { places: Arc::new(Semaphore::new(limits.concurrency.max(1))), pace }
    }

    async fn turn(
        &self,
        name: &str,
        shared: Option<&dyn SharedPace>,
        timer: &dyn Timer,
    ) -> Result<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(|error| Error::new(ErrorKind::Cancelled, "stopped waiting for a host").caused_by(error))?;
        match (&self.pace, shared) {
            (None, _) => {}
            (Some(own), Some(shared)) => own.turns.next(shared, name, own.per_second, timer).await?,
            (Some(own), None) => {
                while let Err(early) = own.limiter.check() {
                    timer.sleep(early.wait_time_from(own.clock.now())).await;
                }
            }
        }
        Ok(permit)
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("places", &self.places).finish_non_exhaustive()
    }
}

/// Our timer as the rate limiter's clock.
#[derive(Debug, Clone)]
struct TimerClock(Arc<dyn Timer>);

impl GovernorClock for TimerClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}
