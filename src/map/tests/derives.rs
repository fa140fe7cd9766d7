//! Variables derived from variables.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use insta::assert_snapshot;
use serde_json::json;

use super::{october, settings};
use crate::config::{Document, render, yaml};
use crate::map::{CompiledDerive, DeriveInput, compile_derives, run_derive};
use crate::schema::VariableConfig;
use crate::schema::types::format_cell;

fn files(texts: &[&str]) -> Vec<(VariableConfig, Document)> {
    let file = |text: &&str| {
        let name = text.lines().next().unwrap().trim_start_matches("name: ");
        let parsed = yaml::parse(&format!("schemas/variables/{name}.yaml"), text);
        (serde_json::from_value(parsed.value.unwrap()).unwrap(), parsed.doc)
    };
    texts.iter().map(file).collect()
}

fn compiled(texts: &[&str]) -> Result<Vec<CompiledDerive>, String> {
    let builtin = json!([
        { "name": "mrr", "type": "money" },
        { "name": "seats", "type": "integer" },
        { "name": "plan", "type": "text" },
        { "name": "end_date", "type": "date" },
    ]);
    let mut variables: Vec<VariableConfig> = serde_json::from_value(builtin).unwrap();
    let files = files(texts);
    variables.extend(files.iter().map(|(variable, _)| variable.clone()));
    let inputs: Vec<DeriveInput<'_>> =
        files.iter().map(|(variable, document)| DeriveInput { variable, places: document, pointer: "" }).collect();
    compile_derives("customer", &variables, &inputs, &settings()).map_err(|problems| render(&problems, false))
}

fn rows() -> RecordBatch {
    let mrr = Decimal128Array::from(vec![Some(12_000), Some(5), None]).with_precision_and_scale(38, 0).unwrap();
    RecordBatch::try_from_iter([
        ("mrr", Arc::new(mrr) as ArrayRef),
        ("seats", Arc::new(Int64Array::from(vec![Some(8), Some(0), Some(1)]))),
        ("plan", Arc::new(StringArray::from(vec![Some("12"), Some("gold"), None]))),
        ("end_date", Arc::new(Date32Array::from(vec![Some(20_423), None, Some(0)]))),
    ])
    .unwrap()
}

fn computed(text: &str) -> String {
    let derives = compiled(&[text]).unwrap_or_else(|problems| panic!("{problems}"));
    let (values, failures) = run_derive(&derives[0], &rows(), october()).unwrap();
    let mut cells: Vec<_> = (0..3).map(|row| format_cell(&values, row).unwrap_or_else(|| "·".to_owned())).collect();
    for (row, reason) in failures {
        cells[row] = format!("held: {}", reason.code);
    }
    cells.join(" | ")
}

#[test]
fn a_derived_variable_computes_with_typed_values() {
    assert_eq!(computed("name: per_seat\ntype: decimal\nderive: mrr / seats\n"), "1500 | · | ·");
    assert_eq!(computed("name: raised\ntype: money\nderive: round(mrr * 1.1)\n"), "13200 | 6 | ·");
    assert_eq!(computed("name: days_left\ntype: integer\nderive: end_date - as_of()\n"), "31 | · | -20392");
    assert_eq!(computed("name: big\ntype: boolean\nderive: mrr > 100 and seats > 1\n"), "true | false | false");
    assert_eq!(
        computed("name: rank\ntype: integer\nderive: coalesce(integer(plan), 0)\n"),
        "12 | held: not_a_number | 0"
    );
}

#[test]
fn derived_variables_come_after_what_they_read() {
    let derives = compiled(&[
        "name: c\ntype: decimal\nderive: b + a\n",
        "name: b\ntype: decimal\nderive: a * 2\n",
        "name: a\ntype: decimal\nderive: mrr + 1\n",
        "name: free\ntype: integer\nderive: seats\n",
    ]);
    let derives = derives.unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(derives.iter().map(|derive| derive.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c", "free"]);
    assert_eq!(derives[2].reads, ["b", "a"]);
}

#[test]
fn a_circle_is_told_once_with_its_members() {
    let told = compiled(&[
        "name: a\ntype: decimal\nderive: b + 1\n",
        "name: b\ntype: decimal\nderive: c + seats\n",
        "name: c\ntype: decimal\nderive: a * 2\n",
        "name: d\ntype: decimal\nderive: c * 2\n",
        "name: self\ntype: decimal\nderive: self + 1\n",
    ]);
    assert_snapshot!(told.unwrap_err(), @r###"
schemas/variables/a.yaml:3:9  M050  `a` derives from itself: `a` reads `b` reads `c` reads `a`
  derive: b + 1
          ^^^^^  compute one of them from other variables
schemas/variables/self.yaml:3:9  M050  `self` derives from itself: `self` reads `self`
  derive: self + 1
          ^^^^^^^^  compute one of them from other variables
"###);
}

#[test]
fn the_problems_of_all_files_are_told_at_once() {
    let told = compiled(&[
        "name: a\ntype: decimal\nderive: mrrr + 1\n",
        "name: b\ntype: boolean\nderive: plan > 4\n",
        "name: c\ntype: date\nderive: mrr\n",
        "name: d\ntype: integer\nderive: seats\nfrom: [{ source: s, stream: t, expr: x }]\n",
        "name: e\ntype: money\nderive: sum(mrr)\n",
    ]);
    assert_snapshot!(told.unwrap_err(), @r###"
schemas/variables/a.yaml:3:9  M012  unknown variable `mrrr` in entity `customer`
  derive: mrrr + 1
          ^^^^  did you mean `mrr`?
schemas/variables/b.yaml:3:9  M030  `>` compares `plan`, text, with `4`, an integer
  derive: plan > 4
          ^^^^  write `decimal(plan)`
schemas/variables/c.yaml:3:9  M031  the expression is a decimal, but `c` is date
  derive: mrr
          ^^^
schemas/variables/d.yaml:3:1  M051  `d` has both `from` and `derive`
  derive: seats
  ^^^^^^  keep one of the two
schemas/variables/e.yaml:3:9  M021  `sum` adds up several records; an expression sees one
  derive: sum(mrr)
          ^^^  to add fields write `decimal(a) + decimal(b)`
"###);
}
