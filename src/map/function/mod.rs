//! The SQL functions that expressions may call: DataFusion's, and those that we add.
//!
//! Ours convert text with reasons (`convert`), count without floating point (`number`, `day`) and take
//! the first value that is there (`coalesce`). Every one keeps no state and is found by its name,
//! so that a plan that uses it can run on another machine.

pub(crate) mod coalesce;
pub(crate) mod convert;
pub(crate) mod day;
pub(crate) mod normalize;
pub(crate) mod number;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::{ScalarUDF, Volatility};

/// What people read about a function that we add; its example is run as a test.
#[derive(Debug, Clone, Copy)]
pub struct FunctionDoc {
    /// Its name.
    pub name: &'static str,
    /// How it is called.
    pub syntax: &'static str,
    /// What it does.
    pub does: &'static str,
    /// An expression without fields.
    pub example: &'static str,
    /// What the example gives, as text.
    pub gives: &'static str,
}

/// The functions that we add, as people call them, in the order they are shown.
pub fn documentation() -> Vec<FunctionDoc> {
    [convert::DOCS, coalesce::DOCS, day::DOCS, normalize::DOCS].concat()
}

/// The functions that we add, to be registered where plans that use them run.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    let mut all = convert::functions();
    all.extend([coalesce::function(), normalize::function()]);
    all.extend(number::functions());
    all.extend(day::functions());
    all
}

/// What a call by this name means.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// A conversion with a reason, or without one for the `try_` variants.
    Conversion(convert::Conversion),
    /// The first value that is there.
    Coalesce,
    /// The instant that is asked about.
    AsOfInstant,
    /// The day that is asked about.
    AsOfDate,
    /// Part of a date (`date_part`).
    DatePart,
    /// Start of the month, quarter or year of a date (`date_trunc`).
    DateTrunc,
    /// A function whose types DataFusion knows.
    Plain(Arc<ScalarUDF>),
    /// Over many records.
    Aggregate,
    /// Over a window of records.
    Window,
    /// A function that mappings do without, with the reason or advice.
    Refused(&'static str),
    /// No function.
    Unknown,
}

/// Looks a function up by its name; the case of function names does not matter.
pub(crate) fn find(name: &str) -> Found {
    let name = name.to_lowercase();
    if let Some(conversion) = convert::Conversion::named(&name) {
        return Found::Conversion(conversion);
    }
    match name.as_str() {
        "coalesce" | "nvl" | "ifnull" => return Found::Coalesce,
        "now" | "current_timestamp" => return Found::AsOfInstant,
        "as_of" | "current_date" | "today" => return Found::AsOfDate,
        "date_part" | "datepart" => return Found::DatePart,
        "date_trunc" | "datetrunc" => return Found::DateTrunc,
        _ => {}
    }
    if let Some(reason) = refused(&name) {
        return Found::Refused(reason);
    }
    if let Some(function) = PLAIN.get(&name) {
        return Found::Plain(Arc::clone(function));
    }
    if WINDOW.contains(&name) {
        return Found::Window;
    }
    if AGGREGATE.contains(&name) {
        return Found::Aggregate;
    }
    Found::Unknown
}

/// The names that [`find`] knows and does not refuse.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let ours = ["coalesce", "now", "current_date", "as_of", "date_part", "date_trunc"];
    convert::Conversion::names().chain(ours).chain(PLAIN.keys().map(String::as_str))
}

/// DataFusion's functions of one record that give the same answer each time, and `normalize`.
static PLAIN: LazyLock<BTreeMap<String, Arc<ScalarUDF>>> = LazyLock::new(|| {
    let mut known = BTreeMap::new();
    for function in datafusion::functions::all_default_functions() {
        if function.signature().volatility == Volatility::Volatile {
            continue;
        }
        for name in std::iter::once(function.name()).chain(function.aliases().iter().map(String::as_str)) {
            if refused(name).is_none() {
                known.insert(name.to_owned(), Arc::clone(&function));
            }
        }
    }
    known.insert("normalize".to_owned(), normalize::function());
    known
});

static AGGREGATE: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let functions = datafusion::functions_aggregate::all_default_aggregate_functions();
    functions
        .iter()
        .flat_map(|f| {
            std::iter::once(f.name())
                .chain(f.aliases().iter().map(String::as_str))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
});

static WINDOW: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let functions = datafusion::functions_window::all_default_window_functions();
    functions
        .iter()
        .flat_map(|f| {
            std::iter::once(f.name())
                .chain(f.aliases().iter().map(String::as_str))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
});

/// Why a function of DataFusion is not for mappings.
fn refused(name: &str) -> Option<&'static str> {
    Some(match name {
        "random" | "rand" | "uuid" => "the same record must give the same answer each time",
        "to_date"
        | "to_timestamp"
        | "to_timestamp_seconds"
        | "to_timestamp_millis"
        | "to_timestamp_micros"
        | "to_timestamp_nanos"
        | "to_unixtime"
        | "to_local_time" => "write `date(x)` or `datetime(x)`",
        "date_format" => "write `to_char(date, '%Y-%m')`",
        "current_time" | "to_time" | "make_time" | "date_bin" => {
            "times of day are not supported; write `now()` or `date(x)`"
        }
        "arrow_cast" | "arrow_try_cast" | "cast_to_type" | "try_cast_to_type" => {
            "write `decimal(x)`, `date(x)` or the like"
        }
        "arrow_typeof" | "arrow_field" | "arrow_metadata" | "with_metadata" | "version" | "input_file_name"
        | "file_row_index" | "get_field" | "named_struct" | "struct" | "row" | "union_extract" | "union_tag"
        | "nvl2" => "it has no use in a mapping; `CASE WHEN … THEN … ELSE … END` may do",
        _ => return None,
    })
}
