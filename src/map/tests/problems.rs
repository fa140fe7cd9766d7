//! What people are told about a mapping, to the letter.

use insta::assert_snapshot;

use super::told;

#[test]
fn an_unknown_field_is_shown_under_its_word_with_what_was_meant() {
    assert_snapshot!(told("variables:\n  name: lower(emial)\n"), @r###"
mappings/salesforce/Account.yaml:5:15  M012  unknown field `emial` in stream `Account`
  name: lower(emial)
              ^^^^^  did you mean `email`?
"###);
}

#[test]
fn a_field_that_differs_only_by_case_is_suggested() {
    assert_snapshot!(told("variables:\n  name: name || website\n"), @r###"
mappings/salesforce/Account.yaml:5:9  M012  unknown field `name` in stream `Account`
  name: name || website
        ^^^^  did you mean `Name`?
mappings/salesforce/Account.yaml:5:17  M012  unknown field `website` in stream `Account`
  name: name || website
                ^^^^^^^  did you mean `Website`?
"###);
}

#[test]
fn the_label_of_a_field_suggests_the_field() {
    assert_snapshot!(told("variables:\n  start_date: 契約開始日\n"), @r###"
mappings/salesforce/Account.yaml:5:15  M012  unknown field `契約開始日` in stream `Account`
  start_date: 契約開始日
              ^^^^^^^^^^  did you mean `StartDate__c`?
"###);
}

#[test]
fn an_unknown_variable_is_shown_at_its_key() {
    assert_snapshot!(told("variables:\n  nmae: Name\n  login_rate: Seats__c\n"), @r###"
mappings/salesforce/Account.yaml:5:3  M010  unknown variable `nmae` of entity `customer`
  nmae: Name
  ^^^^  did you mean `name`?
mappings/salesforce/Account.yaml:6:3  M010  unknown variable `login_rate` of entity `customer`
  login_rate: Seats__c
  ^^^^^^^^^^  to add one, write schemas/variables/login_rate.yaml
"###);
}

#[test]
fn a_variable_that_says_itself_where_it_comes_from_is_not_mapped() {
    assert_snapshot!(told("variables:\n  size: Seats__c\n"), @r###"
mappings/salesforce/Account.yaml:5:3  M011  `size` has a `derive` in its own file, which says where its value comes from
  size: Seats__c
  ^^^^  add this stream to its `from`, or remove one of the two
"###);
}

#[test]
fn an_unknown_function_is_suggested() {
    assert_snapshot!(told("variables:\n  name: lowre(Name)\n  mrr: decimals(MRR__c)\n"), @r###"
mappings/salesforce/Account.yaml:5:9  M020  unknown function `lowre`
  name: lowre(Name)
        ^^^^^  did you mean `lower`?
mappings/salesforce/Account.yaml:6:8  M020  unknown function `decimals`
  mrr: decimals(MRR__c)
       ^^^^^^^^  did you mean `decimal`?
"###);
}

#[test]
fn text_does_not_become_a_number_unasked() {
    assert_snapshot!(told(concat!(
        "variables:\n",
        "  mrr: MRR__c + 1\n",
        "  score: round(Seats__c, 1)\n",
        "  name: decimal(MRR__c) || ' yen'\n",
        "  domain: CASE WHEN MRR__c > 4 THEN 'a' ELSE 'b' END\n",
        "  active: decimal(MRR__c) = '4'\n",
        "  start_date: StartDate__c + 1\n",
        "where: Seats__c in (1, 2)\n",
    )), @r###"
mappings/salesforce/Account.yaml:5:8  M030  `+` needs numbers; `MRR__c` is text
  mrr: MRR__c + 1
       ^^^^^^  write `decimal(MRR__c)`, or `date(MRR__c)` to count days
mappings/salesforce/Account.yaml:6:16  M030  `round` needs a decimal here; `Seats__c` is text
  score: round(Seats__c, 1)
               ^^^^^^^^  write `decimal(Seats__c)`
mappings/salesforce/Account.yaml:7:9  M030  `||` needs text; `decimal(MRR__c)` is a decimal
  name: decimal(MRR__c) || ' yen'
        ^^^^^^^^^^^^^^  write `text(decimal(MRR__c))`
mappings/salesforce/Account.yaml:8:21  M030  `>` compares `MRR__c`, text, with `4`, an integer
  domain: CASE WHEN MRR__c > 4 THEN 'a' ELSE 'b' END
                    ^^^^^^  write `decimal(MRR__c)`
mappings/salesforce/Account.yaml:9:29  M030  `=` compares `decimal(MRR__c)`, a decimal, with `'4'`, text
  active: decimal(MRR__c) = '4'
                            ^^^  write `4` without quotes
mappings/salesforce/Account.yaml:10:15  M030  `+` needs numbers; `StartDate__c` is text
  start_date: StartDate__c + 1
              ^^^^^^^^^^^^  write `decimal(StartDate__c)`, or `date(StartDate__c)` to count days
mappings/salesforce/Account.yaml:11:8  M030  `IN` compares `Seats__c`, text, with `1`, an integer
  where: Seats__c in (1, 2)
         ^^^^^^^^  write `decimal(Seats__c)`
"###);
}

#[test]
fn a_condition_must_be_true_or_false() {
    assert_snapshot!(told("variables:\n  name: Name\nwhere: IsPersonAccount\n"), @r###"
mappings/salesforce/Account.yaml:6:8  M032  `where` needs a condition; this is text
  where: IsPersonAccount
         ^^^^^^^^^^^^^^^  write `boolean(IsPersonAccount)`, or compare it: `IsPersonAccount = '…'`
"###);
    assert_snapshot!(told("variables:\n  name: Name\nwhere: NOT IsPersonAccount\n"), @r###"
mappings/salesforce/Account.yaml:6:12  M032  `NOT` needs a condition; `IsPersonAccount` is text
  where: NOT IsPersonAccount
             ^^^^^^^^^^^^^^^  write `boolean(IsPersonAccount)`, or compare it: `IsPersonAccount = '…'`
"###);
}

#[test]
fn aggregates_windows_and_queries_are_refused() {
    assert_snapshot!(told(concat!(
        "variables:\n",
        "  mrr: sum(MRR__c)\n",
        "  score: max(decimal(MRR__c))\n",
        "  seats: row_number() over (order by Name)\n",
        "  name: (select Name from Account)\n",
        "  active: exists (select 1)\n",
    )), @r###"
mappings/salesforce/Account.yaml:5:8  M021  `sum` adds up several records; an expression sees one
  mrr: sum(MRR__c)
       ^^^  to add fields write `decimal(a) + decimal(b)`
mappings/salesforce/Account.yaml:6:10  M021  `max` adds up several records; an expression sees one
  score: max(decimal(MRR__c))
         ^^^  for the greatest of several fields write `greatest(a, b)`
mappings/salesforce/Account.yaml:7:10  M022  `row_number` looks at several records; an expression sees one
  seats: row_number() over (order by Name)
         ^^^^^^^^^^
mappings/salesforce/Account.yaml:8:10  M023  an expression sees one record; it cannot query others
  name: (select Name from Account)
         ^^^^^^^^^^^^^^^^^^^^^^^^
mappings/salesforce/Account.yaml:9:19  M023  an expression sees one record; it cannot query others
  active: exists (select 1)
                  ^^^^^^^^
"###);
}

#[test]
fn b6_bookkeeping_and_ticking_fields_are_refused_with_advice() {
    assert_snapshot!(told("variables:\n  seen_at: LastModifiedDate\n  score: decimal(DaysLeft__c) / 30\n"), @r###"
mappings/salesforce/Account.yaml:5:12  M013  `LastModifiedDate` only tells that something changed; its own changes are not kept
  seen_at: LastModifiedDate
           ^^^^^^^^^^^^^^^^  map the field whose change you want to see; when a record changed is in the log itself
mappings/salesforce/Account.yaml:6:18  M014  `DaysLeft__c` depends on the day it is read, so the past cannot be asked for it
  score: decimal(DaysLeft__c) / 30
                 ^^^^^^^^^^^  map the fields it is computed from, and write a `derive` with `as_of()`
"###);
}

#[test]
fn an_enum_is_translated_only_to_its_values() {
    assert_snapshot!(told(concat!(
        "variables:\n",
        "  stage:\n",
        "    from: Stage__c\n",
        "    values: { 導入: onbording, 利用: adoption, 拡大: 拡大 }\n",
        "    on_error: { default: churned }\n",
    )), @r###"
mappings/salesforce/Account.yaml:7:19  M040  `onbording` is not a value of `stage`
  values: { 導入: onbording, 利用: adoption, 拡大: 拡大 }
                  ^^^^^^^^^  did you mean `onboarding`?
mappings/salesforce/Account.yaml:7:48  M040  `拡大` is not a value of `stage`
  values: { 導入: onbording, 利用: adoption, 拡大: 拡大 }
                                                   ^^^^  the values are `onboarding`, `adoption`, `expansion`
mappings/salesforce/Account.yaml:8:26  M041  the default of `on_error` does not convert: not one of the variable's values: onboarding, adoption, expansion
  on_error: { default: churned }
                       ^^^^^^^
"###);
}

#[test]
fn a_syntax_error_has_its_place() {
    assert_snapshot!(told("variables:\n  name: lower(Name\n"), @r###"
mappings/salesforce/Account.yaml:5:18  M001  expected ), found the end of the expression
  name: lower(Name
                 ^
"###);
    assert_snapshot!(told("variables:\n  name: lower(Name) Website\n"), @r###"
mappings/salesforce/Account.yaml:5:21  M001  `Website` is not expected here
  name: lower(Name) Website
                    ^^^^^^^
"###);
    assert_snapshot!(told("variables:\n  name: lower（Name）\n"), @r###"
mappings/salesforce/Account.yaml:5:14  M001  `（` is not expected here
  name: lower（Name）
             ^^  `（` is full-width: write `(`, or double quotes around the name of a field that contains it
"###);
    assert_snapshot!(told("variables:\n  name: 'Name || ''x'\n"), @r###"
mappings/salesforce/Account.yaml:5:18  M001  cannot be read as SQL: unterminated string literal
  name: 'Name || ''x'
                 ^
"###);
    assert_snapshot!(told("variables:\n  name: ''\n"), @r###"
mappings/salesforce/Account.yaml:5:9  M002  the expression is empty
  name: ''
        ^^  write the name of a field
"###);
}

#[test]
fn several_problems_are_told_at_once() {
    assert_snapshot!(told(concat!(
        "variables:\n",
        "  name: concat(Nmae, lowr(Website), MRR__d)\n",
        "  stagee: Stage__c\n",
        "  mrr:\n",
        "    from: decimal(MRR__c) * Rate__c + Seats__c\n",
        "    on_error: { default: viel }\n",
        "where: Seats__c > 4 AND Nonsense\n",
        "effective: { from: StartDate, to: decimal(Seats__c) }\n",
    )), @r###"
mappings/salesforce/Account.yaml:5:16  M012  unknown field `Nmae` in stream `Account`
  name: concat(Nmae, lowr(Website), MRR__d)
               ^^^^  did you mean `Name`?
mappings/salesforce/Account.yaml:5:22  M020  unknown function `lowr`
  name: concat(Nmae, lowr(Website), MRR__d)
                     ^^^^  did you mean `lower`?
mappings/salesforce/Account.yaml:5:37  M012  unknown field `MRR__d` in stream `Account`
  name: concat(Nmae, lowr(Website), MRR__d)
                                    ^^^^^^  did you mean `MRR__c`?
mappings/salesforce/Account.yaml:6:3  M010  unknown variable `stagee` of entity `customer`
  stagee: Stage__c
  ^^^^^^  did you mean `stage`?
mappings/salesforce/Account.yaml:8:29  M012  unknown field `Rate__c` in stream `Account`
  from: decimal(MRR__c) * Rate__c + Seats__c
                          ^^^^^^^
mappings/salesforce/Account.yaml:9:26  M041  the default of `on_error` does not convert: not a number; accepted: 1200, 1,200, -500, ▲500, (500), 12.5, 1.25E7
  on_error: { default: viel }
                       ^^^^
mappings/salesforce/Account.yaml:10:8  M030  `>` compares `Seats__c`, text, with `4`, an integer
  where: Seats__c > 4 AND Nonsense
         ^^^^^^^^  write `decimal(Seats__c)`
mappings/salesforce/Account.yaml:10:25  M012  unknown field `Nonsense` in stream `Account`
  where: Seats__c > 4 AND Nonsense
                          ^^^^^^^^
mappings/salesforce/Account.yaml:11:20  M012  unknown field `StartDate` in stream `Account`
  effective: { from: StartDate, to: decimal(Seats__c) }
                     ^^^^^^^^^  did you mean `StartDate__c`?
mappings/salesforce/Account.yaml:11:35  M031  the expression is a decimal, but `effective.to` is date
  effective: { from: StartDate, to: decimal(Seats__c) }
                                    ^^^^^^^^^^^^^^^^^
"###);
}

#[test]
fn a_name_that_needs_quotes_is_suggested_with_them() {
    assert_snapshot!(told(concat!(
        "variables:\n",
        "  mrr: 売上（円）\n",
        "  score: decimal(売上円)\n",
        "  name: lower(a.b)\n",
        "  domain: lower($id)\n",
    )), @r###"
mappings/salesforce/Account.yaml:5:8  M012  unknown field `売上（円）` in stream `Account`
  mrr: 売上（円）
       ^^^^^^^^^^  did you mean `売上(円)`?
mappings/salesforce/Account.yaml:6:18  M012  unknown field `売上円` in stream `Account`
  score: decimal(売上円)
                 ^^^^^^  did you mean `売上`?
mappings/salesforce/Account.yaml:7:15  M012  unknown field `a.b` in stream `Account`
  name: lower(a.b)
              ^^^  write it in double quotes: `"a.b"`
mappings/salesforce/Account.yaml:8:17  M012  unknown field `$id` in stream `Account`
  domain: lower($id)
                ^^^  write it in double quotes: `"$id"`
"###);
}

#[test]
fn a_problem_in_a_block_or_quoted_text_has_its_place() {
    assert_snapshot!(told(concat!(
        "variables:\n",
        "  name: |\n",
        "    CASE WHEN Name = 'x' THEN Name\n",
        "         ELSE lower(Websit) END\n",
        "  domain: \"lower(\\\"Websit\\\")\"\n",
        "  mrr: >-\n",
        "    decimal(MRR__c) *\n",
        "    decimal(Sets__c)\n",
    )), @r###"
mappings/salesforce/Account.yaml:7:21  M012  unknown field `Websit` in stream `Account`
  ELSE lower(Websit) END
             ^^^^^^  did you mean `Website`?
mappings/salesforce/Account.yaml:8:18  M012  unknown field `Websit` in stream `Account`
  domain: "lower(\"Websit\")"
                 ^^^^^^^^  did you mean `Website`?
mappings/salesforce/Account.yaml:10:5  M012  unknown field `Sets__c` in stream `Account`
  decimal(MRR__c) *
  ^^^^^^^^^^^^^^^^^  did you mean `Seats__c`?
"###);
}

#[test]
fn a_japanese_expression_has_its_caret_under_the_word() {
    assert_snapshot!(told("variables:\n  name: フェーズ || 売り上げ\n"), @r###"
mappings/salesforce/Account.yaml:5:17  M012  unknown field `売り上げ` in stream `Account`
  name: フェーズ || 売り上げ
                    ^^^^^^^^
"###);
}

#[test]
fn an_expression_of_another_type_than_the_variable_is_refused() {
    assert_snapshot!(told(concat!(
        "variables:\n",
        "  mrr: Name = 'x'\n",
        "  start_date: decimal(MRR__c)\n",
        "  active: date(StartDate__c)\n",
        "  seats: now()\n",
        "  stage: { from: decimal(MRR__c) > 4, values: { 'true': adoption } }\n",
        "  name: { from: Name, stream: Contact }\n",
    )), @r###"
mappings/salesforce/Account.yaml:5:8  M031  the expression is a boolean, but `mrr` is money
  mrr: Name = 'x'
       ^^^^^^^^^^
mappings/salesforce/Account.yaml:6:15  M031  the expression is a decimal, but `start_date` is date
  start_date: decimal(MRR__c)
              ^^^^^^^^^^^^^^^
mappings/salesforce/Account.yaml:7:11  M031  the expression is a date, but `active` is boolean
  active: date(StartDate__c)
          ^^^^^^^^^^^^^^^^^^
mappings/salesforce/Account.yaml:8:10  M031  the expression is a datetime, but `seats` is integer
  seats: now()
         ^^^^^
mappings/salesforce/Account.yaml:9:39  M042  `values` translates text, but the expression is a boolean
  stage: { from: decimal(MRR__c) > 4, values: { 'true': adoption } }
                                      ^^^^^^  leave one of the two out, or wrap the expression in `text(…)`
mappings/salesforce/Account.yaml:10:23  M043  `stream` is for variables of type ref; `name` is text
  name: { from: Name, stream: Contact }
                      ^^^^^^
"###);
}

#[test]
fn what_never_works_is_told_before_a_record_is_read() {
    assert_snapshot!(told(concat!(
        "variables:\n",
        "  name: regexp_replace(Name, '[', 'x')\n",
        "  domain: split_part(Website, '/', 0)\n",
        "  start_date: date('2025-13-01')\n",
        "  score: decimal(MRR__c) / 1.00000000001\n",
        "  seats: integer(Seats__c, 1)\n",
    )), @r###"
mappings/salesforce/Account.yaml:5:9  M026  the expression fails for every record: unclosed character class
  name: regexp_replace(Name, '[', 'x')
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^  check its constants: patterns, positions, formats
mappings/salesforce/Account.yaml:6:11  M026  the expression fails for every record: field position must not be zero
  domain: split_part(Website, '/', 0)
          ^^^^^^^^^^^^^^^^^^^^^^^^^^^  check its constants: patterns, positions, formats
mappings/salesforce/Account.yaml:7:20  M033  `date` fails for every record: there is no such day in the calendar
  start_date: date('2025-13-01')
                   ^^^^^^^^^^^^
mappings/salesforce/Account.yaml:8:28  M033  `1.00000000001` is not a number with at most 28 digits and 10 decimal places
  score: decimal(MRR__c) / 1.00000000001
                           ^^^^^^^^^^^^^
mappings/salesforce/Account.yaml:9:10  M025  `integer` takes 1 argument, here are 2
  seats: integer(Seats__c, 1)
         ^^^^^^^  write `integer(x)`
"###);
}

#[test]
fn floats_chance_and_the_clock_are_refused() {
    assert_snapshot!(told(concat!(
        "variables:\n",
        "  score: log(decimal(MRR__c))\n",
        "  mrr: random()\n",
        "  name: uuid()\n",
        "  start_date: to_date(StartDate__c)\n",
        "  seen_at: to_timestamp(StartDate__c)\n",
        "  seats: cast(Seats__c as double)\n",
        "  domain: cast(Seats__c as decimal(10,2))\n",
    )), @r###"
mappings/salesforce/Account.yaml:5:10  M024  `log` computes with floating point, which loses digits
  score: log(decimal(MRR__c))
         ^^^
mappings/salesforce/Account.yaml:6:8  M024  `random` is not for mappings
  mrr: random()
       ^^^^^^  the same record must give the same answer each time
mappings/salesforce/Account.yaml:7:9  M024  `uuid` is not for mappings
  name: uuid()
        ^^^^  the same record must give the same answer each time
mappings/salesforce/Account.yaml:8:15  M024  `to_date` is not for mappings
  start_date: to_date(StartDate__c)
              ^^^^^^^  write `date(x)` or `datetime(x)`
mappings/salesforce/Account.yaml:9:12  M024  `to_timestamp` is not for mappings
  seen_at: to_timestamp(StartDate__c)
           ^^^^^^^^^^^^  write `date(x)` or `datetime(x)`
mappings/salesforce/Account.yaml:10:15  M003  a cast to `DOUBLE` is not supported in mappings
  seats: cast(Seats__c as double)
              ^^^^^^^^  write `decimal(Seats__c)`, `integer(Seats__c)`, `date(Seats__c)` or the like
mappings/salesforce/Account.yaml:11:16  M003  a cast to `DECIMAL(10,2)` is not supported in mappings
  domain: cast(Seats__c as decimal(10,2))
               ^^^^^^^^  write `decimal(Seats__c)`, `integer(Seats__c)`, `date(Seats__c)` or the like
"###);
}

#[test]
fn a_date_and_a_text_or_an_instant_do_not_compare() {
    assert_snapshot!(told(concat!(
        "variables:\n",
        "  active: date(StartDate__c) >= '2025-10-01'\n",
        "  name: CASE WHEN date(StartDate__c) < now() THEN 'past' ELSE 1 END\n",
        "  score: date_part('month', StartDate__c)\n",
        "  start_date: date_trunc('hour', date(StartDate__c))\n",
    )), @r###"
mappings/salesforce/Account.yaml:5:33  M030  `>=` compares `date(StartDate__c)`, a date, with `'2025-10-01'`, text
  active: date(StartDate__c) >= '2025-10-01'
                                ^^^^^^^^^^^^  write `date('2025-10-01')`
mappings/salesforce/Account.yaml:6:40  M030  `<` compares `date(StartDate__c)`, a date, with `now()`, a datetime
  name: CASE WHEN date(StartDate__c) < now() THEN 'past' ELSE 1 END
                                       ^^^  write `date(now())`
mappings/salesforce/Account.yaml:7:29  M030  `date_part` needs a date; `StartDate__c` is text
  score: date_part('month', StartDate__c)
                            ^^^^^^^^^^^^  write `date(StartDate__c)`
mappings/salesforce/Account.yaml:8:26  M025  `date_trunc` does not know `hour`
  start_date: date_trunc('hour', date(StartDate__c))
                         ^^^^^^  the units are `year`, `quarter`, `month`, `week` and `day`
"###);
}

#[test]
fn no_expression_exhausts_the_stack() {
    let chain = |count: usize| format!("variables:\n  name: {}\n", vec!["Name"; count].join(" || "));
    assert_eq!(told(&chain(90)), "no problems");
    let first_line = |text: String| text.lines().next().unwrap_or_default().to_owned();
    assert_eq!(
        first_line(told(&chain(2_000))),
        "mappings/salesforce/Account.yaml:5:9  M003  the expression has more than 100 operations within each other"
    );
    assert_eq!(
        first_line(told(&chain(5_000))),
        "mappings/salesforce/Account.yaml:5:9  M003  the expression is longer than 20000 bytes"
    );
    let nested = format!("variables:\n  name: {}Name{}\n", "lower(".repeat(1_000), ")".repeat(1_000));
    assert_eq!(
        first_line(told(&nested)),
        "mappings/salesforce/Account.yaml:5:9  M001  the expression is nested too deeply"
    );
}
