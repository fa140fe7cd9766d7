//! Drafts a mapping: which field of a stream is which variable, by names, labels, types and sampled values.
//!
//! A draft is a proposal for a person, each line with how sure it is and why. It guesses at *fields*, never at values:
//! what a value means is still converted strictly or held, and a picklist entry without a clear counterpart is left open.
//! Nothing here asks a source or writes a file; the same input gives the same draft.

mod choices;
mod entity;
mod evidence;
mod family;
mod lines;
mod proof;
mod sample;
mod shape;
mod synonyms;
mod template;
mod template_file;
mod words;
mod yaml;

use crate::config::Project;
use crate::error::Result;
use crate::map::{Effective, Settings};
use crate::record::{Records, Stream, StreamId};
use crate::schema::VariableConfig;

pub use entity::{EntityGuess, guess_entity, is_called};
pub use lines::{Line, State, Translated};
pub use template_file::{Template, shipped_templates};
pub use yaml::write_yaml;

/// How sure a line must be to be drafted, in hundredths.
pub const DRAFTED_FROM: u8 = 60;
/// How sure a line must be to be proposed in a comment, in hundredths.
pub const PROPOSED_FROM: u8 = 40;

/// What a draft is made from.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The stream, as the source describes it now.
    pub stream: &'a Stream,
    /// Its name in the project.
    pub id: &'a StreamId,
    /// The entity its records are to become.
    pub entity: &'a str,
    /// All variables of the entity.
    pub variables: &'a [VariableConfig],
    /// Some of its records; empty: names, labels and types must do.
    pub records: &'a Records,
    /// Templates of the source's connector.
    pub templates: &'a [Template],
    /// Streams of the same source that are, or would be, mapped to other entities: stream, its entity, its key fields.
    pub neighbours: &'a [Neighbour],
    /// Time zone and currency of the project.
    pub settings: &'a Settings,
}

/// Another stream of the same source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// Its name.
    pub stream: String,
    /// The entity that its records become.
    pub entity: String,
    /// The fields that make its key.
    pub key: Vec<String>,
}

/// A field that the draft does not use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// Its name.
    pub name: String,
    /// What people in the source see.
    pub label: Option<String>,
    /// The source's type word.
    pub source_type: String,
    /// Why it could not be used, where that is not just that nothing fits.
    pub why: Option<&'static str>,
}

/// A drafted mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The stream.
    pub stream: StreamId,
    /// The entity its records become.
    pub entity: String,
    /// The lines, in the order of the entity's variables.
    pub lines: Vec<Line>,
    /// Variables for which no field was found.
    pub missing: Vec<String>,
    /// Fields that no line uses.
    pub unused: Vec<Unused>,
    /// The template that was followed, if one fits.
    pub template: Option<String>,
    /// When a record counts, as the template says.
    pub effective: Option<Effective>,
    /// How many records were looked at.
    pub record_count: usize,
}

impl Draft {
    /// The lines that are part of the mapping; the others are proposals.
    pub fn drafted(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.state == State::Drafted)
    }
}

/// Drafts the mapping of one stream to one entity. Every drafted line compiles against the stream's fields.
///
/// # Errors
///
/// Internal when the synonym list that comes with the program cannot be read.
pub fn draft(input: &Input<'_>) -> Result<Draft> {
    let synonyms = synonyms::Synonyms::shipped()?;
    let samples = sample::Samples::of(input.stream, input.records);
    let followed = template::follow(input, &samples, synonyms);
    let candidates = evidence::candidates(input, &samples, synonyms);
    let from_template = followed.as_ref().map(|followed| followed.lines.clone()).unwrap_or_default();
    let lines = lines::choose(input, from_template, candidates, synonyms, &samples);
    let lines = proof::keep_what_compiles(input, lines);
    let effective = followed.as_ref().and_then(|followed| followed.effective.clone());
    Ok(Draft {
        stream: input.id.clone(),
        entity: input.entity.to_owned(),
        missing: missing(input, &lines),
        unused: unused(input, &lines, &samples),
        lines,
        template: followed.map(|followed| followed.name),
        effective: effective.filter(|effective| proof::effective_compiles(input, effective)),
        record_count: input.records.len(),
    })
}

/// The variables of an entity that a mapping can give a value: custom ones say themselves where theirs comes from.
pub fn open_variables(project: &Project, entity: &str) -> Vec<VariableConfig> {
    let mut variables = project.entity_variables(entity);
    variables.retain(|variable| variable.from.is_empty() && variable.derive.is_none());
    variables
}

fn missing(input: &Input<'_>, lines: &[Line]) -> Vec<String> {
    let found = |name: &String| lines.iter().any(|line| line.variable == *name);
    input.variables.iter().map(|variable| &variable.name).filter(|name| !found(name)).cloned().collect()
}

fn unused(input: &Input<'_>, lines: &[Line], samples: &sample::Samples) -> Vec<Unused> {
    let used = |name: &String| lines.iter().any(|line| line.state == State::Drafted && line.fields.contains(name));
    let fields = input.stream.fields.iter().enumerate().filter(|(_, field)| !used(&field.name));
    fields
        .map(|(at, field)| Unused {
            name: field.name.clone(),
            label: field.label.clone(),
            source_type: field.source_type.clone(),
            why: family::why_not(field.class).or_else(|| samples.is_blank(at).then_some("empty in the sample")),
        })
        .collect()
}
