//! What is read of a stream: which columns, by what key and cursor, from where.

use std::collections::BTreeSet;

use chrono_tz::Tz;

use super::catalog::{Column, Relation};
use super::config::{Engine, Origin, SqlConfig, SqlStreamConfig};
use super::dialect::{named, qualified, quoted, selected};
use super::form::Form;
use super::position::Rules;
use super::written::written;
use crate::config::suggest;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Choice, Field, FieldClass, Stream};

/// How a stream is read.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) engine: Engine,
    /// Whether it is read through ODBC.
    pub(super) is_odbc: bool,
    pub(super) stream: Stream,
    /// The table, or the query in brackets.
    pub(super) from: String,
    /// What people call it in messages.
    pub(super) place: String,
    /// The condition on rows, if any.
    pub(super) filter: Option<String>,
    pub(super) key: Vec<Column>,
    pub(super) cursor: Option<CursorColumn>,
    /// What is read with all fields, and with keys alone.
    pub(super) records: Layout,
    pub(super) keys: Layout,
    /// Whether the database sees to it that no key comes twice.
    pub(super) is_unique: bool,
    /// The time zone of times without one.
    pub(super) zone: Option<Tz>,
    pub(super) page_rows: usize,
    pub(super) rules: Rules,
    /// What could be seen; see [`Reading::Pass`](crate::record::Reading::Pass).
    pub(super) scope: String,
}

/// The column that changes with every change of a row.
#[derive(Debug)]
pub(super) struct CursorColumn {
    pub(super) column: Column,
    pub(super) sort: CursorSort,
    /// What is compared.
    pub(super) expression: String,
}

/// What a cursor's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CursorSort {
    /// Times, which become stamps.
    Time,
    /// Days, which become stamps at their beginning.
    Day,
    /// Numbers that only rise.
    Number,
}

/// Which cells a statement gives.
#[derive(Debug)]
pub(super) struct Layout {
    /// What is selected, in order.
    pub(super) selected: Vec<String>,
    pub(super) forms: Vec<Form>,
    /// The fields that are delivered, and the cell of each.
    pub(super) fields: Vec<(String, usize)>,
    pub(super) key: Vec<usize>,
    pub(super) cursor: Option<usize>,
    pub(super) created: Option<usize>,
    pub(super) deleted: Option<usize>,
}

/// The cell of the database's clock, that of the statement's number, and the one that is NULL when there is no row.
pub(super) const CLOCK: usize = 0;
pub(super) const NUMBER: usize = 1;
pub(super) const PRESENT: usize = 2;
/// The cells before those of the columns.
const BEFORE: usize = 3;

impl Layout {
    fn new(asked: Asked<'_>, columns: &[&Column], parts: &Parts<'_>, has_fields: bool) -> Layout {
        let Asked { engine, is_odbc, .. } = asked;
        let cell = |name: &str| columns.iter().position(|column| column.name == name).map(|at| at + BEFORE);
        let written = |column: &&Column| if is_odbc { written(engine, column) } else { selected(engine, column) };
        let mut selected_columns: Vec<String> = columns.iter().map(written).collect();
        let mut forms = vec![Form::Instant, Form::Integer, Form::Integer];
        forms.extend(columns.iter().map(|column| column.form));
        let mut cursor = parts.cursor.and_then(|cursor| cell(&cursor.column.name));
        if let Some(given) = parts.cursor.filter(|given| given.expression != quoted(engine, &given.column.name)) {
            cursor = Some(forms.len());
            forms.push(Form::Dynamic);
            // Only SQLite's are other than the column.
            selected_columns.push(if is_odbc {
                format!("quote({})", given.expression)
            } else {
                given.expression.clone()
            });
        }
        let deleted = parts.deleted.filter(|_| has_fields).map(|condition| {
            forms.push(Form::Integer);
            selected_columns.push(format!("CASE WHEN (\n{condition}\n) THEN 1 END"));
            forms.len() - 1
        });
        let fields =
            columns.iter().filter(|_| has_fields).filter_map(|column| Some((column.name.clone(), cell(&column.name)?)));
        Layout {
            fields: fields.collect(),
            key: parts.key.iter().filter_map(|column| cell(&column.name)).collect(),
            cursor,
            created: parts.created.filter(|_| has_fields).and_then(|column| cell(&column.name)),
            deleted,
            selected: selected_columns,
            forms,
        }
    }
}

struct Parts<'a> {
    key: &'a [Column],
    cursor: Option<&'a CursorColumn>,
    created: Option<&'a Column>,
    deleted: Option<&'a str>,
}

