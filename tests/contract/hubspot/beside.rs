//! What lies beside the records of an account: links between them, owners, pipelines with their stages.

use std::collections::BTreeMap;

use nenrin::record::DeleteKind;
use serde_json::{Value, json};
use simulators::hubspot::{Options, Portal, parse_fault};

use super::{Bench, DAY, fields};
use crate::contract::reader::Known;

/// Deals with their companies, as a source reads them.
async fn deals_with_companies(options: Options) -> Bench {
    let settings = json!({ "name": "deals", "associations": ["companies"] });
    Bench::of(options, "deals.companies", settings).await
}

/// The links that a portal has, by key: types and labels.
fn truth(portal: &Portal) -> BTreeMap<String, (String, Option<String>)> {
    let mut links = BTreeMap::new();
    for id in portal.ids("deals").unwrap() {
        for link in portal.associations(("deals", id), "companies").unwrap() {
            let mut types: Vec<u32> = link.types.iter().map(|(id, _)| *id).collect();
            types.sort_unstable();
            let mut labels: Vec<&str> = link.types.iter().filter_map(|(_, label)| label.as_deref()).collect();
            labels.sort_unstable();
            let types: Vec<String> = types.iter().map(u32::to_string).collect();
            let labels = (!labels.is_empty()).then(|| json!(labels).to_string());
            links.insert(json!([id.to_string(), link.to.to_string()]).to_string(), (types.join(";"), labels));
        }
    }
    links
}

/// Fails unless the links that are known are those of the portal.
fn assert_linked(bench: &Bench) {
    let living = bench.reader.known.iter().filter(|(_, known)| known.deleted.is_none());
    let told = |(key, known): (&String, &Known)| {
        let value = |name: &str| known.values[name].clone();
        let types = value("type_ids").unwrap();
        let is_primary = types.split(';').any(|kind| kind == "5");
        assert_eq!(value("is_primary"), Some(is_primary.to_string()), "{key}");
        (key.clone(), (types, value("labels")))
    };
    let known: BTreeMap<String, (String, Option<String>)> = living.map(told).collect();
    assert_eq!(known, truth(&bench.portal));
}

#[tokio::test]
async fn links_are_read_of_a_thousand_records_at_a_time() {
    let mut bench = deals_with_companies(Options { records: 40, deals: 2_350, ..Options::default() }).await;
    bench.reader.run().await.unwrap();
    assert_linked(&bench);
    assert!(bench.reader.known.len() > 1_900, "{}", bench.reader.known.len());
    // Ids by the list, links by the thousand, and one search that counts.
    let calls = (bench.calls("/crm/objects/"), bench.calls("/crm/associations/"), bench.calls("/search"));
    assert_eq!(calls, (24 + 1, 3, 1));
    // Then whose account it is, and one search that finds nothing.
    bench.portal.advance(900);
    assert_eq!(bench.reader.run().await.unwrap().requests, 2);
}

#[tokio::test]
async fn links_of_new_records_come_with_them_and_others_within_a_day() {
    let mut bench = deals_with_companies(Options { records: 10, deals: 30, ..Options::default() }).await;
    bench.reader.run().await.unwrap();
    let (companies, deals) = (bench.portal.ids("companies").unwrap(), bench.portal.ids("deals").unwrap());
    bench.portal.advance(3_600);
    let new = bench.portal.insert("deals", &fields(json!({ "dealname": "新しい取引" }))).unwrap();
    bench.portal.associate(("deals", new), ("companies", companies[3]), Some("Primary")).unwrap();
    bench.portal.advance(900);
    bench.reader.run().await.unwrap();
    assert_linked(&bench);
    // No stamp tells of these.
    bench.portal.associate(("deals", deals[1]), ("companies", companies[8]), Some("導入先")).unwrap();
    bench.portal.dissociate(("deals", deals[2]), ("companies", companies[2]), None).unwrap();
    let gone = json!([deals[2].to_string(), companies[2].to_string()]).to_string();
    assert!(bench.reader.known[&gone].deleted.is_none());
    bench.portal.advance(900);
    bench.reader.run().await.unwrap();
    assert!(bench.reader.known[&gone].deleted.is_none());
    bench.portal.advance(DAY);
    bench.reader.run().await.unwrap();
    assert_linked(&bench);
    assert_eq!(bench.reader.known[&gone].deleted, Some(DeleteKind::Absent));
}

#[tokio::test]
async fn a_record_with_more_links_than_a_page_holds_is_asked_on() {
    let options = Options { records: 12, deals: 20, association_page: 3, ..Options::default() };
    let mut bench = deals_with_companies(options).await;
    let deal = bench.portal.ids("deals").unwrap()[4];
    for company in bench.portal.ids("companies").unwrap() {
        bench.portal.associate(("deals", deal), ("companies", company), None).unwrap();
    }
    bench.reader.run().await.unwrap();
    assert_linked(&bench);
    assert_eq!(bench.calls("/crm/associations/"), 1 + 3);
}

#[tokio::test]
async fn answers_that_lack_records_or_come_again_lose_no_link() {
    for fault in ["lose=3@POST*/associations/*", "repeat@POST*/associations/*#2", "repeat@GET*/deals?*#2"] {
        let options = Options { records: 12, deals: 320, association_page: 3, ..Options::default() };
        let mut bench = deals_with_companies(options).await;
        let deal = bench.portal.ids("deals").unwrap()[4];
        for company in bench.portal.ids("companies").unwrap() {
            bench.portal.associate(("deals", deal), ("companies", company), None).unwrap();
        }
        bench.portal.arm(parse_fault(fault).unwrap());
        bench.reader.run().await.unwrap();
        assert_linked(&bench);
    }
}

