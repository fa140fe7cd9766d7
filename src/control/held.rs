//! `held`: field values that could not be converted, kept with their reason until they can.
//!
//! One row per source, stream, key, entity and variable. Mapping a stream again replaces what was held
//! there: what converts now is *resolved*, what does not stays *open* since the run that saw it first.

use std::collections::HashMap;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{CaseStatement, OnConflict};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, QueryOrder, QuerySelect};
use serde::Serialize;

use super::Control;
use super::failure::failed;
use super::text::{digest, rows_per_statement, storable};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{SourceId, StreamId};

#[allow(unreachable_pub)] // what the derive macro makes
mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "held")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub held_id: String,
        pub source: String,
        pub stream: String,
        pub key: String,
        pub entity: String,
        pub variable: String,
        pub field: String,
        pub raw: Option<String>,
        pub reason: String,
        pub code: String,
        pub mapping: String,
        pub mapping_place: String,
        pub first_seen_run: String,
        pub first_seen_at: i64,
        pub last_seen_run: String,
        pub last_seen_at: i64,
        pub state: String,
        pub resolved_at: Option<i64>,
        pub generation: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// How many columns `held` has.
const COLUMN_COUNT: usize = 19;

/// Whether a held value still waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldState {
    /// It does not convert.
    Open,
    /// It converts now, or is no longer sent.
    Resolved,
}

impl HeldState {
    fn as_str(self) -> &'static str {
        match self {
            HeldState::Open => "open",
            HeldState::Resolved => "resolved",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [HeldState::Open, HeldState::Resolved].into_iter().find(|state| state.as_str() == text)
    }
}

/// A value that did not convert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldField {
    /// The stream it was read from.
    pub stream: StreamId,
    /// The record's key.
    pub key: String,
    /// The entity that the record is mapped to.
    pub entity: String,
    /// The variable that has no value because of it.
    pub variable: String,
    /// The field, or the expression, that gave the value.
    pub field: String,
    /// The value as sent.
    pub raw: Option<String>,
    /// Why it does not convert, in words; holds no value of the record.
    pub reason: String,
    /// The same as a code.
    pub code: String,
    /// The file that maps it (`mappings/sf/Account.yaml`).
    pub mapping: String,
    /// The line in that file (`mappings/sf/Account.yaml:14:7`).
    pub mapping_place: String,
}

/// A held value as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldRow {
    /// What is held.
    #[serde(flatten)]
    pub held: HeldField,
    /// The run that held it first (since it was last resolved).
    pub first_seen_run: String,
    /// When that was.
    pub first_seen_at: Timestamp,
    /// When it was held last.
    pub last_seen_at: Timestamp,
    /// Whether it still waits.
    pub state: HeldState,
}

/// What a mapping pass went over: everything open there that it did not hold again is resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldScope {
    /// The stream.
    pub stream: StreamId,
    /// The entity.
    pub entity: String,
    /// The file that was applied; `None`: all files that map the stream to the entity.
    pub mapping: Option<String>,
}

/// What a replacement changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeldChange {
    /// Held now and not before.
    pub opened: u64,
    /// Held before, and still.
    pub still_open: u64,
    /// Held before, and no longer.
    pub resolved: u64,
}

/// Which held values to list.
#[derive(Debug, Clone, Default)]
pub struct HeldFilter<'a> {
    /// Only of this source.
    pub source: Option<&'a str>,
    /// Only of this stream.
    pub stream: Option<&'a str>,
    /// Only of this entity.
    pub entity: Option<&'a str>,
    /// Only for this variable.
    pub variable: Option<&'a str>,
    /// Only with this reason code.
    pub code: Option<&'a str>,
    /// Also those that are resolved.
    pub with_resolved: bool,
    /// At most so many; `None`: all.
    pub limit: Option<u64>,
}

/// Open held values that have the same cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldGroup {
    /// The stream.
    pub stream: StreamId,
    /// The entity.
    pub entity: String,
    /// The variable without values.
    pub variable: String,
    /// The field they were sent in.
    pub field: String,
    /// Why they do not convert.
    pub code: String,
    /// The same in words.
    pub reason: String,
    /// The line that maps them.
    pub mapping_place: String,
    /// How many.
    pub count: u64,
    /// One of the values, as an example (the least in text order).
    pub example: Option<String>,
    /// When the first of them was held.
    pub first_seen_at: Timestamp,
}

