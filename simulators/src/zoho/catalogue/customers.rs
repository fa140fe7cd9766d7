//! Accounts, contacts and leads.

use super::{ACCOUNTS, Plan, made, stored};
use crate::number::Decimal;
use crate::words;
use crate::zoho::field::{FieldSpec, FieldType, Formula, Source};
use crate::zoho::options::Options;
use crate::zoho::population::{Population, rank};
use crate::zoho::value::Value;

pub(crate) fn plans(options: &Options) -> [Plan; 3] {
    [
        Plan { count: options.records, ..Plan::new(ACCOUNTS, "Accounts", "取引先", accounts()) },
        Plan {
            count: options.contacts,
            parents: (ACCOUNTS, options.records, 0),
            ..Plan::new(2, "Contacts", "連絡先", contacts())
        },
        Plan { count: options.leads, ..Plan::new(5, "Leads", "見込み客", leads()) },
    ]
}

fn accounts() -> Vec<super::Made> {
    use FieldType::{
        Autonumber, Bigint, Boolean, Currency, Date, Datetime, Double, Integer, Percent, Phone, Profileimage, Raw,
        RichText, Text, Textarea, Userlookup, Website,
    };
    let field = FieldSpec::new;
    vec![
        made(FieldSpec::text("Account_Name", "取引先名"), |p, n| Value::text(company(p, n))),
        made(field("Account_Number", "取引先コード", Text), |_, n| Value::text(format!("{:06}", rank(n)))),
        stored(FieldSpec::lookup("Parent_Account", "親取引先", "Accounts")),
        made(
            FieldSpec::picklist("Account_Type", "取引先の種類", &["顧客", "見込み", "代理店", "解約済み"]),
            |p, n| Value::Word(p.word(n, 30, &["顧客", "顧客", "顧客", "見込み", "代理店", "解約済み"])),
        ),
        made(FieldSpec::picklist("Industry", "業種", &words::INDUSTRIES), |p, n| {
            Value::Word(p.word(n, 12, &words::TRADES).1)
        }),
        made(field("Annual_Revenue", "年間売上", Currency), |p, n| {
            Value::int((10 + p.pick(n, 31, 9_990) as i64) * 1_000_000)
        }),
        made(field("Employees", "従業員数", Integer), |p, n| match p.pick(n, 32, 9) {
            0 => Value::Empty,
            _ => Value::int(5 + p.pick(n, 33, 3_000) as i64),
        }),
        made(field("Phone", "電話", Phone), |p, n| {
            let area = p.word(n, 20, &words::PLACES).4;
            Value::text(format!("{area}-{:04}-{:04}", p.pick(n, 34, 10_000), p.pick(n, 35, 10_000)))
        }),
        stored(field("Fax", "FAX", Phone)),
        made(field("Website", "Webサイト", Website), |_, n| Value::text(format!("https://customer-{n}.example.jp"))),
        stored(FieldSpec::picklist("Rating", "評価", &["A", "B", "C"])),
        stored(field("Ownership", "所有形態", Text)),
        made(field("Billing_Street", "町名・番地(請求先)", Text), |p, n| {
            let (town, building) = (p.word(n, 20, &words::PLACES).2, p.word(n, 36, &words::BUILDINGS));
            Value::text(format!("{town}{}-{} {building}", 1 + p.pick(n, 37, 9), 1 + p.pick(n, 38, 30)).trim_end())
        }),
        made(field("Billing_City", "市区町村(請求先)", Text), |p, n| {
            Value::Word(p.word(n, 20, &words::PLACES).1)
        }),
        made(field("Billing_State", "都道府県(請求先)", Text), |p, n| {
            Value::Word(p.word(n, 20, &words::PLACES).0)
        }),
        made(field("Billing_Code", "郵便番号(請求先)", Text), |p, n| {
            Value::text(format!("{}{:03}", p.word(n, 20, &words::PLACES).3, p.pick(n, 39, 1_000)))
        }),
        made(field("Description", "詳細情報", Textarea), |p, n| match p.pick(n, 40, 3) {
            0 => Value::Word(p.word(n, 41, &words::NOTES)),
            _ => Value::Empty,
        }),
        stored(field("Remarks", "特記事項", RichText)),
        made(field("Corporate_Number", "法人番号", Bigint), |p, n| {
            let number = words::corporate_number(p.pick(n, 42, 1_000_000_000_000));
            Decimal::parse(&number).map_or(Value::Empty, Value::Num)
        }),
        made(field("MRR", "月額", Currency), |p, n| match p.pick(n, 43, 5) {
            0 => Value::Empty,
            _ => Value::int((1 + p.pick(n, 44, 200) as i64) * 5_000),
        }),
        stored(FieldSpec::formula("ARR", "年額", Formula::Times { field: "MRR".to_owned(), factor: "12".to_owned() })),
        made(field("Renewal_Date", "次回更新日", Date), |p, n| {
            Value::Date((p.at / 86_400) as i32 + p.pick(n, 45, 365) as i32)
        }),
        stored(FieldSpec::formula(
            "Days_To_Renewal",
            "更新までの日数",
            Formula::DaysUntil { field: "Renewal_Date".to_owned() },
        )),
        stored(FieldSpec::formula(
            "Deal_Count",
            "商談数",
            Formula::Count { module: "Deals".to_owned(), lookup: "Account_Name".to_owned() },
        )),
        stored(FieldSpec::formula(
            "Deal_Total",
            "商談総額",
            Formula::Sum { module: "Deals".to_owned(), lookup: "Account_Name".to_owned(), field: "Amount".to_owned() },
        )),
        made(several("Products_In_Use", "利用製品", &PRODUCTS), |p, n| {
            Value::list(
                PRODUCTS
                    .iter()
                    .enumerate()
                    .filter(|(nth, _)| p.pick(n, 46 + *nth as u64, 3) == 0)
                    .map(|(_, name)| name),
            )
        }),
        made(field("Login_Rate", "利用率", Percent), |p, n| {
            Value::Num(Decimal::new(i128::from(p.pick(n, 55, 1_001)), 1).trimmed())
        }),
        stored(field("Health_Score", "ヘルススコア", Double)),
        made(field("Is_Reference", "事例公開", Boolean), |p, n| Value::Bool(p.pick(n, 56, 4) == 0)),
        made(field("Last_Activity_Time", "最終活動日時", Datetime), |p, n| match p.pick(n, 57, 3) {
            0 => Value::Empty,
            _ => Value::Instant(p.modified(n)),
        }),
        made(field("CS_Owner", "CS担当", Userlookup), |p, n| Value::int(1 + p.pick(n, 58, 5) as i64)),
        made(field("Customer_No", "顧客番号", Autonumber), |_, n| Value::text(format!("C-{n:07}"))),
        stored(field("Record_Image", "画像", Profileimage)),
        stored(FieldSpec { declared: Some("fileupload".to_owned()), ..field("Contract_Files", "契約書", Raw) }),
    ]
}

