//! Data and checkpoint, durable together (semantics F4).
//!
//! A batch is stored in steps that survive a crash at any point: the control database stores the checkpoint as
//! prepared under a live lease; the log gets its commit, which carries the batch number and the attempt; the
//! ledger gets its entry; the checkpoint is marked committed. On start, a prepared checkpoint stands only if its
//! attempt's commit exists; in doubt it is dropped, since reading again is free.

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::step::{Step, Steps};
use crate::clock::{Clock, Timestamp};
use crate::control::{Control, Lease, Prepare};
use crate::error::{Error, ErrorKind, Result};
use crate::land::{Lander, PassProgress, Taken};
use crate::log::{Entry, Lake, Ledger, LogTable};
use crate::record::{Cursor, StreamId};

/// What a checkpoint keeps beside the cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Payload {
    /// The ledger entry that belongs to the batch, if it has one.
    pub entry: Option<Entry>,
    /// How far the reading under way has come.
    pub progress: Option<PassProgress>,
    /// The last cursor with no pass, sweep or statement under way; `None` when this batch's own is such a one, or
    /// there was none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_rest: Option<Cursor>,
    /// When the last complete look at all keys began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swept_at: Option<Timestamp>,
    /// Whether the next run must read everything again.
    pub needs_full: bool,
    /// Whether the run had read all there was.
    pub finished: bool,
    /// The newest batch, up to this one, that the ledger has an entry of; 0 when it has none.
    #[serde(default)]
    pub noted: i64,
}

/// Where a stream stands when a run begins.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    pub cursor: Option<Cursor>,
    pub payload: Payload,
    pub complete_through: Option<Timestamp>,
}

/// Settles what an earlier process left undecided and tells where the stream stands.
pub(super) async fn recover(control: &Control, lake: &Lake, stream: &StreamId) -> Result<Standing> {
    let checkpoints = control.checkpoints();
    let log = LogTable::open(lake, stream).await?;
    if let Some(prepared) = checkpoints.prepared(stream).await? {
        let payload = payload_of(&prepared.payload)?;
        let stands = match &log {
            Some(log) if prepared.wrote => log.has_attempt(&prepared.attempt).await?,
            _ => false,
        };
        if stands {
            if let Some(entry) = payload.entry {
                Ledger::read(lake, stream).await?.append(lake, stream, entry).await?;
            }
            checkpoints.commit(&prepared.attempt).await?;
            info!(stream = %stream, batch = prepared.n, "the last batch of an interrupted run stands");
        } else {
            checkpoints.drop_prepared(&prepared.attempt).await?;
            info!(stream = %stream, batch = prepared.n, "the last batch of an interrupted run did not reach the log, it is read again");
        }
    }
    let txn = match &log {
        Some(log) => log.txn().await?,
        None => 0,
    };
    if checkpoints.max_wrote_n(stream).await?.is_some_and(|n| n > txn) {
        let dropped = checkpoints.roll_back_above(stream, txn).await?;
        warn!(stream = %stream, batch = txn, checkpoint_count = dropped, "the lake is older than the control database (restored?): going back to its newest checkpoint");
    }
    // A batch without versions moves no transaction, but may have stated a date or ended a pass.
    let noted = Ledger::read(lake, stream).await?.max_n();
    if let Some(latest) = checkpoints.latest_committed(stream).await?
        && payload_of(&latest.payload)?.noted > noted
    {
        let dropped = checkpoints.roll_back_above(stream, noted).await?;
        warn!(stream = %stream, batch = noted, checkpoint_count = dropped, "the lake's ledger is older than the control database (restored?): going back to its newest checkpoint");
    }
    let Some(latest) = checkpoints.latest_committed(stream).await? else { return Ok(Standing::default()) };
    Ok(Standing {
        payload: payload_of(&latest.payload)?,
        cursor: Some(latest.cursor),
        complete_through: checkpoints.complete_through_at(stream, None).await?,
    })
}

