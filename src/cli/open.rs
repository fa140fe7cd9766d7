//! Opening the project that a command acts on.

use super::Context;
use super::demo::Revived;
use crate::error::Result;
use crate::workspace::Workspace;

/// Opens the project with its lake and control database.
///
/// # Errors
///
/// Config with every problem of the project's files, storage when lake or database cannot be opened.
pub(crate) async fn open(context: &Context) -> Result<Workspace> {
    Workspace::open(&context.project_dir, &context.environment(), context.clock.clone()).await
}

/// The same for a command that talks to the sources: in a demo folder the simulated Salesforce comes back, and
/// stays as long as the second value lives.
///
/// # Errors
///
/// The same, and when the simulator cannot be started.
pub(crate) async fn open_with_sources(context: &Context) -> Result<(Workspace, Option<Revived>)> {
    let revived = Revived::of(&context.project_dir, &*context.clock).await?;
    Ok((open(context).await?, revived))
}
