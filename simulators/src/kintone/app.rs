//! An app: its form, live and in preparation, its records, and who may see what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;

use crate::kintone::choices;
use crate::kintone::comments::Comment;
use crate::kintone::field::{FieldSpec, FieldType};
use crate::kintone::options::Language;
use crate::kintone::population::{Population, Source};
use crate::kintone::process::Process;
use crate::kintone::records::{Records, View};
use crate::kintone::value::{Row, Value, Values};

/// An app, as someone sets it up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSpec {
    /// What people call it.
    pub name: String,
    /// The app code, which record numbers begin with; empty for none.
    #[serde(default)]
    pub code: String,
    /// The language of whoever makes it, which decides the codes of the fields that every app has.
    #[serde(default)]
    pub language: Language,
    /// Its fields, without those that every app has.
    #[serde(default)]
    pub fields: Vec<FieldSpec>,
    /// The names of the states a record goes through, in order, if it has process management; each has an action
    /// `次へ` to the next.
    #[serde(default)]
    pub states: Vec<String>,
}

/// A field of an app. Values belong to its slot, which outlives its code.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) slot: u16,
    /// For tables, without the fields of their rows.
    pub(crate) spec: FieldSpec,
    pub(crate) source: Source,
    /// For tables, the fields of their rows.
    pub(crate) inner: Vec<Column>,
    /// Whether it came after the first records, which then may have no key for it.
    pub(crate) came_later: bool,
    /// Options that were renamed: since when, from, to.
    pub(crate) renamed: Vec<(i64, String, String)>,
}

/// The settings of an app that become live with a deploy.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) process: Option<Process>,
    pub(crate) revision: u64,
}

impl Form {
    pub(crate) fn find(&self, code: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.spec.code == code)
    }

    pub(crate) fn find_mut(&mut self, code: &str) -> Option<&mut Column> {
        self.columns.iter_mut().find(|column| column.spec.code == code)
    }

    /// The column of that code and the table that it is in.
    pub(crate) fn find_inner(&self, code: &str) -> Option<(&Column, &Column)> {
        self.columns.iter().find_map(|table| {
            let column = table.inner.iter().find(|column| column.spec.code == code)?;
            Some((table, column))
        })
    }

    /// The column of that code, in a table or not.
    pub(crate) fn anywhere_mut(&mut self, code: &str) -> Option<&mut Column> {
        let place = self
            .columns
            .iter()
            .position(|column| column.spec.code == code || column.inner.iter().any(|inner| inner.spec.code == code))?;
        let column = &mut self.columns[place];
        if column.spec.code == code {
            return Some(column);
        }
        column.inner.iter_mut().find(|inner| inner.spec.code == code)
    }

    /// Whether a field of that code is there, in a table or not.
    pub(crate) fn has(&self, code: &str) -> bool {
        self.find(code).is_some() || self.find_inner(code).is_some()
    }

    /// The one column of a type that every app has once.
    pub(crate) fn of_type(&self, field_type: FieldType) -> Option<&Column> {
        self.columns.iter().find(|column| column.spec.field_type == field_type)
    }
}

/// An app of the domain.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) id: u64,
    /// The app code; empty when there is none.
    pub(crate) code: String,
    pub(crate) live: Form,
    /// The settings in preparation, if they differ from the live ones.
    pub(crate) preview: Option<Form>,
    /// Whether the preview is on its way to be live: how often PROCESSING is still answered, and since when.
    pub(crate) deploying: Option<(u64, i64)>,
    pub(crate) records: Records,
    pub(crate) next_slot: u16,
    /// The guest space that it is in.
    pub(crate) guest_space: Option<u64>,
    pub(crate) is_deleted: bool,
    /// Whether people without administrator's rights may not open it.
    pub(crate) is_closed: bool,
    /// What only administrators and API tokens see.
    pub(crate) hidden_fields: BTreeSet<String>,
    pub(crate) hidden_records: BTreeSet<u64>,
    pub(crate) comments: BTreeMap<u64, Vec<Comment>>,
    pub(crate) created: i64,
    pub(crate) modified: i64,
}

