//! The client against a scripted host; no real time passes.

use std::io::Write;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use flate2::Compression;
use flate2::write::GzEncoder;
use url::Url;

use super::scripted::{ScriptedHost, answer};
use super::*;
use crate::error::{ErrorKind, Result};

fn client(timer: &ManualTimer, settings: Settings) -> Client {
    let hosts = Hosts::new(settings, Arc::new(timer.clone())).unwrap();
    Client::new(Arc::new(hosts), Limits::default(), "run")
}

fn accept_success(answer: Answer) -> Verdict<String> {
    if answer.status.is_success() && !answer.is_html() {
        Verdict::Accept(String::from_utf8_lossy(&answer.body).into_owned())
    } else {
        unexpected(&answer)
    }
}

fn get(host: &ScriptedHost) -> Request {
    Request::get(Target::Absolute(host.base.join("things?token=secret").unwrap()))
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_compressed_answer_is_unpacked_and_counted_as_transferred() {
    let text = "a".repeat(10_000);
    let packed = gzip(&text);
    let packed_len = packed.len() as u64;
    let host = ScriptedHost::start(move |_, _| {
        answer("200 OK", &["content-encoding: gzip", "date: Sun, 22 Nov 2026 03:00:00 GMT"], &packed)
    })
    .await;
    let sent =
        client(&ManualTimer::default(), Settings::default()).send(&get(&host), None, accept_success).await.unwrap();
    assert_eq!(sent.value, text);
    assert_eq!(sent.bytes, packed_len);
    assert_eq!(sent.requests, 1);
    assert_eq!(sent.date.unwrap().to_string(), "2026-11-22T03:00:00Z");
    assert_eq!(host.asked()[0].header("accept-encoding"), Some("gzip"));
}

#[tokio::test]
async fn broken_answers_are_asked_for_again_with_growing_pauses() {
    let packed = gzip(&"a".repeat(10_000));
    let host = ScriptedHost::start(move |n, _| match n {
        0 => b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\ncut short".to_vec(),
        1 => b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n5\r\nhel".to_vec(),
        2 => answer("200 OK", &["content-encoding: gzip"], &packed[..packed.len() / 2]),
        3 => answer("502 Bad Gateway", &["content-type: text/html"], b"<h1>Bad Gateway</h1>"),
        4 => answer("420 ", &[], b""),
        _ => answer("200 OK", &[], b"whole"),
    })
    .await;
    let timer = ManualTimer::default();
    let sent = client(&timer, Settings::default()).send(&get(&host), None, accept_success).await.unwrap();
    assert_eq!((sent.value.as_str(), sent.requests), ("whole", 6));
    let pauses = timer.pauses();
    assert_eq!(pauses.len(), 5);
    for (pause, base) in pauses.iter().zip([1, 2, 4, 8, 16]) {
        assert!((base..=2 * base).contains(&(pause.as_millis().div_ceil(1000) as u64)), "{pauses:?}");
    }
}

#[tokio::test]
async fn patience_ends_with_an_error_that_names_the_request_but_no_secret() {
    let host = ScriptedHost::start(|_, _| answer("503 Service Unavailable", &[], b"")).await;
    let timer = ManualTimer::default();
    let error = client(&timer, Settings::default()).send(&get(&host), None, accept_success).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let text = error.render();
    assert!(text.contains("status: 503") && text.contains("/things?…") && text.contains("tries: 6"), "{text}");
    assert!(!text.contains("secret"), "{text}");
    assert_eq!(host.asked().len(), 6);
}

#[tokio::test]
async fn a_near_retry_after_is_waited_for_and_a_far_one_ends_the_run() {
    let host = ScriptedHost::start(|n, _| match n {
        0 => answer("429 Too Many Requests", &["retry-after: 45"], b""),
        1 => answer("200 OK", &[], b"fine"),
        _ => answer("429 Too Many Requests", &["retry-after: 3600"], b""),
    })
    .await;
    let timer = ManualTimer::default();
    let client = client(&timer, Settings::default());
    assert_eq!(client.send(&get(&host), None, accept_success).await.unwrap().value, "fine");
    assert_eq!(timer.pauses(), [Duration::from_secs(45)]);
    let error = client.send(&get(&host), None, accept_success).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Quota);
    assert!(error.render().contains("wait_secs: 3600"), "{}", error.render());
    assert_eq!(timer.pauses().len(), 1);
}

#[tokio::test]
async fn an_answer_over_the_limit_is_refused_packed_or_not() {
    let packed = gzip(&"a".repeat(10_000));
    let host = ScriptedHost::start(move |n, _| match n {
        0 => answer("200 OK", &["content-encoding: gzip"], &packed),
        _ => answer("200 OK", &[], &[b'a'; 5_000]),
    })
    .await;
    let client = client(&ManualTimer::default(), Settings { max_body_bytes: 2_000, ..Settings::default() });
    for _ in 0..2 {
        let error = client.send(&get(&host), None, accept_success).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadData);
        assert!(error.render().contains("max_bytes: 2000"), "{}", error.render());
    }
    assert_eq!(host.asked().len(), 2);
}

