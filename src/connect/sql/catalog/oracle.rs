//! Oracle's catalogue (<https://docs.oracle.com/en/database/oracle/oracle-database/19/refrn/>): what the user may see of it.

use std::collections::BTreeMap;

use super::{Column, Listed, Relation, filled};
use crate::connect::sql::config::Engine;
use crate::connect::sql::dialect::{literal, parts_of};
use crate::connect::sql::form::Form;
use crate::connect::sql::link::Failure;
use crate::connect::sql::odbc::Bridge;
use crate::connect::sql::position::Datum;

const COLUMNS: &str = "
SELECT c.OWNER, c.TABLE_NAME, t.TABLE_TYPE, t.COMMENTS, c.COLUMN_NAME, c.DATA_TYPE, TO_CHAR(c.CHAR_LENGTH),
  TO_CHAR(c.DATA_PRECISION), TO_CHAR(c.DATA_SCALE), c.NULLABLE, m.COMMENTS
FROM ALL_TAB_COLS c
LEFT JOIN ALL_TAB_COMMENTS t ON t.OWNER = c.OWNER AND t.TABLE_NAME = c.TABLE_NAME
LEFT JOIN ALL_COL_COMMENTS m ON m.OWNER = c.OWNER AND m.TABLE_NAME = c.TABLE_NAME AND m.COLUMN_NAME = c.COLUMN_NAME
WHERE c.HIDDEN_COLUMN = 'NO' AND (c.OWNER, c.TABLE_NAME) IN (@wanted)
ORDER BY c.OWNER, c.TABLE_NAME, c.COLUMN_ID";

const INDEXES: &str = "
SELECT i.TABLE_OWNER, i.TABLE_NAME, i.OWNER || '.' || i.INDEX_NAME, i.UNIQUENESS, k.COLUMN_NAME
FROM ALL_INDEXES i
JOIN ALL_IND_COLUMNS k ON k.INDEX_OWNER = i.OWNER AND k.INDEX_NAME = i.INDEX_NAME
WHERE i.INDEX_TYPE IN ('NORMAL', 'IOT - TOP') AND i.STATUS <> 'UNUSABLE' AND (i.TABLE_OWNER, i.TABLE_NAME) IN (@wanted)
ORDER BY 1, 2, 3, k.COLUMN_POSITION";

const PRIMARY: &str = "
SELECT p.OWNER, p.TABLE_NAME, k.COLUMN_NAME
FROM ALL_CONSTRAINTS p
JOIN ALL_CONS_COLUMNS k ON k.OWNER = p.OWNER AND k.CONSTRAINT_NAME = p.CONSTRAINT_NAME
WHERE p.CONSTRAINT_TYPE = 'P' AND p.STATUS = 'ENABLED' AND (p.OWNER, p.TABLE_NAME) IN (@wanted)
ORDER BY 1, 2, k.POSITION";

const LIST: &str = "
SELECT t.OWNER, t.TABLE_NAME, t.COMMENTS, COALESCE(u.ORACLE_MAINTAINED, 'N'),
  CASE WHEN t.OWNER = SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') THEN 'Y' ELSE 'N' END
FROM ALL_TAB_COMMENTS t
LEFT JOIN ALL_USERS u ON u.USERNAME = t.OWNER
WHERE t.TABLE_TYPE IN ('TABLE', 'VIEW') AND t.TABLE_NAME NOT LIKE 'BIN$%'
ORDER BY 4, 1, 2";

type Cells = Vec<Vec<Option<String>>>;
type Place = (String, String);

fn text_literal(text: &str) -> String {
    literal(Engine::Oracle, Form::Text, &Datum::Text(text.to_owned()))
}

/// Owner and table of each; `home` is whose tables need no owner.
fn places(home: &str, names: &[&str]) -> Vec<Place> {
    let one = |name: &&str| {
        let mut parts = parts_of(name);
        let table = parts.pop().unwrap_or_default();
        (parts.pop().unwrap_or_else(|| home.to_owned()), table)
    };
    names.iter().map(one).collect()
}

pub(super) async fn tables(bridge: &Bridge, names: &[&str]) -> Result<Vec<Option<Relation>>, Failure> {
    let home = bridge.ask("SELECT SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') FROM DUAL".to_owned()).await?;
    let home = home.into_iter().flatten().flatten().next().unwrap_or_default();
    let places = places(&home, names);
    let one = |(owner, table): &Place| format!("({}, {})", text_literal(owner), text_literal(table));
    let wanted = places.iter().map(one).collect::<Vec<_>>().join(", ");
    let columns = bridge.ask(COLUMNS.replace("@wanted", &wanted)).await?;
    let indexes = bridge.ask(INDEXES.replace("@wanted", &wanted)).await?;
    let primary = bridge.ask(PRIMARY.replace("@wanted", &wanted)).await?;
    let found = relations(columns, indexes, primary);
    Ok(places.iter().map(|place| found.get(place).cloned()).collect())
}

