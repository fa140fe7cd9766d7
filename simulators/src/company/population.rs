//! Who the customers are: those of before the story, and those who come in its months.

use chrono::NaiveDate;
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::calendar::{DateStyle, FIRST, add_days, add_months, first_day, months};
use super::corporate_number;
use super::customer::{Customer, Habits, Link, Plan, Price, Spell};
use super::names::{CSMS, CompanyName, Notation, all_companies, invent_place};

/// Customers under contract when the story begins, in both systems or in one.
const SETTLED_COUNT: usize = 338;

/// Of these, how many only the core system knows.
const CORE_ONLY_COUNT: usize = 5;

/// Of these, how many only Salesforce knows: sold and billed by partners.
const CRM_ONLY_COUNT: usize = 4;

/// New customers in each month of the story.
const NEWCOMERS: [usize; 13] = [3, 3, 2, 4, 3, 4, 6, 3, 3, 4, 2, 4, 4];

/// Independent dice for one topic, so that changing one part of the story leaves the others alone.
pub(super) fn dice(seed: u64, topic: u64) -> ChaCha8Rng {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    dice.set_stream(topic);
    dice
}

/// A company that is no customer: still being courted, or lost to somebody else.
#[derive(Debug, Clone)]
pub(super) struct Prospect {
    pub(super) name: CompanyName,
    pub(super) prefecture: &'static str,
    pub(super) phone: String,
    pub(super) industry: &'static str,
    pub(super) employees: i64,
    pub(super) mrr: i64,
    /// When the sales people met it.
    pub(super) met_on: NaiveDate,
    /// When it chose somebody else, if it did.
    pub(super) lost_on: Option<NaiveDate>,
}

/// Everybody.
pub(super) struct Population {
    /// In the order of their first day; `customers[i].index == i`.
    pub(super) customers: Vec<Customer>,
    pub(super) prospects: Vec<Prospect>,
}

/// Invents everybody, without what happens to them later.
pub(super) fn invent(seed: u64) -> Population {
    let mut dice = dice(seed, 1);
    let mut names = all_companies(&mut dice);
    names.shuffle(&mut dice);
    let mut names = names.into_iter();
    let mut starts: Vec<NaiveDate> = (0..SETTLED_COUNT).map(|_| settled_start(&mut dice)).collect();
    starts.sort();
    for (month, count) in months().into_iter().zip(NEWCOMERS) {
        let mut days: Vec<NaiveDate> = (0..count).map(|_| first_or_sixteenth(first_day(month), &mut dice)).collect();
        days.sort();
        starts.extend(days);
    }
    let mut customers: Vec<Customer> = starts
        .into_iter()
        .zip(&mut names)
        .enumerate()
        .map(|(index, (start, (name, industry)))| invent_customer(index, start, name, industry, &mut dice))
        .collect();
    hide_some_from_one_system(&mut customers, &mut dice);
    let prospects = names.take(36).map(|(name, industry)| invent_prospect(name, industry, &mut dice)).collect();
    Population { customers, prospects }
}

/// First days before the story: more in April and October, more in late years.
fn settled_start(dice: &mut ChaCha8Rng) -> NaiveDate {
    let age_years = (dice.random_range(0.0_f64..1.0).powi(2) * 6.0) as u32;
    let month_of_year = match dice.random_range(0..10) {
        0..2 => 4,
        2..4 => 10,
        _ => dice.random_range(1..=12_u32),
    };
    let back = age_years * 12 + (21 - month_of_year) % 12 + 1;
    let month = first_day(FIRST) - chrono::Months::new(back);
    first_or_sixteenth(month, dice)
}

/// Contracts begin on the first, some in the middle of the month.
fn first_or_sixteenth(first: NaiveDate, dice: &mut ChaCha8Rng) -> NaiveDate {
    if dice.random_bool(0.12) { add_days(first, 15) } else { first }
}

fn invent_customer(
    index: usize,
    start: NaiveDate,
    name: CompanyName,
    industry: &'static str,
    dice: &mut ChaCha8Rng,
) -> Customer {
    let (prefecture, phone) = invent_place(dice);
    let (plan, mrr) = invent_price(dice);
    let link = match dice.random_range(0..100) {
        0..82 => Link::Code,
        82..94 => Link::CorporateNumber,
        _ => Link::Name,
    };
    let term_months = match dice.random_range(0..100) {
        0..88 => 12,
        88..97 => 24,
        _ => 36,
    };
    Customer {
        index,
        code: Some(format!("C{:05}", 1001 + index * 7 + dice.random_range(0..6))),
        in_crm: true,
        name,
        renamed: None,
        corporate_number: corporate_number::invent(dice),
        link,
        habits: invent_habits(dice),
        prefecture,
        phone,
        industry,
        employees: (mrr / 1_000) * dice.random_range(1..6) / 2 + dice.random_range(5..40),
        csm: dice.random_range(0..CSMS.len()),
        term_months,
        spells: vec![Spell { from: start, last_day: None }],
        prices: vec![Price { from: start, plan, mrr }],
        engagement: dice.random_range(0.35..0.92),
    }
}

/// Plan and monthly price in yen, rounded as price lists are.
fn invent_price(dice: &mut ChaCha8Rng) -> (Plan, i64) {
    match dice.random_range(0..100) {
        0..42 => (Plan::Starter, dice.random_range(6..18) * 5_000),
        42..86 => (Plan::Standard, dice.random_range(11..30) * 10_000),
        _ => (Plan::Enterprise, dice.random_range(7..20) * 50_000),
    }
}

fn invent_habits(dice: &mut ChaCha8Rng) -> Habits {
    let notation = |roll: u32| match roll {
        0..55 => Notation::Full,
        55..65 => Notation::Spaced,
        65..85 => Notation::Brackets,
        _ => Notation::Sign,
    };
    Habits {
        core_name: notation(dice.random_range(0..100)),
        crm_name: notation(dice.random_range(0..100)),
        dates: match dice.random_range(0..100) {
            0..80 => DateStyle::Slashes,
            80..92 => DateStyle::Era,
            _ => DateStyle::EraShort,
        },
        yen_sign: dice.random_bool(0.1),
        wide_digits: dice.random_bool(0.06),
    }
}

/// Takes a few settled customers out of one of the two systems.
fn hide_some_from_one_system(customers: &mut [Customer], dice: &mut ChaCha8Rng) {
    let mut settled: Vec<usize> = (0..SETTLED_COUNT).collect();
    settled.shuffle(dice);
    let (core_only, others) = settled.split_at(CORE_ONLY_COUNT);
    for index in core_only {
        let customer = &mut customers[*index];
        customer.in_crm = false;
        customer.prices[0].plan = Plan::Starter;
        customer.prices[0].mrr = 30_000;
    }
    for index in &others[..CRM_ONLY_COUNT] {
        customers[*index].code = None;
        customers[*index].prices[0].plan = Plan::Standard;
        customers[*index].prices[0].mrr = 150_000;
    }
}

fn invent_prospect(name: CompanyName, industry: &'static str, dice: &mut ChaCha8Rng) -> Prospect {
    let (prefecture, phone) = invent_place(dice);
    let met_on = add_days(add_months(first_day((2025, 4)), dice.random_range(0..18)), dice.random_range(0..28));
    let lost_on = dice.random_bool(0.6).then(|| add_days(met_on, dice.random_range(40..150)));
    let (_, mrr) = invent_price(dice);
    Prospect { name, prefecture, phone, industry, employees: dice.random_range(20..800), mrr, met_on, lost_on }
}
