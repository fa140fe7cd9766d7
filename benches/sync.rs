//! How fast records are fetched, hashed and landed.
//!
//! `cargo bench --bench sync -- [RECORDS] [RUNS] [rest|bulk|kintone|hubspot|zoho|sql|file]` (200,000 records, 3 runs, Salesforce by
//! REST when not told; `bulk` is Salesforce by a Bulk API 2.0 job, `sql` a PostgreSQL server, `file` a CSV file in CP932 that nobody serves). An outside system whose pages were
//! rendered beforehand is served by a process of its own on the same machine; this process syncs it through the
//! public API: once into an empty project, then once more in full with nothing changed. The second reading must
//! leave every log as it was: no data file, no commit. `sql` is a PostgreSQL server of its own with a table of 30 columns.

mod support {
    pub(crate) mod cluster;
    pub(crate) mod crm;
    pub(crate) mod domain;
    pub(crate) mod exports;
    pub(crate) mod figures;
    pub(crate) mod org;
    pub(crate) mod portal;
    pub(crate) mod prepared;
    pub(crate) mod process;
}

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use nenrin::clock::SystemClock;
use nenrin::config::Environment;
use nenrin::connect::ReadMode;
use nenrin::record::SourceId;
use nenrin::sync::{RunReport, SyncOptions, sync};
use nenrin::workspace::Workspace;

use support::cluster::Cluster;
use support::crm::Crm;
use support::domain::Domain;
use support::exports;
use support::figures::Figures;
use support::org::Org;
use support::portal::Portal;
use support::prepared::{self, Prepared};
use support::process::{cpu_secs, family_cpu_secs, peak_mib};

// The allocator of the program itself.
#[global_allocator]
static ALLOCATOR: allocator::MiMalloc = allocator::MiMalloc;

fn main() -> Result<()> {
    allocator::give_back_soon();
    // Cargo adds `--bench`; everything else is ours.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |at: usize, otherwise: usize| args.get(at).map_or(Ok(otherwise), |arg| arg.parse::<usize>());
    if args.first().is_some_and(|arg| arg == "serve") {
        return serve(number(1, 0)?, System::named(args.get(2).map_or("rest", String::as_str))?);
    }
    let (records, runs) = (number(0, 200_000)?, number(1, 3)?);
    let system = System::named(args.get(2).map_or("rest", String::as_str))?;
    let server = Server::start(records, system)?;
    println!(
        "{records} records of {} fields, {} bytes each as sent, {}; {runs} runs",
        if system == System::Hubspot { 27 } else { 30 },
        server.record_bytes,
        system.about()
    );
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = nenrin::runtime::build()?;
    let mut first = Vec::new();
    let mut second = Vec::new();
    for _ in 0..runs {
        let (load, again) = runtime.block_on(measure(&server, records, system))?;
        first.push(load);
        second.push(again);
    }
    println!("| reading | records/s (least / median / greatest) | our CPU µs/record | server's CPU µs/record |");
    println!("|---|---|---|---|");
    for (name, taken) in [("first load", &first), ("second, unchanged, in full", &second)] {
        #[allow(clippy::cast_precision_loss)] // records are far below 2^52
        let each = |secs: &dyn Fn(&Taken) -> f64| {
            Figures::of(taken.iter().map(|taken| secs(taken) * 1e6 / records as f64).collect()).median()
        };
        let speed = Figures::of(taken.iter().map(|taken| records as f64 / taken.wall_secs).collect());
        println!(
            "| {name} | {} | {:.1} | {:.1} |",
            speed.shown(),
            each(&|t| t.our_cpu_secs),
            each(&|t| t.server_cpu_secs)
        );
    }
    println!("our process had at most {:.0} MiB resident", peak_mib("self").unwrap_or(f64::NAN));
    Ok(())
}

/// What is read, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    Rest,
    Bulk,
    Kintone,
    Hubspot,
    Zoho,
    File,
    Sql,
}

impl System {
    fn named(name: &str) -> Result<System> {
        match name {
            "rest" => Ok(System::Rest),
            "bulk" => Ok(System::Bulk),
            "kintone" => Ok(System::Kintone),
            "hubspot" => Ok(System::Hubspot),
            "zoho" => Ok(System::Zoho),
            "file" => Ok(System::File),
            "sql" => Ok(System::Sql),
            other => anyhow::bail!("there is no system `{other}`: use rest, bulk, kintone, hubspot, zoho, sql or file"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            System::Rest => "rest",
            System::Bulk => "bulk",
            System::Kintone => "kintone",
            System::Hubspot => "hubspot",
            System::Zoho => "zoho",
            System::File => "file",
            System::Sql => "sql",
        }
    }

    fn about(self) -> &'static str {
        match self {
            System::Rest => "JSON pages of 2,000",
            System::Bulk => "CSV pages of 16,000",
            System::Kintone => "JSON pages of 500",
            System::Hubspot => "JSON pages of 100",
            System::Zoho => "JSON lists of 200",
            System::File => "CSV in CP932",
            System::Sql => "pages of 20,000 rows by COPY",
        }
    }

