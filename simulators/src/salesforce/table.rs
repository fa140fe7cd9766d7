//! The rows of an object, in all their versions.
//!
//! A row of the population takes no memory until it is changed. Every change adds a version and takes a
//! number; a reader that remembers the number sees the object as it was then, however it changes after.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::number::Decimal;
use crate::salesforce::catalogue::{HistoryOf, ObjectSpec, Origin};
use crate::salesforce::field::FieldSpec;
use crate::salesforce::population::Population;
use crate::salesforce::value::Value;

/// A field of an object. Its place among the columns never changes, so that running cursors can keep it.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) spec: FieldSpec,
    pub(crate) origin: Origin,
    /// Hidden from the integration user by field-level security.
    pub(crate) hidden: bool,
    /// Deleted by an administrator.
    pub(crate) removed: bool,
    /// For formulas: how it is computed, since when.
    pub(crate) calcs: Vec<(u64, i64, Calc)>,
}

impl Column {
    pub(crate) fn new(spec: FieldSpec, origin: Origin) -> Self {
        Column { spec, origin, hidden: false, removed: false, calcs: Vec::new() }
    }

    /// Whether the integration user can see it.
    pub(crate) fn is_visible(&self) -> bool {
        !self.hidden && !self.removed
    }
}

/// A formula with its names resolved.
#[derive(Debug, Clone)]
pub(crate) enum Calc {
    Times { slot: usize, factor: Decimal, scale: u32 },
    Parent { lookup: usize, table: usize, slot: usize },
    DaysUntil { slot: usize },
}

/// Whether a row can be seen, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Live,
    /// In the recycle bin since that instant.
    Bin(i64),
    Gone,
}

/// A row from one change to the next.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) seq: u64,
    /// Since when it is so, as the stamps tell it.
    pub(crate) valid_at: i64,
    pub(crate) modified: i64,
    pub(crate) stamp: i64,
    pub(crate) life: Life,
    /// The serial of the row that it was merged into.
    pub(crate) master: Option<u64>,
    /// All written values, by column.
    pub(crate) values: Arc<BTreeMap<u16, Value>>,
}

/// A row that someone has touched.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) created: i64,
    /// In order of `seq`; without any, the row is as the population says.
    pub(crate) versions: Vec<Version>,
}

/// What a reader sees: the state after change `seq`, at `now` on the org's clock; or with `as_of`, whatever
/// the stamps say was the case at that instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) seq: u64,
    pub(crate) now: i64,
    pub(crate) as_of: Option<i64>,
}

/// A row as a reader sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) serial: u64,
    pub(crate) created: i64,
    /// Whether the population speaks for what nobody has written.
    pub(crate) is_base: bool,
    pub(crate) version: Option<&'a Version>,
}

impl View<'_> {
    pub(crate) fn life(&self) -> Life {
        self.version.map_or(Life::Live, |version| version.life)
    }
}

/// Untouched rows in a row, or a touched one.
pub(crate) enum Segment {
    Run(u64, u64),
    One(u64),
}

/// A line of the delete log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deletion {
    pub(crate) at: i64,
    pub(crate) serial: u64,
}

/// An object with its rows.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) prefix: &'static str,
    pub(crate) deletable: bool,
    pub(crate) mergeable: bool,
    /// For objects that keep what others were.
    pub(crate) history: Option<HistoryOf>,
    /// The columns whose changes are kept.
    pub(crate) tracked: Vec<u16>,
    pub(crate) columns: Vec<Column>,
    names: HashMap<String, usize>,
    pub(crate) base: Population,
    rows: BTreeMap<u64, Row>,
    next: u64,
    /// Rows that sharing keeps from the integration user.
    pub(crate) unshared: BTreeSet<u64>,
    pub(crate) deletions: Vec<Deletion>,
    /// The delete log begins here.
    pub(crate) log_start: i64,
    pub(crate) metadata_at: i64,
}

impl Table {
    pub(crate) fn new(spec: ObjectSpec, base: Population) -> Self {
        let mut table = Table {
            name: spec.name,
            label: spec.label,
            prefix: spec.prefix,
            deletable: spec.deletable,
            mergeable: spec.mergeable,
            history: spec.history,
            tracked: Vec::new(),
            columns: spec.columns,
            names: HashMap::new(),
            base,
            rows: BTreeMap::new(),
            next: base.count + 1,
            unshared: BTreeSet::new(),
            deletions: Vec::new(),
            log_start: i64::MIN,
            metadata_at: base.at,
        };
        table.index_names();
        table
    }

