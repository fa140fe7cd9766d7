//! `decimal(x)`, `date(x)` and the like: text to a type, with a reason where it cannot be.
//!
//! A value that does not convert is null inside the expression, and its record is *held* with the reason
//! if the expression used it. The `try_` variants give null and no reason. Empty text is null and no failure.

use std::fmt;
use std::sync::{Arc, LazyLock};

use chrono_tz::Tz;
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::{FunctionDoc, day};
use crate::map::sql_type::SqlType;
use crate::schema::VariableType;
use crate::schema::types::{self, TypeOptions};

/// What people read.
pub(crate) const DOCS: &[FunctionDoc] = &[
    FunctionDoc {
        name: "decimal",
        syntax: "decimal(x)",
        does: "a number with up to ten decimal places, as Japanese systems write it",
        example: "decimal('▲1,234.5')",
        gives: "-1234.5",
    },
    FunctionDoc {
        name: "integer",
        syntax: "integer(x)",
        does: "a whole number",
        example: "integer('１，２００')",
        gives: "1200",
    },
    FunctionDoc {
        name: "boolean",
        syntax: "boolean(x)",
        does: "true or false",
        example: "boolean('true')",
        gives: "true",
    },
    FunctionDoc {
        name: "date",
        syntax: "date(x)",
        does: "a day; of an instant, its day in the project's time zone",
        example: "date('令和7年10月1日')",
        gives: "2025-10-01",
    },
    FunctionDoc {
        name: "datetime",
        syntax: "datetime(x)",
        does: "an instant; a text without an offset is in the project's time zone",
        example: "date(datetime('2025-10-31T16:00:00Z'))",
        gives: "2025-11-01",
    },
    FunctionDoc {
        name: "text",
        syntax: "text(x)",
        does: "the plain text of a number, date or boolean",
        example: "text(2 * 3)",
        gives: "6",
    },
    FunctionDoc {
        name: "try_decimal",
        syntax: "try_decimal(x)",
        does: "as `decimal`, but null without a reason where it does not convert; there is one for each of the above",
        example: "coalesce(try_decimal('unknown'), 0)",
        gives: "0",
    },
];

/// One of the conversion functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Conversion {
    /// What it converts to.
    pub(crate) to: SqlType,
    /// Whether a value that does not convert is null without a reason.
    pub(crate) quiet: bool,
}

/// Names and targets; the quiet variant follows each.
const NAMES: [(&str, SqlType); 6] = [
    ("decimal", SqlType::Decimal),
    ("integer", SqlType::Integer),
    ("boolean", SqlType::Boolean),
    ("date", SqlType::Date),
    ("datetime", SqlType::Datetime),
    ("text", SqlType::Text),
];
const QUIET_NAMES: [(&str, SqlType); 6] = [
    ("try_decimal", SqlType::Decimal),
    ("try_integer", SqlType::Integer),
    ("try_boolean", SqlType::Boolean),
    ("try_date", SqlType::Date),
    ("try_datetime", SqlType::Datetime),
    ("try_text", SqlType::Text),
];

impl Conversion {
    /// The conversion called `name` (lower case).
    pub(crate) fn named(name: &str) -> Option<Conversion> {
        let find = |names: &[(&str, SqlType)]| names.iter().find(|(known, _)| *known == name).map(|(_, to)| *to);
        find(&NAMES)
            .map(|to| Conversion { to, quiet: false })
            .or_else(|| find(&QUIET_NAMES).map(|to| Conversion { to, quiet: true }))
    }

    /// The names of all conversions.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().chain(&QUIET_NAMES).map(|(name, _)| *name)
    }

    /// The name it is called by.
    pub(crate) fn name(self) -> &'static str {
        let names = if self.quiet { &QUIET_NAMES } else { &NAMES };
        names.iter().find(|(_, to)| *to == self.to).map_or("text", |(name, _)| name)
    }

    /// The function, to be called with the value and the time zone's name.
    pub(crate) fn function(self) -> Arc<ScalarUDF> {
        let known = FUNCTIONS.iter().find(|function| function.name() == self.name());
        known.map_or_else(|| Arc::new(ScalarUDF::from(ConvertFunction::new(self))), Arc::clone)
    }

    /// The variable type whose rules it follows.
    pub(crate) fn kind(self) -> VariableType {
        match self.to {
            SqlType::Integer => VariableType::Integer,
            SqlType::Decimal => VariableType::Decimal,
            SqlType::Boolean => VariableType::Boolean,
            SqlType::Date => VariableType::Date,
            SqlType::Datetime => VariableType::Datetime,
            SqlType::Text | SqlType::Interval | SqlType::Null => VariableType::Text,
        }
    }
}

/// The options under which conversions inside expressions run.
pub(crate) fn options(timezone: Tz) -> TypeOptions {
    TypeOptions { scale: 10, timezone, ..TypeOptions::default() }
}

static FUNCTIONS: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
    let all = Conversion::names().filter_map(Conversion::named);
    all.map(|conversion| Arc::new(ScalarUDF::from(ConvertFunction::new(conversion)))).collect()
});

/// All conversions.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    FUNCTIONS.clone()
}

/// A conversion as DataFusion sees it: the value and the name of a time zone (`UTC` when left out).
#[derive(PartialEq, Eq, Hash)]
struct ConvertFunction {
    conversion: Conversion,
    signature: Signature,
}

impl ConvertFunction {
    fn new(conversion: Conversion) -> Self {
        let arguments = vec![TypeSignature::Any(1), TypeSignature::Any(2)];
        ConvertFunction { conversion, signature: Signature::one_of(arguments, Volatility::Immutable) }
    }
}

impl fmt::Debug for ConvertFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.conversion.name())
    }
}

impl ScalarUDFImpl for ConvertFunction {
    fn name(&self) -> &str {
        self.conversion.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.conversion.to.data_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let mut arguments = args.args.into_iter();
        let value = arguments.next().ok_or_else(|| refuse(self.name(), "needs a value"))?;
        let timezone = match arguments.next() {
            None => Tz::UTC,
            Some(ColumnarValue::Scalar(ScalarValue::Utf8(Some(name)))) => {
                name.parse().map_err(|_| refuse(self.name(), "needs the name of a time zone as its second argument"))?
            }
            Some(_) => return Err(refuse(self.name(), "needs a constant time zone as its second argument")),
        };
        let input = value.into_array(rows)?;
        if let (SqlType::Date, Some(instants)) = (self.conversion.to, input.as_primitive_opt()) {
            return Ok(ColumnarValue::Array(Arc::new(day::of_instants(instants, timezone))));
        }
        Ok(ColumnarValue::Array(types::convert(self.conversion.kind(), &options(timezone), &input).values))
    }
}

fn refuse(name: &str, what: &str) -> DataFusionError {
    DataFusionError::Execution(format!("{name} {what}"))
}
