//! What an org says about its modules, fields, layouts, pipelines and related lists.

use serde_json::{Value as Json, json};

use crate::wire::Reply;
use crate::zoho::catalogue::STAGES;
use crate::zoho::field::{Column, FieldType, Formula, Source};
use crate::zoho::id;
use crate::zoho::module::{Access, Module};
use crate::zoho::refusal::{Answer, invalid_data, invalid_module, missing, no_such_url, require};
use crate::zoho::single;
use crate::zoho::state::State;
use crate::zoho::time;
use crate::zoho::visit::Visit;

/// `GET /settings/…`.
pub(crate) fn settings(visit: &mut Visit<'_>, rest: &[&str]) -> Answer<Reply> {
    match rest {
        ["modules"] => {
            visit.needs("settings/modules")?;
            let state = &*visit.state;
            let modules: Vec<Json> = state.modules.iter().map(|module| module_of(state, module)).collect();
            Ok(Reply::value(200, &json!({ "modules": modules })))
        }
        ["modules", name] => {
            visit.needs("settings/modules")?;
            let place = visit.listed(name)?;
            let module = module_of(visit.state, &visit.state.modules[place]);
            Ok(Reply::value(200, &json!({ "modules": [module] })))
        }
        ["fields"] => fields(visit),
        ["layouts"] => layouts(visit),
        ["pipeline"] => pipeline(visit),
        ["related_lists"] => related_lists(visit),
        _ => Err(no_such_url()),
    }
}

fn described(visit: &Visit<'_>, group: &str) -> Answer<usize> {
    visit.needs(group)?;
    let name = require(visit.parameter("module"), || missing("module"))?;
    let place = visit.listed(&name)?;
    if visit.state.modules[place].access == Access::Unsupported { Err(invalid_module()) } else { Ok(place) }
}

fn module_of(state: &State, module: &Module) -> Json {
    let is_open = module.access != Access::Unsupported;
    let mut body = json!({
        "id": id::full(state.prefix, id::MODULES, u64::from(module.number)).to_string(), "api_name": module.api_name,
        "module_name": if module.api_name == "Deals" { "Potentials" } else { &module.api_name },
        "singular_label": module.label, "plural_label": module.label, "generated_type": module.generated_type,
        "api_supported": is_open, "viewable": true, "creatable": is_open, "editable": is_open, "deletable": is_open,
        "visibility": 1, "status": "visible", "modified_time": null, "sequence_number": module.number,
        "profiles": [{"name": "Administrator", "id": id::full(state.prefix, id::PROFILES, 1).to_string()}],
    });
    if state.options.extra_keys {
        body["recently_invented"] = json!([{"a": null}]);
    }
    body
}

fn fields(visit: &mut Visit<'_>) -> Answer<Reply> {
    let place = described(visit, "settings/fields")?;
    let state = &*visit.state;
    let module = &state.modules[place];
    if module.access == Access::Empty || visit.parameter("type").as_deref() == Some("unused") {
        return Ok(Reply::empty(204));
    }
    let shown = module.columns.iter().filter(|column| visit.sees(column) && !column.name().starts_with('$'));
    let fields: Vec<Json> = shown.map(|column| field_of(state, module, column)).collect();
    Ok(Reply::value(200, &json!({ "fields": fields })))
}

