//! What queries say.
//!
//! Conditions stand two at a time in brackets: three at one level are a syntax error. A page begins behind the last
//! record by stamp and id, since many share a second, and never at an offset, which a deletion shifts.

use std::fmt::Write;

use super::plan::{ID, STAMP};
use crate::clock::Timestamp;

/// The most ids in a condition.
pub(super) const MOST_IDS: usize = 100;

/// Which records.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Range<'a> {
    /// All by rising id, behind this one, and not behind the other.
    All { after: Option<&'a str>, until: Option<&'a str> },
    /// Those stamped in `[from, ends)` by stamp and id, behind the first record and not behind the other.
    Window { from: Timestamp, ends: Timestamp, after: Option<Spot<'a>>, until: Option<Spot<'a>> },
    /// These.
    Ids(&'a [String]),
}

/// A place in the order by stamp and id.
pub(super) type Spot<'a> = (Timestamp, &'a str);

/// An instant as queries, headers and jobs take it: with an offset, never with `Z`.
pub(super) fn instant(at: Timestamp) -> String {
    at.to_datetime().format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// A query for these columns.
pub(super) fn select(module: &str, columns: &[String], range: &Range<'_>, limit: usize) -> String {
    let order = match range {
        Range::Window { .. } => format!("{STAMP} asc, {ID} asc"),
        Range::All { .. } | Range::Ids(_) => format!("{ID} asc"),
    };
    format!("select {} from {module} where {} order by {order} limit {limit}", columns.join(", "), condition(range))
}

/// A query for how many records a module has.
pub(super) fn count(module: &str) -> String {
    format!("select COUNT({ID}) from {module} where {ID} is not null")
}

fn condition(range: &Range<'_>) -> String {
    match range {
        Range::All { after: None, until: None } => format!("{ID} is not null"),
        Range::All { after: Some(after), until: None } => format!("{ID} > '{after}'"),
        Range::All { after: None, until: Some(until) } => format!("{ID} <= '{until}'"),
        Range::All { after: Some(after), until: Some(until) } => format!("({ID} > '{after}' and {ID} <= '{until}')"),
        Range::Window { from, ends, after, until } => {
            let first = after.map_or(*from, |(at, _)| at);
            let mut text = format!("({STAMP} >= '{}' and {STAMP} < '{}')", instant(first), instant(*ends));
            if let Some((at, id)) = after {
                text = format!("({text} and ({STAMP} > '{}' or {ID} > '{id}'))", instant(*at));
            }
            if let Some((at, id)) = until {
                text = format!("({text} and ({STAMP} < '{0}' or ({STAMP} = '{0}' and {ID} <= '{id}')))", instant(*at));
            }
            text
        }
        Range::Ids(ids) => {
            let mut text = format!("{ID} in (");
            for (nth, id) in ids.iter().enumerate() {
                let _ = write!(text, "{}'{id}'", if nth > 0 { ", " } else { "" });
            }
            text + ")"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn conditions_stand_two_at_a_time() {
        let (from, ends) = (at("2026-10-01T00:00:00Z"), at("2026-10-02T00:00:00Z"));
        let after = Some((at("2026-10-01T10:00:00Z"), "7"));
        let range = Range::Window { from, ends, after, until: None };
        assert_eq!(
            select("Deals", &["id".into(), "Stage".into()], &range, 2_000),
            "select id, Stage from Deals where ((Modified_Time >= '2026-10-01T10:00:00+00:00' and \
             Modified_Time < '2026-10-02T00:00:00+00:00') and (Modified_Time > '2026-10-01T10:00:00+00:00' or id > '7')) \
             order by Modified_Time asc, id asc limit 2000"
        );
        assert_eq!(condition(&Range::All { after: None, until: None }), "id is not null");
        assert_eq!(condition(&Range::All { after: Some("1"), until: Some("9") }), "(id > '1' and id <= '9')");
        assert_eq!(condition(&Range::Ids(&["1".into(), "2".into()])), "id in ('1', '2')");
    }
}
