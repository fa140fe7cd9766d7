//! Dates: adding days, days between, parts of a date, the start of its month, quarter or year.
//!
//! They work on days from the first to the last year of the calendar, not on nanoseconds, so that
//! `9999-12-31` is a day like any other.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use chrono::{Datelike, Days, Months, NaiveDate};
use chrono_tz::Tz;
use datafusion::arrow::array::{ArrayRef, AsArray, Date32Array, Int64Array, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, Date32Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

use super::FunctionDoc;
use crate::clock::Timestamp;
use crate::map::sql_type::SqlType;

/// What people read.
pub(crate) const DOCS: &[FunctionDoc] = &[
    FunctionDoc {
        name: "as_of",
        syntax: "as_of()",
        does: "the day that is asked about (the last of the period), in the project's time zone; also `current_date`",
        example: "as_of() - as_of()",
        gives: "0",
    },
    FunctionDoc {
        name: "date_part",
        syntax: "date_part('month', date)",
        does: "`year`, `quarter`, `month`, `week` (ISO), `day`, `dow` (Sunday is 0) or `doy`; also `extract(month from date)`",
        example: "date_part('quarter', date('2025-10-31'))",
        gives: "4",
    },
    FunctionDoc {
        name: "date_trunc",
        syntax: "date_trunc('month', date)",
        does: "the first day of the `year`, `quarter`, `month` or `week` (Monday)",
        example: "date_trunc('month', date('2025-10-31'))",
        gives: "2025-10-01",
    },
];

/// A unit of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Unit {
    /// The year.
    Year,
    /// The quarter of the calendar year.
    Quarter,
    /// The month.
    Month,
    /// The ISO week.
    Week,
    /// The day of the month.
    Day,
    /// The day of the week, Sunday is 0.
    Dow,
    /// The day of the year.
    Doy,
}

impl FromStr for Unit {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Ok(match word.to_lowercase().as_str() {
            "year" | "years" => Unit::Year,
            "quarter" | "qtr" => Unit::Quarter,
            "month" | "months" | "mon" => Unit::Month,
            "week" | "weeks" => Unit::Week,
            "day" | "days" => Unit::Day,
            "dow" => Unit::Dow,
            "doy" => Unit::Doy,
            _ => return Err(()),
        })
    }
}

impl Unit {
    /// Whether `date_trunc` knows it.
    pub(crate) fn has_start(self) -> bool {
        matches!(self, Unit::Year | Unit::Quarter | Unit::Month | Unit::Week | Unit::Day)
    }

    fn part(self, date: NaiveDate) -> i64 {
        match self {
            Unit::Year => i64::from(date.year()),
            Unit::Quarter => i64::from(date.month0() / 3 + 1),
            Unit::Month => i64::from(date.month()),
            Unit::Week => i64::from(date.iso_week().week()),
            Unit::Day => i64::from(date.day()),
            Unit::Dow => i64::from(date.weekday().num_days_from_sunday()),
            Unit::Doy => i64::from(date.ordinal()),
        }
    }

    fn start(self, date: NaiveDate) -> Option<NaiveDate> {
        match self {
            Unit::Year => date.with_ordinal(1),
            Unit::Quarter => date.with_day(1)?.with_month0(date.month0() / 3 * 3),
            Unit::Month => date.with_day(1),
            Unit::Week => date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_monday()))),
            Unit::Day | Unit::Dow | Unit::Doy => Some(date),
        }
    }
}

/// One of the functions on days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum DayFunction {
    /// A date and a number of days.
    AddDays,
    /// A date and a number of months; the 31st becomes the last day of a shorter month.
    AddMonths,
    /// Two dates: how many days the first is after the second.
    DaysBetween,
    /// The name of a unit and a date.
    Part,
    /// The name of a unit and a date.
    Start,
    /// The name of a time zone and an instant: the day that it is there.
    OfInstant,
}

impl DayFunction {
    const ALL: [DayFunction; 6] = [
        DayFunction::AddDays,
        DayFunction::AddMonths,
        DayFunction::DaysBetween,
        DayFunction::Part,
        DayFunction::Start,
        DayFunction::OfInstant,
    ];

    /// The function.
    pub(crate) fn function(self) -> Arc<ScalarUDF> {
        Arc::clone(&FUNCTIONS[self as usize])
    }

    fn name(self) -> &'static str {
        match self {
            DayFunction::AddDays => "add_days",
            DayFunction::AddMonths => "add_months",
            DayFunction::DaysBetween => "days_between",
            DayFunction::Part => "day_part",
            DayFunction::Start => "day_start",
            DayFunction::OfInstant => "day_of_instant",
        }
    }

    fn argument_types(self) -> Vec<DataType> {
        match self {
            DayFunction::AddDays | DayFunction::AddMonths => vec![DataType::Date32, DataType::Int64],
            DayFunction::DaysBetween => vec![DataType::Date32, DataType::Date32],
            DayFunction::Part | DayFunction::Start => vec![DataType::Utf8, DataType::Date32],
            DayFunction::OfInstant => vec![DataType::Utf8, SqlType::Datetime.data_type()],
        }
    }
}

