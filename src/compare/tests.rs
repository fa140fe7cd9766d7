use proptest::prelude::*;
use proptest::sample::select;

use super::fixture::{CellFixture, RowFixture, cell, row, state, story, stream, variables};
use super::*;
use crate::snapshot::{Cell, Coverage};

const A: &str = "2025-10-31T14:59:59.999999Z";
const B: &str = "2026-10-31T14:59:59.999999Z";

fn compared(a: &State, b: &State, request: &CompareRequest) -> Comparison {
    compare(a, "2025-10", b, "2026-10", &variables(), request).unwrap()
}

fn waterfall(comparison: &Comparison) -> &Waterfall {
    comparison.metrics.iter().find_map(|metric| metric.waterfall.as_ref()).unwrap()
}

fn amounts(waterfall: &Waterfall) -> [i128; 9] {
    let Waterfall { start, new, expansion, contraction, churned, source_changed, .. } = waterfall;
    let Waterfall { unknown_before, unknown_after, end, .. } = waterfall;
    [start, new, expansion, contraction, churned, source_changed, unknown_before, unknown_after, end]
        .map(|bar| bar.amount.unscaled)
}

#[test]
fn each_customer_of_the_story_has_one_fate() {
    let (a, b) = story();
    let comparison = compared(&a, &b, &CompareRequest::default());
    let fates: Vec<_> = comparison.customers.iter().map(|one| (one.customer_id.as_str(), one.status)).collect();
    assert_eq!(
        fates,
        [
            ("c02", Status::Changed),
            ("c03", Status::Changed),
            ("c04", Status::Lost),
            ("c06", Status::Changed),
            ("c07", Status::Won),
            ("c08", Status::Unknown),
            ("c10", Status::Changed),
        ]
    );
    let Counts { a, b, won, lost, changed, unchanged, unknown } = comparison.counts;
    assert_eq!((a, b, won, lost, changed, unchanged, unknown), (7, 8, 1, 1, 4, 2, 1));
    assert_eq!(
        amounts(waterfall(&comparison)),
        [305_000, 40_000, 15_000, -5_000, -25_000, 6_000, 12_000, -40_000, 308_000]
    );
    assert_eq!(waterfall(&comparison).cohort_start.unscaled, 205_000);
    assert_eq!(waterfall(&comparison).nrr.unwrap().percent(), "92.7 %");
}

#[test]
fn the_document_has_the_shape_that_scripts_rely_on() {
    let (a, b) = story();
    let request = CompareRequest { variables: Some(vec!["mrr".into()]), top: 2, ..CompareRequest::default() };
    let document = serde_json::to_string_pretty(&compared(&a, &b, &request)).unwrap();
    insta::assert_snapshot!(document);
}

