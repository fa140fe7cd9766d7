//! The file connector against real files in a temporary folder.

mod formats;
mod layouts;
mod stores;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use chrono::{Months, NaiveDate};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::connect::http::{Hosts, ManualTimer, Settings};
use crate::connect::token::MemoryTokenStore;
use crate::record::{Next, Reading};

/// Months and days that end at midnight in Tokyo.
#[derive(Debug)]
struct Tokyo;

fn midnight(date: NaiveDate) -> Option<Timestamp> {
    Some(Timestamp::from(date.and_hms_opt(0, 0, 0)?.and_utc()).plus_secs(-9 * 3600))
}

impl Calendar for Tokyo {
    fn month_end(&self, year: i32, month: u32) -> Option<Timestamp> {
        midnight(NaiveDate::from_ymd_opt(year, month, 1)?.checked_add_months(Months::new(1))?)
    }

    fn day_end(&self, year: i32, month: u32, day: u32) -> Option<Timestamp> {
        midnight(NaiveDate::from_ymd_opt(year, month, day)?.succ_opt()?)
    }
}

const NOW: &str = "2026-11-22T00:00:00Z";

struct Folder {
    dir: TempDir,
    clock: ManualClock,
}

impl Folder {
    fn new() -> Self {
        Folder { dir: TempDir::new().unwrap(), clock: ManualClock::at(NOW.parse().unwrap()) }
    }

    /// Writes a file that was last written at `at`.
    fn write(&self, name: &str, at: &str, content: impl AsRef<[u8]>) {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        touch(&path, at);
    }

    fn open(&self, stream: Value) -> FileSource {
        FileSource::open(self.args(json!({ "path": ".", "streams": { "customers": stream } }))).unwrap()
    }

    fn args(&self, config: Value) -> OpenArgs {
        OpenArgs {
            id: SourceId("core".into()),
            config,
            root: self.dir.path().to_owned(),
            clock: Arc::new(self.clock.clone()),
            calendar: Arc::new(Tokyo),
            token_store: Arc::new(MemoryTokenStore::default()),
            hosts: Arc::new(Hosts::new(Settings::default(), Arc::new(ManualTimer::default())).unwrap()),
            run_id: "run".into(),
        }
    }
}

fn touch(path: &Path, at: &str) {
    let at: Timestamp = at.parse().unwrap();
    let at = UNIX_EPOCH + Duration::from_micros(u64::try_from(at.micros()).unwrap());
    fs::File::options().append(true).open(path).unwrap().set_modified(at).unwrap();
}

fn dated() -> Value {
    json!({ "files": "customers_{yyyymm}.csv", "key": ["id"] })
}

fn undated() -> Value {
    json!({ "files": "customers*.csv", "key": ["id"] })
}

/// The only stream of a source.
async fn described(source: &FileSource) -> Result<Stream> {
    source.describe(&source.streams()[0]).await
}

/// One run to its end: the pages and the cursor for the next run.
async fn run(source: &FileSource, cursor: Option<&Cursor>, mode: ReadMode) -> Result<(Vec<Page>, Cursor)> {
    let stream = described(source).await?;
    let mut cursor = cursor.cloned();
    let mut pages = Vec::new();
    loop {
        let page = source.read_page(&stream, cursor.as_ref(), pages.is_empty(), mode).await?;
        let next = page.next.clone();
        pages.push(page);
        match next {
            Next::More(next) => cursor = Some(next),
            Next::Done { cursor, .. } => return Ok((pages, cursor)),
        }
    }
}

fn keys(page: &Page) -> Vec<&str> {
    page.records.heads().iter().map(|head| head.key.as_str()).collect()
}

fn through(page: &Page) -> Option<String> {
    match &page.next {
        Next::Done { complete_through, .. } => complete_through.map(|at| at.to_string()),
        Next::More(_) => panic!("there is more"),
    }
}

