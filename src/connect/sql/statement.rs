//! The statements: one SELECT per page.

use super::config::Engine;
use super::dialect::{behind, clock, literal, named, one_of, up_to};
use super::form::Form;
use super::plan::{CursorSort, Layout, Plan};
use super::position::{Datum, Kind, Part, Progress};
use crate::clock::Timestamp;

/// Stands for the number that each statement has, and each of its rows shows: so no answer to another question is taken
/// for this one's, and none is kept between here and the database.
pub(super) const NUMBER: &str = "@nenrin";
/// How many rows without a key are looked at in a reading.
pub(super) const KEYLESS_ROWS: usize = 1_000;

impl Plan {
    /// What is compared of the cursor column, and its values' form.
    fn cursor_expression(&self) -> (String, Form) {
        match &self.cursor {
            Some(cursor) => {
                let form = if cursor.column.form == Form::Dynamic && cursor.sort != CursorSort::Number {
                    Form::Text
                } else {
                    cursor.column.form
                };
                (cursor.expression.clone(), form)
            }
            None => (String::new(), Form::Text),
        }
    }

    fn key_literals(&self, key: &[Datum]) -> Vec<String> {
        self.key.iter().zip(key).map(|(column, datum)| literal(self.engine, column.form, datum)).collect()
    }

    /// The conditions that every statement has: those of the settings, and that there is a key.
    fn conditions(&self, has_key: bool) -> Vec<String> {
        let mut conditions: Vec<String> = self.filter.iter().map(|filter| format!("(\n{filter}\n)")).collect();
        let nullable = self.key.iter().zip(self.key_names()).filter(|(column, _)| column.is_nullable);
        let nullable: Vec<String> = nullable.map(|(_, name)| name).collect();
        if has_key {
            conditions.extend(nullable.iter().map(|name| format!("{name} IS NOT NULL")));
        } else {
            let none: Vec<String> = nullable.iter().map(|name| format!("{name} IS NULL")).collect();
            conditions.push(format!("({})", none.join(" OR ")));
        }
        conditions
    }

    /// The statement of the page at `progress`, and how many rows of it are read at the most; it gives one more when
    /// there are more, so that no page comes empty.
    pub(super) fn page(&self, progress: &Progress) -> (String, usize) {
        let names = self.key_names();
        let mut conditions = self.conditions(progress.part != Part::Keyless);
        let mut order = names.clone();
        match (&progress.kind, progress.part) {
            (_, Part::Keyless) => {
                let statement = self.select(&self.records, &conditions, None, KEYLESS_ROWS + 1);
                return (statement, KEYLESS_ROWS);
            }
            (Kind::Window { from, from_mark, .. }, Part::Main) => {
                let (expression, form) = self.cursor_expression();
                order.insert(0, expression.clone());
                conditions.push(match (&progress.after, self.first_of_window(*from, *from_mark)) {
                    (Some(after), _) => {
                        let mut values = vec![literal(self.engine, form, &after[0])];
                        values.extend(self.key_literals(&after[1..]));
                        behind(self.engine, &order, &values)
                    }
                    (None, Some(first)) => format!("{expression} >= {}", literal(self.engine, form, &first)),
                    (None, None) => format!("{expression} IS NOT NULL"),
                });
            }
            (kind, part) => {
                if matches!(kind, Kind::Window { .. }) && part == Part::Unstamped {
                    conditions.push(format!("{} IS NULL", self.cursor_expression().0));
                }
                if let Some(after) = &progress.after {
                    conditions.push(behind(self.engine, &names, &self.key_literals(after)));
                }
            }
        }
        let layout = if progress.is_sweep() { &self.keys } else { &self.records };
        (self.select(layout, &conditions, Some(&order), self.page_rows + 1), self.page_rows)
    }

    /// The first value of the cursor column that a window reads.
    fn first_of_window(&self, from: Timestamp, from_mark: Option<i64>) -> Option<Datum> {
        let cursor = self.cursor.as_ref()?;
        if cursor.sort == CursorSort::Number {
            return from_mark.map(|mark| Datum::Number(mark.to_string()));
        }
        let instant = from.max(Timestamp::from_micros(-62_135_596_800_000_000)).to_datetime();
        let is_local = matches!(cursor.column.form, Form::Moment | Form::Second | Form::Date | Form::Dynamic);
        let moment = match self.zone.filter(|_| is_local) {
            Some(zone) => instant.with_timezone(&zone).naive_local(),
            None => instant.naive_utc(),
        };
        Some(Datum::Text(match (cursor.sort, cursor.column.form) {
            (CursorSort::Day, _) => moment.format("%Y-%m-%d").to_string(),
            // Whole seconds, which every type of theirs can be compared with.
            _ if matches!(self.engine, Engine::Sqlserver | Engine::Oracle | Engine::Db2 | Engine::Standard) => {
                moment.format("%Y-%m-%dT%H:%M:%S").to_string()
            }
            (_, Form::Dynamic) => moment.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
            (_, Form::Instant) if self.engine == Engine::Postgresql => {
                moment.format("%Y-%m-%d %H:%M:%S%.6f+00").to_string()
            }
            _ => moment.format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
        }))
    }

