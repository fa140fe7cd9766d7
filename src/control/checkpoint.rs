//! `checkpoints`: where reading goes on, stored in steps that survive a crash at any point.
//!
//! A batch is *prepared* here before it is committed to the log, and marked *committed* after. On start a
//! prepared one is kept only if the log has a commit with its attempt id, and dropped otherwise (semantics
//! F4). Dropped and rolled back rows stay, unseen by every question but [`Checkpoints::max_n`], so that no
//! number is ever given twice.

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set, QueryOrder, QuerySelect};
use serde_json::Value;

use super::failure::failed;
use super::{Control, Lease, lease};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Cursor, SourceId, StreamId};

#[allow(unreachable_pub)] // what the derive macro makes
mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "checkpoints")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub source: String,
        pub stream: String,
        pub n: i64,
        #[sea_orm(unique)]
        pub attempt: String,
        pub lease_resource: String,
        pub lease_token: i64,
        pub cursor: String,
        pub payload: String,
        pub wrote: bool,
        pub complete_through: Option<i64>,
        pub verified_through: Option<i64>,
        pub deletes_through: Option<i64>,
        pub state: String,
        pub prepared_at: i64,
        pub committed_at: Option<i64>,
        pub run_id: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// How far a checkpoint has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointState {
    /// Stored before its commit to the log; stands only if that commit exists.
    Prepared,
    /// Stands: reading goes on after it.
    Committed,
    /// Its commit never happened; read again.
    Dropped,
    /// The lake was restored to before it.
    RolledBack,
}

impl CheckpointState {
    fn as_str(self) -> &'static str {
        match self {
            CheckpointState::Prepared => "prepared",
            CheckpointState::Committed => "committed",
            CheckpointState::Dropped => "dropped",
            CheckpointState::RolledBack => "rolled_back",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "prepared" => CheckpointState::Prepared,
            "committed" => CheckpointState::Committed,
            "dropped" => CheckpointState::Dropped,
            "rolled_back" => CheckpointState::RolledBack,
            _ => return None,
        })
    }
}

/// A checkpoint about to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepare {
    /// The stream whose cursor moves.
    pub stream: StreamId,
    /// Its number: greater than [`Checkpoints::max_n`] and than the log's own transaction number.
    pub n: i64,
    /// Names this try, once for ever; the commit to the log carries it.
    pub attempt: String,
    /// The sync run.
    pub run_id: String,
    /// Where reading goes on after this batch.
    pub cursor: Cursor,
    /// What belongs to it besides: ledger entries, and the tables that must all carry it (F3).
    pub payload: Value,
    /// Whether a commit to the log belongs to it; a batch without changes makes none.
    pub wrote: bool,
    /// Everything the source knew up to here (exclusive) has been read without a gap, if that is known.
    pub complete_through: Option<Timestamp>,
    /// The start of the last full key-and-content pass, if there was one.
    pub verified_through: Option<Timestamp>,
    /// Every deletion up to here (exclusive) is known, if that is known.
    pub deletes_through: Option<Timestamp>,
}

/// A stored checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The stream whose cursor moves.
    pub stream: StreamId,
    /// Its number, unique and rising in the stream.
    pub n: i64,
    /// Names the try that made it.
    pub attempt: String,
    /// The fencing number under which it was prepared.
    pub lease_token: i64,
    /// Where reading goes on after it.
    pub cursor: Cursor,
    /// What belongs to it besides.
    pub payload: Value,
    /// Whether a commit to the log belongs to it.
    pub wrote: bool,
    /// How far windows were read without a gap.
    pub complete_through: Option<Timestamp>,
    /// The start of the last full key-and-content pass.
    pub verified_through: Option<Timestamp>,
    /// How far it has come.
    pub state: CheckpointState,
    /// When it was prepared.
    pub prepared_at: Timestamp,
    /// When it was marked committed.
    pub committed_at: Option<Timestamp>,
    /// The sync run.
    pub run_id: String,
}

