//! Brings the rows of a published table to those of a state, writing only what differs.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use xxhash_rust::xxh3::Xxh3;

use super::PublishReport;
use super::column::{COVERAGE, CUSTOMER_ID, Layout, ROW_HASH, UNKNOWN};
use super::row::Rows;
use crate::control::failure::failed;
use crate::control::text::{rows_per_statement, storable};
use crate::error::{Error, ErrorKind, Result};

/// The columns of a published table, in the order their values are given.
pub(super) fn column_names(layout: &Layout) -> Vec<String> {
    let mut names = vec![layout.key.to_owned()];
    if layout.has_customer_column() {
        names.push(CUSTOMER_ID.to_owned());
    }
    names.extend(layout.columns.iter().map(|column| column.name.clone()));
    names.extend([COVERAGE, UNKNOWN, ROW_HASH].map(str::to_owned));
    names
}

/// Writes what differs, or all with `write_all`, and deletes what is gone. Returns a digest of all that the table holds now.
pub(super) async fn write(
    transaction: &DatabaseTransaction,
    layout: &Layout,
    rows: &Rows<'_>,
    write_all: bool,
    report: &mut PublishReport,
) -> Result<String> {
    let mut stored = stored_hashes(transaction, layout).await?;
    let names = column_names(layout);
    let chunk_len = rows_per_statement(names.len());
    let mut chunk = Vec::with_capacity(chunk_len);
    let mut seen = HashSet::with_capacity(rows.count());
    let mut digest = Xxh3::new();
    for row in 0..rows.count() {
        let key = storable(rows.key(row)?);
        let hash = rows.hash(row)?;
        digest.update(hash.as_bytes());
        if !seen.insert(key.clone()) {
            return Err(Error::new(ErrorKind::Internal, "two rows of the state have one key").with("key", key));
        }
        match stored.remove(key.as_ref()) {
            Some(old) if old == hash && !write_all => {
                report.unchanged += 1;
                continue;
            }
            Some(_) => report.updated += 1,
            None => report.inserted += 1,
        }
        chunk.push(rows.values(row, &hash, transaction.get_database_backend())?);
        if chunk.len() == chunk_len {
            upsert(transaction, layout, &names, std::mem::take(&mut chunk)).await?;
        }
    }
    upsert(transaction, layout, &names, chunk).await?;
    let mut gone: Vec<String> = stored.into_keys().collect();
    gone.sort();
    report.deleted += gone.len() as u64;
    delete(transaction, layout, &gone).await?;
    Ok(format!("{:032x}", digest.digest128()))
}

/// Key → row hash of all rows that the table holds.
async fn stored_hashes(transaction: &DatabaseTransaction, layout: &Layout) -> Result<HashMap<String, String>> {
    const READING: &str = "could not read a published table";
    let select = Query::select().column(layout.key).column(ROW_HASH).from(layout.table.clone()).take();
    let rows = transaction.query_all(&select).await.map_err(failed(READING))?;
    rows.iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
        .collect::<Result<HashMap<String, String>, DbErr>>()
        .map_err(failed(READING))
}

async fn upsert(
    transaction: &DatabaseTransaction,
    layout: &Layout,
    names: &[String],
    rows: Vec<Vec<Expr>>,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut insert = Query::insert();
    insert.into_table(layout.table.clone()).columns(names.iter().cloned());
    for row in rows {
        insert.values(row).map_err(|error| {
            Error::new(ErrorKind::Internal, "a published row has another number of values than columns")
                .caused_by(error)
        })?;
    }
    let others = names.iter().filter(|name| *name != layout.key).cloned();
    insert.on_conflict(OnConflict::column(layout.key).update_columns(others).to_owned());
    transaction.execute(&insert).await.map_err(failed("could not write rows of a published table"))?;
    Ok(())
}

async fn delete(transaction: &DatabaseTransaction, layout: &Layout, keys: &[String]) -> Result<()> {
    for chunk in keys.chunks(rows_per_statement(1)) {
        let delete = Query::delete()
            .from_table(layout.table.clone())
            .and_where(Expr::col(layout.key).is_in(chunk.iter().cloned()))
            .take();
        transaction.execute(&delete).await.map_err(failed("could not delete rows of a published table"))?;
    }
    Ok(())
}
