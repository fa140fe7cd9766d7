//! A client of a portal.

use serde_json::{Map, Value, json};
use simulators::hubspot::{Fields, Options, Portal, Server};

pub(crate) use crate::loopback::{Answer, encode, send};

impl Answer {
    pub(crate) fn category(&self) -> String {
        self.json()["category"].as_str().unwrap_or_else(|| panic!("no category in {}", self.text())).to_owned()
    }

    /// Status and category.
    pub(crate) fn error(&self) -> (u16, String) {
        (self.status, self.category())
    }

    pub(crate) fn results(&self) -> Vec<Value> {
        let json = self.json();
        json["results"].as_array().unwrap_or_else(|| panic!("no results in {json}")).clone()
    }

    /// The ids of the records, as numbers.
    pub(crate) fn ids(&self) -> Vec<u64> {
        self.results().iter().map(|record| record["id"].as_str().unwrap().parse().unwrap()).collect()
    }

    /// What leads to the next page.
    pub(crate) fn after(&self) -> Option<String> {
        self.json()["paging"]["next"]["after"].as_str().map(str::to_owned)
    }
}

/// A portal, and a token that may read all of it.
pub(crate) struct Session {
    pub(crate) server: Server,
    pub(crate) portal: Portal,
    pub(crate) base: String,
    pub(crate) token: String,
}

impl Session {
    pub(crate) async fn start(options: Options) -> Session {
        let server = Server::start(options).await.unwrap();
        let token = server.credentials()["private_token"].as_str().unwrap().to_owned();
        Session { base: server.base_url(), portal: server.portal(), token, server }
    }

    pub(crate) async fn empty() -> Session {
        Session::start(Options::default()).await
    }

    /// With so many companies, whose index does not lag.
    pub(crate) async fn with_companies(records: u64) -> Session {
        Session::start(Options { records, index_lag_secs: 0, ..Options::default() }).await
    }

    /// With some records of every type.
    pub(crate) async fn with_all() -> Session {
        let options = Options {
            records: 30,
            contacts: 60,
            deals: 45,
            tickets: 20,
            line_items: 90,
            activities: 10,
            environments: 12,
            feedback: 8,
            index_lag_secs: 0,
            ..Options::default()
        };
        Session::start(options).await
    }

    pub(crate) fn call(&self, method: &str, path: &str, token: &str, body: &[u8]) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        send(&format!("{}{path}", self.base), method, &headers, body)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &self.token, b"")
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, &self.token, body.to_string().as_bytes())
    }

    /// A page of a list.
    pub(crate) fn list(&self, name: &str, query: &str) -> Answer {
        self.get(&format!("/crm/objects/2026-09/{name}?{query}"))
    }

    /// All ids of a list, page by page.
    pub(crate) fn listed(&self, name: &str, query: &str) -> Vec<u64> {
        let mut ids = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.list(name, &format!("limit=100&{query}{after}"));
            ids.extend(page.ids());
            match page.after() {
                Some(next) => after = format!("&after={next}"),
                None => return ids,
            }
        }
    }

    pub(crate) fn search(&self, name: &str, body: Value) -> Answer {
        self.post(&format!("/crm/objects/2026-09/{name}/search"), body)
    }

    /// The ids that filters find, by id.
    pub(crate) fn found(&self, name: &str, filters: Value) -> Vec<u64> {
        let answer = self.search(name, json!({"filters": filters, "sorts": ["hs_object_id"], "limit": 200}));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.ids()
    }

    pub(crate) fn batch(&self, name: &str, body: Value) -> Answer {
        self.post(&format!("/crm/objects/2026-09/{name}/batch/read"), body)
    }

    pub(crate) fn record(&self, name: &str, id: u64, query: &str) -> Value {
        self.get(&format!("/crm/objects/2026-09/{name}/{id}?{query}")).json()
    }

    /// What one property of a record holds on the wire.
    pub(crate) fn value(&self, name: &str, id: u64, property: &str) -> Value {
        self.record(name, id, &format!("properties={property}"))["properties"][property].clone()
    }

    pub(crate) fn company(&self, values: Value) -> u64 {
        self.portal.insert("companies", &fields(values)).unwrap()
    }

    pub(crate) fn update(&self, name: &str, id: u64, values: Value) {
        self.portal.update(name, id, &fields(values)).unwrap();
    }

    /// A call to the token endpoint.
    pub(crate) fn token(&self, path: &str, form: &str) -> Answer {
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        send(&format!("{}{path}", self.base), "POST", &headers, form.as_bytes())
    }

    pub(crate) fn oauth(&self, name: &str) -> String {
        self.server.credentials()["oauth"][name].as_str().unwrap().to_owned()
    }

    /// The form that refreshes.
    pub(crate) fn refresh_form(&self) -> String {
        let [id, secret, refresh] = ["client_id", "client_secret", "refresh_token"].map(|name| self.oauth(name));
        format!("grant_type=refresh_token&client_id={id}&client_secret={secret}&refresh_token={refresh}")
    }
}

pub(crate) fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

pub(crate) fn filter(property: &str, operator: &str, value: impl Into<Value>) -> Value {
    let value: Value = value.into();
    if value.is_array() {
        return json!({"propertyName": property, "operator": operator, "values": value});
    }
    json!({"propertyName": property, "operator": operator, "value": value})
}
