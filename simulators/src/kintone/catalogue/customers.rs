//! 顧客管理: customers, each with a table of contracts.

use super::{Made, made, stored};
use crate::instant::DAY;
use crate::kintone::field::{CalcFormat, FieldSpec, FieldType, Related};
use crate::kintone::people::{GROUPS, ORGANIZATIONS, STAFF};
use crate::kintone::population::{Population, Source};
use crate::kintone::value::{File, Value};
use crate::number::Decimal;
use crate::words;

const PLANS: [&str; 3] = ["スターター", "スタンダード", "エンタープライズ"];

/// The fields, each with those of its rows.
pub(super) fn fields() -> Vec<(Made, Vec<Made>)> {
    let mut all: Vec<(Made, Vec<Made>)> = company().into_iter().map(|field| (field, Vec::new())).collect();
    let lines = Source::Lines(|p, id| [1, 1, 1, 2, 3, 0][p.pick(id, 40, 6) as usize]);
    all.push(((FieldSpec::new("契約", FieldType::Subtable).labelled("契約明細"), lines), contract()));
    let table = [
        made(FieldSpec::calc("月額合計", "SUM(小計)", CalcFormat::NumberDigit).unit("円"), monthly),
        made(FieldSpec::calc("年額", "月額合計 * 12", CalcFormat::NumberDigit).unit("円"), |p, id, _| {
            times(monthly(p, id, 0), 12)
        }),
    ];
    all.extend(table.into_iter().chain(care()).map(|field| (field, Vec::new())));
    all
}

fn company() -> Vec<Made> {
    let industries: Vec<&str> = words::INDUSTRIES.to_vec();
    vec![
        made(FieldSpec { max_length: Some(16), ..FieldSpec::text("顧客コード").required().unique() }, code),
        made(FieldSpec { max_length: Some(128), ..FieldSpec::text("会社名").labelled("顧客名").required() }, name),
        made(FieldSpec::text("法人番号"), corporate_number),
        made(
            FieldSpec::choice("顧客ランク", FieldType::RadioButton, &["A", "B", "C"]).default_value("B"),
            |p, id, _| Value::Word(p.word(id, 12, &["A", "B", "B", "C"])),
        ),
        made(FieldSpec::choice("業種", FieldType::DropDown, &industries), |p, id, _| {
            if p.pick(id, 13, 9) == 0 { Value::Empty } else { Value::Word(p.word(id, 24, &words::TRADES).1) }
        }),
        made(FieldSpec::number("従業員数").unit("名"), |p, id, _| match p.pick(id, 14, 8) {
            0 => Value::Empty,
            _ => whole(5 + p.pick(id, 15, 2_000) as i64),
        }),
        made(FieldSpec::number("資本金").unit("円"), |p, id, _| {
            whole((1 + p.pick(id, 16, 900) as i64) * 1_000_000)
        }),
        made(FieldSpec::text("郵便番号"), |p, id, _| {
            Value::text(format!("{}{:03}", p.word(id, 30, &words::PLACES).3, p.pick(id, 17, 90)))
        }),
        made(FieldSpec::text("住所"), address),
        made(FieldSpec::new("TEL", FieldType::Link), phone),
        stored(FieldSpec::text("FAX")),
        made(FieldSpec::new("メールアドレス", FieldType::Link), |p, id, _| {
            Value::text(format!("info@c{}.example.co.jp", p.seed % 97 * 10_000_000 + id))
        }),
        made(FieldSpec::new("Web", FieldType::Link), |p, id, _| match p.pick(id, 18, 4) {
            0 => Value::Empty,
            _ => Value::text(format!("https://c{}.example.co.jp/", p.seed % 97 * 10_000_000 + id)),
        }),
    ]
}

