//! A project folder, loaded and validated whole.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::cross;
use super::document::{Document, Located};
use super::environment::Environment;
use super::files::{self, Reading, References};
use super::kind::{CustomVariable, Kind, Shapes};
use super::problem::{Place, Problem};
use super::render::Problems;
use super::settings::{ProjectConfig, Settings};
use super::source::{Connectors, SourceConfig, SourceHead};
use super::suggest::advice;
use super::validate::Fault;
use super::walk::{open, typed};
use crate::error::{Error, ErrorKind};
use crate::map::{self, Lookups, MappingConfig};
use crate::schema::{EntityConfig, VariableConfig};
use crate::unify::IdentityConfig;

/// The file that makes a folder a project.
pub const PROJECT_FILE: &str = "nenrin.yaml";

/// What comes with the program rather than with a project.
#[derive(Debug, Clone, Default)]
pub struct Shipped {
    /// The connectors, with what each reads from a source file.
    pub connectors: Connectors,
    /// The built-in entities: file name and YAML text.
    pub entities: Vec<(String, String)>,
}

/// A project as its files say it is.
#[derive(Debug)]
pub struct Project {
    /// The project folder, absolute.
    pub root: PathBuf,
    /// The settings, merged from file, environment and flags.
    pub settings: Settings,
    /// The sources, by id.
    pub sources: Vec<Located<SourceConfig>>,
    /// The mappings, by file.
    pub mappings: Vec<Located<MappingConfig>>,
    /// The entities: those of this program in their order, extended by the project's; then its own.
    pub entities: Vec<Located<EntityConfig>>,
    /// The custom variables, by entity and name.
    pub variables: Vec<Located<CustomVariable>>,
    /// The identity rules, if there is an `identity.yaml`.
    pub identity: Option<Located<IdentityConfig>>,
    /// The tables of `lookups/`.
    pub lookups: Arc<Lookups>,
    /// Advice that keeps nothing from running.
    pub warnings: Vec<Problem>,
}

impl Project {
    /// The project folder that `start` lies in: the nearest one upwards that holds a `nenrin.yaml`.
    pub fn find(start: &Path) -> Option<PathBuf> {
        let start = std::path::absolute(start).ok()?;
        start.ancestors().find(|folder| folder.join(PROJECT_FILE).is_file()).map(Path::to_path_buf)
    }

    /// Loads every file of the project in `root` and checks each by itself and against the others.
    ///
    /// # Errors
    ///
    /// All problems of all files, by place, with the warnings among them.
    pub fn load(root: &Path, environment: &Environment, shipped: &Shipped) -> Result<Project, Vec<Problem>> {
        Project::load_with(root, environment, shipped, false)
    }

    fn load_with(
        root: &Path,
        environment: &Environment,
        shipped: &Shipped,
        skips_empty_mappings: bool,
    ) -> Result<Project, Vec<Problem>> {
        let shapes = Shapes::new(&shipped.connectors).map_err(|error| vec![bug(&error)])?;
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_path_buf());
        let (problems, declared) = (Vec::new(), Declared::default());
        let mut loader = Loader { root, environment, shipped, shapes, problems, declared, skips_empty_mappings };
        let project = loader.project();
        let mut problems = loader.problems;
        problems.sort_by(|a, b| (&a.place, a.code, &a.message).cmp(&(&b.place, b.code, &b.message)));
        match project {
            Some(mut project) if problems.iter().all(Problem::is_warning) => {
                project.warnings = problems;
                Ok(project)
            }
            _ => Err(problems),
        }
    }

    /// The same for a command, which wants one error: its cause is [`Problems`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] with every problem.
    pub fn open(root: &Path, environment: &Environment, shipped: &Shipped) -> crate::error::Result<Project> {
        Project::whole(root, Project::load(root, environment, shipped))
    }

    /// The same where a mapping may be about to be written: an empty file in `mappings/` is what a shell makes of
    /// `nenrin guess … > mappings/…` before the command runs.
    ///
    /// # Errors
    ///
    /// As [`Project::open`], but for empty mappings, which are passed over.
    pub fn open_to_map(root: &Path, environment: &Environment, shipped: &Shipped) -> crate::error::Result<Project> {
        Project::whole(root, Project::load_with(root, environment, shipped, true))
    }

    fn whole(root: &Path, loaded: Result<Project, Vec<Problem>>) -> crate::error::Result<Project> {
        loaded.map_err(|problems| {
            let count = problems.iter().filter(|problem| !problem.is_warning()).count();
            let noun = if count == 1 { "problem" } else { "problems" };
            Error::new(ErrorKind::Config, format!("the project has {count} {noun}"))
                .with("project", root.display())
                .help("mend the files, then run `nenrin check`")
                .caused_by(Problems(problems))
        })
    }

    /// The source with this id.
    pub fn source(&self, id: &str) -> Option<&Located<SourceConfig>> {
        self.sources.iter().find(|source| source.value.id.0 == id)
    }

    /// The entity with this name.
    pub fn entity(&self, name: &str) -> Option<&EntityConfig> {
        self.entities.iter().map(|entity| &entity.value).find(|entity| entity.name == name)
    }

    /// What mappings and expressions of this project are compiled with.
    pub fn map_settings(&self) -> map::Settings {
        map::Settings {
            timezone: self.settings.timezone,
            currency: self.settings.currency.clone(),
            fiscal: self.settings.fiscal_year(),
            lookups: Arc::clone(&self.lookups),
        }
    }

    /// All variables of an entity: its own in their order, then the custom ones by name. Empty for an
    /// entity that does not exist.
    pub fn entity_variables(&self, entity: &str) -> Vec<VariableConfig> {
        let own = self.entity(entity).into_iter().flat_map(|entity| entity.variables.iter().cloned());
        let custom = self.variables.iter().map(|variable| &variable.value);
        own.chain(custom.filter(|custom| custom.entity == entity).map(|custom| custom.variable.clone())).collect()
    }
}

