//! Parents that may be of several objects: `TYPEOF` and `What.Name`.

use super::Complaint;
use super::ast::{Name, Path};
use super::bind::{Binder, add};
use super::plan::Output;

impl Binder<'_> {
    /// The lookup that is followed under that name and may lead to several objects, with its name and these objects.
    pub(super) fn several(&self, table: usize, name: &str) -> Option<(usize, String, Vec<usize>)> {
        let columns = &self.store.tables[table].columns;
        let slot = columns.iter().position(|column| {
            column.is_visible()
                && column.spec.reference_to.len() > 1
                && column.spec.relationship().is_some_and(|own| own.eq_ignore_ascii_case(name))
        })?;
        let spec = &columns[slot].spec;
        let targets = spec.reference_to.iter().filter_map(|target| self.store.find(target)).collect();
        Some((slot, spec.relationship().unwrap_or_default(), targets))
    }

    /// `What.Name`: what all of the objects have, and `What.Type`, which of them it is.
    pub(super) fn nest_in_any(
        &self,
        lookup: usize,
        key: String,
        targets: &[usize],
        rest: &[String],
        path: &Path,
        outputs: &mut Vec<Output>,
    ) -> Result<(), Complaint> {
        let known =
            outputs.iter().position(|output| matches!(output, Output::Which { lookup: other, .. } if *other == lookup));
        let place = match known {
            Some(place) => place,
            None => {
                let arms = targets.iter().map(|&target| (target, Vec::new())).collect();
                add(outputs, Output::Which { key, lookup, arms })?;
                outputs.len() - 1
            }
        };
        let Some(Output::Which { arms, .. }) = outputs.get_mut(place) else { return Ok(()) };
        self.nest_in_each(arms, rest, path)
    }

    /// Adds what is at the end of `parts` to each object that has it; at least one must.
    fn nest_in_each(&self, arms: &mut [(usize, Vec<Output>)], parts: &[String], path: &Path) -> Result<(), Complaint> {
        let is = |name: &str| matches!(parts, [only] if only.eq_ignore_ascii_case(name));
        let has = |target: usize| self.store.tables[target].visible_slot(&parts[0]).is_some();
        let is_anywhere = arms.iter().any(|(target, _)| has(*target));
        for (target, members) in arms {
            let number = self.store.tables[*target].name_slot();
            if is("Type") {
                add(members, Output::ObjectName { key: "Type".to_owned() })?;
            } else if let Some(slot) = number.filter(|_| is("Name")) {
                add(members, Output::Field { key: "Name".to_owned(), slot })?;
            } else if has(*target) || !is_anywhere {
                self.nest(*target, parts, path, members)?;
            }
        }
        Ok(())
    }

    pub(super) fn type_of(
        &self,
        table: usize,
        lookup: &Path,
        named: &[(Name, Vec<Path>)],
        otherwise: &[Path],
    ) -> Result<Output, Complaint> {
        let several = match lookup.parts.as_slice() {
            [name] => self.several(table, name),
            _ => None,
        };
        let Some((slot, key, targets)) = several else {
            let message = format!("Cannot use TYPEOF with relationship '{}'", lookup.text());
            return Err(self.complain("INVALID_FIELD", lookup.at, &message));
        };
        let members = |target: usize, paths: &[Path]| {
            let mut members = Vec::new();
            for path in paths {
                self.nest(target, &path.parts, path, &mut members)?;
            }
            Ok::<_, Complaint>(members)
        };
        let mut arms = Vec::new();
        for (object, paths) in named {
            let target = targets
                .iter()
                .copied()
                .find(|&target| self.store.tables[target].name.eq_ignore_ascii_case(&object.text))
                .ok_or_else(|| {
                    let message = format!("'{}' is not an object that '{key}' can be", object.text);
                    self.complain("INVALID_TYPE", object.at, &message)
                })?;
            arms.push((target, members(target, paths)?));
        }
        let unnamed: Vec<usize> =
            targets.into_iter().filter(|target| arms.iter().all(|(named, _)| named != target)).collect();
        if !otherwise.is_empty() {
            let mut others: Vec<(usize, Vec<Output>)> =
                unnamed.into_iter().map(|target| (target, Vec::new())).collect();
            for path in otherwise {
                self.nest_in_each(&mut others, &path.parts, path)?;
            }
            arms.extend(others);
        }
        Ok(Output::Which { key, lookup: slot, arms })
    }
}