    /// The name of the source, and the file that describes it.
    fn source(self, server: &Server) -> (&'static str, String) {
        let port = server.port;
        let head = "apiVersion: nenrin/v1\nkind: Source\n";
        match self {
            System::Rest | System::Bulk => (
                "salesforce",
                format!(
                    "{head}connector: salesforce\nlogin_url: http://127.0.0.1:{port}\ntransport: {}\n\
                     auth: {{ client_id: bench, client_secret: \"${{file:secret}}\" }}\nstreams: [Account]\n",
                    self.name()
                ),
            ),
            System::Kintone => (
                "kintone",
                format!(
                    "{head}connector: kintone\nbase_url: http://127.0.0.1:{port}\n\
                     streams:\n  - {{ name: 顧客管理, app: 1, token: \"${{file:secret}}\" }}\n"
                ),
            ),
            // A real account lets nobody ask a thousand times a second.
            System::Hubspot => (
                "hubspot",
                format!(
                    "{head}connector: hubspot\nbase_url: http://127.0.0.1:{port}\ntoken: \"${{file:secret}}\"\n\
                     requests_per_second: 1000\nstreams: [contacts]\n"
                ),
            ),
            System::Zoho => (
                "zoho",
                format!(
                    "{head}connector: zoho\naccounts_url: http://127.0.0.1:{port}\ntransport: rest\n\
                     auth: {{ client_id: bench, client_secret: \"${{file:secret}}\", refresh_token: \"${{file:secret}}\" }}\n\
                     streams: [Accounts]\n"
                ),
            ),
            System::File => (
                "core",
                format!(
                    "{head}connector: file\npath: {}\n\
                     streams:\n  customers: {{ files: 'customers_{{yyyymm}}.csv', key: [顧客コード], encoding: cp932 }}\n",
                    exports::folder(server.process.id()).display()
                ),
            ),
            System::Sql => (
                "sql",
                format!(
                    "{head}connector: sql\nurl: postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable\n\
                     streams: {{ contracts: {{ cursor: updated_at }} }}\n"
                ),
            ),
        }
    }
}

/// Renders the pages, says where they are served, and serves them until the process is ended.
fn serve(records: usize, system: System) -> Result<()> {
    if system == System::File {
        let record_bytes = exports::write(&exports::folder(std::process::id()), records)?;
        println!("0 {record_bytes} {}", std::process::id());
        loop {
            std::thread::park();
        }
    }
    if system == System::Sql {
        let cluster = Cluster::start(records)?;
        println!("{} {} {}", cluster.port, cluster.record_bytes, cluster.pid);
        loop {
            std::thread::park();
        }
    }
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    let prepared: Box<dyn Prepared> = match system {
        System::Rest | System::Bulk => Box::new(Org::render(records, port, system == System::Bulk)),
        System::Kintone => Box::new(Domain::render(records)),
        System::Hubspot => Box::new(Portal::render(records)),
        System::Zoho => Box::new(Crm::render(records, port)),
        System::File | System::Sql => unreachable!("they have no prepared pages"),
    };
    println!("{port} {} {}", prepared.record_bytes(), std::process::id());
    prepared::serve(prepared, &listener);
    Ok(())
}

/// The outside system, in a process of its own.
struct Server {
    process: Child,
    port: u16,
    record_bytes: usize,
    /// The process that does the work, with its children.
    working: String,
}

impl Server {
    fn start(records: usize, system: System) -> Result<Server> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["serve", &records.to_string(), system.name()])
            .stdout(Stdio::piped())
            .spawn()
            .context("the server could not be started")?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("the server has no output")?).read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let mut number = || -> Result<usize> { Ok(words.next().context("the server did not start")?.parse()?) };
        let port = u16::try_from(number()?)?;
        let record_bytes = number()?;
        let working = number()?.to_string();
        Ok(Server { process, port, record_bytes, working })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(exports::folder(self.process.id()));
    }
}

/// What a reading took.
struct Taken {
    wall_secs: f64,
    our_cpu_secs: f64,
    server_cpu_secs: f64,
}

async fn measure(server: &Server, records: usize, system: System) -> Result<(Taken, Taken)> {
    let folder = tempfile::tempdir()?;
    write_project(folder.path(), server, system)?;
    let workspace = Workspace::open(folder.path(), &Environment::default(), Arc::new(SystemClock)).await?;

    let (load, report) = read(&workspace, server, system, ReadMode::Incremental).await?;
    let stream = &report.streams[0];
    ensure!(stream.outcome == "complete" && stream.counts.new == records as u64, "the first load: {report:?}");
    let logs = folder.path().join("lake/log");
    let before = files_below(&logs)?;

    let (again, report) = read(&workspace, server, system, ReadMode::Full).await?;
    let stream = &report.streams[0];
    ensure!(stream.mode == "full" && stream.counts.unchanged == records as u64, "the second reading: {report:?}");
    ensure!(before == files_below(&logs)?, "reading the same again wrote to a log");
    Ok((load, again))
}

async fn read(workspace: &Workspace, server: &Server, system: System, mode: ReadMode) -> Result<(Taken, RunReport)> {
    let pid = &server.working;
    let (ours, theirs, started) = (cpu_secs("self"), family_cpu_secs(pid), Instant::now());
    let options = SyncOptions { mode, ..SyncOptions::default() };
    let report = sync(workspace, &SourceId(system.source(server).0.into()), &options).await?;
    let taken = Taken {
        wall_secs: started.elapsed().as_secs_f64(),
        our_cpu_secs: cpu_secs("self") - ours,
        server_cpu_secs: family_cpu_secs(pid) - theirs,
    };
    Ok((taken, report))
}

fn write_project(folder: &Path, server: &Server, system: System) -> Result<()> {
    std::fs::write(folder.join("nenrin.yaml"), "apiVersion: nenrin/v1\nkind: Project\n")?;
    std::fs::create_dir(folder.join("sources"))?;
    std::fs::write(folder.join("secret"), "bench")?;
    let (name, text) = system.source(server);
    std::fs::write(folder.join(format!("sources/{name}.yaml")), text)?;
    Ok(())
}

/// Every file below a folder, with its size.
fn files_below(folder: &Path) -> Result<BTreeMap<String, u64>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                files.insert(entry.path().display().to_string(), entry.metadata()?.len());
            }
        }
    }
    Ok(files)
}
