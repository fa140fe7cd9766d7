//! One stream of a run: read page by page, landed batch by batch.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::checkpoint::{self, Batch};
use super::step::{Step, Steps};
use crate::clock::{Clock, Timestamp};
use crate::connect::{ReadMode, Source};
use crate::control::{Control, Lease};
use crate::error::{Error, ErrorKind, Result};
use crate::land::{Confirm, Counts, Lander, Landing, is_brake};
use crate::log::Lake;
use crate::record::{Cursor, Next, Page, Reading, Stream, StreamId};

/// How large a batch may grow before it is landed; a page is never split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Records.
    pub records: usize,
    /// Bytes in memory.
    pub size_bytes: usize,
    /// Seconds on the clock.
    pub secs: i64,
}

impl Default for BatchLimits {
    fn default() -> Self {
        BatchLimits { records: 50_000, size_bytes: 32 << 20, secs: 30 }
    }
}

/// What a run works with; the same for all its streams.
pub(super) struct Workbench<'a> {
    /// The control database.
    pub control: &'a Control,
    /// The lake.
    pub lake: &'a Lake,
    /// Where rebuildable files lie.
    pub cache: &'a Path,
    /// What time it is.
    pub clock: &'a dyn Clock,
    /// The lease on the source.
    pub lease: &'a Lease,
    /// The run.
    pub run_id: &'a str,
    /// When a batch is landed.
    pub limits: BatchLimits,
    /// Whether the brake on absences is off.
    pub allow_deletes: bool,
    /// Is told of every step.
    pub steps: &'a dyn Steps,
    /// Asks the run to land the batch in hand and stop.
    pub cancel: CancellationToken,
    /// Is told of every landed batch.
    pub progress: &'a dyn Progress,
}

/// Watches a run, to draw it on a terminal.
pub trait Progress: Send + Sync {
    /// A batch of `stream` was landed; the numbers are those of the run so far.
    fn landed(&self, stream: &StreamId, counts: &Counts, source_total: Option<u64>);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn landed(&self, _stream: &StreamId, _counts: &Counts, _source_total: Option<u64>) {}
}

/// What a run did to a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamReport {
    /// The stream's name.
    pub stream: String,
    /// `first`, `incremental` or `full`.
    pub mode: &'static str,
    /// How many records the source says there are in what was read, if it says so.
    pub source_total: Option<u64>,
    /// What became of every row.
    #[serde(flatten)]
    pub counts: Counts,
    /// Requests made, repeated ones included.
    pub requests: u64,
    /// Bytes received.
    pub bytes: u64,
    /// How long it took on the clock.
    pub duration_ms: i64,
    /// Whether the stream is complete, or what is missing: `complete`, `partial` or `failed`.
    pub outcome: &'static str,
    /// Why it is not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<StreamError>,
}

/// Why a stream is not complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamError {
    /// The code from the catalogue.
    pub code: String,
    /// What failed, for which thing.
    pub message: String,
    /// What to do now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The whole story for a terminal.
    #[serde(skip)]
    pub rendered: String,
    /// What sort of failure it is.
    #[serde(skip)]
    pub kind: Option<ErrorKind>,
}

impl StreamError {
    /// Something that was coped with.
    pub fn warning(error: &Error) -> Self {
        StreamError { rendered: error.render_warning(), ..StreamError::from(error) }
    }
}

impl From<&Error> for StreamError {
    fn from(error: &Error) -> Self {
        StreamError {
            code: error.code_str().to_owned(),
            message: error.to_string(),
            help: error.help_text().map(str::to_owned),
            rendered: error.render(),
            kind: Some(error.kind()),
        }
    }
}

/// How many pages may wait while a batch is landed; together they take no more memory than a batch may.
const PAGES_AHEAD: usize = 256;

/// A page that was read and waits, with its share of the memory that waiting pages may take.
type Waiting = (Result<Page>, Option<OwnedSemaphorePermit>);

