//! The connectors there are, by name.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::de::DeserializeOwned;

use super::http::Hosts;
use super::token::TokenStore;
use super::{Source, file, hubspot, kintone, rest, salesforce, singer, sql, zoho};
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Facts, SourceId};

/// When days and months of the project's calendar end.
pub trait Calendar: Send + Sync + fmt::Debug {
    /// The first instant after the month named `year`-`month`; `None` when there is no such month.
    fn month_end(&self, year: i32, month: u32) -> Option<Timestamp>;

    /// The first instant after that day; `None` when there is no such day.
    fn day_end(&self, year: i32, month: u32, day: u32) -> Option<Timestamp>;
}

/// What a source is opened with.
#[derive(Debug, Clone)]
pub struct OpenArgs {
    /// The source's name in the project.
    pub id: SourceId,
    /// What `config:` of the source's file says, secrets resolved to text.
    pub config: serde_json::Value,
    /// The project folder; relative paths start there.
    pub root: PathBuf,
    /// What time it is here.
    pub clock: Arc<dyn Clock>,
    /// When months and days end.
    pub calendar: Arc<dyn Calendar>,
    /// Where rotated tokens are kept.
    pub token_store: Arc<dyn TokenStore>,
    /// Connections and budgets, shared by the process.
    pub hosts: Arc<Hosts>,
    /// The sync run, for request ids in logs.
    pub run_id: String,
}

impl OpenArgs {
    /// Reads the settings of the connector.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] naming the source; the project's own check says the place in the file.
    pub fn parse_config<T: DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(&self.config).map_err(|error| {
            Error::new(ErrorKind::Config, "the settings of a source cannot be read")
                .with("source", &self.id)
                .help(format!("run `nenrin check` to see the place, then mend sources/{}.yaml", self.id))
                .caused_by(error)
        })
    }
}

/// A source on its way.
pub type Opening = BoxFuture<'static, Result<Box<dyn Source>>>;

/// One kind of outside system.
pub struct Connector {
    /// Its name in `connector:`.
    pub name: &'static str,
    /// What it reads, in one line.
    pub about: &'static str,
    /// What its settings look like.
    pub schema: fn() -> schemars::Schema,
    /// Opens a source; nothing is asked of the outside system yet.
    pub open: fn(OpenArgs) -> Opening,
    /// The streams of the same source that hold facts about the records of this one, should they be read.
    pub facts_about: fn(&str) -> Vec<Facts>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All connectors, by name.
pub const CONNECTORS: &[Connector] = &[
    Connector {
        name: "file",
        about: "files in a folder or an object store: CSV, fixed places, JSON Lines, Excel, Parquet; dated or not",
        schema: || schemars::schema_for!(file::FileConfig),
        open: |args| Box::pin(async move { Ok(Box::new(file::FileSource::open(args)?) as Box<dyn Source>) }),
        facts_about: |_| Vec::new(),
    },
    Connector {
        name: "hubspot",
        about: "HubSpot objects and the history of their properties",
        schema: || schemars::schema_for!(hubspot::HubspotConfig),
        open: |args| Box::pin(async move { Ok(Box::new(hubspot::Hubspot::open(args)?) as Box<dyn Source>) }),
        facts_about: hubspot::facts_about,
    },
    Connector {
        name: "kintone",
        about: "kintone apps and the tables within their records",
        schema: || schemars::schema_for!(kintone::KintoneConfig),
        open: |args| Box::pin(async move { Ok(Box::new(kintone::Kintone::open(args)?) as Box<dyn Source>) }),
        facts_about: |_| Vec::new(),
    },
    Connector {
        name: "rest",
        about: "any HTTP API that answers with JSON, CSV or XML",
        schema: || schemars::schema_for!(rest::RestConfig),
        open: |args| Box::pin(async move { Ok(Box::new(rest::Rest::open(args)?) as Box<dyn Source>) }),
        facts_about: |_| Vec::new(),
    },
    Connector {
        name: "salesforce",
        about: "Salesforce objects through the REST API",
        schema: || schemars::schema_for!(salesforce::SalesforceConfig),
        open: |args| Box::pin(async move { Ok(Box::new(salesforce::Salesforce::open(args)?) as Box<dyn Source>) }),
        facts_about: salesforce::facts_about,
    },
    Connector {
        name: "singer",
        about: "the streams of a Singer tap",
        schema: || schemars::schema_for!(singer::SingerConfig),
        open: |args| Box::pin(async move { Ok(Box::new(singer::Singer::open(args)?) as Box<dyn Source>) }),
        facts_about: |_| Vec::new(),
    },
    Connector {
        name: "sql",
        about: "tables, views and queries of PostgreSQL, MySQL, MariaDB and SQLite",
        schema: || schemars::schema_for!(sql::SqlConfig),
        open: |args| Box::pin(async move { Ok(Box::new(sql::SqlSource::open(args)?) as Box<dyn Source>) }),
        facts_about: |_| Vec::new(),
    },
    Connector {
        name: "zoho",
        about: "Zoho CRM modules through queries and bulk jobs",
        schema: || schemars::schema_for!(zoho::ZohoConfig),
        open: |args| Box::pin(async move { Ok(Box::new(zoho::Zoho::open(args)?) as Box<dyn Source>) }),
        facts_about: zoho::facts_about,
    },
];

impl Connector {
    /// The connector called `name`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] that names those there are.
    pub fn named(name: &str) -> Result<&'static Connector> {
        CONNECTORS.iter().find(|connector| connector.name == name).ok_or_else(|| {
            let names: Vec<&str> = CONNECTORS.iter().map(|connector| connector.name).collect();
            Error::new(ErrorKind::Config, format!("there is no connector `{name}`"))
                .help(format!("use one of: {}", names.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_connector_is_told_with_those_there_are() {
        assert_eq!(Connector::named("file").unwrap().name, "file");
        let error = Connector::named("salesfroce").unwrap_err();
        assert_eq!(error.help_text(), Some("use one of: file, hubspot, kintone, rest, salesforce, singer, sql, zoho"));
    }

    #[test]
    fn every_connector_describes_its_settings_and_refuses_unknown_ones() {
        for connector in CONNECTORS {
            let schema = (connector.schema)();
            let schema = schema.as_value();
            assert_eq!(schema["additionalProperties"], false, "{}", connector.name);
            let properties = schema["properties"].as_object().unwrap();
            for (name, property) in properties {
                let described = property.get("description").is_some() || property.get("$ref").is_some();
                assert!(described, "{}.{name} has no description", connector.name);
            }
        }
    }
}
