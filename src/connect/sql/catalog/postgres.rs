//! PostgreSQL's catalogue.

use serde::Deserialize;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Column as _, Executor, Row, SqlSafeStr, Statement, TypeInfo};

use super::{Column, Listed, Relation, filled, plain};
use crate::connect::sql::config::Engine;
use crate::connect::sql::dialect::qualified;
use crate::connect::sql::form::Form;
use crate::connect::sql::link::Failure;
#[cfg(feature = "odbc")]
use crate::connect::sql::odbc::Bridge;

/// One row per table asked for; what it has is JSON, so that one statement answers for all. Domains count as the type
/// they are made of.
const TABLES: &str = r"
SELECT (c.oid IS NOT NULL)::int4 AS is_there, coalesce(c.relkind::text IN ('r', 'p'), false)::int4 AS is_table,
  obj_description(c.oid, 'pg_class') AS label,
  (SELECT json_agg(json_build_object(
      'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
      'base', coalesce(base.typname, t.typname), 'is_nullable', NOT (a.attnotnull OR t.typnotnull),
      'label', col_description(c.oid, a.attnum),
      'is_hidden', NOT has_column_privilege(c.oid, a.attnum, 'SELECT'),
      'choices', (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e
                  WHERE e.enumtypid = coalesce(base.oid, t.oid))) ORDER BY a.attnum)
   FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type base ON base.oid = t.typbasetype
   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text AS columns,
  (SELECT json_agg(json_build_object('is_primary', i.indisprimary, 'is_unique', i.indisunique,
      'columns', (SELECT json_agg(a.attname ORDER BY k.place)
                  FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
                  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
                  WHERE k.place <= i.indnkeyatts)))
   FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_am am ON am.oid = ic.relam
   WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND am.amname = 'btree')::text AS indexes
FROM unnest($1::text[]) WITH ORDINALITY AS w(name, place)
LEFT JOIN pg_class c ON c.oid = to_regclass(w.name) ORDER BY w.place";

const LIST: &str = r"
SELECT n.nspname::text AS schema, c.relname::text AS name, obj_description(c.oid, 'pg_class') AS label,
  (n.nspname IN ('pg_catalog', 'information_schema') OR n.nspname LIKE 'pg\_toast%')::int4 AS is_minor,
  (pg_table_is_visible(c.oid) AND n.nspname <> 'pg_catalog')::int4 AS is_visible
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND has_schema_privilege(n.oid, 'USAGE')
ORDER BY 4, 1, 2";

#[derive(Deserialize)]
struct ColumnRow {
    name: String,
    r#type: String,
    base: String,
    is_nullable: bool,
    label: Option<String>,
    is_hidden: bool,
    choices: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct IndexRow {
    is_primary: bool,
    is_unique: bool,
    columns: Option<Vec<String>>,
}

pub(super) async fn tables(link: &mut PgConnection, names: &[&str]) -> Result<Vec<Option<Relation>>, Failure> {
    let names: Vec<String> = names.iter().map(|name| qualified(Engine::Postgresql, name)).collect();
    let rows = sqlx::query(TABLES).persistent(false).bind(names).fetch_all(link).await?;
    let found = rows.iter().map(|row| {
        Ok(Told {
            is_there: row.try_get::<i32, _>("is_there")? != 0,
            is_table: row.try_get::<i32, _>("is_table")? != 0,
            label: row.try_get("label")?,
            columns: row.try_get("columns")?,
            indexes: row.try_get("indexes")?,
        })
    });
    found.map(|told: Result<Told, Failure>| told?.relation()).collect()
}

/// What the catalogue says of one table.
struct Told {
    is_there: bool,
    is_table: bool,
    label: Option<String>,
    columns: Option<String>,
    indexes: Option<String>,
}

impl Told {
    fn relation(self) -> Result<Option<Relation>, Failure> {
        if !self.is_there {
            return Ok(None);
        }
        let columns: Vec<ColumnRow> = parsed(self.columns)?;
        let indexes: Vec<IndexRow> = parsed(self.indexes)?;
        let (hidden, columns): (Vec<_>, Vec<_>) = columns.into_iter().partition(|column| column.is_hidden);
        let primary = indexes.iter().find(|index| index.is_primary).and_then(|index| index.columns.clone());
        let column = |row: ColumnRow| Column {
            name: row.name,
            source_type: if row.choices.is_some() { "enum".to_owned() } else { row.r#type },
            form: form_of(&row.base),
            is_nullable: row.is_nullable,
            label: filled(row.label),
            choices: row.choices.unwrap_or_default(),
        };
        Ok(Some(Relation {
            label: filled(self.label),
            columns: columns.into_iter().map(column).collect(),
            hidden: hidden.into_iter().map(|column| column.name).collect(),
            primary: primary.unwrap_or_default(),
            indexes: indexes.into_iter().map(|index| (index.columns.unwrap_or_default(), index.is_unique)).collect(),
            is_table: self.is_table,
        }))
    }
}

/// The same through ODBC.
#[cfg(feature = "odbc")]
pub(super) async fn tables_over(bridge: &Bridge, names: &[&str]) -> Result<Vec<Option<Relation>>, Failure> {
    let name = |name: &&str| format!("'{}'", qualified(Engine::Postgresql, name).replace('\'', "''"));
    let names: Vec<String> = names.iter().map(name).collect();
    let statement = TABLES.replace("$1", &format!("ARRAY[{}]", names.join(", ")));
    let told = bridge.ask(statement).await?.into_iter().map(|row| {
        let Ok([is_there, is_table, label, columns, indexes]) = <[Option<String>; 5]>::try_from(row) else {
            return Err(Failure::Protocol("the catalogue's answer has other columns than were asked for".to_owned()));
        };
        let is = |cell: Option<String>| cell.as_deref() == Some("1");
        Ok(Told { is_there: is(is_there), is_table: is(is_table), label, columns, indexes })
    });
    told.map(|told| told?.relation()).collect()
}

/// The same through ODBC.
#[cfg(feature = "odbc")]
pub(super) async fn list_over(bridge: &Bridge) -> Result<Vec<Listed>, Failure> {
    let rows = bridge.ask(LIST.to_owned()).await?.into_iter();
    let listed = rows.filter_map(|row| {
        let [schema, name, label, is_minor, is_visible] = <[Option<String>; 5]>::try_from(row).ok()?;
        Some(listed(schema?, name?, label, is_minor? == "1", is_visible? == "1"))
    });
    Ok(listed.collect())
}

fn listed(schema: String, name: String, label: Option<String>, is_minor: bool, is_visible: bool) -> Listed {
    let part = |name: String| {
        if name.contains(['.', '"']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name }
    };
    let name = if is_visible { part(name) } else { format!("{}.{}", part(schema), part(name)) };
    Listed { name, label: filled(label), is_minor }
}

fn parsed<T: serde::de::DeserializeOwned>(text: Option<String>) -> Result<Vec<T>, Failure> {
    let Some(text) = text else { return Ok(Vec::new()) };
    serde_json::from_str(&text).map_err(|error| Failure::Protocol(error.to_string()))
}

/// Describes a query without running it.
pub(super) async fn query(link: &mut PgConnection, query: &str) -> Result<Relation, Failure> {
    let statement = link.prepare(AssertSqlSafe(query).into_sql_str()).await?;
    let columns = statement.columns().iter();
    let columns = columns.map(|column| plain(Engine::Postgresql, column.name(), column.type_info().name()));
    Ok(Relation { columns: columns.collect(), ..Relation::default() })
}

pub(super) async fn list(link: &mut PgConnection) -> Result<Vec<Listed>, Failure> {
    let rows = sqlx::query(LIST).persistent(false).fetch_all(link).await?;
    rows.iter()
        .map(|row| {
            let (is_minor, is_visible): (i32, i32) = (row.try_get("is_minor")?, row.try_get("is_visible")?);
            Ok(listed(
                row.try_get("schema")?,
                row.try_get("name")?,
                row.try_get("label")?,
                is_minor != 0,
                is_visible != 0,
            ))
        })
        .collect()
}

/// The form of a type by its name in `pg_type`, or by sqlx's word for it.
pub(super) fn form_of(word: &str) -> Form {
    match word {
        "bool" => Form::Boolean,
        "int2" | "int4" | "int8" | "oid" | "xid" | "xid8" => Form::Integer,
        "numeric" => Form::Decimal,
        "float4" | "float8" => Form::Float,
        "money" => Form::Money,
        "bpchar" | "char" => Form::Padded,
        "timestamptz" => Form::Instant,
        "timestamp" => Form::Moment,
        "date" => Form::Date,
        "bytea" => Form::Bytes,
        "json" | "jsonb" => Form::Json,
        _ => Form::Text,
    }
}
