//! A client of the three APIs.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use simulators::core::{Core, Options, Server};

pub(crate) use crate::loopback::{Answer, encode, send};

impl Answer {
    /// The list of that name, which must be there.
    pub(crate) fn list(&self, name: &str) -> Vec<Value> {
        let json = self.json();
        json[name].as_array().unwrap_or_else(|| panic!("no {name} in {json}")).clone()
    }

    /// The contracts on a page.
    pub(crate) fn rows(&self) -> Vec<Value> {
        let json = self.json();
        json["result"]["rows"].as_array().unwrap_or_else(|| panic!("no rows in {json}")).clone()
    }
}

/// The texts of one member.
pub(crate) fn texts(rows: &[Value], name: &str) -> Vec<String> {
    rows.iter().map(|row| row[name].as_str().unwrap_or_else(|| panic!("no {name} in {row}")).to_owned()).collect()
}

/// The numbers of one member.
pub(crate) fn numbers(rows: &[Value], name: &str) -> Vec<u64> {
    rows.iter().map(|row| row[name].as_u64().unwrap_or_else(|| panic!("no {name} in {row}"))).collect()
}

pub(crate) fn basic(login: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{login}:{password}")))
}

pub(crate) struct Session {
    pub(crate) server: Server,
    pub(crate) core: Core,
    pub(crate) base: String,
}

impl Session {
    pub(crate) async fn start(options: Options) -> Session {
        let server = Server::start(options).await.unwrap();
        Session { core: server.core(), base: server.base_url(), server }
    }

    pub(crate) async fn with_records(records: u64) -> Session {
        Session::start(Options { records, ..Options::default() }).await
    }

    pub(crate) fn credential(&self, api: &str, name: &str) -> String {
        self.server.credentials()[api][name].as_str().unwrap().to_owned()
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        send(&format!("{}{path}", self.base), "GET", headers, b"")
    }

    /// A call of the contract API.
    pub(crate) fn keiyaku(&self, path: &str) -> Answer {
        self.get(&format!("/keiyaku/v1/{path}"), &[("X-Api-Key", &self.credential("keiyaku", "api_key"))])
    }

    /// Asks for a token.
    pub(crate) fn token(&self, form: &str) -> Answer {
        let client = basic(&self.credential("kaikei", "client_id"), &self.credential("kaikei", "client_secret"));
        let headers = [("Authorization", client.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
        send(&self.credential("kaikei", "token_url"), "POST", &headers, form.as_bytes())
    }

    /// A bearer header with a new access token.
    pub(crate) fn bearer(&self) -> String {
        let token = self.token("grant_type=client_credentials").json();
        format!("Bearer {}", token["access_token"].as_str().unwrap_or_else(|| panic!("no token in {token}")))
    }

    /// A call of the accounting API with a new token.
    pub(crate) fn kaikei(&self, path: &str) -> Answer {
        self.get(&format!("/kaikei/api/1/{path}"), &[("Authorization", &self.bearer())])
    }

    fn usage_token(&self) -> String {
        format!("Bearer {}", self.credential("usage", "token"))
    }

    /// The readings of a day.
    pub(crate) fn daily(&self, day: &str) -> Answer {
        self.usage(&format!("/usage/v2/daily?from={day}&to={day}"))
    }

    /// A call of the usage API, by its path from the root.
    pub(crate) fn usage(&self, path: &str) -> Answer {
        self.get(path, &[("Authorization", &self.usage_token())])
    }

    pub(crate) fn search(&self, body: &Value) -> Answer {
        let headers = [("Authorization", self.usage_token()), ("Content-Type", "application/json".to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        send(&format!("{}/usage/v2/search", self.base), "POST", &headers, body.to_string().as_bytes())
    }

    /// A call of the usage API, signed at that second.
    pub(crate) fn signed(&self, path: &str, secs: i64, secret: &str) -> Answer {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let signature = hmac::sign(&key, format!("{secs}\nGET\n{path}").as_bytes());
        let hex: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let (token, stamp) = (self.usage_token(), secs.to_string());
        self.get(path, &[("Authorization", &token), ("X-Timestamp", &stamp), ("X-Signature", &hex)])
    }

    pub(crate) fn truth(&self, collection: &str) -> Vec<Map<String, Value>> {
        self.core.truth(collection).unwrap()
    }

    /// `POST /_sim/…`
    pub(crate) fn act(&self, action: &str, body: Value) -> Value {
        send(&format!("{}/_sim/{action}", self.base), "POST", &[], body.to_string().as_bytes()).json()
    }

    /// `GET /_sim/…`
    pub(crate) fn look(&self, what: &str) -> Value {
        self.get(&format!("/_sim/{what}"), &[]).json()
    }

    /// All readings that a search finds, and how many pages they took.
    pub(crate) fn search_all(&self, customer: Option<&str>, size: u64) -> (Vec<Value>, usize) {
        let (mut found, mut pages, mut cursor) = (Vec::new(), 0, Value::Null);
        loop {
            let page = self.search(&json!({"cursor": cursor, "size": size, "customer": customer}));
            found.extend(page.list("items"));
            pages += 1;
            cursor = page.json()["next_cursor"].clone();
            assert_eq!(page.json()["has_more"], json!(!cursor.is_null()));
            if cursor.is_null() {
                return (found, pages);
            }
        }
    }
}
