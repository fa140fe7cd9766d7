//! What became of a record, change by change.

use serde_json::{Value as Json, json};

use crate::wire::Reply;
use crate::zoho::id;
use crate::zoho::look;
use crate::zoho::people::brief;
use crate::zoho::records::{View, When};
use crate::zoho::refusal::Answer;
use crate::zoho::render;
use crate::zoho::single::{find, nothing};
use crate::zoho::time;
use crate::zoho::visit::Visit;

/// `GET /{module}/{id}/__timeline`: newest first. A silent change is not in it.
pub(crate) fn timeline(visit: &mut Visit<'_>, name: &str, id: &str) -> Answer<Reply> {
    let module = visit.readable(name)?;
    let (page, per_page) = (visit.whole("page", 1, 10_000)?, visit.whole("per_page", 200, 200)?);
    let Some(number) = find(visit, module, id) else { return nothing(visit) };
    let state = &*visit.state;
    let target = &state.modules[module];
    let Some(now) = target.records.view(number, When::Now) else { return nothing(visit) };
    let record = json!({"name": look::name_of(state, state.id_of(module, number)), "id": id});
    let entry = |nth: u64, at: i64, by: u64, action: &str, changes: Vec<Json>| {
        json!({
            "id": id::full(state.prefix, id::AUDITS, number * 1_000 + nth).to_string(),
            "audited_time": time::stamp(at, state.options.zone_secs), "action": action, "source": "crm_ui",
            "type": null, "done_by": brief(state, by), "related_record": null, "automation_details": null,
            "record": record,
            "field_history": if changes.is_empty() { Json::Null } else { Json::Array(changes) },
        })
    };
    let mut entries = vec![entry(0, now.created(), now.creator(), "added", Vec::new())];
    let versions = now.record.map_or(&[][..], |record| &record.versions);
    for (nth, version) in versions.iter().enumerate().filter(|(_, version)| !version.is_silent) {
        let before = target.records.trace(number, When::After(version.change.saturating_sub(1)));
        let after = View { version: Some(version), when: When::After(version.change), ..now };
        let Some(before) = before else { continue };
        let changes = changes(visit, module, &before, &after);
        entries.push(entry(1 + nth as u64, version.modified, version.modifier, "updated", changes));
    }
    entries.reverse();
    let from = ((page - 1) * per_page) as usize;
    let shown: Vec<&Json> = entries.iter().skip(from).take(per_page as usize).collect();
    if shown.is_empty() {
        return Ok(Reply::empty(204));
    }
    let more = entries.len() > from + shown.len();
    let info = json!({"per_page": per_page, "count": shown.len(), "page": page, "more_records": more, "next_page_token": null});
    let body = json!({"__timeline": shown, "info": info});
    visit.rows = body["__timeline"].as_array().map_or(0, |shown| shown.len() as u64);
    Ok(Reply::value(200, &body))
}

fn changes(visit: &Visit<'_>, module: usize, before: &View<'_>, after: &View<'_>) -> Vec<Json> {
    let state = &*visit.state;
    let fields = state.modules[module].columns.iter();
    let fields = fields.filter(|column| !column.is_system() && !column.kind().is_rows() && visit.sees(column));
    fields
        .filter(|column| column.spec.formula.is_none())
        .filter_map(|column| {
            let [old, new] = [before, after].map(|view| look::value(state, module, view, column));
            let shown = |value| match render::text(state, column, value) {
                text if text.is_empty() => Json::Null,
                text => Json::String(text),
            };
            (old != new).then(|| {
                json!({
                    "api_name": column.name(), "field_label": column.spec.label, "data_type": column.kind().names().0,
                    "id": id::full(state.prefix, id::FIELDS, u64::from(column.slot)).to_string(),
                    "_value": {"old": shown(&old), "new": shown(&new)},
                })
            })
        })
        .collect()
}
