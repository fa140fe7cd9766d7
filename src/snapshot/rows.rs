//! The mapped rows of one stream at an instant: typed values, and what is known of each.

use std::collections::{BTreeMap, HashMap, HashSet};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, new_empty_array};
use datafusion::arrow::compute::{concat, filter_record_batch};
use datafusion::arrow::datatypes::{Date32Type, TimestampMicrosecondType};

use super::asserted::{Asserted, Calculated, asserted, calculated};
use super::before::Before;
use super::facts::FactTable;
use super::model::StreamModel;
use super::renamed::{fields_to_read, under_new_names};
use super::state::{Cell, Coverage};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{Incarnations, Pick, Span, Wanted, Winners, system};
use crate::map::{HeldField, MappedBatch, run};
use crate::record::{FieldClass, StreamId};

/// How many system columns are read before the fields.
const SYSTEM_COLUMNS: usize = 5;

/// A variable's values over the rows of a stream.
#[derive(Debug, Clone)]
pub(crate) struct VariableColumn {
    pub name: String,
    pub rank: usize,
    pub values: ArrayRef,
    pub cells: Vec<Cell>,
}

/// A value that was held, with the key of its record.
#[derive(Debug, Clone)]
pub struct HeldAt {
    /// The stream.
    pub stream: StreamId,
    /// The entity.
    pub entity: String,
    /// The record's key.
    pub key: String,
    /// What was held and why.
    pub held: HeldField,
}

/// The rows of one stream for one entity.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub stream: StreamId,
    pub keys: Vec<String>,
    pub valid_from: Vec<Timestamp>,
    pub coverage: Vec<Coverage>,
    pub columns: Vec<VariableColumn>,
    pub held: Vec<HeldAt>,
}

/// Whose versions are read, and at what instant expressions stand.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moment {
    /// The state at an instant, as known at another.
    At { as_of: Timestamp, known_at: Timestamp },
    /// Every key's last living version, for identity.
    LastLiving { known_at: Timestamp },
}

/// Whether and when each field was offered.
struct Offered {
    /// `Some` for dated files: the fields of the statement in force.
    stated: Option<HashSet<String>>,
    timeline: BTreeMap<String, Vec<Span>>,
    /// New name → old one.
    renamed: BTreeMap<String, String>,
    at: Timestamp,
}

impl Offered {
    fn of(model: &StreamModel, as_of: Timestamp, known_at: Timestamp) -> Offered {
        let statements = model.ledger.statements(known_at);
        let stated = statements
            .range(..=as_of)
            .next_back()
            .map(|(_, statement)| statement.fields.iter().cloned().collect::<HashSet<String>>());
        let renamed = model.mapping.renamed.iter().map(|rename| (rename.field.clone(), rename.was.clone())).collect();
        Offered { stated, timeline: model.ledger.timeline(known_at), renamed, at: as_of }
    }

    /// Whether the field was offered, under its present name or the one before.
    fn has(&self, field: &str) -> bool {
        self.offers(field) || self.renamed.get(field).is_some_and(|was| self.offers(was))
    }

    fn offers(&self, field: &str) -> bool {
        match &self.stated {
            Some(fields) => fields.contains(field),
            None => self.timeline.get(field).is_none_or(|spans| spans.iter().any(|span| span.contains(self.at))),
        }
    }
}

/// Reads and maps the rows of `model`'s stream.
pub(crate) async fn load(model: &StreamModel, moment: Moment) -> Result<Rows> {
    let pick = match moment {
        Moment::At { as_of, known_at } => {
            let first_complete_at = model.ledger.first_complete_at(known_at).filter(|first| *first > as_of);
            Pick::AsOf { as_of, known_at, first_complete_at }
        }
        Moment::LastLiving { known_at } => Pick::LastLiving { known_at },
    };
    load_winners(model, &model.log.winners(pick).await?, moment).await
}

/// Reads and maps, of the records whose key was given to another one later, those numbered `number`.
pub(crate) async fn load_earlier(
    model: &StreamModel,
    incarnations: &Incarnations,
    number: u32,
    known_at: Timestamp,
) -> Result<Rows> {
    let winners = model.log.earlier_winners(incarnations, number)?;
    load_winners(model, &winners, Moment::LastLiving { known_at }).await
}

