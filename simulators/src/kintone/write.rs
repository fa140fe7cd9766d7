//! Writing records over the API.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::kintone::auth::Right;
use crate::kintone::edit::{self, Change};
use crate::kintone::events;
use crate::kintone::field::FieldType;
use crate::kintone::input::{self, Care, Complaints};
use crate::kintone::params::{Params, too_long, whole};
use crate::kintone::refusal::{
    Answer, Refusal, invalid, invalid_at, key_missed, key_not_unique, message, no_record, not_writable, required,
    system_field,
};
use crate::kintone::save;
use crate::kintone::state::State;
use crate::kintone::value::Value;
use crate::kintone::visit::Visit;

/// How many records one call writes at most.
const MOST: usize = 100;

/// What is to be written, read from what was sent.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) app: usize,
    /// The record that is changed; none for a new one.
    pub(crate) id: Option<u64>,
    pub(crate) fields: &'a Map<String, Json>,
    /// What places in complaints begin with, such as `record` or `records[3]`.
    pub(crate) place: &'a str,
    pub(crate) care: Care,
    /// Whether the stamps of the record may be set.
    pub(crate) sets_stamps: bool,
}

impl Draft<'_> {
    /// Reads the fields; unknown ones are ignored, as are those that only a save fills in.
    pub(crate) fn read(&self, state: &mut State, user: Arc<str>) -> Answer<Change> {
        let mut change = Change::new(user);
        let mut complaints: Complaints = Vec::new();
        let columns = state.apps[self.app].live.columns.clone();
        for column in &columns {
            let spec = &column.spec;
            let place = if self.place == "record" {
                format!("record.{}", spec.code)
            } else {
                format!("{}.{}", self.place, spec.code)
            };
            let Some(sent) = self.fields.get(&spec.code) else {
                if self.id.is_none() && !spec.field_type.is_system() && !spec.field_type.is_switched() {
                    let value = input::default(spec);
                    if self.care == Care::Full && column.inner.is_empty() && spec.field_type != FieldType::Calc {
                        complaints.extend(input::check(spec, &value, &place).err().into_iter().flatten());
                    }
                    change.values.insert(column.slot, value);
                }
                continue;
            };
            match spec.field_type {
                FieldType::Calc | FieldType::RecordNumber | FieldType::Group | FieldType::ReferenceTable => continue,
                FieldType::Category | FieldType::Status | FieldType::StatusAssignee if self.care == Care::Full => {
                    return Err(not_writable(&spec.code));
                }
                kind if kind.is_system() && !(self.id.is_none() && self.sets_stamps) => {
                    return Err(system_field(&spec.code));
                }
                _ => {}
            }
            let (app, files) = (&mut state.apps[self.app], &state.files);
            match input::value(app, files, column, sent, &place, self.care) {
                Ok(value) => match (spec.field_type, &value) {
                    (FieldType::CreatedTime, Value::Instant(at)) => change.created = Some(*at),
                    (FieldType::UpdatedTime, Value::Instant(at)) => change.modified = Some(*at),
                    (FieldType::Creator, Value::List(codes)) => change.creator = codes.first().cloned(),
                    (FieldType::Modifier, Value::List(codes)) => change.user = codes[0].clone(),
                    _ => {
                        change.values.insert(column.slot, value);
                    }
                },
                Err(more) => complaints.extend(more),
            }
        }
        if self.care == Care::Full {
            self.check_unique(state, &change, &mut complaints);
        }
        if complaints.is_empty() { Ok(change) } else { Err(invalid(complaints)) }
    }

    fn check_unique(&self, state: &State, change: &Change, complaints: &mut Complaints) {
        let app = &state.apps[self.app];
        for column in app.live.columns.iter().filter(|column| column.spec.unique) {
            let Some(value) = change.values.get(&column.slot).filter(|value| !value.is_empty()) else { continue };
            let is_taken = app
                .records
                .ids(1, u64::MAX)
                .filter(|id| Some(*id) != self.id)
                .any(|id| app.records.view(id, None).is_some_and(|view| app.value(&view, column) == *value));
            if is_taken {
                let complaint =
                    message("値がほかのレコードと重複しています。", "This value already exists in another record.");
                complaints.push((format!("{}.{}.value", self.place, column.spec.code), complaint));
            }
        }
    }
}

