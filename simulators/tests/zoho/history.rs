//! Lines 29 to 33: what was deleted, restored and merged, and what became of records.

use serde_json::{Value, json};
use simulators::zoho::{Formula, Options};

use crate::client::{Session, fields};

const DAY: i64 = 86_400;

fn stamp(session: &Session, module: &str, id: &str) -> Value {
    session.one(module, id)["Modified_Time"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn line_29_the_list_of_deleted_records_tells_both_kinds_in_no_order() {
    let session = Session::with(40).await;
    assert!(session.get("Accounts/deleted?type=all").is_empty(204));
    let ids = session.org.ids("Accounts").unwrap();
    for id in &ids[..20] {
        session.org.advance(60);
        session.org.delete("Accounts", id).unwrap();
    }
    session.org.advance(60);
    session.org.purge("Accounts", &ids[3]).unwrap();
    session.org.purge("Accounts", &ids[20]).unwrap();
    let all = session.get("Accounts/deleted?type=all");
    let names = ["deleted_by", "id", "display_name", "created_by", "type", "deleted_time"];
    assert_eq!(all.data()[0].as_object().unwrap().keys().collect::<Vec<_>>(), names);
    assert!(all.data().len() == 21 && !all.ids().is_sorted());
    let of = |kind: &str| session.get(&format!("Accounts/deleted?type={kind}")).data().len();
    assert_eq!((of("recycle"), of("permanent")), (19, 2));
    let late = session.since("Accounts/deleted?type=all", "2026-11-01T00:21:00+09:00").data();
    assert!(late.len() == 2 && late.iter().all(|entry| entry["type"] == "permanent"), "{late:?}");
    let page = |page: u64| session.get(&format!("Accounts/deleted?per_page=10&page={page}"));
    assert_eq!((1..=3).flat_map(|number| page(number).ids()).collect::<Vec<_>>(), all.ids());
    assert_eq!(page(1).info(), json!({"per_page": 10, "count": 10, "page": 1, "more_records": true}));
    assert!(session.since("Accounts/deleted", "2027-01-01T00:00:00Z").is_empty(204));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_30_the_bin_and_the_list_forget_with_time() {
    let mut session = Session::with(3).await;
    let id = session.org.ids("Accounts").unwrap()[0].clone();
    session.org.delete("Accounts", &id).unwrap();
    for (secs, kind) in [(60 * DAY - 1, "recycle"), (1, "permanent")] {
        session.org.advance(secs);
        session.renew();
        assert_eq!(session.get("Accounts/deleted").data()[0]["type"], kind);
    }
    session.org.restore("Accounts", &id).unwrap_err();
    session.org.advance(120 * DAY);
    session.renew();
    assert!(session.get("Accounts/deleted").is_empty(204));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_30_restoring_takes_a_record_off_the_list() {
    let session = Session::start(Options { records: 3, subscriptions: 3, ..Options::default() }).await;
    let id = session.org.ids("Subscriptions").unwrap()[0].clone();
    let before = stamp(&session, "Subscriptions", &id);
    for moves in [false, true] {
        session.org.assume(|open| open.restore_moves = moves);
        session.org.advance(60);
        session.org.delete("Subscriptions", &id).unwrap();
        assert!(session.get(&format!("Subscriptions/{id}")).is_empty(204));
        assert_eq!(session.org.truth("Licences").unwrap().len(), 4, "rows go with their record");
        session.org.restore("Subscriptions", &id).unwrap();
        assert!(session.get("Subscriptions/deleted").is_empty(204));
        assert_eq!(stamp(&session, "Subscriptions", &id) != before, moves);
        assert_eq!(session.one("Subscriptions", &id)["Licences"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_31_merging_deletes_losers_and_moves_what_belonged_to_them() {
    let session = Session::start(Options { records: 6, deals: 12, ..Options::default() }).await;
    let ids = session.org.ids("Accounts").unwrap();
    let deals = |id: &str| session.coql(&format!("select id from Deals where Account_Name = '{id}'"));
    let of_loser = deals(&ids[1]).ids();
    session.org.advance(60);
    session.org.merge("Accounts", &ids[0], &[&ids[1]]).unwrap();
    assert!(deals(&ids[1]).is_empty(204));
    assert_eq!(deals(&ids[0]).data().len(), 4);
    assert_eq!(session.get("Accounts/deleted").ids(), [ids[1].clone()]);
    for deal in of_loser {
        assert_eq!(stamp(&session, "Deals", &deal), "2026-11-01T00:01:00+09:00");
    }
    assert_eq!(session.one("Accounts", &ids[0])["Deal_Count"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_32_what_is_computed_moves_no_stamp() {
    let mut session = Session::start(Options { records: 2, deals: 4, ..Options::default() }).await;
    let id = session.org.ids("Accounts").unwrap()[0].clone();
    let before = session.one("Accounts", &id);
    session.org.advance(DAY);
    session.renew();
    let deal = json!({"Deal_Name": "追加", "Amount": 1_000, "Account_Name": id});
    session.org.insert("Deals", &fields(deal)).unwrap();
    let formula = Formula::Times { field: "Annual_Revenue".to_owned(), factor: "2".to_owned() };
    session.org.change_formula("Accounts", "ARR", formula).unwrap();
    let after = session.one("Accounts", &id);
    assert_eq!(after["Modified_Time"], before["Modified_Time"]);
    let number = |record: &Value, name: &str| record[name].as_i64().unwrap();
    assert_eq!(number(&after, "Deal_Count"), number(&before, "Deal_Count") + 1);
    assert_eq!(number(&after, "Deal_Total"), number(&before, "Deal_Total") + 1_000);
    assert_eq!(number(&after, "Days_To_Renewal"), number(&before, "Days_To_Renewal") - 1);
    assert_eq!(number(&after, "ARR"), 2 * number(&after, "Annual_Revenue"));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_32_whether_a_sub_form_moves_its_record_can_be_switched() {
    let session = Session::start(Options { records: 1, subscriptions: 1, ..Options::default() }).await;
    let id = session.org.ids("Subscriptions").unwrap()[0].clone();
    let before = stamp(&session, "Subscriptions", &id);
    for moves in [false, true] {
        session.org.assume(|open| open.subform_moves = moves);
        session.org.advance(60);
        session.update("Subscriptions", &id, json!({"Licences": [{"Plan": "プロ", "Seats": 7}]}));
        assert_eq!(session.one("Subscriptions", &id)["Licences"][0]["Seats"], 7);
        assert_eq!(stamp(&session, "Subscriptions", &id) != before, moves);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_33_deals_tell_their_stages_and_records_their_changes() {
    let mut session = Session::start(Options { records: 2, deals: 4, ..Options::default() }).await;
    let deal = json!({"Deal_Name": "新規 2027", "Stage": "Qualification", "Amount": 100});
    let deal = session.org.insert("Deals", &fields(deal)).unwrap();
    session.org.advance(3 * DAY);
    session.renew();
    session.org.set_stage(&deal, "Closed Won").unwrap();
    let asked = "Stage,Amount,Probability,Stage_Duration_Calendar_Days,Modified_Time,Modified_By";
    let history = || session.get(&format!("Deals/{deal}/Stage_History?fields={asked}")).data();
    let told: Vec<_> = history()
        .iter()
        .map(|row| [&row["Stage"], &row["Probability"], &row["Stage_Duration_Calendar_Days"]].map(Value::to_string))
        .collect();
    assert_eq!(told, [["\"Closed Won\"", "100", "null"], ["\"Qualification\"", "10", "3"]]);
    assert_eq!(session.org.stage_history(&deal).unwrap().len(), 2);
    session.org.change_silently("Deals", &deal, &fields(json!({"Stage": "Closed Lost"}))).unwrap();
    assert_eq!(history().len(), 2);
    let base = session.org.ids("Deals").unwrap()[0].clone();
    let rows = session.get(&format!("Deals/{base}/Stage_History?fields=Stage")).data();
    assert_eq!((rows.len(), &rows[0]["Stage"]), (2, &session.one("Deals", &base)["Stage"]));
    assert_eq!(session.all("DealHistory?fields=Stage,Parent_Id").len(), 2 * 4 + 2);
    session.org.assume(|open| open.deal_history_module = false);
    assert_eq!(session.get("DealHistory?fields=Stage").error().1, "INVALID_MODULE");
    let timeline = session.get(&format!("Deals/{deal}/__timeline")).json()["__timeline"].clone();
    assert_eq!((&timeline[0]["action"], &timeline[1]["action"]), (&json!("updated"), &json!("added")));
    let change = &timeline[0]["field_history"][0];
    assert_eq!(change["api_name"], "Stage");
    assert_eq!(change["_value"], json!({"old": "Qualification", "new": "Closed Won"}));
    assert_eq!(timeline[0]["record"]["id"], deal.as_str());
    for amount in [200, 300] {
        session.update("Deals", &deal, json!({ "Amount": amount }));
    }
    let timeline = session.get(&format!("Deals/{deal}/__timeline")).json()["__timeline"].clone();
    let values: Vec<&Value> = (0..2).map(|nth| &timeline[nth]["field_history"][0]["_value"]).collect();
    assert_eq!(values, [&json!({"old": "200", "new": "300"}), &json!({"old": "100", "new": "200"})]);
    let account = session.org.ids("Accounts").unwrap()[0].clone();
    assert_eq!(session.get(&format!("Accounts/{account}/Deals?fields=Stage")).data().len(), 2);
}
