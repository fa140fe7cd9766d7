//! The list of deleted records, and what becomes of it with time.

use serde_json::{Value as Json, json};

use crate::chance::mix;
use crate::instant::DAY;
use crate::wire::Reply;
use crate::zoho::edit;
use crate::zoho::module::Deletion;
use crate::zoho::people::brief;
use crate::zoho::records::Place;
use crate::zoho::refusal::{Answer, invalid_data};
use crate::zoho::state::State;
use crate::zoho::time;
use crate::zoho::visit::Visit;

/// How long the recycle bin keeps records.
const BIN_SECS: i64 = 60 * DAY;
/// How long the list knows of records that are gone.
const GONE_SECS: i64 = 120 * DAY;

/// When an entry became what it is.
fn since(deletion: &Deletion) -> i64 {
    deletion.purged.unwrap_or(deletion.deleted)
}

/// Empties recycle bins of what is too old, and lists of what is older still.
pub(crate) fn age(state: &mut State) {
    let now = state.now;
    for module in 0..state.modules.len() {
        let old: Vec<u64> = state.modules[module]
            .deletions
            .iter_mut()
            .filter(|deletion| deletion.purged.is_none() && deletion.deleted + BIN_SECS <= now)
            .map(|deletion| {
                deletion.purged = Some(deletion.deleted + BIN_SECS);
                deletion.number
            })
            .collect();
        for number in old {
            // What is in the list of a bin is in the bin.
            let _ = edit::send(state, module, number, Place::Bin, Place::Gone, false);
        }
        state.modules[module]
            .deletions
            .retain(|deletion| deletion.purged.is_none_or(|purged| purged + GONE_SECS > now));
    }
}

/// `GET /{module}/deleted`.
pub(crate) fn deleted(visit: &mut Visit<'_>, name: &str) -> Answer<Reply> {
    let module = visit.readable(name)?;
    let kind = visit.parameter("type").unwrap_or_else(|| "all".to_owned());
    let is_wanted = |deletion: &Deletion| match kind.as_str() {
        "recycle" => deletion.purged.is_none(),
        "permanent" => deletion.purged.is_some(),
        _ => true,
    };
    if !["all", "recycle", "permanent"].contains(&kind.as_str()) {
        return Err(invalid_data("type"));
    }
    let (page, per_page) = (visit.whole("page", 1, 100_000)?, visit.whole("per_page", 200, 200)?);
    let after = visit.since()?.unwrap_or(i64::MIN);
    let state = &*visit.state;
    let target = &state.modules[module];
    let sees = |deletion: &Deletion| visit.caller.is_admin || !target.hidden.contains(&deletion.number);
    let mut found: Vec<&Deletion> = target
        .deletions
        .iter()
        .filter(|deletion| is_wanted(deletion) && since(deletion) >= after && sees(deletion))
        .collect();
    if state.options.hypotheses.deleted_shuffled {
        // No order at all, but the same on all pages.
        found.sort_by_key(|deletion| mix(state.options.seed, deletion.number, target.deletions.len() as u64));
    }
    let from = ((page - 1) * per_page) as usize;
    let zone = state.options.zone_secs;
    let mut shown: Vec<Json> = found
        .iter()
        .skip(from)
        .take(per_page as usize)
        .map(|deletion| {
            json!({
                "deleted_by": brief(state, deletion.by), "id": state.id_of(module, deletion.number).to_string(),
                "display_name": deletion.display_name, "created_by": brief(state, deletion.creator),
                "type": if deletion.purged.is_some() { "permanent" } else { "recycle" },
                "deleted_time": time::stamp(since(deletion), zone),
            })
        })
        .collect();
    if shown.is_empty() {
        return Ok(Reply::empty(204));
    }
    let more = found.len() > from + shown.len();
    shown.truncate(shown.len().saturating_sub(visit.lose));
    visit.rows = shown.len() as u64;
    let info = json!({"per_page": per_page, "count": shown.len(), "page": page, "more_records": more});
    Ok(Reply::value(200, &json!({"data": shown, "info": info})))
}
