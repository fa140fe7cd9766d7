//! How much is asked of a portal: calls at once, in ten seconds and in a day, and searches in a second.

use std::collections::VecDeque;

use serde_json::json;

use crate::hubspot::auth::Caller;
use crate::hubspot::options::{LimitForm, Options};
use crate::hubspot::refusal::Refusal;
use crate::hubspot::state::State;
use crate::hubspot::time::{DAY, SECOND};
use crate::wire::Reply;

/// The window of the burst allowance, in milliseconds.
const WINDOW: i64 = 10_000;

/// The newest calls, by when they came.
#[derive(Debug, Default)]
struct Rolling(VecDeque<i64>);

impl Rolling {
    /// How many came in the last `length` milliseconds.
    fn used(&mut self, now: i64, length: i64) -> u64 {
        while self.0.front().is_some_and(|&at| at <= now - length) {
            self.0.pop_front();
        }
        self.0.len() as u64
    }

    /// Counts a call, unless there were `most` already; says how many there are now, refused or not.
    fn count(&mut self, now: i64, length: i64, most: u64) -> u64 {
        let used = self.used(now, length);
        if used < most {
            self.0.push_back(now);
        }
        used + 1
    }
}

/// Counters of a portal.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// How many requests run right now.
    running: u64,
    /// The most that ever ran at once.
    pub(crate) peak: u64,
    private: Rolling,
    oauth: Rolling,
    searches: Rolling,
    /// The searches that came, refused ones too.
    asked: Rolling,
    /// The most searches of a second, on the portal's clock.
    pub(crate) most_searches: u64,
    /// The account's day that is counted, and the calls of it.
    day: i64,
    today: u64,
}

impl Limits {
    pub(crate) fn enter(&mut self) {
        self.running += 1;
        self.peak = self.peak.max(self.running);
    }

    pub(crate) fn leave(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// How many calls private apps made today.
    pub(crate) fn today(&mut self, now: i64, options: &Options) -> u64 {
        let day = (now + options.zone_secs * SECOND).div_euclid(DAY);
        if day != self.day {
            (self.day, self.today) = (day, 0);
        }
        self.today
    }

    /// The most searches of a second, anew.
    pub(crate) fn forget_searches(&mut self) {
        self.most_searches = 0;
    }
}

/// When the account's day ends.
pub(crate) fn midnight(now: i64, options: &Options) -> i64 {
    let zone = options.zone_secs * SECOND;
    ((now + zone).div_euclid(DAY) + 1) * DAY - zone
}

/// What is left to a caller, for the headers of its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    burst: (u64, u64),
    day: Option<(u64, u64)>,
    is_search: bool,
}

/// Counts a call, and refuses it when it is one too many.
pub(crate) fn count(state: &mut State, caller: &Caller, is_search: bool) -> Result<Left, Refusal> {
    let (now, options) = (state.now, &state.options);
    let limits = &mut state.limits;
    let used_today = limits.today(now, options);
    let counts_daily = !caller.is_oauth && (!is_search || options.hypotheses.searches_count_daily);
    if counts_daily && used_today >= options.daily_limit {
        return Err(too_many(options, Policy::Daily, None));
    }
    let most = if caller.is_oauth { options.oauth_burst } else { options.burst };
    let mut left = Left { burst: (most, most.saturating_sub(1)), day: None, is_search };
    if is_search {
        limits.most_searches = limits.most_searches.max(limits.asked.count(now, SECOND, u64::MAX));
        let most = options.searches_per_second;
        if options.rate_limits && limits.searches.count(now, SECOND, most) > most {
            return Err(too_many(options, Policy::Secondly, None));
        }
    } else if options.rate_limits {
        let window = if caller.is_oauth { &mut limits.oauth } else { &mut limits.private };
        let used = window.count(now, WINDOW, most);
        if used > most {
            return Err(too_many(options, Policy::TenSecondly, None));
        }
        left.burst.1 = most - used;
    }
    if counts_daily {
        limits.today += 1;
    }
    if !caller.is_oauth {
        left.day = Some((options.daily_limit, options.daily_limit.saturating_sub(limits.today)));
    }
    Ok(left)
}

/// The headers that tell what is left.
pub(crate) fn headed(reply: Reply, left: &Left, options: &Options) -> Reply {
    if left.is_search {
        return reply.with("x-hubspot-rate-limit-exemptions", "[\"ten-secondly\"]");
    }
    let mut reply = reply
        .with("X-HubSpot-RateLimit-Max", left.burst.0.to_string())
        .with("X-HubSpot-RateLimit-Remaining", left.burst.1.to_string())
        .with("X-HubSpot-RateLimit-Interval-Milliseconds", WINDOW.to_string());
    if let Some((max, remaining)) = left.day {
        reply = reply
            .with("X-HubSpot-RateLimit-Daily", max.to_string())
            .with("X-HubSpot-RateLimit-Daily-Remaining", remaining.to_string());
    }
    if options.hypotheses.secondly_headers {
        reply = reply.with("X-HubSpot-RateLimit-Secondly", "19").with("X-HubSpot-RateLimit-Secondly-Remaining", "18");
    }
    reply
}

/// Which allowance is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Daily,
    TenSecondly,
    Secondly,
}

/// 429. `retry_after` is sent if it is given here or assumed.
pub(crate) fn too_many(options: &Options, policy: Policy, retry_after: Option<u64>) -> Refusal {
    let (name, message) = match policy {
        Policy::Daily => ("DAILY", "You have reached your daily limit."),
        Policy::TenSecondly => ("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit."),
        Policy::Secondly => ("SECONDLY", "You have reached your secondly limit."),
    };
    let mut refusal = Refusal { status: 429, message: message.to_owned(), ..Refusal::default() };
    let form = match options.hypotheses.limit_form {
        LimitForm::Mixed if policy == Policy::Secondly => LimitForm::Recorded,
        LimitForm::Mixed => LimitForm::Documented,
        form => form,
    };
    match form {
        LimitForm::Recorded => refusal.category = Some("RATE_LIMITS"),
        LimitForm::Bare => {}
        LimitForm::Documented | LimitForm::Mixed => {
            refusal.extra =
                vec![("errorType", json!("RATE_LIMIT")), ("policyName", json!(name)), ("requestId", json!("a1b2c3d4"))];
        }
    }
    if let Some(secs) = retry_after.or(options.hypotheses.retry_after_secs) {
        refusal.headers.push(("Retry-After", secs.to_string()));
    }
    refusal
}
