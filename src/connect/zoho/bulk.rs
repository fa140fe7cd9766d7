//! Bulk read jobs: for what would take queries more credits than the 50 of a job.
//!
//! A job tells of the records as they were when it was done, and its file is kept for a day. So a reading that is
//! interrupted goes on with the same job; where that is gone, failed or told of other records than it said, everything
//! is read again by queries.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::debug;

use super::api::{Api, Judged, VERSION, classified, present};
use super::model::{JobSeen, JobsMade, JobsSeen};
use super::page::{Problem, Table};
use super::plan::Columns;
use super::refusal::Refusal;
use super::zip::{Archive, File};
use crate::clock::Timestamp;
use crate::connect::http::{Answer, Request, Sent, Tally, Target, Verdict, unexpected};
use crate::error::{Error, ErrorKind, Result};
use crate::record::Records;

/// The first pause between two questions how far a job is, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often one reading asks before it gives up: about five hours.
const MOST_QUESTIONS: u32 = 600;
/// A page has as many rows as give about so many cells, so that it fits into memory whatever its width.
const CELLS_PER_PAGE: usize = 500_000;

/// The rows to read at a time. Where lists must add to each row, a page has fewer.
pub(super) fn rows_per_page(columns: &Columns, has_lists: bool) -> usize {
    let most = if has_lists { 2_000 } else { 50_000 };
    (CELLS_PER_PAGE / columns.names.len().max(1)).clamp(1_000, most)
}

/// Where a reading stands with its job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) id: String,
    /// When the job was seen to be done, and what it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) done: Option<Done>,
    /// Rows of its file that were read.
    pub(super) read: u64,
}

/// What is known of a job that is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) at: Timestamp,
    pub(super) rows: u64,
    /// What the next job is asked for with, where this one could not hold all rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// The file that was fetched last, where reading stands in it.
#[derive(Default)]
pub(super) struct Shelf(Mutex<Option<(String, Table<File>)>>);

impl Shelf {
    fn take(&self, job: &str, row: u64) -> Option<Table<File>> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.take_if(|(id, table)| id == job && table.at == row).map(|(_, table)| table)
    }

    fn put(&self, job: &str, table: Table<File>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((job.to_owned(), table));
    }
}

impl Api {
    /// Has all records of a module put into a file; gives the job's id. With `token` those that the last job left.
    pub(super) async fn create_job(
        &self,
        module: &str,
        columns: &Columns,
        token: Option<&str>,
    ) -> Result<Sent<Judged<String>>> {
        let query = match token {
            Some(token) => json!({ "page_token": token }),
            None => json!({ "module": { "api_name": module }, "fields": columns.names.to_vec(), "page": 1 }),
        };
        let target = Target::Relative(format!("/crm/bulk/{VERSION}/read"));
        let request = Request::post(target, "application/json", json!({ "query": query }).to_string());
        let first = |body: &[u8]| {
            let made: JobsMade = serde_json::from_slice(body)?;
            let made = made.data.into_iter().next();
            made.map(|made| made.details.id).ok_or_else(|| serde::de::Error::custom("no job"))
        };
        present(self.ask(&request, first).await?)
    }

    /// Waits until the job is done.
    pub(super) async fn finish_job(&self, job: &str, tally: &mut Tally) -> Result<Sent<Judged<JobSeen>>> {
        let request = Request::get(Target::Relative(format!("/crm/bulk/{VERSION}/read/{job}")));
        let first = |body: &[u8]| {
            let seen: JobsSeen = serde_json::from_slice(body)?;
            seen.data.into_iter().next().ok_or_else(|| serde::de::Error::custom("no job"))
        };
        let mut pause = FIRST_PAUSE;
        for _ in 0..MOST_QUESTIONS {
            let mut sent = present(self.ask(&request, first).await?)?;
            tally.add(&sent);
            match &sent.value {
                Ok(seen) if seen.state == "FAILURE" => {
                    let word = seen.result.as_ref().and_then(|result| result.error_message.get("code"));
                    let error = Error::new(ErrorKind::Unavailable, "the bulk job failed")
                        .with("answer", word.and_then(Value::as_str).unwrap_or("FAILURE"));
                    sent.value = Err(Refusal::new("JOB_FAILED", error));
                    return Ok(sent);
                }
                Ok(seen) if seen.state != "COMPLETED" => debug!(job, state = seen.state, "the bulk job is not done"),
                Ok(_) | Err(_) => return Ok(sent),
            }
            self.client.pause(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(Error::new(ErrorKind::Unavailable, "a bulk job does not end")
            .with("job", job)
            .help("the next run goes on waiting; or set `transport: rest`"))
    }

    /// At most so many rows of the job's file, behind those that were read; and whether that was its end. The file is
    /// fetched once, and again by a run that goes on with it.
    pub(super) async fn job_rows(
        &self,
        job: &Job,
        columns: &Arc<Columns>,
        most: usize,
        tally: &mut Tally,
    ) -> Result<Judged<(Records, bool)>> {
        let table = match self.shelf.take(&job.id, job.read) {
            Some(table) => table,
            None => match self.fetch(&job.id, tally).await? {
                Ok(archive) => {
                    let table = Table::open(archive.file());
                    match table.and_then(|mut table| table.skip_to(job.read).map(|()| table)) {
                        Ok(table) => table,
                        Err(problem) => return Ok(Err(damaged(problem))),
                    }
                }
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        let columns = Arc::clone(columns);
        let read = move || {
            let mut table = table;
            table.read(&columns, most).map(|read| (table, read))
        };
        let read = tokio::task::spawn_blocking(read).await;
        let read = read.map_err(|error| Error::new(ErrorKind::Internal, "reading a file failed").caused_by(error))?;
        Ok(match read {
            Ok((table, read)) => {
                self.shelf.put(&job.id, table);
                Ok(read)
            }
            Err(problem) => Err(damaged(problem)),
        })
    }

    async fn fetch(&self, job: &str, tally: &mut Tally) -> Result<Judged<Archive>> {
        let target = Target::Relative(format!("/crm/bulk/{VERSION}/read/{job}/result"));
        let request = Request::get(target).accepting("application/x-download, application/json");
        let meter = Arc::clone(&self.meter);
        let judge = move |answer: Answer| {
            meter.note(&answer);
            if !answer.status.is_success() {
                return classified(&answer);
            }
            if answer.is_html() || answer.body.is_empty() {
                return unexpected(&answer);
            }
            match Archive::open(&answer.body) {
                Ok(archive) => Verdict::Accept(Ok(archive)),
                Err(problem) => Verdict::Again {
                    error: Error::new(ErrorKind::Unavailable, "the file of a bulk job is not whole")
                        .with("found", problem)
                        .help("run the sync again; if it stays so, set `transport: rest`"),
                    wait: None,
                },
            }
        };
        let sent = self.client.send(&request, Some(self.auth.as_ref()), judge).await?;
        tally.add(&sent);
        Ok(sent.value)
    }
}

/// A whole file that is not as it should be stays so however often it is fetched: the records are read another way.
fn damaged(problem: Problem) -> Refusal {
    let error =
        Error::new(ErrorKind::BadData, "the file of a bulk job is not the CSV we expect").with("found", problem);
    Refusal::new("JOB_UNREADABLE", error)
}
