//! The Salesforce connector against the simulated org.

use std::collections::BTreeMap;

use nenrin::clock::Timestamp;
use nenrin::connect::{ReadMode, canonical};
use nenrin::error::ErrorKind;
use nenrin::record::{DeleteKind, Next, Page, Reading};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use simulators::salesforce::{Fault, FaultKind, FieldSpec, Fields, Options, Org, Server};

use super::reader::Reader;

struct Bench {
    server: Server,
    org: Org,
    reader: Reader,
}

impl Bench {
    async fn of(records: u64) -> Bench {
        Bench::with(Options { records, ..Options::default() }, |_| ()).await
    }

    async fn with(options: Options, change: impl FnOnce(&mut Value)) -> Bench {
        let server = Server::start(options).await.unwrap();
        let org = server.org();
        let credentials = server.credentials();
        let mut config = json!({
            "login_url": credentials["login_url"],
            "auth": { "client_id": credentials["client_id"], "client_secret": credentials["client_secret"] },
            "streams": ["Account"],
        });
        change(&mut config);
        Bench { reader: Reader::new("salesforce", config, "Account"), server, org }
    }

    /// Fails unless what was read is what the org holds, deleted rows included.
    fn assert_true(&self) {
        let truth = self.org.truth("Account").unwrap();
        let truth: BTreeMap<String, &Fields> =
            truth.iter().map(|row| (row["Id"].as_str().unwrap().to_owned(), row)).collect();
        let lost: Vec<_> = truth.keys().filter(|key| !self.reader.known.contains_key(*key)).collect();
        assert!(lost.is_empty(), "{} rows were not read, such as {:?}", lost.len(), lost.first());
        for (key, known) in &self.reader.known {
            let Some(row) = truth.get(key) else { continue };
            assert_eq!(known.deleted.is_some(), row["IsDeleted"] == true, "{key}");
            for (name, value) in &known.values {
                assert_eq!(value.as_deref(), text(&row[name]).as_deref(), "{name} of {key}");
            }
        }
    }

    fn calls(&self, part: &str) -> usize {
        self.org
            .calls()
            .iter()
            .filter(|call| format!("{} {}?{}", call.method, call.path, call.query).contains(part))
            .count()
    }
}

/// A value as a log keeps it.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.strip_suffix("+0000").map_or(text.clone(), |local| format!("{local}Z"))),
        Value::Number(number) => Some(canonical::number(&number.to_string()).into_owned()),
        other => Some(other.to_string()),
    }
}

fn fields(value: Value) -> Fields {
    value.as_object().unwrap().clone()
}

fn at(org: &Org) -> Timestamp {
    Timestamp::from(org.now())
}

fn last(pages: &[Page]) -> &Page {
    pages.last().unwrap()
}

fn complete_through(pages: &[Page]) -> Option<Timestamp> {
    match &last(pages).next {
        Next::Done { complete_through, .. } => *complete_through,
        Next::More(_) => None,
    }
}

#[tokio::test]
async fn a_first_load_reads_every_row_with_hardly_a_request_more_than_pages() {
    let mut bench = Bench::of(5_001).await;
    let run = bench.reader.run().await.unwrap();
    assert_eq!((run.read, run.requests), (5_001, 3 + 1));
    assert_eq!(last(&run.pages).source_total, Some(5_001));
    assert_eq!(complete_through(&run.pages), Some(at(&bench.org).plus_secs(-300)));
    assert!(run.pages.iter().all(|page| page.observed_at == at(&bench.org)));
    bench.assert_true();
    // Nothing changed: the next run reads a window and finds what it overlaps.
    bench.org.advance(86_400);
    let run = bench.reader.run().await.unwrap();
    assert_eq!((run.pages.len(), run.requests), (1, 2));
    assert!(matches!(run.pages[0].reading, Some(Reading::Window { .. })));
    assert_eq!(bench.calls("POST /services/oauth2/token"), 2);
}