    /// The statement for a few rows, the first by key.
    pub(super) fn first_rows(&self, count: usize) -> String {
        self.select(&self.records, &self.conditions(true), Some(&self.key_names()), count)
    }

    /// The statement for the rows that have these keys.
    pub(super) fn rows_of(&self, layout: &Layout, keys: &[Vec<Datum>]) -> String {
        let mut conditions = self.conditions(true);
        conditions.push(self.is_one_of(keys));
        self.select(layout, &conditions, None, usize::MAX)
    }

    fn is_one_of(&self, keys: &[Vec<Datum>]) -> String {
        let literals: Vec<Vec<String>> = keys.iter().map(|key| self.key_literals(key)).collect();
        one_of(self.engine, &self.key_names(), &literals)
    }

    /// The statement for the keys behind `after` up to `last` that more than one row has, as the database compares them.
    pub(super) fn doubled_between(&self, after: Option<&[Datum]>, last: &[Datum]) -> String {
        let names = self.key_names();
        let mut conditions = self.conditions(true);
        conditions.extend(after.map(|after| behind(self.engine, &names, &self.key_literals(after))));
        conditions.push(up_to(self.engine, &names, &self.key_literals(last)));
        self.doubled(&conditions)
    }

    /// The same of these keys.
    pub(super) fn doubled_of(&self, keys: &[Vec<Datum>]) -> String {
        let mut conditions = self.conditions(true);
        conditions.push(self.is_one_of(keys));
        self.doubled(&conditions)
    }

    fn doubled(&self, conditions: &[String]) -> String {
        let names = self.key_names();
        let (from, conditions) = (&self.from, conditions.join("\n  AND "));
        let groups: Vec<String> = (1..=names.len()).map(|n| format!("nenrin_key_{n}")).collect();
        let given: Vec<String> = names.iter().zip(&groups).map(|(name, group)| format!("{name} AS {group}")).collect();
        let same: Vec<String> = names.iter().zip(&groups).map(|(name, group)| format!("{name} = {group}")).collect();
        let doubled = format!(
            "(SELECT {} FROM {from} WHERE {conditions} GROUP BY {} HAVING count(*) > 1)",
            given.join(", "),
            names.join(", ")
        );
        let doubled = named(self.engine, &doubled, "nenrin_doubled");
        let filter = self.filter.as_ref().map(|filter| format!("\nWHERE (\n{filter}\n)")).unwrap_or_default();
        let (now, number) = (clock(self.engine), self.number());
        format!(
            "SELECT {now}, {number}, 1, {} FROM {from} JOIN {doubled} ON {}{filter}",
            self.keys.selected.join(", "),
            same.join(" AND ")
        )
    }

    fn select(&self, layout: &Layout, conditions: &[String], order: Option<&[String]>, limit: usize) -> String {
        let (columns, from) = (layout.selected.join(", "), &self.from);
        let mut rest = format!("FROM {from}");
        if !conditions.is_empty() {
            rest.push_str("\nWHERE ");
            rest.push_str(&conditions.join("\n  AND "));
        }
        if let Some(order) = order {
            rest.push_str("\nORDER BY ");
            rest.push_str(&order.join(", "));
        }
        let is_limited = limit < usize::MAX;
        let top =
            if is_limited && self.engine == Engine::Sqlserver { format!("TOP ({limit}) ") } else { String::new() };
        match self.engine {
            Engine::Sqlserver => {}
            Engine::Oracle | Engine::Db2 | Engine::Standard if is_limited => {
                rest.push_str(&format!("\nFETCH FIRST {limit} ROWS ONLY"));
            }
            _ if is_limited => rest.push_str(&format!("\nLIMIT {limit}")),
            _ => {}
        }
        let number = self.number();
        if self.engine != Engine::Postgresql {
            return format!("SELECT {top}{}, {number}, 1, {columns}\n{rest}", clock(self.engine));
        }
        // One row comes even when none is found, so that the clock is told. What a standby shows is as old as the last
        // transaction that it has replayed.
        let now = if self.is_odbc { "nenrin_clock.now::text" } else { "nenrin_clock.now" };
        format!(
            "SELECT {now}, {number}, nenrin_rows.* FROM (SELECT CASE WHEN pg_is_in_recovery() \
             THEN coalesce(pg_last_xact_replay_timestamp(), to_timestamp(0)) ELSE now() END AS now) AS nenrin_clock \
             LEFT JOIN (\nSELECT 1 AS nenrin_present, {columns}\n{rest}\n) AS nenrin_rows ON true"
        )
    }

