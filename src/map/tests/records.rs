//! What becomes of records.

use insta::assert_snapshot;

use super::*;

const FULL: &str = "\
variables:
  name: Name
  mrr: MRR__c
  domain: lower(split_part(Website, '/', 3))
  stage:
    from: Stage__c
    values: { 導入: onboarding, 利用: adoption, 拡大: expansion }
  start_date: StartDate__c
  active: boolean(IsPersonAccount) IS NOT TRUE
where: IsPersonAccount <> 'true'
";

#[test]
fn the_mapping_of_the_design_runs() {
    let rows: &[&[(&str, &str)]] = &[
        &[
            ("Name", "株式会社アクメ"),
            ("MRR__c", "¥1,200,000"),
            ("Website", "https://ACME.co.jp/about"),
            ("Stage__c", "導入"),
            ("StartDate__c", "令和7年10月1日"),
            ("IsPersonAccount", "false"),
        ],
        &[("Name", "Ann"), ("MRR__c", "x"), ("IsPersonAccount", "true")],
        &[
            ("Name", "Beta"),
            ("MRR__c", "12千"),
            ("Stage__c", "解約"),
            ("StartDate__c", "2025/10/1"),
            ("IsPersonAccount", "false"),
        ],
        &[("Name", "Gamma"), ("Stage__c", "adoption")],
    ];
    assert_snapshot!(mapped(FULL, rows), @r###"
active=true domain=acme.co.jp mrr=1200000 name=株式会社アクメ stage=onboarding start_date=2025-10-01
out of scope
active=true domain=· mrr=· name=Beta stage=· start_date=2025-10-01
out of scope
held: row 2, mrr from MRR__c `12千`: magnitude_suffix (mappings/salesforce/Account.yaml:6:8)
held: row 2, stage from Stage__c `解約`: not_in_values (mappings/salesforce/Account.yaml:9:11)
"###);
}

#[test]
fn what_an_error_becomes_can_be_chosen() {
    let rows: &[&[(&str, &str)]] = &[
        &[("MRR__c", "100"), ("Seats__c", "7"), ("Stage__c", "利用")],
        &[("MRR__c", "many"), ("Seats__c", "few"), ("Stage__c", "?")],
        &[],
    ];
    let body = "\
variables:
  mrr: { from: MRR__c, on_error: 'null' }
  score: { from: 'coalesce(decimal(Seats__c), 1)', on_error: { default: '-1' } }
  stage: { from: Stage__c, values: { 利用: adoption, 導入: onboarding }, on_error: { default: 導入 } }
";
    assert_snapshot!(mapped(body, rows), @r###"
mrr=100 score=7 stage=adoption
mrr=· score=-1 stage=onboarding
mrr=· score=1 stage=·
"###);
}

#[test]
fn a_failure_is_held_where_the_value_was_used_and_nowhere_else() {
    let x = |text| value("score", "coalesce(decimal(MRR__c), 0)", &[("MRR__c", text)]);
    assert_eq!(x("abc"), "held: not_a_number");
    assert_eq!(x(""), "0");
    assert_eq!(x("5"), "5");
    let x = |text| value("score", "CASE WHEN MRR__c = '-' THEN 0 ELSE decimal(MRR__c) END", &[("MRR__c", text)]);
    assert_eq!(x("-"), "0");
    assert_eq!(x("abc"), "held: not_a_number");
    let x = |text| value("score", "CASE MRR__c WHEN '-' THEN 0 ELSE decimal(MRR__c) END", &[("MRR__c", text)]);
    assert_eq!(x("-"), "0");
    assert_eq!(x("abc"), "held: not_a_number");
    let x = |text| value("score", "coalesce(try_decimal(MRR__c), 0)", &[("MRR__c", text)]);
    assert_eq!(x("abc"), "0");
    let x = |a, b| value("score", "coalesce(decimal(MRR__c), decimal(Seats__c))", &[("MRR__c", a), ("Seats__c", b)]);
    assert_eq!(x("1", "abc"), "1");
    assert_eq!(x("", "abc"), "held: not_a_number");
    let x = |a, b| {
        value("active", "MRR__c <> '-' AND decimal(MRR__c) > decimal(Seats__c)", &[("MRR__c", a), ("Seats__c", b)])
    };
    assert_eq!(x("-", "abc"), "false");
    assert_eq!(x("2", "1"), "true");
    assert_eq!(x("x", "1"), "held: not_a_number");
    let x = |a| value("active", "MRR__c = '-' OR decimal(MRR__c) > 1", &[("MRR__c", a)]);
    assert_eq!(x("-"), "true");
    assert_eq!(x("?"), "held: not_a_number");
    let x = |a| value("score", "CASE WHEN decimal(MRR__c) > 5 THEN 1 ELSE 2 END", &[("MRR__c", a)]);
    assert_eq!(x("?"), "held: not_a_number");
    let x = |a| value("score", "nullif(decimal(MRR__c), 0)", &[("MRR__c", a)]);
    assert_eq!((x("0"), x("3"), x("?")), ("null".to_owned(), "3".to_owned(), "held: not_a_number".to_owned()));
}

#[test]
fn a_condition_that_cannot_be_computed_holds_its_record() {
    let body = "variables:\n  name: Name\n  seats: Seats__c\nwhere: decimal(MRR__c) > 0\n";
    let rows: &[&[(&str, &str)]] =
        &[&[("Name", "a"), ("MRR__c", "1")], &[("Name", "b"), ("MRR__c", "?"), ("Seats__c", "?")], &[("Name", "c")]];
    assert_snapshot!(mapped(body, rows), @r###"
name=a seats=·
out of scope
out of scope
held: row 1, where from MRR__c `MRR__c=?`: not_a_number (mappings/salesforce/Account.yaml:7:8)
"###);
}

#[test]
fn h3_effective_dates_are_dates_or_held() {
    let body = "variables:\n  name: Name\neffective: { from: StartDate__c, to: date(EndDate__c) + 1 }\n";
    let rows: &[&[(&str, &str)]] = &[
        &[("Name", "a"), ("StartDate__c", "2025-04-01"), ("EndDate__c", "R8.3.31")],
        &[("Name", "b"), ("StartDate__c", "soon"), ("EndDate__c", "")],
        &[("Name", "c"), ("EndDate__c", "9999-12-31")],
    ];
    assert_snapshot!(mapped(body, rows), @r###"
name=a from=2025-04-01 to=2026-04-01
name=b from=· to=·
name=c from=· to=+10000-01-01
held: row 1, effective.from from StartDate__c `soon`: not_a_date (mappings/salesforce/Account.yaml:6:20)
"###);
}

#[test]
fn any_name_that_a_source_may_use_works() {
    let row: &[(&str, &str)] = &[
        ("売上", "1"),
        ("売上(円)", "2"),
        ("a.b", "3"),
        ("$id", "4"),
        ("MRR__c", "5"),
        ("mrr__C", "6"),
        ("備考 欄", "7"),
        ("say \"hi\"", "8"),
    ];
    for (name, expected) in row {
        assert_eq!(value("name", name, row), *expected, "the bare field {name}");
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        assert_eq!(value("name", &quoted, row), *expected, "the quoted field {name}");
        assert_eq!(value("name", &format!("lower({quoted})"), row), *expected, "the field {name} in a call");
    }
    assert_eq!(value("score", "decimal(売上) + decimal(\"売上(円)\")", row), "3");
}

#[test]
fn the_held_value_of_an_expression_names_what_it_read() {
    let body = "variables:\n  mrr: decimal(MRR__c) * decimal(Seats__c)\n";
    assert_snapshot!(mapped(body, &[&[("MRR__c", "1;2"), ("Seats__c", "3")]]), @r###"
mrr=·
held: row 0, mrr from MRR__c, Seats__c `MRR__c=1;2; Seats__c=3`: not_a_number (mappings/salesforce/Account.yaml:5:8)
"###);
}

#[test]
fn a_row_that_no_engine_can_compute_is_found_and_held_alone() {
    let body = "variables:\n  score: decimal(MRR__c) * decimal(Seats__c)\n  name: Name\n";
    let big = "9999999999999999999";
    let mut rows: Vec<&[(&str, &str)]> = vec![&[("MRR__c", "2"), ("Seats__c", "3"), ("Name", "fine")]; 37];
    let overflow = [("MRR__c", big), ("Seats__c", big), ("Name", "big")];
    rows[11] = &overflow;
    rows[36] = &overflow;
    let mapping = compiled(body).unwrap();
    let mapped = run(&mapping, &batch(&rows), october()).unwrap();
    let held: Vec<_> = mapped.held.iter().map(|held| (held.row, held.variable.as_str(), held.reason_code)).collect();
    assert_eq!(held, [(11, "score", "not_computable"), (36, "score", "not_computable")]);
    let score = mapping.variables.iter().position(|variable| variable.name == "score").unwrap();
    let scores: Vec<_> = (0..37).map(|row| format_cell(&mapped.columns[score], row)).collect();
    assert_eq!(scores.iter().filter(|score| score.as_deref() == Some("6")).count(), 35);
    assert_eq!((&scores[11], &scores[36]), (&None, &None));
}

#[test]
fn only_the_fields_that_are_used_need_be_there() {
    let mapping =
        compiled("variables:\n  name: Name\nwhere: Website <> ''\neffective: { from: StartDate__c }\n").unwrap();
    assert_eq!(mapping.fields_used, ["Name", "StartDate__c", "Website"]);
    let all = batch(&[&[("Name", "a"), ("Website", "w"), ("StartDate__c", "2025-10-01")]]);
    let indices: Vec<usize> = mapping.fields_used.iter().map(|name| all.schema().index_of(name).unwrap()).collect();
    assert_eq!(shown(&mapping, &all.project(&indices).unwrap()), "name=a from=2025-10-01\n");
    let error = run(&mapping, &all.project(&indices[..1]).unwrap(), october()).unwrap_err();
    assert_eq!(error.to_string(), "a field that the mapping reads is not in the batch as text (field: StartDate__c)");
}

#[test]
fn a_batch_without_records_gives_columns_of_the_right_types() {
    let mapping = compiled(FULL).unwrap();
    let mapped = run(&mapping, &batch(&[]), october()).unwrap();
    for (variable, column) in mapping.variables.iter().zip(&mapped.columns) {
        assert_eq!((column.len(), column.data_type()), (0, &variable.data_type), "{}", variable.name);
    }
}

#[test]
fn a_custom_variable_is_one_more_variable_of_the_mapping() {
    let text = "\
name: login_rate
type: percent
from:
  - { source: core, stream: usage, expr: decimal(active) / decimal(contracted) }
  - source: salesforce
    stream: Account
    expr: decimal(Seats__c) / decimal(MRR__c) * 100
    on_error: 'null'
";
    let parsed = yaml::parse("schemas/variables/login_rate.yaml", text);
    let variable: VariableConfig = serde_json::from_value(parsed.value.unwrap()).unwrap();
    let (stream, fields) = (stream(), fields());
    let offered = StreamFields { stream: &stream, fields: &fields };
    let custom = compile_custom(&variable, 1, &parsed.doc, "", &offered, &settings()).unwrap();
    assert_eq!((custom.rank, custom.place.to_string().as_str()), (1, "schemas/variables/login_rate.yaml:7:11"));
    assert_eq!(custom.fields, ["Seats__c", "MRR__c"]);

    let mut mapping = compiled("variables:\n  name: Name\n").unwrap();
    mapping.add(custom);
    assert_eq!(mapping.fields_used, ["MRR__c", "Name", "Seats__c"]);
    let rows: &[&[(&str, &str)]] = &[
        &[("Name", "a"), ("Seats__c", "3"), ("MRR__c", "4")],
        &[("Name", "b"), ("Seats__c", "3"), ("MRR__c", "0")],
        &[("Name", "c"), ("Seats__c", "x"), ("MRR__c", "1")],
    ];
    assert_eq!(shown(&mapping, &batch(rows)), "name=a login_rate=75\nname=b login_rate=·\nname=c login_rate=·\n");

    let problems = compile_custom(&variable, 0, &parsed.doc, "", &offered, &settings()).unwrap_err();
    assert_snapshot!(render(&problems, false), @r###"
schemas/variables/login_rate.yaml:4:50  M012  unknown field `active` in stream `Account`
  - { source: core, stream: usage, expr: decimal(active) / decimal(contracted) }
                                                 ^^^^^^
schemas/variables/login_rate.yaml:4:68  M012  unknown field `contracted` in stream `Account`
  - { source: core, stream: usage, expr: decimal(active) / decimal(contracted) }
                                                                   ^^^^^^^^^^
"###);
}

#[test]
fn a_ref_names_its_target() {
    let mapping = compiled("variables:\n  owner: { from: OwnerId, stream: User }\n  name: Name\n").unwrap();
    let targets: Vec<_> = mapping.variables.iter().map(|variable| variable.ref_target.clone()).collect();
    let target = RefTarget { entity: Some("contact".to_owned()), stream: Some("User".to_owned()) };
    assert_eq!(targets, [None, Some(target)]);
}