/// The names that files declare, also files that are wrong otherwise: so that one mistake in a source
/// does not make every mapping of it wrong too.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    pub(crate) sources: BTreeSet<String>,
    pub(crate) entities: BTreeSet<String>,
    /// Entity and name of the custom variables.
    pub(crate) variables: BTreeSet<(String, String)>,
    /// Entities of which a file could not be read: their variables are not all known.
    pub(crate) broken_entities: BTreeSet<String>,
}

struct Loader<'a> {
    root: PathBuf,
    environment: &'a Environment,
    shipped: &'a Shipped,
    shapes: Shapes,
    problems: Vec<Problem>,
    declared: Declared,
    /// Whether an empty file in `mappings/` is none.
    skips_empty_mappings: bool,
}

impl Loader<'_> {
    fn project(&mut self) -> Option<Project> {
        if !self.root.join(PROJECT_FILE).exists() {
            self.problems.push(no_project());
            return None;
        }
        let settings = self.settings();
        let timezone = settings.as_ref().map_or(chrono_tz::Tz::Asia__Tokyo, |settings| settings.timezone);
        let sources = self.sources(timezone);
        let mappings = self.files::<MappingConfig>(Kind::Mapping, true);
        let shipped = self.shipped_entities();
        cross::entity_files(&shipped, &mut self.problems);
        let own = self.files::<EntityConfig>(Kind::Entity, false);
        cross::entity_files(&own, &mut self.problems);
        let entities = extend(shipped, own);
        self.declared.entities.extend(entities.iter().map(|entity| entity.value.name.clone()));
        let mut variables = self.variables();
        variables
            .sort_by(|a, b| (&a.value.entity, &a.value.variable.name).cmp(&(&b.value.entity, &b.value.variable.name)));
        let identity = self.identity();
        let lookups = Arc::new(self.lookups());
        let parts = cross::Parts { sources, mappings, entities, variables, identity };
        cross::check(&parts, &self.declared, &mut self.problems);
        let cross::Parts { sources, mappings, entities, variables, identity } = parts;
        let root = self.root.clone();
        let (settings, warnings) = (settings?, vec![]);
        Some(Project { root, settings, sources, mappings, entities, variables, identity, lookups, warnings })
    }

    fn lookups(&mut self) -> Lookups {
        let found = files::find(&self.root, "lookups", false, &["csv"]);
        let names = found.unwrap_or_else(|problem| {
            self.problems.push(problem);
            Vec::new()
        });
        let mut tables = Vec::new();
        for file in names {
            let Some(text) = self.text(&file) else { continue };
            let name = file.strip_prefix("lookups/").and_then(|name| name.strip_suffix(".csv")).unwrap_or(&file);
            match map::lookup::Table::parse(name, &file, &text) {
                Ok(table) => tables.push(table),
                Err(problems) => self.problems.extend(problems),
            }
        }
        Lookups::of(tables)
    }

    fn settings(&mut self) -> Option<Settings> {
        let text = self.text(PROJECT_FILE)?;
        let shape = self.shapes.of(Kind::Project);
        let env = |name: &str| self.environment.get(name);
        let references = References { dir: &self.root, env: &env };
        let Reading { mut doc, value, problems, replaced } =
            files::read(PROJECT_FILE, &text, Kind::Project, Some(references), &|_, _| (shape, None));
        let broken = problems.iter().any(|problem| !problem.is_warning());
        self.problems.extend(problems);
        let mut value = value?;
        if let Some(written) = value.pointer("/database/url").and_then(Value::as_str)
            && !replaced.iter().any(|pointer| pointer == "/database/url")
            && url::Url::parse(written).is_ok_and(|url| url.password().is_some())
        {
            doc.mask("/database/url");
            let advice = "keep it out of the file: postgres://user:${env:NAME}@host/database".to_owned();
            let place = doc.key_place("/database/url");
            self.problems.push(doc.problem_at("C901", place, "a secret is written into the file", Some(advice)));
        }
        strip_header(&mut value);
        let (merged, sound) = self.merged_settings(&value)?;
        let faults = Settings::faults(&merged, &self.root);
        let sound = sound && !broken && faults.is_empty();
        for fault in faults {
            self.settings_fault(fault, &doc);
        }
        if !sound {
            return None;
        }
        let config: ProjectConfig = self.deserialize(&doc, merged)?;
        Settings::from_config(config, &self.root).map_err(|fault| self.settings_fault(fault, &doc)).ok()
    }

    /// Tells of a fault where its setting was made: in the file, a variable or a flag.
    fn settings_fault(&mut self, fault: Fault, doc: &Document) {
        let overrides = self.environment.overrides();
        let problem = match overrides.into_iter().rev().find(|change| change.pointer == fault.pointer) {
            Some(change) => outside_file(&change.origin, fault.code, fault.message, fault.suggestion),
            None => fault.problem(doc),
        };
        self.problems.push(problem);
    }

    /// The file's settings with those of environment and flags laid over, and whether these are sound.
    fn merged_settings(&mut self, file: &Value) -> Option<(Value, bool)> {
        let shape = self.shapes.of(Kind::Project);
        let overrides = self.environment.overrides();
        let mut merged = match self.environment.merge_into(file) {
            Ok(merged) => merged,
            Err(error) => {
                let origin = overrides.last().map_or("the environment", |last| &last.origin);
                self.problems.push(outside_file(origin, "C030", format!("cannot be read: {error}"), None));
                return None;
            }
        };
        for change in &overrides {
            let schemas = schema_at(&shape.schema, &change.pointer);
            if let Some(value) = merged.pointer_mut(&change.pointer)
                && let Value::String(text) = &*value
            {
                *value = typed(&schemas, text);
            }
        }
        let count = self.problems.len();
        for fault in shape.faults(&merged, &|_| None) {
            let Some(change) = overrides.iter().rev().find(|change| is_under(&fault.pointer, &change.pointer)) else {
                continue;
            };
            let (code, suggestion) = match fault.code {
                "C010" => ("C030", unknown_setting_advice(&shape.schema, &change.pointer)),
                code => (code, fault.suggestion),
            };
            self.problems.push(outside_file(&change.origin, code, fault.message, suggestion));
        }
        let sound = self.problems.len() == count;
        Some((merged, sound))
    }

    fn sources(&mut self, timezone: chrono_tz::Tz) -> Vec<Located<SourceConfig>> {
        let mut sources: Vec<Located<SourceConfig>> = Vec::new();
        for file in self.find(Kind::Source, false) {
            let stem = stem(&file).to_owned();
            self.declared.sources.insert(stem.clone());
            let Some(text) = self.text(&file) else { continue };
            let env = |name: &str| self.environment.get(name);
            let references = References { dir: &self.root, env: &env };
            let choose = |value: &Value, doc: &Document| self.source_shape(value, doc);
            let Reading { doc, value, problems, .. } =
                files::read(&file, &text, Kind::Source, Some(references), &choose);
            let broken = problems.iter().any(|problem| !problem.is_warning());
            self.problems.extend(problems);
            let Some(value) = value else { continue };
            if let Some(name) = value.get("name").and_then(Value::as_str) {
                self.declared.sources.remove(&stem);
                self.declared.sources.insert(name.to_owned());
            }
            if broken {
                let faults = SourceConfig::faults(&value, timezone);
                self.problems.extend(faults.into_iter().map(|fault| fault.problem(&doc)));
                continue;
            }
            let Some(head) = self.deserialize::<SourceHead>(&doc, value.clone()) else { continue };
            let (source, faults) = SourceConfig::from_parts(head, value, &stem, timezone);
            self.problems.extend(faults.into_iter().map(|fault| fault.problem(&doc)));
            if let Some(first) = sources.iter().find(|other| other.value.id == source.id) {
                let message = format!("a source named `{}` is already in {}", source.id, first.doc.file());
                self.problems.push(doc.problem_at("C040", doc.place("/name"), message, None));
                continue;
            }
            sources.push(Located { value: source, doc: Arc::new(doc) });
        }
        sources.sort_by(|a, b| a.value.id.cmp(&b.value.id));
        sources
    }

    fn source_shape(&self, value: &Value, doc: &Document) -> (&super::validate::Shape, Option<Problem>) {
        let common = self.shapes.of(Kind::Source);
        let Some(name) = value.get("connector").and_then(Value::as_str) else { return (common, None) };
        match self.shapes.of_connector(name) {
            Some(shape) => (shape, None),
            None => {
                let known = self.shipped.connectors.0.keys().map(String::as_str);
                let message = format!("unknown connector `{name}`");
                (common, Some(doc.problem_at("C031", doc.place("/connector"), message, advice(name, known))))
            }
        }
    }

    fn variables(&mut self) -> Vec<Located<CustomVariable>> {
        let mut variables = Vec::new();
        for (doc, value, broken) in self.values(Kind::Variable, false) {
            let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
            if let (Some(entity), Some(name)) = (text("entity"), text("name")) {
                self.declared.variables.insert((entity, name));
            }
            if broken {
                continue;
            }
            match CustomVariable::from_value(value) {
                Ok(value) => variables.push(Located { value, doc: Arc::new(doc) }),
                Err(error) => self.problems.push(doc.problem_at("C015", doc.whole_file(), error.to_string(), None)),
            }
        }
        variables
    }

    fn identity(&mut self) -> Option<Located<IdentityConfig>> {
        let file = Kind::Identity.home();
        if !self.root.join(file).exists() {
            return None;
        }
        let text = self.text(file)?;
        let (doc, value, broken) = self.value(file, &text, Kind::Identity)?;
        if broken {
            return None;
        }
        let value = self.deserialize(&doc, value)?;
        Some(Located { value, doc: Arc::new(doc) })
    }

    fn shipped_entities(&mut self) -> Vec<Located<EntityConfig>> {
        let mut entities = Vec::new();
        for (file, text) in &self.shipped.entities {
            if let Some((doc, value, false)) = self.value(file, text, Kind::Entity)
                && let Some(value) = self.deserialize(&doc, value)
            {
                entities.push(Located { value, doc: Arc::new(doc) });
            }
        }
        entities
    }

    /// Every sound file of a kind.
    fn files<T: DeserializeOwned>(&mut self, kind: Kind, deep: bool) -> Vec<Located<T>> {
        let mut found = Vec::new();
        for (doc, value, broken) in self.values(kind, deep) {
            if kind == Kind::Entity
                && let Some(name) = value.get("name").and_then(Value::as_str)
            {
                self.declared.entities.insert(name.to_owned());
                if broken {
                    self.declared.broken_entities.insert(name.to_owned());
                }
            }
            if !broken && let Some(value) = self.deserialize(&doc, value) {
                found.push(Located { value, doc: Arc::new(doc) });
            }
        }
        found
    }

    /// Every file of a kind that is YAML, without its header, and whether something is wrong with it.
    fn values(&mut self, kind: Kind, deep: bool) -> Vec<(Document, Value, bool)> {
        let mut found = Vec::new();
        for file in self.find(kind, deep) {
            let Some(text) = self.text(&file) else { continue };
            let is_skipped = self.skips_empty_mappings && kind == Kind::Mapping && text.trim().is_empty();
            if !is_skipped {
                found.extend(self.value(&file, &text, kind));
            }
        }
        found
    }

    fn value(&mut self, file: &str, text: &str, kind: Kind) -> Option<(Document, Value, bool)> {
        let shape = self.shapes.of(kind);
        let Reading { doc, value, problems, .. } = files::read(file, text, kind, None, &|_, _| (shape, None));
        let broken = problems.iter().any(|problem| !problem.is_warning());
        self.problems.extend(problems);
        let mut value = value?;
        strip_header(&mut value);
        Some((doc, value, broken))
    }

    fn deserialize<T: DeserializeOwned>(&mut self, doc: &Document, value: Value) -> Option<T> {
        match serde_json::from_value(value) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problems.push(doc.problem_at("C015", doc.whole_file(), error.to_string(), None));
                None
            }
        }
    }

    fn find(&mut self, kind: Kind, deep: bool) -> Vec<String> {
        files::find_yaml(&self.root, kind.home().trim_end_matches('/'), deep).unwrap_or_else(|problem| {
            self.problems.push(problem);
            Vec::new()
        })
    }

    fn text(&mut self, file: &str) -> Option<String> {
        files::read_text(&self.root, file).map_err(|problem| self.problems.push(problem)).ok()
    }
}