#[tokio::test]
async fn dated_files_are_statements_at_the_end_of_their_month_oldest_first() {
    let folder = Folder::new();
    folder.write("customers_202511.csv", "2025-12-02T00:00:00Z", "id,name\n1,b\n2,c\n");
    folder.write("customers_202510.csv", "2025-11-02T00:00:00Z", "id,name\n1,a\n");
    folder.write("other.csv", "2025-11-02T00:00:00Z", "id\n9\n");
    let (pages, cursor) = run(&folder.open(dated()), None, ReadMode::Incremental).await.unwrap();
    assert_eq!(pages.len(), 2);
    let Some(Reading::Statement { at, name, .. }) = &pages[0].reading else { panic!() };
    assert_eq!((at.to_string().as_str(), name.as_str()), ("2025-10-31T14:59:59.999999Z", "customers_202510.csv"));
    assert_eq!(pages[0].observed_at.to_string(), "2025-11-02T00:00:00Z");
    assert!(pages[0].ends_reading && pages[1].ends_reading);
    assert_eq!(keys(&pages[1]), ["1", "2"]);
    assert_eq!(pages[1].records.heads()[1].place, "customers_202511.csv:3");
    assert_eq!(pages[1].source_total, Some(2));
    assert_eq!(through(&pages[1]).as_deref(), Some("2025-11-30T15:00:00Z"));
    // The next run reads nothing; a new file and a corrected old one are read, the others are not.
    let (pages, cursor) = run(&folder.open(dated()), Some(&cursor), ReadMode::Incremental).await.unwrap();
    assert_eq!((pages.len(), pages[0].reading.clone(), pages[0].records.len()), (1, None, 0));
    assert_eq!(through(&pages[0]).as_deref(), Some("2025-11-30T15:00:00Z"));
    folder.write("customers_202509.csv", "2025-12-05T00:00:00Z", "id,name\n1,z\n");
    folder.write("customers_202510.csv", "2025-12-05T00:00:00Z", "id,name\n1,corrected\n");
    let (pages, _) = run(&folder.open(dated()), Some(&cursor), ReadMode::Incremental).await.unwrap();
    let names: Vec<_> = pages.iter().map(|page| page.records.value(0, 1)).collect();
    assert_eq!(names, [Some("z"), Some("corrected")]);
    assert_eq!(through(&pages[1]).as_deref(), Some("2025-11-30T15:00:00Z"));
}

#[tokio::test]
async fn a_file_that_was_only_touched_is_not_read_again_and_a_full_run_reads_all() {
    let folder = Folder::new();
    folder.write("customers_202510.csv", "2025-11-02T00:00:00Z", "id,name\n1,a\n");
    let source = folder.open(dated());
    let (_, cursor) = run(&source, None, ReadMode::Incremental).await.unwrap();
    touch(&folder.dir.path().join("customers_202510.csv"), "2025-11-09T00:00:00Z");
    let (pages, cursor) = run(&source, Some(&cursor), ReadMode::Incremental).await.unwrap();
    assert_eq!((pages.len(), pages[0].reading.clone()), (1, None));
    assert!(cursor.0.to_string().contains("2025-11-09"));
    let (pages, _) = run(&source, Some(&cursor), ReadMode::Full).await.unwrap();
    assert_eq!(keys(&pages[0]), ["1"]);
}

