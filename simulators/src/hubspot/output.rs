//! Records as the API gives them.

use serde_json::{Map, Value as Json, json};

use crate::hubspot::auth::Caller;
use crate::hubspot::history;
use crate::hubspot::links;
use crate::hubspot::records::View;
use crate::hubspot::state::State;
use crate::hubspot::time::iso;
use crate::hubspot::value;
use crate::hubspot::visit::sees;

/// How many associations of a record come with it.
const INLINE: usize = 100;

/// What is shown of the records of a type.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    place: usize,
    /// Names, with the places of the properties; those of stages have none.
    columns: Vec<(String, Option<usize>)>,
    /// The places of the properties whose history is shown.
    history: Option<Vec<usize>>,
    /// The types whose associations are shown.
    associations: Vec<usize>,
}

impl Shape {
    /// What is shown to that caller who asks for these properties; without any, the usual ones. Names that are not
    /// there are left out.
    pub(crate) fn new(state: &State, caller: &Caller, place: usize, names: &[String]) -> Self {
        let object = &state.objects[place];
        let kind = &object.kind;
        let asked: Vec<&str> = match names {
            [] => kind.defaults.to_vec(),
            names => names.iter().map(String::as_str).collect(),
        };
        let mut columns: Vec<(String, Option<usize>)> = Vec::new();
        for name in ["hs_object_id", kind.created, kind.modified].into_iter().chain(asked) {
            if columns.iter().any(|(known, _)| known == name) {
                continue;
            }
            let is_it = |property: &crate::hubspot::property::Property| {
                property.spec.name == name && property.archived_at.is_none() && sees(caller, object, property)
            };
            match object.properties.iter().position(is_it) {
                Some(at) => columns.push((name.to_owned(), Some(at))),
                None if name.starts_with("hs_v2_") => columns.push((name.to_owned(), None)),
                None => {}
            }
        }
        Shape { place, columns, history: None, associations: Vec::new() }
    }

    /// The same, with the history of these properties.
    pub(crate) fn with_history(self, state: &State, caller: &Caller, names: &[String]) -> Self {
        let object = &state.objects[self.place];
        let places = (0..object.properties.len()).filter(|&at| {
            let property = &object.properties[at];
            names.contains(&property.spec.name) && property.archived_at.is_none() && sees(caller, object, property)
        });
        Shape { history: (!names.is_empty()).then(|| places.collect()), ..self }
    }

    /// The same, with the associations to these types.
    pub(crate) fn with_associations(self, places: Vec<usize>) -> Self {
        Shape { associations: places, ..self }
    }

    /// A record in this shape.
    pub(crate) fn record(&self, state: &State, view: &View<'_>) -> Json {
        let object = &state.objects[self.place];
        let mut properties = Map::new();
        for (name, at) in &self.columns {
            let held = match at {
                Some(at) => value::read(state, self.place, view, &object.properties[*at]),
                None => match value::stage_time(state, self.place, view, name) {
                    Some(held) => held,
                    None => continue,
                },
            };
            if held.is_some() || !state.options.hypotheses.empty_absent {
                properties.insert(name.clone(), json!(held));
            }
        }
        let portal = state.options.portal_id;
        let mut body = json!({
            "id": view.id.to_string(),
            "properties": properties,
            "createdAt": iso(view.created()),
            "updatedAt": iso(view.modified()),
            "archived": view.archived_at().is_some(),
            "url": format!("https://app.hubspot.com/contacts/{portal}/record/{}/{}", object.kind.type_id, view.id),
        });
        if let Some(at) = view.archived_at() {
            body["archivedAt"] = json!(iso(at));
        }
        if let Some(places) = &self.history {
            let told = places.iter().map(|&at| {
                let property = &object.properties[at];
                (property.spec.name.clone(), history::json(state, self.place, view, property))
            });
            body["propertiesWithHistory"] = Json::Object(told.collect());
        }
        if !self.associations.is_empty() {
            let told = self.associations.iter().filter_map(|&to| {
                let list = inline(state, (self.place, view.id), to)?;
                Some((state.objects[to].kind.name.to_owned(), list))
            });
            let told: Map<String, Json> = told.collect();
            if !told.is_empty() {
                body["associations"] = told.into();
            }
        }
        if state.options.extra_keys {
            body["zzPreview"] = json!({"kind": "unknown", "values": [1, null, "二"]});
        }
        body
    }
}

/// The associations of a record with a type, with the old names of their types.
fn inline(state: &State, from: (usize, u64), to: usize) -> Option<Json> {
    let linked = links::live(state, from, to);
    let pair = format!("{}_to_{}", state.objects[from.0].kind.singular, state.objects[to].kind.singular);
    let mut results = Vec::new();
    for (other, types) in linked {
        for at in types {
            let kind = match state.links.types[at].label.as_deref() {
                Some("Primary") => pair.clone(),
                Some(label) => label.to_lowercase(),
                None => format!("{pair}_unlabeled"),
            };
            results.push(json!({"id": other.to_string(), "type": kind}));
        }
    }
    if results.is_empty() {
        return None;
    }
    let is_more = results.len() > INLINE;
    results.truncate(INLINE);
    let mut body = json!({ "results": results });
    if is_more {
        body["paging"] =
            json!({"next": {"after": INLINE.to_string(), "link": "https://api.hubapi.com/crm/v4/objects"}});
    }
    Some(body)
}