#[tokio::test]
async fn no_connection_is_tried_again_and_then_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let timer = ManualTimer::default();
    let client = client(&timer, Settings { retries: 2, ..Settings::default() });
    let error = client.send(&Request::get(Target::Absolute(url)), None, accept_success).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Unavailable, "could not connect"));
    assert_eq!(timer.pauses().len(), 2);
    assert_eq!(client.sent_count(), 3);
}

struct Counted {
    base: Url,
    generation: AtomicU64,
}

#[async_trait]
impl Authorize for Counted {
    async fn grant(&self) -> Result<Grant> {
        let generation = self.generation.load(Ordering::SeqCst);
        Ok(Grant { header: format!("Bearer {generation}").into(), base: Some(self.base.clone()), generation })
    }

    async fn renew(&self, refused: &Grant) -> Result<()> {
        let next = refused.generation + 1;
        let _ = self.generation.compare_exchange(refused.generation, next, Ordering::SeqCst, Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn a_refused_credential_is_renewed_once_and_a_second_refusal_is_final() {
    let host = ScriptedHost::start(|n, asked| match (n, asked.header("authorization")) {
        (_, Some("Bearer 1")) if n < 2 => answer("200 OK", &[], b"welcome"),
        _ => answer("401 Unauthorized", &[], b""),
    })
    .await;
    let auth = Counted { base: host.base.clone(), generation: AtomicU64::new(0) };
    let client = client(&ManualTimer::default(), Settings::default());
    let request = Request::get(Target::Relative("/things".into()));
    assert_eq!(client.send(&request, Some(&auth), accept_success).await.unwrap().value, "welcome");
    let error = client.send(&request, Some(&auth), accept_success).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_eq!(host.asked().len(), 4);
}

#[tokio::test]
async fn a_path_that_leads_to_another_host_is_not_followed() {
    let host = ScriptedHost::start(|_, _| answer("200 OK", &[], b"")).await;
    let auth = Counted { base: host.base.clone(), generation: AtomicU64::new(0) };
    let client = client(&ManualTimer::default(), Settings::default());
    for path in ["https://elsewhere.example/x", "//elsewhere.example/x"] {
        let error =
            client.send(&Request::get(Target::Relative(path.into())), Some(&auth), accept_success).await.unwrap_err();
        assert_eq!(error.message(), "an answer points to another host");
    }
    assert!(host.asked().is_empty());
}

#[tokio::test]
async fn requests_beyond_the_rate_wait_their_turn() {
    let host = ScriptedHost::start(|_, _| answer("200 OK", &[], b"ok")).await;
    let timer = ManualTimer::default();
    let hosts = Hosts::new(Settings::default(), Arc::new(timer.clone())).unwrap();
    let limits = Limits { concurrency: 1, per_second: NonZeroU32::new(2) };
    let client = Client::new(Arc::new(hosts), limits, "run");
    for _ in 0..6 {
        client.send(&get(&host), None, accept_success).await.unwrap();
    }
    let waited: Duration = timer.pauses().iter().sum();
    assert!((1_900..=2_100).contains(&waited.as_millis()), "{waited:?}");
}

#[tokio::test]
async fn hosts_of_one_system_share_a_budget_by_its_name() {
    let one = ScriptedHost::start(|_, _| answer("200 OK", &[], b"ok")).await;
    let other = ScriptedHost::start(|_, _| answer("200 OK", &[], b"ok")).await;
    // The port is no part of a host's name: another name for this machine stands for another host.
    let other_base = other.base.as_str().replace("127.0.0.1", "localhost");
    let other = Request::get(Target::Absolute(Url::parse(&other_base).unwrap()));
    for (shared, least, most) in [(true, 1_900, 2_100), (false, 400, 600)] {
        let timer = ManualTimer::default();
        let hosts = Arc::new(Hosts::new(Settings::default(), Arc::new(timer.clone())).unwrap());
        let limits = Limits { concurrency: 1, per_second: NonZeroU32::new(2) };
        let client = |name: &str| Client::new(Arc::clone(&hosts), limits, name);
        let clients = match shared {
            true => [client("a").sharing_budget("system"), client("b").sharing_budget("system")],
            false => [client("a"), client("b")],
        };
        for _ in 0..3 {
            clients[0].send(&get(&one), None, accept_success).await.unwrap();
            clients[1].send(&other, None, accept_success).await.unwrap();
        }
        let waited: Duration = timer.pauses().iter().sum();
        assert!((least..=most).contains(&(waited.as_millis() as u64)), "{shared}: {waited:?}");
    }
}

/// Other processes, as far as they are seen: each turn must be waited for.
#[derive(Debug, Default)]
struct Others(Mutex<Vec<(String, u32)>>);

#[async_trait]
impl SharedPace for Others {
    async fn take(&self, budget: &str, _: NonZeroU32, count: u32) -> Result<Duration> {
        self.0.lock().unwrap().push((budget.to_owned(), count));
        Ok(Duration::from_millis(10))
    }
}

#[tokio::test]
async fn a_pace_that_others_keep_too_is_taken_some_turns_at_a_time() {
    let host = ScriptedHost::start(|_, _| answer("200 OK", &[], b"ok")).await;
    let (timer, others) = (ManualTimer::default(), Arc::new(Others::default()));
    let hosts = Hosts::new(Settings::default(), Arc::new(timer.clone())).unwrap().sharing(others.clone());
    let limits = Limits { concurrency: 1, per_second: NonZeroU32::new(12) };
    let client = Client::new(Arc::new(hosts), limits, "a").sharing_budget("system");
    for _ in 0..4 {
        client.send(&get(&host), None, accept_success).await.unwrap();
    }
    // What was taken and not used within a second belongs to others.
    timer.sleep(Duration::from_secs(2)).await;
    client.send(&get(&host), None, accept_success).await.unwrap();
    let taken = others.0.lock().unwrap().clone();
    assert_eq!(taken, vec![("system".to_owned(), 3); 3]);
    let ten = Duration::from_millis(10);
    assert_eq!(timer.pauses(), [ten, ten, Duration::from_secs(2), ten]);
}

#[test]
fn a_file_that_is_no_client_certificate_is_told() {
    let error = Certificate::from_pem(b"-----BEGIN CERTIFICATE-----\nnothing\n").unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Config, "not a client certificate with its key"));
    assert!(error.help_text().unwrap().contains("openssl pkcs12"));
}

/// Asks for the pages behind `page`, in a lane, each telling in its body where the next one is.
struct Pages {
    ahead: Ahead<String>,
    way: Way<fn(Answer) -> Verdict<String>>,
    base: Url,
}

impl Pages {
    fn of(host: &ScriptedHost) -> Pages {
        fn next(answer: &Answer) -> Option<String> {
            String::from_utf8_lossy(&answer.body).split_once("next ").map(|(_, next)| next.to_owned())
        }
        let judge: fn(Answer) -> Verdict<String> = accept_success;
        let client = Arc::new(client(&ManualTimer::default(), Settings::default()));
        Pages { ahead: Ahead::default(), way: Way { client, auth: None, judge, peek: next }, base: host.base.clone() }
    }

