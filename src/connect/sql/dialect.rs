//! How each database wants its SQL: names, literals, comparisons.
//!
//! Values never reach a statement but as literals made here. Text is quoted by doubling quotes (PostgreSQL with
//! `standard_conforming_strings`, the standard) or written in hexadecimal (MySQL, where a backslash may or may not mean
//! something), so that no value can end its literal. A literal has the type of the column that it is compared with, so
//! that the column's index is used: text without a type (PostgreSQL, SQL Server), or the type's own literal.

use std::fmt::Write;

use super::catalog::Column;
use super::config::Engine;
use super::form::{Form, unbase64};
use super::position::Datum;

/// A name in the quotes of the database.
pub(super) fn quoted(engine: Engine, name: &str) -> String {
    match engine {
        Engine::Mysql => format!("`{}`", name.replace('`', "``")),
        Engine::Sqlserver => format!("[{}]", name.replace(']', "]]")),
        Engine::Postgresql | Engine::Sqlite | Engine::Oracle | Engine::Db2 | Engine::Standard => {
            format!("\"{}\"", name.replace('"', "\"\""))
        }
    }
}

/// A table's name as written in the settings, each part in quotes: `billing.invoices`. Parts that are already quoted
/// are taken as they are.
pub(super) fn qualified(engine: Engine, name: &str) -> String {
    let parts: Vec<String> = parts_of(name).iter().map(|part| quoted(engine, part)).collect();
    parts.join(".")
}

/// The parts of a table's name; a part in double or back quotes may hold dots.
pub(super) fn parts_of(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quote = None;
    let mut chars = name.chars().peekable();
    while let Some(next) = chars.next() {
        let part = parts.len() - 1;
        match (next, quote) {
            ('"' | '`', None) if parts[part].is_empty() => quote = Some(next),
            (_, Some(open)) if next == open => {
                if chars.peek() == Some(&open) {
                    chars.next();
                    parts[part].push(open);
                } else {
                    quote = None;
                }
            }
            ('.', None) => parts.push(String::new()),
            _ => parts[part].push(next),
        }
    }
    parts
}

/// What reads the values of `column` as text that nothing is lost of.
pub(super) fn selected(engine: Engine, column: &Column) -> String {
    let name = quoted(engine, &column.name);
    match (engine, column.form) {
        (Engine::Postgresql, Form::Money) => format!("{name}::numeric"),
        (Engine::Mysql, Form::Bits) => format!("{name} + 0"),
        // As a number of single precision MySQL shows six digits of it.
        (Engine::Mysql, Form::Single) => format!("{name} + 0e0"),
        (Engine::Mysql, Form::Geometry) => format!("ST_AsText({name})"),
        _ => name,
    }
}

/// A value as a literal that compares with a column of `form` as the column's own values do.
pub(super) fn literal(engine: Engine, form: Form, datum: &Datum) -> String {
    let text = match datum {
        Datum::Bytes(kept) => return bytes_literal(engine, kept),
        // SQLite tells bytes from text by the value.
        Datum::Text(kept) if form == Form::Bytes && engine != Engine::Sqlite => return bytes_literal(engine, kept),
        Datum::Text(text) | Datum::Number(text) => text,
    };
    let is_digits = match engine {
        Engine::Postgresql => false,
        Engine::Sqlite => matches!(datum, Datum::Number(_)) && is_plain_number(text),
        _ => form.is_number() && is_plain_number(text),
    };
    if is_digits {
        return text.clone();
    }
    let plain = format!("'{}'", text.replace('\'', "''"));
    match (engine, form) {
        (Engine::Mysql, Form::Instant | Form::Moment | Form::Date) if is_time(text) => format!("'{}'", spaced(text)),
        (Engine::Mysql, _) if text.is_empty() => plain,
        (Engine::Mysql, _) => format!("_utf8mb4 0x{}", hex(text.as_bytes())),
        // Of another type than the column it would have every row's value converted.
        (Engine::Sqlserver, _) if text.is_ascii() => plain,
        (Engine::Sqlserver, _) => format!("N{plain}"),
        (Engine::Oracle, Form::Instant) if is_time(text) => format!("TIMESTAMP '{} +00:00'", spaced(text)),
        (Engine::Oracle, Form::Moment) if is_time(text) => format!("TIMESTAMP '{}'", spaced(text)),
        (Engine::Oracle, Form::Second) if is_time(text) => {
            format!("TO_DATE('{}', 'YYYY-MM-DD HH24:MI:SS')", spaced(text))
        }
        // The driver writes what the database wants.
        (Engine::Db2 | Engine::Standard, Form::Moment) if is_time(text) => format!("{{ts '{}'}}", spaced(text)),
        (Engine::Db2 | Engine::Standard, Form::Date) if is_time(text) => format!("{{d '{text}'}}"),
        _ => plain,
    }
}

