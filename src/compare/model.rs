//! What a comparison says, in the shape that `-o json` prints.
//!
//! Amounts and decimals are exact JSON numbers, ratios text with six places, instants RFC 3339 and days ISO
//! 8601. What cannot be said is `null`. Fields may be added, none changes its meaning.

use std::fmt;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Serialize, Serializer};

use super::number::{Decimal, Ratio};
use super::waterfall::Waterfall;
use crate::clock::Timestamp;
use crate::schema::{Aggregate, Better, Label, VariableType};
use crate::snapshot::State;

/// Two states side by side.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// The first state, where a change starts.
    pub a: SideSummary,
    /// The second state, where it ends.
    pub b: SideSummary,
    /// How the two sides are known.
    pub coverage: CoverageSummary,
    /// How many customers there are, were won and lost.
    pub counts: Counts,
    /// Lost customers by those of A of whom we know whether they are there in B; `null` when A had none.
    pub churn_rate: Option<Ratio>,
    /// The variable of the headline waterfall, movers and groups; none when no money is compared.
    pub money: Option<String>,
    /// One entry per compared variable, in the order asked for.
    pub metrics: Vec<Metric>,
    /// The customers whose money moved most: by size of the change, then id.
    pub movers: Vec<Mover>,
    /// The customers with most money on one side whose money on the other, or on both, cannot be said: by size
    /// of the known amount, then id; as many as movers.
    pub unknown_money: Vec<UnknownMoney>,
    /// The same figures per value of a variable, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
    /// Customers that were won, lost, changed, or of whom we cannot say it; by id. Unchanged ones are counted only.
    pub customers: Vec<CustomerChange>,
}

/// One of the two states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SideSummary {
    /// What the reader asked for (`2025-10`).
    pub label: String,
    /// The instant it shows.
    pub instant: Timestamp,
    /// What had been recorded by when; `null`: everything so far.
    pub known_at: Option<Timestamp>,
    /// Whether all its streams were complete by then; otherwise its figures may still change.
    pub settled: bool,
    /// Why it is not settled, a sentence per stream.
    pub provisional_because: Vec<String>,
    /// What is settled and still not known to the day, a sentence per stream.
    pub uncertain: Vec<String>,
    /// The kept snapshot's fingerprint, where the caller knows it.
    pub fingerprint: Option<String>,
}

impl SideSummary {
    pub(super) fn of(state: &State, label: &str) -> Self {
        SideSummary {
            label: label.to_owned(),
            instant: state.at,
            known_at: state.known_at,
            settled: state.settled,
            provisional_because: state.provisional_because.clone(),
            uncertain: state.uncertain(),
            fingerprint: None,
        }
    }
}

/// How the customers of both sides are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CoverageSummary {
    /// In A.
    pub a: CoverageCounts,
    /// In B.
    pub b: CoverageCounts,
    /// How far each stream of customers was read.
    pub streams: Vec<StreamSummary>,
    /// Customers of whom we cannot say whether they were there on both sides, by reason.
    pub unknown: Vec<UnknownCount>,
}

/// Customers of a side by how they are known (semantics G2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[allow(missing_docs)] // the names are those of `Coverage`
pub struct CoverageCounts {
    pub observed: u64,
    pub stamped: u64,
    pub asserted: u64,
    pub backdated: u64,
    pub unknown: u64,
}

/// How far a stream was read for each side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamSummary {
    /// `source/stream`.
    pub stream: String,
    /// Read without a gap up to here, for A.
    pub a_complete_through: Option<Timestamp>,
    /// The same for B.
    pub b_complete_through: Option<Timestamp>,
}

/// Unknown customers or cells of one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnknownCount {
    /// The reason (`held`, `not_read`, …).
    pub reason: &'static str,
    /// How many.
    pub customers: u64,
}

/// Customers by what became of them. `won + lost + changed + unchanged + unknown` are all of both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Known to be there in A.
    pub a: u64,
    /// Known to be there in B.
    pub b: u64,
    /// There in B, known not to be there in A.
    pub won: u64,
    /// There in A, known not to be there in B.
    pub lost: u64,
    /// There in both, and a compared variable differs.
    pub changed: u64,
    /// There in both, and no compared variable is known to differ.
    pub unchanged: u64,
    /// We cannot say for one of the sides whether they were there.
    pub unknown: u64,
}

impl Counts {
    /// Lost customers by the customers of A of whom we know whether they are there in B.
    pub fn churn_rate(&self) -> Option<Ratio> {
        let kept = self.changed + self.unchanged;
        Ratio::of(i128::from(self.lost), i128::from(kept + self.lost))
    }
}

/// What became of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // as in `Counts`
pub enum Status {
    Won,
    Lost,
    Changed,
    Unknown,
}

