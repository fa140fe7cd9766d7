//! Salesforce's Bulk API 2.0 and log of deletions, against the simulated org.

use std::collections::BTreeMap;

use nenrin::connect::ReadMode;
use nenrin::record::{DeleteKind, Reading};
use serde_json::{Value, json};
use simulators::salesforce::{BulkOptions, Fault, FaultKind, Fields, Options, Org, Server};

use super::reader::Reader;

struct Bench {
    org: Org,
    config: Value,
    reader: Reader,
    _server: Server,
}

impl Bench {
    /// An org of `records` accounts, read by a job when 1,000 or more are left.
    async fn of(records: u64) -> Bench {
        let server = Server::start(Options { records, ..Options::default() }).await.unwrap();
        let credentials = server.credentials();
        let config = json!({
            "login_url": credentials["login_url"],
            "auth": { "client_id": credentials["client_id"], "client_secret": credentials["client_secret"] },
            "streams": ["Account"],
            "bulk_from": 1_000,
        });
        let reader = Reader::new("salesforce", config.clone(), "Account");
        Bench { org: server.org(), config, reader, _server: server }
    }

    fn reader_by(&self, transport: &str) -> Reader {
        let mut config = self.config.clone();
        config["transport"] = json!(transport);
        Reader::new("salesforce", config, "Account")
    }

    /// Requests whose line contains all of `parts`.
    fn calls(&self, parts: &[&str]) -> usize {
        let line = |call: &simulators::salesforce::Call| format!("{} {}?{}", call.method, call.path, call.query);
        self.org.calls().iter().filter(|call| parts.iter().all(|part| line(call).contains(part))).count()
    }

    /// Fails unless the reader knows every account of the org, and which of them are gone.
    fn assert_true(&self, what: &str) {
        let truth = self.org.truth("Account").unwrap();
        let of_truth: BTreeMap<&str, bool> =
            truth.iter().map(|row| (row["Id"].as_str().unwrap(), row["IsDeleted"] == true)).collect();
        let known: BTreeMap<&str, bool> = self
            .reader
            .known
            .iter()
            .filter(|(key, _)| of_truth.contains_key(key.as_str()))
            .map(|(key, known)| (key.as_str(), known.deleted.is_some()))
            .collect();
        assert_eq!(known, of_truth, "{what}");
        for (key, known) in &self.reader.known {
            assert!(of_truth.contains_key(key.as_str()) || known.deleted.is_some(), "{what}: {key}");
        }
    }
}

fn fields(value: Value) -> Fields {
    value.as_object().unwrap().clone()
}

const JOBS: &str = "/jobs/query";

#[tokio::test]
async fn a_large_first_load_takes_one_page_by_rest_and_the_rest_by_a_job() {
    let mut bench = Bench::of(30_000).await;
    let run = bench.reader.run().await.unwrap();
    bench.assert_true("first load");
    assert_eq!((run.read, run.pages.last().unwrap().source_total), (30_000, Some(30_000)));
    let results = bench.calls(&["GET", JOBS, "/results"]);
    // The clock, a page, the job, two questions how it is doing, and its pages.
    assert_eq!(run.requests as usize, 1 + 1 + 1 + 2 + results);
    let columns = run.pages[0].records.fields().len();
    assert_eq!(results, 28_000_usize.div_ceil((500_000 / columns).clamp(1_000, 50_000)));
    assert_eq!(bench.calls(&["GET", "/queryAll"]), 1);
    // What is read next is a window again, and small.
    bench.org.advance(3_600);
    let run = bench.reader.run().await.unwrap();
    assert!(matches!(run.pages[0].reading, Some(Reading::Window { .. })));
    assert_eq!((run.requests, bench.calls(&["POST", JOBS])), (2, 1));
}

