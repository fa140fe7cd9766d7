//! The org's allowance of REST calls, over a rolling day.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::salesforce::instant::DAY;

/// Calls of the last 24 hours.
#[derive(Debug)]
pub(crate) struct Quota {
    pub(crate) max: u64,
    /// Second, and how many calls there were in it.
    recent: VecDeque<(i64, u64)>,
}

impl Quota {
    pub(crate) fn new(max: u64) -> Self {
        Quota { max, recent: VecDeque::new() }
    }

    /// How many calls the last 24 hours saw.
    pub(crate) fn used(&mut self, now: i64) -> u64 {
        while self.recent.front().is_some_and(|&(second, _)| second <= now - DAY) {
            self.recent.pop_front();
        }
        self.recent.iter().map(|(_, calls)| calls).sum()
    }

    /// Counts `calls`.
    pub(crate) fn count(&mut self, now: i64, calls: u64) {
        match self.recent.back_mut() {
            Some((second, counted)) if *second == now => *counted += calls,
            _ => self.recent.push_back((now, calls)),
        }
    }

    /// The value of `Sforce-Limit-Info`.
    pub(crate) fn header(&mut self, now: i64) -> String {
        let used = self.used(now);
        if used > self.max {
            return format!("api-usage={used}/{}; api-bursts={}/{}", self.max, used - self.max, self.max / 10 + 1);
        }
        format!("api-usage={used}/{}", self.max)
    }

    /// The answer of `/limits`.
    pub(crate) fn limits(&mut self, now: i64) -> Value {
        let pair = |max: u64, remaining: u64| json!({"Max": max, "Remaining": remaining});
        let left = self.max.saturating_sub(self.used(now));
        json!({
            "DailyApiRequests": {"Max": self.max, "Remaining": left, "nenrin": {"Max": 0, "Remaining": 0}},
            "DailyAsyncApexExecutions": pair(250_000, 250_000),
            "DailyBulkApiBatches": pair(15_000, 15_000),
            "DailyBulkV2QueryFileStorageMB": pair(976_562, 976_562),
            "DailyBulkV2QueryJobs": pair(10_000, 10_000),
            "DataStorageMB": pair(1_073, 1_000),
            "FileStorageMB": pair(10_240, 10_000),
            "HourlyAsyncReportRuns": pair(1_200, 1_200),
        })
    }
}
