//! Fiscal years and their parts as texts name them: 2025年度, FY2025, 令和7年度上期, FY2025-Q3.

use chrono::NaiveDate;

use super::date::digits;
use super::{Reason, TypeOptions, era};
use crate::schema::FiscalPart;
use crate::schema::read_as::FiscalDay;

/// Which edge of the span the text itself names: 期首 and 期末.
type Edge = Option<FiscalDay>;

/// The day that a fiscal text means; `None` when `text` (in narrow forms, trimmed) is none.
///
/// # Errors
///
/// `fiscal_year` where it is not declared which of its days is meant, and the text does not say so itself.
pub(super) fn day(text: &str, options: &TypeOptions) -> Option<Result<NaiveDate, Reason>> {
    let (year, rest) = year(text)?;
    let (part, edge) = part(rest)?;
    let year = match year {
        Ok(year) => year,
        Err(reason) => return Some(Err(reason)),
    };
    let no_such = || Reason::new("no_such_day", "there is no such fiscal year");
    Some(match (options.fiscal.days(year, part), edge.or(options.read_as.fiscal)) {
        (None, _) => Err(no_such()),
        (Some((first, _)), Some(FiscalDay::First)) => Ok(first),
        (Some((_, last)), Some(FiscalDay::Last)) => Ok(last),
        (Some(_), None) => Err(Reason::new(
            "fiscal_year",
            "a fiscal year or a part of it, not a day; say which of its days is meant: `read_as: { fiscal: first }` or `last`",
        )),
    })
}

/// `2025年度`, `令和7年度`, `R7年度`, `FY2025`, and what follows.
fn year(text: &str) -> Option<(Result<i32, Reason>, &str)> {
    if let Some(rest) = text.strip_prefix("FY").or_else(|| text.strip_prefix("fy")) {
        let (year, rest) = digits(rest);
        return four_digits(year).map(|year| (Ok(year), rest));
    }
    if let Some((era, rest)) = era::leading(text) {
        let rest = rest.trim_start();
        let (year, rest) = match rest.strip_prefix('元') {
            Some(rest) => ("1", rest),
            None => digits(rest),
        };
        let rest = rest.strip_prefix("年度")?;
        let year = year.parse().ok().filter(|_| year.len() <= 3)?;
        return Some((era.fiscal_year(year), rest));
    }
    let (year, rest) = digits(text);
    let rest = rest.strip_prefix("年度")?;
    four_digits(year).map(|year| (Ok(year), rest))
}

fn four_digits(text: &str) -> Option<i32> {
    if text.len() == 4 { text.parse().ok() } else { None }
}

/// What stands behind the year: nothing, a half, a quarter, 期首 or 期末.
fn part(text: &str) -> Option<(FiscalPart, Edge)> {
    let text = text.trim_start_matches([' ', '-', '_', '/']);
    let (text, edge) = if let Some(text) = strip_any_suffix(text, &["期首", "期初", "初日", "初"]) {
        (text, Some(FiscalDay::First))
    } else if let Some(text) = strip_any_suffix(text, &["期末", "末日", "末"]) {
        (text, Some(FiscalDay::Last))
    } else {
        (text, None)
    };
    let part = match text {
        "" => FiscalPart::Year,
        "上期" | "上半期" | "H1" | "h1" | "1H" | "1h" => FiscalPart::Half(1),
        "下期" | "下半期" | "H2" | "h2" | "2H" | "2h" => FiscalPart::Half(2),
        _ => {
            let number = text
                .strip_prefix('第')
                .unwrap_or(text)
                .strip_suffix("四半期")
                .or_else(|| text.strip_prefix(['Q', 'q']))
                .or_else(|| text.strip_suffix(['Q', 'q']))?;
            match number {
                "1" | "一" => FiscalPart::Quarter(1),
                "2" | "二" => FiscalPart::Quarter(2),
                "3" | "三" => FiscalPart::Quarter(3),
                "4" | "四" => FiscalPart::Quarter(4),
                _ => return None,
            }
        }
    };
    Some((part, edge))
}

fn strip_any_suffix<'a>(text: &'a str, suffixes: &[&str]) -> Option<&'a str> {
    suffixes.iter().find_map(|suffix| text.strip_suffix(suffix))
}
