//! One record with all that it has, its whole texts, and what belongs to it.

use serde_json::json;

use crate::wire::Reply;
use crate::zoho::field::FieldType;
use crate::zoho::list::{append, columns};
use crate::zoho::look;
use crate::zoho::options::UnknownId;
use crate::zoho::records::When;
use crate::zoho::refusal::{Answer, Refusal, invalid_id, limit, missing, require};
use crate::zoho::render::Form;
use crate::zoho::visit::Visit;

/// The answer, or the refusal, where a record is asked for that is not there.
pub(crate) fn nothing(visit: &Visit<'_>) -> Answer<Reply> {
    match visit.state.options.hypotheses.unknown_id {
        UnknownId::NoContent => Ok(Reply::empty(204)),
        UnknownId::NotFound => Err(invalid_id(404)),
        UnknownId::BadRequest => Err(invalid_id(400)),
    }
}

/// The number of the record with that id, if it is there for the caller.
pub(crate) fn find(visit: &Visit<'_>, module: usize, id: &str) -> Option<u64> {
    let target = &visit.state.modules[module];
    let number = visit.state.number_in(module, id)?;
    let view = target.records.view(number, When::Now)?;
    visit.sees_record(target, &view).then_some(number)
}

/// `GET /{module}/{id}`.
pub(crate) fn record(visit: &mut Visit<'_>, name: &str, id: &str) -> Answer<Reply> {
    let module = visit.readable(name)?;
    let Some(number) = find(visit, module, id) else { return nothing(visit) };
    let places = match visit.parameter("fields") {
        Some(_) => columns(visit, module, None)?,
        None => all(visit, module),
    };
    Ok(whole(visit, module, &[number], &places))
}

fn all(visit: &Visit<'_>, module: usize) -> Vec<usize> {
    let shown = visit.state.modules[module].columns.iter().enumerate().filter(|(_, column)| visit.sees(column));
    shown.map(|(place, _)| place).collect()
}

fn whole(visit: &mut Visit<'_>, module: usize, numbers: &[u64], places: &[usize]) -> Reply {
    let mut body = String::from("{\"data\":[");
    append(visit, module, numbers, places, Form::Single, &mut body);
    body.push_str("]}");
    visit.rows = numbers.len() as u64;
    Reply::json(200, body)
}

/// `GET /{module}/{id}/actions/fetch_full_data` and `GET /{module}/actions/fetch_full_data?ids=`.
pub(crate) fn full_data(visit: &mut Visit<'_>, name: &str, id: Option<&str>) -> Answer<Reply> {
    let module = visit.readable(name)?;
    let ids = match id {
        Some(id) => id.to_owned(),
        None => require(visit.parameter("ids"), || missing("ids"))?,
    };
    let numbers: Vec<u64> = ids.split(',').filter_map(|id| find(visit, module, id.trim())).collect();
    if numbers.is_empty() {
        return nothing(visit);
    }
    let mut places = match visit.parameter("fields") {
        Some(_) => columns(visit, module, None)?,
        None => all(visit, module),
    };
    let target = &visit.state.modules[module];
    places.retain(|&place| target.columns[place].kind() == FieldType::RichText);
    Ok(whole(visit, module, &numbers, &places))
}

/// `GET /{module}/{id}/{list}`: records of another module that look this one up.
pub(crate) fn related(visit: &mut Visit<'_>, name: &str, id: &str, list: &str) -> Answer<Reply> {
    let module = visit.readable(name)?;
    if (name, list) == ("Deals", "Contact_Roles") && find(visit, module, id).is_some() {
        // No deal has any.
        return Ok(Reply::empty(204));
    }
    let known = lists(visit, module).into_iter().find(|(api_name, ..)| api_name == list);
    let unknown = || Refusal::new(400, "INVALID_DATA", "the relation name given seems to be invalid");
    let (_, child, lookup) = require(known, || unknown().with(json!({"resource_path_index": 2})))?;
    let Some(number) = find(visit, module, id) else { return nothing(visit) };
    let places = columns(visit, child, Some(50))?;
    let (page, per_page) = (visit.whole("page", 1, 10_000)?, visit.whole("per_page", 200, 200)?);
    if page * per_page > 2_000 {
        return Err(limit("page", 2_000 / per_page));
    }
    let parent = visit.state.id_of(module, number);
    let mut numbers = look::children(visit.state, child, &lookup, parent, When::Now);
    let other = &visit.state.modules[child];
    numbers.retain(|number| visit.caller.is_admin || !other.hidden.contains(number));
    numbers.reverse();
    let from = ((page - 1) * per_page) as usize;
    let mut shown: Vec<u64> = numbers.iter().copied().skip(from).take(per_page as usize).collect();
    if shown.is_empty() {
        return Ok(Reply::empty(204));
    }
    let more = numbers.len() > from + shown.len();
    shown.truncate(shown.len().saturating_sub(visit.lose));
    let mut body = String::from("{\"data\":[");
    append(visit, child, &shown, &places, Form::List, &mut body);
    let info = json!({"per_page": per_page, "count": shown.len(), "page": page, "more_records": more});
    body.push_str(&format!("],\"info\":{info}}}"));
    visit.rows = shown.len() as u64;
    Ok(Reply::json(200, body))
}

/// The lists of a module: API name, the other module, and its lookup.
pub(crate) fn lists(visit: &Visit<'_>, module: usize) -> Vec<(String, usize, String)> {
    let state = &*visit.state;
    let name = &state.modules[module].api_name;
    let mut lists: Vec<(String, usize, String)> = Vec::new();
    for (place, other) in state.modules.iter().enumerate() {
        if ["subform", "linking"].contains(&other.generated_type.as_str()) {
            continue;
        }
        for column in &other.columns {
            if column.kind() == FieldType::Lookup && column.spec.module.as_ref() == Some(name) {
                let api_name =
                    if other.api_name == "DealHistory" { "Stage_History".to_owned() } else { other.api_name.clone() };
                let is_taken = lists.iter().any(|(known, ..)| *known == api_name);
                let api_name = if is_taken { format!("{api_name}_{}", column.name()) } else { api_name };
                lists.push((api_name, place, column.name().to_owned()));
            }
        }
    }
    lists
}
