//! Forms of every shape; the forms of other tests too.

use serde_json::{Value, json};

use super::*;

pub(in super::super) fn form(fields: Value) -> Form {
    let mut properties = json!({
        "レコード番号": { "type": "RECORD_NUMBER", "code": "レコード番号", "label": "レコード番号" },
        "作成日時": { "type": "CREATED_TIME", "code": "作成日時", "label": "作成日時" },
        "更新日時": { "type": "UPDATED_TIME", "code": "更新日時", "label": "更新日時" },
    });
    properties.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    Form::read(&json!({ "properties": properties, "revision": "12" })).unwrap()
}

pub(in super::super) fn field(kind: &str) -> Value {
    json!({ "type": kind })
}

pub(in super::super) fn app(change: impl FnOnce(&mut Value)) -> AppConfig {
    let mut config = json!({ "name": "案件管理", "app": 8, "token": "t" });
    change(&mut config);
    serde_json::from_value(config).unwrap()
}

fn names(offer: &Offer) -> Vec<&str> {
    offer.stream.fields.iter().map(|field| field.name.as_str()).collect()
}

#[test]
fn lesson_11_what_has_no_value_is_no_field() {
    let form = form(json!({
        "会社名": field("SINGLE_LINE_TEXT"), "履歴": field("REFERENCE_TABLE"), "枠": field("GROUP"), "線": field("HR"),
        "見出し": field("LABEL"), "空き": field("SPACER"), "明細": { "type": "SUBTABLE", "fields": {} },
        "カテゴリー": { "type": "CATEGORY", "enabled": false }, "ステータス": { "type": "STATUS", "enabled": true },
    }));
    let offer = offer_of(&form, &app(|_| ()), None).unwrap();
    assert_eq!(names(&offer), ["$id", "$revision", "レコード番号", "作成日時", "更新日時", "会社名", "ステータス"]);
    assert_eq!(offer.tables(), ["明細"]);
}

#[test]
fn system_fields_are_found_by_type_whatever_their_code() {
    let form = Form::read(&json!({ "properties": {
        "Updated_datetime": field("UPDATED_TIME"), "更新日": field("DATE"), "Renamed": field("CREATED_TIME"),
    }, "revision": "1" }))
    .unwrap();
    let offer = offer_of(&form, &app(|_| ()), None).unwrap();
    assert_eq!(offer.stamp.as_deref(), Some("Updated_datetime"));
    assert_eq!(offer.outer.iter().find(|ask| ask.cell == Cell::Created).unwrap().code, "Renamed");
}

#[test]
fn b6_fields_are_classed_by_how_they_change() {
    let form = form(json!({
        "小計": { "type": "CALC", "format": "NUMBER" }, "更新者": field("MODIFIER"), "作成者": field("CREATOR"),
        "担当者": field("USER_SELECT"), "顧客名": field("SINGLE_LINE_TEXT"),
    }));
    let config = app(|config| config["classes"] = json!({ "顧客名": "ticking", "作成者.name": "business" }));
    let offer = offer_of(&form, &config, None).unwrap();
    let class = |name: &str| offer.stream.fields.iter().find(|field| field.name == name).unwrap().class;
    use FieldClass::{Bookkeeping, Business, Calculated, Ticking};
    for (name, expected) in [
        ("$id", Business),
        ("$revision", Bookkeeping),
        ("更新日時", Bookkeeping),
        ("更新者", Bookkeeping),
        ("レコード番号", Calculated),
        ("作成日時", Business),
        ("小計", Business),
        ("担当者", Business),
        ("担当者.name", Calculated),
        ("作成者.name", Business),
        ("顧客名", Ticking),
    ] {
        assert_eq!(class(name), expected, "{name}");
    }
    assert!(!names(&offer).contains(&"更新者.name"));
}

#[test]
fn lesson_7_a_formula_is_a_number_only_where_it_prints_one() {
    for (format, cell) in [
        ("NUMBER", Cell::Number),
        ("NUMBER_DIGIT", Cell::Number),
        ("DATE", Cell::Text),
        ("DATETIME", Cell::Text),
        ("TIME", Cell::Text),
        ("HOUR_MINUTE", Cell::Text),
        ("DAY_HOUR_MINUTE", Cell::Text),
    ] {
        let form = form(json!({ "式": { "type": "CALC", "format": format } }));
        assert_eq!(Cell::of(form.field("式").unwrap()), Some(cell), "{format}");
    }
}

