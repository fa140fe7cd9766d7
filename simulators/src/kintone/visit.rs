//! A call while it is being answered: who calls, by which way, and what they may.

use crate::kintone::app::{App, Column};
use crate::kintone::auth::{Caller, Right};
use crate::kintone::options::Language;
use crate::kintone::refusal::{
    Answer, Refusal, guest_app, no_app, no_privilege, no_record, oauth, token_lacks_right, token_of_other_app,
};
use crate::kintone::state::State;

/// A call while it is being answered.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) caller: Caller,
    /// The guest space in the path.
    pub(crate) space: Option<u64>,
    pub(crate) language: Language,
    /// Whether settings in preparation are asked for.
    pub(crate) is_preview: bool,
    /// Differs from call to call, and is repeated by the same seed.
    pub(crate) chance: u64,
    /// How many records a faulty page lacks.
    pub(crate) lose: usize,
    /// A header that the answer gets.
    pub(crate) warning: bool,
    /// How many records the answer holds.
    pub(crate) rows: u64,
    /// Whether the call is one part of a bulk request, which is not counted.
    pub(crate) is_part: bool,
}

impl Visit<'_> {
    /// The place of the app of that id, if it is there, reached by the right way, and the caller may do that with it.
    /// Counts the request.
    pub(crate) fn app(&mut self, id: u64, right: Right) -> Answer<usize> {
        let state = &mut *self.state;
        let place = state.apps.iter().position(|app| app.id == id && !app.is_deleted).ok_or_else(|| no_app(id))?;
        let app = &state.apps[place];
        match (self.space, app.guest_space) {
            (None, Some(_)) => return Err(guest_app()),
            (Some(space), own) if own != Some(space) => return Err(no_privilege()),
            _ => {}
        }
        allow(&self.caller, app, right, &state.options.hypotheses)?;
        if !self.is_part {
            let today = state.limits.count(id, state.now);
            if state.options.hypotheses.daily_refusal.is_some_and(|most| today > most) {
                return Err(Refusal::new(
                    429,
                    "GAIA_TO05",
                    "1日のAPIリクエスト数の上限を超えました。",
                    "Too many API requests today.",
                ));
            }
        }
        Ok(place)
    }

    /// Makes sure that the record is there and the caller may view it.
    pub(crate) fn viewable(&self, app: usize, id: u64) -> Answer<()> {
        let target = &self.state.apps[app];
        if target.records.view(id, None).is_none() {
            return Err(no_record(id));
        }
        if !self.sees(target, id) {
            let missing = self.state.options.hypotheses.hidden_record_missing;
            return Err(if missing { no_record(id) } else { no_privilege() });
        }
        Ok(())
    }

    /// Whether the access list of records lets the caller see this one.
    pub(crate) fn sees(&self, app: &App, id: u64) -> bool {
        !(self.caller.is_narrowed() && app.hidden_records.contains(&id))
    }

    /// The fields that the caller may see.
    pub(crate) fn columns<'a>(&self, app: &'a App) -> Vec<&'a Column> {
        let narrowed = self.caller.is_narrowed();
        app.live.columns.iter().filter(|column| !(narrowed && app.hidden_fields.contains(&column.spec.code))).collect()
    }

    /// Whether the caller may set what the domain fills in by itself.
    pub(crate) fn manages(&self, app: u64) -> bool {
        match &self.caller {
            Caller::Tokens(apps) => apps.iter().any(|(known, rights)| *known == app && rights.manage),
            Caller::User { is_admin, .. } => *is_admin,
            Caller::OAuth { scopes, .. } => scopes.iter().any(|scope| scope == "k:app_settings:write"),
        }
    }

    /// Refuses OAuth callers without that scope.
    pub(crate) fn scope(&self, scope: &str) -> Answer<()> {
        match &self.caller {
            Caller::OAuth { scopes, .. } if !scopes.iter().any(|known| known == scope) => Err(oauth(403)),
            _ => Ok(()),
        }
    }
}

fn allow(caller: &Caller, app: &App, right: Right, open: &crate::kintone::options::Hypotheses) -> Answer<()> {
    match caller {
        Caller::Tokens(apps) => match apps.iter().find(|(known, _)| *known == app.id) {
            None => Err(token_of_other_app(open.wrong_app_status, app.id)),
            Some((_, rights)) if rights.allow(right) => Ok(()),
            Some(_) => Err(token_lacks_right()),
        },
        Caller::User { is_admin, .. } => {
            let refused = !is_admin && (app.is_closed || right == Right::Manage);
            if refused { Err(no_privilege()) } else { Ok(()) }
        }
        Caller::OAuth { scopes, .. } => {
            let needed = match right {
                Right::View => "k:app_record:read",
                Right::Form => "k:app_settings:read",
                Right::Add | Right::Edit | Right::Delete => "k:app_record:write",
                Right::Manage => "k:app_settings:write",
            };
            if !scopes.iter().any(|scope| scope == needed) {
                return Err(oauth(403));
            }
            if app.is_closed { Err(no_privilege()) } else { Ok(()) }
        }
    }
}
