//! Following a template: its lines with the fields of this stream, found by name, or by label and type.

use super::Input;
use super::choices::{entries, translate};
use super::lines::{Line, State, Translated, as_expression};
use super::sample::Samples;
use super::shape::fit;
use super::synonyms::Synonyms;
use super::template_file::{Meant, Read};
use crate::map::{Effective, VariableMapping, written};
use crate::record::{Choice, Field, FieldClass};
use crate::schema::types::TypeOptions;
use crate::schema::{VariableConfig, VariableType};

/// How sure a line of a template is that fits.
const FITTING: u8 = 99;
/// How sure one is that a person must look at.
const TO_LOOK_AT: u8 = 55;

/// What came of a template.
#[derive(Debug, Clone)]
pub(super) struct Followed {
    /// Its file.
    pub(super) name: String,
    /// Its lines that fit the stream.
    pub(super) lines: Vec<Line>,
    /// When a record counts.
    pub(super) effective: Option<Effective>,
}

/// Follows the template that fits best: the one of this very stream, else one for the same entity that finds at least two
/// and at least half of the fields that it does not merely propose. Where none does, there is none.
pub(super) fn follow(input: &Input<'_>, samples: &Samples, synonyms: &Synonyms) -> Option<Followed> {
    let mut best: Option<(bool, usize, Followed)> = None;
    for template in input.templates {
        let Some(read) = template.read().filter(|read| read.mapping.entity == input.entity) else { continue };
        let is_same = read.mapping.stream == input.stream.name;
        let lines = lines_of(input, samples, synonyms, &read);
        // What only has the same name, as in a template for another object, is no reason to follow it.
        let is_certain = |line: &&Line| {
            let meant = read.meant.get(&line.variable);
            !read.proposed.contains(&line.variable) && (is_same || meant.is_some_and(Meant::says_types))
        };
        let certain = lines.iter().filter(is_certain).count();
        let wanted = read.mapping.variables.len() - read.proposed.len();
        let fits = if is_same { !lines.is_empty() } else { certain >= 2 && certain * 2 >= wanted };
        let rank = (is_same, certain);
        if !fits || best.as_ref().is_some_and(|(same, count, _)| rank <= (*same, *count)) {
            continue;
        }
        let effective = read.mapping.effective.clone();
        best = Some((is_same, certain, Followed { name: template.file.to_owned(), lines, effective }));
    }
    best.map(|(_, _, followed)| followed)
}

fn lines_of(input: &Input<'_>, samples: &Samples, synonyms: &Synonyms, read: &Read) -> Vec<Line> {
    let mut lines = Vec::new();
    for (name, mapped) in &read.mapping.variables {
        let Some(variable) = input.variables.iter().find(|variable| variable.name == *name) else { continue };
        let Some((expression, fields, how)) = placed(input, read, name, text_of(mapped)) else { continue };
        let mut line = Line {
            variable: name.clone(),
            expression,
            fields,
            confidence: FITTING,
            reason: how,
            values: Vec::new(),
            open: Vec::new(),
            stream: None,
            state: State::Drafted,
            is_of_template: true,
        };
        if let VariableMapping::Full(full) = mapped {
            line.stream.clone_from(&full.stream);
            let given = full.values.iter();
            line.values =
                given.map(|(from, to)| Translated { from: from.clone(), to: to.clone(), how: String::new() }).collect();
        }
        if line.stream.is_some() {
            // The template's own parent; that of this stream stands in its name.
            line.stream = input.stream.name.rsplit_once('.').map(|(parent, _)| parent.to_owned());
        }
        look_at_values(input, samples, synonyms, variable, &mut line);
        line.state = super::lines::state_of(line.confidence);
        lines.push(line);
    }
    lines
}

fn text_of(mapped: &VariableMapping) -> &str {
    match mapped {
        VariableMapping::Expr(text) => text,
        VariableMapping::Full(full) => &full.from,
    }
}