impl Status {
    /// The word shown to people and programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Won => "won",
            Status::Lost => "lost",
            Status::Changed => "changed",
            Status::Unknown => "unknown",
        }
    }
}

/// A customer that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerChange {
    /// The customer.
    pub customer_id: String,
    /// Its name in B, or in A.
    pub name: Option<String>,
    /// What became of it.
    pub status: Status,
    /// For unknown customers: why A cannot be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_in_a: Option<&'static str>,
    /// For unknown customers: why B cannot be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_in_b: Option<&'static str>,
    /// What is known to differ, in the order of the variables; for won and lost customers, all their values.
    pub changes: Vec<Change>,
}

/// A variable of a customer that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The variable.
    pub variable: Arc<str>,
    /// The value in A; `null` is empty or no customer.
    pub before: Option<Value>,
    /// The value in B.
    pub after: Option<Value>,
    /// Whether the two values come from different streams, so that the change may be one of bookkeeping (K1).
    pub source_changed: bool,
}

/// A typed value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the names say it
pub enum Value {
    Boolean(bool),
    Integer(i64),
    Decimal(Decimal),
    Date(NaiveDate),
    Instant(Timestamp),
    Text(String),
}

impl Value {
    /// The day that many days after 1970-01-01; one beyond any calendar (years of six digits) says so in text.
    pub(super) fn date(days: i32) -> Value {
        NaiveDate::from_epoch_days(days)
            .map_or_else(|| Value::Text(format!("day {days} after 1970-01-01")), Value::Date)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Boolean(value) => value.fmt(f),
            Value::Integer(number) => number.fmt(f),
            Value::Decimal(number) => number.fmt(f),
            Value::Date(date) => date.fmt(f),
            Value::Instant(instant) => instant.fmt(f),
            Value::Text(text) => f.write_str(text),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Boolean(value) => serializer.serialize_bool(*value),
            Value::Integer(number) => serializer.serialize_i64(*number),
            Value::Decimal(number) => number.serialize(serializer),
            Value::Date(_) | Value::Instant(_) => serializer.collect_str(self),
            Value::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// A variable over all customers of each side.
#[derive(Debug, Clone, Serialize)]
pub struct Metric {
    /// The variable.
    pub variable: String,
    /// What people read.
    pub label: Label,
    /// What its values are.
    pub r#type: VariableType,
    /// For money: the currency, where the variable names one.
    pub currency: Option<String>,
    /// How it is added up; `none`: it is not, and `a` and `b` are `null`.
    pub aggregate: Aggregate,
    /// Which direction is good news.
    pub better: Option<Better>,
    /// In A.
    pub a: MetricSide,
    /// In B.
    pub b: MetricSide,
    /// B minus A, where both are numbers.
    pub delta: Option<Decimal>,
    /// Customers there on both sides whose value is known to differ.
    pub changed: u64,
    /// For summed money: how A became B.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waterfall: Option<Waterfall>,
}

/// A variable over the customers of one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MetricSide {
    /// The aggregate over the known values; `null` where there is none to add up.
    pub value: Option<Value>,
    /// Customers with a value.
    pub values: u64,
    /// Customers known to have none.
    pub empty: u64,
    /// Customers of whom we cannot say it; their values are in no aggregate.
    pub unknown: u64,
}

/// A customer whose money moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mover {
    /// The customer.
    pub customer_id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its amount in A; 0 where it had none or was not there.
    pub before: Decimal,
    /// Its amount in B.
    pub after: Decimal,
    /// B minus A.
    pub delta: Decimal,
    /// Which bar of the waterfall it is in.
    pub movement: &'static str,
}

/// A customer whose money cannot be said on one side or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnknownMoney {
    /// The customer.
    pub customer_id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its amount in A; `null`: unknown.
    pub before: Option<Decimal>,
    /// Its amount in B; `null`: unknown.
    pub after: Option<Decimal>,
    /// Why it is unknown (in A, where it is in both).
    pub reason: &'static str,
}

/// The figures per value of a variable.
#[derive(Debug, Clone, Serialize)]
pub struct Groups {
    /// The variable.
    pub variable: String,
    /// By value; then customers without one, then those of whom we cannot say it.
    pub groups: Vec<Group>,
}

/// The customers that had one value.
///
/// A customer counts in one group only, so that a group's movements lead from its start to its end: the one
/// of its value in A, or in B if it was not there in A.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    /// The value; `null` when it is empty or unknown.
    pub value: Option<Value>,
    /// Whether we cannot say which value these customers had.
    pub unknown: bool,
    /// Customers.
    pub counts: Counts,
    /// Lost customers by those of A.
    pub churn_rate: Option<Ratio>,
    /// How the money moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waterfall: Option<Waterfall>,
}
