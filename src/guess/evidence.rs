//! How sure it is that a field is a variable: what its name, label, type and values say.

use super::choices::{Choices, entries, translate};
use super::family::{Family, doubt};
use super::sample::Samples;
use super::shape::fit;
use super::synonyms::{Meeting, Synonyms, Words};
use super::words::{Form, forms_of_label, forms_of_name};
use super::{Input, Neighbour};
use crate::record::{Choice, Field, FieldClass};
use crate::schema::types::TypeOptions;
use crate::schema::{VariableConfig, VariableType};

/// A field that may be a variable.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// Place among the entity's variables.
    pub(super) variable: usize,
    /// Place among the stream's fields.
    pub(super) field: usize,
    /// In hundredths.
    pub(super) confidence: u8,
    pub(super) reason: String,
    /// For `ref`: the stream whose key it holds.
    pub(super) stream: Option<String>,
    pub(super) choices: Choices,
}

/// At least so many values speak for themselves, without a name that says so.
const TELLING: usize = 3;

/// Every pair of variable and field for which anything speaks.
pub(super) fn candidates(input: &Input<'_>, samples: &Samples, synonyms: &Synonyms) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (variable_at, variable) in input.variables.iter().enumerate() {
        let words = synonyms.of(input.entity, variable);
        for (field_at, field) in input.stream.fields.iter().enumerate() {
            if field.class != FieldClass::Business {
                continue;
            }
            let judge = Judge { input, variable, words: &words, field, values: samples.values(field_at) };
            let distinct = samples.distinct(field_at);
            if let Some(verdict) = judge.verdict(&entries(&field.choices, &distinct)) {
                found.push(Candidate { variable: variable_at, field: field_at, ..verdict });
            }
        }
    }
    found
}

struct Judge<'a> {
    input: &'a Input<'a>,
    variable: &'a VariableConfig,
    words: &'a Words<'a>,
    field: &'a Field,
    values: &'a [String],
}