const PRODUCTS: [&str; 4] = ["顧客管理", "分析", "メール配信", "チャット"];

pub(crate) fn several(name: &str, label: &str, values: &[&str]) -> FieldSpec {
    FieldSpec { field_type: FieldType::Multiselectpicklist, ..FieldSpec::picklist(name, label, values) }
}

/// The name of an account.
pub(crate) fn company(p: &Population, n: u64) -> String {
    let p = Population { module: u64::from(ACCOUNTS), ..*p };
    let (legal, is_first) = p.word(n, 10, &words::LEGAL);
    let (stem, trade) = (p.word(n, 11, &words::STEMS), p.word(n, 12, &words::TRADES).0);
    if is_first { format!("{legal}{stem}{trade}") } else { format!("{stem}{trade}{legal}") }
}

fn family(p: &Population, n: u64) -> &'static str {
    p.word(n, 10, &words::FAMILY_NAMES)
}

fn given(p: &Population, n: u64) -> &'static str {
    p.word(n, 11, &words::GIVEN_NAMES)
}

fn person() -> Vec<super::Made> {
    vec![
        made(FieldSpec::text("Full_Name", "氏名"), |p, n| Value::text(format!("{} {}", family(p, n), given(p, n)))),
        made(FieldSpec::text("Last_Name", "姓"), |p, n| Value::Word(family(p, n))),
        made(FieldSpec::text("First_Name", "名"), |p, n| Value::Word(given(p, n))),
        made(FieldSpec::new("Email", "メール", FieldType::Email), |p, n| match p.pick(n, 12, 8) {
            0 => Value::Empty,
            _ => Value::text(format!("person{}@m{}.example.jp", n, p.module)),
        }),
        made(FieldSpec::new("Phone", "電話", FieldType::Phone), |p, n| {
            Value::text(format!("090-{:04}-{:04}", p.pick(n, 13, 10_000), p.pick(n, 14, 10_000)))
        }),
        made(FieldSpec::picklist("Lead_Source", "情報元", &["Web", "展示会", "紹介"]), |p, n| {
            Value::Word(p.word(n, 15, &["Web", "展示会", "紹介"]))
        }),
    ]
}

fn contacts() -> Vec<super::Made> {
    let mut fields = person();
    fields.push((FieldSpec::lookup("Account_Name", "取引先名", "Accounts"), Source::Parent));
    fields.push(made(FieldSpec::text("Title", "役職"), |p, n| {
        Value::Word(p.word(n, 16, &["部長", "課長", "担当", "取締役"]))
    }));
    fields.push(stored(FieldSpec::text("Department", "部署")));
    fields.push(made(FieldSpec::new("Email_Opt_Out", "メール拒否", FieldType::Boolean), |p, n| {
        Value::Bool(p.pick(n, 17, 10) == 0)
    }));
    fields
}

fn is_converted(p: &Population, n: u64) -> bool {
    p.pick(n, 20, 5) == 0
}

fn leads() -> Vec<super::Made> {
    let mut fields = person();
    fields.push(made(FieldSpec::text("Company", "会社"), |p, n| Value::text(company(p, n + 1_000_000))));
    fields.push(stored(FieldSpec::picklist("Lead_Status", "ステータス", &["未対応", "連絡済み", "不適格"])));
    fields.push(made(FieldSpec::new("Converted__s", "変換済み", FieldType::Boolean), |p, n| {
        Value::Bool(is_converted(p, n))
    }));
    fields.push(stored(FieldSpec::new("Converted_Date_Time", "変換日時", FieldType::Datetime)));
    for (name, label, module) in [
        ("Converted_Account", "変換先の取引先", "Accounts"),
        ("Converted_Contact", "変換先の連絡先", "Contacts"),
        ("Converted_Deal", "変換先の商談", "Deals"),
    ] {
        fields.push(stored(FieldSpec::lookup(name, label, module)));
    }
    fields.push(made(FieldSpec::new("$approved", "承認済み", FieldType::Boolean), |p, n| {
        Value::Bool(is_converted(p, n) || p.pick(n, 21, 9) > 0)
    }));
    fields
}
