//! A search as it is sent, read against the properties of its type.

use serde_json::{Map, Value as Json};

use crate::hubspot::auth::Caller;
use crate::hubspot::object::Object;
use crate::hubspot::params::{self, checked};
use crate::hubspot::property::{Origin, Property, PropertyType};
use crate::hubspot::refusal::{Answer, invalid, unknown_property};
use crate::hubspot::search::matching::{Key, key};
use crate::hubspot::state::State;
use crate::hubspot::time;
use crate::hubspot::visit::sees;

const MOST_GROUPS: usize = 5;
const MOST_IN_GROUP: usize = 6;
const MOST_FILTERS: usize = 18;
const LONGEST_QUERY: usize = 3_000;
/// No search shows a result after this one.
pub(crate) const CAP: usize = 10_000;
const LARGEST_PAGE: usize = 200;

/// How a filter compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
    Between,
    In,
    NotIn,
    Has,
    HasNot,
    Contains,
    ContainsNot,
}

impl Operator {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "EQ" => Operator::Eq,
            "NEQ" => Operator::Neq,
            "LT" => Operator::Lt,
            "LTE" => Operator::Lte,
            "GT" => Operator::Gt,
            "GTE" => Operator::Gte,
            "BETWEEN" => Operator::Between,
            "IN" => Operator::In,
            "NOT_IN" => Operator::NotIn,
            "HAS_PROPERTY" => Operator::Has,
            "NOT_HAS_PROPERTY" => Operator::HasNot,
            "CONTAINS_TOKEN" => Operator::Contains,
            "NOT_CONTAINS_TOKEN" => Operator::ContainsNot,
            _ => return None,
        })
    }
}

/// What a filter looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The property at that place.
    Property(usize),
    /// The records of that type which are associated.
    Linked(usize),
}

/// A filter.
#[derive(Debug)]
pub(crate) struct Filter {
    pub(crate) target: Target,
    pub(crate) operator: Operator,
    /// What it compares with; for ranges both ends.
    pub(crate) keys: Vec<Key>,
}

/// A search.
#[derive(Debug)]
pub(crate) struct Search {
    /// Any of these, each of which means all of its own; empty for everything.
    pub(crate) groups: Vec<Vec<Filter>>,
    /// Words that must be somewhere.
    pub(crate) query: String,
    /// The place of the property that sorts, and whether it falls.
    pub(crate) sort: Option<(usize, bool)>,
    pub(crate) properties: Vec<String>,
    pub(crate) limit: usize,
    pub(crate) after: usize,
}

/// Reads a search.
pub(crate) fn parse(state: &State, caller: &Caller, place: usize, body: &Map<String, Json>) -> Answer<Search> {
    let mut given: Vec<&Vec<Json>> = Vec::new();
    for group in body.get("filterGroups").and_then(Json::as_array).into_iter().flatten() {
        given.extend(group.get("filters").and_then(Json::as_array));
    }
    given.extend(body.get("filters").and_then(Json::as_array).filter(|filters| !filters.is_empty()));
    if given.len() > MOST_GROUPS {
        return Err(invalid(format!(
            "There can be at most {MOST_GROUPS} filterGroups, but there were {}",
            given.len()
        )));
    }
    if given.iter().any(|filters| filters.len() > MOST_IN_GROUP) {
        return Err(invalid(format!("There can be at most {MOST_IN_GROUP} filters in a filterGroup")));
    }
    if given.iter().map(|filters| filters.len()).sum::<usize>() > MOST_FILTERS {
        return Err(invalid(format!("There can be at most {MOST_FILTERS} filters in total")));
    }
    let mut groups = Vec::new();
    for filters in given {
        let group: Answer<Vec<Filter>> =
            filters.iter().map(|filter| read_filter(state, caller, place, filter)).collect();
        groups.push(group?);
    }
    let query = body.get("query").and_then(Json::as_str).unwrap_or_default().to_lowercase();
    if query.len() > LONGEST_QUERY {
        return Err(invalid(format!("query can have at most {LONGEST_QUERY} characters")));
    }
    let limit = match body.get("limit") {
        None | Some(Json::Null) => 10,
        Some(limit) => {
            let number = params::text(limit).and_then(|text| text.parse().ok());
            checked(number.ok_or_else(|| invalid("Invalid integer for limit"))?, LARGEST_PAGE)?
        }
    };
    let after = match body.get("after").and_then(params::text).filter(|text| !text.is_empty()) {
        None => 0,
        Some(text) => text.parse().map_err(|_| invalid(format!("Invalid after: {text} is not an offset")))?,
    };
    if after + limit > CAP && !state.options.hypotheses.cap_is_quiet {
        return Err(invalid(
            "The paging offset plus the limit exceeds the total of 10000 results that a search can give",
        ));
    }
    Ok(Search {
        groups,
        query,
        sort: read_sort(&state.objects[place], caller, body)?,
        properties: params::texts(body, "properties"),
        limit,
        after,
    })
}

