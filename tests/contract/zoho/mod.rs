//! The Zoho CRM connector against the simulated org.

mod world;

use std::collections::BTreeSet;

use nenrin::connect::{Few, ReadMode};
use nenrin::error::ErrorKind;
use nenrin::record::DeleteKind;
use serde_json::{Value, json};
use simulators::zoho::{Access, BulkOptions, FieldSpec, Fields, Options, Org, Server, parse_fault};

pub(crate) use world::SYSTEM;

use super::reader::{Known, Reader};

const DAY: i64 = 86_400;

struct Bench {
    org: Org,
    config: Value,
    stream: &'static str,
    reader: Reader,
    _server: Server,
}

impl Bench {
    async fn of(options: Options, stream: &'static str) -> Bench {
        Bench::with(options, stream, json!(stream)).await
    }

    async fn with(options: Options, stream: &'static str, settings: Value) -> Bench {
        let server = Server::start(options).await.unwrap();
        let credentials = server.credentials();
        let config = json!({
            "accounts_url": credentials["accounts_url"],
            "auth": {
                "client_id": credentials["client_id"],
                "client_secret": credentials["client_secret"],
                "refresh_token": credentials["refresh_token"],
            },
            "streams": [settings],
        });
        let reader = Reader::new("zoho", config.clone(), stream);
        Bench { org: server.org(), config, stream, reader, _server: server }
    }

    /// Another reader of the same org and stream.
    fn reader_with(&self, change: impl FnOnce(&mut Value)) -> Reader {
        let mut config = self.config.clone();
        change(&mut config);
        Reader::new("zoho", config, self.stream)
    }

    /// A reader of another module of the same org.
    fn reader_of(&self, module: &'static str) -> Reader {
        let mut config = self.config.clone();
        config["streams"] = json!([module]);
        Reader::new("zoho", config, module)
    }

    /// The stream as it is read by each interface.
    async fn by_each_interface(&self) -> [Reader; 3] {
        let mut readers =
            ["auto", "rest", "bulk"].map(|transport| self.reader_with(|config| config["transport"] = json!(transport)));
        for reader in &mut readers {
            reader.run().await.unwrap();
        }
        readers
    }

    /// Requests whose line contains all of `parts`.
    fn calls(&self, parts: &[&str]) -> usize {
        let line = |call: &simulators::zoho::Call| format!("{} {}?{}", call.method, call.path, call.query);
        self.org.calls().iter().filter(|call| parts.iter().all(|part| line(call).contains(part))).count()
    }

    /// Fails unless the records that were read are those of the org, with these values.
    fn assert_true(&self, reader: &Reader, names: &[&str]) {
        let truth = self.org.truth(self.stream).unwrap();
        let living: BTreeSet<&str> = truth.iter().map(|row| row["id"].as_str().unwrap()).collect();
        for id in &living {
            assert!(reader.known.contains_key(*id), "{id} was not read");
        }
        for (key, known) in &reader.known {
            assert_eq!(known.deleted.is_none(), living.contains(key.as_str()), "{key}");
        }
        for row in &truth {
            let known = &reader.known[row["id"].as_str().unwrap()];
            for name in names {
                let expected = match &row[*name] {
                    Value::Null => None,
                    Value::String(text) => Some(text.clone()),
                    other => Some(other.to_string()),
                };
                assert_eq!(known.values[*name], expected, "{name}");
            }
        }
    }
}

fn fields(value: Value) -> Fields {
    value.as_object().unwrap().clone()
}

fn value<'a>(reader: &'a Reader, key: &str, name: &str) -> Option<&'a str> {
    reader.known[key].values[name].as_deref()
}

