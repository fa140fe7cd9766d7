//! The story itself: told once from a seed, lived month by month.

use super::book::{Book, Crm, RecordNo};
use super::calendar::{self, FIRST, Month, add_days, end_of, first_day, last_day, tokyo, working_day};
use super::crm_accounts::{enter, enter_duplicates, enter_prospect, enter_test_account};
use super::crm_deals;
use super::customer::Customer;
use super::export::{self, Edition, Export, Statement};
use super::incidents::{self, CORRECTED, Incidents};
use super::life;
use super::names::Notation;
use super::population::{self, dice};
use super::truth::{CustomerTruth, Mrr, SeenBy, UsageTruth};

/// A company's thirteen months, from 2025-10-01 to 2026-10-31 in Japan.
///
/// The same seed tells the same story. Call [`start`](Self::start) once, then [`live_month`](Self::live_month) for
/// each of [`months`](Self::months) in order.
#[derive(Debug)]
pub struct Story {
    seed: u64,
    customers: Vec<Customer>,
    incidents: Incidents,
    book: Book,
    /// Accounts by customer, duplicates included.
    accounts: Vec<(usize, RecordNo)>,
    test_account: RecordNo,
    /// The last month that was lived.
    lived: Option<Month>,
}

impl Story {
    /// Plans the whole story of a seed.
    pub fn new(seed: u64) -> Self {
        let population = population::invent(seed);
        let mut customers = population.customers;
        let quiet = life::plan(seed, &mut customers);
        let incidents = incidents::befall(seed, &mut customers, &quiet);
        let mut book = Book::default();
        let mut by_customer = vec![None; customers.len()];
        for customer in customers.iter().filter(|customer| customer.in_crm) {
            let mut dice = dice(seed, 1_000 + customer.index as u64);
            let account = enter(customer, &incidents, &mut book, &mut dice);
            crm_deals::enter(customer, &incidents, account, &mut book, &mut dice);
            by_customer[customer.index] = Some(account);
        }
        let mut dice = dice(seed, 4);
        for prospect in &population.prospects {
            let account = enter_prospect(prospect, &mut book, &mut dice);
            crm_deals::enter_prospect_deal(prospect, account, &mut book, &mut dice);
        }
        let duplicates = enter_duplicates(&customers, &incidents, &by_customer, &mut book, &mut dice);
        let test_account = enter_test_account(&incidents, &mut book, &mut dice);
        book.close();
        let firsts = by_customer.iter().enumerate().filter_map(|(index, account)| Some((index, (*account)?)));
        let accounts = firsts.chain(duplicates).collect();
        Story { seed, customers, incidents, book, accounts, test_account, lived: None }
    }

    /// The months to live through, in order.
    pub fn months() -> Vec<(i32, u32)> {
        calendar::months()
    }

    /// Everything that was in Salesforce when the story begins.
    pub fn start(&mut self, crm: &mut dyn Crm) {
        self.book.apply(tokyo(first_day(FIRST), 0), crm);
    }

    /// Makes the month's edits, each at its moment; earlier ones that were not made yet come first.
    pub fn live_month(&mut self, year: i32, month: u32, crm: &mut dyn Crm) {
        self.book.apply(end_of((year, month)), crm);
        self.lived = self.lived.max(Some((year, month)));
    }

    /// What the core system wrote on a month's last evening: that month's file, in November also a
    /// corrected one for October.
    pub fn exports(&self, year: i32, month: u32) -> Vec<Export> {
        let month = (year, month);
        let mut exports = vec![self.write(month, Edition::First)];
        if month == correction_month() {
            exports.push(self.write(CORRECTED, Edition::Corrected));
        }
        exports
    }

    fn write(&self, month: Month, edition: Edition) -> Export {
        export::write(self.seed, &self.customers, &self.incidents, month, edition)
    }

    /// Who the customers were at a month's end, in the order of their numbers, as far as can be known from
    /// what was lived: October's errors are true until November's correction.
    ///
    /// An account that was entered twice counts as one customer also before it was merged.
    pub fn truth(&self, year: i32, month: u32) -> Vec<CustomerTruth> {
        let month = (year, month);
        let edition = match self.lived >= Some(correction_month()) {
            true => Edition::Corrected,
            false => Edition::First,
        };
        let customers = self.customers.iter().filter_map(|customer| self.customer_truth(customer, month, edition));
        customers.chain(self.test_account_truth(month)).collect()
    }

    fn customer_truth(&self, customer: &Customer, month: Month, edition: Edition) -> Option<CustomerTruth> {
        let stated = export::state(self.seed, customer, &self.incidents, month, edition);
        let in_crm = self.counts_in_crm(customer, month);
        let seen_by = match (stated, in_crm) {
            (Some(_), true) => SeenBy::Both,
            (Some(_), false) => SeenBy::Core,
            (None, true) => SeenBy::Crm,
            (None, false) => return None,
        };
        let price = customer.price_at(last_day(month));
        let mrr = match stated {
            Some(Statement { mrr, .. }) => mrr.map_or(Mrr::Held, Mrr::Yen),
            None => Mrr::Yen(price.mrr),
        };
        let (vague, since) = self.incidents.vague_users;
        let users_convert = vague != customer.index || month < since;
        Some(CustomerTruth {
            number: customer.index,
            code: customer.code.clone(),
            account_ids: self.account_ids(customer.index),
            name: customer.name_at(last_day(month), Notation::Full),
            seen_by,
            mrr,
            plan: Some(price.plan.name()),
            usage: stated.map(|stated| UsageTruth::new(stated.figures, users_convert)),
        })
    }

    /// Whether it has a living account that is neither a prospect nor at the stage 解約.
    fn counts_in_crm(&self, customer: &Customer, month: Month) -> bool {
        let day = last_day(month);
        let lost =
            self.incidents.mistaken_deletes.iter().any(|delete| {
                delete.customer == customer.index && delete.deleted_on <= day && day < delete.undeleted_on
            });
        customer.in_crm && customer.is_active(day) && !lost
    }

    fn account_ids(&self, customer: usize) -> Vec<String> {
        let own = self.accounts.iter().filter(|(index, _)| *index == customer);
        own.filter_map(|(_, account)| self.book.id(*account)).map(str::to_owned).collect()
    }

    fn test_account_truth(&self, month: Month) -> Option<CustomerTruth> {
        let removed = working_day(self.incidents.test_account_removed_on) <= last_day(month);
        (!removed).then(|| CustomerTruth {
            number: self.customers.len(),
            code: None,
            account_ids: self.book.id(self.test_account).map(str::to_owned).into_iter().collect(),
            name: "【テスト】株式会社サンプル".to_owned(),
            seen_by: SeenBy::Crm,
            mrr: Mrr::Empty,
            plan: None,
            usage: None,
        })
    }
}

/// The month whose exports bring the correction.
fn correction_month() -> Month {
    calendar::month_of(add_days(last_day(CORRECTED), 1))
}