#[tokio::test]
async fn owners_are_read_with_those_who_left() {
    let mut bench = Bench::of(Options::default(), "owners", json!("owners")).await;
    bench.reader.run().await.unwrap();
    let left = |bench: &Bench| -> Vec<String> {
        let left = bench.reader.known.iter().filter(|(_, known)| known.deleted == Some(DeleteKind::Archived));
        left.map(|(_, known)| known.values["lastName"].clone().unwrap()).collect()
    };
    assert_eq!((bench.reader.known.len(), left(&bench)), (6, vec!["伊藤".to_owned()]));
    bench.portal.advance(3_600);
    let new = bench.portal.add_owner("new@example.jp", "新田", "恵");
    let first: u64 = bench.reader.known.keys().next().unwrap().parse().unwrap();
    bench.portal.archive_owner(first, true);
    bench.portal.advance(900);
    let run = bench.reader.run().await.unwrap();
    assert_eq!(left(&bench), ["佐藤", "伊藤"]);
    let values = &bench.reader.known[&new.to_string()].values;
    assert_eq!(values["firstName"].as_deref(), Some("恵"));
    assert_eq!(values["teams"].as_deref(), Some(r#"[{"id":"368389","name":"カスタマーサクセス","primary":true}]"#));
    // Those who are there, those who left, and whose account it is.
    assert_eq!(run.requests, 3);
}

#[tokio::test]
async fn pipelines_and_stages_are_streams_and_what_is_no_longer_listed_is_gone_within_a_day() {
    let settings = json!({ "name": "deals", "pipelines": true });
    let mut bench = Bench::of(Options::default(), "deals.stages", settings).await;
    bench.reader.run().await.unwrap();
    assert_eq!(bench.reader.known.len(), 6 + 4);
    let value = |bench: &Bench, stage: &str, name: &str| -> Option<String> {
        let known = bench.reader.known.iter().find(|(key, _)| key.ends_with(&format!("\"{stage}\"]"))).unwrap().1;
        assert!(known.deleted.is_none(), "{stage}");
        known.values[name].clone()
    };
    assert_eq!(value(&bench, "98303", "label").as_deref(), Some("更新済"));
    assert_eq!(value(&bench, "98303", "probability").as_deref(), Some("1"));
    assert_eq!(value(&bench, "98303", "isClosed").as_deref(), Some("true"));
    bench.portal.advance(3_600);
    let pipeline = value(&bench, "98303", "pipeline").unwrap();
    bench.portal.relabel_stage("deals", &pipeline, "98303", "更新完了").unwrap();
    bench.portal.archive_stage("deals", &pipeline, "98302").unwrap();
    bench.portal.advance(900);
    bench.reader.run().await.unwrap();
    assert_eq!(value(&bench, "98303", "label").as_deref(), Some("更新完了"));
    assert!(value(&bench, "98302", "label").is_some());
    bench.portal.advance(DAY);
    bench.reader.run().await.unwrap();
    let gone = bench.reader.known.values().filter(|known| known.deleted == Some(DeleteKind::Absent)).count();
    assert_eq!(gone, 1);
}

#[tokio::test]
async fn lesson_14_when_a_record_came_to_a_stage_is_read_though_no_list_shows_it() {
    let settings = json!({ "name": "deals", "pipelines": true, "allow": ["dealname", "hs_v2_date_entered_98301"] });
    let mut bench = Bench::of(Options { deals: 80, ..Options::default() }, "deals", settings).await;
    bench.reader.run().await.unwrap();
    let entered: Vec<&Option<String>> =
        bench.reader.known.values().map(|known| &known.values["hs_v2_date_entered_98301"]).collect();
    let told = entered.iter().filter(|value| value.as_deref().is_some_and(|text| text.ends_with('Z'))).count();
    assert!(told > 5 && entered.iter().any(|value| value.is_none()), "{told} of {}", entered.len());
}

#[tokio::test]
async fn a_look_shows_links_owners_and_stages_too() {
    let settings = json!({ "name": "deals", "associations": ["companies"], "pipelines": true });
    let mut bench = Bench::of(Options { records: 10, deals: 30, ..Options::default() }, "deals", settings).await;
    let source = bench.reader.open().await;
    let names = source.streams();
    assert_eq!(names, ["deals", "deals.pipelines", "deals.stages", "deals.companies"]);
    for (name, key) in [("deals.stages", json!(["default", "closedwon"])), ("deals.companies", Value::Null)] {
        let stream = source.describe(name).await.unwrap();
        let few = source.sample(&stream, nenrin::connect::Few::First(5)).await.unwrap();
        assert_eq!(few.len(), 5, "{name}");
        let key = if key.is_null() { few.heads()[2].key.clone() } else { key.to_string() };
        let one = source.sample(&stream, nenrin::connect::Few::Key(&key)).await.unwrap();
        assert_eq!(one.heads()[0].key, key);
    }
    let others: Vec<String> = source.others().await.unwrap().streams.into_iter().map(|other| other.name).collect();
    assert!(others.contains(&"owners".to_owned()) && !others.contains(&"deals.stages".to_owned()), "{others:?}");
}
