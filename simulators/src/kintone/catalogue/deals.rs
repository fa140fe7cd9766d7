//! 案件管理: deals, each looking up its customer, with process management.

use super::{Made, customers, made, stored};
use crate::instant::DAY;
use crate::kintone::field::{CalcFormat, FieldSpec, FieldType};
use crate::kintone::people::STAFF;
use crate::kintone::population::{Population, nth_id};
use crate::kintone::value::Value;
use crate::number::Decimal;

/// The states that a deal goes through.
pub(super) const STATES: [&str; 4] = ["未処理", "商談中", "見積提出", "受注"];

const PRODUCTS: [&str; 3] = ["顧客管理", "分析", "自動化"];

/// The fields, each with those of its rows.
pub(super) fn fields() -> Vec<(Made, Vec<Made>)> {
    let key = FieldSpec::text("顧客コード").looking_up(1, "顧客コード", &[("会社名", "会社名")]);
    let list = vec![
        made(FieldSpec::text("案件番号").unique(), |_, id, _| Value::text(format!("A{id:06}"))),
        made(FieldSpec::text("案件名").required(), |p, id, _| {
            Value::text(format!("{}の{}", p.word(id, 20, &PRODUCTS), p.word(id, 21, &["新規導入", "追加", "更新"])))
        }),
        made(key, |p, id, _| customers::code(p, customer(p, id), 0)),
        made(FieldSpec::text("会社名"), |p, id, _| {
            // Customers are made up from the seed that stands before that of deals.
            customers::name(&Population { seed: p.seed.wrapping_sub(1), ..*p }, customer(p, id), 0)
        }),
        made(FieldSpec::new("案件担当者名", FieldType::UserSelect), |p, id, _| {
            Value::list([p.word(id, 22, &STAFF).0])
        }),
        made(FieldSpec::new("見込み時期", FieldType::Date), |p, id, _| {
            Value::Date((p.created(id) / DAY) as i32 + 30 + p.pick(id, 23, 120) as i32)
        }),
        made(FieldSpec::choice("確度", FieldType::DropDown, &["A", "B", "C"]), |p, id, _| match p.pick(id, 24, 4) {
            0 => Value::Empty,
            _ => Value::Word(p.word(id, 25, &["A", "B", "C"])),
        }),
        made(FieldSpec::choice("製品名", FieldType::DropDown, &PRODUCTS), |p, id, _| {
            Value::Word(p.word(id, 20, &PRODUCTS))
        }),
        made(FieldSpec::number("単価").unit("円"), |p, id, _| whole(price(p, id))),
        made(FieldSpec::number("ユーザー数"), |p, id, _| whole(users(p, id))),
        made(FieldSpec::calc("小計", "単価 * ユーザー数", CalcFormat::NumberDigit).unit("円"), |p, id, _| {
            whole(price(p, id) * users(p, id))
        }),
        made(FieldSpec::new("受注日", FieldType::Date), |p, id, _| match stage(p, id) {
            3 => Value::Date((p.modified(id) / DAY) as i32),
            _ => Value::Empty,
        }),
        made(FieldSpec::calc("経過", "更新日時 - 作成日時", CalcFormat::HourMinute), |p, id, _| {
            let minutes = p.modified(id).div_euclid(60) - p.created(id).div_euclid(60);
            Value::text(format!("{}:{:02}", minutes / 60, minutes % 60))
        }),
        stored(FieldSpec::new("失注理由", FieldType::MultiLineText)),
    ];
    list.into_iter().map(|field| (field, Vec::new())).collect()
}

pub(super) fn state(p: &Population, id: u64, _: u64) -> Value {
    Value::Word(STATES[stage(p, id)])
}

fn stage(p: &Population, id: u64) -> usize {
    p.pick(id, 26, 4) as usize
}

fn customer(p: &Population, id: u64) -> u64 {
    nth_id(1 + p.pick(id, 27, p.customers))
}

fn price(p: &Population, id: u64) -> i64 {
    (1 + p.pick(id, 28, 40) as i64) * 500
}

fn users(p: &Population, id: u64) -> i64 {
    1 + p.pick(id, 29, 300) as i64
}

fn whole(number: i64) -> Value {
    Value::Num(Decimal::new(i128::from(number), 0))
}
