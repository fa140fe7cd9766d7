//! The page that people read of a comparison: at most 80 columns.

use chrono::{NaiveTime, SecondsFormat};
use chrono_tz::Tz;

use crate::cli::output::{self, Align, Look, draw, pad, thousands};
use crate::clock::Timestamp;
use crate::compare::{
    Bar, Comparison, CustomerChange, Decimal, Groups, Metric, Ratio, SideSummary, Status, Value, Waterfall,
};

/// The page's width where the terminal is wider or unknown.
const PAGE_WIDTH: usize = 80;
/// How many customers won or lost are named.
const NAMES_SHOWN: usize = 8;
/// How many columns such a name may take.
const NAME_WIDTH: usize = 30;

/// The page that people read.
pub(super) fn render(comparison: &Comparison, zone: Tz, look: Look) -> String {
    let width = look.width.map_or(PAGE_WIDTH, |width| width.clamp(40, PAGE_WIDTH));
    let page = Page { comparison, zone, look: Look { width: Some(width), ..look }, width };
    let sections = [
        page.sides(),
        page.customers(),
        page.money(),
        page.movers(),
        page.groups(),
        page.other_metrics(),
        page.unknown(),
        page.next(),
    ];
    sections.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

struct Page<'a> {
    comparison: &'a Comparison,
    zone: Tz,
    look: Look,
    width: usize,
}

