//! What no file can tell by itself: names that must exist in another file, and names that clash.

use std::collections::BTreeMap;

use super::document::Located;
use super::kind::CustomVariable;
use super::problem::Problem;
use super::project::{Declared, stem};
use super::source::SourceConfig;
use super::suggest::{advice, quoted_list};
use super::yaml::child_pointer;
use crate::map::{MappingConfig, VariableMapping};
use crate::schema::{Aggregate, EntityConfig, VariableConfig, VariableType};
use crate::unify::{IdentityConfig, Rule};

/// Columns that every state has beside its variables.
const RESERVED_NAMES: &[&str] = &["customer_id", "record_id"];

/// The sound files of a project.
pub(crate) struct Parts {
    pub(crate) sources: Vec<Located<SourceConfig>>,
    pub(crate) mappings: Vec<Located<MappingConfig>>,
    pub(crate) entities: Vec<Located<EntityConfig>>,
    pub(crate) variables: Vec<Located<CustomVariable>>,
    pub(crate) identity: Option<Located<IdentityConfig>>,
}

/// Checks the files against each other; every problem is added to `problems`.
pub(crate) fn check(parts: &Parts, declared: &Declared, problems: &mut Vec<Problem>) {
    let mut check = Check { parts, declared, problems };
    check.entity_references();
    check.mappings();
    check.custom_variables();
    if let Some(identity) = &parts.identity {
        check.identity(identity);
    }
}

/// Checks the project's own entity files, before they are laid over the built-in entities.
pub(crate) fn entity_files(entities: &[Located<EntityConfig>], problems: &mut Vec<Problem>) {
    let mut files: BTreeMap<&str, &str> = BTreeMap::new();
    for entity in entities {
        let name = &entity.value.name;
        if let Some(first) = files.insert(name, entity.doc.file()) {
            let message = format!("the entity `{name}` is already in {first}");
            problems.push(entity.problem("C040", entity.place("/name"), message, None));
        }
        check_name(entity, "/name", name, problems);
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, variable) in entity.value.variables.iter().enumerate() {
            let pointer = format!("/variables/{index}");
            let at_name = format!("{pointer}/name");
            check_name(entity, &at_name, &variable.name, problems);
            if let Some(first) = seen.insert(&variable.name, index) {
                let line = entity.place(&format!("/variables/{first}/name")).line;
                let message = format!("the variable `{}` is already in line {line}", variable.name);
                problems.push(entity.problem("C050", entity.place(&at_name), message, None));
            }
            check_type(entity, &pointer, variable, "entity", problems);
            if !variable.from.is_empty() && variable.derive.is_some() {
                let message = "a variable has either `from` or `derive`";
                let advice = Some("remove one of them".to_owned());
                problems.push(entity.problem("M051", entity.key_place(&format!("{pointer}/derive")), message, advice));
            }
        }
    }
}

