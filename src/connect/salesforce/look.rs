//! Looking at an org without reading it: which objects it has, and a few of their rows.

use std::sync::Arc;

use super::Salesforce;
use super::config::StreamConfig;
use super::refusal::Refusal;
use super::soql::{Range, Select};
use crate::connect::source::{Few, Offered, Others};
use crate::connect::taker::Taker;
use crate::error::Result;
use crate::record::{Records, Stream};

/// Ends of the names of objects that Salesforce keeps about others.
const MINOR: [&str; 6] = ["Share", "Feed", "History", "ChangeEvent", "__Tag", "__mdt"];

impl Salesforce {
    /// The objects that may be queried and are not read, in one request.
    pub(super) async fn other_objects(&self) -> Result<Others> {
        self.check_quota()?;
        let objects = self.api.objects().await?.value.sobjects;
        let is_read = |name: &str| self.streams.iter().any(|stream| stream.name.eq_ignore_ascii_case(name));
        let streams = objects
            .into_iter()
            .filter(|object| object.queryable && !object.deprecated_and_hidden && !is_read(&object.name))
            .map(|object| Offered {
                is_minor: object.custom_setting || MINOR.iter().any(|end| object.name.ends_with(end)),
                name: object.name,
                label: object.label,
            })
            .collect();
        Ok(Others { streams, note: None })
    }

    /// Describes any object of the org; one that is read, as it is read.
    pub(super) async fn describe_any(&self, name: &str) -> Result<Stream> {
        self.check_quota()?;
        self.described(&self.stream_or_all_of(name)).await
    }

    /// A few rows by id: one request.
    pub(super) async fn look(&self, stream: &Stream, few: Few<'_>) -> Result<Records> {
        self.check_quota()?;
        let config = self.stream_or_all_of(&stream.name);
        // Salesforce refuses what has not the form of an id; such a row there is not.
        if matches!(few, Few::Key(key) if !is_id(key)) {
            return Ok(Taker::new(stream, few).finish());
        }
        let plan = self.plan(stream);
        let keys: Vec<String> = if let Few::Key(key) = few { vec![key.to_owned()] } else { Vec::new() };
        let range = match few {
            Few::First(count) => Range::Pass { after: None, limit: Some(count.into()) },
            Few::Key(_) => Range::Ids(&keys),
        };
        let select = Select { object: &stream.name, fields: &plan.names, condition: config.r#where.as_deref(), range };
        let page =
            self.api.query(&select.to_soql(), &Arc::clone(&plan), None).await?.value.map_err(Refusal::into_error)?;
        let mut taker = Taker::new(stream, few);
        taker.take(&page.records);
        Ok(taker.finish())
    }

    fn stream_or_all_of(&self, name: &str) -> StreamConfig {
        let known = self.streams.iter().find(|stream| stream.name == name);
        known.cloned().unwrap_or_else(|| StreamConfig::all_of(name))
    }
}

/// 18 characters as the API gives them, or 15 without those that make up for lost upper case.
fn is_id(key: &str) -> bool {
    matches!(key.len(), 15 | 18) && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