fn object<'a>(json: Option<&'a Json>, place: &str) -> Answer<&'a Map<String, Json>> {
    json.and_then(Json::as_object).ok_or_else(|| invalid_at(place, required()))
}

/// Does all or nothing: what was written before a failure is taken back.
pub(crate) fn atomically<T>(
    visit: &mut Visit<'_>,
    apps: &[usize],
    work: impl FnOnce(&mut Visit<'_>) -> Answer<T>,
) -> Answer<T> {
    let kept: Vec<_> = apps.iter().map(|&app| (app, visit.state.apps[app].records.clone())).collect();
    let result = work(visit);
    if result.is_err() {
        for (app, records) in kept {
            visit.state.apps[app].records = records;
        }
    }
    result
}

fn add(visit: &mut Visit<'_>, app: usize, fields: &Map<String, Json>, place: &str) -> Answer<u64> {
    let sets_stamps = visit.manages(visit.state.apps[app].id);
    let draft = Draft { app, id: None, fields, place, care: Care::Full, sets_stamps };
    let change = draft.read(visit.state, visit.caller.user())?;
    let sent = change
        .values
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(slot, value)| (*slot, value.clone()))
        .collect();
    save::may_look_up(visit.state, app, &visit.caller, &sent)?;
    edit::insert(visit.state, app, change, None)
}

/// `POST record.json`.
pub(crate) fn add_one(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let app = visit.app(params.id("app")?, Right::Add)?;
    let empty = Map::new();
    let fields = params.get("record").and_then(Json::as_object).unwrap_or(&empty);
    let id = add(visit, app, fields, "record")?;
    events::tell(visit.state, "ADD_RECORD", app, id, !visit.is_part);
    Ok(json!({"id": id.to_string(), "revision": "1"}))
}

/// `POST records.json`.
pub(crate) fn add_many(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let app = visit.app(params.id("app")?, Right::Add)?;
    let list = params.list("records").ok_or_else(|| invalid_at("records", required()))?;
    if list.len() > MOST {
        let complaint =
            message("一度に100件までのレコードを追加できます。", "A maximum of 100 records can be added at one time.");
        return Err(invalid_at("records", complaint));
    }
    let ids = atomically(visit, &[app], |visit| {
        let records = list.iter().enumerate();
        records
            .map(|(index, record)| add(visit, app, object(Some(record), "records")?, &format!("records[{index}]")))
            .collect::<Answer<Vec<u64>>>()
    })?;
    ids.iter().for_each(|&id| events::tell(visit.state, "ADD_RECORD", app, id, false));
    let texts: Vec<String> = ids.iter().map(u64::to_string).collect();
    Ok(json!({"ids": texts, "revisions": vec!["1"; texts.len()]}))
}

/// The record that `id` or `updateKey` names; `None` when the key finds none.
fn named(visit: &Visit<'_>, app: usize, params: &Map<String, Json>) -> Answer<Result<u64, Refusal>> {
    if let Some(id) = params.get("id").filter(|id| !id.is_null()) {
        let id = whole(id).and_then(|id| u64::try_from(id).ok()).unwrap_or_default();
        visit.viewable(app, id)?;
        return Ok(Ok(id));
    }
    let key = object(params.get("updateKey"), "id")?;
    let text = |name: &str| key.get(name).and_then(Json::as_str).unwrap_or_default();
    let (code, wanted) = (text("field"), text("value"));
    let target = &visit.state.apps[app];
    let column = target.live.find(code).filter(|column| column.spec.unique).ok_or_else(|| key_not_unique(code))?;
    let found = target
        .records
        .ids(1, u64::MAX)
        .find(|&id| target.records.view(id, None).is_some_and(|view| target.value(&view, column).written() == wanted));
    Ok(found.ok_or_else(|| key_missed(code, wanted)))
}

