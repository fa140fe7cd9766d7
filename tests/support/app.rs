//! A whole project in a temporary folder, driven as the commands drive it.
//!
//! Every method opens the project anew, as a new process would, and closes it again: nothing is carried from
//! one call to the next but what lies in the folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use datafusion::parquet::arrow::ArrowWriter;
use nenrin::clock::{Clock, ManualClock, Timestamp};
use nenrin::config::Environment;
use nenrin::connect::ReadMode;
use nenrin::connect::http::Hosts;
use nenrin::control::RunOutcome;
use nenrin::error::Result;
use nenrin::log::{LogTable, Pick, Wanted, system};
use nenrin::publish::PublishReport;
use nenrin::record::{FieldClass, SourceId, StreamId};
use nenrin::snapshot::{Kept, State};
use nenrin::sync::{RunReport, StreamReport, SyncOptions, sync};
use nenrin::workspace::Workspace;
use sea_orm::{ConnectionTrait, Database, Statement};
use simulators::salesforce::{Options, Org, Server};
use tempfile::TempDir;

/// The settings of a new test project: every page is a batch of its own.
const SETTINGS: &str = "\
apiVersion: nenrin/v1
kind: Project
name: テスト
timezone: Asia/Tokyo
sync: { batch_records: 1 }
";

/// Who is who: the customer code, as both systems know it.
const IDENTITY: &str = "\
apiVersion: nenrin/v1
kind: Identity
rules:
  - { match: external_id, variable: customer_code, stream: core/customers }
priority: [core, salesforce]
";

const ACCOUNT: &str = "\
apiVersion: nenrin/v1
kind: Mapping
source: salesforce
stream: Account
entity: customer
variables:
  name: Name
  customer_code: CustomerCode__c
  mrr: MRR__c
  industry: Industry
";

const CORE: &str = "\
apiVersion: nenrin/v1
kind: Source
connector: file
path: core/
streams:
  customers: { files: 'customers_{yyyymm}.csv', key: [code], encoding: utf-8 }
";

const CUSTOMERS: &str = "\
apiVersion: nenrin/v1
kind: Mapping
source: core
stream: customers
entity: customer
variables:
  customer_code: code
  name: name
  mrr: mrr
";

/// The stream of accounts.
pub(crate) fn accounts() -> StreamId {
    StreamId::new("salesforce", "Account")
}

/// The stream of dated files.
pub(crate) fn customers() -> StreamId {
    StreamId::new("core", "customers")
}

/// The instant that `text` names.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A project, what time it is there, and the org it reads, if any.
pub(crate) struct TestApp {
    folder: TempDir,
    /// Its clock; that of the org moves with [`TestApp::set_now`].
    pub(crate) clock: ManualClock,
    server: Option<Arc<Server>>,
    /// What its sources are talked to through; real waiting where there are none.
    hosts: Option<Arc<Hosts>>,
}

/// A line of a log without what depends on when and in how many pieces it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Line {
    pub(crate) key: String,
    pub(crate) valid_from: Timestamp,
    /// `upsert`, or the kind of delete, with the winner of a merge.
    pub(crate) what: String,
    pub(crate) hash: Vec<u8>,
}

/// A record as a log has it: `None` when it is gone, else its business fields.
pub(crate) type Record = Option<BTreeMap<String, Option<String>>>;

