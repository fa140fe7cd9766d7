//! The Salesforce connector against a scripted org: each request must meet the answer prepared for it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::plan::tests::described;
use super::*;
use crate::clock::ManualClock;
use crate::connect::http::scripted::{Asked, ScriptedHost, answer};
use crate::connect::http::{Hosts, ManualTimer, Settings};
use crate::connect::token::{StoredToken, TokenStore};
use crate::connect::{Calendar, MemoryTokenStore};
use crate::record::{Next, Reading};

const DATE: &str = "date: Sun, 22 Nov 2026 03:05:00 GMT";

#[derive(Debug)]
struct NoCalendar;

impl Calendar for NoCalendar {
    fn month_end(&self, _: i32, _: u32) -> Option<Timestamp> {
        None
    }
    fn day_end(&self, _: i32, _: u32, _: u32) -> Option<Timestamp> {
        None
    }
}

/// What the org answers to the first request whose line or body contains the text; each is used once.
type Step = (&'static str, Vec<u8>);

struct Org {
    host: ScriptedHost,
    left: Arc<Mutex<Vec<Step>>>,
    timer: ManualTimer,
    store: Arc<dyn TokenStore>,
}

impl Org {
    async fn answering(steps: Vec<Step>) -> Self {
        Org::with_store(steps, Arc::new(MemoryTokenStore::default())).await
    }

    async fn with_store(steps: Vec<Step>, store: Arc<dyn TokenStore>) -> Self {
        let left = Arc::new(Mutex::new(steps));
        let steps = Arc::clone(&left);
        let host = ScriptedHost::start(move |_, asked| {
            let text = format!("{}\n{}", asked.line, asked.body);
            let mut steps = steps.lock().unwrap();
            match steps.iter().position(|(part, _)| text.contains(part)) {
                Some(found) => {
                    let bytes = steps.remove(found).1;
                    let base = format!("http://{}", asked.header("host").unwrap());
                    replaced(&bytes, "INSTANCE", &base)
                }
                None if asked.line.ends_with("/services/data") => answer("200 OK", &[DATE], b"[]"),
                None => answer("418 Unexpected", &[], asked.line.as_bytes()),
            }
        })
        .await;
        Org { host, left, timer: ManualTimer::default(), store }
    }

    fn open(&self, change: impl FnOnce(&mut Value)) -> Salesforce {
        let mut config = json!({
            "login_url": self.host.base.as_str(),
            "auth": { "client_id": "id", "client_secret": "hidden-secret" },
            "streams": ["Account"],
        });
        change(&mut config);
        Salesforce::open(OpenArgs {
            id: SourceId("sf".into()),
            config,
            root: ".".into(),
            clock: Arc::new(ManualClock::at("2000-01-01T00:00:00Z".parse().unwrap())),
            calendar: Arc::new(NoCalendar),
            token_store: Arc::clone(&self.store),
            hosts: Arc::new(Hosts::new(Settings::default(), Arc::new(self.timer.clone())).unwrap()),
            run_id: "run".into(),
        })
        .unwrap()
    }

    fn lines(&self) -> Vec<String> {
        self.host.asked().iter().map(|asked: &Asked| asked.line.clone()).collect()
    }

    fn assert_all_used(&self) {
        let left: Vec<&str> = self.left.lock().unwrap().iter().map(|(part, _)| *part).collect();
        assert!(left.is_empty(), "not asked for: {left:?}; asked: {:#?}", self.lines());
    }
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n").filter(|(_, body)| body.contains(from)) else {
        return bytes.to_vec();
    };
    let body = body.replace(from, to);
    let lines: Vec<&str> = head.lines().skip(1).filter(|line| !line.starts_with("content-length")).collect();
    answer("200 OK", &lines, body.as_bytes())
}

fn ok(body: &Value) -> Vec<u8> {
    answer("200 OK", &[DATE, "sforce-limit-info: api-usage=10/1000"], body.to_string().as_bytes())
}

fn refused(status: &str, code: &str, message: &str) -> Vec<u8> {
    answer(status, &[DATE], json!([{ "errorCode": code, "message": message }]).to_string().as_bytes())
}

fn token(access: &str) -> Step {
    let body = json!({ "access_token": access, "instance_url": "INSTANCE", "id": "https://x/id/00DORG/005USER",
                       "token_type": "Bearer", "issued_at": "1718179384536" });
    ("/services/oauth2/token", ok(&body))
}

fn rotating(access: &str, refresh: &str) -> Step {
    let body = json!({ "access_token": access, "instance_url": "INSTANCE", "id": "https://x/id/00DORG/005USER",
                       "refresh_token": refresh });
    ("/services/oauth2/token", ok(&body))
}

