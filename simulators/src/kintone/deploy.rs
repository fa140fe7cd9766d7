//! Settings in preparation, and their way to be live.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::kintone::app::{App, AppSpec, Column};
use crate::kintone::auth::{Caller, Right};
use crate::kintone::field::{CalcFormat, FieldSpec, FieldType, Lookup, Related};
use crate::kintone::formula;
use crate::kintone::options::Language;
use crate::kintone::params::{Params, whole};
use crate::kintone::population::Population;
use crate::kintone::refusal::{
    Answer, bad_formula, invalid_at, message, no_field_in_settings, required, settings_moved, token_lacks_right,
};
use crate::kintone::state::State;
use crate::kintone::visit::Visit;

impl State {
    /// A new app with these settings, live at once; gives its id.
    pub(crate) fn create_app(&mut self, spec: AppSpec) -> u64 {
        let id = self.apps.iter().map(|app| app.id).max().unwrap_or(0) + 1;
        self.apps.push(App::new(id, spec, Population::none(self.now), self.now));
        id
    }

    /// Finishes a deploy whose time has come. `is_poll` says that someone asks how far it is.
    pub(crate) fn settle_deploy(&mut self, place: usize, is_poll: bool) {
        let now = self.now;
        let app = &mut self.apps[place];
        let Some((polls, since)) = app.deploying else { return };
        if polls == 0 || now > since {
            app.deploying = None;
            go_live(app, now);
        } else if is_poll {
            app.deploying = Some((polls - 1, since));
        }
    }
}

/// Makes the settings in preparation the live ones.
pub(crate) fn go_live(app: &mut App, now: i64) {
    if let Some(form) = app.preview.take() {
        app.live = form;
        app.modified = now;
    }
    let codes: BTreeSet<&str> = app.live.columns.iter().map(|column| column.spec.code.as_str()).collect();
    app.hidden_fields.retain(|code| codes.contains(code.as_str()));
}

/// `POST preview/app.json`.
pub(crate) fn create(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    if matches!(visit.caller, Caller::Tokens(_)) {
        return Err(token_lacks_right());
    }
    let name = params.needed("name")?.to_owned();
    let spec = AppSpec { name, code: String::new(), language: Language::Ja, fields: Vec::new(), states: Vec::new() };
    let id = visit.state.create_app(spec);
    Ok(json!({"app": id.to_string(), "revision": "2"}))
}

fn prepared<'a>(visit: &'a mut Visit<'_>, params: &Params) -> Answer<&'a mut App> {
    let place = visit.app(params.id("app")?, Right::Manage)?;
    visit.state.settle_deploy(place, false);
    let app = &mut visit.state.apps[place];
    match params.number("revision")? {
        Some(revision) if revision != -1 && revision != app.preview().revision as i64 => Err(settings_moved()),
        _ => Ok(app),
    }
}

fn changed(app: &mut App) -> Json {
    let form = app.preview_mut();
    form.revision += 1;
    json!({"revision": form.revision.to_string()})
}

/// `POST preview/app/form/fields.json`.
pub(crate) fn add_fields(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let properties = params
        .get("properties")
        .and_then(Json::as_object)
        .cloned()
        .ok_or_else(|| invalid_at("properties", required()))?;
    let app = prepared(visit, params)?;
    for (code, property) in &properties {
        let spec = read_spec(code, property).ok_or_else(|| {
            invalid_at(
                format!("properties[{code}].type"),
                message("Enum値のいずれかでなければなりません。", "must be one of the enum value"),
            )
        })?;
        add_field(app, spec)?;
    }
    Ok(changed(app))
}

