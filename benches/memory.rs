//! How much memory `nenrin sync` needs for a large org, as a process of its own.
//!
//! `cargo bench --bench memory -- [RECORDS] [mapped]` (1,000,000 accounts when not told). Serves a simulated org
//! with `nenrin simulate`, syncs 30 fields of its accounts with `nenrin sync`, first load and full re-read, and
//! tells the greatest resident size of each. With `mapped`, the accounts are also mapped to customers, which are
//! then published.

mod support {
    pub(crate) mod process;
}

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use support::process::{cpu_secs, peak_mib};

/// The program, as users run it.
const NENRIN: &str = env!("CARGO_BIN_EXE_nenrin");

/// The fields that are read; with the key, the stamps and the marks of deletion, which always are, they are 30.
const FIELDS: &str = "Name, Type, Phone, Fax, AccountNumber, Website, Industry, AnnualRevenue, NumberOfEmployees, \
                      Ownership, Description, Rating, AccountSource, BillingStreet, BillingCity, BillingState, \
                      BillingPostalCode, BillingCountry, OwnerId, LastModifiedDate, CustomerCode__c, \
                      CorporateNumber__c, Plan__c, MRR__c, Stage__c";

const MAPPING: &str = "apiVersion: nenrin/v1
kind: Mapping
source: salesforce
stream: Account
entity: customer
variables:
  name: Name
  phone: Phone
  industry: Industry
";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let mapped = args.iter().any(|arg| arg == "mapped");
    let records = args.iter().find_map(|arg| arg.parse::<u64>().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir()?;
    let mut org = Process(
        Command::new(NENRIN)
            .args(["simulate", "salesforce", "--records", &records.to_string(), "--port", "0"])
            .stdout(Stdio::piped())
            .spawn()?,
    );
    let mut line = String::new();
    BufReader::new(org.0.stdout.take().context("the simulator has no output")?).read_line(&mut line)?;
    let told: serde_json::Value = serde_json::from_str(&line).context("the simulator did not start")?;
    write_project(folder.path(), &told["credentials"], mapped)?;
    println!("{records} simulated accounts{}", if mapped { ", mapped to customers" } else { "" });
    println!("| command | fields | read | seconds | our CPU s | peak resident MiB |\n|---|---|---|---|---|---|");
    for (shown, args) in [("nenrin sync", &["sync"][..]), ("nenrin sync --full", &["sync", "--full"])] {
        let started = Instant::now();
        let mut sync = Process(
            Command::new(NENRIN)
                .arg("--project")
                .arg(folder.path())
                .args(args)
                .args(["-o", "json"])
                .stdout(Stdio::piped())
                .spawn()?,
        );
        let pid = sync.0.id().to_string();
        let (mut peak, mut cpu) = (0.0, 0.0);
        // The kernel keeps the peak; it is asked for until the process ends.
        let status = loop {
            peak = peak_mib(&pid).unwrap_or(peak);
            cpu = cpu_secs(&pid).max(cpu);
            if let Some(status) = sync.0.try_wait()? {
                break status;
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let secs = started.elapsed().as_secs_f64();
        ensure!(status.success(), "{shown} ended with {status}");
        let report: serde_json::Value = serde_json::from_reader(sync.0.stdout.take().context("no output")?)?;
        let read = &report["streams"][0]["read"];
        ensure!(*read == records, "read {read} of {records}");
        println!("| `{shown}` | {} | {read} | {secs:.1} | {cpu:.1} | {peak:.0} |", columns(folder.path())?);
    }
    Ok(())
}

/// A child that does not outlive us.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn write_project(folder: &Path, credentials: &serde_json::Value, mapped: bool) -> Result<()> {
    std::fs::write(folder.join("nenrin.yaml"), "apiVersion: nenrin/v1\nkind: Project\n")?;
    std::fs::create_dir(folder.join("sources"))?;
    let text = |name: &str| credentials[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
    std::fs::write(folder.join("secret"), text("client_secret")?)?;
    let source = format!(
        "apiVersion: nenrin/v1\nkind: Source\nconnector: salesforce\nlogin_url: {}\n\
         auth: {{ client_id: \"{}\", client_secret: \"${{file:secret}}\" }}\n\
         streams: [{{ name: Account, allow: [{FIELDS}] }}]\n",
        text("login_url")?,
        text("client_id")?
    );
    std::fs::write(folder.join("sources/salesforce.yaml"), source)?;
    if mapped {
        std::fs::create_dir_all(folder.join("mappings/salesforce"))?;
        std::fs::write(folder.join("mappings/salesforce/Account.yaml"), MAPPING)?;
    }
    Ok(())
}

/// How many fields the log has columns for.
fn columns(folder: &Path) -> Result<usize> {
    let log = folder.join("lake/log/salesforce/Account/_delta_log");
    let mut names: Vec<_> = std::fs::read_dir(log)?.collect::<std::io::Result<Vec<_>>>()?;
    names.sort_by_key(std::fs::DirEntry::file_name);
    let mut fields = 0;
    for entry in names.iter().filter(|entry| entry.path().extension().is_some_and(|ext| ext == "json")) {
        for line in std::fs::read_to_string(entry.path())?.lines() {
            let action: serde_json::Value = serde_json::from_str(line)?;
            if let Some(schema) = action["metaData"]["schemaString"].as_str() {
                let schema: serde_json::Value = serde_json::from_str(schema)?;
                let named = schema["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
                fields = named.iter().filter(|field| !field["name"].as_str().unwrap_or("_").starts_with('_')).count();
            }
        }
    }
    Ok(fields)
}