fn change(visit: &mut Visit<'_>, app: usize, params: &Map<String, Json>, id: u64, place: &str) -> Answer<u64> {
    let target = &visit.state.apps[app];
    let view = target.records.view(id, None).ok_or_else(|| no_record(id))?;
    edit::check_revision(&view, params.get("revision").and_then(whole))?;
    let empty = Map::new();
    let fields = params.get("record").and_then(Json::as_object).unwrap_or(&empty);
    let draft = Draft { app, id: Some(id), fields, place, care: Care::Full, sets_stamps: false };
    let change = draft.read(visit.state, visit.caller.user())?;
    save::may_look_up(visit.state, app, &visit.caller, &change.values)?;
    edit::update(visit.state, app, id, change)
}

/// `PUT record.json`.
pub(crate) fn change_one(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let app = visit.app(params.id("app")?, Right::Edit)?;
    let id = named(visit, app, &params.0)??;
    let revision = change(visit, app, &params.0, id, "record")?;
    events::tell(visit.state, "UPDATE_RECORD", app, id, !visit.is_part);
    Ok(json!({"revision": revision.to_string()}))
}

/// `PUT records.json`.
pub(crate) fn change_many(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let app = visit.app(params.id("app")?, Right::Edit)?;
    let list = params.list("records").ok_or_else(|| invalid_at("records", required()))?;
    if list.len() > MOST {
        return Err(too_long("records", MOST));
    }
    let upsert = params.flag("upsert");
    let results = atomically(visit, &[app], |visit| {
        let mut results = Vec::with_capacity(list.len());
        for (index, item) in list.iter().enumerate() {
            let (item, place) = (object(Some(item), "records")?, format!("records[{index}].record"));
            let (id, revision, operation) = match named(visit, app, item)? {
                Ok(id) => (id, change(visit, app, item, id, &place)?, "UPDATE"),
                Err(_) if upsert => {
                    let mut fields = item.get("record").and_then(Json::as_object).cloned().unwrap_or_default();
                    if let Some(key) = item.get("updateKey") {
                        let code = key["field"].as_str().unwrap_or_default().to_owned();
                        fields.insert(code, json!({"value": key["value"]}));
                    }
                    (add(visit, app, &fields, &place)?, 1, "INSERT")
                }
                Err(refusal) => return Err(refusal),
            };
            let mut result = json!({"id": id.to_string(), "revision": revision.to_string()});
            if upsert {
                result["operation"] = json!(operation);
            }
            results.push((id, result));
        }
        Ok(results)
    })?;
    results.iter().for_each(|(id, _)| events::tell(visit.state, "UPDATE_RECORD", app, *id, false));
    Ok(json!({"records": results.into_iter().map(|(_, result)| result).collect::<Vec<_>>()}))
}

/// `DELETE records.json`.
pub(crate) fn delete_many(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let app = visit.app(params.id("app")?, Right::Delete)?;
    let ids = params.ids("ids", MOST)?.ok_or_else(|| invalid_at("ids", required()))?;
    let believed = params.list("revisions").unwrap_or_default();
    for (index, &id) in ids.iter().enumerate() {
        visit.viewable(app, id)?;
        let view = visit.state.apps[app].records.view(id, None).ok_or_else(|| no_record(id))?;
        edit::check_revision(&view, believed.get(index).and_then(whole))?;
    }
    for &id in &ids {
        edit::delete(visit.state, app, id)?;
        events::tell(visit.state, "DELETE_RECORD", app, id, ids.len() == 1 && !visit.is_part);
    }
    Ok(json!({}))
}