/// Reads and lands everything new of `stream`. A failure ends the stream, is told in the report, and leaves what
/// was landed before it.
pub(super) async fn sync_stream(
    bench: &Workbench<'_>,
    source: Arc<dyn Source>,
    id: &StreamId,
    wanted: ReadMode,
) -> StreamReport {
    let started_at = bench.clock.now();
    let mut report = StreamReport {
        stream: id.stream.clone(),
        mode: "incremental",
        source_total: None,
        counts: Counts::default(),
        requests: 0,
        bytes: 0,
        duration_ms: 0,
        outcome: "complete",
        error: None,
    };
    let result = match source.describe(&id.stream).await {
        Ok(stream) => read_and_land(bench, source, id, &stream, wanted, &mut report).await,
        Err(error) => Err(error),
    };
    report.duration_ms = (bench.clock.now().micros() - started_at.micros()) / 1_000;
    if let Err(error) = result {
        // Whoever asked for the run tells it; here it is only a line of the story.
        info!(stream = %id, code = error.code_str(), error = %error, "the stream is not complete");
        let error = if error.names("stream") { error } else { error.with("stream", id) };
        report.outcome = match error.kind() {
            ErrorKind::Quota | ErrorKind::RateLimited | ErrorKind::Cancelled => "partial",
            _ => "failed",
        };
        report.error = Some(StreamError::from(&error));
    }
    report
}

async fn read_and_land(
    bench: &Workbench<'_>,
    source: Arc<dyn Source>,
    id: &StreamId,
    stream: &Stream,
    wanted: ReadMode,
    report: &mut StreamReport,
) -> Result<()> {
    let standing = checkpoint::recover(bench.control, bench.lake, id).await?;
    let progress = (!standing.payload.finished).then(|| standing.payload.progress.clone()).flatten();
    let mut lander = Lander::open(bench.lake, bench.cache, id, stream, progress).await?;
    let waiting = lander.fields_waiting();
    let mode = match wanted {
        ReadMode::Incremental if !waiting.is_empty() => {
            info!(stream = %id, fields = waiting.join(", "), "reading everything once more: these fields were never read for every record");
            ReadMode::Full
        }
        ReadMode::Incremental if standing.payload.needs_full => ReadMode::Full,
        other => other,
    };
    report.mode = match (&standing.cursor, mode) {
        (None, _) => "first",
        (_, ReadMode::Full) => "full",
        (_, ReadMode::Incremental) => "incremental",
    };
    let not_before = standing.complete_through.map(|through| through.plus_secs(-OVERLAP_SECS));
    // In the middle of a reading, the cursor is no place to go back to.
    let at_rest = match standing.payload.progress {
        Some(_) => standing.payload.at_rest,
        None => standing.cursor.clone(),
    };
    let swept_at = standing.payload.swept_at;
    let mut place = Place { cursor: standing.cursor.clone(), at_rest, swept_at, not_before };

    let (send, mut receive) = mpsc::channel::<Waiting>(PAGES_AHEAD);
    let queue = Queue { send, room: Room::of(bench.limits.size_bytes) };
    let stop = bench.cancel.child_token();
    let asking = Asking {
        source: Arc::clone(&source),
        stream: stream.clone(),
        requests: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
    };
    let reader = tokio::spawn(read_pages(source, stream.clone(), standing.cursor, mode, queue, stop.clone()));
    let landed = land_pages(bench, id, &mut lander, &mut receive, &mut place, &asking, report).await;
    report.requests += asking.requests.into_inner();
    report.bytes += asking.bytes.into_inner();
    stop.cancel();
    receive.close();
    let read =
        reader.await.map_err(|error| Error::new(ErrorKind::Internal, "reading was interrupted").caused_by(error));
    landed.and(read)?;
    // What was read is landed; a log that could not be compacted now is compacted after another run.
    if let Err(error) = lander.log_mut().compact_if_worth_it().await {
        warn!(stream = %id, error = %error, "could not compact the log");
    }
    lander.ledger().tidy(bench.lake, id).await
}