fn contract() -> Vec<Made> {
    vec![
        made(FieldSpec::text("契約番号"), |_, id, line| Value::text(format!("K{id:07}-{}", line + 1))),
        made(FieldSpec::choice("プラン", FieldType::DropDown, &PLANS), |p, id, line| {
            Value::Word(PLANS[plan(p, id, line)])
        }),
        made(FieldSpec::number("月額").unit("円"), |p, id, line| whole(fee(p, id, line))),
        made(FieldSpec::number("数量"), |p, id, line| whole(seats(p, id, line))),
        made(FieldSpec::calc("小計", "月額 * 数量", CalcFormat::NumberDigit), |p, id, line| {
            whole(fee(p, id, line) * seats(p, id, line))
        }),
        made(FieldSpec::new("契約開始日", FieldType::Date), |p, id, line| Value::Date(start(p, id, line))),
        made(FieldSpec::new("契約終了日", FieldType::Date), |p, id, line| match p.pick(id, 45 + line, 3) {
            0 => Value::Empty,
            _ => Value::Date(start(p, id, line) + 364),
        }),
        made(
            FieldSpec::choice("オプション", FieldType::CheckBox, &["分析", "自動化", "API"]),
            |p, id, line| some_of(p, id, 60 + line, &["分析", "自動化", "API"]),
        ),
    ]
}

fn care() -> Vec<Made> {
    vec![
        made(FieldSpec::new("営業担当", FieldType::UserSelect), |p, id, _| Value::list([p.word(id, 70, &STAFF).0])),
        made(FieldSpec::new("CS担当", FieldType::UserSelect), |p, id, _| match p.pick(id, 71, 3) {
            0 => Value::Empty,
            1 => Value::list([STAFF[0].0, STAFF[1].0]),
            _ => Value::list([p.word(id, 72, &STAFF).0]),
        }),
        made(FieldSpec::new("部署", FieldType::OrganizationSelect), |p, id, _| {
            Value::list([p.word(id, 73, &ORGANIZATIONS).0])
        }),
        made(FieldSpec::new("閲覧グループ", FieldType::GroupSelect), |p, id, _| match p.pick(id, 74, 2) {
            0 => Value::Empty,
            _ => Value::list([GROUPS[1].0]),
        }),
        made(FieldSpec::choice("対応項目", FieldType::CheckBox, &["電話", "訪問", "メール"]), |p, id, _| {
            some_of(p, id, 75, &["電話", "訪問", "メール"])
        }),
        made(
            FieldSpec::choice("製品", FieldType::MultiSelect, &["顧客管理", "分析", "自動化"]),
            |p, id, _| some_of(p, id, 76, &["顧客管理", "分析", "自動化"]),
        ),
        made(FieldSpec::new("更新日", FieldType::Date).labelled("契約更新日"), |p, id, _| {
            Value::Date(start(p, id, 0) + 365)
        }),
        stored(FieldSpec::new("解約日", FieldType::Date)),
        made(FieldSpec::new("受付時刻", FieldType::Time), |p, id, _| match p.pick(id, 77, 3) {
            0 => Value::Empty,
            hour => Value::Time(8 * 60 + hour as u32 * 45),
        }),
        made(FieldSpec::new("次回面談", FieldType::Datetime), |p, id, _| match p.pick(id, 78, 3) {
            0 => Value::Empty,
            _ => Value::Instant((p.at / DAY + p.pick(id, 79, 60) as i64) * DAY + 3_600 * p.pick(id, 80, 9) as i64),
        }),
        made(FieldSpec::number("ヘルススコア"), |p, id, _| match p.pick(id, 81, 6) {
            0 => Value::Empty,
            _ => Value::Num(Decimal::new(i128::from(p.pick(id, 82, 1_000)), 1)),
        }),
        made(FieldSpec::new("備考", FieldType::MultiLineText), |p, id, _| match p.pick(id, 83, 3) {
            0 => Value::Word(p.word(id, 84, &words::NOTES)),
            _ => Value::Empty,
        }),
        made(FieldSpec::new("メモ", FieldType::RichText), |p, id, _| match p.pick(id, 85, 5) {
            0 => Value::text(format!("<div><b>{}</b>様より</div>", p.word(id, 86, &words::FAMILY_NAMES))),
            _ => Value::Empty,
        }),
        made(FieldSpec::new("添付", FieldType::File), |p, id, _| match p.pick(id, 87, 10) {
            0 => Value::Files(
                [File { id, name: "見積書.txt".into(), content_type: "text/plain".into(), size: 40 }].into(),
            ),
            _ => Value::Empty,
        }),
        stored(FieldSpec::new("枠", FieldType::Group)),
        stored(FieldSpec {
            related: Some(Related {
                app: 2,
                field: "顧客コード".to_owned(),
                related: "顧客コード".to_owned(),
                shown: vec!["案件名".to_owned()],
            }),
            ..FieldSpec::new("案件一覧", FieldType::ReferenceTable)
        }),
    ]
}

