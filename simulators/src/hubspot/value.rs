//! What a property of a record holds.

use crate::hubspot::history;
use crate::hubspot::links;
use crate::hubspot::object::Object;
use crate::hubspot::pipeline::Stage;
use crate::hubspot::property::{Origin, Property, StageFact};
use crate::hubspot::records::View;
use crate::hubspot::state::State;
use crate::hubspot::time::iso;

/// The value as it is kept: `Some("")` where it was taken away, `None` where there never was one.
pub(crate) fn raw(state: &State, place: usize, view: &View<'_>, property: &Property) -> Option<String> {
    let object = &state.objects[place];
    match property.origin {
        Origin::Id => return Some(view.id.to_string()),
        Origin::Created => return Some(iso(view.created())),
        Origin::Modified => return Some(iso(view.modified())),
        _ => {}
    }
    if let Some(text) = view.written(property.slot) {
        return Some(text.to_owned());
    }
    match property.origin {
        Origin::Made(make) if view.is_base => make(view.base, view.id),
        Origin::MergedIds => merged(view, |id, _| id.to_string()),
        Origin::MergedVids => merged(view, |id, at| format!("{id}:{at}")),
        Origin::Copy(of) => raw(state, place, view, object.property(of)?),
        Origin::OfStage(fact) => {
            let held = raw(state, place, view, object.stage_property()?)?;
            Some(of_stage(object, &held, fact))
        }
        Origin::Count(of) => {
            let to = state.find(of)?;
            Some(links::live(state, (place, view.id), to).len().to_string())
        }
        Origin::Primary(of) => {
            let to = state.find(of)?;
            links::primary(state, (place, view.id), to).map(|other| other.to_string())
        }
        _ => None,
    }
}

/// The value as readers get it.
pub(crate) fn read(state: &State, place: usize, view: &View<'_>, property: &Property) -> Option<String> {
    raw(state, place, view, property).filter(|text| !text.is_empty() || !state.options.hypotheses.cleared_null)
}

/// What was merged into the record, if anything was.
fn merged(view: &View<'_>, of: impl Fn(u64, i64) -> String) -> Option<String> {
    let parts: Vec<String> = view.merged().into_iter().map(|(id, at)| of(id, at)).collect();
    (!parts.is_empty()).then(|| parts.join(";"))
}

/// The stage of that id.
fn stage<'a>(object: &'a Object, id: &str) -> Option<&'a Stage> {
    object.pipelines.iter().flat_map(|pipeline| &pipeline.stages).find(|stage| stage.id == id)
}

fn of_stage(object: &Object, held: &str, fact: StageFact) -> String {
    let stage = stage(object, held);
    let is_closed = stage.is_some_and(Stage::is_closed);
    let probability = stage.and_then(Stage::probability).unwrap_or("0.0");
    match fact {
        StageFact::Closed => is_closed.to_string(),
        StageFact::Won => (is_closed && probability == "1.0").to_string(),
        StageFact::Lost => (is_closed && probability == "0.0").to_string(),
        StageFact::Probability => probability.to_owned(),
    }
}

/// What a property such as `hs_v2_date_entered_closedwon` holds, which no list names; `None` where there is no such
/// property, `Some(None)` where the record never was in the stage.
pub(crate) fn stage_time(state: &State, place: usize, view: &View<'_>, name: &str) -> Option<Option<String>> {
    let forms = ["date_entered_", "date_exited_", "latest_time_in_", "cumulative_time_in_"];
    let rest = name.strip_prefix("hs_v2_")?;
    let (form, id) = forms.into_iter().find_map(|form| Some((form, rest.strip_prefix(form)?)))?;
    let object = &state.objects[place];
    stage(object, id)?;
    let mut steps = history::all(state, place, view, object.stage_property()?);
    steps.reverse();
    let mut stays: Vec<(i64, Option<i64>)> = Vec::new();
    for (nth, step) in steps.iter().enumerate().filter(|(_, step)| &*step.value == id) {
        stays.push((step.at, steps.get(nth + 1).map(|next| next.at)));
    }
    let length = |(from, to): &(i64, Option<i64>)| to.unwrap_or(state.now) - from;
    Some(match form {
        "date_entered_" => stays.last().map(|stay| iso(stay.0)),
        "date_exited_" => stays.last().and_then(|stay| stay.1).map(iso),
        "latest_time_in_" => stays.last().map(|stay| length(stay).to_string()),
        _ => (!stays.is_empty()).then(|| stays.iter().map(length).sum::<i64>().to_string()),
    })
}
