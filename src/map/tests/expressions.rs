//! What expressions mean.

use super::value;
use crate::map::function;

const ROW: &[(&str, &str)] = &[
    ("Name", "  ＡＣＭＥ 株式会社 "),
    ("MRR__c", "1,200"),
    ("Seats__c", "7"),
    ("StartDate__c", "2024-02-29"),
    ("Website", "https://acme.jp/x"),
];

fn check(cases: &[(&str, &str, &str)]) {
    for (variable, expr, expected) in cases {
        assert_eq!(value(variable, expr, ROW), *expected, "{expr}");
    }
}

#[test]
fn numbers_are_exact() {
    check(&[
        ("score", "decimal(MRR__c) * 1.1", "1320"),
        ("score", "decimal(Seats__c) / 3", "2.3333333333"),
        ("score", "integer(Seats__c) / 2", "3.5"),
        ("score", "decimal(Seats__c) / 0", "null"),
        ("score", "0.1 + 0.2", "0.3"),
        ("score", "-decimal(Seats__c) % 4", "-3"),
        ("seats", "integer(Seats__c) * 2 - 1", "13"),
        ("seats", "length(Website)", "17"),
        ("score", "round(decimal(Seats__c) / 3, 2)", "2.33"),
        ("score", "abs(-decimal(Seats__c))", "7"),
        ("score", "ceil(decimal(Seats__c) / 2)", "4"),
        ("score", "floor(decimal(Seats__c) / 2)", "3"),
        ("score", "greatest(decimal(Seats__c), 9)", "9"),
        ("mrr", "round(decimal(MRR__c) * 0.333)", "400"),
        ("score", "cast(MRR__c as decimal) + 1", "1201"),
        ("score", "MRR__c::decimal + 1", "1201"),
        ("score", "try_cast(Name as decimal)", "null"),
        ("score", "CASE WHEN Seats__c = '7' THEN 1 ELSE 2.5 END", "1"),
        ("score", "coalesce(NULL, 2)", "2"),
        ("score", "NULL", "null"),
        ("mrr", "decimal(Seats__c) / 3", "held: too_many_decimals"),
    ]);
}

#[test]
fn texts_are_cut_joined_and_matched() {
    check(&[
        ("domain", "split_part(Website, '/', 3)", "acme.jp"),
        ("name", "normalize(Name)", "ACME 株式会社"),
        ("name", "UPPER(trim(Website)) || '!'", "HTTPS://ACME.JP/X!"),
        ("name", "substring(Website from 9 for 4)", "acme"),
        ("name", "substr(Website, 9, 4)", "acme"),
        ("name", "left(Website, 5)", "https"),
        ("name", "replace(Website, 'acme', 'x')", "https://x.jp/x"),
        ("name", "regexp_replace(Website, '^https?://', '')", "acme.jp/x"),
        ("name", "concat(Seats__c, '席')", "7席"),
        ("name", "text(integer(Seats__c) + 1) || '席'", "8席"),
        ("active", "Website like 'https%'", "true"),
        ("active", "Website ILIKE '%ACME%'", "true"),
        ("active", "Website not like '%acme%'", "false"),
        ("active", "Website ~ 'acme\\.jp'", "true"),
        ("active", "Seats__c in ('7', '8')", "true"),
        ("active", "decimal(Seats__c) not in (7, 8.5)", "false"),
        ("active", "decimal(Seats__c) between 1 and 7", "true"),
        ("active", "email is null", "true"),
        ("active", "email is not distinct from null", "true"),
        ("active", "position('acme' in Website) = 9", "true"),
        ("active", "starts_with(Website, 'https')", "true"),
        ("active", "not (1 = 2) and true", "true"),
        ("seats", "strpos(Website, 'acme')", "9"),
        ("name", "CASE Seats__c WHEN '7' THEN 'seven' END", "seven"),
        ("name", "nullif(Seats__c, '7')", "null"),
        ("name", "lpad(Seats__c, 3, '0')", "007"),
    ]);
}

#[test]
fn a3_the_clock_shows_the_instant_that_is_asked_about() {
    check(&[
        ("start_date", "as_of()", "2025-10-31"),
        ("start_date", "current_date", "2025-10-31"),
        ("seen_at", "now()", "2025-10-31T14:59:59.999999Z"),
        ("start_date", "date(now())", "2025-10-31"),
        ("seats", "as_of() - date(StartDate__c)", "610"),
        ("active", "date(StartDate__c) < current_date", "true"),
    ]);
}

#[test]
fn dates_are_days_of_the_calendar() {
    check(&[
        ("start_date", "date(StartDate__c) + 1", "2024-03-01"),
        ("start_date", "date(StartDate__c) - integer(Seats__c)", "2024-02-22"),
        ("start_date", "date(StartDate__c) + interval '1 year'", "2025-02-28"),
        ("start_date", "date(StartDate__c) - interval '3' month", "2023-11-29"),
        ("start_date", "date_trunc('quarter', date(StartDate__c))", "2024-01-01"),
        ("start_date", "date '9999-12-31'", "9999-12-31"),
        ("start_date", "date_trunc('year', date('9999-12-31'))", "9999-01-01"),
        ("seats", "extract(year from date(StartDate__c))", "2024"),
        ("seats", "date_part('doy', date(StartDate__c))", "60"),
        ("name", "to_char(date(StartDate__c), '%Y-%m')", "2024-02"),
        ("start_date", "make_date(2025, 10, 1)", "2025-10-01"),
        ("active", "date(StartDate__c) = date '2024-02-29'", "true"),
        ("start_date", "date(datetime('2024-02-28T16:00:00Z'))", "2024-02-29"),
        ("start_date", "date(StartDate__c) + integer(Seats__c) * 1000000000", "held: not_computable"),
    ]);
}

#[test]
fn the_example_of_every_function_that_we_add_is_true() {
    for doc in function::documentation() {
        assert_eq!(value("name", &format!("text({})", doc.example), &[]), doc.gives, "{}", doc.example);
    }
}

#[test]
fn the_page_of_functions_is_made_of_their_examples() {
    let stored = include_str!("../../../docs/guides/functions.md");
    let mend = "run `cargo run -- schema functions --dir docs/guides`";
    assert!(stored == function::page(), "docs/guides/functions.md is not what the functions say: {mend}");
}