fn find<'a>(object: &'a Object, caller: &Caller, name: &str) -> Answer<(usize, &'a Property)> {
    let mut known = object.properties.iter().enumerate();
    let is_it = |property: &Property| {
        property.spec.name == name && property.archived_at.is_none() && sees(caller, object, property)
    };
    known.find(|(_, property)| is_it(property)).ok_or_else(|| unknown_property(name))
}

fn read_filter(state: &State, caller: &Caller, place: usize, filter: &Json) -> Answer<Filter> {
    let object = &state.objects[place];
    let text = |name: &str| filter.get(name).and_then(params::text);
    let name = text("propertyName").ok_or_else(|| invalid("A filter has no propertyName"))?;
    let sign = text("operator").unwrap_or_default();
    let operator = Operator::parse(&sign).ok_or_else(|| invalid(format!("{sign} is not a valid operator")))?;
    let (target, property) = match name.strip_prefix("associations.") {
        Some(to) => {
            let to = state
                .find(to)
                .filter(|&to| state.objects[to].kind.full_name.is_none() && object.kind.full_name.is_none());
            (Target::Linked(to.ok_or_else(|| unknown_property(&name))?), None)
        }
        None => {
            let (at, property) = find(object, caller, &name)?;
            (Target::Property(at), Some(property))
        }
    };
    let missing = |what: &str| invalid(format!("The filter on {name} needs {what}"));
    let texts: Vec<String> = match operator {
        Operator::Has | Operator::HasNot => Vec::new(),
        Operator::In | Operator::NotIn => {
            let values: Vec<String> =
                filter.get("values").and_then(Json::as_array).into_iter().flatten().filter_map(params::text).collect();
            if values.is_empty() {
                return Err(missing("values"));
            }
            values
        }
        Operator::Between => {
            vec![
                text("value").ok_or_else(|| missing("a value"))?,
                text("highValue").ok_or_else(|| missing("a highValue"))?,
            ]
        }
        _ => vec![text("value").ok_or_else(|| missing("a value"))?],
    };
    let is_token = matches!(operator, Operator::Contains | Operator::ContainsNot);
    // Values of lists are compared with texts in lower case, as they are.
    let is_list = matches!(operator, Operator::In | Operator::NotIn);
    let read = |text: String| match property {
        Some(property) if !is_token => operand(property, text, is_list),
        _ if is_token => Ok(Key::Text(text.to_lowercase())),
        _ => text.parse().map(Key::Whole).map_err(|_| invalid(format!("{text} is no id"))),
    };
    let keys: Answer<Vec<Key>> = texts.into_iter().map(read).collect();
    Ok(Filter { target, operator, keys: keys? })
}

fn operand(property: &Property, text: String, is_list: bool) -> Answer<Key> {
    let wrong = || invalid(format!("{text} is not a valid value for {}", property.spec.name));
    match property.spec.property_type {
        PropertyType::Date | PropertyType::DateTime => time::parse(&text).map(Key::Whole).ok_or_else(wrong),
        PropertyType::Number if matches!(property.origin, Origin::Id) => {
            text.parse().map(Key::Whole).map_err(|_| wrong())
        }
        PropertyType::String | PropertyType::PhoneNumber | PropertyType::Json if is_list => Ok(Key::Text(text)),
        _ => Ok(key(property, &text)),
    }
}

fn read_sort(object: &Object, caller: &Caller, body: &Map<String, Json>) -> Answer<Option<(usize, bool)>> {
    let Some(first) = body.get("sorts").and_then(Json::as_array).and_then(|sorts| sorts.first()) else {
        return Ok(None);
    };
    let (name, falls) = match first {
        Json::String(name) => match name.strip_prefix('-') {
            Some(name) => (name.to_owned(), true),
            None => (name.clone(), false),
        },
        other => {
            let name = other
                .get("propertyName")
                .and_then(params::text)
                .ok_or_else(|| invalid("A sort has no propertyName"))?;
            (name, other.get("direction").and_then(Json::as_str) == Some("DESCENDING"))
        }
    };
    find(object, caller, &name).map(|(at, _)| Some((at, falls)))
}
