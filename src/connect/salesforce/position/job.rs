//! The part of a reading that is had by a bulk job: when it is worth one, and how far its result was read.

use serde::{Deserialize, Serialize};

use super::super::bulk::{Done, Job};
use super::{Progress, Rules};

/// The columns of a row of usual width: of wider rows, fewer are reason enough for a bulk job.
const USUAL_COLUMNS: u64 = 50;

/// How the rest of a reading is asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub(in crate::connect::salesforce) enum Transport {
    #[default]
    Rest,
    /// Bulk was refused, or failed: not again in this reading.
    OnlyRest,
    /// By a job, which may still have to be made.
    Bulk { job: Option<Job> },
}

impl Transport {
    pub(super) fn is_rest(&self) -> bool {
        *self == Transport::Rest
    }
}

impl Progress {
    /// The job that reads the rest, if one does.
    pub(in crate::connect::salesforce) fn job(&self) -> Option<&Option<Job>> {
        match &self.transport {
            Transport::Bulk { job } => Some(job),
            Transport::Rest | Transport::OnlyRest => None,
        }
    }

    /// The same progress, with the rest read by `job`.
    pub(in crate::connect::salesforce) fn with_job(self, job: Option<Job>) -> Progress {
        let rest = if self.job().is_some() { self } else { self.asked_anew() };
        Progress { transport: Transport::Bulk { job }, ..rest }
    }

    /// The same progress before its job, if it has one, and with no other to come: rows of a job come in no order,
    /// so there is no going on among them.
    pub(in crate::connect::salesforce) fn without_job(self) -> Progress {
        let read = if self.job().is_some() { self.read_before } else { self.read };
        Progress { transport: Transport::OnlyRest, read, locator: None, ..self }
    }

    /// Whether the rest is better had by a job, when the present query has `total` rows of `columns` columns.
    pub(in crate::connect::salesforce) fn wants_job(&self, total: u64, columns: usize, rules: Rules) -> bool {
        let left = (self.read_before + total).saturating_sub(self.read);
        self.transport.is_rest()
            && self.locator.is_some()
            && self.asks_for_all()
            && rules.bulk_from.is_some_and(|from| left >= from || left * columns as u64 >= from * USUAL_COLUMNS)
    }

    /// Moves behind a page of the job's result: `None` when the reading is complete with it. A result that ends with
    /// another number of rows than the job said is read once more, by REST.
    pub(in crate::connect::salesforce) fn advanced_in_job(
        mut self,
        rows: u64,
        next: Option<String>,
        done: Done,
    ) -> (Option<Progress>, Option<u64>) {
        self.read += rows;
        let said = Some(self.read_before + done.rows);
        if next.is_some() {
            if let Transport::Bulk { job: Some(job) } = &mut self.transport {
                job.locator = next;
            }
            return (Some(self), said);
        }
        let is_whole = self.read - self.read_before == done.rows;
        ((!is_whole).then(|| self.without_job()), said)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{RULES, at};
    use super::*;
    use crate::connect::salesforce::soql::Range;

    #[test]
    fn the_rest_of_a_large_reading_is_had_by_a_job() {
        let rules = Rules { bulk_from: Some(1_000), ..RULES };
        let pass = |total| {
            let pass = Progress::pass("run", at("12:00:00"), None, rules);
            pass.advanced(2_000, total, Some("/next".into()), Some((None, "b".into()))).0.unwrap()
        };
        assert!(!pass(2_999).wants_job(2_999, 50, rules) && pass(3_000).wants_job(3_000, 50, rules));
        // Wider rows sooner, narrower ones not later.
        assert!(pass(2_100).wants_job(2_100, 500, rules) && pass(3_000).wants_job(3_000, 1, rules));
        assert!(!pass(9_000).wants_job(9_000, 50, RULES));
        assert!(!pass(9_000).narrowed().unwrap().wants_job(9_000, 50, rules));
        let job = Job { id: "750".into(), columns: vec!["Id".into()], done: None, locator: None };
        let begun = pass(3_000).with_job(Some(job));
        assert_eq!(begun.range(None), Range::Pass { after: Some("b"), limit: None });
        let done = Done { at: at("12:05:00"), rows: 1_000 };
        let (half, said) = begun.clone().advanced_in_job(600, Some("L".into()), done);
        let half = half.unwrap();
        assert_eq!((half.read, said), (2_600, Some(3_000)));
        assert_eq!(half.clone().advanced_in_job(400, None, done), (None, Some(3_000)));
        // One row is missing: what the job was to read is read again by REST, behind the last row before it.
        let again = half.advanced_in_job(399, None, done).0.unwrap();
        assert_eq!(
            (again.read, again.job(), again.range(None)),
            (2_000, None, Range::Pass { after: Some("b"), limit: None })
        );
        assert!(!again.wants_job(9_000, 50, rules));
    }
}
