//! How a source writes its texts, where one text could mean two things: said, never guessed.

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::VariableType;

/// How the texts of a variable are to be read, where they could be read in two ways.
///
/// A variable says it for all its sources, a mapping (or an entry of `from`) for one; what the mapping says
/// goes first, key by key. It holds for the conversions in the mapping's expression, too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadAs {
    /// For integer, decimal and money: `japanese` reads 120万, 1億2,000万 and 三百二十万; without it they are held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<Units>,
    /// For percent: what a number without a sign means. As `percent`, the default, 12.5 is 12.5 %; as `fraction`, 0.125 is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<PercentWriting>,
    /// For date: which day of a fiscal year or its part (2025年度, FY2025, 2025年度上期) is meant; without it they are held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fiscal: Option<FiscalDay>,
    /// For date: the calendar of a spreadsheet, in whose days 45931 is 2025-10-01; without it bare numbers are held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<SerialDays>,
    /// For set: the signs that stand between elements, such as `,/`; default `;` and `、`. JSON arrays are read in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separators: Option<String>,
    /// For datetime: the time zone (IANA) of texts that name none; default the project's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// The units of numbers that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Units {
    /// 十 百 千 万 億 兆, and numbers in kanji.
    Japanese,
}

/// How percentages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PercentWriting {
    /// 12.5 is 12.5 %.
    Percent,
    /// 0.125 is 12.5 %.
    Fraction,
}

/// Which day of a fiscal year is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FiscalDay {
    /// Its first.
    First,
    /// Its last.
    Last,
}

/// From when a spreadsheet counts its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SerialDays {
    /// Excel on Windows, Google Sheets: 1 is 1900-01-01 (and 60 a day that never was).
    #[serde(rename = "excel_1900")]
    Excel1900,
    /// Excel on old Macs: 0 is 1904-01-01.
    #[serde(rename = "excel_1904")]
    Excel1904,
}

impl ReadAs {
    /// Whether it says nothing.
    pub fn is_default(&self) -> bool {
        *self == ReadAs::default()
    }

    /// What is said here, and where nothing is said, there.
    pub fn or(&self, other: &ReadAs) -> ReadAs {
        ReadAs {
            units: self.units.or(other.units),
            percent: self.percent.or(other.percent),
            fiscal: self.fiscal.or(other.fiscal),
            serial: self.serial.or(other.serial),
            separators: self.separators.clone().or_else(|| other.separators.clone()),
            timezone: self.timezone.clone().or_else(|| other.timezone.clone()),
        }
    }

    /// The time zone that is said, if there is one of that name.
    pub fn zone(&self) -> Option<Tz> {
        self.timezone.as_deref().and_then(|name| name.parse().ok())
    }

    /// What cannot be said of a variable of `kind`: the key, what is wrong, what to write.
    ///
    /// `in_expression`: of the conversions of an expression, every key may hold.
    pub(crate) fn faults(&self, kind: VariableType, in_expression: bool) -> Vec<(&'static str, String, String)> {
        use VariableType as V;
        let all: [(&'static str, bool, &[V], &str); 6] = [
            ("units", self.units.is_some(), &[V::Integer, V::Decimal, V::Money], "an integer, decimal or money"),
            ("percent", self.percent.is_some(), &[V::Percent], "a percent"),
            ("fiscal", self.fiscal.is_some(), &[V::Date], "a date"),
            ("serial", self.serial.is_some(), &[V::Date], "a date"),
            ("separators", self.separators.is_some(), &[V::Set], "a set"),
            ("timezone", self.timezone.is_some(), &[V::Datetime], "a datetime"),
        ];
        let in_expressions = ["units", "fiscal", "serial", "timezone"];
        let mut faults: Vec<_> = all
            .into_iter()
            .filter(|(key, said, kinds, _)| {
                *said && !kinds.contains(&kind) && !(in_expression && in_expressions.contains(key))
            })
            .map(|(key, _, _, whose)| (key, format!("`{key}` is read for {whose}"), "remove it".to_owned()))
            .collect();
        if let Some(name) = self.timezone.as_deref().filter(|_| self.zone().is_none()) {
            let advice = "write an IANA name such as `Asia/Tokyo`".to_owned();
            faults.push(("timezone", format!("unknown time zone `{name}`"), advice));
        }
        let signs = self.separators.as_deref().unwrap_or(",");
        if signs.is_empty() || signs.contains(|c: char| c.is_alphanumeric() || "[]\"\\".contains(c)) {
            let message = "`separators` are signs between elements: no letters, digits, brackets, quotes or `\\`";
            faults.push(("separators", message.to_owned(), "write them one after the other, such as `,/`".to_owned()));
        }
        faults
    }
}
