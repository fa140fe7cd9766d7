//! `records/acl/evaluate.json`: what the caller may do with records and their fields.

use serde_json::{Map, Value as Json, json};

use crate::kintone::auth::Right;
use crate::kintone::params::Params;
use crate::kintone::refusal::{Answer, invalid_at, required};
use crate::kintone::visit::Visit;

/// The rights on up to 100 records.
pub(crate) fn evaluate(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let place = visit.app(params.id("app")?, Right::View)?;
    let ids = params.ids("ids", 100)?.ok_or_else(|| invalid_at("ids", required()))?;
    let app = &visit.state.apps[place];
    let narrowed = visit.caller.is_narrowed();
    let rights = ids.into_iter().map(|id| {
        let sees = visit.sees(app, id) && app.records.view(id, None).is_some();
        let fields: Map<String, Json> = app
            .live
            .columns
            .iter()
            .map(|column| {
                let shown = sees && !(narrowed && app.hidden_fields.contains(&column.spec.code));
                (column.spec.code.clone(), json!({"viewable": shown, "editable": shown && !column.spec.field_type.is_system()}))
            })
            .collect();
        json!({"id": id.to_string(), "record": {"viewable": sees, "editable": sees, "deletable": sees}, "fields": fields})
    });
    Ok(json!({ "rights": rights.collect::<Vec<_>>() }))
}