/// How far before the cursor a stamp still dates a change that a pass finds (B2).
const OVERLAP_SECS: i64 = 600;

/// Asks the source by key, and counts what it costs.
struct Asking {
    source: Arc<dyn Source>,
    stream: Stream,
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl std::fmt::Debug for Asking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Asking({})", self.stream.name)
    }
}

#[async_trait]
impl Confirm for Asking {
    async fn still_there(&self, keys: &[String]) -> Result<Option<Vec<String>>> {
        let Some(sighting) = self.source.still_there(&self.stream, keys).await? else { return Ok(None) };
        self.requests.fetch_add(sighting.requests, Ordering::Relaxed);
        self.bytes.fetch_add(sighting.bytes, Ordering::Relaxed);
        Ok(Some(sighting.keys))
    }
}

impl Asking {
    /// The records `keys` as pages of the sweep `reading`, which goes on from `cursor`.
    async fn read_by_key(&self, keys: &[String], reading: &Reading, cursor: &Cursor) -> Result<Vec<Page>> {
        let found = self.source.read_by_key(&self.stream, keys).await?;
        self.requests.fetch_add(found.requests, Ordering::Relaxed);
        self.bytes.fetch_add(found.bytes, Ordering::Relaxed);
        let page = |(records, observed_at)| Page {
            records,
            rejected: Vec::new(),
            reading: Some(reading.clone()),
            ends_reading: false,
            next: Next::More(cursor.clone()),
            waits: false,
            observed_at,
            source_total: None,
            requests: 0,
            bytes: 0,
        };
        Ok(found.answers.into_iter().filter(|(records, _)| !records.is_empty()).map(page).collect())
    }
}

/// Where the stream stands, and where it last stood with no pass, sweep or statement under way.
struct Place {
    cursor: Option<Cursor>,
    at_rest: Option<Cursor>,
    /// When the last complete look at all keys began.
    swept_at: Option<Timestamp>,
    /// For passes and sweeps: no stamp before this instant dates a change (B2).
    not_before: Option<Timestamp>,
}

/// Memory for pages that wait, so that the next batch is read while one is landed.
struct Room {
    kib: Arc<Semaphore>,
    all_kib: u32,
}

impl Room {
    fn of(size_bytes: usize) -> Room {
        let all_kib = u32::try_from(size_bytes >> 10).unwrap_or(u32::MAX >> 4).clamp(1, u32::MAX >> 4);
        Room { kib: Arc::new(Semaphore::new(all_kib as usize)), all_kib }
    }

    /// Waits until there is room for so much; a page that is larger than all the room waits alone.
    async fn take(&self, size_bytes: usize) -> Option<OwnedSemaphorePermit> {
        let kib = u32::try_from(size_bytes >> 10).unwrap_or(u32::MAX).min(self.all_kib);
        self.kib.clone().acquire_many_owned(kib).await.ok()
    }
}

/// Where read pages wait.
struct Queue {
    send: mpsc::Sender<Waiting>,
    room: Room,
}

/// Reads pages until all is read, somebody asks to stop, or reading fails.
async fn read_pages(
    source: Arc<dyn Source>,
    stream: Stream,
    mut cursor: Option<Cursor>,
    mode: ReadMode,
    queue: Queue,
    stop: CancellationToken,
) {
    let mut first = true;
    loop {
        let read = source.read_page(&stream, cursor.as_ref(), first, mode);
        let page = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            page = read => page,
        };
        first = false;
        let more = match &page {
            Ok(Page { next: Next::More(next), .. }) => {
                cursor = Some(next.clone());
                true
            }
            _ => false,
        };
        let size_bytes = page.as_ref().map_or(0, |page| page.records.size_bytes());
        let room = tokio::select! {
            biased;
            // Nobody lands it any more.
            () = queue.send.closed() => return,
            room = queue.room.take(size_bytes) => room,
        };
        if queue.send.send((page, room)).await.is_err() || !more {
            return;
        }
    }
}