#[tokio::test]
async fn pages_smaller_than_asked_for_are_followed_to_the_end() {
    let options = Options { records: 3_000, ragged_pages: true, exponents: true, ..Options::default() };
    let mut bench = Bench::with(options, |config| config["page_size"] = json!(400)).await;
    let run = bench.reader.run().await.unwrap();
    assert!(run.pages.len() >= 8, "{}", run.pages.len());
    assert_eq!(run.read, 3_000);
    bench.assert_true();
}

#[tokio::test]
async fn ties_of_12000_records_on_one_stamp_are_all_read() {
    let mut bench = Bench::of(12_000).await;
    bench.reader.run().await.unwrap();
    bench.org.advance(3_600);
    assert_eq!(bench.org.mass_update("Account", "", &fields(json!({ "Rating": "Hot" }))).unwrap(), 12_000);
    bench.org.advance(3_600);
    // The server forgets its place after every page, so that each must be continued by stamp and id.
    let org = bench.org.clone();
    bench.reader.known.clear();
    let run = bench.reader.run_with(ReadMode::Incremental, usize::MAX, |_| org.drop_cursors()).await.unwrap();
    assert_eq!(run.read, 12_000);
    assert_eq!(last(&run.pages).source_total, Some(12_000));
    bench.assert_true();
}

#[tokio::test]
async fn a_run_killed_after_any_page_is_continued_without_a_gap() {
    let options = Options { records: 2_500, page_size: 500, ..Options::default() };
    let mut bench = Bench::with(options, |config| config["page_size"] = json!(500)).await;
    for _ in 0..3 {
        bench.reader.run_with(ReadMode::Incremental, 1, |_| ()).await.unwrap();
        // Time passes, rows change behind and before the place that was reached.
        bench.org.advance(7_200);
        bench.org.mass_update("Account", "Type = 'Other'", &fields(json!({ "Rating": "Cold" }))).unwrap();
    }
    bench.org.advance(7_200);
    let run = bench.reader.run().await.unwrap();
    let passes = run.pages.iter().filter(|page| matches!(page.reading, Some(Reading::Pass { .. }))).count();
    assert!(passes >= 2 && passes < run.pages.len(), "the pass is finished, then a window catches up");
    bench.assert_true();
}

#[tokio::test]
async fn rows_that_become_visible_late_are_read_by_a_later_window() {
    let mut bench = Bench::of(10).await;
    bench.reader.run().await.unwrap();
    bench.org.advance(3_600);
    let late = bench.org.insert_late("Account", &fields(json!({ "Name": "遅れて見える" })), 600).unwrap();
    bench.org.advance(400);
    bench.reader.run().await.unwrap();
    assert!(!bench.reader.known.contains_key(&late));
    bench.org.advance(600);
    bench.reader.run().await.unwrap();
    assert!(bench.reader.known.contains_key(&late));
}

#[tokio::test]
async fn deletes_and_merges_come_with_their_kind_and_undeletes_come_back() {
    let mut bench = Bench::of(6).await;
    bench.reader.run().await.unwrap();
    let ids: Vec<String> = bench.reader.known.keys().cloned().collect();
    bench.org.advance(3_600);
    bench.org.delete("Account", &ids[0]).unwrap();
    bench.org.delete("Account", &ids[1]).unwrap();
    bench.org.merge("Account", &ids[2], &[&ids[3]]).unwrap();
    bench.org.advance(3_600);
    bench.reader.run().await.unwrap();
    let known =
        |bench: &Bench, i: usize| (bench.reader.known[&ids[i]].deleted, bench.reader.known[&ids[i]].winner.clone());
    assert_eq!(known(&bench, 0), (Some(DeleteKind::Deleted), None));
    assert_eq!(known(&bench, 2), (None, None));
    assert_eq!(known(&bench, 3), (Some(DeleteKind::Merged), Some(ids[2].clone())));
    bench.org.undelete("Account", &ids[0]).unwrap();
    bench.org.advance(3_600);
    bench.reader.run().await.unwrap();
    assert_eq!(known(&bench, 0), (None, None));
    bench.assert_true();
}