/// Adds a field to the settings in preparation.
pub(crate) fn add_field(app: &mut App, spec: FieldSpec) -> Answer<()> {
    let form = app.preview();
    if form.has(&spec.code) || spec.fields.iter().any(|inner| form.has(&inner.code)) {
        let complaint = message("フィールドコードが重複しています。", "The field code is already used.");
        return Err(invalid_at(format!("properties[{}].code", spec.code), complaint));
    }
    let knows = |code: &str| form.has(code) || spec.fields.iter().any(|inner| inner.code == code);
    let formulas = std::iter::once(&spec).chain(&spec.fields);
    if let Some(bad) =
        formulas.clone().find(|field| !field.expression.is_empty() && !formula::is_valid(&field.expression, &knows))
    {
        return Err(bad_formula(&bad.code));
    }
    let column = app.column(spec, true);
    app.preview_mut().columns.push(column);
    Ok(())
}

/// `PUT preview/app/form/fields.json`: code, label, formula and options can change, a type cannot.
pub(crate) fn change_fields(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let properties = params
        .get("properties")
        .and_then(Json::as_object)
        .cloned()
        .ok_or_else(|| invalid_at("properties", required()))?;
    let app = prepared(visit, params)?;
    for (code, property) in &properties {
        let column = app.preview_mut().anywhere_mut(code).ok_or_else(|| no_field_in_settings(code))?;
        let text = |name: &str| property.get(name).and_then(Json::as_str).map(str::to_owned);
        if let Some(label) = text("label") {
            column.spec.label = label;
        }
        if let Some(expression) = text("expression") {
            column.spec.expression = expression;
        }
        if let Some(options) = property.get("options").and_then(Json::as_object) {
            column.spec.options = options.keys().cloned().collect();
        }
        if let Some(new) = text("code") {
            rename(app, code, &new)?;
        }
    }
    Ok(changed(app))
}

/// Gives a field of the settings in preparation another code; formulas and look-ups follow.
pub(crate) fn rename(app: &mut App, code: &str, new: &str) -> Answer<()> {
    if new != code && app.preview().has(new) {
        let complaint = message("フィールドコードが重複しています。", "The field code is already used.");
        return Err(invalid_at(format!("properties[{code}].code"), complaint));
    }
    let form = app.preview_mut();
    form.anywhere_mut(code).ok_or_else(|| no_field_in_settings(code))?.spec.code = new.to_owned();
    for column in form.columns.iter_mut().flat_map(|column| {
        let Column { spec, inner, .. } = column;
        std::iter::once(spec).chain(inner.iter_mut().map(|inner| &mut inner.spec))
    }) {
        column.expression = replaced(&column.expression, code, new);
        for (here, _) in column.lookup.iter_mut().flat_map(|lookup| lookup.copies.iter_mut()) {
            if here == code {
                new.clone_into(here);
            }
        }
    }
    Ok(())
}

fn replaced(expression: &str, code: &str, new: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for letter in expression.chars().chain(['\0']) {
        if letter.is_whitespace() || "+-*/()&\"\0".contains(letter) {
            out.push_str(if word == code { new } else { &word });
            word.clear();
            if letter != '\0' {
                out.push(letter);
            }
        } else {
            word.push(letter);
        }
    }
    out
}

/// `DELETE preview/app/form/fields.json`.
pub(crate) fn remove_fields(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let codes = params.texts("fields").ok_or_else(|| invalid_at("fields", required()))?;
    let app = prepared(visit, params)?;
    for code in &codes {
        remove(app, code)?;
    }
    Ok(changed(app))
}

/// Takes a field out of the settings in preparation.
pub(crate) fn remove(app: &mut App, code: &str) -> Answer<()> {
    if !app.preview().has(code) {
        return Err(no_field_in_settings(code));
    }
    let form = app.preview_mut();
    form.columns.retain(|column| column.spec.code != code);
    form.columns.iter_mut().for_each(|column| column.inner.retain(|inner| inner.spec.code != code));
    Ok(())
}