fn describe_of(fields: &[(&str, &str)]) -> Step {
    let fields: Vec<Value> = fields.iter().map(|(name, kind)| described(name, kind)).collect();
    (
        "/sobjects/Account/describe",
        ok(&json!({ "name": "Account", "label": "取引先", "queryable": true, "fields": fields })),
    )
}

fn describe() -> Step {
    describe_of(&[("Id", "id"), ("Name", "string"), ("SystemModstamp", "datetime")])
}

fn page(ids: &[&str], total: u64, next: Option<&str>) -> Vec<u8> {
    let record = |id: &&str| json!({ "Id": id, "Name": id, "SystemModstamp": "2026-11-22T03:00:00.000+0000" });
    let records: Vec<Value> = ids.iter().map(record).collect();
    let mut body = json!({ "totalSize": total, "done": next.is_none(), "records": records });
    if let Some(next) = next {
        body["nextRecordsUrl"] = json!(next);
    }
    ok(&body)
}

async fn only_stream(source: &Salesforce) -> Stream {
    source.describe(&source.streams()[0]).await.unwrap()
}

fn keys(page: &Page) -> Vec<&str> {
    page.records.heads().iter().map(|head| head.key.as_str()).collect()
}

fn more(page: &Page) -> Cursor {
    match &page.next {
        Next::More(cursor) => cursor.clone(),
        Next::Done { .. } => panic!("done: {page:?}"),
    }
}

fn done(page: &Page) -> (Cursor, String) {
    match &page.next {
        Next::Done { cursor, complete_through } => (cursor.clone(), complete_through.unwrap().to_string()),
        Next::More(_) => panic!("more: {page:?}"),
    }
}

const INCREMENTAL: ReadMode = ReadMode::Incremental;

#[tokio::test]
async fn lesson_7_the_first_load_is_a_complete_pass_and_the_next_run_a_window() {
    let org = Org::answering(vec![
        token("t"),
        describe(),
        ("/queryAll?q=SELECT+Id%2CName%2CSystemModstamp+FROM+Account+ORDER+BY+Id", page(&["a", "b"], 3, Some("/services/data/v66.0/query/0r8-2"))),
        ("GET /services/data/v66.0/query/0r8-2", page(&["c"], 3, None)),
        (
            "/queryAll?q=SELECT+Id%2CName%2CSystemModstamp+FROM+Account+WHERE+SystemModstamp+%3E%3D+2026-11-22T02%3A50%3A00Z\
             +AND+SystemModstamp+%3C+2026-11-22T03%3A00%3A00Z+ORDER+BY+SystemModstamp%2C+Id",
            page(&["a"], 1, None),
        ),
    ])
    .await;
    let source = org.open(|_| ());
    let stream = only_stream(&source).await;
    let first = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    let Some(Reading::Pass { id, started_at, scope }) = &first.reading else { panic!() };
    assert_eq!(started_at.to_string(), "2026-11-22T03:05:00Z");
    assert_eq!((id.as_str(), scope.as_str()), ("run@2026-11-22T03:05:00Z", "Account of org 00DORG as user 005USER"));
    assert_eq!((first.requests, first.source_total, first.ends_reading), (2, Some(3), false));
    assert_eq!(first.observed_at.to_string(), "2026-11-22T03:05:00Z");
    let second = source.read_page(&stream, Some(&more(&first)), false, INCREMENTAL).await.unwrap();
    assert_eq!((keys(&second), second.requests, second.ends_reading), (vec!["c"], 1, true));
    let (cursor, through) = done(&second);
    assert_eq!(through, "2026-11-22T03:00:00Z");
    let window = source.read_page(&stream, Some(&cursor), true, INCREMENTAL).await.unwrap();
    let Some(Reading::Window { from, until }) = &window.reading else { panic!() };
    assert_eq!((from.to_string(), until.to_string()), ("2026-11-22T02:50:00Z".into(), "2026-11-22T03:00:00Z".into()));
    assert_eq!(done(&window).1, "2026-11-22T03:00:00Z");
    org.assert_all_used();
    let sent = format!("{:?}", org.host.asked());
    assert_eq!(sent.matches("hidden-secret").count(), 1, "only the token endpoint is told the secret");
}

