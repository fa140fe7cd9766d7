//! Bulk API 2.0 query jobs: for what would take REST many pages.
//!
//! A job's result is fixed when the job has run, keeps its pages for seven days, and comes in no order. So a reading
//! that is interrupted goes on with the same job; where that is gone, what the job was to read is read again by REST.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use url::form_urlencoded;

use super::api::{Api, Judged, judge};
use super::csv;
use super::plan::Plan;
use super::refusal::{Refusal, first_error, last_line};
use crate::clock::Timestamp;
use crate::connect::http::{Answer, Request, Sent, Target, Verdict};
use crate::error::{Error, ErrorKind, Result};
use crate::record::Records;

/// The first pause between two questions how far a job is, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often one reading asks before it gives up: about five hours.
const MOST_QUESTIONS: u32 = 600;

/// A page is asked for as many rows as give about so many cells, so that it fits into memory whatever its width.
const CELLS_PER_PAGE: usize = 500_000;

/// The rows to ask for at a time.
pub(super) fn rows_per_page(plan: &Plan) -> usize {
    (CELLS_PER_PAGE / plan.names.len().max(1)).clamp(1_000, 50_000)
}

/// How a job is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JobState {
    Running,
    /// Done, with so many rows.
    Complete(u64),
    /// Failed or aborted, with what Salesforce says of it.
    Failed(String),
}

#[derive(Deserialize)]
struct Created {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    state: String,
    number_records_processed: Option<u64>,
    error_message: Option<String>,
}

/// One page of a result.
#[derive(Debug)]
pub(super) struct ResultPage {
    pub(super) records: Records,
    /// Where the next page is; `None` on the last.
    pub(super) locator: Option<String>,
}

impl Api {
    /// `POST …/jobs/query`: has the rows of `soql` collected, deleted ones included; gives the job's id.
    pub(super) async fn create_job(&self, soql: &str) -> Result<Sent<Judged<String>>> {
        let body = json!({ "operation": "queryAll", "query": soql, "contentType": "CSV",
                           "columnDelimiter": "COMMA", "lineEnding": "LF" });
        let target = Target::Relative(self.jobs_path(""));
        let request = Request::post(target, "application/json", body.to_string());
        let meter = Arc::clone(&self.meter);
        let judge = move |answer: Answer| match refused_job(&answer) {
            Some(error) => Verdict::Accept(Err(Refusal::NoBulk(error))),
            None => judge(&answer, &meter, |body| serde_json::from_slice::<Created>(body).map(|job| job.id)),
        };
        self.client.send(&request, Some(self.session.as_ref()), judge).await
    }

    /// `GET …/jobs/query/ID`: how the job is doing.
    async fn job_state(&self, job: &str) -> Result<Sent<Judged<JobState>>> {
        let request = Request::get(Target::Relative(self.jobs_path(&format!("/{job}"))));
        let meter = Arc::clone(&self.meter);
        let judge = move |answer: Answer| match answer.status.as_u16() {
            404 | 410 => Verdict::Accept(Err(Refusal::JobGone)),
            _ => judge(&answer, &meter, |body| serde_json::from_slice::<Status>(body).map(JobState::from)),
        };
        self.client.send(&request, Some(self.session.as_ref()), judge).await
    }

