//! Puts a comparison together from its parts.

use std::cmp::Reverse;
use std::sync::Arc;

use super::change::{self, Classified};
use super::group::{self, GroupKey};
use super::join::{self, Pair};
use super::metric;
use super::model::{
    Change, Comparison, Counts, CoverageCounts, CoverageSummary, CustomerChange, Group, Groups, Metric, Mover,
    SideSummary, Status, StreamSummary, UnknownMoney,
};
use super::number::{self, Decimal};
use super::side::{Column, Known, Presence, Side, Values};
use super::waterfall::{self, Reasons, Step, Tally, Waterfall};
use super::{Plan, is_summed_money};
use crate::error::Result;
use crate::schema::VariableConfig;
use crate::snapshot::{Coverage, State};

/// A comparison on its way.
pub(super) struct Comparing<'a> {
    pub(super) a: Side<'a>,
    pub(super) b: Side<'a>,
    pub(super) variables: &'a [VariableConfig],
    pub(super) plan: Plan,
}

impl Comparing<'_> {
    /// The whole comparison.
    pub(super) fn run(&self, a_label: &str, b_label: &str, top: usize) -> Result<Comparison> {
        let pairs = join::join(&self.a, &self.b);
        let classified = Classified::of(&self.a, &self.b, &pairs, &self.plan.selected);
        let everyone: Vec<usize> = (0..pairs.len()).collect();
        // Customers without a row of whom we cannot say that they were not there.
        let unclear = |row: Option<usize>, is| row.is_none() && matches!(is, Presence::Unknown(_));
        let missing = (
            pairs.iter().filter(|pair| unclear(pair.a_row, pair.a)).count() as u64,
            pairs.iter().filter(|pair| unclear(pair.b_row, pair.b)).count() as u64,
        );
        let metrics = self.plan.selected.iter().map(|column| self.metric(*column, &pairs, missing, &classified));
        let counts = self.counts(&pairs, &everyone, &classified);
        let (movers, unknown_money) = self.movers(&pairs, top)?;
        Ok(Comparison {
            a: SideSummary::of(self.a.state(), a_label),
            b: SideSummary::of(self.b.state(), b_label),
            coverage: self.coverage(&pairs),
            churn_rate: counts.churn_rate(),
            counts,
            money: self.plan.money.map(|column| self.variables[column].name.clone()),
            metrics: metrics.collect::<Result<_>>()?,
            movers,
            unknown_money,
            groups: self.groups(&pairs, &classified)?,
            customers: self.customers(&pairs, &classified),
        })
    }

    fn metric(&self, column: usize, pairs: &[Pair], missing: (u64, u64), classified: &Classified) -> Result<Metric> {
        let variable = &self.variables[column];
        let aggregate = metric::aggregate_of(variable);
        let a = metric::add_up(&self.a, missing.0, column, aggregate)?;
        let b = metric::add_up(&self.b, missing.1, column, aggregate)?;
        let waterfall = match is_summed_money(variable) {
            true => Some(self.waterfall(column, pairs.iter())?),
            false => None,
        };
        Ok(Metric {
            variable: variable.name.clone(),
            label: variable.label.clone(),
            r#type: variable.r#type,
            currency: variable.currency.clone(),
            aggregate,
            better: variable.better,
            delta: metric::delta(&a, &b)?,
            a,
            b,
            changed: classified.changed_in(column),
            waterfall,
        })
    }

    fn waterfall<'p>(&self, column: usize, pairs: impl Iterator<Item = &'p Pair>) -> Result<Waterfall> {
        let mut tally = Tally::default();
        for pair in pairs {
            tally.add(self.step(column, pair))?;
        }
        tally.finish(self.a.columns[column].values.scale().unwrap_or(0))
    }

    fn step(&self, column: usize, pair: &Pair) -> Step {
        let (a, b) = (&self.a.columns[column], &self.b.columns[column]);
        let amount = |values: &Values, row| values.number(row).unwrap_or(0);
        waterfall::step(
            (self.a.known(column, pair.a_row, pair.a), |row| amount(&a.values, row)),
            (self.b.known(column, pair.b_row, pair.b), |row| amount(&b.values, row)),
            |a_row, b_row| self.other_stream(a, a_row, b, b_row),
        )
    }

    fn other_stream(&self, a: &Column, a_row: usize, b: &Column, b_row: usize) -> bool {
        change::other_stream((a, &self.a, a_row), (b, &self.b, b_row))
    }

    fn counts(&self, pairs: &[Pair], members: &[usize], classified: &Classified) -> Counts {
        let mut counts = Counts::default();
        for index in members {
            let pair = &pairs[*index];
            counts.a += u64::from(pair.a == Presence::Present);
            counts.b += u64::from(pair.b == Presence::Present);
            match classified.status(*index, pair) {
                Some(Status::Won) => counts.won += 1,
                Some(Status::Lost) => counts.lost += 1,
                Some(Status::Changed) => counts.changed += 1,
                Some(Status::Unknown) => counts.unknown += 1,
                None => counts.unchanged += 1,
            }
        }
        counts
    }

    fn coverage(&self, pairs: &[Pair]) -> CoverageSummary {
        let count = |side: &Side<'_>| {
            let mut counts = CoverageCounts::default();
            for coverage in side.coverage() {
                match coverage {
                    Coverage::Observed => counts.observed += 1,
                    Coverage::Stamped => counts.stamped += 1,
                    Coverage::Asserted => counts.asserted += 1,
                    Coverage::Backdated => counts.backdated += 1,
                    Coverage::Unknown => counts.unknown += 1,
                }
            }
            counts
        };
        let mut reasons = Reasons::default();
        for pair in pairs {
            match (pair.a, pair.b) {
                (Presence::Unknown(reason), _) | (_, Presence::Unknown(reason)) => reasons.add(reason),
                _ => {}
            }
        }
        CoverageSummary { a: count(&self.a), b: count(&self.b), streams: self.streams(), unknown: reasons.finish() }
    }

    fn streams(&self) -> Vec<StreamSummary> {
        let of = |state: &State| {
            let streams = state.streams.iter().filter(|known| known.entity == "customer");
            streams.map(|known| (known.stream.to_string(), known.complete_through)).collect::<Vec<_>>()
        };
        let (a, b) = (of(self.a.state()), of(self.b.state()));
        let mut names: Vec<&String> = a.iter().chain(&b).map(|(stream, _)| stream).collect();
        names.sort();
        names.dedup();
        let through = |known: &[(String, Option<_>)], name: &String| {
            known.iter().find(|(stream, _)| stream == name).and_then(|(_, through)| *through)
        };
        let streams = names.into_iter().map(|name| StreamSummary {
            stream: name.clone(),
            a_complete_through: through(&a, name),
            b_complete_through: through(&b, name),
        });
        streams.collect()
    }

    /// The biggest known moves of the headline's money, and the biggest amounts with an unknown other side.
    fn movers(&self, pairs: &[Pair], top: usize) -> Result<(Vec<Mover>, Vec<UnknownMoney>)> {
        let Some(column) = self.plan.money else { return Ok((Vec::new(), Vec::new())) };
        let mut moves = Vec::new();
        let mut unknown = Vec::new();
        for pair in pairs {
            let step = self.step(column, pair);
            let size = number::subtract(step.after.unwrap_or(0), step.before.unwrap_or(0))?;
            let entry = (Reverse(size.unsigned_abs()), pair.id(&self.a, &self.b), size, step, pair);
            if step.movement.is_known_move() {
                moves.push(entry);
            } else if let Some(reason) = step.movement.unknown() {
                unknown.push((entry, reason));
            }
        }
        moves.sort_by(|x, y| (x.0, x.1).cmp(&(y.0, y.1)));
        unknown.sort_by(|(x, _), (y, _)| (x.0, x.1).cmp(&(y.0, y.1)));

        let scale = self.a.columns[column].values.scale().unwrap_or(0);
        let movers = moves.into_iter().take(top).map(|(_, id, delta, step, pair)| Mover {
            customer_id: id.to_owned(),
            name: self.name(pair),
            before: Decimal::new(step.before.unwrap_or(0), scale),
            after: Decimal::new(step.after.unwrap_or(0), scale),
            delta: Decimal::new(delta, scale),
            movement: step.movement.as_str(),
        });
        let unknown = unknown.into_iter().take(top).map(|((_, id, _, step, pair), reason)| UnknownMoney {
            customer_id: id.to_owned(),
            name: self.name(pair),
            before: step.before.map(|amount| Decimal::new(amount, scale)),
            after: step.after.map(|amount| Decimal::new(amount, scale)),
            reason: reason.as_str(),
        });
        Ok((movers.collect(), unknown.collect()))
    }

    fn groups(&self, pairs: &[Pair], classified: &Classified) -> Result<Option<Groups>> {
        let Some(column) = self.plan.group_by else { return Ok(None) };
        let variable = &self.variables[column];
        let groups = group::divide(&self.a, &self.b, pairs, column, &variable.values).into_iter().map(|members| {
            let counts = self.counts(pairs, &members.pairs, classified);
            let customers = members.pairs.iter().map(|index| &pairs[*index]);
            let waterfall = self.plan.money.map(|money| self.waterfall(money, customers)).transpose()?;
            let unknown = members.key == GroupKey::Unknown;
            Ok(Group { value: members.value, unknown, churn_rate: counts.churn_rate(), counts, waterfall })
        });
        Ok(Some(Groups { variable: variable.name.clone(), groups: groups.collect::<Result<_>>()? }))
    }

    fn customers(&self, pairs: &[Pair], classified: &Classified) -> Vec<CustomerChange> {
        let reason = |presence| match presence {
            Presence::Unknown(reason) => Some(reason.as_str()),
            _ => None,
        };
        let mut customers = Vec::new();
        for (index, pair) in pairs.iter().enumerate() {
            let Some(status) = classified.status(index, pair) else { continue };
            let changes = match status {
                Status::Changed if self.plan.changes => {
                    classified.columns_of(index).map(|column| self.change(column, pair)).collect()
                }
                Status::Won | Status::Lost => self.all_values(pair),
                Status::Changed | Status::Unknown => Vec::new(),
            };
            customers.push(CustomerChange {
                customer_id: pair.id(&self.a, &self.b).to_owned(),
                name: self.name(pair),
                status,
                unknown_in_a: reason(pair.a),
                unknown_in_b: reason(pair.b),
                changes,
            });
        }
        customers
    }

    fn all_values(&self, pair: &Pair) -> Vec<Change> {
        let columns = self.plan.selected.iter().copied();
        let columns = columns.filter(|column| self.plan.changes || Some(*column) == self.plan.money);
        let changes = columns.map(|column| self.change(column, pair));
        changes.filter(|change| change.before.is_some() || change.after.is_some()).collect()
    }

    fn change(&self, column: usize, pair: &Pair) -> Change {
        let (a, b) = (&self.a.columns[column], &self.b.columns[column]);
        let before = self.a.known(column, pair.a_row, pair.a);
        let after = self.b.known(column, pair.b_row, pair.b);
        let source_changed = match (before, after) {
            (Known::Value(a_row), Known::Value(b_row)) => self.other_stream(a, a_row, b, b_row),
            _ => false,
        };
        let value = |known, values: &Values| match known {
            Known::Value(row) => Some(values.get(row)),
            _ => None,
        };
        Change {
            variable: Arc::clone(&self.plan.names[column]),
            before: value(before, &a.values),
            after: value(after, &b.values),
            source_changed,
        }
    }

    /// The customer's name in B, or in A.
    fn name(&self, pair: &Pair) -> Option<String> {
        let column = self.plan.name?;
        let name = |side: &Side<'_>, row, presence| match side.known(column, row, presence) {
            Known::Value(row) => Some(side.columns[column].values.get(row).to_string()),
            _ => None,
        };
        name(&self.b, pair.b_row, pair.b).or_else(|| name(&self.a, pair.a_row, pair.a))
    }
}
