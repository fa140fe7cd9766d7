//! What no window shows: when the org was last looked at for it, and when it must be again.

use serde::{Deserialize, Serialize};

use super::{Kind, Progress, Rules, Transport};
use crate::clock::Timestamp;

/// How far back the log of deletions is asked for: Salesforce keeps 15 days of it.
const MOST_LOGGED_SECS: i64 = 14 * 86_400;

/// When the org was last looked at for what no window shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::connect::salesforce) struct Looks {
    /// When the last pass or sweep began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::connect::salesforce) swept_at: Option<Timestamp>,
    /// When the last pass began: all values were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::connect::salesforce) refreshed_at: Option<Timestamp>,
    /// How far the log of deletions has been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::connect::salesforce) logged_until: Option<Timestamp>,
}

impl Progress {
    /// What follows when a reading is complete and the org's clock shows `now`: after a window, whatever of these was
    /// too long ago: the log of deletions, then a pass (where values change without a stamp) or a sweep.
    ///
    /// A window tells of deletions that are still in the recycle bin, which Salesforce empties after 15 days.
    pub(in crate::connect::salesforce) fn follow_up(
        &self,
        run_id: &str,
        now: Timestamp,
        rules: Rules,
    ) -> Option<Progress> {
        let due = |secs: Option<i64>, last: Option<Timestamp>| {
            secs.is_some_and(|secs| last.is_none_or(|at| now >= at.plus_secs(secs)))
        };
        let looks = self.looks_after();
        let id = format!("{run_id}@{now}");
        let (kind, transport) = match &self.kind {
            Kind::Pass { .. } | Kind::Sweep { .. } => return None,
            Kind::Window { .. } if due(rules.log_secs, looks.logged_until) => {
                let oldest = now.plus_secs(-MOST_LOGGED_SECS);
                let from = looks.logged_until.map_or(oldest, |at| at.plus_secs(-rules.overlap_secs).max(oldest));
                (Kind::DeleteLog { from, started_at: now }, Transport::Rest)
            }
            _ if due(rules.refresh_secs, looks.refreshed_at) => {
                let pass = Progress::pass(run_id, now, None, rules);
                (pass.kind, pass.transport)
            }
            _ if due(rules.sweep_secs, looks.swept_at) => {
                (Kind::Sweep { id, started_at: now, sliced: false }, Transport::Rest)
            }
            _ => return None,
        };
        Some(Progress { kind, transport, looks, follows: true, resumed: self.resumed, ..Progress::new(self.until) })
    }

    /// What has been looked at when the reading is complete.
    pub(super) fn looks_after(&self) -> Looks {
        match &self.kind {
            Kind::Pass { started_at, .. } => {
                let at = Some(*started_at);
                let logged_until = at.max(self.looks.logged_until);
                Looks { swept_at: at, refreshed_at: at, logged_until }
            }
            Kind::Sweep { started_at, .. } => Looks { swept_at: Some(*started_at), ..self.looks },
            Kind::DeleteLog { started_at, .. } => {
                Looks { logged_until: self.looks.logged_until.max(Some(*started_at)), ..self.looks }
            }
            Kind::Window { .. } => self.looks,
        }
    }

    /// The same progress, for a log of deletions that reaches to `covered` only, or that has gaps, so that all ids
    /// must be looked at.
    pub(in crate::connect::salesforce) fn logged(mut self, covered: Option<Timestamp>, has_gaps: bool) -> Progress {
        if let (Kind::DeleteLog { started_at, .. }, Some(covered)) = (&mut self.kind, covered) {
            *started_at = covered.min(*started_at);
        }
        if has_gaps {
            self.looks.swept_at = None;
        }
        self
    }

