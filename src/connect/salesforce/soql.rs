//! The queries we ask, as text.

use crate::clock::Timestamp;

/// A read of one object, before it is text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Select<'a> {
    pub(super) object: &'a str,
    pub(super) fields: &'a [String],
    /// The configured condition.
    pub(super) condition: Option<&'a str>,
    pub(super) range: Range<'a>,
}

/// Which rows, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Range<'a> {
    /// All rows by id, those after `after` only; at most `limit`.
    Pass { after: Option<&'a str>, limit: Option<u32> },
    /// The rows with these ids.
    Ids(&'a [String]),
    /// The rows stamped in `[from, until)`, by stamp and id. `after` is the last row read: rows with its
    /// stamp come after its id. Never `>` on a stamp alone (rows that share it would be lost), never
    /// `>=` with a limit (a large group on one stamp would be read for ever).
    Window { stamp: &'a str, from: Timestamp, until: Timestamp, after: Option<(Timestamp, &'a str)> },
}

impl Select<'_> {
    /// The query.
    pub(super) fn to_soql(&self) -> String {
        let (text, order) = self.parts();
        format!("{text} ORDER BY {order}")
    }

    /// The query for a bulk job: sorting would keep Salesforce from doing it in parts.
    pub(super) fn to_unordered_soql(&self) -> String {
        self.parts().0
    }

    fn parts(&self) -> (String, String) {
        let mut conditions = Vec::new();
        if let Some(condition) = self.condition {
            conditions.push(format!("({condition})"));
        }
        let order = match &self.range {
            Range::Pass { after, limit } => {
                if let Some(id) = after {
                    conditions.push(format!("Id > '{}'", escaped(id)));
                }
                let limit = limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
                format!("Id{limit}")
            }
            Range::Ids(ids) => {
                let ids: Vec<String> = ids.iter().map(|id| format!("'{}'", escaped(id))).collect();
                conditions.push(format!("Id IN ({})", ids.join(",")));
                "Id".to_owned()
            }
            Range::Window { stamp, from, until, after } => {
                match after {
                    None => conditions.push(format!("{stamp} >= {from}")),
                    Some((at, id)) => {
                        conditions.push(format!("(({stamp} = {at} AND Id > '{}') OR {stamp} > {at})", escaped(id)));
                    }
                }
                conditions.push(format!("{stamp} < {until}"));
                format!("{stamp}, Id")
            }
        };
        let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        (format!("SELECT {} FROM {}{filter}", self.fields.join(","), self.object), order)
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soql(condition: Option<&str>, range: Range<'_>) -> String {
        Select { object: "Account", fields: &["Id".into(), "Name".into()], condition, range }.to_soql()
    }

    #[test]
    fn lesson_3_to_5_no_query_pages_by_a_stamp_alone() {
        let (from, until) = ("2026-01-01T00:00:00Z".parse().unwrap(), "2026-02-01T00:00:00Z".parse().unwrap());
        assert_eq!(
            soql(Some("Type = 'A'"), Range::Ids(&["001x".into(), "001y".into()])),
            "SELECT Id,Name FROM Account WHERE (Type = 'A') AND Id IN ('001x','001y') ORDER BY Id"
        );
        let at = "2026-01-15T09:30:00.500Z".parse().unwrap();
        assert_eq!(soql(None, Range::Pass { after: None, limit: None }), "SELECT Id,Name FROM Account ORDER BY Id");
        assert_eq!(
            soql(Some("Type = 'A' OR Type = 'B'"), Range::Pass { after: Some("001x"), limit: Some(2000) }),
            "SELECT Id,Name FROM Account WHERE (Type = 'A' OR Type = 'B') AND Id > '001x' ORDER BY Id LIMIT 2000"
        );
        assert_eq!(
            soql(None, Range::Window { stamp: "SystemModstamp", from, until, after: None }),
            "SELECT Id,Name FROM Account WHERE SystemModstamp >= 2026-01-01T00:00:00Z AND SystemModstamp < \
             2026-02-01T00:00:00Z ORDER BY SystemModstamp, Id"
        );
        assert_eq!(
            soql(None, Range::Window { stamp: "SystemModstamp", from, until, after: Some((at, "001x")) }),
            "SELECT Id,Name FROM Account WHERE ((SystemModstamp = 2026-01-15T09:30:00.500Z AND Id > '001x') OR \
             SystemModstamp > 2026-01-15T09:30:00.500Z) AND SystemModstamp < 2026-02-01T00:00:00Z ORDER BY \
             SystemModstamp, Id"
        );
    }
}
