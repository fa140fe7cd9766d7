//! The kintone connector against a scripted domain: each request must meet the answer prepared for it.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::clock::ManualClock;
use crate::connect::http::scripted::{Asked, ScriptedHost, answer};
use crate::connect::http::{Hosts, ManualTimer, Settings};
use crate::connect::{Calendar, MemoryTokenStore, TokenStore};
use crate::record::Reading;

const DATE: &str = "date: Sun, 22 Nov 2026 03:05:40 GMT";
const INCREMENTAL: ReadMode = ReadMode::Incremental;

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

/// What the domain answers to the first request whose line or body contains the text; each is used once.
type Step = (&'static str, Vec<u8>);

struct Domain {
    host: ScriptedHost,
    left: Arc<Mutex<Vec<Step>>>,
    timer: ManualTimer,
    store: Arc<dyn TokenStore>,
}

impl Domain {
    async fn answering(steps: Vec<Step>) -> Self {
        let left = Arc::new(Mutex::new(steps));
        let steps = Arc::clone(&left);
        let host = ScriptedHost::start(move |_, asked| {
            let text = shown(asked);
            let mut steps = steps.lock().unwrap();
            match steps.iter().position(|(part, _)| text.contains(part)) {
                Some(found) => steps.remove(found).1,
                None => answer("418 Unexpected", &[], text.as_bytes()),
            }
        })
        .await;
        Domain { host, left, timer: ManualTimer::default(), store: Arc::new(MemoryTokenStore::default()) }
    }

    fn open(&self, change: impl FnOnce(&mut Value)) -> Kintone {
        let mut config = json!({
            "base_url": self.host.base.as_str(),
            "streams": [{ "name": "顧客管理", "app": 8, "token": "hidden-token" }],
        });
        change(&mut config);
        Kintone::open(OpenArgs {
            id: SourceId("kt".into()),
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

    /// The scope of the app as its token sees it.
    fn scope(&self, rest: &str) -> String {
        format!("app 8 of 127.0.0.1:{}{rest}", self.host.base.port().unwrap())
    }

    fn asked(&self) -> Vec<String> {
        self.host.asked().iter().map(shown).collect()
    }

    fn assert_all_used(&self) {
        let left: Vec<&str> = self.left.lock().unwrap().iter().map(|(part, _)| *part).collect();
        assert!(left.is_empty(), "not asked for: {left:?}; asked: {:#?}", self.asked());
    }
}

/// A request as the steps name it; the query without the escapes of JSON.
fn shown(asked: &Asked) -> String {
    format!("{}\n{}", asked.line, asked.body.replace("\\\"", "\""))
}

fn ok(body: &Value) -> Vec<u8> {
    answer("200 OK", &[DATE, "x-concurrencylimit-running: 3"], body.to_string().as_bytes())
}

fn refused(status: &str, code: &str) -> Vec<u8> {
    answer(status, &[DATE], json!({ "code": code, "id": "q1w2", "message": "だめです。" }).to_string().as_bytes())
}

fn form_of(fields: Value, revision: &str) -> Step {
    let mut properties = json!({
        "会社名": { "type": "SINGLE_LINE_TEXT", "code": "会社名", "label": "会社名" },
        "更新日時": { "type": "UPDATED_TIME", "code": "更新日時", "label": "更新日時" },
    });
    for (code, field) in fields.as_object().unwrap() {
        properties[code] = field.clone();
    }
    properties.as_object_mut().unwrap().retain(|_, field| !field.is_null());
    ("app/form/fields.json", ok(&json!({ "properties": properties, "revision": revision })))
}

fn form() -> Step {
    form_of(json!({}), "12")
}

fn record(id: u64, name: &str) -> Value {
    json!({
        "$id": { "type": "__ID__", "value": id.to_string() },
        "$revision": { "type": "__REVISION__", "value": "3" },
        "会社名": { "type": "SINGLE_LINE_TEXT", "value": name },
        "更新日時": { "type": "UPDATED_TIME", "value": "2026-11-22T03:00:00Z" },
    })
}

fn page_of(records: &[Value], total: Option<u64>) -> Vec<u8> {
    ok(&json!({ "records": records, "totalCount": total.map(|total| total.to_string()) }))
}

fn page(ids: &[u64], total: Option<u64>) -> Vec<u8> {
    page_of(&ids.iter().map(|id| record(*id, "アクメ")).collect::<Vec<_>>(), total)
}

async fn only_stream(source: &Kintone) -> Stream {
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

fn small(config: &mut Value) {
    config["page_size"] = json!(2);
}

#[tokio::test]
async fn the_first_load_is_a_complete_pass_and_the_next_run_a_window() {
    let domain = Domain::answering(vec![
        form(),
        ("\"query\":\"$id > 0 order by $id asc limit 2\",\"fields\":[\"$id\",\"$revision\",\"会社名\",\"更新日時\"],\"totalCount\":true", page(&[3, 7], Some(4))),
        ("\"query\":\"$id > 7 order by $id asc limit 2\"", page(&[8, 20], None)),
        (
            "\"query\":\"(更新日時 >= \"2026-11-22T02:59:00Z\" or $id > 20) and $id > 0 order by $id asc limit 2\"",
            page(&[7], None),
        ),
    ])
    .await;
    let source = domain.open(small);
    let stream = only_stream(&source).await;
    let first = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    let Some(Reading::Pass { id, started_at, scope }) = &first.reading else { panic!() };
    assert_eq!(started_at.to_string(), "2026-11-22T03:05:40Z");
    assert_eq!((id.as_str(), scope), ("run@2026-11-22T03:05:40Z", &domain.scope(" as the app")));
    assert_eq!(
        (keys(&first), first.requests, first.source_total, first.ends_reading),
        (vec!["3", "7"], 2, Some(4), false)
    );
    let second = source.read_page(&stream, Some(&more(&first)), false, INCREMENTAL).await.unwrap();
    assert_eq!((keys(&second), second.requests, second.ends_reading), (vec!["8", "20"], 1, true), "no empty page");
    let (cursor, through) = done(&second);
    assert_eq!(through, "2026-11-22T03:04:00Z", "a whole minute, behind the clock");
    let window = source.read_page(&stream, Some(&cursor), true, INCREMENTAL).await.unwrap();
    let Some(Reading::Window { from, until }) = &window.reading else { panic!() };
    assert_eq!((from.to_string(), until.to_string()), ("2026-11-22T02:59:00Z".into(), "2026-11-22T03:06:00Z".into()));
    assert_eq!((done(&window).1, window.requests), ("2026-11-22T03:04:00Z".into(), 1));
    domain.assert_all_used();
}

#[tokio::test]
async fn lesson_6_records_are_asked_for_in_a_body_with_one_credential() {
    let domain = Domain::answering(vec![form(), ("records.json", page(&[1], Some(1)))]).await;
    let source =
        domain.open(|config| config["streams"][0]["filter"] = json!(format!("会社名 = \"{}\"", "長".repeat(9_000))));
    let stream = only_stream(&source).await;
    source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    let asked = domain.host.asked().pop().unwrap();
    assert_eq!(asked.line, "POST /k/v1/records.json");
    assert_eq!(asked.header("x-http-method-override"), Some("GET"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert_eq!(asked.header("x-cybozu-api-token"), Some("hidden-token"));
    assert_eq!((asked.header("authorization"), asked.header("x-cybozu-authorization")), (None, None));
    assert!(asked.header("user-agent").unwrap().starts_with("nenrin/"));
    let form = &domain.host.asked()[0];
    assert_eq!(form.line, "GET /k/v1/app/form/fields.json?app=8&lang=default");
    assert_eq!(form.header("content-type"), None);
}

#[tokio::test]
async fn lesson_5_pages_are_as_large_as_kintone_allows() {
    let domain = Domain::answering(vec![form(), ("limit 500", page(&[1], Some(1)))]).await;
    let source = domain.open(|_| ());
    let stream = only_stream(&source).await;
    source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    domain.assert_all_used();
}

#[tokio::test]
async fn passwords_basic_authentication_and_guest_spaces_go_where_they_belong() {
    let domain = Domain::answering(vec![form(), ("/k/guest/5/v1/records.json", page(&[1], Some(1)))]).await;
    let source = domain.open(|config| {
        config["login"] = json!({ "user": "guest/sato", "password": "a:b" });
        config["basic_auth"] = json!({ "user": "front", "password": "p" });
        config["streams"] = json!([{ "name": "顧客管理", "app": 8, "guest_space": 5 }]);
    });
    let stream = only_stream(&source).await;
    let page = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    let Some(Reading::Pass { scope, .. }) = &page.reading else { panic!() };
    assert_eq!(*scope, domain.scope(" in guest space 5 as user guest/sato"));
    for asked in domain.host.asked() {
        assert_eq!(asked.header("x-cybozu-authorization"), Some("Z3Vlc3Qvc2F0bzphOmI="));
        assert_eq!(asked.header("authorization"), Some("Basic ZnJvbnQ6cA=="));
        assert_eq!(asked.header("x-cybozu-api-token"), None);
    }
    assert!(domain.asked()[0].starts_with("GET /k/guest/5/v1/app/form/fields.json"));
    domain.assert_all_used();
}

fn oauth(config: &mut Value) {
    config["oauth"] = json!({ "client_id": "id", "client_secret": "secret", "refresh_token": "first" });
    config["streams"] = json!([{ "name": "顧客管理", "app": 8 }]);
}

#[tokio::test]
async fn an_expired_access_token_is_renewed_once_and_a_new_refresh_token_is_kept() {
    let token = |access: &str, refresh: Option<&str>| -> Step {
        let body =
            json!({ "access_token": access, "refresh_token": refresh, "token_type": "bearer", "expires_in": 3600 });
        ("POST /oauth2/token", ok(&body))
    };
    let gone = || refused("401 Unauthorized", "CB_OA01");
    let domain = Domain::answering(vec![
        token("old", None),
        form(),
        ("records.json", gone()),
        token("new", Some("second")),
        ("records.json", page(&[1], Some(1))),
        token("newer", None),
        form(),
    ])
    .await;
    let source = domain.open(oauth);
    let stream = only_stream(&source).await;
    source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    assert_eq!(domain.host.asked().pop().unwrap().header("authorization"), Some("Bearer new"));
    only_stream(&domain.open(oauth)).await;
    let renewals: Vec<Asked> = domain.host.asked().into_iter().filter(|asked| asked.line.contains("oauth2")).collect();
    assert!(renewals.iter().all(|asked| asked.header("authorization") == Some("Basic aWQ6c2VjcmV0")));
    let used: Vec<&str> = renewals.iter().map(|asked| asked.body.rsplit('=').next().unwrap()).collect();
    assert_eq!(used, ["first", "first", "second"]);
    domain.assert_all_used();
}

#[tokio::test]
async fn a_refused_refresh_token_is_not_asked_with_again() {
    let body = json!({ "error": "invalid_grant", "error_description": "x" }).to_string();
    let domain = Domain::answering(vec![("oauth2/token", answer("400 Bad Request", &[DATE], body.as_bytes()))]).await;
    let source = domain.open(oauth);
    for _ in 0..2 {
        let error = source.describe("顧客管理").await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "the refresh token is no longer valid"));
    }
    assert_eq!(domain.asked().len(), 1);
}

#[tokio::test]
async fn a_refused_password_is_asked_with_once_by_whoever_asks() {
    let domain = Domain::answering(vec![("fields.json", refused("401 Unauthorized", "CB_WA01"))]).await;
    let source = domain.open(|config| {
        config["login"] = json!({ "user": "sato", "password": "hidden-password" });
        config["basic_auth"] = json!({ "user": "front", "password": "p" });
        config["streams"] = json!([{ "name": "A", "app": 1 }, { "name": "B", "app": 2 }]);
    });
    let findings = source.check().await;
    assert_eq!(findings.len(), 1);
    assert!(!findings[0].ok && findings[0].detail.contains("refused the login name or the password"), "{findings:?}");
    assert!(!findings[0].detail.contains("hidden"), "{findings:?}");
    assert_eq!(domain.asked().len(), 1);
}

#[tokio::test]
async fn an_answer_that_kintone_cut_short_fails_the_run() {
    let warning = "x-cybozu-warning: Filter aborted because of too many search results";
    let body = json!({ "records": [record(1, "アクメ")], "totalCount": "1" }).to_string();
    let domain =
        Domain::answering(vec![form(), ("records.json", answer("200 OK", &[DATE, warning], body.as_bytes()))]).await;
    let source = domain.open(|_| ());
    let stream = only_stream(&source).await;
    let error = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::BadData, "kintone left records out of its answer"));
    assert!(error.render().contains("warning: Filter aborted"), "{}", error.render());
    assert_eq!(domain.asked().len(), 2, "asking again would give the same");
}

#[tokio::test]
async fn lesson_1_ids_that_do_not_grow_end_the_run() {
    let first = || ("$id > 0", page(&[5, 6], Some(9)));
    for (second, message) in [
        (page(&[6, 7], None), "kintone sent records again that were read before"),
        (page(&[9, 8], None), "the records do not come in the order of their ids"),
        (page(&[7, 8, 9], None), "the page has more records than were asked for"),
    ] {
        let domain = Domain::answering(vec![form(), first(), ("$id > 6", second)]).await;
        let source = domain.open(small);
        let stream = only_stream(&source).await;
        let page = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
        let error = source.read_page(&stream, Some(&more(&page)), false, INCREMENTAL).await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::BadData, message));
    }
}

#[tokio::test]
async fn lesson_20_fewer_records_than_kintone_counts_are_not_believed() {
    let domain =
        Domain::answering(vec![form(), ("records.json", page(&[], Some(7))), ("records.json", page(&[1], Some(1)))])
            .await;
    let source = domain.open(|_| ());
    let stream = only_stream(&source).await;
    let page = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    assert_eq!((keys(&page), page.requests), (vec!["1"], 3));
    assert_eq!(domain.timer.pauses().len(), 1);
    domain.assert_all_used();
}

#[tokio::test]
async fn an_interrupted_first_load_goes_on_behind_the_last_record_and_then_catches_up() {
    let domain = Domain::answering(vec![
        form(),
        ("$id > 0 order", page(&[1, 2], Some(3))),
        form(),
        ("$id > 2 order", page(&[5], None)),
        ("\"(更新日時 >= \"2026-11-22T02:59:00Z\" or $id > 5)", page(&[], None)),
    ])
    .await;
    let source = domain.open(small);
    let stream = only_stream(&source).await;
    let first = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    // The process ends; another run opens the source again.
    let source = domain.open(small);
    let stream = only_stream(&source).await;
    let second = source.read_page(&stream, Some(&more(&first)), true, INCREMENTAL).await.unwrap();
    assert_eq!((keys(&second), second.ends_reading, &second.reading), (vec!["5"], true, &first.reading));
    let window = source.read_page(&stream, Some(&more(&second)), false, INCREMENTAL).await.unwrap();
    assert!(matches!(window.reading, Some(Reading::Window { .. })));
    done(&window);
    domain.assert_all_used();
}

/// A stream that was read once, long enough ago for a sweep.
async fn read_long_ago(domain: &Domain, change: impl Fn(&mut Value) + Copy) -> Cursor {
    let source = domain.open(change);
    let stream = only_stream(&source).await;
    let page = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    let mut cursor = done(&page).0;
    assert_eq!(cursor.0["swept_at"], "2026-11-22T03:05:40Z");
    cursor.0["swept_at"] = json!("2026-11-21T03:05:40Z");
    cursor
}

#[tokio::test]
async fn e2_a_day_later_ids_and_revisions_are_swept_after_the_window() {
    let domain = Domain::answering(vec![
        form(),
        ("$id > 0", page(&[1, 2, 3], Some(3))),
        form(),
        ("更新日時 >=", page(&[2], None)),
        (
            "$id > 0 order by $id asc limit 500\",\"fields\":[\"$id\",\"$revision\"],\"totalCount\":true",
            page(&[1, 2], Some(2)),
        ),
        ("$id in (\"1\", \"3\") order by $id asc limit 500\",\"fields\":[\"$id\",\"$revision\"]", page(&[1], None)),
        ("$id in (\"2\") order by $id asc limit 500\",\"fields\":[\"$id\",\"$revision\",\"会社名\"", page(&[2], None)),
    ])
    .await;
    let cursor = read_long_ago(&domain, |_| ()).await;
    let source = domain.open(|_| ());
    let stream = only_stream(&source).await;
    let window = source.read_page(&stream, Some(&cursor), true, INCREMENTAL).await.unwrap();
    assert!(window.ends_reading && window.records.fields().len() == 4);
    let sweep = source.read_page(&stream, Some(&more(&window)), false, INCREMENTAL).await.unwrap();
    assert!(matches!(sweep.reading, Some(Reading::Sweep { .. })) && sweep.ends_reading);
    assert_eq!((keys(&sweep), sweep.records.fields().len(), sweep.source_total), (vec!["1", "2"], 0, None));
    assert_eq!(sweep.records.heads()[1].revision, Some(3));
    assert_eq!(done(&sweep).0.0["swept_at"], "2026-11-22T03:05:40Z");
    let sighting = source.still_there(&stream, &["1".into(), "3".into()]).await.unwrap().unwrap();
    assert_eq!((sighting.keys, sighting.requests), (vec!["1".to_owned()], 1));
    let found = source.read_by_key(&stream, &["2".into()]).await.unwrap();
    assert_eq!((found.answers[0].0.fields().len(), found.requests), (4, 1));
    domain.assert_all_used();
}

fn with_table(config: &mut Value) {
    config["streams"][0]["tables"] = json!(["明細"]);
}

#[tokio::test]
async fn lesson_12_a_table_is_read_as_a_stream_and_whole_once_a_day() {
    let table = json!({ "明細": { "type": "SUBTABLE", "code": "明細", "label": "明細", "fields": {
        "品名": { "type": "SINGLE_LINE_TEXT", "code": "品名", "label": "品名" } } } });
    let form = || form_of(table.clone(), "12");
    let rows = |id: u64, rows: &[(&str, &str)]| {
        let mut record = record(id, "x");
        let rows = rows
            .iter()
            .map(|(id, name)| json!({ "id": id, "value": { "品名": { "type": "SINGLE_LINE_TEXT", "value": name } } }));
        record["明細"] = json!({ "type": "SUBTABLE", "value": rows.collect::<Vec<_>>() });
        record
    };
    let fields = "\"fields\":[\"$id\",\"$revision\",\"更新日時\",\"明細\"]";
    let domain = Domain::answering(vec![
        form(),
        (fields, page_of(&[rows(1, &[("11", "A"), ("12", "B")]), rows(2, &[])], Some(2))),
        form(),
        ("or $id > 2", page_of(&[rows(1, &[("11", "A")])], None)),
        form(),
        (fields, page_of(&[rows(1, &[("11", "A")]), rows(2, &[])], Some(2))),
        (
            "$id in (\"1\") order by $id asc limit 500\",\"fields\":[\"$id\",\"明細\"]",
            page_of(&[rows(1, &[("11", "A")])], None),
        ),
    ])
    .await;
    let source = domain.open(with_table);
    assert_eq!(source.streams(), ["顧客管理", "顧客管理.明細"]);
    let stream = source.describe("顧客管理.明細").await.unwrap();
    let first = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    assert_eq!((keys(&first), first.source_total), (vec![r#"["1","11"]"#, r#"["1","12"]"#], None));
    assert_eq!(first.records.heads()[0].stamp.unwrap().to_string(), "2026-11-22T03:00:00Z");
    assert_eq!(first.records.fields().as_ref(), ["$parent", "$row", "$position", "品名"]);
    let mut cursor = done(&first).0;
    for day in ["2026-11-22T03:05:40Z", "2026-11-21T03:05:40Z"] {
        cursor.0["swept_at"] = json!(day);
        let source = domain.open(with_table);
        let stream = source.describe("顧客管理.明細").await.unwrap();
        let page = source.read_page(&stream, Some(&cursor), true, INCREMENTAL).await.unwrap();
        let is_pass = matches!(page.reading, Some(Reading::Pass { .. }));
        assert_eq!((is_pass, keys(&page)), (day.contains("-21T"), vec![r#"["1","11"]"#]));
        done(&page);
    }
    let asked = [r#"["1","11"]"#.to_owned(), r#"["1","12"]"#.to_owned()];
    assert_eq!(source.still_there(&stream, &asked).await.unwrap().unwrap().keys, [r#"["1","11"]"#]);
    domain.assert_all_used();
}

#[tokio::test]
async fn a_mapped_field_that_vanished_stops_the_stream_before_a_record_is_read() {
    let renamed =
        json!({ "会社名": null, "顧客名": { "type": "SINGLE_LINE_TEXT", "code": "顧客名", "label": "会社名" } });
    let new_form = || form_of(renamed.clone(), "13");
    let as_now = |id| {
        let mut record = record(id, "アクメ");
        record["顧客名"] = record["会社名"].take();
        record.as_object_mut().unwrap().remove("会社名");
        record
    };
    let domain = Domain::answering(vec![
        form(),
        ("$id > 0", page(&[1], Some(1))),
        new_form(),
        new_form(),
        ("$id > 0", page_of(&[as_now(1)], Some(1))),
        new_form(),
        ("$id > 0", page_of(&[as_now(1)], Some(1))),
    ])
    .await;
    let source = domain.open(|_| ());
    let stream = only_stream(&source).await;
    let cursor = done(&source.read_page(&stream, None, true, INCREMENTAL).await.unwrap()).0;
    let source = domain.open(|_| ());
    let stream = only_stream(&source).await;
    let error = source.read_page(&stream, Some(&cursor), true, INCREMENTAL).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.render();
    assert!(
        text.contains("fields: 会社名 (SINGLE_LINE_TEXT)") && text.contains("`会社名` may be `顧客名` now"),
        "{text}"
    );
    assert_eq!(domain.asked().iter().filter(|asked| asked.contains("records.json")).count(), 1);
    // A person says that it is gone, or that it does not matter: everything is read again under the new form.
    let accepted = |config: &mut Value| config["streams"][0]["gone"] = json!(["会社名"]);
    let careless = |config: &mut Value| config["on_missing_field"] = json!("continue");
    for change in [&accepted as &dyn Fn(&mut Value), &careless] {
        let source = domain.open(change);
        let stream = only_stream(&source).await;
        let page = source.read_page(&stream, Some(&cursor), true, INCREMENTAL).await.unwrap();
        assert!(matches!(page.reading, Some(Reading::Pass { .. })));
        assert!(page.records.fields().iter().any(|name| name == "顧客名"));
    }
    domain.assert_all_used();
}

#[tokio::test]
async fn a_new_layout_reads_nothing_again_and_a_renamed_option_everything() {
    let choice = |label: &str, option: &str| json!({ "確度": { "type": "DROP_DOWN", "code": "確度", "label": label, "options": { option: { "index": "0" } } } });
    let with_choice = || {
        let mut record = record(1, "アクメ");
        record["確度"] = json!({ "type": "DROP_DOWN", "value": null });
        page_of(&[record], Some(1))
    };
    let domain = Domain::answering(vec![
        form_of(choice("確度", "A"), "12"),
        ("records.json", with_choice()),
        form_of(choice("受注確度", "A"), "13"),
        ("更新日時 >=", page_of(&[], None)),
        form_of(choice("受注確度", "AA"), "14"),
        ("\"query\":\"$id > 0", with_choice()),
    ])
    .await;
    let mut cursor = None;
    for is_pass in [true, false, true] {
        let source = domain.open(|_| ());
        let stream = only_stream(&source).await;
        let page = source.read_page(&stream, cursor.as_ref(), true, INCREMENTAL).await.unwrap();
        assert_eq!(matches!(page.reading, Some(Reading::Pass { .. })), is_pass);
        cursor = Some(done(&page).0);
    }
    domain.assert_all_used();
}

#[tokio::test]
async fn a_field_that_records_lack_is_never_read_as_empty() {
    let hidden = || {
        let mut record = record(1, "アクメ");
        record.as_object_mut().unwrap().remove("会社名");
        page_of(&[record], Some(1))
    };
    let domain = Domain::answering(vec![
        form(),
        ("\"会社名\"", hidden()),
        form(),
        ("\"会社名\"", hidden()),
        ("\"fields\":[\"$id\",\"$revision\",\"更新日時\"]", hidden()),
    ])
    .await;
    let source = domain.open(|_| ());
    let stream = only_stream(&source).await;
    let error = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Permission, "records lack fields that the app's form has"));
    assert!(error.render().contains("fields: 会社名"), "{}", error.render());
    let source = domain.open(|config| config["on_missing_field"] = json!("continue"));
    let stream = only_stream(&source).await;
    let page = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    assert_eq!(page.records.fields().as_ref(), ["$id", "$revision", "更新日時"]);
    assert_eq!(page.requests, 3);
    domain.assert_all_used();
}

#[tokio::test]
async fn one_app_that_is_gone_does_not_stop_the_others() {
    let domain = Domain::answering(vec![
        ("fields.json?app=9&", refused("404 Not Found", "GAIA_AP01")),
        ("fields.json?app=8&", form().1),
        ("app.json?id=8", ok(&json!({ "appId": "8", "name": "顧客管理アプリ" }))),
        ("\"app\":8", page(&[1], Some(1_234))),
        ("fields.json?app=7&", refused("400 Bad Request", "GAIA_IL23")),
        ("fields.json?app=6&", refused("520 ", "GAIA_IA02")),
    ])
    .await;
    let source = domain.open(|config| {
        let app = |name: &str, app: u64| json!({ "name": name, "app": app, "token": "t" });
        config["streams"] = json!([app("A", 9), app("B", 8), app("C", 7), app("D", 6)]);
    });
    let shown: Vec<String> = source
        .check()
        .await
        .iter()
        .map(|found| format!("{} {}: {}", if found.ok { "ok" } else { "no" }, found.what, found.detail))
        .collect();
    assert!(shown[0].starts_with("no app 9: ") && shown[0].contains("no app with this number"), "{}", shown[0]);
    assert_eq!(shown[1], "ok app 8 (顧客管理アプリ): 1234 records, 4 fields visible, changes are read by 更新日時");
    assert!(shown[2].contains("set `guest_space`"), "{}", shown[2]);
    assert!(shown[3].contains("kintone does not know the API token"), "{}", shown[3]);
    domain.assert_all_used();
}

#[tokio::test]
async fn reading_stops_at_the_requests_of_a_day_and_goes_on_the_next() {
    let late = |ids: &[u64]| {
        let text = String::from_utf8(page(ids, Some(3))).unwrap();
        text.replace("03:05:40", "23:59:00").into_bytes()
    };
    let domain = Domain::answering(vec![form(), ("$id > 0", late(&[1, 2])), ("$id > 2", page(&[3], None))]).await;
    let source = domain.open(|config| {
        small(config);
        config["daily_requests"] = json!(2);
    });
    let stream = only_stream(&source).await;
    let first = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    let cursor = more(&first);
    assert_eq!(cursor.0["spent"], json!({ "day": "2026-11-22", "requests": 2 }));
    let error = source.read_page(&stream, Some(&cursor), false, INCREMENTAL).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited, "the other apps are read all the same");
    assert!(error.render().contains("used: 2\n  allowance: 2"), "{}", error.render());
    let mut yesterday = cursor;
    yesterday.0["spent"]["day"] = json!("2026-11-21");
    let page = source.read_page(&stream, Some(&yesterday), false, INCREMENTAL).await.unwrap();
    assert_eq!(done(&page).0.0["spent"], json!({ "day": "2026-11-22", "requests": 1 }));
    domain.assert_all_used();
}

#[tokio::test]
async fn another_app_is_refused_and_another_filter_reads_everything_again() {
    let domain = Domain::answering(vec![
        form(),
        ("$id > 0", page(&[1], Some(1))),
        form(),
        ("(会社名 != \"\") and $id > 0", page(&[1], Some(1))),
    ])
    .await;
    let source = domain.open(|_| ());
    let stream = only_stream(&source).await;
    let cursor = done(&source.read_page(&stream, None, true, INCREMENTAL).await.unwrap()).0;
    let mut other = cursor.clone();
    other.0["app"] = json!("acme.cybozu.com/9");
    let error = source.read_page(&stream, Some(&other), true, INCREMENTAL).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.render().contains("app_before: acme.cybozu.com/9"), "{}", error.render());
    let source = domain.open(|config| config["streams"][0]["filter"] = json!("会社名 != \"\""));
    let stream = only_stream(&source).await;
    let page = source.read_page(&stream, Some(&cursor), true, INCREMENTAL).await.unwrap();
    assert!(matches!(page.reading, Some(Reading::Pass { .. })));
    domain.assert_all_used();
}

#[tokio::test]
async fn busy_broken_and_misplaced_answers_are_asked_for_again() {
    let domain = Domain::answering(vec![
        form(),
        ("records.json", refused("429 Too Many Requests", "GAIA_TO04")),
        (
            "records.json",
            answer("503 Service Unavailable", &[DATE, "content-type: text/plain"], b"Service Unavailable"),
        ),
        ("records.json", answer("200 OK", &[DATE], br#"{"records":[{"$id":{"va"#)),
        ("records.json", refused("520 ", "GAIA_DA02")),
        ("records.json", answer("200 OK", &[DATE, "content-type: text/html"], b"<html>login</html>")),
        ("records.json", page(&[1], Some(1))),
    ])
    .await;
    let source = domain.open(|_| ());
    let stream = only_stream(&source).await;
    let page = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    assert_eq!((keys(&page), page.requests), (vec!["1"], 7));
    assert_eq!(domain.timer.pauses().len(), 5);
    domain.assert_all_used();
}

#[tokio::test]
async fn what_stands_in_front_of_kintone_is_told_apart_from_it() {
    for (status, kind, message) in [
        ("401 Unauthorized", ErrorKind::Auth, "what stands in front of kintone asks for a name and a password"),
        ("403 Forbidden", ErrorKind::Permission, "kintone does not answer to this address"),
        ("414 URI Too Long", ErrorKind::Rejected, "the request is too long for kintone"),
    ] {
        let page = answer(status, &["content-type: text/html"], b"<html>no</html>");
        let domain = Domain::answering(vec![("fields.json", page)]).await;
        let error = domain.open(|_| ()).describe("顧客管理").await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (kind, message));
        assert_eq!(domain.asked().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_asked_for_in_smaller_pages() {
    let slow = || answer("504 Gateway Timeout", &["content-type: text/html"], b"<h1>504</h1>");
    let domain = Domain::answering(vec![
        form(),
        ("limit 500", slow()),
        ("limit 250", slow()),
        ("limit 125", page(&[1], Some(1))),
    ])
    .await;
    let source = domain.open(|_| ());
    let stream = only_stream(&source).await;
    let page = source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    assert_eq!((keys(&page), page.requests), (vec!["1"], 4));
    domain.assert_all_used();
}

#[tokio::test]
async fn a_crowded_domain_is_given_a_moment() {
    let crowded =
        |body: Vec<u8>| String::from_utf8(body).unwrap().replace("limit-running: 3", "limit-running: 81").into_bytes();
    let domain =
        Domain::answering(vec![("fields.json", crowded(form().1)), ("records.json", page(&[1], Some(1)))]).await;
    let source = domain.open(|_| ());
    let stream = only_stream(&source).await;
    source.read_page(&stream, None, true, INCREMENTAL).await.unwrap();
    assert_eq!(domain.timer.pauses(), [std::time::Duration::from_secs(2)]);
}

#[test]
fn a_domain_is_one_whichever_of_its_hosts_is_asked() {
    let domain = |text: &str| domain_of(&Url::parse(text).unwrap());
    assert_eq!(domain("https://acme.cybozu.com"), "acme.cybozu.com");
    assert_eq!(domain("https://acme.s.cybozu.com/"), "acme.cybozu.com");
    assert_eq!(domain("http://127.0.0.1:8080/x"), "127.0.0.1:8080");
}