#[tokio::test]
async fn rows_deleted_without_a_trace_are_missing_from_a_full_pass() {
    let mut bench = Bench::of(20).await;
    bench.reader.run().await.unwrap();
    let gone = bench.reader.known.keys().next().unwrap().clone();
    bench.org.advance(3_600);
    bench.org.hard_delete("Account", &gone).unwrap();
    let silent = bench.reader.known.keys().nth(5).unwrap().clone();
    bench.org.change_silently("Account", &silent, &fields(json!({ "Rating": "Warm" }))).unwrap();
    bench.org.advance(3_600);
    bench.reader.run().await.unwrap();
    let before = bench.reader.known.clone();
    bench.reader.known.clear();
    let run = bench.reader.run_with(ReadMode::Full, usize::MAX, |_| ()).await.unwrap();
    assert!(matches!(last(&run.pages).reading, Some(Reading::Pass { .. })) && last(&run.pages).ends_reading);
    assert!(before.contains_key(&gone) && !bench.reader.known.contains_key(&gone));
    bench.assert_true();
    // What follows a full pass is a window again.
    bench.org.advance(3_600);
    let run = bench.reader.run().await.unwrap();
    assert!(matches!(run.pages[0].reading, Some(Reading::Window { .. })));
}

#[tokio::test]
async fn a_place_in_a_result_lives_two_days_and_is_then_continued_by_key() {
    let options = Options { records: 1_500, page_size: 500, ..Options::default() };
    let mut bench = Bench::with(options, |config| config["page_size"] = json!(500)).await;
    let org = bench.org.clone();
    let run = bench
        .reader
        .run_with(ReadMode::Incremental, usize::MAX, |pages| {
            if pages == 1 {
                org.advance(3 * 86_400);
            }
        })
        .await
        .unwrap();
    assert_eq!((run.read, last(&run.pages).source_total), (1_500, Some(1_500)));
    assert!(run.pages.iter().all(|page| page.reading == run.pages[0].reading));
    bench.assert_true();
}

#[tokio::test]
async fn a_401_is_refreshed_once_and_replayed() {
    let mut bench = Bench::of(100).await;
    bench.org.arm(Fault::once(FaultKind::Expired, "queryAll"));
    let run = bench.reader.run().await.unwrap();
    assert_eq!(run.read, 100);
    assert_eq!(bench.calls("POST /services/oauth2/token"), 2);
    assert_eq!(bench.calls("queryAll"), 2);
    bench.org.forbid_rest(true);
    let error = bench.reader.run().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "the session may not use the REST API"));
    assert_eq!(bench.calls("POST /services/oauth2/token"), 3);
}

#[tokio::test]
async fn a_revoked_app_stops_at_once_and_says_what_to_do() {
    let refresh = |config: &mut Value, token: &Value| config["auth"]["refresh_token"] = token.clone();
    let server = Server::start(Options { records: 10, ..Options::default() }).await.unwrap();
    let token = server.credentials()["refresh_token"].clone();
    drop(server);
    let mut bench = Bench::with(Options { records: 10, ..Options::default() }, |config| refresh(config, &token)).await;
    bench.reader.run().await.unwrap();
    bench.org.revoke_grant();
    bench.org.clear_calls();
    let error = bench.reader.run().await.unwrap_err();
    assert_eq!((error.kind(), error.kind().exit_code()), (ErrorKind::Auth, 77));
    let text = error.render();
    assert!(
        text.contains("the refresh token is no longer valid") && text.contains("next: approve the app again"),
        "{text}"
    );
    assert_eq!(bench.org.calls().len(), 1, "no second try");
}

