//! The org's allowances, each over a rolling day.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::salesforce::instant::DAY;
use crate::salesforce::options::Options;

/// What was used of an allowance in the last 24 hours.
#[derive(Debug)]
pub(crate) struct Rolling {
    pub(crate) max: u64,
    /// Second, and how much was used in it.
    recent: VecDeque<(i64, u64)>,
}

impl Rolling {
    fn new(max: u64) -> Self {
        Rolling { max, recent: VecDeque::new() }
    }

    /// How much the last 24 hours used.
    pub(crate) fn used(&mut self, now: i64) -> u64 {
        while self.recent.front().is_some_and(|&(second, _)| second <= now - DAY) {
            self.recent.pop_front();
        }
        self.recent.iter().map(|(_, used)| used).sum()
    }

    /// How much is left.
    pub(crate) fn left(&mut self, now: i64) -> u64 {
        self.max.saturating_sub(self.used(now))
    }

    /// Uses `amount`.
    pub(crate) fn count(&mut self, now: i64, amount: u64) {
        match self.recent.back_mut() {
            Some((second, counted)) if *second == now => *counted += amount,
            _ => self.recent.push_back((now, amount)),
        }
    }
}

/// The allowances of an org.
#[derive(Debug)]
pub(crate) struct Quota {
    pub(crate) calls: Rolling,
    pub(crate) bulk_jobs: Rolling,
    /// Of results of bulk jobs.
    pub(crate) bulk_kilobytes: Rolling,
}

impl Quota {
    pub(crate) fn new(options: &Options) -> Self {
        Quota {
            calls: Rolling::new(options.daily_requests),
            bulk_jobs: Rolling::new(options.bulk.daily_jobs),
            bulk_kilobytes: Rolling::new(options.bulk.daily_kilobytes),
        }
    }

    /// The value of `Sforce-Limit-Info`.
    pub(crate) fn header(&mut self, now: i64) -> String {
        let (used, max) = (self.calls.used(now), self.calls.max);
        if used > max {
            return format!("api-usage={used}/{max}; api-bursts={}/{}", used - max, max / 10 + 1);
        }
        format!("api-usage={used}/{max}")
    }

    /// The answer of `/limits`.
    pub(crate) fn limits(&mut self, now: i64) -> Value {
        let pair = |max: u64, remaining: u64| json!({"Max": max, "Remaining": remaining});
        let left = self.calls.left(now);
        json!({
            "DailyApiRequests": {"Max": self.calls.max, "Remaining": left, "nenrin": {"Max": 0, "Remaining": 0}},
            "DailyAsyncApexExecutions": pair(250_000, 250_000),
            "DailyBulkApiBatches": pair(15_000, 15_000),
            "DailyBulkV2QueryFileStorageMB": pair(self.bulk_kilobytes.max / 1_024, self.bulk_kilobytes.left(now) / 1_024),
            "DailyBulkV2QueryJobs": pair(self.bulk_jobs.max, self.bulk_jobs.left(now)),
            "DataStorageMB": pair(1_073, 1_000),
            "FileStorageMB": pair(10_240, 10_000),
            "HourlyAsyncReportRuns": pair(1_200, 1_200),
        })
    }
}
