//! The HubSpot connector against the simulated portal.

mod beside;
mod world;

use std::collections::BTreeSet;

use nenrin::connect::Few;
use nenrin::error::ErrorKind;
use nenrin::record::DeleteKind;
use serde_json::{Value, json};
use simulators::hubspot::{Fields, Hypotheses, Options, Portal, Server, parse_fault};

pub(crate) use world::SYSTEM;

use super::reader::Reader;

const DAY: i64 = 86_400;

struct Bench {
    portal: Portal,
    reader: Reader,
    _server: Server,
}

impl Bench {
    async fn of(options: Options, stream: &'static str, settings: Value) -> Bench {
        let server = Server::start(options).await.unwrap();
        let credentials = server.credentials();
        let config = json!({
            "base_url": credentials["base_url"],
            "token": credentials["private_token"],
            "requests_per_second": 1000,
            "streams": [settings],
        });
        Bench { portal: server.portal(), reader: Reader::new("hubspot", config, stream), _server: server }
    }

    fn calls(&self, part: &str) -> usize {
        self.portal.calls().iter().filter(|call| call.path.contains(part)).count()
    }

    /// Fails unless the companies that were read are those of the portal.
    fn assert_true(&self, names: &[&str]) {
        let truth = self.portal.truth("companies").unwrap();
        let living: BTreeSet<&str> = truth.iter().map(|row| row["hs_object_id"].as_str().unwrap()).collect();
        for (key, known) in &self.reader.known {
            assert_eq!(known.deleted.is_none(), living.contains(key.as_str()), "{key}");
        }
        for row in &truth {
            let known = &self.reader.known[row["hs_object_id"].as_str().unwrap()];
            for name in names {
                let expected = row[*name].as_str().filter(|text| !text.is_empty());
                assert_eq!(known.values[*name].as_deref(), expected, "{name}");
            }
        }
    }
}

fn fields(value: Value) -> Fields {
    value.as_object().unwrap().clone()
}

#[tokio::test]
async fn lesson_8_many_properties_are_read_by_id_and_none_is_dropped() {
    let options = Options { records: 150, padding: 400, ..Options::default() };
    let mut bench = Bench::of(options, "companies", json!("companies")).await;
    bench.reader.run().await.unwrap();
    bench.assert_true(&["name", "phone", "customer_code"]);
    // Ids of 100 and 50, and as many batches; the archive is empty.
    assert_eq!((bench.calls("/batch/read"), bench.calls("/crm/objects/")), (2, 2 + 2 + 1 + 1));
    let names = &bench.reader.known.values().next().unwrap().values;
    assert!(names.len() > 400, "{}", names.len());
}

#[tokio::test]
async fn lesson_13_records_merged_into_a_new_one_name_it_and_are_not_lost_customers() {
    let mut bench = Bench::of(Options { records: 30, ..Options::default() }, "companies", json!("companies")).await;
    bench.reader.run().await.unwrap();
    bench.portal.advance(3_600);
    let ids = bench.portal.ids("companies").unwrap();
    let survivor = bench.portal.merge("companies", ids[2], ids[3]).unwrap();
    assert!(!ids.contains(&survivor), "the portal gives merged records a new id");
    bench.portal.advance(900);
    bench.reader.run().await.unwrap();
    bench.assert_true(&["name"]);
    for gone in [ids[2], ids[3]] {
        assert_eq!(bench.reader.known[&gone.to_string()].deleted, Some(DeleteKind::Merged));
    }
}

#[tokio::test]
async fn lesson_3_what_comes_back_from_the_archive_without_a_stamp_is_found_by_the_next_complete_reading() {
    for restore_touches in [false, true] {
        let hypotheses = Hypotheses { restore_touches, ..Hypotheses::default() };
        let options = Options { records: 30, hypotheses, ..Options::default() };
        let mut bench = Bench::of(options, "companies", json!("companies")).await;
        bench.reader.run().await.unwrap();
        let id = bench.portal.ids("companies").unwrap()[7];
        bench.portal.advance(3_600);
        bench.portal.archive("companies", id).unwrap();
        bench.portal.advance(900);
        bench.reader.run().await.unwrap();
        assert_eq!(bench.reader.known[&id.to_string()].deleted, Some(DeleteKind::Archived));
        bench.portal.restore("companies", id).unwrap();
        bench.portal.advance(900);
        bench.reader.run().await.unwrap();
        assert_eq!(bench.reader.known[&id.to_string()].deleted.is_none(), restore_touches);
        bench.portal.advance(7 * DAY);
        bench.reader.run().await.unwrap();
        bench.assert_true(&["name"]);
    }
}

