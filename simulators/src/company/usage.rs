//! How customers use the product: the figures that the core system counts each month.

use chrono::NaiveDate;
use rand::RngExt;

use super::calendar::{Month, date, first_day, last_day, months_between};
use super::customer::Customer;
use super::population::dice;

/// What was counted for a customer in one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Figures {
    /// 契約ユーザー数
    pub(super) contracted_users: i64,
    /// アクティブユーザー数, never more than contracted.
    pub(super) active_users: i64,
    /// ログイン数
    pub(super) logins: i64,
    /// 問い合わせ件数
    pub(super) inquiries: i64,
    /// NPS, -100 to 100; `None` for those who never answered a survey.
    pub(super) nps: Option<i64>,
}

/// The figures of a month; the same whenever they are asked for.
pub(super) fn figures(seed: u64, customer: &Customer, month: Month) -> Figures {
    let day = last_day(month);
    let mut dice = dice(seed, topic(customer, day));
    let contracted_users = customer.price_at(day).users();
    let ratio = (engagement(customer, day) + dice.random_range(-0.04..0.04)).clamp(0.02, 1.0);
    let active_users = (contracted_users as f64 * ratio).round() as i64;
    let logins = active_users * dice.random_range(7..15) + dice.random_range(0..5);
    let trouble = i64::from(months_left(customer, day).is_some_and(|left| left < 5)) * 4;
    let inquiries = dice.random_range(0..4) + trouble + contracted_users / 120;
    Figures { contracted_users, active_users, logins, inquiries, nps: nps(seed, customer, day) }
}

/// A health score from 0 to 100 in steps of 5, as the customer success team keeps it.
pub(super) fn health(customer: &Customer, month: Month) -> i64 {
    (engagement(customer, last_day(month)) * 20.0).round() as i64 * 5
}

/// The part of the contracted users that is active: rises after the start, falls before the end.
fn engagement(customer: &Customer, day: NaiveDate) -> f64 {
    let spell = customer.spell_at(day).unwrap_or(customer.spells[0]);
    let rise = match months_between(spell.from, day) {
        ..=0 => 0.35,
        1 => 0.65,
        2 => 0.85,
        _ => 1.0,
    };
    let fall = match months_left(customer, day) {
        Some(left @ 0..=5) => 0.4 + 0.1 * f64::from(left),
        _ => 1.0,
    };
    let drift = f64::from(months_between(date(2025, 10, 1), day)) * ((customer.index % 7) as f64 - 2.0) * 0.002;
    ((customer.engagement + drift) * rise * fall).clamp(0.02, 1.0)
}

/// Whole months until the customer leaves, for those who do.
fn months_left(customer: &Customer, day: NaiveDate) -> Option<i32> {
    Some(months_between(day, customer.spell_at(day)?.last_day?))
}

/// Surveys are in April and October; a quarter of the customers never answers.
fn nps(seed: u64, customer: &Customer, day: NaiveDate) -> Option<i64> {
    if customer.index % 4 == 3 {
        return None;
    }
    let half = (months_between(date(2020, 4, 1), day)).div_euclid(6);
    let survey = first_day((2020, 4)) + chrono::Months::new(half.max(0).unsigned_abs() * 6);
    let mut dice = dice(seed, topic(customer, survey) ^ 0x4e50_5300_0000_0000);
    let mood = (engagement(customer, day) * 80.0) as i64 - 20;
    Some((mood + dice.random_range(-30..30)).clamp(-100, 100) / 5 * 5)
}

fn topic(customer: &Customer, day: NaiveDate) -> u64 {
    let months = months_between(date(2000, 1, 1), day).unsigned_abs();
    1_000_000 + customer.index as u64 * 10_000 + u64::from(months)
}