#[tokio::test]
async fn undated_files_together_are_one_pass_each_time_one_changes() {
    let folder = Folder::new();
    folder.write("customers_east.csv", "2026-11-01T00:00:00Z", "id,name\n1,a\n");
    folder.write("customers_west.csv", "2026-11-02T00:00:00Z", "id,phone\n2,03\n");
    let source = folder.open(undated());
    let (pages, cursor) = run(&source, None, ReadMode::Incremental).await.unwrap();
    assert_eq!(pages.iter().map(|page| keys(page).concat()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(pages[0].reading, pages[1].reading);
    assert_eq!(pages.iter().map(|page| page.ends_reading).collect::<Vec<_>>(), [false, true]);
    assert_eq!(pages[0].source_total, Some(2));
    let Some(Reading::Pass { started_at, .. }) = pages[0].reading else { panic!() };
    assert_eq!(started_at.to_string(), "2026-11-02T00:00:00Z");
    assert_eq!(through(&pages[1]).as_deref(), Some(NOW));
    folder.clock.advance_secs(60);
    let (pages, cursor) = run(&source, Some(&cursor), ReadMode::Incremental).await.unwrap();
    assert_eq!((pages[0].reading.clone(), through(&pages[0]).as_deref()), (None, Some("2026-11-22T00:01:00Z")));
    // An older copy is restored: another pass, not an earlier one; its time is capped by the clock.
    folder.write("customers_east.csv", "2026-10-01T00:00:00Z", "id,name\n1,older\n");
    let (pages, cursor) = run(&source, Some(&cursor), ReadMode::Incremental).await.unwrap();
    let Some(Reading::Pass { started_at, .. }) = pages[1].reading else { panic!() };
    assert_eq!(started_at.to_string(), "2026-11-02T00:00:00.000001Z");
    folder.write("customers_east.csv", "2027-10-01T00:00:00Z", "id,name\n1,future\n");
    let (pages, cursor) = run(&source, Some(&cursor), ReadMode::Incremental).await.unwrap();
    assert_eq!(pages[1].observed_at.to_string(), "2026-11-22T00:01:00Z");
    // One of the files goes away: the rest is the full state.
    fs::remove_file(folder.dir.path().join("customers_west.csv")).unwrap();
    let (pages, cursor) = run(&source, Some(&cursor), ReadMode::Incremental).await.unwrap();
    assert_eq!((pages.len(), keys(&pages[0]), pages[0].ends_reading), (1, vec!["1"], true));
    // All go away: nothing is concluded.
    fs::remove_file(folder.dir.path().join("customers_east.csv")).unwrap();
    let (pages, _) = run(&source, Some(&cursor), ReadMode::Incremental).await.unwrap();
    assert_eq!((pages.len(), pages[0].reading.clone()), (1, None));
}

#[tokio::test]
async fn a_large_file_is_read_in_pages_that_another_process_can_go_on_with() {
    let folder = Folder::new();
    let mut text = String::from("title\nid,note\n");
    for i in 0..12_000 {
        text.push_str(&format!("{i},\"line one\nline two {i}\"\n"));
    }
    text.push_str("7,other\n");
    folder.write("customers_202510.csv", "2025-11-02T00:00:00Z", &text);
    let config = json!({ "files": "customers_{yyyymm}.csv", "key": ["id"], "skip_rows": 1 });
    let stream = described(&folder.open(config.clone())).await.unwrap();
    let mut cursor = None;
    let (mut seen, mut rejected, mut bytes, mut pages) = (Vec::new(), Vec::new(), 0, 0);
    loop {
        // A new process for every page.
        let source = folder.open(config.clone());
        let page = source.read_page(&stream, cursor.as_ref(), true, ReadMode::Incremental).await.unwrap();
        pages += 1;
        seen.extend(keys(&page).into_iter().map(str::to_owned));
        rejected.extend(page.rejected);
        bytes += page.bytes;
        assert_eq!(page.source_total, Some(12_001));
        match page.next {
            Next::More(next) => cursor = Some(next),
            Next::Done { .. } => break,
        }
    }
    assert_eq!((pages, seen.len(), rejected.len()), (3, 11_999, 2));
    assert_eq!(seen[10_000], "10001");
    assert_eq!(bytes as usize, text.len() - "title\nid,note\n".len());
    assert_eq!(
        rejected[0].reason,
        "the key stands there more than once with different content: customers_202510.csv:17, customers_202510.csv:24003"
    );
    assert_eq!((rejected[0].place.as_str(), rejected[0].key.as_deref()), ("customers_202510.csv:17", Some("7")));
    assert_eq!((rejected[1].place.as_str(), rejected[1].raw.as_str()), ("customers_202510.csv:24003", "7,other"));
}

#[tokio::test]
async fn a_file_that_changes_between_pages_is_begun_again() {
    let folder = Folder::new();
    let rows = |name: &str| (0..6_000).fold("id,name\n".to_owned(), |text, i| text + &format!("{i},{name}\n"));
    folder.write("customers_202510.csv", "2025-11-02T00:00:00Z", rows("a"));
    let source = folder.open(dated());
    let stream = described(&source).await.unwrap();
    let page = source.read_page(&stream, None, true, ReadMode::Incremental).await.unwrap();
    let Next::More(cursor) = page.next else { panic!() };
    folder.write("customers_202510.csv", "2025-11-02T00:10:00Z", rows("b"));
    let again = source.read_page(&stream, Some(&cursor), false, ReadMode::Incremental).await.unwrap();
    assert_eq!((again.records.len(), again.records.value(0, 1)), (5_000, Some("b")));
    assert_ne!(again.reading, page.reading);
}

#[tokio::test]
async fn what_is_no_record_is_rejected_with_its_line() {
    let folder = Folder::new();
    let text = b"id,name\n,nobody\n1,a\n1,a\n2,a,b\n3,\xE6\n4,\"x\n5,ok\n6,\"n\0l\"\n";
    folder.write("customers.csv", "2025-11-02T00:00:00Z", text);
    let config = json!({ "files": "customers.csv", "key": ["id"], "encoding": "utf-8" });
    let (pages, _) = run(&folder.open(config), None, ReadMode::Incremental).await.unwrap();
    assert_eq!(keys(&pages[0]), ["1", "1", "5"]);
    let rejected: Vec<String> =
        pages[0].rejected.iter().map(|row| format!("{} {} | {}", row.place, row.reason, row.raw)).collect();
    assert_eq!(
        rejected,
        [
            "customers.csv:2 the key is empty (id) | ,nobody",
            "customers.csv:5 the row has 3 cells, the header 2 | 2,a,b",
            "customers.csv:6, cell 2 the line holds bytes that are not utf-8 | 3,<E6>",
            "customers.csv:7 a quote is opened in this line and not closed properly | 4,\"x",
            "customers.csv:9 the line holds a NUL character: it is damaged, or in another encoding | 6,\"n\0l\"",
        ]
    );
    assert_eq!(pages[0].source_total, Some(8));
}

#[tokio::test]
async fn cp932_and_utf_16_are_found_out_and_read() {
    let folder = Folder::new();
    let text = "顧客コード,支店,名前\r\n001,東京,髙橋①\r\n,大阪,能登\r\n";
    folder.write("a_202509.csv", "2025-11-02T00:00:00Z", encoding_rs::SHIFT_JIS.encode(text).0);
    let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    folder.write("a_202510.csv", "2025-11-02T00:00:00Z", utf16);
    folder.write("a_202511.csv", "2025-11-02T00:00:00Z", format!("\u{feff}{text}"));
    let config = json!({ "files": "a_{yyyymm}.csv", "key": ["顧客コード", "支店"] });
    let (pages, _) = run(&folder.open(config), None, ReadMode::Incremental).await.unwrap();
    assert_eq!(pages.len(), 3);
    for page in &pages {
        assert_eq!(keys(page), [r#"["001","東京"]"#]);
        assert_eq!(page.records.value(0, 2), Some("髙橋①"));
        assert_eq!(page.rejected.len(), 1);
    }
}

#[tokio::test]
async fn a_header_without_the_key_is_an_error_that_names_the_columns_there_are() {
    let folder = Folder::new();
    folder.write("customers_202510.csv", "2025-11-02T00:00:00Z", "顧客コード,名前\n1,a\n");
    let source = folder.open(dated());
    let error = run(&source, None, ReadMode::Incremental).await.unwrap_err();
    assert_eq!(
        error.render(),
        "error[E0401]: the header lacks a key column\n  key: id\n  columns: `顧客コード`, `名前`\n  file: customers_202510.csv\n  \
         stream: customers\n  source: core\n  next: mend `key` of the stream; if the columns above look wrong, its \
         `encoding`, `delimiter` or `skip_rows`"
    );
    let findings = source.check().await;
    assert!(!findings[0].ok && findings[0].detail.contains("`顧客コード`"));
    folder.write("customers_202510.csv", "2025-11-02T00:00:00Z", "");
    let error = run(&source, None, ReadMode::Incremental).await.unwrap_err();
    assert_eq!(error.message(), "the file has no header row");
    folder.write("customers_202510.csv", "2025-11-02T00:00:00Z", "id,name,id\n");
    let error = run(&source, None, ReadMode::Incremental).await.unwrap_err();
    assert_eq!(error.message(), "two columns have the same name");
}

#[tokio::test]
async fn a_missing_folder_and_missing_files_are_told() {
    let folder = Folder::new();
    let finding = folder.open(dated()).check().await.remove(0);
    assert!(!finding.ok && finding.detail.contains("no file fits the name"), "{}", finding.detail);
    // A stream whose files have not come yet is no error: there is nothing to read.
    let (pages, _) = run(&folder.open(dated()), None, ReadMode::Incremental).await.unwrap();
    assert_eq!((pages.len(), pages[0].reading.clone(), through(&pages[0])), (1, None, None));
    fs::remove_dir_all(folder.dir.path()).unwrap();
    let error = described(&folder.open(dated())).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Config, "the folder of the files is not there"));
}

#[tokio::test]
async fn columns_of_all_files_are_offered_the_newest_first() {
    let folder = Folder::new();
    folder.write("customers_202510.csv", "2025-11-02T00:00:00Z", "id;old;name\n1;x;a\n");
    folder.write("customers_202511.csv", "2025-12-02T00:00:00Z", "id;name;new\n1;a;y\n");
    let config =
        json!({ "files": "customers_{yyyymm}.csv", "key": ["id"], "delimiter": ";", "classes": { "new": "ticking" } });
    let source = folder.open(config);
    let stream = described(&source).await.unwrap();
    let names: Vec<&str> = stream.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["id", "name", "new", "old"]);
    assert_eq!(stream.fields[2].class, FieldClass::Ticking);
    assert!(stream.dated);
    let (pages, _) = run(&source, None, ReadMode::Incremental).await.unwrap();
    assert_eq!(pages[0].records.fields().as_ref(), ["id", "old", "name"]);
}

#[tokio::test]
async fn a_file_without_header_uses_the_configured_columns() {
    let folder = Folder::new();
    folder.write("customers.csv", "2025-11-02T00:00:00Z", "1\ta\n2\tb\n");
    let config = json!({ "files": "customers.csv", "key": ["id"], "delimiter": "tab", "header": false, "columns": ["id", "name"] });
    let (pages, _) = run(&folder.open(config), None, ReadMode::Incremental).await.unwrap();
    assert_eq!(keys(&pages[0]), ["1", "2"]);
    assert_eq!(pages[0].records.value(1, 1), Some("b"));
}