async fn load_winners(model: &StreamModel, winners: &Winners, moment: Moment) -> Result<Rows> {
    let (as_of, known_at) = match moment {
        Moment::At { as_of, known_at } => (as_of, known_at),
        Moment::LastLiving { known_at } => (Timestamp::MAX, known_at),
    };
    // Expressions that ask for the date of an open moment get the last one that anything is known of.
    let instant = if as_of == Timestamp::MAX {
        model.ledger.last_recorded_at().unwrap_or(Timestamp::from_micros(0)).min(known_at)
    } else {
        as_of
    };
    let offered = Offered::of(model, as_of, known_at);
    let wanted = Wanted {
        system: vec![system::KEY, system::VALID_FROM, system::OBSERVED_AT, system::OP, system::DELETE_KIND],
        fields: fields_to_read(model),
    };
    let dated = !model.ledger.statements(known_at).is_empty();
    let mut gathered = Gather::new(model);
    let effective = !model.mapping.effective_fields().is_empty();
    let mut speaking: HashSet<String> = HashSet::new();
    let before = match moment {
        _ if effective => Before::default(),
        Moment::At { .. } => Before::of(model, winners, Some(as_of), known_at).await?,
        Moment::LastLiving { .. } => Before::of(model, winners, None, known_at).await?,
    };
    for file in 0..winners.file_count() {
        if let Some(batch) = winners.read(&model.log, file, &wanted).await? {
            let batch = under_new_names(model, batch, 1)?;
            if effective {
                speaking.extend(batch.column(0).as_string::<i32>().iter().flatten().map(str::to_owned));
            }
            gathered.winners(model, &batch, &before, &offered, (instant, dated), moment)?;
        }
        if !effective && let Some(born) = winners.read_born(&model.log, file, &wanted).await? {
            gathered.born(model, &under_new_names(model, born, 1)?, &before.facts, &offered, instant)?;
        }
    }
    if effective && matches!(moment, Moment::At { .. }) {
        // Entered later than it took effect (H3): the earliest version known speaks.
        let first = model.log.winners(Pick::First { known_at }).await?;
        for file in 0..first.file_count() {
            if let Some(batch) = first.read(&model.log, file, &wanted).await? {
                let batch = under_new_names(model, batch, 1)?;
                let keys = batch.column(0).as_string::<i32>();
                let silent: BooleanArray = keys.iter().map(|key| key.map(|key| !speaking.contains(key))).collect();
                let batch = filter_record_batch(&batch, &silent)
                    .map_err(|error| Error::new(ErrorKind::Internal, "could not filter rows").caused_by(error))?;
                gathered.backdated(model, &batch, &offered, instant)?;
            }
        }
    }
    gathered.finish()
}

/// How the values of a batch are known.
#[derive(Clone, Copy)]
struct Told<'a> {
    /// Which rows are in scope and in effect.
    counts: &'a [bool],
    /// By field, the rows whose value is not known.
    unknown: Option<&'a HashMap<String, HashSet<usize>>>,
    /// From facts, not from a version.
    is_fact: bool,
    /// By calculated field, the rows whose value is from facts although the row is a version.
    by_fact: Option<&'a HashMap<String, HashSet<usize>>>,
}

impl Told<'_> {
    /// By the versions themselves.
    fn of(counts: &[bool]) -> Told<'_> {
        Told { counts, unknown: None, is_fact: false, by_fact: None }
    }

    /// Whether facts tell the value of a calculated field.
    fn is_by_fact(&self, field: &str, row: usize) -> bool {
        self.is_fact || self.by_fact.is_some_and(|rows| is_among(rows, field, row))
    }
}

fn is_among(rows: &HashMap<String, HashSet<usize>>, field: &str, row: usize) -> bool {
    rows.get(field).is_some_and(|rows| rows.contains(&row))
}

struct Gather {
    rows: Rows,
    parts: Vec<Vec<ArrayRef>>,
}

impl Gather {
    fn new(model: &StreamModel) -> Gather {
        let columns = model
            .mapping
            .variables
            .iter()
            .map(|variable| VariableColumn {
                name: variable.name.clone(),
                rank: variable.rank,
                values: new_empty_array(&variable.data_type),
                cells: Vec::new(),
            })
            .collect::<Vec<_>>();
        Gather {
            parts: vec![Vec::new(); columns.len()],
            rows: Rows {
                stream: model.mapping.stream.clone(),
                keys: Vec::new(),
                valid_from: Vec::new(),
                coverage: Vec::new(),
                columns,
                held: Vec::new(),
            },
        }
    }

