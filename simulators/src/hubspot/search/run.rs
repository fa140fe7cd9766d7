//! Runs a search.

use serde_json::{Value as Json, json};

use crate::hubspot::output::Shape;
use crate::hubspot::params;
use crate::hubspot::property::{Origin, PropertyType};
use crate::hubspot::records::{Standing, View};
use crate::hubspot::refusal::{Answer, invalid};
use crate::hubspot::search::matching::{Key, key_of, matches};
use crate::hubspot::search::parse::{CAP, Filter, Operator, Search, Target, parse};
use crate::hubspot::state::State;
use crate::hubspot::value;
use crate::hubspot::visit::Visit;
use crate::wire::Request;

/// `POST /crm/objects/{v}/{type}/search`.
pub(crate) fn search(visit: &mut Visit<'_>, name: &str, request: &Request) -> Answer<Json> {
    let place = visit.readable(name)?;
    let most = visit.state.options.hypotheses.search_body_limit;
    if let Some(most) = most.filter(|&most| request.body.len() > most) {
        return Err(invalid(format!("The request body can have at most {most} characters")));
    }
    let body = params::body(request)?;
    let as_of = visit.state.index_moment();
    let state = &*visit.state;
    let search = parse(state, &visit.caller, place, &body)?;
    let limit = visit.page(search.limit);
    let found = run(state, place, &search, as_of);
    let end = (search.after + limit).min(found.len()).min(CAP);
    let shape = Shape::new(state, &visit.caller, place, &search.properties);
    let shown = found.get(search.after..end).unwrap_or_default();
    let views = shown.iter().filter_map(|id| indexed(state, place, *id, as_of));
    let mut results: Vec<Json> = views.map(|view| shape.record(state, &view)).collect();
    visit.lose(&mut results);
    visit.rows += results.len() as u64;
    let total = found.len() as u64 + visit.tricks.phantoms;
    let mut answer = json!({"total": total, "results": results});
    let is_capped = end >= CAP && state.options.hypotheses.cap_is_quiet;
    if end < found.len() && !is_capped && !visit.tricks.no_next {
        answer["paging"] = json!({"next": {"after": end.to_string()}});
    }
    Ok(answer)
}

/// The record as the index has it.
fn indexed(state: &State, place: usize, id: u64, as_of: i64) -> Option<View<'_>> {
    let records = &state.objects[place].records;
    let view = records.indexed(id, as_of, state.now)?;
    let is_there =
        || records.view(id, crate::hubspot::records::Moment::Now).is_some_and(|now| now.standing() == Standing::Live);
    (state.options.hypotheses.index_keeps_removed || is_there()).then_some(view)
}

/// The ids of all that is found, in order.
fn run(state: &State, place: usize, search: &Search, as_of: i64) -> Vec<u64> {
    let object = &state.objects[place];
    let low = search.groups.iter().map(|group| lowest(state, place, group)).min().unwrap_or_default();
    let mut found = Vec::new();
    for id in object.records.ids(low, u64::MAX) {
        let Some(view) = indexed(state, place, id, as_of) else { continue };
        let is_any = search.groups.is_empty()
            || search.groups.iter().any(|group| group.iter().all(|filter| matches(state, place, &view, filter)));
        if is_any && has_words(state, place, &view, &search.query) {
            found.push(id);
        }
    }
    sort(state, place, search, as_of, &mut found);
    found
}

/// The least id that can match all of these.
fn lowest(state: &State, place: usize, group: &[Filter]) -> u64 {
    let is_id = |at: usize| matches!(state.objects[place].properties[at].origin, Origin::Id);
    let bounds = group.iter().filter_map(|filter| match (filter.target, filter.operator, filter.keys.first()) {
        (
            Target::Property(at),
            Operator::Gt | Operator::Gte | Operator::Eq | Operator::Between,
            Some(Key::Whole(id)),
        ) if is_id(at) => u64::try_from(*id).ok(),
        _ => None,
    });
    bounds.max().unwrap_or_default()
}

fn has_words(state: &State, place: usize, view: &View<'_>, query: &str) -> bool {
    if query.is_empty() {
        return true;
    }
    let texts = state.objects[place]
        .properties
        .iter()
        .filter(|property| property.spec.property_type == PropertyType::String && property.archived_at.is_none());
    let mut held = texts.filter_map(|property| value::raw(state, place, view, property));
    held.any(|text| text.to_lowercase().contains(query))
}

fn sort(state: &State, place: usize, search: &Search, as_of: i64, found: &mut Vec<u64>) {
    let object = &state.objects[place];
    let (falls, keyed): (bool, Vec<(Option<Key>, u64)>) = match search.sort {
        Some((at, falls)) => {
            let property = &object.properties[at];
            if matches!(property.origin, Origin::Id) {
                if falls {
                    found.reverse();
                }
                return;
            }
            let key = |id: u64| indexed(state, place, id, as_of).and_then(|view| key_of(state, place, &view, property));
            (falls, found.iter().map(|&id| (key(id), id)).collect())
        }
        None => {
            let key = |id: u64| indexed(state, place, id, as_of).map(|view| Key::Whole(view.created()));
            (false, found.iter().map(|&id| (key(id), id)).collect())
        }
    };
    let mut keyed = keyed;
    // Those without a value come last, whichever way it goes.
    keyed.sort_by(|(left, first), (right, second)| {
        let by_key = if falls { right.cmp(left) } else { left.cmp(right) };
        right.is_some().cmp(&left.is_some()).then(by_key).then(first.cmp(second))
    });
    *found = keyed.into_iter().map(|(_, id)| id).collect();
}
