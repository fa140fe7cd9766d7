//! `query` and `queryAll`: runs a query and writes its pages.

use std::sync::Arc;

use crate::chance::mix;
use crate::salesforce::cursor::{Cursor, Families, Family};
use crate::salesforce::id;
use crate::salesforce::reply;
use crate::salesforce::soql::bind;
use crate::salesforce::soql::plan::{Answer, Figure, Output, Plan};
use crate::salesforce::soql::{Complaint, matching, select};
use crate::salesforce::state::State;
use crate::salesforce::store::Store;
use crate::salesforce::table::{Moment, View};
use crate::salesforce::value::Value;
use crate::wire::Reply;
use crate::wire::json;

/// How a page or a job differs from what it should be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tweaks {
    /// Names itself as the next page.
    pub(crate) repeat: bool,
    pub(crate) at_most: Option<usize>,
    pub(crate) lose: usize,
    /// More rows than that take too long.
    pub(crate) timeout_above: Option<u64>,
    /// The locator is refused.
    pub(crate) stale: bool,
    /// For pages of bulk results: no locator is given.
    pub(crate) no_locator: bool,
    /// For bulk jobs: so many records more are announced than there are.
    pub(crate) phantoms: u64,
    /// For bulk jobs.
    pub(crate) job: Option<JobTrouble>,
}

/// What goes wrong with a bulk job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JobTrouble {
    /// It fails, and says so; an empty text is not sent.
    Fails(String),
    /// It never gets on.
    Sticks,
}

/// How many queries a query may hold, and the first version in which they hold queries themselves.
const MOST_SUBQUERIES: usize = 20;
const FIRST_DEEP: u32 = 58;
/// How many records a page holds when two long texts are selected.
const LONG_TEXT_PAGE: usize = 200;

/// Answers a query with its first page. `hint` is the batch size that the client would like.
pub(crate) fn first_page(
    state: &mut State,
    soql: &str,
    all: bool,
    version: &str,
    hint: Option<usize>,
    tweaks: Tweaks,
) -> Reply {
    match run(state, soql, all, version, hint, tweaks) {
        Ok(reply) => reply,
        Err(complaint) => reply::error(400, complaint.code, &complaint.message),
    }
}

fn run(
    state: &mut State,
    soql: &str,
    all: bool,
    version: &str,
    hint: Option<usize>,
    tweaks: Tweaks,
) -> Result<Reply, Complaint> {
    let chance = state.next_chance();
    let moment = state.moment();
    let plan = bind::bind(&state.store, soql, all, &moment)?;
    check_nesting(&plan, version)?;
    let too_long = |rows: u64| match tweaks.timeout_above {
        Some(most) if rows > most => {
            Err(Complaint::plain("QUERY_TIMEOUT", "Your query request was running for too long."))
        }
        _ => Ok(()),
    };
    if let Answer::Total = plan.answer {
        let total = select::count(&state.store, &plan, &moment);
        too_long(total)?;
        return Ok(Reply::json(200, format!("{{\"totalSize\":{total},\"done\":true,\"records\":[]}}")));
    }
    let rows = select::select(&state.store, &plan, &moment, chance);
    too_long(rows.len())?;
    if let Answer::Figures(figures) = &plan.answer {
        let mut record = String::from("{\"attributes\":{\"type\":\"AggregateResult\"}");
        for (key, figure, route) in figures {
            record.push(',');
            json::key(key, &mut record);
            let value = aggregate(&state.store, &plan, &moment, &rows, *figure, route.as_ref());
            value.print(state.options.exponents, &mut record);
        }
        let body = format!("{{\"totalSize\":1,\"done\":true,\"records\":[{record}}}]}}");
        return Ok(Reply { rows: 1, ..Reply::json(200, body) });
    }
    let mut page_size = hint.unwrap_or(2_000).clamp(200, 2_000).min(state.options.page_size.max(1));
    if plan.long_text_count >= 2 {
        page_size = page_size.min(LONG_TEXT_PAGE);
    }
    let families = families(&state.store, &plan, &moment);
    let cursor = Cursor { plan, moment, rows, families, page_size, chance, version: version.to_owned() };
    Ok(page(state, &Arc::new(cursor), 0, None, tweaks))
}

/// Answers with the page that `locator` names.
pub(crate) fn next_page(state: &mut State, locator: &str, tweaks: Tweaks) -> Reply {
    match state.cursors.find(locator, state.now).filter(|_| !tweaks.stale) {
        Some((cursor, place)) => {
            let name = locator.split('-').next().unwrap_or_default().to_owned();
            page(state, &cursor, place, Some(name), tweaks)
        }
        None => reply::error(400, "INVALID_QUERY_LOCATOR", "invalid query locator"),
    }
}

