//! The catalogue of a database that is read through ODBC: its own where that is known to say more, else ODBC's catalogue
//! functions, which tell columns and primary keys and nothing of indexes, comments of tables, and rights.

use arrow_odbc::odbc_api::ResultSetMetadata;
use arrow_odbc::odbc_api::sys::SqlDataType;

use super::{Column, Listed, Relation, filled, mysql, oracle, postgres, sqlserver};
use crate::connect::sql::config::Engine;
use crate::connect::sql::dialect::{named, parts_of, quoted};
use crate::connect::sql::form::Form;
use crate::connect::sql::link::Failure;
use crate::connect::sql::odbc::{Bridge, cells, run};

pub(super) async fn tables(bridge: &Bridge, names: &[&str]) -> Result<Vec<Option<Relation>>, Failure> {
    match bridge.engine {
        Engine::Sqlserver => return sqlserver::tables(bridge, names).await,
        Engine::Oracle => return oracle::tables(bridge, names).await,
        Engine::Postgresql => return postgres::tables_over(bridge, names).await,
        Engine::Mysql => return mysql::tables_over(bridge, names).await,
        _ => {}
    }
    let mut relations = Vec::with_capacity(names.len());
    for name in names {
        relations.push(one(bridge, name).await?);
    }
    Ok(relations)
}

/// Where a table is, by the parts of its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Place {
    catalog: String,
    schema: String,
    table: String,
}

fn place_of(name: &str) -> Place {
    let mut parts = parts_of(name);
    let table = parts.pop().unwrap_or_default();
    let schema = parts.pop().unwrap_or_default();
    Place { catalog: parts.pop().unwrap_or_default(), schema, table }
}

async fn one(bridge: &Bridge, name: &str) -> Result<Option<Relation>, Failure> {
    let (engine, wanted) = (bridge.engine, place_of(name));
    let asked = wanted.clone();
    let rows = bridge
        .with(move |connection| {
            let Place { catalog, schema, table } = &asked;
            let schema = if schema.is_empty() { "%" } else { schema };
            cells(connection.preallocate()?.into_columns_cursor(catalog, schema, table, "%")?)
        })
        .await?;
    let cell = |row: &[Option<String>], at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    let place = |row: &Vec<Option<String>>| Place { catalog: cell(row, 0), schema: cell(row, 1), table: cell(row, 2) };
    // Names are patterns there, in which `_` stands for any character.
    let is_meant = |found: &Place| {
        found.table == wanted.table
            && (wanted.schema.is_empty() || found.schema == wanted.schema)
            && (wanted.catalog.is_empty() || found.catalog == wanted.catalog)
    };
    let rows: Vec<_> = rows.into_iter().filter(|row| is_meant(&place(row))).collect();
    let Some(found) = rows.first().map(place) else { return Ok(None) };
    // Two schemas have one of this name: the one that is meant has to be named.
    if rows.iter().any(|row| place(row) != found) {
        return Ok(None);
    }
    let column = |row: &Vec<Option<String>>| {
        let word = cell(row, 5).to_lowercase();
        let code = cell(row, 4).parse().unwrap_or_default();
        Column {
            name: cell(row, 3),
            form: form_of(engine, &word, code),
            source_type: word,
            is_nullable: cell(row, 10) != "0",
            label: filled(row.get(11).cloned().flatten()),
            choices: Vec::new(),
        }
    };
    let columns = rows.iter().map(column).collect();
    let mut keys = bridge
        .with(move |connection| {
            let Place { catalog, schema, table } = &found;
            let cursor = connection.preallocate()?.into_primary_keys_cursor(
                (!catalog.is_empty()).then_some(catalog),
                (!schema.is_empty()).then_some(schema),
                table,
            )?;
            cells(cursor)
        })
        .await?;
    keys.sort_by_key(|row| cell(row, 4).parse::<u32>().unwrap_or_default());
    let primary = keys.iter().map(|row| cell(row, 3)).collect();
    // Nothing is known of its indexes, so none is missed.
    Ok(Some(Relation { columns, primary, is_table: false, ..Relation::default() }))
}

/// Describes a query; no row of it is asked for.
pub(super) async fn query(bridge: &Bridge, query: &str) -> Result<Relation, Failure> {
    let engine = bridge.engine;
    if engine == Engine::Sqlserver {
        return sqlserver::query(bridge, query).await;
    }
    let statement = format!("SELECT * FROM {} WHERE 1 = 0", named(engine, &format!("(\n{query}\n)"), "nenrin"));
    let secs = bridge.timeout.as_secs();
    let mut columns = bridge
        .with(move |connection| {
            let mut columns = Vec::new();
            let Some(mut cursor) = run(connection, &statement, secs)? else { return Ok(columns) };
            for at in 1..=u16::try_from(cursor.num_result_cols()?).unwrap_or_default() {
                let kind = cursor.col_data_type(at)?;
                let code = kind.data_type().0;
                let word = word_of(code).to_owned();
                let form = form_of(engine, &word, code);
                // Some drivers count a name's length in bytes that it does not have.
                let name = cursor.col_name(at)?.trim_end_matches('\0').to_owned();
                columns.push(Column {
                    name,
                    source_type: word,
                    form,
                    is_nullable: true,
                    label: None,
                    choices: Vec::new(),
                });
            }
            Ok(columns)
        })
        .await?;
    if engine == Engine::Postgresql {
        let kind = |column: &Column| {
            let name = quoted(engine, &column.name);
            format!(
                "(SELECT coalesce(b.typname, t.typname)::text FROM pg_type t LEFT JOIN pg_type b ON b.oid = t.typbasetype \
                 WHERE t.oid = pg_typeof(nenrin_rows.{name}))"
            )
        };
        let kinds: Vec<String> = columns.iter().map(kind).collect();
        let statement = format!(
            "SELECT {} FROM (SELECT 1 AS one) AS nenrin_one LEFT JOIN (SELECT * FROM (\n{query}\n) AS nenrin WHERE false) \
             AS nenrin_rows ON true",
            kinds.join(", ")
        );
        let told = bridge.ask(statement).await?.into_iter().next().unwrap_or_default();
        for (column, word) in columns.iter_mut().zip(told) {
            column.source_type = word.unwrap_or_default();
            column.form = postgres::form_of(&column.source_type);
        }
    }
    Ok(Relation { columns, ..Relation::default() })
}

