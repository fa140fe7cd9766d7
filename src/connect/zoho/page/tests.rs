use std::collections::HashSet;
use std::sync::Arc;

use super::super::plan::tests::stream;
use super::super::plan::{Interface, Plan};
use super::*;

const FIELDS: [(&str, &str); 12] = [
    ("Name", "text"),
    ("Amount", "currency"),
    ("Open", "boolean"),
    ("Number", "bigint"),
    ("Due", "date"),
    ("Seen", "datetime"),
    ("Owner", "ownerlookup"),
    ("Stage", "picklist"),
    ("Uses", "multiselectpicklist"),
    ("Tag", "tags"),
    ("Rate", "percent"),
    ("ARR", "formula"),
];

fn columns() -> Arc<Columns> {
    let mut stream = stream(&FIELDS);
    for field in &mut stream.fields {
        match field.name.as_str() {
            "Uses" => field.choices = ["分析", "メール;配信"].map(|value| value.to_owned().into()).to_vec(),
            "Tag" => field.source_type = "tags".into(),
            _ => {}
        }
    }
    Plan::new(&stream, Interface::Query, 50, &HashSet::new()).parts[0].clone()
}

/// Values by the names of their columns, and the head.
fn told(records: &Records, row: usize) -> Vec<(String, Option<String>)> {
    let mut told: Vec<(String, Option<String>)> = records
        .fields()
        .iter()
        .enumerate()
        .map(|(column, name)| (name.clone(), records.value(row, column).map(str::to_owned)))
        .collect();
    told.sort();
    told
}

fn table(text: &str) -> Records {
    Table::open(text.as_bytes()).unwrap().read(&columns(), 100).unwrap().0
}

const LIST: &str = r##"{"data":[
 {"id":"4876876000000333001","Created_Time":"2026-01-01T09:00:00+09:00","Modified_Time":"2026-10-01T10:00:00+09:00",
  "Name":"株式会社\"青空\",\n🌳","Amount":1200000.0,"Open":false,"Number":"4876876000000000001","Due":"2026-12-31",
  "Seen":"2026-10-01T10:00:00+09:00","Owner":{"name":"山田","id":"4876876000000111001","email":"t@example.jp"},
  "Stage":"Closed Won","Uses":["分析","メール;配信"],"Tag":[{"name":"VIP","id":"1","color_code":"#57B1FD"},{"name":"A","id":"2"}],
  "Rate":12.50,"ARR":1.0E3,"$approved":true},
 {"id":"4876876000000333002","Created_Time":"2026-01-01T09:00:00+09:00","Modified_Time":"2026-10-01T10:00:00+09:00",
  "Name":"","Amount":null,"Open":true,"Number":null,"Due":null,"Seen":null,"Owner":null,"Stage":"-None-","Uses":[],"Tag":[],
  "Rate":"N/A","ARR":null}],"info":{"count":2,"more_records":true,"next_page_token":"t"}}"##;

const QUERY: &str = r##"{"data":[
 {"Seen":"2026-10-01T01:00:00+00:00","Modified_Time":"2026-10-01T10:00:00+09:00","Created_Time":"2026-01-01T00:00:00+00:00",
  "Name":"株式会社\"青空\",\n🌳","Amount":1200000,"Open":false,"Number":"4876876000000000001","Due":"2026-12-31",
  "Owner":{"id":"4876876000000111001"},"Stage":"Closed Won","Uses":["メール;配信","分析"],
  "Tag":[{"name":"A","id":"2"},{"name":"VIP","id":"1"}],"Rate":12.5,"ARR":1000,"id":"4876876000000333001"},
 {"Seen":null,"Modified_Time":"2026-10-01T10:00:00+09:00","Created_Time":"2026-01-01T00:00:00+00:00","Name":null,
  "Amount":null,"Open":true,"Number":null,"Due":null,"Owner":null,"Stage":null,"Uses":null,"Tag":null,"Rate":"N/A",
  "ARR":null,"id":"4876876000000333002"}],"info":{"count":2,"more_records":false}}"##;

const FILE: &str = "Id,Tag,Uses,Name,Amount,Open,Number,Due,Seen,Owner,Stage,Rate,ARR,Created_Time,Modified_Time\n\
 4876876000000333001,\"A,VIP\",分析|メール;配信,\"株式会社\"\"青空\"\",\n🌳\",1200000.00,false,4876876000000000001,2026-12-31,\
 2026-10-01T10:00:00+09:00,4876876000000111001,Closed Won,12.5,1000,2026-01-01T09:00:00+09:00,2026-10-01T10:00:00+09:00\n\
 4876876000000333002,,,,,true,,,,,,N/A,,2026-01-01T09:00:00+09:00,2026-10-01T10:00:00+09:00\n";

#[test]
fn lesson_7_the_same_record_has_the_same_values_and_head_by_each_interface() {
    let list = parse(LIST.as_bytes(), &columns()).unwrap();
    let query = parse(QUERY.as_bytes(), &columns()).unwrap();
    let file = table(FILE);
    for other in [&query.records, &file] {
        for row in 0..2 {
            assert_eq!(told(other, row), told(&list.records, row));
            assert_eq!(other.heads()[row], list.records.heads()[row]);
        }
    }
    let values: HashMap<String, Option<String>> = told(&file, 0).into_iter().collect();
    let value = |name: &str| values[name].as_deref();
    assert_eq!((value("Amount"), value("Rate"), value("ARR")), (Some("1200000"), Some("12.5"), Some("1000")));
    assert_eq!((value("Seen"), value("Owner")), (Some("2026-10-01T01:00:00Z"), Some("4876876000000111001")));
    assert_eq!((value("Uses"), value("Tag")), (Some("メール;配信\n分析"), Some("A\nVIP")));
    assert_eq!((list.more, list.token.as_deref(), query.more), (true, Some("t"), false));
    assert_eq!(list.last().unwrap().1, "4876876000000333002");
    assert_eq!(list.records.heads()[0].created_at.unwrap().to_string(), "2026-01-01T00:00:00Z");
}

