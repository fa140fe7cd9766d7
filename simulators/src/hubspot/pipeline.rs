//! Pipelines, and what happened to them.

use serde_json::{Value as Json, json};

use crate::hubspot::time::iso;

/// A stage of a pipeline.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) id: String,
    pub(crate) label: String,
    /// Names and texts: `isClosed`, `probability`, `ticketState`.
    pub(crate) metadata: Vec<(&'static str, String)>,
    pub(crate) archived: bool,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

impl Stage {
    /// Whether records in it are done with.
    pub(crate) fn is_closed(&self) -> bool {
        let holds = |name: &str, text: &str| self.metadata.iter().any(|(known, value)| *known == name && value == text);
        holds("isClosed", "true") || holds("ticketState", "CLOSED")
    }

    /// How likely it is that a deal is won, as text.
    pub(crate) fn probability(&self) -> Option<&str> {
        self.metadata.iter().find(|(name, _)| *name == "probability").map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self, order: usize) -> Json {
        let metadata: serde_json::Map<String, Json> =
            self.metadata.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        json!({
            "id": self.id, "label": self.label, "displayOrder": order, "archived": self.archived,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT", "metadata": metadata,
            "createdAt": stamp(self.created), "updatedAt": stamp(self.updated),
        })
    }
}

/// A change of a pipeline or a stage.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The stage, or the pipeline.
    pub(crate) identifier: String,
    pub(crate) action: &'static str,
    pub(crate) at: i64,
    pub(crate) after: Json,
}

impl Change {
    pub(crate) fn json(&self, portal: u64) -> Json {
        json!({
            "portalId": portal, "identifier": self.identifier, "action": self.action, "timestamp": iso(self.at),
            "message": format!("{} {}", self.action, self.identifier), "rawObject": self.after, "fromUserId": 9_586_501,
        })
    }
}

/// A pipeline of a type.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) stages: Vec<Stage>,
    pub(crate) archived: bool,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    /// Oldest first.
    pub(crate) changes: Vec<Change>,
}

impl Pipeline {
    pub(crate) fn json(&self, order: usize) -> Json {
        let live = self.stages.iter().filter(|stage| !stage.archived);
        json!({
            "id": self.id, "label": self.label, "displayOrder": order, "archived": self.archived,
            "createdAt": stamp(self.created), "updatedAt": stamp(self.updated),
            "stages": live.enumerate().map(|(order, stage)| stage.json(order)).collect::<Vec<_>>(),
        })
    }
}

/// As in pipelines, whose first ones are from the beginning of time and have no milliseconds.
fn stamp(millis: i64) -> String {
    if millis == 0 { "1970-01-01T00:00:00Z".to_owned() } else { iso(millis) }
}