impl Page<'_> {
    fn title(&self, text: &str) -> String {
        if self.look.color { format!("\u{1b}[1m{text}\u{1b}[0m\n") } else { format!("{text}\n") }
    }

    fn table(&self, columns: &[(&str, Align)], rows: &[Vec<String>]) -> String {
        let columns: Vec<_> = columns.iter().map(|(label, align)| ((*label).to_owned(), *align)).collect();
        draw(&columns, rows, self.look)
    }

    fn sides(&self) -> Option<String> {
        let Comparison { a, b, .. } = self.comparison;
        let mut text = self.title(&format!("{} → {}", a.label, b.label));
        for side in [a, b] {
            text.push_str(&self.side(side));
        }
        Some(text)
    }

    fn side(&self, side: &SideSummary) -> String {
        let known = match side.known_at {
            Some(known_at) => format!(", as known {}", through(known_at, self.zone)),
            None => String::new(),
        };
        let settled = if side.settled { "settled" } else { "PROVISIONAL: its figures may still change" };
        let mut text = format!("  {}  {}{known}: {settled}\n", side.label, through(side.instant, self.zone));
        for because in side.provisional_because.iter().chain(&side.uncertain) {
            text.push_str(&wrap(&format!("- {because}"), 4, self.width));
        }
        text
    }

    fn customers(&self) -> Option<String> {
        let counts = &self.comparison.counts;
        let mut line = format!(
            "Customers  {} → {}: {} won, {} lost, {} changed, {} unchanged",
            thousands(&counts.a.to_string()),
            thousands(&counts.b.to_string()),
            counts.won,
            counts.lost,
            counts.changed,
            counts.unchanged
        );
        if counts.unknown > 0 {
            line.push_str(&format!(", {} unknown", counts.unknown));
        }
        let mut text = self.title(&line);
        text.push_str(&self.names("won", Status::Won));
        text.push_str(&self.names("lost", Status::Lost));
        if let Some(rate) = self.comparison.churn_rate {
            text.push_str(&format!("  churn  {} of customers\n", rate.percent()));
        }
        Some(text)
    }

    /// The names of the customers with that fate, those with most money first.
    fn names(&self, label: &str, status: Status) -> String {
        let mut customers: Vec<(&CustomerChange, Option<Decimal>)> = self
            .comparison
            .customers
            .iter()
            .filter(|customer| customer.status == status)
            .map(|customer| (customer, self.amount(customer)))
            .collect();
        if customers.is_empty() {
            return String::new();
        }
        customers.sort_by_key(|(_, amount)| std::cmp::Reverse(*amount)); // stable: then by id
        let more = customers.len().saturating_sub(NAMES_SHOWN);
        let mut names: Vec<String> = customers
            .iter()
            .take(NAMES_SHOWN)
            .map(|(customer, amount)| {
                let name = customer.name.as_deref().unwrap_or(&customer.customer_id);
                let name = output::cut(name, NAME_WIDTH);
                amount.map_or_else(|| name.clone(), |amount| format!("{name} {}", grouped(amount)))
            })
            .collect();
        if more > 0 {
            names.push(format!("and {more} more"));
        }
        let label = pad(label, 7, Align::Left);
        // Lines are broken between customers, not inside a name or between a name and its amount.
        let unbroken: Vec<String> = names.iter().map(|name| name.replace(' ', "\u{a0}")).collect();
        let text = wrap(&unbroken.join(", "), 9, self.width).replace('\u{a0}', " ");
        format!("  {label}{}", text.trim_start())
    }

    fn amount(&self, customer: &CustomerChange) -> Option<Decimal> {
        let money = self.comparison.money.as_deref()?;
        let change = customer.changes.iter().find(|change| change.variable.as_ref() == money)?;
        match change.after.as_ref().or(change.before.as_ref()) {
            Some(Value::Decimal(amount)) => Some(*amount),
            _ => None,
        }
    }

    fn headline(&self) -> Option<(&Metric, &Waterfall)> {
        let money = self.comparison.money.as_deref()?;
        let metric = self.comparison.metrics.iter().find(|metric| metric.variable == money)?;
        Some((metric, metric.waterfall.as_ref()?))
    }

    fn money(&self) -> Option<String> {
        let (metric, waterfall) = self.headline()?;
        let unit = metric.currency.as_deref().map_or_else(String::new, |currency| format!(" ({currency})"));
        let mut text = self.title(&format!("{}{unit}", metric.variable));
        text.push_str(&chart(waterfall, self.width, self.look.color));
        let rate = |rate: Option<Ratio>| rate.map_or_else(|| "–".to_owned(), Ratio::percent);
        let rates = format!(
            "NRR {}, GRR {}, churn {}, of {} comparable on both sides",
            rate(waterfall.nrr),
            rate(waterfall.grr),
            rate(waterfall.churn_rate),
            grouped(waterfall.cohort_start)
        );
        text.push_str(&wrap(&rates, 2, self.width));
        Some(text)
    }

    fn movers(&self) -> Option<String> {
        let movers = &self.comparison.movers;
        if movers.is_empty() {
            return None;
        }
        let rows = movers.iter().map(|mover| {
            vec![
                mover.name.clone().unwrap_or_default(),
                mover.customer_id.clone(),
                grouped(mover.before),
                grouped(mover.after),
                signed(mover.delta),
                mover.movement.to_owned(),
            ]
        });
        let columns = [
            ("name", Align::Left),
            ("customer", Align::Left),
            (self.comparison.a.label.as_str(), Align::Right),
            (self.comparison.b.label.as_str(), Align::Right),
            ("change", Align::Right),
            ("", Align::Left),
        ];
        Some(self.title("Biggest movers") + &self.table(&columns, &rows.collect::<Vec<_>>()))
    }

    fn groups(&self) -> Option<String> {
        let Groups { variable, groups } = self.comparison.groups.as_ref()?;
        let rate = |rate: Option<Ratio>| rate.map_or_else(String::new, Ratio::percent);
        let rows = groups.iter().map(|group| {
            let value = match &group.value {
                Some(value) => value.to_string(),
                None if group.unknown => "(unknown)".to_owned(),
                None => "(empty)".to_owned(),
            };
            let money = group.waterfall.as_ref();
            vec![
                value,
                format!("{} → {}", group.counts.a, group.counts.b),
                format!("+{} −{}", group.counts.won, group.counts.lost),
                money.map_or_else(String::new, |money| grouped(money.start.amount)),
                money.map_or_else(String::new, |money| grouped(money.end.amount)),
                rate(money.and_then(|money| money.nrr)),
                rate(money.and_then(|money| money.grr)),
            ]
        });
        let columns = [
            (variable.as_str(), Align::Left),
            ("customers", Align::Right),
            ("won, lost", Align::Right),
            ("start", Align::Right),
            ("end", Align::Right),
            ("NRR", Align::Right),
            ("GRR", Align::Right),
        ];
        let title = self.title(&format!("By {variable} (where customers started)"));
        Some(title + &self.table(&columns, &rows.collect::<Vec<_>>()))
    }

    fn other_metrics(&self) -> Option<String> {
        let comparison = self.comparison;
        let headline = comparison.money.as_deref();
        let metrics = comparison.metrics.iter().filter(|metric| {
            Some(metric.variable.as_str()) != headline && (metric.a.value.is_some() || metric.b.value.is_some())
        });
        let rows: Vec<_> = metrics
            .map(|metric| {
                let shown = |value: &Option<Value>| match value {
                    Some(Value::Decimal(number)) => grouped(number.rounded(number.scale.min(2))),
                    Some(Value::Integer(number)) => thousands(&number.to_string()),
                    Some(value) => value.to_string(),
                    None => "–".to_owned(),
                };
                let unknown = metric.a.unknown + metric.b.unknown;
                vec![
                    metric.variable.clone(),
                    format!("{:?}", metric.aggregate).to_lowercase(),
                    shown(&metric.a.value),
                    shown(&metric.b.value),
                    metric.delta.map_or_else(String::new, |delta| signed(delta.rounded(delta.scale.min(2)))),
                    if unknown > 0 { format!("{} → {}", metric.a.unknown, metric.b.unknown) } else { String::new() },
                ]
            })
            .collect();
        if rows.is_empty() {
            return None;
        }
        let columns = [
            ("variable", Align::Left),
            ("", Align::Left),
            (comparison.a.label.as_str(), Align::Right),
            (comparison.b.label.as_str(), Align::Right),
            ("change", Align::Right),
            ("unknown", Align::Right),
        ];
        Some(self.title("Other variables") + &self.table(&columns, &rows))
    }

    fn unknown(&self) -> Option<String> {
        let reasons = &self.comparison.coverage.unknown;
        let money = self.headline().filter(|(_, waterfall)| !waterfall.unknown_reasons.is_empty());
        if reasons.is_empty() && money.is_none() {
            return None;
        }
        let list = |reasons: &[crate::compare::UnknownCount]| {
            let reasons = reasons.iter().map(|one| format!("{} {}", thousands(&one.customers.to_string()), one.reason));
            reasons.collect::<Vec<_>>().join(", ")
        };
        let mut text = self.title("Unknown (counted neither as won nor lost, nor as a movement of money)");
        if !reasons.is_empty() {
            text.push_str(&format!("  customers: {}\n", list(reasons)));
        }
        if let Some((metric, waterfall)) = money {
            text.push_str(&format!("  {}: {}\n", metric.variable, list(&waterfall.unknown_reasons)));
            let amount = |amount: Option<Decimal>| amount.map_or_else(|| "?".to_owned(), grouped);
            let rows = self.comparison.unknown_money.iter().map(|one| {
                vec![
                    one.name.clone().unwrap_or_default(),
                    one.customer_id.clone(),
                    amount(one.before),
                    amount(one.after),
                    one.reason.to_owned(),
                ]
            });
            let columns = [
                ("name", Align::Left),
                ("customer", Align::Left),
                (self.comparison.a.label.as_str(), Align::Right),
                (self.comparison.b.label.as_str(), Align::Right),
                ("reason", Align::Left),
            ];
            text.push_str(&self.table(&columns, &rows.collect::<Vec<_>>()));
        }
        Some(text)
    }

    /// The one step that would help most.
    fn next(&self) -> Option<String> {
        let Comparison { a, b, coverage, .. } = self.comparison;
        let money = self.headline().map(|(_, waterfall)| waterfall.unknown_reasons.as_slice()).unwrap_or_default();
        let held = coverage.unknown.iter().chain(money).any(|one| one.reason == "held");
        let (command, why) = if !a.settled || !b.settled {
            ("nenrin sync".to_owned(), "settles what is provisional")
        } else if held {
            ("nenrin held".to_owned(), "shows the values that did not convert, and why")
        } else {
            (format!("nenrin compare {} {} -o csv", a.label, b.label), "lists every value that differs")
        };
        Some(format!("next: {command}  {why}\n"))
    }
}