/// The expression with the stream's own fields, those fields, and how they were found.
fn placed(input: &Input<'_>, read: &Read, variable: &str, text: &str) -> Option<(String, Vec<String>, String)> {
    let meant = read.meant.get(variable).cloned().unwrap_or_default();
    let fields = &input.stream.fields;
    let is_open = |field: &Field| field.class == FieldClass::Business;
    // What a template names may be calculated; only what is merely alike must not be.
    let may_be_named = |field: &Field| is_open(field) || field.class == FieldClass::Calculated;
    let named = |name: &String| fields.iter().find(|field| field.name == *name && may_be_named(field));
    let names = if named(&text.to_owned()).is_some() { vec![text.to_owned()] } else { names_in(text) };
    let is_there = |name: &String| named(name).is_some_and(|field| meant.is_type_of(field));
    if !names.is_empty() && names.iter().all(is_there) {
        return Some((text.to_owned(), names, "as in the template".to_owned()));
    }
    let [name] = names.as_slice() else { return None };
    let field = meant.find(fields, is_open)?;
    let expression =
        if text == name { as_expression(&field.name) } else { replaced(text, name, &written(&field.name)) };
    let label = field.label.as_deref().unwrap_or(&field.name);
    Some((expression, vec![field.name.clone()], format!("template: label {label}, {}", field.source_type)))
}

/// A template's values are a proposal too: entries of this very field count, and what is seen must convert.
fn look_at_values(
    input: &Input<'_>,
    samples: &Samples,
    synonyms: &Synonyms,
    variable: &VariableConfig,
    line: &mut Line,
) {
    let Some(at) = input.stream.fields.iter().position(|field| line.fields.first() == Some(&field.name)) else {
        return;
    };
    let entries = entries(&input.stream.fields[at].choices, &samples.distinct(at));
    if variable.r#type == VariableType::Enum {
        if entries.is_empty() {
            return;
        }
        let words = synonyms.of(input.entity, variable);
        let given = std::mem::take(&mut line.values);
        let rest: Vec<Choice> =
            entries.iter().filter(|entry| !given.iter().any(|known| known.from == entry.value)).cloned().collect();
        let place = |value: &Translated| entries.iter().position(|entry| entry.value == value.from);
        line.values = given.into_iter().filter(|value| place(value).is_some()).collect();
        let choices = translate(&words, &variable.values, &rest);
        line.values.extend(choices.known);
        line.values.sort_by_key(place);
        line.open = choices.open;
        return;
    }
    if !line.values.is_empty() {
        // What A, B and C are worth is for the people who wrote them.
        line.confidence = TO_LOOK_AT;
        line.reason.push_str("; say what its entries are worth");
        return;
    }
    let options = TypeOptions::of(variable, &input.settings.currency, input.settings.timezone);
    let is_bare = line.fields.iter().map(|name| as_expression(name)).eq([line.expression.clone()]);
    let shape = synonyms.of(input.entity, variable).entry.shape;
    if let Some(fit) = fit(variable.r#type, &options, shape, samples.values(at)).filter(|_| is_bare)
        && fit.count > 0
    {
        line.reason.push_str(&format!("; {} of {} values fit", fit.fitting, fit.count));
        if fit.is_bad() {
            line.confidence = TO_LOOK_AT;
        }
    }
}

/// The names of fields in an expression: words that are no function and stand in no text.
fn names_in(expression: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    walk(expression, |word, _| {
        if !names.iter().any(|name| name == word) {
            names.push(word.to_owned());
        }
    });
    names
}

/// The expression with the field `name` replaced.
fn replaced(expression: &str, name: &str, by: &str) -> String {
    let mut out = String::new();
    let mut done = 0;
    walk(expression, |word, at| {
        if word == name {
            out.push_str(&expression[done..at]);
            out.push_str(by);
            done = at + word.len();
        }
    });
    out + &expression[done..]
}

/// Calls `seen` with every name and where it begins.
fn walk(expression: &str, mut seen: impl FnMut(&str, usize)) {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut rest = expression.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if c == '\'' {
            rest.by_ref().find(|(_, c)| *c == '\'');
        } else if is_part(c) {
            let mut end = at + c.len_utf8();
            while let Some((next, _)) = rest.next_if(|(_, c)| is_part(*c)) {
                end = next + expression[next..].chars().next().map_or(1, char::len_utf8);
            }
            let word = &expression[at..end];
            if !expression[end..].starts_with('(') && !word.bytes().all(|byte| byte.is_ascii_digit()) {
                seen(word, at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_outside_of_texts_and_functions() {
        assert_eq!(names_in("lower(split_part(Web, '/', 3))"), ["Web"]);
        assert_eq!(names_in("concat(LastName, ' x ', FirstName)"), ["LastName", "FirstName"]);
        assert_eq!(names_in("split_part(CS担当, chr(10), 1)"), ["CS担当"]);
        assert_eq!(names_in("$parent"), ["$parent"]);
        assert_eq!(
            replaced("lower(split_part(Web, 'Web', 3))", "Web", "\"URL (新)\""),
            "lower(split_part(\"URL (新)\", 'Web', 3))"
        );
    }
}