fn aggregate(
    store: &Store,
    plan: &Plan,
    moment: &Moment,
    rows: &crate::salesforce::soql::rows::Rows,
    figure: Figure,
    route: Option<&matching::Route>,
) -> Value {
    let Some(route) = route else { return Value::Int(rows.len() as i64) };
    let table = &store.tables[plan.table];
    let mut values: Vec<Value> = (0..rows.len())
        .filter_map(|place| table.view(rows.get(place)?, moment))
        .map(|view| matching::follow(store, plan.table, &view, route, moment))
        .filter(|value| !value.is_null())
        .collect();
    match figure {
        Figure::Count => Value::Int(values.len() as i64),
        Figure::CountDistinct => {
            values.sort_by(Value::order);
            values.dedup_by(|a, b| a.order(b).is_eq());
            Value::Int(values.len() as i64)
        }
        Figure::Min => values.into_iter().min_by(Value::order).unwrap_or(Value::Null),
        Figure::Max => values.into_iter().max_by(Value::order).unwrap_or(Value::Null),
    }
}

/// Reads every subquery once and sorts its rows by the rows that they belong to.
fn families(store: &Store, plan: &Plan, moment: &Moment) -> Families {
    let Answer::Records(outputs) = &plan.answer else { return Families::default() };
    let mut found = Vec::new();
    for output in outputs {
        let Output::Children { lookup, plan: child, .. } = output else { continue };
        let whole = Plan { limit: u64::MAX, offset: 0, ..child.as_ref().clone() };
        let rows = select::select(store, &whole, moment, 0);
        let table = &store.tables[child.table];
        let prefix = store.tables[plan.table].prefix;
        let mut family = Family { inner: families(store, child, moment), ..Family::default() };
        for serial in (0..rows.len()).filter_map(|place| rows.get(place)) {
            let Some(view) = table.view(serial, moment) else { continue };
            let parent = store.value(child.table, &view, *lookup, moment);
            let Some(parent) = parent.as_text().and_then(|text| id::serial(prefix, text)) else { continue };
            let siblings = family.rows.entry(parent).or_default();
            if (siblings.len() as u64) < child.limit {
                siblings.push(serial);
            }
        }
        found.push(family);
    }
    Arc::new(found)
}

/// Refuses queries with too many queries inside.
fn check_nesting(plan: &Plan, version: &str) -> Result<(), Complaint> {
    let number: u32 = version.trim_start_matches('v').split('.').next().and_then(|text| text.parse().ok()).unwrap_or(0);
    let deepest = if number < FIRST_DEEP { 2 } else { 5 };
    let (depth, count) = plan.nesting();
    if depth > deepest {
        let message = format!(
            "SOQL statements cannot query aggregate relationships more than {} level away from the root entity object.",
            deepest - 1
        );
        return Err(Complaint::plain("MALFORMED_QUERY", message));
    }
    if count > MOST_SUBQUERIES {
        let message = format!("A query can have at most {MOST_SUBQUERIES} relationship subqueries");
        return Err(Complaint::plain("MALFORMED_QUERY", message));
    }
    Ok(())
}

fn page(state: &mut State, cursor: &Arc<Cursor>, place: u64, name: Option<String>, tweaks: Tweaks) -> Reply {
    let total = cursor.rows.len();
    let mut size = cursor.page_size;
    if state.options.ragged_pages {
        size = 1 + (mix(cursor.chance, place, 5) % size as u64) as usize;
    }
    if let Some(most) = tweaks.at_most {
        size = size.min(most.max(1));
    }
    let end = total.min(place + size as u64);
    let mut body = String::with_capacity(256 + (end - place) as usize * 700);
    let next = if tweaks.repeat && total > 0 { Some(place) } else { (end < total).then_some(end) };
    body.push_str(&format!("{{\"totalSize\":{total},\"done\":{}", next.is_none()));
    if let Some(next) = next {
        let name = name.unwrap_or_else(|| state.cursors.keep(Arc::clone(cursor), state.now));
        body.push_str(&format!(",\"nextRecordsUrl\":\"/services/data/{}/query/{name}-{next}\"", cursor.version));
    }
    body.push_str(",\"records\":[");
    let kept = end.saturating_sub(tweaks.lose as u64).max(place);
    let mut nested = Vec::new();
    for at in place..kept {
        if at > place {
            body.push(',');
        }
        let Some(serial) = cursor.rows.get(at) else { continue };
        let writer = Writer { store: &state.store, cursor, exponents: state.options.exponents };
        writer.record(
            cursor.plan.table,
            serial,
            &cursor.plan.answer,
            &cursor.families,
            Some((&mut nested, state.cursors.next_name())),
            &mut body,
        );
    }
    for child in nested {
        state.cursors.keep(child, state.now);
    }
    body.push_str("]}");
    Reply { rows: kept - place, ..Reply::json(200, body) }
}

struct Writer<'a> {
    store: &'a Store,
    cursor: &'a Cursor,
    exponents: bool,
}

