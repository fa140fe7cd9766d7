//! How each database wants its SQL: names, literals, comparisons.
//!
//! Values never reach a statement but as literals made here. Text is quoted by doubling quotes (PostgreSQL with
//! `standard_conforming_strings`, SQLite) or written in hexadecimal (MySQL, where a backslash may or may not mean
//! something), so that no value can end its literal.

use std::fmt::Write;

use super::catalog::Column;
use super::config::Engine;
use super::form::{Form, unbase64};
use super::position::Datum;

/// A name in the quotes of the database.
pub(super) fn quoted(engine: Engine, name: &str) -> String {
    match engine {
        Engine::Mysql => format!("`{}`", name.replace('`', "``")),
        Engine::Postgresql | Engine::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
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
    match (engine, datum) {
        (_, Datum::Bytes(kept)) => bytes_literal(engine, kept),
        (Engine::Postgresql, Datum::Text(kept)) if form == Form::Bytes => bytes_literal(engine, kept),
        (Engine::Mysql, Datum::Text(kept)) if form == Form::Bytes => bytes_literal(engine, kept),
        (Engine::Sqlite, Datum::Number(digits)) if is_plain_number(digits) => digits.clone(),
        (Engine::Mysql, Datum::Text(text) | Datum::Number(text)) if form.is_number() && is_plain_number(text) => {
            text.clone()
        }
        (Engine::Mysql, Datum::Text(text) | Datum::Number(text)) => match form {
            Form::Instant | Form::Moment | Form::Date if is_time(text) => {
                format!("'{}'", text.trim_end_matches('Z').replace('T', " "))
            }
            _ => format!("_utf8mb4 0x{}", hex(if text.is_empty() { return "''".to_owned() } else { text.as_bytes() })),
        },
        (Engine::Postgresql | Engine::Sqlite, Datum::Text(text) | Datum::Number(text)) => {
            format!("'{}'", text.replace('\'', "''"))
        }
    }
}

fn bytes_literal(engine: Engine, kept: &str) -> String {
    let hex = hex(&unbase64(kept).unwrap_or_default());
    match engine {
        Engine::Postgresql => format!("'\\x{hex}'"),
        Engine::Mysql | Engine::Sqlite => format!("X'{hex}'"),
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

/// The condition that is true behind `values` in the order of `columns`.
///
/// PostgreSQL and SQLite walk an index along a comparison of rows. MySQL does not, so there it is spelled out, with a
/// bound on the first column alone for its index.
pub(super) fn behind(engine: Engine, columns: &[String], values: &[String]) -> String {
    match (engine, columns, values) {
        (_, [column], [value]) => format!("{column} > {value}"),
        (Engine::Mysql, [column, columns @ ..], [value, values @ ..]) => {
            format!("{column} >= {value} AND ({column} > {value} OR ({}))", behind(engine, columns, values))
        }
        _ => format!("({}) > ({})", columns.join(", "), values.join(", ")),
    }
}

/// The condition that is true up to `values`, these included, in the order of `columns`.
pub(super) fn up_to(engine: Engine, columns: &[String], values: &[String]) -> String {
    match (engine, columns, values) {
        (_, [column], [value]) => format!("{column} <= {value}"),
        (Engine::Mysql, [column, columns @ ..], [value, values @ ..]) => {
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
    let rows: Vec<String> = keys.iter().map(|key| format!("({})", key.join(", "))).collect();
    let values = if engine == Engine::Sqlite { "VALUES " } else { "" };
    format!("({}) IN ({values}{})", columns.join(", "), rows.join(", "))
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
    }

    #[test]
    fn mysql_compares_rows_spelled_out() {
        let columns = ["a".to_owned(), "b".to_owned()];
        let values = ["1".to_owned(), "2".to_owned()];
        assert_eq!(behind(Engine::Postgresql, &columns, &values), "(a, b) > (1, 2)");
        assert_eq!(behind(Engine::Mysql, &columns, &values), "a >= 1 AND (a > 1 OR (b > 2))");
    }
}
