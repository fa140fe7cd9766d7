//! An opened project: its files, its lake, its control database, and what time it is.
//!
//! Commands, the daemon and the web all work on one of these.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::cli::shipped;
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::config::{Environment, Project};
use crate::connect::http::{Hosts, Settings as HttpSettings, SharedPace, TokioTimer};
use crate::connect::registry::Connector;
use crate::connect::{self, OpenArgs, Source, StoredToken, TokenStore};
use crate::control::Control;
use crate::error::{Error, ErrorKind, Result};
use crate::log::Lake;
use crate::publish::{PublishReport, publish};
use crate::record::SourceId;
use crate::snapshot::period::{self, Calendar};
use crate::snapshot::{Kept, Model, Origin, build, state_at};

/// An opened project.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The project's files.
    pub project: Arc<Project>,
    /// Where logs and snapshots lie.
    pub lake: Lake,
    /// The control database.
    pub control: Control,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    hosts: Arc<Hosts>,
}

impl Workspace {
    /// Opens the project in `folder`, making lake and control database where they do not exist yet.
    ///
    /// # Errors
    ///
    /// Config with every problem of its files, storage when lake or database cannot be opened.
    pub async fn open(folder: &Path, environment: &Environment, clock: Arc<dyn Clock>) -> Result<Workspace> {
        let project = Project::open(folder, environment, &shipped())?;
        let lake = Lake::open(project.settings.lake.url.as_str(), &project.root)?;
        let control = Control::open(project.settings.database_url.expose(), clock.clone()).await?;
        let hosts = hosts_of(&project, &control)?;
        Ok(Workspace { project: Arc::new(project), lake, control, clock, hosts })
    }

    /// The same, with `hosts` to talk to its sources through: another patience, another way to wait.
    pub fn with_hosts(self, hosts: Arc<Hosts>) -> Workspace {
        Workspace { hosts, ..self }
    }

    /// Where files lie that can be deleted at any time.
    pub fn cache(&self) -> PathBuf {
        self.project.root.join(".nenrin").join("cache")
    }

    /// The project's calendar.
    pub fn calendar(&self) -> Calendar {
        self.project.settings.calendar()
    }

    /// The ids of all sources.
    pub fn source_ids(&self) -> Vec<SourceId> {
        self.project.sources.iter().map(|source| source.value.id.clone()).collect()
    }

    /// Opens the source `id`; nothing is asked of it yet.
    ///
    /// # Errors
    ///
    /// Usage when there is none of that name, config when its settings cannot be used.
    pub async fn source(&self, id: &SourceId, run_id: &str) -> Result<Arc<dyn Source>> {
        Ok(Arc::from(open_source(&self.project, &self.control, &self.hosts, id, run_id).await?))
    }

    /// The project's definitions, compiled against what the lake holds.
    pub async fn model(&self) -> Result<Model> {
        Model::compile(&self.project, &self.lake, &self.control).await
    }

    /// The state at `at`: by all that is known, or by what was known at `known_at`.
    pub async fn state(&self, model: &Model, at: Timestamp, known_at: Option<Timestamp>) -> Result<Kept> {
        match known_at {
            None => state_at(&self.lake, model, at).await,
            Some(_) => {
                let built = build(model, at, known_at).await?;
                Ok(Kept { state: built.state, origin: Origin::Provisional, fingerprint: String::new() })
            }
        }
    }

    /// Publishes the state as it is now as SQL tables.
    ///
    /// # Errors
    ///
    /// Conflict when a table of that name is not ours, failures of the database.
    pub async fn publish_current(&self) -> Result<PublishReport> {
        let model = self.model().await?;
        let built = build(&model, self.clock.now(), None).await?;
        let entities: Vec<_> =
            model.entities.iter().map(|entity| (entity.config.clone(), entity.variables.clone())).collect();
        publish(&self.control, &built.state, &entities).await
    }

    /// What `text` means as an instant: a period its end, an instant itself.
    pub fn instant(&self, text: &str) -> Result<Timestamp> {
        period::parse_as_of(text, &self.calendar(), self.clock.now())
    }
}

