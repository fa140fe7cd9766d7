//! Headers, titles, totals and dates in files.

use super::*;

/// The records of all pages, as `key: field=value …`.
fn records(pages: &[Page]) -> Vec<String> {
    let mut found = Vec::new();
    for page in pages {
        let fields = page.records.fields();
        for (row, head) in page.records.heads().iter().enumerate() {
            let values: Vec<String> = (0..fields.len())
                .filter_map(|at| page.records.value(row, at).map(|value| format!("{}={value}", fields[at])))
                .collect();
            let gone = if head.deleted.is_some() { " gone" } else { "" };
            found.push(format!("{}: {}{gone}", head.key, values.join(" ")));
        }
    }
    found
}

fn statements(pages: &[Page]) -> Vec<(String, String, bool)> {
    let of = |page: &Page| match &page.reading {
        Some(Reading::Statement { at, name, is_delta, .. }) => (name.clone(), at.to_string(), *is_delta),
        other => panic!("{other:?}"),
    };
    pages.iter().map(of).collect()
}

#[tokio::test]
async fn titles_two_header_rows_blank_rows_totals_and_footers_are_no_records() {
    let folder = Folder::new();
    let text = "売上一覧\n2025年10月\n顧客コード,売上,,備考\n,4月,5月,\n1,10,20,\n,,,\n小計,10,20,\n2,30,40,x\n合　計,40,60,\n出力日 2025/11/01,,,\n";
    folder.write("customers.csv", "2025-11-02T00:00:00Z", text);
    let source = folder.open(json!({
        "files": "customers.csv", "key": ["顧客コード"], "skip_rows": 2, "header_rows": 2, "skip_footer": 1,
        "total_rows": ["合計", "小計"]
    }));
    let (pages, _) = run(&source, None, ReadMode::Incremental).await.unwrap();
    assert_eq!(
        records(&pages),
        ["1: 顧客コード=1 売上/4月=10 売上/5月=20", "2: 顧客コード=2 売上/4月=30 売上/5月=40 備考=x"]
    );
    assert_eq!((pages[0].rejected.len(), pages[0].source_total), (0, Some(2)));
    let notes = source.notes("customers");
    assert_eq!(notes.len(), 1);
    let context: Vec<String> =
        notes[0].about.context().iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert!(
        context.contains(&"blank_rows: 1".to_owned()) && context.contains(&"total_rows: 2".to_owned()),
        "{context:?}"
    );
    // Told once.
    assert!(source.notes("customers").is_empty());
}

#[tokio::test]
async fn totals_that_nobody_declared_are_records_and_told() {
    let folder = Folder::new();
    folder.write("customers.csv", "2025-11-02T00:00:00Z", "id,mrr\n1,10\n合計,10\n");
    let source = folder.open(undated());
    let (pages, _) = run(&source, None, ReadMode::Incremental).await.unwrap();
    assert_eq!(keys(&pages[0]), ["1", "合計"]);
    let warned: Vec<String> = source
        .notes("customers")
        .iter()
        .filter(|note| note.is_warning)
        .map(|note| note.about.render_warning())
        .collect();
    assert_eq!(
        warned,
        [
            "warning[E0406]: records look like totals\n  stream: customers\n  file: customers.csv\n  rows: 1: customers.csv:3\n  \
          next: if they are totals, name them in `total_rows` of the stream, such as [合計, 小計]; they are read as records until then"
        ]
    );
    let finding = source.check().await.remove(0);
    assert!(finding.ok && finding.detail.contains("these look like totals: customers.csv:3"), "{}", finding.detail);
}

#[tokio::test]
async fn doubled_names_of_columns_can_be_told_apart() {
    let folder = Folder::new();
    folder.write("customers.csv", "2025-11-02T00:00:00Z", "id,金額,金額\n1,10,11\n");
    let source = folder.open(json!({ "files": "customers.csv", "key": ["id"], "rename": { "金額#2": "税込" } }));
    let (pages, _) = run(&source, None, ReadMode::Incremental).await.unwrap();
    assert_eq!(records(&pages), ["1: id=1 金額=10 税込=11"]);
}

