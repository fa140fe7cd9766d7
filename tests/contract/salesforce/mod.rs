//! The Salesforce connector against the simulated org.

mod world;

use std::collections::BTreeMap;

use nenrin::clock::Timestamp;
use nenrin::connect::ReadMode;
use nenrin::error::ErrorKind;
use nenrin::record::{Next, Page, Reading};
use serde_json::{Value, json};
use simulators::salesforce::{Fault, FaultKind, FieldSpec, Fields, Options, Org, Server};

pub(crate) use world::SYSTEM;

use super::reader::Reader;
use crate::support::org::{fields, text};

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
async fn a_run_says_how_far_it_has_read_and_how_many_rows_there_are() {
    let mut bench = Bench::of(501).await;
    let run = bench.reader.run().await.unwrap();
    assert_eq!(last(&run.pages).source_total, Some(501));
    assert_eq!(complete_through(&run.pages), Some(at(&bench.org).plus_secs(-300)));
    assert!(run.pages.iter().all(|page| page.observed_at == at(&bench.org)));
    bench.org.advance(86_400);
    let run = bench.reader.run().await.unwrap();
    let until = at(&bench.org).plus_secs(-300);
    assert_eq!(complete_through(&run.pages), Some(until));
    let from = until.plus_secs(-86_400 - 600);
    assert_eq!(
        run.pages[0].reading,
        Some(Reading::Window { from, until }),
        "from the end of the last, less an overlap"
    );
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
async fn a_session_that_no_renewal_cures_is_renewed_no_more() {
    let mut bench = Bench::of(100).await;
    bench.reader.run().await.unwrap();
    bench.org.forbid_rest(true);
    let error = bench.reader.run().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "the session may not use the REST API"));
    assert_eq!(bench.calls("POST /services/oauth2/token"), 2);
}

#[tokio::test]
async fn lesson_21_a_revoked_app_stops_at_once_and_says_what_to_do() {
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
async fn lesson_23_reading_stops_at_the_configured_share_of_the_allowance() {
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
async fn lesson_11_an_object_with_hundreds_of_fields_is_read() {
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
async fn lesson_15_a_query_that_takes_too_long_is_asked_in_parts() {
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