#[tokio::test]
async fn what_only_the_index_still_counts_costs_one_more_reading_and_no_third() {
    let mut bench = Bench::of(Options { records: 30, ..Options::default() }, "companies", json!("companies")).await;
    bench.portal.set_index_lag(3_600);
    let id = bench.portal.ids("companies").unwrap()[7];
    bench.portal.archive("companies", id).unwrap();
    bench.reader.run().await.unwrap();
    bench.assert_true(&["name"]);
    // The list, a count, and both once more; then the archive.
    assert_eq!((bench.calls("/search"), bench.calls("/crm/objects/")), (2, 2 + 2 + 1));
}

#[tokio::test]
async fn a_list_that_never_goes_on_is_refused_and_the_next_run_goes_on_behind_what_was_read() {
    let options = Options { records: 250, ..Options::default() };
    let mut bench = Bench::of(options, "companies", json!("companies")).await;
    bench.portal.arm(parse_fault("repeat@GET*/companies?#2+").unwrap());
    let error = bench.reader.run().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::BadData, "HubSpot sent a page again that was read before"));
    bench.portal.disarm();
    bench.reader.run().await.unwrap();
    bench.assert_true(&["name"]);
}

#[tokio::test]
async fn a_look_at_a_few_records_asks_for_no_second_page() {
    let mut bench = Bench::of(Options { records: 250, ..Options::default() }, "companies", json!("companies")).await;
    let source = bench.reader.open().await;
    let stream = source.describe("companies").await.unwrap();
    let few = source.sample(&stream, Few::First(20)).await.unwrap();
    assert_eq!((few.len(), bench.calls("/crm/objects/")), (20, 1));
}

#[tokio::test]
async fn lesson_7_calculated_values_are_read_again_after_some_days() {
    let mut bench = Bench::of(Options { records: 20, ..Options::default() }, "companies", json!("companies")).await;
    bench.reader.run().await.unwrap();
    let id = bench.portal.ids("companies").unwrap()[4];
    bench.portal.change_silently("companies", id, &fields(json!({ "cs_note": "計算" }))).unwrap();
    for (secs, is_known) in [(3_600, false), (7 * DAY, true)] {
        bench.portal.advance(secs);
        bench.reader.run().await.unwrap();
        let value = bench.reader.known[&id.to_string()].values["cs_note"].clone();
        assert_eq!(value.as_deref() == Some("計算"), is_known);
    }
}

#[tokio::test]
async fn c_the_history_of_properties_is_read_as_facts() {
    let settings = json!({ "name": "deals", "history": ["dealstage", "amount"] });
    let mut bench = Bench::of(Options { deals: 120, ..Options::default() }, "deals.history", settings).await;
    bench.reader.run().await.unwrap();
    let assert_told = |bench: &Bench| {
        let mut told = 0;
        for id in bench.portal.ids("deals").unwrap() {
            for property in ["dealstage", "amount"] {
                let mut instants = BTreeSet::new();
                for earlier in bench.portal.history("deals", id, property).unwrap() {
                    let at = earlier.at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
                    // Of several at one instant the newest, which comes first, is what it was from then on.
                    if !instants.insert(at.clone()) {
                        continue;
                    }
                    let key = json!([id.to_string(), property, at]).to_string();
                    let known = bench.reader.known.get(&key).unwrap_or_else(|| panic!("{key} was not read"));
                    let value = Some(earlier.value.as_str()).filter(|value| !value.is_empty());
                    assert_eq!(known.values["value"].as_deref(), value, "{key}");
                    told += 1;
                }
            }
        }
        told
    };
    let first = assert_told(&bench);
    assert!(first > 120, "{first}");
    // Three pages of 50 by the list, and one batch for what changed since.
    assert_eq!(bench.calls("/crm/objects/"), 3 + 1);
    bench.portal.advance(3_600);
    let id = bench.portal.ids("deals").unwrap()[9];
    bench.portal.update("deals", id, &fields(json!({ "amount": "1234567" }))).unwrap();
    bench.portal.advance(900);
    bench.reader.run().await.unwrap();
    assert_eq!(assert_told(&bench), first + 1);
}

#[tokio::test]
async fn lesson_1_a_token_without_the_scope_of_one_object_says_which() {
    let mut bench = Bench::of(Options { records: 5, ..Options::default() }, "companies", json!("companies")).await;
    bench.portal.revoke_scope("crm.objects.companies.read");
    bench.portal.revoke_scope("crm.schemas.companies.read");
    let error = bench.reader.run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(error.render().contains("crm."), "{}", error.render());
}

#[tokio::test]
async fn check_tells_about_the_account_and_each_object() {
    let mut bench = Bench::of(Options { records: 5, ..Options::default() }, "companies", json!("companies")).await;
    let findings = bench.reader.open().await.check().await;
    let shown: Vec<(bool, &str)> = findings.iter().map(|found| (found.ok, found.what.as_str())).collect();
    assert_eq!(shown, [(true, "credentials"), (true, "object companies")], "{findings:#?}");
    assert!(findings[0].detail.starts_with("account 24681357 ("), "{}", findings[0].detail);
}
