//! What the files of a core system can be like.

use super::TestProject;

const SOURCE: &str = "\
apiVersion: nenrin/v1
kind: Source
connector: file
path: data
streams:
  customers: { files: 'c_{yyyymm}.csv', key: [code], encoding: utf-8 }
";

const MAPPING: &str = "\
apiVersion: nenrin/v1
kind: Mapping
source: core
stream: customers
entity: customer
variables:
  name: name
  customer_code: code
  mrr: mrr
";

const JANUARY: &str = "code,name,mrr\nC1,アクメ,100\nC2,青葉,200\nC3,桜,300\n";

const BEFORE: [&str; 3] = ["upsert C1 アクメ 100", "upsert C2 青葉 200", "upsert C3 桜 300"];

/// A project that has read January.
pub(super) async fn project() -> TestProject {
    let project = TestProject::new(&[
        ("sources/core.yaml", SOURCE),
        ("mappings/core/customers.yaml", MAPPING),
        ("data/c_202501.csv", JANUARY),
    ]);
    project.nenrin(&["sync"]).await.assert_well();
    assert_untouched(&project).await;
    project
}

pub(super) async fn log(project: &TestProject) -> Vec<String> {
    project.log("core/customers", &["code", "name", "mrr"]).await
}

/// Fails unless log and published table are as January left them.
pub(super) async fn assert_untouched(project: &TestProject) {
    assert_eq!(log(project).await, BEFORE);
    assert_eq!(project.published().await, ["アクメ 100", "桜 300", "青葉 200"]);
}

/// Fails unless the log holds January and then `added`.
async fn assert_added(project: &TestProject, added: &[&str]) {
    assert_eq!(log(project).await, [BEFORE.as_slice(), added].concat());
}

#[tokio::test]
async fn b8_a_stream_may_be_called_anything_and_its_log_can_be_asked() {
    let name = "月額 (税抜)/100% = #1";
    let source = SOURCE.replace("  customers:", &format!("  '{name}':"));
    let mapping = MAPPING.replace("stream: customers", &format!("stream: '{name}'"));
    let files = [
        ("sources/core.yaml", source.as_str()),
        ("mappings/core/customers.yaml", mapping.as_str()),
        ("data/c_202501.csv", JANUARY),
    ];
    let project = TestProject::new(&files);
    project.nenrin(&["sync"]).await.assert_well();
    project.nenrin(&["sync"]).await.assert_well();
    assert_eq!(project.log(&format!("core/{name}"), &["code", "name", "mrr"]).await, BEFORE);
    assert_eq!(project.published().await, ["アクメ 100", "桜 300", "青葉 200"]);
}

