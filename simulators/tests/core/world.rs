//! The world behind the three APIs: one seed, one clock, edits and the truth.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use simulators::company::{Mrr, Story};
use simulators::core::Options;

use crate::client::{Session, texts};

#[tokio::test(flavor = "multi_thread")]
async fn contracts_tell_what_the_company_of_the_same_seed_does() {
    let session = Session::start(Options { seed: 7, records: 500, ..Options::default() }).await;
    let told: BTreeMap<String, Mrr> =
        Story::new(7).truth(2026, 10).into_iter().filter_map(|truth| Some((truth.code?, truth.mrr))).collect();
    let contracts = session.truth("contracts");
    let customers = session.core.customers();
    let mut compared = 0;
    for (place, contract) in contracts.iter().enumerate() {
        let code = contract["顧客コード"].as_str().unwrap();
        assert_eq!(code, customers[place % customers.len()]);
        let is_first = place < customers.len();
        if let Some(Mrr::Yen(yen)) = told.get(code).filter(|_| is_first && contract["状態"] == "有効") {
            assert_eq!(contract["月額"], yen.to_string(), "{code}");
            compared += 1;
        }
    }
    assert!(compared > 300 && customers.len() > 300 && contracts.len() == 500, "{compared}");
    assert!(session.truth("partners").iter().zip(&customers).all(|(partner, code)| partner["code"] == code.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
    let start = async |seed: u64| Session::start(Options { seed, records: 50, ..Options::default() }).await;
    let (one, same, other) = (start(3).await, start(3).await, start(4).await);
    for path in ["contracts", "contracts/K0000001/lines", "plans.csv"] {
        assert_eq!(one.keiyaku(path).body, same.keiyaku(path).body, "{path}");
    }
    assert_eq!(one.kaikei("invoices").body, same.kaikei("invoices").body);
    assert_eq!(one.credential("usage", "token"), same.credential("usage", "token"));
    assert_ne!(one.keiyaku("contracts").body, other.keiyaku("contracts").body);
    assert_ne!(one.credential("keiyaku", "api_key"), other.credential("keiyaku", "api_key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn truth_remembers_what_was() {
    let session = Session::with_records(3).await;
    let price = |at| {
        session.core.truth_at("contracts", at).unwrap().iter().map(|row| row["月額"].clone()).collect::<Vec<Value>>()
    };
    let start = session.core.now();
    let before = price(start);
    session.core.advance(10);
    session.core.edit("contracts", "K0000002", r#"{"月額":1000.50}"#).unwrap();
    session.core.advance(10);
    session.core.delete("contracts", "K0000001").unwrap();
    session.core.advance(10);
    let stamp = |key: &str| session.keiyaku(&format!("contracts/{key}")).json()["result"]["row"]["更新日時"].clone();
    let old = stamp("K0000003");
    session.core.change_silently("contracts", "K0000003", json!({"月額": 3})).unwrap();
    assert_eq!(stamp("K0000003"), old);
    let second = |secs| start + chrono::Duration::seconds(secs);
    assert_eq!(price(second(9)), before);
    assert_eq!(price(second(10)), [before[0].clone(), json!("1000.50"), before[2].clone()]);
    assert_eq!(price(second(29)), [json!("1000.50"), before[2].clone()]);
    assert_eq!(price(session.core.now()), [json!("1000.50"), json!("3")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_edit_is_stamped_before_it_is_seen() {
    let session = Session::with_records(3).await;
    session.core.edit_late("contracts", "K0000002", json!({"月額": 2}), 60).unwrap();
    let added = session.core.add_late("invoices", json!({"customer_code": "C09999"}), 60).unwrap();
    let price = || session.keiyaku("contracts/K0000002").json()["result"]["row"]["月額"].clone();
    assert_ne!(price(), json!(2));
    assert_eq!(session.kaikei("invoices").json()["meta"]["total_count"], 3);
    session.core.advance(60);
    assert_eq!(price(), json!(2));
    let rows = session.kaikei("invoices").list("invoices");
    assert_eq!((rows.len(), added.as_str()), (4, "4"));
    assert_eq!(rows[3]["updated_at"], "2026-11-01T00:00:00+09:00");
    assert_eq!(rows[3]["deleted"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_falls_between_two_pages() {
    let session = Session::with_records(10).await;
    session.core.before("GET*/contracts?*after", 1, |core| core.delete("contracts", "K0000006").unwrap());
    let first = session.keiyaku("contracts?limit=5");
    assert_eq!(first.json()["count"], 10);
    let second = session.keiyaku("contracts?limit=5&after=K0000005");
    assert_eq!((texts(&second.rows(), "契約番号").len(), second.json()["count"].clone()), (4, json!(9)));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_moved_in_at_once_share_a_stamp() {
    let session = Session::start(Options { records: 40, imported: 25, ..Options::default() }).await;
    let stamps = texts(&session.keiyaku("contracts").rows(), "更新日時");
    assert!(stamps[..25].iter().all(|stamp| *stamp == stamps[0]));
    assert_eq!(stamps[25..].iter().collect::<std::collections::BTreeSet<_>>().len(), 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_edits_are_refused() {
    let session = Session::with_records(1).await;
    let core = &session.core;
    for (result, why) in [
        (core.edit("nothing", "1", json!({})), "there is no collection `nothing`"),
        (core.edit("contracts", "1", json!({})), "`1` is no key of contracts"),
        (core.edit("contracts", "K0000009", json!({})), "there is no `K0000009` in contracts"),
        (core.edit("contracts", "K0000001", "[]"), "the fields are no JSON object"),
        (core.add("usage", json!({})).map(drop), "usage are not added, but edited by their keys"),
        (core.set_lines("K0000001", "{}"), "the lines are no JSON array"),
    ] {
        assert_eq!(result.unwrap_err().to_string(), why);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_edits_looks_and_arms() {
    let session = Session::with_records(2).await;
    let ok = json!({"ok": true});
    assert_eq!(session.act("advance", json!({"seconds": 60}))["now"], "2026-10-31T15:01:00+00:00");
    let body = json!({"collection": "contracts", "key": "K0000001", "fields": {"月額": 7}});
    assert_eq!(session.act("edit", body), ok);
    assert_eq!(session.act("add", json!({"collection": "partners", "fields": {"name": "追加"}}))["key"], "3");
    assert_eq!(session.act("delete", json!({"collection": "invoices", "key": "2"})), ok);
    assert_eq!(session.look("truth?collection=contracts")["records"][0]["月額"], "7");
    assert_ne!(session.look("truth?collection=contracts&at=2026-10-31T15:00:00Z")["records"][0]["月額"], "7");
    assert_eq!(session.look("truth?collection=invoices")["records"][1]["deleted"], true);
    assert_eq!(session.act("fault", json!({"spec": "503@/contracts"})), ok);
    assert_eq!([session.keiyaku("contracts").status, session.keiyaku("contracts").status], [503, 200]);
    assert_eq!(session.look("calls").as_array().unwrap().len(), 2);
    assert_eq!(session.look("calls")[1]["rows"], 2);
    assert_eq!(session.act("limit_calls", json!({"calls_a_minute": 0})), ok);
    assert_eq!(session.kaikei("partners").status, 429);
    assert_eq!(session.act("explode", json!({}))["error"], "there is no action explode");
    assert_eq!(session.look("credentials"), session.server.credentials());
    assert_eq!(session.look("customers")["customers"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_contracts_take_no_time_to_be_there() {
    let session = Session::with_records(1_000_000).await;
    let last = session.keiyaku("contracts?after=K0999998");
    assert_eq!(
        (texts(&last.rows(), "契約番号"), last.json()["count"].clone()),
        (vec!["K0999999".into(), "K1000000".into()], json!(1_000_000))
    );
    assert_eq!(session.kaikei("invoices?offset=999999").list("invoices").len(), 1);
    session.core.erase("invoices", "500").unwrap();
    let rows = session.kaikei("invoices?offset=999998").list("invoices");
    assert_eq!(rows.iter().map(|row| row["id"].as_u64().unwrap()).collect::<Vec<_>>(), [1_000_000]);
}
