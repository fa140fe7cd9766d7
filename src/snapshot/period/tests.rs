use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-10-15T12:00:00+09:00")
}

fn span(text: &str, calendar: &Calendar) -> (String, String, String) {
    let period = parse_period(text, calendar, now()).unwrap();
    let local = |instant: Timestamp| {
        instant.to_datetime().with_timezone(&calendar.timezone).format("%Y-%m-%dT%H:%M:%S%.f").to_string()
    };
    (period.label, local(period.start), local(period.end))
}

fn spans(calendar: &Calendar, expected: &[(&str, &str, &str, &str)]) {
    for (text, label, start, end) in expected {
        let midnight = |date: &str| if date.contains('T') { date.to_owned() } else { format!("{date}T00:00:00") };
        assert_eq!(span(text, calendar), ((*label).to_owned(), midnight(start), midnight(end)), "{text}");
    }
}

#[test]
fn a2_a_period_ends_with_its_last_microsecond() {
    let calendar = Calendar::default();
    assert_eq!(parse_as_of("2025-10", &calendar, now()).unwrap(), at("2025-10-31T23:59:59.999999+09:00"));
    assert_eq!(parse_as_of("2025-10-31", &calendar, now()).unwrap(), at("2025-10-31T23:59:59.999999+09:00"));
    assert_eq!(month_end(2025, 10, &calendar), at("2025-10-31T23:59:59.999999+09:00"));
    assert_eq!(month_end(2025, 13, &calendar), month_end(2026, 1, &calendar));
    assert_eq!(
        day_end(NaiveDate::from_ymd_opt(2025, 10, 5).unwrap(), &calendar),
        at("2025-10-05T23:59:59.999999+09:00")
    );
}

#[test]
fn a2_a_written_instant_is_taken_as_it_is() {
    let calendar = Calendar::default();
    assert_eq!(parse_as_of("2025-10-31T12:00:00Z", &calendar, now()).unwrap(), at("2025-10-31T12:00:00Z"));
    assert_eq!(parse_as_of("2025-10-31 21:00", &calendar, now()).unwrap(), at("2025-10-31T12:00:00Z"));
    assert_eq!(parse_as_of("latest", &calendar, now()).unwrap(), now());
}

#[test]
fn all_forms_of_periods_are_read() {
    spans(
        &Calendar::default(),
        &[
            ("2025-10", "2025-10", "2025-10-01", "2025-11-01"),
            ("2025-12", "2025-12", "2025-12-01", "2026-01-01"),
            ("2024-02-29", "2024-02-29", "2024-02-29", "2024-03-01"),
            ("2025", "2025", "2025-01-01", "2026-01-01"),
            ("2025-q3", "2025-Q3", "2025-07-01", "2025-10-01"),
            ("2025-H2", "2025-H2", "2025-07-01", "2026-01-01"),
            ("2025-W40", "2025-W40", "2025-09-29", "2025-10-06"),
            ("2026-W01", "2026-W01", "2025-12-29", "2026-01-05"),
            ("FY2025", "FY2025", "2025-04-01", "2026-04-01"),
            ("fy2025-h1", "FY2025-H1", "2025-04-01", "2025-10-01"),
            ("FY2025-Q4", "FY2025-Q4", "2026-01-01", "2026-04-01"),
            ("-6m", "2026-04", "2026-04-01", "2026-05-01"),
            ("-0m", "2026-10", "2026-10-01", "2026-11-01"),
            ("-10m", "2025-12", "2025-12-01", "2026-01-01"),
            ("-1y", "2025", "2025-01-01", "2026-01-01"),
            ("-1q", "2026-Q3", "2026-07-01", "2026-10-01"),
            ("-4q", "2025-Q4", "2025-10-01", "2026-01-01"),
            ("-1fy", "FY2025", "2025-04-01", "2026-04-01"),
            ("-1w", "2026-W41", "2026-10-05", "2026-10-12"),
            ("-15d", "2026-09-30", "2026-09-30", "2026-10-01"),
            (" Today ", "2026-10-15", "2026-10-15", "2026-10-16"),
            ("yesterday", "2026-10-14", "2026-10-14", "2026-10-15"),
        ],
    );
}

#[test]
fn a3_a_month_is_named_after_the_month_of_its_closing_day() {
    let calendar = Calendar { closing_day: 20, ..Calendar::default() };
    spans(
        &calendar,
        &[
            ("2025-10", "2025-10", "2025-09-21", "2025-10-21"),
            ("2026-01", "2026-01", "2025-12-21", "2026-01-21"),
            ("2025-Q1", "2025-Q1", "2024-12-21", "2025-03-21"),
            ("FY2025", "FY2025", "2025-03-21", "2026-03-21"),
            ("-0m", "2026-10", "2026-09-21", "2026-10-21"),
        ],
    );
    // From the 21st on the next month is the current one.
    let late = at("2026-10-21T00:00:00+09:00");
    assert_eq!(parse_period("-0m", &calendar, late).unwrap().label, "2026-11");
    assert_eq!(parse_period("-0m", &calendar, late.plus_micros(-1)).unwrap().label, "2026-10");
    // A closing day that a month does not have is its last.
    let calendar = Calendar { closing_day: 30, ..Calendar::default() };
    spans(
        &calendar,
        &[("2025-02", "2025-02", "2025-01-31", "2025-03-01"), ("2025-03", "2025-03", "2025-03-01", "2025-03-31")],
    );
}