#[tokio::test]
async fn b7_a_record_is_the_same_by_rest_and_by_bulk_whatever_the_documents_leave_open() {
    let bench = Bench::of(50).await;
    let odd = [
        json!({ "Name": "青空\"商事\", Ltd.\r\n二行目 🌳𠮷", "Site": "N/A", "MRR__c": "123456789012345.67", "Description": "x".repeat(32_000) }),
        json!({ "Name": "=1+1", "Site": "null", "MRR__c": "0.10", "Website": "https://例え.jp/?a=1,2&b=\"c\"" }),
        json!({ "Name": "  spaces  ", "Site": "", "MRR__c": null }),
    ];
    for row in odd {
        bench.org.insert("Account", &fields(row)).unwrap();
    }
    let mut by_rest = bench.reader_by("rest");
    by_rest.run().await.unwrap();
    assert_eq!(by_rest.known.len(), 53);
    let variants: [fn(&mut BulkOptions); 5] = [
        |_| (),
        |bulk| bulk.datetime_offset = true,
        |bulk| bulk.header_once = true,
        |bulk| bulk.page_size = 7,
        |bulk| (bulk.header_once, bulk.page_size, bulk.running_polls) = (true, 10, 4),
    ];
    for (number, variant) in variants.into_iter().enumerate() {
        bench.org.set_bulk(|bulk| {
            *bulk = BulkOptions::default();
            variant(bulk);
        });
        let mut by_bulk = bench.reader_by("bulk");
        let run = by_bulk.run().await.unwrap();
        assert_eq!(run.read, 53, "variant {number}");
        assert_eq!(by_bulk.known, by_rest.known, "variant {number}");
    }
    assert_eq!(bench.calls(&["POST", JOBS]), 5);
}

#[tokio::test]
async fn an_object_without_rows_is_read_by_a_job_too() {
    for without_header in [false, true] {
        let bench = Bench::of(0).await;
        bench.org.set_bulk(|bulk| bulk.empty_without_header = without_header);
        let run = bench.reader_by("bulk").run().await.unwrap();
        assert_eq!((run.read, bench.calls(&["GET", JOBS, "/results"])), (0, 1));
    }
}

#[tokio::test]
async fn every_fault_of_a_job_is_overcome_without_losing_a_row() {
    let faults: [(&str, FaultKind, &str, u64); 9] = [
        (
            "a job that fails",
            FaultKind::JobFails("Unexpected exception encountered in query processing".into()),
            "POST*/jobs/query",
            1,
        ),
        (
            "a job struck while it runs",
            FaultKind::JobFails("Unexpected exception encountered in query processing".into()),
            "GET*/jobs/query/750",
            2,
        ),
        ("rows that are not in the result", FaultKind::Lose(3), "/results", 1),
        ("a count of rows that are not there", FaultKind::Phantoms(5), "/results", 1),
        ("a job that counts rows that are not there", FaultKind::Phantoms(5), "GET*/jobs/query/750", 2),
        ("no word whether there is more", FaultKind::NoLocator, "/results", 1),
        ("a page cut off", FaultKind::CutLength(400), "/results", 2),
        ("a page that ends in the middle", FaultKind::CutJson(400), "/results", 1),
        ("no answer", FaultKind::Reset, "/results", 1),
    ];
    for (what, kind, pattern, call) in faults {
        let mut bench = Bench::of(4_000).await;
        bench.org.set_bulk(|bulk| bulk.page_size = 700);
        bench.org.arm(Fault::once(kind, pattern).from_call(call));
        let run = bench.reader.run().await.unwrap();
        bench.assert_true(what);
        assert_eq!(run.pages.last().unwrap().source_total, Some(4_000), "{what}");
        assert_eq!(bench.calls(&["POST", JOBS]), 1, "{what}");
    }
}

#[tokio::test]
async fn an_object_that_refuses_bulk_or_a_day_without_jobs_is_read_by_rest() {
    let mut bench = Bench::of(4_000).await;
    bench.org.refuse_bulk("Account", true).unwrap();
    let run = bench.reader.run().await.unwrap();
    bench.assert_true("refused");
    assert_eq!((run.read, run.requests), (4_000, 1 + 1 + 1 + 1));
    let mut bench = Bench::of(4_000).await;
    bench.org.set_bulk(|bulk| bulk.daily_jobs = 0);
    bench.reader.run().await.unwrap();
    bench.assert_true("no jobs left");
}

#[tokio::test]
async fn a_run_killed_after_any_page_goes_on_with_the_same_job() {
    for pages in 1..8 {
        let mut bench = Bench::of(4_000).await;
        bench.org.set_bulk(|bulk| bulk.page_size = 500);
        bench.reader.run_with(ReadMode::Incremental, pages, |_| ()).await.unwrap();
        bench.org.advance(86_400 * 3);
        let ids: Vec<String> = bench.reader.known.keys().cloned().collect();
        bench.org.update("Account", &ids[0], &fields(json!({ "Site": "神戸" }))).unwrap();
        bench.org.delete("Account", &ids[1]).unwrap();
        bench.org.advance(3_600);
        bench.reader.run().await.unwrap();
        bench.assert_true(&format!("killed after {pages} pages"));
        assert_eq!(bench.calls(&["POST", JOBS]), 1, "killed after {pages} pages");
        assert_eq!(bench.reader.known[&ids[0]].values["Site"].as_deref(), Some("神戸"));
    }
}

