//! A custom module with a sub-form and a multi-select lookup, and the modules that hold their rows.

use super::customers::company;
use super::{ACCOUNTS, Plan, SUBSCRIPTIONS, made, stored};
use crate::zoho::field::{FieldSpec, FieldType, Source};
use crate::zoho::options::Options;
use crate::zoho::value::Value;

pub(crate) fn plans(options: &Options) -> [Plan; 3] {
    let (accounts, subscriptions) = (options.records, options.subscriptions);
    let lines = if accounts == 0 { 0 } else { subscriptions * 2 };
    [
        Plan {
            generated_type: "custom",
            count: subscriptions,
            parents: (ACCOUNTS, accounts, 0),
            ..Plan::new(SUBSCRIPTIONS, "Subscriptions", "契約", contracts())
        },
        Plan {
            generated_type: "subform",
            count: lines,
            parents: (SUBSCRIPTIONS, subscriptions, accounts),
            ..Plan::new(7, "Licences", "契約明細", licences())
        },
        Plan {
            generated_type: "linking",
            is_unstamped: true,
            ..Plan::new(8, "Subscriptions_X_Accounts", "契約とパートナー", links())
        },
    ]
}

fn contracts() -> Vec<super::Made> {
    let rows = |name: &str, label: &str, field_type, module: &str| FieldSpec {
        module: Some(module.to_owned()),
        ..FieldSpec::new(name, label, field_type)
    };
    vec![
        made(FieldSpec::text("Name", "契約名"), |p, n| {
            Value::text(format!("{} 契約{}", company(p, p.parent(n)), 1 + p.place(n)))
        }),
        (FieldSpec::lookup("Account", "取引先", "Accounts"), Source::Parent),
        made(FieldSpec::picklist("Status", "状態", &["有効", "更新待ち", "解約"]), |p, n| {
            Value::Word(p.word(n, 10, &["有効", "有効", "有効", "更新待ち", "解約"]))
        }),
        made(FieldSpec::new("Start_Date", "開始日", FieldType::Date), |p, n| {
            Value::Date((p.created(n) / 86_400) as i32)
        }),
        made(FieldSpec::new("Seats", "席数", FieldType::Integer), |p, n| Value::int(1 + p.pick(n, 11, 300) as i64)),
        stored(rows("Licences", "契約明細", FieldType::Subform, "Licences")),
        stored(rows("Partners", "パートナー", FieldType::Multiselectlookup, "Subscriptions_X_Accounts")),
    ]
}

fn licences() -> Vec<super::Made> {
    vec![
        (FieldSpec::lookup("Parent_Id", "親", "Subscriptions"), Source::Parent),
        made(FieldSpec::text("Plan", "プラン"), |p, n| {
            Value::Word(p.word(n, 10, &["スターター", "スタンダード", "プロ"]))
        }),
        made(FieldSpec::new("Seats", "席数", FieldType::Integer), |p, n| Value::int(1 + p.pick(n, 11, 100) as i64)),
        made(FieldSpec::new("Monthly_Fee", "月額", FieldType::Currency), |p, n| {
            Value::int((1 + p.pick(n, 12, 50) as i64) * 1_000)
        }),
    ]
}

fn links() -> Vec<super::Made> {
    // The lookup of the record is called like its module, that of the other one like the field.
    vec![
        stored(FieldSpec::lookup("Subscriptions", "契約", "Subscriptions")),
        stored(FieldSpec::lookup("Partners", "パートナー", "Accounts")),
    ]
}
