//! From an app's form to a stream, and from a stream to the columns that are read.

#[cfg(test)]
pub(super) mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::config::AppConfig;
use super::model::{Described, Form};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Choice, Field, FieldClass, Stream};

pub(super) const ID: &str = "$id";
pub(super) const REVISION: &str = "$revision";
/// Fields of a table's rows that kintone has no code for; no code begins with `$`.
pub(super) const PARENT: &str = "$parent";
pub(super) const ROW: &str = "$row";
pub(super) const POSITION: &str = "$position";
/// What the names of users are delivered under, beside their codes.
const NAMES: &str = ".name";

/// How a value arrives, and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    Id,
    Revision,
    Stamp,
    Created,
    /// Text as it is.
    Text,
    /// A decimal, written plainly.
    Number,
    /// Several texts in no order: sorted, one a line, as kintone's own CSV has them.
    Set,
    /// One `{code, name}`.
    User,
    /// Several, sorted by code, one a line.
    Users,
    /// Files without their keys, which are not known to last.
    Files,
    /// The rows of a table.
    Table,
    /// A type that we do not know: its JSON.
    Raw,
}

impl Cell {
    /// What the values of a form's field are; `None` for what is no value.
    fn of(field: &Described) -> Option<Cell> {
        if !field.enabled {
            return None;
        }
        Some(match field.kind.as_str() {
            "RECORD_NUMBER" | "SINGLE_LINE_TEXT" | "MULTI_LINE_TEXT" | "RICH_TEXT" | "LINK" | "RADIO_BUTTON"
            | "DROP_DOWN" | "STATUS" | "DATE" | "TIME" | "DATETIME" => Cell::Text,
            "NUMBER" => Cell::Number,
            "CALC" => match field.format.as_str() {
                "" | "NUMBER" | "NUMBER_DIGIT" => Cell::Number,
                // Days, times, and hours beyond 24 (`49:30`).
                _ => Cell::Text,
            },
            "CREATED_TIME" => Cell::Created,
            "UPDATED_TIME" => Cell::Stamp,
            "CHECK_BOX" | "MULTI_SELECT" | "CATEGORY" => Cell::Set,
            "CREATOR" | "MODIFIER" => Cell::User,
            "USER_SELECT" | "ORGANIZATION_SELECT" | "GROUP_SELECT" | "STATUS_ASSIGNEE" => Cell::Users,
            "FILE" => Cell::Files,
            "SUBTABLE" | "REFERENCE_TABLE" | "LABEL" | "SPACER" | "HR" | "GROUP" => return None,
            _ => Cell::Raw,
        })
    }
}

/// One field to ask for.
#[derive(Debug, Clone)]
struct Ask {
    code: String,
    cell: Cell,
    /// The delivered field it fills.
    column: Option<String>,
    /// The delivered field with the names, of users.
    names: Option<String>,
    /// Whether a record without it is as it should be.
    may_miss: bool,
}

/// What a stream offers now.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub(super) stream: Stream,
    /// The code of the time of change, where it can be seen.
    pub(super) stamp: Option<String>,
    /// What of the form the cursor remembers.
    pub(super) seen: Seen,
    /// Every field that is there, read or not, with its type and label.
    pub(super) present: BTreeMap<String, (String, Option<String>)>,
    outer: Vec<Ask>,
    inner: Option<Vec<Ask>>,
}

/// What the form was when a stream was last read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// Rises with every change of the app's settings.
    pub(super) revision: String,
    /// Of what gives values: types, options, formulas, look-ups of the fields that are read.
    pub(super) values: String,
    /// The fields that are read.
    pub(super) fields: Vec<SeenField>,
}

/// A field as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeenField {
    pub(super) code: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<String>,
}

/// The stream of an app, or of its table `table`.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] when there is no such table, [`ErrorKind::Config`] when the settings name a field that is
/// not there.
pub(super) fn offer_of(form: &Form, config: &AppConfig, table: Option<&str>) -> Result<Offer> {
    check_names(form, config)?;
    let stamp = form.of_kind("UPDATED_TIME").map(|field| field.code.clone());
    match table {
        None => Ok(app_offer(form, config, stamp)),
        Some(table) => match form.field(table).filter(|field| field.kind == "SUBTABLE") {
            Some(found) => Ok(table_offer(form, config, found, stamp)),
            None => Err(no_table(form, table)),
        },
    }
}

