//! Process management: states, and the actions between them.

use serde_json::{Map, Value as Json, json};

use crate::kintone::auth::Right;
use crate::kintone::edit::{self, Change};
use crate::kintone::events;
use crate::kintone::field::FieldType;
use crate::kintone::params::Params;
use crate::kintone::refusal::{Answer, no_such_action, process_is_off};
use crate::kintone::value::Value;
use crate::kintone::visit::Visit;

/// The states of an app and how records go from one to the next.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) is_on: bool,
    pub(crate) states: Vec<String>,
    /// Name, from, to.
    pub(crate) actions: Vec<(String, String, String)>,
}

impl Process {
    /// One state after the other.
    pub(crate) fn line(states: &[String]) -> Self {
        let action = |pair: &[String]| ("次へ".to_owned(), pair[0].clone(), pair[1].clone());
        Process { is_on: true, states: states.to_vec(), actions: states.windows(2).map(action).collect() }
    }

    /// The state that records begin in.
    pub(crate) fn first(&self) -> &str {
        self.states.first().map_or("", String::as_str)
    }

    /// As app/status.json tells it.
    pub(crate) fn describe(process: Option<&Process>, revision: u64) -> Json {
        let Some(process) = process else {
            return json!({"enable": false, "states": null, "actions": null, "revision": revision.to_string()});
        };
        let state = |(index, name): (usize, &String)| {
            let entities = json!([{"entity": {"type": "FIELD_ENTITY", "code": "作成者"}, "includeSubs": false}]);
            let assignee = json!({"type": "ONE", "entities": if index == 0 { entities } else { json!([]) }});
            (name.clone(), json!({"name": name, "index": index.to_string(), "assignee": assignee}))
        };
        let states: Map<String, Json> = process.states.iter().enumerate().map(state).collect();
        let actions: Vec<Json> = process
            .actions
            .iter()
            .map(|(name, from, to)| json!({"name": name, "from": from, "to": to, "filterCond": "", "type": "PRIMARY"}))
            .collect();
        json!({"enable": process.is_on, "states": states, "actions": actions, "revision": revision.to_string()})
    }
}

/// `PUT record/status.json`: one action.
pub(crate) fn act(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let app = visit.app(params.id("app")?, Right::Edit)?;
    let id = params.id("id")?;
    visit.viewable(app, id)?;
    let form = &visit.state.apps[app].live;
    let Some(process) = form.process.as_ref().filter(|process| process.is_on) else { return Err(process_is_off()) };
    let column = form.of_type(FieldType::Status).ok_or_else(process_is_off)?;
    let slot = column.slot;
    let assignee = form.of_type(FieldType::StatusAssignee).map(|column| column.slot);
    let target = &visit.state.apps[app];
    let view = target.records.view(id, None).ok_or_else(no_such_action)?;
    edit::check_revision(&view, params.number("revision")?)?;
    let current = target.value(&view, column).written();
    let name = params.needed("action")?;
    let action = process.actions.iter().find(|(known, from, _)| known == name && *from == current);
    let to = action.ok_or_else(no_such_action)?.2.clone();
    let mut change = Change { steps: 2, ..Change::new(visit.caller.user()) };
    change.values.insert(slot, Value::text(to));
    if let (Some(slot), Some(user)) = (assignee, params.text("assignee")) {
        change.values.insert(slot, Value::list([user]));
    }
    let revision = edit::update(visit.state, app, id, change)?;
    events::tell(visit.state, "UPDATE_STATUS", app, id, true);
    Ok(json!({"revision": revision.to_string()}))
}
