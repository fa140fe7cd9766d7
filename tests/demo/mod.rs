//! The demo, run as a newcomer runs it, says what is true in its story.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Map, Value};
use simulators::company::{Crm, CustomerTruth, Mrr, SeenBy, Story, Waterfall};

/// The folder that the demo left behind, and what it printed.
struct Demo {
    folder: PathBuf,
    printed: String,
    _parent: tempfile::TempDir,
}

/// Runs the demo once, however many tests ask.
fn demo() -> &'static Demo {
    static DEMO: OnceLock<Demo> = OnceLock::new();
    DEMO.get_or_init(|| {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("demo");
        let printed = nenrin(parent.path(), &["demo", "--dir", folder.to_str().unwrap()]);
        Demo { folder, printed, _parent: parent }
    })
}

/// Runs the program in `folder`, which must succeed; what it printed.
fn nenrin(folder: &Path, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_nenrin"))
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "nenrin {args:?} failed: {said}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let text = nenrin(folder, args);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Takes the story's edits and does nothing but give out ids.
#[derive(Default)]
struct Nobody(usize);

impl Crm for Nobody {
    fn insert(&mut self, _object: &str, _fields: Map<String, Value>) -> String {
        self.0 += 1;
        format!("{:018}", self.0)
    }
    fn update(&mut self, _object: &str, _id: &str, _fields: Map<String, Value>) {}
    fn delete(&mut self, _object: &str, _id: &str) {}
    fn undelete(&mut self, _object: &str, _id: &str) {}
    fn hard_delete(&mut self, _object: &str, _id: &str) {}
    fn merge(&mut self, _object: &str, _winner: &str, _losers: &[String]) {}
    fn set_now(&mut self, _now: chrono::DateTime<chrono::Utc>) {}
}

/// The story of the demo, lived to its end.
fn story() -> Story {
    let mut story = Story::new(1);
    let mut nobody = Nobody::default();
    story.start(&mut nobody);
    for (year, month) in Story::months() {
        story.live_month(year, month, &mut nobody);
    }
    story
}

fn known_sum(truth: &[CustomerTruth]) -> i64 {
    truth
        .iter()
        .map(|customer| match customer.mrr {
            Mrr::Yen(yen) => yen,
            Mrr::Held | Mrr::Empty => 0,
        })
        .sum()
}

/// An amount, which is an exact number that may be written with decimals.
fn yen(value: &Value) -> i64 {
    let text = value.to_string();
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    assert!(rest.bytes().all(|digit| digit == b'0'), "{text} is not in yen");
    whole.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn the_comparison_of_the_two_octobers_is_that_of_the_story() {
    let story = story();
    let (before, after) = (story.truth(2025, 10), story.truth(2026, 10));
    let truth = Waterfall::between(&before, &after);
    let told = json(&demo().folder, &["compare", "2025-10", "2026-10", "-o", "json"]);

    let counts = &told["counts"];
    let shown: Vec<&Value> = ["a", "b", "won", "lost", "unknown"].iter().map(|name| &counts[name]).collect();
    let expected = [before.len(), after.len(), truth.won.len(), truth.lost.len(), 0];
    assert_eq!(shown, expected.map(Value::from).iter().collect::<Vec<_>>(), "customers there, won, lost and unknown");

    let mrr = told["metrics"].as_array().unwrap().iter().find(|metric| metric["variable"] == "mrr").unwrap();
    assert_eq!(yen(&mrr["a"]["value"]), known_sum(&before));
    assert_eq!(yen(&mrr["b"]["value"]), known_sum(&after));
    let bars = &mrr["waterfall"];
    let amount = |name: &str| yen(&bars[name]["amount"]).abs();
    let shown =
        [amount("start"), amount("new"), amount("expansion"), amount("contraction"), amount("churned"), amount("end")];
    let expected = [truth.start, truth.new, truth.expansion, truth.contraction, truth.churned, truth.end];
    assert_eq!(shown, expected, "start, new, expansion, contraction, churned, end: {bars:#}");
    let percent = |name: &str| bars[name].as_str().unwrap().parse::<f64>().unwrap() * 100.0;
    assert!((percent("nrr") - truth.nrr_percent()).abs() < 0.001, "{bars:#}");
    assert!((percent("grr") - truth.grr_percent()).abs() < 0.001, "{bars:#}");
}

#[test]
fn every_customer_of_either_october_is_the_storys_with_its_code_and_price() {
    let story = story();
    for (year, month) in [(2025, 10), (2026, 3), (2026, 10)] {
        let sql = "SELECT coalesce(customer_code, '') AS code, CAST(mrr AS VARCHAR) AS mrr FROM customer";
        let label = format!("{year}-{month:02}");
        let rows = json(&demo().folder, &["query", sql, "--as-of", &label, "-o", "json"]);
        let mut shown: BTreeMap<String, Vec<Option<i64>>> = BTreeMap::new();
        for row in rows.as_array().unwrap() {
            let mrr = row["mrr"].as_str().map(|text| yen(&serde_json::from_str(text).unwrap()));
            shown.entry(row["code"].as_str().unwrap().to_owned()).or_default().push(mrr);
        }
        let mut expected: BTreeMap<String, Vec<Option<i64>>> = BTreeMap::new();
        for customer in story.truth(year, month) {
            let mrr = match customer.mrr {
                Mrr::Yen(yen) => Some(yen),
                Mrr::Held | Mrr::Empty => None,
            };
            // An account that the core system never knew may still hold no code.
            let code = customer.code.clone().unwrap_or_default();
            assert!(customer.seen_by == SeenBy::Crm || !code.is_empty());
            expected.entry(code).or_default().push(mrr);
        }
        shown.values_mut().chain(expected.values_mut()).for_each(|list| list.sort_unstable());
        let differing: Vec<_> = expected
            .keys()
            .chain(shown.keys())
            .filter(|code| expected.get(*code) != shown.get(*code))
            .map(|code| format!("{code}: {:?} instead of {:?}", shown.get(code), expected.get(code)))
            .collect();
        assert!(differing.is_empty(), "{label}: {}", differing.join("; "));
    }
}

#[test]
fn the_demo_prints_its_runs_the_comparison_the_holds_and_what_to_try() {
    let printed = &demo().printed;
    for part in
        ["1. Thirteen months", "2. October 2025 beside October 2026", "3. What could not be converted", "Try next:"]
    {
        assert!(printed.contains(part), "{part} is missing in:\n{printed}");
    }
    let runs: Vec<&str> = printed.lines().filter(|line| line.contains("complete")).collect();
    assert!(runs.len() >= 26, "a run of each source in each month: {runs:?}");
    assert!(!printed.contains("partial") && !printed.contains("failed"), "{printed}");
}

#[test]
fn a_sync_in_the_folder_left_behind_finds_nothing_new() {
    let folder = &demo().folder;
    let compare = ["compare", "2025-10", "2026-10", "-o", "json"];
    let before = json(folder, &compare);
    let text = nenrin(folder, &["sync", "-o", "jsonl"]);
    let reports: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(reports.len(), 2, "{text}");
    for report in &reports {
        assert!(report["outcome"].as_str().unwrap().starts_with("complete"), "{report:#}");
        for stream in report["streams"].as_array().unwrap() {
            for count in ["new", "changed", "deleted_by_absence", "rejected"] {
                assert_eq!(stream[count], 0, "{count} of {stream:#}");
            }
        }
    }
    assert_eq!(json(folder, &compare), before);
}
