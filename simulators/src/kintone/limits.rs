//! How much is asked of a domain: requests at once, and requests to each app by day.

use std::collections::BTreeMap;

use crate::instant::DAY;

/// Counters of a domain.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// How many requests run right now.
    pub(crate) running: u64,
    /// The most that ever ran at once.
    pub(crate) peak: u64,
    /// The day (in UTC) that is counted, and the requests to each app.
    day: i64,
    by_app: BTreeMap<u64, u64>,
}

impl Limits {
    /// A request begins; says how many run now.
    pub(crate) fn enter(&mut self) -> u64 {
        self.running += 1;
        self.peak = self.peak.max(self.running);
        self.running
    }

    pub(crate) fn leave(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// Counts a request to an app and says how many there were today.
    pub(crate) fn count(&mut self, app: u64, now: i64) -> u64 {
        self.roll(now);
        let counter = self.by_app.entry(app).or_default();
        *counter += 1;
        *counter
    }

    /// How many requests an app had today.
    pub(crate) fn today(&mut self, app: u64, now: i64) -> u64 {
        self.roll(now);
        self.by_app.get(&app).copied().unwrap_or_default()
    }

    fn roll(&mut self, now: i64) {
        let day = now.div_euclid(DAY);
        if day != self.day {
            self.day = day;
            self.by_app.clear();
        }
    }
}