async fn land_pages(
    bench: &Workbench<'_>,
    id: &StreamId,
    lander: &mut Lander,
    pages: &mut mpsc::Receiver<Waiting>,
    place: &mut Place,
    asking: &Asking,
    report: &mut StreamReport,
) -> Result<()> {
    let mut batch: Vec<Page> = Vec::new();
    let (mut records, mut size_bytes) = (0, 0);
    let mut began_at = bench.clock.now();
    loop {
        let page = match pages.recv().await.map(|(page, _room)| page) {
            Some(Ok(page)) => page,
            Some(Err(error)) => {
                // What was read before the failure is as good as ever.
                land(bench, id, lander, std::mem::take(&mut batch), place, asking, report).await?;
                return Err(error);
            }
            None => {
                land(bench, id, lander, std::mem::take(&mut batch), place, asking, report).await?;
                return Err(Error::new(ErrorKind::Cancelled, "the run was asked to stop")
                    .with("stream", id)
                    .help("what was read is kept; the next run continues from here"));
            }
        };
        bench.steps.reached(Step::PageRead)?;
        report.requests += page.requests;
        report.bytes += page.bytes;
        if page.source_total.is_some() {
            report.source_total = page.source_total;
        }
        if batch.last().is_some_and(|last| last.reading != page.reading) {
            land(bench, id, lander, std::mem::take(&mut batch), place, asking, report).await?;
        }
        if batch.is_empty() {
            began_at = bench.clock.now();
            (records, size_bytes) = (0, 0);
        }
        records += page.records.len();
        size_bytes += page.records.size_bytes();
        if report.mode == "incremental" && matches!(page.reading, Some(Reading::Pass { .. })) {
            // Changes were asked for; the connector says that they would not tell everything.
            report.mode = "full";
        }
        let done = matches!(page.next, Next::Done { .. });
        let ends = page.ends_reading;
        let waits = page.waits;
        batch.push(page);
        let BatchLimits { records: most, size_bytes: most_bytes, secs } = bench.limits;
        let full = records >= most || size_bytes >= most_bytes || bench.clock.now() >= began_at.plus_secs(secs);
        if done || ends || full || waits {
            land(bench, id, lander, std::mem::take(&mut batch), place, asking, report).await?;
        }
        if done {
            return Ok(());
        }
    }
}

/// How the places of all rows of a reading begin: a statement reads one file, a pass everything.
fn place_of(pages: &[Page]) -> String {
    match pages.iter().find_map(|page| page.reading.as_ref()) {
        Some(Reading::Statement { name, .. }) => format!("{name}:"),
        _ => String::new(),
    }
}

/// How many records that a sweep found outdated are read and landed at a time.
const OUTDATED_AT_A_TIME: usize = 10_000;

/// Lands a batch; before the keys of a sweep, the records that they show to be outdated. Should the run end in
/// between, the sweep goes on from where it stood, and shows what is left once more.
async fn land(
    bench: &Workbench<'_>,
    id: &StreamId,
    lander: &mut Lander,
    pages: Vec<Page>,
    place: &mut Place,
    asking: &Asking,
    report: &mut StreamReport,
) -> Result<()> {
    let outdated = lander.outdated(&pages)?;
    if let (Some(reading), Some(cursor), false) =
        (pages.iter().find_map(|page| page.reading.clone()), place.cursor.clone(), outdated.is_empty())
    {
        info!(stream = %id, record_count = outdated.len(), "these records have a revision that is not on record, reading them by key");
        for keys in outdated.chunks(OUTDATED_AT_A_TIME) {
            let found = asking.read_by_key(keys, &reading, &cursor).await?;
            land_batch(bench, id, lander, found, place, asking, report).await?;
        }
    }
    land_batch(bench, id, lander, pages, place, asking, report).await
}

