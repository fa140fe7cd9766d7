//! What `nenrin check` finds out about a database.

use super::SqlSource;
use super::config::{Engine, Origin};
use super::dialect::{qualified, quoted};
use super::plan::{CursorSort, Plan};
use crate::connect::source::Finding;
use crate::error::{Error, ErrorKind, Result};

impl SqlSource {
    /// One finding for the connection, one or more for each stream.
    pub(super) async fn findings(&self) -> Vec<Finding> {
        let target = &self.session.target;
        let what = "connection".to_owned();
        let detail = match self.listed().await {
            Ok(listed) => {
                let count = listed.iter().filter(|listed| !listed.is_minor).count();
                let who = if target.user.is_empty() { String::new() } else { format!(" as {}", target.user) };
                format!("{}{who}, {}, read-only, {count} tables and views", target.place, target.engine().title())
            }
            Err(error) => return vec![Finding { ok: false, what, detail: error.render() }],
        };
        let mut findings = vec![Finding { ok: true, what, detail }];
        for name in self.config.streams.keys() {
            let what = format!("stream {name}");
            match self.stream_findings(name).await {
                Ok(found) => {
                    findings.extend(found.into_iter().map(|(ok, detail)| Finding { ok, what: what.clone(), detail }))
                }
                Err(error) => findings.push(Finding { ok: false, what, detail: error.render() }),
            }
        }
        findings
    }

    async fn stream_findings(&self, name: &str) -> Result<Vec<(bool, String)>> {
        let plan = self.plan(name).await?;
        let origin = self.settings(name)?.origin(name);
        let relation = self.relation(&origin).await?;
        let changes = match &plan.cursor {
            None => "no cursor, so everything is read in every run".to_owned(),
            Some(cursor) if cursor.sort == CursorSort::Number => {
                format!("changes are read by the number {}", cursor.column.name)
            }
            Some(cursor) => format!("changes are read by {}", cursor.column.name),
        };
        let keys = plan.stream.key.join(", ");
        let mut found = vec![(true, format!("{} fields, key {keys}, {changes}", plan.stream.fields.len()))];
        if !relation.hidden.is_empty() {
            found.push((
                true,
                format!("these columns may not be read and are left out: {}", relation.hidden.join(", ")),
            ));
        }
        if !plan.is_unique {
            let told = match &origin {
                Origin::Table(_) => "no unique index keeps rows with the same key apart",
                Origin::Query(_) => "nothing keeps the rows of a query apart",
            };
            found.push((true, format!("{told} ({keys}): each page costs one statement more that looks for doubled keys, and rows that share one are rejected")));
        }
        if plan.rules.has_keyless {
            found.push((true, format!("the key may be NULL ({keys}): each complete reading costs one statement more that looks for such rows, and they are rejected")));
        }
        if let Some(cursor) = plan.cursor.as_ref().filter(|cursor| cursor.column.is_nullable) {
            found.push((
                true,
                format!(
                    "{} may be NULL: rows without it are read in every run, by one statement more; NOT NULL saves it",
                    cursor.column.name
                ),
            ));
        }
        if relation.is_table && self.session.target.engine() != Engine::Sqlite {
            found.extend(missing_indexes(&plan, &relation).into_iter().map(|error| (false, error.render())));
        }
        Ok(found)
    }
}

/// The indexes without which every page reads the whole table.
fn missing_indexes(plan: &Plan, relation: &super::catalog::Relation) -> Vec<Error> {
    let mut errors = Vec::new();
    let statement = |columns: &[String]| {
        let columns: Vec<String> = columns.iter().map(|column| quoted(plan.engine, column)).collect();
        format!("CREATE INDEX ON {} ({})", qualified(plan.engine, &plan.place), columns.join(", "))
    };
    let named = |columns: &[String], suffix: &str| match plan.engine {
        Engine::Postgresql => statement(columns),
        _ => statement(columns).replacen("INDEX ON", &format!("INDEX nenrin_{suffix} ON"), 1),
    };
    if !relation.walks(&plan.stream.key) {
        errors.push(
            Error::new(
                ErrorKind::Config,
                "no index serves the key, so every page of a complete reading sorts the table",
            )
            .with("key", plan.stream.key.join(", "))
            .help(format!("ask the database's administrator to run: {}", named(&plan.stream.key, "key"))),
        );
    }
    if let Some(cursor) = &plan.cursor
        && !relation.finds(&cursor.column.name)
    {
        let mut columns = vec![cursor.column.name.clone()];
        columns.extend(plan.stream.key.iter().filter(|key| **key != cursor.column.name).cloned());
        errors.push(
            Error::new(ErrorKind::Config, "no index serves the cursor, so every run reads the whole table")
                .with("cursor", &cursor.column.name)
                .help(format!("ask the database's administrator to run: {}", named(&columns, "cursor"))),
        );
    }
    errors
}
