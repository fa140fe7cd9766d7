//! The SQL of a project, compiled: as far as that goes without fields, and against those a source offers.

use crate::config::{Problem, Project};
use crate::map::diagnostic::code;
use crate::map::{DeriveInput, Places, Settings, StreamFields, compile, compile_custom, compile_derives};
use crate::record::{SourceId, Stream, StreamId};

/// Codes that hold whatever fields a stream has.
const KNOWN_WITHOUT_FIELDS: &[&str] = &[
    code::SYNTAX,
    code::EMPTY,
    code::NOT_SUPPORTED,
    code::UNKNOWN_VARIABLE,
    code::NOT_MAPPED_HERE,
    code::UNKNOWN_FUNCTION,
    code::AGGREGATE,
    code::WINDOW,
    code::SUBQUERY,
    code::REFUSED_FUNCTION,
    code::NOT_IN_ENUM,
    code::DEFAULT,
    code::VALUES_OF_NO_TEXT,
    code::STREAM_OF_NO_REF,
    code::CYCLE,
    code::ORIGIN,
];

/// What is wrong with the project's SQL whatever its sources offer.
pub(super) fn offline(project: &Project) -> Vec<Problem> {
    let settings = settings(project);
    let mut problems = Vec::new();
    for entity in &project.entities {
        let name = &entity.value.name;
        let variables = project.entity_variables(name);
        let custom = project.variables.iter().filter(|variable| variable.value.entity == *name);
        let derives: Vec<DeriveInput<'_>> = custom
            .map(|file| DeriveInput { variable: &file.value.variable, places: file.doc.as_ref(), pointer: "" })
            .filter(|input| input.variable.derive.is_some())
            .collect();
        if let Err(found) = compile_derives(name, &variables, &derives, &settings) {
            problems.extend(found);
        }
    }
    let streams = project.mappings.iter().map(|mapping| (&mapping.value.source, &mapping.value.stream));
    let mut streams: Vec<StreamId> = streams.map(|(source, stream)| StreamId::new(source, stream)).collect();
    streams.sort();
    streams.dedup();
    for stream in &streams {
        let found = of_stream(project, &StreamFields { stream, fields: &[] }, &settings);
        problems.extend(found.into_iter().filter(|problem| KNOWN_WITHOUT_FIELDS.contains(&problem.code)));
    }
    problems
}

/// What is wrong with the mappings and custom variables of a source, given what it offers.
pub(super) fn online(project: &Project, source: &SourceId, names: &[String], streams: &[Stream]) -> Vec<Problem> {
    let settings = settings(project);
    let mut problems = Vec::new();
    let names = || names.iter().map(String::as_str);
    for mapping in project.mappings.iter().filter(|mapping| mapping.value.source == source.0) {
        let name = &mapping.value.stream;
        if !names().any(|other| other == name) {
            let advice = crate::config::suggest::advice(name, names());
            let message = format!("source `{source}` has no stream `{name}`");
            problems.push(mapping.problem("M106", mapping.place("/stream"), message, advice));
        }
    }
    for stream in streams {
        let id = StreamId { source: source.clone(), stream: stream.name.clone() };
        problems.extend(of_stream(project, &StreamFields { stream: &id, fields: &stream.fields }, &settings));
    }
    problems
}

/// Compiles everything that reads one stream: its mappings, and the custom variables that name it.
fn of_stream(project: &Project, fields: &StreamFields<'_>, settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    let StreamId { source, stream } = fields.stream;
    for mapping in &project.mappings {
        if mapping.value.source == source.0 && mapping.value.stream == *stream {
            let variables = project.entity_variables(&mapping.value.entity);
            let places: &dyn Places = mapping.doc.as_ref();
            if let Err(found) = compile(&mapping.value, places, fields, &variables, settings) {
                problems.extend(found);
            }
        }
    }
    for file in &project.variables {
        let variable = &file.value.variable;
        for (index, from) in variable.from.iter().enumerate() {
            if from.source == source.0 && from.stream == *stream {
                let places: &dyn Places = file.doc.as_ref();
                if let Err(found) = compile_custom(variable, index, places, "", fields, settings) {
                    problems.extend(found);
                }
            }
        }
    }
    problems
}

fn settings(project: &Project) -> Settings {
    project.map_settings()
}