#[tokio::test]
async fn a_place_in_a_result_that_is_gone_is_continued_by_key() {
    let org = Org::answering(vec![
        token("t"),
        describe(),
        ("ORDER+BY+Id", page(&["a", "b"], 3, Some("/services/data/v66.0/query/0r8-2"))),
        ("/query/0r8-2", refused("400 Bad Request", "INVALID_QUERY_LOCATOR", "invalid query locator")),
        ("WHERE+Id+%3E+%27b%27+ORDER+BY+Id", page(&["c"], 1, None)),
    ])
    .await;
    let source = org.open(|_| ());
    let stream = only_stream(&source).await;
    let first = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    let second = source.read_page(&stream, Some(&more(&first)), false, INCREMENTAL).await.unwrap();
    assert_eq!((keys(&second), second.source_total, second.requests), (vec!["c"], Some(3), 2));
    assert_eq!(first.reading, second.reading);
    done(&second);
    org.assert_all_used();
}

#[tokio::test]
async fn an_interrupted_first_load_goes_on_behind_the_last_row_and_then_catches_up() {
    let org = Org::answering(vec![
        token("t"),
        describe(),
        ("FROM+Account+ORDER+BY+Id", page(&["a"], 2, Some("/services/data/v66.0/query/0r8-1"))),
        token("t"),
        ("WHERE+Id+%3E+%27a%27+ORDER+BY+Id", page(&["b"], 1, None)),
        ("WHERE+SystemModstamp", page(&[], 0, None)),
    ])
    .await;
    let source = org.open(|_| ());
    let stream = only_stream(&source).await;
    let first = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    // The process ends; another run opens the source again.
    let source = org.open(|_| ());
    let second = source.read_page(&stream, Some(&more(&first)), true, INCREMENTAL).await.unwrap();
    assert_eq!((keys(&second), second.ends_reading, &second.reading), (vec!["b"], true, &first.reading));
    let window = source.read_page(&stream, Some(&more(&second)), false, INCREMENTAL).await.unwrap();
    assert!(matches!(window.reading, Some(Reading::Window { .. })));
    done(&window);
    org.assert_all_used();
}

#[tokio::test]
async fn lesson_22_a_401_is_refreshed_once_and_replayed() {
    let org = Org::answering(vec![
        token("old"),
        describe(),
        ("/queryAll", refused("401 Unauthorized", "INVALID_SESSION_ID", "Session expired or invalid")),
        token("new"),
        ("/queryAll", page(&["a"], 1, None)),
        ("/queryAll", refused("401 Unauthorized", "INVALID_SESSION_ID", "Session expired or invalid")),
        token("newer"),
        ("/queryAll", refused("401 Unauthorized", "INVALID_SESSION_ID", "Session expired or invalid")),
    ])
    .await;
    let source = org.open(|_| ());
    let stream = only_stream(&source).await;
    let page = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    assert_eq!(keys(&page), ["a"]);
    let replayed = org.host.asked().pop().unwrap();
    assert_eq!(replayed.header("authorization"), Some("Bearer new"));
    let error = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    let text = error.render();
    assert!(text.contains("source: sf\n  stream: Account") && text.contains("next: "), "{text}");
    assert!(!text.contains("newer") && !text.contains("hidden-secret"), "{text}");
    org.assert_all_used();
    assert!(org.timer.pauses().is_empty());
}

#[tokio::test]
async fn a_401_that_a_new_token_does_not_cure_is_not_refreshed() {
    let org = Org::answering(vec![
        token("t"),
        (
            "/describe",
            refused("401 Unauthorized", "INVALID_SESSION_ID", "This session is not valid for use with the REST API"),
        ),
    ])
    .await;
    let error = org.open(|_| ()).describe("Account").await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "the session may not use the REST API"));
    org.assert_all_used();
    assert_eq!(org.lines().len(), 2);
}

#[tokio::test]
async fn requests_refused_together_sign_in_once_between_them() {
    let expired = || refused("401 Unauthorized", "INVALID_SESSION_ID", "Session expired or invalid");
    let contact = |step: Step| ("/sobjects/Contact/describe", step.1);
    let org = Org::answering(vec![
        token("old"),
        ("/sobjects/Account/describe", expired()),
        ("/sobjects/Contact/describe", expired()),
        token("new"),
        describe(),
        contact(describe()),
    ])
    .await;
    let source = org.open(|config| config["streams"] = json!(["Account", "Contact"]));
    futures::future::try_join(source.describe("Account"), source.describe("Contact")).await.unwrap();
    org.assert_all_used();
}

#[derive(Debug, Default)]
struct FailingStore {
    failures: Mutex<u32>,
    inner: MemoryTokenStore,
}

#[async_trait]
impl TokenStore for FailingStore {
    async fn load(&self, source: &SourceId) -> Result<Option<StoredToken>> {
        self.inner.load(source).await
    }

    async fn save(&self, source: &SourceId, token: &StoredToken) -> Result<()> {
        {
            let mut failures = self.failures.lock().unwrap();
            if *failures > 0 {
                *failures -= 1;
                return Err(Error::new(ErrorKind::Storage, "disk full"));
            }
        }
        self.inner.save(source, token).await
    }
}