struct Check<'a> {
    parts: &'a Parts,
    declared: &'a Declared,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn source(&mut self, file: &Located<impl Sized>, code: &'static str, pointer: &str, name: &str) {
        if !self.declared.sources.contains(name) {
            let known = self.declared.sources.iter().map(String::as_str);
            let advice = advice(name, known).or_else(|| Some(format!("make sources/{name}.yaml")));
            self.problems.push(file.problem(code, file.place(pointer), format!("unknown source `{name}`"), advice));
        }
    }

    /// Whether an entity exists; adds a problem when it does not.
    fn entity(&mut self, file: &Located<impl Sized>, code: &'static str, pointer: &str, name: &str) -> bool {
        let known = self.declared.entities.contains(name);
        if !known {
            let advice = advice(name, self.declared.entities.iter().map(String::as_str));
            self.problems.push(file.problem(code, file.place(pointer), format!("unknown entity `{name}`"), advice));
        }
        known
    }

    /// The names of an entity's own variables, and of its custom ones.
    fn names(&self, entity: &str) -> (Vec<&str>, Vec<&str>) {
        let own = self.parts.entities.iter().filter(|other| other.value.name == entity);
        let own = own.flat_map(|entity| entity.value.variables.iter().map(|variable| variable.name.as_str()));
        let custom = self.declared.variables.iter().filter(|(of, _)| of == entity).map(|(_, name)| name.as_str());
        (own.collect(), custom.collect())
    }

    fn entity_references(&mut self) {
        // After extension a place may be in either of two files, so only entities of one file are
        // checked here by place; built-in ones are sound.
        for entity in &self.parts.entities {
            for variable in &entity.value.variables {
                if let Some(target) = &variable.entity
                    && !self.declared.entities.contains(target)
                {
                    let index = (0..).map(|index| format!("/variables/{index}"));
                    let pointer = index
                        .take_while(|pointer| entity.doc.contains(pointer))
                        .find(|pointer| entity.doc.written(&format!("{pointer}/name")) == Some(&variable.name));
                    let pointer = pointer.map(|pointer| format!("{pointer}/entity")).unwrap_or_default();
                    self.entity(entity, "C053", &pointer, target);
                }
            }
        }
    }

    fn mappings(&mut self) {
        let parts = self.parts;
        let mut seen: BTreeMap<(&str, &str, &str), &str> = BTreeMap::new();
        for mapping in &parts.mappings {
            let MappingConfig { source, stream, entity, .. } = &mapping.value;
            self.source(mapping, "M101", "/source", source);
            if self.entity(mapping, "M102", "/entity", entity) {
                self.mapped_variables(mapping);
            }
            if let Some(first) = seen.insert((source, stream, entity), mapping.doc.file()) {
                let message = format!("{first} already maps `{source}/{stream}` to `{entity}`");
                let advice = Some("put all variables into one file".to_owned());
                self.problems.push(mapping.problem("M104", mapping.place("/stream"), message, advice));
            }
            self.mapping_home(mapping);
        }
    }

    fn mapped_variables(&mut self, mapping: &Located<MappingConfig>) {
        let entity = &mapping.value.entity;
        if self.declared.broken_entities.contains(entity) {
            return;
        }
        for (name, from) in &mapping.value.variables {
            let pointer = child_pointer("/variables", name);
            if let VariableMapping::Full(full) = from
                && let Some(target) = &full.stream
                && let Some((source, _)) = target.split_once('/')
                && !self.declared.sources.contains(target)
            {
                self.source(mapping, "M101", &format!("{pointer}/stream"), source);
            }
            let (own, custom) = self.names(entity);
            if own.contains(&name.as_str()) {
                continue;
            }
            let place = mapping.key_place(&pointer);
            let problem = if custom.contains(&name.as_str()) {
                let message = format!("`{name}` is a custom variable: its own file says where its value comes from");
                let advice = Some("add this stream to its `from`, and remove it here".to_owned());
                mapping.problem("M011", place, message, advice)
            } else {
                let message = format!("unknown variable `{name}` of `{entity}`");
                let make = || Some(format!("make schemas/variables/{name}.yaml to add it"));
                let close = super::suggest::closest(name, own.iter().copied());
                let advice = close.map(|close| format!("did you mean `{close}`?")).or_else(make);
                mapping.problem("M010", place, message, advice)
            };
            self.problems.push(problem);
        }
    }

    /// A file at `mappings/<source>/<stream>.yaml` should map that source and stream.
    fn mapping_home(&mut self, mapping: &Located<MappingConfig>) {
        let MappingConfig { source, stream, .. } = &mapping.value;
        let file = mapping.doc.file();
        let folder = file.strip_prefix("mappings/").and_then(|path| path.rsplit_once('/')).map(|(folder, _)| folder);
        if folder != Some(source.as_str()) && self.declared.sources.contains(source) {
            let message = format!("this maps source `{source}`, but lies in {}", folder.unwrap_or("mappings"));
            let advice = Some(format!("move it to mappings/{source}/"));
            self.problems.push(mapping.problem("M901", mapping.place("/source"), message, advice));
        }
        // One stream may be mapped to several entities: `Account.yaml`, `Account.contact.yaml`.
        let rest = stem(file).strip_prefix(stream.as_str());
        let agrees = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']));
        let can_name_a_file = !stream.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|', '.']);
        if !agrees && can_name_a_file {
            let message = format!("this maps stream `{stream}`, but is named {}", stem(file));
            let advice = Some(format!("rename it to {stream}.yaml"));
            self.problems.push(mapping.problem("M901", mapping.place("/stream"), message, advice));
        }
    }

    fn custom_variables(&mut self) {
        let parts = self.parts;
        let mut files: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        for file in &parts.variables {
            let CustomVariable { entity, variable } = &file.value;
            check_name(file, "/name", &variable.name, self.problems);
            check_type(file, "", variable, "refers_to", self.problems);
            if let Some(target) = &variable.entity {
                self.entity(file, "C053", "/refers_to", target);
            }
            if let Some(first) = files.insert((entity, &variable.name), file.doc.file()) {
                let message = format!("the variable `{}` of `{entity}` is already in {first}", variable.name);
                self.problems.push(file.problem("C050", file.place("/name"), message, None));
            }
            let known = self.entity(file, "C053", "/entity", entity);
            if known && self.names(entity).0.contains(&variable.name.as_str()) {
                let message = format!("`{}` is a built-in variable of `{entity}`", variable.name);
                let advice = Some("choose another name, or give it a value in a mapping".to_owned());
                self.problems.push(file.problem("C050", file.place("/name"), message, advice));
            }
            match (&variable.from[..], &variable.derive) {
                ([], None) => {
                    let message = "a custom variable needs `from` or `derive`";
                    let advice =
                        Some("say where its value comes from: `from: [{ source: …, stream: …, expr: … }]`".into());
                    self.problems.push(file.problem("M051", file.place("/name"), message, advice));
                }
                ([_, ..], Some(_)) => {
                    let advice = Some("remove one of them".to_owned());
                    let place = file.key_place("/derive");
                    self.problems.push(file.problem("M051", place, "a variable has either `from` or `derive`", advice));
                }
                _ => {}
            }
            if known {
                self.variable_streams(file);
            }
        }
    }

    /// Each `from` names a stream that is mapped to the variable's entity.
    fn variable_streams(&mut self, file: &Located<CustomVariable>) {
        let CustomVariable { entity, variable } = &file.value;
        for (index, from) in variable.from.iter().enumerate() {
            if !self.declared.sources.contains(&from.source) {
                self.source(file, "C052", &format!("/from/{index}/source"), &from.source);
                continue;
            }
            let mappings = self.parts.mappings.iter().map(|mapping| &mapping.value);
            let of_source = mappings.filter(|mapping| mapping.source == from.source && mapping.entity == *entity);
            let streams: Vec<&str> = of_source.map(|mapping| mapping.stream.as_str()).collect();
            if streams.contains(&from.stream.as_str()) || self.has_broken_mapping(&from.source) {
                continue;
            }
            let message = format!("no mapping turns `{}/{}` into `{entity}`", from.source, from.stream);
            let file_name = format!("mappings/{}/{}.yaml", from.source, from.stream);
            let advice = advice(&from.stream, streams).or_else(|| Some(format!("make {file_name} first")));
            self.problems.push(file.problem("C054", file.place(&format!("/from/{index}/stream")), message, advice));
        }
    }

    /// Whether a mapping file of the source is wrong, so that what it maps is not known.
    fn has_broken_mapping(&self, source: &str) -> bool {
        let folder = format!("mappings/{source}/");
        let sound = |file: &str| self.parts.mappings.iter().any(|mapping| mapping.doc.file() == file);
        self.problems.iter().any(|problem| problem.place.file.starts_with(&folder) && !sound(&problem.place.file))
    }

    fn identity(&mut self, file: &Located<IdentityConfig>) {
        let config = &file.value;
        for (index, rule) in config.rules.iter().enumerate() {
            let at = |key: &str| format!("/rules/{index}/{key}");
            match rule {
                Rule::ExternalId { variable, stream } => {
                    self.customer_variable(file, &at("variable"), variable, false);
                    self.stream_name(file, &at("stream"), stream);
                }
                Rule::CorporateNumber { variable } => {
                    let name = variable.as_deref().unwrap_or("corporate_number");
                    self.customer_variable(file, &at("variable"), name, false);
                }
                Rule::Name { variable, and } => {
                    self.customer_variable(file, &at("variable"), variable.as_deref().unwrap_or("name"), false);
                    if let Some(and) = and {
                        self.customer_variable(file, &at("and"), and, false);
                    }
                }
            }
        }
        for (index, source) in config.priority.iter().enumerate() {
            self.source(file, "C061", &format!("/priority/{index}"), source);
        }
        for (variable, sources) in &config.variable_priority {
            let pointer = child_pointer("/variable_priority", variable);
            self.customer_variable(file, &pointer, variable, true);
            for (index, source) in sources.iter().enumerate() {
                self.source(file, "C061", &format!("{pointer}/{index}"), source);
            }
        }
        for (key, groups) in [("merge", &config.merge), ("keep_apart", &config.keep_apart)] {
            for (group, records) in groups.iter().enumerate() {
                for (index, record) in records.iter().enumerate() {
                    self.record(file, &format!("/{key}/{group}/{index}"), record);
                }
                if records.len() < 2 {
                    let message = format!("`{key}` needs two records or more in each list");
                    self.problems.push(file.problem("C062", file.place(&format!("/{key}/{group}/0")), message, None));
                }
            }
        }
    }

    fn customer_variable(&mut self, file: &Located<IdentityConfig>, pointer: &str, name: &str, at_key: bool) {
        let (own, custom) = self.names("customer");
        if own.contains(&name) || custom.contains(&name) || self.declared.broken_entities.contains("customer") {
            return;
        }
        let place = if at_key { file.key_place(pointer) } else { file.place(pointer) };
        let close = super::suggest::closest(name, own.into_iter().chain(custom));
        let make = || Some(format!("make schemas/variables/{name}.yaml to add it"));
        let advice = close.map(|close| format!("did you mean `{close}`?")).or_else(make);
        self.problems.push(file.problem("C060", place, format!("unknown variable `{name}` of `customer`"), advice));
    }

    fn stream_name(&mut self, file: &Located<IdentityConfig>, pointer: &str, name: &str) {
        match name.split_once('/') {
            Some((source, stream)) if !source.is_empty() && !stream.is_empty() => {
                self.source(file, "C061", pointer, source);
            }
            _ => {
                let advice = Some("write it as `source/stream`".to_owned());
                let message = format!("`{name}` names no stream");
                self.problems.push(file.problem("C062", file.place(pointer), message, advice));
            }
        }
    }

    fn record(&mut self, file: &Located<IdentityConfig>, pointer: &str, name: &str) {
        let parts = name.split_once('/').and_then(|(source, rest)| Some((source, rest.split_once('#')?)));
        match parts {
            Some((source, (stream, key))) if !source.is_empty() && !stream.is_empty() && !key.is_empty() => {
                self.source(file, "C061", pointer, source);
            }
            _ => {
                let advice = Some("write it as `source/stream#key`".to_owned());
                self.problems.push(file.problem("C062", file.place(pointer), "this names no record", advice));
            }
        }
    }
}

