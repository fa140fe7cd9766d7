//! `rejected`: rows that could not become records, kept with place and reason (semantics F5).

use std::collections::BTreeMap;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{LikeExpr, OnConflict};
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};
use serde::Serialize;

use super::Control;
use super::failure::failed;
use super::text::{digest, rows_per_statement, storable};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::record::{Rejected, StreamId};

#[allow(unreachable_pub)] // what the derive macro makes
mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "rejected")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub rejected_id: String,
        pub source: String,
        pub stream: String,
        pub place: String,
        pub key: Option<String>,
        pub reason: String,
        pub raw: String,
        pub run_id: String,
        pub first_seen_at: i64,
        pub last_seen_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// How many columns `rejected` has.
const COLUMN_COUNT: usize = 10;

/// A rejected row as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedRow {
    /// The stream it was read from.
    pub stream: StreamId,
    /// What was rejected, where and why.
    #[serde(flatten)]
    pub rejected: Rejected,
    /// The run that rejected it last.
    pub run_id: String,
    /// When it was rejected first.
    pub first_seen_at: Timestamp,
    /// When it was rejected last.
    pub last_seen_at: Timestamp,
}

/// Rejected rows of one stream with one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedGroup {
    /// The stream.
    pub stream: StreamId,
    /// Why they are no records.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// Where one of them stands (the least in text order).
    pub example_place: String,
}

/// The table `rejected`.
#[derive(Debug, Clone, Copy)]
pub struct RejectedRows<'a>(pub(super) &'a Control);

impl RejectedRows<'_> {
    /// Keeps rejected rows. One that was kept before, the same in all respects, is kept once.
    ///
    /// # Errors
    ///
    /// Failures of the database; then none is kept.
    pub async fn keep(&self, stream: &StreamId, run_id: &str, rejected: &[Rejected]) -> Result<()> {
        let now = self.0.now().micros();
        let transaction = self.0.begin().await?;
        for chunk in rejected.chunks(rows_per_statement(COLUMN_COUNT)) {
            // One statement must not hold a row twice.
            let rows: BTreeMap<String, row::ActiveModel> = chunk
                .iter()
                .map(|rejected| {
                    let id = id_of(stream, rejected);
                    (id.clone(), to_row(id, stream, run_id, now, rejected))
                })
                .collect();
            row::Entity::insert_many(rows.into_values())
                .on_conflict(
                    OnConflict::column(row::Column::RejectedId)
                        .update_columns([row::Column::RunId, row::Column::LastSeenAt])
                        .to_owned(),
                )
                .exec_without_returning(&transaction)
                .await
                .map_err(failed(STORING))?;
        }
        transaction.commit().await.map_err(failed(STORING))
    }

    /// Forgets the rows of `stream` whose place begins with `place` (empty: all) and that `run_id` did not
    /// reject: call it when that run has read the place completely. Returns how many.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn forget_others(&self, stream: &StreamId, place: &str, run_id: &str) -> Result<u64> {
        let answer = row::Entity::delete_many()
            .filter(row::Column::Source.eq(&stream.source.0))
            .filter(row::Column::Stream.eq(&stream.stream))
            .filter(row::Column::Place.like(LikeExpr::new(beginning_with(place)).escape('\\')))
            .filter(row::Column::RunId.ne(run_id))
            .exec(&self.0.db)
            .await
            .map_err(failed(STORING))?;
        Ok(answer.rows_affected)
    }

    /// Rejected rows of one source, or of all, sorted by source, stream and place.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn list(&self, source: Option<&str>, limit: Option<u64>) -> Result<Vec<RejectedRow>> {
        let found = of(source)
            .order_by_asc(row::Column::Source)
            .order_by_asc(row::Column::Stream)
            .order_by_asc(row::Column::Place)
            .order_by_asc(row::Column::RejectedId)
            .limit(limit)
            .all(&self.0.db)
            .await
            .map_err(failed(READING))?;
        Ok(found.into_iter().map(RejectedRow::from).collect())
    }

    /// Rejected rows of one source, or of all, grouped by stream and reason, largest group first.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn groups(&self, source: Option<&str>) -> Result<Vec<RejectedGroup>> {
        let counted: Vec<(String, String, String, i64, String)> = of(source)
            .select_only()
            .column(row::Column::Source)
            .column(row::Column::Stream)
            .column(row::Column::Reason)
            .expr_as(row::Column::RejectedId.count(), "rejected_count")
            .expr_as(row::Column::Place.min(), "example_place")
            .group_by(row::Column::Source)
            .group_by(row::Column::Stream)
            .group_by(row::Column::Reason)
            .order_by_desc(row::Column::RejectedId.count())
            .order_by_asc(row::Column::Source)
            .order_by_asc(row::Column::Stream)
            .order_by_asc(row::Column::Reason)
            .into_tuple()
            .all(&self.0.db)
            .await
            .map_err(failed(READING))?;
        Ok(counted
            .into_iter()
            .map(|(source, stream, reason, count, example_place)| RejectedGroup {
                stream: StreamId::new(source, stream),
                reason,
                count: u64::try_from(count).unwrap_or_default(),
                example_place,
            })
            .collect())
    }
}

const STORING: &str = "could not store rejected rows";
const READING: &str = "could not read rejected rows";

fn of(source: Option<&str>) -> Select<row::Entity> {
    let condition = sea_orm::Condition::all().add_option(source.map(|source| row::Column::Source.eq(source)));
    row::Entity::find().filter(condition)
}

/// The pattern for texts that begin with `prefix`, taken literally.
fn beginning_with(prefix: &str) -> String {
    let literal = prefix.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("{literal}%")
}

fn id_of(stream: &StreamId, rejected: &Rejected) -> String {
    let (has_key, key) = rejected.key.as_deref().map_or(("", ""), |key| ("key", key));
    let parts = [&stream.source.0, &stream.stream, &rejected.place, has_key, key, &rejected.reason, &rejected.raw];
    digest(&parts)
}

fn to_row(id: String, stream: &StreamId, run_id: &str, now: i64, rejected: &Rejected) -> row::ActiveModel {
    row::ActiveModel {
        rejected_id: Set(id),
        source: Set(stream.source.0.clone()),
        stream: Set(stream.stream.clone()),
        place: Set(storable(&rejected.place).into_owned()),
        key: Set(rejected.key.as_deref().map(|key| storable(key).into_owned())),
        reason: Set(storable(&rejected.reason).into_owned()),
        raw: Set(storable(&rejected.raw).into_owned()),
        run_id: Set(run_id.to_owned()),
        first_seen_at: Set(now),
        last_seen_at: Set(now),
    }
}

impl From<row::Model> for RejectedRow {
    fn from(row: row::Model) -> Self {
        RejectedRow {
            stream: StreamId::new(row.source, row.stream),
            rejected: Rejected { place: row.place, key: row.key, reason: row.reason, raw: row.raw },
            run_id: row.run_id,
            first_seen_at: Timestamp::from_micros(row.first_seen_at),
            last_seen_at: Timestamp::from_micros(row.last_seen_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_underscore_in_a_file_name_stands_for_itself() {
        assert_eq!(beginning_with("customers_202510.csv:"), "customers\\_202510.csv:%");
    }
}
