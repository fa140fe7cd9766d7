//! Reading by a bulk job: having it made, waiting for it, and reading its file.

use tracing::info;

use super::{Read, Want, keys};
use crate::connect::http::Tally;
use crate::connect::zoho::Zoho;
use crate::connect::zoho::api::Judged;
use crate::connect::zoho::bulk::{Done, Job, rows_per_page};
use crate::connect::zoho::position::{By, Progress};
use crate::connect::zoho::refusal::Refusal;
use crate::error::{Error, ErrorKind, Result};
use crate::record::Records;

impl Zoho {
    /// Has a job made. Gives a page without records.
    pub(super) async fn begin_job(
        &self,
        want: &Want<'_>,
        progress: &Progress,
        tally: &mut Tally,
    ) -> Result<Judged<Read>> {
        let sent = self.api.create_job(want.module(), &want.plan.parts[0], None).await?;
        tally.add(&sent);
        let observed_at = self.observed(sent.date);
        let id = match sent.value {
            Ok(id) => id,
            Err(refusal) => return Ok(Err(refusal)),
        };
        info!(source_id = %self.id, stream = want.stream.name, job = id, "reading by a bulk job");
        let rest = progress.clone().with_job(Job { id, done: None, read: 0 });
        let records = want.shaped(Records::default());
        Ok(Ok(Read { asked: progress.clone(), records, observed_at, rest, ends: false, waits: true }))
    }

    pub(super) async fn read_job(
        &self,
        want: &Want<'_>,
        progress: &Progress,
        mut job: Job,
        tally: &mut Tally,
    ) -> Result<Judged<Read>> {
        let done = match job.done.clone() {
            Some(done) => done,
            None => {
                let sent = self.api.finish_job(&job.id, tally).await?;
                let at = self.observed(sent.date);
                match sent.value {
                    Ok(seen) => {
                        let result = seen.result.unwrap_or_default();
                        Done { at, rows: result.count, next: result.next_page_token }
                    }
                    Err(refusal) => return Ok(Err(refusal)),
                }
            }
        };
        let (part, lists) = (&want.plan.parts[0], &want.plan.parts[1..]);
        let most = rows_per_page(part, !lists.is_empty());
        let (records, is_end) = match self.api.job_rows(&job, part, most, tally).await? {
            Ok(read) => read,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let rows = records.len() as u64;
        job.read += rows;
        if is_end && job.read != done.rows {
            let error =
                Error::new(ErrorKind::Unavailable, "the file of a bulk job has another number of rows than it says");
            return Ok(Err(Refusal::new("JOB_LACKS", error)));
        }
        let ids = keys(&records);
        let mut parts = vec![records];
        for part in lists.iter().filter(|_| !ids.is_empty()) {
            match self.by_ids(want, part, &ids, tally).await? {
                Ok(records) => parts.push(records),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        let records = match self.joined(want, parts, progress, tally).await? {
            Ok(records) => records,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let records = want.shaped(self.whole_texts(want, records, tally).await?);
        let observed_at = done.at;
        let asked = progress.clone();
        let (rest, ends) = match (is_end, done.next.clone()) {
            (false, _) => {
                let rest = asked.clone().advanced(rows, None, true, None).0;
                (rest.with_job(Job { done: Some(done), ..job }), false)
            }
            (true, None) => asked.clone().advanced(rows, None, false, None),
            (true, Some(token)) => {
                let sent = self.api.create_job(want.module(), part, Some(&token)).await?;
                tally.add(&sent);
                let rest = asked.clone().advanced(rows, None, true, None).0;
                match sent.value {
                    Ok(id) => (rest.with_job(Job { id, done: None, read: 0 }), false),
                    Err(refusal) => return Ok(Err(refusal)),
                }
            }
        };
        let waits = matches!(&rest.by, By::Job { job: Some(job) } if job.done.is_none());
        Ok(Ok(Read { asked, records, observed_at, rest, ends, waits: waits && !ends }))
    }
}
