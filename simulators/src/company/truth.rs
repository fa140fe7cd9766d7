//! What is true at a month's end: the answers that a comparison must come to.

use std::collections::BTreeMap;

use super::usage::Figures;

/// Which systems hold a living, paying customer at the month's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SeenBy {
    /// The core system's export and Salesforce.
    Both,
    /// Only the core system's export.
    Core,
    /// Only Salesforce.
    Crm,
}

/// What can be known of a customer's monthly price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mrr {
    /// Yen a month without tax.
    Yen(i64),
    /// The cell says `未定`: there is a price, but nobody can say which.
    Held,
    /// Nobody states one.
    Empty,
}

/// A customer at a month's end, as the two systems together tell it.
///
/// The core system is believed about money and usage; where it does not know the customer, Salesforce is.
/// A company counts when the month's export lists it, or when it has a living account that is neither a
/// prospect nor at the stage 解約.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerTruth {
    /// The same for a customer in every month.
    pub number: usize,
    /// 顧客コード; `None` for those that the core system never knew.
    pub code: Option<String>,
    /// The ids of all accounts it ever had up to now, merged ones included; empty if none was created yet.
    pub account_ids: Vec<String>,
    /// Its name at that time, written in full.
    pub name: String,
    /// Who holds it.
    pub seen_by: SeenBy,
    /// What it pays.
    pub mrr: Mrr,
    /// The plan's name; `None` for an account without one.
    pub plan: Option<&'static str>,
    /// What was counted; `None` for those that are not in the export.
    pub usage: Option<UsageTruth>,
}

/// What the core system counted in the month, as it should read after conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageTruth {
    /// 契約ユーザー数; `None` where the cell cannot be converted.
    pub contracted_users: Option<i64>,
    /// アクティブユーザー数
    pub active_users: i64,
    /// ログイン数
    pub logins: i64,
    /// 問い合わせ件数
    pub inquiries: i64,
    /// NPS
    pub nps: Option<i64>,
}

impl UsageTruth {
    pub(super) fn new(figures: Figures, users_convert: bool) -> Self {
        UsageTruth {
            contracted_users: Some(figures.contracted_users).filter(|_| users_convert),
            active_users: figures.active_users,
            logins: figures.logins,
            inquiries: figures.inquiries,
            nps: figures.nps,
        }
    }
}

/// How the monthly revenue of one month became that of another, in yen.
///
/// `start + new + expansion - contraction - churned + unknown = end`. A customer whose price is held on one
/// side is in `unknown` only: minus what is known of the first month, plus what is known of the second. An empty price
/// counts as zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waterfall {
    /// All known prices of the first month.
    pub start: i64,
    /// Prices of customers that were not there in the first month.
    pub new: i64,
    /// What customers pay more.
    pub expansion: i64,
    /// What customers pay less, as a positive number.
    pub contraction: i64,
    /// Prices of customers that are not there in the second month, as a positive number.
    pub churned: i64,
    /// The part of the difference that nobody can explain.
    pub unknown: i64,
    /// All known prices of the second month.
    pub end: i64,
    /// Numbers of the customers that came, sorted.
    pub won: Vec<usize>,
    /// Numbers of the customers that left, sorted.
    pub lost: Vec<usize>,
}

impl Waterfall {
    /// Compares two months' truths.
    pub fn between(before: &[CustomerTruth], after: &[CustomerTruth]) -> Self {
        let old: BTreeMap<usize, Mrr> = before.iter().map(|truth| (truth.number, truth.mrr)).collect();
        let new: BTreeMap<usize, Mrr> = after.iter().map(|truth| (truth.number, truth.mrr)).collect();
        let mut waterfall = Waterfall::default();
        for (number, mrr) in &old {
            waterfall.start += yen(*mrr);
            match new.get(number) {
                Some(later) => waterfall.stayed(*mrr, *later),
                None if *mrr == Mrr::Held => waterfall.lost.push(*number),
                None => {
                    waterfall.churned += yen(*mrr);
                    waterfall.lost.push(*number);
                }
            }
        }
        for (number, mrr) in &new {
            waterfall.end += yen(*mrr);
            if !old.contains_key(number) {
                waterfall.new += yen(*mrr);
                waterfall.won.push(*number);
            }
        }
        waterfall
    }

    fn stayed(&mut self, before: Mrr, after: Mrr) {
        let change = yen(after) - yen(before);
        match (before, after) {
            (Mrr::Held, _) | (_, Mrr::Held) => self.unknown += change,
            _ if change > 0 => self.expansion += change,
            _ => self.contraction -= change,
        }
    }

    /// Net revenue retention in percent: what the first month's customers with known prices on both
    /// sides pay now, of what they paid then.
    pub fn nrr_percent(&self) -> f64 {
        let base = self.base() as f64;
        (base + (self.expansion - self.contraction - self.churned) as f64) / base * 100.0
    }

    /// Gross revenue retention in percent: the same without expansion.
    pub fn grr_percent(&self) -> f64 {
        let base = self.base() as f64;
        (base - (self.contraction + self.churned) as f64) / base * 100.0
    }

    /// The first month's prices without those that became unknown.
    fn base(&self) -> i64 {
        self.start + self.unknown.min(0)
    }
}

fn yen(mrr: Mrr) -> i64 {
    match mrr {
        Mrr::Yen(yen) => yen,
        Mrr::Held | Mrr::Empty => 0,
    }
}