#[tokio::test]
async fn a_broken_line_costs_that_line_and_nobody_is_taken_for_gone() {
    let project = project().await;
    // C2's line is broken and C3 is gone; nobody can tell whose line it was.
    project.write("data/c_202502.csv", "code,name,mrr\nC1,アクメ,110\nC2,\"青葉,200\nC4,新,400\n");
    let ran = project.nenrin(&["sync"]).await;
    insta::assert_snapshot!(ran.all(), @r#"
    source  stream     mode         read  new  changed  unchanged  deleted  rejected  absent  requests  outcome
    ──────  ─────────  ───────────  ────  ───  ───────  ─────────  ───────  ────────  ──────  ────────  ───────────────────
    core    customers  incremental     3    1        1          0        0         1       0         0  complete_with_holds
    [time]  WARN rows without a key were rejected: records that are missing from this reading may be those rows, so none of them is taken for gone stream=core/customers reading="c_202502.csv" missing_count=2
    warning[E0403]: 1 row is no record: it is kept aside, and what was known before stays
      source: core
      row: c_202502.csv:3 a quote is opened in this line and not closed properly
      next: `nenrin held --source core --list` shows all; mend them in the source and run the sync again
    error[E0402]: more is held or rejected than the project tolerates
      source: core
      rejected: 1 of 3 rows
      tolerated: 5 %
      next: mend them in the source, or raise `held_threshold_percent` in nenrin.yaml
    exit 1
    "#);
    assert_added(&project, &["upsert C1 アクメ 110", "upsert C4 新 400"]).await;
    assert_eq!(project.published().await, ["アクメ 110", "新 400", "桜 300", "青葉 200"]);
    insta::assert_snapshot!(project.nenrin(&["held"]).await.all(), @r#"
    Rejected: rows that are no records
    COUNT  STREAM          REASON                                                  FOR EXAMPLE AT
    ─────  ──────────────  ──────────────────────────────────────────────────────  ──────────────
        1  core/customers  a quote is opened in this line and not closed properly  c_202502.csv:3
    exit 0
    "#);
    // A run that finds nothing new says no more than that: the line still waits.
    let ran = project.nenrin(&["sync", "-o", "json"]).await;
    assert_eq!((ran.outcome().as_str(), ran.code), ("complete_with_holds: customers complete", Some(0)));
    // Mended, the file is read again: now it can be told who is gone, and nothing waits any more.
    project.write("data/c_202502.csv", "code,name,mrr\nC1,アクメ,110\nC2,\"青葉\",200\nC4,新,400\n");
    let ran = project.nenrin(&["sync", "-o", "json"]).await;
    ran.assert_well();
    assert_eq!(ran.outcome(), "complete: customers complete");
    assert_added(&project, &["upsert C1 アクメ 110", "upsert C4 新 400", "delete - - -"]).await;
    assert_eq!(project.published().await, ["アクメ 110", "新 400", "青葉 200"]);
    insta::assert_snapshot!(project.nenrin(&["held"]).await.all(), @r#"
    Nothing is held, nothing was rejected.
    exit 0
    "#);
}

#[tokio::test]
async fn a_broken_line_among_many_is_tolerated_and_told() {
    let project = project().await;
    let mut text = JANUARY.to_owned();
    for number in 10..40 {
        text.push_str(&format!("C{number},客{number},{number}\n"));
    }
    project.write("data/c_202502.csv", text + "C99,too,many,cells\n");
    let ran = project.nenrin(&["sync", "-o", "json"]).await;
    insta::assert_snapshot!(ran.told(), @r#"
    warning[E0403]: 1 row is no record: it is kept aside, and what was known before stays
      source: core
      row: c_202502.csv:35 the row has 4 cells, the header 3
      next: `nenrin held --source core --list` shows all; mend them in the source and run the sync again
    exit 0
    "#);
    assert_eq!(ran.outcome(), "complete_with_holds: customers complete");
    assert_eq!(log(&project).await.len(), 33);
}

#[tokio::test]
async fn rows_in_another_encoding_than_declared() {
    let project = project().await;
    let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode("code,name,mrr\nC1,アクメ,110\nC2,plain,210\n");
    project.write("data/c_202502.csv", bytes);
    let ran = project.nenrin(&["sync"]).await;
    insta::assert_snapshot!(ran.told(), @r#"
    [time]  WARN rows without a key were rejected: records that are missing from this reading may be those rows, so none of them is taken for gone stream=core/customers reading="c_202502.csv" missing_count=2
    warning[E0405]: lines hold bytes that are not utf-8
      stream: customers
      file: c_202502.csv
      decided: declared
      lines: 1 of 2 rows
      bytes: c_202502.csv:2, cell 2: <83> at byte 4
      next: those lines are kept aside; set `encoding` of the stream if another one was meant, or mend them in the source
    warning[E0403]: 1 row is no record: it is kept aside, and what was known before stays
      source: core
      row: c_202502.csv:2, cell 2 the line holds bytes that are not utf-8
      next: `nenrin held --source core --list` shows all; mend them in the source and run the sync again
    error[E0402]: more is held or rejected than the project tolerates
      source: core
      rejected: 1 of 2 rows
      tolerated: 5 %
      next: mend them in the source, or raise `held_threshold_percent` in nenrin.yaml
    exit 1
    "#);
    assert_added(&project, &["upsert C2 plain 210"]).await;
    assert_eq!(project.published().await, ["plain 210", "アクメ 100", "桜 300"]);
    // Declared rightly, it is read as it was meant. A setting makes no new file: it is asked for by name.
    project.edit("sources/core.yaml", "utf-8", "auto");
    project.nenrin(&["sync", "--full"]).await.assert_well();
    assert_eq!(project.published().await, ["plain 210", "アクメ 110"]);
}

#[tokio::test]
async fn a_header_in_another_encoding_than_declared() {
    let project = project().await;
    let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode("顧客コード,name,mrr\nC1,アクメ,110\n");
    project.write("data/c_202502.csv", bytes);
    let ran = project.nenrin(&["sync", "-o", "json"]).await;
    insta::assert_snapshot!(ran.told(), @r#"
    error[E0401]: the header row cannot be read
      line: 1
      encoding: utf-8
      file: c_202502.csv
      stream: customers
      source: core
      why: the line holds bytes that are not utf-8: <8C> at byte 1
      next: check `encoding`, `delimiter` and `skip_rows` of the stream
    exit 65
    "#);
    assert_eq!(ran.outcome(), "failed: customers failed");
    assert_untouched(&project).await;
}

#[tokio::test]
async fn a_key_that_is_empty() {
    let project = project().await;
    project.write("data/c_202502.csv", "code,name,mrr\nC1,アクメ,110\n,青葉,200\n");
    let ran = project.nenrin(&["sync"]).await;
    insta::assert_snapshot!(ran.told(), @r#"
    [time]  WARN rows without a key were rejected: records that are missing from this reading may be those rows, so none of them is taken for gone stream=core/customers reading="c_202502.csv" missing_count=2
    warning[E0403]: 1 row is no record: it is kept aside, and what was known before stays
      source: core
      row: c_202502.csv:3 the key is empty (code)
      next: `nenrin held --source core --list` shows all; mend them in the source and run the sync again
    error[E0402]: more is held or rejected than the project tolerates
      source: core
      rejected: 1 of 2 rows
      tolerated: 5 %
      next: mend them in the source, or raise `held_threshold_percent` in nenrin.yaml
    exit 1
    "#);
    assert_added(&project, &["upsert C1 アクメ 110"]).await;
    assert_eq!(project.published().await, ["アクメ 110", "桜 300", "青葉 200"]);
}

#[tokio::test]
async fn a_key_that_stands_there_twice() {
    let project = project().await;
    project.write("data/c_202502.csv", "code,name,mrr\nC1,アクメ,110\nC2,青葉,210\nC2,青葉,220\n");
    let ran = project.nenrin(&["sync"]).await;
    insta::assert_snapshot!(ran.told(), @r#"
    warning[E0403]: 2 rows are no records: they are kept aside, and what was known before stays
      source: core
      row: c_202502.csv:3 the key stands there more than once with different content: c_202502.csv:3, c_202502.csv:4 (2 such rows)
      next: `nenrin held --source core --list` shows all; mend them in the source and run the sync again
    error[E0402]: more is held or rejected than the project tolerates
      source: core
      rejected: 2 of 3 rows
      tolerated: 5 %
      next: mend them in the source, or raise `held_threshold_percent` in nenrin.yaml
    exit 1
    "#);
    // Neither can be believed, so C2 stays as it was; C3 is gone for certain.
    assert_added(&project, &["upsert C1 アクメ 110", "delete - - -"]).await;
    assert_eq!(project.published().await, ["アクメ 110", "青葉 200"]);
}

#[tokio::test]
async fn an_export_that_is_empty_or_cut_short() {
    let project = project().await;
    project.write("data/c_202502.csv", "");
    insta::assert_snapshot!(project.nenrin(&["sync"]).await.told(), @r#"
    error[E0401]: the file has no header row
      skip_rows: 0
      file: c_202502.csv
      stream: customers
      source: core
      next: an empty export is not taken for 'no customers': mend or remove the file
    exit 65
    "#);
    assert_untouched(&project).await;
    let many: String = (0..60).map(|number| format!("K{number:02},客,1\n")).collect();
    project.write("data/c_202502.csv", format!("{JANUARY}{many}"));
    project.nenrin(&["sync"]).await.assert_well();
    let before = log(&project).await;
    project.write("data/c_202503.csv", JANUARY);
    let ran = project.nenrin(&["sync", "-o", "json"]).await;
    insta::assert_snapshot!(ran.told(), @r#"
    error[E0540]: more than half of the records are missing from a complete reading
      reading: c_202503.csv
      missing: 60
      known: 63
      stream: core/customers
      next: no record was taken for gone, and the next run begins where this reading began; if the records are really gone, run `nenrin sync --allow-deletes`
    exit 65
    "#);
    assert_eq!(ran.outcome(), "failed: customers failed");
    assert_eq!(log(&project).await, before);
    assert_eq!(project.published().await.len(), 63);
}

#[tokio::test]
async fn a_value_that_does_not_convert_is_held() {
    let project = project().await;
    project.write("data/c_202502.csv", "code,name,mrr\nC1,アクメ,about a hundred\nC2,青葉,210\nC3,桜,300\n");
    let ran = project.nenrin(&["sync"]).await;
    insta::assert_snapshot!(ran.told(), @r#"
    warning[E0404]: 1 value does not convert: it is held, and unknown until mended
      source: core
      value: mappings/core/customers.yaml:9:8 customer.mrr: not a number; accepted: 1200, 1,200, -500, ▲500, (500), 12.5, 1.25E7
      next: `nenrin held --source core --list` shows all; mend them in the source, or say in the mapping what they mean
    error[E0402]: more is held or rejected than the project tolerates
      source: core
      held: 1 of 9 values
      tolerated: 5 %
      next: mend them in the source, or raise `held_threshold_percent` in nenrin.yaml
    exit 1
    "#);
    assert_added(&project, &["upsert C1 アクメ about a hundred", "upsert C2 青葉 210"]).await;
    assert_eq!(project.published().await, ["アクメ -", "桜 300", "青葉 210"]);
    // What is not known comes last, whichever way a query sorts.
    for (order, names) in [("mrr desc", "name 桜 青葉 アクメ"), ("mrr", "name 青葉 桜 アクメ")] {
        let sql = format!("select name from customer order by {order}");
        let ran = project.nenrin(&["query", &sql, "-o", "csv"]).await;
        assert_eq!(ran.stdout.split_whitespace().collect::<Vec<_>>().join(" "), names);
    }
}

#[tokio::test]
async fn a_date_in_a_name_that_makes_no_sense() {
    let project = project().await;
    project.write("data/c_202513.csv", JANUARY);
    let ran = project.nenrin(&["sync"]).await;
    insta::assert_snapshot!(ran.told(), @r#"
    warning[E0407]: a file is not read: its date makes no sense
      stream: customers
      file: c_202513.csv
      why: there is no such day in the calendar
      next: mend the date in its name or cell, or take the file away
    exit 0
    "#);
    assert_untouched(&project).await;
    // It is not forgotten: every run and every check says so.
    let ran = project.nenrin(&["sync", "-o", "json"]).await;
    assert_eq!(ran.outcome(), "complete_with_holds: customers complete");
    let ran = project.nenrin(&["check"]).await;
    assert!(ran.all().contains("file: c_202513.csv") && ran.code == Some(78), "{}", ran.all());
    std::fs::rename(project.path("data/c_202513.csv"), project.path("data/c_202502.csv")).unwrap();
    let ran = project.nenrin(&["sync", "-o", "json"]).await;
    assert_eq!(ran.outcome(), "complete: customers complete");
}

#[tokio::test]
async fn an_archive_that_is_cut() {
    use std::io::Write;
    let project = project().await;
    project.edit("sources/core.yaml", "c_{yyyymm}.csv", "c_{yyyymm}.csv*");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(format!("{JANUARY}C4,新,400\n").as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    project.write("data/c_202502.csv.gz", &packed[..packed.len() - 9]);
    let ran = project.nenrin(&["sync", "-o", "json"]).await;
    insta::assert_snapshot!(ran.told(), @r#"
    error[E0401]: the file cannot be read
      file: c_202502.csv.gz
      stream: customers
      source: core
      why: incomplete deflate stream
      next: the file breaks off: export it again
    exit 65
    "#);
    assert_untouched(&project).await;
    project.write("data/c_202502.csv.gz", &packed);
    project.nenrin(&["sync"]).await.assert_well();
    assert_added(&project, &["upsert C4 新 400"]).await;
}

#[tokio::test]
async fn a_workbook_under_a_false_name() {
    let project = project().await;
    project.edit("sources/core.yaml", "c_{yyyymm}.csv", "c_{yyyymm}.*");
    project.write("data/c_202502.xls", "<html><body><table><tr><td>code</td></tr></table>");
    let ran = project.nenrin(&["sync", "-o", "json"]).await;
    assert!(ran.told().contains("a web page or XML under the name of a workbook"), "{}", ran.told());
    assert_eq!(ran.code, Some(65));
    assert_untouched(&project).await;
}

#[tokio::test]
async fn a_total_that_nobody_declared() {
    let project = project().await;
    project.write("data/c_202502.csv", format!("{JANUARY}合計,,600\n"));
    let ran = project.nenrin(&["sync"]).await;
    insta::assert_snapshot!(ran.told(), @r#"
    warning[E0406]: records look like totals
      stream: customers
      file: c_202502.csv
      rows: 1: c_202502.csv:5
      next: if they are totals, name them in `total_rows` of the stream, such as [合計, 小計]; they are read as records until then
    exit 0
    "#);
    // Declared, it is gone from that month on.
    project.edit("sources/core.yaml", "encoding: utf-8", "encoding: utf-8, total_rows: [合計]");
    project.nenrin(&["sync", "--full"]).await.assert_well();
    assert_added(&project, &["upsert 合計 - 600", "delete - - -"]).await;
}

#[tokio::test]
async fn a_folder_that_is_not_there() {
    let project = project().await;
    std::fs::rename(project.path("data"), project.path("elsewhere")).unwrap();
    insta::assert_snapshot!(project.nenrin(&["sync"]).await.told(), @r#"
    error[E0100]: the folder of the files is not there
      path: [project]/data
      source: core
      stream: core/customers
      next: check `path` in the source's file, and that the folder is mounted
    exit 78
    "#);
    insta::assert_snapshot!(project.nenrin(&["check"]).await.all(), @r#"
    core  FAILED  stream customers: error[E0100]: the folder of the files is not there
                path: [project]/data
                next: check `path` in the source's file, and that the folder is mounted
    1 problem to mend
    exit 78
    "#);
    assert_untouched(&project).await;
}
