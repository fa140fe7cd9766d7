//! Opening the sources that a check asks.

use async_trait::async_trait;

use super::OpenSources;
use crate::cli::Context;
use crate::config::Project;
use crate::connect::Source;
use crate::control::Control;
use crate::error::Result;
use crate::record::SourceId;
use crate::workspace::{hosts_of, open_source};

/// What the ids of a check's requests begin with; it is no run.
const REQUESTS: &str = "check";

/// Opens the sources as a sync would, but without the lake. The control database is opened, since that is where
/// rotated tokens are kept: signing in with an old one would end the grant.
#[derive(Debug, Clone, Copy)]
pub(super) struct AsConfigured;

#[async_trait]
impl OpenSources for AsConfigured {
    async fn open(&self, project: &Project, context: &Context) -> Vec<(SourceId, Result<Box<dyn Source>>)> {
        let mut opened = Vec::new();
        for source in &project.sources {
            let id = source.value.id.clone();
            let source = open_one(project, context, &id).await;
            opened.push((id, source));
        }
        opened
    }
}

async fn open_one(project: &Project, context: &Context, id: &SourceId) -> Result<Box<dyn Source>> {
    let control = Control::open(project.settings.database_url.expose(), context.clock.clone()).await?;
    open_source(project, &control, &hosts_of(project, &control)?, id, REQUESTS).await
}
