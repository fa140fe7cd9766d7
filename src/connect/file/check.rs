//! What `nenrin check` tells of a stream: its files, how the newest is laid out and written, and what in it does not fit.

use super::Inner;
use super::format::Step;
use super::lines::Given;
use super::part::{Look, Part};
use super::position::Position;
use super::scan::{Sort, key_of, sort_of};
use super::shape::Shape;
use super::tally::looks_total;
use crate::connect::source::Finding;
use crate::error::{Error, ErrorKind, Result};

/// So many rows of the newest file are looked at.
const ROWS: u64 = 100_000;

impl Inner {
    pub(super) fn check(&self, shape: &Shape) -> Vec<Finding> {
        let what = format!("stream {}", shape.name);
        let seen = self.list(shape, &Position::default()).and_then(|found| match found.last() {
            None => Err(Error::new(ErrorKind::NotFound, "no file fits the name")
                .with("files", shape.pattern.as_str())
                .with("path", self.store.shown())
                .help("check `files` of the stream, and that the files have arrived")),
            Some(last) => {
                let parts = self.parts(shape, last, Look::Whole)?;
                let columns = parts.first().map_or(0, |part| part.columns.len());
                let told: Result<Vec<String>> = parts.iter().map(|part| look(shape, part)).collect();
                let told = told.map_err(|error| error.with("file", &last.name))?.concat();
                Ok(format!("{} files, the last is {} with {columns} columns{told}", found.len(), last.name))
            }
        });
        let mut findings = vec![match seen {
            Ok(detail) => Finding { ok: true, what: what.clone(), detail },
            Err(error) => Finding { ok: false, what: what.clone(), detail: error.render() },
        }];
        // Files whose date makes no sense would never be read.
        for note in self.reader.notes(&shape.name).into_iter().filter(|note| note.is_warning) {
            findings.push(Finding { ok: false, what: what.clone(), detail: note.about.render_warning() });
        }
        findings
    }
}

/// How a part is written, and what in its first rows does not fit.
fn look(shape: &Shape, part: &Part) -> Result<String> {
    let mut rows = part.rows(shape, part.start, Given::Text)?;
    let (mut count, mut bad, mut totals) = (0, Vec::new(), Vec::new());
    while count < ROWS {
        let Some(step) = rows.next()? else { break };
        count += 1;
        match step {
            Step::Bad(row) => {
                let place = part.place(rows.number(), &row.place);
                bad.push(match row.misfit {
                    Some(misfit) => format!("{place} {misfit}"),
                    None => format!("{place} {}", row.reason),
                });
            }
            Step::Row => {
                let key = key_of(&*rows, &part.key);
                if sort_of(&*rows, shape) == Sort::Record && key.is_some_and(|key| looks_total(&key)) {
                    totals.push(part.place(rows.number(), ""));
                }
            }
        }
    }
    let mut told = String::new();
    if let Some(decided) = part.decided {
        told.push_str(&format!("\n{}: {} ({})", part.name, decided.encoding, decided.why));
    }
    let first = |places: &[String]| {
        let more = if places.len() > 5 { format!("; and {} more", places.len() - 5) } else { String::new() };
        format!("{}{more}", places.iter().take(5).cloned().collect::<Vec<_>>().join("; "))
    };
    if !bad.is_empty() {
        told.push_str(&format!("\nof its first {count} rows, {} are no records: {}", bad.len(), first(&bad)));
    }
    if !totals.is_empty() {
        told.push_str(&format!("\nthese look like totals: {}; name them in `total_rows` if they are", first(&totals)));
    }
    Ok(told)
}
