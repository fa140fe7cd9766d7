//! What holds for every batch.

use proptest::prelude::*;

use super::*;

const BODY: &str = "\
variables:
  name: normalize(Name)
  mrr: { from: MRR__c, on_error: { default: '7' } }
  domain: CASE WHEN Website = '-' THEN 'none' ELSE text(decimal(Website)) END
  stage: { from: Stage__c, values: { 導入: onboarding } }
  seats: coalesce(integer(Seats__c), 0) + 1
  score: decimal(MRR__c) * decimal(Seats__c) / decimal(Website)
  active: Website = '-' OR decimal(MRR__c) > 1
  start_date: StartDate__c
where: decimal(Seats__c) > 0 OR Name <> 'x'
effective: { from: StartDate__c }
";

/// Values that convert, do not, are blank, are null, or are too large to multiply.
fn cell() -> impl Strategy<Value = Option<String>> {
    let words = [
        "1",
        "0",
        "-",
        "x",
        "",
        " 2 ",
        "１，２００",
        "99999999999999999999",
        "導入",
        "adoption",
        "2025-10-01",
        "R7.2.30",
    ];
    proptest::option::weighted(0.9, proptest::sample::select(words.to_vec()).prop_map(str::to_owned))
}

const USED: [&str; 6] = ["Name", "MRR__c", "Website", "Stage__c", "Seats__c", "StartDate__c"];

fn table() -> impl Strategy<Value = Vec<Vec<Option<String>>>> {
    proptest::collection::vec(proptest::collection::vec(cell(), USED.len()), 0..24)
}

fn as_batch(rows: &[Vec<Option<String>>]) -> RecordBatch {
    let rows: Vec<Vec<(&str, &str)>> = rows
        .iter()
        .map(|row| USED.iter().zip(row).filter_map(|(name, cell)| Some((*name, cell.as_deref()?))).collect())
        .collect();
    let rows: Vec<&[(&str, &str)]> = rows.iter().map(Vec::as_slice).collect();
    batch(&rows)
}

/// One line per row, with its cells and what is held of it.
fn lines(mapping: &CompiledMapping, rows: &[Vec<Option<String>>]) -> Vec<String> {
    let mapped = run(mapping, &as_batch(rows), october()).unwrap();
    let line = |row: usize| {
        let columns = mapped.columns.iter().chain(&mapped.effective_from);
        let cells: Vec<_> = columns.map(|column| format_cell(column, row)).collect();
        let held: Vec<_> = mapped
            .held
            .iter()
            .filter(|held| held.row == row)
            .map(|held| (&held.variable, &held.raw, held.reason_code, &held.reason))
            .collect();
        format!("{} {cells:?} {held:?}", mapped.in_scope.value(row))
    };
    (0..rows.len()).map(line).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_batch_gives_what_its_rows_give_one_by_one(rows in table()) {
        let mapping = compiled(BODY).unwrap();
        let one_by_one: Vec<String> = rows.iter().flat_map(|row| lines(&mapping, std::slice::from_ref(row))).collect();
        prop_assert_eq!(lines(&mapping, &rows), one_by_one);
    }

    #[test]
    fn another_order_of_rows_gives_the_same_rows_in_that_order(rows in table(), seed in any::<usize>()) {
        let mapping = compiled(BODY).unwrap();
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|row| row.wrapping_mul(2_654_435_761).wrapping_add(seed) % 101);
        let moved: Vec<_> = order.iter().map(|row| rows[*row].clone()).collect();
        let lines_before = lines(&mapping, &rows);
        let expected: Vec<String> = order.iter().map(|row| lines_before[*row].clone()).collect();
        prop_assert_eq!(lines(&mapping, &moved), expected);
    }

    #[test]
    fn any_text_as_an_expression_gives_a_mapping_or_problems_with_places(text in "[a-zA-Z0-9_.$'\"(),+*/<>= 売（）-]{0,30}") {
        let (stream, fields) = (stream(), fields());
        let mapping: MappingConfig = serde_json::from_value(serde_json::json!({
            "source": "salesforce", "stream": "Account", "entity": "customer", "variables": { "name": text },
        })).unwrap();
        let parsed = yaml::parse("m.yaml", "variables:\n  name: x\n");
        let offered = StreamFields { stream: &stream, fields: &fields };
        match compile(&mapping, &parsed.doc, &offered, &variables(), &settings()) {
            Ok(mapping) => { run(&mapping, &batch(&[&[("Name", "a")]]), october()).unwrap(); }
            Err(problems) => prop_assert!(!problems.is_empty() && problems.iter().all(|problem| problem.place.line == 2)),
        }
    }
}