/// The table `held`.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a>(pub(super) &'a Control);

impl Held<'_> {
    /// Holds `fields`, in any order; each replaces what is held for its record and variable. A value given
    /// twice is held as given last.
    ///
    /// # Errors
    ///
    /// Failures of the database; then none is held.
    pub async fn upsert(&self, run_id: &str, fields: &[HeldField]) -> Result<()> {
        let transaction = self.0.begin().await?;
        write(&transaction, run_id, self.0.now(), 0, fields).await?;
        transaction.commit().await.map_err(failed(STORING))
    }

    /// Holds `fields` as all that is held in `scope` now: what was open there and is not among them is
    /// resolved.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] when a field lies outside the scope; failures of the database. Then nothing
    /// is changed.
    pub async fn replace(&self, scope: &HeldScope, run_id: &str, fields: &[HeldField]) -> Result<HeldChange> {
        if let Some(outside) = fields.iter().find(|field| !scope.covers(field)) {
            return Err(Error::new(ErrorKind::Internal, "a held value lies outside what was mapped")
                .with("stream", &outside.stream)
                .with("variable", &outside.variable));
        }
        let now = self.0.now();
        let transaction = self.0.begin().await?;
        let before = count_open(&transaction, scope).await?;
        let generation = next_generation(&transaction, scope).await?;
        write(&transaction, run_id, now, generation, fields).await?;
        let resolved = row::Entity::update_many()
            .col_expr(row::Column::State, Expr::value(HeldState::Resolved.as_str()))
            .col_expr(row::Column::ResolvedAt, Expr::value(now.micros()))
            .filter(scope.condition())
            .filter(row::Column::State.eq(HeldState::Open.as_str()))
            .filter(row::Column::Generation.ne(generation))
            .exec(&transaction)
            .await
            .map_err(failed(STORING))?
            .rows_affected;
        let after = count_open(&transaction, scope).await?;
        transaction.commit().await.map_err(failed(STORING))?;
        let still_open = before.saturating_sub(resolved);
        Ok(HeldChange { opened: after.saturating_sub(still_open), still_open, resolved })
    }

    /// Resolves what is open of `source` outside `scopes`: what no mapping says any more is held by none. Gives how
    /// many there were.
    ///
    /// # Errors
    ///
    /// Failures of the database; then nothing is changed.
    pub async fn resolve_others(&self, source: &SourceId, scopes: &[HeldScope]) -> Result<u64> {
        let kept = scopes.iter().fold(sea_orm::Condition::any(), |kept, scope| kept.add(scope.condition()));
        let mut others = sea_orm::Condition::all()
            .add(row::Column::Source.eq(&source.0))
            .add(row::Column::State.eq(HeldState::Open.as_str()));
        if !scopes.is_empty() {
            others = others.add(kept.not());
        }
        let resolved = row::Entity::update_many()
            .col_expr(row::Column::State, Expr::value(HeldState::Resolved.as_str()))
            .col_expr(row::Column::ResolvedAt, Expr::value(self.0.now().micros()))
            .filter(others)
            .exec(&self.0.db)
            .await
            .map_err(failed(STORING))?;
        Ok(resolved.rows_affected)
    }

    /// Held values, sorted by source, stream, entity, variable and key.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn list(&self, filter: &HeldFilter<'_>) -> Result<Vec<HeldRow>> {
        let found = filtered(filter)
            .order_by_asc(row::Column::Source)
            .order_by_asc(row::Column::Stream)
            .order_by_asc(row::Column::Entity)
            .order_by_asc(row::Column::Variable)
            .order_by_asc(row::Column::Key)
            .limit(filter.limit)
            .all(&self.0.db)
            .await
            .map_err(failed(READING))?;
        found.into_iter().map(HeldRow::try_from).collect()
    }

    /// Held values grouped by what they have in common, largest group first. The filter's limit counts groups.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn groups(&self, filter: &HeldFilter<'_>) -> Result<Vec<HeldGroup>> {
        let found: Vec<Group> = filtered(filter)
            .select_only()
            .columns(GROUPED)
            .expr_as(row::Column::HeldId.count(), "held_count")
            .expr_as(row::Column::Raw.min(), "example")
            .expr_as(row::Column::FirstSeenAt.min(), "first_seen_at")
            .group_by_all(GROUPED)
            .order_by_desc(row::Column::HeldId.count())
            .order_by_all(GROUPED)
            .limit(filter.limit)
            .into_model()
            .all(&self.0.db)
            .await
            .map_err(failed(READING))?;
        Ok(found.into_iter().map(HeldGroup::from).collect())
    }

    /// How many values are open, per source; sources without any are left out.
    ///
    /// # Errors
    ///
    /// Failures of the database.
    pub async fn open_by_source(&self) -> Result<Vec<(SourceId, u64)>> {
        let counted: Vec<(String, i64)> = filtered(&HeldFilter::default())
            .select_only()
            .column(row::Column::Source)
            .expr_as(row::Column::HeldId.count(), "held_count")
            .group_by(row::Column::Source)
            .order_by_asc(row::Column::Source)
            .into_tuple()
            .all(&self.0.db)
            .await
            .map_err(failed(READING))?;
        Ok(counted
            .into_iter()
            .map(|(source, count)| (SourceId(source), u64::try_from(count).unwrap_or_default()))
            .collect())
    }
}