static FUNCTIONS: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
    let function = |what: DayFunction| {
        ScalarUDF::from(OnDays { what, signature: Signature::exact(what.argument_types(), Volatility::Immutable) })
    };
    DayFunction::ALL.into_iter().map(function).map(Arc::new).collect()
});

/// All of them.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    FUNCTIONS.clone()
}

#[derive(PartialEq, Eq, Hash)]
struct OnDays {
    what: DayFunction,
    signature: Signature,
}

impl fmt::Debug for OnDays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what.name())
    }
}

impl ScalarUDFImpl for OnDays {
    fn name(&self) -> &str {
        self.what.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(match self.what {
            DayFunction::AddDays | DayFunction::AddMonths | DayFunction::Start | DayFunction::OfInstant => {
                DataType::Date32
            }
            DayFunction::DaysBetween | DayFunction::Part => DataType::Int64,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let word = match args.args.first() {
            Some(ColumnarValue::Scalar(ScalarValue::Utf8(Some(word)))) => Some(word.clone()),
            _ => None,
        };
        let arrays = args.args.into_iter().map(|arg| arg.into_array(args.number_rows)).collect::<Result<Vec<_>>>()?;
        let [first, second] = arrays.as_slice() else {
            return Err(DataFusionError::Execution(format!("{} needs two arguments", self.name())));
        };
        let known_unit = || {
            let unit = word.as_deref().and_then(|word| Unit::from_str(word).ok());
            unit.ok_or_else(|| DataFusionError::Execution("the unit must be a constant".to_owned()))
        };
        let result: ArrayRef = match self.what {
            DayFunction::AddDays => Arc::new(moved(first.as_primitive(), second.as_primitive(), plus_days)?),
            DayFunction::AddMonths => Arc::new(moved(first.as_primitive(), second.as_primitive(), plus_months)?),
            DayFunction::DaysBetween => {
                let (first, second) = (first.as_primitive::<Date32Type>(), second.as_primitive::<Date32Type>());
                let days = |(a, b): (Option<i32>, Option<i32>)| Some(i64::from(a?) - i64::from(b?));
                Arc::new(first.iter().zip(second).map(days).collect::<Int64Array>())
            }
            DayFunction::Part => {
                let unit = known_unit()?;
                let dates = second.as_primitive::<Date32Type>();
                Arc::new(dates.iter().map(|day| Some(unit.part(date_of(day?)?))).collect::<Int64Array>())
            }
            DayFunction::Start => {
                let unit = known_unit()?;
                let dates = second.as_primitive::<Date32Type>();
                let start = |day: Option<i32>| Some(Date32Type::from_naive_date(unit.start(date_of(day?)?)?));
                Arc::new(dates.iter().map(start).collect::<Date32Array>())
            }
            DayFunction::OfInstant => {
                let timezone = word.as_deref().and_then(|word| word.parse::<Tz>().ok());
                let timezone = timezone
                    .ok_or_else(|| DataFusionError::Execution("the time zone must be a constant".to_owned()))?;
                Arc::new(of_instants(second.as_primitive(), timezone))
            }
        };
        Ok(ColumnarValue::Array(result))
    }
}

fn date_of(day: i32) -> Option<NaiveDate> {
    Date32Type::to_naive_date_opt(day)
}

/// The day that each instant is in a time zone.
pub(crate) fn of_instants(instants: &TimestampMicrosecondArray, timezone: Tz) -> Date32Array {
    let day = |micros: i64| {
        let local = Timestamp::from_micros(micros).to_datetime().with_timezone(&timezone);
        Date32Type::from_naive_date(local.date_naive())
    };
    instants.unary(day)
}

fn plus_days(day: i32, days: i64) -> Option<i32> {
    i32::try_from(days).ok().and_then(|days| day.checked_add(days)).filter(|day| date_of(*day).is_some())
}

fn plus_months(day: i32, months: i64) -> Option<i32> {
    let count = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    let date = date_of(day)?;
    let moved = if months < 0 { date.checked_sub_months(count) } else { date.checked_add_months(count) };
    moved.map(Date32Type::from_naive_date)
}

fn moved(dates: &Date32Array, by: &Int64Array, plus: impl Fn(i32, i64) -> Option<i32>) -> Result<Date32Array> {
    let mut sums = Date32Array::builder(dates.len());
    for (date, by) in dates.iter().zip(by) {
        let (Some(date), Some(by)) = (date, by) else {
            sums.append_null();
            continue;
        };
        let sum = plus(date, by);
        sums.append_value(
            sum.ok_or_else(|| DataFusionError::Execution("the date is outside the calendar".to_owned()))?,
        );
    }
    Ok(sums.finish())
}
