//! What an account lists whole: its owners, and the pipelines of an object with their stages.
//!
//! A list is read whole in every run and told as the changes since the last one; once in a while it is told as a
//! complete reading, so that what is no longer listed is gone.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::model::Property;
use super::page::{Paging, instant};
use super::place::Catalog;
use crate::connect::canonical;
use crate::record::{DeleteKind, Field, FieldClass, RecordHead, Records, RecordsBuilder, Stream};

/// Fields with their types, in order.
type Fields = &'static [(&'static str, &'static str)];

const OWNER: Fields = &[
    ("id", "string"),
    ("email", "string"),
    ("type", "string"),
    ("firstName", "string"),
    ("lastName", "string"),
    ("userId", "string"),
    ("userIdIncludingInactive", "string"),
    ("teams", "json"),
    ("createdAt", "datetime"),
    ("updatedAt", "datetime"),
];

const PIPELINE: Fields = &[
    ("id", "string"),
    ("label", "string"),
    ("displayOrder", "number"),
    ("createdAt", "datetime"),
    ("updatedAt", "datetime"),
];

const STAGE: Fields = &[
    ("pipeline", "string"),
    ("id", "string"),
    ("label", "string"),
    ("displayOrder", "number"),
    ("isClosed", "bool"),
    ("probability", "number"),
    ("ticketState", "string"),
    ("metadata", "json"),
    ("createdAt", "datetime"),
    ("updatedAt", "datetime"),
];

/// Since when, until when and how long a record is in a stage: the beginnings of the properties' names, their types, and
/// what people call them.
const STAGE_TIMES: [(&str, &str, &str); 4] = [
    ("hs_v2_date_entered_", "datetime", "Date entered"),
    ("hs_v2_date_exited_", "datetime", "Date exited"),
    ("hs_v2_latest_time_in_", "number", "Latest time in"),
    ("hs_v2_cumulative_time_in_", "number", "Cumulative time in"),
];

impl Catalog {
    fn fields(self) -> Fields {
        match self {
            Catalog::Owners => OWNER,
            Catalog::Pipelines => PIPELINE,
            Catalog::Stages => STAGE,
        }
    }

    /// Its stream, called `name`.
    pub(super) fn stream(self, name: &str) -> Stream {
        let field = |&(name, kind): &(&str, &str)| {
            Field::plain(name, kind, if name == "updatedAt" { FieldClass::Bookkeeping } else { FieldClass::Business })
        };
        let key: &[&str] = if self == Catalog::Stages { &["pipeline", "id"] } else { &["id"] };
        Stream {
            name: name.to_owned(),
            label: None,
            key: key.iter().map(|name| (*name).to_owned()).collect(),
            stamp: Some("updatedAt".to_owned()),
            fields: self.fields().iter().map(field).collect(),
            dated: false,
            tells_deletes: false,
        }
    }

    /// A builder of its records.
    pub(super) fn rows(self) -> Rows {
        let names: Arc<[String]> = self.fields().iter().map(|(name, _)| (*name).to_owned()).collect();
        Rows(RecordsBuilder::new(names, 16))
    }
}

/// The records of a catalog so far.
pub(super) struct Rows(RecordsBuilder);

impl Rows {
    pub(super) fn finish(self) -> Records {
        self.0.finish()
    }

    pub(super) fn owner(&mut self, owner: &Owner) {
        let times = &owner.times;
        let values = vec![
            Some(owner.id.clone()),
            owner.email.clone(),
            owner.kind.clone(),
            owner.first_name.clone(),
            owner.last_name.clone(),
            plain(owner.user_id.as_ref()),
            plain(owner.user_id_including_inactive.as_ref()),
            told(owner.teams.as_ref()),
            times.created_at.clone(),
            times.updated_at.clone(),
        ];
        self.row(owner.id.clone(), values, times);
    }

    pub(super) fn pipeline(&mut self, pipeline: &Pipeline) {
        let times = &pipeline.times;
        let values = vec![
            Some(pipeline.id.clone()),
            pipeline.label.clone(),
            plain(pipeline.display_order.as_ref()),
            times.created_at.clone(),
            times.updated_at.clone(),
        ];
        self.row(pipeline.id.clone(), values, times);
    }

