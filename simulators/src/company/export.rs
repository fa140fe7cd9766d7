//! The core system's month-end exports: all customers under contract on the last day, as CSV in CP932.

use std::borrow::Cow;

use encoding_rs::SHIFT_JIS;

use super::calendar::{Month, first_day, last_day};
use super::corporate_number::mistype;
use super::customer::Customer;
use super::incidents::{CORRECTED, Incidents};
use super::names::CSMS;
use super::usage::{Figures, figures};

/// The field names, as the core system's makers chose them.
const HEADER: [&str; 15] = [
    "顧客コード",
    "顧客名",
    "法人番号",
    "都道府県",
    "プラン",
    "契約開始日",
    "契約終了日",
    "月額(税抜)",
    "契約ユーザー数",
    "アクティブユーザー数",
    "ログイン数",
    "問い合わせ件数",
    "NPS",
    "担当CSM",
    "更新日",
];

/// A file that the core system has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// `customers_202510.csv`
    pub file_name: String,
    /// CSV in CP932 with CRLF line ends and a header line.
    pub bytes: Vec<u8>,
}

/// Which edition of a month's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edition {
    /// As written on the month's last day, with October's errors.
    First,
    /// As it should have been.
    Corrected,
}

/// What the core system states about one customer in one month, before it is written in anybody's habit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Statement {
    /// Yen a month; `None`: `未定`.
    pub(super) mrr: Option<i64>,
    pub(super) figures: Figures,
}

/// The statement about a customer that the core system knows and that is under contract at the month's end.
pub(super) fn state(
    seed: u64,
    customer: &Customer,
    incidents: &Incidents,
    month: Month,
    edition: Edition,
) -> Option<Statement> {
    let day = last_day(month);
    customer.code.as_ref()?;
    if !customer.is_active(day) {
        return None;
    }
    let mut figures = figures(seed, customer, month);
    let (unpriced, since) = incidents.unpriced;
    let mut mrr = Some(customer.price_at(day).mrr).filter(|_| unpriced != customer.index || month < since);
    if month == CORRECTED && edition == Edition::First {
        for error in incidents.october_errors.iter().filter(|error| error.customer == customer.index) {
            mrr = error.wrong_mrr.or(mrr);
            figures.active_users = error.wrong_active_users.unwrap_or(figures.active_users);
        }
    }
    Some(Statement { mrr, figures })
}

/// Writes a month's file.
pub(super) fn write(
    seed: u64,
    customers: &[Customer],
    incidents: &Incidents,
    month: Month,
    edition: Edition,
) -> Export {
    let mut text = line(HEADER.map(Cow::from));
    for customer in customers {
        if let Some(statement) = state(seed, customer, incidents, month, edition) {
            text.push_str(&line(cells(customer, incidents, month, statement).map(Cow::from)));
        }
    }
    let (bytes, _, _) = SHIFT_JIS.encode(&text);
    Export { file_name: format!("customers_{}{:02}.csv", month.0, month.1), bytes: bytes.into_owned() }
}

/// One customer's cells, in the habit of whoever entered it.
fn cells(customer: &Customer, incidents: &Incidents, month: Month, statement: Statement) -> [String; 15] {
    let day = last_day(month);
    let (index, habits, price) = (customer.index, customer.habits, customer.price_at(day));
    let term = customer.term_at(day);
    let dated = |day: Option<chrono::NaiveDate>| day.map(|day| habits.dates.write(day)).unwrap_or_default();
    let begins = match incidents.impossible_date == index {
        true => "2025/13/1".to_owned(),
        false => dated(term.map(|term| term.from)),
    };
    let number = match customer.corporate_number.as_str() {
        _ if incidents.unnumbered.contains(&index) => String::new(),
        number if incidents.mistyped_in_core.contains(&index) => mistype(number),
        number => number.to_owned(),
    };
    let (vague, since) = incidents.vague_users;
    let users = match vague == index && month >= since {
        true => format!("約{}", statement.figures.contracted_users / 10 * 10),
        false => count(statement.figures.contracted_users, habits.wide_digits),
    };
    let touched = term.map(|term| term.from.max(price.from));
    [
        customer.code.clone().unwrap_or_default(),
        customer.name_at(first_day(month), habits.core_name),
        number,
        customer.prefecture.to_owned(),
        price.plan.name().to_owned(),
        begins,
        dated(term.map(|term| term.to)),
        statement.mrr.map_or_else(|| "未定".to_owned(), |yen| money(yen, habits.yen_sign)),
        users,
        count(statement.figures.active_users, habits.wide_digits),
        count(statement.figures.logins, false),
        count(statement.figures.inquiries, false),
        statement.figures.nps.map(signed).unwrap_or_default(),
        CSMS[customer.csm].to_owned(),
        touched.map(|day| day.format("%Y/%m/%d").to_string()).unwrap_or_default(),
    ]
}

/// `1,200,000`, or `￥1,200,000`. The sign is the full-width one: CP932 has no other that survives, its
/// byte 0x5C is a backslash to every decoder.
fn money(yen: i64, with_sign: bool) -> String {
    let digits = yen.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if with_sign { format!("￥{text}") } else { text }
}

/// `50`, or `５０`.
fn count(number: i64, wide: bool) -> String {
    let text = number.to_string();
    if !wide {
        return text;
    }
    text.chars().map(|digit| char::from_u32('０' as u32 + digit as u32 - '0' as u32).unwrap_or(digit)).collect()
}

/// `25`, or `▲25` below zero.
fn signed(number: i64) -> String {
    if number < 0 { format!("▲{}", -number) } else { number.to_string() }
}

/// A CSV line; cells with a comma or quote are quoted.
fn line(cells: [Cow<'_, str>; 15]) -> String {
    let quoted = cells.map(|cell| match cell.contains([',', '"', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.into_owned(),
    });
    quoted.join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_people_write_them() {
        assert_eq!([money(1_200_000, false), money(30_000, true), money(999, false)], ["1,200,000", "￥30,000", "999"]);
        assert_eq!([count(50, false), count(50, true)], ["50", "５０"]);
        assert_eq!([signed(25), signed(-25), signed(0)], ["25", "▲25", "0"]);
    }
}
