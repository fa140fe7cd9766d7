//! The world behind the API: the truth, and the changes that are hard to see.

use serde_json::{Value, json};
use simulators::zoho::Options;

use crate::client::{Answer, Session, fields, send};

fn sim(session: &Session, action: &str, body: Value) -> Answer {
    send(&format!("{}/_sim/{action}", session.base), "POST", &[], body.to_string().as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_truth_is_told_for_now_and_for_then() {
    let session = Session::with(3).await;
    let start = session.org.now();
    let ids = session.org.ids("Accounts").unwrap();
    session.org.advance(30);
    session.update("Accounts", &ids[0], json!({"Account_Name": "改名", "Employees": "10.50", "Tag": ["VIP"]}));
    session.org.advance(30);
    session.org.delete("Accounts", &ids[1]).unwrap();
    let late = session.account("新規");
    let now = session.org.truth("Accounts").unwrap();
    let told: Vec<&str> = now.iter().map(|record| record["id"].as_str().unwrap()).collect();
    assert_eq!(told, [&ids[0], &ids[2], &late]);
    assert_eq!(
        ["Account_Name", "Employees", "Tag"].map(|name| &now[0][name]),
        [&json!("改名"), &json!("10.5"), &json!(["VIP"])]
    );
    assert_eq!((&now[0]["Modified_Time"], &now[2]["Industry"]), (&json!("2026-11-01T00:00:30+09:00"), &Value::Null));
    let then = session.org.truth_at("Accounts", start).unwrap();
    assert!(then.len() == 3 && then[0]["Account_Name"] != "改名");
    let between = start + std::time::Duration::from_secs(30);
    assert_eq!(session.org.truth_at("Accounts", between).unwrap()[0]["Account_Name"], "改名");
    assert_eq!(session.org.deletions("Accounts").unwrap()[0]["id"], ids[1].as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_changes_move_no_stamp_and_vanished_records_leave_no_trace() {
    let session = Session::with(3).await;
    let ids = session.org.ids("Accounts").unwrap();
    let before = session.one("Accounts", &ids[0])["Modified_Time"].clone();
    session.org.advance(1_800);
    session.org.change_silently("Accounts", &ids[0], &fields(json!({"Fax": "静かに", "ARR": 999}))).unwrap();
    let after = session.one("Accounts", &ids[0]);
    assert_eq!((&after["Modified_Time"], &after["Fax"], &after["ARR"]), (&before, &json!("静かに"), &json!(999)));
    session.org.vanish("Accounts", &ids[1]).unwrap();
    assert!(session.get("Accounts/deleted").is_empty(204));
    assert_eq!(session.get("Accounts?fields=Phone").data().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_records_are_stamped_before_they_are_seen() {
    let session = Session::with(2).await;
    let ids = session.org.ids("Accounts").unwrap();
    let named = |name: &str| fields(json!({ "Account_Name": name }));
    let late = session.org.insert_late("Accounts", &named("遅れて"), 120).unwrap();
    session.org.update_late("Accounts", &ids[0], &named("遅い更新"), 120).unwrap();
    let next = session.account("先に見える");
    assert!(late < next && !session.get("Accounts?fields=Phone").ids().contains(&late));
    session.org.advance(119);
    assert_ne!(session.one("Accounts", &ids[0])["Account_Name"], "遅い更新");
    session.org.advance(1);
    assert_eq!(session.one("Accounts", &late)["Modified_Time"], "2026-11-01T00:00:00+09:00");
    assert_eq!(session.one("Accounts", &ids[0])["Account_Name"], "遅い更新");
    let old = json!({"Account_Name": "移行", "Created_Time": "2019-04-01T00:00:00Z", "Modified_Time": "2019-04-01T00:00:00Z"});
    let old = session.org.insert("Accounts", &fields(old)).unwrap();
    let query =
        "select id from Accounts where Modified_Time < '2020-01-01T00:00:00Z' order by Modified_Time asc, id asc";
    assert_eq!(session.coql(query).ids(), [old]);
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_can_be_made_between_two_pages() {
    let session = Session::with(6).await;
    let ids = session.org.ids("Accounts").unwrap();
    let gone = ids[3].clone();
    session.org.before("/coql", 2, move |org| {
        org.delete("Accounts", &gone).unwrap();
        org.insert("Accounts", &fields(json!({"Account_Name": "途中"}))).unwrap();
    });
    let page = |last: &str| {
        session.coql(&format!("select id from Accounts where id > '{last}' order by id asc limit 3")).ids()
    };
    assert_eq!(page("0"), ids[..3]);
    let second = page(&ids[2]);
    assert_eq!((second.len(), &second[..2]), (3, &ids[4..6]));
}

#[tokio::test(flavor = "multi_thread")]
async fn deals_tell_the_journey_of_their_account() {
    let session = Session::start(Options { records: 5, deals: 25, ..Options::default() }).await;
    let account = session.org.ids("Accounts").unwrap()[2].clone();
    let query = format!("select Type, Deal_Name from Deals where Account_Name = '{account}' order by id asc");
    let deals = session.coql(&query).data();
    assert_eq!((deals.len(), &deals[0]["Type"]), (5, &json!("新規")));
    let account = session.org.record("Accounts", &account).unwrap().unwrap();
    let name = account["Account_Name"].as_str().unwrap();
    assert!(deals[1..].iter().all(|deal| deal["Type"] != "新規"));
    assert!(deals.iter().all(|deal| deal["Deal_Name"].as_str().unwrap().starts_with(name)));
    assert_eq!(account["Deal_Count"], "5");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_gives_the_same_answers() {
    let (first, second) = (Session::with(50).await, Session::with(50).await);
    let path = "Accounts?fields=Account_Name,Owner,MRR,Modified_Time";
    assert_eq!(first.get(path).text(), second.get(path).text());
    assert_eq!(first.credential("refresh_token"), second.credential("refresh_token"));
    let other = Session::start(Options { seed: 2, records: 50, ..Options::default() }).await;
    assert_ne!(first.org.truth("Accounts").unwrap(), other.org.truth("Accounts").unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_records_are_served() {
    let session = Session::start(Options { records: 1_000_000, deals: 1_000_000, ..Options::default() }).await;
    assert_eq!(session.get("Accounts/actions/count").json()["count"], 1_000_000);
    assert_eq!(session.get("Accounts?fields=Deal_Count").data()[0]["Deal_Count"], 1);
    let query = "select id, Modified_Time from Deals where (Modified_Time >= '2026-10-30T00:00:00+09:00' and id > '0') \
                 order by Modified_Time asc, id asc limit 2000";
    assert!(session.coql(query).data().len() > 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_org_is_controlled_over_http() {
    let session = Session::with(0).await;
    let made = sim(&session, "insert", json!({"module": "Accounts", "fields": {"Account_Name": "外から"}})).json();
    let id = made["id"].clone();
    let phase = json!({"api_name": "Phase", "type": "picklist", "choices": [{"actual": "a", "display": "導入"}]});
    for (action, body) in [
        ("advance", json!({"seconds": 60})),
        ("update", json!({"module": "Accounts", "id": id, "fields": {"Fax": "03"}})),
        ("add_field", json!({"module": "Accounts", "field": phase})),
        (
            "change_formula",
            json!({"module": "Accounts", "field": "ARR", "formula": {"times": {"field": "MRR", "factor": "13"}}}),
        ),
        ("fault", json!({"spec": "503@/org"})),
        ("assume", json!({"hypotheses": {"unknown_id": "not_found"}})),
        ("bulk", json!({"options": {"running_polls": 3}})),
        ("credits", json!({"credits": 500})),
        ("access", json!({"module": "Deals", "access": "forbidden"})),
        ("add_module", json!({"spec": {"api_name": "Ledger", "fields": [{"api_name": "Name", "type": "text"}]}})),
    ] {
        let answer = sim(&session, action, body);
        assert_eq!(answer.status, 200, "{action}: {}", answer.text());
    }
    let look = |path: &str| send(&format!("{}/_sim/{path}", session.base), "GET", &[], b"").json();
    assert_eq!(look("truth?module=Accounts")["records"][0]["Fax"], "03");
    assert_eq!(look("truth?module=Accounts&at=2026-10-31T15:00:30Z")["records"][0]["Fax"], Value::Null);
    assert_eq!([1, 2].map(|_| session.get("org").status), [503, 200]);
    assert_eq!((session.get("Deals?fields=Stage").status, session.get("Accounts/1").status), (403, 404));
    assert!(sim(&session, "access_token", json!({"scope": "ZohoCRM.org.READ"})).json()["access_token"].is_string());
    assert_eq!(look("calls").as_array().unwrap().len(), 4);
    let unknown = sim(&session, "delete", json!({"module": "Accounts", "id": "99"}));
    assert_eq!((unknown.status, unknown.json()["error"].as_str()), (400, Some("99 is no id in Accounts")));
    assert_eq!(sim(&session, "delete", json!({"module": "Accounts", "id": id})).status, 200);
    assert_eq!(look("deletions?module=Accounts")["deletions"][0]["id"], id);
    assert_eq!(sim(&session, "nonsense", json!({})).json()["error"], "there is no action nonsense");
}
