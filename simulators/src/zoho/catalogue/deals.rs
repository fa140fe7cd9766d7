//! Deals and what their stages were.

use super::customers::company;
use super::{ACCOUNTS, DEAL_HISTORY, DEALS, Plan, made, stored};
use crate::number::Decimal;
use crate::zoho::field::{Choice, FieldSpec, FieldType, Formula, Source};
use crate::zoho::options::Options;
use crate::zoho::population::{Population, rank};
use crate::zoho::value::Value;

/// What records hold, what people see, probability, forecast type.
pub(crate) const STAGES: [(&str, &str, i64, &str); 7] = [
    ("Qualification", "見込み", 10, "Open"),
    ("Proposal/Price Quote", "提案", 50, "Open"),
    ("商談中", "商談中", 60, "Open"),
    ("Negotiation/Review", "条件交渉", 80, "Open"),
    ("更新確認", "更新確認", 90, "Open"),
    ("Closed Won", "受注", 100, "Closed Won"),
    ("Closed Lost", "失注", 0, "Closed Lost"),
];

const TYPES: [&str; 5] = ["新規", "サブスク更新", "アップセル", "ダウンセル", "解約"];

pub(crate) fn plans(options: &Options) -> [Plan; 2] {
    [
        Plan {
            count: options.deals,
            parents: (ACCOUNTS, options.records, 0),
            ..Plan::new(DEALS, "Deals", "商談", deals())
        },
        Plan {
            count: if options.records > 0 { options.deals * 2 } else { 0 },
            parents: (DEALS, options.deals, options.records),
            follows: true,
            ..Plan::new(DEAL_HISTORY, "DealHistory", "ステージの履歴", history())
        },
    ]
}

/// The probability that goes with a stage.
pub(crate) fn probability(stage: &str) -> Option<i64> {
    STAGES.iter().find(|(actual, ..)| *actual == stage).map(|(_, _, probability, _)| *probability)
}

fn stage(p: &Population, n: u64) -> (&'static str, i64) {
    let nth = p.word(n, 10, &[0, 1, 2, 3, 4, 5, 5, 5, 5, 5, 6]);
    (STAGES[nth].0, STAGES[nth].2)
}

fn amount(p: &Population, n: u64) -> i64 {
    (1 + p.pick(n, 12, 500) as i64) * 12_000
}

fn closing(p: &Population, n: u64) -> i32 {
    (p.created(n) / 86_400) as i32 + 30 + p.pick(n, 13, 60) as i32
}

fn kind(p: &Population, n: u64) -> &'static str {
    if rank(n) == 7 {
        // Of a list that was changed since.
        return "その他(旧)";
    }
    match p.place(n) {
        0 => TYPES[0],
        _ => TYPES[p.word(n, 11, &[1, 1, 1, 1, 2, 2, 3, 4])],
    }
}

fn deals() -> Vec<super::Made> {
    use FieldType::{Currency, Date, Datetime, Integer, Picklist, Textarea};
    let stages = STAGES
        .iter()
        .map(|(actual, display, ..)| Choice { actual: (*actual).to_owned(), display: (*display).to_owned() });
    let stages = FieldSpec { choices: stages.collect(), ..FieldSpec::new("Stage", "ステージ", Picklist) };
    vec![
        made(FieldSpec::text("Deal_Name", "商談名"), |p, n| {
            let year = 2_023 + p.place(n);
            Value::text(format!("{} {} {year}", company(p, p.parent(n)), kind(p, n)))
        }),
        made(stages, |p, n| Value::Word(stage(p, n).0)),
        made(FieldSpec::picklist("Pipeline", "パイプライン", &["Standard (Standard)", "更新"]), |p, n| {
            Value::Word(if p.place(n) == 0 { "Standard (Standard)" } else { "更新" })
        }),
        made(FieldSpec::new("Amount", "総額", Currency), |p, n| Value::int(amount(p, n))),
        made(FieldSpec::new("Probability", "確度", Integer), |p, n| Value::int(stage(p, n).1)),
        stored(FieldSpec::formula(
            "Monthly_Amount",
            "月あたり",
            Formula::Times { field: "Amount".to_owned(), factor: "0.0833".to_owned() },
        )),
        made(FieldSpec::new("Expected_Revenue", "期待収益", Currency), |p, n| {
            Value::Num(Decimal::new(i128::from(amount(p, n) * stage(p, n).1), 2).trimmed())
        }),
        made(FieldSpec::new("Closing_Date", "完了予定日", Date), |p, n| Value::Date(closing(p, n))),
        (FieldSpec::lookup("Account_Name", "取引先名", "Accounts"), Source::Parent),
        stored(FieldSpec::lookup("Contact_Name", "連絡先名", "Contacts")),
        made(FieldSpec::picklist("Type", "種類", &TYPES), |p, n| Value::Word(kind(p, n))),
        made(
            FieldSpec::picklist("Renewal_Kind", "更新の種類", &["自動更新", "手動更新", "条件変更", "更新しない"]),
            |p, n| match p.place(n) {
                0 => Value::Empty,
                _ => Value::Word(p.word(n, 14, &["自動更新", "自動更新", "手動更新", "条件変更", "更新しない"])),
            },
        ),
        stored(FieldSpec::picklist("Lead_Source", "情報元", &["Web", "展示会", "紹介"])),
        stored(FieldSpec::text("Next_Step", "次のステップ")),
        stored(FieldSpec::picklist("Reason_For_Loss__s", "失注の理由", &["価格", "機能", "時期", "競合"])),
        stored(FieldSpec::new("Description", "詳細情報", Textarea)),
        stored(FieldSpec::new("Change_Log_Time__s", "変更の記録日時", Datetime)),
    ]
}

fn history() -> Vec<super::Made> {
    fn deal<T>(p: &Population, n: u64, get: fn(&Population, u64) -> T) -> T {
        get(&p.of_parents(u64::from(DEALS)), p.parent(n))
    }
    fn shown(p: &Population, n: u64) -> (&'static str, i64) {
        if p.place(n) == 0 { (STAGES[0].0, STAGES[0].2) } else { deal(p, n, stage) }
    }
    vec![
        (FieldSpec::lookup("Parent_Id", "商談", "Deals"), Source::Parent),
        made(FieldSpec::text("Stage", "ステージ"), |p, n| Value::Word(shown(p, n).0)),
        made(FieldSpec::new("Amount", "総額", FieldType::Currency), |p, n| Value::int(deal(p, n, amount))),
        made(FieldSpec::new("Probability", "確度", FieldType::Integer), |p, n| Value::int(shown(p, n).1)),
        made(FieldSpec::new("Closing_Date", "完了予定日", FieldType::Date), |p, n| {
            Value::Date(deal(p, n, closing))
        }),
        made(FieldSpec::new("Stage_Duration_Calendar_Days", "期間(日)", FieldType::Integer), |p, n| {
            let (from, to) = (deal(p, n, Population::created), deal(p, n, Population::modified));
            if p.place(n) == 0 { Value::int((to - from) / 86_400) } else { Value::Empty }
        }),
    ]
}