fn payload_of(value: &serde_json::Value) -> Result<Payload> {
    serde_json::from_value(value.clone()).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "a checkpoint's payload cannot be read")
            .help("restore the control database from a backup; the lake needs no restore")
            .caused_by(error)
    })
}

/// When the next batch is recorded: now, but later than anything in the log (A1).
pub(super) fn next_recorded_at(clock: &dyn Clock, lander: &Lander) -> Timestamp {
    let after = lander.ledger().last_recorded_at().map_or(Timestamp::MIN, |last| last.plus_micros(1));
    clock.now().max(after)
}

/// A batch about to be stored.
pub(super) struct Batch<'a> {
    pub stream: &'a StreamId,
    pub run_id: &'a str,
    pub recorded_at: Timestamp,
    pub cursor: Cursor,
    pub finished: bool,
    pub at_rest: Option<Cursor>,
    pub complete_through: Option<Timestamp>,
    pub deletes_through: Option<Timestamp>,
    pub swept_at: Option<Timestamp>,
}

/// Stores a batch and its checkpoint.
pub(super) async fn store(
    control: &Control,
    lake: &Lake,
    lease: &Lease,
    lander: &mut Lander,
    batch: Batch<'_>,
    taken: &mut Taken,
    steps: &dyn Steps,
) -> Result<()> {
    let checkpoints = control.checkpoints();
    let known = checkpoints.max_n(batch.stream).await?.unwrap_or(0);
    let n = known.max(lander.log().txn().await?).max(lander.ledger().max_n()) + 1;
    // Unique for ever: the run's id holds a fencing number that is given once.
    let attempt = format!("{}-{n}-{:08x}", batch.run_id, crate::log::key_hash(&batch.stream.to_string()) >> 96);
    let wrote = taken.versions.is_some();
    let notable = wrote || taken.statement.is_some() || taken.pass.is_some() || taken.timeline.is_some();
    let entry = notable.then(|| Entry {
        n,
        attempt: attempt.clone(),
        run_id: batch.run_id.to_owned(),
        recorded_at: batch.recorded_at,
        versions: taken.version_count,
        min_valid_from: taken.min_valid_from,
        max_seq: taken.max_seq,
        statement: taken.statement.clone(),
        pass: taken.pass.clone(),
        absences: taken.absences,
        complete_through: batch.complete_through,
        timeline: taken.timeline.clone(),
    });
    let payload = Payload {
        entry: entry.clone(),
        progress: taken.progress.clone(),
        at_rest: batch.at_rest,
        swept_at: batch.swept_at,
        needs_full: taken.needs_full,
        finished: batch.finished,
        noted: if notable { n } else { lander.ledger().max_n() },
    };
    let payload = serde_json::to_value(payload)
        .map_err(|error| Error::new(ErrorKind::Internal, "a checkpoint's payload is no JSON").caused_by(error))?;
    let prepare = Prepare {
        stream: batch.stream.clone(),
        n,
        attempt: attempt.clone(),
        run_id: batch.run_id.to_owned(),
        cursor: batch.cursor,
        payload,
        wrote,
        complete_through: batch.complete_through,
        verified_through: taken.verified_through,
        deletes_through: batch.deletes_through,
    };
    checkpoints.prepare(&prepare, lease).await?;
    steps.reached(Step::Prepared)?;
    if let Some(versions) = taken.versions.take() {
        if let Err(error) = lander.log_mut().append(n, &attempt, versions).await {
            // Left prepared when the storage cannot tell; the next start looks.
            if matches!(error.kind(), ErrorKind::Conflict) {
                checkpoints.drop_prepared(&attempt).await?;
            }
            return Err(error);
        }
        steps.reached(Step::Appended)?;
    }
    if let Some(entry) = entry {
        lander.ledger_mut().append(lake, batch.stream, entry).await?;
        steps.reached(Step::Noted)?;
    }
    checkpoints.commit(&attempt).await?;
    steps.reached(Step::Committed)?;
    lander.applied(n, wrote, taken)?;
    steps.reached(Step::Applied)
}
