//! A PostgreSQL database as a world of the suite: the rows of its table `customers`.
//!
//! Its clock is moved by a function `now()` that stands before PostgreSQL's own in the search path of whoever connects.

use std::path::PathBuf;
use std::sync::Mutex;

use nenrin::clock::Timestamp;
use nenrin::error::ErrorKind;
use nenrin::record::StreamId;
use serde_json::{Value, json};
use simulators::salesforce::Stall;

use super::owner::Owner;
use super::proxy::{Proxy, is_page};
use crate::contract::world::{
    Ability, Call, Facts, Form, Sample, Seen, Setup, System, Trouble, Truth, World, coped, ends,
};
use crate::support::postgres;

const STREAM: &str = "customers";

pub(crate) const SYSTEM: System = System {
    start: |setup| {
        Box::pin(async move { std::sync::Arc::new(Customers::start(setup, false)) as std::sync::Arc<dyn World> })
    },
    facts: &FACTS,
};

/// The same read through ODBC.
#[cfg(feature = "odbc")]
pub(crate) const OVER_ODBC: System = System {
    start: |setup| {
        Box::pin(async move { std::sync::Arc::new(Customers::start(setup, true)) as std::sync::Arc<dyn World> })
    },
    facts: &FACTS,
};

const FACTS: Facts = Facts {
    name: "sql",
    most_rows: 500,
    asked_besides: &[(Call::SignIn, 1), (Call::Description, 1)],
    asked_by_passes: &[],
    lag_secs: 10,
    late_secs: 600,
    sweep_secs: 86_400,
    sweep_finds_changes: true,
    sweeps_are_passes: false,
    records_tell_merges: false,
    windows_tell_keys: false,
    grain_secs: 1,
    deleted: "absent",
    tells_deletes: false,
    stops_without_a_field: false,
    lacks: &[
        (Ability::Undelete, "a row that was deleted and comes back is a new row"),
        (Ability::Merge, "rows are not merged"),
        (Ability::Archive, "rows are not put aside"),
        (Ability::AskForPause, "a database never asks for one"),
        (Ability::Ration, "a database counts no statements"),
    ],
    forms,
};

fn forms(trouble: Trouble) -> Vec<Form> {
    match trouble {
        Trouble::Throttled => vec![coped("fatal=53300")],
        Trouble::Unavailable => {
            vec![coped("fatal=57P01"), coped("fatal=57P03"), coped("fatal=40001"), coped("fatal=08006"), coped("reset")]
        }
        Trouble::Html => vec![coped("html")],
        Trouble::Truncated => vec![coped("cut=700"), coped("cut=3")],
        // Every statement has a number, which its rows show.
        Trouble::Repeated => vec![ends("repeat", ErrorKind::BadData)],
        // The server's process ends after a few rows.
        Trouble::Lacking => vec![coped("crash")],
        Trouble::UsedUp => Vec::new(),
    }
}

/// A column, and what gives its value as a log should have it; none where that is only known of single values.
const COLUMNS: [(&str, &str, Option<&str>); 11] = [
    ("会社名", "text NOT NULL", Some("\"会社名\"")),
    ("備考", "text", Some("\"備考\"")),
    ("fax", "text", Some("fax")),
    ("資本金", "numeric(30, 4)", Some("\"資本金\"::text")),
    ("解約日", "date", Some("\"解約日\"::text")),
    ("次回面談", "timestamptz", None),
    ("有効", "boolean", Some("\"有効\"::text")),
    ("属性", "jsonb", None),
    ("札", "text[]", Some("\"札\"::text")),
    ("添付", "bytea", None),
    ("比率", "double precision", None),
];

struct Customers {
    owner: Owner,
    proxy: Proxy,
    setup: Setup,
    is_odbc: bool,
    database: String,
    role: String,
    told: Mutex<Told>,
}

struct Told {
    now: Timestamp,
    /// Columns whose values are compared, and how they are asked for.
    compared: Vec<(String, String)>,
    hidden: Vec<String>,
    /// What can be seen later: when, and the statement.
    pending: Vec<(Timestamp, String)>,
    /// How the table was from an instant on, as long as it is small.
    past: Vec<(Timestamp, Truth)>,
}

