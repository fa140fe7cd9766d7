use datafusion::arrow::array::{BooleanArray, Decimal128Array, Int64Array, StringArray};
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;
use crate::clock::Timestamp;

fn table() -> Table {
    let mut table = Table::new(vec![
        Column::new("customer_id", Kind::Text),
        Column::new("name", Kind::Text).label("社名"),
        Column::new("mrr", Kind::Decimal(2)).label("MRR"),
        Column::new("seats", Kind::Integer),
        Column::new("active", Kind::Boolean),
        Column::new("since", Kind::Date),
        Column::new("read_at", Kind::Instant),
    ]);
    table.push(vec![
        Cell::Text("c1".into()),
        Cell::Text("株式会社アクメ, \"東京\"".into()),
        Cell::Decimal(120_050),
        Cell::count(1200_u32),
        Cell::Boolean(true),
        Cell::Date(chrono::NaiveDate::from_ymd_opt(2025, 10, 1).unwrap()),
        Cell::Instant(Timestamp::from_micros(1_761_922_799_999_999)),
    ]);
    table.push(vec![
        Cell::Text("c2".into()),
        Cell::Text(String::new()),
        Cell::Null,
        Cell::Null,
        Cell::Null,
        Cell::Null,
        Cell::Null,
    ]);
    table
}

fn printed(table: &Table, format: OutputFormat) -> String {
    let mut out = Vec::new();
    print_table(table, format, false, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn people_see_labels_and_grouped_digits() {
    insta::assert_snapshot!(table().draw(Look::default()).unwrap(), @r#"
    customer_id  社名                         MRR  seats  active  since       read_at
    ───────────  ──────────────────────  ────────  ─────  ──────  ──────────  ───────────────────────────
    c1           株式会社アクメ, "東京"  1,200.50  1,200  true    2025-10-01  2025-10-31T14:59:59.999999Z
    c2
    "#);
}

#[test]
fn json_is_one_array_with_an_object_a_line_and_exact_numbers() {
    let text = printed(&table(), OutputFormat::Json);
    insta::assert_snapshot!(text, @r#"
    [
    {"customer_id":"c1","name":"株式会社アクメ, \"東京\"","mrr":1200.50,"seats":1200,"active":true,"since":"2025-10-01","read_at":"2025-10-31T14:59:59.999999Z"},
    {"customer_id":"c2","name":"","mrr":null,"seats":null,"active":null,"since":null,"read_at":null}
    ]
    "#);
    assert!(serde_json::from_str::<serde_json::Value>(&text).unwrap().is_array());
}

#[test]
fn no_rows_are_an_empty_array_and_a_header_alone() {
    let empty = Table::new(vec![Column::new("a", Kind::Text), Column::new("b", Kind::Integer)]);
    assert_eq!(printed(&empty, OutputFormat::Json), "[]\n");
    assert_eq!(printed(&empty, OutputFormat::Jsonl), "");
    assert_eq!(printed(&empty, OutputFormat::Csv), "a,b\r\n");
    assert_eq!(empty.draw(Look::default()).unwrap(), "a  b\n─  ─\n");
    let mut out = Vec::new();
    print_batches(&[], OutputFormat::Json, false, &mut out).unwrap();
    assert_eq!(out, b"[]\n");
}

#[test]
fn csv_quotes_what_needs_it_and_tells_empty_text_from_no_value() {
    let text = printed(&table(), OutputFormat::Csv);
    assert_eq!(
        text,
        "customer_id,name,mrr,seats,active,since,read_at\r\n\
         c1,\"株式会社アクメ, \"\"東京\"\"\",1200.50,1200,true,2025-10-01,2025-10-31T14:59:59.999999Z\r\n\
         c2,\"\",,,,,\r\n"
    );
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names: Vec<_> = reader.records().map(|record| record.unwrap()[1].to_owned()).collect();
    assert_eq!(names, ["株式会社アクメ, \"東京\"", ""]);
}

#[test]
fn json_lines_hold_one_object_each() {
    let text = printed(&table(), OutputFormat::Jsonl);
    assert_eq!(text.lines().count(), 2);
    for line in text.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).unwrap().is_object());
    }
}

#[test]
fn parquet_gives_back_the_typed_values() {
    let batch = table().to_batch().unwrap();
    let mut out = Vec::new();
    print_batches(std::slice::from_ref(&batch), OutputFormat::Parquet, false, &mut out).unwrap();
    let mut reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(out)).unwrap().build().unwrap();
    assert_eq!(reader.next().unwrap().unwrap(), batch);
    assert!(reader.next().is_none());
}

#[test]
fn a_column_name_that_occurs_twice_gets_a_number() {
    let field = |name: &str| Field::new(name, DataType::Int64, false);
    let schema = Arc::new(Schema::new(vec![field("a"), field("a"), field("a_2"), field("a")]));
    let columns = (1..=4).map(|n| Arc::new(Int64Array::from(vec![n])) as Arc<dyn Array>).collect();
    let batch = RecordBatch::try_new(schema, columns).unwrap();
    let mut out = Vec::new();
    print_batches(std::slice::from_ref(&batch), OutputFormat::Jsonl, false, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "{\"a\":1,\"a_3\":2,\"a_2\":3,\"a_4\":4}\n");
    print_batches(&[batch], OutputFormat::Parquet, false, &mut Vec::new()).unwrap();
}

#[test]
fn several_batches_are_one_answer() {
    let batch = |id: &str, mrr: i128| {
        let schema = Schema::new(vec![
            Field::new("id", DataType::Utf8, false),
            Field::new("mrr", DataType::Decimal128(38, 0), true),
            Field::new("ok", DataType::Boolean, true),
        ]);
        let mrr = Decimal128Array::from(vec![mrr]).with_precision_and_scale(38, 0).unwrap();
        RecordBatch::try_new(
            Arc::new(schema),
            vec![Arc::new(StringArray::from(vec![id])), Arc::new(mrr), Arc::new(BooleanArray::from(vec![None]))],
        )
        .unwrap()
    };
    let mut out = Vec::new();
    print_batches(&[batch("a", 1_000), batch("b", -2_000_000)], OutputFormat::Table, false, &mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
    id         mrr  ok
    ──  ──────────  ──
    a        1,000
    b   -2,000,000
    ");
    let mut out = Vec::new();
    print_batches(&[batch("a", 1), batch("b", 2)], OutputFormat::Json, false, &mut out).unwrap();
    let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(read.as_array().map(Vec::len), Some(2));
}

#[test]
fn a_value_of_the_wrong_kind_and_a_short_row_are_refused() {
    let mut table = Table::new(vec![Column::new("a", Kind::Integer)]);
    table.push(vec![Cell::Text("x".into())]);
    assert_eq!(table.to_batch().unwrap_err().kind(), ErrorKind::Internal);
    table.rows = vec![vec![]];
    assert_eq!(table.draw(Look::default()).unwrap_err().kind(), ErrorKind::Internal);
}

/// A reader that went away, or a full disk.
struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_went_away_is_no_error_but_a_full_disk_is() {
    let print = |kind| print_table(&table(), OutputFormat::Csv, false, &mut Broken(kind));
    assert!(print(io::ErrorKind::BrokenPipe).is_ok());
    assert_eq!(print(io::ErrorKind::StorageFull).unwrap_err().kind(), ErrorKind::Storage);
}
