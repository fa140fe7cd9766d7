//! Fields that follow from other fields of their row, and are stored with them.

use crate::number::Decimal;
use crate::salesforce::edit::Written;
use crate::salesforce::instant;
use crate::salesforce::state::State;
use crate::salesforce::value::Value;

/// What follows when `values` are written over `before`, by column.
pub(crate) fn derived(
    state: &State,
    table: usize,
    serial: u64,
    values: &Written,
    before: Option<&Written>,
    stamp: i64,
) -> Vec<(u16, Value)> {
    let object = &state.store.tables[table];
    let slot = |name: &str| object.slot(name).map(|slot| slot as u16);
    let held = |values: &Written, name: &str| {
        let slot = slot(name)?;
        values.get(&slot).or_else(|| before?.get(&slot)).cloned()
    };
    let mut derived: Vec<(&str, Value)> = Vec::new();
    match object.name {
        "Contact" | "Lead" | "Account" if object.name != "Account" || is_person(&held(values, "IsPersonAccount")) => {
            let part =
                |name| held(values, name).and_then(|value| value.as_text().map(str::to_owned)).unwrap_or_default();
            let name = format!("{} {}", part("LastName"), part("FirstName"));
            derived.push(("Name", Value::text(name.trim())));
        }
        "Contract" if before.is_none() => {
            derived.push(("ContractNumber", Value::text(&format!("{serial:08}"))));
            derived.push(("StatusCode", Value::Word("Draft")));
        }
        "Case" => {
            if before.is_none() {
                derived.push(("CaseNumber", Value::text(&format!("{serial:08}"))));
            }
            if let Some(status) = written(values, &slot, "Status") {
                let is_closed = status.as_text() == Some("Closed");
                derived.push(("IsClosed", Value::Bool(is_closed)));
                derived.push(("ClosedDate", if is_closed { Value::Instant(stamp) } else { Value::Null }));
            }
        }
        "Task" => {
            derived.push(("AccountId", account_of(state, &held(values, "WhatId"), &held(values, "WhoId"))));
            if let Some(status) = written(values, &slot, "Status") {
                let is_closed = status.as_text() == Some("Completed");
                derived.push(("IsClosed", Value::Bool(is_closed)));
                derived.push(("CompletedDateTime", if is_closed { Value::Instant(stamp) } else { Value::Null }));
            }
            let priority = held(values, "Priority");
            let is_high = priority.as_ref().and_then(Value::as_text) == Some("High");
            derived.push(("IsHighPriority", Value::Bool(is_high)));
        }
        "Event" => {
            derived.push(("AccountId", account_of(state, &held(values, "WhatId"), &held(values, "WhoId"))));
            let start = held(values, "StartDateTime").filter(|start| !start.is_null());
            if let Some(Value::Instant(secs)) = start.or_else(|| held(values, "ActivityDateTime")) {
                let minutes = held(values, "DurationInMinutes").and_then(|value| value.as_number()?.to_int());
                derived.push(("ActivityDate", Value::Date(secs.div_euclid(instant::DAY) as i32)));
                derived.push(("EndDateTime", Value::Instant(secs + 60 * minutes.unwrap_or(0))));
            }
        }
        "OpportunityLineItem" => {
            let number = |name: &str| held(values, name).and_then(|value| value.as_number());
            let whole = Decimal::new(100, 0);
            let kept = whole.plus(number("Discount").unwrap_or(Decimal::new(0, 0)).negated()).unwrap_or(whole);
            let total =
                number("Quantity").zip(number("UnitPrice")).and_then(|(quantity, price)| quantity.times(price, 4));
            let total =
                total.and_then(|total| total.times(kept, 4)).and_then(|total| total.times(Decimal::new(1, 2), 2));
            derived.push(("TotalPrice", total.map_or(Value::Null, Value::Num)));
        }
        "CampaignMember" => {
            let contact = held(values, "ContactId").filter(|id| !id.is_null());
            derived.push(("Type", Value::Word(if contact.is_some() { "Contact" } else { "Lead" })));
            derived.push(("LeadOrContactId", contact.or_else(|| held(values, "LeadId")).unwrap_or(Value::Null)));
            let status = held(values, "Status");
            derived.push(("HasResponded", Value::Bool(status.as_ref().and_then(Value::as_text) == Some("Responded"))));
        }
        "Opportunity" => {
            let stage = held(values, "StageName");
            let (probability, category, closed, won) = match stage.as_ref().and_then(Value::as_text) {
                Some("Closed Won") => (100, "Closed", true, true),
                Some("Closed Lost") => (0, "Omitted", true, false),
                Some("提案") => (30, "Pipeline", false, false),
                Some("見積提出") => (60, "BestCase", false, false),
                Some("交渉") => (80, "Commit", false, false),
                _ => (10, "Pipeline", false, false),
            };
            let stage_is_new = slot("StageName").is_some_and(|slot| values.contains_key(&slot));
            if stage_is_new {
                derived.push(("LastStageChangeDate", Value::Instant(stamp)));
                if slot("Probability").is_some_and(|slot| !values.contains_key(&slot)) {
                    derived.push(("Probability", Value::Num(Decimal::new(probability, 0))));
                }
            }
            derived.push(("IsClosed", Value::Bool(closed)));
            derived.push(("IsWon", Value::Bool(won)));
            derived.push(("ForecastCategory", Value::Word(category)));
            derived.push(("ForecastCategoryName", Value::Word(category)));
            if let Some(amount) = held(values, "Amount").and_then(|value| value.as_number()) {
                let revenue = amount.times(Decimal::new(probability, 2), 2).map_or(Value::Null, Value::Num);
                derived.push(("ExpectedRevenue", revenue));
            }
            if let Some(Value::Date(days)) = held(values, "CloseDate") {
                let date = instant::at(i64::from(days) * instant::DAY);
                let (year, month) = (chrono::Datelike::year(&date), chrono::Datelike::month(&date) as i32);
                let quarter = (month + 8) % 12 / 3 + 1;
                let fiscal = if month < 4 { year - 1 } else { year };
                derived.push(("FiscalYear", Value::Int(i64::from(fiscal))));
                derived.push(("FiscalQuarter", Value::Int(i64::from(quarter))));
                derived.push(("Fiscal", Value::text(&format!("{fiscal} {quarter}"))));
            }
        }
        _ => {}
    }
    derived.into_iter().filter_map(|(name, value)| Some((slot(name)?, value))).collect()
}

fn is_person(flag: &Option<Value>) -> bool {
    matches!(flag, Some(Value::Bool(true)))
}

/// The value that is written to that field now.
fn written<'a>(values: &'a Written, slot: &impl Fn(&str) -> Option<u16>, name: &str) -> Option<&'a Value> {
    values.get(&slot(name)?)
}

/// The account behind what an activity is about, or behind whom it is with.
fn account_of(state: &State, what: &Option<Value>, who: &Option<Value>) -> Value {
    let moment = state.moment();
    let behind = |pointer: &Value| {
        let (table, serial) = state.store.by_id(pointer.as_text()?)?;
        let object = &state.store.tables[table];
        if object.name == "Account" {
            return Some(pointer.clone());
        }
        let account = state.store.value(table, &object.view(serial, &moment)?, object.slot("AccountId")?, &moment);
        (!account.is_null()).then_some(account)
    };
    what.iter().chain(who).find_map(behind).unwrap_or(Value::Null)
}
