//! SQLite's catalogue.

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Column as _, Executor, Row, SqlSafeStr, Statement};

use super::{Column, Listed, Relation};
use crate::connect::sql::dialect::parts_of;
use crate::connect::sql::form::Form;
use crate::connect::sql::link::Failure;

pub(super) async fn tables(link: &mut SqliteConnection, names: &[&str]) -> Result<Vec<Option<Relation>>, Failure> {
    let mut relations = Vec::with_capacity(names.len());
    for name in names {
        let table = parts_of(name).pop().unwrap_or_default();
        relations.push(one(link, &table).await?);
    }
    Ok(relations)
}

async fn one(link: &mut SqliteConnection, table: &str) -> Result<Option<Relation>, Failure> {
    let kind: Option<String> = sqlx::query_scalar(
        "SELECT type FROM sqlite_master WHERE name = ? COLLATE NOCASE AND type IN ('table', 'view')",
    )
    .bind(table)
    .fetch_optional(&mut *link)
    .await?;
    let Some(kind) = kind else { return Ok(None) };
    let mut relation = Relation { is_table: kind == "table", ..Relation::default() };
    let columns =
        sqlx::query("SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid");
    let mut primary: Vec<(i64, String)> = Vec::new();
    for row in columns.bind(table).fetch_all(&mut *link).await? {
        let (name, declared, is_not_null, place): (String, String, bool, i64) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let is_row_id = place > 0 && declared.eq_ignore_ascii_case("integer");
        if place > 0 {
            primary.push((place, name.clone()));
        }
        relation.columns.push(Column {
            name,
            source_type: declared.to_lowercase(),
            form: Form::Dynamic,
            // The one column whose values SQLite makes up is never NULL; other keys may be.
            is_nullable: !(is_not_null || is_row_id),
            label: None,
            choices: Vec::new(),
        });
    }
    primary.sort();
    let has_one = primary.len() == 1;
    relation.primary = primary.into_iter().map(|(_, name)| name).collect();
    if !has_one {
        // Only alone is an INTEGER key the row's own number.
        for name in &relation.primary {
            let declared: Option<bool> =
                sqlx::query_scalar("SELECT \"notnull\" FROM pragma_table_xinfo(?) WHERE name = ?")
                    .bind(table)
                    .bind(name)
                    .fetch_optional(&mut *link)
                    .await?;
            if let Some(column) = relation.columns.iter_mut().find(|column| column.name == *name) {
                column.is_nullable = !declared.unwrap_or_default();
            }
        }
    }
    let indexes = sqlx::query(
        "SELECT l.name, l.\"unique\", i.name FROM pragma_index_list(?) l, pragma_index_info(l.name) i \
         WHERE NOT l.partial ORDER BY l.seq, i.seqno",
    );
    let mut last = None;
    for row in indexes.bind(table).fetch_all(&mut *link).await? {
        let (index, is_unique, column): (String, bool, Option<String>) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if last.as_ref() != Some(&index) {
            relation.indexes.push((Vec::new(), is_unique));
            last = Some(index);
        }
        if let Some((columns, _)) = relation.indexes.last_mut() {
            columns.push(column.unwrap_or_default());
        }
    }
    Ok(Some(relation))
}

/// Describes a query without running it.
pub(super) async fn query(link: &mut SqliteConnection, query: &str) -> Result<Relation, Failure> {
    let statement = link.prepare(AssertSqlSafe(query).into_sql_str()).await?;
    let column = |name: &str| Column {
        name: name.to_owned(),
        source_type: String::new(),
        form: Form::Dynamic,
        is_nullable: true,
        label: None,
        choices: Vec::new(),
    };
    let columns = statement.columns().iter().map(|given| column(given.name())).collect();
    Ok(Relation { columns, ..Relation::default() })
}

pub(super) async fn list(link: &mut SqliteConnection) -> Result<Vec<Listed>, Failure> {
    let rows = sqlx::query("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name");
    let rows = rows.fetch_all(link).await?;
    rows.iter()
        .map(|row| {
            let name: String = row.try_get(0)?;
            Ok(Listed { is_minor: name.starts_with("sqlite_"), name, label: None })
        })
        .collect()
}