/// Cursors of long subqueries, in the order in which they are to be kept, and the number of the first.
type Nested<'a> = (&'a mut Vec<Arc<Cursor>>, u64);

impl Writer<'_> {
    fn record(
        &self,
        table: usize,
        serial: u64,
        answer: &Answer,
        families: &[Family],
        nested: Option<Nested<'_>>,
        out: &mut String,
    ) {
        let Answer::Records(outputs) = answer else { return };
        match self.store.tables[table].view(serial, &self.cursor.moment) {
            Some(view) => self.members(table, &view, outputs, families, nested, out),
            None => out.push_str("null"),
        }
    }

    fn members(
        &self,
        table: usize,
        view: &View<'_>,
        outputs: &[Output],
        families: &[Family],
        mut nested: Option<Nested<'_>>,
        out: &mut String,
    ) {
        let object = &self.store.tables[table];
        out.push_str("{\"attributes\":{\"type\":\"");
        out.push_str(object.name);
        out.push_str("\",\"url\":\"/services/data/");
        out.push_str(&self.cursor.version);
        out.push_str("/sobjects/");
        out.push_str(object.name);
        out.push('/');
        id::push(object.prefix, view.serial, out);
        out.push_str("\"}");
        let mut families = families.iter();
        for output in outputs {
            out.push(',');
            match output {
                Output::Field { key, slot } => {
                    json::key(key, out);
                    self.store.value(table, view, *slot, &self.cursor.moment).print(self.exponents, out);
                }
                Output::Compound { key, parts } => {
                    json::key(key, out);
                    self.compound(table, view, parts, out);
                }
                Output::Parent { key, lookup, members } => {
                    json::key(key, out);
                    match self.store.parent(table, view, *lookup, &self.cursor.moment) {
                        Some((other, parent)) => self.members(other, &parent, members, &[], None, out),
                        None => out.push_str("null"),
                    }
                }
                Output::Which { key, lookup, arms } => {
                    json::key(key, out);
                    let parent = self.store.parent(table, view, *lookup, &self.cursor.moment);
                    let shown = parent.and_then(|(other, parent)| {
                        Some((other, parent, &arms.iter().find(|(target, _)| *target == other)?.1))
                    });
                    match shown {
                        Some((other, parent, members)) => self.members(other, &parent, members, &[], None, out),
                        None => out.push_str("null"),
                    }
                }
                Output::ObjectName { key } => {
                    json::key(key, out);
                    json::string(object.name, out);
                }
                Output::Children { key, plan, .. } => {
                    json::key(key, out);
                    let again = nested.as_mut().map(|(list, first)| (&mut **list, *first));
                    match families.next() {
                        Some(family) => self.children(plan, family, view.serial, again, out),
                        None => out.push_str("null"),
                    }
                }
            }
        }
        out.push('}');
    }

    fn compound(&self, table: usize, view: &View<'_>, parts: &[(String, usize)], out: &mut String) {
        let values: Vec<Value> =
            parts.iter().map(|&(_, slot)| self.store.value(table, view, slot, &self.cursor.moment)).collect();
        if values.iter().all(Value::is_null) {
            out.push_str("null");
            return;
        }
        out.push('{');
        for (at, ((key, _), value)) in parts.iter().zip(&values).enumerate() {
            if at > 0 {
                out.push(',');
            }
            json::key(key, out);
            value.print(self.exponents, out);
        }
        out.push('}');
    }

    fn children(&self, plan: &Plan, family: &Family, parent: u64, mut nested: Option<Nested<'_>>, out: &mut String) {
        let rows = family.rows.get(&parent).map_or(&[][..], Vec::as_slice);
        if rows.is_empty() {
            out.push_str("null");
            return;
        }
        let size = self.cursor.page_size.min(rows.len());
        out.push_str(&format!("{{\"totalSize\":{},\"done\":{}", rows.len(), size == rows.len()));
        if let Some((list, first)) = nested.as_mut().filter(|_| size < rows.len()) {
            let name = id::opaque("0r8", *first + list.len() as u64);
            out.push_str(&format!(
                ",\"nextRecordsUrl\":\"/services/data/{}/query/{name}-{size}\"",
                self.cursor.version
            ));
            list.push(Arc::new(Cursor {
                plan: plan.clone(),
                moment: self.cursor.moment,
                rows: crate::salesforce::soql::rows::Rows::listed(rows.to_vec()),
                families: Arc::clone(&family.inner),
                page_size: self.cursor.page_size,
                chance: self.cursor.chance,
                version: self.cursor.version.clone(),
            }));
        }
        out.push_str(",\"records\":[");
        for (at, &serial) in rows[..size].iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            let again = nested.as_mut().map(|(list, first)| (&mut **list, *first));
            self.record(plan.table, serial, &plan.answer, &family.inner, again, out);
        }
        out.push_str("]}");
    }
}
