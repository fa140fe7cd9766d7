//! How the money of one period became that of another.
//!
//! Each customer falls into one bar, by what is known of its amount on both sides (no customer, an empty
//! amount and zero are all zero):
//!
//! | bar | customers | adds |
//! |---|---|---|
//! | new | from zero to an amount | the amount |
//! | expansion | to a larger amount | the difference |
//! | contraction | to a smaller amount, not zero | the difference, negative |
//! | churned | from an amount to zero, whether the customer left or stays without paying | minus the amount |
//! | source changed | the amounts differ, and come from different streams (K1) | the difference |
//! | unknown before | the amount in A cannot be said (G3) | the amount in B |
//! | unknown after | the amount in B cannot be said (G3) | minus the amount in A |
//!
//! `start + new + expansion + contraction + churned + source changed + unknown before + unknown after = end`,
//! exactly, where start and end are the sums of the known amounts.
//!
//! The rates are those usual for subscriptions, over the *cohort*: customers whose amounts are known on both
//! sides and come from the same stream, so that nothing unknown looks like money kept or lost.
//!
//! - NRR, net revenue retention = (cohort start + expansion + contraction + churned) / cohort start
//! - GRR, gross revenue retention = (cohort start + contraction + churned) / cohort start
//! - churn rate = −churned / cohort start
//!
//! (contraction and churned are negative here). New customers are in none of them.

use serde::Serialize;

use super::model::UnknownCount;
use super::number::{Decimal, Ratio, add, subtract};
use super::side::Known;
use crate::error::Result;
use crate::snapshot::Cell;

/// An amount and the number of customers that make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// The amount; signed, so that the bars add up.
    pub amount: Decimal,
    /// Customers in this bar; for start and end, those with an amount other than zero.
    pub customers: u64,
}

/// How the money of A became that of B; see the module's table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // the bars are explained above
pub struct Waterfall {
    pub start: Bar,
    pub new: Bar,
    pub expansion: Bar,
    pub contraction: Bar,
    pub churned: Bar,
    pub source_changed: Bar,
    pub unknown_before: Bar,
    pub unknown_after: Bar,
    pub end: Bar,
    /// Customers whose amount cannot be said on either side; no amount of theirs is in any bar.
    pub unknown_both: u64,
    /// Why amounts are unknown: customers by reason, each once (the reason in A first).
    pub unknown_reasons: Vec<UnknownCount>,
    /// The money in A of the cohort that the rates are of.
    pub cohort_start: Decimal,
    /// Net revenue retention; `null` when the cohort had no money.
    pub nrr: Option<Ratio>,
    /// Gross revenue retention.
    pub grr: Option<Ratio>,
    /// Churned money by the cohort's.
    pub churn_rate: Option<Ratio>,
}

/// The bar that a customer falls into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Movement {
    /// The same amount, or none, on both sides.
    Same,
    New,
    Expansion,
    Contraction,
    Churned,
    SourceChanged,
    UnknownBefore(Cell),
    UnknownAfter(Cell),
    UnknownBoth(Cell),
}

impl Movement {
    /// The bar's name.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Movement::Same => "same",
            Movement::New => "new",
            Movement::Expansion => "expansion",
            Movement::Contraction => "contraction",
            Movement::Churned => "churned",
            Movement::SourceChanged => "source_changed",
            Movement::UnknownBefore(_) => "unknown_before",
            Movement::UnknownAfter(_) => "unknown_after",
            Movement::UnknownBoth(_) => "unknown_both",
        }
    }

    /// Why the customer's money cannot be said, if it cannot.
    pub(super) fn unknown(self) -> Option<Cell> {
        match self {
            Movement::UnknownBefore(reason) | Movement::UnknownAfter(reason) | Movement::UnknownBoth(reason) => {
                Some(reason)
            }
            _ => None,
        }
    }

    /// Whether it says how the customer's money moved.
    pub(super) fn is_known_move(self) -> bool {
        matches!(self, Movement::New | Movement::Expansion | Movement::Contraction | Movement::Churned)
    }
}

/// One customer's amounts: `None` is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) before: Option<i128>,
    pub(super) after: Option<i128>,
    pub(super) movement: Movement,
}

