//! 6. Two states side by side: customers won and lost, waterfall, movers, coverage.
//!
//! The states are joined on `customer_id`, both sorted by it, so a comparison is one walk over columns. What is
//! unknown on either side stands apart (semantics G3): it is never won, lost, expansion or contraction. Both
//! states must come from one identity and one set of definitions (J2); the caller sees to that.
//!
//! `waterfall` has the rules of money and the formulas, [`Comparison`] the shape of the result.

mod assemble;
mod change;
mod group;
mod join;
mod metric;
mod model;
mod number;
mod side;
mod waterfall;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Aggregate, VariableConfig, VariableType};
use crate::snapshot::State;

pub use model::{
    Change, Comparison, Counts, CoverageCounts, CoverageSummary, CustomerChange, Group, Groups, Metric, MetricSide,
    Mover, SideSummary, Status, StreamSummary, UnknownCount, UnknownMoney, Value,
};
pub use number::{Decimal, Ratio, decimal_text};
pub use waterfall::{Bar, Waterfall};

use assemble::Comparing;

/// What to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompareRequest {
    /// The variables to compare, in this order; `None`: all.
    pub variables: Option<Vec<String>>,
    /// Also gives the figures per value of this variable.
    pub group_by: Option<String>,
    /// How many of the customers whose money moved most are listed.
    pub top: usize,
    /// The money variable of the headline; `None`: `mrr` if it is compared, else the first summed money.
    pub money: Option<String>,
    /// Whether each customer lists what differs; a page for people does without, which saves most of the time.
    /// Otherwise won and lost customers list the headline's money only, and changed ones nothing.
    pub changes: bool,
}

impl Default for CompareRequest {
    fn default() -> Self {
        CompareRequest { variables: None, group_by: None, top: 10, money: None, changes: true }
    }
}

/// Compares the customers of two states.
///
/// `variables` are all variables of `customer`, in the order of the schema; both states have a column for each.
/// The result depends on the states' contents only, and its lists are sorted as their docs say.
///
/// # Errors
///
/// [`ErrorKind::Usage`] when the request names a variable that does not exist or does not fit,
/// [`ErrorKind::Corrupt`] when a state is not as [`State`] promises, [`ErrorKind::BadData`] when a sum has more
/// digits than can be counted.
pub fn compare(
    a: &State,
    a_label: &str,
    b: &State,
    b_label: &str,
    variables: &[VariableConfig],
    request: &CompareRequest,
) -> Result<Comparison> {
    let plan = Plan::of(variables, request)?;
    let (a, b) = side::open_both(a, b, variables)?;
    Comparing { a, b, variables, plan }.run(a_label, b_label, request.top)
}

/// The request, with variables as columns.
struct Plan {
    selected: Vec<usize>,
    money: Option<usize>,
    group_by: Option<usize>,
    name: Option<usize>,
    changes: bool,
    /// The names of all variables, shared by what is said of them.
    names: Vec<Arc<str>>,
}

impl Plan {
    fn of(variables: &[VariableConfig], request: &CompareRequest) -> Result<Self> {
        let find = |name: &str| column_of(variables, name);
        let selected = match &request.variables {
            Some(names) => {
                let mut columns = names.iter().map(|name| find(name)).collect::<Result<Vec<_>>>()?;
                let mut seen = HashSet::new();
                columns.retain(|column| seen.insert(*column));
                columns
            }
            None => (0..variables.len()).collect(),
        };
        let money = match &request.money {
            Some(name) => {
                let column = find(name)?;
                if !is_summed_money(&variables[column]) {
                    return Err(Error::new(ErrorKind::Usage, "a waterfall is of money that is summed")
                        .with("variable", name)
                        .help("name a variable with `type: money` and `aggregate: sum`"));
                }
                Some(column)
            }
            None => {
                let mut money = selected.iter().copied().filter(|column| is_summed_money(&variables[*column]));
                money.clone().find(|column| variables[*column].name == "mrr").or_else(|| money.next())
            }
        };
        let group_by = request.group_by.as_deref().map(find).transpose()?;
        let name = variables.iter().position(|variable| variable.name == "name");
        let names = variables.iter().map(|variable| Arc::from(variable.name.as_str())).collect();
        Ok(Plan { selected, money, group_by, name, changes: request.changes, names })
    }
}

fn column_of(variables: &[VariableConfig], name: &str) -> Result<usize> {
    variables.iter().position(|variable| variable.name == name).ok_or_else(|| {
        let near = variables.iter().map(|variable| (strsim::jaro_winkler(&variable.name, name), &variable.name));
        let near = near.filter(|(likeness, _)| *likeness > 0.8).max_by(|x, y| x.0.total_cmp(&y.0));
        let help = match near {
            Some((_, near)) => format!("did you mean `{near}`?"),
            None => {
                let names: Vec<_> = variables.iter().map(|variable| variable.name.as_str()).collect();
                format!("variables of customer: {}", names.join(", "))
            }
        };
        Error::new(ErrorKind::Usage, "customer has no such variable").with("variable", name).help(help)
    })
}

fn is_summed_money(variable: &VariableConfig) -> bool {
    variable.r#type == VariableType::Money && metric::aggregate_of(variable) == Aggregate::Sum
}
