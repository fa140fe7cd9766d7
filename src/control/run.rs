//! `runs`: what each sync run did, how it ended, and the counts that prove it.

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};
use serde::Serialize;
use serde_json::Value;

use super::failure::failed;
use super::{Control, Lease, RunEvent, lease, run_event};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

#[allow(unreachable_pub)] // what the derive macro makes
mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "runs")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub run_id: String,
        pub source: String,
        pub triggered_by: String,
        pub started_at: i64,
        pub ended_at: Option<i64>,
        pub outcome: String,
        pub counts: String,
        pub error: Option<String>,
        pub lease_resource: String,
        pub lease_token: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// How a run ended, or that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// It is still going on.
    Running,
    /// All that was in scope was read and mapped.
    Complete,
    /// All was read; some values are held.
    CompleteWithHolds,
    /// Some streams were not read to the end; a later run continues.
    Partial,
    /// Nothing could be read, or nothing could be kept.
    Failed,
    /// Its process died.
    Interrupted,
}

impl RunOutcome {
    /// All of them, in the order they are shown.
    pub const ALL: [RunOutcome; 6] = [
        RunOutcome::Running,
        RunOutcome::Complete,
        RunOutcome::CompleteWithHolds,
        RunOutcome::Partial,
        RunOutcome::Failed,
        RunOutcome::Interrupted,
    ];

    /// The word in the database and in outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            RunOutcome::Running => "running",
            RunOutcome::Complete => "complete",
            RunOutcome::CompleteWithHolds => "complete_with_holds",
            RunOutcome::Partial => "partial",
            RunOutcome::Failed => "failed",
            RunOutcome::Interrupted => "interrupted",
        }
    }

    /// Reads that word.
    pub fn parse(text: &str) -> Option<Self> {
        RunOutcome::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// A run about to start.
#[derive(Debug, Clone)]
pub struct StartRun<'a> {
    /// Names it, once for ever.
    pub run_id: &'a str,
    /// The source it reads.
    pub source: &'a str,
    /// Who asked for it: `cli`, `schedule`, `demo`.
    pub trigger: &'a str,
}

/// A run as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its name.
    pub run_id: String,
    /// The source it read.
    pub source: String,
    /// Who asked for it.
    pub trigger: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// What it counted, as the sync stage wrote it; null while it goes on.
    pub counts: Value,
    /// What went wrong, for people.
    pub error: Option<String>,
}

/// Which runs to list.
#[derive(Debug, Clone, Default)]
pub struct RunFilter<'a> {
    /// Only of this source.
    pub source: Option<&'a str>,
    /// Only with this outcome.
    pub outcome: Option<RunOutcome>,
    /// At most so many, newest first; `None`: all.
    pub limit: Option<u64>,
}

/// The table `runs`.
#[derive(Debug, Clone, Copy)]
pub struct Runs<'a>(pub(super) &'a Control);

