//! Ties a query to the fields that there are, and refuses what cannot be asked.

use serde_json::json;

use super::ast::{Aggregate, Condition, Select};
use super::{DEFAULT, MOST};
use crate::zoho::field::{Column, FieldType};
use crate::zoho::filter::{self, Filter, NoPath, Path, Test};
use crate::zoho::refusal::{Answer, Refusal, invalid_query, require};
use crate::zoho::visit::Visit;

const CONDITIONS: usize = 25;
const LISTED: usize = 100;
const FORMULAS: usize = 5;
const GROUPS: usize = 4;
const ORDERINGS: usize = 10;

/// A column of the answer: what it is called, and where it comes from.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) path: Path,
    pub(crate) sum: Option<Aggregate>,
}

/// A query that can be run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) module: usize,
    pub(crate) outputs: Vec<Output>,
    pub(crate) filter: Filter,
    pub(crate) groups: Vec<Path>,
    pub(crate) order: Vec<(Path, bool)>,
    pub(crate) offset: u64,
    pub(crate) limit: u64,
}

fn exceeded(name: &str, most: u64) -> Refusal {
    let refusal = Refusal::new(400, "LIMIT_EXCEEDED", "the limit of the clause is exceeded");
    refusal.with(json!({"limit": most, "clause": name}))
}

pub(crate) fn bind(visit: &Visit<'_>, select: &Select) -> Answer<Plan> {
    let unknown = || invalid_query("invalid query formed", json!({"module": select.module}));
    require(visit.state.find(&select.module), unknown)?;
    let module = visit.readable(&select.module)?;
    let open = &visit.state.options.hypotheses;
    let limit = select.limit.unwrap_or(DEFAULT);
    if limit > MOST {
        return Err(exceeded("limit", MOST));
    }
    if select.offset + limit > open.coql_reach {
        return Err(exceeded("offset", open.coql_reach));
    }
    for (name, count, most) in [
        ("select", select.items.len(), open.coql_columns),
        ("group by", select.group_by.len(), GROUPS),
        ("order by", select.order_by.len(), ORDERINGS),
    ] {
        if count > most {
            return Err(exceeded(name, most as u64));
        }
    }
    let mut outputs: Vec<Output> = Vec::new();
    for item in &select.items {
        let path = path(visit, module, &item.path)?;
        let default = match item.sum {
            Some(sum) => format!("{}({})", sum.name(), item.path),
            None => item.path.clone(),
        };
        let name = item.alias.clone().unwrap_or(default);
        if outputs.iter().any(|output| output.name == name) {
            let code = if item.alias.is_some() { "DUPLICATE_ALIAS" } else { "DUPLICATE_DATA" };
            return Err(Refusal::new(400, code, "duplicate column given").with(json!({"column_name": name})));
        }
        outputs.push(Output { name, path, sum: item.sum });
    }
    let formulas = outputs.iter().filter_map(|output| output.path.column(visit.state));
    if formulas.filter(|column| column.kind() == FieldType::Formula).count() > FORMULAS {
        return Err(exceeded("formula fields", FORMULAS as u64));
    }
    let filter = condition(visit, module, &select.condition)?;
    if filter.len() > CONDITIONS {
        return Err(exceeded("where", CONDITIONS as u64));
    }
    let groups = select.group_by.iter().map(|name| path(visit, module, name)).collect::<Answer<Vec<Path>>>()?;
    let order = select.order_by.iter().map(|(name, falls)| Ok((path(visit, module, name)?, *falls)));
    let order = order.collect::<Answer<Vec<(Path, bool)>>>()?;
    let sums = outputs.iter().filter(|output| output.sum.is_some()).count();
    let is_grouped = |output: &Output| output.sum.is_some() || groups.contains(&output.path);
    if (sums > 0 || !groups.is_empty()) && !outputs.iter().all(is_grouped) {
        return Err(invalid_query("invalid query formed", json!({"reason": "column is not grouped"})));
    }
    Ok(Plan { module, outputs, filter, groups, order, offset: select.offset, limit })
}

fn path(visit: &Visit<'_>, module: usize, text: &str) -> Answer<Path> {
    let sees = |column: &Column| visit.sees(column);
    let path = Path::read(visit.state, module, text, sees).map_err(|problem| match problem {
        NoPath::Unknown => invalid_query("column given seems to be invalid", json!({"column_name": text})),
        NoPath::TooDeep => {
            invalid_query("invalid query formed", json!({"column_name": text, "reason": "join depth exceeded"}))
        }
    })?;
    let is_supported = |column: &Column| !column.kind().is_rows() && !matches!(column.kind(), FieldType::Raw);
    match path.column(visit.state) {
        Some(column) if is_supported(column) => Ok(path),
        _ => Err(invalid_query("data type not supported", json!({"column_name": text}))),
    }
}

fn condition(visit: &Visit<'_>, module: usize, written: &Condition) -> Answer<Filter> {
    match written {
        Condition::And(a, b) => Ok(Filter::And(vec![condition(visit, module, a)?, condition(visit, module, b)?])),
        Condition::Or(a, b) => Ok(Filter::Or(vec![condition(visit, module, a)?, condition(visit, module, b)?])),
        Condition::Test { path: name, op, negated, values } => {
            if values.len() > LISTED {
                return Err(exceeded("in", LISTED as u64));
            }
            let path = path(visit, module, name)?;
            let wrong =
                || invalid_query("value given seems to be invalid for the column", json!({"column_name": name}));
            let column = require(path.column(visit.state), wrong)?;
            let values = values.iter().map(|text| require(filter::literal(column, text), wrong));
            let values = values.collect::<Answer<Vec<_>>>()?;
            Ok(Filter::Test(Test { path, op: *op, negated: *negated, values }))
        }
    }
}