    /// Brings the names up to date after a column was added, removed or renamed.
    pub(crate) fn index_names(&mut self) {
        self.names = self
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| !column.removed)
            .map(|(slot, column)| (column.spec.name.to_ascii_lowercase(), slot))
            .collect();
    }

    /// The column of that name, whether the integration user sees it or not.
    pub(crate) fn slot(&self, name: &str) -> Option<usize> {
        self.names.get(&name.to_ascii_lowercase()).copied()
    }

    /// The column of that name, if the integration user sees it.
    pub(crate) fn visible_slot(&self, name: &str) -> Option<usize> {
        self.slot(name).filter(|&slot| self.columns[slot].is_visible())
    }

    /// The column that tells people which row it is.
    pub(crate) fn name_slot(&self) -> Option<usize> {
        ["Name", "ContractNumber", "CaseNumber"].iter().find_map(|name| self.visible_slot(name))
    }

    /// The first column of that origin.
    pub(crate) fn slot_of(&self, wanted: fn(&Origin) -> bool) -> Option<usize> {
        self.columns.iter().position(|column| wanted(&column.origin))
    }

    /// Whether deleted rows are gone at once.
    pub(crate) fn has_no_bin(&self) -> bool {
        self.name == "CampaignMember"
    }

    /// Takes the next serial.
    pub(crate) fn next_serial(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// The largest serial that a row may have.
    pub(crate) fn last_serial(&self) -> u64 {
        self.next - 1
    }

    /// The row as a reader sees it; `None` when there is no such row yet.
    pub(crate) fn view(&self, serial: u64, moment: &Moment) -> Option<View<'_>> {
        let is_base = serial >= 1 && serial <= self.base.count;
        let Some(row) = self.rows.get(&serial) else {
            if !is_base {
                return None;
            }
            let created = self.base.created(serial);
            let exists = moment.as_of.is_none_or(|at| created <= at);
            return exists.then_some(View { serial, created, is_base, version: None });
        };
        let version = match moment.as_of {
            None => row.versions.iter().rev().find(|version| version.seq <= moment.seq),
            Some(at) => row.versions.iter().rev().find(|version| version.valid_at <= at && version.seq <= moment.seq),
        };
        let exists = version.is_some() || (is_base && moment.as_of.is_none_or(|at| row.created <= at));
        exists.then_some(View { serial, created: row.created, is_base, version })
    }

    /// A row of the population that nobody has touched.
    pub(crate) fn untouched(&self, serial: u64) -> View<'_> {
        View { serial, created: self.base.created(serial), is_base: true, version: None }
    }

    /// The rows that someone has touched, by rising serial.
    pub(crate) fn touched(&self) -> impl Iterator<Item = u64> + '_ {
        self.rows.keys().copied()
    }

    /// Gives a row just inserted audit dates of its own.
    pub(crate) fn backdate(&mut self, serial: u64, created: i64, modified: i64) {
        if let Some(row) = self.rows.get_mut(&serial) {
            row.created = created;
            if let Some(version) = row.versions.last_mut() {
                version.modified = modified;
            }
        }
    }

    /// Adds a version to a row, and the row if it is new.
    pub(crate) fn push(&mut self, serial: u64, created: i64, version: Version) {
        self.rows.entry(serial).or_insert_with(|| Row { created, versions: Vec::new() }).versions.push(version);
    }

    /// Rows from `low` to `high`, in order of their ids.
    pub(crate) fn segments(&self, low: u64, high: u64) -> impl Iterator<Item = Segment> + '_ {
        let mut at = low.max(1);
        let high = high.min(self.last_serial());
        let base_end = self.base.count.min(high);
        let mut touched = self.rows.range(at..=high.max(at)).map(|(&serial, _)| serial).peekable();
        std::iter::from_fn(move || {
            if at > high {
                return None;
            }
            let next = touched.peek().copied();
            if at <= base_end && next != Some(at) {
                let end = next.map_or(base_end, |next| base_end.min(next - 1));
                let run = Segment::Run(at, end);
                at = end + 1;
                return Some(run);
            }
            let serial = touched.next()?;
            at = serial + 1;
            Some(Segment::One(serial))
        })
    }
}