#[tokio::test]
async fn dates_of_eras_count_and_those_that_make_no_sense_are_told() {
    let folder = Folder::new();
    for name in ["売上_R0709.csv", "売上_R9901.csv", "売上_R0713.csv", "売上_H3105.csv"] {
        folder.write(name, "2025-11-02T00:00:00Z", "id,mrr\n1,10\n");
    }
    let source = folder.open(json!({ "files": "売上_{era}{yy}{mm}.csv", "key": ["id"] }));
    let (pages, _) = run(&source, None, ReadMode::Incremental).await.unwrap();
    assert_eq!(statements(&pages), [("売上_R0709.csv".to_owned(), "2025-09-30T14:59:59.999999Z".to_owned(), false)]);
    let mut told: Vec<String> = source
        .notes("customers")
        .iter()
        .filter(|note| note.is_warning)
        .map(|note| note.about.context()[1..].iter().map(|(_, value)| value.clone()).collect::<Vec<_>>().join(": "))
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "売上_H3105.csv: the day lies after 平成 ended on 2019-04-30; write it in the era that followed",
            "売上_R0713.csv: there is no such day in the calendar",
            "売上_R9901.csv: 令和 is accepted up to its year 64, since no era has lasted longer; a later one stands for no end, or is a typing error",
        ]
    );
    // A check fails for them: they would never be read.
    assert_eq!(source.check().await.iter().filter(|finding| !finding.ok).count(), 3);
}

#[tokio::test]
async fn the_date_may_stand_in_a_cell() {
    let folder = Folder::new();
    let text = |date: &str| format!("顧客一覧,\n基準日：{date}現在,\nid,name\n1,a\n");
    folder.write("a.csv", "2025-11-02T00:00:00Z", text("令和7年10月31日"));
    folder.write("b.csv", "2025-11-02T00:00:00Z", text("令和7年9月30日"));
    folder.write("c.csv", "2025-11-02T00:00:00Z", text("未定"));
    let config = json!({
        "files": "*.csv", "key": ["id"], "skip_rows": 2, "encoding": "utf-8",
        "date": { "cell": "A2", "like": "基準日：{era}{y}年{m}月{d}日*" }
    });
    let source = folder.open(config.clone());
    let (pages, cursor) = run(&source, None, ReadMode::Incremental).await.unwrap();
    let names: Vec<_> = statements(&pages).into_iter().map(|(name, at, _)| format!("{name} {}", &at[..10])).collect();
    assert_eq!(names, ["b.csv 2025-09-30", "a.csv 2025-10-31"]);
    let warned = source.notes("customers").into_iter().find(|note| note.is_warning).unwrap();
    assert!(warned.about.render().contains("the cell A2 does not look like 基準日"));
    // The date of a file that is as it was is known.
    let (pages, _) = run(&folder.open(config), Some(&cursor), ReadMode::Incremental).await.unwrap();
    assert_eq!((pages.len(), pages[0].reading.clone()), (1, None));
}

