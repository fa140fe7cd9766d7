//! The catalogue of MySQL and MariaDB.

use std::collections::BTreeMap;

use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, Column as _, Executor, Row, SqlSafeStr, Statement, TypeInfo};

use super::{Column, Listed, Relation, filled, plain};
use crate::connect::sql::config::Engine;
use crate::connect::sql::dialect::parts_of;
use crate::connect::sql::form::Form;
use crate::connect::sql::link::Failure;

const COLUMNS: &str = "
SELECT c.table_schema, c.table_name, t.table_type, t.table_comment, c.column_name, c.data_type, c.column_type,
  c.is_nullable, c.column_comment, c.privileges
FROM information_schema.columns c
JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
WHERE ";

const INDEXES: &str = "
SELECT table_schema, table_name, index_name, non_unique, column_name, sub_part
FROM information_schema.statistics WHERE ";

const LIST: &str = "
SELECT table_schema, table_name, table_comment, table_type,
  table_schema IN ('information_schema', 'mysql', 'performance_schema', 'sys') AS is_minor, table_schema = database() AS is_visible
FROM information_schema.tables ORDER BY is_minor, table_schema, table_name";

/// A text of the catalogue, whatever type the server gives it.
fn text(row: &MySqlRow, at: usize) -> Result<Option<String>, Failure> {
    let bytes: Option<Vec<u8>> = row.try_get_unchecked(at)?;
    bytes.map(|bytes| String::from_utf8(bytes).map_err(|error| Failure::Protocol(error.to_string()))).transpose()
}

fn word(row: &MySqlRow, at: usize) -> Result<String, Failure> {
    Ok(text(row, at)?.unwrap_or_default())
}

pub(super) async fn tables(link: &mut MySqlConnection, names: &[&str]) -> Result<Vec<Option<Relation>>, Failure> {
    let home = sqlx::raw_sql("SELECT database()").fetch_one(&mut *link).await?;
    let home = word(&home, 0)?;
    let wanted: Vec<(String, String)> = names
        .iter()
        .map(|name| {
            let mut parts = parts_of(name);
            let table = parts.pop().unwrap_or_default();
            (parts.pop().unwrap_or_else(|| home.clone()), table)
        })
        .collect();
    let hex = |text: &str| match text {
        "" => "''".to_owned(),
        text => format!("_utf8mb4 0x{}", text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>()),
    };
    let filter = |prefix: &str| {
        let one = |(schema, table): &(String, String)| {
            format!("({prefix}table_schema = {} AND {prefix}table_name = {})", hex(schema), hex(table))
        };
        wanted.iter().map(one).collect::<Vec<_>>().join(" OR ")
    };
    let mut relations: BTreeMap<(String, String), Relation> = BTreeMap::new();
    let statement = format!("{COLUMNS}{} ORDER BY 1, 2, c.ordinal_position", filter("c."));
    for row in sqlx::raw_sql(AssertSqlSafe(statement)).fetch_all(&mut *link).await? {
        let relation = relations.entry((word(&row, 0)?, word(&row, 1)?)).or_default();
        relation.is_table = word(&row, 2)? == "BASE TABLE";
        // A view has the comment `VIEW`.
        relation.label = filled(text(&row, 3)?).filter(|label| relation.is_table || label != "VIEW");
        let (name, data_type, column_type) = (word(&row, 4)?, word(&row, 5)?, word(&row, 6)?);
        if !word(&row, 9)?.contains("select") {
            relation.hidden.push(name);
            continue;
        }
        relation.columns.push(Column {
            name,
            form: form_of(&data_type.to_lowercase()),
            is_nullable: word(&row, 7)? != "NO",
            label: filled(text(&row, 8)?),
            choices: choices(&column_type),
            source_type: if matches!(data_type.as_str(), "enum" | "set") { data_type } else { column_type },
        });
    }
    let statement = format!("{INDEXES}{} ORDER BY 1, 2, 3, seq_in_index", filter(""));
    let mut indexes: BTreeMap<(String, String, String), (Vec<String>, bool)> = BTreeMap::new();
    for row in sqlx::raw_sql(AssertSqlSafe(statement)).fetch_all(&mut *link).await? {
        let index = indexes.entry((word(&row, 0)?, word(&row, 1)?, word(&row, 2)?)).or_default();
        // Of an index on a part of a column, or on an expression, the column says nothing.
        let column = text(&row, 4)?.filter(|_| matches!(text(&row, 5), Ok(None)));
        index.0.push(column.unwrap_or_default());
        index.1 = word(&row, 3)? == "0";
    }
    for ((schema, table, name), index) in indexes {
        if let Some(relation) = relations.get_mut(&(schema, table)) {
            if name == "PRIMARY" {
                relation.primary.clone_from(&index.0);
            }
            relation.indexes.push(index);
        }
    }
    // A server may keep tables' names in small letters whatever a person writes.
    let found = |name: &(String, String)| {
        let same = |known: &&(String, String)| {
            known.0.eq_ignore_ascii_case(&name.0) && known.1.to_lowercase() == name.1.to_lowercase()
        };
        relations.get(name).or_else(|| relations.keys().find(same).and_then(|known| relations.get(known))).cloned()
    };
    Ok(wanted.iter().map(found).collect())
}

