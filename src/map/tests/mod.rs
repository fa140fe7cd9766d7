//! Mappings as people write them: what they are told, and what becomes of their records.

mod derives;
mod expressions;
mod laws;
mod mistakes;
mod problems;
mod readings;
mod records;

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use datafusion::arrow::datatypes::{DataType, Field as ArrowField, Schema};
use serde_json::json;

use super::*;
use crate::clock::Timestamp;
use crate::config::{Document, Problem, render, yaml};
use crate::record::{Field, FieldClass, StreamId};
use crate::schema::VariableConfig;
use crate::schema::types::format_cell;

/// The fields of the stream that the tests map.
pub(super) const FIELDS: &[&str] = &[
    "Name",
    "Website",
    "MRR__c",
    "mrr__C",
    "Stage__c",
    "IsPersonAccount",
    "StartDate__c",
    "EndDate__c",
    "Seats__c",
    "OwnerId",
    "email",
    "売上",
    "売上(円)",
    "フェーズ",
    "a.b",
    "$id",
    "備考 欄",
    "say \"hi\"",
];

pub(super) fn stream() -> StreamId {
    StreamId::new("salesforce", "Account")
}

pub(super) fn fields() -> Vec<Field> {
    let field = |name: &str, class, label: Option<&str>| Field {
        label: label.map(str::to_owned),
        ..Field::plain(name, "text", class)
    };
    let mut fields: Vec<Field> = FIELDS
        .iter()
        .map(|name| field(name, FieldClass::Business, (*name == "StartDate__c").then_some("契約開始日")))
        .collect();
    fields.push(field("LastModifiedDate", FieldClass::Bookkeeping, None));
    fields.push(field("DaysLeft__c", FieldClass::Ticking, None));
    fields
}

pub(super) fn variables() -> Vec<VariableConfig> {
    let all = json!([
        { "name": "name", "type": "text" },
        { "name": "domain", "type": "text" },
        { "name": "mrr", "type": "money" },
        { "name": "stage", "type": "enum", "values": ["onboarding", "adoption", "expansion"] },
        { "name": "seats", "type": "integer" },
        { "name": "score", "type": "decimal" },
        { "name": "active", "type": "boolean" },
        { "name": "start_date", "type": "date" },
        { "name": "seen_at", "type": "datetime" },
        { "name": "owner", "type": "ref", "entity": "contact" },
        { "name": "size", "type": "text", "derive": "CASE WHEN seats > 100 THEN 'large' ELSE 'small' END" },
    ]);
    serde_json::from_value(all).unwrap()
}

pub(super) fn settings() -> Settings {
    let rows = "コード,名称,分類\n01,製造,大\n02,小売,小\n";
    let industries = lookup::Table::parse("industries", "lookups/industries.csv", rows).unwrap();
    let plans =
        lookup::Table::parse("plans", "lookups/plans.csv", "plan,price\nライト,\"50,000\"\nプロ,120000\n").unwrap();
    Settings { lookups: Arc::new(Lookups::of([industries, plans])), ..Settings::default() }
}

/// The end of October 2025 in Tokyo.
pub(super) fn october() -> Timestamp {
    "2025-10-31T23:59:59.999999+09:00".parse().unwrap()
}

fn mapping_document(body: &str) -> (MappingConfig, Document) {
    let text = format!("source: salesforce\nstream: Account\nentity: customer\n{body}");
    let parsed = yaml::parse("mappings/salesforce/Account.yaml", &text);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    (serde_json::from_value(parsed.value.unwrap()).unwrap(), parsed.doc)
}

pub(super) fn compiled(body: &str) -> Result<CompiledMapping, Vec<Problem>> {
    let (mapping, document) = mapping_document(body);
    let (stream, fields) = (stream(), fields());
    compile(&mapping, &document, &StreamFields { stream: &stream, fields: &fields }, &variables(), &settings())
}

/// What people are told about a mapping.
pub(super) fn told(body: &str) -> String {
    match compiled(body) {
        Ok(_) => "no problems".to_owned(),
        Err(problems) => render(&problems, false),
    }
}

/// A batch of one text column per field; what a row does not say is null.
pub(super) fn batch(rows: &[&[(&str, &str)]]) -> RecordBatch {
    let value =
        |row: &&[(&str, &str)], name: &str| row.iter().find(|(field, _)| *field == name).map(|(_, v)| (*v).to_owned());
    let columns = FIELDS
        .iter()
        .map(|name| Arc::new(rows.iter().map(|row| value(row, name)).collect::<StringArray>()) as ArrayRef)
        .collect();
    let schema = FIELDS.iter().map(|name| ArrowField::new(*name, DataType::Utf8, true)).collect::<Vec<_>>();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(schema)), columns, &options).unwrap()
}

/// What becomes of records: a line per record with its variables, then a line per held value.
pub(super) fn shown(mapping: &CompiledMapping, batch: &RecordBatch) -> String {
    let mapped = run(mapping, batch, october()).unwrap();
    let mut text = String::new();
    for row in 0..batch.num_rows() {
        if !mapped.in_scope.value(row) {
            text.push_str("out of scope\n");
            continue;
        }
        let named = mapping.variables.iter().map(|variable| variable.name.as_str()).zip(&mapped.columns);
        let effective = [("from", &mapped.effective_from), ("to", &mapped.effective_to)];
        let effective = effective.into_iter().filter_map(|(name, column)| Some((name, column.as_ref()?)));
        let cells = named
            .chain(effective)
            .map(|(name, column)| format!("{name}={}", format_cell(column, row).unwrap_or_else(|| "·".to_owned())));
        text.push_str(&cells.collect::<Vec<_>>().join(" "));
        text.push('\n');
    }
    for held in &mapped.held {
        text.push_str(&format!(
            "held: row {}, {} from {} `{}`: {} ({})\n",
            held.row, held.variable, held.field, held.raw, held.reason_code, held.place
        ));
    }
    text
}

/// What becomes of records under a mapping that must compile.
pub(super) fn mapped(body: &str, rows: &[&[(&str, &str)]]) -> String {
    match compiled(body) {
        Ok(mapping) => shown(&mapping, &batch(rows)),
        Err(problems) => panic!("{}", render(&problems, false)),
    }
}

/// The value of one expression for one record, as text of `kind`; held values with their reason code.
pub(super) fn value(variable: &str, expr: &str, row: &[(&str, &str)]) -> String {
    let body = format!("variables:\n  {variable}: |\n    {expr}\n");
    let mapping = match compiled(&body) {
        Ok(mapping) => mapping,
        Err(problems) => return render(&problems, false),
    };
    let mapped = run(&mapping, &batch(&[row]), october()).unwrap();
    match mapped.held.first() {
        Some(held) => format!("held: {}", held.reason_code),
        None => format_cell(&mapped.columns[0], 0).unwrap_or_else(|| "null".to_owned()),
    }
}
