//! The model: what a project defines, compiled against what its lake holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::facts::FactLog;
use super::identity::identity_at;
use crate::clock::Timestamp;
use crate::config::{Problem, Problems, Project};
use crate::connect::Connector;
use crate::control::{Control, Reach};
use crate::error::{Error, ErrorKind, Result};
use crate::log::{Lake, Ledger, LogTable};
use crate::map::diagnostic::{code, did_you_mean, nearest};
use crate::map::{
    CompiledDerive, CompiledMapping, DeriveInput, Places, Settings, StreamFields, compile, compile_custom,
    compile_derives,
};
use crate::record::{Facts, Field, FieldClass, StreamId};
use crate::schema::{EntityConfig, VariableConfig};
use crate::unify::{Identity, IdentityConfig};

/// A stream that is mapped to an entity, with its log.
#[derive(Debug, Clone)]
pub struct StreamModel {
    /// The mapping, custom variables included.
    pub mapping: CompiledMapping,
    /// Its log.
    pub log: LogTable,
    /// Its ledger.
    pub ledger: Arc<Ledger>,
    /// How far it was read, as the control database knows it.
    pub reach: Reach,
    /// The logs of facts about its records.
    pub facts: Vec<FactLog>,
    /// Variables of type `ref` → the stream whose keys they hold.
    pub refs: BTreeMap<String, StreamId>,
}

/// A stream that is mapped but was never read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The stream.
    pub stream: StreamId,
    /// The entity it is mapped to.
    pub entity: String,
}

/// An entity with all its variables.
#[derive(Debug, Clone)]
pub struct EntityModel {
    /// The entity.
    pub config: EntityConfig,
    /// Its variables: built-in, then custom.
    pub variables: Vec<VariableConfig>,
    /// Its derived variables, in an order in which they can be computed.
    pub derives: Vec<CompiledDerive>,
}

/// Everything that a state is computed with.
#[derive(Debug, Clone)]
pub struct Model {
    /// What is mapped and was read.
    pub streams: Vec<StreamModel>,
    /// What is mapped and was never read.
    pub unread: Vec<Unread>,
    /// The entities, in their order.
    pub entities: Vec<EntityModel>,
    /// The identity rules.
    pub identity: IdentityConfig,
    /// Time zone and currency.
    pub settings: Settings,
    /// A hash of every definition that a state depends on.
    pub definitions: String,
    /// Tells how far streams were read, also as known at an earlier instant.
    control: Control,
    /// Identity by all that is known, computed when first asked for.
    identity_now: Arc<OnceCell<Arc<Identity>>>,
}