#[tokio::test]
async fn deltas_tell_what_changed_and_who_is_gone_and_late_ones_have_later_ones_read_again() {
    let folder = Folder::new();
    let config = json!({
        "files": "d_{yyyymmdd}.csv", "key": ["id"], "mode": "delta", "deletes": { "column": "区分", "values": ["削除"] }
    });
    folder.write("d_20251001.csv", "2025-10-02T00:00:00Z", "id,mrr,区分\n1,10,\n2,20,\n");
    folder.write("d_20251003.csv", "2025-10-04T00:00:00Z", "id,mrr,区分\n1,11,\n1,12,\n2,,削除\n");
    let source = folder.open(config.clone());
    assert!(described(&source).await.unwrap().tells_deletes);
    let (pages, cursor) = run(&source, None, ReadMode::Incremental).await.unwrap();
    assert!(statements(&pages).iter().all(|(_, _, is_delta)| *is_delta));
    assert_eq!(
        records(&pages),
        ["1: id=1 mrr=10", "2: id=2 mrr=20", "1: id=1 mrr=11", "1: id=1 mrr=12", "2: id=2 区分=削除 gone"]
    );
    folder.write("d_20251002.csv", "2025-10-05T00:00:00Z", "id,mrr,区分\n1,9,\n");
    let (pages, cursor) = run(&folder.open(config.clone()), Some(&cursor), ReadMode::Incremental).await.unwrap();
    let names: Vec<_> = statements(&pages).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["d_20251002.csv", "d_20251003.csv"]);
    // Where the later one is gone, that is told.
    fs::remove_file(folder.dir.path().join("d_20251003.csv")).unwrap();
    folder.write("d_20251002.csv", "2025-10-06T00:00:00Z", "id,mrr,区分\n1,8,\n");
    let source = folder.open(config);
    run(&source, Some(&cursor), ReadMode::Incremental).await.unwrap();
    let warned = source.notes("customers").into_iter().find(|note| note.is_warning).unwrap();
    assert!(warned.about.render().contains("gone: d_20251003.csv"));
}

#[tokio::test]
async fn the_encoding_that_was_decided_and_the_bytes_that_did_not_fit_are_told() {
    let folder = Folder::new();
    let mut bytes = encoding_rs::SHIFT_JIS.encode("id,顧客名\n1,青葉商事\n2,").0.into_owned();
    bytes.extend_from_slice(b"a\xFFb\n3,\x81\n");
    folder.write("customers.csv", "2025-11-02T00:00:00Z", bytes);
    let source = folder.open(undated());
    let (pages, _) = run(&source, None, ReadMode::Incremental).await.unwrap();
    assert_eq!(keys(&pages[0]), ["1"]);
    let rejected: Vec<String> =
        pages[0].rejected.iter().map(|row| format!("{} {} | {}", row.place, row.reason, row.raw)).collect();
    assert_eq!(
        rejected,
        [
            "customers.csv:3, cell 2 the line holds bytes that are not cp932 | 2,a<FF>b",
            "customers.csv:4, cell 2 the line holds bytes that are not cp932 | 3,<81>",
        ]
    );
    let notes = source.notes("customers");
    assert!(notes[0].about.render().contains("encoding: cp932"));
    let warned = notes[1].about.render_warning();
    assert!(warned.contains("lines: 2 of 3 rows"), "{warned}");
    assert!(warned.contains("bytes: customers.csv:3, cell 2: <FF> at byte 4; customers.csv:4, cell 2: <81> at byte 3"));
    let finding = source.check().await.remove(0);
    assert!(finding.detail.contains("customers.csv: cp932 (fits 2 of 4 lines, others fewer)"), "{}", finding.detail);
    assert!(finding.detail.contains("customers.csv:3, cell 2 <FF> at byte 4"), "{}", finding.detail);
}

#[tokio::test]
async fn rows_of_one_key_conflict_in_every_way_of_writing_it() {
    let folder = Folder::new();
    folder.write("customers.csv", "2025-11-02T00:00:00Z", "id,name\n\"1\",a\n1,b\n2,x\n\"2\",\"x\"\n");
    let (pages, _) = run(&folder.open(undated()), None, ReadMode::Incremental).await.unwrap();
    assert_eq!(keys(&pages[0]), ["2", "2"]);
    assert_eq!(pages[0].rejected.len(), 2);
    // In two files that are not written alike, too.
    let folder = Folder::new();
    folder.write("customers_a.csv", "2025-11-02T00:00:00Z", encoding_rs::SHIFT_JIS.encode("id,name\n青,a\n").0);
    folder.write("customers_b.csv", "2025-11-02T00:00:00Z", "id,name\n青,b\n");
    let (pages, _) = run(&folder.open(undated()), None, ReadMode::Incremental).await.unwrap();
    assert_eq!(pages.iter().map(|page| page.rejected.len()).collect::<Vec<_>>(), [1, 1]);
}