#[tokio::test]
async fn rotated_refresh_tokens_are_handed_on_from_run_to_run() {
    let options = Options { records: 50, rotate_refresh_tokens: true, ..Options::default() };
    let server = Server::start(options.clone()).await.unwrap();
    let token = server.credentials()["refresh_token"].clone();
    drop(server);
    let mut bench = Bench::with(options, |config| config["auth"]["refresh_token"] = token).await;
    for _ in 0..3 {
        bench.org.arm(Fault::once(FaultKind::Expired, "queryAll"));
        bench.reader.run().await.unwrap();
        bench.org.advance(7_200);
    }
    assert_eq!(bench.calls("POST /services/oauth2/token"), 6);
    bench.assert_true();
}

#[tokio::test]
async fn every_fault_on_the_way_is_overcome_without_losing_a_row() {
    let kinds = [
        FaultKind::CutChunked(3_000),
        FaultKind::CutLength(3_000),
        FaultKind::CutJson(3_000),
        FaultKind::Reset,
        FaultKind::Html(200),
        FaultKind::Html(502),
        FaultKind::Empty(406),
        FaultKind::Empty(420),
        FaultKind::Empty(429),
        FaultKind::Unknown,
        FaultKind::Unavailable,
        FaultKind::ConcurrentLimit,
        FaultKind::Short(7),
        FaultKind::Repeat,
    ];
    let options = Options { records: 450, page_size: 200, ..Options::default() };
    let mut bench = Bench::with(options, |config| config["page_size"] = json!(200)).await;
    for kind in kinds {
        bench.org.disarm();
        bench.org.arm(Fault::once(kind.clone(), "/query").from_call(2));
        bench.reader.cursor = None;
        bench.reader.known.clear();
        let run = bench.reader.run().await.unwrap_or_else(|error| panic!("{kind:?}: {}", error.render()));
        assert_eq!(bench.reader.known.len(), 450, "{kind:?}");
        assert!(run.read >= 450, "{kind:?}");
    }
    bench.assert_true();
}

#[tokio::test]
async fn a_fault_that_stays_ends_the_run_and_a_later_run_goes_on() {
    let options = Options { records: 1_200, page_size: 500, ..Options::default() };
    let mut bench = Bench::with(options, |config| config["page_size"] = json!(500)).await;
    bench.org.arm(Fault::always(FaultKind::Html(503), "/query/"));
    let error = bench.reader.run().await.unwrap_err();
    assert_eq!((error.kind(), error.kind().exit_code()), (ErrorKind::Unavailable, 69));
    assert!(error.render().contains("stream: Account"), "{}", error.render());
    assert_eq!(bench.reader.timer.pauses().len(), 5);
    bench.org.disarm();
    bench.reader.run().await.unwrap();
    bench.assert_true();
}

#[tokio::test]
async fn rows_that_the_server_loses_stay_visible_as_a_difference_to_its_own_count() {
    let mut bench = Bench::of(1_000).await;
    bench.org.arm(Fault::always(FaultKind::Lose(3), "queryAll"));
    let run = bench.reader.run().await.unwrap();
    assert!(run.read < 1_000);
    assert_eq!(last(&run.pages).source_total, Some(1_000));
}

#[tokio::test]
async fn an_exhausted_allowance_ends_the_run_as_quota_and_the_next_day_goes_on() {
    let options = Options { records: 3_000, page_size: 500, ..Options::default() };
    let mut bench = Bench::with(options, |config| {
        config["page_size"] = json!(500);
        config["quota_share"] = json!(1.0);
    })
    .await;
    bench.org.set_daily_requests(4);
    let error = bench.reader.run().await.unwrap_err();
    assert_eq!((error.kind(), error.kind().exit_code()), (ErrorKind::Quota, 75));
    assert!(error.help_text().unwrap().contains("what was read is kept"));
    assert!(!bench.reader.known.is_empty() && bench.reader.known.len() < 3_000);
    bench.org.set_daily_requests(100_000);
    bench.org.advance(86_400);
    bench.reader.run().await.unwrap();
    bench.assert_true();
}