/// `POST preview/app/deploy.json`.
pub(crate) fn deploy(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let apps = params.list("apps").ok_or_else(|| invalid_at("apps", required()))?;
    let revert = params.flag("revert");
    for app in apps {
        let id = app.get("app").and_then(whole).and_then(|id| u64::try_from(id).ok()).unwrap_or_default();
        let place = visit.app(id, Right::Manage)?;
        let (now, polls) = (visit.state.now, visit.state.options.hypotheses.deploy_polls);
        let app = &mut visit.state.apps[place];
        if revert {
            app.preview = None;
        } else {
            app.deploying = Some((polls, now));
            visit
                .state
                .auth
                .tokens
                .values_mut()
                .filter(|token| token.app == id)
                .for_each(|token| token.is_deployed = true);
        }
    }
    Ok(json!({}))
}

/// `GET preview/app/deploy.json`.
pub(crate) fn status(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let ids = params.ids("apps", 300)?.ok_or_else(|| invalid_at("apps", required()))?;
    let mut list = Vec::new();
    for id in ids {
        let place = visit.app(id, Right::Manage)?;
        visit.state.settle_deploy(place, true);
        let status = if visit.state.apps[place].deploying.is_some() { "PROCESSING" } else { "SUCCESS" };
        list.push(json!({"app": id.to_string(), "status": status}));
    }
    Ok(json!({ "apps": list }))
}

/// A field as the settings API writes it.
fn read_spec(code: &str, property: &Json) -> Option<FieldSpec> {
    let text = |name: &str| property.get(name).and_then(Json::as_str).unwrap_or_default();
    let field_type: FieldType = serde_json::from_value(property.get("type")?.clone()).ok()?;
    let code = if text("code").is_empty() { code } else { text("code") };
    let mut spec = FieldSpec::new(code, field_type);
    text("label").clone_into(&mut spec.label);
    text("expression").clone_into(&mut spec.expression);
    text("unit").clone_into(&mut spec.unit);
    spec.format = property
        .get("format")
        .and_then(|format| serde_json::from_value(format.clone()).ok())
        .unwrap_or(CalcFormat::Number);
    let flag = |name: &str| property.get(name).and_then(Json::as_bool).unwrap_or(false);
    spec.required = flag("required");
    spec.unique = flag("unique");
    spec.max_length = property.get("maxLength").and_then(whole).and_then(|length| u32::try_from(length).ok());
    let mut options: Vec<(i64, String)> = property
        .get("options")
        .and_then(Json::as_object)
        .into_iter()
        .flatten()
        .map(|(name, option)| (option.get("index").and_then(whole).unwrap_or(0), name.clone()))
        .collect();
    options.sort();
    spec.options = options.into_iter().map(|(_, name)| name).collect();
    spec.default = Some(text("defaultValue").to_owned()).filter(|default| !default.is_empty());
    if let Some(fields) = property.get("fields").and_then(Json::as_object) {
        spec.fields = fields.iter().map(|(code, inner)| read_spec(code, inner)).collect::<Option<_>>()?;
    }
    if let Some(lookup) = property.get("lookup") {
        let app = lookup.pointer("/relatedApp/app").and_then(whole).and_then(|id| u64::try_from(id).ok())?;
        let copies = lookup.get("fieldMappings").and_then(Json::as_array).into_iter().flatten();
        let pair = |pair: &Json| Some((pair["field"].as_str()?.to_owned(), pair["relatedField"].as_str()?.to_owned()));
        spec.lookup = Some(Lookup {
            app,
            key: lookup["relatedKeyField"].as_str()?.to_owned(),
            copies: copies.filter_map(pair).collect(),
        });
    }
    if let Some(table) = property.get("referenceTable") {
        let app = table.pointer("/relatedApp/app").and_then(whole).and_then(|id| u64::try_from(id).ok())?;
        let field = |name: &str| table.pointer(name).and_then(Json::as_str).map(str::to_owned);
        spec.related = Some(Related {
            app,
            field: field("/condition/field")?,
            related: field("/condition/relatedField")?,
            shown: Vec::new(),
        });
    }
    Some(spec)
}
