//! One page of a bulk job's result, from CSV into columns.
//!
//! The same record gives the same values and the same hash as by REST (semantics B7).

use csv::{ReaderBuilder, StringRecord};

use super::plan::Plan;
use super::rows::Rows;
use crate::connect::canonical;
use crate::record::Records;

/// Reads a page; a row without an id has an empty key. Salesforce heads every page with the names of the columns; a page without them is read in the order
/// that was asked for.
///
/// # Errors
///
/// What is wrong with it, without a value: bytes that are not UTF-8, a cell that never ends, a line with another
/// number of cells, a column that is missing.
pub(super) fn parse(body: &[u8], plan: &Plan) -> Result<Records, String> {
    if body.iter().filter(|byte| **byte == b'"').count() % 2 != 0 {
        return Err("a quoted cell that never ends".into());
    }
    let mut rows = Rows::new(plan, 2_000);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body);
    let mut record = StringRecord::new();
    let mut columns: Option<Vec<Option<usize>>> = None;
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => return Err(format!("what is not CSV, {}", place(&error))),
        }
        let Some(columns) = &columns else {
            let head = header(&record, plan)?;
            let is_header = head.is_some();
            let columns = columns.insert(head.unwrap_or_else(|| (0..plan.names.len()).map(Some).collect()));
            if !is_header {
                fill(&mut rows, &record, columns)?;
            }
            continue;
        };
        fill(&mut rows, &record, columns)?;
    }
    Ok(rows.finish().0)
}

/// For each cell the column that it belongs to, when `record` names columns and not values.
fn header(record: &StringRecord, plan: &Plan) -> Result<Option<Vec<Option<usize>>>, String> {
    let columns: Vec<Option<usize>> = record.iter().enumerate().map(|(at, name)| plan.place(name, at)).collect();
    if columns.iter().all(Option::is_none) {
        return Ok(None);
    }
    match (0..plan.names.len()).find(|column| !columns.contains(&Some(*column))) {
        Some(missing) => Err(format!("no column `{}`", plan.names[missing])),
        None => Ok(Some(columns)),
    }
}

fn fill(rows: &mut Rows<'_>, record: &StringRecord, columns: &[Option<usize>]) -> Result<(), String> {
    if record.len() != columns.len() {
        let line = record.position().map_or(0, csv::Position::line);
        return Err(format!("{} cells in place of {}, in line {line}", record.len(), columns.len()));
    }
    for (cell, column) in record.iter().zip(columns) {
        let Some(column) = *column else { continue };
        if rows.plan.is_text[column] || !is_number(cell) {
            rows.set(column, Some(cell));
        } else {
            rows.set(column, Some(&canonical::number(cell)));
        }
    }
    rows.finish_row();
    Ok(())
}

/// Whether a cell of a column that holds numbers does, in the form of a JSON number.
fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    digits.as_bytes().first().is_some_and(u8::is_ascii_digit)
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
}

fn place(error: &csv::Error) -> String {
    error.position().map_or_else(|| "somewhere".to_owned(), |at| format!("in line {}", at.line()))
}

#[cfg(test)]
mod tests {
    use super::super::page;
    use super::super::plan::tests::plan_of;
    use super::*;

    const FIELDS: [(&str, &str); 7] = [
        ("Id", "id"),
        ("Name", "string"),
        ("Amount", "currency"),
        ("Open", "boolean"),
        ("Due", "datetime"),
        ("Code", "string"),
        ("SystemModstamp", "datetime"),
    ];
    const HEADER: &str = "\"Id\",\"Name\",\"Amount\",\"Open\",\"Due\",\"Code\",\"SystemModstamp\"\n";

    fn values(records: &Records) -> Vec<Vec<Option<String>>> {
        let row = |row| (0..FIELDS.len()).map(|column| records.value(row, column).map(str::to_owned)).collect();
        (0..records.len()).map(row).collect()
    }