impl TestApp {
    /// An empty project in which it is `now`.
    pub(crate) fn new(now: &str) -> TestApp {
        let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::at(at(now)));
        let app = TestApp { folder, clock, server: None, hosts: None };
        app.write("nenrin.yaml", SETTINGS);
        app
    }

    /// The same, talking to its sources through `hosts`.
    pub(crate) fn with_hosts(self, hosts: Arc<Hosts>) -> TestApp {
        TestApp { hosts: Some(hosts), ..self }
    }

    /// The same with the accounts of a simulated org, which starts at the project's time; `fields` are those
    /// that are read, all when empty.
    pub(crate) async fn with_salesforce(mut self, options: Options, fields: &[&str]) -> TestApp {
        let server = Server::start(Options { at: self.clock.now().to_datetime(), ..options }).await.unwrap();
        let credentials = server.credentials();
        let text = |name: &str| credentials[name].as_str().unwrap().to_owned();
        self.write("secrets/salesforce", &text("client_secret"));
        let source = format!(
            "apiVersion: nenrin/v1\nkind: Source\nconnector: salesforce\nlogin_url: {}\n\
             auth: {{ client_id: {}, client_secret: \"${{file:secrets/salesforce}}\" }}\npage_size: 200\n\
             # What is looked at besides windows and ids has tests of its own.\n\
             refresh_days: 0\ndelete_log_hours: 0\n\
             streams:\n  - {{ name: Account, allow: [{}] }}\n",
            text("login_url"),
            text("client_id"),
            fields.join(", "),
        );
        self.write("sources/salesforce.yaml", &source);
        self.write("mappings/salesforce/Account.yaml", ACCOUNT);
        self.server = Some(Arc::new(server));
        self
    }

    /// The same with a core system that writes month-end files; see [`TestApp::export`].
    pub(crate) fn with_core(self) -> TestApp {
        self.write("sources/core.yaml", CORE);
        self.write("mappings/core/customers.yaml", CUSTOMERS);
        self
    }

    /// The same with the customers of both systems recognized by their code.
    pub(crate) fn linked(self) -> TestApp {
        self.with("identity.yaml", IDENTITY)
    }

    /// The same with `file` holding `text`.
    pub(crate) fn with(self, file: &str, text: &str) -> TestApp {
        self.write(file, text);
        self
    }

    /// Writes `file`, and the folders above it.
    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Writes the customers at the end of a month (`202610`): code, name, price.
    pub(crate) fn export(&self, month: &str, rows: &[(&str, &str, &str)]) {
        let mut text = "code,name,mrr\n".to_owned();
        for (code, name, mrr) in rows {
            text.push_str(&format!("{code},{name},{mrr}\n"));
        }
        self.write(&format!("core/customers_{month}.csv"), &text);
    }

    /// A place in the project folder.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Removes a file or folder of the project, if it is there.
    pub(crate) fn remove(&self, file: &str) {
        let path = self.path(file);
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else if path.exists() {
            std::fs::remove_file(path).unwrap();
        }
    }

    /// Removes the control database.
    pub(crate) fn remove_control(&self) {
        for file in ["nenrin.db", "nenrin.db-wal", "nenrin.db-shm"] {
            self.remove(file);
        }
    }

    /// Copies a file or folder of the project to another place in it, which is removed first.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        self.remove(to);
        copy(&self.path(from), &self.path(to));
    }

    /// The same project in another folder, with a clock of its own, and the same org.
    pub(crate) fn fork(&self) -> TestApp {
        let folder = tempfile::tempdir().unwrap();
        copy(self.folder.path(), folder.path());
        let clock = ManualClock::at(self.clock.now());
        TestApp { folder, clock, server: self.server.clone(), hosts: self.hosts.clone() }
    }

    /// The org.
    pub(crate) fn org(&self) -> Org {
        self.server.as_ref().expect("the project has an org").org()
    }

    /// Sets the clocks of the project and its org.
    pub(crate) fn set_now(&self, now: &str) {
        self.clock.set(at(now));
        if let Some(server) = &self.server {
            server.org().set_now(at(now).to_datetime());
        }
    }

    /// Moves the clocks of the project and its org on.
    pub(crate) fn advance(&self, secs: i64) {
        self.clock.advance_secs(secs);
        if let Some(server) = &self.server {
            server.org().advance(secs);
        }
    }

    /// Opens the project; end with [`close`], so that its database file is whole.
    pub(crate) async fn open(&self) -> Workspace {
        let environment = Environment::of([("HOME", "/nowhere")]);
        let clock = Arc::new(self.clock.clone());
        let workspace = Workspace::open(self.folder.path(), &environment, clock)
            .await
            .unwrap_or_else(|error| panic!("{}", told(&error)));
        match &self.hosts {
            Some(hosts) => workspace.with_hosts(hosts.clone()),
            None => workspace,
        }
    }

    /// Reads what is new of `source`, which must end complete.
    pub(crate) async fn sync(&self, source: &str) -> StreamReport {
        self.sync_as(source, ReadMode::Incremental).await
    }

    /// Reads `source` once, which must end complete, and gives the report of its only stream.
    pub(crate) async fn sync_as(&self, source: &str, mode: ReadMode) -> StreamReport {
        let report = self.sync_with(source, &SyncOptions { mode, ..SyncOptions::default() }).await.unwrap();
        assert_complete(&report);
        report.streams.into_iter().next().unwrap()
    }

    /// Reads `source` as wanted.
    pub(crate) async fn sync_with(&self, source: &str, options: &SyncOptions<'_>) -> Result<RunReport> {
        let workspace = self.open().await;
        let result = sync(&workspace, &SourceId(source.into()), options).await;
        close(workspace).await;
        if let Ok(report) = &result {
            report.streams.iter().for_each(assert_adds_up);
        }
        result
    }

    /// All lines of the log of `stream`, sorted; a version written twice would be there twice.
    pub(crate) async fn lines(&self, stream: &StreamId) -> Vec<Line> {
        let workspace = self.open().await;
        let wanted = Wanted {
            system: vec![
                system::KEY,
                system::VALID_FROM,
                system::OP,
                system::DELETE_KIND,
                system::WINNER,
                system::HASH,
                system::SEQ,
            ],
            fields: Vec::new(),
        };
        let mut lines = Vec::new();
        let mut numbers = BTreeSet::new();
        if let Some(log) = LogTable::open(&workspace.lake, stream).await.unwrap() {
            for file in log.files().unwrap() {
                let batch = log.read_file(&file, None, &wanted).await.unwrap();
                let text = |column: usize, row: usize| {
                    let column = batch.column(column).as_string::<i32>();
                    if column.is_valid(row) { column.value(row).to_owned() } else { String::new() }
                };
                let valid_from = batch.column(1).as_primitive::<TimestampMicrosecondType>();
                for row in 0..batch.num_rows() {
                    let seq = batch.column(6).as_primitive::<Int64Type>().value(row);
                    assert!(numbers.insert(seq), "the number {seq} was given twice in {stream}");
                    lines.push(Line {
                        key: text(0, row),
                        valid_from: Timestamp::from_micros(valid_from.value(row)),
                        what: format!("{} {} {}", text(2, row), text(3, row), text(4, row)).trim_end().to_owned(),
                        hash: batch.column(5).as_binary::<i32>().value(row).to_vec(),
                    });
                }
            }
        }
        close(workspace).await;
        lines.sort();
        lines
    }

    /// The records of `stream` as the log has them at `as_of`, as known at `known_at`.
    pub(crate) async fn records(
        &self,
        stream: &StreamId,
        as_of: Timestamp,
        known_at: Timestamp,
    ) -> BTreeMap<String, Record> {
        let business = |class| class == FieldClass::Business;
        self.records_at(stream, &[as_of], known_at, business).await.remove(0)
    }

    /// The records of `stream` as the log has them at each of `instants`, as known at `known_at`, with their fields
    /// of the classes `wanted`.
    pub(crate) async fn records_at(
        &self,
        stream: &StreamId,
        instants: &[Timestamp],
        known_at: Timestamp,
        wanted: fn(FieldClass) -> bool,
    ) -> Vec<BTreeMap<String, Record>> {
        let workspace = self.open().await;
        let log = LogTable::open(&workspace.lake, stream).await.unwrap().expect("the stream was read");
        let fields: Vec<String> = log
            .columns()
            .field_names()
            .filter(|name| log.columns().class_of(name).is_some_and(wanted))
            .map(str::to_owned)
            .collect();
        let wanted = Wanted { system: vec![system::KEY, system::OP], fields: fields.clone() };
        let mut states = Vec::with_capacity(instants.len());
        for as_of in instants {
            let pick = Pick::AsOf { as_of: *as_of, known_at, first_complete_at: None };
            let winners = log.winners(pick).await.unwrap();
            let mut records = BTreeMap::new();
            for file in 0..winners.file_count() {
                let Some(batch) = winners.read(&log, file, &wanted).await.unwrap() else { continue };
                for row in 0..batch.num_rows() {
                    let text = |column: usize| {
                        let column = batch.column(column).as_string::<i32>();
                        column.is_valid(row).then(|| column.value(row).to_owned())
                    };
                    let values = fields.iter().enumerate().map(|(at, name)| (name.clone(), text(at + 2)));
                    let alive = text(1).as_deref() == Some("upsert");
                    records.insert(text(0).unwrap(), alive.then(|| values.collect()));
                }
            }
            states.push(records);
        }
        close(workspace).await;
        states
    }

    /// The state at `instant` (a period or an instant), and how it was come by.
    pub(crate) async fn kept(&self, instant: &str) -> Kept {
        let workspace = self.open().await;
        let model = workspace.model().await.unwrap_or_else(|error| panic!("{}", told(&error)));
        let kept = workspace.state(&model, workspace.instant(instant).unwrap(), None).await.unwrap();
        close(workspace).await;
        kept
    }

    /// The state at `instant`.
    pub(crate) async fn state(&self, instant: &str) -> State {
        self.kept(instant).await.state
    }

    /// The state at `instant` as bytes: the Parquet files of all its entities.
    pub(crate) async fn state_bytes(&self, instant: &str) -> BTreeMap<String, Vec<u8>> {
        self.state(instant).await.entities.iter().map(|(name, batch)| (name.clone(), encode(batch))).collect()
    }

    /// Publishes the current state.
    pub(crate) async fn publish(&self) -> PublishReport {
        let workspace = self.open().await;
        let report = workspace.publish_current().await.unwrap();
        close(workspace).await;
        report
    }

    /// What `sql` gives in its column `line` on the control database, sorted.
    pub(crate) async fn select(&self, sql: &str) -> Vec<String> {
        let workspace = self.open().await;
        let url = workspace.project.settings.database_url.expose().to_owned();
        close(workspace).await;
        let database = Database::connect(&url).await.unwrap();
        let statement = Statement::from_string(database.get_database_backend(), sql);
        let rows = database.query_all_raw(statement).await.unwrap();
        let mut lines: Vec<String> = rows.iter().map(|row| row.try_get("", "line").unwrap()).collect();
        lines.sort();
        database.close().await.unwrap();
        lines
    }

    /// Runs `sql` on the control database.
    pub(crate) async fn execute(&self, sql: &str) {
        let workspace = self.open().await;
        let url = workspace.project.settings.database_url.expose().to_owned();
        close(workspace).await;
        let database = Database::connect(&url).await.unwrap();
        database.execute_unprepared(sql).await.unwrap();
        database.close().await.unwrap();
    }

    /// The files of the lake's logs and ledgers with their sizes.
    pub(crate) fn lake_files(&self) -> BTreeMap<String, u64> {
        let mut files = BTreeMap::new();
        for folder in ["lake/log", "lake/ledger"] {
            list(&self.path(folder), &self.path("lake"), &mut files);
        }
        files
    }

    /// Whether a checkpoint of `stream` was left undecided.
    pub(crate) async fn is_left_prepared(&self, stream: &StreamId) -> bool {
        let workspace = self.open().await;
        let prepared = workspace.control.checkpoints().prepared(stream).await.unwrap();
        close(workspace).await;
        prepared.is_some()
    }
}