impl Model {
    /// Compiles `project` against `lake`.
    ///
    /// Mappings of streams that were never read are not checked here: `nenrin check` asks the source.
    ///
    /// # Errors
    ///
    /// Config with every problem of every mapping and variable.
    pub async fn compile(project: &Project, lake: &Lake, control: &Control) -> Result<Model> {
        let settings = project.map_settings();
        let mut problems = Vec::new();
        let mut streams = Vec::new();
        let mut unread = Vec::new();
        for mapping in &project.mappings {
            let stream = StreamId::new(mapping.value.source.clone(), mapping.value.stream.clone());
            let Some(log) = LogTable::open(lake, &stream).await? else {
                unread.push(Unread { stream, entity: mapping.value.entity.clone() });
                continue;
            };
            let fields = fields_of(&log);
            let offered = StreamFields { stream: &stream, fields: &fields };
            let variables = project.entity_variables(&mapping.value.entity);
            let places: &dyn Places = &*mapping.doc;
            let mut compiled = match compile(&mapping.value, places, &offered, &variables, &settings) {
                Ok(compiled) => compiled,
                Err(found) => {
                    problems.extend(found);
                    continue;
                }
            };
            for rename in &compiled.renamed {
                let known = || log.columns().field_names();
                if !known().any(|name| name == rename.was) {
                    problems.push(Problem {
                        code: code::UNKNOWN_FIELD,
                        source_line: places.source_line(rename.place.line),
                        place: rename.place.clone(),
                        message: format!("nothing was ever read under the name `{}`", rename.was),
                        suggestion: nearest(&rename.was, known()).map(did_you_mean),
                    });
                }
            }
            for custom in project.variables.iter().filter(|custom| custom.value.entity == mapping.value.entity) {
                for (index, from) in custom.value.variable.from.iter().enumerate() {
                    if from.source != stream.source.0 || from.stream != stream.stream {
                        continue;
                    }
                    let places: &dyn Places = &*custom.doc;
                    match compile_custom(&custom.value.variable, index, places, "", &offered, &settings) {
                        Ok(variable) => compiled.add(variable),
                        Err(found) => problems.extend(found),
                    }
                }
            }
            let ledger = Arc::new(Ledger::read(lake, &stream).await?);
            let reach = control.checkpoints().reach(&stream, None).await?;
            let facts = FactLog::open_all(lake, &stream, facts_about(project, &stream)).await?;
            streams.push(StreamModel { mapping: compiled, log, ledger, reach, facts, refs: BTreeMap::new() });
        }
        resolve_refs(&mut streams, &unread);
        let mut entities = Vec::new();
        for entity in &project.entities {
            let variables = project.entity_variables(&entity.value.name);
            let inputs: Vec<DeriveInput<'_>> = project
                .variables
                .iter()
                .filter(|custom| custom.value.entity == entity.value.name)
                .map(|custom| DeriveInput { variable: &custom.value.variable, places: &*custom.doc, pointer: "" })
                .collect();
            match compile_derives(&entity.value.name, &variables, &inputs, &settings) {
                Ok(derives) => entities.push(EntityModel { config: entity.value.clone(), variables, derives }),
                Err(found) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            let count = problems.len();
            let problems_text = if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
            return Err(Error::new(ErrorKind::Config, format!("the mappings have {problems_text}"))
                .with("project", project.root.display())
                .help("mend the files, then run `nenrin check`")
                .caused_by(Problems(problems)));
        }
        let identity = project.identity.as_ref().map(|identity| identity.value.clone()).unwrap_or_default();
        let definitions = definitions_of(project, &entities, &identity)?;
        let identity_now = Arc::new(OnceCell::new());
        let control = control.clone();
        Ok(Model { streams, unread, entities, identity, settings, definitions, control, identity_now })
    }

    /// How far `stream` had been read, as known at an instant.
    pub(super) async fn reach(&self, stream: &StreamModel, known_at: Timestamp) -> Result<Reach> {
        if known_at == Timestamp::MAX {
            return Ok(stream.reach);
        }
        self.control.checkpoints().reach(&stream.mapping.stream, Some(known_at)).await
    }

    /// Which record is which customer, as known at an instant; by all that is known, it is computed once.
    pub(super) async fn identity(&self, known_at: Timestamp) -> Result<Arc<Identity>> {
        if known_at != Timestamp::MAX {
            return Ok(Arc::new(identity_at(self, known_at).await?));
        }
        let resolve = async || identity_at(self, Timestamp::MAX).await.map(Arc::new);
        self.identity_now.get_or_try_init(resolve).await.cloned()
    }

    /// The entity `name`.
    pub fn entity(&self, name: &str) -> Option<&EntityModel> {
        self.entities.iter().find(|entity| entity.config.name == name)
    }

    /// The latest instant at which anything was recorded.
    pub fn last_recorded_at(&self) -> Option<Timestamp> {
        self.streams.iter().filter_map(|stream| stream.ledger.last_recorded_at()).max()
    }
}

/// The streams that would hold facts about the records of `stream`.
fn facts_about(project: &Project, stream: &StreamId) -> Vec<Facts> {
    let source = project.sources.iter().find(|source| source.value.id == stream.source);
    let connector = source.and_then(|source| Connector::named(&source.value.connector).ok());
    connector.map(|connector| (connector.facts_about)(&stream.stream)).unwrap_or_default()
}

/// The fields of a log as a mapping sees them: names and classes; the source itself tells labels and types.
fn fields_of(log: &LogTable) -> Vec<Field> {
    log.columns()
        .field_names()
        .map(|name| Field::plain(name, "text", log.columns().class_of(name).unwrap_or(FieldClass::Business)))
        .collect()
}

/// Finds the stream that each `ref` refers to: the named one, else the only one of the same source that is
/// mapped to the entity.
fn resolve_refs(streams: &mut [StreamModel], unread: &[Unread]) {
    let known: Vec<(StreamId, String)> = streams
        .iter()
        .map(|stream| (stream.mapping.stream.clone(), stream.mapping.entity.clone()))
        .chain(unread.iter().map(|unread| (unread.stream.clone(), unread.entity.clone())))
        .collect();
    for stream in streams {
        let own = stream.mapping.stream.source.clone();
        for variable in &stream.mapping.variables {
            let Some(target) = &variable.ref_target else { continue };
            let found = match &target.stream {
                Some(name) => {
                    let same = StreamId { source: own.clone(), stream: name.clone() };
                    let other = name.split_once('/').map(|(source, stream)| StreamId::new(source, stream));
                    known.iter().map(|(id, _)| id).find(|id| **id == same || Some(*id) == other.as_ref()).cloned()
                }
                None => {
                    let mut matching = known
                        .iter()
                        .filter(|(id, entity)| id.source == own && Some(entity) == target.entity.as_ref())
                        .map(|(id, _)| id);
                    match (matching.next(), matching.next()) {
                        (Some(only), None) => Some(only.clone()),
                        _ => None,
                    }
                }
            };
            if let Some(found) = found {
                stream.refs.insert(variable.name.clone(), found);
            }
        }
    }
}

fn definitions_of(project: &Project, entities: &[EntityModel], identity: &IdentityConfig) -> Result<String> {
    let mappings: Vec<_> = project.mappings.iter().map(|mapping| &mapping.value).collect();
    let variables: Vec<_> = entities.iter().map(|entity| (&entity.config.name, &entity.variables)).collect();
    let text = serde_json::to_vec(&(
        mappings,
        variables,
        identity,
        project.settings.timezone.name(),
        &project.settings.currency,
        project.settings.fiscal_year(),
        project.lookups.hashes(),
    ))
    .map_err(|error| Error::new(ErrorKind::Internal, "definitions are no JSON").caused_by(error))?;
    Ok(format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&text)))
}
