//! Which entity the records of a stream are.

use super::evidence::candidates;
use super::sample::Samples;
use super::synonyms::Synonyms;
use super::words::{forms_of_label, forms_of_name};
use super::{DRAFTED_FROM, Input};
use crate::error::Result;
use crate::record::Stream;
use crate::schema::VariableType;

/// An entity, with what speaks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityGuess {
    /// The entity.
    pub entity: String,
    /// Whether the stream is called so.
    pub is_called_so: bool,
    /// How many of its variables have a likely field.
    pub likely_count: usize,
    /// How many variables it has.
    pub variable_count: usize,
    /// Whether it refers to another entity, and no field says to which record: people without a company are hardly
    /// contacts.
    pub lacks_parent: bool,
}

/// Whether streams of the entity are called like this one.
///
/// # Errors
///
/// Internal when the synonym list cannot be read.
pub fn is_called(stream: &Stream, entity: &str) -> Result<bool> {
    let mut forms = forms_of_name(&stream.name);
    // Of a table within an app, only what the table is called counts.
    if let Some((_, table)) = stream.name.rsplit_once('.') {
        forms = forms_of_name(table);
    }
    forms.extend(stream.label.iter().flat_map(|label| forms_of_label(label, None)));
    Ok(Synonyms::shipped()?.is_stream_of(entity, &forms))
}

/// What speaks for one entity; `input` names it. The stream is of the entity that it is called after, else of the one
/// with the most likely variables; the caller compares.
///
/// # Errors
///
/// Internal when the synonym list cannot be read.
pub fn guess_entity(input: &Input<'_>) -> Result<EntityGuess> {
    let samples = Samples::of(input.stream, input.records);
    let found = candidates(input, &samples, Synonyms::shipped()?);
    let is_likely = |at: usize| found.iter().any(|one| one.variable == at && one.confidence >= DRAFTED_FROM);
    Ok(EntityGuess {
        entity: input.entity.to_owned(),
        is_called_so: is_called(input.stream, input.entity)?,
        likely_count: (0..input.variables.len()).filter(|at| is_likely(*at)).count(),
        variable_count: input.variables.len(),
        lacks_parent: {
            let mut refs =
                input.variables.iter().enumerate().filter(|(_, variable)| variable.r#type == VariableType::Ref);
            refs.any(|(at, _)| !is_likely(at))
        },
    })
}