/// Whose stream is planned.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) engine: Engine,
    /// Whether the database is read through ODBC.
    pub(super) is_odbc: bool,
    pub(super) name: &'a str,
    pub(super) user: &'a str,
    pub(super) source: &'a SqlConfig,
    pub(super) config: &'a SqlStreamConfig,
}

impl Plan {
    /// Plans how to read `relation`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the settings do not fit the table, [`ErrorKind::Permission`] when what is needed may
    /// not be read.
    pub(super) fn new(asked: Asked<'_>, relation: &Relation) -> Result<Plan> {
        let Asked { engine, is_odbc, name, user, source, config } = asked;
        let origin = config.origin(name);
        let place = match &origin {
            Origin::Table(table) => table.clone(),
            Origin::Query(_) => format!("the query of {name}"),
        };
        let find = |setting: &'static str, column: &str| find(asked, relation, &place, setting, column);
        for (setting, named) in [("columns", &config.columns), ("deny", &config.deny)] {
            for column in named.iter().filter(|column| !relation.hidden.contains(*column)) {
                find(setting, column)?;
            }
        }
        for column in config.classes.keys() {
            find("classes", column)?;
        }
        let key = if config.key.is_empty() { relation.primary.clone() } else { config.key.clone() };
        if key.is_empty() {
            return Err(Error::new(ErrorKind::Config, "nothing tells the rows of the stream apart")
                .with("table", &place)
                .with("setting", "key")
                .help("the table has no primary key: list the columns that tell its rows apart under `key`"));
        }
        let key: Vec<Column> = key.iter().map(|column| find("key", column).cloned()).collect::<Result<_>>()?;
        if let Some(column) = key.iter().find(|column| !column.form.makes_keys()) {
            return Err(Error::new(ErrorKind::Config, "such a column cannot be a key")
                .with("table", &place)
                .with("column", &column.name)
                .with("type", &column.source_type)
                .help("name columns of numbers, texts or times under `key`; floating point numbers, bit fields and JSON have no exact order"));
        }
        let zone = source.zone()?;
        let cursor = match &config.cursor {
            Some(column) => Some(cursor_of(engine, find("cursor", column)?, zone, &place)?),
            None => None,
        };
        let created = match &config.created {
            Some(column) => {
                let column = find("created", column)?;
                needs_zone(engine, column, zone, "created", &place)?;
                Some(column)
            }
            None => None,
        };
        let is_needed = |name: &str| {
            key.iter().any(|column| column.name == name)
                || config.cursor.as_deref() == Some(name)
                || config.created.as_deref() == Some(name)
        };
        let is_read = |column: &&Column| {
            is_needed(&column.name)
                || ((config.columns.is_empty() || config.columns.contains(&column.name))
                    && !config.deny.contains(&column.name))
        };
        let read: Vec<&Column> = relation.columns.iter().filter(is_read).collect();
        let names: BTreeSet<&str> = read.iter().map(|column| column.name.as_str()).collect();
        if names.len() < read.len() {
            return Err(Error::new(ErrorKind::Config, "the query has several columns of one name")
                .with("table", &place)
                .help("give each column a name of its own with AS"));
        }
        let fields = read.iter().map(|column| Field {
            name: column.name.clone(),
            label: column.label.clone(),
            source_type: column.source_type.clone(),
            class: config.classes.get(&column.name).copied().unwrap_or({
                let is_cursor = config.cursor.as_deref() == Some(column.name.as_str());
                if is_cursor && !key.contains(column) { FieldClass::Bookkeeping } else { FieldClass::Business }
            }),
            choices: column.choices.iter().cloned().map(Choice::from).collect(),
        });
        let hours = config.sweep_hours.unwrap_or(source.sweep_hours);
        let stream = Stream {
            name: name.to_owned(),
            label: relation.label.clone(),
            key: key.iter().map(|column| column.name.clone()).collect(),
            stamp: cursor
                .as_ref()
                .filter(|cursor| cursor.sort != CursorSort::Number)
                .map(|cursor| cursor.column.name.clone()),
            fields: fields.collect(),
            dated: false,
            tells_deletes: cursor.is_some() && config.deleted.is_some() && hours == 0,
        };
        let rules = Rules {
            lag_secs: source.lag_secs.into(),
            overlap_secs: source.overlap_secs.into(),
            overlap_numbers: source.overlap_numbers.into(),
            sweep_secs: (hours > 0).then(|| i64::from(hours) * 3_600),
            has_cursor: cursor.is_some(),
            has_keyless: key.iter().any(|column| column.is_nullable),
            has_unstamped: cursor.as_ref().is_some_and(|cursor| cursor.column.is_nullable),
        };
        let parts = Parts { key: &key, cursor: cursor.as_ref(), created, deleted: config.deleted.as_deref() };
        let mut narrow: Vec<&Column> = key.iter().collect();
        if let Some(cursor) = &cursor
            && !key.contains(&cursor.column)
        {
            narrow.push(&cursor.column);
        }
        let records = Layout::new(asked, &read, &parts, true);
        let keys = Layout::new(asked, &narrow, &parts, false);
        let rows = config.page_rows.unwrap_or(source.page_rows).min(source.rows_per_second.unwrap_or(u32::MAX));
        let (from, scope) = match &origin {
            Origin::Table(table) => (qualified(engine, table), format!("table {table}")),
            Origin::Query(query) => (named(engine, &format!("(\n{query}\n)"), "nenrin"), format!("query {query}")),
        };
        let limits = config.filter.as_ref().map(|filter| format!(" where {filter}")).unwrap_or_default();
        Ok(Plan {
            engine,
            is_odbc,
            is_unique: relation.keeps_apart(&stream.key),
            stream,
            from,
            scope: format!("{scope}{limits} as {user}"),
            place,
            filter: config.filter.clone(),
            key,
            cursor,
            records,
            keys,
            zone,
            page_rows: usize::try_from(rows).unwrap_or(1),
            rules,
        })
    }