    /// The statement's number as its rows show it; as text where a driver may write numbers its own way.
    fn number(&self) -> String {
        if self.is_odbc { format!("'{NUMBER}'") } else { NUMBER.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::ReadMode;
    use crate::connect::sql::catalog::{Column, Relation};
    use crate::connect::sql::config::{SqlConfig, SqlStreamConfig};
    use crate::connect::sql::plan::Asked;
    use crate::connect::sql::position::next_step;

    fn plan(engine: Engine, form: Form) -> Plan {
        let column = |name: &str, form, is_nullable| Column {
            name: name.to_owned(),
            source_type: "any".to_owned(),
            form,
            is_nullable,
            label: None,
            choices: Vec::new(),
        };
        let relation = Relation {
            columns: vec![
                column("番号", Form::Integer, false),
                column("行", Form::Text, false),
                column("額", Form::Money, true),
                column("更新", form, false),
            ],
            primary: vec!["番号".to_owned(), "行".to_owned()],
            ..Relation::default()
        };
        let source: SqlConfig = serde_json::from_value(serde_json::json!({
            "url": "postgres://h/d", "timezone": "Asia/Tokyo", "page_rows": 9, "streams": {},
        }))
        .unwrap();
        let config = SqlStreamConfig {
            cursor: Some("更新".to_owned()),
            filter: Some("a = 1 -- or so".to_owned()),
            ..SqlStreamConfig::default()
        };
        let is_odbc = !matches!(engine, Engine::Postgresql | Engine::Mysql | Engine::Sqlite);
        Plan::new(Asked { engine, is_odbc, name: "請求", user: "u", source: &source, config: &config }, &relation)
            .unwrap()
    }

    fn pass(after: Option<Vec<Datum>>, plan: &Plan) -> Progress {
        Progress { after, ..next_step(None, true, ReadMode::Incremental, plan.rules) }
    }

    #[test]
    fn a_page_of_postgresql_tells_the_clock_even_when_it_is_empty() {
        let plan = plan(Engine::Postgresql, Form::Instant);
        let key = vec![Datum::Text("7".to_owned()), Datum::Text("a'b".to_owned())];
        let (statement, rows) = plan.page(&pass(Some(key), &plan));
        assert_eq!(rows, 9);
        assert_eq!(
            statement,
            "SELECT nenrin_clock.now, @nenrin, nenrin_rows.* FROM (SELECT CASE WHEN pg_is_in_recovery() \
             THEN coalesce(pg_last_xact_replay_timestamp(), to_timestamp(0)) ELSE now() END AS now) AS nenrin_clock \
             LEFT JOIN (\nSELECT 1 AS nenrin_present, \"番号\", \"行\", \"額\"::numeric, \"更新\"\nFROM \"請求\"\nWHERE (\na = 1 -- or so\n)\n  \
             AND (\"番号\", \"行\") > ('7', 'a''b')\nORDER BY \"番号\", \"行\"\nLIMIT 10\n) AS nenrin_rows ON true"
        );
    }

    #[test]
    fn a_window_of_mysql_begins_in_the_databases_own_zone_and_goes_on_behind_cursor_and_key() {
        let plan = plan(Engine::Mysql, Form::Moment);
        let through = "2026-01-01T00:00:00Z".parse().unwrap();
        let done = super::super::position::State::Done { until: through, mark: None, swept_at: None };
        let window = next_step(Some(done), true, ReadMode::Incremental, plan.rules);
        let (statement, _) = plan.page(&window);
        assert!(
            statement.contains("AND `更新` >= '2026-01-01 08:50:00.000000'\nORDER BY `更新`, `番号`, `行`\nLIMIT 10"),
            "{statement}"
        );
        let after = ["2026-01-01T09:00:00", "7", "a"].map(|text| Datum::Text(text.to_owned())).to_vec();
        let (statement, _) = plan.page(&Progress { after: Some(after), ..window });
        let expected = "`更新` >= '2026-01-01 09:00:00' AND (`更新` > '2026-01-01 09:00:00' OR (`番号` >= 7 AND (`番号` > 7 \
                        OR (`行` > _utf8mb4 0x61))))";
        assert!(statement.contains(expected), "{statement}");
    }

    fn window(plan: &Plan) -> Progress {
        let through = "2026-01-01T00:00:00.5Z".parse().unwrap();
        let done = super::super::position::State::Done { until: through, mark: None, swept_at: None };
        next_step(Some(done), true, ReadMode::Incremental, plan.rules)
    }

    /// <https://learn.microsoft.com/en-us/sql/t-sql/queries/top-transact-sql>
    #[test]
    fn a_page_of_sql_server_is_its_top_rows() {
        let plan = plan(Engine::Sqlserver, Form::Moment);
        let after = vec![Datum::Text("7".to_owned()), Datum::Text("明細'1".to_owned())];
        assert_eq!(
            plan.page(&pass(Some(after), &plan)).0,
            "SELECT TOP (10) CONVERT(varchar(40), SYSUTCDATETIME(), 121), '@nenrin', 1, CONVERT(varchar(50), [番号]), [行], \
             CONVERT(varchar(50), CONVERT(decimal(19, 4), [額])), CONVERT(varchar(40), [更新], 121)\nFROM [請求]\nWHERE (\na = 1 -- or so\n)\n  \
             AND [番号] >= 7 AND ([番号] > 7 OR ([行] > N'明細''1'))\nORDER BY [番号], [行]"
        );
        let (statement, _) = plan.page(&window(&plan));
        assert!(
            statement.ends_with("AND [更新] >= '2026-01-01T08:50:00'\nORDER BY [更新], [番号], [行]"),
            "{statement}"
        );
        assert_eq!(
            plan.doubled_of(&[vec![Datum::Number("7".into()), Datum::Text("a".into())]]),
            "SELECT CONVERT(varchar(40), SYSUTCDATETIME(), 121), '@nenrin', 1, CONVERT(varchar(50), [番号]), [行], \
             CONVERT(varchar(40), [更新], 121) FROM [請求] JOIN (SELECT [番号] AS nenrin_key_1, [行] AS nenrin_key_2 FROM [請求] \
             WHERE (\na = 1 -- or so\n)\n  AND (([番号] = 7 AND [行] = 'a')) GROUP BY [番号], [行] HAVING count(*) > 1) \
             AS nenrin_doubled ON [番号] = nenrin_key_1 AND [行] = nenrin_key_2\nWHERE (\na = 1 -- or so\n)"
        );
    }

    /// <https://docs.oracle.com/en/database/oracle/oracle-database/19/sqlrf/SELECT.html> ("row_limiting_clause")
    #[test]
    fn a_page_of_oracle_fetches_its_first_rows() {
        let plan = plan(Engine::Oracle, Form::Second);
        let (statement, _) = plan.page(&window(&plan));
        assert_eq!(
            statement,
            "SELECT TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD HH24:MI:SS.FF6'), '@nenrin', 1, \
             TO_CHAR(\"番号\", 'TM9', 'NLS_NUMERIC_CHARACTERS=''.,'''), \"行\", \"額\", LTRIM(TO_CHAR(\"更新\", 'SYYYY-MM-DD HH24:MI:SS'))\n\
             FROM \"請求\"\nWHERE (\na = 1 -- or so\n)\n  AND \"更新\" >= TO_DATE('2026-01-01 08:50:00', 'YYYY-MM-DD HH24:MI:SS')\n\
             ORDER BY \"更新\", \"番号\", \"行\"\nFETCH FIRST 10 ROWS ONLY"
        );
        assert!(plan.first_rows(3).ends_with("ORDER BY \"番号\", \"行\"\nFETCH FIRST 3 ROWS ONLY"));
        assert!(plan.doubled_of(&[]).contains("HAVING count(*) > 1) nenrin_doubled ON"));
    }

    #[test]
    fn a_page_by_the_standard_says_no_more_than_the_standard_has() {
        let plan = plan(Engine::Standard, Form::Moment);
        assert_eq!(
            plan.page(&window(&plan)).0,
            "SELECT NULL, '@nenrin', 1, \"番号\", \"行\", \"額\", \"更新\"\nFROM \"請求\"\nWHERE (\na = 1 -- or so\n)\n  \
             AND \"更新\" >= {ts '2026-01-01 08:50:00'}\nORDER BY \"更新\", \"番号\", \"行\"\nFETCH FIRST 10 ROWS ONLY"
        );
    }

    #[test]
    fn days_and_numbers_begin_windows_too() {
        let through = "2026-01-01T20:00:00Z".parse().unwrap();
        let done = |mark| super::super::position::State::Done { until: through, mark, swept_at: None };
        let first = |form, mark| {
            let plan = plan(Engine::Postgresql, form);
            plan.page(&next_step(Some(done(mark)), true, ReadMode::Incremental, plan.rules)).0
        };
        assert!(first(Form::Date, None).contains("\"更新\" >= '2026-01-02'"));
        assert!(first(Form::Integer, Some(5_000)).contains("\"更新\" >= '4000'"));
        assert!(first(Form::Integer, None).contains("\"更新\" IS NOT NULL"));
    }
}