const STORING: &str = "could not store held values";
const READING: &str = "could not read held values";

/// What the values of a group have in common.
const GROUPED: [row::Column; 8] = [
    row::Column::Source,
    row::Column::Stream,
    row::Column::Entity,
    row::Column::Variable,
    row::Column::Field,
    row::Column::Code,
    row::Column::Reason,
    row::Column::MappingPlace,
];

impl HeldScope {
    fn covers(&self, field: &HeldField) -> bool {
        field.stream == self.stream
            && field.entity == self.entity
            && self.mapping.as_ref().is_none_or(|mapping| *mapping == field.mapping)
    }

    fn condition(&self) -> sea_orm::Condition {
        sea_orm::Condition::all()
            .add(row::Column::Source.eq(&self.stream.source.0))
            .add(row::Column::Stream.eq(&self.stream.stream))
            .add(row::Column::Entity.eq(&self.entity))
            .add_option(self.mapping.as_ref().map(|mapping| row::Column::Mapping.eq(mapping)))
    }
}

async fn count_open(transaction: &DatabaseTransaction, scope: &HeldScope) -> Result<u64> {
    row::Entity::find()
        .filter(scope.condition())
        .filter(row::Column::State.eq(HeldState::Open.as_str()))
        .count(transaction)
        .await
        .map_err(failed(READING))
}

/// A number that no row of the scope has; it marks the rows that this replacement holds.
async fn next_generation(transaction: &DatabaseTransaction, scope: &HeldScope) -> Result<i64> {
    let max: Option<Option<i64>> = row::Entity::find()
        .filter(scope.condition())
        .select_only()
        .expr_as(row::Column::Generation.max(), "generation")
        .into_tuple()
        .one(transaction)
        .await
        .map_err(failed(READING))?;
    Ok(max.flatten().unwrap_or(0) + 1)
}

async fn write(
    transaction: &DatabaseTransaction,
    run_id: &str,
    now: Timestamp,
    generation: i64,
    fields: &[HeldField],
) -> Result<()> {
    for chunk in fields.chunks(rows_per_statement(COLUMN_COUNT)) {
        // One statement must not hold a value twice.
        let rows: HashMap<String, row::ActiveModel> = chunk
            .iter()
            .map(|field| {
                let id = id_of(field);
                (id.clone(), to_row(id, field, run_id, now, generation))
            })
            .collect();
        let mut rows: Vec<_> = rows.into_iter().collect();
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        row::Entity::insert_many(rows.into_iter().map(|(_, row)| row))
            .on_conflict(hold_again())
            .exec_without_returning(transaction)
            .await
            .map_err(failed(STORING))?;
    }
    Ok(())
}

/// What happens to a value that is held already: it is as sent now, and open since it was first seen open.
fn hold_again() -> OnConflict {
    let since = |column: row::Column| {
        CaseStatement::new()
            .case(row::Column::State.eq(HeldState::Resolved.as_str()), Expr::col(("excluded", column)))
            .finally(Expr::col((row::Entity, column)))
    };
    OnConflict::column(row::Column::HeldId)
        .update_columns([
            row::Column::Field,
            row::Column::Raw,
            row::Column::Reason,
            row::Column::Code,
            row::Column::Mapping,
            row::Column::MappingPlace,
            row::Column::LastSeenRun,
            row::Column::LastSeenAt,
            row::Column::State,
            row::Column::ResolvedAt,
            row::Column::Generation,
        ])
        .value(row::Column::FirstSeenRun, since(row::Column::FirstSeenRun))
        .value(row::Column::FirstSeenAt, since(row::Column::FirstSeenAt))
        .to_owned()
}