    /// Takes the versions that count: living ones mapped, unreadable ones as unknown, dead ones not at all
    /// (but for identity, which keeps the dead).
    fn winners(
        &mut self,
        model: &StreamModel,
        batch: &RecordBatch,
        before: &Before,
        offered: &Offered,
        (instant, dated): (Timestamp, bool),
        moment: Moment,
    ) -> Result<()> {
        let op = batch.column(3).as_string::<i32>();
        let kind = batch.column(4).as_string::<i32>();
        let keep_dead = matches!(moment, Moment::LastLiving { .. });
        let alive: BooleanArray =
            (0..batch.num_rows()).map(|row| Some(keep_dead || op.value(row) == "upsert")).collect();
        let unreadable: BooleanArray = (0..batch.num_rows())
            .map(|row| Some(!keep_dead && op.value(row) == "delete" && kind.value(row) == "unreadable"))
            .collect();
        let pick = |mask: &BooleanArray| {
            filter_record_batch(batch, mask)
                .map_err(|error| Error::new(ErrorKind::Internal, "could not filter rows").caused_by(error))
        };
        let Calculated { rows: living, told } =
            calculated(model, pick(&alive)?, SYSTEM_COLUMNS, &before.facts, &before.first_read, offered.at)?;
        let everything = keep_dead.then(|| model.mapping.of_all_records());
        let mapping = everything.as_ref().unwrap_or(&model.mapping);
        let mapped = run(mapping, &project_fields(&living)?, instant)?;
        let counts = self.counts_by_effect(&mapped, model, instant, living.num_rows());
        let told = Told { by_fact: Some(&told), ..Told::of(&counts) };
        self.mapped(model, &living, &mapped, offered, told, |observed_at| {
            if dated {
                Coverage::Asserted
            } else if observed_at <= instant {
                Coverage::Observed
            } else {
                Coverage::Stamped
            }
        });
        if !keep_dead {
            self.unknown(&pick(&unreadable)?, Cell::Unreadable);
        }
        Ok(())
    }

    /// Takes the earliest versions of records that existed before: as facts tell they were then, else as unknown (C2).
    fn born(
        &mut self,
        model: &StreamModel,
        first: &RecordBatch,
        facts: &FactTable,
        offered: &Offered,
        instant: Timestamp,
    ) -> Result<()> {
        if facts.is_empty() {
            self.unknown(first, Cell::NotRead);
            return Ok(());
        }
        let Asserted { known, unknown, silent } = asserted(model, first, SYSTEM_COLUMNS, facts, instant)?;
        self.unknown(&silent, Cell::NotRead);
        let mapped = run(&model.mapping, &project_fields(&known)?, instant)?;
        let counts = self.counts_by_effect(&mapped, model, instant, known.num_rows());
        let told = Told { unknown: Some(&unknown), is_fact: true, ..Told::of(&counts) };
        self.mapped(model, &known, &mapped, offered, told, |_| Coverage::Asserted);
        Ok(())
    }

    fn backdated(
        &mut self,
        model: &StreamModel,
        batch: &RecordBatch,
        offered: &Offered,
        instant: Timestamp,
    ) -> Result<()> {
        let op = batch.column(3).as_string::<i32>();
        let alive: BooleanArray = (0..batch.num_rows()).map(|row| Some(op.value(row) == "upsert")).collect();
        let living = filter_record_batch(batch, &alive)
            .map_err(|error| Error::new(ErrorKind::Internal, "could not filter rows").caused_by(error))?;
        let mapped = run(&model.mapping, &project_fields(&living)?, instant)?;
        let counts = self.counts_by_effect(&mapped, model, instant, living.num_rows());
        self.mapped(model, &living, &mapped, offered, Told::of(&counts), |_| Coverage::Backdated);
        Ok(())
    }

    /// Which rows are in scope and in effect on the day of `instant`.
    fn counts_by_effect(
        &self,
        mapped: &MappedBatch,
        model: &StreamModel,
        instant: Timestamp,
        rows: usize,
    ) -> Vec<bool> {
        let day = instant.to_datetime().with_timezone(&model.mapping.timezone).date_naive();
        let day = i32::try_from((day - chrono::NaiveDate::default()).num_days()).unwrap_or(i32::MAX);
        let date = |column: &Option<ArrayRef>, row: usize| -> Option<i32> {
            let column = column.as_ref()?.as_primitive_opt::<Date32Type>()?;
            column.is_valid(row).then(|| column.value(row))
        };
        (0..rows)
            .map(|row| {
                let from = date(&mapped.effective_from, row);
                let to = date(&mapped.effective_to, row);
                mapped.in_scope.value(row)
                    && (mapped.effective_from.is_none() || from.is_some_and(|from| from <= day))
                    && to.is_none_or(|to| day < to)
            })
            .collect()
    }