/// Tables and views.
pub(super) async fn list(bridge: &Bridge) -> Result<Vec<Listed>, Failure> {
    match bridge.engine {
        Engine::Sqlserver => return sqlserver::list(bridge).await,
        Engine::Oracle => return oracle::list(bridge).await,
        Engine::Postgresql => return postgres::list_over(bridge).await,
        Engine::Mysql => return mysql::list_over(bridge).await,
        _ => {}
    }
    let rows = bridge.with(|connection| cells(connection.preallocate()?.into_tables_cursor("", "", "", "")?)).await?;
    let listed = rows.into_iter().filter_map(|row| {
        let mut cells = row.into_iter();
        let (_, schema, name, kind) = (cells.next()?, cells.next()?, cells.next()??, cells.next()??);
        let is_minor = kind.to_lowercase().contains("system");
        matches!(kind.to_uppercase().as_str(), "TABLE" | "VIEW" | "BASE TABLE" | "SYSTEM TABLE" | "SYSTEM VIEW").then(
            || Listed { name: self::name(schema.filter(|schema| !schema.is_empty()), name), label: None, is_minor },
        )
    });
    Ok(listed.collect())
}

/// A table as it is written in the settings.
pub(super) fn name(schema: Option<String>, name: String) -> String {
    let part = |name: String| {
        if name.contains(['.', '"']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name }
    };
    match schema {
        Some(schema) => format!("{}.{}", part(schema), part(name)),
        None => part(name),
    }
}

/// The form of a type, by the database's word for it where that is known, else by ODBC's number of it.
fn form_of(engine: Engine, word: &str, code: i16) -> Form {
    match engine {
        Engine::Sqlite => Form::Dynamic,
        Engine::Mysql => mysql::form_of(word),
        // A driver tells a number by one of many types, and `TO_CHAR` writes them all.
        Engine::Oracle if matches!(standard_form(code), Form::Integer | Form::Single | Form::Double) => Form::Decimal,
        _ => standard_form(code),
    }
}

fn standard_form(code: i16) -> Form {
    match SqlDataType(code) {
        SqlDataType::EXT_BIT
        | SqlDataType::EXT_TINY_INT
        | SqlDataType::SMALLINT
        | SqlDataType::INTEGER
        | SqlDataType::EXT_BIG_INT => Form::Integer,
        SqlDataType::NUMERIC | SqlDataType::DECIMAL => Form::Decimal,
        SqlDataType::REAL => Form::Single,
        SqlDataType::FLOAT | SqlDataType::DOUBLE => Form::Double,
        SqlDataType::CHAR | SqlDataType::EXT_W_CHAR => Form::Padded,
        SqlDataType::DATE => Form::Date,
        SqlDataType::TIMESTAMP => Form::Moment,
        SqlDataType::EXT_BINARY | SqlDataType::EXT_VAR_BINARY | SqlDataType::EXT_LONG_VAR_BINARY => Form::Bytes,
        _ => Form::Text,
    }
}

/// A word for ODBC's number of a type, where a query's columns have nothing else.
fn word_of(code: i16) -> &'static str {
    match SqlDataType(code) {
        SqlDataType::EXT_BIT => "bit",
        SqlDataType::EXT_TINY_INT => "tinyint",
        SqlDataType::SMALLINT => "smallint",
        SqlDataType::INTEGER => "int",
        SqlDataType::EXT_BIG_INT => "bigint",
        SqlDataType::NUMERIC | SqlDataType::DECIMAL => "decimal",
        SqlDataType::REAL => "float",
        SqlDataType::FLOAT | SqlDataType::DOUBLE => "double",
        SqlDataType::CHAR | SqlDataType::EXT_W_CHAR => "char",
        SqlDataType::DATE => "date",
        SqlDataType::TIMESTAMP => "datetime",
        SqlDataType::EXT_BINARY => "binary",
        SqlDataType::EXT_VAR_BINARY | SqlDataType::EXT_LONG_VAR_BINARY => "varbinary",
        _ => "varchar",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_and_put_together() {
        let place = |catalog: &str, schema: &str, table: &str| Place {
            catalog: catalog.to_owned(),
            schema: schema.to_owned(),
            table: table.to_owned(),
        };
        assert_eq!(place_of("CORE.請求"), place("", "CORE", "請求"));
        assert_eq!(place_of("a.b.c"), place("a", "b", "c"));
        assert_eq!(name(Some("a.b".to_owned()), "請求".to_owned()), "\"a.b\".請求");
    }
}