#[tokio::test]
async fn reading_stops_at_the_configured_share_of_the_allowance() {
    let options = Options { records: 3_000, page_size: 500, daily_requests: 10, ..Options::default() };
    let mut bench = Bench::with(options, |config| {
        config["page_size"] = json!(500);
        config["quota_share"] = json!(0.4);
    })
    .await;
    let error = bench.reader.run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Quota);
    assert!(error.render().contains("allowance: 10"), "{}", error.render());
}

#[tokio::test]
async fn a_field_hidden_in_mid_run_is_no_longer_delivered_and_the_rest_is_read() {
    let options = Options { records: 1_200, page_size: 500, ..Options::default() };
    let mut bench = Bench::with(options, |config| config["page_size"] = json!(500)).await;
    let org = bench.org.clone();
    let run = bench
        .reader
        .run_with(ReadMode::Incremental, usize::MAX, |pages| {
            if pages == 1 {
                org.hide_field("Account", "Fax").unwrap();
                org.drop_cursors();
            }
        })
        .await
        .unwrap();
    assert_eq!(run.read, 1_200);
    let has_fax: Vec<bool> =
        run.pages.iter().map(|page| page.records.fields().iter().any(|name| name == "Fax")).collect();
    assert_eq!(has_fax, [true, false, false]);
    bench.assert_true();
}

#[tokio::test]
async fn an_object_with_hundreds_of_fields_is_read() {
    let options = Options { records: 700, page_size: 300, ..Options::default() };
    let mut bench = Bench::with(options, |config| config["page_size"] = json!(300)).await;
    for i in 0..300 {
        let name = format!("An_administrator_liked_long_names_{i}__c");
        bench.org.add_field("Account", FieldSpec::text(&name, "項目", 80)).unwrap();
    }
    let run = bench.reader.run().await.unwrap();
    assert_eq!(run.read, 700);
    assert_eq!(bench.calls("/composite"), 1);
    bench.assert_true();
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_asked_in_parts() {
    let mut bench = Bench::of(3_000).await;
    bench.org.arm(Fault::always(FaultKind::Timeout(2_500), "queryAll"));
    bench.reader.run().await.unwrap();
    bench.assert_true();
    for _ in 0..4 {
        bench.org.advance(3_600);
        bench.org.mass_update("Account", "", &fields(json!({ "Rating": "Hot" }))).unwrap();
        let half = "Type = 'Other' OR Type = 'Prospect'";
        bench.org.advance(3_600);
        bench.org.mass_update("Account", half, &fields(json!({ "Rating": "Cold" }))).unwrap();
    }
    bench.org.disarm();
    bench.org.arm(Fault::always(FaultKind::Timeout(2_999), "queryAll"));
    bench.org.advance(3_600);
    let run = bench.reader.run().await.unwrap();
    assert!(run.read >= 3_000);
    bench.assert_true();
}

#[tokio::test]
async fn check_tells_about_the_org_and_each_object() {
    let mut bench = Bench::with(Options { records: 1, ..Options::default() }, |config| {
        config["streams"] = json!(["Account", "Contact", "Bogus__c"]);
    })
    .await;
    let findings = bench.reader.open().await.check().await;
    let shown: Vec<(bool, &str)> = findings.iter().map(|found| (found.ok, found.what.as_str())).collect();
    assert_eq!(
        shown,
        [
            (true, "credentials"),
            (true, "API access"),
            (true, "org"),
            (true, "object Account"),
            (true, "object Contact"),
            (false, "object Bogus__c"),
        ],
        "{findings:#?}"
    );
}

/// Random histories: after any mixture of edits, late commits, faults, killed runs and lost places, what was
/// read is what the org holds.
#[tokio::test]
async fn any_history_read_in_any_pieces_ends_as_the_org_is() {
    for seed in 0..4 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let options = Options { seed, records: 500, page_size: 200, ragged_pages: seed % 2 == 0, ..Options::default() };
        let mut bench = Bench::with(options, |config| config["page_size"] = json!(200)).await;
        let mut ids: Vec<String> = Vec::new();
        for step in 0..25 {
            if step % 8 == 0 {
                let rows = bench.org.truth("Account").unwrap();
                ids = rows.iter().map(|row| row["Id"].as_str().unwrap().to_owned()).collect();
            }
            let any = |random: &mut ChaCha8Rng| ids[random.random_range(0..ids.len())].clone();
            let name = fields(json!({ "Name": format!("第{step}版") }));
            match random.random_range(0..9) {
                0 => drop(bench.org.insert("Account", &name).unwrap()),
                1 => drop(bench.org.insert_late("Account", &name, random.random_range(1..700)).unwrap()),
                2 => drop(bench.org.update_late("Account", &any(&mut random), &name, random.random_range(1..700))),
                3 => drop(bench.org.delete("Account", &any(&mut random))),
                4 => {
                    let (winner, loser) = (any(&mut random), any(&mut random));
                    drop(bench.org.merge("Account", &winner, &[&loser]));
                }
                5 => drop(bench.org.mass_update(
                    "Account",
                    "Type = 'Other'",
                    &fields(json!({ "Site": format!("{step}") })),
                )),
                6 => bench.org.drop_cursors(),
                _ => drop(bench.org.update("Account", &any(&mut random), &name)),
            }
            bench.org.advance(random.random_range(0..900));
            if random.random_bool(0.6) {
                let org = bench.org.clone();
                let lose = random.random_bool(0.3);
                let limit = random.random_range(1..8);
                let between = |_| {
                    if lose {
                        org.drop_cursors();
                    }
                };
                bench.reader.run_with(ReadMode::Incremental, limit, between).await.unwrap();
            }
        }
        bench.org.advance(1_000);
        bench.reader.run().await.unwrap();
        bench.org.advance(1_000);
        bench.reader.run().await.unwrap();
        bench.assert_true();
        bench.server.shutdown().await;
    }
}