    fn mapped(
        &mut self,
        model: &StreamModel,
        batch: &RecordBatch,
        mapped: &MappedBatch,
        offered: &Offered,
        told: Told<'_>,
        coverage: impl Fn(Timestamp) -> Coverage,
    ) {
        let counts = told.counts;
        let keys = batch.column(0).as_string::<i32>();
        let valid_from = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        let observed_at = batch.column(2).as_primitive::<TimestampMicrosecondType>();
        let mut held: Vec<HashSet<usize>> = vec![HashSet::new(); mapped.columns.len()];
        for field in &mapped.held {
            let found = model
                .mapping
                .variables
                .iter()
                .position(|variable| variable.name == field.variable && variable.place == field.place);
            if let Some(at) = found {
                held[at].insert(field.row);
            }
            if counts.get(field.row).copied().unwrap_or(true) {
                self.rows.held.push(HeldAt {
                    stream: self.rows.stream.clone(),
                    entity: model.mapping.entity.clone(),
                    key: keys.value(field.row).to_owned(),
                    held: field.clone(),
                });
            }
        }
        let mask: BooleanArray = counts.iter().map(|counts| Some(*counts)).collect();
        for row in (0..batch.num_rows()).filter(|row| counts[*row]) {
            self.rows.keys.push(keys.value(row).to_owned());
            self.rows.valid_from.push(Timestamp::from_micros(valid_from.value(row)));
            self.rows.coverage.push(coverage(Timestamp::from_micros(observed_at.value(row))));
        }
        for (at, variable) in model.mapping.variables.iter().enumerate() {
            let missing = variable.fields.iter().any(|field| !offered.has(field));
            let is_calculated = |field: &&String| model.log.columns().class_of(field) == Some(FieldClass::Calculated);
            let calculated: Vec<&String> = variable.fields.iter().filter(is_calculated).collect();
            let values = &mapped.columns[at];
            let cells = &mut self.rows.columns[at].cells;
            for row in (0..batch.num_rows()).filter(|row| counts[*row]) {
                let is_told = |field: &String| told.unknown.is_none_or(|rows| !is_among(rows, field, row));
                let is_late = observed_at.value(row) > offered.at.micros()
                    && !calculated.iter().all(|field| told.is_by_fact(field, row));
                cells.push(if missing {
                    Cell::NotOffered
                } else if !variable.fields.iter().all(is_told) {
                    Cell::NotRead
                } else if is_late {
                    Cell::ObservedLater
                } else if held[at].contains(&row) {
                    Cell::Held
                } else if values.is_null(row) {
                    Cell::Empty
                } else {
                    Cell::Value
                });
            }
            let kept = datafusion::arrow::compute::filter(values, &mask).expect("the mask is as long as the column");
            self.parts[at].push(kept);
        }
    }

    /// Takes rows that existed but of which nothing can be said.
    fn unknown(&mut self, batch: &RecordBatch, cell: Cell) {
        let keys = batch.column(0).as_string::<i32>();
        let valid_from = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        for row in 0..batch.num_rows() {
            self.rows.keys.push(keys.value(row).to_owned());
            self.rows.valid_from.push(Timestamp::from_micros(valid_from.value(row)));
            self.rows.coverage.push(Coverage::Unknown);
        }
        for (at, column) in self.rows.columns.iter_mut().enumerate() {
            column.cells.extend(std::iter::repeat_n(cell, batch.num_rows()));
            self.parts[at].push(datafusion::arrow::array::new_null_array(column.values.data_type(), batch.num_rows()));
        }
    }

    fn finish(mut self) -> Result<Rows> {
        for (column, parts) in self.rows.columns.iter_mut().zip(&self.parts) {
            if !parts.is_empty() {
                let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
                column.values = concat(&parts).map_err(|error| {
                    Error::new(ErrorKind::Internal, "the parts of a variable do not fit together")
                        .with("variable", &column.name)
                        .caused_by(error)
                })?;
            }
        }
        Ok(self.rows)
    }
}

/// The fields of a batch without its system columns.
fn project_fields(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns: Vec<usize> = (SYSTEM_COLUMNS..batch.num_columns()).collect();
    batch
        .project(&columns)
        .map_err(|error| Error::new(ErrorKind::Internal, "could not project fields").caused_by(error))
}

/// How well a stream converts now.
#[derive(Debug, Clone)]
pub struct Holds {
    /// The values that do not convert, by key and variable.
    pub held: Vec<HeldAt>,
    /// How many values were converted or held: records in scope times variables.
    pub value_count: u64,
    /// Mapped fields that the source no longer offers, sorted: their variables are unknown.
    pub not_offered: Vec<String>,
}

/// What of a stream cannot be converted now: the holds of its present state.
pub async fn holds_of(model: &StreamModel, now: Timestamp) -> Result<Holds> {
    let mut rows = load(model, Moment::At { as_of: now, known_at: Timestamp::MAX }).await?;
    rows.held.sort_by(|a, b| (&a.key, &a.held.variable).cmp(&(&b.key, &b.held.variable)));
    let offered = Offered::of(model, now, Timestamp::MAX);
    let fields = model.mapping.fields_used.iter();
    let not_offered = fields.filter(|field| !offered.has(field)).cloned().collect();
    let value_count = (rows.keys.len() * rows.columns.len()) as u64;
    Ok(Holds { held: rows.held, value_count, not_offered })
}
