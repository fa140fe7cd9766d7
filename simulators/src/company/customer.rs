//! A customer of the vendor: who it is, and its whole life as planned from the seed.
//!
//! Everything that the two systems say about a customer is told from here, so that they agree where they
//! should and differ only where an incident or a habit makes them.

use chrono::NaiveDate;

use super::calendar::{DateStyle, add_days, add_months};
use super::names::{CompanyName, Notation};

/// What a customer pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Plan {
    /// スターター
    Starter,
    /// スタンダード
    Standard,
    /// エンタープライズ
    Enterprise,
}

impl Plan {
    /// The word in both systems.
    pub(super) fn name(self) -> &'static str {
        match self {
            Plan::Starter => "スターター",
            Plan::Standard => "スタンダード",
            Plan::Enterprise => "エンタープライズ",
        }
    }

    /// The next bigger one, if there is one.
    pub(super) fn bigger(self) -> Plan {
        match self {
            Plan::Starter => Plan::Standard,
            Plan::Standard | Plan::Enterprise => Plan::Enterprise,
        }
    }

    /// Yen a month for one contracted user, which tells the number of users from the price.
    pub(super) fn yen_per_user(self) -> i64 {
        match self {
            Plan::Starter => 1_500,
            Plan::Standard => 1_800,
            Plan::Enterprise => 2_200,
        }
    }

    /// How closely the vendor looks after such a customer (タッチモデル).
    pub(super) fn touch_model(self) -> &'static str {
        match self {
            Plan::Starter => "テックタッチ",
            Plan::Standard => "ロータッチ",
            Plan::Enterprise => "ハイタッチ",
        }
    }
}

/// From `from` on, the customer has this plan at this price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Price {
    pub(super) from: NaiveDate,
    pub(super) plan: Plan,
    /// Yen a month without tax.
    pub(super) mrr: i64,
}

impl Price {
    /// 契約ユーザー数
    pub(super) fn users(self) -> i64 {
        (self.mrr / self.plan.yen_per_user()).max(3)
    }
}

/// A time under contract without a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spell {
    pub(super) from: NaiveDate,
    /// The last day under contract, for those who left.
    pub(super) last_day: Option<NaiveDate>,
}

impl Spell {
    fn covers(self, day: NaiveDate) -> bool {
        self.from <= day && self.last_day.is_none_or(|last| day <= last)
    }
}

/// One contract period, both days inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
    /// Whether it is the first of its spell: no renewal.
    pub(super) is_first: bool,
}

/// How a CRM account can be recognized as the core system's customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// The account holds the 顧客コード.
    Code,
    /// Only the corporate number is in both.
    CorporateNumber,
    /// Only the name and the prefecture are in both.
    Name,
}

/// The habits of whoever entered the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Habits {
    pub(super) core_name: Notation,
    pub(super) crm_name: Notation,
    pub(super) dates: DateStyle,
    /// `￥1,200,000` instead of `1,200,000`.
    pub(super) yen_sign: bool,
    /// `５０` instead of `50`.
    pub(super) wide_digits: bool,
}

/// A customer and its whole life.
#[derive(Debug, Clone)]
pub(super) struct Customer {
    /// Its place in the list of customers.
    pub(super) index: usize,
    /// 顧客コード; `None` when the core system does not know the customer.
    pub(super) code: Option<String>,
    /// Whether Salesforce has an account for it.
    pub(super) in_crm: bool,
    pub(super) name: CompanyName,
    /// The new name, since when.
    pub(super) renamed: Option<(NaiveDate, CompanyName)>,
    pub(super) corporate_number: String,
    pub(super) link: Link,
    pub(super) habits: Habits,
    pub(super) prefecture: &'static str,
    pub(super) phone: String,
    pub(super) industry: &'static str,
    pub(super) employees: i64,
    /// Index into the list of CSMs.
    pub(super) csm: usize,
    /// Months of a contract period.
    pub(super) term_months: u32,
    /// In order, not overlapping.
    pub(super) spells: Vec<Spell>,
    /// In order; the first is from the first day under contract.
    pub(super) prices: Vec<Price>,
    /// How much of what it pays for it uses, 0 to 1.
    pub(super) engagement: f64,
}

impl Customer {
    /// The spell that covers the day.
    pub(super) fn spell_at(&self, day: NaiveDate) -> Option<Spell> {
        self.spells.iter().copied().find(|spell| spell.covers(day))
    }

    /// Whether it is under contract on that day.
    pub(super) fn is_active(&self, day: NaiveDate) -> bool {
        self.spell_at(day).is_some()
    }

    /// Plan and price on that day; before the first day, those that it begins with.
    pub(super) fn price_at(&self, day: NaiveDate) -> Price {
        self.prices.iter().copied().rev().find(|price| price.from <= day).unwrap_or(self.prices[0])
    }

    /// All contract periods that begin before `until`.
    pub(super) fn terms(&self, until: NaiveDate) -> Vec<Term> {
        self.spells.iter().flat_map(|spell| self.terms_of(*spell, until)).collect()
    }

    /// The contract period that covers the day.
    pub(super) fn term_at(&self, day: NaiveDate) -> Option<Term> {
        self.terms(add_days(day, 1)).into_iter().find(|term| term.from <= day && day <= term.to)
    }

    fn terms_of(&self, spell: Spell, until: NaiveDate) -> Vec<Term> {
        let starts = (0..).map(|n| add_months(spell.from, n * self.term_months));
        starts
            .take_while(|from| *from < until && spell.covers(*from))
            .map(|from| Term {
                from,
                to: add_days(add_months(from, self.term_months), -1),
                is_first: from == spell.from,
            })
            .collect()
    }

    /// The domain of its site and its mail addresses.
    pub(super) fn domain(&self) -> String {
        format!("{}.example.jp", self.name.slug)
    }

    /// Its name on that day, as written by someone with that habit.
    pub(super) fn name_at(&self, day: NaiveDate, notation: Notation) -> String {
        match &self.renamed {
            Some((since, name)) if *since <= day => name.write(notation),
            _ => self.name.write(notation),
        }
    }

    /// Puts a new plan and price into force.
    pub(super) fn reprice(&mut self, from: NaiveDate, plan: Plan, mrr: i64) {
        self.prices.push(Price { from, plan, mrr });
        self.prices.sort_by_key(|price| price.from);
    }

    /// Ends the current spell with that day.
    pub(super) fn leave(&mut self, last_day: NaiveDate) {
        if let Some(spell) = self.spells.last_mut() {
            spell.last_day = Some(last_day);
        }
    }
}
