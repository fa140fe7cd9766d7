//! Reading records.

use serde_json::{Value as Json, json};

use crate::kintone::app::App;
use crate::kintone::auth::Right;
use crate::kintone::fault::WARNING;
use crate::kintone::output::{self, Key, Style};
use crate::kintone::params::Params;
use crate::kintone::query::{self, Found, Plan, Query};
use crate::kintone::refusal::{Answer, bad_query};
use crate::kintone::visit::Visit;
use crate::wire::Reply;

/// How many records a page has when nothing is said.
const USUAL_PAGE: u64 = 100;

/// `GET record.json`.
pub(crate) fn one(visit: &mut Visit<'_>, params: &Params) -> Answer<Reply> {
    let place = visit.app(params.id("app")?, Right::View)?;
    let id = params.id("id")?;
    visit.viewable(place, id)?;
    let body = format!("{{\"record\":{}}}", render(visit, &visit.state.apps[place], &[id], None));
    visit.rows = 1;
    Ok(Reply::json(200, body))
}

/// `GET records.json`.
pub(crate) fn many(visit: &mut Visit<'_>, params: &Params) -> Answer<Reply> {
    let place = visit.app(params.id("app")?, Right::View)?;
    let with_total = params.flag("totalCount");
    let fields = params.texts("fields").filter(|fields| !fields.is_empty());
    let app = &visit.state.apps[place];
    let parsed = parsed(visit, params)?;
    let plan = query::bind(visit, app, &parsed)?;
    let mut found = query::run(visit, app, &plan, USUAL_PAGE, with_total);
    lose(visit, &mut found);
    let total = found.total.map_or(Json::Null, |total| json!(total.to_string()));
    let records = render(visit, app, &found.ids, fields.as_deref());
    let body = format!("{{\"records\":[{records}],\"totalCount\":{total}}}");
    let (rows, is_part) = (found.ids.len() as u64, found.is_part);
    visit.rows = rows;
    visit.warning |= is_part;
    Ok(warned(visit, Reply::json(200, body)))
}

/// The query among the parameters.
pub(crate) fn parsed(visit: &Visit<'_>, params: &Params) -> Answer<Query> {
    let any_case = visit.state.options.hypotheses.keywords_any_case;
    query::parse(params.text("query").unwrap_or_default(), any_case).ok_or_else(bad_query)
}

/// Takes away what a faulty page lacks.
pub(crate) fn lose(visit: &Visit<'_>, found: &mut Found) {
    let kept = found.ids.len().saturating_sub(visit.lose);
    found.ids.truncate(kept);
}

/// Adds the header that says that an answer is not all.
pub(crate) fn warned(visit: &Visit<'_>, reply: Reply) -> Reply {
    if visit.warning { reply.with("X-Cybozu-Warning", WARNING) } else { reply }
}

/// The records with these ids, with commas between them; all fields that the caller may see, or these.
pub(crate) fn render(visit: &Visit<'_>, app: &App, ids: &[u64], fields: Option<&[String]>) -> String {
    let keys = keys(visit, app, fields);
    let style = Style {
        people: &visit.state.auth.people,
        options: &visit.state.options,
        language: visit.language,
        chance: visit.chance,
    };
    let mut out = String::new();
    for id in ids {
        let Some(view) = app.records.view(*id, None) else { continue };
        if !out.is_empty() {
            out.push(',');
        }
        output::record(app, &view, &keys, &style, &mut out);
    }
    out
}

fn keys<'a>(visit: &Visit<'_>, app: &'a App, fields: Option<&[String]>) -> Vec<Key<'a>> {
    let columns = visit.columns(app);
    let wanted = |code: &str| fields.is_none_or(|fields| fields.iter().any(|field| field == code));
    let mut keys = Vec::with_capacity(columns.len() + 2);
    if wanted("$id") {
        keys.push(Key::Id);
    }
    if wanted("$revision") {
        keys.push(Key::Revision);
    }
    keys.extend(columns.into_iter().filter(|column| wanted(&column.spec.code)).map(Key::Field));
    keys
}

/// All ids that a query finds, however many.
pub(crate) fn all_ids(visit: &Visit<'_>, app: &App, plan: &Plan<'_>) -> Found {
    query::run(visit, app, plan, u64::MAX, false)
}
