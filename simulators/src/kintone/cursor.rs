//! Cursors: whose records they give is fixed when they are made, what these hold is read page by page.

use std::collections::BTreeMap;

use serde_json::json;

use crate::kintone::auth::{Caller, Right};
use crate::kintone::params::Params;
use crate::kintone::query;
use crate::kintone::read::{all_ids, parsed, render, warned};
use crate::kintone::refusal::{
    Answer, bad_query, invalid_at, message, no_cursor, no_privilege, oauth, too_many_cursors,
};
use crate::kintone::visit::Visit;
use crate::wire::Reply;

/// How long a cursor lives after it was made or read.
const LIFE_SECS: i64 = 600;
/// How many cursors a domain has at once.
const MOST: usize = 10;

/// A cursor.
#[derive(Debug)]
pub(crate) struct Cursor {
    app: u64,
    ids: Vec<u64>,
    at: usize,
    size: usize,
    fields: Option<Vec<String>>,
    expires: i64,
    owner: Caller,
    is_part: bool,
}

/// All cursors of a domain.
#[derive(Debug, Default)]
pub(crate) struct Cursors(BTreeMap<String, Cursor>);

impl Cursors {
    /// How many there are at that instant.
    pub(crate) fn live(&mut self, now: i64) -> usize {
        self.0.retain(|_, cursor| cursor.expires > now);
        self.0.len()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

fn no_oauth(visit: &Visit<'_>) -> Answer<()> {
    if matches!(visit.caller, Caller::OAuth { .. }) { Err(oauth(403)) } else { Ok(()) }
}

/// `POST records/cursor.json`.
pub(crate) fn create(visit: &mut Visit<'_>, params: &Params) -> Answer<Reply> {
    no_oauth(visit)?;
    let place = visit.app(params.id("app")?, Right::View)?;
    let size = params.number("size")?.unwrap_or(100);
    if !(1..=500).contains(&size) {
        let complaint = message("1以上500以下でなければなりません。", "must be between 1 and 500");
        return Err(invalid_at("size", complaint));
    }
    let parsed = parsed(visit, params)?;
    if parsed.limit.is_some() || parsed.offset.is_some() {
        return Err(bad_query());
    }
    let now = visit.state.now;
    if visit.state.cursors.live(now) >= MOST {
        return Err(too_many_cursors());
    }
    let app = &visit.state.apps[place];
    let plan = query::bind(visit, app, &parsed)?;
    let found = all_ids(visit, app, &plan);
    let (chance, total) = (visit.chance, found.ids.len());
    let id = format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        chance >> 32,
        chance >> 16 & 0xffff,
        chance & 0xfff,
        chance >> 12 & 0xfff,
        chance >> 16
    );
    let cursor = Cursor {
        app: app.id,
        is_part: found.is_part,
        ids: found.ids,
        at: 0,
        size: size as usize,
        fields: params.texts("fields").filter(|fields| !fields.is_empty()),
        expires: now + LIFE_SECS,
        owner: visit.caller.clone(),
    };
    visit.warning |= cursor.is_part;
    visit.state.cursors.0.insert(id.clone(), cursor);
    Ok(warned(visit, Reply::value(200, &json!({"id": id, "totalCount": total.to_string()}))))
}

/// `GET records/cursor.json`.
pub(crate) fn next(visit: &mut Visit<'_>, params: &Params) -> Answer<Reply> {
    no_oauth(visit)?;
    let id = params.needed("id")?.to_owned();
    let place = reach(visit, &id)?;
    let now = visit.state.now;
    let cursor = visit.state.cursors.0.get_mut(&id).ok_or_else(no_cursor)?;
    let end = cursor.ids.len().min(cursor.at + cursor.size);
    let mut ids = cursor.ids[cursor.at..end].to_vec();
    cursor.at = end;
    cursor.expires = now + LIFE_SECS;
    let has_more = end < cursor.ids.len();
    let (fields, is_part) = (cursor.fields.clone(), cursor.is_part);
    if !has_more {
        visit.state.cursors.0.remove(&id);
    }
    let app = &visit.state.apps[place];
    // What was deleted since the cursor was made is passed over, so that a page may be empty.
    ids.retain(|&id| app.records.view(id, None).is_some() && visit.sees(app, id));
    ids.truncate(ids.len().saturating_sub(visit.lose));
    let body = format!("{{\"records\":[{}],\"next\":{has_more}}}", render(visit, app, &ids, fields.as_deref()));
    visit.rows = ids.len() as u64;
    visit.warning |= is_part;
    Ok(warned(visit, Reply::json(200, body)))
}

/// `DELETE records/cursor.json`.
pub(crate) fn delete(visit: &mut Visit<'_>, params: &Params) -> Answer<Reply> {
    no_oauth(visit)?;
    let id = params.needed("id")?.to_owned();
    reach(visit, &id)?;
    visit.state.cursors.0.remove(&id);
    Ok(Reply::value(200, &json!({})))
}

/// The app of a live cursor that the caller may use.
fn reach(visit: &mut Visit<'_>, id: &str) -> Answer<usize> {
    let now = visit.state.now;
    visit.state.cursors.live(now);
    let cursor = visit.state.cursors.0.get(id).ok_or_else(no_cursor)?;
    if visit.state.options.hypotheses.cursor_bound && cursor.owner != visit.caller {
        return Err(no_privilege());
    }
    let app = cursor.app;
    visit.app(app, Right::View)
}