/// Opens the source `id` of a project; nothing is asked of it yet. Needs no lake, so that a source can be asked
/// before there is one.
///
/// # Errors
///
/// Usage when there is none of that name, config when its settings cannot be used.
pub(crate) async fn open_source(
    project: &Project,
    control: &Control,
    hosts: &Arc<Hosts>,
    id: &SourceId,
    run_id: &str,
) -> Result<Box<dyn Source>> {
    let source = project.source(&id.0).ok_or_else(|| {
        let names: Vec<&str> = project.sources.iter().map(|source| source.value.id.0.as_str()).collect();
        Error::new(ErrorKind::Usage, format!("there is no source `{id}`"))
            .help(format!("sources of this project: {}", names.join(", ")))
    })?;
    (Connector::named(&source.value.connector)?.open)(OpenArgs {
        id: id.clone(),
        config: source.value.settings.expose().clone(),
        root: project.root.clone(),
        clock: control.clock().clone(),
        calendar: Arc::new(ProjectCalendar(project.settings.calendar())),
        token_store: Arc::new(ControlTokens(control.clone())),
        hosts: hosts.clone(),
        run_id: run_id.to_owned(),
    })
    .await
}

/// The hosts that a project's sources talk to, at a pace that all processes on `control` keep together.
///
/// # Errors
///
/// Internal when TLS cannot be set up.
pub(crate) fn hosts_of(project: &Project, control: &Control) -> Result<Arc<Hosts>> {
    let config = &project.settings.http;
    let settings = HttpSettings {
        retries: usize::try_from(config.retries).unwrap_or(usize::MAX),
        first_pause: Duration::from_millis(config.first_pause_ms),
        longest_pause: Duration::from_millis(config.longest_pause_ms),
        longest_wait: Duration::from_millis(config.longest_pause_ms),
        ..HttpSettings::default()
    };
    let hosts = Hosts::new(settings, Arc::new(TokioTimer::default()))?;
    Ok(Arc::new(hosts.sharing(Arc::new(ControlPace(control.clone())))))
}

/// The project's calendar as connectors ask it.
#[derive(Debug)]
struct ProjectCalendar(Calendar);

impl connect::Calendar for ProjectCalendar {
    fn month_end(&self, year: i32, month: u32) -> Option<Timestamp> {
        ((1..=12).contains(&month) && (1..=9999).contains(&year))
            .then(|| period::month_end(year, month, &self.0).plus_micros(1))
    }

    fn day_end(&self, year: i32, month: u32, day: u32) -> Option<Timestamp> {
        let date = chrono::NaiveDate::from_ymd_opt(year, month, day)?;
        Some(period::day_end(date, &self.0).plus_micros(1))
    }
}

/// The pace of outside systems, kept by the wall clock with all processes on this control database.
#[derive(Debug)]
struct ControlPace(Control);

#[async_trait]
impl SharedPace for ControlPace {
    async fn take(&self, budget: &str, per_second: NonZeroU32, count: u32) -> Result<Duration> {
        self.0.paces().take(budget, per_second, count, SystemClock.now()).await
    }
}

/// Rotated tokens, kept encrypted in the control database.
#[derive(Debug)]
struct ControlTokens(Control);

/// The token and where it came from lie together, so that they are replaced together.
fn token_name(origin: &str) -> String {
    format!("refresh:{origin}")
}

/// Names the origin of the newest token.
const ORIGIN: &str = "refresh-origin";

#[async_trait]
impl TokenStore for ControlTokens {
    async fn load(&self, source: &SourceId) -> Result<Option<StoredToken>> {
        use secrecy::ExposeSecret;
        let tokens = self.0.tokens();
        let Some(origin) = tokens.get(&source.0, ORIGIN).await? else { return Ok(None) };
        let origin = origin.secret.expose_secret().to_owned();
        let token = tokens.get(&source.0, &token_name(&origin)).await?;
        Ok(token.map(|token| StoredToken { origin, token: token.secret }))
    }

    async fn save(&self, source: &SourceId, token: &StoredToken) -> Result<()> {
        let tokens = self.0.tokens();
        tokens.put(&source.0, &token_name(&token.origin), &token.token).await?;
        tokens.put(&source.0, ORIGIN, &token.origin.clone().into()).await
    }
}
