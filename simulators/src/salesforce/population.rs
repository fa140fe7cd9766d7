//! The accounts that an org has before anyone touches it: computed from the seed and the row's number
//! whenever they are looked at, so that a million of them take no memory.

use crate::chance::mix;
use crate::number::Decimal;
use crate::salesforce::id;
use crate::salesforce::instant::DAY;
use crate::salesforce::value::Value;
use crate::words;
use crate::words::{BUILDINGS, FAMILY_NAMES, GIVEN_NAMES, LEGAL, NOTES, PLACES, STEMS, TRADES};

/// How many users every org has.
pub(crate) const USER_COUNT: u64 = 6;

/// Makes the value of a field of the row with that serial.
pub(crate) type Generator = fn(&Population, u64) -> Value;

/// The rows `1..=count` of an object, as they were before the org's first instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Population {
    pub(crate) seed: u64,
    pub(crate) count: u64,
    /// The org's first instant: all rows are older.
    pub(crate) at: i64,
    /// How many of a hundred rows are not in yen.
    pub(crate) foreign: u64,
}

/// The currencies of an org that has several; the first is its own.
pub(crate) const CURRENCIES: [&str; 3] = ["JPY", "USD", "EUR"];

impl Population {
    fn pick(&self, row: u64, what: u64, below: u64) -> u64 {
        mix(self.seed, row, what) % below.max(1)
    }

    fn word<T: Copy>(&self, row: u64, what: u64, words: &[T]) -> T {
        words[self.pick(row, what, words.len() as u64) as usize]
    }

    /// When the row was born: later rows later, over the four years before the org's first instant.
    pub(crate) fn created(&self, row: u64) -> i64 {
        let span = 4 * 365 * DAY;
        self.at - span + (span - DAY) * row as i64 / (self.count as i64 + 1)
    }

    /// When a person last changed it.
    pub(crate) fn modified(&self, row: u64) -> i64 {
        let created = self.created(row);
        created + self.pick(row, 1, (self.at - DAY / 2 - created) as u64) as i64
    }

    /// When anything last changed it; for most rows the same.
    pub(crate) fn stamp(&self, row: u64) -> i64 {
        let modified = self.modified(row);
        match self.pick(row, 2, 5) {
            0 => modified + self.pick(row, 3, (self.at - DAY / 2 - modified).max(1) as u64) as i64,
            _ => modified,
        }
    }

    fn plan(&self, row: u64) -> u64 {
        [0, 0, 0, 1, 1, 1, 1, 2, 2, 3][self.pick(row, 10, 10) as usize]
    }

    fn mrr(&self, row: u64) -> Option<i64> {
        let (base, steps) = match self.plan(row) {
            0 => (30_000, 50),
            1 => (100_000, 200),
            2 => (400_000, 1_600),
            _ => return None,
        };
        Some(base + self.pick(row, 11, steps) as i64 * 1_000)
    }

    fn start_day(&self, row: u64) -> i32 {
        (self.created(row) / DAY) as i32 + self.pick(row, 12, 60) as i32
    }
}

fn text(text: String) -> Value {
    Value::Text(text.into())
}

pub(super) fn name(p: &Population, row: u64) -> Value {
    let (legal, before) = p.word(row, 20, &LEGAL);
    let first = p.word(row, 21, &STEMS);
    let second = if p.pick(row, 22, 3) == 0 { p.word(row, 23, &STEMS) } else { "" };
    let (trade, _) = p.word(row, 24, &TRADES);
    text(if before { [legal, first, second, trade].concat() } else { [first, second, trade, legal].concat() })
}

pub(super) fn industry(p: &Population, row: u64) -> Value {
    Value::Word(p.word(row, 24, &TRADES).1)
}

pub(super) fn kind(p: &Population, row: u64) -> Value {
    Value::Word(match p.plan(row) {
        3 => "Prospect",
        _ if p.pick(row, 25, 6) == 0 => "Customer - Channel",
        _ => "Customer - Direct",
    })
}

pub(super) fn state(p: &Population, row: u64) -> Value {
    Value::Word(p.word(row, 30, &PLACES).0)
}

pub(super) fn city(p: &Population, row: u64) -> Value {
    Value::Word(p.word(row, 30, &PLACES).1)
}

pub(super) fn street(p: &Population, row: u64) -> Value {
    let town = p.word(row, 30, &PLACES).2;
    let building = p.word(row, 31, &BUILDINGS);
    let block = format!("{town}{}-{}-{}", 1 + p.pick(row, 32, 5), 1 + p.pick(row, 33, 20), 1 + p.pick(row, 34, 15));
    text(if building.is_empty() { block } else { format!("{block}\n{}{building}", p.word(row, 35, &STEMS)) })
}