#[tokio::test]
async fn lesson_1_a_list_is_read_beyond_two_thousand_records() {
    let mut bench = Bench::of(Options { records: 2_350, imported: 1_500, ..Options::default() }, "Accounts").await;
    bench.reader.change(|config| config["transport"] = json!("rest"));
    bench.reader.run().await.unwrap();
    bench.assert_true(&bench.reader, &["Account_Name", "Phone"]);
    assert_eq!((bench.calls(&["/coql"]), bench.calls(&["actions/count"])), (0, 1));
    assert_eq!(bench.calls(&["page_token="]), 11);
    // Changes too: all of them in one second, while the places in lists are forgotten.
    bench.org.advance(3_600);
    bench.org.mass_update("Accounts", &fields(json!({ "Description": "一括" }))).unwrap();
    bench.org.advance(120);
    bench.org.before("page_token=", 3, |org| org.drop_page_tokens());
    bench.reader.run().await.unwrap();
    bench.assert_true(&bench.reader, &["Description"]);
}

#[tokio::test]
async fn lesson_2_a_module_without_a_time_of_change_is_read_whole_in_every_run() {
    let options = Options { records: 30, subscriptions: 20, ..Options::default() };
    let mut bench = Bench::of(options, "Subscriptions_X_Accounts").await;
    let accounts = bench.org.ids("Accounts").unwrap();
    let contract = bench.org.ids("Subscriptions").unwrap()[3].clone();
    let partners = |ids: &[String]| fields(json!({ "Partners": ids }));
    bench.org.update("Subscriptions", &contract, &partners(&accounts[..3])).unwrap();
    bench.reader.run().await.unwrap();
    bench.assert_true(&bench.reader, &["Subscriptions", "Partners"]);
    assert_eq!(bench.reader.known.len(), 3);
    bench.org.advance(600);
    bench.org.update("Subscriptions", &contract, &partners(&accounts[2..7])).unwrap();
    bench.reader.run().await.unwrap();
    bench.assert_true(&bench.reader, &["Subscriptions", "Partners"]);
}

#[tokio::test]
async fn lesson_4_one_module_that_cannot_be_read_ends_nothing() {
    let mut bench = Bench::of(Options { records: 5, ..Options::default() }, "Accounts").await;
    bench.reader.change(|config| {
        config["streams"] = json!(["Functions__s", "CTI_Entry", "Email_Analytics", "Accounts"]);
    });
    let source = bench.reader.open().await;
    let findings = source.check().await;
    let shown: Vec<(bool, &str)> = findings.iter().map(|found| (found.ok, found.what.as_str())).collect();
    assert_eq!(
        shown,
        [
            (true, "credentials"),
            (false, "module Functions__s"),
            (false, "module CTI_Entry"),
            (true, "module Email_Analytics"),
            (true, "module Accounts")
        ],
        "{findings:#?}"
    );
    assert!(findings[0].detail.starts_with("org "), "{}", findings[0].detail);
    let others = source.others().await.unwrap();
    let named = |name: &str| others.streams.iter().find(|offered| offered.name == name);
    assert_eq!(named("Deals").unwrap().label.as_deref(), Some("商談"));
    assert!(named("Accounts").is_none() && named("Licences").unwrap().is_minor);
    let error = source.describe("Functions__s").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(source.describe_other("Deals").await.unwrap().stamp.as_deref(), Some("Modified_Time"));
}

#[tokio::test]
async fn lesson_5_and_8_a_hundred_and_twenty_fields_are_read_in_parts_and_none_is_lost() {
    let mut bench = Bench::of(Options { wide: 450, ..Options::default() }, "Health_Checks").await;
    bench.reader.run().await.unwrap();
    bench.assert_true(&bench.reader, &["Name", "Check_001", "Check_060", "Check_061", "Check_117", "Check_120"]);
    assert_eq!(bench.reader.known.values().next().unwrap().values.len(), 128);
    // 125 columns beside key and stamp, 48 a part.
    assert_eq!(bench.calls(&["/coql", "order by"]), 3);
}