/// Decides the bar of a customer.
///
/// `amount_a` and `amount_b` give the amount of a known value; `other_stream` says whether two known values
/// come from different streams, and is asked only when they differ.
pub(super) fn step(
    (a, amount_a): (Known, impl Fn(usize) -> i128),
    (b, amount_b): (Known, impl Fn(usize) -> i128),
    other_stream: impl Fn(usize, usize) -> bool,
) -> Step {
    let before = known_amount(a, amount_a);
    let after = known_amount(b, amount_b);
    let movement = match (before, after) {
        (Err(reason), Err(_)) => Movement::UnknownBoth(reason),
        (Err(reason), Ok(_)) => Movement::UnknownBefore(reason),
        (Ok(_), Err(reason)) => Movement::UnknownAfter(reason),
        (Ok(before), Ok(after)) => match (a, b) {
            _ if before == after => Movement::Same,
            (Known::Value(a_row), Known::Value(b_row)) if other_stream(a_row, b_row) => Movement::SourceChanged,
            _ if before == 0 => Movement::New,
            _ if after == 0 => Movement::Churned,
            _ if after > before => Movement::Expansion,
            _ => Movement::Contraction,
        },
    };
    Step { before: before.ok(), after: after.ok(), movement }
}

fn known_amount(cell: Known, amount: impl Fn(usize) -> i128) -> Result<i128, Cell> {
    match cell {
        Known::Value(row) => Ok(amount(row)),
        Known::Empty | Known::Absent => Ok(0),
        Known::Unknown(reason) => Err(reason),
    }
}

/// Adds up customers' steps.
#[derive(Debug, Default)]
pub(super) struct Tally {
    start: Sum,
    new: Sum,
    expansion: Sum,
    contraction: Sum,
    churned: Sum,
    source_changed: Sum,
    unknown_before: Sum,
    unknown_after: Sum,
    end: Sum,
    unknown_both: u64,
    reasons: Reasons,
    cohort_start: i128,
}

#[derive(Debug, Default, Clone, Copy)]
struct Sum {
    amount: i128,
    customers: u64,
}

impl Sum {
    fn add(&mut self, amount: i128) -> Result<()> {
        self.amount = add(self.amount, amount)?;
        self.customers += 1;
        Ok(())
    }
}

impl Tally {
    /// Adds one customer.
    pub(super) fn add(&mut self, step: Step) -> Result<()> {
        let before = step.before.unwrap_or(0);
        let after = step.after.unwrap_or(0);
        if before != 0 {
            self.start.add(before)?;
        }
        if after != 0 {
            self.end.add(after)?;
        }
        let moved = subtract(after, before)?;
        let in_cohort = match step.movement {
            Movement::Same => true,
            Movement::New => self.new.add(moved).map(|()| true)?,
            Movement::Expansion => self.expansion.add(moved).map(|()| true)?,
            Movement::Contraction => self.contraction.add(moved).map(|()| true)?,
            Movement::Churned => self.churned.add(moved).map(|()| true)?,
            Movement::SourceChanged => self.source_changed.add(moved).map(|()| false)?,
            Movement::UnknownBefore(reason) => {
                self.reasons.add(reason);
                self.unknown_before.add(moved).map(|()| false)?
            }
            Movement::UnknownAfter(reason) => {
                self.reasons.add(reason);
                self.unknown_after.add(moved).map(|()| false)?
            }
            Movement::UnknownBoth(reason) => {
                self.reasons.add(reason);
                self.unknown_both += 1;
                false
            }
        };
        if in_cohort {
            self.cohort_start = add(self.cohort_start, before)?;
        }
        Ok(())
    }

    /// The bars and rates, of amounts with `scale` places.
    pub(super) fn finish(self, scale: u8) -> Result<Waterfall> {
        let bar = |sum: Sum| Bar { amount: Decimal::new(sum.amount, scale), customers: sum.customers };
        let gross = add(add(self.cohort_start, self.contraction.amount)?, self.churned.amount)?;
        let net = add(gross, self.expansion.amount)?;
        Ok(Waterfall {
            start: bar(self.start),
            new: bar(self.new),
            expansion: bar(self.expansion),
            contraction: bar(self.contraction),
            churned: bar(self.churned),
            source_changed: bar(self.source_changed),
            unknown_before: bar(self.unknown_before),
            unknown_after: bar(self.unknown_after),
            end: bar(self.end),
            unknown_both: self.unknown_both,
            unknown_reasons: self.reasons.finish(),
            cohort_start: Decimal::new(self.cohort_start, scale),
            nrr: Ratio::of(net, self.cohort_start),
            grr: Ratio::of(gross, self.cohort_start),
            churn_rate: Ratio::of(subtract(0, self.churned.amount)?, self.cohort_start),
        })
    }
}

