//! Which stream is what part of an account.

use super::config::StreamConfig;
use super::plan;

/// The name of the stream that holds the account's owners.
pub(super) const OWNERS: &str = "owners";
/// What the stream of an object's history is called behind its name.
pub(super) const HISTORY: &str = "history";
/// What the stream of an object's pipelines is called behind its name.
pub(super) const PIPELINES: &str = "pipelines";
/// What the stream of the stages of an object's pipelines is called behind its name.
pub(super) const STAGES: &str = "stages";

/// An object, or what belongs to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) config: &'a StreamConfig,
    pub(super) part: Part<'a>,
}

/// What of an object a stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Its records.
    Records,
    /// What became of some of their properties.
    History,
    /// The records of another object that they are linked with.
    Links(&'a str),
    /// What is listed whole in one answer or a few.
    Catalog(Catalog),
}

/// What is listed whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Catalog {
    Owners,
    Pipelines,
    Stages,
}

impl StreamConfig {
    /// The streams of this entry with their names, in the order shown.
    pub(super) fn places(&self) -> Vec<(String, Place<'_>)> {
        let place = |part| Place { config: self, part };
        let name = &self.name;
        if self.is_owners() {
            return vec![(name.clone(), place(Part::Catalog(Catalog::Owners)))];
        }
        let mut places = vec![(name.clone(), place(Part::Records))];
        if !self.history.is_empty() {
            places.push((plan::history_of(name), place(Part::History)));
        }
        if self.pipelines {
            places.push((format!("{name}.{PIPELINES}"), place(Part::Catalog(Catalog::Pipelines))));
            places.push((format!("{name}.{STAGES}"), place(Part::Catalog(Catalog::Stages))));
        }
        places.extend(self.associations.iter().map(|to| (format!("{name}.{to}"), place(Part::Links(to)))));
        places
    }

    /// Whether the entry means the account's owners, which are no object.
    pub(super) fn is_owners(&self) -> bool {
        self.name == OWNERS
    }
}

impl Place<'_> {
    /// What can be seen of it. Which records are seen depends on the scopes of the token alone: a service key sees all of
    /// an object.
    pub(super) fn scope(&self) -> String {
        let object = &self.config.name;
        match self.part {
            Part::Records => object.clone(),
            Part::History => format!("{object} history of {}", self.config.history.join(", ")),
            Part::Links(to) => format!("{object} links with {to}"),
            Part::Catalog(Catalog::Owners) => OWNERS.to_owned(),
            Part::Catalog(Catalog::Pipelines) => format!("{object} {PIPELINES}"),
            Part::Catalog(Catalog::Stages) => format!("{object} {STAGES}"),
        }
    }
}
