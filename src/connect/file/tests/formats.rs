//! Workbooks, Parquet and the other formats, through the connector.

use std::io::Write;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::parquet::arrow::ArrowWriter;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

/// A workbook with these sheets; each is its name, its rows as XML, and what follows them.
fn workbook(sheets: &[(&str, &str, &str)]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut write = |name: &str, text: String| {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{text}").as_bytes()).unwrap();
    };
    let each = |of: &dyn Fn(usize) -> String| (1..=sheets.len()).map(of).collect::<String>();
    write(
        "[Content_Types].xml",
        format!(
            "<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>"
        ),
    );
    write(
        "_rels/.rels",
        format!(
            "<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"r\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        ),
    );
    let listed = each(&|n| format!("<sheet name=\"{}\" sheetId=\"{n}\" r:id=\"r{n}\"/>", sheets[n - 1].0));
    write(
        "xl/workbook.xml",
        format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>{listed}</sheets></workbook>"),
    );
    let related = each(&|n| {
        format!("<Relationship Id=\"r{n}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet{n}.xml\"/>")
    });
    write(
        "xl/_rels/workbook.xml.rels",
        format!("<Relationships xmlns=\"{PACKAGE}/relationships\">{related}</Relationships>"),
    );
    // Style 1 is a date, style 2 a duration.
    write(
        "xl/styles.xml",
        format!(
            "<styleSheet xmlns=\"{MAIN}\"><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"46\"/></cellXfs></styleSheet>"
        ),
    );
    for (number, (_, rows, after)) in sheets.iter().enumerate() {
        write(
            &format!("xl/worksheets/sheet{}.xml", number + 1),
            format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData>{after}</worksheet>"),
        );
    }
    archive.finish().unwrap().into_inner()
}

/// A row of texts and, behind `=`, of cells as XML.
fn row(number: u32, cells: &[&str]) -> String {
    let cell = |(at, cell): (usize, &&str)| {
        let place = format!("{}{number}", char::from(b'A' + u8::try_from(at).unwrap()));
        match (cell.strip_prefix('='), cell.is_empty()) {
            (_, true) => String::new(),
            (Some(xml), _) => xml.replace("<c", &format!("<c r=\"{place}\"")),
            (None, _) => format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{cell}</t></is></c>"),
        }
    };
    format!("<row r=\"{number}\">{}</row>", cells.iter().enumerate().map(cell).collect::<String>())
}

fn values(page: &Page, row: usize) -> Vec<&str> {
    (0..page.records.fields().len()).map(|field| page.records.value(row, field).unwrap_or("-")).collect()
}

#[tokio::test]
async fn a_sheet_is_read_with_the_text_that_people_see() {
    let folder = Folder::new();
    let rows = [
        row(1, &["顧客一覧"]),
        row(3, &["顧客コード", "売上", "", "契約日", "時間", "有効"]),
        row(4, &["", "4月", "5月"]),
        row(
            5,
            &[
                "C1",
                "=<c><v>1200</v></c>",
                "=<c><v>0.1</v></c>",
                "=<c s=\"1\"><v>45931</v></c>",
                "=<c s=\"2\"><v>1.5</v></c>",
                "=<c t=\"b\"><v>1</v></c>",
            ],
        ),
        row(6, &["C2", "=<c t=\"e\"><v>#N/A</v></c>", "=<c><f>B5*2</f><v>2400</v></c>"]),
        row(8, &["C3", "=<c><f>B5*2</f><v>2400</v></c>"]),
    ];
    let merged = "<mergeCells count=\"2\"><mergeCell ref=\"B3:C3\"/><mergeCell ref=\"A3:A4\"/></mergeCells>";
    let book = workbook(&[("表紙", &row(1, &["x"]), ""), ("顧客", &rows.concat(), merged)]);
    folder.write("book_202510.xlsx", "2025-11-02T00:00:00Z", &book);
    let config = json!({
        "files": "book_{yyyymm}.xlsx", "key": ["顧客コード"], "sheet": "顧客", "skip_rows": 2, "header_rows": 2
    });
    let source = folder.open(config.clone());
    let (pages, _) = run(&source, None, ReadMode::Incremental).await.unwrap();
    assert_eq!(pages[0].records.fields().as_ref(), ["顧客コード", "売上/4月", "売上/5月", "契約日", "時間", "有効"]);
    assert_eq!(values(&pages[0], 0), ["C1", "1200", "0.1", "2025-10-01", "36:00:00", "true"]);
    assert_eq!(values(&pages[0], 1), ["C3", "2400", "-", "-", "-", "-"]);
    assert_eq!(pages[0].records.heads()[1].place, "book_202510.xlsx:顧客!8");
    let rejected = &pages[0].rejected[0];
    assert_eq!(
        (rejected.place.as_str(), rejected.reason.as_str(), rejected.raw.as_str()),
        ("book_202510.xlsx:顧客!B6", "an error cell: #N/A", "C2,#N/A,2400")
    );
    assert_eq!(pages[0].source_total, Some(3));
    // By number, and another one that is not there.
    for (sheet, is_there) in [(json!(2), true), (json!("受注"), false)] {
        let mut config = config.clone();
        config["sheet"] = sheet;
        let read = run(&folder.open(config), None, ReadMode::Incremental).await;
        assert_eq!(read.is_ok(), is_there);
    }
    // Spreadsheets leave a file beside an open workbook.
    folder.write("~$book_202511.xlsx", "2025-11-02T00:00:00Z", "x");
    let mut any = config;
    any["files"] = "*.xlsx".into();
    assert_eq!(folder.open(any).inner.store.names().unwrap(), ["book_202510.xlsx"]);
}