fn id_of(field: &HeldField) -> String {
    let stream = &field.stream;
    digest(&[&stream.source.0, &stream.stream, &field.key, &field.entity, &field.variable])
}

fn to_row(id: String, field: &HeldField, run_id: &str, now: Timestamp, generation: i64) -> row::ActiveModel {
    let text = |text: &str| Set(storable(text).into_owned());
    row::ActiveModel {
        held_id: Set(id),
        source: text(&field.stream.source.0),
        stream: text(&field.stream.stream),
        key: text(&field.key),
        entity: text(&field.entity),
        variable: text(&field.variable),
        field: text(&field.field),
        raw: Set(field.raw.as_deref().map(|raw| storable(raw).into_owned())),
        reason: text(&field.reason),
        code: text(&field.code),
        mapping: text(&field.mapping),
        mapping_place: text(&field.mapping_place),
        first_seen_run: Set(run_id.to_owned()),
        first_seen_at: Set(now.micros()),
        last_seen_run: Set(run_id.to_owned()),
        last_seen_at: Set(now.micros()),
        state: Set(HeldState::Open.as_str().to_owned()),
        resolved_at: Set(None),
        generation: Set(generation),
    }
}

fn filtered(filter: &HeldFilter<'_>) -> Select<row::Entity> {
    let equal = |column: row::Column, wanted: Option<&str>| wanted.map(|wanted| column.eq(wanted));
    let open = (!filter.with_resolved).then(|| row::Column::State.eq(HeldState::Open.as_str()));
    row::Entity::find().filter(
        sea_orm::Condition::all()
            .add_option(equal(row::Column::Source, filter.source))
            .add_option(equal(row::Column::Stream, filter.stream))
            .add_option(equal(row::Column::Entity, filter.entity))
            .add_option(equal(row::Column::Variable, filter.variable))
            .add_option(equal(row::Column::Code, filter.code))
            .add_option(open),
    )
}

/// Groups and sorts by several columns.
trait ByAll: Sized {
    fn group_by_all(self, columns: [row::Column; 8]) -> Self;
    fn order_by_all(self, columns: [row::Column; 8]) -> Self;
}

impl ByAll for Select<row::Entity> {
    fn group_by_all(self, columns: [row::Column; 8]) -> Self {
        columns.into_iter().fold(self, |rows, column| rows.group_by(column))
    }

    fn order_by_all(self, columns: [row::Column; 8]) -> Self {
        columns.into_iter().fold(self, |rows, column| rows.order_by_asc(column))
    }
}

#[derive(sea_orm::FromQueryResult)]
struct Group {
    source: String,
    stream: String,
    entity: String,
    variable: String,
    field: String,
    code: String,
    reason: String,
    mapping_place: String,
    held_count: i64,
    example: Option<String>,
    first_seen_at: i64,
}

impl From<Group> for HeldGroup {
    fn from(group: Group) -> Self {
        HeldGroup {
            stream: StreamId::new(group.source, group.stream),
            entity: group.entity,
            variable: group.variable,
            field: group.field,
            code: group.code,
            reason: group.reason,
            mapping_place: group.mapping_place,
            count: u64::try_from(group.held_count).unwrap_or_default(),
            example: group.example,
            first_seen_at: Timestamp::from_micros(group.first_seen_at),
        }
    }
}

impl TryFrom<row::Model> for HeldRow {
    type Error = Error;

    fn try_from(row: row::Model) -> Result<Self> {
        let state = HeldState::parse(&row.state)
            .ok_or_else(|| Error::new(ErrorKind::Corrupt, "a held value cannot be read").with("held", &row.held_id))?;
        Ok(HeldRow {
            held: HeldField {
                stream: StreamId::new(row.source, row.stream),
                key: row.key,
                entity: row.entity,
                variable: row.variable,
                field: row.field,
                raw: row.raw,
                reason: row.reason,
                code: row.code,
                mapping: row.mapping,
                mapping_place: row.mapping_place,
            },
            first_seen_run: row.first_seen_run,
            first_seen_at: Timestamp::from_micros(row.first_seen_at),
            last_seen_at: Timestamp::from_micros(row.last_seen_at),
            state,
        })
    }
}
