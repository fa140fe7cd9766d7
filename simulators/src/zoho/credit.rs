//! How much is asked of an org: credits of the last 24 hours, and requests at once.

use std::collections::VecDeque;

use crate::instant::DAY;

/// How many heavy requests may run at once.
pub(crate) const HEAVY: u64 = 10;

/// Counters of an org.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// How many requests run right now, and how many of them are heavy.
    pub(crate) running: u64,
    pub(crate) heavy: u64,
    /// The most that ever ran at once.
    pub(crate) peak: u64,
    /// All credits that were ever used.
    pub(crate) total: u64,
    /// Second, and how many credits were used in it.
    recent: VecDeque<(i64, u64)>,
}

impl Limits {
    /// A request begins; says how many run now, and how many of them are heavy.
    pub(crate) fn enter(&mut self, is_heavy: bool) -> (u64, u64) {
        self.running += 1;
        self.heavy += u64::from(is_heavy);
        self.peak = self.peak.max(self.running);
        (self.running, if is_heavy { self.heavy } else { 0 })
    }

    pub(crate) fn leave(&mut self, is_heavy: bool) {
        self.running = self.running.saturating_sub(1);
        self.heavy = self.heavy.saturating_sub(u64::from(is_heavy));
    }

    /// How many credits the last 24 hours took.
    pub(crate) fn used(&mut self, now: i64) -> u64 {
        while self.recent.front().is_some_and(|&(second, _)| second <= now - DAY) {
            self.recent.pop_front();
        }
        self.recent.iter().map(|(_, used)| used).sum()
    }

    /// Uses credits.
    pub(crate) fn count(&mut self, now: i64, credits: u64) {
        self.total += credits;
        match self.recent.back_mut() {
            Some((second, counted)) if *second == now => *counted += credits,
            _ => self.recent.push_back((now, credits)),
        }
    }
}
