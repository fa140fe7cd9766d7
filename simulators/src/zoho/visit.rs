//! A call that is being answered.

use crate::instant::parse_datetime;
use crate::wire::Request;
use crate::zoho::auth::Caller;
use crate::zoho::field::Column;
use crate::zoho::module::{Access, Module};
use crate::zoho::records::View;
use crate::zoho::refusal::{
    Answer, invalid_data, invalid_module, limit, no_permission, not_supported, require, scope_mismatch,
};
use crate::zoho::state::State;

/// A call, who made it, and what it is answered from.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) request: &'a Request,
    pub(crate) caller: Caller,
    /// How many records the page lacks at its end.
    pub(crate) lose: usize,
    /// How many records a page holds at most.
    pub(crate) short: Option<u64>,
    /// How a bulk job that is made or polled now goes wrong.
    pub(crate) job_fails: bool,
    pub(crate) job_sticks: bool,
    /// Whether a job's file ends in a row that lacks a cell.
    pub(crate) ragged: bool,
    /// How many records the answer held.
    pub(crate) rows: u64,
}

impl Visit<'_> {
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.request.parameter(name)
    }

    /// A whole number from 1 on.
    pub(crate) fn whole(&self, name: &str, default: u64, most: u64) -> Answer<u64> {
        let Some(text) = self.parameter(name) else { return Ok(default) };
        let number = require(text.parse::<u64>().ok().filter(|&number| number > 0), || invalid_data(name))?;
        if number > most { Err(limit(name, most)) } else { Ok(number) }
    }

    /// What `If-Modified-Since` says.
    pub(crate) fn since(&self) -> Answer<Option<i64>> {
        let Some(text) = self.request.header("if-modified-since") else { return Ok(None) };
        require(parse_datetime(text), || invalid_data("If-Modified-Since")).map(Some)
    }

    /// Refuses callers whose scopes do not cover that group (`users`, `org`, `coql`, `settings/fields`, `modules/Deals`).
    pub(crate) fn needs(&self, group: &str) -> Answer<()> {
        if self.caller.covers(group) { Ok(()) } else { Err(scope_mismatch()) }
    }

    /// The module of that name, if the caller may read its records.
    pub(crate) fn readable(&self, name: &str) -> Answer<usize> {
        let place = self.listed(name)?;
        let module = &self.state.modules[place];
        let scope = if module.generated_type == "default" { name.to_lowercase() } else { "custom".to_owned() };
        self.needs(&format!("modules/{scope}"))?;
        match module.access {
            Access::Unsupported => Err(invalid_module()),
            Access::Forbidden => Err(no_permission()),
            Access::Administrators if !self.caller.is_admin => Err(not_supported()),
            _ => Ok(place),
        }
    }

    /// The module of that name, whether its records may be read or not.
    pub(crate) fn listed(&self, name: &str) -> Answer<usize> {
        let place = require(self.state.find(name), invalid_module)?;
        if name == "DealHistory" && !self.state.options.hypotheses.deal_history_module {
            return Err(invalid_module());
        }
        Ok(place)
    }

    /// Whether the caller may see that field.
    pub(crate) fn sees(&self, column: &Column) -> bool {
        self.caller.is_admin || !column.is_hidden
    }

    /// Whether the caller may see that record.
    pub(crate) fn sees_record(&self, module: &Module, view: &View<'_>) -> bool {
        self.caller.is_admin || !module.hidden.contains(&view.number)
    }
}