pub(super) fn postal_code(p: &Population, row: u64) -> Value {
    text(format!("{}{:03}", p.word(row, 30, &PLACES).3, p.pick(row, 36, 90)))
}

pub(super) fn country(_: &Population, _: u64) -> Value {
    Value::Word("日本")
}

pub(super) fn phone(p: &Population, row: u64) -> Value {
    let area = p.word(row, 30, &PLACES).4;
    let middle = 10u64.pow(6 - area.len() as u32);
    let number = middle + p.pick(row, 37, 9 * middle);
    text(format!("{area}-{number}-{:04}", p.pick(row, 38, 10_000)))
}

pub(super) fn fax(p: &Population, row: u64) -> Value {
    if p.pick(row, 39, 3) > 0 { Value::Null } else { phone(p, row) }
}

pub(super) fn website(p: &Population, row: u64) -> Value {
    text(format!("https://www.{}.example.co.jp", slug(p, row)))
}

fn slug(p: &Population, row: u64) -> String {
    let mut number = mix(p.seed, row, 40) % 11_881_376 + 26;
    let mut letters = String::new();
    while number > 0 {
        letters.push((b'a' + (number % 26) as u8) as char);
        number /= 26;
    }
    format!("{letters}{row}")
}

pub(super) fn account_number(p: &Population, row: u64) -> Value {
    text(format!("A-{:08}", row + p.seed % 1_000))
}

pub(super) fn customer_code(_: &Population, row: u64) -> Value {
    text(format!("{row:08}"))
}

pub(super) fn annual_revenue(p: &Population, row: u64) -> Value {
    match p.pick(row, 41, 8) {
        0 => Value::Null,
        _ => Value::Num(Decimal::new(i128::from(20 + p.pick(row, 42, 5_000)) * 1_000_000, 0)),
    }
}

pub(super) fn employees(p: &Population, row: u64) -> Value {
    match p.pick(row, 43, 10) {
        0 => Value::Null,
        1 => Value::Int(1_000 + p.pick(row, 44, 20_000) as i64),
        _ => Value::Int(5 + p.pick(row, 44, 700) as i64),
    }
}

pub(super) fn description(p: &Population, row: u64) -> Value {
    match p.pick(row, 45, 4) {
        0 => text(format!(
            "{}。主な取引先部署は{}。",
            p.word(row, 24, &TRADES).1,
            p.word(row, 46, &["営業部", "情報システム部", "人事部", "経営企画室"])
        )),
        _ => Value::Null,
    }
}

pub(super) fn rating(p: &Population, row: u64) -> Value {
    [Value::Null, Value::Word("Hot"), Value::Word("Warm"), Value::Word("Cold")][p.pick(row, 47, 4) as usize].clone()
}

pub(super) fn source(p: &Population, row: u64) -> Value {
    [Value::Null, Value::Word("Web"), Value::Word("展示会"), Value::Word("紹介"), Value::Word("Phone Inquiry")]
        [p.pick(row, 48, 5) as usize]
        .clone()
}

pub(super) fn ownership(p: &Population, row: u64) -> Value {
    [Value::Null, Value::Word("Private"), Value::Word("Public")][p.pick(row, 49, 3) as usize].clone()
}

pub(super) fn owner(p: &Population, row: u64) -> Value {
    text(id::full("005", 2 + p.pick(row, 50, USER_COUNT - 1)))
}

pub(super) fn currency(p: &Population, row: u64) -> Value {
    let is_foreign = p.pick(row, 71, 100) < p.foreign;
    Value::Word(if is_foreign { p.word(row, 72, &CURRENCIES[1..]) } else { CURRENCIES[0] })
}

pub(super) fn clean_status(_: &Population, _: u64) -> Value {
    Value::Word("Pending")
}

pub(super) fn last_activity(p: &Population, row: u64) -> Value {
    match p.pick(row, 51, 3) {
        0 => Value::Null,
        _ => Value::Date((p.stamp(row) / DAY) as i32 - p.pick(row, 52, 40) as i32),
    }
}

/// The number of a company in the tax authority's register: a check digit, then twelve digits.
pub(super) fn corporate_number(p: &Population, row: u64) -> Value {
    if p.pick(row, 60, 20) == 0 {
        return Value::Null;
    }
    let body = 10_001_000_000 + (p.seed % 89) * 1_000_000_000 + row * 7;
    text(words::corporate_number(body))
}