#[test]
fn lesson_8_what_was_not_delivered_is_not_told_as_empty() {
    let body = r#"{"data":[{"id":"1","Modified_Time":null,"Name":"a"},{"id":"2","Name":null}],"info":{"count":2}}"#;
    let page = parse(body.as_bytes(), &columns()).unwrap();
    assert_eq!(page.records.fields().to_vec(), ["id", "Modified_Time", "Name"].map(str::to_owned).to_vec());
}

#[test]
fn a_page_that_is_cut_or_lacks_records_is_refused() {
    for cut in [10, 200, LIST.len() - 1] {
        assert!(parse(&LIST.as_bytes()[..cut], &columns()).is_err());
    }
    assert!(parse(br#"{"data":[],"info":{"count":1}}"#, &columns()).is_err());
    assert!(parse(b"{}", &columns()).is_err());
    assert_eq!(parse_count(br#"{"data":[{"COUNT(id)":1234}],"info":{"count":1}}"#).unwrap(), 1_234);
    for file in ["", "Name\nx\n", "Id,Name\n1\n", "Id\n\"1"] {
        let read = Table::open(file.as_bytes()).and_then(|mut table| table.read(&columns(), 9));
        assert!(read.is_err() || file.ends_with("\"1"), "{file}");
    }
}

#[test]
fn a_file_is_gone_on_with_at_any_row() {
    let mut table = Table::open(FILE.as_bytes()).unwrap();
    let (first, is_end) = table.read(&columns(), 1).unwrap();
    assert_eq!((first.len(), is_end, table.at), (1, false, 1));
    let mut again = Table::open(FILE.as_bytes()).unwrap();
    again.skip_to(1).unwrap();
    let (second, is_end) = again.read(&columns(), 9).unwrap();
    assert_eq!((second.heads()[0].key.as_str(), is_end), ("4876876000000333002", true));
    assert!(again.skip_to(3).is_err());
}

fn keyed(fields: &[&str], rows: &[(&str, &str, &str)]) -> Records {
    let names: Vec<String> = fields.iter().map(|name| (*name).to_owned()).collect();
    let mut builder = RecordsBuilder::new(names.into(), rows.len());
    for (key, stamp, value) in rows {
        builder.set(fields.len() - 1, Some(value));
        let stamp = instant(&format!("2026-01-01T00:00:{stamp}Z"));
        builder.finish_row(RecordHead { key: (*key).to_owned(), stamp, ..RecordHead::default() });
    }
    builder.finish()
}

#[test]
fn parts_of_a_record_that_disagree_are_told_to_be_read_again() {
    let first = keyed(&["a"], &[("1", "01", "x"), ("2", "02", "y"), ("3", "03", "z")]);
    let other = keyed(&["b"], &[("3", "03", "Z"), ("1", "09", "X")]);
    let names: Arc<[String]> = ["b", "a"].map(str::to_owned).into();
    let (joined, odd) = join(&names, &[first, other]);
    assert_eq!(odd, ["1", "2"]);
    assert_eq!((joined.len(), joined.value(0, 0), joined.value(0, 1)), (1, Some("Z"), Some("z")));
}

#[test]
fn a_page_that_came_before_is_told_by_its_order() {
    let page = keyed(&["a"], &[("9", "01", "x"), ("10", "01", "y"), ("8", "02", "z")]);
    assert!(is_in_order(&page, None, true) && !is_in_order(&page, None, false));
    assert!(!is_in_order(&page, Some((instant("2026-01-01T00:00:01Z"), "9")), true));
    assert!(is_in_order(&page, Some((instant("2026-01-01T00:00:01Z"), "8")), true));
}

#[test]
fn long_texts_that_may_be_cut_are_found_and_completed() {
    let stream = stream(&[("Remarks", "textarea"), ("Name", "text")]);
    let plan = Plan::new(&stream, Interface::List, 50, &HashSet::new());
    let text = "年".repeat(500);
    let body = format!(
        r#"{{"data":[{{"id":"1","Remarks":"{text}","Name":"{text}"}},{{"id":"2","Remarks":"{text}輪","Name":"n"}}],"info":{{}}}}"#
    );
    let page = parse(body.as_bytes(), &plan.parts[0]).unwrap();
    let (names, ids) = cut_texts(&page.records, &plan.parts);
    assert_eq!((names.as_slice(), ids.as_slice()), (&["Remarks".to_owned()][..], &["1".to_owned()][..]));
    let whole = format!(r#"{{"data":[{{"id":"1","Remarks":"{text}輪。"}}]}}"#);
    let whole = parse(whole.as_bytes(), &plan.parts[0]).unwrap();
    let done = completed(&page.records, &whole.records);
    let column = done.fields().iter().position(|name| name == "Remarks").unwrap();
    assert_eq!(done.value(0, column).map(|text| text.chars().count()), Some(502));
    assert_eq!(done.value(1, column).map(|text| text.chars().count()), Some(501));
}