fn app_offer(form: &Form, config: &AppConfig, stamp: Option<String>) -> Offer {
    let mut asks = vec![system(ID, Cell::Id, true), system(REVISION, Cell::Revision, true)];
    let mut fields = vec![
        own_field(ID, "__id__", FieldClass::Business),
        own_field(REVISION, "__revision__", FieldClass::Bookkeeping),
    ];
    for field in &form.fields {
        let Some(cell) = Cell::of(field) else { continue };
        let delivered = wanted(config, &field.code);
        if delivered || matches!(cell, Cell::Stamp | Cell::Created) {
            asks.push(ask(field, cell, true));
            fields.extend(fields_of(field, cell, config));
        }
    }
    Offer {
        stream: Stream {
            name: config.name.clone(),
            label: None,
            key: vec![ID.to_owned()],
            stamp: stamp.clone(),
            fields,
            dated: false,
            tells_deletes: false,
        },
        stamp,
        seen: seen(form, asks.iter().filter_map(|ask| form.field(&ask.code))),
        present: present(&form.fields),
        outer: asks,
        inner: None,
    }
}

fn table_offer(form: &Form, config: &AppConfig, table: &Described, stamp: Option<String>) -> Offer {
    let mut outer = vec![system(ID, Cell::Id, false), system(REVISION, Cell::Revision, false)];
    if let Some(field) = form.of_kind("UPDATED_TIME") {
        outer.push(ask(field, Cell::Stamp, false));
    }
    outer.push(Ask { code: table.code.clone(), cell: Cell::Table, column: None, names: None, may_miss: false });
    let mut fields = vec![
        own_field(PARENT, "parent", FieldClass::Business),
        own_field(ROW, "row", FieldClass::Business),
        // A row put in at the top moves all others: that is no change of theirs.
        own_field(POSITION, "position", FieldClass::Bookkeeping),
    ];
    let mut inner = Vec::new();
    for field in &table.fields {
        if let Some(cell) = Cell::of(field).filter(|_| wanted(config, &field.code)) {
            inner.push(ask(field, cell, true));
            fields.extend(fields_of(field, cell, config));
        }
    }
    let read = inner.iter().filter_map(|ask| table.fields.iter().find(|field| field.code == ask.code));
    Offer {
        stream: Stream {
            name: format!("{}.{}", config.name, table.code),
            label: table.label.clone(),
            key: vec![PARENT.to_owned(), ROW.to_owned()],
            stamp: None,
            fields,
            dated: false,
            tells_deletes: false,
        },
        stamp,
        seen: seen(form, read),
        present: present(&table.fields),
        outer,
        inner: Some(inner),
    }
}

fn wanted(config: &AppConfig, code: &String) -> bool {
    (config.allow.is_empty() || config.allow.contains(code)) && !config.deny.contains(code)
}

fn system(code: &str, cell: Cell, delivered: bool) -> Ask {
    let column = delivered.then(|| code.to_owned());
    Ask { code: code.to_owned(), cell, column, names: None, may_miss: false }
}

fn ask(field: &Described, cell: Cell, delivered: bool) -> Ask {
    Ask {
        code: field.code.clone(),
        cell,
        column: delivered.then(|| field.code.clone()),
        names: (delivered && has_names(field, cell)).then(|| names_of(&field.code)),
        // A formula has no value in records that were never saved since it was added.
        may_miss: cell == Cell::Raw
            || matches!(field.kind.as_str(), "CALC" | "CATEGORY" | "STATUS" | "STATUS_ASSIGNEE"),
    }
}

fn has_names(field: &Described, cell: Cell) -> bool {
    matches!(cell, Cell::User | Cell::Users) && field.kind != "MODIFIER"
}

fn names_of(code: &str) -> String {
    format!("{code}{NAMES}")
}

fn own_field(name: &str, source_type: &str, class: FieldClass) -> Field {
    Field::plain(name, source_type, class)
}

