//! A client of an org.

use std::io::Read;

use serde_json::{Map, Value, json};
use simulators::zoho::{Fields, Options, Org, Server};

pub(crate) use crate::loopback::{Answer, encode, send};

impl Answer {
    /// Status and code.
    pub(crate) fn error(&self) -> (u16, String) {
        let json = self.json();
        assert_eq!(
            json.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["code", "details", "message", "status"],
            "{json}"
        );
        (self.status, json["code"].as_str().unwrap().to_owned())
    }

    pub(crate) fn data(&self) -> Vec<Value> {
        let json = self.json();
        json["data"].as_array().unwrap_or_else(|| panic!("no data in {json}")).clone()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.data().iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn info(&self) -> Value {
        self.json()["info"].clone()
    }

    /// Whether it is that status, with nothing in it.
    pub(crate) fn is_empty(&self, status: u16) -> bool {
        self.status == status && self.body.is_empty()
    }
}

/// An org, and a token of the connector's user.
pub(crate) struct Session {
    pub(crate) server: Server,
    pub(crate) org: Org,
    pub(crate) base: String,
    pub(crate) token: String,
}

impl Session {
    pub(crate) async fn start(options: Options) -> Session {
        let server = Server::start(options).await.unwrap();
        let org = server.org();
        let token = org.access_token(server.credentials()["scope"].as_str().unwrap(), false);
        Session { base: server.base_url(), org, token, server }
    }

    pub(crate) async fn with(records: u64) -> Session {
        Session::start(Options { records, ..Options::default() }).await
    }

    /// A token that lives from now on.
    pub(crate) fn renew(&mut self) {
        self.token = self.org.access_token(&self.credential("scope"), false);
    }

    pub(crate) fn credential(&self, name: &str) -> String {
        self.server.credentials()[name].as_str().unwrap().to_owned()
    }

    pub(crate) fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let header = format!("Zoho-oauthtoken {}", self.token);
        let mut all = vec![("Authorization", header.as_str())];
        all.extend(headers);
        send(&format!("{}{path}", self.base), method, &all, body)
    }

    /// Below `/crm/v8/`.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.call("GET", &format!("/crm/v8/{path}"), &[], b"")
    }

    pub(crate) fn since(&self, path: &str, since: &str) -> Answer {
        self.call("GET", &format!("/crm/v8/{path}"), &[("If-Modified-Since", since)], b"")
    }

    pub(crate) fn coql(&self, query: &str) -> Answer {
        let body = json!({ "select_query": query }).to_string();
        self.call("POST", "/crm/v8/coql", &[("Content-Type", "application/json")], body.as_bytes())
    }

    pub(crate) fn bulk(&self, query: Value) -> Answer {
        let body = json!({ "query": query }).to_string();
        self.call("POST", "/crm/bulk/v8/read", &[("Content-Type", "application/json")], body.as_bytes())
    }

    /// The id of a new job.
    pub(crate) fn job(&self, query: Value) -> String {
        let answer = self.bulk(query);
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.data()[0]["details"]["id"].as_str().unwrap().to_owned()
    }

    /// Polls until a job is over.
    pub(crate) fn done(&self, job: &str) -> Value {
        let is_over = |state: &Value| ["COMPLETED", "FAILURE"].contains(&state["state"].as_str().unwrap());
        (0..9).map(|_| self.poll(job)).find(is_over).unwrap_or_else(|| panic!("{job} does not end"))
    }

    pub(crate) fn poll(&self, job: &str) -> Value {
        let answer = self.call("GET", &format!("/crm/bulk/v8/read/{job}"), &[], b"");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.data()[0].clone()
    }

    pub(crate) fn result(&self, job: &str) -> Answer {
        self.call("GET", &format!("/crm/bulk/v8/read/{job}/result"), &[], b"")
    }

    /// A token request, to the accounts host.
    pub(crate) fn tokens(&self, form: &[(&str, &str)]) -> Answer {
        let id = self.credential("client_id");
        let secret = self.credential("client_secret");
        let mut body = vec![("client_id", id.as_str()), ("client_secret", secret.as_str())];
        body.retain(|(name, _)| !form.iter().any(|(given, _)| given == name));
        body.extend(form);
        let body: Vec<String> = body.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        send(
            &format!("{}/oauth/v2/token", self.credential("accounts_url")),
            "POST",
            &headers,
            body.join("&").as_bytes(),
        )
    }

    pub(crate) fn refresh(&self) -> Answer {
        self.tokens(&[("grant_type", "refresh_token"), ("refresh_token", &self.credential("refresh_token"))])
    }

    pub(crate) fn account(&self, name: &str) -> String {
        self.org.insert("Accounts", &fields(json!({ "Account_Name": name }))).unwrap()
    }

    pub(crate) fn update(&self, module: &str, id: &str, values: Value) {
        self.org.update(module, id, &fields(values)).unwrap();
    }

    /// What a single record says.
    pub(crate) fn one(&self, module: &str, id: &str) -> Value {
        self.get(&format!("{module}/{id}")).data()[0].clone()
    }

    /// All records of a module, page by page, by tokens.
    pub(crate) fn all(&self, path: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut token = String::new();
        loop {
            let page = self.get(&format!("{path}{token}"));
            all.extend(page.data());
            match page.info()["next_page_token"].as_str() {
                Some(next) => token = format!("&page_token={next}"),
                None => return all,
            }
        }
    }
}

pub(crate) fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The name and the text of the one file in a ZIP file.
pub(crate) fn unzip(zip: &[u8]) -> (String, String) {
    let word = |at: usize| usize::from(u16::from_le_bytes([zip[at], zip[at + 1]]));
    let long = |at: usize| u32::from_le_bytes([zip[at], zip[at + 1], zip[at + 2], zip[at + 3]]);
    assert_eq!(&zip[..4], b"PK\x03\x04");
    let end = zip.len() - 22;
    assert_eq!(&zip[end..end + 4], b"PK\x05\x06");
    assert_eq!(&zip[long(end + 16) as usize..][..4], b"PK\x01\x02");
    let (method, sum, packed, size, name) = (word(8), long(14), long(18) as usize, long(22) as usize, word(26));
    let data = &zip[30 + name + word(28)..][..packed];
    let mut content = Vec::new();
    match method {
        0 => content.extend(data),
        _ => {
            flate2::read::DeflateDecoder::new(data).read_to_end(&mut content).unwrap();
        }
    }
    let mut crc = flate2::Crc::new();
    crc.update(&content);
    assert_eq!((content.len(), crc.sum()), (size, sum));
    (String::from_utf8(zip[30..30 + name].to_vec()).unwrap(), String::from_utf8(content).unwrap())
}

/// The cells of a table.
pub(crate) fn cells(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    rows
}
