//! What happens to the customers in the story's months: renewals, upsells, contractions, churn.
//!
//! Quotas are filled until they are reached rather than rolled for each customer, so that any seed
//! gives a vendor in sound health: about 4 % of the money churned, 10 % of it gained by expansion.

use chrono::NaiveDate;
use rand::{RngExt, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::calendar::{FIRST, add_days, add_months, date, first_day, month_of};
use super::customer::{Customer, Plan, Spell};
use super::population::dice;

/// Customers that leave at the end of a contract period.
const CHURN_COUNT: usize = 24;

/// Of these, how many pay more than the smallest plan's price.
const CHURN_STANDARD_COUNT: usize = 11;

/// Parts of the money at the start that expansion brings and contraction takes.
const EXPANSION: f64 = 0.098;
const CONTRACTION: f64 = 0.018;

/// Plans the story's lives; returns the customers to whom nothing happens, for incidents to befall.
pub(super) fn plan(seed: u64, customers: &mut [Customer]) -> Vec<usize> {
    let mut dice = dice(seed, 2);
    let start = add_days(first_day(FIRST), -1);
    let start_mrr: i64 = customers.iter().filter(|c| c.is_active(start)).map(|c| c.price_at(start).mrr).sum();
    let mut candidates: Vec<usize> = (0..customers.len())
        .filter(|index| customers[*index].is_active(start) && customers[*index].code.is_some())
        .collect();
    candidates.shuffle(&mut dice);
    churn(customers, &mut candidates, &mut dice);
    contract(customers, &mut candidates, start_mrr, &mut dice);
    expand(customers, &mut candidates, start_mrr, &mut dice);
    candidates
}

/// The first day after the contract period of a customer that ends within the story, early enough to be seen.
fn renewal_day(customer: &Customer) -> Option<NaiveDate> {
    let (from, to) = (date(2025, 11, 1), date(2026, 10, 1));
    customer.terms(to).into_iter().map(|term| add_days(term.to, 1)).find(|day| *day >= from && *day <= to)
}

/// Takes the first `count` candidates that `suits` accepts and that have a renewal in the story.
fn take(
    customers: &[Customer],
    candidates: &mut Vec<usize>,
    count: usize,
    suits: impl Fn(&Customer) -> bool,
) -> Vec<(usize, NaiveDate)> {
    let mut taken = Vec::new();
    candidates.retain(|index| {
        let customer = &customers[*index];
        match renewal_day(customer) {
            Some(day) if taken.len() < count && suits(customer) => {
                taken.push((*index, day));
                false
            }
            _ => true,
        }
    });
    taken
}

fn churn(customers: &mut [Customer], candidates: &mut Vec<usize>, dice: &mut ChaCha8Rng) {
    let plan_of = |customer: &Customer| customer.prices[0].plan;
    let small = take(customers, candidates, CHURN_COUNT - CHURN_STANDARD_COUNT - 1, |c| plan_of(c) == Plan::Starter);
    let medium = take(customers, candidates, CHURN_STANDARD_COUNT, |c| plan_of(c) == Plan::Standard);
    let large = take(customers, candidates, 1, |c| plan_of(c) == Plan::Enterprise && c.prices[0].mrr <= 700_000);
    for (index, day) in small.iter().chain(&medium).chain(&large) {
        customers[*index].leave(add_days(*day, -1));
        customers[*index].engagement *= 0.8;
    }
    come_back(customers, &small, dice);
}

/// One of those that leave early is back before the story ends, under its old code.
fn come_back(customers: &mut [Customer], left: &[(usize, NaiveDate)], dice: &mut ChaCha8Rng) {
    let Some((index, day)) = left.iter().copied().min_by_key(|(_, day)| *day) else { return };
    let from = add_months(first_day(month_of(day)), dice.random_range(4..6));
    if from > date(2026, 9, 1) {
        return;
    }
    let customer = &mut customers[index];
    let price = customer.prices[0];
    customer.spells.push(Spell { from, last_day: None });
    customer.reprice(from, price.plan, price.mrr + 10_000);
}

fn contract(customers: &mut [Customer], candidates: &mut Vec<usize>, start_mrr: i64, dice: &mut ChaCha8Rng) {
    let mut rest = (start_mrr as f64 * CONTRACTION) as i64;
    while rest > 0 {
        let Some((index, day)) = take(customers, candidates, 1, |c| c.prices[0].mrr >= 60_000 && c.in_crm).pop() else {
            return;
        };
        let price = customers[index].prices[0];
        let mrr = round(price.mrr * dice.random_range(60..86) / 100);
        rest -= price.mrr - mrr;
        customers[index].reprice(day, price.plan, mrr);
    }
}

fn expand(customers: &mut [Customer], candidates: &mut Vec<usize>, start_mrr: i64, dice: &mut ChaCha8Rng) {
    let mut rest = (start_mrr as f64 * EXPANSION) as i64;
    while rest > 0 {
        let at_renewal = dice.random_bool(0.7);
        let taken = match at_renewal {
            true => take(customers, candidates, 1, |c| c.in_crm).pop(),
            false => candidates.pop().map(|index| (index, add_months(date(2025, 11, 1), dice.random_range(0..12)))),
        };
        let Some((index, day)) = taken else { return };
        if !customers[index].in_crm {
            continue;
        }
        let price = customers[index].prices[0];
        let moves_up = at_renewal && price.plan != Plan::Enterprise && dice.random_bool(0.35);
        let (plan, percent) = match moves_up {
            true => (price.plan.bigger(), dice.random_range(160..230)),
            false => (price.plan, dice.random_range(112..148)),
        };
        let mrr = round(price.mrr * percent / 100);
        rest -= mrr - price.mrr;
        customers[index].reprice(day, plan, mrr);
        customers[index].engagement = customers[index].engagement.max(0.65);
    }
}

/// Prices end in whole thousands.
fn round(yen: i64) -> i64 {
    (yen + 500) / 1_000 * 1_000
}