/// The waterfall as lines of label, amount, customers and a bar, the bars on one scale that includes zero.
fn chart(waterfall: &Waterfall, width: usize, color: bool) -> String {
    let bars: [(&str, &Bar, char, &str); 9] = [
        ("start", &waterfall.start, '█', ""),
        ("new", &waterfall.new, '+', "32"),
        ("expansion", &waterfall.expansion, '+', "32"),
        ("contraction", &waterfall.contraction, '-', "31"),
        ("churned", &waterfall.churned, '-', "31"),
        ("source changed", &waterfall.source_changed, '~', "33"),
        ("unknown before", &waterfall.unknown_before, '?', "33"),
        ("unknown after", &waterfall.unknown_after, '?', "33"),
        ("end", &waterfall.end, '█', ""),
    ];
    let mut total = 0_i128;
    let mut lines = Vec::new();
    for (label, bar, fill, paint) in bars {
        let amount = bar.amount.unscaled;
        let is_total = fill == '█';
        // The last three movements are rare; a line that says nothing is left out.
        let rare = matches!(fill, '~' | '?');
        if rare && bar.customers == 0 {
            continue;
        }
        let from = if is_total { 0 } else { total };
        total = if is_total { amount } else { total.saturating_add(amount) };
        let text = if is_total { grouped(bar.amount) } else { signed(bar.amount) };
        lines.push((label, text, thousands(&bar.customers.to_string()), from, total, fill, paint));
    }
    let low = lines.iter().map(|line| line.3.min(line.4)).min().unwrap_or(0).min(0);
    let high = lines.iter().map(|line| line.3.max(line.4)).max().unwrap_or(0).max(0);
    let amounts = lines.iter().map(|line| line.1.chars().count()).max().unwrap_or(0);
    let customers = lines.iter().map(|line| line.2.len()).max().unwrap_or(0);
    let room = width.saturating_sub(2 + 14 + 2 + amounts + 2 + customers + 2).max(8);
    let cell = i128::try_from(room).map_or(1, |room| (high.saturating_sub(low) / room).saturating_add(1));
    let place = |amount: i128| usize::try_from(amount.saturating_sub(low) / cell).unwrap_or(0).min(room - 1);
    let mut out = String::new();
    for (label, amount, count, from, to, fill, paint) in lines {
        let label = pad(label, 14, Align::Left);
        let amount = pad(&amount, amounts, Align::Right);
        let count = pad(&count, customers, Align::Right);
        let (left, right) = (place(from.min(to)), place(from.max(to)));
        let bar = if from == to { String::new() } else { String::from(fill).repeat(right - left + 1) };
        let bar = if color && !paint.is_empty() { format!("\u{1b}[{paint}m{bar}\u{1b}[0m") } else { bar };
        let line = format!("  {label}  {amount}  {count}  {}{bar}", " ".repeat(left));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// An instant as people say it: the last microsecond of a day is `through` that day.
fn through(instant: Timestamp, zone: Tz) -> String {
    let local = instant.to_datetime().with_timezone(&zone);
    let next = instant.plus_micros(1).to_datetime().with_timezone(&zone);
    if next.time() == NaiveTime::MIN {
        format!("through {} ({zone})", local.date_naive())
    } else {
        format!("at {}", local.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

fn grouped(amount: Decimal) -> String {
    thousands(&amount.to_string())
}

fn signed(amount: Decimal) -> String {
    if amount.unscaled > 0 { format!("+{}", grouped(amount)) } else { grouped(amount) }
}

/// `text` broken at blanks into lines of at most `width` columns, each indented by `indent`.
fn wrap(text: &str, indent: usize, width: usize) -> String {
    use unicode_width::UnicodeWidthStr;
    let mut out = String::new();
    let mut line = " ".repeat(indent);
    for word in text.split(' ') {
        if line.width() > indent && line.width() + 1 + word.width() > width {
            out.push_str(&line);
            out.push('\n');
            line = " ".repeat(indent);
        }
        if line.width() > indent {
            line.push(' ');
        }
        line.push_str(word);
    }
    out + &line + "\n"
}

#[cfg(test)]
pub(super) mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::compare::fixture::{row, state, story, stream, variables};
    use crate::compare::{CompareRequest, compare};

    /// The story of two years, compared.
    pub(in super::super) fn comparison(request: &CompareRequest) -> Comparison {
        let (a, mut b) = story();
        b.settled = false;
        b.provisional_because = vec!["sf/Account was read through 2026-10-30T00:00:00Z".into()];
        compare(&a, "2025-10", &b, "2026-10", &variables(), request).unwrap()
    }

    #[test]
    fn the_page_tells_who_came_and_went_and_how_the_money_moved() {
        let request = CompareRequest { group_by: Some("plan".into()), ..CompareRequest::default() };
        insta::assert_snapshot!(render(&comparison(&request), Tz::Asia__Tokyo, Look::default()), @r"
        2025-10 → 2026-10
          2025-10  through 2025-10-31 (Asia/Tokyo): settled
          2026-10  through 2026-10-31 (Asia/Tokyo): PROVISIONAL: its figures may still change
            - sf/Account was read through 2026-10-30T00:00:00Z

        Customers  7 → 8: 1 won, 1 lost, 4 changed, 2 unchanged, 1 unknown
          won    新星サービス 40,000
          lost   Kanda Labs 20,000
          churn  14.3 % of customers

        mrr (JPY)
          start           305,000  7  ███████████████████████████████████████████
          new             +40,000  1                                            ++++++
          expansion       +15,000  1                                                 +++
          contraction      -5,000  1                                                   -
          churned         -25,000  2                                               -----
          source changed   +6,000  1                                               ~~
          unknown before  +12,000  1                                                ???
          unknown after   -40,000  1                                            ???????
          end             308,000  6  ███████████████████████████████████████████
          NRR 92.7 %, GRR 85.4 %, churn 12.2 %, of 205,000 comparable on both sides

        Biggest movers
        name          customer  2025-10  2026-10   change
        ────────────  ────────  ───────  ───────  ───────  ───────────
        新星サービス  c07             0   40,000  +40,000  new
        Kanda Labs    c04        20,000        0  -20,000  churned
        みどり食品    c02        50,000   65,000  +15,000  expansion
        北斗電機      c03        30,000   25,000   -5,000  contraction
        無料株式会社  c10         5,000        0   -5,000  churned

        By plan (where customers started)
        plan       customers  won, lost    start      end      NRR      GRR
        ─────────  ─────────  ─────────  ───────  ───────  ───────  ───────
        light          4 → 3      +0 −1  105,000   90,000   85.7 %   71.4 %
        standard       2 → 3      +1 −0  140,000  140,000  100.0 %  100.0 %
        premium        1 → 1      +0 −0   60,000   66,000
        (unknown)      0 → 1      +0 −0        0   12,000

        Other variables
        variable       2025-10  2026-10  change  unknown
        ────────  ───  ───────  ───────  ──────  ───────
        seats     sum       61       72     +11    1 → 0
        health    avg    52.00    61.67   +9.67    2 → 1

        Unknown (counted neither as won nor lost, nor as a movement of money)
          customers: 1 not_read
          mrr: 1 held, 1 not_read
        name        customer  2025-10  2026-10  reason
        ──────────  ────────  ───────  ───────  ────────
        さくら物流  c05        40,000        ?  held
        八重洲商事  c08             ?   12,000  not_read

        next: nenrin sync  settles what is provisional
        ");
    }

    #[test]
    fn a_period_beside_itself_makes_a_short_page() {
        let (a, _) = story();
        let comparison = compare(&a, "2025-10", &a, "2025-10", &variables(), &CompareRequest::default()).unwrap();
        insta::assert_snapshot!(render(&comparison, Tz::Asia__Tokyo, Look::default()), @r"
        2025-10 → 2025-10
          2025-10  through 2025-10-31 (Asia/Tokyo): settled
          2025-10  through 2025-10-31 (Asia/Tokyo): settled

        Customers  7 → 7: 0 won, 0 lost, 0 changed, 7 unchanged, 1 unknown
          churn  0.0 % of customers

        mrr (JPY)
          start           305,000  7  ██████████████████████████████████████████████████
          new                   0  0
          expansion             0  0
          contraction           0  0
          churned               0  0
          end             305,000  7  ██████████████████████████████████████████████████
          NRR 100.0 %, GRR 100.0 %, churn 0.0 %, of 305,000 comparable on both sides

        Other variables
        variable       2025-10  2025-10  change  unknown
        ────────  ───  ───────  ───────  ──────  ───────
        seats     sum       61       61       0    1 → 1
        health    avg    52.00    52.00    0.00    2 → 2

        Unknown (counted neither as won nor lost, nor as a movement of money)
          customers: 1 not_read
          mrr: 1 not_read
        name  customer  2025-10  2025-10  reason
        ────  ────────  ───────  ───────  ────────
              c08             ?        ?  not_read

        next: nenrin compare 2025-10 2025-10 -o csv  lists every value that differs
        ");
    }

    #[test]
    fn the_page_fits_the_terminal_however_long_the_names() {
        let name = "とても長い名前の株式会社".repeat(9);
        let streams = || vec![stream("sf/Account", true)];
        let a = state("2025-10-31T14:59:59Z", vec![row("c1", &[&name, "1000000000000"])], streams());
        let rows = (0..30).map(|n| row(&format!("customer-{n}"), &[&name, &format!("{}", n * 1_000_000)]));
        let b = state("2026-10-31T14:59:59Z", rows.collect(), streams());
        let comparison = compare(&a, "2025-10", &b, "2026-10", &variables(), &CompareRequest::default()).unwrap();
        for width in [80, 81, 200] {
            for line in render(&comparison, Tz::Asia__Tokyo, Look { color: false, width: Some(width) }).lines() {
                assert!(line.width() <= width.min(PAGE_WIDTH), "{line}");
            }
        }
    }

    #[test]
    fn the_end_of_a_day_is_said_as_that_day_in_the_time_zone_of_the_project() {
        let instant = |text: &str| text.parse::<Timestamp>().unwrap();
        let end = instant("2025-10-31T23:59:59.999999+09:00");
        assert_eq!(through(end, Tz::Asia__Tokyo), "through 2025-10-31 (Asia/Tokyo)");
        assert_eq!(through(end, Tz::UTC), "at 2025-10-31T14:59:59.999999Z");
        assert_eq!(through(instant("2025-10-31T12:00:00Z"), Tz::Asia__Tokyo), "at 2025-10-31T21:00:00+09:00");
    }

    #[test]
    fn colour_is_used_only_when_allowed() {
        let comparison = comparison(&CompareRequest::default());
        assert!(!render(&comparison, Tz::Asia__Tokyo, Look::default()).contains('\u{1b}'));
        assert!(render(&comparison, Tz::Asia__Tokyo, Look { color: true, width: None }).contains("\u{1b}[32m"));
    }
}