fn with_refresh_token(config: &mut Value) {
    config["auth"]["refresh_token"] = json!("first");
}

#[tokio::test]
async fn lesson_20_a_rotated_refresh_token_is_saved_before_it_is_needed_and_used_next_time() {
    let store = Arc::new(FailingStore { failures: Mutex::new(1), ..FailingStore::default() });
    let org = Org::with_store(
        vec![rotating("t1", "second"), rotating("t2", "third"), describe(), rotating("t3", "fourth"), describe()],
        Arc::clone(&store) as Arc<dyn TokenStore>,
    )
    .await;
    let source = org.open(with_refresh_token);
    // Saving fails: the access token is not used, but the only copy of the new refresh token is not lost.
    assert_eq!(source.describe("Account").await.unwrap_err().kind(), ErrorKind::Storage);
    source.describe("Account").await.unwrap();
    org.open(with_refresh_token).describe("Account").await.unwrap();
    let used: Vec<String> = org
        .host
        .asked()
        .iter()
        .filter(|asked| asked.line.contains("/token"))
        .filter_map(|asked| Some(asked.body.split("refresh_token=").last()?.split('&').next()?.to_owned()))
        .collect();
    assert_eq!(used, ["first", "second", "third"]);
    let kept = store.load(&SourceId("sf".into())).await.unwrap().unwrap();
    assert_eq!(kept.token.expose_secret(), "fourth");
    org.assert_all_used();
}

#[tokio::test]
async fn a_refused_refresh_token_is_not_asked_for_again_and_a_newly_configured_one_counts() {
    let body = json!({ "error": "invalid_grant", "error_description": "expired access/refresh token" }).to_string();
    let org = Org::answering(vec![
        rotating("t", "second"),
        describe(),
        ("/token", answer("400 Bad Request", &[], body.as_bytes())),
        rotating("t", "other"),
        describe(),
    ])
    .await;
    org.open(with_refresh_token).describe("Account").await.unwrap();
    let source = org.open(with_refresh_token);
    for _ in 0..3 {
        let error = source.describe("Account").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(error.message().starts_with("the refresh token is no longer valid"), "{error}");
        assert!(error.help_text().unwrap().contains("auth.refresh_token"));
    }
    assert_eq!(org.lines().iter().filter(|line| line.contains("/token")).count(), 2);
    // A person puts a new one in: the stored one, which descends from the old, no longer counts.
    let renewed = org.open(|config| config["auth"]["refresh_token"] = json!("renewed"));
    renewed.describe("Account").await.unwrap();
    assert!(org.host.asked().iter().any(|asked| asked.body.contains("refresh_token=renewed")));
    org.assert_all_used();
}

#[tokio::test]
async fn a_field_that_disappears_is_dropped_and_not_delivered() {
    let gone = "\nSELECT Id,Name,SystemModstamp FROM Account\n       ^\nERROR at Row:1:Column:11\nNo such column 'Name' on entity \
                'Account'. If you are attempting to use a custom field, …";
    let org = Org::answering(vec![
        token("t"),
        describe(),
        ("SELECT+Id%2CName", refused("400 Bad Request", "INVALID_FIELD", gone)),
        describe_of(&[("Id", "id"), ("SystemModstamp", "datetime")]),
        ("SELECT+Id%2CSystemModstamp", page(&["a"], 1, None)),
        ("SELECT+Id%2CSystemModstamp", refused("400 Bad Request", "INVALID_FIELD", "No such column 'Ghost'")),
        describe_of(&[("Id", "id"), ("SystemModstamp", "datetime")]),
    ])
    .await;
    let source = org.open(|_| ());
    let stream = only_stream(&source).await;
    let page = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    assert_eq!(page.records.fields().as_ref(), ["Id", "SystemModstamp"]);
    assert_eq!(page.requests, 4);
    let error = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Rejected, "a field of the query is not visible"));
    org.assert_all_used();
}

#[tokio::test]
async fn a_stamp_that_disappears_stops_the_stream() {
    let org = Org::answering(vec![
        token("t"),
        describe(),
        ("/queryAll", refused("400 Bad Request", "INVALID_FIELD", "No such column 'SystemModstamp'")),
        describe_of(&[("Id", "id"), ("Name", "string")]),
    ])
    .await;
    let source = org.open(|_| ());
    let stream = only_stream(&source).await;
    let error = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(error.render().contains("field: SystemModstamp"), "{}", error.render());
}

