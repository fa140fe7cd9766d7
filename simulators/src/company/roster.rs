//! The customers by their codes, for systems that stand beside the story's two: contracts, accounting, usage.
//!
//! Who they are, what they pay and since when is as in the story of the same seed, so that data joins.

use chrono::NaiveDate;

use super::calendar::month_of;
use super::customer::Customer;
use super::names::Notation;
use super::usage::figures;
use super::{incidents, life, population};

/// A customer that the core system knows.
#[derive(Debug)]
pub(crate) struct Client {
    seed: u64,
    customer: Customer,
    code: String,
}

/// All customers with a 顧客コード, in the order of their first day.
pub(crate) fn clients(seed: u64) -> Vec<Client> {
    let mut customers = population::invent(seed).customers;
    let quiet = life::plan(seed, &mut customers);
    incidents::befall(seed, &mut customers, &quiet);
    let known = |customer: Customer| Some(Client { seed, code: customer.code.clone()?, customer });
    customers.into_iter().filter_map(known).collect()
}

impl Client {
    /// 顧客コード
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// Its name on that day, in full.
    pub(crate) fn name(&self, day: NaiveDate) -> String {
        self.customer.name_at(day, Notation::Full)
    }

    /// 法人番号, 13 digits.
    pub(crate) fn corporate_number(&self) -> &str {
        &self.customer.corporate_number
    }

    /// 都道府県
    pub(crate) fn prefecture(&self) -> &'static str {
        self.customer.prefecture
    }

    /// The name of its plan on that day.
    pub(crate) fn plan(&self, day: NaiveDate) -> &'static str {
        self.customer.price_at(day).plan.name()
    }

    /// Yen a month without tax on that day.
    pub(crate) fn monthly_yen(&self, day: NaiveDate) -> i64 {
        self.customer.price_at(day).mrr
    }

    /// The first day under contract.
    pub(crate) fn first_day(&self) -> NaiveDate {
        self.customer.spells[0].from
    }

    /// The last day under contract, for those who left for good.
    pub(crate) fn last_day(&self) -> Option<NaiveDate> {
        self.customer.spells.last().and_then(|spell| spell.last_day)
    }

    /// Whether it is under contract on that day.
    pub(crate) fn is_active(&self, day: NaiveDate) -> bool {
        self.customer.is_active(day)
    }

    /// How many of its users are active in the month of that day, as the core system counts them.
    pub(crate) fn monthly_users(&self, day: NaiveDate) -> i64 {
        figures(self.seed, &self.customer, month_of(day)).active_users
    }
}

#[cfg(test)]
mod tests {
    use super::super::calendar::date;
    use super::super::{Mrr, Story};
    use super::*;

    #[test]
    fn clients_are_those_of_the_story_of_the_same_seed() {
        let clients = clients(7);
        let day = date(2026, 3, 31);
        let truth = Story::new(7).truth(2026, 3);
        let mut compared = 0;
        for client in clients.iter().filter(|client| client.is_active(day)) {
            let told = truth.iter().find(|told| told.code.as_deref() == Some(client.code())).unwrap();
            assert_eq!(told.name, client.name(day));
            if let Mrr::Yen(yen) = told.mrr {
                assert_eq!(yen, client.monthly_yen(day), "{}", client.code());
                compared += 1;
            }
        }
        assert!(compared > 300, "{compared}");
        assert_eq!(clients.len(), clients.iter().map(Client::code).collect::<std::collections::BTreeSet<_>>().len());
    }
}