#[test]
fn exact_amounts_survive_into_the_document() {
    let a = state(A, vec![], vec![stream("sf/Account", true)]);
    let b = state(B, vec![row("c1", &["", "12345678901234567890123456789"])], vec![stream("sf/Account", true)]);
    let document = serde_json::to_string(&compared(&a, &b, &CompareRequest::default())).unwrap();
    assert!(document.contains(r#""after":12345678901234567890123456789,"#), "{document}");
}

#[test]
fn g3_a_customer_of_a_stream_nobody_had_read_is_unknown_not_won() {
    let b = state(B, vec![row("c1", &["アクメ", "100"])], vec![stream("sf/Account", true)]);
    let never_read = state(A, vec![], vec![stream("sf/Account", false)]);
    let comparison = compared(&never_read, &b, &CompareRequest::default());
    assert_eq!((comparison.counts.won, comparison.counts.unknown), (0, 1));
    assert_eq!(amounts(waterfall(&comparison)), [0, 0, 0, 0, 0, 0, 100, 0, 100]);
    assert_eq!(comparison.coverage.unknown[0].reason, "not_read");

    let read = state(A, vec![], vec![stream("sf/Account", true)]);
    assert_eq!(compared(&read, &b, &CompareRequest::default()).counts.won, 1);
}

#[test]
fn g3_a_variable_whose_source_came_later_is_not_growth() {
    let streams = || vec![stream("sf/Account", true)];
    let a = state(A, vec![row("c1", &["アクメ", "?not_offered"])], streams());
    let b = state(B, vec![row("c1", &["アクメ", "100"])], streams());
    let comparison = compared(&a, &b, &CompareRequest::default());
    assert_eq!(amounts(waterfall(&comparison)), [0, 0, 0, 0, 0, 0, 100, 0, 100]);
    assert_eq!(comparison.counts.unchanged, 1, "an unknown cell is not known to differ");
    assert_eq!(waterfall(&comparison).nrr, None);
}

#[test]
fn what_is_won_does_not_depend_on_the_variables_asked_for() {
    let mut from_core = row("c1", &["アクメ", "100"]);
    from_core.cells[0].stream = "core/customers";
    let streams = |core| vec![stream("sf/Account", true), stream("core/customers", core)];
    let b = state(B, vec![from_core], streams(true));
    let a = state(A, vec![], streams(false));
    for variables in [None, Some(vec!["mrr".to_owned()]), Some(vec!["seats".to_owned()])] {
        let request = CompareRequest { variables, ..CompareRequest::default() };
        assert_eq!(compared(&a, &b, &request).counts.unknown, 1);
    }
}

#[test]
fn a_hash_in_the_name_of_a_stream_is_not_the_end_of_it() {
    let named = |amount: &str, stream| {
        let mut row = row("c1", &["", amount]);
        row.cells[1].stream = stream;
        row
    };
    let streams = || vec![stream("core/a", true), stream("core/a#b", true), stream("core/a#c", true)];
    let a = state(A, vec![named("1", "core/a#b")], streams());
    let same = state(B, vec![named("2", "core/a#b")], streams());
    let other = state(B, vec![named("2", "core/a#c")], streams());
    let expansion = |b| waterfall(&compared(&a, b, &CompareRequest::default())).expansion.customers;
    assert_eq!((expansion(&same), expansion(&other)), (1, 0));
}

#[test]
fn groups_add_up_to_the_whole_and_keep_the_order_of_an_enum() {
    let (a, b) = story();
    let request = CompareRequest { group_by: Some("plan".into()), ..CompareRequest::default() };
    let comparison = compared(&a, &b, &request);
    let groups = &comparison.groups.as_ref().unwrap().groups;
    let values: Vec<_> = groups.iter().map(|group| group.value.as_ref().map(Value::to_string)).collect();
    assert_eq!(values, [Some("light".into()), Some("standard".into()), Some("premium".into()), None]);
    assert!(groups[3].unknown);
    let mut sum = [0; 9];
    for group in groups {
        let of_group = amounts(group.waterfall.as_ref().unwrap());
        assert_eq!(of_group[..8].iter().sum::<i128>(), of_group[8]);
        (0..9).for_each(|bar| sum[bar] += of_group[bar]);
    }
    assert_eq!(sum, amounts(waterfall(&comparison)));
}

#[test]
fn movers_are_sorted_by_size_then_id_and_leave_out_what_is_unknown() {
    let (a, b) = story();
    let movers = compared(&a, &b, &CompareRequest::default()).movers;
    let moved: Vec<_> = movers.iter().map(|mover| (mover.customer_id.as_str(), mover.delta.unscaled)).collect();
    assert_eq!(moved, [("c07", 40_000), ("c04", -20_000), ("c02", 15_000), ("c03", -5_000), ("c10", -5_000)]);
    let top = CompareRequest { top: 2, ..CompareRequest::default() };
    assert_eq!(compared(&a, &b, &top).movers.len(), 2);
}

#[test]
fn averages_are_over_known_values_with_the_unknown_beside() {
    let (a, b) = story();
    let comparison = compared(&a, &b, &CompareRequest::default());
    let health = comparison.metrics.iter().find(|metric| metric.variable == "health").unwrap();
    assert_eq!(health.a.value.as_ref().unwrap().to_string(), "52"); // (80 + 60 + 40 + 70 + 10) / 5
    assert_eq!((health.a.values, health.a.empty, health.a.unknown), (5, 1, 2));
}

#[test]
fn a_misspelt_variable_gets_a_suggestion_and_text_no_waterfall() {
    let (a, b) = story();
    let fails = |request: CompareRequest| compare(&a, "a", &b, "b", &variables(), &request).unwrap_err();
    let error = fails(CompareRequest { variables: Some(vec!["sets".into()]), ..CompareRequest::default() });
    assert_eq!((error.kind(), error.help_text()), (ErrorKind::Usage, Some("did you mean `seats`?")));
    let error = fails(CompareRequest { money: Some("seats".into()), ..CompareRequest::default() });
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn a_state_that_breaks_its_promises_is_refused() {
    let (a, mut b) = story();
    let batch = b.entities["customer"].clone();
    let reversed = (0..batch.num_rows()).rev().map(|row| batch.slice(row, 1)).collect::<Vec<_>>();
    let reversed = datafusion::arrow::compute::concat_batches(&batch.schema(), &reversed).unwrap();
    b.entities.insert("customer".into(), reversed);
    let error = compare(&a, "a", &b, "b", &variables(), &CompareRequest::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    b.entities.insert("customer".into(), batch.project(&[0, 1]).unwrap());
    let error = compare(&a, "a", &b, "b", &variables(), &CompareRequest::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn a_state_without_customers_is_compared_with_one_that_has_them() {
    let (mut a, mut b) = story();
    a.entities.clear();
    assert_eq!(compared(&a, &b, &CompareRequest::default()).counts.won, 8);
    b.entities.clear();
    let error = compare(&a, "a", &b, "b", &variables(), &CompareRequest::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// The rules once more, customer by customer on plain values, as a check on the columnar code.
mod naive {
    use std::collections::HashMap;

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    pub(super) enum Is {
        There,
        Gone,
        Unclear,
    }

    pub(super) type Read = HashMap<&'static str, (bool, bool)>;

    /// A customer's rows with whether it was there in A and in B.
    pub(super) type Customer = (Option<RowFixture>, Is, Option<RowFixture>, Is);

    /// All customers of both sides, by id.
    pub(super) fn customers(a: &[RowFixture], b: &[RowFixture], read: &Read) -> Vec<Customer> {
        let index = |rows: &[RowFixture]| -> HashMap<String, RowFixture> {
            rows.iter().map(|row| (row.id.clone(), row.clone())).collect()
        };
        let (a, b) = (index(a), index(b));
        let mut ids: Vec<&String> = a.keys().chain(b.keys()).collect();
        ids.sort();
        ids.dedup();
        let is = |own: Option<&RowFixture>, other: Option<&RowFixture>, first: bool| match own {
            Some(row) if row.coverage == Coverage::Unknown => Is::Unclear,
            Some(_) => Is::There,
            None => {
                let valued = other.unwrap().cells.iter().filter(|cell| cell.cell == Cell::Value);
                let streams: Vec<&str> = valued.map(|cell| cell.stream).collect();
                let was_read = |stream: &&str| if first { read[stream].0 } else { read[stream].1 };
                let all = match streams.is_empty() {
                    true => read.keys().all(was_read),
                    false => streams.iter().all(was_read),
                };
                if all { Is::Gone } else { Is::Unclear }
            }
        };
        let customers = ids.into_iter().map(|id| {
            let (before, after) = (a.get(id), b.get(id));
            (before.cloned(), is(before, after, true), after.cloned(), is(after, before, false))
        });
        customers.collect()
    }

    /// What a cell says: the value's text, empty text for none, nothing for what is unknown.
    fn says(cell: &CellFixture) -> Option<&str> {
        match cell.cell {
            Cell::Value => Some(&cell.value),
            Cell::Empty | Cell::NoSource => Some(""),
            _ => None,
        }
    }

    /// (customer, variable) of what differs for customers there on both sides.
    pub(super) fn changes(customers: &[Customer]) -> Vec<(String, String)> {
        let mut changes = Vec::new();
        for customer in customers {
            let (Some(before), Is::There, Some(after), Is::There) = customer else { continue };
            for (index, variable) in variables().iter().enumerate() {
                if let (Some(x), Some(y)) = (says(&before.cells[index]), says(&after.cells[index]))
                    && x != y
                {
                    changes.push((before.id.clone(), variable.name.clone()));
                }
            }
        }
        changes
    }

    /// Customers with a value, without one, and unknown, for a variable on one side.
    pub(super) fn known<'r>(
        rows: impl Iterator<Item = (Option<&'r RowFixture>, Is)>,
        variable: usize,
    ) -> (u64, u64, u64) {
        let mut counts = (0, 0, 0);
        for (row, is) in rows {
            match (is, row.map(|row| says(&row.cells[variable]))) {
                (Is::Gone, _) => {}
                (Is::There, Some(Some(""))) => counts.1 += 1,
                (Is::There, Some(Some(_))) => counts.0 += 1,
                _ => counts.2 += 1,
            }
        }
        counts
    }

    /// (won, lost, unknown) and the nine amounts of the waterfall.
    pub(super) fn model(customers: &[Customer]) -> ((u64, u64, u64), [i128; 9]) {
        let mut fates = (0, 0, 0);
        let mut bars = [0; 9];
        for (before, in_a, after, in_b) in customers {
            let (in_a, in_b) = (*in_a, *in_b);
            match (in_a, in_b) {
                (Is::Unclear, _) | (_, Is::Unclear) => fates.2 += 1,
                (Is::Gone, Is::There) => fates.0 += 1,
                (Is::There, Is::Gone) => fates.1 += 1,
                _ => {}
            }
            let mrr = |row: Option<&RowFixture>, is: Is| match (is, row) {
                (Is::Gone, _) => Some((0, "")),
                (Is::There, Some(row)) => match row.cells[1].cell {
                    Cell::Value => Some((row.cells[1].value.parse::<i128>().unwrap(), row.cells[1].stream)),
                    Cell::Empty | Cell::NoSource => Some((0, "")),
                    _ => None,
                },
                _ => None,
            };
            let (x, y) = (mrr(before.as_ref(), in_a), mrr(after.as_ref(), in_b));
            bars[0] += x.map_or(0, |x| x.0);
            bars[8] += y.map_or(0, |y| y.0);
            match (x, y) {
                (None, None) => {}
                (None, Some(y)) => bars[6] += y.0,
                (Some(x), None) => bars[7] -= x.0,
                (Some(x), Some(y)) => {
                    let both = !x.1.is_empty() && !y.1.is_empty();
                    let bar = match () {
                        () if x.0 == y.0 => continue,
                        () if both && x.1 != y.1 => 5,
                        () if x.0 == 0 => 1,
                        () if y.0 == 0 => 4,
                        () if y.0 > x.0 => 2,
                        () => 3,
                    };
                    bars[bar] += y.0 - x.0;
                }
            }
        }
        (fates, bars)
    }
}

fn any_cell(values: Vec<&'static str>) -> impl Strategy<Value = CellFixture> {
    (0_u8..=7, select(values), select(vec!["sf/Account", "core/customers"])).prop_map(|(code, value, stream)| {
        let code = Cell::from_u8(code).filter(|code| *code != Cell::Value || !value.is_empty()).unwrap_or(Cell::Empty);
        CellFixture { cell: code, value: value.into(), stream }
    })
}

fn any_row() -> impl Strategy<Value = RowFixture> {
    let money = prop_oneof![
        3 => any_cell(vec!["0", "1", "2", "-1", "300"]).prop_map(|mut cell| { cell.cell = Cell::Value; cell }),
        2 => any_cell(vec!["0", "5"]),
    ];
    let coverage = select(vec![0_u8, 0, 0, 1, 2, 3, 4]).prop_map(|number| Coverage::from_u8(number).unwrap());
    (
        0_u8..12,
        coverage,
        any_cell(vec!["アクメ", "b", ""]),
        money,
        any_cell(vec!["1", "2"]),
        any_cell(vec!["light", "x"]),
    )
        .prop_map(|(id, coverage, name, mrr, seats, plan)| RowFixture {
            id: format!("c{id}"),
            coverage,
            cells: vec![name, mrr, seats, plan, cell("")],
        })
}

fn any_rows() -> impl Strategy<Value = Vec<RowFixture>> {
    prop::collection::vec(any_row(), 0..12).prop_map(|mut rows| {
        let mut seen = HashSet::new();
        rows.retain(|row| seen.insert(row.id.clone()));
        rows
    })
}

type Read = (bool, bool);

fn streams_of(sf: bool, core: bool) -> Vec<crate::snapshot::StreamCoverage> {
    vec![stream("sf/Account", sf), stream("core/customers", core)]
}

proptest! {
    #[test]
    fn the_columnar_code_agrees_with_the_rules_told_one_by_one(
        a in any_rows(), b in any_rows(), sf in any::<Read>(), core in any::<Read>(),
    ) {
        let read = std::collections::HashMap::from([("sf/Account", sf), ("core/customers", core)]);
        let customers = naive::customers(&a, &b, &read);
        let (fates, bars) = naive::model(&customers);
        let a = state(A, a, streams_of(sf.0, core.0));
        let b = state(B, b, streams_of(sf.1, core.1));
        let comparison = compared(&a, &b, &CompareRequest::default());
        let counts = comparison.counts;
        prop_assert_eq!((counts.won, counts.lost, counts.unknown), fates);
        prop_assert_eq!(counts.won + counts.lost + counts.unknown + counts.changed + counts.unchanged, customers.len() as u64);
        prop_assert_eq!(amounts(waterfall(&comparison)), bars);

        let changed = comparison.customers.iter().filter(|one| one.status == Status::Changed);
        let changes = changed.flat_map(|one| {
            one.changes.iter().map(|change| (one.customer_id.clone(), change.variable.to_string()))
        });
        prop_assert_eq!(changes.collect::<Vec<_>>(), naive::changes(&customers));
        for (index, metric) in comparison.metrics.iter().enumerate() {
            let a = naive::known(customers.iter().map(|(row, is, _, _)| (row.as_ref(), *is)), index);
            let b = naive::known(customers.iter().map(|(_, _, row, is)| (row.as_ref(), *is)), index);
            prop_assert_eq!((metric.a.values, metric.a.empty, metric.a.unknown), a);
            prop_assert_eq!((metric.b.values, metric.b.empty, metric.b.unknown), b);
        }
    }

    #[test]
    fn money_is_conserved_in_the_whole_and_in_every_group(
        a in any_rows(), b in any_rows(), group in select(vec!["name", "mrr", "plan"]),
    ) {
        let (a, b) = (state(A, a, streams_of(true, true)), state(B, b, streams_of(true, true)));
        let request = CompareRequest { group_by: Some(group.to_owned()), ..CompareRequest::default() };
        let comparison = compared(&a, &b, &request);
        let mut sum = [0; 9];
        let mut customers = 0;
        for group in &comparison.groups.as_ref().unwrap().groups {
            let bars = amounts(group.waterfall.as_ref().unwrap());
            prop_assert_eq!(bars[..8].iter().sum::<i128>(), bars[8]);
            (0..9).for_each(|bar| sum[bar] += bars[bar]);
            customers += group.counts.a;
        }
        prop_assert_eq!(sum, amounts(waterfall(&comparison)));
        prop_assert_eq!(customers, comparison.counts.a);
    }

    #[test]
    fn comparing_backwards_turns_every_movement_around(a in any_rows(), b in any_rows()) {
        let (a, b) = (state(A, a, streams_of(true, true)), state(B, b, streams_of(true, true)));
        let forth = compared(&a, &b, &CompareRequest::default());
        let back = compared(&b, &a, &CompareRequest::default());
        let [start, new, expansion, contraction, churned, source, before, after, end] = amounts(waterfall(&forth));
        prop_assert_eq!(
            amounts(waterfall(&back)),
            [end, -churned, -contraction, -expansion, -new, -source, -after, -before, start]
        );
        prop_assert_eq!((forth.counts.won, forth.counts.lost), (back.counts.lost, back.counts.won));
    }

    #[test]
    fn the_order_of_records_and_streams_changes_nothing(
        a in any_rows(), b in any_rows(), seed in any::<[u8; 12]>(),
    ) {
        let shuffled = |rows: &[RowFixture]| {
            let mut rows: Vec<_> = rows.iter().cloned().zip(seed).collect();
            rows.sort_by_key(|(_, key)| *key);
            rows.into_iter().map(|(row, _)| row).collect::<Vec<_>>()
        };
        let document = |a: Vec<RowFixture>, b: Vec<RowFixture>, reverse: bool| {
            let mut streams = streams_of(true, false);
            if reverse {
                streams.reverse();
            }
            let request = CompareRequest { group_by: Some("plan".into()), ..CompareRequest::default() };
            let comparison = compared(&state(A, a, streams.clone()), &state(B, b, streams), &request);
            serde_json::to_string(&comparison).unwrap()
        };
        prop_assert_eq!(document(shuffled(&a), shuffled(&b), true), document(a, b, false));
    }
}
