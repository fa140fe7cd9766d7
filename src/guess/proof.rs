//! A draft is checked as `nenrin check` would, line by line, before anybody sees it.

use std::collections::BTreeMap;

use super::Input;
use super::lines::{Line, State};
use crate::config::{Place, Problem};
use crate::map::diagnostic::code;
use crate::map::{Effective, MappingConfig, Places, StreamFields, VariableMapping, compile};

/// What is wrong with an expression whatever fields there are.
const WITHOUT_FIELDS: [&str; 3] = [code::SYNTAX, code::NOT_SUPPORTED, code::UNKNOWN_FUNCTION];

/// A mapping that stands in no file yet.
struct Nowhere;

impl Places for Nowhere {
    fn place(&self, _: &str) -> Place {
        Place { file: String::new(), line: 0, column: 0, width: 0 }
    }
    fn key_place(&self, pointer: &str) -> Place {
        self.place(pointer)
    }
    fn place_within(&self, pointer: &str, _: usize, _: usize, _: usize) -> Place {
        self.place(pointer)
    }
    fn source_line(&self, _: usize) -> String {
        String::new()
    }
}

/// The lines, with those that do not compile made proposals that say why.
pub(super) fn keep_what_compiles(input: &Input<'_>, mut lines: Vec<Line>) -> Vec<Line> {
    for line in lines.iter_mut().filter(|line| line.state == State::Drafted) {
        let variables = BTreeMap::from([(line.variable.clone(), line.to_mapping())]);
        if let Some(problem) = problem_of(input, variables, None) {
            line.state = State::Proposed;
            line.reason = format!("{}; {}", line.reason, problem.message);
        }
    }
    lines
}

/// Whether both sides of `effective` compile.
pub(super) fn effective_compiles(input: &Input<'_>, effective: &Effective) -> bool {
    problem_of(input, BTreeMap::new(), Some(effective.clone())).is_none()
}

fn problem_of(
    input: &Input<'_>,
    variables: BTreeMap<String, VariableMapping>,
    effective: Option<Effective>,
) -> Option<Problem> {
    let mapping = MappingConfig {
        source: input.id.source.0.clone(),
        stream: input.id.stream.clone(),
        entity: input.entity.to_owned(),
        variables,
        r#where: None,
        effective,
        renamed: BTreeMap::new(),
        reuses_keys: false,
    };
    let of = |fields| compile(&mapping, &Nowhere, &fields, input.variables, input.settings).err().unwrap_or_default();
    let problems = of(StreamFields { stream: input.id, fields: &input.stream.fields });
    // Without the fields at hand, as `check --offline` sees it, it must be an expression all the same.
    let offline = of(StreamFields { stream: input.id, fields: &[] });
    let offline = offline.into_iter().filter(|problem| WITHOUT_FIELDS.contains(&problem.code));
    problems.into_iter().chain(offline).next()
}