#[tokio::test]
async fn a_workbook_that_is_none_is_told_with_what_it_is() {
    let folder = Folder::new();
    let config = json!({ "files": "book.xls", "key": ["id"] });
    for (content, help) in [("<html><table>", "web page"), ("id,name\n1,a\n", "format: csv")] {
        folder.write("book.xls", "2025-11-02T00:00:00Z", content);
        let error = run(&folder.open(config.clone()), None, ReadMode::Incremental).await.unwrap_err();
        assert_eq!(error.message(), "the workbook cannot be read");
        assert!(error.help_text().unwrap().contains(help), "{}", error.render());
    }
    // Said to be what it is, it is read.
    let said = json!({ "files": "book.xls", "key": ["id"], "format": "csv" });
    assert_eq!(run(&folder.open(said), None, ReadMode::Incremental).await.unwrap().0[0].records.len(), 1);
}

#[tokio::test]
async fn parquet_gives_the_exact_text_of_every_type() {
    let folder = Folder::new();
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(2), None]), None]);
    let columns: [(&str, ArrayRef); 9] = [
        ("id", Arc::new(Int64Array::from(vec![1, 2]))),
        ("name", Arc::new(StringArray::from(vec![Some("青葉"), Some("")]))),
        ("mrr", Arc::new(Decimal128Array::from(vec![120_050, -5]).with_precision_and_scale(20, 2).unwrap())),
        ("rate", Arc::new(Float64Array::from(vec![1.0, 1e21]))),
        ("ok", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("day", Arc::new(Date32Array::from(vec![20_362, 0]))),
        ("at", Arc::new(TimestampMicrosecondArray::from(vec![1_759_276_800_000_000, 1]).with_timezone("UTC"))),
        ("local", Arc::new(TimestampMicrosecondArray::from(vec![Some(1_759_276_800_000_000), None]))),
        ("list", Arc::new(lists)),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    folder.write("customers.parquet", "2025-11-02T00:00:00Z", &bytes);
    let config = json!({ "files": "customers.parquet", "key": ["id"] });
    let (pages, _) = run(&folder.open(config.clone()), None, ReadMode::Incremental).await.unwrap();
    assert_eq!(
        values(&pages[0], 0),
        ["1", "青葉", "1200.50", "1", "true", "2025-10-01", "2025-10-01T00:00:00Z", "2025-10-01T00:00:00", "[2,null]"]
    );
    assert_eq!(
        values(&pages[0], 1),
        ["2", "-", "-0.05", "1000000000000000000000", "-", "1970-01-01", "1970-01-01T00:00:00.000001Z", "-", "-"]
    );
    assert_eq!(pages[0].records.heads()[1].place, "customers.parquet:2");
    folder.write("customers.parquet", "2025-11-03T00:00:00Z", "id,name\n");
    let error = run(&folder.open(config), None, ReadMode::Incremental).await.unwrap_err();
    assert_eq!(error.message(), "the file cannot be read as Parquet");
}

#[tokio::test]
async fn json_lines_fixed_places_and_tabs_are_read_by_what_the_settings_say() {
    let folder = Folder::new();
    folder.write("a.jsonl", "2025-11-02T00:00:00Z", "{\"id\":\"1\",\"mrr\":1.10}\n{\"id\":\"2\",\"note\":\"x\"}\n");
    folder.write("b.tsv", "2025-11-02T00:00:00Z", "id\tname\n1\ta,b\n");
    let bytes = encoding_rs::SHIFT_JIS.encode("ｺｰﾄﾞ名前  \r\n0001青葉  \r\n0002桜    \r\n").0;
    folder.write("c.txt", "2025-11-02T00:00:00Z", bytes);
    let fixed = json!([{ "name": "id", "width": 4 }, { "name": "name", "width": 6 }]);
    for (stream, wanted) in [
        (json!({ "files": "a.jsonl", "key": ["id"] }), vec![vec!["1", "1.10", "-"], vec!["2", "-", "x"]]),
        (json!({ "files": "b.tsv", "key": ["id"] }), vec![vec!["1", "a,b"]]),
        (
            json!({ "files": "c.txt", "key": ["id"], "columns": fixed, "encoding": "cp932", "skip_rows": 1 }),
            vec![vec!["0001", "青葉"], vec!["0002", "桜"]],
        ),
    ] {
        let (pages, _) = run(&folder.open(stream), None, ReadMode::Incremental).await.unwrap();
        let found: Vec<Vec<&str>> = (0..pages[0].records.len()).map(|row| values(&pages[0], row)).collect();
        assert_eq!(found, wanted);
    }
}
