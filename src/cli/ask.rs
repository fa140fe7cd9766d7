//! Asking a source questions without reading it: for `discover`, `guess` and `preview`.

use super::demo::Revived;
use super::{Context, shipped};
use crate::config::Project;
use crate::config::suggest::advice;
use crate::connect::Source;
use crate::control::Control;
use crate::error::{Error, ErrorKind, Result};
use crate::map::Settings;
use crate::record::{SourceId, Stream};
use crate::workspace::{hosts_of, open_source};

/// A project whose sources can be asked.
pub(crate) struct Asking {
    pub(crate) project: Project,
    /// The simulated Salesforce of a demo folder, while it is asked.
    _simulated: Option<Revived>,
}

impl Asking {
    /// Loads the project; neither lake nor control database is touched.
    ///
    /// # Errors
    ///
    /// Config with every problem of the project's files, but for empty mappings.
    pub(crate) async fn open(context: &Context) -> Result<Asking> {
        // The demo writes its credentials when its Salesforce comes back.
        let _simulated = Revived::of(&context.project_dir, &*context.clock).await?;
        let project = Project::open_to_map(&context.project_dir, &context.environment(), &shipped())?;
        Ok(Asking { project, _simulated })
    }

    /// Opens a source. The control database is opened with it, since rotated tokens are kept there: signing in with an
    /// old one would end the grant. `what` begins the ids of its requests.
    pub(crate) async fn source(&self, id: &SourceId, context: &Context, what: &str) -> Result<Box<dyn Source>> {
        let control = Control::open(self.project.settings.database_url.expose(), context.clock.clone()).await?;
        open_source(&self.project, &control, &hosts_of(&self.project, &control)?, id, what).await
    }
}

/// Time zone and currency of a project.
pub(crate) fn settings_of(project: &Project) -> Settings {
    project.map_settings()
}

/// The source called `name`.
///
/// # Errors
///
/// Usage that names those there are, and the one that was probably meant.
pub(crate) fn named_source(project: &Project, name: &str) -> Result<SourceId> {
    let names = || project.sources.iter().map(|source| source.value.id.0.as_str());
    if names().any(|known| known == name) {
        return Ok(SourceId(name.to_owned()));
    }
    let help = match names().next() {
        None => "this project has no source yet: make sources/NAME.yaml, see the files that end in .example".to_owned(),
        Some(_) => advice(name, names()).unwrap_or_default(),
    };
    Err(Error::new(ErrorKind::Usage, format!("there is no source `{name}`")).help(help))
}

/// Fails unless the source's file names the stream.
pub(crate) fn check_stream(source: &dyn Source, id: &SourceId, name: &str) -> Result<()> {
    let streams = source.streams();
    if streams.iter().any(|known| known == name) {
        return Ok(());
    }
    let close = advice(name, streams.iter().map(String::as_str)).unwrap_or_default();
    Err(Error::new(ErrorKind::Usage, format!("source `{id}` does not read a stream `{name}`")).help(format!(
        "{close} To read another, list it under `streams` in sources/{id}.yaml; `nenrin discover {id}` shows what there is"
    )))
}

/// Fails with the streams there are where none was named.
pub(crate) fn need_stream(source: &dyn Source, id: &SourceId, name: Option<&String>, command: &str) -> Result<String> {
    let streams = source.streams();
    match (name, streams.as_slice()) {
        (Some(name), _) => {
            check_stream(source, id, name)?;
            Ok(name.clone())
        }
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(Error::new(ErrorKind::Usage, format!("which stream of `{id}`?"))
            .with("streams", streams.join(", "))
            .help(format!("name one: `nenrin {command} {id} {}`", streams.first().map_or("STREAM", String::as_str)))),
    }
}

/// What a stream's changes are read by, in a few words.
pub(crate) fn changes_by(stream: &Stream) -> String {
    match &stream.stamp {
        Some(stamp) => stamp.clone(),
        None if stream.dated => "the date of the file".to_owned(),
        None => "read in full".to_owned(),
    }
}