    #[test]
    fn b7_the_same_record_has_the_same_values_and_head_by_either_interface() {
        let plan = plan_of(&FIELDS);
        let json = r#"{"totalSize":2,"done":true,"records":[
            {"attributes":{"type":"A","url":"/x"},"Id":"001A","Name":"株式会社\"青空\",\n🌳","Amount":9.9213206E7,"Open":false,
             "Due":"2026-01-01T00:00:00.000+0000","Code":"1.0E8","SystemModstamp":"2026-02-01T09:30:15.000+0000"},
            {"attributes":{"type":"A","url":"/x"},"Id":"001B","Name":"","Amount":null,"Open":true,
             "Due":null,"Code":"N/A","SystemModstamp":"2026-02-01T09:30:16.000+0000"}]}"#;
        let rows = "\"001A\",\"株式会社\"\"青空\"\",\n🌳\",\"99213206.00\",\"false\",\"2026-01-01T00:00:00.000Z\",\"1.0E8\",\"2026-02-01T09:30:15.000Z\"\n\
                    \"001B\",\"\",\"\",\"true\",\"\",\"N/A\",\"2026-02-01T09:30:16.000Z\"\n";
        let by_rest = page::parse(json.as_bytes(), &plan).unwrap();
        for csv in [
            format!("{HEADER}{rows}"),
            rows.to_owned(),
            format!("{HEADER}{rows}").replace('\n', "\r\n").replace(",\r\n", ",\n"),
        ] {
            let by_bulk = parse(csv.as_bytes(), &plan).unwrap();
            assert_eq!(values(&by_bulk), values(&by_rest.records), "{csv}");
            assert_eq!(by_bulk.heads(), by_rest.records.heads());
        }
    }

    #[test]
    fn lesson_16_to_18_text_stays_as_it_is_and_only_an_empty_cell_is_null() {
        let plan = plan_of(&[("Id", "id"), ("Name", "string"), ("Seats", "double")]);
        let cells = ["N/A", "None", "null", "NaN", "01234", "1.0", "=1+1", "a\u{0}b", " "];
        let lines: String = cells.iter().map(|cell| format!("\"i\",\"{cell}\",\"N/A\"\n")).collect();
        let page = parse(format!("\"Id\",\"Name\",\"Seats\"\n{lines}\"i\",\"\",\"\"\n").as_bytes(), &plan).unwrap();
        for (row, cell) in cells.iter().enumerate() {
            assert_eq!((page.value(row, 1), page.value(row, 2)), (Some(*cell), Some("N/A")));
        }
        assert_eq!((page.value(cells.len(), 1), page.value(cells.len(), 2)), (None, None));
    }

    #[test]
    fn columns_are_found_in_any_order_and_strangers_are_skipped() {
        let plan = plan_of(&[("Id", "id"), ("Name", "string")]);
        let page = parse(b"\"NAME\",\"Other\",\"Id\"\n\"n\",\"x\",\"i\"\n", &plan).unwrap();
        assert_eq!([0, 1].map(|column| page.value(0, column)), [Some("i"), Some("n")]);
        for nothing in ["", "\"Id\",\"Name\"\n"] {
            assert_eq!(parse(nothing.as_bytes(), &plan).unwrap().len(), 0);
        }
    }

    #[test]
    fn a_page_that_is_cut_or_not_csv_is_refused() {
        let plan = plan_of(&[("Id", "id"), ("Name", "string")]);
        for body in [
            &b"\"Id\",\"Name\"\n\"i\",\"n"[..],
            b"\"Id\",\"Name\"\n\"i\"\n",
            b"\"Id\"\n\"i\"\n",
            b"\"Id\",\"Name\"\n\"i\",\"\xff\"\n",
            b"\"Id\",\"Name\"\n\"i\",\"n\",\"m\"\n",
        ] {
            let told = parse(body, &plan).unwrap_err();
            assert!(!told.contains("\"i\""), "{told}");
        }
    }
}