fn field_of(state: &State, module: &Module, column: &Column) -> Json {
    let spec = &column.spec;
    let kind = spec.field_type;
    let (data_type, json_type) = kind.names();
    // What does not apply is an empty object in some fields, and null in others.
    let blank = if column.slot.is_multiple_of(2) { json!({}) } else { Json::Null };
    let other = spec.module.as_deref().and_then(|name| state.find(name)).map(|place| &state.modules[place]);
    let module_of = |other: &Module| json!({"api_name": other.api_name, "id": id::full(state.prefix, id::MODULES, u64::from(other.number)).to_string()});
    let lookup = other.filter(|_| kind == FieldType::Lookup).map_or(
        blank.clone(),
        |other| json!({"module": module_of(other), "display_label": other.label, "api_name": module.api_name, "id": field_id(state, module, column)}),
    );
    let several = other.filter(|_| kind == FieldType::Multiselectlookup).map_or(blank.clone(), |other| {
        json!({"linking_module": module_of(other), "connected_module": {"api_name": "Accounts"}, "display_label": spec.label})
    });
    let formula = match &spec.formula {
        Some(Formula::Times { field, factor }) => {
            json!({"return_type": "double", "expression": format!("${{{}.{field}}}*{factor}", module.api_name)})
        }
        Some(Formula::DaysUntil { field }) => {
            json!({"return_type": "double", "expression": format!("Datebetween(Now(),${{{}.{field}}})", module.api_name)})
        }
        _ => blank.clone(),
    };
    let rollup = match &spec.formula {
        Some(Formula::Count { module: other, .. }) => {
            json!({"return_type": "integer", "expression": {"function": "count"}, "based_on_module": {"api_name": other}, "related_list": {"api_name": other}, "rollup_based_on": "related_list"})
        }
        Some(Formula::Sum { module: other, field, .. }) => {
            json!({"return_type": "double", "expression": {"function": "sum", "field": {"api_name": field}}, "based_on_module": {"api_name": other}, "related_list": {"api_name": other}, "rollup_based_on": "related_list"})
        }
        _ => blank.clone(),
    };
    let is_written =
        matches!(column.source, Source::Stored | Source::Made(_) | Source::Parent) && spec.formula.is_none();
    let is_mandatory = ["Account_Name", "Deal_Name", "Stage", "Last_Name"].contains(&spec.api_name.as_str());
    let label = if spec.label.is_empty() { &spec.api_name } else { &spec.label };
    let mut body = json!({
        "id": field_id(state, module, column), "api_name": spec.api_name,
        "field_label": if column.is_custom { label.clone() } else { spec.api_name.replace('_', " ") },
        "display_label": label, "data_type": spec.declared.as_deref().unwrap_or(data_type), "json_type": json_type,
        "length": spec.length, "custom_field": column.is_custom, "read_only": !is_written,
        "field_read_only": !is_written, "system_mandatory": is_mandatory,
        "visible": spec.api_name != "Full_Name", "virtual_field": false, "unique": blank, "lookup": lookup,
        "multiselectlookup": several, "formula": formula, "rollup_summary": rollup,
        "decimal_place": if kind.is_number() { json!(2) } else { Json::Null },
        "currency": if kind == FieldType::Currency { json!({"precision": 0, "rounding_option": "normal"}) } else { blank.clone() },
        "auto_number": if kind == FieldType::Autonumber { json!({"prefix": "C-", "start_number": "1", "suffix": ""}) } else { blank.clone() },
        "subform": other.filter(|_| kind == FieldType::Subform).map_or(Json::Null, |other| json!({"module": other.api_name, "id": field_id(state, module, column)})),
        "external": null, "private": null, "crypt": null, "history_tracking": null,
        "textarea": if kind == FieldType::RichText { json!({"type": "rich_text"}) } else { Json::Null },
        "created_source": "default", "pick_list_values": choices(state, module, column),
    });
    if state.options.extra_keys {
        body["recently_invented"] = json!(1);
    }
    body
}

fn field_id(state: &State, module: &Module, column: &Column) -> String {
    id::full(state.prefix, id::FIELDS, u64::from(module.number) * 1_000 + u64::from(column.slot)).to_string()
}

