//! Account (取引先): the customers.

use super::{ObjectSpec, Origin, address, calculated, generated, head, owner, stored, tail, viewed};
use crate::salesforce::field::{FieldSpec, FieldType, Formula};
use crate::salesforce::table::Column;
use crate::salesforce::{Features, population};
use crate::words;

pub(super) fn object(features: &Features) -> ObjectSpec {
    let mut columns = head("取引先");
    columns.extend(standard());
    columns.extend(address(
        "Billing",
        "住所(請求先)",
        features,
        Some([population::street, population::city, population::state, population::postal_code, population::country]),
    ));
    columns.extend(address("Shipping", "住所(納入先)", features, None));
    columns.push(owner());
    columns.extend(tail());
    columns.extend(viewed());
    columns.extend(cleaned());
    if features.person_accounts {
        columns.extend(person());
        columns.extend(person_address());
    }
    columns.extend(custom());
    if features.geolocation {
        let part =
            |name: &str, label: &str| FieldSpec::number(name, label, FieldType::Double, 18, 15).part_of("Location__c");
        columns.push(stored(part("Location__Latitude__s", "所在地(緯度)")));
        columns.push(stored(part("Location__Longitude__s", "所在地(経度)")));
        if features.compounds {
            let whole = FieldSpec::new("Location__c", "所在地", FieldType::Location).read_only();
            columns.push(Column::new(whole, Origin::Compound));
        }
    }
    ObjectSpec {
        name: "Account",
        label: "取引先",
        prefix: "001",
        deletable: true,
        mergeable: true,
        history: None,
        columns,
    }
}

fn standard() -> Vec<Column> {
    let kinds = [
        "Prospect",
        "Customer - Direct",
        "Customer - Channel",
        "Channel Partner / Reseller",
        "Installation Partner",
        "Technology Partner",
        "Other",
    ];
    vec![
        Column::new(FieldSpec::lookup("MasterRecordId", "マスタレコード ID", &["Account"]).read_only(), Origin::Master),
        generated(FieldSpec::text("Name", "取引先名", 255).required(), population::name),
        generated(FieldSpec::picklist("Type", "取引先 種別", &kinds), population::kind),
        stored(FieldSpec::lookup("ParentId", "親取引先 ID", &["Account"])),
        generated(FieldSpec::new("Phone", "電話", FieldType::Phone), population::phone),
        generated(FieldSpec::new("Fax", "Fax", FieldType::Phone), population::fax),
        generated(FieldSpec::text("AccountNumber", "取引先番号", 40), population::account_number),
        generated(FieldSpec::new("Website", "Web サイト", FieldType::Url), population::website),
        stored(FieldSpec::new("PhotoUrl", "写真の URL", FieldType::Url).read_only()),
        stored(FieldSpec::text("Sic", "SIC コード", 20)),
        generated(FieldSpec::picklist("Industry", "業種", &words::INDUSTRIES), population::industry),
        generated(
            FieldSpec::number("AnnualRevenue", "年間売上", FieldType::Currency, 18, 0),
            population::annual_revenue,
        ),
        generated(FieldSpec::new("NumberOfEmployees", "従業員数", FieldType::Int), population::employees),
        generated(
            FieldSpec::picklist("Ownership", "会社形態", &["Public", "Private", "Subsidiary", "Other"]),
            population::ownership,
        ),
        stored(FieldSpec::text("TickerSymbol", "証券コード", 20)),
        generated(FieldSpec::textarea("Description", "取引先 説明", 32_000), population::description),
        generated(FieldSpec::picklist("Rating", "取引先 評価", &["Hot", "Warm", "Cold"]), population::rating),
        stored(FieldSpec::text("Site", "取引先 部門", 80)),
        generated(
            FieldSpec::picklist("AccountSource", "取引先 ソース", &["Web", "展示会", "紹介", "Phone Inquiry"]),
            population::source,
        ),
        stored(FieldSpec::text("SicDesc", "SIC の説明", 80)),
    ]
}

fn cleaned() -> Vec<Column> {
    vec![
        stored(FieldSpec::text("Jigsaw", "Data.com のキー", 20)),
        stored(FieldSpec::text("JigsawCompanyId", "Jigsaw の会社 ID", 20).read_only()),
        generated(
            FieldSpec {
                length: 40,
                ..FieldSpec::picklist("CleanStatus", "クリーン状況", &["Matched", "Pending", "Skipped"])
            },
            population::clean_status,
        ),
        stored(FieldSpec::text("DunsNumber", "D-U-N-S 番号", 9)),
        stored(FieldSpec::text("NaicsCode", "NAICS コード", 8)),
        stored(FieldSpec::text("YearStarted", "設立年", 4)),
    ]
}

