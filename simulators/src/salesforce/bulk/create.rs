//! Makes a job, or says why not: whatever is wrong with a query is said at once.

use std::sync::Arc;

use serde_json::Value;

use super::csv::{DELIMITERS, LINE_ENDINGS, Style};
use super::found::{Column, Found};
use super::job::{Job, Order, Stage, look_up};
use crate::salesforce::options::ResultOf;
use crate::salesforce::query::{JobTrouble, Tweaks};
use crate::salesforce::reply;
use crate::salesforce::soql::ast::Item;
use crate::salesforce::soql::bind;
use crate::salesforce::soql::matching::Route;
use crate::salesforce::soql::plan::{Answer, Output, Plan};
use crate::salesforce::soql::{Complaint, parse};
use crate::salesforce::state::State;
use crate::wire::{Reply, Request};

/// Objects that never answer bulk queries; a star stands for any end.
const REFUSED: &str = "AcceptedEventRelation DeclinedEventRelation UndecidedEventRelation EventWhoRelation \
    TaskWhoRelation Attachment CaseStatus ContractStatus OrderStatus SolutionStatus TaskStatus TaskPriority PartnerRole \
    RecentlyViewed FieldSecurityClassification KnowledgeArticle* WorkOrderStatus WorkOrderLineItemStatus \
    ServiceAppointmentStatus ShiftStatus CaseTeam* AccountFeed AssetFeed UserRecordAccess Name AggregateResult";

/// Columns come in the order of the select list from this version on, before by name.
const FIRST_IN_ORDER: u32 = 50;

