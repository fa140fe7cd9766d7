//! Texts that could be read in two ways, currencies, look-up tables, the fiscal calendar and JSON in mappings.

use datafusion::arrow::array::StringArray;
use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::config::render;

#[test]
fn a_mapping_says_how_its_source_writes_numbers() {
    let rows: &[&[(&str, &str)]] =
        &[&[("MRR__c", "１億２，０００万円"), ("Seats__c", "三百二十")], &[("MRR__c", "120")]];
    let body = "variables:\n  mrr: { from: MRR__c, read_as: { units: japanese } }\n  score: { from: decimal(Seats__c) * 2, read_as: { units: japanese } }\n";
    assert_snapshot!(mapped(body, rows), @r"
    mrr=120000000 score=640
    mrr=120 score=·
    ");
    assert_snapshot!(mapped("variables:\n  mrr: MRR__c\n", rows), @r"
    mrr=·
    mrr=120
    held: row 0, mrr from MRR__c `１億２，０００万円`: magnitude_suffix (mappings/salesforce/Account.yaml:5:8)
    ");
}

#[test]
fn a_fiscal_year_becomes_the_day_that_is_declared() {
    let rows: &[&[(&str, &str)]] = &[&[("StartDate__c", "2025年度"), ("EndDate__c", "令和7年度上期")]];
    let body = "variables:\n  start_date: { from: StartDate__c, read_as: { fiscal: first } }\n  seen_at: { from: datetime(text(date(EndDate__c)) || ' 9:00'), read_as: { fiscal: last } }\n";
    assert_snapshot!(mapped(body, rows), @"seen_at=2025-09-30T00:00:00Z start_date=2025-04-01");
}

#[test]
fn a_record_in_another_currency_is_held_and_never_counted() {
    let rows: &[&[(&str, &str)]] = &[
        &[("MRR__c", "1,200"), ("フェーズ", "JPY")],
        &[("MRR__c", "1,200"), ("フェーズ", "usd")],
        &[("MRR__c", "1,200"), ("フェーズ", "円")],
        &[("MRR__c", "1,200")],
        &[("MRR__c", ""), ("フェーズ", "EUR")],
        &[("MRR__c", "$1,200"), ("フェーズ", "JPY")],
        &[("MRR__c", "1,200"), ("フェーズ", "不明")],
    ];
    assert_snapshot!(mapped("variables:\n  mrr: { from: MRR__c, currency: フェーズ }\n", rows), @r"
    mrr=1200
    mrr=·
    mrr=1200
    mrr=·
    mrr=·
    mrr=·
    mrr=·
    held: row 1, mrr from MRR__c, フェーズ `MRR__c=1,200; フェーズ=usd`: other_currency (mappings/salesforce/Account.yaml:5:16)
    held: row 3, mrr from MRR__c, フェーズ `MRR__c=1,200; フェーズ=`: currency_missing (mappings/salesforce/Account.yaml:5:16)
    held: row 5, mrr from MRR__c, フェーズ `MRR__c=$1,200; フェーズ=JPY`: other_currency (mappings/salesforce/Account.yaml:5:16)
    held: row 6, mrr from MRR__c, フェーズ `MRR__c=1,200; フェーズ=不明`: not_a_currency (mappings/salesforce/Account.yaml:5:16)
    ");
    let mapping = compiled("variables:\n  mrr: { from: MRR__c, currency: フェーズ }\n").unwrap();
    assert_eq!(mapping.fields_used, ["MRR__c", "フェーズ"]);
}

#[test]
fn what_is_declared_must_fit_and_is_told_at_its_key() {
    let body = "variables:\n  name: { from: Name, currency: Stage__c }\n  mrr: { from: MRR__c, currency: decimal(Stage__c) }\n  start_date: { from: StartDate__c, read_as: { units: japanese } }\n  seen_at: { from: StartDate__c, read_as: { timezone: Asia/Tokio } }\n";
    assert_snapshot!(told(body), @r###"
    mappings/salesforce/Account.yaml:5:23  M045  `currency` is for variables of type money; `name` is text
      name: { from: Name, currency: Stage__c }
                          ^^^^^^^^  remove it
    mappings/salesforce/Account.yaml:6:34  M045  `currency` is the record's currency as text; this is a decimal
      mrr: { from: MRR__c, currency: decimal(Stage__c) }
                                     ^^^^^^^^^^^^^^^^^  write the field that holds it
    mappings/salesforce/Account.yaml:7:48  M044  `units` is read for an integer, decimal or money
      start_date: { from: StartDate__c, read_as: { units: japanese } }
                                                   ^^^^^  remove it
    mappings/salesforce/Account.yaml:8:45  M044  unknown time zone `Asia/Tokio`
      seen_at: { from: StartDate__c, read_as: { timezone: Asia/Tokio } }
                                                ^^^^^^^^  write an IANA name such as `Asia/Tokyo`
    "###);
}

#[test]
fn a_look_up_gives_the_cell_of_a_key() {
    let row: &[(&str, &str)] = &[("Stage__c", " 02"), ("Seats__c", "ライト"), ("Name", "99")];
    assert_eq!(value("name", "lookup('industries', Stage__c, '名称')", row), "小売");
    assert_eq!(value("name", "lookup('industries', Name, '名称')", row), "null");
    assert_eq!(value("name", "lookup('industries', email, '名称')", row), "null");
    assert_eq!(value("mrr", "decimal(lookup('plans', Seats__c)) * 2", row), "100000");
    assert_eq!(value("mrr", "lookup('plans', Seats__c)", row), "50000");
}

#[test]
fn an_unknown_table_or_column_is_told_before_a_record_is_read() {
    let body = "variables:\n  name: lookup('industry', Name, '名称')\n  domain: lookup('industries', Name, '名前')\n  mrr: lookup('industries', Name)\n  score: lookup(Name, 'x')\n  stage: lookup('plans', 1)\n";
    assert_snapshot!(told(body), @r###"
    mappings/salesforce/Account.yaml:5:16  M060  unknown look-up table `industry`
      name: lookup('industry', Name, '名称')
                   ^^^^^^^^^^  make lookups/industry.csv: a line with the columns' names, the key first
    mappings/salesforce/Account.yaml:6:38  M061  the look-up table `industries` has no column `名前`
      domain: lookup('industries', Name, '名前')
                                         ^^^^^^  did you mean `名称`?
    mappings/salesforce/Account.yaml:7:15  M061  which column of `industries` is meant is not said
      mrr: lookup('industries', Name)
                  ^^^^^^^^^^^^  add the column as the third argument: `名称`, `分類`
    mappings/salesforce/Account.yaml:8:17  M025  the table of `lookup` must be a constant text
      score: lookup(Name, 'x')
                    ^^^^  write it in single quotes
    mappings/salesforce/Account.yaml:9:26  M030  `lookup` needs text as its key; `1` is an integer
      stage: lookup('plans', 1)
                             ^  write `text(1)`
    "###);
}

#[test]
fn paths_into_json_keep_numbers_and_are_checked() {
    let text = r#"{"a": {"b": 12345678901234567890.10}, "list": [{"名称": "電話"}, {"名称": "a;b"}], "none": null}"#;
    let row: &[(&str, &str)] = &[("Name", text), ("Website", "{cut")];
    assert_eq!(value("name", "json_value(Name, '$.a.b')", row), "12345678901234567890.1");
    assert_eq!(value("name", "json_value(Name, '$.list[0].名称')", row), "電話");
    assert_eq!(value("name", "json_value(Name, '$.none')", row), "null");
    assert_eq!(value("name", "json_value(Name, '$.x')", row), "null");
    assert_eq!(value("name", "json_value(email, '$.x')", row), "null");
    assert_eq!(value("name", "json_value(Name, '$.list[*].名称')", row), "held: not_computable");
    assert_eq!(value("name", "json_value(Website, '$.a')", row), "held: not_computable");
    assert_eq!(value("name", "json_values(Name, '$.list[*].名称')", row), r#"["電話","a;b"]"#);
    assert_eq!(value("seats", "json_count(Name, '$.list[*]')", row), "2");
    assert_eq!(value("active", "json_exists(Name, '$.none') AND NOT json_exists(Name, '$.x')", row), "true");
    let told = told("variables:\n  name: json_value(Name, 'a.b')\n  domain: json_value(Name, Website)\n");
    assert!(told.contains("Account.yaml:5:26  M062  `a.b` is no JSON path"), "{told}");
    assert!(told.contains("Account.yaml:6:28  M025  the path of `json_value` must be a constant text"), "{told}");
}

#[test]
fn japanese_text_and_the_fiscal_calendar_are_at_hand() {
    let row: &[(&str, &str)] = &[("Name", "㈱ｱｸﾒ　東京支店"), ("StartDate__c", "2026-01-15"), ("Seats__c", "1.5億")];
    assert_eq!(value("name", "company_name(Name)", row), crate::unify::normalize::company_name("㈱ｱｸﾒ　東京支店"));
    assert_eq!(value("name", "hiragana(Name)", row), "㈱あくめ　東京支店");
    assert_eq!(value("score", "decimal(kanji_number(Seats__c))", row), "150000000");
    assert_eq!(value("score", "decimal(kanji_number(Name))", row), "held: not_a_number");
    assert_eq!(
        value("seats", "fiscal_year(date(StartDate__c)) * 10 + fiscal_quarter(date(StartDate__c))", row),
        "20254"
    );
    assert_eq!(value("start_date", "fiscal_start('quarter', date(StartDate__c))", row), "2026-01-01");
    assert_eq!(value("name", "era(date(StartDate__c)) || text(era_year(date(StartDate__c)))", row), "令和8");
    assert_eq!(value("score", "divide(1, 3)", row), "0.3333333333");
    assert_eq!(value("score", "divide(1, 0)", row), "null");
    assert_eq!(value("score", "divide(1, integer(email), 7)", row), "null");
    assert_snapshot!(told("variables:\n  score: divide(1)\n  seats: fiscal_year(StartDate__c)\n  start_date: fiscal_end('week', date(StartDate__c))\n"), @r###"
    mappings/salesforce/Account.yaml:5:10  M025  `divide` takes two or three arguments
      score: divide(1)
             ^^^^^^  write `divide(a, b)`, or `divide(a, b, 0)` for what dividing by zero gives
    mappings/salesforce/Account.yaml:6:22  M030  `fiscal_year` needs a date; `StartDate__c` is text
      seats: fiscal_year(StartDate__c)
                         ^^^^^^^^^^^^  write `date(StartDate__c)`
    mappings/salesforce/Account.yaml:7:26  M025  `fiscal_end` does not know `week`
      start_date: fiscal_end('week', date(StartDate__c))
                             ^^^^^^  the parts are `year`, `half` and `quarter`
    "###);
}

/// The enum `stage` against an expression over it.
fn derived(derive: &str) -> Result<String, String> {
    let all: Vec<VariableConfig> = serde_json::from_value(json!([
        { "name": "stage", "type": "enum", "values": ["onboarding", "adoption", "expansion"] },
        { "name": "late", "type": "boolean", "derive": derive },
    ]))
    .unwrap();
    let parsed = yaml::parse("schemas/variables/late.yaml", &format!("name: late\nderive: {derive}\n"));
    let inputs = [DeriveInput { variable: &all[1], places: &parsed.doc, pointer: "" }];
    let derives = compile_derives("customer", &all, &inputs, &settings()).map_err(|found| render(&found, false))?;
    let stages: ArrayRef =
        Arc::new(StringArray::from(vec![Some("onboarding"), Some("adoption"), Some("expansion"), None]));
    let batch = RecordBatch::try_from_iter([("stage", stages)]).unwrap();
    let (values, _) = run_derive(&derives[0], &batch, october()).unwrap();
    let cells = (0..4).map(|row| format_cell(&values, row).unwrap_or_else(|| "·".to_owned()));
    Ok(cells.collect::<Vec<_>>().join(" "))
}

#[test]
fn an_enum_compares_as_its_values_are_listed() {
    assert_eq!(derived("stage >= 'adoption'").unwrap(), "false true true ·");
    assert_eq!(derived("'adoption' > stage").unwrap(), "true false false ·");
    assert_eq!(derived("stage = 'adoption'").unwrap(), "false true false ·");
    assert_snapshot!(derived("stage > 'adaption'").unwrap_err(), @r###"
    schemas/variables/late.yaml:2:17  M033  `adaption` is not a value of the enum that it is compared with
      derive: stage > 'adaption'
                      ^^^^^^^^^^  did you mean `adoption`?
    "###);
}