/// How far a stream is known (semantics F2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// Windows read without a gap up to here.
    pub complete_through: Option<Timestamp>,
    /// The start of the last full key-and-content pass.
    pub verified_through: Option<Timestamp>,
    /// Every deletion up to here is known: from windows that tell of them, else from the last pass or sweep.
    pub deletes_through: Option<Timestamp>,
    /// When the first checkpoint with a complete read was committed.
    pub first_complete_at: Option<Timestamp>,
}

/// The table `checkpoints`.
#[derive(Debug, Clone, Copy)]
pub struct Checkpoints<'a>(pub(super) &'a Control);

impl Checkpoints<'_> {
    /// Stores a checkpoint as prepared, under a live lease.
    ///
    /// That the lease is live, that no other checkpoint of the stream is prepared, and that the number is
    /// new, is checked in the transaction that stores it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when the lease was lost or another process moved the stream;
    /// [`ErrorKind::Internal`] when a prepared checkpoint was left undecided.
    pub async fn prepare(&self, prepare: &Prepare, lease: &Lease) -> Result<()> {
        const DOING: &str = "could not prepare a checkpoint";
        let now = self.0.now();
        let transaction = self.0.begin().await?;
        lease::require(&transaction, lease, now).await?;
        if let Some(undecided) =
            only(&prepare.stream, CheckpointState::Prepared).one(&transaction).await.map_err(failed(DOING))?
        {
            return Err(Error::new(ErrorKind::Internal, "a prepared checkpoint was left undecided")
                .with("stream", &prepare.stream)
                .with("attempt", undecided.attempt));
        }
        let max_n = max_n(&transaction, of(&prepare.stream)).await.map_err(failed(DOING))?;
        if max_n.is_some_and(|max_n| prepare.n <= max_n) {
            return Err(Error::new(ErrorKind::Conflict, "the checkpoint's number was given already")
                .with("stream", &prepare.stream)
                .with("n", prepare.n)
                .help("run the sync again: it continues after the last checkpoint"));
        }
        let prepared = row::ActiveModel {
            id: NotSet,
            source: Set(prepare.stream.source.0.clone()),
            stream: Set(prepare.stream.stream.clone()),
            n: Set(prepare.n),
            attempt: Set(prepare.attempt.clone()),
            lease_resource: Set(lease.resource().to_owned()),
            lease_token: Set(lease.token()),
            cursor: Set(prepare.cursor.0.to_string()),
            payload: Set(prepare.payload.to_string()),
            wrote: Set(prepare.wrote),
            complete_through: Set(prepare.complete_through.map(Timestamp::micros)),
            verified_through: Set(prepare.verified_through.map(Timestamp::micros)),
            deletes_through: Set(prepare.deletes_through.map(Timestamp::micros)),
            state: Set(CheckpointState::Prepared.as_str().to_owned()),
            prepared_at: Set(now.micros()),
            committed_at: Set(None),
            run_id: Set(prepare.run_id.clone()),
        };
        row::Entity::insert(prepared).exec_without_returning(&transaction).await.map_err(failed(DOING))?;
        transaction.commit().await.map_err(failed(DOING))
    }

    /// Marks the checkpoint of `attempt` committed; doing it twice changes nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when no such checkpoint is prepared: another process has decided against it.
    pub async fn commit(&self, attempt: &str) -> Result<()> {
        const DOING: &str = "could not mark a checkpoint committed";
        let answer = row::Entity::update_many()
            .col_expr(row::Column::State, Expr::value(CheckpointState::Committed.as_str()))
            .col_expr(row::Column::CommittedAt, Expr::value(self.0.now().micros()))
            .filter(row::Column::Attempt.eq(attempt))
            .filter(row::Column::State.eq(CheckpointState::Prepared.as_str()))
            .exec(&self.0.db)
            .await
            .map_err(failed(DOING))?;
        if answer.rows_affected == 1 {
            return Ok(());
        }
        let found = row::Entity::find()
            .filter(row::Column::Attempt.eq(attempt))
            .filter(row::Column::State.eq(CheckpointState::Committed.as_str()))
            .one(&self.0.db)
            .await
            .map_err(failed(DOING))?;
        if found.is_some() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Conflict, "the checkpoint is no longer prepared")
            .with("attempt", attempt)
            .help("run the sync again: it continues after the last checkpoint"))
    }

    /// Gives up the prepared checkpoint of `attempt`: what it covers is read again. One that is committed
    /// stays so. Returns whether there was one to drop.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn drop_prepared(&self, attempt: &str) -> Result<bool> {
        let answer = row::Entity::update_many()
            .col_expr(row::Column::State, Expr::value(CheckpointState::Dropped.as_str()))
            .filter(row::Column::Attempt.eq(attempt))
            .filter(row::Column::State.eq(CheckpointState::Prepared.as_str()))
            .exec(&self.0.db)
            .await
            .map_err(failed("could not drop a prepared checkpoint"))?;
        Ok(answer.rows_affected == 1)
    }

    /// The checkpoint of `stream` that is prepared and undecided, if there is one.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn prepared(&self, stream: &StreamId) -> Result<Option<Checkpoint>> {
        read_one(self.0, only(stream, CheckpointState::Prepared)).await
    }

    /// The newest committed checkpoint of `stream`: where reading goes on.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn latest_committed(&self, stream: &StreamId) -> Result<Option<Checkpoint>> {
        read_one(self.0, only(stream, CheckpointState::Committed)).await
    }

    /// The newest committed checkpoint of `stream` whose number is at most `n`.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn newest_at_or_below(&self, stream: &StreamId, n: i64) -> Result<Option<Checkpoint>> {
        read_one(self.0, only(stream, CheckpointState::Committed).filter(row::Column::N.lte(n))).await
    }

    /// The greatest number ever given in `stream`, whatever became of it.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn max_n(&self, stream: &StreamId) -> Result<Option<i64>> {
        max_n(&self.0.db, of(stream)).await.map_err(failed(READING))
    }

    /// The greatest number of a committed checkpoint that a commit to the log belongs to. When the log's
    /// own number is lower, the lake was restored to an earlier state.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn max_wrote_n(&self, stream: &StreamId) -> Result<Option<i64>> {
        let wrote = of(stream)
            .filter(row::Column::State.eq(CheckpointState::Committed.as_str()))
            .filter(row::Column::Wrote.eq(true));
        max_n(&self.0.db, wrote).await.map_err(failed(READING))
    }

    /// Goes back to the state at number `n`: all checkpoints of `stream` above it no longer count. Returns
    /// how many that were.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn roll_back_above(&self, stream: &StreamId, n: i64) -> Result<u64> {
        let counted = [CheckpointState::Committed.as_str(), CheckpointState::Prepared.as_str()];
        let answer = row::Entity::update_many()
            .col_expr(row::Column::State, Expr::value(CheckpointState::RolledBack.as_str()))
            .filter(row::Column::Source.eq(&stream.source.0))
            .filter(row::Column::Stream.eq(&stream.stream))
            .filter(row::Column::N.gt(n))
            .filter(row::Column::State.is_in(counted))
            .exec(&self.0.db)
            .await
            .map_err(failed("could not roll back checkpoints"))?;
        Ok(answer.rows_affected)
    }

    /// How far `stream` had been read without a gap, by the checkpoints committed up to `known_at`
    /// (inclusive); `None` counts all.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn complete_through_at(
        &self,
        stream: &StreamId,
        known_at: Option<Timestamp>,
    ) -> Result<Option<Timestamp>> {
        Ok(self.reach(stream, known_at).await?.complete_through)
    }

    /// How far `stream` is known, by the checkpoints committed up to `known_at` (inclusive); `None` counts all.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn reach(&self, stream: &StreamId, known_at: Option<Timestamp>) -> Result<Reach> {
        let mut known = of(stream).filter(row::Column::State.eq(CheckpointState::Committed.as_str()));
        if let Some(known_at) = known_at {
            known = known.filter(row::Column::CommittedAt.lte(known_at.micros()));
        }
        let complete = row::Column::CompleteThrough;
        let furthest: Option<(Option<i64>, Option<i64>, Option<i64>)> = known
            .clone()
            .select_only()
            .expr_as(complete.max(), "complete_through")
            .expr_as(row::Column::VerifiedThrough.max(), "verified_through")
            .expr_as(row::Column::DeletesThrough.max(), "deletes_through")
            .into_tuple()
            .one(&self.0.db)
            .await
            .map_err(failed(READING))?;
        let first: Option<Option<i64>> = known
            .filter(
                sea_orm::Condition::any().add(complete.is_not_null()).add(row::Column::VerifiedThrough.is_not_null()),
            )
            .select_only()
            .expr_as(row::Column::CommittedAt.min(), "first")
            .into_tuple()
            .one(&self.0.db)
            .await
            .map_err(failed(READING))?;
        let (complete_through, verified_through, deletes_through) = furthest.unwrap_or_default();
        Ok(Reach {
            complete_through: complete_through.map(Timestamp::from_micros),
            verified_through: verified_through.map(Timestamp::from_micros),
            deletes_through: deletes_through.map(Timestamp::from_micros),
            first_complete_at: first.flatten().map(Timestamp::from_micros),
        })
    }
}