impl Runs<'_> {
    /// Stores that a run has begun under `lease`.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn start(&self, run: &StartRun<'_>, lease: &Lease) -> Result<()> {
        let started = row::ActiveModel {
            run_id: Set(run.run_id.to_owned()),
            source: Set(run.source.to_owned()),
            triggered_by: Set(run.trigger.to_owned()),
            started_at: Set(self.0.now().micros()),
            ended_at: Set(None),
            outcome: Set(RunOutcome::Running.as_str().to_owned()),
            counts: Set(Value::Null.to_string()),
            error: Set(None),
            lease_resource: Set(lease.resource().to_owned()),
            lease_token: Set(lease.token()),
        };
        row::Entity::insert(started)
            .exec_without_returning(&self.0.db)
            .await
            .map_err(failed("could not store the start of a run"))?;
        Ok(())
    }

    /// Stores how a run ended.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when it was never started.
    pub async fn finish(&self, run_id: &str, outcome: RunOutcome, counts: &Value, error: Option<&str>) -> Result<()> {
        let answer = row::Entity::update_many()
            .col_expr(row::Column::Outcome, Expr::value(outcome.as_str()))
            .col_expr(row::Column::Counts, Expr::value(counts.to_string()))
            .col_expr(row::Column::Error, Expr::value(error.map(str::to_owned)))
            .col_expr(row::Column::EndedAt, Expr::value(self.0.now().micros()))
            .filter(row::Column::RunId.eq(run_id))
            .exec(&self.0.db)
            .await
            .map_err(failed("could not store the end of a run"))?;
        if answer.rows_affected == 0 {
            return Err(Error::new(ErrorKind::NotFound, "no such run").with("run", run_id));
        }
        Ok(())
    }

    /// Marks the runs interrupted that are stored as running although their lease is dead. Returns them.
    ///
    /// Call it when a process starts, and after taking a source's lease.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn mark_interrupted(&self) -> Result<Vec<String>> {
        const DOING: &str = "could not mark interrupted runs";
        let now = self.0.now();
        let running = row::Entity::find()
            .filter(row::Column::Outcome.eq(RunOutcome::Running.as_str()))
            .all(&self.0.db)
            .await
            .map_err(failed(DOING))?;
        let mut interrupted = Vec::new();
        for run in running {
            let held =
                lease::row::Entity::find_by_id(&run.lease_resource).one(&self.0.db).await.map_err(failed(DOING))?;
            let goes_on = held.is_some_and(|held| {
                lease::is_live(&held, run.lease_token, now) && !self.0.process.knows_dead(&held.process)
            });
            if goes_on {
                continue;
            }
            let answer = row::Entity::update_many()
                .col_expr(row::Column::Outcome, Expr::value(RunOutcome::Interrupted.as_str()))
                .col_expr(row::Column::EndedAt, Expr::value(now.micros()))
                .col_expr(row::Column::Error, Expr::value("its process ended before it did; the next run continues"))
                .filter(row::Column::RunId.eq(&run.run_id))
                .filter(row::Column::Outcome.eq(RunOutcome::Running.as_str()))
                .exec(&self.0.db)
                .await
                .map_err(failed(DOING))?;
            if answer.rows_affected == 1 {
                interrupted.push(run.run_id);
            }
        }
        Ok(interrupted)
    }

    /// The run of that name.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn get(&self, run_id: &str) -> Result<Option<Run>> {
        let found = row::Entity::find_by_id(run_id).one(&self.0.db).await.map_err(failed(READING))?;
        found.map(Run::try_from).transpose()
    }

    /// Runs, newest first.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn list(&self, filter: &RunFilter<'_>) -> Result<Vec<Run>> {
        let mut rows = row::Entity::find().order_by_desc(row::Column::StartedAt).order_by_desc(row::Column::RunId);
        if let Some(source) = filter.source {
            rows = rows.filter(row::Column::Source.eq(source));
        }
        if let Some(outcome) = filter.outcome {
            rows = rows.filter(row::Column::Outcome.eq(outcome.as_str()));
        }
        let found = rows.limit(filter.limit).all(&self.0.db).await.map_err(failed(READING))?;
        found.into_iter().map(Run::try_from).collect()
    }

    /// How many runs of which source ended how; pairs without any are left out.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn count_by_outcome(&self) -> Result<Vec<(String, RunOutcome, u64)>> {
        let counted: Vec<(String, String, i64)> = row::Entity::find()
            .select_only()
            .column(row::Column::Source)
            .column(row::Column::Outcome)
            .expr_as(row::Column::RunId.count(), "run_count")
            .group_by(row::Column::Source)
            .group_by(row::Column::Outcome)
            .order_by_asc(row::Column::Source)
            .into_tuple()
            .all(&self.0.db)
            .await
            .map_err(failed(READING))?;
        Ok(counted
            .into_iter()
            .filter_map(|(source, outcome, count)| {
                Some((source, RunOutcome::parse(&outcome)?, u64::try_from(count).unwrap_or_default()))
            })
            .collect())
    }

    /// Adds a line to the story of a run.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn add_event(&self, run_id: &str, event: &RunEvent) -> Result<()> {
        run_event::add(self.0, run_id, event).await
    }

    /// The story of a run, in order.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn events(&self, run_id: &str) -> Result<Vec<RunEvent>> {
        run_event::list(self.0, run_id).await
    }
}

const READING: &str = "could not read the runs";

impl TryFrom<row::Model> for Run {
    type Error = Error;

    fn try_from(row: row::Model) -> Result<Self> {
        let corrupt = |what: &'static str| {
            Error::new(ErrorKind::Corrupt, "a run cannot be read").with("run", &row.run_id).with("column", what)
        };
        Ok(Run {
            outcome: RunOutcome::parse(&row.outcome).ok_or_else(|| corrupt("outcome"))?,
            counts: serde_json::from_str(&row.counts).map_err(|error| corrupt("counts").caused_by(error))?,
            run_id: row.run_id,
            source: row.source,
            trigger: row.triggered_by,
            started_at: Timestamp::from_micros(row.started_at),
            ended_at: row.ended_at.map(Timestamp::from_micros),
            error: row.error,
        })
    }
}