/// An org that is entered with the key of the app's certificate.
async fn with_key(change: impl FnOnce(&mut Value)) -> Bench {
    let mut bench = Bench::with(Options { records: 3, ..Options::default() }, |_| ()).await;
    let credentials = bench.server.credentials();
    let mut config = json!({
        "login_url": credentials["login_url"],
        "auth": {
            "client_id": credentials["client_id"],
            "private_key": credentials["private_key"],
            "username": credentials["username"],
        },
        "streams": ["Account"],
    });
    change(&mut config);
    bench.reader = Reader::new("salesforce", config, "Account");
    bench.reader.clock.set(Timestamp::from(bench.org.now()));
    bench
}

#[tokio::test]
async fn a_server_signs_in_as_a_user_with_a_signed_statement() {
    let mut bench = with_key(|_| ()).await;
    bench.reader.run().await.unwrap();
    bench.assert_true();
    // When the session ends, another statement is signed.
    bench.org.expire_sessions();
    bench.reader.run().await.unwrap();
    assert_eq!(bench.calls("POST /services/oauth2/token"), 2);
}

#[tokio::test]
async fn a_refused_statement_says_what_to_do_and_is_not_sent_again() {
    let told = async |mut bench: Bench| {
        let error = bench.reader.run().await.unwrap_err();
        assert_eq!((error.kind(), bench.calls("oauth2/token")), (ErrorKind::Auth, 1));
        error.help_text().unwrap().to_owned()
    };
    let elsewhere = with_key(|config| config["auth"]["audience"] = json!("https://acme.my.salesforce.com")).await;
    assert!(told(elsewhere).await.starts_with("set `auth.audience`"));
    let late = with_key(|_| ()).await;
    late.org.advance(3_600);
    assert!(told(late).await.starts_with("set this machine's clock"));
    let withdrawn = with_key(|_| ()).await;
    withdrawn.org.revoke_grant();
    assert!(told(withdrawn).await.contains("approve users in advance"));
    let other = with_key(|config| config["auth"]["username"] = json!("someone@else.example")).await;
    assert!(told(other).await.contains("approve users in advance"));
}