#[test]
fn a3_a_fiscal_year_is_named_by_its_first_or_last_year() {
    let last =
        |month| Calendar { fiscal_start_month: month, fiscal_year_named_by: FirstOrLast::Last, ..Calendar::default() };
    spans(
        &last(4),
        &[("FY2025", "FY2025", "2024-04-01", "2025-04-01"), ("-0fy", "FY2027", "2026-04-01", "2027-04-01")],
    );
    spans(
        &last(1),
        &[("FY2025", "FY2025", "2025-01-01", "2026-01-01"), ("-0fy", "FY2026", "2026-01-01", "2027-01-01")],
    );
    spans(
        &last(12),
        &[("FY2025-Q1", "FY2025-Q1", "2024-12-01", "2025-03-01"), ("-1fy", "FY2025", "2024-12-01", "2025-12-01")],
    );
}

#[test]
fn what_is_no_period_is_explained_with_what_was_probably_meant() {
    for (text, meant) in [
        ("2025/10", "2025-10"),
        ("2025/10/1", "2025-10-01"),
        ("2025.10", "2025-10"),
        ("2025-1", "2025-01"),
        ("202510", "2025-10"),
        ("20251031", "2025-10-31"),
        ("2025年10月", "2025-10"),
        ("２０２５－１０", "2025-10"),
        ("令和7年10月", "2025-10"),
        ("R7.10.1", "2025-10-01"),
        ("2025-02-30", "2025-02-28"),
        ("2025Q3", "2025-Q3"),
        ("Q3 2025", "2025-Q3"),
        ("FY25", "FY2025"),
        ("FY2025H1", "FY2025-H1"),
        ("2025年度", "FY2025"),
        ("FY2025-10", "FY2025"),
        ("6m", "-6m"),
        ("-6 months", "-6m"),
        ("-6か月", "-6m"),
        ("lastest", "latest"),
        ("tody", "today"),
    ] {
        let error = parse_period(text, &Calendar::default(), now()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        let help = error.help_text().unwrap();
        assert!(help.starts_with(&format!("did you mean {meant}? accepted: ")), "{text}: {help}");
    }
    for text in [
        "",
        "-",
        "-m",
        "-99999m",
        "-3000y",
        "soon",
        "FY",
        "2025-Q5",
        "2025-H3",
        "2025-W54",
        "0000",
        "0000-01",
        "2025-10-31-1",
    ] {
        let error = parse_period(text, &Calendar::default(), now()).unwrap_err();
        assert!(error.help_text().unwrap().starts_with("accepted: 2025-10, "), "{text}: {error:?}");
    }
    let help = |text| parse_period(text, &Calendar::default(), now()).unwrap_err().render();
    assert!(help("2025-13").contains("next: months go from 01 to 12; accepted: "), "{}", help("2025-13"));
    assert!(help("2025-10-01T25:00").contains("hours go from 0 to 23"), "{}", help("2025-10-01T25:00"));
}

#[test]
fn days_whose_midnight_is_skipped_or_repeated_begin_once() {
    let start =
        |date: (i32, u32, u32), zone| day::start(NaiveDate::from_ymd_opt(date.0, date.1, date.2).unwrap(), zone);
    // São Paulo skipped 00:00 to 01:00; Havana repeated it; Apia skipped the whole 30 December 2011.
    assert_eq!(start((2018, 11, 4), chrono_tz::America::Sao_Paulo), at("2018-11-04T01:00:00-02:00"));
    assert_eq!(start((2024, 11, 3), chrono_tz::America::Havana), at("2024-11-03T00:00:00-04:00"));
    assert_eq!(start((2011, 12, 30), chrono_tz::Pacific::Apia), at("2011-12-31T00:00:00+14:00"));
    assert_eq!(start((2011, 12, 31), chrono_tz::Pacific::Apia), at("2011-12-31T00:00:00+14:00"));
}

#[test]
fn closed_months_are_those_that_end_after_the_first_and_up_to_the_second_instant() {
    let calendar = Calendar::default();
    let labels = |a: &str, b: &str| {
        month_ends_between(at(a), at(b), &calendar).into_iter().map(|period| period.label).collect::<Vec<_>>()
    };
    assert_eq!(labels("2025-10-15T00:00:00+09:00", "2026-01-31T23:59:59+09:00"), ["2025-10", "2025-11", "2025-12"]);
    assert_eq!(labels("2025-11-01T00:00:00+09:00", "2025-12-01T00:00:00+09:00"), ["2025-11"]);
    assert!(labels("2025-11-01T00:00:00+09:00", "2025-11-30T23:59:59+09:00").is_empty());
    assert!(labels("2026-11-01T00:00:00+09:00", "2025-11-30T23:59:59+09:00").is_empty());
    assert_eq!(month_ends_between(Timestamp::MIN, Timestamp::MAX, &calendar).len(), 9999 * 12);
}

fn zones() -> impl Strategy<Value = Tz> {
    prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec())
}

