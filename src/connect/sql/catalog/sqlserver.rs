//! SQL Server's catalogue (<https://learn.microsoft.com/en-us/sql/relational-databases/system-catalog-views/>).

use super::{Column, Listed, Relation, filled};
use crate::connect::sql::config::Engine;
use crate::connect::sql::dialect::{literal, qualified};
use crate::connect::sql::form::Form;
use crate::connect::sql::link::Failure;
use crate::connect::sql::odbc::{Bridge, Told};
use crate::connect::sql::position::Datum;

/// What an alias type is made of counts, and `MS_Description` is what tools keep comments in.
const COLUMNS: &str = "
SELECT w.place, o.type, CONVERT(nvarchar(4000), op.value), c.name,
  COALESCE(TYPE_NAME(c.system_type_id), TYPE_NAME(c.user_type_id)), c.max_length, c.precision, c.scale, c.is_nullable,
  CONVERT(nvarchar(4000), cp.value),
  HAS_PERMS_BY_NAME(QUOTENAME(s.name) + N'.' + QUOTENAME(o.name), 'OBJECT', 'SELECT', c.name, 'COLUMN')
FROM (VALUES @wanted) AS w(place, id)
JOIN sys.objects o ON o.object_id = w.id
JOIN sys.schemas s ON s.schema_id = o.schema_id
JOIN sys.columns c ON c.object_id = o.object_id
LEFT JOIN sys.extended_properties op
  ON op.class = 1 AND op.major_id = o.object_id AND op.minor_id = 0 AND op.name = 'MS_Description'
LEFT JOIN sys.extended_properties cp
  ON cp.class = 1 AND cp.major_id = o.object_id AND cp.minor_id = c.column_id AND cp.name = 'MS_Description'
ORDER BY w.place, c.column_id";

const INDEXES: &str = "
SELECT w.place, i.index_id, i.is_unique, i.is_primary_key, c.name
FROM (VALUES @wanted) AS w(place, id)
JOIN sys.indexes i ON i.object_id = w.id
JOIN sys.index_columns k ON k.object_id = i.object_id AND k.index_id = i.index_id AND k.key_ordinal > 0
JOIN sys.columns c ON c.object_id = k.object_id AND c.column_id = k.column_id
WHERE i.type IN (1, 2) AND i.has_filter = 0 AND i.is_disabled = 0 AND i.is_hypothetical = 0
ORDER BY w.place, i.index_id, k.key_ordinal";

const LIST: &str = "
SELECT s.name, o.name, CONVERT(nvarchar(4000), p.value), o.is_ms_shipped, CASE WHEN s.name = SCHEMA_NAME() THEN 1 ELSE 0 END
FROM sys.objects o
JOIN sys.schemas s ON s.schema_id = o.schema_id
LEFT JOIN sys.extended_properties p
  ON p.class = 1 AND p.major_id = o.object_id AND p.minor_id = 0 AND p.name = 'MS_Description'
WHERE o.type IN ('U', 'V')
ORDER BY o.is_ms_shipped, s.name, o.name";

fn text_literal(text: &str) -> String {
    literal(Engine::Sqlserver, Form::Text, &Datum::Text(text.to_owned()))
}

/// The tables that are asked for, by their place.
fn wanted(names: &[&str]) -> String {
    let one = |(place, name): (usize, &&str)| {
        format!("({place}, OBJECT_ID({}))", text_literal(&qualified(Engine::Sqlserver, name)))
    };
    names.iter().enumerate().map(one).collect::<Vec<_>>().join(", ")
}

pub(super) async fn tables(bridge: &Bridge, names: &[&str]) -> Result<Vec<Option<Relation>>, Failure> {
    let wanted = wanted(names);
    let columns = bridge.ask(COLUMNS.replace("@wanted", &wanted)).await?;
    let indexes = bridge.ask(INDEXES.replace("@wanted", &wanted)).await?;
    Ok(relations(names.len(), columns, indexes))
}

fn relations(
    count: usize,
    columns: Vec<Vec<Option<String>>>,
    indexes: Vec<Vec<Option<String>>>,
) -> Vec<Option<Relation>> {
    let mut relations: Vec<Option<Relation>> = vec![None; count];
    for row in columns {
        let Ok([place, kind, label, name, word, length, precision, scale, is_nullable, comment, is_readable]) =
            <[Option<String>; 11]>::try_from(row)
        else {
            continue;
        };
        let Some(slot) = place.and_then(|place| place.parse().ok()).and_then(|place: usize| relations.get_mut(place))
        else {
            continue;
        };
        let relation = slot.get_or_insert_default();
        relation.is_table = kind.is_some_and(|kind| kind.trim() == "U");
        relation.label = filled(label);
        let (name, word) = (name.unwrap_or_default(), word.unwrap_or_default());
        if is_readable.as_deref() == Some("0") {
            relation.hidden.push(name);
            continue;
        }
        relation.columns.push(Column {
            name,
            form: form_of(&word),
            source_type: type_of(&word, length.as_deref(), precision.as_deref(), scale.as_deref()),
            is_nullable: is_nullable.as_deref() != Some("0"),
            label: filled(comment),
            choices: Vec::new(),
        });
    }
    let mut last = None;
    for row in indexes {
        let Ok([place, index, is_unique, is_primary, column]) = <[Option<String>; 5]>::try_from(row) else { continue };
        let at = place.as_ref().and_then(|place| place.parse().ok()).and_then(|place: usize| relations.get_mut(place));
        let Some(Some(relation)) = at else { continue };
        let column = column.unwrap_or_default();
        if is_primary.as_deref() == Some("1") {
            relation.primary.push(column.clone());
        }
        if last.as_ref() != Some(&(place.clone(), index.clone())) {
            relation.indexes.push((Vec::new(), is_unique.as_deref() == Some("1")));
            last = Some((place, index));
        }
        if let Some((columns, _)) = relation.indexes.last_mut() {
            columns.push(column);
        }
    }
    relations
}