#[tokio::test]
async fn a_job_that_is_gone_is_read_again_by_rest() {
    let mut bench = Bench::of(4_000).await;
    bench.org.set_bulk(|bulk| bulk.page_size = 500);
    bench.reader.run_with(ReadMode::Incremental, 4, |_| ()).await.unwrap();
    bench.org.drop_jobs();
    bench.reader.run().await.unwrap();
    bench.assert_true("gone");
    assert_eq!(bench.calls(&["GET", "/queryAll", "Id > "]), 1);
}

#[tokio::test]
async fn rows_changed_while_a_job_runs_are_read_by_the_next_window() {
    let mut bench = Bench::of(4_000).await;
    bench.org.set_bulk(|bulk| bulk.page_size = 500);
    let org = bench.org.clone();
    let changed = |page: usize| {
        org.advance(60);
        let ids: Vec<Fields> = org.truth("Account").unwrap();
        let id = |at: usize| ids[at]["Id"].as_str().unwrap().to_owned();
        org.update("Account", &id(page * 100), &fields(json!({ "Site": format!("{page}") }))).unwrap();
        org.delete("Account", &id(page * 100 + 1)).unwrap();
        org.insert("Account", &fields(json!({ "Name": format!("新規{page}") }))).unwrap();
    };
    bench.reader.run_with(ReadMode::Incremental, usize::MAX, changed).await.unwrap();
    bench.org.advance(3_600);
    bench.reader.run().await.unwrap();
    bench.assert_true("changed meanwhile");
    let truth = bench.org.truth("Account").unwrap();
    for row in truth.iter().filter(|row| row["IsDeleted"] != true) {
        let known = &bench.reader.known[row["Id"].as_str().unwrap()];
        assert_eq!(known.values["Site"].as_deref(), row["Site"].as_str().filter(|site| !site.is_empty()));
    }
}

#[tokio::test]
async fn e2_lesson_8_a_row_deleted_past_the_bin_is_named_by_the_log_within_a_day() {
    let mut bench = Bench::of(60).await;
    bench.reader.run().await.unwrap();
    let ids: Vec<String> = bench.reader.known.keys().cloned().collect();
    bench.org.advance(3_600);
    bench.org.hard_delete("Account", &ids[0]).unwrap();
    bench.org.delete("Account", &ids[1]).unwrap();
    bench.org.delete("Account", &ids[2]).unwrap();
    bench.org.undelete("Account", &ids[2]).unwrap();
    bench.org.advance(3_600);
    let run = bench.reader.run().await.unwrap();
    assert_eq!(bench.calls(&["/deleted/"]), 0, "not yet due");
    assert_eq!(run.requests, 2);
    bench.org.advance(86_400);
    bench.reader.run().await.unwrap();
    assert_eq!((bench.calls(&["/deleted/"]), bench.reader.known[&ids[0]].deleted), (1, Some(DeleteKind::Deleted)));
    assert_eq!(bench.reader.known[&ids[2]].deleted, None, "it came back");
    bench.assert_true("logged");
    // The next one is due a day later, and begins where this one ended.
    bench.org.advance(3_600);
    assert_eq!(bench.reader.run().await.unwrap().requests, 2);
}

#[tokio::test]
async fn e2_a_log_of_deletions_with_gaps_is_made_good_for_by_a_look_at_all_ids() {
    let mut bench = Bench::of(60).await;
    bench.reader.run().await.unwrap();
    let ids: Vec<String> = bench.reader.known.keys().cloned().collect();
    bench.org.advance(3_600);
    bench.org.hard_delete("Account", &ids[0]).unwrap();
    bench.org.advance(86_400);
    bench.org.trim_delete_log("Account").unwrap();
    let run = bench.reader.run().await.unwrap();
    assert!(run.pages.iter().any(|page| matches!(page.reading, Some(Reading::Sweep { .. } | Reading::Pass { .. }))));
    assert!(bench.reader.known[&ids[0]].deleted.is_some());
    bench.assert_true("trimmed");
}
