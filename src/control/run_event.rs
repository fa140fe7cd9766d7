//! `run_events`: the story of each run, line by line.

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set, QueryOrder};
use serde::Serialize;
use serde_json::Value;

use super::Control;
use super::failure::failed;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

#[allow(unreachable_pub)] // what the derive macro makes
mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "run_events")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub run_id: String,
        pub at: i64,
        pub level: String,
        pub stream: Option<String>,
        pub message: String,
        pub fields: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Whether somebody should act on an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventLevel {
    /// Part of the story.
    Info,
    /// Something was unusual, and we coped.
    Warn,
    /// A person must act.
    Error,
}

impl EventLevel {
    /// The word in the database and in outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            EventLevel::Info => "info",
            EventLevel::Warn => "warn",
            EventLevel::Error => "error",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [EventLevel::Info, EventLevel::Warn, EventLevel::Error].into_iter().find(|level| level.as_str() == text)
    }
}

/// One line of the story of a run; holds no values of records.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunEvent {
    /// When it happened.
    pub at: Timestamp,
    /// Whether somebody should act.
    pub level: EventLevel,
    /// The stream it is about, if it is about one.
    pub stream: Option<String>,
    /// What happened.
    pub message: String,
    /// Names, ids and counts that belong to it.
    pub fields: Value,
}

pub(super) async fn add(control: &Control, run_id: &str, event: &RunEvent) -> Result<()> {
    let added = row::ActiveModel {
        id: NotSet,
        run_id: Set(run_id.to_owned()),
        at: Set(event.at.micros()),
        level: Set(event.level.as_str().to_owned()),
        stream: Set(event.stream.clone()),
        message: Set(event.message.clone()),
        fields: Set(event.fields.to_string()),
    };
    row::Entity::insert(added)
        .exec_without_returning(&control.db)
        .await
        .map_err(failed("could not store an event of a run"))?;
    Ok(())
}

pub(super) async fn list(control: &Control, run_id: &str) -> Result<Vec<RunEvent>> {
    let found = row::Entity::find()
        .filter(row::Column::RunId.eq(run_id))
        .order_by_asc(row::Column::Id)
        .all(&control.db)
        .await
        .map_err(failed("could not read the events of a run"))?;
    found.into_iter().map(RunEvent::try_from).collect()
}

impl TryFrom<row::Model> for RunEvent {
    type Error = Error;

    fn try_from(row: row::Model) -> Result<Self> {
        let corrupt = |what: &'static str| {
            Error::new(ErrorKind::Corrupt, "an event of a run cannot be read")
                .with("run", &row.run_id)
                .with("column", what)
        };
        Ok(RunEvent {
            level: EventLevel::parse(&row.level).ok_or_else(|| corrupt("level"))?,
            fields: serde_json::from_str(&row.fields).map_err(|error| corrupt("fields").caused_by(error))?,
            at: Timestamp::from_micros(row.at),
            stream: row.stream,
            message: row.message,
        })
    }
}