/// Names of entities and variables are columns, tables and words in expressions.
fn check_name(file: &Located<impl Sized>, pointer: &str, name: &str, problems: &mut Vec<Problem>) {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let advice = if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(allowed) {
        "use lower-case letters, digits and `_`, starting with a letter; people read its `label`"
    } else if name.len() > 48 {
        "use 48 characters or fewer; people read its `label`"
    } else if RESERVED_NAMES.contains(&name) {
        "every table has a column of that name; choose another"
    } else {
        return;
    };
    let message = format!("`{name}` cannot be a name");
    problems.push(file.problem("C041", file.place(pointer), message, Some(advice.to_owned())));
}

/// What a variable says beside its type must belong to that type.
fn check_type(
    file: &Located<impl Sized>,
    pointer: &str,
    variable: &VariableConfig,
    target_key: &str,
    problems: &mut Vec<Problem>,
) {
    let kind = variable.r#type;
    let mut problem = |key: &str, message: String, advice: Option<String>| {
        let pointer = format!("{pointer}/{key}");
        // A missing key is shown at the type that needs it, a superfluous one at itself.
        let place = if key == "type" { file.place(&pointer) } else { file.key_place(&pointer) };
        problems.push(file.problem("C055", place, message, advice));
    };
    match (kind, &variable.values[..]) {
        (VariableType::Enum, []) => {
            problem("type", "an enum needs its `values`".into(), Some("list them in order: `values: [a, b]`".into()));
        }
        (VariableType::Enum, values) => {
            if let Some(twice) = values.iter().enumerate().find(|(i, value)| values[..*i].contains(value)) {
                problem(&format!("values/{}", twice.0), format!("the value `{}` is listed twice", twice.1), None);
            }
        }
        (VariableType::Set, values) => {
            if let Some(twice) = values.iter().enumerate().find(|(i, value)| values[..*i].contains(value)) {
                problem(&format!("values/{}", twice.0), format!("the value `{}` is listed twice", twice.1), None);
            }
        }
        (_, []) => {}
        _ => {
            let advice = Some("write `type: enum` or `type: set`, or remove them".into());
            problem("values", "only an enum or a set has `values`".into(), advice);
        }
    }
    if kind == VariableType::Set && matches!(variable.aggregate, Some(Aggregate::Min | Aggregate::Max)) {
        let message = "sets have no order, so none is the least or the greatest";
        problem("aggregate", message.into(), Some("write `aggregate: count`, or remove it".into()));
    }
    for (key, message, advice) in value_label_faults(variable) {
        problem(&key, message, Some(advice));
    }
    for (key, message, advice) in variable.read_as.faults(kind, false) {
        problem(&format!("read_as/{key}"), message, Some(advice));
    }
    for (index, from) in variable.from.iter().enumerate().filter(|(_, from)| from.currency.is_some()) {
        if kind != VariableType::Money {
            let message = format!("only money has a `currency`; the entry of `{}` names one", from.stream);
            problem(&format!("from/{index}/currency"), message, Some("remove it, or write `type: money`".into()));
        }
    }
    match (kind, &variable.entity) {
        (VariableType::Ref, None) => {
            let advice = format!("name the entity it refers to: `{target_key}: customer`");
            problem("type", format!("a ref needs `{target_key}`"), Some(advice));
        }
        (VariableType::Ref, Some(_)) | (_, None) => {}
        (_, Some(_)) => problem(target_key, format!("only a ref has `{target_key}`"), Some("remove it".into())),
    }
    if kind != VariableType::Money {
        for (key, given) in [("currency", variable.currency.is_some()), ("scale", variable.scale.is_some())] {
            if given {
                problem(
                    key,
                    format!("only money has a `{key}`"),
                    Some(format!("remove it, or write {}", quoted_list(&["type: money"]))),
                );
            }
        }
    }
    if variable.scale.is_some_and(|scale| scale > 10) {
        problem("scale", "a scale is 0 to 10".into(), None);
    }
    if variable.currency.as_ref().is_some_and(|code| code.len() != 3 || !code.chars().all(|c| c.is_ascii_uppercase())) {
        problem("currency", "a currency is an ISO 4217 code".into(), Some("such as `JPY` or `USD`".into()));
    }
}

/// Labels must belong to a listed value, and to one only, or a text could mean two of them.
fn value_label_faults(variable: &VariableConfig) -> Vec<(String, String, String)> {
    let mut faults = Vec::new();
    let mut owners: BTreeMap<&str, &str> =
        variable.values.iter().map(|value| (value.as_str(), value.as_str())).collect();
    for (value, label) in &variable.value_labels {
        let pointer = child_pointer("value_labels", value);
        let pointer = pointer.trim_start_matches('/').to_owned();
        if !variable.values.contains(value) {
            let close = advice(value, variable.values.iter().map(String::as_str));
            let list = || "label a value that `values` lists".to_owned();
            faults.push((pointer, format!("`{value}` is not one of the values"), close.unwrap_or_else(list)));
            continue;
        }
        for text in [&label.ja, &label.en].into_iter().flatten() {
            match owners.insert(text.trim(), value) {
                Some(other) if other != value => {
                    let message = format!("the label `{text}` means `{other}` already");
                    faults.push((pointer.clone(), message, "give each value labels of its own".to_owned()));
                }
                _ => {}
            }
        }
    }
    faults
}
