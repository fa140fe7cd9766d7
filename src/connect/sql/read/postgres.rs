//! PostgreSQL's rows by `COPY … TO STDOUT`: the text of every type as its own output function writes it, and by far
//! the fastest way out (<https://www.postgresql.org/docs/current/sql-copy.html>, "Text Format").

use std::time::Duration;

use futures::StreamExt;
use sqlx::postgres::PgConnection;

use super::{Gather, Kind, Line, Span, within};
use crate::connect::sql::link::Failure;

pub(super) async fn rows(
    link: &mut PgConnection,
    statement: &str,
    cells: usize,
    patience: Duration,
    take: &mut (dyn FnMut(Line<'_>) + Send),
) -> Result<u64, Failure> {
    let copy = format!("COPY ({statement}) TO STDOUT");
    let mut chunks = within(patience, link.copy_out_raw(&copy)).await??;
    let (mut bytes, mut gather, mut spans) = (0u64, Gather::default(), Vec::with_capacity(cells));
    // A row comes in a chunk of its own; a part of one waits for the rest of it.
    let mut part: Vec<u8> = Vec::new();
    while let Some(chunk) = within(patience, chunks.next()).await? {
        let chunk = chunk?;
        bytes += chunk.len() as u64;
        if part.is_empty() && chunk.last() == Some(&b'\n') && memchr::memchr(b'\n', &chunk) == Some(chunk.len() - 1) {
            row(&chunk[..chunk.len() - 1], cells, &mut spans, &mut gather, take)?;
            continue;
        }
        part.extend_from_slice(&chunk);
        let mut from = 0;
        while let Some(length) = memchr::memchr(b'\n', &part[from..]) {
            row(&part[from..from + length], cells, &mut spans, &mut gather, take)?;
            from += length + 1;
        }
        part.drain(..from);
    }
    if part.is_empty() { Ok(bytes) } else { Err(Failure::Protocol("the last row breaks off".to_owned())) }
}

/// Takes one row apart; a line break within a value is written as `\n`, so that a line is a row.
fn row(
    line: &[u8],
    cells: usize,
    spans: &mut Vec<Span>,
    gather: &mut Gather,
    take: &mut (dyn FnMut(Line<'_>) + Send),
) -> Result<(), Failure> {
    let wrong = |found: usize| Failure::Protocol(format!("a row has {found} cells instead of {cells}"));
    spans.clear();
    let (mut start, mut is_escaped) = (0, false);
    for at in memchr::memchr2_iter(b'\t', b'\\', line) {
        if line[at] == b'\\' {
            is_escaped = true;
        } else {
            spans.push(Span { start, end: at, kind: kind_of(&line[start..at]) });
            start = at + 1;
        }
    }
    spans.push(Span { start, end: line.len(), kind: kind_of(&line[start..]) });
    if spans.len() != cells {
        return Err(wrong(spans.len()));
    }
    if !is_escaped {
        take(Line { data: line, spans });
        return Ok(());
    }
    gather.clear();
    for span in spans.iter() {
        let start = gather.data.len();
        if span.kind != Kind::Null {
            unescape(&line[span.start..span.end], &mut gather.data);
        }
        gather.spans.push(Span { start, end: gather.data.len(), kind: span.kind });
    }
    take(gather.line());
    Ok(())
}

fn kind_of(cell: &[u8]) -> Kind {
    if cell == b"\\N" { Kind::Null } else { Kind::Text }
}

fn unescape(cell: &[u8], text: &mut Vec<u8>) {
    let mut rest = cell;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        text.extend_from_slice(&rest[..at]);
        let Some(escaped) = rest.get(at + 1) else {
            rest = &rest[at..];
            break;
        };
        text.push(match escaped {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            other => *other,
        });
        rest = &rest[at + 2..];
    }
    text.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(line: &[u8], count: usize) -> Result<Vec<Option<String>>, Failure> {
        let mut found = Vec::new();
        let mut take = |line: Line<'_>| {
            found =
                (0..count).map(|at| line.bytes(at).map(|bytes| String::from_utf8_lossy(bytes).into_owned())).collect();
        };
        row(line, count, &mut Vec::new(), &mut Gather::default(), &mut take)?;
        Ok(found)
    }

    #[test]
    fn rows_are_taken_apart_and_escapes_undone() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(cells(b"a\t\tb", 3).unwrap(), [some("a"), some(""), some("b")]);
        assert_eq!(cells(b"\\N\tx", 2).unwrap(), [None, some("x")]);
        assert_eq!(
            cells(b"\\\\N\t1\\t2\\n3\\\\\\b\\f\\v\\r", 2).unwrap(),
            [some("\\N"), some("1\t2\n3\\\u{8}\u{c}\u{b}\r")]
        );
        assert_eq!(cells("東京\t\\N".as_bytes(), 2).unwrap(), [some("東京"), None]);
        assert!(cells(b"a", 2).is_err());
    }
}