fn choices(state: &State, module: &Module, column: &Column) -> Vec<Json> {
    let is_stage = module.api_name == "Deals" && column.name() == "Stage";
    let numbered = column.spec.choices.iter().zip(1u64..);
    numbered
        .map(|(choice, nth)| {
            let number = u64::from(module.number) * 100_000 + u64::from(column.slot) * 100 + nth;
            let mut body = json!({
                "id": id::full(state.prefix, id::STAGES, number).to_string(), "display_value": choice.display,
                "actual_value": choice.actual, "reference_value": choice.actual, "sequence_number": nth,
                "colour_code": null, "type": "used",
            });
            if is_stage {
                let known = STAGES.iter().find(|(actual, ..)| *actual == choice.actual);
                let (probability, forecast) = known.map_or((10, "Open"), |stage| (stage.2, stage.3));
                let category = forecast.split(' ').next().unwrap_or("Open");
                body["probability"] = json!(probability);
                body["forecast_type"] = json!(forecast);
                body["deal_category"] = json!(forecast);
                body["forecast_category"] =
                    json!({"name": category, "id": id::full(state.prefix, id::STAGES, 1).to_string()});
            }
            body
        })
        .collect()
}

fn layout_id(state: &State, module: &Module) -> String {
    id::full(state.prefix, id::LAYOUTS, u64::from(module.number)).to_string()
}

fn layouts(visit: &mut Visit<'_>) -> Answer<Reply> {
    let place = described(visit, "settings/layouts")?;
    let state = &*visit.state;
    let module = &state.modules[place];
    let fields: Vec<Json> = module
        .columns
        .iter()
        .filter(|column| visit.sees(column))
        .map(|column| json!({"api_name": column.name(), "id": field_id(state, module, column)}))
        .collect();
    let made = time::stamp(state.options.at.timestamp() - 1_500 * 86_400, state.options.zone_secs);
    let body = json!({"layouts": [{
        "id": layout_id(state, module), "name": "Standard", "display_label": "標準", "api_name": "Standard",
        "status": "active", "visible": true, "created_time": made, "modified_time": made,
        "sections": [{"display_label": "情報", "name": "Information", "fields": fields}],
    }]});
    Ok(Reply::value(200, &body))
}

fn pipeline(visit: &mut Visit<'_>) -> Answer<Reply> {
    visit.needs("settings/pipeline")?;
    let wanted = require(visit.parameter("layout_id"), || missing("layout_id"))?;
    let state = &*visit.state;
    let deals = state.find("Deals").map(|place| &state.modules[place]);
    let deals = require(deals.filter(|deals| layout_id(state, deals) == wanted), || invalid_data("layout_id"))?;
    let stages = deals.column("Stage").map_or(Vec::new(), |column| choices(state, deals, column));
    let pipelines: Vec<Json> = [("Standard (Standard)", true), ("更新", false)]
        .into_iter()
        .zip(1u64..)
        .map(|((name, is_default), nth)| {
            json!({"id": id::full(state.prefix, id::PIPELINES, nth).to_string(), "display_value": name, "actual_value": name, "default": is_default, "maps": stages})
        })
        .collect();
    Ok(Reply::value(200, &json!({ "pipeline": pipelines })))
}

fn related_lists(visit: &mut Visit<'_>) -> Answer<Reply> {
    let place = described(visit, "settings/related_lists")?;
    let state = &*visit.state;
    let lists: Vec<Json> = single::lists(visit, place)
        .into_iter()
        .map(|(api_name, other, lookup)| {
            let other = &state.modules[other];
            let number = u64::from(other.number) * 100 + u64::from(state.modules[place].number);
            json!({
                "id": id::full(state.prefix, id::LAYOUTS, 1_000 + number).to_string(), "api_name": api_name,
                "display_label": other.label, "name": other.label, "type": "default", "href": format!("{}/{{ENTITYID}}/{api_name}", state.modules[place].api_name),
                "module": {"api_name": other.api_name, "id": id::full(state.prefix, id::MODULES, u64::from(other.number)).to_string()},
                "connectedlookup": lookup, "visible": true,
            })
        })
        .collect();
    Ok(if lists.is_empty() { Reply::empty(204) } else { Reply::value(200, &json!({ "related_lists": lists })) })
}