    /// Waits until the job is done; gives its number of rows, and when it was seen to be done.
    pub(super) async fn finish_job(&self, job: &str) -> Result<Sent<Judged<u64>>> {
        let (mut requests, mut bytes) = (0, 0);
        let mut pause = FIRST_PAUSE;
        for _ in 0..MOST_QUESTIONS {
            let sent = self.job_state(job).await?;
            requests += sent.requests;
            bytes += sent.bytes;
            let told = |value| Ok(Sent { value, date: sent.date, requests, bytes });
            match sent.value {
                Ok(JobState::Complete(rows)) => return told(Ok(rows)),
                Ok(JobState::Failed(message)) => {
                    return told(Err(Refusal::NoBulk(
                        Error::new(ErrorKind::Unavailable, "the bulk job failed").with("answer", message),
                    )));
                }
                Ok(JobState::Running) => {}
                Err(refusal) => return told(Err(refusal)),
            }
            self.client.pause(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(Error::new(ErrorKind::Unavailable, "a bulk job does not end").with("job", job).help(
            "look at it in Setup under Bulk Data Load Jobs; the next run goes on waiting, or set `transport: rest`",
        ))
    }

    /// `GET …/jobs/query/ID/results`: a page of the result, checked against the number of rows that its header says.
    /// The next page is asked for too, as soon as this one has arrived.
    pub(super) async fn job_page(
        &self,
        job: &str,
        locator: Option<&str>,
        plan: &Arc<Plan>,
    ) -> Result<Sent<Judged<ResultPage>>> {
        let (rows, results) = (rows_per_page(plan), self.jobs_path(&format!("/{job}/results")));
        let asked = move |locator: Option<&str>| {
            let path = format!("{results}?{}", result_query(rows, locator));
            Request::get(Target::Relative(path)).accepting("text/csv")
        };
        let (meter, plan) = (Arc::clone(&self.meter), Arc::clone(plan));
        let judge = move |answer: Answer| match answer.status.as_u16() {
            404 | 409 | 410 => Verdict::Accept(Err(Refusal::JobGone)),
            200 if !answer.is_html() => {
                meter.note(&answer);
                match read_page(&answer, &plan) {
                    Ok(page) => Verdict::Accept(Ok(page)),
                    Err(error) => Verdict::Again { error, wait: None },
                }
            }
            // 204 and 412: there is no result yet, though the job said so. Never an empty one.
            204 | 412 => Verdict::Again { error: wrong("the result is not ready"), wait: None },
            _ => judge(&answer, &meter, |_| Err(serde::de::Error::custom("not a result"))),
        };
        let request = asked(locator);
        self.results.send(job, request, self.way(judge, next_locator), move |next| Some(asked(Some(&next)))).await
    }

    fn jobs_path(&self, rest: &str) -> String {
        format!("/services/data/v{}/jobs/query{rest}", self.version)
    }
}

fn result_query(rows: usize, locator: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("maxRecords", &rows.to_string());
    if let Some(locator) = locator {
        query.append_pair("locator", locator);
    }
    query.finish()
}

impl From<Status> for JobState {
    fn from(status: Status) -> JobState {
        match status.state.as_str() {
            "JobComplete" => JobState::Complete(status.number_records_processed.unwrap_or_default()),
            "Failed" | "Aborted" => {
                let message = last_line(status.error_message.as_deref().unwrap_or_default());
                JobState::Failed(format!("{} {message}", status.state))
            }
            _ => JobState::Running,
        }
    }
}

/// The refusals of a job that say nothing against reading by REST: the object or a column cannot be had in bulk, the
/// jobs or the storage of the day are used up, the user may not make jobs. Others are as everywhere.
fn refused_job(answer: &Answer) -> Option<Error> {
    if answer.status.as_u16() != 400 && answer.status.as_u16() != 403 {
        return None;
    }
    let found = first_error(&answer.body)?;
    let is_general = match found.code.as_str() {
        "REQUEST_LIMIT_EXCEEDED" | "API_DISABLED_FOR_ORG" | "API_CURRENTLY_DISABLED" => true,
        "INVALID_FIELD" => !found.message.contains("compound"),
        _ => false,
    };
    (!is_general).then(|| {
        Error::new(ErrorKind::Rejected, "Salesforce makes no bulk job of it")
            .with("code", &found.code)
            .with("answer", last_line(&found.message))
    })
}

/// Where the next page is, without reading the page.
fn next_locator(answer: &Answer) -> Option<String> {
    answer.header("sforce-locator").filter(|locator| !matches!(*locator, "" | "null")).map(str::to_owned)
}

fn read_page(answer: &Answer, plan: &Plan) -> Result<ResultPage> {
    let locator = answer.header("sforce-locator").filter(|locator| !locator.is_empty());
    let locator = locator.ok_or_else(|| wrong("a page does not say whether it is the last (no Sforce-Locator)"))?;
    let said: Option<usize> = answer.header("sforce-numberofrecords").and_then(|rows| rows.trim().parse().ok());
    let records = csv::parse(&answer.body, plan)
        .map_err(|problem| wrong("a page is not the CSV we expect").with("found", problem))?;
    if let Some(said) = said.filter(|said| *said != records.len()) {
        return Err(wrong("a page has another number of rows than it says")
            .with("said", said)
            .with("found", records.len()));
    }
    Ok(ResultPage { records, locator: (locator != "null").then(|| locator.to_owned()) })
}

fn wrong(message: &str) -> Error {
    Error::new(ErrorKind::Unavailable, message)
        .help("run the sync again; if it stays so, set `transport: rest` for the stream")
}

/// Where a reading stands with its job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) id: String,
    /// The columns that it was made with.
    pub(super) columns: Vec<String>,
    /// When the job was seen to be done, and its number of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) done: Option<Done>,
    /// Where the next page is; `None` before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) locator: Option<String>,
}

/// What is known of a job that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) at: Timestamp,
    pub(super) rows: u64,
}