fn relations(columns: Cells, indexes: Cells, primary: Cells) -> BTreeMap<Place, Relation> {
    let mut relations: BTreeMap<Place, Relation> = BTreeMap::new();
    for row in columns {
        let Ok([owner, table, kind, label, name, word, length, precision, scale, is_nullable, comment]) =
            <[Option<String>; 11]>::try_from(row)
        else {
            continue;
        };
        let relation = relations.entry((owner.unwrap_or_default(), table.unwrap_or_default())).or_default();
        relation.is_table = kind.as_deref() == Some("TABLE");
        relation.label = filled(label);
        let source_type = type_of(&word.unwrap_or_default(), length, precision, scale);
        relation.columns.push(Column {
            name: name.unwrap_or_default(),
            form: form_of(&source_type),
            source_type,
            is_nullable: is_nullable.as_deref() != Some("N"),
            label: filled(comment),
            choices: Vec::new(),
        });
    }
    let mut last = None;
    for row in indexes {
        let Ok([owner, table, index, uniqueness, column]) = <[Option<String>; 5]>::try_from(row) else { continue };
        let place = (owner.unwrap_or_default(), table.unwrap_or_default());
        let Some(relation) = relations.get_mut(&place) else { continue };
        if last.as_ref() != Some(&index) {
            relation.indexes.push((Vec::new(), uniqueness.as_deref() == Some("UNIQUE")));
            last = Some(index);
        }
        if let Some((columns, _)) = relation.indexes.last_mut() {
            columns.extend(column);
        }
    }
    for row in primary {
        let Ok([owner, table, column]) = <[Option<String>; 3]>::try_from(row) else { continue };
        if let Some(relation) = relations.get_mut(&(owner.unwrap_or_default(), table.unwrap_or_default())) {
            relation.primary.extend(column);
        }
    }
    relations
}

/// The type as people write it, in small letters. A number without a scale may hold any.
fn type_of(word: &str, length: Option<String>, precision: Option<String>, scale: Option<String>) -> String {
    let word = word.to_lowercase();
    match (word.as_str(), length, precision, scale) {
        ("varchar2" | "nvarchar2" | "char" | "nchar", Some(length), ..) => format!("{word}({length})"),
        ("number", _, precision, Some(scale)) => format!("number({},{scale})", precision.as_deref().unwrap_or("38")),
        _ => word,
    }
}

/// Tables and views.
pub(super) async fn list(bridge: &Bridge) -> Result<Vec<Listed>, Failure> {
    let rows = bridge.ask(LIST.to_owned()).await?.into_iter();
    let listed = rows.filter_map(|row| {
        let [owner, name, label, is_minor, is_visible] = <[Option<String>; 5]>::try_from(row).ok()?;
        Some(Listed {
            name: super::odbc::name(owner.filter(|_| is_visible.as_deref() != Some("Y")), name?),
            label: filled(label),
            is_minor: is_minor.as_deref() == Some("Y"),
        })
    });
    Ok(listed.collect())
}

/// The form of a type as written in small letters.
pub(super) fn form_of(source_type: &str) -> Form {
    let word = source_type.split('(').next().unwrap_or_default();
    match word {
        "number" if source_type.ends_with(",0)") => Form::Integer,
        "number" | "float" => Form::Decimal,
        "binary_float" => Form::Single,
        "binary_double" => Form::Double,
        "date" => Form::Second,
        "timestamp" if source_type.ends_with("time zone") => Form::Instant,
        "timestamp" => Form::Moment,
        "char" | "nchar" => Form::Padded,
        "raw" | "long raw" | "blob" => Form::Bytes,
        "json" => Form::Json,
        "boolean" => Form::Boolean,
        _ => Form::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Cells {
        let cell = |cell: &&str| (!cell.is_empty()).then(|| (*cell).to_owned());
        rows.iter().map(|row| row.iter().map(cell).collect()).collect()
    }

    #[test]
    fn types_are_told_apart() {
        for (word, precision, scale, source_type, form) in [
            ("NUMBER", Some("10"), Some("0"), "number(10,0)", Form::Integer),
            ("NUMBER", Some("12"), Some("2"), "number(12,2)", Form::Decimal),
            ("NUMBER", None, None, "number", Form::Decimal),
            ("NUMBER", None, Some("0"), "number(38,0)", Form::Integer),
            ("DATE", None, None, "date", Form::Second),
            ("TIMESTAMP(6)", None, Some("6"), "timestamp(6)", Form::Moment),
            ("TIMESTAMP(6) WITH TIME ZONE", None, Some("6"), "timestamp(6) with time zone", Form::Instant),
            ("TIMESTAMP(6) WITH LOCAL TIME ZONE", None, Some("6"), "timestamp(6) with local time zone", Form::Instant),
            ("INTERVAL DAY(2) TO SECOND(6)", None, None, "interval day(2) to second(6)", Form::Text),
            ("RAW", None, None, "raw", Form::Bytes),
        ] {
            let found = type_of(word, Some("0".to_owned()), precision.map(str::to_owned), scale.map(str::to_owned));
            assert_eq!((found.as_str(), form_of(&found)), (source_type, form), "{word}");
        }
    }

    #[test]
    fn what_the_catalogue_says_becomes_relations() {
        assert_eq!(
            places("CORE", &["BILLING.請求", "T"]),
            [("BILLING".into(), "請求".into()), ("CORE".into(), "T".into())]
        );
        let columns = rows(&[
            &["CORE", "T", "TABLE", "契約", "ID", "NUMBER", "0", "10", "0", "N", "番号"],
            &["CORE", "T", "TABLE", "契約", "名", "VARCHAR2", "100", "", "", "Y", ""],
        ]);
        let indexes = rows(&[&["CORE", "T", "CORE.PK", "UNIQUE", "ID"], &["CORE", "T", "CORE.X", "NONUNIQUE", "名"]]);
        let found = relations(columns, indexes, rows(&[&["CORE", "T", "ID"]]));
        let relation = &found[&("CORE".to_owned(), "T".to_owned())];
        assert_eq!((relation.primary.as_slice(), relation.label.as_deref()), (&["ID".to_owned()][..], Some("契約")));
        assert_eq!(relation.columns[1].source_type, "varchar2(100)");
        assert!(relation.is_table && relation.keeps_apart(&["ID".to_owned()]) && relation.finds("名"));
    }
}