fn calendars() -> impl Strategy<Value = Calendar> {
    (zones(), 1u32..=12, any::<bool>(), 1u32..=31).prop_map(|(timezone, fiscal_start_month, last, closing_day)| {
        Calendar {
            timezone,
            fiscal_start_month,
            fiscal_year_named_by: if last { FirstOrLast::Last } else { FirstOrLast::First },
            closing_day,
        }
    })
}

/// From 1800 to 2200.
fn instants() -> impl Strategy<Value = Timestamp> {
    (-5_364_662_400_000_000i64..7_258_118_400_000_000).prop_map(Timestamp::from_micros)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a3_months_tile_the_time_line_in_any_zone(calendar in calendars(), instant in instants()) {
        let period = month_containing(instant, &calendar);
        prop_assert!(period.start <= instant && instant < period.end);
        let next = month_containing(period.end, &calendar);
        prop_assert_eq!(next.start, period.end);
        prop_assert!(next.end > next.start);
        prop_assert_eq!(month_containing(period.start.plus_micros(-1), &calendar).end, period.start);
    }

    #[test]
    fn a_period_read_at_its_own_instant_is_itself(calendar in calendars(), instant in instants()) {
        for text in ["-0d", "-0w", "-0m", "-0q", "-0y", "-0fy", "latest", "today", "-7m", "-5q", "-2y"] {
            let period = parse_period(text, &calendar, instant).unwrap();
            prop_assert_eq!(&parse_period(&period.label, &calendar, instant).unwrap(), &period);
            if period.start < period.end && text.starts_with("-0") {
                prop_assert!(text == "-0d" || text == "-0w" || (period.start <= instant && instant < period.end), "{}", text);
                let own = parse_period(text, &calendar, period.at()).unwrap();
                prop_assert_eq!(&own, &period, "{}", text);
            }
        }
    }

    #[test]
    fn parts_of_a_year_tile_it(calendar in calendars(), year in 1900i32..2100) {
        let read = |text: String| parse_period(&text, &calendar, Timestamp::from_micros(0)).unwrap();
        for prefix in ["", "FY"] {
            let whole = read(format!("{prefix}{year}"));
            for parts in [vec!["H1", "H2"], vec!["Q1", "Q2", "Q3", "Q4"]] {
                let mut end = whole.start;
                for part in parts {
                    let part = read(format!("{prefix}{year}-{part}"));
                    prop_assert_eq!(part.start, end);
                    end = part.end;
                }
                prop_assert_eq!(end, whole.end);
            }
            prop_assert_eq!(read(format!("{prefix}{}", year + 1)).start, whole.end);
        }
    }

    #[test]
    fn every_closed_month_comes_once_however_often_one_asks(
        calendar in calendars(), start in instants(), steps in prop::collection::vec(0i64..200 * 86_400, 1..6)
    ) {
        let mut labels = Vec::new();
        let mut at = start;
        for step in steps {
            let next = at.plus_secs(step);
            labels.extend(month_ends_between(at, next, &calendar));
            at = next;
        }
        prop_assert_eq!(labels, month_ends_between(start, at, &calendar));
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), near in "[-0-9fyqhwmd/年月 :TZ.+]{0,12}") {
        for text in [text, near] {
            let _ = parse_period(&text, &Calendar::default(), now());
        }
    }
}

proptest! {
    #[test]
    fn the_fiscal_year_on_days_is_that_of_periods(
        year in 2u32..9990, start in 1u32..=12, closing in 1u32..=31, last in any::<bool>(), part in 0u32..7,
    ) {
        use crate::schema::FiscalPart;
        let named_by = if last { FirstOrLast::Last } else { FirstOrLast::First };
        let calendar = Calendar {
            fiscal_start_month: start, fiscal_year_named_by: named_by, closing_day: closing, ..Calendar::default()
        };
        let (word, part) = match part {
            0 => (String::new(), FiscalPart::Year),
            half @ 1..=2 => (format!("-H{half}"), FiscalPart::Half(half)),
            other => (format!("-Q{}", other - 2), FiscalPart::Quarter(other - 2)),
        };
        let period = parse_period(&format!("FY{year:04}{word}"), &calendar, now()).unwrap();
        let fiscal = calendar.fiscal_year();
        let year = i32::try_from(year).unwrap();
        let (first, end) = fiscal.days(year, part).unwrap();
        prop_assert_eq!(day_start(first, calendar.timezone), period.start);
        prop_assert_eq!(day_start(end.succ_opt().unwrap(), calendar.timezone), period.end);
        prop_assert_eq!(fiscal.year_and_month(first).0, year);
        prop_assert_eq!(fiscal.year_and_month(end).0, year);
    }
}