impl App {
    pub(crate) fn new(id: u64, spec: AppSpec, base: Population, now: i64) -> Self {
        let process = (!spec.states.is_empty()).then(|| Process::line(&spec.states));
        let mut app = App {
            id,
            code: spec.code,
            live: Form { name: spec.name, columns: Vec::new(), process, revision: 1 },
            preview: None,
            deploying: None,
            records: Records::new(base),
            next_slot: 0,
            guest_space: None,
            is_deleted: false,
            is_closed: false,
            hidden_fields: BTreeSet::new(),
            hidden_records: BTreeSet::new(),
            comments: BTreeMap::new(),
            created: now,
            modified: now,
        };
        let has_process = app.live.process.is_some();
        for field in system_fields(spec.language, has_process).into_iter().chain(spec.fields) {
            let column = app.column(field, false);
            app.live.columns.push(column);
        }
        app.live.revision = 2;
        app
    }

    /// Gives a field its slot.
    pub(crate) fn column(&mut self, mut spec: FieldSpec, came_later: bool) -> Column {
        let slot = self.next_slot;
        self.next_slot += 1;
        let fields = std::mem::take(&mut spec.fields);
        let inner = fields.into_iter().map(|field| self.column(field, came_later)).collect();
        Column { slot, spec, source: Source::Stored, inner, came_later, renamed: Vec::new() }
    }

    /// The settings as they will be after the next deploy.
    pub(crate) fn preview(&self) -> &Form {
        self.preview.as_ref().unwrap_or(&self.live)
    }

    /// The same, to be changed.
    pub(crate) fn preview_mut(&mut self) -> &mut Form {
        let live = &self.live;
        self.preview.get_or_insert_with(|| live.clone())
    }

    /// What a record holds in a column that is not in a table.
    pub(crate) fn value(&self, view: &View<'_>, column: &Column) -> Value {
        match column.spec.field_type {
            FieldType::RecordNumber if self.code.is_empty() => Value::text(view.id.to_string()),
            FieldType::RecordNumber => Value::text(format!("{}-{}", self.code, view.id)),
            FieldType::Creator => Value::list([view.creator()]),
            FieldType::Modifier => Value::list([view.modifier()]),
            FieldType::CreatedTime => Value::Instant(view.created()),
            FieldType::UpdatedTime => Value::Instant(view.modified()),
            FieldType::Status => self.stored(view, column).unwrap_or_else(|| self.first_state()),
            _ => self.stored(view, column).unwrap_or(Value::Empty),
        }
    }

    /// What was written into a column, or is made up for it; `None` when neither.
    pub(crate) fn stored(&self, view: &View<'_>, column: &Column) -> Option<Value> {
        let written = view.version.and_then(|version| version.values.get(&column.slot));
        let value = match (written, column.source) {
            (Some(value), _) => value.clone(),
            (None, Source::Made(generator)) if view.is_base => generator(view.base, view.id, 0),
            (None, Source::Lines(lines)) if view.is_base => made_rows(column, view, lines(view.base, view.id)),
            _ => return None,
        };
        Some(choices::present(column, value, view.as_of))
    }

    /// The name of the state that records begin in.
    fn first_state(&self) -> Value {
        self.live.process.as_ref().map_or(Value::Empty, |process| Value::text(process.first()))
    }
}

fn made_rows(table: &Column, view: &View<'_>, count: u64) -> Value {
    let row = |line: u64| {
        let made = table.inner.iter().filter_map(|column| match column.source {
            Source::Made(generator) => Some((column.slot, generator(view.base, view.id, line))),
            _ => None,
        });
        Row { id: view.id * 8 + line, values: made.collect::<Values>() }
    };
    let rows: Arc<[Row]> = (0..count.min(8)).map(row).collect();
    if rows.is_empty() { Value::Empty } else { Value::Rows(rows) }
}

/// The fields that every app has.
fn system_fields(language: Language, has_process: bool) -> Vec<FieldSpec> {
    let codes = match language {
        Language::Ja => {
            ["レコード番号", "作成者", "作成日時", "更新者", "更新日時", "カテゴリー", "ステータス", "作業者"]
        }
        Language::En => [
            "Record_number",
            "Created_by",
            "Created_datetime",
            "Updated_by",
            "Updated_datetime",
            "Categories",
            "Status",
            "Assignee",
        ],
    };
    let types = [
        FieldType::RecordNumber,
        FieldType::Creator,
        FieldType::CreatedTime,
        FieldType::Modifier,
        FieldType::UpdatedTime,
        FieldType::Category,
        FieldType::Status,
        FieldType::StatusAssignee,
    ];
    codes
        .into_iter()
        .zip(types)
        .map(|(code, field_type)| {
            let enabled = has_process && matches!(field_type, FieldType::Status | FieldType::StatusAssignee);
            FieldSpec { enabled, ..FieldSpec::new(code, field_type) }
        })
        .collect()
}
