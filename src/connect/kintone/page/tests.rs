//! Pages of every shape.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::*;
use crate::connect::kintone::plan::offer_of;
use crate::connect::kintone::plan::tests::{app, field, form};

fn plan_of(fields: Value, table: Option<&str>) -> Plan {
    Plan::new(&offer_of(&form(fields), &app(|_| ()), table).unwrap(), &HashSet::new())
}

fn system(id: &str, revision: &str) -> Value {
    json!({
        "$id": { "type": "__ID__", "value": id }, "$revision": { "type": "__REVISION__", "value": revision },
        "レコード番号": { "type": "RECORD_NUMBER", "value": id },
        "作成日時": { "type": "CREATED_TIME", "value": "2026-01-10T05:22:00Z" },
        "更新日時": { "type": "UPDATED_TIME", "value": "2026-02-11T01:03:00Z" },
    })
}

fn record(id: &str, fields: Value) -> Value {
    let mut record = system(id, "5");
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    record
}

fn page(records: &[Value]) -> Vec<u8> {
    json!({ "records": records, "totalCount": null }).to_string().into_bytes()
}

fn values(found: &RecordPage, row: usize) -> Vec<(String, Option<String>)> {
    let fields = found.records.fields().iter().enumerate();
    fields.map(|(at, name)| (name.clone(), found.records.value(row, at).map(str::to_owned))).collect()
}