#[tokio::test]
async fn an_object_too_wide_for_an_address_is_asked_for_in_a_body() {
    let names: Vec<String> = (0..400).map(|i| format!("A_rather_long_custom_field_name_{i}__c")).collect();
    let mut fields = vec![("Id", "id"), ("SystemModstamp", "datetime")];
    fields.extend(names.iter().map(|name| (name.as_str(), "string")));
    let inner = json!({ "totalSize": 1, "done": true, "records": [{ "Id": "a", names[7].as_str(): "x" }] });
    let part = |status: u16, body: Value| {
        ok(
            &json!({ "compositeResponse": [{ "body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": "page" }] }),
        )
    };
    let slow = json!([{ "errorCode": "UNKNOWN_EXCEPTION", "message": "An unexpected error occurred." }]);
    let org = Org::answering(vec![
        token("t"),
        describe_of(&fields),
        ("POST /services/data/v66.0/composite", part(500, slow)),
        ("POST /services/data/v66.0/composite", part(200, inner)),
    ])
    .await;
    let source = org.open(|config| config["page_size"] = json!(500));
    let stream = only_stream(&source).await;
    let page = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    let column = page.records.fields().iter().position(|name| *name == names[7]).unwrap();
    assert_eq!(page.records.value(0, column), Some("x"));
    let body: Value = serde_json::from_str(&org.host.asked().pop().unwrap().body).unwrap();
    assert_eq!(body["compositeRequest"][0]["httpHeaders"]["Sforce-Query-Options"], "batchSize=500");
    org.assert_all_used();
}

#[tokio::test]
async fn reading_stops_at_the_configured_share_of_the_daily_requests() {
    let used = |body: Vec<u8>| {
        let text =
            String::from_utf8(body).unwrap().replace("api-usage=10/1000", "api-usage=500/1000; api-bursts=1/750");
        text.into_bytes()
    };
    let org = Org::answering(vec![
        token("t"),
        describe(),
        ("/queryAll", used(page(&["a"], 2, Some("/services/data/v66.0/query/0r8-1")))),
    ])
    .await;
    let source = org.open(|config| config["quota_share"] = json!(0.5));
    let stream = only_stream(&source).await;
    let first = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    assert_eq!(keys(&first), ["a"]);
    let error = source.read_page(&stream, Some(&more(&first)), false, INCREMENTAL).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Quota);
    assert!(error.render().contains("used: 500\n  allowance: 1000\n  quota_share: 0.5"), "{}", error.render());
    org.assert_all_used();
}

