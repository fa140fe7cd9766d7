//! The catalogue of MySQL and MariaDB.

use std::collections::BTreeMap;

use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, Column as _, Executor, Row, SqlSafeStr, Statement, TypeInfo};

use super::{Column, Listed, Relation, filled, plain};
use crate::connect::sql::config::Engine;
use crate::connect::sql::dialect::parts_of;
use crate::connect::sql::form::Form;
use crate::connect::sql::link::Failure;
#[cfg(feature = "odbc")]
use crate::connect::sql::odbc::Bridge;

const HOME: &str = "SELECT database()";

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

/// Rows of the catalogue as text.
type Cells = Vec<Vec<Option<String>>>;

/// The catalogue's text, whatever type the server gives it.
async fn ask(link: &mut MySqlConnection, statement: String) -> Result<Cells, Failure> {
    let text = |row: &MySqlRow, at: usize| {
        let bytes: Option<Vec<u8>> = row.try_get_unchecked(at)?;
        bytes.map(|bytes| String::from_utf8(bytes).map_err(|error| Failure::Protocol(error.to_string()))).transpose()
    };
    let rows = sqlx::raw_sql(AssertSqlSafe(statement)).fetch_all(link).await?;
    rows.iter().map(|row| (0..row.len()).map(|at| text(row, at)).collect()).collect()
}

fn cell(row: &[Option<String>], at: usize) -> Option<&str> {
    row.get(at).and_then(Option::as_deref)
}

fn word(row: &[Option<String>], at: usize) -> String {
    cell(row, at).unwrap_or_default().to_owned()
}

/// Schema and name of a table.
type Place = (String, String);

/// Where the tables are; those without a schema in `home`.
fn places(home: &str, names: &[&str]) -> Vec<Place> {
    let one = |name: &&str| {
        let mut parts = parts_of(name);
        let table = parts.pop().unwrap_or_default();
        (parts.pop().unwrap_or_else(|| home.to_owned()), table)
    };
    names.iter().map(one).collect()
}

/// The statements for the columns and the indexes of these tables.
fn statements(wanted: &[Place]) -> (String, String) {
    let hex = |text: &str| match text {
        "" => "''".to_owned(),
        text => format!("_utf8mb4 0x{}", text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>()),
    };
    let filter = |prefix: &str| {
        let one = |(schema, table): &Place| {
            format!("({prefix}table_schema = {} AND {prefix}table_name = {})", hex(schema), hex(table))
        };
        wanted.iter().map(one).collect::<Vec<_>>().join(" OR ")
    };
    (
        format!("{COLUMNS}{} ORDER BY 1, 2, c.ordinal_position", filter("c.")),
        format!("{INDEXES}{} ORDER BY 1, 2, 3, seq_in_index", filter("")),
    )
}

pub(super) async fn tables(link: &mut MySqlConnection, names: &[&str]) -> Result<Vec<Option<Relation>>, Failure> {
    let home = ask(link, HOME.to_owned()).await?;
    let wanted = places(&home.first().map(|row| word(row, 0)).unwrap_or_default(), names);
    let (columns, indexes) = statements(&wanted);
    let (columns, indexes) = (ask(link, columns).await?, ask(link, indexes).await?);
    Ok(relations(&wanted, &columns, &indexes))
}

/// The same through ODBC.
#[cfg(feature = "odbc")]
pub(super) async fn tables_over(bridge: &Bridge, names: &[&str]) -> Result<Vec<Option<Relation>>, Failure> {
    let home = bridge.ask(HOME.to_owned()).await?;
    let wanted = places(&home.first().map(|row| word(row, 0)).unwrap_or_default(), names);
    let (columns, indexes) = statements(&wanted);
    let (columns, indexes) = (bridge.ask(columns).await?, bridge.ask(indexes).await?);
    Ok(relations(&wanted, &columns, &indexes))
}

fn relations(wanted: &[Place], columns: &Cells, indexes: &Cells) -> Vec<Option<Relation>> {
    let mut relations: BTreeMap<Place, Relation> = BTreeMap::new();
    for row in columns {
        let relation = relations.entry((word(row, 0), word(row, 1))).or_default();
        relation.is_table = word(row, 2) == "BASE TABLE";
        // A view has the comment `VIEW`.
        relation.label = filled(row[3].clone()).filter(|label| relation.is_table || label != "VIEW");
        let (name, data_type, column_type) = (word(row, 4), word(row, 5), word(row, 6));
        if !word(row, 9).contains("select") {
            relation.hidden.push(name);
            continue;
        }
        relation.columns.push(Column {
            name,
            form: form_of(&data_type.to_lowercase()),
            is_nullable: word(row, 7) != "NO",
            label: filled(row[8].clone()),
            choices: choices(&column_type),
            source_type: if matches!(data_type.as_str(), "enum" | "set") { data_type } else { column_type },
        });
    }
    let mut known: BTreeMap<(String, String, String), (Vec<String>, bool)> = BTreeMap::new();
    for row in indexes {
        let index = known.entry((word(row, 0), word(row, 1), word(row, 2))).or_default();
        // Of an index on a part of a column, or on an expression, the column says nothing.
        index.0.push(cell(row, 4).filter(|_| cell(row, 5).is_none()).unwrap_or_default().to_owned());
        index.1 = word(row, 3) == "0";
    }
    for ((schema, table, name), index) in known {
        if let Some(relation) = relations.get_mut(&(schema, table)) {
            if name == "PRIMARY" {
                relation.primary.clone_from(&index.0);
            }
            relation.indexes.push(index);
        }
    }
    // A server may keep tables' names in small letters whatever a person writes.
    let found = |name: &Place| {
        let same =
            |known: &&Place| known.0.eq_ignore_ascii_case(&name.0) && known.1.to_lowercase() == name.1.to_lowercase();
        relations.get(name).or_else(|| relations.keys().find(same).and_then(|known| relations.get(known))).cloned()
    };
    wanted.iter().map(found).collect()
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
    Ok(listed(&ask(link, LIST.to_owned()).await?))
}

/// The same through ODBC.
#[cfg(feature = "odbc")]
pub(super) async fn list_over(bridge: &Bridge) -> Result<Vec<Listed>, Failure> {
    Ok(listed(&bridge.ask(LIST.to_owned()).await?))
}

fn listed(rows: &Cells) -> Vec<Listed> {
    let part = |name: String| if name.contains(['.', '`']) { format!("`{}`", name.replace('`', "``")) } else { name };
    let one = |row: &Vec<Option<String>>| {
        let (schema, name) = (word(row, 0), word(row, 1));
        let is_visible = cell(row, 5) == Some("1");
        Listed {
            name: if is_visible { part(name) } else { format!("{}.{}", part(schema), part(name)) },
            label: filled(row[2].clone()).filter(|label| label != "VIEW"),
            is_minor: cell(row, 4) == Some("1"),
        }
    };
    rows.iter().map(one).collect()
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