const READING: &str = "could not read the checkpoints";

/// All checkpoints of a stream.
fn of(stream: &StreamId) -> Select<row::Entity> {
    row::Entity::find().filter(row::Column::Source.eq(&stream.source.0)).filter(row::Column::Stream.eq(&stream.stream))
}

/// Those in one state, newest first.
fn only(stream: &StreamId, state: CheckpointState) -> Select<row::Entity> {
    of(stream).filter(row::Column::State.eq(state.as_str())).order_by_desc(row::Column::N)
}

async fn max_n(db: &impl ConnectionTrait, rows: Select<row::Entity>) -> Result<Option<i64>, DbErr> {
    let max: Option<Option<i64>> =
        rows.select_only().expr_as(row::Column::N.max(), "max_n").into_tuple().one(db).await?;
    Ok(max.flatten())
}

async fn read_one(control: &Control, rows: Select<row::Entity>) -> Result<Option<Checkpoint>> {
    let found = rows.one(&control.db).await.map_err(failed(READING))?;
    found.map(Checkpoint::try_from).transpose()
}

impl TryFrom<row::Model> for Checkpoint {
    type Error = Error;

    fn try_from(row: row::Model) -> Result<Self> {
        let corrupt = |what: &'static str| {
            Error::new(ErrorKind::Corrupt, "a checkpoint cannot be read")
                .with("attempt", &row.attempt)
                .with("column", what)
                .help("restore the control database from a backup; the lake needs no restore")
        };
        let json = |what, text: &str| serde_json::from_str(text).map_err(|error| corrupt(what).caused_by(error));
        Ok(Checkpoint {
            cursor: Cursor(json("cursor", &row.cursor)?),
            payload: json("payload", &row.payload)?,
            state: CheckpointState::parse(&row.state).ok_or_else(|| corrupt("state"))?,
            stream: StreamId { source: SourceId(row.source), stream: row.stream },
            n: row.n,
            attempt: row.attempt,
            lease_token: row.lease_token,
            wrote: row.wrote,
            complete_through: row.complete_through.map(Timestamp::from_micros),
            verified_through: row.verified_through.map(Timestamp::from_micros),
            prepared_at: Timestamp::from_micros(row.prepared_at),
            committed_at: row.committed_at.map(Timestamp::from_micros),
            run_id: row.run_id,
        })
    }
}