/// Makes the job that `request` asks for.
pub(super) fn create(state: &mut State, request: &Request, version: u32, tweaks: &Tweaks) -> Result<Job, Reply> {
    let content_type = request.header("content-type").unwrap_or_default();
    if !content_type.starts_with("application/json") {
        let message = format!("Content type {content_type} not supported");
        return Err(reply::error(415, "UNSUPPORTED_MEDIA_TYPE", &message));
    }
    let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(&request.body) else {
        return Err(reply::error(400, "JSON_PARSER_ERROR", "The body is no JSON object"));
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let operation = chosen(&[("query", ()), ("queryAll", ())], "operation", text("operation"), None)?.0;
    chosen(&[("CSV", ())], "contentType", text("contentType"), Some("CSV"))?;
    let delimiter = chosen(&DELIMITERS, "columnDelimiter", text("columnDelimiter"), Some("COMMA"))?;
    let line_ending = chosen(&LINE_ENDINGS, "lineEnding", text("lineEnding"), Some("LF"))?;
    let soql = text("query").ok_or_else(|| reply::error(400, "API_ERROR", "query is missing"))?;
    allowance(state)?;
    let (plan, mut columns) = planned(state, soql, operation == "queryAll")
        .map_err(|complaint| reply::error(400, complaint.code, &complaint.message))?;
    if version < FIRST_IN_ORDER {
        columns.sort_by(|a, b| a.header.cmp(&b.header));
    }
    state.quota.bulk_jobs.count(state.now, 1);
    state.jobs.last += 1;
    let order = Order {
        operation,
        object: state.store.tables[plan.table].name,
        version,
        delimiter: delimiter.0,
        line_ending: line_ending.0,
        columns,
        style: Style {
            delimiter: delimiter.1,
            line_ending: line_ending.1,
            exponents: state.options.exponents,
            datetime_offset: state.options.bulk.datetime_offset,
        },
    };
    let (first, later) = halves(state, plan);
    let parts = first.iter().map(|plan| look_up(state, plan)).collect();
    Ok(Job {
        number: state.jobs.last,
        order: Arc::new(order),
        stage: Stage::UploadComplete,
        created: state.now,
        changed: state.now,
        ended: None,
        polls: 0,
        sticks: tweaks.job == Some(JobTrouble::Sticks),
        doom: match &tweaks.job {
            Some(JobTrouble::Fails(message)) => Some(message.clone()),
            _ => None,
        },
        message: String::new(),
        found: Arc::new(Found { parts }),
        later,
        timeout_above: tweaks.timeout_above,
    })
}

/// The choice of that name, or the default where nothing is said.
fn chosen<T: Copy>(
    choices: &[(&'static str, T)],
    member: &str,
    said: Option<&str>,
    default: Option<&str>,
) -> Result<(&'static str, T), Reply> {
    let wanted = said.or(default).unwrap_or_default();
    choices.iter().find(|(name, _)| *name == wanted).copied().ok_or_else(|| {
        let message = format!("'{wanted}' is not a valid value for {member}");
        reply::error(400, "API_ERROR", &message)
    })
}

fn allowance(state: &mut State) -> Result<(), Reply> {
    let now = state.now;
    let (jobs, kilobytes) = (&mut state.quota.bulk_jobs, &mut state.quota.bulk_kilobytes);
    let message = if jobs.left(now) == 0 {
        format!("Max bulk v2 query jobs ({}) per 24 hrs has been reached", jobs.max)
    } else if kilobytes.left(now) == 0 {
        format!("Max bulk v2 query result size stored ({}) kb per 24 hrs has been exceeded", kilobytes.max)
    } else {
        return Ok(());
    };
    Err(reply::error(400, "LIMIT_EXCEEDED", &message))
}

/// Reads the query and refuses what bulk queries cannot do.
fn planned(state: &State, soql: &str, all: bool) -> Result<(Plan, Vec<Column>), Complaint> {
    let query = parse::parse(soql)?;
    let object = query.from.text.to_lowercase();
    let is_refused = |name: &str| match name.strip_suffix('*') {
        Some(start) => object.starts_with(&start.to_lowercase()),
        None => object == name.to_lowercase(),
    };
    if REFUSED.split_whitespace().any(is_refused) || state.jobs.refused.contains(&object) {
        let name = state.store.find(&object).map_or(query.from.text.as_str(), |table| state.store.tables[table].name);
        return Err(Complaint::plain("INVALIDENTITY", format!("Entity '{name}' is not supported by the Bulk API.")));
    }
    for item in &query.items {
        match item {
            Item::Children(_) => {
                return Err(cannot("Aggregate Relationships not supported in Bulk V2 Query with CSV content type"));
            }
            Item::Fields(_) => return Err(cannot("FIELDS function not supported in Bulk Query")),
            Item::CountAll | Item::Aggregate { .. } => {
                return Err(cannot("Aggregate functions not supported in Bulk Query"));
            }
            Item::Field(_) | Item::Typeof { .. } => {}
        }
    }
    if query.offset.is_some() {
        return Err(cannot("OFFSET not supported in Bulk Query"));
    }
    let plan = bind::bind(&state.store, soql, all, &state.moment())?;
    let mut columns = Vec::new();
    if let Answer::Records(outputs) = &plan.answer {
        flatten(outputs, "", &[], &mut columns)?;
    }
    Ok((plan, columns))
}

fn cannot(what: &str) -> Complaint {
    Complaint::plain("FUNCTIONALITY_NOT_ENABLED", what)
}

/// The columns of a select list: fields of parents get names with dots.
fn flatten(outputs: &[Output], prefix: &str, hops: &[usize], columns: &mut Vec<Column>) -> Result<(), Complaint> {
    for output in outputs {
        match output {
            Output::Field { key, slot } => {
                let route = Route { hops: hops.to_vec(), slot: *slot };
                columns.push(Column { header: format!("{prefix}{key}"), route });
            }
            Output::Parent { key, lookup, members } => {
                let hops: Vec<usize> = hops.iter().copied().chain([*lookup]).collect();
                flatten(members, &format!("{prefix}{key}."), &hops, columns)?;
            }
            Output::Which { .. } | Output::ObjectName { .. } => {
                return Err(cannot("Fields of polymorphic parents and TYPEOF not supported in Bulk Query"));
            }
            Output::Compound { .. } | Output::Children { .. } => {
                return Err(cannot("Selecting compound data not supported in Bulk Query"));
            }
        }
    }
    Ok(())
}

/// What is looked up now, and what when the job is done. Ordered and limited queries are not cut in chunks.
fn halves(state: &State, plan: Plan) -> (Option<Plan>, Option<Plan>) {
    let is_whole = !plan.order.is_empty() || plan.limit < u64::MAX;
    match state.options.bulk.result_of {
        ResultOf::Completion => (None, Some(plan)),
        ResultOf::Both if !is_whole => {
            let middle = state.store.tables[plan.table].last_serial() / 2;
            let lower = Plan { high: plan.high.min(middle), ..plan.clone() };
            let upper = Plan { low: plan.low.max(middle + 1), ..plan };
            (Some(lower), Some(upper))
        }
        ResultOf::Creation | ResultOf::Both => (Some(plan), None),
    }
}
