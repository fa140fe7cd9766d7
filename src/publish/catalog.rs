//! Makes and changes the published tables themselves.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::sea_query::{ColumnDef, ColumnType, Index, Table};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};

use super::PublishReport;
use super::column::{COVERAGE, CUSTOMER_ID, Column, Layout, ROW_HASH, UNKNOWN};
use crate::control::failure::failed;
use crate::error::{Error, ErrorKind, Result};

/// The names of the columns of the table or view `table` in the schema that we write to; `None` when there
/// is neither.
pub(super) async fn columns_of(transaction: &DatabaseTransaction, table: &str) -> Result<Option<BTreeSet<String>>> {
    let backend = transaction.get_database_backend();
    let sql = match backend {
        DbBackend::Sqlite => "SELECT name FROM pragma_table_info(?)",
        _ => {
            "SELECT attname::text AS name FROM pg_attribute \
             WHERE attrelid = to_regclass(quote_ident(current_schema()) || '.' || quote_ident($1)) \
             AND attnum > 0 AND NOT attisdropped"
        }
    };
    let statement = Statement::from_sql_and_values(backend, sql, [table.into()]);
    let rows = transaction.query_all_raw(statement).await.map_err(failed(LOOKING))?;
    let names = rows.iter().map(|row| row.try_get("", "name")).collect::<Result<BTreeSet<String>, DbErr>>();
    let names = names.map_err(failed(LOOKING))?;
    Ok((!names.is_empty()).then_some(names))
}

/// Makes the table, with nothing in it.
pub(super) async fn create(transaction: &DatabaseTransaction, layout: &Layout) -> Result<()> {
    let backend = transaction.get_database_backend();
    let text = |name: &str| ColumnDef::new_with_type(name.to_owned(), ColumnType::Text);
    let mut table = Table::create();
    table.table(layout.table.clone()).col(text(layout.key).not_null().primary_key());
    if layout.has_customer_column() {
        table.col(text(CUSTOMER_ID));
    }
    for column in &layout.columns {
        table.col(column.definition(backend));
    }
    table.col(text(COVERAGE).not_null()).col(text(UNKNOWN)).col(text(ROW_HASH).not_null());
    transaction.execute(&table).await.map_err(failed("could not make a published table"))?;
    if layout.has_customer_column() {
        let index = Index::create()
            .name(format!("nenrin_{}_by_customer", layout.table))
            .table(layout.table.clone())
            .col(CUSTOMER_ID)
            .take();
        transaction.execute(&index).await.map_err(failed("could not make the index of a published table"))?;
    }
    comment(transaction, &format!("TABLE {}", quoted(&layout.table)), layout.label.as_deref()).await?;
    for column in layout.columns.iter().filter(|column| column.label.is_some()) {
        comment_column(transaction, layout, column).await?;
    }
    Ok(())
}

/// Brings the columns from `ours`, those we made and that are still there, to those of `layout`. `found` is
/// all that the table has; others' columns stay.
pub(super) async fn alter(
    transaction: &DatabaseTransaction,
    layout: &Layout,
    ours: &BTreeMap<String, Column>,
    found: &BTreeSet<String>,
    report: &mut PublishReport,
) -> Result<()> {
    let wanted: BTreeMap<&str, &Column> = layout.columns.iter().map(|column| (column.name.as_str(), column)).collect();
    for column in ours.values() {
        match wanted.get(column.name.as_str()) {
            None => report.columns_dropped += 1,
            Some(wanted) if wanted.sql_type != column.sql_type => report.columns_rebuilt += 1,
            Some(_) => continue,
        }
        drop_column(transaction, layout, column).await?;
    }
    for column in &layout.columns {
        let known = ours.get(&column.name);
        if known.is_none() && found.contains(&column.name) {
            return Err(Error::new(
                ErrorKind::Conflict,
                "the table has a column of this name that nenrin did not make",
            )
            .with("column", &column.name)
            .help("rename the column, or the variable"));
        }
        let stays = known.is_some_and(|known| known.sql_type == column.sql_type);
        if !stays {
            add_column(transaction, layout, column).await?;
            report.columns_added += u64::from(known.is_none());
        }
        if !stays || known.is_some_and(|known| known.label != column.label) {
            comment_column(transaction, layout, column).await?;
        }
    }
    comment(transaction, &format!("TABLE {}", quoted(&layout.table)), layout.label.as_deref()).await
}

async fn add_column(transaction: &DatabaseTransaction, layout: &Layout, column: &Column) -> Result<()> {
    let definition = column.definition(transaction.get_database_backend());
    let add = Table::alter().table(layout.table.clone()).add_column(definition).take();
    transaction.execute(&add).await.map_err(failed("could not add a column to a published table"))?;
    Ok(())
}

async fn drop_column(transaction: &DatabaseTransaction, layout: &Layout, column: &Column) -> Result<()> {
    let drop = Table::alter().table(layout.table.clone()).drop_column(column.name.clone()).take();
    transaction.execute(&drop).await.map_err(|error| {
        let error = failed("could not drop a column of a published table")(error);
        if error.kind() != ErrorKind::Internal {
            return error;
        }
        // What is left is that something was built on the column.
        Error::new(ErrorKind::Conflict, "a view or index depends on a column that is no longer published")
            .with("column", &column.name)
            .help("drop the view or index, publish, and make it anew")
            .caused_by(error)
    })?;
    Ok(())
}

async fn comment_column(transaction: &DatabaseTransaction, layout: &Layout, column: &Column) -> Result<()> {
    let what = format!("COLUMN {}.{}", quoted(&layout.table), quoted(&column.name));
    comment(transaction, &what, column.label.as_deref()).await
}

/// Writes a label as a comment, which only PostgreSQL has; its text cannot be bound.
async fn comment(transaction: &DatabaseTransaction, what: &str, label: Option<&str>) -> Result<()> {
    if transaction.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let label = label.map_or_else(|| "NULL".to_owned(), literal);
    transaction
        .execute_unprepared(&format!("COMMENT ON {what} IS {label}"))
        .await
        .map_err(failed("could not write a label as a comment"))?;
    Ok(())
}

const LOOKING: &str = "could not look for a published table";

/// A name as PostgreSQL takes it, whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as PostgreSQL takes it, whatever is in it and however it treats backslashes.
fn literal(text: &str) -> String {
    let text = text.replace('\0', "\u{2400}").replace('\\', "\\\\").replace('\'', "''");
    format!("E'{text}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_end_its_comment() {
        assert_eq!(literal(r"it's a \ '; DROP TABLE x; --"), r"E'it''s a \\ ''; DROP TABLE x; --'");
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
