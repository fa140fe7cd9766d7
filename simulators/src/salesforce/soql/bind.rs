//! Resolves the names of a query against the org, and checks it as the service does.

use super::ast::{Item, Path, Query};
use super::kin::child_relationships;
use super::matching::Route;
use super::plan::{Answer, Figure, Key, Output, Plan};
use super::{Complaint, parse};
use crate::salesforce::field::{FieldSpec, FieldType};
use crate::salesforce::instant;
use crate::salesforce::store::Store;
use crate::salesforce::table::Moment;

/// Reads and resolves `soql`. `all` also sees the bin.
pub(crate) fn bind(store: &Store, soql: &str, all: bool, moment: &Moment) -> Result<Plan, Complaint> {
    let query = parse::parse(soql)?;
    Binder { store, soql, all, moment }.query(&query, None)
}

/// The most rows that a query with an offset gives.
const OFFSET_CAP: u64 = 2_000;

/// What a reference ends in, in messages about names.
const ADVICE: &str = "Please reference your WSDL or the describe call for the appropriate names.";

pub(super) struct Binder<'a> {
    pub(super) store: &'a Store,
    soql: &'a str,
    all: bool,
    pub(super) moment: &'a Moment,
}

impl Binder<'_> {
    pub(super) fn complain(&self, code: &'static str, at: usize, message: &str) -> Complaint {
        Complaint::at(code, self.soql, at, message)
    }

    pub(super) fn query(&self, query: &Query, parent: Option<usize>) -> Result<Plan, Complaint> {
        let (table, _) = match parent {
            None => (self.object(query)?, 0),
            Some(parent) => self.child(parent, query)?,
        };
        let answer = self.answer(table, query)?;
        let mut long_text_count = 0;
        if let Answer::Records(outputs) = &answer {
            for output in outputs {
                if let Output::Field { slot, .. } = output {
                    let spec = &self.store.tables[table].columns[*slot].spec;
                    long_text_count += usize::from(spec.is_custom() && spec.is_long_text());
                }
            }
        }
        let mut plan = Plan {
            table,
            all: self.all,
            answer,
            filter: None,
            low: 1,
            high: u64::MAX,
            candidates: None,
            order: Vec::new(),
            limit: query.limit.unwrap_or(u64::MAX),
            offset: query.offset.unwrap_or(0),
            long_text_count,
        };
        if let Some(condition) = &query.filter {
            self.filter(&mut plan, query, condition)?;
        }
        for order in &query.order {
            let (route, spec) = self.route(table, query, &order.path)?;
            if !spec.is_sortable() {
                let message = format!("field '{}' can not be sorted in a query call", order.path.text());
                return Err(self.complain("MALFORMED_QUERY", order.path.at, &message));
            }
            let is_id = route.hops.is_empty() && spec.field_type == FieldType::Id;
            let nulls_last = order.nulls_last.unwrap_or(false);
            plan.order.push(Key { route, descending: order.descending, nulls_last, is_id });
        }
        if let Some(offset) = query.offset {
            if offset > OFFSET_CAP {
                return Err(Complaint::plain("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"));
            }
            plan.limit = plan.limit.min(OFFSET_CAP);
        }
        Ok(plan)
    }

    fn object(&self, query: &Query) -> Result<usize, Complaint> {
        self.store.find(&query.from.text).ok_or_else(|| {
            let message = format!(
                "sObject type '{}' is not supported. If you are attempting to use a custom object, be sure to append the \
                 '__c' after the entity name. {ADVICE}",
                query.from.text
            );
            self.complain("INVALID_TYPE", query.from.at, &message)
        })
    }

    /// The object of a child relationship of `parent` and the lookup that makes it one.
    fn child(&self, parent: usize, query: &Query) -> Result<(usize, usize), Complaint> {
        child_relationships(self.store, parent)
            .into_iter()
            .find(|(name, _, _)| name.eq_ignore_ascii_case(&query.from.text))
            .map(|(_, table, lookup)| (table, lookup))
            .ok_or_else(|| {
                let message = format!(
                    "Didn't understand relationship '{}' in FROM part of query call. If you are attempting to use a custom \
                     relationship, be sure to append the '__r' after the custom relationship name. {ADVICE}",
                    query.from.text
                );
                self.complain("INVALID_TYPE", query.from.at, &message)
            })
    }

    fn answer(&self, table: usize, query: &Query) -> Result<Answer, Complaint> {
        if let [Item::CountAll] = query.items.as_slice() {
            return Ok(Answer::Total);
        }
        if query.items.iter().any(|item| matches!(item, Item::Aggregate { .. } | Item::CountAll)) {
            return self.figures(table, query);
        }
        let mut outputs = Vec::new();
        for item in &query.items {
            match item {
                Item::Field(path) => self.select(table, query, path, &mut outputs)?,
                Item::Typeof { lookup, arms, otherwise } => {
                    let which = self.type_of(table, lookup, arms, otherwise)?;
                    add(&mut outputs, which)?;
                }
                Item::Fields(which) => self.fields(table, query, &which.text, which.at, &mut outputs)?,
                Item::Children(child) => {
                    let (_, lookup) = self.child(table, child)?;
                    let plan = Box::new(self.query(child, Some(table))?);
                    if !matches!(plan.answer, Answer::Records(_)) {
                        return Err(self.complain(
                            "MALFORMED_QUERY",
                            child.from.at,
                            "only records can be selected here",
                        ));
                    }
                    let name = child_relationships(self.store, table)
                        .into_iter()
                        .find(|(name, _, _)| name.eq_ignore_ascii_case(&child.from.text))
                        .map_or_else(|| child.from.text.clone(), |(name, _, _)| name);
                    add(&mut outputs, Output::Children { key: name, lookup, plan })?;
                }
                Item::CountAll | Item::Aggregate { .. } => {}
            }
        }
        Ok(Answer::Records(outputs))
    }

    fn figures(&self, table: usize, query: &Query) -> Result<Answer, Complaint> {
        let mut figures = Vec::new();
        for item in &query.items {
            let Item::Aggregate { function, path, alias } = item else {
                let (text, at) = match item {
                    Item::Field(path) | Item::Typeof { lookup: path, .. } => (path.text(), path.at),
                    _ => ("COUNT()".to_owned(), 0),
                };
                let message = format!("Field must be grouped or aggregated: {text}");
                return Err(self.complain("MALFORMED_QUERY", at, &message));
            };
            let figure = match function.text.to_ascii_uppercase().as_str() {
                "COUNT" => Figure::Count,
                "COUNT_DISTINCT" => Figure::CountDistinct,
                "MIN" => Figure::Min,
                "MAX" => Figure::Max,
                _ => {
                    let message = format!("Invalid aggregate function: {}", function.text);
                    return Err(self.complain("MALFORMED_QUERY", function.at, &message));
                }
            };
            let route = path.as_ref().map(|path| self.route(table, query, path)).transpose()?.map(|(route, _)| route);
            let key = alias.clone().unwrap_or_else(|| format!("expr{}", figures.len()));
            figures.push((key, figure, route));
        }
        Ok(Answer::Figures(figures))
    }

    fn select(&self, table: usize, query: &Query, path: &Path, outputs: &mut Vec<Output>) -> Result<(), Complaint> {
        let parts = self.own_parts(table, query, path);
        self.nest(table, parts, path, outputs)
    }

    /// Adds the field at the end of `parts` to `outputs`, inside its parents.
    pub(super) fn nest(
        &self,
        table: usize,
        parts: &[String],
        path: &Path,
        outputs: &mut Vec<Output>,
    ) -> Result<(), Complaint> {
        let Some((first, rest)) = parts.split_first() else { return Ok(()) };
        if rest.is_empty() {
            let slot = self.field(table, first, path)?;
            return add(outputs, self.output(table, slot));
        }
        if let Some((lookup, key, targets)) = self.several(table, first) {
            return self.nest_in_any(lookup, key, &targets, rest, path, outputs);
        }
        let (lookup, target) = self.hop(table, first, path)?;
        let known = outputs.iter_mut().find_map(|output| match output {
            Output::Parent { lookup: other, members, .. } if *other == lookup => Some(members),
            _ => None,
        });
        if let Some(members) = known {
            return self.nest(target, rest, path, members);
        }
        let mut members = Vec::new();
        self.nest(target, rest, path, &mut members)?;
        let key = self.store.tables[table].columns[lookup].spec.relationship().unwrap_or_default();
        add(outputs, Output::Parent { key, lookup, members })
    }

    fn output(&self, table: usize, slot: usize) -> Output {
        let object = &self.store.tables[table];
        let spec = &object.columns[slot].spec;
        let key = spec.name.clone();
        if !spec.field_type.is_compound() {
            return Output::Field { key, slot };
        }
        let parts = object
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.is_visible() && column.spec.compound.as_deref() == Some(spec.name.as_str()))
            .map(|(slot, column)| (member_key(spec, &column.spec), slot))
            .collect();
        Output::Compound { key, parts }
    }

    fn fields(
        &self,
        table: usize,
        query: &Query,
        which: &str,
        at: usize,
        outputs: &mut Vec<Output>,
    ) -> Result<(), Complaint> {
        let (standard, custom) = match which.to_ascii_uppercase().as_str() {
            "ALL" => (true, true),
            "STANDARD" => (true, false),
            "CUSTOM" => (false, true),
            _ => return Err(super::lex::unexpected(self.soql, at, which)),
        };
        if custom && query.limit.is_none_or(|limit| limit > 200) {
            let message = "The SOQL FIELDS function must have a LIMIT of at most 200";
            return Err(self.complain("MALFORMED_QUERY", at, message));
        }
        let before = outputs.len();
        for (slot, column) in self.store.tables[table].columns.iter().enumerate() {
            let wanted = if column.spec.is_custom() { custom } else { standard };
            if wanted && column.is_visible() {
                add(outputs, self.output(table, slot))?;
            }
        }
        if outputs.len() == before {
            return Err(self.complain("MALFORMED_QUERY", at, "The SOQL FIELDS function found no such field"));
        }
        Ok(())
    }

    /// The parts of a path without the object's own name or alias before them.
    fn own_parts<'p>(&self, table: usize, query: &Query, path: &'p Path) -> &'p [String] {
        let is_own = |part: &String| {
            query.alias.as_ref().is_some_and(|alias| alias.eq_ignore_ascii_case(part))
                || self.store.tables[table].name.eq_ignore_ascii_case(part)
        };
        match path.parts.split_first() {
            Some((first, rest)) if !rest.is_empty() && is_own(first) => rest,
            _ => &path.parts,
        }
    }

    fn field(&self, table: usize, name: &str, path: &Path) -> Result<usize, Complaint> {
        let object = &self.store.tables[table];
        object.visible_slot(name).ok_or_else(|| {
            let message = format!(
                "No such column '{name}' on entity '{}'. If you are attempting to use a custom field, be sure to append the \
                 '__c' after the custom field name. {ADVICE}",
                object.name
            );
            self.complain("INVALID_FIELD", path.at, &message)
        })
    }

    /// The lookup that is followed under that name, and where it leads.
    fn hop(&self, table: usize, name: &str, path: &Path) -> Result<(usize, usize), Complaint> {
        let object = &self.store.tables[table];
        object
            .columns
            .iter()
            .position(|column| {
                column.is_visible()
                    && column.spec.reference_to.len() == 1
                    && column.spec.relationship().is_some_and(|own| own.eq_ignore_ascii_case(name))
            })
            .and_then(|slot| {
                let target = object.columns[slot].spec.reference_to.first()?;
                Some((slot, self.store.find(target)?))
            })
            .ok_or_else(|| {
                let message = format!(
                    "Didn't understand relationship '{name}' in field path. If you are attempting to use a custom \
                     relationship, be sure to append the '__r' after the custom relationship name. {ADVICE}"
                );
                self.complain("INVALID_FIELD", path.at, &message)
            })
    }

    pub(super) fn route(&self, table: usize, query: &Query, path: &Path) -> Result<(Route, &FieldSpec), Complaint> {
        let parts = self.own_parts(table, query, path);
        let mut hops = Vec::new();
        let mut table = table;
        let (last, parents) = parts.split_last().unwrap_or((&path.parts[0], &[]));
        for part in parents {
            let (lookup, target) = self.hop(table, part, path)?;
            hops.push(lookup);
            table = target;
        }
        let slot = self.field(table, last, path)?;
        Ok((Route { hops, slot }, &self.store.tables[table].columns[slot].spec))
    }
}

pub(super) fn add(outputs: &mut Vec<Output>, output: Output) -> Result<(), Complaint> {
    if outputs.iter().any(|known| known.key() == output.key()) {
        return Err(Complaint::plain("INVALID_FIELD", format!("duplicate field selected: {}", output.key())));
    }
    outputs.push(output);
    Ok(())
}

/// How a part is called inside its compound: `BillingPostalCode` is `postalCode`.
fn member_key(whole: &FieldSpec, part: &FieldSpec) -> String {
    let stem = if whole.field_type == FieldType::Location {
        part.name.trim_start_matches(whole.name.trim_end_matches("c")).trim_end_matches("__s")
    } else {
        part.name.trim_start_matches(whole.name.trim_end_matches("Address"))
    };
    let mut characters = stem.chars();
    characters.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + characters.as_str())
}

/// Unix seconds as a literal, for messages and tests.
pub(crate) fn literal(secs: i64) -> String {
    instant::at(secs).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