/// The values of `enum('a','b')`.
fn choices(column_type: &str) -> Vec<String> {
    let Some(list) = column_type.strip_prefix("enum(").or_else(|| column_type.strip_prefix("set(")) else {
        return Vec::new();
    };
    let list = list.trim_end_matches(')');
    let list = list.strip_prefix('\'').and_then(|list| list.strip_suffix('\'')).unwrap_or_default();
    list.split("','").map(|value| value.replace("''", "'")).collect()
}

/// Describes a query without running it.
pub(super) async fn query(link: &mut MySqlConnection, query: &str) -> Result<Relation, Failure> {
    let statement = link.prepare(AssertSqlSafe(query).into_sql_str()).await?;
    let columns = statement.columns().iter();
    let columns = columns.map(|column| plain(Engine::Mysql, column.name(), column.type_info().name()));
    Ok(Relation { columns: columns.collect(), ..Relation::default() })
}

pub(super) async fn list(link: &mut MySqlConnection) -> Result<Vec<Listed>, Failure> {
    let rows = sqlx::raw_sql(LIST).fetch_all(link).await?;
    rows.iter()
        .map(|row| {
            let (schema, name) = (word(row, 0)?, word(row, 1)?);
            let part =
                |name: String| if name.contains(['.', '`']) { format!("`{}`", name.replace('`', "``")) } else { name };
            let name = if text(row, 5)?.as_deref() == Some("1") {
                part(name)
            } else {
                format!("{}.{}", part(schema), part(name))
            };
            let label = filled(text(row, 2)?).filter(|label| label != "VIEW");
            Ok(Listed { name, label, is_minor: text(row, 4)?.as_deref() == Some("1") })
        })
        .collect()
}

/// The form of a type, by `data_type` of the catalogue or by sqlx's word for it in small letters.
pub(super) fn form_of(word: &str) -> Form {
    match word.strip_suffix(" unsigned").unwrap_or(word) {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" | "boolean" => Form::Integer,
        "decimal" => Form::Decimal,
        "float" => Form::Single,
        "double" => Form::Float,
        "bit" => Form::Bits,
        "timestamp" => Form::Instant,
        "datetime" => Form::Moment,
        "date" => Form::Date,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Form::Bytes,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
        | "geometrycollection" | "geomcollection" => Form::Geometry,
        "json" => Form::Json,
        _ => Form::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_an_enumeration_may_hold_quotes() {
        assert_eq!(choices("enum('導入','it''s','a,b')"), ["導入", "it's", "a,b"]);
        assert_eq!(choices("varchar(20)"), Vec::<String>::new());
    }
}