    pub(super) fn stage(&mut self, pipeline: &Pipeline, stage: &Stage) {
        let times = &stage.times;
        let values = vec![
            Some(pipeline.id.clone()),
            Some(stage.id.clone()),
            stage.label.clone(),
            plain(stage.display_order.as_ref()),
            stage.metadata("isClosed"),
            stage.metadata("probability"),
            stage.metadata("ticketState"),
            told(stage.metadata.as_ref()),
            times.created_at.clone(),
            times.updated_at.clone(),
        ];
        // The words for default stages are the same in every pipeline.
        self.row(serde_json::json!([pipeline.id, stage.id]).to_string(), values, times);
    }

    fn row(&mut self, key: String, values: Vec<Option<String>>, times: &Times) {
        for (column, value) in values.iter().enumerate() {
            self.0.set(column, value.as_deref().filter(|text| !text.is_empty()));
        }
        self.0.finish_row(RecordHead {
            key,
            stamp: times.updated_at.as_deref().and_then(instant),
            created_at: times.created_at.as_deref().and_then(instant),
            deleted: times.archived.then_some(DeleteKind::Archived),
            ..RecordHead::default()
        });
    }
}

/// The properties by which records tell since when they are in which stage, as far as `known` does not have them: no list
/// of properties shows them.
pub(super) fn stage_times(pipelines: &[Pipeline], known: &[Property]) -> Vec<Property> {
    let stages = pipelines.iter().flat_map(|pipeline| pipeline.stages.iter().map(move |stage| (pipeline, stage)));
    let times = stages.flat_map(|(pipeline, stage)| {
        STAGE_TIMES.iter().map(move |(begin, kind, what)| {
            let name = |label: &Option<String>, id: &String| label.clone().unwrap_or_else(|| id.clone());
            let (stage_name, pipeline_name) = (name(&stage.label, &stage.id), name(&pipeline.label, &pipeline.id));
            Property::derived(format!("{begin}{}", stage.id), kind, format!("{what} {stage_name} ({pipeline_name})"))
        })
    });
    let mut added: Vec<Property> = Vec::new();
    for property in times {
        if !known.iter().chain(&added).any(|other| other.name == property.name) {
            added.push(property);
        }
    }
    added
}

/// When something was made and changed, and whether it was put aside.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Times {
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
    #[serde(default)]
    archived: bool,
}

/// A page of owners.
#[derive(Debug, Deserialize)]
pub(super) struct Owners {
    pub(super) results: Vec<Owner>,
    #[serde(default)]
    pub(super) paging: Paging,
}

/// Somebody to whom records belong.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Owner {
    id: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    first_name: Option<String>,
    #[serde(default)]
    last_name: Option<String>,
    #[serde(default)]
    user_id: Option<Value>,
    #[serde(default)]
    user_id_including_inactive: Option<Value>,
    #[serde(default)]
    teams: Option<Value>,
    #[serde(flatten)]
    times: Times,
}

/// A way that records go, stage by stage.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pipeline {
    id: String,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    display_order: Option<Value>,
    #[serde(default)]
    pub(super) stages: Vec<Stage>,
    #[serde(flatten)]
    times: Times,
}

/// A stage of a pipeline.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stage {
    id: String,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    display_order: Option<Value>,
    #[serde(default)]
    metadata: Option<Value>,
    #[serde(flatten)]
    times: Times,
}

impl Stage {
    fn metadata(&self, name: &str) -> Option<String> {
        let value = plain(self.metadata.as_ref()?.get(name))?;
        Some(if name == "probability" { canonical::number(&value).into_owned() } else { value })
    }
}

/// A number, or a text, as text.
fn plain(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(canonical::number(&other.to_string()).into_owned()),
    }
}

/// A nested value as one text.
fn told(value: Option<&Value>) -> Option<String> {
    let raw = serde_json::value::to_raw_value(value.filter(|value| !value.is_null())?).ok()?;
    canonical::json(&raw).ok()
}