/// The delivered fields of a form's field.
fn fields_of(field: &Described, cell: Cell, config: &AppConfig) -> Vec<Field> {
    let class = |name: &str, built_in| config.classes.get(name).copied().unwrap_or(built_in);
    let plain = Field {
        name: field.code.clone(),
        label: field.label.clone(),
        source_type: field.kind.to_lowercase(),
        class: class(&field.code, class_of(&field.kind)),
        choices: field.choices.iter().cloned().map(Choice::from).collect(),
    };
    if !has_names(field, cell) {
        return vec![plain];
    }
    let name = names_of(&field.code);
    // What a user is called changes without a save of the records.
    let class = class(&name, FieldClass::Calculated);
    let label = field.label.as_ref().map(|label| format!("{label} (name)"));
    vec![plain, Field { label, ..Field::plain(name, "user_name", class) }]
}

/// Formulas and fields copied by a look-up are business: kintone computes them when a record is saved, so the time of
/// change moves with them.
fn class_of(kind: &str) -> FieldClass {
    match kind {
        "UPDATED_TIME" | "MODIFIER" => FieldClass::Bookkeeping,
        // Gains the app's code, in every record at once, when somebody gives the app one.
        "RECORD_NUMBER" => FieldClass::Calculated,
        _ => FieldClass::Business,
    }
}

fn present(fields: &[Described]) -> BTreeMap<String, (String, Option<String>)> {
    // A field that is there but switched off has no values: to a record it is gone.
    let there = fields.iter().filter(|field| field.enabled);
    there.map(|field| (field.code.clone(), (field.kind.clone(), field.label.clone()))).collect()
}

fn seen<'f>(form: &Form, fields: impl Iterator<Item = &'f Described>) -> Seen {
    let mut fields: Vec<&Described> = fields.collect();
    fields.sort_by(|a, b| a.code.cmp(&b.code));
    let mut text = String::new();
    for field in &fields {
        for part in [&field.code, &field.kind, &field.format, &field.source].into_iter().chain(&field.choices) {
            text.push_str(part);
            text.push('\0');
        }
        text.push('\n');
    }
    let one = |field: &&Described| SeenField {
        code: field.code.clone(),
        kind: field.kind.clone(),
        label: field.label.clone().filter(|label| *label != field.code),
    };
    Seen {
        revision: form.revision.clone(),
        values: format!("{:016x}", xxh3_64(text.as_bytes())),
        fields: fields.iter().map(one).collect(),
    }
}

fn check_names(form: &Form, config: &AppConfig) -> Result<()> {
    let fields = form.fields.iter().chain(form.fields.iter().flat_map(|field| &field.fields));
    let mut known: HashSet<String> = HashSet::from([ID, REVISION, PARENT, ROW, POSITION].map(str::to_owned));
    for field in fields {
        known.insert(names_of(&field.code));
        known.insert(field.code.clone());
    }
    for name in config.allow.iter().chain(&config.deny).chain(config.classes.keys()) {
        if !known.contains(name) && !config.gone.contains(name) {
            return Err(Error::new(ErrorKind::Config, "the settings name a field that the app does not show")
                .with("field", name)
                .help(format!(
                    "did you mean `{}`? Use the field code, not the name on the form",
                    closest(name, known.iter().map(String::as_str))
                )));
        }
    }
    Ok(())
}

fn no_table(form: &Form, table: &str) -> Error {
    let tables: Vec<&str> =
        form.fields.iter().filter(|field| field.kind == "SUBTABLE").map(|field| field.code.as_str()).collect();
    let help = if tables.is_empty() {
        "the app's form has no table: take it out of `tables`".to_owned()
    } else {
        format!("use one of `{}` in `tables`", tables.join("`, `"))
    };
    Error::new(ErrorKind::NotFound, "the app has no such table").with("table", table).help(help)
}

fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> &'a str {
    known
        .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)).then(b.cmp(a)))
        .unwrap_or_default()
}

impl Offer {
    /// The fields that were read before and are gone now, or are of another type: made anew under the same code,
    /// which empties every record. Those in `accepted` are known to be.
    pub(super) fn vanished<'s>(&self, before: &'s Seen, accepted: &[String]) -> Vec<&'s SeenField> {
        let is_there = |field: &&SeenField| {
            accepted.contains(&field.code) || self.present.get(&field.code).is_some_and(|(kind, _)| *kind == field.kind)
        };
        before.fields.iter().filter(|field| !is_there(field)).collect()
    }

    /// The new fields that `gone` may be called now: of its type, best first.
    pub(super) fn candidates(&self, gone: &SeenField, before: &Seen) -> Vec<&str> {
        let is_new = |code: &&String| !before.fields.iter().any(|field| field.code == **code);
        let label = gone.label.as_deref().unwrap_or(&gone.code);
        let mut found: Vec<(bool, f64, &str)> = self
            .present
            .iter()
            .filter(|(code, (kind, _))| is_new(code) && *kind == gone.kind)
            .map(|(code, (_, shown))| {
                let same_label = shown.as_deref().unwrap_or(code) == label;
                (same_label, strsim::jaro_winkler(code, &gone.code), code.as_str())
            })
            .collect();
        found.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(b.2)));
        found.into_iter().take(3).map(|(_, _, code)| code).collect()
    }

    /// The tables of the app's form.
    pub(super) fn tables(&self) -> Vec<&str> {
        self.present.iter().filter(|(_, (kind, _))| kind == "SUBTABLE").map(|(code, _)| code.as_str()).collect()
    }
}

