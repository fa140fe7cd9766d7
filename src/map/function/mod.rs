//! The SQL functions that expressions may call: DataFusion's, and those that we add.
//!
//! Ours convert text with reasons (`convert`), count without floating point (`number`, `day`), take the first value
//! that is there (`coalesce`), and know Japanese text, eras, the fiscal calendar, JSON and the project's tables: one
//! file each, with an example that is test and documentation in one. Every one but `lookup` keeps no state and is
//! found by its name, so that a plan that uses it can run on another machine.

pub(crate) mod coalesce;
mod company_name;
pub(crate) mod convert;
pub(crate) mod day;
mod divide;
mod era;
mod era_date;
mod era_year;
mod fiscal_end;
mod fiscal_half;
mod fiscal_month;
mod fiscal_quarter;
mod fiscal_start;
mod fiscal_year;
mod full_width;
mod half_width;
mod hiragana;
mod json_count;
mod json_exists;
mod json_value;
mod json_values;
mod kanji_number;
mod katakana;
pub(crate) mod lookup;
mod nfkc;
pub(crate) mod normalize;
pub(crate) mod number;
mod on_date;
pub(crate) mod on_fiscal;
pub(crate) mod on_json;
mod on_text;
mod page;
mod with_check_digit;

pub use page::page;

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

/// What a failing calculation says of its row.
pub(crate) const TOO_LARGE: &str = "the result of a calculation is too large";
/// What our functions say of a row that they cannot compute; none repeats a value.
pub(crate) const MESSAGES: [&str; 4] =
    [TOO_LARGE, "the date is outside the calendar", on_json::NO_JSON, on_json::SEVERAL];

/// Functions that belong together, with a heading.
#[derive(Debug, Clone)]
pub struct Group {
    /// What they are about.
    pub title: &'static str,
    /// The functions, in the order they are shown.
    pub functions: Vec<FunctionDoc>,
}

/// The functions that we add, as people call them, in the order they are shown.
pub fn groups() -> Vec<Group> {
    let group = |title, functions: Vec<FunctionDoc>| Group { title, functions };
    vec![
        group("Conversion", convert::DOCS.to_vec()),
        group("Values", [coalesce::DOCS, &[divide::DOC, lookup::DOC]].concat()),
        group(
            "Japanese text",
            [
                normalize::DOCS,
                &[nfkc::DOC, half_width::DOC, full_width::DOC, hiragana::DOC, katakana::DOC],
                &[company_name::DOC, kanji_number::DOC, with_check_digit::DOC],
            ]
            .concat(),
        ),
        group("Days", day::DOCS.to_vec()),
        group("Eras", vec![era::DOC, era_year::DOC, era_date::DOC]),
        group("Fiscal calendar", on_fiscal::ALL.iter().map(|fiscal| *fiscal.doc).collect()),
        group("JSON", on_json::ALL.iter().map(|json| *json.doc).collect()),
    ]
}

/// All of them in one list.
pub fn documentation() -> Vec<FunctionDoc> {
    groups().into_iter().flat_map(|group| group.functions).collect()
}

/// The functions that we add, to be registered where plans that use them run; but `lookup`, which is made for a table.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    let mut all = convert::functions();
    all.push(coalesce::function());
    all.extend(number::functions());
    all.extend(day::functions());
    all.extend(on_fiscal::functions());
    all.extend(on_json::functions());
    all.extend(own_plain());
    all
}

/// Those of ours whose types DataFusion can check.
fn own_plain() -> [Arc<ScalarUDF>; 12] {
    [
        normalize::function(),
        nfkc::function(),
        half_width::function(),
        full_width::function(),
        hiragana::function(),
        katakana::function(),
        company_name::function(),
        kanji_number::function(),
        with_check_digit::function(),
        era::function(),
        era_year::function(),
        era_date::function(),
    ]
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
    /// Division with a value for zero.
    Divide,
    /// A cell of a table of the project.
    Lookup,
    /// A function of the fiscal calendar.
    Fiscal(on_fiscal::Fiscal),
    /// A function on JSON text.
    Json(on_json::Json),
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
        "divide" => return Found::Divide,
        "lookup" => return Found::Lookup,
        _ => {}
    }
    if let Some(fiscal) = on_fiscal::Fiscal::named(&name) {
        return Found::Fiscal(fiscal);
    }
    if let Some(json) = on_json::Json::named(&name) {
        return Found::Json(json);
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
    let ours = ["coalesce", "now", "current_date", "as_of", "date_part", "date_trunc", "divide", "lookup"];
    let fiscal = on_fiscal::ALL.iter().map(|fiscal| fiscal.doc.name);
    let json = on_json::ALL.iter().map(|json| json.doc.name);
    convert::Conversion::names().chain(ours).chain(fiscal).chain(json).chain(PLAIN.keys().map(String::as_str))
}

/// DataFusion's functions of one record that give the same answer each time, and those of ours with plain types.
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
    known.extend(own_plain().map(|function| (function.name().to_owned(), function)));
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
