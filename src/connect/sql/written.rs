//! What is selected of a column that is read through ODBC, so that the database writes the value and no driver does.
//!
//! A driver turns values into text in a way of its own: it leaves zeros and zones out, takes `0000-00-00` for NULL, and shows
//! floating point numbers with as many digits as it likes. Text and bytes it hands on as they are. So whatever is neither is
//! made text by the database. Where it is not known how (Db2 and the standard), the driver's text has to do.

use super::catalog::Column;
use super::config::Engine;
use super::dialect::{quoted, selected};
use super::form::Form;

/// What is selected of `column`.
pub(super) fn written(engine: Engine, column: &Column) -> String {
    let name = quoted(engine, &column.name);
    match engine {
        // Under a name of its own: ORDER BY would take the text for the column.
        Engine::Postgresql => {
            format!("{}::text AS {}", selected(engine, column), quoted(engine, &format!("nenrin {}", column.name)))
        }
        Engine::Mysql => match column.form {
            Form::Text | Form::Padded | Form::Bytes | Form::Json => name,
            _ => format!("CAST({} AS CHAR)", selected(engine, column)),
        },
        // Each value has a type of its own, which its literal tells.
        Engine::Sqlite => format!("quote({name})"),
        Engine::Sqlserver => sqlserver(&name, column),
        Engine::Oracle => oracle(&name, column),
        Engine::Db2 | Engine::Standard => name,
    }
}

/// <https://learn.microsoft.com/en-us/sql/t-sql/functions/cast-and-convert-transact-sql>: style 3 writes floating point
/// numbers with 17 digits, 121 times with all of theirs.
fn sqlserver(name: &str, column: &Column) -> String {
    match (word(column), column.form) {
        ("xml" | "json", _) => format!("CONVERT(nvarchar(max), {name})"),
        ("sql_variant", _) => format!("CONVERT(nvarchar(4000), {name})"),
        ("geometry" | "geography" | "hierarchyid", _) => format!("{name}.ToString()"),
        ("uniqueidentifier", _) => format!("CONVERT(varchar(36), {name})"),
        ("time", _) => format!("CONVERT(varchar(40), {name}, 121)"),
        (_, Form::Instant) => {
            format!("CONVERT(varchar(40), CONVERT(datetime2(7), SWITCHOFFSET({name}, '+00:00')), 121)")
        }
        (_, Form::Moment) => format!("CONVERT(varchar(40), {name}, 121)"),
        (_, Form::Date) => format!("CONVERT(varchar(10), {name}, 23)"),
        (_, Form::Money) => format!("CONVERT(varchar(50), CONVERT(decimal(19, 4), {name}))"),
        (_, Form::Single | Form::Double) => format!("CONVERT(varchar(50), {name}, 3)"),
        (_, Form::Integer | Form::Decimal) => format!("CONVERT(varchar(50), {name})"),
        _ => name.to_owned(),
    }
}

/// <https://docs.oracle.com/en/database/oracle/oracle-database/19/sqlrf/Format-Models.html>: `TM9` is the shortest text of a
/// number, `SYYYY` a year with its sign, which is a space for ours.
fn oracle(name: &str, column: &Column) -> String {
    match (word(column), column.form) {
        ("xmltype", _) => format!("XMLSERIALIZE(CONTENT {name} AS CLOB)"),
        ("rowid", _) => format!("ROWIDTOCHAR({name})"),
        (word, _) if word.starts_with("interval") => format!("TO_CHAR({name})"),
        (_, Form::Boolean) => format!("CASE WHEN {name} IS NULL THEN NULL WHEN {name} THEN 'true' ELSE 'false' END"),
        (_, Form::Json) => format!("JSON_SERIALIZE({name} RETURNING CLOB)"),
        (_, Form::Second) => format!("LTRIM(TO_CHAR({name}, 'SYYYY-MM-DD HH24:MI:SS'))"),
        // Of a query's column it is not known whether it is a DATE, which has no fraction to write.
        (_, Form::Moment) => format!("LTRIM(TO_CHAR(CAST({name} AS TIMESTAMP(9)), 'SYYYY-MM-DD HH24:MI:SS.FF9'))"),
        (_, Form::Instant) => format!("LTRIM(TO_CHAR(SYS_EXTRACT_UTC({name}), 'SYYYY-MM-DD HH24:MI:SS.FF9'))"),
        (_, Form::Integer | Form::Decimal | Form::Single | Form::Double) => {
            format!("TO_CHAR({name}, 'TM9', 'NLS_NUMERIC_CHARACTERS=''.,''')")
        }
        _ => name.to_owned(),
    }
}

/// The type's word without its parameters.
fn word(column: &Column) -> &str {
    column.source_type.split('(').next().unwrap_or_default().trim_end()
}
