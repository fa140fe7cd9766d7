//! Resolves and checks what follows `WHERE`.

use std::collections::HashSet;

use super::ast::{Condition, Constant, Literal, Operator, Path, Query};
use super::bind::Binder;
use super::matching::{Operand, Route, Test, pattern};
use super::plan::{Answer, Output, Plan};
use super::{Complaint, select};
use crate::salesforce::catalogue::Origin;
use crate::salesforce::field::{FieldSpec, FieldType};
use crate::salesforce::id::{self, Id15};
use crate::salesforce::instant::DAY;

impl Binder<'_> {
    /// Turns the condition into a filter; what only limits the row's own id becomes bounds.
    pub(super) fn filter(&self, plan: &mut Plan, query: &Query, condition: &Condition) -> Result<(), Complaint> {
        let parts = match condition {
            Condition::All(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        let prefix = self.store.tables[plan.table].prefix;
        let id_slot = self.store.tables[plan.table].slot_of(|origin| matches!(origin, Origin::Id));
        let mut tests = Vec::new();
        for part in parts {
            let test = self.test(plan.table, query, part)?;
            let is_own_id = |route: &Route| route.hops.is_empty() && Some(route.slot) == id_slot;
            match &test {
                Test::Compare(route, operator, Operand::Id(id)) if is_own_id(route) => {
                    let (floor, exact) = id::floor(prefix, id);
                    match operator {
                        Operator::Greater => plan.low = plan.low.max(floor.saturating_add(1)),
                        Operator::GreaterEqual => {
                            plan.low = plan.low.max(if exact { floor } else { floor.saturating_add(1) });
                        }
                        Operator::LessEqual => plan.high = plan.high.min(floor),
                        Operator::Less => plan.high = plan.high.min(if exact { floor - 1 } else { floor }),
                        Operator::Equal => plan.candidates = Some(if exact { vec![floor] } else { Vec::new() }),
                        Operator::NotEqual | Operator::Like => tests.push(test),
                    }
                }
                Test::InIds(route, false, ids) if is_own_id(route) && plan.candidates.is_none() => {
                    let mut serials: Vec<u64> = ids
                        .iter()
                        .map(|id| id::floor(prefix, id))
                        .filter_map(|(serial, exact)| exact.then_some(serial))
                        .collect();
                    serials.sort_unstable();
                    plan.candidates = Some(serials);
                }
                _ => tests.push(test),
            }
        }
        plan.filter = match tests.len() {
            0 => None,
            1 => tests.pop(),
            _ => Some(Test::All(tests)),
        };
        Ok(())
    }

    fn test(&self, table: usize, query: &Query, condition: &Condition) -> Result<Test, Complaint> {
        let several = |parts: &[Condition]| -> Result<Vec<Test>, Complaint> {
            parts.iter().map(|part| self.test(table, query, part)).collect()
        };
        match condition {
            Condition::All(parts) => Ok(Test::All(several(parts)?)),
            Condition::Any(parts) => Ok(Test::Any(several(parts)?)),
            Condition::Not(inner) => Ok(Test::Not(Box::new(self.test(table, query, inner)?))),
            Condition::Compare { path, operator, literal } => {
                let (route, spec) = self.filtered(table, query, path)?;
                if *operator == Operator::Like {
                    return self.like(route, spec, path, literal);
                }
                Ok(Test::Compare(route, *operator, self.operand(spec, path, literal)?))
            }
            Condition::In { path, negated, literals } => {
                let (route, spec) = self.filtered(table, query, path)?;
                let operands: Vec<Operand> =
                    literals.iter().map(|literal| self.operand(spec, path, literal)).collect::<Result<_, _>>()?;
                let ids: Option<HashSet<Id15>> = operands
                    .iter()
                    .map(|operand| if let Operand::Id(id) = operand { Some(*id) } else { None })
                    .collect();
                Ok(match ids {
                    Some(ids) => Test::InIds(route, *negated, ids),
                    None => Test::In(route, *negated, operands),
                })
            }
            Condition::InQuery { path, negated, query: inner } => {
                let (route, spec) = self.filtered(table, query, path)?;
                self.semi_join(route, spec, path, *negated, inner)
            }
            Condition::Includes { path, negated, literals } => {
                let (route, spec) = self.filtered(table, query, path)?;
                if spec.field_type != FieldType::Multipicklist {
                    let message = "includes or excludes operator only valid on multipicklist field";
                    return Err(self.complain("INVALID_QUERY_FILTER_OPERATOR", path.at, message));
                }
                let groups = literals.iter().map(|literal| match &literal.value {
                    Constant::Text(text) => Ok(text.to_lowercase().split(';').map(str::to_owned).collect()),
                    _ => Err(self.mistyped(spec, path, literal)),
                });
                Ok(Test::Includes(route, *negated, groups.collect::<Result<_, _>>()?))
            }
        }
    }

    fn filtered(&self, table: usize, query: &Query, path: &Path) -> Result<(Route, &FieldSpec), Complaint> {
        let (route, spec) = self.route(table, query, path)?;
        if spec.is_filterable() {
            return Ok((route, spec));
        }
        let message = format!("field '{}' can not be filtered in a query call", path.text());
        Err(self.complain("INVALID_FIELD", path.at, &message))
    }

    fn like(&self, route: Route, spec: &FieldSpec, path: &Path, literal: &Literal) -> Result<Test, Complaint> {
        match &literal.value {
            Constant::Text(text) if is_text(spec.field_type) => Ok(Test::Like(route, pattern(text))),
            _ => {
                let message = format!("invalid operator on {} field", spec.field_type.name());
                Err(self.complain("INVALID_QUERY_FILTER_OPERATOR", path.at, &message))
            }
        }
    }

    fn semi_join(
        &self,
        route: Route,
        spec: &FieldSpec,
        path: &Path,
        negated: bool,
        inner: &Query,
    ) -> Result<Test, Complaint> {
        let plan = self.query(inner, None)?;
        let slot = match &plan.answer {
            Answer::Records(outputs) => match outputs.as_slice() {
                [Output::Field { slot, .. }] => *slot,
                _ => {
                    return Err(self.complain(
                        "MALFORMED_QUERY",
                        inner.from.at,
                        "only root queries support selecting several fields",
                    ));
                }
            },
            _ => return Err(self.complain("MALFORMED_QUERY", inner.from.at, "only records can be selected here")),
        };
        let inner_type = self.store.tables[plan.table].columns[slot].spec.field_type;
        if !spec.field_type.is_id() || !inner_type.is_id() {
            let message = "The left and the right operand of a semi join must be ids";
            return Err(self.complain("INVALID_QUERY_FILTER_OPERATOR", path.at, message));
        }
        let rows = select::select(self.store, &plan, self.moment, 0);
        let table = &self.store.tables[plan.table];
        let ids = (0..rows.len())
            .filter_map(|place| table.view(rows.get(place)?, self.moment))
            .filter_map(|view| id::parse(self.store.value(plan.table, &view, slot, self.moment).as_text()?))
            .collect();
        Ok(Test::InIds(route, negated, ids))
    }

    fn operand(&self, spec: &FieldSpec, path: &Path, literal: &Literal) -> Result<Operand, Complaint> {
        use FieldType as T;
        Ok(match (&literal.value, spec.field_type) {
            (Constant::Null, _) => Operand::Null,
            (Constant::Text(text), T::Id | T::Reference) => match id::parse(text) {
                Some(id) => Operand::Id(id),
                None => {
                    let message = format!("invalid ID field: {text}");
                    return Err(self.complain("INVALID_QUERY_FILTER_OPERATOR", path.at, &message));
                }
            },
            (Constant::Text(text), kind) if is_text(kind) || kind == T::Multipicklist => {
                Operand::Text(text.to_lowercase())
            }
            (Constant::Bool(value), T::Boolean) => Operand::Bool(*value),
            (Constant::Number(number), kind) if kind.is_number() => Operand::Number(*number),
            (Constant::Date(days), T::Date) => Operand::Dates(*days, *days),
            (Constant::Instant(secs), T::Datetime) => Operand::Instants(*secs, *secs),
            (Constant::Days(first, last), T::Date | T::Datetime) => {
                let zone = 9 * 3_600;
                let today = (self.moment.now + zone).div_euclid(DAY);
                if spec.field_type == T::Date {
                    Operand::Dates((today + first) as i32, (today + last) as i32)
                } else {
                    Operand::Instants((today + first) * DAY - zone, (today + last + 1) * DAY - zone - 1)
                }
            }
            _ => return Err(self.mistyped(spec, path, literal)),
        })
    }

    fn mistyped(&self, spec: &FieldSpec, path: &Path, literal: &Literal) -> Complaint {
        use FieldType as T;
        let wanted = match spec.field_type {
            T::Datetime => "dateTime",
            T::Id | T::Reference => "ID",
            kind if is_text(kind) || kind == T::Multipicklist => "string",
            kind => kind.name(),
        };
        let quotes = if wanted == "string" || wanted == "ID" { "should be" } else { "should not be" };
        let message = format!(
            "value of filter criterion for field '{}' must be of type {wanted} and {quotes} enclosed in quotes",
            path.text()
        );
        self.complain("INVALID_FIELD", literal.at, &message)
    }
}

fn is_text(kind: FieldType) -> bool {
    use FieldType::{Combobox, Email, Phone, Picklist, String, Textarea, Url};
    matches!(kind, String | Textarea | Email | Phone | Url | Picklist | Combobox)
}