fn person() -> Vec<Column> {
    vec![
        stored(FieldSpec::new("IsPersonAccount", "個人取引先", FieldType::Boolean).read_only()),
        stored(FieldSpec::lookup("PersonContactId", "取引先責任者 ID", &["Contact"]).read_only()),
        stored(FieldSpec::text("FirstName", "名", 40)),
        stored(FieldSpec::text("LastName", "姓", 80)),
        stored(FieldSpec { length: 40, ..FieldSpec::picklist("Salutation", "敬称", &["様"]) }),
        stored(FieldSpec::new("PersonEmail", "メール", FieldType::Email)),
        stored(FieldSpec::new("PersonMobilePhone", "携帯", FieldType::Phone)),
        stored(FieldSpec::new("PersonBirthdate", "誕生日", FieldType::Date)),
        stored(FieldSpec::text("PersonTitle", "役職", 80)),
    ]
}

/// The contact's address and its custom fields, as accounts show them.
fn person_address() -> Vec<Column> {
    let parts = [
        ("Street", "町名・番地"),
        ("City", "市区郡"),
        ("State", "都道府県"),
        ("PostalCode", "郵便番号"),
        ("Country", "国"),
    ];
    let mut columns: Vec<Column> = parts
        .iter()
        .map(|(name, what)| {
            stored(FieldSpec::text(&format!("PersonMailing{name}"), &format!("住所(郵送先)({what})"), 255))
        })
        .collect();
    columns.extend(super::contact::custom().into_iter().map(|column| {
        let name = crate::salesforce::person::name_on_account(&column.spec.name).unwrap_or_default();
        stored(FieldSpec { name, ..column.spec })
    }));
    columns
}

fn custom() -> Vec<Column> {
    use FieldType::{Currency, Date, Datetime, Double, Percent, Time};
    vec![
        generated(FieldSpec::text("CustomerCode__c", "顧客コード", 20).external(), population::customer_code),
        generated(FieldSpec::text("CorporateNumber__c", "法人番号", 13), population::corporate_number),
        generated(
            FieldSpec::picklist("Plan__c", "契約プラン", &["スターター", "スタンダード", "エンタープライズ"]),
            population::plan,
        ),
        generated(FieldSpec::number("MRR__c", "月次売上 (MRR)", Currency, 18, 2), population::mrr),
        calculated(
            FieldSpec::number("AnnualizedMRR__c", "年換算売上", Currency, 18, 2),
            Formula::Times { field: "MRR__c".to_owned(), factor: "12".to_owned() },
        ),
        generated(FieldSpec::picklist("Stage__c", "フェーズ", &["導入", "利用", "拡大"]), population::stage),
        generated(FieldSpec::number("HealthScore__c", "ヘルススコア", Double, 4, 1), population::health),
        generated(
            FieldSpec::picklist("TouchModel__c", "タッチモデル", &["ハイタッチ", "ロータッチ", "テックタッチ"]),
            population::touch_model,
        ),
        generated(FieldSpec::new("ContractStartDate__c", "契約開始日", Date), population::contract_start),
        generated(FieldSpec::new("RenewalDate__c", "更新日", Date), population::renewal),
        stored(FieldSpec::new("ChurnDate__c", "解約日", Date)),
        generated(
            FieldSpec::multipicklist("Products__c", "利用製品", &["顧客管理", "分析", "自動化"]),
            population::products,
        ),
        generated(FieldSpec::number("Seats__c", "契約ユーザー数", Double, 8, 0), population::seats),
        generated(FieldSpec::number("LoginRate__c", "ログイン率", Percent, 5, 1), population::login_rate),
        generated(FieldSpec::number("NPS__c", "NPS", Double, 3, 0), population::nps),
        generated(FieldSpec::new("LastLoginAt__c", "最終ログイン日時", Datetime), population::last_login),
        generated(FieldSpec::new("SupportStart__c", "サポート開始時刻", Time), population::support_start),
        generated(FieldSpec::textarea("CsmNote__c", "CS メモ", 32_768), population::note),
    ]
}