#[tokio::test]
async fn lesson_5_records_that_change_between_the_parts_of_a_page_are_read_again_whole() {
    for transport in ["auto", "rest"] {
        let bench = Bench::of(Options { wide: 60, ..Options::default() }, "Health_Checks").await;
        let mut reader = bench.reader_with(|config| config["transport"] = json!(transport));
        let ids = bench.org.ids("Health_Checks").unwrap();
        let (changed, gone) = (ids[7].clone(), ids[8].clone());
        let pattern = if transport == "auto" { "/coql*order by" } else { "/Health_Checks?" };
        bench.org.before(pattern, 2, move |org| {
            let both = fields(json!({ "Check_001": "前", "Check_117": "後" }));
            org.update("Health_Checks", &changed, &both).unwrap();
            org.delete("Health_Checks", &gone).unwrap();
        });
        reader.run().await.unwrap();
        assert_eq!(
            (value(&reader, &ids[7], "Check_001"), value(&reader, &ids[7], "Check_117")),
            (Some("前"), Some("後"))
        );
        assert!(!reader.known.contains_key(&ids[8]), "{transport}");
        bench.assert_true(&reader, &["Name", "Check_120"]);
    }
}

#[tokio::test]
async fn lesson_7_the_three_interfaces_give_equal_records() {
    let options = Options { records: 260, deals: 90, subscriptions: 40, wide: 30, ..Options::default() };
    for (stream, seed) in [("Accounts", 1), ("Accounts", 2), ("Deals", 1), ("Subscriptions", 2), ("Health_Checks", 1)] {
        let bench = Bench::of(Options { seed, extra_keys: seed == 2, ..options.clone() }, stream).await;
        bench.org.assume(|open| {
            open.coql_names = seed == 2;
            open.none_placeholder = seed == 2;
            open.multiselect_null = seed == 1;
            open.whole_with_point = seed == 2;
        });
        bench.org.set_bulk(BulkOptions { separator: if seed == 1 { ';' } else { '|' }, ..BulkOptions::default() });
        if stream == "Accounts" {
            let id = &bench.org.ids("Accounts").unwrap()[5];
            let given = json!({ "Remarks": "年輪 ".repeat(900), "Tag": ["重要", "VIP"], "Description": "改行\n\"引用\", 以上" });
            bench.org.update("Accounts", id, &fields(given)).unwrap();
        }
        let [query, list, job] = bench.by_each_interface().await;
        assert!(!query.known.is_empty());
        for (key, known) in &query.known {
            assert_same(known, &list.known[key], stream);
            assert_same(known, &job.known[key], stream);
        }
        assert_eq!((query.known.len(), list.known.len()), (list.known.len(), job.known.len()));
        assert_eq!(bench.calls(&["POST /crm/bulk/v8/read"]), 1);
    }
}

fn assert_same(one: &Known, other: &Known, stream: &str) {
    assert_eq!(one.values.keys().collect::<Vec<_>>(), other.values.keys().collect::<Vec<_>>(), "{stream}");
    for (name, value) in &one.values {
        assert_eq!(*value, other.values[name], "{stream} {name}");
    }
}

#[tokio::test]
async fn lesson_7_formulas_are_read_again_after_some_days_though_no_stamp_moves() {
    let mut bench = Bench::of(Options { records: 20, deals: 30, ..Options::default() }, "Accounts").await;
    bench.reader.run().await.unwrap();
    let id = bench.org.ids("Accounts").unwrap()[4].clone();
    let count: u32 = value(&bench.reader, &id, "Deal_Count").unwrap().parse().unwrap();
    let deal = json!({ "Deal_Name": "追加", "Stage": "Qualification", "Account_Name": id });
    bench.org.insert("Deals", &fields(deal)).unwrap();
    for (secs, more) in [(3_600, 0), (7 * DAY, 1)] {
        bench.org.advance(secs);
        bench.reader.run().await.unwrap();
        assert_eq!(value(&bench.reader, &id, "Deal_Count"), Some((count + more).to_string().as_str()));
    }
}