#[tokio::test]
async fn broken_and_misplaced_answers_are_asked_for_again() {
    let org = Org::answering(vec![
        token("t"),
        describe(),
        ("/queryAll", answer("200 OK", &[DATE, "content-type: text/html"], b"<html>maintenance</html>")),
        ("/queryAll", answer("200 OK", &[DATE], br#"{"totalSize":1,"done":true,"records":[{"Id":"a""#)),
        (
            "/queryAll",
            answer("503 Service Unavailable", &[DATE], br#"[{"errorCode":"SERVER_UNAVAILABLE","message":"m"}]"#),
        ),
        ("/queryAll", answer("502 Bad Gateway", &[], b"<h1>Bad Gateway</h1>")),
        ("/queryAll", answer("406 Not Acceptable", &[], b"")),
        ("/queryAll", page(&["a"], 1, None)),
    ])
    .await;
    let source = org.open(|_| ());
    let stream = only_stream(&source).await;
    let page = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    assert_eq!((keys(&page), page.requests), (vec!["a"], 7));
    assert_eq!(org.timer.pauses().len(), 5);
    org.assert_all_used();
}

#[tokio::test]
async fn another_org_is_refused_and_another_user_reads_everything_again() {
    let org = Org::answering(vec![
        token("t"),
        describe(),
        ("/queryAll", page(&["a"], 1, None)),
        ("ORDER+BY+Id", page(&["a"], 1, None)),
    ])
    .await;
    let source = org.open(|_| ());
    let stream = only_stream(&source).await;
    let page = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    let (cursor, _) = done(&page);
    let changed = |key: &str, value: &str| {
        let mut cursor = cursor.clone();
        cursor.0[key] = json!(value);
        cursor
    };
    let error = source.read_page(&stream, Some(&changed("org", "00DOTHER")), true, INCREMENTAL).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.render().contains("org_before: 00DOTHER\n  org_now: 00DORG"), "{}", error.render());
    let page = source
        .read_page(&stream, Some(&changed("scope", "Account of org 00DORG as user 005OTHER")), true, INCREMENTAL)
        .await
        .unwrap();
    assert!(matches!(page.reading, Some(Reading::Pass { .. })));
    org.assert_all_used();
}

#[tokio::test]
async fn a_slow_query_is_asked_in_smaller_parts() {
    let slow = || refused("400 Bad Request", "QUERY_TIMEOUT", "Your query request was running for too long.");
    let org = Org::answering(vec![
        token("t"),
        describe(),
        ("ORDER+BY+Id", slow()),
        ("ORDER+BY+Id+LIMIT+2000", page(&["a"], 1, None)),
        ("3A00Z+ORDER+BY+SystemModstamp", slow()),
        ("SystemModstamp+%3C+2026-11-22T02%3A55%3A00Z", page(&["a"], 1, None)),
        (
            "SystemModstamp+%3E%3D+2026-11-22T02%3A55%3A00Z+AND+SystemModstamp+%3C+2026-11-22T03%3A00%3A00Z",
            page(&["b"], 1, None),
        ),
    ])
    .await;
    let source = org.open(|_| ());
    let stream = only_stream(&source).await;
    let pass = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    let (cursor, _) = done(&pass);
    let first = source.read_page(&stream, Some(&cursor), true, INCREMENTAL).await.unwrap();
    assert_eq!((first.source_total, first.ends_reading), (None, false));
    let second = source.read_page(&stream, Some(&more(&first)), false, INCREMENTAL).await.unwrap();
    assert_eq!((keys(&second), second.source_total, second.ends_reading), (vec!["b"], Some(2), true));
    assert_eq!(first.reading, second.reading);
    org.assert_all_used();
}

#[tokio::test]
async fn e2_ids_are_looked_for_on_every_page_of_the_answer() {
    let org = Org::answering(vec![
        token("t"),
        describe(),
        ("WHERE+Id+IN+", page(&["a", "b"], 3, Some("/services/data/v66.0/query/0r8-2"))),
        ("GET /services/data/v66.0/query/0r8-2", page(&["c"], 3, None)),
    ])
    .await;
    let source = org.open(|_| ());
    let stream = only_stream(&source).await;
    let ids = ["a", "b", "c", "d"].map(str::to_owned);
    let sighting = source.still_there(&stream, &ids).await.unwrap().unwrap();
    assert_eq!((sighting.keys, sighting.requests), (ids[..3].to_vec(), 2));
    org.assert_all_used();
}

#[tokio::test]
async fn check_tells_what_works_and_what_does_not() {
    let org = Org::answering(vec![
        token("t"),
        ("/limits", ok(&json!({ "DailyApiRequests": { "Max": 1000, "Remaining": 990 } }))),
        (
            "FROM+Organization",
            ok(&json!({ "totalSize": 1, "done": true, "records": [
            { "Name": "アクメ", "OrganizationType": "Enterprise Edition", "IsSandbox": true }] })),
        ),
        describe(),
        ("FROM+Account+LIMIT+1", page(&["a"], 1, None)),
        ("/sobjects/Bogus__c/describe", refused("404 Not Found", "NOT_FOUND", "The requested resource does not exist")),
    ])
    .await;
    let findings = org.open(|config| config["streams"] = json!(["Account", "Bogus__c"])).check().await;
    let shown: Vec<String> = findings
        .iter()
        .map(|found| format!("{} {}: {}", if found.ok { "ok" } else { "no" }, found.what, found.detail))
        .collect();
    assert_eq!(
        shown[..4],
        [
            "ok credentials: signed in to org 00DORG as user 005USER",
            "ok API access: version 66.0; 10 of 1000 daily requests used",
            "ok org: アクメ (Enterprise Edition, a sandbox)",
            "ok object Account: 3 fields visible, changes are read by SystemModstamp",
        ]
    );
    assert!(
        shown[4].starts_with("no object Bogus__c: error[E0003]: Salesforce does not offer this object"),
        "{}",
        shown[4]
    );
    org.assert_all_used();
}

/// Asks for jobs early: a page holds two rows.
fn with_bulk(config: &mut Value) {
    config["bulk_from"] = json!(3);
}

fn job(state: &str, rows: u64) -> Vec<u8> {
    ok(
        &json!({ "id": "750J", "state": state, "numberRecordsProcessed": rows, "errorMessage": "InvalidBatch : QUERY_TIMEOUT" }),
    )
}

fn csv(ids: &[&str], locator: &str) -> Vec<u8> {
    let mut body = "\"Id\",\"Name\",\"SystemModstamp\"\n".to_owned();
    for id in ids {
        body += &format!("\"{id}\",\"{id}\",\"2026-11-22T03:00:00.000Z\"\n");
    }
    let rows = format!("sforce-numberofrecords: {}", ids.len());
    answer("200 OK", &[DATE, "content-type: text/csv", &rows, &format!("sforce-locator: {locator}")], body.as_bytes())
}

/// The first page of five rows, and the request for a job that reads the other three.
fn large_reading() -> Vec<Step> {
    vec![
        token("t"),
        describe(),
        (
            "GET /services/data/v66.0/queryAll?q=SELECT+Id%2CName%2CSystemModstamp+FROM+Account+ORDER+BY+Id",
            page(&["a", "b"], 5, Some("/services/data/v66.0/query/0r8-2")),
        ),
    ]
}

const CREATE: &str = "\"query\":\"SELECT Id,Name,SystemModstamp FROM Account WHERE Id > 'b'\"";

#[tokio::test]
async fn the_rest_of_a_large_reading_is_had_by_a_job_page_by_page() {
    let mut steps = large_reading();
    steps.extend([
        (CREATE, job("UploadComplete", 0)),
        ("GET /services/data/v66.0/jobs/query/750J\n", job("InProgress", 1)),
        ("GET /services/data/v66.0/jobs/query/750J\n", job("JobComplete", 3)),
        ("/jobs/query/750J/results?maxRecords=50000\n", csv(&["e", "c"], "MTAw")),
        ("/jobs/query/750J/results?maxRecords=50000&locator=MTAw", csv(&["d"], "null")),
    ]);
    let org = Org::answering(steps).await;
    let source = org.open(with_bulk);
    let stream = only_stream(&source).await;
    let first = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    assert_eq!((keys(&first), first.source_total), (vec!["a", "b"], Some(5)));
    let begun = source.read_page(&stream, Some(&more(&first)), false, INCREMENTAL).await.unwrap();
    assert_eq!((begun.records.len(), &begun.reading, begun.ends_reading), (0, &first.reading, false));
    // The process ends; the next run goes on with the same job, whatever the object has become since.
    let source = org.open(with_bulk);
    let mut later = stream.clone();
    later.fields.push(crate::record::Field::plain("New__c", "string", crate::record::FieldClass::Business));
    let steps = [token("t")];
    org.left.lock().unwrap().extend(steps);
    let third = source.read_page(&later, Some(&more(&begun)), true, INCREMENTAL).await.unwrap();
    assert_eq!((keys(&third), &third.reading, third.source_total), (vec!["e", "c"], &first.reading, Some(5)));
    assert_eq!(third.records.value(0, 1), Some("e"));
    let fourth = source.read_page(&later, Some(&more(&third)), false, INCREMENTAL).await.unwrap();
    assert_eq!((keys(&fourth), fourth.ends_reading, &fourth.reading), (vec!["d"], true, &first.reading));
    org.assert_all_used();
    assert_eq!(org.timer.pauses(), [std::time::Duration::from_millis(500)]);
    let accepted: Vec<String> =
        org.host.asked().iter().filter_map(|asked| asked.header("accept").map(str::to_owned)).collect();
    assert_eq!(accepted.iter().filter(|media| *media == "text/csv").count(), 2);
}

#[tokio::test]
async fn lesson_13_and_14_a_job_that_is_refused_fails_or_is_gone_leaves_the_reading_to_rest() {
    let cases: [(&str, Vec<Step>, u64); 4] = [
        (
            "refused",
            vec![(
                CREATE,
                refused("400 Bad Request", "INVALIDENTITY", "Entity 'Account' is not supported by the Bulk API."),
            )],
            2,
        ),
        (
            "none left",
            vec![(
                CREATE,
                refused(
                    "400 Bad Request",
                    "LIMIT_EXCEEDED",
                    "Max bulk v2 query jobs (10000) per 24 hrs has been reached",
                ),
            )],
            2,
        ),
        ("failed", vec![(CREATE, job("UploadComplete", 0)), ("/jobs/query/750J\n", job("Failed", 0))], 3),
        (
            "gone",
            vec![
                (CREATE, job("UploadComplete", 0)),
                ("/jobs/query/750J\n", refused("404 Not Found", "NOT_FOUND", "The requested resource does not exist")),
            ],
            3,
        ),
    ];
    for (name, told, pages) in cases {
        let mut steps = large_reading();
        steps.extend(told);
        steps.push(("WHERE+Id+%3E+%27b%27+ORDER+BY+Id", page(&["c", "d", "e"], 3, None)));
        let org = Org::answering(steps).await;
        let source = org.open(with_bulk);
        let stream = only_stream(&source).await;
        let mut last = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
        for _ in 1..pages {
            last = source.read_page(&stream, Some(&more(&last)), false, INCREMENTAL).await.unwrap();
        }
        assert_eq!((keys(&last), last.source_total, last.ends_reading), (vec!["c", "d", "e"], Some(5), true), "{name}");
        org.assert_all_used();
    }
}

#[tokio::test]
async fn lesson_28_a_result_with_another_number_of_rows_than_the_job_said_is_read_again_by_rest() {
    let mut steps = large_reading();
    steps.extend([
        (CREATE, job("UploadComplete", 0)),
        ("/jobs/query/750J\n", job("JobComplete", 3)),
        // Cut, then another number of rows than the header says, then no word whether there is more: asked again.
        (
            "/jobs/query/750J/results",
            answer(
                "200 OK",
                &[DATE, "sforce-locator: null", "sforce-numberofrecords: 1"],
                b"\"Id\",\"Name\",\"SystemModstamp\"\n\"c",
            ),
        ),
        (
            "/jobs/query/750J/results",
            answer(
                "200 OK",
                &[DATE, "sforce-locator: null", "sforce-numberofrecords: 2"],
                b"\"Id\",\"Name\",\"SystemModstamp\"\n\"c\",\"c\",\"\"\n",
            ),
        ),
        ("/jobs/query/750J/results", answer("200 OK", &[DATE], b"\"Id\",\"Name\",\"SystemModstamp\"\n")),
        ("/jobs/query/750J/results", csv(&["c", "e"], "null")),
        ("WHERE+Id+%3E+%27b%27+ORDER+BY+Id", page(&["c", "d", "e"], 3, None)),
    ]);
    let org = Org::answering(steps).await;
    let source = org.open(with_bulk);
    let stream = only_stream(&source).await;
    let mut last = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    for expected in [vec![], vec!["c", "e"], vec!["c", "d", "e"]] {
        assert!(!last.ends_reading);
        last = source.read_page(&stream, Some(&more(&last)), false, INCREMENTAL).await.unwrap();
        assert_eq!(keys(&last), expected);
    }
    assert!(last.ends_reading);
    org.assert_all_used();
}

#[tokio::test]
async fn e2_the_log_of_deletions_names_what_left_no_trace_and_the_bin_is_left_to_windows() {
    let fields: Vec<Value> = [("Id", "id"), ("Name", "string"), ("SystemModstamp", "datetime")]
        .iter()
        .map(|(name, kind)| described(name, kind))
        .collect();
    let account =
        json!({ "name": "Account", "label": "取引先", "queryable": true, "replicateable": true, "fields": fields });
    let log = json!({
        "deletedRecords": [
            { "id": "gone", "deletedDate": "2026-11-22T02:58:00.000+0000" },
            { "id": "bin", "deletedDate": "2026-11-22T02:59:00.000+0000" },
        ],
        "earliestDateAvailable": "2026-11-01T00:00:00.000+0000",
        "latestDateCovered": "2026-11-22T03:04:00.000+0000",
    });
    let org = Org::answering(vec![
        token("t"),
        ("/sobjects/Account/describe", ok(&account)),
        ("FROM+Account+ORDER+BY+Id", page(&["a"], 1, None)),
        ("WHERE+SystemModstamp", page(&["a"], 1, None)),
        (
            "/sobjects/Account/deleted/?start=2026-11-22T02%3A55%3A00%2B00%3A00&end=2026-11-22T03%3A05%3A00%2B00%3A00",
            ok(&log),
        ),
        ("WHERE+Id+IN+", page(&["bin"], 1, None)),
    ])
    .await;
    let source = org.open(|_| ());
    let stream = only_stream(&source).await;
    let pass = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    // The pass has seen all there was: the log is due a day later.
    let mut cursor = done(&pass).0;
    cursor.0["logged_until"] = json!("2026-11-21T03:05:00Z");
    let window = source.read_page(&stream, Some(&cursor), true, INCREMENTAL).await.unwrap();
    let mut cursor = more(&window);
    cursor.0["logged_until"] = json!("2026-11-22T03:05:00Z");
    let logged = source.read_page(&stream, Some(&more(&window)), false, INCREMENTAL).await;
    assert!(logged.is_err(), "asked from a day ago, which the script does not expect");
    cursor.0["from"] = json!("2026-11-22T02:55:00Z");
    let logged = source.read_page(&stream, Some(&cursor), false, INCREMENTAL).await.unwrap();
    let heads: Vec<_> =
        logged.records.heads().iter().map(|head| (head.key.as_str(), head.deleted, head.stamp)).collect();
    assert_eq!(heads, [("gone", Some(crate::record::DeleteKind::Deleted), "2026-11-22T02:58:00Z".parse().ok())]);
    assert_eq!((logged.records.fields().len(), logged.requests, logged.source_total), (0, 2, None));
    let cursor = done(&logged).0;
    assert_eq!(cursor.0["logged_until"], json!("2026-11-22T03:05:00Z"));
    org.assert_all_used();
}
