//! The words by which variables are known, from `synonyms.yaml`.

use std::collections::{BTreeMap, HashSet};
use std::sync::OnceLock;

use serde::Deserialize;

use super::words::{Form, fold};
use crate::config::yaml::parse;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::VariableConfig;

const FILE: &str = include_str!("synonyms.yaml");

/// What values of a text variable look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ExpectedShape {
    Phone,
    Url,
    Prefecture,
}

/// One variable in the list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Entry {
    words: Vec<String>,
    weak: Vec<String>,
    not: Vec<String>,
    pub(super) shape: Option<ExpectedShape>,
    /// Whether the key of a stream's records may be it, whatever it is called.
    pub(super) key: bool,
    /// Types of fields that may hold it although they are no text.
    pub(super) sources: Vec<String>,
    pub(super) parts: Option<Parts>,
    values: BTreeMap<String, Vec<String>>,
}

/// Two fields that are one value together.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parts {
    first: Vec<String>,
    second: Vec<String>,
    /// The expression, with `{first}` and `{second}`.
    pub(super) expr: String,
}

impl Parts {
    /// Whether a form is the word of the first part, or of the second.
    pub(super) fn is(&self, part: usize, form: &Form) -> bool {
        let words = if part == 0 { &self.first } else { &self.second };
        words.contains(&form.text)
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct EntityWords {
    streams: Vec<String>,
    variables: BTreeMap<String, Entry>,
}

/// The whole list, its words folded.
#[derive(Debug)]
pub(super) struct Synonyms {
    entities: BTreeMap<String, EntityWords>,
}

/// How a form of a name or label meets the words of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meeting {
    /// It may mean it as well as something else.
    Weak,
    /// A word of the variable stands within.
    Within,
    /// It ends in a word of the variable, as the head of a Japanese or English phrase does.
    EndsIn,
    /// It is one.
    Is,
}

/// The words of one variable, with those of its own definition.
#[derive(Debug)]
pub(super) struct Words<'a> {
    pub(super) entry: &'a Entry,
    own: HashSet<String>,
}

impl Synonyms {
    /// The list that comes with the program.
    pub(super) fn shipped() -> Result<&'static Synonyms> {
        static SHIPPED: OnceLock<std::result::Result<Synonyms, String>> = OnceLock::new();
        SHIPPED.get_or_init(Synonyms::read).as_ref().map_err(|why| {
            Error::new(ErrorKind::Internal, "the list of synonyms cannot be read").caused_by(why.clone())
        })
    }

    fn read() -> std::result::Result<Synonyms, String> {
        let parsed = parse("synonyms.yaml", FILE);
        if let Some(problem) = parsed.problems.first() {
            return Err(format!("{}: {}", problem.place, problem.message));
        }
        let value = parsed.value.unwrap_or_default();
        let mut entities: BTreeMap<String, EntityWords> =
            serde_json::from_value(value).map_err(|error| error.to_string())?;
        for entity in entities.values_mut() {
            fold_all(&mut entity.streams);
            for entry in entity.variables.values_mut() {
                fold_all(&mut entry.words);
                fold_all(&mut entry.weak);
                fold_all(&mut entry.not);
                entry.values.values_mut().for_each(fold_all);
                if let Some(parts) = &mut entry.parts {
                    fold_all(&mut parts.first);
                    fold_all(&mut parts.second);
                }
            }
        }
        Ok(Synonyms { entities })
    }

    /// The words of a variable; of one that is not in the list, those of its own name and labels.
    pub(super) fn of(&self, entity: &str, variable: &VariableConfig) -> Words<'_> {
        static NONE: Entry = Entry {
            words: Vec::new(),
            weak: Vec::new(),
            not: Vec::new(),
            shape: None,
            key: false,
            sources: Vec::new(),
            parts: None,
            values: BTreeMap::new(),
        };
        let entry = self.entities.get(entity).and_then(|entity| entity.variables.get(&variable.name)).unwrap_or(&NONE);
        let labels = [&variable.label.ja, &variable.label.en].into_iter().flatten();
        let own = std::iter::once(&variable.name).chain(labels).map(|text| fold(text)).collect();
        Words { entry, own }
    }

    /// Whether this is what streams of the entity are called.
    pub(super) fn is_stream_of(&self, entity: &str, forms: &[Form]) -> bool {
        let words = self.entities.get(entity).map_or(&[][..], |entity| &entity.streams);
        forms.iter().any(|form| words.contains(&form.text))
    }
}

fn fold_all(words: &mut Vec<String>) {
    words.iter_mut().for_each(|word| *word = fold(word));
    let mut seen = HashSet::new();
    words.retain(|word| seen.insert(word.clone()));
}

