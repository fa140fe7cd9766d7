//! What people are told about a mapping, to the letter.

use insta::assert_snapshot;

use super::told;

#[test]
fn an_unknown_field_is_shown_under_its_word_with_what_was_meant() {
    assert_snapshot!(told("variables:\n  name: lower(emial)\n"), @"");
}

#[test]
fn a_field_that_differs_only_by_case_is_suggested() {
    assert_snapshot!(told("variables:\n  name: name || website\n"), @"");
}

#[test]
fn the_label_of_a_field_suggests_the_field() {
    assert_snapshot!(told("variables:\n  start_date: 契約開始日\n"), @"");
}

#[test]
fn an_unknown_variable_is_shown_at_its_key() {
    assert_snapshot!(told("variables:\n  nmae: Name\n  login_rate: Seats__c\n"), @"");
}

#[test]
fn a_variable_that_says_itself_where_it_comes_from_is_not_mapped() {
    assert_snapshot!(told("variables:\n  size: Seats__c\n"), @"");
}

#[test]
fn an_unknown_function_is_suggested() {
    assert_snapshot!(told("variables:\n  name: lowre(Name)\n  mrr: decimals(MRR__c)\n"), @"");
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
    )), @"");
}

#[test]
fn a_condition_must_be_true_or_false() {
    assert_snapshot!(told("variables:\n  name: Name\nwhere: IsPersonAccount\n"), @"");
    assert_snapshot!(told("variables:\n  name: Name\nwhere: NOT IsPersonAccount\n"), @"");
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
    )), @"");
}

#[test]
fn b6_bookkeeping_and_ticking_fields_are_refused_with_advice() {
    assert_snapshot!(told("variables:\n  seen_at: LastModifiedDate\n  score: decimal(DaysLeft__c) / 30\n"), @"");
}

#[test]
fn an_enum_is_translated_only_to_its_values() {
    assert_snapshot!(told(concat!(
        "variables:\n",
        "  stage:\n",
        "    from: Stage__c\n",
        "    values: { 導入: onbording, 利用: adoption, 拡大: 拡大 }\n",
        "    on_error: { default: churned }\n",
    )), @"");
}

#[test]
fn a_syntax_error_has_its_place() {
    assert_snapshot!(told("variables:\n  name: lower(Name\n"), @"");
    assert_snapshot!(told("variables:\n  name: lower(Name) Website\n"), @"");
    assert_snapshot!(told("variables:\n  name: lower（Name）\n"), @"");
    assert_snapshot!(told("variables:\n  name: 'Name || ''x'\n"), @"");
    assert_snapshot!(told("variables:\n  name: ''\n"), @"");
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
    )), @"");
}

#[test]
fn a_name_that_needs_quotes_is_suggested_with_them() {
    assert_snapshot!(told(concat!(
        "variables:\n",
        "  mrr: 売上（円）\n",
        "  score: decimal(売上円)\n",
        "  name: lower(a.b)\n",
        "  domain: lower($id)\n",
    )), @"");
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
    )), @"");
}

#[test]
fn a_japanese_expression_has_its_caret_under_the_word() {
    assert_snapshot!(told("variables:\n  name: フェーズ || 売り上げ\n"), @"");
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
    )), @"");
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
    )), @"");
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
    )), @"");
}

#[test]
fn a_date_and_a_text_or_an_instant_do_not_compare() {
    assert_snapshot!(told(concat!(
        "variables:\n",
        "  active: date(StartDate__c) >= '2025-10-01'\n",
        "  name: CASE WHEN date(StartDate__c) < now() THEN 'past' ELSE 1 END\n",
        "  score: date_part('month', StartDate__c)\n",
        "  start_date: date_trunc('hour', date(StartDate__c))\n",
    )), @"");
}
