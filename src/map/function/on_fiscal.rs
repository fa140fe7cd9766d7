//! What functions of the fiscal calendar share: the project's fiscal year comes in as constants behind the date.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use chrono::NaiveDate;
use datafusion::arrow::array::{ArrayRef, AsArray, Date32Array, Int64Array};
use datafusion::arrow::datatypes::{DataType, Date32Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::{FunctionDoc, fiscal_end, fiscal_half, fiscal_month, fiscal_quarter, fiscal_start, fiscal_year};
use crate::map::sql_type::SqlType;
use crate::schema::{FirstOrLast, FiscalPart, FiscalYear};

/// What a function of the fiscal calendar makes of a day.
#[derive(Clone, Copy)]
pub(super) enum Of {
    /// A number.
    Whole(fn(&FiscalYear, NaiveDate) -> Option<i64>),
    /// A day of the part of the fiscal year that a word names.
    Day(fn(&FiscalYear, NaiveDate, Part) -> Option<NaiveDate>),
}

/// A part of the fiscal year by its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The year.
    Year,
    /// Six months.
    Half,
    /// Three months.
    Quarter,
}

impl Part {
    /// The part called `word`.
    pub(crate) fn named(word: &str) -> Option<Part> {
        Some(match word.to_lowercase().as_str() {
            "year" => Part::Year,
            "half" => Part::Half,
            "quarter" => Part::Quarter,
            _ => return None,
        })
    }

    /// The first and the last day of the part that `date` lies in.
    pub(super) fn around(self, fiscal: &FiscalYear, date: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
        let (year, month) = fiscal.year_and_month(date);
        let part = match self {
            Part::Year => FiscalPart::Year,
            Part::Half => FiscalPart::Half(month / 6 + 1),
            Part::Quarter => FiscalPart::Quarter(month / 3 + 1),
        };
        fiscal.days(year, part)
    }
}

/// One of the functions of the fiscal calendar.
#[derive(Clone, Copy)]
pub(crate) struct Fiscal {
    pub(super) doc: &'static FunctionDoc,
    pub(super) of: Of,
}

impl fmt::Debug for Fiscal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.doc.name)
    }
}

/// All of them, in the order they are shown.
pub(crate) static ALL: [Fiscal; 6] = [
    fiscal_year::FISCAL,
    fiscal_half::FISCAL,
    fiscal_quarter::FISCAL,
    fiscal_month::FISCAL,
    fiscal_start::FISCAL,
    fiscal_end::FISCAL,
];

static FUNCTIONS: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
    let function = |fiscal: &Fiscal| {
        let signature = Signature::any(if fiscal.takes_part() { 5 } else { 4 }, Volatility::Immutable);
        Arc::new(ScalarUDF::from(OnFiscal { fiscal: *fiscal, signature }))
    };
    ALL.iter().map(function).collect()
});

impl Fiscal {
    /// The one called `name` (lower case).
    pub(crate) fn named(name: &str) -> Option<Fiscal> {
        ALL.iter().find(|fiscal| fiscal.doc.name == name).copied()
    }

    /// How it is called, for advice.
    pub(crate) fn syntax(self) -> &'static str {
        self.doc.syntax
    }

    /// Whether the name of a part comes before the date.
    pub(crate) fn takes_part(self) -> bool {
        matches!(self.of, Of::Day(_))
    }

    /// What it gives.
    pub(crate) fn gives(self) -> SqlType {
        match self.of {
            Of::Whole(_) => SqlType::Integer,
            Of::Day(_) => SqlType::Date,
        }
    }

    /// The function and its arguments.
    pub(crate) fn call(self, part: Option<String>, date: Expr, fiscal: &FiscalYear) -> (Arc<ScalarUDF>, Vec<Expr>) {
        let at = ALL.iter().position(|known| known.doc.name == self.doc.name).unwrap_or_default();
        let constant = |value| Expr::Literal(value, None);
        let whole = |value: u32| constant(ScalarValue::Int64(Some(i64::from(value))));
        let mut arguments: Vec<Expr> = part.map(|part| constant(ScalarValue::Utf8(Some(part)))).into_iter().collect();
        let named_by_last = fiscal.named_by == FirstOrLast::Last;
        arguments.extend([
            date,
            whole(fiscal.start_month),
            constant(ScalarValue::Boolean(Some(named_by_last))),
            whole(fiscal.closing_day),
        ]);
        (Arc::clone(&FUNCTIONS[at]), arguments)
    }
}

/// All functions, to be registered.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    FUNCTIONS.clone()
}

/// Found and compared by its name.
#[derive(Debug)]
struct OnFiscal {
    fiscal: Fiscal,
    signature: Signature,
}

impl PartialEq for OnFiscal {
    fn eq(&self, other: &Self) -> bool {
        self.fiscal.doc.name == other.fiscal.doc.name
    }
}

impl Eq for OnFiscal {}

impl Hash for OnFiscal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fiscal.doc.name.hash(state);
    }
}

impl ScalarUDFImpl for OnFiscal {
    fn name(&self) -> &str {
        self.fiscal.doc.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.fiscal.gives().data_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let wrong = || DataFusionError::Execution(format!("{} needs a date and the fiscal year", self.name()));
        let (part, rest) = match args.args.as_slice() {
            [ColumnarValue::Scalar(ScalarValue::Utf8(Some(word))), rest @ ..] => (Part::named(word), rest),
            rest => (None, rest),
        };
        let [
            date,
            ColumnarValue::Scalar(ScalarValue::Int64(Some(start))),
            ColumnarValue::Scalar(ScalarValue::Boolean(Some(last))),
            ColumnarValue::Scalar(ScalarValue::Int64(Some(closing))),
        ] = rest
        else {
            return Err(wrong());
        };
        let number = |value: i64| u32::try_from(value).map_err(|_| wrong());
        let named_by = if *last { FirstOrLast::Last } else { FirstOrLast::First };
        let fiscal = FiscalYear { start_month: number(*start)?, named_by, closing_day: number(*closing)? };
        let dates = date.clone().into_array(args.number_rows)?;
        let days = dates.as_primitive::<Date32Type>().iter().map(|day| day.and_then(Date32Type::to_naive_date_opt));
        let result: ArrayRef = match self.fiscal.of {
            Of::Whole(whole) => Arc::new(days.map(|day| whole(&fiscal, day?)).collect::<Int64Array>()),
            Of::Day(day_of) => {
                let part = part.ok_or_else(wrong)?;
                let day_of = |day: Option<NaiveDate>| day_of(&fiscal, day?, part).map(Date32Type::from_naive_date);
                Arc::new(days.map(day_of).collect::<Date32Array>())
            }
        };
        Ok(ColumnarValue::Array(result))
    }
}
