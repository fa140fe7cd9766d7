use std::time::Duration;

use serde_json::json;

use super::*;
use crate::clock::ManualClock;
use crate::connect::http::scripted::{ScriptedHost, answer};
use crate::connect::http::{Hosts, Limits, ManualTimer, Settings};
use crate::connect::token::MemoryTokenStore;

/// What a test signs in with.
struct Bench {
    host: ScriptedHost,
    store: Arc<MemoryTokenStore>,
    clock: ManualClock,
    settings: Settings,
}

impl Bench {
    /// A token endpoint that answers each time with the next of `bodies`, always with 200.
    async fn new(bodies: &'static [&'static str]) -> Bench {
        let host = ScriptedHost::start(move |n, _| answer("200 OK", &[], bodies[n.min(bodies.len() - 1)].as_bytes()));
        Bench {
            host: host.await,
            store: Arc::default(),
            clock: ManualClock::at("2026-11-01T00:00:00Z".parse().unwrap()),
            settings: Settings::default(),
        }
    }

    /// The session of another run.
    fn session(&self) -> Session {
        let hosts = Hosts::new(self.settings.clone(), Arc::new(ManualTimer::default())).unwrap();
        let auth = json!({ "client_id": "c", "client_secret": "s", "refresh_token": "r" });
        let store: Arc<dyn TokenStore> = Arc::clone(&self.store) as _;
        Session {
            source: SourceId("zoho".into()),
            address: self.host.base.join("oauth/v2/token").unwrap(),
            auth: serde_json::from_value(auth).unwrap(),
            client: Arc::new(Client::new(Arc::new(hosts), Limits::default(), "run")),
            store,
            clock: Arc::new(self.clock.clone()),
            meter: Arc::default(),
            state: Mutex::default(),
        }
    }

    fn asked(&self) -> usize {
        self.host.asked().len()
    }
}

const TOKEN: &str =
    r#"{"access_token":"1000.a","api_domain":"https://www.zohoapis.jp","token_type":"Bearer","expires_in":3600}"#;
const OTHER: &str =
    r#"{"access_token":"1000.b","api_domain":"https://www.zohoapis.jp","expires_in_sec":3600,"expires_in":3600000}"#;

#[tokio::test]
async fn lesson_14_one_access_token_serves_all_runs_until_it_expires() {
    let bench = Bench::new(&[TOKEN, OTHER]).await;
    for _ in 0..3 {
        let grant = bench.session().grant().await.unwrap();
        assert_eq!(grant.header.expose_secret(), "Zoho-oauthtoken 1000.a");
        assert_eq!(grant.base.unwrap().as_str(), "https://www.zohoapis.jp/");
    }
    assert_eq!(bench.asked(), 1);
    // Five minutes before its end it is no longer used; the life of the other one is told in milliseconds.
    bench.clock.advance_secs(3_300);
    for secs in [0, 3_299] {
        bench.clock.advance_secs(secs);
        assert_eq!(bench.session().grant().await.unwrap().header.expose_secret(), "Zoho-oauthtoken 1000.b");
    }
    assert_eq!(bench.asked(), 2);
}

#[tokio::test]
async fn lesson_10_an_error_is_told_by_the_body_and_asked_for_once() {
    let bench = Bench::new(&[r#"{"error":"invalid_code"}"#]).await;
    let session = bench.session();
    for _ in 0..2 {
        let error = session.grant().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth, "{}", error.render());
    }
    assert_eq!(bench.asked(), 1);
}

#[tokio::test]
async fn too_many_tokens_are_a_matter_of_time_and_not_of_the_refresh_token() {
    let denied = r#"{"error":"Access Denied","error_description":"You have made too many requests continuously."}"#;
    let bench = Bench::new(Vec::leak(vec![denied, TOKEN])).await;
    let session = bench.session();
    assert_eq!(session.grant().await.unwrap_err().kind(), ErrorKind::Quota);
    assert!(session.grant().await.is_ok());
}

#[tokio::test]
async fn a_server_that_fails_is_asked_again() {
    let bench = Bench::new(&[r#"{"error":"server_error"}"#, TOKEN]).await;
    assert!(bench.session().grant().await.is_ok());
    assert_eq!(bench.asked(), 2);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_for_all_who_were_refused() {
    let bench = Bench::new(&[TOKEN, OTHER]).await;
    let session = bench.session();
    let grant = session.grant().await.unwrap();
    session.meter.accepted.store(true, Ordering::Relaxed);
    let (first, second) = tokio::join!(session.renew(&grant), session.renew(&grant));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!((bench.asked(), session.grant().await.unwrap().header.expose_secret()), (2, "Zoho-oauthtoken 1000.b"));
}

#[tokio::test]
async fn lesson_11_a_token_that_is_refused_when_just_made_names_the_data_centre_and_burns_no_more() {
    let bench = Bench::new(&[TOKEN]).await;
    let session = bench.session();
    let grant = session.grant().await.unwrap();
    let error = session.renew(&grant).await.unwrap_err();
    assert!(error.render().contains("accounts_url"), "{}", error.render());
    assert_eq!(session.grant().await.unwrap_err().kind(), ErrorKind::Auth);
    assert_eq!(bench.asked(), 1);
}

#[tokio::test]
async fn lesson_13_an_empty_answer_is_taken_for_an_expired_token_once() {
    let bench = Bench::new(&[TOKEN, OTHER]).await;
    let session = bench.session();
    session.grant().await.unwrap();
    for _ in 0..3 {
        session.meter.silent.store(true, Ordering::Relaxed);
        assert_eq!(session.grant().await.unwrap().header.expose_secret(), "Zoho-oauthtoken 1000.b");
    }
    assert_eq!(bench.asked(), 2);
}

#[tokio::test]
async fn lesson_6_a_token_endpoint_that_never_answers_is_not_waited_for_forever() {
    let mut bench = Bench::new(&[TOKEN]).await;
    // Takes connections and says nothing.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    bench.host.base = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    bench.settings = Settings { read_timeout: Duration::from_millis(50), retries: 0, ..Settings::default() };
    assert_eq!(bench.session().grant().await.unwrap_err().kind(), ErrorKind::Unavailable);
}
