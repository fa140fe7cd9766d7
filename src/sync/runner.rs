//! Does the daemon's work on an opened project.

use std::sync::{Arc, RwLock};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::driver::{SyncOptions, keep_due, sync};
use super::run::RunReport;
use super::worker::{SnapshotKeeper, SyncRunner};
use crate::cli::shipped;
use crate::config::{Environment, Project};
use crate::error::Result;
use crate::record::SourceId;
use crate::workspace::Workspace;

/// Syncs, publishes and keeps snapshots of one project.
///
/// The project's files are read anew for every run, so that a variable or mapping that somebody adds counts
/// without a restart. While they have a problem, the last sound ones are used.
#[derive(Debug)]
pub struct ProjectRunner {
    opened: Workspace,
    environment: Environment,
    sound: RwLock<Arc<Project>>,
}

impl ProjectRunner {
    /// A runner for `workspace`, which was opened with `environment`.
    pub fn new(workspace: Workspace, environment: Environment) -> Self {
        let sound = RwLock::new(workspace.project.clone());
        ProjectRunner { opened: workspace, environment, sound }
    }

    /// The project as its files are now, or as they were when they last were sound.
    fn workspace(&self) -> Workspace {
        let mut workspace = self.opened.clone();
        match Project::open(&workspace.project.root, &self.environment, &shipped()) {
            Ok(project) => {
                workspace.project = Arc::new(project);
                if let Ok(mut sound) = self.sound.write() {
                    *sound = workspace.project.clone();
                }
            }
            Err(error) => {
                warn!(error = %error, "the project's files have problems (see nenrin check), going on with the last sound ones");
                if let Ok(sound) = self.sound.read() {
                    workspace.project = sound.clone();
                }
            }
        }
        workspace
    }
}

#[async_trait]
impl SyncRunner for ProjectRunner {
    async fn sync(&self, source: &SourceId, trigger: &str, cancel: CancellationToken) -> Result<RunReport> {
        sync(&self.workspace(), source, &SyncOptions { trigger, cancel, ..SyncOptions::default() }).await
    }
}

#[async_trait]
impl SnapshotKeeper for ProjectRunner {
    /// Publishes the current state as well: both follow from runs, and one pass serves several of them.
    async fn keep_due(&self) -> Result<()> {
        let workspace = self.workspace();
        workspace.publish_current().await?;
        keep_due(&workspace).await?;
        Ok(())
    }
}