#[test]
fn lesson_12_a_table_is_a_stream_of_its_own_with_a_stable_key() {
    let form = form(json!({
        "会社名": field("SINGLE_LINE_TEXT"),
        "明細": { "type": "SUBTABLE", "label": "明細表", "fields": { "品名": field("SINGLE_LINE_TEXT"), "担当": field("USER_SELECT") } },
    }));
    let config = app(|config| config["tables"] = json!(["明細"]));
    let offer = offer_of(&form, &config, Some("明細")).unwrap();
    assert_eq!((offer.stream.name.as_str(), offer.stream.key.len()), ("案件管理.明細", 2));
    assert_eq!(names(&offer), ["$parent", "$row", "$position", "品名", "担当", "担当.name"]);
    let plan = Plan::new(&offer, &HashSet::new());
    assert_eq!(plan.outer.codes, ["$id", "$revision", "更新日時", "明細"]);
    assert_eq!(plan.inner.unwrap().wires[1].names, Some(5));
    let error = offer_of(&form, &config, Some("明細表")).unwrap_err();
    assert_eq!((error.kind(), error.help_text()), (ErrorKind::NotFound, Some("use one of `明細` in `tables`")));
}

#[test]
fn denied_and_not_allowed_fields_are_left_out_but_never_key_and_stamp() {
    let form = form(json!({ "会社名": field("SINGLE_LINE_TEXT"), "備考": field("MULTI_LINE_TEXT") }));
    let offer = offer_of(&form, &app(|config| config["allow"] = json!(["会社名"])), None).unwrap();
    assert_eq!(names(&offer), ["$id", "$revision", "作成日時", "更新日時", "会社名"]);
    let offer = offer_of(&form, &app(|config| config["deny"] = json!(["備考", "更新日時"])), None).unwrap();
    assert_eq!(names(&offer), ["$id", "$revision", "レコード番号", "作成日時", "更新日時", "会社名"]);
    let error = offer_of(&form, &app(|config| config["allow"] = json!(["会社"])), None).unwrap_err();
    assert!(error.help_text().unwrap().starts_with("did you mean `会社名`?"), "{}", error.render());
}

#[test]
fn a_field_that_vanished_or_was_made_anew_is_noticed_and_likely_names_are_told() {
    let before = form(json!({
        "会社名": field("SINGLE_LINE_TEXT"), "金額": field("SINGLE_LINE_TEXT"),
        "文字列__1行_": { "type": "SINGLE_LINE_TEXT", "label": "電話" },
    }));
    let before = offer_of(&before, &app(|_| ()), None).unwrap().seen;
    let now = form(json!({
        "顧客名": field("SINGLE_LINE_TEXT"), "金額": field("NUMBER"), "TEL": { "type": "SINGLE_LINE_TEXT", "label": "電話" },
    }));
    let offer = offer_of(&now, &app(|_| ()), None).unwrap();
    let vanished = offer.vanished(&before, &[]);
    let codes: Vec<&str> = vanished.iter().map(|field| field.code.as_str()).collect();
    assert_eq!(codes, ["会社名", "文字列__1行_", "金額"]);
    assert_eq!(offer.candidates(vanished[0], &before)[0], "顧客名");
    assert_eq!(offer.candidates(vanished[1], &before)[0], "TEL", "the same label");
    assert!(offer.candidates(vanished[2], &before).len() == 2);
    let accepted = ["会社名".to_owned(), "文字列__1行_".to_owned(), "金額".to_owned()];
    assert!(offer.vanished(&before, &accepted).is_empty());
}

#[test]
fn only_what_gives_values_makes_a_form_another() {
    let values = |fields| offer_of(&form(fields), &app(|_| ()), None).unwrap().seen.values;
    let choice =
        |label: &str, options: Value| json!({ "確度": { "type": "DROP_DOWN", "label": label, "options": options } });
    let base = values(choice("確度", json!({ "A": { "index": "0" } })));
    assert_eq!(values(choice("受注確度", json!({ "A": { "index": "0" } }))), base, "a label is harmless");
    assert_ne!(values(choice("確度", json!({ "AA": { "index": "0" } }))), base, "an option was renamed");
    let formula = |text: &str| json!({ "小計": { "type": "CALC", "format": "NUMBER", "expression": text } });
    assert_ne!(values(formula("a * b")), values(formula("a * c")));
}