/// Ends the use of an opened project, as the end of its process would.
pub(crate) async fn close(workspace: Workspace) {
    workspace.control.close().await.unwrap();
}

/// Fails unless the run is complete, with or without holds.
#[track_caller]
pub(crate) fn assert_complete(report: &RunReport) {
    let complete = matches!(report.outcome, RunOutcome::Complete | RunOutcome::CompleteWithHolds);
    assert!(complete, "{:?}: {:?}", report.outcome, report.first_error().map(|error| &error.rendered));
}

/// Fails unless what was read is what became of it (semantics F5).
#[track_caller]
pub(crate) fn assert_adds_up(stream: &StreamReport) {
    let counts = &stream.counts;
    let sum = counts.new + counts.changed + counts.unchanged + counts.deleted + counts.rejected;
    assert_eq!(counts.read, sum, "{counts:?}");
}

/// An error as a person reads it, problems of files included.
pub(crate) fn told(error: &nenrin::error::Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!("{cause:?}")).unwrap_or_default();
    format!("{}\n{cause}", error.render())
}

/// A batch as the bytes of a Parquet file.
pub(crate) fn encode(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        // With its time of writing, which is how files are recognized as unchanged.
        let modified = from.metadata().unwrap().modified().unwrap();
        std::fs::copy(from, to).unwrap();
        std::fs::File::options().write(true).open(to).unwrap().set_modified(modified).unwrap();
    }
}

fn list(folder: &Path, root: &Path, files: &mut BTreeMap<String, u64>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(&path, root, files);
        } else {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            files.insert(name, path.metadata().unwrap().len());
        }
    }
}