#[tokio::test]
async fn fields_that_no_query_shows_are_had_from_lists() {
    let mut bench = Bench::of(Options { records: 3, ..Options::default() }, "Tasks").await;
    let account = bench.org.ids("Accounts").unwrap()[0].clone();
    let what = json!({ "name": "会社", "id": account });
    for n in 0..130 {
        let task =
            json!({ "Subject": format!("作業{n}"), "What_Id": what, "Recurring_Activity": { "RRULE": "FREQ=DAILY" } });
        bench.org.insert("Tasks", &fields(task)).unwrap();
    }
    let [query, list, job] = bench.by_each_interface().await;
    for (key, known) in &query.known {
        assert_same(known, &list.known[key], "Tasks");
        assert_same(known, &job.known[key], "Tasks");
        assert_eq!(known.values["Recurring_Activity"].as_deref(), Some(r#"{"RRULE":"FREQ=DAILY"}"#));
        assert!(known.values["What_Id"].as_deref().unwrap().contains(&account));
    }
    assert_eq!(query.known.len(), 130);
    // A type that is described as one that queries show, and that they refuse.
    let odd = FieldSpec {
        declared: Some("rich_thing".to_owned()),
        ..FieldSpec::new("Odd", "不明", simulators::zoho::FieldType::Raw)
    };
    bench.org.add_field("Tasks", odd).unwrap();
    let id = bench.org.ids("Tasks").unwrap()[9].clone();
    bench.org.update("Tasks", &id, &fields(json!({ "Odd": { "b": 1, "a": [null] } }))).unwrap();
    bench.reader.run().await.unwrap();
    assert_eq!(value(&bench.reader, &id, "Odd"), Some(r#"{"a":[null],"b":1}"#));
}

#[tokio::test]
async fn without_the_scope_for_queries_lists_are_read() {
    let mut bench = Bench::of(Options { records: 250, ..Options::default() }, "Accounts").await;
    let scopes = "ZohoCRM.modules.READ,ZohoCRM.settings.READ,ZohoCRM.org.READ";
    let token = bench.org.consent(Some(scopes));
    bench.reader.change(|config| config["auth"]["refresh_token"] = json!(token));
    bench.reader.run().await.unwrap();
    bench.assert_true(&bench.reader, &["Account_Name"]);
    bench.org.advance(3_600);
    let id = bench.org.ids("Accounts").unwrap()[7].clone();
    bench.org.update("Accounts", &id, &fields(json!({ "Description": "変更" }))).unwrap();
    bench.org.advance(120);
    bench.reader.run().await.unwrap();
    assert_eq!(value(&bench.reader, &id, "Description"), Some("変更"));
    assert_eq!(bench.calls(&["/coql"]), 2, "tried once in each run");
}

#[tokio::test]
async fn lesson_14_runs_share_one_access_token() {
    let mut bench = Bench::of(Options { records: 5, ..Options::default() }, "Accounts").await;
    for _ in 0..15 {
        bench.reader.run().await.unwrap();
        bench.org.advance(60);
    }
    assert_eq!(bench.org.refresh_count(), 1);
}

#[tokio::test]
async fn leads_that_are_converted_or_wait_for_approval_are_records_all_the_same() {
    for transport in ["auto", "rest"] {
        let mut bench = Bench::of(Options { leads: 120, ..Options::default() }, "Leads").await;
        bench.reader.change(|config| config["transport"] = json!(transport));
        bench.reader.run().await.unwrap();
        bench.assert_true(&bench.reader, &["Company", "Converted__s"]);
    }
}

#[tokio::test]
async fn large_modules_are_read_by_jobs_and_small_ones_are_not() {
    let mut bench = Bench::of(Options { records: 3_100, ..Options::default() }, "Accounts").await;
    bench.reader.change(|config| config["bulk_from"] = json!(3_000));
    bench.org.set_bulk(BulkOptions { page_rows: 1_300, ..BulkOptions::default() });
    let run = bench.reader.run().await.unwrap();
    bench.assert_true(&bench.reader, &["Account_Name", "Phone", "ARR"]);
    // A job for each 1,300 records.
    assert_eq!((run.read, bench.calls(&["POST /crm/bulk"]), bench.calls(&["/result"])), (3_100, 3, 3));
    assert_eq!(bench.calls(&["/coql", "order by"]), 0);
    let mut small = bench.reader_with(|config| config["bulk_from"] = json!(3_101));
    small.run().await.unwrap();
    assert_eq!((bench.calls(&["POST /crm/bulk"]), bench.calls(&["/coql", "order by"])), (3, 2));
}

#[tokio::test]
async fn a_job_that_fails_or_lacks_records_is_made_good_for_by_queries() {
    for fault in [
        "job-fails@GET*/bulk/v8/read",
        "lose=3@/result",
        "ragged@/result",
        "code=RESOURCE_NOT_FOUND@/result",
        "code=NO_PERMISSION@POST*/bulk",
    ] {
        let mut bench = Bench::of(Options { records: 60, ..Options::default() }, "Accounts").await;
        bench.reader.change(|config| config["transport"] = json!("bulk"));
        bench.org.arm(parse_fault(fault).unwrap());
        bench.reader.run().await.unwrap();
        bench.assert_true(&bench.reader, &["Account_Name"]);
        assert_eq!(bench.calls(&["/coql", "order by"]), 1, "{fault}");
    }
    // What is cut or fails for a moment is fetched again.
    for fault in
        ["cut-json=300@/result", "cut-length=300@/result", "503@/result", "empty=200@/result", "html=200@/result"]
    {
        let mut bench = Bench::of(Options { records: 60, ..Options::default() }, "Accounts").await;
        bench.reader.change(|config| config["transport"] = json!("bulk"));
        bench.org.arm(parse_fault(fault).unwrap());
        bench.reader.run().await.unwrap();
        bench.assert_true(&bench.reader, &["Account_Name"]);
        assert_eq!((bench.calls(&["/coql", "order by"]), bench.calls(&["/result"])), (0, 2), "{fault}");
    }
}

#[tokio::test]
async fn a_run_that_dies_goes_on_with_its_job() {
    let mut bench = Bench::of(Options { records: 4_000, ..Options::default() }, "Accounts").await;
    bench.reader.change(|config| config["transport"] = json!("bulk"));
    for pages in 0..6 {
        bench.reader.run_with(ReadMode::Incremental, 1, |_| ()).await.unwrap();
        assert!(bench.calls(&["POST /crm/bulk"]) <= 1, "{pages}");
    }
    bench.reader.run().await.unwrap();
    bench.assert_true(&bench.reader, &["Account_Name"]);
    assert_eq!(bench.calls(&["POST /crm/bulk"]), 1);
}

#[tokio::test]
async fn deletions_are_told_by_a_list_of_many_pages_and_once() {
    let mut bench = Bench::of(Options { records: 700, ..Options::default() }, "Accounts").await;
    bench.reader.run().await.unwrap();
    bench.org.advance(3_600);
    let ids = bench.org.ids("Accounts").unwrap();
    for (n, id) in ids.iter().take(450).enumerate() {
        bench.org.delete("Accounts", id).unwrap();
        if n % 2 == 0 {
            bench.org.purge("Accounts", id).unwrap();
        }
    }
    bench.org.advance(600);
    bench.org.clear_calls();
    bench.reader.run().await.unwrap();
    bench.assert_true(&bench.reader, &["Account_Name"]);
    assert!(bench.reader.known.values().filter(|known| known.deleted == Some(DeleteKind::Deleted)).count() == 450);
    assert_eq!(bench.calls(&["/deleted"]), 3);
}

#[tokio::test]
async fn what_comes_back_from_the_recycle_bin_is_found_whether_its_stamp_moves_or_not() {
    for restore_moves in [false, true] {
        let mut bench = Bench::of(Options { records: 30, ..Options::default() }, "Accounts").await;
        bench.org.assume(|open| open.restore_moves = restore_moves);
        bench.reader.run().await.unwrap();
        let id = bench.org.ids("Accounts").unwrap()[7].clone();
        bench.org.advance(3_600);
        bench.org.delete("Accounts", &id).unwrap();
        bench.org.advance(900);
        bench.reader.run().await.unwrap();
        assert_eq!(bench.reader.known[&id].deleted, Some(DeleteKind::Deleted));
        bench.org.restore("Accounts", &id).unwrap();
        bench.org.advance(900);
        bench.reader.run().await.unwrap();
        assert_eq!(bench.reader.known[&id].deleted.is_none(), restore_moves);
        bench.org.advance(7 * DAY);
        bench.reader.run().await.unwrap();
        bench.assert_true(&bench.reader, &["Account_Name"]);
    }
}

#[tokio::test]
async fn losers_of_a_merge_are_deleted_and_their_children_are_the_winners() {
    let options = Options { records: 10, contacts: 30, ..Options::default() };
    let mut bench = Bench::of(options, "Contacts").await;
    let mut accounts = Reader::new(
        "zoho",
        {
            let mut config = bench.config.clone();
            config["streams"] = json!(["Accounts"]);
            config
        },
        "Accounts",
    );
    bench.reader.run().await.unwrap();
    accounts.run().await.unwrap();
    bench.org.advance(3_600);
    let ids = bench.org.ids("Accounts").unwrap();
    bench.org.merge("Accounts", &ids[0], &[&ids[1]]).unwrap();
    bench.org.advance(120);
    bench.reader.run().await.unwrap();
    accounts.run().await.unwrap();
    assert_eq!(accounts.known[&ids[1]].deleted, Some(DeleteKind::Deleted));
    bench.assert_true(&bench.reader, &["Account_Name"]);
}

#[tokio::test]
async fn a_look_at_a_few_records_costs_one_request() {
    let mut bench = Bench::of(Options { records: 250, wide: 30, ..Options::default() }, "Accounts").await;
    let source = bench.reader.open().await;
    let stream = source.describe("Accounts").await.unwrap();
    let few = source.sample(&stream, Few::First(20)).await.unwrap();
    assert_eq!((few.len(), bench.calls(&["/Accounts?"])), (20, 1));
    let key = few.heads()[3].key.clone();
    let one = source.sample(&stream, Few::Key(&key)).await.unwrap();
    assert_eq!((one.len(), one.heads()[0].key.as_str()), (1, key.as_str()));
    for nobody in ["会社", "1", "4876876000000333001"] {
        assert!(source.sample(&stream, Few::Key(nobody)).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn an_expired_token_that_answers_with_nothing_is_renewed() {
    let mut bench = Bench::of(Options { records: 20, ..Options::default() }, "Accounts").await;
    bench.org.assume(|open| open.expired_silently = true);
    bench.reader.run().await.unwrap();
    bench.org.advance(7_200);
    bench.org.expire_sessions();
    bench.reader.run().await.unwrap();
    bench.assert_true(&bench.reader, &["Account_Name"]);
    assert_eq!(bench.org.refresh_count(), 2);
}

#[tokio::test]
async fn a_module_that_is_closed_in_mid_run_stops_its_stream() {
    let mut bench = Bench::of(Options { records: 5, ..Options::default() }, "Accounts").await;
    bench.reader.run().await.unwrap();
    bench.org.set_access("Accounts", Access::Forbidden).unwrap();
    let error = bench.reader.run_with(ReadMode::Full, usize::MAX, |_| ()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission, "{}", error.render());
    assert!(bench.reader.known.values().all(|known| known.deleted.is_none()));
}

/// Fails unless what was read of the stages of deals is what the org's history says.
fn assert_stages(bench: &Bench) -> usize {
    let mut told = 0;
    for deal in bench.org.ids("Deals").unwrap() {
        for row in bench.org.stage_history(&deal).unwrap() {
            let key = row["id"].as_str().unwrap();
            assert!(bench.reader.known.contains_key(key), "{key} was not read");
            assert_eq!(value(&bench.reader, key, "Deal"), Some(deal.as_str()));
            for name in ["Stage", "Amount", "Probability", "Closing_Date"] {
                assert_eq!(value(&bench.reader, key, name), row[name].as_str(), "{name}");
            }
            told += 1;
        }
    }
    assert_eq!(bench.reader.known.len(), told);
    told
}

#[tokio::test]
async fn lesson_9_the_stages_of_deals_are_read_as_facts_from_the_module_or_deal_by_deal() {
    for is_module in [true, false] {
        let settings = json!({ "name": "Deals", "stage_history": true });
        let options = Options { records: 40, deals: 110, ..Options::default() };
        let mut bench = Bench::with(options, "Deals.Stage_History", settings).await;
        bench.org.assume(|open| open.deal_history_module = is_module);
        bench.reader.run().await.unwrap();
        assert_eq!(assert_stages(&bench), 220);
        // Deal by deal: one request each, and none of those that did not change.
        assert_eq!(bench.calls(&["/Stage_History"]), if is_module { 0 } else { 110 });
        bench.org.advance(3_600);
        let deal = bench.org.ids("Deals").unwrap()[9].clone();
        bench.org.set_stage(&deal, "Closed Lost").unwrap();
        bench.org.advance(120);
        bench.org.clear_calls();
        bench.reader.run().await.unwrap();
        assert_eq!(assert_stages(&bench), 221);
        assert_eq!(bench.calls(&["/Stage_History"]), usize::from(!is_module));
        // What Zoho forgets of it we keep: nothing is read whole once more.
        bench.org.advance(30 * DAY);
        bench.reader.run().await.unwrap();
        assert!(bench.reader.known.values().all(|known| known.deleted.is_none()));
    }
}

#[tokio::test]
async fn lesson_9_and_12_rows_of_a_sub_form_are_read_by_single_reads_of_what_changed() {
    let settings = json!({ "name": "Subscriptions", "subforms": ["Licences"] });
    let options = Options { records: 30, subscriptions: 130, ..Options::default() };
    let mut bench = Bench::with(options, "Subscriptions.Licences", settings).await;
    let single = |bench: &Bench| bench.calls(&["GET /crm/v8/Subscriptions/"]);
    let assert_rows = |bench: &Bench| {
        let truth = bench.org.truth("Licences").unwrap();
        let living: BTreeSet<&str> = truth.iter().map(|row| row["id"].as_str().unwrap()).collect();
        for (key, known) in &bench.reader.known {
            assert_eq!(known.deleted.is_none(), living.contains(key.as_str()), "{key}");
        }
        for row in &truth {
            let key = row["id"].as_str().unwrap();
            for name in ["Plan", "Seats", "Monthly_Fee", "Parent_Id"] {
                assert_eq!(value(&bench.reader, key, name), row[name].as_str(), "{name}");
            }
        }
        truth.len()
    };
    bench.reader.run().await.unwrap();
    assert_eq!((assert_rows(&bench), single(&bench)), (260, 130));
    bench.org.advance(3_600);
    bench.org.assume(|open| open.subform_moves = true);
    let contract = bench.org.ids("Subscriptions").unwrap()[7].clone();
    let record = bench.org.record("Subscriptions", &contract).unwrap().unwrap();
    let first = record["Licences"][0]["id"].clone();
    let rows = json!([{ "id": first, "Seats": 77 }, { "Plan": "プロ", "Seats": 5, "Monthly_Fee": 9_000 }]);
    bench.org.update("Subscriptions", &contract, &fields(json!({ "Licences": rows }))).unwrap();
    bench.org.advance(120);
    bench.org.clear_calls();
    bench.reader.run().await.unwrap();
    assert_eq!(single(&bench), 1);
    assert_eq!(value(&bench.reader, first.as_str().unwrap(), "Seats"), Some("77"));
    // The row that was taken out, and a change that moved no stamp, are found when all is read again.
    bench.org.assume(|open| open.subform_moves = false);
    let rows = json!([{ "id": first, "Seats": 78 }]);
    bench.org.update("Subscriptions", &contract, &fields(json!({ "Licences": rows }))).unwrap();
    bench.org.advance(7 * DAY);
    bench.reader.run().await.unwrap();
    assert_eq!(assert_rows(&bench), 259);
    let source = bench.reader.open().await;
    let stream = source.describe("Subscriptions.Licences").await.unwrap();
    assert_eq!(source.sample(&stream, Few::First(5)).await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_sub_form_that_shows_only_some_of_its_rows_is_refused() {
    let settings = json!({ "name": "Subscriptions", "subforms": ["Licences"] });
    let options = Options { records: 3, subscriptions: 5, ..Options::default() };
    let mut bench = Bench::with(options, "Subscriptions.Licences", settings).await;
    bench.org.assume(|open| open.subform_cut = 1);
    let error = bench.reader.run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadData);
    // Its module can be read as it is.
    let mut rows = bench.reader_of("Licences");
    rows.run().await.unwrap();
    assert_eq!(rows.known.len(), 10);
}
