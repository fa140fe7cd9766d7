//! A client of a domain.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use simulators::kintone::{Domain, Fields, Options, Rights, Server};

pub(crate) use crate::loopback::{Answer, encode, send};

impl Answer {
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_else(|| panic!("no code in {}", self.text())).to_owned()
    }

    /// Status and code.
    pub(crate) fn error(&self) -> (u16, String) {
        (self.status, self.code())
    }

    pub(crate) fn records(&self) -> Vec<Value> {
        let json = self.json();
        json["records"].as_array().unwrap_or_else(|| panic!("no records in {json}")).clone()
    }

    /// The ids of the records, as numbers.
    pub(crate) fn ids(&self) -> Vec<u64> {
        self.records().iter().map(|record| record["$id"]["value"].as_str().unwrap().parse().unwrap()).collect()
    }
}

pub(crate) const CUSTOMERS: u64 = 1;
pub(crate) const DEALS: u64 = 2;

/// A domain, and tokens that may do everything.
pub(crate) struct Session {
    pub(crate) server: Server,
    pub(crate) domain: Domain,
    pub(crate) base: String,
    /// For both apps.
    pub(crate) token: String,
}

impl Session {
    pub(crate) async fn start(options: Options) -> Session {
        let server = Server::start(options).await.unwrap();
        let domain = server.domain();
        let token = [CUSTOMERS, DEALS].map(|app| domain.add_token(app, Rights::all())).join(",");
        Session { base: server.base_url(), domain, token, server }
    }

    pub(crate) async fn empty() -> Session {
        Session::start(Options::default()).await
    }

    pub(crate) async fn with_records(records: u64) -> Session {
        Session::start(Options { records, ..Options::default() }).await
    }

    /// A JSON body, sent with these headers.
    pub(crate) fn send(&self, method: &str, api: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut all = vec![("Content-Type", "application/json")];
        all.extend(headers);
        send(&format!("{}/k/v1/{api}", self.base), method, &all, body.to_string().as_bytes())
    }

    pub(crate) fn call(&self, method: &str, api: &str, body: &Value) -> Answer {
        self.send(method, api, &[("X-Cybozu-API-Token", &self.token)], body)
    }

    pub(crate) fn post(&self, api: &str, body: Value) -> Answer {
        self.call("POST", api, &body)
    }

    pub(crate) fn put(&self, api: &str, body: Value) -> Answer {
        self.call("PUT", api, &body)
    }

    pub(crate) fn get(&self, api: &str, body: Value) -> Answer {
        self.call("GET", api, &body)
    }

    pub(crate) fn delete(&self, api: &str, body: Value) -> Answer {
        self.call("DELETE", api, &body)
    }

    /// By URL.
    pub(crate) fn url(&self, path: &str) -> Answer {
        send(&format!("{}{path}", self.base), "GET", &[("X-Cybozu-API-Token", &self.token)], b"")
    }

    pub(crate) fn query(&self, app: u64, query: &str) -> Answer {
        let body = json!({"app": app, "query": query});
        self.send(
            "POST",
            "records.json",
            &[("X-Cybozu-API-Token", &self.token), ("X-HTTP-Method-Override", "GET")],
            &body,
        )
    }

    /// The ids that a condition finds, rising.
    pub(crate) fn found(&self, app: u64, condition: &str) -> Vec<u64> {
        self.query(app, &format!("{condition} order by $id asc limit 500")).ids()
    }

    pub(crate) fn record(&self, app: u64, id: u64) -> Value {
        self.get("record.json", json!({"app": app, "id": id})).json()["record"].clone()
    }

    /// What one field of a record holds on the wire.
    pub(crate) fn value(&self, app: u64, id: u64, code: &str) -> Value {
        self.record(app, id)[code]["value"].clone()
    }

    pub(crate) fn customer(&self, code: &str, name: &str) -> u64 {
        self.domain.insert(CUSTOMERS, &fields(json!({"顧客コード": code, "会社名": name}))).unwrap()
    }

    pub(crate) fn update(&self, app: u64, id: u64, values: Value) {
        self.domain.update(app, id, &fields(values)).unwrap();
    }

    pub(crate) fn credential(&self, name: &str) -> String {
        self.server.credentials()[name].as_str().unwrap().to_owned()
    }

    /// The password header of a user.
    pub(crate) fn password(&self, login: &str, password: &str) -> String {
        STANDARD.encode(format!("{}:{}", self.credential(login), self.credential(password)))
    }

    /// As the user whom access lists narrow.
    pub(crate) fn as_reader(&self, method: &str, api: &str, body: Value) -> Answer {
        self.send(method, api, &[("X-Cybozu-Authorization", &self.password("login", "password"))], &body)
    }

    pub(crate) fn as_admin(&self, method: &str, api: &str, body: Value) -> Answer {
        self.send(method, api, &[("X-Cybozu-Authorization", &self.password("admin_login", "admin_password"))], &body)
    }
}

pub(crate) fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
