//! The current state as ordinary SQL tables in the control database, for whoever can read SQL.
//!
//! One table per entity (`customer`, `contact`, …) with a typed column per variable. Only rows that changed
//! are written; a new variable becomes a column, a dropped one goes, one of another type is made anew. All
//! of it happens in one transaction per entity, so that a reader sees the old state or the new one. The
//! tables can be deleted at any time and come back equal: the log stays the only truth.
//!
//! A table that we did not make is never touched.

mod catalog;
mod column;
mod decimal;
mod row;
mod write;

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement};
use tracing::info;

use crate::control::Control;
use crate::control::failure::failed;
use crate::control::published::{self, PublishedTable};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{EntityConfig, VariableConfig};
use crate::snapshot::State;

use column::{Column, Layout};
use row::Rows;

/// What publishing wrote, over all tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PublishReport {
    /// Rows that are new.
    pub inserted: u64,
    /// Rows that were written again, for they differ.
    pub updated: u64,
    /// Rows that are gone.
    pub deleted: u64,
    /// Rows that were left as they are.
    pub unchanged: u64,
    /// Columns of variables that are new.
    pub columns_added: u64,
    /// Columns of variables that are gone.
    pub columns_dropped: u64,
    /// Columns of variables whose type changed.
    pub columns_rebuilt: u64,
}

/// Names our publishing among PostgreSQL's advisory locks ("publis" in ASCII).
const PUBLISH_LOCK: i64 = 0x7075_626c_6973;

/// Writes `state` as SQL tables: one per entity of `entities`, with the variables listed there (the built-in
/// ones first, then the custom ones, in the order of the columns).
///
/// Each table has the primary key `customer_id`, or for other entities `record_id` with the column
/// `customer_id` beside it (null for rows whose customer is not known), a column per variable, and
/// `_coverage` (how the row is known), `_unknown` (the variables whose value is not known, comma-separated:
/// there a null does not mean empty) and `_row_hash`. An entity that the state does not have is an empty table.
///
/// # Errors
///
/// [`ErrorKind::Conflict`] when a table, view or column of that name exists that we did not make, or something
/// depends on a column that goes; [`ErrorKind::Config`] for a name that is no column name; failures of the
/// database. The tables written before stay, the one that failed is as it was.
pub async fn publish(
    control: &Control,
    state: &State,
    entities: &[(EntityConfig, Vec<VariableConfig>)],
) -> Result<PublishReport> {
    let mut report = PublishReport::default();
    for (entity, variables) in entities {
        publish_entity(control, state, entity, variables, &mut report)
            .await
            .map_err(|error| error.with("table", &entity.name))?;
    }
    Ok(report)
}

async fn publish_entity(
    control: &Control,
    state: &State,
    entity: &EntityConfig,
    variables: &[VariableConfig],
    report: &mut PublishReport,
) -> Result<()> {
    let batch = state.entities.get(&entity.name);
    let layout = Layout::of(entity, variables, batch)?;
    let transaction = control.begin().await?;
    lock(&transaction).await?;
    let found = catalog::columns_of(&transaction, &entity.name).await?;
    let recorded = published::get(&transaction, &entity.name).await?;
    let columns = recorded.map(|table| column::from_json(&table)).transpose()?;
    let mut entity_report = PublishReport::default();
    // Rows written before a column vanished look unchanged by their hash, but lack its values.
    let mut write_all = false;
    match (found, columns) {
        (Some(_), None) => return Err(not_ours(&entity.name)),
        (None, _) => catalog::create(&transaction, &layout).await?,
        (Some(found), Some(columns)) => {
            let (ours, vanished): (Vec<Column>, Vec<Column>) =
                columns.into_iter().partition(|column| found.contains(&column.name));
            write_all = !vanished.is_empty();
            let ours: BTreeMap<String, Column> = ours.into_iter().map(|column| (column.name.clone(), column)).collect();
            catalog::alter(&transaction, &layout, &ours, &found, &mut entity_report).await?;
        }
    }
    let rows = Rows::of(&layout, batch)?;
    let fingerprint = write::write(&transaction, &layout, &rows, write_all, &mut entity_report).await?;
    let table = PublishedTable {
        entity: entity.name.clone(),
        fingerprint,
        columns: column::to_json(&layout),
        published_at: control.now(),
    };
    published::put(&transaction, &table).await?;
    transaction.commit().await.map_err(failed("could not publish a table"))?;
    let changed = PublishReport { unchanged: 0, ..entity_report } != PublishReport::default();
    if changed {
        info!(
            table = entity.name,
            inserted = entity_report.inserted,
            updated = entity_report.updated,
            deleted = entity_report.deleted,
            unchanged = entity_report.unchanged,
            "published table"
        );
    }
    report.add(&entity_report);
    Ok(())
}

impl PublishReport {
    fn add(&mut self, other: &PublishReport) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.deleted += other.deleted;
        self.unchanged += other.unchanged;
        self.columns_added += other.columns_added;
        self.columns_dropped += other.columns_dropped;
        self.columns_rebuilt += other.columns_rebuilt;
    }
}

/// Lets one process publish at a time; on SQLite the transaction does that already.
async fn lock(transaction: &DatabaseTransaction) -> Result<()> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        let lock = "SELECT pg_advisory_xact_lock($1)";
        let lock = Statement::from_sql_and_values(DbBackend::Postgres, lock, [PUBLISH_LOCK.into()]);
        transaction.execute_raw(lock).await.map_err(failed("could not wait for another publishing process"))?;
    }
    Ok(())
}

fn not_ours(table: &str) -> Error {
    Error::new(ErrorKind::Conflict, "the database has a table or view of this name that nenrin did not make").help(
        format!(
            "rename it (ALTER TABLE {table} RENAME TO …), or give nenrin a database or schema of its own in nenrin.yaml"
        ),
    )
}
