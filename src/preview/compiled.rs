//! The mappings of a stream as they are on disk, compiled.

use crate::config::{Problem, Problems, Project};
use crate::error::{Error, ErrorKind, Result};
use crate::map::{CompiledMapping, Places, Settings, StreamFields, compile, compile_custom};
use crate::record::{Field, StreamId};

/// A mapping file, ready to run.
#[derive(Debug)]
pub struct OnDisk {
    /// The file, relative to the project folder.
    pub file: String,
    /// The mapping, with the custom variables that read the stream.
    pub mapping: CompiledMapping,
    /// The entity's variables in their order.
    pub order: Vec<String>,
}

/// Compiles every mapping of `stream` (to `entity` only, where one is named) against `fields`.
///
/// # Errors
///
/// Config with every problem, as `nenrin check` tells it.
pub fn compile_on_disk(
    project: &Project,
    stream: &StreamId,
    fields: &[Field],
    entity: Option<&str>,
    settings: &Settings,
) -> Result<Vec<OnDisk>> {
    let offered = StreamFields { stream, fields };
    let mut problems: Vec<Problem> = Vec::new();
    let mut compiled = Vec::new();
    let of_stream = project.mappings.iter().filter(|mapping| {
        mapping.value.source == stream.source.0
            && mapping.value.stream == stream.stream
            && entity.is_none_or(|entity| mapping.value.entity == entity)
    });
    for file in of_stream {
        let variables = project.entity_variables(&file.value.entity);
        let places: &dyn Places = &*file.doc;
        let mut mapping = match compile(&file.value, places, &offered, &variables, settings) {
            Ok(mapping) => mapping,
            Err(found) => {
                problems.extend(found);
                continue;
            }
        };
        for custom in project.variables.iter().filter(|custom| custom.value.entity == file.value.entity) {
            let variable = &custom.value.variable;
            let reads =
                |from: &crate::schema::FromConfig| from.source == stream.source.0 && from.stream == stream.stream;
            for (index, _) in variable.from.iter().enumerate().filter(|(_, from)| reads(from)) {
                match compile_custom(variable, index, &*custom.doc, "", &offered, settings) {
                    Ok(variable) => mapping.add(variable),
                    Err(found) => problems.extend(found),
                }
            }
        }
        let order = variables.into_iter().map(|variable| variable.name).collect();
        compiled.push(OnDisk { file: file.doc.file().to_owned(), mapping, order });
    }
    if problems.is_empty() {
        return Ok(compiled);
    }
    let count = problems.len();
    let noun = if count == 1 { "problem" } else { "problems" };
    Err(Error::new(ErrorKind::Config, format!("the mapping of {stream} has {count} {noun}"))
        .help("mend the file, then run the command again")
        .caused_by(Problems(problems)))
}