/// The built-in entities with the project's laid over: what an own file names again is replaced, what it
/// adds comes after.
fn extend(shipped: Vec<Located<EntityConfig>>, own: Vec<Located<EntityConfig>>) -> Vec<Located<EntityConfig>> {
    let mut entities = shipped;
    for file in own {
        let Some(entity) = entities.iter_mut().find(|entity| entity.value.name == file.value.name) else {
            entities.push(file);
            continue;
        };
        let base = &mut entity.value;
        base.label.ja = file.value.label.ja.or(base.label.ja.take());
        base.label.en = file.value.label.en.or(base.label.en.take());
        base.description = file.value.description.or(base.description.take());
        for variable in file.value.variables {
            match base.variables.iter_mut().find(|other| other.name == variable.name) {
                Some(other) => *other = variable,
                None => base.variables.push(variable),
            }
        }
        entity.doc = file.doc;
    }
    entities
}

/// The name of a file without folder and ending.
pub(crate) fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")).unwrap_or(name)
}

fn strip_header(value: &mut Value) {
    if let Some(members) = value.as_object_mut() {
        members.shift_remove("apiVersion");
        members.shift_remove("kind");
    }
}

fn is_under(pointer: &str, ancestor: &str) -> bool {
    pointer.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        // A section that is missing because of it: `/sync` is unknown when `/sync/x` was set.
        || ancestor.strip_prefix(pointer).is_some_and(|rest| rest.starts_with('/') && !pointer.is_empty())
}