async fn land_batch(
    bench: &Workbench<'_>,
    id: &StreamId,
    lander: &mut Lander,
    pages: Vec<Page>,
    place: &mut Place,
    asking: &Asking,
    report: &mut StreamReport,
) -> Result<()> {
    let Some(last) = pages.last() else { return Ok(()) };
    let (cursor, finished, complete_through) = match &last.next {
        Next::More(cursor) => (cursor.clone(), false, None),
        Next::Done { cursor, complete_through } => (cursor.clone(), true, *complete_through),
    };
    let recorded_at = checkpoint::next_recorded_at(bench.clock, lander);
    let (run_id, allow_deletes) = (bench.run_id, bench.allow_deletes);
    let Place { not_before, swept_at: swept_before, .. } = *place;
    let landing = Landing { run_id, recorded_at, not_before, allow_deletes, swept_before, confirm: asking };
    let mut taken = match lander.take(&pages, &landing).await {
        Ok(taken) => taken,
        Err(error) if is_brake(&error) => {
            step_back(bench, id, lander, place, recorded_at).await?;
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    // A dated file speaks for everything up to its date.
    let stated = taken.verified_through.map(|stated| stated.plus_micros(1));
    let through = match pages.iter().rev().find_map(|page| page.reading.as_ref()) {
        Some(Reading::Statement { .. }) => stated,
        _ => complete_through,
    };
    // Before the checkpoint: a page whose cursor is stored is not read again, and its rows would be lost.
    let rejected = bench.control.rejected();
    if taken.begins {
        // What earlier readings rejected there is read once more now: it is mended, or rejected again.
        rejected.forget_others(id, &place_of(&pages), bench.run_id).await?;
    }
    if !taken.rejected.is_empty() {
        rejected.keep(id, bench.run_id, &taken.rejected).await?;
    }
    place.cursor = Some(cursor.clone());
    if taken.progress.is_none() {
        place.at_rest.clone_from(&place.cursor);
    }
    place.swept_at = place.swept_at.max(taken.swept_through);
    let batch = Batch {
        stream: id,
        run_id,
        recorded_at,
        cursor,
        finished,
        at_rest: taken.progress.as_ref().and_then(|_| place.at_rest.clone()),
        complete_through: through,
        deletes_through: if asking.stream.tells_deletes { through } else { taken.swept_through },
        swept_at: place.swept_at,
    };
    checkpoint::store(bench.control, bench.lake, bench.lease, lander, batch, &mut taken, bench.steps).await?;
    report.counts.add(&taken.counts);
    bench.progress.landed(id, &report.counts, report.source_total);
    if taken.needs_full {
        return Err(Error::new(ErrorKind::Cancelled, "a reading must be done again from its beginning")
            .with("stream", id)
            .help("run the sync again: it reads everything once more"));
    }
    Ok(())
}

/// Goes back to where the stream stood before the braked reading (F5), so that the next run reads what it would
/// have read without it. What earlier batches of the reading landed are records as the source gave them, and stay.
async fn step_back(
    bench: &Workbench<'_>,
    id: &StreamId,
    lander: &mut Lander,
    place: &Place,
    recorded_at: Timestamp,
) -> Result<()> {
    let Some(cursor) = place.at_rest.clone().filter(|at_rest| Some(at_rest) != place.cursor.as_ref()) else {
        return Ok(());
    };
    let batch = Batch {
        stream: id,
        run_id: bench.run_id,
        recorded_at,
        cursor,
        finished: true,
        at_rest: None,
        complete_through: None,
        deletes_through: None,
        swept_at: place.swept_at,
    };
    let mut nothing = lander.nothing();
    checkpoint::store(bench.control, bench.lake, bench.lease, lander, batch, &mut nothing, bench.steps).await
}
