//! Opening the project that a command acts on.

use super::Context;
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
