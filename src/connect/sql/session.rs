//! The one connection of a source: opened when needed, kept for the next statement, given up after any failure.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as Short, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tracing::warn;
use xxhash_rust::xxh3::xxh3_64;

use super::form::Form;
use super::link::{Failure, Link, Target};
use super::plan;
use super::read::{self, Line};
use super::statement::NUMBER;
use crate::clock::{Clock, Timestamp};
use crate::connect::http::{Hosts, Timer};
use crate::error::Result;

/// A database, talked to over one connection.
pub(super) struct Session {
    pub(super) target: Target,
    open: Mutex<Option<Open>>,
    hosts: Arc<Hosts>,
    clock: Arc<dyn Clock>,
    rows_per_second: Option<NonZeroU32>,
    /// The number of the next statement; another run begins with another.
    statements: AtomicU64,
    /// Before this moment no more rows are asked for.
    ready_at: Short<Duration>,
}

struct Open {
    link: Link,
    /// What time it was there, and how far our own timer was, when it was connected.
    told: Option<(Timestamp, Duration)>,
}

/// What asking cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) requests: u64,
    pub(super) bytes: u64,
}

/// Something that is done over a connection, and may be done again over another.
#[async_trait]
pub(super) trait Work: Send {
    /// What comes of it.
    type Done: Send;

    async fn run(&mut self, link: &mut Link) -> Result<Self::Done, Failure>;
}

/// Takes rows one by one.
pub(super) trait Take: Send {
    fn take(&mut self, line: Line<'_>);
}

struct Reading<'a, B> {
    statement: &'a str,
    number: String,
    forms: &'a [Form],
    timeout: Duration,
    begin: B,
}

#[async_trait]
impl<T: Take, B: Fn() -> T + Send + Sync> Work for Reading<'_, B> {
    type Done = (T, u32, u64);

    async fn run(&mut self, link: &mut Link) -> Result<Self::Done, Failure> {
        let (mut taken, mut count, mut is_ours) = ((self.begin)(), 0u32, true);
        let number = self.number.as_bytes();
        let mut each = |line: Line<'_>| {
            count = count.saturating_add(1);
            is_ours &= line.bytes(plan::NUMBER) == Some(number);
            if is_ours {
                taken.take(line);
            }
        };
        let bytes = read::rows(link, self.statement, self.forms, self.timeout, &mut each).await?;
        if !is_ours {
            return Err(Failure::Protocol("it answers another question than was asked".to_owned()));
        }
        Ok((taken, count, bytes))
    }
}

impl Session {
    pub(super) fn new(
        target: Target,
        hosts: Arc<Hosts>,
        clock: Arc<dyn Clock>,
        run_id: &str,
        rows_per_second: Option<u32>,
    ) -> Self {
        Session {
            target,
            open: Mutex::default(),
            hosts,
            clock,
            statements: AtomicU64::new(xxh3_64(run_id.as_bytes()) >> 24 << 16),
            rows_per_second: rows_per_second.and_then(NonZeroU32::new),
            ready_at: Short::default(),
        }
    }

    fn timer(&self) -> &Arc<dyn Timer> {
        self.hosts.timer()
    }

    /// Does `work` over the connection; again, over a new one and after a growing pause, when what went wrong may pass.
    pub(super) async fn with<W: Work>(&self, requests: &mut u64, work: &mut W) -> Result<W::Done> {
        let mut pauses = None;
        let mut tries = 0u64;
        loop {
            tries += 1;
            *requests += 1;
            let failure = match self.attempt(work).await {
                Ok(done) => return Ok(done),
                #[cfg(feature = "odbc")]
                Err(Failure::AnotherWay) => continue,
                Err(failure) => failure,
            };
            let refusal = self.target.refusal(failure);
            if !refusal.is_passing {
                return Err(refusal.error);
            }
            let pauses = pauses.get_or_insert_with(|| self.hosts.pauses(&self.target.place));
            let Some(pause) = pauses.next() else { return Err(refusal.error.with("tries", tries)) };
            let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            warn!(error = %refusal.error, pause_ms, "asking again after a pause");
            self.timer().sleep(pause).await;
        }
    }

    async fn attempt<W: Work>(&self, work: &mut W) -> Result<W::Done, Failure> {
        let mut open = self.open.lock().await;
        // Out of its place while it is used: what is broken off in the middle is not used again.
        let mut taken = self.taken(open.take()).await?;
        let done = work.run(&mut taken.link).await?;
        *open = Some(taken);
        Ok(done)
    }

    async fn taken(&self, open: Option<Open>) -> Result<Open, Failure> {
        if let Some(open) = open {
            return Ok(open);
        }
        let (link, now) = self.target.connect().await?;
        Ok(Open { link, told: now.map(|now| (now, self.timer().elapsed())) })
    }

    /// Runs a statement and gives its rows to what `begin` makes, anew for every try.
    pub(super) async fn rows<T: Take>(
        &self,
        statement: &str,
        forms: &[Form],
        cost: &mut Cost,
        begin: impl Fn() -> T + Send + Sync,
    ) -> Result<T> {
        self.wait_for_turn().await;
        let began = self.timer().elapsed();
        let number = self.statements.fetch_add(1, Ordering::Relaxed).to_string();
        let statement = &statement.replacen(NUMBER, &number, 1);
        let mut work = Reading { statement, number, forms, timeout: self.target.timeout(), begin };
        let (taken, count, bytes) = self.with(&mut cost.requests, &mut work).await?;
        cost.bytes += bytes;
        if let Some(rate) = self.rows_per_second {
            let ready_at = began + Duration::from_secs(count.into()) / rate.get();
            *self.ready_at.lock().unwrap_or_else(PoisonError::into_inner) = ready_at;
        }
        Ok(taken)
    }

    /// Waits until as many rows as were read may have been read.
    async fn wait_for_turn(&self) {
        let ready_at = *self.ready_at.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = ready_at.saturating_sub(self.timer().elapsed());
        if !wait.is_zero() {
            self.timer().sleep(wait).await;
        }
    }

    /// What time it is there, as far as is known without asking: what it was when connected, and what has gone by; for a
    /// file, what time it is here.
    pub(super) async fn now(&self) -> Timestamp {
        let told = self.open.lock().await.as_ref().and_then(|open| open.told);
        match told {
            Some((now, at)) => {
                let gone_by = self.timer().elapsed().saturating_sub(at).as_micros();
                now.plus_micros(i64::try_from(gone_by).unwrap_or_default())
            }
            None => self.clock.now(),
        }
    }
}