/// The columns to read.
#[derive(Debug)]
pub(super) struct Plan {
    /// The delivered fields.
    pub(super) names: Arc<[String]>,
    pub(super) outer: Wires,
    /// Of the rows of a table; the first three columns are then its parent, id and position.
    pub(super) inner: Option<Wires>,
}

/// Fields of an answer, each with where its value goes.
#[derive(Debug, Default)]
pub(super) struct Wires {
    pub(super) codes: Vec<String>,
    pub(super) wires: Vec<Wire>,
    places: HashMap<String, usize>,
}

#[derive(Debug)]
pub(super) struct Wire {
    pub(super) cell: Cell,
    pub(super) column: Option<usize>,
    pub(super) names: Option<usize>,
    pub(super) may_miss: bool,
}

impl Plan {
    /// The columns of `offer`, without the fields in `dropped`.
    pub(super) fn new(offer: &Offer, dropped: &HashSet<String>) -> Plan {
        let left = |ask: &&Ask| !dropped.contains(&ask.code);
        let delivering = offer.inner.as_ref().unwrap_or(&offer.outer);
        let mut names: Vec<String> = match offer.inner {
            Some(_) => [PARENT, ROW, POSITION].map(str::to_owned).to_vec(),
            None => Vec::new(),
        };
        for ask in delivering.iter().filter(left) {
            names.extend(ask.column.iter().chain(&ask.names).cloned());
        }
        let place: HashMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let at = |name: &Option<String>| name.as_deref().and_then(|name| place.get(name).copied());
        let wires = |asks: &[Ask]| {
            let asks = asks.iter().filter(left);
            Wires::of(asks.map(|ask| {
                let (column, names) = (at(&ask.column), at(&ask.names));
                (ask.code.clone(), Wire { cell: ask.cell, column, names, may_miss: ask.may_miss })
            }))
        };
        let (outer, inner) = (wires(&offer.outer), offer.inner.as_deref().map(wires));
        Plan { names: names.into(), outer, inner }
    }

    /// Ids and revisions alone: nothing is delivered, the heads say it all.
    pub(super) fn keys() -> Plan {
        Plan {
            names: Arc::from([]),
            outer: Wires::of([bare(ID, Cell::Id), bare(REVISION, Cell::Revision)].into_iter()),
            inner: None,
        }
    }

    /// The ids of a table's rows alone.
    pub(super) fn row_keys(table: &str) -> Plan {
        Plan {
            names: Arc::from([]),
            outer: Wires::of([bare(ID, Cell::Id), bare(table, Cell::Table)].into_iter()),
            inner: Some(Wires::default()),
        }
    }

    /// Whether records have fields, not only heads.
    pub(super) fn delivers(&self) -> bool {
        !self.names.is_empty()
    }
}

fn bare(code: &str, cell: Cell) -> (String, Wire) {
    (code.to_owned(), Wire { cell, column: None, names: None, may_miss: false })
}

impl Wires {
    fn of(wires: impl Iterator<Item = (String, Wire)>) -> Wires {
        let (codes, wires): (Vec<String>, Vec<Wire>) = wires.unzip();
        let places = codes.iter().enumerate().map(|(at, code)| (code.clone(), at)).collect();
        Wires { codes, wires, places }
    }

    /// The wire of the field `code`. Keys come in any order, but mostly in that of the record before: `guess`.
    pub(super) fn place(&self, code: &str, guess: usize) -> Option<usize> {
        if self.codes.get(guess).is_some_and(|guessed| guessed == code) {
            return Some(guess);
        }
        self.places.get(code).copied()
    }
}
