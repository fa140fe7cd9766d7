//! States to compare, written as a person would tell them. Only for tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray, UInt8Array};

use crate::clock::Timestamp;
use crate::record::StreamId;
use crate::schema::{Aggregate, Label, VariableConfig, VariableType};
use crate::snapshot::{Cell, Coverage, State, StreamCoverage};

/// A cell: what is known, the text of its value, and the stream it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CellFixture {
    pub(crate) cell: Cell,
    pub(crate) value: String,
    pub(crate) stream: &'static str,
}

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowFixture {
    pub(crate) id: String,
    pub(crate) coverage: Coverage,
    /// A cell for each of [`variables`]; what is left out is empty.
    pub(crate) cells: Vec<CellFixture>,
}

/// `name`, `mrr` (yen), `seats` (whole number), `plan` (an enum), `health` (percent, averaged).
pub(crate) fn variables() -> Vec<VariableConfig> {
    let variable = |name: &str, r#type, aggregate, values: &[&str]| VariableConfig {
        name: name.into(),
        label: Label::default(),
        description: None,
        r#type,
        from: vec![],
        derive: None,
        values: values.iter().map(|value| value.to_string()).collect(),
        value_labels: Default::default(),
        read_as: Default::default(),
        currency: (r#type == VariableType::Money).then(|| "JPY".into()),
        scale: None,
        entity: None,
        aggregate,
        better: None,
    };
    vec![
        variable("name", VariableType::Text, None, &[]),
        variable("mrr", VariableType::Money, None, &[]),
        variable("seats", VariableType::Integer, None, &[]),
        variable("plan", VariableType::Enum, None, &["light", "standard", "premium"]),
        variable("health", VariableType::Percent, Some(Aggregate::Avg), &[]),
    ]
}

/// A known value from `sf/Account`; empty text is an empty cell, `?reason` an unknown one.
pub(crate) fn cell(text: &str) -> CellFixture {
    let unknown = |cell| CellFixture { cell, value: String::new(), stream: "" };
    match text {
        "" => unknown(Cell::Empty),
        "?held" => unknown(Cell::Held),
        "?not_read" => unknown(Cell::NotRead),
        "?not_offered" => unknown(Cell::NotOffered),
        value => CellFixture { cell: Cell::Value, value: value.into(), stream: "sf/Account" },
    }
}

/// An observed customer with these cells, see [`cell`].
pub(crate) fn row(id: &str, cells: &[&str]) -> RowFixture {
    RowFixture { id: id.into(), coverage: Coverage::Observed, cells: cells.iter().map(|text| cell(text)).collect() }
}

/// A stream of customers that was read completely, or never.
pub(crate) fn stream(name: &str, read: bool) -> StreamCoverage {
    let (source, stream) = name.split_once('/').unwrap();
    let at = read.then_some(Timestamp::from_micros(1_761_922_800_000_000));
    StreamCoverage {
        stream: StreamId::new(source, stream),
        entity: "customer".into(),
        complete_through: at,
        verified_through: at,
        deletes_through: at,
        gone_around: 0,
        first_complete_at: at,
    }
}

/// A settled state with these customers, in any order.
pub(crate) fn state(at: &str, mut rows: Vec<RowFixture>, streams: Vec<StreamCoverage>) -> State {
    rows.sort_by(|x, y| x.id.cmp(&y.id));
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.id)));
    let coverage: ArrayRef = Arc::new(UInt8Array::from_iter_values(rows.iter().map(|row| row.coverage as u8)));
    let mut columns = vec![("customer_id".to_owned(), ids), ("_coverage".to_owned(), coverage)];
    for (index, variable) in variables().iter().enumerate() {
        let cells: Vec<CellFixture> =
            rows.iter().map(|row| row.cells.get(index).cloned().unwrap_or_else(|| cell(""))).collect();
        let values = cells.iter().map(|cell| (cell.cell == Cell::Value).then_some(cell.value.as_str()));
        let number = |text: &str| text.parse::<i128>().unwrap();
        let values: ArrayRef = match variable.r#type {
            VariableType::Money => Arc::new(
                values
                    .map(|text| text.map(number))
                    .collect::<Decimal128Array>()
                    .with_precision_and_scale(38, 0)
                    .unwrap(),
            ),
            VariableType::Percent => Arc::new(
                values
                    .map(|text| text.map(|text| number(text) * 10_i128.pow(10)))
                    .collect::<Decimal128Array>()
                    .with_precision_and_scale(38, 10)
                    .unwrap(),
            ),
            VariableType::Integer => {
                Arc::new(values.map(|text| text.map(|text| text.parse().unwrap())).collect::<Int64Array>())
            }
            _ => Arc::new(values.collect::<StringArray>()),
        };
        let codes = UInt8Array::from_iter_values(cells.iter().map(|cell| cell.cell as u8));
        let sources = cells
            .iter()
            .zip(&rows)
            .map(|(cell, row)| (cell.cell == Cell::Value).then(|| format!("{}#{}", cell.stream, row.id)));
        columns.push((variable.name.clone(), values));
        columns.push((format!("{}$cell", variable.name), Arc::new(codes)));
        columns.push((format!("{}$source", variable.name), Arc::new(sources.collect::<StringArray>())));
    }
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    State {
        at: at.parse().unwrap(),
        known_at: None,
        settled: true,
        provisional_because: vec![],
        streams,
        entities: BTreeMap::from([("customer".to_owned(), batch)]),
    }
}

/// A small story: one customer of each fate.
pub(crate) fn story() -> (State, State) {
    let a = vec![
        row("c01", &["株式会社アクメ", "100000", "20", "standard", "80"]),
        row("c02", &["みどり食品", "50000", "10", "light", "60"]),
        row("c03", &["北斗電機", "30000", "6", "light", ""]),
        row("c04", &["Kanda Labs", "20000", "4", "light", "40"]),
        row("c05", &["さくら物流", "40000", "8", "standard", "?not_offered"]),
        row("c06", &["東都保険", "60000", "12", "premium", "70"]),
        RowFixture { coverage: Coverage::Unknown, ..row("c08", &["?not_read"; 5]) },
        row("c10", &["無料株式会社", "5000", "1", "light", "10"]),
    ];
    let mut moved = row("c06", &["東都保険", "66000", "12", "premium", "75"]);
    moved.cells[1].stream = "core/customers";
    let b = vec![
        row("c01", &["株式会社アクメ", "100000", "20", "standard", "80"]),
        row("c02", &["みどり食品", "65000", "14", "standard", "65"]),
        row("c03", &["北斗電機", "25000", "6", "light", "50"]),
        row("c05", &["さくら物流", "?held", "8", "standard", "?not_offered"]),
        moved,
        row("c07", &["新星サービス", "40000", "9", "standard", "90"]),
        row("c08", &["八重洲商事", "12000", "2", "light", ""]),
        row("c10", &["無料株式会社", "0", "1", "light", "10"]),
    ];
    let streams = || vec![stream("sf/Account", true), stream("core/customers", true)];
    (state("2025-10-31T14:59:59.999999Z", a, streams()), state("2026-10-31T14:59:59.999999Z", b, streams()))
}
