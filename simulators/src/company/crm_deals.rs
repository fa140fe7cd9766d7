//! What the vendor's people write into the opportunities and contracts of Salesforce.

use chrono::NaiveDate;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::book::{Book, RecordNo};
use super::calendar::{FIRST, add_days, date, first_day};
use super::crm_accounts::{fields, iso, office_hours};
use super::customer::{Customer, Term};
use super::incidents::Incidents;
use super::names::Notation;
use super::population::Prospect;

/// Deals and contracts of terms that ended before this day are not in Salesforce any more.
const MEMORY: (i32, u32, u32) = (2024, 4, 1);

/// The day after the story.
fn horizon() -> NaiveDate {
    date(2026, 11, 1)
}

/// A deal from its beginning to its end.
struct Deal {
    name: String,
    /// The Type; this vendor's administrator has invented サブスク更新.
    kind: &'static str,
    amount: i64,
    opened_on: NaiveDate,
    closes_on: NaiveDate,
    /// `None`: still open when the story ends.
    won: Option<bool>,
}

impl Deal {
    /// Enters the deal: what was over before the story as it ended, later ones step by step.
    fn enter(&self, account: RecordNo, book: &mut Book, dice: &mut ChaCha8Rng) {
        let outcome = match self.won {
            Some(true) => "Closed Won",
            Some(false) => "Closed Lost",
            None => "交渉",
        };
        let is_old = self.closes_on < first_day(FIRST);
        let stage = if is_old { outcome } else { "見込み" };
        let deal = fields([
            ("Name", json!(self.name)),
            ("Type", json!(self.kind)),
            ("StageName", json!(stage)),
            ("Amount", json!(self.amount)),
            ("CloseDate", iso(self.closes_on)),
        ]);
        let at = office_hours(if is_old { self.closes_on } else { self.opened_on }, dice);
        let deal = book.insert(at, "Opportunity", deal, vec![("AccountId", account)]);
        if is_old {
            return;
        }
        let half_way = add_days(self.opened_on, (self.closes_on - self.opened_on).num_days() / 2);
        let proposal = fields([("StageName", json!("提案"))]);
        book.update(office_hours(half_way, dice), deal, proposal);
        book.update(office_hours(self.closes_on, dice), deal, fields([("StageName", json!(outcome))]));
    }
}

/// Enters all deals and contracts of a customer.
pub(super) fn enter(
    customer: &Customer,
    incidents: &Incidents,
    account: RecordNo,
    book: &mut Book,
    dice: &mut ChaCha8Rng,
) {
    let memory = date(MEMORY.0, MEMORY.1, MEMORY.2);
    for term in customer.terms(horizon()) {
        if term.to < memory {
            continue;
        }
        if term.is_first {
            first_deal(customer, term, dice).enter(account, book, dice);
        }
        if term.to < add_days(horizon(), 90) {
            renewal(customer, term, dice).enter(account, book, dice);
        }
        enter_contract(customer, incidents, term, account, book, dice);
    }
    for deal in upsells(customer) {
        deal.enter(account, book, dice);
    }
}

fn company(customer: &Customer) -> String {
    customer.name.write(Notation::Full)
}

fn first_deal(customer: &Customer, term: Term, dice: &mut ChaCha8Rng) -> Deal {
    let price = customer.price_at(term.from);
    Deal {
        name: format!("{} 新規導入", company(customer)),
        kind: "New Customer",
        amount: price.mrr * i64::from(customer.term_months),
        opened_on: add_days(term.from, -dice.random_range(40..60)),
        closes_on: add_days(term.from, -dice.random_range(3..15)),
        won: Some(true),
    }
}

/// The deal that decides what follows a term.
fn renewal(customer: &Customer, term: Term, dice: &mut ChaCha8Rng) -> Deal {
    let next = add_days(term.to, 1);
    let renews = customer.spell_at(term.to) == customer.spell_at(next);
    let price = customer.price_at(if renews { next } else { term.to });
    Deal {
        name: format!("{} 契約更新 {}", company(customer), next.format("%Y/%m")),
        kind: "サブスク更新",
        amount: price.mrr * i64::from(customer.term_months),
        opened_on: add_days(term.to, -90),
        closes_on: add_days(term.to, -dice.random_range(4..21)),
        won: Some(renews),
    }
}

/// Deals for what was bought between two renewals.
fn upsells(customer: &Customer) -> Vec<Deal> {
    let starts: Vec<NaiveDate> = customer.terms(horizon()).iter().map(|term| term.from).collect();
    let bought_between = customer.prices.windows(2).filter(|pair| !starts.contains(&pair[1].from));
    bought_between
        .map(|pair| Deal {
            name: format!("{} ユーザー追加 {}", company(customer), pair[1].from.format("%Y/%m")),
            kind: "Existing Customer - Upgrade",
            amount: (pair[1].mrr - pair[0].mrr) * 12,
            opened_on: add_days(pair[1].from, -45),
            closes_on: add_days(pair[1].from, -7),
            won: Some(true),
        })
        .collect()
}

fn enter_contract(
    customer: &Customer,
    incidents: &Incidents,
    term: Term,
    account: RecordNo,
    book: &mut Book,
    dice: &mut ChaCha8Rng,
) {
    let typed_in_late = incidents.backdated.0 == customer.index && term.from == first_day(FIRST);
    let is_old = term.from < first_day(FIRST);
    let status = if is_old || typed_in_late { "Activated" } else { "Draft" };
    let entered_on = if typed_in_late { incidents.backdated.1 } else { add_days(term.from, -4) };
    let price = customer.price_at(term.from);
    let contract = fields([
        ("Status", json!(status)),
        ("StartDate", iso(term.from)),
        ("EndDate", iso(term.to)),
        ("ContractTerm", json!(customer.term_months)),
        ("MRR__c", json!(price.mrr)),
        ("Plan__c", json!(price.plan.name())),
    ]);
    let contract = book.insert(office_hours(entered_on, dice), "Contract", contract, vec![("AccountId", account)]);
    if status == "Draft" {
        book.update(office_hours(term.from, dice), contract, fields([("Status", json!("Activated"))]));
    }
}

/// The one deal of a company that is no customer.
pub(super) fn enter_prospect_deal(prospect: &Prospect, account: RecordNo, book: &mut Book, dice: &mut ChaCha8Rng) {
    let deal = Deal {
        name: format!("{} 新規提案", prospect.name.write(Notation::Full)),
        kind: "New Customer",
        amount: prospect.mrr * 12,
        opened_on: add_days(prospect.met_on, 10),
        closes_on: prospect.lost_on.unwrap_or_else(|| add_days(prospect.met_on, 120).max(date(2026, 11, 20))),
        won: prospect.lost_on.map(|_| false),
    };
    deal.enter(account, book, dice);
}