/// `2025-10-01T09:00:00Z` as `2025-10-01 09:00:00`.
fn spaced(time: &str) -> String {
    time.trim_end_matches('Z').replace('T', " ")
}

fn bytes_literal(engine: Engine, kept: &str) -> String {
    let hex = hex(&unbase64(kept).unwrap_or_default());
    match engine {
        Engine::Postgresql => format!("'\\x{hex}'"),
        Engine::Sqlserver => format!("0x{hex}"),
        Engine::Oracle => format!("HEXTORAW('{hex}')"),
        Engine::Mysql | Engine::Sqlite | Engine::Db2 | Engine::Standard => format!("X'{hex}'"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn is_plain_number(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'))
        && !text.contains("--")
}

fn is_time(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b' ' | b'T' | b'Z'))
}

/// Whether an index is walked along a comparison of rows; elsewhere it is spelled out.
fn compares_rows(engine: Engine) -> bool {
    matches!(engine, Engine::Postgresql | Engine::Sqlite)
}

/// The condition that is true behind `values` in the order of `columns`.
///
/// PostgreSQL and SQLite walk an index along a comparison of rows. MySQL does not, and others have none, so there it is
/// spelled out, with a bound on the first column alone for its index.
pub(super) fn behind(engine: Engine, columns: &[String], values: &[String]) -> String {
    match (columns, values) {
        ([column], [value]) => format!("{column} > {value}"),
        ([column, columns @ ..], [value, values @ ..]) if !compares_rows(engine) => {
            format!("{column} >= {value} AND ({column} > {value} OR ({}))", behind(engine, columns, values))
        }
        _ => format!("({}) > ({})", columns.join(", "), values.join(", ")),
    }
}

/// The condition that is true up to `values`, these included, in the order of `columns`.
pub(super) fn up_to(engine: Engine, columns: &[String], values: &[String]) -> String {
    match (columns, values) {
        ([column], [value]) => format!("{column} <= {value}"),
        ([column, columns @ ..], [value, values @ ..]) if !compares_rows(engine) => {
            format!("{column} <= {value} AND ({column} < {value} OR ({}))", up_to(engine, columns, values))
        }
        _ => format!("({}) <= ({})", columns.join(", "), values.join(", ")),
    }
}

/// The condition that is true for the rows that have one of these keys.
pub(super) fn one_of(engine: Engine, columns: &[String], keys: &[Vec<String>]) -> String {
    if let [column] = columns {
        let keys: Vec<&str> = keys.iter().filter_map(|key| key.first()).map(String::as_str).collect();
        return format!("{column} IN ({})", keys.join(", "));
    }
    if matches!(engine, Engine::Sqlserver | Engine::Db2 | Engine::Standard) {
        let same = |(column, value): (&String, &String)| format!("{column} = {value}");
        let one = |key: &Vec<String>| columns.iter().zip(key).map(same).collect::<Vec<_>>().join(" AND ");
        let rows: Vec<String> = keys.iter().map(|key| format!("({})", one(key))).collect();
        return format!("({})", rows.join(" OR "));
    }
    let rows: Vec<String> = keys.iter().map(|key| format!("({})", key.join(", "))).collect();
    let values = if engine == Engine::Sqlite { "VALUES " } else { "" };
    format!("({}) IN ({values}{})", columns.join(", "), rows.join(", "))
}

/// `from` under the name `name`; Oracle wants no word between them.
pub(super) fn named(engine: Engine, from: &str, name: &str) -> String {
    let word = if engine == Engine::Oracle { "" } else { "AS " };
    format!("{from} {word}{name}")
}

/// What gives the time in UTC in a statement; `NULL` where no statement is asked for it.
pub(super) fn clock(engine: Engine) -> &'static str {
    match engine {
        Engine::Mysql => "NOW(6)",
        Engine::Sqlserver => "CONVERT(varchar(40), SYSUTCDATETIME(), 121)",
        Engine::Oracle => "TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD HH24:MI:SS.FF6')",
        Engine::Db2 => "CURRENT TIMESTAMP - CURRENT TIMEZONE",
        // PostgreSQL's pages tell it by themselves, SQLite has the same clock as we; the standard's is in no known zone.
        Engine::Postgresql | Engine::Sqlite | Engine::Standard => "NULL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Datum {
        Datum::Text(text.to_owned())
    }

    #[test]
    fn names_are_quoted_and_may_hold_anything() {
        assert_eq!(qualified(Engine::Postgresql, "billing.請求"), "\"billing\".\"請求\"");
        assert_eq!(qualified(Engine::Mysql, "a`b"), "`a``b`");
        assert_eq!(parts_of("\"a.b\".c"), ["a.b", "c"]);
        assert_eq!(parts_of("\"a\"\"b\""), ["a\"b"]);
    }

    #[test]
    fn no_value_ends_its_literal() {
        assert_eq!(literal(Engine::Postgresql, Form::Text, &text("a'b\\")), "'a''b\\'");
        assert_eq!(literal(Engine::Mysql, Form::Text, &text("a'\\")), "_utf8mb4 0x61275c");
        assert_eq!(literal(Engine::Mysql, Form::Text, &text("")), "''");
        assert_eq!(literal(Engine::Mysql, Form::Integer, &text("1 OR 1=1")), "_utf8mb4 0x31204f5220313d31");
        assert_eq!(literal(Engine::Mysql, Form::Integer, &text("18446744073709551615")), "18446744073709551615");
        assert_eq!(literal(Engine::Mysql, Form::Instant, &text("2025-10-01T09:00:00Z")), "'2025-10-01 09:00:00'");
        assert_eq!(literal(Engine::Sqlite, Form::Dynamic, &Datum::Number("7".into())), "7");
        assert_eq!(literal(Engine::Sqlite, Form::Dynamic, &text("7")), "'7'");
        assert_eq!(literal(Engine::Postgresql, Form::Bytes, &text("aGk=")), "'\\x6869'");
        assert_eq!(literal(Engine::Mysql, Form::Integer, &text("1--")), "_utf8mb4 0x312d2d");
        assert_eq!(literal(Engine::Sqlserver, Form::Integer, &text("1 OR 1=1")), "'1 OR 1=1'");
        assert_eq!(literal(Engine::Oracle, Form::Moment, &text("2025' OR '1'='1")), "'2025'' OR ''1''=''1'");
    }

    #[test]
    fn literals_have_the_type_of_their_column() {
        let time = text("2025-10-01T09:00:00.12");
        let zoned = text("2025-10-01T00:00:00Z");
        for (engine, form, datum, expected) in [
            (Engine::Sqlserver, Form::Text, text("C'01"), "'C''01'"),
            (Engine::Sqlserver, Form::Text, text("顧客1"), "N'顧客1'"),
            (Engine::Sqlserver, Form::Decimal, text("-12.50"), "-12.50"),
            (Engine::Sqlserver, Form::Moment, time.clone(), "'2025-10-01T09:00:00.12'"),
            (Engine::Sqlserver, Form::Instant, zoned.clone(), "'2025-10-01T00:00:00Z'"),
            (Engine::Sqlserver, Form::Bytes, text("aGk="), "0x6869"),
            (Engine::Oracle, Form::Text, text("顧客1"), "'顧客1'"),
            (Engine::Oracle, Form::Decimal, text("0.5"), "0.5"),
            (Engine::Oracle, Form::Moment, time.clone(), "TIMESTAMP '2025-10-01 09:00:00.12'"),
            (Engine::Oracle, Form::Instant, zoned, "TIMESTAMP '2025-10-01 00:00:00 +00:00'"),
            (
                Engine::Oracle,
                Form::Second,
                text("2025-10-01T09:00:00"),
                "TO_DATE('2025-10-01 09:00:00', 'YYYY-MM-DD HH24:MI:SS')",
            ),
            (Engine::Oracle, Form::Bytes, Datum::Bytes("aGk=".to_owned()), "HEXTORAW('6869')"),
            (Engine::Standard, Form::Moment, time, "{ts '2025-10-01 09:00:00.12'}"),
            (Engine::Standard, Form::Date, text("2025-10-01"), "{d '2025-10-01'}"),
        ] {
            assert_eq!(literal(engine, form, &datum), expected, "{engine:?} {form:?}");
        }
    }

    #[test]
    fn names_are_quoted_in_the_way_of_the_database() {
        assert_eq!(qualified(Engine::Sqlserver, "dbo.請求]書"), "[dbo].[請求]]書]");
        assert_eq!(qualified(Engine::Oracle, "BILLING.請求"), "\"BILLING\".\"請求\"");
    }

    #[test]
    fn rows_are_found_by_keys_of_many_columns() {
        let columns = ["a".to_owned(), "b".to_owned()];
        let keys = [vec!["1".to_owned(), "'x'".to_owned()], vec!["2".to_owned(), "'y'".to_owned()]];
        assert_eq!(one_of(Engine::Sqlserver, &columns, &keys), "((a = 1 AND b = 'x') OR (a = 2 AND b = 'y'))");
        assert_eq!(one_of(Engine::Oracle, &columns, &keys), "(a, b) IN ((1, 'x'), (2, 'y'))");
    }

    #[test]
    fn mysql_compares_rows_spelled_out() {
        let columns = ["a".to_owned(), "b".to_owned()];
        let values = ["1".to_owned(), "2".to_owned()];
        assert_eq!(behind(Engine::Postgresql, &columns, &values), "(a, b) > (1, 2)");
        for engine in [Engine::Mysql, Engine::Sqlserver, Engine::Oracle, Engine::Standard] {
            assert_eq!(behind(engine, &columns, &values), "a >= 1 AND (a > 1 OR (b > 2))");
        }
        assert_eq!(up_to(Engine::Sqlserver, &columns, &values), "a <= 1 AND (a < 1 OR (b <= 2))");
    }
}
