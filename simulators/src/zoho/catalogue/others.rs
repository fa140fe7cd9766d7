//! A module of 120 custom fields, line items, activities, and modules that are there but not readable.

use super::{Plan, made, stored};
use crate::zoho::field::{FieldSpec, FieldType};
use crate::zoho::module::Access;
use crate::zoho::options::Options;
use crate::zoho::value::Value;

pub(crate) fn plans(options: &Options) -> Vec<Plan> {
    let closed = |number, api_name, label, access| Plan {
        access,
        ..Plan::new(number, api_name, label, vec![stored(FieldSpec::text("Name", "名前"))])
    };
    vec![
        Plan {
            generated_type: "custom",
            count: options.wide,
            ..Plan::new(9, "Health_Checks", "ヘルスチェック", health())
        },
        Plan::new(10, "Products", "商品", products()),
        Plan::new(11, "Quotes", "見積書", quotes()),
        Plan { generated_type: "subform", ..Plan::new(12, "Quoted_Items", "見積明細", items()) },
        Plan::new(13, "Tasks", "タスク", tasks()),
        Plan::new(14, "Events", "予定", events()),
        Plan::new(15, "Cases", "問い合わせ", cases()),
        closed(16, "Notes", "メモ", Access::Administrators),
        closed(17, "CTI_Entry", "CTI", Access::Unsupported),
        closed(18, "Email_Analytics", "メール分析", Access::Forbidden),
        closed(19, "Functions__s", "関数", Access::Empty),
    ]
}

fn health() -> Vec<super::Made> {
    let mut fields = vec![made(FieldSpec::text("Name", "名前"), |_, n| Value::text(format!("点検 {n}")))];
    for nth in 1..=120 {
        let name = format!("Check_{nth:03}");
        let spec = match nth % 4 {
            0 => FieldSpec::new(&name, &format!("点検項目{nth}"), FieldType::Integer),
            1 => FieldSpec::text(&name, &format!("点検項目{nth}")),
            2 => FieldSpec::new(&name, &format!("点検項目{nth}"), FieldType::Boolean),
            _ => FieldSpec::new(&name, &format!("点検項目{nth}"), FieldType::Date),
        };
        // A few of them say something; the others are as empty as in life.
        fields.push(match nth {
            4 | 60 | 120 => made(spec, |p, n| Value::int(p.pick(n, 10, 100) as i64)),
            1 | 61 | 117 => made(spec, |p, n| Value::text(format!("所見{}", p.pick(n, 11, 1_000)))),
            2 | 118 => made(spec, |p, n| Value::Bool(p.pick(n, 12, 2) == 0)),
            _ => stored(spec),
        });
    }
    fields
}

fn products() -> Vec<super::Made> {
    vec![
        stored(FieldSpec::text("Product_Name", "商品名")),
        stored(FieldSpec::text("Product_Code", "商品コード")),
        stored(FieldSpec::new("Unit_Price", "単価", FieldType::Currency)),
        stored(FieldSpec::new("Product_Active", "有効", FieldType::Boolean)),
    ]
}

fn quotes() -> Vec<super::Made> {
    let items = FieldSpec {
        module: Some("Quoted_Items".to_owned()),
        ..FieldSpec::new("Quoted_Items", "見積明細", FieldType::Subform)
    };
    vec![
        stored(FieldSpec::text("Subject", "件名")),
        stored(FieldSpec::lookup("Account_Name", "取引先名", "Accounts")),
        stored(FieldSpec::lookup("Deal_Name", "商談名", "Deals")),
        stored(FieldSpec::picklist("Quote_Stage", "ステージ", &["作成中", "送付済み", "承認"])),
        stored(items),
        stored(FieldSpec::new("$approved", "承認済み", FieldType::Boolean)),
    ]
}

fn items() -> Vec<super::Made> {
    vec![
        stored(FieldSpec::lookup("Parent_Id", "親", "Quotes")),
        stored(FieldSpec::lookup("Product_Name", "商品", "Products")),
        stored(FieldSpec::new("Quantity", "数量", FieldType::Double)),
        stored(FieldSpec::new("List_Price", "定価", FieldType::Currency)),
    ]
}

fn raw(name: &str, label: &str, declared: &str) -> super::Made {
    stored(FieldSpec { declared: Some(declared.to_owned()), ..FieldSpec::new(name, label, FieldType::Raw) })
}

fn tasks() -> Vec<super::Made> {
    vec![
        stored(FieldSpec::text("Subject", "件名")),
        stored(FieldSpec::picklist("Status", "ステータス", &["未着手", "進行中", "完了"])),
        stored(FieldSpec::new("Due_Date", "期限", FieldType::Date)),
        raw("What_Id", "関連先", "multi_module_lookup"),
        stored(FieldSpec::text("$se_module", "関連先の種類")),
        stored(FieldSpec::lookup("Who_Id", "連絡先", "Contacts")),
        raw("Recurring_Activity", "繰り返し", "RRULE"),
        raw("Remind_At", "通知", "ALARM"),
    ]
}

fn events() -> Vec<super::Made> {
    vec![
        stored(FieldSpec::text("Event_Title", "件名")),
        stored(FieldSpec::new("Start_DateTime", "開始", FieldType::Datetime)),
        stored(FieldSpec::new("End_DateTime", "終了", FieldType::Datetime)),
        // Described as a text, and is none.
        raw("Participants", "参加者", "text"),
        raw("Remind_At", "通知", "multireminder"),
    ]
}

fn cases() -> Vec<super::Made> {
    vec![
        stored(FieldSpec::text("Subject", "件名")),
        stored(FieldSpec::picklist("Status", "ステータス", &["新規", "対応中", "完了"])),
        stored(FieldSpec::picklist("Priority", "優先度", &["高", "中", "低"])),
        stored(FieldSpec::lookup("Account_Name", "取引先名", "Accounts")),
    ]
}