/// The type as people write it.
fn type_of(word: &str, length: Option<&str>, precision: Option<&str>, scale: Option<&str>) -> String {
    let length: i64 = length.and_then(|length| length.parse().ok()).unwrap_or_default();
    let told = |count: i64| if count < 0 { "max".to_owned() } else { count.to_string() };
    match word {
        "char" | "varchar" | "binary" | "varbinary" => format!("{word}({})", told(length)),
        // Two bytes each.
        "nchar" | "nvarchar" => format!("{word}({})", told(if length < 0 { length } else { length / 2 })),
        "decimal" | "numeric" => format!("{word}({},{})", precision.unwrap_or_default(), scale.unwrap_or_default()),
        "datetime2" | "datetimeoffset" | "time" => format!("{word}({})", scale.unwrap_or_default()),
        _ => word.to_owned(),
    }
}

/// Describes a query without running it.
pub(super) async fn query(bridge: &Bridge, query: &str) -> Result<Relation, Failure> {
    let statement = format!(
        "SELECT name, system_type_name, is_nullable, error_number, error_message \
         FROM sys.dm_exec_describe_first_result_set(N'{}', NULL, 0) WHERE is_hidden = 0 OR error_number IS NOT NULL \
         ORDER BY column_ordinal",
        query.replace('\'', "''")
    );
    let mut relation = Relation::default();
    for row in bridge.ask(statement).await? {
        let Ok([name, kind, is_nullable, number, message]) = <[Option<String>; 5]>::try_from(row) else { continue };
        if let Some(number) = number {
            return Err(Failure::Odbc(Told {
                state: "42000".to_owned(),
                native: number.parse().unwrap_or_default(),
                message: message.unwrap_or_default(),
            }));
        }
        let kind = kind.unwrap_or_default();
        relation.columns.push(Column {
            name: name.unwrap_or_default(),
            form: form_of(kind.split('(').next().unwrap_or_default()),
            source_type: kind,
            is_nullable: is_nullable.as_deref() != Some("0"),
            label: None,
            choices: Vec::new(),
        });
    }
    Ok(relation)
}

pub(super) async fn list(bridge: &Bridge) -> Result<Vec<Listed>, Failure> {
    let rows = bridge.ask(LIST.to_owned()).await?.into_iter();
    let listed = rows.filter_map(|row| {
        let [schema, name, label, is_minor, is_visible] = <[Option<String>; 5]>::try_from(row).ok()?;
        Some(Listed {
            name: super::odbc::name(schema.filter(|_| is_visible.as_deref() != Some("1")), name?),
            label: filled(label),
            is_minor: is_minor.as_deref() == Some("1"),
        })
    });
    Ok(listed.collect())
}

/// The form of a type by its word in small letters.
pub(super) fn form_of(word: &str) -> Form {
    match word {
        "bigint" | "int" | "smallint" | "tinyint" | "bit" => Form::Integer,
        "decimal" | "numeric" => Form::Decimal,
        "money" | "smallmoney" => Form::Money,
        "float" => Form::Double,
        "real" => Form::Single,
        "datetimeoffset" => Form::Instant,
        "datetime" | "datetime2" | "smalldatetime" => Form::Moment,
        "date" => Form::Date,
        "char" | "nchar" => Form::Padded,
        "binary" | "varbinary" | "image" | "timestamp" | "rowversion" => Form::Bytes,
        "json" => Form::Json,
        _ => Form::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<Option<String>>> {
        let cell = |cell: &&str| (!cell.is_empty()).then(|| (*cell).to_owned());
        rows.iter().map(|row| row.iter().map(cell).collect()).collect()
    }

    #[test]
    fn tables_are_asked_for_by_quoted_names_that_end_no_literal() {
        assert_eq!(wanted(&["dbo.請求", "a]b'c"]), "(0, OBJECT_ID(N'[dbo].[請求]')), (1, OBJECT_ID('[a]]b''c]'))");
    }

    #[test]
    fn what_the_catalogue_says_becomes_relations() {
        let columns = rows(&[
            &["0", "U ", "請求書", "番号", "int", "4", "10", "0", "0", "請求番号", "1"],
            &["0", "U ", "請求書", "額", "decimal", "9", "12", "2", "1", "", "1"],
            &["0", "U ", "請求書", "名", "nvarchar", "200", "0", "0", "1", "", "1"],
            &["0", "U ", "請求書", "備考", "nvarchar", "-1", "0", "0", "1", "", "0"],
        ]);
        let indexes =
            rows(&[&["0", "1", "1", "1", "番号"], &["0", "2", "0", "0", "額"], &["0", "2", "0", "0", "番号"]]);
        let relations = relations(2, columns, indexes);
        assert_eq!(relations[1], None);
        let relation = relations[0].as_ref().unwrap();
        let types: Vec<_> = relation.columns.iter().map(|column| column.source_type.as_str()).collect();
        assert_eq!(types, ["int", "decimal(12,2)", "nvarchar(100)"]);
        assert_eq!(
            (relation.hidden.as_slice(), relation.primary.as_slice()),
            (&["備考".to_owned()][..], &["番号".to_owned()][..])
        );
        assert_eq!(relation.label.as_deref(), Some("請求書"));
        assert!(relation.is_table && relation.keeps_apart(&["番号".to_owned()]) && relation.finds("額"));
        assert!(!relation.columns[0].is_nullable && relation.columns[1].is_nullable);
    }
}
