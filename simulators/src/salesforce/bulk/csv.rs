//! Lines of a result: every cell in quotes, empty for null.

use crate::salesforce::instant;
use crate::salesforce::value::Value;

/// How lines are written.
#[derive(Debug)]
pub(crate) struct Style {
    pub(crate) delimiter: char,
    pub(crate) line_ending: &'static str,
    /// Whether large numbers are printed as `1.0E7`.
    pub(crate) exponents: bool,
    /// Whether datetimes end in `+0000` and not in `Z`.
    pub(crate) datetime_offset: bool,
}

/// The delimiters by name, and the line endings.
pub(crate) const DELIMITERS: [(&str, char); 6] =
    [("COMMA", ','), ("BACKQUOTE", '`'), ("CARET", '^'), ("PIPE", '|'), ("SEMICOLON", ';'), ("TAB", '\t')];
pub(crate) const LINE_ENDINGS: [(&str, &str); 2] = [("LF", "\n"), ("CRLF", "\r\n")];

/// Appends a line of values.
pub(crate) fn push_line(values: impl Iterator<Item = Value>, style: &Style, out: &mut String) {
    push_cells(values, style, out, |value, out| push_value(&value, style, out));
}

/// Appends the header row.
pub(crate) fn push_header<'a>(names: impl Iterator<Item = &'a str>, style: &Style, out: &mut String) {
    push_cells(names, style, out, push_text);
}

fn push_cells<T>(cells: impl Iterator<Item = T>, style: &Style, out: &mut String, push: impl Fn(T, &mut String)) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            out.push(style.delimiter);
        }
        out.push('"');
        push(cell, out);
        out.push('"');
    }
    out.push_str(style.line_ending);
}

fn push_value(value: &Value, style: &Style, out: &mut String) {
    match value {
        Value::Null => {}
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Num(value) => value.print(style.exponents, out),
        Value::Text(text) => push_text(text, out),
        Value::Word(text) => push_text(text, out),
        Value::Date(days) => instant::push_date(*days, out),
        Value::Instant(secs) => {
            instant::push_datetime(*secs, out);
            if !style.datetime_offset {
                out.truncate(out.len() - "+0000".len());
                out.push('Z');
            }
        }
        Value::Time(millis) => instant::push_time(*millis, out),
    }
}

fn push_text(text: &str, out: &mut String) {
    for (at, piece) in text.split('"').enumerate() {
        if at > 0 {
            out.push_str("\"\"");
        }
        out.push_str(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_null_is_empty() {
        let style = Style { delimiter: ';', line_ending: "\r\n", exponents: true, datetime_offset: false };
        let mut out = String::new();
        push_header(["Id", "Account.Name"].into_iter(), &style, &mut out);
        let values = [Value::Null, Value::text("a\"b\";c\nd"), Value::Instant(0), Value::Bool(true)];
        push_line(values.into_iter(), &style, &mut out);
        assert_eq!(
            out,
            "\"Id\";\"Account.Name\"\r\n\"\";\"a\"\"b\"\";c\nd\";\"1970-01-01T00:00:00.000Z\";\"true\"\r\n"
        );
    }
}