/// The schemas that describe the value at a pointer of plain keys.
fn schema_at<'s>(root: &'s Value, pointer: &str) -> Vec<&'s Value> {
    let mut schemas = open(root, root);
    for key in pointer.split('/').skip(1) {
        let below = schemas.iter().filter_map(|schema| schema.get("properties")?.get(key));
        schemas = below.flat_map(|schema| open(root, schema)).collect();
    }
    schemas
}

fn unknown_setting_advice(schema: &Value, pointer: &str) -> Option<String> {
    let (parent, key) = pointer.rsplit_once('/')?;
    let parents = schema_at(schema, parent);
    let known = parents.iter().filter_map(|schema| schema.get("properties")?.as_object()).flat_map(|keys| keys.keys());
    let close = super::suggest::closest(key, known.map(String::as_str));
    Some(match close {
        Some(close) => format!("did you mean `{close}`?"),
        None => "variables that begin with NENRIN_ are settings (NENRIN_SECTION__KEY); name others differently".into(),
    })
}

fn outside_file(origin: &str, code: &'static str, message: String, suggestion: Option<String>) -> Problem {
    let place = Place { file: origin.to_owned(), line: 0, column: 0, width: 0 };
    Problem { code, place, message, source_line: String::new(), suggestion }
}

fn no_project() -> Problem {
    let advice = "make one with `nenrin init DIR`, or name one with `--project DIR`".to_owned();
    outside_file(PROJECT_FILE, "C001", "this folder is no nenrin project: the file is missing".into(), Some(advice))
}

fn bug(error: &Error) -> Problem {
    outside_file("nenrin", "C099", error.to_string(), None)
}