#[test]
fn values_of_every_type_arrive_canonical() {
    let plan = plan_of(
        json!({
            "会社名": field("SINGLE_LINE_TEXT"), "備考": field("MULTI_LINE_TEXT"), "本文": field("RICH_TEXT"),
            "Web": field("LINK"), "単価": field("NUMBER"), "小計": { "type": "CALC", "format": "NUMBER_DIGIT" },
            "工数": { "type": "CALC", "format": "DAY_HOUR_MINUTE" }, "契約種別": field("RADIO_BUTTON"),
            "対応項目": field("CHECK_BOX"), "担当者": field("USER_SELECT"), "作成者": field("CREATOR"),
            "更新者": field("MODIFIER"), "部署": field("ORGANIZATION_SELECT"), "契約開始日": field("DATE"),
            "受付時刻": field("TIME"), "次回面談": field("DATETIME"), "添付": field("FILE"),
            "カテゴリー": field("CATEGORY"), "ステータス": field("STATUS"), "未来": field("HOLOGRAM"),
        }),
        None,
    );
    let user = |code: &str, name: &str| json!({ "code": code, "name": name });
    let body = page(&[record(
        "7",
        json!({
            "会社名": { "type": "SINGLE_LINE_TEXT", "value": "株式会社\"アクメ\"" },
            "備考": { "value": "line1\nline2", "type": "MULTI_LINE_TEXT" },
            "本文": { "type": "RICH_TEXT", "value": "<div>text</div>" },
            "Web": { "type": "LINK", "value": "https://example.com" },
            "単価": { "type": "NUMBER", "value": "12000.50" }, "小計": { "type": "CALC", "value": "024001" },
            "工数": { "type": "CALC", "value": "49:30" }, "契約種別": { "type": "RADIO_BUTTON", "value": "年額" },
            "対応項目": { "type": "CHECK_BOX", "value": ["訪問", "電話"] },
            "担当者": { "type": "USER_SELECT", "value": [user("sato", "佐藤"), user("kato", "加藤")] },
            "作成者": { "type": "CREATOR", "value": user("sato", "佐藤 昇") },
            "更新者": { "type": "MODIFIER", "value": user("Administrator", "Administrator") },
            "部署": { "type": "ORGANIZATION_SELECT", "value": [user("sales", "営業部")] },
            "契約開始日": { "type": "DATE", "value": "2026-04-01" }, "受付時刻": { "type": "TIME", "value": "09:30" },
            "次回面談": { "type": "DATETIME", "value": "2026-03-01T01:00:00Z" },
            "添付": { "type": "FILE", "value": [{ "contentType": "text/plain", "fileKey": "2019…", "name": "a.txt", "size": "1000" }] },
            "カテゴリー": { "type": "CATEGORY", "value": ["既存"] }, "ステータス": { "type": "STATUS", "value": "未処理" },
            "未来": { "type": "HOLOGRAM", "value": { "z": 1.0, "a": [true] } },
        }),
    )]);
    let found = parse(&body, &plan).unwrap();
    let values = values(&found, 0);
    let value = |name: &str| values.iter().find(|(known, _)| known == name).unwrap().1.as_deref();
    for (name, expected) in [
        ("$id", "7"),
        ("$revision", "5"),
        ("会社名", "株式会社\"アクメ\""),
        ("備考", "line1\nline2"),
        ("本文", "<div>text</div>"),
        ("Web", "https://example.com"),
        ("単価", "12000.5"),
        ("小計", "24001"),
        ("工数", "49:30"),
        ("契約種別", "年額"),
        ("対応項目", "訪問\n電話"),
        ("担当者", "kato\nsato"),
        ("担当者.name", "加藤\n佐藤"),
        ("作成者", "sato"),
        ("作成者.name", "佐藤 昇"),
        ("更新者", "Administrator"),
        ("部署.name", "営業部"),
        ("契約開始日", "2026-04-01"),
        ("受付時刻", "09:30"),
        ("次回面談", "2026-03-01T01:00:00Z"),
        ("添付", r#"[{"contentType":"text/plain","name":"a.txt","size":"1000"}]"#),
        ("カテゴリー", "既存"),
        ("ステータス", "未処理"),
        ("未来", r#"{"a":[true],"z":1}"#),
    ] {
        assert_eq!(value(name), Some(expected), "{name}");
    }
    let head = &found.records.heads()[0];
    assert_eq!((head.key.as_str(), head.revision), ("7", Some(5)));
    assert_eq!(head.stamp.unwrap().to_string(), "2026-02-11T01:03:00Z");
    assert_eq!(head.created_at.unwrap().to_string(), "2026-01-10T05:22:00Z");
    assert!(found.missing.is_empty(), "{:?}", found.missing);
}

#[test]
fn lesson_10_and_17_null_and_empty_are_nothing_and_absent_is_told_apart() {
    let kinds =
        ["SINGLE_LINE_TEXT", "NUMBER", "DATE", "DATETIME", "DROP_DOWN", "CHECK_BOX", "USER_SELECT", "FILE", "CREATOR"];
    for kind in kinds {
        let plan = plan_of(json!({ "欄": field(kind) }), None);
        for empty in [json!(null), json!(""), json!([])] {
            let body = page(&[record("1", json!({ "欄": { "type": kind, "value": empty } }))]);
            let found = parse(&body, &plan).unwrap_or_else(|error| panic!("{kind} {empty}: {error}"));
            assert_eq!(values(&found, 0).iter().find(|(name, _)| name == "欄").unwrap().1, None, "{kind} {empty}");
            assert!(found.missing.is_empty());
        }
        let found = parse(&page(&[record("1", json!({}))]), &plan).unwrap();
        assert_eq!(found.missing, ["欄"], "{kind}");
    }
    let plan = plan_of(json!({ "式": field("CALC"), "ステータス": field("STATUS") }), None);
    assert!(parse(&page(&[record("1", json!({}))]), &plan).unwrap().missing.is_empty());
}

#[test]
fn lesson_13_users_have_one_shape_whoever_is_asked_for() {
    let plan = plan_of(json!({ "担当者": field("USER_SELECT") }), None);
    let read = |users: Value| {
        let found = parse(&page(&[record("1", json!({ "担当者": { "value": users } }))]), &plan).unwrap();
        let values = values(&found, 0);
        values.into_iter().filter(|(name, _)| name.starts_with("担当者")).map(|(_, value)| value).collect::<Vec<_>>()
    };
    let (a, b) = (json!({ "code": "a", "name": "α" }), json!({ "name": "β", "code": "b", "extra": 1 }));
    assert_eq!(read(json!([a.clone()])), [Some("a".to_owned()), Some("α".to_owned())]);
    assert_eq!(read(json!([b.clone(), a.clone()])), read(json!([a, b])));
}

#[test]
fn fields_are_found_in_any_order_and_strangers_are_skipped() {
    let plan = plan_of(json!({ "甲": field("SINGLE_LINE_TEXT"), "乙": field("SINGLE_LINE_TEXT") }), None);
    let text = |value: &str| json!({ "type": "SINGLE_LINE_TEXT", "value": value, "stranger": [1] });
    let one = record("1", json!({ "甲": text("1甲"), "乙": text("1乙"), "丙": { "value": [1, { "a": 2 }] } }));
    let mut two = json!({ "乙": text("2乙"), "甲": text("2甲") });
    two.as_object_mut().unwrap().extend(system("2", "1").as_object().unwrap().clone());
    let found = parse(&page(&[one, two]), &plan).unwrap();
    for row in 0..2 {
        let shown: Vec<Option<String>> =
            values(&found, row).into_iter().rev().take(2).map(|(_, value)| value).collect();
        let id = row + 1;
        assert_eq!(shown, [Some(format!("{id}乙")), Some(format!("{id}甲"))]);
    }
    assert_eq!((found.count, found.last, found.rising), (2, Some(2), true));
}

#[test]
fn a_value_of_another_shape_than_its_type_loses_nothing() {
    let plan = plan_of(json!({ "欄": field("SINGLE_LINE_TEXT"), "組": field("CHECK_BOX") }), None);
    let body = page(&[
        record("1", json!({ "欄": { "value": [1.0, "x"] }, "組": { "value": ["b", "a"] } })),
        record("2", json!({ "欄": { "value": 12.50 }, "組": { "value": "one" } })),
    ]);
    let found = parse(&body, &plan).unwrap();
    let last = |row| values(&found, row).into_iter().rev().take(2).map(|(_, value)| value.unwrap()).collect::<Vec<_>>();
    assert_eq!(last(0), ["a\nb", "[1,\"x\"]"]);
    assert_eq!(last(1), ["one", "12.5"]);
}

#[test]
fn lesson_12_rows_of_a_table_know_their_record_wherever_it_says_its_id() {
    let table = json!({ "明細": { "type": "SUBTABLE", "fields": { "品名": field("SINGLE_LINE_TEXT"), "数量": field("NUMBER") } } });
    let plan = plan_of(table, Some("明細"));
    let row = |id: Value, name: &str, count: &str| json!({ "id": id, "value": { "品名": { "value": name }, "数量": { "value": count } } });
    let mut one =
        json!({ "明細": { "type": "SUBTABLE", "value": [row(json!("368"), "A", "3.0"), row(json!(369), "B", "")] } });
    one.as_object_mut().unwrap().extend(system("12", "4").as_object().unwrap().clone());
    let mut three = system("14", "1");
    three["明細"] =
        json!({ "type": "SUBTABLE", "value": [{ "value": { "品名": { "value": "C" }, "数量": { "value": "1" } } }] });
    let mut empty = system("13", "1");
    empty["明細"] = json!({ "type": "SUBTABLE", "value": [] });
    let found = parse(&page(&[one, empty, three]), &plan).unwrap();
    assert_eq!((found.count, found.last, found.records.len()), (3, Some(14), 3));
    let shown: Vec<Vec<Option<String>>> =
        (0..2).map(|row| values(&found, row).into_iter().map(|(_, value)| value).collect()).collect();
    let row = |texts: [&str; 5]| texts.map(|text| Some(text.to_owned()).filter(|text| !text.is_empty())).to_vec();
    assert_eq!(shown, [row(["12", "368", "0", "A", "3"]), row(["12", "369", "1", "B", ""])]);
    let heads = found.records.heads();
    assert_eq!((heads[0].key.as_str(), heads[0].revision), (r#"["12","368"]"#, Some(4)));
    assert_eq!(heads[0].stamp.unwrap().to_string(), "2026-02-11T01:03:00Z");
    assert_eq!((heads[2].key.as_str(), heads[2].place.as_str()), ("", "record 14 row 1"));
    assert_eq!(parent_of(&heads[1].key).as_deref(), Some("12"));
    assert!(found.missing.is_empty());
}

#[test]
fn ids_that_do_not_rise_are_noticed() {
    let plan = Plan::keys();
    let record = |id: &str| json!({ "$id": { "value": id }, "$revision": { "value": "1" } });
    let rising = |ids: &[&str]| {
        let records: Vec<Value> = ids.iter().map(|id| record(id)).collect();
        parse(&page(&records), &plan).unwrap().rising
    };
    assert!(rising(&[]) && rising(&["9", "10"]));
    assert!(!rising(&["10", "9"]) && !rising(&["9", "9"]) && !rising(&["x"]));
}

#[test]
fn the_total_is_a_text_or_nothing() {
    let plan = Plan::keys();
    let total =
        |total: &str| parse(format!(r#"{{"records":[],"totalCount":{total}}}"#).as_bytes(), &plan).unwrap().total;
    assert_eq!([total("\"123\""), total("null"), total("7")], [Some(123), None, Some(7)]);
}

#[test]
fn a_page_that_is_cut_or_no_page_is_refused() {
    let plan = plan_of(json!({ "会社名": field("SINGLE_LINE_TEXT") }), None);
    let whole = page(&[record("1", json!({ "会社名": { "type": "SINGLE_LINE_TEXT", "value": "アクメ" } }))]);
    for end in 0..whole.len() {
        assert!(parse(&whole[..end], &plan).is_err(), "cut at {end}");
    }
    for body in [r#"{"totalCount":null}"#, r#"{"records":{}}"#, r#"{"records":[7]}"#, r#"{"records":[]} tail"#, "[]"] {
        assert!(parse(body.as_bytes(), &plan).is_err(), "{body}");
    }
}

#[test]
fn instants_are_read_with_every_suffix() {
    for text in ["2026-01-01T00:00:00Z", "2026-01-01T09:00:00+09:00", "2026-01-01T00:00:00.000Z"] {
        assert_eq!(parse_datetime(text).unwrap().to_string(), "2026-01-01T00:00:00Z", "{text}");
    }
    for text in ["", "2026-01-01", "2026-13-01T00:00:00Z", "+026-01-01T00:00:00Z"] {
        assert_eq!(parse_datetime(text), None, "{text}");
    }
}