    /// From when to when the log of deletions is read.
    pub(in crate::connect::salesforce) fn log_span(&self) -> Option<(Timestamp, Timestamp)> {
        match &self.kind {
            Kind::DeleteLog { from, started_at } => Some((*from, *started_at)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{RULES, at, swept, window};
    use super::super::{State, Step, next_step};
    use super::*;
    use crate::connect::ReadMode;
    use crate::record::Reading;

    #[test]
    fn e2_ids_are_swept_when_the_last_look_at_all_of_them_is_too_long_ago() {
        let now = at("12:00:00");
        let after = |swept_at, rules| {
            let window = Progress { looks: swept(swept_at), ..window() };
            window.follow_up("run", now, rules).map(|sweep| (sweep.reading("s"), sweep.until, sweep.done()))
        };
        let reading = Reading::Sweep { id: format!("run@{now}"), started_at: now, scope: "s".into() };
        let done = State::Done { until: at("11:55:00"), looks: swept(Some(now)) };
        assert_eq!(after(None, RULES), Some((reading.clone(), at("11:55:00"), done.clone())));
        assert_eq!(after(Some(now.plus_secs(-86_400)), RULES), Some((reading, at("11:55:00"), done)));
        assert_eq!(after(Some(now.plus_secs(-86_399)), RULES), None);
        assert_eq!(after(None, Rules { sweep_secs: None, ..RULES }), None);
        // A pass has looked at all of them.
        assert_eq!(Progress::pass("run", now, None, RULES).follow_up("run", now, RULES), None);
    }

    #[test]
    fn lesson_9_values_that_change_without_a_stamp_are_read_again() {
        let now = at("12:00:00");
        let ago = |secs: i64| Some(now.plus_secs(-secs));
        let rules = Rules { refresh_secs: Some(86_400), log_secs: Some(3_600), ..RULES };
        let kinds = |looks: Looks| {
            let mut kinds = Vec::new();
            let mut progress = Progress { looks, ..window() };
            while let Some(next) = progress.follow_up("run", now, rules) {
                assert!(next.follows);
                kinds.push(match next.kind {
                    Kind::Pass { .. } => "pass",
                    Kind::Sweep { .. } => "sweep",
                    Kind::DeleteLog { .. } => "log",
                    Kind::Window { .. } => "window",
                });
                progress = next;
            }
            kinds
        };
        let looks = |swept_at, refreshed_at, logged_until| Looks { swept_at, refreshed_at, logged_until };
        assert_eq!(kinds(looks(ago(0), ago(0), ago(0))), [""; 0]);
        assert_eq!(kinds(looks(ago(0), ago(0), ago(3_600))), ["log"]);
        assert_eq!(kinds(looks(ago(86_400), ago(0), ago(0))), ["sweep"]);
        // A pass looks at all ids too.
        assert_eq!(kinds(looks(ago(86_400), ago(86_400), ago(3_600))), ["log", "pass"]);
        // A log with gaps is made good for by a sweep.
        let log = Progress { looks: looks(ago(0), ago(0), ago(3_600)), ..window() }.follow_up("run", now, rules);
        let log = log.unwrap().logged(ago(60), true);
        let State::Done { looks, .. } = log.done() else { panic!() };
        assert_eq!((looks.logged_until, looks.swept_at), (ago(60), None));
        assert!(log.follow_up("run", now, rules).unwrap().is_sweep());
    }

    #[test]
    fn f5_a_run_that_begins_before_a_sweep_reads_what_changed_first() {
        let swept_at = Some(at("00:00:00").plus_secs(-86_400));
        let sweep = Progress { looks: swept(swept_at), ..window() }.follow_up("run", at("12:00:00"), RULES).unwrap();
        let step = |progress, first| next_step(Some(State::Reading(progress)), first, ReadMode::Incremental, RULES);
        assert_eq!(step(sweep.clone(), true), Step::BeginWindow { since: at("11:55:00"), looks: swept(swept_at) });
        assert_eq!(step(sweep.clone(), false), Step::Continue(sweep.clone()));
        // Half of one is read to its end.
        let half = sweep.advanced(2_000, 3_000, None, Some((None, "a".into()))).0.unwrap();
        assert!(matches!(step(half, true), Step::Continue(Progress { read: 2_000, .. })));
    }
}
