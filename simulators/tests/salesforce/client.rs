//! A client of an org.

use serde_json::{Map, Value, json};
use simulators::salesforce::{Fields, Options, Org, Server};

pub(crate) use crate::loopback::{Answer, encode, send};

impl Answer {
    /// The code of the first error.
    pub(crate) fn code(&self) -> String {
        self.json()[0]["errorCode"].as_str().unwrap().to_owned()
    }

    /// The message of the first error.
    pub(crate) fn message(&self) -> String {
        self.json()[0]["message"].as_str().unwrap().to_owned()
    }
}

/// An org with a session.
pub(crate) struct Session {
    pub(crate) server: Server,
    pub(crate) org: Org,
    pub(crate) base: String,
    pub(crate) token: String,
}

impl Session {
    pub(crate) async fn start(options: Options) -> Session {
        let server = Server::start(options).await.unwrap();
        let answer = token(&server, &client_credentials(&server));
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        Session { org: server.org(), base: server.base_url(), token, server }
    }

    pub(crate) async fn empty() -> Session {
        Session::start(Options::default()).await
    }

    pub(crate) async fn with_accounts(records: u64) -> Session {
        Session::start(Options { records, ..Options::default() }).await
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend(headers);
        send(&format!("{}{path}", self.base), "GET", &all, b"")
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    /// A path below the version that all tests use.
    pub(crate) fn data(&self, path: &str) -> Answer {
        self.get(&format!("/services/data/v66.0/{path}"))
    }

    pub(crate) fn query(&self, soql: &str) -> Answer {
        self.data(&format!("query?q={}", encode(soql)))
    }

    pub(crate) fn query_all(&self, soql: &str) -> Answer {
        self.data(&format!("queryAll?q={}", encode(soql)))
    }

    /// The records of all pages.
    pub(crate) fn records(&self, soql: &str) -> Vec<Value> {
        self.drain(self.query(soql))
    }

    pub(crate) fn drain(&self, first: Answer) -> Vec<Value> {
        let mut page = first.json();
        let mut records = Vec::new();
        loop {
            records.extend(page["records"].as_array().unwrap_or_else(|| panic!("no records in {page}")).clone());
            match page["nextRecordsUrl"].as_str() {
                Some(next) => page = self.get(next).json(),
                None => return records,
            }
        }
    }

    /// The values of one field, in order.
    pub(crate) fn column(&self, soql: &str, field: &str) -> Vec<Value> {
        self.records(soql).iter().map(|record| record[field].clone()).collect()
    }

    /// Sends a body to a path below the version that all tests use.
    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        send(&format!("{}/services/data/v66.0/{path}", self.base), method, &headers, body.as_bytes())
    }

    pub(crate) fn account(&self, name: &str) -> String {
        self.org.insert("Account", &fields(json!({ "Name": name }))).unwrap()
    }
}

pub(crate) fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

pub(crate) fn client_credentials(server: &Server) -> String {
    let credentials = server.credentials();
    format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        credentials["client_id"].as_str().unwrap(),
        credentials["client_secret"].as_str().unwrap()
    )
}

/// Posts a form to the token endpoint of the login host.
pub(crate) fn token(server: &Server, form: &str) -> Answer {
    let url = format!("{}/services/oauth2/token", server.credentials()["login_url"].as_str().unwrap());
    send(&url, "POST", &[("Content-Type", "application/x-www-form-urlencoded")], form.as_bytes())
}
