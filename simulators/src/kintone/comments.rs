//! Comments on records.

use serde_json::{Value as Json, json};

use crate::kintone::auth::Right;
use crate::kintone::edit::{self, Change};
use crate::kintone::events;
use crate::kintone::params::Params;
use crate::kintone::refusal::{Answer, enumeration, invalid_at, message, no_comment};
use crate::kintone::state::State;
use crate::kintone::time;
use crate::kintone::visit::Visit;

/// How many comments a call gives.
const PAGE: usize = 10;

/// A comment.
#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) text: String,
    pub(crate) created: i64,
    pub(crate) creator: String,
}

/// Adds a comment to a record; gives its number.
pub(crate) fn add(state: &mut State, app: usize, id: u64, creator: &str, text: &str) -> Answer<u64> {
    if state.options.hypotheses.comment_touches {
        edit::update(state, app, id, Change::new(creator.into()))?;
    }
    let created = state.now;
    let list = state.apps[app].comments.entry(id).or_default();
    let number = list.last().map_or(1, |comment| comment.id + 1);
    list.push(Comment { id: number, text: text.to_owned(), created, creator: creator.to_owned() });
    Ok(number)
}

/// `GET record/comments.json`.
pub(crate) fn list(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let app = visit.app(params.id("app")?, Right::View)?;
    let id = params.id("record")?;
    visit.viewable(app, id)?;
    let newest_first = match params.text("order").unwrap_or("desc") {
        "desc" => true,
        "asc" => false,
        _ => return Err(invalid_at("order", enumeration())),
    };
    let offset = usize::try_from(params.number("offset")?.unwrap_or(0)).unwrap_or(0);
    let limit = params.number("limit")?.unwrap_or(PAGE as i64);
    if !(0..=PAGE as i64).contains(&limit) {
        return Err(invalid_at("limit", message("最大でも10以下です。", "must be less than or equal to 10")));
    }
    let mut all: Vec<&Comment> = visit.state.apps[app].comments.get(&id).into_iter().flatten().collect();
    if newest_first {
        all.reverse();
    }
    let page: Vec<Json> = all
        .iter()
        .skip(offset)
        .take(limit as usize)
        .map(|comment| {
            let name =
                visit.state.auth.person(&comment.creator).map_or(comment.creator.as_str(), |person| &person.name);
            json!({
                "id": comment.id.to_string(), "text": comment.text, "createdAt": time::second(comment.created),
                "creator": {"code": comment.creator, "name": name}, "mentions": [],
            })
        })
        .collect();
    let (before, after) = (offset > 0, offset + page.len() < all.len());
    let (older, newer) = if newest_first { (after, before) } else { (before, after) };
    Ok(json!({"comments": page, "older": older, "newer": newer}))
}

/// `POST record/comment.json`.
pub(crate) fn post(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let app = visit.app(params.id("app")?, Right::View)?;
    let id = params.id("record")?;
    visit.viewable(app, id)?;
    let text = params.get("comment").and_then(|comment| comment.get("text")).and_then(Json::as_str).unwrap_or_default();
    let user = visit.caller.user();
    let number = add(visit.state, app, id, &user, text)?;
    events::tell(visit.state, "ADD_RECORD_COMMENT", app, id, true);
    Ok(json!({"id": number.to_string()}))
}

/// `DELETE record/comment.json`.
pub(crate) fn delete(visit: &mut Visit<'_>, params: &Params) -> Answer<Json> {
    let app = visit.app(params.id("app")?, Right::View)?;
    let (id, number) = (params.id("record")?, params.id("comment")?);
    visit.viewable(app, id)?;
    let list = visit.state.apps[app].comments.entry(id).or_default();
    let place = list.iter().position(|comment| comment.id == number).ok_or_else(|| no_comment(number))?;
    list.remove(place);
    Ok(json!({}))
}