/// Counts reasons; the result is in the order of [`Cell`].
#[derive(Debug, Default)]
pub(super) struct Reasons([u64; 8]);

impl Reasons {
    pub(super) fn add(&mut self, reason: Cell) {
        self.0[usize::from(reason as u8)] += 1;
    }

    pub(super) fn finish(&self) -> Vec<UnknownCount> {
        let counts = self.0.iter().zip(0_u8..).filter(|(count, _)| **count > 0);
        let named = counts.filter_map(|(count, number)| {
            Cell::from_u8(number).map(|cell| UnknownCount { reason: cell.as_str(), customers: *count })
        });
        named.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: usize = 0;

    fn moved(before: Known, after: Known, amounts: (i128, i128), other_stream: bool) -> Movement {
        step((before, |_| amounts.0), (after, |_| amounts.1), |_, _| other_stream).movement
    }

    #[test]
    fn a_customer_falls_into_one_bar_by_its_amounts() {
        let value = Known::Value(A);
        assert_eq!(moved(value, value, (5, 5), false), Movement::Same);
        assert_eq!(moved(value, value, (5, 7), false), Movement::Expansion);
        assert_eq!(moved(value, value, (5, 3), false), Movement::Contraction);
        assert_eq!(moved(value, value, (5, 0), false), Movement::Churned);
        assert_eq!(moved(value, value, (0, 5), false), Movement::New);
        assert_eq!(moved(Known::Absent, value, (0, 5), false), Movement::New);
        assert_eq!(moved(Known::Empty, value, (0, 5), false), Movement::New);
        assert_eq!(moved(value, Known::Absent, (5, 0), false), Movement::Churned);
        assert_eq!(moved(value, Known::Empty, (5, 0), false), Movement::Churned);
        assert_eq!(moved(Known::Absent, Known::Empty, (0, 0), false), Movement::Same);
    }

    #[test]
    fn k1_a_change_of_source_is_no_movement_of_money() {
        let value = Known::Value(A);
        assert_eq!(moved(value, value, (5, 7), true), Movement::SourceChanged);
        assert_eq!(moved(value, value, (5, 5), true), Movement::Same);
    }

    #[test]
    fn g3_what_is_unknown_is_neither_won_nor_lost() {
        let (value, held) = (Known::Value(A), Known::Unknown(Cell::Held));
        assert_eq!(moved(held, value, (0, 7), false), Movement::UnknownBefore(Cell::Held));
        assert_eq!(moved(value, held, (7, 0), false), Movement::UnknownAfter(Cell::Held));
        assert_eq!(moved(held, Known::Absent, (0, 0), false), Movement::UnknownBefore(Cell::Held));
        assert_eq!(moved(Known::Unknown(Cell::NotRead), held, (0, 0), false), Movement::UnknownBoth(Cell::NotRead));
    }

    fn known(before: i128, after: i128) -> Step {
        step((Known::Value(A), |_| before), (Known::Value(A), |_| after), |_, _| false)
    }

    #[test]
    fn rates_are_of_the_money_that_was_there_and_new_customers_are_in_none() {
        let mut tally = Tally::default();
        for (before, after) in [(100_000, 100_000), (50_000, 65_000), (30_000, 25_000), (20_000, 0), (0, 40_000)] {
            tally.add(known(before, after)).unwrap();
        }
        let waterfall = tally.finish(0).unwrap();
        assert_eq!(waterfall.end.amount, Decimal::new(230_000, 0));
        assert_eq!(waterfall.nrr.unwrap().percent(), "95.0 %"); // (200 + 15 - 5 - 20) / 200
        assert_eq!(waterfall.grr.unwrap().percent(), "87.5 %");
        assert_eq!(waterfall.churn_rate.unwrap().percent(), "10.0 %");
    }

    #[test]
    fn rates_of_nothing_are_not_a_number() {
        let mut tally = Tally::default();
        tally.add(known(0, 40)).unwrap();
        let waterfall = tally.finish(0).unwrap();
        assert_eq!((waterfall.nrr, waterfall.grr, waterfall.churn_rate), (None, None, None));
    }
}