impl Words<'_> {
    /// How a form meets the words.
    pub(super) fn meet(&self, form: &Form) -> Option<Meeting> {
        let text = form.text.as_str();
        let (is, refused) = (self.is(text), self.entry.not.iter().any(|word| text.contains(word.as_str())));
        if is {
            return Some(Meeting::Is);
        }
        if refused {
            return None;
        }
        if self.entry.weak.iter().any(|word| word == text) {
            return Some(Meeting::Weak);
        }
        let words = || self.entry.words.iter().chain(&self.own).filter(|word| is_long_enough(word));
        if words().any(|word| form.ends_in(word)) {
            return Some(Meeting::EndsIn);
        }
        words().any(|word| form.has(word)).then_some(Meeting::Within)
    }

    /// Whether a form speaks of something else although a word of the variable stands in it.
    pub(super) fn refuses(&self, form: &Form) -> bool {
        !self.is(&form.text) && self.entry.not.iter().any(|word| form.text.contains(word.as_str()))
    }

    /// The enum's value that a folded text is a word for.
    pub(super) fn value_of<'v>(&self, values: &'v [String], text: &str) -> Option<&'v String> {
        values.iter().find(|value| {
            fold(value) == text || self.entry.values.get(*value).is_some_and(|words| words.iter().any(|w| w == text))
        })
    }

    /// The values whose words stand within a text, with the longest such word.
    pub(super) fn values_within<'v>(&self, values: &'v [String], text: &Form) -> Vec<(&'v String, &str)> {
        let longest = |value: &'v String| {
            let words = self.entry.values.get(value)?.iter().map(String::as_str);
            let within = words.filter(|word| is_long_enough(word) && text.has(word));
            within.max_by_key(|word| word.chars().count()).map(|word| (value, word))
        };
        values.iter().filter_map(longest).collect()
    }

    fn is(&self, text: &str) -> bool {
        self.entry.words.iter().any(|word| word == text) || self.own.contains(text)
    }
}

/// Short words stand within too many others.
fn is_long_enough(word: &str) -> bool {
    if word.is_ascii() { word.len() >= 3 } else { word.chars().count() >= 2 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::shipped;
    use crate::config::{Environment, Project};
    use crate::schema::VariableType;

    fn built_in() -> Project {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("nenrin.yaml"), "apiVersion: nenrin/v1\nkind: Project\n").unwrap();
        Project::load(dir.path(), &Environment::default(), &shipped()).unwrap()
    }

    #[test]
    fn the_list_knows_every_built_in_variable_and_no_other() {
        let (list, project) = (Synonyms::read().unwrap(), built_in());
        for entity in &project.entities {
            let words = &list.entities[&entity.value.name];
            assert!(!words.streams.is_empty());
            let known: Vec<&String> = words.variables.keys().collect();
            let mut built_in: Vec<&String> = entity.value.variables.iter().map(|variable| &variable.name).collect();
            built_in.sort();
            assert_eq!(known, built_in, "{}", entity.value.name);
        }
        assert_eq!(list.entities.len(), project.entities.len());
    }

    #[test]
    fn every_value_of_every_enum_has_words_and_no_word_means_two() {
        let (list, project) = (Synonyms::read().unwrap(), built_in());
        for entity in &project.entities {
            for variable in &entity.value.variables {
                let entry = &list.entities[&entity.value.name].variables[&variable.name];
                let mut values: Vec<&String> = variable.values.iter().collect();
                values.sort();
                assert_eq!(entry.values.keys().collect::<Vec<_>>(), values, "{}", variable.name);
                assert_eq!(entry.values.is_empty(), variable.r#type != VariableType::Enum, "{}", variable.name);
                let mut seen = HashSet::new();
                let twice: Vec<_> = entry.values.values().flatten().filter(|word| !seen.insert(*word)).collect();
                assert!(twice.is_empty(), "{}.{}: {twice:?}", entity.value.name, variable.name);
                let both: Vec<_> = entry.weak.iter().filter(|word| entry.words.contains(word)).collect();
                assert!(both.is_empty(), "{}.{} is sure and unsure of {both:?}", entity.value.name, variable.name);
            }
        }
    }

    #[test]
    fn a_word_of_something_else_within_a_label_is_refused() {
        let (list, project) = (Synonyms::read().unwrap(), built_in());
        let variables = project.entity_variables("customer");
        let words = |name: &str| list.of("customer", variables.iter().find(|v| v.name == name).unwrap());
        let meet = |name: &str, text: &str| words(name).meet(&Form::of(text, 0));
        assert_eq!(meet("mrr", "月次売上"), Some(Meeting::Is));
        assert_eq!(meet("mrr", "年換算売上"), None);
        assert_eq!(meet("owner", "現在の担当CSM"), Some(Meeting::EndsIn));
        assert_eq!(meet("renewal_date", "更新日"), Some(Meeting::Weak));
        assert_eq!(meet("renewal_date", "最終更新日"), None);
    }
}