pub(super) fn plan(p: &Population, row: u64) -> Value {
    match p.plan(row) {
        0 => Value::Word("スターター"),
        1 => Value::Word("スタンダード"),
        2 => Value::Word("エンタープライズ"),
        _ => Value::Null,
    }
}

pub(super) fn mrr(p: &Population, row: u64) -> Value {
    p.mrr(row).map_or(Value::Null, |mrr| Value::Num(Decimal::new(i128::from(mrr) * 100, 2)))
}

pub(super) fn stage(p: &Population, row: u64) -> Value {
    match p.plan(row) {
        3 => Value::Null,
        _ => Value::Word(p.word(row, 61, &["導入", "利用", "利用", "利用", "拡大"])),
    }
}

pub(super) fn health(p: &Population, row: u64) -> Value {
    match p.plan(row) {
        3 => Value::Null,
        _ => Value::Num(Decimal::new(i128::from(200 + p.pick(row, 62, 800)), 1)),
    }
}

pub(super) fn touch_model(p: &Population, row: u64) -> Value {
    match p.plan(row) {
        2 => Value::Word("ハイタッチ"),
        1 => Value::Word("ロータッチ"),
        _ => Value::Word("テックタッチ"),
    }
}

pub(super) fn contract_start(p: &Population, row: u64) -> Value {
    if p.plan(row) == 3 { Value::Null } else { Value::Date(p.start_day(row)) }
}

pub(super) fn renewal(p: &Population, row: u64) -> Value {
    if p.plan(row) == 3 {
        return Value::Null;
    }
    let start = p.start_day(row);
    let today = (p.at / DAY) as i32;
    let years = (today - start).max(0) / 365 + 1;
    Value::Date(start + years * 365)
}

pub(super) fn products(p: &Population, row: u64) -> Value {
    if p.plan(row) == 3 {
        return Value::Null;
    }
    Value::Word(p.word(row, 63, &["顧客管理", "顧客管理;分析", "顧客管理;分析;自動化", "分析", "顧客管理;自動化"]))
}

pub(super) fn seats(p: &Population, row: u64) -> Value {
    p.mrr(row).map_or(Value::Null, |mrr| Value::Num(Decimal::new(i128::from(mrr / 2_000 + 5), 0)))
}

pub(super) fn login_rate(p: &Population, row: u64) -> Value {
    if p.plan(row) == 3 { Value::Null } else { Value::Num(Decimal::new(i128::from(p.pick(row, 64, 1_000)), 1)) }
}

pub(super) fn nps(p: &Population, row: u64) -> Value {
    match p.pick(row, 65, 3) {
        0 => Value::Num(Decimal::new(i128::from(p.pick(row, 66, 11)), 0)),
        _ => Value::Null,
    }
}

pub(super) fn last_login(p: &Population, row: u64) -> Value {
    match p.plan(row) {
        3 => Value::Null,
        _ => Value::Instant(p.modified(row) - p.pick(row, 67, 30 * DAY as u64) as i64),
    }
}

pub(super) fn support_start(p: &Population, row: u64) -> Value {
    match p.pick(row, 68, 4) {
        0 => Value::Time((8 * 60 + 30) * 60_000),
        1 => Value::Time(9 * 3_600_000),
        _ => Value::Null,
    }
}

pub(super) fn note(p: &Population, row: u64) -> Value {
    match p.pick(row, 69, 3) {
        0 => Value::Word(p.word(row, 70, &NOTES)),
        _ => Value::Null,
    }
}

/// Family and given name of a made-up person.
pub(super) fn person(seed: u64, row: u64) -> (&'static str, &'static str) {
    let family = FAMILY_NAMES[(mix(seed, row, 80) % FAMILY_NAMES.len() as u64) as usize];
    let given = GIVEN_NAMES[(mix(seed, row, 81) % GIVEN_NAMES.len() as u64) as usize];
    (family, given)
}

/// The name that the org itself goes by.
pub(super) fn org_name(seed: u64) -> String {
    let stem = words::STEMS[(mix(seed, 0, 90) % words::STEMS.len() as u64) as usize];
    format!("株式会社{stem}クラウド")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_lies_before_the_first_instant_and_in_order() {
        let population = Population { seed: 7, count: 1_000, at: 1_760_000_000, foreign: 0 };
        for row in 1..=1_000 {
            let (created, modified, stamp) = (population.created(row), population.modified(row), population.stamp(row));
            assert!(created <= modified && modified <= stamp && stamp < population.at, "row {row}");
            assert!(row == 1 || population.created(row - 1) <= created);
        }
    }
}
