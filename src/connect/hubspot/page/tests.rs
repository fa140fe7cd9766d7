use super::super::config::StreamConfig;
use super::super::plan::stream_of;
use super::super::plan::tests::property;
use super::*;

fn plan() -> Plan {
    let properties = [
        property("hs_object_id", "number"),
        property("name", "string"),
        property("amount", "number"),
        property("due", "date"),
        property("seen", "datetime"),
        property("hs_merged_object_ids", "enumeration"),
        property("hs_lastmodifieddate", "datetime"),
    ];
    Plan::new(&stream_of(&properties, &StreamConfig::all_of("companies"), true).unwrap())
}

#[test]
fn lesson_10_to_12_values_keep_what_they_say_in_one_form() {
    let body = r#"{"results":[
      {"id":"1","properties":{"name":"株式会社🌳\n","amount":"1E7","due":"1653696000000","seen":"2026-04-30T01:02:03Z",
         "hs_object_id":"1","extra":"x"},"createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-02-01T00:00:00.005Z","archived":false},
      {"id":"2","properties":{"name":"","amount":"123;456","due":"2022-05-28","seen":"1777510923004","hs_object_id":"2"},
         "updatedAt":"2026-02-01T00:00:00.005Z","archived":true,"archivedAt":"2026-03-01T00:00:00.000Z"}],
      "paging":{"next":{"after":"3","link":"https://elsewhere"}}}"#;
    let page = parse(body.as_bytes(), &plan()).unwrap();
    let values = |row| (0..5).map(|at| page.records.value(row, at)).collect::<Vec<_>>();
    let name = Some("株式会社🌳\n");
    assert_eq!(values(0), [Some("1"), name, Some("10000000"), Some("2022-05-28"), Some("2026-04-30T01:02:03.000Z")]);
    assert_eq!(values(1), [Some("2"), None, Some("123;456"), Some("2022-05-28"), Some("2026-04-30T01:02:03.004Z")]);
    let [first, second] = page.records.heads() else { panic!() };
    assert_eq!((first.deleted, first.stamp.unwrap().to_string().as_str()), (None, "2026-02-01T00:00:00.005Z"));
    assert_eq!(second.deleted, Some(DeleteKind::Archived));
    assert_eq!(second.stamp.unwrap().to_string(), "2026-03-01T00:00:00Z");
    assert_eq!((page.next.as_deref(), page.ids.len()), (Some("3"), 2));
}

#[test]
fn lesson_13_a_survivor_names_what_was_merged_into_it() {
    let body = r#"{"results":[{"id":"9","properties":{"hs_merged_object_ids":"7;8"},"updatedAt":"2026-02-01T00:00:00.005Z"}]}"#;
    let page = parse(body.as_bytes(), &plan()).unwrap();
    let gone: Vec<(&str, &str)> =
        page.merges.iter().map(|merge| (merge.gone.as_str(), merge.winner.as_str())).collect();
    assert_eq!(gone, [("7", "9"), ("8", "9")]);
    assert_eq!(page.next, None);
}

#[test]
fn c2_a_history_tells_each_value_with_the_one_before() {
    let config = StreamConfig { history: vec!["dealstage".into()], ..StreamConfig::all_of("deals") };
    let body = r#"{"results":[{"id":"7","properties":{"dealstage":"won"},"updatedAt":"2026-02-01T00:00:00.005Z",
      "propertiesWithHistory":{"dealstage":[
        {"value":"won","timestamp":"2026-06-30T08:00:00.000Z","sourceType":"CRM_UI"},
        {"value":"","timestamp":"2026-05-01T00:00:00Z","sourceType":"API"},
        {"value":"new","timestamp":"2026-04-02T01:00:00.000Z","sourceType":"API"}]}}]}"#;
    let page = parse(body.as_bytes(), &Plan::history(&config)).unwrap();
    let row = |row| (2..5).map(|at| page.records.value(row, at)).collect::<Vec<_>>();
    assert_eq!(page.records.len(), 3);
    assert_eq!(row(0), [Some("2026-06-30T08:00:00.000Z"), None, Some("won")]);
    assert_eq!(row(1), [Some("2026-05-01T00:00:00.000Z"), Some("new"), None]);
    assert_eq!(row(2), [Some("2026-04-02T01:00:00.000Z"), None, Some("new")]);
    assert_eq!(page.records.heads()[0].key, r#"["7","dealstage","2026-06-30T08:00:00.000Z"]"#);
    assert_eq!(page.ids, ["7"]);
    // Where the oldest values may be forgotten, nothing is said of what was before.
    let entry = |n: u32| format!(r#"{{"value":"{n}","timestamp":"2026-06-30T08:{:02}:00.000Z"}}"#, 59 - n);
    let entries: Vec<String> = (0..20).map(entry).collect();
    let body =
        format!(r#"{{"results":[{{"id":"7","propertiesWithHistory":{{"dealstage":[{}]}}}}]}}"#, entries.join(","));
    let page = parse(body.as_bytes(), &Plan::history(&config)).unwrap();
    assert_eq!(page.records.len(), 21);
    assert_eq!(
        (2..5).map(|at| page.records.value(20, at)).collect::<Vec<_>>(),
        [Some("2026-06-30T08:39:59.999999Z"), None, None]
    );
}

#[test]
fn a_page_that_is_cut_is_refused_and_the_place_of_the_next_is_seen_without_reading() {
    let whole = r#"{"results":[{"id":"1","properties":{"name":"x"}}],"paging":{"next":{"after":"3"}}}"#;
    for cut in [10, 30, whole.len() - 1] {
        assert!(parse(&whole.as_bytes()[..cut], &plan()).is_err());
    }
    assert!(parse(b"{}", &plan()).is_err());
    let answer = |body: &str| Answer {
        status: reqwest::StatusCode::OK,
        headers: reqwest::header::HeaderMap::new(),
        body: bytes::Bytes::from(body.to_owned()),
        transferred_bytes: 0,
    };
    assert_eq!(next_after(&answer(whole)).as_deref(), Some("3"));
    assert_eq!(next_after(&answer(r#"{"results":[]}"#)), None);
}