fn literal(value: &Value) -> String {
    let text = match value {
        Value::Null => return "NULL".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    format!("'{}'", text.replace('\'', "''"))
}

impl Customers {
    fn start(setup: Setup, is_odbc: bool) -> Customers {
        let url = postgres::new_database();
        let database = url.split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
        let server = PathBuf::from(url.split("host=").nth(1).unwrap());
        let owner = Owner::connect(&url);
        let role = format!("reader_of_{database}");
        let columns: Vec<String> = COLUMNS.iter().map(|(name, kind, _)| format!("\"{name}\" {kind}")).collect();
        let (at, records, seed) = (setup.at, setup.records, setup.seed);
        owner.ask(format!(
            "CREATE SCHEMA sim; CREATE TABLE sim.clock (at timestamptz); INSERT INTO sim.clock VALUES ('{at}');
             CREATE FUNCTION sim.now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM sim.clock';
             CREATE ROLE {role} LOGIN; ALTER DATABASE {database} SET search_path = sim, pg_catalog, public;
             GRANT USAGE ON SCHEMA sim TO {role}; GRANT SELECT ON sim.clock TO {role};
             CREATE TABLE customers (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, {},
               updated_at timestamptz NOT NULL);
             CREATE INDEX ON customers (updated_at, id); GRANT SELECT ON customers TO {role};
             INSERT INTO customers (\"会社名\", \"備考\", fax, \"資本金\", \"有効\", \"札\", \"属性\", updated_at)
             SELECT '株式会社' || n, CASE WHEN n % 5 > 0 THEN '備考' || n END, '03-' || n, n * 10.5, n % 2 = 0, ARRAY['札' || n % 3, NULL],
               jsonb_build_object('n', n), timestamptz '{at}' - ((n * 7 + {seed}) % 1000 + 60) * interval '1 minute'
             FROM generate_series(1, {records}) AS n",
            columns.join(", ")
        ));
        let compared = COLUMNS.iter().filter_map(|(name, _, sql)| Some(((*name).to_owned(), (*sql)?.to_owned())));
        let told =
            Told { now: at, compared: compared.collect(), hidden: Vec::new(), pending: Vec::new(), past: Vec::new() };
        let proxy = Proxy::start(&server);
        let world = Customers { owner, proxy, setup, is_odbc, database, role, told: Mutex::new(told) };
        world.note_past(Timestamp::MIN);
        world
    }

    /// Keeps how the table is since `since`.
    fn note_past(&self, since: Timestamp) {
        if self.setup.records <= 100 {
            let truth = self.truth();
            self.told.lock().unwrap().past.push((since, truth));
        }
    }

    /// Runs a statement that changes rows, and tells whether it did.
    fn change(&self, statement: &str) -> bool {
        let changed = self.owner.ask(format!("{statement} RETURNING id::text"));
        self.note_past(self.now());
        !changed.is_empty()
    }

    /// The URL, or the connection string, of who reads.
    fn address(&self) -> String {
        let (role, database, folder) = (&self.role, &self.database, self.proxy.folder().display());
        #[cfg(feature = "odbc")]
        if self.is_odbc {
            let attributes = format!("Servername={folder};Database={database};UID={role};SSLmode=disable");
            return crate::support::odbc::connection("psqlodbcw.so", &attributes);
        }
        format!("postgres://{role}@localhost/{database}?host={folder}&sslmode=disable")
    }

    fn stamp(&self) -> String {
        format!("timestamptz '{}'", self.now())
    }

    fn insertion(&self, id: &str, fields: &[(&str, Value)]) -> String {
        let mut fields = fields.to_vec();
        if !fields.iter().any(|(name, value)| *name == "会社名" && !value.is_null()) {
            fields.push(("会社名", json!("新しい会社")));
        }
        let names: Vec<String> = fields.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let values: Vec<String> = fields.iter().map(|(_, value)| literal(value)).collect();
        format!(
            "INSERT INTO customers (id, {}, updated_at) VALUES ({id}, {}, {})",
            names.join(", "),
            values.join(", "),
            self.stamp()
        )
    }

    fn next_id(&self) -> String {
        self.owner.ask("SELECT nextval(pg_get_serial_sequence('customers', 'id'))::text")[0][0].clone().unwrap()
    }

    /// Lets the reader see all columns but those that are hidden.
    fn grant(&self) {
        let hidden = self.told.lock().unwrap().hidden.clone();
        let columns = self.owner.ask(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = 'customers'::regclass AND attnum > 0 AND NOT attisdropped",
        );
        let seen = columns.into_iter().filter_map(|mut row| row.remove(0)).filter(|name| !hidden.contains(name));
        let seen: Vec<String> = seen.map(|name| format!("\"{name}\"")).collect();
        let role = &self.role;
        self.owner.ask(format!(
            "REVOKE SELECT ON customers FROM {role}; GRANT SELECT ({}) ON customers TO {role}",
            seen.join(", ")
        ));
    }
}

impl World for Customers {
    fn stream(&self) -> StreamId {
        StreamId::new("sql", STREAM)
    }

    fn files(&self) -> Vec<(String, String)> {
        let address = if self.is_odbc { "system: odbc\nconnection" } else { "url" };
        let columns = if self.setup.all_fields { "" } else { ", columns: [会社名, 備考, fax]" };
        let source = format!(
            "apiVersion: nenrin/v1\nkind: Source\nconnector: sql\n{address}: \"${{file:secrets/url}}\"\npage_rows: {}\n\
             streams:\n  {STREAM}: {{ cursor: updated_at{columns} }}\n",
            self.setup.page_rows
        );
        vec![("secrets/url".to_owned(), self.address()), ("sources/sql.yaml".to_owned(), source)]
    }

    fn note(&self) -> &'static str {
        "備考"
    }

    fn quiet(&self) -> &'static str {
        "fax"
    }

    fn now(&self) -> Timestamp {
        self.told.lock().unwrap().now
    }

    fn advance(&self, secs: i64) {
        let until = self.now().plus_secs(secs);
        loop {
            let due = {
                let mut told = self.told.lock().unwrap();
                told.pending.sort();
                let is_due = told.pending.first().is_some_and(|(due, _)| *due <= until);
                is_due.then(|| told.pending.remove(0))
            };
            let Some((_, statement)) = due else { break };
            self.owner.ask(statement);
        }
        self.told.lock().unwrap().now = until;
        self.owner.ask(format!("UPDATE sim.clock SET at = '{until}'"));
    }

    fn insert(&self, fields: &[(&str, Value)]) -> String {
        let id = self.next_id();
        assert!(self.change(&self.insertion(&id, fields)));
        id
    }

    fn insert_late(&self, note: &str, delay_secs: i64) -> String {
        let id = self.next_id();
        let statement = self.insertion(&id, &[(self.note(), note.into())]);
        let due = self.now().plus_secs(delay_secs);
        self.told.lock().unwrap().pending.push((due, statement));
        id
    }

    fn update(&self, key: &str, fields: &[(&str, Value)]) -> bool {
        let given = fields.iter().filter(|(name, value)| !(*name == "会社名" && value.is_null()));
        let given: Vec<String> = given.map(|(name, value)| format!("\"{name}\" = {}", literal(value))).collect();
        self.change(&format!(
            "UPDATE customers SET {}, updated_at = {} WHERE id = {key}",
            given.join(", "),
            self.stamp()
        ))
    }

    fn update_all(&self, note: &str) {
        let stamp = self.stamp();
        self.owner.ask(format!("UPDATE customers SET \"備考\" = '{note}', updated_at = {stamp}"));
        self.note_past(self.now());
    }

    fn update_late(&self, key: &str, note: &str, delay_secs: i64) -> bool {
        let due = self.now().plus_secs(delay_secs);
        let statement =
            format!("UPDATE customers SET \"備考\" = '{note}', updated_at = {} WHERE id = {key}", self.stamp());
        self.told.lock().unwrap().pending.push((due, statement));
        true
    }

    fn change_silently(&self, key: &str, text: &str) -> bool {
        self.change(&format!("UPDATE customers SET fax = '{text}' WHERE id = {key}"))
    }

    fn delete(&self, key: &str) -> bool {
        self.change(&format!("DELETE FROM customers WHERE id = {key}"))
    }

    fn vanish(&self, key: &str) -> bool {
        self.delete(key)
    }

    fn add_field(&self) -> String {
        self.owner.ask("ALTER TABLE customers ADD COLUMN \"追加\" text");
        self.told.lock().unwrap().compared.push(("追加".to_owned(), "\"追加\"".to_owned()));
        "追加".to_owned()
    }

    fn rename_field(&self, name: &str) -> String {
        self.remove_from_compared(name);
        self.owner.ask(format!("ALTER TABLE customers RENAME COLUMN \"{name}\" TO \"改名\""));
        self.told.lock().unwrap().compared.push(("改名".to_owned(), "\"改名\"".to_owned()));
        "改名".to_owned()
    }

    fn remove_field(&self, name: &str) {
        self.remove_from_compared(name);
        self.owner.ask(format!("ALTER TABLE customers DROP COLUMN \"{name}\""));
    }

    fn hide_field(&self, name: &str, is_hidden: bool) {
        {
            let mut told = self.told.lock().unwrap();
            told.hidden.retain(|known| known != name);
            if is_hidden {
                told.hidden.push(name.to_owned());
            }
        }
        self.grant();
    }

    fn samples(&self) -> Vec<Sample> {
        let note = |text: &str| Sample::text("備考", text);
        vec![
            Sample::new("備考", Value::Null, None),
            // A database can tell empty text from none.
            Sample::new("備考", json!(""), Some("")),
            note("引用 \"'` と \\ と\tタブと\n改行と\r戻り"),
            note("\\N"),
            note("\\"),
            note("null"),
            note("01234"),
            note("👍🏽🏳️‍🌈👨‍👩‍👧"),
            note("𠮷野家で𩸽を食べる"),
            note("e\u{301} ≠ é"),
            note(&"樹の年輪 𠮷👍🏽\n".repeat(6_000)),
            Sample::text("会社名", "髙橋﨑商店"),
            Sample::new("資本金", json!("123456789012345678.5"), Some("123456789012345678.5000")),
            Sample::new("資本金", json!("-0.0001"), Some("-0.0001")),
            Sample::new("資本金", Value::Null, None),
            Sample::new("解約日", json!("2026-02-28"), Some("2026-02-28")),
            Sample::new("次回面談", json!("2026-02-28T23:59:00.120+09:00"), Some("2026-02-28T14:59:00.12Z")),
            Sample::new("次回面談", json!("infinity"), Some("infinity")),
            Sample::new("有効", json!("false"), Some("false")),
            Sample::new("有効", json!("true"), Some("true")),
            Sample::new("属性", json!({ "b": [1, 2.50], "a": "日本" }), Some("{\"a\":\"日本\",\"b\":[1,2.5]}")),
            Sample::new("属性", json!({}), Some("{}")),
            Sample::new("札", json!("{\"a,b\",NULL,\"引\\\"用\"}"), Some("{\"a,b\",NULL,\"引\\\"用\"}")),
            Sample::new("札", json!("{}"), Some("{}")),
            Sample::new("添付", json!("\\x00ff68"), Some("AP9o")),
            Sample::new("添付", json!(""), Some("")),
            Sample::new("比率", json!("0.1"), Some("0.1")),
            Sample::new("比率", json!("1e21"), Some("1000000000000000000000")),
        ]
    }

    fn arm(&self, form: &str, calls: &str) {
        self.proxy.arm(form, calls);
    }

    fn stall(&self) -> Stall {
        self.proxy.stall()
    }

    fn disarm(&self) {
        self.proxy.disarm();
    }

    fn expire(&self, nth: u64) {
        self.proxy.arm("fatal=57P01", &nth.to_string());
    }

    fn revoke(&self) {
        self.owner.ask(format!("ALTER ROLE {} NOLOGIN", self.role));
    }

    fn admit(&self) {
        self.owner.ask(format!("ALTER ROLE {} LOGIN", self.role));
    }

    fn ration(&self, _is_rationed: bool) {}

    fn truth(&self) -> Truth {
        let (columns, hidden) = {
            let told = self.told.lock().unwrap();
            (told.compared.clone(), told.hidden.clone())
        };
        let shown: Vec<&(String, String)> = columns.iter().filter(|(name, _)| !hidden.contains(name)).collect();
        let asked: Vec<&str> = shown.iter().map(|(_, sql)| sql.as_str()).collect();
        let rows = self.owner.ask(format!("SELECT id::text, {} FROM customers", asked.join(", ")));
        let record = |mut row: Vec<Option<String>>| {
            let key = row.remove(0).unwrap();
            (key, shown.iter().map(|(name, _)| name.clone()).zip(row).collect())
        };
        rows.into_iter().map(record).collect()
    }

    fn truth_at(&self, instant: Timestamp) -> Truth {
        let told = self.told.lock().unwrap();
        told.past.iter().rev().find(|(since, _)| *since <= instant).map(|(_, truth)| truth.clone()).unwrap()
    }

    fn calls(&self) -> Vec<Seen> {
        let seen = self.proxy.asked().into_iter().map(|asked| {
            let is_page = is_page(asked.statement.as_bytes());
            let call = if asked.statement.is_empty() {
                Call::SignIn
            } else if !is_page {
                Call::Description
            } else if asked.statement.contains("\"会社名\"") {
                Call::Records
            } else if asked.statement.contains(" IN (") {
                Call::Search
            } else {
                Call::Keys
            };
            Seen { call, rows: asked.rows, is_counted: is_page }
        });
        seen.collect()
    }

    fn clear_calls(&self) {
        self.proxy.clear();
    }
}

impl Customers {
    fn remove_from_compared(&self, name: &str) {
        self.told.lock().unwrap().compared.retain(|(known, _)| known != name);
    }
}