fn whole(number: i64) -> Value {
    Value::Num(Decimal::new(i128::from(number), 0))
}

fn times(value: Value, factor: i64) -> Value {
    match value {
        Value::Num(number) => number.times(Decimal::new(i128::from(factor), 0), 4).map_or(Value::Empty, Value::Num),
        other => other,
    }
}

fn some_of(p: &Population, id: u64, what: u64, words: &[&str]) -> Value {
    let bits = p.pick(id, what, 1 << words.len());
    Value::list(words.iter().enumerate().filter(|(place, _)| bits >> place & 1 == 1).map(|(_, word)| word))
}

pub(super) fn code(_: &Population, id: u64, _: u64) -> Value {
    Value::text(format!("C{id:07}"))
}

pub(super) fn name(p: &Population, id: u64, _: u64) -> Value {
    let (legal, before) = p.word(id, 20, &words::LEGAL);
    let first = p.word(id, 21, &words::STEMS);
    let second = if p.pick(id, 22, 3) == 0 { p.word(id, 23, &words::STEMS) } else { "" };
    let (trade, _) = p.word(id, 24, &words::TRADES);
    Value::text(if before { [legal, first, second, trade].concat() } else { [first, second, trade, legal].concat() })
}

fn corporate_number(p: &Population, id: u64, _: u64) -> Value {
    match p.pick(id, 11, 12) {
        0 => Value::Empty,
        _ => Value::text(words::corporate_number(20_001_000_000 + p.seed % 79 * 1_000_000_000 + id * 7)),
    }
}

fn address(p: &Population, id: u64, _: u64) -> Value {
    let (prefecture, city, town, _, _) = p.word(id, 30, &words::PLACES);
    let building = p.word(id, 31, &words::BUILDINGS);
    Value::text(
        format!("{prefecture}{city}{town}{}-{} {building}", 1 + p.pick(id, 32, 5), 1 + p.pick(id, 33, 20)).trim_end(),
    )
}

fn phone(p: &Population, id: u64, _: u64) -> Value {
    let area = p.word(id, 30, &words::PLACES).4;
    let middle = 10u64.pow(6 - area.len() as u32);
    Value::text(format!("{area}-{}-{:04}", middle + p.pick(id, 34, 9 * middle), p.pick(id, 35, 10_000)))
}

fn plan(p: &Population, id: u64, line: u64) -> usize {
    p.pick(id, 50 + line, 3) as usize
}

fn fee(p: &Population, id: u64, line: u64) -> i64 {
    [30_000, 100_000, 400_000][plan(p, id, line)]
}

fn seats(p: &Population, id: u64, line: u64) -> i64 {
    1 + p.pick(id, 54 + line, 5) as i64
}

fn start(p: &Population, id: u64, line: u64) -> i32 {
    (p.created(id) / DAY) as i32 + (p.pick(id, 41, 60) + 365 * line) as i32
}

fn monthly(p: &Population, id: u64, _: u64) -> Value {
    let lines = [1, 1, 1, 2, 3, 0][p.pick(id, 40, 6) as usize];
    whole((0..lines).map(|line| fee(p, id, line) * seats(p, id, line)).sum())
}