    /// The columns that rows are in the order of.
    pub(super) fn order(&self) -> Vec<String> {
        let cursor = self.cursor.iter().map(|cursor| cursor.column.name.clone());
        cursor.chain(self.stream.key.iter().cloned()).collect()
    }

    /// The key's columns in the database's quotes.
    pub(super) fn key_names(&self) -> Vec<String> {
        self.key.iter().map(|column| quoted(self.engine, &column.name)).collect()
    }
}

fn find<'a>(
    asked: Asked<'_>,
    relation: &'a Relation,
    place: &str,
    setting: &'static str,
    name: &str,
) -> Result<&'a Column> {
    if let Some(column) = relation.column(name) {
        return Ok(column);
    }
    if relation.hidden.iter().any(|hidden| hidden == name) {
        return Err(Error::new(ErrorKind::Permission, "a column that is needed may not be read")
            .with("table", place)
            .with("column", name)
            .help(format!(
                "ask the database's administrator to run: GRANT SELECT ({}) ON {} TO {}",
                quoted(asked.engine, name),
                qualified(asked.engine, place),
                quoted(asked.engine, asked.user)
            )));
    }
    let known = relation.columns.iter().map(|column| column.name.as_str());
    let error = Error::new(ErrorKind::Config, "there is no such column")
        .with("table", place)
        .with("setting", setting)
        .with("column", name);
    Err(match suggest::advice(name, known) {
        Some(advice) => error.help(advice),
        None => error,
    })
}

fn needs_zone(engine: Engine, column: &Column, zone: Option<Tz>, setting: &'static str, place: &str) -> Result<()> {
    let wrong = |message: &str| {
        Error::new(ErrorKind::Config, message)
            .with("table", place)
            .with("setting", setting)
            .with("column", &column.name)
            .with("type", &column.source_type)
    };
    match column.form {
        Form::Instant => Ok(()),
        // SQLite's own times are in UTC.
        Form::Dynamic if engine == Engine::Sqlite => Ok(()),
        Form::Moment | Form::Second | Form::Date if zone.is_some() => Ok(()),
        Form::Moment | Form::Second | Form::Date => Err(wrong("its times have no zone, and it is not said in which they are")
            .help("write the database's time zone in the source's file, like `timezone: Asia/Tokyo`")),
        _ => Err(wrong("the column holds no times").help(
            "name a column of times; one that holds them as text can be converted in a `query`, like to_timestamp(更新日時, 'YYYYMMDDHH24MISS') AS updated_at",
        )),
    }
}

fn cursor_of(engine: Engine, column: &Column, zone: Option<Tz>, place: &str) -> Result<CursorColumn> {
    let name = quoted(engine, &column.name);
    let plain = |sort| CursorColumn { column: column.clone(), sort, expression: name.clone() };
    match column.form {
        Form::Integer | Form::Decimal => Ok(plain(CursorSort::Number)),
        Form::Dynamic if column.source_type.contains("int") => Ok(plain(CursorSort::Number)),
        // Whatever way a time is written in: SQLite reads it, and what it cannot read counts as no time.
        Form::Dynamic => Ok(CursorColumn {
            column: Column { is_nullable: true, ..column.clone() },
            sort: CursorSort::Time,
            expression: format!("strftime('%Y-%m-%d %H:%M:%f', {name})"),
        }),
        form => {
            needs_zone(engine, column, zone, "cursor", place)?;
            Ok(plain(if form == Form::Date { CursorSort::Day } else { CursorSort::Time }))
        }
    }
}