impl Judge<'_> {
    fn verdict(&self, entries: &[Choice]) -> Option<Candidate> {
        let family = Family::of(self.field);
        let takes_users = self.words.entry.sources.iter().any(|source| source == "user");
        let type_doubt = doubt(self.variable.r#type, family, takes_users)?;
        if self.variable.r#type == VariableType::Ref {
            return self.reference(family);
        }
        let (mut score, mut reason) = match self.said() {
            Some(said) => said,
            None => self.shown()?,
        };
        score -= i32::from(type_doubt);
        let mut choices = Choices::default();
        match self.variable.r#type {
            VariableType::Enum => {
                choices = translate(self.words, &self.variable.values, entries);
                let (change, why) = of_choices(&choices);
                score += change;
                reason.push_str(&why);
            }
            // Entries such as A, B, C are no number until somebody says which.
            VariableType::Percent | VariableType::Integer | VariableType::Boolean if !self.field.choices.is_empty() => {
                let values: Vec<String> = self.field.choices.iter().map(|entry| entry.value.clone()).collect();
                let fit = fit(self.variable.r#type, &self.options(), None, &values);
                if fit.is_some_and(|fit| !fit.is_good()) {
                    score -= 50;
                    reason.push_str("; say under `values` what its entries are");
                }
            }
            kind => {
                let (change, why) = self.of_values(kind);
                score += change;
                reason.push_str(&why);
            }
        }
        (score > 0).then(|| self.candidate(score, reason, None, choices))
    }

    fn candidate(&self, score: i32, reason: String, stream: Option<String>, choices: Choices) -> Candidate {
        let confidence = u8::try_from(score.clamp(0, 99)).unwrap_or(0);
        Candidate { variable: 0, field: 0, confidence, reason, stream, choices }
    }

    /// What name and label say.
    fn said(&self) -> Option<(i32, String)> {
        let label = self.field.label.as_deref().filter(|label| !label.is_empty());
        let names = forms_of_name(&self.field.name);
        let labels = label.map(|label| forms_of_label(label, self.input.stream.label.as_deref())).unwrap_or_default();
        let whole = [names.first(), labels.first()];
        if whole.into_iter().flatten().any(|form| self.words.refuses(form)) {
            return None;
        }
        let by_name = self.best(&names);
        let by_label = self.best(&labels);
        let text = label.unwrap_or_default();
        // A code that repeats the label says nothing more.
        let same = whole[0] == whole[1];
        Some(match (by_name, by_label) {
            (Some((Meeting::Is, a)), Some((Meeting::Is, b))) if !same => {
                (98 - i32::from(a.min(b)), format!("name and label {text} both mean it"))
            }
            (name, Some((meeting, doubt))) if name.is_none_or(|(other, _)| meeting >= other) => {
                let base = [50, 50, 65, 95][meeting as usize];
                (base - i32::from(doubt), format!("label {text} {}", phrase(meeting)))
            }
            (Some((meeting, doubt)), label) => {
                let base = [48, 48, 62, 92][meeting as usize];
                // A label that speaks of something else weighs against the name.
                let against = if text.is_empty() || label.is_some() || same { 0 } else { 5 };
                (base - i32::from(doubt) - against, format!("name {} {}", self.field.name, phrase(meeting)))
            }
            (None, _) => return None,
        })
    }

    fn best(&self, forms: &[Form]) -> Option<(Meeting, u8)> {
        let met = forms.iter().filter_map(|form| Some((self.words.meet(form)?, form.doubt)));
        met.max_by_key(|(meeting, doubt)| (*meeting, std::cmp::Reverse(*doubt)))
    }

    /// What says it without a name: that it tells the records apart, or its values, since few texts are corporate numbers
    /// or e-mail addresses by chance.
    fn shown(&self) -> Option<(i32, String)> {
        if self.words.entry.key && self.input.stream.key.as_slice() == [self.field.name.clone()] {
            return Some((70, "it is the key of the records".to_owned()));
        }
        let (score, what) = match self.variable.r#type {
            VariableType::CorporateNumber => (72, "values are 13 digits with the right check digit"),
            VariableType::Email => (62, "values are e-mail addresses"),
            _ => return None,
        };
        let fit = fit(self.variable.r#type, &self.options(), None, self.values)?;
        (fit.count >= TELLING && fit.is_good()).then(|| (score, what.to_owned()))
    }

    fn of_values(&self, kind: VariableType) -> (i32, String) {
        let Some(fit) = fit(kind, &self.options(), self.words.entry.shape, self.values) else {
            return (0, String::new());
        };
        let told = format!("; {} of {} values fit", fit.fitting, fit.count);
        match fit {
            fit if fit.count == 0 => (0, String::new()),
            fit if fit.is_good() => (1, told),
            fit if fit.is_bad() => (-45, told),
            _ => (-12, told),
        }
    }

    fn reference(&self, family: Family) -> Option<Candidate> {
        if family == Family::Parent {
            // The record that a table's row stands in.
            let parent = self.input.stream.name.rsplit_once('.').map(|(parent, _)| parent.to_owned());
            let none = Choices::default();
            return Some(self.candidate(97, "the record that the row stands in".to_owned(), parent, none));
        }
        let of_entity = |neighbour: &&Neighbour| Some(&neighbour.entity) == self.variable.entity.as_ref();
        let is_key = |neighbour: &&Neighbour| neighbour.key.as_slice() == [self.field.name.clone()];
        let mut neighbours = self.input.neighbours.iter().filter(of_entity);
        if let Some(neighbour) = neighbours.clone().find(is_key) {
            if self.input.stream.key.as_slice() == [self.field.name.clone()] {
                // Where all keys have one name, such as `Id`, this says nothing; where it is a code that both share, all.
                let reason =
                    format!("the key of {} has this name, but it is the key of these records too", neighbour.stream);
                return Some(self.candidate(45, reason, Some(neighbour.stream.clone()), Choices::default()));
            }
            let reason = format!("the key of {}", neighbour.stream);
            return Some(self.candidate(92, reason, Some(neighbour.stream.clone()), Choices::default()));
        }
        let (score, reason) = self.said()?;
        if family == Family::Reference {
            return Some(self.candidate(score, reason, None, Choices::default()));
        }
        let of = neighbours.next().map_or("the record referred to".to_owned(), |other| other.stream.clone());
        let reason = format!("{reason}, but a reference must hold the key of {of}");
        (score >= 90).then(|| self.candidate(45, reason, None, Choices::default()))
    }

    fn options(&self) -> TypeOptions {
        TypeOptions::of(self.variable, &self.input.settings.currency, self.input.settings.timezone)
    }
}

fn phrase(meeting: Meeting) -> &'static str {
    match meeting {
        Meeting::Is => "means it",
        Meeting::EndsIn => "ends in a word for it",
        Meeting::Within => "has a word for it",
        Meeting::Weak => "may mean it, or something else",
    }
}

fn of_choices(choices: &Choices) -> (i32, String) {
    let (count, known) = (choices.count(), choices.known_count());
    let told = format!("; {known} of {count} entries have a counterpart");
    match (count, known) {
        (0, _) => (-10, "; no entries seen".to_owned()),
        (_, 0) => (-60, told),
        _ if known * 2 < count => (-20, told),
        _ => (0, told),
    }
}
