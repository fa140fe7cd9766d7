//! What goes wrong in the story, and to whom: the reasons why records need care.
//!
//! Every incident befalls a customer to whom nothing else happens, so that each can be told apart in
//! a comparison.

use chrono::NaiveDate;
use rand::{RngExt, seq::SliceRandom};

use super::calendar::{Month, date};
use super::customer::{Customer, Link, Plan};
use super::names::Notation;
use super::population::dice;

/// The month whose export is corrected a month later.
pub(super) const CORRECTED: Month = (2025, 10);

/// A second account of a customer, entered by someone who did not search first.
#[derive(Debug, Clone)]
pub(super) struct Duplicate {
    pub(super) customer: usize,
    /// Written so that no rule recognizes it.
    pub(super) name: String,
    pub(super) entered_on: NaiveDate,
    pub(super) merged_on: NaiveDate,
}

/// An account deleted by mistake.
#[derive(Debug, Clone, Copy)]
pub(super) struct MistakenDelete {
    pub(super) customer: usize,
    pub(super) deleted_on: NaiveDate,
    pub(super) undeleted_on: NaiveDate,
}

/// A figure that the first edition of October's export gave wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct OctoberError {
    pub(super) customer: usize,
    /// The wrong price; `None`: the price was right.
    pub(super) wrong_mrr: Option<i64>,
    /// The wrong number of active users; `None`: the number was right.
    pub(super) wrong_active_users: Option<i64>,
}

/// Everything that goes wrong, by index of the customer.
#[derive(Debug, Clone)]
pub(super) struct Incidents {
    pub(super) duplicates: Vec<Duplicate>,
    pub(super) mistaken_deletes: Vec<MistakenDelete>,
    pub(super) october_errors: Vec<OctoberError>,
    /// The price is under negotiation: `未定` from this month on, and nothing in Salesforce.
    pub(super) unpriced: (usize, Month),
    /// 契約開始日 reads `2025/13/1` in every export.
    pub(super) impossible_date: usize,
    /// 契約ユーザー数 reads `約50` or the like, from this month on.
    pub(super) vague_users: (usize, Month),
    /// The core system's corporate number has a wrong digit.
    pub(super) mistyped_in_core: [usize; 2],
    /// Salesforce's corporate number has a wrong digit; put right on that day.
    pub(super) mistyped_in_crm: (usize, NaiveDate),
    /// The core system has no corporate number.
    pub(super) unnumbered: [usize; 4],
    /// The first contact's address lacks its `@`; for some put right on a day.
    pub(super) bad_addresses: [(usize, Option<NaiveDate>); 3],
    /// The contract of the term that begins in the story's first month is typed in on that day.
    pub(super) backdated: (usize, NaiveDate),
    /// Salesforce has the wrong prefecture until that day.
    pub(super) misplaced: (usize, &'static str, NaiveDate),
    /// A test account in Salesforce, removed for good on that day.
    pub(super) test_account_removed_on: NaiveDate,
}

/// Lets incidents befall some of the `quiet` customers, and changes them where an incident says so.
pub(super) fn befall(seed: u64, customers: &mut [Customer], quiet: &[usize]) -> Incidents {
    let mut dice = dice(seed, 3);
    let mut victims: Vec<usize> = quiet
        .iter()
        .copied()
        .filter(|index| customers[*index].in_crm && customers[*index].link == Link::Code)
        .filter(|index| customers[*index].prices[0].plan != Plan::Enterprise)
        .collect();
    victims.shuffle(&mut dice);
    let backdated = take_renewed_in_october(customers, &mut victims);
    let mut victims = victims.into_iter();
    let mut next = || victims.next().expect("a hundred quiet customers, two dozen incidents");

    // Late in the month: a merged account leaves the recycle bin after 15 days, and with it goes who the winner was.
    let merge_days = [date(2026, 3, 24), date(2026, 3, 24), date(2026, 3, 25), date(2026, 3, 26), date(2026, 3, 26)];
    let duplicates = merge_days.map(|merged_on| {
        let customer = next();
        let place = customers[customer].prefecture.trim_end_matches(['都', '府', '県']);
        let name = format!("{} {place}支店", customers[customer].name.write(Notation::Sign));
        Duplicate { customer, name, entered_on: date(2025, 6, dice.random_range(2..28)), merged_on }
    });
    let mistaken_deletes = [
        MistakenDelete { customer: next(), deleted_on: date(2025, 12, 26), undeleted_on: date(2026, 1, 6) },
        MistakenDelete { customer: next(), deleted_on: date(2026, 5, 19), undeleted_on: date(2026, 5, 20) },
    ];
    let october_errors = [
        OctoberError { customer: next(), wrong_mrr: Some(10), wrong_active_users: None },
        OctoberError { customer: next(), wrong_mrr: Some(1), wrong_active_users: None },
        OctoberError { customer: next(), wrong_mrr: None, wrong_active_users: Some(0) },
    ]
    .map(|error| OctoberError {
        wrong_mrr: error.wrong_mrr.map(|digit| customers[error.customer].prices[0].mrr + digit * 10_000),
        ..error
    });
    let renamed = next();
    let new_name = customers[renamed].name.rebranded();
    customers[renamed].renamed = Some((date(2026, 4, 1), new_name));
    let misplaced = next();
    let wrong_place = if customers[misplaced].prefecture == "東京都" { "京都府" } else { "東京都" };
    Incidents {
        duplicates: duplicates.to_vec(),
        mistaken_deletes: mistaken_deletes.to_vec(),
        october_errors: october_errors.to_vec(),
        unpriced: (next(), (2026, 9)),
        impossible_date: next(),
        vague_users: (next(), (2026, 5)),
        mistyped_in_core: [next(), next()],
        mistyped_in_crm: (next(), date(2026, 2, 17)),
        unnumbered: [next(), next(), next(), next()],
        bad_addresses: [(next(), None), (next(), None), (next(), Some(date(2026, 4, 14)))],
        backdated: (backdated, date(2025, 11, 10)),
        misplaced: (misplaced, wrong_place, date(2026, 2, 5)),
        test_account_removed_on: date(2026, 6, 24),
    }
}

/// A customer with a contract period from 2025-10-01 on; where the seed gives none, one is made.
fn take_renewed_in_october(customers: &mut [Customer], victims: &mut Vec<usize>) -> usize {
    let day = date(2025, 10, 1);
    let renews = |index: usize| customers[index].term_at(day).is_some_and(|term| term.from == day);
    let place = victims.iter().position(|index| renews(*index)).unwrap_or(0);
    let index = victims.swap_remove(place);
    if !renews(index) {
        let from = date(2024, 10, 1);
        customers[index].term_months = 12;
        customers[index].spells[0].from = from;
        customers[index].prices[0].from = from;
    }
    index
}