    fn request(base: &Url, page: &str) -> Request {
        Request::get(Target::Absolute(base.join(page).unwrap()))
    }

    async fn page(&self, page: &str) -> Result<Sent<String>> {
        let base = self.base.clone();
        let follow = move |next: String| Some(Pages::request(&base, &next));
        self.ahead.send("lane", Pages::request(&self.base, page), self.way.clone(), follow).await
    }
}

#[tokio::test]
async fn the_next_page_is_asked_for_when_one_arrives_and_no_further() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let host = ScriptedHost::start(move |n, _| {
        tell.send(n).unwrap();
        answer("200 OK", &[], format!("page {n} next {}", n + 1).as_bytes())
    })
    .await;
    let pages = Pages::of(&host);
    for number in 0..3 {
        let sent = pages.page(&number.to_string()).await.unwrap();
        assert_eq!((sent.value, sent.requests), (format!("page {number} next {}", number + 1), 1));
        // The page itself, the first time; then always the one behind it.
        let arrived = if number == 0 { told.recv().await } else { Some(number) };
        assert_eq!((arrived, told.recv().await), (Some(number), Some(number + 1)));
    }
    assert!(told.try_recv().is_err());
    let lines: Vec<String> = host.asked().into_iter().map(|asked| asked.line).collect();
    assert_eq!(lines, ["GET /0", "GET /1", "GET /2", "GET /3"]);
}

#[tokio::test]
async fn a_page_that_nobody_asks_for_is_thrown_away_and_counted() {
    let host = ScriptedHost::start(|_, asked| match asked.line.as_str() {
        "GET /first" => answer("200 OK", &[], b"next unwanted"),
        line => answer("200 OK", &[], line.as_bytes()),
    })
    .await;
    let pages = Pages::of(&host);
    assert_eq!(pages.page("first").await.unwrap().requests, 1);
    let sent = pages.page("other").await.unwrap();
    assert_eq!((sent.value.as_str(), sent.requests), ("GET /other", 2));
    // It is thrown away once.
    assert_eq!(pages.page("other").await.unwrap().requests, 1);
}

#[tokio::test]
async fn what_went_wrong_ahead_is_told_when_the_page_is_asked_for() {
    let host = ScriptedHost::start(|n, asked| match asked.line.as_str() {
        "GET /first" => answer("200 OK", &[], b"next second"),
        _ if n < 3 => answer("503 Service Unavailable", &[], b""),
        _ => answer("404 Not Found", &[], b""),
    })
    .await;
    let pages = Pages::of(&host);
    assert_eq!(pages.page("first").await.unwrap().value, "next second");
    let error = pages.page("second").await.unwrap_err();
    assert!(error.to_string().contains("404") || format!("{error:?}").contains("404"), "{error:?}");
    assert_eq!(host.asked().len(), 4);
}
