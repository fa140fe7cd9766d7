//! Lines 27, 28, 43, 47 and 48: how much may be asked for, and what is told of it.

use serde_json::json;
use simulators::hubspot::{LimitForm, Options};

use crate::client::Session;

async fn limited() -> Session {
    Session::start(Options { records: 3, rate_limits: true, burst: 4, daily_limit: 12, ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn line_27_the_sixth_search_in_a_second_is_refused() {
    let session = limited().await;
    session.portal.set_options(|options| options.daily_limit = 1_000);
    let statuses: Vec<u16> = (0..6).map(|_| session.search("companies", json!({})).status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
    let refused = session.search("contacts", json!({}));
    let body = refused.json();
    assert_eq!(
        (&body["category"], &body["message"]),
        (&json!("RATE_LIMITS"), &json!("You have reached your secondly limit."))
    );
    assert_eq!((body.get("policyName"), refused.header("retry-after")), (None, None));
    session.portal.advance(1);
    assert_eq!(session.search("companies", json!({})).status, 200);
    assert_eq!(session.portal.most_searches_per_second(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_28_searches_have_an_allowance_of_their_own() {
    let session = limited().await;
    let found = session.search("companies", json!({}));
    assert_eq!(found.header("x-hubspot-rate-limit-exemptions"), Some("[\"ten-secondly\"]"));
    assert!(found.headers.iter().all(|(name, _)| !name.to_lowercase().starts_with("x-hubspot-ratelimit")));
    let listed = session.list("companies", "");
    assert_eq!(listed.header("x-hubspot-ratelimit-remaining"), Some("3"));
    assert_eq!(listed.header("x-hubspot-rate-limit-exemptions"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_43_allowances_count_down_and_come_back() {
    let session = limited().await;
    let left = || {
        let answer = session.list("companies", "");
        let header = |name: &str| answer.header(name).unwrap_or_default().to_owned();
        (answer.status, header("x-hubspot-ratelimit-remaining"), header("x-hubspot-ratelimit-daily-remaining"))
    };
    let told = |burst: u64, day: u64| (200, burst.to_string(), day.to_string());
    assert_eq!([left(), left(), left(), left()], [told(3, 11), told(2, 10), told(1, 9), told(0, 8)]);
    let refused = session.list("companies", "");
    let body = refused.json();
    assert_eq!(
        (refused.status, &body["policyName"], &body["errorType"]),
        (429, &json!("TEN_SECONDLY_ROLLING"), &json!("RATE_LIMIT"))
    );
    assert_eq!(body["message"], "You have reached your ten_secondly_rolling limit.");
    session.portal.advance(9);
    assert_eq!(session.list("companies", "").status, 429);
    session.portal.advance(1);
    let answer = session.list("companies", "");
    assert_eq!(answer.header("x-hubspot-ratelimit-max"), Some("4"));
    assert_eq!(answer.header("x-hubspot-ratelimit-interval-milliseconds"), Some("10000"));
    let access = session.portal.access_token();
    let by_app = session.call("GET", "/crm/objects/2026-09/companies", &access, b"");
    assert_eq!(by_app.header("x-hubspot-ratelimit-max"), Some("110"));
    assert_eq!(by_app.header("x-hubspot-ratelimit-daily"), None);
    while session.portal.calls_today() < 12 {
        session.portal.advance(10);
        assert_eq!(session.list("companies", "").status, 200);
    }
    session.portal.advance(10);
    assert_eq!(session.list("companies", "").json()["policyName"], "DAILY");
    assert_eq!(session.search("companies", json!({})).json()["policyName"], "DAILY");
    // It is midnight in Tokyo at 15:00 UTC, when the portal's clock began.
    session.portal.set_now("2026-11-01T14:59:59Z".parse().unwrap());
    assert_eq!(session.list("companies", "").status, 429);
    session.portal.advance(1);
    assert_eq!(session.list("companies", "").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_43_the_ten_seconds_roll() {
    let session = limited().await;
    let status = || session.list("companies", "").status;
    assert_eq!([status(), status()], [200, 200]);
    session.portal.advance(6);
    assert_eq!([status(), status(), status()], [200, 200, 429]);
    session.portal.advance(4);
    assert_eq!([status(), status(), status()], [200, 200, 429]);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_43_refusals_come_in_several_forms() {
    let session = limited().await;
    session.portal.set_options(|options| options.burst = 0);
    let keys = |form: LimitForm| {
        session.portal.assume(|open| open.limit_form = form);
        let body = session.list("companies", "").json();
        ["policyName", "errorType", "category"].map(|key| body.get(key).is_some())
    };
    assert_eq!(keys(LimitForm::Mixed), [true, true, false]);
    assert_eq!(keys(LimitForm::Documented), [true, true, false]);
    assert_eq!(keys(LimitForm::Recorded), [false, false, true]);
    assert_eq!(keys(LimitForm::Bare), [false, false, false]);
    session.portal.assume(|open| open.retry_after_secs = Some(17));
    assert_eq!(session.list("companies", "").header("retry-after"), Some("17"));
    session.portal.set_options(|options| options.rate_limits = false);
    session.portal.assume(|open| open.secondly_headers = true);
    let free = session.list("companies", "");
    assert!(free.status == 200 && free.header("x-hubspot-ratelimit-secondly").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn line_47_the_account_tells_of_itself() {
    let session = limited().await;
    let account = session.get("/account-info/2026-09/details").json();
    assert_eq!(
        (&account["timeZone"], &account["utcOffset"], &account["companyCurrency"]),
        (&json!("Asia/Tokyo"), &json!("+09:00"), &json!("JPY"))
    );
    assert_eq!(account["portalId"], session.server.credentials()["portal_id"]);
    let usage = &session.get("/account-info/2026-09/api-usage/daily/private-apps").results()[0];
    assert_eq!(
        (&usage["currentUsage"], &usage["usageLimit"], &usage["resetsAt"]),
        (&json!(2), &json!(12), &json!("2026-11-01T15:00:00.000Z"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn line_48_calls_are_remembered() {
    let session = Session::with_companies(30).await;
    session.list("companies", "limit=7");
    session.search("companies", json!({"limit": 3, "query": "株式会社"}));
    session.list("companies", "limit=1000");
    let calls = session.portal.calls();
    let told: Vec<_> = calls.iter().map(|call| (call.method.as_str(), call.status, call.rows)).collect();
    assert_eq!(told[0], ("GET", 200, 7));
    assert_eq!((told[1].0, told[2]), ("POST", ("GET", 400, 0)));
    assert!(calls[1].path.ends_with("/companies/search") && calls[1].query.contains("株式会社"));
    assert_eq!(calls[0].at, session.portal.now().timestamp());
    assert_eq!((session.portal.peak_concurrency(), session.portal.most_searches_per_second()), (1, 1));
    session.portal.clear_calls();
    assert!(session.portal.calls().is_empty() && session.portal.most_searches_per_second() == 0);
}
